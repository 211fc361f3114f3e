//! Where evidence is handed over, and the case that tries it. Sends nothing.

use jiff::Timestamp;

use super::{Reading, asked, email, said, submission, url};
use crate::encryption::{self, AgeRecipient};
use crate::inventory::fields::{self, Keys};
use crate::inventory::page::{Mark, Page};
use crate::inventory::read::access;
use crate::inventory::vendor::{Intake, IntakeTo, ProcessTest};
use crate::inventory::yaml::Node;
use crate::inventory::{grammar, size};
use crate::probe::DropLogin;

#[derive(Clone, Copy)]
enum Kind {
    Sftp,
    Https,
    Email,
}

const KINDS: [(&str, Kind); 3] = [
    ("sftp", Kind::Sftp),
    ("https", Kind::Https),
    ("e-mail", Kind::Email),
];

/// What the name of a file may be made of.
pub(super) const PLACEHOLDERS: [&str; 6] =
    ["case", "vendor", "environment", "instance", "host", "utc"];

pub(super) fn intake(
    page: &mut Page<'_>,
    node: &Node<'_>,
    reading: &mut Reading<'_>,
) -> Vec<Intake> {
    let one = |page: &mut Page<'_>, item: &Node<'_>| one(page, item, reading);
    let all = fields::list(page, node, "intake", one);
    all.map(|all| all.value).unwrap_or_default()
}

fn one(page: &mut Page<'_>, item: &Node<'_>, reading: &mut Reading<'_>) -> Option<Intake> {
    let mut keys = Keys::of(page, item, "a way of `intake`", item.at)?;
    let kind = keys.require("kind", "sftp");
    let kind = kind.and_then(|node| fields::word(page, node, "kind", &KINDS));
    let to = match kind.as_ref().map(|kind| kind.value) {
        Some(Kind::Sftp) => sftp(page, &mut keys, item.at, reading),
        Some(Kind::Https) => {
            let place = keys.require("url", "https://uploads.example.com/cases");
            let token = keys.take("token_env");
            let token = token.and_then(|node| access::variable(page, node, "token_env"));
            let place = place.and_then(|node| {
                let place = url(page, node, "url")?;
                if !place.starts_with("https://") {
                    page.refuse(
                        node.at,
                        "evidence never goes out unencrypted",
                        "write an https:// address",
                    );
                }
                Some(place)
            });
            let link = asked::link(page, &mut keys, place, reading);
            link.map(|link| IntakeTo::Https {
                link,
                token_env: token.map(|token| token.value),
            })
        }
        Some(Kind::Email) => {
            let to = keys.require("to", "support@example.com");
            let to = to.and_then(|node| email(page, node, "to"));
            let by = submission::submission(page, &mut keys, item.at, reading);
            to.map(|to| IntakeTo::Email { to, by })
        }
        None => {
            // Which keys belong here nobody knows: only the kind is refused.
            for key in [
                "host",
                "port",
                "user",
                "directory",
                "host_key",
                "key",
                "passphrase_env",
                "agent",
                "password_env",
                "url",
                "token_env",
                "ca",
                "redirects",
                "to",
                "from",
                "tls",
                "subject",
            ] {
                keys.take(key);
            }
            None
        }
    };
    let max_bytes = keys.take("max_bytes");
    let max_bytes = max_bytes.and_then(|node| {
        fields::parsed(page, node, "max_bytes", |text| {
            size::parse(text).map_err(|_| size::HINT.to_owned())
        })
    });
    let name = keys.take("name");
    let name = name.and_then(|node| fields::checked(page, node, "name", file_name));
    let texts = |page: &mut Page<'_>, node: Option<&Node<'_>>, key, rule| {
        let all = node.and_then(|node| fields::names(page, node, key, rule));
        let all = all.map(|all| all.value).unwrap_or_default();
        all.into_iter().map(|text| text.value).collect::<Vec<_>>()
    };
    let extensions = texts(page, keys.take("extensions"), "extensions", extension);
    let encrypt_to = keys.take("encrypt_to");
    let encrypt_to = encrypt_to.map_or_else(Vec::new, |node| recipients(page, node));
    let openpgp_key = keys.take("openpgp_key");
    let openpgp_key = openpgp_key.and_then(|node| {
        let file = access::file(page, node, "openpgp_key", reading.folder)?;
        if encrypt_to.iter().all(|one| encryption::written(one)) {
            let hint = "write the 40 digits of its fingerprint into `encrypt_to`: another key would be taken unseen";
            page.refuse(node.at, "`openpgp_key` is of nobody in `encrypt_to`", hint);
        }
        reading.openpgp.push(file.clone());
        Some(file.value)
    });
    keys.done(page);
    Some(Intake {
        to: to?,
        max_bytes: max_bytes.map(|bytes| bytes.value),
        name: name.map(|name| name.value),
        extensions,
        encrypt_to,
        openpgp_key,
    })
}

fn sftp(
    page: &mut Page<'_>,
    keys: &mut Keys<'_, '_>,
    at: Mark,
    reading: &mut Reading<'_>,
) -> Option<IntakeTo> {
    let host = keys.require("host", "drop.example.com");
    let host = host.and_then(|node| fields::checked(page, node, "host", grammar::address));
    let user = keys.require("user", "customer-17");
    let user = user.and_then(|node| fields::checked(page, node, "user", grammar::user));
    let port = keys.take("port");
    let port = port.and_then(|node| fields::parsed(page, node, "port", access::port));
    // Without it evidence could go to anybody. A run that was made without is judged as it was.
    let pin = match reading.records {
        None => keys.require("host_key", "\"SHA256:…\""),
        Some(_) => keys.take("host_key"),
    };
    let pin = pin.and_then(|node| fields::checked(page, node, "host_key", grammar::pin));
    let directory = keys.take("directory");
    let directory =
        directory.and_then(|node| fields::checked(page, node, "directory", remote_directory));
    let login = login(page, keys, at, reading);
    Some(IntakeTo::Sftp {
        host: host?.value,
        port: port.map_or(22, |port| port.value),
        user: user?.value,
        directory: directory.map(|directory| directory.value),
        host_key: pin.map(|pin| pin.value),
        login,
    })
}

/// `in`, `/in/cases`: below where the account begins, or absolute.
fn remote_directory(text: &str) -> Result<(), String> {
    grammar::stated(text)?;
    let is_odd = |c: char| c.is_control() || "*?[]\\\"'`$".contains(c);
    match text.chars().any(is_odd) || text.split('/').any(|part| part == "..") {
        true => Err("write a plain path, without `..`, quotes and `*?[]\\$`".to_owned()),
        false => Ok(()),
    }
}

/// One way to log in: which of two was tried would be nobody's knowledge.
fn login(
    page: &mut Page<'_>,
    keys: &mut Keys<'_, '_>,
    at: Mark,
    reading: &mut Reading<'_>,
) -> Option<DropLogin> {
    let key = keys.take("key");
    let key = key.and_then(|node| access::file(page, node, "key", reading.folder));
    reading.keys.extend(key.clone());
    let mut named = |key: &'static str| {
        let node = keys.take(key)?;
        access::variable(page, node, key).map(|name| name.value)
    };
    let (passphrase_env, password) = (named("passphrase_env"), named("password_env"));
    let agent = keys.take("agent");
    let agent = agent.and_then(|node| fields::flag(page, node, "agent"));
    let agent = agent.is_some_and(|agent| agent.value);
    let ways = [key.is_some(), agent, password.is_some()];
    if ways.iter().filter(|said| **said).count() > 1 {
        let hint = "keep one of `key`, `agent` and `password_env`";
        page.refuse(at, "this intake is logged in to in several ways", hint);
    }
    if passphrase_env.is_some() && key.is_none() {
        page.refuse(at, "`passphrase_env` without a `key`", "write `key: FILE`");
    }
    match (key, password) {
        (Some(key), _) => Some(DropLogin::Key {
            path: key.value,
            passphrase_env,
        }),
        (None, Some(env)) => Some(DropLogin::Password { env }),
        (None, None) => agent.then_some(DropLogin::Agent),
    }
}

/// `{case}_{host}_{utc}.tar.zst`.
fn file_name(text: &str) -> Result<(), String> {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        let (name, behind) = behind.split_once('}').ok_or("close the `{` with a `}`")?;
        if !PLACEHOLDERS.contains(&name) {
            return Err(format!(
                "`{{{name}}}` stands for nothing: there are {}",
                PLACEHOLDERS.join(", ")
            ));
        }
        plain.push_str(before);
        rest = behind;
    }
    plain.push_str(rest);
    let is_portable = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    match !text.is_empty() && plain.chars().all(is_portable) && !text.starts_with(['.', '-']) {
        true => Ok(()),
        false => Err(
            "a file's name has letters, digits and `._-`, and begins with none of `.-`".to_owned(),
        ),
    }
}

fn extension(text: &str) -> Result<(), String> {
    let rest = text.strip_prefix('.').unwrap_or_default();
    let good = !rest.is_empty()
        && (rest.split('.'))
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric()));
    match good {
        true => Ok(()),
        false => Err("write an ending with its dot, such as .tar.zst".to_owned()),
    }
}

/// age recipients, SSH keys, and OpenPGP fingerprints: a short key id can be made by anybody. What is refused is not
/// repeated: it may be a private key.
fn recipients(page: &mut Page<'_>, node: &Node<'_>) -> Vec<String> {
    let (mut found, mut known): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let mut one = |page: &mut Page<'_>, item: &Node<'_>| {
        let text = fields::text(page, item, "encrypt_to")?;
        let is_openpgp =
            text.value.len() == 40 && text.value.bytes().all(|c| c.is_ascii_hexdigit());
        if !is_openpgp && !encryption::written(&text.value) {
            let hint = "write an age recipient (age1…), an SSH public key, or the 40 digits of an OpenPGP fingerprint";
            page.refuse(text.at, "`encrypt_to`: this is nobody to encrypt to", hint);
            return None;
        }
        // An SSH key is the same with another comment, a fingerprint in small letters.
        let meant = match is_openpgp {
            true => text.value.to_ascii_uppercase(),
            false => match AgeRecipient::read(&text.value) {
                Ok(one) => one.told(),
                Err((why, hint)) => {
                    page.refuse(text.at, format!("`encrypt_to`: {why}"), hint);
                    return None;
                }
            },
        };
        if known.contains(&meant) {
            page.refuse(
                text.at,
                "`encrypt_to` names this one twice",
                "name each once",
            );
        }
        known.push(meant);
        found.push(text.value);
        Some(())
    };
    fields::list(page, node, "encrypt_to", &mut one);
    found
}

pub(super) fn process_test(page: &mut Page<'_>, node: &Node<'_>, at: Mark) -> Option<ProcessTest> {
    let mut keys = Keys::of(page, node, "`process_test`", at)?;
    let case = said(page, &mut keys, "case");
    let opened = instant(page, &mut keys, "opened");
    let acknowledged = instant(page, &mut keys, "acknowledged");
    let within = keys.take("within");
    let within = within.and_then(|node| fields::parsed(page, node, "within", access::duration));
    keys.done(page);
    if let (Some(opened), Some(acknowledged)) = (opened, acknowledged)
        && acknowledged < opened
    {
        page.refuse(
            at,
            "this case was acknowledged before it was opened",
            "see which of the times is wrong, and their offsets from UTC",
        );
    }
    Some(ProcessTest {
        case,
        opened,
        acknowledged,
        within: within.map(|within| within.value),
    })
}

fn instant(page: &mut Page<'_>, keys: &mut Keys<'_, '_>, key: &'static str) -> Option<Timestamp> {
    let node = keys.take(key)?;
    let read = |text: &str| {
        text.parse::<Timestamp>().map_err(|_| {
            "write day, time and offset from UTC, such as 2026-10-01T09:30:00-04:00".to_owned()
        })
    };
    fields::parsed(page, node, key, read).map(|instant| instant.value)
}
