//! E-mail addresses, by their shape. Whether anybody reads them only a person can say.

use email_address::{EmailAddress, Options};

/// An address that a support desk would answer: no comment, no display name, a domain with a dot.
pub(super) fn address(text: &str) -> Result<(), String> {
    let hint = "write one address, such as support@example.com";
    let options = Options::default()
        .with_minimum_sub_domains(2)
        .without_display_text()
        .without_domain_literal();
    let is_plain = !text.contains(crate::text::is_unsafe) && !text.contains([' ', '"']);
    match EmailAddress::parse_with_options(text, options) {
        Ok(_) if is_plain => Ok(()),
        _ => Err(hint.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_has_a_mailbox_and_a_domain() {
        for good in [
            "support@example.com",
            "noc+urgent@eu.example.co.uk",
            "crash@müller.example",
        ] {
            assert_eq!(address(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "support",
            "support@",
            "@example.com",
            "support@example",
            "support@example..com",
            "support@.example.com",
            "a@b@example.com",
            "Support <support@example.com>",
            "support@example.com, noc@example.com",
            "support@[192.0.2.1]",
            "\"a b\"@example.com",
            "sup port@example.com",
            "support@exam\u{200b}ple.com",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
