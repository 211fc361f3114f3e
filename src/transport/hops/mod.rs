//! Through a hop to the next hosts: one connection to the hop, one forwarded channel for each session
//! behind it, each carried to a socket pair whose near end is the inner connection's socket (facts:
//! ssh.md, ProxyJump (a)). The hop's own login and host key are as strict as any; nothing is executed
//! on a hop. Which sessions share a hop is `ways.rs`.

mod lane;
mod mux;
mod order;
pub(super) mod refusal;

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, eventfd};
use tokio::sync::oneshot;

use super::actor::{Actor, Socket};
use super::far::Far;
use super::{Crossed, Greeting};
use crate::failure::{Failure, FailureKind};
use crate::inventory::Login;
use crate::time::say;
use order::{Answer, Order, PATIENCE};

/// How much longer than its thread the async side waits: a net, not the clock.
const GRACE: Duration = Duration::from_secs(1);

/// One connection to a hop. Dropping the last handle ends it, and never waits.
pub(super) struct Hop {
    orders: Mutex<mpsc::Sender<Order>>,
    shared: Arc<Shared>,
    crossed: Vec<Crossed>,
    // Dropped last: its end is what the loop ends by.
    actor: Arc<Actor>,
}

/// What an asked-for way came to, if not to a refusal.
pub(super) enum Way {
    /// The socket of the next connection.
    Open(Socket),
    /// The hop is busy with another open: better take another connection to it.
    Busy,
    /// The connection to the hop had ended.
    Lost(Failure),
}

/// What the loop and its handles both see.
struct Shared {
    hop: Login,
    /// Wakes the loop.
    bell: OwnedFd,
    /// The open under way takes long.
    slow: AtomicBool,
    /// No channel may be opened on this connection any more.
    retired: AtomicBool,
    lost: OnceLock<Failure>,
}

impl Hop {
    /// Makes the logged-in connection behind `actor` a hop.
    ///
    /// # Errors
    /// `undefined` when the runner is out of files.
    pub(super) fn new(
        actor: Arc<Actor>,
        login: &Login,
        mut greeting: Greeting,
    ) -> Result<Arc<Self>, Failure> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(|error| {
            Failure::new(
                FailureKind::Undefined,
                "a file handle on the runner",
                error.to_string(),
            )
            .with_hint("raise the runner's limits (`ulimit -n`) or run fewer hosts at once")
        })?;
        let shared = Arc::new(Shared {
            hop: login.clone(),
            bell,
            slow: AtomicBool::new(false),
            retired: AtomicBool::new(false),
            lost: OnceLock::new(),
        });
        let (orders, inbox) = mpsc::channel();
        let seen = Arc::clone(&shared);
        actor.send(Box::new(move |far: &mut Far| {
            mux::carry(far, &seen, inbox);
        }))?;
        let own = Crossed::new(login, &greeting);
        greeting.crossed.push(own);
        Ok(Arc::new(Self {
            orders: Mutex::new(orders),
            shared,
            crossed: greeting.crossed,
            actor,
        }))
    }

    /// A way to `next`. The time counts from when its turn has come: one open at a time. One that is
    /// not `patient` is told when that would take long.
    ///
    /// # Errors
    /// `unreachable`, in the name of the hop.
    pub(super) async fn open(
        &self,
        next: &Login,
        time: Duration,
        patient: bool,
    ) -> Result<Way, Failure> {
        let hop = &self.shared.hop;
        let (answer, hears) = oneshot::channel();
        let order = Order {
            address: next.address.clone(),
            port: next.port,
            time,
            patient,
            since: Instant::now(),
            answer: Some(answer),
        };
        let sent = {
            let orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
            orders.send(order)
        };
        self.shared.ring();
        let most = time.saturating_mul(2) + PATIENCE + GRACE;
        let answer = match sent {
            Ok(()) => tokio::time::timeout(most, hears).await,
            Err(_) => return Ok(Way::Lost(self.lost())),
        };
        match answer {
            Ok(Ok(Answer::Open(near))) => Ok(Way::Open(Socket::Tunnel(near))),
            Ok(Ok(Answer::Busy)) if patient => Err(refusal::crowded(hop, next)),
            Ok(Ok(Answer::Busy)) => Ok(Way::Busy),
            Ok(Ok(Answer::Refused(error))) => Err(refusal::refused(hop, next, &error)),
            Ok(Ok(Answer::Ours(error))) => Err(refusal::ours(hop, next, &error)),
            Ok(Ok(Answer::Late(waited))) => Err(refusal::late(hop, next, &say(waited))),
            Err(_) => Err(refusal::late(hop, next, &say(most))),
            Ok(Err(_)) => Ok(Way::Lost(self.lost())),
        }
    }

    /// The hops up to this one, with it, and the keys that they showed.
    pub(super) fn crossed(&self) -> Vec<Crossed> {
        self.crossed.clone()
    }

    /// True when a new session had better look for another connection.
    pub(super) fn is_busy(&self) -> bool {
        self.shared.slow.load(Ordering::Acquire) || self.shared.is_retired()
    }

    /// True when no way leads through it any more.
    pub(super) fn is_dead(&self) -> bool {
        self.actor.is_dead() || self.shared.lost.get().is_some()
    }

    /// The hop that was lost under this one, or this one itself: the nearest to the runner.
    pub(super) fn broken(&self) -> Option<Failure> {
        self.actor
            .broken_hop()
            .or_else(|| self.shared.lost.get().cloned())
    }

    fn lost(&self) -> Failure {
        let gone = || {
            let error = ssh2::Error::from_errno(ssh2::ErrorCode::Session(
                libssh2_sys::LIBSSH2_ERROR_SOCKET_DISCONNECT,
            ));
            refusal::lost(&self.shared.hop, &error)
        };
        self.broken().unwrap_or_else(gone)
    }
}

impl Drop for Hop {
    fn drop(&mut self) {
        self.actor.end();
        self.shared.ring();
    }
}

impl Shared {
    fn ring(&self) {
        // A bell that is rung already needs no second ring.
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }

    fn hush(&self) {
        let _ = rustix::io::read(&self.bell, &mut [0_u8; 8]);
    }

    fn set_slow(&self, slow: bool) {
        self.slow.store(slow, Ordering::Release);
    }

    fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    fn lose(&self, error: &ssh2::Error) {
        let _ = self.lost.set(refusal::lost(&self.hop, error));
    }
}
