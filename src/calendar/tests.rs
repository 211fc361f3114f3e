//! The arithmetic beside a model that counts minute by minute, and the days on which calendars break.

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn span(from: &str, to: &str) -> Span {
    Span {
        from: at(from),
        to: at(to),
    }
}

fn hours(zone: &str, weekly: &str, holidays: &[Date]) -> Hours {
    Hours {
        zone: Zone::parse(zone).unwrap(),
        weekly: Weekly::parse(weekly).unwrap(),
        holidays: holidays.iter().copied().collect(),
    }
}

fn year(year: i16) -> Span {
    span(
        &format!("{year:04}-01-01T00:00:00Z"),
        &format!("{:04}-01-01T00:00:00Z", year + 1),
    )
}

/// What a clock on the wall shows: day of the week from Monday, minute of the day, the day itself.
type Model = fn(i8, i64, Date) -> bool;

const PATTERNS: [(&str, Model); 5] = [
    ("Mon-Fri 08:00-18:00", |day, minute, _| {
        day < 5 && (480..1080).contains(&minute)
    }),
    ("Wed-Fri 00:00-03:00", |day, minute, _| {
        (2..5).contains(&day) && minute < 180
    }),
    // Into the next day, and over the end of the week.
    ("Fri-Sun 22:00-02:30", |day, minute, _| {
        (day >= 4 && minute >= 1320) || ((day >= 5 || day == 0) && minute < 150)
    }),
    ("Sun 18:00 - Fri 17:00", |day, minute, _| match day {
        4 => minute < 1020,
        5 => false,
        6 => minute >= 1080,
        _ => true,
    }),
    ("24x7", |_, _, _| true),
];

const HOLIDAYS: [Date; 4] = [
    date(2028, 1, 1),
    date(2028, 2, 29),
    date(2028, 11, 5),
    date(2028, 12, 25),
];

/// Each minute of `horizon`: whether it is in `spans`, which begin and end with one.
fn minutes(spans: &Spans, horizon: Span) -> Vec<bool> {
    let minute = |instant: Timestamp| {
        let since = instant.duration_since(horizon.from).as_secs();
        assert_eq!(since % 60, 0, "{instant}");
        usize::try_from(since / 60).unwrap()
    };
    let mut minutes = vec![false; minute(horizon.to)];
    for span in spans.iter() {
        minutes[minute(span.from)..minute(span.to)].fill(true);
    }
    minutes
}

#[test]
fn a_whole_leap_year_in_several_zones_is_as_counted_minute_by_minute() {
    let horizon = year(2028);
    for zone in [
        "America/Los_Angeles",
        // Half an hour of summer time, and a half hour off the full one.
        "Australia/Lord_Howe",
        // Clocks are set back at midnight.
        "America/Havana",
        "Asia/Kathmandu",
    ] {
        let place = Zone::parse(zone).unwrap();
        let sets: Vec<_> = (PATTERNS.iter())
            .flat_map(|(text, model)| [(text, model, &[][..]), (text, model, &HOLIDAYS[..])])
            .map(|(text, model, holidays)| {
                let hours = hours(zone, text, holidays);
                let of = |lean| minutes(&hours.within(horizon, lean), horizon);
                let is_cut = !holidays.is_empty();
                (text, model, is_cut, of(Lean::Wide), of(Lean::Narrow))
            })
            .collect();
        let mut now = horizon.from;
        let (mut twice, mut is_set_back) = (0, false);
        for at in 0..sets[0].3.len() {
            let shown = place.wall(now);
            // A minute that is shown twice, the span between both showings, and their neighbours.
            let hour = SignedDuration::from_hours(3);
            if shown.minute() % 30 == 0 {
                let (before, after) = (place.wall(now - hour), place.wall(now + hour));
                is_set_back = after.duration_since(before) < SignedDuration::from_hours(6);
            }
            twice += u32::from(is_set_back);
            let day = shown.date().weekday().to_monday_zero_offset();
            let minute = i64::from(shown.hour()) * 60 + i64::from(shown.minute());
            let is_holiday = HOLIDAYS.contains(&shown.date());
            for (text, model, is_cut, wide, narrow) in &sets {
                let is_in = model(day, minute, shown.date()) && !(*is_cut && is_holiday);
                let (is_wide, is_narrow) = (wide[at], narrow[at]);
                assert!(
                    !is_narrow || is_in,
                    "{zone} {text}: {now} is promised, not in"
                );
                assert!(
                    !is_in || is_wide,
                    "{zone} {text}: {now} is in, not demanded"
                );
                assert!(is_wide == is_narrow || is_set_back, "{zone} {text}: {now}");
            }
            now += SignedDuration::from_mins(1);
        }
        assert_eq!(now, horizon.to);
        assert_eq!(twice > 0, zone != "Asia/Kathmandu", "{zone}");
    }
}

#[test]
fn hours_follow_the_clock_over_both_changes() {
    let window = hours("America/Los_Angeles", "Wed-Fri 00:00-03:00", &[]);
    let autumn = window.within(
        span("2026-10-29T00:00:00Z", "2026-11-06T00:00:00Z"),
        Lean::Wide,
    );
    // 07:00Z before the first of November, 08:00Z after it (facts: artifacts.md 5).
    assert_eq!(
        autumn.iter().collect::<Vec<_>>(),
        [
            span("2026-10-29T07:00:00Z", "2026-10-29T10:00:00Z"),
            span("2026-10-30T07:00:00Z", "2026-10-30T10:00:00Z"),
            span("2026-11-04T08:00:00Z", "2026-11-04T11:00:00Z"),
            span("2026-11-05T08:00:00Z", "2026-11-05T11:00:00Z"),
        ]
    );
    // 02:30 is skipped on 14 March 2027, and shown once on any other Sunday.
    let night = hours("America/Los_Angeles", "Sun 02:30-04:00", &[]);
    let spring = night.within(
        span("2027-03-14T00:00:00Z", "2027-03-15T00:00:00Z"),
        Lean::Wide,
    );
    assert_eq!(
        spring.iter().collect::<Vec<_>>(),
        [span("2027-03-14T10:00:00Z", "2027-03-14T11:00:00Z")]
    );
    let skipped = hours("America/Los_Angeles", "Sun 02:00-03:00", &[]);
    let skipped = skipped.within(
        span("2027-03-14T00:00:00Z", "2027-03-15T00:00:00Z"),
        Lean::Wide,
    );
    assert!(skipped.is_empty(), "{skipped:?}");
}

#[test]
fn an_hour_that_is_shown_twice_is_demanded_twice_and_promised_never_more_than_it_is_sure() {
    let on = span("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z");
    let of = |text: &str, lean| {
        let spans = hours("America/New_York", text, &[]).within(on, lean);
        spans.iter().collect::<Vec<_>>()
    };
    let until = "Sun 00:00-01:30";
    assert_eq!(
        of(until, Lean::Wide),
        [span("2026-11-01T04:00:00Z", "2026-11-01T06:30:00Z")]
    );
    assert_eq!(
        of(until, Lean::Narrow),
        [span("2026-11-01T04:00:00Z", "2026-11-01T05:30:00Z")]
    );
    let from = "Sun 01:30-05:00";
    assert_eq!(
        of(from, Lean::Wide),
        [span("2026-11-01T05:30:00Z", "2026-11-01T10:00:00Z")]
    );
    assert_eq!(
        of(from, Lean::Narrow),
        [span("2026-11-01T06:30:00Z", "2026-11-01T10:00:00Z")]
    );
    assert_eq!(of("Sun 01:10-01:50", Lean::Narrow), []);
}

#[test]
fn clocks_that_change_by_odd_steps_and_at_midnight() {
    let of = |zone: &str, text: &str, on: Span, lean, holidays: &[Date]| {
        let spans = hours(zone, text, holidays).within(on, lean);
        spans.iter().collect::<Vec<_>>()
    };
    // Half an hour of summer time: 02:00 to 02:30 is skipped, 01:30 to 02:00 shown twice.
    let howe = "Australia/Lord_Howe";
    let spring = span("2026-10-03T00:00:00Z", "2026-10-04T12:00:00Z");
    for lean in [Lean::Wide, Lean::Narrow] {
        assert_eq!(
            of(howe, "Sun 02:00-03:00", spring, lean, &[]),
            [span("2026-10-03T15:30:00Z", "2026-10-03T16:00:00Z")]
        );
        assert_eq!(of(howe, "Sun 02:00-02:30", spring, lean, &[]), []);
        assert_eq!(
            of(howe, "Sun 01:00-02:00", spring, lean, &[]),
            [span("2026-10-03T14:30:00Z", "2026-10-03T15:30:00Z")]
        );
    }
    let autumn = span("2027-04-03T00:00:00Z", "2027-04-04T12:00:00Z");
    assert_eq!(
        of(howe, "Sun 01:30-02:00", autumn, Lean::Wide, &[]),
        [span("2027-04-03T14:30:00Z", "2027-04-03T15:30:00Z")]
    );
    assert_eq!(
        of(howe, "Sun 01:30-02:00", autumn, Lean::Narrow, &[]),
        [span("2027-04-03T15:00:00Z", "2027-04-03T15:30:00Z")]
    );
    // Three quarters of an hour off, and a change at 02:45.
    let chatham = "Pacific/Chatham";
    let spring = span("2026-09-26T00:00:00Z", "2026-09-27T12:00:00Z");
    assert_eq!(
        of(chatham, "Sun 02:00-04:00", spring, Lean::Narrow, &[]),
        [span("2026-09-26T13:15:00Z", "2026-09-26T14:15:00Z")]
    );
    // Two hours at once.
    let troll = "Antarctica/Troll";
    let spring = span("2027-03-28T00:00:00Z", "2027-03-29T00:00:00Z");
    assert_eq!(
        of(troll, "Sun 00:30-03:30", spring, Lean::Narrow, &[]),
        [span("2027-03-28T00:30:00Z", "2027-03-28T01:30:00Z")]
    );
    // Midnight itself is skipped: the day begins at one, a holiday too.
    let havana = "America/Havana";
    let spring = span("2027-03-13T00:00:00Z", "2027-03-16T00:00:00Z");
    assert_eq!(
        of(havana, "Sun 00:00-06:00", spring, Lean::Narrow, &[]),
        [span("2027-03-14T05:00:00Z", "2027-03-14T10:00:00Z")]
    );
    assert_eq!(
        of(
            havana,
            "Sat 22:00 - Mon 02:00",
            spring,
            Lean::Narrow,
            &[date(2027, 3, 14)]
        ),
        [
            span("2027-03-14T03:00:00Z", "2027-03-14T05:00:00Z"),
            span("2027-03-15T04:00:00Z", "2027-03-15T06:00:00Z"),
        ]
    );
}

#[test]
fn leap_days_turns_of_the_year_and_open_ends() {
    let night = hours("America/New_York", "daily 22:00-02:00", &[]);
    let turn = night.within(
        span("2026-12-31T12:00:00Z", "2027-01-01T12:00:00Z"),
        Lean::Narrow,
    );
    let one = span("2027-01-01T03:00:00Z", "2027-01-01T07:00:00Z");
    assert_eq!(turn.iter().collect::<Vec<_>>(), [one]);
    let second = SignedDuration::from_secs(1);
    assert!(turn.around(one.from - second).is_none() && turn.around(one.from).is_some());
    assert!(turn.around(one.to - second).is_some() && turn.around(one.to).is_none());
    // Where the horizon begins and ends amid it, it is cut there, and is nothing where it only touches.
    let cut = |from, to| {
        let spans = night.within(span(from, to), Lean::Narrow);
        spans.iter().collect::<Vec<_>>()
    };
    assert_eq!(
        cut("2027-01-01T04:00:00Z", "2027-01-01T05:00:00Z"),
        [span("2027-01-01T04:00:00Z", "2027-01-01T05:00:00Z")]
    );
    assert_eq!(cut("2027-01-01T07:00:00Z", "2027-01-01T12:00:00Z"), []);
    assert_eq!(cut("2027-01-01T02:00:00Z", "2027-01-01T03:00:00Z"), []);
    // 29 February 2028 is a Tuesday; 2100 has none.
    let day = "Tue 08:00-18:00";
    let of = |year: i16, holidays: &[Date]| {
        let on = span(
            &format!("{year}-02-28T00:00:00Z"),
            &format!("{year}-03-02T00:00:00Z"),
        );
        let spans = hours("Etc/UTC", day, holidays).within(on, Lean::Narrow);
        spans.iter().collect::<Vec<_>>()
    };
    assert_eq!(
        of(2028, &[]),
        [span("2028-02-29T08:00:00Z", "2028-02-29T18:00:00Z")]
    );
    assert_eq!(of(2028, &[date(2028, 2, 29)]), []);
    assert_eq!(of(2028, &[date(2028, 2, 28), date(2028, 3, 1)]).len(), 1);
    assert_eq!(of(2100, &[]), []);
}

#[test]
fn a_day_that_a_place_left_out_has_no_hours() {
    // Samoa went from 29 to 31 December 2011.
    let apia = hours("Pacific/Apia", "daily 09:00-17:00", &[]);
    let over = apia.within(
        span("2011-12-29T10:00:00Z", "2012-01-01T10:00:00Z"),
        Lean::Wide,
    );
    assert_eq!(
        over.iter().collect::<Vec<_>>(),
        [
            span("2011-12-29T19:00:00Z", "2011-12-30T03:00:00Z"),
            span("2011-12-30T19:00:00Z", "2011-12-31T03:00:00Z"),
            span("2011-12-31T19:00:00Z", "2012-01-01T03:00:00Z"),
        ]
    );
}

#[test]
fn a_holiday_goes_from_midnight_to_midnight_there() {
    let cut = hours(
        "Europe/Berlin",
        "Thu 22:00 - Sat 02:00",
        &[date(2026, 12, 25)],
    );
    let over = cut.within(
        span("2026-12-20T00:00:00Z", "2026-12-30T00:00:00Z"),
        Lean::Narrow,
    );
    assert_eq!(
        over.iter().collect::<Vec<_>>(),
        [
            span("2026-12-24T21:00:00Z", "2026-12-24T23:00:00Z"),
            span("2026-12-25T23:00:00Z", "2026-12-26T01:00:00Z"),
        ]
    );
    assert_eq!(
        cut.say(over.iter().next().unwrap()),
        "Thu 2026-12-24 22:00 to Fri 2026-12-25 00:00 Europe/Berlin (2026-12-24T21:00Z to 2026-12-24T23:00Z)"
    );
}

/// Every set of whole minutes below 8, as spans and as bits.
#[test]
fn sets_behave_as_sets() {
    let minute = |minute: u32| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute.into());
    let spans = |bits: u32| {
        let spans = (0..8).filter(|at| bits & (1 << at) != 0).map(|at| Span {
            from: minute(at),
            to: minute(at + 1),
        });
        Spans::of(spans)
    };
    for a in 0..256 {
        for b in 0..256 {
            let (left, right) = (spans(a), spans(b));
            assert_eq!(left.union(&right), spans(a | b), "{a:b} {b:b}");
            assert_eq!(left.subtract(&right), spans(a & !b), "{a:b} {b:b}");
            assert_eq!(left.intersect(&right), spans(a & b), "{a:b} {b:b}");
        }
        for at in 0..8 {
            assert_eq!(spans(a).around(minute(at)).is_some(), a & (1 << at) != 0);
        }
    }
    // The end is no part of it.
    assert!(spans(1).around(minute(1)).is_none());
    assert!(
        Spans::of([Span {
            from: minute(2),
            to: minute(1)
        }])
        .is_empty()
    );
}

#[test]
fn hours_are_read_strictly() {
    for (text, same) in [
        ("Mon-Sun 00:00-24:00", "24x7"),
        ("daily 00:00-24:00", "24x7"),
        ("Mon 00:00 - Sun 24:00", "24x7"),
        ("daily 08:00-20:00,20:00-08:00", "24x7"),
        ("Fri-Mon 09:00-17:00", "Mon,Fri,Sat,Sun 09:00-17:00"),
        ("Sun 22:00-02:00", "Sun 22:00 - Mon 02:00"),
        ("Mon 22:00-00:00", "Mon 22:00-24:00"),
        (
            "Mon 08:00-12:00, 13:00-17:00",
            "Mon 13:00-17:00,08:00-12:00",
        ),
    ] {
        assert_eq!(Weekly::parse(text), Weekly::parse(same), "{text}");
        assert!(Weekly::parse(text).is_ok(), "{text}");
    }
    for bad in [
        "",
        "24/7",
        "always",
        "Mon",
        "08:00-18:00",
        "Mon-Fri",
        "mon 08:00-18:00",
        "Monday 08:00-18:00",
        "Mon 8:00-18:00",
        "Mon 08:00-24:01",
        "Mon 08:60-18:00",
        "Mon 25:00-26:00",
        "Mon 24:00-02:00",
        "Mon 08:00-08:00",
        "Mon 00:00 - Mon 00:00",
        "Mon- 08:00-18:00",
        "Mon 08:00",
        "Mon 08:00–18:00",
        "Mon +8:00-18:00",
        "Mon,,Tue 08:00-18:00",
    ] {
        assert!(Weekly::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_zone_is_a_place() {
    for good in ["America/Los_Angeles", "UTC", "Asia/Kathmandu", "Etc/UTC"] {
        assert_eq!(Zone::parse(good).unwrap().name(), good);
    }
    for (bad, named) in [
        ("PST", "America/Los_Angeles"),
        ("pst8pdt", "America/Los_Angeles"),
        ("Pacific Standard Time", "America/Los_Angeles"),
        ("EST", "America/New_York"),
        ("CET", "Europe/Berlin"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("america/new_york", "America/New_York"),
        ("-08:00", "IANA"),
        ("UTC-8", "IANA"),
        ("Cuba", "IANA"),
        ("", "IANA"),
        ("America/Springfield", "IANA"),
    ] {
        let hint = Zone::parse(bad).unwrap_err();
        assert!(hint.contains(named), "{bad}: {hint}");
    }
    assert!(tzdb().starts_with("20"), "{}", tzdb());
}

#[test]
fn days_are_days_of_the_calendar() {
    assert_eq!(day("2028-02-29"), Ok(date(2028, 2, 29)));
    for bad in [
        "2027-02-29",
        "2026-13-01",
        "20261121",
        "2026-11-21T00:00",
        "26-11-21",
        "2026-1-1",
        "-026-11-21",
        "tomorrow",
        "",
    ] {
        assert!(day(bad).is_err(), "{bad}");
    }
    assert_eq!(days_between(date(2028, 2, 28), date(2028, 3, 1)), 2);
    assert_eq!(days_between(date(2026, 11, 22), date(2026, 8, 22)), -92);
}

#[test]
fn hours_are_said_as_they_are_read() {
    for (written, said) in [
        ("24x7", vec!["24x7"]),
        ("Mon-Fri 08:00-18:00", vec!["Mon-Fri 08:00-18:00"]),
        ("Sun 18:00 - Fri 17:00", vec!["Sun 18:00 - Fri 17:00"]),
        (
            "Sat,Mon,Tue 00:00-24:00",
            vec!["Sat 00:00-24:00", "Mon 00:00 - Wed 00:00"],
        ),
        ("Fri 22:00-02:00", vec!["Fri 22:00-02:00"]),
        ("Sun 22:00-02:00", vec!["Sun 22:00-02:00"]),
        ("daily 22:00-02:00", vec!["daily 22:00-02:00"]),
        (
            "Mon 08:00-12:00,13:00-17:00",
            vec!["Mon 08:00-12:00", "Mon 13:00-17:00"],
        ),
    ] {
        let weekly = Weekly::parse(written).unwrap();
        let lines = weekly.say();
        let (mut sorted, mut said) = (lines.clone(), said);
        sorted.sort();
        said.sort_unstable();
        assert_eq!(sorted, said, "{written}");
        let again = lines.iter().map(|line| Weekly::parse(line).unwrap());
        let again = again.reduce(|one, other| one.union(&other)).unwrap();
        assert_eq!(again, weekly, "{written}");
    }
    assert!(Weekly::default().say().is_empty());
}
