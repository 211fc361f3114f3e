//! Whether the host is the one that is meant: pin or known_hosts, host certificates included. Runs
//! before any authentication, accepts nothing by itself, and has no switch that turns it off.

use std::fmt::Write as _;

use ssh_key::certificate::CertType;
use ssh_key::{Certificate, HashAlg, PublicKey};

use super::known_hosts::{self, Key, Known, wildcard};
use crate::failure::{Failure, FailureKind};
use crate::inventory::Login;
use crate::text;

const CERTIFICATE: &str = "-cert-v01@openssh.com";

/// Host key algorithms that are asked for when nothing is known, best first. No SHA-1.
const PLAIN: [&str; 6] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
];

/// Which host key types one handshake asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Ask {
    /// Those that could be accepted.
    #[default]
    Known,
    /// Every plain type, so that the refusal can say what the host has instead.
    Any,
    /// Every plain type but these: a pin names no type, and a host has several keys.
    Except(Vec<String>),
}

/// What a host key is compared with.
pub(super) enum Trust {
    /// `host_key: SHA256:…`
    Pin(String),
    /// known_hosts, under the name with the port and under the bare name.
    Lines {
        /// How the host is called there.
        name: String,
        /// The lines of that name.
        known: Known,
        /// The lines of the bare name, when the port is not 22; OpenSSH accepts these too.
        bare: Known,
        /// The files, to be named in a hint.
        files: Vec<String>,
    },
}

impl Trust {
    /// Reads what `login` trusts.
    ///
    /// # Errors
    /// When a known_hosts file cannot be read: it may hold the very line that revokes the key.
    pub(super) fn of(login: &Login) -> Result<Self, Failure> {
        if let Some(pin) = &login.host_key {
            return Ok(Self::Pin(pin.trim_end_matches('=').to_owned()));
        }
        let (mut content, mut files) = (String::new(), Vec::new());
        for path in &login.known_hosts {
            let bytes = std::fs::read(path).map_err(|error| {
                Failure::new(
                    FailureKind::HostKey,
                    "a readable known_hosts file",
                    format!("{}: {error}", path.display()),
                )
                .with_hint("create the file or correct `known_hosts` in the inventory")
            })?;
            content.push_str(&String::from_utf8_lossy(&bytes));
            content.push('\n');
            files.push(path.display().to_string());
        }
        let name = match login.host_key_alias() {
            Some(alias) => alias.to_owned(),
            None => known_hosts::name(&login.address, login.port),
        };
        let bare = match login.port {
            _ if login.host_key_alias().is_some() => Known::default(),
            22 => Known::default(),
            _ => Known::of(&content, &login.address),
        };
        Ok(Self::Lines {
            known: Known::of(&content, &name),
            name,
            bare,
            files,
        })
    }

    /// The value for libssh2's host key preference: certificate types only when an authority is
    /// known (libssh2 prefers them by default, which breaks every plain line), then known types.
    pub(super) fn order(&self, ask: &Ask) -> String {
        let mut order: Vec<String> = Vec::new();
        match (self, ask) {
            (Self::Lines { known, bare, .. }, Ask::Known)
                if !(known.is_empty() && bare.is_empty()) =>
            {
                // The bare name counts only where the one with the port is unknown.
                let lines = if known.is_empty() { bare } else { known };
                if !lines.authorities.is_empty() {
                    order.extend(PLAIN.iter().map(|plain| format!("{plain}{CERTIFICATE}")));
                }
                let is_known =
                    |plain: &&&str| lines.keys.iter().any(|key| key.kind == family(plain));
                order.extend(PLAIN.iter().filter(is_known).map(|s| (*s).to_owned()));
                // A key of a type that nothing here speaks: ask for anything, refuse with reason.
                if order.is_empty() {
                    order.extend(PLAIN.map(str::to_owned));
                }
            }
            (_, Ask::Except(seen)) => {
                let fresh = |plain: &&&str| !seen.iter().any(|kind| kind == family(plain));
                order.extend(PLAIN.iter().filter(fresh).map(|s| (*s).to_owned()));
            }
            _ => order.extend(PLAIN.map(str::to_owned)),
        }
        order.join(",")
    }

    /// Whether the key that the host proved to own is trusted; its plain key comes back.
    ///
    /// # Errors
    /// With the reason, each told apart.
    pub(super) fn check(&self, address: &str, blob: &[u8], now: u64) -> Result<Key, Failure> {
        let Some(shown) = Key::from_blob(blob) else {
            return Err(refusal(
                "a host key".to_owned(),
                "bytes that are no key".to_owned(),
                "whatever answers there is no SSH server that can be trusted",
            ));
        };
        match self {
            Self::Pin(pin) if shown.fingerprint() == *pin => Ok(shown),
            Self::Pin(pin) => Err(refusal(
                format!("the pinned host key {pin}"),
                told(&shown),
                "if the host was really given a new key, ask its owner for the new fingerprint and \
                 correct `host_key`; if not, somebody else is answering",
            )),
            Self::Lines {
                name,
                known,
                bare,
                files,
            } => {
                // Revoked is revoked under either name.
                judge(bare, address, &shown, now)
                    .err()
                    .filter(|refused| matches!(refused, Refused::Revoked))
                    .map_or(Ok(()), Err)
                    .and_then(|()| judge(known, address, &shown, now))
                    .or_else(|refused| match refused {
                        // OpenSSH: a port of its own that is unknown may use the host's own line.
                        Refused::Unknown => {
                            judge(bare, address, &shown, now).map_err(|_| Refused::Unknown)
                        }
                        refused => Err(refused),
                    })
                    .map_err(|refused| refused.tell(&shown, name, known, files))
            }
        }
    }
}

/// The key type that an algorithm signs for.
fn family(algorithm: &str) -> &str {
    match algorithm {
        "rsa-sha2-512" | "rsa-sha2-256" => "ssh-rsa",
        other => other,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Refused {
    Unknown,
    Changed,
    Revoked,
    Certificate(String),
}

fn judge(known: &Known, address: &str, shown: &Key, now: u64) -> Result<Key, Refused> {
    if shown.kind.ends_with(CERTIFICATE) {
        return certificate(known, address, shown, now);
    }
    if known.revoked.contains(shown) {
        return Err(Refused::Revoked);
    }
    match known.keys.contains(shown) {
        true => Ok(shown.clone()),
        false if !known.keys.is_empty() => Err(Refused::Changed),
        false if !known.authorities.is_empty() => Err(Refused::Certificate(
            "the host shows a plain key and no certificate".to_owned(),
        )),
        false => Err(Refused::Unknown),
    }
}

// libssh2 does not verify the authority's signature (libssh2 #2435): everything is checked here, by
// PROTOCOL.certkeys.
fn certificate(known: &Known, address: &str, shown: &Key, now: u64) -> Result<Key, Refused> {
    let bad = |why: String| Err(Refused::Certificate(why));
    let Ok(cert) = Certificate::from_bytes(&shown.blob) else {
        return bad("the host's certificate cannot be read".to_owned());
    };
    let plain = |data: &ssh_key::public::KeyData| {
        let bytes = PublicKey::new(data.clone(), "").to_bytes().ok()?;
        Key::from_blob(&bytes)
    };
    let (Some(inner), Some(authority)) = (plain(cert.public_key()), plain(cert.signature_key()))
    else {
        return bad("the host's certificate holds an unreadable key".to_owned());
    };
    if known.revoked.contains(&inner) || known.revoked.contains(&authority) {
        return Err(Refused::Revoked);
    }
    if known.is_empty() {
        return Err(Refused::Unknown);
    }
    if !known.authorities.contains(&authority) {
        return bad(format!(
            "its certificate is signed by {}, which no @cert-authority line names",
            authority.fingerprint()
        ));
    }
    let trusted = cert.signature_key().fingerprint(HashAlg::Sha256);
    if cert.verify_signature().is_err() {
        let mut why = format!(
            "the signature of {} does not verify",
            authority.fingerprint()
        );
        if authority.kind == "ssh-rsa" || authority.kind.ends_with("nistp521") {
            let _ = write!(why, " ({} authorities are not supported)", authority.kind);
        }
        return bad(why);
    }
    if cert.validate_at(now, [&trusted]).is_err() {
        let (after, before) = (cert.valid_after(), cert.valid_before());
        let day = |seconds: u64| {
            let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
            jiff::Timestamp::from_second(seconds).map_or("ever".to_owned(), crate::time::rfc3339)
        };
        return bad(format!(
            "its certificate is valid from {} to {} only",
            day(after),
            day(before)
        ));
    }
    if cert.cert_type() != CertType::Host {
        return bad("its certificate is a user certificate".to_owned());
    }
    let principals = cert.valid_principals();
    let lower = address.to_ascii_lowercase();
    // PROTOCOL.certkeys: no principals at all means any.
    if !principals.is_empty() && !principals.iter().any(|p| wildcard(p, &lower)) {
        return bad(format!(
            "its certificate is for {}, not for {address}",
            principals.join(", ")
        ));
    }
    if cert.critical_options().iter().next().is_some() {
        return bad(
            "its certificate carries critical options, which hosts have none of".to_owned(),
        );
    }
    Ok(inner)
}

impl Refused {
    fn tell(self, shown: &Key, name: &str, known: &Known, files: &[String]) -> Failure {
        let files = match files {
            [] => "known_hosts".to_owned(),
            files => files.join(", "),
        };
        match self {
            Self::Unknown => refusal(
                format!("`{name}` in {files}"),
                format!("no line for it; the host shows {}", told(shown)),
                &format!(
                    "ask the host's owner for its fingerprint (`ssh-keygen -lf \
                     /etc/ssh/ssh_host_*_key.pub` there), compare, then add a line `{name} {} …` \
                     (`ssh-keyscan` prints it) or `host_key: {}`",
                    shown.kind,
                    shown.fingerprint()
                ),
            ),
            Self::Changed => refusal(
                format!("the key of `{name}` in {files}: {}", list(&known.keys)),
                told(shown),
                "if the host was really given a new key, compare its fingerprint with its owner and \
                 replace the line there; if not, somebody else is answering",
            ),
            Self::Revoked => refusal(
                format!("a host key of `{name}` that is not revoked"),
                format!("{}, marked @revoked", told(shown)),
                "the host must be given a new key; do not remove the @revoked line",
            ),
            Self::Certificate(why) => refusal(
                format!(
                    "a certificate for `{name}` signed by {}",
                    list(&known.authorities)
                ),
                why,
                "have the host's certificate renewed (`ssh-keygen -h -s CA -n NAME …`), or add the \
                 authority or the plain key to known_hosts after comparing it with the owner",
            ),
        }
    }
}

fn refusal(expected: String, actual: String, hint: &str) -> Failure {
    Failure::new(FailureKind::HostKey, expected, actual).with_hint(hint)
}

fn told(key: &Key) -> String {
    format!("{} {}", text::clip(&key.kind, 60), key.fingerprint())
}

fn list(keys: &[Key]) -> String {
    match keys {
        [] => "a known authority".to_owned(),
        keys => keys.iter().map(told).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
#[path = "host_key_tests.rs"]
mod tests;
