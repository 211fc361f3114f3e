//! Gaps in coverage on the days on which calendars break: clocks that change apart, a leap day, the turn of a year.

use super::tests::{TODAY, WELL, fails, holds, judge_at};
use super::{Ask, Heard, Moment};
use crate::failure::FailureKind;
use crate::inventory::Inventory;

/// Two places change their clocks on different days: for a few weeks of the year an hour is open that nobody sees
/// in any other week.
#[test]
fn an_hour_that_opens_between_two_changes_of_clocks_is_a_gap() {
    let plan = "      - {hours: 24x7, owner: ben, plan: call the on-call engineer}\n";
    let covered = "hours: \"Mon-Fri 09:00-18:00\"\n      holidays: [2026-11-26]";
    let required = "{hours: \"Mon-Fri 00:00-24:00\", severity: S1}";
    let ask = |answers: &str, zone: &str, owner: &str| {
        let text = WELL
            .replacen(covered, answers, 1)
            .replacen(plan, owner, 1)
            .replacen(
                required,
                &format!("{{hours: \"Mon-Fri 14:00-23:00\", timezone: {zone}, severity: S1}}"),
                1,
            );
        assert!(!text.contains(covered) && !text.contains(required));
        judge_at(&text, Ask::GapsPlanned(92), TODAY, None)
    };
    let none = "      []\n";
    let new_york = "hours: \"Mon-Fri 09:00-18:00\"";
    let open = ask(new_york, "Europe/London", none);
    // From 14 to 28 March, and from 31 October to 7 November 2027: fifteen weekdays, an hour each.
    fails(
        &open,
        FailureKind::Gap,
        "15 gaps without one within a year, 15 hours in all",
    );
    for line in [
        "Mon 2027-03-15 22:00 to Mon 2027-03-15 23:00 Europe/London (2027-03-15T22:00Z to 2027-03-15T23:00Z)",
        "Fri 2027-03-26 22:00 to Fri 2027-03-26 23:00 Europe/London",
        "Mon 2027-11-01 22:00 to Mon 2027-11-01 23:00 Europe/London",
        "Fri 2027-11-05 22:00 to Fri 2027-11-05 23:00 Europe/London (2027-11-05T22:00Z to 2027-11-05T23:00Z)",
    ] {
        assert!(
            open.told.iter().any(|told| told.contains(line)),
            "{line}: {:#?}",
            open.told
        );
    }
    // Where the clocks go together there is none; nor with hours that reach over, nor with a plan for that hour.
    let same = ask(new_york, "America/New_York", none);
    fails(&same, FailureKind::Gap, "18:00 to Mon 2026-11-23 23:00");
    holds(&ask(
        "hours: \"Mon-Fri 09:00-19:00\"",
        "Europe/London",
        none,
    ));
    let late =
        "      - {hours: \"Mon-Fri 18:00-19:00\", owner: ben, plan: call the on-call engineer}\n";
    holds(&ask(new_york, "Europe/London", late));
    let early =
        "      - {hours: \"Mon-Fri 18:00-18:59\", owner: ben, plan: call the on-call engineer}\n";
    fails(
        &ask(new_york, "Europe/London", early),
        FailureKind::Gap,
        "15 gaps",
    );
}

/// A leap day is a day like any other: required, covered, and a holiday where the list says so.
#[test]
fn a_leap_day_and_the_turn_of_a_year_are_covered_or_gaps() {
    let plan = "      - {hours: 24x7, owner: ben, plan: call the on-call engineer}\n";
    let proven = "proven: {date: 2026-10-01, by: Cleo Moss}";
    let live = |holidays: &str, applications: &str, started: &str, go_live: Option<&str>| {
        let text = WELL
            .replacen(plan, "      []\n", 1)
            .replacen(proven, "proven: {date: 2027-11-20, by: Cleo Moss}", 1)
            .replacen(
                "hours: \"Mon-Fri 09:00-18:00\"\n      holidays: [2026-11-26]",
                &format!("hours: \"daily 00:00-24:00\"{holidays}"),
                1,
            )
            .replacen("\"Mon-Fri 00:00-24:00\"", applications, 1);
        judge_at(&text, Ask::GapsPlanned(92), started, go_live)
    };
    let ask = |holidays: &str, applications: &str, started: &str| {
        live(holidays, applications, started, None)
    };
    let started = "2027-11-22T15:00:00Z";
    holds(&ask("", "24x7", started));
    let leap = ask("\n      holidays: [2028-02-29]", "24x7", started);
    fails(
        &leap,
        FailureKind::Gap,
        "1 gap without one within a year, 24 hours in all: orders: Tue 2028-02-29 00:00 to Wed 2028-03-01 00:00",
    );
    // Nobody needs it on a Tuesday.
    holds(&ask(
        "\n      holidays: [2028-02-29]",
        "\"Wed-Mon 00:00-24:00\"",
        started,
    ));
    // The last night of the year is one night, and ends where the holiday does.
    let turn = ask(
        "\n      holidays: [2027-12-31, 2028-01-01]",
        "\"daily 22:00-02:00\"",
        started,
    );
    fails(
        &turn,
        FailureKind::Gap,
        "3 gaps without one within a year, 8 hours in all",
    );
    for line in [
        "Fri 2027-12-31 00:00 to Fri 2027-12-31 02:00",
        "Fri 2027-12-31 22:00 to Sat 2028-01-01 02:00",
        "Sat 2028-01-01 22:00 to Sun 2028-01-02 00:00",
    ] {
        assert!(
            turn.told.iter().any(|told| told.contains(line)),
            "{line}: {:#?}",
            turn.told
        );
    }
    // 366 days from the run on: the gap that begins behind them is of the next run.
    let behind = "\n      holidays: [2028-11-23]";
    holds(&ask(behind, "24x7", started));
    fails(
        &ask(behind, "24x7", "2027-11-23T15:00:00Z"),
        FailureKind::Gap,
        "1 gap",
    );
    // With a go-live ahead, the year behind that counts as well.
    let ahead = Some("2028-01-31T15:00:00Z");
    fails(
        &live(behind, "24x7", started, ahead),
        FailureKind::Gap,
        "1 gap",
    );
    holds(&live("", "24x7", started, ahead));
}

/// A file that says nothing of the end of the year that is looked at may leave out a day without anybody.
#[test]
fn a_file_of_holidays_must_reach_the_end_of_the_year() {
    let ask = |file: &str, started: &str| {
        let listed = "      holidays: [2026-11-26]\n";
        assert!(WELL.contains(listed));
        let text = WELL.replacen(listed, &format!("      holidays: [{file}]\n"), 1);
        let proven = "proven: {date: 2026-10-01, by: Cleo Moss}";
        let text = text.replacen(proven, "proven: {date: 2026-11-20, by: Cleo Moss}", 1);
        let at = tempfile::tempdir().unwrap();
        let path = at.path().join("inventory.yaml");
        let once = "BEGIN:VEVENT\nDTSTART;VALUE=DATE:20271123\nEND:VEVENT\n";
        let ever = "BEGIN:VEVENT\nDTSTART;VALUE=DATE:20201225\nRRULE:FREQ=YEARLY\nEND:VEVENT\n";
        let calendar = |events: &str| format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n");
        for (name, text) in [
            ("inventory.yaml", text.clone()),
            ("both.ics", calendar(&format!("{once}{ever}"))),
            ("ever.ics", calendar(ever)),
        ] {
            std::fs::write(at.path().join(name), text).unwrap();
        }
        let inventory = Inventory::load(&path).unwrap_or_else(|wrong| panic!("{wrong}"));
        let moment = Moment {
            started: started.parse().unwrap(),
            go_live: None,
            go_live_until: None,
        };
        let vendor = &inventory.vendors[0];
        Ask::GapsPlanned(92).judge(vendor, &inventory, &moment, &Heard::default())
    };
    // 366 days: the last one begins on 23 November, in New York.
    let whole = ask("both.ics", "2026-11-22T15:00:00Z");
    holds(&whole);
    let told = "holidays of both.ics: up to 2027-11-23".to_owned();
    assert!(whole.told.contains(&told), "{:#?}", whole.told);
    let later = ask("both.ics", "2026-11-23T15:00:00Z");
    fails(
        &later,
        FailureKind::Stale,
        "both.ics: holidays end at 2027-11-23",
    );
    // Midnight is that of the vendor, not of UTC.
    holds(&ask("both.ics", "2026-11-23T04:59:00Z"));
    fails(
        &ask("both.ics", "2026-11-23T05:01:00Z"),
        FailureKind::Stale,
        "holidays end at 2027-11-23",
    );
    holds(&ask("ever.ics", "2026-11-23T15:00:00Z"));
    let stated = "{file: both.ics, until: 2027-11-24}";
    holds(&ask(stated, "2026-11-23T15:00:00Z"));
    fails(
        &ask(stated, "2026-11-24T15:00:00Z"),
        FailureKind::Stale,
        "holidays end at 2027-11-24",
    );
}
