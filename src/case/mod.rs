//! What a vendor's support is sent. The request: the vendor's template, filled in from records. The bundle of
//! one instance: kept artifacts that a signed run vouches for, redacted, packed
//! the same way every time, and opened again before anybody else sees it.
//!
//! Reads what `run --keep` kept and never a host; what goes out goes through `redaction`.

pub mod archive;
mod build;
pub mod deliver;
pub mod draft;
mod enclosed;
mod ends;
mod known;
mod letter;
mod lock;
mod manifest;
mod origin;
mod proof;
pub mod receipt;
pub mod receivers;
pub mod rehearsed;
pub mod sent;
mod sources;
pub mod split;
#[cfg(test)]
mod tests;

pub use build::{Built, Order, build};
pub use lock::Locked;

/// Why there is no bundle.
#[derive(Debug)]
pub enum Refused {
    /// What was found speaks against it: each thing, and what to do.
    Found(Vec<String>, &'static str),
    /// Something is written wrongly in a file of the user's.
    Written(crate::problem::Problems),
    /// What was asked for cannot be done.
    Usage(String, &'static str),
    /// Our own side.
    Fault(String),
}

impl From<std::io::Error> for Refused {
    fn from(error: std::io::Error) -> Self {
        Self::Fault(error.to_string())
    }
}
