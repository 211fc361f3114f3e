//! Settings as a reader of a format hands them over, within bounds: a hostile file may repeat, nest or
//! alias itself into more than there is memory for.

use super::{Include, Setting, Settings};

/// Deepest nesting of containers; the deepest configurations have some ten.
pub(super) const DEEPEST: usize = 128;
/// Most settings of one file.
const MOST: usize = 200_000;
/// Most bytes of all paths and values together.
const MOST_BYTES: usize = 64 << 20;

/// Why a text is no configuration of its format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is not what the grammar says; `why` quotes no value.
    At {
        line: usize,
        column: usize,
        why: String,
    },
    /// There is too much of something.
    TooLarge(&'static str),
}

impl Wrong {
    pub(super) fn at(line: usize, column: usize, why: impl Into<String>) -> Self {
        let why = why.into();
        Self::At { line, column, why }
    }
}

/// Collects settings and keeps count.
#[derive(Default)]
pub(super) struct Gather {
    found: Settings,
    bytes: usize,
    open: Vec<usize>,
    path: String,
}

impl Gather {
    /// A setting in the container that is open.
    pub(super) fn setting(&mut self, key: &str, value: &str, line: usize) -> Result<(), Wrong> {
        let path = self.below(key);
        self.push(path, value.to_owned(), line)
    }

    /// A container in the one that is open; open until [`Gather::close`].
    pub(super) fn open(&mut self, key: &str, value: &str, line: usize) -> Result<(), Wrong> {
        self.setting(key, value, line)?;
        self.enter(key)
    }

    /// As [`Gather::open`], without a setting of its own.
    pub(super) fn enter(&mut self, key: &str) -> Result<(), Wrong> {
        if self.open.len() >= DEEPEST {
            return Err(Wrong::TooLarge("containers more than 128 deep"));
        }
        self.open.push(self.path.len());
        self.path = self.below(key);
        Ok(())
    }

    /// Closes the innermost container; `false` when none is open.
    pub(super) fn close(&mut self) -> bool {
        match self.open.pop() {
            Some(length) => {
                self.path.truncate(length);
                true
            }
            None => false,
        }
    }

    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    pub(super) fn include(
        &mut self,
        path: &str,
        line: usize,
        is_directory: bool,
        is_optional: bool,
    ) -> Result<(), Wrong> {
        self.count(path.len() + self.path.len())?;
        self.found.includes.push(Include {
            path: path.to_owned(),
            within: self.path.clone(),
            is_directory,
            is_optional,
            line,
        });
        Ok(())
    }

    /// Number of settings so far: where a part begins that [`Gather::again`] repeats.
    pub(super) fn len(&self) -> usize {
        self.found.list.len()
    }

    /// Repeats the settings from `from` to `to`, whose paths begin with `stem` bytes of another
    /// container, in the one that is open.
    pub(super) fn again(&mut self, from: usize, to: usize, stem: usize) -> Result<(), Wrong> {
        for at in from..to {
            let Setting { path, value, line } = self.found.list[at].clone();
            let path = format!("{}{}", self.path, path.get(stem..).unwrap_or_default());
            self.push(path.trim_start_matches('/').to_owned(), value, line)?;
        }
        Ok(())
    }

    /// Path of the container that is open.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn finish(self) -> Settings {
        self.found
    }

    fn below(&self, key: &str) -> String {
        match (self.path.is_empty(), key.is_empty()) {
            (true, _) => key.to_owned(),
            (_, true) => self.path.clone(),
            _ => format!("{}/{key}", self.path),
        }
    }

    fn push(&mut self, path: String, value: String, line: usize) -> Result<(), Wrong> {
        self.count(path.len() + value.len())?;
        if path.is_empty() {
            // The whole of a document is no setting.
            return Ok(());
        }
        self.found.list.push(Setting { path, value, line });
        Ok(())
    }

    fn count(&mut self, bytes: usize) -> Result<(), Wrong> {
        self.bytes += bytes;
        if self.found.list.len() + self.found.includes.len() >= MOST {
            return Err(Wrong::TooLarge("more than 200,000 settings"));
        }
        if self.bytes > MOST_BYTES {
            return Err(Wrong::TooLarge("more than 64 MiB of settings"));
        }
        Ok(())
    }
}
