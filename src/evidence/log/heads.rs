//! Cuts a stream into lines and keeps the head of each; counts NUL bytes in a row. Knows no entry.

use std::io::BufRead as _;
use std::ops::Range;

/// NUL bytes in a row that no product writes: a block of the file system that lost its content.
pub const BLOCK: usize = 4096;

/// Cuts lines. Memory is one head, whatever the lines' length.
#[derive(Debug)]
pub struct Heads {
    limit: usize,
    /// The head of a line whose end has not come yet.
    partial: Vec<u8>,
    /// Inside a line: `partial` holds its head, perhaps clipped.
    inside: bool,
    nuls: Nuls,
}

impl Heads {
    /// Keeps at most `limit` bytes of a line.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            partial: Vec::new(),
            inside: false,
            nuls: Nuls::default(),
        }
    }

    /// Gives the head of each line that ends in `piece`, without its line end.
    pub fn feed(&mut self, piece: &[u8], mut line: impl FnMut(&[u8])) {
        let mut rest = piece;
        while !rest.is_empty() {
            // Finds the end of the line with the machine's vector instructions; a slice never fails.
            let end = { rest }.skip_until(b'\n').unwrap_or(rest.len());
            let (front, behind) = rest.split_at(end);
            rest = behind;
            let (body, ended) = match front {
                [body @ .., b'\n'] => (body, true),
                body => (body, false),
            };
            // A block of NULs has no line end in it: only a long line can hold one.
            if self.inside || !ended || body.len() >= BLOCK {
                self.nuls.look(body);
            }
            self.nuls.passed(front.len(), ended);
            if ended && !self.inside {
                line(head(body, self.limit));
                continue;
            }
            let room = self.limit + 1 - self.partial.len();
            self.partial
                .extend_from_slice(&body[..room.min(body.len())]);
            self.inside = !ended;
            if ended {
                line(head(&self.partial, self.limit));
                self.partial.clear();
            }
        }
    }

    /// The head of a last line that has no end.
    pub fn finish(&mut self, line: impl FnOnce(&[u8])) {
        if std::mem::take(&mut self.inside) {
            line(head(&self.partial, self.limit));
        }
    }

    /// Where the first [`BLOCK`] NUL bytes in a row lie, and all that follow them at once.
    pub fn nuls(&self) -> Option<Range<u64>> {
        self.nuls.first.clone().or_else(|| self.nuls.ending())
    }

    /// Bytes so far.
    pub const fn bytes(&self) -> u64 {
        self.nuls.offset
    }
}

/// The head that is looked at, without the CR of a line end (lines end with CR LF on Windows).
fn head(body: &[u8], limit: usize) -> &[u8] {
    match body {
        _ if body.len() > limit + 1 => &body[..limit],
        [body @ .., b'\r'] => body,
        _ => &body[..body.len().min(limit)],
    }
}

/// NUL bytes in a row.
#[derive(Debug, Default)]
struct Nuls {
    /// Bytes that have passed.
    offset: u64,
    /// NULs right before what comes next.
    run: u64,
    first: Option<Range<u64>>,
}

impl Nuls {
    /// Looks at a piece of a line that follows what has passed.
    fn look(&mut self, body: &[u8]) {
        let mut rest = body;
        while !rest.is_empty() && self.first.is_none() {
            let zeros = leading(rest);
            self.run += zeros as u64;
            rest = &rest[zeros..];
            if rest.is_empty() {
                return;
            }
            let behind = self.offset + (body.len() - rest.len()) as u64;
            self.ended(behind);
            let other = { rest }.skip_until(0).unwrap_or(rest.len());
            let is_nul = rest[other - 1] == 0;
            rest = &rest[other - usize::from(is_nul)..];
        }
    }

    fn passed(&mut self, bytes: usize, ended: bool) {
        self.offset += bytes as u64;
        if ended {
            self.ended(self.offset - 1);
        }
    }

    /// The run ends before `behind`.
    fn ended(&mut self, behind: u64) {
        if self.first.is_none() && self.run >= BLOCK as u64 {
            self.first = Some(behind - self.run..behind);
        }
        self.run = 0;
    }

    fn ending(&self) -> Option<Range<u64>> {
        (self.run >= BLOCK as u64).then(|| self.offset - self.run..self.offset)
    }
}

fn leading(bytes: &[u8]) -> usize {
    const ZEROS: [u8; 256] = [0; 256];
    let mut rest = bytes;
    while let Some(behind) = rest.strip_prefix(&ZEROS) {
        rest = behind;
    }
    let zeros = rest.iter().take_while(|byte| **byte == 0).count();
    bytes.len() - rest.len() + zeros
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(bytes: &[u8], limit: usize) -> (Vec<String>, Option<Range<u64>>) {
        let judge = |step: usize| {
            let mut heads = Heads::new(limit);
            let mut lines = Vec::new();
            let mut keep = |line: &[u8]| lines.push(String::from_utf8_lossy(line).into_owned());
            for piece in bytes.chunks(step) {
                heads.feed(piece, &mut keep);
            }
            heads.finish(keep);
            assert_eq!(heads.bytes(), bytes.len() as u64);
            assert!(heads.partial.capacity() <= 2 * (limit + 1).max(8));
            (lines, heads.nuls())
        };
        let whole = judge(usize::MAX);
        for step in [1, 3, 7, 4095, 4096, 4097] {
            assert_eq!(judge(step), whole, "in pieces of {step}");
        }
        whole
    }

    #[test]
    fn lines_are_cut_clipped_and_freed_of_their_ends() {
        let (lines, nuls) = cut(
            b"one\r\n\ntwo\rx\nthree, which is long\r\nabcdefgh\r\nend\r",
            8,
        );
        assert_eq!(lines, ["one", "", "two\rx", "three, w", "abcdefgh", "end"]);
        assert_eq!(nuls, None);
    }

    #[test]
    fn nuls_in_a_row_are_found_wherever_they_lie() {
        let block = vec![0; BLOCK];
        let almost = vec![0; BLOCK - 1];
        let of = |parts: &[&[u8]]| cut(&parts.concat(), 16).1;
        assert_eq!(of(&[&block]), Some(0..4096));
        assert_eq!(of(&[b"a\nb", &block, b"c\n"]), Some(3..4099));
        assert_eq!(of(&[b"a\n", &block, &block]), Some(2..8194));
        assert_eq!(of(&[b"a\n", &block, b"\n", &block]), Some(2..4098));
        assert_eq!(of(&[&almost, b"x", &almost, b"\n", &almost]), None);
        assert_eq!(of(&[b"\0x\0\0", &block, b"\n"]), Some(2..4100));
    }
}
