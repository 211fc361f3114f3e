//! A mail server, as far as its greeting: reached, encrypted as the inventory says, its certificate held to its name,
//! and asked what it offers; and, where somebody asked for it, whether it accepts an address (`rcpt.rs`). No message is
//! handed over here: `intake/` alone does that.

mod rcpt;
mod wire;

use std::path::Path;
use std::time::Instant;

pub use rcpt::{Said, recipient};
pub use wire::{Answer, Unmet, Wire, roots};

use crate::failure::FailureKind;
use crate::probe::{Desk, Tls};
use crate::text;

/// What a server offers once it is encrypted as it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// What it calls itself.
    pub name: String,
    /// It goes on encrypted when it is asked to.
    pub starttls: bool,
    /// `AUTH PLAIN`.
    pub plain: bool,
    /// `AUTH LOGIN`.
    pub login: bool,
    /// It hears how large a message will be.
    pub has_size: bool,
    /// The most that it takes, where it says so.
    pub size: Option<u64>,
}

/// Reaches it, encrypts, and hears what it offers.
///
/// # Errors
/// Why it is not the server that is meant.
pub fn meet(desk: &Desk, ca: Option<&Path>, until: Instant) -> Result<(Wire, Offers), Unmet> {
    let mut wire = Wire::open(&desk.host, desk.port, until)?;
    let at = text::endpoint(&desk.host, desk.port);
    if desk.tls == Tls::Implicit {
        wire.encrypt(&desk.host, ca)?;
    }
    wire.answer()?.wanted(&[220], &at, "turns us away", "")?;
    let mut offers = hello(&mut wire, &at)?;
    if desk.tls == Tls::Starttls {
        if !offers.starttls {
            return Err(Unmet::new(
                FailureKind::Mismatch,
                format!("{at} offers no STARTTLS: nothing goes out in plain text"),
                "correct `host` and `port` (587 is for submission), or write `tls: implicit` where TLS comes first (465)",
            ));
        }
        wire.ask("STARTTLS")?
            .wanted(&[220], &at, "begins no TLS", "")?;
        wire.encrypt(&desk.host, ca)?;
        // What was offered in plain text may have been anybody's word.
        offers = hello(&mut wire, &at)?;
    }
    Ok((wire, offers))
}

fn hello(wire: &mut Wire, at: &str) -> Result<Offers, Unmet> {
    let name = wire.own_name();
    let answer = wire.ask(&format!("EHLO {name}"))?;
    answer.wanted(
        &[250],
        at,
        "does not speak ESMTP",
        "see `host` and `port` of the intake",
    )?;
    let mut offers = Offers::default();
    let mut lines = answer.lines.iter();
    if let Some(first) = lines.next() {
        let name = first.split_whitespace().next().unwrap_or_default();
        offers.name = text::clip(name, 100).to_string();
    }
    for line in lines {
        let line = line.to_ascii_uppercase();
        let mut words = line.split_whitespace();
        match words.next() {
            Some("STARTTLS") => offers.starttls = true,
            Some("SIZE") => {
                offers.has_size = true;
                // Nought means no fixed limit (RFC 1870).
                let stated = words.next().and_then(|size| size.parse().ok());
                offers.size = stated.filter(|size| *size > 0);
            }
            Some("AUTH") => {
                for mechanism in words {
                    offers.plain |= mechanism == "PLAIN";
                    offers.login |= mechanism == "LOGIN";
                }
            }
            _ => {}
        }
    }
    Ok(offers)
}
