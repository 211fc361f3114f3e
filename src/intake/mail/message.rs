//! The message: the request as its text, the bundle as its attachment.

use std::io::Read as _;

use lettre::address::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Attachment, Body, Mailbox, Message, MultiPart, SinglePart};

use super::super::{Outgoing, Parcel, Refused, unreadable};
use crate::inventory::Submission;

/// More is no letter: mail servers take less, and it is held in memory.
pub const MOST_BYTES: u64 = 64 << 20;
/// The most that a request has.
pub const MOST_REQUEST: usize = 256 << 10;
/// Heads, boundaries, and the lines about the file.
const AROUND: u64 = 8 << 10;

/// What a file of so many bytes has as a message with a request of so many: base64 in lines of 76.
#[must_use]
pub fn grown(bytes: u64, request: u64) -> u64 {
    // At worst the request goes as base64, too.
    let base64 = |bytes: u64| bytes.div_ceil(3).saturating_mul(4);
    let lines =
        |bytes: u64| base64(bytes).saturating_add(base64(bytes).div_ceil(76).saturating_mul(2));
    lines(bytes)
        .saturating_add(lines(request))
        .saturating_add(AROUND)
}

/// The largest file whose message has at most `most` bytes, with a request of the usual size.
#[must_use]
pub fn fitting(most: u64) -> u64 {
    let room = most.saturating_sub(grown(0, 16 << 10));
    (room / 78).saturating_mul(57)
}

pub(super) fn build(to: &str, by: &Submission, parcel: &Parcel) -> Result<Vec<u8>, Refused> {
    let letter = parcel.letter.clone().unwrap_or_default();
    if parcel.bytes > MOST_BYTES {
        return Err(Refused::new(
            "this is too large for e-mail",
            "send it in parts, or name another way with --intake",
        ));
    }
    let mut outgoing = Outgoing::open(parcel)?;
    let mut bytes = Vec::new();
    (&mut outgoing)
        .take(parcel.bytes + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(&parcel.path, &error))?;
    // What is packed here is what was checked, or nothing goes.
    outgoing.done(parcel)?;
    let mailbox = |text: &str| -> Result<Mailbox, Refused> {
        let address = text.parse::<Address>();
        let address = address.map_err(|error| {
            Refused::new(
                format!("`{text}` is no address for a message: {error}"),
                "correct it in the inventory",
            )
        })?;
        Ok(Mailbox::new(None, address))
    };
    let ours = |error: String| Refused::fault(format!("the message cannot be made: {error}"));
    let (_, domain) = by.from.rsplit_once('@').unwrap_or(("", "localhost"));
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|error| ours(error.to_string()))?;
    let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut text = letter.text;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&format!(
        "{}Attached: {}, {} bytes\nSHA-256: {}\n",
        if text.is_empty() { "" } else { "\n" },
        parcel.name,
        parcel.bytes,
        parcel.sha256
    ));
    let octets =
        ContentType::parse("application/octet-stream").map_err(|error| ours(error.to_string()))?;
    let body = Body::new_with_encoding(bytes, ContentTransferEncoding::Base64)
        .map_err(|_| ours("it cannot be encoded".to_owned()))?;
    let parts = MultiPart::mixed()
        .singlepart(SinglePart::plain(text))
        .singlepart(Attachment::new(parcel.name.clone()).body(body, octets));
    let message = Message::builder()
        .from(mailbox(&by.from)?)
        .to(mailbox(to)?)
        .subject(letter.subject)
        .date_now()
        .message_id(Some(format!("<{id}@{domain}>")))
        .user_agent(concat!("gonogo/", env!("CARGO_PKG_VERSION")).to_owned())
        .multipart(parts)
        .map_err(|error| ours(error.to_string()))?;
    Ok(message.formatted())
}

#[cfg(test)]
mod tests {
    use super::{fitting, grown};

    #[test]
    fn what_fits_is_never_more_than_may_be_sent() {
        for most in [0, 1, 30_000, 100_000, 1 << 20, 25 << 20, (25 << 20) + 77] {
            let bytes = fitting(most);
            assert!(
                bytes == 0 || grown(bytes, 16 << 10) <= most,
                "{most}: {bytes}"
            );
        }
        assert!(fitting(25 << 20) > 18 << 20);
        assert!(grown(1 << 20, 0) > (1 << 20) * 136 / 100);
    }
}
