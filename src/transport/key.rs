//! Our own key files: read, decrypted and checked here, so that what is wrong with them is found out
//! before the server is asked, and told apart (facts: ssh.md 2). Nothing of them is ever printed.

use std::path::Path;

use ssh_key::{Certificate, LineEnding, PrivateKey};

use super::auth::{Problem, own};
use super::classify;
use super::far::Far;

/// A private key file is a few kilobytes.
const MOST_KEY_BYTES: usize = 1 << 20;

/// Tries the key at `path`, with its certificate when there is one.
pub(super) fn log_in(
    far: &Far,
    path: &Path,
    certificate: Option<&Path>,
    passphrase_env: Option<&str>,
) -> Result<(), Problem> {
    let user = &far.login.user;
    let shown = path.display();
    let bytes = read(path, "a private key file")?;
    let text = String::from_utf8_lossy(&bytes);
    if text.starts_with("ssh-") || text.starts_with("ecdsa-") {
        let actual = format!("{shown} is a public key");
        return Err(own("a private key", actual, "name the file without `.pub`"));
    }
    let certificate = certificate.map(certified).transpose()?;
    let passphrase = passphrase_env
        .map(|env| variable(env, "passphrase"))
        .transpose();
    if !text.contains("BEGIN OPENSSH PRIVATE KEY") {
        if text.contains("PuTTY-User-Key-File") {
            let actual = format!("{shown} is a PuTTY key");
            let hint = "convert it: `puttygen KEY -O private-openssh -o NEW`";
            return Err(own("an OpenSSH private key", actual, hint));
        }
        // PEM and PKCS #8 are libssh2's business; it tells a wrong passphrase from nothing else.
        let passphrase = match text.contains("ENCRYPTED") {
            true => Some(passphrase?.ok_or_else(|| encrypted(path))?),
            false => None,
        };
        let done = far.session.userauth_pubkey_memory(
            user,
            certificate.as_deref(),
            &text,
            passphrase.as_deref(),
        );
        return done.map_err(|error| match classify::code(&error) {
            Some(
                libssh2_sys::LIBSSH2_ERROR_FILE | libssh2_sys::LIBSSH2_ERROR_KEYFILE_AUTH_FAILED,
            ) => own(
                "a private key that can be used",
                format!("{shown} cannot be read as one, or its passphrase is wrong"),
                "convert it with `ssh-keygen -p -f KEY`; then a wrong passphrase is told as such",
            ),
            _ => Problem::Far(error),
        });
    }
    let unusable = |why: String| {
        own(
            "a private key that can be used",
            format!("{shown}: {why}"),
            "see whether `ssh-keygen -y -f KEY` can read it",
        )
    };
    let mut key = PrivateKey::from_openssh(&*bytes).map_err(|e| unusable(e.to_string()))?;
    if key.algorithm().as_str().starts_with("sk-") {
        let actual = format!("{shown} needs a FIDO token, which libssh2 cannot use");
        let hint = "set `client: openssh` for this team, or give it another key";
        return Err(own("a key that works unattended", actual, hint));
    }
    if key.is_encrypted() {
        let passphrase = passphrase?.ok_or_else(|| encrypted(path))?;
        key = key.decrypt(&passphrase).map_err(|_| {
            let env = passphrase_env.unwrap_or_default();
            own(
                "the passphrase of the key",
                format!("the value of ${env} does not open {shown}"),
                "correct the variable; `ssh-keygen -y -f KEY` tells whether a passphrase is right",
            )
        })?;
    }
    let pem = key
        .to_openssh(LineEnding::LF)
        .map_err(|e| unusable(e.to_string()))?;
    far.session
        .userauth_pubkey_memory(user, certificate.as_deref(), &pem, None)?;
    Ok(())
}

fn encrypted(path: &Path) -> Problem {
    own(
        "the passphrase of the key",
        format!("{} is encrypted and no passphrase is given", path.display()),
        "set `passphrase_env: NAME` for the team and the variable in the job, or load it into an agent",
    )
}

fn read(path: &Path, expected: &str) -> Result<Vec<u8>, Problem> {
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
        1..=MOST_KEY_BYTES => Ok(bytes),
        _ => Err(wrong("far too large for a key".to_owned())),
    }
}

fn certified(path: &Path) -> Result<String, Problem> {
    let text = String::from_utf8_lossy(&read(path, "a certificate file")?).into_owned();
    let wrong = |why: String| {
        own(
            "a valid certificate",
            format!("{}: {why}", path.display()),
            "have it signed again (`ssh-keygen -L -f FILE` shows what it says)",
        )
    };
    let certificate =
        Certificate::from_openssh(text.trim()).map_err(|error| wrong(error.to_string()))?;
    let now = u64::try_from(crate::time::now().as_second()).unwrap_or(0);
    if certificate.valid_before() <= now {
        return Err(wrong("the certificate has expired".to_owned()));
    }
    Ok(text)
}

/// The secret in an environment variable.
pub(super) fn variable(env: &str, what: &str) -> Result<String, Problem> {
    std::env::var(env).map_err(|_| {
        own(
            "an environment variable with the secret",
            format!("${env}, which should hold the {what}, is not set"),
            "set it for this process; its value is never written anywhere",
        )
    })
}
