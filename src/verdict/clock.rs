//! How far a host's clock is from the runner's, and when that is too far. Log times and samples are
//! compared with the runner's clock, so what they prove is worth as much as the two clocks agree.

use std::time::Duration;

use super::Facts;
use crate::time;

/// A host's clock beside the runner's, as far as one question over the network can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Host minus runner, in milliseconds: more than 0 is ahead.
    pub skew_ms: i64,
    /// The true skew is at most so far from `skew_ms`: half a second, since clocks are asked for
    /// whole seconds, and half of the time that the answer took.
    pub uncertainty_ms: u64,
    /// Most that the inventory accepts.
    pub tolerance_ms: u64,
}

impl Clock {
    /// From a clock that showed the whole second `shown` at some moment between `before` and `after`,
    /// in milliseconds of the runner's clock.
    #[must_use]
    pub fn between(shown: i64, before: i64, after: i64, tolerance: Duration) -> Self {
        let first = shown.saturating_mul(1000);
        let least = first.saturating_sub(after.max(before));
        let most = first.saturating_add(1000).saturating_sub(before);
        Self {
            skew_ms: least.midpoint(most),
            // Rounded up: an interval that is too short would make false findings.
            uncertainty_ms: most.abs_diff(least).div_ceil(2),
            tolerance_ms: u64::try_from(tolerance.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// The same clock under another tolerance.
    #[must_use]
    pub fn within(self, tolerance: Duration) -> Self {
        Self {
            tolerance_ms: u64::try_from(tolerance.as_millis()).unwrap_or(u64::MAX),
            ..self
        }
    }

    /// True when it is too far off, however long the answer took: latency makes no finding.
    #[must_use]
    pub const fn is_off(&self) -> bool {
        let far = self.tolerance_ms.saturating_add(self.uncertainty_ms);
        self.skew_ms.unsigned_abs() > far
    }

    /// `10m ahead of the runner's (± 550ms)`, `as the runner's (± 550ms)`.
    #[must_use]
    pub fn say(&self) -> String {
        let span = |ms| time::say(Duration::from_millis(ms));
        let off = span(self.skew_ms.unsigned_abs());
        let uncertainty = span(self.uncertainty_ms);
        match self.skew_ms {
            skew if skew.unsigned_abs() <= self.uncertainty_ms => {
                format!("as the runner's (± {uncertainty})")
            }
            1.. => format!("{off} ahead of the runner's (± {uncertainty})"),
            _ => format!("{off} behind the runner's (± {uncertainty})"),
        }
    }

    /// The tolerance, as a person says it.
    #[must_use]
    pub fn tolerance(&self) -> String {
        time::say(Duration::from_millis(self.tolerance_ms))
    }
}

/// Hosts whose clock is further off than the inventory accepts.
pub(super) fn off(facts: &Facts) -> Vec<String> {
    let off = facts.hosts.iter().filter_map(|host| {
        let clock = host.clock.filter(Clock::is_off)?;
        let (name, said, most) = (&host.name, clock.say(), clock.tolerance());
        Some(format!(
            "the clock of host {name} is {said}, at most {most} is accepted: see `chronyc tracking` there and on the runner"
        ))
    });
    off.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn no_latency_makes_a_finding() {
        // The host has the runner's time exactly, and the answer takes anything up to an hour.
        for took in [0_i64, 1, 999, 1000, 5_000, 61_000, 3_600_000] {
            for asked in [0, 1, 500, 999] {
                for answered in [0, took / 2, took] {
                    let before = 1_795_000_000_000 + asked;
                    let shown = (before + answered).div_euclid(1000);
                    let clock = Clock::between(shown, before, before + took, MINUTE);
                    assert!(!clock.is_off(), "{took} {asked} {answered} {clock:?}");
                    assert!(clock.skew_ms.unsigned_abs() <= clock.uncertainty_ms);
                }
            }
        }
    }

    #[test]
    fn a_clock_that_is_off_is_found_both_ways() {
        let now = 1_795_000_000_000;
        let at = |shown: i64| Clock::between(shown, now, now + 100, MINUTE);
        for (seconds, off, said) in [
            (0, false, "as the runner's (± 550ms)"),
            (59, false, "59.4s ahead of the runner's (± 550ms)"),
            (-60, false, "59.5s behind the runner's (± 550ms)"),
            (62, true, "1m 2s ahead of the runner's (± 550ms)"),
            (-63, true, "1m 2s behind the runner's (± 550ms)"),
            (600, true, "10m ahead of the runner's (± 550ms)"),
        ] {
            let clock = at(1_795_000_000 + seconds);
            assert_eq!((clock.is_off(), &*clock.say()), (off, said), "{clock:?}");
        }
        assert!(!at(1_795_000_600).within(MINUTE * 10).is_off());
        assert!(at(i64::MAX).is_off() && at(i64::MIN).is_off());
    }
}
