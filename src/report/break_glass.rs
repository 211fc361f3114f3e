//! A request to deploy although a run says NO-GO or HOLD: a document that two people sign for a few hours. It
//! changes no verdict. Who may sign it is asked in `verify/break_glass.rs`.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Word, is_name, says_something};
use super::beside::{self, Purpose};
use crate::digest::Sha256;
use crate::text::{escape, is_unsafe};
use crate::time::rfc3339;

/// Value of [`BreakGlass::schema`].
pub const SCHEMA: &str = "gonogo/break-glass/v1";
/// The shortest and the longest life of one.
pub const LIFE: [SignedDuration; 2] = [
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(24),
];
/// The most letters of one thing that the gate has against a run.
const LONGEST: usize = 200;

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
    /// What the gate says of it: `NO-GO` or `HOLD`. It goes on saying so.
    pub verdict: String,
    /// How many of its checks failed.
    pub failed: u64,
    /// How many wait for a person.
    pub pending: u64,
    /// SHA-256 of the policy under which the gate says so; not told where there is none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub policy: Option<String>,
    /// What the gate has against it beyond the run's own verdict, as [`beyond`] tells it.
    pub against: Vec<String>,
    /// SHA-256 of each answer `failed` that lay beside the run when it was asked for: they know of these.
    pub noes: Vec<String>,
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
        let bytes = beside::write(self).map_err(|error| error.to_string())?;
        match bytes.len() as u64 > beside::MOST_BYTES {
            true => Err(
                "it is longer than 64 KiB: too much speaks against the run to ask for it"
                    .to_owned(),
            ),
            false => Ok(bytes),
        }
    }

    fn is_sound(&self) -> Result<(), String> {
        says_something("the reason", &self.reason)?;
        says_something("the ticket", &self.ticket)?;
        is_name(&self.requester)?;
        if !matches!(&*self.verdict, "NO-GO" | "HOLD") {
            return Err("it is for a run that says neither NO-GO nor HOLD".to_owned());
        }
        if let Some(odd) = self.against.iter().find(|one| one.contains(is_unsafe)) {
            return Err(format!("`{}` is no reason of a gate", escape(odd)));
        }
        let policy = self.policy.iter().chain(&self.noes);
        for digest in policy {
            if digest.parse::<Sha256>().map(|one| one.to_string()).as_ref() != Ok(digest) {
                return Err(format!("`{}` is no SHA-256", escape(digest)));
            }
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

/// What the gate has against a run beyond `own`, the reasons of its verdict: a line each, cut where it is long,
/// with the digest of the whole.
#[must_use]
pub fn beyond(gate: &[String], own: &[String]) -> Vec<String> {
    let more = gate.iter().filter(|reason| !own.contains(reason));
    let told = more.map(|reason| match reason.chars().nth(LONGEST) {
        None => escape(reason).into_owned(),
        Some(_) => {
            let begin: String = reason.chars().take(LONGEST).collect();
            format!(
                "{}… (sha256:{})",
                escape(&begin),
                Sha256::of(reason.as_bytes())
            )
        }
    });
    told.collect()
}

/// The answers `failed` beside the run of that manifest, whoever may have given them, by their digests.
///
/// # Errors
/// When what lies there cannot be read whole.
pub fn noes(directory: &Path, manifest: &str) -> Result<BTreeMap<String, Answer>, String> {
    let found = beside::papers(directory, Purpose::Answer).map_err(|cause| cause.to_string())?;
    let mut noes = BTreeMap::new();
    for paper in found {
        if let Some((name, unread)) = paper.hidden() {
            return Err(format!("{}: {unread}", escape(name)));
        }
        let Ok(bytes) = &paper.bytes else { continue };
        let answer = Answer::read(bytes).ok();
        let no = answer.filter(|one| one.answer == Word::Failed && one.manifest == manifest);
        noes.extend(no.map(|no| (Sha256::of(bytes).to_string(), no)));
    }
    Ok(noes)
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
            policy: Some("cd".repeat(32)),
            against: vec!["policy: no check has tag `@blocker`".to_owned()],
            noes: vec!["ef".repeat(32)],
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
        let edits: [(Edit, &str); 14] = [
            (|r| r.policy = Some("ab".into()), "no SHA-256"),
            (|r| r.noes.push("AB".repeat(32)), "no SHA-256"),
            (|r| r.against.push("a\nb".into()), "no reason of a gate"),
            (
                |r| r.against = vec!["x".repeat(200); 400],
                "longer than 64 KiB",
            ),
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
            let bytes = beside::write(&request).unwrap();
            if bytes.len() as u64 > beside::MOST_BYTES {
                continue;
            }
            let told = BreakGlass::read(&bytes).unwrap_err();
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
