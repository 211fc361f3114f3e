//! The lines of an iCalendar file (RFC 5545, 3.1): folded and escaped where one is written, unfolded where one is read.
//! What they say is `ics.rs` (holidays, read) and `support/ics.rs` (drills, written).

use std::fmt::Write as _;

/// Most octets of a line.
const WIDTH: usize = 75;

/// Line number, the line as it begins, and the whole of it.
pub(super) fn unfolded(text: &str) -> Vec<(usize, &str, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines: Vec<(usize, &str, String)> = Vec::new();
    for (at, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(more), Some((.., whole))) => whole.push_str(more),
            _ if line.is_empty() => {}
            _ => lines.push((at + 1, line, line.to_owned())),
        }
    }
    lines
}

/// Lines of at most 75 octets, none of them cut within a character.
#[must_use]
pub fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    let mut room = WIDTH;
    for c in text.chars() {
        if c.len_utf8() > room {
            out += "\r\n ";
            room = WIDTH - 1;
        }
        out.push(c);
        room -= c.len_utf8();
    }
    out + "\r\n"
}

/// TEXT of RFC 5545, 3.3.11; control characters can stand in none.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => {
                let _ = write!(out, "\\{c}");
            }
            '\n' => out += "\\n",
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{escaped, folded, unfolded};

    #[test]
    fn what_is_folded_is_unfolded_to_the_same() {
        for width in 0..200 {
            for piece in ["x", "é", "日", "🗓", " ", "\t"] {
                let line = format!("SUMMARY:{}{}", "a".repeat(width % 7), piece.repeat(width));
                let written = format!("{}{}", folded(&line), folded("END:VEVENT"));
                assert!(written.split("\r\n").all(|line| line.len() <= 75));
                let read = unfolded(&written);
                let whole: Vec<&str> = read.iter().map(|(.., whole)| whole.as_str()).collect();
                assert_eq!(whole, [&line, "END:VEVENT"]);
            }
        }
    }

    #[test]
    fn no_text_ends_its_line() {
        let text = "a,b;c\\d\r\nEND:VEVENT\u{85}\u{7}é";
        assert_eq!(escaped(text), "a\\,b\\;c\\\\d\\nEND:VEVENTé");
        assert_eq!(unfolded(&folded(&escaped(text))).len(), 1);
    }
}
