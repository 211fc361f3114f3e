//! Runbooks of runs that are not plain: what was waived, answered, carried over, fetched by sudo, out of a chroot, or by
//! the road of an ssh_config; each line that a person types is typed.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::lab::{Amps, Lab, MARKET_DATA, OPERATIONS, Run, needs_root};
use crate::people::{Asked, House, expect};

const SIGNERS: [&str; 2] = ["--allowed-signers", "allowed_signers"];

/// The runbook of a run, and that it is the same to the next who asks.
#[track_caller]
fn book(lab: &Lab, run: &Run, more: &[&str]) -> String {
    let dir = run.dir.to_str().unwrap();
    let args = [&["runbook", dir], &SIGNERS[..], more].concat();
    expect(&lab.run(&[&args[..], &["-o", "book.md"]].concat()), 0, &[]);
    expect(
        &lab.run(&[&args[..], &["--check", "book.md"]].concat()),
        0,
        &[],
    );
    fs::read_to_string(lab.operator().join("book.md")).unwrap()
}

/// It is refused, and nothing is written.
#[track_caller]
fn no_book(lab: &Lab, run: &Run, more: &[&str], words: &[&str]) {
    let dir = run.dir.to_str().unwrap();
    let args = [&["runbook", dir], &SIGNERS[..], more, &["-o", "none.md"]].concat();
    expect(&lab.run(&args), 4, words);
    assert!(!lab.operator().join("none.md").exists());
}

#[track_caller]
fn has(book: &str, words: &[&str]) {
    for word in words {
        assert!(book.contains(word), "not told `{word}`: {book}");
    }
}

#[test]
fn what_was_waived_is_told_as_waived_and_as_proven_by_nothing() {
    let house = House::new(Amps::age_logs);
    house.signed("bob", |_| ());
    let run = house.run(&[]);
    assert_eq!(run.code(), 0, "{}", run.told());
    no_book(
        &house.lab,
        &run,
        &[],
        &["nobody said who may approve them", "--approvers FILE"],
    );
    let text = book(&house.lab, &run, &["--approvers", "approvers"]);
    has(
        &text,
        &[
            "features/support.feature:18@orders/operations",
            "accepted by waiver `W-1` of bob",
            "the feed is quiet until go-live",
        ],
    );
    // What the waived check would have proven is proven by it nowhere.
    assert!(
        !text.contains("proven by [`features/support.feature:18@"),
        "{text}"
    );
    // Without the waiver the same run is no GO, and has none.
    let plain = house.lab.judge_as_written();
    no_book(&house.lab, &plain, &[], &["proves no process"]);
}

#[test]
fn what_people_answered_stands_behind_them_or_there_is_no_runbook() {
    let asked = Asked::new(|_| ());
    let lab = &asked.house.lab;
    no_book(lab, &asked.run, &[], &["it is HOLD", "--answerers FILE"]);
    let with = ["--answerers", "answerers"];
    no_book(lab, &asked.run, &with, &["it is HOLD"]);
    for (check, key) in [
        ("features/people.feature:2@orders/operations", "ann"),
        ("features/people.feature:7@production", "bob"),
    ] {
        expect(&asked.attest(check, "passed", key), 0, &[]);
    }
    // Answered, it is still the reader who says whose word counts.
    no_book(lab, &asked.run, &[], &["it is HOLD"]);
    let text = book(lab, &asked.run, &with);
    has(
        &text,
        &[
            "verdict GO",
            "### orders as operations",
            "the rollback was rehearsed:** bob",
        ],
    );
    // A no is no.
    let asked = Asked::new(|_| ());
    expect(
        &asked.attest(
            "features/people.feature:2@orders/operations",
            "failed",
            "ann",
        ),
        0,
        &[],
    );
    no_book(&asked.house.lab, &asked.run, &with, &["proves no process"]);
}

#[test]
fn what_was_carried_over_is_proven_by_the_run_that_carries_it() {
    let lab = Lab::new();
    let (one, two) = (lab.host("ny4-1").start(), lab.host("ny4-2").start());
    let orders = lab.amps("orders", &one);
    lab.amps("quotes", &two);
    orders.lock("config/config.xml");
    let first = lab.judge();
    no_book(&lab, &first, &[], &["it is NO-GO"]);
    orders.mode("config/config.xml", 0o644);
    let out = lab.next_out();
    let before = first.dir.to_str().unwrap();
    let args = [&lab.run_args(&out)[..], &["--rerun-failed", before]].concat();
    let second = Run::of(lab.run(&args), lab.operator().join(out));
    assert_eq!(second.code(), 0, "{}", second.told());
    let text = book(&lab, &second, &[]);
    has(
        &text,
        &[
            "### orders as operations",
            "### quotes as operations",
            "#### configuration of orders as operations",
        ],
    );
    assert!(!text.contains("NOT PROVEN"), "{text}");
    // A whole run of the same estate says the same.
    let whole = lab.judge_as_written();
    let dir = whole.dir.to_str().unwrap();
    let args = [&["runbook", dir], &SIGNERS[..], &["--check", "book.md"]].concat();
    expect(&lab.run(&args), 0, &[]);
}

#[test]
fn rights_by_sudo_are_told_and_typed_as_they_were_used() {
    if needs_root("rights_by_sudo_are_told_and_typed_as_they_were_used") {
        return;
    }
    let lab = Lab::new();
    let allowed = format!("{} ALL=(ALL) NOPASSWD: ALL", OPERATIONS.login());
    let host = lab.host("ny4-1").sudoers(&allowed).start();
    let orders = lab.amps("orders", &host);
    orders.lock("config/config.xml");
    let plain = |_: &mut serde_json::Value| ();
    let without = lab.judge_with(plain);
    no_book(&lab, &without, &[], &["it is NO-GO"]);
    let run = lab.judge_with(|inventory| {
        inventory["teams"][OPERATIONS.team]["elevate"] = "sudo".into();
    });
    run.assert_go(4);
    let text = book(&lab, &run, &[]);
    has(
        &text,
        &["- **rights:** as root by `sudo -n --` — proven by"],
    );
    // The road and the rights, as a person types them, read what the account alone cannot.
    let line = text.lines().find(|line| line.starts_with("ssh ")).unwrap();
    let at = lab.operator();
    let known = format!(
        "-o UserKnownHostsFile={}/known_hosts -o StrictHostKeyChecking=yes -o BatchMode=yes",
        at.display()
    );
    let typed = |rights: &str| {
        let line = line.replacen("ssh ", &format!("ssh {known} "), 1);
        let line = format!("{line} '{rights} cat {}/config/config.xml'", orders.home);
        let output = Command::new("sh")
            .args(["-c", &line])
            .current_dir(&at)
            .output();
        output.unwrap()
    };
    let as_root = typed("sudo -n --");
    assert!(as_root.status.success(), "{as_root:?}");
    assert!(!typed("").status.success());
}

#[test]
fn an_account_in_a_chroot_is_told_with_what_it_sees() {
    if needs_root("an_account_in_a_chroot_is_told_with_what_it_sees") {
        return;
    }
    let lab = Lab::new();
    let host = lab.host("ny4-1").sftp_chroot(MARKET_DATA).start();
    let orders = Amps::install_in_chroot("orders", &host);
    let mut inventory = lab.inventory();
    inventory["products"]["amps"]["artifacts"]["version"] = json!({
        "kind": "version", "path": "{home}/VERSION", "match": "\\d+\\.\\d+\\.\\d+\\.\\d+",
    });
    inventory["teams"][MARKET_DATA.team]["transport"] = "sftp".into();
    inventory["instances"]["orders"] = json!({
        "product": "amps", "host": "ny4-1", "teams": [MARKET_DATA.team],
        "vars": {"home": orders.home}, "expect": {"version": "5.3.4.12", "name": "orders"},
    });
    lab.write_inputs(&inventory);
    let run = lab.judge_as_written();
    run.assert_go(4);
    let text = book(&lab, &run, &[]);
    has(
        &text,
        &[
            "SFTP alone, no command",
            &format!("`{}/VERSION`", orders.home),
        ],
    );
    // The only road there is: files, as a person types it.
    let line = text.lines().find(|line| line.starts_with("sftp ")).unwrap();
    let at = lab.operator();
    fs::write(
        at.join("batch"),
        format!("get {}/VERSION got\n", orders.home),
    )
    .unwrap();
    let options = format!(
        "sftp -b batch -o UserKnownHostsFile={}/known_hosts -o StrictHostKeyChecking=yes ",
        at.display()
    );
    let typed = line.replacen("sftp ", &options, 1);
    let output = Command::new("sh")
        .args(["-c", &typed])
        .current_dir(&at)
        .output();
    let output = output.unwrap();
    assert!(output.status.success(), "{typed}\n{output:?}");
    assert!(
        fs::read_to_string(at.join("got"))
            .unwrap()
            .contains("5.3.4.12")
    );
}

#[test]
fn the_road_of_an_ssh_config_is_told_as_it_was_gone() {
    let lab = Lab::new();
    let (bastion, target) = (lab.host("bastion").start(), lab.host("ny4-1").start());
    lab.amps("orders", &target);
    let mut inventory = lab.inventory();
    inventory["ssh"] = json!({"ssh_config": "ssh_config", "deadline": "30s"});
    inventory["hosts"] = json!({"ny4-1": {}});
    inventory["teams"] = json!({OPERATIONS.team: {}});
    lab.write_inputs(&inventory);
    let at = lab.operator();
    let (jump, server) = (bastion.address, target.address);
    let text = format!(
        "Host jump\n  HostName {}\n  Port {}\nHost ny4-1\n  HostName {}\n  Port {}\n  ProxyJump jump\nHost *\n  User {}\n  IdentityFile {}\n  IdentitiesOnly yes\n  UserKnownHostsFile {}\n  GlobalKnownHostsFile none\n",
        jump.ip(),
        jump.port(),
        server.ip(),
        server.port(),
        OPERATIONS.login(),
        at.join("keys").join(OPERATIONS.team).display(),
        at.join("known_hosts").display(),
    );
    fs::write(at.join("ssh_config"), text).unwrap();
    let run = lab.judge_as_written();
    run.assert_go(4);
    let text = book(&lab, &run, &[]);
    has(
        &text,
        &[
            &format!("- **1 hop jump:** `{}@{jump}`", OPERATIONS.login()),
            &format!("- **2 server ny4-1:** `{}@{server}`", OPERATIONS.login()),
        ],
    );
    // Whatever ssh_config says later: the run keeps what it went by.
    fs::write(at.join("ssh_config"), "Host *\n  Port 1\n").unwrap();
    assert_eq!(book(&lab, &run, &[]), text);
    // A person types what names that file.
    assert!(text.contains("\nssh -F ssh_config -- ny4-1\n"), "{text}");
}
