//! A step as meant: what it does, what it needs, and what it will touch on a host.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::statistics::{Road, Writes};
use super::{Subject, configuration, host, journal, listing, log, person, statistics, version};
use crate::inventory::{
    Artifact, Format, Instance, Inventory, Kind, Pattern, Source, Take, Transport, mask,
};
use crate::probe::Question;
use crate::support::Ask;
use crate::text;

/// A bound step.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// Resolved when the plan is made; performing it does nothing.
    Select(Selector),
    /// Reach, prove and log in.
    Connect,
    /// Fetch artifacts.
    Retrieve(Vec<ArtifactName>),
    /// Asks about the version.
    Version(version::Ask),
    /// Asks about a configuration.
    Configuration(ArtifactName, configuration::Ask),
    /// Asks about a log.
    Log(ArtifactName, log::Ask),
    /// Asks about statistics.
    Statistics(ArtifactName, statistics::Ask),
    /// Asks about files that are only listed.
    Listing(ArtifactName, listing::Ask),
    /// Asks about the host.
    Host(host::Ask),
    /// Time of one artifact's retrieval.
    Within(ArtifactName, Duration),
    /// Time of all retrievals.
    AllWithin(Duration),
    /// Asks about a vendor.
    Vendor(Ask),
    /// Run a program.
    Run(Vec<String>),
    /// Exit status 0.
    Succeeds,
    /// Text in the output.
    OutputContains(String),
    /// Pattern in the output.
    OutputMatches(Pattern),
    /// A person's word: never performed.
    Person(person::Ask),
}

/// Which part of the inventory a scenario is crossed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// Instances, narrowed by product and group.
    Instances {
        /// Product.
        product: Option<String>,
        /// Group of the host.
        group: Option<String>,
    },
    /// Each team of the selected instance.
    ResponsibleTeams,
    /// One team by name.
    Team(String),
    /// Hosts, narrowed by group.
    Hosts(Option<String>),
    /// Every team.
    Teams,
    /// Each host that the vendor's `monitoring` names.
    MonitoredFrom,
    /// Every vendor.
    Vendors,
    /// One vendor by name.
    Vendor(String),
}

impl Selector {
    pub(super) fn instances(product: Option<&str>, group: Option<&str>) -> Self {
        Self::Instances {
            product: product.map(str::to_owned),
            group: group.map(str::to_owned),
        }
    }
}

/// How a step names an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArtifactName {
    /// `the version`, `the configuration`, `the event log`, `the statistics database`.
    OfKind(Kind),
    /// `artifact "NAME"`.
    Named(String),
}

impl FromStr for ArtifactName {
    type Err = String;

    fn from_str(words: &str) -> Result<Self, String> {
        Ok(match words {
            "the version" => Self::OfKind(Kind::Version),
            "the configuration" => Self::OfKind(Kind::Configuration),
            "the event log" => Self::OfKind(Kind::Log),
            "the statistics database" => Self::OfKind(Kind::Statistics),
            named => named
                .strip_prefix("artifact \"")
                .and_then(|rest| rest.strip_suffix('"'))
                .map(|name| Self::Named(name.to_owned()))
                .ok_or_else(|| format!("`{named}` names no artifact"))?,
        })
    }
}

impl ArtifactName {
    /// The artifact of `instance` that is meant, as `team` fetches it.
    ///
    /// # Errors
    /// A phrase for the author when the instance has none.
    pub fn find<'a>(
        &self,
        instance: &'a Instance,
        team: Option<&str>,
    ) -> Result<&'a Artifact, String> {
        let artifacts = team.map_or(instance.artifacts.as_slice(), |team| {
            instance.artifacts_for(team)
        });
        match self {
            Self::OfKind(kind) => artifacts
                .iter()
                .find(|artifact| artifact.kind == *kind)
                .ok_or_else(|| {
                    format!(
                        "instance `{}` has no artifact of kind {}",
                        instance.name,
                        kind.as_str()
                    )
                }),
            Self::Named(name) => artifacts
                .iter()
                .find(|artifact| artifact.name == *name)
                .ok_or_else(|| {
                    let meant = text::did_you_mean(
                        name,
                        artifacts.iter().map(|artifact| artifact.name.as_str()),
                    );
                    format!(
                        "instance `{}` has no artifact `{name}` {meant}",
                        instance.name
                    )
                    .trim_end()
                    .to_owned()
                }),
        }
    }
}

/// Something on a host that a call will use; the plan prints it, and the run's guard lets nothing
/// else through.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Touch {
    /// A program with its arguments is executed.
    Execute(Vec<String>),
    /// Files that match the pattern are listed, looked at and read.
    Read(String),
    /// Files that match the pattern are listed, and not opened.
    List(String),
    /// An HTTP GET is sent to this URL, from the host.
    Get(String),
    /// A private copy is made below a directory that the inventory names, read and removed again.
    Write(Writes),
}

impl Call {
    /// The artifacts that the step names; each is fetched if this check has not yet. Some steps are about
    /// more than they name: [`Self::about`].
    fn artifacts(&self) -> &[ArtifactName] {
        match self {
            Self::Retrieve(names) => names,
            Self::Configuration(name, _)
            | Self::Log(name, _)
            | Self::Statistics(name, _)
            | Self::Listing(name, _)
            | Self::Within(name, _) => std::slice::from_ref(name),
            Self::Version(ask) => ask.names(),
            _ => &[],
        }
    }

    /// The artifacts of `instance` that the call is about, as `team` fetches them; what is not there is
    /// left out, for [`Self::validate`] has refused it.
    #[must_use]
    pub fn about<'a>(&self, instance: &'a Instance, team: Option<&str>) -> Vec<&'a Artifact> {
        if let Self::Version(ask) = self {
            return ask.sources(instance, team);
        }
        let names = self.artifacts().iter();
        let mut about: Vec<&Artifact> = names
            .filter_map(|name| name.find(instance, team).ok())
            .collect();
        if let (Self::Log(_, ask), &[log]) = (self, about.as_slice()) {
            about.extend(ask.beside(instance, log, team));
        }
        if let (Self::Statistics(_, ask), &[statistics]) = (self, about.as_slice()) {
            about.extend(ask.beside(instance, statistics, team));
        }
        if let (Self::Configuration(_, ask), &[artifact]) = (self, about.as_slice()) {
            let also = ask.also(artifact);
            about.extend(also.and_then(|name| name.find(instance, team).ok()));
        }
        about
    }

    /// What the call means for this subject, where a phrase of several themes means its artifact's.
    #[must_use]
    pub fn meant_for(self: &Arc<Self>, subject: &Subject, inventory: &Inventory) -> Arc<Self> {
        let Self::Configuration(name, configuration::Ask::BelongsToInstance) = &**self else {
            return Arc::clone(self);
        };
        let instance = subject.instance.as_deref();
        let instance = instance.and_then(|name| inventory.instance(name));
        let kind = instance
            .and_then(|instance| name.find(instance, subject.team.as_deref()).ok())
            .map(|artifact| artifact.kind);
        match kind {
            Some(Kind::Log) => Arc::new(Self::Log(name.clone(), log::Ask::BelongsToInstance)),
            _ => Arc::clone(self),
        }
    }

    /// True when performing it needs a login on a host.
    #[must_use]
    pub fn needs_session(&self) -> bool {
        matches!(
            self,
            Self::Connect | Self::Run(_) | Self::Version(_) | Self::Host(_)
        ) || !self.artifacts().is_empty()
            || matches!(self, Self::Vendor(ask) if ask.is_asked_on_host())
    }

    /// Refuses what can be known to be impossible before connecting.
    ///
    /// # Errors
    /// A phrase for the author of feature or inventory.
    pub fn validate(&self, subject: &Subject, inventory: &Inventory) -> Result<(), String> {
        if self.needs_session() && (subject.host.is_none() || subject.team.is_none()) {
            return Err("this step needs a host and a team: begin the scenario with `Given each instance`, or `Given each host` and `And the \"…\" team`".to_owned());
        }
        if matches!(self, Self::Vendor(_)) && subject.vendor.is_none() {
            return Err("this step needs a vendor: begin the scenario with `Given each vendor`, or `Given the \"…\" vendor`".to_owned());
        }
        if let Self::Vendor(ask) = self
            && ask.is_asked_on_host()
            && self.questions(subject, inventory).is_empty()
        {
            return Err("this host asks nothing of this vendor's: begin with `Given the \"…\" vendor` and `And each host that it is monitored from`, and name the host as `from: [HOST]` below `monitoring`".to_owned());
        }
        if let Self::Host(ask) = self {
            ask.validate(subject, inventory)?;
        }
        if let Self::Version(ask) = self {
            let instance = instance_of(subject, inventory)?;
            ask.validate(instance, subject.team.as_deref())?;
        }
        self.artifacts()
            .iter()
            .try_for_each(|name| self.fits(name, subject, inventory))?;
        self.can_be_sent(subject, inventory)
    }

    /// An account for files only has nobody who could run a command.
    fn can_be_sent(&self, subject: &Subject, inventory: &Inventory) -> Result<(), String> {
        let (Some(host), Some(team)) = (&subject.host, &subject.team) else {
            return Ok(());
        };
        if !self.needs_session() && !matches!(self, Self::Vendor(_)) {
            return Ok(());
        }
        let login = inventory.login(host, team);
        if login.is_none_or(|login| login.transport != Transport::Sftp) {
            return Ok(());
        }
        let touches = self.touches(subject, inventory);
        let writes = touches.iter().find_map(|touch| match touch {
            Touch::Write(writes) => Some(writes),
            _ => None,
        });
        if let Some(writes) = writes {
            return Err(format!(
                "team `{team}` has files only (`transport: sftp`), and `take: {{{}: …}}` of artifact `{}` of instance `{}` makes a copy by commands on the host: write `take: stream` for this team, or have another team do it",
                writes.road.as_str(),
                writes.artifact,
                writes.instance
            ));
        }
        let command = touches.iter().find_map(|touch| match touch {
            Touch::Execute(words) => Some(super::command_line(words)),
            Touch::Read(_) | Touch::List(_) | Touch::Get(_) | Touch::Write(_) => None,
        });
        match command {
            None => Ok(()),
            Some(line) => Err(format!(
                "team `{team}` has files only (`transport: sftp`), and this step needs the command `{line}`: take it from a file (`path:` in place of `command:`), or have another team do it"
            )),
        }
    }

    fn fits(
        &self,
        name: &ArtifactName,
        subject: &Subject,
        inventory: &Inventory,
    ) -> Result<(), String> {
        let instance = instance_of(subject, inventory)?;
        let artifact = name.find(instance, subject.team.as_deref())?;
        if let Self::Listing(..) = self {
            return listing::Ask::validate(instance, artifact);
        }
        if artifact.listing {
            return Err(format!(
                "artifact `{}` of instance `{}` is listed and never opened (`listing: true`), so only `… can be listed` and `… lists no file newer than …` can be asked of it",
                artifact.name, instance.name
            ));
        }
        match self {
            Self::Configuration(_, ask) => ask.validate(instance, artifact),
            Self::Log(_, ask) => ask.validate(instance, artifact),
            Self::Statistics(_, ask) => ask.validate(instance, artifact),
            _ => Ok(()),
        }
    }

    /// Whether what it uses is used as the account itself, never by sudo.
    #[must_use]
    pub const fn is_as_itself(&self) -> bool {
        matches!(self, Self::Host(host::Ask::Known) | Self::Vendor(_))
    }

    /// What the call will ask of the network, by the runner or by the check's host.
    #[must_use]
    pub fn questions(&self, subject: &Subject, inventory: &Inventory) -> Vec<Question> {
        let Self::Vendor(ask) = self else {
            return Vec::new();
        };
        let vendor = subject.vendor.as_deref();
        match vendor.and_then(|name| inventory.vendor(name)) {
            Some(vendor) => ask.questions(vendor, subject.host.as_deref()),
            None => Vec::new(),
        }
    }

    /// What the call will use on the host. Sidecars of a database are included.
    #[must_use]
    pub fn touches(&self, subject: &Subject, inventory: &Inventory) -> Vec<Touch> {
        let mut touches = Vec::new();
        self.touch(subject, inventory, &mut Known::default(), &mut touches);
        touches
    }

    /// The same, added to what is used by the same login already: most steps of a scenario are about the same few
    /// artifacts, and what retrieving one of those in `known` uses is there.
    pub fn touch<'i>(
        &self,
        subject: &Subject,
        inventory: &'i Inventory,
        known: &mut Known<'i>,
        touches: &mut impl Extend<Touch>,
    ) {
        match self {
            Self::Run(words) => {
                return touches.extend([Touch::Execute(words.clone())]);
            }
            Self::Host(ask) => return touches.extend(ask.touches(subject, inventory)),
            Self::Vendor(_) => {
                let questions = self.questions(subject, inventory).into_iter();
                let on_host = questions.filter(|question| question.from.is_some());
                return touches.extend(on_host.map(|one| Touch::Execute(one.words())));
            }
            _ if self.artifacts().is_empty() && !matches!(self, Self::Version(_)) => return,
            _ => {}
        }
        let instance = subject
            .instance
            .as_deref()
            .and_then(|name| inventory.instance(name));
        let Some(instance) = instance else {
            return;
        };
        for artifact in self.about(instance, subject.team.as_deref()) {
            if known.is_new(artifact) {
                touches.extend(touched(instance, artifact));
            }
            match self {
                Self::Configuration(_, ask) => {
                    touches.extend(ask.touches(instance, artifact, subject));
                }
                Self::Log(_, ask) => touches.extend(ask.touches(instance, artifact, subject)),
                _ => {}
            }
        }
    }
}

/// The artifacts of which it is known what retrieving them uses, for one login.
#[derive(Debug, Default)]
pub struct Known<'i>(Vec<&'i Artifact>);

impl<'i> Known<'i> {
    /// By where it stands in the inventory: two that look alike are two. A login has few.
    fn is_new(&mut self, artifact: &'i Artifact) -> bool {
        let is_new = !self.0.iter().any(|one| std::ptr::eq(*one, artifact));
        if is_new {
            self.0.push(artifact);
        }
        is_new
    }
}

fn instance_of<'a>(subject: &Subject, inventory: &'a Inventory) -> Result<&'a Instance, String> {
    let instance = subject.instance.as_deref();
    let instance = instance.and_then(|name| inventory.instance(name));
    let refused = "this step needs an instance: begin the scenario with `Given each instance`";
    instance.ok_or_else(|| refused.to_owned())
}

/// The refusal of a step that `artifact` cannot answer.
pub(super) fn unfit(instance: &Instance, artifact: &Artifact, wanted: &str) -> Result<(), String> {
    Err(format!(
        "artifact `{}` of instance `{}` is not {wanted}",
        artifact.name, instance.name
    ))
}

/// The refusal of a step that compares with what the instance does not state.
pub(super) fn lacks(instance: &Instance, key: &str) -> Result<(), String> {
    Err(format!(
        "instance `{}` has no `expect: {{{key}: …}}` to compare with",
        instance.name
    ))
}

/// What retrieving `artifact` uses on the host.
pub(super) fn touched(instance: &Instance, artifact: &Artifact) -> Vec<Touch> {
    let mut touches = touched_itself(instance, artifact);
    let includes = artifact.configuration.includes.iter().flatten();
    touches.extend(includes.cloned().map(Touch::Read));
    touches
}

fn touched_itself(instance: &Instance, artifact: &Artifact) -> Vec<Touch> {
    match (&artifact.source, artifact.format) {
        (Source::Path(path), _) if artifact.listing => vec![Touch::List(path.clone())],
        (Source::Command(words), _) => vec![Touch::Execute(words.clone())],
        (Source::Path(path), Some(Format::Sqlite)) => {
            let mut touches: Vec<Touch> = ["", "-wal", "-journal"]
                .iter()
                .map(|suffix| Touch::Read(format!("{path}{suffix}")))
                .collect();
            if let Some(writes) = written(instance, artifact, path) {
                if writes.road == Road::VacuumInto {
                    // Looked at only: without it nobody has the database open.
                    touches.push(Touch::Read(format!("{path}-shm")));
                }
                touches.push(Touch::Execute(writes.room()));
                touches.extend(writes.copies().into_iter().map(Touch::Read));
                touches.push(Touch::Write(writes));
            }
            touches
        }
        (Source::Path(path), _) => vec![Touch::Read(path.clone())],
        (Source::Mask(mask), _) => vec![Touch::Read(mask::pattern(mask))],
        (Source::Journal(unit), _) => vec![Touch::Execute(journal::words(unit))],
        (Source::Http(get), _) => vec![Touch::Get(get.url.clone())],
    }
}

/// The copy on the host that `take:` of a database permits.
pub(super) fn written(instance: &Instance, artifact: &Artifact, path: &str) -> Option<Writes> {
    let (directory, road) = match artifact.statistics.take.as_ref()? {
        Take::Stream => return None,
        Take::Copy(directory) => (directory, Road::Copy),
        Take::VacuumInto(directory) => (directory, Road::VacuumInto),
    };
    Some(Writes {
        artifact: artifact.name.clone(),
        instance: instance.name.clone(),
        database: path.to_owned(),
        directory: directory.clone(),
        road,
    })
}
