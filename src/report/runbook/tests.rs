//! Slots take what they are made for and nothing else; hostile words stay words; each edit is named.

use super::check::{Kind, compare};
use super::line::Proof;
use super::*;
use crate::report::sample;

const GAP: &str = "Fri 2026-11-27 17:00 to Mon 2026-11-30 08:00 America/New_York (2026-11-27T22:00Z to 2026-11-30T13:00Z)";

fn gap() -> Slot {
    Slot::Gap {
        zone: "America/New_York".to_owned(),
        text: String::new(),
    }
}

fn path() -> Slot {
    Slot::Path {
        pattern: "/opt/amps/logs/*.log".to_owned(),
        path: String::new(),
    }
}

#[test]
fn a_slot_takes_its_own_kind_alone() {
    let of = |text: &str| text.to_owned();
    for (slot, good, bad) in [
        (
            Slot::Instant(of("")),
            vec!["2026-11-21 09:30:00 UTC"],
            vec![
                "2026-11-21 09:30:00",
                "2026-13-21 09:30:00 UTC",
                "soon UTC",
                "",
                "2026-11-21 09:30:00+01 UTC",
            ],
        ),
        (
            Slot::Day(of("")),
            vec!["2026-11-21", "2028-02-29"],
            vec!["2026-02-29", "21.11.2026", "never", ""],
        ),
        (
            Slot::Number(1),
            vec!["0", "48300212"],
            vec!["", "-1", "4e9", "1 or 2", "１"],
        ),
        (
            Slot::Size(of("")),
            vec!["0 B", "1.5 KiB", "46 MiB"],
            vec!["1.5", "1 rm", "KiB", "1  B"],
        ),
        (
            Slot::Span(of("")),
            vec!["72ms", "1.2s", "2m 5s", "3d 4h"],
            vec!["", "1 2 3", "2m 5s 1ms", "5 minutes", "s", "1.s"],
        ),
        (
            Slot::Run(of("")),
            vec!["20261121T093000Z-1a2b3c4d"],
            vec![
                "20261121T093000Z",
                "another",
                "20261121T093000Z-1a2b3c4g",
                "żżżżżżżż-1a2b3c4d",
            ],
        ),
        (
            Slot::Signer(of("")),
            vec!["ci@bank (SHA256:zWRteCiUkmr8+mC1c0SJdursL5U7xZrTAIPWwm0bM8w)"],
            vec![
                "ci@bank",
                "call Bob now (SHA256:zWRteCiUkmr8+mC1c0SJdursL5U7xZrTAIPWwm0bM8w)",
                "ci@bank (SHA256:short)",
            ],
        ),
        (
            gap(),
            vec![GAP],
            vec![
                "",
                "Fri to Mon",
                "call Bob first",
                "Fri 2026-11-27 17:00 to Mon 2026-11-30 08:00 Europe/Paris (2026-11-27T22:00Z to 2026-11-30T13:00Z)",
            ],
        ),
        (
            path(),
            vec!["/opt/amps/logs/2026-11-21.log", "/opt/amps/logs/.log"],
            vec![
                "/etc/shadow",
                "/opt/amps/logs/a/b.log",
                "/opt/amps/logs/a b.log",
                "/opt/amps/logs/a",
                "/opt/amps/logs/../x.log.log/.log",
            ],
        ),
    ] {
        for text in good {
            assert!(slot.takes(text), "{slot:?} {text}");
        }
        for text in bad {
            assert!(!slot.takes(text), "{slot:?} {text}");
        }
    }
    assert!(
        !Slot::Path {
            pattern: of("/a/b"),
            path: of("")
        }
        .takes("/a/c"),
        "a pattern without a wildcard leads to itself alone"
    );
}

/// A runbook with each form of line and piece, of that moment.
fn book(instant: &str, word: &str) -> Runbook {
    let mut top = Section::new(2, "Vendor x");
    top.lines.push(Line::note("Not a real one."));
    top.lines.push(Line::plain("Read this first:"));
    let mut section = Section::new(3, "Contract");
    let proof = Proof::Checks(
        vec![line::Proven {
            place: 12,
            id: "features/x.feature:7@x".to_owned(),
            line: 7,
            when: Slot::instant(instant),
        }],
        3,
    );
    section
        .lines
        .push(Line::item("id").code(word).proven(proof));
    section
        .lines
        .push(Line::item("plan").words("premium").proven(Proof::Stated));
    section.lines.push(Line::command("ssh -p 22 -- ops@ny4-1"));
    section
        .lines
        .push(Line::row().slot(path()).words(", ").slot(Slot::Number(5)));
    if let Some(Piece::Slot(Slot::Path { path, .. })) = section
        .lines
        .last_mut()
        .and_then(|line| line.pieces.first_mut())
    {
        *path = format!("/opt/amps/logs/{}.log", &instant[..10]);
    }
    Runbook {
        title: "Runbook: production".to_owned(),
        sections: vec![top, section],
    }
}

const THEN: &str = "2026-11-21T09:30:00Z";
const NOW: &str = "2026-12-01T10:00:00Z";

#[test]
fn what_must_change_is_no_difference() {
    let mut now = book(NOW, "E-1");
    let text = markdown::render(&book(THEN, "E-1"));
    assert_eq!(compare(&now, &text), []);
    assert_eq!(compare(&now, &text.replace('\n', "\r\n")), []);
    // A line put above a scenario, a check put before it, two more files of a log.
    let moved = text
        .replace(":7@x", ":9@x")
        .replace("#c12)", "#c15)")
        .replace("`, 5", "`, 5\n  - `/opt/amps/logs/older.log`, 9");
    assert_eq!(compare(&now, &moved), []);
    // A row that another run may have.
    now.sections[1]
        .may
        .push(Line::row().slot(gap()).words(": Ben"));
    let more = text.replace("`, 5", &format!("`, 5\n  - {GAP}\\: Ben"));
    assert_eq!(compare(&now, &more), []);
}

#[test]
fn every_edit_is_named_with_its_section_and_line() {
    let now = book(NOW, "E-1");
    let text = markdown::render(&book(THEN, "E-1"));
    let at = |needle: &str| {
        let line = text.lines().position(|line| line.contains(needle));
        line.unwrap() + 1
    };
    let contract = "Vendor x › Contract";
    for (from, to, kind, section, needle) in [
        ("`E-1`", "`E-2`", Kind::Changed, contract, "**id"),
        (
            "premium",
            "premium, call Bob",
            Kind::Changed,
            contract,
            "**plan",
        ),
        (
            "on 2026-11-21 09:30:00 UTC",
            "on some day",
            Kind::Changed,
            contract,
            "**id",
        ),
        (
            "stated in the inventory, proven by no check",
            "proven",
            Kind::Changed,
            contract,
            "**plan",
        ),
        ("-p 22", "-p 2222", Kind::Changed, contract, "ssh -p"),
        (
            "logs/2026-11-21.log",
            "../etc/passwd",
            Kind::Gone,
            contract,
            "logs/",
        ),
        (
            "**Not a real one.**",
            "**A real one.**",
            Kind::Gone,
            "Vendor x",
            "Not a real",
        ),
        (
            "- **plan:**",
            "- **price:**",
            Kind::Gone,
            contract,
            "**plan",
        ),
        (
            "Runbook\\: production",
            "Runbook\\: staging",
            Kind::Changed,
            "at the top",
            "# Runbook",
        ),
        (
            "### Contract",
            "### Contracts",
            Kind::Gone,
            "Vendor x › Contracts",
            "### Contract",
        ),
    ] {
        assert!(text.contains(from), "{from}\n{text}");
        let found = compare(&now, &text.replace(from, to));
        let named = found
            .iter()
            .find(|one| one.kind == kind && one.section == section && one.line == at(needle));
        assert!(named.is_some(), "{from} → {to}: {found:#?}");
    }
    let without = text.lines().filter(|line| !line.contains("**plan"));
    let without: String = without.map(|line| format!("{line}\n")).collect();
    let found = compare(&now, &without);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(
        (found[0].kind, found[0].section.as_str()),
        (Kind::New, contract)
    );
    // Hidden in a comment or a block of code, a statement is none; said twice, it is one too many.
    let line = text.lines().find(|line| line.contains("**plan")).unwrap();
    for edit in [
        format!("<!-- {line} -->"),
        format!("```\n{line}\n```"),
        format!("{line}\n{line}"),
        format!("{line}\n\n## Vendor x\n"),
    ] {
        assert_ne!(compare(&now, &text.replace(line, &edit)), [], "{edit}");
    }
    assert!(!compare(&now, "").is_empty());
    assert!(!compare(&now, &"`".repeat(100_000)).is_empty());
}

#[test]
fn hostile_words_form_no_markup() {
    let hostile = sample::HOSTILE;
    let mut book = book(THEN, hostile);
    book.title = hostile.to_owned();
    let mut section = Section::new(2, hostile);
    section.lines = vec![
        Line::note(hostile),
        Line::item(hostile).words(hostile).slot(Slot::Path {
            pattern: "/x".to_owned(),
            path: hostile.to_owned(),
        }),
        Line::command(&format!("```\n# {hostile}")),
        Line::row().with(Piece::Check {
            place: 1,
            id: format!("a`b:3@{hostile}"),
            line: 3,
        }),
    ];
    book.sections.push(section);
    let page = markdown::render(&book);
    assert!(!page.contains(|c| c != '\n' && crate::text::is_unsafe(c)));
    let outside = page
        .lines()
        .filter(|line| line.starts_with("**") || line.starts_with('#'));
    for line in outside {
        for markup in ["<script", "@", " [x", "_[", "x](", "s://"] {
            assert!(!line.contains(markup), "{markup} in {line}");
        }
    }
    assert_eq!(compare(&book, &page), []);
    let page = html::render(&book);
    for active in [
        "<script",
        "<img",
        " onerror",
        " style=\"",
        "href=\"javascript",
    ] {
        assert!(!page.contains(active), "{active}");
    }
}
