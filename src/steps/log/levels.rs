//! What stands in a log: entries of a level or a worse one, entries with an id, entries at all.

use std::time::Duration;

use super::{File, When, age, signed};
use crate::evidence::journald;
use crate::evidence::log::AMPS_LEVELS;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, EntryForm, Format, Instance, Source};
use crate::{text, time};

/// The levels of a log from low to high, each with its words; nothing where the inventory does not say.
#[must_use]
pub fn ranks(artifact: &Artifact) -> Vec<Vec<String>> {
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    match (&artifact.source, artifact.format) {
        (Source::Journal(_), _) => journald::LEVELS.iter().map(|rank| words(rank)).collect(),
        (_, Some(Format::AmpsLog)) => AMPS_LEVELS.iter().map(|word| words(&[word])).collect(),
        _ => (artifact.log.entry.as_ref())
            .map(|entry| entry.levels.clone())
            .unwrap_or_default(),
    }
}

/// The rank of a word. Products differ in case, and so do people.
fn rank(ranks: &[Vec<String>], word: &str) -> Option<usize> {
    let is = |known: &String| known.eq_ignore_ascii_case(word);
    ranks.iter().position(|words| words.iter().any(is))
}

pub(super) fn validate(instance: &Instance, artifact: &Artifact, word: &str) -> Result<(), String> {
    let ranks = ranks(artifact);
    let (name, of) = (&artifact.name, &instance.name);
    if ranks.is_empty() {
        return Err(format!(
            "artifact `{name}` of instance `{of}` does not say its levels: write `levels:` below `entry:`, from low to high"
        ));
    }
    if rank(&ranks, word).is_some() {
        return tells_level(instance, artifact);
    }
    let known: Vec<&str> = ranks.iter().flatten().map(String::as_str).collect();
    let meant = match text::did_you_mean(word, known.iter().copied()) {
        meant if meant.is_empty() => format!("its levels are {}", known.join(", ")),
        meant => meant,
    };
    Err(format!(
        "artifact `{name}` of instance `{of}` has no level `{word}`: {meant}"
    ))
}

/// Without a place where it stands no entry would have a level, and none would be too bad.
fn tells_level(instance: &Instance, artifact: &Artifact) -> Result<(), String> {
    let entry = artifact.log.entry.as_ref();
    let is_known = match (&artifact.source, artifact.format) {
        (Source::Journal(_), _) | (_, Some(Format::AmpsLog)) => true,
        _ => entry.is_some_and(|entry| match &entry.form {
            EntryForm::Line(pattern) => {
                let mut names = pattern.0.capture_names().flatten();
                names.any(|name| name == "level")
            }
            EntryForm::Json { level, .. } => level.is_some(),
        }),
    };
    match is_known {
        true => Ok(()),
        false => Err(format!(
            "the entries of artifact `{}` of instance `{}` do not say where their level stands: write a group `(?<level>…)` into `entry: {{pattern: …}}`, or `level:` into `entry: {{json: …}}`",
            artifact.name, instance.name
        )),
    }
}

/// Entries tell an id only where the grammar says where it stands.
pub(super) fn validate_id(instance: &Instance, artifact: &Artifact) -> Result<(), String> {
    let tells = match (&artifact.source, artifact.format) {
        (Source::Journal(_), _) | (_, Some(Format::AmpsLog)) => true,
        _ => match artifact.log.entry.as_ref().map(|entry| &entry.form) {
            Some(EntryForm::Line(pattern)) => {
                pattern.0.capture_names().flatten().any(|name| name == "id")
            }
            Some(EntryForm::Json { id, .. }) => id.is_some(),
            None => false,
        },
    };
    match tells {
        true => Ok(()),
        false => Err(format!(
            "the entries of artifact `{}` of instance `{}` have no id: write a group `(?<id>…)` into `entry: {{pattern: …}}`, or `id:` into `entry: {{json: …}}`",
            artifact.name, instance.name
        )),
    }
}

/// Whether a level that was seen is as bad as `least`.
fn is_worse(ranks: &[Vec<String>], seen: &str, least: usize) -> bool {
    rank(ranks, seen).is_some_and(|rank| rank >= least)
}

fn entries(files: &[File<'_>]) -> u64 {
    files.iter().map(|file| file.seen.entries).sum()
}

pub(super) fn has(files: &[File<'_>], artifact: &Artifact, word: &str) -> Result<(), Failure> {
    let ranks = ranks(artifact);
    // The plan has seen to it that the word is known.
    let least = rank(&ranks, word).unwrap_or(usize::MAX);
    let levels = files.iter().flat_map(|file| &file.seen.levels);
    let found = levels.filter(|level| level.entries > 0 && is_worse(&ranks, &level.name, least));
    if found.count() > 0 {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Missing,
        format!("an entry of level {word} or worse"),
        format!("none among {}", count(files)),
    )
    .with_hint("does the product's configuration log this level at all, and to this file? A level that is filtered out is missing when support asks for it"))
}

pub(super) fn has_none_within(
    files: &[File<'_>],
    artifact: &Artifact,
    word: &str,
    span: Duration,
    when: &When,
) -> Result<(), Failure> {
    let expected = format!(
        "no entry of level {word} or worse from the last {}",
        time::say(span)
    );
    let ranks = ranks(artifact);
    let least = rank(&ranks, word).unwrap_or(0);
    for file in files {
        let levels = file.seen.levels.iter();
        // Of a word that the inventory does not know nobody can say that it is harmless.
        let is_bad = |name: &str| is_worse(&ranks, name, least) || rank(&ranks, name).is_none();
        let bad = levels.filter(|level| level.entries > 0 && is_bad(&level.name));
        for level in bad {
            // Of an entry without a time nobody can say that it is old.
            let Some(newest) = level.newest.or(file.seen.newest) else {
                continue;
            };
            let age = when.latest.duration_since(newest);
            if age.saturating_add(when.slack) <= signed(span) {
                let is_known = rank(&ranks, &level.name).is_some();
                let when = match level.newest {
                    Some(newest) => {
                        format!("from {}, {} ago", time::rfc3339(newest), super::say(age))
                    }
                    None => "whose time cannot be read, and which may be as young".to_owned(),
                };
                let hint = match (is_known, level.newest) {
                    (false, _) => {
                        "the artifact's `levels:` do not say how bad this level is: add it there, from low to high"
                    }
                    (true, None) => {
                        "correct `time:` of the artifact's `entry:`, so that every entry tells its age"
                    }
                    (true, Some(_)) => {
                        "read it in the log and mend its cause; what is known and harmless belongs below that level"
                    }
                };
                return Err(Failure::new(
                    FailureKind::Mismatch,
                    expected,
                    format!("one of level {} {when}", level.name),
                )
                .with_subject(file.path)
                .with_hint(hint));
            }
        }
    }
    // What was removed cannot be known to have been harmless.
    let times = age::times(files);
    match times.oldest {
        Some(oldest) if age::reaches(oldest, span, when) => Ok(()),
        oldest => Err(Failure::new(
            FailureKind::Gap,
            expected,
            match oldest {
                None => "no entry with a time".to_owned(),
                Some(oldest) => format!("the log begins at {} only", time::rfc3339(oldest)),
            },
        )
        .with_subject_if_none(times.path)
        .with_hint(age::YOUNG)),
    }
}

pub(super) fn has_id(files: &[File<'_>], id: &str) -> Result<(), Failure> {
    if files.iter().any(|file| file.seen.ids.contains_key(id)) {
        return Ok(());
    }
    let known = files.iter().flat_map(|file| file.seen.ids.keys());
    let close = text::did_you_mean(id, known.map(String::as_str));
    let more = files.iter().any(|file| file.seen.has_more_ids);
    let hint = match (close.is_empty(), more) {
        (false, _) => format!("{close} Or the log no longer reaches back to that entry"),
        (true, true) => format!(
            "a file of this log has more than {} different ids, and only the first of them are told: is the `id` of the entry's pattern really an id?",
            crate::evidence::log_seen::LogSeen::MOST_IDS
        ),
        (true, false) => {
            "the log no longer reaches back to that entry, is filtered, or is not this product's"
                .to_owned()
        }
    };
    Err(Failure::new(
        FailureKind::Missing,
        format!("an entry with id {id}"),
        format!("none among {}", count(files)),
    )
    .with_hint(hint))
}

pub(super) fn at_least(files: &[File<'_>], least: u64) -> Result<(), Failure> {
    let seen = entries(files);
    if seen >= least {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Short,
        format!("at least {least} entries"),
        format!("{seen}"),
    )
    .with_hint("the log was cut or rotated away, the product logs less than it should, or this is not its main log"))
}

fn count(files: &[File<'_>]) -> String {
    match entries(files) {
        1 => "1 entry".to_owned(),
        many => format!("{many} entries"),
    }
}
