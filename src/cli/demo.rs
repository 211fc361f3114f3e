//! `gonogo demo`: a newcomer's first run. Starts the practice estate inside this process, takes the same
//! road as `gonogo run`, and says what to look at.

use std::path::{Path, PathBuf};

use super::args::{Demo, What};
use super::fault::{Exit, Fault};
use super::follows::Follows;
use super::go_live::GoLive;
use super::rehearse::rehearse;
use super::run::{Order, carry_out, runtime};
use super::signing::Signing;
use super::{plan, term};
use crate::demo::{Break, Estate, start};
use crate::report::sealed::Sealed;
use crate::sign::sshsig::NAMESPACE;
use crate::text::{did_you_mean, escape, shell_word};
use crate::time;

/// The features of the repository's `features/` and `vendors/`, as an auditor reads them there.
const SHIPPED: [(&str, &str); 11] = [
    ("amps.feature", include_str!("../../features/amps.feature")),
    (
        "configuration.feature",
        include_str!("../../features/configuration.feature"),
    ),
    ("host.feature", include_str!("../../features/host.feature")),
    ("logs.feature", include_str!("../../features/logs.feature")),
    (
        "statistics.feature",
        include_str!("../../features/statistics.feature"),
    ),
    ("time.feature", include_str!("../../features/time.feature")),
    (
        "version.feature",
        include_str!("../../features/version.feature"),
    ),
    (
        "60east.feature",
        include_str!("../../vendors/60east.feature"),
    ),
    (
        "60east-online.feature",
        include_str!("../../vendors/60east-online.feature"),
    ),
    ("echo.feature", include_str!("../../vendors/echo.feature")),
    (
        "echo-online.feature",
        include_str!("../../vendors/echo-online.feature"),
    ),
];

pub(super) fn demo(args: &Demo) -> Result<Exit, Fault> {
    if args.list_breaks {
        let width = Break::ALL
            .iter()
            .map(|fault| fault.name().len())
            .max()
            .unwrap_or(0);
        let line = |fault: &Break| format!("{:width$}  {}\n", fault.name(), fault.describe());
        term::out(&Break::ALL.iter().map(line).collect::<String>());
        return Ok(Exit::Go);
    }
    if let Some(into) = &args.rehearse {
        return rehearse(into);
    }
    let fault = args.fault.as_deref().map(named).transpose()?;
    let out = args.out.clone().unwrap_or_else(default_out);
    let runtime = runtime()?;
    let estate = runtime
        .block_on(start(fault))
        .map_err(|error| Fault::new(Exit::Fault, &error, error.hint()))?;
    greet(&estate, fault);
    let what = What {
        inventory: estate.inventory().to_owned(),
        features: vec![shipped(&estate.directory().join("features"))?],
        tags: None,
        instance: Vec::new(),
        host: Vec::new(),
        team: Vec::new(),
    };
    let order = Order {
        plan: plan::make(&what)?,
        kind: "demo",
        out: out.clone(),
        signing: Signing::with(estate.signing_key().to_owned()),
        rerun: None,
        follows: Follows::Nothing,
        subject: None,
        challenge: None,
        go_live: GoLive::at(estate.go_live()),
        keep: None,
        jobs: 16,
        per_host: 2,
        per_hop: 8,
        limit_rate: None,
        deadline: None,
        quiet: false,
    };
    carry_out(order, &runtime, |run| farewell(&estate, run, fault))
}

/// Writes them into a new directory.
pub(super) fn shipped(directory: &Path) -> Result<PathBuf, Fault> {
    let write = || {
        std::fs::create_dir(directory)?;
        SHIPPED
            .iter()
            .try_for_each(|(name, text)| std::fs::write(directory.join(name), text))
    };
    match write() {
        Ok(()) => Ok(directory.to_owned()),
        Err(error) => Err(Fault::new(
            Exit::Fault,
            format!(
                "cannot write to `{}`: {error}",
                escape(&directory.to_string_lossy())
            ),
            "",
        )),
    }
}

fn named(name: &str) -> Result<Break, Fault> {
    name.parse().map_err(|_| {
        let meant = did_you_mean(name, Break::ALL.iter().map(|fault| fault.name()));
        Fault::new(
            Exit::Refused,
            format!("no fault is called `{}`", escape(name)),
            format!("{meant} `gonogo demo --list-breaks` names them all").trim_start(),
        )
    })
}

fn default_out() -> PathBuf {
    let stamp = time::rfc3339(time::now()).replace(['-', ':'], "");
    PathBuf::from(format!("gonogo-demo-{stamp}"))
}

fn greet(estate: &Estate, fault: Option<Break>) {
    term::say(&format!(
        "practice estate: hosts behind SSH and vendors' sites on loopback, in this process ({})",
        escape(&estate.directory().to_string_lossy())
    ));
    if let Some(fault) = fault {
        term::say(&format!("planted: {}", fault.describe()));
    }
}

/// The estate goes away with this process; the run stays, and can be checked without us.
fn farewell(estate: &Estate, run: &Sealed, fault: Option<Break>) {
    let mut beside = run.dir.clone().into_os_string();
    beside.push(".allowed_signers");
    let beside = PathBuf::from(beside);
    let copied = std::fs::copy(estate.allowed_signers(), &beside);
    let shown = |path: &Path| shell_word(&escape(&short(path).to_string_lossy())).into_owned();
    let (dir, signers) = (shown(&run.dir), shown(&beside));
    let mut lines = vec![
        "\nlook next at".to_owned(),
        format!("  {dir}/report.html   what an auditor reads"),
        format!("  {dir}/evidence/     what was asked and answered, redacted"),
        format!("  {dir}/VERIFY.txt    how to check it for ever"),
    ];
    if copied.is_ok() {
        let (identity, namespace) = (escape(&run.signer.identity).into_owned(), NAMESPACE);
        lines.extend([
            "and check it, with gonogo or without".to_owned(),
            format!("  {} verify {dir} --allowed-signers {signers}", program()),
            format!("  ssh-keygen -Y verify -f {signers} -I {identity} -n {namespace} -s {dir}/SHA256SUMS.sig < {dir}/SHA256SUMS"),
            format!("  (cd {dir} && sha256sum --strict --quiet -c SHA256SUMS)"),
            "and go on as with a run of your own".to_owned(),
            format!(
                "  {} case draft --run {dir} --allowed-signers {signers} --instance orders --set severity=S2 --set impact='orders are late' --set 'since when=this morning' --set 'behaviour seen=queues grow' --set 'behaviour expected=none do'",
                program()
            ),
        ]);
        // What failed proves no process.
        if fault.is_none() {
            lines.push(format!(
                "  {} runbook {dir} --allowed-signers {signers}",
                program()
            ));
        }
        lines.extend([
            "and rehearse the whole support process".to_owned(),
            format!("  {} demo --rehearse {dir}-rehearsed", program()),
        ]);
    }
    term::say(&lines.join("\n"));
}

/// As it was called: a newcomer's `cargo run` is not on the PATH.
pub(super) fn program() -> String {
    let called = std::env::args_os().next();
    let called = called.map_or_else(|| PathBuf::from("gonogo"), PathBuf::from);
    shell_word(&escape(&short(&called).to_string_lossy())).into_owned()
}

/// As a person in this directory would write it.
fn short(path: &Path) -> PathBuf {
    let here = std::env::current_dir().ok();
    here.and_then(|here| Some(path.strip_prefix(here).ok()?.to_owned()))
        .unwrap_or_else(|| path.to_owned())
}
