//! Whole files: databases, packings, blocks of a log, and the second pass, which must find what is planted in a
//! finished file and nothing in an honest one.

use std::fs::File;
use std::process::Command;

use super::*;

fn database(statements: &[&str]) -> Vec<u8> {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    for statement in statements {
        connection.execute_batch(statement).unwrap();
    }
    drop(connection);
    fs::read(path).unwrap()
}

/// Every value of every row of table S, in words.
fn rows(bytes: &[u8]) -> String {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a.db");
    fs::write(&path, bytes).unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    let mut statement = connection.prepare("SELECT * FROM S").unwrap();
    let count = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut all = String::new();
    while let Some(row) = rows.next().unwrap() {
        for at in 0..count {
            all.push_str(&format!("{:?} ", row.get_ref(at).unwrap()));
        }
    }
    all
}

#[test]
fn databases_lose_their_secrets_in_every_spelling_and_row() {
    for insert in [
        "INSERT INTO S(k, v) VALUES('t', 'password=§')",
        "INSERT INTO S(k, password) VALUES('t', '§')",
        "INSERT INTO S(k, v) VALUES('password', '§')",
        "INSERT INTO S(name, env) VALUES('SMTP_PASS', '§')",
        "INSERT INTO S(k, v) VALUES('t', CAST('password=§' AS BLOB))",
        "INSERT INTO S(k, v) VALUES('t', 'pass' || char(8203) || 'word=§')",
        "INSERT INTO S(k, v) VALUES('t', 'pass' || char(27) || '[0mword=§')",
        "INSERT INTO S(k, v) VALUES('t', 'pass' || char(0) || 'word=§')",
        "INSERT INTO S(k, v) VALUES('t', 'pass%77ord=§')",
        "INSERT INTO S(k, v) VALUES('t', 'tcp://bob:§@h/')",
        "INSERT INTO S(k, tokens) VALUES('t', '§')",
        "INSERT INTO S(user_name, v) VALUES('§', 'x')",
        "INSERT INTO S(k, v) VALUES('t', '{\"password\":\"§\"}')",
        "INSERT INTO S(k, v) VALUES('x', 'filler §'); DELETE FROM S WHERE k = 'x'",
    ] {
        for secret in [MIXED, WORD] {
            let bytes = database(&[
                "CREATE TABLE S(k text, v, password text, tokens text, name text, env text, user_name text, n integer)",
                "INSERT INTO S(k, n) VALUES('queue depth', 9007)",
                &insert.replace('§', secret),
            ]);
            let clean = through(Shape::Database, &bytes).unwrap();
            let raw: String = clean.iter().map(|byte| char::from(*byte)).collect();
            assert!(!holds(&raw, secret), "{insert} left {}", rows(&clean));
            let left = rows(&clean);
            assert!(
                left.contains("9007") && left.contains(&format!("{:?}", b"queue depth")),
                "{left}"
            );
        }
    }
    // Two secrets where each must be another.
    let unique = database(&[
        "CREATE TABLE S(password text UNIQUE)",
        "INSERT INTO S VALUES('one-Zq7'), ('two-Zq7')",
    ]);
    assert!(!rows(&through(Shape::Database, &unique).unwrap()).contains("Zq7"));
    // Bytes that nothing explains, a view and a default.
    let odd = database(&[
        "CREATE TABLE S(b blob)",
        "INSERT INTO S VALUES(x'00ff8091')",
        "CREATE VIEW w AS SELECT 'Zq7vKx3w9Hh'",
    ]);
    assert!(rows(&through(Shape::Database, &odd).unwrap()).contains("Blob([])"));
    let default = database(&["CREATE TABLE S(a text DEFAULT 'Zq7vKx3w9Hh')"]);
    assert!(matches!(
        through(Shape::Database, &default),
        Err(Unfit::Content(_))
    ));
}

#[test]
fn packed_logs_are_unpacked_and_packed_again() {
    let home = tempfile::tempdir().unwrap();
    let line = format!("2026-11-21 09:18:00 info connected\npassword={MIXED}\n");
    for (program, end) in [
        ("gzip", "gz"),
        ("zstd", "zst"),
        ("xz", "xz"),
        ("bzip2", "bz2"),
    ] {
        let plain = home.path().join(format!("a-{end}"));
        fs::write(&plain, &line).unwrap();
        let pack = |path: &Path| {
            Command::new(program)
                .args(["-c"])
                .arg(path)
                .output()
                .unwrap()
                .stdout
        };
        let mut bytes = pack(&plain);
        bytes.extend(pack(&plain));
        let clean = through(Shape::Lines, &bytes).unwrap();
        let packed = home.path().join(format!("b.{end}"));
        fs::write(&packed, clean).unwrap();
        let text = Command::new(program)
            .args(["-dc"])
            .arg(&packed)
            .output()
            .unwrap()
            .stdout;
        let text = String::from_utf8(text).unwrap();
        assert!(
            !text.contains(MIXED) && text.matches("info connected").count() == 2,
            "{program}: {text}"
        );
    }
}

#[test]
fn other_encodings_are_read_and_what_is_no_text_is_told() {
    let units = |to: fn(u16) -> [u8; 2], mark: bool| -> Vec<u8> {
        let text = format!(
            "{}2026-11-21 info\npassword={MIXED}\n",
            if mark { "\u{feff}" } else { "" }
        );
        text.encode_utf16().flat_map(to).collect()
    };
    for bytes in [
        units(u16::to_le_bytes, true),
        units(u16::to_be_bytes, true),
        units(u16::to_le_bytes, false),
        units(u16::to_be_bytes, false),
    ] {
        let clean = String::from_utf8(through(Shape::Lines, &bytes).unwrap()).unwrap();
        assert!(
            !clean.contains(MIXED) && clean.contains("2026-11-21 info"),
            "{clean}"
        );
    }
    let noise: Vec<u8> = (0..4096_u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    assert!(matches!(through(Shape::Lines, &noise), Err(Unfit::Unknown)));
}

#[test]
fn nothing_slips_through_where_blocks_of_a_long_log_meet() {
    let mut log = String::new();
    for at in 0..24_000 {
        log.push_str(&format!(
            "2026-11-21 09:18:00.{:03} info filler line {at}\n",
            at % 1000
        ));
        if at % 97 == 0 {
            log.push_str(&format!("password:\n  {MIXED}\n-----BEGIN RSA PRIVATE KEY-----\n{MIXED}\n{MIXED}\n-----END RSA PRIVATE KEY-----\n"));
        }
    }
    let clean = text(Shape::Lines, &log);
    assert!(!clean.contains(MIXED));
    assert_eq!(clean.matches("info filler line").count(), 24_000);
    assert_eq!(clean.lines().count(), log.lines().count());
}

#[test]
fn the_second_pass_finds_what_is_planted_in_a_finished_file() {
    let mut engine = engine();
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    fs::write(
        path("a"),
        "password='red#5-blue!'\nuser kurtx at db7.bank.internal\nok\n",
    )
    .unwrap();
    learn(&mut engine, Shape::Lines, &path("a")).unwrap();
    engine.settle();
    redact(&engine, Shape::Lines, &path("a"), &path("b")).unwrap();
    let proof = Proof::new(&engine);
    assert_eq!(proof.file(&path("b"), false).unwrap(), vec![]);
    for (planted, what) in [
        ("x red#5-blue! y", "secret that was taken out"),
        ("x red%235-blue! y", "secret that was taken out"),
        ("KURTX was here", "user that was replaced"),
        ("to db7.bank.internal", "host that was replaced"),
        ("CANARY-77", "canary 1"),
        ("tcp://a:b@h", "password in an address"),
        ("a@b.example", "mail"),
        ("at 10.1.2.3", "address of a network"),
        ("AKIAIOSFODNN7EXAMPLE", "access key"),
        ("secret=hunter22", "password"),
        ("-----BEGIN PRIVATE KEY-----", "private key"),
        ("aa:bb:cc:dd:ee:01", "hardware address"),
    ] {
        fs::write(path("c"), format!("2026-11-21 ok\n{planted}\n")).unwrap();
        let leaks = proof.file(&path("c"), false).unwrap();
        assert!(
            leaks
                .iter()
                .any(|leak| leak.what.starts_with(what) && leak.place == "line 2"),
            "{planted}: {leaks:?}"
        );
        assert!(
            leaks
                .iter()
                .all(|leak| !leak.what.contains("kurtx") && !leak.what.contains("CANARY")),
            "{leaks:?}"
        );
    }
    for honest in [
        "artifacts/log/token=redacted.log",
        "password=[redacted]",
        "user-1a2b3c4d at host-1a2b3c4d:9007",
        "5.3.4.12",
        "secret=name-1a2b3c4d",
        "password=true",
    ] {
        assert_eq!(proof.text(honest, 1), vec![], "{honest}");
    }
    assert!(
        packing(&mut File::open(path("a")).unwrap())
            .unwrap()
            .is_none()
    );
}
