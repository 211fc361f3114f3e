//! Who runs what, where and when: the part of a report that is asked of this machine.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use jiff::Timestamp;
use ssh_key::{HashAlg, PublicKey};

use super::fault::{Exit, Fault};
use super::signals::Ended;
use crate::digest::{self, Sha256};
use crate::inventory::Client;
use crate::plan::Plan;
use crate::report::Chain;
use crate::report::schema::{Run, RunnerIdentity, Scope, Tool};
use crate::run::{self, Circumstances};
use crate::steps::MACHINE_ID_FILE;
use crate::support::Moment;
use crate::{calendar, text, time, transport};

/// Begins a run: its id, its time, its makers.
pub(super) fn begin(kind: &str, previous: Option<&Chain>) -> Circumstances {
    let started = time::now();
    Circumstances {
        run: Run {
            id: run_id(started),
            kind: kind.to_owned(),
            started: time::rfc3339(started),
            finished: time::rfc3339(started),
            tool: tool(),
            operator: operator(),
            runner: rustix::system::uname()
                .nodename()
                .to_string_lossy()
                .into_owned(),
            scope: Scope {
                environment: String::new(),
                plan: String::new(),
                partial: false,
                filters: Vec::new(),
                shard: None,
            },
            previous: previous.map(|previous| previous.digest.to_string()),
            number: Some(previous.map_or(1, |previous| previous.number.saturating_add(1))),
            challenge: None,
            aborted: None,
            ci: ci(),
            go_live: None,
            go_live_until: None,
            runner_identity: Some(RunnerIdentity {
                machine_id: machine_id(),
                host_keys: host_keys(Path::new("/etc/ssh")),
            }),
            subject: None,
            restates: None,
            merged: None,
        },
    }
}

/// The installed `ssh`, where a login is made with it. Without one nothing could be judged there.
pub(super) fn openssh(plan: &Plan) -> Result<Option<String>, Fault> {
    let is_used = plan
        .visits
        .iter()
        .any(|visit| visit.login.client == Client::Openssh);
    if !is_used {
        return Ok(None);
    }
    transport::openssh_version().map(Some).map_err(|failure| {
        let message = format!("{}: {}", failure.expected, text::escape(&failure.actual));
        Fault::new(Exit::Fault, message, &failure.hint)
    })
}

/// The times that the support process is judged by: as the report tells them, so that `verify` judges by
/// the same.
pub(super) fn moment(circumstances: &Circumstances) -> Result<Moment, Fault> {
    run::moment(&circumstances.run).ok_or_else(|| {
        Fault::new(
            Exit::Fault,
            "the clock shows a time that cannot be told",
            "",
        )
    })
}

/// Ends a run; one that was ended early is `aborted`, and says why.
pub(super) fn end(circumstances: &mut Circumstances, ended: Option<Ended>, fault: Option<&str>) {
    let run = &mut circumstances.run;
    run.finished = time::rfc3339(time::now());
    run.aborted = ended
        .map(|ended| ended.reason().to_owned())
        .or_else(|| fault.map(str::to_owned));
    if run.aborted.is_some() {
        run.kind = "aborted".to_owned();
    }
}

fn tool() -> Tool {
    Tool {
        name: "gonogo".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        sha256: own_digest().map(|digest| digest.to_string()),
        libssh2: transport::libssh2_version(),
        tzdb: Some(calendar::tzdb().to_owned()),
        openssh: None,
    }
}

/// Of the running binary, even when its file was replaced meanwhile.
fn own_digest() -> Option<Sha256> {
    let mut file = File::open("/proc/self/exe")
        .or_else(|_| File::open(std::env::current_exe()?))
        .ok()?;
    let (mut stream, mut piece) = (digest::Stream::default(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut piece).ok()? {
            0 => return Some(stream.finish()),
            read => stream.update(&piece[..read]),
        }
    }
}

/// Empty in most containers (machine-id(5)).
fn machine_id() -> Option<String> {
    let id = std::fs::read_to_string(MACHINE_ID_FILE).ok()?;
    let id = id.trim();
    (!id.is_empty()).then(|| id.to_owned())
}

/// Fingerprints of the keys that this machine's own SSH server shows, when it has one.
fn host_keys(directory: &Path) -> Vec<String> {
    let files = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let is_key = |name: &str| name.starts_with("ssh_host_") && name.ends_with("_key.pub");
    let keys = files
        .filter(|file| file.file_name().to_str().is_some_and(is_key))
        .filter_map(|file| PublicKey::read_openssh_file(file.path()).ok());
    let mut found: Vec<_> = keys
        .map(|key| key.fingerprint(HashAlg::Sha256).to_string())
        .collect();
    found.sort_unstable();
    found
}

/// The id of a run, or a drill, that begins then.
pub(super) fn run_id(started: Timestamp) -> String {
    let mut random = [0; 4];
    // The id only has to differ between runs begun in the same second; the time carries the rest.
    let _ = getrandom::fill(&mut random);
    let stamp = time::rfc3339(started).replace(['-', ':'], "");
    format!("{stamp}-{:08x}", u32::from_be_bytes(random))
}

/// The account that runs gonogo, as CI or the system names it.
pub(super) fn operator() -> String {
    let named = ["GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok());
    named
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
}

/// The CI job, from the variables that GitHub Actions, GitLab CI and Jenkins set.
fn ci() -> Option<String> {
    let var = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let github = || {
        Some(format!(
            "{}/{}/actions/runs/{}",
            var("GITHUB_SERVER_URL")?,
            var("GITHUB_REPOSITORY")?,
            var("GITHUB_RUN_ID")?
        ))
    };
    github()
        .or_else(|| var("CI_JOB_URL"))
        .or_else(|| var("BUILD_URL"))
}
