//! Orders for ways through a hop: one is being opened, the others wait for their turn, and none of them
//! longer than it may. Knows no channel.

use std::collections::VecDeque;
use std::io;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// How long an open waits for its turn before its session had better use another connection. Far more
/// than a bastion needs to reach a target that answers.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// An order for a way to a target.
pub(super) struct Order {
    pub(super) address: String,
    pub(super) port: u16,
    /// For the open, once its turn has come.
    pub(super) time: Duration,
    /// Wait as long for the turn, too: there is no other connection.
    pub(super) patient: bool,
    pub(super) since: Instant,
    pub(super) answer: Option<oneshot::Sender<Answer>>,
}

/// What became of an order.
pub(super) enum Answer {
    /// The near end of the lane.
    Open(UnixStream),
    /// The hop said no.
    Refused(ssh2::Error),
    /// The hop said nothing for that long.
    Late(Duration),
    /// Its turn did not come.
    Busy,
    /// No socket pair could be made.
    Ours(io::Error),
}

impl Order {
    fn reply(&mut self, answer: Answer) {
        // Nobody is there to hear it when the wait was given up.
        let _ = self.answer.take().map(|sender| sender.send(answer));
    }

    fn is_wanted(&self) -> bool {
        self.answer
            .as_ref()
            .is_some_and(|answer| !answer.is_closed())
    }

    fn wait(&self) -> Duration {
        if self.patient { self.time } else { PATIENCE }
    }
}

/// The open that libssh2 is at.
struct Opening {
    order: Order,
    began: Instant,
    /// Nobody waits for it any more; libssh2 cannot be told so.
    abandoned: bool,
}

/// All orders of one hop.
#[derive(Default)]
pub(super) struct Orders {
    waiting: VecDeque<Order>,
    opening: Option<Opening>,
}

impl Orders {
    /// Takes one more.
    pub(super) fn take(&mut self, order: Order) {
        self.waiting.push_back(order);
    }

    /// Gives up what has waited too long, and begins the next open. `retired`: no more are begun.
    pub(super) fn watch(&mut self, retired: bool) {
        if let Some(opening) = &mut self.opening
            && !opening.abandoned
            && opening.began.elapsed() >= opening.order.time
        {
            opening.abandoned = true;
            opening.order.reply(Answer::Late(opening.order.time));
        }
        self.waiting.retain_mut(|order| {
            let keep = !retired && order.since.elapsed() < order.wait() && order.is_wanted();
            if !keep {
                order.reply(Answer::Busy);
            }
            keep
        });
        if self.opening.is_none() {
            self.opening = self.waiting.pop_front().map(|order| Opening {
                order,
                began: Instant::now(),
                abandoned: false,
            });
        }
    }

    /// Where the open under way leads to.
    pub(super) fn opening(&self) -> Option<(&str, u16)> {
        let order = &self.opening.as_ref()?.order;
        Some((&order.address, order.port))
    }

    /// The open under way has ended.
    pub(super) fn reply(&mut self, answer: Answer) {
        if let Some(mut opening) = self.opening.take() {
            opening.order.reply(answer);
        }
    }

    /// The open under way was given up by libssh2.
    pub(super) fn give_up(&mut self) {
        let began = self.opening.as_ref().map(|opening| opening.began);
        let whole = began.map_or(0, |began| began.elapsed().as_secs());
        self.reply(Answer::Late(Duration::from_secs(whole)));
    }

    /// True when the open under way takes long.
    pub(super) fn is_slow(&self) -> bool {
        let opening = self.opening.as_ref();
        opening.is_some_and(|opening| opening.began.elapsed() >= PATIENCE)
    }

    /// How long until [`Self::watch`] has something to do.
    pub(super) fn patience(&self) -> Duration {
        let left = |since: Instant, most: Duration| most.saturating_sub(since.elapsed());
        let opening = self.opening.iter().flat_map(|opening| {
            let slow = left(opening.began, PATIENCE);
            let late = left(opening.began, opening.order.time);
            let late = (!opening.abandoned).then_some(late);
            [Some(slow).filter(|slow| !slow.is_zero()), late]
        });
        let waiting = self.waiting.iter();
        let waiting = waiting.map(|order| Some(left(order.since, order.wait())));
        let soonest = opening.chain(waiting).flatten().min();
        soonest.unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Hears = oneshot::Receiver<Answer>;

    /// An order that was given `ago`, and who hears of it.
    fn order(port: u16, time: Duration, patient: bool, ago: Duration) -> (Order, Hears) {
        let (answer, hears) = oneshot::channel();
        let since = Instant::now().checked_sub(ago).unwrap();
        let order = Order {
            address: "target".into(),
            port,
            time,
            patient,
            since,
            answer: Some(answer),
        };
        (order, hears)
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn one_is_opened_at_a_time_in_their_order() {
        let mut orders = Orders::default();
        let mut hear = Vec::new();
        for port in [1, 2] {
            let (order, hears) = order(port, LONG, false, Duration::ZERO);
            orders.take(order);
            hear.push(hears);
        }
        for port in [1, 2] {
            orders.watch(false);
            orders.watch(false);
            assert_eq!(orders.opening(), Some(("target", port)));
            assert!(!orders.is_slow() && orders.patience() <= PATIENCE);
            orders.reply(Answer::Late(LONG));
        }
        orders.watch(false);
        assert!(orders.opening().is_none() && orders.patience() == Duration::MAX);
        for mut hears in hear {
            assert!(matches!(hears.try_recv(), Ok(Answer::Late(_))));
        }
    }

    #[test]
    fn who_waits_too_long_is_sent_elsewhere_and_who_has_nowhere_waits() {
        let mut orders = Orders::default();
        let (first, _hears) = order(1, LONG, false, Duration::ZERO);
        orders.take(first);
        orders.watch(false);
        let (hurried, mut is_sent_on) = order(2, LONG, false, PATIENCE);
        let (patient, mut stays) = order(3, LONG, true, PATIENCE);
        let (given_up, hears) = order(4, LONG, true, Duration::ZERO);
        drop(hears);
        for order in [hurried, patient, given_up] {
            orders.take(order);
        }
        orders.watch(false);
        assert!(matches!(is_sent_on.try_recv(), Ok(Answer::Busy)));
        assert!(stays.try_recv().is_err() && orders.waiting.len() == 1);
        orders.watch(true);
        assert!(matches!(stays.try_recv(), Ok(Answer::Busy)));
    }

    #[test]
    fn an_open_that_is_late_is_told_at_once_and_still_under_way() {
        let mut orders = Orders::default();
        let (late, mut hears) = order(1, Duration::ZERO, false, Duration::ZERO);
        let (next, mut waits) = order(2, LONG, true, Duration::ZERO);
        orders.take(late);
        orders.take(next);
        orders.watch(false);
        orders.watch(false);
        assert!(matches!(hears.try_recv(), Ok(Answer::Late(_))));
        assert_eq!(orders.opening(), Some(("target", 1)));
        assert!(!orders.patience().is_zero(), "the loop would spin");
        // What comes of it is for nobody.
        orders.reply(Answer::Busy);
        orders.watch(false);
        assert_eq!(orders.opening(), Some(("target", 2)));
        assert!(waits.try_recv().is_err());
    }
}
