//! Secrets for an `ssh` that may not ask a person: a program of ours answers in their place
//! (SSH_ASKPASS). It holds names of environment variables and never a value, and answers only the
//! questions that it knows word by word, a password only once, and each only to the `ssh` that goes to
//! the host that it is for: every process below inherits the program, also what a ProxyCommand starts.

use std::fmt::Write as _;

use super::place::Place;
use super::version::Version;
use super::{config, ours};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Auth, Login};

/// The cases of the program, each with the file that its `ssh` is called with.
#[derive(Default)]
pub(super) struct Secrets(Vec<(String, Case)>);

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
    pub(super) fn passphrase(
        &mut self,
        config: String,
        file: &str,
        env: &str,
    ) -> Result<(), Failure> {
        given(env, "passphrase")?;
        self.0
            .push((config, Case::Passphrase(file.into(), env.into())));
        Ok(())
    }

    pub(super) fn password(
        &mut self,
        config: String,
        login: &Login,
        env: &str,
    ) -> Result<(), Failure> {
        given(env, "password")?;
        // `ssh` cuts the account in its prompt.
        let account: String = login.user.chars().take(30).collect();
        self.0.push((config, Case::Password(account, env.into())));
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

/// Who asks is who started the program; its arguments are ours, and no server has a say in them.
const ASKS: &str = r#"#!/bin/sh
asks=$({ tr '\0' ' ' <"/proc/$PPID/cmdline" || ps -o args= -p "$PPID"; } 2>/dev/null)
case "$asks |$1" in
"#;

/// What begins a question for a new password: to answer it would change the account.
const NEW: [&str; 4] = [
    "*[Nn]ew*",
    "*[Rr]etype*",
    "*[Cc]urrent*[Pp]assw*",
    "*[Cc]hange*[Pp]assw*",
];

/// End of the name of the file that holds the question for which an `ssh` was ended.
const ASKED: &str = ".asked";

/// The question of the host at that place of the chain for which its `ssh` was ended.
pub(super) fn unanswered(place: &Place, at: usize) -> String {
    place.text(&(config::name(at) + ASKED))
}

/// Without an answer `ssh` sends an empty one, which a server counts as a refusal: it is ended before that.
/// A passphrase that is not had only leaves that key out.
const OTHERS: &str = r#"*"|"*"@"*"'s password: " | *"|("*"@"*") "*) kill "$PPID"; exit 1;;
*) exit 1;;
esac
"#;

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
    let mut script = String::from(ASKS);
    for (at, (config, case)) in secrets.0.iter().enumerate() {
        let _ = match case {
            Case::Passphrase(file, env) => writeln!(
                script,
                "*\" -F {config} \"*\"|Enter passphrase for key '{file}': \") printf '%s\\n' \"${env}\";;"
            ),
            Case::Password(account, env) => {
                let given = place.path(&format!("given_{at}"));
                let own = format!("*\" -F {config} \"*'|");
                let asked = format!("{own}({account}@'*') '");
                let new = NEW.map(|word| format!("{asked}{word}")).join(" | ");
                let tell = format!("printf '%s' \"$1\" >{config}{ASKED}; kill \"$PPID\"; exit 1");
                writeln!(
                    script,
                    "{new}) {tell};;\n{own}{account}@'*\"'s password: \" | {asked}*[Pp]assword*)\n  \
                     mkdir {given}_$PPID || {{ {tell}; }}\n  printf '%s\\n' \"${env}\";;",
                )
            }
        };
    }
    script.push_str(OTHERS);
    let written = place.write("askpass", &script, 0o700);
    written.map_err(|error| ours(&error))?;
    Ok(vec![
        set("SSH_ASKPASS", place.path("askpass")),
        set("SSH_ASKPASS_REQUIRE", "force".into()),
    ])
}
