//! What can be fetched of an instance: its kind, where it comes from, and what it must look like.

mod configuration;
mod get;
mod log;
pub(super) mod moment;
mod statistics;

pub use configuration::{Condition, ConfigurationKeys, Finding};
pub use get::Get;
pub use log::{Encoding, Entry, EntryForm, LogKeys, Retention, TimeForm, Zone};
pub use statistics::{StatisticsKeys, Take};

/// One artifact of one instance, placeholders filled.
#[derive(Clone, Debug, PartialEq)]
pub struct Artifact {
    /// Its key in `artifacts:`, such as `event log`.
    pub name: String,
    /// What it is to the vendor's support.
    pub kind: Kind,
    /// Where it comes from.
    pub source: Source,
    /// What its bytes must be.
    pub format: Option<Format>,
    /// `match:`: the version inside a command's output or a file (first group, else whole match).
    pub pattern: Option<Pattern>,
    /// `stream:`: where a command prints it.
    pub stream: Stream,
    /// `tables:`: tables that a statistics database must have.
    pub tables: Vec<String>,
    /// `sample:`: where a statistics database keeps the time of its samples.
    pub sample: Option<Sample>,
    /// `reject:`: output or text that matches is no artifact, whatever the exit status.
    pub reject: Vec<Pattern>,
    /// `listing: true`: its files are listed, with sizes and times, and never fetched.
    pub listing: bool,
    /// What is said of it as a log.
    pub log: LogKeys,
    /// What is said of it as statistics.
    pub statistics: StatisticsKeys,
    /// What is said of it as a configuration.
    pub configuration: ConfigurationKeys,
    /// Where its facts come from.
    pub about: About,
}

/// Where the facts of an artifact come from, as a profile states it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// `source:`: the vendor's page, a man page, or that it was measured.
    pub source: Option<String>,
    /// `checked:`: the day it was last checked, `YYYY-MM-DD`.
    pub checked: Option<String>,
    /// `needs:`: the rights that an account needs for it.
    pub needs: Option<String>,
}

/// The kinds of contract 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The product's version.
    Version,
    /// Its configuration files.
    Configuration,
    /// Its event or error log.
    Log,
    /// Its statistics.
    Statistics,
    /// Anything else.
    Other,
}

impl Kind {
    /// The four kinds that every instance must have (contract 5).
    pub const REQUIRED: [Self; 4] = [
        Self::Version,
        Self::Configuration,
        Self::Log,
        Self::Statistics,
    ];

    /// The word of the inventory and the report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Configuration => "configuration",
            Self::Log => "log",
            Self::Statistics => "statistics",
            Self::Other => "other",
        }
    }
}

/// Where an artifact comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A program and its arguments; never a shell string.
    Command(Vec<String>),
    /// An absolute path; each component may be a glob (`*`, `?`, `[…]`).
    Path(String),
    /// An absolute path as a product writes it when it opens a file: a strftime(3) mask, `%n` for a
    /// rotation counter.
    Mask(String),
    /// The journal of a systemd unit.
    Journal(String),
    /// What a web server answers that the host reaches.
    Http(Get),
}

/// What the bytes must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Well-formed XML.
    Xml,
    /// YAML.
    Yaml,
    /// JSON.
    Json,
    /// INI: `[section]` and `key = value`, as MySQL's option files.
    Ini,
    /// One setting a line, a key and its value: PostgreSQL, Redis.
    Conf,
    /// Java properties.
    Properties,
    /// nginx' blocks and directives.
    Nginx,
    /// HAProxy's sections and keywords.
    Haproxy,
    /// AMPS log lines (facts: artifacts.md 2.2), plain or compressed.
    AmpsLog,
    /// Log lines as `entry:` describes them, plain or compressed.
    Log,
    /// A JSON object a line, plain or compressed.
    JsonLog,
    /// An SQLite 3 database with its `-wal` or `-journal`.
    Sqlite,
    /// Anything that is not empty.
    Plain,
}

/// Where a command prints what is wanted; `nginx -v` prints to stderr.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stream {
    /// stdout.
    Stdout,
    /// stderr.
    Stderr,
    /// Either.
    #[default]
    Both,
}

/// Where a statistics database keeps the time of its samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Table name, `[A-Za-z_][A-Za-z0-9_]*`.
    pub table: String,
    /// Column name, same grammar.
    pub column: String,
    /// What the column counts.
    pub unit: SampleUnit,
}

/// What a sample's time column counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleUnit {
    /// AMPS: milliseconds of the Julian day; `unix = t / 1000 − 210866803200` (facts: artifacts.md 2.4).
    Amps,
    /// Seconds since 1970-01-01 UTC.
    Unix,
    /// Milliseconds since 1970-01-01 UTC.
    UnixMs,
    /// RFC 3339 text.
    Rfc3339,
}

/// A compiled regular expression that compares by its text.
#[derive(Clone, Debug)]
pub struct Pattern(pub regex::Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Pattern {}

impl Format {
    /// Whether it is a log whose entries carry a time.
    #[must_use]
    pub const fn is_log(self) -> bool {
        matches!(self, Self::AmpsLog | Self::Log | Self::JsonLog)
    }

    /// Whether it is a configuration that can be parsed into settings.
    #[must_use]
    pub const fn is_settings(self) -> bool {
        matches!(
            self,
            Self::Xml
                | Self::Yaml
                | Self::Json
                | Self::Ini
                | Self::Conf
                | Self::Properties
                | Self::Nginx
                | Self::Haproxy
        )
    }
}
