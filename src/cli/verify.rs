//! `gonogo verify`: the gate. Offline; exit 4 tells that a run is not acceptable, whatever it says.

use std::collections::BTreeMap;
use std::fs;

use serde_json::json;

use super::args::{Verify, VerifyFormat};
use super::fault::{Exit, Fault};
use super::{run, term};
use crate::digest::Sha256;
use crate::report::verify::{Demands, Unacceptable, Verified};
use crate::run::replay;
use crate::sign::allowed_signers::AllowedSigners;
use crate::sign::manifest::portable_name;
use crate::text::escape;
use crate::{feature_files, time};

pub(super) fn verify(args: &Verify) -> Result<Exit, Fault> {
    let allowed = allowed(args)?;
    let demands = demands(args)?;
    match Verified::open(&args.run, &allowed, &demands, time::now()) {
        Ok(verified) => match replay(verified.report(), &args.run) {
            Ok(()) => Ok(accepted(args, &verified)),
            // Rules grow stricter, and an old run must verify for ever.
            Err(why) if verified.report().run.tool.version != env!("CARGO_PKG_VERSION") => {
                let version = escape(&verified.report().run.tool.version);
                term::say(&format!(
                    "warning: made by gonogo {version}; this version cannot make its plan again to compare: {why}"
                ));
                Ok(accepted(args, &verified))
            }
            Err(why) => {
                refused(args, &Unacceptable::Replay(why));
                Ok(Exit::Unacceptable)
            }
        },
        Err(reason) => {
            refused(args, &reason);
            Ok(Exit::Unacceptable)
        }
    }
}

fn allowed(args: &Verify) -> Result<AllowedSigners, Fault> {
    let path = args.allowed_signers.to_string_lossy();
    let bytes = fs::read(&args.allowed_signers).map_err(|error| {
        Fault::new(
            Exit::Refused,
            format!("cannot read `{}`: {error}", escape(&path)),
            "--allowed-signers names a file in the format of ssh-keygen(1), ALLOWED SIGNERS",
        )
    })?;
    let allowed = AllowedSigners::parse(&bytes);
    for warning in allowed.warnings() {
        term::say(&format!(
            "warning: {}: {}",
            escape(&path),
            escape(&format!("line {}: {}", warning.line, warning.message))
        ));
    }
    match allowed.is_empty() {
        true => Err(Fault::new(
            Exit::Refused,
            format!("`{}` allows nobody to sign", escape(&path)),
            "it holds no line that can be read",
        )),
        false => Ok(allowed),
    }
}

fn demands(args: &Verify) -> Result<Demands, Fault> {
    let inventory = args.inventory.as_ref().map(|path| {
        let read = fs::read(path).map(|bytes| Sha256::of(&bytes));
        read.map_err(|error| {
            Fault::new(
                Exit::Refused,
                format!("cannot read `{}`: {error}", escape(&path.to_string_lossy())),
                "",
            )
        })
    });
    let features = match args.features.is_empty() {
        true => None,
        false => {
            let found = feature_files::find(&args.features)?.into_iter();
            Some(
                found
                    .map(|file| {
                        (
                            format!("inputs/{}", portable_name(&file.label)),
                            file.digest,
                        )
                    })
                    .collect::<BTreeMap<_, _>>(),
            )
        }
    };
    Ok(Demands {
        identity: args.identity.clone(),
        environment: args.environment.clone(),
        inventory: inventory.transpose()?,
        features,
        max_age: args.max_age,
        allow_partial: args.allow_partial,
        signed_at: args.signed_at,
    })
}

fn accepted(args: &Verify, verified: &Verified) -> Exit {
    let (report, verdict, signer) = (verified.report(), verified.verdict(), verified.signer());
    if report.run.kind == "demo" {
        term::say(
            "note: this run was made on the practice estate and says nothing about a real one",
        );
    }
    if !signer.named {
        term::say(
            "warning: the signer is known by a pattern only, not by a name: name one with --identity",
        );
    }
    let decision = verdict.decision.as_str();
    match args.format {
        VerifyFormat::Json => term::out(&format!(
            "{:#}\n",
            json!({
                "schema": "gonogo/verify/v1", "accepted": true, "verdict": decision, "reasons": verdict.reasons,
                "run": report.run.id, "environment": report.run.scope.environment, "finished": report.run.finished,
                "signer": signer.identity, "fingerprint": signer.fingerprint,
            })
        )),
        VerifyFormat::Text => {
            let mut lines = vec![
                format!("run          {} ({})", report.run.id, report.run.kind),
                format!("environment  {}", report.run.scope.environment),
                format!("finished     {}", report.run.finished),
                format!("signed by    {} ({})", signer.identity, signer.fingerprint),
                format!(
                    "checks       {} planned, {} passed, {} failed, {} waived, {} pending",
                    report.counts.planned,
                    report.counts.passed,
                    report.counts.failed,
                    report.counts.waived,
                    report.counts.pending
                ),
            ];
            lines.extend(
                verdict
                    .reasons
                    .iter()
                    .map(|reason| format!("reason       {reason}")),
            );
            let lines: String = lines
                .iter()
                .map(|line| format!("{}\n", escape(line)))
                .collect();
            term::out(&format!("{lines}{decision}\n"));
        }
    }
    run::exit_of(report)
}

fn refused(args: &Verify, reason: &Unacceptable) {
    if args.format == VerifyFormat::Json {
        term::out(&format!(
            "{:#}\n",
            json!({ "schema": "gonogo/verify/v1", "accepted": false, "verdict": null, "reasons": [reason.to_string()] })
        ));
    }
    let fault = Fault::new(
        Exit::Unacceptable,
        format!("not acceptable: {reason}"),
        reason.hint(),
    );
    term::say(&fault.message);
}
