//! A folder of runs read as one chain, the oldest first: what `gonogo history` shows, what a new run is
//! chained to, and what tells `verify` that an old run was followed by another. Reads directories; a
//! chain proves itself in [`chain`], and is drawn by `page` and `text`.

mod chain;
mod entry;
pub mod page;
mod plot;
pub mod text;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

pub use chain::Break;
pub use entry::{Entry, Signed};

use crate::digest::Sha256;
use crate::sign::allowed_signers::AllowedSigners;
use crate::sign::manifest::{ATTESTATION, MANIFEST, SIGNATURE};

/// Any of these in a directory means that it is a run, or was one.
const MARKS: [&str; 4] = [MANIFEST, SIGNATURE, ATTESTATION, "report.json"];

/// The runs of one folder.
#[derive(Clone, Debug)]
pub struct History {
    /// In the order of the chain; where it is broken, its pieces by time.
    pub runs: Vec<Entry>,
    /// Where it is broken. Empty when every run but the first follows the one before it.
    pub breaks: Vec<Break>,
    /// What lies in the folder and is no run: names.
    pub strangers: BTreeSet<String>,
}

/// The folder cannot be listed: a fault of ours.
#[derive(Debug, thiserror::Error)]
#[error("cannot list `{}`: {cause}", crate::text::escape(&dir.to_string_lossy()))]
pub struct HistoryFault {
    dir: PathBuf,
    cause: io::Error,
}

impl History {
    /// Reads every run directly in `dir`. With `allowed`, each must be signed by one of them, with a key
    /// that is valid now or was at the time that the run states; without, only the chain is looked at.
    ///
    /// A run that cannot be read is a break: it may be the one that says NO-GO.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn open(
        dir: &Path,
        allowed: Option<&AllowedSigners>,
        now: Timestamp,
    ) -> Result<Self, HistoryFault> {
        let fault = |cause| HistoryFault {
            dir: dir.to_owned(),
            cause,
        };
        let mut names = BTreeSet::new();
        for entry in std::fs::read_dir(dir).map_err(fault)? {
            names.insert(entry.map_err(fault)?.file_name());
        }
        let (mut runs, mut breaks, mut strangers) = (Vec::new(), Vec::new(), BTreeSet::new());
        for name in names {
            let path = dir.join(&name);
            let name = name.to_string_lossy().into_owned();
            let is_run = MARKS
                .iter()
                .any(|mark| path.join(mark).symlink_metadata().is_ok());
            // A run in the making has the name that `Draft` gives it, and no signature yet.
            if !is_run || name.starts_with('.') {
                if !name.starts_with('.') {
                    strangers.insert(name);
                }
                continue;
            }
            match Entry::read(&path, &name, allowed, now) {
                Ok(entry) => runs.push(entry),
                Err(why) => breaks.push(Break::Unreadable { name, why }),
            }
        }
        let (runs, broken) = chain::link(runs);
        breaks.extend(broken);
        Ok(Self {
            runs,
            breaks,
            strangers,
        })
    }

    /// The newest run, when the chain is whole.
    #[must_use]
    pub fn newest(&self) -> Option<&Entry> {
        self.runs.last().filter(|_| self.breaks.is_empty())
    }

    /// The runs that followed the one with this manifest; `None` when it is not among them.
    #[must_use]
    pub fn after(&self, digest: Sha256) -> Option<&[Entry]> {
        let at = self.runs.iter().position(|run| run.digest == digest)?;
        Some(&self.runs[at + 1..])
    }
}
