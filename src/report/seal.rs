//! From a report to a sealed run directory: every rendering, every copy, the chain, and what is
//! attested.

use super::directory::{DirectoryFault, Draft};
use super::previous::{FILE, FIRST};
use super::run_files::{self, WriteFault};
use super::schema::{Check, Report};
use super::sealed::Sealed;
use super::subject::RELEASE;
use crate::digest::Sha256;
use crate::sign::dsse::{Statement, TestResult};
use crate::sign::key::SigningKey;
use crate::sign::sshsig::NAMESPACE;
use crate::sign::verify_text::VerifyText;

/// The run that this one follows.
pub struct Chain {
    /// SHA-256 of its manifest.
    pub digest: Sha256,
    /// Name of its directory, beside this one.
    pub name: String,
    /// Its place in the chain, from 1.
    pub number: u64,
}

/// Writes everything into `draft` and seals it.
///
/// # Errors
/// When the disk refuses, or what was written does not verify; nothing is left behind.
pub fn seal(
    draft: Draft,
    key: &SigningKey,
    report: &Report,
    files: std::collections::BTreeMap<String, Vec<u8>>,
    previous: Option<&Chain>,
) -> Result<Sealed, SealingFault> {
    for (name, render) in run_files::FILES {
        draft.write(name, &render(report)?)?;
    }
    for (name, bytes) in &files {
        draft.write(name, bytes)?;
    }
    draft.write(FILE, chain(previous).as_bytes())?;
    let (certified, window) = (key.certified(), key.certificate_window());
    let text = VerifyText {
        run: &report.run.id,
        identity: key.identity(),
        fingerprint: &key.fingerprint(),
        namespace: NAMESPACE,
        certified: certified.as_ref().zip(window.as_deref()),
        chained: previous.is_some(),
    };
    draft.write("VERIFY.txt", text.render().as_bytes())?;
    Ok(draft.seal(key, statement(report))?)
}

/// Why a run could not be sealed: a fault of ours.
#[derive(Debug, thiserror::Error)]
pub enum SealingFault {
    /// The report could not be put into bytes.
    #[error(transparent)]
    Write(#[from] WriteFault),
    /// The directory could not be written.
    #[error(transparent)]
    Directory(#[from] DirectoryFault),
}

fn chain(previous: Option<&Chain>) -> String {
    match previous {
        Some(Chain { digest, name, .. }) => format!("{digest}  ../{name}/SHA256SUMS\n"),
        None => FIRST.to_owned(),
    }
}

/// What is attested of a report, in the words of test-result v0.1.
pub(super) fn attested(report: &Report) -> TestResult {
    let waived = |check: &Check| check.outcome == "waived";
    match report.verdict.decision.as_str() {
        "GO" if report.checks.iter().any(waived) => TestResult::Warned,
        "GO" => TestResult::Passed,
        _ => TestResult::Failed,
    }
}

/// The release that the run is for, as a subject of the attestation.
pub(super) fn release(report: &Report) -> Option<(String, Sha256)> {
    let release = report.run.subject.as_ref()?.release.as_ref()?;
    Some((RELEASE.to_owned(), release.parse().ok()?))
}

fn statement(report: &Report) -> Statement {
    let named = |outcomes: &[&str]| {
        let checks = report
            .checks
            .iter()
            .filter(|check| outcomes.contains(&check.outcome.as_str()));
        checks.map(|check| check.id.clone()).collect()
    };
    Statement {
        subjects: release(report).into_iter().collect(),
        result: attested(report),
        configuration: (report.inputs.iter())
            .filter_map(|input| Some((input.path.clone(), input.sha256.parse().ok()?)))
            .collect(),
        url: report.run.ci.clone(),
        passed: named(&["passed"]),
        warned: named(&["waived"]),
        failed: named(&["failed", "pending"]),
    }
}
