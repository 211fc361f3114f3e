//! Workflow commands, summary and outputs, read back as the runner reads them.

use super::*;
use crate::report::gate::sample;
use crate::report::sample::HOSTILE;

const TOKEN: &str = "5d6f1e0c9a8b7c6d5e4f3a2b1c0d9e8f";

/// One command as the runner takes it from a line of the log: at its start behind blanks as
/// `::name key=value,…::data`, or anywhere in it as `##[name …]data`.
#[derive(Debug, PartialEq)]
struct Command {
    name: String,
    properties: Vec<(String, String)>,
    data: String,
}

fn parse(line: &str) -> Option<Command> {
    assert!(!line.contains("##["), "the runner's older mark: {line}");
    let rest = line.trim_start().strip_prefix("::")?;
    let (head, data) = rest.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let decoded = |text: &str| {
        let text = text.replace("%0D", "\r").replace("%0A", "\n");
        text.replace("%3A", ":")
            .replace("%2C", ",")
            .replace("%25", "%")
    };
    let properties = properties.split(',').filter_map(|one| one.split_once('='));
    Some(Command {
        name: name.to_owned(),
        properties: properties
            .map(|(key, value)| (key.to_owned(), decoded(value)))
            .collect(),
        data: data
            .replace("%0D", "\r")
            .replace("%0A", "\n")
            .replace("%25", "%"),
    })
}

/// What the runner acts on: everything between stop-commands and its token is only shown.
fn acted_on(log: &str) -> Vec<Command> {
    let mut stopped: Option<String> = None;
    let mut found = Vec::new();
    for line in log.lines() {
        let Some(command) = parse(line) else { continue };
        match &stopped {
            Some(token) if command.name == *token => stopped = None,
            Some(_) => {}
            None if command.name == "stop-commands" => stopped = Some(command.data),
            None => found.push(command),
        }
    }
    assert_eq!(stopped, None, "commands stay stopped: {log}");
    found
}

fn property_of<'a>(command: &'a Command, key: &str) -> Option<&'a str> {
    let found = command.properties.iter().find(|(name, _)| name == key);
    found.map(|(_, value)| value.as_str())
}

#[test]
fn the_answer_comes_first_then_the_worst_failure_with_its_place() {
    let log = commands(&sample::no_go(), TOKEN);
    let found = acted_on(&log);
    assert_eq!(found[0].name, "error");
    assert_eq!(property_of(&found[0], "title"), Some("gonogo: NO-GO"));
    assert!(found[0].data.contains("of 29 checks failed"), "{found:?}");
    let worst = &found[1];
    assert_eq!(
        property_of(worst, "file"),
        Some("features/amps/retrieve.feature")
    );
    assert_eq!(property_of(worst, "line"), Some("26"));
    let title = "denied: support retrieves the event log of orders";
    assert_eq!(property_of(worst, "title"), Some(title));
    assert!(
        worst.data.contains("\nadd support to the group amps"),
        "{worst:?}"
    );
    // Both waived and pending are told, as warnings.
    let names: Vec<_> = found.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["error", "error", "error", "warning", "warning"]);
}

#[test]
fn a_go_is_a_notice_and_nothing_else_is() {
    let names = |gate: &Gate| -> Vec<String> {
        let found = acted_on(&commands(gate, TOKEN)).into_iter();
        found.map(|one| one.name).collect()
    };
    assert_eq!(names(&sample::go()), ["notice"]);
    for gate in [sample::hold(), sample::refused(), sample::not_judged()] {
        let found = acted_on(&commands(&gate, TOKEN));
        assert_eq!(found[0].name, "error", "{found:?}");
        let title = format!("gonogo: {}", gate.answer.as_str());
        assert_eq!(property_of(&found[0], "title"), Some(title.as_str()));
        assert!(found.iter().all(|one| one.name != "notice"));
    }
}

#[test]
fn at_most_ten_of_a_kind_the_last_counting_the_rest() {
    let mut gate = sample::many();
    for (index, finding) in gate.findings.iter_mut().enumerate() {
        finding.subject = Some(format!("/log/{index}"));
    }
    gate.warnings = vec!["w".to_owned(); 11];
    gate.notes = vec!["n".to_owned(); 10];
    let found = acted_on(&commands(&gate, TOKEN));
    let of =
        |name: &str| -> Vec<&Command> { found.iter().filter(|one| one.name == name).collect() };
    // The answer and 20 failures.
    assert_eq!(of("error").len(), 10);
    assert_eq!(of("error")[9].data, "12 more in the report of the run");
    assert_eq!(of("warning").len(), 10);
    assert_eq!(of("warning")[9].data, "2 more in the report of the run");
    assert_eq!(of("notice").len(), 10);
    assert_eq!(of("notice")[9].data, "n");
}

#[test]
fn the_same_failure_of_many_checks_is_one_annotation() {
    let found = acted_on(&commands(&sample::many(), TOKEN));
    assert!(found.len() < 10, "{found:?}");
    assert!(
        found.iter().any(|one| one.data.contains("more): denied")),
        "{found:?}"
    );
}

#[test]
fn hostile_words_are_no_command() {
    const TRIES: [&str; 7] = [
        "::set-env name=PATH::/tmp",
        "\n::stop-commands::x\n",
        "%0A::add-mask::GO",
        "##[add-path]/tmp",
        "a##[set-output name=verdict;]GO",
        "::5d6f1e0c9a8b7c6d5e4f3a2b1c0d9e8::",
        "x,title=GO,file=/etc/passwd::GO",
    ];
    for words in TRIES.into_iter().chain([HOSTILE]) {
        let mut gate = sample::hostile();
        gate.reasons = vec![words.to_owned(); 3];
        gate.warnings = vec![words.to_owned()];
        for finding in &mut gate.findings {
            finding.check = words.to_owned();
            finding.scenario = words.to_owned();
            finding.feature = words.to_owned();
            finding.actual = words.to_owned();
            finding.hint = words.to_owned();
        }
        let refused = {
            let mut gate = sample::refused();
            gate.reasons = vec![words.to_owned()];
            gate.hint = Some(words.to_owned());
            gate
        };
        for gate in [gate, refused] {
            for command in acted_on(&commands(&gate, TOKEN)) {
                let name = command.name.as_str();
                assert!(
                    ["error", "warning", "notice"].contains(&name),
                    "{command:?}"
                );
                let keys: Vec<_> = command
                    .properties
                    .iter()
                    .map(|(key, _)| key.as_str())
                    .collect();
                assert!(keys == ["title"], "{command:?}");
                assert!(!command.data.contains('\r'), "{command:?}");
            }
        }
    }
    // Told as it was: what is escaped for the runner reads the same behind it.
    let mut gate = sample::refused();
    gate.reasons = vec!["100 %0A, a:b".to_owned()];
    let found = acted_on(&commands(&gate, TOKEN));
    assert!(found[0].data.starts_with("100 %0A, a:b\n"), "{found:?}");
}

#[test]
fn a_place_only_inside_the_repository() {
    for path in ["features/amps.feature", "a b/c-1_2.feature", "żółw.feature"] {
        assert!(is_inside(path), "{path}");
    }
    for path in [
        "",
        "/etc/passwd",
        "../x.feature",
        "a/../../x",
        "a//b",
        "./a",
        "a\\b",
        "C:/x",
        "a,line=1",
        "a\nb",
        "a%0Ab",
    ] {
        assert!(!is_inside(path), "{path}");
    }
}

/// Outputs as the runner reads them.
fn read(file: &str) -> Vec<(String, String)> {
    let mut lines = file.lines();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        let (key, delimiter) = line.split_once("<<").expect("no plain line");
        let value: Vec<_> = lines
            .by_ref()
            .take_while(|line| *line != delimiter)
            .collect();
        found.push((key.to_owned(), value.join("\n")));
    }
    found
}

#[test]
fn outputs_say_what_is_so_and_nothing_more() {
    let of = |gate: &Gate, exit| read(&outputs(gate, exit, TOKEN));
    let value = |all: &[(String, String)], key: &str| {
        let found: Vec<_> = all.iter().filter(|(name, _)| name == key).collect();
        assert_eq!(found.len(), 1, "{key}");
        found[0].1.clone()
    };
    assert_eq!(value(&of(&sample::go(), 0), "verdict"), "GO");
    let refused = of(&sample::refused(), 4);
    assert_eq!(value(&refused, "verdict"), "UNACCEPTABLE");
    assert_eq!(value(&refused, "accepted"), "false");
    assert_eq!(value(&refused, "exit"), "4");
    assert_eq!(value(&refused, "run"), "");
    for words in [
        format!("x\n{TOKEN}\nverdict=GO\n"),
        format!("verdict<<E\nGO\nE\n{TOKEN}"),
        HOSTILE.to_owned(),
    ] {
        let mut gate = sample::hostile();
        gate.reasons = vec![words.clone()];
        if let Some(run) = &mut gate.run {
            run.id = words.clone();
            run.signer = words;
        }
        let all = of(&gate, 1);
        assert_eq!(all.len(), 9, "{all:?}");
        assert_eq!(value(&all, "verdict"), "NO-GO");
        assert!(all.iter().all(|(_, value)| !value.contains(TOKEN)));
    }
}

#[test]
fn the_summary_has_a_cap_and_says_what_it_cut() {
    let whole = summary(&sample::many(), MAX_SUMMARY);
    assert!(whole.starts_with("# NO-GO: production\n"), "{whole}");
    assert_eq!(whole.matches("\n| denied | ").count(), 20);
    for room in [0, 100, 220, 500, 1_000, 3_000, whole.len()] {
        let cut = summary(&sample::many(), room);
        assert!(cut.len() <= room, "{room}: {}", cut.len());
        assert!(cut.is_empty() || cut.starts_with("# NO-GO: production\n"));
        assert!(
            cut.is_empty() || cut.ends_with(" left out: see the report of the run\n"),
            "{cut}"
        );
        for line in cut.lines().filter(|line| line.starts_with("| denied")) {
            assert!(line.ends_with(" |"), "{line}");
        }
    }
    let mut gate = sample::many();
    let one = gate.findings[0].clone();
    gate.findings = vec![
        Finding {
            actual: "<".repeat(5_000),
            ..one
        };
        2_000
    ];
    let full = summary(&gate, usize::MAX);
    assert!(full.len() <= MAX_SUMMARY && full.len() > MAX_SUMMARY / 2);
}

#[test]
fn the_summary_of_a_refusal_says_nothing_of_the_run() {
    let page = summary(&sample::refused(), MAX_SUMMARY);
    assert!(page.starts_with("# UNACCEPTABLE\n"), "{page}");
    assert!(
        page.contains("- stale\\: the run finished 3 days ago"),
        "{page}"
    );
    assert!(!page.contains("planned"), "{page}");
    for gate in [sample::hostile(), sample::hostile_refusal()] {
        let page = summary(&gate, MAX_SUMMARY);
        assert!(!page.contains(|c| c != '\n' && crate::text::is_unsafe(c)));
        assert!(!page.contains("\n## GO"), "{page}");
        // In a code span it is text, and only what follows the head has some.
        let (head, _) = page.split_once("\nRun ").unwrap_or((&page, ""));
        assert!(!head.contains("<script"), "{page}");
    }
}
