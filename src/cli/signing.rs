//! The options that name the signing key, wherever something is signed, and the key found by them.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::args::duration;
use super::fault::{Exit, Fault};
use super::term;
use crate::sign::command::split_words;
use crate::sign::key::{SigningKey, Source};
use crate::text::escape;

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
