//! The answer to GitHub's deployment protection rule, as the body of its review: `environment_name`,
//! `state`, `comment`. Only a GO approves; HOLD is rejected as NO-GO is, and may be asked again.

use serde_json::json;

use super::json::without_marks;
use super::{Gate, Outcome};
use crate::report::markdown::words;
use crate::text::clip;

/// GitHub takes 1,024 characters and does not say which: so many bytes are never more of any kind.
pub const MAX_COMMENT: usize = 1_024;
/// Most characters of the first reason before it is escaped.
const REASON: usize = 160;

/// The body for the environment of that name, in one line.
#[must_use]
pub fn render(gate: &Gate, environment: &str) -> String {
    let state = match gate.answer.is_go() {
        true => "approved",
        false => "rejected",
    };
    let body = json!({
        "environment_name": environment, "state": state, "comment": comment(gate),
    });
    without_marks(&format!("{body}\n"))
}

/// The answer and the worst reason, then as many whole lines as fit.
fn comment(gate: &Gate) -> String {
    let mut lines = gate.reasons.iter();
    let worst = lines.next().map(|reason| words(&clip(reason, REASON)));
    let first = match worst {
        Some(worst) => format!("**{}**: {worst}", gate.answer.as_str()),
        None => format!("**{}**", gate.answer.as_str()),
    };
    let mut comment = cut(first);
    let run = gate.run.as_ref().map(|run| {
        let (id, environment, signer) = (&run.id, &run.environment, &run.signer);
        format!("Run {id} of {environment}, signed by {signer}")
    });
    let failed = gate
        .grouped(Outcome::Failed)
        .into_iter()
        .map(|(finding, more)| {
            let and = match more {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            format!("{}{and}: {}", finding.check, finding.say())
        });
    let pending = gate.of(Outcome::Pending);
    let pending = pending.map(|finding| format!("{}: {}", finding.check, finding.say()));
    let (policy, facts): (Vec<_>, Vec<_>) =
        (gate.facts.iter()).partition(|fact| fact.key == "policy");
    let say = |fact: &super::Fact| format!("{}: {}", fact.label, fact.value);
    let policy = policy.into_iter().map(say);
    let facts = facts.into_iter().map(say);
    // Whatever must be left out: under which policy is told.
    let more = run
        .into_iter()
        .chain(policy)
        .chain(gate.hint.clone())
        .chain(lines.cloned())
        .chain(gate.warnings.iter().cloned())
        .chain(failed)
        .chain(pending)
        .chain(facts);
    for line in more {
        let line = format!("\n- {}", words(&line));
        if comment.len() + line.len() > MAX_COMMENT {
            break;
        }
        comment += &line;
    }
    comment
}

/// At most [`MAX_COMMENT`] bytes, cut between two characters.
fn cut(mut text: String) -> String {
    const MORE: &str = "…";
    if text.len() > MAX_COMMENT {
        let fits = |end: &usize| text.is_char_boundary(*end);
        let end = (0..=MAX_COMMENT - MORE.len()).rev().find(fits);
        text.truncate(end.unwrap_or_default());
        text.push_str(MORE);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::report::gate::sample;
    use crate::report::sample::HOSTILE;

    fn read(gate: &Gate) -> (String, String) {
        let body: Value = serde_json::from_str(&render(gate, "prod")).unwrap();
        assert_eq!(body["environment_name"], "prod");
        assert_eq!(body.as_object().unwrap().len(), 3);
        let of = |key: &str| body[key].as_str().unwrap().to_owned();
        let comment = of("comment");
        assert!(comment.len() <= MAX_COMMENT, "{}", comment.len());
        (of("state"), comment)
    }

    #[test]
    fn only_a_go_approves() {
        let (state, comment) = read(&sample::go());
        assert_eq!(state, "approved");
        assert!(comment.starts_with("**GO**\n- Run "), "{comment}");
        for gate in [
            sample::no_go(),
            sample::hold(),
            sample::refused(),
            sample::not_judged(),
            sample::hostile(),
            sample::hostile_refusal(),
            sample::many(),
        ] {
            let (state, comment) = read(&gate);
            assert_eq!(state, "rejected", "{comment}");
            let start = format!("**{}**: ", gate.answer.as_str());
            assert!(comment.starts_with(&start), "{comment}");
            assert!(comment.len() > start.len());
        }
    }

    #[test]
    fn the_worst_reason_stands_however_long_the_words_are() {
        for letter in ["x", "<", "ż", "東", "\u{1f980}", "\u{0}", "&", "*"] {
            let mut gate = sample::no_go();
            gate.reasons = vec![letter.repeat(5_000); 9];
            let (_, comment) = read(&gate);
            let first = comment.lines().next().unwrap();
            assert!(
                first.starts_with("**NO-GO**: ") && first.ends_with('…'),
                "{first}"
            );
        }
        let (_, comment) = read(&sample::no_go());
        assert!(comment.contains("2 of 29 checks failed"), "{comment}");
        assert!(comment.contains("permission denied"), "{comment}");
    }

    #[test]
    fn hostile_words_form_no_markup() {
        let mut gate = sample::refused();
        gate.reasons = vec![HOSTILE.to_owned()];
        let (_, comment) = read(&gate);
        for markup in ["<script", "@team", "javascript:1", "\n## GO", "https://"] {
            assert!(!comment.contains(markup), "{comment}");
        }
    }
}
