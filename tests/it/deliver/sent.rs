//! What may leave is told by what is in it, not by what it is called: dry runs, no server is there.

use std::fs;
use std::process::{Command, Output};

use gonogo::case::archive::{self, Packing};
use gonogo::digest::Sha256;
use serde_json::json;

use super::encrypted::age_key;
use super::{ends, office};
use crate::lab::Lab;

/// Name and bytes of each.
pub(crate) type Members = Vec<(String, Vec<u8>)>;

const PACKINGS: [Packing; 3] = [Packing::TarZst, Packing::TarGz, Packing::Zip];

/// A bundle as `case build` writes it; `edit` has its members before they are packed.
pub(crate) fn bundle(
    lab: &Lab,
    name: &str,
    packing: Packing,
    reviewed_by: Option<&str>,
    edit: impl FnOnce(&mut Members),
) {
    let manifest = json!({"schema": "gonogo/case/v1"});
    bundle_of(lab, name, packing, reviewed_by, &manifest, edit);
}

/// As [`bundle`], with what it says of itself.
pub(crate) fn bundle_of(
    lab: &Lab,
    name: &str,
    packing: Packing,
    reviewed_by: Option<&str>,
    manifest: &serde_json::Value,
    edit: impl FnOnce(&mut Members),
) {
    let noise: Vec<u8> = (0..40_000_u64)
        .flat_map(|at| Sha256::of(&at.to_be_bytes()).to_string().into_bytes())
        .collect();
    let mut members = vec![
        (
            "artifacts/event log/amps.log".to_owned(),
            b"00-0015 started\n".to_vec(),
        ),
        ("artifacts/noise.txt".to_owned(), noise[..200_000].to_vec()),
        (
            "manifest.json".to_owned(),
            format!("{}\n", serde_json::to_string_pretty(manifest).unwrap()).into_bytes(),
        ),
    ];
    let sums: String = (members.iter())
        .map(|(name, bytes)| format!("{}  {name}\n", Sha256::of(bytes)))
        .collect();
    let review =
        json!({"reviewed_by": reviewed_by, "content": Sha256::of(sums.as_bytes()).to_string()});
    members.push(("SHA256SUMS".to_owned(), sums.into_bytes()));
    members.push(("REVIEW.json".to_owned(), review.to_string().into_bytes()));
    edit(&mut members);
    members.sort();
    let folder = tempfile::tempdir().unwrap();
    let mut packed = Vec::new();
    for (number, (name, bytes)) in members.into_iter().enumerate() {
        let path = folder.path().join(number.to_string());
        fs::write(&path, bytes).unwrap();
        packed.push((format!("orders-1/{name}"), path));
    }
    let out = fs::File::create(lab.path("operator").join(name)).unwrap();
    archive::write(packing, &packed, out).unwrap();
}

fn sftp(lab: &Lab, more: &[(&str, serde_json::Value)]) {
    let mut intake = json!({
        "kind": "sftp", "host": "127.0.0.1", "port": 9, "user": "bank",
        "host_key": format!("SHA256:{}", "A".repeat(43)), "key": "keys/operations",
    });
    for (key, value) in more {
        intake[*key] = value.clone();
    }
    office(lab, &json!([intake]), 10);
}

fn asks(lab: &Lab, file: &str, more: &[&str]) -> Output {
    let args = [
        "case",
        "deliver",
        file,
        "-i",
        "vendors.yaml",
        "--vendor",
        "acme",
    ];
    lab.run(&[&args[..], more].concat())
}

const MEANT: [&str; 1] = ["--any-file"];

#[test]
fn a_reviewed_bundle_may_go_whatever_it_is_called_and_no_other() {
    let lab = Lab::new();
    sftp(&lab, &[]);
    for packing in PACKINGS {
        let end = packing.end();
        let (good, bad) = (format!("b{end}"), format!("final{end}"));
        bundle(&lab, &good, packing, Some("Eve"), |_| ());
        let told = ends(&asks(&lab, &good, &[]), 0, &["would send"]);
        assert!(!told.contains("no bundle"), "{told}");
        // Renamed to look like one.
        for nobody in [None, Some(""), Some(" - ")] {
            bundle(&lab, &bad, packing, nobody, |_| ());
            for more in [&[][..], &MEANT] {
                ends(
                    &asks(&lab, &bad, more),
                    2,
                    &["was not reviewed", "names nobody"],
                );
            }
        }
        let stays = |says: &str, edit: &dyn Fn(&mut Members)| {
            bundle(&lab, &bad, packing, Some("Eve"), |members| edit(members));
            ends(
                &asks(&lab, &bad, &MEANT),
                2,
                &["is not the bundle that was built", says],
            );
        };
        stays("has another digest", &|members| members[0].1.push(b'x'));
        stays("`artifacts/noise.txt` is missing", &|members| {
            drop(members.remove(1))
        });
        stays("does not name `more.txt`", &|members| {
            members.push(("more.txt".to_owned(), b"more".to_vec()));
        });
        stays("no SHA256SUMS", &|members| drop(members.remove(3)));
        stays("no REVIEW.json", &|members| drop(members.remove(4)));
        stays("about another content", &|members| {
            let sums = format!("{}  artifacts/noise.txt\n", Sha256::of(&members[1].1));
            members[3].1 = sums.into_bytes();
        });
        // Cut off, and somebody else's archive.
        let whole = fs::read(lab.path("operator").join(&good)).unwrap();
        fs::write(lab.path("operator").join(&bad), &whole[..whole.len() - 300]).unwrap();
        ends(&asks(&lab, &bad, &[]), 2, &[&bad]);
        bundle(&lab, &bad, packing, None, |members| members.truncate(1));
        ends(
            &asks(&lab, &bad, &[]),
            2,
            &["no bundle of gonogo, but another archive"],
        );
        ends(
            &asks(&lab, &bad, &MEANT),
            0,
            &["it goes as it is, by --any-file"],
        );
    }
}

#[test]
fn keys_and_maps_stay_at_home_and_the_rest_goes_where_it_is_meant() {
    let lab = Lab::new();
    sftp(&lab, &[]);
    let at = |name: &str| lab.path("operator").join(name);
    let map = br#"{
  "schema": "gonogo/names/v1",
  "key": "00", "names": []
}"#;
    fs::write(at("case.tar.zst.names.json"), map).unwrap();
    fs::write(at("map.tar.zst"), map).unwrap();
    let origins = "{\n  \"schema\": \"gonogo/origins/v1\",\n  \"files\": []\n}";
    fs::write(at("origins.tar.zst"), origins).unwrap();
    let (_, recipient) = age_key(&at("identity"));
    let packed = Command::new("gzip")
        .arg("-k")
        .arg(at("case.tar.zst.names.json"))
        .output();
    assert!(packed.unwrap().status.success());
    let mut tar = Command::new("tar");
    let done = tar.current_dir(lab.operator()).args([
        "-czf",
        "two.tar.gz",
        "keys/operations",
        "case.tar.zst.names.json",
    ]);
    assert!(done.output().unwrap().status.success());
    fs::copy(at("keys/operations"), at("operations.zip")).unwrap();
    fs::write(at("pem.zip"), "# mine\n-----BEGIN PRIVATE KEY-----\nMIIB\n").unwrap();
    for (file, says) in [
        (
            "case.tar.zst.names.json",
            "the map that says what every token",
        ),
        (
            "case.tar.zst.names.json.gz",
            "the map that says what every token",
        ),
        ("map.tar.zst", "the map that says what every token"),
        ("origins.tar.zst", "digests of files that nobody redacted"),
        ("keys/operations", "private key"),
        ("operations.zip", "private key"),
        ("pem.zip", "private key"),
        ("identity", "private key"),
        ("two.tar.gz", "private key"),
    ] {
        let digest = Sha256::of(&fs::read(at(file)).unwrap()).to_string();
        for more in [&[][..], &MEANT, &["--sha256", &digest]] {
            ends(&asks(&lab, file, more), 2, &["stays at home", says]);
        }
    }
    // What is nothing of gonogo goes only where somebody says so.
    fs::write(at("x.zip"), "abc").unwrap();
    fs::write(at("raw.log"), "2026-11-22 started\n").unwrap();
    for file in ["x.zip", "raw.log"] {
        let digest = Sha256::of(&fs::read(at(file)).unwrap()).to_string();
        ends(
            &asks(&lab, file, &[]),
            2,
            &["is no bundle of gonogo", "--any-file"],
        );
        let wrong = ["--sha256", &"0".repeat(64)];
        ends(
            &asks(&lab, file, &wrong),
            2,
            &["is not the file that is meant"],
        );
        let right = ["--sha256", &digest];
        ends(
            &asks(&lab, file, &right),
            0,
            &["by the digest that was stated"],
        );
        ends(&asks(&lab, file, &MEANT), 0, &["it goes as it is"]);
    }
    fs::copy(at("raw.log"), at("0001.journal")).unwrap();
    ends(
        &asks(&lab, "0001.journal", &MEANT),
        2,
        &["it holds the messages"],
    );
    // Encrypted by whoever: nobody can look.
    let mut locked = Command::new("age");
    locked.args(["-r", &recipient, "-o"]).arg(at("l.age"));
    assert!(locked.arg(at("x.zip")).output().unwrap().status.success());
    ends(&asks(&lab, "l.age", &[]), 0, &["it is encrypted"]);
}

#[test]
fn parts_are_those_of_a_reviewed_bundle() {
    let lab = Lab::new();
    sftp(&lab, &[]);
    let at = |name: &str| lab.path("operator").join(name);
    let (_, recipient) = age_key(&at("identity"));
    let split = |file: &str, more: &[&str]| {
        let args = ["case", "split", file, "-o", "parts", "--max-bytes", "60KiB"];
        lab.run(&[&args[..], more].concat())
    };
    // Neither in plain text nor encrypted: then nobody could look any more.
    bundle(&lab, "final.tar.zst", Packing::TarZst, None, |_| ());
    for more in [&[][..], &["--encrypt-to", &recipient], &MEANT] {
        ends(&split("final.tar.zst", more), 2, &["was not reviewed"]);
    }
    fs::write(at("raw.log"), "x".repeat(100_000)).unwrap();
    ends(&split("raw.log", &[]), 2, &["is no bundle of gonogo"]);
    assert!(!at("parts").exists());
    for packing in PACKINGS {
        let name = format!("b{}", packing.end());
        bundle(&lab, &name, packing, Some("Eve"), |_| ());
        ends(&split(&name, &[]), 0, &[".part-001-of-00"]);
        let mut parts: Vec<String> = super::names(&at("parts"));
        parts.retain(|name| name.contains(".part-"));
        assert!(parts.len() > 1);
        for part in &parts {
            let part = format!("parts/{part}");
            ends(
                &asks(&lab, &part, &[]),
                0,
                &["of which the whole was opened"],
            );
        }
        // A raw log under the name of a part; and one part is gone.
        let second = at("parts").join(&parts[1]);
        let kept = fs::read(&second).unwrap();
        fs::write(&second, "2026-11-22 started\n").unwrap();
        let first = format!("parts/{}", parts[0]);
        for part in &parts {
            ends(&asks(&lab, &format!("parts/{part}"), &[]), 2, &[]);
        }
        fs::remove_file(&second).unwrap();
        ends(&asks(&lab, &first, &[]), 2, &["the whole cannot be opened"]);
        fs::write(&second, kept).unwrap();
        ends(&asks(&lab, &first, &[]), 0, &[]);
        fs::remove_dir_all(at("parts")).unwrap();
        ends(
            &split(&name, &["--encrypt-to", &recipient]),
            0,
            &["encrypted to age1"],
        );
        let locked = super::names(&at("parts"));
        let part = locked.iter().find(|name| name.contains(".part-002-of-"));
        let part = format!("parts/{}", part.unwrap());
        ends(&asks(&lab, &part, &[]), 0, &["it is encrypted"]);
        fs::remove_dir_all(at("parts")).unwrap();
    }
    fs::write(at("raw.part-001-of-001.tar.zst"), "2026-11-22 started\n").unwrap();
    ends(
        &asks(&lab, "raw.part-001-of-001.tar.zst", &[]),
        2,
        &["is no bundle of gonogo"],
    );
}

#[test]
fn the_ending_here_is_the_ending_there() {
    let lab = Lab::new();
    let rules = [
        ("name", json!("{case}.tar.zst")),
        ("extensions", json!([".tar.zst", ".tar.zst.age"])),
    ];
    sftp(&lab, &rules);
    let case = ["--case", "17"];
    bundle(&lab, "b.tar.zst", Packing::TarZst, Some("Eve"), |_| ());
    bundle(&lab, "b.zip", Packing::Zip, Some("Eve"), |_| ());
    bundle(&lab, "lies.tar.zst", Packing::Zip, Some("Eve"), |_| ());
    fs::write(lab.path("operator/raw.log"), "2026\n").unwrap();
    ends(&asks(&lab, "b.tar.zst", &case), 0, &["/17.tar.zst"]);
    for file in ["b.zip", "lies.tar.zst"] {
        ends(
            &asks(&lab, file, &case),
            2,
            &["is packed as .zip, and would arrive as `17.tar.zst`"],
        );
    }
    let meant = [&case[..], &MEANT].concat();
    ends(
        &asks(&lab, "raw.log", &meant),
        2,
        &["which is another kind of file"],
    );
}
