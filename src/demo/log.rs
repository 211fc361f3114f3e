//! Made-up AMPS event logs (facts: artifacts.md 2.2): plausible records, some over several lines, in
//! the host's own UTC offset. The same seed and span give the same text; no file is touched here.

use std::fmt::Write as _;

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// About this far apart are two records of the past.
const STEP: SignedDuration = SignedDuration::from_secs(30);

/// Writes one instance's log, record after record.
#[derive(Clone, Debug)]
pub(super) struct Scribe {
    offset: Offset,
    instance: String,
    state: u64,
}

impl Scribe {
    /// For the instance of that name on a host that many hours east of UTC.
    pub(super) fn new(instance: &str, hours: i8) -> Self {
        // FNV-1a: any spread over the instances' names will do.
        let state = instance.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self {
            offset: Offset::from_hours(hours).unwrap_or(Offset::UTC),
            instance: instance.to_owned(),
            state,
        }
    }

    /// Records from `from` up to and including one at `to`.
    pub(super) fn span(&mut self, from: Timestamp, to: Timestamp) -> String {
        let mut text = String::new();
        let mut at = from;
        while at < to {
            self.record(&mut text, at);
            let wobble = i64::try_from(self.below(9_000)).unwrap_or_default();
            at += STEP + SignedDuration::from_millis(wobble);
        }
        self.record(&mut text, to);
        text
    }

    /// The record an instance begins with.
    pub(super) fn start(&self, text: &mut String, at: Timestamp) {
        self.head(text, at, 1, "info: 00-0015");
        text.push_str("AMPS initialization completed (0 seconds).\n");
    }

    /// One record at `at`.
    pub(super) fn record(&mut self, text: &mut String, at: Timestamp) {
        let client = [
            "oms-gateway",
            "risk-view",
            "pricing",
            "blotter",
            "audit-tap",
        ];
        let client = client[self.pick(client.len())];
        let (number, thread) = (self.below(8) + 1, self.below(28) + 4);
        let port = 30_000 + self.below(30_000);
        let (head, body) = match self.below(20) {
            0..=6 => (
                "info: 07-0010",
                format!(
                    "client logon: client name = '{client}-{number}', address = 10.20.4.{number}:{port}, transport = 'any-tcp'"
                ),
            ),
            7..=10 => (
                "info: 1F-0004",
                format!("client session: '{client}-{number}' disconnected, {port} messages sent"),
            ),
            11..=13 => (
                "stats: 05-0003",
                format!("statistics sample written in {number} ms"),
            ),
            14..=15 => (
                "info: 15-0008",
                format!("SOW topic '/{client}' has {port} records"),
            ),
            16 => (
                "warning: 07-0022",
                format!("client '{client}-{number}' is consuming slowly: {port} bytes queued"),
            ),
            17 => (
                "error: 70-0031",
                format!("connection reset by peer: 10.20.4.{number}:{port}"),
            ),
            // A record that spans lines, as diagnostics and configuration echoes do.
            18 => (
                "warning: 24-0002",
                format!(
                    "thread monitor: thread [{thread}] did not report for {number} seconds\n\tname: {client}-io\n\tstate: waiting\n\n\tlast action: publish"
                ),
            ),
            _ => (
                "info: 19-0001",
                format!(
                    "admin request for instance '{}': GET /amps/instance/statistics.json from 10.20.9.{number}",
                    self.instance
                ),
            ),
        };
        self.head(text, at, thread, head);
        text.push_str(&body);
        text.push('\n');
    }

    fn head(&self, text: &mut String, at: Timestamp, thread: u64, head: &str) {
        let local = self.offset.to_datetime(at);
        let ticks = at.subsec_nanosecond().unsigned_abs() / 100;
        let minutes = self.offset.seconds() / 60;
        let sign = if minutes < 0 { '-' } else { '+' };
        let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
        // Writing to a String cannot fail.
        let _ok = write!(
            text,
            "{}.{ticks:07}{sign}{hours:02}:{rest:02} [{thread}] {head} ",
            local.strftime("%Y-%m-%dT%H:%M:%S"),
        );
    }

    /// splitmix64: small, even, and the same everywhere.
    fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn pick(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // artifacts.md 2.2, the regular expression that was tested on the vendor's own lines.
    const RECORD: &str = r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) \[(\d+)\] (developer|trace|debug|stats|info|warning|error|critical|emergency): ([0-9A-F]{2}-[0-9A-F]{4}) (.*)$";

    #[test]
    fn records_read_as_the_vendor_documents_them() {
        let record = regex::Regex::new(RECORD).unwrap();
        let from: Timestamp = "2026-11-20T01:00:00.1234567Z".parse().unwrap();
        let to = from + SignedDuration::from_hours(10);
        let text = Scribe::new("orders", -5).span(from, to);
        let (heads, tails): (Vec<&str>, Vec<&str>) =
            text.lines().partition(|line| record.is_match(line));
        assert!(heads.len() > 1000, "{}", heads.len());
        assert!(
            tails
                .iter()
                .all(|line| line.is_empty() || line.starts_with('\t'))
        );
        assert!(tails.len() > 10, "some records span lines");
        let times: Vec<Timestamp> = heads
            .iter()
            .map(|line| record.captures(line).unwrap()[1].parse().unwrap())
            .collect();
        assert!(times.is_sorted());
        assert_eq!((times[0], times[times.len() - 1]), (from, to));
        assert!(
            text.starts_with("2026-11-19T20:00:00.1234567-05:00 ["),
            "{}",
            heads[0]
        );
    }

    #[test]
    fn the_same_seed_gives_the_same_text() {
        let (from, to) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(4000).unwrap());
        let text = |name| Scribe::new(name, 0).span(from, to);
        assert_eq!(text("orders"), text("orders"));
        assert_ne!(text("orders"), text("trades"));
    }
}
