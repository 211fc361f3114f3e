//! `junit.xml`: one suite a feature, one case a check, for whatever reads JUnit. Only characters of
//! XML 1.0 come out, and no CDATA (facts: traps.md T5).

use std::borrow::Cow;
use std::time::Duration;

use quick_junit::{NonSuccessKind, SerializeError, TestCase, TestCaseStatus, TestRerun, TestSuite};

use super::phrases;
use super::schema::{Check, Failure, Report};
use crate::text;

/// The report as JUnit XML.
///
/// A waived or pending check is a skipped case that says why. A NO-GO that no failed check explains
/// (aborted, partial, incomplete, nothing planned) has a failed case of its own, so that it is red
/// wherever JUnit is shown.
///
/// # Errors
/// Passed on from the XML writer; a report gives it no cause.
pub fn render(report: &Report) -> Result<String, SerializeError> {
    let mut suites = Vec::new();
    if report.verdict.decision != "GO" {
        suites.extend(verdict(report));
    }
    suites.extend(of_checks(report));
    if suites.is_empty() {
        suites.push(suite(report, "gonogo"));
    }
    page(suites)
}

/// The suites of its checks alone.
pub(super) fn of_checks(report: &Report) -> Vec<TestSuite> {
    let mut suites: Vec<TestSuite> = Vec::new();
    for check in &report.checks {
        let feature = safe(&check.feature);
        let index = suites.iter().position(|suite| *suite.name == *feature);
        let index = index.unwrap_or_else(|| {
            suites.push(suite(report, &feature));
            suites.len() - 1
        });
        suites[index].add_test_case(case(check));
    }
    suites
}

/// All suites as one page, with their times.
pub(super) fn page(suites: Vec<TestSuite>) -> Result<String, SerializeError> {
    let mut junit = quick_junit::Report::new("gonogo");
    for mut suite in suites {
        let times = suite.test_cases.iter().filter_map(|case| case.time);
        suite.time = Some(times.sum());
        junit.add_test_suite(suite);
    }
    junit.time = Some(
        junit
            .test_suites
            .iter()
            .filter_map(|suite| suite.time)
            .sum(),
    );
    junit.to_string()
}

fn suite(report: &Report, name: &str) -> TestSuite {
    let mut suite = TestSuite::new(name);
    let run = &report.run;
    let started = safe(&run.started);
    suite.extra.insert("timestamp".into(), (&*started).into());
    suite
        .extra
        .insert("hostname".into(), (&*safe(&run.runner)).into());
    for (name, value) in [
        ("run", &run.id),
        ("verdict", &report.verdict.decision),
        ("environment", &run.scope.environment),
    ] {
        suite.add_property((name, &*safe(value)));
    }
    for reason in &report.verdict.reasons {
        suite.add_property(("reason", &*safe(reason)));
    }
    suite
}

/// The verdict as a case, when the checks alone would leave the page green or empty.
fn verdict(report: &Report) -> Option<TestSuite> {
    let run = &report.run;
    let is_whole = run.aborted.is_none() && run.kind != "aborted" && !run.scope.partial;
    let red = report.checks.iter().any(|check| check.outcome == "failed");
    let skipped = report.checks.iter().any(|check| check.outcome == "pending");
    let is_told = match &*report.verdict.decision {
        "HOLD" => skipped,
        _ => is_whole && red,
    };
    if is_told {
        return None;
    }
    let mut status = match &*report.verdict.decision {
        "HOLD" => TestCaseStatus::skipped(),
        _ => TestCaseStatus::non_success(NonSuccessKind::Failure),
    };
    let reasons: Vec<_> = report.verdict.reasons.iter().map(|one| safe(one)).collect();
    status.set_type("verdict");
    status.set_message(reasons.first().map_or("no reason stated", |first| first));
    status.set_description(reasons.join("\n"));
    let mut case = TestCase::new(
        format!("verdict: {}", safe(&report.verdict.decision)),
        status,
    );
    case.set_classname("gonogo").set_time(Duration::ZERO);
    let mut suite = suite(report, "gonogo");
    suite.add_test_case(case);
    Some(suite)
}

fn case(check: &Check) -> TestCase {
    let about = phrases::about(check);
    let name = match about.is_empty() {
        true => check.scenario.clone(),
        false => format!("{} @ {about}", check.scenario),
    };
    let mut case = TestCase::new(&*safe(&name), status(check));
    case.set_classname(&*safe(&check.feature));
    case.set_time(Duration::from_millis(check.duration_ms));
    if let Some(started) = &check.started {
        case.extra
            .insert("timestamp".into(), (&*safe(started)).into());
    }
    case.add_property(("id", &*safe(&check.id)));
    if let Some(carried) = phrases::carried(check) {
        case.add_property(("carried over from", &*safe(&carried)));
    }
    for tag in &check.tags {
        case.add_property(("tag", &*safe(tag)));
    }
    for evidence in &check.evidence {
        let name = format!("sha256 {}", evidence.path);
        case.add_property((&*safe(&name), &*safe(&evidence.sha256)));
    }
    case
}

fn status(check: &Check) -> TestCaseStatus {
    let mut status = match &*check.outcome {
        "passed" => TestCaseStatus::success(),
        "pending" => {
            let mut status = TestCaseStatus::skipped();
            let step = phrases::waits_for(check).unwrap_or_default();
            status.set_type("pending");
            status.set_message(safe(&format!("waits for a person: {step}")));
            let command = phrases::how_to_answer(check).unwrap_or_default();
            status.set_description(safe(&format!("answer by: {command}")));
            status
        }
        "waived" => {
            let mut status = TestCaseStatus::skipped();
            let waiver = check.waiver.as_ref().map(phrases::waiver);
            let waiver = waiver.unwrap_or_default();
            status.set_type("waived");
            status.set_message(safe(&format!("waiver {waiver}")));
            if let Some(failure) = &check.failure {
                status.set_description(description(failure));
            }
            status
        }
        // Whatever is not known to be good is red.
        _ => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            match &check.failure {
                Some(failure) => {
                    status.set_type(safe(&failure.kind));
                    status.set_message(safe(&message(failure)));
                    status.set_description(description(failure));
                }
                None => {
                    status.set_type("undefined");
                    status.set_message("failed, and states no failure");
                }
            }
            status
        }
    };
    for attempt in &check.earlier {
        let mut rerun = TestRerun::new(NonSuccessKind::Failure);
        rerun.set_type(safe(&attempt.failure.kind));
        rerun.set_message(safe(&message(&attempt.failure)));
        rerun.set_time(Duration::from_millis(attempt.duration_ms));
        status.add_rerun(rerun);
    }
    status
}

fn message(failure: &Failure) -> String {
    format!("expected {}, got {}", failure.expected, failure.actual)
}

fn description(failure: &Failure) -> String {
    let place = phrases::place(failure);
    let rows = [
        ("where", place.as_ref()),
        ("what", failure.subject.as_ref()),
        ("expected", Some(&failure.expected)),
        ("actual", Some(&failure.actual)),
        ("hint", Some(&failure.hint)),
    ];
    let rows = rows.into_iter().filter_map(|(label, words)| {
        let words = words.filter(|words| !words.is_empty())?;
        Some(format!("{label}: {}", safe(words)))
    });
    rows.collect::<Vec<_>>().join("\n")
}

/// Only characters of XML 1.0 (production 2 `Char`) that also steer nothing: controls become visible
/// escapes, and so do the two noncharacters that XML forbids.
pub(super) fn safe(words: &str) -> Cow<'_, str> {
    let safe = text::escape(words);
    match safe.contains(['\u{fffe}', '\u{ffff}']) {
        false => safe,
        true => Cow::Owned(
            safe.replace('\u{fffe}', "\\u{fffe}")
                .replace('\u{ffff}', "\\u{ffff}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use roxmltree::{Document, Node};

    use super::*;
    use crate::report::sample;

    fn all<'a>(document: &'a Document, tag: &'a str) -> Vec<Node<'a, 'a>> {
        let nodes = document.descendants();
        nodes.filter(|node| node.has_tag_name(tag)).collect()
    }

    #[test]
    fn one_suite_a_feature_one_case_a_check() {
        let xml = render(&sample::no_go()).unwrap();
        let document = Document::parse(&xml).unwrap();
        let root = document.root_element();
        assert_eq!(root.attribute("tests"), Some("29"));
        assert_eq!(root.attribute("failures"), Some("2"));
        let suites = all(&document, "testsuite");
        let names: Vec<_> = suites
            .iter()
            .filter_map(|suite| suite.attribute("name"))
            .collect();
        assert_eq!(
            names,
            ["features/amps/retrieve.feature", "features/vendor.feature"]
        );
        assert_eq!(
            suites[0].attribute("timestamp"),
            Some("2026-11-21T09:30:00Z")
        );
        let failure = all(&document, "failure")[0];
        assert_eq!(failure.attribute("type"), Some("denied"));
        assert!(
            failure
                .text()
                .unwrap()
                .contains("hint: add support to the group amps")
        );
        let case = failure.parent().unwrap();
        let name = "support retrieves the event log of orders @ orders/ny4-amps-1/support";
        assert_eq!(case.attribute("name"), Some(name));
        assert_eq!(
            case.attribute("classname"),
            Some("features/amps/retrieve.feature")
        );
        assert_eq!(case.attribute("time"), Some("1.240"));
        let skipped = all(&document, "skipped");
        let types: Vec<_> = skipped
            .iter()
            .filter_map(|one| one.attribute("type"))
            .collect();
        assert_eq!(types, ["waived", "pending"]);
        assert_eq!(all(&document, "flakyFailure").len(), 1);
        let property = all(&document, "property")[1];
        assert_eq!(property.attribute("value"), Some("NO-GO"));
    }

    #[test]
    fn a_no_go_is_red_and_a_go_is_green() {
        let red = |report: &Report| {
            let xml = render(report).unwrap();
            let document = Document::parse(&xml).unwrap();
            let cases = all(&document, "testcase").len();
            let root = document.root_element();
            (cases, root.attribute("failures").unwrap().to_owned())
        };
        assert_eq!(red(&sample::go()), (28, "0".to_owned()));
        assert_eq!(red(&sample::hold()), (29, "0".to_owned()));
        assert_eq!(red(&sample::aborted()), (1, "1".to_owned()));
        let mut partial = sample::go();
        partial.run.scope.partial = true;
        partial.verdict.decision = "NO-GO".to_owned();
        assert_eq!(red(&partial), (29, "1".to_owned()));
    }

    #[test]
    fn hostile_words_stay_words() {
        let xml = render(&sample::hostile()).unwrap();
        let document = Document::parse(&xml).unwrap();
        assert_eq!(all(&document, "script").len(), 0);
        assert!(!xml.contains("CDATA") && !xml.contains("<script"));
        assert!(!xml.contains(|c: char| c != '\n' && text::is_unsafe(c)));
        assert!(!xml.contains(['\u{ffff}', '\u{fffe}']));
        let message = all(&document, "failure")[0]
            .attribute("message")
            .unwrap()
            .to_owned();
        assert!(message.contains("\\u{1b}[2J\\u{0}]]>"), "{message}");
    }
}
