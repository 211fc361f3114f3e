//! The runbook as Markdown. Every word from outside is escaped or stands in a code span or block, as in
//! `report/markdown.rs`; nothing is cut, for it is to be followed.

use super::line::{Form, Line, Piece, Proof, Proven, Slot};
use super::{Runbook, Section};
use crate::report::markdown::words_of;
use crate::text;

/// Of a line as it is written: what stays, and what another run may have otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Same(String),
    Varies(Slot),
}

/// GitHub-flavoured Markdown.
#[must_use]
pub fn render(runbook: &Runbook) -> String {
    let mut out = format!("{}\n", title(runbook));
    for section in &runbook.sections {
        out += &format!("\n{}\n\n", heading(section));
        let mut was_listed = false;
        for line in &section.lines {
            let is_listed = matches!(line.form, Form::Item | Form::Row);
            if was_listed && !is_listed {
                out.push('\n');
            }
            out += &block(line);
            if !is_listed {
                out.push('\n');
            }
            was_listed = is_listed;
        }
        while out.ends_with("\n\n") {
            out.pop();
        }
    }
    out
}

pub(super) fn title(runbook: &Runbook) -> String {
    format!("# {}", words(&runbook.title))
}

pub(super) fn heading(section: &Section) -> String {
    let marks = "#".repeat(usize::from(section.level));
    format!("{marks} {}", words(&section.title))
}

fn block(line: &Line) -> String {
    let text = written(&parts(line));
    if line.form != Form::Command {
        return text + "\n";
    }
    let runs = text.split(|c| c != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or_default().max(2) + 1);
    format!("{fence}\n{text}\n{fence}\n")
}

fn written(parts: &[Part]) -> String {
    let texts = parts.iter().map(|part| match part {
        Part::Same(text) => text.clone(),
        Part::Varies(slot) => text::escape(&slot.text()).into_owned(),
    });
    texts.collect()
}

/// The line as it stands in the file, without the fence of a command.
pub(super) fn parts(line: &Line) -> Vec<Part> {
    let same = |text: &str| Part::Same(text.to_owned());
    let mut parts = Vec::new();
    match line.form {
        Form::Command => {
            let plain = line.pieces.iter().filter_map(|piece| match piece {
                Piece::Code(words) => Some(text::escape(words).into_owned()),
                _ => None,
            });
            return vec![Part::Same(plain.collect())];
        }
        Form::Plain => {}
        Form::Note => parts.push(same("**")),
        Form::Row => parts.push(same("  - ")),
        Form::Item => parts.push(Part::Same(format!("- **{}:** ", words(&line.label)))),
    }
    for piece in &line.pieces {
        match piece {
            Piece::Words(plain) => parts.push(Part::Same(words(plain))),
            Piece::Code(plain) => parts.push(Part::Same(code(plain))),
            Piece::Slot(slot) => of_slot(&mut parts, slot),
            Piece::Check { place, id, line } => {
                parts.push(same(" ("));
                link(&mut parts, *place, id, *line);
                parts.push(same(")"));
            }
        }
    }
    if line.form == Form::Note {
        parts.push(same("**"));
    }
    if let Some(proof) = &line.proof {
        proven(&mut parts, proof);
    }
    parts
}

fn of_slot(parts: &mut Vec<Part>, slot: &Slot) {
    if !slot.is_code() {
        parts.push(Part::Varies(slot.clone()));
        return;
    }
    if slot.text().contains('`') {
        parts.push(Part::Same(code(&slot.text())));
        return;
    }
    parts.push(Part::Same("`".to_owned()));
    parts.push(Part::Varies(slot.clone()));
    parts.push(Part::Same("`".to_owned()));
}

fn proven(parts: &mut Vec<Part>, proof: &Proof) {
    match proof {
        Proof::Stated => parts.push(Part::Same(
            " — **stated in the inventory, proven by no check**".to_owned(),
        )),
        Proof::Checks(checks, more) => {
            for (at, one) in checks.iter().enumerate() {
                let begin = if at == 0 {
                    " — proven by "
                } else {
                    ", and by "
                };
                parts.push(Part::Same(begin.to_owned()));
                let Proven {
                    place, id, line, ..
                } = one;
                link(parts, *place, id, *line);
                parts.push(Part::Same(" on ".to_owned()));
                parts.push(Part::Varies(one.when.clone()));
            }
            if *more > 0 {
                parts.push(Part::Same(", and by ".to_owned()));
                parts.push(Part::Varies(Slot::Number(*more as u64)));
                parts.push(Part::Same(" more".to_owned()));
            }
        }
    }
}

/// The id holds the line of the scenario, which moves when a line is put above it; so does the place.
fn link(parts: &mut Vec<Part>, place: usize, id: &str, line: u64) {
    parts.push(Part::Same("[".to_owned()));
    match id.split_once(&format!(":{line}@")) {
        Some((feature, subject)) if !id.contains('`') => {
            parts.push(Part::Same(format!("`{}:", text::escape(feature))));
            parts.push(Part::Varies(Slot::Number(line)));
            parts.push(Part::Same(format!("@{}`", text::escape(subject))));
        }
        _ => parts.push(Part::Same(code(id))),
    }
    parts.push(Part::Same("](report.html#c".to_owned()));
    parts.push(Part::Varies(Slot::Number(place as u64)));
    parts.push(Part::Same(")".to_owned()));
}

fn words(plain: &str) -> String {
    words_of(plain, usize::MAX)
}

/// A code span outside of tables: a bar stays as it is.
fn code(plain: &str) -> String {
    let inside = text::escape(plain);
    let runs = inside.split(|c| c != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or_default() + 1);
    match (inside.is_empty(), inside.contains('`')) {
        (true, _) => String::new(),
        (_, true) => format!("{fence} {inside} {fence}"),
        (_, false) => format!("{fence}{inside}{fence}"),
    }
}
