//! An estate that is built and not yet open: what `plant.rs` may still change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::Connection;
use ssh_key::public::KeyData;
use ssh_key::{PrivateKey, PublicKey};

use super::disk::{self, Home};
use super::fleet::{self, HOSTS, INSTANCES};
use super::log::Scribe;
use super::sftp::Quirks;
use super::vendor_side::Side;
use super::vendors::{self, Says};
use super::{EstateFault, keys, statistics};

/// What a host does with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Serves it.
    Ssh,
    /// Accepts it and never says a word.
    Silent,
    /// Refuses it.
    Closed,
}

/// One host before it opens.
pub(super) struct HostDraft {
    pub about: &'static fleet::Host,
    pub root: PathBuf,
    pub answer: Answer,
    /// The key it has.
    pub key: PrivateKey,
    /// The key that known_hosts or the pin says it has.
    pub stated_key: PublicKey,
    /// The machine-id that the inventory says it has.
    pub stated_machine: String,
    /// Account → the key that opens it.
    pub accounts: BTreeMap<&'static str, KeyData>,
    pub quirks: Quirks,
}

/// One instance before it lives.
pub(super) struct InstanceDraft {
    pub about: &'static fleet::Instance,
    pub home: Home,
    /// Who goes on with its log; `None` leaves the log as it is.
    pub log: Option<Scribe>,
    pub statistics: Option<Connection>,
    /// Whether the database gets new samples.
    pub sampled: bool,
}

pub(super) struct Draft {
    pub hosts: Vec<HostDraft>,
    pub instances: Vec<InstanceDraft>,
    /// What the vendors have on the network.
    pub side: Side,
    /// What the inventory says of them.
    pub says: Says,
}

/// Builds every host and instance below `directory`, all of them well.
pub(super) fn build(
    directory: &Path,
    accounts: &BTreeMap<&'static str, KeyData>,
    now: Timestamp,
) -> Result<Draft, EstateFault> {
    let mut hosts = Vec::new();
    let mut instances = Vec::new();
    for about in &HOSTS {
        let root = directory.join("hosts").join(about.name);
        let machine_id = fleet::machine_id(about.name);
        disk::host(&root, about, &machine_id)?;
        for instance in INSTANCES
            .iter()
            .filter(|instance| instance.host == about.name)
        {
            let home = disk::instance(&root, about, instance, now)?;
            let database = statistics::create(&home.statistics(), fleet::VERSION, now)?;
            instances.push(InstanceDraft {
                about: instance,
                home,
                log: Some(Scribe::new(
                    &format!("{} live", instance.name),
                    about.offset,
                )),
                statistics: Some(database),
                sampled: true,
            });
        }
        let key = keys::make(about.hostname)?;
        hosts.push(HostDraft {
            about,
            root,
            answer: Answer::Ssh,
            stated_key: key.public_key().clone(),
            key,
            stated_machine: machine_id,
            accounts: accounts.clone(),
            quirks: Quirks::default(),
        });
    }
    Ok(Draft {
        hosts,
        instances,
        side: Side::new(now, vendors::go_live(now))?,
        says: Says::default(),
    })
}
