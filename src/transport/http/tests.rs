//! Answers by the letter, from a server that is a script. Real ones are in tests/it.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};

use super::*;

/// Says these pieces, then closes or hangs.
struct Script {
    says: VecDeque<Vec<u8>>,
    hangs: bool,
    heard: Vec<u8>,
    hasty: bool,
}

impl Read for Script {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self.says.pop_front() {
            Some(mut piece) => {
                let rest = piece.split_off(piece.len().min(room.len()));
                room[..piece.len()].copy_from_slice(&piece);
                if !rest.is_empty() {
                    self.says.push_front(rest);
                }
                Ok(piece.len())
            }
            None if self.hangs => Err(io::ErrorKind::TimedOut.into()),
            None => Ok(0),
        }
    }
}

impl Write for Script {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.heard.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Way for Script {
    fn why(&mut self) -> Option<Failure> {
        None
    }

    fn hasten(&mut self, _: Duration) {
        self.hasty = true;
    }
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const MOST: u64 = 1000;

fn request(url: &str) -> Request {
    Request::of(&Get {
        url: url.to_owned(),
        user: None,
        password_env: None,
        ca: None,
    })
    .unwrap()
}

fn ask(says: &[u8], pieces: usize, hangs: bool) -> Result<(Receipt, Vec<u8>), Failure> {
    let mut script = Script {
        says: says.chunks(pieces).map(<[u8]>::to_vec).collect(),
        hangs,
        heard: Vec::new(),
        hasty: false,
    };
    let kept = Kept::default();
    let request = request("http://127.0.0.1:8085/x?y");
    let deadline = Deadline::after(Duration::from_secs(60));
    match exchange(
        &mut script,
        &request,
        MOST,
        &deadline,
        Box::new(kept.clone()),
    ) {
        Ok(receipt) => Ok((receipt, kept.0.lock().unwrap().clone())),
        Err(ReadError::Failure(failure)) => {
            assert!(!failure.hint.is_empty(), "{failure}");
            Err(failure)
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn a_body_is_read_to_its_end_however_it_comes() {
    for (answer, body) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length:5\r\nContent-Length: 5\r\n\r\nhello",
            "hello",
        ),
        ("HTTP/1.1 200 OK\r\n\r\nhello", "hello"),
        ("HTTP/1.0 200\r\nServer: x\r\n\r\nhello", "hello"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            "hello",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;a=b\r\nhe\r\n3 \r\nllo\r\n000\r\nTrailer: x\r\n\r\n",
            "hello",
        ),
        (
            "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Encoding: identity\r\n\r\nhello",
            "hello",
        ),
    ] {
        for pieces in [1, 2, 7, 1000] {
            let (receipt, bytes) = ask(answer.as_bytes(), pieces, false).unwrap();
            assert_eq!(
                String::from_utf8(bytes).unwrap(),
                body,
                "{answer:?} {pieces}"
            );
            assert_eq!(receipt.bytes, body.len() as u64);
            assert_eq!(receipt.sha256, crate::digest::Sha256::of(body.as_bytes()));
            assert_eq!(
                (receipt.method, &*receipt.path),
                ("http", "http://127.0.0.1:8085/x?y")
            );
        }
    }
    // A server that does not close is not waited for, when it has said where its answer ends.
    assert!(ask(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 100, true).is_ok());
}

#[test]
fn what_ends_elsewhere_than_it_says_is_none() {
    use FailureKind as K;
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(40_000));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(101));
    let large = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(1001));
    let chunk = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n{}\r\n0\r\n\r\n",
        "x".repeat(1001)
    );
    let line = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;{}\r\n",
        "x".repeat(5000)
    );
    let trailer = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n{}",
        "A: b\r\n".repeat(5000)
    );
    let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(50);
    for (answer, kind) in [
        ("", K::Io),
        ("HTTP/1.1 200 OK\r\nConte", K::Short),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello",
            K::Short,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhello",
            K::Corrupt,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nhello",
            K::Corrupt,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            K::Corrupt,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
            K::Corrupt,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
            K::Corrupt,
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", K::Corrupt),
        ("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", K::Corrupt),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
            K::Corrupt,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
            K::Corrupt,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            K::Corrupt,
        ),
        (
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            K::Corrupt,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            K::Short,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
            K::Short,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n",
            K::Corrupt,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n\r\n",
            K::Corrupt,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
            K::Corrupt,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
            K::Corrupt,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nmore",
            K::Corrupt,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\nx",
            K::Corrupt,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nx",
            K::Mismatch,
        ),
        ("<html>It works!</html>", K::Corrupt),
        ("\u{15}\u{3}\u{1}\0\u{2}\u{2}F", K::Corrupt),
        ("SSH-2.0-OpenSSH_9.2\r\n", K::Corrupt),
        ("HTTP/2 200\r\n\r\n", K::Corrupt),
        ("HTTP/1.1 2000 OK\r\n\r\n", K::Corrupt),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", K::Mismatch),
        ("HTTP/1.1 204 No Content\r\n\r\n", K::Mismatch),
        (
            "HTTP/1.1 206 Partial Content\r\nContent-Length: 1\r\n\r\nx",
            K::Mismatch,
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/evil\r\n\r\n",
            K::Mismatch,
        ),
        (
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\n\r\n",
            K::Denied,
        ),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", K::Denied),
        ("HTTP/1.1 404 Not Found\r\n\r\n", K::Missing),
        ("HTTP/1.1 429 Slow Down\r\n\r\n", K::Mismatch),
        ("HTTP/1.1 500 Oops\r\n\r\n", K::Io),
        ("HTTP/1.1 503\r\n\r\n", K::Io),
        (&long, K::TooLarge),
        (&many, K::TooLarge),
        (&large, K::TooLarge),
        (&chunk, K::TooLarge),
        (&line, K::Corrupt),
        (&trailer, K::Corrupt),
        (&interim, K::Corrupt),
    ] {
        for pieces in [1, 1000] {
            let failure = ask(answer.as_bytes(), pieces, false).unwrap_err();
            let begin: String = answer.chars().take(120).collect();
            assert_eq!(failure.kind, kind, "{begin:?}: {failure}");
        }
    }
    for answer in [
        "HTTP/1.1 200 OK\r\n\r\nhel",
        "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhel",
        "HTT",
        "",
    ] {
        let failure = ask(answer.as_bytes(), 100, true).unwrap_err();
        assert_eq!(failure.kind, K::Timeout, "{answer}");
    }
    let redirect = ask(b"HTTP/1.1 301 Moved\r\nLocation: /new\r\n\r\n", 9, false).unwrap_err();
    assert!(
        redirect.actual.contains("a redirect to \"/new\""),
        "{redirect}"
    );
    let tls = ask(&[0x15, 3, 1, 0, 2, 2, 0x46], 9, false).unwrap_err();
    assert!(tls.hint.contains("https://"), "{tls}");
}

#[test]
fn a_request_is_five_lines_and_nothing_of_the_users() {
    for (url, host) in [
        ("http://127.0.0.1:8085/amps?x", "127.0.0.1:8085"),
        ("http://h/amps?x", "h"),
        ("http://[::1]/amps?x", "[::1]"),
        ("https://[::1]:80/amps?x", "[::1]:80"),
        ("https://h:443/amps?x", "h"),
    ] {
        let text = request(url).text();
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines[0], "GET /amps?x HTTP/1.1");
        assert_eq!(lines[1], format!("Host: {host}"));
        assert_eq!(
            lines[4..],
            ["Accept-Encoding: identity", "Connection: close", "", ""]
        );
        assert!(!text.contains("Authorization"));
    }
}
