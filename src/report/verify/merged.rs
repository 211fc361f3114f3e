//! The shards that a merged run keeps: each is what an allowed signer signed, holds together by itself, and its
//! transcripts are the ones in the run. That the run is what its shards come to, `run/merge.rs` asks.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Demands, Unacceptable, complete, policy, restated};
use crate::digest::Sha256;
use crate::report::schema::{Piece, Report, Tool};
use crate::report::sealed::Sealed;
use crate::report::sharded::files_of;
use crate::report::{judge, kept};
use crate::sign::allowed_signers::{AllowedSigners, Signer};
use crate::sign::sshsig::NAMESPACE;
use crate::text::escape;

/// A shard of a merged run, proven.
#[derive(Clone, Debug)]
pub struct Proven {
    /// How it is called, as it may be printed.
    pub name: String,
    /// Who signed it.
    pub signer: Signer,
    /// What made it, as its own record tells.
    pub tool: Tool,
}

/// Each shard, proven, and signed by one whom the policy permits.
pub(super) fn shards(
    report: &Report,
    sealed: &Sealed,
    allowed: &AllowedSigners,
    demands: &Demands,
    at: Timestamp,
) -> Result<Vec<Proven>, Unacceptable> {
    let pieces = report.run.merged.iter().flat_map(|merged| &merged.shards);
    let mut shards = Vec::new();
    let mut transcripts = BTreeMap::new();
    for (place, piece) in pieces.enumerate() {
        let shard = escape(&piece.shard.name()).into_owned();
        let wrong = |why: String| Unacceptable::Piece {
            shard: shard.clone(),
            why,
        };
        let own = kept::open(place, piece, |name| sealed.read(name)).map_err(wrong)?;
        let [.., signature] = files_of(place);
        let signature = sealed.read(&signature)?;
        let signed = |name| allowed.verify(name, NAMESPACE, &own.sums, &signature, at);
        // One key may stand in several lines: as which of the permitted names it signs is looked for first.
        let mut names = demands.shard_signers.iter();
        let permitted = names.find_map(|name| signed(Some(name)).ok());
        let signer = permitted.map_or_else(|| signed(None), Ok);
        let signer = signer.map_err(|fault| wrong(fault.to_string()))?;
        if signer.fingerprint != piece.key {
            return Err(wrong(
                "another key signed it than the one recorded".to_owned(),
            ));
        }
        policy::shard_signed_by(&shard, &signer, demands)?;
        by_itself(&own.report, piece, report).map_err(|fault| {
            let signer = escape(&signer.identity);
            wrong(format!("signed by `{signer}`: {fault}"))
        })?;
        for check in own.report.checks {
            if let Some(name) = &check.transcript {
                transcripts.insert(check.id, own.manifest.digest(name));
            }
        }
        shards.push(Proven {
            name: shard,
            signer,
            tool: own.report.run.tool,
        });
    }
    if report.run.merged.is_some() {
        are_kept(report, sealed, &transcripts)?;
    }
    Ok(shards)
}

/// What `verify` would ask of it alone, as far as the record goes.
fn by_itself(record: &Report, piece: &Piece, merged: &Report) -> Result<(), Unacceptable> {
    let own = &record.run;
    let incomplete = |what: &str| Err(Unacceptable::Incomplete(what.to_owned()));
    if (&own.id, &own.started, &own.finished) != (&piece.run, &piece.started, &piece.finished) {
        return incomplete("it is another run than the one recorded");
    }
    if own.scope.shard.as_ref() != Some(&piece.shard) {
        return incomplete("it is another shard than the one recorded");
    }
    if own.tool.version != merged.run.tool.version {
        let (own, merged) = (&own.tool.version, &merged.run.tool.version);
        let (own, merged) = (escape(own), escape(merged));
        return incomplete(&format!(
            "gonogo {own} made it, and {merged} the merged run"
        ));
    }
    if let Some(why) = &own.aborted {
        return Err(Unacceptable::Aborted(escape(why).into_owned()));
    }
    complete::agrees(record, &judge(record))?;
    restated::holds(record)
}

/// Each transcript is the one that its shard's runner signed.
fn are_kept(
    report: &Report,
    sealed: &Sealed,
    transcripts: &BTreeMap<String, Option<Sha256>>,
) -> Result<(), Unacceptable> {
    let other = report.checks.iter().find(|check| {
        let own = check
            .transcript
            .as_deref()
            .map(|name| sealed.manifest.digest(name));
        own != transcripts.get(&check.id).copied() || own == Some(None)
    });
    match other {
        None => Ok(()),
        Some(check) => Err(Unacceptable::Incomplete(format!(
            "the transcript of check `{}` is not the one that its shard has",
            escape(&check.id)
        ))),
    }
}
