//! The second pass: what is found in a finished file that must not be there. Shares no rule with the first:
//! it knows the texts that were taken out, those that were planted, and a few forms that no harmless text has.

use std::fs::File;
use std::path::Path;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use regex::Regex;

use super::cues::{self, Cue};
use super::engine::{Engine, is_words};
use super::undress::{LAYERS, decoded};
use super::{Leak, Unfit, stream};
use crate::evidence::redact::{MARK, compile};

/// More than anybody reads.
const MOST_LEAKS: usize = 1000;
/// Texts that are shorter stand everywhere.
const LEAST: usize = 4;

/// Forms of what is never harmless, and what may stand where a secret would.
static FORMS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    let forms = [
        (
            "password in an address",
            r"(?i)\b[a-z][a-z0-9+.\-]*://[^\s/@\[\]<>]*:[^\s/@\[\]<>]+@",
        ),
        ("private key", r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY"),
        (
            "token of JSON",
            r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}",
        ),
        ("access key", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
        (
            "access token",
            r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|xox[abprs]-[A-Za-z0-9\-]{8,}|glpat-[A-Za-z0-9_\-]{16,}|sk_live_[A-Za-z0-9]{8,}|hvs\.[A-Za-z0-9]{12,})",
        ),
        (
            "hash of a password",
            r"\$(?:1|2[aby]?|5|6|y|argon2id?)\$[^\s$\[]{2,}\$",
        ),
        (
            "password",
            r#"(?i)(?:password|passwd|passphrase|pwd|secret)["']?\s*=\s*["']?(?:[a-z0-9+/!%@#^*~._\-]{4,})"#,
        ),
        (
            "credentials of a header",
            r#"(?i)authorization["']?\s*[:=]\s*["']?(?:basic|bearer|digest|negotiate|token)\s+[a-z0-9+/_.\-]{6,}"#,
        ),
        (
            "mail",
            r"(?i)\b[a-z0-9._%+\-]+@[a-z0-9\-]+(?:\.[a-z0-9\-]+)*\.[a-z]{2,}\b",
        ),
        (
            "hardware address",
            r"(?i)\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b",
        ),
        (
            "address of a network",
            r"\b(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}\b",
        ),
    ];
    forms
        .into_iter()
        // Where words begin in ASCII alone: no less is found, and text in other scripts is read as fast.
        .map(|(name, form)| (name, compile(&form.replace(r"\b", r"(?-u:\b)"))))
        .collect()
});

/// Where the next of that form may begin at the earliest: the begin of the line, or of the words, in which the mark
/// stands without which there is none.
fn next_place(name: &str, text: &str, from: usize) -> Option<usize> {
    let mark = match name {
        "password in an address" | "mail" => "@",
        "private key" => "-----BEGIN",
        "token of JSON" => "eyJ",
        "hash of a password" => "$",
        _ => return (from <= text.len()).then_some(from),
    };
    let rest = text.get(from..)?;
    let place = from + rest.find(mark)?;
    let line = text[from..place]
        .rfind('\n')
        .map_or(from, |feed| from + feed + 1);
    Some(line)
}

/// The password alone, of what was taken out as `bob:V` or `scott/V`: people quote it without the account.
fn bare(secret: &str) -> Option<String> {
    let by_colon = secret.split_once(':');
    let by_slash = || {
        secret
            .split_once('/')
            .filter(|(_, rest)| !rest.contains('/'))
    };
    let (user, bare) = by_colon.or_else(by_slash)?;
    let is_account = !user.is_empty() && !secret.contains(char::is_whitespace);
    (is_account && !bare.starts_with('/')).then(|| bare.to_owned())
}

/// What must not be found.
pub struct Proof {
    needles: Option<AhoCorasick>,
    /// Of each needle, what it is, and whether it must stand alone.
    meant: Vec<(String, bool)>,
    /// Whether it may stand as the name of an element or a column.
    schema: Vec<bool>,
    /// Texts that only look so.
    versions: Vec<String>,
    /// Whether it is of a text that names hosts and people on purpose.
    has_names: bool,
}

/// Forms of names, not of secrets: a request tells how somebody is reached.
const NAMES: [&str; 2] = ["mail", "address of a network"];

impl Proof {
    /// Everything that `engine` took out, and what was planted.
    #[must_use]
    pub fn new(engine: &Engine) -> Self {
        Self::of(engine, false)
    }

    /// As [`Self::new`], of a request: it names hosts and people on purpose, but no secret of the artifacts, nothing
    /// that was planted, and no form of a secret.
    #[must_use]
    pub fn of_request(engine: &Engine) -> Self {
        Self::of(engine, true)
    }

    fn of(engine: &Engine, has_names: bool) -> Self {
        let mut needles: Vec<(String, String, bool)> = Vec::new();
        for (number, canary) in engine.known.canaries.iter().enumerate() {
            needles.push((canary.clone(), format!("canary {}", number + 1), false));
        }
        let is_harmless = |text: &str| is_words(&engine.words, text);
        let mut seen = engine.seen();
        if has_names {
            let bare: Vec<String> = seen.iter().filter_map(|secret| bare(secret)).collect();
            seen.extend(bare);
        }
        for secret in seen {
            let is_number = secret
                .bytes()
                .all(|byte| byte.is_ascii_digit() || b".-: ".contains(&byte));
            if secret.len() >= LEAST
                && !is_harmless(&secret)
                && !is_number
                && !secret.contains(MARK)
                && secret.chars().any(char::is_alphanumeric)
            {
                let alone =
                    secret.len() < 8 || secret.bytes().all(|byte| byte.is_ascii_alphabetic());
                needles.push((secret, "secret that was taken out".to_owned(), alone));
            }
        }
        // Not looked for at all where they may stand: a longer name would hide the secret in it.
        for (class, name) in engine.replaced() {
            // `DBPASS` tells of a secret, and of nobody; `mckey` may be somebody.
            let is_name =
                name.len() >= LEAST && !is_harmless(&name) && cues::of(&name) != Cue::Strong;
            if !has_names && is_name {
                needles.push((name, format!("{class} that was replaced"), true));
            }
        }
        let own = engine.in_schema();
        let schema = needles
            .iter()
            .map(|(text, what, _)| {
                !what.starts_with("canary") && own.contains(text.to_ascii_lowercase().as_str())
            })
            .collect();
        let built = AhoCorasickBuilder::new()
            .match_kind(MatchKind::LeftmostLongest)
            .ascii_case_insensitive(true)
            .build(needles.iter().map(|(text, ..)| text));
        Self {
            needles: if needles.is_empty() { None } else { built.ok() },
            meant: needles
                .into_iter()
                .map(|(_, what, alone)| (what, alone))
                .collect(),
            schema,
            versions: engine.known.versions.iter().cloned().collect(),
            has_names,
        }
    }

    /// What is found in a text; `line` is the number of its first one.
    #[must_use]
    pub fn text(&self, text: &str, line: u64) -> Vec<Leak> {
        self.text_of(text, line, false)
    }

    /// `has_schema`: names of elements stand in it as such, and are no leak.
    fn text_of(&self, text: &str, line: u64, has_schema: bool) -> Vec<Leak> {
        let mut leaks = Vec::new();
        let at = |offset: usize| {
            let before = text.as_bytes()[..offset]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count();
            format!("line {}", line + before as u64)
        };
        for (what, offset) in self.found(text, has_schema) {
            leaks.push(Leak {
                what,
                place: at(offset),
            });
        }
        let forms = FORMS.iter();
        for (name, form) in forms.filter(|(name, _)| !(self.has_names && NAMES.contains(name))) {
            let mut from = 0;
            while let Some(begin) = next_place(name, text, from) {
                let Some(found) = form.find_at(text, begin) else {
                    break;
                };
                from = found.end().max(found.start() + 1);
                if !self.only_looks_so(found.as_str()) {
                    leaks.push(Leak {
                        what: (*name).to_owned(),
                        place: at(found.start()),
                    });
                }
                if leaks.len() > MOST_LEAKS {
                    return leaks;
                }
            }
        }
        if text.bytes().any(|byte| matches!(byte, b'%' | b'&' | b'\\')) {
            for (number, one) in text.lines().enumerate() {
                let mut plain = None;
                for _ in 0..LAYERS {
                    match decoded(plain.as_deref().unwrap_or(one)) {
                        Some(next) => plain = Some(next),
                        None => break,
                    }
                }
                for (what, _) in plain.iter().flat_map(|plain| self.found(plain, has_schema)) {
                    leaks.push(Leak {
                        what: format!("{what}, spelled otherwise"),
                        place: format!("line {}", line + number as u64),
                    });
                }
            }
        }
        leaks
    }

    fn found(&self, text: &str, has_schema: bool) -> Vec<(String, usize)> {
        let Some(needles) = &self.needles else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(place) = needles.find(aho_corasick::Input::new(text).range(at..)) {
            let (what, alone) = &self.meant[place.pattern().as_usize()];
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let stands_alone = !text[..place.start()].ends_with(is_word)
                && !text[place.end()..].starts_with(is_word);
            let is_own = has_schema && self.schema[place.pattern().as_usize()];
            if (!alone || stands_alone) && !is_own {
                found.push((what.clone(), place.start()));
                if found.len() > MOST_LEAKS {
                    break;
                }
                at = place.end().max(at + 1);
            } else {
                at = place.start() + 1;
            }
            while !text.is_char_boundary(at) {
                at += 1;
            }
        }
        found
    }

    /// A version that looks like an address; a word where a secret would stand.
    fn only_looks_so(&self, found: &str) -> bool {
        let value = found.rsplit(['=', '"', '\'']).next().unwrap_or_default();
        let is_token = value.rsplit_once('-').is_some_and(|(class, digits)| {
            digits.len() >= 8
                && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
                && class.bytes().all(|byte| byte.is_ascii_lowercase())
        });
        let said = ["true", "false", "none", "null", "redacted"]
            .contains(&value.to_ascii_lowercase().as_str());
        self.versions.iter().any(|version| version == found)
            || found.contains('=') && (is_token || said)
    }

    /// What is found in a file, unpacked where it is packed.
    pub(super) fn file(&self, path: &Path, has_schema: bool) -> Result<Vec<Leak>, Unfit> {
        let mut leaks = Vec::new();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut waiting: Vec<(String, u64)> = Vec::new();
        stream::each(&mut File::open(path)?, |text, line| {
            waiting.push((text.to_owned(), line));
            if waiting.len() >= cores.min(16) {
                leaks.extend(self.side_by_side(&std::mem::take(&mut waiting), has_schema));
            }
            Ok(())
        })?;
        leaks.extend(self.side_by_side(&waiting, has_schema));
        leaks.truncate(MOST_LEAKS);
        leaks.sort();
        leaks.dedup();
        Ok(leaks)
    }

    /// A core for each piece.
    fn side_by_side(&self, pieces: &[(String, u64)], has_schema: bool) -> Vec<Leak> {
        std::thread::scope(|scope| {
            let each = pieces
                .iter()
                .map(|(text, line)| scope.spawn(move || self.text_of(text, *line, has_schema)));
            let each: Vec<_> = each.collect();
            let lost = || {
                vec![Leak {
                    what: "a part that could not be looked at".to_owned(),
                    place: "somewhere".to_owned(),
                }]
            };
            each.into_iter()
                .flat_map(|one| one.join().unwrap_or_else(|_| lost()))
                .collect()
        })
    }

    /// What is found in bytes of a database, also as UTF-16.
    pub(super) fn bytes(&self, bytes: &[u8]) -> Vec<Leak> {
        let every = |from: usize, step: usize| -> String {
            bytes
                .iter()
                .skip(from)
                .step_by(step)
                .map(|byte| char::from(*byte))
                .collect()
        };
        let mut leaks = Vec::new();
        for text in [every(0, 1), every(0, 2), every(1, 2)] {
            let place = "raw bytes".to_owned();
            leaks.extend(self.found(&text, true).into_iter().map(|(what, _)| Leak {
                what,
                place: place.clone(),
            }));
        }
        leaks.sort();
        leaks.dedup();
        leaks
    }
}
