//! The clock, and spans of time as people write them. The only place that asks what time it is.

use std::time::Duration;

use jiff::Timestamp;

/// Now, by the runner's clock.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// An instant as people write it: RFC 3339, with its offset from UTC.
///
/// # Errors
/// What to write instead. A zone in brackets is refused: nobody compares it with the offset.
pub fn instant(text: &str) -> Result<Timestamp, String> {
    let hint = "write a time with its offset from UTC, such as 2026-12-02T01:30:00-08:00";
    match text.contains('[') {
        true => Err(format!("it names a zone beside the offset: {hint}")),
        false => text.parse().map_err(|_| hint.to_owned()),
    }
}

/// RFC 3339 in UTC to the second, as every output writes it: `2026-11-21T09:30:00Z`.
#[must_use]
pub fn rfc3339(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The text is not a span of time.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a duration: write a whole number and a unit (ms, s, m, h, d), such as 10s, 2m or 24h")]
pub struct NotADuration;

/// Reads `500ms`, `10s`, `2m`, `24h`, `7d`, and the words of a step: `5 minutes`, `1 hour`.
///
/// # Errors
/// When the text is no whole number followed by one known unit, is zero, or exceeds 100 years.
pub fn parse_duration(text: &str) -> Result<Duration, NotADuration> {
    let text = text.trim();
    let unit_at = text
        .find(|c: char| !c.is_ascii_digit())
        .ok_or(NotADuration)?;
    let number: u64 = text[..unit_at].parse().map_err(|_| NotADuration)?;
    let milliseconds: u64 = match text[unit_at..].trim_start() {
        "ms" | "millisecond" | "milliseconds" => 1,
        "s" | "second" | "seconds" => 1_000,
        "m" | "min" | "minute" | "minutes" => 60_000,
        "h" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        _ => return Err(NotADuration),
    };
    const CENTURY: u64 = 100 * 366 * 86_400_000;
    match number.checked_mul(milliseconds) {
        Some(total @ 1..=CENTURY) => Ok(Duration::from_millis(total)),
        _ => Err(NotADuration),
    }
}

/// A span as a person says it, in its two largest units: `2m 5s`, `3d 4h`, `850ms`.
#[must_use]
pub fn say(span: Duration) -> String {
    let ms = span.as_millis();
    let pairs: [(u128, &str, u128, &str); 4] = [
        (86_400_000, "d", 3_600_000, "h"),
        (3_600_000, "h", 60_000, "m"),
        (60_000, "m", 1_000, "s"),
        (1_000, "s", 1, "ms"),
    ];
    for (major, name, minor, small) in pairs {
        if ms >= major {
            let (whole, rest) = (ms / major, ms % major / minor);
            // Below a minute, milliseconds are noise beside seconds: show a tenth instead.
            return match rest {
                0 => format!("{whole}{name}"),
                _ if name == "s" && rest < 100 => format!("{whole}s"),
                _ if name == "s" => format!("{whole}.{}s", rest / 100),
                _ => format!("{whole}{name} {rest}{small}"),
            };
        }
    }
    format!("{ms}ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, seconds) in [
            ("10s", 10),
            ("2m", 120),
            ("24h", 86_400),
            ("1 hour", 3600),
            ("5 minutes", 300),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_secs(seconds)),
                "{text}"
            );
        }
        for bad in [
            "",
            "10",
            "s",
            "-1s",
            "1.5h",
            "0s",
            "5 fortnights",
            "99999999999999999999s",
            "99999999999d",
        ] {
            assert_eq!(parse_duration(bad), Err(NotADuration), "{bad}");
        }
    }

    #[test]
    fn says_what_people_say() {
        for (ms, words) in [
            (0, "0ms"),
            (850, "850ms"),
            (1_000, "1s"),
            (1_250, "1.2s"),
            (125_000, "2m 5s"),
            (273_600_000, "3d 4h"),
        ] {
            assert_eq!(say(Duration::from_millis(ms)), words);
        }
    }
}
