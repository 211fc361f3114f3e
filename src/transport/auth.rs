//! Logging in: each way of the inventory once, in its order. sshd never tells why it refused
//! (facts: traps.md T15), so a refusal says what is known and lists what it may be; what is wrong with
//! our own key file is found out here, before the server is asked.

use std::path::Path;

use ssh_key::{Certificate, LineEnding, PrivateKey};
use ssh2::{KeyboardInteractivePrompt, Prompt};

use super::actor::Deadline;
use super::classify;
use super::ssh::Far;
use crate::failure::{Failure, FailureKind};
use crate::inventory::Auth;
use crate::text;

/// Most keys of an agent that are offered; sshd's default MaxAuthTries is 6.
const MOST_AGENT_KEYS: usize = 5;
/// A private key file is a few kilobytes.
const MOST_KEY_BYTES: usize = 1 << 20;

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
            } => key(far, path, certificate.as_deref(), passphrase_env.as_deref()),
            Auth::Agent => agent(far, deadline),
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
                if let Some(failure) = far.connection(&error, deadline, "authentication") {
                    // sshd hangs up after too many tries: that is a refusal, too.
                    if failure.kind == FailureKind::Timeout || told.is_empty() {
                        return Err(failure);
                    }
                    told.push(format!("{name}: the server hung up"));
                    return Err(refused(far, &offered, &told, partial));
                }
                told.push(format!("{name}: refused{}", unusual(&error)));
                // After a first factor libssh2 says "invalid signature"; only the list tells.
                let left = methods(far, deadline)?;
                if left != offered && !left.is_empty() {
                    partial = true;
                    told.pop();
                    told.push(format!("{name}: accepted as one of several factors"));
                    offered = left;
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

enum Problem {
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

fn own(expected: &str, actual: String, hint: &str) -> Problem {
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
        Auth::Agent => ("agent".to_owned(), "agent", &["publickey"]),
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

fn key(
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
            Some(libssh2_sys::LIBSSH2_ERROR_FILE) => own(
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

fn variable(env: &str, what: &str) -> Result<String, Problem> {
    std::env::var(env).map_err(|_| {
        own(
            "an environment variable with the secret",
            format!("${env}, which should hold the {what}, is not set"),
            "set it for this process; its value is never written anywhere",
        )
    })
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
    let secret = variable(env, "password")?;
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
