//! Prose that is none: a description whose line reads like a step, because the line above that should
//! have begun a scenario is misspelt. Holds in every language, since phrases are the same in each; the
//! linter (`lint.rs`) tells more of English.

use crate::steps::{Below, Call, bind};

/// Words that a keyword may have (`Étant donné que`, and a bullet or two before it).
const KEYWORD_WORDS: usize = 4;

/// The first line of a description that is a step behind whatever stands for its keyword.
pub(super) fn lost_step(description: &str) -> Option<&str> {
    description
        .lines()
        .map(str::trim)
        .find(|line| is_step(line))
}

fn is_step(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    (1..=KEYWORD_WORDS.min(words.len())).any(|skipped| {
        let text = words[skipped..].join(" ");
        // A scenario has to do more than select, and prose may well end in `each instance`.
        bind(&text, Below::default()).is_ok_and(|call| !matches!(call, Call::Select(_)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_found_in_any_language_and_prose_is_left_alone() {
        for lost in [
            "Dann the event log has an entry from the last 1 hour",
            "then the version can be retrieved",
            "Étant donné que the team connects",
            "Then\u{a0}the version  is the expected one",
            "prose\n  und the statistics database is consistent\nprose",
        ] {
            assert!(lost_step(lost).is_some(), "{lost}");
        }
        for prose in [
            "",
            "Before go-live, for each instance",
            "each team responsible for it",
            "Retrieved means: every byte came, from a regular file",
            "This proves in the end that for every one of them the version can be retrieved",
        ] {
            assert_eq!(lost_step(prose), None, "{prose}");
        }
    }
}
