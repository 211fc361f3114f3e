//! Configurations of lines and blocks, as the readers of `evidence::settings` understand them: a setting
//! whose name says that it holds a secret loses its value, wherever on its lines that stands.

use std::io::Write as _;

use super::engine::Engine;
use super::{Counts, Unfit};
use crate::evidence::Content;
use crate::evidence::reader::Reader as _;
use crate::evidence::redact::{MARK, names_secret};
use crate::evidence::settings::Setting;
use crate::evidence::settings::reader::Parsed;
use crate::inventory::Format;

/// The settings; none when the file is not well-formed: the rules for text still hold.
fn read(format: Format, text: &str) -> Vec<Setting> {
    let mut parsed = Parsed::new(format);
    let settings = parsed
        .write_all(text.as_bytes())
        .ok()
        .and_then(|()| Box::new(parsed).finish().ok());
    match settings {
        Some(Content::Settings(settings)) => settings.list,
        _ => Vec::new(),
    }
}

fn key(setting: &Setting) -> &str {
    setting.path.rsplit('/').next().unwrap_or_default()
}

fn is_secret(setting: &Setting) -> bool {
    let value = setting.value.trim();
    let is_word = ["", "on", "off", "yes", "no", "true", "false", MARK].contains(&value);
    names_secret(key(setting)) && !is_word && !(value.starts_with("${") && value.ends_with('}'))
}

pub(super) fn learn(engine: &mut Engine, format: Format, text: &str) -> Result<(), Unfit> {
    for setting in read(format, text) {
        if is_secret(&setting) {
            engine.learn_secret(&setting.value);
        } else if let Some(class) = Engine::names_a_person(key(&setting)) {
            engine.learn_name(class, &setting.value);
        }
    }
    Ok(())
}

pub(super) fn redact(
    _: &Engine,
    format: Format,
    text: &str,
    counts: &mut Counts,
) -> Result<String, Unfit> {
    let settings = read(format, text);
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    for (at, setting) in settings.iter().enumerate() {
        if !is_secret(setting) {
            continue;
        }
        let first = setting.line.saturating_sub(1);
        let next = settings[at + 1..]
            .iter()
            .find(|next| next.line > setting.line);
        let last = next
            .map_or(lines.len(), |next| next.line - 1)
            .min(lines.len());
        let Some(part) = lines.get(first..last) else {
            continue;
        };
        // Comments below the setting's own lines stay.
        let own = part
            .iter()
            .take_while(|line| line.trim_end().ends_with('\\'))
            .count()
            + 1;
        let last = (first + own).min(last);
        let whole: String = lines[first..last].concat();
        let indent = whole.len() - whole.trim_start().len();
        let name = whole[indent..]
            .find(['=', ':', ' ', '\t'])
            .map_or(whole.len(), |end| indent + end);
        let (name, rest) = whole.split_at(name);
        let new = match rest.contains(setting.value.as_str()) {
            true => format!("{name}{}", rest.replace(setting.value.as_str(), MARK)),
            // Written with escapes or over several lines: all behind the name goes.
            false => {
                let ending = if whole.ends_with('\n') { "\n" } else { "" };
                format!("{name} = {MARK}{ending}")
            }
        };
        *counts.entry("setting".to_owned()).or_default() += 1;
        lines[first] = new;
        for line in &mut lines[first + 1..last] {
            line.clear();
        }
    }
    Ok(lines.concat())
}
