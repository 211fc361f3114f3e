//! What can be fetched of an instance: its kind, where it comes from, and what it must look like.

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
}

/// What the bytes must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Well-formed XML.
    Xml,
    /// AMPS log lines (facts: artifacts.md 2.2), plain or gzip.
    AmpsLog,
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
