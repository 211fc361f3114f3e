//! The inventory as meant: what the estate is, who must reach it, and what they must fetch there.
//!
//! `raw.rs` holds it as written, `resolve.rs` turns one into the other and names every problem at
//! once. Nothing here reaches the network or knows a step.

mod access;
mod artifact;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

pub use access::{Auth, Client, Elevate, Login, Transport};
pub use artifact::{Artifact, Format, Kind, Pattern, Sample, SampleUnit, Source, Stream};

use crate::digest::Sha256;

/// A whole inventory, every reference resolved and every placeholder filled.
///
/// Lists keep the order of the file: it is the order of the plan and of the report.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// The file as the user named it.
    pub path: PathBuf,
    /// Its bytes as read, copied into the run's `inputs/`.
    pub bytes: Vec<u8>,
    /// SHA-256 of `bytes`.
    pub digest: Sha256,
    /// `production`, `staging` …
    pub environment: String,
    /// Every host, hops included.
    pub hosts: Vec<Host>,
    /// Every team.
    pub teams: Vec<Team>,
    /// Every instance, its artifacts resolved.
    pub instances: Vec<Instance>,
    /// Names of the vendors, in file order.
    pub vendors: Vec<String>,
    /// Product name → vendor name, where one is given.
    pub products: BTreeMap<String, Option<String>>,
    /// One login for each host and team that may meet: (host, team) → login.
    pub logins: HashMap<(String, String), Login>,
}

impl Inventory {
    /// The host of that name.
    #[must_use]
    pub fn host(&self, name: &str) -> Option<&Host> {
        self.hosts.iter().find(|host| host.name == name)
    }

    /// The team of that name.
    #[must_use]
    pub fn team(&self, name: &str) -> Option<&Team> {
        self.teams.iter().find(|team| team.name == name)
    }

    /// The instance of that name.
    #[must_use]
    pub fn instance(&self, name: &str) -> Option<&Instance> {
        self.instances.iter().find(|instance| instance.name == name)
    }

    /// How `team` logs in to `host`. Exists for every pair of a host that is no mere hop and a team.
    #[must_use]
    pub fn login(&self, host: &str, team: &str) -> Option<&Login> {
        self.logins.get(&(host.to_owned(), team.to_owned()))
    }
}

/// A server that instances run on, or a hop on the way there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its key in `hosts:`.
    pub name: String,
    /// Name or IP address to connect to.
    pub address: String,
    /// TCP port.
    pub port: u16,
    /// Groups that selectors can name (`on group "ny4"`).
    pub groups: Vec<String>,
    /// Used as a hop by some host and carrying no instance: not selected by `each host`.
    pub hop_only: bool,
    /// What the host must say of itself.
    pub identity: Identity,
    /// `machine: NAME`: hosts that name the same machine are knowingly one; without it two hosts
    /// that turn out to be one machine are a NO-GO (contract 5).
    pub machine: Option<String>,
}

/// What a host must say of itself; what is `None` is recorded, not judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Expected output of `hostname` (or content of `/etc/hostname` without a shell).
    pub hostname: Option<String>,
    /// Expected content of `/etc/machine-id` (machine-id(5)).
    pub machine_id: Option<String>,
}

/// Who must be able to fetch artifacts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// Its key in `teams:`.
    pub name: String,
}

/// One running copy of a product on a host.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// Its key in `instances:`.
    pub name: String,
    /// The product's key.
    pub product: String,
    /// The product's vendor, when one is given.
    pub vendor: Option<String>,
    /// The host's key.
    pub host: String,
    /// Teams responsible, the first of them the default.
    pub teams: Vec<String>,
    /// Values for placeholders.
    pub vars: BTreeMap<String, String>,
    /// `expect.version`.
    pub expect_version: Option<String>,
    /// `expect.name`.
    pub expect_name: Option<String>,
    /// What can be fetched of it, placeholders filled.
    pub artifacts: Vec<Artifact>,
}

impl Instance {
    /// The artifact of that name.
    #[must_use]
    pub fn artifact(&self, name: &str) -> Option<&Artifact> {
        self.artifacts.iter().find(|artifact| artifact.name == name)
    }

    /// The first artifact of that kind; names come before order only in the steps that name one.
    #[must_use]
    pub fn artifact_of(&self, kind: Kind) -> Option<&Artifact> {
        self.artifacts.iter().find(|artifact| artifact.kind == kind)
    }
}
