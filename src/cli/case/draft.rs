//! `gonogo case draft` and `gonogo case template`: the support request, filled in and never half so.

use std::fs::{self, File};
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use crate::case::draft::{Draft as Request, MOST_ANSWER, Order};
use crate::cli::fault::{Exit, Fault};
use crate::cli::verify::accept;
use crate::cli::{show, signers, term};
use crate::inventory::Inventory;
use crate::inventory::template::{FIELDS, SHIPPED};
use crate::problem::{Place, Problem};
use crate::report::schema::Report;
use crate::report::verify::Demands;
use crate::run::recorded_inventory;
use crate::sign::manifest::{MANIFEST, Manifest, read_regular};
use crate::text::escape;

/// Fills in the vendor's own template (`request_template` of the inventory) from what the run retrieved and
/// from what the inventory says of the vendor. What only a person knows (`asked`) is taken from --set and
/// --set-file, and asked for on a terminal. Nothing is written while a field is blank.
///
/// Exit codes: 0 written · 2 something is blank, unknown or wrong · 3 a fault of our own · 4 the run is not
/// acceptable.
#[derive(Args)]
pub(in crate::cli) struct Draft {
    /// The run directory
    #[arg(long, value_name = "RUN")]
    pub run: PathBuf,
    /// The instance that the request is about
    #[arg(long, value_name = "NAME")]
    pub instance: String,
    /// What is said of the vendor [default: the inventory that the run keeps]
    #[arg(long, short, value_name = "FILE")]
    pub inventory: Option<PathBuf>,
    /// Who may have signed the run; without it the request says that it is not verified
    #[arg(long, value_name = "FILE")]
    pub allowed_signers: Option<PathBuf>,
    /// The team whose artifacts are listed [default: the first of the instance's]
    #[arg(long, value_name = "NAME")]
    pub team: Option<String>,
    /// What a field says, such as 'impact=orders are late'
    #[arg(long, value_name = "FIELD=TEXT")]
    pub set: Vec<String>,
    /// The same from a file, for what has several lines
    #[arg(long, value_name = "FIELD=FILE")]
    pub set_file: Vec<String>,
    /// Where it is written, never over a file [default: stdout]
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Prints the template for 60East, to copy and edit; on stderr, what fields there are.
#[derive(Args)]
pub(in crate::cli) struct Template {}

pub(super) fn template(_: &Template) -> Result<Exit, Fault> {
    let mut told = String::from("fields that gonogo fills in:\n");
    for (name, _, what) in FIELDS {
        told.push_str(&format!("  {:<18}{what}\n", format!("{{{name}}}")));
    }
    told.push_str(
        "all others are a person's: list them in `asked` of the vendor, here\n  \
         asked: [severity, impact, since when, behaviour seen, behaviour expected]",
    );
    term::say(&told);
    deliver(SHIPPED)
}

fn deliver(page: &str) -> Result<Exit, Fault> {
    term::deliver(page)
        .map(|()| Exit::Go)
        .map_err(|error| Fault::new(Exit::Fault, format!("cannot write to stdout: {error}"), ""))
}

pub(super) fn draft(args: &Draft) -> Result<Exit, Fault> {
    if let Some(out) = args.out.as_deref().filter(|out| out.exists()) {
        return Err(taken(out));
    }
    let (report, signer) = open(args)?;
    let inventory = match &args.inventory {
        Some(path) => Arc::new(Inventory::load(path)?),
        None => recorded_inventory(&report, &args.run).map_err(|why| {
            let message = format!("the run's inventory cannot be read: {why}");
            Fault::new(Exit::Unacceptable, message, "name one with `-i`")
        })?,
    };
    let mut request = Request::begin(&Order {
        report: &report,
        signer: signer.as_deref(),
        inventory: &inventory,
        instance: &args.instance,
        team: args.team.as_deref(),
    })?;
    for (origin, pair, from_file) in (args.set.iter().map(|pair| ("--set", pair, false)))
        .chain(args.set_file.iter().map(|pair| ("--set-file", pair, true)))
    {
        let answered = answer(origin, pair, from_file)
            .and_then(|(field, value)| request.answer(field, &value, origin));
        if let Err(why) = answered {
            let field = pair.split_once('=').map_or("", |(field, _)| field);
            request.refuse(field.trim(), why);
        }
    }
    let by_hand = io::stdin().is_terminal()
        && io::stderr().is_terminal()
        && std::env::var_os("CI").is_none_or(|value| value.is_empty());
    if request.is_sound() && by_hand {
        ask(&mut request)?;
    }
    let page = request.render()?;
    if signer.is_none() {
        term::say("not verified: nobody was asked who signed this run; name --allowed-signers");
    }
    let Some(out) = &args.out else {
        return deliver(&page);
    };
    write(out, &page)?;
    term::out(&format!("{}\n", escape(&out.to_string_lossy())));
    Ok(Exit::Go)
}

/// The run, and who signed it where that could be proven.
fn open(args: &Draft) -> Result<(Report, Option<String>), Fault> {
    let Some(allowed) = &args.allowed_signers else {
        whole(&args.run)?;
        return Ok((show::read(&args.run)?, None));
    };
    let allowed = signers::read(allowed, None)?;
    // A request is drafted because something is broken: the verdict does not matter, nor what was left out.
    let demands = Demands {
        allow_partial: true,
        ..Demands::default()
    };
    let (verified, warning) = accept(&args.run, &allowed, &demands).map_err(|reason| {
        let message = format!("the run is not acceptable: {}", escape(&reason.to_string()));
        Fault::new(Exit::Unacceptable, message, reason.hint())
    })?;
    if let Some(warning) = warning {
        term::say(&format!("warning: {}", escape(&warning)));
    }
    let signer = verified.signer().identity.clone();
    Ok((verified.report().clone(), Some(signer)))
}

/// That nothing in it was edited needs no signer.
fn whole(run: &Path) -> Result<(), Fault> {
    let no = |why: String| {
        Fault::new(
            Exit::Unacceptable,
            format!("the run is not acceptable: {why}"),
            "name the run as `gonogo run` wrote it, whole; what was edited, no vendor is told",
        )
    };
    let path = run.join(MANIFEST);
    let bytes = read_regular(&path, 64 << 20)
        .map_err(|error| no(format!("`{}`: {error}", escape(&path.to_string_lossy()))))?;
    let manifest: Manifest = (String::from_utf8_lossy(&bytes).parse())
        .map_err(|fault| no(format!("its {MANIFEST}: {fault}")))?;
    manifest.check(run).map_err(|faults| {
        let all: Vec<String> = faults.iter().take(5).map(ToString::to_string).collect();
        no(all.join("; "))
    })
}

/// `FIELD=TEXT`, or `FIELD=FILE` with the file's text.
fn answer<'p>(origin: &str, pair: &'p str, from_file: bool) -> Result<(&'p str, String), Problem> {
    let problem = |why: String, hint: &str| {
        Problem::new(Place::whole(Path::new(origin)), why).with_hint(hint)
    };
    let Some((field, value)) = pair.split_once('=') else {
        let why = format!("`{}` names no field", crate::text::clip(pair, 60));
        return Err(problem(
            why,
            "write FIELD=TEXT, such as 'impact=orders are late'",
        ));
    };
    let field = field.trim();
    if !from_file {
        return Ok((field, value.to_owned()));
    }
    read(Path::new(value))
        .map(|text| (field, text))
        .map_err(|why| problem(format!("cannot read `{value}` for `{field}`: {why}"), ""))
}

fn read(path: &Path) -> Result<String, String> {
    let found = fs::metadata(path).map_err(|error| error.to_string())?;
    if !found.is_file() {
        return Err("it is no regular file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    // A byte more than is taken shows what is too much.
    file.take(MOST_ANSWER as u64 + 3)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
}

/// Asks on the terminal; what is no answer is asked for again, a few times.
fn ask(request: &mut Request<'_>) -> Result<(), Fault> {
    const TRIES: usize = 3;
    let nobody = |error: io::Error| {
        let hint = "say it with --set instead";
        Fault::new(
            Exit::Fault,
            format!("cannot read the answer: {error}"),
            hint,
        )
    };
    for field in request.open() {
        for _ in 0..TRIES {
            let mut stderr = io::stderr().lock();
            let asked = write!(stderr, "{field}: ").and_then(|()| stderr.flush());
            drop(stderr);
            asked.map_err(nobody)?;
            let mut line = Vec::new();
            let mut stdin = io::stdin().lock().take(MOST_ANSWER as u64);
            if stdin.read_until(b'\n', &mut line).map_err(nobody)? == 0 {
                return Ok(());
            }
            let line = String::from_utf8_lossy(&line).into_owned();
            match request.answer(&field, &line, "the terminal") {
                Ok(()) => break,
                Err(problem) => term::say(&problem.to_string()),
            }
        }
    }
    Ok(())
}

fn taken(out: &Path) -> Fault {
    Fault::new(
        Exit::Refused,
        format!("`{}` exists already", escape(&out.to_string_lossy())),
        "a request is never written over: remove it, or name another",
    )
}

/// Whole or not at all, and over nothing.
fn write(out: &Path, page: &str) -> Result<(), Fault> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => taken(out),
        _ => {
            let message = format!("cannot write `{}`: {error}", escape(&out.to_string_lossy()));
            Fault::new(Exit::Fault, message, "")
        }
    };
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::Builder::new()
        .prefix(".gonogo-request-")
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .map_err(failed)?;
    file.write_all(page.as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist_noclobber(out)
        .map_err(|error| failed(error.error))?;
    Ok(())
}
