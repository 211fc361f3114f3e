//! Cases of `host_key.rs`, with keys and certificates made by the real `ssh-keygen`.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;

struct Keys(tempfile::TempDir);

impl Keys {
    fn new() -> Self {
        let keys = Self(tempfile::tempdir().unwrap());
        for (name, kind) in [
            ("a", "ed25519"),
            ("b", "ed25519"),
            ("e", "ecdsa"),
            ("ca", "ed25519"),
        ] {
            keys.keygen(&["-q", "-t", kind, "-N", "", "-C", "", "-f", name]);
        }
        keys
    }

    fn keygen(&self, arguments: &[&str]) {
        let mut command = Command::new("ssh-keygen");
        command.args(arguments).current_dir(self.0.path());
        let out = command.output().unwrap();
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.path(&format!("{name}.pub"))).unwrap();
        text.trim().to_owned()
    }

    fn blob(&self, name: &str) -> Vec<u8> {
        use base64::Engine as _;
        let text = self.text(name);
        let blob = text.split(' ').nth(1).unwrap();
        base64::engine::general_purpose::STANDARD
            .decode(blob)
            .unwrap()
    }

    fn certify(&self, ca: &str, key: &str, more: &[&str]) -> Vec<u8> {
        let file = format!("{key}.pub");
        let mut arguments = vec!["-q", "-s", ca, "-I", "id"];
        arguments.extend_from_slice(more);
        arguments.push(&file);
        self.keygen(&arguments);
        self.blob(&format!("{key}-cert"))
    }
}

const NOW: u64 = 1_795_000_000;

fn lines(text: &str, port: u16) -> Trust {
    let name = known_hosts::name("h.example", port);
    Trust::Lines {
        known: Known::of(text, &name),
        name,
        bare: match port {
            22 => Known::default(),
            _ => Known::of(text, "h.example"),
        },
        files: vec!["known_hosts".to_owned()],
    }
}

fn verdict(trust: &Trust, blob: &[u8]) -> String {
    match trust.check("h.example", blob, NOW) {
        Ok(key) => format!("ok {}", key.kind),
        Err(failure) => {
            assert_eq!(failure.kind, FailureKind::HostKey);
            assert!(!failure.hint.is_empty());
            failure.actual
        }
    }
}

#[test]
fn plain_keys_are_told_apart() {
    let keys = Keys::new();
    let (a, b, e) = (keys.text("a"), keys.text("b"), keys.text("e"));
    for (text, port, expected) in [
        (format!("h.example {a}\n"), 22, "ok ssh-ed25519"),
        (
            format!("h.example {b}\nh.example {a}\n"),
            22,
            "ok ssh-ed25519",
        ),
        (format!("h.example {b}\n"), 22, "ssh-ed25519 SHA256:"),
        (format!("h.example {e}\n"), 22, "ssh-ed25519 SHA256:"),
        (String::new(), 22, "no line for it"),
        (format!("other {a}\n"), 22, "no line for it"),
        (format!("@revoked * {a}\nh.example {a}\n"), 22, "@revoked"),
        (
            format!("h.example {a}\n@revoked h.example {a}\n"),
            22,
            "@revoked",
        ),
        (format!("@revoked * {b}\nh.example {a}\n"), 22, "ok"),
        (format!("@revoked other {a}\nh.example {a}\n"), 22, "ok"),
        (format!("[h.example]:2222 {a}\n"), 2222, "ok"),
        (format!("h.example {a}\n"), 2222, "ok"),
        (format!("h.example {b}\n"), 2222, "no line for it"),
        (
            format!("[h.example]:2222 {b}\nh.example {a}\n"),
            2222,
            "ssh-ed25519",
        ),
        (
            format!("[h.example]:2222 {a}\n@revoked h.example {a}\n"),
            2222,
            "@revoked",
        ),
        (format!("[h.example]:22 {a}\n"), 22, "no line for it"),
        (format!("@cert-authority * {a}\n"), 22, "no certificate"),
    ] {
        let got = verdict(&lines(&text, port), &keys.blob("a"));
        assert!(got.contains(expected), "{text}: {got}");
    }
}

#[test]
fn an_unknown_host_is_told_what_to_compare_and_to_add() {
    let keys = Keys::new();
    let failure = lines("", 2222)
        .check("h.example", &keys.blob("a"), NOW)
        .unwrap_err();
    let fingerprint = Key::from_blob(&keys.blob("a")).unwrap().fingerprint();
    assert!(failure.actual.contains(&fingerprint) && failure.hint.contains(&fingerprint));
    assert!(
        failure.hint.contains("`[h.example]:2222 ssh-ed25519"),
        "{}",
        failure.hint
    );
    let changed = lines(&format!("h.example {}", keys.text("b")), 22);
    let failure = changed
        .check("h.example", &keys.blob("a"), NOW)
        .unwrap_err();
    let old = Key::from_blob(&keys.blob("b")).unwrap().fingerprint();
    assert!(failure.expected.contains(&old) && failure.actual.contains(&fingerprint));
}

#[test]
fn certificates_are_checked_as_a_whole() {
    let keys = Keys::new();
    let ca = keys.text("ca");
    let trust = lines(&format!("@cert-authority *.example {ca}\n"), 22);
    for (more, expected) in [
        (&["-h", "-n", "h.example"][..], "ok ssh-ed25519"),
        (&["-h", "-n", "x,H.EXAMPLE"], "ok"),
        (&["-h", "-n", "*.example"], "ok"),
        (&["-h"], "ok"),
        (&["-h", "-n", "other"], "is for other"),
        (&["-n", "h.example"], "user certificate"),
        (
            &["-h", "-n", "h.example", "-V", "20200101:20200102"],
            "2020-01-0",
        ),
        (
            &["-h", "-n", "h.example", "-V", "20990101:20990102"],
            "2099-01-0",
        ),
        (
            &["-h", "-n", "h.example", "-O", "critical:x=y"],
            "critical options",
        ),
    ] {
        let blob = keys.certify("ca", "a", more);
        let got = verdict(&trust, &blob);
        assert!(got.contains(expected), "{more:?}: {got}");
    }
    let good = keys.certify("ca", "a", &["-h", "-n", "h.example"]);
    // Any bit of it, once changed, must not pass.
    for at in (0..good.len()).step_by(7) {
        let mut bent = good.clone();
        bent[at] ^= 1;
        let got = verdict(&trust, &bent);
        assert!(!got.starts_with("ok"), "bit flipped at {at}");
    }
    let revoked = format!("@cert-authority * {ca}\n@revoked * {}\n", ca);
    assert!(verdict(&lines(&revoked, 22), &good).contains("@revoked"));
    let revoked = format!("@cert-authority * {ca}\n@revoked * {}\n", keys.text("a"));
    assert!(verdict(&lines(&revoked, 22), &good).contains("@revoked"));
    let stranger = keys.certify("b", "a", &["-h", "-n", "h.example"]);
    assert!(verdict(&trust, &stranger).contains("no @cert-authority line"));
    assert!(verdict(&lines("", 22), &good).contains("no line for it"));
}

#[test]
fn a_pin_is_the_fingerprint_and_nothing_else() {
    let keys = Keys::new();
    let pin = Key::from_blob(&keys.blob("a")).unwrap().fingerprint();
    let trust = Trust::Pin(pin.clone());
    assert_eq!(verdict(&trust, &keys.blob("a")), "ok ssh-ed25519");
    assert!(verdict(&trust, &keys.blob("b")).contains("SHA256:"));
    assert_eq!(verdict(&trust, b"junk"), "bytes that are no key");
    // ssh-keygen says the same.
    let out = Command::new("ssh-keygen")
        .arg("-lf")
        .arg(keys.path("a.pub"))
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&out.stdout).contains(&pin));
}

#[test]
fn asks_for_what_it_could_accept() {
    let keys = Keys::new();
    let e = keys.text("e");
    assert_eq!(
        lines(&format!("h.example {e}"), 22).order(&Ask::Known),
        "ecdsa-sha2-nistp256"
    );
    let both = format!("[h.example]:2222 {e}\nh.example {}", keys.text("a"));
    assert_eq!(lines(&both, 2222).order(&Ask::Known), "ecdsa-sha2-nistp256");
    let any = PLAIN.join(",");
    assert_eq!(lines("", 22).order(&Ask::Known), any);
    assert_eq!(lines(&both, 22).order(&Ask::Any), any);
    let ca = lines(&format!("@cert-authority * {e}\nh.example {e}"), 22).order(&Ask::Known);
    assert!(ca.starts_with("ssh-ed25519-cert-v01@openssh.com,"));
    assert!(ca.ends_with(",ecdsa-sha2-nistp256") && !ca.contains(",ssh-ed25519,"));
    let except = Ask::Except(vec!["ssh-ed25519".into(), "ssh-rsa".into()]);
    let order = Trust::Pin("SHA256:x".into()).order(&except);
    assert_eq!(
        order,
        "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521"
    );
}

fn nobody() -> Login {
    Login {
        host: "h".into(),
        team: "t".into(),
        address: "h.example".into(),
        port: 22,
        user: "ops".into(),
        auth: vec![],
        known_hosts: vec![],
        host_key: None,
        connect_timeout: std::time::Duration::from_secs(1),
        deadline: std::time::Duration::from_secs(1),
        clock_tolerance: std::time::Duration::from_secs(60),
        max_bytes: 1,
        elevate: crate::inventory::Elevate::None,
        transport: crate::inventory::Transport::Auto,
        gather: crate::inventory::Gather::Each,
        client: crate::inventory::Client::Ssh2,
        ssh_config: None,
        chroot: None,
        via: vec![],
    }
}

#[test]
fn an_unreadable_known_hosts_file_is_a_refusal() {
    let keys = Keys::new();
    std::fs::write(keys.path("kh"), format!("h.example {}\n", keys.text("a"))).unwrap();
    let login = |files: &[&Path]| Login {
        known_hosts: files.iter().map(|path| path.to_path_buf()).collect(),
        ..nobody()
    };
    let (kh, absent) = (keys.path("kh"), keys.path("absent"));
    let trust = Trust::of(&login(&[&kh])).unwrap();
    assert!(verdict(&trust, &keys.blob("a")).starts_with("ok"));
    let refused = Trust::of(&login(&[&kh, &absent])).err().unwrap();
    assert!(refused.actual.contains("absent"), "{}", refused.actual);
    // No file and no pin trusts nobody.
    let nobody = Trust::of(&login(&[])).unwrap();
    assert!(verdict(&nobody, &keys.blob("a")).contains("no line for it"));
}

#[test]
fn a_host_key_alias_is_looked_up_in_place_of_address_and_port() {
    let keys = Keys::new();
    let lines = format!(
        "alias {}\n[h.example]:2222 {}\nh.example {}\n",
        keys.text("a"),
        keys.text("b"),
        keys.text("b")
    );
    std::fs::write(keys.path("kh"), lines).unwrap();
    let mut login = crate::inventory::Login {
        port: 2222,
        known_hosts: vec![keys.path("kh")],
        ..nobody()
    };
    let trust = Trust::of(&login).unwrap();
    assert!(verdict(&trust, &keys.blob("b")).starts_with("ok"));
    login.ssh_config = Some(crate::inventory::SshConfig {
        host_key_alias: Some("alias".into()),
        ..Default::default()
    });
    let trust = Trust::of(&login).unwrap();
    assert!(trust.check("alias", &keys.blob("a"), NOW).is_ok());
    assert!(trust.check("alias", &keys.blob("b"), NOW).is_err());
}
