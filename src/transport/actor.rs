//! One thread for one connection: it alone touches the libssh2 session and everything derived from
//! it (facts: ssh.md 3.8, 3.9). The async side sends it work and never waits longer than the limit;
//! what it holds to enforce that is a second handle to the socket, for nothing else can interrupt a
//! call inside libssh2 (3.6). Knows neither files nor commands.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::classify;
use super::far::Far;
use super::hops::Hop;
use super::meter::{self, Meter};
use crate::failure::{Failure, FailureKind};
use crate::time::say;

/// How much later than the thread's own deadline the socket is shut from outside.
const GRACE: Duration = Duration::from_millis(250);
/// How often it is looked whether the peer sends what nobody asked for.
const LOOK: Duration = Duration::from_millis(200);

/// What a connection runs over: TCP, or the near end of a tunnel through a hop.
#[derive(Debug)]
pub(super) enum Socket {
    /// Straight to the host.
    Tcp(TcpStream),
    /// Through a hop.
    Tunnel(UnixStream),
}

impl Socket {
    /// A second handle to the same socket.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(stream) => stream.try_clone().map(Self::Tcp),
            Self::Tunnel(stream) => stream.try_clone().map(Self::Tunnel),
        }
    }

    fn shut(&self) {
        // An error means that it is gone already.
        let _ = match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Self::Tunnel(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Tunnel(stream) => stream.as_fd(),
        }
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

/// Ends a connection from any thread, without waiting. For good: a dead session stays dead.
#[derive(Debug)]
pub(super) struct Kill {
    socket: Socket,
    dead: AtomicBool,
    /// Bytes that the thread has taken out of libssh2.
    taken: AtomicU64,
}

impl Kill {
    /// The switch of the connection over `socket`.
    pub(super) fn of(socket: &Socket) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            socket: socket.try_clone()?,
            dead: AtomicBool::new(false),
            taken: AtomicU64::new(0),
        }))
    }

    /// Counts bytes that came out of libssh2, and so are in nobody's way.
    pub(super) fn took(&self, bytes: usize) {
        self.taken.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Shuts the socket: every call blocked on it returns at once, every drop is quick (3.5).
    pub(super) fn pull(&self) {
        self.dead.store(true, Ordering::Release);
        self.socket.shut();
    }

    /// True once pulled.
    pub(super) fn is_pulled(&self) -> bool {
        self.dead.load(Ordering::Acquire)
    }
}

/// Pulls the switch unless told that all went well: also when the future that holds it is dropped.
struct PullOnDrop<'a>(Option<&'a Kill>);

impl Drop for PullOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(kill) = self.0 {
            kill.pull();
        }
    }
}

/// The instant at which an operation has to be over, and how long that was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    at: Instant,
    whole: Duration,
}

impl Deadline {
    /// `whole` from now on.
    pub(super) fn after(whole: Duration) -> Self {
        let now = Instant::now();
        // A span that no clock reaches is a century, not a panic.
        let century = Duration::from_secs(100 * 366 * 86_400);
        let at = now.checked_add(whole.min(century)).unwrap_or(now);
        Self { at, whole }
    }

    /// What is left of it; `None` when nothing is.
    pub(super) fn left(&self) -> Option<Duration> {
        let left = self.at.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// The same end, `time` earlier.
    pub(super) fn less(mut self, time: Duration) -> Self {
        self.at = self.at.checked_sub(time).unwrap_or(self.at);
        self
    }

    /// The whole span, as a person says it.
    pub(super) fn said(&self) -> String {
        say(self.whole)
    }
}

/// Work for the thread.
pub(super) type Job<F = Far> = Box<dyn FnOnce(&mut F) + Send>;

/// The async side's handle of one connection. Dropping it ends the connection and never waits.
pub(super) struct Actor<F = Far> {
    jobs: Mutex<Option<mpsc::Sender<Job<F>>>>,
    kill: Arc<Kill>,
    // One thing at a time: the clock of an operation starts when its turn comes.
    turn: tokio::sync::Mutex<()>,
    meter: Option<Meter>,
    // The hop below lives as long as what runs through it.
    via: Option<Arc<Hop>>,
}

impl<F> Drop for Actor<F> {
    fn drop(&mut self) {
        self.kill.pull();
    }
}

impl<F: 'static> Actor<F> {
    /// Starts the thread, which first runs `begin` and then works off jobs. What `begin` told comes
    /// back; on `Err` the thread ends.
    ///
    /// `begin` is given up, and the socket shut, at the deadline or when this future is dropped;
    /// `late` then words the failure, and may look at what still lies in the socket.
    pub(super) async fn start<T, E>(
        name: &str,
        socket: Socket,
        via: Option<Arc<Hop>>,
        deadline: Deadline,
        begin: impl FnOnce(Socket, Arc<Kill>) -> Result<(F, T), E> + Send + 'static,
        late: impl FnOnce(&Socket) -> E,
    ) -> Result<(Arc<Self>, T), E>
    where
        T: Send + 'static,
        E: From<Failure> + Send + 'static,
    {
        let kill = Kill::of(&socket).map_err(|error| broken(&error))?;
        let mut guard = PullOnDrop(Some(&kill));
        let meter = Meter::of(&socket);
        let (jobs, queue) = mpsc::channel::<Job<F>>();
        let (told, hears) = oneshot::channel();
        let switch = Arc::clone(&kill);
        let thread = move || match begin(socket, switch) {
            Ok((mut far, said)) => {
                if told.send(Ok(said)).is_ok() {
                    while let Ok(job) = queue.recv() {
                        job(&mut far);
                    }
                }
            }
            // Nobody is there to hear it when the wait was given up.
            Err(refused) => drop(told.send(Err(refused))),
        };
        // A mebibyte is ample for libssh2 and OpenSSL, and a thousand of them are only addresses.
        std::thread::Builder::new()
            .name(format!("ssh {name}"))
            .stack_size(1 << 20)
            .spawn(thread)
            .map_err(|error| broken(&error))?;
        let said = match answer(hears, deadline, meter.as_ref(), &kill).await {
            Answer::Said(said) => said?,
            Answer::Vanished => return Err(vanished().into()),
            Answer::Late => return Err(late(&kill.socket)),
            Answer::Flood => return Err(flood(FailureKind::Unreachable, "connecting").into()),
        };
        guard.0 = None;
        drop(guard);
        let actor = Self {
            jobs: Mutex::new(Some(jobs)),
            kill,
            turn: tokio::sync::Mutex::new(()),
            meter,
            via,
        };
        Ok((Arc::new(actor), said))
    }

    /// Runs `job` on the thread and waits for its answer no longer than `time` and a grace period;
    /// after that, or when this future is dropped, the socket is shut and the session is dead.
    pub(super) async fn call<T, E>(
        &self,
        time: Duration,
        what: &str,
        job: impl FnOnce(&mut F, Deadline) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Failure> + Send + 'static,
    {
        let _turn = self.turn.lock().await;
        if self.is_dead() {
            return Err(gone().into());
        }
        let deadline = Deadline::after(time);
        let (told, hears) = oneshot::channel();
        let mut guard = PullOnDrop(Some(&self.kill));
        self.send(Box::new(move |far| drop(told.send(job(far, deadline)))))?;
        match answer(hears, deadline, self.meter.as_ref(), &self.kill).await {
            Answer::Said(answer) => {
                guard.0 = None;
                answer
            }
            Answer::Vanished => Err(vanished().into()),
            Answer::Late => Err(classify::late(what, &deadline).into()),
            Answer::Flood => Err(flood(FailureKind::TooLarge, what).into()),
        }
    }

    /// Queues work that answers by itself.
    pub(super) fn send(&self, job: Job<F>) -> Result<(), Failure> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = jobs.as_ref().map(|jobs| jobs.send(job));
        match sent {
            Some(Ok(())) => Ok(()),
            _ => Err(gone()),
        }
    }

    /// True once the connection has ended.
    pub(super) fn is_dead(&self) -> bool {
        self.kill.is_pulled()
    }

    /// Why the hop that carries this connection was lost, if it was.
    pub(super) fn broken_hop(&self) -> Option<Failure> {
        self.via.as_ref().and_then(|hop| hop.broken())
    }

    /// Takes no more work, and shuts the socket.
    pub(super) fn end(&self) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        drop(jobs.take());
        self.kill.pull();
    }
}

/// What became of a question to the thread.
enum Answer<T> {
    Said(T),
    /// The thread ended without a word.
    Vanished,
    Late,
    /// The peer sends what nobody asked for.
    Flood,
}

async fn answer<T>(
    mut hears: oneshot::Receiver<T>,
    deadline: Deadline,
    meter: Option<&Meter>,
    kill: &Kill,
) -> Answer<T> {
    let left = deadline.left().unwrap_or_default() + GRACE;
    let counts = || {
        let received = meter.and_then(Meter::received);
        received.map(|received| (received, kill.taken.load(Ordering::Relaxed)))
    };
    let begun = counts();
    let listen = async {
        loop {
            match tokio::time::timeout(LOOK, &mut hears).await {
                Ok(Ok(said)) => return Answer::Said(said),
                Ok(Err(_)) => return Answer::Vanished,
                Err(_) => {}
            }
            if let (Some((received, taken)), Some(now)) = (begun, counts())
                && meter::is_flood(now.0 - received.min(now.0), now.1 - taken.min(now.1))
            {
                return Answer::Flood;
            }
        }
    };
    let heard = tokio::time::timeout(left, listen).await;
    heard.unwrap_or(Answer::Late)
}

fn flood(kind: FailureKind, what: &str) -> Failure {
    Failure::new(
        kind,
        format!("only what {what} asked for"),
        "the server sent a flood of something else; the connection was closed",
    )
    .with_hint("no honest server does that: have the host and its sshd looked at")
}

/// The failure of work for a session that has ended.
pub(super) fn gone() -> Failure {
    Failure::new(
        FailureKind::Unreachable,
        "a living session",
        "the session had already ended, by a deadline or a lost connection",
    )
    .with_hint("see the first failure on this host; a new session is opened for the next check")
}

fn vanished() -> Failure {
    Failure::new(
        FailureKind::Undefined,
        "an answer of the session's own thread",
        "the thread ended without one",
    )
    .with_hint("this is a defect of gonogo; please report it with the command line used")
}

fn broken(error: &io::Error) -> Failure {
    Failure::new(
        FailureKind::Undefined,
        "a thread and a socket handle on the runner",
        error.to_string(),
    )
    .with_hint("raise the runner's limits (`ulimit -n`, `ulimit -u`) or run fewer hosts at once")
}
