//! A request to deploy although a run says NO-GO or HOLD: a document that two people sign for a few hours. It
//! changes no verdict. Who may sign it is asked in `verify/break_glass.rs`.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::answer::{is_name, says_something};
use super::beside;
use crate::time::rfc3339;

/// Value of [`BreakGlass::schema`].
pub const SCHEMA: &str = "gonogo/break-glass/v1";
/// The shortest and the longest life of one.
pub const LIFE: [SignedDuration; 2] = [
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(24),
];

/// One request, as it is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakGlass {
    /// `gonogo/break-glass/v1`.
    pub schema: String,
    /// Id of the run.
    pub run: String,
    /// SHA-256 of its SHA256SUMS: it is for this run alone.
    pub manifest: String,
    /// What is to be deployed to.
    pub environment: String,
    /// What the run says: `NO-GO` or `HOLD`. It goes on saying so.
    pub verdict: String,
    /// How many of its checks failed.
    pub failed: u64,
    /// How many wait for a person.
    pub pending: u64,
    /// Why it cannot wait.
    pub reason: String,
    /// Where it is followed up.
    pub ticket: String,
    /// Who asks: one of the two who sign.
    pub requester: String,
    /// From when it holds: RFC 3339, UTC.
    pub from: String,
    /// Until when.
    pub until: String,
}

impl BreakGlass {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it, in a phrase.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let request: Self = beside::read(bytes, SCHEMA)?;
        request.is_sound()?;
        Ok(request)
    }

    /// Its bytes.
    ///
    /// # Errors
    /// What is wrong with it, in a phrase.
    pub fn write(&self) -> Result<Vec<u8>, String> {
        self.is_sound()?;
        beside::write(self).map_err(|error| error.to_string())
    }

    fn is_sound(&self) -> Result<(), String> {
        says_something("the reason", &self.reason)?;
        says_something("the ticket", &self.ticket)?;
        is_name(&self.requester)?;
        if !matches!(&*self.verdict, "NO-GO" | "HOLD") {
            return Err("it is for a run that says neither NO-GO nor HOLD".to_owned());
        }
        let [from, until] = self.life()?;
        let life = until.duration_since(from);
        let [least, most] = LIFE;
        match (least..=most).contains(&life) {
            true => Ok(()),
            false => Err("it is to hold between 1 and 24 hours".to_owned()),
        }
    }

    /// From when until when it holds.
    ///
    /// # Errors
    /// When it tells no times in UTC.
    pub fn life(&self) -> Result<[Timestamp; 2], String> {
        let time = |text: &str| {
            let time = text.parse::<Timestamp>().ok();
            let time = time.filter(|time| rfc3339(*time) == text);
            time.ok_or_else(|| format!("`{text}` is no time in UTC, such as 2026-11-21T10:00:00Z"))
        };
        Ok([time(&self.from)?, time(&self.until)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> BreakGlass {
        BreakGlass {
            schema: SCHEMA.to_owned(),
            run: "r".to_owned(),
            manifest: "ab".repeat(32),
            environment: "production".to_owned(),
            verdict: "NO-GO".to_owned(),
            failed: 2,
            pending: 0,
            reason: "the exchange closes this line tonight".to_owned(),
            ticket: "INC-7".to_owned(),
            requester: "ann".to_owned(),
            from: "2026-11-21T10:00:00Z".to_owned(),
            until: "2026-11-21T14:00:00Z".to_owned(),
        }
    }

    #[test]
    fn a_request_is_whole_short_and_in_utc() {
        let bytes = request().write().unwrap();
        assert_eq!(BreakGlass::read(&bytes), Ok(request()));
        type Edit = fn(&mut BreakGlass);
        let edits: [(Edit, &str); 10] = [
            (|r| r.reason = " ".into(), "the reason is empty"),
            (|r| r.ticket.clear(), "the ticket is empty"),
            (|r| r.reason = "a\nb".into(), "line breaks"),
            (|r| r.requester = "role:boss".into(), "a person answers"),
            (|r| r.verdict = "GO".into(), "neither NO-GO nor HOLD"),
            (
                |r| r.until = "2026-11-22T10:00:01Z".into(),
                "between 1 and 24",
            ),
            (
                |r| r.until = "2026-11-21T10:59:59Z".into(),
                "between 1 and 24",
            ),
            (
                |r| r.until = "2026-11-20T10:00:00Z".into(),
                "between 1 and 24",
            ),
            (
                |r| r.until = "2026-11-21T14:00:00+01:00".into(),
                "no time in UTC",
            ),
            (|r| r.from = "now".into(), "no time in UTC"),
        ];
        for (index, (edit, why)) in edits.into_iter().enumerate() {
            let mut request = request();
            edit(&mut request);
            let told = request.write().unwrap_err();
            assert!(told.contains(why), "case {index}: {told}");
            let told = BreakGlass::read(&beside::write(&request).unwrap()).unwrap_err();
            assert!(told.contains(why), "case {index}: {told}");
        }
        let text = String::from_utf8(bytes).unwrap();
        for (from, to) in [
            (
                "\"failed\"",
                "\"until\": \"2026-11-22T10:00:00Z\",\n  \"failed\"",
            ),
            ("\"failed\"", "\"more\": 1,\n  \"failed\""),
            ("}\n", "}\n\n"),
        ] {
            assert!(
                BreakGlass::read(text.replacen(from, to, 1).as_bytes()).is_err(),
                "{to}"
            );
        }
    }
}
