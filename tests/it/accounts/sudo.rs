//! `elevate` on a real sudo whose rules allow exactly one command: every way in which sudo says no, in
//! its own words and with its own remedy, and what it may have set without harm.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use gonogo::failure::{Failure, FailureKind as K};
use gonogo::inventory::{Elevate, Inventory, Login};
use gonogo::transport::{Command, Limits, Output, Session, Ways};
use tokio_util::sync::CancellationToken;

use super::as_root_of;
use crate::lab::{Host, Lab, OPERATIONS, SERVICE, needs_root};

const OPS: &str = OPERATIONS.team;

/// A host with sudo, and a program of which its rules speak.
struct Sudo {
    lab: Lab,
    host: Rc<Host>,
    program: String,
}

impl Sudo {
    fn new() -> Self {
        let lab = Lab::new();
        let host = lab.host("ny4-1").sudoers("# one rule at a time").start();
        let program = host.path("program");
        let text = "#!/bin/sh\necho \"$(id -un) $1\"; echo err >&2; exit 3\n";
        fs::write(&program, text).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let program = program.display().to_string();
        Self { lab, host, program }
    }

    /// Replaces every rule; `{one}` is the rule of the one command.
    fn rules(&self, lines: &str) {
        let (ops, amps) = (OPERATIONS.login(), SERVICE.login());
        let one = format!("{ops} ALL=({amps}) NOPASSWD: {} --version", self.program);
        let lines = lines.replace("{one}", &one).replace("{ops}", &ops);
        let lines = lines
            .replace("{amps}", &amps)
            .replace("{program}", &self.program);
        let file = "/etc/sudoers.d/gonogo-lab";
        as_root_of(
            &self.host,
            &format!("printf '%s\\n' '{lines}' >{file}; chmod 440 {file}"),
        );
    }

    /// The login that a team's `elevate:` makes.
    fn login(&self, elevate: Elevate) -> Login {
        self.lab.write_inputs(&self.lab.inventory());
        let inventory = Inventory::load(&self.lab.operator().join("inventory.yaml")).unwrap();
        Login {
            elevate,
            ..inventory.login("ny4-1", OPS).unwrap().clone()
        }
    }

    async fn session(&self, elevate: Elevate) -> Arc<dyn Session> {
        let login = self.login(elevate);
        let cancel = CancellationToken::new();
        Ways::default().connect(&login, &cancel).await.unwrap()
    }

    async fn run(&self, elevate: Elevate, words: &[&str]) -> Result<Output, Failure> {
        let session = self.session(elevate).await;
        let words = words.iter().map(|&word| word.to_owned()).collect();
        let limits = Limits {
            time: Duration::from_secs(20),
            bytes: 1 << 20,
        };
        session.run(&Command(words), limits).await
    }
}

fn to_amps() -> Elevate {
    Elevate::User(SERVICE.login())
}

#[tokio::test]
async fn one_allowed_command_is_all_that_runs() {
    if needs_root("one_allowed_command_is_all_that_runs") {
        return;
    }
    let sudo = Sudo::new();
    for rules in [
        "{one}",
        "Defaults lecture=always\n{one}",
        "Defaults use_pty\n{one}",
        "Defaults !use_pty\n{one}",
        "Defaults requiretty\nDefaults:{ops} !requiretty\n{one}",
        "{ops} ALL=({amps} NOPASSWD: ALL\n{one}",
    ] {
        sudo.rules(rules);
        let ran = sudo.run(to_amps(), &[&sudo.program, "--version"]).await;
        let ran = ran.unwrap_or_else(|failure| panic!("{rules}: {failure}"));
        let stdout = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert_eq!(
            stdout,
            format!("{} --version\n", SERVICE.login()),
            "{rules}"
        );
        let stderr = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(stderr.ends_with("err\n"), "{rules}: {stderr}");
        assert_eq!(ran.status, 3, "{rules}");
    }
    // The account that it becomes may be expired, and without a shell.
    let amps = SERVICE.login();
    as_root_of(
        &sudo.host,
        &format!("chage -E 0 {amps}; usermod -s /usr/sbin/nologin {amps}"),
    );
    assert!(
        sudo.run(to_amps(), &[&sudo.program, "--version"])
            .await
            .is_ok()
    );
    // Nothing else, nor the same otherwise.
    for (elevate, words) in [
        (to_amps(), vec![sudo.program.as_str(), "--other"]),
        (to_amps(), vec![sudo.program.as_str()]),
        (to_amps(), vec!["cat", "/etc/shadow"]),
        (Elevate::Root, vec![sudo.program.as_str(), "--version"]),
    ] {
        let failure = sudo.run(elevate, &words).await.unwrap_err();
        assert_eq!(failure.kind, K::Elevate, "{words:?}: {failure}");
    }
}

#[tokio::test]
async fn every_refusal_of_sudo_in_its_own_words() {
    if needs_root("every_refusal_of_sudo_in_its_own_words") {
        return;
    }
    let sudo = Sudo::new();
    let nobody = || Elevate::User("nosuch".into());
    let program = sudo.program.clone();
    let version = [program.as_str(), "--version"];
    for (rules, elevate, words, kind, actual, hint) in [
        (
            "# none",
            to_amps(),
            version,
            K::Elevate,
            "a password is required",
            "exactly this command",
        ),
        (
            "{one}",
            Elevate::Root,
            version,
            K::Elevate,
            "a password is required",
            "--sudoers TEAM",
        ),
        (
            "Defaults lecture=always\n{ops} ALL=({amps}) {program} --version",
            to_amps(),
            version,
            K::Elevate,
            "a password is required",
            "NOPASSWD",
        ),
        (
            "Defaults requiretty\n{one}",
            to_amps(),
            version,
            K::Elevate,
            "must have a tty",
            "!requiretty",
        ),
        (
            "Defaults secure_path=/usr/bin\n{ops} ALL=({amps}) NOPASSWD: ALL",
            to_amps(),
            ["program", "--version"],
            K::Missing,
            "command not found",
            "secure_path",
        ),
        (
            "{ops} ALL=({amps}) NOPASSWD: ALL",
            to_amps(),
            ["/nonexistent/x", "--version"],
            K::Missing,
            "command not found",
            "not there",
        ),
        (
            "{one}",
            nobody(),
            version,
            K::Elevate,
            "unknown user nosuch",
            "correct `elevate`",
        ),
        (
            "{ops} ALL=({amps} NOPASSWD: ALL",
            to_amps(),
            version,
            K::Elevate,
            ":1:29: syntax error",
            "visudo -c",
        ),
        (
            "Defaults runas_check_shell\n{one}",
            to_amps(),
            version,
            K::Elevate,
            "invalid shell",
            "runas_check_shell",
        ),
    ] {
        if actual == "invalid shell" {
            as_root_of(
                &sudo.host,
                &format!("usermod -s /usr/sbin/nologin {}", SERVICE.login()),
            );
        }
        sudo.rules(rules);
        let failure = sudo.run(elevate, &words).await.unwrap_err();
        assert_eq!(failure.kind, kind, "{rules}: {failure}");
        assert!(failure.actual.contains(actual), "{rules}: {failure}");
        assert!(failure.hint.contains(hint), "{rules}: {}", failure.hint);
        assert!(
            failure.subject.as_deref().unwrap().contains(words[0]),
            "{failure:?}"
        );
    }
    sudo.rules("{one}");
    for (sabotage, repair, actual, hint) in [
        (
            "chmod 666 /etc/sudoers",
            "chmod 440 /etc/sudoers",
            "world writable",
            "visudo -c",
        ),
        (
            "mount --bind /usr/bin /usr/bin; mount -o remount,bind,nosuid /usr/bin",
            "umount -l /usr/bin",
            "nosuid",
            "4755",
        ),
        (
            "mount --bind /dev/null /usr/bin/sudo",
            "umount -l /usr/bin/sudo",
            "Permission denied",
            "may not execute",
        ),
        (
            "mount --bind /bin/true /usr/bin/sudo",
            "umount -l /usr/bin/sudo",
            "",
            "",
        ),
    ] {
        as_root_of(&sudo.host, sabotage);
        let ran = sudo.run(to_amps(), &version).await;
        as_root_of(&sudo.host, repair);
        if actual.is_empty() {
            // Whoever stands in for sudo and says yes has run nothing: no output, no proof.
            assert!(ran.unwrap().stdout.is_empty());
            continue;
        }
        let failure = ran.unwrap_err();
        assert_eq!(failure.kind, K::Elevate, "{sabotage}: {failure}");
        assert!(failure.actual.contains(actual), "{sabotage}: {failure}");
        assert!(failure.hint.contains(hint), "{sabotage}: {}", failure.hint);
    }
    assert!(sudo.run(to_amps(), &version).await.is_ok());
}

#[test]
fn sudo_is_missing() {
    if needs_root("sudo_is_missing") {
        return;
    }
    let lab = Lab::new();
    let rule = format!("{} ALL=(ALL) NOPASSWD: ALL", OPERATIONS.login());
    let host = lab.host("ny4-1").sudoers(&rule).start();
    lab.amps("orders", &host);
    let elevated = |inventory: &mut serde_json::Value| {
        inventory["teams"][OPS]["elevate"] = "sudo".into();
    };
    lab.judge_with(elevated).assert_go(4);
    // The same programs, sudo aside.
    as_root_of(
        &host,
        "mkdir /run/bin /run/real && mount --bind /usr/bin /run/real \
         && ln -s /run/real/* /run/bin/ && rm /run/bin/sudo && mount --bind /run/bin /usr/bin",
    );
    let run = lab.judge_with(elevated);
    let failed = crate::lab::FOUR.map(|four| ("orders", OPS, four, "elevate"));
    run.assert_only(&failed);
    let failure = run.check("orders", OPS, "version")["failure"].to_string();
    assert!(
        failure.contains("not found") && failure.contains("install sudo"),
        "{failure}"
    );
}

#[test]
fn a_program_that_may_start_no_other_or_not_be_executed() {
    if needs_root("a_program_that_may_start_no_other_or_not_be_executed") {
        return;
    }
    let lab = Lab::new();
    let (ops, amps) = (OPERATIONS.login(), SERVICE.login());
    let host = lab
        .host("ny4-1")
        .sudoers(&format!("{ops} ALL=({amps}) NOPASSWD: ALL"))
        .start();
    let orders = lab.amps("orders", &host);
    lab.amps("quotes", &host);
    let elevated = |inventory: &mut serde_json::Value| {
        inventory["teams"][OPS]["elevate"] = serde_json::json!({"sudo": amps});
    };
    lab.judge_with(elevated).assert_go(8);
    let failure = |run: &crate::lab::Run, kind: &str| {
        run.assert_only(&[("orders", OPS, "version", kind)]);
        run.check("orders", OPS, "version")["failure"].clone()
    };
    // A script that starts another program, under NOEXEC.
    let home = &orders.home;
    let rules = "/etc/sudoers.d/gonogo-lab";
    as_root_of(
        &host,
        &format!("echo 'Defaults!{home}/bin/ampServer noexec' >>{rules}"),
    );
    orders.write("bin/ampServer", b"#!/bin/sh\n/bin/echo 5.3.4.12\n");
    orders.mode("bin/ampServer", 0o750);
    let told = failure(&lab.judge_with(elevated), "denied");
    assert!(
        told["hint"].as_str().unwrap().contains("NOEXEC"),
        "{told:#}"
    );
    as_root_of(&host, &format!("sed -i /noexec/d {rules}"));
    lab.judge_with(elevated).assert_go(8);
    // Not executable for the account that it becomes: its own groups are told.
    chown(orders.path("bin/ampServer"), Some(0), Some(0)).unwrap();
    let told = failure(&lab.judge_with(elevated), "denied");
    let actual = told["actual"].as_str().unwrap();
    for wanted in [
        "unable to execute",
        "-rwxr-x--- root:root (0750)",
        &format!("{amps} has groups {amps}"),
    ] {
        assert!(actual.contains(wanted), "{wanted}: {told:#}");
    }
    let remedy = format!("setfacl -m u:{amps}:rx {home}/bin/ampServer");
    assert!(told["hint"].as_str().unwrap().contains(&remedy), "{told:#}");
    as_root_of(&host, &remedy);
    lab.judge_with(elevated).assert_go(8);
}

#[test]
fn what_only_the_target_may_enter_is_said_to_be_out_of_sight() {
    if needs_root("what_only_the_target_may_enter_is_said_to_be_out_of_sight") {
        return;
    }
    let lab = Lab::new();
    let (ops, amps) = (OPERATIONS.login(), SERVICE.login());
    let host = lab
        .host("ny4-1")
        .sudoers(&format!("{ops} ALL=({amps}) NOPASSWD: ALL"))
        .start();
    let orders = lab.amps("orders", &host);
    lab.amps("quotes", &host);
    let elevated = |inventory: &mut serde_json::Value| {
        inventory["teams"][OPS]["elevate"] = serde_json::json!({"sudo": amps});
    };
    orders.mode("config", 0o700);
    lab.judge_with(elevated).assert_go(8);
    chown(orders.path("config/config.xml"), Some(0), Some(0)).unwrap();
    let run = lab.judge_with(elevated);
    run.assert_only(&[("orders", OPS, "configuration", "denied")]);
    let told = run.check("orders", OPS, "configuration")["failure"].to_string();
    assert!(
        told.contains(&format!("{ops} cannot see without sudo")),
        "{told}"
    );
    assert!(told.contains("namei -l"), "{told}");
    // A directory that shuts out the target itself is told by its mode.
    chown(orders.path("config"), Some(0), Some(0)).unwrap();
    let run = lab.judge_with(elevated);
    let told = run.check("orders", OPS, "configuration")["failure"].to_string();
    assert!(told.contains("drwx------ root:root (0700)"), "{told}");
    assert!(told.contains(&format!("setfacl -m u:{amps}:rx")), "{told}");
}
