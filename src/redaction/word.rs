//! One piece of text without blanks: may it stay, and if not, what kind of name stands in its place.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use regex::Regex;

use super::cues::{self, Cue};
use super::map::Class;
use super::shape;
use super::vocabulary::{is_mixed, is_numbered, is_short, is_word, parts};
use crate::evidence::redact::compile;

/// What is remembered of words that were met.
const MOST_REMEMBERED: usize = 1 << 16;
const LONGEST: usize = 80;

/// Ends of host names; a name that ends so is a machine's.
const DOMAINS: &[&str] = &[
    "com",
    "net",
    "org",
    "edu",
    "gov",
    "mil",
    "int",
    "internal",
    "local",
    "lan",
    "corp",
    "home",
    "intra",
    "intranet",
    "localdomain",
    "example",
    "invalid",
    "test",
    "dev",
    "cloud",
    "app",
    "bank",
    "arpa",
    "info",
    "biz",
    "private",
    "prod",
    "staging",
    "production",
    "site",
    "online",
    "tech",
    "systems",
    "network",
    "company",
    "group",
    "finance",
    "digital",
    "svc",
    "cluster",
    "domain",
    "office",
    "services",
    "zone",
    "host",
    "page",
    "xyz",
    "eu",
    "uk",
    "de",
    "ch",
    "fr",
    "us",
    "jp",
    "in",
    "at",
    "it",
    "es",
    "nl",
    "se",
    "no",
    "dk",
    "pl",
    "ru",
    "cn",
    "hk",
    "sg",
    "au",
    "ca",
    "br",
    "io",
    "ai",
    "co",
    "me",
    "tv",
    "be",
    "fi",
    "ie",
    "cz",
    "kr",
    "tw",
    "za",
    "mx",
    "il",
    "ae",
    "li",
    "lu",
    "pt",
    "gr",
    "hu",
    "ro",
    "tr",
    "nz",
];

/// What programs call their own, from the outside in.
const PACKAGES: &[&str] = &[
    "org", "com", "net", "io", "java", "javax", "jakarta", "sun", "jdk", "kafka", "scala",
];

/// What was told of the words of one state.
type Memo = (u64, HashMap<Box<str>, Told, foldhash::fast::RandomState>);

thread_local! {
    static MEMO: RefCell<Memo> = RefCell::default();
}

/// No other is equal to it.
pub(super) struct State(u64);

impl Default for State {
    fn default() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(1);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }
}

/// What is known of single words.
#[derive(Default)]
pub(super) struct Vocabulary {
    /// The instance, its product, and the versions that the run has found.
    pub protected: BTreeSet<String>,
    pub versions: BTreeSet<String>,
    /// Words of the house that give nobody away.
    pub kept: BTreeSet<String>,
    /// Which of all vocabularies it is, as it is now: what was told before is remembered by thread.
    pub state: State,
}

/// What is said of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// What it is when it may not stay.
    pub class: Option<Class>,
    /// What it says of what follows.
    pub cue: Cue,
}

impl Vocabulary {
    /// Looked up where it was met before.
    pub fn tell(&self, piece: &str) -> Told {
        // Every line has other numbers: they would only crowd out what is worth to be remembered.
        let is_number = piece.len() <= 20 && piece.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && shape::is_harmless(piece) {
            return Told {
                class: None,
                cue: Cue::None,
            };
        }
        MEMO.with_borrow_mut(|(state, memo)| {
            if *state != self.state.0 || memo.len() >= MOST_REMEMBERED {
                memo.clear();
                *state = self.state.0;
            }
            if let Some(told) = memo.get(piece) {
                return *told;
            }
            let told = Told {
                class: self.judge(piece),
                cue: cues::of(piece),
            };
            memo.insert(piece.into(), told);
            told
        })
    }

    pub fn forget(&mut self) {
        self.state = State::default();
    }

    /// Whether a piece may stay where no secret and no name is expected.
    pub fn is_harmless(&self, piece: &str) -> bool {
        self.tell(piece).class.is_none()
    }

    pub fn is_protected(&self, piece: &str) -> bool {
        self.protected
            .iter()
            .any(|kept| kept.eq_ignore_ascii_case(piece))
    }

    /// The instance's own word, the product's, or one that the house keeps.
    pub fn is_own(&self, piece: &str) -> bool {
        let first = piece.split('-').next().unwrap_or_default();
        self.is_protected(piece)
            || self.is_protected(first)
            || self.is_kept(piece)
            || self.is_kept(first)
    }

    fn is_kept(&self, piece: &str) -> bool {
        !self.kept.is_empty() && self.kept.contains(&piece.to_ascii_lowercase())
    }

    fn judge(&self, piece: &str) -> Option<Class> {
        let is_letters = piece.bytes().all(|byte| byte.is_ascii_alphabetic());
        let stays = piece.chars().all(|c| c.is_ascii_punctuation())
            || piece.len() == 1 && piece.is_ascii()
            || is_letters && (is_word(piece) || cues::is_word(piece))
            || shape::is_harmless(piece)
            || is_mixed(piece)
            || self.is_protected(piece)
            || self.versions.contains(piece)
            || self.is_kept(piece);
        if stays {
            return None;
        }
        if !piece.is_ascii() || piece.len() > LONGEST {
            return Some("name");
        }
        if is_host(piece) {
            return Some("host");
        }
        match compound(piece, |part| self.is_protected(part) || self.is_kept(part)) {
            true => None,
            false => Some(
                match is_letters
                    || piece
                        .bytes()
                        .all(|b| b.is_ascii_alphabetic() || b"._-".contains(&b))
                {
                    true => "name",
                    false => "id",
                },
            ),
        }
    }
}

/// Labels with dots whose last one is a domain.
fn is_host(piece: &str) -> bool {
    let piece = piece.trim_matches('.');
    let Some((first, last)) = piece
        .split_once('.')
        .map(|(first, _)| first)
        .zip(piece.rsplit('.').next())
    else {
        return false;
    };
    let last = last.to_ascii_lowercase();
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let is_package = piece.split('.').count() > 2 && PACKAGES.contains(&first);
    DOMAINS.contains(&last.as_str()) && piece.split('.').all(is_label) && !is_package
}

/// A name made of words: `clientName`, `amps-action-do-rotate-logs`, `orders-2026-11-21.log.1`, `thread-12`.
fn compound(piece: &str, is_protected: impl Fn(&str) -> bool) -> bool {
    static DAY: LazyLock<Regex> = LazyLock::new(|| {
        compile(
            r"[_\-.]?(?:19|20)\d\d-?\d\d-?\d\d(?:[T_\-]?\d\d[:\-]?\d\d(?:[:\-]?\d\d)?Z?)?|[_\-.]?%[A-Za-z]",
        )
    });
    if !piece.contains('.') {
        return plain(piece, &is_protected);
    }
    // A file: its day, and the number of its turn.
    let piece = DAY.replace(piece, "");
    let mut labels = piece.split('.');
    let first = labels.next().unwrap_or_default();
    (plain(first, &is_protected) || first.is_empty() || is_mixed(first))
        && labels.all(|label| {
            let is_turn = label.len() <= 6 && label.bytes().all(|byte| byte.is_ascii_digit());
            is_turn || is_mixed(label) || plain(label, &is_protected)
        })
}

fn plain(piece: &str, is_protected: &impl Fn(&str) -> bool) -> bool {
    if piece
        .bytes()
        .any(|byte| byte.is_ascii_punctuation() && !b"_-+~$%".contains(&byte))
    {
        return false;
    }
    let mut before = "";
    let mut words = 0;
    for part in parts(piece) {
        let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
        let is_fine = match part.len() {
            _ if is_number => is_numbered(before) && part.len() <= 4,
            0 => false,
            // `X-Api-Key`.
            1 => "xX".contains(part) || "eEiI".contains(part) && before.is_empty(),
            2 => is_short(part) || cues::is_word(part),
            _ => {
                let bare = part.strip_prefix("lib").unwrap_or(part);
                is_word(part)
                    || cues::is_word(part)
                    || bare.len() > 2 && (is_word(bare) || cues::is_word(bare))
            }
        };
        if !is_fine && !is_protected(part) {
            return false;
        }
        words += usize::from(!is_number && part.len() > 1);
        before = part;
    }
    words > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_and_names_do_not() {
        let mut known = Vocabulary::default();
        known.protected.insert("orders".to_owned());
        known.versions.insert("5.3.4.12".to_owned());
        for piece in [
            "connected",
            "InetAddr",
            "AMPSConfig",
            "client_name",
            "amps-action-do-rotate-logs",
            "thread-12",
            "pool-1-thread-2",
            "00-0015",
            "5.3.4.12",
            "orders.log",
            "orders-2026-11-21.log",
            "server.log.1",
            "orders.20261121T091800Z.log.gz",
            "org.apache.kafka.common",
            "utf8",
            "x86_64",
            "sha256",
            "stats.db",
            "config.xml",
            "max_connections",
            "a",
            "--",
        ] {
            assert_eq!(known.judge(piece), None, "{piece}");
        }
        for piece in [
            "bob",
            "kurt",
            "ny4-1",
            "db7",
            "server-01",
            "node-3",
            "web01",
            "Xy9hunter",
            "hunter2",
            "backend.bank.internal",
            "ip-10-77-1-9.ec2.internal",
            "ip-10-77-1-9",
            "kXqOnZw",
            "Zürich",
            "dGlnZXI",
            "a1b2c3d4",
            "orders7",
            "tiger.log",
            "stats2.db",
            "0x0A4D0109",
            "DE89370400440532013000",
            "550e8400-e29b-41d4-a716-446655440000",
            "user7",
        ] {
            assert!(known.judge(piece).is_some(), "{piece}");
        }
    }
}
