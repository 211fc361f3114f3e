//! What goes with a bundle by e-mail: the subject, and the request as its text. Checked before anybody is contacted.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use super::deliver::{Order, Wrong, filled};
use crate::intake::{self, Letter, Parcel, mail};
use crate::inventory::{Intake, IntakeTo, Submission, Vendor};
use crate::probe::Tls;
use crate::text;

/// The letter of a mailbox; `None` for intakes that take files alone.
pub(super) fn of(
    order: &Order<'_>,
    intake: &Intake,
    vendor: &Vendor,
    own: &str,
    bytes: u64,
) -> Result<Option<Letter>, Vec<Wrong>> {
    let IntakeTo::Email { to, by } = &intake.to else {
        return match order.request {
            None => Ok(None),
            Some(_) => Err(vec![(
                "this intake takes a file alone, and no text with it".to_owned(),
                "leave out --request, and hand the request in where the vendor takes it".to_owned(),
            )]),
        };
    };
    let Some(by) = by else {
        return Err(vec![intake::mail::by_hand().into()]);
    };
    let mut wrong = Vec::new();
    for address in [to, &by.from] {
        if !address.is_ascii() {
            wrong.push((
                format!("`{address}` is no address that every mail server takes"),
                "write its domain as DNS has it, `xn--…`".to_owned(),
            ));
        }
    }
    let text = match order.request.map(read).transpose() {
        Ok(text) => text.unwrap_or_default(),
        Err(why) => {
            wrong.push(why);
            String::new()
        }
    };
    let pattern = by.subject.as_deref();
    let (subject, missing) = match (pattern, order.case) {
        (Some(pattern), _) => filled(order, vendor, pattern, "the subject of the message", false),
        (None, Some(case)) => (format!("{case}: {own}"), Vec::new()),
        (None, None) => (format!("Evidence: {own}"), Vec::new()),
    };
    wrong.extend(missing);
    if subject.chars().any(char::is_control) {
        wrong.push((
            "the subject of the message has more than one line".to_owned(),
            "see `subject` and --case".to_owned(),
        ));
    }
    let message = mail::grown(bytes, text.len() as u64);
    let most = intake.max_bytes.unwrap_or(u64::MAX).min(mail::MOST_BYTES);
    if message > most {
        wrong.push((
            format!(
                "`{own}` has {}, as a message {} ({message} bytes), and this intake takes {} ({most} bytes)",
                text::size(bytes),
                text::size(message),
                text::size(most)
            ),
            "a file grows by 37% in a message: send it in parts (`gonogo case split`), leave something out (`case build --without ARTIFACT`), or name another way with --intake".to_owned(),
        ));
    }
    match wrong.is_empty() {
        true => Ok(Some(Letter { subject, text })),
        false => Err(wrong),
    }
}

fn read(path: &Path) -> Result<String, Wrong> {
    let no = |why: String| {
        (
            format!("the request `{}` cannot be sent: {why}", path.display()),
            "name the file that `gonogo case draft -o FILE` wrote".to_owned(),
        )
    };
    let found = fs::metadata(path).map_err(|error| no(error.to_string()))?;
    if !found.is_file() {
        return Err(no("it is no regular file".to_owned()));
    }
    let mut content = Vec::new();
    let file = File::open(path).map_err(|error| no(error.to_string()))?;
    file.take(mail::MOST_REQUEST as u64 + 1)
        .read_to_end(&mut content)
        .map_err(|error| no(error.to_string()))?;
    if content.len() > mail::MOST_REQUEST {
        return Err(no("it is too long for a request".to_owned()));
    }
    let text = String::from_utf8(content).map_err(|_| no("it is no text".to_owned()))?;
    match text.trim().is_empty() || text.contains('\0') {
        true => Err(no("it is no text".to_owned())),
        false => Ok(text),
    }
}

/// How it goes, a line each.
pub(super) fn how(by: &Submission, parcel: &Parcel) -> Vec<String> {
    let letter = parcel.letter.clone().unwrap_or_default();
    let line = match by.desk.tls {
        Tls::Starttls => "encrypted by STARTTLS, or not at all",
        Tls::Implicit => "encrypted from the first byte",
        Tls::None => "in plain text, on this machine",
    };
    vec![
        line.to_owned(),
        match &by.account {
            Some((user, env)) => format!("as {user}, with the password in {env}"),
            None => "without an account".to_owned(),
        },
        format!("subject: {}", letter.subject),
        match letter.text.is_empty() {
            true => "without a request (--request FILE)".to_owned(),
            false => format!("with the request, {} bytes", letter.text.len()),
        },
        format!(
            "a message of at most {} bytes; that it arrives nobody here can tell",
            mail::grown(parcel.bytes, letter.text.len() as u64)
        ),
    ]
}
