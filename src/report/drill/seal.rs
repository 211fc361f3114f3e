//! From a drill under way to a sealed directory: the record, its renderings, every file that was noted, the chain.
//! What is under way stays as it is.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};

use jiff::Timestamp;

use super::schema::{Kept, Missing, Outcome, Record, Short, begin};
use super::verify_text::VerifyDrill;
use super::{Folder, INVENTORY, Journal, NAMESPACE, Opened, RECORD, SCHEMA, evidence, judge, page};
use crate::digest::Sha256;
use crate::report::directory::{DirectoryFault, Draft};
use crate::report::previous;
use crate::sign::key::SigningKey;
use crate::sign::manifest::read_regular;
use crate::text::escape;
use crate::time::rfc3339;

/// An inventory is text.
const MOST_BYTES: u64 = 64 << 20;

/// What made it.
pub(super) const TOOL: &str = concat!("gonogo ", env!("CARGO_PKG_VERSION"));

/// Why a drill is not sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealDrillFault {
    /// It would be invalid, and nobody said that it may be.
    #[error("the drill is not complete")]
    Missing(Vec<Missing>),
    /// Something fell short, and nobody said that it may be sealed like that.
    #[error("something fell short, and no finding is about it")]
    Short(Vec<Short>),
    /// It was sealed already.
    #[error("this drill was sealed already, as `{}`", escape(.0))]
    Twice(String),
    /// What lies in it is not what was noted.
    #[error("{}", escape(.0))]
    Changed(String),
    /// Request, run, delivery and case do not hang together.
    #[error("{}", escape(.0))]
    Apart(String),
    /// The directory could not be written.
    #[error(transparent)]
    Directory(#[from] DirectoryFault),
}

/// Refuses a drill that the folder holds already: it is sealed once.
///
/// # Errors
/// [`SealDrillFault::Twice`].
pub fn once(journal: &Journal, folder: &Folder) -> Result<(), SealDrillFault> {
    let id = journal.begin().map(|begun| &begun.id);
    let same = |past: &&super::Past| Some(&past.record.id) == id;
    match folder.drills.iter().find(same) {
        Some(same) => Err(SealDrillFault::Twice(same.name.clone())),
        None => Ok(()),
    }
}

/// Seals what was told so far, behind the newest drill of `folder`.
///
/// # Errors
/// When it comes to what did not pass and is not `meant`, when something was changed since it was noted, or
/// the disk refuses; nothing is left behind.
pub fn seal(
    journal: &Journal,
    draft: Draft,
    key: &SigningKey,
    folder: &Folder,
    meant: &[Outcome],
    opened: Opened<'_>,
    now: Timestamp,
) -> Result<Record, SealDrillFault> {
    let changed = SealDrillFault::Changed;
    let entries = journal.entries();
    let begun = begin(entries).ok_or_else(|| changed("it has no beginning".to_owned()))?;
    once(journal, folder)?;
    if entries.last().is_some_and(|entry| entry.at > rfc3339(now)) {
        let why = "the clock went backwards: the last entry was told later than now";
        return Err(changed(why.to_owned()));
    }
    let last = folder.last_of(begun);
    let judged = judge(entries, last.as_ref());
    match judged.outcome {
        outcome if outcome.is_passed() || meant.contains(&outcome) => {}
        Outcome::Invalid => return Err(SealDrillFault::Missing(judged.missing)),
        _ => return Err(SealDrillFault::Short(judged.short)),
    }
    evidence::hold(entries, begun, None, &|kept| journal.read(kept)).map_err(changed)?;
    // What went wrong is a record, too.
    if judged.outcome.is_passed() {
        evidence::together(entries, &|kept| journal.read(kept)).map_err(SealDrillFault::Apart)?;
    }
    let newest = folder.newest();
    let record = Record {
        schema: SCHEMA.to_owned(),
        id: begun.id.clone(),
        number: newest.map_or(1, |newest| newest.record.number.saturating_add(1)),
        previous: newest.map(|newest| newest.digest.to_string()),
        sealed: rfc3339(now),
        tool: TOOL.to_owned(),
        outcome: judged.outcome,
        missing: judged.missing,
        short: judged.short,
        findings: judged.findings,
        last,
        entries: entries.to_vec(),
    };
    draft.write(RECORD, &record.write().map_err(changed)?)?;
    draft.write("drill.md", page::markdown(&record).as_bytes())?;
    draft.write("drill.html", page::html(&record).as_bytes())?;
    let chain = match newest {
        Some(newest) => format!("{}  ../{}/SHA256SUMS\n", newest.digest, newest.name),
        None => previous::FIRST.to_owned(),
    };
    // What `previous::named` would not take back is a folder that no auditor can follow.
    previous::named(chain.as_bytes()).map_err(|fault| changed(fault.to_string()))?;
    draft.write(previous::FILE, chain.as_bytes())?;
    let inventory = read_regular(&journal.dir().join(INVENTORY), MOST_BYTES)
        .map_err(|cause| changed(format!("`{INVENTORY}`: {cause}")))?;
    if Sha256::of(&inventory).to_string() != begun.inventory {
        return Err(changed(format!(
            "`{INVENTORY}` was changed since the drill began"
        )));
    }
    draft.write(INVENTORY, &inventory)?;
    for kept in files(&record).values() {
        copy(journal, &draft, kept)?;
    }
    // Behind the copies: what was changed since is told as that.
    if record.outcome.is_passed() {
        opened(journal.dir(), entries).map_err(SealDrillFault::Apart)?;
    }
    let text = VerifyDrill {
        record: &record,
        identity: key.identity(),
        fingerprint: &key.fingerprint(),
    };
    draft.write("VERIFY.txt", text.render().as_bytes())?;
    draft.seal_as(key, NAMESPACE)?;
    Ok(record)
}

/// Every file that an entry brought, by name.
pub(super) fn files(record: &Record) -> BTreeMap<&str, &Kept> {
    let files = record.entries.iter().flat_map(|entry| entry.step.files());
    files.map(|kept| (&*kept.name, kept)).collect()
}

fn copy(journal: &Journal, draft: &Draft, kept: &Kept) -> Result<(), SealDrillFault> {
    let changed = |why: String| SealDrillFault::Changed(format!("`{}`: {why}", kept.name));
    let path = journal.dir().join(&kept.name);
    // Whoever opens a FIFO waits for its writer.
    if !std::fs::symlink_metadata(&path).is_ok_and(|found| found.is_file()) {
        return Err(changed("it is no regular file any more".to_owned()));
    }
    let file = std::fs::File::open(&path).map_err(|cause| changed(cause.to_string()))?;
    let mut source = io::BufReader::new(file).take(kept.bytes.saturating_add(1));
    let mut target = draft.create_file(&kept.name)?;
    let mut piece = vec![0; 64 << 10];
    loop {
        match source.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => {
                let written = target.write_all(&piece[..read]);
                written.map_err(|cause| changed(cause.to_string()))?;
            }
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(changed(cause.to_string())),
        }
    }
    match target.finish()?.to_string() == kept.sha256 {
        true => Ok(()),
        false => Err(changed("it was changed since it was noted".to_owned())),
    }
}
