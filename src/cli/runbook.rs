//! `gonogo runbook`: the process document, written from a verified GO; and whether one that was written
//! earlier still says what a run proves. Whatever is no GO proves no process: it is refused.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::fault::{Exit, Fault};
use super::people::{self, Demand};
use super::{signers, term, verify};
use crate::plan::{self, Plan, Visit};
use crate::report::runbook::{Deed, Runbook as Book, Source, Use, check, html, markdown};
use crate::report::schema::Check;
use crate::report::verify::{Demands, Hearing, Unacceptable, Verified};
use crate::run::again;
use crate::sign::manifest::read_regular;
use crate::steps::{ArtifactName, Call, Touch};
use crate::text::{escape, shell_word};
use crate::time;
use crate::verdict::Decision;

/// No runbook comes near it.
const MOST_BYTES: u64 = 64 << 20;
/// How each begins.
const HEADING: &str = "# Runbook";
const NOT_ACCEPTED: &str = "a runbook is written from a run that `gonogo verify` accepts as GO";

/// Writes the support process as a run proves it: who is called under which contract, how each team gets to each
/// server, and what it fetches there by which command. Each statement names the check that proved it, and when.
/// Only a run that verifies as GO will do. Exits with 0 when the runbook was written or, with --check, when the
/// file still says what the run proves; with 1 when it does not; with 4 when the run is not acceptable or no GO.
#[derive(Args)]
pub(super) struct Runbook {
    /// The run directory
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Who may sign (ssh-keygen's allowed_signers), received by another way than the run
    #[arg(long, value_name = "FILE")]
    pub allowed_signers: PathBuf,
    /// The signer must be this identity [default: whoever the file allows for the key]
    #[arg(long, value_name = "NAME")]
    pub identity: Option<String>,
    /// Keys and certificates that are trusted no more, whenever they signed: a list of `ssh-keygen -k`, or
    /// public keys, one a line
    #[arg(long, value_name = "FILE")]
    pub revoked: Option<PathBuf>,
    /// The folder of all runs: it must be one unbroken chain, and this run the newest of it
    #[arg(long, value_name = "DIR")]
    pub history: Option<PathBuf>,
    /// Who may approve waivers: names and keys in the format of allowed_signers
    #[arg(long, value_name = "FILE", help_heading = "People")]
    pub approvers: Option<PathBuf>,
    /// Who may answer what only a person can answer: names, roles and keys in the format of allowed_signers
    #[arg(long, value_name = "FILE", help_heading = "People")]
    pub answerers: Option<PathBuf>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = RunbookFormat::Markdown)]
    pub format: RunbookFormat,
    /// Where to write it; a runbook that stands there is replaced, anything else is not [default: stdout]
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Compare with this Markdown runbook instead: which statements the run proves no more, or otherwise
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out", "format"])]
    pub check: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum RunbookFormat {
    /// For a repository: what `--check` reads again
    Markdown,
    /// One page without script, which opens offline
    Html,
}

pub(super) fn runbook(args: &Runbook) -> Result<Exit, Fault> {
    // What is wrong with the arguments is told before the run is judged.
    let earlier = args.check.as_deref().map(read).transpose()?;
    if let Some(out) = &args.out {
        fits(out, args.format)?;
        writable(out, &args.run)?;
    }
    let (verified, plan) = accepted(args)?;
    let report = verified.answered();
    let signer = verified.signer();
    let signer = format!("{} ({})", signer.identity, signer.fingerprint);
    let pairs = plan.checks.iter().zip(&report.checks);
    let deeds: Vec<Deed> = pairs
        .map(|(planned, told)| deed(&plan, planned, told))
        .collect();
    let book = Book::of(&Source {
        report,
        inventory: &plan.inventory,
        signer: &signer,
        deeds: &deeds,
    });
    if let (Some(file), Some(text)) = (&args.check, earlier) {
        return compared(&book, file, &text, &report.run.id);
    }
    let text = match args.format {
        RunbookFormat::Markdown => markdown::render(&book),
        RunbookFormat::Html => html::render(&book),
    };
    match &args.out {
        Some(out) => {
            replace(out, &text)?;
            let out = out.to_string_lossy();
            term::say(&format!("wrote {}", escape(&out)));
        }
        None => delivered(&text)?,
    }
    if report.run.kind == "demo" {
        term::say("note: of the practice estate: it says nothing about a real one");
    }
    Ok(Exit::Go)
}

fn accepted(args: &Runbook) -> Result<(Verified, Plan), Fault> {
    let directory = args.run.to_string_lossy();
    let refused = |reason: &Unacceptable| {
        let message = format!("`{}` is not acceptable: {reason}", escape(&directory));
        let hint = match reason.hint() {
            "" => NOT_ACCEPTED,
            hint => hint,
        };
        Fault::new(Exit::Unacceptable, message, hint)
    };
    // Whatever is no run at all is a wrong argument, not an unacceptable run.
    super::show::read(&args.run)?;
    let allowed = signers::read(&args.allowed_signers, args.revoked.as_deref())?;
    let revoked = args.revoked.as_deref().map(signers::revoked).transpose()?;
    let revoked = revoked.unwrap_or_default();
    let known = |path: &Option<PathBuf>| {
        let known = path.as_deref().map(people::people).transpose();
        known.map(|known| known.map(|known| known.without(revoked.clone())))
    };
    let (approvers, answerers) = (known(&args.approvers)?, known(&args.answerers)?);
    let demands = Demands {
        identity: args.identity.clone(),
        history: args.history.clone(),
        ..Demands::default()
    };
    let (mut verified, warning) =
        verify::accept(&args.run, &allowed, &demands).map_err(|reason| refused(&reason))?;
    let now = time::now();
    let hearing = Hearing {
        people: answerers.as_ref(),
        within: None,
        at: now,
        now,
    };
    let heard = verified.hear(&hearing).map_err(|reason| refused(&reason))?;
    let known = people::ask(&Demand::default(), approvers.as_ref(), &verified, None)
        .map_err(|reason| refused(&reason))?;
    let warnings = warning
        .into_iter()
        .chain(heard.warnings)
        .chain(known.warnings);
    for warning in warnings {
        term::say(&format!("warning: {}", escape(&warning)));
    }
    let against = match verified.verdict().decision {
        Decision::Go => known.against,
        decision => Some(format!("it is {}", decision.as_str())),
    };
    if let Some(against) = against {
        let message = format!("`{}` proves no process: {against}", escape(&directory));
        let hint = match verified.verdict().decision {
            Decision::Hold => {
                "a person's word is due: `gonogo attest --list RUN` says whose; then name --answerers FILE"
            }
            _ => NOT_ACCEPTED,
        };
        return Err(Fault::new(Exit::Unacceptable, message, hint));
    }
    let plan = again(verified.report(), &args.run).map_err(|why| {
        let message = format!("`{}`: {why}", escape(&directory));
        let hint = "make a run with this version of gonogo, and write its runbook";
        Fault::new(Exit::Unacceptable, message, hint)
    })?;
    if plan.checks.len() != verified.report().checks.len() {
        let message = format!("`{}` tells other checks than its plan", escape(&directory));
        return Err(Fault::new(Exit::Unacceptable, message, NOT_ACCEPTED));
    }
    Ok((verified, plan))
}

/// What a check does, and with what it fetches each artifact that it told of.
fn deed(plan: &Plan, planned: &plan::Check, told: &Check) -> Deed {
    let mut deed = Deed::default();
    for step in &planned.steps {
        if let Call::Vendor(ask) = &*step.call {
            deed.asks.push(*ask);
        }
        deed.logs_in |= step.call.needs_session();
    }
    let subject = &planned.subject;
    let login = subject.host.as_deref().zip(subject.team.as_deref());
    let login = login.and_then(|(host, team)| plan.inventory.login(host, team));
    let (Some(login), Some(team)) = (login, subject.team.as_deref()) else {
        return deed;
    };
    let idle = Visit::looking(login, team, BTreeSet::new(), BTreeSet::new());
    for evidence in &told.evidence {
        if deed.fetches.contains_key(&evidence.artifact) {
            continue;
        }
        let call = Call::Retrieve(vec![ArtifactName::Named(evidence.artifact.clone())]);
        let touches: BTreeSet<Touch> = call.touches(subject, &plan.inventory).into_iter().collect();
        let visit = Visit::looking(login, team, touches.clone(), BTreeSet::new());
        let (mut lines, mut beside) = (visit.planned(), idle.planned());
        let own = told.evidence.iter();
        let mut own = own.filter(|one| one.artifact == evidence.artifact);
        if own.any(|one| one.method != "sftp" && one.method != "http") {
            lines.extend(visit.planned_without_sftp());
            beside.extend(idle.planned_without_sftp());
        }
        let after = visit.after_denial();
        let lines = lines
            .difference(&beside)
            .filter(|one| !after.contains(one) && !one.has_nonce());
        let mut uses: Vec<Use> = touches
            .into_iter()
            .filter_map(|touch| match touch {
                Touch::Read(pattern) => Some(Use::Read(pattern)),
                Touch::List(pattern) => Some(Use::List(pattern)),
                Touch::Get(url) => Some(Use::Get(url)),
                Touch::Execute(_) | Touch::Write(_) => None,
            })
            .collect();
        uses.extend(lines.map(|planned| Use::Command(planned.line())));
        deed.fetches.insert(evidence.artifact.clone(), uses);
    }
    deed
}

fn compared(book: &Book, file: &Path, text: &str, run: &str) -> Result<Exit, Fault> {
    let differences = check::compare(book, text);
    let told = check::render(&differences, &file.to_string_lossy(), run);
    let exit = match differences.is_empty() {
        true => Exit::Go,
        false => Exit::NoGo,
    };
    match (term::deliver(&told), exit) {
        (Err(error), Exit::Go) => Err(cannot_tell(&error)),
        (_, exit) => Ok(exit),
    }
}

fn delivered(text: &str) -> Result<(), Fault> {
    term::deliver(text).map_err(|error| cannot_tell(&error))
}

fn cannot_tell(error: &std::io::Error) -> Fault {
    let message = format!("cannot write to stdout: {error}");
    Fault::new(Exit::Fault, message, "")
}

fn read(path: &Path) -> Result<String, Fault> {
    let named = path.to_string_lossy();
    let refused = |why: String| {
        let message = format!("cannot read `{}`: {why}", escape(&named));
        let hint = "name a runbook that `gonogo runbook -o FILE.md` wrote";
        Fault::new(Exit::Refused, message, hint)
    };
    let bytes = read_regular(path, MOST_BYTES).map_err(|error| refused(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| refused("it is not UTF-8 text".to_owned()))?;
    if text.trim_start().starts_with("<!DOCTYPE") {
        return Err(refused("it is HTML; the Markdown is compared".to_owned()));
    }
    if !text.starts_with(HEADING) {
        return Err(refused("it is no runbook".to_owned()));
    }
    Ok(text)
}

/// A name that says HTML holds HTML: whoever opens it takes it for that.
fn fits(out: &Path, format: RunbookFormat) -> Result<(), Fault> {
    let extension = out
        .extension()
        .map(|one| one.to_string_lossy().to_lowercase());
    let said = match extension.as_deref() {
        Some("html" | "htm") => RunbookFormat::Html,
        Some("md" | "markdown") => RunbookFormat::Markdown,
        _ => return Ok(()),
    };
    if said == format {
        return Ok(());
    }
    let name = |format| match format {
        RunbookFormat::Html => "html",
        RunbookFormat::Markdown => "markdown",
    };
    let message = format!(
        "`{}` would hold {}",
        escape(&out.to_string_lossy()),
        name(format)
    );
    let hint = format!("--format {}, or another name", name(said));
    Err(Fault::new(Exit::Refused, message, &hint))
}

/// A run directory is as it was signed, and what somebody wrote by hand is theirs.
fn writable(out: &Path, run: &Path) -> Result<(), Fault> {
    let named = out.to_string_lossy();
    let refused = |why: &str, hint: &str| {
        let message = format!("cannot write `{}`: {why}", escape(&named));
        Err(Fault::new(Exit::Refused, message, hint))
    };
    let folder = out.parent().filter(|folder| *folder != Path::new(""));
    let folder = fs::canonicalize(folder.unwrap_or(Path::new(".")));
    let (Ok(folder), Ok(run)) = (folder, fs::canonicalize(run)) else {
        // Either is told by whoever opens it.
        return Ok(());
    };
    if folder.starts_with(&run) {
        let hint = "a run directory is as it was signed; copy its report.html beside the runbook, so that the links work";
        return refused("it lies in the run directory", hint);
    }
    match fs::symlink_metadata(out) {
        Err(_) => Ok(()),
        Ok(found) if !found.is_file() => refused("it is no regular file", "name another file"),
        Ok(_) => {
            let text = read_regular(out, MOST_BYTES).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            match text.starts_with(HEADING) || text.contains("<title>Runbook: ") {
                true => Ok(()),
                false => refused(
                    "a file that is no runbook stands there",
                    "name another file, or move that one away",
                ),
            }
        }
    }
}

/// Whole or not at all.
fn replace(out: &Path, text: &str) -> Result<(), Fault> {
    let folder = out.parent().filter(|folder| *folder != Path::new(""));
    let folder = folder.unwrap_or(Path::new("."));
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.as_file().sync_data()?;
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        file.as_file().set_permissions(mode)?;
        file.persist(out).map_err(|error| error.error)?;
        Ok(())
    });
    written.map_err(|error| {
        let named = out.to_string_lossy();
        let message = format!("cannot write `{}`: {}", escape(&named), error.kind());
        let hint = match error.kind() {
            std::io::ErrorKind::NotFound => {
                format!("mkdir -p {}", shell_word(&folder.to_string_lossy()))
            }
            _ => "name a file in a directory that this account may write in".to_owned(),
        };
        Fault::new(Exit::Fault, message, &hint)
    })
}
