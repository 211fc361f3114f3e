//! `gonogo show`: renders a run again from its report.json. It proves nothing about the run, says so,
//! and always ends with 0 when it could render: the gate is `verify`.

use std::fs;
use std::path::Path;

use super::args::{Show, ShowFormat};
use super::fault::{Exit, Fault};
use super::term;
use crate::report::schema::Report;
use crate::report::{self, Style};
use crate::text::escape;

pub(super) fn show(args: &Show) -> Result<Exit, Fault> {
    let report = read(&args.run)?;
    let rendered = match args.format {
        ShowFormat::Text => Ok(report::text::render(
            &report,
            Style {
                color: term::colour_out(),
                width: term::live().then(term::width),
            },
        )),
        ShowFormat::Markdown => Ok(report::markdown::render(&report)),
        ShowFormat::Html => Ok(report::html::render(&report)),
        ShowFormat::Junit => report::junit::render(&report).map_err(|error| error.to_string()),
        ShowFormat::Json => report::write(&report)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .map_err(|error| error.to_string()),
    };
    match rendered {
        Ok(rendered) => term::out(&rendered),
        Err(error) => {
            return Err(Fault::new(
                Exit::Defect,
                error,
                "this is a defect of gonogo: please report it",
            ));
        }
    }
    term::say("not verified: `gonogo verify` proves who signed this and that it is whole");
    Ok(Exit::Go)
}

/// The report of the run in that directory, proven by nobody.
pub(super) fn read(directory: &Path) -> Result<Report, Fault> {
    let path = directory.join("report.json");
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
