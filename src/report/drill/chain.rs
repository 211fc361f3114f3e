//! A folder of sealed drills as one chain: each names the manifest of the one before it. Proves no signature; that
//! is asked of the one that is verified. What no chain can show is that its last drill was taken away.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::schema::{Begin, Finding, Last, Record, begin};
use super::{PATIENCE, RECORD, judge};
use crate::digest::Sha256;
use crate::report::previous;
use crate::sign::manifest::{MANIFEST, Manifest, SIGNATURE, read_regular};
use crate::text::escape;

const MOST_BYTES: u64 = 64 << 20;
const MOST_DRILLS: usize = 10_000;

/// One drill of the folder.
#[derive(Clone, Debug)]
pub struct Past {
    /// Name of its directory.
    pub name: String,
    /// SHA-256 of its SHA256SUMS.
    pub digest: Sha256,
    /// What it says.
    pub record: Record,
}

/// A folder of drills, the oldest first.
#[derive(Debug, Default)]
pub struct Folder {
    /// In the order of the chain.
    pub drills: Vec<Past>,
    _lock: Option<File>,
}

impl Folder {
    /// Reads it, and holds it against others who would add to it.
    ///
    /// # Errors
    /// Why it is no chain of drills, in a phrase.
    pub fn hold(folder: &Path) -> Result<Self, String> {
        // The folder itself is locked: nothing is left in it.
        let shown = escape(&folder.to_string_lossy()).into_owned();
        let lock = File::open(folder).and_then(|file| held(&file).map(|()| file));
        let lock = lock.map_err(|cause| match cause.kind() {
            io::ErrorKind::WouldBlock => format!(
                "`{shown}` is held by another gonogo, which finishes a drill: wait until it has ended"
            ),
            _ => format!("`{shown}` cannot be held: {cause}"),
        })?;
        Ok(Self {
            _lock: Some(lock),
            ..Self::read(folder)?
        })
    }

    /// Reads it.
    ///
    /// # Errors
    /// Why it is no chain of drills, in a phrase.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let shown = escape(&folder.to_string_lossy()).into_owned();
        let listed = fs::read_dir(folder).map_err(|cause| format!("`{shown}`: {cause}"))?;
        let mut found = Vec::new();
        for entry in listed {
            let entry = entry.map_err(|cause| format!("`{shown}`: {cause}"))?;
            let dir = entry.path();
            let is_sealed = dir.join(MANIFEST).exists() && !dir.join("report.json").exists();
            if !is_sealed && !dir.join(RECORD).exists() {
                continue;
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            // What a killed `finish` left unsigned is nobody's drill, and keeps nobody from the next.
            if name.starts_with('.') && !dir.join(SIGNATURE).exists() {
                continue;
            }
            if name.starts_with('.') {
                return Err(format!(
                    "`{}` is a drill under a hidden name: remove it if a `finish` was killed, or give it its name back",
                    escape(&name)
                ));
            }
            found.push(Past::look(&dir)?);
            if found.len() > MOST_DRILLS {
                return Err(format!("`{shown}` holds more than {MOST_DRILLS} drills"));
            }
        }
        Ok(Self {
            drills: link(found)?,
            _lock: None,
        })
    }

    /// The newest of all.
    #[must_use]
    pub fn newest(&self) -> Option<&Past> {
        self.drills.last()
    }

    /// What a drill that begins so has to answer for.
    #[must_use]
    pub fn last_of(&self, begin: &Begin) -> Option<Last> {
        let last = self.last_with(&begin.vendor, &begin.environment);
        last.map(Past::as_last)
    }

    /// The newest with that vendor in that environment.
    #[must_use]
    pub fn last_with(&self, vendor: &str, environment: &str) -> Option<&Past> {
        self.drills
            .iter()
            .rev()
            .find(|past| past.is_with(vendor, environment))
    }
}

/// Waits a while for another who holds it.
fn held(file: &File) -> io::Result<()> {
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(20));
            }
            tried => return tried.map_err(Into::into),
        }
    }
}

impl Past {
    /// The drill in `dir`, as its own manifest lists it, signed by whomever.
    ///
    /// # Errors
    /// Why it is none, in a phrase.
    pub fn look(dir: &Path) -> Result<Self, String> {
        let name = dir.file_name().unwrap_or_default().to_string_lossy();
        let of = |why: String| format!("`{}`: {}", escape(&name), escape(&why));
        let sums = read_regular(&dir.join(MANIFEST), MOST_BYTES);
        let sums = sums.map_err(|cause| of(format!("{MANIFEST}: {cause}")))?;
        let manifest: Manifest = (String::from_utf8_lossy(&sums).parse())
            .map_err(|fault: crate::sign::manifest::ManifestSyntax| of(fault.to_string()))?;
        let take = |name: &str| {
            manifest
                .read(dir, name)
                .map_err(|fault| of(fault.to_string()))
        };
        let record = Record::read(&take(RECORD)?).map_err(|why| of(format!("{RECORD}: {why}")))?;
        let previous = previous::named(&take(previous::FILE)?);
        let previous = previous.map_err(|fault| of(fault.to_string()))?;
        holds(&record, previous).map_err(of)?;
        Ok(Self {
            name: name.into_owned(),
            digest: Sha256::of(&sums),
            record,
        })
    }

    /// What the next drill has to answer for.
    #[must_use]
    pub fn as_last(&self) -> Last {
        let findings: &[Finding] = &self.record.findings;
        Last {
            id: self.record.id.clone(),
            manifest: self.digest.to_string(),
            findings: findings.to_vec(),
        }
    }

    pub(super) fn is_with(&self, vendor: &str, environment: &str) -> bool {
        let begin = begin(&self.record.entries);
        begin.is_some_and(|begin| begin.vendor == vendor && begin.environment == environment)
    }
}

/// The record has one story: what was told can be, and it came to what is stated.
pub(super) fn holds(record: &Record, previous: Option<Sha256>) -> Result<(), String> {
    super::sound::sound(&record.entries)?;
    let sealed = super::sound::time("when it was sealed", &record.sealed)?;
    let told = record.entries.last().map_or("", |entry| &*entry.at);
    if super::sound::time("when it was told", told)? > sealed {
        return Err("it was sealed before its last entry was told".to_owned());
    }
    if record.begin().map(|begin| &begin.id) != Some(&record.id) {
        return Err("it has another id than its first entry".to_owned());
    }
    if record.previous != previous.map(|digest| digest.to_string()) {
        return Err(previous::PreviousFault::Other.to_string());
    }
    if record.number == 0 || (record.number == 1) == previous.is_some() {
        return Err(format!("number {} is not its place", record.number));
    }
    let judged = judge(&record.entries, record.last.as_ref());
    let stated = (
        &record.outcome,
        &record.missing,
        &record.short,
        &record.findings,
    );
    match stated
        == (
            &judged.outcome,
            &judged.missing,
            &judged.short,
            &judged.findings,
        ) {
        true => Ok(()),
        false => Err(format!(
            "it says {}, and what was told comes to {}",
            record.outcome.as_str(),
            judged.outcome.as_str()
        )),
    }
}

/// The drills in their order; one chain, or none.
fn link(mut found: Vec<Past>) -> Result<Vec<Past>, String> {
    found.sort_by(|one, other| {
        (one.record.number, &one.name).cmp(&(other.record.number, &other.name))
    });
    let mut before: Option<&Past> = None;
    for (index, past) in found.iter().enumerate() {
        let expected = index as u64 + 1;
        let named = past.record.previous.clone();
        let is_next = named == before.map(|before| before.digest.to_string());
        if past.record.number != expected || !is_next {
            return Err(match before {
                Some(before) => format!(
                    "`{}` does not follow `{}`: the folder is no unbroken chain of drills",
                    escape(&past.name),
                    escape(&before.name)
                ),
                None => format!(
                    "`{}` follows a drill that is not here: the folder is no unbroken chain of drills",
                    escape(&past.name)
                ),
            });
        }
        before = Some(past);
    }
    Ok(found)
}
