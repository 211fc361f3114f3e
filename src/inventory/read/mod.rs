//! From YAML nodes to the inventory as written. Looks at one value at a time: types, words, numbers
//! and grammars are judged here, everything that needs a second value is `resolve`'s.

mod access;
mod artifact;
mod discover;
mod never;
mod profile;
mod vendor;
mod ways;

use std::path::Path;

use super::fields::{self, Keys};
use super::grammar;
use super::page::{Page, Spanned, Text};
use super::raw::{Access, Host, Instance, Product, Raw, Team};
use super::yaml::{Entry, Node, Value};

pub(super) use artifact::artifacts;
pub(super) use profile::{profile, rules};
pub use vendor::holidays::ENDS as HOLIDAYS_END;
use vendor::holidays::Records;

/// Reads the whole file. `folder` is what relative paths in it start from; what a run has kept of files of holidays
/// stands in `records`.
pub(super) fn inventory(
    page: &mut Page<'_>,
    root: &Node<'_>,
    folder: &Path,
    records: Option<&Records>,
) -> Raw {
    let mut raw = Raw::default();
    let Some(mut keys) = Keys::of(page, root, "the inventory", root.at) else {
        return raw;
    };
    if let Some(node) = keys.require("environment", "production") {
        raw.environment = fields::checked(page, node, "environment", grammar::name);
    }
    if let Some(entry) = keys.entry("ssh") {
        raw.ssh_at = Some(entry.at);
        if let Some(mut keys) = Keys::of(page, &entry.value, "`ssh`", entry.at) {
            let before = page.refusals();
            raw.ssh = access::access(page, &mut keys, folder);
            keys.done(page);
            raw.ssh.refused = page.refusals() > before + raw.ssh.unrelated;
        }
    }
    let mut whole;
    let aliased = names_ssh_config(root);
    (raw.hosts, whole) = named(page, keys.take("hosts"), "hosts", |page, name, node| {
        host(page, name, node, folder, aliased)
    });
    raw.unread.hosts = !whole;
    (raw.teams, whole) = named(page, keys.take("teams"), "teams", |page, name, node| {
        team(page, name, node, folder)
    });
    raw.unread.teams = !whole;
    (raw.products, whole) = named(page, keys.take("products"), "products", product);
    raw.unread.products = !whole;
    let (instances, _) = named(page, keys.take("instances"), "instances", instance);
    raw.instances = instances.into_iter().flatten().collect();
    (raw.vendors, whole) = named(page, keys.take("vendors"), "vendors", |page, name, node| {
        vendor::vendor(page, name, node, folder, records)
    });
    raw.unread.vendors = !whole;
    keys.done(page);
    raw
}

/// The entries of a mapping from names, and false when it was no mapping at all: references into it
/// are then nobody's mistake.
fn named<T>(
    page: &mut Page<'_>,
    node: Option<&Node<'_>>,
    section: &str,
    mut read: impl FnMut(&mut Page<'_>, Text, &Node<'_>) -> T,
) -> (Vec<T>, bool) {
    let Some(node) = node else {
        return (Vec::new(), true);
    };
    let Some(entries) = fields::entries(page, node, &format!("`{section}`")) else {
        return (Vec::new(), false);
    };
    let read = |entry: &Entry<'_>| {
        let name = key_name(page, entry);
        read(page, name, &entry.value)
    };
    (entries.iter().map(read).collect(), true)
}

/// The key of an entry as a name; a bad one is refused and still kept, so that references to it
/// are not refused as well.
fn key_name(page: &mut Page<'_>, entry: &Entry<'_>) -> Text {
    if let Err(hint) = grammar::name(&entry.key) {
        let message = format!("`{}` is not acceptable as a name", entry.key);
        page.refuse(entry.at, message, hint);
    }
    Spanned {
        at: entry.at,
        value: entry.key.as_ref().to_owned(),
    }
}

/// Whether some login follows an ssh_config: then a host's own name may be all that says where it is,
/// and `resolve` knows whether it is.
fn names_ssh_config(root: &Node<'_>) -> bool {
    let inside = |node: &Node<'_>| match &node.value {
        Value::Map(entries) => entries.iter().any(|entry| entry.key == "ssh_config"),
        _ => false,
    };
    let Value::Map(sections) = &root.value else {
        return false;
    };
    sections
        .iter()
        .any(|section| match (&*section.key, &section.value.value) {
            ("ssh", _) => inside(&section.value),
            ("teams" | "hosts", Value::Map(entries)) => {
                entries.iter().any(|entry| inside(&entry.value))
            }
            _ => false,
        })
}

fn host(page: &mut Page<'_>, name: Text, node: &Node<'_>, folder: &Path, aliased: bool) -> Host {
    let owner = format!("host `{}`", name.value);
    let before = page.refusals();
    let mut host = Host::named(name);
    let Some(mut keys) = Keys::of(page, node, owner, host.name.at) else {
        host.access.refused = true;
        return host;
    };
    let address = match aliased {
        true => keys.take("address"),
        false => keys.require("address", "10.20.0.11"),
    };
    host.address =
        address.and_then(|node| fields::checked(page, node, "address", grammar::address));
    host.access = access::access(page, &mut keys, folder);
    let own = page.refusals();
    if let Some(node) = keys.take("groups") {
        let groups = fields::names(page, node, "groups", grammar::name);
        host.groups = groups.map(|groups| groups.value).unwrap_or_default();
    }
    if let Some(entry) = keys.entry("identity")
        && let Some(mut inner) = Keys::of(page, &entry.value, "`identity`", entry.at)
    {
        let hostname = inner.take("hostname");
        host.hostname =
            hostname.and_then(|node| fields::checked(page, node, "hostname", grammar::hostname));
        let id = inner.take("machine_id");
        host.machine_id =
            id.and_then(|node| fields::checked(page, node, "machine_id", grammar::machine_id));
        inner.done(page);
    }
    if let Some(node) = keys.take("machine") {
        host.machine = fields::checked(page, node, "machine", grammar::name);
    }
    if let Some(node) = keys.take("runner") {
        host.runner = fields::flag(page, node, "runner");
    }
    if let Some(node) = keys.take("timezone") {
        host.timezone = fields::checked(page, node, "timezone", grammar::timezone);
    }
    let unrelated = host.access.unrelated + (page.refusals() - own);
    keys.done(page);
    host.access.refused = page.refusals() > before + unrelated;
    host
}

fn team(page: &mut Page<'_>, name: Text, node: &Node<'_>, folder: &Path) -> Team {
    let mut access = Access::default();
    if let Some(mut keys) = Keys::of(page, node, format!("team `{}`", name.value), name.at) {
        let before = page.refusals();
        access = access::access(page, &mut keys, folder);
        keys.done(page);
        access.refused = page.refusals() > before + access.unrelated;
    }
    Team { name, access }
}

fn product(page: &mut Page<'_>, name: Text, node: &Node<'_>) -> Product {
    let owner = format!("product `{}`", name.value);
    let mut product = Product::named(name);
    if let Some(mut keys) = Keys::of(page, node, owner, product.name.at) {
        let vendor = keys.take("vendor");
        product.vendor =
            vendor.and_then(|node| fields::checked(page, node, "vendor", grammar::name));
        let profile = keys.take("profile");
        product.profile = profile.and_then(|node| chosen(page, node));
        product.artifacts = artifacts(page, keys.take("artifacts"));
        keys.done(page);
    }
    product
}

/// The name of a built-in profile, or the path of a file.
fn chosen(page: &mut Page<'_>, node: &Node<'_>) -> Option<Text> {
    let text = fields::text(page, node, "profile")?;
    let rule = match super::profile::is_path(&text.value) {
        true => grammar::printable,
        false => grammar::name,
    };
    fields::checked(page, node, "profile", rule)
}

fn instance(page: &mut Page<'_>, name: Text, node: &Node<'_>) -> Option<Instance> {
    let mut keys = Keys::of(page, node, format!("instance `{}`", name.value), name.at)?;
    let product = keys.require("product", "amps");
    let product = product.and_then(|node| fields::checked(page, node, "product", grammar::name));
    let host = keys.require("host", "ny4-1");
    let host = host.and_then(|node| fields::checked(page, node, "host", grammar::name));
    let teams = keys.require("teams", "[operations]");
    let teams = teams.and_then(|node| {
        let teams = fields::names(page, node, "teams", grammar::name)?;
        if matches!(&node.value, Value::List(items) if items.is_empty()) {
            let message = format!("nobody is responsible for instance `{}`", name.value);
            page.refuse(node.at, message, "name a team: `teams: [operations]`");
        }
        Some(teams.value)
    });
    let vars = vars(page, keys.take("vars"));
    let (mut expect_version, mut expect_name) = (None, None);
    if let Some(entry) = keys.entry("expect")
        && let Some(mut inner) = Keys::of(page, &entry.value, "`expect`", entry.at)
    {
        let version = inner.take("version");
        expect_version =
            version.and_then(|node| fields::checked(page, node, "version", grammar::stated));
        let name = inner.take("name");
        expect_name = name.and_then(|node| fields::checked(page, node, "name", grammar::stated));
        inner.done(page);
    }
    let artifacts = artifacts(page, keys.take("artifacts"));
    keys.done(page);
    Some(Instance {
        name,
        product,
        host,
        teams: teams.unwrap_or_default(),
        vars,
        expect_version,
        expect_name,
        artifacts,
    })
}

fn vars(page: &mut Page<'_>, node: Option<&Node<'_>>) -> Vec<(Text, Text)> {
    let Some(entries) = node.and_then(|node| fields::entries(page, node, "`vars`")) else {
        return Vec::new();
    };
    let mut vars = Vec::with_capacity(entries.len());
    for entry in entries {
        let key = entry.key.as_ref();
        if let Err(hint) = grammar::identifier(key) {
            let message = format!("`{key}` cannot be a placeholder's name");
            page.refuse(entry.at, message, hint);
        }
        if let Some(value) = fields::checked(page, &entry.value, key, grammar::printable) {
            let name = Spanned {
                at: entry.at,
                value: key.to_owned(),
            };
            vars.push((name, value));
        }
    }
    vars
}
