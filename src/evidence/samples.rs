//! The samples of a statistics database: how many there are and when the newest was taken. Judges no
//! age.

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::database_seen::Moments;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Sample, SampleUnit};
use crate::text;

/// AMPS counts milliseconds of the Julian day (facts: artifacts.md 2.4); this is 1970-01-01.
const JULIAN_EPOCH_MS: i64 = 210_866_803_200_000;

/// Rows of the sample table, and when they were taken.
pub struct Samples {
    pub rows: u64,
    pub oldest: Timestamp,
    pub newest: Timestamp,
    pub moments: Moments,
}

/// Why there is no answer.
pub enum NoSamples {
    /// The database says so.
    Failure(Failure),
    /// SQLite could not tell.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for NoSamples {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Reads every time of the sample column.
///
/// Each row is looked at, not `max()` alone: in a column of mixed types SQLite sorts any text above
/// every number, and RFC 3339 texts sort by their offset.
pub fn read(connection: &Connection, sample: &Sample) -> Result<Samples, NoSamples> {
    let (table, column) = (quote(&sample.table), quote(&sample.column));
    let has_column = connection
        .prepare("SELECT 1 FROM pragma_table_xinfo(?1) WHERE name = ?2 COLLATE NOCASE")?
        .exists((&sample.table, &sample.column))?;
    if !has_column {
        return Err(NoSamples::Failure(
            Failure::new(
                FailureKind::Mismatch,
                format!("the column {column} in the table {table}"),
                "no such column",
            )
            .with_hint(
                "correct `sample:` of this artifact: the product's version may name it differently",
            ),
        ));
    }
    let mut statement = connection.prepare(&format!("SELECT {column} FROM {table}"))?;
    let mut rows = statement.query(())?;
    let mut count = 0_u64;
    let (mut oldest, mut newest) = (None::<Timestamp>, None);
    let mut moments = Moments::default();
    let mut odd = None;
    while let Some(row) = rows.next()? {
        count += 1;
        let value = row.get_ref(0)?;
        match instant(value, sample.unit) {
            Some(at) => {
                newest = newest.max(Some(at));
                oldest = Some(oldest.map_or(at, |oldest| oldest.min(at)));
                moments.add(at);
            }
            None => {
                odd.get_or_insert(value.data_type());
            }
        }
    }
    moments.settle();
    match (oldest.zip(newest), odd) {
        (Some((oldest, newest)), _) => Ok(Samples { rows: count, oldest, newest, moments }),
        (None, Some(kind)) => Err(NoSamples::Failure(
            Failure::new(
                FailureKind::Mismatch,
                format!("times in {table}, {column}, counted as {}", say(sample.unit)),
                format!("{}, none of them such a time (type {kind})", text::count(count as usize, "row")),
            )
            .with_hint("correct `sample:` of this artifact: table, column or unit is not the product's"),
        )),
        (None, None) => Err(NoSamples::Failure(
            Failure::new(
                FailureKind::Empty,
                format!("at least one sample in the table {table}"),
                "0 rows",
            )
            .with_hint("the product takes no samples: check its statistics interval and that it is running"),
        )),
    }
}

fn instant(value: ValueRef<'_>, unit: SampleUnit) -> Option<Timestamp> {
    let number = match value {
        ValueRef::Integer(number) => Some(number),
        // A double that holds no whole millisecond is cut to one; beyond 2^63 it saturates, and is
        // refused as a time below.
        ValueRef::Real(number) if number.is_finite() => Some(number as i64),
        _ => None,
    };
    match (unit, value) {
        (SampleUnit::Amps, _) => {
            Timestamp::from_millisecond(number?.checked_sub(JULIAN_EPOCH_MS)?).ok()
        }
        (SampleUnit::Unix, _) => Timestamp::from_second(number?).ok(),
        (SampleUnit::UnixMs, _) => Timestamp::from_millisecond(number?).ok(),
        (SampleUnit::Rfc3339, ValueRef::Text(text)) => {
            std::str::from_utf8(text).ok()?.trim().parse().ok()
        }
        (SampleUnit::Rfc3339, _) => None,
    }
}

const fn say(unit: SampleUnit) -> &'static str {
    match unit {
        SampleUnit::Amps => {
            "milliseconds of the Julian day, counted from midnight: Unix time and 210866803200 s (amps)"
        }
        SampleUnit::Unix => "seconds since 1970 (unix)",
        SampleUnit::UnixMs => "milliseconds since 1970 (unix-ms)",
        SampleUnit::Rfc3339 => "RFC 3339 text",
    }
}

/// A name as SQL takes it.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(values: &str, unit: SampleUnit) -> Result<(u64, String), FailureKind> {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE s(t)").unwrap();
        if !values.is_empty() {
            let sql = format!("INSERT INTO s VALUES {values}");
            connection.execute_batch(&sql).unwrap();
        }
        let sample = Sample {
            table: "s".to_owned(),
            column: "T".to_owned(),
            unit,
        };
        match read(&connection, &sample) {
            Ok(samples) => Ok((samples.rows, samples.newest.to_string())),
            Err(NoSamples::Failure(failure)) => Err(failure.kind),
            Err(NoSamples::Sqlite(error)) => panic!("{error}"),
        }
    }

    #[test]
    fn each_unit_is_counted_as_it_is() {
        let newest = "2026-11-21T09:30:00Z".to_owned();
        let two = Ok((2, newest));
        // 1 795 253 400 is 2026-11-21T09:30:00Z.
        assert_eq!(
            judge("(212662056600000), (212662056599000)", SampleUnit::Amps),
            two
        );
        assert_eq!(judge("(1795253400), (5)", SampleUnit::Unix), two);
        assert_eq!(judge("(1795253400000.0), (-5)", SampleUnit::UnixMs), two);
        assert_eq!(
            judge(
                "('2026-11-21T10:00:00+01:00'), ('2026-11-21T04:30:00-05:00')",
                SampleUnit::Rfc3339
            ),
            two
        );
    }

    #[test]
    fn a_text_among_numbers_is_not_the_newest() {
        let mixed = judge(
            "(1795253400), ('zzz'), (NULL), (9223372036854775807)",
            SampleUnit::Unix,
        );
        assert_eq!(mixed, Ok((4, "2026-11-21T09:30:00Z".to_owned())));
    }

    #[test]
    fn no_row_is_empty_and_no_time_is_a_mismatch() {
        assert_eq!(judge("", SampleUnit::Amps), Err(FailureKind::Empty));
        assert_eq!(
            judge("('x'), (NULL)", SampleUnit::Unix),
            Err(FailureKind::Mismatch)
        );
        assert_eq!(
            judge("(-9223372036854775808)", SampleUnit::Amps),
            Err(FailureKind::Mismatch)
        );
    }

    #[test]
    fn names_are_quoted() {
        assert_eq!(quote("a\"b"), "\"a\"\"b\"");
    }
}
