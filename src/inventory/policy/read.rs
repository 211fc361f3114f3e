//! Reading the keys of a policy. What demands nothing, and what contradicts itself, is refused where it stands.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::civil::Date;

use super::{
    Artifact, Coverage, Folder, Policy, Required, Retired, Retries, Scenario, Selector, TimeStamp,
    Tool, Waived, bound,
};
use crate::digest::Sha256;
use crate::failure::FailureKind;
use crate::inventory::Kind;
use crate::inventory::fields::{self, Keys};
use crate::inventory::grammar::{self, Rule};
use crate::inventory::page::{Mark, Page, Text};
use crate::inventory::waivers::{self, matches, prose};
use crate::inventory::yaml::{Node, Value};
use crate::problem::Problem;
use crate::time;

/// The word for what the command line has to name.
pub(super) const REQUIRED: &str = "required";
/// The word for a last GO that counts where there is one.
const KEPT: &str = "kept";
/// The word for what is not accepted at all.
const NONE: &str = "none";

/// Keys whose place is remembered: something may be found wrong with them when the command line is known.
const REMEMBERED: [&str; 16] = [
    "environment",
    "max_age",
    "signers",
    "revoked",
    "approvers",
    "answerers",
    "answered_within",
    "accept_versions",
    "inventory",
    "features",
    "commit",
    "release",
    "go_live",
    "challenge",
    "time_stamp",
    "history",
];

/// The whole policy; `None` when it cannot be told what it demands.
pub(super) fn policy(page: &mut Page<'_>, root: &Node<'_>) -> Option<Policy> {
    let mut keys = Keys::of(page, root, "the policy", root.at)?;
    let environment = keys.require("environment", "production");
    let environment =
        environment.and_then(|node| fields::checked(page, node, "environment", grammar::name));
    let max_age = keys.require("max_age", "24h");
    let max_age = max_age.and_then(|node| fields::parsed(page, node, "max_age", duration));
    let signers = texts(page, &mut keys, "signers", person);
    let shard_signers = texts(page, &mut keys, "shard_signers", person);
    let revoked = path(page, &mut keys, "revoked");
    let approvers = path(page, &mut keys, "approvers");
    let approvals = number(page, &mut keys, "approvals", 1, 100);
    let answerers = path(page, &mut keys, "answerers");
    let within = keys.take("answered_within");
    let answered_within =
        within.and_then(|node| fields::parsed(page, node, "answered_within", duration));
    let inventory = path(page, &mut keys, "inventory");
    let features = texts(page, &mut keys, "features", grammar::stated);
    let features = features.into_iter().filter_map(|text| below(page, &text));
    let features: Vec<PathBuf> = features.collect();
    let [commit, release, go_live] = bound::read(page, &mut keys);
    let challenge = keys.take("challenge");
    let challenge =
        challenge.and_then(|node| fields::word(page, node, "challenge", &[(REQUIRED, true)]));
    let tool = section(page, &mut keys, "tool", tool);
    let older = texts(page, &mut keys, "accept_versions", is_version);
    if let Some(tool) = &tool {
        excluded(page, tool, &older);
    }
    let required = section(page, &mut keys, "required", required);
    let waived = none_or(page, &mut keys, "waivers", waived);
    let retries = none_or(page, &mut keys, "retries", retries);
    let time_stamp = section(page, &mut keys, "time_stamp", time_stamp);
    let history = keys.take("history");
    let history = history.and_then(|node| folder(page, node, "history"));
    let coverage = section(page, &mut keys, "coverage", coverage);
    let drill = section(page, &mut keys, "drill", super::drill::read);
    let mut places = BTreeMap::new();
    for key in (REMEMBERED.into_iter()).chain(["approvals", "coverage", "drill"]) {
        if let Some(entry) = keys.entry(key) {
            places.insert(key, blank(page, entry.value.at));
        }
    }
    for (key, file, hint) in [
        (
            "approvals",
            "approvers",
            "write `approvers: FILE`: who may approve",
        ),
        (
            "answered_within",
            "answerers",
            "write `answerers: FILE`: who may answer",
        ),
    ] {
        if let (Some(entry), None) = (keys.entry(key), keys.entry(file)) {
            page.refuse(entry.at, format!("`{key}` without `{file}`"), hint);
        }
    }
    keys.done(page);
    let required = required.unwrap_or_default();
    let coverage = coverage.map(|(coverage, marks)| {
        contradictions(page, &required, &coverage, &marks);
        coverage
    });
    let waived = match waived {
        Some(Choice::None) => Waived {
            none: true,
            ..Waived::default()
        },
        Some(Choice::Some(waived)) => waived,
        None => Waived::default(),
    };
    let retries = match retries {
        Some(Choice::None) => Retries {
            most_checks: Some(0),
            most_attempts: Some(1),
            no_restating: false,
        },
        Some(Choice::Some(retries)) => retries,
        None => Retries::default(),
    };
    Some(Policy {
        path: PathBuf::new(),
        bytes: Vec::new(),
        digest: Sha256::of(b""),
        environment: environment?.value,
        max_age: max_age?.value,
        signers: values(signers),
        shard_signers: values(shard_signers),
        revoked,
        approvers,
        approvals,
        answerers,
        answered_within: answered_within.map(|within| within.value),
        inventory,
        features,
        commit,
        release,
        go_live,
        challenge: challenge.is_some(),
        tool: tool.unwrap_or_default(),
        accept_versions: values(older),
        required,
        waivers: waived,
        retries,
        time_stamp,
        history,
        coverage,
        drill,
        places,
    })
}

enum Choice<T> {
    None,
    Some(T),
}

fn blank(page: &Page<'_>, at: Mark) -> Problem {
    let mut problem = Problem::new(page.place(at), "");
    problem.line = page.line(at);
    problem
}

/// A mapping under `key`. One that demands nothing is refused: whoever reads it takes it for a demand.
fn section<T>(
    page: &mut Page<'_>,
    keys: &mut Keys<'_, '_>,
    key: &'static str,
    read: impl FnOnce(&mut Page<'_>, &mut Keys<'_, '_>) -> Option<T>,
) -> Option<T> {
    let node = keys.take(key)?;
    let entries = fields::entries(page, node, &format!("`{key}`"))?;
    if entries.is_empty() {
        let hint = "write what it demands, or leave it out";
        page.refuse(node.at, format!("`{key}` demands nothing"), hint);
        return None;
    }
    let mut inner = Keys::of(page, node, format!("`{key}`"), node.at)?;
    let read = read(page, &mut inner);
    inner.done(page);
    read
}

/// `none`, or a mapping.
fn none_or<T>(
    page: &mut Page<'_>,
    keys: &mut Keys<'_, '_>,
    key: &'static str,
    read: impl FnOnce(&mut Page<'_>, &mut Keys<'_, '_>) -> Option<T>,
) -> Option<Choice<T>> {
    let node = keys.take(key)?;
    match &node.value {
        Value::Scalar { .. } if !node.is_null() => {
            fields::word(page, node, key, &[(NONE, ())]).map(|_| Choice::None)
        }
        _ => section(page, keys, key, read).map(Choice::Some),
    }
}

/// Distinct texts; an empty list demands nothing.
pub(super) fn texts(
    page: &mut Page<'_>,
    keys: &mut Keys<'_, '_>,
    key: &'static str,
    rule: Rule,
) -> Vec<Text> {
    let Some(node) = keys.take(key) else {
        return Vec::new();
    };
    let names = fields::names(page, node, key, rule);
    something(page, key, node);
    names.map_or_else(Vec::new, |names| names.value)
}

/// Refuses an empty list: whoever reads it takes it for a demand.
fn something(page: &mut Page<'_>, key: &str, node: &Node<'_>) {
    if matches!(&node.value, Value::List(items) if items.is_empty()) {
        let hint = "name something, or leave it out";
        page.refuse(node.at, format!("`{key}` demands nothing"), hint);
    }
}

/// A list whose items are more than text.
fn items<T>(
    page: &mut Page<'_>,
    node: &Node<'_>,
    key: &str,
    read: impl FnMut(&mut Page<'_>, &Node<'_>) -> Option<T>,
) -> Vec<T> {
    something(page, key, node);
    let list = fields::list(page, node, key, read);
    list.map_or_else(Vec::new, |list| list.value)
}

fn values(texts: Vec<Text>) -> Vec<String> {
    texts.into_iter().map(|text| text.value).collect()
}

pub(super) fn path(
    page: &mut Page<'_>,
    keys: &mut Keys<'_, '_>,
    key: &'static str,
) -> Option<PathBuf> {
    let node = keys.take(key)?;
    let text = fields::checked(page, node, key, grammar::stated)?;
    below(page, &text)
}

/// As written, from the folder of the policy.
fn below(page: &Page<'_>, text: &Text) -> Option<PathBuf> {
    Some(page.folder()?.join(&text.value))
}

fn number(
    page: &mut Page<'_>,
    keys: &mut Keys<'_, '_>,
    key: &'static str,
    least: usize,
    most: usize,
) -> Option<usize> {
    let node = keys.take(key)?;
    let parse = |text: &str| match text.parse() {
        Ok(number) if (least..=most).contains(&number) && !text.starts_with('+') => Ok(number),
        _ => Err(format!("write a whole number from {least} to {most}")),
    };
    fields::parsed(page, node, key, parse).map(|number| number.value)
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    time::parse_duration(text).map_err(|error| error.to_string())
}

/// As a principal stands in allowed_signers: a plain name.
fn person(name: &str) -> Result<(), String> {
    let is_plain = |c: char| !c.is_whitespace() && !"*?!,\"#".contains(c);
    match !name.is_empty() && name.len() <= 256 && name.chars().all(is_plain) {
        true => grammar::printable(name),
        false => Err(
            "write one name as allowed_signers has it, without patterns, such as ci@ops.example"
                .to_owned(),
        ),
    }
}

/// A name in which `*` and `?` may stand, and not alone.
fn pattern(text: &str) -> Result<(), String> {
    prose(text)?;
    match text.chars().all(|c| matches!(c, '*' | '?')) {
        true => Err("name what is meant; `*` may stand for a part of it".to_owned()),
        false => Ok(()),
    }
}

fn tag(text: &str) -> Result<(), String> {
    let inner = |c: char| !c.is_whitespace() && !c.is_control() && c != '@';
    let name = text.strip_prefix('@').unwrap_or_default();
    match !name.is_empty() && name.chars().all(inner) {
        true => grammar::printable(name),
        false => Err("a tag begins with `@`, such as \"@artifact:log\"".to_owned()),
    }
}

fn tags(page: &mut Page<'_>, keys: &mut Keys<'_, '_>, key: &'static str) -> Vec<String> {
    let bare = |text: Text| text.value.trim_start_matches('@').to_owned();
    let found = texts(page, keys, key, tag);
    found.into_iter().map(bare).collect()
}

fn version(text: &str) -> Result<[u64; 3], String> {
    let parts: Vec<Option<u64>> = text.split('.').map(|part| part.parse().ok()).collect();
    match parts[..] {
        [Some(major), Some(minor), Some(patch)] if format!("{major}.{minor}.{patch}") == text => {
            Ok([major, minor, patch])
        }
        _ => Err("write a version of gonogo, such as 0.4.0".to_owned()),
    }
}

fn is_version(text: &str) -> Result<(), String> {
    version(text).map(|_| ())
}

/// What `tool` permits nobody to make is not taken from an older version either.
fn excluded(page: &mut Page<'_>, tool: &Tool, older: &[Text]) {
    for text in older {
        let too_old = tool
            .oldest
            .is_some_and(|oldest| version(&text.value).is_ok_and(|one| one < oldest));
        let unnamed = !tool.versions.is_empty() && !tool.versions.contains(&text.value);
        if too_old || unnamed {
            let message = format!("`{}` is a version that `tool` does not permit", text.value);
            page.refuse(text.at, message, "mend `tool`, or leave the version out");
        }
    }
}

fn tool(page: &mut Page<'_>, keys: &mut Keys<'_, '_>) -> Option<Tool> {
    let oldest = keys.take("oldest");
    let oldest = oldest.and_then(|node| fields::parsed(page, node, "oldest", version));
    let versions = texts(page, keys, "versions", is_version);
    let is_digest: Rule = |text| match text.parse::<Sha256>() {
        Ok(digest) if digest.to_string() == text => Ok(()),
        _ => Err("write the SHA-256 of the binary: 64 hexadecimal digits, lower case".to_owned()),
    };
    let binaries = values(texts(page, keys, "sha256", is_digest));
    if let Some(oldest) = &oldest {
        let older = |text: &&Text| version(&text.value).is_ok_and(|one| one < oldest.value);
        if let Some(older) = versions.iter().find(older) {
            let message = format!("`{}` is older than `oldest` permits", older.value);
            page.refuse(older.at, message, "mend `oldest`, or leave it out");
        }
    }
    Some(Tool {
        oldest: oldest.map(|oldest| oldest.value),
        versions: values(versions),
        binaries,
    })
}

fn required(page: &mut Page<'_>, keys: &mut Keys<'_, '_>) -> Option<Required> {
    let tags = tags(page, keys, "tags");
    let [instances, hosts, teams] =
        ["instances", "hosts", "teams"].map(|key| values(texts(page, keys, key, grammar::name)));
    let kinds = keys.take("kinds").map(|node| {
        let [version, configuration, log, statistics] = Kind::REQUIRED;
        let all = [version, configuration, log, statistics, Kind::Other];
        let table = all.map(|kind| (kind.as_str(), kind));
        items(page, node, "kinds", |page, item| {
            fields::word(page, item, "kinds", &table).map(|kind| kind.value)
        })
    });
    let artifacts = keys.take("artifacts");
    let artifacts = artifacts.map(|node| items(page, node, "artifacts", artifact));
    let scenarios = keys.take("scenarios");
    let scenarios = scenarios.map(|node| items(page, node, "scenarios", scenario));
    Some(Required {
        tags,
        instances,
        hosts,
        teams,
        kinds: kinds.unwrap_or_default(),
        artifacts: artifacts.unwrap_or_default(),
        scenarios: scenarios.unwrap_or_default(),
    })
}

fn artifact(page: &mut Page<'_>, item: &Node<'_>) -> Option<Artifact> {
    let mut keys = Keys::of(page, item, "an artifact", item.at)?;
    let name = keys.require("name", "core files");
    let name = name.and_then(|node| fields::checked(page, node, "name", pattern));
    let instance = keys.take("instance");
    let instance = instance.and_then(|node| fields::checked(page, node, "instance", pattern));
    keys.done(page);
    Some(Artifact {
        name: name?.value,
        instance: instance.map(|text| text.value),
    })
}

fn scenario(page: &mut Page<'_>, item: &Node<'_>) -> Option<Scenario> {
    let mut keys = Keys::of(page, item, "a scenario", item.at)?;
    let name = keys.require("scenario", "\"event log of *\"");
    let name = name.and_then(|node| fields::checked(page, node, "scenario", pattern));
    let feature = keys.take("feature");
    let feature = feature.and_then(|node| fields::checked(page, node, "feature", pattern));
    let at_least = number(page, &mut keys, "at_least", 1, 1_000_000);
    keys.done(page);
    Some(Scenario {
        name: name?.value,
        feature: feature.map(|text| text.value),
        at_least: at_least.unwrap_or(1),
    })
}

fn waived(page: &mut Page<'_>, keys: &mut Keys<'_, '_>) -> Option<Waived> {
    let most = number(page, keys, "most", 1, 1_000_000);
    let most_checks = number(page, keys, "most_checks", 1, 1_000_000);
    // A policy tightens what holds for every waiver, and cannot loosen it.
    let days = usize::try_from(waivers::MOST_DAYS).unwrap_or(1);
    let most_days = number(page, keys, "most_days", 1, days);
    let never = section(page, keys, "never", |page, keys| {
        let kinds = keys.take("kinds").map(|node| {
            let table = FailureKind::ALL.map(|kind| (kind.as_str(), kind));
            items(page, node, "kinds", |page, item| {
                fields::word(page, item, "kinds", &table).map(|kind| kind.value)
            })
        });
        let tags = tags(page, keys, "tags");
        let scenarios = values(texts(page, keys, "scenarios", pattern));
        Some((kinds.unwrap_or_default(), tags, scenarios))
    });
    let (never_kinds, never_tags, never_scenarios) = never.unwrap_or_default();
    Some(Waived {
        none: false,
        most,
        most_checks,
        most_days,
        never_kinds,
        never_tags,
        never_scenarios,
    })
}

fn retries(page: &mut Page<'_>, keys: &mut Keys<'_, '_>) -> Option<Retries> {
    let most_checks = number(page, keys, "most_checks", 0, 1_000_000);
    let most_attempts = number(page, keys, "most_attempts", 1, 1_000);
    let restating = keys.take("restating");
    let restating = restating.and_then(|node| fields::word(page, node, "restating", &[(NONE, ())]));
    Some(Retries {
        most_checks,
        most_attempts,
        no_restating: restating.is_some(),
    })
}

fn time_stamp(page: &mut Page<'_>, keys: &mut Keys<'_, '_>) -> Option<TimeStamp> {
    let tsa_ca = keys.require("tsa_ca", "tsa.pem");
    let tsa_ca = tsa_ca.and_then(|node| fields::checked(page, node, "tsa_ca", grammar::stated));
    let tsa_ca = tsa_ca.and_then(|text| below(page, &text));
    let within = keys.take("within");
    let within = within.and_then(|node| fields::parsed(page, node, "within", duration));
    Some(TimeStamp {
        tsa_ca: tsa_ca?,
        within: within.map(|within| within.value),
    })
}

pub(super) fn folder(page: &mut Page<'_>, node: &Node<'_>, key: &str) -> Option<Folder> {
    let text = fields::checked(page, node, key, grammar::stated)?;
    match text.value.as_str() {
        REQUIRED => Some(Folder::Named),
        _ => below(page, &text).map(Folder::At),
    }
}

/// With where each entry of `retired` stands.
type Marked = (Coverage, Vec<Mark>);

fn coverage(page: &mut Page<'_>, keys: &mut Keys<'_, '_>) -> Option<Marked> {
    let last = keys.require("last_go", REQUIRED);
    let words = [(REQUIRED, true), (KEPT, false)];
    let last = last.and_then(|node| fields::word(page, node, "last_go", &words));
    let since = keys.take("since");
    let since = since.and_then(|node| fields::parsed(page, node, "since", day));
    let retired = keys.take("retired").map(|node| {
        items(page, node, "retired", |page, item| {
            retired(page, item).map(|entry| (entry, item.at))
        })
    });
    let (retired, marks) = retired.unwrap_or_default().into_iter().unzip();
    let coverage = Coverage {
        must_exist: last.is_none_or(|last| last.value),
        since: since.map(|since| since.value),
        retired,
    };
    Some((coverage, marks))
}

fn retired(page: &mut Page<'_>, item: &Node<'_>) -> Option<Retired> {
    let mut keys = Keys::of(page, item, "an entry of `retired`", item.at)?;
    let before = page.refusals();
    let mut selector = |page: &mut Page<'_>, key| {
        let text = fields::checked(page, keys.take(key)?, key, pattern);
        text.map(|text| text.value)
    };
    let what = Selector {
        feature: selector(page, "feature"),
        scenario: selector(page, "scenario"),
        step: selector(page, "step"),
        instance: selector(page, "instance"),
        host: selector(page, "host"),
        team: selector(page, "team"),
    };
    let reason = keys.require("reason", "why it is not asked for any more");
    let reason = reason.and_then(|node| fields::checked(page, node, "reason", prose));
    let from = keys.require("from", "2026-12-01");
    let from = from.and_then(|node| fields::parsed(page, node, "from", day));
    if what == Selector::default() && page.refusals() == before {
        let hint = "write `instance:`, `host:`, `team:`, `scenario:`, `feature:` or `step:`";
        page.refuse(item.at, "an entry that does not say what is retired", hint);
    }
    keys.done(page);
    Some(Retired {
        what,
        reason: reason?.value,
        from: from?.value,
    })
}

fn day(text: &str) -> Result<Date, String> {
    let day = text.parse::<Date>().ok();
    // As it is written everywhere else, and no time beside it.
    let day = day.filter(|day| day.to_string() == text);
    day.ok_or_else(|| "write a day, such as 2026-12-01".to_owned())
}

/// What is required cannot be retired.
fn contradictions(page: &mut Page<'_>, required: &Required, coverage: &Coverage, marks: &[Mark]) {
    for (entry, at) in coverage.retired.iter().zip(marks) {
        let what = &entry.what;
        let only = what.keys().iter().filter(|(_, one)| one.is_some()).count() == 1;
        let asked = [
            ("instance", &what.instance, &required.instances),
            ("host", &what.host, &required.hosts),
            ("team", &what.team, &required.teams),
        ];
        for (word, pattern, names) in asked {
            let Some(pattern) = pattern.as_ref().filter(|_| only) else {
                continue;
            };
            if let Some(name) = names.iter().find(|name| matches(pattern, name)) {
                let message = format!("{word} `{name}` is required above, and retired here");
                page.refuse(*at, message, "keep one of them");
            }
        }
    }
}
