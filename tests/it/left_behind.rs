//! What is left on a server when gonogo ends in the middle of something, however it ends: nothing. As the
//! server's own list of processes tells, and not as gonogo does.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::lab::{Amps, GONOGO, Host, Lab, OPERATIONS, is_root, until};

/// Waits until `word` runs on the host, does `end`, and waits until nothing runs there any more.
#[track_caller]
fn leaves_nothing(shell: &str, word: &str, prepare: fn(&Amps), end: fn(&mut Child)) {
    let lab = Lab::new();
    let host = lab.host("ny4-1").shell(OPERATIONS, shell).start();
    let orders = lab.amps("orders", &host);
    prepare(&orders);
    let mut inventory = lab.inventory();
    inventory["teams"][OPERATIONS.team]["transport"] = "exec".into();
    inventory["ssh"]["deadline"] = "20s".into();
    lab.write_inputs(&inventory);
    let mut child = Command::new(GONOGO)
        .args(lab.run_args("out"))
        .envs(lab.environment())
        .env_remove("SSH_AUTH_SOCK")
        .current_dir(lab.operator())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let runs = |host: &Rc<Host>| host.sessions().iter().any(|line| line.contains(word));
    until("the command runs", Duration::from_secs(30), || runs(&host));
    end(&mut child);
    let begun = std::time::Instant::now();
    while !host.sessions().is_empty() {
        assert!(
            // A run that is left alone goes on with the checks that do not hang.
            begun.elapsed() < Duration::from_secs(90),
            "left behind by {shell}: {:?}",
            host.sessions()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    let _ = child.kill();
    child.wait().unwrap();
}

fn killed(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn interrupted(child: &mut Child) {
    kill_process(Pid::from_child(child), Signal::INT).unwrap();
}

/// Its own deadline ends it: the check's, and then the session.
fn left_alone(_: &mut Child) {}

fn slow(orders: &Amps) {
    orders.slow_version();
}

/// More than the pipes and windows between the two hold, read by nobody once gonogo stands still.
fn huge_log(orders: &Amps) {
    let path = orders.path(&orders.log());
    fs::File::options()
        .append(true)
        .open(path)
        .and_then(|file| file.set_len(900 << 20))
        .unwrap();
}

fn stopped_and_killed(child: &mut Child) {
    kill_process(Pid::from_child(child), Signal::STOP).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    killed(child);
}

#[test]
fn by_a_command_that_does_not_end() {
    for end in [killed, interrupted, left_alone] {
        leaves_nothing("/bin/sh", "sleep", slow, end);
    }
}

#[test]
fn by_a_file_that_nobody_takes() {
    leaves_nothing("/bin/sh", "head", huge_log, stopped_and_killed);
}

#[test]
fn whatever_the_login_shell() {
    if !is_root() {
        return;
    }
    for shell in [
        "/bin/bash",
        "/usr/bin/zsh",
        "/usr/bin/fish",
        "/bin/csh",
        "/bin/ksh",
    ] {
        // A shell that is not here leaves nothing by any means.
        if fs::exists(shell).unwrap() {
            leaves_nothing(shell, "sleep", slow, killed);
        }
    }
}
