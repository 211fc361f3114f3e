//! The frame around one command: what stands between a start marker and a trailer with the same
//! nonce was printed by the command, everything else by somebody else (facts: ssh.md 2, traps.md T1,
//! T2). Parses a stream in constant memory; judges nothing.

use std::io;

// Record separator: rare in text, and never part of the marker as a shell script spells it.
const RS: u8 = 0x1e;
/// Most bytes of foreign output that are kept to be quoted.
const KEPT: usize = 1024;
/// Most bytes of foreign output before the start marker: an rc file, not a firehose.
pub(super) const MOST_NOISE: u64 = 1 << 20;

/// A marker that no remote text can contain by chance or by will: 128 random bits, used once.
#[derive(Clone)]
pub(super) struct Nonce(String);

impl Nonce {
    /// A fresh one.
    pub(super) fn new() -> io::Result<Self> {
        let mut bytes = [0_u8; 16];
        getrandom::fill(&mut bytes).map_err(|e| io::Error::other(e.to_string()))?;
        Ok(Self(bytes.iter().map(|b| format!("{b:02x}")).collect()))
    }

    /// The script that runs `command` (already quoted for `sh`) inside this frame.
    pub(super) fn script(&self, command: &str) -> String {
        script(&self.0, command)
    }

    /// A parser for one of the two streams.
    pub(super) fn frame(&self) -> Frame {
        let marker = |end: u8| [&[RS][..], b"GNG-", self.0.as_bytes(), &[end]].concat();
        Frame {
            start: marker(RS),
            trailer: marker(b' '),
            held: Vec::new(),
            noise: Vec::new(),
            noise_bytes: 0,
            state: State::Before,
        }
    }
}

/// What reaches the account's shell as the argument of `sh -c`: `command` (already quoted for `sh`) inside
/// the frame of nonce `n`, with the tether of facts: traps.md T8.
///
/// Its stdin is the connection's: when the client goes, `read` returns and the whole process
/// group is killed, but only a group that `sh` itself leads, or the login shell above it (dash, csh
/// and fish stay there), which sshd started for this and leads a session of its own; elsewhere the
/// command alone. The command runs as a child, so that no shell builtin of that name can leave the
/// frame.
///
/// It runs in `/`: sshd starts in the login's home, which the target account of `sudo` need not be able to
/// enter, and GNU find fails where it cannot return.
#[must_use]
pub fn script(n: &str, command: &str) -> String {
    format!(
        "exec 3<&0; printf '\\036GNG-{n}\\036'; printf '\\036GNG-{n}\\036' >&2; \
         LC_ALL=C; export LC_ALL; cd /; {command} </dev/null 3<&- & c=$!; \
         {{ read x <&3; kill -s KILL -- -$$ || kill -9 -$$; read i n t p g s x </proc/$$/stat; \
         case $p.$g in .*|0.*|1.*) ;; $s.$s) kill -9 -$s;; esac; kill -9 $c $$; }} >/dev/null 2>&1 & \
         w=$!; wait $c 2>/dev/null; r=$?; kill $w 2>/dev/null; \
         printf '\\036GNG-{n} %d\\036' $r; printf '\\036GNG-{n} %d\\036' $r >&2"
    )
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Before,
    Inside,
    After(i32),
}

/// One stream's frame.
pub(super) struct Frame {
    start: Vec<u8>,
    trailer: Vec<u8>,
    held: Vec<u8>,
    noise: Vec<u8>,
    noise_bytes: u64,
    state: State,
}

impl Frame {
    /// Takes the next piece; what is certainly the command's goes to `out`. Whatever might be the
    /// beginning of the trailer is held back.
    pub(super) fn push(
        &mut self,
        piece: &[u8],
        mut out: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        self.held.extend_from_slice(piece);
        if self.state == State::Before {
            let (at, whole) = find(&self.held, &self.start);
            let noise = &self.held[..at];
            self.noise_bytes += noise.len() as u64;
            let room = KEPT.saturating_sub(self.noise.len()).min(noise.len());
            self.noise.extend_from_slice(&noise[..room]);
            let passed = if whole { at + self.start.len() } else { at };
            self.held.drain(..passed);
            if whole {
                self.state = State::Inside;
            }
        }
        if self.state == State::Inside {
            let mut from = 0;
            let passed = loop {
                let (at, whole) = find(&self.held[from..], &self.trailer);
                let at = from + at;
                if !whole {
                    break at;
                }
                match status(&self.held[at + self.trailer.len()..]) {
                    Status::Whole(status) => {
                        self.state = State::After(status);
                        break at;
                    }
                    Status::Partial => break at,
                    Status::Other => from = at + 1,
                }
            };
            out(&self.held[..passed])?;
            self.held.drain(..passed);
        }
        if matches!(self.state, State::After(_)) {
            self.held.clear();
        }
        Ok(())
    }

    /// True once the start marker came.
    pub(super) const fn started(&self) -> bool {
        !matches!(self.state, State::Before)
    }

    /// The command's exit status, once the trailer came.
    pub(super) const fn status(&self) -> Option<i32> {
        match self.state {
            State::After(status) => Some(status),
            _ => None,
        }
    }

    /// How much came before the start marker.
    pub(super) const fn noise_bytes(&self) -> u64 {
        self.noise_bytes
    }

    /// The first of what came instead of, or before, the start marker.
    pub(super) fn noise(&self) -> String {
        let mut noise = self.noise.clone();
        if self.state == State::Before {
            let room = KEPT.saturating_sub(noise.len()).min(self.held.len());
            noise.extend_from_slice(&self.held[..room]);
        }
        String::from_utf8_lossy(&noise).into_owned()
    }
}

/// Where `marker` stands whole, or else where its beginning might stand at the very end.
fn find(held: &[u8], marker: &[u8]) -> (usize, bool) {
    let mut from = 0;
    while let Some(at) = held[from..].iter().position(|byte| *byte == RS) {
        let at = from + at;
        let rest = &held[at..];
        if rest.starts_with(marker) {
            return (at, true);
        }
        if marker.starts_with(rest) {
            return (at, false);
        }
        from = at + 1;
    }
    (held.len(), false)
}

enum Status {
    Whole(i32),
    Partial,
    Other,
}

fn status(rest: &[u8]) -> Status {
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    match (digits, rest.get(digits)) {
        (0..=3, None) => Status::Partial,
        (1..=3, Some(&RS)) => std::str::from_utf8(&rest[..digits])
            .ok()
            .and_then(|text| text.parse().ok())
            .map_or(Status::Other, Status::Whole),
        _ => Status::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nonce() -> Nonce {
        Nonce("c0ffee".into())
    }

    fn feed(bytes: &[u8], step: usize) -> (Vec<u8>, Frame) {
        let mut frame = nonce().frame();
        let mut got = Vec::new();
        for piece in bytes.chunks(step) {
            frame
                .push(piece, |part| {
                    got.extend_from_slice(part);
                    Ok(())
                })
                .unwrap();
        }
        (got, frame)
    }

    #[test]
    fn keeps_the_command_and_drops_the_rest_however_it_is_cut() {
        let body = b"one\x1e two \x1eGNG-c0ffe no \x1eGNG-c0ffee x\x1e\x1eGNG-c0ffee 1234\x1eend";
        let whole = [
            b"motd\x1eGNG-".as_slice(),
            b"\x1eGNG-c0ffee\x1e",
            body,
            b"\x1eGNG-c0ffee 7\x1e",
            b"logout\n",
        ]
        .concat();
        for step in 1..=whole.len() {
            let (got, frame) = feed(&whole, step);
            assert_eq!(got, body, "cut every {step}");
            assert_eq!(frame.status(), Some(7));
            assert_eq!(frame.noise(), "motd\u{1e}GNG-");
            assert_eq!(frame.noise_bytes(), 9);
        }
    }

    #[test]
    fn without_start_or_trailer_there_is_no_status() {
        let (got, frame) = feed(b"This account is currently not available.\n", 5);
        assert!(got.is_empty() && !frame.started() && frame.status().is_none());
        assert!(frame.noise().contains("not available"));
        let (got, frame) = feed(b"\x1eGNG-c0ffee\x1ehalf a file\x1eGNG-c0ffee 0", 3);
        assert_eq!(got, b"half a file");
        assert!(frame.started() && frame.status().is_none());
    }

    #[test]
    fn another_commands_trailer_does_not_end_this_one() {
        let (got, frame) = feed(b"\x1eGNG-c0ffee\x1e\x1eGNG-beefee 0\x1e.", 64);
        assert_eq!(got, b"\x1eGNG-beefee 0\x1e.");
        assert_eq!(frame.status(), None);
    }

    #[test]
    fn noise_is_counted_and_not_kept() {
        let (_, frame) = feed(&[b'x'; 100_000], 4096);
        assert_eq!(frame.noise().len(), KEPT);
        assert_eq!(frame.noise_bytes(), 100_000);
    }

    #[test]
    fn the_script_frames_status_and_both_streams_in_a_real_shell() {
        for (command, status, stdout, stderr) in [
            (
                "'sh' '-c' 'echo out; echo err >&2; exit 3'",
                3,
                "out\n",
                "err\n",
            ),
            ("'exit' '0'", 0, "", ""),
            ("'sh' '-c' 'kill -9 $$'", 137, "", ""),
            ("'no-such-command-here'", 127, "", "not found"),
        ] {
            let nonce = Nonce::new().unwrap();
            let mut child = std::process::Command::new("sh")
                .args(["-c", &nonce.script(command)])
                .stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .unwrap();
            let stdin = child.stdin.take();
            let out = child.wait_with_output().unwrap();
            drop(stdin);
            let mut seen = Vec::new();
            for bytes in [out.stdout, out.stderr] {
                let mut frame = nonce.frame();
                let mut got = Vec::new();
                frame
                    .push(&bytes, |part| {
                        got.extend_from_slice(part);
                        Ok(())
                    })
                    .unwrap();
                assert_eq!(frame.status(), Some(status), "{command}");
                seen.push(String::from_utf8(got).unwrap());
            }
            assert_eq!(seen[0], stdout, "{command}");
            assert!(seen[1].contains(stderr), "{command}: {}", seen[1]);
            assert_eq!(
                seen[1].is_empty(),
                stderr.is_empty(),
                "{command}: {}",
                seen[1]
            );
        }
    }
}
