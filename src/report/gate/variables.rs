//! The gate's answer as `KEY=value` lines, for whatever reads variables from a file: Argo Workflows,
//! Harness, Jenkins' readProperties, a shell that sources it, GitLab's dotenv report. The keys are the same
//! for every answer, so that none of an earlier file survives; facts that only some runs have come behind.

use super::Gate;
use crate::text::clip;

/// Most characters of one value.
const VALUE: usize = 200;

/// A dotenv report of GitLab has at most so many variables where nobody raised the limit …
pub const GITLAB_VARIABLES: usize = 20;
/// … and is smaller than this.
pub const GITLAB_BYTES: usize = 5 * 1024;

/// One line a key; a value holds only what no shell, no properties file and no dotenv reader acts on.
#[must_use]
pub fn env(gate: &Gate, exit: u8) -> String {
    let (verdict, more) = lines(gate, exit);
    more.concat() + &verdict
}

/// As [`env`], within what GitLab takes: a file with one variable too many would set none.
#[must_use]
pub fn gitlab(gate: &Gate, exit: u8) -> String {
    let (verdict, more) = lines(gate, exit);
    let mut out = String::new();
    for line in more.iter().take(GITLAB_VARIABLES - 1) {
        if out.len() + line.len() + verdict.len() < GITLAB_BYTES {
            out += line;
        }
    }
    out + &verdict
}

/// The line of the verdict, which stands last, and the others: a file that was cut off says nothing.
fn lines(gate: &Gate, exit: u8) -> (String, Vec<String>) {
    let run = gate.run.as_ref();
    let name = |of: Option<&String>| of.map_or(String::new(), |name| exact(name));
    let count = |of: Option<u64>| of.map_or(String::new(), |count| count.to_string());
    let counts = run.map(|run| run.counts);
    let mut lines = vec![
        ("VERDICT".to_owned(), gate.answer.as_str().to_owned()),
        ("EXIT".to_owned(), exit.to_string()),
        ("ACCEPTED".to_owned(), run.is_some().to_string()),
        ("RUN".to_owned(), name(run.map(|run| &run.id))),
        (
            "ENVIRONMENT".to_owned(),
            name(run.map(|run| &run.environment)),
        ),
        ("FINISHED".to_owned(), name(run.map(|run| &run.finished))),
        ("SIGNER".to_owned(), name(run.map(|run| &run.signer))),
        (
            "FINGERPRINT".to_owned(),
            name(run.map(|run| &run.fingerprint)),
        ),
        (
            "PLANNED".to_owned(),
            count(counts.map(|counts| counts.planned)),
        ),
        (
            "PASSED".to_owned(),
            count(counts.map(|counts| counts.passed)),
        ),
        (
            "FAILED".to_owned(),
            count(counts.map(|counts| counts.failed)),
        ),
        (
            "WAIVED".to_owned(),
            count(counts.map(|counts| counts.waived)),
        ),
        (
            "PENDING".to_owned(),
            count(counts.map(|counts| counts.pending)),
        ),
        (
            "REASON".to_owned(),
            gate.reasons
                .first()
                .map_or(String::new(), |reason| readable(reason)),
        ),
    ];
    for fact in &gate.facts {
        let key = fact.key.to_uppercase();
        if lines.iter().all(|(known, _)| *known != key) {
            lines.push((key, readable(&fact.value)));
        }
    }
    let lines = lines.iter();
    let mut lines = lines.map(|(key, value)| format!("GONOGO_{key}={value}\n"));
    (lines.next().unwrap_or_default(), lines.collect())
}

/// GitLab expands `$`, shells act on most signs, and neither dotenv nor a sourced file takes a blank.
fn is_safe(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._:/@+,-".contains(c)
}

/// A name that is compared: what it cannot be told with makes it empty, equal to no name.
fn exact(name: &str) -> String {
    match name.chars().all(is_safe) && name.len() <= VALUE {
        true => name.to_owned(),
        false => String::new(),
    }
}

/// Words that are read: `_` stands for what cannot be told.
fn readable(words: &str) -> String {
    let words = clip(words, VALUE);
    words
        .chars()
        .map(|c| if is_safe(c) { c } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::report::gate::{Fact, sample};
    use crate::report::sample::HOSTILE;

    fn read(text: &str) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for line in text.lines() {
            let (key, value) = line.split_once('=').unwrap();
            assert!(key.starts_with("GONOGO_"), "{line}");
            assert!(value.chars().all(is_safe), "{line}");
            let again = found.insert(key.to_owned(), value.to_owned());
            assert_eq!(again, None, "{key} twice");
        }
        found
    }

    #[test]
    fn the_same_keys_for_every_answer_and_go_for_one() {
        let go = read(&env(&sample::go(), 0));
        assert_eq!(go["GONOGO_VERDICT"], "GO");
        for (gate, exit, word) in [
            (sample::no_go(), 1, "NO-GO"),
            (sample::hold(), 5, "HOLD"),
            (sample::refused(), 4, "UNACCEPTABLE"),
            (sample::not_judged(), 2, "NOT-JUDGED"),
            (sample::hostile(), 1, "NO-GO"),
        ] {
            let told = read(&env(&gate, exit));
            assert_eq!(told["GONOGO_VERDICT"], word);
            assert_eq!(told["GONOGO_EXIT"], exit.to_string());
            assert!(told.keys().eq(go.keys()), "{told:?}");
            let text = env(&gate, exit);
            let verdict = format!("\nGONOGO_VERDICT={word}\n");
            assert!(text.ends_with(&verdict), "{text}");
            assert_eq!(text, gitlab(&gate, exit));
        }
        let refused = read(&env(&sample::refused(), 4));
        assert_eq!(refused["GONOGO_RUN"], "");
        assert!(refused["GONOGO_REASON"].starts_with("stale:_the_run_finished"));
    }

    #[test]
    fn hostile_words_are_empty_names_and_underlined_reasons() {
        for words in [
            HOSTILE,
            "x\nGONOGO_VERDICT=GO",
            "$(reboot)",
            "`id`",
            "a b;c",
            "~",
            "${CI_JOB_TOKEN}",
        ] {
            let mut gate = sample::hostile();
            gate.reasons = vec![words.to_owned()];
            if let Some(run) = &mut gate.run {
                run.signer = words.to_owned();
            }
            let told = read(&env(&gate, 1));
            assert_eq!(told["GONOGO_SIGNER"], "");
            assert_eq!(told["GONOGO_VERDICT"], "NO-GO");
        }
        let signer = &read(&env(&sample::go(), 0))["GONOGO_SIGNER"];
        assert_eq!(signer, "gonogo@ops.example");
    }

    #[test]
    fn gitlab_takes_a_file_of_any_answer() {
        let mut gate = sample::no_go();
        const KEYS: [&str; 9] = ["a", "b", "c", "d", "e", "f", "g", "h", "verdict"];
        for key in KEYS {
            let value = "x".repeat(1_000);
            gate.facts.push(Fact {
                key,
                label: key,
                value,
            });
        }
        let told = gitlab(&gate, 1);
        assert_eq!(told.lines().count(), GITLAB_VARIABLES);
        assert!(told.len() < GITLAB_BYTES);
        assert_eq!(read(&told)["GONOGO_VERDICT"], "NO-GO");
        assert_eq!(env(&gate, 1).lines().count(), 14 + 8);
    }
}
