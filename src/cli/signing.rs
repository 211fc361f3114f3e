//! The options that name the signing key, wherever something is signed, and the key found by them.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;

use super::args::duration;
use super::fault::{Exit, Fault};
use super::term;
use crate::sign::command::split_words;
use crate::sign::key::{SigningKey, Source};
use crate::text::escape;
use crate::time;

/// What the sealing of a run may take.
const MARGIN: SignedDuration = SignedDuration::from_secs(5);

#[derive(Args, Clone)]
pub(super) struct Signing {
    /// What signs: an OpenSSH private key (ed25519 or ECDSA); a public key, whose private half the ssh-agent
    /// holds; or agent:SHA256:…, a key of the agent
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// The environment variable that holds the key's passphrase
    #[arg(long, value_name = "NAME")]
    pub key_passphrase_env: Option<String>,
    /// The certificate of an SSH authority to sign with [default: KEY-cert.pub beside the key, if there]
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// Have a command sign with the key whose public half --key names, such as
    /// 'ssh-keygen -Y sign -n {namespace} -f KEY': a program and its words, no shell. It gets on stdin what is
    /// to be signed, and prints an armoured SSH signature
    #[arg(long, value_name = "CMD", conflicts_with = "key_passphrase_env")]
    pub sign_command: Option<String>,
    /// How long the ssh-agent or the command may take for one signature
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = duration)]
    pub sign_timeout: Duration,
}

impl Signing {
    /// The key, proven by a trial signature: before anything else happens, so that no work is lost to it.
    pub(super) fn open(&self) -> Result<SigningKey, Fault> {
        let command = self.sign_command.as_deref().map(split_words).transpose();
        let command = command.map_err(|why| {
            Fault::new(
                Exit::Refused,
                format!("--sign-command cannot be split into words: {why}"),
                "words are split on blanks, and quoted with '…' or \"…\"",
            )
        })?;
        let key = SigningKey::open(&Source {
            key: &self.key,
            passphrase_env: self.key_passphrase_env.as_deref(),
            certificate: self.certificate.as_deref(),
            command: command.as_deref(),
            patience: self.sign_timeout,
        })?;
        key.prove()
            .map_err(|fault| Fault::new(Exit::Fault, &fault, fault.hint()))?;
        if let (Some(certified), Some(window)) = (key.certified(), key.certificate_window()) {
            term::say(&format!(
                "signing as {}, certified by {} as `{}`, {window}",
                escape(key.identity()),
                certified.authority,
                escape(&certified.id)
            ));
        }
        Ok(key)
    }

    /// Refuses a certificate that could end before the run does.
    pub(super) fn outlasts(key: &SigningKey, deadline: Option<Duration>) -> Result<(), Fault> {
        let (Some(ends), Some(deadline)) = (key.ends(), deadline) else {
            return Ok(());
        };
        let latest = SignedDuration::try_from(deadline).ok();
        let latest = latest.and_then(|span| time::now().checked_add(span).ok());
        match latest.is_some_and(|latest| latest + MARGIN < ends) {
            true => Ok(()),
            false => Err(Fault::new(
                Exit::Fault,
                format!(
                    "the certificate of the signing key ends at {}, and the run may last until then: {} are allowed",
                    time::rfc3339(ends),
                    time::say(deadline)
                ),
                "have the key certified for longer than --deadline, or give the run less time",
            )),
        }
    }

    /// The key to seal with, at the end of a run: its certificate may have ended meanwhile, and another may
    /// have come in its place. Why no gate can accept what it signs, where that is so.
    pub(super) fn renewed(&self, key: SigningKey) -> (SigningKey, Option<String>) {
        let ended = |key: &SigningKey| key.ends().filter(|ends| *ends <= time::now() + MARGIN);
        let Some(ends) = ended(&key) else {
            return (key, None);
        };
        let same = |other: &SigningKey| {
            (other.fingerprint(), other.identity()) == (key.fingerprint(), key.identity())
        };
        match self.open() {
            Ok(other) if same(&other) && ended(&other).is_none() => (other, None),
            _ => {
                let why = format!(
                    "the certificate of the signing key ended at {}, before the run did",
                    time::rfc3339(ends)
                );
                (key, Some(why))
            }
        }
    }

    /// An unencrypted key in a file.
    pub(super) fn with(key: PathBuf) -> Self {
        Self {
            key,
            key_passphrase_env: None,
            certificate: None,
            sign_command: None,
            sign_timeout: crate::sign::key::PATIENCE,
        }
    }
}
