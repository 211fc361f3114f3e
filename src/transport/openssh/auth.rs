//! How `ssh` is told to log in: by what the inventory says and nothing beside it, or, where it says
//! nothing, by what `ssh` finds itself. Offers nothing on its own.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ssh_key::{HashAlg, PublicKey};

use super::askpass::Secrets;
use super::config::{self, readable};
use super::ours;
use super::place::Place;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{AgentKey, Auth, Login};

/// The lines of the file that say so.
pub(super) fn lines(
    place: &mut Place,
    at: usize,
    login: &Login,
    secrets: &mut Secrets,
) -> Result<Vec<String>, Failure> {
    if login.auth.is_empty() {
        return Ok(Vec::new());
    }
    let own = place.path(&config::name(at));
    let (mut lines, mut methods) = (Vec::new(), Vec::new());
    let (mut has_file, mut agent, mut is_any) = (false, None, false);
    for (index, way) in login.auth.iter().enumerate() {
        match way {
            Auth::Key {
                path,
                certificate,
                passphrase_env,
            } => {
                has_file = true;
                methods.push("publickey");
                let file = readable(place, &format!("key_{at}_{index}"), path)?;
                if let Some(env) = passphrase_env {
                    secrets.passphrase(own.clone(), &file, env)?;
                }
                lines.push(format!("IdentityFile {file}"));
                // PEM files do not hold their public half in clear.
                let mut public = path.clone().into_os_string();
                public.push(".pub");
                let public = Path::new(&public);
                if public.is_file() {
                    let name = format!("key_{at}_{index}.pub");
                    place.link(&name, public).map_err(|error| ours(&error))?;
                }
                if let Some(certificate) = certificate {
                    let file = readable(place, &format!("cert_{at}_{index}"), certificate)?;
                    lines.push(format!("CertificateFile {file}"));
                }
            }
            Auth::Agent(chosen) => {
                methods.push("publickey");
                agent = Some(socket(place)?);
                let name = format!("key_{at}_{index}");
                match chosen {
                    AgentKey::Any => is_any = true,
                    AgentKey::File(path) => {
                        has_file = true;
                        lines.push(format!("IdentityFile {}", readable(place, &name, path)?));
                    }
                    AgentKey::Fingerprint(print) => {
                        has_file = true;
                        let public = held(print)?;
                        let written = place.write(&name, &public, 0o600);
                        written.map_err(|error| ours(&error))?;
                        lines.push(format!("IdentityFile {}", place.path(&name)));
                    }
                }
            }
            Auth::Password { env } => {
                methods.extend(["password", "keyboard-interactive"]);
                secrets.password(own.clone(), login, env)?;
            }
            // `resolve` refuses it; this is for whoever forgets to.
            Auth::KeyboardInteractive { .. } => return Err(no_answers()),
        }
    }
    if !has_file {
        lines.push("IdentityFile none".into());
    }
    let agent = agent.as_deref().unwrap_or("none");
    let only = if is_any { "no" } else { "yes" };
    methods.dedup();
    lines.extend([
        format!("IdentityAgent {agent}"),
        format!("IdentitiesOnly {only}"),
        format!("PreferredAuthentications {}", methods.join(",")),
    ]);
    Ok(lines)
}

fn no_answers() -> Failure {
    Failure::new(
        FailureKind::Auth,
        "a way to log in that the installed `ssh` can go unattended",
        "`keyboard_interactive` with `client: openssh`",
    )
    .with_hint(
        "write `client: ssh2`, or let a person open a control socket that `ssh_config` names",
    )
}

fn no_agent(actual: String) -> Failure {
    Failure::new(FailureKind::Auth, "an ssh-agent with the key", actual).with_hint(
        "start `ssh-agent`, `ssh-add` the key and pass SSH_AUTH_SOCK on, or name a key file",
    )
}

fn socket(place: &mut Place) -> Result<String, Failure> {
    let socket = std::env::var_os("SSH_AUTH_SOCK").filter(|path| !path.is_empty());
    let socket = socket.ok_or_else(|| no_agent("SSH_AUTH_SOCK is not set".to_owned()))?;
    let linked = place.link("agent", Path::new(&socket));
    linked.map_err(|error| ours(&error))
}

/// The public half of the agent's key with that fingerprint: `ssh` knows no other way to choose one.
fn held(print: &str) -> Result<String, Failure> {
    let mut listing = Command::new("ssh-add")
        .arg("-L")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| ours(&error))?;
    // A forwarded agent may hang.
    let until = Instant::now() + Duration::from_secs(5);
    while !matches!(listing.try_wait(), Ok(Some(_))) {
        if Instant::now() > until {
            let _ = listing.kill();
            let _ = listing.wait();
            return Err(no_agent("the agent does not answer".to_owned()));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let listed = listing.wait_with_output().map_err(|error| ours(&error))?;
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let print = print.trim_end_matches('=');
    let is_it = |line: &&str| {
        let key = PublicKey::from_openssh(line);
        key.is_ok_and(|key| key.fingerprint(HashAlg::Sha256).to_string() == print)
    };
    let line = text.lines().find(is_it);
    line.map(|line| format!("{line}\n"))
        .ok_or_else(|| no_agent(format!("the agent holds no key {print}")))
}
