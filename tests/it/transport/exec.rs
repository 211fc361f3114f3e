//! Commands: what may pass, and everything that only looks like it.

use std::time::{Duration, Instant};

use gonogo::failure::FailureKind as K;
use gonogo::inventory::{Elevate, Transport};
use gonogo::transport::{Command, Limits, Span};

use super::lab::{AMPLE, Lab, OPS, TWO, connect, sh, shell, still_runs, usable, within};

#[tokio::test]
pub(super) async fn a_command_runs_with_both_streams_and_its_own_status() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    for user in [OPS, TWO, "gngt-noisy", "gngt-rbash"] {
        let session = connect(&lab.login(user)).await.unwrap();
        let greeting = session.greeting();
        assert_eq!(greeting.host_key_type, "ssh-ed25519");
        assert!(
            greeting.server.starts_with("SSH-2.0-OpenSSH"),
            "{greeting:?}"
        );
        assert!(!greeting.kex.is_empty() && !greeting.cipher.is_empty());
        assert_eq!(greeting.method, "publickey");
        for (script, status, stdout, stderr) in [
            ("echo out; echo err >&2; exit 3", 3, "out\n", "err\n"),
            ("exit 0", 0, "", ""),
            ("cat", 0, "", ""),
            ("kill -9 $$", 137, "", ""),
            ("echo $LC_ALL", 0, "C\n", ""),
        ] {
            let output = session.run(&shell(script), AMPLE).await.unwrap();
            assert_eq!(
                String::from_utf8_lossy(&output.stdout),
                stdout,
                "{user}: {script}"
            );
            assert_eq!(
                String::from_utf8_lossy(&output.stderr),
                stderr,
                "{user}: {script}"
            );
            assert_eq!(output.status, status, "{user}: {script}");
        }
        let missing = Command(vec!["/no/such/program".into()]);
        assert_eq!(session.run(&missing, AMPLE).await.unwrap().status, 127);
        let nasty = [
            "printf", "%s|", "it's", "a b", "$HOME", "*", "!x", "\\", "", "a\nb",
        ];
        let nasty = Command(nasty.map(str::to_owned).into());
        let output = session.run(&nasty, AMPLE).await.unwrap();
        assert_eq!(output.stdout, b"it's|a b|$HOME|*|!x|\\||a\nb|");
        session.close().await;
        assert!(session.is_dead());
        let after = session.run(&shell("true"), AMPLE).await.unwrap_err();
        assert_eq!(after.kind, K::Unreachable);
    }
}

#[tokio::test]
pub(super) async fn megabytes_on_both_streams_do_not_deadlock() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let session = connect(&lab.login(OPS)).await.unwrap();
    let script =
        "head -c 4194304 /dev/zero >&2; head -c 4194304 /dev/zero; head -c 4194304 /dev/zero >&2";
    let output = session.run(&shell(script), AMPLE).await.unwrap();
    assert_eq!(
        (output.stdout.len(), output.stderr.len()),
        (4 << 20, 8 << 20)
    );
    let both = "head -c 4194304 /dev/zero & head -c 4194304 /dev/zero >&2; wait";
    let output = session.run(&shell(both), AMPLE).await.unwrap();
    assert_eq!(
        (output.stdout.len(), output.stderr.len()),
        (4 << 20, 4 << 20)
    );
}

#[tokio::test]
pub(super) async fn what_stands_in_for_the_shell_is_never_a_success() {
    if !usable() {
        return;
    }
    for (config, user, quoted, hint) in [
        (
            "ForceCommand /bin/true",
            OPS,
            "nothing at all (exit status 0)",
            "ForceCommand",
        ),
        (
            "ForceCommand echo all is well",
            OPS,
            "all is well",
            "ForceCommand",
        ),
        ("ForceCommand internal-sftp", OPS, "", "sftp"),
        ("", "gngt-exit", "nothing at all (exit status 0)", ".bashrc"),
        ("", "gngt-exec", "gone", ".bashrc"),
        ("", "gngt-nologin", "not available", "nologin"),
        (
            "",
            "gngt-false",
            "nothing at all (exit status 1)",
            "/bin/false",
        ),
    ] {
        let lab = Lab::with(config);
        let session = connect(&lab.login(user)).await.unwrap();
        let failure = session.run(&shell("true"), AMPLE).await.unwrap_err();
        assert_eq!(failure.kind, K::Shell, "{config} {user}: {failure}");
        assert!(
            failure.actual.contains(quoted),
            "{config} {user}: {failure}"
        );
        assert!(
            failure.hint.contains(hint),
            "{config} {user}: {}",
            failure.hint
        );
        assert_eq!(failure.account.as_deref(), Some(user));
        assert!(
            !session.is_dead(),
            "a refusal is no lost connection: {config} {user}"
        );
    }
}

#[tokio::test]
pub(super) async fn a_shell_that_is_killed_or_leaves_gives_no_output() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let session = connect(&lab.login(OPS)).await.unwrap();
    // The parent of the command is the shell that would have printed the trailer.
    let killed = session
        .run(&shell("echo half; kill -9 $PPID"), AMPLE)
        .await
        .unwrap_err();
    assert_eq!(killed.kind, K::Io);
    assert!(killed.actual.contains("SIGKILL"), "{killed}");
    let output = session.run(&shell("echo well"), AMPLE).await.unwrap();
    assert_eq!(output.stdout, b"well\n");
    // A builtin of the framing shell cannot leave it.
    for builtin in ["exit", "exec", "return", "break"] {
        let command = Command(vec![builtin.into(), "0".into()]);
        if let Ok(output) = session.run(&command, AMPLE).await {
            assert!(output.stdout.is_empty(), "{builtin}");
        }
        assert!(!session.is_dead());
    }
}

#[tokio::test]
pub(super) async fn a_deadline_ends_the_command_on_the_server_too() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    for (word, script) in [
        ("61.4711", "sleep 61.4711"),
        ("62.4711", "while :; do echo x; sleep 0.1; done; : 62.4711"),
        ("63.4711", "sleep 63.4711 & wait"),
        ("64.4711", "cat /dev/zero; : 64.4711"),
    ] {
        let session = connect(&lab.login(OPS)).await.unwrap();
        let limits = Limits {
            time: Duration::from_secs(1),
            bytes: u64::MAX,
        };
        let started = Instant::now();
        let failure = session.run(&shell(script), limits).await.unwrap_err();
        assert!(
            started.elapsed() < crate::lab::HANG,
            "{script}: {:?}",
            started.elapsed()
        );
        assert_eq!(failure.kind, K::Timeout, "{script}: {failure}");
        assert!(session.is_dead());
        let after = session.run(&shell("true"), AMPLE).await.unwrap_err();
        assert_eq!(after.kind, K::Unreachable);
        assert!(
            !still_runs(word, Duration::from_secs(5)),
            "{script} was left on the server"
        );
    }
}

#[tokio::test]
pub(super) async fn a_future_that_is_dropped_takes_the_session_and_the_command_with_it() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let session = connect(&lab.login(OPS)).await.unwrap();
    let sleeping = Command(["sleep", "65.4711"].map(str::to_owned).into());
    let patience = Duration::from_millis(500);
    assert!(
        tokio::time::timeout(patience, session.run(&sleeping, AMPLE))
            .await
            .is_err()
    );
    assert!(session.is_dead());
    assert!(
        !still_runs("65.4711", Duration::from_secs(5)),
        "it was left on the server"
    );
    // Dropping the session itself while nothing runs leaves nothing either.
    let session = connect(&lab.login(OPS)).await.unwrap();
    let started = Instant::now();
    drop(session);
    assert!(started.elapsed() < crate::lab::HANG);
}

#[tokio::test]
pub(super) async fn too_much_output_is_cut_and_the_session_lives() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let session = connect(&lab.login(OPS)).await.unwrap();
    for script in ["cat /dev/zero", "cat /dev/zero >&2"] {
        let limits = Limits {
            bytes: 100_000,
            ..AMPLE
        };
        let failure = session.run(&shell(script), limits).await.unwrap_err();
        assert_eq!(failure.kind, K::TooLarge, "{failure}");
    }
    let exactly = Limits {
        bytes: 1000,
        ..AMPLE
    };
    assert!(
        session
            .run(&shell("head -c 1000 /dev/zero"), exactly)
            .await
            .is_ok()
    );
    let failure = session
        .run(&shell("head -c 1001 /dev/zero"), exactly)
        .await
        .unwrap_err();
    assert_eq!(failure.kind, K::TooLarge);
    assert!(session.run(&shell("true"), AMPLE).await.is_ok());
}

#[tokio::test]
pub(super) async fn one_session_slot_is_enough() {
    if !usable() {
        return;
    }
    let lab = Lab::with("MaxSessions 1");
    let path = lab.file("a", b"content");
    let session = connect(&lab.login(OPS)).await.unwrap();
    for round in 0..60 {
        let output = session.run(&shell("echo x"), AMPLE).await.unwrap();
        assert_eq!(output.stdout, b"x\n", "round {round}");
        if round % 10 == 0 {
            super::lab::fetch(&*session, &path).await.unwrap();
        }
    }
}

#[tokio::test]
pub(super) async fn one_thing_at_a_time_and_each_its_own() {
    if !usable() {
        return;
    }
    let lab = Lab::with("MaxSessions 1");
    let path = lab.file("a", b"content");
    let session = connect(&lab.login(OPS)).await.unwrap();
    // Each has its whole time from its turn on, not from the asking.
    let limits = within(Duration::from_millis(1500));
    let (one, two) = (shell("sleep 1; echo 1"), shell("sleep 1; echo 2"));
    let (one, two, read) = tokio::join!(
        session.run(&one, limits),
        session.run(&two, limits),
        super::lab::fetch(&*session, &path)
    );
    assert_eq!(
        (&*one.unwrap().stdout, &*two.unwrap().stdout),
        (&b"1\n"[..], &b"2\n"[..])
    );
    assert_eq!(read.unwrap().1, b"content");
}

#[tokio::test]
pub(super) async fn a_connection_that_is_lost_is_told_and_ends_the_session() {
    if !usable() {
        return;
    }
    for what in ["idle", "running"] {
        let lab = Lab::new();
        let session = connect(&lab.login(OPS)).await.unwrap();
        let started = Instant::now();
        let failure = match what {
            "idle" => {
                lab.signal("KILL");
                session.run(&shell("true"), AMPLE).await.unwrap_err()
            }
            _ => {
                let running = shell("echo begun; sleep 66.4711");
                let kill = async {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    lab.signal("KILL");
                };
                tokio::join!(session.run(&running, AMPLE), kill)
                    .0
                    .unwrap_err()
            }
        };
        assert_eq!(failure.kind, K::Unreachable, "{what}: {failure}");
        assert!(session.is_dead() && started.elapsed() < crate::lab::HANG);
        assert!(!still_runs("66.4711", Duration::from_secs(5)));
    }
}

#[tokio::test]
pub(super) async fn an_sftp_only_login_never_sends_a_command() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let mut login = lab.login(OPS);
    login.transport = Transport::Sftp;
    let path = lab.file("a", b"content");
    let session = connect(&login).await.unwrap();
    let failure = session.run(&shell("true"), AMPLE).await.unwrap_err();
    assert_eq!(failure.kind, K::Shell);
    super::lab::fetch(&*session, &path).await.unwrap();
    assert!(!lab.log().contains(" req exec"), "a command was sent");
    login.transport = Transport::Exec;
    let session = connect(&login).await.unwrap();
    super::lab::fetch(&*session, &path).await.unwrap();
    assert!(lab.log().contains(" req exec"), "the log would have told");
}

#[tokio::test]
pub(super) async fn sudo_refuses_and_allows() {
    if !usable() || !std::path::Path::new("/usr/bin/sudo").exists() {
        return;
    }
    let lab = Lab::new();
    let secret = lab.file("secret", b"for root only");
    lab.mode(&secret, 0o600);
    let rules = std::path::Path::new("/etc/sudoers.d/gonogo-lab");
    std::fs::write(
        rules,
        "gngt-two ALL=(root) NOPASSWD: /usr/bin/stat, /usr/bin/head, /usr/bin/find, /usr/bin/id\n",
    )
    .unwrap();
    sh("chmod", &["440", "/etc/sudoers.d/gonogo-lab"]);
    let id = Command(vec!["id".into(), "-u".into()]);
    for (user, elevate, works) in [
        (TWO, Elevate::Root, true),
        (OPS, Elevate::Root, false),
        (TWO, Elevate::User(OPS.into()), false),
        (TWO, Elevate::User("nobody-here".into()), false),
    ] {
        let mut login = lab.login(user);
        login.elevate = elevate.clone();
        let session = connect(&login).await.unwrap();
        match session.run(&id, AMPLE).await {
            Ok(output) => assert!(works && output.stdout == b"0\n", "{user} {elevate:?}"),
            Err(failure) => {
                assert!(!works, "{user}: {failure}");
                assert_eq!(failure.kind, K::Elevate, "{user} {elevate:?}: {failure}");
            }
        }
        let read = super::lab::fetch(&*session, &secret).await;
        match works {
            true => {
                let (receipt, bytes) = read.unwrap();
                assert_eq!((receipt.method, &*bytes), ("exec", &b"for root only"[..]));
            }
            false => assert_eq!(read.unwrap_err().kind, K::Elevate),
        }
        if works {
            let missing = Command(vec!["cat".into(), "/etc/shadow".into()]);
            let failure = session.run(&missing, AMPLE).await.unwrap_err();
            assert_eq!(
                failure.kind,
                K::Elevate,
                "cat is not among the rules: {failure}"
            );
        }
    }
    // The sabotage bites: without sudo the account cannot read it.
    let plain = connect(&lab.login(TWO)).await.unwrap();
    assert_eq!(
        super::lab::fetch(&*plain, &secret).await.unwrap_err().kind,
        K::Denied
    );
    std::fs::remove_file(rules).unwrap();
}

#[tokio::test]
pub(super) async fn a_server_that_freezes_is_left_in_time() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let path = lab.file("a", &vec![7; 8 << 20]);
    for what in ["run", "list", "read"] {
        let mut login = lab.login(OPS);
        login.host = "frozen".into();
        let session = connect(&login).await.unwrap();
        assert!(threads("ssh frozen") == 1);
        session.list(&path, AMPLE).await.unwrap();
        lab.signal("STOP");
        let started = Instant::now();
        let limits = within(Duration::from_secs(1));
        let kind = match what {
            "run" => {
                session
                    .run(&shell("true"), limits)
                    .await
                    .map(drop)
                    .unwrap_err()
                    .kind
            }
            "list" => {
                session
                    .list(&path, limits)
                    .await
                    .map(drop)
                    .unwrap_err()
                    .kind
            }
            _ => {
                super::lab::fetch_within(&*session, &path, Span::WHOLE, limits)
                    .await
                    .unwrap_err()
                    .kind
            }
        };
        assert_eq!(kind, K::Timeout, "{what}");
        assert!(
            started.elapsed() < crate::lab::HANG,
            "{what}: {:?}",
            started.elapsed()
        );
        assert!(session.is_dead());
        drop(session);
        let late = started.elapsed();
        assert!(late < crate::lab::HANG, "dropping waits: {what} {late:?}");
        while threads("ssh frozen") > 0 {
            assert!(
                started.elapsed() < crate::lab::HANG,
                "{what}: the thread stays"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        lab.signal("CONT");
    }
}

fn threads(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = tasks.map(|task| std::fs::read_to_string(task.path().join("comm")));
    names.flatten().filter(|comm| comm.trim() == name).count()
}
