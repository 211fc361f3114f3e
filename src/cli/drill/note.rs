//! `gonogo drill note`: one thing more. What a step brings is looked at before it is told.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{GivenState, Note, NoteStep, refuse, shown, who};
use crate::case::rehearsed;
use crate::cli::fault::{Exit, Fault};
use crate::cli::{signers, term, verify};
use crate::report::drill::{
    self, Acknowledgement, Bundle, Delivery, Deviation, Escalation, Finding, Journal, Kept,
    Request, Retrieval, Said, State, Step, Told,
};
use crate::report::verify::Demands;
use crate::sign::manifest::{MANIFEST, SIGNATURE, read_regular};
use crate::text::escape;
use crate::time::{self, rfc3339};

const MOST_BYTES: u64 = 512 << 20;
/// A request is a page, a receipt less.
const PAGE: u64 = 1 << 20;

pub(super) fn note(args: &Note) -> Result<Exit, Fault> {
    let mut journal = Journal::open(&args.dir)?;
    let now = time::now();
    let step = step(&journal, &args.step, now)?;
    let entry = journal.add(step, &who(args.by.as_ref()), args.again.as_deref(), now)?;
    term::say(&format!(
        "noted as entry {} at {}: {}",
        entry.number,
        entry.at,
        entry.step.word()
    ));
    if let Step::Finding(finding) = &entry.step {
        term::out(&format!("{}\n", finding.id));
    }
    Ok(Exit::Go)
}

fn step(journal: &Journal, given: &NoteStep, now: Timestamp) -> Result<Step, Fault> {
    let at = |at: &Option<Timestamp>| rfc3339(at.unwrap_or(now));
    Ok(match given {
        NoteStep::Retrieval {
            run,
            allowed_signers,
        } => Step::Retrieval(retrieval(journal, run, allowed_signers, now)?),
        NoteStep::Request { file, at: when } => {
            let bytes = read(file)?;
            let held = drill::request(&bytes);
            held.map_err(|why| {
                let message = format!("`{}`: {why}", shown(file));
                refuse(
                    message,
                    "fill in every field: what is blank, the vendor asks back for",
                )
            })?;
            let fetched = journal
                .entries()
                .iter()
                .rev()
                .find_map(|entry| match &entry.step {
                    Step::Retrieval(step) => step.files.get(2),
                    _ => None,
                });
            let hold = rehearsed::request(journal.dir(), journal.entries(), &bytes);
            hold.map_err(|why| {
                let message = format!("`{}`: {}", shown(file), escape(&why));
                refuse(message, "`gonogo case draft` of the run that was noted writes it, every field filled in")
            })?;
            if let Some(report) = fetched {
                let report = journal.read(report).map_err(|why| refuse(why, ""))?;
                drill::about(&bytes, &report).map_err(|why| {
                    let message = format!("`{}`: {why}", shown(file));
                    refuse(message, "note the request that is sent: the vendor asks back for what it does not say")
                })?;
            }
            Step::Request(Request {
                at: at(when),
                file: journal.keep_as(&name(file), &mut &*bytes)?,
            })
        }
        NoteStep::Bundle { file, at: when } => Step::Bundle(Bundle {
            at: at(when),
            said: fit_to_leave(file)?,
            files: keep(journal, file)?,
        }),
        NoteStep::Delivery {
            receipt,
            sha256,
            words,
            at: when,
        } if receipt.is_empty() => Step::Delivery(Delivery {
            at: at(when),
            sha256: sha256.clone(),
            receipts: Vec::new(),
            words: words.clone(),
        }),
        NoteStep::Delivery { receipt, .. } => Step::Delivery(delivery(journal, receipt)?),
        NoteStep::Acknowledgement { case, from, at } => Step::Acknowledgement(Acknowledgement {
            at: rfc3339(*at),
            case: case.clone(),
            from: from.clone(),
        }),
        NoteStep::Escalation {
            level,
            tried,
            answered,
            from,
        } => Step::Escalation(Escalation {
            level: level.clone(),
            tried: rfc3339(*tried),
            answered: answered.map(rfc3339),
            from: from.clone(),
        }),
        NoteStep::Deviation { what, .. } => Step::Deviation(Deviation { what: what.clone() }),
        NoteStep::Finding {
            what,
            owner,
            due,
            about,
        } => Step::Finding(Finding {
            id: journal.next_finding(),
            what: what.clone(),
            owner: owner.clone(),
            due: due.clone(),
            about: about.clone(),
        }),
        NoteStep::Last {
            finding,
            state,
            reason,
            due,
        } => Step::Last(Told {
            finding: finding.clone(),
            state: match state {
                GivenState::Closed => State::Closed,
                GivenState::Open => State::Open,
            },
            reason: reason.clone(),
            due: due.clone(),
        }),
    })
}

/// What `gonogo case deliver` would not send is no bundle, and what says nothing of a run is none of this drill.
fn fit_to_leave(files: &[PathBuf]) -> Result<Vec<Said>, Fault> {
    let is_none = |file: &&PathBuf| !file.is_file();
    if let Some(file) = files.iter().find(is_none) {
        let message = format!("`{}`: it is not a regular file", shown(file));
        return Err(refuse(
            message,
            "name a file that holds what the step tells",
        ));
    }
    if let Some(file) = files
        .iter()
        .find(|file| file.metadata().is_ok_and(|found| found.len() == 0))
    {
        let message = format!("`{}`: it is empty", shown(file));
        return Err(refuse(
            message,
            "name a file that holds what the step tells",
        ));
    }
    rehearsed::said(files).map_err(|(why, hint)| refuse(why, &hint))
}

fn name(file: &Path) -> String {
    file.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn read(file: &Path) -> Result<Vec<u8>, Fault> {
    read_regular(file, PAGE).map_err(|error| {
        let message = format!("cannot read `{}`: {error}", shown(file));
        refuse(message, "name a regular file that this account may read")
    })
}

fn keep(journal: &Journal, files: &[PathBuf]) -> Result<Vec<Kept>, Fault> {
    let kept = files.iter().map(|file| journal.keep(file));
    Ok(kept.collect::<Result<_, _>>()?)
}

/// A run that `verify` accepts as GO, of this environment and inventory, made within the drill.
fn retrieval(
    journal: &Journal,
    run: &Path,
    allowed: &Path,
    now: Timestamp,
) -> Result<Retrieval, Fault> {
    let allowed = signers::read(allowed, None)?;
    let (verified, _) = verify::accept(run, &allowed, &Demands::default()).map_err(|reason| {
        Fault::new(
            Exit::Unacceptable,
            format!("the run is not acceptable: {reason}"),
            reason.hint(),
        )
    })?;
    let not_it = |why: String| {
        refuse(
            why,
            "run everything now with the inventory of the drill: gonogo run -i DIR/inputs/inventory.yaml, or its original",
        )
    };
    let begun = journal
        .entries()
        .first()
        .and_then(|entry| entry.at.parse().ok());
    let (Some(begin), Some(begun)) = (journal.begin(), begun) else {
        return Err(not_it("the drill has no beginning".to_owned()));
    };
    let report = verified.report();
    drill::retrieved(report, begin, begun, now).map_err(not_it)?;
    let mut files = Vec::new();
    let mut read = |name: &str| {
        let path = run.join(name);
        let bytes = read_regular(&path, MOST_BYTES).map_err(|error| {
            let message = format!("cannot read `{}`: {error}", shown(&path));
            refuse(message, "name the run directory")
        })?;
        let kept = name.strip_prefix("inputs/").unwrap_or(name);
        files.push(journal.keep_as(kept, &mut &*bytes)?);
        Ok::<_, Fault>(bytes)
    };
    let sums = read(MANIFEST)?;
    read(SIGNATURE)?;
    read("report.json")?;
    for input in &report.inputs {
        // Without them nobody could read the inventory again.
        if drill::record(&input.path).is_some() {
            read(&input.path)?;
        }
    }
    let sealed = verified.sealed();
    if crate::digest::Sha256::of(&sums) != sealed.digest {
        return Err(not_it("the run was changed while it was read".to_owned()));
    }
    Ok(Retrieval {
        run: report.run.id.clone(),
        manifest: sealed.digest.to_string(),
        started: report.run.started.clone(),
        finished: report.run.finished.clone(),
        signer: verified.signer().identity.clone(),
        files,
    })
}

fn delivery(journal: &Journal, receipts: &[PathBuf]) -> Result<Delivery, Fault> {
    let begin = journal
        .begin()
        .ok_or_else(|| refuse("the drill has no beginning", ""))?;
    let (mut sha256, mut kept, mut at) = (Vec::new(), Vec::new(), String::new());
    for file in receipts {
        let bytes = read(file)?;
        let told = drill::receipt(&bytes, begin);
        let (digest, finished) = told.map_err(|why| {
            let message = format!("`{}`: {}", shown(file), escape(&why));
            refuse(message, "name the receipt that `gonogo case deliver` wrote, or tell the digests with --sha256")
        })?;
        sha256.push(digest);
        at = at.max(finished);
        kept.push(journal.keep_as(&name(file), &mut &*bytes)?);
    }
    Ok(Delivery {
        at,
        sha256,
        receipts: kept,
        words: None,
    })
}
