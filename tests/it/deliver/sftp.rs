//! A drop box: real sshd, an account that has SFTP alone.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::Instant;

use serde_json::{Value, json};

use super::{deliver, ends, names, office, receipts};
use crate::lab::{GONOGO, Host, HostBuilder, Lab, OPERATIONS, is_root, needs_root};

const BYTES: usize = 700_001;

/// A drop box as `edit` has it, its directory and what the inventory says of it.
fn drop_box(
    lab: &Lab,
    edit: impl FnOnce(HostBuilder<'_>) -> HostBuilder<'_>,
) -> (Rc<Host>, PathBuf, Value) {
    let host = edit(lab.host("drop")).start();
    let folder = host.path("drop");
    fs::create_dir(&folder).unwrap();
    if is_root() {
        chown(&folder, Some(OPERATIONS.uid), Some(OPERATIONS.uid)).unwrap();
    }
    let intake = json!({
        "kind": "sftp",
        "host": host.address.ip().to_string(),
        "port": host.address.port(),
        "user": OPERATIONS.login(),
        "directory": folder.to_str().unwrap(),
        "host_key": host.fingerprint(),
        "key": "keys/operations",
        "extensions": [".tar.zst"],
    });
    (host, folder, intake)
}

fn plain(builder: HostBuilder<'_>) -> HostBuilder<'_> {
    builder.option_for(OPERATIONS, "ForceCommand internal-sftp")
}

fn denying(requests: &str) -> impl FnOnce(HostBuilder<'_>) -> HostBuilder<'_> {
    let line = format!("ForceCommand internal-sftp -P {requests}");
    move |builder| builder.option_for(OPERATIONS, &line)
}

fn same(lab: &Lab, there: PathBuf) -> bool {
    fs::read(there).unwrap() == fs::read(lab.path("operator/b.tar.zst")).unwrap()
}

#[test]
fn it_arrives_with_the_same_digest_and_writes_nothing_over() {
    let lab = Lab::new();
    let (host, folder, intake) = drop_box(&lab, plain);
    office(&lab, &json!([intake]), BYTES);
    let told = ends(
        &deliver(&lab, &[]),
        0,
        &[
            "would send b.tar.zst",
            "/drop/b.tar.zst",
            "SHA256:",
            "dry run: nothing was contacted",
        ],
    );
    let digest = told
        .split("SHA-256 ")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap();
    assert!(names(&folder).is_empty() && receipts(&lab).is_empty());
    assert!(!host.log().contains("Accepted"), "{}", host.log());

    let send = ["--send", "--sha256", digest, "--key", "keys/signer"];
    ends(
        &deliver(&lab, &send),
        0,
        &["read back and the same", digest, "receipt: "],
    );
    assert_eq!(names(&folder), ["b.tar.zst"]);
    assert!(same(&lab, folder.join("b.tar.zst")));
    let told = &receipts(&lab)[0];
    for (key, value) in [
        ("schema", "gonogo/receipt/v1"),
        ("vendor", "acme"),
        ("kind", "sftp"),
        ("name", "b.tar.zst"),
        ("sha256", digest),
        ("outcome", "delivered"),
        ("arrival", "read back"),
    ] {
        assert_eq!(told[key], value, "{told}");
    }
    signed(&lab);

    // The same once more: nothing is written over, whoever looks or does not.
    fs::write(folder.join("b.tar.zst"), "another's").unwrap();
    ends(
        &deliver(&lab, &["--send"]),
        1,
        &["not delivered to acme by sftp ", "has a `", "already"],
    );
    assert_eq!(names(&folder), ["b.tar.zst"]);
    assert_eq!(
        fs::read_to_string(folder.join("b.tar.zst")).unwrap(),
        "another's"
    );
    assert_eq!(receipts(&lab).len(), 1);
}

/// The receipt's signature holds by stock ssh-keygen.
fn signed(lab: &Lab) {
    let operator = lab.operator();
    let find = |end: &str| {
        let found = names(&operator)
            .into_iter()
            .find(|name| name.ends_with(end));
        operator.join(found.unwrap())
    };
    let allowed = fs::read_to_string(operator.join("allowed_signers")).unwrap();
    let identity = allowed.split_whitespace().next().unwrap();
    let line = allowed.replace("gonogo-report@gonogo", "gonogo-receipt@gonogo");
    fs::write(operator.join("receipt_signers"), line).unwrap();
    let output = std::process::Command::new("ssh-keygen")
        .args([
            "-Y",
            "verify",
            "-n",
            "gonogo-receipt@gonogo",
            "-I",
            identity,
            "-f",
        ])
        .arg(operator.join("receipt_signers"))
        .arg("-s")
        .arg(find(".receipt.json.sig"))
        .stdin(fs::File::open(find(".receipt.json")).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_drop_that_allows_less_is_used_as_far_as_it_goes() {
    for (denied, arrival, says) in [
        ("rename,posix-rename", "read back", "read back and the same"),
        ("read", "size only", "of the same size there"),
        ("read,stat,lstat,fstat", "not known", "arrival not known"),
    ] {
        let lab = Lab::new();
        let (_host, folder, intake) = drop_box(&lab, denying(denied));
        office(&lab, &json!([intake]), BYTES);
        ends(&deliver(&lab, &["--send"]), 0, &[says]);
        assert_eq!(names(&folder), ["b.tar.zst"], "{denied}");
        assert!(same(&lab, folder.join("b.tar.zst")), "{denied}");
        assert_eq!(receipts(&lab)[0]["arrival"], arrival);
    }
    // Who may not look writes over nothing all the same.
    for denied in ["stat,lstat", "stat,lstat,rename,posix-rename"] {
        let lab = Lab::new();
        let (_host, folder, intake) = drop_box(&lab, denying(denied));
        office(&lab, &json!([intake]), BYTES);
        fs::write(folder.join("b.tar.zst"), "another's").unwrap();
        ends(&deliver(&lab, &["--send"]), 1, &["not delivered"]);
        assert_eq!(
            fs::read_to_string(folder.join("b.tar.zst")).unwrap(),
            "another's"
        );
        assert_eq!(names(&folder), ["b.tar.zst"], "{denied}");
    }
    // What cannot be taken away is told.
    let lab = Lab::new();
    let (_host, folder, intake) = drop_box(&lab, denying("rename,posix-rename,remove"));
    office(&lab, &json!([intake]), BYTES);
    ends(
        &deliver(&lab, &["--send"]),
        0,
        &["left at the intake: `", ".part`, which must not be used"],
    );
    assert_eq!(names(&folder).len(), 2);
    assert!(
        receipts(&lab)[0]["left"]
            .as_str()
            .unwrap()
            .contains(".part")
    );
}

#[test]
fn what_the_drop_changed_is_found_and_taken_away() {
    let server = [
        "/usr/lib/openssh/sftp-server",
        "/usr/libexec/openssh/sftp-server",
    ];
    let server = server
        .into_iter()
        .find(|path| PathBuf::from(path).exists())
        .unwrap();
    for (lie, says) in [
        ("drop", "bytes, not 700001"),
        ("flip", "with another digest came back"),
    ] {
        let lab = Lab::new();
        let script = lab.path("changing_sftp.py");
        fs::write(&script, include_str!("changing_sftp.py")).unwrap();
        let line = format!("python3 {} {lie} {server}", script.display());
        let (_host, folder, intake) = drop_box(&lab, |builder| builder.subsystem(&line));
        office(&lab, &json!([intake]), BYTES);
        ends(
            &deliver(&lab, &["--send"]),
            1,
            &["is not what was sent", says],
        );
        assert!(names(&folder).is_empty(), "{:?}", names(&folder));
        assert_eq!(receipts(&lab)[0]["outcome"], "damaged");
    }
}

#[test]
fn nobody_else_gets_it() {
    let lab = Lab::new();
    let (_host, folder, intake) = drop_box(&lab, plain);
    let with = |key: &str, value: Value| {
        let mut other = intake.clone();
        other[key] = value;
        json!([other])
    };
    let other = format!("SHA256:{}", "A".repeat(43));
    for (change, code, says) in [
        (
            with("host_key", json!(other)),
            1,
            "is not the intake that is meant",
        ),
        (
            with("host_key", Value::Null),
            2,
            "a way of `intake` has no `host_key`",
        ),
        (with("key", json!("keys/signer")), 1, "lets `"),
        (with("key", json!("keys/gone")), 3, "cannot read `"),
        (with("directory", json!("/nowhere")), 1, "is not there"),
        (with("directory", json!("/")), 1, "may not write there"),
    ] {
        let mut change = change;
        if change[0]["host_key"].is_null() {
            change[0].as_object_mut().unwrap().remove("host_key");
        }
        office(&lab, &change, BYTES);
        ends(&deliver(&lab, &["--send"]), code, &[says]);
        assert!(receipts(&lab).is_empty() && names(&folder).is_empty());
    }
    let mut nobody = intake.clone();
    nobody.as_object_mut().unwrap().remove("key");
    office(&lab, &json!([nobody]), BYTES);
    ends(&deliver(&lab, &[]), 2, &["says no way to log in"]);
    office(&lab, &json!([intake]), BYTES);
    ends(&deliver(&lab, &["--send"]), 0, &[]);
}

#[test]
fn a_full_disk_is_told_and_nothing_is_left() {
    if needs_root("deliver::sftp::a_full_disk_is_told_and_nothing_is_left") {
        return;
    }
    let lab = Lab::new();
    let (host, folder, intake) = drop_box(&lab, plain);
    let mounted = host.inside(&format!(
        "mount -t tmpfs -o size=300k,uid={} tmpfs {}",
        OPERATIONS.uid,
        folder.display()
    ));
    assert!(mounted.status.success(), "{mounted:?}");
    office(&lab, &json!([intake]), BYTES);
    ends(
        &deliver(&lab, &["--send"]),
        1,
        &["the intake stopped after", "may be full"],
    );
    let left = host.inside(&format!("ls {}", folder.display()));
    assert!(left.stdout.is_empty(), "{left:?}");
    office(&lab, &json!([intake]), 200_000);
    ends(&deliver(&lab, &["--send"]), 0, &["read back and the same"]);
}

#[test]
fn a_server_that_hangs_ends_with_the_deadline() {
    let lab = Lab::new();
    let (_host, _, intake) = drop_box(&lab, plain);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut hanging = intake.clone();
    hanging["host"] = json!("127.0.0.1");
    hanging["port"] = json!(silent.local_addr().unwrap().port());
    office(&lab, &json!([hanging]), BYTES);
    let begun = Instant::now();
    ends(
        &deliver(&lab, &["--send", "--deadline", "2s"]),
        1,
        &["not delivered"],
    );
    assert!(begun.elapsed() < crate::lab::HANG, "{:?}", begun.elapsed());
    drop(silent);
    ends(
        &deliver(&lab, &["--send", "--deadline", "2s"]),
        1,
        &["cannot be reached"],
    );
}

/// Whoever asks support twice in a quarter, by two people at once, wastes its time.
#[test]
fn of_process_tests_at_once_one_is_sent() {
    let lab = Lab::new();
    let (_host, folder, mut intake) = drop_box(&lab, plain);
    // Each would have a place of its own.
    intake["name"] = json!("{case}.tar.zst");
    office(&lab, &json!([intake]), BYTES);
    fs::create_dir(lab.path("operator/receipts")).unwrap();
    let begin = |number: usize| {
        let case = format!("c{number}");
        let args = [
            "case",
            "deliver",
            "b.tar.zst",
            "--any-file",
            "-i",
            "vendors.yaml",
            "--vendor",
            "acme",
        ];
        let test = [
            "--send",
            "--process-test",
            "--receipts",
            "receipts",
            "--case",
            &case,
        ];
        Command::new(GONOGO)
            .args(args)
            .args(test)
            .envs(lab.environment())
            .current_dir(lab.operator())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let begun: Vec<_> = (0..4).map(begin).collect();
    let ended: Vec<_> = (begun.into_iter())
        .map(|child| child.wait_with_output().unwrap())
        .collect();
    let told = |output: &std::process::Output| {
        String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr)
    };
    let sent = ended.iter().filter(|output| output.status.success());
    assert_eq!(
        sent.count(),
        1,
        "{:#?}",
        ended.iter().map(told).collect::<Vec<_>>()
    );
    for output in ended.iter().filter(|output| !output.status.success()) {
        let told = told(output);
        assert!(
            told.contains("another process test is being delivered")
                || told.contains("the process was tried with `acme` on"),
            "{told}"
        );
    }
    assert_eq!(names(&folder).len(), 1);
    // What is no process test waits for nobody.
    ends(
        &deliver(&lab, &["--send", "--case", "other"]),
        0,
        &["delivered"],
    );
}
