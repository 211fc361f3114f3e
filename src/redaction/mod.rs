//! What may leave the house: whole artifacts of which every piece is proven harmless, and the rest replaced.
//!
//! A list of what must not leave leaks. Here is one of what may: words of a vocabulary, numbers, times, versions,
//! ids of messages (`word`, `shape`, `vocabulary`). What stands behind the name of a secret (`cues`) is removed,
//! whatever it looks like; all else becomes a token, the same everywhere, whose meaning stays at home (`map`).
//! Structure first (`xml`, `tree`, `settings`, `sqlite`), lines within it and without it (`text`, `line`).
//!
//! Three walks over everything that goes into one bundle: *learn* (the whole work once, for what it brings to
//! light), *redact* (every file rewritten), *prove* (`proof`: the finished file opened anew by other rules).

mod armour;
mod by_value;
mod canary;
mod columns;
mod cue_words;
mod cues;
mod deferred;
mod doctype;
mod engine;
mod fix;
mod forms;
mod house;
mod json;
mod lanes;
mod line;
mod literals;
mod map;
mod never;
mod node;
mod numbers;
mod packed;
mod piece;
mod place;
mod proof;
mod said;
mod settings;
mod shape;
mod sqlite;
mod stream;
#[cfg(test)]
mod tests;
mod text;
mod tree;
mod undress;
mod value;
mod vocabulary;
mod word;
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
pub use self::proof::Proof;

/// Rule → how often it bit.
pub type Counts = BTreeMap<String, u64>;

/// How a file is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Lines of text: a log, a page, the output of a command.
    Lines,
    /// An XML document.
    Xml,
    /// YAML.
    Yaml,
    /// JSON.
    Json,
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
    /// Nothing tells what it holds.
    #[error("it is not text, not packed text and no SQLite database: nothing tells what it holds")]
    Unknown,
    /// Our own side.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Unfit {
    /// What was written is not what was meant: nobody can say what is left of it.
    fn misplaced() -> Self {
        Self::Content(
            "read again, it does not hold what was put in the place of what was taken out: this is a defect of gonogo"
                .to_owned(),
        )
    }
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

/// Counted where redaction cost a configuration its form.
const FORM_LOST: &str = "form not kept: written as lines";

/// Takes in what `file` gives away.
///
/// # Errors
/// When it cannot be read as what it is.
pub fn learn(engine: &mut Engine, shape: Shape, file: &Path) -> Result<(), Unfit> {
    learn_schema(engine, shape, file)?;
    if shape == Shape::Lines {
        let mut counts = Counts::new();
        return stream::redact(
            engine,
            &mut File::open(file)?,
            line::Mood::default(),
            None,
            &mut counts,
        );
    }
    let directory = tempfile::tempdir()?;
    redact(engine, shape, file, &directory.path().join("out")).map(drop)
}

fn learn_schema(engine: &mut Engine, shape: Shape, file: &Path) -> Result<(), Unfit> {
    match shape {
        Shape::Database => sqlite::learn(engine, file),
        Shape::Xml => xml::learn(engine, &whole(file)?),
        _ => Ok(()),
    }
}

/// Takes in what `file` gives away, and writes it to `out` as it leaves if nothing of that was new: if
/// [`Engine::knows`] says the same before this and after [`Engine::settle`].
///
/// # Errors
/// When it cannot be read as what it is, or cannot be made fit.
pub fn learn_and_redact(
    engine: &mut Engine,
    shape: Shape,
    file: &Path,
    out: &Path,
) -> Result<Counts, Unfit> {
    learn_schema(engine, shape, file)?;
    redact(engine, shape, file, out)
}

/// Writes `file` to `out` without what must not leave, and counts it.
///
/// # Errors
/// When it cannot be made fit.
pub fn redact(engine: &Engine, shape: Shape, file: &Path, out: &Path) -> Result<Counts, Unfit> {
    let mut counts = Counts::new();
    let clean = match shape {
        Shape::Database => {
            sqlite::redact(engine, file, out, &mut counts)?;
            return Ok(counts);
        }
        Shape::Lines => {
            lines(engine, file, line::Mood::default(), out, &mut counts)?;
            return Ok(counts);
        }
        Shape::Xml => xml::redact(engine, &whole(file)?, &mut counts)?,
        Shape::Json => tree::redact(engine, &whole(file)?, true, &mut counts)?,
        Shape::Yaml => tree::redact(engine, &whole(file)?, false, &mut counts)?,
        Shape::Settings(format) => settings::redact(engine, format, &whole(file)?, &mut counts)?,
    };
    let strict = line::Mood {
        is_strict: true,
        ..line::Mood::default()
    };
    match clean {
        Some((clean, true)) => io::Write::write_all(&mut create(out)?, clean.as_bytes())?,
        // Lines lose nothing by it; of a tree whose values are not where they were, least stays.
        Some((clean, false)) => {
            *counts.entry(FORM_LOST.to_owned()).or_default() += 1;
            let clean = match shape {
                Shape::Settings(_) => clean,
                _ => engine.text(&clean, strict, &mut counts),
            };
            io::Write::write_all(&mut create(out)?, clean.as_bytes())?;
        }
        // It is not what it is said to be, which may be the reason for the case: lines, of which least stays.
        None => {
            counts = Counts::from([("not well-formed: read as lines".to_owned(), 1)]);
            lines(engine, file, strict, out, &mut counts)?;
        }
    }
    Ok(counts)
}

fn lines(
    engine: &Engine,
    file: &Path,
    mood: line::Mood,
    out: &Path,
    counts: &mut Counts,
) -> Result<(), Unfit> {
    stream::redact(
        engine,
        &mut File::open(file)?,
        mood,
        Some(&mut create(out)?),
        counts,
    )?;
    Ok(())
}

/// Everything in a finished file that must not leave.
///
/// # Errors
/// When it cannot be read.
pub fn prove(proof: &Proof, shape: Shape, file: &Path) -> Result<Vec<Leak>, Unfit> {
    match shape {
        Shape::Database => sqlite::prove(proof, file),
        Shape::Xml => {
            let mut leaks = proof.file(file, true)?;
            // What the document says is no name of an element.
            for said in xml::said(&whole(file)?) {
                for Leak { what, .. } in proof.text(&said, 1) {
                    if !leaks.iter().any(|leak| leak.what == what) {
                        let place = "a text or an attribute".to_owned();
                        leaks.push(Leak { what, place });
                    }
                }
            }
            Ok(leaks)
        }
        _ => proof.file(file, false),
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
