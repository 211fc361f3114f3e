//! The four files of a run directory that are the report itself, as bytes by name. Touches no disk:
//! `directory.rs` writes them, with the rest, whole or not at all.

use std::collections::BTreeMap;

use super::schema::Report;
use super::{html, junit, markdown, write};

/// The report could not be put into bytes: a fault of ours.
#[derive(Debug, thiserror::Error)]
pub enum WriteFault {
    /// `report.json`.
    #[error("cannot write report.json: {0}")]
    Json(#[from] serde_json::Error),
    /// `junit.xml`.
    #[error("cannot write junit.xml: {0}")]
    Junit(#[from] quick_junit::SerializeError),
}

/// `report.json`, `report.html`, `junit.xml` and `summary.md` (contract 6); the same report gives the
/// same bytes.
///
/// # Errors
/// When a writer refuses; a report gives none of them a cause.
pub fn files(report: &Report) -> Result<BTreeMap<String, Vec<u8>>, WriteFault> {
    let files = [
        ("report.json", write(report)?),
        ("report.html", html::render(report).into_bytes()),
        ("junit.xml", junit::render(report)?.into_bytes()),
        ("summary.md", markdown::render(report).into_bytes()),
    ];
    let files = files.into_iter();
    Ok(files
        .map(|(name, bytes)| (name.to_owned(), bytes))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{read, sample};

    #[test]
    fn four_files_and_the_same_bytes_each_time() {
        for report in [sample::no_go(), sample::hostile(), sample::aborted()] {
            let first = files(&report).unwrap();
            let names: Vec<_> = first.keys().map(String::as_str).collect();
            assert_eq!(
                names,
                ["junit.xml", "report.html", "report.json", "summary.md"]
            );
            assert_eq!(first, files(&report).unwrap());
            // Rendering again what was read gives the same pages: they are functions of the record.
            assert_eq!(first, files(&read(&first["report.json"]).unwrap()).unwrap());
        }
    }
}
