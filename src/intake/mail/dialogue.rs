//! What is said to a mail server, and what its refusals mean.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::super::{Deadline, Refused, secret};
use super::wire::{Answer, Wire};
use crate::inventory::{Submission, Tls};
use crate::text;

/// What the server offers.
#[derive(Default)]
struct Offers {
    starttls: bool,
    plain: bool,
    login: bool,
    size: Option<u64>,
    has_size: bool,
}

/// Hands the message over; the words with which the server took it.
pub(super) fn send(
    to: &str,
    by: &Submission,
    content: &[u8],
    deadline: Deadline,
) -> Result<String, Refused> {
    let mut wire = Wire::open(by, deadline)?;
    let at = text::endpoint(&by.host, by.port);
    let done = talk(&mut wire, to, by, content, &at);
    wire.leave();
    done
}

fn talk(
    wire: &mut Wire,
    to: &str,
    by: &Submission,
    content: &[u8],
    at: &str,
) -> Result<String, Refused> {
    if by.tls == Tls::Implicit {
        wire.encrypt(by)?;
    }
    wanted(wire.answer()?, &[220], at, "turns us away", "")?;
    let mut offers = hello(wire, at)?;
    if by.tls == Tls::Starttls {
        if !offers.starttls {
            return Err(Refused::new(
                format!("{at} offers no STARTTLS: nothing goes out in plain text"),
                "correct `host` and `port` (587 is for submission), or write `tls: implicit` where TLS comes first (465)",
            ));
        }
        wanted(wire.ask("STARTTLS")?, &[220], at, "begins no TLS", "")?;
        wire.encrypt(by)?;
        // What was offered in plain text may have been anybody's word.
        offers = hello(wire, at)?;
    }
    if let Some((user, env)) = &by.account {
        log_in(wire, user, env, &offers, at)?;
    }
    let bytes = content.len() as u64;
    if let Some(most) = offers.size.filter(|most| bytes > *most) {
        return Err(Refused::new(
            format!("{at} takes messages of {most} bytes, and this one has {bytes}"),
            "send it in parts (`gonogo case split`), leave something out, or name another way with --intake",
        ));
    }
    let size = match offers.has_size {
        true => format!(" SIZE={bytes}"),
        false => String::new(),
    };
    let no_account = match by.account {
        Some(_) => "see whether this account may send as `from`",
        None => {
            "see whether it wants `user` and `password_env`, and whether it lets this machine send"
        }
    };
    let mail = wire.ask(&format!("MAIL FROM:<{}>{size}", by.from))?;
    wanted(
        mail,
        &[250],
        at,
        &format!("takes no message from {}", by.from),
        no_account,
    )?;
    let rcpt = wire.ask(&format!("RCPT TO:<{to}>"))?;
    let hint = "see the address with the vendor, and whether this server sends mail outside";
    wanted(
        rcpt,
        &[250, 251],
        at,
        &format!("takes no message to {to}"),
        hint,
    )?;
    wanted(wire.ask("DATA")?, &[354], at, "takes no message", "")?;
    let perhaps = || {
        Some(format!(
            "perhaps the whole message: {at} did not say whether it took it"
        ))
    };
    wire.write(&stuffed(content)).map_err(|refused| {
        // Without the line that ends it a server throws it away.
        refused.leaving(None)
    })?;
    wire.write(b".\r\n")
        .map_err(|refused| refused.leaving(perhaps()))?;
    let taken = wire
        .answer()
        .map_err(|refused| refused.leaving(perhaps()))?;
    let told = taken.told();
    wanted(taken, &[250], at, "does not take the message", "")?;
    Ok(told)
}

fn hello(wire: &mut Wire, at: &str) -> Result<Offers, Refused> {
    let name = wire.own_name();
    let answer = wire.ask(&format!("EHLO {name}"))?;
    let mut offers = Offers::default();
    for line in answer.lines.iter().skip(1) {
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
    wanted(
        answer,
        &[250],
        at,
        "does not speak ESMTP",
        "see `host` and `port` of the intake",
    )?;
    Ok(offers)
}

fn log_in(
    wire: &mut Wire,
    user: &str,
    env: &str,
    offers: &Offers,
    at: &str,
) -> Result<(), Refused> {
    if !wire.is_encrypted() {
        return Err(Refused::fault("a password in plain text"));
    }
    let password = secret(env, "password")?;
    let hint = format!("see whether `user` and the password in {env} are right; nothing was sent");
    let what = format!("lets `{user}` not in");
    if offers.plain {
        let both = Zeroizing::new(format!("\0{user}\0{}", password.as_str()));
        let line = Zeroizing::new(format!("AUTH PLAIN {}", STANDARD.encode(both.as_bytes())));
        return wanted(wire.ask(&line)?, &[235], at, &what, &hint);
    }
    if offers.login {
        wanted(wire.ask("AUTH LOGIN")?, &[334], at, &what, &hint)?;
        wanted(wire.ask(&STANDARD.encode(user))?, &[334], at, &what, &hint)?;
        let line = Zeroizing::new(STANDARD.encode(password.as_bytes()));
        return wanted(wire.ask(&line)?, &[235], at, &what, &hint);
    }
    Err(Refused::new(
        format!("{at} offers no way to log in that gonogo knows (PLAIN, LOGIN)"),
        "remove `user` where it needs none, or name another port: 587 is for submission",
    ))
}

/// One of those codes, or what it means that it is another.
fn wanted(answer: Answer, codes: &[u16], at: &str, what: &str, hint: &str) -> Result<(), Refused> {
    if codes.contains(&answer.code) {
        return Ok(());
    }
    let told = answer.told();
    let enhanced = |code: &str| answer.lines.iter().any(|line| line.starts_with(code));
    let why = format!("{at} {what}: {told}");
    let hint = match answer.code {
        _ if answer.code == 552 || enhanced("5.3.4") => {
            "it is more than this server or mailbox takes: send it in parts (`gonogo case split`), or name another way with --intake"
        }
        530 if enhanced("5.7.0") || hint.is_empty() => {
            "it wants `user` and `password_env`, or TLS before anything else"
        }
        // That it is a matter of time is the server's own word.
        421 | 450..=459 | 430..=439 => "it says that this will pass: try again later",
        _ if hint.is_empty() => "see what it says, and with who runs it",
        _ => hint,
    };
    Err(Refused::new(text::escape(&why), hint))
}

/// A line that begins with a dot would end the message (RFC 5321, 4.5.2).
fn stuffed(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 64);
    let mut begins = true;
    for byte in content {
        if begins && *byte == b'.' {
            out.push(b'.');
        }
        out.push(*byte);
        begins = *byte == b'\n';
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::stuffed;

    #[test]
    fn no_line_of_a_message_ends_it() {
        assert_eq!(stuffed(b"a\r\n.\r\n..b"), b"a\r\n..\r\n...b\r\n");
        assert_eq!(stuffed(b".a\r\n"), b"..a\r\n");
    }
}
