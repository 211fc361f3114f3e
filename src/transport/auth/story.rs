//! What happened while logging in, told as one refusal. sshd gives one text for every cause (facts:
//! traps.md T15): so the story says what is known, and for each cause that fits which line of the
//! server's own log would tell it. It claims none.

use std::fmt::Write as _;

use super::certificate::Certified;
use crate::failure::{Failure, FailureKind};
use crate::text;

/// One login, as far as it got.
#[derive(Default)]
pub(super) struct Story {
    user: String,
    /// The methods that the server offers now, separated by commas.
    offered: String,
    told: Vec<String>,
    /// Type and fingerprint of the keys offered by the way that is under way.
    keys: Vec<String>,
    certificates: Vec<Certified>,
    /// The server saw a key of ours.
    pub(super) tried_key: bool,
    /// The server took an answer of ours.
    pub(super) tried_answer: bool,
    /// A first factor was accepted.
    pub(super) partial: bool,
    /// The server took an answer of ours and was not content with it.
    pub(super) refused_answer: bool,
    /// The server offers nothing that this login has, so nothing was tried.
    pub(super) unfit: bool,
    /// The server ended the connection.
    pub(super) hung_up: bool,
    /// Nobody has asked yet what the server offers.
    pub(super) unasked: bool,
}

impl Story {
    pub(super) fn new(user: &str, offered: String) -> Self {
        Self {
            user: user.to_owned(),
            offered,
            ..Self::default()
        }
    }

    /// What the server offers now; empty when it does not say.
    pub(super) fn offered(&self) -> &str {
        &self.offered
    }

    pub(super) fn now_offered(&mut self, methods: String) {
        self.offered = methods;
    }

    /// A key goes out to the server.
    pub(super) fn offers(
        &mut self,
        kind: &dyn std::fmt::Display,
        fingerprint: &dyn std::fmt::Display,
    ) {
        self.tried_key = true;
        self.keys.push(format!("{kind} {fingerprint}"));
    }

    /// A certificate goes with it.
    pub(super) fn offers_certificate(&mut self, certificate: Certified) {
        self.certificates.push(certificate);
    }

    /// How the way called `name` ended.
    pub(super) fn tell(&mut self, name: &str, ended: &str) {
        let keys = std::mem::take(&mut self.keys);
        self.told.push(match keys.is_empty() {
            true => format!("{name}: {ended}"),
            false => format!("{name} ({}): {ended}", keys.join(", ")),
        });
    }

    /// All of it, without a reason.
    pub(super) fn so_far(&self) -> String {
        self.told.join("; ")
    }

    /// True when only one thing can be said.
    pub(super) fn is_short(&self) -> bool {
        self.told.len() == 1
    }

    /// The refusal; `banner` is what the server said before.
    pub(super) fn refusal(&self, banner: Option<&str>) -> Failure {
        let mut actual = match self.told.is_empty() {
            true => "nothing to try: no key, agent, answer or password is given".to_owned(),
            false => self.so_far(),
        };
        let _ = match self.offered.as_str() {
            "" if self.unasked => Ok(()),
            "" => write!(actual, "; the server offers no method"),
            offered => write!(actual, "; the server offers {}", text::clip(offered, 200)),
        };
        for certificate in &self.certificates {
            let _ = write!(actual, "; {}", certificate.told(&self.user));
        }
        if let Some(banner) = banner.map(str::trim).filter(|banner| !banner.is_empty()) {
            let _ = write!(actual, "; its banner says \"{}\"", text::clip(banner, 300));
        }
        let expected = format!("account `{}` to be let in", self.user);
        Failure::new(FailureKind::Auth, expected, actual).with_hint(self.hint())
    }

    fn hint(&self) -> String {
        let user = &self.user;
        if self.unfit {
            return format!(
                "the server takes only {} and this login has no such way: add {} beside what it has; what a \
                 host says of `key`, `agent`, `keyboard_interactive` and `password_env` stands in place of all \
                 that its team says of them",
                text::clip(&self.offered, 200),
                keys_of(&self.offered)
            );
        }
        if self.partial && self.refused_answer && !self.hung_up {
            return format!(
                "a first factor was accepted and the answer after it was not: see that the code or password is \
                 this account's, and that no code is used twice or made by a wrong clock. PAM's own lines in the \
                 server's log (journalctl -u ssh, /var/log/auth.log or secure), beside `Failed \
                 keyboard-interactive/pam for {user}` or `Failed password for {user}`, tell a wrong answer from \
                 a locked or expired account"
            );
        }
        if self.partial && !self.hung_up {
            let offered = &self.offered;
            return format!(
                "a first factor was accepted and the server wants {offered} as well (AuthenticationMethods): \
                 add `key`, `keyboard_interactive` or `password_env` to the team, or have the account \
                 exempted from it"
            );
        }
        let causes = CAUSES.iter().filter(|cause| (cause.fits)(self));
        let causes = causes.map(|cause| {
            let [line, means] = [cause.line, cause.means].map(|text| text.replace("{user}", user));
            format!("{line} ({means})")
        });
        let mut hint = format!(
            "sshd tells the reason to its own log alone (journalctl -u ssh, /var/log/auth.log or secure); one \
             of these lines tells it: {}",
            causes.collect::<Vec<_>>().join("; ")
        );
        if self.tried_key && !self.hung_up {
            let unknown = match self.certificates.is_empty() {
                true => {
                    "the key is not in the account's authorized_keys, or the account has no home"
                }
                false => "TrustedUserCAKeys has another authority",
            };
            let _ = write!(
                hint,
                "; none of them but `Connection closed by authenticating user {user}`, with LogLevel VERBOSE \
                 `Failed publickey for {user}` before it ({unknown})"
            );
        }
        hint
    }
}

/// The inventory's keys for the methods that a server offers.
fn keys_of(offered: &str) -> String {
    let key = |method| match method {
        "publickey" => "`key` or `agent`",
        "keyboard-interactive" => "`keyboard_interactive`",
        "password" => "`password_env`",
        _ => "`client: openssh`",
    };
    let mut keys: Vec<_> = offered.split(',').map(key).collect();
    keys.dedup();
    keys.join(" or ")
}

/// What may be behind a refusal.
struct Cause {
    fits: fn(&Story) -> bool,
    /// What sshd logs; `…` is what differs.
    line: &'static str,
    means: &'static str,
}

const fn cause(fits: fn(&Story) -> bool, line: &'static str, means: &'static str) -> Cause {
    Cause { fits, line, means }
}

fn always(_: &Story) -> bool {
    true
}

fn by_key(story: &Story) -> bool {
    story.tried_key
}

fn by_answer(story: &Story) -> bool {
    story.tried_answer
}

fn by_certificate(story: &Story) -> bool {
    !story.certificates.is_empty()
}

fn as_root(story: &Story) -> bool {
    story.user == "root"
}

fn cut_off(story: &Story) -> bool {
    story.hung_up
}

/// As OpenSSH words them; tests/it/transport/refused.rs holds each against a real sshd's log.
const CAUSES: &[Cause] = &[
    cause(
        cut_off,
        "`Access denied for user {user} by PAM account configuration`",
        "beside it PAM says why, such as `pam_unix(sshd:account): account {user} has expired`, or there is \
         an /etc/nologin",
    ),
    cause(
        cut_off,
        "`maximum authentication attempts exceeded for {user}`",
        "MaxAuthTries: give the login fewer keys",
    ),
    cause(
        by_key,
        "`Authentication refused: bad ownership or modes for`",
        "StrictModes: nobody else may write the home, .ssh or authorized_keys",
    ),
    cause(
        by_key,
        "`Authentication tried for {user} with correct key but not from a permitted host`",
        "`from=` in authorized_keys",
    ),
    cause(
        by_key,
        "`Refused by key options`",
        "`from=`, or an `expiry-time=` that has passed",
    ),
    cause(
        by_certificate,
        "`Certificate invalid: name is not a listed principal` or `Certificate does not contain an \
         authorized principal`",
        "the certificate names other accounts",
    ),
    cause(
        by_certificate,
        "`Authentication tried for {user} with valid certificate but not from a permitted source address`",
        "source-address",
    ),
    cause(
        by_certificate,
        "`Certificate invalid: expired` or `Certificate invalid: not yet valid`",
        "the server's clock",
    ),
    cause(
        by_answer,
        "`Failed password for {user}`, `Failed keyboard-interactive/pam for {user}` or `PAM: \
         Authentication failure for {user}`",
        "a wrong answer, or a locked or expired account: PAM's own lines beside it tell",
    ),
    cause(as_root, "`ROOT LOGIN REFUSED FROM`", "PermitRootLogin"),
    cause(always, "`Invalid user {user}`", "no such account"),
    cause(always, "`Account {user} has expired`", "chage -l"),
    cause(
        always,
        "`User {user} … not allowed because`, then `account is locked`, `not listed in AllowUsers`, \
         `listed in DenyUsers`, `none of user's groups are listed in AllowGroups`, `a group is listed in \
         DenyGroups` or `shell … does not exist`",
        "passwd -S, sshd_config, id",
    ),
];
