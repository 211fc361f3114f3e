//! Whether the files that an inventory names are there. Apart from reading the inventory, so that a
//! plan can be made where the keys are not.

use std::fs::Metadata;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::access::{AgentKey, Auth, Login};
use super::page::{Mark, Page, Spanned};
use super::raw::{Access, Raw};
use crate::problem::{Place, Problem};

/// One file named in the inventory, and where.
#[derive(Clone, Debug)]
pub(super) struct FileUse {
    place: Place,
    line: Option<String>,
    role: Role,
    path: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Key,
    Certificate,
    AgentKey,
    KnownHosts,
    Ca,
    OpenPgp,
}

impl Role {
    const fn noun(self) -> &'static str {
        match self {
            Self::Key => "key file",
            Self::Certificate => "certificate",
            Self::AgentKey => "public key file",
            Self::KnownHosts => "known_hosts file",
            Self::Ca => "file of certificates",
            Self::OpenPgp => "file of OpenPGP keys",
        }
    }
}

/// Every file that any level names.
pub(super) fn uses(raw: &Raw, page: &Page<'_>) -> Vec<FileUse> {
    let mut uses = Vec::new();
    let teams = raw.teams.iter().map(|team| &team.access);
    let hosts = raw.hosts.iter().map(|host| &host.access);
    for access in std::iter::once(&raw.ssh).chain(teams).chain(hosts) {
        of_level(access, page, &mut uses);
    }
    let products = raw.products.iter().map(|product| &product.artifacts);
    let instances = raw.instances.iter().map(|instance| &instance.artifacts);
    for artifact in products.chain(instances).flatten() {
        let ca = artifact.http.as_ref().and_then(|get| get.ca.as_ref());
        if let (Some(path), Some(at)) = (ca, artifact.ca_at) {
            uses.push(FileUse {
                place: page.place(at),
                line: page.line(at),
                role: Role::Ca,
                path: path.clone(),
            });
        }
    }
    for vendor in &raw.vendors {
        let of = |files: &'_ [Spanned<PathBuf>], role| {
            let files = files.iter().cloned();
            files.map(move |file| (file, role)).collect::<Vec<_>>()
        };
        let all = [
            of(&vendor.keys, Role::Key),
            of(&vendor.cas, Role::Ca),
            of(&vendor.openpgp, Role::OpenPgp),
        ];
        for (file, role) in all.into_iter().flatten() {
            uses.push(FileUse {
                place: page.place(file.at),
                line: page.line(file.at),
                role,
                path: file.value,
            });
        }
    }
    uses
}

fn of_level(access: &Access, page: &Page<'_>, uses: &mut Vec<FileUse>) {
    let mut note = |file: &Spanned<PathBuf>, role| {
        let at: Mark = file.at;
        uses.push(FileUse {
            place: page.place(at),
            line: page.line(at),
            role,
            path: file.value.clone(),
        });
    };
    if let Some(key) = &access.key {
        note(key, Role::Key);
    }
    if let Some(certificate) = &access.certificate {
        note(certificate, Role::Certificate);
    }
    if let Some(agent) = &access.agent
        && let Some(AgentKey::File(path)) = &agent.value
    {
        let (at, value) = (agent.at, path.clone());
        note(&Spanned { at, value }, Role::AgentKey);
    }
    for file in access.known_hosts.iter().flat_map(|files| &files.value) {
        note(file, Role::KnownHosts);
    }
}

/// What is missing or, for a key, readable by others (as ssh(1) refuses it too).
pub(super) fn check(uses: &[FileUse]) -> Vec<Problem> {
    uses.iter().filter_map(check_one).collect()
}

/// The same of the keys that an ssh_config names: ssh(1) skips those that are not there, so one is enough.
pub(super) fn check_followed(login: &Login) -> Vec<Problem> {
    let mut problems = Vec::new();
    for stop in login.via.iter().chain([login]) {
        let Some(config) = stop
            .ssh_config
            .as_ref()
            .filter(|config| !config.offers.is_empty())
        else {
            continue;
        };
        let checked = stop.auth.iter().map(|way| match way {
            Auth::Key { path, .. } => check_one(&FileUse {
                place: Place::whole(&config.path),
                line: None,
                role: Role::Key,
                path: path.clone(),
            }),
            _ => None,
        });
        let (wrong, right): (Vec<_>, Vec<_>) = checked.partition(Option::is_some);
        let open = |problem: &Problem| problem.hint.starts_with("chmod");
        let wrong = wrong.into_iter().flatten();
        problems.extend(wrong.filter(|problem| right.is_empty() || open(problem)));
    }
    problems
}

fn check_one(file: &FileUse) -> Option<Problem> {
    let noun = file.role.noun();
    let path = file.path.display();
    let (message, hint) = match std::fs::metadata(&file.path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => (
            format!("{noun} {path} does not exist"),
            "paths are relative to the inventory file".to_owned(),
        ),
        Err(error) => (
            format!("{noun} {path} cannot be looked at: {error}"),
            String::new(),
        ),
        Ok(found) if !found.is_file() => (
            format!("{noun} {path} is not a regular file"),
            "name the file itself".to_owned(),
        ),
        Ok(found) if file.role == Role::Key && is_open(&found) => (
            format!(
                "key file {path} can be read or written by others (mode {:04o})",
                found.permissions().mode() & 0o7777
            ),
            format!("chmod 600 {path}"),
        ),
        Ok(found) if found.len() == 0 => (format!("{noun} {path} is empty"), String::new()),
        Ok(_) => return None,
    };
    let mut problem = Problem::new(file.place.clone(), message).with_hint(hint);
    problem.line = file.line.clone();
    Some(problem)
}

fn is_open(found: &Metadata) -> bool {
    found.permissions().mode() & 0o077 != 0
}
