//! A lab of real `sshd`s: every host with its own loopback address, port, host key and, when run as
//! root, its own mount, UTS and PID namespace, so that several loopback hosts are several machines.
//! Without root every host logs in the current user on one machine, and the inventory says so.
//!
//! Nothing outside the lab's own temporary directory is changed: accounts, machine-id and sudoers
//! exist only inside the namespaces. Dropping the lab kills every process that it started.

mod account;
mod amps;
mod balancer;
mod client;
mod cutter;
mod gonogo;
mod host;
mod inventory;
mod machine;
pub mod products;
mod run;
mod sabotage;
mod snapshot;
mod statistics;
mod watched;

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

pub use account::{Account, MARKET_DATA, OPERATIONS, SERVICE, is_root, needs_root};
pub use amps::{Amps, BANNER};
pub use balancer::Balancer;
pub use cutter::{Cutter, Wire};
pub use gonogo::GONOGO;
pub use host::{Host, HostBuilder};
pub use inventory::{FEATURE, FOUR};
pub use run::Run;
pub use snapshot::snapshot;
pub use watched::{Watched, watched};

/// Hosts, instances and the operator's own files, all below one temporary directory.
pub struct Lab {
    // Dropped in this order: writers and servers before the directory they live in.
    instances: RefCell<Vec<Rc<Amps>>>,
    hosts: RefCell<Vec<Rc<Host>>>,
    runs: RefCell<u32>,
    root: tempfile::TempDir,
}

impl Lab {
    /// An empty lab with the operator's keys: one for signing, one for each team.
    pub fn new() -> Self {
        let root = tempfile::Builder::new()
            .prefix("gonogo-lab-")
            .tempdir()
            .unwrap();
        // Target accounts must be able to walk through to what is theirs.
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let lab = Self {
            instances: RefCell::default(),
            hosts: RefCell::default(),
            runs: RefCell::new(0),
            root,
        };
        for private in ["operator", "operator/keys", "operator/tmp"] {
            fs::create_dir(lab.path(private)).unwrap();
            fs::set_permissions(lab.path(private), fs::Permissions::from_mode(0o700)).unwrap();
        }
        for key in ["signer", OPERATIONS.team, MARKET_DATA.team] {
            keygen(&lab.path("operator/keys").join(key), "lab@gonogo");
        }
        let public = fs::read_to_string(lab.path("operator/keys/signer.pub")).unwrap();
        fs::write(
            lab.path("operator/allowed_signers"),
            format!("lab@gonogo namespaces=\"gonogo-report@gonogo\" {public}"),
        )
        .unwrap();
        lab
    }

    /// A path inside the lab.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.path().join(relative)
    }

    /// The operator's directory: inventory, features, keys, runs. gonogo runs there.
    pub fn operator(&self) -> PathBuf {
        self.path("operator")
    }

    /// Begins a host; nothing runs before [`HostBuilder::start`].
    pub fn host(&self, name: &str) -> HostBuilder<'_> {
        HostBuilder::new(self, name)
    }

    /// The instance of that name, installed before.
    pub fn instance(&self, name: &str) -> Rc<Amps> {
        let instances = self.instances.borrow();
        let mut found = instances.iter().filter(|one| one.name == name);
        found.next().unwrap().clone()
    }

    /// A healthy AMPS-like instance on `host`, its statistics written live, fetched by operations.
    pub fn amps(&self, name: &str, host: &Host) -> Rc<Amps> {
        let instance = Rc::new(Amps::install(name, host));
        self.instances.borrow_mut().push(Rc::clone(&instance));
        instance
    }
}

/// An ed25519 key pair without passphrase at `path` and `path.pub`.
pub fn keygen(path: &Path, comment: &str) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f"])
        .arg(path)
        .output()
        .expect("ssh-keygen is installed");
    assert!(made.status.success(), "{made:?}");
}

/// Longer than anything takes that keeps a deadline of a few seconds on a busy machine, shorter than whatever
/// these tests let hang.
pub const HANG: Duration = Duration::from_secs(15);

/// Polls until `ready` holds; panics with `what` after `most`.
pub fn until(what: &str, most: Duration, mut ready: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !ready() {
        assert!(begun.elapsed() < most, "not within {most:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
