//! `gather:`, the consent to read many files by one command. What that command is, the plan prints; where no command is
//! sent, or sudo is in the way, the consent changes nothing.

use super::access::{Elevate, Login, Transport};

/// `gather:`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gather {
    /// Each file by itself.
    Each,
    /// Small files of a set together, by one command.
    Framed,
}

impl Login {
    /// Whether small files may be read together by one command: consented to, by an account that may run one
    /// as itself. sudoers(5) could not tell such a command from any other script.
    #[must_use]
    pub fn gathers(&self) -> bool {
        self.gather == Gather::Framed
            && self.transport != Transport::Sftp
            && self.elevate == Elevate::None
            && self.chroot.is_none()
    }
}
