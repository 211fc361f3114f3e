//! Configurations of lines and blocks: every line by the rules for settings, and afterwards the same settings
//! to the reader that gonogo has for the format. What is written is read again, and no value of a secret's name is
//! left at its place.

use std::io::Write as _;

use super::cues::{self, Cue};
use super::engine::Engine;
use super::line::Mood;
use super::value::is_nothing;
use super::vocabulary::is_few;
use super::{Counts, Unfit};
use crate::evidence::Content;
use crate::evidence::reader::Reader as _;
use crate::evidence::redact::MARK;
use crate::evidence::settings::Setting;
use crate::evidence::settings::reader::Parsed;
use crate::inventory::Format;

/// The settings; `None` when the file is not well-formed.
fn read(format: Format, text: &str) -> Option<Vec<Setting>> {
    let mut parsed = Parsed::new(format);
    parsed.write_all(text.as_bytes()).ok()?;
    match Box::new(parsed).finish().ok()? {
        Content::Settings(settings) => Some(settings.list),
        _ => None,
    }
}

/// Where each setting stands and how deep: what must not change.
fn form(settings: &[Setting]) -> Vec<(usize, usize)> {
    let depth = |setting: &Setting| setting.path.matches('/').count();
    settings
        .iter()
        .map(|setting| (setting.line, depth(setting)))
        .collect()
}

/// The file without what must not leave, and whether it has its form still; `None` when it is not what it is
/// said to be.
pub(super) fn redact(
    engine: &Engine,
    format: Format,
    text: &str,
    counts: &mut Counts,
) -> Result<Option<(String, bool)>, Unfit> {
    let Some(before) = read(format, text) else {
        return Ok(None);
    };
    let mood = Mood {
        is_setting: true,
        has_semicolons: format == Format::Nginx,
        ..Mood::default()
    };
    let clean = engine.text(text, mood, counts);
    let after = read(format, &clean).filter(|after| form(after) == form(&before));
    // No form tells `4711` afterwards: here it is known by its name.
    match is_held(&before, after.as_deref(), &clean) {
        true => Ok(Some((clean, after.is_some()))),
        false => Err(Unfit::misplaced()),
    }
}

/// Whether no secret stands where it stood: in the value of the same setting, read anew; where the settings are not
/// the same any more, on its lines.
fn is_held(before: &[Setting], after: Option<&[Setting]>, clean: &str) -> bool {
    let lines: Vec<&str> = clean.lines().collect();
    before.iter().enumerate().all(|(number, setting)| {
        let name = setting.path.rsplit('/').next().unwrap_or_default();
        let is_open = setting.value.starts_with('$') || is_nothing(&setting.value);
        if cues::of(name) != Cue::Strong || is_open {
            return true;
        }
        if let Some(after) = after {
            return after
                .get(number)
                .is_some_and(|after| is_gone(&setting.value, &after.value));
        }
        let next = before[number + 1..]
            .iter()
            .map(|next| next.line)
            .find(|line| *line > setting.line);
        let own = lines
            .iter()
            .take(next.map_or(lines.len(), |next| next - 1))
            .skip(setting.line - 1)
            .enumerate();
        own.into_iter().all(|(at, line)| {
            let value = match at {
                0 => line
                    .trim_start()
                    .split_once(|c: char| c.is_whitespace() || "=:".contains(c))
                    .map_or("", |(_, value)| value),
                _ => line,
            };
            is_gone(&setting.value, value)
        })
    })
}

/// Whether no word of a value is left that is more than grammar.
fn is_gone(value: &str, left: &str) -> bool {
    fn words(text: &str) -> impl Iterator<Item = &str> {
        text.split(|c: char| !(c.is_alphanumeric() || "_-".contains(c)))
            .filter(|word| !word.is_empty())
    }
    let left = left.replace(MARK, " ");
    words(value)
        .filter(|word| !is_few(word) && !is_nothing(word) && cues::of(word) == Cue::None)
        .all(|word| words(&left).all(|one| one != word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(all: &[(&str, &str, usize)]) -> Vec<Setting> {
        let one = |(path, value, line): &(&str, &str, usize)| Setting {
            path: (*path).to_owned(),
            value: (*value).to_owned(),
            line: *line,
        };
        all.iter().map(one).collect()
    }

    #[test]
    fn a_secret_that_is_left_at_its_place_is_seen() {
        let before = settings(&[
            ("a/password", "4711", 1),
            ("a/port", "4711", 2),
            ("a/token", "${T}", 3),
            ("a/secret", "one island", 4),
        ]);
        let clean = |password: &str, secret: &str| {
            let lines = format!("password={password}\nport=4711\ntoken=${{T}}\nsecret={secret}\n");
            let after = settings(&[
                ("a/password", password, 1),
                ("a/port", "4711", 2),
                ("a/token", "${T}", 3),
                ("a/secret", secret, 4),
            ]);
            let held = is_held(&before, Some(&after), &lines);
            assert_eq!(held, is_held(&before, None, &lines), "{lines}");
            held
        };
        assert!(clean("[redacted]", "[redacted]"));
        assert!(clean("redacted", "[redacted] [redacted]"));
        for (password, secret) in [
            ("4711", "[redacted]"),
            ("[redacted] 4711", "[redacted]"),
            ("[redacted]", "one [redacted]"),
            ("[redacted]", "\"island\""),
        ] {
            assert!(!clean(password, secret), "{password} {secret}");
        }
        // The lines below are of the value, too.
        let before = settings(&[("password", "x 4711", 1), ("port", "4711", 3)]);
        assert!(!is_held(
            &before,
            None,
            "password=[redacted]\\\n 4711\nport=4711\n"
        ));
        assert!(is_held(
            &before,
            None,
            "password=[redacted]\\\n [redacted]\nport=4711\n"
        ));
    }
}
