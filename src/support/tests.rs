//! Each question with what makes it fail and the twin that passes, by fixed clocks.

use std::path::Path;

use super::{Ask, Heard, Judged, Moment};
use crate::failure::FailureKind;
use crate::inventory::Inventory;

/// All is well on that day.
pub(super) const WELL: &str = include_str!("tests.yaml");
pub(super) const TODAY: &str = "2026-11-22T15:00:00Z";

pub(super) fn judge_at(text: &str, ask: Ask, started: &str, go_live: Option<&str>) -> Judged {
    let parsed = Inventory::parse(Path::new("i.yaml"), text.as_bytes().to_vec());
    let inventory = parsed.unwrap_or_else(|problems| panic!("{problems}"));
    let moment = Moment {
        started: started.parse().unwrap(),
        go_live: go_live.map(|time| time.split('/').next().unwrap().parse().unwrap()),
        go_live_until: go_live.and_then(|time| Some(time.split_once('/')?.1.parse().unwrap())),
    };
    ask.judge(
        &inventory.vendors[0],
        &inventory,
        &moment,
        &Heard::default(),
    )
}

/// `WELL` with `old` replaced by `new`, judged today.
#[track_caller]
pub(super) fn judge(ask: Ask, old: &str, new: &str) -> Judged {
    assert!(WELL.contains(old), "{old}");
    judge_at(&WELL.replacen(old, new, 1), ask, TODAY, None)
}

#[track_caller]
pub(super) fn holds(judged: &Judged) {
    assert_eq!(judged.failure, None);
    assert!(!judged.told.is_empty());
}

#[track_caller]
pub(super) fn fails(judged: &Judged, kind: FailureKind, words: &str) {
    let failure = judged
        .failure
        .as_ref()
        .unwrap_or_else(|| panic!("holds: {:?}", judged.told));
    assert_eq!(failure.kind, kind, "{failure}");
    assert!(failure.actual.contains(words), "{failure}");
    assert!(
        !failure.hint.is_empty()
            && !failure.expected.is_empty()
            && failure.subject.is_some() == (kind != FailureKind::Undefined),
        "{failure:?}"
    );
}

const ALL: [Ask; 13] = [
    Ask::GapsPlanned(92),
    Ask::HoldsFor(30),
    Ask::HoldsUntilDrill,
    Ask::Entitled,
    Ask::OutsideWindows,
    Ask::NoActionOverdue,
    Ask::NoActionOverdueAtGoLive,
    Ask::EscalationProven(92),
    Ask::EscalationAgreed,
    Ask::Subscribed(92),
    Ask::ContactsDiffer,
    Ask::DrillDue,
    Ask::RequestComplete,
];

#[test]
fn what_is_well_holds_and_what_is_not_said_never_does() {
    let go_live = Some("2026-12-01T18:00:00Z");
    for ask in ALL.into_iter().chain([Ask::PhonesValid]) {
        holds(&judge_at(WELL, ask, TODAY, go_live));
        let bare = "environment: p\nteams: {ops: {user: ops, key: k}}\nvendors: {a: {}}\n";
        let judged = judge_at(bare, ask, TODAY, go_live);
        fails(&judged, FailureKind::Missing, "");
    }
}

#[test]
fn the_entitlement_names_all_that_support_asks_first() {
    use FailureKind::{Gap, Missing};
    let ask = Ask::Entitled;
    for (line, words) in [
        ("      id: 60E-0417\n", "no `id`"),
        ("      plan: premium\n", "no `plan`"),
        ("      ends: 2027-03-31\n", "no `ends`"),
        ("      severities: {S1: 1h}\n", "no `severities`"),
        ("      openers: [ana, ben]\n", "no `openers`"),
    ] {
        let new = if line.contains("severities") {
            "      severities: {}\n"
        } else {
            ""
        };
        let text = WELL
            .replacen(", severity: S1", "", 1)
            .replacen(line, new, 1);
        fails(&judge_at(&text, ask, TODAY, None), Missing, words);
    }
    fails(
        &judge(ask, "openers: [ana, ben]", "openers: []"),
        Missing,
        "no `openers`",
    );
    fails(
        &judge(ask, "2027-03-31", "2026-11-21"),
        Gap,
        "ended on 2026-11-21, 1 day ago",
    );
    // It must still hold when the estate goes live.
    let live = |at: &str| judge_at(WELL, ask, TODAY, Some(at));
    fails(
        &live("2027-04-01T04:00:00Z"),
        Gap,
        "before go-live on 2027-04-01",
    );
    holds(&live("2027-04-01T03:59:59Z"));
    fails(
        &live("2027-04-01T01:00:00Z/2027-04-01T04:00:01Z"),
        Gap,
        "before go-live on 2027-04-01",
    );
    holds(&live("2027-04-01T01:00:00Z/2027-04-01T04:00:00Z"));
    // The last day counts, by the vendor's calendar: it is still the 22nd in New York.
    let text = WELL.replacen("2027-03-31", "2026-11-22", 1);
    holds(&judge_at(&text, ask, "2026-11-23T04:59:59Z", None));
    fails(
        &judge_at(&text, ask, "2026-11-23T05:00:00Z", None),
        Gap,
        "ended",
    );
}

#[test]
fn a_contract_holds_long_enough_or_not() {
    use FailureKind::{Gap, Missing, Stale};
    let ask = Ask::HoldsFor(30);
    holds(&judge(ask, "2027-03-31", "2026-12-22"));
    fails(
        &judge(ask, "2027-03-31", "2026-12-21"),
        Gap,
        "ends on 2026-12-21",
    );
    // Over the end of a leap February.
    let leap = WELL.replacen("2027-03-31", "2028-03-01", 1);
    holds(&judge_at(
        &leap,
        Ask::HoldsFor(2),
        "2028-02-28T12:00:00Z",
        None,
    ));
    fails(
        &judge_at(&leap, Ask::HoldsFor(3), "2028-02-28T12:00:00Z", None),
        Gap,
        "",
    );
    // Days count from go-live where that is told.
    let until = WELL.replacen("2027-03-31", "2026-12-25", 1);
    holds(&judge_at(&until, ask, TODAY, None));
    fails(
        &judge_at(&until, ask, TODAY, Some("2026-12-01T18:00:00Z")),
        Gap,
        "2026-12-25",
    );
    fails(
        &judge(ask, "begins: 2026-04-01", "begins: 2026-11-23"),
        Gap,
        "begins on 2026-11-23",
    );
    holds(&judge(ask, "begins: 2026-04-01", "begins: 2026-11-22"));
    fails(&judge(ask, "      ends: 2027-03-31\n", ""), Missing, "ends");
    // 92 days after 1 October comes 1 January.
    let ask = Ask::HoldsUntilDrill;
    holds(&judge(ask, "2027-03-31", "2027-01-01"));
    fails(
        &judge(ask, "2027-03-31", "2026-12-31"),
        Gap,
        "ends on 2026-12-31",
    );
    // One that is overdue is due today.
    let text = WELL.replacen("last: 2026-10-01", "last: 2026-01-01", 1);
    holds(&judge_at(
        &text.replacen("2027-03-31", "2026-11-22", 1),
        ask,
        TODAY,
        None,
    ));
    fails(
        &judge_at(
            &text.replacen("2027-03-31", "2026-11-21", 1),
            ask,
            TODAY,
            None,
        ),
        Gap,
        "",
    );
    fails(
        &judge(ask, "last: 2026-10-01", "last: 2026-11-24"),
        Stale,
        "yet to come",
    );
}

#[test]
fn a_drill_is_due_after_its_interval() {
    use FailureKind::{Missing, Stale};
    let ask = Ask::DrillDue;
    // 22 August is 92 days before 22 November.
    holds(&judge(ask, "last: 2026-10-01", "last: 2026-08-22"));
    fails(
        &judge(ask, "last: 2026-10-01", "last: 2026-08-21"),
        Stale,
        "2026-08-21",
    );
    holds(&judge(
        ask,
        "last: 2026-10-01",
        "last: 2026-08-21, interval: 93d",
    ));
    fails(
        &judge(ask, "last: 2026-10-01", "interval: 92d"),
        Missing,
        "drill: last",
    );
    // Somewhere it is tomorrow already, and nowhere the day after.
    holds(&judge(ask, "last: 2026-10-01", "last: 2026-11-23"));
    fails(
        &judge(ask, "last: 2026-10-01", "last: 2026-11-24"),
        Stale,
        "yet to come",
    );
    let early = judge_at(
        &WELL.replacen("last: 2026-10-01", "last: 2026-11-23", 1),
        ask,
        "2026-11-22T09:00:00Z",
        None,
    );
    fails(&early, Stale, "yet to come");
}

#[test]
fn go_live_lies_outside_release_windows_by_their_own_clock() {
    use FailureKind::{Mismatch, Stale, Undefined};
    let at = |go_live| judge_at(WELL, Ask::OutsideWindows, TODAY, Some(go_live));
    // Wednesday midnight in Los Angeles, in winter.
    holds(&at("2026-12-02T07:59:59Z"));
    fails(
        &at("2026-12-02T08:00:00Z"),
        Mismatch,
        "Wed 2026-12-02 00:00",
    );
    fails(
        &at("2026-12-02T01:30:00-08:00"),
        Mismatch,
        "America/Los_Angeles",
    );
    fails(&at("2026-12-02T10:59:59Z"), Mismatch, "Wed");
    holds(&at("2026-12-02T11:00:00Z"));
    // One that takes its time, into the window or over it; the end of both no longer counts.
    fails(
        &at("2026-12-02T07:00:00Z/2026-12-02T08:00:01Z"),
        Mismatch,
        "Wed",
    );
    fails(
        &at("2026-12-02T07:00:00Z/2026-12-02T12:00:00Z"),
        Mismatch,
        "Wed",
    );
    holds(&at("2026-12-02T07:00:00Z/2026-12-02T08:00:00Z"));
    holds(&at("2026-12-02T11:00:00Z/2026-12-02T12:00:00Z"));
    // In summer the same clock is an hour earlier.
    fails(
        &at("2027-06-02T07:30:00Z"),
        Mismatch,
        "Wed 2027-06-02 00:30",
    );
    holds(&at("2027-06-02T10:30:00Z"));
    fails(
        &judge_at(WELL, Ask::OutsideWindows, TODAY, None),
        Undefined,
        "not told",
    );
    fails(&at("2025-12-02T18:00:00Z"), Stale, "2025-12-02");
    let with = |old: &str, new: &str, go_live| {
        assert!(WELL.contains(old));
        judge_at(
            &WELL.replacen(old, new, 1),
            Ask::OutsideWindows,
            TODAY,
            Some(go_live),
        )
    };
    // Over midnight, from Sunday into Monday.
    let night = "hours: \"Sun 23:00-02:00\", timezone: Europe/Berlin";
    let windows = "hours: \"Wed-Fri 00:00-03:00\", timezone: America/Los_Angeles";
    fails(
        &with(windows, night, "2026-11-30T00:59:00Z"),
        Mismatch,
        "Mon 2026-11-30 01:59",
    );
    holds(&with(windows, night, "2026-11-30T01:00:00Z"));
    // 01:30 is shown twice in the night of 31 October 2027: until the second time it is the window.
    let fold = "hours: \"Sun 00:00-02:30\", timezone: Europe/Berlin";
    fails(
        &with(windows, fold, "2027-10-31T01:29:00Z"),
        Mismatch,
        "Sun 2027-10-31 02:29",
    );
    holds(&with(windows, fold, "2027-10-31T01:30:00Z"));
    holds(&with(
        &format!("{{{windows}}}"),
        "none",
        "2026-12-02T08:00:00Z",
    ));
    // No exit by naming every hour.
    fails(
        &with(windows, "hours: 24x7", "2026-12-01T18:00:00Z"),
        Mismatch,
        "",
    );
}

#[test]
fn what_a_release_needs_is_done_in_time() {
    use FailureKind::{Stale, Undefined};
    let ask = Ask::NoActionOverdue;
    let open = WELL.replacen(", done: 2026-11-20", "", 1);
    holds(&judge_at(&open, ask, TODAY, None));
    // Due by 30 November in New York.
    holds(&judge_at(&open, ask, TODAY, Some("2026-12-01T04:59:59Z")));
    let late = judge_at(&open, ask, TODAY, Some("2026-12-01T05:00:00Z"));
    fails(
        &late,
        Stale,
        "5.3.5: raise the client: due by 2026-11-30 and not done",
    );
    fails(
        &judge_at(&open, ask, "2026-12-01T05:00:00Z", None),
        Stale,
        "5.3.5",
    );
    holds(&judge_at(WELL, ask, "2026-12-01T05:00:00Z", None));
    let ahead = WELL.replacen("done: 2026-11-20", "done: 2026-11-29", 1);
    fails(&judge_at(&ahead, ask, TODAY, None), Stale, "yet to come");
    let ask = Ask::NoActionOverdueAtGoLive;
    fails(&judge_at(&open, ask, TODAY, None), Undefined, "not told");
    fails(
        &judge_at(&open, ask, TODAY, Some("2026-12-01T18:00:00Z")),
        Stale,
        "5.3.5",
    );
    holds(&judge_at(WELL, ask, TODAY, Some("2026-12-01T18:00:00Z")));
}

#[test]
fn primary_and_backup_are_two_people_with_two_telephones() {
    use FailureKind::{Mismatch, Missing};
    let ask = Ask::ContactsDiffer;
    fails(
        &judge(ask, "backup: ben", "backup: ana"),
        Mismatch,
        "both are Ana Silva",
    );
    fails(
        &judge(ask, "name: Ben Okafor", "name: ana silva"),
        Mismatch,
        "both are Ana Silva",
    );
    for alike in ["\"Silva, Ana\"", "An\u{430} Silva", "Ána  Silva"] {
        fails(
            &judge(ask, "name: Ben Okafor", &format!("name: {alike}")),
            Mismatch,
            "both are Ana Silva",
        );
    }
    holds(&judge(ask, "name: Ben Okafor", "name: Ana Silvestre"));
    fails(
        &judge(ask, "+1 212 555 0199", "+1 (212) 555-0100"),
        Mismatch,
        "both answer +12125550100",
    );
    fails(
        &judge(ask, "email: ben@", "email: Ana@"),
        Mismatch,
        "both read ana@",
    );
    // One telephone and one mailbox, in another spelling.
    let both = |ana: (&str, &str), ben: (&str, &str)| {
        let text = (WELL.replacen("ana@bank.example.com", ana.0, 1))
            .replacen("+1 212 555 0100", ana.1, 1)
            .replacen("ben@bank.example.com", ben.0, 1)
            .replacen("+1 212 555 0199", ben.1, 1);
        judge_at(&text, ask, TODAY, None)
    };
    let (one, other) = ("+44 20 7946 0018", "+44 20 7946 0019");
    for alike in ["+44 (0)20 7946 0018", "+44-0-20-7946-0018"] {
        let judged = both(("a@x.example", one), ("b@x.example", alike));
        fails(&judged, Mismatch, "both answer +442079460018");
    }
    holds(&both(("a@x.example", one), ("b@x.example", other)));
    for (mail, same) in [
        ("a@x.example", "a+2@X.example"),
        ("a@b\u{fc}cher.example", "a@xn--bcher-kva.example"),
        ("ana.s@gmail.com", "anas@googlemail.com"),
    ] {
        let judged = both((mail, one), (same, other));
        fails(&judged, Mismatch, "both read");
    }
    for (mail, another) in [
        ("a.b@x.example", "ab@x.example"),
        ("a@b\u{fc}cher.example", "a@bucher.example"),
        ("+a@x.example", "+b@x.example"),
    ] {
        holds(&both((mail, one), (another, other)));
    }
    fails(
        &judge(ask, "phone: \"+1 212 555 0199\", ", ""),
        Missing,
        "Ben Okafor has no telephone",
    );
    fails(&judge(ask, "    backup: ben\n", ""), Missing, "no `backup`");
    holds(&judge(ask, "backup: ben", "backup: ben"));
}

#[test]
fn numbers_fit_their_numbering_plan_and_free_ones_are_noted() {
    let ask = Ask::PhonesValid;
    for bad in ["+1 212 555 01", "+1 012 555 0100", "+999 212 555 0100"] {
        fails(
            &judge(ask, "+1 212 555 0100", bad),
            FailureKind::Mismatch,
            "contact `ana`",
        );
    }
    let free = judge(ask, "+1 (415) 555-2671", "+1 800 356 9377");
    holds(&free);
    assert!(
        free.told
            .iter()
            .any(|line| line.contains("level `night`") && line.contains("from abroad")),
        "{:?}",
        free.told
    );
    assert!(
        !judge(ask, "ana", "ana")
            .told
            .iter()
            .any(|line| line.contains("abroad"))
    );
    holds(&judge(ask, "+1 (415) 555-2671", "+49 30 901820"));
}

#[test]
fn every_gap_in_coverage_has_a_plan_and_an_owner() {
    use FailureKind::{Gap, Missing, Stale};
    let ask = Ask::GapsPlanned(92);
    let plan = "      - {hours: 24x7, owner: ben, plan: call the on-call engineer}\n";
    assert!(WELL.contains(plan));
    let open = judge(ask, plan, "      []\n");
    // Required around the clock on weekdays of New York, answered from 09:00 to 18:00 there.
    fails(
        &open,
        Gap,
        "Mon 2026-11-23 00:00 to Mon 2026-11-23 09:00 America/New_York (2026-11-23T05:00Z to 2026-11-23T14:00Z)",
    );
    fails(&open, Gap, "hours in all");
    // The week that begins tomorrow as a picture: the night is open, the day of thanks is no night.
    for (line, what) in [
        ("Mon 2026-11-23 !!!!!!!!!#########!!!!!!", &open),
        ("Thu 2026-11-26 !!!!!!!!!!!!!!!!!!!!!!!!", &open),
        ("Sat 2026-11-28 ........................", &open),
        (
            "Mon 2026-11-23 ooooooooo#########oooooo",
            &judge(ask, plan, plan),
        ),
    ] {
        assert!(
            what.told.iter().any(|told| told == line),
            "{line}: {:#?}",
            what.told
        );
    }
    // Each night of the year is told, and the day of thanks whole.
    assert!(
        open.told
            .iter()
            .any(|line| line.contains("Wed 2026-11-25 18:00 to Fri 2026-11-27 09:00")),
        "{:#?}",
        open.told
    );
    assert!(open.told.iter().any(|line| line.contains("Fri 2027-03-12 18:00 to Sat 2027-03-13 00:00 America/New_York (2027-03-12T23:00Z to 2027-03-13T05:00Z)")));
    assert!(open.told.iter().any(|line| line.contains("Mon 2027-03-15 00:00 to Mon 2027-03-15 09:00 America/New_York (2027-03-15T04:00Z to 2027-03-15T13:00Z)")));
    // A plan for the nights alone leaves the holiday, and the nights that it forgets.
    let nights = |days: &str| {
        let hours = format!(
            "      - {{hours: \"{days} 18:00-09:00\", owner: ben, plan: call the on-call engineer}}\n"
        );
        WELL.replacen(plan, &hours, 1)
    };
    let left = judge_at(&nights("Sun-Fri"), ask, TODAY, None);
    fails(
        &left,
        Gap,
        "1 gap without one within a year, 9 hours in all: orders: Thu 2026-11-26 09:00 to Thu 2026-11-26 18:00",
    );
    let holiday = "      holidays: [2026-11-26]\n";
    holds(&judge_at(
        &nights("Sun-Fri").replacen(holiday, "", 1),
        ask,
        TODAY,
        None,
    ));
    let monday = judge_at(
        &nights("Mon-Fri").replacen(holiday, "", 1),
        ask,
        TODAY,
        None,
    );
    fails(&monday, Gap, "Mon 2026-11-23 00:00 to Mon 2026-11-23 09:00");
    // An owner whom nobody reached lately is no owner.
    let ben = "proven: {date: 2026-10-01, by: Cleo Moss}";
    fails(
        &judge(ask, ben, "proven: {date: 2026-08-21, by: Cleo Moss}"),
        Stale,
        "owner `ben` was last proven on 2026-08-21",
    );
    fails(
        &judge(ask, &format!(", {ben}"), ""),
        Missing,
        "owner `ben` was never proven",
    );
    // Unless somebody else was.
    let both =
        format!("{plan}      - {{hours: 24x7, owner: ana, plan: call the head of operations}}\n");
    let text =
        WELL.replacen(plan, &both, 1)
            .replacen(ben, "proven: {date: 2026-08-21, by: Cleo Moss}", 1);
    holds(&judge_at(&text, ask, TODAY, None));
    // A list of holidays that has run out says nothing of those to come.
    fails(
        &judge(ask, "[2026-11-26]", "[2026-01-01, 2026-11-21]"),
        Stale,
        "the last one is 2026-11-21",
    );
    holds(&judge(ask, "[2026-11-26]", "[2026-01-01, 2026-11-22]"));
    // Where the vendor always answers no plan is needed, and its owner is nobody's matter.
    let text = WELL.replacen(
        "hours: \"Mon-Fri 09:00-18:00\"\n      holidays: [2026-11-26]",
        "hours: 24x7",
        1,
    );
    holds(&judge_at(
        &text.replacen(plan, "      []\n", 1),
        ask,
        TODAY,
        None,
    ));
    // The product stands for all of its instances; another's hours say nothing of this one.
    holds(&judge(ask, "      orders: {hours", "      amps: {hours"));
    let text = WELL.replacen(
        "vendors:",
        "  other: {product: amps, host: ny4-1, teams: [ops], vars: {home: /opt/b}}\nvendors:",
        1,
    );
    fails(
        &judge_at(&text, ask, TODAY, None),
        Missing,
        "none for other",
    );
}
