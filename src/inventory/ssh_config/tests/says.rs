//! What is told beside the values: what cannot be followed, what is only noted, and what is kept.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::super::record::{self, Given};
use super::super::resolve::{Agent, Topic};
use super::*;
use crate::inventory::access::Family;

/// Lines that change the way, the login or the proof, what they are about, and a twin that changes nothing.
const CANNOT: &[(&str, Topic, &str)] = &[
    ("ProxyCommand nc %h %p", Topic::Way, "ProxyCommand none"),
    ("ProxyUseFdpass yes", Topic::Way, "ProxyUseFdpass no"),
    ("ProxyJump %C", Topic::Way, "ProxyJump %r@jump-%h"),
    (
        "GSSAPIAuthentication yes",
        Topic::Auth,
        "GSSAPIAuthentication no",
    ),
    (
        "HostbasedAuthentication true",
        Topic::Auth,
        "HostbasedAuthentication no",
    ),
    (
        "PKCS11Provider /lib/x.so",
        Topic::Auth,
        "PKCS11Provider none",
    ),
    (
        "SmartcardDevice /lib/x.so",
        Topic::Auth,
        "AddKeysToAgent yes",
    ),
    (
        "SecurityKeyProvider /lib/x.so",
        Topic::Auth,
        "EnableSSHKeysign yes",
    ),
    (
        "IdentityAgent /no/such/agent",
        Topic::Auth,
        "IdentityAgent SSH_AUTH_SOCK",
    ),
    ("IdentityFile ~other/key", Topic::Auth, "IdentityFile ~/key"),
    ("IdentityFile /k-%C", Topic::Auth, "IdentityFile /k-%%C"),
    (
        "IdentityFile /k-${NO_SUCH_VARIABLE_HERE}",
        Topic::Auth,
        "IdentityFile ${HOME}/k",
    ),
    (
        "PreferredAuthentications password",
        Topic::Auth,
        "PreferredAuthentications gssapi-with-mic,publickey",
    ),
    (
        "PubkeyAuthentication no",
        Topic::Auth,
        "PubkeyAuthentication unbound",
    ),
    (
        "KnownHostsCommand /x %H",
        Topic::Trust,
        "KnownHostsCommand none",
    ),
    ("RevokedHostKeys /x", Topic::Trust, "HashKnownHosts yes"),
    ("HostKeyAlias -x", Topic::Trust, "HostKeyAlias x"),
    ("User o;x", Topic::User, "User o-x"),
    ("User %u", Topic::User, "User u"),
    ("HostName %n", Topic::Always, "HostName %h.example"),
    ("HostName a;b", Topic::Always, "HostName a-b"),
    ("BindAddress 10.0.0.1", Topic::Always, "CheckHostIP yes"),
    ("BindInterface eth1", Topic::Always, "TCPKeepAlive yes"),
    (
        "CanonicalizeHostname yes",
        Topic::Always,
        "CanonicalizeHostname no",
    ),
    (
        "CanonicalizeHostname always",
        Topic::Always,
        "CanonicalDomains example",
    ),
    ("RemoteCommand sudo -i", Topic::Always, "RemoteCommand none"),
    ("RequiredRSASize 3072", Topic::Always, "Compression yes"),
    ("Ciphers aes256-ctr", Topic::Always, "Ciphers ^aes256-ctr"),
    (
        "KexAlgorithms -ecdh*",
        Topic::Always,
        "KexAlgorithms +diffie-hellman-group1-sha1",
    ),
    ("MACs hmac-sha2-256", Topic::Always, "MACs +hmac-sha1"),
    (
        "HostKeyAlgorithms ssh-rsa",
        Topic::Always,
        "HostKeyAlgorithms +ssh-rsa",
    ),
    (
        "PubkeyAcceptedKeyTypes ssh-rsa",
        Topic::Always,
        "PubkeyAcceptedKeyTypes +ssh-rsa",
    ),
    (
        "CASignatureAlgorithms -ssh-rsa",
        Topic::Always,
        "ForwardAgent yes",
    ),
    (
        "RefuseConnection \"moved to b\"",
        Topic::Always,
        "LocalForward 1 h:2",
    ),
    (
        "Match exec true\nPort 3",
        Topic::Always,
        "Match exec true\nForwardX11 yes",
    ),
    (
        "Match exec true\nIdentityFile /x",
        Topic::Auth,
        "Match exec true host b\nIdentityFile /x",
    ),
    (
        "Match localnetwork 10.0.0.0/8\nProxyJump j",
        Topic::Way,
        "ProxyJump k\nMatch localnetwork 10.0.0.0/8\nProxyJump j",
    ),
    ("Match tagged x\nUser u", Topic::User, "Match tagged x"),
    (
        "Match host a exec true\nHostName h",
        Topic::Always,
        "Match !host a exec true\nHostName h",
    ),
    (
        "Match sessiontype shell\nUserKnownHostsFile /x",
        Topic::Trust,
        "Match sessiontype shell\nRequestTTY yes",
    ),
];

#[test]
fn what_cannot_be_followed_is_named_with_its_line() {
    for (bad, topic, good) in CANNOT {
        let said = resolved(&format!("# above\nHost a\n{bad}\n"), "a");
        let [(told, problem)] = &said.problems[..] else {
            panic!("{bad}: {:?}", said.problems);
        };
        assert_eq!(told, topic, "{bad}");
        assert_eq!(problem.place.file, Path::new("conf"), "{bad}");
        assert_eq!((problem.place.line, problem.place.column), (3, 1), "{bad}");
        assert_eq!(problem.line.as_deref(), bad.lines().next(), "{bad}");
        assert!(!problem.hint.is_empty(), "{bad}");
        // Not a word of it for another host, and none about the twin.
        let other = format!("Host a\n{bad}\n");
        let scoped = !bad.starts_with("Match");
        assert!(
            !scoped || resolved(&other, "b").problems.is_empty(),
            "{bad}"
        );
        let twin = resolved(&format!("Host a\n{good}\n"), "a").problems;
        assert!(twin.is_empty(), "{good}: {twin:?}");
    }
}

#[test]
fn what_would_weaken_the_proof_is_noted_and_nothing_more() {
    for (text, phrase) in [
        (
            "StrictHostKeyChecking no",
            "StrictHostKeyChecking no is not followed: the host key is always checked",
        ),
        (
            "StrictHostKeyChecking accept-new",
            "StrictHostKeyChecking accept-new is not followed: the host key is always checked",
        ),
        (
            "NoHostAuthenticationForLocalhost yes",
            "NoHostAuthenticationForLocalhost yes is not followed: the host key is always checked",
        ),
        (
            "VerifyHostKeyDNS yes",
            "VerifyHostKeyDNS yes is not followed: a host key is known from known_hosts or a pin alone",
        ),
        (
            "ControlPath ~/.ssh/%C",
            "ControlPath ~/.ssh/%C is not followed: gonogo logs in by itself",
        ),
        (
            "HostKeyAlgorithms +ssh-rsa",
            "HostKeyAlgorithms +ssh-rsa is not followed: libssh2 offers its own",
        ),
    ] {
        let said = resolved(text, "a");
        assert!(said.problems.is_empty(), "{text}: {:?}", said.problems);
        assert_eq!(said.notes.len(), 1, "{text}");
        assert_eq!(said.notes[0].2, phrase);
    }
    for text in [
        "StrictHostKeyChecking yes",
        "StrictHostKeyChecking ask",
        "ControlPath none",
        "VerifyHostKeyDNS ask",
        "Ciphers ^aes256-ctr",
    ] {
        assert!(resolved(text, "a").notes.is_empty(), "{text}");
    }
}

#[test]
fn a_file_is_refused_as_a_whole_with_every_line_that_is_wrong() {
    let problems =
        read("Prot 22\nHost a\n  Port x\nUser \"u\nProxyJump a b\nMatch all host a\n").unwrap_err();
    let told: Vec<_> = problems
        .iter()
        .map(|problem| format!("{} {}", problem.place, problem.message))
        .collect();
    assert_eq!(
        told,
        [
            "conf:1:1 unknown keyword `Prot`",
            "conf:3:3 `Port`: cannot read `x`",
            "conf:4:1 the value of `User` cannot be read",
            "conf:5:1 `ProxyJump a b` names no way",
            "conf:6:1 `all` cannot be combined with other criteria",
        ]
    );
    assert_eq!(problems[0].hint, "did you mean `port`?");
}

#[test]
fn relative_includes_start_from_the_home_and_unsafe_ones_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let here = Here {
        home: home.path().to_owned(),
        ..here()
    };
    fs::create_dir_all(home.path().join(".ssh/conf.d")).unwrap();
    fs::write(
        home.path().join(".ssh/conf.d/one.conf"),
        "Host a\n Port 31\n",
    )
    .unwrap();
    fs::write(home.path().join(".ssh/conf.d/.hidden.conf"), "Bogus x\n").unwrap();
    fs::write(home.path().join("two"), "Host b\n Port 32\n").unwrap();
    let load = |text: &str| match file::parse(Path::new("conf"), text, Some(&here)) {
        Ok(config) => Ok(config),
        Err(Unread::Lines(problems)) => Err(problems[0].message.clone()),
        Err(Unread::File(message)) => Err(message),
    };
    let config = load("Include conf.d/*.conf ~/two none*\n").unwrap();
    let port = |alias| resolve::resolve(&config, &query(alias, None, None), &here).port;
    assert_eq!(
        (port("a"), port("b"), port("c")),
        (Some(31), Some(32), None)
    );
    for (text, told) in [
        ("Include ~other/x", "only `~/`"),
        ("Include ${HOME}/x", "tokens in"),
        ("Include %d/x", "tokens in"),
    ] {
        let message = load(text).unwrap_err();
        assert!(message.contains(told), "{text}: {message}");
    }
    let mut writable = fs::metadata(home.path().join("two")).unwrap().permissions();
    writable.set_mode(0o664);
    fs::set_permissions(home.path().join("two"), writable).unwrap();
    let message = load("Host x\n Include ~/two\n").unwrap_err();
    assert!(
        message.contains("could have been written by others"),
        "{message}"
    );
    assert!(
        load("Include circle").is_ok(),
        "what is not there is skipped"
    );
    fs::write(home.path().join(".ssh/circle"), "Include circle\n").unwrap();
    assert!(load("Include circle").unwrap_err().contains("circle"));
}

const OPERATORS: &str = r#"Host ny4-* jump
  User %r
  StrictHostKeyChecking accept-new
Host ny4-1
  HostName 10.20.0.11
  Port 2222
  IdentityFile "/keys/of %r/100%%"
  IdentityFile /keys/two
  CertificateFile /keys/two-cert.pub
  ProxyJump jumper@jump:2200,[fd00::1]
  UserKnownHostsFile "/known hosts" /more
  HostKeyAlias ny4-one
  AddressFamily inet
  ConnectTimeout 1m
Host secret
  User root
"#;

/// What is kept says the same again, on a machine where nothing of it is.
#[test]
fn what_is_kept_says_the_same_elsewhere_and_nothing_of_other_hosts() {
    let text = OPERATORS.replace("User %r", "IdentitiesOnly no");
    let config = read(&text).unwrap();
    let queries = [
        query("ny4-1", Some("ops"), None),
        query("ny4-1", None, None),
        query("ny4-2", Some("ops"), None),
        query("jump", Some("jumper"), Some(2200)),
    ];
    let first: Vec<_> = queries
        .iter()
        .map(|query| resolve::resolve(&config, query, &here()))
        .collect();
    let said: Vec<_> = queries.iter().zip(&first).collect();
    let kept = record::text("~/.ssh/config", &said, Given::default(), "me");
    assert!(
        !kept.contains("secret") && !kept.contains("User root"),
        "{kept}"
    );
    let again = match file::parse(Path::new("kept"), &kept, None) {
        Ok(config) => config,
        Err(unread) => panic!("{unread:?}\n{kept}"),
    };
    for (query, first) in said {
        let second = resolve::resolve(&again, query, &Here::nowhere());
        assert!(second.problems.is_empty(), "{:?}\n{kept}", second.problems);
        let brief = |said: &Resolved| {
            (
                (
                    said.address.clone(),
                    said.port,
                    said.keys.clone(),
                    said.certificates.clone(),
                ),
                (
                    said.jumps.clone(),
                    said.known_hosts.clone(),
                    said.host_key_alias.clone(),
                ),
                (
                    said.family,
                    said.timeout,
                    said.notes.clone(),
                    said.agent == Agent::Any,
                ),
            )
        };
        assert_eq!(brief(&second), brief(first), "{query:?}\n{kept}");
        let user = first
            .user
            .clone()
            .or_else(|| query.user.is_none().then(|| "me".to_owned()));
        assert_eq!(second.user, user, "{query:?}\n{kept}");
    }
    let one = &first[0];
    assert_eq!(one.keys[0], Path::new("/keys/of ops/100%"));
    assert_eq!(one.family, Family::Inet);
}

/// What is kept is an ssh_config that ssh(1) itself reads.
#[test]
fn what_is_kept_can_be_read_by_ssh() {
    let config = read(OPERATORS.replace("User %r", "User ops").as_str()).unwrap();
    let query = query("ny4-1", None, None);
    let said = resolve::resolve(&config, &query, &here());
    let kept = record::text("x", &[(&query, &said)], Given::default(), "me");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kept");
    fs::write(&path, &kept).unwrap();
    let ssh = std::process::Command::new("ssh")
        .args(["-G", "-F", path.to_str().unwrap(), "ny4-1"])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ssh.stdout);
    assert!(ssh.status.success(), "{ssh:?}\n{kept}");
    for line in [
        "hostname 10.20.0.11",
        "port 2222",
        "user ops",
        "proxyjump jumper@jump:2200,[fd00::1]",
    ] {
        assert!(told.lines().any(|told| told == line), "{line}\n{told}");
    }
}

#[test]
fn no_damage_to_a_file_breaks_the_reader() {
    let mut seed = 7_u64;
    let mut next = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(seed >> 33).unwrap() % below
    };
    let pieces = [
        "\"", "'", "\\", "=", "#", "%", "${", "}", "!", ",", "*", "\n", " ", "Match ", "exec x",
        "ä", "\u{0}", "@", ":", "[",
    ];
    for _ in 0..500 {
        let mut text: Vec<char> = OPERATORS.chars().collect();
        for _ in 0..=next(4) {
            let at = next(text.len());
            let until = (at + next(6)).min(text.len());
            text.splice(at..until, pieces[next(pieces.len())].chars());
        }
        let text: String = text.into_iter().collect();
        if let Ok(config) = read(&text) {
            let query = query("ny4-1", None, None);
            let said = resolve::resolve(&config, &query, &here());
            let kept = record::text("x", &[(&query, &said)], Given::default(), "me");
            // Whatever can be followed can be kept.
            if said.problems.is_empty() {
                let kept_text = kept.clone();
                if let Err(Unread::Lines(problems)) = file::parse(Path::new("kept"), &kept, None) {
                    panic!("{problems:?}\n{text}\n{kept_text}");
                }
            }
        }
    }
}
