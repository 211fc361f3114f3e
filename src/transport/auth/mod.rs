//! Logging in: each way of the inventory once, in its order, as far as the server offers it. A way that
//! is one of several factors leads to the next. `story.rs` tells how it went; the ways are
//! `key.rs`, `agent.rs`, `keyboard.rs`; nothing is ever tried twice.

mod agent;
mod answer_command;
mod certificate;
mod key;
mod keyboard;
mod keyring;
mod story;

pub use keyring::Keyring;
pub(super) use keyring::variable;

use self::story::Story;
use super::actor::Deadline;
use super::classify;
use super::far::Far;
use crate::failure::{Failure, FailureKind};
use crate::inventory::Auth;

/// Logs in by the first way, or sequence of ways, that is let in; the last method's name comes back.
///
/// # Errors
/// Of kind `auth`, with everything that was tried; `timeout` or `unreachable` when the connection
/// did not last.
pub(super) fn log_in(
    far: &Far,
    keyring: &Keyring,
    deadline: &Deadline,
) -> Result<&'static str, Failure> {
    // One key is simply tried: asking what is offered costs a round trip, and a refusal can be asked about after.
    let asks_first = !matches!(far.login.auth[..], [Auth::Key { .. }]);
    let offered = match asks_first {
        true => methods(far, deadline)?,
        false => String::new(),
    };
    let mut story = Story::new(&far.login.user, offered);
    story.unasked = !asks_first;
    let mut own = None::<Failure>;
    let mut left: Vec<&Auth> = far.login.auth.iter().collect();
    if far.session.authenticated() {
        return Ok("none");
    }
    // After each factor the server offers other methods: what was of no use before may be now.
    while let Some(at) = left.iter().position(|way| is_usable(way, story.offered())) {
        let way = left.remove(at);
        let name = name(way);
        far.arm(deadline, "authentication")?;
        let others = far.login.auth.len() - 1;
        let tried = attempt(far, keyring, &mut story, way, others, deadline);
        if far.session.authenticated() {
            return Ok(method(way));
        }
        match tried {
            Ok(()) => story.tell(&name, "not enough"),
            Err(Problem::Own(failure)) => {
                story.tell(&name, &failure.actual);
                if far.is_dead() {
                    // We hung up on a question of the server; nothing more can be tried.
                    return Err(Failure {
                        actual: story.so_far(),
                        ..*failure
                    });
                }
                own.get_or_insert(*failure);
            }
            Err(Problem::Far(error)) => {
                let lost = far.connection(&error, deadline, "authentication");
                match lost.map(|failure| failure.kind == FailureKind::Timeout) {
                    Some(true) => return Err(far.late(deadline, "authentication")),
                    // sshd hangs up after too many tries: that is a refusal, too.
                    Some(false) => return Err(cut_off(far, story, &name)),
                    None if is_silent(&error) => return Err(cut_off(far, story, &name)),
                    None => {}
                }
                if !asks_first {
                    let now = methods(far, deadline).unwrap_or_default();
                    if far.session.authenticated() {
                        return Ok("none");
                    }
                    story.unasked = now.is_empty();
                    story.hung_up |= far.is_dead();
                    match (offers(&now, "publickey"), is_unverified(&error)) {
                        (false, false) if !now.is_empty() => {
                            story.now_offered(now);
                            left.push(way);
                            continue;
                        }
                        // The signature was asked for: what is offered now is what is still wanted beside it.
                        (false, true) if !now.is_empty() => {
                            story.partial = true;
                            story.tell(&name, "accepted as one of several factors");
                            story.now_offered(now);
                        }
                        _ => {
                            story.tell(&name, &format!("refused{}", unusual(&error)));
                            story.now_offered(now);
                        }
                    }
                    continue;
                }
                if has_expired(&error) {
                    story.tell(
                        &name,
                        "the password has expired, and the server wants a new one",
                    );
                    continue;
                }
                judge(far, &mut story, way, &left, &error, deadline);
            }
        }
    }
    story.unfit = !left.is_empty() && left.len() == far.login.auth.len();
    for way in left {
        let (name, needs) = (name(way), needs(way)[0]);
        story.tell(&name, &format!("the server does not offer {needs}"));
    }
    match own {
        Some(failure) if story.is_short() => Err(failure),
        _ => Err(refusal(far, &story)),
    }
}

fn attempt(
    far: &Far,
    keyring: &Keyring,
    story: &mut Story,
    way: &Auth,
    others: usize,
    deadline: &Deadline,
) -> Result<(), Problem> {
    match way {
        Auth::Key {
            path,
            certificate,
            passphrase_env,
        } => {
            let (certificate, env) = (certificate.as_deref(), passphrase_env.as_deref());
            key::log_in(far, keyring, story, path, certificate, env)
        }
        Auth::Agent(chosen) => agent::log_in(far, story, chosen, others, deadline),
        Auth::KeyboardInteractive { answers } => keyboard::log_in(far, story, answers, deadline),
        Auth::Password { env } => {
            let secret = keyring::variable(env, "password")?;
            if offers(story.offered(), "password") {
                story.tried_answer = true;
                Ok(far.session.userauth_password(&far.login.user, &secret)?)
            } else {
                keyboard::log_in_by_password(far, story, env, deadline)
            }
        }
    }
}

/// What a refusal of one way was worth. Only the server's list tells an accepted factor from a refused
/// one, and asking for it counts as a try (MaxAuthTries), so it is not asked without cause.
fn judge(
    far: &Far,
    story: &mut Story,
    way: &Auth,
    left: &[&Auth],
    error: &ssh2::Error,
    deadline: &Deadline,
) {
    let name = name(way);
    let by_key = matches!(way, Auth::Key { .. } | Auth::Agent(_));
    if by_key && !is_unverified(error) {
        story.tell(&name, &format!("refused{}", unusual(error)));
        return;
    }
    // The signature was taken, and what is left needs one other method: trying it tells as much as asking,
    // and with `MaxAuthTries 1` the server would hang up on the question.
    let answers = |way: &&Auth| matches!(way, Auth::KeyboardInteractive { .. });
    if by_key && !left.is_empty() && left.iter().all(answers) && !story.partial {
        story.partial = true;
        story.now_offered(String::new());
        story.tell(
            &name,
            "its signature was taken, without letting in by itself",
        );
        return;
    }
    let now = methods(far, deadline).unwrap_or_default();
    if far.is_dead() {
        story.hung_up = true;
    }
    if !now.is_empty() && now != story.offered() && !story.offered().is_empty() {
        story.partial = true;
        story.tell(&name, "accepted as one of several factors");
    } else {
        story.refused_answer = story.tried_answer && !by_key;
        story.tell(&name, &format!("refused{}", unusual(error)));
    }
    if !now.is_empty() {
        story.now_offered(now);
    }
}

fn cut_off(far: &Far, mut story: Story, name: &str) -> Failure {
    story.hung_up = true;
    story.tell(name, "the server hung up");
    refusal(far, &story)
}

fn refusal(far: &Far, story: &Story) -> Failure {
    let banner = far.session.userauth_banner().ok().flatten();
    story.refusal(banner)
}

/// Why one way did not let in.
enum Problem {
    /// Ours: the file, the variable, the agent, an answer.
    Own(Box<Failure>),
    /// The server's, or the connection's.
    Far(ssh2::Error),
}

impl From<ssh2::Error> for Problem {
    fn from(error: ssh2::Error) -> Self {
        Self::Far(error)
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::Own(Box::new(failure))
    }
}

/// A problem on our side, which no server is asked about.
fn own(expected: &str, actual: String, hint: &str) -> Failure {
    Failure::new(FailureKind::Auth, expected, actual).with_hint(hint)
}

/// What a way is called in a message.
fn name(way: &Auth) -> String {
    match way {
        Auth::Key { path, .. } => format!("key {}", path.display()),
        Auth::Agent(_) => "agent".to_owned(),
        Auth::KeyboardInteractive { .. } => "keyboard-interactive".to_owned(),
        Auth::Password { env } => format!("password of ${env}"),
    }
}

/// What it is called in the report.
const fn method(way: &Auth) -> &'static str {
    match way {
        Auth::Key { .. } => "publickey",
        Auth::Agent(_) => "agent",
        Auth::KeyboardInteractive { .. } => "keyboard-interactive",
        Auth::Password { .. } => "password",
    }
}

/// The server's methods of which it needs one.
const fn needs(way: &Auth) -> &'static [&'static str] {
    match way {
        Auth::Key { .. } | Auth::Agent(_) => &["publickey"],
        Auth::KeyboardInteractive { .. } => &["keyboard-interactive"],
        // Many a server asks for the password by keyboard-interactive only.
        Auth::Password { .. } => &["password", "keyboard-interactive"],
    }
}

fn is_usable(way: &Auth, offered: &str) -> bool {
    offered.is_empty() || needs(way).iter().any(|method| offers(offered, method))
}

fn offers(offered: &str, method: &str) -> bool {
    offered.split(',').any(|offer| offer == method)
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

/// libssh2 words it so when the server hangs up instead of judging a signature.
fn is_silent(error: &ssh2::Error) -> bool {
    is_unverified(error) && error.message().starts_with("Waiting for")
}

fn has_expired(error: &ssh2::Error) -> bool {
    classify::code(error) == Some(libssh2_sys::LIBSSH2_ERROR_PASSWORD_EXPIRED)
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
