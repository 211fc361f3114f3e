//! Who may sign: the `allowed_signers` file of ssh-keygen(1), ALLOWED SIGNERS, as `sshsig.c` reads it.
//!
//! Stricter on purpose: a time without `Z` makes its line bad (it would mean another instant in another time
//! zone), so does a date that does not exist, and a line holds no certificate. What certificates must be:
//! [`super::certificate`]. A bad line is skipped, as ssh-keygen does, but told: [`AllowedSigners::warnings`].

use jiff::Timestamp;
use ssh_key::PublicKey;
use ssh_key::certificate::Certificate;
use ssh_key::public::KeyData;

use super::certificate::{self, Certified};
use super::krl::Revoked;
use super::pattern::{is_plain, matches_list};
use super::raw::fingerprint;
use super::sshsig::{Signature, SignatureFault};
use crate::text::{escape, is_unsafe};
use crate::time::rfc3339;

/// A parsed `allowed_signers` file, perhaps with what was revoked since.
#[derive(Clone, Debug, Default)]
pub struct AllowedSigners {
    lines: Vec<Line>,
    warnings: Vec<Warning>,
    revoked: Revoked,
}

#[derive(Clone, Debug)]
struct Line {
    number: usize,
    principals: String,
    options: Options,
    key: KeyData,
}

#[derive(Clone, Debug, Default)]
struct Options {
    cert_authority: bool,
    namespaces: Option<String>,
    valid_after: Option<Timestamp>,
    valid_before: Option<Timestamp>,
}

/// A line that trusts no one although its author may have meant it to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// From 1.
    pub line: usize,
    /// A lower-case phrase without a full stop.
    pub message: String,
}

/// Who signed, proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The identity asked for; or the name (else the pattern) of the line that holds the key.
    pub identity: String,
    /// `SHA256:…` of the key.
    pub fingerprint: String,
    /// False when nobody asked for an identity and the line holds only patterns such as `*`:
    /// `identity` is then a pattern and names no one. For information; the key itself is allowed.
    pub named: bool,
    /// The line that allows it, from 1.
    pub line: usize,
    /// Who certified the key, when the line is an authority's.
    pub certified: Option<Certified>,
}

impl AllowedSigners {
    /// Reads a whole file. Never fails: what is no valid line is skipped and told.
    #[must_use]
    pub fn parse(content: &[u8]) -> Self {
        let mut read = Self::default();
        if content.starts_with("\u{feff}".as_bytes()) {
            // ssh-keygen takes it for a letter of the first name.
            read.warn(1, "begins with a byte order mark, which is read as a part of it: save the file without");
        }
        for (index, line) in content.split(|&byte| byte == b'\n').enumerate() {
            let number = index + 1;
            match parse_line(line) {
                Ok(None) => {}
                Ok(Some((principals, options, key))) => read.lines.push(Line {
                    number,
                    principals,
                    options,
                    key,
                }),
                Err(message) => read.warn(number, message),
            }
        }
        read
    }

    /// Whatever `revoked` covers signs no more, whatever the lines say and whenever it signed: a revocation
    /// list knows no time.
    #[must_use]
    pub fn without(mut self, revoked: Revoked) -> Self {
        self.revoked = revoked;
        self
    }

    fn warn(&mut self, line: usize, message: &str) {
        let message = message.to_owned();
        self.warnings.push(Warning { line, message });
    }

    /// Lines that have no effect, or another one than they seem to, and why.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Leaves out the lines that hold a pattern: whoever signs there would choose the name.
    #[must_use]
    pub(super) fn of_names(mut self) -> Self {
        let (named, patterns): (Vec<Line>, _) = (std::mem::take(&mut self.lines).into_iter())
            .partition(|line| line.principals.split(',').all(is_plain));
        self.lines = named;
        for line in patterns {
            self.warn(line.number, "holds a pattern, which names nobody");
        }
        // Two names that look alike would be two people.
        let (plain, odd): (Vec<Line>, _) =
            (std::mem::take(&mut self.lines).into_iter()).partition(|line| {
                !line
                    .principals
                    .contains(|c| is_unsafe(c) || c == '\u{feff}')
            });
        self.lines = plain;
        for line in odd {
            self.warn(line.number, "holds a character that nobody sees, in a name");
        }
        self
    }

    /// Tells each line whose names are as `is_so` says.
    pub(super) fn warn_of(&mut self, mut is_so: impl FnMut(&str) -> bool, message: &str) {
        let lines = self.lines.iter().filter(|line| is_so(&line.principals));
        let numbers: Vec<usize> = lines.map(|line| line.number).collect();
        for number in numbers {
            self.warn(number, message);
        }
    }

    /// The names and the key of each line, whatever it is allowed for; an authority's key is nobody's own.
    pub(super) fn keys(&self) -> impl Iterator<Item = (&str, &KeyData)> {
        let lines = self.lines.iter();
        let lines = lines.filter(|line| !line.options.cert_authority);
        lines.map(|line| (line.principals.as_str(), &line.key))
    }

    /// Whether a line holds the key with that fingerprint, its owner's or an authority's, whatever it is for.
    #[must_use]
    pub fn holds(&self, key: &str) -> bool {
        self.lines.iter().any(|line| fingerprint(&line.key) == key)
    }

    /// Whether every line that holds the key with that fingerprint is for that namespace and no other.
    #[must_use]
    pub fn holds_only_for(&self, key: &str, namespace: &str) -> bool {
        let mut lines = self
            .lines
            .iter()
            .filter(|line| fingerprint(&line.key) == key);
        lines.all(|line| line.options.namespaces.as_deref() == Some(namespace))
    }

    /// True when no line allows any key.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Proves that `signature` (armoured) over `message` in `namespace` was made by a key that is
    /// allowed to at the instant `at`: as `identity`, or, without one, as whom the key's line names.
    ///
    /// # Errors
    /// The first reason found, in this order: not a signature, namespace, bytes, revoked, identity, key or
    /// authority, certificate, the line's namespaces, the line's window.
    pub fn verify(
        &self,
        identity: Option<&str>,
        namespace: &str,
        message: &[u8],
        signature: &[u8],
        at: Timestamp,
    ) -> Result<Signer, SignatureFault> {
        let signature = Signature::parse(signature)?;
        signature.check(namespace, message)?;
        // Before the lines are asked, as in sshsig.c: no line can outdo a revocation.
        if let Some(what) = self.revoked.covers(signature.claimed()) {
            let authority = signature.certificate().map(|it| it.signature_key());
            let key = match (what, authority) {
                (Revoked::AUTHORITY, Some(authority)) => authority,
                _ => signature.key(),
            };
            let fingerprint = fingerprint(key);
            return Err(SignatureFault::Revoked { what, fingerprint });
        }
        self.allow(identity, namespace, &signature, at)
    }

    fn allow(
        &self,
        identity: Option<&str>,
        namespace: &str,
        signature: &Signature,
        at: Timestamp,
    ) -> Result<Signer, SignatureFault> {
        let mut fault = unknown(identity, signature);
        let mut found: Option<Signer> = None;
        for line in &self.lines {
            if let Some(identity) = identity {
                if !matches_list(identity, &line.principals) {
                    continue;
                }
                if matches!(fault, SignatureFault::NoSuchIdentity { .. }) {
                    fault = not_allowed(identity, signature);
                }
            }
            if !line.is_about(signature) {
                continue;
            }
            let permitted = line
                .certifies(identity, signature, at)
                .and_then(|()| line.permits(namespace, at));
            if let Err(refusal) = permitted {
                fault = refusal;
                continue;
            }
            let signer = line.signer(identity, signature);
            // A line that names someone says more than one that holds a pattern.
            if signer.named {
                return Ok(signer);
            }
            found.get_or_insert(signer);
        }
        found.ok_or(fault)
    }
}

/// No line is for whom was asked for, or none holds what signed.
fn unknown(identity: Option<&str>, signature: &Signature) -> SignatureFault {
    match (identity, signature.certificate()) {
        (Some(identity), _) => SignatureFault::NoSuchIdentity {
            identity: identity.to_owned(),
        },
        (None, Some(certificate)) => SignatureFault::AuthorityNotAllowed {
            identity: None,
            authority: fingerprint(certificate.signature_key()),
        },
        (None, None) => SignatureFault::NoIdentity {
            fingerprint: signature.fingerprint(),
        },
    }
}

fn not_allowed(identity: &str, signature: &Signature) -> SignatureFault {
    match signature.certificate() {
        Some(certificate) => SignatureFault::AuthorityNotAllowed {
            identity: Some(identity.to_owned()),
            authority: fingerprint(certificate.signature_key()),
        },
        None => SignatureFault::KeyNotAllowed {
            identity: identity.to_owned(),
            fingerprint: signature.fingerprint(),
        },
    }
}

impl Line {
    /// A key's line is about that key alone, an authority's about what it certified: never the other way.
    fn is_about(&self, signature: &Signature) -> bool {
        match (self.options.cert_authority, signature.certificate()) {
            (true, Some(certificate)) => self.key == *certificate.signature_key(),
            (false, None) => self.key == *signature.key(),
            _ => false,
        }
    }

    /// The certificate, if there is one, counts at `at`, and for someone whom the line is for.
    fn certifies(
        &self,
        identity: Option<&str>,
        signature: &Signature,
        at: Timestamp,
    ) -> Result<(), SignatureFault> {
        let Some(certificate) = signature.certificate() else {
            return Ok(());
        };
        let why = certificate::refusal(certificate, at).or_else(|| match identity {
            Some(identity) if certificate::names(certificate, identity) => None,
            Some(identity) => Some(format!("it is not for `{}`", escape(identity))),
            None => match self.certified_name(certificate) {
                Some(_) => None,
                None => Some("it is for nobody whom the line is for".to_owned()),
            },
        });
        match why {
            None => Ok(()),
            Some(why) => Err(SignatureFault::CertificateRefused {
                line: self.number,
                why,
            }),
        }
    }

    /// The first principal of `certificate` that the line is for.
    fn certified_name<'c>(&self, certificate: &'c Certificate) -> Option<&'c str> {
        let mut names = certificate.valid_principals().iter().map(String::as_str);
        names.find(|name| matches_list(name, &self.principals))
    }

    fn permits(&self, namespace: &str, at: Timestamp) -> Result<(), SignatureFault> {
        let Options {
            namespaces,
            valid_after,
            valid_before,
            ..
        } = &self.options;
        if let Some(namespaces) = namespaces
            && !matches_list(namespace, namespaces)
        {
            return Err(SignatureFault::NamespaceNotAllowed {
                line: self.number,
                namespace: namespace.to_owned(),
            });
        }
        // Whole seconds and both ends inclusive, as in C.
        let second = at.as_second();
        let early = valid_after.is_some_and(|after| second < after.as_second());
        let late = valid_before.is_some_and(|before| second > before.as_second());
        if early || late {
            let say = |end: &Option<Timestamp>| end.map_or("any time".to_owned(), rfc3339);
            return Err(SignatureFault::OutsideWindow {
                line: self.number,
                at: rfc3339(at),
                window: format!("from {} until {}", say(valid_after), say(valid_before)),
            });
        }
        Ok(())
    }

    fn signer(&self, asked: Option<&str>, signature: &Signature) -> Signer {
        let certificate = signature.certificate();
        let name = asked.or_else(|| match certificate {
            Some(certificate) => self.certified_name(certificate),
            None => self.principals.split(',').find(|name| is_plain(name)),
        });
        Signer {
            identity: name.unwrap_or(&self.principals).to_owned(),
            fingerprint: signature.fingerprint(),
            named: name.is_some(),
            line: self.number,
            certified: certificate.map(Certified::of),
        }
    }
}

type Parsed = (String, Options, KeyData);

// The steps and their order are those of parse_principals_key_and_options() in sshsig.c.
fn parse_line(line: &[u8]) -> Result<Option<Parsed>, &'static str> {
    let line = skip(line, b" \t\r");
    if line.is_empty() || line[0] == b'#' {
        return Ok(None);
    }
    if line.contains(&0) {
        return Err("holds a NUL byte");
    }
    let (principals, rest) = split_principals(line)?;
    let principals = String::from_utf8(principals).map_err(|_| "principals are not UTF-8")?;
    if let Ok(key) = parse_key(rest) {
        return Ok(Some((principals, Options::default(), key)));
    }
    let end = end_of_options(rest)?;
    let (options, rest) = rest.split_at(end);
    let key = parse_key(skip(rest, b" \t"))?;
    let options = std::str::from_utf8(options).map_err(|_| "options are not UTF-8")?;
    Ok(Some((principals, parse_options(options)?, key)))
}

fn skip<'a>(text: &'a [u8], blanks: &[u8]) -> &'a [u8] {
    let start = text.iter().position(|byte| !blanks.contains(byte));
    &text[start.unwrap_or(text.len())..]
}

/// The first word, perhaps quoted (misc.c, strdelim), and what follows it.
fn split_principals(line: &[u8]) -> Result<(Vec<u8>, &[u8]), &'static str> {
    let end = line
        .iter()
        .position(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'"'));
    let Some(end) = end else {
        return Err("has no key");
    };
    let (mut principals, mut rest) = (line[..end].to_vec(), &line[end + 1..]);
    if line[end] == b'"' {
        let close = rest.iter().position(|&byte| byte == b'"');
        let close = close.ok_or("has an unclosed quote")?;
        principals.extend_from_slice(&rest[..close]);
        rest = &rest[close + 1..];
    }
    Ok((principals, skip(rest, b" \t\r")))
}

/// Where the options end (auth-options.c, sshkey_advance_past_options).
fn end_of_options(text: &[u8]) -> Result<usize, &'static str> {
    let (mut at, mut quoted) = (0, false);
    while at < text.len() && (quoted || !matches!(text[at], b' ' | b'\t')) {
        match text[at] {
            b'\\' if text.get(at + 1) == Some(&b'"') => at += 1,
            b'"' => quoted = !quoted,
            _ => {}
        }
        at += 1;
    }
    match (quoted, at == text.len()) {
        (true, _) => Err("has an unclosed quote"),
        (_, true) => Err("has no valid key"),
        _ => Ok(at),
    }
}

/// `TYPE BASE64 [comment]`; the comment may be in any encoding.
fn parse_key(text: &[u8]) -> Result<KeyData, &'static str> {
    let mut words = text
        .split(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
        .filter(|word| !word.is_empty());
    let (Some(kind), Some(base64)) = (words.next(), words.next()) else {
        return Err("has no valid key");
    };
    let openssh = [kind, b" ", base64].concat();
    let openssh = String::from_utf8(openssh).map_err(|_| "has no valid key")?;
    match PublicKey::from_openssh(&openssh) {
        _ if openssh.contains("-cert-v01@openssh.com ") => {
            Err("holds a certificate instead of its authority's key")
        }
        Ok(key) => Ok(key.key_data().clone()),
        Err(_) => Err("has no valid key, or one of a type gonogo does not know"),
    }
}

fn parse_options(mut rest: &str) -> Result<Options, &'static str> {
    let mut options = Options::default();
    while !rest.is_empty() {
        if let Some(after) = strip_word(rest, "cert-authority") {
            options.cert_authority = true;
            rest = after;
        } else if let Some(after) = strip_word(rest, "namespaces=") {
            let (value, after) = dequote(after)?;
            if options.namespaces.replace(value).is_some() {
                return Err("has several `namespaces` options");
            }
            rest = after;
        } else if let Some(after) = strip_word(rest, "valid-after=") {
            let (value, after) = dequote(after)?;
            if options.valid_after.replace(parse_time(&value)?).is_some() {
                return Err("has several `valid-after` options");
            }
            rest = after;
        } else if let Some(after) = strip_word(rest, "valid-before=") {
            let (value, after) = dequote(after)?;
            if options.valid_before.replace(parse_time(&value)?).is_some() {
                return Err("has several `valid-before` options");
            }
            rest = after;
        }
        match rest.strip_prefix(',') {
            Some("") => return Err("ends its options with a comma"),
            Some(after) => rest = after,
            None if rest.is_empty() => {}
            None => return Err("has an unknown option"),
        }
    }
    match (options.valid_after, options.valid_before) {
        (Some(after), Some(before)) if before <= after => Err("is valid before it is valid after"),
        _ => Ok(options),
    }
}

fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let head = text.get(..word.len())?;
    head.eq_ignore_ascii_case(word).then(|| &text[word.len()..])
}

/// A quoted value, `\"` standing for a quote (misc.c, opt_dequote), and what follows it.
fn dequote(text: &str) -> Result<(String, &str), &'static str> {
    let mut rest = text.strip_prefix('"').ok_or("has an unquoted value")?;
    let mut value = String::new();
    loop {
        if let Some(after) = rest.strip_prefix("\\\"") {
            value.push('"');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('"') {
            return Ok((value, after));
        } else {
            let mut characters = rest.chars();
            value.push(characters.next().ok_or("has an unclosed quote")?);
            rest = characters.as_str();
        }
    }
}

/// `YYYYMMDD[HHMM[SS]]Z`, in UTC.
fn parse_time(text: &str) -> Result<Timestamp, &'static str> {
    const BAD: &str = "has an invalid time: write YYYYMMDDZ or YYYYMMDDHHMMSSZ";
    let digits = text.strip_suffix(['Z', 'z']);
    let Some(digits) = digits else {
        return Err(
            "has a time without `Z`, which would mean another instant in another time zone",
        );
    };
    if !matches!(digits.len(), 8 | 12 | 14) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(BAD);
    }
    let second = format!("{digits:0<14}");
    let civil = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", second);
    let civil = civil.map_err(|_| BAD)?;
    let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| BAD)?;
    match zoned.timestamp() {
        // C takes 0 for "no time given", counts unsigned, and knows leap seconds.
        instant if instant.as_second() <= 0 || digits.len() == 14 && digits.ends_with("60") => {
            Err(BAD)
        }
        instant => Ok(instant),
    }
}

#[cfg(test)]
#[path = "allowed_signers_tests.rs"]
mod tests;
