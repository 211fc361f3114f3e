//! OpenPGP public keys, judged before anything is encrypted to them: self-signatures, revocations, days and the
//! purpose of each key. What cannot be checked speaks against the key.

use std::io::{self, Cursor, Read, Write};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use pgp::composed::{Deserializable as _, MessageBuilder, SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::crypto::sym::SymmetricKeyAlgorithm;
use pgp::packet::{PublicKey, Signature, SignatureType};
use pgp::ser::Serialize as _;
use pgp::types::{KeyDetails, KeyVersion, Tag};
use rand_core::OsRng;

use super::Wrong;

/// An RSA key of 2048 bits, and the lengths around it.
const LEAST_RSA: usize = 2 + 256 + 2 + 1;
const MOST_BYTES: usize = 4 << 20;

/// A public key to which a file can be encrypted now.
#[derive(Clone, Debug)]
pub struct Certificate {
    fingerprint: String,
    user: String,
    /// The primary key, where it is one to encrypt to.
    primary: Option<PublicKey>,
    subkeys: Vec<SignedPublicSubKey>,
}

impl Certificate {
    /// Its fingerprint, in capitals.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// As people compare it.
    #[must_use]
    pub fn told(&self) -> String {
        match self.user.is_empty() {
            true => self.fingerprint.clone(),
            false => format!("{} ({})", self.fingerprint, self.user),
        }
    }

    /// Whether a file that is encrypted to this one opens with every key of `other`, too: a later copy of a key may
    /// have more subkeys.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let own = self.ids();
        self.fingerprint == other.fingerprint && other.ids().iter().all(|id| own.contains(id))
    }

    /// How many keys of it a file is encrypted to.
    pub(super) fn keys(&self) -> usize {
        self.subkeys.len() + usize::from(self.primary.is_some())
    }

    /// The ids by which a file names those keys.
    pub(super) fn ids(&self) -> Vec<[u8; 8]> {
        let primary = self.primary.iter().map(KeyDetails::legacy_key_id);
        let subkeys = self.subkeys.iter().map(KeyDetails::legacy_key_id);
        primary
            .chain(subkeys)
            .map(|id| bytes(id.as_ref()))
            .collect()
    }
}

fn bytes(id: &[u8]) -> [u8; 8] {
    let mut bytes = [0; 8];
    let n = id.len().min(8);
    bytes[..n].copy_from_slice(&id[..n]);
    bytes
}

/// All public keys of a file, armoured or not; `only` where one of them is meant by its fingerprint.
///
/// # Errors
/// Why it holds none that a file can be encrypted to at `now`.
pub fn certificates(
    content: &[u8],
    only: Option<&str>,
    now: Timestamp,
) -> Result<Vec<Certificate>, Vec<Wrong>> {
    let hint = "export it with `gpg --armor --export FINGERPRINT`";
    let no = |why: &str| vec![(why.to_owned(), hint.to_owned())];
    if content.len() > MOST_BYTES {
        return Err(no("it is too large for a file of public keys"));
    }
    match first(content) {
        Kind::Public => {}
        Kind::Secret => {
            return Err(vec![(
                "it holds a private key".to_owned(),
                "take it away from here, and export the public one: `gpg --armor --export FINGERPRINT`"
                    .to_owned(),
            )]);
        }
        Kind::Message => return Err(no("it holds a message or a signature, and no public key")),
        Kind::Other => return Err(no("it holds no OpenPGP public key")),
    }
    let parsed = SignedPublicKey::from_reader_many_buf(Cursor::new(content));
    let (all, _) = parsed.map_err(|error| no(&format!("it cannot be read: {error}")))?;
    let (mut good, mut wrong, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for key in all {
        let key = match key {
            Ok(key) => key,
            Err(error) => {
                wrong.extend(no(&format!("it cannot be read: {error}")));
                continue;
            }
        };
        let fingerprint = hex(key.primary_key.fingerprint().as_bytes());
        seen.push(fingerprint.clone());
        if only.is_some_and(|only| !only.eq_ignore_ascii_case(&fingerprint)) {
            continue;
        }
        match judge(key, &fingerprint, now) {
            Ok(one) => good.push(one),
            Err((why, hint)) => wrong.push((format!("the OpenPGP key {fingerprint} {why}"), hint)),
        }
    }
    if good.is_empty() && wrong.is_empty() {
        let of = only.map_or_else(String::new, |only| format!(" {only}"));
        wrong.push((
            format!(
                "it holds no OpenPGP public key{of}: it has {}",
                seen.join(", ")
            ),
            hint.to_owned(),
        ));
    }
    match wrong.is_empty() {
        true => Ok(good),
        false => Err(wrong),
    }
}

enum Kind {
    Public,
    Secret,
    Message,
    Other,
}

/// By the words of its armour, or by the tag of its first packet (RFC 9580, 4.2).
fn first(content: &[u8]) -> Kind {
    let text = String::from_utf8_lossy(content);
    match text.find("-----BEGIN PGP ") {
        _ if text.contains("-----BEGIN PGP PRIVATE KEY BLOCK") => Kind::Secret,
        Some(_) if text.contains("-----BEGIN PGP PUBLIC KEY BLOCK") => Kind::Public,
        Some(_) => Kind::Message,
        None => {
            let head = content.first().copied().unwrap_or_default();
            let tag = match head {
                0xc0.. => head & 0x3f,
                0x80..=0xbf => (head >> 2) & 0x0f,
                _ => return Kind::Other,
            };
            match tag {
                5 | 7 => Kind::Secret,
                6 => Kind::Public,
                1..=4 | 8..=18 => Kind::Message,
                _ => Kind::Other,
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn judge(key: SignedPublicKey, fingerprint: &str, now: Timestamp) -> Result<Certificate, Wrong> {
    let ask = "ask the vendor for its key of today, and compare the fingerprint by another way";
    let no = |why: &str| (why.to_owned(), ask.to_owned());
    let primary = &key.primary_key;
    if primary.version() != KeyVersion::V4 {
        return Err(no("is of a version that gonogo does not encrypt to"));
    }
    if seconds(primary.created_at().into()) > now.as_second() {
        return Err((
            "was made in the future".to_owned(),
            "see what time this machine has".to_owned(),
        ));
    }
    // A revocation by somebody else than the key itself cannot be checked from here: it may be a rightful one.
    if let Some(revocation) = key.details.revocation_signatures.first() {
        return Err(match revocation.verify_key(primary).is_ok() {
            true => no(&format!("was revoked{}", reason(revocation))),
            false => no("holds a revocation that cannot be checked"),
        });
    }
    let mut standing: Vec<&Signature> = Vec::new();
    let mut user = String::new();
    let direct = key.details.direct_signatures.iter();
    let direct = direct.filter(|one| holds(one, now) && one.verify_key(primary).is_ok());
    standing.extend(newest(direct));
    for one in &key.details.users {
        let own = |kind: fn(&Signature) -> bool| {
            (one.signatures.iter()).filter(move |sign| {
                kind(sign)
                    && holds(sign, now)
                    && sign
                        .verify_certification(primary, Tag::UserId, &one.id)
                        .is_ok()
            })
        };
        let Some(last) = newest(own(Signature::is_certification_of_user)) else {
            continue;
        };
        let revoked = newest(own(|sign| {
            sign.typ() == Some(SignatureType::CertRevocation)
        }));
        if revoked.is_some_and(|revoked| revoked.created() >= last.created()) {
            continue;
        }
        if user.is_empty() || last.is_primary() {
            user = String::from_utf8_lossy(one.id.id()).into_owned();
        }
        standing.push(last);
    }
    if standing.is_empty() {
        return Err(no("has no signature of its own that holds"));
    }
    for sign in &standing {
        if let Some(end) = ended(primary, sign, now) {
            return Err(no(&format!("expired on {end}")));
        }
    }
    let mut refused: Vec<String> = Vec::new();
    let mut subkeys = Vec::new();
    for subkey in &key.public_subkeys {
        match usable(subkey, primary, now) {
            Ok(true) => subkeys.push(subkey.clone()),
            Ok(false) => {}
            Err(why) => refused.push(format!(
                "its subkey {} {why}",
                hex(subkey.fingerprint().as_bytes())
            )),
        }
    }
    let encrypts =
        |sign: &&Signature| sign.key_flags().encrypt_comms() || sign.key_flags().encrypt_storage();
    let own = standing.iter().any(encrypts) && can_encrypt(primary);
    let own = own && weak(primary).is_none();
    if subkeys.is_empty() && !own {
        return Err(match refused.is_empty() {
            true => no("is for signing alone: it has no part to encrypt to"),
            false => no(&format!(
                "has no part to encrypt to: {}",
                refused.join("; ")
            )),
        });
    }
    Ok(Certificate {
        fingerprint: fingerprint.to_owned(),
        user,
        primary: own.then(|| primary.clone()),
        subkeys,
    })
}

/// Whether files are encrypted to it; why not, where it is meant for that.
fn usable(
    subkey: &SignedPublicSubKey,
    primary: &PublicKey,
    now: Timestamp,
) -> Result<bool, String> {
    let of = |kind: SignatureType| {
        (subkey.signatures.iter()).filter(move |sign| sign.typ() == Some(kind))
    };
    let bound = of(SignatureType::SubkeyBinding).filter(|sign| {
        holds(sign, now) && sign.verify_subkey_binding(primary, &subkey.key).is_ok()
    });
    let Some(last) = newest(bound) else {
        return Err("is bound by no signature that holds".to_owned());
    };
    let flags = last.key_flags();
    if !(flags.encrypt_comms() || flags.encrypt_storage()) {
        return Ok(false);
    }
    if let Some(revocation) = of(SignatureType::SubkeyRevocation).next() {
        return Err(format!("was revoked{}", reason(revocation)));
    }
    if let Some(end) = ended(subkey, last, now) {
        return Err(format!("expired on {end}"));
    }
    if !can_encrypt(subkey) {
        return Err("is of a kind that gonogo does not encrypt to".to_owned());
    }
    weak(subkey).map_or(Ok(true), Err)
}

fn can_encrypt(key: &impl KeyDetails) -> bool {
    use PublicKeyAlgorithm::{ECDH, RSA, RSAEncrypt, X448, X25519};
    matches!(key.algorithm(), RSA | RSAEncrypt | ECDH | X25519 | X448)
}

fn weak(key: &impl KeyDetails) -> Option<String> {
    let is_rsa = matches!(
        key.algorithm(),
        PublicKeyAlgorithm::RSA | PublicKeyAlgorithm::RSAEncrypt
    );
    let short = is_rsa && key.public_params().write_len() < LEAST_RSA;
    short.then(|| "is an RSA key of less than 2048 bits".to_owned())
}

/// A signature that counts today: not of tomorrow, not over, not by a broken digest.
fn holds(sign: &Signature, now: Timestamp) -> bool {
    let Some(created) = sign.created() else {
        return false;
    };
    let created = seconds(created.into());
    let end = sign
        .signature_expiration_time()
        .map(|time| i64::from(time.as_secs()));
    let is_over = end.is_some_and(|after| after > 0 && created + after <= now.as_second());
    let is_broken = matches!(sign.hash_alg(), None | Some(HashAlgorithm::Md5));
    created <= now.as_second() && !is_over && !is_broken
}

fn newest<'a>(signs: impl Iterator<Item = &'a Signature>) -> Option<&'a Signature> {
    signs.max_by_key(|sign| sign.created())
}

/// The day on which a key ended, by its newest signature.
fn ended(key: &impl KeyDetails, sign: &Signature, now: Timestamp) -> Option<String> {
    let after = i64::from(sign.key_expiration_time()?.as_secs());
    let end = seconds(key.created_at().into()) + after;
    let is_over = after > 0 && end <= now.as_second();
    let day = |end| {
        Timestamp::from_second(end)
            .ok()
            .map(|end| end.strftime("%Y-%m-%d").to_string())
    };
    is_over.then(|| day(end).unwrap_or_default())
}

fn reason(revocation: &Signature) -> String {
    let text = revocation.revocation_reason_string();
    let text = text.map(|text| String::from_utf8_lossy(text).trim().to_owned());
    let text = text.filter(|text| !text.is_empty());
    text.map_or_else(String::new, |text| format!(" (“{text}”)"))
}

fn seconds(time: SystemTime) -> i64 {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

trait OfUser {
    fn is_certification_of_user(&self) -> bool;
}

impl OfUser for Signature {
    fn is_certification_of_user(&self) -> bool {
        self.is_certification() && self.typ() != Some(SignatureType::CertRevocation)
    }
}

/// In the container that every OpenPGP of the last twenty years opens; not compressed again, and without a name.
pub(super) fn encrypt(
    all: &[Certificate],
    from: &mut impl Read,
    to: &mut impl Write,
) -> io::Result<()> {
    let failed = |error: pgp::errors::Error| io::Error::other(error.to_string());
    let mut message =
        MessageBuilder::from_reader("", from).seipd_v1(OsRng, SymmetricKeyAlgorithm::AES256);
    for one in all {
        if let Some(primary) = &one.primary {
            message.encrypt_to_key(OsRng, primary).map_err(failed)?;
        }
        for subkey in &one.subkeys {
            message.encrypt_to_key(OsRng, subkey).map_err(failed)?;
        }
    }
    message.to_writer(OsRng, to).map_err(failed)
}
