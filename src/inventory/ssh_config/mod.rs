//! The operators' own ssh_config(5): read, weighed for a host, and told as what a login needs of it. What
//! it says that cannot be followed is named with its line. Never runs a command and never asks the
//! network; files of this machine are read once, and what was found can be read again from a run.

mod blocks;
mod criteria;
mod file;
mod here;
mod judge;
mod jump;
mod keywords;
mod lex;
mod paths;
mod pattern;
mod record;
mod resolve;
mod tokens;
mod values;
mod weigh;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(super) use file::At;
pub(super) use jump::Jump;
pub(super) use record::Given;
pub(super) use resolve::{Agent, Resolved, Topic};

use crate::problem::{Place, Problem};
use file::{Config, Unread};
use here::Here;

/// Where the inventory names an ssh_config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// As written.
    pub written: String,
    pub path: PathBuf,
}

/// One question to a config; the team is part of it because the answers are kept by team.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Query {
    pub team: usize,
    /// Position of the source.
    pub source: usize,
    /// What one would type after `ssh`.
    pub alias: String,
    /// The account, where the inventory or a jump names one.
    pub user: Option<String>,
    /// The port, likewise; only tokens ask for it.
    pub port: Option<u16>,
}

/// The answers that a run has kept: `(team, source)` to the text of a small ssh_config.
pub type Recorded = BTreeMap<(usize, usize), Vec<u8>>;

/// Every ssh_config of an inventory, and what they said so far.
#[derive(Clone, Debug)]
pub(super) struct Configs {
    sources: Vec<Source>,
    here: Here,
    /// By source.
    read: Vec<Arc<Config>>,
    /// By team and source, in place of `read`.
    recorded: Option<BTreeMap<(usize, usize), Arc<Config>>>,
    said: Arc<Mutex<BTreeMap<Query, Arc<Resolved>>>>,
}

impl Default for Configs {
    fn default() -> Self {
        Self {
            sources: Vec::new(),
            here: Here::nowhere(),
            read: Vec::new(),
            recorded: None,
            said: Arc::default(),
        }
    }
}

impl Configs {
    /// Reads the files; each source comes with the problem to tell when it cannot be read at all, and
    /// what is wrong is handed to `refuse`.
    pub fn read(
        sources: Vec<(Source, Problem)>,
        recorded: Option<&Recorded>,
        mut refuse: impl FnMut(Problem),
    ) -> Self {
        if sources.is_empty() {
            return Self::default();
        }
        let mut configs = Self {
            here: match recorded {
                None => Here::found(),
                Some(_) => Here::nowhere(),
            },
            ..Self::default()
        };
        if let Some(recorded) = recorded {
            let kept = |(key, bytes): (&(usize, usize), &Vec<u8>)| {
                let text = String::from_utf8_lossy(bytes);
                let config = file::parse(Path::new("inputs"), &text, None);
                let config = config.unwrap_or_else(|unread| {
                    tell(
                        unread,
                        &Problem::new(Place::whole(Path::new("inputs")), ""),
                        &mut refuse,
                    );
                    Config::default()
                });
                (*key, Arc::new(config))
            };
            configs.recorded = Some(recorded.iter().map(kept).collect());
        } else {
            for (source, place) in &sources {
                let read = file::load(&source.path, &configs.here);
                let read = read.unwrap_or_else(|unread| {
                    tell(unread, place, &mut refuse);
                    Config::default()
                });
                configs.read.push(Arc::new(read));
            }
        }
        configs.sources = sources.into_iter().map(|(source, _)| source).collect();
        configs
    }

    /// The position of the source that is written so.
    pub fn position(&self, written: &str) -> Option<usize> {
        self.sources
            .iter()
            .position(|source| source.written == written)
    }

    pub fn source(&self, at: usize) -> Option<&Source> {
        self.sources.get(at)
    }

    /// The account that gonogo runs as: whom ssh(1) logs in as when nothing names an account.
    pub fn local_user(&self) -> &str {
        &self.here.user
    }

    /// What the config says; asked once.
    pub fn ask(&self, query: &Query) -> Arc<Resolved> {
        if let Some(known) = self.said().get(query) {
            return Arc::clone(known);
        }
        let nothing = Config::default();
        let key = (query.team, query.source);
        let config = match &self.recorded {
            Some(recorded) => recorded.get(&key).map(Arc::as_ref),
            None => self.read.get(query.source).map(Arc::as_ref),
        };
        let resolved = resolve::resolve(config.unwrap_or(&nothing), query, &self.here);
        let resolved = Arc::new(resolved);
        self.said().insert(query.clone(), Arc::clone(&resolved));
        resolved
    }

    /// Everything said so far as small ssh_configs, by team and source, with nothing of hosts that
    /// nobody asked about.
    pub fn record(&self, given: impl Fn(usize) -> Given) -> Recorded {
        let said = self.said();
        let mut by_key: BTreeMap<(usize, usize), Vec<(&Query, &Resolved)>> = BTreeMap::new();
        for (query, resolved) in said.iter() {
            let key = (query.team, query.source);
            by_key.entry(key).or_default().push((query, resolved));
        }
        let text = |((team, source), said): ((usize, usize), Vec<_>)| {
            let written = self
                .sources
                .get(source)
                .map_or("", |source| &source.written);
            let text = record::text(written, &said, given(team), &self.here.user);
            ((team, source), text.into_bytes())
        };
        by_key.into_iter().map(text).collect()
    }

    fn said(&self) -> MutexGuard<'_, BTreeMap<Query, Arc<Resolved>>> {
        // Each change is one insert: a panic elsewhere leaves nothing half done.
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an empty config says.
#[cfg(test)]
pub(super) fn resolved_for_tests() -> Resolved {
    let query = Query {
        team: 0,
        source: 0,
        alias: "a".into(),
        user: None,
        port: None,
    };
    resolve::resolve(&Config::default(), &query, &Here::nowhere())
}

fn tell(unread: Unread, place: &Problem, refuse: &mut impl FnMut(Problem)) {
    match unread {
        Unread::File(message) => {
            let mut problem = place.clone();
            problem.message = message;
            refuse(problem);
        }
        Unread::Lines(problems) => problems.into_iter().for_each(refuse),
    }
}
