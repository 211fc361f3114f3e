//! `gonogo show`: renders a run again from its report.json. It proves nothing about the run, says so,
//! and always ends with 0 when it could render: the gate is `verify`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::args::{Show, ShowFormat};
use super::fault::{Exit, Fault};
use super::term;
use crate::digest::Sha256;
use crate::inventory::controls::Controls;
use crate::report::schema::Report;
use crate::report::{self, Style};
use crate::sign::bundle;
use crate::sign::manifest::{ATTESTATION, portable_name, read_regular};
use crate::text::escape;

const REPORT: &str = "report.json";
/// No attestation comes near it.
const MOST_ATTESTED: u64 = 64 << 20;
const MOST_FEATURE: u64 = 64 << 20;

pub(super) fn show(args: &Show) -> Result<Exit, Fault> {
    if args.controls.is_some() && !matches!(args.format, ShowFormat::Oscal) {
        let hint = "write `--format oscal` with it";
        return Err(Fault::new(
            Exit::Refused,
            "--controls is for OSCAL alone",
            hint,
        ));
    }
    let report = read(&args.run)?;
    term::out(&rendered(args, &report)?);
    term::say("not verified: `gonogo verify` proves who signed this and that it is whole");
    Ok(Exit::Go)
}

fn rendered(args: &Show, report: &Report) -> Result<String, Fault> {
    Ok(match args.format {
        ShowFormat::Text => report::text::render(
            report,
            Style {
                color: term::colour_out(),
                width: term::live().then(term::width),
            },
        ),
        ShowFormat::Markdown => report::markdown::render(report),
        ShowFormat::Html => report::html::render(report),
        ShowFormat::Junit => report::junit::render(report).map_err(defect)?,
        ShowFormat::Json => {
            let bytes = report::write(report).map_err(defect)?;
            String::from_utf8_lossy(&bytes).into_owned()
        }
        ShowFormat::Sigstore => sigstore(&args.run)?,
        ShowFormat::Oscal => oscal(args, report)?,
        ShowFormat::Messages => {
            report::messages::render(report, &features(&args.run, report)?).map_err(defect)?
        }
    })
}

fn defect(error: impl std::fmt::Display) -> Fault {
    let hint = "this is a defect of gonogo: please report it";
    Fault::new(Exit::Defect, error, hint)
}

fn sigstore(run: &Path) -> Result<String, Fault> {
    let path = run.join(ATTESTATION);
    let named = path.to_string_lossy().into_owned();
    let refused = |error: &dyn std::fmt::Display, hint: &str| {
        Fault::new(Exit::Refused, format!("{}: {error}", escape(&named)), hint)
    };
    let line = read_regular(&path, MOST_ATTESTED)
        .map_err(|error| refused(&error, "name the directory that `gonogo run -o` wrote"))?;
    bundle::sigstore(&String::from_utf8_lossy(&line)).map_err(|fault| refused(&fault, fault.hint()))
}

/// The texts of the features that checks name, each the one whose digest the report names.
fn features(run: &Path, report: &Report) -> Result<BTreeMap<String, String>, Fault> {
    let mut texts = BTreeMap::new();
    let named: BTreeSet<_> = report.checks.iter().map(|check| &check.feature).collect();
    for feature in named {
        let name = format!("inputs/{}", portable_name(feature));
        let Some(input) = report.inputs.iter().find(|input| input.path == name) else {
            let feature = escape(feature);
            term::say(&format!(
                "`{feature}` is no input of the run: its text is left out"
            ));
            continue;
        };
        let refused = |why: String| {
            let message = format!("`{}` {why}", escape(&name));
            Fault::new(
                Exit::Refused,
                message,
                "name a whole run directory: `gonogo verify` tells what is changed in it",
            )
        };
        let bytes = read_regular(&run.join(&name), MOST_FEATURE)
            .map_err(|error| refused(format!("cannot be read: {error}")))?;
        if Sha256::of(&bytes).to_string() != input.sha256 {
            return Err(refused("is not the one that the report names".to_owned()));
        }
        let text = String::from_utf8(bytes).map_err(|_| refused("is not UTF-8".to_owned()))?;
        texts.insert(feature.clone(), text);
    }
    Ok(texts)
}

fn oscal(args: &Show, report: &Report) -> Result<String, Fault> {
    let controls = match &args.controls {
        Some(path) => Controls::load(path)?,
        None => Controls::built_in()?,
    };
    let path = args.run.join(REPORT);
    let bytes = fs::read(&path).map_err(|error| {
        let message = format!("cannot read `{}`: {error}", escape(&path.to_string_lossy()));
        Fault::new(Exit::Refused, message, "")
    })?;
    report::oscal::render(report, Sha256::of(&bytes), &controls).map_err(|fault| {
        let hint = "tags such as @control:nist/ir-3 name a control, and `--controls FILE` says which tags stand for which: `gonogo controls` prints one to edit";
        Fault::new(Exit::Refused, fault, hint)
    })
}

/// The report of the run in that directory, proven by nobody.
pub(super) fn read(directory: &Path) -> Result<Report, Fault> {
    let path = directory.join(REPORT);
    let named = path.to_string_lossy().into_owned();
    let bytes = fs::read(&path).map_err(|error| {
        Fault::new(
            Exit::Refused,
            format!("cannot read `{}`: {error}", escape(&named)),
            "name the directory that `gonogo run -o` wrote",
        )
    })?;
    report::read(&bytes)
        .map_err(|fault| Fault::new(Exit::Refused, format!("{}: {fault}", escape(&named)), ""))
}
