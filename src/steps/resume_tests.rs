//! What is compared, passed on and counted, with a session that answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use futures::future::{BoxFuture, join_all, ready};

use super::*;
use crate::digest::Sha256;
use crate::failure::FailureKind;
use crate::inventory::Inventory;
use crate::steps::{Door, Subject};
use crate::transport::{Command, Entry, Greeting, Output, Session};

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(piece);
        Ok(piece.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn noise(count: usize) -> Vec<u8> {
    let mut state = 7_u32;
    let byte = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    byte.take(count).collect()
}

/// Breaks a transfer of `whole` after so many bytes, and goes on in pieces of that size.
fn spliced(whole: &[u8], cut: usize, piece: usize, bend: Option<usize>) -> (Flow, Vec<u8>, bool) {
    let shared = Shared::default();
    let mut flow = Flow::into(Box::new(shared.clone()));
    whole[..cut]
        .chunks(piece)
        .for_each(|piece| flow.write_all(piece).unwrap());
    let mut hash = Stream::default();
    hash.update(&whole[..cut]);
    flow.hash = Some(hash);
    let from = usize::try_from(flow.go_back()).unwrap();
    assert_eq!(from, cut.saturating_sub(AGAIN));
    let mut rest = whole[from..].to_vec();
    if let Some(bend) = bend {
        rest[bend] ^= 1;
    }
    let came = rest
        .chunks(piece)
        .all(|piece| flow.write_all(piece).is_ok());
    let all = shared.0.lock().unwrap().clone();
    (flow, all, came)
}

#[test]
fn what_comes_again_is_compared_and_passed_on_once() {
    let whole = noise(5 * AGAIN + 17);
    for cut in [0, 1, AGAIN - 1, AGAIN, 3 * AGAIN + 5, whole.len()] {
        for piece in [1000, AGAIN, 2 * AGAIN, 20 * AGAIN] {
            let (flow, all, came) = spliced(&whole, cut, piece, None);
            assert!(came && all == whole, "{cut} {piece}");
            assert_eq!(flow.came, whole.len() as u64);
            assert_eq!(flow.hash.unwrap().finish(), Sha256::of(&whole));
            assert_eq!(flow.head, whole[..AGAIN]);
        }
    }
}

#[test]
fn one_bit_among_what_comes_again_is_another_file() {
    let whole = noise(5 * AGAIN);
    let cut = 3 * AGAIN + 5;
    for bend in [0, 1, AGAIN / 2, AGAIN - 1] {
        let (flow, all, came) = spliced(&whole, cut, 1000, Some(bend));
        assert!(!came && flow.is_other, "{bend}");
        assert_eq!(all, whole[..cut], "nothing of it was passed on");
    }
    // The twin: what had not come may be anything, for it is new.
    let (flow, all, came) = spliced(&whole, cut, 1000, Some(AGAIN));
    assert!(came && !flow.is_other && all.len() == whole.len());
}

#[test]
fn memory_stays_however_much_comes() {
    let mut flow = Flow::into(Box::new(io::sink()));
    let piece = noise(30_000);
    let mut last = VecDeque::<u8>::new();
    for _ in 0..200 {
        flow.write_all(&piece).unwrap();
        assert!(flow.tail.len() <= 9 * AGAIN && flow.head.len() <= AGAIN);
        last.extend(&piece);
        last.drain(..last.len().saturating_sub(AGAIN));
    }
    let kept = &flow.tail[flow.tail.len() - AGAIN..];
    assert_eq!(kept, last.make_contiguous());
}

#[test]
fn the_failure_in_the_end_tells_of_the_first() {
    let last = || Failure::new(FailureKind::Timeout, "an end", "none");
    let Stop::Failure(plain) = Losses::default().told(last().into()) else {
        panic!("a failure")
    };
    assert_eq!(plain, last());
    let loss = |why: &str, is_resumed| Loss {
        path: "/x".into(),
        came: 2,
        size: 9,
        why: why.into(),
        then: String::new(),
        is_resumed,
    };
    let losses = Losses(vec![
        loss("reset", true),
        loss("gone", true),
        loss("end", false),
    ]);
    assert_eq!(losses.resumed(), 2);
    let Stop::Failure(told) = losses.told(last().into()) else {
        panic!("a failure")
    };
    assert_eq!(told.kind, FailureKind::Timeout);
    assert_eq!(
        told.actual,
        "none; the transfer had been taken up again 2 times, the first time at 2 of 9 bytes of /x (reset)"
    );
    let fault = losses.told(Stop::Fault("disk full".into()));
    assert!(matches!(fault, Stop::Fault(reason) if reason == "disk full"));
}

/// One answer to a read: the file as it is then, and after how many bytes the connection is lost.
#[derive(Clone)]
struct Answer {
    content: Vec<u8>,
    second: Option<i64>,
    cut: Option<usize>,
}

/// Answers one read after the other.
struct Script(Mutex<VecDeque<Answer>>, Greeting);

impl Session for Script {
    fn greeting(&self) -> &Greeting {
        &self.1
    }
    fn run<'a>(&'a self, _: &'a Command, _: Limits) -> BoxFuture<'a, Result<Output, Failure>> {
        panic!("nothing is run")
    }
    fn list<'a>(&'a self, _: &'a str, _: Limits) -> BoxFuture<'a, Result<Vec<Entry>, Failure>> {
        panic!("nothing is listed")
    }
    fn read<'a>(
        &'a self,
        path: &'a str,
        span: Span,
        _: Limits,
        mut sink: Sink,
    ) -> BoxFuture<'a, Result<Receipt, ReadError>> {
        let answer = self.0.lock().unwrap().pop_front().unwrap();
        let size = answer.content.len() as u64;
        let modified = answer.second.map(|s| Timestamp::from_second(s).unwrap());
        let end = span.most.map_or(size, |most| size.min(span.from + most));
        let range = |end: u64| usize::try_from(end).unwrap();
        let mut part = &answer.content[range(span.from)..range(end)];
        part = &part[..answer.cut.unwrap_or(part.len()).min(part.len())];
        let mut hash = Stream::default();
        hash.update(part);
        let read = match (sink.write_all(part), answer.cut) {
            (Err(error), _) => Err(ReadError::Sink(error)),
            (_, Some(_)) => Err(ReadError::Lost(Box::new(Lost {
                failure: Failure::new(FailureKind::Unreachable, "a connection", "lost"),
                size,
                modified,
                hash,
            }))),
            (Ok(()), None) => Ok(Receipt {
                path: path.to_owned(),
                bytes: part.len() as u64,
                size,
                sha256: hash.finish(),
                modified,
                method: "sftp",
            }),
        };
        Box::pin(ready(read))
    }
    fn unelevated(&self) -> Arc<dyn Session> {
        panic!("nobody asks for it")
    }
    fn is_dead(&self) -> bool {
        false
    }
    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }
}

struct Open(Arc<Script>, Login);

impl Door for Open {
    fn session(&self) -> BoxFuture<'_, Result<Arc<dyn Session>, Failure>> {
        Box::pin(ready(Ok(Arc::clone(&self.0) as Arc<dyn Session>)))
    }
    fn login(&self) -> &Login {
        &self.1
    }
}

/// What a transfer over `answers` comes to, with the bytes that were passed on.
async fn transfer(
    answers: &[Answer],
    grows: bool,
    losses: &mut Losses,
) -> (Result<Option<Receipt>, Stop>, Vec<u8>) {
    const INVENTORY: &str = "environment: e\nssh: {known_hosts: [k]}\nhosts: {h: {address: h}}\nteams: {t: {user: t, agent: true}}\n";
    let inventory = Inventory::parse("i".as_ref(), INVENTORY.into()).unwrap();
    let login = inventory.login("h", "t").unwrap().clone();
    let script = Script(Mutex::new(answers.to_vec().into()), Greeting::default());
    let script = Arc::new(script);
    let door: Arc<dyn Door> = Arc::new(Open(Arc::clone(&script), login));
    let world = World::new(
        Subject::default(),
        Arc::new(inventory),
        Some(door),
        Instant::now() + Duration::from_secs(600),
        None,
        Transcript::new("c", "h", "t"),
    );
    let shared = Shared::default();
    let transfer = Transfer {
        world: &world,
        path: "/x",
        grows,
        bytes: u64::MAX,
    };
    let done = transfer
        .read(Flow::tapped(Box::new(shared.clone())), losses)
        .await;
    assert!(script.0.lock().unwrap().is_empty() || done.is_err());
    let came = shared.0.lock().unwrap().clone();
    (done, came)
}

fn answer(content: &[u8], second: i64) -> Answer {
    Answer {
        content: content.to_vec(),
        second: Some(second),
        cut: None,
    }
}

fn cut(content: &[u8], at: usize) -> Answer {
    Answer {
        cut: Some(at),
        ..answer(content, 1)
    }
}

const CUT: usize = 1 << 20;

#[tokio::test]
async fn what_is_opened_is_judged_whatever_the_look_before_saw() {
    let whole = noise(CUT + 5 * AGAIN);
    let (more, less) = ([&whole[..], b"x"].concat(), &whole[..CUT + AGAIN]);
    let undated = Answer {
        second: None,
        ..answer(&whole, 1)
    };
    // Whether it is gone on with: as a file that stays, and as a log.
    let cases: [(&[Answer], [bool; 2]); 8] = [
        (&[answer(&whole, 1), answer(&whole, 1)], [true, true]),
        (&[answer(&whole, 1), answer(&more, 2)], [false, true]),
        (&[answer(&whole, 1), answer(&whole, 2)], [false, true]),
        (&[answer(&whole, 1), answer(&whole, 0)], [false, false]),
        (&[answer(&whole, 1), answer(less, 2)], [false, false]),
        (&[answer(less, 2)], [false, false]),
        (&[answer(&whole, 0)], [false, false]),
        (&[undated], [false, false]),
    ];
    // At once, for each waits a moment before it goes on.
    let all = cases.into_iter().flat_map(|(after, expected)| {
        let whole = &whole;
        let kinds = [false, true].into_iter().zip(expected);
        kinds.map(move |(grows, expected)| async move {
            let answers = [&[cut(whole, CUT)][..], after].concat();
            let mut losses = Losses::default();
            let (done, came) = transfer(&answers, grows, &mut losses).await;
            let receipt = done.unwrap();
            let sizes: Vec<usize> = after.iter().map(|one| one.content.len()).collect();
            assert_eq!(receipt.is_some(), expected, "{sizes:?} {grows}");
            assert_eq!(losses.resumed(), 1);
            if let Some(receipt) = receipt {
                assert!(came == *whole);
                assert_eq!(receipt.sha256, Sha256::of(whole));
                let told = (receipt.bytes, receipt.size, receipt.modified);
                let first = Timestamp::from_second(1).ok();
                let size = whole.len() as u64;
                assert_eq!(told, (size, size, first), "as it was first opened");
            }
        })
    });
    join_all(all).await;
}

#[tokio::test]
async fn a_connection_is_taken_up_so_often_and_no_more() {
    let whole = noise(CUT + 5 * AGAIN);
    // The second loss is amid the look, the third before anything new came.
    let lost = [
        cut(&whole, CUT),
        cut(&whole, 7),
        answer(&whole, 1),
        cut(&whole, 100),
    ];
    let rest = [answer(&whole, 1), answer(&whole, 1)];
    let mut losses = Losses::default();
    let answers = [&lost[..], &rest].concat();
    let (done, came) = transfer(&answers, false, &mut losses).await;
    assert_eq!(done.unwrap().unwrap().sha256, Sha256::of(&whole));
    assert!(came == whole && losses.resumed() == MOST);
    // For the same artifact no other file is taken up again.
    let (done, _) = transfer(&lost[..1], false, &mut losses).await;
    let Err(Stop::Failure(failure)) = done else {
        panic!("taken up too often")
    };
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert!(failure.actual.contains("as often as it may be"));
    assert_eq!(failure.subject.as_deref(), Some("/x"));
    // And less than what is worth it is not taken up even once.
    let mut losses = Losses::default();
    let (done, _) = transfer(&[cut(&whole, CUT - 1)], false, &mut losses).await;
    assert!(matches!(done, Err(Stop::Failure(failure)) if failure.actual == "lost"));
    assert_eq!(losses.resumed(), 0);
}
