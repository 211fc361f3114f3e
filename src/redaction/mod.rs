//! What may leave the house: whole artifacts without secrets, with names that only we can turn back.
//!
//! Three walks over everything that goes into one bundle: *learn* (which secrets and names the
//! configurations, databases and logs give away), *redact* (every file rewritten), *prove* (the finished
//! file opened anew, and nothing of it found). Structure first, one file a format; then the rules of
//! `evidence`, line by line and in every spelling that is undone here (`views`).
//!
//! Whoever adds a form of a secret adds it to `evidence/rules.rs`: transcripts and artifacts know the same.

mod canary;
mod engine;
mod identifiers;
mod map;
mod never;
mod packed;
mod settings;
mod span;
mod sqlite;
mod stream;
#[cfg(test)]
mod tests;
mod tree;
mod views;
mod words;
mod xml;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;

pub use self::canary::sound;
pub use self::engine::{Engine, Known};
pub use self::map::{Map, MapFault};
pub use self::never::never;
use self::packed::Packing;

/// Rule → how often it bit.
pub type Counts = BTreeMap<String, u64>;

/// How a file is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Lines of text: a log, a page, the output of a command.
    Lines,
    /// An XML document.
    Xml,
    /// YAML or JSON.
    Tree,
    /// One setting a line, or in blocks.
    Settings(crate::inventory::Format),
    /// An SQLite database.
    Database,
}

/// Why a file cannot be made fit to leave. Never holds a byte of the file.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// What it holds cannot be redacted.
    #[error("{0}")]
    Content(String),
    /// Our own side.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Something that must not leave, found where nothing may be left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    /// What was found, such as `password`, `known host` or `canary 1`; never its text.
    pub what: String,
    /// Line, or table and column.
    pub place: String,
}

/// Largest configuration: it is read whole.
const MOST_WHOLE: u64 = 64 << 20;

/// Takes in what `file` gives away.
///
/// # Errors
/// When it cannot be read as what it is.
pub fn learn(engine: &mut Engine, shape: Shape, file: &Path) -> Result<(), Unfit> {
    match shape {
        Shape::Database => sqlite::learn(engine, file),
        Shape::Lines => stream::learn(engine, &mut File::open(file)?),
        _ => {
            let text = whole(file)?;
            match shape {
                Shape::Xml => xml::learn(engine, &text)?,
                Shape::Tree => tree::learn(engine, &text)?,
                Shape::Settings(format) => settings::learn(engine, format, &text)?,
                _ => {}
            }
            engine.learn_text(&text);
            Ok(())
        }
    }
}

/// Writes `file` to `out` without what must not leave, and counts it.
///
/// # Errors
/// When it cannot be made fit.
pub fn redact(engine: &mut Engine, shape: Shape, file: &Path, out: &Path) -> Result<Counts, Unfit> {
    let mut counts = Counts::new();
    match shape {
        Shape::Database => sqlite::redact(engine, file, out, &mut counts)?,
        Shape::Lines => stream::redact(
            engine,
            &mut File::open(file)?,
            &mut create(out)?,
            &mut counts,
        )?,
        _ => {
            let text = whole(file)?;
            let structured = match shape {
                Shape::Xml => xml::redact(engine, &text, &mut counts)?,
                Shape::Tree => tree::redact(engine, &text, &mut counts)?,
                Shape::Settings(format) => settings::redact(engine, format, &text, &mut counts)?,
                _ => text,
            };
            let clean = engine.redact_text(&structured, &mut counts);
            io::Write::write_all(&mut create(out)?, clean.as_bytes())?;
        }
    }
    Ok(counts)
}

/// Everything in a finished file that must not leave.
///
/// # Errors
/// When it cannot be read.
pub fn prove(engine: &Engine, shape: Shape, file: &Path) -> Result<Vec<Leak>, Unfit> {
    match shape {
        Shape::Database => sqlite::prove(engine, file),
        Shape::Lines => stream::prove(engine, &mut File::open(file)?),
        _ => {
            let text = whole(file)?;
            let mut leaks = engine.leaks(&text, 1);
            match shape {
                Shape::Xml => xml::prove(engine, &text, &mut leaks)?,
                Shape::Tree => tree::prove(engine, &text, &mut leaks)?,
                _ => {}
            }
            leaks.sort();
            leaks.dedup();
            Ok(leaks)
        }
    }
}

/// How `file` is packed, if it is, by its first bytes.
///
/// # Errors
/// When it cannot be read.
pub fn packing(file: &mut File) -> io::Result<Option<&'static str>> {
    let packing = Packing::of(file)?;
    Ok(packing.map(Packing::name))
}

/// Whether it is an SQLite database, by its first bytes.
///
/// # Errors
/// When it cannot be read.
pub fn is_database(file: &mut File) -> io::Result<bool> {
    let mut head = [0; 16];
    let length = packed::head(file, &mut head)?;
    Ok(&head[..length] == b"SQLite format 3\0")
}

fn create(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = File::options();
    options.write(true).create_new(true).mode(0o600).open(path)
}

/// The text of a configuration. In an encoding that is not UTF-8 it comes out as UTF-8.
fn whole(file: &Path) -> Result<String, Unfit> {
    let mut file = File::open(file)?;
    if file.metadata()?.len() > MOST_WHOLE {
        return Err(Unfit::Content(
            "it is larger than 64 MiB, and no configuration is".to_owned(),
        ));
    }
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut file, &mut bytes)?;
    stream::text(bytes)
}
