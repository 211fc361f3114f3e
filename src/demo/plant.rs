//! Plants one break: exactly one thing, in an estate that was built well. What each break is called
//! and must lead to stands in `breaks.rs`.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::disk::{self, Home};
use super::draft::{Answer, Draft, HostDraft};
use super::fleet;
use super::vendor_side::pages::{self, Told};
use super::{Break, EstateFault, keys, statistics, vendors};

const MONTH: SignedDuration = SignedDuration::from_hours(30 * 24);
const DAY: SignedDuration = SignedDuration::from_hours(24);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// More than the shipped feature accepts, less than a question waits.
const SLOW: Duration = Duration::from_secs(6);
const GIB: u64 = 1 << 30;
const BANNER: &str =
    "*** Practice estate: this account may not run commands. Have a nice day. ***\n";

/// Plants `fault` into `draft`.
pub(super) fn plant(draft: &mut Draft, fault: Break, now: Timestamp) -> Result<(), EstateFault> {
    let target = fault.target();
    if target.vendor.is_some() {
        return at_vendor(draft, fault, now);
    }
    let Some(host) = draft
        .hosts
        .iter_mut()
        .find(|host| Some(host.about.name) == target.host)
    else {
        return Ok(());
    };
    let Some(name) = target.instance else {
        match fault {
            Break::Unreachable => host.answer = Answer::Closed,
            Break::Silent => host.answer = Answer::Silent,
            Break::HostKey => host.stated_key = keys::make("")?.public_key().clone(),
            Break::Auth => {
                let team = fleet::TEAMS
                    .iter()
                    .find(|team| Some(team.name) == target.team);
                let stranger = keys::make("")?.public_key().key_data().clone();
                host.accounts.extend(team.map(|team| (team.user, stranger)));
            }
            Break::Shell => host.quirks.forced = Some(BANNER),
            Break::WrongMachine => disk::identify(&host.root, &fleet::machine_id("another"))?,
            Break::SameMachine => {
                host.stated_machine = fleet::machine_id(fleet::HOSTS[0].name);
                disk::identify(&host.root, &host.stated_machine)?;
            }
            Break::Clock => disk::clock_behind(&host.root, 600)?,
            _ => {}
        }
        return Ok(());
    };
    let Some(instance) = draft
        .instances
        .iter_mut()
        .find(|instance| instance.about.name == name)
    else {
        return Ok(());
    };
    let home = instance.home.clone();
    let shown = instance.about.home();
    match fault {
        Break::Missing => {
            remove(&home.configuration())?;
            remove(&home.transports())?;
        }
        Break::Denied => {
            let team = fleet::TEAMS
                .iter()
                .find(|team| Some(team.name) == target.team);
            host.quirks.denied =
                Some((team.map(|team| team.user), format!("{shown}/logs/amps.log")));
        }
        Break::DeniedDirectory => host.quirks.denied = Some((None, format!("{shown}/config"))),
        Break::WalUnreadable => host.quirks.denied = Some((None, format!("{shown}/stats.db-wal"))),
        Break::NotRegular => {
            instance.log = None;
            remove(&home.log())?;
            fifo(&home.log())?;
        }
        Break::Empty => {
            instance.log = None;
            truncate(&home.log(), 0)?;
            truncate(&home.rotated(), 0)?;
            remove(&home.compressed())?;
        }
        Break::Short => host.quirks.short = Some(format!("{shown}/logs/amps.log.1")),
        // Sparse: it states its size and takes no room.
        Break::TooLarge => truncate(&home.rotated(), GIB)?,
        Break::Hang => host.quirks.hang = Some(format!("{shown}/config/config.xml")),
        Break::CorruptConfig => {
            replace(&home.configuration(), "</MiniDumpDirectory>", "</MiniDump>")?
        }
        Break::CorruptGzip => {
            let compressed = home.compressed();
            let size = compressed
                .metadata()
                .map_err(EstateFault::disk("read", &compressed))?
                .len();
            truncate(&compressed, size / 2)?;
        }
        Break::CorruptStatistics => {
            // Closed first: SQLite must not mend from its cache what is damaged below.
            instance.statistics = None;
            damage(&home)?;
        }
        Break::StaleLog => {
            if let Some(scribe) = &mut instance.log {
                disk::logs(&home, scribe, now - MONTH)?;
            }
            instance.log = None;
        }
        Break::StaleStatistics => {
            instance.statistics = None;
            remove(&home.statistics())?;
            let database = statistics::create(&home.statistics(), fleet::VERSION, now - MONTH)?;
            instance.statistics = Some(database);
            instance.sampled = false;
        }
        Break::Gap => {
            remove(&home.rotated())?;
            remove(&home.compressed())?;
        }
        Break::WrongVersion => disk::version(&home, "5.3.3.9")?,
        Break::WrongInstance => disk::configuration(&home, host.about, instance.about, "orders")?,
        _ => {}
    }
    Ok(())
}

/// What is a vendor's, or agreed with one.
fn at_vendor(draft: &mut Draft, fault: Break, now: Timestamp) -> Result<(), EstateFault> {
    let Draft {
        hosts, side, says, ..
    } = draft;
    let go_live = vendors::go_live(now);
    let mut told = Told::well(now, go_live);
    match fault {
        Break::Incident => told.incident = true,
        Break::Maintenance => told.maintenance = go_live - HOUR,
        Break::UnknownWord => told.indicator = "wobbly",
        Break::StaleStatusPage => told.updated = now - DAY * 200,
        Break::DeadFeed => {
            side.pages.remove(pages::FEED);
        }
        Break::UnreadAnnouncements => says.read = -30,
        Break::Certificate => side.certificate = 5,
        Break::SlowService => {
            let health = side.pages.entry(pages::HEALTH);
            health.and_modify(|page| page.late = SLOW);
        }
        Break::StaleService => {
            let old = pages::health(now - HOUR * 2);
            side.pages.insert(pages::HEALTH, old);
        }
        Break::CutOff => {
            let of_target = |host: &&HostDraft| Some(host.about.name) == fault.target().host;
            if let Some(host) = hosts.iter().find(of_target) {
                disk::curl(&host.root, false)?;
            }
        }
        Break::NoMail => side.without_mail = Some("echo.example.com"),
        Break::IntakeLogin => {
            let stranger = keys::make("")?;
            side.drop_opens = stranger.public_key().key_data().clone();
        }
        Break::IntakeHostKey => side.stated_drop_key = keys::make("")?.public_key().clone(),
        Break::IntakeMail => side.post_shut = true,
        Break::ContractEnded => says.ends = -7,
        Break::CoverageGap => says.plan_hours = "Mon-Sat 00:00-24:00",
        Break::DrillOverdue => says.drilled = -120,
        _ => {}
    }
    side.pages.insert(pages::SUMMARY, told.page(now));
    Ok(())
}

fn remove(path: &Path) -> Result<(), EstateFault> {
    fs::remove_file(path).map_err(EstateFault::disk("remove", path))
}

fn truncate(path: &Path, size: u64) -> Result<(), EstateFault> {
    let opened = OpenOptions::new().write(true).open(path);
    opened
        .and_then(|file| file.set_len(size))
        .map_err(EstateFault::disk("resize", path))
}

fn replace(path: &Path, from: &str, to: &str) -> Result<(), EstateFault> {
    let text = fs::read_to_string(path).map_err(EstateFault::disk("read", path))?;
    disk::write(path, &text.replace(from, to))
}

fn fifo(path: &Path) -> Result<(), EstateFault> {
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o640), 0)
        .map_err(|error| EstateFault::disk("make", path)(error.into()))
}

/// Overwrites pages in the middle, the header being left alone: the file still calls itself SQLite.
fn damage(home: &Home) -> Result<(), EstateFault> {
    const PAGE: u64 = 4096;
    let path = home.statistics();
    let damaged = || {
        let file: File = OpenOptions::new().read(true).write(true).open(&path)?;
        let pages = file.metadata()?.len() / PAGE;
        for page in 2..pages {
            file.write_all_at(&[0xa5; 512], page * PAGE)?;
        }
        Ok(())
    };
    damaged().map_err(EstateFault::disk("damage", &path))
}
