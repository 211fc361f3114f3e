//! `entry`, `encoding`, `names`, `retention` and `shared` of a log, as written.

use super::{key_path, pattern, template};
use crate::inventory::artifact::{Encoding, Entry, EntryForm, Retention, TimeForm, Zone, moment};
use crate::inventory::fields::{self, Keys};
use crate::inventory::grammar;
use crate::inventory::page::{Mark, Page};
use crate::inventory::raw::{Artifact, Theme};
use crate::inventory::yaml::{Node, Value};

const ENCODINGS: [(&str, Encoding); 3] = [
    ("utf-8", Encoding::Utf8),
    ("utf-16", Encoding::Utf16),
    ("latin-1", Encoding::Latin1),
];

/// Takes the keys of a log.
pub(super) fn take(page: &mut Page<'_>, keys: &mut Keys<'_, '_>, artifact: &mut Artifact) {
    if let Some(entry) = keys.entry("entry") {
        artifact.themed.push((Theme::Log, "entry", entry.at));
        artifact.log.entry = self::entry(page, &entry.value, entry.at);
    }
    if let Some(entry) = keys.entry("encoding") {
        artifact.themed.push((Theme::Log, "encoding", entry.at));
        let word = fields::word(page, &entry.value, "encoding", &ENCODINGS);
        artifact.log.encoding = word.map(|word| word.value);
    }
    if let Some(entry) = keys.entry("names") {
        artifact.themed.push((Theme::Log, "names", entry.at));
        let found = fields::parsed(page, &entry.value, "names", pattern);
        artifact.log.names = found.map(|found| found.value);
    }
    if let Some(entry) = keys.entry("retention") {
        artifact.themed.push((Theme::Log, "retention", entry.at));
        artifact.log.retention = retention(page, &entry.value, entry.at);
    }
    if let Some(entry) = keys.entry("shared") {
        artifact.themed.push((Theme::Log, "shared", entry.at));
        // Two that say nothing do not mean the same.
        let name = fields::checked(page, &entry.value, "shared", grammar::stated);
        artifact.log.shared = name.and_then(|_| template(page, &entry.value, "shared"));
    }
}

fn entry(page: &mut Page<'_>, node: &Node<'_>, at: Mark) -> Option<Entry> {
    let mut keys = Keys::of(page, node, "`entry`", at)?;
    let pattern = keys.entry("pattern");
    let time = keys.require("time", "rfc3339");
    let path = |page: &mut Page<'_>, node: Option<&Node<'_>>, key| {
        let text = node.and_then(|node| fields::checked(page, node, key, key_path));
        text.map(|text| text.value)
    };
    let json = keys.entry("json");
    let form = match (pattern, json) {
        (Some(entry), None) => {
            let found = fields::parsed(page, &entry.value, "pattern", line);
            found.map(|found| EntryForm::Line(found.value))
        }
        (None, Some(entry)) => {
            let mut inner = Keys::of(page, &entry.value, "`json`", entry.at)?;
            let time = inner.require("time", "t.$date");
            let time = path(page, time, "time");
            let level = inner.take("level");
            let level = path(page, level, "level");
            let id = inner.take("id");
            let id = path(page, id, "id");
            inner.done(page);
            time.map(|time| EntryForm::Json { time, level, id })
        }
        _ => {
            let hint = "write `pattern:`, a regular expression with a group `(?<time>…)`, for lines of text, or `json: {time: KEY}` for lines of JSON: one of them";
            page.refuse(at, "`entry` does not say how an entry begins", hint);
            None
        }
    };
    let time = time.and_then(|node| fields::parsed(page, node, "time", time_form));
    let zone = keys.take("zone");
    let zone = zone.map(|node| fields::parsed(page, node, "zone", self::zone));
    let levels = match keys.take("levels") {
        None => Some(Vec::new()),
        Some(node) => levels(page, node),
    };
    keys.done(page);
    Some(Entry {
        form: form?,
        time: time?.value,
        zone: match zone {
            None => Zone::Host,
            Some(zone) => zone?.value,
        },
        levels: levels?,
    })
}

fn line(text: &str) -> Result<crate::inventory::Pattern, String> {
    let pattern = pattern(text)?;
    let mut names = pattern.0.capture_names().flatten();
    match names.any(|name| name == "time") {
        true => Ok(pattern),
        false => Err(
            "it needs a group `(?<time>…)`; `(?<level>…)` and `(?<id>…)` may stand beside it"
                .into(),
        ),
    }
}

fn time_form(text: &str) -> Result<TimeForm, String> {
    match text {
        "rfc3339" => Ok(TimeForm::Rfc3339),
        "unix" => Ok(TimeForm::Unix),
        "unix-ms" => Ok(TimeForm::UnixMs),
        mask if mask.contains('%') => {
            moment::mask(mask).map(|()| TimeForm::Strptime(mask.to_owned()))
        }
        _ => Err("write `rfc3339`, `unix`, `unix-ms` or a mask such as `%Y/%m/%d %H:%M:%S`".into()),
    }
}

/// `host`, or a name of the IANA database.
fn zone(text: &str) -> Result<Zone, String> {
    match text {
        "host" => Ok(Zone::Host),
        name => grammar::timezone(name).map(|()| Zone::Named(name.to_owned())),
    }
}

/// From low to high; a list in the list holds words of one level.
fn levels(page: &mut Page<'_>, node: &Node<'_>) -> Option<Vec<Vec<String>>> {
    let read = |page: &mut Page<'_>, item: &Node<'_>| match &item.value {
        Value::List(_) => {
            let words = fields::names(page, item, "levels", grammar::printable)?;
            Some(words.value.into_iter().map(|word| word.value).collect())
        }
        _ => {
            let word = fields::checked(page, item, "levels", grammar::printable)?;
            Some(vec![word.value])
        }
    };
    fields::list(page, node, "levels", read).map(|levels| levels.value)
}

fn retention(
    page: &mut Page<'_>,
    node: &Node<'_>,
    at: Mark,
) -> Option<Retention<crate::inventory::placeholder::Template>> {
    if let Value::Scalar { text, .. } = &node.value
        && text == "configuration"
    {
        return Some(Retention::Configuration);
    }
    if !matches!(node.value, Value::Map(_)) {
        let hint = "write `configuration`, or `{logrotate: /etc/logrotate.d/PRODUCT}`";
        fields::expected(page, node, "retention", "where the promise stands", hint);
        return None;
    }
    let mut keys = Keys::of(page, node, "`retention`", at)?;
    let path = keys.require("logrotate", "/etc/logrotate.d/nginx");
    let path = path.and_then(|node| template(page, node, "logrotate"));
    keys.done(page);
    Some(Retention::Logrotate(path?))
}
