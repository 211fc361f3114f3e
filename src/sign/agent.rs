//! The ssh-agent as signer (draft-ietf-sshm-ssh-agent): lists its keys, has it sign, and waits no longer
//! than it is told to. Whose signature it is, is checked by whoever asked.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use ssh_key::Signature;
use ssh_key::public::KeyData;

use super::fields::{Fields, put_string};
use super::raw::{blob, fingerprint, read_key};
use crate::text::escape;
use crate::time;

const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
/// Of an RSA key: rsa-sha2-512, not SHA-1.
const RSA_SHA2_512: u32 = 4;

/// What ssh-agent itself takes and gives at most (ssh-agent.c, AGENT_MAX_LEN).
const MOST_BYTES: u32 = 256 * 1024;
/// Most keys that a message names.
const MOST_NAMED: usize = 12;
/// Listing asks no person.
const PATIENCE_TO_LIST: Duration = Duration::from_secs(5);

/// Where an agent listens, and how long it may take to sign: a person may have to confirm.
#[derive(Clone, Debug)]
pub(super) struct Agent {
    pub socket: PathBuf,
    pub patience: Duration,
}

/// One of its keys, perhaps a certificate.
pub(super) struct Held {
    pub key: KeyData,
    pub comment: String,
}

impl Agent {
    /// The keys it holds; of types unknown here, none.
    pub fn list(&self) -> Result<Vec<Held>, AgentFault> {
        let patience = self.patience.min(PATIENCE_TO_LIST);
        let answer = self.ask(vec![REQUEST_IDENTITIES], patience)?;
        let mut fields = Fields(&answer);
        let mut read = || {
            if fields.byte()? != IDENTITIES_ANSWER {
                return None;
            }
            let mut held = Vec::new();
            for _ in 0..fields.u32()? {
                let (key, comment) = (fields.string()?, fields.string()?);
                let comment = String::from_utf8_lossy(comment).into_owned();
                held.extend(read_key(key).map(|key| Held { key, comment }));
            }
            fields.is_empty().then_some(held)
        };
        let held = read().ok_or(AgentFault::Garbled)?;
        match held.is_empty() {
            true => Err(AgentFault::Empty),
            false => Ok(held),
        }
    }

    /// Has `key`, as it was listed, sign.
    pub fn sign(&self, key: &KeyData, message: &[u8]) -> Result<Signature, AgentFault> {
        let flags = match key.algorithm() {
            ssh_key::Algorithm::Rsa { .. } => RSA_SHA2_512,
            _ => 0,
        };
        let mut request = vec![SIGN_REQUEST];
        put_string(&mut request, &blob(key));
        put_string(&mut request, message);
        request.extend(flags.to_be_bytes());
        let answer = self.ask(request, self.patience)?;
        let mut fields = Fields(&answer);
        match fields.byte() {
            Some(FAILURE) => Err(AgentFault::Refused(fingerprint(key))),
            Some(SIGN_RESPONSE) => {
                let signature = fields
                    .string()
                    .and_then(|raw| Signature::try_from(raw).ok());
                signature.ok_or(AgentFault::Garbled)
            }
            _ => Err(AgentFault::Garbled),
        }
    }

    /// A thread asks, so that neither a full queue nor an answer byte by byte can hold us.
    fn ask(&self, request: Vec<u8>, patience: Duration) -> Result<Vec<u8>, AgentFault> {
        let (tell, told) = mpsc::channel();
        let socket = self.socket.clone();
        let asking = std::thread::Builder::new().spawn(move || {
            let _ = tell.send(converse(&socket, &request, patience));
        });
        let unreachable = |cause| AgentFault::Unreachable {
            socket: self.socket.clone(),
            cause,
        };
        asking.map_err(unreachable)?;
        match told.recv_timeout(patience) {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                Err(AgentFault::Late(patience))
            }
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                Err(AgentFault::Garbled)
            }
            Ok(Err(cause)) => Err(unreachable(cause)),
            Err(_) => Err(AgentFault::Late(patience)),
        }
    }
}

fn converse(socket: &PathBuf, request: &[u8], patience: Duration) -> io::Result<Vec<u8>> {
    let mut agent = UnixStream::connect(socket)?;
    // So that the thread ends too, once nobody listens to it.
    agent.set_read_timeout(Some(patience))?;
    agent.set_write_timeout(Some(patience))?;
    let mut frame = Vec::new();
    put_string(&mut frame, request);
    agent.write_all(&frame)?;
    let mut length = [0; 4];
    agent.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length == 0 || length > MOST_BYTES {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut answer = Vec::new();
    agent.take(u64::from(length)).read_to_end(&mut answer)?;
    match answer.len() == length as usize {
        true => Ok(answer),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// What `held` holds, for a message.
pub(super) fn said(held: &[Held]) -> String {
    let one = |held: &Held| {
        let what = match held.key.is_certificate() {
            true => " certificate",
            false => "",
        };
        let comment = crate::text::clip(&held.comment, 60);
        format!("{}{what} ({})", fingerprint(&held.key), escape(&comment))
    };
    let mut named: Vec<String> = held.iter().take(MOST_NAMED).map(one).collect();
    if held.len() > MOST_NAMED {
        named.push(format!("{} more", held.len() - MOST_NAMED));
    }
    named.join(", ")
}

/// Why the agent did not sign.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant is told by its message, each field by its name"
)]
pub enum AgentFault {
    #[error("`{}` signs by an ssh-agent, and SSH_AUTH_SOCK names none", escape(&.0.to_string_lossy()))]
    Nowhere(PathBuf),
    #[error("the ssh-agent at `{}` does not answer: {cause}", escape(&socket.to_string_lossy()))]
    Unreachable { socket: PathBuf, cause: io::Error },
    #[error("the ssh-agent did not answer within {}", time::say(*.0))]
    Late(Duration),
    #[error("the ssh-agent answers what no agent answers")]
    Garbled,
    #[error("the ssh-agent holds no key that can sign, or is locked")]
    Empty,
    #[error("the ssh-agent does not hold key {fingerprint}; it holds {held}")]
    Absent { fingerprint: String, held: String },
    #[error("the ssh-agent holds several certificates of key {0}")]
    Several(String),
    #[error("the ssh-agent refused to sign with key {0}")]
    Refused(String),
}

impl AgentFault {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Nowhere(_) => {
                "start one (`eval $(ssh-agent)`), `ssh-add` the key and pass SSH_AUTH_SOCK on; or name the private key's file"
            }
            Self::Unreachable { .. } | Self::Garbled => {
                "is SSH_AUTH_SOCK that of an agent that runs? `ssh-add -l` must list the key"
            }
            Self::Late(_) => {
                "it may wait for a person to confirm, or hang: look at it, or allow more with --sign-timeout"
            }
            Self::Empty => "`ssh-add FILE` adds a key, `ssh-add -X` unlocks the agent",
            Self::Absent { .. } => {
                "`ssh-add FILE` adds the key (a locked agent lists none: `ssh-add -X`); or name the private key's file"
            }
            Self::Several(_) => "name the one to use with --certificate FILE",
            Self::Refused(_) => {
                "was its confirmation (`ssh-add -c`) declined or impossible, the agent locked (`ssh-add -X`), or the key bound to hosts (`ssh-add -h`)?"
            }
        }
    }
}
