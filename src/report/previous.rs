//! `PREVIOUS.sha256`: the one line that chains a run to the run before it, in the format of sha256sum(1),
//! so that an auditor needs nothing else (facts: signing.md 6). Reads and compares; writes nothing.

use super::schema::Report;
use crate::digest::Sha256;

/// Name of the file.
pub const FILE: &str = "PREVIOUS.sha256";
/// What the first run of a chain says.
pub(super) const FIRST: &str = "# first run\n";

/// Why a run's place in its chain cannot be told.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PreviousFault {
    /// Neither the words of a first run nor one line of sha256sum.
    #[error("PREVIOUS.sha256 is not one line `<64 hexadecimal digits>  ../<run>/SHA256SUMS`")]
    Syntax,
    /// Another run than in the record.
    #[error("PREVIOUS.sha256 names another run than the record")]
    Other,
    /// 0, or 1 behind another run.
    #[error("run number {0} cannot be that of a run that {follows}", follows = match .1 { true => "follows another", false => "is the first" })]
    Number(u64, bool),
}

/// The manifest that the file names; `None` for the first run.
///
/// # Errors
/// When it is not what gonogo writes.
pub fn named(file: &[u8]) -> Result<Option<Sha256>, PreviousFault> {
    if file == FIRST.as_bytes() {
        return Ok(None);
    }
    let text = std::str::from_utf8(file).map_err(|_| PreviousFault::Syntax)?;
    let line = text.strip_suffix('\n').ok_or(PreviousFault::Syntax)?;
    let (digest, path) = line.split_once("  ").ok_or(PreviousFault::Syntax)?;
    let is_sibling = path
        .strip_prefix("../")
        .and_then(|path| path.strip_suffix("/SHA256SUMS"))
        .is_some_and(|name| !name.contains(['/', '\n']) && !matches!(name, "" | "." | ".."));
    match digest.parse() {
        Ok(digest) if is_sibling => Ok(Some(digest)),
        _ => Err(PreviousFault::Syntax),
    }
}

/// The name of the directory that the file leads to.
#[must_use]
pub fn sibling(file: &[u8]) -> Option<String> {
    named(file).ok()??;
    let text = std::str::from_utf8(file).ok()?;
    Some(text.split('/').nth(1)?.to_owned())
}

/// A chain has one story: the record names the same run, and its number fits.
///
/// # Errors
/// What does not fit.
pub fn agrees(report: &Report, named: Option<Sha256>) -> Result<(), PreviousFault> {
    if report.run.previous != named.map(|digest| digest.to_string()) {
        return Err(PreviousFault::Other);
    }
    match report.run.number {
        // Before 0.4 runs had no number.
        None => Ok(()),
        Some(number) if (number == 1) != named.is_some() && number > 0 => Ok(()),
        Some(number) => Err(PreviousFault::Number(number, named.is_some())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn one_line_or_the_words_of_a_first_run() {
        let digest = Sha256::of(b"x");
        assert_eq!(named(b"# first run\n"), Ok(None));
        let line = format!("{digest}  ../run-1/SHA256SUMS\n");
        assert_eq!(named(line.as_bytes()), Ok(Some(digest)));
        assert_eq!(sibling(line.as_bytes()).as_deref(), Some("run-1"));
        assert_eq!(sibling(b"# first run\n"), None);
        for wrong in [
            String::new(),
            "# first run".to_owned(),
            "# first run\n\n".to_owned(),
            line.trim_end().to_owned(),
            line.replace("  ", " "),
            line.to_uppercase(),
            line.replace("../", ""),
            line.replace("run-1", "a/../b"),
            line.replace("run-1", ".."),
            line.replace("SHA256SUMS", "OTHER"),
            format!("{line}{line}"),
            format!("# first run\n{line}"),
        ] {
            assert_eq!(
                named(wrong.as_bytes()),
                Err(PreviousFault::Syntax),
                "{wrong}"
            );
        }
        assert_eq!(named(b"\xff"), Err(PreviousFault::Syntax));
    }

    #[test]
    fn the_chain_has_one_story() {
        let mut report = sample::go();
        let (one, other) = (Sha256::of(b"1"), Sha256::of(b"2"));
        let mut told = |previous: Option<Sha256>, number, named| {
            report.run.previous = previous.map(|digest| digest.to_string());
            report.run.number = number;
            agrees(&report, named)
        };
        for number in [None, Some(2), Some(17)] {
            assert_eq!(told(Some(one), number, Some(one)), Ok(()));
            assert_eq!(
                told(Some(one), number, Some(other)),
                Err(PreviousFault::Other)
            );
            assert_eq!(told(Some(one), number, None), Err(PreviousFault::Other));
        }
        for number in [None, Some(1)] {
            assert_eq!(told(None, number, None), Ok(()));
            assert_eq!(told(None, number, Some(one)), Err(PreviousFault::Other));
        }
        for (number, follows) in [(0, true), (1, true), (0, false), (2, false)] {
            let named = follows.then_some(one);
            let wrong = Err(PreviousFault::Number(number, follows));
            assert_eq!(told(named, Some(number), named), wrong);
        }
    }
}
