//! Where things are: addresses with a scheme, paths, mail, accounts of a machine, and what is asked of a server.

use super::line::{Line, known_at};
use super::literals::is_odd;
use super::shape;
use super::vocabulary::is_few;

/// Directories whose children are called like people.
const HOMES: &[&str] = &[
    "home",
    "users",
    "export",
    "profiles",
    "accounts",
    "customers",
];

/// Ends of files, by which a name in a directory of secrets is the name of a file.
const FILES: &[&str] = &[
    "pem",
    "key",
    "crt",
    "cer",
    "p12",
    "jks",
    "conf",
    "cfg",
    "xml",
    "json",
    "yml",
    "yaml",
    "txt",
    "log",
    "gz",
    "db",
    "sh",
    "py",
    "so",
    "jar",
    "ini",
    "properties",
    "html",
    "htm",
    "js",
    "css",
    "php",
];

/// What hands its secret over as the next part of a path: `/reset/token/V`.
const HANDING: &[&str] = &[
    "token",
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "secret",
    "apikey",
    "otp",
    "bearer",
];

/// What is asked of a server about those.
const ROUTES: &[&str] = &[
    "create",
    "delete",
    "edit",
    "forgot",
    "forgotten",
    "generate",
    "info",
    "introspect",
    "issue",
    "key",
    "list",
    "logout",
    "new",
    "password",
    "recover",
    "recovery",
    "refresh",
    "renew",
    "request",
    "reset",
    "revoke",
    "rotate",
    "s",
    "second",
    "secret",
    "sec",
    "session",
    "show",
    "token",
    "update",
    "validate",
    "verify",
];

/// Stands for what was asked of a server.
const ASKED: &str = "[redacted]";

impl Line<'_> {
    /// An address with a scheme, or an account with its password; `None` when it is neither.
    pub fn place(&mut self, at: usize, end: usize, to: usize) -> Option<usize> {
        let chunk = &self.text[at..end];
        let is_reached = chunk.contains(':') && chunk.contains("://")
            || chunk.ends_with(':') && self.text[end..].starts_with("//");
        let rest = &self.text[at..to];
        let ends = |c: char| c.is_whitespace() || "\"'<>`".contains(c);
        if is_reached {
            let field = &rest[..rest.find(ends).unwrap_or(rest.len())];
            if let Some((scheme, behind)) = field.split_once("://")
                && !scheme.is_empty()
                && scheme
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"+.-:".contains(&byte))
            {
                return Some(self.address_of(at, scheme, behind));
            }
        }
        if self.has_at && rest.contains('@') {
            let field = &rest[..rest
                .find(|c: char| ends(c) || "[]{}".contains(c))
                .unwrap_or(rest.len())];
            if let Some((account, _)) = field.rsplit_once('@')
                && is_account(account)
            {
                self.secret(account);
                self.out.push('@');
                let was = self.forced.replace("host");
                let from = at + account.len() + 1;
                let chunk = self.text[from..to]
                    .find(|c: char| ends(c) || super::line::is_mark(c))
                    .map_or(to, |end| from + end);
                // `@tcp(db7:3306)`: how, not where.
                if self.text[chunk..].starts_with('(') {
                    self.forced = was;
                }
                self.pieces(from, chunk);
                return Some(chunk);
            }
        }
        None
    }

    fn address_of(&mut self, at: usize, scheme: &str, behind: &str) -> usize {
        let mut from = at + scheme.len() + 3;
        for part in scheme.split_inclusive([':', '+']) {
            let word = part.trim_end_matches([':', '+']);
            match self.engine.words.is_harmless(word) || is_few(word) {
                true => self.out.push_str(part),
                false => {
                    self.name("name", word);
                    self.out.push_str(&part[word.len()..]);
                }
            }
        }
        self.out.push_str("://");
        let mut rest = behind;
        if let Some((account, place)) = rest.rsplit_once('@') {
            match super::value::is_nothing(account) {
                true => self.out.push_str(account),
                false => self.secret(account),
            }
            self.out.push('@');
            from += account.len() + 1;
            rest = place;
        }
        let end = rest
            .find(|c: char| "/?#,;)}|&=\\".contains(c))
            .unwrap_or(rest.len());
        let host = &rest[..end];
        self.host(host);
        let mut at = from + end;
        let rest = &rest[end..];
        if rest.starts_with('/') {
            let end = rest
                .find(|c: char| c == '?' || super::line::is_mark(c) || known_at(c).is_some())
                .unwrap_or(rest.len());
            let (path, tail) = rest[..end].split_at(rest[..end].trim_end_matches(['.', ':']).len());
            self.forced = None;
            self.path(path);
            if !rest[end..].starts_with('=') {
                self.pending = None;
            }
            self.out.push_str(tail);
            at += end;
        }
        self.before = at.saturating_sub(1)..at;
        at
    }

    /// The host of an address, with its port.
    fn host(&mut self, host: &str) {
        self.forced = None;
        let bracketed = host.starts_with('[') && host.contains(']');
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !bracketed && port.bytes().all(|byte| byte.is_ascii_digit()) => {
                (name, Some(port))
            }
            _ => (host, None),
        };
        let stays = name.is_empty()
            || ["localhost", "*", "_", "unix", "."].contains(&name.to_ascii_lowercase().as_str())
            || name.starts_with('$')
                && name[1..]
                    .bytes()
                    .all(|byte| byte.is_ascii_alphabetic() || b"_{}".contains(&byte));
        if stays {
            self.out.push_str(name);
        } else if name.chars().count() == 1 && name.chars().next().and_then(known_at).is_some() {
            let number = name.chars().next().and_then(known_at).unwrap_or_default();
            let token = self
                .known
                .get(number)
                .map(|(_, token)| token.clone())
                .unwrap_or_default();
            self.count("known");
            self.out.push_str(&token);
        } else if !self.address(name) {
            self.name("host", &name.to_ascii_lowercase());
        }
        if let Some(port) = port {
            self.out.push(':');
            match port.len() <= 5 {
                true => self.out.push_str(port),
                false => self.secret(port),
            }
        }
    }

    /// Directories and a file. One of Windows, or `DOMAIN\user`.
    pub fn path(&mut self, path: &str) {
        let slashed = path.contains('/');
        let names: Vec<&str> = path.split('\\').filter(|part| !part.is_empty()).collect();
        if !slashed
            && names.len() == 2
            && !path.starts_with('\\')
            && !self.out.ends_with(':')
            && !is_escape(names[1])
        {
            for (at, part) in path.split_inclusive('\\').enumerate() {
                let name = part.trim_end_matches('\\');
                if !name.is_empty() {
                    self.forced_name(if at == 0 { "host" } else { "user" }, name);
                }
                self.out.push_str(&part[name.len()..]);
            }
            return;
        }
        let mut is_home = self.forced.take().is_some();
        let mut is_share = path.starts_with("\\\\");
        let (mut after, mut is_code, mut is_handed) = (false, false, false);
        for part in path.split_inclusive(['/', '\\']) {
            let name = part.trim_end_matches(['/', '\\']);
            let divider = &part[name.len()..];
            let name = match name.split_at_checked(1) {
                // `\n`, `\t` in a text that was written as a string.
                Some((one, rest))
                    if self.out.ends_with('\\')
                        && "nrt0".contains(one)
                        && !self.engine.words.is_harmless(name) =>
                {
                    self.out.push_str(one);
                    rest
                }
                _ => name,
            };
            if name.is_empty() || name == "." || name == ".." {
                self.out.push_str(name);
            } else if is_home {
                self.forced_name("user", name);
            } else if after
                && (is_odd(name)
                    || is_handed && !is_few(name) && !ROUTES.contains(&name)
                    || is_code && name.len() >= 6 && name.bytes().all(|byte| byte.is_ascii_digit()))
                && !name
                    .rsplit_once('.')
                    .is_some_and(|(_, end)| FILES.contains(&end))
            {
                // `/reset/token/V`
                self.secret(name);
            } else if is_share {
                self.forced_name("host", name);
                is_share = false;
            } else {
                self.segment(name);
            }
            let cue = self.engine.words.tell(name).cue;
            (after, is_code) = (cue.is_secret(), cue == super::cues::Cue::Strong);
            is_handed = HANDING.contains(&name.to_ascii_lowercase().as_str());
            is_home = HOMES.contains(&name.to_ascii_lowercase().as_str()) && !divider.is_empty();
            self.out.push_str(divider);
        }
    }

    fn segment(&mut self, name: &str) {
        if self.shadow {
            match is_few(name) {
                true => self.out.push_str(name),
                false => self.secret(name),
            }
            return;
        }
        if name.contains('@') {
            return self.at_signs(name);
        }
        let told = self.engine.words.tell(name);
        if told.cue.is_secret() {
            self.pending = Some(super::line::Pending {
                cue: told.cue,
                is_parted: false,
                is_quoted: false,
                by_colon: false,
            });
        }
        let strict = (self.mood.is_strict || self.is_unknown)
            && !shape::is_harmless(name)
            && !is_few(name)
            && told.cue == super::cues::Cue::None;
        let strict = strict
            || told.cue == super::cues::Cue::None
                && super::vocabulary::is_made_up(name)
                && !self.engine.words.is_own(name);
        match told.class {
            None if !strict => self.out.push_str(name),
            _ if self.address(name) => {}
            class => self.name(class.unwrap_or("name"), name),
        }
    }

    /// `user@machine`, mail.
    pub fn at_signs(&mut self, text: &str) {
        let (user, host) = text.split_once('@').unwrap_or((text, ""));
        self.forced = None;
        if !user.is_empty() && host.contains('.') && !host.contains('@') {
            return self.name("mail", &text.to_ascii_lowercase());
        }
        if !user.is_empty() {
            self.forced_name("user", user);
        }
        for part in host.split('@') {
            self.out.push('@');
            if !part.is_empty() {
                self.forced_name("host", part);
            }
        }
    }

    /// Whether `?` at `at` begins what is asked of a server.
    pub fn is_query(&self, at: usize, to: usize) -> bool {
        let rest = &self.text[at + 1..to];
        let field = rest
            .split(|c: char| c.is_whitespace() || c == '"' || c == '\'')
            .next()
            .unwrap_or_default();
        at == self.before.end
            && (field.contains('=')
                || self.text[self.before.clone()].contains('/')
                || self.out.contains("://"))
            && !field.is_empty()
    }

    pub fn query(&mut self, at: usize, to: usize) -> usize {
        let rest = &self.text[at..to];
        let end = rest
            .find(|c: char| {
                c.is_whitespace() || "\"'<>`".contains(c) || c == ';' && self.mood.has_semicolons
            })
            .unwrap_or(rest.len());
        self.out.push('?');
        self.engine.saw(&rest[..end]);
        self.count("query");
        self.out.push_str(ASKED);
        self.before = at..at + end;
        at + end
    }
}

/// `\n`, `\t`: no account.
fn is_escape(name: &str) -> bool {
    name.len() == 1
}

/// `bob:secret`, `scott/tiger`: what stands before an `@` with a password in it.
fn is_account(account: &str) -> bool {
    let is_user = |user: &str| {
        !user.is_empty()
            && user
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.-+%:".contains(&byte))
    };
    let by = |divider: char| {
        account.split_once(divider).is_some_and(|(user, secret)| {
            is_user(user) && !secret.is_empty() && !secret.starts_with('/')
        })
    };
    !account.starts_with(['/', '.']) && (by(':') || by('/'))
}
