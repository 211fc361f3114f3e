//! A regular expression of a profile. Those of the shipped profiles are compiled when they are first asked: all
//! profiles together hold over a hundred, and a run uses few.

use std::fmt;
use std::sync::{Arc, OnceLock};

use regex::Regex;

/// Clones share what is compiled.
#[derive(Clone)]
pub(super) struct Expression(Arc<Inner>);

struct Inner {
    source: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Expression {
    /// Compiles it.
    ///
    /// # Errors
    /// What is wrong with it, in a phrase.
    pub fn new(source: &str) -> Result<Self, String> {
        let regex = Regex::new(source).map_err(|error| {
            let whole = error.to_string();
            let last = whole.lines().last().unwrap_or_default();
            let why = last.trim().trim_start_matches("error: ");
            format!("not a regular expression: {why}")
        })?;
        let own = Self::tested(source);
        let _ = own.0.compiled.set(Some(regex));
        Ok(own)
    }

    /// One that a test has compiled.
    pub fn tested(source: &str) -> Self {
        Self(Arc::new(Inner {
            source: source.to_owned(),
            compiled: OnceLock::new(),
        }))
    }

    /// The expression; nothing only if it cannot be compiled, which no shipped one may be.
    pub fn regex(&self) -> Option<&Regex> {
        let compile = || Regex::new(&self.0.source).ok();
        self.0.compiled.get_or_init(compile).as_ref()
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({:?})", self.0.source)
    }
}

#[cfg(test)]
mod tests {
    use super::Expression;

    #[test]
    fn one_that_is_tested_says_what_a_compiled_one_says() {
        let (now, later) = (Expression::new("a+").unwrap(), Expression::tested("a+"));
        for text in ["baa", "b"] {
            let found = |one: &Expression| one.regex().unwrap().is_match(text);
            assert_eq!(found(&now), found(&later), "{text}");
        }
        assert!(Expression::new("(").unwrap_err().contains("not a regular"));
        assert!(Expression::tested("(").regex().is_none());
    }
}
