//! How often, and after what pauses, a server is asked again that takes no more logins (`MaxStartups`,
//! sshd_config(5)). Each pause is twice the last, and no two runners come back together. What a busy
//! server looks like is `handshake.rs`.

use std::time::Duration;

use crate::failure::Failure;
use crate::text;
use crate::time::say;

/// The first pause, give or take a half.
const FIRST: Duration = Duration::from_millis(500);
/// The longest.
const MOST: Duration = Duration::from_secs(4);
/// Pauses for a server that said that it is full. It drops logins by the dice, and counts none against us.
const TOLD: u32 = 8;
/// Pauses for one that hung up without a reason: it may not mean to let us in at all.
const UNTOLD: u32 = 3;

/// The pauses of one login.
#[derive(Debug, Default)]
pub(super) struct BackOff {
    tries: u32,
    waited: Duration,
}

impl BackOff {
    /// How long to wait before the next try; `None` when there is no sense in one, or no time: it needs as long
    /// again as the pause.
    pub(super) fn pause(&mut self, said_so: bool, left: Duration) -> Option<Duration> {
        self.tries += 1;
        let most = if said_so { TOLD } else { UNTOLD };
        let mut random = [0_u8; 2];
        let _ = getrandom::fill(&mut random);
        let pause = spread(self.tries, u16::from_be_bytes(random));
        if self.tries > most || left < pause * 2 {
            return None;
        }
        self.waited += pause;
        Some(pause)
    }

    /// How many times nobody was let in.
    pub(super) const fn tries(&self) -> u32 {
        self.tries
    }

    /// `failure`, with how often it came.
    pub(super) fn told(&self, failure: Failure) -> Failure {
        if self.tries < 2 {
            return failure;
        }
        let tries = text::count(self.tries as usize, "time");
        let actual = format!(
            "{}; so it went {tries}, with pauses of {} in all",
            failure.actual,
            say(self.waited)
        );
        Failure { actual, ..failure }
    }
}

/// From half of the pause to one and a half, by the dice.
fn spread(tries: u32, dice: u16) -> Duration {
    let doubled = FIRST.saturating_mul(1 << tries.saturating_sub(1).min(8));
    let pause = doubled.min(MOST);
    pause / 2 + pause.mul_f64(f64::from(dice) / f64::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureKind;

    const AMPLE: Duration = Duration::from_secs(1000);

    #[test]
    fn pauses_double_up_to_a_bound_and_are_spread() {
        let all = |tries| (spread(tries, 0), spread(tries, u16::MAX));
        let ms = Duration::from_millis;
        assert_eq!(all(1), (ms(250), ms(750)));
        assert_eq!(all(2), (ms(500), ms(1500)));
        assert_eq!(all(3), (ms(1000), ms(3000)));
        for tries in [4, 5, 20, u32::MAX] {
            assert_eq!(all(tries), (ms(2000), ms(6000)), "{tries}");
        }
        let pauses: std::collections::BTreeSet<Duration> = (0..32)
            .filter_map(|_| BackOff::default().pause(true, AMPLE))
            .collect();
        assert!(pauses.len() > 16, "{pauses:?}");
    }

    #[test]
    fn it_ends_sooner_where_no_reason_is_given_and_when_there_is_no_time() {
        for (said_so, many) in [(true, TOLD), (false, UNTOLD)] {
            let mut crowd = BackOff::default();
            let pauses = std::iter::from_fn(|| crowd.pause(said_so, AMPLE));
            assert_eq!(pauses.count(), many as usize);
            assert_eq!(crowd.tries(), many + 1);
        }
        let mut crowd = BackOff::default();
        assert_eq!(crowd.pause(true, Duration::from_millis(499)), None);
        let failure = Failure::new(FailureKind::Unreachable, "a", "b");
        assert_eq!(crowd.told(failure.clone()).actual, "b");
        assert!(crowd.pause(true, AMPLE).is_some());
        assert!(
            crowd
                .told(failure)
                .actual
                .starts_with("b; so it went 2 times, with pauses of ")
        );
    }
}
