//! Accepting a run: proven whole and signed, complete, fresh, about what the verifier asks for, and
//! judged anew from its recorded facts. A [`Verified`] is the only road from a directory to a verdict.

mod answers;
mod break_glass;
mod carried;
mod complete;
mod demands;
mod maker;
mod merged;
mod newest;
mod people;
mod policy;
mod restated;
mod stamped;
mod unacceptable;

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

pub use answers::{Heard, Hearing};
pub use break_glass::{Breakers, Broken};
pub use demands::Demands;
pub use merged::Proven;
pub use people::{Asked, Known};
pub use policy::Ruling;
pub use stamped::WITHIN as STAMPED_WITHIN;
pub use unacceptable::Unacceptable;

use super::history::History;
use super::schema::Report;
use super::sealed::Sealed;
use super::{judge, previous, read};
use crate::sign::allowed_signers::{AllowedSigners, Signer};
use crate::sign::timestamp::{Stamp, Token};
use crate::verdict::Verdict;

/// A run that was accepted, and what it came to.
#[derive(Clone, Debug)]
pub struct Verified {
    report: Arc<Report>,
    verdict: Verdict,
    sealed: Sealed,
    stamp: Option<Stamp>,
    is_older: bool,
    history: Option<History>,
    against: Option<Report>,
    shards: Vec<Proven>,
    /// As people answered it, once they were heard.
    answered: Option<(Arc<Report>, Verdict)>,
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
        let response = stamped::response(directory, demands)?;
        let token = response.as_deref().map(Token::parse).transpose()?;
        let stated = token.as_ref().map(Token::states);
        let at = demands.signed_at.or(stated).unwrap_or(now);
        let permitted = policy::permitted(directory, allowed, demands, at);
        let identity = demands.identity.as_deref().or(permitted.as_deref());
        let sealed = Sealed::open(directory, allowed, identity, at)?;
        policy::signed_by(&sealed.signer, demands)?;
        let stamp = stamped::proven(token.as_ref(), &sealed, demands)?;
        let report = read(&sealed.read("report.json")?)?;
        let is_older = maker::is_older(&report.run.tool.version)?;
        if is_older {
            maker::knew(&report)?;
        }
        let verdict = judge(&report);
        complete::complete(&report, &sealed)?;
        complete::chained(&report, &sealed.read(previous::FILE)?)?;
        complete::agrees(&report, &verdict)?;
        complete::attests(&report, &sealed.statement)?;
        complete::rendered(&report, &sealed)?;
        complete::granted(&report)?;
        restated::holds(&report)?;
        let shards = merged::shards(&report, &sealed, allowed, demands, at)?;
        demands::whole(&report, demands)?;
        stamped::soon(&report, stamp.as_ref(), demands)?;
        demands::fresh(&report, demands, now)?;
        if is_older {
            maker::accepted(&report.run, demands)?;
        }
        demands::bound(&report, demands)?;
        let history = match &demands.history {
            Some(folder) => Some(newest::newest(&sealed, folder, allowed, now)?),
            None => None,
        };
        if let Some(history) = &history {
            carried::held_to(&report, &sealed, history)?;
        }
        let against = demands.against.as_deref();
        let against = against
            .map(|run| policy::against(run, &report, allowed, now))
            .transpose()?;
        Ok(Self {
            report: Arc::new(report),
            verdict,
            sealed,
            stamp,
            is_older,
            history,
            against,
            shards,
            answered: None,
        })
    }

    /// The run's record.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The record as people answered it; the record itself where nobody did, or was heard.
    #[must_use]
    pub fn answered(&self) -> &Report {
        self.answered
            .as_ref()
            .map_or(&self.report, |(report, _)| report)
    }

    /// The same to be kept: that of a large run takes hundreds of MiB.
    #[must_use]
    pub fn answered_record(&self) -> Arc<Report> {
        let answered = self.answered.as_ref();
        Arc::clone(answered.map_or(&self.report, |(report, _)| report))
    }

    /// The verdict, judged anew, with what people answered.
    #[must_use]
    pub fn verdict(&self) -> &Verdict {
        self.answered
            .as_ref()
            .map_or(&self.verdict, |(_, verdict)| verdict)
    }

    /// The directory, proven whole.
    #[must_use]
    pub const fn sealed(&self) -> &Sealed {
        &self.sealed
    }

    /// Whether an older gonogo made it.
    #[must_use]
    pub const fn is_older(&self) -> bool {
        self.is_older
    }

    /// Who signed it.
    #[must_use]
    pub const fn signer(&self) -> &Signer {
        &self.sealed.signer
    }

    /// The shards that were merged into it, in their order.
    #[must_use]
    pub fn shards(&self) -> &[Proven] {
        &self.shards
    }

    /// Whose time stamp proves when it was signed, where authorities were named and it has one.
    #[must_use]
    pub const fn stamp(&self) -> Option<&Stamp> {
        self.stamp.as_ref()
    }
}
