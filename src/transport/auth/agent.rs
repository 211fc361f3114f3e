//! Logging in by the ssh-agent: the keys that it holds, or the one that the inventory chooses. A key too
//! many costs an attempt, and a server ends the connection at its sixth (sshd_config(5), MaxAuthTries).

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use ssh_key::{Certificate, HashAlg, PublicKey};
use ssh2::Agent;

use super::certificate::Certified;
use super::story::Story;
use super::{Problem, is_unverified, keyring, own};
use crate::failure::Failure;
use crate::inventory::AgentKey;
use crate::text;
use crate::transport::actor::Deadline;
use crate::transport::classify;
use crate::transport::far::Far;
use crate::transport::known_hosts::Key;

/// Most keys of an agent that are offered, when it is the only way; sshd's default MaxAuthTries is 6.
const MOST_KEYS: usize = 5;
/// How long an agent on this machine may take to list its keys.
const PATIENCE: Duration = Duration::from_secs(3);
/// More than ssh-agent ever sends.
const MOST_BYTES: u64 = 1 << 20;
/// Most keys of an agent that a message names.
const MOST_NAMED: usize = 12;

/// One identity of the agent.
struct Held {
    key: ssh2::PublicKey,
    /// `ssh-ed25519`, `ssh-ed25519-cert-v01@openssh.com` …
    kind: String,
    /// Of the key, for a certificate of the key in it: as `ssh-add -l` prints it.
    fingerprint: String,
    certificate: Option<Certificate>,
}

impl Held {
    fn of(key: ssh2::PublicKey) -> Self {
        let kind = Key::from_blob(key.blob()).map_or_else(|| "unknown".to_owned(), |key| key.kind);
        let certificate = match kind.contains("-cert-") {
            true => Certificate::from_bytes(key.blob()).ok(),
            false => None,
        };
        let fingerprint = match &certificate {
            Some(certificate) => certificate
                .public_key()
                .fingerprint(HashAlg::Sha256)
                .to_string(),
            None => Key::from_blob(key.blob()).map_or_else(String::new, |key| key.fingerprint()),
        };
        Self {
            key,
            kind,
            fingerprint,
            certificate,
        }
    }

    fn said(&self) -> String {
        let comment = text::clip(self.key.comment(), 60);
        let what = match self.certificate {
            Some(_) => " certificate",
            None => "",
        };
        format!("{}{what} ({comment})", self.fingerprint)
    }

    /// Why it is not worth an attempt.
    fn unusable(&self) -> Option<String> {
        if self.kind.starts_with("sk-") {
            return Some("needs a FIDO token, which libssh2 cannot use".to_owned());
        }
        let certificate = self.certificate.clone()?;
        let certified = Certified::new("the agent's certificate", certificate);
        certified
            .must_be_valid()
            .err()
            .map(|failure| failure.actual)
    }
}

/// Offers what `chosen` says, `others` being the number of other ways of this login.
pub(super) fn log_in(
    far: &Far,
    story: &mut Story,
    chosen: &AgentKey,
    others: usize,
    deadline: &Deadline,
) -> Result<(), Problem> {
    let mut agent = far.session.agent()?;
    let held = identities(&mut agent)?;
    let offered: Vec<&Held> = match chosen {
        AgentKey::Any => held.iter().collect(),
        AgentKey::Fingerprint(pin) => vec![by_fingerprint(&held, pin)?],
        AgentKey::File(path) => vec![by_file(&held, path)?],
    };
    let most = MOST_KEYS.saturating_sub(others).max(1);
    let (mut last, mut tried, mut stopped) = (None, 0, false);
    let mut unusable = Vec::new();
    for held in &offered {
        if let Some(why) = held.unusable() {
            unusable.push(format!("{}: {why}", held.said()));
            continue;
        }
        if tried == most {
            break;
        }
        tried += 1;
        far.arm(deadline, "authentication")?;
        story.offers(&held.kind, &held.fingerprint);
        if let Some(certificate) = &held.certificate {
            story.offers_certificate(Certified::new(&held.kind, certificate.clone()));
        }
        match agent.userauth(&far.login.user, &held.key) {
            Ok(()) => return Ok(()),
            Err(error) => {
                // After the server has taken a signature only its list tells what that was worth.
                stopped =
                    classify::is_lost(&error) || classify::is_late(&error) || is_unverified(&error);
                last = Some(error);
                if stopped {
                    break;
                }
            }
        }
    }
    let skipped = offered.len() - tried - unusable.len();
    match last {
        None => Err(unusable_all(&unusable).into()),
        Some(error) if skipped == 0 || stopped => Err(error.into()),
        Some(_) => Err(own(
            "an ssh-agent with the right key among its first",
            format!(
                "the agent holds {}, of which the first {most} were refused and the others not tried",
                text::count(offered.len(), "key")
            ),
            "name the right one (`agent: \"SHA256:…\"`, as `ssh-add -l` prints it): a server counts every \
             key as an attempt",
        )
        .into()),
    }
}

fn unusable_all(why: &[String]) -> Failure {
    own(
        "an ssh-agent with a key that can be used",
        why.join("; "),
        "load another key, or set `client: openssh` for this team when a token is needed",
    )
}

fn identities(agent: &mut Agent) -> Result<Vec<Held>, Problem> {
    let hint = "start `ssh-agent`, `ssh-add` the key and pass SSH_AUTH_SOCK on, or name a key file";
    let wrong = |why: String| own("an ssh-agent with a key", why, hint);
    let socket = std::env::var_os("SSH_AUTH_SOCK").filter(|path| !path.is_empty());
    let Some(socket) = socket else {
        return Err(wrong("SSH_AUTH_SOCK is not set".to_owned()).into());
    };
    answers(Path::new(&socket))
        .map_err(|error| wrong(format!("the agent does not answer: {error}")))?;
    let listed = agent.connect().and_then(|()| agent.list_identities());
    listed.map_err(|error| wrong(format!("the agent does not answer: {}", error.message())))?;
    let held: Vec<Held> = agent.identities()?.into_iter().map(Held::of).collect();
    match held.is_empty() {
        true => Err(wrong("the agent holds no key".to_owned()).into()),
        false => Ok(held),
    }
}

/// libssh2 would wait for a hung agent for ever.
fn answers(socket: &Path) -> io::Result<()> {
    /// SSH_AGENTC_REQUEST_IDENTITIES (draft-ietf-sshm-ssh-agent, 3.5), alone in its frame.
    const REQUEST: [u8; 5] = [0, 0, 0, 1, 11];
    let mut agent = UnixStream::connect(socket)?;
    agent.set_read_timeout(Some(PATIENCE))?;
    agent.set_write_timeout(Some(PATIENCE))?;
    agent.write_all(&REQUEST)?;
    let late = |error: io::Error| match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    };
    let mut length = [0; 4];
    agent.read_exact(&mut length).map_err(late)?;
    // All of it, so that the agent has nothing to complain of.
    let length = u64::from(u32::from_be_bytes(length));
    let answer = agent.take(length.min(MOST_BYTES));
    io::copy(&mut { answer }, &mut io::sink()).map_err(late)?;
    Ok(())
}

/// The plain key before its certificate, which a file chooses.
fn by_fingerprint<'a>(held: &'a [Held], pin: &str) -> Result<&'a Held, Failure> {
    let mut fit = held.iter().filter(|held| held.fingerprint == pin);
    let first = fit.next();
    let plain = first
        .into_iter()
        .chain(fit)
        .find(|held| held.certificate.is_none());
    plain
        .or(first)
        .ok_or_else(|| not_held(&format!("key {pin}"), held))
}

fn by_file<'a>(held: &'a [Held], path: &Path) -> Result<&'a Held, Failure> {
    let shown = path.display();
    let bytes = keyring::read(path, "a public key file")?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim();
    let unusable = || {
        own(
            "a public key or certificate",
            format!("{shown} holds neither"),
            "name the `.pub` file of a key that the agent holds; `ssh-add -L` prints it",
        )
    };
    let (blob, called) = if let Ok(certificate) = Certificate::from_openssh(text) {
        let blob = certificate.to_bytes().map_err(|_| unusable())?;
        let inside = certificate.public_key().fingerprint(HashAlg::Sha256);
        (blob, format!("certificate {shown} ({inside})"))
    } else {
        let key = PublicKey::from_openssh(text).map_err(|_| unusable())?;
        let blob = key.to_bytes().map_err(|_| unusable())?;
        let fingerprint = key.fingerprint(HashAlg::Sha256);
        (blob, format!("key {shown} ({fingerprint})"))
    };
    let found = held.iter().find(|held| held.key.blob() == blob);
    found.ok_or_else(|| not_held(&called, held))
}

fn not_held(wanted: &str, held: &[Held]) -> Failure {
    let mut said: Vec<String> = held.iter().take(MOST_NAMED).map(Held::said).collect();
    if held.len() > MOST_NAMED {
        said.push(format!("and {} more", held.len() - MOST_NAMED));
    }
    own(
        &format!("an ssh-agent that holds {wanted}"),
        format!("it holds {}", said.join(", ")),
        "`ssh-add` the key, or choose one that the agent holds (`ssh-add -l`)",
    )
}
