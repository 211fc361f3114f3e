//! Lanes between a socket pair and a far end that is made up: what it holds, what it lets through.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use rustix::event::PollFlags;

use super::*;

/// What the far end has and takes.
#[derive(Default)]
struct Far {
    sends: Vec<u8>,
    /// All of it is sent.
    ended: bool,
    took: Vec<u8>,
    /// How many bytes it would take yet.
    window: usize,
    /// How often a goodbye has to be said.
    goodbyes: usize,
    broken: bool,
}

#[derive(Clone, Default)]
struct FarEnd(Rc<RefCell<Far>>);

fn later() -> io::Error {
    io::ErrorKind::WouldBlock.into()
}

impl Read for FarEnd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut far = self.0.borrow_mut();
        match far.sends.len().min(buffer.len()) {
            _ if far.broken => Err(io::Error::other("broken")),
            0 if !far.ended => Err(later()),
            many => {
                buffer[..many].copy_from_slice(&far.sends[..many]);
                far.sends.drain(..many);
                Ok(many)
            }
        }
    }
}

impl Write for FarEnd {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut far = self.0.borrow_mut();
        match bytes.len().min(far.window) {
            0 => Err(later()),
            many => {
                far.took.extend(&bytes[..many]);
                far.window -= many;
                Ok(many)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Way for FarEnd {
    fn has_bytes(&self) -> bool {
        !self.0.borrow().sends.is_empty()
    }

    fn has_ended(&self) -> bool {
        let far = self.0.borrow();
        far.sends.is_empty() && far.ended
    }

    fn has_room(&self) -> bool {
        self.0.borrow().window > 0
    }

    fn leave(&mut self) -> io::Result<()> {
        let mut far = self.0.borrow_mut();
        far.goodbyes = far.goodbyes.saturating_sub(1);
        if far.goodbyes == 0 {
            Ok(())
        } else {
            Err(later())
        }
    }
}

fn lane() -> (Lane<FarEnd>, FarEnd, UnixStream) {
    let (near, inner) = UnixStream::pair().unwrap();
    inner.set_nonblocking(true).unwrap();
    near.set_nonblocking(true).unwrap();
    let far = FarEnd::default();
    (Lane::new(far.clone(), inner), far, near)
}

/// What the loop does with a lane until nothing moves.
fn turn(lane: &mut Lane<FarEnd>) {
    for _ in 0..10_000 {
        let mut moved = lane.inside();
        if lane.can_take() {
            moved |= lane.take().is_ok();
        }
        if lane.can_send() {
            moved |= lane.send().is_ok();
        }
        if !moved {
            return;
        }
        lane.woke(PollFlags::IN);
    }
    panic!("it never comes to rest");
}

#[test]
fn carries_both_ways_and_sees_either_end() {
    let (mut lane, far, mut near) = lane();
    far.0.borrow_mut().window = 100;
    far.0.borrow_mut().sends = b"down".into();
    near.write_all(b"up").unwrap();
    turn(&mut lane);
    let mut got = [0; 9];
    assert_eq!(near.read(&mut got).unwrap(), 4);
    assert_eq!(
        (&got[..4], &far.0.borrow().took[..]),
        (&b"down"[..], &b"up"[..])
    );
    assert!(!lane.is_leaving());
    // The target says its last words and ends: they arrive, then the end.
    far.0.borrow_mut().sends = b"last".into();
    far.0.borrow_mut().ended = true;
    turn(&mut lane);
    assert!(lane.is_leaving());
    assert_eq!(near.read(&mut got).unwrap(), 4);
    assert_eq!(near.read(&mut got).unwrap(), 0);
}

#[test]
fn the_end_of_the_inner_session_ends_the_lane_after_its_last_bytes() {
    let (mut lane, far, mut near) = lane();
    far.0.borrow_mut().window = 2;
    near.write_all(b"bye").unwrap();
    drop(near);
    turn(&mut lane);
    // The target takes two bytes and no more: the rest may still find a window, until the poll says
    // that nobody is behind it.
    assert!(!lane.is_leaving());
    lane.woke(PollFlags::HUP);
    assert!(lane.is_leaving() && far.0.borrow().took == b"by");
    let (mut lane, far, mut near) = self::lane();
    far.0.borrow_mut().window = 9;
    near.write_all(b"bye").unwrap();
    drop(near);
    turn(&mut lane);
    assert!(lane.is_leaving() && far.0.borrow().took == b"bye");
}

#[test]
fn a_session_that_reads_nothing_fills_its_own_lane_and_no_more() {
    let (mut lane, far, mut near) = lane();
    far.0.borrow_mut().sends = vec![7; 16 << 20];
    turn(&mut lane);
    let left = far.0.borrow().sends.len();
    assert!(left > 15 << 20, "{left} bytes were left with libssh2");
    assert!(!lane.can_take() && lane.pumps());
    // What it wants of the poll is room, and to hear of its owner.
    assert_eq!(lane.wants().unwrap().1, PollFlags::IN | PollFlags::OUT);
    let (mut got, mut piece) = (0, [0; 64 << 10]);
    while got < 16 << 20 {
        got += near.read(&mut piece).unwrap();
        turn(&mut lane);
    }
    assert!(far.0.borrow().sends.is_empty() && lane.wants().unwrap().1 == PollFlags::IN);
}

#[test]
fn a_target_that_takes_nothing_holds_one_buffer() {
    let (mut lane, far, mut near) = lane();
    let mut sent = 0;
    while let Ok(many) = near.write(&[1; 32 << 10]) {
        sent += many;
        turn(&mut lane);
    }
    assert!(sent < 1 << 20, "{sent}");
    // Not to be woken by what nobody could take, nor by what is not there.
    assert_eq!(lane.wants().unwrap().1, PollFlags::empty());
    far.0.borrow_mut().window = usize::MAX;
    turn(&mut lane);
    assert_eq!(far.0.borrow().took.len(), sent);
}

#[test]
fn a_farewell_takes_its_time_and_holds_nobody() {
    let (mut lane, far, near) = lane();
    far.0.borrow_mut().goodbyes = 3;
    drop(near);
    turn(&mut lane);
    assert!(lane.is_leaving() && lane.wants().is_none() && !lane.pumps());
    for gone in [false, false, true] {
        let _ = lane.leave();
        assert_eq!(lane.is_gone(), gone);
    }
}

#[test]
fn an_error_of_the_far_end_is_told_and_leaves_the_rest_to_the_loop() {
    let (mut lane, far, _near) = lane();
    far.0.borrow_mut().sends = b"x".into();
    far.0.borrow_mut().broken = true;
    assert!(lane.can_take());
    assert!(!is_later(&lane.take().unwrap_err()));
    lane.forget();
    assert!(lane.is_gone() && !lane.can_take() && !lane.inside());
}
