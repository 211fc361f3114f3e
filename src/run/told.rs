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
    let of: Vec<&schema::Evidence> = of.collect();
    // Older records tell no more than what these two ask.
    let is_old_ask = matches!(ask, Ask::EntryWithin(_) | Ask::Covers(_));
    if !is_old_ask && of.iter().any(|file| file.log.is_none()) {
        return false;
    }
    let of = of.into_iter();
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

#[cfg(test)]
mod tests {
    use super::*;

    const ESTATE: &str = r#"
environment: production
hosts:
  a: {address: 192.0.2.1, host_key: "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
teams: {ops: {user: ops, key: k}}
products:
  p:
    artifacts:
      version: {kind: version, command: ["{home}/v"]}
      configuration: {kind: configuration, path: "{home}/c.xml", format: xml}
      event log: {kind: log, path: "{home}/*.log", format: amps-log, names: "of (.*)"}
      statistics: {kind: statistics, path: "{home}/stats.db"}
instances:
  one: {product: p, host: a, teams: [ops], vars: {home: /opt/one}, expect: {name: one}}
"#;

    fn at(clock: &str) -> Timestamp {
        format!("2026-11-21T{clock}:00Z").parse().unwrap()
    }

    fn seen() -> LogSeen {
        let level = |name: &str, entries, newest| LevelSeen {
            name: name.into(),
            entries,
            newest: Some(at(newest)),
        };
        let met = Met {
            entries: 3,
            newest: at("10:00"),
        };
        LogSeen {
            entries: 100,
            oldest: Some(at("01:00")),
            newest: Some(at("11:59")),
            levels: vec![level("info", 90, "11:59"), level("error", 10, "08:00")],
            ids: BTreeMap::from([("00-0015".to_owned(), met)]),
            holes: vec![Hole {
                from: at("04:00"),
                to: at("05:00"),
            }],
            names: ["one".to_owned()].into(),
            ..LogSeen::default()
        }
    }

    #[test]
    fn what_held_holds_from_the_record_alone_and_what_was_changed_does_not() {
        let bytes = ESTATE.as_bytes().to_vec();
        let inventory =
            crate::inventory::Inventory::parse(std::path::Path::new("i.yaml"), bytes).unwrap();
        let instance = &inventory.instances[0];
        let mut artifacts = instance.artifacts.iter();
        let artifact = artifacts.find(|one| one.name == "event log").unwrap();
        let hour = |hours: u64| Duration::from_secs(3600 * hours);
        let asked = Asked {
            ids: vec!["00-0015".into()],
            gap: Some(hour(1)),
        };
        let mut file = schema::Evidence {
            artifact: "event log".into(),
            path: "/opt/one/a.log".into(),
            newest_entry: Some(rfc3339(at("11:59"))),
            oldest_entry: Some(rfc3339(at("01:00"))),
            entries: Some(100),
            log: Some(log(&seen(), &asked)),
            ..crate::report::sample::go().checks[0].evidence[0].clone()
        };
        let when = When {
            earliest: at("12:00"),
            latest: at("12:01"),
            slack: jiff::SignedDuration::from_secs(5),
        };
        let no_gap = |most| Ask::NoGap { most, last: None };
        let asks = |file: &schema::Evidence| {
            let error = "error".to_owned();
            [
                no_gap(hour(1)),
                Ask::NoneFromFuture,
                Ask::BelongsToInstance,
                Ask::HasLevel(error.clone()),
                Ask::NoLevelWithin(error, hour(3)),
                Ask::HasId("00-0015".into()),
                Ask::AtLeast(100),
                Ask::Covers(hour(11)),
            ]
            .map(|ask| held(&ask, artifact, instance, std::slice::from_ref(file), &when))
        };
        assert_eq!(asks(&file), [true; 8]);
        let of = |ask: Ask| held(&ask, artifact, instance, std::slice::from_ref(&file), &when);
        assert!(!of(no_gap(hour(1) - Duration::from_secs(10))));
        assert!(!of(Ask::AtLeast(101)) && !of(Ask::HasId("00-0016".into())));
        assert!(!of(Ask::KeptFor(hour(1))));
        // Without what was found in it nothing is borne out that needs it.
        file.log = None;
        assert_eq!(
            asks(&file),
            [false, false, false, false, false, false, false, true]
        );
        file.artifact = promise_name("event log");
        for (kept_s, enough) in [
            (Some(7200), true),
            (Some(3599), false),
            (Some(0), false),
            (None, true),
        ] {
            file.promise = Some(PromiseFound {
                kept_s,
                rule: "daily".into(),
                line: 1,
            });
            let ask = Ask::KeptFor(hour(1));
            let told = held(&ask, artifact, instance, std::slice::from_ref(&file), &when);
            assert_eq!(told, enough, "{kept_s:?}");
        }
    }
}
