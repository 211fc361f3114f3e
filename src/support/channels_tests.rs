//! Levels of escalation and subscriptions: each lack beside what is well.

use super::Ask;
use super::tests::{fails, holds, judge};
use crate::failure::FailureKind;

#[test]
fn every_level_and_every_subscription_is_proven_lately() {
    use FailureKind::{Mismatch, Missing, Stale};
    let ask = Ask::EscalationProven(92);
    let night = "answers_within: 1h, proven: {date: 2026-11-01, by: Ana}";
    let with = |proven: &str| judge(ask, night, &format!("answers_within: 1h{proven}"));
    fails(&with(""), Missing, "level `night` was never proven");
    holds(&with(", proven: {date: 2026-08-22, by: Ana}"));
    fails(
        &with(", proven: {date: 2026-08-21, by: Ana}"),
        Stale,
        "2026-08-21 by Ana, 93 days ago",
    );
    fails(
        &with(", proven: {date: 2026-12-22, by: Ana}"),
        Stale,
        "yet to come",
    );
    let ask = Ask::Subscribed(30);
    fails(
        &judge(
            ask,
            "          support: {address: \"+1 212 555 0142\", proven: {date: 2026-11-02, by: Ben}}\n",
            "",
        ),
        Missing,
        "team `support` on channel `outages` is not subscribed",
    );
    fails(
        &judge(
            ask,
            ", proven: {date: 2026-11-02, by: Ben}}\n      releases",
            "}\n      releases",
        ),
        Missing,
        "never proven",
    );
    fails(
        &judge(ask, "address: \"+1 212 555 0142\", ", ""),
        Missing,
        "team `support` on channel `outages` tells no address",
    );
    fails(
        &judge(ask, "+1 212 555 0142", "+1 999 999 9999"),
        Mismatch,
        "+19999999999 is no number of its country",
    );
    holds(&judge(ask, "+1 212 555 0142", "#outages of our chat"));
    fails(
        &judge(
            ask,
            "0142\", proven: {date: 2026-11-02",
            "0142\", proven: {date: 2026-10-22",
        ),
        Stale,
        "31 days ago",
    );
    holds(&judge(
        ask,
        "0142\", proven: {date: 2026-11-02",
        "0142\", proven: {date: 2026-10-23",
    ));
    // A channel for one team asks nothing of the other.
    fails(
        &judge(ask, "        teams: [ops]\n", ""),
        Missing,
        "team `support` on channel `releases`",
    );
}

#[test]
fn every_level_tells_when_it_answers_and_no_two_are_one() {
    use FailureKind::{Mismatch, Missing};
    let ask = Ask::EscalationAgreed;
    let night = "to: \"+1 (415) 555-2671\", hours: 24x7, answers_within: 1h,";
    holds(&judge(ask, "", ""));
    let with = |new: &str| judge(ask, night, new);
    fails(
        &with("to: \"+1 (415) 555-2671\", answers_within: 1h,"),
        Missing,
        "level `night` tells no `hours`",
    );
    fails(
        &with("to: \"+1 (415) 555-2671\", hours: 24x7,"),
        Missing,
        "level `night` tells no `answers_within`",
    );
    let twice = |other: &str| {
        let line = "      - {name: night,";
        judge(
            ask,
            line,
            &format!("      - {{name: other, {other}, hours: 24x7, answers_within: 1h}}\n{line}"),
        )
    };
    fails(
        &twice("kind: phone, to: \"+1 415.555.2671\""),
        Mismatch,
        "level `night` leads where level `other` does",
    );
    holds(&twice("kind: phone, to: \"+1 415 555 2672\""));
    let london = |to: &str| {
        let two = format!(
            "kind: phone, to: \"+44 20 7946 0018\", hours: 24x7, answers_within: 1h}}\n      - {{name: third, kind: phone, to: \"{to}\""
        );
        twice(&two)
    };
    fails(&london("+44 (0)20 7946 0018"), Mismatch, "level `third`");
    holds(&london("+44 20 7946 0019"));
    fails(
        &twice("kind: url, to: \"https://forum.example.com/\""),
        Mismatch,
        "level `other` leads where level `forum` does",
    );
    let mail = |to: &str| {
        let two = format!(
            "kind: e-mail, to: help@example.com, hours: 24x7, answers_within: 1h}}\n      - {{name: third, kind: emergency e-mail, to: {to}"
        );
        twice(&two)
    };
    fails(&mail("Help@Example.com"), Mismatch, "level `third`");
    holds(&mail("emergency@example.com"));
}
