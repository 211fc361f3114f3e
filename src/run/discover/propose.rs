//! From what was seen of a process to what an inventory would say of it, each value with its reason. A value
//! that may hold a secret, or that no inventory may hold, is left out and said to be.

use super::look::Seen;
use crate::evidence::redact::Capture;
use crate::inventory::{From, To};
use crate::text;

/// One instance for an inventory.
#[derive(Debug, Default)]
pub(super) struct Proposal {
    pub product: String,
    /// Where it was seen.
    pub seen: String,
    /// What it calls itself.
    pub name: Option<Told>,
    pub vars: Vec<(String, Told)>,
    /// Artifact, key, value.
    pub artifacts: Vec<(String, &'static str, Told)>,
    /// What could not be found or told.
    pub notes: Vec<String>,
}

/// A value and why it is the one.
#[derive(Debug)]
pub(super) struct Told {
    pub value: String,
    pub why: String,
}

pub(super) fn propose(seen: &Seen) -> Proposal {
    let process = &seen.process;
    let mut proposal = Proposal {
        product: seen.discover.product.clone(),
        seen: format!("process {} of account {}", process.pid, process.user),
        ..Proposal::default()
    };
    let cwd = seen.cwd.as_deref().ok();
    for (what, why) in [
        ("where it works", &seen.cwd),
        ("its program's file", &seen.exe),
    ] {
        if let Err(why) = why {
            proposal.notes.push(format!("{what} is not known: {why}"));
        }
    }
    if let Err(why) = &seen.configuration {
        proposal
            .notes
            .push(format!("its configuration is not known: {why}"));
    }
    for tell in &seen.discover.tells {
        let texts: Vec<(String, String)> = match &tell.from {
            From::Program => program(seen)
                .map(|path| (path, "the program's path".to_owned()))
                .into_iter()
                .collect(),
            From::Arguments => {
                vec![(
                    format!(" {}", process.arguments),
                    "its arguments".to_owned(),
                )]
            }
            From::Configuration => match &seen.configuration {
                Ok((path, _)) => vec![(path.clone(), "the configuration that was read".to_owned())],
                Err(_) => Vec::new(),
            },
            From::Setting(wanted) => match &seen.configuration {
                Ok((path, settings)) => {
                    let list = settings.list.iter();
                    let found = list.filter(|setting| setting.path == *wanted);
                    found
                        .map(|setting| {
                            let why = format!("{wanted}, {path}:{}", setting.line);
                            (setting.value.clone(), why)
                        })
                        .collect()
                }
                Err(_) => Vec::new(),
            },
        };
        for (text, why) in texts {
            if let Some(value) = tell.read(text.trim_end()) {
                proposal.take(&tell.to, value, why, cwd);
            }
        }
    }
    proposal
}

/// The program's file: what the link says, else how it was called.
fn program(seen: &Seen) -> Option<String> {
    let called = &seen.process.program;
    match &seen.exe {
        // proc(5): the file was replaced or removed meanwhile.
        Ok(path) => Some(path.trim_end_matches(" (deleted)").to_owned()),
        Err(_) => absolute(called, seen.cwd.as_deref().ok()).filter(|_| called.contains('/')),
    }
}

impl Proposal {
    fn take(&mut self, to: &To, value: String, why: String, cwd: Option<&str>) {
        if let Err(reason) = fit(&value) {
            self.notes.push(format!("{why}: not shown, {reason}"));
            return;
        }
        let path = |value: &str| match absolute(value, cwd) {
            Some(path) => Ok(path),
            None => Err(format!(
                "{why}: `{value}` starts from where it works, which is not known"
            )),
        };
        let mut note = None;
        match to {
            To::Var(name) if self.vars.iter().any(|(known, _)| known == name) => {}
            To::Var(name) => self.vars.push((name.clone(), Told { value, why })),
            To::Name => self.name = self.name.take().or(Some(Told { value, why })),
            To::Path(name) | To::Rotated(name) | To::Mask(name) => {
                let key = if matches!(to, To::Mask(_)) {
                    "mask"
                } else {
                    "path"
                };
                let tail = if matches!(to, To::Rotated(_)) {
                    "*"
                } else {
                    ""
                };
                if self.artifacts.iter().any(|(known, ..)| known == name) {
                    note = Some(format!("{why}: another place of {name}, `{value}`"));
                } else if value.starts_with(':') || value.contains("${") {
                    note = Some(format!("{why}: `{value}` is no path that could be fetched"));
                } else {
                    match path(&value) {
                        Ok(path) => {
                            let value = format!("{path}{tail}");
                            self.artifacts
                                .push((name.clone(), key, Told { value, why }));
                        }
                        Err(reason) => note = Some(reason),
                    }
                }
            }
        }
        self.notes.extend(note);
    }
}

/// Whether an inventory may hold it.
fn fit(value: &str) -> Result<(), &'static str> {
    if value.is_empty() || value.contains(text::is_unsafe) || value.chars().count() > 1000 {
        return Err("it holds what no inventory may");
    }
    match Capture::new(value).redact().text == value {
        true => Ok(()),
        false => Err("it may hold a secret"),
    }
}

/// The path from the root on, `.` and `..` taken out; `None` when nobody knows where it begins.
pub(super) fn absolute(path: &str, cwd: Option<&str>) -> Option<String> {
    let whole = match path.starts_with('/') {
        true => path.to_owned(),
        false => format!("{}/{path}", cwd?),
    };
    let mut kept: Vec<&str> = Vec::new();
    for name in whole.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(kept.pop()),
            name => kept.push(name),
        }
    }
    Some(format!("/{}", kept.join("/")))
}
