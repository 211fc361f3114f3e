//! Secrets in running text that may be words of everybody's, told by the words around them: linked to a name
//! (`community string V`, `the api key is V`), named afterwards (`V is the password`), or handed over with an account
//! (`conn scott/V`). Where a mark parts a name from its value, `value` knows it.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::cues::{self, Cue};
use super::line::{Line, known_at};
use super::value::is_nothing;
use super::vocabulary::{is_few, parts};
use super::{cue_words, shape};
use crate::evidence::redact::MARK;

/// What links a name to its value.
const VERBS: &[&str] = &[
    "is", "was", "are", "were", "now", "set", "changed", "to", "be", "of",
];

/// Between some names and their value: of communities, then of sessions.
const LINKS: &[&str] = &["string", "name", "id", "key", "token", "cookie"];

/// What is said of keys, and is none. Not a word of it is worth to be a secret.
const STATES: &str = "absent accessible active activated activation added adding agreement already also and answered available based \
    being below binding both broken but cached check complete completed computed configured constraint copied corrupt \
    corrupted created creation current currently damaged data decrypted decryption defined deleted deprecated derivation \
    derived different disabled discarded duplicate duplicated either empty enabled encrypted encryption enforced equal event \
    exchange exchanged expiration exported first format fully generated generation generator handler handling held here holder \
    identical ignored import imported in inactive index initialized installed invalidated issued kept known last length \
    loaded loading locked lookup lost made malformed management manager mandatory matched material mismatched missing \
    needed negotiated neither new next nothing now null number numeric obsolete of ok old only optional order other pair \
    pairs parsed password pending pinned present protected ready readable recreated registered registration rejected \
    removed renewal renewed replaced reserved restored retrieved returned revoked ring rotated rotation same schedule \
    selected selection server service size skipped something space stable stale still storage store string suspended \
    taken temporary that there these this those trusted type unavailable unchanged undefined unique unlocked unmatched \
    unreadable unsupported unused updated usage valid value values verification verified violation whether which \
    who writable written wrapped";

/// Keys of tables, topics and messages.
const INDEXED: &[&str] = &[
    "primary",
    "foreign",
    "unique",
    "sort",
    "topic",
    "sow",
    "message",
    "partition",
    "partitioning",
    "index",
    "map",
    "cache",
    "lookup",
    "row",
    "record",
    "order",
    "natural",
    "composite",
    "candidate",
    "hash",
    "group",
    "routing",
    "registry",
    "public",
    "function",
    "shift",
    "enter",
    "duplicate",
    "grouping",
    "join",
];

/// Keys that open something.
const OPENING: &[&str] = &[
    "api",
    "license",
    "licence",
    "access",
    "secret",
    "private",
    "master",
    "encryption",
    "decryption",
    "signing",
    "product",
    "activation",
    "recovery",
    "unlock",
    "shared",
    "preshared",
    "deploy",
    "pre",
    "wpa",
    "wifi",
    "session",
    "tacacs",
    "radius",
    "cluster",
    "authentication",
    "auth",
];

/// What a community is to everybody but SNMP.
const COMMUNITIES: &str = "edition editions support supported server version portal forum forums license licence build release \
    page pages site repository repositories module modules manager contributed maintained plugin plugins package packages \
    strings attribute attributes list lists filter name string driver project members member image images";

/// What is basic to everybody.
const BASIC: &str = "authentication auth authorization configuration settings mode information test tests checks functionality \
    operation operations setup type types constraint constraints version service support block features scheme realm \
    challenge credentials login queries query block blocks health statistics";

/// Before a pair of account and secret: `conn scott/V`.
const LOGGING_ON: &[&str] = &[
    "conn",
    "connect",
    "connecting",
    "connected",
    "reconnect",
    "reconnecting",
    "auth",
    "authenticate",
    "authenticating",
    "authenticated",
    "login",
    "logon",
    "logging",
    "logged",
    "signed",
    "sign-in",
    "userid",
    "sqlplus",
    "sqlldr",
    "sqlcl",
    "exp",
    "imp",
    "expdp",
    "impdp",
    "rman",
    "user",
    "username",
    "account",
    "creds",
    "credentials",
    "cred",
    "credential",
    "dblink",
];

/// Between that and the pair.
const BETWEEN: &[&str] = &["as", "with", "using", "in", "on", "is", "was"];

/// What is written with `/` between, and is no pair of account and secret.
const HALVES: &str = "read write input output publish subscribe second seconds sec min minute hour thread threads pool queue \
    start stop up down open close query execute name names id ids disconnect logoff logout release idle active topic message \
    messages byte bytes total max min retry async sync tcp udp ssl plain other both json fix xml amps address service network \
    database schema table socket stream listener tls http https";

/// What stands before `is the password` and is none.
const POINTING: &str = "what where who which same there here one both each either neither nor value string text field name key \
    keys env variable parameter argument option header word words it he she they value values length type and or but \
    only mode data input default such certificate certificates cert proxy message that this these those also so now then still always never stdin file";

/// Between a secret and the name that follows it.
const ARTICLES: &[&str] = &[
    "the",
    "a",
    "an",
    "my",
    "your",
    "his",
    "her",
    "its",
    "our",
    "their",
    "new",
    "old",
    "right",
    "real",
    "actual",
    "current",
    "root",
    "admin",
    "default",
    "db",
    "database",
    "api",
    "access",
    "auth",
    "session",
    "bearer",
    "security",
    "ldap",
    "user",
    "login",
    "bind",
    "temporary",
    "initial",
    "master",
];

macro_rules! among {
    ($list:ident, $word:expr) => {{
        static SET: LazyLock<HashSet<&'static str>> =
            LazyLock::new(|| $list.split_ascii_whitespace().collect());
        SET.contains($word)
    }};
}

/// How one name wants its value to be told.
enum Head {
    Community,
    Basic,
    /// A key that opens something, which needs no verb.
    Opening,
    /// The id of a session.
    Session,
    /// Any other, of which somebody says what it is.
    Said,
    /// `access code V`, at the end of the line, or with a verb.
    Code,
}

impl Line<'_> {
    /// Whether what stands from `at` to `end` is the value of the name at `self.weak`, with nothing but words that
    /// link between them; keeps the name where such a word comes.
    pub fn is_linked(&mut self, at: usize, end: usize) -> bool {
        let Some(weak) = self.weak.take() else {
            return false;
        };
        let word = self.text[at..end].trim_end_matches(['.', ':', '!', ',']);
        let lower = word.to_ascii_lowercase();
        // Most of what follows is neither, and is told for less than the kind of the name.
        let may_link = VERBS.contains(&lower.as_str()) || LINKS.contains(&lower.as_str());
        if !may_link && (among!(STATES, lower.as_str()) || is_few(word) || shape::is_harmless(word))
        {
            return false;
        }
        let Some(head) = head(&self.text[..weak.start], &self.text[weak.clone()]) else {
            return false;
        };
        let between = self.text[weak.end..at].to_ascii_lowercase();
        let mut links = between
            .split(|c: char| c.is_whitespace() || "\"'`:=\u{201c}\u{2018}".contains(c))
            .filter(|link| !link.is_empty())
            .peekable();
        let has_verb = links.peek().is_some() && links.clone().any(|link| VERBS.contains(&link));
        let is_link = |link: &str| {
            VERBS.contains(&link)
                || match head {
                    Head::Community => LINKS[..2].contains(&link),
                    Head::Session => LINKS[2..].contains(&link),
                    _ => false,
                }
        };
        let has_id = links.clone().any(|link| !VERBS.contains(&link));
        if !links.all(is_link) {
            return false;
        }
        if is_link(&lower) {
            self.weak = Some(weak);
            return false;
        }
        let is_last = self.text[end..].trim().is_empty();
        let is_told = match head {
            Head::Community => !among!(COMMUNITIES, lower.as_str()),
            Head::Basic => !among!(BASIC, lower.as_str()),
            Head::Opening => true,
            Head::Session => has_id,
            Head::Said => has_verb,
            Head::Code => has_verb || is_last,
        };
        is_told
            && word.chars().any(char::is_alphanumeric)
            && !is_few(word)
            && !is_nothing(word)
            && !shape::is_harmless(word)
            && !word.starts_with(['/', '-', '$', '%'])
            && !among!(STATES, lower.as_str())
            && !self.engine.words.is_protected(word)
            && cues::of(word) == Cue::None
    }

    /// `V is the password`, when the name comes that begins at `at`: takes out what was written of V.
    pub fn named_after(&mut self, at: usize) {
        let before = &self.text[..at];
        let mut words = before.split_whitespace().rev().peekable();
        for _ in 0..3 {
            words.next_if(|word| ARTICLES.contains(&word.to_ascii_lowercase().as_str()));
        }
        let Some(verb) = words
            .next()
            .filter(|word| ["is", "was", "as"].contains(word))
        else {
            return;
        };
        let Some(word) = words.next() else {
            return;
        };
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let lower = bare.to_ascii_lowercase();
        let is_other = bare.len() < 3
            || is_few(bare)
            || is_nothing(bare)
            || shape::is_harmless(bare)
            || among!(POINTING, lower.as_str())
            || verb == "as" && among!(STATES, lower.as_str())
            || cues::of(bare) != Cue::None;
        if is_other {
            return;
        }
        // What is no word has gone already.
        let behind = before
            .split_whitespace()
            .rev()
            .take_while(|one| *one != word)
            .count();
        let Some(from) = self.out.rfind(bare) else {
            return;
        };
        let tail = self.out.split_off(from);
        match tail.split_whitespace().count() == behind + 1 {
            false => self.out.push_str(&tail),
            true => {
                self.engine.saw(bare);
                self.count("secret");
                self.out.push_str(MARK);
                self.out.push_str(&tail[bare.len()..]);
            }
        }
    }

    /// The secret of `core`, which begins at `at`, where it is a pair of account and secret.
    pub fn handed_over<'c>(&self, at: usize, core: &'c str) -> Option<(&'c str, &'c str)> {
        let (user, secret) = core.split_once('/')?;
        // The account was told by value, and stands before the piece.
        let known = self.text[..at]
            .char_indices()
            .next_back()
            .filter(|(_, c)| user.is_empty() && known_at(*c).is_some());
        let at = known.map_or(at, |(at, _)| at);
        let is_one =
            (known.is_some() || !user.is_empty()) && secret.len() >= 3 && !secret.contains('/');
        if !is_one || secret.starts_with('<') {
            return None;
        }
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let before = self.text[..at].trim_end_matches(['"', '\'', ' ', '=', ':']);
        let mut words = before
            .rsplit(|c: char| !(c.is_alphanumeric() || "-_".contains(c)))
            .filter(|word| !word.is_empty())
            .map(str::to_ascii_lowercase)
            .peekable();
        let mut is_somebody = false;
        while let Some(word) =
            words.next_if(|word| BETWEEN.contains(&word.as_str()) || word.len() == 1)
        {
            is_somebody |= ["as", "with", "using"].contains(&word.as_str());
        }
        is_somebody &= !self.engine.words.is_harmless(user);
        let is_of_rman = |word: &str| {
            ["target", "catalog", "auxiliary"].contains(&word) && self.text.contains("rman")
        };
        let logs_on =
            |word: String| LOGGING_ON.contains(&word.as_str()) || is_of_rman(word.as_str());
        if !is_somebody && !words.next().is_some_and(logs_on) {
            return None;
        }
        let lower = secret.to_ascii_lowercase();
        let is_half = |half: &str| among!(HALVES, half);
        let names = |word: &str| matches!(cues::of(word), Cue::Person(_) | Cue::Weak | Cue::Strong);
        let may_stay = is_few(secret)
            || is_nothing(secret)
            || !user.is_empty() && is_number(user)
            || is_number(secret) && (secret.len() <= 5 && is_half(&user.to_ascii_lowercase()))
            || shape::is_harmless(secret) && !is_number(secret)
            || is_half(&lower)
            || self.engine.words.is_protected(secret)
            || names(user) && cues::of(secret) != Cue::None;
        (!may_stay).then_some((user, secret))
    }

    /// Whether a name is one to which words may link a value: to be kept until they come.
    pub fn links(&self, at: usize, core: &str, cue: Cue) -> bool {
        let is_code = || {
            ["code", "codes", "answer", "phrase", "combination"]
                .iter()
                .any(|one| one.eq_ignore_ascii_case(core))
                && self.text[..at]
                    .split_whitespace()
                    .next_back()
                    .is_some_and(|word| {
                        cue_words::CODES.contains(&word.to_ascii_lowercase().as_str())
                    })
        };
        !self.mood.is_setting && (cue == Cue::Weak || cue == Cue::None && is_code())
    }
}

/// Of which kind the name is that stands behind `before`.
fn head(before: &str, name: &str) -> Option<Head> {
    let behind = before.trim_end_matches([' ', '-']).len();
    let word = before[..behind]
        .rsplit(|c: char| !(c.is_alphanumeric() || "-_".contains(c)))
        .next()
        .unwrap_or_default();
    let mut all: Vec<String> = parts(word).map(str::to_ascii_lowercase).collect();
    all.extend(parts(name).map(str::to_ascii_lowercase));
    let last = all.pop()?;
    let qualifier = all.pop().unwrap_or_default();
    let qualifier = qualifier.as_str();
    Some(match last.as_str() {
        "community" => Head::Community,
        "basic" if name == "Basic" || ["auth", "authorization"].contains(&qualifier) => Head::Basic,
        "basic" => return None,
        "auth" if ["basic", "http", "proxy"].contains(&qualifier) => Head::Opening,
        "key" | "keys" if OPENING.contains(&qualifier) => Head::Opening,
        "key" | "keys" if INDEXED.contains(&qualifier) => return None,
        "session" | "sess" => Head::Session,
        "code" | "codes" | "answer" | "phrase" | "combination" => Head::Code,
        _ => Head::Said,
    })
}
