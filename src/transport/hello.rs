//! The first words of a peer, looked at while they still lie in the socket (MSG_PEEK): its
//! identification line and its KEXINIT, or whatever else answers there. So a refusal can quote what was
//! said, over the very connection it was said on and without another one, also behind a hop. Takes no
//! byte away and judges nothing: libssh2 reads the same bytes afterwards.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, recv};
use ssh2::Error;

use super::actor::{Deadline, Socket};
use super::offers::{self, Offers, Read};
use crate::text;

/// Most bytes before a KEXINIT has ended; OpenSSH's takes 1.5 KiB, and a lawyer's banner comes later.
const MOST: usize = 48 << 10;
/// How long the rest may take once the first byte came, before libssh2 goes on without it.
const PATIENCE: Duration = Duration::from_secs(1);
/// Most characters that are quoted.
const MOST_QUOTED: usize = 200;

#[cfg(any(target_os = "linux", target_os = "android"))]
const GONE: PollFlags = PollFlags::HUP.union(PollFlags::RDHUP);
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const GONE: PollFlags = PollFlags::HUP;

/// What was said before any key was exchanged.
#[derive(Debug, Default)]
pub(super) struct Hello {
    said: Vec<u8>,
    /// The identification line as libssh2 took it, should it have been quicker than the look.
    taken: Option<String>,
}

impl Hello {
    /// Waits for the peer's first words, no longer than the deadline. `greet` sends ours, without
    /// blocking, and tells the identification line if it has been taken in already.
    ///
    /// It costs no round trip: what libssh2 sends next needs the peer's KEXINIT anyway.
    ///
    /// # Errors
    /// Those of `greet` that end the handshake.
    pub(super) fn hear(
        socket: &Socket,
        deadline: &Deadline,
        greet: impl FnOnce() -> Result<Option<String>, Error>,
    ) -> (Self, Result<(), Error>) {
        let mut hello = Self::default();
        let mut greet = Some(greet);
        // What libssh2 took in together with our greeting: it is not in the socket any more.
        let mut taken = 0;
        let mut patience = None;
        let mut pause = Duration::from_millis(1);
        loop {
            // Asked before the look: what is gone then says no more than the look shows.
            let gone = wait(socket, Duration::ZERO).intersects(GONE);
            let now = peek(socket, MOST);
            let came = now.as_ref().is_some_and(|now| !now.is_empty());
            if let Some(now) = &now {
                hello.said.truncate(taken);
                hello.said.extend_from_slice(now);
            }
            if came {
                patience.get_or_insert_with(|| hurry(deadline));
            }
            let is_over = now.is_none() || gone || hello.is_endless();
            let is_late = patience.unwrap_or(*deadline).left().is_none();
            // Whoever speaks first need not be spoken to before it has said what it is: libssh2 reads
            // on for as long as lines come.
            if (!came || hello.find().is_some() || is_over || is_late)
                && let Some(greet) = greet.take()
                && !hello.is_endless()
            {
                taken = hello.said.len();
                match greet() {
                    Ok(line) => hello.taken = line,
                    Err(error) => return (hello, Err(error)),
                }
                continue;
            }
            if is_over || is_late || hello.is_enough() {
                return (hello, Ok(()));
            }
            let left = patience.unwrap_or(*deadline).left().unwrap_or_default();
            match came {
                // Bytes that stay in the socket would wake a poll at once.
                true => std::thread::sleep(pause.min(left)),
                false => drop(wait(socket, left)),
            }
            pause = (pause * 2).min(Duration::from_millis(4));
        }
    }

    fn is_enough(&self) -> bool {
        self.is_endless() || !matches!(self.read(), Read::Partial)
    }

    /// What still lies in a socket that another thread reads from, from the first whole line on.
    pub(super) fn left_in(socket: &Socket) -> Self {
        let mut said = peek(socket, MOST + 4 * MOST_QUOTED).unwrap_or_default();
        let line = said
            .iter()
            .take(4 * MOST_QUOTED)
            .position(|byte| *byte == b'\n');
        said.drain(..line.map_or(0, |end| end + 1));
        Self { said, taken: None }
    }

    /// One that said just this.
    #[cfg(test)]
    pub(super) fn of(said: &[u8]) -> Self {
        Self {
            said: said.to_vec(),
            taken: None,
        }
    }

    /// More was said than any server has to say, and not that it speaks SSH.
    pub(super) fn is_endless(&self) -> bool {
        self.said.len() >= MOST && self.ident().is_none()
    }

    /// Not a word came.
    pub(super) fn is_silence(&self) -> bool {
        self.said.is_empty() && self.taken.is_none()
    }

    /// What the peer offers, once all of that has come.
    pub(super) fn offers(&self) -> Option<Offers> {
        match self.read() {
            Read::Whole(offers) => Some(offers),
            Read::Partial | Read::Other => None,
        }
    }

    fn read(&self) -> Read {
        match self.find() {
            Some((_, after)) => offers::read(&self.said[after..]),
            // The line is not in what was seen, so neither is where the packets begin.
            None if self.taken.is_some() => Read::Other,
            None => Read::Partial,
        }
    }

    /// `SSH-2.0-…`
    pub(super) fn ident(&self) -> Option<String> {
        let found = self.find().map(|(line, _)| quoted(line));
        found.or_else(|| self.taken.as_deref().map(|line| quoted(line.as_bytes())))
    }

    /// The identification line, and where what follows it begins. Other lines may come before it
    /// (RFC 4253 4.2).
    fn find(&self) -> Option<(&[u8], usize)> {
        let mut from = 0;
        while let Some(length) = self.said[from..].iter().position(|byte| *byte == b'\n') {
            let line = &self.said[from..from + length];
            from += length + 1;
            if line.starts_with(b"SSH-") {
                return Some((line, from));
            }
        }
        None
    }

    /// The first line that is not empty; TLS, which has no lines, by its name.
    pub(super) fn first_line(&self) -> String {
        // A record of type alert or handshake, then the major version (RFC 8446 5.1).
        if matches!(self.said[..], [0x15 | 0x16, 0x03, ..]) {
            return "a TLS record".to_owned();
        }
        let mut lines = self.said.split(|byte| matches!(byte, b'\n' | b'\r'));
        let line = lines.find(|line| !line.is_empty()).unwrap_or_default();
        format!("\"{}\"", quoted(line))
    }
}

fn quoted(line: &[u8]) -> String {
    let line = &line[..line.len().min(4 * MOST_QUOTED)];
    let line = String::from_utf8_lossy(line);
    text::clip(line.trim(), MOST_QUOTED).into_owned()
}

fn hurry(deadline: &Deadline) -> Deadline {
    Deadline::after(deadline.left().unwrap_or_default().min(PATIENCE))
}

/// What lies in the socket, `most` bytes of it; `None` when nothing more ever will.
fn peek(socket: &Socket, most: usize) -> Option<Vec<u8>> {
    let mut buffer = vec![0; most];
    match recv(
        socket,
        &mut buffer[..],
        RecvFlags::PEEK | RecvFlags::DONTWAIT,
    ) {
        Ok((0, _)) => None,
        Ok((n, _)) => {
            buffer.truncate(n);
            Some(buffer)
        }
        Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) => Some(Vec::new()),
        // Reset: libssh2 will meet the same error, and word it.
        Err(_) => None,
    }
}

fn wait(socket: &Socket, time: Duration) -> PollFlags {
    let mut ready = [PollFd::new(socket, PollFlags::IN | GONE)];
    // An interrupted poll is only an early look.
    let _ = poll(&mut ready, Timespec::try_from(time).ok().as_ref());
    ready[0].revents()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn heard(said: &'static [u8], then: fn(UnixStream)) -> (Hello, Duration) {
        let (near, mut far) = UnixStream::pair().unwrap();
        let begun = std::time::Instant::now();
        let peer = std::thread::spawn(move || {
            let _ = far.write_all(said);
            then(far);
        });
        let deadline = Deadline::after(Duration::from_secs(4));
        let (hello, result) = Hello::hear(&Socket::Tunnel(near), &deadline, || Ok(None));
        result.unwrap();
        let took = begun.elapsed();
        peer.join().unwrap();
        (hello, took)
    }

    fn stay(far: UnixStream) {
        std::thread::sleep(Duration::from_secs(6));
        drop(far);
    }

    #[test]
    fn quotes_the_first_line_and_finds_the_greeting() {
        let (hello, _) = heard(b"\r\nHTTP/1.1 400 Bad Request\r\nServer: x\r\n", drop);
        assert_eq!(hello.first_line(), "\"HTTP/1.1 400 Bad Request\"");
        assert_eq!(hello.ident(), None);
        let (hello, _) = heard(b"hello\r\nSSH-2.0-x y\r\n", drop);
        assert_eq!(hello.ident().as_deref(), Some("SSH-2.0-x y"));
        let (hello, _) = heard(b"\x15\x03\x01\0\x02\x02\x46", drop);
        assert_eq!(hello.first_line(), "a TLS record");
        let (hello, _) = heard(b"", drop);
        assert!(hello.is_silence() && hello.offers().is_none());
    }

    #[test]
    fn does_not_wait_for_the_rest_of_a_sentence_for_ever() {
        let (hello, took) = heard(b"SSH-2.0-x\r\n", stay);
        assert_eq!(hello.ident().as_deref(), Some("SSH-2.0-x"));
        assert!(took < Duration::from_millis(3900), "{took:?}");
        let (hello, took) = heard(b"", stay);
        assert!(hello.is_silence() && took >= Duration::from_secs(4));
    }

    #[test]
    fn stops_listening_to_who_never_comes_to_the_point() {
        let (hello, took) = heard(b"", |mut far| {
            let lines = b"not yet\r\n".repeat(10_000);
            let _ = far.write_all(&lines);
        });
        assert!(hello.is_endless() && took < Duration::from_secs(4));
        assert_eq!(hello.first_line(), "\"not yet\"");
    }
}
