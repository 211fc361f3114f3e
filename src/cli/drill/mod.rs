//! `gonogo drill`: the support process rehearsed as a record. One file a verb; what a drill is and what it comes to
//! is `report/drill/`.

mod begin;
mod due;
mod finish;
mod note;
mod verify;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::circumstances::operator;
use super::fault::{Exit, Fault};
use super::signing::Signing;
use crate::report::drill::{JournalFault, Kind};

/// Rehearses the support process, from retrieval to the vendor's answer, as a record that people fill over hours:
/// `begin`, `note` what was done, `finish` when all is told, `sign` it off, `verify` it. Nothing is contacted.
#[derive(Subcommand)]
pub(super) enum Drill {
    /// Begin one: a directory to come back to
    Begin(Begin),
    /// Tell one thing that was done
    Note(Note),
    /// Tell what was told, and what is missing; exits with 1 when something is
    Status(Status),
    /// Seal it: exits with 0 when it passed, 1 when it did not, 2 when something is left to tell
    Finish(Finish),
    /// Sign a sealed drill off, as somebody who looked at it
    Sign(Sign),
    /// Check a sealed drill offline: exits with 0 when it passed, 1 when it did not, 4 when it is not acceptable, 5
    /// when it waits for people to sign it off
    Verify(Verify),
    /// Tell by when the next drill with each vendor is due; exits with 1 when one is overdue
    Due(Due),
}

#[derive(Args)]
pub(super) struct Begin {
    /// The inventory: it stays the same for the whole drill
    #[arg(long, short, value_name = "FILE")]
    pub inventory: PathBuf,
    /// With which vendor
    #[arg(long, value_name = "NAME")]
    pub vendor: String,
    /// `out-of-hours` is refused while the vendor has to answer
    #[arg(long, value_enum)]
    pub kind: GivenKind,
    /// The severity of the rehearsed case, where contracted hours differ by it
    #[arg(long, value_name = "NAME")]
    pub severity: Option<String>,
    /// Who plays what: `usual-expert=` and `operator=` are two people, contacts of the vendor or others
    #[arg(long, value_name = "ROLE=PERSON", required = true)]
    pub role: Vec<String>,
    /// The directory to make
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// Who tells it [default: the account]
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
}

/// The two kinds.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum GivenKind {
    /// At a time that suits
    Planned,
    /// While the vendor does not have to answer
    OutOfHours,
}

impl From<GivenKind> for Kind {
    fn from(kind: GivenKind) -> Self {
        match kind {
            GivenKind::Planned => Self::Planned,
            GivenKind::OutOfHours => Self::OutOfHours,
        }
    }
}

/// Nothing that was told is rewritten. Times carry an offset or Z, lie within the drill, and never in the future.
#[derive(Args)]
pub(super) struct Note {
    /// The directory that `begin` made
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Who tells it [default: the account]
    #[arg(long, value_name = "NAME", global = true)]
    pub by: Option<String>,
    /// Tell again what was told already, and why: the last one counts, all stay in the record
    #[arg(long, value_name = "REASON", global = true)]
    pub again: Option<String>,
    #[command(subcommand)]
    pub step: NoteStep,
}

#[derive(Subcommand)]
pub(super) enum NoteStep {
    /// Every team fetched everything from every server: a GO run of the whole estate, made within the drill
    Retrieval {
        /// The run directory
        #[arg(long, value_name = "RUN")]
        run: PathBuf,
        /// Who may sign runs
        #[arg(long, value_name = "FILE")]
        allowed_signers: PathBuf,
    },
    /// The text of the case, filled in
    Request {
        /// A text in UTF-8
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        /// When it was ready [default: now]
        #[arg(long, value_name = "TIME")]
        at: Option<Timestamp>,
    },
    /// What is handed over
    Bundle {
        /// Each part
        #[arg(long, value_name = "FILE", required = true)]
        file: Vec<PathBuf>,
        /// When it was ready [default: now]
        #[arg(long, value_name = "TIME")]
        at: Option<Timestamp>,
    },
    /// It was handed over: by a receipt for each part, or by the digests that the intake told
    Delivery {
        /// A receipt of `gonogo case deliver`: it tells digest and time
        #[arg(long, value_name = "FILE", required_unless_present = "sha256")]
        receipt: Vec<PathBuf>,
        /// The digest of each part, as the intake told it
        #[arg(
            long,
            value_name = "HEX",
            conflicts_with = "receipt",
            requires = "words"
        )]
        sha256: Vec<String>,
        /// How the digests became known
        #[arg(long, value_name = "TEXT", conflicts_with = "receipt")]
        words: Option<String>,
        /// When [default: now]
        #[arg(long, value_name = "TIME", conflicts_with = "receipt")]
        at: Option<Timestamp>,
    },
    /// A person at the vendor's answered
    Acknowledgement {
        /// The vendor's number of the case
        #[arg(long, value_name = "NUMBER")]
        case: String,
        /// Who
        #[arg(long, value_name = "WHO")]
        from: String,
        /// When
        #[arg(long, value_name = "TIME")]
        at: Timestamp,
    },
    /// A level of escalation was tried
    Escalation {
        /// Its name in the inventory
        #[arg(value_name = "LEVEL")]
        level: String,
        /// When
        #[arg(long, value_name = "TIME")]
        tried: Timestamp,
        /// When somebody answered; nobody did without it
        #[arg(long, value_name = "TIME", requires = "from")]
        answered: Option<Timestamp>,
        /// Who answered
        #[arg(long, value_name = "WHO", requires = "answered")]
        from: Option<String>,
    },
    /// Something went another way than the process says
    Deviation {
        /// What
        #[arg(value_name = "TEXT", required_unless_present = "none")]
        what: Option<String>,
        /// There was none
        #[arg(long, conflicts_with = "what")]
        none: bool,
    },
    /// Something has to be done
    Finding {
        /// What
        #[arg(value_name = "TEXT")]
        what: String,
        /// Who: a contact of the vendor, or somebody who has a role
        #[arg(long, value_name = "WHO")]
        owner: String,
        /// By which day
        #[arg(long, value_name = "DAY")]
        due: String,
        /// What fell short: `acknowledgement` or 'escalation LEVEL'
        #[arg(long, value_name = "WHAT")]
        about: Option<String>,
    },
    /// What became of a finding of the last drill
    Last {
        /// Its id
        #[arg(value_name = "ID")]
        finding: String,
        /// Whether it is done
        #[arg(value_enum)]
        state: GivenState,
        /// By what it is known, or why it is not done
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// By which day now: of one that is open although its day is over
        #[arg(long, value_name = "DAY")]
        due: Option<String>,
    },
}

/// The two states.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum GivenState {
    /// Done
    Closed,
    /// Not yet
    Open,
}

#[derive(Args)]
pub(super) struct Status {
    /// The directory that `begin` made
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// The folder of all sealed drills: the findings of the last one are told too
    #[arg(long, value_name = "FOLDER")]
    pub drills: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct Finish {
    /// The directory that `begin` made; it stays as it is
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Where the sealed drill is written, in the folder of all drills; must not exist yet
    #[arg(long, short, value_name = "DIR")]
    pub out: PathBuf,
    /// Seal it although something is missing, as INVALID: a drill that went wrong is a record, too
    #[arg(long)]
    pub invalid: bool,
    /// Seal it although something fell short and no finding is about it, as FAILED
    #[arg(long)]
    pub failed: bool,
    #[command(flatten)]
    pub signing: Signing,
}

/// Writes SHA256SUMS.<name>.sig. Stock `ssh-keygen -Y sign -n gonogo-drill@gonogo` makes the same file.
#[derive(Args)]
pub(super) struct Sign {
    /// The sealed drill
    #[arg(value_name = "DIR")]
    pub drill: PathBuf,
    /// Your own key, never the one that sealed it
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// The environment variable that holds the key's passphrase
    #[arg(long, value_name = "NAME")]
    pub key_passphrase_env: Option<String>,
    /// What the file is named by; who you are says the key [default: the comment of the key]
    #[arg(long = "as", value_name = "NAME")]
    pub name: Option<String>,
}

#[derive(Args)]
pub(super) struct Verify {
    /// The sealed drill
    #[arg(value_name = "DIR")]
    pub drill: PathBuf,
    /// Who may seal drills, and sign the runs that they rest on (ssh-keygen's allowed_signers), received by another
    /// way than the drill
    #[arg(long, value_name = "FILE")]
    pub allowed_signers: PathBuf,
    /// Who may sign drills off: names and keys in the same format. Two of them must have, beside who sealed it
    #[arg(long, value_name = "FILE")]
    pub people: Option<PathBuf>,
    /// Keys that are trusted no more, whenever they signed: a list of `ssh-keygen -k`, or public keys
    #[arg(long, value_name = "FILE")]
    pub revoked: Option<PathBuf>,
    /// The folder of all drills: the chain, and the findings of the last drill, are compared
    #[arg(long, value_name = "FOLDER")]
    pub drills: Option<PathBuf>,
    /// The drill must be with this vendor
    #[arg(long, value_name = "NAME")]
    pub vendor: Option<String>,
    /// The drill must be about this environment
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
    /// When it was sealed, known from elsewhere: keys must have been valid then
    #[arg(long, value_name = "TIME")]
    pub signed_at: Option<Timestamp>,
}

#[derive(Args)]
pub(super) struct Due {
    /// The inventory
    #[arg(long, short, value_name = "FILE")]
    pub inventory: PathBuf,
    /// The folder of all sealed drills: those that passed and were signed off count, in place of `drill: {last: …}`
    #[arg(long, value_name = "FOLDER", requires_all = ["allowed_signers", "people"])]
    pub drills: Option<PathBuf>,
    /// Who may seal drills, and sign the runs that they rest on
    #[arg(long, value_name = "FILE", requires = "drills")]
    pub allowed_signers: Option<PathBuf>,
    /// Who may sign drills off
    #[arg(long, value_name = "FILE", requires = "drills")]
    pub people: Option<PathBuf>,
    /// Keys that are trusted no more
    #[arg(long, value_name = "FILE", requires = "drills")]
    pub revoked: Option<PathBuf>,
    /// Write the days as an iCalendar file, too
    #[arg(long, value_name = "FILE")]
    pub ics: Option<PathBuf>,
}

pub(super) fn drill(verb: &Drill) -> Result<Exit, Fault> {
    match verb {
        Drill::Begin(args) => begin::begin(args),
        Drill::Note(args) => note::note(args),
        Drill::Status(args) => finish::status(args),
        Drill::Finish(args) => finish::finish(args),
        Drill::Sign(args) => verify::sign(args),
        Drill::Verify(args) => verify::verify(args),
        Drill::Due(args) => due::due(args),
    }
}

impl From<JournalFault> for Fault {
    fn from(fault: JournalFault) -> Self {
        let exit = match fault {
            JournalFault::Io { .. } | JournalFault::Held(_) => Exit::Fault,
            _ => Exit::Refused,
        };
        Self::new(exit, &fault, fault.hint())
    }
}

fn who(by: Option<&String>) -> String {
    by.cloned().unwrap_or_else(operator)
}

fn refuse(message: impl std::fmt::Display, hint: &str) -> Fault {
    Fault::new(Exit::Refused, message, hint)
}

fn shown(path: &Path) -> String {
    crate::text::escape(&path.to_string_lossy()).into_owned()
}
