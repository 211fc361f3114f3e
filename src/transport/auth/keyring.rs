//! The key files of a run: each is read, checked and decrypted once, however many hosts it opens (bcrypt
//! costs a tenth of a second each time, facts: ssh.md 2). A passphrase that a person typed is held here,
//! wiped when the run is over, and never printed. Asking for it is cli's business.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ssh_key::{LineEnding, PrivateKey};
use zeroize::Zeroizing;

use super::own;
use crate::failure::Failure;
use crate::inventory::{Auth, Client, Login};

/// A private key file is a few kilobytes.
const MOST_KEY_BYTES: usize = 1 << 20;

/// The key files of one run. Clones are the same keyring.
#[derive(Clone, Default)]
pub struct Keyring(Arc<Mutex<HashMap<Name, Slot>>>);

/// Path and `passphrase_env`.
type Name = (PathBuf, Option<String>);
type Slot = Arc<Mutex<Option<Result<Arc<Ready>, Failure>>>>;

// Neither passphrases nor keys are for logs and panics.
impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring")
    }
}

impl Keyring {
    /// The key files of `logins` and of their hops that are encrypted while nothing in the inventory
    /// says with what, each once.
    #[must_use]
    pub fn locked<'a>(logins: impl IntoIterator<Item = &'a Login>) -> Vec<PathBuf> {
        let mut locked: Vec<PathBuf> = Vec::new();
        let mut seen = Vec::new();
        let all = logins
            .into_iter()
            .flat_map(|login| login.via.iter().chain([login]));
        for login in all.filter(|login| login.client == Client::Ssh2) {
            for way in &login.auth {
                let Auth::Key {
                    path,
                    passphrase_env: None,
                    ..
                } = way
                else {
                    continue;
                };
                if !seen.contains(&path) {
                    seen.push(path);
                    if is_locked(path) {
                        locked.push(path.clone());
                    }
                }
            }
        }
        locked
    }

    /// Opens the key at `path` with a passphrase that a person gave, for the whole run.
    ///
    /// # Errors
    /// Of kind `auth`: the passphrase is wrong, or the file is none that can be used.
    pub fn unlock(&self, path: &Path, passphrase: Zeroizing<String>) -> Result<(), Failure> {
        let ready = load(path, || {
            Ok(Some((passphrase, "the passphrase given".into())))
        })?;
        let slot = self.slot(path, None);
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(Ok(Arc::new(ready)));
        Ok(())
    }

    /// The key at `path`, ready for use.
    pub(super) fn key(
        &self,
        path: &Path,
        passphrase_env: Option<&str>,
    ) -> Result<Arc<Ready>, Failure> {
        let slot = self.slot(path, passphrase_env);
        let mut held = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let load = || {
            let passphrase = || {
                let Some(env) = passphrase_env else {
                    return Ok(None);
                };
                let value = variable(env, "passphrase")?;
                Ok(Some((value, format!("the value of ${env}"))))
            };
            load(path, passphrase).map(Arc::new)
        };
        held.get_or_insert_with(load).clone()
    }

    fn slot(&self, path: &Path, passphrase_env: Option<&str>) -> Slot {
        let name = (path.to_owned(), passphrase_env.map(str::to_owned));
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(name).or_default())
    }
}

/// A private key that can be used.
pub(super) struct Ready {
    /// In the OpenSSH format decrypted, in any other as it is.
    pub(super) text: Zeroizing<String>,
    /// For the formats that only libssh2 decrypts.
    pub(super) passphrase: Option<Zeroizing<String>>,
    /// Its public half; only the OpenSSH format tells it.
    pub(super) public: Option<ssh_key::PublicKey>,
}

/// The passphrase, and what a message calls it.
type Given = Option<(Zeroizing<String>, String)>;

fn load(
    path: &Path,
    passphrase: impl FnOnce() -> Result<Given, Failure>,
) -> Result<Ready, Failure> {
    let shown = path.display();
    let bytes = read(path, "a private key file")?;
    let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
    if text.starts_with("ssh-") || text.starts_with("ecdsa-") {
        let actual = format!("{shown} is a public key");
        return Err(own("a private key", actual, "name the file without `.pub`"));
    }
    if !text.contains("BEGIN OPENSSH PRIVATE KEY") {
        return other_format(path, text, passphrase);
    }
    let unusable = |why: String| {
        own(
            "a private key that can be used",
            format!("{shown}: {why}"),
            "see whether `ssh-keygen -y -f KEY` can read it",
        )
    };
    let mut key = PrivateKey::from_openssh(&**bytes).map_err(|e| unusable(e.to_string()))?;
    if key.algorithm().as_str().starts_with("sk-") {
        let actual = format!("{shown} needs a FIDO token, which libssh2 cannot use");
        let hint = "set `client: openssh` for this team, or give it another key";
        return Err(own("a key that works unattended", actual, hint));
    }
    if key.is_encrypted() {
        let (passphrase, called) = passphrase()?.ok_or_else(|| encrypted(path))?;
        key = key.decrypt(&*passphrase).map_err(|_| {
            own(
                "the passphrase of the key",
                format!("{called} does not open {shown}"),
                "correct it; `ssh-keygen -y -f KEY` tells whether a passphrase is right",
            )
        })?;
    }
    Ok(Ready {
        text: key
            .to_openssh(LineEnding::LF)
            .map_err(|e| unusable(e.to_string()))?,
        passphrase: None,
        public: Some(key.public_key().clone()),
    })
}

/// PEM and PKCS #8 are libssh2's business.
fn other_format(
    path: &Path,
    text: Zeroizing<String>,
    passphrase: impl FnOnce() -> Result<Given, Failure>,
) -> Result<Ready, Failure> {
    let shown = path.display();
    if text.contains("PuTTY-User-Key-File") {
        let actual = format!("{shown} is a PuTTY key");
        let hint = "convert it: `puttygen KEY -O private-openssh -o NEW`";
        return Err(own("an OpenSSH private key", actual, hint));
    }
    if !text.contains("PRIVATE KEY-----") {
        let actual = format!("{shown} holds no private key");
        let hint = "name the file that ssh-keygen made, without `.pub`";
        return Err(own("a private key file", actual, hint));
    }
    let passphrase = match text.contains("ENCRYPTED") {
        true => Some(passphrase()?.ok_or_else(|| encrypted(path))?.0),
        false => None,
    };
    Ok(Ready {
        text,
        passphrase,
        public: None,
    })
}

/// Whether the file is a private key under a passphrase. What is wrong with it otherwise is told when
/// it is used.
fn is_locked(path: &Path) -> bool {
    let Ok(bytes) = read(path, "a private key file") else {
        return false;
    };
    match PrivateKey::from_openssh(&**bytes) {
        Ok(key) => key.is_encrypted() && !key.algorithm().as_str().starts_with("sk-"),
        Err(_) => {
            let text = String::from_utf8_lossy(&bytes);
            text.contains("PRIVATE KEY-----") && text.contains("ENCRYPTED")
        }
    }
}

fn encrypted(path: &Path) -> Failure {
    own(
        "the passphrase of the key",
        format!("{} is encrypted and no passphrase is given", path.display()),
        "set `passphrase_env: NAME` for the team and the variable in the job, load it into an agent, or \
         run gonogo on a terminal, where it asks",
    )
}

/// A file of ours, of a size that makes sense.
pub(super) fn read(path: &Path, expected: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let wrong = |why: String| {
        own(
            expected,
            format!("{}: {why}", path.display()),
            "correct the path in the inventory (it is relative to the inventory), or the file's mode",
        )
    };
    let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    match bytes.len() {
        0 => Err(wrong("the file is empty".to_owned())),
        1..=MOST_KEY_BYTES => Ok(Zeroizing::new(bytes)),
        _ => Err(wrong("far too large for a key".to_owned())),
    }
}

/// The secret in an environment variable.
pub(in crate::transport) fn variable(env: &str, what: &str) -> Result<Zeroizing<String>, Failure> {
    let value = std::env::var(env).ok().filter(|value| !value.is_empty());
    value.map(Zeroizing::new).ok_or_else(|| {
        own(
            "an environment variable with the secret",
            format!("${env}, which should hold the {what}, is not set"),
            "set it for this process; its value is never written anywhere",
        )
    })
}
