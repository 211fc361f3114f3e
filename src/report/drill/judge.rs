//! What a drill came to: a pure function of what was told and of the last drill's findings. Missing things make it
//! invalid; what fell short needs a finding with an owner and a day.

use std::collections::BTreeSet;
use std::time::Duration;

use super::OPERATOR;
use super::same::is_one;
use super::schema::{
    Begin, Bundle, Entry, Finding, Last, Missing, Outcome, Retrieval, Short, State, Step, Told,
    begin,
};
use super::sound::{is_over, time};
use crate::time::say;

/// What it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// In a word.
    pub outcome: Outcome,
    /// What makes it invalid.
    pub missing: Vec<Missing>,
    /// What fell short.
    pub short: Vec<Short>,
    /// What has to be done.
    pub findings: Vec<Finding>,
}

/// Judges what was told.
#[must_use]
pub fn judge(entries: &[Entry], last: Option<&Last>) -> Judged {
    let mut missing = Vec::new();
    let mut short = Vec::new();
    match begin(entries) {
        Some(begin) => {
            whole(begin, entries, &mut missing);
            delivered(entries, &mut short);
            answered(begin, entries, &mut missing, &mut short);
            levels(begin, entries, &mut missing, &mut short);
        }
        None => miss(&mut missing, "its beginning", "gonogo drill begin"),
    }
    let mut findings: Vec<Finding> = (entries.iter())
        .filter_map(|entry| match &entry.step {
            Step::Finding(finding) => Some(finding.clone()),
            _ => None,
        })
        .collect();
    let about: BTreeSet<&str> = findings
        .iter()
        .filter_map(|one| one.about.as_deref())
        .collect();
    let is_left = short.iter().any(|one| !about.contains(&*one.about));
    findings.extend(still_open(entries, last, &mut missing));
    let outcome = match () {
        () if !missing.is_empty() => Outcome::Invalid,
        () if is_left => Outcome::Failed,
        () if !findings.is_empty() => Outcome::WithFindings,
        () => Outcome::Passed,
    };
    Judged {
        outcome,
        missing,
        short,
        findings,
    }
}

fn miss(missing: &mut Vec<Missing>, what: impl Into<String>, hint: impl Into<String>) {
    missing.push(Missing {
        what: what.into(),
        hint: hint.into(),
    });
}

/// The last step that `pick` takes: what is told again replaces what was told before.
fn latest<T>(entries: &[Entry], pick: impl Fn(&Step) -> Option<&T>) -> Option<&T> {
    entries.iter().rev().find_map(|entry| pick(&entry.step))
}

macro_rules! latest {
    ($entries:expr, $step:ident) => {
        latest($entries, |step| match step {
            Step::$step(step) => Some(step),
            _ => None,
        })
    };
}

fn whole(begin: &Begin, entries: &[Entry], missing: &mut Vec<Missing>) {
    let retrieval = latest!(entries, Retrieval);
    if retrieval.is_none() {
        miss(
            missing,
            "the retrieval by every team from every production server",
            "run everything now, and note it: gonogo drill note DIR retrieval --run RUN --allowed-signers FILE",
        );
    }
    if latest!(entries, Request).is_none() {
        miss(
            missing,
            "the text of the request",
            "gonogo drill note DIR request --file FILE",
        );
    }
    let bundle = latest!(entries, Bundle);
    if bundle.is_none() {
        miss(
            missing,
            "the bundle",
            "gonogo drill note DIR bundle --file FILE",
        );
    }
    if let (Some(retrieval), Some(bundle)) = (retrieval, bundle) {
        of_this_run(retrieval, bundle, missing);
    }
    if let Some(bundle) = bundle {
        by_another(begin, bundle, missing);
    }
    let delivery = latest!(entries, Delivery);
    match (bundle, delivery) {
        (_, None) => miss(
            missing,
            "the delivery",
            "gonogo drill note DIR delivery --receipt FILE",
        ),
        (Some(bundle), Some(delivery)) => {
            let sent: BTreeSet<&str> = delivery.sha256.iter().map(|one| &**one).collect();
            let made: BTreeSet<&str> = bundle.files.iter().map(|one| &*one.sha256).collect();
            if sent != made {
                miss(
                    missing,
                    "a delivery of this bundle: the digests that arrived are not those of the bundle",
                    "deliver the bundle that was noted, or note the one that was delivered, with --again REASON",
                );
            }
            if delivery.at < bundle.at {
                miss(
                    missing,
                    "a delivery of this bundle: it was delivered before the bundle was ready",
                    "tell the true times with --at, and --again REASON",
                );
            }
        }
        (None, Some(_)) => {}
    }
    if latest!(entries, Deviation).is_none() {
        miss(
            missing,
            "whether something went another way than the process says",
            "gonogo drill note DIR deviation 'WHAT', or gonogo drill note DIR deviation --none",
        );
    }
}

/// The bundle is of the run in which every team fetched: built from it, and after it.
fn of_this_run(retrieval: &Retrieval, bundle: &Bundle, missing: &mut Vec<Missing>) {
    let hint = "build it from the run that was noted, with --reviewed-by NAME, and note it; or note the run that it was built from: --again REASON";
    let other = (bundle.said.iter()).find(|said| said.run_manifest != retrieval.manifest);
    if let Some(other) = other {
        let what = format!(
            "a bundle of this drill's run: it was built from run {}, and every team fetched in run {}",
            other.run, retrieval.run
        );
        miss(missing, what, hint);
    }
    if bundle.at < retrieval.finished {
        let what = "a bundle of this drill's run: it was ready before every team had fetched";
        miss(missing, what, hint);
    }
}

/// Whoever does it today is not who looks at it.
fn by_another(begin: &Begin, bundle: &Bundle, missing: &mut Vec<Missing>) {
    let mut roles = begin.roles.iter();
    let operator = roles.find(|role| role.role == OPERATOR);
    let own = bundle.said.iter().find(|said| {
        operator.is_some_and(|operator| is_one(begin, &operator.person, &said.reviewed_by))
    });
    if let Some(own) = own {
        let what = format!(
            "a bundle that a second person looked at: `{}`, who reviewed it, is the operator",
            own.reviewed_by
        );
        let hint = "somebody else looks at it and builds it with --reviewed-by NAME; note it with --again REASON, and that it was delivered";
        miss(missing, what, hint);
    }
}

/// What no receipt tells somebody has to look into.
fn delivered(entries: &[Entry], short: &mut Vec<Short>) {
    let Some(delivery) = latest!(entries, Delivery) else {
        return;
    };
    if delivery.receipts.is_empty() {
        short.push(Short {
            about: "delivery".to_owned(),
            what:
                "no receipt of `gonogo case deliver` proves it: the digests are what a person told"
                    .to_owned(),
        });
    }
}

fn answered(begin: &Begin, entries: &[Entry], missing: &mut Vec<Missing>, short: &mut Vec<Short>) {
    let Some(answer) = latest!(entries, Acknowledgement) else {
        miss(
            missing,
            "the vendor's acknowledgement",
            "gonogo drill note DIR acknowledgement --case NUMBER --from WHO --at TIME",
        );
        return;
    };
    let Some(delivery) = latest!(entries, Delivery) else {
        return;
    };
    let Some(took) = seconds(&delivery.at, &answer.at) else {
        miss(
            missing,
            "an acknowledgement of this delivery: it was given before the delivery",
            "tell the true times with --at, and --again REASON",
        );
        return;
    };
    let within = begin.agreed.acknowledged_within;
    if took > within {
        short.push(Short {
            about: "acknowledgement".to_owned(),
            what: format!(
                "the vendor answered after {}; {} is agreed",
                spoken(took),
                spoken(within)
            ),
        });
    }
}

fn levels(begin: &Begin, entries: &[Entry], missing: &mut Vec<Missing>, short: &mut Vec<Short>) {
    for level in &begin.agreed.escalation {
        let tried = latest(entries, |step| match step {
            Step::Escalation(step) if step.level == level.name => Some(step),
            _ => None,
        });
        let Some(tried) = tried else {
            miss(
                missing,
                format!("escalation level `{}`", level.name),
                format!(
                    "gonogo drill note DIR escalation {} --tried TIME [--answered TIME --from WHO]",
                    crate::text::shell_word(&level.name)
                ),
            );
            continue;
        };
        let took = tried
            .answered
            .as_deref()
            .map(|answered| seconds(&tried.tried, answered));
        let what = match (took, level.answers_within) {
            (Some(Some(took)), Some(within)) if took > within => format!(
                "`{}` answered after {}; {} is agreed",
                level.name,
                spoken(took),
                spoken(within)
            ),
            (Some(Some(_)), _) => continue,
            (Some(None), _) => format!("`{}` answered before it was tried", level.name),
            (None, _) => format!("`{}` did not answer", level.name),
        };
        short.push(Short {
            about: format!("escalation {}", level.name),
            what,
        });
    }
}

/// The findings of the last drill that are still open; each must have been told one way or the other.
fn still_open(entries: &[Entry], last: Option<&Last>, missing: &mut Vec<Missing>) -> Vec<Finding> {
    let found = last.map_or(&[][..], |last| &last.findings);
    let told = |id: &str| {
        entries.iter().rev().find_map(|entry| match &entry.step {
            Step::Last(step) if step.finding == id => Some((step, &*entry.at)),
            _ => None,
        })
    };
    for entry in entries {
        if let Step::Last(step) = &entry.step
            && !found.iter().any(|finding| finding.id == step.finding)
        {
            miss(
                missing,
                format!(
                    "finding `{}` of the last drill: it has none of that id",
                    step.finding
                ),
                "gonogo drill status DIR --drills FOLDER tells those that it has",
            );
        }
    }
    let mut open = Vec::new();
    for finding in found {
        let id = &finding.id;
        let hint = format!("gonogo drill note DIR last {id} closed|open --reason TEXT");
        let told = told(id);
        if let Some((
            Told {
                state: State::Closed,
                ..
            },
            _,
        )) = told
        {
            continue;
        }
        let mut still = Finding {
            // What fell short then answers for nothing that fell short today.
            about: None,
            ..finding.clone()
        };
        match told {
            Some((step, at)) => {
                still.due = step.due.clone().unwrap_or(still.due);
                if is_late(&still.due, at) {
                    let what = format!(
                        "by when finding `{id}` of the last drill is done: its day, {}, is over",
                        still.due
                    );
                    miss(missing, what, hint + " --due DAY, and --again REASON");
                }
            }
            None => {
                let what = format!(
                    "what became of finding `{id}` of the last drill: {}",
                    finding.what
                );
                miss(missing, what, hint);
            }
        }
        // One of which nobody spoke stays open, too: else an invalid drill would make it vanish for the next.
        open.push(still);
    }
    open
}

fn is_late(due: &str, at: &str) -> bool {
    match (crate::calendar::day(due), time("", at)) {
        (Ok(due), Ok(at)) => is_over(due, at),
        _ => true,
    }
}

/// Seconds from one time to another that is not before it.
fn seconds(from: &str, to: &str) -> Option<u64> {
    let (from, to) = (time("", from).ok()?, time("", to).ok()?);
    u64::try_from(to.duration_since(from).as_secs()).ok()
}

fn spoken(seconds: u64) -> String {
    match seconds {
        0 => "no time".to_owned(),
        seconds => say(Duration::from_secs(seconds)),
    }
}
