//! What only a person can answer. Nothing is done here: the check is pending until that person signs for it.

use crate::sign::people::role_name;
use crate::text::is_unsafe;

/// A question is read in a table and in a terminal, and signed for.
const LONGEST: usize = 500;

/// What a person is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// In which role; `None` means whoever may answer at all.
    pub role: Option<String>,
    /// What they confirm.
    pub question: String,
}

impl Ask {
    /// # Errors
    /// A phrase for the author of the feature.
    pub(super) fn new(role: Option<&str>, question: &str) -> Result<Self, String> {
        if question.trim().is_empty() || question.trim() != question {
            return Err("what a person confirms is some text, without blanks around it".to_owned());
        }
        if question.chars().count() > LONGEST || question.contains(is_unsafe) {
            return Err(format!(
                "what a person confirms has at most {LONGEST} characters, none of which steers a terminal"
            ));
        }
        if let Some(role) = role.filter(|role| role_name(role).is_none()) {
            return Err(format!(
                "`{role}` is no role: letters, digits, single blanks, `.`, `_` and `-`, at most 64"
            ));
        }
        Ok(Self {
            role: role.map(str::to_owned),
            question: question.to_owned(),
        })
    }

    /// Who is asked: `release manager`, or `a person`.
    #[must_use]
    pub fn whom(&self) -> &str {
        self.role.as_deref().unwrap_or("a person")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_words_for_somebody() {
        assert_eq!(
            Ask::new(Some("release manager"), "the pager rang"),
            Ok(Ask {
                role: Some("release manager".into()),
                question: "the pager rang".into()
            })
        );
        assert_eq!(Ask::new(None, "it rang").unwrap().whom(), "a person");
        for (role, question) in [
            (None, ""),
            (None, "  "),
            (None, " rang"),
            (None, "rang\u{202e}"),
            (None, "rang\u{1b}[2J"),
            (Some(""), "rang"),
            (Some("a*"), "rang"),
            (Some("a,b"), "rang"),
            (Some("release  manager"), "rang"),
            (Some("!boss"), "rang"),
        ] {
            assert!(Ask::new(role, question).is_err(), "{role:?} {question:?}");
        }
        assert!(Ask::new(None, &"x".repeat(LONGEST)).is_ok());
        assert!(Ask::new(None, &"x".repeat(LONGEST + 1)).is_err());
    }
}
