//! A finished file for the eyes of its receiver alone: to age recipients (SSH keys among them), or to OpenPGP keys.
//! Encrypts only, and tells of a file for whom it is locked; holds no private key, and opens nothing.

mod look;
mod openpgp;
mod recipients;

pub use look::{Lock, MOST_HEAD, is_secret_key, look};
pub use openpgp::{Certificate, certificates};
pub use recipients::{AgeRecipient, written};

use std::io::{self, Read, Write};

/// Why a file is not encrypted to somebody: what is wrong, and what to do.
pub type Wrong = (String, String);

/// Endings of files that are encrypted already.
pub const ENDS: [&str; 4] = [".age", ".gpg", ".pgp", ".asc"];

/// For whom a file is encrypted.
#[derive(Clone, Debug)]
pub enum Recipients {
    /// By age.
    Age(Vec<AgeRecipient>),
    /// By OpenPGP.
    OpenPgp(Vec<Certificate>),
}

impl Recipients {
    /// All of them, who must be of one kind; who is named twice counts once.
    ///
    /// # Errors
    /// When there are none, or of both kinds.
    pub fn of(age: Vec<AgeRecipient>, openpgp: Vec<Certificate>) -> Result<Self, Wrong> {
        let age = once(age, |known, one| known.told() == one.told());
        let openpgp = once(openpgp, Certificate::covers);
        match (age.is_empty(), openpgp.is_empty()) {
            (false, true) => Ok(Self::Age(age)),
            (true, false) => Ok(Self::OpenPgp(openpgp)),
            (true, true) => Err((
                "nobody is named to encrypt to".to_owned(),
                "name an age recipient, an SSH public key or a file with an OpenPGP public key"
                    .to_owned(),
            )),
            (false, false) => Err((
                "one file is encrypted by age or by OpenPGP, not by both".to_owned(),
                "name recipients of one kind, and build it again for the others".to_owned(),
            )),
        }
    }

    /// What the name of the encrypted file ends with.
    #[must_use]
    pub const fn end(&self) -> &'static str {
        match self {
            Self::Age(_) => ".age",
            Self::OpenPgp(_) => ".gpg",
        }
    }

    /// Each of them, as people compare it.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        match self {
            Self::Age(all) => all.iter().map(AgeRecipient::told).collect(),
            Self::OpenPgp(all) => all.iter().map(Certificate::told).collect(),
        }
    }

    /// What the receiver types to open `locked` as `plain`.
    #[must_use]
    pub fn opened_by(&self, locked: &str, plain: &str) -> String {
        match self {
            Self::Age(_) => format!("age -d -i KEY -o {plain} {locked}"),
            Self::OpenPgp(_) => format!("gpg --output {plain} --decrypt {locked}"),
        }
    }

    /// The most bytes that encrypting adds to `bytes` of a file.
    #[must_use]
    pub fn overhead(&self, bytes: u64) -> u64 {
        // A stanza or a session key for each, of keys of at most 16384 bits; then 16 of 65536 bytes (age), or the
        // lengths of pieces and what stands around them.
        let each = match self {
            Self::Age(all) => all.len(),
            Self::OpenPgp(all) => all.iter().map(Certificate::keys).sum(),
        };
        1024 + 3072 * each as u64 + bytes.div_ceil(4096)
    }

    /// Encrypts all that `from` gives. Two times the same gives two different files: each has a key of its own.
    ///
    /// # Errors
    /// When it cannot be read, encrypted or written.
    pub fn encrypt(&self, from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Age(all) => recipients::encrypt(all, from, to),
            Self::OpenPgp(all) => openpgp::encrypt(all, from, to),
        }
    }
}

/// Each of them that no other one makes needless.
fn once<T>(all: Vec<T>, covers: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let mut kept: Vec<T> = Vec::new();
    for one in all {
        if !kept.iter().any(|known| covers(known, &one)) {
            kept.retain(|known| !covers(&one, known));
            kept.push(one);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::{AgeRecipient, Recipients};

    const ONE: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    const OTHER: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9q";

    #[test]
    fn who_is_named_twice_counts_once_and_two_count_twice() {
        let told = |words: &[&str]| {
            let all = words.iter().map(|word| AgeRecipient::read(word).unwrap());
            Recipients::of(all.collect(), Vec::new()).unwrap().told()
        };
        let commented = format!("{ONE} vendor@example.com");
        assert_eq!(told(&[ONE, &commented, &format!(" {ONE}")]), [ONE]);
        assert_eq!(told(&[ONE, OTHER, &commented]), [ONE, OTHER]);
    }
}
