//! The inventory as meant: what the estate is, who must reach it, and what they must fetch there.
//!
//! `yaml.rs` makes a tree with places of the file, `read/` the inventory as written (`raw.rs`), and
//! `resolve/` the inventory as meant; every problem is named at once. Nothing here reaches the
//! network or knows a step.

mod access;
mod artifact;
mod fields;
mod files;
mod grammar;
mod login;
mod page;
mod placeholder;
mod profile;
mod raw;
mod read;
mod resolve;
mod size;
mod yaml;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use access::below;
pub use access::{
    AgentKey, Answer, AnswerFrom, Auth, Client, Elevate, Family, Login, SshConfig, Transport,
};
pub use artifact::{Artifact, Format, Kind, Pattern, Sample, SampleUnit, Source, Stream};

use crate::digest::Sha256;
use crate::problem::{Place, Problem, Problems};
use page::Page;

/// Largest inventory read, in bytes: over ten times what 100,000 hosts need.
const MOST_BYTES: u64 = 256 << 20;

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
    host_index: HashMap<String, usize>,
    team_index: HashMap<String, usize>,
    instance_index: HashMap<String, usize>,
    logins: login::Logins,
    files: Vec<files::FileUse>,
}

impl Inventory {
    /// Reads the inventory at `path`.
    ///
    /// # Errors
    /// Every problem of the file at once; that it cannot be read is a problem too.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        let whole = |message: String, hint: &str| {
            Problems::from(Problem::new(Place::whole(path), message).with_hint(hint))
        };
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| {
            // A byte more than allowed tells too large from just right.
            file.take(MOST_BYTES + 1).read_to_end(&mut bytes)
        });
        match read {
            Err(error) => Err(whole(
                format!("cannot read the inventory: {error}"),
                "name an inventory file with `-i`",
            )),
            Ok(_) if bytes.len() as u64 > MOST_BYTES => Err(whole(
                "this is too large to be an inventory".into(),
                "name the YAML file itself",
            )),
            Ok(_) => Self::parse(path, bytes),
        }
    }

    /// Reads an inventory from `bytes`; `path` names it in problems, and its folder is what the
    /// relative paths in it start from.
    ///
    /// # Errors
    /// Every problem at once, in the order of the file.
    pub fn parse(path: &Path, bytes: Vec<u8>) -> Result<Self, Problems> {
        let text = utf8(path, &bytes)?;
        let mut page = Page::new(path, text);
        let root = yaml::read(text, &mut page);
        let Some(root) = root.filter(|root| !root.is_null()) else {
            if page.refusals() == 0 {
                let problem = Problem::new(Place::whole(path), "the inventory is empty");
                let hint = "begin with `environment: production` and `hosts:`";
                return Err(problem.with_hint(hint).into());
            }
            return Err(page.into_problems().into());
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        let raw = read::inventory(&mut page, &root, folder);
        let files = files::uses(&raw, &page);
        let resolved = resolve::resolve(raw, &mut page);
        if page.refusals() > 0 {
            return Err(page.into_problems().into());
        }
        let names = resolved.instances.iter().enumerate();
        let instance_index = names
            .map(|(at, instance)| (instance.name.clone(), at))
            .collect();
        Ok(Self {
            path: path.to_owned(),
            digest: Sha256::of(&bytes),
            environment: resolved.environment,
            hosts: resolved.hosts,
            teams: resolved.teams,
            instances: resolved.instances,
            vendors: resolved.vendors,
            products: resolved.products.into_iter().collect(),
            host_index: resolved.host_index,
            team_index: resolved.team_index,
            instance_index,
            logins: resolved.logins,
            files,
            bytes,
        })
    }

    /// The host of that name.
    #[must_use]
    pub fn host(&self, name: &str) -> Option<&Host> {
        self.host_index.get(name).map(|at| &self.hosts[*at])
    }

    /// The team of that name.
    #[must_use]
    pub fn team(&self, name: &str) -> Option<&Team> {
        self.team_index.get(name).map(|at| &self.teams[*at])
    }

    /// The instance of that name.
    #[must_use]
    pub fn instance(&self, name: &str) -> Option<&Instance> {
        self.instance_index.get(name).map(|at| &self.instances[*at])
    }

    /// How `team` logs in to `host`. Exists for every pair of a host that is no mere hop and a team;
    /// made when first asked for.
    #[must_use]
    pub fn login(&self, host: &str, team: &str) -> Option<&Login> {
        let (host, team) = (*self.host_index.get(host)?, *self.team_index.get(team)?);
        if self.hosts[host].hop_only {
            return None;
        }
        let name = &self.teams[team].name;
        self.logins
            .login(host, team, &self.hosts, &self.host_index, name)
    }

    /// What is wrong with the files that the inventory names: keys, certificates and known_hosts
    /// that are missing or empty, keys that others can read. Asks the disk, so a run needs it and a
    /// plan does not.
    #[must_use]
    pub fn check_files(&self) -> Vec<Problem> {
        files::check(&self.files)
    }
}

/// The bytes as text, without the byte-order mark that some editors write.
fn utf8<'b>(path: &Path, bytes: &'b [u8]) -> Result<&'b str, Problems> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let line = good.matches('\n').count() + 1;
            let column = good
                .rsplit('\n')
                .next()
                .map_or(0, |last| last.chars().count())
                + 1;
            let problem = Problem::new(Place::new(path, line, column), "not UTF-8 text");
            Err(problem.with_hint("save the file as UTF-8").into())
        }
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
    /// `runner: true`: that host is knowingly the machine that gonogo runs on; without it a host that
    /// turns out to be is a NO-GO.
    pub runner: bool,
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
    /// What can be fetched of it, placeholders filled as for the first of its teams.
    pub artifacts: Vec<Artifact>,
    /// The same for each other team, where some artifact says `{team}`.
    by_team: BTreeMap<String, Vec<Artifact>>,
}

impl Instance {
    /// What that team fetches of it: differs between teams only where an artifact says `{team}`.
    #[must_use]
    pub fn artifacts_for(&self, team: &str) -> &[Artifact] {
        self.by_team.get(team).unwrap_or(&self.artifacts)
    }

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
