//! `Match` blocks for sshd_config(5): on the team's hosts no more than the planned requests, on hops no more
//! than the ways that lie behind. They bind the account, whoever logs in with it.

use std::fmt::Write as _;

use super::{Account, Asked, Granted, Refusals, by_content};
use crate::inventory::Transport;

pub(super) fn write(asked: &Asked<'_>) -> Result<Granted, Refusals> {
    let accounts = asked.accounts();
    let blocks = accounts
        .iter()
        .map(|account| (account.login.host.clone(), block(account, asked)));
    let mut text = asked.head("what sshd has to allow", &remarks(asked, &accounts));
    for (hosts, block) in by_content(blocks.collect::<Vec<_>>()) {
        let _ = write!(text, "\n# on {}\n{block}", hosts.join(", "));
    }
    Ok(Granted {
        text,
        notes: Vec::new(),
    })
}

fn block(account: &Account<'_>, asked: &Asked<'_>) -> String {
    let mut out = format!("Match User {}\n", account.login.user);
    let mut put = |line: &str| {
        let _ = writeln!(out, "    {line}");
    };
    match account.forced(asked) {
        Some(forced) => {
            put(&format!("ForceCommand {forced}"));
            if let Some(chroot) = &account.login.chroot {
                // sshd fills in `%u` and `%h`, and takes one word.
                put(&format!(
                    "ChrootDirectory \"{}\"",
                    chroot.replace('%', "%%")
                ));
            }
            // gonogo gives its SFTP channel back before it runs a command.
            put("MaxSessions 1");
        }
        None => put("MaxSessions 0"),
    }
    match account.opens.is_empty() {
        true => put("AllowTcpForwarding no"),
        false => {
            put("AllowTcpForwarding local");
            let opens: Vec<&str> = account.opens.iter().map(String::as_str).collect();
            put(&format!("PermitOpen {}", opens.join(" ")));
        }
    }
    for line in [
        "AllowStreamLocalForwarding no",
        "AllowAgentForwarding no",
        "X11Forwarding no",
        "PermitTunnel no",
        "GatewayPorts no",
        "PermitTTY no",
        "PermitUserRC no",
    ] {
        put(line);
    }
    out
}

fn remarks(asked: &Asked<'_>, accounts: &[Account<'_>]) -> Vec<String> {
    let mut remarks = vec![
        "Append each block to /etc/ssh/sshd_config on the hosts named above it, before any other `Match` that the \
         account fits (the first one that sets a keyword wins); then sshd -t, reload sshd, and keep a session open \
         until a new login works."
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
    let sftp = |account: &Account<'_>| {
        account.visit.is_some_and(|visit| {
            visit.login.transport == Transport::Sftp && visit.login.chroot.is_none()
        })
    };
    if accounts.iter().any(sftp) {
        remarks.push(
            "`ChrootDirectory DIR` would also say which files an SFTP account sees: root has to own DIR, and the \
             inventory says `chroot: DIR`."
                .to_owned(),
        );
    }
    if accounts.iter().any(|account| !account.opens.is_empty()) {
        remarks.push(
            "Where others pass through the same account of a hop, or ask other web servers with it, join their \
             PermitOpen; a name there is compared as the inventory writes it."
                .to_owned(),
        );
    }
    remarks.push(
        "Not restricted: how an account authenticates, and which files it may read. A person who logs in with the \
         account is bound too; to bind one key alone, see `gonogo plan --authorized-keys`."
            .to_owned(),
    );
    remarks
}
