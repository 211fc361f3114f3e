//! `gonogo case build` of files that are called like nothing in particular, whose own names a log speaks of: no bundle
//! is refused for that, from a run over real sshd to the archive.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::lab::Lab;

/// Names of what files are made of.
const NAMES: [&str; 6] = [
    "ixKurtxDesk",
    "vwKurtxDesk",
    "trKurtxDesk",
    "kurtx77",
    "zrhx",
    "s.json",
];

#[test]
fn names_of_files_and_of_what_they_are_made_of_refuse_no_bundle() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    let orders = lab.amps("orders", &host);
    orders.stop_writer();
    let log = fs::read_to_string(orders.path(&orders.log())).unwrap();
    let at = log.lines().last().unwrap().split(' ').next().unwrap();
    let spoken: String = NAMES
        .iter()
        .map(|name| format!("{at} [1] info: 07-0015 {name} is ready\n"))
        .collect();
    orders.write(&orders.log(), format!("{log}{spoken}").as_bytes());
    for (name, text) in [
        ("s.json", "{\"s\": 5, \"x\": [\"s.json\"], \"port\": 9007}"),
        (
            "ns.xml",
            "<zrhx:Config xmlns:zrhx=\"urn:amps:config\"><zrhx:Port>9007</zrhx:Port></zrhx:Config>",
        ),
        ("a.yaml", "s: 5\nx: s.json\n"),
    ] {
        orders.write(name, text.as_bytes());
    }
    let path = orders.path("own.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE S(id int, kurtx77 int); INSERT INTO S VALUES(9007, 5); CREATE INDEX ixKurtxDesk ON S(id);
             CREATE VIEW vwKurtxDesk AS SELECT id FROM S;
             CREATE TRIGGER trKurtxDesk AFTER INSERT ON S BEGIN UPDATE S SET id = 5; END",
        )
        .unwrap();
    drop(connection);
    let bytes = fs::read(&path).unwrap();
    orders.write("own.db", &bytes);
    let mut inventory = lab.inventory();
    let artifacts = &mut inventory["products"]["amps"]["artifacts"];
    for (name, file, format) in [
        ("s.json", "s.json", "json"),
        ("s", "a.yaml", "yaml"),
        ("spaces", "ns.xml", "xml"),
        ("own", "own.db", "sqlite"),
    ] {
        artifacts[name] =
            json!({"kind": "other", "path": format!("{{home}}/{file}"), "format": format});
    }
    lab.write_inputs(&inventory);
    let steps: String = ["s.json", "s", "spaces", "own"]
        .iter()
        .map(|name| format!("    And artifact \"{name}\" can be retrieved\n"))
        .collect();
    let feature = lab.operator().join("features/support.feature");
    let text = fs::read_to_string(&feature).unwrap();
    fs::write(
        &feature,
        text.replacen(
            "    Then the configuration can be retrieved\n",
            &format!("    Then the configuration can be retrieved\n{steps}"),
            1,
        ),
    )
    .unwrap();
    let out = lab.next_out();
    let ran = lab.run(&[&lab.run_args(&out)[..], &["--keep", "kept"]].concat());
    assert!(matches!(ran.status.code(), Some(0 | 1)), "{ran:?}");
    let run = lab.operator().join(out);
    let built = lab.run(&[
        "case",
        "build",
        run.to_str().unwrap(),
        "--allowed-signers",
        "allowed_signers",
        "--instance",
        "orders",
        "--from",
        "kept",
        "-o",
        "b.tar.gz",
    ]);
    let told = String::from_utf8_lossy(&built.stderr);
    assert_eq!(built.status.code(), Some(0), "{told}");
    let listed = Command::new("tar")
        .arg("-tzf")
        .arg(lab.operator().join("b.unreviewed.tar.gz"))
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    for end in [".json", ".yaml", "ns.xml", "own.db"] {
        assert!(listed.lines().any(|line| line.ends_with(end)), "{listed}");
    }
}
