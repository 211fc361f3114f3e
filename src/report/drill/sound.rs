//! Whether what was told can be true in itself: unbroken, in order, none of it from the future, each word one that
//! the drill knows. Asked whenever something is added, and again of what was sealed. Pure.

use jiff::Timestamp;
use jiff::civil::Date;

use super::same::{is_one, is_ours};
use super::schema::{Begin, Deviation, Entry, Finding, Kind, State, Step, begin};
use super::{EXPERT, OPERATOR};
use crate::digest::Sha256;
use crate::report::answer::says_something;
use crate::text::{did_you_mean, escape, says_nothing};
use crate::time::rfc3339;

/// Nobody tells more; whoever does fills a disk.
const MOST_ENTRIES: usize = 2_000;

/// A time as the record writes it.
pub(super) fn time(what: &str, text: &str) -> Result<Timestamp, String> {
    let time = text.parse::<Timestamp>().ok();
    let time = time.filter(|time| rfc3339(*time) == text);
    time.ok_or_else(|| format!("{what} is no time in UTC, such as 2026-11-22T10:00:00Z"))
}

/// Everything that was told, from the first entry on.
///
/// # Errors
/// What cannot be, in a phrase.
pub(super) fn sound(entries: &[Entry]) -> Result<(), String> {
    if entries.len() > MOST_ENTRIES {
        return Err(format!("more than {MOST_ENTRIES} entries"));
    }
    let begin = begin(entries).ok_or("its first entry does not begin it")?;
    let mut before: Option<(&Entry, Timestamp)> = None;
    let mut findings = 0_usize;
    for (index, entry) in entries.iter().enumerate() {
        let number = index + 1;
        let of = |why: String| format!("entry {number}, `{}`: {why}", entry.step.word());
        if entry.number != number as u64 {
            return Err(of("it has another number".to_owned()));
        }
        let at = time("when it was told", &entry.at).map_err(of)?;
        says_something("who told it", &entry.by).map_err(of)?;
        if let Some((last, then)) = before {
            let bytes = last.write().map_err(of)?;
            if entry.previous.as_deref() != Some(&*Sha256::of(&bytes).to_string()) {
                return Err(of("the entry before it was changed or taken out".to_owned()));
            }
            if at < then {
                return Err(of(format!(
                    "times go backwards: it was told at {}, and the entry before it at {}",
                    entry.at, last.at
                )));
            }
        } else if entry.previous.is_some() {
            return Err(of("something came before it".to_owned()));
        }
        if let Some(reason) = &entry.again {
            says_something("why it is told again", reason).map_err(of)?;
        }
        let earlier = &entries[..index];
        again(entry, earlier).map_err(of)?;
        if let Step::Finding(finding) = &entry.step {
            findings += 1;
            if finding.id != finding_id(begin, findings) {
                return Err(of("it has another id than its place gives it".to_owned()));
            }
        }
        let begun = before.map_or(at, |_| first(entries, at));
        step(begin, entry, begun, at).map_err(of)?;
        before = Some((entry, at));
    }
    Ok(())
}

fn first(entries: &[Entry], at: Timestamp) -> Timestamp {
    entries
        .first()
        .and_then(|entry| entry.at.parse().ok())
        .unwrap_or(at)
}

/// The id of a drill's n-th finding.
pub(super) fn finding_id(begin: &Begin, number: usize) -> String {
    let tail = begin.id.rsplit('-').next().unwrap_or_default();
    format!("{tail}-{number}")
}

/// What may be told once is told again only with a reason.
fn again(entry: &Entry, earlier: &[Entry]) -> Result<(), String> {
    let is_same = |other: &&Entry| match (&entry.step, &other.step) {
        (Step::Escalation(one), Step::Escalation(other)) => one.level == other.level,
        (Step::Last(one), Step::Last(other)) => one.finding == other.finding,
        (Step::Deviation(_), _) | (Step::Finding(_), _) => false,
        (one, other) => one.word() == other.word(),
    };
    let told = earlier.iter().find(is_same);
    let told = told.or_else(|| against(entry, earlier));
    match (told, &entry.again) {
        (Some(_), _) if matches!(entry.step, Step::Begin(_)) => {
            Err("a drill begins once".to_owned())
        }
        (Some(told), None) => Err(format!(
            "it was told already, in entry {}: nothing is rewritten, and the last one counts only with `--again REASON`",
            told.number
        )),
        (None, Some(_)) => Err("it was not told before: leave out `--again`".to_owned()),
        _ => Ok(()),
    }
}

/// That nothing went another way, and what did, cannot both be so.
fn against<'a>(entry: &Entry, earlier: &'a [Entry]) -> Option<&'a Entry> {
    let Step::Deviation(now) = &entry.step else {
        return None;
    };
    let of = |other: &'a Entry| match &other.step {
        Step::Deviation(Deviation { what }) => Some((other, what.is_none())),
        _ => None,
    };
    let (other, was_none) = earlier.iter().rev().find_map(of)?;
    (was_none || now.what.is_none()).then_some(other)
}

fn step(begin: &Begin, entry: &Entry, begun: Timestamp, at: Timestamp) -> Result<(), String> {
    // What happened, happened within the drill and before it was told.
    let within = |what: &str, text: &str| -> Result<Timestamp, String> {
        let time = time(what, text)?;
        match () {
            () if time < begun => Err(format!(
                "{what} is {text}, before the drill began at {}",
                rfc3339(begun)
            )),
            () if time > at => Err(format!("{what} is {text}, which is in the future")),
            () => Ok(time),
        }
    };
    for kept in entry.step.files() {
        let digest = kept.sha256.parse::<Sha256>();
        digest.map_err(|error| format!("`{}`: {error}", escape(&kept.name)))?;
        if !kept.name.starts_with("evidence/") || kept.bytes == 0 {
            return Err(format!(
                "`{}` is empty, or lies elsewhere",
                escape(&kept.name)
            ));
        }
    }
    match &entry.step {
        Step::Begin(_) => {
            let stamp = entry.at.replace(['-', ':'], "");
            match begin.id.split_once('-') {
                Some((told, rest)) if told == stamp && !rest.is_empty() => roles(begin),
                _ => Err("its id tells another time".to_owned()),
            }
        }
        Step::Retrieval(step) => {
            let started = within("the run's beginning", &step.started)?;
            let finished = within("the run's end", &step.finished)?;
            match started <= finished && step.files.len() >= 3 {
                true => Ok(()),
                false => Err("the run ended before it began, or is not kept whole".to_owned()),
            }
        }
        Step::Request(step) => within("when it was ready", &step.at).map(drop),
        Step::Bundle(step) => {
            within("when it was ready", &step.at)?;
            let mut digests: Vec<&str> = step.files.iter().map(|kept| &*kept.sha256).collect();
            digests.sort_unstable();
            digests.dedup();
            for said in &step.said {
                let digest = said.run_manifest.parse::<Sha256>();
                digest.map_err(|error| error.to_string())?;
                says_something("the run that it is of", &said.run)?;
                means_something("who looked at it", &said.reviewed_by)?;
            }
            match !digests.is_empty() && digests.len() == step.files.len() {
                true => Ok(()),
                false => Err("a bundle has one part or more, none of them twice".to_owned()),
            }
        }
        Step::Delivery(step) => {
            within("when it was delivered", &step.at)?;
            for digest in &step.sha256 {
                digest
                    .parse::<Sha256>()
                    .map_err(|error| error.to_string())?;
            }
            match (&step.words, step.receipts.is_empty()) {
                (Some(words), true) => means_something("how the digests became known", words),
                (None, false) => Ok(()),
                _ => Err("it has receipts, or words on how the digests became known".to_owned()),
            }
        }
        Step::Acknowledgement(step) => {
            within("when the vendor answered", &step.at)?;
            means_something("the case number", &step.case)?;
            means_something("who answered", &step.from)?;
            theirs(begin, &step.from, "the vendor acknowledges a case")
        }
        Step::Escalation(step) => {
            level(begin, &step.level)?;
            let tried = within("when it was tried", &step.tried)?;
            match (&step.answered, &step.from) {
                (None, None) => Ok(()),
                (Some(answered), Some(from)) => {
                    means_something("who answered", from)?;
                    theirs(begin, from, "the vendor answers an escalation")?;
                    match within("when it was answered", answered)? >= tried {
                        true => Ok(()),
                        false => Err("it was answered before it was tried".to_owned()),
                    }
                }
                _ => Err("an answer has a time and a person, `--answered` and `--from`".to_owned()),
            }
        }
        Step::Deviation(step) => {
            let mut what = step.what.iter();
            what.try_for_each(|what| means_something("the deviation", what))
        }
        Step::Finding(step) => finding(begin, step, at),
        Step::Last(step) => {
            says_something("the reason", &step.reason)?;
            match (&step.due, step.state) {
                (None, _) => Ok(()),
                (Some(due), State::Open) => to_come(due, at),
                (Some(_), State::Closed) => {
                    Err("what is closed is due no more: leave out `--due`".to_owned())
                }
            }
        }
    }
}

/// Words, and none that only stand where some belong: `TBD`, `?`, `nobody`.
fn means_something(what: &str, words: &str) -> Result<(), String> {
    says_something(what, words)?;
    let nobody = ["nobody", "noone", "no one", "none"];
    let is_nobody = what.starts_with("who ") && nobody.contains(&&*words.trim().to_lowercase());
    match is_nobody || says_nothing(words) {
        true => Err(format!("{what}: `{}` says nothing", escape(words))),
        false => Ok(()),
    }
}

/// Who answered for the vendor is nobody of ours.
fn theirs(begin: &Begin, who: &str, why: &str) -> Result<(), String> {
    match is_ours(begin, who) {
        false => Ok(()),
        true => Err(format!(
            "`{}` is one of ours, by `contacts` or `teams` of the inventory or by a role: {why}",
            escape(who)
        )),
    }
}

/// A day that is not over yet, anywhere: it may be told in any zone.
fn to_come(due: &str, at: Timestamp) -> Result<(), String> {
    let due: Date = crate::calendar::day(due)?;
    match is_over(due, at) {
        true => Err(format!("it is due on {due}, which is over")),
        false => Ok(()),
    }
}

/// Whether a day is over wherever somebody counts days.
pub(super) fn is_over(day: Date, at: Timestamp) -> bool {
    let hours = jiff::SignedDuration::from_hours(12);
    let earliest = at.saturating_sub(hours).unwrap_or(at);
    day < jiff::tz::TimeZone::UTC.to_datetime(earliest).date()
}

fn level(begin: &Begin, name: &str) -> Result<(), String> {
    let levels = &begin.agreed.escalation;
    if levels.iter().any(|level| level.name == name) {
        return Ok(());
    }
    let names: Vec<&str> = levels.iter().map(|level| &*level.name).collect();
    Err(format!(
        "the vendor has no escalation level `{}`; there are: {}",
        escape(name),
        escape(&names.join(", "))
    ))
}

fn finding(begin: &Begin, finding: &Finding, at: Timestamp) -> Result<(), String> {
    says_something("the finding", &finding.what)?;
    let contacts = begin.agreed.contacts.iter().map(|contact| &*contact.key);
    let people = begin.roles.iter().map(|role| &*role.person);
    let known: Vec<&str> = contacts.chain(people).collect();
    if !known.contains(&&*finding.owner) {
        return Err(format!(
            "its owner `{}` is neither a contact of the vendor nor somebody who has a role; {}",
            escape(&finding.owner),
            did_you_mean(&finding.owner, known.iter().copied())
        )
        .trim_end_matches([';', ' '])
        .to_owned());
    }
    to_come(&finding.due, at)?;
    let Some(about) = &finding.about else {
        return Ok(());
    };
    match about.strip_prefix("escalation ") {
        Some(name) => level(begin, name),
        None if ["acknowledgement", "delivery"].contains(&&**about) => Ok(()),
        None => Err(format!(
            "it is about `{}`: `acknowledgement`, `delivery` or `escalation NAME` can fall short",
            escape(about)
        )),
    }
}

/// The usual expert must not be the operator: what only one person can do is what the drill is to find.
fn roles(begin: &Begin) -> Result<(), String> {
    for role in &begin.roles {
        says_something("a role", &role.role)?;
        says_something("who plays a role", &role.person)?;
    }
    let of = |wanted: &str| -> Result<&str, String> {
        let mut found = begin.roles.iter().filter(|role| role.role == wanted);
        match (found.next(), found.next()) {
            (Some(role), None) => Ok(&role.person),
            (None, _) => Err(format!("nobody plays `{wanted}`: --role {wanted}=PERSON")),
            (Some(_), Some(_)) => Err(format!("two people play `{wanted}`")),
        }
    };
    let (expert, operator) = (of(EXPERT)?, of(OPERATOR)?);
    if is_one(begin, expert, operator) {
        return Err(format!(
            "`{}` and `{}` are one person: the usual expert must not be the operator",
            escape(expert),
            escape(operator)
        ));
    }
    match begin.kind {
        Kind::Planned => Ok(()),
        Kind::OutOfHours => match &begin.agreed.coverage {
            Some(coverage) if !coverage.answers => Ok(()),
            Some(_) => Err(
                "it begins within the hours that the vendor is contracted for: it is no drill out of hours"
                    .to_owned(),
            ),
            None => Err("nobody knows the contracted hours".to_owned()),
        },
    }
}
