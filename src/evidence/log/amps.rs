//! One line of an AMPS log: whether an entry begins here, when it was written, at which level, with
//! which id.
//!
//! The grammar is that of facts/artifacts.md 2.2:
//! `YYYY-MM-DDThh:mm:ss[.fraction](Z|±hh:mm) [thread] level: CC-NNNN text`. It is checked column by
//! column instead of by a regular expression, because a log of gigabytes streams through here.

use std::borrow::Cow;

use jiff::Timestamp;

use super::grammar::{Grammar, Line, Start};

/// Level names from low to high, as AMPS spells them.
pub const LEVELS: [&str; 9] = [
    "developer",
    "trace",
    "debug",
    "stats",
    "info",
    "warning",
    "error",
    "critical",
    "emergency",
];

/// Reads lines; remembers the last hour and offset, whose calendar need not be worked out again.
#[derive(Debug, Default)]
pub struct Amps {
    hour: [u8; 13],
    offset: [u8; 6],
    seconds: i64,
}

impl Grammar for Amps {
    // An entry shows itself in its first hundred bytes, and a failure quotes no more than this.
    const HEAD: usize = 512;

    fn line<'l>(&mut self, line: &'l [u8]) -> Line<'l> {
        self.start(line).map_or(Line::Other, Line::Entry)
    }

    fn levels(&self) -> Vec<String> {
        LEVELS.map(str::to_owned).to_vec()
    }

    fn expected(&self) -> String {
        "AMPS log entries (`2021-11-23T14:49:38.3442510-08:00 [1] info: 00-0015 …`)".to_owned()
    }

    fn time(&self) -> String {
        "times as AMPS writes them".to_owned()
    }

    fn hint(&self) -> &'static str {
        "check that this path is the event log of this product, and its `format:` in the inventory"
    }
}

impl Amps {
    /// The entry that begins with this line; `None` when the line continues another entry or is
    /// none of AMPS'.
    fn start<'l>(&mut self, line: &'l [u8]) -> Option<Start<'l>> {
        let (stamp, rest) = Stamp::split(line)?;
        let (level, id) = level(rest)?;
        let at = self.instant(&stamp)?;
        Some(Start {
            at,
            level: Some(level),
            odd: None,
            id: Some(Cow::Borrowed(id)),
        })
    }

    fn instant(&mut self, stamp: &Stamp<'_>) -> Option<Timestamp> {
        if self.hour != *stamp.hour || self.offset != stamp.offset {
            let hour = std::str::from_utf8(stamp.hour).ok()?;
            let offset = match stamp.offset[0] {
                b'Z' => "Z",
                _ => std::str::from_utf8(&stamp.offset).ok()?,
            };
            let start: Timestamp = format!("{hour}:00:00{offset}").parse().ok()?;
            self.seconds = start.as_second();
            self.hour = *stamp.hour;
            self.offset = stamp.offset;
        }
        let seconds = self.seconds + i64::from(stamp.second);
        Timestamp::new(seconds, stamp.nanosecond).ok()
    }
}

/// A timestamp cut into what stays for an hour and what does not.
struct Stamp<'a> {
    hour: &'a [u8; 13],
    offset: [u8; 6],
    /// Within the hour.
    second: u16,
    nanosecond: i32,
}

impl<'a> Stamp<'a> {
    /// Cuts a timestamp off the front of a line.
    fn split(line: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (fixed, mut rest) = line.split_first_chunk::<19>()?;
        let hour = fixed.first_chunk::<13>()?;
        let shape = |pattern: &[u8], bytes: &[u8]| {
            pattern.iter().zip(bytes).all(|(want, byte)| match want {
                b'0' => byte.is_ascii_digit(),
                want => want == byte,
            })
        };
        if !shape(b"0000-00-00T00:00:00", fixed) {
            return None;
        }
        let minute = two(fixed[14], fixed[15]);
        // A leap second counts as the one before it: POSIX time has no place for it.
        let second = two(fixed[17], fixed[18]);
        if minute > 59 || second > 60 {
            return None;
        }
        let mut nanosecond = 0;
        if let [b'.', fraction @ ..] = rest {
            let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
            if !(1..=9).contains(&digits) {
                return None;
            }
            let zeros = std::iter::repeat(&b'0');
            for digit in fraction[..digits].iter().chain(zeros).take(9) {
                nanosecond = nanosecond * 10 + i32::from(digit - b'0');
            }
            rest = &fraction[digits..];
        }
        let mut offset = [0; 6];
        let rest = match rest {
            [b'Z', rest @ ..] => {
                offset[0] = b'Z';
                rest
            }
            _ => {
                let (zone, rest) = rest.split_first_chunk::<6>()?;
                if !matches!(zone[0], b'+' | b'-') || !shape(b"00:00", &zone[1..]) {
                    return None;
                }
                offset = *zone;
                rest
            }
        };
        let stamp = Self {
            hour,
            offset,
            second: u16::from(minute) * 60 + u16::from(second.min(59)),
            nanosecond,
        };
        Some((stamp, rest))
    }
}

const fn two(tens: u8, units: u8) -> u8 {
    (tens - b'0') * 10 + (units - b'0')
}

/// Reads ` [thread] level: CC-NNNN` and what may follow it.
fn level(rest: &[u8]) -> Option<(usize, &[u8])> {
    let rest = rest.strip_prefix(b" [")?;
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    if !(1..=20).contains(&digits) {
        return None;
    }
    let rest = rest[digits..].strip_prefix(b"] ")?;
    let (level, rest) = LEVELS.iter().enumerate().find_map(|(level, name)| {
        let rest = rest.strip_prefix(name.as_bytes())?;
        Some((level, rest.strip_prefix(b": ")?))
    })?;
    let (id, rest) = rest.split_first_chunk::<7>()?;
    let id_is_well = id.iter().enumerate().all(|(place, byte)| match place {
        2 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    let ends = matches!(rest, [] | [b' ' | b'\r', ..]);
    (id_is_well && ends).then_some((level, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENTED: &str = "2021-11-23T14:49:38.3442510-08:00 [1] info: 00-0015 AMPS \
                              initialization completed (0 seconds).";

    fn at(line: &str) -> Option<String> {
        let start = Amps::default().start(line.as_bytes())?;
        Some(start.at.to_string())
    }

    #[test]
    fn reads_the_documented_line() {
        let start = Amps::default().start(DOCUMENTED.as_bytes()).unwrap();
        assert_eq!(start.at.to_string(), "2021-11-23T22:49:38.344251Z");
        assert_eq!(start.level.map(|level| LEVELS[level]), Some("info"));
        assert_eq!(start.id.as_deref(), Some(&b"00-0015"[..]));
    }

    #[test]
    fn agrees_with_the_regular_expression_of_the_facts() {
        let facts = regex::Regex::new(concat!(
            r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) \[(\d+)\] ",
            r"(developer|trace|debug|stats|info|warning|error|critical|emergency): ",
            r"([0-9A-F]{2}-[0-9A-F]{4}) (.*)$"
        ))
        .unwrap();
        // Damage each column in turn: both must agree on every damaged line.
        let mut lines = Amps::default();
        for column in 0..DOCUMENTED.len() {
            for damage in [b'0', b'9', b' ', b'x', b'Z', b'[', b':'] {
                let mut line = DOCUMENTED.as_bytes().to_vec();
                line[column] = damage;
                let line = String::from_utf8(line).unwrap();
                let ours = lines.start(line.as_bytes());
                let theirs = facts.captures(&line);
                let ours = ours.map(|start| (start.at, start.id.map(|id| id.into_owned())));
                let theirs = theirs.and_then(|found| {
                    let at = found[1].parse::<Timestamp>().ok()?;
                    Some((at, Some(found[4].as_bytes().to_vec())))
                });
                assert_eq!(ours, theirs, "{line}");
            }
        }
    }

    #[test]
    fn times_are_right_whatever_came_before() {
        let mut lines = Amps::default();
        for stamp in [
            "2026-11-01T01:59:59.9999999-04:00",
            "2026-11-01T01:00:00.0000000-05:00",
            "2026-11-01T01:00:00Z",
            "2024-02-29T23:59:59.123456789+14:00",
            "1969-12-31T23:59:59.5-00:30",
            "2026-11-01T01:00:00Z",
        ] {
            let line = format!("{stamp} [22] error: FF-0001 x");
            let start = lines.start(line.as_bytes());
            let expected: Timestamp = stamp.parse().unwrap();
            assert_eq!(start.unwrap().at, expected, "{stamp}");
        }
    }

    #[test]
    fn refuses_what_is_no_entry() {
        for line in [
            "",
            "  continued",
            "2021-02-30T14:49:38-08:00 [1] info: 00-0015 x",
            "2021-11-23T24:49:38-08:00 [1] info: 00-0015 x",
            "2021-11-23T14:60:38-08:00 [1] info: 00-0015 x",
            "2021-11-23T14:49:61-08:00 [1] info: 00-0015 x",
            "2021-11-23T14:49:38 [1] info: 00-0015 x",
            "2021-11-23T14:49:38.-08:00 [1] info: 00-0015 x",
            "2021-11-23T14:49:38-08:00 [] info: 00-0015 x",
            "2021-11-23T14:49:38-08:00 [1] notice: 00-0015 x",
            "2021-11-23T14:49:38-08:00 [1] info: 00-001",
            "2021-11-23T14:49:38-08:00 [1] info: 00-00155",
        ] {
            assert_eq!(at(line), None, "{line}");
        }
        assert!(at("2021-11-23T14:49:38-08:00 [1] info: 00-0015\r").is_some());
        let leap = at("2016-12-31T23:59:60Z [1] info: 00-0015 x").unwrap();
        assert_eq!(leap, "2016-12-31T23:59:59Z");
    }
}
