//! Hours of a week as people write them, on a wall clock that is nowhere yet: `Mon-Fri 08:00-18:00`,
//! `Fri 22:00-02:00`, `Sun 18:00 - Fri 17:00`, `24x7`. Counted in minutes from Monday midnight.

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
pub(super) const DAY: i64 = 24 * 60;
pub(super) const WEEK: i64 = 7 * DAY;
const HINT: &str = "write days and hours, such as `Mon-Fri 08:00-18:00`, `Sat,Sun 10:00-14:00`, `daily 22:00-02:00` (into the next day), `Sun 18:00 - Fri 17:00`, or `24x7`";

/// Minutes of a week, from Monday midnight: half-open, sorted, apart, within one week.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weekly(Vec<(i64, i64)>);

impl Weekly {
    /// Every minute.
    #[must_use]
    pub fn always() -> Self {
        Self(vec![(0, WEEK)])
    }

    /// Whether it is every minute of the week.
    #[must_use]
    pub fn is_always(&self) -> bool {
        self.0 == [(0, WEEK)]
    }

    /// The minutes of one week.
    pub(super) fn minutes(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        self.0.iter().copied()
    }

    /// The minutes that are in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(joined(self.minutes().chain(other.minutes()).collect()))
    }

    /// As people write them, each line as [`Weekly::parse`] reads it: `Mon-Fri 08:00-18:00`, or
    /// `Sun 18:00 - Fri 17:00` where one stretch is longer than a day.
    #[must_use]
    pub fn say(&self) -> Vec<String> {
        if self.is_always() {
            return vec!["24x7".to_owned()];
        }
        let mut spans: Vec<(i64, i64)> = self.minutes().collect();
        // One that reaches into the next week stands in two parts.
        if let (Some(&(0, end)), Some(&(from, WEEK))) = (spans.first(), spans.last())
            && spans.len() > 1
        {
            spans.remove(0);
            spans.pop();
            spans.push((from, WEEK + end));
        }
        let mut lines = Vec::new();
        // The days on which the same hours are kept, in the order of their first day.
        let mut daily: Vec<((i64, i64), Vec<i64>)> = Vec::new();
        for (from, to) in spans {
            if to - from > DAY {
                let point = |at: i64| format!("{} {}", name(at / DAY), shown(at % DAY));
                lines.push(format!("{} - {}", point(from), point(to % WEEK)));
                continue;
            }
            let hours = (from % DAY, from % DAY + to - from);
            match daily.iter_mut().find(|(known, _)| *known == hours) {
                Some((_, days)) => days.push(from / DAY),
                None => daily.push((hours, vec![from / DAY])),
            }
        }
        for ((from, to), days) in daily {
            let end = match to > DAY {
                true => to - DAY,
                false => to,
            };
            lines.push(format!("{} {}-{}", run(&days), shown(from), shown(end)));
        }
        lines
    }

    /// Reads one line of hours.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "24x7" {
            return Ok(Self::always());
        }
        if let Some(span) = one_span(text)? {
            return Ok(Self(joined(wrapped(span).collect())));
        }
        let (days, hours) = text.split_once(' ').ok_or(HINT)?;
        let days = self::days(days)?;
        let mut spans = Vec::new();
        for hours in hours.split(',') {
            let (from, to) = hours.trim().split_once('-').ok_or(HINT)?;
            let (from, mut to) = (clock(from.trim())?, clock(to.trim())?);
            if from == DAY {
                return Err("hours begin before 24:00: write 00:00 of the next day".to_owned());
            }
            if from == to {
                return Err(
                    "these hours begin and end at once: a whole day is 00:00-24:00".to_owned(),
                );
            }
            if to < from {
                to += DAY;
            }
            for day in &days {
                spans.extend(wrapped((day * DAY + from, day * DAY + to)));
            }
        }
        Ok(Self(joined(spans)))
    }
}

fn name(day: i64) -> &'static str {
    let at = usize::try_from(day.rem_euclid(7)).unwrap_or_default();
    DAYS.get(at).copied().unwrap_or_default()
}

fn shown(minute: i64) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// `daily`, `Mon-Fri`, `Mon-Wed,Sat`.
fn run(days: &[i64]) -> String {
    if days.len() == 7 {
        return "daily".to_owned();
    }
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for &day in days {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == day => *last = day,
            _ => runs.push((day, day)),
        }
    }
    let runs = runs.into_iter().map(|(first, last)| match first == last {
        true => name(first).to_owned(),
        false => format!("{}-{}", name(first), name(last)),
    });
    runs.collect::<Vec<_>>().join(",")
}

/// `Sun 18:00 - Fri 17:00`; nothing where the text is of another form.
fn one_span(text: &str) -> Result<Option<(i64, i64)>, String> {
    let Some((from, to)) = text.split_once(" - ") else {
        return Ok(None);
    };
    let point = |text: &str| -> Result<i64, String> {
        let (day, time) = text.trim().split_once(' ').ok_or(HINT)?;
        Ok(self::day(day)? * DAY + clock(time.trim())?)
    };
    let (from, mut to) = (point(from)? % WEEK, point(to)?);
    if to == from {
        return Err("these hours begin and end at once: every hour is 24x7".to_owned());
    }
    if to < from {
        to += WEEK;
    }
    Ok(Some((from, to)))
}

/// `Mon`, `Mon-Fri`, `Fri-Mon`, `Sat,Sun`, `daily`.
fn days(text: &str) -> Result<Vec<i64>, String> {
    if text == "daily" {
        return Ok((0..7).collect());
    }
    let mut days = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        let many = (last - first).rem_euclid(7);
        days.extend((0..=many).map(|more| (first + more) % 7));
    }
    Ok(days)
}

fn day(text: &str) -> Result<i64, String> {
    let found = DAYS.iter().position(|day| *day == text);
    let found = found.and_then(|at| i64::try_from(at).ok());
    found.ok_or_else(|| format!("`{text}` is no day: write {}", DAYS.join(", ")))
}

/// `00:00` to `24:00`, in minutes.
fn clock(text: &str) -> Result<i64, String> {
    let wrong =
        || format!("`{text}` is no time of day: write 00:00 to 24:00, with two digits each");
    let bytes = text.as_bytes();
    let is_shaped = bytes.len() == 5
        && bytes[2] == b':'
        && [0, 1, 3, 4].iter().all(|at| bytes[*at].is_ascii_digit());
    if !is_shaped {
        return Err(wrong());
    }
    let number = |at: usize| i64::from(bytes[at] - b'0') * 10 + i64::from(bytes[at + 1] - b'0');
    let (hour, minute) = (number(0), number(3));
    match (hour, minute) {
        (0..=23, 0..=59) | (24, 0) => Ok(hour * 60 + minute),
        _ => Err(wrong()),
    }
}

/// A span that may reach into the next week, as parts of one week.
fn wrapped((from, to): (i64, i64)) -> impl Iterator<Item = (i64, i64)> {
    let (from, to) = match from >= WEEK {
        true => (from - WEEK, to - WEEK),
        false => (from, to),
    };
    let rest = (to > WEEK).then(|| (0, to - WEEK));
    std::iter::once((from, to.min(WEEK))).chain(rest)
}

/// Sorted, and joined where they overlap or touch.
pub(super) fn joined(mut spans: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    spans.sort_unstable();
    let mut joined: Vec<(i64, i64)> = Vec::with_capacity(spans.len());
    for (from, to) in spans {
        match joined.last_mut() {
            Some((_, end)) if from <= *end => *end = (*end).max(to),
            _ => joined.push((from, to)),
        }
    }
    joined
}
