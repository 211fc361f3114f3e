//! The report as Cucumber messages, one a line (NDJSON), for Cucumber's own formatters; a function of the
//! report and of the features' texts. A check is a scenario of its own and an attempt a test case that started.
//!
//! Cucumber knows no waiver: what is waived has failed, and says so. No check that did not pass has only passed
//! steps here, whatever its record says of the steps.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::phrases;
use super::schema::{Check, Failure, Report, Step};
use crate::text::{clip, escape};

/// The version of the messages that this is written by; a test validates against its schema.
const PROTOCOL: &str = "34.2.1";

const RUN: &str = "run";

/// Most characters of a word: messages are to be read, `report.json` holds the rest.
const MOST: usize = 2_000;

#[derive(Clone, Copy, Serialize)]
struct Location {
    line: u64,
}

#[derive(Serialize)]
struct Tag {
    location: Location,
    name: String,
    id: String,
}

#[derive(Serialize)]
struct AstStep {
    location: Location,
    keyword: String,
    text: String,
    id: String,
}

#[derive(Serialize)]
struct Scenario {
    location: Location,
    tags: Vec<Tag>,
    keyword: &'static str,
    name: String,
    description: &'static str,
    steps: Vec<AstStep>,
    examples: [(); 0],
    id: String,
}

#[derive(Serialize)]
struct Child {
    scenario: Scenario,
}

#[derive(Serialize)]
struct Feature {
    location: Location,
    tags: [(); 0],
    language: &'static str,
    keyword: &'static str,
    name: String,
    description: &'static str,
    children: Vec<Child>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    gherkin_document: GherkinDocument,
}

#[derive(Serialize)]
struct GherkinDocument {
    uri: String,
    feature: Feature,
    comments: [(); 0],
}

/// The messages of `report`; `features` are texts by the path that checks name, as far as they are known.
///
/// # Errors
/// Never for a report: its keys are text.
pub fn render(
    report: &Report,
    features: &BTreeMap<String, String>,
) -> Result<String, serde_json::Error> {
    let mut out = String::new();
    let tool = &report.run.tool;
    let mut meta = json!({
        "protocolVersion": PROTOCOL,
        "implementation": {"name": word(&tool.name), "version": word(&tool.version)},
        "runtime": {"name": word(&tool.name), "version": word(&tool.version)},
        "os": {"name": "unknown"},
        "cpu": {"name": "unknown"},
    });
    if let Some(url) = &report.run.ci {
        meta["ci"] = json!({"name": "CI", "url": word(url)});
    }
    line(&mut out, &json!({"meta": meta}))?;
    for (uri, text) in features {
        let source = json!({
            "uri": word(uri),
            "data": text,
            "mediaType": "text/x.cucumber.gherkin+plain",
        });
        line(&mut out, &json!({"source": source}))?;
    }
    for document in documents(report) {
        line(&mut out, &document)?;
    }
    let started = milliseconds(&report.run.started, 0);
    let started = json!({"id": RUN, "timestamp": instant(started)});
    line(&mut out, &json!({"testRunStarted": started}))?;
    for (number, check) in report.checks.iter().enumerate() {
        case(&mut out, number, check)?;
    }
    let begun = milliseconds(&report.run.started, 0);
    for (number, check) in report.checks.iter().enumerate() {
        attempts(&mut out, number, check, begun)?;
    }
    let said: Vec<_> = (report.verdict.reasons.iter())
        .map(|reason| word(reason))
        .collect();
    let finished = json!({
        "testRunStartedId": RUN,
        "message": format!("{}: {} {}", word(&report.verdict.decision), phrases::meaning(report), said.join("; ")),
        "success": report.verdict.decision == "GO",
        "timestamp": instant(milliseconds(&report.run.finished, begun)),
    });
    line(&mut out, &json!({"testRunFinished": finished}))?;
    Ok(out)
}

fn line(out: &mut String, message: &impl Serialize) -> Result<(), serde_json::Error> {
    *out += &serde_json::to_string(message)?;
    out.push('\n');
    Ok(())
}

fn word(text: &str) -> String {
    clip(&escape(text), MOST).into_owned()
}

/// Cucumber writes tags with their sign, reports without.
fn tag_name(tag: &str) -> String {
    format!("@{}", word(tag.strip_prefix('@').unwrap_or(tag)))
}

/// Since 1970; where a check never started, when its run did.
fn milliseconds(text: &str, otherwise: i64) -> i64 {
    let read = text.parse::<Timestamp>();
    read.map_or(otherwise, Timestamp::as_millisecond).max(0)
}

fn after(begun: i64, ms: u64) -> i64 {
    begun.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX))
}

fn instant(milliseconds: i64) -> Value {
    json!({"seconds": milliseconds / 1_000, "nanos": milliseconds % 1_000 * 1_000_000})
}

/// The steps of a check; one that tells that there are none, where there are none.
fn steps(check: &Check) -> Cow<'_, [Step]> {
    match check.steps.is_empty() {
        false => Cow::Borrowed(&check.steps),
        true => Cow::Owned(vec![Step {
            keyword: "*".to_owned(),
            text: "no step is recorded".to_owned(),
            outcome: "not-run".to_owned(),
            duration_ms: 0,
            artifacts: Vec::new(),
            asks: None,
        }]),
    }
}

fn documents(report: &Report) -> Vec<Document> {
    let mut features: BTreeMap<&str, Vec<Child>> = BTreeMap::new();
    for (number, check) in report.checks.iter().enumerate() {
        let location = Location { line: check.line };
        let tags = check.tags.iter().enumerate();
        let steps = steps(check);
        let steps = steps.iter().enumerate();
        let scenario = Scenario {
            location,
            tags: tags
                .map(|(at, tag)| Tag {
                    location,
                    name: tag_name(tag),
                    id: format!("s{number}t{at}"),
                })
                .collect(),
            keyword: "Scenario",
            name: name(check),
            description: "",
            steps: steps
                .map(|(at, step)| AstStep {
                    location,
                    keyword: word(&step.keyword) + " ",
                    text: word(&step.text),
                    id: format!("s{number}.{at}"),
                })
                .collect(),
            examples: [],
            id: format!("s{number}"),
        };
        features
            .entry(&check.feature)
            .or_default()
            .push(Child { scenario });
    }
    let document = |(uri, children): (&str, Vec<Child>)| Document {
        gherkin_document: GherkinDocument {
            uri: word(uri),
            feature: Feature {
                location: Location { line: 1 },
                tags: [],
                language: "en",
                keyword: "Feature",
                name: word(uri),
                description: "",
                children,
            },
            comments: [],
        },
    };
    features.into_iter().map(document).collect()
}

/// The scenario and what it is about: many checks have the same scenario.
fn name(check: &Check) -> String {
    let about = phrases::about(check);
    match about.is_empty() {
        true => word(&check.scenario),
        false => format!("{} ({})", word(&check.scenario), word(&about)),
    }
}

fn case(out: &mut String, number: usize, check: &Check) -> Result<(), serde_json::Error> {
    let steps = steps(check);
    let pickled: Vec<_> = (steps.iter().enumerate())
        .map(|(at, step)| {
            json!({"id": format!("p{number}.{at}"), "text": word(&step.text), "astNodeIds": [format!("s{number}.{at}")]})
        })
        .collect();
    let tags: Vec<_> = (check.tags.iter().enumerate())
        .map(|(at, tag)| json!({"name": tag_name(tag), "astNodeId": format!("s{number}t{at}")}))
        .collect();
    let pickle = json!({
        "id": format!("p{number}"),
        "uri": word(&check.feature),
        "location": Location { line: check.line },
        "name": name(check),
        "language": "en",
        "steps": pickled,
        "tags": tags,
        "astNodeIds": [format!("s{number}")],
    });
    line(out, &json!({"pickle": pickle}))?;
    let steps: Vec<_> = (0..steps.len())
        .map(|at| json!({"id": format!("c{number}.{at}"), "pickleStepId": format!("p{number}.{at}")}))
        .collect();
    let case = json!({
        "id": format!("c{number}"),
        "pickleId": format!("p{number}"),
        "testSteps": steps,
        "testRunStartedId": RUN,
    });
    line(out, &json!({"testCase": case}))
}

/// What is told of one step of one attempt.
struct Told {
    status: &'static str,
    ms: u64,
    message: Option<String>,
}

fn attempts(
    out: &mut String,
    number: usize,
    check: &Check,
    begun: i64,
) -> Result<(), serde_json::Error> {
    let steps = steps(check);
    for (at, attempt) in check.earlier.iter().enumerate() {
        let told = told(&steps, &attempt.steps, "failed", || {
            Some(failure(&attempt.failure))
        });
        let begun = milliseconds(attempt.started.as_deref().unwrap_or_default(), begun);
        played(out, number, at, begun, attempt.duration_ms, &told, true)?;
    }
    let told = told(&steps, &steps, &check.outcome, || message(check));
    let begun = milliseconds(check.started.as_deref().unwrap_or_default(), begun);
    let last = check.earlier.len();
    played(out, number, last, begun, check.duration_ms, &told, false)
}

fn failure(failure: &Failure) -> String {
    let place =
        phrases::place(failure).map_or_else(String::new, |place| format!("\nwhere: {place}"));
    let subject =
        (failure.subject.as_ref()).map_or_else(String::new, |what| format!("\nwhat: {what}"));
    let told = format!(
        "{}{place}{subject}\nexpected: {}\nactual: {}\nhint: {}",
        failure.kind, failure.expected, failure.actual, failure.hint
    );
    told.lines().map(word).collect::<Vec<_>>().join("\n")
}

fn message(check: &Check) -> Option<String> {
    let waiver = check.waiver.as_ref();
    let waiver = waiver.map(|waiver| format!("waived: {}", word(&phrases::waiver(waiver))));
    let waits =
        (phrases::waits_for(check)).map(|what| format!("waits for a person: {}", word(&what)));
    let failure = check.failure.as_ref().map(failure);
    let carried = phrases::carried(check).map(|told| word(&told));
    let told: Vec<_> = [waiver, waits, failure, carried]
        .into_iter()
        .flatten()
        .collect();
    (!told.is_empty()).then(|| told.join("\n"))
}

/// `steps` are those of the test case, `done` those of the attempt: an attempt may tell fewer.
fn told(
    steps: &[Step],
    done: &[Step],
    outcome: &str,
    message: impl Fn() -> Option<String>,
) -> Vec<Told> {
    let mut left: Vec<Option<&Step>> = done.iter().map(Some).collect();
    let mut told: Vec<_> = (steps.iter())
        .map(|step| {
            let same = |other: &Option<&Step>| {
                other.is_some_and(|other| other.text == step.text && other.keyword == step.keyword)
            };
            let found = left
                .iter_mut()
                .find(|other| same(other))
                .and_then(Option::take);
            let status = match found.map(|found| found.outcome.as_str()) {
                Some("passed") => "PASSED",
                Some("failed") => "FAILED",
                Some("pending") => "PENDING",
                _ => "SKIPPED",
            };
            Told {
                status,
                ms: found.map_or(0, |found| found.duration_ms),
                message: None,
            }
        })
        .collect();
    let wanted = match outcome {
        "passed" => None,
        "pending" => Some("PENDING"),
        _ => Some("FAILED"),
    };
    if let Some(wanted) = wanted {
        let is = |status: &'static str| move |one: &Told| one.status == status;
        let at = (told.iter().position(is(wanted)))
            .or_else(|| told.iter().position(is("SKIPPED")))
            .unwrap_or(told.len().saturating_sub(1));
        if let Some(one) = told.get_mut(at) {
            one.status = wanted;
            one.message = message();
        }
    }
    told
}

fn played(
    out: &mut String,
    number: usize,
    attempt: usize,
    begun: i64,
    whole: u64,
    told: &[Told],
    again: bool,
) -> Result<(), serde_json::Error> {
    let id = format!("c{number}a{attempt}");
    let started = json!({
        "id": id,
        "attempt": attempt,
        "testCaseId": format!("c{number}"),
        "timestamp": instant(begun),
    });
    line(out, &json!({"testCaseStarted": started}))?;
    let mut now = begun;
    for (at, one) in told.iter().enumerate() {
        let step = format!("c{number}.{at}");
        let started =
            json!({"testCaseStartedId": id, "testStepId": step, "timestamp": instant(now)});
        line(out, &json!({"testStepStarted": started}))?;
        now = after(now, one.ms);
        let mut result = json!({
            "status": one.status,
            "duration": {"seconds": one.ms / 1_000, "nanos": one.ms % 1_000 * 1_000_000},
        });
        if let Some(message) = &one.message {
            result["message"] = json!(message);
        }
        let finished = json!({
            "testCaseStartedId": id,
            "testStepId": step,
            "testStepResult": result,
            "timestamp": instant(now),
        });
        line(out, &json!({"testStepFinished": finished}))?;
    }
    let finished = json!({
        "testCaseStartedId": id,
        "timestamp": instant(now.max(after(begun, whole))),
        "willBeRetried": again,
    });
    line(out, &json!({"testCaseFinished": finished}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn messages(report: &Report) -> Vec<Value> {
        let features = BTreeMap::from([("a.feature".to_owned(), "Feature: a\n".to_owned())]);
        let text = render(report, &features).unwrap();
        assert_eq!(text, render(report, &features).unwrap());
        let read = |line: &str| serde_json::from_str(line).unwrap();
        text.lines().map(read).collect()
    }

    fn of<'a>(messages: &'a [Value], kind: &str) -> Vec<&'a Value> {
        messages.iter().filter_map(|one| one.get(kind)).collect()
    }

    /// Statuses of each attempt of the check of that number.
    fn statuses(messages: &[Value], number: usize) -> Vec<Vec<&str>> {
        let mut all: Vec<Vec<&str>> = Vec::new();
        for started in of(messages, "testCaseStarted") {
            if started["testCaseId"] == format!("c{number}") {
                let steps = of(messages, "testStepFinished").into_iter();
                let steps = steps.filter(|one| one["testCaseStartedId"] == started["id"]);
                let steps = steps.map(|one| one["testStepResult"]["status"].as_str().unwrap());
                all.push(steps.collect());
            }
        }
        all
    }

    #[test]
    fn only_a_passed_check_has_only_passed_steps() {
        for report in [
            sample::go(),
            sample::no_go(),
            sample::hold(),
            sample::hostile(),
        ] {
            let messages = messages(&report);
            for (number, check) in report.checks.iter().enumerate() {
                let attempts = statuses(&messages, number);
                assert_eq!(attempts.len(), check.earlier.len() + 1);
                let last = attempts.last().unwrap();
                let passed = last.iter().all(|status| *status == "PASSED");
                assert_eq!(passed, check.outcome == "passed", "{}", check.id);
            }
            let finished = of(&messages, "testRunFinished");
            assert_eq!(finished[0]["success"], report.verdict.decision == "GO");
        }
    }

    #[test]
    fn what_did_not_pass_is_told_whatever_the_record_says_of_its_steps() {
        let mut report = sample::no_go();
        // Lost before its first step, lost behind its last one, and none recorded at all.
        for step in &mut report.checks[6].steps {
            step.outcome = "not-run".to_owned();
        }
        for step in &mut report.checks[15].steps {
            step.outcome = "passed".to_owned();
        }
        report.checks[22].steps.clear();
        let messages = messages(&report);
        assert_eq!(
            statuses(&messages, 6),
            [["FAILED", "SKIPPED", "SKIPPED", "SKIPPED"]]
        );
        assert_eq!(
            statuses(&messages, 15),
            [["PASSED", "PASSED", "PASSED", "FAILED"]]
        );
        assert_eq!(statuses(&messages, 22), [["FAILED"]]);
        assert_eq!(statuses(&messages, 28), [["PASSED", "PENDING"]]);
        let told: Vec<_> = (of(&messages, "testStepFinished").into_iter())
            .filter_map(|one| one["testStepResult"]["message"].as_str())
            .collect();
        assert!(
            told.iter()
                .any(|told| told.starts_with("waived: W-2026-07"))
        );
        assert!(told.iter().any(|told| told.contains("permission denied")));
    }

    #[test]
    fn every_attempt_is_told_and_only_the_last_is_not_retried() {
        let messages = messages(&sample::go());
        assert_eq!(
            statuses(&messages, 5)[0],
            ["SKIPPED", "SKIPPED", "FAILED", "SKIPPED"]
        );
        assert_eq!(statuses(&messages, 5)[1], ["PASSED"; 4]);
        let again: Vec<_> = (of(&messages, "testCaseFinished").into_iter())
            .filter(|one| {
                one["testCaseStartedId"]
                    .as_str()
                    .unwrap()
                    .starts_with("c5a")
            })
            .map(|one| one["willBeRetried"].as_bool().unwrap())
            .collect();
        assert_eq!(again, [true, false]);
    }

    #[test]
    fn ids_stand_once_and_hostile_words_steer_nothing() {
        let mut report = sample::hostile();
        report.run.started = "0001-01-01T00:00:00Z".to_owned();
        report.checks[0].duration_ms = u64::MAX;
        report.checks[0].steps[0].duration_ms = u64::MAX;
        let messages = messages(&report);
        let mut ids = std::collections::BTreeSet::new();
        for kind in ["pickle", "testCase", "testCaseStarted"] {
            for one in of(&messages, kind) {
                assert!(ids.insert(one["id"].as_str().unwrap()), "{one}");
            }
        }
        for one in messages {
            // JSON escapes control characters itself: what is read must have none.
            let text = one.to_string();
            assert!(
                !text.contains("\\u001b") && !text.contains('\u{202e}'),
                "{text}"
            );
        }
    }

    #[test]
    fn twenty_thousand_checks_are_written() {
        let text = render(&sample::rounds(50), &BTreeMap::new()).unwrap();
        assert_eq!(text.matches("{\"testCaseFinished\"").count(), 20_000);
    }
}
