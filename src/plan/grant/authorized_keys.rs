//! Options for authorized_keys (sshd(8)) in front of the team's public key: on its hosts a forced command
//! and the ways to the web servers that are asked, on hops the ways that lie behind. They bind this key alone, not the account.

use std::fmt::Write as _;
use std::fs;

use super::{Account, Asked, Granted, Refusals, by_content};
use crate::inventory::{Auth, Login};

pub(super) fn write(asked: &Asked<'_>) -> Result<Granted, Refusals> {
    let mut notes = Vec::new();
    let accounts = asked.accounts();
    let fragments = accounts.iter().map(|account| {
        let login = account.login;
        let key = public_key(login, &mut notes);
        let line = format!(
            "# the key of {} on its way as account {}\n{} {key}\n",
            asked.team,
            login.user,
            options(account, asked)
        );
        (login.host.clone(), line)
    });
    let distinct = by_content(fragments.collect::<Vec<_>>());
    notes.sort();
    notes.dedup();
    let mut text = asked.head("what keys may do", &remarks(asked, &accounts));
    for (hosts, line) in distinct {
        let _ = write!(text, "\n# on {}\n{line}", hosts.join(", "));
    }
    Ok(Granted { text, notes })
}

fn options(account: &Account<'_>, asked: &Asked<'_>) -> String {
    let mut options = "restrict".to_owned();
    if !account.opens.is_empty() {
        options.push_str(",port-forwarding");
    }
    for open in &account.opens {
        let _ = write!(options, ",permitopen=\"{open}\"");
    }
    if !account.opens.is_empty() {
        // There is no word for none: a port that no account but root may listen on.
        options.push_str(",permitlisten=\"127.0.0.1:1\"");
    }
    let forced = account.forced(asked);
    let _ = write!(
        options,
        ",command=\"{}\"",
        forced.as_deref().unwrap_or("/bin/false")
    );
    options
}

/// The `.pub` beside the key, or a placeholder and a note.
fn public_key(login: &Login, notes: &mut Vec<String>) -> String {
    let (host, user) = (&login.host, &login.user);
    let Some(path) = login.auth.iter().find_map(|auth| match auth {
        Auth::Key { path, .. } => Some(path),
        _ => None,
    }) else {
        notes.push(format!(
            "{user} on {host} has no key file in the inventory: put its public key in place of PUBLIC-KEY"
        ));
        return "PUBLIC-KEY".to_owned();
    };
    let mut public = path.clone().into_os_string();
    public.push(".pub");
    let key = fs::read_to_string(&public).ok().and_then(|text| {
        let key = ssh_key::PublicKey::from_openssh(text.trim()).ok()?;
        key.to_openssh().ok()
    });
    if login.auth.iter().any(|auth| {
        matches!(
            auth,
            Auth::Key {
                certificate: Some(_),
                ..
            }
        )
    }) {
        notes.push(format!(
            "{user} on {host} shows a certificate: sshd asks authorized_keys only where the line says \
             `cert-authority` and holds the authority's key; else the options belong into the certificate"
        ));
    }
    key.unwrap_or_else(|| {
        notes.push(format!(
            "no public key in {}: put it in place of PUBLIC-KEY, as `ssh-keygen -y -f {}` prints it",
            public.to_string_lossy(),
            path.display()
        ));
        "PUBLIC-KEY".to_owned()
    })
}

fn remarks(asked: &Asked<'_>, accounts: &[Account<'_>]) -> Vec<String> {
    let mut remarks = vec![
        "Put each line in place of the key's own line in the account's authorized_keys on the hosts named above \
         it; check with ssh-keygen -l -f FILE, and keep a session open until a new login works. A file that the \
         account itself may write restricts nobody: let root own it."
            .to_owned(),
    ];
    let script = asked.script();
    let forced = |account: &Account<'_>| account.forced(asked).as_ref() == Some(&script);
    if accounts.iter().any(forced) {
        remarks.push(format!(
            "{script} is the script that `gonogo plan --forced-command` prints; an account with a restricted \
             shell (rbash) cannot run it."
        ));
    }
    remarks.push(
        "Not restricted: other keys and passwords of the account, and which files it may read. sshd 7.2 or later \
         knows `restrict`."
            .to_owned(),
    );
    if accounts.iter().any(|account| !account.opens.is_empty()) {
        remarks.push(
            "A name in permitopen= is compared as the inventory writes it. permitlisten= needs sshd 7.8; before that \
             such a key may also listen there, which `AllowTcpForwarding local` in sshd_config forbids."
                .to_owned(),
        );
    }
    remarks
}
