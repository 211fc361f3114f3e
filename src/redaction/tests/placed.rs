//! Secrets that have no form: `4711` is found by its place alone, however the document is written down. And names:
//! what a document calls its own stays there, and gives nobody away elsewhere.

use super::*;
use crate::inventory::Format;

/// Too short, or too plain, for the second pass to know it again.
const PLAIN: &[&str] = &["4711", "123456", "20240101", "primary", "bob", MIXED];

/// What stands in `document` for `§` is gone, and `kept` stays.
#[track_caller]
fn gone(shape: Shape, document: &str, kept: &[&str]) {
    for secret in PLAIN {
        let clean = text(shape, &document.replace('§', secret));
        assert!(!clean.contains(secret), "{document:?} left {clean:?}");
        for kept in kept {
            assert!(
                clean.contains(kept),
                "{document:?} lost {kept:?}: {clean:?}"
            );
        }
        if shape == Shape::Xml {
            roxmltree::Document::parse(&clean).unwrap();
        }
    }
}

#[test]
fn xml_however_its_texts_are_cut() {
    for inner in [
        "§",
        "\n<![CDATA[§]]>\n",
        "\r\n  <![CDATA[§]]>\r\n",
        "<![CDATA[§]]>",
        "<![CDATA[]]>§",
        "<![CDATA[§]]><![CDATA[ tail]]>",
        "<![CDATA[lead ]]>\n<![CDATA[§]]>\n",
        "x<![CDATA[§]]>y",
        "<!-- old --><![CDATA[§]]>",
        "<!-- old -->\n<![CDATA[§]]><!-- new -->\n",
        "lead<!-- mid --><![CDATA[§]]>",
        "<?pi x?><![CDATA[§]]>",
        "&#65;<![CDATA[§]]>&amp;",
        "&lt;\n<![CDATA[§]]>\n&gt;",
        "<![CDATA[\r\n§\r\n]]>",
        "<![CDATA[<b>§</b>]]>",
        "<![CDATA[a]]]]><![CDATA[>§]]>",
        "<b>\n<![CDATA[§]]>\n</b>",
        "\n<![CDATA[§]]>\n<b/>\n<![CDATA[§]]>\n",
        "<b/><!-- c -->x<![CDATA[§]]>",
        "<b><![CDATA[§]]></b >tail<![CDATA[§]]>",
    ] {
        gone(
            Shape::Xml,
            &format!(
                "<A>\n<Port>9007</Port><Password>{inner}</Password\n><Level>info</Level>\n</A>"
            ),
            &[
                "<Port>9007</Port><Password>",
                "><Level>info</Level>\n</A>",
                "[redacted]",
            ],
        );
    }
    for blanks in [1, 300] {
        let blanks = " ".repeat(blanks);
        gone(
            Shape::Xml,
            &format!("<A><I Password{blanks}={blanks}'§' Port='9007'/></A>"),
            &["Port='9007'", "[redacted]"],
        );
    }
    // Mixed with elements, by the name that stands before.
    gone(
        Shape::Xml,
        "<A>password=\n<!-- c --><![CDATA[§]]><b/>9007</A>",
        &["<b/>9007"],
    );
    // In a comment, and in what is no document.
    let lines = "<Password>\n<![CDATA[§]]>\n</Password>";
    gone(
        Shape::Xml,
        &format!("<A><!--\n{lines}\n--><Port>9007</Port></A>"),
        &["9007"],
    );
    // Nothing of it is a secret: it stays to the byte.
    for benign in [
        "<A>\n<Port>\n<![CDATA[9007]]>\n</Port></A>",
        "<A><B>info<![CDATA[ level]]>\r\n<!-- c --> info</B></A>",
        "<A>info<b/><![CDATA[9007]]></A>",
    ] {
        assert_eq!(text(Shape::Xml, benign), benign);
    }
}

#[test]
fn values_of_trees_however_they_are_written() {
    for document in [
        "a:\n  password: |\n    §\n  port: 9007\n",
        "a:\n  password: >-\n\n    §\n\n  port: 9007\n",
        "a:\n  password: &p §\n  again: *p\n  port: 9007\n",
        "a:\n  again: &p §\n  password: *p\n  port: 9007\n",
        "a: {password: \"47\n    §\",\n  port: 9007}\n",
        "a: {password:\n    §,\n  port: 9007}\n",
        "a:\n  password:\n    x\n    §\n  port: 9007\n",
        "a:\n  password: !!str §\n  port: 9007\n",
        "a:\n  ? password\n  : §\n  port: 9007\n",
        "a:\n  passwords:\n  - §\n  -\n    - '§'\n  port: 9007\n",
        "a:\n  command: >\n    run it now with --password\n    §\n  port: 9007\n",
    ] {
        gone(Shape::Yaml, document, &["port: 9007"]);
    }
    for document in [
        "{\"password\": \"§\", \"port\": 9007}",
        "{\"password\" :\n[\"§\", {\"x\": \"§\"}], \"port\": 9007}",
        "{\"a\": [{\"name\": \"db.password\", \"value\": \"\\u0041§\"}], \"port\": 9007}",
    ] {
        gone(Shape::Json, document, &["\"port\": 9007"]);
    }
    let benign = "a:\n  text: >\n    info level\n    9007\n  b: &x [1, 2]\n  c: *x\n";
    assert_eq!(text(Shape::Yaml, benign), benign);
}

#[test]
fn settings_whose_values_go_on() {
    for (format, document) in [
        (Format::Properties, "password=x\\\n  §\nport=9007\n"),
        (Format::Properties, "password=\\\n  §\nport=9007\n"),
        (Format::Properties, "password \\\n  = §\nport=9007\n"),
        (
            Format::Properties,
            "password = x\\\n  y\\\n  §\nport=9007\n",
        ),
        (Format::Properties, "password : §\nport=9007\n"),
        (Format::Ini, "[a]\npassword = §\nport=9007\n"),
        (Format::Ini, "[a]\npassword = \"§\"\nport=9007\n"),
        (Format::Ini, "[a]\npassword = x\\\n§\nport=9007\n"),
    ] {
        gone(Shape::Settings(format), document, &["port=9007"]);
    }
    // Read as lines: INI whose values go on by their indent, and TOML.
    for document in [
        "password = x\n  §\nport=9007\n",
        "password =\n  §\nport=9007\n",
        "password = \"\"\"\n§\n\"\"\"\nport=9007\n",
        "password = '''\nx\n§'''\nport=9007\n",
        "passwords = [\n  \"§\",\n]\nport=9007\n",
    ] {
        gone(Shape::Lines, document, &["9007"]);
    }
}

#[test]
fn columns_of_secrets_whatever_they_hold() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE S(n integer, password);
             INSERT INTO S VALUES(9007, 4711), (9008, 47.11), (9009, '4711'), (9010, x'34373131'), (9011, 'primary');",
        )
        .unwrap();
    drop(connection);
    let clean = through(Shape::Database, &fs::read(&path).unwrap()).unwrap();
    fs::write(&path, clean).unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    let left: String = connection
        .query_row(
            "SELECT group_concat(n || ' ' || password) FROM S",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert!(!left.contains("47") && !left.contains("primary"), "{left}");
    assert!(left.contains("9011 [redacted]"), "{left}");
}

/// Files of one bundle, in order; what came out of each, proven.
fn bundle(files: &[(Shape, &[u8])]) -> Vec<Vec<u8>> {
    let home = tempfile::tempdir().unwrap();
    let mut map = Map::with_key([7; 32]);
    let mut all = Vec::new();
    // A second time with the map of the first, as the build after a review.
    for round in 0..2 {
        let mut engine = Engine::new(known(), map);
        for (number, (shape, bytes)) in files.iter().enumerate() {
            let from = home.path().join(number.to_string());
            fs::write(&from, bytes).unwrap();
            learn(&mut engine, *shape, &from).unwrap();
        }
        engine.settle();
        let mut outs = Vec::new();
        for (number, (shape, _)) in files.iter().enumerate() {
            let from = home.path().join(number.to_string());
            let to = home.path().join(format!("{round}-{number}"));
            redact(&engine, *shape, &from, &to).unwrap();
            outs.push(to);
        }
        let proof = Proof::new(&engine);
        let outs: Vec<Vec<u8>> = files
            .iter()
            .zip(outs)
            .map(|((shape, _), out)| {
                let bytes = fs::read(&out).unwrap();
                let leaks = prove(&proof, *shape, &out).unwrap();
                assert_eq!(leaks, vec![], "{}", String::from_utf8_lossy(&bytes));
                bytes
            })
            .collect();
        if round == 1 {
            assert!(
                all == outs,
                "the build after a review comes to something else"
            );
        }
        all = outs;
        map = engine.into_map();
    }
    all
}

/// Of a name that only ends as one of a secret's may, the second pass still says where it was left.
#[test]
fn somebody_who_is_called_like_a_key_is_still_looked_for() {
    let home = tempfile::tempdir().unwrap();
    let from = home.path().join("a.log");
    fs::write(&from, "09:18 user mckey logged in\n").unwrap();
    let (mut engine, out) = (engine(), home.path().join("out"));
    learn(&mut engine, Shape::Lines, &from).unwrap();
    engine.settle();
    redact(&engine, Shape::Lines, &from, &out).unwrap();
    let proof = Proof::new(&engine);
    assert_ne!(proof.text("mckey asked for it", 1), vec![]);
    assert_eq!(proof.text("somebody asked for it", 1), vec![]);
}

/// `DBPASS` of one file is `dbpass` of another: a name that tells of a secret gives nobody away.
#[test]
fn the_name_of_a_secret_refuses_no_bundle() {
    for name in ["DBPASS", "JDBCPASS", "FOOTOKEN"] {
        let settings = format!("{name}={MIXED}\nport=9007\n");
        let yaml = format!("data:\n  {}: {WORD}\n  port: 9007\n", name.to_lowercase());
        let outs = bundle(&[
            (Shape::Settings(Format::Properties), settings.as_bytes()),
            (Shape::Yaml, yaml.as_bytes()),
        ]);
        for out in outs {
            let out = String::from_utf8(out).unwrap();
            assert!(!out.contains(MIXED) && !out.contains(WORD), "{out}");
            assert!(out.contains("9007"), "{out}");
        }
    }
}

#[test]
fn what_a_document_calls_its_own_gives_nobody_away_elsewhere() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE secretbank_positions(id int, svcMarvinDesk text /* svcMarvinDesk of it */);
             INSERT INTO secretbank_positions VALUES(9007, 'logon user svcMarvinDesk');",
        )
        .unwrap();
    drop(connection);
    let log = "09:18 logon user svcMarvinDesk\n09:18 user=svcMarvinDesk dc=secretbank\n09:18 svcmarvindesk connected\n";
    let xml = "<users><svcMarvinDesk role=\"info\">dc=secretbank</svcMarvinDesk><kurtx>user kurtx</kurtx></users>";
    let outs = bundle(&[
        (Shape::Lines, log.as_bytes()),
        (Shape::Database, &fs::read(&path).unwrap()),
        (Shape::Xml, xml.as_bytes()),
        (Shape::Lines, b"09:18 user kurtx connected\n"),
    ]);
    let said = |at: usize| String::from_utf8_lossy(&outs[at]).into_owned();
    for (log, name) in [
        (said(0), "marvin"),
        (said(0), "secretbank"),
        (said(3), "kurtx"),
    ] {
        assert!(!log.to_ascii_lowercase().contains(name), "{log}");
        assert!(log.contains("connected"), "{log}");
    }
    let xml = said(2);
    assert!(
        xml.contains("<svcMarvinDesk role=\"info\">") && xml.contains("</kurtx>"),
        "{xml}"
    );
    assert!(
        !xml.contains("user kurtx") && !xml.contains("dc=secretbank"),
        "{xml}"
    );
    fs::write(&path, &outs[1]).unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    let left: String = connection
        .query_row(
            "SELECT svcMarvinDesk FROM secretbank_positions WHERE id = 9007",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert!(
        left.starts_with("logon user ") && !left.contains("Marvin"),
        "{left}"
    );
}

#[test]
fn programs_of_the_profiles_are_words_and_dots_part_names() {
    for program in [
        "ampServer",
        "ampServer-compat",
        "redis-server",
        "valkey-server",
        "postgres",
        "postmaster",
        "nginx",
        "mysqld",
        "mongod",
        "mariadbd",
        "haproxy",
        "beam.smp",
        "java",
    ] {
        let line = format!("{program} version: 5.3.4.12\n");
        assert_eq!(text(Shape::Lines, &line), line);
    }
    let clean = text(
        Shape::Lines,
        "amperServer version: 5.3.4.12\nsaved harvest.kurtx-notes\n",
    );
    assert!(!clean.contains("amperServer"), "{clean}");
    assert!(
        clean.contains("saved user-") && clean.contains(".name-"),
        "{clean}"
    );
}

/// What a document or a database is made of does not refuse the bundle because a log speaks of it.
#[test]
fn names_of_indexes_views_triggers_and_prefixes_are_of_the_schema() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE S(id int, kurtx77 int);
             INSERT INTO S VALUES(9007, 5);
             CREATE INDEX ixKurtxDesk ON S(id);
             CREATE VIEW vwKurtxDesk AS SELECT id AS idKurtxDesk FROM S;
             CREATE TRIGGER trKurtxDesk AFTER INSERT ON S BEGIN UPDATE S SET id = 5; END",
        )
        .unwrap();
    drop(connection);
    let names = [
        "ixKurtxDesk",
        "vwKurtxDesk",
        "idKurtxDesk",
        "trKurtxDesk",
        "kurtx77",
        "zrhx",
    ];
    let log: String = names
        .iter()
        .map(|name| format!("09:18 {name} is ready\n"))
        .collect();
    let xml = "<zrhx:Config xmlns:zrhx=\"urn:amps:config\"><zrhx:Port zrhx:level=\"info\">9007</zrhx:Port></zrhx:Config>";
    let outs = bundle(&[
        (Shape::Lines, log.as_bytes()),
        (Shape::Database, &fs::read(&path).unwrap()),
        (Shape::Xml, xml.as_bytes()),
    ]);
    let said = |at: usize| {
        outs[at]
            .iter()
            .map(|byte| char::from(*byte))
            .collect::<String>()
    };
    for name in names {
        assert!(!said(0).contains(name), "{}", said(0));
    }
    for name in &names[..5] {
        assert!(said(1).contains(name), "{name}");
    }
    assert_eq!(said(2), xml);
}

/// A namespace that is not of the world's, and no words, does not leave.
#[test]
fn a_namespace_that_names_somebody_does_not_leave() {
    for xml in [
        "<a:A xmlns:a=\"urn:secretbank:orders\"><a:Port>9007</a:Port></a:A>",
        "<harvest:A xmlns:harvest=\"urn:amps:config\"><harvest:Port>9007</harvest:Port></harvest:A>",
    ] {
        let clean = text(Shape::Xml, xml);
        assert!(
            !clean.contains("secretbank") && !clean.contains("harvest"),
            "{clean}"
        );
        assert!(clean.contains("Port"), "{clean}");
    }
    for xml in [
        "<a:A xmlns:a=\"urn:amps:config\"><a:Port>9007</a:Port></a:A>",
        "<A xmlns=\"http://www.w3.org/2005/Atom\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><Port>9007</Port></A>",
    ] {
        assert_eq!(text(Shape::Xml, xml), xml);
    }
}

/// Also where an element is called like somebody, and the document goes as lines.
#[test]
fn a_document_that_goes_as_lines_loses_first_what_its_places_tell() {
    for (begin, end) in [
        ("<harvest>", "</harvest>"),
        ("<A xmlns=\"http://db.bank.example/x\">", "</A>"),
    ] {
        for inner in [
            "<Password>\n<b/>§</Password>",
            "<Credential\n>\n<![CDATA[§]]>\n</Credential>",
            "<P><name>db.password</name>\n<x/>\n<value>§</value></P>",
        ] {
            for secret in PLAIN {
                let xml = format!("{begin}\n{inner}\n{end}\n").replace('§', secret);
                let clean = text(Shape::Xml, &xml);
                assert!(
                    !clean.contains(secret) && !clean.contains("harvest"),
                    "{xml} left {clean}"
                );
            }
        }
    }
}
