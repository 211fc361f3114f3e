//! What a file of holidays means, and what is refused at which line.

use jiff::civil::{Date, date};

use super::holidays;
use crate::calendar::{Hours, Lean, Span, Weekly, Zone};

/// A calendar of events that say these lines each.
fn calendar(events: &[&str]) -> String {
    let events: String = (events.iter())
        .map(|lines| format!("BEGIN:VEVENT\nUID:x@example.com\n{lines}\nEND:VEVENT\n"))
        .collect();
    format!("BEGIN:VCALENDAR\nVERSION:2.0\n{events}END:VCALENDAR\n").replace('\n', "\r\n")
}

fn days(events: &[&str]) -> Vec<Date> {
    holidays(&calendar(events))
        .unwrap()
        .days
        .into_iter()
        .collect()
}

#[test]
fn whole_days_once_and_each_year() {
    assert_eq!(days(&["DTSTART;VALUE=DATE:20261225"]), [date(2026, 12, 25)]);
    // The end is the first day behind it, over a turn of the year and a leap day.
    assert_eq!(
        days(&["DTSTART;VALUE=DATE:20261231\nDTEND;VALUE=DATE:20270102"]),
        [date(2026, 12, 31), date(2027, 1, 1)]
    );
    assert_eq!(
        days(&["DTSTART;VALUE=DATE:20280228\nDURATION:P3D"]),
        [date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1)]
    );
    assert_eq!(
        days(&["DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY;COUNT=3"]),
        [2026, 2027, 2028].map(|year| date(year, 12, 25))
    );
    let until =
        "DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25;UNTIL=20271225";
    assert_eq!(days(&[until]), [date(2026, 12, 25), date(2027, 12, 25)]);
    // Years without that day are passed over.
    assert_eq!(
        days(&["DTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY;COUNT=3"]),
        [2024, 2028, 2032].map(|year| date(year, 2, 29))
    );
    let ever = days(&["DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY"]);
    assert_eq!((ever.len(), ever.last()), (74, Some(&date(2099, 1, 1))));
    // What was called off is no holiday.
    let off = "DTSTART;VALUE=DATE:20261224\nSTATUS:CANCELLED";
    assert_eq!(
        days(&[off, "DTSTART;VALUE=DATE:20261225"]),
        [date(2026, 12, 25)]
    );
}

#[test]
fn a_file_ends_with_its_last_day_unless_all_come_again() {
    let end = |events: &[&str]| holidays(&calendar(events)).unwrap().end;
    let (once, ever) = (
        "DTSTART;VALUE=DATE:20271125",
        "DTSTART;VALUE=DATE:20200101\nRRULE:FREQ=YEARLY",
    );
    assert_eq!(end(&[ever]), None);
    assert_eq!(end(&[once, ever]), Some(date(2027, 11, 25)));
    let counted = "DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY;COUNT=3";
    assert_eq!(end(&[once, counted]), Some(date(2028, 12, 25)));
}

#[test]
fn lines_may_be_folded_and_end_as_they_like() {
    let text = calendar(&["SUMMARY:BEGIN:VEVENT\nDTSTART;X-A=\"a:b;c\";VALUE=DATE:20261225"]);
    let whole = holidays(&text).unwrap();
    for other in [
        text.replace("\r\n", "\n"),
        text.replace("VALUE=DATE:20261225", "VALUE=\r\n DATE:2026\r\n\t1225"),
        format!("\u{feff}{text}"),
        text.replace("DTSTART", "dtstart"),
        text.replace("END:VEVENT", "BEGIN:VALARM\r\nDTSTART:x\r\nEND:VALARM\r\nEND:VEVENT"),
        text.replace(
            "VERSION:2.0",
            "VERSION:2.0\r\nBEGIN:VTIMEZONE\r\nBEGIN:DAYLIGHT\r\nDTSTART:20070311T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE",
        ),
    ] {
        assert_eq!(holidays(&other).unwrap(), whole, "{other}");
    }
}

/// What stands in the event, or in the place of `text`, the line, and words of what is said.
#[test]
fn what_would_be_guessed_is_refused_at_its_line() {
    for (event, line, why) in [
        ("DTSTART:20261225", 5, "no whole day"),
        ("DTSTART;VALUE=DATE:20261225T000000", 5, "is no day"),
        (
            "DTSTART;TZID=Europe/Berlin:20261225T000000",
            5,
            "no whole day",
        ),
        ("DTSTART;VALUE=DATE:20270229", 5, "`20270229` is no day"),
        ("DTSTART;VALUE=DATE:+2026122", 5, "is no day"),
        ("SUMMARY:x", 3, "has no DTSTART"),
        (
            "DTSTART;VALUE=DATE:20261225\nDTSTART;VALUE=DATE:20261226",
            6,
            "a second DTSTART",
        ),
        (
            "DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261225",
            6,
            "ends before it begins",
        ),
        (
            "DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20271226",
            3,
            "366 days",
        ),
        (
            "DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261226\nDURATION:P1D",
            6,
            "two ways",
        ),
        (
            "DTSTART;VALUE=DATE:20261225\nDURATION:PT8H",
            6,
            "no number of whole days",
        ),
        (
            "DTSTART;VALUE=DATE:20261126\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
            6,
            "not understood: BYDAY=4TH",
        ),
        (
            "DTSTART;VALUE=DATE:20261126\nRRULE:FREQ=YEARLY;BYMONTH=12",
            6,
            "not understood: BYMONTH=12",
        ),
        (
            "DTSTART;VALUE=DATE:20261126\nRRULE:FREQ=YEARLY;INTERVAL=2",
            6,
            "not understood: INTERVAL=2",
        ),
        (
            "DTSTART;VALUE=DATE:20261126\nRRULE:FREQ=MONTHLY",
            6,
            "not understood: FREQ=MONTHLY",
        ),
        (
            "DTSTART;VALUE=DATE:20261126\nRRULE:COUNT=2",
            6,
            "says no FREQ",
        ),
        (
            "DTSTART;VALUE=DATE:20261126\nRRULE:FREQ=YEARLY;COUNT=0",
            6,
            "not understood: COUNT=0",
        ),
        (
            "DTSTART;VALUE=DATE:20261126\nRRULE:FREQ=YEARLY;COUNT=2;UNTIL=20281126",
            6,
            "ends in two ways",
        ),
        (
            "DTSTART;VALUE=DATE:20261126\nEXDATE;VALUE=DATE:20271126",
            6,
            "EXDATE is not understood",
        ),
        (
            "DTSTART;VALUE=DATE:20261126\nRDATE;VALUE=DATE:20271126",
            6,
            "RDATE is not understood",
        ),
        (
            "DTSTART;VALUE=DATE:20261126\nnonsense",
            6,
            "`nonsense` is no line",
        ),
        (
            "DTSTART;VALUE=DATE:20261126\nSTATUS:CANCELLED",
            7,
            "names no day",
        ),
    ] {
        let wrong = holidays(&calendar(&[event])).unwrap_err();
        assert_eq!(wrong.len(), 1, "{event}: {wrong:?}");
        // The last one is told of the whole file.
        assert!(wrong[0].line == line || line == 7, "{event}: {wrong:?}");
        assert!(wrong[0].why.contains(why), "{event}: {wrong:?}");
    }
    let good = calendar(&["DTSTART;VALUE=DATE:20261225"]);
    for (text, line, why) in [
        (String::new(), 1, "no iCalendar file"),
        ("- 2026-12-25\n".to_owned(), 1, "is no line"),
        (calendar(&[]), 3, "no event"),
        (
            good.replace("END:VCALENDAR\r\n", ""),
            6,
            "VCALENDAR is not closed",
        ),
        (good.replace("END:VEVENT\r\n", ""), 6, "ends nothing"),
        (good.replace("VEVENT", "VTODO"), 3, "has no place here"),
        (format!("DTSTART:1\r\n{good}"), 1, "outside of a VCALENDAR"),
    ] {
        let wrong = holidays(&text).unwrap_err();
        assert_eq!(wrong[0].line, line, "{text}: {wrong:?}");
        assert!(wrong[0].why.contains(why), "{text}: {wrong:?}");
    }
    // All at once.
    let both = calendar(&["DTSTART:1", "DTSTART;VALUE=DATE:20261225", "RDATE:2"]);
    assert_eq!(holidays(&both).unwrap_err().len(), 2);
}

/// A holiday is its day on the clock there: 23 or 25 hours where clocks change, and cut at both midnights.
#[test]
fn a_holiday_of_a_file_is_as_long_as_its_day() {
    let text = calendar(&[
        "DTSTART;VALUE=DATE:20270314",
        "DTSTART;VALUE=DATE:20271107",
        "DTSTART;VALUE=DATE:20271231",
    ]);
    let of = |holidays, from: &str, to: &str| {
        let hours = Hours {
            zone: Zone::parse("America/New_York").unwrap(),
            weekly: Weekly::parse("daily 00:00-24:00").unwrap(),
            holidays,
        };
        let on = Span {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
        };
        let there = hours.within(on, Lean::Narrow);
        on.length() - there.iter().map(Span::length).sum()
    };
    let days = holidays(&text).unwrap().days;
    for (from, to, minutes) in [
        ("2027-03-13T00:00:00Z", "2027-03-16T00:00:00Z", 23 * 60),
        ("2027-11-06T00:00:00Z", "2027-11-09T00:00:00Z", 25 * 60),
        ("2027-12-31T00:00:00Z", "2028-01-02T00:00:00Z", 24 * 60),
        // Up to midnight there, which is 05:00 in UTC.
        ("2028-01-01T04:59:00Z", "2028-01-02T00:00:00Z", 1),
    ] {
        let missing: jiff::SignedDuration = of(days.clone(), from, to);
        assert_eq!(missing.as_mins(), minutes, "{from}");
        let well: jiff::SignedDuration = of(Default::default(), from, to);
        assert_eq!(well.as_mins(), 0, "{from}");
    }
}
