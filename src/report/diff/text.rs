//! The changes for a person: worst first, the sum as the last line.

use super::{Diff, Kind, Told};
use crate::text::{count, defuse, escape};

/// Most changes of one kind; `--format json` tells all.
const MOST: usize = 50;

/// The lines for stdout.
#[must_use]
pub fn render(diff: &Diff) -> String {
    let mut lines = vec![side("old", &diff.old), side("new", &diff.new)];
    lines.extend(
        diff.warnings
            .iter()
            .map(|warning| format!("warning: {warning}")),
    );
    for kind in Kind::ALL {
        let all = diff.of_kind(kind).count();
        if all == 0 {
            continue;
        }
        lines.push(String::new());
        lines.push(format!("{} ({all})", kind.title()));
        for change in diff.of_kind(kind).take(MOST) {
            lines.push(format!("  {}", change.what));
            lines.extend(change.was.iter().map(|was| format!("    was   {was}")));
            lines.extend(change.is.iter().map(|is| format!("    is    {is}")));
            if !change.hint.is_empty() {
                lines.push(format!("    hint  {}", change.hint));
            }
        }
        if let Some(more) = all.checked_sub(MOST).filter(|more| *more > 0) {
            lines.push(format!("  {more} more"));
        }
    }
    lines.push(String::new());
    lines.push(match diff.still_failing {
        0 => format!("{} as before", count(diff.unchanged, "check")),
        failing => format!(
            "{} as before, {failing} of them failing",
            count(diff.unchanged, "check")
        ),
    });
    lines.push(diff.say());
    let lines = lines
        .iter()
        .map(|line| format!("{}\n", defuse(&escape(line))));
    lines.collect()
}

fn side(label: &str, told: &Told) -> String {
    let signer = match &told.signer {
        Some(signer) => format!("signed by {signer}"),
        None => "not verified".to_owned(),
    };
    format!(
        "{label}  {}  {}  finished {}  {}  {signer}",
        told.run,
        told.environment,
        told.finished,
        told.verdict.as_str()
    )
}
