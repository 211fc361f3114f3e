//! `gonogo discover`: which products run on a host, where their configurations are, and what an inventory would
//! say of them. Looks like a run does, through the same door and the same guard: the processes, two links of
//! each that is known, and its configuration. Judges nothing, writes nothing.

mod look;
mod page;
mod propose;
#[cfg(test)]
mod tests;

use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::inventory::Inventory;
use crate::steps::command_line;
use crate::transport::Keyring;

/// Lists every process: number, account, words. procps' ps(1), POSIX but for `-ww`.
const PROCESSES: [&str; 5] = ["ps", "-ww", "-e", "-o", "pid=,user=,args="];

/// What was found.
pub struct Discovered {
    /// Inventory YAML to paste.
    pub text: String,
    /// How many instances it has.
    pub instances: usize,
    /// How many processes were looked at.
    pub processes: usize,
}

/// What [`discover`] does on the host, as `gonogo plan` says it; `PID` and the configurations are known only then.
#[must_use]
pub fn discovery(inventory: &Inventory, host: &str, team: &str) -> Option<String> {
    let login = inventory.login(host, team)?;
    let words = PROCESSES.map(str::to_owned);
    let mut text = format!(
        "{host} as {team} ({}@{}:{})\n",
        login.user, login.address, login.port
    );
    let lines = [
        format!("execute {}", command_line(&words)),
        "execute readlink /proc/PID/cwd  (of each process of a known product)".to_owned(),
        "execute readlink /proc/PID/exe".to_owned(),
        "read    the configuration that each of them names, or its default place".to_owned(),
    ];
    for line in lines {
        text.push_str("  ");
        text.push_str(&line);
        text.push('\n');
    }
    Some(text)
}

/// Looks at the host as that team.
///
/// # Errors
/// What keeps the team from connecting or from listing the processes.
pub async fn discover(
    inventory: &Inventory,
    host: &str,
    team: &str,
    keys: Keyring,
    cancel: CancellationToken,
) -> Result<Discovered, Failure> {
    let look = look::Look::new(inventory, host, team, keys, cancel)?;
    let seen = look.at_everything().await?;
    let proposed: Vec<propose::Proposal> = seen.instances.iter().map(propose::propose).collect();
    let taken: Vec<&str> = inventory
        .instances
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    Ok(Discovered {
        text: page::page(host, team, &proposed, &taken),
        instances: proposed.len(),
        processes: seen.processes,
    })
}
