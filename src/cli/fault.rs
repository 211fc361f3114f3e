//! Faults: why gonogo cannot do what it was asked. Message, hint and exit code; the errors of all rooms
//! are joined here and nowhere else. What is wrong with the *world* is a failure and stands in a report.

use crate::problem::{Problem, Problems};
use crate::report::SealingFault;
use crate::report::directory::DirectoryFault;
use crate::sign::key::KeyFault;

/// Exit codes of contract 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// GO.
    Go = 0,
    /// NO-GO.
    NoGo = 1,
    /// Nothing was judged: usage, inventory, features.
    Refused = 2,
    /// Nothing could be judged: our own side.
    Fault = 3,
    /// `verify`: the run is not acceptable.
    Unacceptable = 4,
    /// HOLD.
    Hold = 5,
    /// A defect of gonogo.
    Defect = 70,
    /// SIGINT.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

/// Why gonogo cannot go on.
#[derive(Debug)]
pub(super) struct Fault {
    /// All of it, as printed to stderr.
    pub message: String,
    pub exit: Exit,
}

impl Fault {
    /// `error: message`, a blank line and `hint: …`.
    pub(super) fn new(exit: Exit, message: impl std::fmt::Display, hint: &str) -> Self {
        let hint = if hint.is_empty() {
            String::new()
        } else {
            format!("\n\n  hint: {hint}")
        };
        Self {
            message: format!("error: {message}{hint}"),
            exit,
        }
    }
}

impl Fault {
    /// What is wrong, in one line, without its place and its remedy.
    pub(super) fn reason(&self) -> String {
        let first = self.message.lines().next().unwrap_or_default();
        first.strip_prefix("error: ").unwrap_or(first).to_owned()
    }
}

impl From<Problems> for Fault {
    fn from(problems: Problems) -> Self {
        Self {
            message: problems.to_string(),
            exit: Exit::Refused,
        }
    }
}

impl From<KeyFault> for Fault {
    fn from(fault: KeyFault) -> Self {
        Self::new(Exit::Fault, &fault, &fault.hint())
    }
}

impl From<DirectoryFault> for Fault {
    fn from(fault: DirectoryFault) -> Self {
        // A name that is taken or wrong is usage; a disk that refuses is ours.
        let exit = match fault {
            DirectoryFault::Exists { .. } | DirectoryFault::NoName { .. } => Exit::Refused,
            _ => Exit::Fault,
        };
        Self::new(exit, &fault, &fault.hint())
    }
}

impl From<SealingFault> for Fault {
    fn from(fault: SealingFault) -> Self {
        match fault {
            SealingFault::Directory(fault) => fault.into(),
            SealingFault::Write(fault) => Self::new(
                Exit::Defect,
                fault,
                "this is a defect of gonogo: please report it",
            ),
        }
    }
}

impl From<Vec<Problem>> for Fault {
    fn from(problems: Vec<Problem>) -> Self {
        Problems::from(problems).into()
    }
}
