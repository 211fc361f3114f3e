//! What is looked for and what takes its place. Knows text; formats and files know it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use aho_corasick::AhoCorasick;

use super::identifiers::{self, is_user};
use super::map::{Class, Map};
use super::span::{Span, What, above, below, is_common, merged};
use super::words::Words;
use super::{Counts, Leak, views};
use crate::evidence::redact::{HINTS, MARK, secrets};

/// Lines around a hint that the rules read: a name may stand above its secret.
const LINES_ABOVE: usize = 2;
const LINES_BELOW: usize = 8;
/// Rounds until nothing more comes to light.
const ROUNDS: usize = 6;
/// Of a secret that the rules found in running text, so many bytes and a digit make it worth to be looked for
/// everywhere.
const WORTH: usize = 8;
/// Of one that stands in a configuration.
const SET: usize = 6;

/// What is known before anything was read.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Names and addresses of hosts.
    pub hosts: BTreeSet<String>,
    /// Accounts.
    pub users: BTreeSet<String>,
    /// Words that stay, because the request is about them: the instance, its product.
    pub protected: BTreeSet<String>,
    /// Versions that the run has found.
    pub versions: BTreeSet<String>,
    /// Texts that were planted to be removed by the rules: one that is left stops the bundle.
    pub canaries: Vec<String>,
}

/// Looks for secrets and names.
pub struct Engine {
    known: Known,
    map: RefCell<Map>,
    names: BTreeMap<String, Class>,
    secrets: BTreeSet<String>,
    words: Words,
    hints: Option<AhoCorasick>,
    domains: Option<regex::Regex>,
}

impl Engine {
    /// Looks for what is `known`, and for all that the forms give away.
    #[must_use]
    pub fn new(known: Known, map: Map) -> Self {
        let hints = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(HINTS)
            .ok();
        let domains = domains(&known);
        let mut engine = Self {
            known,
            map: RefCell::new(map),
            names: BTreeMap::new(),
            secrets: BTreeSet::new(),
            words: Words::new(&BTreeMap::new(), &BTreeSet::new()),
            hints,
            domains,
        };
        let (hosts, users) = (engine.known.hosts.clone(), engine.known.users.clone());
        for host in &hosts {
            engine.learn_name("host", host);
        }
        for user in &users {
            engine.learn_name("user", user);
        }
        engine.settle();
        engine
    }

    /// Makes ready for what was learnt.
    pub fn settle(&mut self) {
        self.words = Words::new(&self.names, &self.secrets);
    }

    /// The map, with every name that was met.
    pub fn into_map(self) -> Map {
        self.map.into_inner()
    }

    /// How many names of each kind were met.
    #[must_use]
    pub fn sums(&self) -> BTreeMap<String, u64> {
        self.map.borrow().sums()
    }

    /// A name that is replaced wherever it stands, unless it is protected or a word of every log.
    pub(super) fn learn_name(&mut self, class: Class, name: &str) {
        let name = name.trim().to_ascii_lowercase();
        let is_known = self
            .known
            .hosts
            .iter()
            .chain(&self.known.users)
            .any(|known| known.eq_ignore_ascii_case(&name));
        let is_address = name.parse::<std::net::IpAddr>().is_ok();
        let least = if is_known { 2 } else { 4 };
        let fits = (least..=128).contains(&name.len()) && !is_address && is_user(&name);
        if fits && !self.is_protected(&name) && (is_known || !is_common(&name)) {
            self.names.entry(name).or_insert(class);
        }
    }

    /// A secret of a configuration: removed wherever it stands.
    pub(super) fn learn_secret(&mut self, secret: &str) {
        let secret = secret.trim();
        let fits = (SET..=512).contains(&secret.len());
        if fits && !self.is_protected(secret) && !is_common(&secret.to_ascii_lowercase()) {
            self.secrets.insert(secret.to_owned());
        }
    }

    /// What running text gives away.
    pub(super) fn learn_text(&mut self, text: &str) {
        let found = self.spans(text);
        self.learn_spans(text, &found);
    }

    pub(super) fn learn_spans(&mut self, text: &str, spans: &[Span]) {
        for span in spans {
            let written = &text[span.range.clone()];
            match &span.what {
                What::Secret(_) => {
                    let is_worth = written.len() >= WORTH
                        && !written.contains(char::is_whitespace)
                        && written.bytes().any(|byte| byte.is_ascii_digit());
                    if is_worth {
                        self.learn_secret(written);
                    }
                }
                What::Name("user", name) => self.learn_name("user", name),
                What::Name(..) => {}
            }
        }
    }

    /// Whether a whole value may stay: a token, or a word that is protected.
    pub(super) fn is_kept(&self, word: &str) -> bool {
        self.is_protected(word) || self.map.borrow().is_token(word)
    }

    fn is_protected(&self, word: &str) -> bool {
        let kept = self.known.protected.iter().chain(&self.known.versions);
        kept.into_iter().any(|kept| kept.eq_ignore_ascii_case(word))
    }

    /// Whether what a column or an element of that name holds is a name.
    pub(super) fn names_a_person(key: &str) -> Option<Class> {
        let key = key.to_ascii_lowercase().replace('-', "_");
        let key = key.rsplit(['/', '.', ':', '@']).next().unwrap_or_default();
        match key {
            "client_name" | "clientname" | "connection_name" | "connectionname" => Some("client"),
            "user" | "username" | "user_name" | "userid" | "user_id" | "auth_id" | "authid"
            | "login" | "principal" => Some("user"),
            "host" | "hostname" | "host_name" | "server_name" | "node_name" => Some("host"),
            _ => None,
        }
    }

    /// Everything in `text` that must not leave, sorted, none inside of another.
    pub(super) fn spans(&self, text: &str) -> Vec<Span> {
        let mut spans = Vec::new();
        for window in self.windows(text) {
            self.in_window(text, window, &mut spans);
        }
        for range in self.words.secrets(text) {
            let what = What::Secret("known secret");
            spans.push(Span {
                place: range.clone(),
                range,
                what,
            });
        }
        for (range, class, name) in self.words.names(text) {
            let what = What::Name(class, name.to_owned());
            spans.push(Span {
                place: range.clone(),
                range,
                what,
            });
        }
        for found in identifiers::find(text, &self.known.versions) {
            let is_kept = self.is_protected(&found.name)
                || self.map.borrow().is_token(&text[found.range.clone()]);
            if !is_kept {
                let what = What::Name(found.class, found.name);
                spans.push(Span {
                    place: found.range.clone(),
                    range: found.range,
                    what,
                });
            }
        }
        for found in self
            .domains
            .iter()
            .flat_map(|domains| domains.find_iter(text))
        {
            let what = What::Name("host", found.as_str().to_ascii_lowercase());
            spans.push(Span {
                place: found.range(),
                range: found.range(),
                what,
            });
        }
        merged(spans)
    }

    /// Where rules may find something: around every hint.
    fn windows(&self, text: &str) -> Vec<Range<usize>> {
        let Some(hints) = &self.hints else {
            return std::iter::once(0..text.len()).collect();
        };
        let mut windows: Vec<Range<usize>> = Vec::new();
        let mut seen = None;
        for hint in hints.find_iter(text) {
            // Another one on the same line asks for the same lines: a line of megabytes is measured once.
            let is_same = seen.is_some_and(|seen| !text[seen..hint.start()].contains('\n'));
            seen = Some(hint.end());
            if is_same {
                continue;
            }
            let start = above(text, hint.start(), LINES_ABOVE);
            let end = below(text, hint.end(), LINES_BELOW);
            match windows.last_mut() {
                Some(window) if start <= window.end => window.end = window.end.max(end),
                _ => windows.push(start..end),
            }
        }
        windows
    }

    fn in_window(&self, text: &str, window: Range<usize>, spans: &mut Vec<Span>) {
        let mut end = window.end;
        loop {
            let part = &text[window.start..end];
            let found = secrets(part);
            // What reaches the end may reach further.
            if end < text.len()
                && found
                    .iter()
                    .any(|found| found.place.end >= part.trim_end().len())
            {
                end = below(text, (end + 4 * part.len().max(4096)).min(text.len()), 1);
                continue;
            }
            for found in found {
                let shifted =
                    |range: Range<usize>| range.start + window.start..range.end + window.start;
                spans.push(Span {
                    range: shifted(found.secret),
                    place: shifted(found.place),
                    what: What::Secret(found.rule),
                });
            }
            return;
        }
    }

    /// What stands for a piece of text.
    pub(super) fn stand_in(&self, what: &What) -> String {
        match what {
            What::Secret(_) => MARK.to_owned(),
            What::Name(class, name) => self.map.borrow_mut().token(class, name),
        }
    }

    /// `text[..to]` without what `spans` hold, counted.
    pub(super) fn without(
        &self,
        text: &str,
        to: usize,
        spans: &[Span],
        counts: &mut Counts,
    ) -> String {
        let mut clean = String::with_capacity(to);
        let mut at = 0;
        for span in spans.iter().take_while(|span| span.range.start < to) {
            clean.push_str(&text[at..span.range.start]);
            clean.push_str(&self.stand_in(&span.what));
            at = span.range.end.min(to);
            let rule = match &span.what {
                What::Secret(rule) => *rule,
                What::Name(class, _) => class,
            };
            *counts.entry(rule.to_owned()).or_default() += 1;
        }
        clean.push_str(&text[at..to]);
        clean
    }

    /// The text without anything that must not leave.
    pub fn redact_text(&self, text: &str, counts: &mut Counts) -> String {
        let spans = self.spans(text);
        let clean = self.without(text, text.len(), &spans, counts);
        self.settled(clean, !spans.is_empty(), counts)
    }

    /// Goes on until nothing more comes to light, in other spellings too.
    pub(super) fn settled(
        &self,
        mut text: String,
        mut is_changed: bool,
        counts: &mut Counts,
    ) -> String {
        for _ in 0..ROUNDS {
            if is_changed {
                let spans = self.spans(&text);
                is_changed = !spans.is_empty();
                text = self.without(&text, text.len(), &spans, counts);
            }
            if let Some(respelled) = self.respelled(&text, views::LAYERS, counts) {
                text = respelled;
                is_changed = true;
            }
            if !is_changed {
                break;
            }
        }
        text
    }

    /// The text with every line that hides something written plainly and redacted, and base64 of it removed.
    fn respelled(&self, text: &str, layers: usize, counts: &mut Counts) -> Option<String> {
        let mut clean: Option<String> = None;
        if layers > 0 && views::is_spelled(text) {
            let mut lines = String::with_capacity(text.len());
            let mut is_changed = false;
            for line in text.split_inclusive('\n') {
                match self.undone(line, layers, counts) {
                    Some(plain) => {
                        lines.push_str(&plain);
                        is_changed = true;
                    }
                    None => lines.push_str(line),
                }
            }
            clean = is_changed.then_some(lines);
        }
        let text = clean.as_deref().unwrap_or(text);
        let hidden: Vec<Range<usize>> = self.hidden(text, layers);
        if hidden.is_empty() {
            return clean;
        }
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for range in hidden {
            out.push_str(&text[at..range.start]);
            out.push_str(MARK);
            at = range.end;
            *counts.entry("base64".to_owned()).or_default() += 1;
        }
        out.push_str(&text[at..]);
        Some(out)
    }

    fn undone(&self, line: &str, layers: usize, counts: &mut Counts) -> Option<String> {
        let plain = views::undo(line)?;
        let mut found = Counts::new();
        let clean = self.redact_layer(&plain, layers - 1, &mut found);
        if found.is_empty() {
            return None;
        }
        for (rule, count) in found {
            *counts.entry(rule).or_default() += count;
        }
        Some(clean)
    }

    fn redact_layer(&self, text: &str, layers: usize, counts: &mut Counts) -> String {
        let spans = self.spans(text);
        let clean = self.without(text, text.len(), &spans, counts);
        self.respelled(&clean, layers, counts).unwrap_or(clean)
    }

    fn hidden(&self, text: &str, layers: usize) -> Vec<Range<usize>> {
        if layers == 0 {
            return Vec::new();
        }
        let packed = views::packed(text).into_iter();
        let hides = packed.filter(|(_, plain)| {
            let mut found = Counts::new();
            self.redact_layer(plain, layers - 1, &mut found);
            !found.is_empty()
        });
        hides.map(|(range, _)| range).collect()
    }

    /// Everything in a finished text that must not leave; `line` is the number of its first one.
    pub fn leaks(&self, text: &str, line: u64) -> Vec<Leak> {
        let mut leaks = Vec::new();
        let at = |offset: usize| {
            let before = text.as_bytes()[..offset]
                .iter()
                .filter(|b| **b == b'\n')
                .count();
            format!("line {}", line + before as u64)
        };
        for span in self.spans(text) {
            let what = match &span.what {
                What::Secret(rule) => (*rule).to_owned(),
                What::Name(class, _) => format!("{class} name"),
            };
            leaks.push(Leak {
                what,
                place: at(span.range.start),
            });
        }
        for (number, canary) in self.known.canaries.iter().enumerate() {
            if let Some(found) = text.find(canary.as_str()) {
                let what = format!("canary {}", number + 1);
                leaks.push(Leak {
                    what,
                    place: at(found),
                });
            }
        }
        let mut counts = Counts::new();
        if leaks.is_empty() && self.respelled(text, views::LAYERS, &mut counts).is_some() {
            for what in counts.into_keys() {
                let place = at(0);
                leaks.push(Leak {
                    what: format!("{what}, spelled otherwise"),
                    place,
                });
            }
        }
        leaks
    }

    /// Known secrets, names and canaries in bytes of any kind, also as UTF-16.
    pub(super) fn leaks_in_bytes(&self, bytes: &[u8]) -> Vec<Leak> {
        let texts = [
            bytes
                .iter()
                .map(|byte| char::from(*byte))
                .collect::<String>(),
            every_second(bytes, 0),
            every_second(bytes, 1),
        ];
        let mut leaks = Vec::new();
        for text in &texts {
            let secrets = self
                .words
                .secrets(text)
                .into_iter()
                .map(|_| "known secret".to_owned());
            let names = self
                .words
                .names(text)
                .into_iter()
                .map(|(_, class, _)| format!("{class} name"));
            let canaries = self.known.canaries.iter().enumerate();
            let canaries = canaries.filter(|(_, canary)| text.contains(canary.as_str()));
            let canaries = canaries.map(|(number, _)| format!("canary {}", number + 1));
            let found = secrets.chain(names).chain(canaries);
            leaks.extend(found.map(|what| Leak {
                what,
                place: "raw bytes".to_owned(),
            }));
        }
        leaks.sort();
        leaks.dedup();
        leaks
    }
}

fn every_second(bytes: &[u8], from: usize) -> String {
    bytes
        .iter()
        .skip(from)
        .step_by(2)
        .map(|byte| char::from(*byte))
        .collect()
}

/// Host names below a domain of ours.
fn domains(known: &Known) -> Option<regex::Regex> {
    let mut domains = BTreeSet::new();
    for host in &known.hosts {
        if host.parse::<std::net::IpAddr>().is_err()
            && let Some((_, domain)) = host.split_once('.')
            && domain.contains('.')
        {
            domains.insert(regex::escape(&domain.to_ascii_lowercase()));
        }
    }
    let any = domains.into_iter().collect::<Vec<_>>().join("|");
    let expression = format!(r"(?i)\b[a-z0-9](?:[a-z0-9.\-]*[a-z0-9])?\.(?:{any})\b");
    (!any.is_empty())
        .then(|| regex::Regex::new(&expression).ok())
        .flatten()
}
