//! `gonogo diff`: what changed from one run to a later one. Exit 1 tells that something got worse; whether
//! the later run is a GO is `verify`'s to say.

use std::path::Path;

use super::args::{Diff as Args, DiffFormat};
use super::fault::{Exit, Fault};
use super::{show, signers, term, verify};
use crate::report;
use crate::report::diff::{Diff, Side, json, markdown, text};
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
    let diff = Diff::of(old.side(), new.side())
        .map_err(|why| Fault::new(Exit::Refused, escape(&why.to_string()), why.hint()))?;
    let told = match args.format {
        DiffFormat::Text => text::render(&diff),
        DiffFormat::Markdown => markdown::render(&diff),
        DiffFormat::Json => json::render(&diff),
    };
    if allowed.is_none() {
        term::say("not verified: nobody was asked who signed these runs; name --allowed-signers");
    }
    let exit = match diff.is_worse() {
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
