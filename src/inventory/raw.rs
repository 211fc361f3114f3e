//! The inventory as written: every value with its place, references not followed, placeholders not
//! filled, defaults not applied. `read/` fills it, `resolve/` makes an inventory of it.

use std::path::PathBuf;
use std::time::Duration;

use super::access::{AgentKey, Answer, Client, Elevate, Transport};
use super::artifact::{
    About, ConfigurationKeys, Format, Get, Kind, LogKeys, Pattern, SampleUnit, StatisticsKeys,
    Stream,
};
use super::gather::Gather;
use super::page::{Mark, Spanned, Text};
use super::placeholder::Template;
use super::ssh_config::Source;

/// The whole file.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub environment: Option<Text>,
    /// Where `ssh:` stands, when it does.
    pub ssh_at: Option<Mark>,
    pub ssh: Access,
    pub hosts: Vec<Host>,
    pub teams: Vec<Team>,
    pub products: Vec<Product>,
    pub instances: Vec<Instance>,
    pub vendors: Vec<Vendor>,
    pub unread: Unread,
}

/// Sections that were no mapping, so that a reference into them is nobody's mistake.
#[derive(Debug, Default)]
pub(super) struct Unread {
    pub hosts: bool,
    pub teams: bool,
    pub products: bool,
    pub vendors: bool,
}

/// The keys that `ssh:`, a team and a host share.
#[derive(Clone, Debug, Default)]
pub(super) struct Access {
    pub user: Option<Text>,
    pub port: Option<Spanned<u16>>,
    pub known_hosts: Option<Spanned<Vec<Spanned<PathBuf>>>>,
    pub host_key: Option<Text>,
    pub via: Option<Spanned<Vec<Text>>>,
    pub connect_timeout: Option<Spanned<Duration>>,
    pub deadline: Option<Spanned<Duration>>,
    pub clock_tolerance: Option<Spanned<Duration>>,
    pub max_bytes: Option<Spanned<u64>>,
    pub key: Option<Spanned<PathBuf>>,
    /// `None` inside is `false`.
    pub agent: Option<Spanned<Option<AgentKey>>>,
    pub certificate: Option<Spanned<PathBuf>>,
    pub passphrase_env: Option<Text>,
    pub keyboard_interactive: Option<Spanned<Vec<Answer>>>,
    pub password_env: Option<Text>,
    pub elevate: Option<Spanned<Elevate>>,
    pub transport: Option<Spanned<Transport>>,
    pub gather: Option<Spanned<Gather>>,
    pub client: Option<Spanned<Client>>,
    pub chroot: Option<Text>,
    /// `None` inside for `ssh_config: none`.
    pub ssh_config: Option<Spanned<Option<Source>>>,
    /// Something in it was refused: what seems missing may only be misspelt.
    pub refused: bool,
    /// How much was refused that says nothing of who logs in by what proof.
    pub unrelated: usize,
}

/// One key of `hosts:`. What is `None` without being optional has been refused.
#[derive(Debug)]
pub(super) struct Host {
    pub name: Text,
    pub address: Option<Text>,
    pub groups: Vec<Text>,
    pub hostname: Option<Text>,
    pub machine_id: Option<Text>,
    pub machine: Option<Text>,
    pub runner: Option<Spanned<bool>>,
    pub timezone: Option<Text>,
    pub access: Access,
}

impl Host {
    /// A host that says nothing yet.
    pub fn named(name: Text) -> Self {
        Self {
            name,
            address: None,
            groups: Vec::new(),
            hostname: None,
            machine_id: None,
            machine: None,
            runner: None,
            timezone: None,
            access: Access::default(),
        }
    }
}

/// One key of `teams:`.
#[derive(Debug)]
pub(super) struct Team {
    pub name: Text,
    pub access: Access,
}

/// One key of `vendors:`: it says nothing that a profile or a default could change, so that it is read as
/// meant, but for what it refers to.
#[derive(Debug)]
pub(super) struct Vendor {
    pub name: Text,
    pub vendor: super::vendor::Vendor,
    pub refers: Vec<Reference>,
    /// Files of the runner that it names: keys, files of certificates, and of public OpenPGP keys.
    pub keys: Vec<Spanned<PathBuf>>,
    pub cas: Vec<Spanned<PathBuf>>,
    pub openpgp: Vec<Spanned<PathBuf>>,
    /// Something in its contract, hours or applications was refused, or a key that may have been meant for them: what
    /// seems missing may only be misspelt.
    pub unread: bool,
    /// The same of its contacts.
    pub contacts_unread: bool,
}

/// A name that must stand elsewhere.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    pub to: Refers,
    pub text: Text,
}

/// Where a name must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refers {
    /// `contacts:` of the same vendor.
    Contact,
    /// `severities:` of its contract.
    Severity,
    /// `instances:` or `products:`.
    Application,
    /// `teams:`.
    Team,
    /// `hosts:`.
    Host,
}

/// One key of `products:`.
#[derive(Debug)]
pub(super) struct Product {
    pub name: Text,
    pub profile: Option<Text>,
    pub vendor: Option<Text>,
    pub artifacts: Vec<Artifact>,
}

impl Product {
    /// A product that says nothing yet.
    pub fn named(name: Text) -> Self {
        Self {
            name,
            profile: None,
            vendor: None,
            artifacts: Vec::new(),
        }
    }
}

/// One key of an `artifacts:`; at first what one level says, after merging what all say.
#[derive(Clone, Debug)]
pub(super) struct Artifact {
    pub name: Text,
    pub kind: Option<Spanned<Kind>>,
    pub command: Option<Spanned<Vec<Template>>>,
    pub path: Option<Template>,
    pub mask: Option<Template>,
    pub journal: Option<Template>,
    pub http: Option<Get<Template>>,
    /// Where the `ca` of `http` stands.
    pub ca_at: Option<Mark>,
    pub format: Option<Spanned<Format>>,
    pub pattern: Option<Spanned<Pattern>>,
    pub stream: Option<Spanned<Stream>>,
    pub tables: Option<Spanned<Vec<Text>>>,
    pub sample: Option<Spanned<Sample>>,
    pub reject: Option<Spanned<Vec<Pattern>>>,
    pub listing: Option<Spanned<bool>>,
    pub log: LogKeys<Template>,
    pub statistics: StatisticsKeys<Template>,
    pub configuration: ConfigurationKeys<Template>,
    pub about: About,
    /// Where the keys of `log`, `statistics` and `configuration` stand.
    pub themed: Vec<(Theme, &'static str, Mark)>,
    /// Something in it was refused: what seems missing may only be misspelt.
    pub refused: bool,
}

/// Which kind of artifact a key is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Theme {
    Log,
    Statistics,
    Configuration,
}

impl Artifact {
    /// Every text of it that has placeholders.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        let command = self.command.iter().flat_map(|command| &command.value);
        (command.chain(&self.path).chain(&self.mask))
            .chain(&self.journal)
            .chain(self.http.iter().map(|get| &get.url))
            .chain(self.log.texts())
            .chain(self.statistics.texts())
            .chain(self.configuration.texts())
    }

    /// Whether it says where it comes from.
    pub fn has_source(&self) -> bool {
        self.command.is_some()
            || self.path.is_some()
            || self.mask.is_some()
            || self.journal.is_some()
            || self.http.is_some()
    }

    /// An artifact that says nothing yet.
    pub fn named(name: Text) -> Self {
        Self {
            name,
            kind: None,
            command: None,
            path: None,
            mask: None,
            journal: None,
            http: None,
            ca_at: None,
            format: None,
            pattern: None,
            stream: None,
            tables: None,
            sample: None,
            reject: None,
            listing: None,
            log: LogKeys::none(),
            statistics: StatisticsKeys::none(),
            configuration: ConfigurationKeys::none(),
            about: About::default(),
            themed: Vec::new(),
            refused: false,
        }
    }
}

/// `sample:` of an artifact.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub table: String,
    pub column: String,
    pub unit: SampleUnit,
}

/// One key of `instances:`.
#[derive(Debug)]
pub(super) struct Instance {
    pub name: Text,
    pub product: Option<Text>,
    pub host: Option<Text>,
    pub teams: Vec<Text>,
    pub vars: Vec<(Text, Text)>,
    pub expect_version: Option<Text>,
    pub expect_name: Option<Text>,
    pub artifacts: Vec<Artifact>,
}
