//! `gonogo drill status` and `gonogo drill finish`: what is missing, and the seal.

use std::path::Path;

use super::{Finish, Status, refuse, shown};
use crate::case::rehearsed;
use crate::cli::fault::{Exit, Fault};
use crate::cli::term;
use crate::report::directory::Draft;
use crate::report::drill::{
    Folder, Journal, Judged, Missing, Outcome, SealDrillFault, Short, judge, once, seal,
};
use crate::text::{count, escape, shell_word};
use crate::time;

pub(super) fn status(args: &Status) -> Result<Exit, Fault> {
    let journal = Journal::open(&args.dir)?;
    let begin = journal
        .begin()
        .ok_or_else(|| refuse("the drill has no beginning", ""))?;
    let folder = match &args.drills {
        Some(folder) if !folder.is_dir() => {
            return Err(refuse(
                format!("there is no folder `{}`", shown(folder)),
                "before the first drill, make it: all sealed drills are kept in it",
            ));
        }
        Some(folder) => Folder::read(folder).map_err(|why| refuse(why, FOLDER))?,
        None => Folder::default(),
    };
    let judged = judge(journal.entries(), folder.last_of(begin).as_ref());
    let mut out = String::new();
    for entry in journal.entries() {
        out += &format!(
            "{:>4}  {}  {}  {}\n",
            entry.number,
            entry.at,
            escape(&entry.by),
            escape(&crate::report::drill::in_words(&entry.step))
        );
    }
    for missing in &judged.missing {
        out += &format!("missing  {}\n", line(missing, &args.dir));
    }
    for short in &judged.short {
        out += &format!("short    {}\n", fell(short, &judged, &args.dir));
    }
    let held = rehearsed::held(journal.dir(), journal.entries());
    match &held {
        Err(why) => out += &format!("wrong    {}: {AGAIN}\n", escape(why)),
        Ok(unproven) => {
            for one in unproven {
                out += &format!("unproven {}\n", escape(one));
            }
        }
    }
    out += &format!("so far   {}\n", judged.outcome.as_str());
    term::out(&out);
    if args.drills.is_none() {
        term::say("the findings of the last drill were not looked at: --drills FOLDER");
    }
    Ok(match held {
        Err(_) => Exit::NoGo,
        Ok(_) => exit(judged.outcome),
    })
}

const FOLDER: &str =
    "keep all sealed drills in one folder, each as `finish` wrote it, and nothing else";

const AGAIN: &str = "note the true one with --again REASON";

fn line(missing: &Missing, dir: &Path) -> String {
    format!(
        "{}: {}",
        escape(&missing.what),
        escape(&here(&missing.hint, dir))
    )
}

/// A hint as it can be typed.
fn here(hint: &str, dir: &Path) -> String {
    let dir = dir.to_string_lossy();
    hint.replace(" DIR ", &format!(" {} ", shell_word(&dir)))
}

/// What fell short, and what is left to tell of it.
fn fell(short: &Short, judged: &Judged, dir: &Path) -> String {
    let line = format!("{}: {}", short.about, short.what);
    let mut findings = judged.findings.iter();
    let line = match findings.any(|one| one.about.as_ref() == Some(&short.about)) {
        true => line,
        false => {
            let hint = format!(
                "{line}: gonogo drill note DIR finding TEXT --owner WHO --due DAY --about {}",
                shell_word(&short.about)
            );
            here(&hint, dir)
        }
    };
    escape(&line).into_owned()
}

const fn exit(outcome: Outcome) -> Exit {
    match outcome.is_passed() {
        true => Exit::Go,
        false => Exit::NoGo,
    }
}

pub(super) fn finish(args: &Finish) -> Result<Exit, Fault> {
    let journal = Journal::open(&args.dir)?;
    let key = args.signing.open()?;
    let out = std::path::absolute(&args.out)
        .map_err(|cause| refuse(format!("`{}`: {cause}", shown(&args.out)), ""))?;
    let parent = out.parent().unwrap_or(Path::new("/")).to_owned();
    let folder = match parent.is_dir() {
        true => Folder::hold(&parent).map_err(|why| refuse(why, FOLDER))?,
        // Told by the draft, with what to do about it.
        false => Folder::default(),
    };
    let twice = |fault| {
        refuse(
            fault,
            "a drill is sealed once, and what was sealed stays: what is to be told now belongs to the next drill",
        )
    };
    once(&journal, &folder).map_err(twice)?;
    let draft = Draft::create(&out)?;
    let mut meant = Vec::new();
    meant.extend(args.invalid.then_some(Outcome::Invalid));
    meant.extend(args.failed.then_some(Outcome::Failed));
    let sealed = seal(
        &journal,
        draft,
        &key,
        &folder,
        &meant,
        &rehearsed::held,
        time::now(),
    );
    let record = match sealed {
        Ok(record) => record,
        Err(SealDrillFault::Missing(missing)) => {
            let lines = missing.iter().map(|missing| line(missing, &args.dir));
            let lines: Vec<String> = lines.collect();
            return Err(refuse(
                format!(
                    "the drill is not complete, {}:\n    {}",
                    count(missing.len(), "gap"),
                    lines.join("\n    ")
                ),
                "note what is missing, or seal it as INVALID with --invalid: a drill that went wrong is a record, too",
            ));
        }
        Err(SealDrillFault::Short(short)) => {
            let last = journal.begin().and_then(|begin| folder.last_of(begin));
            let judged = judge(journal.entries(), last.as_ref());
            let lines = short.iter().map(|short| fell(short, &judged, &args.dir));
            let lines: Vec<String> = lines.collect();
            return Err(refuse(
                format!("the drill fell short:\n    {}", lines.join("\n    ")),
                "note who mends it, and by when; or seal it as FAILED with --failed: it counts for nothing then",
            ));
        }
        Err(fault @ SealDrillFault::Apart(_)) => {
            return Err(refuse(fault, AGAIN));
        }
        Err(SealDrillFault::Directory(fault)) => return Err(fault.into()),
        Err(fault @ SealDrillFault::Twice(_)) => return Err(twice(fault)),
        Err(fault) => {
            return Err(refuse(
                fault,
                "what was noted is never changed: see what touched the directory, and begin anew if need be",
            ));
        }
    };
    let judged = Judged {
        outcome: record.outcome,
        missing: record.missing,
        short: record.short,
        findings: record.findings,
    };
    tell(&judged, &args.dir);
    term::say(&format!(
        "sealed as {}; now two people sign it off: gonogo drill sign {} --key FILE",
        shown(&args.out),
        shown(&args.out)
    ));
    term::out(&format!("{}\n", judged.outcome.as_str()));
    Ok(exit(judged.outcome))
}

/// Everything that speaks against it, and what has to be done.
pub(super) fn tell(judged: &Judged, dir: &Path) {
    for missing in &judged.missing {
        term::say(&format!("missing: {}", line(missing, dir)));
    }
    for short in &judged.short {
        term::say(&format!(
            "fell short: {}: {}",
            escape(&short.about),
            escape(&short.what)
        ));
    }
    for finding in &judged.findings {
        let line = format!(
            "finding {}: {}; owner {}, due {}",
            finding.id, finding.what, finding.owner, finding.due
        );
        term::say(&escape(&line));
    }
}
