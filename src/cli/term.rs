//! The law of output.
//!
//! What was asked for goes to stdout: a plan, a rendering, the verdict as the last line. Everything
//! else goes to stderr: progress, remarks, problems, hints. Colour only where that stream is a
//! terminal, `NO_COLOR` is unset or empty and `TERM` is not `dumb`; every line reads the same without
//! it. A closed pipe ends the output quietly and changes no verdict; `verify` alone makes a fault of a GO
//! that it could not deliver. No line to stderr holds a mark by which a CI server takes a command from a
//! log (`defuse`). Nothing is ever asked but a passphrase, on
//! /dev/tty and only before a person (`passphrase.rs`).

use std::io::{self, IsTerminal as _, Write as _};

use crate::text::defuse;

/// Writes to stdout.
pub(super) fn out(text: &str) {
    // A reader that went away (`| head`) is no fault; the verdict is in the exit code too.
    let _ = deliver(text);
}

/// Writes to stdout, for `verify` alone: its reader may be a gate, and a GO that did not arrive is none.
pub(super) fn deliver(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
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
