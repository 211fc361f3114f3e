//! What a session's thread owns: the directory, the `ssh` that stays, and the clients of its control
//! socket. Which commands and files are asked for is its siblings' business.

use std::io;
use std::time::Duration;

use super::child::{Child, Watch};
use super::place::Place;
use super::version::Version;
use super::{classify, config, exec, forward, master, ours, person, sftp};
use crate::failure::{Failure, FailureKind};
use crate::inventory::Login;
use crate::transport::actor::Deadline;
use crate::transport::files::Looks;
use crate::transport::http::Request;
use crate::transport::rate::Rate;
use crate::transport::sftp::{Fetched, Order, Wanted};
use crate::transport::wire::Wire;
use crate::transport::{Element, Entry, Greeting, ReadError, Receipt, Sink, glob};

/// Config of the control socket's clients, and their log.
const CLIENT: &str = "client";
const CLIENT_LOG: &str = "client_log";
/// What the clients call the far side; they never look it up.
pub(super) const FAR: &str = "far";

/// What the session's thread owns, and nobody else touches.
pub(super) struct Near {
    pub(super) sftp: sftp::Subsystem,
    /// `None` when a person's connection is used.
    master: Option<Child>,
    pub(super) place: Place,
    pub(super) login: Login,
    pub(super) watch: Watch,
    looks: Looks,
}

impl Near {
    /// Directory, connection, proof.
    pub(super) fn establish(
        login: Login,
        deadline: Deadline,
        watch: Watch,
    ) -> Result<(Self, Greeting), Failure> {
        let version = Version::installed()?;
        let mut place = Place::new().map_err(|error| ours(&error))?;
        let adopted = person::adopt(&mut place, &login, &version, &watch, &deadline)?;
        let (master, socket, mut greeting) = match adopted {
            Some(greeting) => (None, person::SOCKET, greeting),
            None => {
                let (master, greeting) =
                    master::start(&mut place, &login, &version, &watch, &deadline)?;
                (Some(master), master::SOCKET, greeting)
            }
        };
        let client = config::client(&place, socket);
        let written = place.write(CLIENT, &client, 0o600);
        written.map_err(|error| ours(&error))?;
        greeting.client.clone_from(&version.said);
        let near = Self {
            sftp: sftp::Subsystem::default(),
            master,
            place,
            login,
            watch,
            looks: Looks::default(),
        };
        Ok((near, greeting))
    }

    /// A client of the control socket, for one channel.
    pub(super) fn client(&self, arguments: &[&str]) -> Result<Child, Failure> {
        let emptied = self.place.write(CLIENT_LOG, "", 0o600);
        emptied.map_err(|error| ours(&error))?;
        let (config, log) = (self.place.path(CLIENT), self.place.path(CLIENT_LOG));
        let arguments = [&["-F", &config, "-E", &log, "-T"], arguments].concat();
        Child::ssh(&arguments, &[]).map_err(|error| ours(&error))
    }

    /// What the last client said of the control socket, in words of its own.
    pub(super) fn client_said(&self) -> String {
        self.place.text(CLIENT_LOG)
    }

    /// The failure of a missed deadline; the session is dead.
    pub(super) fn late(&mut self, deadline: &Deadline, what: &str) -> Failure {
        self.end();
        crate::transport::classify::late(what, deadline)
    }

    /// Ends the session, and every process of it.
    pub(super) fn end(&mut self) {
        self.watch.pull();
        self.sftp.release();
        self.master = None;
    }

    /// The failure when the connection below is gone; the session is dead then.
    pub(super) fn lost(&mut self, deadline: &Deadline, what: &str) -> Option<Failure> {
        let is_gone = match &mut self.master {
            // It may be about to find out.
            Some(master) => master.end_within(Duration::from_millis(300)).is_some(),
            None => !self.is_persons_alive(deadline),
        };
        if !is_gone {
            return None;
        }
        if deadline.left().is_none() {
            return Some(self.late(deadline, what));
        }
        let last = config::chain(&self.login).count() - 1;
        let log = super::log::Log::read(&self.place.text(&config::log(last)));
        self.end();
        Some(
            Failure::new(
                FailureKind::Unreachable,
                format!("a connection that lasts until {what} is done"),
                format!("it was lost: {}", classify::quoted(&log.words)),
            )
            .with_hint(
                "look at sshd's log on the host, and at firewalls that cut idle or long connections",
            ),
        )
    }

    fn is_persons_alive(&self, deadline: &Deadline) -> bool {
        let asked = self.client(&["-O", "check", FAR]).ok();
        let status = asked.and_then(|mut child| {
            child.stdin = None;
            let answer = child.finish(&self.watch, deadline, "the control socket's answer");
            answer.ok()
        });
        status.is_some_and(|(status, _)| status.success())
    }
}

impl Wire for Near {
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
        sftp::open(self, soon, deadline)
    }

    fn expand(&mut self, pattern: &str, deadline: &Deadline) -> Result<Vec<Entry>, Failure> {
        glob::expand(&mut sftp::files(self, deadline), pattern)
    }

    fn look_all(
        &mut self,
        paths: &[&str],
        deadline: &Deadline,
    ) -> Result<Vec<Result<Entry, Failure>>, Failure> {
        sftp::files(self, deadline).look_all(paths)
    }

    fn fetch_all(
        &mut self,
        wanted: Vec<Wanted>,
        order: Order,
        deadline: &Deadline,
        rate: Option<&Rate>,
    ) -> Vec<Fetched> {
        sftp::files(self, deadline).read_all(wanted, order, rate.map(|rate| (rate, deadline)))
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
        let mut files = sftp::files(self, deadline);
        let elements = paths.iter().map_while(|path| files.element(path));
        Some((elements.collect(), files.owner_of_home()))
    }

    fn farewell(&mut self) {
        self.sftp.release();
        if let Some(master) = &mut self.master {
            // The end of its leash; what is left after that is killed.
            master.stdin = None;
            master.end_within(Duration::from_millis(400));
        }
        self.master = None;
        // The process may end before this thread does.
        self.place.clear();
    }
}
