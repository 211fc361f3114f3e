//! A failure: a fact about the world that a report states. What gonogo itself cannot do is a fault
//! (`cli/fault.rs`) and never comes here. This file holds the words; the rooms that see the world
//! fill them in.

use std::fmt;
use std::str::FromStr;

/// Why a check failed: the published words of contract 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureKind {
    /// No connection: name, route, port, banner, key exchange, or the peer hung up.
    Unreachable,
    /// The host is not the one the inventory or `known_hosts` means.
    HostKey,
    /// The host is right, the login was refused.
    Auth,
    /// Logged in, but no usable command interpreter or SFTP subsystem answered.
    Shell,
    /// `sudo` refused.
    Elevate,
    /// The file, directory or command does not exist, or a pattern matched nothing.
    Missing,
    /// It exists, and this account may not read or enter it.
    Denied,
    /// A FIFO, socket, device or directory where a regular file was meant.
    NotRegular,
    /// Reading broke off with an error of its own.
    Io,
    /// Nothing was in it.
    Empty,
    /// Fewer bytes came than the file had when it was opened.
    Short,
    /// All bytes came and they are not what the format says.
    Corrupt,
    /// The newest entry or sample is too old, or lies in the future.
    Stale,
    /// It is well, but not the expected one: version, name, output, identity.
    Mismatch,
    /// It exceeds the cap of the inventory.
    TooLarge,
    /// A deadline of ours ran out.
    Timeout,
    /// A span that must be covered is not.
    Gap,
    /// No statement could be made: not run, aborted, or a defect of gonogo.
    Undefined,
}

impl FailureKind {
    /// Every kind, in the order of contract 6.
    pub const ALL: [Self; 18] = [
        Self::Unreachable,
        Self::HostKey,
        Self::Auth,
        Self::Shell,
        Self::Elevate,
        Self::Missing,
        Self::Denied,
        Self::NotRegular,
        Self::Io,
        Self::Empty,
        Self::Short,
        Self::Corrupt,
        Self::Stale,
        Self::Mismatch,
        Self::TooLarge,
        Self::Timeout,
        Self::Gap,
        Self::Undefined,
    ];

    /// Whether a person may accept it for a while. Not what leaves open which machine answered, or whether
    /// anything did: there a waiver would cover what nobody knows (contract 5).
    #[must_use]
    pub const fn may_be_waived(self, at_login: bool) -> bool {
        match self {
            Self::HostKey | Self::Unreachable | Self::Timeout | Self::Undefined => false,
            // The host was proven by its key, and turned this account away.
            Self::Auth => true,
            _ => !at_login,
        }
    }

    /// The published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::HostKey => "host-key",
            Self::Auth => "auth",
            Self::Shell => "shell",
            Self::Elevate => "elevate",
            Self::Missing => "missing",
            Self::Denied => "denied",
            Self::NotRegular => "not-regular",
            Self::Io => "io",
            Self::Empty => "empty",
            Self::Short => "short",
            Self::Corrupt => "corrupt",
            Self::Stale => "stale",
            Self::Mismatch => "mismatch",
            Self::TooLarge => "too-large",
            Self::Timeout => "timeout",
            Self::Gap => "gap",
            Self::Undefined => "undefined",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The word is not one of [`FailureKind::ALL`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown failure kind `{0}`")]
pub struct UnknownKind(pub String);

impl FromStr for FailureKind {
    type Err = UnknownKind;

    fn from_str(word: &str) -> Result<Self, UnknownKind> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == word);
        known.ok_or_else(|| UnknownKind(word.to_owned()))
    }
}

/// One failure, complete enough to act on: what, where, for whom, expected, seen, and what to do.
///
/// `expected` and `actual` are lower-case phrases without a full stop; `actual` may quote remote
/// text and is escaped by whoever prints it. `hint` names the likely remedy, never a certainty that
/// the evidence does not carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The published kind.
    pub kind: FailureKind,
    /// The host or hop concerned (a key of `hosts:`), when one is.
    pub host: Option<String>,
    /// The account used there, when one was.
    pub account: Option<String>,
    /// The path, pattern or command concerned, when one is.
    pub subject: Option<String>,
    /// What would have passed.
    pub expected: String,
    /// What came instead.
    pub actual: String,
    /// What to do about it.
    pub hint: String,
}

impl Failure {
    /// A failure of `kind` with its expectation and what was seen; the rest is added by `with_*`.
    #[must_use]
    pub fn new(kind: FailureKind, expected: impl Into<String>, actual: impl Into<String>) -> Self {
        Self {
            kind,
            host: None,
            account: None,
            subject: None,
            expected: expected.into(),
            actual: actual.into(),
            hint: String::new(),
        }
    }

    /// Adds the remedy.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Adds the path, pattern or command concerned.
    #[must_use]
    pub fn with_subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Adds the path, pattern or command, unless a deeper room has named a more exact one.
    #[must_use]
    pub fn with_subject_if_none(mut self, subject: &str) -> Self {
        self.subject.get_or_insert_with(|| subject.to_owned());
        self
    }

    /// Adds host and account, unless a deeper room (a hop) has named its own.
    #[must_use]
    pub fn with_login(mut self, host: &str, account: &str) -> Self {
        self.host.get_or_insert_with(|| host.to_owned());
        self.account.get_or_insert_with(|| account.to_owned());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            expected,
            actual,
            ..
        } = self;
        match &self.subject {
            None => write!(f, "{kind}: expected {expected}, got {actual}"),
            Some(subject) => write!(f, "{kind}: {subject}: expected {expected}, got {actual}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_back_as_itself() {
        for kind in FailureKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert!("Timeout".parse::<FailureKind>().is_err());
    }
}
