//! Signing keys made by the real `ssh-keygen`, and every way in which there is none.

use super::*;
use crate::sign::lab::{Lab, chmod};

fn refusal(lab: &Lab, name: &str, env: Option<&str>, value: Option<&str>) -> KeyFault {
    let environment = |_: &str| value.map(OsString::from);
    let path = lab.path(name);
    SigningKey::open_with(&Source::of(&path, env), environment).unwrap_err()
}

#[test]
fn reads_what_ssh_keygen_writes() {
    let lab = Lab::new();
    lab.keygen("key", &["-t", "ed25519", "-C", "gonogo@ops.example"], "");
    let key = SigningKey::load(&lab.path("key"), None).unwrap();
    assert_eq!(key.identity(), "gonogo@ops.example");
    let listed = lab.ssh_keygen(&["-lf", "key.pub"]);
    assert_eq!(listed.split(' ').nth(1), Some(key.fingerprint().as_str()));
    let public = lab.read("key.pub");
    assert_eq!(
        key.allowed_signers_line("n@d"),
        format!(
            "gonogo@ops.example namespaces=\"n@d\" {}",
            public.trim_end()
        )
    );
    assert!(!format!("{key:?}").contains("Private"), "{key:?}");
}

#[test]
fn opens_every_cipher_with_the_passphrase_from_the_environment() {
    let lab = Lab::new();
    for cipher in [
        "aes256-ctr",
        "aes256-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
    ] {
        let name = cipher.split('@').next().unwrap();
        let arguments = ["-t", "ed25519", "-C", "me@x", "-Z", cipher, "-a", "2"];
        lab.keygen(name, &arguments, "gonogo");
        // Cargo sets it for every test: the one variable that needs no unsafe to be set.
        let key = SigningKey::load(&lab.path(name), Some("CARGO_PKG_NAME"));
        assert_eq!(key.unwrap().identity(), "me@x", "{cipher}");
    }
}

#[test]
fn names_what_is_wrong_with_a_passphrase() {
    let lab = Lab::new();
    lab.keygen("key", &["-t", "ed25519", "-C", "me@x", "-a", "2"], "secret");
    let wrong = refusal(&lab, "key", Some("PASS"), Some("other"));
    assert!(matches!(wrong, KeyFault::WrongPassphrase { .. }), "{wrong}");
    let unset = refusal(&lab, "key", Some("PASS"), None);
    assert!(matches!(unset, KeyFault::NoPassphrase { .. }), "{unset}");
    let none = refusal(&lab, "key", None, Some("secret"));
    assert!(matches!(none, KeyFault::Encrypted { .. }), "{none}");
}

#[test]
fn names_what_is_not_a_signing_key() {
    let lab = Lab::new();
    lab.keygen("key", &["-t", "ed25519", "-C", "me@x"], "");
    lab.keygen("rsa", &["-t", "rsa", "-b", "2048", "-C", "me@x"], "");
    lab.keygen("pem", &["-t", "rsa", "-b", "2048", "-m", "PEM"], "");
    lab.keygen("pkcs8", &["-t", "ecdsa", "-m", "PKCS8"], "");
    let content = lab.read("key");
    lab.write("damaged", content.replace("AAAA", "AAAB"));
    lab.write("text", "not a key\n");
    lab.write("empty", "");
    lab.write("rfc4716", lab.ssh_keygen(&["-e", "-f", "key.pub"]));
    lab.write("ppk", "PuTTY-User-Key-File-3: ssh-ed25519\n");
    for name in ["damaged", "text", "empty", "ppk"] {
        chmod(&lab.path(name), 0o600);
    }
    let told = |name: &str| refusal(&lab, name, None, None);
    assert!(matches!(told("absent"), KeyFault::Missing { .. }));
    assert!(matches!(told("."), KeyFault::NotAKey { .. }));
    assert!(matches!(told("rfc4716"), KeyFault::Public { .. }));
    assert!(told("rfc4716").hint().contains("ssh-keygen -i"));
    assert!(matches!(
        told("pem"),
        KeyFault::NotOpenssh { format: "PEM", .. }
    ));
    assert!(matches!(
        told("pkcs8"),
        KeyFault::NotOpenssh {
            format: "PKCS#8",
            ..
        }
    ));
    assert!(matches!(
        told("ppk"),
        KeyFault::NotOpenssh {
            format: "PuTTY",
            ..
        }
    ));
    assert!(told("pem").hint().contains("ssh-keygen -p -f"));
    assert!(matches!(told("text"), KeyFault::NotAKey { .. }));
    assert!(matches!(told("empty"), KeyFault::NotAKey { .. }));
    assert!(matches!(told("damaged"), KeyFault::Damaged { .. }));
    let fault = told("rsa");
    assert!(matches!(fault, KeyFault::Unsupported { .. }), "{fault}");
    assert!(fault.to_string().contains("ssh-rsa") && fault.hint().contains("rsa.pub"));
}

#[test]
fn refuses_a_key_that_others_may_read() {
    let lab = Lab::new();
    lab.keygen("key", &["-t", "ed25519", "-C", "me@x"], "");
    for mode in [0o640, 0o604, 0o620, 0o644] {
        chmod(&lab.path("key"), mode);
        let fault = refusal(&lab, "key", None, None);
        assert!(
            matches!(fault, KeyFault::Exposed { .. }),
            "{mode:o}: {fault}"
        );
        assert!(fault.hint().starts_with("chmod 600 "));
    }
    for mode in [0o600, 0o400] {
        chmod(&lab.path("key"), mode);
        assert!(SigningKey::load(&lab.path("key"), None).is_ok(), "{mode:o}");
    }
}

#[test]
fn refuses_a_comment_that_is_no_identity() {
    let lab = Lab::new();
    for (n, comment) in ["", "two words", "a,b", "*", "!a", "-I", "a'b", "a$b", "ü"]
        .into_iter()
        .enumerate()
    {
        let name = format!("key{n}");
        lab.keygen(&name, &["-t", "ed25519", "-C", comment], "");
        let fault = refusal(&lab, &name, None, None);
        assert!(
            matches!(fault, KeyFault::Comment { .. }),
            "{comment}: {fault}"
        );
        assert!(fault.hint().contains("ssh-keygen -c -C"));
    }
}
