//! `gonogo run --rerun-failed RUN`: whether that run may be restated. It must be acceptable, signed by the
//! same key, and of the very plan that is run now; anything else would carry over what nobody proved.

use std::path::Path;

use super::fault::{Exit, Fault};
use super::{term, verify};
use crate::plan::Plan;
use crate::report::schema::Subject;
use crate::report::verify::Demands;
use crate::run::{Before, differences, to_run_again};
use crate::sign::allowed_signers::AllowedSigners;
use crate::sign::key::SigningKey;
use crate::sign::sshsig::NAMESPACE;
use crate::text::{count, escape};

/// The run to restate, and the checks of the plan that have to be run again.
pub(super) fn open(
    directory: &Path,
    plan: &Plan,
    subject: Option<&Subject>,
    key: &SigningKey,
) -> Result<(Before, std::collections::BTreeSet<usize>), Fault> {
    let named = directory.to_string_lossy();
    let refused = |why: String, hint: &str| {
        let message = format!("`{}` cannot be restated: {why}", escape(&named));
        Fault::new(Exit::Refused, message, hint)
    };
    let allowed = AllowedSigners::parse(key.allowed_signers_line(NAMESPACE).as_bytes());
    let demands = Demands {
        identity: Some(key.identity().to_owned()),
        ..Demands::default()
    };
    let accepted = verify::accept(directory, &allowed, &demands);
    let (verified, _) = accepted.map_err(|reason| {
        refused(
            reason.to_string(),
            "only a whole run is restated that the same key signed; run everything, without --rerun-failed",
        )
    })?;
    // An authority's line would take any key that is certified for the same name.
    if verified.signer().fingerprint != key.fingerprint() {
        return Err(refused(
            format!("key {} signed it", verified.signer().fingerprint),
            "only a run is restated that the same key signed; run everything, without --rerun-failed",
        ));
    }
    let report = verified.report().clone();
    let mut found = differences(plan, &report);
    if report.run.subject.as_ref() != subject {
        found.push("it was made for another commit or release".to_owned());
    }
    if !found.is_empty() {
        let found = escape(&found.join("; ")).into_owned();
        return Err(refused(
            found,
            "what passed then says nothing about another plan; run everything, without --rerun-failed",
        ));
    }
    let again = to_run_again(&report, plan);
    if again.is_empty() {
        let why = "all of its checks passed".to_owned();
        return Err(refused(
            why,
            "nothing is to be run again; run everything, without --rerun-failed",
        ));
    }
    let mut transcripts = crate::run::Files::new();
    for check in &report.checks {
        if let Some(name) = &check.transcript {
            let bytes = verified.sealed().read(name);
            let bytes = bytes.map_err(|fault| refused(fault.to_string(), fault.hint()))?;
            transcripts.insert(name.clone(), bytes);
        }
    }
    term::say(&format!(
        "restating run {}: {} to be run again, {} carried over",
        escape(&report.run.id),
        count(again.len(), "check"),
        report.checks.len() - again.len()
    ));
    let digest = verified.sealed().digest.to_string();
    Ok((
        Before {
            report,
            digest,
            transcripts,
        },
        again,
    ))
}
