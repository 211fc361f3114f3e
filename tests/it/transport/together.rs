//! Several files that are asked for together, and a limit on how quickly they come.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gonogo::digest::Sha256;
use gonogo::failure::FailureKind as K;
use gonogo::inventory::Transport;
use gonogo::transport::{Keyring, ReadError, Reading, Session, Span, Ways};

use super::lab::{
    AMPLE, Kept, Lab, OPS, OnFirst, connect, connect_by, fetch, fetch_within, sh, usable, within,
};

fn reading(path: &str, kept: &Kept) -> Reading {
    Reading {
        path: path.to_owned(),
        span: Span::WHOLE,
        bytes: AMPLE.bytes,
        sink: Box::new(kept.clone()),
    }
}

/// What each gave: its bytes with their digest proven, or the kind of its failure.
async fn together(session: &dyn Session, paths: &[String]) -> Vec<Result<Vec<u8>, K>> {
    let kept: Vec<Kept> = paths.iter().map(|_| Kept::default()).collect();
    let wanted = paths.iter().zip(&kept);
    let wanted = wanted.map(|(path, kept)| reading(path, kept)).collect();
    let read = session.read_all(wanted, AMPLE.time).await;
    assert_eq!(read.len(), paths.len());
    let told = read.into_iter().zip(paths).zip(kept);
    told.map(|(((read, _), path), kept)| {
        let bytes = kept.0.lock().unwrap().clone();
        match read {
            Ok(receipt) => {
                assert_eq!(&receipt.path, path);
                assert_eq!(receipt.bytes, bytes.len() as u64, "{path}");
                assert_eq!(receipt.sha256, Sha256::of(&bytes), "{path}");
                Ok(bytes)
            }
            Err(error) => {
                let failure = error.told().unwrap();
                assert_eq!(failure.subject.as_deref(), Some(&**path), "{failure}");
                Err(failure.kind)
            }
        }
    })
    .collect()
}

#[tokio::test]
pub(super) async fn each_of_several_files_is_told_apart() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let big: Vec<u8> = (0..9_000_000_u32).map(|i| ((i * 7) >> 3) as u8).collect();
    let mut paths = vec![lab.file("one", b"first")];
    let at = |name: &str| lab.dir.join("files").join(name).display().to_string();
    let denied = lab.file("denied", b"x");
    lab.mode(&denied, 0o600);
    sh("mkfifo", &[&at("fifo")]);
    let others = [
        at("missing"),
        denied,
        lab.file("empty", b""),
        lab.file("big", &big),
        at("fifo"),
        lab.file("last", b"last"),
    ];
    paths.extend(others);
    // More than are open at once.
    for number in 0..40 {
        paths.push(lab.file(&format!("small {number}"), format!("{number}").as_bytes()));
    }
    let mut login = lab.login(OPS);
    for transport in [Transport::Auto, Transport::Exec] {
        login.transport = transport;
        let session = connect(&login).await.unwrap();
        // The second time with nothing looked at anew.
        for _ in 0..2 {
            let read = together(&*session, &paths).await;
            assert_eq!(read[0], Ok(b"first".to_vec()));
            assert_eq!(read[1], Err(K::Missing));
            assert_eq!(read[2], Err(K::Denied));
            assert_eq!(read[3], Ok(Vec::new()));
            assert!(read[4] == Ok(big.clone()), "{transport:?}");
            assert_eq!(read[5], Err(K::NotRegular));
            assert_eq!(read[6], Ok(b"last".to_vec()));
            for (number, read) in read[7..].iter().enumerate() {
                assert_eq!(read, &Ok(number.to_string().into_bytes()));
            }
            assert!(!session.is_dead());
        }
        let looked = session.look(&paths[..7], AMPLE).await;
        let sizes = looked
            .iter()
            .map(|entry| entry.as_ref().map(|e| e.size).ok());
        let sizes: Vec<_> = sizes.collect();
        assert_eq!(sizes[0], Some(5));
        assert_eq!(
            (sizes[1], sizes[3], sizes[4]),
            (None, Some(0), Some(9_000_000))
        );
    }
}

#[tokio::test]
pub(super) async fn one_that_shrinks_costs_no_other() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let path = lab.file("shrinks", &vec![7; 30 << 20]);
    let other = lab.file("other", b"whole");
    let session = connect(&lab.login(OPS)).await.unwrap();
    let cut = path.clone();
    let truncate = move || {
        let file = std::fs::OpenOptions::new().write(true).open(cut).unwrap();
        file.set_len(1 << 20).unwrap();
    };
    let kept = Kept::default();
    let wanted = vec![
        Reading {
            sink: Box::new(OnFirst(Some(truncate))),
            ..reading(&path, &kept)
        },
        reading(&other, &kept),
    ];
    let mut read = session.read_all(wanted, AMPLE.time).await.into_iter();
    let failure = match read.next().unwrap().0 {
        Err(ReadError::Failure(failure)) => failure,
        other => panic!("{other:?}"),
    };
    assert_eq!(failure.kind, K::Short, "{failure}");
    assert!(read.next().unwrap().0.is_ok());
    assert_eq!(*kept.0.lock().unwrap(), b"whole");
}

#[tokio::test]
pub(super) async fn a_limited_host_gives_no_more_a_second() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let path = lab.file("f", &vec![7; 1 << 20]);
    let large = lab.file("large", &vec![7; 20 << 20]);
    let ways = Ways::with(Keyring::default()).limited(Some(512 << 10));
    let mut login = lab.login(OPS);
    for transport in [Transport::Auto, Transport::Exec] {
        login.transport = transport;
        let one: Arc<dyn Session> = connect_by(&ways, &login).await.unwrap();
        let two = connect_by(&ways, &login).await.unwrap();
        // Both together: two mebibytes at half a mebibyte a second.
        let begun = Instant::now();
        let (first, second) = tokio::join!(fetch(&*one, &path), fetch(&*two, &path));
        let took = begun.elapsed();
        assert!(first.unwrap().1.len() == 1 << 20 && second.unwrap().1.len() == 1 << 20);
        assert!(took > Duration::from_millis(3000), "{transport:?} {took:?}");
        assert!(took < Duration::from_secs(20), "{transport:?} {took:?}");
        // Forty seconds' worth does not fit into ten, and is not begun.
        let begun = Instant::now();
        let limits = within(Duration::from_secs(10));
        let failure = fetch_within(&*one, &large, Span::WHOLE, limits).await;
        let failure = failure.unwrap_err();
        assert_eq!(failure.kind, K::TooLarge, "{failure}");
        assert!(failure.expected.contains("--limit-rate"), "{failure}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{transport:?}");
        assert!(!one.is_dead());
        // Of which a part does.
        let head = fetch_within(&*one, &large, Span::head(1000), limits).await;
        assert_eq!(head.unwrap().1.len(), 1000);
    }
    // The twin: without a limit.
    let free = connect(&lab.login(OPS)).await.unwrap();
    let limits = within(Duration::from_secs(10));
    let read = fetch_within(&*free, &large, Span::WHOLE, limits).await;
    assert_eq!(read.unwrap().0.bytes, 20 << 20);
}
