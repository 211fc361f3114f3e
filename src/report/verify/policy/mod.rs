//! Holding a run that was accepted to a policy. Who signed it and what made it is a question of acceptance: exit 4.
//! What it shows, and what it does not, is judged: each thing that the policy demands and the run lacks is a reason
//! for NO-GO, all of them told.

mod coverage;
mod required;
mod tried;
mod waivers;

use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Demands, Unacceptable, Verified};
use crate::inventory::policy::Policy;
use crate::report::history;
use crate::report::schema::{Check, Report, Tool};
use crate::sign::allowed_signers::{AllowedSigners, Signer};
use crate::sign::manifest::{MANIFEST, SIGNATURE, read_regular};
use crate::sign::sshsig::NAMESPACE;
use crate::text::{count, escape};
use crate::verdict::Decision;

/// No manifest comes near it.
const MOST_BYTES: u64 = 64 << 20;
/// Most things named one by one; what is lost beyond is counted.
const MOST_NAMED: usize = 200;

/// What a policy makes of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruling {
    /// Why the gate stays shut although the run may be GO, worst first.
    pub reasons: Vec<String>,
    /// What its reader must know.
    pub warnings: Vec<String>,
    /// The GO that it was held to.
    pub last_go: Option<String>,
}

impl Verified {
    /// Holds the run to `policy` as of `now`; what `Demands` can say was asked before.
    ///
    /// # Errors
    /// When it was not made by what the policy permits: `verify` exits 4.
    pub fn under(&self, policy: &Policy, now: Timestamp) -> Result<Ruling, Unacceptable> {
        let report = self.report();
        made_by("the run", &report.run.tool, policy)?;
        for shard in self.shards() {
            let (name, signer) = (&shard.name, escape(&shard.signer.identity));
            let what = format!("shard {name} (signed by `{signer}`)");
            made_by(&what, &shard.tool, policy)?;
        }
        let mut reasons = required::missing(report, &policy.required);
        reasons.extend(waivers::beyond(report, &policy.waivers));
        reasons.extend(tried::beyond(report, &policy.retries));
        let mut ruling = Ruling::default();
        if let Some(coverage) = &policy.coverage {
            let today = now.to_zoned(TimeZone::UTC).date();
            let lost = coverage::lost(self, coverage, today)?;
            reasons.extend(lost.reasons);
            ruling.warnings.extend(lost.warnings);
            ruling.last_go = lost.held_to;
        }
        if let Some(more) = reasons.len().checked_sub(MOST_NAMED).filter(|n| *n > 0) {
            reasons.truncate(MOST_NAMED);
            reasons.push(format!("and {} more", count(more, "thing")));
        }
        let told = reasons
            .into_iter()
            .map(|reason| format!("policy: {reason}"));
        ruling.reasons = told.collect();
        Ok(ruling)
    }
}

/// The first of the permitted names as which the run is signed: one key may stand in several lines.
pub(super) fn permitted(
    directory: &Path,
    allowed: &AllowedSigners,
    demands: &Demands,
    at: Timestamp,
) -> Option<String> {
    if demands.signers.is_empty() {
        return None;
    }
    let read = |name: &str| read_regular(&directory.join(name), MOST_BYTES).ok();
    let (sums, armour) = (read(MANIFEST)?, read(SIGNATURE)?);
    let signed = |name: &&String| {
        let verified = allowed.verify(Some(name), NAMESPACE, &sums, &armour, at);
        verified.is_ok()
    };
    demands.signers.iter().find(signed).cloned()
}

/// Whoever signed it is one of those whom the policy names.
pub(super) fn signed_by(signer: &Signer, demands: &Demands) -> Result<(), Unacceptable> {
    let is_permitted = signer.named && demands.signers.contains(&signer.identity);
    match demands.signers.is_empty() || is_permitted {
        true => Ok(()),
        false => Err(Unacceptable::Policy(format!(
            "`{}` signed the run; the policy permits {}",
            escape(&signer.identity),
            escape(&demands.signers.join(", "))
        ))),
    }
}

/// Whoever signed a shard is one of those whom the policy names for that.
pub(super) fn shard_signed_by(
    shard: &str,
    signer: &Signer,
    demands: &Demands,
) -> Result<(), Unacceptable> {
    let permitted = &demands.shard_signers;
    let is_permitted = signer.named && permitted.contains(&signer.identity);
    match permitted.is_empty() || is_permitted {
        true => Ok(()),
        false => Err(Unacceptable::ShardSigner {
            shard: shard.to_owned(),
            signer: escape(&signer.identity).into_owned(),
            permitted: escape(&permitted.join(", ")).into_owned(),
        }),
    }
}

/// The run that the user names as an earlier GO of the same environment.
pub(super) fn against(
    directory: &Path,
    report: &Report,
    allowed: &AllowedSigners,
    now: Timestamp,
) -> Result<Report, Unacceptable> {
    let wrong = |why: String| {
        let name = directory.to_string_lossy();
        Unacceptable::Against(format!("`{}`: {why}", escape(&name)))
    };
    let proven = history::proven(directory, allowed, now);
    let (other, decision) = proven.map_err(|why| wrong(escape(&why).into_owned()))?;
    let (own, others) = (&report.run, &other.run);
    if own.scope.environment != others.scope.environment {
        let environment = escape(&others.scope.environment);
        return Err(wrong(format!("it is about environment `{environment}`")));
    }
    if decision == Decision::NoGo {
        return Err(wrong(format!("it is a {}, no GO", decision.as_str())));
    }
    let began = |report: &Report| report.run.started.parse::<Timestamp>().ok();
    if own.id == others.id || began(&other) > began(report) {
        return Err(wrong("it is not earlier than the run".to_owned()));
    }
    Ok(other)
}

fn made_by(what: &str, tool: &Tool, policy: &Policy) -> Result<(), Unacceptable> {
    let (version, rule) = (&tool.version, &policy.tool);
    let wrong = |what: String| Err(Unacceptable::Policy(what));
    let parts: Vec<u64> = version.split('.').flat_map(str::parse).collect();
    if let Some(oldest) = rule.oldest
        && parts[..] < oldest[..]
    {
        let [major, minor, patch] = oldest;
        return wrong(format!(
            "gonogo {} made {what}; the policy permits {major}.{minor}.{patch} and later",
            escape(version)
        ));
    }
    if !rule.versions.is_empty() && !rule.versions.contains(version) {
        return wrong(format!(
            "gonogo {} made {what}; the policy permits {}",
            escape(version),
            rule.versions.join(", ")
        ));
    }
    let is_known = tool.sha256.as_ref();
    let is_known = is_known.is_some_and(|digest| rule.binaries.contains(digest));
    if !rule.binaries.is_empty() && !is_known {
        return wrong(format!(
            "another binary made {what} than the policy permits"
        ));
    }
    Ok(())
}

/// How a check is named in a reason.
fn named(check: &Check) -> String {
    format!("`{}` ({})", check.id, check.scenario)
}

#[cfg(test)]
mod tests;
