//! Files that are listed and never opened: minidumps, core files. That they can be listed says that
//! support could be told of a crash; it is no proof of anything inside them.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::call::unfit;
use super::retrieve::{Fetched, set};
use super::{ArtifactName, Stop, World};
use crate::digest::Sha256;
use crate::evidence::{Content, Evidence, Listing};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, Instance};
use crate::transport::{Entry, EntryKind};
use crate::{text, time};

/// What a step asks about a listing.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// The directories can be read, whatever is in them.
    CanBeListed,
    /// No file was changed within that span.
    NothingNewerThan(Duration),
}

impl Ask {
    /// Refuses what can be known to be impossible before connecting.
    pub(super) fn validate(instance: &Instance, artifact: &Artifact) -> Result<(), String> {
        match artifact.listing {
            true => Ok(()),
            false => unfit(instance, artifact, "a listing (`listing: true`)"),
        }
    }

    pub(super) async fn perform(&self, world: &mut World, name: &ArtifactName) -> Result<(), Stop> {
        let found = set(world, name).await?;
        let Self::NothingNewerThan(span) = self else {
            return Ok(());
        };
        let Some((evidence, Ok(Content::Listing(seen)))) = found.files.first() else {
            return Ok(());
        };
        judge(seen, *span, &evidence.path).map_err(Stop::Failure)
    }
}

fn judge(seen: &Listing, span: Duration, path: &str) -> Result<(), Failure> {
    let expected = || format!("no file of the last {}", time::say(span));
    let count = |files: u64| text::count(usize::try_from(files).unwrap_or(usize::MAX), "file");
    let now = time::now();
    let is_old = |newest: jiff::Timestamp| {
        let age = Duration::try_from(now.duration_since(newest));
        // What comes from the future is no older than anything.
        age.is_ok_and(|age| age > span)
    };
    match seen.newest {
        _ if seen.files == 0 => Ok(()),
        _ if seen.undated > 0 => Err(Failure::new(
            FailureKind::Io,
            expected(),
            format!("{} without a time", count(seen.undated)),
        )
        .with_subject(path)
        .with_hint("the server states no time of change: set `transport: exec` for the account")),
        Some(newest) if !is_old(newest) => Err(Failure::new(
            FailureKind::Mismatch,
            expected(),
            format!(
                "{}, the newest of {}: {}",
                count(seen.files),
                time::rfc3339(newest),
                seen.newest_path
            ),
        )
        .with_subject(path)
        .with_hint("the product may have crashed: have the file looked at, with the vendor's support if need be, before going live")),
        _ => Ok(()),
    }
}

/// Lists what the artifact's pattern names. No file is opened.
pub(super) async fn fetch(
    world: &mut World,
    artifact: &Artifact,
    pattern: &str,
) -> Result<Fetched, Stop> {
    let session = world.session().await?;
    let started = Instant::now();
    let entries = session.list(pattern, world.limits()?).await;
    let entries = entries.map_err(|failure| failure.with_subject_if_none(pattern))?;
    let listed = listed(pattern, &entries);
    let seen = seen(&entries);
    world.transcript.listed(pattern, &listed);
    let evidence = Evidence {
        artifact: artifact.name.clone(),
        kind: artifact.kind,
        path: pattern.to_owned(),
        bytes: listed.len() as u64,
        sha256: Sha256::of(listed.as_bytes()),
        method: "listing",
        modified: None,
        attempts: 1,
        resumed: 0,
        duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        content: Content::Listing(Box::new(seen.clone())),
    };
    Ok((evidence, Ok(Content::Listing(Box::new(seen)))))
}

/// The listing as text, a line an entry, which is what its digest is of.
fn listed(pattern: &str, entries: &[Entry]) -> String {
    let mut lines = format!("listing of {}\n", text::escape(pattern));
    for entry in entries {
        let kind = match entry.kind {
            EntryKind::File => 'f',
            EntryKind::Directory => 'd',
            EntryKind::Special => 's',
            EntryKind::Dangling => 'l',
        };
        let modified = entry.modified.map_or("-".to_owned(), time::rfc3339);
        let path = text::escape(&entry.path);
        // Writing to a String cannot fail.
        let _ = writeln!(lines, "{kind} {} {modified} {path}", entry.size);
    }
    lines
}

fn seen(entries: &[Entry]) -> Listing {
    let files = || entries.iter().filter(|entry| entry.kind == EntryKind::File);
    let newest = files().max_by_key(|entry| entry.modified);
    Listing {
        files: files().count() as u64,
        bytes: files().fold(0, |sum, entry| sum.saturating_add(entry.size)),
        undated: files().filter(|entry| entry.modified.is_none()).count() as u64,
        newest: newest.and_then(|entry| entry.modified),
        newest_path: newest.map_or_else(String::new, |entry| entry.path.clone()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;

    fn entry(path: &str, kind: EntryKind, age: Option<i64>) -> Entry {
        Entry {
            path: path.to_owned(),
            kind,
            size: 10,
            modified: age.map(|age| Timestamp::now() - SignedDuration::from_secs(age)),
        }
    }

    #[test]
    fn the_newest_file_is_what_counts() {
        const DAY: Duration = Duration::from_secs(86_400);
        use EntryKind::{Directory, File};
        let cases: [(&[Entry], Option<FailureKind>); 6] = [
            (&[], None),
            (&[entry("/c/old", File, Some(90_000))], None),
            (&[entry("/c/dir", Directory, Some(1))], None),
            (
                &[
                    entry("/c/old", File, Some(90_000)),
                    entry("/c/new", File, Some(60)),
                ],
                Some(FailureKind::Mismatch),
            ),
            (
                &[entry("/c/early", File, Some(-600))],
                Some(FailureKind::Mismatch),
            ),
            (&[entry("/c/undated", File, None)], Some(FailureKind::Io)),
        ];
        for (entries, kind) in cases {
            let judged = judge(&seen(entries), DAY, "/c/*");
            assert_eq!(
                judged.err().map(|failure| failure.kind),
                kind,
                "{entries:?}"
            );
        }
    }

    #[test]
    fn an_empty_listing_is_text_all_the_same() {
        assert_eq!(listed("/c/*", &[]), "listing of /c/*\n");
        let line = listed("/c/*", &[entry("/c/a\nb", EntryKind::File, None)]);
        assert_eq!(line, "listing of /c/*\nf 10 - /c/a\\nb\n");
    }
}
