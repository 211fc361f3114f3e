//! How a team gets to a host: hop by hop, as the login was, and as a person types it with stock OpenSSH.

use std::borrow::Cow;
use std::path::Path;

use super::line::{Line, Piece, Proof};
use super::proof::Proofs;
use super::{Section, Source};
use crate::inventory::{AgentKey, Auth, Client, Elevate, Instance, Login, Transport};
use crate::report::schema::Host;
use crate::text::{self, endpoint};

/// The road of `team` to the server of `instance`, and what stands at its end.
pub(super) fn tell(
    section: &mut Section,
    source: &Source<'_>,
    proofs: &Proofs<'_>,
    instance: &Instance,
    team: &str,
) {
    let host = &instance.host;
    let proof = proofs.logged_in(&instance.name, host, team);
    let Some(login) = source.inventory.login(host, team) else {
        let line = Line::note("The inventory gives this team no login on this host.");
        section.lines.push(line);
        return;
    };
    if proof == Proof::Stated {
        section.lines.push(Line::note(
            "NOT PROVEN: no check of this run logged in here as this team.",
        ));
    }
    let lines = &mut section.lines;
    let stops = login.via.iter().chain([login]);
    for (place, stop) in stops.enumerate() {
        let is_last = place == login.via.len();
        let what = if is_last { "server" } else { "hop" };
        let label = format!("{} {what} {}", place + 1, stop.host);
        let known = source.report.hosts.iter().find(|one| one.name == stop.host);
        let line = stop_line(&label, stop, known).proven(proof.clone());
        lines.push(line);
    }
    let line = match &login.elevate {
        Elevate::None => Line::item("rights").words("those of the account itself"),
        Elevate::Root => Line::item("rights").words("as root by ").code("sudo -n --"),
        Elevate::User(user) => {
            let sudo = format!("sudo -n -u {} --", text::shell_word(user));
            Line::item("rights").words("by ").code(&sudo)
        }
    };
    lines.push(line.proven(proof.clone()));
    let transport = match login.transport {
        Transport::Auto => "files by SFTP, commands by exec",
        Transport::Exec => "commands alone, no SFTP",
        Transport::Sftp => "SFTP alone, no command",
    };
    let client = match login.client {
        Client::Ssh2 => "libssh2",
        Client::Openssh => "the installed ssh",
    };
    let mut line = Line::item("proven with").words(&format!("{client}; {transport}"));
    if let Some(chroot) = &login.chroot {
        line = line
            .words("; the account sees ")
            .code(chroot)
            .words(" as its ")
            .code("/");
    }
    lines.push(line.proven(proof));
    type_it(lines, login);
}

fn stop_line(label: &str, stop: &Login, known: Option<&Host>) -> Line {
    let at = format!("{}@{}", stop.user, endpoint(&stop.address, stop.port));
    let mut line = Line::item(label).code(&at);
    let key = known.and_then(|host| host.host_key.as_deref());
    line = match key {
        Some(key) => {
            let kind = known.and_then(|host| host.host_key_type.as_deref());
            let kind = kind.map(|kind| format!("{kind} "));
            line.words(", host key ")
                .code(&format!("{}{key}", kind.unwrap_or_default()))
        }
        None => match &stop.host_key {
            Some(pin) => line.words(", host key pinned as ").code(pin),
            None => line.words(", its host key is not in the record"),
        },
    };
    let ways: Vec<String> = stop.auth.iter().map(way).collect();
    if !ways.is_empty() {
        line = line.words(&format!(", by {}", ways.join(", then ")));
    }
    if let Some(config) = &stop.ssh_config {
        line = line
            .words(", as ")
            .code(&config.alias)
            .words(" of the ssh_config ")
            .code(&config.written);
    }
    let identity = known.map(|host| &host.identity);
    for (word, said) in [
        (
            "says it is ",
            identity.and_then(|one| one.hostname.as_ref()),
        ),
        (
            "machine-id ",
            identity.and_then(|one| one.machine_id.as_ref()),
        ),
    ] {
        if let Some(said) = said {
            line = line
                .words(&format!(", {word}"))
                .with(Piece::Code(said.clone()));
        }
    }
    line
}

/// As the inventory writes it: a run keeps its inventory in `inputs/`.
fn written(path: &Path) -> Cow<'_, str> {
    path.strip_prefix("inputs")
        .unwrap_or(path)
        .to_string_lossy()
}

fn way(way: &Auth) -> String {
    match way {
        Auth::Key {
            path, certificate, ..
        } => match certificate {
            Some(certificate) => format!(
                "key {} with certificate {}",
                written(path),
                written(certificate)
            ),
            None => format!("key {}", written(path)),
        },
        Auth::Agent(AgentKey::Any) => "agent".to_owned(),
        Auth::Agent(AgentKey::Fingerprint(pin)) => format!("agent key {pin}"),
        Auth::Agent(AgentKey::File(path)) => format!("agent key {}", written(path)),
        Auth::KeyboardInteractive { .. } => "keyboard-interactive".to_owned(),
        Auth::Password { env } => format!("password (gonogo reads it from the variable {env})"),
    }
}

/// The same road with stock OpenSSH.
fn type_it(lines: &mut Vec<Line>, login: &Login) {
    let is_near = |path: &Path| path.starts_with("inputs");
    let is_relative = login.auth.iter().any(|way| match way {
        Auth::Key { path, .. } | Auth::Agent(AgentKey::File(path)) => is_near(path),
        _ => false,
    });
    lines.push(Line::plain(match is_relative {
        true => "By hand, from the folder of the inventory:",
        false => "By hand:",
    }));
    if login.transport != Transport::Sftp {
        lines.push(Line::command(&typed("ssh", "-p", login)));
    }
    if login.transport != Transport::Exec {
        lines.push(Line::command(&typed("sftp", "-P", login)));
    }
    let own = |hop: &Login| {
        hop.auth
            .iter()
            .any(|way| matches!(way, Auth::Key { .. } | Auth::Agent(AgentKey::File(_))))
    };
    if login.ssh_config.is_none() && login.via.iter().any(own) {
        lines.push(Line::plain(
            "-i names the key for the server alone: load the key of a hop into your agent, or name it in your ssh_config.",
        ));
    }
}

fn typed(program: &str, port: &str, login: &Login) -> String {
    let mut words: Vec<String> = vec![program.to_owned()];
    let mut add = |more: &[&str]| words.extend(more.iter().map(|&word| word.to_owned()));
    if let Some(config) = &login.ssh_config {
        add(&["-F", &config.written, "--", &config.alias]);
        return quoted(&words);
    }
    for way in &login.auth {
        match way {
            Auth::Key {
                path, certificate, ..
            } => {
                add(&["-i", &written(path)]);
                if let Some(certificate) = certificate {
                    add(&["-o", &format!("CertificateFile={}", written(certificate))]);
                }
            }
            Auth::Agent(AgentKey::File(path)) => add(&["-i", &written(path)]),
            _ => {}
        }
    }
    if !login.via.is_empty() {
        let hops = login.via.iter().map(|hop| {
            let at = endpoint(&hop.address, hop.port);
            format!("{}@{at}", hop.user)
        });
        add(&["-J", &hops.collect::<Vec<_>>().join(",")]);
    }
    let address = match program == "sftp" && login.address.contains(':') {
        true => format!("[{}]", login.address),
        false => login.address.clone(),
    };
    add(&[port, &login.port.to_string(), "--"]);
    add(&[&format!("{}@{address}", login.user)]);
    quoted(&words)
}

fn quoted(words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| text::shell_word(word)).collect();
    words.join(" ")
}
