//! One line of a runbook, of pieces: what must stay as it is, and slots for what differs from run to run.
//! A slot takes nothing but what it is made for, so that no edit can hide in it.

use crate::report::phrases;

/// How a line stands on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A paragraph.
    Plain,
    /// A paragraph that must not be overlooked.
    Note,
    /// A statement with a name.
    Item,
    /// A detail of the statement above, of which a run may have any number.
    Row,
    /// To be typed as it is.
    Command,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub form: Form,
    /// Its name; empty where it has none.
    pub label: String,
    pub pieces: Vec<Piece>,
    pub proof: Option<Proof>,
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Plain words.
    Words(String),
    /// To be read letter by letter.
    Code(String),
    /// What differs from run to run.
    Slot(Slot),
    /// A check, by its place in the report; its id holds the line of its scenario, which is a slot.
    Check { place: usize, id: String, line: u64 },
}

/// Who says that a statement holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// These checks, each with when it began; how many more there are.
    Checks(Vec<Proven>, usize),
    /// The inventory alone.
    Stated,
}

/// One check that proves something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proven {
    pub place: usize,
    pub id: String,
    pub line: u64,
    pub when: Slot,
}

/// What may differ without a statement being another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// `2026-11-21 09:30:00 UTC`.
    Instant(String),
    /// `2026-11-21`.
    Day(String),
    /// Digits.
    Number(u64),
    /// `1.5 KiB`.
    Size(String),
    /// `2m 5s`.
    Span(String),
    /// A run's id.
    Run(String),
    /// The name and fingerprint of a key that was accepted.
    Signer(String),
    /// A gap on the clock of that zone.
    Gap { zone: String, text: String },
    /// A path to which the pattern leads.
    Path { pattern: String, path: String },
}

impl Line {
    fn of(form: Form, label: &str) -> Self {
        Self {
            form,
            label: label.to_owned(),
            pieces: Vec::new(),
            proof: None,
        }
    }

    pub(super) fn plain(words: &str) -> Self {
        Self::of(Form::Plain, "").words(words)
    }

    pub(super) fn note(words: &str) -> Self {
        Self::of(Form::Note, "").words(words)
    }

    pub(super) fn item(label: &str) -> Self {
        Self::of(Form::Item, label)
    }

    pub(super) fn row() -> Self {
        Self::of(Form::Row, "")
    }

    pub(super) fn command(line: &str) -> Self {
        Self::of(Form::Command, "").code(line)
    }

    pub(super) fn words(self, words: &str) -> Self {
        self.with(Piece::Words(words.to_owned()))
    }

    pub(super) fn code(self, words: &str) -> Self {
        self.with(Piece::Code(words.to_owned()))
    }

    pub(super) fn slot(self, slot: Slot) -> Self {
        self.with(Piece::Slot(slot))
    }

    pub(super) fn with(mut self, piece: Piece) -> Self {
        self.pieces.push(piece);
        self
    }

    pub(super) fn proven(mut self, proof: Proof) -> Self {
        self.proof = Some(proof);
        self
    }
}

impl Slot {
    pub(super) fn instant(rfc3339: &str) -> Self {
        Self::Instant(phrases::instant(rfc3339))
    }

    pub(super) fn day(day: jiff::civil::Date) -> Self {
        Self::Day(day.to_string())
    }

    /// As it is shown.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Instant(text)
            | Self::Day(text)
            | Self::Size(text)
            | Self::Span(text)
            | Self::Run(text)
            | Self::Signer(text)
            | Self::Gap { text, .. } => text.clone(),
            Self::Path { path, .. } => path.clone(),
        }
    }

    /// Whether its text is to be read letter by letter.
    pub(super) const fn is_code(&self) -> bool {
        matches!(self, Self::Run(_) | Self::Signer(_) | Self::Path { .. })
    }

    /// Whether `text` could stand here in the runbook of another run.
    pub(super) fn takes(&self, text: &str) -> bool {
        match self {
            Self::Instant(_) => is_instant(text),
            Self::Day(_) => crate::calendar::day(text).is_ok(),
            Self::Number(_) => is_number(text),
            Self::Size(_) => is_size(text),
            Self::Span(_) => is_span(text),
            Self::Run(_) => is_run(text),
            // Who may sign is asked when the run is accepted; here only its form counts.
            Self::Signer(_) => is_signer(text),
            Self::Gap { zone, .. } => is_gap(text, zone),
            Self::Path { pattern, .. } => is_led_to(pattern, text),
        }
    }
}

fn is_number(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_instant(text: &str) -> bool {
    let Some(clock) = text.strip_suffix(" UTC") else {
        return false;
    };
    clock.len() == 19
        && clock.is_ascii()
        && format!("{}Z", clock.replacen(' ', "T", 1))
            .parse::<jiff::Timestamp>()
            .is_ok()
}

fn is_size(text: &str) -> bool {
    let Some((number, unit)) = text.split_once(' ') else {
        return false;
    };
    let (whole, tenth) = number.split_once('.').unwrap_or((number, "0"));
    is_number(whole) && is_number(tenth) && ["B", "KiB", "MiB", "GiB", "TiB"].contains(&unit)
}

fn is_span(text: &str) -> bool {
    let is_part = |part: &str| {
        let digits = part.find(|c: char| c.is_ascii_alphabetic());
        digits.is_some_and(|at| {
            let (number, unit) = part.split_at(at);
            let (whole, tenth) = number.split_once('.').unwrap_or((number, "0"));
            is_number(whole) && is_number(tenth) && ["ms", "s", "m", "h", "d"].contains(&unit)
        })
    };
    let parts: Vec<&str> = text.split(' ').collect();
    parts.len() <= 2 && parts.into_iter().all(is_part)
}

/// `20261121T093000Z-1a2b3c4d`.
fn is_run(text: &str) -> bool {
    let Some((time, random)) = text.split_once('-') else {
        return false;
    };
    let is_digit = |at: std::ops::Range<usize>| time.as_bytes()[at].iter().all(u8::is_ascii_digit);
    time.len() == 16
        && time.is_ascii()
        && is_digit(0..8)
        && &time[8..9] == "T"
        && is_digit(9..15)
        && time.ends_with('Z')
        && random.len() == 8
        && random.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_signer(text: &str) -> bool {
    let Some((name, key)) = text.split_once(" (SHA256:") else {
        return false;
    };
    let key = key.strip_suffix(')').unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@._+-".contains(c);
    !name.is_empty()
        && name.len() <= 100
        && name.chars().all(is_plain)
        && key.len() == 43
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+/".contains(c))
}

/// `Fri 2026-11-27 17:00 to Mon 2026-11-30 08:00 ZONE (2026-11-27T22:00Z to …Z)`.
fn is_gap(text: &str, zone: &str) -> bool {
    let words: Vec<&str> = text.split(' ').collect();
    let [
        day,
        from,
        at,
        to,
        end_day,
        until,
        end,
        named,
        utc,
        utc_to,
        utc_end,
    ] = words[..]
    else {
        return false;
    };
    let is_day = |word| ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].contains(&word);
    let is_time = |word: &str| {
        word.len() == 5
            && word.is_ascii()
            && format!("{word}:00").parse::<jiff::civil::Time>().is_ok()
    };
    // `2026-11-27T22:00Z`
    let is_utc = |word: Option<&str>| {
        let minute = word.and_then(|word| word.strip_suffix('Z'));
        minute.is_some_and(|minute| {
            minute.len() == 16 && format!("{minute}:00Z").parse::<jiff::Timestamp>().is_ok()
        })
    };
    is_day(day)
        && is_day(end_day)
        && [from, until]
            .iter()
            .all(|word| crate::calendar::day(word).is_ok())
        && is_time(at)
        && is_time(end)
        && to == "to"
        && utc_to == "to"
        && named == zone
        && is_utc(utc.strip_prefix('('))
        && is_utc(utc_end.strip_suffix(')'))
}

/// As deep as the pattern, with what stands before its first wildcard and behind its last.
pub(super) fn is_led_to(pattern: &str, path: &str) -> bool {
    const WILD: [char; 3] = ['*', '?', '['];
    let before = pattern.split(WILD).next().unwrap_or_default();
    let behind = match pattern.rfind(['*', '?', ']']) {
        Some(at) => &pattern[at + 1..],
        None => return pattern == path,
    };
    path.len() >= before.len() + behind.len()
        && path.starts_with(before)
        && path.ends_with(behind)
        && path.matches('/').count() == pattern.matches('/').count()
        && !path.contains(|c: char| c.is_whitespace() || c == '`')
}
