//! Whether the configuration on disk is the one that is running: the product tells its settings by
//! another artifact, and each setting that both know must be equal. What the product fills in itself
//! (`${VAR}`) equals anything.

use std::collections::{BTreeMap, BTreeSet};

use super::rows::{Row, rows};
use crate::evidence::redact::Capture;
use crate::evidence::settings::Running;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, Format};
use crate::steps::retrieve::set;
use crate::steps::world::Retrieved;
use crate::steps::{ArtifactName, Stop, World};
use crate::text;

/// Most differences that are told.
const MOST_TOLD: usize = 8;

pub(super) async fn is_running(world: &mut World, name: &ArtifactName) -> Result<(), Stop> {
    let artifact = set(world, name).await?.artifact.clone();
    let running = artifact.configuration.running.clone().unwrap_or_default();
    let other = ArtifactName::Named(running.clone());
    set(world, &other).await?;
    let find = |wanted: &str| {
        let mut sets = world.retrieved.iter();
        sets.find(|set| set.artifact.name == wanted)
    };
    let (Some(disk), Some(live)) = (find(&artifact.name), find(&running)) else {
        return Ok(());
    };
    if let Some(path) = shared(disk, live) {
        let actual = "one file was read for both".to_owned();
        return Err(mismatch(actual, &path)
            .with_hint("a file tells what is on disk only: have the artifact that `running:` names ask the running product (`command:`, `http:`)")
            .into());
    }
    let (on_disk, in_use) = (rows(disk)?, rows(live)?);
    let is_xml = artifact.format == Some(Format::Xml);
    let compared = match is_xml && live.artifact.format == Some(Format::Xml) {
        true => structure(&on_disk, &in_use),
        false => by_key(&on_disk, &in_use, &artifact),
    };
    let place = live.files.first().map(|(file, _)| file.path.clone());
    let place = place.unwrap_or_default();
    if compared.common == 0 {
        return Err(mismatch("no setting that both of them know".to_owned(), &place).into());
    }
    if let Some(first) = compared.differences.first() {
        let mut told: Vec<String> = compared
            .differences
            .iter()
            .take(MOST_TOLD)
            .map(Difference::say)
            .collect();
        if compared.differences.len() > MOST_TOLD {
            told.push(format!(
                "and {} more",
                compared.differences.len() - MOST_TOLD
            ));
        }
        let actual = format!(
            "{}: {}",
            text::count(compared.differences.len(), "difference"),
            told.join("; ")
        );
        return Err(mismatch(actual, &first.file).into());
    }
    let fact = Running {
        artifact: running,
        compared: compared.common,
        differing: 0,
    };
    super::tell(world, name, |settings| {
        settings.told.running = Some(fact.clone())
    })
    .await
}

/// A file that both were read from.
fn shared(disk: &Retrieved, live: &Retrieved) -> Option<String> {
    let paths = |set: &Retrieved| -> BTreeSet<String> {
        let files = set.files.iter().map(|(file, _)| file.path.clone());
        files.collect()
    };
    paths(disk).intersection(&paths(live)).next().cloned()
}

fn mismatch(actual: String, subject: &str) -> Failure {
    Failure::new(
        FailureKind::Mismatch,
        "the configuration on disk as the running product has it",
        actual,
    )
    .with_subject(subject)
    .with_hint("the file was changed after the product had read it, or is not the one it was started with: reload or restart it, or correct the file or the artifact's `path`, before support is told the wrong thing")
}

struct Difference {
    file: String,
    line: usize,
    disk: String,
    live: String,
}

impl Difference {
    fn say(&self) -> String {
        let place = match self.line {
            0 => String::new(),
            line => format!(" ({}:{line})", self.file),
        };
        format!("{} on disk{place}, {} running", self.disk, self.live)
    }
}

#[derive(Default)]
struct Compared {
    common: u64,
    differences: Vec<Difference>,
}

/// A setting as it may be shown: the name is beside the value, so that the rules of redaction know it.
fn shown(path: &str, value: &str) -> String {
    let key = path.rsplit('/').next().unwrap_or(path);
    Capture::new(format!("{key}={value}")).excerpt(120)
}

type Grouped<'r> = BTreeMap<&'r str, Vec<&'r Row<'r>>>;

fn grouped<'r>(rows: &'r [Row<'r>]) -> Grouped<'r> {
    let mut groups = Grouped::new();
    for row in rows {
        groups.entry(&row.path).or_default().push(row);
    }
    groups
}

/// The same elements with the same texts, path by path in the order of the document.
fn structure(disk: &[Row<'_>], live: &[Row<'_>]) -> Compared {
    let (disk, live) = (grouped(disk), grouped(live));
    let mut compared = Compared::default();
    for (path, ours) in &disk {
        let theirs = live.get(path).map_or(&[][..], Vec::as_slice);
        compared.common += ours.len().min(theirs.len()) as u64;
        for at in 0..ours.len().max(theirs.len()) {
            let difference = match (ours.get(at), theirs.get(at)) {
                (Some(our), Some(their)) if is_filled(our.value, their.value) => continue,
                (Some(our), Some(their)) => Difference {
                    file: our.file.to_owned(),
                    line: our.line,
                    disk: shown(path, our.value),
                    live: shown(path, their.value),
                },
                (Some(our), None) => Difference {
                    file: our.file.to_owned(),
                    line: our.line,
                    disk: format!("`{}`", text::clip(&text::escape(path), 120)),
                    live: "not".to_owned(),
                },
                (None, Some(_)) => unknown(ours[0].file, path),
                (None, None) => continue,
            };
            compared.differences.push(difference);
        }
    }
    let file = disk.values().next().map_or("", |rows| rows[0].file);
    for (path, theirs) in &live {
        if !disk.contains_key(path) {
            let times = std::iter::repeat_with(|| unknown(file, path)).take(theirs.len());
            compared.differences.extend(times);
        }
    }
    compared
}

fn unknown(file: &str, path: &str) -> Difference {
    Difference {
        file: file.to_owned(),
        line: 0,
        disk: "nothing".to_owned(),
        live: format!("`{}`", text::clip(&text::escape(path), 120)),
    }
}

/// Whether `value` is `written` with its `${VAR}` filled in.
fn is_filled(written: &str, value: &str) -> bool {
    if written == value {
        return true;
    }
    let mut rest = value;
    let mut literal = written;
    let mut is_first = true;
    loop {
        let Some((before, after)) = literal.split_once("${") else {
            return !is_first && rest.ends_with(literal);
        };
        let Some((_, after)) = after.split_once('}') else {
            return false;
        };
        match (is_first, rest.find(before)) {
            (true, Some(0)) | (false, Some(_)) => {}
            _ => return false,
        }
        let at = rest.find(before).unwrap_or(0);
        rest = &rest[at + before.len()..];
        (literal, is_first) = (after, false);
    }
}

/// Groups of an option file that a server reads (MySQL and MariaDB manuals); others are for its clients.
fn is_of_server(path: &str) -> bool {
    let group = path.split('/').next().unwrap_or_default();
    let group = group.split('-').next().unwrap_or_default();
    ["mysqld", "server", "mariadb", "mariadbd", "galera"].contains(&group)
}

fn by_key(disk: &[Row<'_>], live: &[Row<'_>], artifact: &Artifact) -> Compared {
    let is_ini = artifact.format == Some(Format::Ini);
    let (disk, live) = (grouped(disk), grouped(live));
    // By last part, so that `mysqld/port` finds `port` and `systemLog/path` finds `parsed/systemLog/path`.
    let mut ends: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in live.keys() {
        let end = path.rsplit('/').next().unwrap_or(path);
        ends.entry(end).or_default().push(path);
    }
    let mut compared = Compared::default();
    for (path, ours) in &disk {
        let our = ours[ours.len() - 1];
        if is_ini && (!is_of_server(path) || !path.contains('/')) {
            continue;
        }
        let end = path.rsplit('/').next().unwrap_or(path);
        let within = |long: &str, short: &str| {
            let stem = long.strip_suffix(short);
            stem.is_some_and(|stem| stem.is_empty() || stem.ends_with('/'))
        };
        let mut known = ends.get(end).into_iter().flatten();
        let their = known.find(|their| within(their, path) || within(path, their));
        let Some(theirs) = their.and_then(|their| live.get(their)) else {
            continue;
        };
        compared.common += 1;
        let all = |rows: &[&Row<'_>]| {
            let values: Vec<&str> = rows.iter().map(|row| row.value).collect();
            values.join(" ")
        };
        let last = theirs[theirs.len() - 1].value;
        // An option without a value is switched on.
        let value = if is_ini && our.value.is_empty() {
            "on"
        } else {
            our.value
        };
        if !is_equal(value, last) && !is_equal(&all(ours), &all(theirs)) {
            compared.differences.push(Difference {
                file: our.file.to_owned(),
                line: our.line,
                disk: shown(path, our.value),
                live: shown(path, last),
            });
        }
    }
    compared
}

/// Equal as products take it: quotes, words for yes and no, and units say the same in several ways.
fn is_equal(disk: &str, live: &str) -> bool {
    let (disk, live) = (bare(disk), bare(live));
    if is_filled(disk, live) {
        return true;
    }
    if let (Some(disk), Some(live)) = (truth(disk), truth(live)) {
        return disk == live;
    }
    let (disk, live) = (amounts(disk), amounts(live));
    disk.iter().any(|amount| live.contains(amount))
}

fn bare(value: &str) -> &str {
    let value = value.trim();
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

fn truth(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "on" | "yes" | "true" | "1" => Some(true),
        "off" | "no" | "false" | "0" => Some(false),
        _ => None,
    }
}

/// What a number with a unit may mean, in bytes or in milliseconds: `1k` is 1000 to Redis and 1024 to
/// MySQL. Negative units keep times from equalling sizes.
fn amounts(value: &str) -> Vec<i128> {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let Ok(number) = value[..digits].parse::<i64>() else {
        return Vec::new();
    };
    let number = i128::from(number);
    let factors: &[i128] = match value[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => &[1],
        "k" => &[1000, 1 << 10],
        "kb" => &[1 << 10],
        "m" => &[1_000_000, 1 << 20],
        "mb" => &[1 << 20],
        "g" => &[1_000_000_000, 1 << 30],
        "gb" => &[1 << 30],
        "t" => &[1_000_000_000_000, 1 << 40],
        "tb" => &[1 << 40],
        "ms" => &[-1],
        "s" => &[-1000],
        "min" => &[-60_000],
        "h" => &[-3_600_000],
        "d" => &[-86_400_000],
        _ => &[],
    };
    factors.iter().map(|factor| number * factor).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_is_what_the_products_take_for_equal() {
        for (disk, live) in [
            ("128MB", "134217728"),
            ("1gb", "1073741824"),
            ("16M", "16777216"),
            ("1min", "60s"),
            ("on", "ON"),
            ("yes", "1"),
            ("'a b'", "a b"),
            ("\"\"", ""),
            ("/opt/${ENV}/x", "/opt/prod/x"),
            ("${A}", "b"),
        ] {
            assert!(is_equal(disk, live), "{disk} {live}");
        }
        for (disk, live) in [
            ("128MB", "128kB"),
            ("60s", "60"),
            ("on", "off"),
            ("5432", "5433"),
            ("/opt/${ENV}/x", "/opt/prod/y"),
            ("/opt/${ENV}/x", "/var/prod/x"),
            ("", "a"),
        ] {
            assert!(!is_equal(disk, live), "{disk} {live}");
        }
    }
}
