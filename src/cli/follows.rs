//! Which run a new run follows: named, or found as the newest of a folder. What is wrong with the chain is
//! told before anything is contacted.

use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::fault::{Exit, Fault};
use crate::report::history::{Entry, History};
use crate::report::{Chain, previous};
use crate::text::escape;
use crate::time;

// A longer chain of runs without numbers is none that people keep.
const MOST_UNNUMBERED: u64 = 10_000;

/// What the user said.
pub(super) enum Follows {
    /// It is the first run.
    Nothing,
    /// This run.
    Run(PathBuf),
    /// The newest run of this folder.
    Newest(PathBuf),
}

/// A place at the end of a chain.
pub(super) struct Place {
    /// The run before.
    pub previous: Option<Chain>,
    /// Held until the run is sealed, so that no other run takes the same place.
    _folder: Option<File>,
}

pub(super) fn place(follows: &Follows, out: &Path, environment: &str) -> Result<Place, Fault> {
    match follows {
        Follows::Nothing => Ok(Place {
            previous: None,
            _folder: None,
        }),
        Follows::Run(run) => Ok(Place {
            previous: Some(named(run)?),
            _folder: None,
        }),
        Follows::Newest(folder) => newest(folder, out, environment),
    }
}

fn refused(message: String, hint: &str) -> Fault {
    Fault::new(Exit::Refused, message, hint)
}

fn named(run: &Path) -> Result<Chain, Fault> {
    let shown = run.to_string_lossy().into_owned();
    let shown = escape(&shown);
    let whole = run.canonicalize().map_err(|error| {
        refused(
            format!("cannot read `{shown}`: {error}"),
            "--previous names the directory of an earlier run",
        )
    })?;
    let entry = Entry::look(&whole).map_err(|why| {
        refused(
            format!("`{shown}` is not a run to be followed: {why}"),
            "--previous names the directory of an earlier run, whole",
        )
    })?;
    let number = number(&whole, &entry, 0)?;
    Ok(Chain {
        digest: entry.digest,
        name: entry.name,
        number,
    })
}

/// Its number; before gonogo 0.4 runs had none, and the runs before are counted.
fn number(run: &Path, entry: &Entry, counted: u64) -> Result<u64, Fault> {
    let own = entry
        .run
        .number
        .or_else(|| entry.previous.is_none().then_some(1));
    if let Some(own) = own {
        return Ok(own.saturating_add(counted));
    }
    let lost = |why: String| {
        refused(
            format!(
                "the number of this run cannot be told: `{}` has none, and {why}",
                escape(&entry.name)
            ),
            "keep all runs of a chain beside each other",
        )
    };
    let sibling = std::fs::read(run.join(previous::FILE))
        .ok()
        .and_then(|file| previous::sibling(&file));
    let before = sibling.map(|name| run.with_file_name(name));
    let before = before.ok_or_else(|| lost("names no run before it".to_owned()))?;
    let found = Entry::look(&before).map_err(|why| {
        lost(format!(
            "the run before it, `{}`, cannot be read: {why}",
            escape(&before.to_string_lossy())
        ))
    })?;
    match Some(found.digest) == entry.previous && counted < MOST_UNNUMBERED {
        true => number(&before, &found, counted + 1),
        false => Err(lost(
            "the run beside it is not the one that it follows".to_owned(),
        )),
    }
}

fn newest(folder: &Path, out: &Path, environment: &str) -> Result<Place, Fault> {
    let shown = folder.to_string_lossy().into_owned();
    let shown = escape(&shown);
    let unreadable = |error: &dyn std::fmt::Display| {
        refused(
            format!("cannot read `{shown}`: {error}"),
            "--history names the folder in which all runs lie; make it for the first one",
        )
    };
    let whole = folder.canonicalize().map_err(|error| unreadable(&error))?;
    let parent = out
        .parent()
        .map(|parent| match parent.as_os_str().is_empty() {
            true => Path::new("."),
            false => parent,
        });
    let inside = parent.and_then(|parent| parent.canonicalize().ok());
    if inside.as_ref() != Some(&whole) {
        return Err(refused(
            format!(
                "--out `{}` does not lie directly in `{shown}`",
                escape(&out.to_string_lossy())
            ),
            "a run is chained to its neighbours: name a new directory in the folder of --history",
        ));
    }
    let lock = File::open(&whole).map_err(|error| unreadable(&error))?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            return Err(Fault::new(
                Exit::Fault,
                format!("another run is being made in `{shown}`"),
                "wait until it has ended: two runs cannot follow the same one",
            ));
        }
        // Not every network file system has locks; `gonogo history` shows a fork.
        Err(errno) => super::term::say(&format!(
            "warning: `{shown}` cannot be locked ({errno}): let no other run begin there meanwhile"
        )),
    }
    let history = History::open(&whole, None, time::now()).map_err(|fault| unreadable(&fault))?;
    if let Some(broken) = history.breaks.first() {
        return Err(refused(
            format!("`{shown}` is not one chain of runs: {broken}"),
            broken.hint(),
        ));
    }
    let before = history.runs.last();
    // What would break the chain for ever is told before there is a run to break it.
    let unfollowed = before.and_then(|run| run.unfollowed(environment, time::now()));
    if let Some(broken) = unfollowed {
        return Err(refused(
            format!("no run can follow the newest of `{shown}`: {broken}"),
            "keep one folder for each environment, and the clock of the runner right",
        ));
    }
    let chain = before.map(|run| Chain {
        digest: run.digest,
        name: run.name.clone(),
        number: run.run.number.unwrap_or(history.runs.len() as u64),
    });
    Ok(Place {
        previous: chain,
        _folder: Some(lock),
    })
}
