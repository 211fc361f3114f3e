//! A vendor as meant: what is agreed with it, when it answers, who talks to it and by which ways. Facts
//! as people wrote them down; what follows from them is judged by `support/`, not here.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;

use super::template::Template;
use crate::calendar::{Hours, Zone};
use crate::probe::{Desk, DropLogin};

/// One key of `vendors:`. What is not written is `None` or empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vendor {
    /// Its key.
    pub name: String,
    /// Where its days begin; UTC without `timezone:`.
    pub zone: Option<Zone>,
    /// What is agreed.
    pub contract: Option<Contract>,
    /// When it answers.
    pub coverage: Option<Coverage>,
    /// When each application must be available.
    pub applications: Vec<Application>,
    /// Who does what when the vendor does not answer.
    pub out_of_hours: Vec<OutOfHours>,
    /// People on both sides.
    pub contacts: Vec<Contact>,
    /// Who talks to the vendor first; a key of `contacts`.
    pub primary: Option<String>,
    /// Who does when that person cannot.
    pub backup: Option<String>,
    /// Whom to turn to next, in order.
    pub escalation: Vec<Level>,
    /// Where the vendor tells of releases and outages.
    pub channels: Vec<Channel>,
    /// Files that `holidays` names, in the order of the inventory.
    pub holiday_files: Vec<HolidayFile>,
    /// When the vendor itself changes its service.
    pub release_windows: Option<Windows>,
    /// What the vendor has announced.
    pub announced: Option<Vec<Announced>>,
    /// The drill of the support process.
    pub drill: Option<Drill>,
    /// Pages that tell how the service is.
    pub status_pages: Vec<StatusPage>,
    /// What is asked whether the service works.
    pub monitoring: Vec<Monitoring>,
    /// Where past outages are told.
    pub outage_log: Option<OutageLog>,
    /// The DNS server that is asked for mail exchangers, instead of the runner's own.
    pub resolver: Option<SocketAddr>,
    /// As whom mail servers are asked about addresses; as nobody when it is `None`.
    pub probe_from: Option<String>,
    /// The vendor's request template, from the inventory's folder.
    pub request_template: Option<Template>,
    /// The fields of it that only a person knows.
    pub asked: Vec<String>,
    /// Ways to hand evidence over.
    pub intake: Vec<Intake>,
    /// The case that tries the process.
    pub process_test: Option<ProcessTest>,
}

/// A file of holidays, read with the inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HolidayFile {
    /// As the inventory names it.
    pub file: String,
    /// Name of its copy in a run.
    pub record: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The last day of which it says something; none where all of its days come again each year.
    pub end: Option<Date>,
}

impl Vendor {
    /// The contact of that key.
    #[must_use]
    pub fn contact(&self, key: &str) -> Option<&Contact> {
        self.contacts.iter().find(|contact| contact.key == key)
    }

    /// The day that it is at the vendor's.
    #[must_use]
    pub fn day(&self, instant: Timestamp) -> Date {
        match &self.zone {
            Some(zone) => zone.day(instant),
            None => jiff::tz::TimeZone::UTC.to_datetime(instant).date(),
        }
    }
}

/// What is agreed with a vendor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contract {
    /// What the vendor knows it by.
    pub id: Option<String>,
    /// What was bought.
    pub plan: Option<String>,
    /// Its first day.
    pub begins: Option<Date>,
    /// Its last day.
    pub ends: Option<Date>,
    /// Each severity, worst first, with the time until the first answer.
    pub severities: Vec<(String, Duration)>,
    /// Who may open cases; keys of `contacts`.
    pub openers: Vec<String>,
}

/// When the vendor answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Coverage {
    /// By severity, or once for all.
    pub hours: Vec<(Option<String>, Hours)>,
}

impl Coverage {
    /// The hours of that severity.
    #[must_use]
    pub fn of(&self, severity: Option<&str>) -> Option<&Hours> {
        let is_it = |of: &&(Option<String>, Hours)| of.0.is_none() || of.0.as_deref() == severity;
        self.hours.iter().find(is_it).map(|(_, hours)| hours)
    }
}

/// What must be available when.
#[derive(Clone, Debug, PartialEq)]
pub struct Application {
    /// An instance or a product.
    pub name: String,
    /// When.
    pub hours: Hours,
    /// How severe it is when it is not.
    pub severity: Option<String>,
}

/// What is done while the vendor does not answer.
#[derive(Clone, Debug, PartialEq)]
pub struct OutOfHours {
    /// When.
    pub hours: Hours,
    /// Who does it; a key of `contacts`.
    pub owner: String,
    /// What.
    pub plan: String,
}

/// When something was last tried by a person, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The day.
    pub date: Date,
    /// Who did.
    pub by: String,
}

/// A person or a desk.
#[derive(Clone, Debug, PartialEq)]
pub struct Contact {
    /// Its key in `contacts`.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// What it is there for.
    pub role: Option<String>,
    /// Its address.
    pub email: Option<String>,
    /// Whether its mail server is asked about the address.
    pub probe: bool,
    /// `+` and digits (E.164).
    pub phone: Option<String>,
    /// Where it is.
    pub zone: Option<Zone>,
    /// When somebody last reached it.
    pub proven: Option<Proven>,
}

/// By what means a level is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// A forum.
    Forum,
    /// A mailbox.
    Email,
    /// A mailbox that wakes people.
    EmergencyEmail,
    /// A telephone.
    Phone,
    /// A page.
    Url,
}

impl Means {
    /// The words of the inventory.
    pub const WORDS: [(&'static str, Self); 5] = [
        ("forum", Self::Forum),
        ("e-mail", Self::Email),
        ("emergency e-mail", Self::EmergencyEmail),
        ("phone", Self::Phone),
        ("url", Self::Url),
    ];
}

/// One level of escalation.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// What it is called.
    pub name: String,
    /// By what.
    pub means: Means,
    /// URL, address or number.
    pub to: String,
    /// Whether the mail server of the address is asked about it.
    pub probe: bool,
    /// When it answers.
    pub hours: Option<Hours>,
    /// How soon.
    pub answers_within: Option<Duration>,
    /// When somebody last reached it.
    pub proven: Option<Proven>,
}

/// Where a vendor tells of releases or outages.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// Its key in `channels`.
    pub name: String,
    /// Where it is read or subscribed to.
    pub url: Option<Link>,
    /// Who must be subscribed; every team when it is empty.
    pub teams: Vec<String>,
    /// Who is: team, address, proof.
    pub subscribed: Vec<Subscription>,
    /// The feed of what it announces.
    pub feed: Option<Link>,
    /// When somebody last read all that it announces.
    pub read: Option<Proven>,
}

/// A URL that is asked from the runner, or by a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// What is asked.
    pub url: String,
    /// Whose certificates are trusted there, instead of those that the runner trusts.
    pub ca: Option<PathBuf>,
    /// How many redirects are followed.
    pub redirects: u32,
}

/// Where past outages are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutageLog {
    /// Where.
    pub link: Link,
    /// `page`, `rss` or `atom`.
    pub kind: PageKind,
    /// When somebody last read it.
    pub read: Option<Proven>,
}

/// A team's subscription.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscription {
    /// The team.
    pub team: String,
    /// What receives it: an address or a number.
    pub address: Option<String>,
    /// When somebody last saw that it arrives.
    pub proven: Option<Proven>,
}

/// When a vendor changes its service.
#[derive(Clone, Debug, PartialEq)]
pub enum Windows {
    /// It says that it has no fixed ones.
    None,
    /// Each week.
    Weekly(Hours),
}

/// A release that the vendor has announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// What it is called.
    pub release: String,
    /// When it comes.
    pub date: Option<Date>,
    /// What the customer has to do, and by which day; nothing where it has no impact.
    pub action: Option<(String, Date)>,
    /// When that was done.
    pub done: Option<Date>,
}

/// The drill of the support process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drill {
    /// When it was last done; never, where it was not.
    pub last: Option<Date>,
    /// After how many days it is due again.
    pub interval: u32,
}

impl Drill {
    /// A quarter.
    pub const INTERVAL: u32 = 92;
}

/// How a status page is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageKind {
    /// Statuspage, API v2.
    Statuspage,
    /// status.io.
    StatusIo,
    /// Cachet.
    Cachet,
    /// RSS.
    Rss,
    /// Atom.
    Atom,
    /// For people alone.
    Page,
}

impl PageKind {
    /// The words of the inventory.
    pub const WORDS: [(&'static str, Self); 6] = [
        ("statuspage", Self::Statuspage),
        ("status.io", Self::StatusIo),
        ("cachet", Self::Cachet),
        ("rss", Self::Rss),
        ("atom", Self::Atom),
        ("page", Self::Page),
    ];
}

/// A page that tells how the service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusPage {
    /// Where.
    pub link: Link,
    /// How it is written.
    pub kind: PageKind,
    /// After how many days without a change nobody seems to keep it.
    pub max_age: u32,
}

impl StatusPage {
    /// A quarter.
    pub const MAX_AGE: u32 = 92;
}

/// A URL that is asked again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitoring {
    /// What is asked.
    pub link: Link,
    /// From where: hosts; the runner when it is empty.
    pub from: Vec<String>,
    /// From the runner, too.
    pub runner: bool,
    /// How often.
    pub every: Option<Duration>,
    /// The status that is an answer.
    pub status: u16,
    /// How often a step asks it, one after the other.
    pub samples: u32,
    /// The time in the answer that shows whether it is fresh.
    pub fresh: Option<Fresh>,
    /// Whose certificates are trusted on hosts: a file there.
    pub host_ca: Option<String>,
}

impl Monitoring {
    /// Enough for a median.
    pub const SAMPLES: u32 = 3;

    /// Whether the runner asks it.
    #[must_use]
    pub fn is_asked_here(&self) -> bool {
        self.runner || self.from.is_empty()
    }
}

/// A time in a JSON answer, and how old it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fresh {
    /// A JSON pointer (RFC 6901), such as `/status/updated`.
    pub at: String,
    /// How old.
    pub within: Duration,
}

/// A way to hand evidence over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intake {
    /// Where to.
    pub to: IntakeTo,
    /// The most that one file may have.
    pub max_bytes: Option<u64>,
    /// What a file is called, with placeholders.
    pub name: Option<String>,
    /// Which endings are taken, such as `.tar.zst`.
    pub extensions: Vec<String>,
    /// For whom it is encrypted: age recipients, SSH keys among them, or OpenPGP fingerprints.
    pub encrypt_to: Vec<String>,
    /// The file with the public keys of those fingerprints.
    pub openpgp_key: Option<PathBuf>,
}

/// Where evidence is handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntakeTo {
    /// A drop box.
    Sftp {
        /// Name or address.
        host: String,
        /// TCP port.
        port: u16,
        /// The account.
        user: String,
        /// Where in it.
        directory: Option<String>,
        /// A pin.
        host_key: Option<String>,
        /// How we log in.
        login: Option<DropLogin>,
    },
    /// An upload.
    Https {
        /// Where.
        link: Link,
        /// The environment variable with the token.
        token_env: Option<String>,
    },
    /// A mailbox.
    Email {
        /// Its address.
        to: String,
        /// Who takes our mail; without it a person sends it.
        by: Option<Submission>,
    },
}

/// The mail server that takes our messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Where it is.
    pub desk: Desk,
    /// Whose certificates are trusted there, instead of those that this machine trusts.
    pub ca: Option<PathBuf>,
    /// Whose message it is.
    pub from: String,
    /// The account, and the environment variable with its password.
    pub account: Option<(String, String)>,
    /// What the message is about, with placeholders.
    pub subject: Option<String>,
}

/// The case that tries the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessTest {
    /// The vendor's number of it.
    pub case: Option<String>,
    /// When it was opened.
    pub opened: Option<Timestamp>,
    /// When a person at the vendor's answered.
    pub acknowledged: Option<Timestamp>,
    /// How soon that has to be.
    pub within: Option<Duration>,
}
