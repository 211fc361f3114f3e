//! What was found in a log, from the run's own words to the published ones and back: a record is judged
//! again by the very rules of the step.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::evidence::log_seen::{Hole, LevelSeen, LogSeen, Met};
use crate::evidence::promise::{Kept, Promise};
use crate::evidence::redact::Capture;
use crate::inventory::{Artifact, Instance};
use crate::plan::Check;
use crate::report::schema::{self, HoleFound, LevelFound, LogFound, PromiseFound};
use crate::steps::Call;
use crate::steps::log::{Ask, File, When, promise_name};
use crate::time::rfc3339;

/// What the steps of a check ask of its logs: no more is told of ids and holes.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    ids: Vec<String>,
    gap: Option<Duration>,
}

impl Asked {
    pub(super) fn of(check: &Check) -> Self {
        let mut asked = Self::default();
        for step in &check.steps {
            match &*step.call {
                Call::Log(_, Ask::HasId(id)) => asked.ids.push(id.clone()),
                Call::Log(_, Ask::NoGap { most, .. }) => {
                    asked.gap = Some(asked.gap.map_or(*most, |gap| gap.min(*most)));
                }
                _ => {}
            }
        }
        asked
    }
}

pub(super) fn log(seen: &LogSeen, asked: &Asked) -> LogFound {
    let levels = seen.levels.iter().filter(|level| level.entries > 0);
    let levels = levels.map(|level| LevelFound {
        name: level.name.clone(),
        entries: level.entries,
        newest: level.newest.map(rfc3339),
    });
    let met = |id: &String| Some((id.clone(), seen.ids.get(id)?.entries));
    let is_told = |index: usize, hole: &Hole| {
        index == 0
            || asked
                .gap
                .is_some_and(|gap| hole.to.duration_since(hole.from).unsigned_abs() > gap)
    };
    let holes = seen.holes.iter().enumerate();
    let holes = holes.filter(|(index, hole)| is_told(*index, hole));
    let holes = holes.map(|(_, hole)| HoleFound {
        from: rfc3339(hole.from),
        to: rfc3339(hole.to),
    });
    LogFound {
        levels: levels.collect(),
        ids: asked.ids.iter().filter_map(met).collect(),
        holes: holes.collect(),
        names: seen.names.iter().map(|name| redacted(name)).collect(),
        beginning: seen.beginning.map(|digest| digest.to_string()),
    }
}

pub(super) fn promise(promise: &Promise) -> PromiseFound {
    PromiseFound {
        kept_s: match promise.kept {
            Kept::NotByTime => Some(0),
            Kept::For(span) => Some(span.as_secs()),
            Kept::Forever => None,
        },
        rule: redacted(&promise.rule),
        line: promise.line as u64,
    }
}

/// A name is remote text, which leaves redacted like all of it.
fn redacted(text: &str) -> String {
    Capture::new(text).redact().text
}

/// Whether what a passed step asked of a log follows from the evidence told.
pub(super) fn held(
    ask: &Ask,
    artifact: &Artifact,
    instance: &Instance,
    evidence: &[schema::Evidence],
    when: &When,
) -> bool {
    if let Ask::KeptFor(span) = ask {
        let name = promise_name(&artifact.name);
        let mut told = evidence.iter().filter(|file| file.artifact == name);
        return told.any(|file| {
            let promise = file.promise.as_ref();
            promise.is_some_and(|promise| match promise.kept_s {
                None => true,
                Some(seconds) => Kept::For(Duration::from_secs(seconds)).reaches(*span),
            })
        });
    }
    let of = evidence
        .iter()
        .filter(|file| file.artifact == artifact.name && file.entries.is_some());
    let seen: Vec<(&str, LogSeen)> = of.map(|file| (file.path.as_str(), seen(file))).collect();
    let files: Vec<File<'_>> = (seen.iter())
        .map(|(path, seen)| File { path, seen })
        .collect();
    let expected = instance.expect_name.as_deref().map(redacted);
    ask.judge(artifact, expected.as_deref(), &files, when)
        .is_ok()
}

fn seen(file: &schema::Evidence) -> LogSeen {
    let time = |text: &Option<String>| text.as_deref()?.parse::<Timestamp>().ok();
    let found = file.log.clone().unwrap_or_default();
    let (oldest, newest) = (time(&file.oldest_entry), time(&file.newest_entry));
    let levels = found.levels.into_iter().map(|level| LevelSeen {
        newest: time(&level.newest),
        name: level.name,
        entries: level.entries,
    });
    let holes = found.holes.iter().filter_map(|hole| {
        Some(Hole {
            from: hole.from.parse().ok()?,
            to: hole.to.parse().ok()?,
        })
    });
    // When an id was met last is not told, and nobody asks.
    let met = |entries| Met {
        entries,
        newest: newest.unwrap_or(Timestamp::UNIX_EPOCH),
    };
    let ids: BTreeMap<String, Met> = (found.ids.into_iter())
        .map(|(id, entries)| (id, met(entries)))
        .collect();
    LogSeen {
        entries: file.entries.unwrap_or_default(),
        oldest,
        newest,
        levels: levels.collect(),
        ids,
        holes: holes.collect(),
        names: found.names.into_iter().collect(),
        ..LogSeen::default()
    }
}
