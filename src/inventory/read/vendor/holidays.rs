//! `holidays:`: days, and files of days, which are read with the inventory and kept with a run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use jiff::civil::Date;

use super::Reading;
use crate::calendar::{self, ics};
use crate::digest::Sha256;
use crate::inventory::fields::{self, Keys};
use crate::inventory::page::{Page, Text};
use crate::inventory::vendor::HolidayFile;
use crate::inventory::yaml::{self, Node, Value};
use crate::problem::{Place, Problem};
use crate::text;

/// How the names of such files in [`crate::inventory::Inventory::records`] end.
pub const ENDS: [&str; 2] = [".holidays.ics", ".holidays.yaml"];

/// No calendar of holidays comes near it.
const MOST_BYTES: u64 = 1 << 20;

/// What a run has kept, when one is read again.
pub(in crate::inventory) type Records = BTreeMap<String, Vec<u8>>;

enum Item {
    Day(Date),
    File(BTreeSet<Date>),
}

/// All days of the list, those of its files among them.
pub(super) fn holidays(
    page: &mut Page<'_>,
    node: &Node<'_>,
    reading: &mut Reading<'_>,
) -> BTreeSet<Date> {
    let mut written = Vec::new();
    let items = fields::list(page, node, "holidays", |page, item| {
        let item_at = item.at;
        let read = one(page, item, reading)?;
        if let Item::Day(day) = &read {
            written.push((day.to_string(), item_at));
        }
        Some(read)
    });
    let days = written.iter().map(|(day, at)| (day.as_str(), *at));
    for (day, at) in yaml::repeated(days) {
        let message = format!("`holidays` names {day} twice");
        page.refuse(at, message, "keep one of them");
    }
    let items = items.map(|items| items.value).unwrap_or_default();
    let all = items.into_iter().flat_map(|item| match item {
        Item::Day(day) => BTreeSet::from([day]),
        Item::File(days) => days,
    });
    all.collect()
}

/// A day, a file, or `{file, until}`.
fn one(page: &mut Page<'_>, item: &Node<'_>, reading: &mut Reading<'_>) -> Option<Item> {
    if let Value::Map(_) = &item.value {
        let mut keys = Keys::of(page, item, "a file of `holidays`", item.at)?;
        let file = keys.require("file", "holidays.ics");
        let file = file.and_then(|node| fields::text(page, node, "file"));
        let until = keys.take("until");
        let until = until.and_then(|node| fields::parsed(page, node, "until", calendar::day));
        keys.done(page);
        return from_file(page, &file?, until.map(|until| until.value), reading);
    }
    if let Value::Scalar { text, .. } = &item.value
        && is_file(text)
    {
        let file = fields::text(page, item, "holidays")?;
        return from_file(page, &file, None, reading);
    }
    fields::parsed(page, item, "holidays", calendar::day).map(|day| Item::Day(day.value))
}

fn is_file(text: &str) -> bool {
    ending(text).is_some()
}

fn ending(path: &str) -> Option<&'static str> {
    let path = path.to_ascii_lowercase();
    let [ics, yaml] = ENDS;
    match () {
        () if path.ends_with(".ics") => Some(ics),
        () if path.ends_with(".yaml") || path.ends_with(".yml") => Some(yaml),
        () => None,
    }
}

fn from_file(
    page: &mut Page<'_>,
    file: &Text,
    until: Option<Date>,
    reading: &mut Reading<'_>,
) -> Option<Item> {
    let Some(ending) = ending(&file.value) else {
        let message = format!("`holidays`: `{}` is no file of days", file.value);
        let hint = "name a file that ends with .yaml (a list of days) or .ics (iCalendar)";
        page.refuse(file.at, message, hint);
        return None;
    };
    let path = reading.folder.join(&file.value);
    let record = record_name(&file.value, ending);
    let bytes = match reading.records {
        None => from_disk(&path),
        Some(records) => {
            let kept = records.get(&record).cloned();
            kept.ok_or_else(|| "the run kept no copy of it".to_owned())
        }
    };
    let bytes = bytes.and_then(|bytes| match std::str::from_utf8(&bytes) {
        Ok(_) => Ok(bytes),
        Err(_) => Err("it is not UTF-8 text".to_owned()),
    });
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(why) => {
            let message = format!("cannot read the holidays `{}`: {why}", file.value);
            let hint = "its path starts from the inventory's folder";
            page.refuse(file.at, message, hint);
            return None;
        }
    };
    let written = String::from_utf8_lossy(&bytes);
    let found = match ending {
        _ if ending == ENDS[0] => of_calendar(page, &path, &written),
        _ => of_list(page, &path, &written),
    };
    let found = found?;
    let days = found.days;
    let known = HolidayFile {
        file: file.value.clone(),
        record,
        // What somebody says of the file goes further than the file itself.
        end: found
            .end
            .map(|end| until.map_or(end, |until| until.max(end))),
        bytes,
    };
    if !reading.holidays.contains(&known) {
        reading.holidays.push(known);
    }
    Some(Item::File(days))
}

fn of_calendar(page: &mut Page<'_>, path: &Path, written: &str) -> Option<ics::Holidays> {
    match ics::holidays(written) {
        Ok(found) => Some(found),
        Err(wrong) => {
            for ics::Wrong { line, why, hint } in wrong {
                let problem = Problem::new(Place::new(path, line, 1), text::escape(&why));
                page.add(problem.in_text(written).with_hint(hint));
            }
            None
        }
    }
}

/// A list of days, as the inventory itself has it.
fn of_list(page: &mut Page<'_>, path: &Path, written: &str) -> Option<ics::Holidays> {
    let written = written.strip_prefix('\u{feff}').unwrap_or(written);
    let before = page.refusals();
    page.turn_to(path, written);
    let root = yaml::read(written, page).filter(|root| !root.is_null());
    let days = root.and_then(|root| {
        fields::list(page, &root, "holidays", |page, item| {
            fields::parsed(page, item, "holidays", calendar::day)
        })
    });
    let days = days.map(|days| days.value).unwrap_or_default();
    let words: Vec<_> = days.iter().map(|day| day.value.to_string()).collect();
    let marked = words.iter().zip(&days);
    for (day, at) in yaml::repeated(marked.map(|(word, day)| (word.as_str(), day.at))) {
        let message = format!("`holidays` names {day} twice");
        page.refuse(at, message, "keep one of them");
    }
    if days.is_empty() && page.refusals() == before {
        let at = page.mark(1, 1);
        let hint = "write a list of days, `- 2026-12-25` each";
        page.refuse(at, "the file names no day", hint);
    }
    page.back();
    let days: BTreeSet<Date> = days.into_iter().map(|day| day.value).collect();
    (page.refusals() == before).then(|| ics::Holidays {
        end: days.last().copied(),
        days,
    })
}

/// `nyse-1f2e3d4c.holidays.ics`: the digest of the path keeps files apart that are called alike.
fn record_name(path: &str, ending: &str) -> String {
    let stem = Path::new(path).file_stem().unwrap_or_default();
    let portable = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let stem: String = (stem.to_string_lossy().chars())
        .take(40)
        .map(portable)
        .collect();
    let digest = Sha256::of(path.as_bytes()).to_string();
    let short: String = digest.chars().take(8).collect();
    format!("{stem}-{short}{ending}")
}

fn from_disk(path: &Path) -> Result<Vec<u8>, String> {
    let found = fs::metadata(path).map_err(|error| error.to_string())?;
    // A FIFO would never end.
    if !found.is_file() {
        return Err("it is no regular file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    match bytes.len() as u64 > MOST_BYTES {
        true => Err(format!("it has more than {}", text::size(MOST_BYTES))),
        false => Ok(bytes),
    }
}
