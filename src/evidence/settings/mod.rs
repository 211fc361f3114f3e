//! What was read of one configuration file: its settings with their lines, and what it includes. Values
//! may be secrets: nothing here prints them, and whoever quotes one redacts it.
//!
//! One file a format; [`reader`] chooses. A container (an XML element, a section, a block, a mapping)
//! is a setting as well, followed by what it holds.

mod conf;
mod gather;
mod haproxy;
mod ini;
mod json;
mod nginx;
mod properties;
pub mod reader;
#[cfg(test)]
mod tests;
mod xml;
mod yaml;

use std::fmt;

/// The settings of one file.
#[derive(Clone, Default, PartialEq)]
pub struct Settings {
    /// Root element of an XML document.
    pub root: Option<String>,
    /// The name that it gives its instance, redacted: the value of the artifact's `name:`.
    pub name: Option<String>,
    /// In the order of the file.
    pub list: Vec<Setting>,
    /// Files that it asks for, in the order of the file.
    pub includes: Vec<Include>,
    /// What steps concluded from it.
    pub told: Told,
}

/// One setting.
#[derive(Clone, PartialEq, Eq)]
pub struct Setting {
    /// Keys from the outside in, joined by `/`: `AMPSConfig/Admin/FileName`, `http/server/listen`.
    /// An XML attribute is `Element/@name`. Of an option file `-` is written `_`, of `conf` capitals
    /// are small, since the products take one for the other.
    pub path: String,
    /// Its value, quotes taken off; of a container the words before its brace, mostly none.
    pub value: String,
    /// Line of the file, from 1.
    pub line: usize,
}

/// A file that a configuration asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// As written: a path or a pattern, absolute or relative.
    pub path: String,
    /// Path of the container that the directive stands in; empty at the top.
    pub within: String,
    /// Whether all files of a directory are meant.
    pub is_directory: bool,
    /// Whether the product starts without it.
    pub is_optional: bool,
    /// Line of the directive, from 1.
    pub line: usize,
}

/// What is left for the report when the settings themselves are gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Number of settings.
    pub settings: u64,
    /// Number of include directives.
    pub includes: u64,
    /// Whether every include, and theirs, was retrieved.
    pub is_complete: bool,
    /// Rules that were held against the configuration that this file begins.
    pub rules: Option<u64>,
    /// The shipped files that it was compared with, and is not.
    pub shipped: Vec<String>,
    /// The running copy that it was compared with.
    pub running: Option<Running>,
}

/// A comparison with the copy that is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Name of the artifact.
    pub artifact: String,
    /// Settings that both have.
    pub compared: u64,
    /// Settings that differ.
    pub differing: u64,
}

impl Settings {
    /// What the report needs, without the settings.
    #[must_use]
    pub fn summary(&self) -> Self {
        Self {
            root: self.root.clone(),
            name: self.name.clone(),
            told: self.told.clone(),
            ..Self::default()
        }
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.path)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("root", &self.root)
            .field("list", &self.list)
            .field("includes", &self.includes)
            .field("told", &self.told)
            .finish_non_exhaustive()
    }
}
