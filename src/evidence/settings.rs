//! What was read of one configuration file: its settings with their lines, and what it includes. Values
//! may be secrets: nothing here prints them, and whoever quotes one redacts it.

use std::fmt;

/// The settings of one file.
#[derive(Clone, Default, PartialEq)]
pub struct Settings {
    /// In the order of the file.
    pub list: Vec<Setting>,
    /// Files that it asks for, in the order of the file.
    pub includes: Vec<Include>,
}

/// One setting.
#[derive(Clone, PartialEq, Eq)]
pub struct Setting {
    /// Keys from the outside in, joined by `/`: `AMPSConfig/Admin/FileName`, `http/server/listen`.
    pub path: String,
    /// Its value, quotes taken off.
    pub value: String,
    /// Line of the file, from 1.
    pub line: usize,
}

/// A file that a configuration asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// As written: a path or a pattern, absolute or relative.
    pub path: String,
    /// Whether all files of a directory are meant.
    pub is_directory: bool,
    /// Whether the product starts without it.
    pub is_optional: bool,
    /// Line of the directive, from 1.
    pub line: usize,
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.path)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("list", &self.list)
            .field("includes", &self.includes)
            .finish()
    }
}
