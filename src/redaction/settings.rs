//! Configurations of lines and blocks: every line by the rules for settings, and afterwards the same settings
//! to the reader that gonogo has for the format.

use std::io::Write as _;

use super::Counts;
use super::engine::Engine;
use super::line::Mood;
use crate::evidence::Content;
use crate::evidence::reader::Reader as _;
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
) -> Option<(String, bool)> {
    let before = read(format, text)?;
    let mood = Mood {
        is_setting: true,
        has_semicolons: format == Format::Nginx,
        ..Mood::default()
    };
    let clean = engine.text(text, mood, counts);
    let has_form = read(format, &clean).is_some_and(|after| form(&after) == form(&before));
    Some((clean, has_form))
}
