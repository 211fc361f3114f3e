//! What a run will use on each host with each login: the list that `gonogo plan` prints and that the
//! run's guard enforces.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::{Check, Planned};
use crate::inventory::{Elevate, Inventory, Login, Transport};
use crate::problem::Problem;
use crate::steps::statistics::fresh;
use crate::steps::{
    CLOCK_COMMAND, HOSTNAME_COMMAND, HOSTNAME_FILE, Known, MACHINE_ID_FILE, Touch, at_the_door,
};
use crate::transport::{Command, Gathering};

/// One login on one host.
#[derive(Clone, Debug, PartialEq)]
pub struct Visit {
    /// Key of the host.
    pub host: String,
    /// Key of the team.
    pub team: String,
    /// How it gets there.
    pub login: Arc<Login>,
    /// What its checks use there, sorted, by `sudo` where the login is elevated; nothing else will be.
    pub touches: BTreeSet<Touch>,
    /// What proves at each login that it is the right host, and what a step asks about the host: as the
    /// account itself, never by `sudo`.
    pub identity: Arc<BTreeSet<Touch>>,
}

impl Visit {
    /// A visit that only looks around: `touches` as the login is elevated, `own` as the account itself,
    /// beside what proves that it is the right host.
    #[must_use]
    pub fn looking(
        login: &Login,
        team: &str,
        touches: BTreeSet<Touch>,
        own: BTreeSet<Touch>,
    ) -> Self {
        let mut identity = identity(login);
        identity.extend(own);
        Self {
            host: login.host.clone(),
            team: team.to_owned(),
            login: Arc::new(login.clone()),
            touches,
            identity: Arc::new(identity),
        }
    }

    /// Every command line as it reaches the host: elevated where the login is, and with those that read
    /// files where SFTP cannot (`stat`, `find`, `head`). A pattern stands for each file that it matches,
    /// `SIZE` for the size that the file has when it is read.
    #[must_use]
    pub fn commands(&self) -> BTreeSet<String> {
        self.planned().iter().map(Planned::line).collect()
    }

    /// The same commands, word by word.
    #[must_use]
    pub fn planned(&self) -> BTreeSet<Planned> {
        let mut planned = self.at_once();
        planned.extend(self.after_denial());
        planned
    }

    /// Those among [`Self::planned`] that do not wait for a denial. Some may be looked at again after one.
    #[must_use]
    pub fn at_once(&self) -> BTreeSet<Planned> {
        let by_command = self.login.transport == Transport::Exec;
        let own = commands(&self.identity, &Elevate::None, by_command);
        let elevate = &self.login.elevate;
        own.chain(commands(&self.touches, elevate, self.reads_by_command()))
            .chain(self.gatherings().iter().map(Planned::gathering))
            .collect()
    }

    /// What may be read together by one command, where the login consents to that.
    #[must_use]
    pub fn gatherings(&self) -> Vec<Gathering> {
        if !self.login.gathers() {
            return Vec::new();
        }
        let reads = |pattern: String| self.touches.contains(&Touch::Read(pattern));
        let beside = ["-wal", "-journal"];
        let one = |pattern: &str| {
            let is_beside = |end: &&str| {
                pattern
                    .strip_suffix(*end)
                    .is_some_and(|path| reads(path.to_owned()))
            };
            if fresh(pattern).is_some() || beside.iter().any(is_beside) {
                return None;
            }
            match beside.iter().all(|end| reads(format!("{pattern}{end}"))) {
                true => Gathering::database(pattern),
                false => Gathering::set(pattern),
            }
        };
        let read = self.touches.iter().filter_map(|touch| match touch {
            Touch::Read(pattern) => one(pattern),
            _ => None,
        });
        [at_the_door(&self.login)].into_iter().chain(read).collect()
    }

    /// Those among [`Self::planned`] that are used only after the host has denied a path or a program,
    /// or has not found the program, to learn why: as the login account, whatever is elevated.
    #[must_use]
    pub fn after_denial(&self) -> BTreeSet<Planned> {
        if self.login.transport == Transport::Sftp {
            return BTreeSet::new();
        }
        let paths = self.touches.iter().filter_map(|touch| match touch {
            // What gonogo itself has made denies it nothing that could be explained.
            Touch::Read(pattern) if fresh(pattern).is_some() => None,
            Touch::Read(pattern) | Touch::List(pattern) => Some(pattern.as_str()),
            Touch::Execute(words) => words.first().map(String::as_str),
            Touch::Get(_) | Touch::Write(_) => None,
        });
        paths
            .filter(|path| path.starts_with('/'))
            .flat_map(|path| Planned::trail(&self.login.elevate, path))
            .collect()
    }

    /// Those among [`Self::planned`] that write, each with what permits it.
    #[must_use]
    pub fn writing(&self) -> BTreeMap<Planned, String> {
        let mut writing = BTreeMap::new();
        for touch in &self.touches {
            if let Touch::Write(writes) = touch {
                for planned in Planned::writing(writes) {
                    let planned = planned.elevated(&self.login.elevate);
                    writing.insert(planned, writes.permission());
                }
            }
        }
        writing
    }

    /// What comes on top where the server gives this login no SFTP, although it would be used.
    #[must_use]
    pub fn planned_without_sftp(&self) -> BTreeSet<Planned> {
        if self.login.transport != Transport::Auto {
            return BTreeSet::new();
        }
        let own = commands(&self.identity, &Elevate::None, true);
        let all: BTreeSet<Planned> = own
            .chain(commands(&self.touches, &self.login.elevate, true))
            .collect();
        all.difference(&self.planned()).cloned().collect()
    }

    /// Every file or pattern that is read.
    #[must_use]
    pub fn patterns(&self) -> BTreeSet<&str> {
        let touches = self.touches.iter().chain(&*self.identity);
        let patterns = touches.filter_map(|touch| match touch {
            Touch::Read(pattern) => Some(pattern.as_str()),
            Touch::Execute(_) | Touch::List(_) | Touch::Get(_) | Touch::Write(_) => None,
        });
        patterns.collect()
    }

    /// Every pattern whose files are listed and not opened.
    #[must_use]
    pub fn listed(&self) -> BTreeSet<&str> {
        let listed = self.touches.iter().filter_map(|touch| match touch {
            Touch::List(pattern) => Some(pattern.as_str()),
            Touch::Execute(_) | Touch::Read(_) | Touch::Get(_) | Touch::Write(_) => None,
        });
        listed.collect()
    }

    /// Every URL that is asked for.
    #[must_use]
    pub fn urls(&self) -> BTreeSet<&str> {
        let urls = self.touches.iter().filter_map(|touch| match touch {
            Touch::Get(url) => Some(url.as_str()),
            Touch::Execute(_) | Touch::Read(_) | Touch::List(_) | Touch::Write(_) => None,
        });
        urls.collect()
    }

    /// Whether files are read by commands: without SFTP, or with `sudo`.
    #[must_use]
    pub fn reads_by_command(&self) -> bool {
        self.login.transport == Transport::Exec || self.login.elevate != Elevate::None
    }
}

fn commands(
    touches: &BTreeSet<Touch>,
    elevate: &Elevate,
    reads_by_command: bool,
) -> impl Iterator<Item = Planned> {
    let planned = touches.iter().flat_map(move |touch| match touch {
        Touch::Execute(words) => vec![Planned::exact(Command(words.clone()))],
        Touch::Read(pattern) if reads_by_command => Planned::reading(pattern),
        Touch::List(pattern) if reads_by_command => Planned::listing(pattern),
        Touch::Write(writes) => Planned::writing(writes).collect(),
        Touch::Read(_) | Touch::List(_) | Touch::Get(_) => Vec::new(),
    });
    planned.map(move |planned| planned.elevated(elevate))
}

pub(super) fn visits(inventory: &Inventory, checks: &[Check]) -> Result<Vec<Visit>, Vec<Problem>> {
    /// What one login uses.
    struct Used<'c> {
        host: &'c str,
        team: &'c str,
        touches: BTreeSet<Touch>,
        /// As the account itself, whatever is elevated.
        own: BTreeSet<Touch>,
        known: Known<'c>,
    }
    let mut used: Vec<Used<'_>> = Vec::new();
    let mut places: HashMap<(&str, &str), usize> = HashMap::new();
    for check in checks {
        let (Some(host), Some(team)) = (&check.subject.host, &check.subject.team) else {
            continue;
        };
        if !check.steps.iter().any(|step| step.call.needs_session()) {
            continue;
        }
        let at = *places.entry((host, team)).or_insert_with(|| {
            used.push(Used {
                host,
                team,
                touches: BTreeSet::new(),
                own: BTreeSet::new(),
                known: Known::default(),
            });
            used.len() - 1
        });
        let used = &mut used[at];
        for step in &check.steps {
            let set = match step.call.is_as_itself() {
                true => &mut used.own,
                false => &mut used.touches,
            };
            step.call
                .touch(&check.subject, inventory, &mut used.known, set);
        }
    }
    let refused = used
        .iter()
        .flat_map(|used| inventory.refusals(used.host, used.team));
    let refused: Vec<Problem> = refused.cloned().collect();
    // Nearly all accounts see the same files under the same names.
    let mut identities: HashMap<bool, Arc<BTreeSet<Touch>>> = HashMap::new();
    let visit = |used: Used<'_>| {
        let login = inventory.shared_login(used.host, used.team)?;
        let is_usual = used.own.is_empty() && login.chroot.is_none();
        let identity = match is_usual {
            true => identities
                .entry(login.transport == Transport::Sftp)
                .or_insert_with(|| Arc::new(identity(&login)))
                .clone(),
            false => {
                let mut identity = identity(&login);
                identity.extend(used.own);
                Arc::new(identity)
            }
        };
        Some(Visit {
            host: used.host.to_owned(),
            team: used.team.to_owned(),
            login,
            touches: used.touches,
            identity,
        })
    };
    let visits = used.into_iter().filter_map(visit).collect();
    match refused.is_empty() {
        true => Ok(visits),
        false => Err(refused),
    }
}

/// Every host is asked who it is, and what time it has.
fn identity(login: &Login) -> BTreeSet<Touch> {
    // A shut-in account has files of these names only if somebody put copies there.
    let files = [MACHINE_ID_FILE, HOSTNAME_FILE].map(|file| Touch::Read(login.on_host(file)));
    let mut touches = BTreeSet::from(files);
    if login.transport != Transport::Sftp {
        for command in [HOSTNAME_COMMAND, CLOCK_COMMAND] {
            let words = command.iter().map(|&word| word.to_owned());
            touches.insert(Touch::Execute(words.collect()));
        }
    }
    touches
}
