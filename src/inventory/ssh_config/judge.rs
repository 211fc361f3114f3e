//! What libssh2 cannot follow, by keyword and value: refused where it changes the way, the login or the
//! proof of the host, noted where a login arrives all the same.

use super::resolve::{Told, Topic};
use super::values::is_yes;
use super::weigh::{Value, Weighed};

const OPENSSH: &str = "`client: openssh` follows it";

/// Tells everything about the values that count.
pub(super) fn judge(weighed: &Weighed, told: &mut Told) {
    for (name, shown, topic, instead) in [
        (
            "proxycommand",
            "ProxyCommand",
            Topic::Way,
            "write `via: [HOP]` in the inventory",
        ),
        (
            "bindaddress",
            "BindAddress",
            Topic::Always,
            "remove it where any address of this machine will do",
        ),
        (
            "bindinterface",
            "BindInterface",
            Topic::Always,
            "remove it where any interface will do",
        ),
        (
            "knownhostscommand",
            "KnownHostsCommand",
            Topic::Trust,
            "write `known_hosts` or `host_key` in the inventory",
        ),
        (
            "revokedhostkeys",
            "RevokedHostKeys",
            Topic::Trust,
            "write `known_hosts` with `@revoked` lines in the inventory",
        ),
        (
            "pkcs11provider",
            "PKCS11Provider",
            Topic::Auth,
            "write `key` or `agent` in the inventory",
        ),
        (
            "securitykeyprovider",
            "SecurityKeyProvider",
            Topic::Auth,
            "write `key` or `agent` in the inventory",
        ),
        (
            "requiredrsasize",
            "RequiredRSASize",
            Topic::Always,
            "remove it for these hosts",
        ),
        (
            "remotecommand",
            "RemoteCommand",
            Topic::Always,
            "gonogo runs its own commands: write `RemoteCommand none` for these hosts, and `elevate` in the inventory where it changed the account",
        ),
    ] {
        let said = weighed.first(name).filter(|value| !is_none(value));
        if let Some(value) = said {
            cannot(told, topic, value, shown, instead);
        }
    }
    for (name, shown, topic, instead) in [
        (
            "proxyusefdpass",
            "ProxyUseFdpass",
            Topic::Way,
            "write `via: [HOP]` in the inventory",
        ),
        (
            "gssapiauthentication",
            "GSSAPIAuthentication",
            Topic::Auth,
            "write `key` or `agent` in the inventory",
        ),
        (
            "hostbasedauthentication",
            "HostbasedAuthentication",
            Topic::Auth,
            "write `key` or `agent` in the inventory",
        ),
    ] {
        if let Some(value) = weighed.first(name).filter(|value| is_yes(value.word())) {
            cannot(told, topic, value, shown, instead);
        }
    }
    algorithms(weighed, told);
    methods(weighed, told);
    if let Some(value) = weighed.first("canonicalizehostname")
        && (is_yes(value.word()) || value.word().eq_ignore_ascii_case("always"))
    {
        let instead = "write `HostName` with the whole name for these hosts";
        cannot(told, Topic::Always, value, "CanonicalizeHostname", instead);
    }
    if let Some(value) = weighed.first("refuseconnection") {
        let message = format!(
            "`RefuseConnection {}`: ssh(1) goes there no more",
            value.words.join(" ")
        );
        told.refuse(
            Topic::Always,
            value,
            message,
            "remove the host, or the line",
        );
    }
    notes(weighed, told);
}

fn is_none(value: &Value) -> bool {
    value.word().eq_ignore_ascii_case("none")
}

fn cannot(told: &mut Told, topic: Topic, value: &Value, shown: &str, instead: &str) {
    let message = format!("`{shown} {}` cannot be followed", value.words.join(" "));
    told.refuse(topic, value, message, format!("{OPENSSH}; or {instead}"));
}

/// Algorithms: a list of its own or a shorter one changes whom one can talk to; a longer one or another
/// order only where the server is old, which the failure will say.
fn algorithms(weighed: &Weighed, told: &mut Told) {
    for (name, shown) in [
        ("ciphers", "Ciphers"),
        ("macs", "MACs"),
        ("kexalgorithms", "KexAlgorithms"),
        ("hostkeyalgorithms", "HostKeyAlgorithms"),
        ("casignaturealgorithms", "CASignatureAlgorithms"),
        ("pubkeyacceptedalgorithms", "PubkeyAcceptedAlgorithms"),
    ] {
        let Some(value) = weighed.first(name) else {
            continue;
        };
        match value.word().chars().next() {
            Some('^') => {}
            Some('+') => {
                let phrase = format!(
                    "{shown} {} is not followed: libssh2 offers its own",
                    value.word()
                );
                told.notes.push((name, value.word().to_owned(), phrase));
            }
            _ => cannot(
                told,
                Topic::Always,
                value,
                shown,
                "remove it for these hosts",
            ),
        }
    }
}

fn methods(weighed: &Weighed, told: &mut Told) {
    const KEYS: &str = "keys are not to be used";
    const INSTEAD: &str = "write how to log in in the inventory: `password_env`, `keyboard_interactive`, `key` or `agent`";
    if let Some(value) = weighed.first("preferredauthentications")
        && !value
            .word()
            .split(',')
            .any(|method| method == "publickey" || method == "any")
    {
        let message = format!("`PreferredAuthentications {}`: {KEYS}", value.word());
        told.refuse(Topic::Auth, value, message, INSTEAD);
    }
    if let Some(value) = weighed.first("pubkeyauthentication")
        && ["no", "false"]
            .iter()
            .any(|no| value.word().eq_ignore_ascii_case(no))
    {
        let message = format!("`PubkeyAuthentication {}`: {KEYS}", value.word());
        told.refuse(Topic::Auth, value, message, INSTEAD);
    }
}

/// What would weaken the proof of the host is never followed, and sockets of others' sessions are not
/// used; both are told in the plan.
fn notes(weighed: &Weighed, told: &mut Told) {
    let mut note = |name: &'static str, why: &str, tell: &dyn Fn(&str) -> bool, shown: &str| {
        let said = weighed
            .first(name)
            .filter(|value| tell(&value.word().to_ascii_lowercase()));
        if let Some(value) = said {
            let phrase = format!("{shown} {} is not followed: {why}", value.word());
            told.notes.push((name, value.word().to_owned(), phrase));
        }
    };
    const STRICT: &str = "the host key is always checked";
    let weak = |word: &str| ["no", "false", "off", "accept-new"].contains(&word);
    note(
        "stricthostkeychecking",
        STRICT,
        &weak,
        "StrictHostKeyChecking",
    );
    note(
        "nohostauthenticationforlocalhost",
        STRICT,
        &is_yes,
        "NoHostAuthenticationForLocalhost",
    );
    let dns = |word: &str| is_yes(word);
    note(
        "verifyhostkeydns",
        "a host key is known from known_hosts or a pin alone",
        &dns,
        "VerifyHostKeyDNS",
    );
    let set = |word: &str| word != "none";
    note(
        "controlpath",
        "gonogo logs in by itself",
        &set,
        "ControlPath",
    );
}
