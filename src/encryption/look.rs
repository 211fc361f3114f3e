//! For whom a file is encrypted, as far as its head tells everybody.

use std::io::{Cursor, Read as _};

use pgp::packet::{Packet, PacketParser, PublicKeyEncryptedSessionKey};

use super::{Recipients, Wrong};

/// So much of a file tells it.
pub const MOST_HEAD: usize = 64 << 10;

const AGE: &[u8] = b"age-encryption.org/v1\n";
const AGE_ARMOUR: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";
const PGP_ARMOUR: &[u8] = b"-----BEGIN PGP MESSAGE-----";

/// What a file is locked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lock {
    /// age: type and first argument of each stanza.
    Age(Vec<(String, String)>),
    /// OpenPGP: the id of each key; zeros stand for a key that is not told.
    OpenPgp(Vec<[u8; 8]>),
    /// By a passphrase.
    Passphrase,
}

/// Looks at the first [`MOST_HEAD`] bytes of a file; `None` for what is not encrypted, or not whole.
#[must_use]
pub fn look(head: &[u8]) -> Option<Lock> {
    match head {
        _ if head.starts_with(AGE) => age(head),
        _ if head.starts_with(AGE_ARMOUR) => {
            let mut plain = Vec::new();
            // The armour ends where the head was cut: what came before counts.
            let _ = age::armor::ArmoredReader::new(head)
                .take(MOST_HEAD as u64)
                .read_to_end(&mut plain);
            age(&plain)
        }
        _ if head.starts_with(PGP_ARMOUR) => {
            let mut plain = Vec::new();
            let armour = pgp::armor::Dearmor::new(Cursor::new(head));
            let _ = armour.take(MOST_HEAD as u64).read_to_end(&mut plain);
            openpgp(&plain)
        }
        // A session key for somebody, or by a passphrase, stands first (RFC 9580, 10.3).
        [0x84..=0x87 | 0x8c..=0x8f | 0xc1 | 0xc3, ..] => openpgp(head),
        _ => None,
    }
}

/// Whether it begins with a private key of OpenPGP, as `gpg --export-secret-keys` writes it.
#[must_use]
pub fn is_secret_key(head: &[u8]) -> bool {
    // Parsing is for what can be one: tags 5 and 7.
    let is_tagged = matches!(head, [0x94..=0x97 | 0x9c..=0x9f | 0xc5 | 0xc7, ..]);
    let first = || PacketParser::new(Cursor::new(head)).next();
    is_tagged
        && matches!(
            first(),
            Some(Ok(Packet::SecretKey(_) | Packet::SecretSubkey(_)))
        )
}

fn age(head: &[u8]) -> Option<Lock> {
    let rest = head.strip_prefix(AGE)?;
    let mut stanzas = Vec::new();
    for line in rest.split(|byte| *byte == b'\n') {
        if line.starts_with(b"---") {
            let is_secret = |(kind, _): &(String, String)| kind == "scrypt";
            return match stanzas.iter().any(is_secret) {
                true => Some(Lock::Passphrase),
                false if stanzas.is_empty() => None,
                false => Some(Lock::Age(stanzas)),
            };
        }
        if let Some(stanza) = line.strip_prefix(b"-> ") {
            let text = std::str::from_utf8(stanza).ok()?;
            let mut words = text.split(' ');
            let kind = words.next()?.to_owned();
            stanzas.push((kind, words.next().unwrap_or_default().to_owned()));
        }
    }
    None
}

fn openpgp(head: &[u8]) -> Option<Lock> {
    let (mut ids, mut by_passphrase) = (Vec::new(), false);
    for packet in PacketParser::new(Cursor::new(head)) {
        match packet {
            Ok(Packet::PublicKeyEncryptedSessionKey(key)) => {
                let mut id = [0; 8];
                if let PublicKeyEncryptedSessionKey::V3 { id: told, .. } = &key {
                    id.copy_from_slice(told.as_ref());
                }
                ids.push(id);
            }
            Ok(Packet::SymKeyEncryptedSessionKey(_)) => by_passphrase = true,
            // What is encrypted goes on beyond the head.
            _ => break,
        }
    }
    match (by_passphrase, ids.is_empty()) {
        (true, _) => Some(Lock::Passphrase),
        (false, false) => Some(Lock::OpenPgp(ids)),
        (false, true) => None,
    }
}

impl Lock {
    /// Holds it to those who are meant: words for a person where that cannot be told from outside.
    ///
    /// # Errors
    /// Why one of them could not open it.
    pub fn is_for(&self, meant: &Recipients) -> Result<Vec<String>, Wrong> {
        let no = |why: String| {
            let all = meant.told().join(", ");
            (
                why,
                format!("encrypt it to {all}: `gonogo case build … --encrypt-to`"),
            )
        };
        match (self, meant) {
            (Self::Passphrase, _) => Err(no(
                "it is encrypted with a passphrase, which nobody at the vendor's has".to_owned(),
            )),
            (Self::Age(_), Recipients::OpenPgp(_)) => Err(no(
                "it is encrypted by age, and this intake has OpenPGP keys".to_owned(),
            )),
            (Self::OpenPgp(_), Recipients::Age(_)) => Err(no(
                "it is encrypted by OpenPGP, and this intake has age recipients".to_owned(),
            )),
            (Self::Age(stanzas), Recipients::Age(all)) => {
                let mut notes = Vec::new();
                let native = stanzas.iter().filter(|(kind, _)| kind == "X25519").count();
                let mut wanted = 0;
                for one in all {
                    match one.stanza() {
                        (kind, Some(tag))
                            if !stanzas.iter().any(|(k, t)| k == kind && *t == tag) =>
                        {
                            return Err(no(format!("it is not encrypted to {}", one.told())));
                        }
                        (_, Some(_)) => {}
                        (_, None) => wanted += 1,
                    }
                }
                if native < wanted {
                    return Err(no(format!(
                        "it is encrypted to {native} age recipients, and this intake has {wanted}"
                    )));
                }
                if wanted > 0 {
                    notes.push(
                        "to which age recipient it is encrypted cannot be told from outside"
                            .to_owned(),
                    );
                }
                Ok(notes)
            }
            (Self::OpenPgp(ids), Recipients::OpenPgp(all)) => {
                let hidden = ids.contains(&[0; 8]);
                for one in all {
                    if !hidden && !one.ids().iter().any(|id| ids.contains(id)) {
                        return Err(no(format!("it is not encrypted to {}", one.told())));
                    }
                }
                Ok(match hidden {
                    true => vec![
                        "to which OpenPGP key it is encrypted is not told from outside".to_owned(),
                    ],
                    false => Vec::new(),
                })
            }
        }
    }
}
