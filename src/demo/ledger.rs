//! What clients asked of the estate, in order: so that a test can hold it against what a plan printed,
//! and that no request to write ever came. Records requests, not contents.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a request wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// A command.
    Run,
    /// A file, to read.
    Open,
    /// A directory.
    List,
    /// Any change: write, create, remove, rename, link, attributes. Always refused.
    Write,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Key of the host.
    pub host: String,
    /// The account.
    pub user: String,
    /// What was wanted.
    pub act: Act,
    /// The command as sent, or the path as resolved.
    pub subject: String,
}

/// All requests of one estate.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<Vec<Request>>);

impl Ledger {
    pub(super) fn note(&self, host: &str, user: &str, act: Act, subject: impl Into<String>) {
        self.requests().push(Request {
            host: host.to_owned(),
            user: user.to_owned(),
            act,
            subject: subject.into(),
        });
    }

    pub(super) fn read(&self) -> Vec<Request> {
        self.requests().clone()
    }

    // A list of finished entries is whole even if a thread died holding it.
    fn requests(&self) -> MutexGuard<'_, Vec<Request>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
