//! For whom a file is encrypted: an option of `case build` and `case split`.

use clap::Args;

use crate::case::receivers;
use crate::cli::fault::{Exit, Fault};
use crate::encryption::{Recipients, Wrong};
use crate::inventory::Intake;
use crate::text::escape;
use crate::time;

/// For whom.
#[derive(Args)]
pub(in crate::cli) struct Encrypted {
    /// Encrypt it to an age recipient (age1…), an SSH public key, or who is in a file: recipients, one a line, or
    /// OpenPGP public keys
    #[arg(long, value_name = "RECIPIENT")]
    pub encrypt_to: Vec<String>,
}

impl Encrypted {
    /// Those who are named here.
    pub(super) fn named(&self) -> Result<Option<Recipients>, Fault> {
        match self.encrypt_to.is_empty() {
            true => Ok(None),
            false => receivers::named(&self.encrypt_to, time::now())
                .map(Some)
                .map_err(fault),
        }
    }
}

/// Those whom the intake names.
pub(super) fn of_intake(intake: &Intake) -> Result<Recipients, Fault> {
    receivers::of_intake(intake, time::now()).map_err(fault)
}

/// Words for a person who compares them with what the vendor said.
pub(super) fn told(all: &[String]) -> String {
    let all: Vec<_> = all.iter().map(|one| escape(one)).collect();
    format!("encrypted to {}", all.join(", "))
}

fn fault(wrong: Vec<Wrong>) -> Fault {
    let one = |(why, hint): Wrong| format!("{}\n  hint: {}", escape(&why), escape(&hint));
    let all: Vec<String> = wrong.into_iter().map(one).collect();
    Fault::new(Exit::Refused, all.join("\nerror: "), "")
}
