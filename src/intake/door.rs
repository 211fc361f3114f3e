//! The way to an SFTP drop: name, TCP, the pinned host key, one login. Of a server with several host keys each
//! type is asked for, since a pin names none.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::mpsc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ssh2::{HashType, MethodType, Session};

use super::{Deadline, Refused, secret};
use crate::inventory::{DropLogin, IntakeTo};
use crate::text;

/// What one answer may take.
const PATIENCE: Duration = Duration::from_secs(15);
const ANY: &str = "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256";

/// Logs in.
pub(super) fn enter(to: &IntakeTo, deadline: Deadline) -> Result<Session, Refused> {
    let IntakeTo::Sftp {
        host,
        port,
        user,
        host_key,
        login,
        ..
    } = to
    else {
        return Err(Refused::fault("no SFTP drop"));
    };
    let pin = host_key.as_deref().ok_or_else(unpinned)?;
    let at = text::endpoint(host, *port);
    let addresses = resolve(host, *port, deadline)?;
    let session = met(&addresses, &at, pin, deadline)?;
    session.set_timeout(milliseconds(deadline.left()?.min(PATIENCE)));
    let refused = |why: String| {
        Refused::new(
            format!("{at} lets `{user}` not in: {why}"),
            "see with the vendor which key or password it knows of this account",
        )
    };
    let tried = match login {
        None => return Err(no_login()),
        Some(DropLogin::Key {
            path,
            passphrase_env,
        }) => {
            let passphrase = passphrase_env.as_deref();
            let passphrase = passphrase
                .map(|name| secret(name, "passphrase"))
                .transpose()?;
            let passphrase = passphrase.as_ref().map(|phrase| phrase.as_str());
            session.userauth_pubkey_file(user, None, path, passphrase)
        }
        Some(DropLogin::Agent) => session.userauth_agent(user),
        Some(DropLogin::Password { env }) => {
            let password = secret(env, "password")?;
            session.userauth_password(user, &password)
        }
    };
    tried.map_err(|error| refused(text::escape(error.message()).into_owned()))?;
    match session.authenticated() {
        true => Ok(session),
        false => Err(refused("it wants more than one proof".to_owned())),
    }
}

/// Without a pin nobody knows who it is.
#[must_use]
pub fn unpinned() -> Refused {
    Refused::new(
        "the intake's host key is not pinned: evidence could go to anybody",
        "ask the vendor for its fingerprint and write `host_key: \"SHA256:…\"`",
    )
}

/// Without a login nobody gets in.
#[must_use]
pub fn no_login() -> Refused {
    Refused::new(
        "the intake says no way to log in",
        "write `key: FILE`, `agent: true` or `password_env: NAME`",
    )
}

/// `getaddrinfo` has no timeout of its own.
pub(super) fn resolve(
    host: &str,
    port: u16,
    deadline: Deadline,
) -> Result<Vec<SocketAddr>, Refused> {
    let (tell, told) = mpsc::channel();
    let name = host.to_owned();
    std::thread::spawn(move || {
        let found = (name.as_str(), port).to_socket_addrs();
        let _ = tell.send(found.map(Iterator::collect::<Vec<_>>));
    });
    let hint = "correct `host` of the intake, or look at the resolver here";
    let found = told.recv_timeout(deadline.left()?.min(PATIENCE));
    match found {
        Ok(Ok(found)) if !found.is_empty() => Ok(found),
        Ok(Ok(_)) => Err(Refused::new(format!("`{host}` has no address"), hint)),
        Ok(Err(error)) => Err(Refused::new(
            format!("`{host}` does not resolve: {error}"),
            hint,
        )),
        Err(_) => Err(Refused::new(
            format!("`{host}` was not resolved in time"),
            hint,
        )),
    }
}

pub(super) fn dial(
    addresses: &[SocketAddr],
    at: &str,
    deadline: Deadline,
) -> Result<TcpStream, Refused> {
    let mut last = String::new();
    for address in addresses {
        match TcpStream::connect_timeout(address, deadline.left()?.min(PATIENCE)) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error.to_string(),
        }
    }
    let hint =
        "see whether the way out is open from here (firewall, proxy), and `host` and `port` right";
    Err(Refused::new(
        format!("{at} cannot be reached: {last}"),
        hint,
    ))
}

/// A connection to the server that the pin means.
fn met(
    addresses: &[SocketAddr],
    at: &str,
    pin: &str,
    deadline: Deadline,
) -> Result<Session, Refused> {
    let mut seen: Vec<String> = Vec::new();
    for order in std::iter::once(ANY).chain(ANY.split(',')) {
        let ours = |error: ssh2::Error| Refused::fault(format!("libssh2: {error}"));
        let mut session = Session::new().map_err(ours)?;
        session
            .method_pref(MethodType::HostKey, order)
            .map_err(ours)?;
        session.set_tcp_stream(dial(addresses, at, deadline)?);
        session.set_timeout(milliseconds(deadline.left()?.min(PATIENCE)));
        if let Err(error) = session.handshake() {
            if order == ANY {
                let why = format!("{at} does not speak SSH with us: {}", error.message());
                let hint = "see what listens there: the port may be that of something else";
                return Err(Refused::new(text::escape(&why), hint));
            }
            // It has no key of that type.
            continue;
        }
        let hash = session.host_key_hash(HashType::Sha256);
        let hash = hash.map(|hash| format!("SHA256:{}", STANDARD_NO_PAD.encode(hash)));
        let hash = hash.unwrap_or_default();
        if hash == pin {
            return Ok(session);
        }
        if !seen.contains(&hash) {
            seen.push(hash);
        }
    }
    Err(Refused::new(
        format!(
            "{at} is not the intake that is meant: its host key is {}, not {pin}",
            seen.join(" or ")
        ),
        "ask the vendor by another way whether its key was changed; nothing was sent",
    ))
}

pub(super) fn milliseconds(time: Duration) -> u32 {
    // Zero would mean for ever.
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX).max(1)
}
