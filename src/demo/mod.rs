//! The practice estate behind `gonogo demo`: production-like hosts behind real SSH and SFTP, and what their
//! vendors have on the network, on loopback and inside this process. Everything a real run uses is real:
//! inventory, known_hosts, keys, features, connections. Only the estate is made up. [`Break`] plants one thing that is wrong.
//!
//! Commands run through this machine's `/bin/sh` as this process's own user, with the few paths of the
//! made-up host replaced as text (`rewrite.rs`): no sandbox, and for a peer that holds the keys of a
//! private directory only. What an account may not read it may not read over SFTP; a command sees all
//! that this process's user sees. Nothing here runs a check or judges one.

mod breaks;
mod disk;
mod draft;
mod exec;
mod fault;
mod fleet;
mod keys;
mod ledger;
mod live;
mod log;
mod owned;
mod plant;
mod rehearsal;
mod rewrite;
mod root;
mod server;
mod sftp;
mod statistics;
mod vendor_side;
mod vendors;
mod written;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

pub use breaks::{Break, Target, UnknownBreak};
pub use fault::EstateFault;
pub use ledger::{Act, Request};
pub use rehearsal::PEOPLE;

use crate::inventory::template::SHIPPED;
use crate::time;
use draft::{Answer, Draft, HostDraft};
use ledger::Ledger;
use live::{Living, Pulse};
use server::Served;

/// Identity of the practice signer: the comment of its key and its name in `allowed_signers`.
pub const SIGNER: &str = "demo@gonogo";

const SIGNING_KEY: &str = "keys/gonogo-demo";

/// A running practice estate. Dropping it stops every server and every command, and removes its
/// directory.
pub struct Estate {
    // Dropped in this order: nothing writes any more when the directory goes.
    pulse: Option<Pulse>,
    runtime: Option<Runtime>,
    stopped: CancellationToken,
    ledger: Arc<Ledger>,
    // Bound and not listening: the port stays refused and stays ours.
    _closed: Vec<TcpSocket>,
    directory: PathBuf,
    inventory: PathBuf,
    go_live: jiff::Timestamp,
    allowed_signers: PathBuf,
    signing_key: PathBuf,
    _temporary: TempDir,
}

/// Builds the estate, plants `fault` in it, and opens it.
///
/// # Errors
/// When this machine has no room for it: temporary directory, loopback ports, threads, randomness.
pub async fn start(fault: Option<Break>) -> Result<Estate, EstateFault> {
    let built = tokio::task::spawn_blocking(move || open(fault)).await;
    built.map_err(|_| EstateFault::Lost)?
}

impl Estate {
    /// `inventory.yaml`: what to give to `plan` and `run`. It holds no secret.
    #[must_use]
    pub fn inventory(&self) -> &Path {
        &self.inventory
    }

    /// When the practice estate is to go live: what to give to `run --go-live`.
    #[must_use]
    pub fn go_live(&self) -> jiff::Timestamp {
        self.go_live
    }

    /// `allowed_signers`: what to give to `verify`.
    #[must_use]
    pub fn allowed_signers(&self) -> &Path {
        &self.allowed_signers
    }

    /// The OpenSSH private key that signs the practice run; its comment is [`SIGNER`].
    #[must_use]
    pub fn signing_key(&self) -> &Path {
        &self.signing_key
    }

    /// Where the practice vendor keeps what was handed over, and by which way each came.
    #[must_use]
    pub fn handed_over(&self) -> Vec<(PathBuf, &'static str)> {
        let at = |(folder, way)| (self.directory.join(folder), way);
        vendor_side::TAKEN.map(at).into()
    }

    /// The estate's private directory; it holds also `known_hosts`, `keys/` and `hosts/`.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Every request so far, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.ledger.read()
    }

    /// How many SFTP requests wanted to change something. All were refused; gonogo must send none.
    #[must_use]
    pub fn write_requests(&self) -> usize {
        let requests = self.ledger.read();
        requests
            .iter()
            .filter(|request| request.act == Act::Write)
            .count()
    }
}

impl Drop for Estate {
    fn drop(&mut self) {
        self.stopped.cancel();
        self.pulse = None;
        // On a thread of its own: a runtime may not be waited for inside another. Waiting matters,
        // because the end of its tasks is the end of the commands they run.
        if let Some(runtime) = self.runtime.take() {
            let ending =
                std::thread::spawn(move || runtime.shutdown_timeout(Duration::from_secs(2)));
            let _panicked = ending.join();
        }
    }
}

fn open(fault: Option<Break>) -> Result<Estate, EstateFault> {
    let private = std::fs::Permissions::from_mode(0o700);
    let temporary = tempfile::Builder::new()
        .prefix("gonogo-demo-")
        .permissions(private)
        .tempdir();
    let temporary = temporary.map_err(EstateFault::disk("make", &std::env::temp_dir()))?;
    // Links on the way (as /tmp has on some machines) would not match what commands print.
    let directory = temporary.path().canonicalize();
    let directory = directory.map_err(EstateFault::disk("find", temporary.path()))?;
    if !is_plain(&directory) {
        return Err(EstateFault::Path(directory));
    }

    let keys_at = directory.join("keys");
    std::fs::create_dir(&keys_at).map_err(EstateFault::disk("make", &keys_at))?;
    let mut accounts = BTreeMap::new();
    for team in &fleet::TEAMS {
        let key = keys::make(&format!("{}@practice", team.name))?;
        keys::write(&key, &keys_at.join(team.name))?;
        accounts.insert(team.user, key.public_key().key_data().clone());
    }
    let signer = keys::make(SIGNER)?;
    keys::write(&signer, &directory.join(SIGNING_KEY))?;
    let signers = written::allowed_signers(SIGNER, &keys::line(&signer)?);
    disk::write(&directory.join("allowed_signers"), &signers)?;

    let now = time::now();
    let mut draft = draft::build(&directory, &accounts, now)?;
    if let Some(fault) = fault {
        plant::plant(&mut draft, fault, now)?;
    }
    for host in &draft.hosts {
        owned::write(&host.root, host.quirks.denied.as_ref())?;
    }
    inhabit(temporary, directory, draft, now)
}

/// True for a path that means itself inside any shell command, quoted or not.
fn is_plain(path: &Path) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    path.to_str().is_some_and(|path| path.chars().all(plain))
}

/// Opens the doors and starts the pulse.
fn inhabit(
    temporary: TempDir,
    directory: PathBuf,
    draft: Draft,
    now: jiff::Timestamp,
) -> Result<Estate, EstateFault> {
    // A runtime of its own: the estate answers even while a client blocks the caller's.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("estate")
        .enable_all()
        .build()
        .map_err(EstateFault::Runtime)?;
    let ledger = Arc::new(Ledger::default());
    let stopped = CancellationToken::new();
    let mut closed = Vec::new();
    let mut entries = Vec::new();
    for host in draft.hosts {
        let entry = |port| written::Entry {
            host: host.about,
            port,
            key: host.stated_key.clone(),
            machine_id: host.stated_machine.clone(),
        };
        let (socket, port) = {
            let _inside = runtime.enter();
            bind().map_err(EstateFault::Port)?
        };
        entries.push(entry(port));
        if host.answer == Answer::Closed {
            closed.push(socket);
            continue;
        }
        let listener = {
            let _inside = runtime.enter();
            socket.listen(128).map_err(EstateFault::Port)?
        };
        admit(&runtime, listener, host, &ledger, &stopped);
    }
    disk::write(
        &directory.join("known_hosts"),
        &written::known_hosts(&entries),
    )?;
    let places = draft.side.open(&runtime, &directory, &ledger, &stopped)?;
    disk::write(
        &directory.join("inventory.yaml"),
        &written::inventory(&entries, &draft.says, &places, now),
    )?;
    disk::write(&directory.join("60east-request.txt"), SHIPPED)?;

    let living = draft.instances.into_iter().map(|instance| Living {
        log: instance.log.map(|scribe| (instance.home.log(), scribe)),
        statistics: instance.statistics,
        sampled: instance.sampled,
    });
    let pulse = Pulse::start(living.collect()).map_err(EstateFault::Runtime)?;
    Ok(Estate {
        pulse: Some(pulse),
        runtime: Some(runtime),
        stopped,
        ledger,
        _closed: closed,
        inventory: directory.join("inventory.yaml"),
        go_live: vendors::go_live(now),
        allowed_signers: directory.join("allowed_signers"),
        signing_key: directory.join(SIGNING_KEY),
        directory,
        _temporary: temporary,
    })
}

fn bind() -> std::io::Result<(TcpSocket, u16)> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let port = socket.local_addr()?.port();
    Ok((socket, port))
}

fn admit(
    runtime: &Runtime,
    listener: TcpListener,
    host: HostDraft,
    ledger: &Arc<Ledger>,
    stopped: &CancellationToken,
) {
    match host.answer {
        Answer::Silent => {
            runtime.spawn(async move {
                let mut held = Vec::new();
                while let Ok((connection, _)) = listener.accept().await {
                    held.push(connection);
                }
            });
        }
        _ => {
            let served = Served {
                name: host.about.name,
                root: root::Root::new(host.root),
                accounts: host.accounts,
                quirks: host.quirks,
                takes: None,
                ledger: Arc::clone(ledger),
                stopped: stopped.clone(),
            };
            runtime.spawn(server::serve(listener, host.key, Arc::new(served)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn opens_and_goes_inside_a_runtime_of_the_callers() {
        let estate = start(None).await.unwrap();
        let directory = estate.directory().to_owned();
        for file in [
            estate.inventory(),
            estate.allowed_signers(),
            estate.signing_key(),
        ] {
            assert!(
                file.starts_with(&directory) && file.is_file(),
                "{}",
                file.display()
            );
        }
        assert_eq!((estate.write_requests(), estate.requests().len()), (0, 0));
        drop(estate);
        assert!(!directory.exists());
    }

    #[test]
    fn only_plain_paths_go_into_commands() {
        assert!(is_plain(Path::new("/tmp/gonogo-demo-aB3_x.y")));
        for path in [
            "/tmp/o'brien",
            "/tmp/a b",
            "/tmp/$HOME",
            "/tmp/a;b",
            "/tmp/\u{e9}",
        ] {
            assert!(!is_plain(Path::new(path)), "{path}");
        }
    }
}
