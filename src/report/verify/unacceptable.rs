//! Why a run is not acceptable, and what to do about each reason. `verify` exits 4 for all of them.

use crate::report::ReadFault;
use crate::report::sealed::SealFault;
use crate::report::stamp::StampingFault;
use crate::sign::dsse::TestResult;
use crate::sign::timestamp::StampFault;

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
    /// No known version of gonogo made it.
    #[error("made by gonogo `{0}`, which is no version that this one knows")]
    Maker(String),
    /// An older version made it, and a gate takes none unasked.
    #[error(
        "made by gonogo `{0}`, of which this version does not compare all: a gate (--max-age) does not take that unasked"
    )]
    Older(String),
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
    /// A part of a plan.
    #[error("partial: it is shard {0} alone")]
    Shard(String),
    /// A shard that was merged into it.
    #[error("shard {shard} of the merged run: {why}")]
    Piece {
        /// Which.
        shard: String,
        /// What is wrong with it.
        why: String,
    },
    /// Too old, or dated in the future.
    #[error("stale: {0}")]
    Stale(String),
    /// Its waivers are not those of its file, or not approved.
    #[error("waivers: {0}")]
    Waivers(String),
    /// Too few people approved it.
    #[error("approvals: {0}")]
    Approvals(String),
    /// A shard that somebody signed whom the policy does not permit.
    #[error(
        "policy: `{signer}` signed shard {shard}; the policy permits {permitted} to sign shards"
    )]
    ShardSigner {
        /// Which.
        shard: String,
        /// Who.
        signer: String,
        /// Who may.
        permitted: String,
    },
    /// Signed by somebody, or made by something, that the policy does not permit.
    #[error("policy: {0}")]
    Policy(String),
    /// What is named as an earlier GO is none.
    #[error("no earlier GO: {0}")]
    Against(String),
    /// What people answered cannot be read whole.
    #[error("answers: {0}")]
    Answers(String),
    /// About something else.
    #[error("wrong binding: {0}")]
    Binding(String),
    /// Its time stamp proves nothing, or the wrong time.
    #[error("time stamp: {0}")]
    Stamp(#[from] StampingFault),
    /// It has none.
    #[error("time stamp: the run has none")]
    Unstamped,
    /// Its history does not hold.
    #[error("history: {0}")]
    History(String),
    /// Another run came after it.
    #[error("superseded: {0}")]
    Superseded(String),
}

impl Unacceptable {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Seal(fault) => fault.hint(),
            Self::Read(_) => "verify with the gonogo version that wrote the run, or a newer one",
            Self::Maker(_) => {
                "verify with the gonogo version that made the run, or a newer one; if there is none, ask the signer's key's owner"
            }
            Self::Older(_) => {
                "run with the version that verifies; --accept-version VERSION (`accept_versions` of a policy) takes runs of an older one for as long as runners are behind"
            }
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
            Self::Piece { .. } => {
                "--allowed-signers names who may sign shards too; where it does, merge the shards again from their sources"
            }
            Self::Shard(_) => {
                "`gonogo merge` all shards, and verify what they are merged into; --allow-partial reads one, and it never is a GO"
            }
            Self::Stamp(fault) => fault.hint(),
            Self::Unstamped => {
                "`gonogo timestamp request` and `attach`, or `get`, right after the run"
            }
            Self::History(_) => {
                "`gonogo history FOLDER` names every break, and what to do; --history names the folder that the run was made in"
            }
            Self::Superseded(_) => {
                "verify the newest run: an older one says nothing of what was found since"
            }
            Self::Stale(_) => "run again shortly before the gate",
            Self::Waivers(_) => {
                "name with --approvers FILE who may approve waivers (received by another way than the run), or accept none with --no-waivers; a waiver holds when its approver signed the file"
            }
            Self::Approvals(_) => {
                "somebody else than who ran it looks at the report and signs: gonogo approve RUN --key FILE, or ssh-keygen -Y sign -n gonogo-approval@gonogo -f KEY SHA256SUMS, renamed to SHA256SUMS.<who>.sig"
            }
            Self::Policy(_) => {
                "`gonogo policy FILE` says what is permitted: run again with that, or have the policy changed"
            }
            Self::ShardSigner { .. } => {
                "`shard_signers` of the policy names who may sign shards, without it `signers`: have the shard run and signed by one of them, or the policy changed"
            }
            Self::Against(_) => {
                "--against names an earlier run of the same environment that is GO and signed by one of --allowed-signers"
            }
            Self::Answers(_) => {
                "look at the files SHA256SUMS.* in the run directory: let the gate read them, and remove what is no answer to it"
            }
            Self::Binding(_) => {
                "run again with the inventory and features that are to go live, or name those that the run is about"
            }
        }
    }
}

impl From<StampFault> for Unacceptable {
    fn from(fault: StampFault) -> Self {
        Self::Stamp(fault.into())
    }
}
