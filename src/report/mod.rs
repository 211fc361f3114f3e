//! The report: its published shape, and one renderer a file, each a function of the shape alone.
//! No renderer asks the clock, judges, or knows how a run is made.

pub mod answer;
mod asked;
pub mod beside;
pub mod break_glass;
mod causes;
mod claims;
pub mod diff;
pub mod directory;
pub mod drill;
mod facts;
mod found;
pub mod gate;
mod granted;
pub mod history;
pub mod html;
pub mod junit;
pub mod kept;
pub mod markdown;
pub mod messages;
pub mod oscal;
mod phrases;
pub mod previous;
mod probed;
#[cfg(test)]
mod published;
mod read;
mod restated;
mod run_files;
pub mod runbook;
#[cfg(test)]
pub(crate) mod sample;
pub mod schema;
mod seal;
pub mod sealed;
mod seen;
pub mod sharded;
pub mod stamp;
pub mod subject;
pub mod text;
pub mod verify;
pub mod waived;
mod week;
mod write;

pub use facts::{facts, judge, publish};
pub use phrases::answer_command;
pub use read::{MAX_BYTES, ReadFault, read};
pub use run_files::{WriteFault, files};
pub use seal::{Chain, SealingFault, seal};
pub use text::Style;
pub use write::write;
