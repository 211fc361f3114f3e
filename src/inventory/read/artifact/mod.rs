//! `artifacts:` as a product, an instance or a built-in profile writes it. What an instance's
//! artifact finally is, is decided in `resolve/artifacts.rs`.

mod configuration;
mod log;
mod statistics;

use std::path::PathBuf;

use crate::inventory::artifact::{About, Format, Get, Kind, Pattern, SampleUnit, Stream};
use crate::inventory::fields::{self, Keys};
use crate::inventory::grammar;
use crate::inventory::page::{Mark, Page, Spanned, Text};
use crate::inventory::placeholder::Template;
use crate::inventory::raw::{Artifact, Sample};
use crate::inventory::yaml::{Node, Value};

const KINDS: [(&str, Kind); 5] = [
    ("version", Kind::Version),
    ("configuration", Kind::Configuration),
    ("log", Kind::Log),
    ("statistics", Kind::Statistics),
    ("other", Kind::Other),
];
const FORMATS: [(&str, Format); 13] = [
    ("xml", Format::Xml),
    ("yaml", Format::Yaml),
    ("json", Format::Json),
    ("ini", Format::Ini),
    ("conf", Format::Conf),
    ("properties", Format::Properties),
    ("nginx", Format::Nginx),
    ("haproxy", Format::Haproxy),
    ("amps-log", Format::AmpsLog),
    ("log", Format::Log),
    ("json-log", Format::JsonLog),
    ("sqlite", Format::Sqlite),
    ("plain", Format::Plain),
];
const STREAMS: [(&str, Stream); 3] = [
    ("stdout", Stream::Stdout),
    ("stderr", Stream::Stderr),
    ("both", Stream::Both),
];
const UNITS: [(&str, SampleUnit); 4] = [
    ("amps", SampleUnit::Amps),
    ("unix", SampleUnit::Unix),
    ("unix-ms", SampleUnit::UnixMs),
    ("rfc3339", SampleUnit::Rfc3339),
];

/// The artifacts of one level, in the order written.
pub(in crate::inventory) fn artifacts(
    page: &mut Page<'_>,
    node: Option<&Node<'_>>,
) -> Vec<Artifact> {
    let (artifacts, _) = super::named(page, node, "artifacts", artifact);
    artifacts.into_iter().flatten().collect()
}

fn artifact(page: &mut Page<'_>, name: Text, node: &Node<'_>) -> Option<Artifact> {
    let owner = format!("artifact `{}`", name.value);
    if node.is_null() {
        let hint = "an artifact cannot be removed: give it keys, or leave its name out";
        page.refuse(node.at, format!("{owner} says nothing"), hint);
        return None;
    }
    let before = page.refusals();
    let mut keys = Keys::of(page, node, owner, name.at)?;
    let mut artifact = Artifact::named(name);
    if let Some(node) = keys.take("kind") {
        artifact.kind = fields::word(page, node, "kind", &KINDS);
    }
    source(page, &mut keys, &mut artifact);
    if let Some(node) = keys.take("format") {
        artifact.format = fields::word(page, node, "format", &FORMATS);
    }
    if let Some(node) = keys.take("match") {
        artifact.pattern = fields::parsed(page, node, "match", pattern);
    }
    if let Some(node) = keys.take("stream") {
        artifact.stream = fields::word(page, node, "stream", &STREAMS);
    }
    if let Some(node) = keys.take("tables") {
        artifact.tables = fields::names(page, node, "tables", grammar::identifier);
    }
    if let Some(entry) = keys.entry("sample") {
        artifact.sample = sample(page, &entry.value, entry.at);
    }
    if let Some(node) = keys.take("reject") {
        artifact.reject = fields::list(page, node, "reject", |page, item| {
            fields::parsed(page, item, "reject", pattern).map(|found| found.value)
        });
    }
    if let Some(node) = keys.take("listing") {
        artifact.listing = fields::flag(page, node, "listing");
    }
    log::take(page, &mut keys, &mut artifact);
    statistics::take(page, &mut keys, &mut artifact);
    configuration::take(page, &mut keys, &mut artifact);
    artifact.about = about(page, &mut keys);
    keys.done(page);
    artifact.refused = page.refusals() > before;
    Some(artifact)
}

/// Where it comes from: one of five keys.
fn source(page: &mut Page<'_>, keys: &mut Keys<'_, '_>, artifact: &mut Artifact) {
    let mut given: Vec<(&str, Mark)> = Vec::new();
    if let Some(entry) = keys.entry("command") {
        given.push(("a command", entry.at));
        artifact.command = command(page, &entry.value);
    }
    if let Some(entry) = keys.entry("path") {
        given.push(("a path", entry.at));
        artifact.path = template(page, &entry.value, "path");
    }
    if let Some(entry) = keys.entry("mask") {
        given.push(("a mask", entry.at));
        artifact.mask = template(page, &entry.value, "mask");
    }
    if let Some(entry) = keys.entry("journal") {
        given.push(("a journal", entry.at));
        artifact.journal = template(page, &entry.value, "journal");
    }
    if let Some(entry) = keys.entry("http") {
        given.push(("an HTTP request", entry.at));
        if let Some((get, ca_at)) = http(page, &entry.value, entry.at) {
            (artifact.http, artifact.ca_at) = (Some(get), ca_at);
        }
    }
    given.sort_by_key(|(_, at)| *at);
    if let [.., (first, _), (second, at)] = given.as_slice() {
        let message = format!(
            "artifact `{}` has both {first} and {second}",
            artifact.name.value
        );
        let hint = "an artifact comes from one of them: remove the other";
        page.refuse(*at, message, hint);
    }
}

/// `http: URL`, or `http: {url: URL, user: NAME, password_env: NAME, ca: FILE}`, and where `ca` stands.
fn http(page: &mut Page<'_>, node: &Node<'_>, at: Mark) -> Option<(Get<Template>, Option<Mark>)> {
    let plain = |url| Get {
        url,
        user: None,
        password_env: None,
        ca: None,
    };
    if matches!(node.value, Value::Scalar { .. }) {
        return Some((plain(template(page, node, "http")?), None));
    }
    let mut keys = Keys::of(page, node, "`http`", at)?;
    let url = keys.require("url", "http://127.0.0.1:8085/amps/instance.json");
    let url = url.and_then(|node| template(page, node, "url"));
    let user = keys.take("user");
    let user = user.and_then(|node| fields::checked(page, node, "user", grammar::printable));
    let password = keys.take("password_env");
    let password = password.and_then(|node| super::access::variable(page, node, "password_env"));
    let ca = keys.take("ca").and_then(|node| ca(page, node));
    keys.done(page);
    let get = Get {
        user: user.map(|user| user.value),
        password_env: password.map(|name| name.value),
        ca: ca.as_ref().map(|file| file.value.clone()),
        ..plain(url?)
    };
    Some((get, ca.map(|file| file.at)))
}

/// A file of certificates beside the inventory.
fn ca(page: &mut Page<'_>, node: &Node<'_>) -> Option<Spanned<PathBuf>> {
    match page.folder() {
        Some(folder) => super::access::file(page, node, "ca", folder),
        None => {
            let hint = "say it in the inventory: a profile lies beside no file";
            page.refuse(node.at, "`ca` in a built-in profile", hint);
            None
        }
    }
}

/// Where its facts come from: for who reads a profile.
fn about(page: &mut Page<'_>, keys: &mut Keys<'_, '_>) -> About {
    let mut text = |key| {
        let node = keys.take(key)?;
        let text = fields::checked(page, node, key, grammar::printable)?;
        Some(text.value)
    };
    About {
        source: text("source"),
        checked: text("checked"),
        needs: text("needs"),
    }
}

/// Keys joined by `.`.
fn key_path(text: &str) -> Result<(), String> {
    match text.split('.').all(|key| !key.is_empty()) {
        true => grammar::printable(text),
        false => Err("write keys joined by `.`, such as `t.$date`".into()),
    }
}

fn command(page: &mut Page<'_>, node: &Node<'_>) -> Option<Spanned<Vec<Template>>> {
    let Value::List(items) = &node.value else {
        let hint = "write each argument by itself: [\"{home}/bin/ampServer\", \"--version\"]";
        fields::expected(page, node, "command", "a list of arguments", hint);
        return None;
    };
    let Some(program) = items.first() else {
        page.refuse(
            node.at,
            "`command` is empty",
            "write a program and its arguments",
        );
        return None;
    };
    if let Value::Scalar { text, .. } = &program.value {
        let hint = if text.is_empty() {
            Some("the first item is the program: write its path")
        } else if text.starts_with('-') {
            Some("the first item is the program, options come after it")
        } else if items.len() == 1 && text.contains(" -") {
            Some("write each argument by itself: [\"{home}/bin/ampServer\", \"--version\"]")
        } else {
            None
        };
        if let Some(hint) = hint {
            let message = format!("`command`: `{text}` is not a program");
            page.refuse(program.at, message, hint);
        }
    }
    let before = items.len();
    let arguments = fields::list(page, node, "command", |page, item| {
        template(page, item, "command")
    })?;
    (arguments.value.len() == before).then_some(arguments)
}

fn template(page: &mut Page<'_>, node: &Node<'_>, key: &str) -> Option<Template> {
    let text = fields::checked(page, node, key, grammar::printable)?;
    match Template::parse(&text.value, text.at) {
        Ok(template) => Some(template),
        Err(hint) => {
            let message = format!("`{key}`: the braces of `{}` do not fit", text.value);
            page.refuse(text.at, message, hint);
            None
        }
    }
}

/// A pattern that finds nothing in particular would accept any output as proof.
fn pattern(text: &str) -> Result<Pattern, String> {
    match regex::Regex::new(text) {
        Ok(regex) if regex.is_match("") => {
            Err("this pattern matches no text at all, and so proves nothing".into())
        }
        Ok(regex) => Ok(Pattern(regex)),
        Err(error) => {
            let whole = error.to_string();
            let last = whole.lines().last().unwrap_or_default();
            let why = last.trim().trim_start_matches("error: ");
            Err(format!("not a regular expression: {why}"))
        }
    }
}

fn sample(page: &mut Page<'_>, node: &Node<'_>, at: Mark) -> Option<Spanned<Sample>> {
    let mut keys = Keys::of(page, node, "`sample`", at)?;
    let table = keys.require("table", "IMEMORY_DYNAMIC");
    let table = table.and_then(|node| fields::checked(page, node, "table", grammar::identifier));
    let column = keys.require("column", "timestamp");
    let column = column.and_then(|node| fields::checked(page, node, "column", grammar::identifier));
    let unit = keys.require("unit", "unix");
    let unit = unit.and_then(|node| fields::word(page, node, "unit", &UNITS));
    keys.done(page);
    let value = Sample {
        table: table?.value,
        column: column?.value,
        unit: unit?.value,
    };
    Some(Spanned { at, value })
}
