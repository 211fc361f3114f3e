//! The keys of logging in, as `ssh:`, a team or a host writes them. What overrides what is decided
//! in `login.rs`.

use std::path::{Path, PathBuf};

use super::ways;
use crate::inventory::access::{Client, Elevate, Transport};
use crate::inventory::fields::{self, Keys};
use crate::inventory::gather::Gather;
use crate::inventory::page::{Page, Spanned, Text};
use crate::inventory::raw::Access;
use crate::inventory::ssh_config::Source;
use crate::inventory::yaml::{Node, Value};
use crate::inventory::{grammar, size};
use crate::time;

const TRANSPORTS: [(&str, Transport); 3] = [
    ("auto", Transport::Auto),
    ("exec", Transport::Exec),
    ("sftp", Transport::Sftp),
];
const GATHER: [(&str, Gather); 2] = [("each", Gather::Each), ("framed", Gather::Framed)];
const CLIENTS: [(&str, Client); 2] = [("ssh2", Client::Ssh2), ("openssh", Client::Openssh)];
const ELEVATE: [(&str, bool); 2] = [("none", false), ("sudo", true)];
const DURATION: &str = "write a whole number and a unit (ms, s, m, h, d), such as 10s or 2m";

/// Takes the shared keys; the caller takes its own, calls `done` and then knows whether something
/// was `refused` beside what is `unrelated`.
pub(super) fn access(page: &mut Page<'_>, keys: &mut Keys<'_, '_>, folder: &Path) -> Access {
    let mut access = Access::default();
    if let Some(node) = keys.take("user") {
        access.user = fields::checked(page, node, "user", grammar::user);
    }
    let before = page.refusals();
    if let Some(node) = keys.take("port") {
        access.port = fields::parsed(page, node, "port", port);
    }
    access.unrelated += page.refusals() - before;
    if let Some(node) = keys.take("known_hosts") {
        access.known_hosts = fields::list(page, node, "known_hosts", |page, item| {
            file(page, item, "known_hosts", folder)
        });
    }
    if let Some(node) = keys.take("host_key") {
        access.host_key = fields::checked(page, node, "host_key", grammar::pin);
    }
    if let Some(node) = keys.take("via") {
        access.via = fields::names(page, node, "via", grammar::name);
    }
    let before = page.refusals();
    bounds(page, keys, &mut access);
    access.unrelated += page.refusals() - before;
    if let Some(node) = keys.take("key") {
        access.key = file(page, node, "key", folder);
    }
    if let Some(node) = keys.take("agent") {
        access.agent = ways::agent(page, node, folder);
    }
    if let Some(node) = keys.take("certificate") {
        access.certificate = file(page, node, "certificate", folder);
    }
    if let Some(node) = keys.take("passphrase_env") {
        access.passphrase_env = variable(page, node, "passphrase_env");
    }
    if let Some(node) = keys.take("keyboard_interactive") {
        access.keyboard_interactive = ways::keyboard_interactive(page, node, folder);
    }
    if let Some(node) = keys.take("password_env") {
        access.password_env = variable(page, node, "password_env");
    }
    if let Some(node) = keys.take("elevate") {
        access.elevate = elevate(page, node);
    }
    if let Some(node) = keys.take("transport") {
        access.transport = fields::word(page, node, "transport", &TRANSPORTS);
    }
    if let Some(node) = keys.take("gather") {
        access.gather = fields::word(page, node, "gather", &GATHER);
    }
    if let Some(node) = keys.take("client") {
        access.client = fields::word(page, node, "client", &CLIENTS);
    }
    if let Some(node) = keys.take("ssh_config") {
        access.ssh_config = ssh_config(page, node, folder);
    }
    let before = page.refusals();
    if let Some(node) = keys.take("chroot") {
        access.chroot = fields::checked(page, node, "chroot", grammar::directory);
    }
    access.unrelated += page.refusals() - before;
    access
}

/// What says how long and how much, and nothing of who logs in by what proof.
fn bounds(page: &mut Page<'_>, keys: &mut Keys<'_, '_>, access: &mut Access) {
    if let Some(node) = keys.take("connect_timeout") {
        access.connect_timeout = fields::parsed(page, node, "connect_timeout", duration);
    }
    if let Some(node) = keys.take("deadline") {
        access.deadline = fields::parsed(page, node, "deadline", duration);
    }
    if let Some(node) = keys.take("clock_tolerance") {
        access.clock_tolerance = fields::parsed(page, node, "clock_tolerance", duration);
    }
    if let Some(node) = keys.take("max_bytes") {
        access.max_bytes = fields::parsed(page, node, "max_bytes", |text| {
            size::parse(text).map_err(|_| size::HINT.to_owned())
        });
    }
}

pub(super) fn port(text: &str) -> Result<u16, String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits && port > 0 => Ok(port),
        _ => Err("a port is a whole number from 1 to 65535".into()),
    }
}

pub(super) fn duration(text: &str) -> Result<std::time::Duration, String> {
    time::parse_duration(text).map_err(|_| DURATION.to_owned())
}

/// A file of this machine: relative to the inventory, or below `~/`.
pub(super) fn file(
    page: &mut Page<'_>,
    node: &Node<'_>,
    key: &str,
    folder: &Path,
) -> Option<Spanned<PathBuf>> {
    let text = fields::checked(page, node, key, grammar::printable)?;
    let path = match text.value.strip_prefix('~') {
        None if text.value.is_empty() => Err("write a path, relative to the inventory file"),
        None => Ok(folder.join(&text.value)),
        Some(below) => match (below.strip_prefix('/'), std::env::home_dir()) {
            (Some(below), Some(home)) => Ok(home.join(below)),
            (Some(_), None) => Err("no home directory is known here: write the whole path"),
            (None, _) => Err("only `~/` is understood: write the whole path of another's home"),
        },
    };
    match path {
        Ok(value) => Some(Spanned { at: text.at, value }),
        Err(hint) => {
            let message = format!("`{key}`: `{}` names no file", text.value);
            page.refuse(text.at, message, hint);
            None
        }
    }
}

/// The operators' own ssh_config, or `none`.
fn ssh_config(
    page: &mut Page<'_>,
    node: &Node<'_>,
    folder: &Path,
) -> Option<Spanned<Option<Source>>> {
    let written = fields::text(page, node, "ssh_config")?;
    let at = written.at;
    if written.value == "none" {
        return Some(Spanned { at, value: None });
    }
    let path = file(page, node, "ssh_config", folder)?.value;
    let written = written.value;
    let value = Some(Source { written, path });
    Some(Spanned { at, value })
}

/// Name of an environment variable. What is no name may be the secret itself, and is not shown.
pub(super) fn variable(page: &mut Page<'_>, node: &Node<'_>, key: &str) -> Option<Text> {
    let text = fields::text(page, node, key)?;
    match grammar::identifier(&text.value) {
        Ok(()) => Some(text),
        Err(_) => {
            let message = format!("`{key}` is not the name of an environment variable");
            let hint = "write the variable's name, never the secret: letters, digits and `_`";
            page.refuse_unseen(text.at, message, hint);
            None
        }
    }
}

/// `none`, `sudo` or `{sudo: USER}`.
fn elevate(page: &mut Page<'_>, node: &Node<'_>) -> Option<Spanned<Elevate>> {
    let value = match &node.value {
        Value::Map(_) => {
            let mut keys = Keys::of(page, node, "`elevate`", node.at)?;
            let user = keys.require("sudo", "amps");
            let user = user.and_then(|node| fields::checked(page, node, "sudo", grammar::user));
            keys.done(page);
            Elevate::User(user?.value)
        }
        _ => match fields::word(page, node, "elevate", &ELEVATE)?.value {
            false => Elevate::None,
            true => Elevate::Root,
        },
    };
    Some(Spanned { at: node.at, value })
}
