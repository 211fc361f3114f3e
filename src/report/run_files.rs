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
    Junit(#[from] std::io::Error),
}

/// How a file of a run is made.
pub type Render = fn(&Report) -> Result<Vec<u8>, WriteFault>;

/// The record itself.
pub const RECORD: &str = "report.json";

/// `report.html`, `junit.xml` and `summary.md` (contract 6): functions of the record. Made one by one, since those
/// of a large run take hundreds of MiB.
pub const PAGES: [(&str, Render); 3] = [
    (
        "report.html",
        |report| Ok(html::render(report).into_bytes()),
    ),
    (
        "junit.xml",
        |report| Ok(junit::render(report)?.into_bytes()),
    ),
    ("summary.md", |report| {
        Ok(markdown::render(report).into_bytes())
    }),
];

/// The record and its pages; the same report gives the same bytes.
pub const FILES: [(&str, Render); 4] = [
    (RECORD, |report| Ok(write(report)?)),
    PAGES[0],
    PAGES[1],
    PAGES[2],
];

/// All of them at once, by name.
///
/// # Errors
/// When a writer refuses; a report gives none of them a cause.
pub fn files(report: &Report) -> Result<BTreeMap<String, Vec<u8>>, WriteFault> {
    let files = FILES.into_iter();
    files
        .map(|(name, render)| Ok((name.to_owned(), render(report)?)))
        .collect()
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
