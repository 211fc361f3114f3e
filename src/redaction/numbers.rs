//! Long numbers that nothing explains: accounts, cards, orders. A count, a size, a time or the id of a message
//! says so in the word before it or behind it, and stays.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::vocabulary::{Lower, parts};

/// Fewer digits are counts, sizes and ports.
const LEAST: usize = 9;

/// Words beside numbers that give nobody away.
const COUNTED: &str = "size sizes byte bytes memory mem limit limits max maximum min minimum offset offsets position pos seq \
    sequence seqno lsn scn xid txid tid pid id ids key count counts total totals messages message records record rows row \
    time times timestamp ts date nanos nanoseconds millis milliseconds micros microseconds seconds secs us ns ms sec duration \
    elapsed interval bookmark bookmarks generation epoch hash crc checksum capacity length len free used available cached \
    buffers buffer rss vsz virtual heap term index version inode inodes blocks block sectors packets packet read reads \
    written write writes sent received in out rx tx queue queued depth cpu ticks cycles delta watermark checkpoint segment \
    segments page pages wal start started end stop delay latency rate kb mb gb tb b kib mib gib bits bit addr flags mask \
    bandwidth throughput uptime age expires maxmemory quota swap disk space transaction transactions commit journal entry \
    entries node shard partition cluster jiffies faults switches events requests hits misses keys value";

fn is_counted(word: &str) -> bool {
    static WORDS: LazyLock<HashSet<&'static str, foldhash::fast::RandomState>> =
        LazyLock::new(|| COUNTED.split(' ').collect());
    parts(word).any(|part| Lower::of(part).is_some_and(|lower| WORDS.contains(lower.as_str())))
}

/// A time since 1970 in seconds, or in thousandths, millionths and billionths of them, of this century.
fn is_time(digits: &str) -> bool {
    let Some(seconds) = digits.get(..10).and_then(|head| head.parse::<u64>().ok()) else {
        return false;
    };
    [10, 13, 16, 19].contains(&digits.len()) && (1_000_000_000..2_200_000_000).contains(&seconds)
}

fn is_round(digits: &str) -> bool {
    digits.trim_end_matches('0').len() <= 4 || digits.parse::<u64>().is_ok_and(u64::is_power_of_two)
}

/// Whether nothing explains the number: `before` is what stands before it, `after` what comes behind it.
pub(super) fn is_unexplained(number: &str, before: &str, after: &str) -> bool {
    if number.len() < LEAST || number.len() > 25 {
        return false;
    }
    // `1.23456789012e11`
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    if mantissa.len() < number.len() {
        return mantissa.bytes().filter(u8::is_ascii_digit).count() >= LEAST
            && number
                .bytes()
                .all(|b| b.is_ascii_digit() || b".eE+-".contains(&b))
            && !said(before, after);
    }
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let is_card = (13..=19).contains(&number.len())
        && b"34562".contains(&number.as_bytes()[0])
        && super::shape::luhn(number.as_bytes());
    if is_time(number)
        || is_round(number)
        || *number == u64::MAX.to_string()
        || *number == i64::MAX.to_string()
    {
        return false;
    }
    is_card && !said_closely(before) || !said(before, after)
}

/// The word right before it.
fn said_closely(before: &str) -> bool {
    let word = before
        .trim_end_matches(|c: char| !c.is_alphanumeric())
        .rsplit(|c: char| c.is_whitespace())
        .next()
        .unwrap_or_default();
    is_counted(word)
}

/// A word of the last two before it, or the one behind it.
fn said(before: &str, after: &str) -> bool {
    // Ids of messages of AMPS: `13948331409519521|1623409850000000030|`.
    if before.ends_with('|') && before[..before.len() - 1].ends_with(|c: char| c.is_ascii_digit())
        || after.starts_with('|') && after[1..].starts_with(|c: char| c.is_ascii_digit())
    {
        return true;
    }
    fn words(text: &str) -> impl DoubleEndedIterator<Item = &str> {
        text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
            .filter(|word| !word.is_empty())
    }
    let head = before
        .char_indices()
        .rev()
        .nth(48)
        .map_or(before, |(at, _)| &before[at..]);
    let tail = after
        .char_indices()
        .nth(24)
        .map_or(after, |(at, _)| &after[..at]);
    let behind = || words(head).rev().take(2);
    let is_row = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    // A row of a table of numbers.
    if behind().count() == 2 && behind().all(is_row) && !head.contains(':') {
        return true;
    }
    behind().any(is_counted) || words(tail).next().is_some_and(is_counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_and_cards_are_told_from_counts_sizes_and_times() {
        let is = |line: &str, number: &str| {
            let at = line.find(number).unwrap();
            is_unexplained(number, &line[..at], &line[at + number.len()..])
        };
        for (line, number) in [
            ("strings: 85796500409452 x", "85796500409452"),
            ("for 3179419893", "3179419893"),
            ("pan=4539148803436467", "4539148803436467"),
            ("v 1.23456789012e11", "1.23456789012e11"),
            ("moved 518297741 to", "518297741"),
        ] {
            assert!(is(line, number), "{line}");
        }
        for (line, number) in [
            ("sow key 1844674407370955161 topic", "1844674407370955161"),
            ("at 1763785469123 done", "1763785469123"),
            ("size=518297741", "518297741"),
            ("518297741 bytes", "518297741"),
            ("total_in_bytes: 518297741123", "518297741123"),
            (
                "bookmark 13948331409519521|1623409850000000030|",
                "13948331409519521",
            ),
            (
                "13948331409519521|1623409850000000030|",
                "1623409850000000030",
            ),
            ("limit was 4294967296", "4294967296"),
            ("18446744073709551615", "18446744073709551615"),
            ("12 3456 518297741", "518297741"),
            ("v 12345678", "12345678"),
        ] {
            assert!(!is(line, number), "{line}");
        }
    }
}
