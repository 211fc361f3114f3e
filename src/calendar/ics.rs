//! Holidays of an iCalendar file (RFC 5545): whole days, once or on the same date each year. What would have to be
//! guessed (a weekday of a month, exceptions, hours of a day) is refused with its line: a holiday that is not
//! understood is an hour that nobody covers.

use std::collections::BTreeSet;

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::content_lines::unfolded;

/// Up to then what comes again each year is counted.
pub const LAST_YEAR: i16 = 2099;
/// Nobody is away for longer; an end that is mistyped is.
const MOST_DAYS: i64 = 62;

/// What a file of holidays says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holidays {
    /// Each of them.
    pub days: BTreeSet<Date>,
    /// The last of those that do not come again each year: behind it the file says nothing of such days.
    pub end: Option<Date>,
}

/// What cannot be used of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// From 1, as an editor counts.
    pub line: usize,
    /// What is wrong.
    pub why: String,
    /// What to write instead.
    pub hint: &'static str,
}

/// A content line, unfolded.
struct Content<'t> {
    line: usize,
    name: String,
    parameters: Vec<(String, String)>,
    value: String,
    /// As it begins in the file.
    shown: &'t str,
}

/// Reads the days of every VEVENT.
///
/// # Errors
/// All that cannot be used, in the order of the file.
pub fn holidays(text: &str) -> Result<Holidays, Vec<Wrong>> {
    let mut reader = Reader::default();
    let lines = unfolded(text);
    for (line, shown, whole) in &lines {
        match content(*line, shown, whole) {
            Some(content) => reader.read(&content),
            None => reader.refuse(
                *line,
                format!("`{}` is no line of an iCalendar file", clip(shown)),
                "each line is `NAME:VALUE`; a line that goes on begins with a blank",
            ),
        }
    }
    reader.done(lines.last().map_or(1, |(line, ..)| *line))
}

/// `NAME;PARAMETER=VALUE;OTHER="a:b":VALUE`.
fn content<'t>(line: usize, shown: &'t str, whole: &str) -> Option<Content<'t>> {
    let mut quoted = false;
    let colon = whole.char_indices().find_map(|(at, c)| {
        quoted ^= c == '"';
        (c == ':' && !quoted).then_some(at)
    })?;
    let (head, value) = (whole.get(..colon)?, whole.get(colon + 1..)?);
    let mut quoted = false;
    let mut parts = head.split(|c| {
        quoted ^= c == '"';
        c == ';' && !quoted
    });
    let name = parts.next()?.to_ascii_uppercase();
    let is_name = |name: &str| {
        !name.is_empty() && (name.bytes()).all(|c| c.is_ascii_alphanumeric() || c == b'-')
    };
    if !is_name(&name) {
        return None;
    }
    let parameters = parts.map(|part| {
        let (key, value) = part.split_once('=')?;
        let value = value.trim_matches('"').to_ascii_uppercase();
        Some((key.to_ascii_uppercase(), value))
    });
    Some(Content {
        line,
        name,
        parameters: parameters.collect::<Option<_>>()?,
        value: value.trim_end().to_owned(),
        shown,
    })
}

/// A VEVENT so far.
#[derive(Default)]
struct Event {
    line: usize,
    start: Option<Date>,
    /// The first day that is none any more.
    end: Option<(usize, Date)>,
    days: Option<i64>,
    rule: Option<(usize, String)>,
    cancelled: bool,
    refused: bool,
    seen: BTreeSet<String>,
}

#[derive(Default)]
struct Reader {
    open: Vec<String>,
    was_calendar: bool,
    events: usize,
    event: Option<Event>,
    found: Holidays,
    wrong: Vec<Wrong>,
}

impl Reader {
    fn refuse(&mut self, line: usize, why: String, hint: &'static str) {
        if let Some(event) = &mut self.event {
            event.refused = true;
        }
        self.wrong.push(Wrong { line, why, hint });
    }

    fn read(&mut self, of: &Content<'_>) {
        match of.name.as_str() {
            "BEGIN" => self.begin(of),
            "END" => self.end(of),
            _ if self.open.is_empty() => self.refuse(
                of.line,
                format!("`{}` stands outside of a VCALENDAR", clip(of.shown)),
                "the file begins with `BEGIN:VCALENDAR` and ends with `END:VCALENDAR`",
            ),
            _ if self.open.last().is_some_and(|name| name == "VEVENT") => self.property(of),
            _ => {}
        }
    }

    fn begin(&mut self, of: &Content<'_>) {
        let name = of.value.to_ascii_uppercase();
        let inside: Vec<&str> = self.open.iter().map(String::as_str).collect();
        match (inside.as_slice(), name.as_str()) {
            ([], "VCALENDAR") => self.was_calendar = true,
            (["VCALENDAR"], "VEVENT") => {
                self.events += 1;
                self.event = Some(Event {
                    line: of.line,
                    ..Event::default()
                });
            }
            // What neither says a day nor takes one away.
            (["VCALENDAR"], "VTIMEZONE")
            | (["VCALENDAR", "VTIMEZONE"], _)
            | (["VCALENDAR", "VEVENT"], "VALARM") => {}
            _ => self.refuse(
                of.line,
                format!("`{}` has no place here", clip(of.shown)),
                "a file of holidays is one VCALENDAR of VEVENTs",
            ),
        }
        self.open.push(name);
    }

    fn end(&mut self, of: &Content<'_>) {
        let name = of.value.to_ascii_uppercase();
        if self.open.last() != Some(&name) {
            let hint = "each `BEGIN:` has its `END:`; see whether the file came whole";
            return self.refuse(of.line, format!("`{}` ends nothing", clip(of.shown)), hint);
        }
        self.open.pop();
        if name == "VEVENT"
            && let Some(event) = self.event.take()
            && !event.refused
            && let Err(wrong) = event.into_days(&mut self.found)
        {
            self.wrong.push(wrong);
        }
    }

    fn property(&mut self, of: &Content<'_>) {
        const ONCE: [&str; 5] = ["DTSTART", "DTEND", "DURATION", "RRULE", "STATUS"];
        let Some(event) = &mut self.event else {
            return;
        };
        if ONCE.contains(&of.name.as_str()) && !event.seen.insert(of.name.clone()) {
            let why = format!("a second {} of this event", of.name);
            return self.refuse(of.line, why, "keep one of them");
        }
        match of.name.as_str() {
            "DTSTART" => match day_of(of) {
                Ok(day) => event.start = Some(day),
                Err((why, hint)) => self.refuse(of.line, why, hint),
            },
            "DTEND" => match day_of(of) {
                Ok(day) => event.end = Some((of.line, day)),
                Err((why, hint)) => self.refuse(of.line, why, hint),
            },
            "DURATION" => match whole_days(&of.value) {
                Some(days) => event.days = Some(days),
                None => self.refuse(
                    of.line,
                    format!("DURATION `{}` is no number of whole days", clip(&of.value)),
                    "write `DURATION:P1D`, or leave it out for one day",
                ),
            },
            "RRULE" => event.rule = Some((of.line, of.value.to_ascii_uppercase())),
            "STATUS" => event.cancelled = of.value.eq_ignore_ascii_case("CANCELLED"),
            "RDATE" | "EXDATE" | "EXRULE" | "RECURRENCE-ID" => self.refuse(
                of.line,
                format!("{} is not understood", of.name),
                "write each day as an event of its own",
            ),
            _ => {}
        }
    }

    fn done(mut self, last: usize) -> Result<Holidays, Vec<Wrong>> {
        if let Some(open) = self.open.last() {
            let why = format!("{open} is not closed: the file does not end");
            let hint = "see whether the file came whole: it ends with `END:VCALENDAR`";
            self.refuse(last, why, hint);
        } else if !self.was_calendar {
            let hint = "an iCalendar file begins with `BEGIN:VCALENDAR`";
            if self.wrong.is_empty() {
                self.refuse(1, "this is no iCalendar file".to_owned(), hint);
            }
        } else if self.wrong.is_empty() && self.found.days.is_empty() {
            let why = match self.events {
                0 => "the file has no event".to_owned(),
                _ => "the file names no day".to_owned(),
            };
            let hint = "leave it out of `holidays` where there is none";
            self.refuse(last, why, hint);
        }
        match self.wrong.is_empty() {
            true => Ok(self.found),
            false => Err(self.wrong),
        }
    }
}

impl Event {
    fn into_days(self, found: &mut Holidays) -> Result<(), Wrong> {
        let wrong = |line, why: &str, hint| Wrong {
            line,
            why: why.to_owned(),
            hint,
        };
        let Some(start) = self.start else {
            let hint = "write `DTSTART;VALUE=DATE:20261225`";
            return Err(wrong(self.line, "this event has no DTSTART", hint));
        };
        let many = match (self.end, self.days) {
            (Some((line, _)), Some(_)) => {
                let hint = "keep one of DTEND and DURATION";
                return Err(wrong(line, "this event ends in two ways", hint));
            }
            (Some((line, end)), None) => {
                let many = super::days_between(start, end);
                if many < 1 {
                    let hint = "DTEND is the first day that is no holiday any more";
                    return Err(wrong(line, "this event ends before it begins", hint));
                }
                many
            }
            (None, days) => days.unwrap_or(1),
        };
        if many > MOST_DAYS {
            let hint = "see its DTEND: no holiday is that long";
            let why = format!("this event has {many} days");
            return Err(wrong(self.line, &why, hint));
        }
        let (first_days, is_bounded) = match &self.rule {
            None => (vec![start], true),
            Some((line, rule)) => yearly(start, rule).map_err(|why| Wrong {
                line: *line,
                why,
                hint: "a holiday comes once, or on the same date each year (`RRULE:FREQ=YEARLY`, with COUNT or UNTIL); write any other day as an event of its own",
            })?,
        };
        if self.cancelled {
            return Ok(());
        }
        for first in first_days {
            for more in 0..many {
                let Ok(day) = first.checked_add(more.days()) else {
                    continue;
                };
                found.days.insert(day);
                if is_bounded {
                    found.end = found.end.max(Some(day));
                }
            }
        }
        Ok(())
    }
}

type Refused = (String, &'static str);

/// `DTSTART;VALUE=DATE:20261225`.
fn day_of(of: &Content<'_>) -> Result<Date, Refused> {
    let hint = "a holiday is a whole day: `DTSTART;VALUE=DATE:20261225`";
    let is_date = (of.parameters.iter()).any(|(key, value)| key == "VALUE" && value == "DATE");
    if !is_date {
        return Err((format!("this {} is no whole day", of.name), hint));
    }
    parse_day(&of.value).ok_or_else(|| (format!("`{}` is no day", clip(&of.value)), hint))
}

/// `20261225`.
fn parse_day(text: &str) -> Option<Date> {
    let is_shaped = text.len() == 8 && text.bytes().all(|c| c.is_ascii_digit());
    let part = |from, to| text.get(from..to)?.parse::<i16>().ok();
    if !is_shaped {
        return None;
    }
    let (month, day) = (part(4, 6)?, part(6, 8)?);
    Date::new(
        part(0, 4)?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
    )
    .ok()
}

/// `P3D`, `P1W`.
fn whole_days(text: &str) -> Option<i64> {
    let text = text.trim_start_matches('+').strip_prefix('P')?;
    let (number, each) = match (text.strip_suffix('D'), text.strip_suffix('W')) {
        (Some(number), _) => (number, 1),
        (_, Some(number)) => (number, 7),
        _ => return None,
    };
    let number: i64 = number.parse::<u16>().ok()?.into();
    (number > 0).then_some(number * each)
}

/// The days of a yearly rule, and whether it ends.
fn yearly(start: Date, rule: &str) -> Result<(Vec<Date>, bool), String> {
    let (mut count, mut until, mut is_yearly) = (None, None, false);
    let mut seen = BTreeSet::new();
    for part in rule.split(';') {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        if !seen.insert(key) {
            return Err(format!("this RRULE says {key} twice"));
        }
        let understood = match key {
            "FREQ" => {
                is_yearly = value == "YEARLY";
                is_yearly
            }
            "INTERVAL" => value == "1",
            "WKST" => true,
            "COUNT" => {
                count = value.parse::<u16>().ok().filter(|count| *count > 0);
                count.is_some()
            }
            "UNTIL" => {
                until = parse_day(value);
                until.is_some()
            }
            "BYMONTH" => value.parse() == Ok(start.month()),
            "BYMONTHDAY" => value.parse() == Ok(start.day()),
            _ => false,
        };
        if !understood {
            return Err(format!("this RRULE is not understood: {}", clip(part)));
        }
    }
    if !is_yearly {
        return Err("this RRULE says no FREQ".to_owned());
    }
    if count.is_some() && until.is_some() {
        return Err("this RRULE ends in two ways".to_owned());
    }
    // RFC 5545, 3.3.10: a year without that day, as most are without 29 February, is passed over.
    let years = (start.year()..=LAST_YEAR).filter_map(|year| {
        let day = Date::new(year, start.month(), start.day());
        day.ok()
            .filter(|day| until.is_none_or(|until| *day <= until))
    });
    let most = count.map_or(usize::MAX, usize::from);
    Ok((
        years.take(most).collect(),
        count.is_some() || until.is_some(),
    ))
}

fn clip(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
#[path = "ics_tests.rs"]
mod tests;
