//! The changes for programs: one object, a list for each kind of change, empty where nothing is to be told.

use serde_json::{Map, Value, json};

use super::{Change, Diff, Kind, Told};
use crate::report::gate::json::without_marks;

/// One JSON object and a newline.
#[must_use]
pub fn render(diff: &Diff) -> String {
    let lists = Kind::ALL.into_iter().map(|kind| {
        let changes: Vec<Value> = diff.of_kind(kind).map(change).collect();
        (kind.key().to_owned(), Value::Array(changes))
    });
    let lists: Map<String, Value> = lists.collect();
    let told = json!({
        "schema": "gonogo/diff/v1",
        "old": side(&diff.old),
        "new": side(&diff.new),
        "worse": diff.is_worse(),
        "summary": diff.say(),
        "warnings": diff.warnings,
        "unchanged": diff.unchanged,
        "still_failing": diff.still_failing,
        "changes": lists,
    });
    without_marks(&format!("{told:#}\n"))
}

fn side(told: &Told) -> Value {
    json!({
        "run": told.run, "environment": told.environment, "finished": told.finished,
        "verdict": told.verdict.as_str(), "verified": told.signer.is_some(), "signer": told.signer,
    })
}

fn change(change: &Change) -> Value {
    json!({
        "what": change.what, "was": change.was, "is": change.is, "hint": change.hint,
        "worse": change.worse,
    })
}
