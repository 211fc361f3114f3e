//! The changes as a page for a merge request or a step summary.

use super::{Change, Diff, Kind, Told};
use crate::report::markdown::{MAX_BYTES, code, words};
use crate::text::count;

/// Kept free for the closing lines.
const RESERVE: usize = 400;

/// GitHub-flavoured Markdown, never longer than [`MAX_BYTES`].
#[must_use]
pub fn render(diff: &Diff) -> String {
    let mut out = format!("# {}\n\n", words(&diff.say()));
    out += "| | run | verdict | finished | signature |\n|---|---|---|---|---|\n";
    out += &side("old", &diff.old);
    out += &side("new", &diff.new);
    for warning in &diff.warnings {
        out += &format!("\n**{}**\n", words(warning));
    }
    for kind in Kind::ALL {
        let all = diff.of_kind(kind).count();
        if all == 0 {
            continue;
        }
        let head = format!(
            "\n## {} ({all})\n\n| what | was | is | hint |\n|---|---|---|---|\n",
            words(kind.title())
        );
        if out.len() + head.len() + RESERVE > MAX_BYTES {
            continue;
        }
        out += &head;
        for (shown, change) in diff.of_kind(kind).enumerate() {
            let row = row(change);
            if out.len() + row.len() + RESERVE > MAX_BYTES {
                out += &format!("\n{} more\n", all - shown);
                break;
            }
            out += &row;
        }
    }
    out += &format!(
        "\n{} as before, {} of them failing.\n",
        count(diff.unchanged, "check"),
        diff.still_failing
    );
    out
}

fn side(label: &str, told: &Told) -> String {
    let signer = match &told.signer {
        Some(signer) => code(signer),
        None => "not verified".to_owned(),
    };
    let (run, verdict, finished) = (
        code(&told.run),
        told.verdict.as_str(),
        words(&told.finished),
    );
    format!("| {label} | {run} | {verdict} | {finished} | {signer} |\n")
}

fn row(change: &Change) -> String {
    let or_nothing = |words: &Option<String>| words.as_deref().map(code).unwrap_or_default();
    let (was, is) = (or_nothing(&change.was), or_nothing(&change.is));
    format!(
        "| {} | {was} | {is} | {} |\n",
        words(&change.what),
        words(&change.hint)
    )
}
