//! The vendor and what is agreed with it: judged from the inventory alone. No code here.

use super::{StepDef, step};
use crate::steps::{Call, bind};
use crate::support::Ask;

pub(super) const STEPS: &[StepDef] = &[
    step(
        "Then",
        "the support entitlement is named",
        "Then the support entitlement is named",
        |_| Ok(Call::Vendor(Ask::Entitled)),
        "The inventory tells the contract's id, plan, severities with their time of first answer, end, and who may open cases; and it has not ended.",
    ),
    step(
        "Then",
        "the support contract does not end within {duration}",
        "Then the support contract does not end within 30 days",
        |a| Ok(Call::Vendor(Ask::HoldsFor(bind::days(a[0])?))),
        "The contract has begun, and its last day comes no sooner than so many days after go-live, or after the run's start where no go-live was told.",
    ),
    step(
        "Then",
        "the support contract does not end before the next drill",
        "Then the support contract does not end before the next drill",
        |_| Ok(Call::Vendor(Ask::HoldsUntilDrill)),
        "The contract has begun, and its last day comes no sooner than the day by which the next drill is due.",
    ),
    step(
        "Then",
        "every gap in coverage has a plan whose owner was proven within the last {duration}",
        "Then every gap in coverage has a plan whose owner was proven within the last 92 days",
        |a| Ok(Call::Vendor(Ask::GapsPlanned(bind::days(a[0])?))),
        "Over the 366 days from the run's start: whenever an application must be available and the vendor does not answer, a plan of `out_of_hours` says who does what, and somebody reached that owner lately. Clock changes, midnight and holidays are counted; each gap is listed on the application's clock and in UTC.",
    ),
    step(
        "Then",
        "the primary and the backup contact differ",
        "Then the primary and the backup contact differ",
        |_| Ok(Call::Vendor(Ask::ContactsDiffer)),
        "Two people, each with a telephone number and mailbox of their own.",
    ),
    step(
        "Then",
        "every phone number fits its country's numbering plan",
        "Then every phone number fits its country's numbering plan",
        |_| Ok(Call::Vendor(Ask::PhonesValid)),
        "The numbers of contacts and escalation levels can exist; that anybody answers only a call can prove. The transcript names those that may be out of reach from abroad.",
    ),
    step(
        "Then",
        "every escalation level was proven within the last {duration}",
        "Then every escalation level was proven within the last 92 days",
        |a| Ok(Call::Vendor(Ask::EscalationProven(bind::days(a[0])?))),
        "A person used each level of escalation, no more than so many days before the run's day (UTC).",
    ),
    step(
        "Then",
        "every team is subscribed to every channel, proven within the last {duration}",
        "Then every team is subscribed to every channel, proven within the last 92 days",
        |a| Ok(Call::Vendor(Ask::Subscribed(bind::days(a[0])?))),
        "Each team of the inventory, or of the channel's `teams`, receives what the channel tells, and a person saw it arrive lately.",
    ),
    step(
        "Then",
        "go-live lies outside the release windows",
        "Then go-live lies outside the release windows",
        |_| Ok(Call::Vendor(Ask::OutsideWindows)),
        "The time of `--go-live` is in none of the weekly windows in which the vendor changes its service, by the clock of their zone. Fails in a run that was not told when go-live is.",
    ),
    step(
        "Then",
        "no required action is overdue",
        "Then no required action is overdue",
        |_| Ok(Call::Vendor(Ask::NoActionOverdue)),
        "What announced releases need is done, or its last day has not passed at go-live; at the run's start where no go-live was told.",
    ),
    step(
        "Then",
        "no required action is overdue at go-live",
        "Then no required action is overdue at go-live",
        |_| Ok(Call::Vendor(Ask::NoActionOverdueAtGoLive)),
        "The same; fails in a run that was not told when go-live is.",
    ),
    step(
        "Then",
        "the drill is not overdue",
        "Then the drill is not overdue",
        |_| Ok(Call::Vendor(Ask::DrillDue)),
        "The last drill of the support process is no longer ago than its interval, 92 days if not told otherwise.",
    ),
];
