//! What one connection has to give, whichever client carries it: framed commands, and files by SFTP
//! when the server has it. Everything above (`exec`, `files`, `ssh`) knows only this; which bytes
//! travel how is each client's business.

use std::io;
use std::time::Duration;

use super::actor::Deadline;
use super::far::Far;
use super::files::Looks;
use super::http::Request;
use super::rate::Rate;
use super::sftp::{Fetched, Order, Wanted, far};
use super::{Element, Entry, ReadError, Receipt, Sink, exec, forward, glob};
use crate::failure::Failure;
use crate::inventory::{Elevate, Login};

/// One connection, owned by its thread.
pub(super) trait Wire {
    /// Whose it is.
    fn login(&self) -> &Login;

    /// The same, to change how it is elevated.
    fn login_mut(&mut self) -> &mut Login;

    /// What the last listings showed.
    fn looks(&mut self) -> &mut Looks;

    /// Runs `argv` inside a frame, elevated as the login says; stdout streams to `out`, stderr comes
    /// back with the exit status. Both together at most `most` bytes. Judges no exit status.
    fn framed(
        &mut self,
        argv: &[String],
        most: u64,
        deadline: &Deadline,
        out: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(i32, Vec<u8>), ReadError>;

    /// Opens SFTP, for a look at these paths where it begins with one; the inner `Err` says why the server does not
    /// give it.
    fn open_sftp(
        &mut self,
        soon: &[&str],
        deadline: &Deadline,
    ) -> Result<Result<(), Box<Failure>>, Failure>;

    /// Everything that `pattern` names, over open SFTP.
    fn expand(&mut self, pattern: &str, deadline: &Deadline) -> Result<Vec<Entry>, Failure>;

    /// What is at each path, over open SFTP, links followed.
    fn look_all(
        &mut self,
        paths: &[&str],
        deadline: &Deadline,
    ) -> Result<Vec<Result<Entry, Failure>>, Failure>;

    /// Streams regular files into their sinks, over open SFTP; one answer for each.
    fn fetch_all(
        &mut self,
        wanted: Vec<Wanted>,
        order: Order,
        deadline: &Deadline,
        rate: Option<&Rate>,
    ) -> Vec<Fetched>;

    /// Sends one request from the host, and streams the answer's body into `sink`.
    fn get(
        &mut self,
        request: &Request,
        most: u64,
        deadline: &Deadline,
        sink: Sink,
    ) -> Result<Receipt, ReadError>;

    /// Each element of a path as it stands, over open SFTP, until the first that cannot be seen; and the
    /// owner of the directory where SFTP begins.
    fn elements(
        &mut self,
        paths: &[String],
        deadline: &Deadline,
    ) -> Option<(Vec<Element>, Option<String>)>;

    /// Says goodbye within half a second; nothing depends on it.
    fn farewell(&mut self);
}

/// Does `work` as the login is elevated, or as the account itself.
pub(super) fn elevated<W: Wire, T>(
    wire: &mut W,
    by_sudo: bool,
    work: impl FnOnce(&mut W) -> T,
) -> T {
    if by_sudo {
        return work(wire);
    }
    let elevate = std::mem::replace(&mut wire.login_mut().elevate, Elevate::None);
    let done = work(wire);
    wire.login_mut().elevate = elevate;
    done
}

impl Wire for Far {
    fn login(&self) -> &Login {
        &self.login
    }

    fn login_mut(&mut self) -> &mut Login {
        &mut self.login
    }

    fn looks(&mut self) -> &mut Looks {
        &mut self.looks
    }

    fn framed(
        &mut self,
        argv: &[String],
        most: u64,
        deadline: &Deadline,
        out: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(i32, Vec<u8>), ReadError> {
        exec::framed(self, argv, most, deadline, out)
    }

    fn open_sftp(
        &mut self,
        soon: &[&str],
        deadline: &Deadline,
    ) -> Result<Result<(), Box<Failure>>, Failure> {
        far::open(self, soon, deadline)
    }

    fn expand(&mut self, pattern: &str, deadline: &Deadline) -> Result<Vec<Entry>, Failure> {
        glob::expand(&mut far::files(self, deadline), pattern)
    }

    fn look_all(
        &mut self,
        paths: &[&str],
        deadline: &Deadline,
    ) -> Result<Vec<Result<Entry, Failure>>, Failure> {
        far::files(self, deadline).look_all(paths)
    }

    fn fetch_all(
        &mut self,
        wanted: Vec<Wanted>,
        order: Order,
        deadline: &Deadline,
        rate: Option<&Rate>,
    ) -> Vec<Fetched> {
        far::files(self, deadline).read_all(wanted, order, rate.map(|rate| (rate, deadline)))
    }

    fn get(
        &mut self,
        request: &Request,
        most: u64,
        deadline: &Deadline,
        sink: Sink,
    ) -> Result<Receipt, ReadError> {
        forward::get(self, request, most, deadline, sink)
    }

    fn elements(
        &mut self,
        paths: &[String],
        deadline: &Deadline,
    ) -> Option<(Vec<Element>, Option<String>)> {
        let mut files = far::files(self, deadline);
        let elements = paths.iter().map_while(|path| files.element(path));
        Some((elements.collect(), files.owner_of_home()))
    }

    fn farewell(&mut self) {
        // It ends with the connection.
        self.arm_briefly(Duration::from_millis(400));
        // The peer may be gone: nothing depends on the farewell.
        let _ = self.session.disconnect(None, "done", None);
    }
}
