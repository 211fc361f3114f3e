//! The machine-readable attestation of a run: a DSSE envelope (secure-systems-lab/dsse v1) around an
//! in-toto Statement v1 with predicate test-result v0.1, one line of JSON.
//!
//! Holds nothing of gonogo's own in the predicate: strict readers refuse unknown fields. Everything
//! else is in the report, bound by digest. DSSE has no times and no revocation: whom to trust when is
//! `allowed_signers`' business.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use ssh_key::public::KeyData;

use super::key::SigningKey;
use super::raw::{fingerprint, from_bare, is_signed, to_bare};
use super::signer::SignFault;
use super::sshsig::{self, Signature, SignatureFault};
use crate::digest::Sha256;
use crate::text::escape;

/// `payloadType` of an in-toto Statement in JSON.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// `_type` of an in-toto Statement v1.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// `predicateType` of a test result.
pub const PREDICATE_TYPE: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// The namespace of attestations whose signature is an SSHSIG.
pub const NAMESPACE: &str = "gonogo-attestation@gonogo";

/// Every SSHSIG begins so (PROTOCOL.sshsig), and is longer than any bare signature of 64 bytes.
pub(super) const SSHSIG_MAGIC: &[u8] = b"SSHSIG";

/// What a run came to, in the words of test-result v0.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TestResult {
    /// GO.
    #[serde(rename = "PASSED")]
    Passed,
    /// GO with waivers.
    #[serde(rename = "WARNED")]
    Warned,
    /// Anything else: NO-GO, HOLD, aborted.
    #[serde(rename = "FAILED")]
    Failed,
}

impl TestResult {
    /// The word of test-result v0.1.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "PASSED",
            Self::Warned => "WARNED",
            Self::Failed => "FAILED",
        }
    }
}

/// What is attested. Names of tests are unique, such as `<feature>:<scenario>@<host>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What the result is about: (name, digest).
    pub subjects: Vec<(String, Sha256)>,
    /// What it came to.
    pub result: TestResult,
    /// What decided what was asked: (path, digest) of every input.
    pub configuration: Vec<(String, Sha256)>,
    /// URL of the CI job.
    pub url: Option<String>,
    /// Names of the tests that passed.
    pub passed: Vec<String>,
    /// Names of the tests that failed and are waived.
    pub warned: Vec<String>,
    /// Names of the tests that failed, or of which nothing can be said.
    pub failed: Vec<String>,
}

// The published shapes. Derived, strict, without `Value` and `flatten`: unknown and duplicate keys
// are refused (facts: traps.md T13).

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Envelope {
    payload: String,
    pub(super) payload_type: String,
    pub(super) signatures: Vec<EnvelopeSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EnvelopeSignature {
    pub(super) keyid: String,
    pub(super) sig: String,
}

impl Envelope {
    /// One line with its end, in gonogo's one spelling: a changed byte is a refused byte, even one that JSON would ignore.
    pub(super) fn read(line: &str) -> Result<Self, EnvelopeFault> {
        let json = line.strip_suffix('\n').ok_or(EnvelopeFault::Spelling)?;
        let envelope: Self = serde_json::from_str(json).map_err(EnvelopeFault::Json)?;
        match serde_json::to_string(&envelope).ok().as_deref() == Some(json) {
            true => Ok(envelope),
            false => Err(EnvelopeFault::Spelling),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InToto {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Resource>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Resource {
    name: String,
    digest: Digest,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Digest {
    sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Predicate {
    result: TestResult,
    configuration: Vec<Resource>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    passed_tests: Vec<String>,
    warned_tests: Vec<String>,
    failed_tests: Vec<String>,
}

impl Resource {
    fn list(pairs: &[(String, Sha256)]) -> Vec<Self> {
        let one = |(name, digest): &(String, Sha256)| Self {
            name: name.clone(),
            digest: Digest {
                sha256: digest.to_string(),
            },
        };
        pairs.iter().map(one).collect()
    }

    fn pairs(list: Vec<Self>) -> Result<Vec<(String, Sha256)>, EnvelopeFault> {
        let one = |Self { name, digest }: Self| match digest.sha256.parse() {
            Ok(digest) => Ok((name, digest)),
            Err(_) => Err(EnvelopeFault::Payload(format!("bad digest of `{name}`"))),
        };
        list.into_iter().map(one).collect()
    }
}

/// The bytes that a DSSE signature covers: `DSSEv1 <length> <type> <length> <body>`, lengths in
/// bytes as decimal numbers (DSSE protocol, PAE).
#[must_use]
pub fn pae(payload_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Signs `statement`: one line of JSON with its line end, for `report.intoto.jsonl`.
///
/// # Errors
/// When a name stands twice, or the fresh envelope does not verify.
pub fn sign_statement(key: &SigningKey, statement: &Statement) -> Result<String, AttestFault> {
    let in_toto = InToto {
        kind: STATEMENT_TYPE.to_owned(),
        subject: Resource::list(&statement.subjects),
        predicate_type: PREDICATE_TYPE.to_owned(),
        predicate: Predicate {
            result: statement.result,
            configuration: Resource::list(&statement.configuration),
            url: statement.url.clone(),
            passed_tests: statement.passed.clone(),
            warned_tests: statement.warned.clone(),
            failed_tests: statement.failed.clone(),
        },
    };
    let payload = serde_json::to_vec(&in_toto)?;
    let signature = sign_pae(key, &pae(PAYLOAD_TYPE, &payload))?;
    let envelope = Envelope {
        payload: BASE64.encode(payload),
        payload_type: PAYLOAD_TYPE.to_owned(),
        signatures: vec![EnvelopeSignature {
            keyid: key.fingerprint(),
            sig: BASE64.encode(signature),
        }],
    };
    let line = format!("{}\n", serde_json::to_string(&envelope)?);
    let read = verify_envelope(&line, key.public().key_data())?;
    if read != *statement {
        return Err(AttestFault::SelfCheck(EnvelopeFault::Mismatch));
    }
    Ok(line)
}

/// Bare, as every DSSE library verifies it, where the signer gives that: ed25519 and ECDSA. Else an SSHSIG
/// over the same bytes in a namespace of its own, by the same key: libraries refuse it, `verify` does not.
fn sign_pae(key: &SigningKey, pae: &[u8]) -> Result<Vec<u8>, AttestFault> {
    let bare = key.sign_bare(pae)?;
    if let Some(bare) = bare.as_ref().and_then(to_bare) {
        return Ok(bare);
    }
    let armour = sshsig::sign(key, NAMESPACE, pae)?;
    let signature = Signature::parse(armour.as_bytes()).map_err(SignFault::SelfCheck)?;
    Ok(signature.to_bytes())
}

/// Either form, by `key` and nobody else.
fn check_pae(key: &KeyData, pae: &[u8], signature: &[u8]) -> Result<(), SignatureFault> {
    if signature.len() != 64 && signature.starts_with(SSHSIG_MAGIC) {
        let signature = Signature::from_bytes(signature)?;
        // The key first: the signature of anybody else proves nothing, however well it fits.
        if signature.key() != key {
            return Err(SignatureFault::Mismatch);
        }
        return signature.check(NAMESPACE, pae);
    }
    let signature = from_bare(key, signature).ok_or(SignatureFault::Mismatch)?;
    match is_signed(key, pae, &signature) {
        true => Ok(()),
        false => Err(SignatureFault::Mismatch),
    }
}

/// Why an attestation could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AttestFault {
    /// The statement cannot be written as JSON.
    #[error("cannot write the attestation: {0}")]
    Json(#[from] serde_json::Error),
    /// The signer refused, failed or was late.
    #[error("the attestation: {0}")]
    Sign(#[from] SignFault),
    /// What was just made does not verify.
    #[error("cannot sign the attestation: the fresh one is not valid ({0})")]
    SelfCheck(#[from] EnvelopeFault),
}

/// Reads one envelope (one line, as [`sign_statement`] writes it) that `key` must have signed.
///
/// # Errors
/// Whatever differs from what gonogo writes, and every signature that does not match.
pub fn verify_envelope(line: &str, key: &KeyData) -> Result<Statement, EnvelopeFault> {
    let envelope = Envelope::read(line)?;
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(EnvelopeFault::PayloadType(envelope.payload_type));
    }
    let [signature] = envelope.signatures.as_slice() else {
        return Err(EnvelopeFault::Signatures(envelope.signatures.len()));
    };
    if signature.keyid != fingerprint(key) {
        return Err(EnvelopeFault::KeyId {
            expected: fingerprint(key),
            found: signature.keyid.clone(),
        });
    }
    let payload = BASE64
        .decode(&envelope.payload)
        .map_err(|_| EnvelopeFault::Base64)?;
    let raw = BASE64
        .decode(&signature.sig)
        .map_err(|_| EnvelopeFault::Base64)?;
    check_pae(key, &pae(PAYLOAD_TYPE, &payload), &raw).map_err(|_| EnvelopeFault::Mismatch)?;
    read_statement(&payload)
}

fn read_statement(payload: &[u8]) -> Result<Statement, EnvelopeFault> {
    let refused = |reason: String| Err(EnvelopeFault::Payload(reason));
    let in_toto: InToto = serde_json::from_slice(payload).map_err(EnvelopeFault::Json)?;
    if in_toto.kind != STATEMENT_TYPE {
        return refused(format!("statement type `{}`", in_toto.kind));
    }
    if in_toto.predicate_type != PREDICATE_TYPE {
        return refused(format!("predicate type `{}`", in_toto.predicate_type));
    }
    let predicate = in_toto.predicate;
    let statement = Statement {
        subjects: Resource::pairs(in_toto.subject)?,
        result: predicate.result,
        configuration: Resource::pairs(predicate.configuration)?,
        url: predicate.url,
        passed: predicate.passed_tests,
        warned: predicate.warned_tests,
        failed: predicate.failed_tests,
    };
    if statement.subjects.is_empty() {
        return refused("no subject".to_owned());
    }
    for pairs in [&statement.subjects, &statement.configuration] {
        let mut names = BTreeSet::new();
        if let Some((name, _)) = pairs.iter().find(|(name, _)| !names.insert(name)) {
            return refused(format!("`{name}` stands twice"));
        }
    }
    let mut names = BTreeSet::new();
    let tests = [&statement.passed, &statement.warned, &statement.failed];
    if let Some(name) = tests
        .into_iter()
        .flatten()
        .find(|name| !names.insert(*name))
    {
        return refused(format!("test `{name}` stands twice"));
    }
    Ok(statement)
}

/// Why an envelope proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeFault {
    /// Not the JSON of the two formats: unknown, missing and duplicate keys included.
    #[error("not a DSSE envelope with a test result: {0}")]
    Json(serde_json::Error),
    /// Correct JSON, written otherwise than gonogo writes it.
    #[error("the envelope is not spelt as gonogo writes it")]
    Spelling,
    /// Another kind of payload.
    #[error("the payload is of type `{}`", escape(.0))]
    PayloadType(String),
    /// None or several signatures.
    #[error("the envelope holds {0} signatures instead of one")]
    Signatures(usize),
    /// Signed by another key.
    #[error("the envelope was signed by key `{}`, not {expected}", escape(found))]
    KeyId {
        /// The key that had to sign.
        expected: String,
        /// What the envelope claims.
        found: String,
    },
    /// Payload or signature is no standard base64.
    #[error("the envelope holds damaged base64")]
    Base64,
    /// Changed after signing.
    #[error("the signature does not match the payload")]
    Mismatch,
    /// Well signed, and not a statement that gonogo makes.
    #[error("the statement is not acceptable: {}", escape(.0))]
    Payload(String),
}

/// The public key as SubjectPublicKeyInfo in PEM (RFC 8410), for `openssl pkeyutl -verify -rawin`:
/// `ssh-keygen -e` cannot export ed25519 that way. `None` for other key types.
#[must_use]
pub fn spki_pem(key: &KeyData) -> Option<String> {
    // SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING of 32 bytes }
    const HEAD: [u8; 12] = [
        0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
    ];
    let point = &key.ed25519()?.0;
    let base64 = BASE64.encode([HEAD.as_slice(), point].concat());
    Some(format!(
        "-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::lab::Lab;

    fn statement() -> Statement {
        Statement {
            subjects: vec![
                ("SHA256SUMS".into(), Sha256::of(b"sums")),
                ("report.json".into(), Sha256::of(b"{}")),
            ],
            result: TestResult::Warned,
            configuration: vec![("inputs/inventory.yaml".into(), Sha256::of(b"i"))],
            url: Some("https://ci.example/1?a=\"b\"&c=é".into()),
            passed: vec!["amps.feature:config@ny4-1".into()],
            warned: vec!["amps.feature:log@ny4-1".into()],
            failed: vec![],
        }
    }

    /// Signs any payload of any type, as a hostile holder of the key could.
    fn envelope(key: &SigningKey, kind: &str, payload: &str) -> String {
        let raw = key.sign_bare(&pae(kind, payload.as_bytes()));
        let raw = raw.unwrap().unwrap();
        format!(
            r#"{{"payload":"{}","payloadType":"{kind}","signatures":[{{"keyid":"{}","sig":"{}"}}]}}"#,
            BASE64.encode(payload),
            key.fingerprint(),
            BASE64.encode(raw.as_bytes())
        ) + "\n"
    }

    #[test]
    fn pae_is_that_of_the_specification() {
        // The test vector of protocol.md in secure-systems-lab/dsse.
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
        assert_eq!(pae("é", b""), "DSSEv1 2 é 0 ".as_bytes());
    }

    #[test]
    fn what_was_signed_is_what_is_read() {
        let lab = Lab::new();
        let key = lab.key("key", "me@x");
        let line = sign_statement(&key, &statement()).unwrap();
        assert_eq!(line.matches('\n').count(), 1);
        let public = key.public().key_data();
        assert_eq!(verify_envelope(&line, public).unwrap(), statement());
        let other = lab.key("other", "me@x");
        let refused = verify_envelope(&line, other.public().key_data());
        assert!(matches!(refused, Err(EnvelopeFault::KeyId { .. })));
        let forged = line.replace(&key.fingerprint(), &other.fingerprint());
        let refused = verify_envelope(&forged, other.public().key_data());
        assert!(matches!(refused, Err(EnvelopeFault::Mismatch)));
    }

    #[test]
    fn every_changed_byte_is_refused() {
        let lab = Lab::new();
        let key = lab.key("key", "me@x");
        let mut short = statement();
        short.subjects.truncate(1);
        short.configuration.clear();
        let line = sign_statement(&key, &short).unwrap();
        for at in 0..line.len() {
            let mut bytes = line.clone().into_bytes();
            // Keeps letters letters: most changes stay good base64 and reach the signature itself.
            bytes[at] ^= if bytes[at].is_ascii_alphabetic() {
                0x20
            } else {
                1
            };
            let changed = String::from_utf8(bytes).unwrap();
            let read = verify_envelope(&changed, key.public().key_data());
            assert!(read.is_err(), "byte {at}: {changed}");
        }
    }

    #[test]
    fn a_well_signed_statement_of_another_shape_is_refused() {
        let lab = Lab::new();
        let key = lab.key("key", "me@x");
        let line = sign_statement(&key, &statement()).unwrap();
        let read: Envelope = serde_json::from_str(&line).unwrap();
        let good = String::from_utf8(BASE64.decode(read.payload).unwrap()).unwrap();
        let verdict = |kind: &str, payload: &str| {
            verify_envelope(&envelope(&key, kind, payload), key.public().key_data())
        };
        assert!(verdict(PAYLOAD_TYPE, &good).is_ok());
        assert!(matches!(
            verdict("text/plain", &good),
            Err(EnvelopeFault::PayloadType(_))
        ));
        for (from, to) in [
            (
                r#""result":"WARNED""#,
                r#""result":"FAILED","result":"PASSED""#,
            ),
            (r#""result":"WARNED""#, r#""result":"passed""#),
            (r#""result":"WARNED""#, r#""result":"PASSED","extra":1"#),
            (r#""result":"WARNED","#, ""),
            ("Statement/v1", "Statement/v2"),
            ("test-result/v0.1", "test-result/v0.2"),
            ("SHA256SUMS", "report.json"),
            ("log@ny4-1", "config@ny4-1"),
            ("\"sha256\":\"", "\"sha256\":\"A"),
        ] {
            assert!(good.contains(from), "{from}");
            let refused = verdict(PAYLOAD_TYPE, &good.replacen(from, to, 1));
            assert!(refused.is_err(), "{from} -> {to}");
        }
        let twice = line.replacen("{\"payload\"", "{\"payload\":\"\",\"payload\"", 1);
        assert!(verify_envelope(&twice, key.public().key_data()).is_err());
        let spaced = line.replacen("{\"payload\"", "{ \"payload\"", 1);
        let refused = verify_envelope(&spaced, key.public().key_data());
        assert!(matches!(refused, Err(EnvelopeFault::Spelling)));
    }

    #[test]
    fn names_stand_once() {
        let lab = Lab::new();
        let key = lab.key("key", "me@x");
        let mut twice = statement();
        twice.failed = twice.passed.clone();
        assert!(sign_statement(&key, &twice).is_err());
        let mut none = statement();
        none.subjects.clear();
        assert!(sign_statement(&key, &none).is_err());
    }

    #[test]
    fn openssl_verifies_the_signature() {
        let lab = Lab::new();
        let key = lab.key("key", "me@x");
        let line = sign_statement(&key, &statement()).unwrap();
        let read: Envelope = serde_json::from_str(&line).unwrap();
        let payload = BASE64.decode(read.payload).unwrap();
        lab.write("key.pem", spki_pem(key.public().key_data()).unwrap());
        lab.write("sig", BASE64.decode(&read.signatures[0].sig).unwrap());
        lab.write("good", pae(PAYLOAD_TYPE, &payload));
        lab.write("bad", pae(PAYLOAD_TYPE, &payload[1..]));
        let accepts = |file: &str| {
            let arguments = [
                "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", file,
                "-sigfile", "sig",
            ];
            lab.run("openssl", &arguments, b"").status.success()
        };
        assert!(accepts("good"));
        assert!(!accepts("bad"));
    }
}
