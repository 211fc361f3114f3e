//! Calendar arithmetic: weekly hours on the wall clock of a zone, holidays cut out, as spans of real
//! time; spans joined, cut and compared. Pure: asks no clock and no file; the zone database is the one
//! that comes along ([`tzdb`]), so that a record is judged anywhere as it was judged.

pub mod content_lines;
mod hours;
pub mod ics;
mod spans;
#[cfg(test)]
mod tests;
mod weekly;
mod zone;

pub use hours::{Hours, Lean};
pub use spans::{Span, Spans};
pub use weekly::Weekly;
pub use zone::{Zone, tzdb};

use jiff::civil::Date;

/// Reads a day, `2026-11-21`.
///
/// # Errors
/// What to write instead.
pub fn day(text: &str) -> Result<Date, String> {
    let is_shaped = text.len() == 10
        && (text.bytes().enumerate()).all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !is_shaped {
        return Err("write a day as year, month and day, such as 2026-11-21".to_owned());
    }
    text.parse()
        .map_err(|_| "the calendar has no such day".to_owned())
}

/// Whole days from `from` to `to`; negative when `to` is the earlier.
#[must_use]
pub fn days_between(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_hours() / 24
}
