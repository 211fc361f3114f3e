//! Why no connection came about, from the log of each host of the chain: who refused, and what it means.
//! The words are those of `ssh` itself, in its own log. Claims no cause that sshd does not tell.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ssh_key::PrivateKey;

use super::askpass;
use super::config::{self, chain};
use super::log::Log;
use super::place::Place;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{AgentKey, Auth, Login};
use crate::text;
use crate::time::say;
use crate::transport::actor::Deadline;
use crate::transport::hops::refusal;
use crate::transport::host_key::Trust;

/// Why not, and whether another try could tell more.
pub(super) struct Refused {
    pub(super) failure: Failure,
    /// The place in the chain that it came from.
    pub(super) at: usize,
    /// The server hung up before the handshake: it may have been busy.
    pub(super) is_busy: bool,
}

/// What the logs tell of a connection that did not come about. `stderr` is what banners, jump hosts and
/// proxies said; `late` the deadline, when that ended it.
pub(super) fn refused(
    place: &Place,
    login: &Login,
    stderr: &str,
    late: Option<&Deadline>,
) -> Refused {
    let chain: Vec<&Login> = chain(login).collect();
    let logs: Vec<Log> = (0..chain.len())
        .map(|at| Log::read(&place.said(&place.text(&config::log(at)))))
        .collect();
    // Nearest first: the one that let nobody in, unless the hop before it found no way.
    let at = logs.iter().position(|log| !log.is_in);
    let at = at.unwrap_or(chain.len() - 1);
    let (here, log) = (chain[at], &logs[at]);
    if let Some(hop) = at.checked_sub(1)
        && let Some(failure) = no_way(chain[hop], here, &logs[hop], log.is_silent(late.is_some()))
    {
        return of(failure, hop, chain[hop]);
    }
    let stderr = match at + 1 == chain.len() {
        true => place.said(stderr),
        false => String::new(),
    };
    let mut is_busy = false;
    let seen = place.text(&config::seen(at));
    let failure = host_key(here, log, &seen)
        .or_else(|| unanswered(&askpass::unanswered(place, at)))
        .or_else(|| refused_login(here, log))
        .or_else(|| late.map(|deadline| slow(here, log, deadline)))
        .or_else(|| no_route(here, log))
        .or_else(|| no_algorithm(log))
        .unwrap_or_else(|| {
            if log.word_with("timed out").is_some() {
                return slow(here, log, &Deadline::after(here.connect_timeout));
            }
            is_busy = log.is_connected && log.greeting.host_key.is_empty();
            hung_up(log, &stderr)
        });
    let failure = failure.with_subject_if_none(&endpoint(here));
    Refused {
        is_busy,
        ..of(failure, at, here)
    }
}

fn of(failure: Failure, at: usize, login: &Login) -> Refused {
    Refused {
        failure: failure.with_login(&login.host, &login.user),
        at,
        is_busy: false,
    }
}

fn endpoint(login: &Login) -> String {
    match &login.ssh_config {
        Some(config) => config.alias.clone(),
        None => text::endpoint(&login.address, login.port),
    }
}

/// `words` of `ssh`, as a message quotes them.
pub(super) fn quoted<S: AsRef<str>>(words: &[S]) -> String {
    let words: Vec<&str> = words
        .iter()
        .map(|word| word.as_ref().trim())
        .filter(|word| !word.is_empty())
        .collect();
    match words.is_empty() {
        true => "`ssh` said nothing".to_owned(),
        false => format!("ssh: \"{}\"", text::clip(&words.join("; "), 400)),
    }
}

/// The hop let us in, and gave no way to the next host.
fn no_way(hop: &Login, next: &Login, log: &Log, is_silent: bool) -> Option<Failure> {
    if let Some(word) = log.word_with("open failed: ") {
        return Some(refusal::worded(hop, next, word, quoted(&[word])));
    }
    (is_silent && log.is_in && !log.is_forwarded)
        .then(|| refusal::late(hop, next, &say(next.connect_timeout)))
}

fn host_key(login: &Login, log: &Log, seen: &str) -> Option<Failure> {
    let is_refused = log.words.iter().any(|word| {
        word.contains("Host key verification failed")
            || word.contains("host key is known for")
            || word.contains("HOST IDENTIFICATION HAS CHANGED")
            || word.contains("REVOKED HOST KEY")
            || word.starts_with("Certificate invalid")
    });
    if !is_refused || log.is_proven() {
        return None;
    }
    // What the other client would say of the same key; older releases do not tell it.
    if let Some(failure) = judged(login, seen) {
        return Some(failure);
    }
    let greeting = &log.greeting;
    let shown = text::clip(&greeting.host_key_type, 60);
    let words: Vec<&str> = log
        .words
        .iter()
        .map(|word| word.trim_matches('@'))
        .collect();
    Some(
        Failure::new(
            FailureKind::HostKey,
            "a host key that is known and not revoked",
            format!("{shown} {}; {}", greeting.host_key, quoted(&words)),
        )
        .with_hint(
            "ask the host's owner for its fingerprint (`ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub` there) \
             and compare; a new host's line is missing in known_hosts, another's key means that somebody \
             else is answering",
        ),
    )
}

/// The refusal of the first key that was shown, by the inventory's own word.
fn judged(login: &Login, seen: &str) -> Option<Failure> {
    let blob = seen.lines().next()?.split(' ').nth(1)?;
    let blob = STANDARD.decode(blob).ok()?;
    let trust = Trust::of(login).ok()?;
    let now = u64::try_from(crate::time::now().as_second()).unwrap_or(0);
    trust.check(&login.address, &blob, now).err()
}

/// `ssh` was ended before it answered with nothing, which a server would count.
fn unanswered(question: &str) -> Option<Failure> {
    (!question.is_empty()).then(|| {
        let question = text::clip(question.trim(), 200);
        Failure::new(
            FailureKind::Auth,
            "a password, asked for once",
            format!("a question that the password does not answer, or did not: \"{question}\""),
        )
        .with_hint(
            "nothing was answered to it: the password is wrong, or has expired, or the server wants a second \
             factor; log in by hand (`ssh`) and see what is asked",
        )
    })
}

fn refused_login(login: &Login, log: &Log) -> Option<Failure> {
    let denied = log
        .word_with("Permission denied (")
        .or_else(|| log.word_with("Too many authentication failures"))
        .or_else(|| log.word_with("No more authentication methods"))
        // sshd hangs up on an account that it will not talk to.
        .or_else(|| log.offered.is_some().then_some("the server hung up"))?;
    let mut tried: Vec<String> = login.auth.iter().map(describe).collect();
    if tried.is_empty() {
        tried.push("what the installed `ssh` finds by itself".to_owned());
    }
    let mut own: Vec<String> = log
        .words
        .iter()
        .filter(|word| is_about_key(word))
        .map(|word| format!("ssh: \"{}\"", text::clip(word.trim(), 200)))
        .collect();
    own.extend(login.auth.iter().filter_map(locked));
    let user = &login.user;
    let offered = log.offered.as_deref().unwrap_or("no method");
    let mut actual = format!(
        "tried {}; {}; the server offers {}",
        tried.join(", "),
        quoted(&[denied]),
        text::clip(offered, 200)
    );
    if !own.is_empty() {
        actual = format!("{}; {actual}", own.join("; "));
    }
    let hint = if !own.is_empty() {
        "`ssh` could not use a key of its own: correct its path, its mode (`chmod 600`), its certificate or \
         its `passphrase_env`"
            .to_owned()
    } else if log.is_partial {
        format!(
            "a first factor was accepted and the server wants {offered} as well: let a person open a control \
             socket, or have the account exempted from it"
        )
    } else {
        format!(
            "sshd does not say why. It may be: the key is not in the account's authorized_keys; no such \
             account, or it is locked or expired; AllowUsers, DenyUsers or AllowGroups; `from=`; the mode of \
             ~{user} or ~{user}/.ssh; a wrong password; no Kerberos ticket (`klist`). In the server's log \
             (journalctl -u ssh) look for `Failed publickey for {user}`, `Authentication refused: bad \
             ownership`, `User {user} … not allowed`, `Access denied for user {user} by PAM`"
        )
    };
    Some(
        Failure::new(
            FailureKind::Auth,
            format!("account `{user}` to be let in"),
            actual,
        )
        .with_hint(hint),
    )
}

/// `ssh` goes on without a word when a key stays locked: whether that was it.
fn locked(way: &Auth) -> Option<String> {
    let Auth::Key {
        path,
        passphrase_env,
        ..
    } = way
    else {
        return None;
    };
    let key = PrivateKey::from_openssh(std::fs::read(path).ok()?).ok()?;
    if !key.is_encrypted() {
        return None;
    }
    let path = path.display();
    let Some(env) = passphrase_env else {
        return Some(format!("{path} is encrypted and no passphrase is given"));
    };
    let passphrase = std::env::var(env).ok()?;
    let opened = key.decrypt(passphrase);
    opened
        .is_err()
        .then(|| format!("the value of ${env} does not open {path}"))
}

fn is_about_key(word: &str) -> bool {
    word.starts_with("Load key ")
        || word.starts_with("Load certificate ")
        || word.contains("UNPROTECTED PRIVATE KEY")
        || word.starts_with("Permissions 0")
        || word.starts_with("sign_and_send_pubkey: ")
        || word.starts_with("get_agent_identities: ")
}

fn describe(way: &Auth) -> String {
    match way {
        Auth::Key { path, .. } => format!("key {}", path.display()),
        Auth::Agent(AgentKey::Any) => "agent".to_owned(),
        Auth::Agent(AgentKey::Fingerprint(print)) => format!("agent, key {print}"),
        Auth::Agent(AgentKey::File(path)) => format!("agent, key {}", path.display()),
        Auth::KeyboardInteractive { .. } => "keyboard-interactive".to_owned(),
        Auth::Password { env } => format!("password of ${env}"),
    }
}

fn slow(login: &Login, log: &Log, deadline: &Deadline) -> Failure {
    if log.is_proven() {
        return crate::transport::classify::late("authentication", deadline);
    }
    let (actual, hint) = match log.is_connected || log.has_proxy {
        true => (
            "a connection, but no handshake came about",
            "look whether sshd hangs there, whether something else listens on the port, or whether the \
             ProxyCommand of ssh_config waits for something",
        ),
        false => (
            "no answer",
            "a firewall may drop the packets, or the host is down; look at route and rules",
        ),
    };
    Failure::new(
        FailureKind::Unreachable,
        format!("an SSH handshake within {}", say(login.connect_timeout)),
        actual,
    )
    .with_hint(hint)
}

fn no_route(login: &Login, log: &Log) -> Option<Failure> {
    let target = endpoint(login);
    let fail = |actual: &str, hint: &str| {
        let expected = format!("a connection to {target}");
        Some(Failure::new(FailureKind::Unreachable, expected, actual).with_hint(hint))
    };
    if let Some(word) = log.word_with("Could not resolve hostname") {
        let hint = "correct `address`, or look at the runner's resolver (/etc/resolv.conf)";
        return fail(
            &format!("the name does not resolve: {}", quoted(&[word])),
            hint,
        );
    }
    let word = log
        .words
        .iter()
        .find(|word| word.starts_with("ssh: connect to "))?;
    let hint = if word.contains("refused") {
        "nothing listens there: look whether sshd runs, on which port and address"
    } else if word.contains("timed out") {
        "a firewall may drop the packets, or the host is down; look at route and rules"
    } else if word.contains("route") || word.contains("unreachable") {
        "there is no route from this runner: look at VPN, routes and `via`"
    } else {
        "look at route and firewall between this runner and the host"
    };
    fail(&quoted(&[word]), hint)
}

fn no_algorithm(log: &Log) -> Option<Failure> {
    let word = log.word_with("no matching ")?;
    let kind = word.split("no matching ").nth(1)?;
    let (kind, theirs) = kind.split_once(" found. Their offer: ")?;
    let option = match kind {
        "key exchange method" => "KexAlgorithms",
        "host key type" => "HostKeyAlgorithms",
        "cipher" => "Ciphers",
        "MAC" => "MACs",
        _ => "KexAlgorithms, HostKeyAlgorithms, Ciphers or MACs",
    };
    Some(
        Failure::new(
            FailureKind::Unreachable,
            format!("a {kind} that both sides know"),
            format!("the server offers {} only", text::clip(theirs.trim(), 300)),
        )
        .with_hint(format!(
            "have its sshd updated; until then allow what it offers in a file that `ssh_config` names: \
             `{option} +NAME` below its `Host` (`ssh -G HOST` shows what this runner offers)"
        )),
    )
}

fn hung_up(log: &Log, stderr: &str) -> Failure {
    let mut words: Vec<&str> = log.words.iter().map(String::as_str).collect();
    if let Some(word) = words.iter().find(|word| is_bad_config(word)) {
        return Failure::new(
            FailureKind::Undefined,
            "an ssh_config that `ssh` can read",
            quoted(&[word]),
        )
        .with_hint("correct the file that `ssh_config` names; `ssh -F FILE -G HOST` checks it");
    }
    let last = stderr.lines().rev().take(3).collect::<Vec<_>>();
    words.extend(last.iter().rev());
    let hint = match log.has_proxy {
        true => {
            "what stands between (ProxyCommand or ProxyJump of ssh_config) did not come through: run it by \
             hand, as the account that runs gonogo"
        }
        false => {
            "something answers on the port and hangs up: not an SSH server, too many logins at once \
             (MaxStartups), or this runner is being penalised (PerSourcePenalties, fail2ban)"
        }
    };
    Failure::new(FailureKind::Unreachable, "an SSH handshake", quoted(&words)).with_hint(hint)
}

fn is_bad_config(word: &str) -> bool {
    word.contains("Bad configuration option")
        || word.contains("terminating, ")
        || word.contains("Bad owner or permissions")
}
