//! The estate when all is well: what a real server does, it does; what leads out or writes, it refuses.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use gonogo::demo::{Act, SIGNER};

use super::lab::{Lab, MARKET, OPS, PINNED, alive, text, until};

#[test]
fn a_framed_command_runs_as_on_the_host_itself() {
    let lab = Lab::well();
    let version = lab.ssh("ny4-1", OPS, "/opt/amps/orders/bin/ampServer --version");
    assert!(version.status.success(), "{}", text(&version.stderr));
    assert!(text(&version.stdout).starts_with("AMPS 5.3.4.12.973814.e1a57f7 "));

    let framed = r#"sh -c 'printf "<%s>" begin; "/opt/amps/orders/bin/ampServer" --nonsense; rc=$?; printf "<end %d>" "$rc"; exit 7'"#;
    let framed = lab.ssh("ny4-1", OPS, framed);
    assert_eq!(text(&framed.stdout), "<begin><end 2>");
    assert!(
        text(&framed.stderr).contains("only --version"),
        "{}",
        text(&framed.stderr)
    );
    assert_eq!(framed.status.code(), Some(7));

    // The made-up paths come back as the host would print them.
    let listed = lab.ssh("ny4-1", OPS, "ls -d /opt/amps/*; cat /opt/amps/none");
    assert_eq!(text(&listed.stdout), "/opt/amps/orders\n/opt/amps/trades\n");
    assert_eq!(
        text(&listed.stderr),
        "cat: /opt/amps/none: No such file or directory\n"
    );
    assert_eq!(listed.status.code(), Some(1));
    let said = lab.ssh("ny4-1", OPS, "env | cut -d= -f1 | sort | tr '\\n' ' '");
    assert_eq!(
        text(&said.stdout).replace("_ ", ""),
        "HOME LOGNAME PATH PWD SHELL USER "
    );
}

#[test]
fn streams_signals_and_stdin_are_told_apart() {
    let lab = Lab::well();
    let both = lab.ssh(
        "ny4-2",
        OPS,
        "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; echo end >&2",
    );
    assert_eq!(
        (both.stdout.len(), both.stderr.len()),
        (3_000_000, 3_000_004)
    );

    let mut verbose = lab.client("ssh", "ny4-2", OPS);
    let killed = verbose
        .args(["-v", "127.0.0.1", "kill -9 $$"])
        .output()
        .unwrap();
    assert_eq!(killed.status.code(), Some(255));
    assert!(
        text(&killed.stderr).contains("rtype exit-signal"),
        "{}",
        text(&killed.stderr)
    );

    let mut cat = lab.client("ssh", "ny4-2", OPS);
    let mut cat = cat
        .args(["127.0.0.1", "cat; echo after"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    cat.stdin.take().unwrap().write_all(b"typed\n").unwrap();
    assert_eq!(
        text(&cat.wait_with_output().unwrap().stdout),
        "typed\nafter\n"
    );

    let together: Vec<Child> = (0..8)
        .map(|number| {
            let mut client = lab.client("ssh", "ny4-2", OPS);
            client
                .args(["127.0.0.1", &format!("echo {number}")])
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for (number, client) in together.into_iter().enumerate() {
        assert_eq!(
            text(&client.wait_with_output().unwrap().stdout),
            format!("{number}\n")
        );
    }
}

#[test]
fn each_host_says_who_it_is_as_the_inventory_pins_it() {
    let lab = Lab::well();
    for (host, hostname) in [
        ("ny4-1", "ny4-amps-1"),
        ("ny4-2", "ny4-amps-2"),
        (PINNED, "ld5-amps-1"),
    ] {
        let said = lab.ssh(
            host,
            OPS,
            "hostname; cat /etc/hostname /etc/machine-id; df -h /var",
        );
        let said = text(&said.stdout);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[..2], [hostname, hostname]);
        let pin = format!(
            "identity: {{hostname: {hostname}, machine_id: \"{}\"}}",
            lines[2]
        );
        assert!(lab.inventory.contains(&pin), "{said}");
        assert!(said.contains("/dev/vg0/var"));
        assert_eq!(
            lab.get(host, OPS, "/etc/machine-id").unwrap(),
            format!("{}\n", lines[2]).as_bytes()
        );
    }
}

#[test]
fn the_pinned_host_is_not_in_known_hosts_and_has_the_pinned_key() {
    let lab = Lab::well();
    let scratch = tempfile::tempdir().unwrap();
    let learnt = scratch.path().join("learnt");
    // ssh takes the first value that it is given.
    let with = |checking: &str, known_hosts: &Path| {
        let mut client = Command::new("ssh");
        client.args(["-o", &format!("StrictHostKeyChecking={checking}"), "-o"]);
        client.arg(format!("UserKnownHostsFile={}", known_hosts.display()));
        client.args(lab.client("ssh", PINNED, OPS).get_args());
        client.args(["127.0.0.1", "hostname"]).output().unwrap()
    };
    let strict = with("yes", &lab.at("known_hosts"));
    let complaint = text(&strict.stderr);
    assert!(
        complaint.contains("Host key verification failed"),
        "{complaint}"
    );
    assert_eq!(text(&with("accept-new", &learnt).stdout), "ld5-amps-1\n");
    let print = Command::new("ssh-keygen")
        .arg("-lf")
        .arg(&learnt)
        .output()
        .unwrap();
    let print = text(&print.stdout);
    let pin = format!("host_key: \"{}\"", print.split(' ').nth(1).unwrap());
    assert!(lab.inventory.contains(&pin), "{print} {}", lab.inventory);
}

#[test]
fn files_come_byte_for_byte() {
    let lab = Lab::well();
    let home = lab.at("hosts/ny4-1/opt/amps/trades");
    for login in [OPS, MARKET] {
        for path in ["config/config.xml", "logs/amps.log.1", "logs/amps.log.2.gz"] {
            let got = lab
                .get("ny4-1", login, &format!("/opt/amps/trades/{path}"))
                .unwrap();
            assert!(got == std::fs::read(home.join(path)).unwrap(), "{path}");
            assert!(!got.is_empty());
        }
    }
    let into = tempfile::tempdir().unwrap();
    let listed = lab.sftp("ny4-1", OPS, into.path(), "ls -1 /opt/amps/trades/logs\n");
    let listed = text(&listed.stdout);
    assert!(
        listed.contains("amps.log\n") && listed.contains("amps.log.2.gz\n"),
        "{listed}"
    );
}

#[test]
fn a_login_opens_with_its_own_key_only() {
    let lab = Lab::well();
    for (user, key) in [
        (OPS.0, MARKET.1),
        (MARKET.0, OPS.1),
        ("root", OPS.1),
        (OPS.0, "gonogo-demo"),
    ] {
        let refused = lab.ssh("ny4-1", (user, key), "true");
        assert_eq!(refused.status.code(), Some(255), "{user} {key}");
        assert!(
            text(&refused.stderr).contains("Permission denied (publickey)"),
            "{}",
            text(&refused.stderr)
        );
    }
    let mut keyless = lab.client("ssh", "ny4-1", OPS);
    let keyless = keyless
        .args(["-o", "PubkeyAuthentication=no", "127.0.0.1", "true"])
        .output()
        .unwrap();
    assert!(text(&keyless.stderr).contains("Permission denied (publickey)"));
    assert!(lab.ssh("ny4-1", OPS, "true").status.success());
    assert!(lab.ssh("ny4-1", MARKET, "true").status.success());
    // What is neither a command nor SFTP is refused at once, not left hanging.
    let mut shell = lab.client("ssh", "ny4-1", OPS);
    assert_eq!(
        shell
            .args(["-T", "127.0.0.1"])
            .output()
            .unwrap()
            .status
            .code(),
        Some(255)
    );
}

#[test]
fn nothing_can_be_written_and_each_try_is_counted() {
    let lab = Lab::well();
    let into = tempfile::tempdir().unwrap();
    std::fs::write(into.path().join("mine"), "mine").unwrap();
    let config = "/opt/amps/orders/config/config.xml";
    let before = std::fs::read(lab.at("hosts/ny4-1/opt/amps/orders/config/config.xml")).unwrap();
    for (count, batch) in [
        "put mine /opt/amps/orders/config/config.xml",
        "put mine /opt/amps/orders/new",
        "rm /opt/amps/orders/config/config.xml",
        "rename /opt/amps/orders/config/config.xml /opt/amps/orders/x",
        "mkdir /opt/amps/orders/x",
        "rmdir /opt/amps/orders/logs",
        "chmod 777 /opt/amps/orders/config/config.xml",
        "ln -s /etc/hostname /opt/amps/orders/x",
    ]
    .into_iter()
    .enumerate()
    {
        let refused = lab.sftp("ny4-1", OPS, into.path(), &format!("{batch}\n"));
        assert!(!refused.status.success(), "{batch}");
        let said = text(&refused.stderr).to_lowercase();
        assert!(said.contains("permission denied"), "{batch}: {said}");
        assert_eq!(lab.estate.write_requests(), count + 1, "{batch}");
    }
    assert_eq!(lab.get("ny4-1", OPS, config).unwrap(), before);
    assert_eq!(lab.estate.write_requests(), 8, "reading counts as no try");
    let reads = lab.estate.requests();
    let read = reads
        .iter()
        .rfind(|request| request.act == Act::Open)
        .unwrap();
    assert_eq!(
        (
            read.host.as_str(),
            read.user.as_str(),
            read.subject.as_str()
        ),
        ("ny4-1", OPS.0, config)
    );
}

#[test]
fn no_path_leads_out_of_the_made_up_host() {
    let lab = Lab::well();
    let root = lab.at("hosts/ny4-1");
    std::os::unix::fs::symlink("/etc/passwd", root.join("opt/amps/passwd")).unwrap();
    std::os::unix::fs::symlink(
        "../../../../../../etc/passwd",
        root.join("opt/amps/climber"),
    )
    .unwrap();
    std::os::unix::fs::symlink(lab.at("keys"), root.join("opt/amps/keys")).unwrap();
    for path in [
        "../../etc/passwd",
        "/etc/passwd",
        "/../../../../../../../etc/passwd",
        "/opt/amps/passwd",
        "/opt/amps/climber",
        "/opt/amps/keys/operations",
        "/opt/amps/orders/../../../../keys/operations",
    ] {
        let refused = lab.get("ny4-1", OPS, path).unwrap_err();
        assert!(
            refused.contains("not found") || refused.contains("No such file"),
            "{path}: {refused}"
        );
    }
    let inside = lab.get("ny4-1", OPS, "../../etc/hostname").unwrap();
    assert_eq!(inside, b"ny4-amps-1\n");
    assert!(
        lab.get("ny4-1", OPS, "/opt/amps/orders/logs/current")
            .unwrap()
            .starts_with(b"20")
    );
}

#[test]
fn logs_and_statistics_live() {
    let lab = Lab::well();
    let grow = |path: &str| {
        lab.at("hosts/ny4-2/opt/amps/quotes")
            .join(path)
            .metadata()
            .unwrap()
            .len()
    };
    let (log, wal) = (grow("logs/amps.log"), grow("stats.db-wal"));
    until("the log grows", || grow("logs/amps.log") > log);
    until("the write-ahead log grows", || grow("stats.db-wal") > wal);
    let scratch = tempfile::tempdir().unwrap();
    let home = "/opt/amps/quotes";
    let batch = format!("get {home}/stats.db\nget {home}/stats.db-wal\n");
    assert!(
        lab.sftp("ny4-2", MARKET, scratch.path(), &batch)
            .status
            .success()
    );
    let database = rusqlite::Connection::open(scratch.path().join("stats.db")).unwrap();
    let check: String = database
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
    let newest = "SELECT max(timestamp) / 1000 - 210866803200 FROM IMEMORY_DYNAMIC";
    let newest: i64 = database.query_row(newest, [], |row| row.get(0)).unwrap();
    let age = jiff::Timestamp::now().as_second() - newest;
    assert!((0..30).contains(&age), "{age}");
}

#[test]
fn a_command_ends_with_its_channel() {
    let lab = Lab::well();
    let mut client = lab.client("ssh", "ny4-1", OPS);
    client
        .args(["127.0.0.1", "sleep 600 & echo $! $$; wait"])
        .stdout(Stdio::piped());
    let mut client = client.spawn().unwrap();
    let mut said = String::new();
    BufReader::new(client.stdout.take().unwrap())
        .read_line(&mut said)
        .unwrap();
    let processes: Vec<&str> = said.split_whitespace().collect();
    assert_eq!(processes.len(), 2, "{said:?}");
    assert!(processes.iter().all(|process| alive(process)));
    client.kill().unwrap();
    client.wait().unwrap();
    until("both end", || {
        !processes.iter().any(|process| alive(process))
    });
}

#[test]
fn dropping_the_estate_leaves_nothing_behind() {
    let lab = Lab::well();
    let (directory, port) = (lab.estate.directory().to_owned(), lab.port("ny4-1"));
    let mut client = lab.client("ssh", "ny4-1", OPS);
    let mut client = client.args(["127.0.0.1", "sleep 600"]).spawn().unwrap();
    until("the command runs", || {
        lab.estate
            .requests()
            .iter()
            .any(|request| request.act == Act::Run)
    });
    let started = Instant::now();
    drop(lab);
    assert!(
        started.elapsed() < crate::lab::HANG,
        "{:?}",
        started.elapsed()
    );
    assert!(!directory.exists());
    assert!(std::net::TcpStream::connect(format!("127.0.0.1:{port}")).is_err());
    assert_eq!(client.wait().unwrap().code(), Some(255));
}

#[test]
fn what_is_secret_is_private_and_the_signer_is_allowed_reports_only() {
    let lab = Lab::well();
    let mode = |path: &str| lab.at(path).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    for key in ["operations", "market-data", "gonogo-demo"] {
        assert_eq!(mode(&format!("keys/{key}")), 0o600);
    }
    assert!(!lab.inventory.contains("PRIVATE"));

    let scratch = tempfile::tempdir().unwrap();
    let report = scratch.path().join("report");
    std::fs::write(&report, "GO").unwrap();
    for (namespace, good) in [("gonogo-report@gonogo", true), ("file", false)] {
        let _none_yet = std::fs::remove_file(scratch.path().join("report.sig"));
        let mut signer = Command::new("ssh-keygen");
        signer
            .args(["-Y", "sign", "-n", namespace, "-f"])
            .arg(lab.estate.signing_key());
        assert!(signer.arg(&report).output().unwrap().status.success());
        let mut verifier = Command::new("ssh-keygen");
        verifier.args(["-Y", "verify", "-n", namespace, "-I", SIGNER, "-f"]);
        verifier
            .arg(lab.estate.allowed_signers())
            .arg("-s")
            .arg(scratch.path().join("report.sig"));
        let verified = verifier
            .stdin(std::fs::File::open(&report).unwrap())
            .output()
            .unwrap();
        assert_eq!(
            verified.status.success(),
            good,
            "{namespace} {}",
            text(&verified.stderr)
        );
    }
}
