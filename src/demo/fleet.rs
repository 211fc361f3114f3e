//! Who lives in the practice estate: hosts, teams and instances, as plain facts.
//! What they have on disk is `disk.rs`, how they answer is `server.rs`, what goes wrong is `plant.rs`.

use crate::digest::Sha256;

/// The version that every instance runs and the inventory expects.
pub(super) const VERSION: &str = "5.3.4.12";

/// `environment:` of the practice inventory.
pub(super) const ENVIRONMENT: &str = "practice";

/// One made-up server.
#[derive(Debug)]
pub(super) struct Host {
    /// Key in `hosts:`.
    pub name: &'static str,
    /// Its group, the data centre.
    pub group: &'static str,
    /// What `hostname` prints.
    pub hostname: &'static str,
    /// Hours east of UTC that its logs are written in.
    pub offset: i8,
    /// Whether the inventory pins its key instead of naming it in `known_hosts`.
    pub pinned: bool,
}

/// One made-up team.
#[derive(Debug)]
pub(super) struct Team {
    /// Key in `teams:`.
    pub name: &'static str,
    /// Its account on every host.
    pub user: &'static str,
}

/// One made-up AMPS.
#[derive(Debug)]
pub(super) struct Instance {
    /// Key in `instances:`, and `AMPSConfig/Name`.
    pub name: &'static str,
    /// Key of its host.
    pub host: &'static str,
    /// Keys of the teams responsible.
    pub teams: &'static [&'static str],
}

impl Instance {
    /// Its home directory as the estate shows it.
    pub(super) fn home(&self) -> String {
        format!("/opt/amps/{}", self.name)
    }

    /// Where its admin server would listen: one of its own, as on any host.
    pub(super) fn admin_port(&self) -> usize {
        let before = INSTANCES.iter().take_while(|one| one.name != self.name);
        8085 + before.count()
    }
}

pub(super) const HOSTS: [Host; 3] = [
    Host {
        name: "ny4-1",
        group: "ny4",
        hostname: "ny4-amps-1",
        offset: -5,
        pinned: false,
    },
    Host {
        name: "ny4-2",
        group: "ny4",
        hostname: "ny4-amps-2",
        offset: -5,
        pinned: false,
    },
    Host {
        name: "ld5-1",
        group: "ld5",
        hostname: "ld5-amps-1",
        offset: 0,
        pinned: true,
    },
];

pub(super) const TEAMS: [Team; 2] = [
    Team {
        name: "operations",
        user: "amps-ops",
    },
    Team {
        name: "market-data",
        user: "md-support",
    },
];

pub(super) const INSTANCES: [Instance; 5] = [
    Instance {
        name: "orders",
        host: "ny4-1",
        teams: &["operations"],
    },
    Instance {
        name: "trades",
        host: "ny4-1",
        teams: &["operations", "market-data"],
    },
    Instance {
        name: "quotes",
        host: "ny4-2",
        teams: &["operations", "market-data"],
    },
    Instance {
        name: "risk",
        host: "ny4-2",
        teams: &["operations"],
    },
    Instance {
        name: "positions",
        host: "ld5-1",
        teams: &["operations"],
    },
];

/// A machine-id(5) for a host name: 32 hexadecimal digits, the same in every run.
pub(super) fn machine_id(host: &str) -> String {
    let digest = Sha256::of(format!("gonogo practice estate {host}").as_bytes());
    digest.to_string()[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_is_used_exists() {
        for instance in &INSTANCES {
            assert!(HOSTS.iter().any(|host| host.name == instance.host));
            assert!(!instance.teams.is_empty());
            for team in instance.teams {
                assert!(TEAMS.iter().any(|known| known.name == *team), "{team}");
            }
        }
        assert_ne!(machine_id("ny4-1"), machine_id("ny4-2"));
    }
}
