//! The vendor process, judged offline: what the inventory says of a vendor, and what the network answered,
//! beside the run's start and the time of go-live. Pure: the same inventory, the same [`Heard`] and the same
//! [`Moment`] give the same answer, so that `verify` judges again what the run judged. Asks no network and no
//! clock: [`Ask::questions`] says what the run is to ask.

mod asked;
mod channels;
#[cfg(test)]
mod channels_tests;
mod contract;
mod coverage;
#[cfg(test)]
mod coverage_tests;
mod drill;
pub mod ics;
mod people;
mod phones;
mod process_test;
mod proof;
mod questions;
mod releases;
pub mod request;
mod sketch;
#[cfg(test)]
mod tests;
mod week;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::calendar::Span;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Inventory, Vendor};
use crate::probe::Probe;

pub use week::Week;

/// When it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// When the run began.
    pub started: Timestamp,
    /// When the estate goes live, where it was said.
    pub go_live: Option<Timestamp>,
    /// When that is over, where it was said; the end itself no longer belongs to it.
    pub go_live_until: Option<Timestamp>,
}

impl Moment {
    /// Go-live as a span; an instant where nobody said how long it takes. The run's start where there is none.
    fn live(&self) -> Span {
        let from = self.go_live.unwrap_or(self.started);
        let until = self.go_live_until.filter(|until| *until > from);
        Span {
            from,
            to: until.unwrap_or(from),
        }
    }

    /// The later of the run's start and the last of go-live: what must hold, must hold then as well.
    fn latest(&self) -> Timestamp {
        let live = self.live();
        let last = match live.to > live.from {
            true => live.to.checked_sub(SignedDuration::from_nanos(1)),
            false => Ok(live.from),
        };
        last.unwrap_or(live.from).max(self.started)
    }
}

/// What a step asks about a vendor. Spans are whole days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Whatever the vendor does not cover has a plan, whose owner was proven.
    GapsPlanned(u32),
    /// The contract holds for so many days more.
    HoldsFor(u32),
    /// The contract holds until the next drill is due.
    HoldsUntilDrill,
    /// What support asks first: contract, plan, severities, end, who may call.
    Entitled,
    /// Go-live lies outside release windows.
    OutsideWindows,
    /// Nothing that an announced release needs is overdue, at go-live where that is known.
    NoActionOverdue,
    /// The same, and go-live must be known.
    NoActionOverdueAtGoLive,
    /// Every level of escalation was proven.
    EscalationProven(u32),
    /// Every level of escalation tells when it answers and how soon, and no two are one.
    EscalationAgreed,
    /// Every team receives what every channel tells.
    Subscribed(u32),
    /// Primary and backup are two people with two telephones.
    ContactsDiffer,
    /// Telephone numbers can exist.
    PhonesValid,
    /// The drill is not overdue.
    DrillDue,
    /// The case that tries the process was acknowledged in time; opened no more than so many days ago.
    ProcessTest(Option<u32>),
    /// No status page tells of an open incident, or of maintenance at go-live.
    NoIncident,
    /// Every status page answers, and somebody keeps it.
    PagesAlive,
    /// The outage log answers.
    OutageLog,
    /// Whatever feeds announce was read by a person, or came no longer ago than that.
    AnnouncementsRead(Duration),
    /// What is monitored answers the runner.
    Answers(Duration),
    /// What is monitored answers the check's host.
    AnswersHost(Duration),
    /// Certificates hold for so many days more.
    CertificatesHold(u32),
    /// Mail domains take mail.
    TakesMail,
    /// Mail servers accept the addresses.
    MailAccepted,
    /// Every intake can be reached.
    IntakeOpen,
    /// Each field of the support request has somebody who fills it in.
    RequestComplete,
}

/// What came of the questions of a check.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heard<'a> {
    /// The host that the check is about.
    pub host: Option<&'a str>,
    /// What came, in order.
    pub probes: &'a [Probe],
}

/// What came of a question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judged {
    /// What was looked at, a line each, for the transcript.
    pub told: Vec<String>,
    /// Why it does not hold.
    pub failure: Option<Failure>,
}

impl Judged {
    fn tell(&mut self, line: impl Into<String>) {
        self.told.push(line.into());
    }

    fn fail(mut self, failure: Failure) -> Self {
        self.failure = Some(failure);
        self
    }

    /// Fails with all of `short`, and holds when there is none.
    fn unless_short(
        self,
        expected: impl Into<String>,
        short: Vec<Short>,
        subject: String,
        hint: &str,
    ) -> Self {
        let Some(first) = short.first() else {
            return self;
        };
        let said: Vec<&str> = short.iter().map(|one| one.what.as_str()).collect();
        let failure = Failure::new(first.kind, expected, listed(&said));
        self.fail(failure.with_subject(subject).with_hint(hint))
    }
}

/// One thing that falls short.
struct Short {
    kind: FailureKind,
    what: String,
}

impl Ask {
    /// Judges `vendor` by what was `heard`.
    #[must_use]
    pub fn judge(
        self,
        vendor: &Vendor,
        inventory: &Inventory,
        moment: &Moment,
        heard: &Heard<'_>,
    ) -> Judged {
        match self {
            Self::GapsPlanned(days) => coverage::gaps_planned(vendor, inventory, moment, days),
            Self::HoldsFor(days) => contract::holds_for(vendor, moment, days),
            Self::HoldsUntilDrill => contract::holds_until_drill(vendor, moment),
            Self::Entitled => contract::entitled(vendor, moment),
            Self::OutsideWindows => releases::outside_windows(vendor, moment),
            Self::NoActionOverdue => releases::none_overdue(vendor, moment, false),
            Self::NoActionOverdueAtGoLive => releases::none_overdue(vendor, moment, true),
            Self::EscalationProven(days) => channels::escalation(vendor, moment, days),
            Self::EscalationAgreed => channels::agreed(vendor),
            Self::Subscribed(days) => channels::subscribed(vendor, inventory, moment, days),
            Self::ContactsDiffer => people::differ(vendor),
            Self::PhonesValid => phones::valid(vendor),
            Self::DrillDue => drill::not_overdue(vendor, moment),
            Self::ProcessTest(days) => process_test::in_time(vendor, moment, days),
            Self::NoIncident => asked::pages::no_incident(vendor, moment, heard),
            Self::PagesAlive => asked::pages::alive(vendor, moment, heard),
            Self::OutageLog => asked::feeds::outage_log(vendor, heard),
            Self::AnnouncementsRead(within) => asked::feeds::read(vendor, moment, heard, within),
            Self::Answers(within) | Self::AnswersHost(within) => {
                asked::answers::in_time(self, vendor, heard, within)
            }
            Self::CertificatesHold(days) => asked::answers::certificates(vendor, heard, days),
            Self::TakesMail => asked::mail::taken(vendor, heard),
            Self::MailAccepted => asked::mailboxes::accepted(vendor, heard),
            Self::IntakeOpen => asked::intake::open(vendor, heard),
            Self::RequestComplete => request::complete(vendor, inventory),
        }
    }
}

/// The day of the last drill that the inventory tells, and the day by which the next one is due.
///
/// # Errors
/// When the inventory tells none, or one that is yet to come.
pub fn next_drill(
    vendor: &Vendor,
    moment: &Moment,
) -> Result<(jiff::civil::Date, jiff::civil::Date), Failure> {
    drill::due(vendor, moment)
}

/// The day by which a drill is due behind one on `last`.
#[must_use]
pub fn drill_after(vendor: &Vendor, last: jiff::civil::Date) -> jiff::civil::Date {
    drill::after(vendor, last)
}

/// Where in the inventory it stands.
fn place(vendor: &Vendor, key: &str) -> String {
    format!("vendors: {}: {key}", vendor.name)
}

/// The failure of a vendor of which the inventory does not say what is asked.
fn unsaid(vendor: &Vendor, key: &str, expected: &str, example: &str) -> Failure {
    Failure::new(
        FailureKind::Missing,
        expected,
        format!("the inventory says no `{key}` of this vendor"),
    )
    .with_subject(place(vendor, key))
    .with_hint(format!("write `{example}` below `{}:`", vendor.name))
}

/// The failure of a question about go-live in a run that was not told when that is.
fn no_go_live() -> Failure {
    // Nobody may waive what was never judged.
    Failure::new(
        FailureKind::Undefined,
        "the time of go-live",
        "this run was not told it",
    )
    .with_hint("run again with `--go-live TIME`, such as --go-live 2026-12-02T01:30:00-08:00")
}

/// The time of go-live, which lies ahead.
fn go_live(moment: &Moment) -> Result<Timestamp, Failure> {
    let go_live = moment.go_live.ok_or_else(no_go_live)?;
    if go_live < moment.started {
        let (go_live, started) = (
            crate::time::rfc3339(go_live),
            crate::time::rfc3339(moment.started),
        );
        return Err(Failure::new(
            FailureKind::Stale,
            "a go-live that lies ahead",
            format!("go-live at {go_live}, and the run began at {started}"),
        )
        .with_subject("--go-live")
        .with_hint("see the year, the day and the offset of `--go-live`"));
    }
    Ok(go_live)
}

/// The first few, and how many more there are.
fn listed(all: &[impl AsRef<str>]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<&str> = all.iter().take(SHOWN).map(AsRef::as_ref).collect();
    match all.len().saturating_sub(SHOWN) {
        0 => shown.join("; "),
        more => format!("{}; and {more} more", shown.join("; ")),
    }
}
