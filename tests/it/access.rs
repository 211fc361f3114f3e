//! The ways in that an inventory can describe, each GO on real servers: a login without SFTP, one whose
//! commands alone are used, and two hops with accounts of their own.

use serde_json::json;

use crate::lab::{Lab, MARKET_DATA, OPERATIONS};

fn methods(run: &crate::lab::Run) -> Vec<&str> {
    let evidence = run.checks().iter().flat_map(|check| {
        let evidence = check["evidence"].as_array().unwrap().iter();
        evidence.map(|item| item["method"].as_str().unwrap())
    });
    let mut methods: Vec<_> = evidence.collect();
    methods.sort_unstable();
    methods.dedup();
    methods
}

#[test]
fn by_commands_alone_although_there_is_sftp() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").record_sftp().start();
    lab.amps("orders", &host);
    let run = lab.judge();
    run.assert_go(4);
    assert_eq!(methods(&run), ["command", "sftp"]);
    let seen = host.sftp_log().len();
    assert!(seen > 0);
    let run = lab.judge_with(|inventory| {
        inventory["teams"][OPERATIONS.team]["transport"] = "exec".into();
    });
    run.assert_go(4);
    assert_eq!(methods(&run), ["command", "exec"]);
    assert_eq!(host.sftp_log().len(), seen, "{}", host.sftp_log());
}

#[test]
fn through_two_hops_with_accounts_of_their_own() {
    let lab = Lab::new();
    let outer = lab.host("outer").start();
    let inner = lab.host("inner").start();
    let target = lab.host("ny4-1").without_key(MARKET_DATA).start();
    lab.amps("orders", &target);
    let run = lab.judge_with(|inventory| {
        for (hop, account) in [("outer", MARKET_DATA), ("inner", OPERATIONS)] {
            inventory["hosts"][hop]["user"] = account.login().into();
            inventory["hosts"][hop]["key"] = json!(format!("keys/{}", account.team));
        }
        inventory["hosts"]["ny4-1"]["via"] = json!(["outer", "inner"]);
    });
    run.assert_go(4);
    for (host, account) in [
        (&outer, MARKET_DATA),
        (&inner, OPERATIONS),
        (&target, OPERATIONS),
    ] {
        let accepted = format!("Accepted publickey for {} ", account.login());
        assert!(host.log().contains(&accepted), "{}", host.log());
    }
    // Nothing is executed on a hop, and the target is reached from the inner one.
    for hop in [&outer, &inner] {
        assert!(!hop.log().contains("Starting session"), "{}", hop.log());
    }
    if crate::lab::is_root() {
        let hosts = run.report()["hosts"].as_array().unwrap();
        let told = hosts.iter().find(|host| host["name"] == "ny4-1").unwrap();
        assert_eq!(told["identity"]["machine_id"], target.machine_id.as_str());
    }
}

#[test]
fn a_hop_that_lets_nobody_in_is_named() {
    let lab = Lab::new();
    let hop = lab.host("outer").without_key(OPERATIONS).start();
    let target = lab.host("ny4-1").start();
    let near = lab.host("ny4-2").start();
    lab.amps("orders", &target);
    lab.amps("quotes", &near);
    let run = lab.judge_with(|inventory| {
        inventory["hosts"]["ny4-1"]["via"] = json!(["outer"]);
    });
    let failed = crate::lab::FOUR.map(|four| ("orders", OPERATIONS.team, four, "auth"));
    run.assert_only(&failed);
    let check = run.check("orders", OPERATIONS.team, "version");
    assert_eq!(check["failure"]["host"], "outer", "{check:#}");
    assert!(!target.log().contains("Accepted"), "{}", target.log());
    drop(hop);
}

// One team by libssh2, one by the installed `ssh` and through a hop: both are GO, and the report says
// which client each came with.
#[test]
fn by_the_installed_ssh_for_one_team() {
    let lab = Lab::new();
    let bastion = lab.host("bastion").start();
    let host = lab.host("ny4-1").start();
    let orders = lab.amps("orders", &host);
    orders.teams.borrow_mut().push(MARKET_DATA.team);
    let edit = |inventory: &mut serde_json::Value| {
        inventory["teams"][MARKET_DATA.team]["client"] = "openssh".into();
        inventory["teams"][MARKET_DATA.team]["via"] = json!(["bastion"]);
    };
    let run = lab.judge_with(edit);
    run.assert_go(8);
    let out = lab.verify(&run.dir);
    assert!(out.status.success(), "{out:?}");
    let report = run.report();
    let hosts = report["hosts"].as_array().unwrap().iter();
    let seen = hosts.clone().find(|host| host["name"] == "ny4-1").unwrap();
    let client = |team: &str| seen["clients"][team].as_str().unwrap();
    assert!(client(OPERATIONS.team).starts_with("libssh2 "), "{seen}");
    assert!(client(MARKET_DATA.team).starts_with("OpenSSH_"), "{seen}");
    assert_eq!(report["run"]["tool"]["openssh"], client(MARKET_DATA.team));
    assert!(bastion.log().contains("direct-tcpip") || bastion.log().contains("Accepted"));

    // Without an `ssh` on the runner nothing is contacted.
    let before = host.log().matches("Connection from").count();
    let empty = lab.operator().join("bin");
    std::fs::create_dir_all(&empty).unwrap();
    let out = lab.next_out();
    let told = std::process::Command::new(crate::lab::GONOGO)
        .args(lab.run_args(&out))
        .current_dir(lab.operator())
        .env("PATH", &empty)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&told.stderr);
    assert_eq!(told.status.code(), Some(3), "{said}");
    assert!(said.contains("openssh-client"), "{said}");
    assert_eq!(host.log().matches("Connection from").count(), before);
}

// By the file that operators use themselves: its ProxyCommand is the way, and the inventory names no key.
#[test]
fn by_the_operators_own_ssh_config() {
    let lab = Lab::new();
    let bastion = lab.host("bastion").start();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host);
    let operator = lab.operator();
    let key = operator.join("keys").join(OPERATIONS.team);
    let write = |known: &std::path::Path| {
        let config = format!(
            "Host amps\n  HostName {}\n  Port {}\n  IdentityFile {key}\n  IdentitiesOnly yes\n  \
             UserKnownHostsFile {known}\n  ProxyCommand ssh -F none -i {key} -o IdentitiesOnly=yes -o \
             UserKnownHostsFile={known} -p {} -W %h:%p {}@{}\n",
            host.address.ip(),
            host.address.port(),
            bastion.address.port(),
            OPERATIONS.login(),
            bastion.address.ip(),
            key = key.display(),
            known = known.display(),
        );
        std::fs::write(operator.join("ssh_config"), config).unwrap();
    };
    let edit = |inventory: &mut serde_json::Value| {
        inventory["hosts"]
            .as_object_mut()
            .unwrap()
            .remove("bastion");
        inventory["hosts"]["ny4-1"] = json!({"address": "amps"});
        inventory["ssh"]
            .as_object_mut()
            .unwrap()
            .remove("known_hosts");
        inventory["ssh"]["ssh_config"] = "ssh_config".into();
        inventory["ssh"]["client"] = "openssh".into();
        let team = inventory["teams"][OPERATIONS.team].as_object_mut().unwrap();
        team.remove("key");
        inventory["teams"]
            .as_object_mut()
            .unwrap()
            .remove(MARKET_DATA.team);
    };
    write(&operator.join("known_hosts"));
    let run = lab.judge_with(edit);
    run.assert_go(4);
    assert!(lab.verify(&run.dir).status.success());
    assert!(
        bastion.log().contains("Accepted publickey"),
        "{}",
        bastion.log()
    );
    // Nobody is let in by a file that names no host key.
    write(std::path::Path::new("/dev/null"));
    let run = lab.judge_as_written();
    assert_eq!(run.last_line(), "NO-GO", "{}", run.told());
}
