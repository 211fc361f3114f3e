//! A finished request read back: the answers are taken out of it and judged as they are when somebody gives them, and
//! all the rest must be what the template, the run and the inventory say. Where it fits in no way, the first piece of
//! the template that is not there is told.

use super::{Draft, Order};
use crate::inventory::Inventory;
use crate::inventory::template::Piece;
use crate::problem::Problems;
use crate::report::schema::Report;
use crate::text::clip;

/// Holds `text` to the request of that instance of the run, finished: drafted as one of its teams, and by whom the run
/// was proven or by nobody.
///
/// # Errors
/// What does not fit, of the draft of which least does not.
pub fn finished(
    text: &str,
    report: &Report,
    inventory: &Inventory,
    instance: &str,
    signer: &str,
) -> Result<(), Vec<String>> {
    let ran = report.instances.iter().find(|one| one.name == instance);
    let mut least: Option<Vec<String>> = None;
    for (team, signer) in ran
        .iter()
        .flat_map(|ran| &ran.teams)
        .flat_map(|team| [(team, Some(signer)), (team, None)])
    {
        let draft = Draft::begin(&Order {
            report,
            signer,
            inventory,
            instance,
            team: Some(team),
        });
        let wrong = match draft.map_err(told).and_then(|mut draft| draft.take(text)) {
            Ok(()) => return Ok(()),
            Err(wrong) => wrong,
        };
        if least.as_ref().is_none_or(|least| wrong.len() < least.len()) {
            least = Some(wrong);
        }
    }
    Err(least.unwrap_or_else(|| {
        vec![format!(
            "no team of the run is responsible for `{instance}`"
        )]
    }))
}

fn told(problems: Problems) -> Vec<String> {
    let all = problems.into_vec().into_iter();
    all.map(|one| one.message).collect()
}

/// What stands in a row between two answers.
#[derive(Default)]
struct Row<'a> {
    /// Text, and the field that it is of where the template's own text is not.
    parts: Vec<(String, Option<&'a str>)>,
    /// The answer behind it, and how far what has several lines is set in.
    answer: Option<(&'a str, String)>,
}

impl Row<'_> {
    fn text(&self) -> String {
        self.parts.iter().map(|(text, _)| &**text).collect()
    }
}

impl Draft<'_> {
    /// Takes every answer out of `text`, which is this request, finished.
    ///
    /// # Errors
    /// Every field that is blank, left over or no answer; or what of the request is not there.
    pub fn take(&mut self, text: &str) -> Result<(), Vec<String>> {
        let text = text.replace("\r\n", "\n");
        let text = text.trim_end();
        let answers = self.found(text).map_err(|why| vec![why])?;
        let mut wrong = Vec::new();
        for (name, value) in &answers {
            match self.values.get(name) {
                // A field may stand in it twice.
                Some(taken) if taken.trim() == value.trim() => {}
                Some(_) => wrong.push(format!("the field `{name}` says two things")),
                None => {
                    let answered = self.answer(name, value, "the request");
                    wrong.extend(answered.err().map(|problem| problem.message));
                }
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let page = self.render().map_err(told)?;
        let same = |one: &str, other: &str| {
            let lines = |text: &str| -> Vec<String> {
                (text.trim_end().lines())
                    .map(|line| line.trim_end().to_owned())
                    .collect()
            };
            lines(one) == lines(other)
        };
        match same(&page.replace("\r\n", "\n"), text) {
            true => Ok(()),
            false => Err(vec![
                "it says more, or is set in another way, than `gonogo case draft` writes it"
                    .to_owned(),
            ]),
        }
    }

    /// The answers of people, where everything between them is there.
    fn found(&self, text: &str) -> Result<Vec<(String, String)>, String> {
        let rows = self.rows();
        let (mut rest, mut answers, mut open) = (text, Vec::new(), None);
        for (at, row) in rows.iter().enumerate() {
            let wanted = row.text();
            let is_last = at + 1 == rows.len();
            let wanted = match is_last {
                true => wanted.trim_end(),
                false => &*wanted,
            };
            let place = match (open.is_some(), is_last) {
                (false, false) => rest.starts_with(wanted).then_some(0),
                (false, true) => (rest == wanted).then_some(0),
                (true, true) => rest.ends_with(wanted).then(|| rest.len() - wanted.len()),
                (true, false) => rest.find(wanted),
            };
            let Some(place) = place else {
                return Err(missing(row, rest, open.is_some(), is_last));
            };
            if let Some((name, indent)) = open.take() {
                let value = rest[..place].replace(&format!("\n{indent}"), "\n");
                answers.push((name, value));
            }
            rest = &rest[place + wanted.len()..];
            open = (row.answer.as_ref()).map(|(name, indent)| ((*name).to_owned(), indent.clone()));
        }
        Ok(answers)
    }

    /// The template with everything filled in that is known: what stands between two answers, row by row.
    fn rows(&self) -> Vec<Row<'_>> {
        let (mut rows, mut row, mut line) = (Vec::new(), Row::default(), String::new());
        let follow = |line: &mut String, text: &str| match text.rsplit_once('\n') {
            Some((_, last)) => last.clone_into(line),
            None => line.push_str(text),
        };
        for piece in &self.pieces {
            match piece {
                Piece::Text(plain) => {
                    let plain = plain.replace("\r\n", "\n");
                    follow(&mut line, &plain);
                    row.parts.push((plain, None));
                }
                Piece::Field { name, .. } => {
                    let blanks = line.chars().take_while(|c| [' ', '\t'].contains(c));
                    let indent: String = blanks.collect();
                    match self.values.get(name) {
                        Some(value) => {
                            let value = value.replace('\n', &format!("\n{indent}"));
                            follow(&mut line, &value);
                            row.parts.push((value, Some(name)));
                        }
                        None => {
                            // What is behind it stands in a line that has begun.
                            line.push('x');
                            row.answer = Some((name, indent));
                            rows.push(std::mem::take(&mut row));
                        }
                    }
                }
            }
        }
        if let Some(run) = &self.unproven {
            let ends = row.parts.iter().any(|(text, _)| text.ends_with('\n'));
            let line = format!("\nNot verified: nobody was asked who signed run {run}.\n");
            let line = match ends {
                true => line,
                false => format!("\n{line}"),
            };
            row.parts.push((line, None));
        }
        rows.push(row);
        rows
    }
}

/// The first part of a row that is not there.
fn missing(row: &Row<'_>, rest: &str, is_open: bool, is_last: bool) -> String {
    let mut so_far = String::new();
    for (text, field) in &row.parts {
        so_far.push_str(text);
        let is_there = match is_open {
            true => rest.contains(so_far.trim_end()),
            false => rest.starts_with(so_far.trim_end()),
        };
        if is_there {
            continue;
        }
        return match field {
            Some(name) => format!(
                "the field `{name}` does not say `{}`, as the run or the inventory does",
                clip(text.trim(), 60)
            ),
            None => {
                let line = text.lines().map(str::trim).find(|line| !line.is_empty());
                format!(
                    "`{}` of the template is not there",
                    clip(line.unwrap_or_default(), 60)
                )
            }
        };
    }
    match (&row.answer, is_last) {
        (Some((name, _)), _) => format!("the field `{name}` is left blank"),
        _ => "it says more behind its end than the template has".to_owned(),
    }
}

#[cfg(test)]
#[path = "taken_tests.rs"]
mod tests;
