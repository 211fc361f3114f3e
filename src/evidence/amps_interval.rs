//! How often an AMPS configuration says that a sample is taken: `Admin/Interval`.
//!
//! Facts: artifacts.md 2.1: 10 seconds where `Admin` does not say, at least 1 second, a number and a unit
//! from ns to w in letters of either case. What that leaves open is refused, never guessed.

use std::time::Duration;

use super::settings::{Setting, Settings};
use crate::failure::{Failure, FailureKind};
use crate::text;

const DEFAULT: Duration = Duration::from_secs(10);
const LEAST: Duration = Duration::from_secs(1);
const HINT: &str = "say it in the inventory: `interval: 10s` of the statistics";

/// An interval, and what says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configured {
    /// How often.
    pub every: Duration,
    /// Path of the file.
    pub source: String,
}

/// What the files of one configuration, each with its path, say.
///
/// # Errors
/// They do not say it, say it in two ways, or in one that is not known.
pub fn interval(files: &[(&str, &Settings)]) -> Result<Configured, Failure> {
    let missing = |actual: &str| {
        let expected = "`Admin/Interval` in the configuration";
        Failure::new(FailureKind::Missing, expected, actual).with_hint(HINT)
    };
    let found: Vec<(&str, &Setting)> = every(files, "Admin/Interval").collect();
    let Some((source, setting)) = found.first() else {
        let Some((source, _)) = every(files, "Admin").next() else {
            return Err(missing("no `Admin` in any of its files"));
        };
        if files.iter().any(|(_, file)| !file.includes.is_empty()) {
            let actual = "none, and it includes files that may have one";
            return Err(missing(actual).with_subject(source));
        }
        return Ok(Configured {
            every: DEFAULT,
            source: (*source).to_owned(),
        });
    };
    let say = |one: &Setting| text::clip(&text::escape(&one.value), 40).into_owned();
    let wrong = |actual: String, hint: &str| {
        Failure::new(FailureKind::Mismatch, "one `Admin/Interval`", actual)
            .with_subject(*source)
            .with_hint(hint)
    };
    if let Some((other, second)) = (found.iter()).find(|(_, one)| one.value != setting.value) {
        let line = second.line;
        let [first, second] = [*setting, *second].map(say);
        let actual = format!(
            "`{first}` at line {} and `{second}` at line {} of {other}",
            setting.line, line
        );
        return Err(wrong(actual, HINT));
    }
    let said = say(setting);
    match span(&setting.value) {
        Some(every) if every >= LEAST => Ok(Configured {
            every,
            source: (*source).to_owned(),
        }),
        Some(_) => Err(wrong(
            format!("`{said}` at line {}: AMPS takes at least 1s", setting.line),
            "correct the configuration, or say what the product makes of it: `interval:` of the statistics",
        )),
        None => Err(wrong(
            format!("`{said}` at line {}: no number with a unit", setting.line),
            HINT,
        )),
    }
}

/// The settings whose path ends so, in the order of the files.
fn every<'s>(
    files: &[(&'s str, &'s Settings)],
    end: &'static str,
) -> impl Iterator<Item = (&'s str, &'s Setting)> {
    let is = move |setting: &&Setting| {
        let before = setting.path.strip_suffix(end);
        before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
    };
    let of = move |(path, file): &(&'s str, &'s Settings)| {
        let path = *path;
        file.list.iter().filter(is).map(move |one| (path, one))
    };
    files.iter().flat_map(of).collect::<Vec<_>>().into_iter()
}

fn span(text: &str) -> Option<Duration> {
    let text = text.trim().to_ascii_lowercase();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let number: u64 = number.parse().ok()?;
    let seconds = |each: u64| number.checked_mul(each).map(Duration::from_secs);
    match unit {
        "ns" => Some(Duration::from_nanos(number)),
        "us" => Some(Duration::from_micros(number)),
        "ms" => Some(Duration::from_millis(number)),
        "s" => seconds(1),
        "m" => seconds(60),
        "h" => seconds(3600),
        "d" => seconds(86_400),
        "w" => seconds(7 * 86_400),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::settings::Include;

    fn file(list: &[(&str, &str)]) -> Settings {
        let list = list.iter().enumerate().map(|(at, (path, value))| Setting {
            path: (*path).to_owned(),
            value: (*value).to_owned(),
            line: at + 1,
        });
        Settings {
            list: list.collect(),
            ..Settings::default()
        }
    }

    #[test]
    fn a_number_with_a_unit_is_read_and_nothing_else_is() {
        for (value, told) in [
            ("10s", Ok(10_000)),
            (" 5S ", Ok(5_000)),
            ("2500ms", Ok(2_500)),
            ("1m", Ok(60_000)),
            ("1h", Ok(3_600_000)),
            ("1000000us", Ok(1_000)),
            ("999ms", Err("at least 1s")),
            ("0s", Err("at least 1s")),
            ("10", Err("no number with a unit")),
            ("10 s", Err("no number with a unit")),
            ("1.5s", Err("no number with a unit")),
            ("-1s", Err("no number with a unit")),
            ("s", Err("no number with a unit")),
            ("", Err("no number with a unit")),
            ("${EVERY}", Err("no number with a unit")),
            ("99999999999999999999s", Err("no number with a unit")),
            ("9999999999999999999w", Err("no number with a unit")),
        ] {
            let one = file(&[("AMPSConfig/Admin/Interval", value)]);
            let found = interval(&[("/c.xml", &one)]);
            match told {
                Ok(ms) => assert_eq!(found.unwrap().every.as_millis(), ms, "{value}"),
                Err(words) => {
                    let failure = found.unwrap_err();
                    assert!(failure.actual.contains(words), "{value}: {failure:?}");
                    assert_eq!(failure.subject.as_deref(), Some("/c.xml"));
                }
            }
        }
    }

    #[test]
    fn the_default_counts_only_where_nothing_else_can_say_it() {
        let admin = ("AMPSConfig/Admin", "");
        let plain = file(&[admin, ("AMPSConfig/Admin/FileName", "stats.db")]);
        let found = interval(&[("/c.xml", &plain)]).unwrap();
        assert_eq!((found.every, &*found.source), (DEFAULT, "/c.xml"));
        let including = Settings {
            includes: vec![Include {
                path: "admin.xml".into(),
                within: "AMPSConfig".into(),
                is_directory: false,
                is_optional: false,
                line: 2,
            }],
            ..plain
        };
        let fragment = file(&[("Admin", ""), ("Admin/Interval", "30s")]);
        let none = file(&[("AMPSConfig/Name", "orders"), ("AMPSConfig/Interval", "3s")]);
        for files in [
            vec![("/c.xml", &including)],
            vec![("/c.xml", &none)],
            vec![],
        ] {
            let failure = interval(&files).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Missing, "{failure:?}");
        }
        let both = [("/c.xml", &including), ("/admin.xml", &fragment)];
        let found = interval(&both).unwrap();
        assert_eq!((found.every.as_secs(), &*found.source), (30, "/admin.xml"));
    }

    #[test]
    fn two_that_differ_are_told_with_their_places() {
        let file = |value| file(&[("AMPSConfig/Admin/Interval", value)]);
        let (ten, twenty) = (file("10s"), file("20s"));
        let failure = interval(&[("/a.xml", &ten), ("/b.xml", &twenty)]).unwrap_err();
        assert!(failure.actual.contains("line 1 of /b.xml"), "{failure:?}");
        assert!(interval(&[("/a.xml", &ten), ("/b.xml", &ten)]).is_ok());
    }
}
