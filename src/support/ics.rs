//! Days as an iCalendar file (RFC 5545), for the calendars of those who have to come. The same days give the same
//! bytes.

use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::calendar::content_lines::{escaped, folded};

/// One day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// What names it for ever, so that a later file moves it and adds no second one.
    pub uid: String,
    /// Which.
    pub day: Date,
    /// Since when it is known.
    pub known: Date,
    /// What is on.
    pub summary: String,
    /// More of it.
    pub description: String,
}

/// All days as one calendar.
#[must_use]
pub fn calendar(days: &[Day]) -> String {
    let mut out = String::new();
    let mut line = |text: &str| out += &folded(text);
    line("BEGIN:VCALENDAR");
    line("VERSION:2.0");
    line("PRODID:-//gonogo//drill due//EN");
    for day in days {
        let next = day.day.checked_add(1.day()).unwrap_or(Date::MAX);
        let plain = |date: Date| date.strftime("%Y%m%d").to_string();
        for text in [
            "BEGIN:VEVENT".to_owned(),
            format!("UID:{}", escaped(&day.uid)),
            format!("DTSTAMP:{}T000000Z", plain(day.known)),
            format!("DTSTART;VALUE=DATE:{}", plain(day.day)),
            format!("DTEND;VALUE=DATE:{}", plain(next)),
            format!("SUMMARY:{}", escaped(&day.summary)),
            format!("DESCRIPTION:{}", escaped(&day.description)),
            "TRANSP:TRANSPARENT".to_owned(),
            "BEGIN:VALARM".to_owned(),
            "ACTION:DISPLAY".to_owned(),
            format!("DESCRIPTION:{}", escaped(&day.summary)),
            "TRIGGER:-P14D".to_owned(),
            "END:VALARM".to_owned(),
            "END:VEVENT".to_owned(),
        ] {
            line(&text);
        }
    }
    line("END:VCALENDAR");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_the_same() {
        let hostile = "Drill\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20300101";
        let day = |day: &str, summary: &str| Day {
            uid: format!("drill-{}@production", summary.len()),
            day: day.parse().unwrap(),
            known: "2026-09-30".parse().unwrap(),
            summary: summary.to_owned(),
            description: summary.repeat(9),
        };
        let written = [
            day("2026-12-31", hostile),
            day("2028-02-29", "日本, ünd; \\ \" : more"),
            day("2027-01-01", ""),
        ];
        let read = crate::calendar::ics::holidays(&calendar(&written)).unwrap();
        let days = written.iter().map(|day| day.day).collect();
        assert_eq!(read.days, days);
        assert_eq!(read.end, Some("2028-02-29".parse().unwrap()));
        let cut = calendar(&written).replacen("END:VEVENT\r\n", "", 1);
        assert!(crate::calendar::ics::holidays(&cut).is_err());
    }

    #[test]
    fn lines_are_short_and_words_stay_words() {
        let day = Day {
            uid: "drill-60east@production".to_owned(),
            day: "2026-12-31".parse().unwrap(),
            known: "2026-09-30".parse().unwrap(),
            summary: "Drill, due; with 60east\nBEGIN:VEVENT".to_owned(),
            description: "é".repeat(100),
        };
        let text = calendar(std::slice::from_ref(&day));
        assert!(
            text.split_terminator("\r\n")
                .all(|line| line.len() <= 75 && !line.contains('\n'))
        );
        assert!(
            text.contains("\r\nSUMMARY:Drill\\, due\\; with 60east\\nBEGIN:VEVENT\r\n"),
            "{text}"
        );
        assert_eq!(text.matches("\r\nBEGIN:VEVENT\r\n").count(), 1);
        assert!(text.contains("DTSTART;VALUE=DATE:20261231\r\nDTEND;VALUE=DATE:20270101\r\n"));
        assert_eq!(text.replace("\r\n ", "").matches('é').count(), 100);
        assert!(text.ends_with("END:VCALENDAR\r\n"));
        assert_eq!(calendar(&[day]), text);
    }
}
