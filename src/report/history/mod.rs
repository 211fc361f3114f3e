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
pub use entry::{Entry, Signed, proven};

use super::schema::Report;
use crate::digest::Sha256;
use crate::sign::allowed_signers::AllowedSigners;
use crate::sign::manifest::{ATTESTATION, MANIFEST, Manifest, SIGNATURE};

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
    folder: PathBuf,
}

/// The folder cannot be listed: a fault of ours.
#[derive(Debug, thiserror::Error)]
#[error("cannot list `{}`: {cause}", crate::text::escape(&dir.to_string_lossy()))]
pub struct HistoryFault {
    dir: PathBuf,
    cause: io::Error,
}

/// Whether `path` is a run, or was one. Where that cannot be told, it may be the run that says NO-GO.
fn is_run(path: &Path) -> io::Result<bool> {
    if path.is_symlink() {
        path.metadata()?;
    }
    for mark in MARKS {
        match path.join(mark).symlink_metadata() {
            Ok(_) => return Ok(true),
            Err(cause) => match cause.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {}
                _ => return Err(cause),
            },
        }
    }
    Ok(false)
}

/// The name that `Draft` gives a run in the making.
fn is_draft(name: &str) -> bool {
    name.starts_with('.') && name.contains(".partial-")
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
            let is_hidden = name.starts_with('.');
            let is_run = match is_run(&path) {
                Ok(is_run) => is_run,
                // A file system's own, for root alone, and what desktops and file servers keep.
                Err(_) if name == "lost+found" || is_hidden => false,
                Err(cause) => {
                    let why = format!("it cannot be looked into: {cause}");
                    breaks.push(Break::Unreadable { name, why });
                    continue;
                }
            };
            if !is_run {
                // Most hidden names are nobody's business; a directory could be a run.
                if !is_hidden || path.is_dir() {
                    strangers.insert(name);
                }
                continue;
            }
            match Entry::read(&path, &name, allowed, now) {
                // Neither `ls` nor a person sees it; another run may follow it all the same.
                Ok(_) if is_hidden => breaks.push(Break::Hidden { name }),
                Ok(entry) => runs.push(entry),
                // In the making, or killed before it was sealed: it judged nothing.
                Err(_) if is_draft(&name) => {
                    strangers.insert(name);
                }
                Err(why) => breaks.push(Break::Unreadable { name, why }),
            }
        }
        let (runs, broken) = chain::link(runs);
        breaks.extend(broken);
        Ok(Self {
            runs,
            breaks,
            strangers,
            folder: dir.to_owned(),
        })
    }

    /// The newest run, when the chain is whole.
    #[must_use]
    pub fn newest(&self) -> Option<&Entry> {
        self.runs.last().filter(|_| self.breaks.is_empty())
    }

    /// The runs before the one with this manifest, the oldest first; none when it is not among them.
    #[must_use]
    pub fn before(&self, digest: Sha256) -> &[Entry] {
        let at = self.runs.iter().position(|run| run.digest == digest);
        &self.runs[..at.unwrap_or(0)]
    }

    /// The record of one of the runs, and what its manifest lists: still the one that was read.
    ///
    /// # Errors
    /// Why it cannot be read any more, as a phrase.
    pub fn record(&self, run: &Entry) -> Result<(Report, Manifest), String> {
        let (report, manifest, digest) = entry::record(&self.folder.join(&run.name))?;
        match digest == run.digest {
            true => Ok((report, manifest)),
            false => Err("it was changed meanwhile".to_owned()),
        }
    }

    /// The runs that followed the one with this manifest; `None` when it is not among them.
    #[must_use]
    pub fn after(&self, digest: Sha256) -> Option<&[Entry]> {
        let at = self.runs.iter().position(|run| run.digest == digest)?;
        Some(&self.runs[at + 1..])
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::report::directory::Draft;
    use crate::report::{sample, seal};
    use crate::sign::lab::Lab;
    use crate::sign::sshsig::NAMESPACE;

    /// A runner's certificate lasts an hour, the runs that it signed stay in their chain.
    #[test]
    fn a_run_outlives_the_certificate_that_signed_it() {
        let lab = Lab::new();
        lab.keygen("ca", &["-t", "ed25519", "-C", "ca"], "");
        lab.key("runner", "ci@gonogo");
        let certify = ["-q", "-s", "ca", "-I", "job", "-n", "ci@gonogo"];
        lab.ssh_keygen(&[&certify[..], &["-V", "-1h:+1h", "runner.pub"]].concat());
        let key = crate::sign::key::SigningKey::load(&lab.path("runner"), None).unwrap();
        assert!(key.certified().is_some());
        let now = crate::time::now();
        let mut report = sample::go();
        (report.run.previous, report.run.number) = (None, Some(1));
        report.run.finished = crate::time::rfc3339(now);
        std::fs::create_dir(lab.path("runs")).unwrap();
        let draft = Draft::create(&lab.path("runs/one")).unwrap();
        seal(draft, &key, &report, Default::default(), None).unwrap();
        let line = |name: &str| {
            let ca = lab.read("ca.pub");
            format!("{name} cert-authority,namespaces=\"{NAMESPACE}\" {ca}")
        };
        let open = |name: &str, hours| {
            let allowed = AllowedSigners::parse(line(name).as_bytes());
            let at = now + jiff::SignedDuration::from_hours(hours);
            History::open(&lab.path("runs"), Some(&allowed), at).unwrap()
        };
        for (hours, valid) in [(0, true), (9, false), (9_000, false)] {
            let history = open("ci@gonogo", hours);
            assert_eq!(history.breaks, [], "{hours}");
            let is_valid = matches!(history.runs[0].signed, Signed::Valid(_));
            assert_eq!(is_valid, valid, "{hours}");
        }
        for hours in [0, 9] {
            assert_eq!(open("other@gonogo", hours).breaks.len(), 1, "{hours}");
        }
    }

    /// What nobody can look into is no stranger: an older GO would be the newest run.
    #[test]
    fn what_cannot_be_looked_into_breaks_the_chain() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        std::fs::create_dir(place("notes")).unwrap();
        std::fs::write(place("page.html"), "x").unwrap();
        symlink("notes", place("link")).unwrap();
        symlink("nowhere", place(".hidden")).unwrap();
        let open = || History::open(folder.path(), None, Timestamp::UNIX_EPOCH).unwrap();
        let strangers: Vec<_> = open().strangers.into_iter().collect();
        assert_eq!(strangers, ["link", "notes", "page.html"]);
        assert_eq!(open().breaks, []);
        // Of a run that lies on a disk that is not mounted, and one that leads in a circle.
        symlink("nowhere", place("run-2")).unwrap();
        symlink("run-3", place("run-3")).unwrap();
        symlink("lost+found", place("lost+found")).unwrap();
        let broken: Vec<_> = open().breaks.iter().map(Break::to_string).collect();
        assert_eq!(broken.len(), 2, "{broken:?}");
        for (name, broken) in ["run-2", "run-3"].into_iter().zip(broken) {
            let start = format!("`{name}` cannot be counted: it cannot be looked into");
            assert!(broken.starts_with(&start), "{broken}");
        }
    }
}
