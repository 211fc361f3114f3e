//! Files that are read in turn: no byte of one before the one before it is whole, and each opened anew by its name.

use std::time::{Duration, Instant};

use gonogo::failure::FailureKind as K;
use gonogo::inventory::Transport;
use gonogo::transport::{ReadError, Reading, Receipt, Session, Sink, Span};

use super::lab::{AMPLE, Kept, Lab, OPS, OnFirst, connect, sh, usable};

/// A file that takes some time to come.
const LONG: usize = 24 << 20;

fn wanted(path: &str, sink: Sink) -> Reading {
    Reading {
        path: path.to_owned(),
        span: Span::WHOLE,
        bytes: AMPLE.bytes,
        sink,
    }
}

type Read = Vec<Result<Receipt, ReadError>>;

/// Reads `small`, then `long`, then `small` twice; `meanwhile` happens at the first bytes of `long`. What came of each,
/// and what the three small ones held.
async fn around(
    session: &dyn Session,
    small: &str,
    long: &str,
    meanwhile: impl FnOnce() + Send + 'static,
) -> (Read, [Vec<u8>; 3]) {
    let kept: [Kept; 3] = Default::default();
    let keep = |at: usize| wanted(small, Box::new(kept[at].clone()));
    let during = wanted(long, Box::new(OnFirst(Some(meanwhile))));
    let set = vec![keep(0), during, keep(1), keep(2)];
    let read = session.read_in_turn(set, AMPLE.time).await;
    let held = kept.each_ref().map(|kept| kept.0.lock().unwrap().clone());
    (read.into_iter().map(|(read, _)| read).collect(), held)
}

fn kind(read: &Result<Receipt, ReadError>) -> Result<(), K> {
    match read {
        Ok(_) => Ok(()),
        Err(ReadError::Failure(failure)) => Err(failure.kind),
        Err(other) => panic!("{other:?}"),
    }
}

fn kinds(read: &Read) -> Vec<Result<(), K>> {
    read.iter().map(kind).collect()
}

#[tokio::test]
pub(super) async fn in_turn_no_byte_comes_before_its_time() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let long = lab.file("long", &vec![7; LONG]);
    for transport in [Transport::Auto, Transport::Exec] {
        let mut login = lab.login(OPS);
        login.transport = transport;
        let session = connect(&login).await.unwrap();
        // Written in place, it is the file that was open all the while.
        let small = lab.file("small", b"before");
        let path = small.clone();
        let write = move || {
            std::fs::write(path, b"behind").unwrap();
        };
        let (read, held) = around(&*session, &small, &long, write).await;
        assert_eq!(kinds(&read), [Ok(()); 4], "{transport:?}");
        assert_eq!(held, [b"before", b"behind", b"behind"].map(|b| b.to_vec()));
        // Another file under its name: the last is opened after all of the long one has come.
        let small = lab.file("small", b"before");
        let (new, path) = (lab.file("new", b"behind"), small.clone());
        let replace = move || std::fs::rename(new, path).unwrap();
        let (read, held) = around(&*session, &small, &long, replace).await;
        assert_eq!(kinds(&read), [Ok(()); 4], "{transport:?}");
        assert_eq!((&*held[0], &*held[2]), (&b"before"[..], &b"behind"[..]));
        assert!(!session.is_dead());
    }
}

#[tokio::test]
pub(super) async fn in_turn_nothing_is_read_behind_one_that_failed() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let long = lab.file("long", &vec![7; LONG]);
    let small = lab.file("small", b"small");
    let denied = lab.file("denied", b"x");
    lab.mode(&denied, 0o600);
    let missing = lab.dir.join("files/missing").display().to_string();
    for transport in [Transport::Auto, Transport::Exec] {
        let mut login = lab.login(OPS);
        login.transport = transport;
        let session = connect(&login).await.unwrap();
        for (bad, why) in [(&missing, K::Missing), (&denied, K::Denied)] {
            let (read, held) = around(&*session, &small, bad, || ()).await;
            let behind = Err(K::Undefined);
            assert_eq!(kinds(&read), [Ok(()), Err(why), behind, behind]);
            assert_eq!(held, [b"small".to_vec(), vec![], vec![]]);
            let (read, held) = around(&*session, bad, &long, || ()).await;
            assert_eq!(kinds(&read), [Err(why), behind, behind, behind]);
            assert!(held.iter().all(Vec::is_empty));
        }
        // One that shrinks while the next is being opened already.
        let shrinks = lab.file("shrinks", &vec![7; LONG]);
        let path = shrinks.clone();
        let cut = move || {
            let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            file.set_len(1 << 20).unwrap();
        };
        let (read, held) = around(&*session, &small, &shrinks, cut).await;
        let behind = Err(K::Undefined);
        assert_eq!(kinds(&read), [Ok(()), Err(K::Short), behind, behind]);
        assert!(held[1..].iter().all(Vec::is_empty));
        // And the session goes on, with nothing of it left open.
        let (read, held) = around(&*session, &small, &long, || ()).await;
        assert_eq!(kinds(&read), [Ok(()); 4], "{transport:?}");
        assert_eq!(held, [const { b"small" }; 3].map(|b| b.to_vec()));
    }
}

#[tokio::test]
pub(super) async fn in_turn_a_look_that_is_old_is_not_trusted() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let long = lab.file("long", &vec![7; LONG]);
    for transport in [Transport::Auto, Transport::Exec] {
        let mut login = lab.login(OPS);
        login.transport = transport;
        let session = connect(&login).await.unwrap();
        for hangs in [false, true] {
            let small = lab.file("small", b"before");
            let path = small.clone();
            let meanwhile = move || {
                std::thread::sleep(Duration::from_millis(1500));
                std::fs::remove_file(&path).unwrap();
                match hangs {
                    // Whoever opens it waits for a writer.
                    true => drop(sh("mkfifo", &[&path])),
                    false => std::fs::write(&path, b"behind").unwrap(),
                }
            };
            let begun = Instant::now();
            let (read, held) = around(&*session, &small, &long, meanwhile).await;
            assert!(begun.elapsed() < Duration::from_secs(15), "{transport:?}");
            match hangs {
                // It may have been open when it was removed: then that is what came.
                true if held[1] == b"before" => {
                    assert_eq!(kinds(&read)[..3], [Ok(()); 3]);
                    assert_eq!(kind(&read[3]), Err(K::NotRegular));
                }
                true => assert_eq!(kinds(&read)[2..], [Err(K::NotRegular), Err(K::Undefined)]),
                false => {
                    assert_eq!(kinds(&read), [Ok(()); 4]);
                    assert_eq!(held[2], b"behind");
                }
            }
            assert!(!session.is_dead(), "{transport:?}");
            std::fs::remove_file(&small).unwrap();
        }
    }
}
