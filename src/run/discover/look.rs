//! Asking the host. Each stage goes through a guard that knows exactly what that stage may do.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::PROCESSES;
use crate::evidence::Content;
use crate::evidence::reader::Reader as _;
use crate::evidence::settings::Settings;
use crate::evidence::settings::reader::{CAP, Parsed};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Discover, Inventory, Login, Process, Transport};
use crate::plan::Visit;
use crate::run::door::{LaneDoor, Registry};
use crate::steps::{Door as _, Touch};
use crate::transport::{Command, Keyring, Limits, Session, Span, Ways};

/// Most instances looked at on one host.
const MOST: usize = 200;

/// One instance that runs.
pub(super) struct Seen {
    pub discover: Discover,
    pub process: Process,
    /// Where it works, or why that is not known.
    pub cwd: Result<String, String>,
    /// The program's file, or why that is not known.
    pub exe: Result<String, String>,
    /// Path of its configuration and what it says, or why that is not known.
    pub configuration: Result<(String, Settings), String>,
}

/// Everything seen.
pub(super) struct All {
    pub instances: Vec<Seen>,
    pub processes: usize,
}

pub(super) struct Look<'i> {
    inventory: &'i Inventory,
    login: Login,
    team: String,
    ways: Ways,
    cancel: CancellationToken,
}

impl<'i> Look<'i> {
    pub fn new(
        inventory: &'i Inventory,
        host: &str,
        team: &str,
        keys: Keyring,
        cancel: CancellationToken,
    ) -> Result<Self, Failure> {
        let login = inventory.login(host, team).cloned().ok_or_else(|| {
            Failure::new(FailureKind::Undefined, "a login of this team", "none")
                .with_subject(host)
                .with_hint("a hop has no login of a team: name a host that carries instances")
        })?;
        if login.transport == Transport::Sftp {
            return Err(Failure::new(
                FailureKind::Shell,
                "a login that may run commands",
                "one that has files only (`transport: sftp`)",
            )
            .with_hint(
                "discover as another team, or on another way: processes are listed by `ps`",
            ));
        }
        Ok(Self {
            inventory,
            login,
            team: team.to_owned(),
            ways: Ways::with(keys),
            cancel,
        })
    }

    /// A session that may do this and nothing else: `own` without `sudo`.
    async fn session(
        &self,
        touches: BTreeSet<Touch>,
        own: BTreeSet<Touch>,
    ) -> Result<Arc<dyn Session>, Failure> {
        let visit = Visit::looking(&self.login, &self.team, touches, own);
        let door = LaneDoor::new(
            visit,
            self.inventory,
            Registry::default(),
            self.ways.clone(),
            self.cancel.clone(),
        );
        door.session().await
    }

    const fn limits(&self, bytes: u64) -> Limits {
        Limits {
            time: self.login.deadline,
            bytes,
        }
    }

    pub async fn at_everything(&self) -> Result<All, Failure> {
        let words: Vec<String> = PROCESSES.iter().map(|&word| word.to_owned()).collect();
        let listing = BTreeSet::from([Touch::Execute(words.clone())]);
        let session = self.session(BTreeSet::new(), listing).await?;
        let own = session.unelevated();
        let output = own.run(&Command(words), self.limits(16 << 20)).await;
        session.close().await;
        let output = output?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let processes: Vec<Process> = text.lines().filter_map(Process::read).collect();
        if output.status != 0 || processes.is_empty() {
            return Err(Failure::new(
                FailureKind::Mismatch,
                "a list of processes",
                format!("exit status {}, {} processes", output.status, processes.len()),
            )
            .with_subject(PROCESSES.join(" "))
            .with_hint("it needs the ps of procps (`ps -e -o pid=,user=,args=`) in the PATH of a login without a terminal"));
        }
        let discoveries = self.inventory.discoveries();
        let mut known: Vec<(Discover, Process)> = Vec::new();
        for process in &processes {
            let found = discoveries
                .iter()
                .find_map(|one| Some((one.clone(), one.recognise(process)?)));
            known.extend(found);
        }
        known.truncate(MOST);
        let instances = match known.is_empty() {
            true => Vec::new(),
            false => self.closer(known).await?,
        };
        Ok(All {
            instances,
            processes: processes.len(),
        })
    }

    async fn closer(&self, known: Vec<(Discover, Process)>) -> Result<Vec<Seen>, Failure> {
        let link =
            |pid: u32, name: &str| vec!["readlink".to_owned(), format!("/proc/{pid}/{name}")];
        let links = known.iter().flat_map(|(_, process)| {
            ["cwd", "exe"].map(|name| Touch::Execute(link(process.pid, name)))
        });
        let session = self.session(links.collect(), BTreeSet::new()).await?;
        let mut seen: Vec<Seen> = Vec::new();
        for (discover, process) in known {
            let cwd = self.follow(&*session, link(process.pid, "cwd")).await;
            let twin = seen.iter().any(|other| {
                other.discover.product == discover.product
                    && other.process.program == process.program
                    && other.process.arguments == process.arguments
                    && other.cwd == cwd
            });
            // A server's worker has its words and works where it does.
            if twin {
                continue;
            }
            let exe = self.follow(&*session, link(process.pid, "exe")).await;
            seen.push(Seen {
                discover,
                process,
                cwd,
                exe,
                configuration: Err("it was not found".to_owned()),
            });
        }
        session.close().await;
        let all = seen.iter().flat_map(places);
        let reads: BTreeSet<Touch> = all.map(Touch::Read).collect();
        if reads.is_empty() {
            return Ok(seen);
        }
        let session = self.session(reads, BTreeSet::new()).await?;
        for one in &mut seen {
            let all = places(one);
            if all.is_empty() {
                one.configuration = Err("its arguments name none, or a relative one while it is not known where it works".to_owned());
            }
            for place in all {
                one.configuration = self.read(&*session, one, place).await;
                if one.configuration.is_ok() {
                    break;
                }
            }
        }
        session.close().await;
        Ok(seen)
    }

    /// Where a link leads, or why that is not told.
    async fn follow(&self, session: &dyn Session, words: Vec<String>) -> Result<String, String> {
        let output = session.run(&Command(words), self.limits(64 << 10)).await;
        let output = output.map_err(|failure| failure.actual)?;
        let text = String::from_utf8_lossy(&output.stdout);
        let path = text.trim_end_matches('\n');
        match output.status == 0 && path.starts_with('/') {
            true => Ok(path.to_owned()),
            // proc(5): it takes the same account, or CAP_SYS_PTRACE.
            false => Err(format!("account {} may not see it", self.login.user)),
        }
    }

    async fn read(
        &self,
        session: &dyn Session,
        one: &Seen,
        path: String,
    ) -> Result<(String, Settings), String> {
        let kept = Kept::default();
        let limits = self.limits(CAP as u64);
        let read = session
            .read(&path, Span::WHOLE, limits, Box::new(kept.clone()))
            .await;
        read.map_err(|error| match error.told() {
            Ok(failure) => format!("{path}: {}", failure.actual),
            Err(error) => format!("{path}: {error}"),
        })?;
        let bytes = std::mem::take(&mut *kept.lock());
        let Some(format) = one.discover.format.filter(|format| format.is_settings()) else {
            return Ok((path, Settings::default()));
        };
        let mut parsed = Box::new(Parsed::new(format));
        let _never_fails = parsed.write_all(&bytes);
        match parsed.finish() {
            Ok(Content::Settings(settings)) => Ok((path, *settings)),
            Ok(_) => Ok((path, Settings::default())),
            Err(failure) => Err(format!("{path}: {}", failure.actual)),
        }
    }
}

/// Absolute paths at which the configuration may be.
fn places(one: &Seen) -> Vec<String> {
    let all = one.discover.configurations(&one.process).into_iter();
    let absolute =
        all.filter_map(|place| super::propose::absolute(&place, one.cwd.as_deref().ok()));
    // What the guard and the far side take for patterns is nobody's configuration.
    absolute
        .filter(|place| !place.contains(['*', '?', '[', ']', '{', '}', '\\']))
        .collect()
}

/// Bytes that a session pours on a thread of its own.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::io::Write for Kept {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        self.lock().extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
