//! The files that a real run would be given: inventory, known_hosts, allowed_signers. Written for a
//! newcomer to read; they hold no secret, the private keys lie beside them.

use std::fmt::Write as _;

use jiff::Timestamp;
use ssh_key::{HashAlg, PublicKey};

use super::fleet::{self, Host};
use super::vendor_side::Places;
use super::vendors::{self, Says};

/// What the files say of one host.
#[derive(Debug)]
pub(super) struct Entry {
    pub host: &'static Host,
    pub port: u16,
    /// The key that known_hosts or the pin states, which a break may make another than the real one.
    pub key: PublicKey,
    /// The pinned machine-id.
    pub machine_id: String,
}

/// `known_hosts` (sshd(8)): a line for each host that is not pinned.
pub(super) fn known_hosts(entries: &[Entry]) -> String {
    let mut text = "# The practice estate's host keys: strict checking is always on.\n".to_owned();
    for entry in entries.iter().filter(|entry| !entry.host.pinned) {
        let key = entry.key.to_openssh().unwrap_or_default();
        let key = key.split(' ').take(2).collect::<Vec<_>>().join(" ");
        text += &format!("[127.0.0.1]:{} {key}\n", entry.port);
    }
    text
}

/// `allowed_signers` (ssh-keygen(1)): who may sign a report, and nothing but reports.
pub(super) fn allowed_signers(identity: &str, key: &str) -> String {
    signers(&format!(
        "{identity} namespaces=\"gonogo-report@gonogo\" {key}\n"
    ))
}

/// The same of lines that are made already.
pub(super) fn signers(lines: &str) -> String {
    format!("# Who may sign runs of the practice estate.\n{lines}")
}

/// `inventory.yaml` (contract 3).
pub(super) fn inventory(entries: &[Entry], says: &Says, places: &Places, now: Timestamp) -> String {
    let mut text = format!(
        "# The practice estate of `gonogo demo`. Everything a run uses is real: this inventory, known_hosts,
# the keys, the features, SSH itself. Only the servers are made up; they listen on this machine alone
# and are gone when the demo ends.
environment: {}

# How to connect. A host or a team may override any of these.
ssh:
  known_hosts: [known_hosts]      # strict always; relative to this file
  connect_timeout: 5s             # to the first answer and through the login
  deadline: 15s                   # the whole of one check; production wants more, 2m say
  max_bytes: 64MiB                # the most that one artifact may have

# The servers. `identity` is what the host must say of itself: a pin against the wrong machine.
hosts:
",
        fleet::ENVIRONMENT
    );
    for entry in entries {
        let Host {
            name,
            group,
            hostname,
            pinned,
            ..
        } = entry.host;
        text += &format!(
            "  {name}:\n    address: 127.0.0.1\n    port: {}\n    groups: [{group}]\n",
            entry.port
        );
        if *pinned {
            let pin = entry.key.fingerprint(HashAlg::Sha256);
            text += &format!("    host_key: \"{pin}\"    # a pin, instead of known_hosts\n");
        }
        text += &format!(
            "    identity: {{hostname: {hostname}, machine_id: \"{}\"}}\n",
            entry.machine_id
        );
    }
    text += "\n# Who must be able to fetch what a vendor's support asks for, each with its own login.\nteams:\n";
    for team in &fleet::TEAMS {
        text += &format!(
            "  {}:\n    user: {}\n    key: keys/{}\n",
            team.name, team.user, team.name
        );
    }
    text += PRODUCTS;
    text +=
        "\n# The running copies, where they run, and the teams responsible for each.\ninstances:\n";
    for instance in &fleet::INSTANCES {
        // Writing to a String cannot fail.
        let _ok = write!(
            text,
            "  {name}:
    product: amps
    host: {}
    teams: [{}]
    vars: {{home: {}}}
    expect: {{version: {}, name: {name}}}
",
            instance.host,
            instance.teams.join(", "),
            instance.home(),
            fleet::VERSION,
            name = instance.name,
        );
    }
    text += &vendors::section(now, says, places);
    text
}

const PRODUCTS: &str = r#"
# What can be fetched of each product, and what it must look like. `{home}` comes from the instance.
products:
  amps:
    artifacts:
      version:       {kind: version, command: ["{home}/bin/ampServer", "--version"], match: '\d+\.\d+\.\d+\.\d+'}
      configuration: {kind: configuration, path: "{home}/config/*.xml", format: xml}
      event log:     {kind: log, path: "{home}/logs/*.log*", format: amps-log, names: "for instance '([^']+)'", retention: configuration}
      statistics:    {kind: statistics, path: "{home}/stats.db", format: sqlite}
"#;
