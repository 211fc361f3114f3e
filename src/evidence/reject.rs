//! `reject:` of an artifact: text in place of what was asked for, such as "Config not found" with status
//! 200. Looks at the beginning alone, since what stands in for an artifact is short.

use std::io::{self, Write};

use super::redact::Capture;
use super::text::{PAGE, Text};
use crate::failure::{Failure, FailureKind};
use crate::inventory::Pattern;

/// Holds the first page of what streams by against the patterns.
#[derive(Debug)]
pub struct Reject {
    patterns: Vec<Pattern>,
    text: Text,
}

impl Reject {
    /// For these patterns of an artifact.
    #[must_use]
    pub fn new(patterns: &[Pattern]) -> Self {
        Self {
            patterns: patterns.to_vec(),
            text: Text::new(PAGE),
        }
    }

    /// The judgement, once every byte has been written.
    ///
    /// # Errors
    /// `mismatch` with the words that are no artifact.
    pub fn finish(self) -> Result<(), Failure> {
        let text = self.text.into_capture().plain();
        let mut patterns = self.patterns.iter();
        let found = patterns.find_map(|pattern| Some((pattern, pattern.0.find(&text)?)));
        let Some((pattern, found)) = found else {
            return Ok(());
        };
        let line = text.get(found.start()..).unwrap_or_default();
        let said = Capture::new(line.lines().next().unwrap_or_default()).excerpt(160);
        Err(Failure::new(
            FailureKind::Mismatch,
            format!("nothing that `reject: {}` matches", pattern.0.as_str()),
            format!("`{said}`"),
        )
        .with_hint(
            "the product answered with a refusal in place of the artifact: see what it says",
        ))
    }
}

impl Write for Reject {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.text.write(piece)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &[u8]) -> Result<(), Failure> {
        let patterns = ["(?i)config not found", "^NOAUTH"];
        let patterns = patterns.map(|text| Pattern(regex::Regex::new(text).unwrap()));
        let mut reject = Reject::new(&patterns);
        for piece in text.chunks(3) {
            reject.write_all(piece).unwrap();
        }
        reject.finish()
    }

    #[test]
    fn what_stands_in_for_an_artifact_is_told() {
        let failure = judged(b"sorry: Config not found, password=hunter2\nmore").unwrap_err();
        assert_eq!(failure.kind, FailureKind::Mismatch);
        assert!(failure.actual.starts_with("`Config not found"), "{failure}");
        assert!(!failure.actual.contains("hunter2") && !failure.actual.contains("more"));
        assert!(judged(b"NOAUTH Authentication required.").is_err());
        assert_eq!(judged(b"<AMPSConfig/> NOAUTH"), Ok(()));
        assert_eq!(judged(b""), Ok(()));
    }
}
