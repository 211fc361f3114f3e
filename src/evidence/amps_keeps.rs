//! What an AMPS configuration promises of its log: the smallest `Age` of an action that removes files and
//! whose `Pattern` finds the log, and whether the log rotates onto itself.
//!
//! Facts: artifacts.md 2.1 (actions, units) and 0.8 (a `FileName` without a mask truncates itself when it
//! rotates). `Keep` and `Count` can only keep more: they are not read.

use std::time::Duration;

use globset::GlobBuilder;

use super::promise::{Kept, Promise};
use super::settings::{Setting, Settings};

const REMOVES: &str = "amps-action-do-remove-files";
const ROTATES: &str = "amps-action-do-rotate-logs";

/// What the files of one configuration, each with its path, promise of the log that lies at `paths`;
/// `None` when no log target is in them.
#[must_use]
pub fn promise(files: &[(&str, &Settings)], paths: &[&str]) -> Option<Promise> {
    let every = |suffix: &str| -> Vec<(&str, Vec<&Setting>)> {
        (files.iter())
            .flat_map(|(path, settings)| {
                groups(settings, suffix)
                    .into_iter()
                    .map(move |one| (*path, one))
            })
            .collect()
    };
    let deeds = every("Do");
    let is = |deed: &[&Setting], module: &str| value(deed, "Module") == Some(module);
    let rotates = deeds.iter().any(|(_, deed)| is(deed, ROTATES));
    let mut promises: Vec<Promise> = Vec::new();
    for (source, target) in every("Target") {
        let Some(name) = find(&target, "FileName") else {
            continue;
        };
        let onto_itself = !name.value.contains('%')
            && (rotates || find(&target, "RotationThreshold").is_some())
            && paths.iter().any(|path| finds(&name.value, path));
        let (kept, rule) = match onto_itself {
            true => (
                Kept::NotByTime,
                "rotates onto itself: `FileName` has no mask such as %n".to_owned(),
            ),
            false => (Kept::Forever, "no action removes it".to_owned()),
        };
        promises.push(Promise {
            kept,
            rule,
            source: source.to_owned(),
            line: name.line,
        });
    }
    if promises.is_empty() {
        return None;
    }
    for (source, deed) in deeds.iter().filter(|(_, deed)| is(deed, REMOVES)) {
        let pattern = find(deed, "Pattern");
        // Without a pattern nobody can say that it spares the log.
        let hits = pattern.is_none_or(|pattern| {
            let mut logs = paths.iter();
            logs.any(|path| {
                finds(&pattern.value, path) || finds(&pattern.value, &format!("{path}.gz"))
            })
        });
        if hits {
            let age = find(deed, "Age");
            promises.push(Promise {
                kept: age
                    .and_then(|age| span(&age.value))
                    .map_or(Kept::NotByTime, Kept::For),
                rule: "removed by age".to_owned(),
                source: (*source).to_owned(),
                line: age.or(pattern).map_or(1, |setting| setting.line),
            });
        }
    }
    promises.into_iter().min_by_key(|promise| promise.kept)
}

/// The settings below each element `name`, one list for each; the element itself comes first.
fn groups<'s>(settings: &'s Settings, name: &str) -> Vec<Vec<&'s Setting>> {
    let mut groups: Vec<Vec<&Setting>> = Vec::new();
    for setting in &settings.list {
        let mut parts = setting.path.split('/').skip_while(|part| *part != name);
        if parts.next().is_none() {
            continue;
        }
        if parts.next().is_none() {
            groups.push(Vec::new());
        }
        if let Some(group) = groups.last_mut() {
            group.push(setting);
        }
    }
    groups
}

fn find<'s>(group: &[&'s Setting], key: &str) -> Option<&'s Setting> {
    let is = |setting: &&&Setting| setting.path.rsplit('/').next() == Some(key);
    group.iter().find(is).copied()
}

fn value<'s>(group: &[&'s Setting], key: &str) -> Option<&'s str> {
    find(group, key).map(|setting| setting.value.trim())
}

/// Whether a pattern of the configuration finds the file. What is relative may begin anywhere, since it
/// is resolved against a directory that only the process knows; a `${VARIABLE}` and a part of a mask may
/// be anything.
fn finds(pattern: &str, path: &str) -> bool {
    let mut loose = String::new();
    let mut rest = pattern.trim();
    while let Some((before, behind)) = rest.split_once("${") {
        loose.push_str(before);
        loose.push('*');
        rest = behind.split_once('}').map_or("", |(_, rest)| rest);
    }
    loose.push_str(rest);
    let mut glob = String::new();
    let mut letters = loose.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '%' => {
                letters.next();
                glob.push('*');
            }
            letter => glob.push(letter),
        }
    }
    let glob = glob.strip_prefix("./").unwrap_or(&glob);
    let glob = match glob.starts_with(['/', '*']) {
        true => glob.to_owned(),
        false => format!("*/{glob}"),
    };
    let built = GlobBuilder::new(&glob).literal_separator(false).build();
    // What cannot be read may find it.
    built.map_or(true, |glob| glob.compile_matcher().is_match(path))
}

/// `7d`, `12h`; without a unit, seconds.
fn span(text: &str) -> Option<Duration> {
    let text = text.trim().to_ascii_lowercase();
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let number: u64 = number.parse().ok()?;
    let seconds = match unit.trim() {
        "ns" | "us" | "ms" => 0,
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(number.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    /// As the settings of an XML file come: in its order, one line each.
    fn settings(list: &[(&str, &str)]) -> Settings {
        let list = list.iter().enumerate().map(|(at, (path, value))| Setting {
            path: format!("AMPSConfig/{path}"),
            value: (*value).to_owned(),
            line: at + 1,
        });
        Settings {
            list: list.collect(),
            ..Settings::default()
        }
    }

    fn judge(list: &[(&str, &str)]) -> Option<Promise> {
        let settings = settings(list);
        promise(
            &[("/c.xml", &settings)],
            &["/opt/amps/logs/orders-00001.log"],
        )
    }

    const TARGET: [(&str, &str); 3] = [
        ("Logging/Target", ""),
        ("Logging/Target/Protocol", "file"),
        ("Logging/Target/FileName", "/opt/amps/logs/orders-%n.log"),
    ];

    fn removing<'a>(pattern: &'a str, age: &'a str) -> [(&'a str, &'a str); 6] {
        [
            ("Actions/Action/On/Module", "amps-action-on-schedule"),
            ("Actions/Action/On/Options/Every", "23:00"),
            ("Actions/Action/Do", ""),
            ("Actions/Action/Do/Module", REMOVES),
            ("Actions/Action/Do/Options/Pattern", pattern),
            ("Actions/Action/Do/Options/Age", age),
        ]
    }

    #[test]
    fn the_smallest_age_that_finds_the_log_is_the_promise() {
        let actions = [
            removing("/opt/amps/logs/*.log", "30d"),
            removing("/opt/amps/logs/*.gz", "1w"),
            removing("/opt/amps/journals/*", "1h"),
        ];
        let list = [&TARGET[..], &actions.concat()].concat();
        let found = judge(&list).unwrap();
        assert_eq!((found.kept, found.line), (Kept::For(7 * DAY), 15));
        let list = [&TARGET[..], &actions[2]].concat();
        assert_eq!(judge(&list).unwrap().kept, Kept::Forever);
    }

    #[test]
    fn what_cannot_be_known_promises_no_more_than_it_may() {
        for (pattern, age, kept) in [
            ("${LOGS}/*.log", "2d", Kept::For(2 * DAY)),
            ("logs/*.log", "2d", Kept::For(2 * DAY)),
            ("./logs/*.log", "172800", Kept::For(2 * DAY)),
            ("/opt/amps/logs/*", "${AGE}", Kept::NotByTime),
            ("other/*.log", "2d", Kept::Forever),
        ] {
            let list = [&TARGET[..], &removing(pattern, age)].concat();
            assert_eq!(judge(&list).unwrap().kept, kept, "{pattern} {age}");
        }
        let without = &removing("", "1h")[..4];
        let list = [&TARGET[..], without].concat();
        assert_eq!(judge(&list).unwrap().kept, Kept::NotByTime);
        assert_eq!(judge(&removing("*", "1h")), None);
    }

    #[test]
    fn a_log_that_rotates_onto_itself_is_promised_nothing() {
        let threshold = ("Logging/Target/RotationThreshold", "1G");
        let fixed = |name| {
            [
                TARGET[0],
                TARGET[1],
                ("Logging/Target/FileName", name),
                threshold,
            ]
        };
        let kept = |name| judge(&fixed(name)).unwrap().kept;
        assert_eq!(kept("/opt/amps/logs/orders-00001.log"), Kept::NotByTime);
        assert_eq!(kept("logs/orders-00001.log"), Kept::NotByTime);
        assert_eq!(kept("/opt/amps/logs/orders-%n.log"), Kept::Forever);
        // Of another target it says nothing.
        let both = [&TARGET[..], &fixed("/opt/amps/logs/audit.log")].concat();
        assert_eq!(judge(&both).unwrap().kept, Kept::Forever);
        let unrotated = &fixed("/opt/amps/logs/orders-00001.log")[..3];
        assert_eq!(judge(unrotated).unwrap().kept, Kept::Forever);
    }
}
