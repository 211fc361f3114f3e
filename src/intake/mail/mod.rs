//! E-mail: one message to the vendor's mailbox, handed to the mail server that the inventory names. What that server
//! accepts is on its way; that it arrived nobody here can tell.
//!
//! The dialogue is ours, the message lettre's. lettre's own client counts what a stranger put before STARTTLS as the
//! server's answers, keeps no SIZE, and has a time for each read alone.

mod dialogue;
mod message;

pub use message::{MOST_BYTES, MOST_REQUEST, fitting, grown};

use super::{Arrived, Compared, Deadline, Parcel, Refused, secret};
use crate::failure::FailureKind;
use crate::inventory::Submission;
use crate::probe::Tls;
use crate::text;
use crate::transport::smtp::{self, Unmet};

/// What is missing before anybody is contacted.
pub(super) fn ready(by: Option<&Submission>) -> Result<(), Refused> {
    let by = by.ok_or_else(by_hand)?;
    if let Some((_, env)) = &by.account {
        secret(env, "password")?;
    }
    match by.desk.tls {
        Tls::None => Ok(()),
        Tls::Starttls | Tls::Implicit => Ok(smtp::roots(by.ca.as_deref()).map(drop)?),
    }
}

/// Without a mail server nothing is sent.
#[must_use]
pub fn by_hand() -> Refused {
    Refused::new(
        "the inventory names no mail server for this intake",
        "write `from: ADDRESS` and `host: NAME` of the server that takes your mail, send it by hand, or name another way with --intake",
    )
}

/// Sends it.
pub(super) fn deliver(
    to: &str,
    by: Option<&Submission>,
    parcel: &Parcel,
    deadline: Deadline,
) -> Result<Arrived, Refused> {
    let by = by.ok_or_else(by_hand)?;
    let content = message::build(to, by, parcel)?;
    let answer = dialogue::send(to, by, &content, deadline)?;
    Ok(Arrived {
        place: format!(
            "e-mail to {to} by {}",
            text::endpoint(&by.desk.host, by.desk.port)
        ),
        compared: Some(Compared::Accepted),
        answer: Some(answer),
        left: None,
    })
}

impl From<Unmet> for Refused {
    fn from(unmet: Unmet) -> Self {
        let hint = match unmet.kind {
            FailureKind::Timeout => format!(
                "{}; `--deadline TIME` says how long all of it may take",
                unmet.hint
            ),
            _ => unmet.hint,
        };
        Self {
            is_fault: unmet.is_ours,
            ..Self::new(unmet.why, hint)
        }
    }
}
