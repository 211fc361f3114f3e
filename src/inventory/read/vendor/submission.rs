//! The mail server of an e-mail intake: encrypted, unless it is this very machine. Sends nothing.

use std::net::IpAddr;

use super::intake::PLACEHOLDERS;
use super::{Reading, email};
use crate::inventory::fields::{self, Keys};
use crate::inventory::grammar;
use crate::inventory::page::{Mark, Page};
use crate::inventory::read::access;
use crate::inventory::vendor::Submission;
use crate::probe::{Desk, Tls};

const TLS: [(&str, Tls); 3] = [
    ("starttls", Tls::Starttls),
    ("implicit", Tls::Implicit),
    ("none", Tls::None),
];

/// `None` where a person sends it.
pub(super) fn submission(
    page: &mut Page<'_>,
    keys: &mut Keys<'_, '_>,
    at: Mark,
    reading: &mut Reading<'_>,
) -> Option<Submission> {
    let host_node = keys.take("host");
    let host = host_node.and_then(|node| fields::checked(page, node, "host", grammar::address));
    let from_node = keys.take("from");
    let from = from_node.and_then(|node| email(page, node, "from"));
    let port = keys.take("port");
    let port = port.and_then(|node| fields::parsed(page, node, "port", access::port));
    let tls_node = keys.take("tls");
    let tls = tls_node.and_then(|node| fields::word(page, node, "tls", &TLS));
    let ca = keys.take("ca");
    let ca = ca.and_then(|node| access::file(page, node, "ca", reading.folder));
    let user = keys.take("user");
    let user = user.and_then(|node| fields::checked(page, node, "user", account));
    let password = keys.take("password_env");
    let password = password.and_then(|node| access::variable(page, node, "password_env"));
    let subject_node = keys.take("subject");
    let subject = subject_node.and_then(|node| fields::checked(page, node, "subject", subject));
    let is_begun = host_node.is_some() || from_node.is_some();
    let has_more = port.is_some()
        || tls_node.is_some()
        || ca.is_some()
        || user.is_some()
        || password.is_some()
        || subject_node.is_some();
    if host_node.is_none() && (is_begun || has_more) {
        let hint = "write `host:` of the server that takes your mail";
        page.refuse(at, "this e-mail intake says no `host` to send by", hint);
    }
    if from_node.is_none() && (is_begun || has_more) {
        let hint = "write `from:` with the address that the vendor knows";
        page.refuse(at, "this e-mail intake says no `from`", hint);
    }
    if user.is_some() != password.is_some() {
        let hint = "write both `user:` and `password_env: NAME`, or neither";
        page.refuse(at, "half an account for the mail server", hint);
    }
    let port = port.map_or(587, |port| port.value);
    let tls_at = tls.as_ref().map_or(at, |tls| tls.at);
    let tls = tls.map(|tls| tls.value).unwrap_or(match port {
        465 => Tls::Implicit,
        _ => Tls::Starttls,
    });
    if let (Tls::None, Some(host)) = (tls, &host) {
        if !is_here(&host.value) {
            let hint = "`tls: none` is for a mail server on this machine, at a loopback address";
            page.refuse(tls_at, "evidence never goes out unencrypted", hint);
        }
        if user.is_some() {
            let hint = "remove `user`, or `tls: none`";
            page.refuse(tls_at, "a password never goes in plain text", hint);
        }
        if let Some(ca) = &ca {
            page.refuse(ca.at, "`ca` without TLS", "remove it, or `tls: none`");
        }
    }
    reading.cas.extend(ca.clone());
    let account = user.zip(password);
    Some(Submission {
        desk: Desk {
            host: host?.value,
            port,
            tls,
        },
        ca: ca.map(|ca| ca.value),
        from: from?,
        account: account.map(|(user, password)| (user.value, password.value)),
        subject: subject.map(|subject| subject.value),
    })
}

fn is_here(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Often an address.
fn account(text: &str) -> Result<(), String> {
    grammar::stated(text)?;
    match text.chars().any(char::is_control) || text.len() > 255 {
        true => Err("write the name of the account, as its owner types it".to_owned()),
        false => Ok(()),
    }
}

/// `Case {case}: {instance}`.
fn subject(text: &str) -> Result<(), String> {
    grammar::stated(text)?;
    if text.chars().any(char::is_control) || text.len() > 200 {
        return Err("write one line of at most 200 bytes".to_owned());
    }
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once('{') {
        let (name, behind) = behind.split_once('}').ok_or("close the `{` with a `}`")?;
        if !PLACEHOLDERS.contains(&name) {
            return Err(format!(
                "`{{{name}}}` stands for nothing: there are {}",
                PLACEHOLDERS.join(", ")
            ));
        }
        rest = behind;
    }
    Ok(())
}
