//! Logging in by a key file. What is wrong with our own files is found out before the server is asked
//! (facts: ssh.md 2); reading them is `keyring.rs`, certificates `certificate.rs`.

use std::path::Path;

use super::certificate::Certified;
use super::keyring::{self, Keyring};
use super::story::Story;
use super::{Problem, own};
use crate::transport::classify;
use crate::transport::far::Far;

/// Tries the key at `path`, with its certificate when there is one.
pub(super) fn log_in(
    far: &Far,
    keyring: &Keyring,
    story: &mut Story,
    path: &Path,
    certificate: Option<&Path>,
    passphrase_env: Option<&str>,
) -> Result<(), Problem> {
    let ready = keyring.key(path, passphrase_env)?;
    let certified = match certificate {
        None => None,
        Some(path) => {
            let bytes = keyring::read(path, "a certificate file")?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let certified = Certified::from_text(&path.display().to_string(), &text)?;
            certified.must_be_valid()?;
            certified.must_fit(ready.public.as_ref())?;
            Some((text, certified))
        }
    };
    if let Some(public) = &ready.public {
        story.offers(
            &public.key_data().algorithm(),
            &public.fingerprint(ssh_key::HashAlg::Sha256),
        );
    }
    let certificate = certified.map(|(text, certified)| {
        story.offers_certificate(certified);
        text
    });
    let done = far.session.userauth_pubkey_memory(
        &far.login.user,
        certificate.as_deref(),
        &ready.text,
        ready.passphrase.as_deref().map(String::as_str),
    );
    done.map_err(|error| match classify::code(&error) {
        Some(libssh2_sys::LIBSSH2_ERROR_FILE | libssh2_sys::LIBSSH2_ERROR_KEYFILE_AUTH_FAILED)
            if ready.public.is_none() =>
        {
            Problem::from(own(
                "a private key that can be used",
                format!(
                    "{} cannot be read as one, or its passphrase is wrong",
                    path.display()
                ),
                "convert it with `ssh-keygen -p -f KEY`; then a wrong passphrase is told as such",
            ))
        }
        _ => Problem::Far(error),
    })
}
