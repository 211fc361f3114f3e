//! Every refusal of a login, each by a real sshd for its own reason, each with the line of sshd's log
//! that tells the reason: our hint must name that very line, and an account without the reason gets in.

use std::time::Duration;

use gonogo::failure::{Failure, FailureKind as K};
use gonogo::inventory::{Answer, AnswerFrom, Auth, Login, Transport};
use gonogo::transport::Ways;

use super::gate::{Gate, Plans, SECRET, Visitor, WRONG, key, visitor};
use super::lab::{AMPLE, connect, connect_by, keygen, sh, shell, usable};
use crate::lab::{Lab, until};

/// PAM as every distribution has it, without what needs a whole machine.
pub const PAM: &str = "auth required pam_unix.so\naccount required pam_nologin.so\n\
    account required pam_unix.so\npassword required pam_unix.so\nsession required pam_permit.so";

/// Is let in and runs a command.
pub async fn enters(login: &Login) -> &'static str {
    let session = connect(login).await;
    let session = session.unwrap_or_else(|failure| panic!("{}: {failure}", login.user));
    let ran = session.run(&shell("echo in"), AMPLE).await;
    assert_eq!(ran.unwrap().stdout, b"in\n", "{}", login.user);
    let method = session.greeting().method.clone();
    session.close().await;
    String::leak(method)
}

/// Is refused; sshd logs a line with `reason`, and the hint names that line.
async fn refused(gate: &Gate, login: &Login, reason: &str) -> Failure {
    let before = gate.host.log().len();
    let refused = connect(login).await;
    let failure = match refused {
        Err(failure) => failure,
        Ok(_) => panic!("{} was let in, expected {reason}", login.user),
    };
    assert_eq!(failure.kind, K::Auth, "{failure}");
    until(reason, Duration::from_secs(20), || {
        let log = gate.log_since(before);
        // Its last line, too: a late one would be taken for the next login's.
        let ends = [
            "Connection closed by",
            "Connection reset by",
            "Disconnecting",
            "Access denied",
        ];
        let is_last =
            |line: &str| line.contains(&login.user) && ends.iter().any(|end| line.starts_with(end));
        log.contains(reason) && log.lines().any(is_last)
    });
    let log = gate.log_since(before);
    let line = log.lines().find(|line| line.contains(reason)).unwrap();
    assert!(
        names(&failure.hint, line),
        "{}: sshd's own line is not named\n{line}\n{}",
        login.user,
        failure.hint
    );
    // One attempt: nothing here may trip a lock-out.
    let attempts = log
        .lines()
        .filter(|line| line.starts_with("Failed "))
        .count();
    assert!(attempts <= 1, "{}: {log}", login.user);
    failure
}

/// Whether one of the lines quoted in `hint` is `line`; `…` stands for anything. A beginning that all
/// reasons share is not enough.
fn names(hint: &str, line: &str) -> bool {
    let quoted = hint.split('`').skip(1).step_by(2);
    let fits = |quoted: &&str| {
        let mut rest = line;
        quoted.split('…').all(|part| match rest.find(part.trim()) {
            Some(at) => {
                rest = &rest[at + part.trim().len()..];
                true
            }
            None => false,
        })
    };
    let found: Vec<&str> = quoted.filter(fits).collect();
    found.len() > usize::from(line.contains("not allowed because"))
}

#[test]
fn a_line_is_named_only_with_its_reason() {
    let hint =
        "x `User a … not allowed because`, then `account is locked` or `shell … does not exist`";
    assert!(names(hint, "User a not allowed because account is locked"));
    assert!(names(
        hint,
        "User a not allowed because shell /x does not exist"
    ));
    assert!(!names(hint, "User a not allowed because the moon is full"));
    assert!(!names(hint, "User b not allowed because account is frozen"));
}

#[tokio::test]
async fn each_reason_of_an_account_is_in_the_hint_as_sshd_logs_it() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let accounts = [
        visitor("gng-ok"),
        Visitor {
            password: "!",
            ..visitor("gng-locked")
        },
        Visitor {
            aging: "19000:0:99999:7::100:",
            ..visitor("gng-expired")
        },
        visitor("gng-denied"),
        visitor("gng-group"),
        Visitor {
            options: "from=\"10.9.9.9\"",
            ..visitor("gng-from")
        },
        Visitor {
            options: "from=\"127.0.0.0/8\",expiry-time=\"20990101\"",
            ..visitor("gng-from-here")
        },
        Visitor {
            options: "expiry-time=\"20200101\"",
            ..visitor("gng-key-expired")
        },
        visitor("gng-home"),
        visitor("gng-dot-ssh"),
        visitor("gng-file"),
        visitor("gng-homeless"),
        Visitor {
            shell: "/bin/none",
            ..visitor("gng-shell")
        },
    ];
    let gate = Plans::new(&lab, "gate", &accounts, None)
        .option("DenyUsers gng-denied")
        .option("DenyGroups gng-group")
        .option("Banner /etc/issue.net")
        .etc("issue.net", "authorised use only\u{1b}[2J")
        .open();
    gate.mode("gng-home", "", 0o777);
    gate.mode("gng-dot-ssh", ".ssh", 0o777);
    gate.mode("gng-file", ".ssh/authorized_keys", 0o666);
    std::fs::remove_dir_all(gate.home("gng-homeless")).unwrap();
    for user in ["gng-ok", "gng-from-here"] {
        assert_eq!(enters(&gate.login(user)).await, "publickey");
    }
    let modes = "bad ownership or modes for ";
    for (user, reason) in [
        ("gng-nobody", "Invalid user gng-nobody from"),
        ("gng-locked", "because account is locked"),
        ("gng-expired", "Account gng-expired has expired"),
        ("gng-denied", "because listed in DenyUsers"),
        ("gng-group", "because a group is listed in DenyGroups"),
        ("gng-from", "but not from a permitted host"),
        ("gng-key-expired", "Refused by key options"),
        ("gng-home", &format!("{modes}directory")),
        ("gng-dot-ssh", &format!("{modes}directory")),
        ("gng-file", &format!("{modes}file")),
        ("gng-homeless", "Connection closed by authenticating user"),
        ("gng-shell", "because shell /bin/none does not exist"),
    ] {
        let failure = refused(&gate, &gate.login(user), reason).await;
        let fingerprint = sh(
            "ssh-keygen",
            &["-lf", &format!("{}.pub", gate.id.display())],
        );
        let fingerprint = fingerprint.split(' ').nth(1).unwrap();
        for known in [
            "refused",
            "the server offers publickey",
            "its banner says \"authorised use only",
            fingerprint,
        ] {
            assert!(failure.actual.contains(known), "{user} {known}: {failure}");
        }
    }
    // A key that nobody authorized.
    keygen(&lab.path("stranger"), "ed25519", "");
    let mut login = gate.login("gng-ok");
    login.auth = vec![key(&lab.path("stranger"))];
    refused(&gate, &login, "Connection closed by authenticating user").await;
    assert_eq!(enters(&gate.login("gng-ok")).await, "publickey");
}

#[tokio::test]
async fn lists_of_accounts_root_and_too_many_keys() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let accounts = ["gng-ok", "gng-user", "gng-group"].map(visitor);
    // Root's home is the machine's own: its key lies beside the others'.
    let gate = Plans::new(&lab, "gate", &accounts, None)
        .option("AllowUsers gng-ok gng-group root")
        .option("AllowGroups gng-ok gng-user root")
        .option("PermitRootLogin no")
        .option("MaxAuthTries 1")
        .etc("gonogo-root", &public(&lab, "id"))
        .option("Match User root\n  AuthorizedKeysFile /etc/gonogo-root")
        .open();
    assert_eq!(enters(&gate.login("gng-ok")).await, "publickey");
    for (user, reason) in [
        ("gng-user", "because not listed in AllowUsers"),
        (
            "gng-group",
            "because none of user's groups are listed in AllowGroups",
        ),
        ("root", "ROOT LOGIN REFUSED FROM"),
    ] {
        refused(&gate, &gate.login(user), reason).await;
    }
    keygen(&lab.path("stranger"), "ed25519", "");
    let mut login = gate.login("gng-ok");
    login.auth.insert(0, key(&lab.path("stranger")));
    let exceeded = "maximum authentication attempts exceeded for gng-ok";
    let failure = refused(&gate, &login, exceeded).await;
    assert!(failure.actual.contains("hung up"), "{failure}");
    assert_eq!(enters(&gate.login("gng-ok")).await, "publickey");
}

fn public(lab: &Lab, name: &str) -> String {
    std::fs::read_to_string(lab.path(&format!("{name}.pub"))).unwrap()
}

#[tokio::test]
async fn pam_refuses_accounts_and_asks_for_new_passwords() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let known = |name| Visitor {
        password: "PASSWORD",
        ..visitor(name)
    };
    let accounts = [
        known("gng-ok"),
        Visitor {
            password: "!",
            ..known("gng-locked")
        },
        Visitor {
            aging: "19000:0:99999:7::100:",
            ..known("gng-expired")
        },
        Visitor {
            aging: "0:0:99999:7:::",
            ..known("gng-aged")
        },
    ];
    let gate = Plans::new(&lab, "gate", &accounts, Some(PAM))
        .option("KbdInteractiveAuthentication yes")
        .option("PasswordAuthentication yes")
        .open();
    let with_password = |user: &str, env: &str| {
        let mut login = gate.login(user);
        login.auth = vec![Auth::Password { env: env.into() }];
        login
    };
    let by_questions = |env: &str| {
        let mut login = gate.login("gng-ok");
        let from = AnswerFrom::Env(env.into());
        let answers = vec![Answer { from, prompt: None }];
        login.auth = vec![Auth::KeyboardInteractive { answers }];
        login
    };
    assert_eq!(enters(&gate.login("gng-ok")).await, "publickey");
    assert_eq!(enters(&with_password("gng-ok", SECRET)).await, "password");
    assert_eq!(enters(&by_questions(SECRET)).await, "keyboard-interactive");
    // Under PAM a locked password does not lock the account's keys.
    assert_eq!(enters(&gate.login("gng-locked")).await, "publickey");
    let denied = "Access denied for user gng-expired by PAM account configuration";
    let failure = refused(&gate, &gate.login("gng-expired"), denied).await;
    assert!(failure.actual.contains("hung up"), "{failure}");
    for (login, reason) in [
        (
            with_password("gng-locked", SECRET),
            "Failed password for gng-locked",
        ),
        (with_password("gng-ok", WRONG), "Failed password for gng-ok"),
        (
            by_questions(WRONG),
            "PAM: Authentication failure for gng-ok",
        ),
    ] {
        let failure = refused(&gate, &login, reason).await;
        assert!(failure.actual.contains("refused"), "{failure}");
    }
    // sshd lets an expired password in and then runs nothing: by key and by password.
    for login in [gate.login("gng-aged"), with_password("gng-aged", SECRET)] {
        let session = connect(&login).await.unwrap();
        let failure = session.run(&shell("true"), AMPLE).await.unwrap_err();
        assert_eq!(failure.kind, K::Shell);
        assert!(failure.actual.contains("password has expired"), "{failure}");
        assert!(failure.hint.contains("set a new one"), "{}", failure.hint);
        let mut files_only = login.clone();
        files_only.transport = Transport::Sftp;
        let session = connect(&files_only).await.unwrap();
        let failure = session.list("/etc/hostname", AMPLE).await.unwrap_err();
        assert_eq!(failure.kind, K::Shell, "{failure}");
        assert!(
            failure.hint.contains("expired password"),
            "{failure} {}",
            failure.hint
        );
    }
}

#[tokio::test]
async fn a_nologin_file_is_quoted() {
    if !usable() {
        return;
    }
    let text = "closed for the quarter's end";
    for pam in [None, Some(PAM)] {
        let lab = Lab::new();
        let gate = Plans::new(&lab, "gate", &[visitor("gng-ok")], pam)
            .option("KbdInteractiveAuthentication no")
            .etc("nologin", text)
            .open();
        let login = gate.login("gng-ok");
        match pam {
            Some(_) => {
                let denied = "Access denied for user gng-ok by PAM account configuration";
                let failure = refused(&gate, &login, denied).await;
                assert!(failure.hint.contains("/etc/nologin"), "{}", failure.hint);
            }
            // Without PAM sshd lets in, and ends the session with the file's text.
            None => {
                let session = connect(&login).await.unwrap();
                let failure = session.run(&shell("true"), AMPLE).await.unwrap_err();
                assert_eq!(failure.kind, K::Shell);
                assert!(failure.actual.contains(text), "{failure}");
                assert!(failure.hint.contains("/etc/nologin"), "{}", failure.hint);
                let mut files_only = login.clone();
                files_only.transport = Transport::Sftp;
                let session = connect(&files_only).await.unwrap();
                let failure = session.list("/etc/hostname", AMPLE).await.unwrap_err();
                assert!(
                    failure.hint.contains("/etc/nologin"),
                    "{failure} {}",
                    failure.hint
                );
            }
        }
    }
}

/// Signs `key` as `-cert.pub`.
fn certify(lab: &Lab, ca: &str, key: &str, more: &[&str]) -> Auth {
    let at = |name: &str| lab.path(name).display().to_string();
    let (authority, public) = (at(ca), at(&format!("{key}.pub")));
    let mut arguments = vec!["-q", "-s", &authority, "-I", "visit 7"];
    arguments.extend(more);
    arguments.push(&public);
    sh("ssh-keygen", &arguments);
    // The next signing would overwrite it.
    let kept = lab.path(&format!("{ca}-{key}-{}", more.join("").replace('/', "_")));
    std::fs::rename(lab.path(&format!("{key}-cert.pub")), &kept).unwrap();
    Auth::Key {
        path: lab.path(key),
        certificate: Some(kept),
        passphrase_env: None,
    }
}

#[tokio::test]
async fn certificates_that_are_not_good_enough() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    for name in ["ca", "other-ca", "certified", "another"] {
        keygen(&lab.path(name), "ed25519", "");
    }
    let gate = Plans::new(&lab, "gate", &[visitor("gng-ok")], None)
        .option("TrustedUserCAKeys /etc/ca")
        .etc("ca", &public(&lab, "ca"))
        .open();
    let with = |way: Auth| {
        let mut login = gate.login("gng-ok");
        login.auth = vec![way];
        login
    };
    let certified = |ca: &str, more: &[&str]| with(certify(&lab, ca, "certified", more));
    let ours = ["-n", "gng-ok"];
    let good = certified("ca", &ours);
    assert_eq!(enters(&good).await, "publickey");
    let here = certified(
        "ca",
        &[
            "-n",
            "gng-ok",
            "-V",
            "+1h",
            "-O",
            "source-address=127.0.0.0/8",
        ],
    );
    assert_eq!(enters(&here).await, "publickey");
    for (login, reason, known) in [
        (
            certified("ca", &["-n", "dba,root"]),
            "Certificate invalid: name is not a listed principal",
            "for dba, root and not `gng-ok`",
        ),
        (
            certified("ca", &["-n", "gng-ok", "-O", "source-address=10.9.9.9/32"]),
            "but not from a permitted source address",
            "source-address 10.9.9.9/32",
        ),
        (
            certified("other-ca", &ours),
            "Failed publickey for gng-ok",
            "certificate \"visit 7\" of CA SHA256:",
        ),
    ] {
        let failure = refused(&gate, &login, reason).await;
        assert!(failure.actual.contains(known), "{known}: {failure}");
    }
    // What our side can see is not asked about.
    let before = gate.host.log().len();
    let mut strange = certified("ca", &ours);
    if let [Auth::Key { path, .. }] = &mut strange.auth[..] {
        *path = lab.path("another");
    }
    for (login, known) in [
        (
            certified("ca", &["-n", "gng-ok", "-V", "20200101:20200102"]),
            "the certificate has expired on 2020-01-0",
        ),
        (
            certified("ca", &["-n", "gng-ok", "-V", "20980101:20990101"]),
            "the certificate is not valid before 209",
        ),
        (
            certified("ca", &["-h", "-n", "gng-ok"]),
            "it is a host's certificate",
        ),
        (strange, "the key is SHA256:"),
        (
            with(Auth::Key {
                path: lab.path("certified"),
                certificate: Some(lab.path("ca.pub")),
                passphrase_env: None,
            }),
            "ca.pub: ",
        ),
    ] {
        let failure = connect(&login).await.err().unwrap();
        assert_eq!(failure.kind, K::Auth);
        assert!(failure.actual.contains(known), "{known}: {failure}");
    }
    assert!(
        !gate.log_since(before).contains("Failed"),
        "{}",
        gate.log_since(before)
    );
}

#[tokio::test]
async fn what_was_refused_to_one_team_is_not_tried_for_another() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let gate = Plans::new(&lab, "gate", &["gng-ok", "gng-two"].map(visitor), None).open();
    keygen(&lab.path("stranger"), "ed25519", "");
    let mut login = gate.login("gng-ok");
    login.auth = vec![key(&lab.path("stranger"))];
    let mut teams = ["operations", "market-data", "support"].map(|team| {
        let mut login = login.clone();
        login.team = team.into();
        login
    });
    let ways = Ways::default();
    let failures =
        futures::future::join_all(teams.iter().map(|team| connect_by(&ways, team))).await;
    for failure in failures {
        assert_eq!(failure.err().unwrap().kind, K::Auth);
    }
    until("sshd has logged it", Duration::from_secs(20), || {
        gate.host.log().contains("Failed publickey for gng-ok")
    });
    assert_eq!(
        gate.host
            .log()
            .matches("Failed publickey for gng-ok")
            .count(),
        1
    );
    // Another way, another account, and another run are tried.
    teams[1].auth = vec![key(&gate.id)];
    teams[2].user = "gng-two".into();
    assert!(connect_by(&ways, &teams[1]).await.is_ok());
    assert_eq!(
        connect_by(&ways, &teams[2]).await.err().unwrap().kind,
        K::Auth
    );
    refused(&gate, &login, "Failed publickey for gng-ok").await;
}
