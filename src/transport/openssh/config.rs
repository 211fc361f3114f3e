//! What the installed `ssh` is told, in a file for each host of the chain: which keys, which hosts to
//! trust, and everything that could weaken a check or leave something behind turned off. The operator's
//! own `ssh_config` comes after it: of each setting the first value counts (ssh_config(5)).

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use super::askpass::Secrets;
use super::place::Place;
use super::version::Version;
use super::{askpass, auth, ours};
use crate::failure::{Failure, FailureKind};
use crate::inventory::Login;
use crate::transport::host_key::{Ask, Trust};

/// Holds for every host that `ssh` comes by, jump hosts of the operator's own file included. Strict,
/// unattended, and nothing asked, forwarded, added or kept.
const STRICT: &str = "
Host *
  StrictHostKeyChecking yes
  NoHostAuthenticationForLocalhost no
  VerifyHostKeyDNS no
  CheckHostIP no
  UpdateHostKeys no
  FingerprintHash sha256
  VisualHostKey no
  PermitLocalCommand no
  ClearAllForwardings yes
  ForwardAgent no
  ForwardX11 no
  Tunnel no
  RequestTTY no
  EscapeChar none
  ControlPersist no
  AddKeysToAgent no
  NumberOfPasswordPrompts 1
  ConnectionAttempts 1
  BatchMode yes
";

/// The same for what came later: an unknown keyword is an error, and to ignore some would take that
/// word from the operator's own file.
const STRICT_SINCE: [(u32, u32, &str); 2] = [
    (7, 6, "  RemoteCommand none\n"),
    (
        8,
        7,
        "  SessionType default\n  StdinNull no\n  ForkAfterAuthentication no\n",
    ),
];

/// The hosts on the way, nearest first, and the one at its end.
pub(super) fn chain(login: &Login) -> impl Iterator<Item = &Login> {
    login.via.iter().chain([login])
}

/// What `ssh` is called with: the address, or the alias of the operator's own file.
pub(super) fn typed(login: &Login) -> &str {
    let config = login.ssh_config.as_ref();
    config.map_or(&login.address, |config| &config.alias)
}

/// Name of the file for the host at that place of the chain.
pub(super) fn name(at: usize) -> String {
    format!("config_{at}")
}

/// Name of the log of that host's connection.
pub(super) fn log(at: usize) -> String {
    format!("log_{at}")
}

/// Name of the file in which the keys that a host shows are noted: type and blob, one a line.
pub(super) fn seen(at: usize) -> String {
    format!("seen_{at}")
}

/// Writes the file of each host of the chain; what has to be in the environment comes back.
pub(super) fn write(
    place: &mut Place,
    login: &Login,
    version: &Version,
    asks: &[Ask],
) -> Result<Vec<(String, String)>, Failure> {
    let mut secrets = Secrets::default();
    let mut whole = Duration::ZERO;
    let chain: Vec<&Login> = chain(login).collect();
    for (at, here) in chain.iter().enumerate() {
        whole += here.connect_timeout;
        let step = Step {
            at,
            login: here,
            before: at.checked_sub(1).map(|hop| (hop, chain[hop])),
            ask: asks.get(at).cloned().unwrap_or_default(),
            whole,
            is_hop: at + 1 < chain.len(),
        };
        let text = file(place, version, &step, &mut secrets)
            .map_err(|failure| failure.with_login(&here.host, &here.user))?;
        let written = place.write(&name(at), &text, 0o600);
        written.map_err(|error| ours(&error))?;
    }
    askpass::write(place, &secrets, version)
}

/// One host of a chain.
struct Step<'a> {
    at: usize,
    login: &'a Login,
    /// The hop before it, with its place.
    before: Option<(usize, &'a Login)>,
    ask: Ask,
    /// What the way to it may take in all.
    whole: Duration,
    is_hop: bool,
}

fn file(
    place: &mut Place,
    version: &Version,
    step: &Step<'_>,
    secrets: &mut Secrets,
) -> Result<String, Failure> {
    let (at, login) = (step.at, step.login);
    let mut text = format!("Host {}\n  User {}\n", typed(login), login.user);
    let mut say = |line: String| {
        let _ = writeln!(text, "  {line}");
    };
    // With a file of the operator's the port may be its business.
    if login.ssh_config.is_none() || login.port != 22 {
        say(format!("Port {}", login.port));
    }
    // Only the second level tells that a hop has found its way.
    let level = if step.is_hop { 2 } else { 1 };
    say(format!("LogLevel DEBUG{level}"));
    // Behind a hop the clock starts before the hop is there.
    say(format!("ConnectTimeout {}", step.whole.as_secs().max(1)));
    for line in trust(place, version, at, login, &step.ask)? {
        say(line);
    }
    for line in auth::lines(place, at, login, secrets)? {
        say(line);
    }
    match step.before {
        Some((hop, login)) => say(format!(
            "ProxyCommand ssh -F {} -E {} -W [%h]:%p {}",
            place.path(&name(hop)),
            place.path(&log(hop)),
            typed(login)
        )),
        None if login.ssh_config.is_none() => say("ProxyCommand none".into()),
        None => {}
    }
    // `ssh` does not ask as long as it may not, and must be able to where a secret is given: for this
    // host, and for no jump host of the operator's own file.
    if login.auth.iter().any(askpass::needs) {
        say("BatchMode no".into());
    }
    text.push_str(STRICT);
    let since = STRICT_SINCE.iter();
    text.extend(
        since
            .filter(|(major, minor, _)| version.has(*major, *minor))
            .map(|(.., lines)| *lines),
    );
    if let Some(config) = &login.ssh_config {
        let file = readable(place, &format!("ssh_config_{at}"), &config.path)?;
        // As `ssh` itself does after a person's own file.
        let _ = writeln!(text, "Include {file}\nInclude /etc/ssh/ssh_config");
    }
    if login.auth.is_empty() {
        let _ = writeln!(text, "Host *\n  GSSAPIAuthentication yes");
    }
    Ok(text)
}

/// A file of the inventory, under a name that needs no quoting.
pub(super) fn readable(place: &mut Place, name: &str, file: &Path) -> Result<String, Failure> {
    match std::fs::File::open(file) {
        Ok(_) => place.link(name, file).map_err(|error| ours(&error)),
        Err(error) => Err(Failure::new(
            FailureKind::Auth,
            "a file that can be read",
            format!("{}: {error}", file.display()),
        )
        .with_hint(
            "correct the path in the inventory (it is relative to the inventory), or the file's mode",
        )),
    }
}

/// Who may answer there. Without any word of the inventory it is the operator's file that says it.
fn trust(
    place: &mut Place,
    version: &Version,
    at: usize,
    login: &Login,
    ask: &Ask,
) -> Result<Vec<String>, Failure> {
    let trust = Trust::of(login)?;
    if login.host_key.is_none() && login.known_hosts.is_empty() && login.ssh_config.is_some() {
        return Ok(Vec::new());
    }
    let mut lines = vec!["GlobalKnownHostsFile /dev/null".to_owned()];
    let mut files = Vec::new();
    let mut check = format!(
        "[ \"$1\" = NONE ] && exit 0\nprintf '%s %s\\n' \"$3\" \"$4\" >>{}\n",
        place.path(&seen(at))
    );
    if let Trust::Pin(pin) = &trust {
        if !version.has(8, 5) {
            return Err(version.too_old("`host_key` with `client: openssh`", "8.5"));
        }
        let _ = writeln!(
            check,
            "[ \"$1\" = '{pin}' ] && printf '%s %s %s\\n' \"$2\" \"$3\" \"$4\""
        );
        // The operator's file may allow more types; only another try has to say which.
        if login.ssh_config.is_none() || *ask != Ask::Known {
            lines.push(format!("HostKeyAlgorithms {}", trust.order(ask)));
        }
    } else {
        for (index, file) in login.known_hosts.iter().enumerate() {
            let name = format!("known_{at}_{index}");
            files.push(place.link(&name, file).map_err(|error| ours(&error))?);
        }
    }
    if files.is_empty() {
        files.push("/dev/null".into());
    }
    lines.push(format!("UserKnownHostsFile {}", files.join(" ")));
    if version.has(8, 5) {
        check.push_str("exit 0\n");
        let name = format!("check_{at}");
        let written = place.write(&name, &check, 0o600);
        written.map_err(|error| ours(&error))?;
        let check = place.path(&name);
        // Split into words before the tokens are filled in (ssh_config(5)): no quoting to break.
        lines.push(format!("KnownHostsCommand /bin/sh {check} %f %H %t %K"));
    }
    Ok(lines)
}

/// What the clients of the control socket `name` are told: that, and never to connect by themselves.
pub(super) fn client(place: &Place, name: &str) -> String {
    format!(
        "ControlPath {}\nControlMaster no\nProxyCommand false\nBatchMode yes\nRequestTTY no\n\
         ForwardAgent no\nForwardX11 no\nEscapeChar none\nLogLevel ERROR\n",
        place.path(name)
    )
}
