//! A drill under way: a directory of plain files that people come back to. Each entry is a file of its own that
//! appears whole or not at all and is never written again; each names the digest of the one before it. One hand at
//! a time. Whoever may write there can make all of it anew: what is under way proves nothing until it is sealed.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::schema::{Begin, Entry, Kept, Step};
use super::sound::{finding_id, sound};
use super::{INVENTORY, PATIENCE};
use crate::digest::{Sha256, Stream};
use crate::sign::manifest::{portable_name, read_regular};
use crate::text::escape;
use crate::time::rfc3339;

/// An entry is a page.
const MOST_BYTES: u64 = 1 << 20;
const ENTRIES: &str = "entries";
const LOCK: &str = "lock";
/// Holds the digest of the last entry, which no entry behind it names yet.
const HEAD: &str = "head";
const NEW: &str = ".new-";

/// A drill under way, held by this process alone.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    entries: Vec<Entry>,
    _lock: File,
}

/// Why it cannot be kept.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant is told by its message, each field by its name"
)]
pub enum JournalFault {
    #[error("`{}` exists already", show(.0))]
    Exists(PathBuf),
    #[error("`{}` is no drill under way: {why}", show(dir))]
    NotOne { dir: PathBuf, why: String },
    #[error("`{}` is held by another gonogo", show(.0))]
    Held(PathBuf),
    #[error("it cannot be told: {}", escape(.0))]
    Untrue(String),
    #[error("`{}`: {why}", show(path))]
    Evidence { path: PathBuf, why: String },
    #[error("cannot write `{}`: {cause}", show(path))]
    Io { path: PathBuf, cause: io::Error },
}

fn show(path: &Path) -> String {
    escape(&path.to_string_lossy()).into_owned()
}

impl JournalFault {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Exists(_) => {
                "name a directory that does not exist yet: a drill is never overwritten"
            }
            Self::NotOne { .. } => {
                "name the directory that `gonogo drill begin` made, as it left it; where it was changed, begin anew"
            }
            Self::Held(_) => "wait until the other has ended",
            Self::Untrue(why) if why.contains("told already") => {
                "nothing was written; whoever tells it again says why: --again REASON"
            }
            Self::Untrue(why) if why.starts_with("entry 1, ") => {
                "nothing was begun: --role usual-expert=NAME and --role operator=NAME are two people, as the contacts have them"
            }
            Self::Untrue(_) => {
                "nothing was written: tell it as it was; `gonogo drill status DIR` tells what was told so far"
            }
            Self::Evidence { .. } => "name a file that holds what the step tells",
            Self::Io { .. } => "check the disk, and that this account may write there",
        }
    }

    fn io(path: &Path, cause: io::Error) -> Self {
        let path = path.to_owned();
        Self::Io { path, cause }
    }
}

impl Journal {
    /// Begins one in `dir`.
    ///
    /// # Errors
    /// When the directory exists, what begins it cannot be, or the disk refuses.
    pub fn create(
        dir: &Path,
        inventory: &[u8],
        begin: Begin,
        by: &str,
        now: Timestamp,
    ) -> Result<Self, JournalFault> {
        let first = Entry {
            number: 1,
            at: rfc3339(now),
            by: by.to_owned(),
            previous: None,
            again: None,
            step: Step::Begin(begin),
        };
        sound(std::slice::from_ref(&first)).map_err(JournalFault::Untrue)?;
        let exists = || JournalFault::Exists(dir.to_owned());
        match fs::create_dir(dir) {
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
                // What a killed `begin` left is gone on with.
                is_unbegun(dir).then_some(()).ok_or_else(exists)?;
            }
            made => made.map_err(|cause| JournalFault::io(dir, cause))?,
        }
        let mut journal = Self {
            dir: dir.to_owned(),
            entries: Vec::new(),
            _lock: lock(dir)?,
        };
        // Another may have begun it meanwhile.
        is_unbegun(dir).then_some(()).ok_or_else(exists)?;
        for folder in [ENTRIES, "evidence", "inputs"] {
            let folder = dir.join(folder);
            match fs::create_dir(&folder) {
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
                made => made.map_err(|cause| JournalFault::io(&folder, cause))?,
            }
        }
        let kept = dir.join(INVENTORY);
        match fs::remove_file(&kept) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            removed => removed.map_err(|cause| JournalFault::io(&kept, cause))?,
        }
        put(&kept, &mut &*inventory)?;
        journal.append(first)?;
        Ok(journal)
    }

    /// Takes one up again.
    ///
    /// # Errors
    /// When it is none, was changed, or is held by another process.
    pub fn open(dir: &Path) -> Result<Self, JournalFault> {
        let not_one = |why: String| JournalFault::NotOne {
            dir: dir.to_owned(),
            why,
        };
        let folder = dir.join(ENTRIES);
        if !folder.is_dir() {
            return Err(not_one("it has no folder `entries`".to_owned()));
        }
        let lock = lock(dir)?;
        let mut names = Vec::new();
        let listed = fs::read_dir(&folder).map_err(|cause| not_one(cause.to_string()))?;
        for entry in listed {
            let entry = entry.map_err(|cause| not_one(cause.to_string()))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // What was being written when a process was killed was never told.
            if !name.starts_with(NEW) {
                names.push(name);
            }
        }
        names.sort_unstable();
        let mut entries = Vec::with_capacity(names.len());
        for (index, found) in names.iter().enumerate() {
            let name = entry_name(index + 1);
            if *found != name {
                let why = format!("it has `{}` where `{name}` belongs", escape(found));
                return Err(not_one(why));
            }
            let bytes = read_regular(&folder.join(&name), MOST_BYTES);
            let bytes = bytes.map_err(|cause| not_one(format!("`{name}`: {cause}")))?;
            let entry = Entry::read(&bytes);
            entries.push(entry.map_err(|why| not_one(format!("`{name}`: {}", escape(&why))))?);
        }
        if entries.is_empty() {
            let why = "it was never begun: `gonogo drill begin` was ended before it was done";
            return Err(not_one(why.to_owned()));
        }
        sound(&entries).map_err(|why| not_one(escape(&why).into_owned()))?;
        headed(dir, &entries).map_err(not_one)?;
        Ok(Self {
            dir: dir.to_owned(),
            entries,
            _lock: lock,
        })
    }

    /// What was told so far.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How it began.
    #[must_use]
    pub fn begin(&self) -> Option<&Begin> {
        super::schema::begin(&self.entries)
    }

    /// The id of the next finding.
    #[must_use]
    pub fn next_finding(&self) -> String {
        let found = self.entries.iter();
        let found = found.filter(|entry| matches!(entry.step, Step::Finding(_)));
        let number = found.count() + 1;
        self.begin()
            .map_or_else(String::new, |begin| finding_id(begin, number))
    }

    /// Where it is.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Tells one thing more.
    ///
    /// # Errors
    /// When it cannot be beside what was told before, or the disk refuses; nothing is written then.
    pub fn add(
        &mut self,
        step: Step,
        by: &str,
        again: Option<&str>,
        now: Timestamp,
    ) -> Result<&Entry, JournalFault> {
        let last = self.entries.last().map(Entry::write).transpose();
        let last = last.map_err(JournalFault::Untrue)?;
        let entry = Entry {
            number: self.entries.len() as u64 + 1,
            at: rfc3339(now),
            by: by.to_owned(),
            previous: last.map(|bytes| Sha256::of(&bytes).to_string()),
            again: again.map(str::to_owned),
            step,
        };
        self.entries.push(entry);
        let is_sound = sound(&self.entries).map_err(JournalFault::Untrue);
        let entry = self.entries.pop();
        is_sound?;
        entry.map_or(Ok(()), |entry| self.append(entry))?;
        self.entries
            .last()
            .ok_or_else(|| JournalFault::Untrue("nothing was told".to_owned()))
    }

    fn append(&mut self, entry: Entry) -> Result<(), JournalFault> {
        let bytes = entry.write().map_err(JournalFault::Untrue)?;
        let path = self
            .dir
            .join(ENTRIES)
            .join(entry_name(self.entries.len() + 1));
        put(&path, &mut &*bytes)?;
        self.entries.push(entry);
        let head = self.dir.join(HEAD);
        let mut new = new_in(&self.dir)?;
        write!(new, "{}", Sha256::of(&bytes)).map_err(|cause| JournalFault::io(&head, cause))?;
        let put = new.persist(&head).map_err(|fault| fault.error);
        put.map_err(|cause| JournalFault::io(&head, cause))?;
        Ok(())
    }

    /// Copies a file into the drill. It counts when an entry names it.
    ///
    /// # Errors
    /// When it cannot be read, or holds nothing.
    pub fn keep(&self, source: &Path) -> Result<Kept, JournalFault> {
        let evidence = |why: String| JournalFault::Evidence {
            path: source.to_owned(),
            why,
        };
        // Asked before it is opened: whoever opens a FIFO waits for its writer.
        let found = fs::metadata(source).map_err(|cause| evidence(cause.to_string()))?;
        if !found.is_file() {
            return Err(evidence("it is not a regular file".to_owned()));
        }
        let file = File::open(source).map_err(|cause| evidence(cause.to_string()))?;
        let name = source.file_name().unwrap_or_default().to_string_lossy();
        self.keep_as(&name, &mut io::BufReader::new(file))
            .map_err(|fault| match fault {
                JournalFault::Evidence { why, .. } => evidence(why),
                other => other,
            })
    }

    /// Copies what `source` gives, under a name that its digest begins.
    ///
    /// # Errors
    /// As [`Journal::keep`].
    pub fn keep_as(&self, name: &str, source: &mut dyn Read) -> Result<Kept, JournalFault> {
        let folder = self.dir.join("evidence");
        let mut new = new_in(&folder)?;
        let mut stream = Stream::default();
        let mut bytes = 0_u64;
        let mut piece = vec![0; 64 << 10];
        loop {
            let read = match source.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => read,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
                Err(cause) => {
                    let path = PathBuf::from(name);
                    let why = cause.to_string();
                    return Err(JournalFault::Evidence { path, why });
                }
            };
            stream.update(&piece[..read]);
            bytes += read as u64;
            let written = new.write_all(&piece[..read]);
            written.map_err(|cause| JournalFault::io(&folder, cause))?;
        }
        if bytes == 0 {
            let path = PathBuf::from(name);
            let why = "it is empty".to_owned();
            return Err(JournalFault::Evidence { path, why });
        }
        let sha256 = stream.finish().to_string();
        let name = portable_name(&name.replace('/', "_"));
        let name = format!("evidence/{}-{name}", &sha256[..12]);
        let kept = Kept {
            name,
            sha256,
            bytes,
        };
        // What a killed process copied lies there already, and is the same where its digest is.
        match self.is_there(&kept) {
            true => Ok(kept),
            false => {
                place(new, &self.dir.join(&kept.name))?;
                Ok(kept)
            }
        }
    }

    fn is_there(&self, kept: &Kept) -> bool {
        let path = self.dir.join(&kept.name);
        let is_file = fs::symlink_metadata(&path).is_ok_and(|found| found.is_file());
        let Some(mut file) = is_file.then(|| File::open(&path).ok()).flatten() else {
            return false;
        };
        let mut stream = Stream::default();
        let mut piece = vec![0; 64 << 10];
        loop {
            match file.read(&mut piece) {
                Ok(0) => return stream.finish().to_string() == kept.sha256,
                Ok(read) => stream.update(&piece[..read]),
                Err(_) => return false,
            }
        }
    }

    /// Reads a kept file whole, and only if it is what was kept.
    ///
    /// # Errors
    /// When it was changed since, in a phrase.
    pub fn read(&self, kept: &Kept) -> Result<Vec<u8>, String> {
        let bytes = read_regular(&self.dir.join(&kept.name), kept.bytes);
        let bytes = bytes.map_err(|cause| format!("`{}`: {cause}", kept.name))?;
        match Sha256::of(&bytes).to_string() == kept.sha256 {
            true => Ok(bytes),
            false => Err(format!("`{}` was changed since it was noted", kept.name)),
        }
    }
}

/// The last entry is the one that was told last. A process that was killed may have told one more than it could say;
/// where nothing says it, as behind a copy of the entries alone, none is asked.
fn headed(dir: &Path, entries: &[Entry]) -> Result<(), String> {
    let told = match read_regular(&dir.join(HEAD), MOST_BYTES) {
        Ok(told) => String::from_utf8_lossy(&told).into_owned(),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(format!("`{HEAD}`: {cause}")),
    };
    let Some(last) = entries.last() else {
        return Ok(());
    };
    let digest = Sha256::of(&last.write()?).to_string();
    match told == digest || last.previous.as_ref() == Some(&told) {
        true => Ok(()),
        false => Err(format!(
            "`{}` was changed, or what was told behind it was taken out",
            entry_name(entries.len())
        )),
    }
}

fn entry_name(number: usize) -> String {
    format!("{number:04}.json")
}

/// Whether a directory holds nothing but what `begin` makes before its first entry.
fn is_unbegun(dir: &Path) -> bool {
    let names = |dir: &Path| -> io::Result<Vec<String>> {
        let names = fs::read_dir(dir)?.map(|entry| {
            let name = entry?.file_name();
            Ok(name.to_string_lossy().into_owned())
        });
        names.collect()
    };
    let only = |folder: &str, known: &[&str]| match names(&dir.join(folder)) {
        Ok(found) => (found.iter()).all(|name| name.starts_with(NEW) || known.contains(&&**name)),
        Err(cause) => cause.kind() == io::ErrorKind::NotFound,
    };
    let is_real = fs::symlink_metadata(dir).is_ok_and(|found| found.is_dir());
    is_real
        && only("", &[ENTRIES, "evidence", "inputs", LOCK])
        && only(ENTRIES, &[])
        && only("evidence", &[])
        && only("inputs", &["inventory.yaml"])
}

fn lock(dir: &Path) -> Result<File, JournalFault> {
    let path = dir.join(LOCK);
    let file = File::options()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(|cause| JournalFault::io(&path, cause))?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(TryLockError::WouldBlock) => return Err(JournalFault::Held(dir.to_owned())),
            Err(TryLockError::Error(cause)) => return Err(JournalFault::io(&path, cause)),
        }
    }
}

fn new_in(folder: &Path) -> Result<tempfile::NamedTempFile, JournalFault> {
    let new = tempfile::Builder::new().prefix(NEW).tempfile_in(folder);
    new.map_err(|cause| JournalFault::io(folder, cause))
}

/// Writes a file that is not there yet: whole, or not at all.
fn put(path: &Path, content: &mut dyn Read) -> Result<(), JournalFault> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut new = new_in(folder)?;
    io::copy(content, &mut new).map_err(|cause| JournalFault::io(path, cause))?;
    place(new, path)
}

fn place(new: tempfile::NamedTempFile, path: &Path) -> Result<(), JournalFault> {
    let io = |cause| JournalFault::io(path, cause);
    new.as_file().sync_all().map_err(io)?;
    new.persist_noclobber(path)
        .map_err(|fault| io(fault.error))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some file systems cannot confirm a directory.
        Err(cause) if cause.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced.map_err(io),
    }
}
