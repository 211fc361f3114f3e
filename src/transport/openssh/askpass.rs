//! Secrets for an `ssh` that may not ask a person: a program of ours answers in their place
//! (SSH_ASKPASS). It holds names of environment variables and never a value, and answers only the
//! questions that it knows word by word, a password only once.

use std::fmt::Write as _;

use super::ours;
use super::place::Place;
use super::version::Version;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Auth, Login};

/// The cases of the program.
#[derive(Default)]
pub(super) struct Secrets(Vec<Case>);

enum Case {
    /// Key file, variable.
    Passphrase(String, String),
    /// Account, variable.
    Password(String, String),
}

/// True for a way of logging in that needs a secret.
pub(super) const fn needs(way: &Auth) -> bool {
    match way {
        Auth::Password { .. } => true,
        Auth::Key { passphrase_env, .. } => passphrase_env.is_some(),
        _ => false,
    }
}

impl Secrets {
    pub(super) fn passphrase(&mut self, file: &str, env: &str) -> Result<(), Failure> {
        given(env, "passphrase")?;
        self.0.push(Case::Passphrase(file.into(), env.into()));
        Ok(())
    }

    pub(super) fn password(&mut self, login: &Login, env: &str) -> Result<(), Failure> {
        given(env, "password")?;
        // `ssh` cuts the account in its prompt.
        let account: String = login.user.chars().take(30).collect();
        self.0.push(Case::Password(account, env.into()));
        Ok(())
    }
}

fn given(env: &str, what: &str) -> Result<(), Failure> {
    let wrong = match std::env::var(env) {
        Ok(value) if value.is_empty() => "empty",
        Ok(_) => return Ok(()),
        Err(std::env::VarError::NotPresent) => "not set",
        Err(std::env::VarError::NotUnicode(_)) => "not UTF-8",
    };
    Err(Failure::new(
        FailureKind::Auth,
        format!("a {what} in ${env}"),
        format!("the variable is {wrong}"),
    )
    .with_hint("set it in the environment of this command, from your secret store"))
}

/// Writes the program, when there is a secret; what `ssh` has to find in its environment comes back.
pub(super) fn write(
    place: &Place,
    secrets: &Secrets,
    version: &Version,
) -> Result<Vec<(String, String)>, Failure> {
    let set = |name: &str, value: String| (name.to_owned(), value);
    if secrets.0.is_empty() {
        return Ok(vec![set("SSH_ASKPASS_REQUIRE", "never".into())]);
    }
    // Before 8.4 `ssh` asks the terminal first.
    if !version.has(8, 4) {
        let what = "`passphrase_env` and `password_env` with `client: openssh`";
        return Err(version.too_old(what, "8.4"));
    }
    let mut script = String::from("#!/bin/sh\ncase \"$1\" in\n");
    for (at, case) in secrets.0.iter().enumerate() {
        let _ = match case {
            Case::Passphrase(file, env) => writeln!(
                script,
                "\"Enter passphrase for key '{file}': \") printf '%s\\n' \"${env}\";;"
            ),
            Case::Password(account, env) => writeln!(
                script,
                "'{account}@'*\"'s password: \" | '({account}@'*') '*[Pp]assword*) mkdir {} && printf '%s\\n' \"${env}\";;",
                place.path(&format!("given_{at}"))
            ),
        };
    }
    script.push_str("*) exit 1;;\nesac\n");
    let written = place.write("askpass", &script, 0o700);
    written.map_err(|error| ours(&error))?;
    Ok(vec![
        set("SSH_ASKPASS", place.path("askpass")),
        set("SSH_ASKPASS_REQUIRE", "force".into()),
    ])
}
