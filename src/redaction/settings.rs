//! Configurations of lines and blocks: every line by the rules for settings, and afterwards the same settings
//! to the reader that gonogo has for the format.

use std::io::Write as _;

use super::engine::Engine;
use super::line::Mood;
use super::{Counts, Unfit};
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

/// The file without what must not leave; `None` when it is not what it is said to be.
pub(super) fn redact(
    engine: &Engine,
    format: Format,
    text: &str,
    counts: &mut Counts,
) -> Result<Option<String>, Unfit> {
    let Some(before) = read(format, text) else {
        return Ok(None);
    };
    let mood = Mood {
        is_setting: true,
        has_semicolons: format == Format::Nginx,
        ..Mood::default()
    };
    let clean = engine.text(text, mood, counts);
    match read(format, &clean) {
        Some(after) if form(&after) == form(&before) => Ok(Some(clean)),
        _ => Err(Unfit::Content(
            "its redacted form would not have the form that it has".to_owned(),
        )),
    }
}
