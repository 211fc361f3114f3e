//! The drill: the support process rehearsed from a broken instance to a case in the vendor's hands, as a record
//! that people fill over hours. `journal` keeps what is under way, `judge` says what it came to, `seal` and
//! `verify` are the two ends of a sealed record. Does none of the rehearsed things itself: it takes their results.

mod agreed;
mod blank;
mod chain;
mod counts;
mod evidence;
mod journal;
mod judge;
mod page;
mod same;
mod schema;
mod seal;
mod sound;
mod verify;
mod verify_text;

#[cfg(test)]
mod published;
#[cfg(test)]
mod tests;

pub use agreed::agreed;
pub use chain::{Folder, Past};
pub use counts::{Counted, Sealed};
pub use evidence::{Read, about, names, receipt, record, records, request, retrieved, versions};
pub use journal::{Journal, JournalFault};
pub use judge::{Judged, judge};
pub use page::{html, in_words, markdown};
pub use schema::{
    Acknowledgement, Agreed, Begin, Bundle, Coverage, Delivery, Deviation, Entry, Escalation,
    Finding, JSON_SCHEMA, Kept, Kind, Last, Level, Missing, Outcome, Person, Record, Request,
    Retrieval, Role, Said, Short, State, Step, Told,
};
pub use seal::{SealDrillFault, once, seal};
pub use verify::{Refused, Signed, Verified, verify};

/// What a higher floor sees in the kept files of a drill, in the directory in which they lie: what nobody can prove,
/// or what does not fit, in a phrase.
pub type Opened<'a> = &'a dyn Fn(&std::path::Path, &[Entry]) -> Result<Vec<String>, String>;

/// Value of [`Record::schema`].
pub const SCHEMA: &str = "gonogo/drill/v1";
/// The namespace of signatures over a drill: of who seals it, and of who signs it off.
pub const NAMESPACE: &str = "gonogo-drill@gonogo";
/// Name of the record in a sealed drill.
pub const RECORD: &str = "drill.json";
/// The inventory by which it was begun.
pub const INVENTORY: &str = "inputs/inventory.yaml";
/// The role that knows the process by heart.
pub const EXPERT: &str = "usual-expert";
/// The role that does it today.
pub const OPERATOR: &str = "operator";
/// How long somebody waits who finds a drill, or the folder of all, held by another.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
/// How many people sign a drill off, beside whoever sealed it.
pub const SIGN_OFFS: usize = 2;
