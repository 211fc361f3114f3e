//! How a written time becomes an instant, and whether a mask tells one at all. Reads no log.
//!
//! A time without an offset is in the zone that the inventory names. Where the clock was set back, such
//! a time was twice: the earlier instant counts, and in the hour that a clock skipped the earlier one
//! as well, so that no zone makes an old entry look fresh. The price: for that one hour a year such a
//! log looks an hour older than it is.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;

use super::TimeForm;

impl TimeForm {
    /// The instant that `text` states; `None` when it states none in this form.
    #[must_use]
    pub fn instant(&self, text: &str, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Rfc3339 => rfc3339(text, zone),
            Self::Unix => unix(text),
            Self::UnixMs => Timestamp::from_millisecond(text.parse().ok()?).ok(),
            Self::Strptime(mask) => strptime(mask, text, zone),
        }
    }

    /// Whether its times may come without an offset, and so depend on the zone.
    #[must_use]
    pub fn needs_zone(&self) -> bool {
        match self {
            Self::Unix | Self::UnixMs => false,
            Self::Rfc3339 => true,
            // `%s`, `%z` and `%Q` with their flags: no other directive ends so.
            Self::Strptime(mask) => {
                let own = |directive: &str| {
                    let directive = directive.trim_start_matches([':', '-', '_', '0']);
                    directive.starts_with(['s', 'z', 'Q'])
                };
                !mask.replace("%%", "").split('%').skip(1).any(own)
            }
        }
    }

    /// How it is written, for people.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Rfc3339 => "rfc3339",
            Self::Unix => "unix",
            Self::UnixMs => "unix-ms",
            Self::Strptime(mask) => mask,
        }
    }
}

fn earlier(civil: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(civil).earlier().ok()
}

/// As ISO 8601 has it also: a blank in place of the `T`, a comma in place of the point.
fn rfc3339(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    static PARSER: DateTimeParser = DateTimeParser::new();
    let pieces = PARSER.parse_pieces(text).ok()?;
    let civil = pieces.date().to_datetime(pieces.time()?);
    match pieces.to_numeric_offset() {
        Some(offset) => offset.to_timestamp(civil).ok(),
        None => earlier(civil, zone),
    }
}

fn unix(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let nanosecond = digits.fold(0, |all, digit| all * 10 + i32::from(digit - b'0'));
    Timestamp::new(seconds.parse().ok()?, nanosecond).ok()
}

fn strptime(mask: &str, text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let parts = BrokenDownTime::parse(mask, text).ok()?;
    if let Ok(instant) = parts.to_timestamp() {
        return Some(instant);
    }
    let civil = parts.to_datetime().ok()?;
    match parts.iana_time_zone() {
        Some(name) => earlier(civil, &TimeZone::get(name).ok()?),
        None => earlier(civil, zone),
    }
}

/// A mask that jiff can write and read, and from which the same minute comes back.
///
/// # Errors
/// What to write instead.
pub(in crate::inventory) fn mask(mask: &str) -> Result<(), String> {
    // In the afternoon, for masks that leave morning and evening apart, and with one digit each.
    for text in ["2026-11-21T21:30:45.125Z", "2026-03-07T04:05:06.5Z"] {
        let sample: Timestamp = text.parse().map_err(|error| format!("{error}"))?;
        let zoned = sample.to_zoned(TimeZone::UTC);
        let written = strtime::format(mask, &zoned).map_err(|error| unknown(mask, &error))?;
        let parts = BrokenDownTime::parse(mask, &written).map_err(|error| unknown(mask, &error))?;
        if parts.to_timestamp().is_err() {
            if parts.year().is_none() && parts.iso_week_year().is_none() {
                return Err("a time without a year may be of any year, and an old entry would look fresh: have the product write the year (rsyslog: `RSYSLOG_FileFormat`, then `time: rfc3339`), or take the log with `journal: UNIT`".into());
            }
            if parts.to_date().is_err() {
                return Err("it names no day: write month and day, such as `%m` and `%d`".into());
            }
            if parts.hour().is_none() {
                return Err("it has no time of day: write `%H:%M:%S`".into());
            }
        }
        let read = strptime(mask, &written, &TimeZone::UTC);
        let minute = |instant: Timestamp| instant.as_second().div_euclid(60);
        if read.map(minute) != Some(minute(sample)) {
            return Err("it does not tell one minute: `%I` needs `%p` beside it, `%H` needs `%M`, and numbers need something between them".into());
        }
    }
    Ok(())
}

fn unknown(mask: &str, error: &jiff::Error) -> String {
    if mask.contains("%Z") {
        return "abbreviations such as CET are ambiguous and cannot be read: leave the zone out of the group `time`, and write `zone: Europe/Berlin` beside it".into();
    }
    let whole = error.to_string();
    let why = whole.rsplit(": ").next().unwrap_or(&whole);
    format!("not a mask as of strptime(3): {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(form: &TimeForm, text: &str, zone: &str) -> Option<String> {
        let zone = TimeZone::get(zone).unwrap();
        form.instant(text, &zone).map(|instant| instant.to_string())
    }

    fn masked(mask: &str, text: &str, zone: &str) -> Option<String> {
        at(&TimeForm::Strptime(mask.to_owned()), text, zone)
    }

    #[test]
    fn rfc3339_in_all_its_dresses() {
        for (text, zone, instant) in [
            ("2026-11-21T09:30:00Z", "Asia/Tokyo", "2026-11-21T09:30:00Z"),
            ("2026-11-21 09:30:00.123", "UTC", "2026-11-21T09:30:00.123Z"),
            ("2026-11-21 09:30:00,123", "UTC", "2026-11-21T09:30:00.123Z"),
            ("2026-11-21T09:30:00", "Asia/Tokyo", "2026-11-21T00:30:00Z"),
            ("2026-11-21T09:30:00+0100", "UTC", "2026-11-21T08:30:00Z"),
            (
                "2026-11-21T09:30:00.5-08:00",
                "UTC",
                "2026-11-21T17:30:00.5Z",
            ),
        ] {
            let found = at(&TimeForm::Rfc3339, text, zone);
            assert_eq!(found.as_deref(), Some(instant), "{text}");
        }
        for text in ["", "2026-11-21", "09:30:00", "2026-02-30T09:30:00Z", "x"] {
            assert_eq!(at(&TimeForm::Rfc3339, text, "UTC"), None, "{text}");
        }
    }

    #[test]
    fn seconds_and_milliseconds() {
        let unix = |text| at(&TimeForm::Unix, text, "Asia/Tokyo");
        assert_eq!(unix("1700000000").unwrap(), "2023-11-14T22:13:20Z");
        assert_eq!(unix("1700000000.25").unwrap(), "2023-11-14T22:13:20.25Z");
        for text in [
            "",
            "1700000000.",
            "1.x",
            "1.-5",
            "x",
            "99999999999999999999",
        ] {
            assert_eq!(unix(text), None, "{text}");
        }
        let ms = |text| at(&TimeForm::UnixMs, text, "UTC");
        assert_eq!(ms("1700000000250").unwrap(), "2023-11-14T22:13:20.25Z");
        assert_eq!(ms("1700000000.250"), None);
    }

    #[test]
    fn masks_of_real_products() {
        for (mask, text, instant) in [
            // nginx, MariaDB (a blank in place of the hour's first digit), Redis, HAProxy.
            ("%Y/%m/%d %H:%M:%S", "2026/11/21 09:30:00", "09:30:00Z"),
            ("%Y-%m-%d %H:%M:%S", "2026-11-21  9:30:00", "09:30:00Z"),
            (
                "%d %b %Y %H:%M:%S%.f",
                "21 Nov 2026 09:30:00.123",
                "09:30:00.123Z",
            ),
            (
                "%d/%b/%Y:%H:%M:%S%.f",
                "21/Nov/2026:09:30:00.123",
                "09:30:00.123Z",
            ),
            // nginx' access log, PostgreSQL's `%m` without its zone, Kafka.
            (
                "%d/%b/%Y:%H:%M:%S %z",
                "21/Nov/2026:10:30:00 +0100",
                "09:30:00Z",
            ),
            (
                "%Y-%m-%d %H:%M:%S%.f",
                "2026-11-21 09:30:00.123",
                "09:30:00.123Z",
            ),
            (
                "%Y-%m-%d %H:%M:%S,%f",
                "2026-11-21 09:30:00,123",
                "09:30:00.123Z",
            ),
        ] {
            assert_eq!(super::mask(mask), Ok(()), "{mask}");
            let instant = format!("2026-11-21T{instant}");
            assert_eq!(masked(mask, text, "UTC"), Some(instant), "{mask}");
        }
    }

    #[test]
    fn the_earlier_instant_counts_where_a_clock_was_set() {
        let form = "%Y-%m-%d %H:%M";
        let berlin = |text| masked(form, text, "Europe/Berlin");
        // 02:30 was twice, first in summer time; 02:30 in spring was not.
        assert_eq!(berlin("2026-10-25 02:30").unwrap(), "2026-10-25T00:30:00Z");
        assert_eq!(berlin("2026-10-25 03:00").unwrap(), "2026-10-25T02:00:00Z");
        assert_eq!(berlin("2026-03-29 02:30").unwrap(), "2026-03-29T00:30:00Z");
    }

    #[test]
    fn masks_that_tell_no_instant_are_refused_with_a_way_out() {
        for (mask, word) in [
            ("%b %d %H:%M:%S", "year"),
            ("%Y %H:%M:%S", "no day"),
            ("%Y-%m-%d", "time of day"),
            ("%Y-%m-%d %H", "one minute"),
            ("%Y-%m-%d %I:%M:%S", "one minute"),
            ("%Y-%m-%d %H:%M:%S %Z", "zone:"),
            ("%Y-%m-%d %H:%M:%S %!", "strptime"),
            ("%Y-%m-%d %H:%M:%S %", "strptime"),
            ("%c", "strptime"),
        ] {
            let hint = super::mask(mask).expect_err(mask);
            assert!(hint.contains(word), "{mask}: {hint}");
        }
        for mask in [
            "%s",
            "%s%.f",
            "%y%m%d %T",
            "%A, %d %B %Y %r",
            "%G-W%V-%u %R",
        ] {
            let judged = super::mask(mask);
            assert_eq!(judged.is_ok(), !mask.contains("%r"), "{mask}: {judged:?}");
        }
    }

    #[test]
    fn whether_a_zone_matters_is_told_by_the_form() {
        let needs = |mask: &str| TimeForm::Strptime(mask.to_owned()).needs_zone();
        assert!(needs("%Y-%m-%d %H:%M:%S") && needs("%%z %F %T") && TimeForm::Rfc3339.needs_zone());
        assert!(!needs("%F %T %z") && !needs("%F %T%:z") && !needs("%s") && !needs("%F %T %:Q"));
        assert!(!TimeForm::Unix.needs_zone() && !TimeForm::UnixMs.needs_zone());
    }
}
