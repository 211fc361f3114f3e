//! Files by commands, for accounts without SFTP and for elevated ones: `stat`, `find` and `head`, each
//! framed, none of them able to write. A name reaches the shell only as a quoted word, and no pipe is
//! ever used (facts: traps.md T3).

use std::sync::Arc;

use jiff::Timestamp;

use super::actor::Deadline;
use super::files::{self, Asked};
use super::glob::{self, Shelf};
use super::rate::{Rate, Slow};
use super::wire::Wire;
use super::{Command, Entry, EntryKind, Limits, Output, ReadError, Receipt, Sink, elevate, exec};
use crate::digest;
use crate::failure::{Failure, FailureKind};
use crate::text;

/// Most bytes of an answer that is no file: 10,000 names of 255 bytes fit.
const MOST_ANSWER: u64 = 4 << 20;
/// Kind, size and time without a blank: sudo compares arguments joined by blanks, so that a word with
/// one in it could not be told from two words.
const ABOUT: &str = "%f/%s/%Y";
/// Most bytes of stderr beside a file.
const MOST_COMPLAINT: u64 = 64 << 10;

/// Asks for kind, size and time of what a path leads to.
#[must_use]
pub fn stat_command(path: &str) -> Command {
    argv(&["stat", "-L", "-c", ABOUT, "--", path])
}

/// Asks whether there is a symbolic link at all.
#[must_use]
pub fn link_command(path: &str) -> Command {
    argv(&["stat", "-c", ABOUT, "--", path])
}

/// Asks for the paths in a directory, each ended by NUL. BusyBox knows no `-printf`.
#[must_use]
pub fn list_command(directory: &str) -> Command {
    // The slash at the end makes a link be followed and a file be refused.
    let directory = with_slash(directory);
    let within = ["-mindepth", "1", "-maxdepth", "1", "-print0"];
    argv(&[&["find", &directory][..], &within].concat())
}

fn with_slash(directory: &str) -> String {
    format!("{}/", directory.trim_end_matches('/'))
}

/// Asks for the first `bytes` of a file.
#[must_use]
pub fn read_command(path: &str, bytes: u64) -> Command {
    argv(&["head", "-c", &bytes.to_string(), "--", path])
}

fn argv(words: &[&str]) -> Command {
    Command(words.iter().map(|word| (*word).to_owned()).collect())
}

/// A far file system seen through commands.
pub(super) struct Files<'a, W: Wire> {
    far: &'a mut W,
    deadline: &'a Deadline,
}

impl<'a, W: Wire> Files<'a, W> {
    /// Through the shell of `far`.
    pub(super) fn of(far: &'a mut W, deadline: &'a Deadline) -> Self {
        Self { far, deadline }
    }

    fn ask(&mut self, command: &Command) -> Result<Output, Failure> {
        let limits = Limits {
            time: self.deadline.left().unwrap_or_default(),
            bytes: MOST_ANSWER,
        };
        exec::run(self.far, command, limits, self.deadline)
    }

    fn stat(&mut self, path: &str, command: &Command) -> Result<Entry, Failure> {
        let answer = self.ask(command)?;
        if answer.status != 0 {
            return Err(complaint(path, "stat", answer.status, &answer.stderr));
        }
        let line = String::from_utf8_lossy(&answer.stdout).into_owned();
        stated(path, &line).ok_or_else(|| {
            let actual = format!("`stat` printed \"{}\"", text::clip(line.trim(), 100));
            files::io(path, &actual)
        })
    }

    /// Streams one regular file into `sink`.
    pub(super) fn read(
        mut self,
        asked: &Asked,
        sink: Sink,
        rate: Option<&Arc<Rate>>,
    ) -> Result<Receipt, ReadError> {
        let path = &asked.path;
        let entry = self.look(path)?;
        files::must_be_file(&entry)?;
        let from = asked.span.from;
        // The plan names one command for a file, which prints from its beginning.
        let last = from + asked.wanted(entry.size)?;
        if let Some(rate) = rate {
            rate.bears(last, self.deadline)?;
        }
        let mut sink = Slow::sink(sink, rate, self.deadline);
        let (mut got, mut hash) = (0_u64, digest::Stream::default());
        let mut take = |piece: &[u8]| {
            let bytes = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
            let piece = &piece[..piece.len().min(bytes(last - got))];
            let again = piece.len().min(bytes(from.saturating_sub(got)));
            got += piece.len() as u64;
            hash.update(&piece[again..]);
            sink.write_all(&piece[again..])
        };
        // One byte even of an empty file: `head -c 0` need not open it, and so would prove nothing.
        let command = read_command(path, last.max(1));
        let most = last.saturating_add(MOST_COMPLAINT);
        let printed = self.far.framed(&command.0, most, self.deadline, &mut take);
        let (status, stderr) = match printed {
            Ok(ended) => ended,
            Err(error) => return Err(files::lost(error, &entry, || Ok(hash))),
        };
        if status != 0 {
            let refusal = elevate::refusal(&self.far.login().elevate, status, &[], &stderr);
            let failure = refusal.unwrap_or_else(|| complaint(path, "head", status, &stderr));
            return Err(failure.into());
        }
        if got < last {
            return Err(files::short(last, got).into());
        }
        sink.flush().map_err(ReadError::Sink)?;
        Ok(Receipt {
            path: path.clone(),
            bytes: last - from,
            size: entry.size,
            sha256: hash.finish(),
            modified: entry.modified,
            method: "exec",
        })
    }
}

impl<W: Wire> Shelf for Files<'_, W> {
    fn look(&mut self, path: &str) -> Result<Entry, Failure> {
        match self.stat(path, &stat_command(path)) {
            Err(failure) if failure.kind == FailureKind::Missing && is_about(&failure, path) => {
                match self.stat(path, &link_command(path)) {
                    Ok(entry) if entry.kind == EntryKind::Dangling => Ok(entry),
                    // The session died over the second question.
                    Err(other) if other.kind == FailureKind::Timeout => Err(other),
                    _ => Err(failure),
                }
            }
            answer => answer,
        }
    }

    fn names(&mut self, directory: &str) -> Result<Vec<Vec<u8>>, Failure> {
        let answer = self
            .ask(&list_command(directory))
            .map_err(|failure| match failure.kind {
                FailureKind::TooLarge => glob::crowded(directory),
                _ => failure,
            })?;
        if answer.status != 0 {
            return Err(complaint(directory, "find", answer.status, &answer.stderr));
        }
        names_of(directory, &answer.stdout)
    }
}

// A path that does not begin with the directory stays as it is, and is refused for its slashes.
pub(super) fn names_of(directory: &str, printed: &[u8]) -> Result<Vec<Vec<u8>>, Failure> {
    let above = with_slash(directory);
    let name = |path: &[u8]| {
        let name = path.strip_prefix(above.as_bytes()).unwrap_or(path);
        name.to_vec()
    };
    let mut names: Vec<Vec<u8>> = printed.split(|byte| *byte == 0).map(name).collect();
    // What follows the last NUL is empty, or a name cut off.
    match names.pop() {
        Some(rest) if rest.is_empty() => Ok(names),
        _ => Err(files::io(directory, "`find` broke off within a name")),
    }
}

// The command itself being missing is of the same kind, and no link.
fn is_about(failure: &Failure, path: &str) -> bool {
    failure.subject.as_deref() == Some(path)
}

fn stated(path: &str, line: &str) -> Option<Entry> {
    let mut words = line.trim_end_matches('\n').split('/');
    let mode = u32::from_str_radix(words.next()?, 16).ok()?;
    let size = words.next()?.parse().ok()?;
    let seconds = words.next()?.parse().ok()?;
    words.next().is_none().then(|| Entry {
        path: path.to_owned(),
        kind: glob::kind_of(mode),
        size,
        modified: Timestamp::from_second(seconds).ok(),
    })
}

/// What a tool's stderr means, under LC_ALL=C. Judged by how lines end: a path may contain anything.
fn complaint(path: &str, tool: &str, status: i32, stderr: &[u8]) -> Failure {
    let stderr = String::from_utf8_lossy(stderr);
    let ends = |with: &str| stderr.lines().any(|line| line.trim_end().ends_with(with));
    if status == 127 || status == 126 {
        let actual = format!("\"{}\"", text::clip(stderr.trim(), 200));
        return Failure::new(FailureKind::Shell, format!("a `{tool}` on the host"), actual)
            .with_hint("this login reads files by `stat`, `find` and `head`; install coreutils and findutils, or allow SFTP");
    }
    if ends(": Permission denied") || ends(": Operation not permitted") {
        return files::denied(path);
    }
    if ends(": No such file or directory") || ends(": Not a directory") {
        return files::missing(path);
    }
    let unknown = [
        "invalid option",
        "illegal option",
        "unrecognized",
        "unknown predicate",
        "usage:",
    ];
    if unknown
        .iter()
        .any(|word| stderr.to_lowercase().contains(word))
    {
        let actual = format!("\"{}\"", text::clip(stderr.trim(), 200));
        return Failure::new(
            FailureKind::Shell,
            format!("a GNU or BusyBox `{tool}`"),
            actual,
        )
        .with_hint("this host's tools are of another kind: allow SFTP for the account");
    }
    let said = text::clip(stderr.trim(), 200);
    files::io(path, &format!("`{tool}` ended with {status}: \"{said}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_stat_prints_and_nothing_else() {
        let entry = stated("/x", "81a4/1234/1795000000\n").unwrap();
        assert_eq!((entry.kind, entry.size), (EntryKind::File, 1234));
        assert_eq!(stated("/x", "11a4/0/0\n").unwrap().kind, EntryKind::Special);
        assert_eq!(
            stated("/x", "41ed/0/0\n").unwrap().kind,
            EntryKind::Directory
        );
        for bad in [
            "",
            "81a4",
            "81a4/1",
            "81a4 1 0",
            "81a4/-1/0",
            "zz/1/0",
            "81a4/1/0/0",
            "81a4/1/x",
        ] {
            assert_eq!(stated("/x", bad), None, "{bad}");
        }
    }

    #[test]
    fn a_path_cannot_speak_for_the_tool() {
        for (status, stderr, kind) in [
            (
                1,
                "stat: cannot statx '/x': No such file or directory\n",
                FailureKind::Missing,
            ),
            (
                1,
                "head: cannot open '/x' for reading: Permission denied\n",
                FailureKind::Denied,
            ),
            (
                1,
                "stat: cannot statx '/a: Permission denied': No such file or directory\n",
                FailureKind::Missing,
            ),
            (1, "find: '/x/': Not a directory\n", FailureKind::Missing),
            (
                1,
                "head: error reading '/x': Input/output error\n",
                FailureKind::Io,
            ),
            (127, "sh: 1: stat: not found\n", FailureKind::Shell),
            (
                1,
                "stat: illegal option -- c\nusage: stat [-x]\n",
                FailureKind::Shell,
            ),
            (1, "", FailureKind::Io),
        ] {
            assert_eq!(
                complaint("/x", "stat", status, stderr.as_bytes()).kind,
                kind,
                "{stderr}"
            );
        }
    }

    #[test]
    fn a_listing_gives_names_and_no_more() {
        let names = names_of("/a b", b"/a b/x\0/a b/y\nz\0").unwrap();
        assert_eq!(names, [b"x".to_vec(), b"y\nz".to_vec()]);
        assert_eq!(names_of("/", b"/x\0").unwrap(), [b"x".to_vec()]);
        assert_eq!(names_of("/a", b"/b/x\0").unwrap(), [b"/b/x".to_vec()]);
        assert!(names_of("/a", b"").unwrap().is_empty());
        assert!(names_of("/a", b"/a/x\0/a/y").is_err());
    }

    #[test]
    fn the_commands_are_fixed() {
        assert_eq!(list_command("/").0[1], "/");
        assert_eq!(list_command("/a b").0[1], "/a b/");
        assert_eq!(read_command("/a b", 7).0.join("|"), "head|-c|7|--|/a b");
    }
}
