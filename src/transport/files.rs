//! Which road to the files: SFTP or commands, by what the inventory says and the server gives. Holds
//! the rules and the words that both roads share; reads nothing itself.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::actor::Deadline;
use super::gather::{self, Gathered};
use super::glob::Shelf as _;
use super::pour::Pour;
use super::rate::Rate;
use super::sftp::{Fetched, Order, Wanted};
use super::wire::Wire;
use super::{Entry, EntryKind, Lost, ReadError, Sink, Span};
use super::{glob, shell_files};
use crate::digest::Stream;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Elevate, Transport};
use crate::text;

/// One file that is asked for.
pub(super) struct Asked {
    /// Absolute path.
    pub(super) path: String,
    /// Which part of it.
    pub(super) span: Span,
    /// Most bytes to take.
    pub(super) most: u64,
}

impl Asked {
    /// How many of a file's `size` bytes have to come.
    pub(super) fn wanted(&self, size: u64) -> Result<u64, Failure> {
        let Span { from, most } = self.span;
        let left = size.checked_sub(from).ok_or_else(|| short(from, size))?;
        let wanted = most.map_or(left, |most| most.min(left));
        match wanted <= self.most {
            true => Ok(wanted),
            false => Err(Failure::new(
                FailureKind::TooLarge,
                format!("at most {} ({} bytes)", text::size(self.most), self.most),
                format!("a file of {} ({size} bytes)", text::size(size)),
            )
            .with_hint("raise `max_bytes` for the host or team, or have the file rotated earlier")),
        }
    }
}

/// Entries that were looked at a moment ago. A read takes its entry from here, and does not look a second
/// time: one round trip less for each file. What is opened is still judged by what it is then.
#[derive(Default)]
pub(super) struct Looks {
    seen: HashMap<String, (Entry, Instant)>,
    /// What came with a look, contents and all.
    pub(super) gathered: Gathered,
}

impl Looks {
    /// For how long a look is as good as a new one: what is a file now may be a FIFO later, and
    /// opening that would hang.
    pub(super) const FRESH: Duration = Duration::from_secs(1);

    /// Keeps the regular files of a listing that began at `since`.
    fn keep(&mut self, entries: &[Entry], since: Instant) {
        self.seen.retain(|_, (_, at)| at.elapsed() < Self::FRESH);
        let files = entries.iter().filter(|entry| entry.kind == EntryKind::File);
        self.seen
            .extend(files.map(|entry| (entry.path.clone(), (entry.clone(), since))));
    }

    fn take(&self, path: &str) -> Option<(Entry, Instant)> {
        let (entry, at) = self.seen.get(path)?;
        (at.elapsed() < Self::FRESH).then(|| (entry.clone(), *at))
    }
}

enum Road {
    Sftp,
    /// With the reason why not SFTP, when it was tried.
    Exec(Option<Box<Failure>>),
}

fn road(far: &mut impl Wire, soon: &[&str], deadline: &Deadline) -> Result<Road, Failure> {
    let transport = far.login().transport;
    match (transport, &far.login().elevate) {
        (Transport::Exec, _) | (Transport::Auto, Elevate::Root | Elevate::User(_)) => {
            return Ok(Road::Exec(None));
        }
        (Transport::Sftp, Elevate::Root | Elevate::User(_)) => {
            return Err(Failure::new(
                FailureKind::Elevate,
                "a login that can be elevated",
                "`transport: sftp` sends no command, so there is no sudo",
            )
            .with_hint("set `elevate: none`, or `transport: auto`"));
        }
        (Transport::Auto | Transport::Sftp, Elevate::None) => {}
    }
    match (transport, far.open_sftp(soon, deadline)?) {
        (_, Ok(())) => Ok(Road::Sftp),
        (Transport::Sftp, Err(why)) => Err(*why),
        (_, Err(why)) => Ok(Road::Exec(Some(why))),
    }
}

/// Everything that `pattern` names, sorted by path.
pub(super) fn list(
    far: &mut impl Wire,
    pattern: &str,
    deadline: &Deadline,
) -> Result<Vec<Entry>, Failure> {
    if let Some((found, since)) = far.looks().gathered.list(pattern) {
        far.looks().keep(&found, since);
        return Ok(found);
    }
    // What a glob stands for is not known yet.
    let is_glob = pattern.contains(['*', '?', '[']);
    let soon = [pattern];
    match road(far, if is_glob { &[] } else { &soon }, deadline)? {
        Road::Sftp => {
            let since = Instant::now();
            let found = far.expand(pattern, deadline)?;
            far.looks().keep(&found, since);
            Ok(found)
        }
        Road::Exec(why) => {
            let mut files = shell_files::Files::of(far, deadline);
            glob::expand(&mut files, pattern).map_err(|failure| both(failure, why))
        }
    }
}

/// What is at each path, links followed; one answer for each.
pub(super) fn look_all(
    far: &mut impl Wire,
    paths: &[String],
    deadline: &Deadline,
) -> Result<Vec<Result<Entry, Failure>>, Failure> {
    if let Some(found) = far.looks().gathered.look_all(paths) {
        return Ok(found);
    }
    let asked: Vec<&str> = paths.iter().map(String::as_str).collect();
    match road(far, &asked, deadline)? {
        Road::Sftp => {
            let since = Instant::now();
            let paths = asked;
            let found = far.look_all(&paths, deadline)?;
            let entries: Vec<Entry> = found.iter().flatten().cloned().collect();
            far.looks().keep(&entries, since);
            Ok(found)
        }
        Road::Exec(why) => {
            let mut found = Vec::with_capacity(paths.len());
            for path in paths {
                let looked = shell_files::Files::of(far, deadline).look(path);
                found.push(looked.map_err(|failure| both(failure, why.clone())));
            }
            Ok(found)
        }
    }
}

/// Streams regular files into their sinks; one answer for each. By SFTP in as few round trips as they take, by
/// commands one after the other; what came with a look already, from memory.
pub(super) fn read_all(
    far: &mut impl Wire,
    asked: Vec<(Asked, Sink)>,
    order: Order,
    deadline: &Deadline,
    rate: Option<&Arc<Rate>>,
) -> Vec<Fetched> {
    gather::serve(far, asked, order, |far, asked| {
        by_road(far, asked, order, deadline, rate)
    })
}

fn by_road(
    far: &mut impl Wire,
    asked: Vec<(Asked, Sink)>,
    order: Order,
    deadline: &Deadline,
    rate: Option<&Arc<Rate>>,
) -> Vec<Fetched> {
    let began = Instant::now();
    let mut wanted = Vec::with_capacity(asked.len());
    for (asked, sink) in asked {
        wanted.push(Wanted {
            looked: far.looks().take(&asked.path),
            asked,
            sink,
        });
    }
    let unknown = wanted.iter().filter(|wanted| wanted.looked.is_none());
    let soon: Vec<String> = unknown.map(|wanted| wanted.asked.path.clone()).collect();
    let soon: Vec<&str> = soon.iter().map(String::as_str).collect();
    match road(far, &soon, deadline) {
        Ok(Road::Sftp) => far.fetch_all(wanted, order, deadline, rate.map(Arc::as_ref)),
        Ok(Road::Exec(why)) => {
            let mut fetched: Vec<Fetched> = Vec::with_capacity(wanted.len());
            for Wanted { asked, sink, .. } in wanted {
                let has_failed = fetched.last().is_some_and(|(read, _)| read.is_err());
                let read = match order == Order::InTurn && has_failed {
                    true => Err(not_reached().into()),
                    false => shell_files::Files::of(far, deadline).read(&asked, sink, rate),
                };
                let read = read.map_err(|error| match error {
                    ReadError::Failure(failure) => ReadError::Failure(both(failure, why.clone())),
                    other => other,
                });
                fetched.push((read, began.elapsed()));
            }
            fetched
        }
        Err(failure) => {
            let refused = |_| (Err(failure.clone().into()), began.elapsed());
            wanted.iter().map(refused).collect()
        }
    }
}

/// What is said of a file that was to be read in turn, behind one that failed.
pub(super) fn not_reached() -> Failure {
    Failure::new(
        FailureKind::Undefined,
        "the file before it, whole",
        "that one did not come, and this one was not read",
    )
    .with_hint("see what became of the file before it")
}

// Neither SFTP nor a shell: whoever repairs it has to know of both.
fn both(mut failure: Failure, sftp: Option<Box<Failure>>) -> Failure {
    if let (FailureKind::Shell, Some(sftp)) = (failure.kind, sftp) {
        failure.actual = format!("{}; SFTP was tried first: {}", failure.actual, sftp.actual);
    }
    failure
}

/// What a read comes to that broke off after `entry` had been opened.
pub(super) fn broken(error: ReadError, entry: &Entry, pour: Pour) -> ReadError {
    match error {
        ReadError::Sink(error) => ReadError::Sink(pour.error(error)),
        error => lost(error, entry, || pour.so_far()),
    }
}

/// A connection that was lost while `entry` streamed is told apart; `hash` is of what came until then.
pub(super) fn lost(
    error: ReadError,
    entry: &Entry,
    hash: impl FnOnce() -> io::Result<Stream>,
) -> ReadError {
    match error {
        // A deadline, a refusal and the end of the server's program are of other kinds.
        ReadError::Failure(failure) if failure.kind == FailureKind::Unreachable => match hash() {
            Ok(hash) => ReadError::Lost(Box::new(Lost {
                failure,
                size: entry.size,
                modified: entry.modified,
                hash,
            })),
            Err(error) => ReadError::Sink(error),
        },
        error => error,
    }
}

/// Refuses what is not a regular file.
pub(super) fn must_be_file(entry: &Entry) -> Result<(), Failure> {
    let actual = match entry.kind {
        EntryKind::File => return Ok(()),
        EntryKind::Dangling => {
            return Err(Failure::new(
                FailureKind::Missing,
                "a regular file",
                "a symbolic link whose target is gone",
            )
            .with_subject(&*entry.path)
            .with_hint("repair the link on the host, or name the file itself"));
        }
        EntryKind::Directory => "a directory",
        EntryKind::Special => "a FIFO, socket or device; it was not opened",
    };
    Err(
        Failure::new(FailureKind::NotRegular, "a regular file", actual)
            .with_subject(&*entry.path)
            .with_hint("correct the path in the inventory, or name files more closely"),
    )
}

/// The plan refuses what lies outside; this is for whoever forgets to.
pub(super) fn outside(chroot: Option<&str>) -> Failure {
    let expected = format!("a path below {}", chroot.unwrap_or("/"));
    Failure::new(
        FailureKind::Undefined,
        expected,
        "one outside this account's chroot",
    )
    .with_hint("nothing was asked of the host; correct the path or `chroot` in the inventory")
}

/// It does not exist.
pub(super) fn missing(path: &str) -> Failure {
    Failure::new(FailureKind::Missing, "a path that exists", "no such file or directory")
        .with_subject(path)
        .with_hint(
            "look at the instance's `vars` and the path in the inventory; an SFTP account may be shut in a \
             chroot: say so with `chroot: /DIR` for its team",
        )
}

/// This account may not.
pub(super) fn denied(path: &str) -> Failure {
    Failure::new(
        FailureKind::Denied,
        "a path that this account may read",
        "permission denied",
    )
    .with_subject(path)
    .with_hint("look at owner, group and mode of the path and of every directory above it")
}

/// An error that is neither.
pub(super) fn io(path: &str, actual: &str) -> Failure {
    Failure::new(FailureKind::Io, "a path that can be read", actual)
        .with_subject(path)
        .with_hint(
            "look on the host whether this account can read it, and in the kernel's log for errors",
        )
}

/// The file ended early.
pub(super) fn short(wanted: u64, got: u64) -> Failure {
    Failure::new(
        FailureKind::Short,
        format!("{wanted} bytes, as the file had when it was opened"),
        format!("{got} bytes"),
    )
    .with_hint(
        "it was truncated or rotated while it was read, or the server does not deliver all of it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wants_the_size_or_the_asked_part_within_the_cap() {
        let from = |from, part, most| Asked {
            path: "/x".into(),
            span: Span { from, most: part },
            most,
        };
        let asked = |part, most| from(0, part, most);
        assert_eq!(from(4, None, 10).wanted(10), Ok(6));
        assert_eq!(from(4, Some(2), 2).wanted(10), Ok(2));
        assert_eq!(from(10, None, 10).wanted(10), Ok(0));
        let cut = from(11, None, 10).wanted(10).unwrap_err();
        assert_eq!(cut.kind, FailureKind::Short);
        assert_eq!(asked(None, 10).wanted(10), Ok(10));
        assert_eq!(
            asked(None, 10).wanted(11).unwrap_err().kind,
            FailureKind::TooLarge
        );
        assert_eq!(asked(Some(4), 10).wanted(u64::MAX), Ok(4));
        assert_eq!(asked(Some(4), 10).wanted(0), Ok(0));
        assert!(asked(Some(11), 10).wanted(12).is_err());
    }

    #[test]
    fn a_look_serves_reads_and_not_for_long() {
        let entry = |path: &str, kind| Entry {
            path: path.into(),
            kind,
            size: 1,
            modified: None,
        };
        let (file, fifo) = (
            entry("/file", EntryKind::File),
            entry("/fifo", EntryKind::Special),
        );
        let mut looks = Looks::default();
        let now = Instant::now();
        looks.keep(&[file.clone(), fifo], now);
        assert_eq!(looks.take("/fifo"), None);
        assert_eq!(looks.take("/file"), Some((file.clone(), now)));
        let long_ago = Instant::now().checked_sub(Looks::FRESH).unwrap();
        looks.keep(&[file], long_ago);
        assert_eq!(looks.take("/file"), None);
    }

    #[test]
    fn only_a_regular_file_is_opened() {
        let entry = |kind| Entry {
            path: "/x".into(),
            kind,
            size: 1,
            modified: None,
        };
        assert_eq!(must_be_file(&entry(EntryKind::File)), Ok(()));
        for (kind, expected) in [
            (EntryKind::Directory, FailureKind::NotRegular),
            (EntryKind::Special, FailureKind::NotRegular),
            (EntryKind::Dangling, FailureKind::Missing),
        ] {
            assert_eq!(must_be_file(&entry(kind)).unwrap_err().kind, expected);
        }
    }
}
