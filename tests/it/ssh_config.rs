//! The route that people use: an inventory that says neither address, account, key nor hop goes where
//! `ssh -F FILE HOST` goes, on real servers, and what cannot be followed is named.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::rc::Rc;

use crate::lab::{FOUR, Host, Lab, OPERATIONS};
use serde_json::json;

/// A bastion that only the operator's ssh_config knows, and a host behind it.
struct Estate {
    lab: Lab,
    bastion: Rc<Host>,
    target: Rc<Host>,
}

impl Estate {
    fn new() -> Self {
        let lab = Lab::new();
        let bastion = lab.host("bastion").start();
        let target = lab.host("ny4-1").start();
        lab.amps("orders", &target);
        let estate = Self {
            lab,
            bastion,
            target,
        };
        let mut inventory = estate.lab.inventory();
        inventory["ssh"] = json!({"ssh_config": "~/.ssh/config", "deadline": "30s"});
        inventory["hosts"] = json!({"ny4-1": {}});
        inventory["teams"] = json!({OPERATIONS.team: {}});
        estate.lab.write_inputs(&inventory);
        fs::create_dir(estate.lab.operator().join(".ssh")).unwrap();
        estate.configure(&estate.config());
        estate
    }

    /// What people have in `~/.ssh/config`.
    fn config(&self) -> String {
        let operator = self.lab.operator();
        let (bastion, target) = (self.bastion.address, self.target.address);
        format!(
            "Host jump
  HostName {}
  Port {}
Host ny4-1
  HostName {}
  Port {}
  ProxyJump jump
Host *
  User {}
  IdentityFile {}
  IdentitiesOnly yes
  UserKnownHostsFile {}
  GlobalKnownHostsFile none
",
            bastion.ip(),
            bastion.port(),
            target.ip(),
            target.port(),
            OPERATIONS.login(),
            operator.join("keys").join(OPERATIONS.team).display(),
            operator.join("known_hosts").display(),
        )
    }

    fn configure(&self, text: &str) {
        let path = self.lab.operator().join(".ssh/config");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Who was let in on either host so far, without what differs from one connection to the next.
    fn accepted(&self) -> [Vec<String>; 2] {
        [&self.bastion, &self.target].map(|host| {
            let log = host.log();
            let lines = log
                .lines()
                .filter(|line| line.starts_with("Accepted publickey "));
            let bare = |line: &str| {
                let words: Vec<&str> = line.split(' ').collect();
                let at = words.iter().position(|word| *word == "port").unwrap();
                [&words[..at], &words[at + 2..]].concat().join(" ")
            };
            lines.map(bare).collect()
        })
    }
}

#[test]
fn gonogo_goes_where_ssh_goes_and_verify_needs_no_ssh_config() {
    let estate = Estate::new();
    let lab = &estate.lab;
    let by_hand = Command::new("ssh")
        .arg("-F")
        .arg(lab.operator().join(".ssh/config"))
        // A hop's own ssh(1) reads the same file.
        .args(["-o", "BatchMode=yes", "ny4-1", "true"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(by_hand.status.success(), "{by_hand:?}");
    let first = estate.accepted();
    assert_eq!((first[0].len(), first[1].len()), (1, 1), "{first:?}");

    let run = lab.judge_as_written();
    run.assert_go(4);
    let both = estate.accepted();
    for (before, after) in first.iter().zip(&both) {
        assert_eq!(after.len(), 2, "one login each: {after:?}");
        assert_eq!(after[1], before[0], "another way than by hand");
    }
    let hosts = run.report()["hosts"].as_array().unwrap();
    let told: Vec<_> = hosts
        .iter()
        .map(|host| {
            (
                host["name"].as_str().unwrap(),
                host["address"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let (target, jump) = (estate.target.address, estate.bastion.address);
    assert_eq!(
        told,
        [("ny4-1", target.to_string()), ("jump", jump.to_string())]
    );

    let plan = lab.run(&["plan", "-i", "inventory.yaml", "features"]);
    let plan = String::from_utf8(plan.stdout).unwrap();
    let login = OPERATIONS.login();
    let route = format!("ny4-1 as operations  ({login}@{target} via {login}@{jump})");
    assert!(plan.contains(&route), "{plan}");
    assert!(
        plan.contains("follows  ~/.ssh/config as jump, hop jump: key "),
        "{plan}"
    );
    assert!(
        plan.contains("follows  ~/.ssh/config as ny4-1: key "),
        "{plan}"
    );

    // The run keeps what the file said, and nothing else is asked when it is verified.
    let kept = run.dir.join("inputs/team-1-operations.ssh_config");
    let kept = fs::read_to_string(kept).unwrap();
    assert!(
        kept.contains("Host ny4-1\n") && kept.contains("ProxyJump jump\n"),
        "{kept}"
    );
    fs::remove_file(lab.operator().join(".ssh/config")).unwrap();
    let verified = lab.verify(&run.dir);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
}

#[test]
fn what_the_file_has_wrong_is_told_by_the_address_it_leads_to() {
    let estate = Estate::new();
    let target = estate.target.address;
    let shut = std::net::TcpListener::bind((*target.ip(), 0)).unwrap();
    let port = shut.local_addr().unwrap().port();
    drop(shut);
    let wrong = |host: &Host| {
        let right = format!("Port {}\n", host.address.port());
        assert!(estate.config().contains(&right));
        estate.configure(&estate.config().replace(&right, &format!("Port {port}\n")));
        estate.lab.judge_as_written()
    };
    let all = FOUR.map(|four| ("orders", OPERATIONS.team, four, "unreachable"));
    // Behind the hop it is the hop that could not connect.
    for host in [&estate.target, &estate.bastion] {
        let run = wrong(host);
        run.assert_only(&all);
        let failure = &run.check("orders", OPERATIONS.team, "version")["failure"];
        assert_eq!(failure["host"], "jump", "{failure:#}");
        let named = format!("{}:{port}", host.address.ip());
        let told = format!(
            "{} {} {}",
            failure["subject"], failure["expected"], failure["actual"]
        );
        assert!(told.contains(&named), "{named}: {failure:#}");
    }
    estate.configure(&estate.config());
    estate.lab.judge_as_written().assert_go(4);
}

#[test]
fn nothing_in_the_file_weakens_the_proof_of_the_host() {
    let estate = Estate::new();
    let lab = &estate.lab;
    // By hand this lets anybody answer.
    let weak = format!("StrictHostKeyChecking no\n{}", estate.config());
    estate.configure(&weak);
    lab.judge_as_written().assert_go(4);
    fs::write(
        lab.operator().join("known_hosts"),
        estate.bastion.known_hosts_line(),
    )
    .unwrap();
    let run = lab.judge_as_written();
    run.assert_only(&FOUR.map(|four| ("orders", OPERATIONS.team, four, "host-key")));
    let plan = lab.run(&["plan", "-i", "inventory.yaml", "features"]);
    let plan = String::from_utf8(plan.stdout).unwrap();
    assert!(
        plan.contains(
            "note     StrictHostKeyChecking no is not followed: the host key is always checked"
        ),
        "{plan}"
    );
}

#[test]
fn what_cannot_be_followed_is_refused_at_its_line_before_anything_is_contacted() {
    let estate = Estate::new();
    let lab = &estate.lab;
    let (config, file) = (estate.config(), lab.operator().join(".ssh/config"));
    for (line, told) in [
        (
            "  ProxyCommand nc %h %p\n",
            "`ProxyCommand nc %h %p` cannot be followed",
        ),
        (
            "  GSSAPIAuthentication yes\n",
            "`GSSAPIAuthentication yes` cannot be followed",
        ),
        ("  Prot 22\n", "unknown keyword `Prot`"),
    ] {
        estate.configure(&config.replace("Host ny4-1\n", &format!("Host ny4-1\n{line}")));
        let run = lab.judge_as_written();
        assert_eq!(run.code(), 2, "{}", run.told());
        let stderr = String::from_utf8_lossy(&run.output.stderr);
        let place = format!(" --> {}:5:3", file.display());
        assert!(stderr.contains(told) && stderr.contains(&place), "{stderr}");
        assert!(stderr.contains("hint: "), "{stderr}");
    }
    // ssh(1) refuses such a file, too.
    estate.configure(&config);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    let run = lab.judge_as_written();
    assert_eq!(run.code(), 2, "{}", run.told());
    assert!(
        run.told().contains("could have been written by others"),
        "{}",
        run.told()
    );
    assert_eq!(estate.accepted(), [Vec::<String>::new(), Vec::new()]);
}
