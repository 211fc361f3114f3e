//! Messages of FIX in a line: a list of what may stay, by the number of the tag, since a tag tells nothing to
//! who does not know it.

use std::ops::Range;

use super::map::Class;
use super::shape;
use super::value::is_nothing;

/// Tags whose values are of the protocol: kinds, lengths, counts, times, prices, reasons.
const KEPT: &[u32] = &[
    6, 8, 9, 10, 12, 14, 15, 16, 20, 21, 22, 31, 32, 34, 35, 36, 38, 39, 40, 43, 44, 45, 47, 52,
    54, 58, 59, 60, 63, 64, 75, 77, 93, 97, 98, 99, 102, 103, 108, 110, 111, 112, 119, 122, 123,
    126, 127, 130, 131, 132, 133, 134, 135, 141, 146, 150, 151, 167, 262, 263, 264, 265, 266, 267,
    268, 269, 270, 271, 279, 281, 371, 372, 373, 378, 380, 383, 384, 789, 1128, 1137, 1406, 1407,
    1408, 1409, 1410, 1411,
];

/// Passwords, raw data and their encrypted forms.
const SECRETS: &[u32] = &[89, 91, 96, 554, 925, 1400, 1402, 1404];

/// What must not stay of the messages in `line`; `None` for a secret.
pub(super) fn spans(line: &str) -> Vec<(Range<usize>, Option<Class>)> {
    let mut found = Vec::new();
    let Some(begin) = line.find("8=FIX") else {
        return found;
    };
    let divider = line[begin..]
        .find(|c: char| "|;^~\u{1}".contains(c) || c.is_whitespace())
        .and_then(|at| line[begin + at..].chars().next())
        .unwrap_or('|');
    let mut at = begin;
    for field in line[begin..].split(divider) {
        let start = at;
        at += field.len() + divider.len_utf8();
        let Some((tag, value)) = field.split_once('=') else {
            continue;
        };
        // `^A`, as `less` shows it.
        let tag = tag
            .strip_prefix('A')
            .filter(|_| divider == '^')
            .unwrap_or(tag);
        let Ok(tag) = tag.trim().parse::<u32>() else {
            continue;
        };
        let from = start + field.len() - value.len();
        let range = from..from + value.trim_end_matches([']', '"', '\'', ')']).len();
        let value = &line[range.clone()];
        if SECRETS.contains(&tag) && value.len() > 1 {
            found.push((range, None));
        } else if !KEPT.contains(&tag)
            && value.len() > 1
            && !is_nothing(value)
            && !is_kept(tag, value)
        {
            found.push((range, Some("id")));
        }
    }
    found
}

/// Numbers and times stay, but for those that belong to somebody: an account, an order.
fn is_kept(tag: u32, value: &str) -> bool {
    const HELD: &[u32] = &[
        1, 11, 17, 19, 37, 41, 66, 76, 79, 109, 440, 448, 526, 583, 661, 728, 880,
    ];
    !HELD.contains(&tag)
        && shape::is_harmless(value)
        && value.bytes().filter(u8::is_ascii_digit).count() < 9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_and_parties_go_and_the_protocol_stays() {
        let line = "in 8=FIX.4.4|9=112|35=A|34=1|49=ZRHBNK|52=20261122-05:10:08.123|554=red-horse|1=3179419893|38=500|58=order rejected|10=089|";
        let found: Vec<(&str, Option<Class>)> = spans(line)
            .into_iter()
            .map(|(range, class)| (&line[range], class))
            .collect();
        assert_eq!(
            found,
            [
                ("ZRHBNK", Some("id")),
                ("red-horse", None),
                ("3179419893", Some("id"))
            ]
        );
        let caret = "8=FIX.4.4^A35=A^A925=new-word^A";
        assert_eq!(
            spans(caret)
                .iter()
                .filter(|(_, class)| class.is_none())
                .count(),
            1
        );
        assert_eq!(spans("FIX session 8 is up, 554=x"), vec![]);
    }
}
