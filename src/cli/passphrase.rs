//! Asks for the passphrases of encrypted key files: once for each file, before anything is contacted, on
//! the terminal itself and without echo. Where nobody may be sitting (no terminal, `CI` set, in the
//! background) nothing is asked, and the login fails and names the key and `passphrase_env`.

use std::fs::File;
use std::io::{IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::fault::{Exit, Fault};
use crate::inventory::Login;
use crate::plan::Plan;
use crate::text::escape;
use crate::transport::Keyring;

/// The terminal's own limit for a line (termios(3)).
const MOST_BYTES: usize = 4096;

/// Opens the keys that the plan's logins need and that only a person can open. `Ok(false)` when the run
/// was ended meanwhile.
pub(super) fn ask(keys: &Keyring, plan: &Plan, cancel: &CancellationToken) -> Result<bool, Fault> {
    ask_for(keys, plan.visits.iter().map(|visit| &*visit.login), cancel)
}

/// The same for these logins.
pub(super) fn ask_for<'l>(
    keys: &Keyring,
    logins: impl IntoIterator<Item = &'l Login>,
    cancel: &CancellationToken,
) -> Result<bool, Fault> {
    let locked = Keyring::locked(logins);
    if locked.is_empty() {
        return Ok(true);
    }
    let Some(mut terminal) = terminal() else {
        return Ok(true);
    };
    for path in locked {
        match read(&mut terminal, &path, cancel) {
            Ok(Some(passphrase)) => keys.unlock(&path, passphrase).map_err(|failure| {
                let message = escape(&failure.actual).into_owned();
                Fault::new(Exit::Fault, message, &failure.hint)
            })?,
            Ok(None) => return Ok(false),
            Err(error) => {
                return Err(Fault::new(
                    Exit::Fault,
                    format!("no passphrase for {}: {error}", shown(&path)),
                    "give it on the terminal, or set `passphrase_env: NAME` for the team and the variable",
                ));
            }
        }
    }
    Ok(true)
}

/// The terminal of a person who can answer now.
fn terminal() -> Option<File> {
    let in_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
    if in_ci || !std::io::stdin().is_terminal() {
        return None;
    }
    let terminal = File::options().read(true).write(true).open("/dev/tty");
    let terminal = terminal.ok().filter(File::is_terminal)?;
    // In the background the kernel would stop us instead of letting us ask.
    let front = tcgetpgrp(&terminal).ok()?;
    (front == rustix::process::getpgrp()).then_some(terminal)
}

/// Sets the terminal back, whatever happens.
struct Quiet<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Quiet<'a> {
    fn new(terminal: &'a File) -> rustix::io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        quiet
            .local_modes
            .insert(LocalModes::ICANON | LocalModes::ISIG | LocalModes::ECHONL);
        // What was typed before the question was no answer to it.
        tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// One line; `None` when the run was ended meanwhile (Ctrl-C, its deadline).
fn read(
    terminal: &mut File,
    path: &Path,
    cancel: &CancellationToken,
) -> std::io::Result<Option<Zeroizing<String>>> {
    let terminal = &*terminal;
    let quiet = Quiet::new(terminal)?;
    write!(&*terminal, "passphrase for {}: ", shown(path))?;
    let mut line = Zeroizing::new(Vec::with_capacity(MOST_BYTES));
    let mut piece = Zeroizing::new([0; MOST_BYTES]);
    while !line.ends_with(b"\n") {
        if cancel.is_cancelled() {
            drop(quiet);
            writeln!(&*terminal)?;
            return Ok(None);
        }
        // Signals are another thread's business: looked for ten times a second.
        let tenth = Timespec {
            tv_sec: 0,
            tv_nsec: 100_000_000,
        };
        let mut ready = [PollFd::from_borrowed_fd(terminal.as_fd(), PollFlags::IN)];
        if poll(&mut ready, Some(&tenth)).unwrap_or(0) == 0 {
            continue;
        }
        match rustix::io::read(terminal, &mut *piece) {
            Ok(0) => break,
            Ok(n) if line.len() + n > MOST_BYTES => {
                return Err(std::io::Error::other("the line is too long"));
            }
            Ok(n) => line.extend_from_slice(&piece[..n]),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let text = std::str::from_utf8(&line).map_err(|_| std::io::Error::other("it is not UTF-8"))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(std::io::Error::other("nothing was typed")),
        text => Ok(Some(Zeroizing::new(text.to_owned()))),
    }
}

fn shown(path: &Path) -> String {
    escape(&path.to_string_lossy()).into_owned()
}
