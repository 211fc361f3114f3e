//! Every byte of what is signed with, every byte of the small files and every so many of the large ones, and
//! each place where an outcome stands: one changed bit, and the run is not accepted, for that very file.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

use gonogo::report::verify::{Demands, Verified};
use gonogo::sign::allowed_signers::AllowedSigners;

use super::*;

/// A file up to this is changed in each of its bytes.
const SMALL: usize = 2_000;
/// In larger ones so many places, evenly.
const PLACES: usize = 200;

fn put(path: &Path, at: usize, byte: u8) {
    let mut file = File::options().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at as u64)).unwrap();
    file.write_all(&[byte]).unwrap();
}

fn read(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// Where to change it: all of what signs and of what is small, and wherever the word of an outcome stands.
fn places(name: &str, bytes: &[u8]) -> Vec<usize> {
    if bytes.len() <= SMALL || name.starts_with("SHA256SUMS") {
        return (0..bytes.len()).collect();
    }
    let step = bytes.len().div_ceil(PLACES);
    let mut places: Vec<usize> = (0..bytes.len()).step_by(step).collect();
    for word in ["\"decision\"", "\"planned\"", "GO"] {
        let found = bytes
            .windows(word.len())
            .position(|at| at == word.as_bytes());
        places.extend(
            found
                .map(|at| at..at + word.len() + 8)
                .into_iter()
                .flatten(),
        );
    }
    places.push(bytes.len() - 1);
    places.retain(|at| *at < bytes.len());
    places
}

#[test]
fn no_changed_bit_is_accepted() {
    let room = Room::new();
    let dir = room.copy(&room.go);
    let allowed = AllowedSigners::parse(&read(&room.at("allowed_signers")));
    let open = || Verified::open(&dir, &allowed, &Demands::default(), jiff::Timestamp::now());
    let whole = open().unwrap();
    let manifest = &whole.sealed().manifest;
    let mut tried = 0;
    for name in files(&dir) {
        let path = dir.join(&name);
        let bytes = read(&path);
        for (round, at) in places(&name, &bytes).into_iter().enumerate() {
            // Another bit each time: case, sign, digit and the highest all come.
            put(&path, at, bytes[at] ^ (1 << (at % 8)));
            tried += 1;
            let listed = manifest.digest(&name).is_some();
            // What the manifest lists is refused by it; the whole way is gone now and then.
            if listed && round % 16 != 0 {
                let told = manifest.check(&dir).unwrap_err();
                let told: Vec<_> = told.iter().map(ToString::to_string).collect();
                assert_eq!(
                    told,
                    [format!("`{name}` was changed after signing")],
                    "byte {at}"
                );
            } else {
                let reason = open().map(drop).unwrap_err().to_string();
                let start = match listed {
                    true => format!("`{name}` was changed after signing"),
                    false if name == "report.intoto.jsonl" => format!("{name}: "),
                    // Of the two one was changed; which, nobody can know.
                    false => "SHA256SUMS.sig: ".to_owned(),
                };
                assert!(reason.starts_with(&start), "{name}, byte {at}: {reason}");
            }
            put(&path, at, bytes[at]);
        }
    }
    open().unwrap();
    assert!(tried > 3_000, "{tried}");
}

/// A run is cut anywhere, from nothing left of a file to all but its last byte; or something comes behind.
#[test]
fn no_file_can_be_cut_or_grow() {
    let room = Room::new();
    let dir = room.copy(&room.go);
    let allowed = AllowedSigners::parse(&read(&room.at("allowed_signers")));
    let open = || Verified::open(&dir, &allowed, &Demands::default(), jiff::Timestamp::now());
    for name in files(&dir) {
        let path = dir.join(&name);
        let bytes = read(&path);
        let mut others: Vec<Vec<u8>> = [0, 1, bytes.len() / 2, bytes.len() - 1]
            .iter()
            .map(|length| bytes[..*length].to_vec())
            .collect();
        for more in ["\n", " ", "\0", "x\n"] {
            others.push([&bytes, more.as_bytes()].concat());
        }
        others.push([b"\xef\xbb\xbf", &bytes[..]].concat());
        for other in others.into_iter().filter(|other| *other != bytes) {
            fs::write(&path, &other).unwrap();
            let reason = open().map(drop).map_err(|fault| fault.to_string());
            let reason = reason.expect_err(&format!("{name}, {} bytes", other.len()));
            let is_named = reason.contains(&name) || name == "SHA256SUMS";
            let length = other.len();
            assert!(is_named, "{name}, {length} bytes: {reason}");
        }
        fs::write(&path, &bytes).unwrap();
    }
    open().unwrap();
}

/// The only bytes outside what a signature covers: the ends of lines of the armour, which say nothing.
#[test]
fn line_ends_of_the_armour_alone_may_differ() {
    let room = Room::new();
    let dir = room.copy(&room.go);
    let armour = fs::read_to_string(dir.join("SHA256SUMS.sig")).unwrap();
    fs::write(dir.join("SHA256SUMS.sig"), armour.replace('\n', "\r\n")).unwrap();
    assert_eq!(room.verify(&dir, &[]).0, 0);
    for other in [
        format!("Comment: hello\n{armour}"),
        format!("\n{armour}"),
        format!("{armour}{armour}"),
        armour.replace("-----\n", "----- \n"),
        armour.replacen('\n', "\n ", 1),
        armour.replacen("-----\n", "-----\n\n", 1),
    ] {
        assert_ne!(other, armour);
        fs::write(dir.join("SHA256SUMS.sig"), &other).unwrap();
        let (code, told) = room.verify(&dir, &[]);
        assert_eq!(code, 4, "{other:?}: {told}");
        assert!(
            told.contains("SHA256SUMS.sig: not an SSH signature"),
            "{told}"
        );
    }
}
