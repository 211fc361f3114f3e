//! A person's answer to what only a person can answer: a document bound to one run and one check of it, and
//! what proven answers make of the run. Who may answer is asked in `verify/answers.rs`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::beside;
use super::phrases::instant;
use super::schema::{Answered, Check, Counts, Failure, Report, Step};
use crate::sign::people::is_role;
use crate::text::is_unsafe;
use crate::time::rfc3339;

/// Value of [`Answer::schema`].
pub const SCHEMA: &str = "gonogo/answer/v1";
/// What somebody says to an answer is read in a table.
const LONGEST: usize = 2_000;

/// One answer, as it is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// `gonogo/answer/v1`.
    pub schema: String,
    /// Id of the run.
    pub run: String,
    /// SHA-256 of its SHA256SUMS: an answer is to this run alone.
    pub manifest: String,
    /// What the run is about.
    pub environment: String,
    /// Id of the check.
    pub check: String,
    /// The step that asks, as the report tells it.
    pub asked: String,
    /// Whether it holds.
    pub answer: Word,
    /// What the person has to say to it.
    pub statement: String,
    /// Who answers: a name of the answerers' file.
    pub identity: String,
    /// When, by their own clock: RFC 3339, UTC.
    pub answered: String,
}

/// The two answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    /// It holds.
    Passed,
    /// It does not.
    Failed,
}

impl Word {
    /// The published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
        }
    }
}

impl Answer {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it, in a phrase.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let answer: Self = beside::read(bytes, SCHEMA)?;
        answer.is_sound()?;
        Ok(answer)
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
        says_something("the statement", &self.statement)?;
        is_name(&self.identity)?;
        self.at().map(drop)
    }

    /// When it was given.
    ///
    /// # Errors
    /// When it tells no time in UTC.
    pub fn at(&self) -> Result<Timestamp, String> {
        let at = self.answered.parse::<Timestamp>();
        let at = at.ok().filter(|at| rfc3339(*at) == self.answered);
        at.ok_or_else(|| {
            "it tells no time in UTC, such as 2026-11-21T10:00:00Z, at which it was given"
                .to_owned()
        })
    }
}

/// Words that somebody signs for.
///
/// # Errors
/// What is wrong with them, in a phrase.
pub fn says_something(what: &str, words: &str) -> Result<(), String> {
    if words.trim().is_empty() {
        return Err(format!("{what} is empty"));
    }
    match words.chars().count() > LONGEST || words.contains(is_unsafe) {
        true => Err(format!(
            "{what} has line breaks, control characters, or more than {LONGEST} characters"
        )),
        false => Ok(()),
    }
}

/// A name by which one person is known.
///
/// # Errors
/// What is wrong with it, in a phrase.
pub fn is_name(name: &str) -> Result<(), String> {
    let is_plain = |c: char| !c.is_whitespace() && !is_unsafe(c) && !"*?!,\"".contains(c);
    match name {
        "" => Err("it names nobody".to_owned()),
        name if is_role(name) => Err("it is in the name of a role: a person answers".to_owned()),
        name if name.len() <= 255 && name.chars().all(is_plain) => Ok(()),
        _ => Err("it is in no name that a line of allowed_signers can have".to_owned()),
    }
}

/// The step of a check that waits for a person.
#[must_use]
pub fn due(check: &Check) -> Option<&Step> {
    let mut steps = check.steps.iter();
    let step = steps.find(|step| step.asks.is_some() && step.outcome == "pending");
    step.filter(|_| check.outcome == "pending")
}

/// The report as these people answered it: checks by id. One `failed` outweighs every `passed`, whoever came
/// first: who says no knows something.
#[must_use]
pub fn answered(report: &Report, given: &[(String, Answered)]) -> Report {
    let mut report = report.clone();
    for check in &mut report.checks {
        let own = given.iter().filter(|(id, _)| *id == check.id);
        let answers: Vec<Answered> = own.map(|(_, answer)| answer.clone()).collect();
        let Some(asked) = due(check).cloned().filter(|_| !answers.is_empty()) else {
            continue;
        };
        let no = answers.iter().find(|answer| !answer.passed);
        let word = no.map_or("passed", |_| "failed");
        check.failure = no.map(|answer| refused(&asked, answer));
        check.answers = answers;
        word.clone_into(&mut check.outcome);
        for step in &mut check.steps {
            if step.outcome == "pending" {
                word.clone_into(&mut step.outcome);
            }
        }
    }
    let of = |outcome: &str| {
        let checks = report.checks.iter();
        checks.filter(|check| check.outcome == outcome).count() as u64
    };
    report.counts = Counts {
        planned: report.counts.planned,
        passed: of("passed"),
        failed: of("failed"),
        waived: of("waived"),
        pending: of("pending"),
    };
    report
}

fn refused(asked: &Step, answer: &Answered) -> Failure {
    Failure {
        kind: "mismatch".to_owned(),
        host: None,
        account: None,
        subject: None,
        expected: asked.text.clone(),
        actual: format!(
            "{} ({}) answered `failed` at {}: {}",
            answer.identity,
            answer.fingerprint,
            instant(&answer.at),
            answer.statement
        ),
        hint: "mend what they found, run again and ask again: an answer is to one run".to_owned(),
        at_login: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{judge, sample};
    use crate::verdict::Decision;

    fn answer() -> Answer {
        Answer {
            schema: SCHEMA.to_owned(),
            run: "r".to_owned(),
            manifest: "ab".repeat(32),
            environment: "production".to_owned(),
            check: "features/vendor.feature:4@60east".to_owned(),
            asked: "a person confirms \"it rang\"".to_owned(),
            answer: Word::Passed,
            statement: "I heard it".to_owned(),
            identity: "bob@ops.example".to_owned(),
            answered: "2026-11-21T10:00:00Z".to_owned(),
        }
    }

    #[test]
    fn a_document_has_one_spelling() {
        let bytes = answer().write().unwrap();
        assert_eq!(Answer::read(&bytes), Ok(answer()));
        let text = String::from_utf8(bytes).unwrap();
        let changed = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            Answer::read(text.replacen(from, to, 1).as_bytes()).unwrap_err()
        };
        for (from, to, why) in [
            ("}\n", "}\n\n", "not spelled"),
            ("}\n", "}", "not spelled"),
            ("}\n", "}\n{}", "trailing characters"),
            ("  \"run\"", " \"run\"", "not spelled"),
            ("\n", "\r\n", "not spelled"),
            ("bob", "b\\u006fb", "not spelled"),
            (
                "  \"run\"",
                "  \"more\": 1,\n  \"run\"",
                "unknown field `more`",
            ),
            (
                "  \"run\"",
                "  \"answer\": \"failed\",\n  \"run\"",
                "duplicate field `answer`",
            ),
            ("gonogo/answer/v1", "gonogo/answer/v2", "its schema is"),
            ("\"passed\"", "\"PASSED\"", "unknown variant"),
            ("\"passed\"", "\"waived\"", "unknown variant"),
            ("I heard it", "  ", "the statement is empty"),
            ("I heard it", "I\\nheard", "line breaks"),
            ("bob@ops.example", "role:boss", "name of a role"),
            ("bob@ops.example", "bob,carl", "no name"),
            ("bob@ops.example", "", "names nobody"),
            (
                "2026-11-21T10:00:00Z",
                "2026-11-21T10:00:00+00:00",
                "no time in UTC",
            ),
            ("2026-11-21T10:00:00Z", "yesterdayZ", "no time in UTC"),
        ] {
            let told = changed(from, to);
            assert!(told.contains(why), "{from} → {to}: {told}");
        }
    }

    #[test]
    fn answers_decide_and_one_no_outweighs() {
        let report = sample::hold();
        let id = report.checks.last().unwrap().id.clone();
        let given = |words: &[bool], id: &str| -> Vec<(String, Answered)> {
            let answers = words.iter().map(|passed| Answered {
                passed: *passed,
                identity: "bob".to_owned(),
                fingerprint: "SHA256:x".to_owned(),
                at: "2026-11-21T10:00:00Z".to_owned(),
                statement: "so it is".to_owned(),
            });
            answers.map(|answer| (id.to_owned(), answer)).collect()
        };
        let first = &*report.checks[0].id;
        for (given, decision) in [
            (given(&[], &id), Decision::Hold),
            (given(&[true], &id), Decision::Go),
            (given(&[true, true], &id), Decision::Go),
            (given(&[true, false], &id), Decision::NoGo),
            (given(&[false, true], &id), Decision::NoGo),
            // What waits for nobody is not answered.
            (given(&[false], first), Decision::Hold),
            (given(&[true], first), Decision::Hold),
        ] {
            let told = answered(&report, &given);
            assert_eq!(judge(&told).decision, decision, "{given:?}");
        }
        // A failure elsewhere stays what it is.
        let mut report = sample::hold();
        report.checks[0].outcome = "failed".to_owned();
        report.counts.failed += 1;
        let told = answered(&report, &given(&[true], &id));
        assert_eq!(judge(&told).decision, Decision::NoGo);
    }

    #[test]
    fn nobodys_answer_is_no_pass() {
        // Told as passed in the record itself.
        let mut report = sample::hold();
        let check = report.checks.last_mut().unwrap();
        check.outcome = "passed".to_owned();
        check.steps[1].outcome = "passed".to_owned();
        report.counts.passed += 1;
        report.counts.pending -= 1;
        let verdict = judge(&report);
        assert_eq!(verdict.decision, Decision::NoGo);
        assert!(verdict.reasons[0].contains("and nobody did"), "{verdict:?}");
        // Pending while the rest of it was never done.
        type Edit = fn(&mut Check);
        let edits: [Edit; 5] = [
            |c| c.steps[0].outcome = "not-run".into(),
            |c| c.steps[0].outcome = "pending".into(),
            |c| c.steps[1].outcome = "passed".into(),
            |c| c.steps[1].asks = None,
            |c| c.steps[0].asks = c.steps[1].asks.clone(),
        ];
        for (index, edit) in edits.into_iter().enumerate() {
            let mut report = sample::hold();
            edit(report.checks.last_mut().unwrap());
            assert_eq!(judge(&report).decision, Decision::NoGo, "case {index}");
        }
    }
}
