//! The comparison of two environments: for a person, for a merge request, for a program.

use serde_json::{Map, Value, json};

use super::{Across, Finding, Kind};
use crate::report::diff::Told;
use crate::report::gate::json::without_marks;
use crate::report::markdown::{MAX_BYTES, code, words};
use crate::text::{count, defuse, escape};

/// Most findings of one kind; `--format json` tells all.
const MOST: usize = 50;
/// Kept free for the closing lines.
const RESERVE: usize = 400;

/// The lines for stdout, the sum as the last one.
#[must_use]
pub fn text(across: &Across) -> String {
    let (first, second) = (&across.first.environment, &across.second.environment);
    let width = first.chars().count().max(second.chars().count()).min(40);
    let side = |told: &Told| {
        let signer = match &told.signer {
            Some(signer) => format!("signed by {signer}"),
            None => "not verified".to_owned(),
        };
        let Told {
            run,
            environment,
            finished,
            ..
        } = told;
        let verdict = told.verdict.as_str();
        format!("{environment:width$}  {run}  finished {finished}  {verdict}  {signer}")
    };
    let mut lines = vec![side(&across.first), side(&across.second)];
    let warnings = across.warnings.iter();
    lines.extend(warnings.map(|warning| format!("warning: {warning}")));
    for kind in Kind::ALL {
        let all = across.of_kind(kind).count();
        if all == 0 {
            continue;
        }
        lines.push(String::new());
        lines.push(format!("{} ({all})", kind.title(first, second)));
        for one in across.of_kind(kind).take(MOST) {
            lines.push(format!("  {}", one.what));
            lines.extend(
                one.first
                    .iter()
                    .map(|said| format!("    {first:width$}  {said}")),
            );
            lines.extend(
                one.second
                    .iter()
                    .map(|said| format!("    {second:width$}  {said}")),
            );
            if !one.hint.is_empty() {
                lines.push(format!("    hint  {}", one.hint));
            }
        }
        if let Some(more) = all.checked_sub(MOST).filter(|more| *more > 0) {
            lines.push(format!("  {more} more"));
        }
    }
    lines.push(String::new());
    lines.push(format!("{} in both", passes(across.both)));
    lines.push(across.say());
    let lines = lines
        .iter()
        .map(|line| format!("{}\n", defuse(&escape(line))));
    lines.collect()
}

fn passes(both: usize) -> String {
    match both {
        1 => "1 check passes".to_owned(),
        many => format!("{} pass", count(many, "check")),
    }
}

/// GitHub-flavoured Markdown, never longer than [`MAX_BYTES`].
#[must_use]
pub fn markdown(across: &Across) -> String {
    let (first, second) = (&across.first.environment, &across.second.environment);
    let mut out = format!("# {}\n\n", words(&across.say()));
    out += "| environment | run | verdict | finished | signature |\n|---|---|---|---|---|\n";
    for told in [&across.first, &across.second] {
        let signer = match &told.signer {
            Some(signer) => code(signer),
            None => "not verified".to_owned(),
        };
        let (environment, run) = (words(&told.environment), code(&told.run));
        let (verdict, finished) = (told.verdict.as_str(), words(&told.finished));
        out += &format!("| {environment} | {run} | {verdict} | {finished} | {signer} |\n");
    }
    for warning in &across.warnings {
        out += &format!("\n**{}**\n", words(warning));
    }
    for kind in Kind::ALL {
        let all = across.of_kind(kind).count();
        if all == 0 {
            continue;
        }
        let head = format!(
            "\n## {} ({all})\n\n| what | {} | {} | hint |\n|---|---|---|---|\n",
            words(&kind.title(first, second)),
            words(first),
            words(second)
        );
        if out.len() + head.len() + RESERVE > MAX_BYTES {
            continue;
        }
        out += &head;
        for (shown, one) in across.of_kind(kind).enumerate() {
            let row = row(one);
            if out.len() + row.len() + RESERVE > MAX_BYTES {
                out += &format!("\n{} more\n", all - shown);
                break;
            }
            out += &row;
        }
    }
    out += &format!("\n{} in both.\n", passes(across.both));
    out
}

fn row(one: &Finding) -> String {
    let or_nothing = |said: &Option<String>| said.as_deref().map(code).unwrap_or_default();
    let (first, second) = (or_nothing(&one.first), or_nothing(&one.second));
    let (what, hint) = (words(&one.what), words(&one.hint));
    format!("| {what} | {first} | {second} | {hint} |\n")
}

/// One JSON object and a newline: a list for each kind, empty where nothing is to be told.
#[must_use]
pub fn json(across: &Across) -> String {
    let finding = |one: &Finding| {
        json!({
            "what": one.what, "first": one.first, "second": one.second, "hint": one.hint,
            "worse": one.worse,
        })
    };
    let side = |told: &Told| {
        json!({
            "run": told.run, "environment": told.environment, "finished": told.finished,
            "verdict": told.verdict.as_str(), "verified": told.signer.is_some(), "signer": told.signer,
        })
    };
    let lists = Kind::ALL.into_iter().map(|kind| {
        let all: Vec<Value> = across.of_kind(kind).map(finding).collect();
        (kind.key().to_owned(), Value::Array(all))
    });
    let lists: Map<String, Value> = lists.collect();
    let told = json!({
        "schema": "gonogo/diff-environments/v1",
        "first": side(&across.first),
        "second": side(&across.second),
        "worse": across.is_worse(),
        "summary": across.say(),
        "warnings": across.warnings,
        "both": across.both,
        "findings": lists,
    });
    without_marks(&format!("{told:#}\n"))
}
