//! age recipients as people write them: `age1…`, or an SSH public key of a type that age takes. What is secret, or
//! names a program, is refused by name.

use std::io::{self, Read, Write};
use std::str::FromStr as _;

use age::ssh::ParseRecipientKeyError;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::Wrong;
use crate::digest::Sha256;

/// Somebody who opens files by age.
#[derive(Clone, Debug)]
pub struct AgeRecipient {
    key: Key,
    written: String,
}

#[derive(Clone, Debug)]
enum Key {
    Native(age::x25519::Recipient),
    Ssh(age::ssh::Recipient),
}

impl AgeRecipient {
    /// Reads one.
    ///
    /// # Errors
    /// Why it is none; a secret is never repeated.
    pub fn read(text: &str) -> Result<Self, Wrong> {
        let text = text.trim();
        if is_secret(text) {
            return Err((
                "this is a private key: whoever reads it opens every file that was made for it"
                    .to_owned(),
                "write the public half: `age-keygen -y FILE` and `ssh-keygen -y -f FILE` print it; and make a new key, since this one was told"
                    .to_owned(),
            ));
        }
        let key = match text.split_whitespace().next() {
            Some(kind)
                if kind.starts_with("ssh-")
                    || kind.starts_with("ecdsa-")
                    || kind.starts_with("sk-") =>
            {
                Key::Ssh(ssh(text)?)
            }
            _ => Key::Native(native(text)?),
        };
        Ok(Self {
            key,
            written: shown(text),
        })
    }

    /// As people compare it: without the comment.
    #[must_use]
    pub fn told(&self) -> String {
        self.written.clone()
    }

    /// Type and first argument of what stands for it in the head of a file, where those can be known from outside.
    pub(super) fn stanza(&self) -> (&'static str, Option<String>) {
        match &self.key {
            Key::Native(_) => ("X25519", None),
            Key::Ssh(_) => {
                let mut words = self.written.split(' ');
                let kind = match words.next() {
                    Some("ssh-rsa") => "ssh-rsa",
                    _ => "ssh-ed25519",
                };
                let wire = words.next().and_then(|word| STANDARD.decode(word).ok());
                let tag = wire.map(|wire| {
                    let digest = Sha256::of(&wire);
                    STANDARD_NO_PAD.encode(&digest.as_bytes()[..4])
                });
                (kind, tag)
            }
        }
    }
}

/// Whether `text` is written as a recipient, and not as the name of a file.
#[must_use]
pub fn written(text: &str) -> bool {
    let starts = ["age1", "AGE-", "ssh-", "ecdsa-", "sk-", "-----BEGIN"];
    starts
        .iter()
        .any(|start| text.trim_start().starts_with(start))
}

fn is_secret(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    upper.contains("AGE-SECRET-KEY-")
        || upper.contains("AGE-PLUGIN-")
        || upper.contains("PRIVATE KEY")
}

fn shown(text: &str) -> String {
    text.split_whitespace()
        .take(2)
        .collect::<Vec<_>>()
        .join(" ")
}

fn native(text: &str) -> Result<age::x25519::Recipient, Wrong> {
    if let Ok(recipient) = age::x25519::Recipient::from_str(text) {
        return Ok(recipient);
    }
    let rest = text.strip_prefix("age1").unwrap_or_default();
    let why = match rest.split_once('1') {
        Some((plugin, _)) if !plugin.is_empty() && rest.len() > 58 => {
            format!("`age1{plugin}1…` is for a plugin of age, a program that gonogo does not run")
        }
        _ if rest.is_empty() => "this is no age recipient".to_owned(),
        _ => format!(
            "`{}` is no age recipient: its checksum does not hold",
            shown(text)
        ),
    };
    Err((
        why,
        "an age recipient is `age1` and 58 letters and digits, as `age-keygen -y FILE` prints it"
            .to_owned(),
    ))
}

fn ssh(text: &str) -> Result<age::ssh::Recipient, Wrong> {
    let take = "age takes SSH keys of type ssh-ed25519, and ssh-rsa of 2048 to 4096 bits";
    age::ssh::Recipient::from_str(text).map_err(|error| {
        let why = match error {
            ParseRecipientKeyError::RsaModulusTooSmall => "this RSA key is too short".to_owned(),
            ParseRecipientKeyError::RsaModulusTooLarge => "this RSA key is too long".to_owned(),
            ParseRecipientKeyError::Unsupported(kind) => {
                format!("nothing can be encrypted to an SSH key of type {kind}")
            }
            _ => {
                let kind = text.split_whitespace().next().unwrap_or_default();
                match kind {
                    "ssh-ed25519" | "ssh-rsa" => format!("this `{kind}` key is not whole"),
                    kind => format!("nothing can be encrypted to an SSH key of type {kind}"),
                }
            }
        };
        (why, take.to_owned())
    })
}

pub(super) fn encrypt(
    all: &[AgeRecipient],
    from: &mut impl Read,
    to: &mut impl Write,
) -> io::Result<()> {
    let keys = all.iter().map(|one| match &one.key {
        Key::Native(key) => key as &dyn age::Recipient,
        Key::Ssh(key) => key as &dyn age::Recipient,
    });
    let encryptor = age::Encryptor::with_recipients(keys).map_err(io::Error::other)?;
    let mut writer = encryptor.wrap_output(to)?;
    io::copy(from, &mut writer)?;
    writer.finish()?;
    Ok(())
}
