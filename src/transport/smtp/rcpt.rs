//! Whether the mail server of a domain accepts an address: MAIL FROM, RCPT TO, RSET, QUIT, and never a message. What it
//! says is told as it came; that anybody reads the mailbox no server can prove.

use std::net::IpAddr;
use std::time::Instant;

use super::{Answer, Offers, Unmet, Wire, hello};
use crate::failure::FailureKind;
use crate::text;

/// Where mail servers take mail for their own domains (RFC 5321, 4.5.4.2).
const PORT: u16 = 25;

/// What was said to RCPT.
#[derive(Debug)]
pub struct Said {
    /// The server, by its name and address.
    pub server: String,
    /// Its answer.
    pub answer: Answer,
}

/// Asks the first of those servers that can be reached. `from` may be empty: then it is nobody who asks, as with mail
/// that tells of undelivered mail.
///
/// # Errors
/// Why nobody said anything about the address.
pub fn recipient(
    servers: &[(String, IpAddr)],
    from: &str,
    to: &str,
    until: Instant,
) -> Result<Said, Unmet> {
    let mut unreached = None;
    for (name, address) in servers {
        let server = format!("{name} ({address})");
        match Wire::open(&address.to_string(), PORT, until) {
            Ok(mut wire) => {
                let said = talk(&mut wire, name, &server, from, to);
                wire.leave();
                let told = said.map_err(of_exchanger);
                return told.map(|answer| Said { server, answer });
            }
            Err(unmet) => {
                unreached.get_or_insert(unmet);
            }
        }
    }
    Err(of_exchanger(unreached.unwrap_or_else(|| {
        let why = format!("no mail server of {to} has an address");
        Unmet::new(FailureKind::Missing, why, "")
    })))
}

fn talk(wire: &mut Wire, name: &str, server: &str, from: &str, to: &str) -> Result<Answer, Unmet> {
    wire.answer()?
        .wanted(&[220], server, "turns us away", "-")?;
    let offers: Offers = hello(wire, server)?;
    let sender = format!("MAIL FROM:<{from}>");
    let mut mail = wire.ask(&sender)?;
    if mail.code == 530 && offers.starttls {
        // Only where it insists: its certificate must hold then, and few have one that does.
        wire.ask("STARTTLS")?
            .wanted(&[220], server, "begins no TLS", "-")?;
        wire.encrypt(name, None)?;
        hello(wire, server)?;
        mail = wire.ask(&sender)?;
    }
    let what = format!("lets <{from}> ask nothing");
    mail.wanted(&[250], server, &what, "-")?;
    let said = wire.ask(&format!("RCPT TO:<{to}>"))?;
    let _taken_back = wire.ask("RSET");
    Ok(said)
}

/// What to do is another matter than with a server that the inventory names.
fn of_exchanger(unmet: Unmet) -> Unmet {
    let hint = match unmet.kind {
        FailureKind::Unreachable | FailureKind::Timeout => {
            "see whether port 25 is open on the way out from here: many networks close it, and `probe: rcpt` has to go then"
        }
        FailureKind::Io => "it says that this will pass, or broke off: try again later",
        FailureKind::Denied => {
            "it does not let us ask, and says nothing of the address: `probe_from: ADDRESS` of the vendor names a sender that it knows, or remove `probe: rcpt`"
        }
        _ => "see with who runs that server; without `probe: rcpt` it is not asked",
    };
    Unmet {
        why: text::escape(&unmet.why).into_owned(),
        hint: hint.to_owned(),
        ..unmet
    }
}
