//! The vocabulary of features, and what each phrase does.
//!
//! One table, [`STEPS`], feeds matching, `gonogo steps`, docs/steps.md and the tests over itself.
//! A phrase binds to a [`Call`] when the plan is made; the plan asks a call what it will touch, and
//! the run performs it. One file a theme.

mod asking;
mod bind;
mod call;
mod clock;
mod command;
pub mod configuration;
mod connect;
mod denied;
pub mod host;
mod http;
mod journal;
mod keep;
pub mod listing;
mod live;
pub mod log;
mod perform;
pub mod person;
mod printed;
mod reject;
mod remedy;
pub mod resume;
mod retrieve;
pub mod statistics;
mod subject;
mod table;
#[cfg(test)]
mod tests;
mod vendor;
pub mod version;
mod world;

pub use bind::{Below, BindError, bind};
pub use call::{ArtifactName, Call, Known, Selector, Touch};
pub use clock::{CLOCK_COMMAND, measure, on_time};
pub use command::line as command_line;
pub use connect::{
    HOSTNAME_COMMAND, HOSTNAME_FILE, MACHINE_ID_FILE, Seen, at_the_door, identify, is_meant,
};
pub use keep::{Keep, clean as kept_name};
pub use perform::perform;
pub use subject::Subject;
pub use table::{STEPS, StepDef, Takes};
pub use world::{Door, Stop, World, deadline_passed};
