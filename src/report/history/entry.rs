//! One run of a history: what of it is needed to prove the chain and to draw the trend.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::chain::SKEW;
use crate::digest::Sha256;
use crate::report::answer::Answer;
use crate::report::beside::{Purpose, papers};
use crate::report::break_glass::BreakGlass;
use crate::report::schema::{Counts, Report, Run};
use crate::report::sealed::{SealFault, Sealed};
use crate::report::{judge, previous, read};
use crate::sign::allowed_signers::{AllowedSigners, Signer};
use crate::sign::manifest::{MANIFEST, Manifest, read_regular};
use crate::sign::sshsig::SignatureFault;
use crate::text::escape;
use crate::time::rfc3339;
use crate::verdict::Decision;

/// No manifest comes near it.
const MOST_BYTES: u64 = 64 << 20;

/// One run, read back.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Name of its directory.
    pub name: String,
    /// SHA-256 of its manifest: what the next run names.
    pub digest: Sha256,
    /// The manifest that it names.
    pub previous: Option<Sha256>,
    /// Who ran what, when.
    pub run: Run,
    /// GO, NO-GO or HOLD, judged anew.
    pub decision: &'static str,
    /// The first reason, where there is one.
    pub reason: Option<String>,
    /// The sums.
    pub counts: Counts,
    /// Whole time of the run.
    pub took: Option<SignedDuration>,
    /// Longest retrieval of each kind of artifact, in milliseconds.
    pub slowest: BTreeMap<String, u64>,
    /// Ids of the waivers that were used, each once.
    pub waivers: Vec<String>,
    /// Who signed it.
    pub signed: Signed,
    /// How many answers to what it asks of people lie beside it, proven by nobody here.
    pub answers: usize,
    /// Each request to deploy all the same that lies beside it, proven by nobody here: who, until when, why.
    pub break_glass: Vec<String>,
}

/// What is known of the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signed {
    /// Nobody said who may sign: not looked at.
    NotAsked,
    /// By a key that may sign now.
    Valid(Signer),
    /// By a key that may sign no more, and might at the time that the run itself states.
    ThenValid(Signer),
}

impl Entry {
    /// Reads the run in `dir`.
    ///
    /// # Errors
    /// Why it cannot be counted among the runs, as a phrase.
    pub(super) fn read(
        dir: &Path,
        name: &str,
        allowed: Option<&AllowedSigners>,
        now: Timestamp,
    ) -> Result<Self, String> {
        let (report, file, digest, signed) = match allowed {
            Some(allowed) => sealed(dir, allowed, now)?,
            None => listed(dir)?,
        };
        let previous = previous::named(&file).map_err(|fault| fault.to_string())?;
        previous::agrees(&report, previous).map_err(|fault| fault.to_string())?;
        if let Some(shard) = &report.run.scope.shard {
            return Err(format!(
                "it is shard {} alone: what it is merged into has a place here",
                shard.name()
            ));
        }
        let verdict = judge(&report);
        let evidence = report.checks.iter().flat_map(|check| &check.evidence);
        let mut slowest = BTreeMap::<String, u64>::new();
        for found in evidence {
            let longest = slowest.entry(found.kind.clone()).or_default();
            *longest = found.duration_ms.max(*longest);
        }
        let waivers = report
            .checks
            .iter()
            .filter_map(|check| check.waiver.as_ref());
        let mut waivers: Vec<_> = waivers.map(|waiver| waiver.id.clone()).collect();
        waivers.sort_unstable();
        waivers.dedup();
        let times = (report.run.started.parse(), report.run.finished.parse());
        let took = match times {
            (Ok(started), Ok(finished)) => Some(Timestamp::duration_since(finished, started)),
            _ => None,
        };
        let (answers, break_glass) = beside(dir, &digest.to_string())?;
        Ok(Self {
            name: name.to_owned(),
            digest,
            previous,
            decision: verdict.decision.as_str(),
            reason: verdict.reasons.into_iter().next(),
            counts: report.counts,
            took,
            slowest,
            waivers,
            signed,
            answers,
            break_glass,
            run: report.run,
        })
    }

    /// The run in `dir` as its own manifest lists it, signed by whomever.
    ///
    /// # Errors
    /// As [`Entry::read`].
    pub fn look(dir: &Path) -> Result<Self, String> {
        let name = dir
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        Self::read(dir, &name.unwrap_or_default(), None, Timestamp::UNIX_EPOCH)
    }

    /// What keeps a run of `environment` that begins `now` from following this one: it would break the chain.
    #[must_use]
    pub fn unfollowed(&self, environment: &str, now: Timestamp) -> Option<String> {
        let own = &self.run.scope.environment;
        if own != environment {
            return Some(format!(
                "it is about environment `{}`, not `{}`",
                escape(own),
                escape(environment)
            ));
        }
        let ended = self.finished()?;
        (ended.duration_since(now) > SKEW)
            .then(|| format!("it ended at {}, which is in the future", rfc3339(ended)))
    }

    /// When it began; `None` when the run states no time.
    pub(super) fn started(&self) -> Option<Timestamp> {
        self.run.started.parse().ok()
    }

    /// When it ended.
    pub(super) fn finished(&self) -> Option<Timestamp> {
        self.run.finished.parse().ok()
    }
}

/// The run that `dir` holds, signed by one of `allowed`, with a key that is valid now or was at the time that the
/// run states; and its verdict, judged anew.
///
/// # Errors
/// Why it is none, as a phrase.
pub fn proven(
    dir: &Path,
    allowed: &AllowedSigners,
    now: Timestamp,
) -> Result<(Report, Decision), String> {
    let (report, ..) = sealed(dir, allowed, now)?;
    let decision = judge(&report).decision;
    Ok((report, decision))
}

/// What people put beside the run of that manifest.
fn beside(dir: &Path, manifest: &str) -> Result<(usize, Vec<String>), String> {
    let all = |purpose| -> Result<Vec<Vec<u8>>, String> {
        let found = papers(dir, purpose).map_err(|cause| cause.to_string())?;
        Ok(found.into_iter().filter_map(|one| one.bytes.ok()).collect())
    };
    let answers = all(Purpose::Answer)?;
    let answers = answers.iter().filter_map(|bytes| Answer::read(bytes).ok());
    let answers = answers.filter(|answer| answer.manifest == manifest).count();
    let requests = all(Purpose::BreakGlass)?;
    let requests = requests
        .iter()
        .filter_map(|bytes| BreakGlass::read(bytes).ok());
    let requests = requests.filter(|request| request.manifest == manifest);
    let told = requests.map(|request| {
        let BreakGlass {
            requester,
            until,
            ticket,
            reason,
            ..
        } = request;
        format!("by {requester} until {until}, {ticket}: {reason}")
    });
    Ok((answers, told.collect()))
}

type Found = (Report, Vec<u8>, Sha256, Signed);

/// The run as its signer sealed it.
fn sealed(dir: &Path, allowed: &AllowedSigners, now: Timestamp) -> Result<Found, String> {
    let open = |at| Sealed::open(dir, allowed, None, at);
    let (sealed, then) = match open(now) {
        Ok(sealed) => (sealed, false),
        // Keys are rotated and certificates last an hour, and old runs stay what they are.
        Err(SealFault::Signature(
            SignatureFault::OutsideWindow { .. } | SignatureFault::CertificateRefused { .. },
        )) => {
            let (began, finished, aborted) = stated(dir)?;
            let sealed = match open(finished) {
                // What the end of its certificate ended is a NO-GO for ever, and has its place.
                Err(SealFault::Signature(SignatureFault::CertificateRefused { .. })) if aborted => {
                    open(began)
                }
                sealed => sealed,
            };
            (sealed.map_err(|fault| fault.to_string())?, true)
        }
        Err(fault) => return Err(fault.to_string()),
    };
    let take = |name| sealed.read(name).map_err(|fault| fault.to_string());
    let report = read(&take("report.json")?).map_err(|fault| fault.to_string())?;
    let signed = match then {
        false => Signed::Valid(sealed.signer.clone()),
        true => Signed::ThenValid(sealed.signer.clone()),
    };
    Ok((report, take(previous::FILE)?, sealed.digest, signed))
}

/// When the run says that it began and ended, and whether early: nothing of it is proven yet.
fn stated(dir: &Path) -> Result<(Timestamp, Timestamp, bool), String> {
    let (report, ..) = listed(dir)?;
    let run = &report.run;
    let time = |text: &str, which: &str| {
        let time = text.parse();
        time.map_err(|_| format!("it states no time at which it {which}"))
    };
    let (began, finished) = (time(&run.started, "began")?, time(&run.finished, "ended")?);
    Ok((began, finished, run.aborted.is_some()))
}

/// The run as its own manifest lists it, whoever wrote that.
fn listed(dir: &Path) -> Result<Found, String> {
    let (report, manifest, digest) = record(dir)?;
    let file = manifest.read(dir, previous::FILE);
    let file = file.map_err(|fault| fault.to_string())?;
    Ok((report, file, digest, Signed::NotAsked))
}

/// The report as the manifest beside it lists it, that manifest, and its digest.
pub(super) fn record(dir: &Path) -> Result<(Report, Manifest, Sha256), String> {
    let sums = read_regular(&dir.join(MANIFEST), MOST_BYTES);
    let sums = sums.map_err(|cause| format!("{MANIFEST} cannot be read: {cause}"))?;
    let manifest: Manifest = String::from_utf8_lossy(&sums)
        .parse()
        .map_err(|fault: crate::sign::manifest::ManifestSyntax| fault.to_string())?;
    let report = manifest.read(dir, "report.json");
    let report = read(&report.map_err(|fault| fault.to_string())?);
    let report = report.map_err(|fault| fault.to_string())?;
    Ok((report, manifest, Sha256::of(&sums)))
}
