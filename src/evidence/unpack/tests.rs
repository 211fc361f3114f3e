//! Every compression: whole, cut anywhere, damaged anywhere, followed by dirt, and as a bomb. What one
//! reader must keep, all must.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::*;

/// Keeps what is passed on.
#[derive(Clone, Default)]
struct Echo(Arc<Mutex<Vec<u8>>>);

impl Write for Echo {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(piece);
        Ok(piece.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Reader for Echo {
    fn finish(self: Box<Self>) -> Result<Content, Failure> {
        Ok(Content::Opaque)
    }
}

fn read(bytes: &[u8], step: usize, tail: Tail) -> (Result<Content, Failure>, Vec<u8>) {
    let echo = Echo::default();
    let mut reader = Unpack::new(Box::new(echo.clone()), tail);
    for piece in bytes.chunks(step) {
        reader.write_all(piece).unwrap();
    }
    let judged = Box::new(reader).finish();
    let passed = std::mem::take(&mut *echo.0.lock().unwrap());
    (judged, passed)
}

/// Whatever the pieces, the judgement is the same; the bytes too, when it is good.
fn every_way(bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    let (judged, passed) = read(bytes, usize::MAX, Tail::Closed);
    for step in [1, 7, 4096] {
        let (again, text) = read(bytes, step, Tail::Closed);
        assert_eq!(again, judged, "in pieces of {step}");
        assert!(judged.is_err() || text == passed, "in pieces of {step}");
    }
    judged.map(|_| passed)
}

/// Name, whether its program is on this machine only for these tests, and how a file of it is made.
const TOOLS: [(&str, &[&str]); 4] = [
    ("gzip", &["gzip", "-c"]),
    ("zstd", &["zstd", "-qc", "--check"]),
    ("xz", &["xz", "-c"]),
    ("bzip2", &["bzip2", "-c"]),
];

/// What the real program makes of `text`.
fn pack(tool: &[&str], text: &[u8]) -> Vec<u8> {
    let mut child = Command::new(tool[0])
        .args(&tool[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", tool[0]));
    let mut stdin = child.stdin.take().unwrap();
    let text = text.to_vec();
    let feeder = std::thread::spawn(move || stdin.write_all(&text));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap().unwrap();
    assert!(output.status.success(), "{tool:?}");
    output.stdout
}

fn text() -> Vec<u8> {
    let line = |n: u64| format!("line {n} {:016x}\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    (0..60).map(line).collect::<String>().into_bytes()
}

#[test]
fn what_the_real_programs_pack_is_unpacked() {
    for (name, tool) in TOOLS {
        for text in [&b""[..], b"x", &text(), &text().repeat(200)] {
            let unpacked = every_way(&pack(tool, text));
            assert_eq!(unpacked.as_deref(), Ok(text), "{name}");
        }
    }
}

#[test]
fn streams_one_after_the_other_are_one_file() {
    for (name, tool) in TOOLS {
        let parts = [pack(tool, b"one,"), pack(tool, b""), pack(tool, b"two")];
        assert_eq!(every_way(&parts.concat()).unwrap(), b"one,two", "{name}");
    }
    let skippable = [b"P*M\x18\x03\0\0\0abc".to_vec(), pack(TOOLS[1].1, b"x")];
    assert_eq!(every_way(&skippable.concat()).unwrap(), b"x");
    let padded = [pack(TOOLS[2].1, b"x"), vec![0; 8]].concat();
    assert_eq!(every_way(&padded).unwrap(), b"x");
}

#[test]
fn no_strict_prefix_is_ever_well() {
    for (name, tool) in TOOLS {
        let whole = pack(tool, &text());
        // Shorter ones are no packed file, and refused by the reader behind.
        let magic = if name == "bzip2" { 5 } else { 6 };
        for cut in magic..whole.len() {
            let failure = every_way(&whole[..cut]).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Corrupt, "{name} cut at {cut}");
            let early = format!("the {name} stream ends early");
            assert_eq!(failure.actual, early, "cut at {cut}");
        }
        let second = [&whole[..], &whole[..whole.len() - 3]].concat();
        assert!(every_way(&second).is_err(), "{name}");
        let (open, _) = read(&whole[..whole.len() - 3], 4096, Tail::Open);
        assert_eq!(open.is_ok(), name == "gzip");
    }
}

#[test]
fn a_flipped_bit_is_never_passed_on_as_well() {
    for (name, tool) in TOOLS {
        let text = text();
        let whole = pack(tool, &text);
        let mut well = 0;
        for place in 6..whole.len() {
            let mut bytes = whole.clone();
            bytes[place] ^= 0x10;
            // Some header fields may say anything: time and name of gzip.
            let (judged, passed) = read(&bytes, 4096, Tail::Closed);
            assert!(judged.is_err() || passed == text, "{name}, byte {place}");
            well += u64::from(judged.is_ok());
        }
        // Bits that mean nothing, as those behind the last block.
        assert!(well < 8, "{name}: {well}");
    }
}

#[test]
fn dirt_behind_a_stream_is_corrupt() {
    for (name, tool) in TOOLS {
        for dirt in [&b"dirt dirt dirt"[..], b"\0\0\0\0dirt", b"d"] {
            let bytes = [&pack(tool, b"text")[..], dirt].concat();
            let failure = every_way(&bytes).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Corrupt, "{name} {dirt:?}");
            assert!(!failure.hint.is_empty());
        }
        let bytes = [&pack(tool, b"text")[..], b"dirt dirt dirt"].concat();
        let failure = every_way(&bytes).unwrap_err();
        let trailing = format!("bytes that are not {name} follow it");
        assert!(failure.actual.ends_with(&trailing), "{}", failure.actual);
    }
}

#[test]
fn plain_bytes_pass_whatever_they_begin_like() {
    for plain in [
        &b""[..],
        b"\x1f",
        b"\x1fx",
        b"\x28\xb5\x2f",
        b"\xfd7zXZ",
        b"BZh9",
        b"BZh9 is a word",
        b"P*M",
        b"Plain",
        b"BZ",
    ] {
        assert_eq!(every_way(plain).as_deref(), Ok(plain));
    }
}

#[test]
fn random_bytes_behind_a_magic_are_refused() {
    let mut state = 7_u64;
    let mut random = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    };
    for magic in [
        &b"\x1f\x8b\x08"[..],
        b"\x28\xb5\x2f\xfd",
        b"\xfd7zXZ\0\0\x04",
        b"BZh91AY&SY",
    ] {
        for _ in 0..200 {
            let noise: Vec<u8> = (0..300).map(|_| random()).collect();
            let bytes = [magic, &noise].concat();
            for step in [1, 7, 4096] {
                assert!(read(&bytes, step, Tail::Open).0.is_err() || magic[0] == 0x1f);
                assert!(read(&bytes, step, Tail::Closed).0.is_err());
            }
        }
    }
}

/// Counts what is passed on and keeps nothing.
struct Counter(Arc<AtomicU64>);

impl Write for Counter {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.fetch_add(piece.len() as u64, Ordering::Relaxed);
        Ok(piece.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Reader for Counter {
    fn finish(self: Box<Self>) -> Result<Content, Failure> {
        Ok(Content::Opaque)
    }
}

/// A GiB of zeros, streamed into the real program.
fn bomb_of(tool: &[&str]) -> Vec<u8> {
    let script = format!("head -c 1073741824 /dev/zero | {}", tool.join(" "));
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(output.status.success());
    output.stdout
}

#[test]
fn a_bomb_of_a_gib_is_stopped_or_streams_through_in_constant_memory() {
    for (name, tool) in [
        ("zstd", &["zstd", "-qc19"][..]),
        ("xz", &["xz", "-c1"]),
        ("bzip2", &["bzip2", "-c"]),
        ("gzip", &["gzip", "-c1"]),
    ] {
        let bomb = bomb_of(tool);
        let passed = Arc::new(AtomicU64::new(0));
        let mut reader = Unpack::new(Box::new(Counter(Arc::clone(&passed))), Tail::Closed);
        let mut worst = 0;
        for piece in bomb.chunks(32 * 1024) {
            let before = passed.load(Ordering::Relaxed);
            reader.write_all(piece).unwrap();
            worst = worst.max(passed.load(Ordering::Relaxed) - before);
        }
        let judged = Box::new(reader).finish();
        let passed = passed.load(Ordering::Relaxed);
        // What one piece can cost, when nobody waits for the file any more.
        assert!(worst <= FREE + RATIO * 32 * 1024, "{name}: {worst}");
        match judged {
            Ok(_) => assert_eq!(passed, 1 << 30, "{name}"),
            Err(failure) => {
                assert_eq!(failure.kind, FailureKind::TooLarge, "{name}: {failure:?}");
                assert!(is_bomb(bomb.len() as u64, 1 << 30), "{name}");
                assert!(passed <= FREE + RATIO * bomb.len() as u64 + (1 << 20));
            }
        }
    }
}

#[test]
fn a_window_that_is_too_large_is_refused_before_it_is_allocated() {
    // RFC 8878, 3.1.1.1: no content size, no single segment; a window of 2^(10+21) bytes.
    let zstd = [&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3][..], &[0; 32]].concat();
    let failure = every_way(&zstd).unwrap_err();
    assert_eq!(failure.kind, FailureKind::TooLarge, "{failure:?}");
    // The largest that xz(1) makes: a dictionary of 1.5 GiB, told in the block's header.
    let xz = pack(&["xz", "-c", "--lzma2=dict=1536MiB"], b"x");
    let failure = every_way(&xz).unwrap_err();
    assert_eq!(failure.kind, FailureKind::TooLarge, "{failure:?}");
    assert!(failure.hint.contains("xz -9"));
    assert!(every_way(&pack(&["xz", "-9c"], b"x")).is_ok());
    assert!(every_way(&pack(&["zstd", "-qc", "--ultra", "-22"], &text())).is_ok());
}
