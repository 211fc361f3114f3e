//! What is said to a mail server, and what its refusals mean.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::super::{Deadline, Refused, secret};
use crate::inventory::Submission;
use crate::text;
use crate::transport::smtp::{self, Answer, Offers, Unmet, Wire};

/// Hands the message over; the words with which the server took it.
pub(super) fn send(
    to: &str,
    by: &Submission,
    content: &[u8],
    deadline: Deadline,
) -> Result<String, Refused> {
    let (mut wire, offers) = smtp::meet(&by.desk, by.ca.as_deref(), deadline.0)?;
    let at = text::endpoint(&by.desk.host, by.desk.port);
    let done = talk(&mut wire, &offers, to, by, content, &at);
    wire.leave();
    done
}

fn talk(
    wire: &mut Wire,
    offers: &Offers,
    to: &str,
    by: &Submission,
    content: &[u8],
    at: &str,
) -> Result<String, Refused> {
    if let Some((user, env)) = &by.account {
        log_in(wire, user, env, offers, at)?;
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
    let what = format!("takes no message from {}", by.from);
    mail.wanted(&[250], at, &what, no_account)?;
    let rcpt = wire.ask(&format!("RCPT TO:<{to}>"))?;
    let hint = "see the address with the vendor, and whether this server sends mail outside";
    rcpt.wanted(&[250, 251], at, &format!("takes no message to {to}"), hint)?;
    wire.ask("DATA")?
        .wanted(&[354], at, "takes no message", "")?;
    let perhaps = || {
        Some(format!(
            "perhaps the whole message: {at} did not say whether it took it"
        ))
    };
    // Without the line that ends it a server throws it away.
    wire.write(&stuffed(content))?;
    let untold = |unmet: Unmet| Refused::from(unmet).leaving(perhaps());
    wire.write(b".\r\n").map_err(untold)?;
    let taken = wire.answer().map_err(untold)?;
    taken.wanted(&[250], at, "does not take the message", "")?;
    Ok(taken.told())
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
        let both = Zeroizing::new(STANDARD.encode(both.as_bytes()));
        let line = Zeroizing::new(format!("AUTH PLAIN {}", both.as_str()));
        let answer = without(wire.ask(&line)?, &[&password, &both]);
        return Ok(answer.wanted(&[235], at, &what, &hint)?);
    }
    if offers.login {
        wire.ask("AUTH LOGIN")?.wanted(&[334], at, &what, &hint)?;
        let account = wire.ask(&STANDARD.encode(user))?;
        account.wanted(&[334], at, &what, &hint)?;
        let line = Zeroizing::new(STANDARD.encode(password.as_bytes()));
        let answer = without(wire.ask(&line)?, &[&password, &line]);
        return Ok(answer.wanted(&[235], at, &what, &hint)?);
    }
    Err(Refused::new(
        format!("{at} offers no way to log in that gonogo knows (PLAIN, LOGIN)"),
        "remove `user` where it needs none, or name another port: 587 is for submission",
    ))
}

/// Some servers say what they heard.
fn without(answer: Answer, secrets: &[&str]) -> Answer {
    let holds = |line: &String| secrets.iter().any(|secret| line.contains(secret));
    match answer.lines.iter().any(holds) {
        false => answer,
        true => Answer {
            lines: vec!["[its words hold the password]".to_owned()],
            ..answer
        },
    }
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
    use super::{Answer, stuffed, without};

    #[test]
    fn an_answer_that_repeats_the_password_is_not_told() {
        let said = |text: &str| Answer {
            code: 535,
            lines: vec!["5.7.8 no".to_owned(), text.to_owned()],
        };
        let told = without(said("not c2VjcmV0, friend"), &["secret", "c2VjcmV0"]).told();
        assert_eq!(told, "535 [its words hold the password]");
        let plain = without(said("try again"), &["secret", "c2VjcmV0"]).told();
        assert_eq!(plain, "535 5.7.8 no try again");
    }

    #[test]
    fn no_line_of_a_message_ends_it() {
        assert_eq!(stuffed(b"a\r\n.\r\n..b"), b"a\r\n..\r\n...b\r\n");
        assert_eq!(stuffed(b".a\r\n"), b"..a\r\n");
    }
}
