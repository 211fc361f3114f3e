//! `allowed_signers` side by side with the real `ssh-keygen -Y verify`: the same files, signatures
//! and instants, and the same answer, but where gonogo is stricter on purpose.

use super::*;
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
    /// `K` is the signer's key, `L` another one, `P` an ECDSA key.
    file: &'static str,
    identity: &'static str,
    at: &'static str,
    expect: Expect,
}

const fn case(file: &'static str, identity: &'static str, expect: Expect) -> Case {
    let at = "20261121093000Z";
    Case {
        file,
        identity,
        at,
        expect,
    }
}

const fn when(at: &'static str, file: &'static str, expect: Expect) -> Case {
    let identity = "a@x";
    Case {
        file,
        identity,
        at,
        expect,
    }
}

const WINDOW: &str = "a@x valid-after=\"20260101Z\",valid-before=\"20270101Z\" K\n";

const CASES: &[Case] = &[
    case("a@x K\n", "a@x", Both),
    case("a@x K", "a@x", Both),
    case("a@x K a comment\n", "a@x", Both),
    case("  \ta@x \t K\n", "a@x", Both),
    case("a@x K\r\n", "a@x", Both),
    case("a@x K me@laptop\r\n", "a@x", Both),
    case("a@x\tK\n", "a@x", Both),
    case("a@x K caf\u{e9}\n", "a@x", Both),
    case("", "a@x", Neither),
    case("# nothing\n\n", "a@x", Neither),
    case("#a@x K\n", "a@x", Neither),
    case("a@x L\n", "a@x", Neither),
    case("a@x L\na@x K\n", "a@x", Both),
    case("b@x K\n", "a@x", Neither),
    case("A@x K\n", "a@x", Neither),
    // Patterns and lists.
    case("*@x K\n", "a@x", Both),
    case("*@x K\n", "a@y", Neither),
    case("?@x K\n", "a@x", Both),
    case("?@x K\n", "ab@x", Neither),
    case("* K\n", "anyone", Both),
    case("b@x,a@x K\n", "a@x", Both),
    case("b@x,*@x K\n", "a@x", Both),
    case("!a@x,*@x K\n", "a@x", Neither),
    case("*@x,!a@x K\n", "a@x", Neither),
    case("*@x,!a@x K\n", "b@x", Both),
    case("!a@x K\n", "b@x", Neither),
    case("a@x, K\n", "a@x", Both),
    case("b@x, a@x K\n", "a@x", Neither),
    // Quotes.
    case("\"a@x\" K\n", "a@x", Both),
    case("\"two words\" K\n", "two words", Both),
    case("two\" w\"ords K\n", "two words", Neither),
    case("two\" words\" K\n", "two words", Both),
    case("\"a@x K\n", "a@x", Neither),
    case("\"a@x\",b@x K\n", "a@x", Neither),
    // Namespaces.
    case("a@x namespaces=\"gonogo-report@gonogo\" K\n", "a@x", Both),
    case("a@x namespaces=\"git,gonogo-*\" K\n", "a@x", Both),
    case("a@x namespaces=\"git\" K\n", "a@x", Neither),
    case(
        "a@x namespaces=\"*,!gonogo-report@gonogo\" K\n",
        "a@x",
        Neither,
    ),
    case("a@x namespaces=\"git\" K\na@x K\n", "a@x", Both),
    case("a@x NameSpaces=\"gonogo-report@gonogo\" K\n", "a@x", Both),
    case("a@x namespaces=gonogo-report@gonogo K\n", "a@x", Neither),
    case("a@x namespaces=\"\" K\n", "a@x", Neither),
    case(
        "a@x namespaces=\"git\",namespaces=\"gonogo-report@gonogo\" K\n",
        "a@x",
        Neither,
    ),
    case("a@x namespaces=\"gonogo-report@gonogo K\n", "a@x", Neither),
    case(
        "a@x namespaces=\"gonogo-report@gonogo\", K\n",
        "a@x",
        Neither,
    ),
    case("a@x ,namespaces=\"gonogo-report@gonogo\" K\n", "a@x", Both),
    case(
        "a@x namespaces=\"gonogo-report@gonogo\"x K\n",
        "a@x",
        Neither,
    ),
    case(
        "a@x namespaces=\"a\\\"b,gonogo-report@gonogo\" K\n",
        "a@x",
        Both,
    ),
    case(
        "a@x namespaces=\"a b,gonogo-report@gonogo\" K\n",
        "a@x",
        Both,
    ),
    // Authorities, unknown options and broken lines.
    case("a@x cert-authority K\n", "a@x", Neither),
    case("a@x cert-authority K\na@x K\n", "a@x", Both),
    case(
        "a@x Cert-Authority,namespaces=\"gonogo-*\" K\n",
        "a@x",
        Neither,
    ),
    case("a@x cert-authorityx K\n", "a@x", Neither),
    case("a@x no-such-option K\n", "a@x", Neither),
    case("a@x no-such-option K\na@x K\n", "a@x", Both),
    case("a@x\na@x K\n", "a@x", Both),
    case("a@x ssh-ed25519 AAAA\na@x K\n", "a@x", Both),
    case("a@x ssh-ed25519\n", "a@x", Neither),
    case("a@x ssh-rsa K\n", "a@x", Neither),
    case("K\n", "a@x", Neither),
    case("\"a@x\na@x K\n", "a@x", Both),
    case("a@x P\na@x K\n", "a@x", Both),
    // Windows: both ends belong to it.
    when("20260101000000Z", WINDOW, Both),
    when("20251231235959Z", WINDOW, Neither),
    when("20270101000000Z", WINDOW, Both),
    when("20270101000001Z", WINDOW, Neither),
    when("20260601000000Z", "a@x valid-after=\"20260601Z\" K\n", Both),
    when(
        "20260531235959Z",
        "a@x valid-after=\"20260601Z\" K\n",
        Neither,
    ),
    when(
        "20260601123000Z",
        "a@x valid-before=\"202606011230Z\" K\n",
        Both,
    ),
    when(
        "20260601123001Z",
        "a@x valid-before=\"202606011230Z\" K\n",
        Neither,
    ),
    when(
        "20260601123045Z",
        "a@x valid-before=\"20260601123045Z\" K\n",
        Both,
    ),
    when(
        "20260601123046Z",
        "a@x valid-before=\"20260601123045Z\" K\n",
        Neither,
    ),
    when(
        "20260701000000Z",
        "a@x valid-before=\"20260601Z\" K\na@x valid-after=\"20260525Z\" K\n",
        Both,
    ),
    when("20260601000000Z", "a@x valid-after=\"20260301z\" K\n", Both),
    when(
        "20260601000000Z",
        "a@x valid-after=\"20270101Z\",valid-before=\"20260101Z\" K\n",
        Neither,
    ),
    when(
        "20260601000000Z",
        "a@x valid-after=\"20260101Z\",valid-after=\"20260102Z\" K\n",
        Neither,
    ),
    when("20260601000000Z", "a@x valid-after=\"2026Z\" K\n", Neither),
    when(
        "20260601000000Z",
        "a@x valid-after=\"20261301Z\" K\n",
        Neither,
    ),
    when(
        "20260601000000Z",
        "a@x valid-after=\"20260101000060Z\" K\n",
        Stricter,
    ),
    when(
        "20260601000000Z",
        "a@x valid-after=\"20260230Z\" K\n",
        Stricter,
    ),
    when(
        "20260601000000Z",
        "a@x valid-after=\"20260101\" K\n",
        Stricter,
    ),
    when(
        "20260601000000Z",
        "a@x valid-after=\"20260101UTC\" K\n",
        Stricter,
    ),
    when(
        "20260601000000Z",
        "a@x valid-after=\"19700101Z\" K\n",
        Neither,
    ),
    when(
        "20260601000000Z",
        "a@x valid-after=\"19690101Z\" K\n",
        Neither,
    ),
];

struct Bench {
    lab: Lab,
    signature: String,
}

impl Bench {
    fn new() -> Self {
        let lab = Lab::new();
        let key = lab.key("k", "me@x");
        lab.keygen("l", &["-t", "ed25519"], "");
        lab.keygen("p", &["-t", "ecdsa"], "");
        let signature = sign(&key, NAMESPACE, MESSAGE).unwrap();
        Self { lab, signature }
    }

    fn file(&self, template: &str) -> Vec<u8> {
        let mut file = template.to_owned();
        for (letter, name) in [
            (" K", "k.pub"),
            (" L", "l.pub"),
            (" P", "p.pub"),
            ("\tK", "k.pub"),
        ] {
            let public = self.lab.read(name);
            let words: Vec<&str> = public.split(' ').take(2).collect();
            let key = format!("{}{}", &letter[..1], words.join(" "));
            file = file.replace(letter, &key);
        }
        // The accent stands for one byte of Latin-1: comments may be in any encoding.
        file.chars().map(|c| c as u8).collect()
    }

    fn ssh_keygen(&self, file: &[u8], identity: &str, at: &str, signature: &str) -> bool {
        self.lab.write("allowed", file);
        self.lab.write("m.sig", signature);
        let time = format!("-Overify-time={at}");
        let arguments = [
            "-Y", "verify", "-f", "allowed", "-I", identity, "-n", NAMESPACE, "-s", "m.sig", &time,
        ];
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

#[test]
fn answers_as_ssh_keygen_does() {
    let bench = Bench::new();
    let mut wrong = Vec::new();
    for Case {
        file,
        identity,
        at,
        expect,
    } in CASES
    {
        let theirs = bench.ssh_keygen(&bench.file(file), identity, at, &bench.signature);
        let ours = bench.gonogo(file, Some(identity), at).is_ok();
        let expected = match expect {
            Both => (true, true),
            Neither => (false, false),
            Stricter => (true, false),
        };
        if (theirs, ours) != expected {
            wrong.push(format!(
                "{file:?} {identity} {at}: ssh-keygen {theirs}, gonogo {ours}"
            ));
        }
    }
    assert!(CASES.len() >= 30);
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
    assert_eq!(told, [3, 4, 5, 6]);
    assert!(allowed.warnings()[2].message.contains("without `Z`"));
    assert!(!allowed.is_empty());
    assert!(AllowedSigners::parse(b"junk\n").is_empty());
}

#[test]
fn a_key_on_a_security_token_is_verified_and_ssh_keygen_agrees() {
    use signature::Signer as _;
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
    let raw = key.private().try_sign(&device).unwrap();
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
