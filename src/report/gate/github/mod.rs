//! The gate's answer for a step of GitHub Actions: what its log takes as workflow commands, its step
//! summary and its outputs. Words from outside never become a command, markup or a delimiter
//! (facts: traps.md 2; CVE-2020-15228).

mod outputs;
mod summary;

pub use outputs::outputs;
pub use summary::{MAX_SUMMARY, summary};

use super::{Answer, Finding, Gate, Outcome};
use crate::text::{clip, count, defuse, escape};
use crate::verdict::Decision;

/// GitHub shows so many annotations of one kind for a step, and drops the rest in silence.
const MOST: usize = 10;
/// Most characters of one message: it is to be read, the report holds the rest.
const MESSAGE: usize = 2_000;
const TITLE: usize = 200;

/// What goes to stdout: the answer as text, in which `token` stops all commands, then the annotations,
/// worst first. `token` must be one that nobody could have guessed.
#[must_use]
pub fn commands(gate: &Gate, token: &str) -> String {
    let mut text = super::text::render(gate);
    if text.is_empty() {
        for line in gate.reasons.iter().chain(&gate.hint) {
            text += &format!("{}\n", defuse(&escape(line)));
        }
        text += &format!("{}\n", gate.answer.as_str());
    }
    let mut out = format!("::stop-commands::{token}\n{text}::{token}::\n");
    for (command, annotations) in [
        ("error", errors(gate)),
        ("warning", warnings(gate)),
        ("notice", notices(gate)),
    ] {
        out += &capped(command, &annotations);
    }
    out
}

struct Annotation {
    title: String,
    message: String,
    place: Option<(String, u64)>,
}

impl Annotation {
    fn answer(gate: &Gate) -> Self {
        let reasons: Vec<_> = gate.reasons.iter().chain(&gate.hint).take(MOST).collect();
        let about = gate.run.as_ref().map(|run| {
            let all = count(
                usize::try_from(run.counts.planned).unwrap_or(usize::MAX),
                "check",
            );
            format!("{all}, run {} of {}", run.id, run.environment)
        });
        let lines = reasons.into_iter().chain(&about);
        Self {
            title: format!("gonogo: {}", gate.answer.as_str()),
            message: lines
                .map(|line| escape(line))
                .collect::<Vec<_>>()
                .join("\n"),
            place: None,
        }
    }

    fn finding(finding: &Finding, more: usize) -> Self {
        let and = match more {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        let mut message = format!("{}{and}: {}", finding.check, finding.say());
        let hint = match &finding.waiver {
            Some(waiver) => format!("waiver {waiver}"),
            None => finding.hint.clone(),
        };
        if !hint.is_empty() {
            message = format!("{}\n{}", escape(&message), escape(&hint));
        }
        let kind = match finding.outcome {
            Outcome::Failed => finding.kind.as_deref().unwrap_or("undefined"),
            outcome => outcome.as_str(),
        };
        Self {
            title: format!("{kind}: {}", finding.scenario),
            message,
            place: is_inside(&finding.feature).then(|| (finding.feature.clone(), finding.line)),
        }
    }

    fn plain(title: &str, message: &str) -> Self {
        Self {
            title: title.to_owned(),
            message: message.to_owned(),
            place: None,
        }
    }

    fn render(&self, command: &str) -> String {
        let place = self.place.as_ref().map(|(file, line)| {
            let line = (*line).max(1);
            format!("file={},line={line},", property(file, usize::MAX))
        });
        let place = place.unwrap_or_default();
        let title = property(&self.title, TITLE);
        let message = data(&self.message, MESSAGE);
        format!("::{command} {place}title={title}::{message}\n")
    }
}

fn errors(gate: &Gate) -> Vec<Annotation> {
    let mut errors = Vec::new();
    if !gate.answer.is_go() {
        errors.push(Annotation::answer(gate));
    }
    errors.extend(findings(gate, Outcome::Failed));
    errors
}

fn warnings(gate: &Gate) -> Vec<Annotation> {
    let warned = gate.warnings.iter();
    let warned = warned.map(|warning| Annotation::plain("gonogo", warning));
    let reasons = match gate.answer {
        // Caveats of a GO; of any other answer they are errors already.
        Answer::Verdict(Decision::Go) => &gate.reasons[..],
        _ => &[],
    };
    let reasons = reasons
        .iter()
        .map(|reason| Annotation::plain("gonogo: GO", reason));
    let waits = findings(gate, Outcome::Pending).chain(findings(gate, Outcome::Waived));
    warned.chain(reasons).chain(waits).collect()
}

fn notices(gate: &Gate) -> Vec<Annotation> {
    let mut notices = Vec::new();
    if gate.answer.is_go() {
        notices.push(Annotation::answer(gate));
    }
    let facts = gate.facts.iter();
    notices.extend(facts.map(|fact| Annotation::plain(fact.label, &fact.value)));
    let notes = gate.notes.iter();
    notices.extend(notes.map(|note| Annotation::plain("gonogo", note)));
    notices
}

fn findings(gate: &Gate, outcome: Outcome) -> impl Iterator<Item = Annotation> {
    let groups = gate.grouped(outcome).into_iter();
    groups.map(|(first, more)| Annotation::finding(first, more))
}

/// At most [`MOST`] lines, the last of them counting what is left out.
fn capped(command: &str, all: &[Annotation]) -> String {
    let shown = if all.len() > MOST {
        MOST - 1
    } else {
        all.len()
    };
    let mut out: String = all[..shown].iter().map(|one| one.render(command)).collect();
    if all.len() > shown {
        let more = format!("{} more in the report of the run", all.len() - shown);
        out += &Annotation::plain("gonogo", &more).render(command);
    }
    out
}

/// Whether the path is one of a file below the repository, as far as its spelling tells.
fn is_inside(path: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || "._-+/ ".contains(c);
    let is_name = |name: &str| !name.is_empty() && name != "." && name != "..";
    path.len() <= 400 && path.chars().all(is_plain) && path.split('/').all(is_name)
}

/// Escapes for the message of a command; a line break within it stays one.
fn data(words: &str, most: usize) -> String {
    let lines = words.split('\n').map(|line| escape(line).into_owned());
    let words = lines.collect::<Vec<_>>().join("\n");
    let words = defuse(&clip(&words, most)).into_owned();
    words
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes for the value of a property, one line.
fn property(words: &str, most: usize) -> String {
    let words = escape(words);
    data(&clip(&words, most), usize::MAX)
        .replace(':', "%3A")
        .replace(',', "%2C")
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
