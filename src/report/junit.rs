//! `junit.xml`: one suite a feature, one case a check, for whatever reads JUnit. Only characters of
//! XML 1.0 come out, and no CDATA (facts: traps.md T5).

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

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
pub fn render(report: &Report) -> io::Result<String> {
    let mut suites = Vec::new();
    if report.verdict.decision != "GO" {
        suites.extend(verdict(report));
    }
    suites.extend(of_checks(report));
    if suites.is_empty() {
        suites.push(suite(report, "gonogo".into()));
    }
    page(&suites)
}

/// A suite: what is said of it, and its cases.
pub(super) struct Suite<'r> {
    pub name: Cow<'r, str>,
    pub attributes: Vec<(&'static str, Cow<'r, str>)>,
    pub properties: Vec<(Cow<'r, str>, Cow<'r, str>)>,
    pub cases: Vec<Case<'r>>,
}

/// A check, told when it is written (a large run has a hundred thousand), or a case that is none.
pub(super) enum Case<'r> {
    Of(&'r Check),
    Own(Box<Told<'r>>),
}

/// A case as it is written.
pub(super) struct Told<'r> {
    pub name: Cow<'r, str>,
    pub class: Cow<'r, str>,
    pub time: Duration,
    pub started: Option<Cow<'r, str>>,
    pub properties: Vec<(Cow<'r, str>, Cow<'r, str>)>,
    pub status: Status<'r>,
    /// Attempts before the last one.
    pub earlier: Vec<Rerun<'r>>,
}

/// How a case ended.
pub(super) enum Status<'r> {
    Success,
    Skipped(Why<'r>),
    Failure(Why<'r>),
}

/// Why a case is no success.
pub(super) struct Why<'r> {
    pub kind: Cow<'r, str>,
    pub message: Cow<'r, str>,
    pub description: Option<String>,
}

pub(super) struct Rerun<'r> {
    kind: Cow<'r, str>,
    message: String,
    time: Duration,
}

/// What a page counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Success,
    Skipped,
    Failure,
}

impl Case<'_> {
    fn sort(&self) -> Sort {
        match self {
            Self::Of(check) => match &*check.outcome {
                "passed" => Sort::Success,
                "pending" | "waived" => Sort::Skipped,
                // Whatever is not known to be good is red.
                _ => Sort::Failure,
            },
            Self::Own(told) => match told.status {
                Status::Success => Sort::Success,
                Status::Skipped(_) => Sort::Skipped,
                Status::Failure(_) => Sort::Failure,
            },
        }
    }

    fn time(&self) -> Duration {
        match self {
            Self::Of(check) => Duration::from_millis(check.duration_ms),
            Self::Own(told) => told.time,
        }
    }
}

/// The suites of its checks alone.
pub(super) fn of_checks(report: &Report) -> Vec<Suite<'_>> {
    let mut suites: Vec<Suite<'_>> = Vec::new();
    for check in &report.checks {
        let feature = safe(&check.feature);
        let index = suites.iter().position(|suite| suite.name == feature);
        let index = index.unwrap_or_else(|| {
            suites.push(suite(report, feature));
            suites.len() - 1
        });
        suites[index].cases.push(Case::Of(check));
    }
    suites
}

fn suite<'r>(report: &'r Report, name: Cow<'r, str>) -> Suite<'r> {
    let run = &report.run;
    let mut properties = vec![
        ("run".into(), safe(&run.id)),
        ("verdict".into(), safe(&report.verdict.decision)),
        ("environment".into(), safe(&run.scope.environment)),
    ];
    let reasons = report.verdict.reasons.iter();
    properties.extend(reasons.map(|reason| ("reason".into(), safe(reason))));
    Suite {
        name,
        attributes: vec![
            ("timestamp", safe(&run.started)),
            ("hostname", safe(&run.runner)),
        ],
        properties,
        cases: Vec::new(),
    }
}

/// The verdict as a case, when the checks alone would leave the page green or empty.
fn verdict(report: &Report) -> Option<Suite<'_>> {
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
    let reasons: Vec<_> = report.verdict.reasons.iter().map(|one| safe(one)).collect();
    let why = Why {
        kind: "verdict".into(),
        description: Some(reasons.join("\n")),
        message: reasons.into_iter().next().unwrap_or(NO_REASON),
    };
    let mut suite = suite(report, "gonogo".into());
    suite.cases.push(Case::Own(Box::new(Told {
        name: format!("verdict: {}", safe(&report.verdict.decision)).into(),
        class: "gonogo".into(),
        time: Duration::ZERO,
        started: None,
        properties: Vec::new(),
        status: match &*report.verdict.decision {
            "HOLD" => Status::Skipped(why),
            _ => Status::Failure(why),
        },
        earlier: Vec::new(),
    })));
    Some(suite)
}

/// Of what is no success and says no more.
pub(super) const NO_REASON: Cow<'static, str> = Cow::Borrowed("no reason stated");

fn case(check: &Check) -> Told<'_> {
    let about = phrases::about(check);
    let name = match about.is_empty() {
        true => safe(&check.scenario),
        false => Cow::Owned(safe(&format!("{} @ {about}", check.scenario)).into_owned()),
    };
    let mut properties: Vec<(Cow<'_, str>, Cow<'_, str>)> = vec![("id".into(), safe(&check.id))];
    if let Some(carried) = phrases::carried(check) {
        let carried = safe(&carried).into_owned();
        properties.push(("carried over from".into(), carried.into()));
    }
    properties.extend(check.tags.iter().map(|tag| ("tag".into(), safe(tag))));
    for evidence in &check.evidence {
        let name = safe(&format!("sha256 {}", evidence.path)).into_owned();
        properties.push((name.into(), safe(&evidence.sha256)));
    }
    let earlier = check.earlier.iter().map(|attempt| Rerun {
        kind: safe(&attempt.failure.kind),
        message: safe(&message(&attempt.failure)).into_owned(),
        time: Duration::from_millis(attempt.duration_ms),
    });
    Told {
        name,
        class: safe(&check.feature),
        time: Duration::from_millis(check.duration_ms),
        started: check.started.as_deref().map(safe),
        properties,
        status: status(check),
        earlier: earlier.collect(),
    }
}

fn status(check: &Check) -> Status<'_> {
    match &*check.outcome {
        "passed" => Status::Success,
        "pending" => {
            let step = phrases::waits_for(check).unwrap_or_default();
            let command = phrases::how_to_answer(check).unwrap_or_default();
            Status::Skipped(Why {
                kind: "pending".into(),
                message: safe(&format!("waits for a person: {step}"))
                    .into_owned()
                    .into(),
                description: Some(safe(&format!("answer by: {command}")).into_owned()),
            })
        }
        "waived" => {
            let waiver = check.waiver.as_ref().map(phrases::waiver);
            let waiver = waiver.unwrap_or_default();
            Status::Skipped(Why {
                kind: "waived".into(),
                message: safe(&format!("waiver {waiver}")).into_owned().into(),
                description: check.failure.as_ref().map(description),
            })
        }
        // Whatever is not known to be good is red.
        _ => Status::Failure(match &check.failure {
            Some(failure) => Why {
                kind: safe(&failure.kind),
                message: safe(&message(failure)).into_owned().into(),
                description: Some(description(failure)),
            },
            None => Why {
                kind: "undefined".into(),
                message: "failed, and states no failure".into(),
                description: None,
            },
        }),
    }
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
    let mut description = String::new();
    for (label, words) in rows {
        let Some(words) = words.filter(|words| !words.is_empty()) else {
            continue;
        };
        if !description.is_empty() {
            description.push('\n');
        }
        description.push_str(label);
        description.push_str(": ");
        description.push_str(&safe(words));
    }
    description
}

/// All suites as one page, with their sums.
pub(super) fn page(suites: &[Suite<'_>]) -> io::Result<String> {
    let mut out = Writer::new_with_indent(Vec::new(), b' ', 4);
    let decl = BytesDecl::new("1.0", Some("UTF-8"), None);
    out.write_event(Event::Decl(decl))?;
    let cases = || suites.iter().flat_map(|suite| &suite.cases);
    let mut tag = BytesStart::new("testsuites");
    tag.push_attribute(("name", "gonogo"));
    sums(&mut tag, cases, ["tests", "skipped", "failures", "errors"]);
    out.write_event(Event::Start(tag))?;
    for suite in suites {
        let mut tag = BytesStart::new("testsuite");
        tag.push_attribute(("name", &*suite.name));
        let order = ["tests", "skipped", "errors", "failures"];
        sums(&mut tag, || suite.cases.iter(), order);
        for (name, value) in &suite.attributes {
            tag.push_attribute((*name, &**value));
        }
        out.write_event(Event::Start(tag))?;
        properties(&mut out, &suite.properties)?;
        for one in &suite.cases {
            match one {
                Case::Of(check) => write(&mut out, &case(check))?,
                Case::Own(told) => write(&mut out, told)?,
            }
        }
        end(&mut out, "testsuite")?;
    }
    end(&mut out, "testsuites")?;
    out.write_event(Event::Eof)?;
    out.write_indent()?;
    String::from_utf8(out.into_inner()).map_err(io::Error::other)
}

type Page = Writer<Vec<u8>>;

/// Counts and time of cases, as attributes in that order.
fn sums<'c, 'r: 'c, I>(tag: &mut BytesStart<'_>, cases: impl Fn() -> I, order: [&str; 4])
where
    I: Iterator<Item = &'c Case<'r>>,
{
    let of = |sort: Sort| cases().filter(|case| case.sort() == sort).count();
    for name in order {
        let number = match name {
            "skipped" => of(Sort::Skipped),
            "failures" => of(Sort::Failure),
            // What is no fault of the estate ends a run before there is a page.
            "errors" => 0,
            _ => cases().count(),
        };
        tag.push_attribute((name, &*number.to_string()));
    }
    time(tag, cases().map(Case::time).sum());
}

fn time(tag: &mut BytesStart<'_>, time: Duration) {
    tag.push_attribute(("time", &*format!("{:.3}", time.as_secs_f64())));
}

fn end(out: &mut Page, tag: &str) -> io::Result<()> {
    out.write_event(Event::End(BytesEnd::new(tag)))
}

fn properties(out: &mut Page, all: &[(Cow<'_, str>, Cow<'_, str>)]) -> io::Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    out.write_event(Event::Start(BytesStart::new("properties")))?;
    for (name, value) in all {
        let mut tag = BytesStart::new("property");
        tag.push_attribute(("name", &**name));
        tag.push_attribute(("value", &**value));
        out.write_event(Event::Empty(tag))?;
    }
    end(out, "properties")
}

fn write(out: &mut Page, told: &Told<'_>) -> io::Result<()> {
    let mut tag = BytesStart::new("testcase");
    tag.push_attribute(("name", &*told.name));
    tag.push_attribute(("classname", &*told.class));
    time(&mut tag, told.time);
    if let Some(started) = &told.started {
        tag.push_attribute(("timestamp", &**started));
    }
    let is_bare = told.properties.is_empty() && told.earlier.is_empty();
    if is_bare && matches!(told.status, Status::Success) {
        return out.write_event(Event::Empty(tag));
    }
    out.write_event(Event::Start(tag))?;
    properties(out, &told.properties)?;
    match &told.status {
        Status::Success => reruns(out, "flakyFailure", &told.earlier)?,
        Status::Skipped(why) => because(out, "skipped", why)?,
        Status::Failure(why) => {
            because(out, "failure", why)?;
            reruns(out, "rerunFailure", &told.earlier)?;
        }
    }
    end(out, "testcase")
}

fn because(out: &mut Page, name: &str, why: &Why<'_>) -> io::Result<()> {
    let mut tag = BytesStart::new(name);
    tag.push_attribute(("message", &*why.message));
    tag.push_attribute(("type", &*why.kind));
    match &why.description {
        None => out.write_event(Event::Empty(tag)),
        Some(description) => {
            out.write_event(Event::Start(tag))?;
            out.write_event(Event::Text(BytesText::new(description)))?;
            end(out, name)
        }
    }
}

fn reruns(out: &mut Page, name: &str, all: &[Rerun<'_>]) -> io::Result<()> {
    for rerun in all {
        let mut tag = BytesStart::new(name);
        time(&mut tag, rerun.time);
        tag.push_attribute(("message", &*rerun.message));
        tag.push_attribute(("type", &*rerun.kind));
        out.write_event(Event::Start(tag))?;
        end(out, name)?;
    }
    Ok(())
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
