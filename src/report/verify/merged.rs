//! The shards that a merged run keeps: each is what an allowed signer signed, holds together by itself, and its
//! transcripts are the ones in the run. That the run is what its shards come to, `run/merge.rs` asks.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Unacceptable, complete, restated};
use crate::digest::Sha256;
use crate::report::schema::{Piece, Report};
use crate::report::sealed::Sealed;
use crate::report::sharded::files_of;
use crate::report::{judge, read};
use crate::sign::allowed_signers::{AllowedSigners, Signer};
use crate::sign::manifest::Manifest;
use crate::sign::sshsig::NAMESPACE;
use crate::text::escape;

/// Who signed each shard, proven.
pub(super) fn signers(
    report: &Report,
    sealed: &Sealed,
    allowed: &AllowedSigners,
    at: Timestamp,
) -> Result<Vec<Signer>, Unacceptable> {
    let pieces = report.run.merged.iter().flat_map(|merged| &merged.shards);
    let mut signers = Vec::new();
    let mut kept = BTreeMap::new();
    for (place, piece) in pieces.enumerate() {
        let wrong = |why: String| {
            let shard = escape(&piece.shard.name()).into_owned();
            Unacceptable::Piece { shard, why }
        };
        let [record, sums, signature] = files_of(place);
        let sums = sealed.read(&sums)?;
        if Sha256::of(&sums).to_string() != piece.manifest {
            return Err(wrong("its manifest is not the one recorded".to_owned()));
        }
        let signer = allowed.verify(None, NAMESPACE, &sums, &sealed.read(&signature)?, at);
        let signer = signer.map_err(|fault| wrong(fault.to_string()))?;
        if signer.fingerprint != piece.key {
            return Err(wrong(
                "another key signed it than the one recorded".to_owned(),
            ));
        }
        let sums: Manifest = String::from_utf8_lossy(&sums)
            .parse()
            .map_err(|fault: crate::sign::manifest::ManifestSyntax| wrong(fault.to_string()))?;
        let record = sealed.read(&record)?;
        if sums.digest("report.json") != Some(Sha256::of(&record)) {
            return Err(wrong(
                "its record is not the one that was signed".to_owned(),
            ));
        }
        let record = read(&record).map_err(|fault| wrong(fault.to_string()))?;
        by_itself(&record, piece, report).map_err(|fault| wrong(fault.to_string()))?;
        for check in record.checks {
            if let Some(name) = &check.transcript {
                kept.insert(check.id, sums.digest(name));
            }
        }
        signers.push(signer);
    }
    if report.run.merged.is_some() {
        transcripts(report, sealed, &kept)?;
    }
    Ok(signers)
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
        return incomplete("another version of gonogo made it");
    }
    if let Some(why) = &own.aborted {
        return Err(Unacceptable::Aborted(escape(why).into_owned()));
    }
    complete::agrees(record, &judge(record))?;
    restated::holds(record)
}

/// Each transcript is the one that its shard's runner signed.
fn transcripts(
    report: &Report,
    sealed: &Sealed,
    kept: &BTreeMap<String, Option<Sha256>>,
) -> Result<(), Unacceptable> {
    let other = report.checks.iter().find(|check| {
        let own = check
            .transcript
            .as_deref()
            .map(|name| sealed.manifest.digest(name));
        own != kept.get(&check.id).copied() || own == Some(None)
    });
    match other {
        None => Ok(()),
        Some(check) => Err(Unacceptable::Incomplete(format!(
            "the transcript of check `{}` is not the one that its shard has",
            escape(&check.id)
        ))),
    }
}
