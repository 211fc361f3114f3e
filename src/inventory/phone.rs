//! Telephone numbers, by their shape. The numbering plan is `support/phones.rs`'s.

/// `+1 (212) 555-0100` as `+12125550100` (E.164).
pub(super) fn number(text: &str) -> Result<String, String> {
    let hint = "write it in full with the country's code, such as \"+1 212 555 0100\"";
    let rest = text.strip_prefix('+').ok_or(hint)?;
    if rest.contains(|c: char| !c.is_ascii_digit() && !" -.()".contains(c)) {
        return Err(hint.to_owned());
    }
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    match digits.len() {
        // ITU-T E.164: at most 15; no country has fewer than 7 with its code.
        7..=15 if !digits.starts_with('0') => Ok(format!("+{digits}")),
        _ => Err(hint.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn a_number_is_read_as_digits() {
        for (text, digits) in [
            ("+1 (212) 555-0100", "+12125550100"),
            ("+49.30.901820", "+4930901820"),
        ] {
            assert_eq!(number(text), Ok(digits.to_owned()));
        }
        for bad in [
            "",
            "+",
            "911",
            "2125550100",
            "001 212 555 0100",
            "+0212555010",
            "+1 212 555 0100 x5",
            "+12",
            "+1234567890123456",
            "tel:+12125550100",
            "+1 212 CALL NOW",
        ] {
            assert!(number(bad).is_err(), "{bad}");
        }
    }
}
