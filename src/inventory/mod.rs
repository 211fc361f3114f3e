//! The inventory as meant: what the estate is, who must reach it, and what they must fetch there.
//!
//! `yaml.rs` makes a tree with places of the file, `read/` the inventory as written (`raw.rs`), and
//! `resolve/` the inventory as meant; every problem is named at once. Nothing here reaches the
//! network or knows a step.

mod access;
mod artifact;
pub mod controls;
mod discover;
mod email;
mod expression;
mod fields;
mod files;
mod follow;
mod forbidden;
mod gather;
mod grammar;
mod login;
pub mod mask;
mod never;
mod offer;
mod page;
mod phone;
mod placeholder;
pub mod policy;
mod profile;
mod raw;
mod read;
pub mod redaction_rules;
mod resolve;
mod size;
mod ssh_config;
pub mod template;
mod url;
mod vendor;
pub mod waivers;
mod yaml;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use access::below;
pub use access::{
    AgentKey, Answer, AnswerFrom, Auth, Client, Elevate, Family, Login, SshConfig, Transport,
};
pub use artifact::{
    About, Artifact, Condition, ConfigurationKeys, Encoding, Entry, EntryForm, Finding, Format,
    Get, Kind, LogKeys, Pattern, Retention, Sample, SampleUnit, Source, StatisticsKeys, Stream,
    Take, TimeForm, Zone,
};
pub use gather::Gather;

pub use url::Url;
pub use vendor::{
    Announced, Application, Channel, Contact, Contract, Coverage, Drill, Fresh, HolidayFile,
    Intake, IntakeTo, Level, Link, Means, Monitoring, OutOfHours, OutageLog, PageKind, ProcessTest,
    Proven, StatusPage, Submission, Subscription, Vendor, Windows,
};

use crate::digest::Sha256;
pub use crate::probe::DropLogin;
use crate::problem::{Place, Problem, Problems};
pub use discover::{Discover, From, Process, Tell, To};
pub use forbidden::{Never, Refusal};
use page::Page;
use profile::Profiles;
pub use profile::{PROFILE_END, Shipped, shipped, shipped_text};
use resolve::Index;
use template::{TEMPLATE_END, Template};

/// Largest inventory read, in bytes: over ten times what 100,000 hosts need.
const MOST_BYTES: u64 = 256 << 20;

/// Reads a size as `max_bytes` is written.
///
/// # Errors
/// What to write instead.
pub fn parse_size(text: &str) -> Result<u64, String> {
    size::parse(text).map_err(|_| size::HINT.to_owned())
}

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
    /// Every vendor, in file order.
    pub vendors: Vec<Vendor>,
    /// Product name → vendor name, where one is given.
    pub products: BTreeMap<String, Option<String>>,
    host_index: Index,
    team_index: Index,
    instance_index: Index,
    logins: login::Logins,
    files: Vec<files::FileUse>,
    profiles: Profiles,
    never: Never,
    /// Product → the `profile:` that it names.
    chosen: Vec<(String, String)>,
}

impl Inventory {
    /// Reads the inventory at `path`.
    ///
    /// # Errors
    /// Every problem of the file at once; that it cannot be read is a problem too.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        Self::load_with(path, false)
    }

    /// The same for whoever is about to connect: where it is refused, what is wrong with the files that it names
    /// ([`Inventory::check_files`]) is told with the rest.
    ///
    /// # Errors
    /// As [`Inventory::load`].
    pub fn load_to_connect(path: &Path) -> Result<Self, Problems> {
        Self::load_with(path, true)
    }

    fn load_with(path: &Path, to_connect: bool) -> Result<Self, Problems> {
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
            Ok(_) => Self::parse_with(path, bytes, None, to_connect),
        }
    }

    /// Reads an inventory from `bytes`; `path` names it in problems, and its folder is what the
    /// relative paths in it start from.
    ///
    /// # Errors
    /// Every problem at once, in the order of the file.
    pub fn parse(path: &Path, bytes: Vec<u8>) -> Result<Self, Problems> {
        Self::parse_with(path, bytes, None, false)
    }

    /// The same from what a run has kept: what its ssh_configs and its profiles said is in `records`, by
    /// the names that [`Inventory::records`] gave, and neither an ssh_config nor a profile of this
    /// machine is read.
    ///
    /// # Errors
    /// As [`Inventory::parse`].
    pub fn parse_recorded(
        path: &Path,
        bytes: Vec<u8>,
        records: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Self, Problems> {
        Self::parse_with(path, bytes, Some(records), false)
    }

    fn parse_with(
        path: &Path,
        bytes: Vec<u8>,
        records: Option<&BTreeMap<String, Vec<u8>>>,
        to_connect: bool,
    ) -> Result<Self, Problems> {
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
        let raw = read::inventory(&mut page, &root, folder, records);
        let files = files::uses(&raw, &page);
        let configs = configs(&raw, &mut page, records);
        let profiles = Profiles::read(&mut page, &raw, folder, records);
        // What a run on record did was permitted on its day; reading it again runs nothing.
        let never = match records {
            None => profiles.never(),
            Some(_) => Never::default(),
        };
        let chosen = raw.products.iter().filter_map(|product| {
            let chosen = product.profile.as_ref()?;
            Some((product.name.value.clone(), chosen.value.clone()))
        });
        let chosen = chosen.collect();
        let mut resolved = resolve::resolve(raw, &mut page, configs, &profiles, &never);
        templates(path, &mut resolved.vendors, records);
        if page.refusals() > 0 {
            let mut problems = page.into_problems();
            if to_connect {
                problems.extend(files::check(&files));
            }
            return Err(problems.into());
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
            profiles,
            never,
            chosen,
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

    /// The vendor of that name.
    #[must_use]
    pub fn vendor(&self, name: &str) -> Option<&Vendor> {
        self.vendors.iter().find(|vendor| vendor.name == name)
    }

    /// The instance of that name.
    #[must_use]
    pub fn instance(&self, name: &str) -> Option<&Instance> {
        self.instance_index.get(name).map(|at| &self.instances[*at])
    }

    /// How `team` logs in to `host`. Exists for every pair of a host that is no mere hop and a team,
    /// unless [`Inventory::refusals`] says why not; made when first asked for.
    #[must_use]
    pub fn login(&self, host: &str, team: &str) -> Option<&Login> {
        self.made(host, team)?.ok().map(Arc::as_ref)
    }

    /// The same to be kept: every visit of a plan has one.
    #[must_use]
    pub fn shared_login(&self, host: &str, team: &str) -> Option<Arc<Login>> {
        self.made(host, team)?.ok().cloned()
    }

    /// Why `team` cannot log in to `host` as the operators' own ssh_config has it.
    #[must_use]
    pub fn refusals(&self, host: &str, team: &str) -> &[Problem] {
        let made = self.made(host, team);
        made.and_then(Result::err).unwrap_or_default()
    }

    fn made(&self, host: &str, team: &str) -> Option<Result<&Arc<Login>, &[Problem]>> {
        let (host, team) = (*self.host_index.get(host)?, *self.team_index.get(team)?);
        if self.hosts[host].hop_only {
            return None;
        }
        let name = &self.teams[team].name;
        let (hosts, index) = (&self.hosts, &self.host_index);
        Some(self.logins.login(host, team, hosts, index, name))
    }

    /// What stands elsewhere than in the inventory and was used so far, by name, to be kept with a run:
    /// what the operators' own ssh_configs said, as small ssh_configs, and the text of each profile, request
    /// template and file of holidays.
    #[must_use]
    pub fn records(&self) -> BTreeMap<String, Vec<u8>> {
        let said = self.logins.configs().record(|team| self.logins.given(team));
        let named = said.into_iter().map(|((team, source), text)| {
            let name = &self.teams[team].name;
            (record_name(team, name, source), text)
        });
        let profiles = self.profiles.texts();
        let profiles = profiles.map(|(name, text)| (name.to_owned(), text.to_vec()));
        let vendors = self.vendors.iter().enumerate();
        let templates = vendors.filter_map(|(at, vendor)| {
            let text = vendor.request_template.as_ref()?.text.as_ref().ok()?;
            Some((template_name(at, &vendor.name), text.clone().into_bytes()))
        });
        let holidays = (self.vendors.iter())
            .flat_map(|vendor| &vendor.holiday_files)
            .map(|file| (file.record.clone(), file.bytes.clone()));
        named
            .chain(profiles)
            .chain(templates)
            .chain(holidays)
            .collect()
    }

    /// How each product is known among the processes of a host.
    #[must_use]
    pub fn discoveries(&self) -> Vec<Discover> {
        self.profiles.discoveries(|profile| {
            let mut chosen = self.chosen.iter();
            let found = chosen.find(|(_, chosen)| chosen == profile);
            found.map(|(product, _)| product.clone())
        })
    }

    /// What is never run and never asked for on its hosts.
    #[must_use]
    pub const fn never(&self) -> &Never {
        &self.never
    }

    /// What is wrong with the files that the inventory names: keys, certificates and known_hosts
    /// that are missing or empty, keys that others can read. Asks the disk, so a run needs it and a
    /// plan does not.
    #[must_use]
    pub fn check_files(&self) -> Vec<Problem> {
        let mut problems = files::check(&self.files);
        problems.extend(self.logins.made().flat_map(files::check_followed));
        Problems::new(problems).into_vec()
    }
}

/// Whether a file of a run is what stood elsewhere than in its inventory: [`Inventory::records`].
#[must_use]
pub fn is_record(name: &str) -> bool {
    let ends = [RECORD_END, PROFILE_END, TEMPLATE_END];
    let mut ends = ends.iter().chain(&HOLIDAYS_END);
    ends.any(|end| name.ends_with(end))
}

/// How the names of files of holidays in [`Inventory::records`] end.
pub use read::HOLIDAYS_END;

/// How the names of the ssh_configs in [`Inventory::records`] end.
pub const RECORD_END: &str = ".ssh_config";

/// `vendor-1-60east.request.txt`, as with ssh_configs.
fn template_name(vendor: usize, name: &str) -> String {
    format!("vendor-{}-{}{TEMPLATE_END}", vendor + 1, portable(name))
}

/// Reads the templates that vendors name, or takes what a run has kept of them.
fn templates(
    inventory: &Path,
    vendors: &mut [Vendor],
    records: Option<&BTreeMap<String, Vec<u8>>>,
) {
    for (at, vendor) in vendors.iter_mut().enumerate() {
        if let Some(template) = &mut vendor.request_template {
            let path = std::mem::take(&mut template.path);
            *template = match records {
                None => Template::read(path),
                Some(records) => {
                    let name = template_name(at, &vendor.name);
                    let kept = records.get(&name);
                    // Where a reader of the run finds it.
                    Template::kept(inventory.with_file_name(name), kept)
                }
            };
        }
    }
}

/// `team-1-operations.ssh_config`; the numbers keep names apart that look alike in ASCII.
fn record_name(team: usize, name: &str, source: usize) -> String {
    let name = portable(name);
    let more = match source {
        0 => String::new(),
        source => format!(".{}", source + 1),
    };
    format!("team-{}-{name}{more}{RECORD_END}", team + 1)
}

fn portable(name: &str) -> String {
    let portable = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    name.chars().take(40).map(portable).collect()
}

/// Every ssh_config that some level names, read or taken from what a run has kept.
fn configs(
    raw: &raw::Raw,
    page: &mut Page<'_>,
    records: Option<&BTreeMap<String, Vec<u8>>>,
) -> ssh_config::Configs {
    let teams = raw.teams.iter().map(|team| &team.access);
    let hosts = raw.hosts.iter().map(|host| &host.access);
    let levels = std::iter::once(&raw.ssh).chain(teams).chain(hosts);
    let mut sources: Vec<(ssh_config::Source, Problem)> = Vec::new();
    for named in levels.filter_map(|level| level.ssh_config.as_ref()) {
        let Some(source) = &named.value else { continue };
        if sources.iter().any(|(known, _)| known == source) {
            continue;
        }
        let mut problem = Problem::new(page.place(named.at), "");
        problem.line = page.line(named.at);
        let hint =
            "name the file that you use with `ssh -F FILE HOST`: yours, and writable by you alone";
        sources.push((source.clone(), problem.with_hint(hint)));
    }
    let recorded = records.map(|records| {
        let pairs =
            (0..raw.teams.len()).flat_map(|team| (0..sources.len()).map(move |of| (team, of)));
        let kept = pairs.filter_map(|(team, source)| {
            let name = record_name(team, &raw.teams[team].name.value, source);
            Some(((team, source), records.get(&name)?.clone()))
        });
        kept.collect()
    });
    ssh_config::Configs::read(sources, recorded.as_ref(), |problem| page.add(problem))
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
    /// `timezone:`: the zone of logs whose times state none.
    pub timezone: Option<String>,
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
