//! The files of one AMPS-like instance as a production server has them (facts: artifacts.md 1-2):
//! owned by a service account, readable by its group, statistics written while tests read.
//! Made up here from scratch; nothing of AMPS itself is involved.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::account::{OPERATIONS, SERVICE, is_root};
use super::host::Host;
use super::statistics::{self, Writer};

/// What `bin/ampServer --version` prints.
pub const BANNER: &str = "AMPS 5.3.4.12.973814.e1a57f7 - Copyright (c) 2006-2026 A Vendor";

/// One instance and where it lies.
pub struct Amps {
    /// Its key in the inventory and the name that its configuration states.
    pub name: String,
    /// Its host's key in the inventory.
    pub host: String,
    /// Its files, seen from the test.
    pub dir: PathBuf,
    /// The same directory as the remote account sees it: `vars.home`.
    pub home: String,
    /// The inventory's `teams:` of it.
    pub teams: RefCell<Vec<&'static str>>,
    pub(super) writer: RefCell<Option<Writer>>,
}

impl Amps {
    pub(super) fn install(name: &str, host: &Host) -> Self {
        let dir = host.path("amps").join(name);
        Self::lay_out(name, host, &dir, dir.display().to_string())
    }

    /// The same files inside the host's chroot, where an SFTP-only account sees them under `/amps`.
    pub fn install_in_chroot(name: &str, host: &Host) -> Self {
        let dir = host.path("chroot/amps").join(name);
        Self::lay_out(name, host, &dir, format!("/amps/{name}"))
    }

    fn lay_out(name: &str, host: &Host, dir: &Path, home: String) -> Self {
        for sub in ["bin", "config", "logs"] {
            fs::create_dir_all(dir.join(sub)).unwrap();
        }
        let instance = Self {
            name: name.to_owned(),
            host: host.name.clone(),
            dir: dir.to_owned(),
            home,
            teams: RefCell::new(vec![OPERATIONS.team]),
            writer: RefCell::default(),
        };
        instance.write("bin/ampServer", version_script().as_bytes());
        instance.write("VERSION", format!("{BANNER}\n").as_bytes());
        instance.write("config/config.xml", config(name).as_bytes());
        instance.write("config/logging.xml", LOGGING.as_bytes());
        instance.write_logs(SignedDuration::ZERO);
        instance.write("stats.db", b"");
        for directory in ["", "bin", "config", "logs"] {
            instance.own(&dir.join(directory), 0o750);
        }
        instance.own(&dir.join("bin/ampServer"), 0o750);
        *instance.writer.borrow_mut() = Some(statistics::start(&dir.join("stats.db")));
        instance
    }

    /// A file of the instance, seen from the test.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.dir.join(relative)
    }

    /// The live event log, relative to [`Self::dir`].
    pub fn log(&self) -> String {
        format!("logs/{}.log", self.name)
    }

    /// Writes a file as the service does: its owner, readable by its group.
    pub fn write(&self, relative: &str, bytes: &[u8]) {
        let path = self.path(relative);
        fs::write(&path, bytes).unwrap();
        self.own(&path, 0o640);
    }

    /// Rotated and live logs over the last 26 hours, all of them `older` than now.
    pub fn write_logs(&self, older: SignedDuration) {
        let now = Timestamp::now() - older;
        let span = |from: i64, to: i64| {
            let (from, to) = (
                SignedDuration::from_mins(from),
                SignedDuration::from_mins(to),
            );
            lines(now - from, now - to)
        };
        let log = self.log();
        // logrotate and AMPS append: several gzip members in one file (facts: traps.md T14).
        let mut rotated = gzip(span(26 * 60, 18 * 60).as_bytes());
        rotated.extend(gzip(span(18 * 60, 12 * 60).as_bytes()));
        self.write(&format!("{log}.2.gz"), &rotated);
        self.write(&format!("{log}.1"), span(12 * 60, 60).as_bytes());
        self.write(&log, span(60, 0).as_bytes());
    }

    /// Begins the statistics anew, in another journal mode.
    pub fn statistics_in(&self, mode: &str) {
        self.stop_writer();
        let path = self.path("stats.db");
        for file in statistics::files(&path) {
            let _ = fs::remove_file(file);
        }
        self.write("stats.db", b"");
        *self.writer.borrow_mut() = Some(statistics::start_in(&path, mode));
    }

    /// Ends the statistics writer; the database keeps its `-wal`, as after a crash.
    pub fn stop_writer(&self) {
        self.writer.borrow_mut().take();
    }

    /// Gives every file to an account that fetches them, so that it *could* write; their group stays.
    pub fn give_away(&self) {
        for entry in super::snapshot(&self.dir).keys() {
            let path = self.dir.join(entry);
            let uid = is_root().then_some(OPERATIONS.uid);
            chown(&path, uid, None).unwrap();
        }
    }

    fn own(&self, path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        if is_root() {
            chown(path, Some(SERVICE.uid), Some(SERVICE.uid)).unwrap();
        }
    }
}

fn version_script() -> String {
    format!("#!/bin/sh\n[ \"$1\" = --version ] || exit 64\necho '{BANNER}'\n")
}

/// A configuration that calls itself `name` and includes another file.
pub fn config(name: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<AMPSConfig>\n  <Name>{name}</Name>\n  \
         <Admin>\n    <InetAddr>localhost:8085</InetAddr>\n    <FileName>stats.db</FileName>\n    \
         <Interval>10s</Interval>\n  </Admin>\n  <Include>logging.xml</Include>\n</AMPSConfig>\n"
    )
}

const LOGGING: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Logging>\n  <Target>\n    \
    <Protocol>file</Protocol>\n    <Level>info</Level>\n  </Target>\n</Logging>\n";

/// One entry a minute, with an entry over two lines now and then, in a zone that is not UTC.
fn lines(from: Timestamp, to: Timestamp) -> String {
    let zone = TimeZone::fixed(Offset::constant(-5));
    let mut text = String::new();
    let mut at = from;
    let mut number = 0;
    while at <= to {
        let stamp = at.to_zoned(zone.clone());
        let stamp = stamp.strftime("%Y-%m-%dT%H:%M:%S%.7f%:z");
        writeln!(
            text,
            "{stamp} [{}] info: 07-0023 client logon {number}",
            number % 7
        )
        .unwrap();
        if number % 20 == 0 {
            writeln!(
                text,
                "{stamp} [1] warning: 24-0002 slow thread\n    stack follows"
            )
            .unwrap();
        }
        number += 1;
        at += SignedDuration::from_mins(1);
    }
    text
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut member = GzEncoder::new(Vec::new(), Compression::default());
    member.write_all(bytes).unwrap();
    member.finish().unwrap()
}
