//! The report: its published shape, and one renderer a file, each a function of the shape alone.

pub mod directory;
pub mod schema;
pub mod sealed;
