//! Files that are read in turn, because what one of them proves depends on when another was read. Together with the
//! reads of one goes the opening of the next, and nothing more. How a file is read is `fetch.rs`.

use std::time::Instant;

use super::{Role, Set, State};
use crate::failure::Failure;
use crate::transport::actor::gone;
use crate::transport::files as rules;
use crate::transport::sftp::Conversation;

/// How several files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::transport) enum Order {
    /// All at once.
    Together,
    /// No byte of one is asked for before the one before it has come whole; behind one that failed, none is read.
    /// Only its opening may be under way by then, asked for when the one before it was open: which of two files
    /// a server looks at first is its own business (draft-ietf-secsh-filexfer-02, 6.1, orders what is about one
    /// file), so that nothing which depends on an order is asked for before its turn.
    InTurn,
}

impl<C: Conversation> Set<'_, C> {
    /// Whether something that nobody reads any more is being opened: its handle has to be closed.
    pub(super) fn is_opening(&self) -> bool {
        let mut roles = self.questions.values();
        roles.any(|(_, role)| matches!(role, Role::Open))
    }

    /// Looks anew at what comes next if the last look is too old to open it by.
    pub(super) fn look_again(&mut self) -> Result<(), (Failure, usize)> {
        let Some(at) = self.done.iter().position(Option::is_none) else {
            return Ok(());
        };
        let Some(transfer) = &mut self.transfers[at] else {
            return Ok(());
        };
        if transfer.state != State::Looked || transfer.is_fresh() {
            return Ok(());
        }
        let path = transfer.asked.path.clone();
        let now = Instant::now();
        let looked = self.files.look_all(&[&path]).map_err(|over| (over, at))?;
        let found = looked.into_iter().next().unwrap_or_else(|| Err(gone()));
        let judged = found.and_then(|entry| {
            rules::must_be_file(&entry)?;
            Ok((transfer.asked.wanted(entry.size)?, entry))
        });
        match judged {
            Ok((wanted, entry)) => {
                (transfer.wanted, transfer.entry, transfer.looked) = (wanted, entry, now);
            }
            Err(failure) => self.fail(at, failure.into()),
        }
        Ok(())
    }

    /// Reads nothing behind the one that failed.
    pub(super) fn stop_behind(&mut self, failed: usize) {
        for at in failed + 1..self.done.len() {
            if let Some(transfer) = self.transfers[at].take()
                && !transfer.handle.is_empty()
            {
                self.files.close(&transfer.handle);
            }
            self.end(at, Err(rules::not_reached().into()));
        }
    }
}
