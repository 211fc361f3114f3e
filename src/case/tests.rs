//! Archives: the same members make the same bytes, and the programs of the machine open them. Names of files in
//! them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::process::Command;

use super::archive::{Packing, read, write};
use super::build::file_name;
use super::proof;
use super::sources::withhold;
use crate::redaction::{Counts, Engine, Known, Map, Proof, Shape, learn};
use crate::report::schema::Evidence;

#[test]
fn the_name_says_what_it_is() {
    assert_eq!(Packing::of("a/orders.tar.zst"), Some(Packing::TarZst));
    assert_eq!(Packing::of("orders.tar.gz"), Some(Packing::TarGz));
    assert_eq!(Packing::of("orders.zip"), Some(Packing::Zip));
    for other in ["orders.tar", ".zip", "orders.tgz", ""] {
        assert_eq!(Packing::of(other), None, "{other}");
    }
}

#[test]
fn equal_members_make_equal_archives_that_other_programs_open() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    fs::write(path("one"), "one\n").unwrap();
    fs::write(path("two"), vec![7; 300_000]).unwrap();
    let long = format!("root/artifacts/{}/b.log", "x".repeat(120));
    let members = [
        ("root/a.log".to_owned(), path("one")),
        (long.clone(), path("two")),
    ];
    for (packing, program, args) in [
        (Packing::TarZst, "tar", ["--zstd", "-tvf"]),
        (Packing::TarGz, "tar", ["-z", "-tvf"]),
        (Packing::Zip, "unzip", ["-Z", "-1"]),
    ] {
        let (first, second) = (path("first"), path("second"));
        write(packing, &members, File::create(&first).unwrap()).unwrap();
        // The files are newer, and others may write them: nothing of that may show.
        fs::write(path("one"), "one\n").unwrap();
        write(packing, &members, File::create(&second).unwrap()).unwrap();
        assert_eq!(
            fs::read(&first).unwrap(),
            fs::read(&second).unwrap(),
            "{packing:?}"
        );
        let listed = Command::new(program)
            .args(args)
            .arg(&first)
            .output()
            .unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        assert!(
            listed.contains("root/a.log") && listed.contains(&long),
            "{program}: {listed}"
        );
        let out = tempfile::tempdir().unwrap();
        let back = read(packing, &first, out.path()).unwrap();
        assert_eq!(back.len(), 2);
        for ((name, file), (wanted, own)) in back.iter().zip(&members) {
            assert_eq!(
                (name, fs::read(file).unwrap()),
                (wanted, fs::read(own).unwrap())
            );
        }
        // Cut off, it is none.
        let bytes = fs::read(&first).unwrap();
        fs::write(&second, &bytes[..bytes.len() / 2]).unwrap();
        let other = tempfile::tempdir().unwrap();
        assert!(read(packing, &second, other.path()).is_err(), "{packing:?}");
    }
}

#[test]
fn a_file_of_one_letter_has_the_token_that_it_has_elsewhere() {
    let known = Known {
        users: ["jane.roe".to_owned()].into(),
        ..Known::default()
    };
    let engine = Engine::new(known, Map::with_key([7; 32]));
    for file in [
        "a.txt",
        "a.xml",
        "b.conf",
        "7.txt",
        "7-a.log",
        "jane.roe-notes.xml",
        "kurtx.log.1",
        "orders.log",
        "output.txt",
    ] {
        // As the tables of the bundle name it.
        let told = engine.redact_text(&format!("/srv/{file}"), &mut Counts::new());
        let name = file_name(&engine, file);
        let page = format!("| artifacts/log/{name} | {told} |");
        assert_eq!(Proof::new(&engine).text(&page, 1), vec![], "{page}");
        let end = &file[file.rfind('.').unwrap()..];
        assert!(name.ends_with(end), "{name}");
    }
    assert_eq!(file_name(&engine, "output.txt"), "output.txt");
    let notes = file_name(&engine, "jane.roe-notes.xml");
    assert!(
        notes.starts_with("user-") && notes.ends_with("-notes.xml"),
        "{notes}"
    );
    // The proof is as sharp as it was.
    assert_ne!(file_name(&engine, "a.txt"), "a.txt");
    assert_ne!(Proof::new(&engine).text("see a.txt", 1), vec![]);
}

#[test]
fn a_single_file_is_left_out_with_what_belongs_to_it() {
    let evidence: Evidence = serde_json::from_value(serde_json::json!({
        "artifact": "keys", "kind": "file", "path": "/etc/x", "bytes": 1, "sha256": "", "method": "sftp",
        "modified": null, "attempts": 1, "duration_ms": 1, "newest_entry": null, "oldest_entry": null,
        "entries": null, "version": null, "instance_name": null
    }))
    .unwrap();
    let paths = [
        "/etc/x/server.key",
        "/etc/x/server.conf",
        "/etc/x/s.db",
        "/etc/x/s.db-wal",
    ];
    let all = || -> BTreeMap<(String, String), &Evidence> {
        let key = |path: &str| ("keys".to_owned(), path.to_owned());
        paths.iter().map(|path| (key(path), &evidence)).collect()
    };
    let left = |files: &[&str]| {
        let mut wanted = all();
        let files: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
        let withheld = withhold(&mut wanted, &files).map_err(|_| ())?;
        assert_eq!(withheld.len() + wanted.len(), paths.len());
        Ok::<_, ()>(wanted.into_keys().map(|(_, path)| path).collect::<Vec<_>>())
    };
    assert_eq!(left(&[]).unwrap().len(), 4);
    assert_eq!(
        left(&["/etc/x/server.key"]).unwrap(),
        ["/etc/x/s.db", "/etc/x/s.db-wal", "/etc/x/server.conf"]
    );
    assert_eq!(
        left(&["/etc/x/s.db"]).unwrap(),
        ["/etc/x/server.conf", "/etc/x/server.key"]
    );
    for wrong in [
        &["server.key"][..],
        &["/etc/x/server"],
        &["/etc/x/server.key", "/etc/x/server.key"],
    ] {
        assert!(left(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_request_names_people_and_no_secret() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config");
    fs::write(
        &config,
        "url=tcp://bob:hunter2-Xy9@db.zrhbank.ch/\nclient kurtx.meier from 10.77.1.9\n",
    )
    .unwrap();
    let known = Known {
        users: ["kurtx.meier".to_owned(), "kurtx-hunter2-Xy9".to_owned()].into(),
        canaries: vec!["blue heron".to_owned()],
        ..Known::default()
    };
    let mut engine = Engine::new(known, Map::with_key([7; 32]));
    learn(&mut engine, Shape::Lines, &config).unwrap();
    engine.settle();
    let (all, of_request) = (Proof::new(&engine), Proof::of_request(&engine));
    let whats = |proof: &Proof, text: &str| -> Vec<String> {
        let leaks = proof.text(text, 1);
        leaks.into_iter().map(|leak| leak.what).collect()
    };
    // What is told on purpose, and would be a leak elsewhere.
    for named in [
        "Contact: kurtx.meier",
        "Host: 10.77.1.9",
        "Contact: Ana <ana@bank.example.com>",
    ] {
        assert_eq!(whats(&of_request, named), [""; 0], "{named}");
        assert_ne!(whats(&all, named), [""; 0], "{named}");
    }
    for (leak, what) in [
        (
            "Seen: it says hunter2-Xy9 then",
            "secret that was taken out",
        ),
        ("Seen: kurtx-hunter2-Xy9", "secret that was taken out"),
        (
            "Seen: hunter2%2DXy9",
            "secret that was taken out, spelled otherwise",
        ),
        ("Seen: a blue heron", "canary 1"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "private key"),
        ("Seen: password=Quokka77", "password"),
        ("Seen: glpat-abcdefghijklmnop1", "access token"),
        ("Seen: tcp://eve:Quokka77@db/", "password in an address"),
    ] {
        assert!(
            whats(&of_request, leak).iter().any(|found| found == what),
            "{leak}"
        );
    }
    // Only the member of that name is read so, whatever else is called alike.
    let request = home.path().join("request");
    fs::write(&request, "Contact: kurtx.meier\n").unwrap();
    let archive = home.path().join("b.zip");
    for (name, holds) in [
        ("root/request.txt", true),
        ("root/artifacts/log/request.txt", false),
        ("root/manifest.json", false),
    ] {
        let members = [(name.to_owned(), request.clone())];
        write(Packing::Zip, &members, File::create(&archive).unwrap()).unwrap();
        let shapes = BTreeMap::new();
        let proven = proof::holds(
            &all,
            &of_request,
            Packing::Zip,
            &archive,
            "root",
            &shapes,
            &members,
        );
        assert_eq!(proven.is_ok(), holds, "{name}: {proven:?}");
    }
}
