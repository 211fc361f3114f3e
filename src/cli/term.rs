//! The law of output.
//!
//! What was asked for goes to stdout: a plan, a rendering, the verdict as the last line. Everything
//! else goes to stderr: progress, remarks, problems, hints. Colour only where that stream is a
//! terminal, `NO_COLOR` is unset or empty and `TERM` is not `dumb`; every line reads the same without
//! it. A closed pipe ends the output quietly and changes no verdict; `verify` and `diff` make a fault of a
//! good answer that they could not deliver. No line to stderr holds a mark by which a CI server takes a command from a
//! log (`defuse`). Nothing is ever asked but a passphrase, on
//! /dev/tty and only before a person (`passphrase.rs`), and what only a person knows of a support request
//! (`case/draft.rs`).

use std::fs::{File, metadata};
use std::io::{self, IsTerminal as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};

use rustix::process::{Resource, getrlimit};

use crate::text::defuse;

/// Writes to stdout.
pub(super) fn out(text: &str) {
    // A reader that went away (`| head`) is no fault; the verdict is in the exit code too.
    let _ = deliver(text);
}

/// Writes to stdout, for whatever is read by a gate: an answer that did not arrive whole is none.
pub(super) fn deliver(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.flush()?;
    whole(File::from(stdout.as_fd().try_clone_to_owned()?), text)
}

/// Whether stdout leads nowhere: a closed one, too, is the null device before `main` begins.
pub(super) fn is_nowhere() -> bool {
    let same = |file: &File| {
        let (file, null) = (file.metadata().ok()?, metadata("/dev/null").ok()?);
        Some(file.file_type().is_char_device() && file.rdev() == null.rdev())
    };
    let stdout = io::stdout().as_fd().try_clone_to_owned();
    stdout.is_ok_and(|stdout| same(&File::from(stdout)) == Some(true))
}

/// Writes `text` at the end of a file, whole or not at all; whatever else `file` may be simply gets it.
pub(super) fn whole(mut file: File, text: &str) -> io::Result<()> {
    let found = file.metadata()?;
    if !found.is_file() {
        return file.write_all(text.as_bytes());
    }
    let (before, at) = (found.len(), file.stream_position()?);
    // Past its limit this process would be killed amid the text.
    let limit = getrlimit(Resource::Fsize).current.unwrap_or(u64::MAX);
    if before.max(at).saturating_add(text.len() as u64) > limit {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut written = 0;
    let done = fill(&mut file, text.as_bytes(), &mut written);
    let done = done.and_then(|()| match file.sync_data() {
        // Some file systems cannot confirm; there is nothing more to ask of them.
        Err(cause) if cause.kind() == io::ErrorKind::InvalidInput => Ok(()),
        // Network file systems and quotas refuse here what they took before.
        synced => synced,
    });
    if done.is_err() {
        // A piece of an answer would be read as one; what others have written behind it stays.
        if file.metadata()?.len() == before.saturating_add(written) {
            file.set_len(before)?;
        }
        file.seek(SeekFrom::Start(at))?;
    }
    done
}

fn fill(file: &mut File, mut rest: &[u8], written: &mut u64) -> io::Result<()> {
    while !rest.is_empty() {
        match file.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(taken) => {
                *written += taken as u64;
                rest = &rest[taken..];
            }
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(())
}

/// Writes a line to stderr.
pub(super) fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", defuse(line));
}

/// Whether stdout takes colour.
pub(super) fn colour_out() -> bool {
    io::stdout().is_terminal() && colour_wanted()
}

/// Whether stderr takes colour.
pub(super) fn colour_err() -> bool {
    io::stderr().is_terminal() && colour_wanted()
}

/// Whether stderr is a terminal that can redraw a line.
pub(super) fn live() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Columns of the terminal; 100 where there is none.
pub(super) fn width() -> usize {
    let terminal = console::Term::stdout();
    match terminal
        .is_term()
        .then(|| terminal.size_checked())
        .flatten()
    {
        Some((_, columns)) => usize::from(columns).clamp(40, 120),
        None => 100,
    }
}

fn colour_wanted() -> bool {
    // https://no-color.org: set and not empty.
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    !refused && !dumb
}
