//! Answers to test formats with, made from the sample reports. Not compiled into the program.

use super::{Accepted, Answer, Gate, finding};
use crate::report::schema::Report;
use crate::report::verify::Unacceptable;
use crate::report::{judge, sample};

pub(crate) fn of(report: &Report) -> Gate {
    let verdict = judge(report);
    Gate {
        answer: Answer::Verdict(verdict.decision),
        reasons: verdict.reasons,
        hint: None,
        warnings: Vec::new(),
        notes: Vec::new(),
        run: Some(Accepted {
            id: report.run.id.clone(),
            kind: report.run.kind.clone(),
            environment: report.run.scope.environment.clone(),
            finished: report.run.finished.clone(),
            signer: "gonogo@ops.example".to_owned(),
            fingerprint: format!("SHA256:{}", "a".repeat(43)),
            counts: report.counts,
        }),
        facts: Vec::new(),
        findings: finding::of(report),
        record: Some(report.clone().into()),
    }
}

pub(crate) fn go() -> Gate {
    of(&sample::go())
}

pub(crate) fn no_go() -> Gate {
    of(&sample::no_go())
}

pub(crate) fn hold() -> Gate {
    of(&sample::hold())
}

/// 400 checks, 20 of them failed.
pub(crate) fn many() -> Gate {
    of(&sample::many(400))
}

pub(crate) fn refused() -> Gate {
    let reason = "the run finished 3 days ago, at 2026-11-21T09:30:00Z; 24h is allowed";
    Gate::refused(&Unacceptable::Stale(reason.to_owned()))
}

pub(crate) fn not_judged() -> Gate {
    Gate::not_judged("cannot read `allowed_signers`".to_owned(), "name it")
}

/// Hostile words in every place that takes any.
pub(crate) fn hostile() -> Gate {
    let mut gate = of(&sample::hostile());
    let words = || sample::HOSTILE.to_owned();
    gate.warnings.push(words());
    gate.notes.push(words());
    gate.reasons.push(words());
    gate.hint = Some(words());
    if let Some(run) = &mut gate.run {
        run.signer = words();
        run.finished = words();
    }
    gate
}

/// A refusal whose reason is hostile.
pub(crate) fn hostile_refusal() -> Gate {
    Gate::refused(&Unacceptable::Stale(sample::HOSTILE.to_owned()))
}
