//! The gate's answer as JUnit, for CI servers that read nothing else: the gate is a case of its own, and red
//! for whatever is no GO, so that no page of a run that was refused is green. The checks stand behind it, of a
//! run that was accepted alone.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use super::Gate;
use crate::report::junit::{Case, NO_REASON, Status, Suite, Told, Why, of_checks, page, safe};

/// Why there is no page.
pub type Fault = io::Error;

/// The page.
///
/// # Errors
/// Passed on from the XML writer; an answer gives it no cause.
pub fn render(gate: &Gate, exit: u8) -> Result<String, Fault> {
    let mut suites = vec![suite(gate, exit)];
    suites.extend(gate.record.as_deref().map(of_checks).unwrap_or_default());
    // As XML has it, without a mark by which a CI server takes a command from its log (`text::defuse`).
    Ok(page(&suites)?.replace("##", "#&#35;"))
}

fn suite(gate: &Gate, exit: u8) -> Suite<'_> {
    let exit = exit.to_string();
    let case = case(gate, &exit);
    let mut properties: Vec<(Cow<'_, str>, Cow<'_, str>)> = vec![
        ("answer".into(), gate.answer.as_str().into()),
        ("exit".into(), exit.into()),
    ];
    if let Some(run) = &gate.run {
        let words = run.words().into_iter();
        properties.extend(words.map(|(name, value)| (name.into(), safe(value))));
    }
    let facts = gate.facts.iter();
    properties.extend(facts.map(|fact| (fact.key.into(), safe(&fact.value))));
    for (name, words) in [
        ("reason", &gate.reasons),
        ("warning", &gate.warnings),
        ("note", &gate.notes),
    ] {
        properties.extend(words.iter().map(|words| (name.into(), safe(words))));
    }
    Suite {
        name: "gonogo verify".into(),
        attributes: Vec::new(),
        properties,
        cases: vec![Case::Own(Box::new(case))],
    }
}

/// Red too where the exit code is: an answer that says GO and ends otherwise is none.
fn case<'g>(gate: &'g Gate, exit: &str) -> Told<'g> {
    let is_green = gate.answer.is_go() && exit == "0";
    let status = match is_green {
        true => Status::Success,
        false => {
            let reasons: Vec<_> = gate.reasons.iter().map(|one| safe(one)).collect();
            let hint = gate.hint.as_ref().map(|hint| safe(hint));
            let told = reasons.iter().map(|reason| ("reason", reason));
            let told = told.chain(hint.iter().map(|hint| ("hint", hint)));
            let told: Vec<_> = told
                .map(|(label, words)| format!("{label}: {words}"))
                .collect();
            Status::Failure(Why {
                kind: gate.answer.as_str().into(),
                message: reasons.into_iter().next().unwrap_or(NO_REASON),
                description: Some(told.join("\n")),
            })
        }
    };
    Told {
        name: format!("verify: {}", gate.answer.as_str()).into(),
        class: "gonogo".into(),
        time: Duration::ZERO,
        started: None,
        properties: Vec::new(),
        status,
        earlier: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use roxmltree::Document;

    use super::*;
    use crate::report::gate::sample;

    /// Cases, failures, and the message of the gate's own failure.
    fn read(gate: &Gate, exit: u8) -> (String, String, Option<String>) {
        let xml = render(gate, exit).unwrap();
        assert!(!xml.contains(|c: char| c != '\n' && crate::text::is_unsafe(c)));
        let document = Document::parse(&xml).unwrap();
        let root = document.root_element();
        let of = |name: &str| root.attribute(name).unwrap().to_owned();
        let case = document
            .descendants()
            .find(|node| node.has_tag_name("testcase"))
            .unwrap();
        let name = format!("verify: {}", gate.answer.as_str());
        assert_eq!(case.attribute("name"), Some(&*name));
        let failure = case.children().find(|node| node.has_tag_name("failure"));
        let message = failure.and_then(|failure| failure.attribute("message"));
        (of("tests"), of("failures"), message.map(str::to_owned))
    }

    #[test]
    fn only_a_go_is_green_and_what_is_refused_has_no_check() {
        assert_eq!(read(&sample::go(), 0), ("29".into(), "0".into(), None));
        let (tests, failures, message) = read(&sample::no_go(), 1);
        assert_eq!((&*tests, &*failures), ("30", "3"));
        assert!(message.unwrap().contains("checks failed"));
        let (tests, failures, message) = read(&sample::hold(), 5);
        assert_eq!((&*tests, &*failures), ("30", "1"));
        assert!(message.is_some());
        for (gate, exit, words) in [
            (sample::refused(), 4, "3 days ago"),
            (sample::not_judged(), 2, "cannot read `allowed_signers`"),
        ] {
            let (tests, failures, message) = read(&gate, exit);
            assert_eq!((&*tests, &*failures), ("1", "1"));
            assert!(message.unwrap().contains(words));
        }
        assert!(read(&sample::go(), 3).2.is_some());
    }

    #[test]
    fn hostile_words_stay_words() {
        for gate in [sample::hostile(), sample::hostile_refusal()] {
            let (_, failures, message) = read(&gate, 4);
            assert_ne!(failures, "0");
            assert!(message.is_some());
        }
    }
}
