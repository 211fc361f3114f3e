//! What is planted does not come through: whatever the file, the packing, the spelling, and where a block of
//! it ends. Each has a twin that must stay as it was.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::inventory::Format;

const SECRET: &str = "hunter2-Xy9";

fn known() -> Known {
    Known {
        hosts: ["ny4-1", "10.20.0.11", "db.bank.example"]
            .map(str::to_owned)
            .into(),
        users: ["ops"].map(str::to_owned).into(),
        protected: ["orders", "amps"].map(str::to_owned).into(),
        versions: ["5.3.4.12"].map(str::to_owned).into(),
        canaries: vec!["CANARY-77".to_owned()],
    }
}

fn engine() -> Engine {
    Engine::new(known(), Map::with_key([7; 32]))
}

/// Learns, redacts and proves one file; gives what came out.
fn through(shape: Shape, bytes: &[u8]) -> (Vec<u8>, Counts) {
    let home = tempfile::tempdir().unwrap();
    let (from, to) = (home.path().join("from"), home.path().join("to"));
    fs::write(&from, bytes).unwrap();
    let mut engine = engine();
    learn(&mut engine, shape, &from).unwrap();
    engine.settle();
    let counts = redact(&mut engine, shape, &from, &to).unwrap();
    let leaks = prove(&engine, shape, &to).unwrap();
    let out = fs::read(&to).unwrap();
    assert_eq!(leaks, vec![], "{}", String::from_utf8_lossy(&out));
    (out, counts)
}

fn text(shape: Shape, text: &str) -> String {
    String::from_utf8(through(shape, text.as_bytes()).0).unwrap()
}

const CONFIG: &str = "<AMPSConfig><Name>orders</Name><!-- tcp://x:hunter2-Xy9@h -->\n\
  <Admin><InetAddr>10.20.0.11:8085</InetAddr></Admin>\n\
  <Password>hunter<![CDATA[2-Xy9]]></Password><User>feedbob</User>\n\
  <Uri>tcp://bob:hunter2<!-- c -->-Xy9&#64;db.bank.example/amps</Uri><Option name='password' value='hunter2-Xy9'/>\n\
  <PasswordFileName>/etc/amps/pw</PasswordFileName><Version>5.3.4.12</Version></AMPSConfig>\n";

#[test]
fn the_redactor_is_sound() {
    assert_eq!(sound(&engine()), Vec::<&str>::new());
}

#[test]
fn a_configuration_keeps_its_form_and_loses_its_secrets() {
    let clean = text(Shape::Xml, CONFIG);
    for gone in [
        "hunter2",
        "Xy9",
        "10.20.0.11",
        "feedbob",
        "db.bank.example",
        "bob:",
    ] {
        assert!(!clean.contains(gone), "{gone} in {clean}");
    }
    for kept in [
        "<Name>orders</Name>",
        ":8085</InetAddr>",
        "/etc/amps/pw",
        "<Version>5.3.4.12</Version>",
    ] {
        assert!(clean.contains(kept), "{kept} in {clean}");
    }
    roxmltree::Document::parse(&clean).unwrap();
    let dtd = format!("<!DOCTYPE a [<!ENTITY e 'x'>]>{CONFIG}");
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("a"), dtd).unwrap();
    assert!(learn(&mut engine(), Shape::Xml, &home.path().join("a")).is_err());
}

#[test]
fn trees_lose_what_stands_below_a_secret_key_however_it_is_quoted() {
    for (written, kept) in [
        (
            "a: 1\npassword: |\n  hunter2-Xy9\n  hunter2-Xy9\nport: 9007\n",
            "port: 9007",
        ),
        (
            "x: &s hunter2-Xy9\nclient_secret: *s\nport: 9007\n",
            "port: 9007",
        ),
        (
            "secret:\n  - hunter2-Xy9\n  - {a: hunter2-Xy9}\nport: 9007\n",
            "port: 9007",
        ),
        (
            "{\"pass\\u0077ord\": \"hunter2-Xy9\", \"port\": 9007}\n",
            "9007",
        ),
        (
            "uri: \"tcp://bob:hunter2-Xy9\\x40h/\"\nport: 9007\n",
            "port: 9007",
        ),
        (
            "uri: >-\n  tcp://bob:hunter2-Xy9@h/\nport: 9007\n",
            "port: 9007",
        ),
    ] {
        let clean = text(Shape::Tree, written);
        assert!(!clean.contains("hunter2"), "{written:?} left {clean:?}");
        assert!(clean.contains(kept), "{clean:?}");
    }
    let benign = "a: 1\nb: [x, 'y']\n# c\npassword: ${DB_PASSWORD}\n";
    assert_eq!(text(Shape::Tree, benign), benign);
}

#[test]
fn settings_lose_their_secrets() {
    for (format, written) in [
        (
            Format::Ini,
            "[mysqld]\nport = 9007\npassword = \"hunter2-Xy9\"\n",
        ),
        (
            Format::Properties,
            "port = 9007\npass\\u0077ord=hunter2\\\n  -Xy9\n",
        ),
        (Format::Conf, "requirepass hunter2-Xy9\nport 9007\n"),
    ] {
        let clean = text(Shape::Settings(format), written);
        assert!(!clean.contains("hunter2"), "{written:?} left {clean:?}");
        assert!(clean.contains("9007"), "{clean:?}");
    }
}

#[test]
fn every_spelling_is_found_in_a_log() {
    use base64::Engine as _;
    let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let line = "2021-11-23T14:49:38.3442510-08:00 [1] info: 07-0015 AMPS 5.3.4.12 on port 9007";
    for form in [
        format!("password={SECRET}"),
        format!("u=tcp%3A%2F%2Fbob%3A{SECRET}%40h"),
        format!("u=tcp%253A%252F%252Fbob%253A{SECRET}%2540h"),
        format!("tcp://bob:{SECRET}&#x40;h"),
        format!("x={}", base64(&format!("password={SECRET}"))),
        format!("tcp://{}@h", base64(&format!("bob:{SECRET}"))),
        format!("\\u0070assword={SECRET}"),
        format!("p\u{1b}[1mass\u{1b}[0mword={SECRET}"),
    ] {
        let clean = text(Shape::Lines, &format!("{line}\n{line} {form}\n{line}\n"));
        assert!(
            !clean.contains("hunter2") && !clean.contains(&base64("password=hunter2-X")),
            "{form} left {clean}"
        );
        assert!(
            clean.starts_with(line) && clean.ends_with(&format!("{line}\n")),
            "{clean}"
        );
    }
    let benign = format!("{line}\n").repeat(50);
    assert_eq!(text(Shape::Lines, &benign), benign);
}

#[test]
fn utf_16_and_a_byte_order_mark_hide_nothing() {
    let written = format!("a\npassword={SECRET}\n10.20.0.11 Zürich 😀\n");
    let mut little = vec![0xff, 0xfe];
    little.extend(written.encode_utf16().flat_map(u16::to_le_bytes));
    let mut big = vec![0xfe, 0xff];
    big.extend(written.encode_utf16().flat_map(u16::to_be_bytes));
    let bare: Vec<u8> = written.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [&[0xef, 0xbb, 0xbf], written.as_bytes()].concat();
    for bytes in [little, big, marked] {
        let clean = String::from_utf8(through(Shape::Lines, &bytes).0).unwrap();
        assert!(
            !clean.contains("hunter2") && clean.contains("Zürich 😀"),
            "{clean}"
        );
    }
    let clean = through(Shape::Lines, &bare).0;
    assert!(
        !String::from_utf8_lossy(&clean)
            .replace('\0', "")
            .contains("hunter2")
    );
}

/// A secret that begins in one block and ends in the next, at every distance from the cut.
#[test]
fn no_cut_goes_through_a_secret() {
    let filler = "2021-11-23T14:49:38.3442510-08:00 [1] info: 07-0015 nothing to see\n";
    let key =
        "-----BEGIN PRIVATE KEY-----\nMIIhunter2\nhunter2hunter2\n-----END PRIVATE KEY-----\n";
    let secret = format!("<Password>\n  hunter2\n</Password>\npassword:\n  hunter2\n{key}");
    let cut = (1 << 20) - (32 << 10);
    for lead in [cut - 120, cut - 90, cut - 40, cut - 12, cut + 1] {
        let mut log = filler.repeat(lead / filler.len());
        log.push_str(&"x".repeat(lead - log.len()));
        log.push('\n');
        log.push_str(&secret);
        log.push_str(&filler.repeat(700));
        let clean = text(Shape::Lines, &log);
        assert!(!clean.contains("hunter2"), "lead {lead}");
        assert!(clean.ends_with(filler));
    }
}

#[test]
fn packed_logs_are_packed_again_and_hold_nothing() {
    let home = tempfile::tempdir().unwrap();
    let log = format!("line 1\npassword={SECRET}\nfrom 10.20.0.11\n");
    for (program, end) in [
        ("gzip", "gz"),
        ("zstd", "zst"),
        ("xz", "xz"),
        ("bzip2", "bz2"),
    ] {
        let plain = home.path().join("a.log");
        fs::write(&plain, &log).unwrap();
        let packed = PathBuf::from(format!("{}.{end}", plain.display()));
        run(Command::new(program).arg("-f").arg("-k").arg(&plain));
        // Two members, as a rotation appends them.
        let twice = fs::read(&packed).unwrap().repeat(2);
        let (out, counts) = through(Shape::Lines, &twice);
        assert_eq!(counts["password"], 2, "{program}: {counts:?}");
        fs::write(&packed, &out).unwrap();
        let output = Command::new(program)
            .arg("-dc")
            .arg(&packed)
            .output()
            .unwrap();
        let clean = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success() && clean.starts_with("line 1\npassword=[redacted]\n"),
            "{program}: {clean}"
        );
        assert_eq!(
            through(Shape::Lines, &twice).0,
            out,
            "{program} is not the same twice"
        );
    }
}

#[test]
fn what_is_no_text_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a");
    let noise: Vec<u8> = (0..200_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    fs::write(&path, &noise).unwrap();
    assert!(matches!(
        learn(&mut engine(), Shape::Lines, &path),
        Err(Unfit::Content(_))
    ));
    fs::write(
        &path,
        [b"\x1f\x8b\x08\0\0\0\0\0\0\0".as_slice(), &noise].concat(),
    )
    .unwrap();
    assert!(matches!(
        learn(&mut engine(), Shape::Lines, &path),
        Err(Unfit::Content(_))
    ));
    let hole = ["a\n", &"\0".repeat(5000), "b\n"].concat();
    fs::write(&path, hole).unwrap();
    assert!(learn(&mut engine(), Shape::Lines, &path).is_ok());
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn database(path: &Path, encoding: &str) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(path).unwrap();
    let script = format!(
        "PRAGMA encoding = '{encoding}'; PRAGMA journal_mode = WAL;
         CREATE TABLE ICLIENTS_STATIC(static_id INTEGER PRIMARY KEY, client_name TEXT, remote_address TEXT, filter TEXT, db_password TEXT, raw BLOB);
         CREATE TRIGGER t AFTER UPDATE ON ICLIENTS_STATIC BEGIN SELECT RAISE(ABORT, 'no'); END;"
    );
    connection.execute_batch(&script).unwrap();
    for number in 0..3000 {
        connection
            .execute(
                "INSERT INTO ICLIENTS_STATIC(client_name, remote_address, filter, db_password, raw) VALUES (?1, ?2, ?3, ?4, x'00ff00')",
                (
                    format!("pricing-feed-{}", number % 300),
                    format!("10.20.0.11:{}", 1000 + number),
                    format!("/id = {number} AND password={SECRET}"),
                    4711,
                ),
            )
            .unwrap();
    }
    connection
}

#[test]
fn a_database_is_written_anew() {
    for encoding in ["UTF-8", "UTF-16le"] {
        let home = tempfile::tempdir().unwrap();
        let (from, to) = (home.path().join("stats.db"), home.path().join("to.db"));
        // The writer is alive and its log is not worked off: what it wrote last stands in `-wal` alone.
        let _writer = database(&from, encoding);
        assert!(
            fs::metadata(home.path().join("stats.db-wal"))
                .unwrap()
                .len()
                > 0
        );
        let before = fs::read(&from).unwrap();
        let mut engine = engine();
        learn(&mut engine, Shape::Database, &from).unwrap();
        engine.settle();
        let counts = redact(&mut engine, Shape::Database, &from, &to).unwrap();
        assert_eq!(prove(&engine, Shape::Database, &to).unwrap(), vec![]);
        assert_eq!(
            fs::read(&from).unwrap(),
            before,
            "the kept file was written"
        );
        assert!(
            counts["secret column"] > 0 && counts["blob emptied"] > 0,
            "{counts:?}"
        );
        let bytes = fs::read(&to).unwrap();
        let narrow = String::from_utf8_lossy(&bytes).replace('\0', "");
        for gone in ["hunter2", "pricing-feed", "10.20.0.11", "4711"] {
            assert!(!narrow.contains(gone), "{gone} is left in {encoding}");
        }
        let output = Command::new("sqlite3").arg(&to).arg("PRAGMA integrity_check; SELECT count(*) FROM ICLIENTS_STATIC WHERE remote_address LIKE 'ipv4-%:1%'").output().unwrap();
        assert!(
            String::from_utf8_lossy(&output.stdout).starts_with("ok\n"),
            "{output:?}"
        );
        // The proof bites: the file as it was does not pass.
        assert!(!prove(&engine, Shape::Database, &from).unwrap().is_empty());
    }
}

#[test]
fn the_proof_finds_what_was_not_taken_out() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a");
    let engine = engine();
    for (text, what) in [
        (format!("x\npassword={SECRET}\n"), "password"),
        ("x\nny4-1\n".to_owned(), "host name"),
        ("x\nfrom 8.8.8.8\n".to_owned(), "ipv4 name"),
        ("x\nsay CANARY-77 now\n".to_owned(), "canary 1"),
        (
            format!("x\ntcp%3A%2F%2Fb%3A{SECRET}%40h\n"),
            "url-password, spelled otherwise",
        ),
    ] {
        fs::write(&path, &text).unwrap();
        let leaks = prove(&engine, Shape::Lines, &path).unwrap();
        assert!(
            leaks.iter().any(|leak| leak.what == what),
            "{text}: {leaks:?}"
        );
        run(Command::new("gzip").arg("-f").arg("-k").arg(&path));
        let packed = prove(&engine, Shape::Lines, &home.path().join("a.gz")).unwrap();
        assert_eq!(packed, leaks);
    }
    fs::write(&path, "nothing\n").unwrap();
    assert_eq!(prove(&engine, Shape::Lines, &path).unwrap(), vec![]);
}

#[test]
fn the_same_name_has_the_same_token_in_every_file() {
    let mut engine = engine();
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    fs::write(path("a.xml"), "<A><User>feedbob</User></A>").unwrap();
    fs::write(
        path("b.log"),
        "FEEDBOB came from 10.20.0.11, as ops of ny4-1.\n",
    )
    .unwrap();
    learn(&mut engine, Shape::Xml, &path("a.xml")).unwrap();
    learn(&mut engine, Shape::Lines, &path("b.log")).unwrap();
    engine.settle();
    redact(&mut engine, Shape::Xml, &path("a.xml"), &path("a.out")).unwrap();
    redact(&mut engine, Shape::Lines, &path("b.log"), &path("b.out")).unwrap();
    let first = fs::read_to_string(path("a.out")).unwrap();
    let second = fs::read_to_string(path("b.out")).unwrap();
    let token = first
        .strip_prefix("<A><User>")
        .unwrap()
        .split('<')
        .next()
        .unwrap();
    assert!(
        token.starts_with("user-") && second.starts_with(token),
        "{first} {second}"
    );
    assert!(
        engine
            .into_map()
            .names()
            .any(|name| name == ("user", "feedbob"))
    );
    assert!(is_database(&mut File::open(path("a.xml")).unwrap()).is_ok_and(|is| !is));
}
