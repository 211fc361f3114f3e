//! The runbook as one page: no script, nothing fetched, the same style and policy as report.html.

use maud::{Markup, html};

use super::line::{Form, Line, Piece, Proof, Proven};
use super::{Runbook, Section};
use crate::report::html::{page, t};

/// The page.
#[must_use]
pub fn render(runbook: &Runbook) -> String {
    let tops = || {
        let sections = runbook.sections.iter().enumerate();
        sections.filter(|(_, section)| section.level == 2)
    };
    page(
        &runbook.title,
        &format!("gonogo {}", env!("CARGO_PKG_VERSION")),
        html! {
            a.skip href="#s0" { "Skip to the first section" }
            main {
                h1 { (t(&runbook.title)) }
                nav.contents aria-label="contents" {
                    ul {
                        @for (at, section) in tops() {
                            li { a href=(format!("#s{at}")) { (t(&section.title)) } }
                        }
                    }
                }
                @for (at, section) in runbook.sections.iter().enumerate() {
                    (of(at, section))
                }
            }
            footer {
                "Written by gonogo from a verified run. All times without a zone are UTC; remote text is shown with its control characters escaped."
            }
        },
    )
}

fn of(at: usize, section: &Section) -> Markup {
    let id = format!("s{at}");
    html! {
        @match section.level {
            2 => h2 #(id) { (t(&section.title)) },
            3 => h3 #(id) { (t(&section.title)) },
            _ => h4 #(id) { (t(&section.title)) },
        }
        @for block in blocks(&section.lines) {
            @match block {
                Block::List(items) => ul { @for item in items { (statement(item)) } },
                Block::One(line) => (one(line)),
            }
        }
    }
}

enum Block<'a> {
    /// Items, each with its rows.
    List(Vec<(&'a Line, &'a [Line])>),
    One(&'a Line),
}

fn blocks(lines: &[Line]) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut rest = lines;
    while let Some((line, more)) = rest.split_first() {
        rest = more;
        if !matches!(line.form, Form::Item | Form::Row) {
            blocks.push(Block::One(line));
            continue;
        }
        let rows = more
            .iter()
            .take_while(|line| line.form == Form::Row)
            .count();
        let (rows, behind) = more.split_at(rows);
        rest = behind;
        match blocks.last_mut() {
            Some(Block::List(items)) => items.push((line, rows)),
            _ => blocks.push(Block::List(vec![(line, rows)])),
        }
    }
    blocks
}

fn one(line: &Line) -> Markup {
    html! {
        @match line.form {
            Form::Note => p { b.stop-text { (said(line)) } },
            Form::Command => pre tabindex="0" role="region" aria-label="command" { (said(line)) },
            _ => p { (said(line)) },
        }
    }
}

fn statement((line, rows): (&Line, &[Line])) -> Markup {
    html! {
        li {
            @if !line.label.is_empty() { b { (t(&line.label)) } ": " }
            (said(line))
            @if let Some(proof) = &line.proof { (proven(proof)) }
            @if !rows.is_empty() {
                ul { @for row in rows { li { (said(row)) } } }
            }
        }
    }
}

fn said(line: &Line) -> Markup {
    html! {
        @for piece in &line.pieces {
            @match piece {
                Piece::Words(words) => (t(words)),
                Piece::Code(words) => code { (t(words)) },
                Piece::Slot(slot) if slot.is_code() => code { (t(&slot.text())) },
                Piece::Slot(slot) => (t(&slot.text())),
                Piece::Check { place, id, .. } => { " " (link(*place, id)) }
            }
        }
    }
}

fn link(place: usize, id: &str) -> Markup {
    html! { a href=(format!("report.html#c{place}")) { code { (t(id)) } } }
}

fn proven(proof: &Proof) -> Markup {
    html! {
        div.soft {
            @match proof {
                Proof::Stated => { "stated in the inventory, " b.wait-text { "proven by no check" } }
                Proof::Checks(checks, more) => {
                    "proven by "
                    @for (at, Proven { place, id, when, .. }) in checks.iter().enumerate() {
                        @if at > 0 { ", and by " }
                        (link(*place, id)) " on " (t(&when.text()))
                    }
                    @if *more > 0 { ", and by " (more) " more" }
                }
            }
        }
    }
}
