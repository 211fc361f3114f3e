//! The world of one check while it runs: whom it is about, what it has fetched, what it has seen.
//! Built by the run, one for each check; what is left in it goes into the report.

use std::sync::Arc;
use std::time::Instant;

use futures::future::BoxFuture;

use super::configuration::Links;
use super::retrieve::Fetched;
use super::statistics::Debts;
use super::{Keep, Seen, Subject};
use crate::evidence::host_facts::{Disk, HostFacts};
use crate::evidence::transcript::Transcript;
use crate::evidence::{Content, Evidence};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, Instance, Inventory, Login};
use crate::probe::Probe;
use crate::support::Moment;
use crate::time;
use crate::transport::{Limits, Output, Session};

/// The way to the check's host: opens the lane's one session on first use, and a new one when a
/// deadline has killed it. A login that was refused is not tried again.
pub trait Door: Send + Sync {
    /// The session, connected and proven to lead to the host that the inventory means.
    fn session(&self) -> BoxFuture<'_, Result<Arc<dyn Session>, Failure>>;
    /// The login it stands for.
    fn login(&self) -> &Login;
    /// What this login has put on the host and must remove again; nothing where nobody could.
    fn debts(&self) -> Option<&Debts> {
        None
    }
    /// True when it gave no session, or gives none any more.
    fn is_shut(&self) -> bool {
        false
    }
    /// What the host said of itself to the logins so far.
    fn seen(&self) -> Seen {
        Seen::default()
    }
}

/// Why a step stops its check.
#[derive(Debug)]
pub enum Stop {
    /// The world is not as it must be.
    Failure(Failure),
    /// gonogo itself could not go on, such as a full local disk: no statement about the world.
    Fault(String),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// An artifact that this check has fetched.
pub(super) struct Retrieved {
    pub artifact: Artifact,
    /// Each file with what its reader found, or why it could make nothing of it.
    pub files: Vec<Fetched>,
    /// Which of them include which.
    pub links: Links,
}

/// One check's world.
pub struct World {
    pub(super) subject: Subject,
    pub(super) inventory: Arc<Inventory>,
    pub(super) door: Option<Arc<dyn Door>>,
    pub(super) deadline: Instant,
    pub(super) keep: Option<Arc<Keep>>,
    pub(super) retrieved: Vec<Retrieved>,
    pub(super) output: Option<(Vec<String>, Output)>,
    /// What a step learnt of the host.
    pub facts: Option<HostFacts>,
    /// File systems whose free space a step judged, in order.
    pub disks: Vec<Disk>,
    /// What was asked of the network, in order.
    pub probes: Vec<Probe>,
    /// The times that steps about a vendor are judged by.
    pub(super) moment: Option<Moment>,
    /// What happened, redacted as it is written.
    pub transcript: Transcript,
}

impl World {
    /// The world of a check that must end by `deadline`.
    #[must_use]
    pub fn new(
        subject: Subject,
        inventory: Arc<Inventory>,
        door: Option<Arc<dyn Door>>,
        deadline: Instant,
        keep: Option<Arc<Keep>>,
        transcript: Transcript,
    ) -> Self {
        let (retrieved, output) = (Vec::new(), None);
        Self {
            subject,
            inventory,
            door,
            deadline,
            keep,
            retrieved,
            output,
            facts: None,
            disks: Vec::new(),
            probes: Vec::new(),
            moment: None,
            transcript,
        }
    }

    /// The same in a run of those times.
    #[must_use]
    pub fn at(self, moment: Moment) -> Self {
        Self {
            moment: Some(moment),
            ..self
        }
    }

    /// What was retrieved so far, in order.
    #[must_use]
    pub fn evidence(&self) -> Vec<Evidence> {
        self.retrieved
            .iter()
            .flat_map(|set| &set.files)
            // The settings themselves and the times of all samples stay here: a run has many checks, and the report
            // quotes none.
            .map(|(file, content)| match (content, &file.content) {
                (Ok(Content::Settings(found)), _) => Evidence {
                    content: Content::Settings(Box::new(found.summary())),
                    ..file.clone()
                },
                (_, Content::Database(seen)) => Evidence {
                    content: Content::Database(Box::new(seen.summary())),
                    ..file.clone()
                },
                _ => file.clone(),
            })
            .collect()
    }

    pub(super) fn login(&self) -> Result<&Login, Stop> {
        match &self.door {
            Some(door) => Ok(door.login()),
            None => Err(undefined("a host and a team", "a check without a login").into()),
        }
    }

    pub(super) async fn session(&self) -> Result<Arc<dyn Session>, Stop> {
        match &self.door {
            Some(door) => Ok(door.session().await?),
            None => Err(undefined("a host and a team", "a check without a login").into()),
        }
    }

    pub(super) fn instance(&self) -> Result<&Instance, Stop> {
        let name = self.subject.instance.as_deref();
        let found = name.and_then(|name| self.inventory.instance(name));
        found.ok_or_else(|| undefined("an instance", "a check without one").into())
    }

    /// The zone of the instance's host, where the inventory states one.
    pub(super) fn timezone(&self) -> Option<&str> {
        let host = self.instance().ok().map(|instance| instance.host.as_str());
        let host = host.and_then(|host| self.inventory.host(host));
        host.and_then(|host| host.timezone.as_deref())
    }

    /// What is left of the check's deadline, and the cap for one artifact.
    pub(super) fn limits(&self) -> Result<Limits, Stop> {
        let login = self.login()?;
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(deadline_passed(login).into());
        }
        Ok(Limits {
            time: left,
            bytes: login.max_bytes,
        })
    }
}

/// The failure of a check that ran out of time.
#[must_use]
pub fn deadline_passed(login: &Login) -> Failure {
    Failure::new(
        FailureKind::Timeout,
        format!("the check to end within its deadline of {}", time::say(login.deadline)),
        "the deadline passed",
    )
    .with_hint("find out what is slow or hangs on this host; if it is only large, raise `deadline` for the host or the team")
    .with_login(&login.host, &login.user)
}

// The plan validates every call, so this is a defect of gonogo if it ever shows.
fn undefined(expected: &str, actual: &str) -> Failure {
    Failure::new(FailureKind::Undefined, expected, actual)
        .with_hint("the plan should have refused this: please report it as a defect of gonogo")
}
