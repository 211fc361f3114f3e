//! The faults that can be planted in the practice estate, as one table: name, where it sits, what it
//! is, and the failure that a right gonogo must report. How each is done stands in `plant.rs`.

use std::fmt;
use std::str::FromStr;

use crate::failure::FailureKind;
use crate::text;

/// One thing that goes wrong on purpose. Each is planted exactly once, at its [`Break::target`];
/// everything else in the estate stays well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    missing_docs,
    reason = "each variant is described once, in the table below"
)]
pub enum Break {
    Unreachable,
    Silent,
    HostKey,
    Auth,
    Shell,
    Missing,
    Denied,
    DeniedDirectory,
    NotRegular,
    Empty,
    Short,
    TooLarge,
    Hang,
    CorruptConfig,
    CorruptGzip,
    CorruptStatistics,
    WalUnreadable,
    StaleLog,
    StaleStatistics,
    Gap,
    WrongVersion,
    WrongInstance,
    WrongMachine,
    SameMachine,
    Clock,
    Incident,
    Maintenance,
    UnknownWord,
    StaleStatusPage,
    DeadFeed,
    UnreadAnnouncements,
    Certificate,
    SlowService,
    StaleService,
    CutOff,
    NoMail,
    IntakeLogin,
    IntakeHostKey,
    IntakeMail,
    ContractEnded,
    CoverageGap,
    DrillOverdue,
}

/// Where a break sits. Checks that touch none of it must still pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Key of the host; `None` when it is none of ours.
    pub host: Option<&'static str>,
    /// Key of the instance; `None` when the whole host is concerned.
    pub instance: Option<&'static str>,
    /// Key of the team; `None` when every team is concerned.
    pub team: Option<&'static str>,
    /// Key of the vendor, where it is theirs, or agreed with them.
    pub vendor: Option<&'static str>,
}

struct Row {
    fault: Break,
    name: &'static str,
    kind: FailureKind,
    target: Target,
    describe: &'static str,
}

const NOWHERE: Target = Target {
    host: None,
    instance: None,
    team: None,
    vendor: None,
};

const fn host(host: &'static str) -> Target {
    Target {
        host: Some(host),
        ..NOWHERE
    }
}

const fn instance(host: &'static str, instance: &'static str) -> Target {
    Target {
        instance: Some(instance),
        ..self::host(host)
    }
}

const fn vendor(vendor: &'static str) -> Target {
    Target {
        vendor: Some(vendor),
        ..NOWHERE
    }
}

/// In the order of [`Break`]: a test holds the two together.
#[rustfmt::skip]
const TABLE: [Row; 42] = [
    Row { fault: Break::Unreachable, name: "unreachable", kind: FailureKind::Unreachable, target: host("ld5-1"),
        describe: "the port of ld5-1 is closed: every check there is `unreachable`" },
    Row { fault: Break::Silent, name: "silent", kind: FailureKind::Unreachable, target: host("ld5-1"),
        describe: "ld5-1 accepts the connection and never says a word: every check there is `unreachable`" },
    Row { fault: Break::HostKey, name: "host-key", kind: FailureKind::HostKey, target: host("ny4-2"),
        describe: "ny4-2 shows another key than known_hosts has: `host-key`, and no login is tried" },
    Row { fault: Break::Auth, name: "auth", kind: FailureKind::Auth,
        target: Target { team: Some("market-data"), ..host("ny4-2") },
        describe: "ny4-2 does not accept the key of market-data: `auth` for that team alone" },
    Row { fault: Break::Shell, name: "shell", kind: FailureKind::Shell, target: host("ld5-1"),
        describe: "ld5-1 answers every command with a banner and exit status 0 (a forced command): `shell`" },
    Row { fault: Break::Missing, name: "missing", kind: FailureKind::Missing, target: instance("ny4-2", "risk"),
        describe: "risk has no configuration files: `missing`" },
    Row { fault: Break::Denied, name: "denied", kind: FailureKind::Denied,
        target: Target { team: Some("market-data"), ..instance("ny4-2", "quotes") },
        describe: "market-data may not read the event log of quotes, operations may: `denied` for one team" },
    Row { fault: Break::DeniedDirectory, name: "denied-directory", kind: FailureKind::Denied, target: instance("ny4-1", "orders"),
        describe: "nobody may enter the configuration directory of orders: `denied`" },
    Row { fault: Break::NotRegular, name: "not-regular", kind: FailureKind::NotRegular, target: instance("ld5-1", "positions"),
        describe: "the event log of positions is a FIFO, which never ends: `not-regular`" },
    Row { fault: Break::Empty, name: "empty", kind: FailureKind::Empty, target: instance("ny4-2", "risk"),
        describe: "the event log of risk exists and holds nothing: `empty`" },
    Row { fault: Break::Short, name: "short", kind: FailureKind::Short, target: instance("ny4-1", "orders"),
        describe: "ny4-1 states the size of orders' rotated log and sends half of it: `short`" },
    Row { fault: Break::TooLarge, name: "too-large", kind: FailureKind::TooLarge, target: instance("ny4-1", "trades"),
        describe: "the rotated log of trades is 1 GiB, the inventory allows 64 MiB: `too-large`" },
    Row { fault: Break::Hang, name: "hang", kind: FailureKind::Timeout, target: instance("ny4-2", "quotes"),
        describe: "reading the configuration of quotes never answers, as on a dead NFS mount: `timeout`" },
    Row { fault: Break::CorruptConfig, name: "corrupt-config", kind: FailureKind::Corrupt, target: instance("ny4-2", "quotes"),
        describe: "the configuration of quotes closes a tag it never opened: `corrupt`" },
    Row { fault: Break::CorruptGzip, name: "corrupt-gzip", kind: FailureKind::Corrupt, target: instance("ld5-1", "positions"),
        describe: "the compressed log of positions was cut in half: `corrupt`" },
    Row { fault: Break::CorruptStatistics, name: "corrupt-statistics", kind: FailureKind::Corrupt, target: instance("ny4-1", "trades"),
        describe: "pages of trades' statistics database are damaged: `corrupt`" },
    Row { fault: Break::WalUnreadable, name: "wal-unreadable", kind: FailureKind::Denied, target: instance("ny4-2", "risk"),
        describe: "nobody may read the write-ahead log beside risk's statistics, where the newest rows are: `denied`" },
    Row { fault: Break::StaleLog, name: "stale-log", kind: FailureKind::Stale, target: instance("ny4-1", "orders"),
        describe: "the newest entry in the event log of orders is a month old: `stale`" },
    Row { fault: Break::StaleStatistics, name: "stale-statistics", kind: FailureKind::Stale, target: instance("ld5-1", "positions"),
        describe: "the newest sample in the statistics of positions is a month old: `stale`" },
    Row { fault: Break::Gap, name: "gap", kind: FailureKind::Gap, target: instance("ny4-2", "quotes"),
        describe: "the event log of quotes reaches back 2 hours, 24 are wanted: `gap`" },
    Row { fault: Break::WrongVersion, name: "wrong-version", kind: FailureKind::Mismatch, target: instance("ny4-2", "risk"),
        describe: "risk runs 5.3.3.9 and the inventory expects 5.3.4.12: `mismatch`" },
    Row { fault: Break::WrongInstance, name: "wrong-instance", kind: FailureKind::Mismatch, target: instance("ny4-1", "trades"),
        describe: "the configuration of trades names itself orders: `mismatch`" },
    Row { fault: Break::WrongMachine, name: "wrong-machine", kind: FailureKind::Mismatch, target: host("ld5-1"),
        describe: "ld5-1 has another machine-id than the inventory pins: `mismatch`" },
    Row { fault: Break::SameMachine, name: "same-machine", kind: FailureKind::Mismatch, target: host("ny4-2"),
        describe: "ny4-2 has the machine-id of ny4-1 and the pins say so too: one machine counted twice, which only the verdict sees: `mismatch`" },
    Row { fault: Break::Clock, name: "clock", kind: FailureKind::Mismatch, target: host("ld5-1"),
        describe: "the clock of ld5-1 is 10 minutes behind, 1 is accepted: `mismatch`" },
    Row { fault: Break::Incident, name: "incident", kind: FailureKind::Mismatch, target: vendor("echo"),
        describe: "echo's status page tells of an open incident: `mismatch`" },
    Row { fault: Break::Maintenance, name: "maintenance", kind: FailureKind::Mismatch, target: vendor("echo"),
        describe: "echo plans maintenance over the time of go-live: `mismatch`" },
    Row { fault: Break::UnknownWord, name: "unknown-word", kind: FailureKind::Undefined, target: vendor("echo"),
        describe: "echo's status page uses a word that nobody knows, which is never taken for well: `undefined`" },
    Row { fault: Break::StaleStatusPage, name: "stale-status-page", kind: FailureKind::Stale, target: vendor("echo"),
        describe: "nobody has updated echo's status page for 200 days: `stale`" },
    Row { fault: Break::DeadFeed, name: "dead-feed", kind: FailureKind::Missing, target: vendor("echo"),
        describe: "the feed of echo's announcements is gone (404): `missing`" },
    Row { fault: Break::UnreadAnnouncements, name: "unread-announcements", kind: FailureKind::Stale, target: vendor("echo"),
        describe: "nobody has read what echo announced 9 days ago: `stale`" },
    Row { fault: Break::Certificate, name: "certificate", kind: FailureKind::Stale, target: vendor("echo"),
        describe: "the certificate of echo's service ends in 5 days, 14 are wanted: `stale`" },
    Row { fault: Break::SlowService, name: "slow-service", kind: FailureKind::Timeout, target: vendor("echo"),
        describe: "echo's service once takes 6 s to answer, 5 are accepted: `timeout`" },
    Row { fault: Break::StaleService, name: "stale-service", kind: FailureKind::Stale, target: vendor("echo"),
        describe: "echo's service answers at once, with what it knew two hours ago: `stale`" },
    Row { fault: Break::CutOff, name: "cut-off", kind: FailureKind::Unreachable, target: Target { host: Some("ny4-1"), ..vendor("echo") },
        describe: "echo's service answers the runner, and ny4-1 cannot reach it: `unreachable`" },
    Row { fault: Break::NoMail, name: "no-mail", kind: FailureKind::Denied, target: vendor("echo"),
        describe: "echo's emergency address is of a domain that takes no mail: `denied`" },
    Row { fault: Break::IntakeLogin, name: "intake-login", kind: FailureKind::Auth, target: vendor("60east"),
        describe: "the drop box of 60east does not accept our key: `auth`" },
    Row { fault: Break::IntakeHostKey, name: "intake-host-key", kind: FailureKind::HostKey, target: vendor("60east"),
        describe: "the drop box of 60east shows another host key than the inventory pins: `host-key`" },
    Row { fault: Break::IntakeMail, name: "intake-mail", kind: FailureKind::Denied, target: vendor("60east"),
        describe: "the mail server of 60east turns everybody away: `denied`" },
    Row { fault: Break::ContractEnded, name: "contract-ended", kind: FailureKind::Gap, target: vendor("60east"),
        describe: "the contract with 60east ended last week: `gap`" },
    Row { fault: Break::CoverageGap, name: "coverage-gap", kind: FailureKind::Gap, target: vendor("60east"),
        describe: "on Sunday evenings neither 60east answers nor anybody here has a plan: `gap`" },
    Row { fault: Break::DrillOverdue, name: "drill-overdue", kind: FailureKind::Stale, target: vendor("60east"),
        describe: "the last drill with 60east was 120 days ago, 92 are accepted: `stale`" },
];

impl Break {
    /// Every break, from the connection inwards.
    pub const ALL: [Self; TABLE.len()] = {
        let mut all = [Self::Unreachable; TABLE.len()];
        let mut index = 0;
        while index < TABLE.len() {
            all[index] = TABLE[index].fault;
            index += 1;
        }
        all
    };

    const fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// What `--break` calls it, in kebab case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// One line: what is planted, where, and the failure it must give.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        self.row().describe
    }

    /// The failure that a right gonogo reports. For [`Break::SameMachine`] no check fails and the
    /// kind stands for the verdict's reason.
    #[must_use]
    pub const fn expected_kind(self) -> FailureKind {
        self.row().kind
    }

    /// Where it sits.
    #[must_use]
    pub const fn target(self) -> Target {
        self.row().target
    }
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name is not one of [`Break::ALL`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no break is called `{name}`")]
pub struct UnknownBreak {
    /// As typed.
    pub name: String,
    /// The closest name, or where the list is.
    pub hint: String,
}

impl FromStr for Break {
    type Err = UnknownBreak;

    fn from_str(name: &str) -> Result<Self, UnknownBreak> {
        if let Some(known) = Self::ALL.into_iter().find(|known| known.name() == name) {
            return Ok(known);
        }
        let meant = text::did_you_mean(name, Self::ALL.map(Self::name));
        Err(UnknownBreak {
            name: name.to_owned(),
            hint: match meant.is_empty() {
                true => "`gonogo demo --list-breaks` names them all".to_owned(),
                false => meant,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::fleet;

    #[test]
    fn the_table_stands_in_the_order_of_the_enum() {
        for (index, known) in Break::ALL.into_iter().enumerate() {
            assert_eq!(known as usize, index, "{known}");
            assert_eq!(known.name().parse(), Ok(known));
        }
    }

    #[test]
    fn each_line_names_its_place_and_its_failure() {
        for known in Break::ALL {
            let (line, target) = (known.describe(), known.target());
            assert!(!line.contains('\n') && !line.ends_with('.'), "{line}");
            assert!(
                line.contains(&format!("`{}`", known.expected_kind())),
                "{line}"
            );
            let named = target.instance.or(target.host).or(target.vendor).unwrap();
            assert!(line.contains(named), "{line}");
            assert!(
                target.vendor.is_none_or(|vendor| line.contains(vendor)),
                "{line}"
            );
            let host = target.instance.map(|name| {
                let found = fleet::INSTANCES.iter().find(|known| known.name == name);
                found.map(|instance| instance.host)
            });
            assert_eq!(host.unwrap_or(target.host), target.host, "{known}");
        }
    }

    #[test]
    fn a_misspelt_name_is_refused_with_the_closest() {
        let refused = "host_key".parse::<Break>().unwrap_err();
        assert_eq!(refused.hint, "did you mean `host-key`?");
        let refused = "earthquake".parse::<Break>().unwrap_err();
        assert!(refused.hint.contains("--list-breaks"));
        assert!("Host-Key".parse::<Break>().is_err());
    }
}
