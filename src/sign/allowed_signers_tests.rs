//! `allowed_signers` side by side with the real `ssh-keygen -Y verify`: the same files, signatures
//! and instants, and the same answer, but where gonogo is stricter on purpose.

use super::*;
use crate::sign::krl::Revoked;
use crate::sign::lab::Lab;
use crate::sign::sshsig::{NAMESPACE, sign};

const MESSAGE: &[u8] = b"0123  report.json\n";

/// What both must say.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Expect {
    Both,
    Neither,
    /// ssh-keygen accepts what gonogo refuses on purpose.
    Stricter,
}
use Expect::{Both, Neither, Stricter};

struct Case {
    /// `K` is the signer's key, `L` another one, `P` an ECDSA key, `R` and `S` RSA keys, `A` and `B` authorities.
    file: &'static str,
    identity: &'static str,
    at: &'static str,
    /// The name of the key or certificate that signed: see [`Bench::new`].
    signed_by: &'static str,
    /// The namespace that is verified for.
    namespace: &'static str,
    /// What is revoked: see [`Bench::revoked`].
    revoked: &'static str,
    expect: Expect,
}

const fn case(file: &'static str, identity: &'static str, expect: Expect) -> Case {
    Case {
        file,
        identity,
        at: "20261121093000Z",
        signed_by: "k",
        namespace: NAMESPACE,
        revoked: "",
        expect,
    }
}

const fn when(at: &'static str, file: &'static str, expect: Expect) -> Case {
    Case {
        at,
        ..case(file, "a@x", expect)
    }
}

#[path = "allowed_signers_cases.rs"]
mod plain;
use plain::CASES;

#[path = "certified_cases.rs"]
mod certified;

pub(super) struct Bench {
    pub lab: Lab,
    signature: String,
}

/// Certificates of the key `k` (`c-…`), and what ssh-keygen is told to make them.
const CERTIFICATES: &[(&str, &str, &[&str])] = &[
    ("c", "a", &["-n", "a@x,b@x", "-z", "7"]),
    (
        "c-year",
        "a",
        &["-n", "a@x", "-V", "20260101000000Z:20270101000000Z"],
    ),
    ("c-zero", "a", &["-n", "a@x"]),
    ("c-nobody", "a", &[]),
    ("c-pattern", "a", &["-n", "*@x"]),
    ("c-host", "a", &["-h", "-n", "a@x"]),
    (
        "c-forced",
        "a",
        &["-n", "a@x", "-O", "force-command=/bin/true"],
    ),
    (
        "c-from",
        "a",
        &["-n", "a@x", "-O", "source-address=10.0.0.0/8"],
    ),
    ("c-critical", "a", &["-n", "a@x", "-O", "critical:new@x=1"]),
    ("c-extended", "a", &["-n", "a@x", "-O", "extension:new@x=1"]),
    ("c-b", "b", &["-n", "a@x", "-z", "7"]),
    ("c-p", "p", &["-n", "a@x", "-z", "7"]),
    ("c-r", "r", &["-n", "a@x", "-z", "7"]),
    ("c-sha1", "r", &["-n", "a@x", "-t", "ssh-rsa"]),
];

impl Bench {
    pub fn new() -> Self {
        let lab = Lab::new();
        let key = lab.key("k", "me@x");
        for name in ["l", "a", "b"] {
            lab.keygen(name, &["-t", "ed25519"], "");
        }
        lab.keygen("p", &["-t", "ecdsa"], "");
        lab.keygen("r", &["-t", "rsa", "-b", "2048"], "");
        lab.keygen("s", &["-t", "rsa", "-b", "1024"], "");
        for (name, authority, options) in CERTIFICATES {
            std::fs::copy(lab.path("k"), lab.path(name)).unwrap();
            std::fs::copy(lab.path("k.pub"), lab.path(&format!("{name}.pub"))).unwrap();
            let id = format!("id-{name}");
            let base = ["-q", "-s", authority, "-I", &id];
            lab.ssh_keygen(&[&base, *options, &[&format!("{name}.pub")]].concat());
        }
        let signature = sign(&key, NAMESPACE, MESSAGE).unwrap();
        Self { lab, signature }
    }

    /// Signed by the real ssh-keygen with that key, or that certificate, once.
    pub fn signed_by(&self, name: &str) -> String {
        let file = format!("by-{name}");
        let signature = format!("{file}.sig");
        if !self.lab.path(&signature).exists() {
            let (key, namespace) = match name {
                "git" => ("k".to_owned(), "git"),
                name if name.starts_with('c') => (format!("{name}-cert.pub"), NAMESPACE),
                name => (name.to_owned(), NAMESPACE),
            };
            self.lab.write(&file, MESSAGE);
            self.lab
                .ssh_keygen(&["-q", "-Y", "sign", "-f", &key, "-n", namespace, &file]);
        }
        self.lab.read(&signature)
    }

    /// A list made by `ssh-keygen -k` of lines that its manual describes, of authority `a`; after `@b` of that,
    /// after `@none` of any. After `=`, a text or a file that is none.
    pub fn revoked(&self, told: &str) -> Option<Vec<u8>> {
        let (authority, lines) = match told.split_once('\n') {
            _ if told.is_empty() => return None,
            _ if told == "=nothing" => return Some(Vec::new()),
            _ if told.starts_with('=') => return Some(self.file(&told[1..])),
            Some((at, lines)) if at.starts_with('@') => (at[1..].to_owned(), lines),
            _ => ("a".to_owned(), told),
        };
        let authority = match authority.as_str() {
            "none" => authority,
            name => format!("{name}.pub"),
        };
        self.lab.write("spec", self.file(lines));
        let _ = std::fs::remove_file(self.lab.path("krl"));
        self.lab
            .ssh_keygen(&["-q", "-k", "-f", "krl", "-s", &authority, "spec"]);
        Some(std::fs::read(self.lab.path("krl")).unwrap())
    }

    fn file(&self, template: &str) -> Vec<u8> {
        let mut file = template.to_owned();
        for (letter, name) in [
            (" K", "k.pub"),
            (" L", "l.pub"),
            (" P", "p.pub"),
            (" R", "r.pub"),
            (" S", "s.pub"),
            (" A", "a.pub"),
            (" B", "b.pub"),
            (" C", "c-cert.pub"),
            ("\tK", "k.pub"),
        ] {
            let public = self.lab.read(name);
            let words: Vec<&str> = public.split(' ').take(2).collect();
            let key = format!("{}{}", &letter[..1], words.join(" "));
            // A letter alone, not the first of a word.
            let lines = file.split('\n').map(|line| {
                let mut line = line.replace(&format!("{letter} "), &format!("{key} "));
                for end in ["", "\r"] {
                    if let Some(head) = line.strip_suffix(&format!("{letter}{end}")) {
                        line = format!("{head}{key}{end}");
                    }
                }
                line
            });
            file = lines.collect::<Vec<_>>().join("\n");
        }
        // The accent stands for one byte of Latin-1: comments may be in any encoding.
        file.chars().map(|c| c as u8).collect()
    }

    fn ssh_keygen(&self, file: &[u8], identity: &str, at: &str, signature: &str) -> bool {
        self.ssh_keygen_knowing(file, identity, NAMESPACE, at, signature, None)
    }

    fn ssh_keygen_knowing(
        &self,
        file: &[u8],
        identity: &str,
        namespace: &str,
        at: &str,
        signature: &str,
        revoked: Option<&[u8]>,
    ) -> bool {
        self.lab.write("allowed", file);
        self.lab.write("m.sig", signature);
        let time = format!("-Overify-time={at}");
        let mut arguments = vec![
            "-Y", "verify", "-f", "allowed", "-I", identity, "-n", namespace, "-s", "m.sig", &time,
        ];
        if let Some(revoked) = revoked {
            self.lab.write("revoked", revoked);
            arguments.extend(["-r", "revoked"]);
        }
        self.lab
            .run("ssh-keygen", &arguments, MESSAGE)
            .status
            .success()
    }

    fn gonogo(
        &self,
        template: &str,
        identity: Option<&str>,
        at: &str,
    ) -> Result<Signer, SignatureFault> {
        let allowed = AllowedSigners::parse(&self.file(template));
        let at = parse_time(at).unwrap();
        allowed.verify(identity, NAMESPACE, MESSAGE, self.signature.as_bytes(), at)
    }
}

/// What both say to a case: ssh-keygen, then gonogo.
fn both(bench: &Bench, case: &Case) -> (bool, Result<Signer, String>) {
    let Case {
        file,
        identity,
        at,
        signed_by,
        namespace,
        revoked,
        ..
    } = case;
    let signature = match *signed_by {
        "k" => bench.signature.clone(),
        name => bench.signed_by(name),
    };
    let (file, revoked) = (bench.file(file), bench.revoked(revoked));
    let theirs = bench.ssh_keygen_knowing(
        &file,
        identity,
        namespace,
        at,
        &signature,
        revoked.as_deref(),
    );
    let revoked = revoked.as_deref().map(Revoked::parse).transpose();
    let ours = match revoked {
        Err(fault) => Err(fault.to_string()),
        Ok(revoked) => AllowedSigners::parse(&file)
            .without(revoked.unwrap_or_default())
            .verify(
                Some(identity),
                namespace,
                MESSAGE,
                signature.as_bytes(),
                parse_time(at).unwrap(),
            )
            .map_err(|fault| fault.to_string()),
    };
    (theirs, ours)
}

#[test]
fn answers_as_ssh_keygen_does() {
    let bench = Bench::new();
    let mut wrong = Vec::new();
    for case in CASES.iter().chain(certified::CASES) {
        let (theirs, ours) = both(&bench, case);
        let expected = match case.expect {
            Both => (true, true),
            Neither => (false, false),
            Stricter => (true, false),
        };
        if (theirs, ours.is_ok()) != expected {
            let Case {
                file,
                identity,
                at,
                signed_by,
                revoked,
                ..
            } = case;
            wrong.push(format!(
                "{file:?} {identity} {at} by {signed_by} less {revoked:?}: ssh-keygen {theirs}, gonogo {ours:?}"
            ));
        }
    }
    assert!(CASES.len() >= 50 && certified::CASES.len() >= 50);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_the_reason() {
    let bench = Bench::new();
    let refused =
        |file: &str, identity: &str| bench.gonogo(file, Some(identity), "20261121Z").unwrap_err();
    use SignatureFault as F;
    assert!(matches!(
        refused("b@x K\n", "a@x"),
        F::NoSuchIdentity { .. }
    ));
    assert!(matches!(refused("a@x L\n", "a@x"), F::KeyNotAllowed { .. }));
    assert!(matches!(
        refused("a@x namespaces=\"git\" K\n", "a@x"),
        F::NamespaceNotAllowed { line: 1, .. }
    ));
    let late = refused("\na@x valid-before=\"20260101Z\" K\n", "a@x");
    assert_eq!(
        late.to_string(),
        "allowed_signers line 2: the key is not valid at 2026-11-21T00:00:00Z \
         (allowed from any time until 2026-01-01T00:00:00Z)"
    );
    let nobody = bench.gonogo("a@x L\n", None, "20261121Z").unwrap_err();
    assert!(matches!(nobody, F::NoIdentity { .. }));
    let allowed = AllowedSigners::parse(&bench.file("a@x K\n"));
    let at = parse_time("20261121Z").unwrap();
    let verify = |namespace, message, signature| {
        let refused = allowed.verify(Some("a@x"), namespace, message, signature, at);
        refused.unwrap_err()
    };
    let signature = bench.signature.as_bytes();
    assert!(matches!(
        verify("git", MESSAGE, signature),
        F::WrongNamespace { .. }
    ));
    assert_eq!(verify(NAMESPACE, b"other", signature), F::Mismatch);
    assert!(matches!(
        verify(NAMESPACE, MESSAGE, b"junk"),
        F::NotASignature(_)
    ));
}

#[test]
fn finds_the_identity_as_find_principals_does() {
    let bench = Bench::new();
    bench.lab.write("m.sig", &bench.signature);
    for (file, identity, named) in [
        ("a@x K\n", "a@x", true),
        ("b@x L\na@x K\n", "a@x", true),
        ("*@x,a@x K\n", "a@x", true),
        ("*@x K\n", "*@x", false),
        ("* K\na@x K\n", "a@x", true),
    ] {
        let signer = bench.gonogo(file, None, "20261121Z").unwrap();
        assert_eq!(
            (signer.identity.as_str(), signer.named),
            (identity, named),
            "{file}"
        );
        bench.lab.write("allowed", bench.file(file));
        let found =
            bench
                .lab
                .ssh_keygen(&["-Y", "find-principals", "-f", "allowed", "-s", "m.sig"]);
        // ssh-keygen stops at the first line; gonogo prefers a line that names someone.
        if file != "* K\na@x K\n" {
            assert!(
                found.lines().any(|line| line == identity),
                "{file}: {found}"
            );
        }
    }
    let asked = bench.gonogo("* K\n", Some("z@x"), "20261121Z").unwrap();
    assert_eq!((asked.identity.as_str(), asked.named), ("z@x", true));
}

#[test]
fn tells_of_lines_without_effect() {
    let bench = Bench::new();
    let file =
        "# fine\na@x K\nb@x cert-authority K\nc@x\nd@x valid-after=\"20260101\" K\ne@x frob K\n";
    let allowed = AllowedSigners::parse(&bench.file(file));
    let told: Vec<usize> = allowed
        .warnings()
        .iter()
        .map(|warning| warning.line)
        .collect();
    assert_eq!(told, [4, 5, 6]);
    assert!(allowed.warnings()[1].message.contains("without `Z`"));
    assert!(!allowed.is_empty());
    assert!(AllowedSigners::parse(b"junk\n").is_empty());
}

#[test]
fn a_key_on_a_security_token_is_verified_and_ssh_keygen_agrees() {
    use ssh_key::encoding::Encode as _;
    // No device at hand: PROTOCOL.u2f says what one signs, and a plain key can sign just that.
    let bench = Bench::new();
    let key = crate::sign::key::SigningKey::load(&bench.lab.path("k"), None).unwrap();
    let point = key.public().key_data().ed25519().unwrap().0;
    let mut blob = Vec::new();
    "sk-ssh-ed25519@openssh.com".encode(&mut blob).unwrap();
    point.as_slice().encode(&mut blob).unwrap();
    "ssh:".encode(&mut blob).unwrap();
    let public = PublicKey::from_bytes(&blob).unwrap();
    let to_sign =
        ssh_key::SshSig::signed_data(NAMESPACE, ssh_key::HashAlg::Sha512, MESSAGE).unwrap();
    let (flags, counter) = ([1_u8], [0_u8, 0, 0, 7]);
    let hash = |bytes: &[u8]| *crate::digest::Sha256::of(bytes).as_bytes();
    let device = [&hash(b"ssh:")[..], &flags, &counter, &hash(&to_sign)].concat();
    let raw = key.sign_bare(&device).unwrap().unwrap();
    let raw = [raw.as_bytes(), &flags, &counter].concat();
    let signature = ssh_key::Signature::new(ssh_key::Algorithm::SkEd25519, raw).unwrap();
    let signed = ssh_key::SshSig::new(
        public.key_data().clone(),
        NAMESPACE,
        ssh_key::HashAlg::Sha512,
        signature,
    );
    let armour = signed.unwrap().to_pem(ssh_key::LineEnding::LF).unwrap();
    let armour = format!("{}\n", armour.trim_end());
    let file = format!("a@x {}\n", public.to_openssh().unwrap());
    assert!(bench.ssh_keygen(file.as_bytes(), "a@x", "20261121Z", &armour));
    let allowed = AllowedSigners::parse(file.as_bytes());
    let at = parse_time("20261121Z").unwrap();
    let verify = |message| allowed.verify(Some("a@x"), NAMESPACE, message, armour.as_bytes(), at);
    assert!(verify(MESSAGE).is_ok());
    assert_eq!(verify(b"other"), Err(SignatureFault::Mismatch));
}
