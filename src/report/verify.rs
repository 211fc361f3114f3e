//! Accepting a run: proven whole and signed, complete, fresh, about what the verifier asks for, and
//! judged anew from its recorded facts. A [`Verified`] is the only road from a directory to a verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::schema::Report;
use super::seal::attested;
use super::sealed::{SealFault, Sealed};
use super::{ReadFault, judge, read};
use crate::digest::Sha256;
use crate::sign::allowed_signers::{AllowedSigners, Signer};
use crate::sign::dsse::TestResult;
use crate::text::escape;
use crate::time;
use crate::verdict::Verdict;

// The same skew that log entries are allowed: more is a wrong clock, or a report dated ahead to stay
// fresh for longer.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What the verifier demands beside signature and completeness.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// The signer's identity.
    pub identity: Option<String>,
    /// `environment:` of the inventory.
    pub environment: Option<String>,
    /// SHA-256 of the inventory.
    pub inventory: Option<Sha256>,
    /// Label and SHA-256 of every feature.
    pub features: Option<BTreeMap<String, Sha256>>,
    /// Most time since the run finished.
    pub max_age: Option<Duration>,
    /// Whether a filtered run may be read.
    pub allow_partial: bool,
    /// When the run was signed, known from elsewhere: the key must have been valid then. Without it, the
    /// key must be valid now.
    pub signed_at: Option<Timestamp>,
}

/// A run that was accepted, and what it came to.
#[derive(Clone, Debug)]
pub struct Verified {
    report: Report,
    verdict: Verdict,
    signer: Signer,
}

impl Verified {
    /// Accepts the run in `directory` as of `now`.
    ///
    /// # Errors
    /// The reason why it is not acceptable: `verify` exits 4.
    pub fn open(
        directory: &Path,
        allowed: &AllowedSigners,
        demands: &Demands,
        now: Timestamp,
    ) -> Result<Self, Unacceptable> {
        let at = demands.signed_at.unwrap_or(now);
        let sealed = Sealed::open(directory, allowed, demands.identity.as_deref(), at)?;
        let report = read(&sealed.read("report.json")?)?;
        let verdict = judge(&report);
        complete(&report, &sealed)?;
        chained(&report, &sealed.read("PREVIOUS.sha256")?)?;
        agrees(&report, &verdict)?;
        attests(&report, sealed.statement.result)?;
        whole(&report, demands)?;
        fresh(&report, demands, now)?;
        bound(&report, demands)?;
        Ok(Self {
            report,
            verdict,
            signer: sealed.signer,
        })
    }

    /// The run's record.
    #[must_use]
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// The verdict, judged anew.
    #[must_use]
    pub const fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Who signed it.
    #[must_use]
    pub const fn signer(&self) -> &Signer {
        &self.signer
    }
}

/// Why a run is not acceptable.
#[derive(Debug, thiserror::Error)]
pub enum Unacceptable {
    /// Signature, manifest, files or attestation.
    #[error(transparent)]
    Seal(#[from] SealFault),
    /// `report.json` is not a report.
    #[error("report.json: {0}")]
    Read(#[from] ReadFault),
    /// The record and the directory do not hold the same files.
    #[error("incomplete: {0}")]
    Incomplete(String),
    /// The recorded verdict is not what the recorded facts give.
    #[error("the recorded verdict is {recorded}, the recorded facts give {judged}: {why}")]
    Disagrees {
        /// As recorded.
        recorded: String,
        /// As judged anew.
        judged: &'static str,
        /// What differs.
        why: String,
    },
    /// The attestation states another result than the report.
    #[error(
        "report.intoto.jsonl attests {}, the report gives {}",
        .result.as_str(),
        .expected.as_str()
    )]
    Attested {
        /// As attested.
        result: TestResult,
        /// What the report gives.
        expected: TestResult,
    },
    /// The record is not that of the plan which its own inputs give.
    #[error("incomplete: the record does not answer its own inputs: {0}")]
    Replay(String),
    /// Aborted.
    #[error("incomplete: the run was ended early: {0}")]
    Aborted(String),
    /// Filtered.
    #[error("partial: the run left something out ({0})")]
    Partial(String),
    /// Too old, or dated in the future.
    #[error("stale: {0}")]
    Stale(String),
    /// About something else.
    #[error("wrong binding: {0}")]
    Binding(String),
}

impl Unacceptable {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Seal(fault) => fault.hint(),
            Self::Read(_) => "verify with the gonogo version that wrote the run, or a newer one",
            Self::Incomplete(_) | Self::Disagrees { .. } | Self::Attested { .. } => {
                "the signer's key has signed a record that does not hold together: ask its owner how, and run again"
            }
            Self::Replay(_) => {
                "verify with the gonogo version that wrote the run; if it refuses too, the signer's key has signed a record that was changed: ask its owner how, and run again"
            }
            Self::Aborted(_) => "run again and let the run end",
            Self::Partial(_) => {
                "run again without filters; --allow-partial reads a filtered run, and its verdict stays NO-GO"
            }
            Self::Stale(_) => "run again shortly before the gate",
            Self::Binding(_) => {
                "run again with the inventory and features that are to go live, or name those that the run is about"
            }
        }
    }
}

/// Every input and transcript that the record names is in the directory with its digest, and the
/// directory holds no other.
fn complete(report: &Report, sealed: &Sealed) -> Result<(), Unacceptable> {
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
    let kept = sealed
        .manifest
        .files()
        .keys()
        .filter(|name| name.starts_with("inputs/") || name.starts_with("evidence/"));
    match kept.map(String::as_str).find(|name| !named.contains(name)) {
        Some(stray) => Err(Unacceptable::Incomplete(format!(
            "`{}` is not named by the report",
            escape(stray)
        ))),
        None => Ok(()),
    }
}

/// `PREVIOUS.sha256` names the run that the record names: a chain has one story.
fn chained(report: &Report, file: &[u8]) -> Result<(), Unacceptable> {
    let file = String::from_utf8_lossy(file);
    let named = file.split_whitespace().next().filter(|word| *word != "#");
    match named == report.run.previous.as_deref() {
        true => Ok(()),
        false => Err(Unacceptable::Incomplete(
            "PREVIOUS.sha256 names another run than the record".to_owned(),
        )),
    }
}

fn agrees(report: &Report, judged: &Verdict) -> Result<(), Unacceptable> {
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

/// Whoever reads the attestation alone must not read another verdict.
fn attests(report: &Report, result: TestResult) -> Result<(), Unacceptable> {
    let expected = attested(report);
    match result == expected {
        true => Ok(()),
        false => Err(Unacceptable::Attested { result, expected }),
    }
}

fn whole(report: &Report, demands: &Demands) -> Result<(), Unacceptable> {
    if let Some(reason) = &report.run.aborted {
        return Err(Unacceptable::Aborted(escape(reason).into_owned()));
    }
    if report.run.scope.partial && !demands.allow_partial {
        return Err(Unacceptable::Partial(
            escape(&report.run.scope.filters.join(", ")).into_owned(),
        ));
    }
    Ok(())
}

fn fresh(report: &Report, demands: &Demands, now: Timestamp) -> Result<(), Unacceptable> {
    let stated = &report.run.finished;
    let Ok(finished) = stated.parse::<Timestamp>() else {
        return Err(Unacceptable::Stale(format!(
            "`{}` is not a time",
            escape(stated)
        )));
    };
    let age = now.duration_since(finished);
    if age < -SKEW {
        return Err(Unacceptable::Stale(format!(
            "the run says that it finished at {}, which is in the future",
            time::rfc3339(finished)
        )));
    }
    match demands.max_age {
        Some(most) if age > SignedDuration::try_from(most).unwrap_or(SignedDuration::MAX) => {
            let (age, most) = (time::say(age.unsigned_abs()), time::say(most));
            Err(Unacceptable::Stale(format!(
                "the run finished {age} ago, at {}; {most} is allowed",
                time::rfc3339(finished)
            )))
        }
        _ => Ok(()),
    }
}

fn bound(report: &Report, demands: &Demands) -> Result<(), Unacceptable> {
    let wrong = |what: String| Err(Unacceptable::Binding(what));
    let environment = &report.run.scope.environment;
    match &demands.environment {
        Some(wanted) if wanted != environment => {
            return wrong(format!(
                "the run is about environment `{}`, not `{}`",
                escape(environment),
                escape(wanted)
            ));
        }
        _ => {}
    }
    let inputs: BTreeMap<&str, &str> = report
        .inputs
        .iter()
        .map(|input| (input.path.as_str(), input.sha256.as_str()))
        .collect();
    let used = inputs.get("inputs/inventory.yaml").copied();
    if demands
        .inventory
        .is_some_and(|wanted| used != Some(wanted.to_string().as_str()))
    {
        return wrong("the run used another inventory".to_owned());
    }
    if let Some(wanted) = &demands.features {
        let used: BTreeMap<&str, &str> = inputs
            .into_iter()
            .filter(|(path, _)| path.ends_with(".feature"))
            .collect();
        for (path, digest) in wanted {
            match used.get(path.as_str()) {
                None => return wrong(format!("the run did not use feature `{}`", escape(path))),
                Some(other) if **other != digest.to_string() => {
                    return wrong(format!(
                        "the run used another version of feature `{}`",
                        escape(path)
                    ));
                }
                Some(_) => {}
            }
        }
        if let Some(extra) = used.keys().find(|path| !wanted.contains_key(**path)) {
            return wrong(format!("the run used feature `{}` too", escape(extra)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_chain_has_one_story() {
        let mut report = sample::go();
        let other = "ab".repeat(32);
        for previous in [None, Some("cd".repeat(32))] {
            report.run.previous = previous.clone();
            let told = match &previous {
                None => "# first run\n".to_owned(),
                Some(digest) => format!("{digest}  ../run-1/SHA256SUMS\n"),
            };
            assert!(chained(&report, told.as_bytes()).is_ok(), "{told}");
            let wrong = format!("{other}  ../run-1/SHA256SUMS\n");
            assert!(chained(&report, wrong.as_bytes()).is_err());
        }
        assert!(chained(&report, b"# first run\n").is_err());
    }
}
