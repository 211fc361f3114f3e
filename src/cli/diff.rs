//! `gonogo diff`: what changed from one run to a later one, or what works in one environment and not in another.
//! Exit 1 tells that something is worse; whether the later run is a GO is `verify`'s to say.

use std::path::Path;

use super::args::{Diff as Args, DiffFormat};
use super::fault::{Exit, Fault};
use super::{show, signers, term, verify};
use crate::report;
use crate::report::diff::across::{self, Across, Same};
use crate::report::diff::{Diff, Incomparable, Side, json, markdown, text};
use crate::report::schema::Report;
use crate::report::verify::Demands;
use crate::sign::allowed_signers::{AllowedSigners, Signer};
use crate::text::escape;
use crate::verdict::Verdict;

pub(super) fn diff(args: &Args) -> Result<Exit, Fault> {
    let allowed = args.allowed_signers.as_deref();
    let revoked = args.revoked.as_deref();
    let allowed = allowed
        .map(|file| signers::read(file, revoked))
        .transpose()?;
    let identity = args.identity.as_deref();
    let old = open(&args.old, allowed.as_ref(), identity)?;
    let new = open(&args.new, allowed.as_ref(), identity)?;
    let (told, is_worse) = match args.environments {
        false => changes(args.format, &old, &new)?,
        true => environments(args, &old, &new)?,
    };
    if allowed.is_none() {
        term::say("not verified: nobody was asked who signed these runs; name --allowed-signers");
    }
    let exit = match is_worse {
        true => Exit::NoGo,
        false => Exit::Go,
    };
    match (term::deliver(&told), exit) {
        (Err(error), Exit::Go) => Err(Fault::new(
            Exit::Fault,
            format!("cannot write to stdout: {error}"),
            "",
        )),
        (_, exit) => Ok(exit),
    }
}

fn changes(format: DiffFormat, old: &Opened, new: &Opened) -> Result<(String, bool), Fault> {
    let diff = Diff::of(old.side(), new.side()).map_err(|why| incomparable(&why))?;
    let told = match format {
        DiffFormat::Text => text::render(&diff),
        DiffFormat::Markdown => markdown::render(&diff),
        DiffFormat::Json => json::render(&diff),
    };
    Ok((told, diff.is_worse()))
}

fn environments(args: &Args, first: &Opened, second: &Opened) -> Result<(String, bool), Fault> {
    let mut same = Same::new();
    for (name, other) in &args.same {
        let is_taken = same.values().any(|taken| taken == other);
        if is_taken || same.insert(name.clone(), other.clone()).is_some() {
            let message = format!(
                "--same names `{}` or `{}` twice",
                escape(name),
                escape(other)
            );
            let hint = "each name of one run stands for one of the other";
            return Err(Fault::new(Exit::Refused, message, hint));
        }
    }
    let across =
        Across::of(first.side(), second.side(), &same).map_err(|why| incomparable(&why))?;
    let told = match args.format {
        DiffFormat::Text => across::show::text(&across),
        DiffFormat::Markdown => across::show::markdown(&across),
        DiffFormat::Json => across::show::json(&across),
    };
    Ok((told, across.is_worse()))
}

fn incomparable(why: &Incomparable) -> Fault {
    let message = why.to_string();
    Fault::new(Exit::Refused, escape(message.trim_end()), why.hint())
}

/// A run, read; its signature checked where somebody said who may sign.
struct Opened {
    report: Report,
    verdict: Verdict,
    signer: Option<Signer>,
}

impl Opened {
    const fn side(&self) -> Side<'_> {
        Side {
            report: &self.report,
            verdict: &self.verdict,
            signer: self.signer.as_ref(),
        }
    }
}

fn open(
    directory: &Path,
    allowed: Option<&AllowedSigners>,
    identity: Option<&str>,
) -> Result<Opened, Fault> {
    // Whatever is no run at all is a wrong argument, not an unacceptable run.
    let report = show::read(directory)?;
    let Some(allowed) = allowed else {
        let verdict = report::judge(&report);
        return Ok(Opened {
            report,
            verdict,
            signer: None,
        });
    };
    let demands = Demands {
        identity: identity.map(str::to_owned),
        allow_partial: true,
        ..Demands::default()
    };
    let accepted = verify::accept(directory, allowed, &demands);
    let (verified, warning) = accepted.map_err(|reason| {
        let directory = directory.to_string_lossy();
        let message = format!("`{}` is not acceptable: {reason}", escape(&directory));
        Fault::new(Exit::Unacceptable, message, reason.hint())
    })?;
    if let Some(warning) = warning {
        term::say(&format!("warning: {}", escape(&warning)));
    }
    Ok(Opened {
        report: verified.report().clone(),
        verdict: verified.verdict().clone(),
        signer: Some(verified.signer().clone()),
    })
}
