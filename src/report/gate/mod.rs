//! What the gate answers: one value, of which each format of `verify` is a function. Whoever has more to
//! say of a run (who approved it, how long a waiver holds) says it here once, and every format tells it.

mod finding;
pub mod github;
pub mod json;
pub mod junit;
mod people;
mod policy;
pub mod review;
pub mod text;
pub mod variables;

use std::sync::Arc;

pub use finding::{Finding, Outcome};

use super::phrases;
use super::schema::{Counts, Report};
use super::verify::{Unacceptable, Verified};
use crate::sign::certificate::Certified;
use crate::verdict::Decision;

/// The one word of the answer. There is no default: each must be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The run is accepted, and this is its verdict.
    Verdict(Decision),
    /// The run is not acceptable, whatever it says.
    Unacceptable,
    /// `verify` could not look: its own input or this machine is at fault.
    NotJudged,
}

impl Answer {
    /// `GO`, `NO-GO`, `HOLD`, `UNACCEPTABLE` or `NOT-JUDGED`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verdict(decision) => decision.as_str(),
            Self::Unacceptable => "UNACCEPTABLE",
            Self::NotJudged => "NOT-JUDGED",
        }
    }

    /// Whether a deployment may go on.
    #[must_use]
    pub const fn is_go(self) -> bool {
        matches!(self, Self::Verdict(Decision::Go))
    }

    /// The verdict of an accepted run.
    #[must_use]
    pub const fn verdict(self) -> Option<Decision> {
        match self {
            Self::Verdict(decision) => Some(decision),
            Self::Unacceptable | Self::NotJudged => None,
        }
    }
}

/// One more thing to say of an accepted run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Its key in JSON, and upper case after `GONOGO_` in variables: lower-case letters and `_`.
    pub key: &'static str,
    /// Its label for people, at most 12 characters.
    pub label: &'static str,
    /// What there is to say, one line.
    pub value: String,
}

/// Which run it is, who signed it, and its sums: only of a run that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its id.
    pub id: String,
    /// `run`, `demo` or `aborted`.
    pub kind: String,
    /// What it is about.
    pub environment: String,
    /// RFC 3339, UTC.
    pub finished: String,
    /// Who signed.
    pub signer: String,
    /// `SHA256:…` of the signer's key.
    pub fingerprint: String,
    /// The sums.
    pub counts: Counts,
}

impl Accepted {
    /// What is told of it in words, by key.
    #[must_use]
    pub fn words(&self) -> [(&'static str, &str); 6] {
        [
            ("run", &self.id),
            ("kind", &self.kind),
            ("environment", &self.environment),
            ("finished", &self.finished),
            ("signer", &self.signer),
            ("fingerprint", &self.fingerprint),
        ]
    }
}

/// The answer and what it rests on. Words may quote features and servers: each format escapes them.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// The answer.
    pub answer: Answer,
    /// Why, worst first; empty for a plain GO.
    pub reasons: Vec<String>,
    /// What to do about it, where there is one thing to do.
    pub hint: Option<String>,
    /// What its reader must know beside the answer.
    pub warnings: Vec<String>,
    /// What its reader may want to know.
    pub notes: Vec<String>,
    /// The run, when it was accepted.
    pub run: Option<Accepted>,
    /// What else there is to say of it.
    pub facts: Vec<Fact>,
    /// Checks that did not simply pass, worst first: failed, pending, waived.
    pub findings: Vec<Finding>,
    /// The record of the run, when it was accepted: for the format that tells every check.
    pub record: Option<Arc<Report>>,
}

impl Gate {
    /// The answer for a run that was accepted.
    #[must_use]
    pub fn accepted(verified: &Verified) -> Self {
        let (report, signer) = (verified.answered(), verified.signer());
        let mut gate = Self {
            answer: Answer::Verdict(verified.verdict().decision),
            reasons: verified.verdict().reasons.clone(),
            hint: None,
            warnings: Vec::new(),
            notes: Vec::new(),
            run: Some(Accepted {
                id: report.run.id.clone(),
                kind: report.run.kind.clone(),
                environment: report.run.scope.environment.clone(),
                finished: report.run.finished.clone(),
                signer: signer.identity.clone(),
                fingerprint: signer.fingerprint.clone(),
                counts: report.counts,
            }),
            facts: Vec::new(),
            findings: finding::of(report),
            record: Some(verified.answered_record()),
        };
        gate.subject(report);
        if verified.is_older() {
            let version = &report.run.tool.version;
            gate.warnings.push(format!(
                "made by gonogo {version}: its plan was compared with its inputs, but not its pages, the digest of its plan and the profiles that it keeps"
            ));
            gate.facts.push(Fact {
                key: "made_by",
                label: "made by",
                value: format!("{version}, compared in part"),
            });
        }
        gate.restated(report);
        gate.sharded(verified);
        gate.facts
            .extend(signer.certified.as_ref().map(|certified| {
                let Certified {
                    authority,
                    id,
                    serial,
                } = certified;
                Fact {
                    key: "authority",
                    label: "certified by",
                    value: format!("{authority} as `{id}`, serial {serial}"),
                }
            }));
        gate.facts.extend(verified.stamp().map(|stamp| Fact {
            key: "time_stamp",
            label: "time stamp",
            value: format!("{} by {}", crate::time::rfc3339(stamp.at), stamp.authority),
        }));
        if report.run.kind == "demo" {
            gate.notes.push(
                "this run was made on the practice estate and says nothing about a real one"
                    .to_owned(),
            );
        }
        if !signer.named {
            gate.warnings.push(
                "the signer is known by a pattern only, not by a name: name one with --identity"
                    .to_owned(),
            );
        }
        gate
    }

    fn subject(&mut self, report: &Report) {
        let told = report.run.subject.clone().unwrap_or_default();
        let release = told.release.map(|digest| format!("sha256:{digest}"));
        for (key, value) in [("commit", told.commit), ("release", release)] {
            self.facts.extend(value.map(|value| Fact {
                key,
                label: key,
                value,
            }));
        }
    }

    fn restated(&mut self, report: &Report) {
        let Some(restates) = &report.run.restates else {
            return;
        };
        self.warnings.extend(phrases::restated(report));
        let carried = report.checks.iter().filter(|check| check.carried.is_some());
        for (key, value) in [
            ("restates", restates.run.clone()),
            ("carried", carried.count().to_string()),
        ] {
            self.facts.push(Fact {
                key,
                label: key,
                value,
            });
        }
    }

    fn sharded(&mut self, verified: &Verified) {
        let run = &verified.report().run;
        let shard = run.scope.shard.as_ref().map(|shard| {
            let own = verified.report().checks.len();
            (
                "shard",
                format!("{}, {own} of {} checks", shard.name(), shard.checks),
            )
        });
        let shards = verified.shards().iter();
        let signed: Vec<_> = shards
            .map(|shard| format!("{} by {}", shard.name, shard.signer.identity))
            .collect();
        let merged = run.merged.as_ref().map(|_| ("merged", signed.join(", ")));
        for (key, value) in shard.into_iter().chain(merged) {
            self.facts.push(Fact {
                key,
                label: key,
                value,
            });
        }
    }

    /// The answer for a run that is not acceptable. It says nothing of what the run says.
    #[must_use]
    pub fn refused(reason: &Unacceptable) -> Self {
        let (reason, hint) = (reason.to_string(), reason.hint());
        Self::without_run(Answer::Unacceptable, reason, hint)
    }

    /// The answer when nothing could be looked at.
    #[must_use]
    pub fn not_judged(reason: String, hint: &str) -> Self {
        Self::without_run(Answer::NotJudged, reason, hint)
    }

    fn without_run(answer: Answer, reason: String, hint: &str) -> Self {
        Self {
            answer,
            reasons: vec![reason],
            hint: (!hint.is_empty()).then(|| hint.to_owned()),
            warnings: Vec::new(),
            notes: Vec::new(),
            run: None,
            facts: Vec::new(),
            findings: Vec::new(),
            record: None,
        }
    }

    /// The checks of that outcome, worst first.
    pub fn of(&self, outcome: Outcome) -> impl Iterator<Item = &Finding> {
        let findings = self.findings.iter();
        findings.filter(move |finding| finding.outcome == outcome)
    }

    /// As [`Gate::of`], each failure once, with how many more checks fail in the same words: one lost
    /// host is not to hide what else is wrong.
    #[must_use]
    pub fn grouped(&self, outcome: Outcome) -> Vec<(&Finding, usize)> {
        let mut groups: Vec<(&Finding, usize)> = Vec::new();
        let mut at = std::collections::HashMap::new();
        for finding in self.of(outcome) {
            let same = finding.failure();
            match at.get(&same) {
                Some(index) if outcome != Outcome::Pending => {
                    let (_, more): &mut (_, usize) = &mut groups[*index];
                    *more += 1;
                }
                _ => {
                    at.insert(same, groups.len());
                    groups.push((finding, 0));
                }
            }
        }
        groups
    }
}

#[cfg(test)]
pub(crate) mod sample;
