//! Signing by the real `ssh-agent`, by agents that misbehave, by commands (`ssh-keygen` among them), and with
//! certificates; what comes is what `ssh-keygen -Y verify` takes.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

use super::*;
use crate::digest::Sha256;
use crate::sign::allowed_signers::AllowedSigners;
use crate::sign::dsse::{self, Statement, TestResult, sign_statement, verify_envelope};
use crate::sign::key::{KeyFault, Source};
use crate::sign::lab::{Lab, RealAgent};
use crate::sign::sshsig::{NAMESPACE, sign};

const MESSAGE: &[u8] = b"0123  report.json\n";
const LONG: Duration = Duration::from_secs(60);

fn open(
    lab: &Lab,
    key: &str,
    socket: Option<&Path>,
    edit: impl for<'a> Fn(&mut Source<'a>),
) -> Result<SigningKey, KeyFault> {
    let path = match key.starts_with("agent:") {
        true => key.into(),
        false => lab.path(key),
    };
    let mut source = Source::of(&path, None);
    edit(&mut source);
    SigningKey::open_with(&source, |name| match name {
        "SSH_AUTH_SOCK" => socket.map(OsString::from),
        _ => None,
    })
}

fn statement() -> Statement {
    Statement {
        subjects: vec![("SHA256SUMS".into(), Sha256::of(b"sums"))],
        result: TestResult::Passed,
        configuration: Vec::new(),
        url: None,
        passed: vec!["a".into()],
        warned: Vec::new(),
        failed: Vec::new(),
    }
}

/// Signs, and both verifiers take it by the line that gonogo itself prints.
#[track_caller]
fn accepted(lab: &Lab, key: &SigningKey) -> String {
    key.prove().unwrap();
    let armour = sign(key, NAMESPACE, MESSAGE).unwrap();
    let line = key.allowed_signers_line(NAMESPACE);
    lab.write("allowed", format!("{line}\n"));
    lab.write("m.sig", &armour);
    let base = [
        "-Y", "verify", "-f", "allowed", "-n", NAMESPACE, "-s", "m.sig",
    ];
    let arguments = [&base[..], &["-I", key.identity()]].concat();
    let theirs = lab.run("ssh-keygen", &arguments, MESSAGE);
    assert!(theirs.status.success(), "{theirs:?}");
    let allowed = AllowedSigners::parse(line.as_bytes());
    let (identity, now) = (Some(key.identity()), crate::time::now());
    let signer = allowed.verify(identity, NAMESPACE, MESSAGE, armour.as_bytes(), now);
    let signer = signer.unwrap();
    assert_eq!(signer.fingerprint, key.fingerprint());
    assert_eq!(signer.certified, key.certified());
    let envelope = sign_statement(key, &statement()).unwrap();
    let read = verify_envelope(&envelope, key.public().key_data());
    assert_eq!(read.unwrap(), statement());
    armour
}

#[test]
fn an_agent_signs_with_keys_of_every_type() {
    let lab = Lab::new();
    let agent = RealAgent::start(&lab, "/bin/false");
    for (name, kind) in [
        ("ed", &["-t", "ed25519"][..]),
        ("p256", &["-t", "ecdsa"]),
        ("p521", &["-t", "ecdsa", "-b", "521"]),
        ("rsa", &["-t", "rsa", "-b", "2048"]),
    ] {
        lab.keygen(name, &[kind, &["-C", "me@x"]].concat(), "");
        agent.add(&lab, &["-q", name]);
        let public = format!("{name}.pub");
        let key = open(&lab, &public, Some(&agent.socket), |_| ()).unwrap();
        let armour = accepted(&lab, &key);
        let pin = format!("agent:{}", key.fingerprint());
        let same = open(&lab, &pin, Some(&agent.socket), |_| ()).unwrap();
        assert_eq!(same.identity(), "me@x");
        accepted(&lab, &same);
        if name == "ed" {
            let by_file = SigningKey::load(&lab.path(name), None).unwrap();
            assert_eq!(sign(&by_file, NAMESPACE, MESSAGE).unwrap(), armour);
        }
    }
}

#[test]
fn ecdsa_keys_sign_from_files_and_openssl_takes_their_attestations() {
    let lab = Lab::new();
    for bits in ["256", "384", "521"] {
        lab.keygen(bits, &["-t", "ecdsa", "-b", bits, "-C", "me@x"], "");
        let key = SigningKey::load(&lab.path(bits), None).unwrap();
        accepted(&lab, &key);
        let bytes = dsse::pae("text/plain", b"hello");
        let bare = key.sign_bare(&bytes).unwrap().unwrap();
        lab.write("sig", crate::sign::raw::to_bare(&bare).unwrap());
        lab.write("good", &bytes);
        lab.write("bad", &bytes[1..]);
        let public = format!("{bits}.pub");
        let pem = lab.ssh_keygen(&["-e", "-m", "PKCS8", "-f", &public]);
        lab.write("key.pem", pem);
        let accepts = |file: &str| {
            let digest = match bits {
                "256" => "sha256",
                "384" => "sha384",
                _ => "sha512",
            };
            let digest = format!("-{digest}");
            let base = ["dgst", &digest, "-verify", "key.pem", "-signature", "sig"];
            let output = lab.run("openssl", &[&base[..], &[file]].concat(), b"");
            output.status.success()
        };
        assert!(accepts("good") && !accepts("bad"), "{bits}");
    }
}

#[test]
fn certificates_sign_from_files_agents_and_commands() {
    let lab = Lab::new();
    let agent = RealAgent::start(&lab, "/bin/false");
    lab.keygen("ca", &["-t", "ed25519"], "");
    lab.keygen("key", &["-t", "ed25519", "-C", "ci@x"], "");
    let certify = [
        "-q", "-s", "ca", "-I", "job 17", "-z", "17", "-V", "-1d:+1d",
    ];
    lab.ssh_keygen(&[&certify[..], &["-n", "deploy,ci@x", "key.pub"]].concat());
    lab.write("m", MESSAGE);
    let theirs = [
        "-q",
        "-Y",
        "sign",
        "-f",
        "key-cert.pub",
        "-n",
        NAMESPACE,
        "m",
    ];
    lab.ssh_keygen(&theirs);
    let expected = lab.read("m.sig");

    let by_file = SigningKey::load(&lab.path("key"), None).unwrap();
    assert_eq!(by_file.identity(), "ci@x");
    let certified = by_file.certified().unwrap();
    assert_eq!((certified.id.as_str(), certified.serial), ("job 17", 17));
    // Byte for byte what ssh-keygen writes.
    assert_eq!(accepted(&lab, &by_file), expected);

    // ssh-add takes the certificate beside the key too.
    agent.add(&lab, &["-q", "key"]);
    let pin = format!("agent:{}", by_file.fingerprint());
    for key in ["key.pub", "key-cert.pub", &pin] {
        let key = open(&lab, key, Some(&agent.socket), |_| ()).unwrap();
        assert_eq!(accepted(&lab, &key), expected);
    }
    // An agent that holds the certificate alone.
    agent.add(&lab, &["-q", "-k", "-d", "key"]);
    for key in ["key.pub", "key-cert.pub", &pin] {
        let key = open(&lab, key, Some(&agent.socket), |_| ()).unwrap();
        assert_eq!(accepted(&lab, &key), expected);
    }

    // A command that knows nothing of the certificate, and one that does.
    for private in ["key", "key-cert.pub"] {
        let private = lab.path(private).display().to_string();
        let words = [
            "ssh-keygen",
            "-q",
            "-Y",
            "sign",
            "-n",
            "{namespace}",
            "-f",
            &private,
        ];
        let words = words.map(str::to_owned);
        let key = SigningKey::open(&Source {
            command: Some(&words),
            ..Source::of(&lab.path("key.pub"), None)
        });
        assert_eq!(accepted(&lab, &key.unwrap()), expected);
    }

    // Named, it need not lie beside; the plain key signs again once it does not.
    std::fs::rename(lab.path("key-cert.pub"), lab.path("elsewhere")).unwrap();
    let plain = SigningKey::load(&lab.path("key"), None).unwrap();
    assert!(plain.certificate().is_none());
    assert_ne!(accepted(&lab, &plain), expected);
    let named = SigningKey::open(&Source {
        certificate: Some(&lab.path("elsewhere")),
        ..Source::of(&lab.path("key"), None)
    });
    assert_eq!(accepted(&lab, &named.unwrap()), expected);
}

#[test]
fn a_certificate_that_no_verifier_would_take_is_refused_before_it_signs() {
    let lab = Lab::new();
    lab.keygen("ca", &["-t", "ed25519"], "");
    for name in ["key", "other"] {
        lab.keygen(name, &["-t", "ed25519", "-C", "ci@x"], "");
    }
    let refused = || SigningKey::load(&lab.path("key"), None).unwrap_err();
    for (options, words) in [
        (&["-n", "ci@x", "-V", "-2d:-1d"][..], "has expired"),
        (&["-n", "ci@x", "-V", "+1d:+2d"], "not yet valid"),
        (&["-n", "ci@x", "-h"], "host certificate"),
        (
            &["-n", "ci@x", "-O", "critical:new=1"],
            "`new` is not known",
        ),
        (&[], "no principal"),
    ] {
        lab.ssh_keygen(&[&["-q", "-s", "ca", "-I", "id"], options, &["key.pub"]].concat());
        let fault = refused();
        assert!(matches!(fault, KeyFault::Certificate { .. }), "{fault}");
        assert!(fault.to_string().contains(words), "{fault}");
    }
    lab.ssh_keygen(&["-q", "-s", "ca", "-I", "id", "-n", "two words", "key.pub"]);
    assert!(matches!(refused(), KeyFault::Principals { .. }));
    lab.ssh_keygen(&[
        "-q",
        "-s",
        "ca",
        "-I",
        "id",
        "-n",
        "two words,ops",
        "key.pub",
    ]);
    let key = SigningKey::load(&lab.path("key"), None).unwrap();
    // The comment is no principal: the first that can be an identity is.
    assert_eq!(key.identity(), "ops");
    accepted(&lab, &key);
    lab.ssh_keygen(&["-q", "-s", "ca", "-I", "id", "-n", "ci@x", "other.pub"]);
    std::fs::rename(lab.path("other-cert.pub"), lab.path("key-cert.pub")).unwrap();
    assert!(matches!(refused(), KeyFault::OtherCertificate { .. }));
    lab.write("key-cert.pub", lab.read("key.pub"));
    assert!(matches!(refused(), KeyFault::NotACertificate { .. }));
    lab.write("key-cert.pub", "");
    assert!(matches!(refused(), KeyFault::NotACertificate { .. }));
    std::fs::remove_file(lab.path("key-cert.pub")).unwrap();
    std::os::unix::fs::symlink("nowhere", lab.path("key-cert.pub")).unwrap();
    // It was meant to be there.
    assert!(matches!(refused(), KeyFault::Missing { .. }));
}

#[test]
fn every_refusal_of_an_agent_says_what_to_do() {
    let lab = Lab::new();
    let agent = RealAgent::start(&lab, "/bin/false");
    for name in ["key", "other"] {
        lab.keygen(name, &["-t", "ed25519", "-C", "me@x"], "");
    }
    let opened = |socket: Option<&Path>| open(&lab, "key.pub", socket, |_| ());
    let refused = |socket: Option<&Path>, words: &str, hint: &str| {
        let fault = opened(socket).unwrap_err();
        assert!(fault.to_string().contains(words), "{words}: {fault}");
        assert!(fault.hint().contains(hint), "{words}: {}", fault.hint());
    };
    let here = Some(agent.socket.as_path());
    refused(None, "SSH_AUTH_SOCK names none", "eval $(ssh-agent)");
    refused(Some(Path::new("")), "SSH_AUTH_SOCK names none", "ssh-add");
    let nowhere = lab.path("nowhere");
    refused(Some(&nowhere), "does not answer", "SSH_AUTH_SOCK");
    refused(here, "holds no key", "ssh-add -X");
    agent.add(&lab, &["-q", "other"]);
    refused(here, "does not hold key", "ssh-add FILE");
    agent.add(&lab, &["-q", "key"]);
    let key = opened(here).unwrap();
    key.prove().unwrap();
    // Locked after the key was found: at the trial, and at the end.
    agent.add(&lab, &["-q", "-x"]);
    let fault = key.prove().unwrap_err();
    assert!(
        matches!(fault, SignFault::Agent(AgentFault::Refused(_))),
        "{fault}"
    );
    assert!(fault.hint().contains("ssh-add -X"));
    refused(here, "is locked", "ssh-add -X");
    agent.add(&lab, &["-q", "-X"]);
    key.prove().unwrap();
    // Declined by a person: the agent asks /bin/false.
    agent.add(&lab, &["-q", "-D"]);
    agent.add(&lab, &["-q", "-c", "key"]);
    let fault = opened(here).unwrap().prove().unwrap_err();
    assert!(
        matches!(fault, SignFault::Agent(AgentFault::Refused(_))),
        "{fault}"
    );
    assert!(fault.hint().contains("ssh-add -c"));
}

/// An agent that answers each request as it is told, until the lab is gone.
fn played(
    lab: &Lab,
    name: &str,
    mut play: impl FnMut(UnixStream) + Send + 'static,
) -> std::path::PathBuf {
    let socket = lab.path(name);
    let listener = UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            play(stream);
        }
    });
    socket
}

#[test]
fn an_agent_that_hangs_does_not_hang_us_and_one_that_lies_is_caught() {
    let lab = Lab::new();
    lab.keygen("key", &["-t", "ed25519", "-C", "me@x"], "");
    lab.keygen("other", &["-t", "ed25519", "-C", "me@x"], "");
    let short = |source: &mut Source<'_>| source.patience = Duration::from_millis(400);
    let begun = Instant::now();

    let mut kept = Vec::new();
    let hung = played(&lab, "hung", move |stream| kept.push(stream));
    let fault = open(&lab, "key.pub", Some(&hung), short).unwrap_err();
    assert!(
        matches!(fault, KeyFault::Agent(AgentFault::Late(_))),
        "{fault}"
    );
    assert!(fault.hint().contains("--sign-timeout"));

    // Byte by byte, always within any idle timeout.
    let slow = played(&lab, "slow", |mut stream| {
        std::thread::spawn(move || {
            while stream.write_all(&[0, 0, 1][..1]).is_ok() {
                std::thread::sleep(Duration::from_millis(50));
            }
        });
    });
    let fault = open(&lab, "key.pub", Some(&slow), short).unwrap_err();
    assert!(matches!(fault, KeyFault::Agent(_)), "{fault}");

    // Nobody accepts, and the queue is full.
    let full = lab.path("full");
    let listener = UnixListener::bind(&full).unwrap();
    let _waiting: Vec<_> = (0..8)
        .map(|_| {
            let full = full.clone();
            std::thread::spawn(move || UnixStream::connect(full))
        })
        .collect();
    let fault = open(&lab, "key.pub", Some(&full), short).unwrap_err();
    assert!(
        matches!(fault, KeyFault::Agent(AgentFault::Late(_))),
        "{fault}"
    );
    assert!(begun.elapsed() < LONG);
    drop(listener);

    let answers = [
        &b"\0\0\0\x01\x05"[..],
        b"\0\0\0\x05\x0c\xff\xff\xff\xff",
        b"\xff\xff\xff\xff",
        b"\0\0\0\0",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"",
    ];
    for (n, answer) in answers.into_iter().enumerate() {
        let name = format!("odd{n}");
        let odd = played(&lab, &name, move |mut stream| {
            let _ = stream.write_all(answer);
        });
        let fault = open(&lab, "key.pub", Some(&odd), short).unwrap_err();
        assert!(matches!(fault, KeyFault::Agent(_)), "{answer:?}: {fault}");
    }

    // Lists the one key and signs with the other.
    let real = RealAgent::start(&lab, "/bin/false");
    real.add(&lab, &["-q", "other"]);
    let listed = crate::sign::raw::read_line(&lab.read("key.pub")).unwrap().0;
    let held = crate::sign::raw::read_line(&lab.read("other.pub"))
        .unwrap()
        .0;
    let (listed, held) = [&listed, &held].map(crate::sign::raw::blob).into();
    let behind = real.socket.clone();
    let swap = |bytes: &[u8], from: &[u8], to: &[u8]| {
        let at = bytes.windows(from.len()).position(|at| at == from);
        let mut swapped = bytes.to_vec();
        if let Some(at) = at {
            swapped[at..at + to.len()].copy_from_slice(to);
        }
        swapped
    };
    let liar = played(&lab, "liar", move |mut stream| {
        let mut request = vec![0; 4096];
        let read = stream.read(&mut request).unwrap();
        let mut agent = UnixStream::connect(&behind).unwrap();
        agent
            .write_all(&swap(&request[..read], &listed, &held))
            .unwrap();
        let mut answer = vec![0; 4096];
        let read = agent.read(&mut answer).unwrap();
        stream
            .write_all(&swap(&answer[..read], &held, &listed))
            .unwrap();
    });
    let key = open(&lab, "key.pub", Some(&liar), |_| ()).unwrap();
    let fault = key.prove().unwrap_err();
    assert!(
        matches!(fault, SignFault::SelfCheck(SignatureFault::Mismatch)),
        "{fault}"
    );
}

fn by_command(lab: &Lab, words: &[&str]) -> SigningKey {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let path = lab.path("key.pub");
    SigningKey::open(&Source {
        command: Some(&words),
        ..Source::of(&path, None)
    })
    .unwrap()
}

#[test]
fn a_command_signs_and_whatever_else_it_gives_is_refused() {
    let lab = Lab::new();
    for name in ["key", "other"] {
        lab.keygen(name, &["-t", "ed25519", "-C", "me@x"], "");
    }
    let [private, other] = ["key", "other"].map(|name| lab.path(name).display().to_string());
    let sign_with = |key: &str, namespace: &str| {
        by_command(
            &lab,
            &["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", key],
        )
    };
    let key = sign_with(&private, "{namespace}");
    let by_file = SigningKey::load(&lab.path("key"), None).unwrap();
    let armour = accepted(&lab, &key);
    assert_eq!(armour, sign(&by_file, NAMESPACE, MESSAGE).unwrap());
    assert_eq!(key.identity(), "me@x");

    let fault = sign_with(&other, "{namespace}").prove().unwrap_err();
    assert!(matches!(fault, SignFault::OtherKey { .. }), "{fault}");
    let fault = sign_with(&private, NAMESPACE).prove().unwrap_err();
    assert!(matches!(fault, SignFault::OtherNamespace { .. }), "{fault}");
    assert!(fault.hint().contains("{namespace}"));

    // A signature of something else: of the message of last time.
    lab.write("old.sig", sign(&by_file, TRIAL_NAMESPACE, b"old").unwrap());
    let old = lab.path("old.sig").display().to_string();
    let fault = by_command(&lab, &["cat", &old]).prove().unwrap_err();
    assert!(
        matches!(fault, SignFault::SelfCheck(SignatureFault::Mismatch)),
        "{fault}"
    );
    for words in [&["true"][..], &["echo", "no"], &["head", "-c", "50", &old]] {
        let fault = by_command(&lab, words).prove().unwrap_err();
        assert!(
            matches!(fault, SignFault::NotASignature(_)),
            "{words:?}: {fault}"
        );
    }
    let fault = by_command(&lab, &["false"]).prove().unwrap_err();
    assert!(matches!(fault, SignFault::Command(_)), "{fault}");

    // With a command --key is the public half.
    let words = ["cat".to_owned()];
    for path in [lab.path("key"), "agent:SHA256:x".into()] {
        let fault = SigningKey::open(&Source {
            command: Some(&words),
            ..Source::of(&path, None)
        });
        assert!(
            matches!(fault, Err(KeyFault::CommandNeedsPublic { .. })),
            "{fault:?}"
        );
    }
}

#[test]
fn an_attestation_by_sshsig_is_of_that_key_in_that_namespace() {
    let lab = Lab::new();
    for name in ["key", "other"] {
        lab.keygen(name, &["-t", "ed25519", "-C", "me@x"], "");
    }
    let private = lab.path("key").display().to_string();
    let words = [
        "ssh-keygen",
        "-q",
        "-Y",
        "sign",
        "-n",
        "{namespace}",
        "-f",
        &private,
    ];
    let key = by_command(&lab, &words);
    let public = key.public().key_data();
    let line = sign_statement(&key, &statement()).unwrap();
    assert!(verify_envelope(&line, public).is_ok());
    let other = SigningKey::load(&lab.path("other"), None).unwrap();
    let refused = verify_envelope(&line, other.public().key_data());
    assert!(refused.is_err(), "{refused:?}");

    let body = |line: &str| {
        let (_, rest) = line.split_once("\"payload\":\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    let payload = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, body(&line));
    let pae = dsse::pae(dsse::PAYLOAD_TYPE, &payload.unwrap());
    let forged = |signed_by: &SigningKey, namespace: &str, message: &[u8]| {
        let armour = sign(signed_by, namespace, message).unwrap();
        let bytes = sshsig::Signature::parse(armour.as_bytes())
            .unwrap()
            .to_bytes();
        let sig = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
        let (head, _) = line.split_once("\"sig\":\"").unwrap();
        verify_envelope(&format!("{head}\"sig\":\"{sig}\"}}]}}\n"), public)
    };
    assert!(forged(&key, dsse::NAMESPACE, &pae).is_ok());
    // Another key; the signatures of a run and of a trial; another statement.
    assert!(forged(&other, dsse::NAMESPACE, &pae).is_err());
    assert!(forged(&key, NAMESPACE, &pae).is_err());
    assert!(forged(&key, TRIAL_NAMESPACE, &pae).is_err());
    assert!(forged(&key, dsse::NAMESPACE, &pae[1..]).is_err());
}
