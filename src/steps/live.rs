//! What only the files of a log together can tell, or a file with its last change: which of them may
//! still be growing, and whether its times can be true. Fetches nothing.

use jiff::{SignedDuration, Timestamp};

use super::retrieve::Fetched;
use crate::evidence::Content;
use crate::evidence::unpack::{self, Tail};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, Zone};
use crate::time;
use crate::transport::Entry;

/// Writers buffer and file systems round: an entry may be a little later than the last change. What is
/// beyond was read in a wrong zone (those in use differ by a quarter of an hour at least), or is from
/// a wrong clock.
const SLACK: SignedDuration = SignedDuration::from_mins(5);

/// Whether that file may still be growing: no other file of the set was changed after it.
pub(super) fn tail(entry: &Entry, set: &[Entry]) -> Tail {
    let newest = set.iter().filter_map(|entry| entry.modified).max();
    match newest.is_some() && entry.modified == newest {
        true => Tail::Open,
        false => Tail::Closed,
    }
}

/// An unfinished gzip file is the live one only where the product itself writes gzip: then every file
/// of the set is packed, and no other is unfinished. Beside a plain log it is one whose packing failed.
pub(super) fn one_tail(files: &mut [Fetched]) {
    let seen = |(_, content): &Fetched| match content {
        Ok(Content::Log(seen)) => Some((seen.packed.is_some(), seen.is_unfinished)),
        _ => None,
    };
    let unfinished = |file: &Fetched| seen(file).is_some_and(|(_, unfinished)| unfinished);
    let plain = files.iter().filter_map(seen).any(|(packed, _)| !packed);
    if !plain && files.iter().filter(|file| unfinished(file)).count() <= 1 {
        return;
    }
    for file in files.iter_mut().filter(|file| unfinished(file)) {
        let (evidence, content) = file;
        evidence.content = Content::Opaque;
        *content = Err(unpack::unfinished().with_subject(&evidence.path));
    }
}

/// No entry is later than the last change of the file that holds it. Times without a zone that are
/// read in a wrong one would make a dead log look alive.
pub(super) fn believable(
    artifact: &Artifact,
    host: &str,
    timezone: Option<&str>,
    modified: Option<Timestamp>,
    content: &Content,
) -> Result<(), Failure> {
    let (Content::Log(seen), Some(modified)) = (content, modified) else {
        return Ok(());
    };
    let Some(newest) = seen.newest else {
        return Ok(());
    };
    let ahead = newest.duration_since(modified);
    if ahead <= SLACK {
        return Ok(());
    }
    let entry = (artifact.log.entry.as_ref()).filter(|entry| entry.time.needs_zone());
    let hint = match entry.map(|entry| &entry.zone) {
        Some(Zone::Host) => format!(
            "times without a zone were read in {}: write `timezone:` of host `{host}` in the inventory, the zone that the product writes its log in",
            timezone.unwrap_or("UTC, since the host has no `timezone:`")
        ),
        Some(Zone::Named(zone)) => format!(
            "times without a zone were read in {zone}, as `zone:` of the artifact's `entry:` says: correct it, or leave it out and write `timezone:` of host `{host}`"
        ),
        None => format!(
            "its times state their zone, so a clock of host `{host}` was wrong when they were written, or the file's time was set back: compare the host's clock with NTP; how fresh the log is cannot be judged"
        ),
    };
    Err(Failure::new(
        FailureKind::Mismatch,
        format!(
            "no entry later than the file's last change, {}",
            time::rfc3339(modified)
        ),
        format!(
            "one from {}, {} later",
            time::rfc3339(newest),
            time::say(ahead.unsigned_abs())
        ),
    )
    .with_hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Sha256;
    use crate::evidence::Evidence;
    use crate::evidence::log_seen::LogSeen;
    use crate::inventory::{Inventory, Kind};
    use crate::transport::EntryKind;

    fn entry(second: Option<i64>) -> Entry {
        Entry {
            path: "/var/log/it".to_owned(),
            kind: EntryKind::File,
            size: 1,
            modified: second.map(|second| Timestamp::from_second(second).unwrap()),
        }
    }

    #[test]
    fn only_the_newest_file_may_still_grow() {
        let set = [entry(Some(1)), entry(Some(3)), entry(Some(2)), entry(None)];
        let open: Vec<bool> = set
            .iter()
            .map(|one| tail(one, &set) == Tail::Open)
            .collect();
        assert_eq!(open, [false, true, false, false]);
        let unknown = [entry(None)];
        assert_eq!(tail(&unknown[0], &unknown), Tail::Closed);
    }

    fn file(packed: Option<&'static str>, is_unfinished: bool) -> Fetched {
        let content = Content::Log(Box::new(LogSeen {
            packed,
            is_unfinished,
            ..LogSeen::default()
        }));
        let evidence = Evidence {
            artifact: "event log".to_owned(),
            kind: Kind::Log,
            path: "/var/log/it".to_owned(),
            bytes: 1,
            sha256: Sha256::of(b"x"),
            method: "sftp",
            modified: None,
            attempts: 1,
            resumed: 0,
            duration_ms: 1,
            content: content.clone(),
        };
        (evidence, Ok(content))
    }

    #[test]
    fn one_unfinished_file_among_packed_ones_is_the_live_one() {
        let judge = |mut files: Vec<Fetched>| {
            one_tail(&mut files);
            let kinds = files.into_iter().map(|(_, content)| content.err());
            kinds
                .map(|failure| failure.map(|failure| failure.kind))
                .collect::<Vec<_>>()
        };
        let (live, rotated, plain) = (
            || file(Some("gzip"), true),
            || file(Some("gzip"), false),
            || file(None, false),
        );
        let corrupt = Some(FailureKind::Corrupt);
        assert_eq!(judge(vec![rotated(), live()]), [None, None]);
        assert_eq!(judge(vec![live()]), [None]);
        assert_eq!(judge(vec![rotated(), plain()]), [None, None]);
        assert_eq!(judge(vec![live(), plain()]), [corrupt, None]);
        assert_eq!(judge(vec![live(), live()]), [corrupt, corrupt]);
    }

    /// A log whose times state no zone, at `entry`, `zone` being what its `entry:` adds.
    fn artifact(zone: &str, time: &str) -> Artifact {
        let text = format!(
            "environment: test\nssh: {{known_hosts: [k]}}\nhosts: {{h: {{address: h}}}}\n\
             teams: {{ops: {{user: ops, key: k}}}}\nproducts:\n  p:\n    artifacts:\n      \
             log: {{kind: log, path: /l, format: log, entry: {{pattern: '^(?<time>.+)', time: {time}{zone}}}}}\n\
             instances: {{i: {{product: p, host: h, teams: [ops]}}}}\n"
        );
        let inventory = Inventory::parse(std::path::Path::new("i.yaml"), text.into_bytes());
        let inventory = inventory.unwrap_or_else(|problems| panic!("{problems}"));
        inventory.instances[0].artifacts[0].clone()
    }

    /// What is said of a file that was last changed at noon.
    fn judge(artifact: &Artifact, timezone: Option<&str>, newest: &str) -> Result<(), Failure> {
        let content = Content::Log(Box::new(LogSeen {
            newest: newest.parse().ok(),
            ..LogSeen::default()
        }));
        let noon = "2026-11-21T12:00:00Z".parse().ok();
        believable(artifact, "ny4-1", timezone, noon, &content)
    }

    #[test]
    fn an_entry_later_than_the_last_change_was_read_in_a_wrong_zone() {
        let log = artifact("", "'%F %T'");
        // In the other direction a log looks too old, which no rule can tell from a silent product.
        for well in [
            "2026-11-21T12:00:00Z",
            "2026-11-21T12:05:00Z",
            "2026-11-21T03:00:00Z",
            "2025-01-01T00:00:00Z",
        ] {
            assert_eq!(judge(&log, None, well), Ok(()), "{well}");
        }
        let late = "2026-11-21T12:05:00.1Z";
        let failure = judge(&log, None, late).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Mismatch);
        assert!(failure.hint.contains("`timezone:` of host `ny4-1`"));
        assert!(failure.hint.contains("UTC, since"));
        let failure = judge(&log, Some("Asia/Tokyo"), late).unwrap_err();
        assert!(failure.hint.contains("read in Asia/Tokyo: write"));
        let named = artifact(", zone: Asia/Tokyo", "'%F %T'");
        let failure = judge(&named, None, late).unwrap_err();
        assert!(failure.hint.contains("`zone:`"));
        for zoned in [artifact("", "unix"), artifact("", "'%F %T %z'")] {
            let failure = judge(&zoned, None, late).unwrap_err();
            assert!(failure.hint.contains("a clock"), "{}", failure.hint);
        }
        let content = Content::Log(Box::default());
        assert_eq!(believable(&log, "ny4-1", None, None, &content), Ok(()));
    }
}
