//! Proof of the right server: one machine under two names, two machines behind one, clones, and the
//! runner itself are found and named; so is a clock that is off. Each case with a benign twin.

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use serde_json::{Value, json};

use crate::lab::{
    Amps, Balancer, FOUR, GONOGO, Host, Lab, MARKET_DATA, OPERATIONS, Run, needs_root,
};

const OPS: &str = OPERATIONS.team;
const MD: &str = MARKET_DATA.team;

fn reasons(run: &Run) -> Vec<String> {
    let reasons = run.report()["verdict"]["reasons"].as_array().unwrap();
    let reasons = reasons.iter().map(|reason| reason.as_str().unwrap());
    reasons.map(str::to_owned).collect()
}

/// The verdict is `decision` for this one reason, in which all of these words stand; and `verify`
/// finds the same from the record alone.
#[track_caller]
fn for_one_reason(lab: &Lab, run: &Run, decision: &str, words: &[&str]) {
    let told = &run.report()["verdict"];
    assert_eq!(told["decision"], decision, "{}", run.told());
    let reasons = reasons(run);
    assert_eq!(reasons.len(), 1, "{reasons:#?}");
    for word in words {
        assert!(reasons[0].contains(word), "{word}: {reasons:#?}");
    }
    let verified = lab.verify(&run.dir);
    let code = i32::from(decision != "GO");
    assert_eq!(verified.status.code(), Some(code), "{verified:?}");
}

fn host<'a>(run: &'a Run, name: &str) -> &'a Value {
    let mut hosts = run.report()["hosts"].as_array().unwrap().iter();
    hosts.find(|host| host["name"] == name).unwrap()
}

/// Where `ny4-1` is reached through `balancer`.
fn behind(balancer: &Balancer, inventory: &mut Value) {
    inventory["hosts"] = json!({"ny4-1": {
        "address": balancer.address.ip().to_string(), "port": balancer.address.port(),
    }});
}

#[test]
fn a_virtual_address_that_alternates_between_two_logins() {
    if needs_root("a_virtual_address_that_alternates_between_two_logins") {
        return;
    }
    let lab = Lab::new();
    let one = lab.host("ny4-1").start();
    // Different machines; clones of the key; clones of key and machine-id that have only another name.
    let other = lab.host("ny4-2").start();
    let key = lab.host("ny4-3").same_key_as(&one).start();
    let all = lab
        .host("ny4-4")
        .same_key_as(&one)
        .same_machine_as(&one)
        .start();
    let orders = lab.amps("orders", &one);
    *orders.teams.borrow_mut() = vec![OPS, MD];
    for second in [&other, &key, &all] {
        let balancer = Balancer::before(&[&one, second], None);
        let known = balancer.known_hosts_line(&one) + &balancer.known_hosts_line(second);
        let run = lab.judge_knowing(&known, |inventory| behind(&balancer, inventory));
        assert_eq!(balancer.taken(), 2);
        let failed: Vec<_> = run
            .checks()
            .iter()
            .filter(|c| c["outcome"] != "passed")
            .collect();
        assert_eq!((run.code(), failed.len()), (1, 4), "{}", run.told());
        for check in failed {
            let failure = &check["failure"];
            assert_eq!(failure["kind"], "mismatch", "{failure:#}");
            let told = failure.to_string();
            for name in [&one.name, &second.name, &one.machine_id, &second.machine_id] {
                assert!(told.contains(&format!("`{name}`")), "{failure:#}");
            }
            assert!(told.contains("more than one machine"), "{failure:#}");
        }
    }
    // In front of one machine it is only another address.
    let balancer = Balancer::before(&[&one], None);
    let known = balancer.known_hosts_line(&one);
    let run = lab.judge_knowing(&known, |inventory| behind(&balancer, inventory));
    run.assert_go(8);
    assert_eq!(host(&run, "ny4-1")["sessions"], 2);
}

#[test]
fn a_virtual_address_that_alternates_when_a_login_comes_again() {
    if needs_root("a_virtual_address_that_alternates_when_a_login_comes_again") {
        return;
    }
    let lab = Lab::new();
    let one = lab.host("ny4-1").start();
    let other = lab.host("ny4-2").same_key_as(&one).start();
    let orders = lab.amps("orders", &one);
    // Far more than the cut, and all of it comes in the third check.
    let log = fs::read(orders.path(&orders.log())).unwrap();
    orders.write(&orders.log(), &log.repeat(300));
    for (backends, statistics) in [(vec![&*one, &*other], "failed"), (vec![&*one], "passed")] {
        let balancer = Balancer::before(&backends, Some(200_000));
        let known = balancer.known_hosts_line(&one);
        let run = lab.judge_knowing(&known, |inventory| behind(&balancer, inventory));
        assert_eq!(run.code(), 1, "{}", run.told());
        assert_eq!(balancer.taken(), 2, "{}", run.told());
        for check in ["version", "configuration"] {
            assert_eq!(run.check("orders", OPS, check)["outcome"], "passed");
        }
        assert_eq!(run.check("orders", OPS, "event log")["outcome"], "failed");
        let last = run.check("orders", OPS, "statistics");
        assert_eq!(last["outcome"], statistics, "{last:#}");
        if statistics == "failed" {
            assert_eq!(last["failure"]["kind"], "mismatch", "{last:#}");
            assert!(last["failure"].to_string().contains(&other.machine_id));
        }
    }
}

#[test]
fn one_machine_under_two_names() {
    if needs_root("one_machine_under_two_names") {
        return;
    }
    let lab = Lab::new();
    let second = match TcpListener::bind("[::1]:0") {
        Ok(_) => "::1",
        Err(_) => "127.99.0.1",
    };
    let listen = format!("ListenAddress {second}");
    let one = lab.host("ny4-1").option(&listen).start();
    let hop = lab.host("outer").start();
    let _instances = [lab.amps("orders", &one), lab.amps("quotes", &one)];
    let known = format!("[{second}]:{} {}\n", one.address.port(), one.public_key());
    let instance = |inventory: &Value| {
        let mut instance = inventory["instances"]["quotes"].clone();
        instance["host"] = "ny4-2".into();
        instance
    };
    // The other address directly, and the same one through a hop.
    for (address, via) in [
        (second, json!([])),
        (&one.address.ip().to_string(), json!(["outer"])),
    ] {
        for knowingly in [false, true] {
            let run = lab.judge_knowing(&known, |inventory| {
                inventory["instances"]["quotes"] = instance(inventory);
                inventory["hosts"]["ny4-2"] =
                    json!({"address": address, "port": one.address.port(), "via": via});
                for host in ["ny4-1", "ny4-2"] {
                    if knowingly {
                        inventory["hosts"][host]["machine"] = "rack-7".into();
                    }
                }
            });
            match knowingly {
                true => run.assert_go(8),
                false => for_one_reason(
                    &lab,
                    &run,
                    "NO-GO",
                    &[
                        "ny4-1, ny4-2",
                        &one.machine_id,
                        "are one machine:",
                        "`machine: NAME`",
                    ],
                ),
            }
        }
    }
    drop(hop);
}

#[test]
fn one_machine_whose_second_account_is_for_files_in_a_chroot() {
    if needs_root("one_machine_whose_second_account_is_for_files_in_a_chroot") {
        return;
    }
    let lab = Lab::new();
    let builder = lab.host("ny4-1").sftp_chroot(MARKET_DATA);
    let ecdsa = lab.path("ny4-1/ecdsa_key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ecdsa", "-N", "", "-f"])
        .arg(&ecdsa)
        .status();
    assert!(made.unwrap().success());
    let one = builder
        .option(&format!("HostKey {}", ecdsa.display()))
        .start();
    lab.amps("orders", &one);
    let inside = Amps::install_in_chroot("quotes", &one);
    let pin = |file: &str| {
        let told = Command::new("ssh-keygen")
            .arg("-lf")
            .arg(one.path(file))
            .output();
        let told = String::from_utf8(told.unwrap().stdout).unwrap();
        told.split(' ').nth(1).unwrap().to_owned()
    };
    let judge = |second_key: &str, knowingly: bool| {
        lab.judge_with(|inventory| {
            inventory["hosts"]["ny4-2"] = inventory["hosts"]["ny4-1"].clone();
            // By another way, or the inventory would be refused.
            inventory["hosts"]["ny4-2"]["via"] = json!(["hop"]);
            inventory["hosts"]["hop"] = inventory["hosts"]["ny4-1"].clone();
            inventory["hosts"]["hop"]["user"] = OPERATIONS.login().into();
            inventory["hosts"]["hop"]["key"] = format!("keys/{OPS}").into();
            inventory["hosts"]["hop"]["machine"] = "it".into();
            inventory["hosts"]["ny4-1"]["machine"] = "it".into();
            inventory["hosts"]["hop"]["host_key"] = pin("host_key.pub").into();
            inventory["hosts"]["ny4-1"]["host_key"] = pin("host_key.pub").into();
            inventory["hosts"]["ny4-2"]["host_key"] = pin(second_key).into();
            if knowingly {
                inventory["hosts"]["ny4-2"]["machine"] = "it".into();
            }
            inventory["teams"][MD]["transport"] = "sftp".into();
            // No command can be sent there, so the version comes from a file.
            inventory["products"]["amps"]["artifacts"]["version"] = json!({
                "kind": "version", "path": "{home}/VERSION", "match": "\\d+\\.\\d+\\.\\d+\\.\\d+",
            });
            let mut quotes = inventory["instances"]["orders"].clone();
            quotes["host"] = "ny4-2".into();
            quotes["teams"] = json!([MD]);
            quotes["vars"]["home"] = inside.home.clone().into();
            quotes["expect"]["name"] = "quotes".into();
            inventory["instances"]["quotes"] = quotes;
        })
    };
    let run = judge("host_key.pub", false);
    let words = [
        "cannot be told apart",
        "ny4-1, ny4-2",
        "not each stated its machine-id",
    ];
    for_one_reason(&lab, &run, "NO-GO", &words);
    assert_eq!(host(&run, "ny4-2")["clock"], Value::Null);
    assert!(host(&run, "ny4-1")["clock"].is_object());
    let told = lab.run(&["show", run.dir.to_str().unwrap(), "--format", "text"]);
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("not measured: ny4-2"), "{told}");
    judge("host_key.pub", true).assert_go(8);
    // With keys of two types nothing proves that it is one machine, and nothing that it is not: said.
    let run = judge("ecdsa_key.pub", false);
    let words = [
        "not proven to be different machines: ny4-1, ny4-2",
        "pin keys of one type",
    ];
    for_one_reason(&lab, &run, "GO", &words);
}

#[test]
fn clones_of_one_image() {
    if needs_root("clones_of_one_image") {
        return;
    }
    let two = |clone: fn(crate::lab::HostBuilder<'_>, &Host) -> std::rc::Rc<Host>| {
        let lab = Lab::new();
        let one = lab.host("ny4-1").start();
        let other = clone(lab.host("ny4-2"), &one);
        lab.amps("orders", &one);
        lab.amps("quotes", &other);
        let run = lab.judge();
        (lab, run)
    };
    let (lab, run) = two(|other, one| other.same_machine_as(one).start());
    let words = [
        "one machine, or clones of one: ny4-1, ny4-2",
        "host keys differ",
        "systemd-machine-id-setup",
    ];
    for_one_reason(&lab, &run, "NO-GO", &words);
    let (lab, run) = two(|other, one| other.same_key_as(one).start());
    let words = ["share a host key", "ny4-1, ny4-2", "ssh-keygen -A"];
    for_one_reason(&lab, &run, "GO", &words);
    for page in ["report.html", "summary.md", "junit.xml"] {
        let page = fs::read_to_string(run.dir.join(page)).unwrap();
        assert!(page.contains("share a host key"), "{page}");
    }
    let (_lab, run) = two(|other, _| other.start());
    run.assert_go(8);
    assert!(reasons(&run).is_empty());
}

/// gonogo where /etc has that machine-id and shows that host key as the runner's own.
fn judge_from(lab: &Lab, machine_id: &str, key: &Host) -> Run {
    let etc = lab.path("runner-etc");
    let script = "set -e; rm -rf \"$1\"; mkdir -p \"$1\"; cp -a /etc/. \"$1\"; rm -rf \"$1/machine-id\" \"$1\"/ssh/ssh_host_*
        printf '%s\\n' \"$2\" >\"$1/machine-id\"; mkdir -p \"$1/ssh\"; cp \"$3\" \"$1/ssh/ssh_host_ed25519_key.pub\"
        mount --bind \"$1\" /etc; shift 3; exec \"$@\"";
    let out = lab.next_out();
    let output = Command::new("timeout")
        .args([
            "-k",
            "1",
            "100",
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            script,
            "sh",
        ])
        .arg(&etc)
        .arg(machine_id)
        .arg(key.path("host_key.pub"))
        .arg(GONOGO)
        .args(lab.run_args(&out))
        .envs(lab.environment())
        .current_dir(lab.operator())
        .output()
        .unwrap();
    Run::of(output, lab.operator().join(out))
}

#[test]
fn a_target_that_is_the_runner() {
    if needs_root("a_target_that_is_the_runner") {
        return;
    }
    let lab = Lab::new();
    let one = lab.host("ny4-1").start();
    let other = lab.host("ny4-2").start();
    lab.amps("orders", &one);
    lab.amps("quotes", &other);
    let mut inventory = lab.inventory();
    lab.write_inputs(&inventory);
    let words = [
        "ny4-1 is the machine that gonogo runs on",
        &one.machine_id,
        "`runner: true`",
    ];
    let run = judge_from(&lab, &one.machine_id, &other);
    for_one_reason(&lab, &run, "NO-GO", &words);
    // Without a machine-id, as in a container, its own SSH server's key still tells.
    let run = judge_from(&lab, "", &one);
    let words = [
        "ny4-1 is the machine that gonogo runs on",
        "host key SHA256:",
    ];
    for_one_reason(&lab, &run, "NO-GO", &words);
    judge_from(&lab, &"0".repeat(32), &one).assert_go(8);
    inventory["hosts"]["ny4-1"]["runner"] = true.into();
    lab.write_inputs(&inventory);
    let run = judge_from(&lab, &one.machine_id, &other);
    run.assert_go(8);
    assert_eq!(host(&run, "ny4-1")["runner"], true);
}

#[test]
fn a_clock_that_is_off() {
    let lab = Lab::new();
    let late = lab.host("ny4-1").clock_off(-600).start();
    let early = lab.host("ny4-2").clock_off(30).start();
    let orders = lab.amps("orders", &late);
    *orders.teams.borrow_mut() = vec![OPS, MD];
    let quotes = lab.amps("quotes", &early);
    let shown = lab.ssh(&late, OPERATIONS, "date -u +%s");
    let shown: i64 = String::from_utf8(shown.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let now = jiff::Timestamp::now().as_second();
    assert!((now - 660..now - 540).contains(&shown), "{shown} at {now}");

    let run = lab.judge();
    let failed: Vec<_> = FOUR
        .iter()
        .flat_map(|four| {
            [
                ("orders", OPS, *four, "mismatch"),
                ("orders", MD, *four, "mismatch"),
            ]
        })
        .collect();
    run.assert_only(&failed);
    let failure = &run.check("orders", OPS, "version")["failure"];
    assert_eq!(failure["expected"], "a clock within 1m of the runner's");
    let actual = failure["actual"].as_str().unwrap();
    assert!(actual.contains("behind the runner's (±"), "{failure:#}");
    assert!(
        failure["hint"]
            .as_str()
            .unwrap()
            .contains("chronyc tracking")
    );
    let reasons = reasons(&run).join("\n");
    assert!(reasons.contains("the clock of host ny4-1 is "), "{reasons}");
    assert!(!reasons.contains("ny4-2"), "{reasons}");
    let told = host(&run, "ny4-2");
    let skew = told["clock"]["skew_ms"].as_i64().unwrap();
    assert!((15_000..45_000).contains(&skew), "{told:#}");
    assert_eq!(told["clock"]["tolerance_ms"], 60_000);
    let page = fs::read_to_string(run.dir.join("summary.md")).unwrap();
    assert!(page.contains("2 measured, the furthest ny4-1 "), "{page}");
    let page = fs::read_to_string(run.dir.join("report.html")).unwrap();
    assert!(
        page.contains("behind the runner&#39;s") || page.contains("behind the runner's"),
        "{page}"
    );
    let transcript = run.check("quotes", OPS, "version")["transcript"]
        .as_str()
        .unwrap();
    let transcript = fs::read_to_string(run.dir.join(transcript)).unwrap();
    assert!(transcript.contains("ahead of the runner's"), "{transcript}");

    // Who accepts that much may say so.
    let run = lab.judge_with(|inventory| {
        inventory["hosts"]["ny4-1"]["clock_tolerance"] = "15m".into();
    });
    run.assert_go(12);
    // And who wants it closer may too.
    let run = lab.judge_with(|inventory| {
        inventory["hosts"]["ny4-1"]["clock_tolerance"] = "15m".into();
        inventory["hosts"]["ny4-2"]["clock_tolerance"] = "5s".into();
    });
    run.assert_only(&FOUR.map(|four| ("quotes", OPS, four, "mismatch")));
    // Who reads of an old entry reads of the clock that dated it.
    quotes.write_logs(jiff::SignedDuration::from_hours(2));
    let run = lab.judge_with(|inventory| {
        inventory["hosts"]["ny4-1"]["clock_tolerance"] = "15m".into();
    });
    run.assert_only(&[("quotes", OPS, "event log", "stale")]);
    let hint = &run.check("quotes", OPS, "event log")["failure"]["hint"];
    let hint = hint.as_str().unwrap();
    assert!(
        hint.contains("the host's clock is ") && hint.contains("ahead"),
        "{hint}"
    );
}

#[test]
fn an_address_that_leads_to_another_host_of_the_inventory() {
    if needs_root("an_address_that_leads_to_another_host_of_the_inventory") {
        return;
    }
    let lab = Lab::new();
    let one = lab.host("ny4-1").start();
    let other = lab.host("ny4-2").same_key_as(&one).start();
    lab.amps("orders", &one);
    lab.amps("quotes", &other);
    // A wrong line in DNS: the name of ny4-2 leads to ny4-1, which has its key.
    let balancer = Balancer::before(&[&one], None);
    let known = balancer.known_hosts_line(&other);
    let pinned = |inventory: &mut Value, right: bool| {
        let id = json!({"machine_id": other.machine_id});
        inventory["hosts"]["ny4-2"]["identity"] = id;
        if !right {
            inventory["hosts"]["ny4-2"]["address"] = balancer.address.ip().to_string().into();
            inventory["hosts"]["ny4-2"]["port"] = balancer.address.port().into();
        }
    };
    let run = lab.judge_knowing(&known, |inventory| pinned(inventory, false));
    run.assert_only(&FOUR.map(|four| ("quotes", OPS, four, "mismatch")));
    let told = reasons(&run).join("\n");
    assert!(
        told.contains("hosts are one machine: ny4-1, ny4-2"),
        "{told}"
    );
    assert!(
        told.contains("ny4-2 is not the one that is meant"),
        "{told}"
    );
    lab.judge_with(|inventory| pinned(inventory, true))
        .assert_go(8);
}

#[test]
fn who_the_host_is_needs_no_sudo() {
    if needs_root("who_the_host_is_needs_no_sudo") {
        return;
    }
    let lab = Lab::new();
    // Only what the checks need: the shell's words are what `gonogo plan` printed.
    let builder = lab.host("ny4-1").record_commands(OPERATIONS);
    let user = OPERATIONS.login();
    let one = builder
        .sudoers(&format!("{user} ALL=(gonogo-amps) NOPASSWD: ALL"))
        .start();
    lab.amps("orders", &one);
    for transport in ["auto", "exec"] {
        let before = one.commands().len();
        let run = lab.judge_with(|inventory| {
            inventory["teams"][OPS]["elevate"] = json!({"sudo": "gonogo-amps"});
            inventory["teams"][OPS]["transport"] = transport.into();
            inventory["hosts"]["ny4-1"]["identity"] =
                json!({"hostname": "ny4-1", "machine_id": one.machine_id});
        });
        run.assert_go(4);
        let commands = one.commands()[before..].to_owned();
        assert!(
            commands.contains("sudo") && commands.contains("date"),
            "{commands}"
        );
        let own = ["machine-id", "hostname", "date -u"];
        for line in commands
            .lines()
            .filter(|line| own.iter().any(|own| line.contains(own)))
        {
            assert!(!line.contains("sudo"), "{line}");
        }
    }
}
