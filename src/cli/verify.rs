//! `gonogo verify`: the gate. Offline; exit 4 tells that a run is not acceptable, whatever it says.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::args::{Verify, VerifyFormat};
use super::deliver::deliver;
use super::fault::{Exit, Fault};
use super::{drilled, go_live, people, policy, signers, timestamp};
use crate::digest::Sha256;
use crate::inventory::policy::Policy;
use crate::report::gate::{Answer, Gate};
use crate::report::verify::{Demands, Unacceptable, Verified};
use crate::run::{Unlike, replay};
use crate::sign::allowed_signers::AllowedSigners;
use crate::sign::manifest::portable_name;
use crate::text::escape;
use crate::verdict::Decision;
use crate::{feature_files, time};

pub(super) fn verify(args: &Verify) -> Result<Exit, Fault> {
    let told = |args: &Verify, fault: Fault| {
        // Told in every format too, so that no reader is left with an older answer.
        deliver(args, &Gate::not_judged(fault.reason(), ""), fault.exit);
        Err(fault)
    };
    let (args, policy) = match policy::rule(args) {
        Ok(ruled) => ruled,
        Err(fault) => return told(args, fault),
    };
    let judged = || judge(&args, policy.as_ref());
    let judged = std::panic::catch_unwind(judged).unwrap_or_else(|_| Err(defect()));
    match judged {
        Ok((gate, verified)) => {
            let exit = deliver(&args, &gate, exit_of(gate.answer));
            // The process ends, and a large record has millions of pieces to give back one by one.
            std::mem::forget((gate, verified));
            Ok(exit)
        }
        Err(fault) => told(&args, fault),
    }
}

/// A record that makes gonogo stumble is no verdict, and no reason to leave an older answer standing.
pub(super) fn defect() -> Fault {
    Fault::new(
        Exit::Defect,
        "gonogo itself failed",
        "this is a defect of gonogo: please report it with the lines above",
    )
}

/// The gate's answer; everything that can be said of a run is said in it. With the run, if it is accepted.
pub(super) fn judge(
    args: &Verify,
    policy: Option<&Policy>,
) -> Result<(Gate, Option<Verified>), Fault> {
    if args.format == VerifyFormat::GithubDeploymentReview && args.environment.is_none() {
        return Err(Fault::new(
            Exit::Refused,
            "a deployment review needs --environment NAME",
            "a run of another environment must not approve a deployment; --deployment-environment gives GitHub's name where that is another",
        ));
    }
    let allowed = signers::read(&args.allowed_signers, args.revoked.as_deref())?;
    let demands = demands(args, policy)?;
    let [approvers, answerers] = people::told(args)?;
    let accepted = accept(&args.run, &allowed, &demands).and_then(|(mut verified, warning)| {
        let heard = people::hear(args, answerers.as_ref(), &mut verified)?;
        let known = people::ask(&args.demand, approvers.as_ref(), &verified, args.signed_at)?;
        let mut gate = Gate::accepted(&verified);
        gate.warnings.extend(warning);
        let requests = heard.break_glass;
        gate.heard(heard);
        gate.people(known);
        if let Some(policy) = policy {
            gate.ruled(verified.under(policy, time::now())?);
        }
        Ok((gate, verified, requests))
    });
    let (mut gate, verified) = match accepted {
        Ok((mut gate, verified, requests)) => {
            gate.ruled(drilled::hold(args, &allowed, &verified)?);
            gate.ruled(go_live::hold(args, &verified));
            gate.requests(requests);
            (gate, Some(verified))
        }
        Err(reason) => (Gate::refused(&reason), None),
    };
    if let Some(policy) = policy {
        gate.under(&policy.digest.to_string());
    }
    Ok((gate, verified))
}

/// Everything that makes a run acceptable, and what must be said with it.
pub(super) fn accept(
    directory: &Path,
    allowed: &AllowedSigners,
    demands: &Demands,
) -> Result<(Verified, Option<String>), Unacceptable> {
    let verified = Verified::open(directory, allowed, demands, time::now())?;
    match replay(verified.report(), directory) {
        Ok(()) => Ok((verified, None)),
        // Rules grow stricter, and an old run must verify for ever: where it is read, not where something is
        // to go live. Whoever signs could name an older version to have nothing compared.
        Err(Unlike::Refused(why)) if verified.is_older() && demands.max_age.is_none() => {
            let version = &verified.report().run.tool.version;
            let warning = format!(
                "made by gonogo {version}; this version cannot make its plan again to compare: {why}"
            );
            Ok((verified, Some(warning)))
        }
        Err(why) => Err(Unacceptable::Replay(why.to_string())),
    }
}

/// Contract 2: anything but 0 stops a deployment.
pub(super) const fn exit_of(answer: Answer) -> Exit {
    match answer {
        Answer::Verdict(Decision::Go) => Exit::Go,
        Answer::Verdict(Decision::NoGo) => Exit::NoGo,
        Answer::Verdict(Decision::Hold) => Exit::Hold,
        Answer::Unacceptable => Exit::Unacceptable,
        Answer::NotJudged => Exit::Refused,
    }
}

fn demands(args: &Verify, policy: Option<&Policy>) -> Result<Demands, Fault> {
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
        accept_versions: policy::older(args, policy),
        allow_partial: args.allow_partial,
        signed_at: args.signed_at,
        history: args.history.clone(),
        signers: policy.map_or_else(Vec::new, |policy| policy.signers.clone()),
        shard_signers: policy.map_or_else(Vec::new, |policy| policy.who_signs_shards().to_vec()),
        against: args.policy.against.clone(),
        authorities: args
            .tsa_ca
            .as_deref()
            .map(timestamp::authorities)
            .transpose()?,
        needs_stamp: args.require_timestamp,
        stamped_within: args.stamped_within,
        challenge: args.challenge.clone(),
        commit: args.made_for.commit.clone(),
        release: args.made_for.release,
        go_live: args.made_for.go_live,
        go_live_until: args.made_for.go_live_until,
    })
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
