//! `gonogo case build`: from a run over real sshd with `--keep` to an archive that the machine's own `tar` and
//! `unzip` open, in which nothing that was planted on the host is left.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::deliver::encrypted::age_key;
use crate::lab::Lab;

const SECRET: &str = "hunter2-Xy9";

/// A run that kept its artifacts: secrets in the configuration, in a log and in a packed one.
fn kept() -> (Lab, PathBuf) {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    let orders = lab.amps("orders", &host);
    orders.stop_writer();
    let log = fs::read_to_string(orders.path(&orders.log())).unwrap();
    let last = log.lines().last().unwrap();
    let at = last.split(' ').next().unwrap();
    let told = format!(
        "{log}{at} [1] info: 07-0015 client[feed-7] from 10.77.1.9:4242 as tcp://bob:{SECRET}@db/\n{at} [1] info: 07-0015 u=tcp%3A%2F%2Fbob%3A{SECRET}%40db\n\
         {at} [1] info: 07-0023 Authentication failure for client md-feed-07.prod.zrhbank.ch-svc_quotes\n\
         {at} [1] info: 07-0024 principal amps/amps-a.zrhbank.ch@ZRHBANK.CH said =?utf-8?B?b2s=?=\n"
    );
    orders.write(&orders.log(), told.as_bytes());
    let config = fs::read_dir(orders.path("config"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let text = fs::read_to_string(&config).unwrap();
    let end = text.rfind("</").unwrap();
    let secret = format!("<Auth><Password>{SECRET}</Password></Auth>{}", &text[end..]);
    fs::write(&config, format!("{}{secret}", &text[..end])).unwrap();
    lab.write_inputs(&lab.inventory());
    let out = lab.next_out();
    let ran = lab.run(&[&lab.run_args(&out)[..], &["--keep", "kept"]].concat());
    assert!(matches!(ran.status.code(), Some(0 | 1)), "{ran:?}");
    let run = lab.operator().join(out);
    (lab, run)
}

fn build(lab: &Lab, run: &Path, out: &str, more: &[&str]) -> Output {
    let run = run.to_str().unwrap();
    let args = [
        "case",
        "build",
        run,
        "--allowed-signers",
        "allowed_signers",
        "--instance",
        "orders",
        "--from",
        "kept",
        "-o",
        out,
    ];
    lab.run(&[&args[..], more].concat())
}

#[track_caller]
fn ends(output: &Output, code: i32, says: &str) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{told}");
    assert!(told.contains(says), "{told}");
    assert!(!told.contains(SECRET), "{told}");
}

#[test]
fn a_bundle_is_built_reviewed_and_opened_by_other_programs() {
    let (lab, run) = kept();
    let at = |name: &str| lab.operator().join(name);
    ends(
        &build(&lab, &run, "b.tar.zst", &["--reviewed-by", "Eve"]),
        1,
        "could have been reviewed",
    );
    ends(&build(&lab, &run, "b.tar.zst", &[]), 0, "not reviewed");
    assert!(!at("b.tar.zst").exists());
    ends(
        &build(&lab, &run, "b.tar.zst", &["--reviewed-by", "Eve"]),
        0,
        "",
    );
    // Encrypted is the proven archive, which is the same every time: what was encrypted is not.
    let (key, recipient) = age_key(&at("vendor.key"));
    let mut locked = Vec::new();
    for _ in 0..2 {
        let plain = fs::read(at("b.tar.zst")).unwrap();
        fs::remove_file(at("b.tar.zst")).unwrap();
        let to = ["--encrypt-to", &recipient];
        ends(&build(&lab, &run, "b.tar.zst", &to), 2, "nobody could look");
        let done = build(
            &lab,
            &run,
            "b.tar.zst",
            &[&to[..], &["--reviewed-by", "Eve"]].concat(),
        );
        ends(&done, 0, "encrypted to age1");
        assert!(fs::read(at("b.tar.zst")).unwrap() == plain);
        let told = String::from_utf8(done.stdout).unwrap();
        for name in ["b.tar.zst", "b.tar.zst.age"] {
            let digest = Command::new("sha256sum").arg(at(name)).output().unwrap();
            let digest = String::from_utf8(digest.stdout).unwrap();
            assert!(
                told.contains(&format!("{}  {name}  ", &digest[..64])),
                "{told}"
            );
        }
        let opened = Command::new("age")
            .arg("-d")
            .arg("-i")
            .arg(&key)
            .arg(at("b.tar.zst.age"))
            .output()
            .unwrap();
        assert!(opened.status.success() && opened.stdout == plain);
        locked.push(fs::read(at("b.tar.zst.age")).unwrap());
        fs::remove_file(at("b.tar.zst.age")).unwrap();
    }
    assert!(locked[0] != locked[1]);
    let map = at("b.tar.zst.names.json");
    assert_eq!(
        fs::metadata(&map).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(fs::read_to_string(&map).unwrap().contains("10.77.1.9"));

    let open = at("open");
    fs::create_dir(&open).unwrap();
    let untar = Command::new("tar")
        .arg("--zstd")
        .arg("-xf")
        .arg(at("b.tar.zst"))
        .arg("-C")
        .arg(&open)
        .output()
        .unwrap();
    assert!(untar.status.success(), "{untar:?}");
    let root = fs::read_dir(&open).unwrap().next().unwrap().unwrap().path();
    let sums = Command::new("sha256sum")
        .args(["-c", "--quiet", "SHA256SUMS"])
        .current_dir(&root)
        .output()
        .unwrap();
    assert!(sums.status.success(), "{sums:?}");
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(root.join("manifest.json")).unwrap()).unwrap();
    let kinds: Vec<_> = manifest["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["kind"].as_str().unwrap())
        .collect();
    for kind in ["version", "configuration", "log", "statistics"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    assert!(
        fs::read_to_string(root.join("REVIEW.json"))
            .unwrap()
            .contains("Eve")
    );
    let mut texts = String::new();
    let mut waiting = vec![root];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => waiting.push(path),
                false => texts.push_str(&String::from_utf8_lossy(&fs::read(path).unwrap())),
            }
        }
    }
    for gone in [SECRET, "hunter2", "10.77.1.9", "ny4-1", "bob"] {
        assert!(!texts.contains(gone), "{gone} is left");
    }
    assert!(
        texts.contains("orders") && texts.contains("5.3.4.12") && texts.contains(":4242"),
        "too much is gone"
    );

    // What leads to the run's evidence stays at home: by the digest of what nobody redacted a secret in it is guessed.
    let list = at("b.tar.zst.origins.json");
    let mode = fs::metadata(&list).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let read = |path: &Path| -> serde_json::Value {
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    };
    let (list, report) = (read(&list), read(&run.join("report.json")));
    let all = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let evidence: Vec<_> = all(&report["checks"])
        .iter()
        .flat_map(|check| all(&check["evidence"]))
        .map(|one| one["sha256"].as_str().unwrap().to_owned())
        .collect();
    let mut changed = 0;
    for (origin, member) in all(&list["files"]).iter().zip(all(&manifest["files"])) {
        assert_eq!(
            (&origin["file"], &origin["sha256"]),
            (&member["file"], &member["sha256"])
        );
        let retrieved = origin["retrieved_sha256"].as_str().unwrap();
        assert!(evidence.iter().any(|one| one == retrieved), "{origin}");
        changed += usize::from(retrieved != origin["sha256"]);
    }
    assert!(changed > 1, "{list}");
    let sent: Vec<_> = all(&manifest["files"])
        .iter()
        .map(|file| file["sha256"].as_str().unwrap().to_owned())
        .collect();
    for digest in evidence.iter().filter(|one| !sent.contains(one)) {
        assert!(!texts.contains(digest.as_str()), "{digest} is sent");
    }

    // The same once more, to the byte; and nothing is written over.
    ends(&build(&lab, &run, "b.tar.zst", &[]), 2, "exists already");
    let map = map.to_str().unwrap();
    for end in ["tar.zst", "tar.gz", "zip"] {
        let (one, two) = (format!("one.{end}"), format!("two.{end}"));
        ends(&build(&lab, &run, &one, &["--map", map]), 0, "");
        ends(&build(&lab, &run, &two, &["--map", map]), 0, "");
        let bytes = |name: &str| fs::read(at(&format!("{name}.unreviewed.{end}"))).unwrap();
        assert_eq!(bytes("one"), bytes("two"), "{end}");
    }
    let unzip = Command::new("unzip")
        .arg("-tq")
        .arg(at("one.unreviewed.zip"))
        .output()
        .unwrap();
    assert!(unzip.status.success(), "{unzip:?}");
}

#[test]
fn what_the_run_does_not_vouch_for_is_refused() {
    let (lab, run) = kept();
    let at = |name: &str| lab.operator().join(name);
    let none = |lab: &Lab| {
        let left = fs::read_dir(lab.operator()).unwrap().filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().contains("unreviewed")
                || name.to_string_lossy().contains("gonogo-case")
        });
        assert_eq!(left.count(), 0, "a bundle is left");
    };
    // A canary that no rule knows.
    fs::write(at("canaries"), "client logon\n").unwrap();
    ends(
        &build(&lab, &run, "b.zip", &["--canaries", "canaries"]),
        1,
        "canary 1",
    );
    none(&lab);
    ends(&build(&lab, &run, "b.rar", &[]), 2, "no name of a bundle");
    ends(
        &build(&lab, &run, "b.zip", &["--without", "event lag"]),
        2,
        "did not retrieve",
    );
    // Rules that are written wrongly, and a word that is somebody's.
    fs::write(
        at("rules"),
        "rules:\n  - {name: a, kind: secret, regex: 'x'}\n",
    )
    .unwrap();
    ends(
        &build(&lab, &run, "b.zip", &["--rules", "rules"]),
        2,
        "rules:2:",
    );
    fs::write(at("rules"), "keep: [ny4-1]\n").unwrap();
    ends(
        &build(&lab, &run, "b.zip", &["--rules", "rules"]),
        2,
        "somebody's name",
    );
    none(&lab);
    fs::write(
        at("rules"),
        "rules:\n  - {name: heart, kind: secret, regex: '(heartbeat|logon)'}\n",
    )
    .unwrap();
    ends(
        &build(&lab, &run, "rules.zip", &["--rules", "rules"]),
        0,
        "rule heart",
    );
    fs::remove_file(at("rules.unreviewed.zip")).unwrap();
    // Its bytes are not those of the run.
    let directory = at("kept/orders/operations/event log");
    let log = fs::read_dir(&directory)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let was = fs::read(&log).unwrap();
    fs::write(&log, [&was[..], b"x"].concat()).unwrap();
    ends(
        &build(&lab, &run, "b.zip", &[]),
        1,
        "no evidence of the run has its digest",
    );
    none(&lab);
    fs::remove_file(&log).unwrap();
    ends(&build(&lab, &run, "b.zip", &[]), 1, "is not kept in");
    ends(
        &build(&lab, &run, "b.zip", &["--without", "event log"]),
        0,
        "not reviewed",
    );
    fs::remove_file(at("b.unreviewed.zip")).unwrap();
    // The run was changed.
    let summary = run.join("summary.md");
    let mut text = fs::read(&summary).unwrap();
    text.push(b'x');
    fs::write(&summary, text).unwrap();
    ends(
        &build(&lab, &run, "b.zip", &["--without", "event log"]),
        4,
        "not acceptable",
    );
    none(&lab);
}

#[test]
fn the_request_goes_along_with_its_names_and_without_a_secret() {
    let (lab, run) = kept();
    let at = |name: &str| lab.operator().join(name);
    let request = "Support request\n\nInstance: orders (AMPS)\nVersion: 5.3.4.12\nHost: ny4-1, 10.77.1.9\n\
                   Contact: Ana Silva <ana@bank.example.com>, bob\nImpact: acknowledged late\n";
    let none = || {
        let left = fs::read_dir(lab.operator()).unwrap().filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            let name = name.to_string_lossy();
            ["unreviewed", "gonogo-case", "names.json", "origins.json"]
                .iter()
                .any(|part| name.contains(part))
        });
        assert_eq!(left.count(), 0, "something is left");
    };
    let asked = |text: &[u8]| {
        fs::write(at("request"), text).unwrap();
        build(&lab, &run, "b.zip", &["--request", "request"])
    };
    // No finished request about this instance.
    for (text, says) in [
        (request.replace("orders", "trades"), "instance `orders`"),
        (request.replace("4.12", "4.1"), "5.3.4.12"),
        (request.replace("acknowledged late", "{impact}"), "line 7"),
        (request.replace(" acknowledged late", ""), "line 7"),
        (request.repeat(8000), "at most 1 MiB"),
    ] {
        let refused = asked(text.as_bytes());
        ends(&refused, 2, says);
        ends(&refused, 2, "hint: ");
        none();
    }
    ends(&asked(b"orders 5.3.4.12 \xff"), 2, "UTF-8");
    let missing = build(&lab, &run, "b.zip", &["--request", "missing"]);
    ends(&missing, 2, "cannot read the request");
    // What must not leave.
    for (leak, says) in [
        (SECRET, "request.txt: secret that was taken out"),
        ("password=Quokka77", "request.txt: password"),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----",
            "request.txt: private key",
        ),
    ] {
        let refused = asked(format!("{request}Seen: it says {leak}\n").as_bytes());
        ends(&refused, 1, says);
        ends(&refused, 1, "--without-file PATH");
        none();
    }
    // The twin with names alone; what was reviewed is what leaves.
    ends(&asked(request.as_bytes()), 0, "not reviewed");
    let review = ["--reviewed-by", "Eve", "--request", "request"];
    let changed = build(&lab, &run, "b.zip", &review[..2]);
    ends(&changed, 1, "is not what is built now");
    fs::write(at("request"), request.replace("late", "later")).unwrap();
    let changed = build(&lab, &run, "b.zip", &review);
    ends(&changed, 1, "is not what is built now");
    fs::write(at("request"), request).unwrap();
    ends(&build(&lab, &run, "b.zip", &review), 0, "");
    let member = |name: &str| {
        let shown = Command::new("unzip")
            .arg("-p")
            .arg(at("b.zip"))
            .arg(format!("*/{name}"))
            .output()
            .unwrap();
        String::from_utf8(shown.stdout).unwrap()
    };
    assert_eq!(member("request.txt"), request);
    let digest = gonogo::digest::Sha256::of(request.as_bytes()).to_string();
    let named = format!("{digest}  request.txt\n");
    assert!(member("SHA256SUMS").contains(&named));
    assert!(member("manifest.json").contains(&digest));
    let page = member("REDACTION.md");
    assert!(
        page.contains("| request.txt | goes along as it was written"),
        "{page}"
    );
}
