//! What people answered: each document beside the run, held to the run and to who may answer. What counts makes
//! a HOLD a GO or a NO-GO; what does not count is told with its reason, and changes nothing.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::demands::SKEW;
use super::people::makers;
use super::{Unacceptable, Verified};
use crate::report::answer::{Answer, Word, answered, due};
use crate::report::beside::{Paper, Purpose, papers};
use crate::report::judge;
use crate::report::schema::Answered;
use crate::sign::allowed_signers::Signer;
use crate::sign::people::{ANSWER, People};
use crate::text::{count, escape};
use crate::time;

/// Most documents that do not count whose reason is told one by one.
const MOST_TOLD: usize = 20;

/// Who may answer, and when.
#[derive(Clone, Copy, Debug)]
pub struct Hearing<'a> {
    /// Who may answer; `None` when nobody said.
    pub people: Option<&'a People>,
    /// Most time from the end of the run to an answer.
    pub within: Option<Duration>,
    /// When their keys must be valid.
    pub at: Timestamp,
    /// Now: nobody answers tomorrow.
    pub now: Timestamp,
}

/// What was heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Each answer that counts.
    pub answered: Vec<String>,
    /// What does not count, and what nobody proved.
    pub warnings: Vec<String>,
    /// How many break-glass requests lie beside the run; another command judges them.
    pub break_glass: usize,
}

impl Verified {
    /// Judges the run anew with what people answered.
    ///
    /// # Errors
    /// When what lies beside the run cannot be listed, or this machine does not let it be read: a `failed` might
    /// be among it.
    pub fn hear(&mut self, hearing: &Hearing<'_>) -> Result<Heard, Unacceptable> {
        let found = papers(&self.sealed().dir, Purpose::Answer);
        let found = found.map_err(|cause| Unacceptable::Answers(cause.to_string()))?;
        let glass = papers(&self.sealed().dir, Purpose::BreakGlass);
        let mut heard = Heard {
            break_glass: glass.map_or(0, |found| found.len()),
            ..Heard::default()
        };
        let Some(people) = hearing.people else {
            if !found.is_empty() {
                heard.warnings.push(format!(
                    "{} beside the run, and nobody said who may answer: --answerers",
                    match found.len() {
                        1 => "1 answer lies".to_owned(),
                        all => format!("{all} answers lie"),
                    }
                ));
            }
            return Ok(heard);
        };
        if let Some((name, unread)) = found.iter().find_map(Paper::hidden) {
            let name = escape(name);
            return Err(Unacceptable::Answers(format!("{name}: {unread}")));
        }
        let (mut given, mut refused) = (Vec::new(), Vec::new());
        for paper in &found {
            match self.counts(paper, people, hearing) {
                Ok(one) => given.push(one),
                Err(why) => refused.push(format!(
                    "an answer does not count: {}: {}",
                    escape(&paper.name),
                    escape(&why)
                )),
            }
        }
        heard.answered = given.iter().map(say).collect();
        let more = refused.len().saturating_sub(MOST_TOLD);
        refused.truncate(MOST_TOLD);
        heard.warnings = refused;
        if more > 0 {
            let more = count(more, "more answer");
            heard.warnings.push(format!("{more} not counted"));
        }
        if !given.is_empty() {
            let report = answered(self.report(), &given);
            let verdict = judge(&report);
            self.answered = Some((report.into(), verdict));
        }
        Ok(heard)
    }

    fn counts(
        &self,
        paper: &Paper,
        people: &People,
        hearing: &Hearing<'_>,
    ) -> Result<(String, Answered), String> {
        let bytes = paper.bytes.as_ref().map_err(ToString::to_string)?;
        let answer = Answer::read(bytes)?;
        self.is_asked(&answer)?;
        let check = self.report().checks.iter();
        let asked = check.filter(|check| check.id == answer.check).find_map(due);
        let role = asked.and_then(|step| step.asks.as_ref()?.role.as_ref());
        let runners = makers(self);
        let may = |signer: &Signer, signature: &[u8]| {
            if people.is_of([&answer.identity, &signer.fingerprint], &runners) {
                return Err("who signs the run does not answer in it".to_owned());
            }
            let Some(role) = role else { return Ok(()) };
            let has = people.has_role(role, ANSWER, bytes, signature, hearing.at);
            has.map_err(|fault| format!("{} is no `{role}`: {fault}", answer.identity))
        };
        let signer = signed(paper, bytes, &answer, people, hearing.at, may)?;
        // A `no` is bound to this run by its digest: no clock that is wrong, and no hour, takes it away.
        if answer.answer == Word::Passed {
            self.is_in_time(&answer, hearing)?;
        }
        Ok((
            answer.check,
            Answered {
                passed: answer.answer == Word::Passed,
                identity: answer.identity,
                fingerprint: signer,
                at: answer.answered,
                statement: answer.statement,
            },
        ))
    }

    /// It is to a question of this very run.
    fn is_asked(&self, answer: &Answer) -> Result<(), String> {
        let report = self.report();
        if answer.manifest != self.sealed().digest.to_string() || answer.run != report.run.id {
            return Err(format!("it is to run {}, not to this one", answer.run));
        }
        if answer.environment != report.run.scope.environment {
            return Err(format!("it is about `{}`", answer.environment));
        }
        let mut checks = report.checks.iter();
        let check = checks.find(|check| check.id == answer.check);
        let check = check.ok_or_else(|| format!("the run has no check `{}`", answer.check))?;
        match due(check) {
            None => Err(format!("check `{}` waits for nobody", answer.check)),
            Some(step) if step.text != answer.asked => {
                Err(format!("check `{}` asks something else", answer.check))
            }
            Some(_) => Ok(()),
        }
    }

    fn is_in_time(&self, answer: &Answer, hearing: &Hearing<'_>) -> Result<(), String> {
        let finished = self.report().run.finished.parse::<Timestamp>();
        let finished = finished.map_err(|_| "the run tells no end".to_owned())?;
        let at = answer.at()?;
        let after = at.duration_since(finished);
        if after < -SKEW {
            return Err("it was given before the run ended".to_owned());
        }
        if at.duration_since(hearing.now) > SKEW {
            return Err("it was given in the future".to_owned());
        }
        match hearing.within {
            Some(most) if after > SignedDuration::try_from(most).unwrap_or(SignedDuration::MAX) => {
                let (after, most) = (time::say(after.unsigned_abs()), time::say(most));
                Err(format!(
                    "it was given {after} after the run ended; {most} is allowed"
                ))
            }
            _ => Ok(()),
        }
    }
}

/// The key that signed it in the name that it states; of several, the first that `may`.
fn signed(
    paper: &Paper,
    bytes: &[u8],
    answer: &Answer,
    people: &People,
    at: Timestamp,
    may: impl Fn(&Signer, &[u8]) -> Result<(), String>,
) -> Result<String, String> {
    let mut faults = Vec::new();
    for (name, signature) in &paper.signatures {
        let judged = signature.as_ref().map_err(ToString::to_string);
        let judged = judged.and_then(|signature| {
            let verified = people.verify(Some(&answer.identity), ANSWER, bytes, signature, at);
            let signer = verified.map_err(|fault| fault.to_string())?;
            may(&signer, signature).map(|()| signer)
        });
        match judged {
            Ok(signer) => return Ok(signer.fingerprint),
            Err(fault) => faults.push(format!("{name}: {fault}")),
        }
    }
    match faults.is_empty() {
        true => Err("nobody signed it".to_owned()),
        false => Err(faults.join("; ")),
    }
}

fn say((check, answer): &(String, Answered)) -> String {
    let word = match answer.passed {
        true => "passed",
        false => "failed",
    };
    format!(
        "{check} {word} by {} ({}) at {}: {}",
        answer.identity, answer.fingerprint, answer.at, answer.statement
    )
}
