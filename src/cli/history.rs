//! `gonogo history`: is a folder of runs one unbroken chain, and how did they come out? Judges no run anew
//! for a gate: that is `verify --history`.

use serde_json::json;

use super::args::{self, HistoryFormat};
use super::fault::{Exit, Fault};
use super::{signers, term};
use crate::report::history::{Entry, History, Signed, page, text};
use crate::time;

pub(super) fn history(args: &args::History) -> Result<Exit, Fault> {
    let allowed = signers::read(&args.allowed_signers, args.revoked.as_deref())?;
    let history = History::open(&args.folder, Some(&allowed), time::now()).map_err(|fault| {
        Fault::new(
            Exit::Refused,
            fault,
            "name the folder whose directories are runs",
        )
    })?;
    if history.runs.is_empty() && history.breaks.is_empty() {
        return Err(Fault::new(
            Exit::Refused,
            format!(
                "no run lies directly in `{}`",
                crate::text::escape(&args.folder.to_string_lossy())
            ),
            "name the folder whose directories are runs, not a run itself",
        ));
    }
    term::out(&match args.format {
        HistoryFormat::Text => text::render(&history),
        HistoryFormat::Json => json(&history),
        HistoryFormat::Html => page::render(&history),
    });
    Ok(match history.breaks.is_empty() {
        true => Exit::Go,
        false => {
            for broken in &history.breaks {
                term::say(&format!("error: {broken}\n\n  hint: {}", broken.hint()));
            }
            Exit::Unacceptable
        }
    })
}

fn json(history: &History) -> String {
    let runs: Vec<_> = history.runs.iter().map(entry).collect();
    let breaks: Vec<_> = history.breaks.iter().map(ToString::to_string).collect();
    format!(
        "{:#}\n",
        json!({
            "schema": "gonogo/history/v1",
            "unbroken": history.breaks.is_empty(),
            "breaks": breaks,
            "strangers": history.strangers,
            "runs": runs,
        })
    )
}

fn entry(run: &Entry) -> serde_json::Value {
    let (signer, valid_now) = match &run.signed {
        Signed::NotAsked => (None, None),
        Signed::Valid(signer) => (Some(signer), Some(true)),
        Signed::ThenValid(signer) => (Some(signer), Some(false)),
    };
    json!({
        "number": run.run.number,
        "directory": run.name,
        "run": run.run.id,
        "sha256": run.digest.to_string(),
        "previous": run.previous.map(|digest| digest.to_string()),
        "environment": run.run.scope.environment,
        "started": run.run.started,
        "finished": run.run.finished,
        "verdict": run.decision,
        "reason": run.reason,
        "aborted": run.run.aborted.is_some(),
        "partial": run.run.scope.partial,
        "shards": run.run.merged.as_ref().map(|merged| merged.shards.len()),
        "counts": run.counts,
        "slowest_ms": run.slowest,
        "waivers": run.waivers,
        "answers": run.answers,
        "break_glass": run.break_glass,
        "signer": signer.map(|signer| &signer.identity),
        "fingerprint": signer.map(|signer| &signer.fingerprint),
        "key_valid_now": valid_now,
    })
}
