//! A denial says on which element of the path, and by which remedy: each remedy that is printed is then
//! applied on the host, word for word, and the same run is GO.

use std::os::unix::fs::chown;
use std::rc::Rc;

use serde_json::Value;

use super::as_root_of;
use crate::lab::{Amps, Host, Lab, MARKET_DATA, OPERATIONS, Run, SERVICE, needs_root};

const OPS: &str = OPERATIONS.team;

/// The commands between backquotes in a hint, in its order.
fn remedies(failure: &Value) -> Vec<String> {
    let hint = failure["hint"].as_str().unwrap();
    let quoted = hint.split('`').skip(1).step_by(2).map(str::to_owned);
    let remedies: Vec<String> = quoted
        .filter(|line| {
            ["setfacl -m", "chmod", "usermod"]
                .iter()
                .any(|one| line.starts_with(one))
        })
        .collect();
    assert!(!remedies.is_empty(), "{hint}");
    assert!(!hint.contains('\n'), "{hint}");
    remedies
}

struct Broken {
    lab: Lab,
    host: Rc<Host>,
    orders: Rc<Amps>,
}

impl Broken {
    fn new(test: &str) -> Option<Self> {
        if needs_root(test) {
            return None;
        }
        let lab = Lab::new();
        let host = lab.host("ny4-1").start();
        let orders = lab.amps("orders", &host);
        lab.amps("quotes", &host);
        Some(Self { lab, host, orders })
    }

    fn mode(&self, relative: &str, mode: u32) {
        self.orders.mode(relative, mode);
    }

    fn own(&self, relative: &str, uid: u32, gid: u32) {
        chown(self.orders.path(relative), Some(uid), Some(gid)).unwrap();
    }

    /// Judges, expects that one scenario to be denied, and hands over its failure.
    #[track_caller]
    fn denied(&self, scenario: &str, edit: fn(&mut Value)) -> Value {
        let run = self.lab.judge_with(edit);
        run.assert_only(&[("orders", OPS, scenario, "denied")]);
        run.check("orders", OPS, scenario)["failure"].clone()
    }

    /// The path of an element as the host names it, and what is said of it.
    #[track_caller]
    fn says(&self, failure: &Value, relative: &str, told: &[&str]) {
        let actual = failure["actual"].as_str().unwrap();
        let path = self.orders.path(relative).display().to_string();
        assert!(actual.contains(&format!("{path} is ")), "{failure:#}");
        for told in told {
            assert!(actual.contains(told), "{told}: {failure:#}");
        }
    }

    /// Every remedy by itself makes it GO; `restore` breaks it again in between.
    #[track_caller]
    fn each_remedy_is_enough(
        &self,
        failure: &Value,
        edit: fn(&mut Value),
        restore: impl Fn(&Self),
    ) {
        for (at, remedy) in remedies(failure).iter().enumerate() {
            if at > 0 {
                restore(self);
            }
            as_root_of(&self.host, remedy);
            self.lab.judge_with(edit).assert_go(8);
        }
    }
}

fn as_it_is(_: &mut Value) {}

fn by_sftp(inventory: &mut Value) {
    let version = serde_json::json!({
        "kind": "version", "path": "{home}/VERSION", "match": "\\d+\\.\\d+\\.\\d+\\.\\d+",
    });
    inventory["products"]["amps"]["artifacts"]["version"] = version;
    inventory["teams"][OPS]["transport"] = "sftp".into();
}

fn by_commands(inventory: &mut Value) {
    inventory["teams"][OPS]["transport"] = "exec".into();
}

#[test]
fn a_directory_above_that_may_not_be_entered() {
    let Some(broken) = Broken::new("a_directory_above_that_may_not_be_entered") else {
        return;
    };
    let shut = |broken: &Broken| {
        as_root_of(
            &broken.host,
            &format!("setfacl -b {}", broken.orders.path("config").display()),
        );
        broken.own("config", 0, 0);
        broken.mode("config", 0o744);
    };
    shut(&broken);
    for edit in [as_it_is, by_sftp, by_commands] {
        let failure = broken.denied("configuration", edit);
        broken.says(&failure, "config", &["drwxr--r--", "(0744)"]);
    }
    let failure = broken.denied("configuration", as_it_is);
    let groups = format!(
        "{0} has groups {0}, {1}",
        OPERATIONS.login(),
        SERVICE.login()
    );
    broken.says(&failure, "config", &["root:root", &groups]);
    broken.each_remedy_is_enough(&failure, as_it_is, shut);
}

#[test]
fn a_directory_that_may_not_be_listed_under_a_pattern() {
    let Some(broken) = Broken::new("a_directory_that_may_not_be_listed_under_a_pattern") else {
        return;
    };
    let shut = |broken: &Broken| {
        as_root_of(
            &broken.host,
            &format!("setfacl -b {}", broken.orders.path("logs").display()),
        );
        broken.mode("logs", 0o700);
    };
    shut(&broken);
    for edit in [as_it_is, by_commands, by_sftp] {
        let failure = broken.denied("event log", edit);
        broken.says(&failure, "logs", &["drwx------"]);
    }
    // By numbers alone the remedies are others.
    let failure = broken.denied("event log", by_sftp);
    broken.each_remedy_is_enough(&failure, by_sftp, shut);
}

#[test]
fn a_file_that_may_not_be_read() {
    let Some(broken) = Broken::new("a_file_that_may_not_be_read") else {
        return;
    };
    let shut = |broken: &Broken| {
        let path = broken.orders.path("config/config.xml");
        as_root_of(&broken.host, &format!("setfacl -b {}", path.display()));
        broken.mode("config/config.xml", 0o600);
    };
    shut(&broken);
    let failure = broken.denied("configuration", as_it_is);
    broken.says(&failure, "config/config.xml", &["-rw-------", "(0600)"]);
    assert!(
        failure["hint"].as_str().unwrap().contains("umask"),
        "{failure:#}"
    );
    broken.each_remedy_is_enough(&failure, as_it_is, shut);
}

#[test]
fn a_group_that_the_account_is_not_in() {
    let Some(broken) = Broken::new("a_group_that_the_account_is_not_in") else {
        return;
    };
    // The group of the other team, which operations is no member of.
    let shut = |broken: &Broken| {
        let path = broken.orders.path("logs").display().to_string();
        as_root_of(&broken.host, &format!("setfacl -b {path}"));
        let (ops, md) = (OPERATIONS.login(), MARKET_DATA.login());
        as_root_of(&broken.host, &format!("gpasswd -d {ops} {md} || true"));
        broken.own("logs", SERVICE.uid, MARKET_DATA.uid);
        broken.mode("logs", 0o750);
    };
    shut(&broken);
    let failure = broken.denied("event log", as_it_is);
    let owned = format!(
        "drwxr-x--- {}:{} (0750)",
        SERVICE.login(),
        MARKET_DATA.login()
    );
    broken.says(&failure, "logs", &[&owned]);
    let usermod = format!("usermod -aG {} {}", MARKET_DATA.login(), OPERATIONS.login());
    assert_eq!(remedies(&failure)[1], usermod);
    broken.each_remedy_is_enough(&failure, as_it_is, shut);
}

#[test]
fn an_acl_that_denies_what_the_mode_allows() {
    let Some(broken) = Broken::new("an_acl_that_denies_what_the_mode_allows") else {
        return;
    };
    let path = broken
        .orders
        .path("config/config.xml")
        .display()
        .to_string();
    as_root_of(
        &broken.host,
        &format!("setfacl -m u:{}:- {path}", OPERATIONS.login()),
    );
    let failure = broken.denied("configuration", as_it_is);
    broken.says(&failure, "config/config.xml", &["-rw-r-----+"]);
    assert!(
        failure["hint"].as_str().unwrap().contains("getfacl"),
        "{failure:#}"
    );
    broken.each_remedy_is_enough(&failure, as_it_is, |_| ());
    // By SFTP no ACL shows: then it is named as one of those that it may be.
    as_root_of(
        &broken.host,
        &format!("setfacl -m u:{}:- {path}", OPERATIONS.login()),
    );
    broken.mode("config/config.xml", 0o644);
    as_root_of(
        &broken.host,
        &format!("setfacl -m u:{}:- {path}", OPERATIONS.login()),
    );
    let failure = broken.denied("configuration", by_sftp);
    for told in ["getfacl", "ausearch", "AppArmor", "root squash"] {
        assert!(
            failure["hint"].as_str().unwrap().contains(told),
            "{failure:#}"
        );
    }
}

#[test]
fn a_program_that_may_not_be_executed() {
    let Some(broken) = Broken::new("a_program_that_may_not_be_executed") else {
        return;
    };
    let shut = |broken: &Broken| {
        let path = broken.orders.path("bin/ampServer").display().to_string();
        as_root_of(&broken.host, &format!("setfacl -b {path}"));
        broken.mode("bin/ampServer", 0o740);
    };
    shut(&broken);
    let failure = broken.denied("version", as_it_is);
    broken.says(
        &failure,
        "bin/ampServer",
        &["exit status 126", "-rwxr-----"],
    );
    broken.each_remedy_is_enough(&failure, as_it_is, shut);
}

#[test]
fn what_looks_was_planned_and_looks_only_after_a_denial() {
    if needs_root("what_looks_was_planned_and_looks_only_after_a_denial") {
        return;
    }
    let lab = Lab::new();
    let host = lab.host("ny4-1").record_commands(OPERATIONS).start();
    let orders = lab.amps("orders", &host);
    lab.judge_with(by_commands).assert_go(4);
    let ran = |run: &Run, line: &str| {
        assert!(run.code() < 2, "{}", run.told());
        host.commands().contains(line)
    };
    let go = lab.judge_with(by_commands);
    assert!(
        !ran(&go, "'ls'") && !ran(&go, "'id'"),
        "{}",
        host.commands()
    );
    orders.lock("config");
    let plan = lab.run(&["plan", "-i", "inventory.yaml", "features"]);
    let plan = String::from_utf8_lossy(&plan.stdout).into_owned();
    let denied = lab.judge_as_written();
    denied.assert_only(&[("orders", OPS, "configuration", "denied")]);
    assert!(
        ran(&denied, "'ls'") && ran(&denied, "'id'"),
        "{}",
        host.commands()
    );
    assert!(plan.contains("    denied?  id\n"), "{plan}");
    let home = &orders.home;
    assert!(plan.contains("    denied?  ls -ld -- / "), "{plan}");
    assert!(
        plan.contains(&format!("{home}/config '{home}/config/*.xml'\n")),
        "{plan}"
    );
}
