//! Logging in: each way of the inventory once, in its order. sshd never tells why it refused
//! (facts: traps.md T15), so a refusal says what is known and lists what it may be. Our own key files are
//! `key.rs`.

use ssh2::{KeyboardInteractivePrompt, Prompt};

use super::actor::Deadline;
use super::far::Far;
use super::{classify, key};
use crate::failure::{Failure, FailureKind};
use crate::inventory::Auth;
use crate::text;

/// Most keys of an agent that are offered; sshd's default MaxAuthTries is 6.
const MOST_AGENT_KEYS: usize = 5;

/// Logs in by the first way that is let in; the method's name comes back.
///
/// # Errors
/// Of kind `auth`, with everything that was tried; `timeout` or `unreachable` when the connection
/// did not last.
pub(super) fn log_in(far: &Far, deadline: &Deadline) -> Result<&'static str, Failure> {
    let mut offered = methods(far, deadline)?;
    let (mut told, mut own) = (Vec::new(), None::<Failure>);
    let mut partial = false;
    for way in &far.login.auth {
        if far.session.authenticated() {
            break;
        }
        let (name, method, needs) = describe(way);
        let usable = needs.iter().any(|method| offers(&offered, method));
        if !usable && !offered.is_empty() {
            told.push(format!("{name}: the server does not offer {}", needs[0]));
            continue;
        }
        far.arm(deadline, "authentication")?;
        let tried = match way {
            Auth::Key {
                path,
                certificate,
                passphrase_env,
            } => key::log_in(far, path, certificate.as_deref(), passphrase_env.as_deref()),
            Auth::Agent(_) => agent(far, deadline),
            Auth::KeyboardInteractive { .. } => Err(self::own(
                "a way to log in that is built in",
                "keyboard-interactive answers are not".to_owned(),
                "use another way",
            )),
            Auth::Password { env } => password(far, env, &offered),
        };
        if far.session.authenticated() {
            return Ok(method);
        }
        match tried {
            Err(Problem::Own(failure)) => {
                told.push(format!("{name}: {}", failure.actual));
                own.get_or_insert(*failure);
            }
            Err(Problem::Far(error)) => {
                let lost = far.connection(&error, deadline, "authentication");
                match lost.map(|failure| failure.kind == FailureKind::Timeout) {
                    Some(true) => return Err(far.late(deadline, "authentication")),
                    // sshd hangs up after too many tries: that is a refusal, too.
                    Some(false) => {
                        told.push(format!("{name}: the server hung up"));
                        return Err(refused(far, &offered, &told, partial));
                    }
                    None => {}
                }
                // Only the server's list tells an accepted factor from a refused one: after the first
                // libssh2 says "invalid signature". Asking counts as a try, so not without cause.
                let is_password = matches!(way, Auth::Password { .. });
                let left = match is_password || is_unverified(&error) {
                    true => methods(far, deadline).unwrap_or_default(),
                    false => String::new(),
                };
                if left != offered && !left.is_empty() {
                    partial = true;
                    told.push(format!("{name}: accepted as one of several factors"));
                    offered = left;
                } else {
                    told.push(format!("{name}: refused{}", unusual(&error)));
                }
            }
            Ok(()) => told.push(format!("{name}: not enough")),
        }
    }
    if far.session.authenticated() {
        return Ok("none");
    }
    match own {
        Some(failure) if told.len() == 1 => Err(failure),
        _ => Err(refused(far, &offered, &told, partial)),
    }
}

/// Why one way did not let in.
pub(super) enum Problem {
    /// Ours: the file, the variable, the agent.
    Own(Box<Failure>),
    /// The server's, or the connection's.
    Far(ssh2::Error),
}

impl From<ssh2::Error> for Problem {
    fn from(error: ssh2::Error) -> Self {
        Self::Far(error)
    }
}

/// A problem on our side, which no server is asked about.
pub(super) fn own(expected: &str, actual: String, hint: &str) -> Problem {
    Problem::Own(Box::new(
        Failure::new(FailureKind::Auth, expected, actual).with_hint(hint),
    ))
}

/// What a way is called in a message and in the report, and which methods of the server it needs.
fn describe(way: &Auth) -> (String, &'static str, &'static [&'static str]) {
    match way {
        Auth::Key { path, .. } => {
            let name = format!("key {}", path.display());
            (name, "publickey", &["publickey"])
        }
        Auth::Agent(_) => ("agent".to_owned(), "agent", &["publickey"]),
        Auth::KeyboardInteractive { .. } => {
            let name = "keyboard-interactive".to_owned();
            (name, "keyboard-interactive", &["keyboard-interactive"])
        }
        Auth::Password { env } => {
            let needs: &[_] = &["password", "keyboard-interactive"];
            (format!("password of ${env}"), "password", needs)
        }
    }
}

/// libssh2's own words, where they are about more than a refusal. "Invalid signature" is not: it says
/// so of every key that is accepted as one of several factors.
fn unusual(error: &ssh2::Error) -> String {
    match classify::code(error) {
        Some(
            libssh2_sys::LIBSSH2_ERROR_AUTHENTICATION_FAILED
            | libssh2_sys::LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED,
        ) => String::new(),
        _ => format!(" ({})", classify::said(error)),
    }
}

fn is_unverified(error: &ssh2::Error) -> bool {
    classify::code(error) == Some(libssh2_sys::LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED)
}

fn offers(offered: &str, method: &str) -> bool {
    offered.split(',').any(|offer| offer == method)
}

fn methods(far: &Far, deadline: &Deadline) -> Result<String, Failure> {
    far.arm(deadline, "authentication")?;
    match far.session.auth_methods(&far.login.user) {
        Ok(methods) => Ok(methods.to_owned()),
        Err(_) if far.session.authenticated() => Ok(String::new()),
        Err(error) => match far.connection(&error, deadline, "authentication") {
            Some(failure) => Err(failure),
            None => Ok(String::new()),
        },
    }
}

fn refused(far: &Far, offered: &str, told: &[String], partial: bool) -> Failure {
    let user = &far.login.user;
    let told = match told {
        [] => "nothing to try: no key, agent or password is given".to_owned(),
        told => told.join("; "),
    };
    let offered = match offered {
        "" => "no method".to_owned(),
        offered => text::clip(offered, 200).into_owned(),
    };
    let hint = match partial {
        true => format!(
            "a first factor was accepted and the server wants {offered} as well: add it to the team, \
             or have the account exempted from it"
        ),
        false => format!(
            "sshd does not say why. It may be: the key is not in the account's authorized_keys; no such \
             account, or it is locked or expired; AllowUsers, DenyUsers or AllowGroups; `from=`; the mode \
             of ~{user} or ~{user}/.ssh; a wrong password. In the server's log (journalctl -u ssh) look for \
             `Failed publickey for {user}`, `Authentication refused: bad ownership`, `User {user} … not allowed`"
        ),
    };
    Failure::new(
        FailureKind::Auth,
        format!("account `{user}` to be let in"),
        format!("{told}; the server offers {offered}"),
    )
    .with_hint(hint)
}

fn agent(far: &Far, deadline: &Deadline) -> Result<(), Problem> {
    let hint = "start `ssh-agent`, `ssh-add` the key and pass SSH_AUTH_SOCK on, or name a key file";
    let wrong = |why: String| own("an ssh-agent with a key", why, hint);
    if std::env::var_os("SSH_AUTH_SOCK").is_none_or(|path| path.is_empty()) {
        return Err(wrong("SSH_AUTH_SOCK is not set".to_owned()));
    }
    let mut agent = far.session.agent()?;
    let listed = agent.connect().and_then(|()| agent.list_identities());
    listed.map_err(|error| wrong(format!("the agent does not answer: {}", error.message())))?;
    let keys = agent.identities()?;
    let mut last = None;
    for key in keys.iter().take(MOST_AGENT_KEYS) {
        let armed = far.arm(deadline, "authentication");
        armed.map_err(|failure| Problem::Own(Box::new(failure)))?;
        match agent.userauth(&far.login.user, key) {
            Ok(()) => return Ok(()),
            Err(error) if classify::is_lost(&error) || classify::is_late(&error) => {
                return Err(error.into());
            }
            // The one that the server knew says more than those after it.
            Err(_) if last.as_ref().is_some_and(is_unverified) => {}
            Err(error) => last = Some(error),
        }
    }
    match last {
        None => Err(wrong("the agent holds no key".to_owned())),
        Some(_) if keys.len() > MOST_AGENT_KEYS => Err(wrong(format!(
            "the agent holds {}, of which the first {MOST_AGENT_KEYS} were refused and the others not \
             tried",
            text::count(keys.len(), "key")
        ))),
        Some(error) => Err(error.into()),
    }
}

struct Answer(Option<String>);

impl KeyboardInteractivePrompt for Answer {
    // The password goes to the first question that hides its answer, and to no other.
    fn prompt(&mut self, _: &str, _: &str, prompts: &[Prompt<'_>]) -> Vec<String> {
        let mut answer = |prompt: &Prompt<'_>| match prompt.echo {
            true => String::new(),
            false => self.0.take().unwrap_or_default(),
        };
        prompts.iter().map(&mut answer).collect()
    }
}

fn password(far: &Far, env: &str, offered: &str) -> Result<(), Problem> {
    let secret = key::variable(env, "password")?;
    let user = &far.login.user;
    match offers(offered, "password") {
        true => far.session.userauth_password(user, &secret)?,
        false => {
            let mut answer = Answer(Some(secret));
            far.session
                .userauth_keyboard_interactive(user, &mut answer)?;
        }
    }
    Ok(())
}
