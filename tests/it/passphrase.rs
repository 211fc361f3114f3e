//! `gonogo run` asks for the passphrase of an encrypted key: on a terminal, once for each file, before
//! anything is contacted, and nowhere else. The passphrase is found nowhere afterwards.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::lab::{GONOGO, Lab, OPERATIONS, Run};

const RIGHT: &str = "correct horse 17";

/// Both hosts are reached with one key file, which is under a passphrase.
fn lab_with_a_locked_key() -> Lab {
    let lab = Lab::new();
    for (host, instance) in [("one", "orders"), ("two", "trades")] {
        let host = lab.host(host).start();
        lab.amps(instance, &host);
    }
    let key = lab.path("operator/keys").join(OPERATIONS.team);
    let locked = Command::new("ssh-keygen")
        .args(["-q", "-p", "-P", "", "-N", RIGHT, "-f"])
        .arg(key)
        .output()
        .unwrap();
    assert!(locked.status.success(), "{locked:?}");
    lab.write_inputs(&lab.inventory());
    lab
}

/// gonogo on a terminal of its own (script(1)).
struct Terminal {
    child: Child,
    heard: mpsc::Receiver<Vec<u8>>,
    said: String,
}

impl Terminal {
    fn run(lab: &Lab, out: &str, before: &str) -> Self {
        let args = lab.run_args(out).join(" ");
        let mut command = Command::new("script");
        command.args([
            "-q",
            "-e",
            "-f",
            "-c",
            &format!("{before} {GONOGO} {args}"),
            "/dev/null",
        ]);
        for (name, value) in lab.environment() {
            command.env(name, value);
        }
        let mut child = command
            .env_remove("SSH_AUTH_SOCK")
            .env_remove("CI")
            .current_dir(lab.operator())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let (tell, heard) = mpsc::channel();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(n @ 1..) = stdout.read(&mut piece) {
                let _ = tell.send(piece[..n].to_vec());
            }
        });
        Self {
            child,
            heard,
            said: String::new(),
        }
    }

    fn until(&mut self, word: &str) {
        let begun = Instant::now();
        while !self.said.contains(word) {
            let piece = self.heard.recv_timeout(Duration::from_secs(60));
            let piece = piece.unwrap_or_else(|_| panic!("never said {word}: {}", self.said));
            self.said.push_str(&String::from_utf8_lossy(&piece));
            assert!(begun.elapsed() < Duration::from_secs(60), "{}", self.said);
        }
    }

    fn types(&mut self, keys: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(keys.as_bytes()).unwrap();
        stdin.flush().unwrap();
    }

    /// Exit code, and all that it said.
    fn end(mut self) -> (i32, String) {
        let begun = Instant::now();
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code().unwrap();
            }
            assert!(begun.elapsed() < Duration::from_secs(90), "{}", self.said);
            std::thread::sleep(Duration::from_millis(20));
        };
        while let Ok(piece) = self.heard.recv_timeout(Duration::from_secs(5)) {
            self.said.push_str(&String::from_utf8_lossy(&piece));
        }
        (code, std::mem::take(&mut self.said))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn holds(dir: &Path, secret: &str) -> bool {
    std::fs::read_dir(dir).unwrap().flatten().any(|entry| {
        let path = entry.path();
        match path.is_dir() {
            true => holds(&path, secret),
            false => {
                let bytes = std::fs::read(&path).unwrap();
                bytes
                    .windows(secret.len())
                    .any(|window| window == secret.as_bytes())
            }
        }
    })
}

#[test]
fn it_is_asked_for_once_on_a_terminal_and_kept_from_everything() {
    let lab = lab_with_a_locked_key();
    let out = lab.next_out();
    let mut terminal = Terminal::run(&lab, &out, "");
    terminal.until("passphrase for keys/operations: ");
    terminal.types(&format!("{RIGHT}\n"));
    let (code, said) = terminal.end();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("GO"), "{said}");
    assert_eq!(said.matches("passphrase for").count(), 1, "{said}");
    assert!(!said.contains(RIGHT), "echoed: {said}");
    assert!(!holds(&lab.operator().join(&out), RIGHT));
}

#[test]
fn a_wrong_one_is_told_before_anything_is_contacted() {
    let lab = lab_with_a_locked_key();
    for (keys, expected, code) in [
        (
            "wrong\n",
            "the passphrase given does not open keys/operations",
            3,
        ),
        ("\n", "nothing was typed", 3),
        ("\u{4}", "nothing was typed", 3),
        ("half a passphrase\u{3}", "interrupted (SIGINT)", 130),
    ] {
        let out = lab.next_out();
        let mut terminal = Terminal::run(&lab, &out, "");
        terminal.until("passphrase for keys/operations: ");
        terminal.types(keys);
        let (ended, said) = terminal.end();
        assert_eq!(ended, code, "{keys:?}: {said}");
        assert!(said.contains(expected), "{keys:?}: {said}");
        assert!(!lab.operator().join(&out).exists());
    }
    for host in ["one", "two"] {
        let log = std::fs::read_to_string(lab.path(host).join("sshd.log")).unwrap();
        assert!(
            !log.contains("Accepted") && !log.contains("Failed"),
            "{log}"
        );
    }
}

#[test]
fn nobody_is_asked_where_nobody_sits() {
    let lab = lab_with_a_locked_key();
    let names_the_key = |run: &Run| {
        assert_eq!(run.code(), 1, "{}", run.told());
        let failure = &run.checks()[0]["failure"];
        assert_eq!(failure["kind"], "auth");
        let actual = failure["actual"].as_str().unwrap();
        assert!(actual.contains("keys/operations is encrypted"), "{actual}");
        assert!(failure["hint"].as_str().unwrap().contains("passphrase_env"));
    };
    // No terminal at all.
    names_the_key(&lab.judge_as_written());
    // A terminal, but nobody at it: CI, and a run whose stdin is something else.
    for before in ["CI=true", "</dev/null"] {
        let out = lab.next_out();
        let (code, said) = Terminal::run(&lab, &out, before).end();
        assert_eq!(code, 1, "{before}: {said}");
        assert!(!said.contains("passphrase for"), "{said}");
        assert!(
            said.contains("is encrypted and no passphrase is given"),
            "{said}"
        );
    }
}
