//! Entries that are one JSON object a line, as `entry: {json: …}` describes them. Keeps nothing of an
//! object but the time, the level and the id.

use std::borrow::Cow;
use std::fmt;

use jiff::tz::TimeZone;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::grammar::{Grammar, Line, Start, Untimed};
use super::ranks::Ranks;
use crate::inventory::TimeForm;

/// Most bytes of a value that is kept.
const LONGEST: usize = 256;

/// Time, level, id.
const PARTS: usize = 3;
type Parts<T> = [Option<T>; PARTS];

/// Lines of JSON.
#[derive(Debug)]
pub struct Objects {
    paths: Parts<String>,
    form: TimeForm,
    zone: TimeZone,
    ranks: Ranks,
}

impl Objects {
    /// Each path is keys joined by `.`; a key may have dots of its own (`log.level` of ECS).
    pub const fn new(
        time: String,
        level: Option<String>,
        id: Option<String>,
        form: TimeForm,
        zone: TimeZone,
        ranks: Ranks,
    ) -> Self {
        Self {
            paths: [Some(time), level, id],
            form,
            zone,
            ranks,
        }
    }
}

impl Grammar for Objects {
    // MongoDB clips each attribute at 10 kB and has the time in front
    // (mongodb.com/docs/manual/reference/log-messages, "Message Length"); more of a longer line is not
    // needed.
    const HEAD: usize = 64 * 1024;

    fn line<'l>(&mut self, line: &'l [u8]) -> Line<'l> {
        if line.trim_ascii_start().first() != Some(&b'{') {
            return Line::Other;
        }
        let mut found = Parts::default();
        let look = Look {
            rest: self.paths.each_ref().map(Option::as_deref),
            found: &mut found,
        };
        let mut json = serde_json::Deserializer::from_slice(line);
        let read = look.deserialize(&mut json).and_then(|()| json.end());
        let [time, level, id] = found;
        match (read, time) {
            // Of a clipped line, what stands in its head counts.
            (Err(error), _) if !error.is_eof() || line.len() < Self::HEAD => Line::Other,
            (_, None) => Line::Other,
            (_, Some(time)) => {
                let rank = level.as_deref().and_then(|level| self.ranks.of(level));
                let odd = level.filter(|word| rank.is_none() && !word.trim().is_empty());
                let odd = odd.map(|word| Cow::Owned(word.into_bytes()));
                match self.form.instant(&time, &self.zone) {
                    None => Line::Untimed(Untimed {
                        time: Cow::Owned(time.into_bytes()),
                        level: rank,
                        odd,
                    }),
                    Some(at) => Line::Entry(Start {
                        at,
                        level: rank,
                        odd,
                        id: id.map(|id| Cow::Owned(id.into_bytes())),
                    }),
                }
            }
        }
    }

    fn levels(&self) -> Vec<String> {
        self.ranks.names()
    }

    fn expected(&self) -> String {
        let time = self.paths[0].as_deref().unwrap_or_default();
        format!("entries of one JSON object a line, their time at `{time}`")
    }

    fn time(&self) -> String {
        format!("times written as `{}`", self.form.as_str())
    }

    fn hint(&self) -> &'static str {
        "check that this path is the log of this product, and `json:` of the artifact's `entry:` in \
         the inventory"
    }
}

/// Looks into one value for what is still ahead of each path; an empty rest means this very value.
struct Look<'p, 'f> {
    rest: Parts<&'p str>,
    found: &'f mut Parts<String>,
}

impl Look<'_, '_> {
    fn keep(self, value: &str) {
        for (rest, found) in self.rest.iter().zip(self.found) {
            // Said twice, the first counts: one that comes later cannot make an entry look fresh.
            if *rest == Some("") && found.is_none() && value.len() <= LONGEST {
                *found = Some(value.to_owned());
            }
        }
    }
}

/// What is left of a path behind `key`.
fn ahead<'p>(path: &'p str, key: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(key)?;
    match rest.strip_prefix('.') {
        None if rest.is_empty() && !key.is_empty() => Some(""),
        rest => rest,
    }
}

impl<'de> DeserializeSeed<'de> for Look<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.rest {
            [None, None, None] => deserializer.deserialize_ignored_any(IgnoredAny).map(drop),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Look<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.keep(value);
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.keep(&value.to_string());
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.keep(&value.to_string());
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.keep(&value.to_string());
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let rest = self.rest.map(|rest| ahead(rest?, &key));
            map.next_value_seed(Look {
                rest,
                found: &mut *self.found,
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(time: &str, form: TimeForm) -> Objects {
        let some = |text: &str| Some(text.to_owned());
        let levels = vec![vec!["I".to_owned()], vec!["W".to_owned(), "30".to_owned()]];
        let ranks = Ranks::new(levels);
        Objects::new(
            time.to_owned(),
            some("log.level"),
            some("id"),
            form,
            TimeZone::UTC,
            ranks,
        )
    }

    fn read(grammar: &mut Objects, line: &str) -> Option<(String, Option<usize>, Option<String>)> {
        match grammar.line(line.as_bytes()) {
            Line::Entry(start) => Some((
                start.at.to_string(),
                start.level,
                start
                    .id
                    .map(|id| String::from_utf8(id.into_owned()).unwrap()),
            )),
            _ => None,
        }
    }

    #[test]
    fn parts_are_found_wherever_they_lie() {
        let mut grammar = objects("t.$date", TimeForm::Rfc3339);
        for line in [
            r#"{"t":{"$date":"2026-11-21T09:30:00Z"},"log.level":"w","id":22,"msg":"x"}"#,
            r#" {"id":"22","log":{"level":30,"x":[1]},"t":{"a":{"$date":0},"$date":"2026-11-21T09:30:00Z"}}  "#,
            r#"{"t":{"$date":"2026-11-21T09:30:00Z","$date":"2027-01-01T00:00:00Z"},"id":22,"log.level":"W"}"#,
        ] {
            let found = read(&mut grammar, line);
            let start = (
                "2026-11-21T09:30:00Z".to_owned(),
                Some(1),
                Some("22".to_owned()),
            );
            assert_eq!(found, Some(start), "{line}");
        }
        let mut unix = objects("ts", TimeForm::Unix);
        let found = read(&mut unix, r#"{"ts":1700000000.25,"id":null,"log":[]}"#);
        assert_eq!(found.unwrap().0, "2023-11-14T22:13:20.25Z");
    }

    #[test]
    fn what_is_no_entry_is_none() {
        let mut grammar = objects("t", TimeForm::Rfc3339);
        let deep = format!(r#"{{"t":{}1"#, "[".repeat(60_000));
        for line in [
            "",
            "text",
            "[1]",
            "{",
            r#"{"t":"2026-11-21T09:30:00Z""#,
            r#"{"t":"2026-11-21T09:30:00Z"} x"#,
            r#"{"x":{"t":"2026-11-21T09:30:00Z"}}"#,
            r#"{"t":["2026-11-21T09:30:00Z"]}"#,
            deep.as_str(),
        ] {
            assert_eq!(grammar.line(line.as_bytes()), Line::Other, "{line:.40}");
        }
        let odd = grammar.line(br#"{"t":"yesterday"}"#);
        let Line::Untimed(odd) = odd else {
            panic!("{odd:?}");
        };
        assert_eq!(odd.time, Cow::Borrowed(b"yesterday"));
    }

    #[test]
    fn of_a_line_too_long_to_be_read_whole_the_head_counts() {
        let mut grammar = objects("t", TimeForm::Rfc3339);
        let front = r#"{"t":"2026-11-21T09:30:00Z","msg":""#;
        let long = format!("{front}{}", "x".repeat(Objects::HEAD));
        assert!(read(&mut grammar, &long[..Objects::HEAD]).is_some());
        assert!(read(&mut grammar, &long[..Objects::HEAD - 1]).is_none());
    }
}
