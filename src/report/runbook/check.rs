//! Whether a runbook that was written earlier still says what a run proves. Lines are compared within their
//! headings; only what stands in a slot may differ, and only as its slot allows.

use std::collections::BTreeMap;

use super::Runbook;
use super::line::{Form, Line};
use super::markdown::{self, Part};
use crate::text::{self, count, defuse, escape};

/// Longer lines are compared letter by letter.
const MOST_LINE: usize = 20_000;

/// How a statement differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The run proves another one of that name.
    Changed,
    /// The file says it, the run does not.
    Gone,
    /// The run says it, the file does not.
    New,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Gone => "gone",
            Self::New => "new",
        }
    }
}

/// One statement that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// How.
    pub kind: Kind,
    /// The headings above it.
    pub section: String,
    /// Its line in the file; where the section begins, for one that is new; 0 where that is new too.
    pub line: usize,
    /// As the file says it.
    pub file: Option<String>,
    /// As the run proves it.
    pub run: Option<String>,
}

/// What differs between `runbook` and the Markdown of an earlier one, in the order of the file.
#[must_use]
pub fn compare(runbook: &Runbook, file: &str) -> Vec<Difference> {
    let mut written = read(file);
    let mut differences = Vec::new();
    let title = Expected {
        form: Form::Plain,
        label: Some("# ".to_owned()),
        parts: vec![Part::Same(markdown::title(runbook))],
    };
    let root = written.remove(&Vec::new()).unwrap_or_default();
    section(&mut differences, &[], vec![title], Vec::new(), root);
    let mut path: Vec<String> = Vec::new();
    for one in &runbook.sections {
        path.truncate(usize::from(one.level).saturating_sub(2));
        path.push(markdown::heading(one));
        let expected = one.lines.iter().map(Expected::of).collect();
        let may = one.may.iter().map(Expected::of).collect();
        match written.remove(&path) {
            Some(found) => section(&mut differences, &path, expected, may, found),
            None => {
                let heading = Difference {
                    kind: Kind::New,
                    section: told(&path),
                    line: 0,
                    file: None,
                    run: Some(markdown::heading(one)),
                };
                differences.push(heading);
                section(&mut differences, &path, expected, may, Written::default());
            }
        }
    }
    for (path, found) in written {
        differences.push(Difference {
            kind: Kind::Gone,
            section: told(&path),
            line: found.line,
            file: path.last().cloned(),
            run: None,
        });
        section(&mut differences, &path, Vec::new(), Vec::new(), found);
    }
    // Whether a run restates another one is said of the run, not of the process.
    let own = Some(Expected::of(&Line::note(super::RESTATES)).text());
    differences.retain(|one| one.file != own && one.run != own);
    // What has no line stands behind what has one, in the order of the run.
    differences.sort_by_key(|one| match one.line {
        0 => usize::MAX,
        line => line,
    });
    differences
}

/// The differences for a person, the sum as the last line.
#[must_use]
pub fn render(differences: &[Difference], file: &str, run: &str) -> String {
    let mut lines = Vec::new();
    for one in differences {
        let place = match one.line {
            0 => String::new(),
            line => format!("{file}:{line}: "),
        };
        lines.push(format!("{}  {place}{}", one.kind.word(), one.section));
        lines.extend(one.file.iter().map(|text| format!("  file  {text}")));
        lines.extend(one.run.iter().map(|text| format!("  run   {text}")));
    }
    let of = |kind| differences.iter().filter(|one| one.kind == kind).count();
    lines.push(match differences.len() {
        0 => format!("{file} says what run {run} proves"),
        all => format!(
            "{} {} from run {run}: {} changed, {} gone, {} new",
            count(all, "statement"),
            if all == 1 { "differs" } else { "differ" },
            of(Kind::Changed),
            of(Kind::Gone),
            of(Kind::New)
        ),
    });
    let lines = lines.iter().map(|line| {
        let line = text::clip(line, 4_000);
        format!("{}\n", defuse(&escape(&line)))
    });
    lines.collect()
}

/// A line as the run would write it.
#[derive(Clone)]
struct Expected {
    form: Form,
    /// What the line is about, where it says so.
    label: Option<String>,
    parts: Vec<Part>,
}

impl Expected {
    fn of(line: &Line) -> Self {
        let parts = markdown::parts(line);
        let label = match (line.form, parts.first()) {
            (Form::Item, Some(Part::Same(label))) => Some(label.clone()),
            _ => None,
        };
        Self {
            form: line.form,
            label,
            parts,
        }
    }

    fn text(&self) -> String {
        let texts = self.parts.iter().map(|part| match part {
            Part::Same(text) => text.clone(),
            Part::Varies(slot) => escape(&slot.text()).into_owned(),
        });
        texts.collect()
    }

    fn is_told_by(&self, line: &Told) -> bool {
        if (self.form == Form::Command) != line.is_fenced {
            return false;
        }
        line.text == self.text() || line.text.len() <= MOST_LINE && fits(&self.parts, &line.text)
    }
}

fn fits(parts: &[Part], text: &str) -> bool {
    match parts.split_first() {
        None => text.is_empty(),
        Some((Part::Same(same), rest)) => text
            .strip_prefix(same.as_str())
            .is_some_and(|behind| fits(rest, behind)),
        Some((Part::Varies(slot), rest)) => {
            let ends = text.char_indices().map(|(at, _)| at).skip(1);
            ends.chain([text.len()]).any(|end| {
                let (here, behind) = text.split_at(end);
                // What follows is cheaper to ask for.
                let goes_on = match rest.first() {
                    Some(Part::Same(next)) => behind.starts_with(next.as_str()),
                    _ => true,
                };
                goes_on
                    && (*here == *escape(&slot.text()) || slot.takes(here))
                    && fits(rest, behind)
            })
        }
    }
}

/// A line of the file.
struct Told {
    number: usize,
    text: String,
    is_fenced: bool,
}

/// What stands below one heading.
#[derive(Default)]
struct Written {
    /// Of the heading.
    line: usize,
    lines: Vec<Told>,
}

/// The file, by the headings above each line. A heading that stands twice gathers both.
fn read(file: &str) -> BTreeMap<Vec<String>, Written> {
    let mut sections: BTreeMap<Vec<String>, Written> = BTreeMap::new();
    let mut path: Vec<String> = Vec::new();
    let mut fence: Option<usize> = None;
    let file = file.strip_prefix('\u{feff}').unwrap_or(file);
    for (at, line) in file.lines().enumerate() {
        let number = at + 1;
        let line = line.trim_end();
        let ticks = line.len();
        if ticks >= 3 && line.bytes().all(|byte| byte == b'`') {
            match fence {
                None => {
                    fence = Some(ticks);
                    continue;
                }
                Some(open) if ticks >= open => {
                    fence = None;
                    continue;
                }
                Some(_) => {}
            }
        }
        let marks = line.bytes().take_while(|byte| *byte == b'#').count();
        let is_heading =
            fence.is_none() && (2..=6).contains(&marks) && line[marks..].starts_with(' ');
        if is_heading {
            path.truncate(marks - 2);
            // A level that was left out stands as nothing, so that depth tells the level.
            path.resize(marks - 2, String::new());
            path.push(line.to_owned());
            let section = sections.entry(path.clone()).or_default();
            if section.line == 0 {
                section.line = number;
            } else {
                let text = line.to_owned();
                let is_fenced = false;
                section.lines.push(Told {
                    number,
                    text,
                    is_fenced,
                });
            }
        } else if !line.is_empty() {
            let section = sections.entry(path.clone()).or_default();
            section.lines.push(Told {
                number,
                text: line.to_owned(),
                is_fenced: fence.is_some(),
            });
        }
    }
    sections
}

fn told(path: &[String]) -> String {
    let names = path
        .iter()
        .map(|heading| heading.trim_start_matches(['#', ' ']));
    let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    match names.is_empty() {
        true => "at the top".to_owned(),
        false => names.join(" › "),
    }
}

fn section(
    differences: &mut Vec<Difference>,
    path: &[String],
    expected: Vec<Expected>,
    may: Vec<Expected>,
    written: Written,
) {
    let mut lines = written.lines;
    let (rows, statements): (Vec<_>, Vec<_>) =
        expected.into_iter().partition(|one| one.form == Form::Row);
    let mut missing = Vec::new();
    for one in statements {
        match lines.iter().position(|line| one.is_told_by(line)) {
            Some(at) => drop(lines.remove(at)),
            None => missing.push(one),
        }
    }
    // Any number of rows of a known form, and not none where the run has some.
    let before = lines.len();
    let is_row = |line: &Told| rows.iter().chain(&may).any(|one| one.is_told_by(line));
    lines.retain(|line| !is_row(line));
    if before == lines.len() {
        missing.extend(rows.into_iter().take(1));
    }
    let mut differ = |kind, line, file: Option<String>, run: Option<String>| {
        differences.push(Difference {
            kind,
            section: told(path),
            line,
            file,
            run,
        });
    };
    for one in missing {
        let is_same_name = |line: &Told| match &one.label {
            Some(label) => !line.is_fenced && line.text.starts_with(label.as_str()),
            None if one.form == Form::Command => line.is_fenced,
            None => false,
        };
        match lines.iter().position(is_same_name) {
            Some(at) => {
                let line = lines.remove(at);
                differ(
                    Kind::Changed,
                    line.number,
                    Some(line.text),
                    Some(one.text()),
                );
            }
            None => differ(Kind::New, written.line, None, Some(one.text())),
        }
    }
    for line in lines {
        differ(Kind::Gone, line.number, Some(line.text), None);
    }
}
