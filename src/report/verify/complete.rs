//! Whether a proven record holds together: the files that it names, the run before it, its verdict and
//! its attestation all tell the same. Asks nothing of the world or of the verifier.

use std::collections::BTreeSet;

use super::Unacceptable;
use crate::digest::Sha256;
use crate::report::previous;
use crate::report::run_files;
use crate::report::schema::Report;
use crate::report::seal::{attested, release};
use crate::report::sealed::Sealed;
use crate::report::sharded::{FOLDER, files_of};
use crate::report::subject::RELEASE;
use crate::report::waived::WAIVERS;
use crate::sign::dsse::Statement;
use crate::text::escape;
use crate::verdict::Verdict;

/// Every input and transcript that the record names is in the directory with its digest, and the
/// directory holds no other.
pub(super) fn complete(report: &Report, sealed: &Sealed) -> Result<(), Unacceptable> {
    let mut named = BTreeSet::new();
    for input in &report.inputs {
        let same = sealed
            .manifest
            .digest(&input.path)
            .is_some_and(|digest| digest.to_string() == input.sha256);
        if !same || !named.insert(input.path.as_str()) {
            return Err(Unacceptable::Incomplete(format!(
                "input `{}` is not the one recorded",
                escape(&input.path)
            )));
        }
    }
    for transcript in report
        .checks
        .iter()
        .filter_map(|check| check.transcript.as_deref())
    {
        if sealed.manifest.digest(transcript).is_none() || !named.insert(transcript) {
            return Err(Unacceptable::Incomplete(format!(
                "transcript `{}` is missing or named twice",
                escape(transcript)
            )));
        }
    }
    let pieces = report.run.merged.iter().flat_map(|merged| &merged.shards);
    let of_shards: Vec<String> = pieces
        .enumerate()
        .flat_map(|(at, _)| files_of(at))
        .collect();
    named.extend(of_shards.iter().map(String::as_str));
    let kept = sealed.manifest.files().keys().filter(|name| {
        let folders = ["inputs/", "evidence/", FOLDER];
        folders.iter().any(|folder| name.starts_with(folder))
    });
    match kept.map(String::as_str).find(|name| !named.contains(name)) {
        Some(stray) => Err(Unacceptable::Incomplete(format!(
            "`{}` is not named by the report",
            escape(stray)
        ))),
        None => Ok(()),
    }
}

/// Whoever reads a page must not read another story than the record's: the renderings are functions of it.
/// Another version renders otherwise, and says nothing of a page here.
pub(super) fn rendered(report: &Report, sealed: &Sealed) -> Result<(), Unacceptable> {
    if report.run.tool.version != env!("CARGO_PKG_VERSION") {
        return Ok(());
    }
    for (name, render) in run_files::PAGES {
        let page = render(report);
        let page = page.map_err(|fault| Unacceptable::Incomplete(fault.to_string()))?;
        if sealed.manifest.digest(name) != Some(Sha256::of(&page)) {
            return Err(Unacceptable::Incomplete(format!(
                "`{name}` is not what report.json renders to"
            )));
        }
    }
    Ok(())
}

/// Whoever signs could waive what failed in the names of others. What a file of waivers makes of the checks,
/// and who signed that, `people.rs` asks; where no input is one, nothing is waived.
pub(super) fn granted(report: &Report) -> Result<(), Unacceptable> {
    if report.inputs.iter().any(|input| input.path == WAIVERS) {
        return Ok(());
    }
    let mut checks = report.checks.iter();
    let waived = checks.find(|check| check.outcome == "waived" || check.waiver.is_some());
    let ungranted = match (waived, report.waivers.first()) {
        (Some(check), _) => format!("check `{}`", escape(&check.id)),
        (None, Some(waiver)) => format!("waiver `{}`", escape(&waiver.id)),
        (None, None) => return Ok(()),
    };
    Err(Unacceptable::Waivers(format!(
        "{ungranted}: no input of the run grants its waiver"
    )))
}

/// `PREVIOUS.sha256` names the run that the record names: a chain has one story.
pub(super) fn chained(report: &Report, file: &[u8]) -> Result<(), Unacceptable> {
    let agrees = previous::named(file).and_then(|named| previous::agrees(report, named));
    agrees.map_err(|fault| Unacceptable::Incomplete(fault.to_string()))
}

pub(super) fn agrees(report: &Report, judged: &Verdict) -> Result<(), Unacceptable> {
    let why = match (
        report.verdict.decision == judged.decision.as_str(),
        report.verdict.reasons == judged.reasons,
    ) {
        (true, true) => return Ok(()),
        (true, false) => "the reasons differ".to_owned(),
        (false, _) => judged.reasons.first().map_or_else(
            || "nothing speaks against it".to_owned(),
            |reason| escape(reason).into_owned(),
        ),
    };
    Err(Unacceptable::Disagrees {
        recorded: escape(&report.verdict.decision).into_owned(),
        judged: judged.decision.as_str(),
        why,
    })
}

/// Whoever reads the attestation alone must read neither another verdict nor another release.
pub(super) fn attests(report: &Report, statement: &Statement) -> Result<(), Unacceptable> {
    let (result, expected) = (statement.result, attested(report));
    if result != expected {
        return Err(Unacceptable::Attested { result, expected });
    }
    let mut subjects = statement.subjects.iter();
    let told = subjects.find(|(name, _)| name == RELEASE);
    match told == release(report).as_ref() {
        true => Ok(()),
        false => Err(Unacceptable::Incomplete(
            "the attestation is of another release than the report".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::report::schema::Input;

    /// Whoever signs could write another's word into the record.
    #[test]
    fn a_waiver_is_granted_by_its_file_alone() {
        let refused = |report: &Report| match granted(report) {
            Ok(()) => None,
            Err(reason) => Some(reason.to_string()),
        };
        assert_eq!(refused(&sample::go()), None);
        let waived = sample::no_go().checks.into_iter();
        let waived = waived.filter(|check| check.waiver.is_some());
        let mut report = sample::go();
        report.checks.extend(waived);
        let input = |path: &str| Input {
            path: path.to_owned(),
            sha256: Sha256::of(b"").to_string(),
            name: None,
        };
        // Its signature grants nothing without it.
        for others in [
            &[][..],
            &["inputs/waivers.yaml.sig", "inputs/x/waivers.yaml"],
        ] {
            report.inputs = others.iter().map(|path| input(path)).collect();
            let told = refused(&report).unwrap();
            assert!(
                told.contains("no input of the run grants its waiver"),
                "{told}"
            );
        }
        report.inputs.push(input(WAIVERS));
        assert_eq!(refused(&report), None);
    }
}
