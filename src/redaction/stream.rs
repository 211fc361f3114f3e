//! Logs of any length in constant memory: block after block, cut where no secret stands across the cut,
//! packed and unpacked on the way.

use std::borrow::Cow;
use std::fs::File;

use super::engine::Engine;
use super::packed::{Packer, Source};
use super::span::Span;
use super::{Counts, Leak, Unfit};
use crate::evidence::redact::Capture;

/// Text that is looked at together.
const BLOCK: usize = 1 << 20;
/// Of it, what is kept back to be looked at with what follows.
const AHEAD: usize = 32 << 10;
/// Longest line, and longest secret.
const MOST: usize = 16 << 20;

/// Text as it comes, in whole lines.
struct Blocks<'f> {
    source: Source<'f>,
    bytes: Vec<u8>,
    text: String,
    encoding: Option<Encoding>,
    is_done: bool,
    /// Number of the first line of `text`.
    line: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Little,
    Big,
}

impl<'f> Blocks<'f> {
    fn open(file: &'f mut File) -> Result<Self, Unfit> {
        Ok(Self {
            source: Source::open(file)?,
            bytes: Vec::new(),
            text: String::new(),
            encoding: None,
            is_done: false,
            line: 1,
        })
    }

    /// Reads until `least` bytes of text are there, or the end.
    fn fill(&mut self, least: usize) -> Result<(), Unfit> {
        let mut buffer = vec![0; 1 << 16];
        while self.text.len() < least && !self.is_done {
            let length = self.source.read(&mut buffer)?;
            self.is_done = length == 0;
            self.bytes.extend_from_slice(&buffer[..length]);
            if self.encoding.is_none() && (self.bytes.len() >= 3 || self.is_done) {
                let (encoding, mark) = encoding(&self.bytes);
                self.encoding = Some(encoding);
                self.bytes.drain(..mark);
            }
            if self.bytes.len() > MOST + BLOCK {
                return Err(Unfit::Content(
                    "it has a line of more than 16 MiB: that is no log that can be redacted"
                        .to_owned(),
                ));
            }
            let enough = self.text.len() + self.bytes.len() >= least;
            if let Some(encoding) = self.encoding
                && (enough || self.is_done)
            {
                self.decode(encoding)?;
            }
        }
        Ok(())
    }

    /// Takes the whole lines that have come, at the end the rest too.
    fn decode(&mut self, encoding: Encoding) -> Result<(), Unfit> {
        let end = match (self.is_done, encoding) {
            (true, _) => self.bytes.len(),
            (false, Encoding::Utf8) => match self.bytes.iter().rposition(|byte| *byte == b'\n') {
                Some(feed) => feed + 1,
                None => return Ok(()),
            },
            // Whole characters: a high surrogate waits for its low one.
            (false, _) => {
                let even = self.bytes.len() & !1;
                let last = even.checked_sub(2).and_then(|at| self.bytes.get(at..even));
                let unit = last.map(|pair| unit(encoding, pair));
                even - if unit.is_some_and(|unit| unit & 0xfc00 == 0xd800) {
                    2
                } else {
                    0
                }
            }
        };
        let bytes: Vec<u8> = self.bytes.drain(..end).collect();
        self.text.push_str(&characters(encoding, &bytes)?);
        Ok(())
    }

    /// Gives the text up to `cut` away.
    fn take(&mut self, cut: usize) -> String {
        let rest = self.text.split_off(cut);
        let taken = std::mem::replace(&mut self.text, rest);
        self.line += taken.bytes().filter(|byte| *byte == b'\n').count() as u64;
        taken
    }
}

/// Looks at every piece of a file: the text, where it is cut, what was found in it, and the number of its
/// first line.
fn each(
    engine: &mut Engine,
    file: &mut File,
    mut look: impl FnMut(&mut Engine, &str, &[Span], u64) -> Result<(), Unfit>,
) -> Result<(), Unfit> {
    let mut blocks = Blocks::open(file)?;
    let mut least = BLOCK;
    loop {
        blocks.fill(least)?;
        if blocks.text.is_empty() {
            return Ok(());
        }
        let mut spans = engine.spans(&blocks.text);
        let cut = match blocks.is_done && blocks.bytes.is_empty() {
            true => blocks.text.len(),
            false => cut(&blocks.text, &spans),
        };
        if cut == 0 {
            least = blocks.text.len() + BLOCK;
            if least > MOST {
                return Err(Unfit::Content(
                    "it has a line, or something that looks like a secret, of more than 16 MiB"
                        .to_owned(),
                ));
            }
            continue;
        }
        least = BLOCK;
        spans.retain(|span| span.range.start < cut);
        let line = blocks.line;
        let text = blocks.take(cut);
        look(engine, &text, &spans, line)?;
    }
}

/// The last beginning of a line, well before the end, that no secret reaches across; 0 when there is none.
fn cut(text: &str, spans: &[Span]) -> usize {
    let mut most = text.len().saturating_sub(AHEAD);
    while !text.is_char_boundary(most) {
        most -= 1;
    }
    let begins = |at: usize| text[..at].rfind('\n').map_or(0, |feed| feed + 1);
    let mut cut = begins(most);
    for span in spans.iter().rev() {
        if span.place.start < cut && cut < span.place.end {
            cut = begins(span.place.start);
        }
    }
    cut
}

pub(super) fn learn(engine: &mut Engine, file: &mut File) -> Result<(), Unfit> {
    each(engine, file, |engine, text, spans, _| {
        engine.learn_spans(text, spans);
        Ok(())
    })
}

pub(super) fn redact(
    engine: &mut Engine,
    file: &mut File,
    out: &mut File,
    counts: &mut Counts,
) -> Result<(), Unfit> {
    let packing = Source::open(file)?.packing();
    let mut out = match packing {
        Some(packing) => packing.pack(out)?,
        None => Packer::Plain(out),
    };
    each(engine, file, |engine, text, spans, _| {
        let clean = engine.without(text, text.len(), spans, counts);
        let clean = engine.settled(clean, !spans.is_empty(), counts);
        Ok(out.write(clean.as_bytes())?)
    })?;
    Ok(out.finish()?)
}

pub(super) fn prove(engine: &Engine, file: &mut File) -> Result<Vec<Leak>, Unfit> {
    let mut blocks = Blocks::open(file)?;
    let mut leaks = Vec::new();
    loop {
        blocks.fill(BLOCK)?;
        if blocks.text.is_empty() {
            return Ok(leaks);
        }
        // What stands across a cut is seen in the overlap.
        let done = blocks.is_done && blocks.bytes.is_empty();
        let cut = match done {
            true => blocks.text.len(),
            false => cut(&blocks.text, &[]),
        };
        leaks.extend(engine.leaks(&blocks.text, blocks.line));
        leaks.truncate(MOST_LEAKS);
        blocks.take(if cut == 0 { blocks.text.len() } else { cut });
    }
}

/// More than anybody reads.
const MOST_LEAKS: usize = 1000;

fn encoding(bytes: &[u8]) -> (Encoding, usize) {
    match bytes {
        [0xef, 0xbb, 0xbf, ..] => (Encoding::Utf8, 3),
        [0xff, 0xfe, ..] => (Encoding::Little, 2),
        [0xfe, 0xff, ..] => (Encoding::Big, 2),
        _ => (Encoding::Utf8, 0),
    }
}

const fn unit(encoding: Encoding, pair: &[u8]) -> u16 {
    match (encoding, pair) {
        (Encoding::Big, [high, low, ..]) => u16::from_be_bytes([*high, *low]),
        (_, [low, high, ..]) => u16::from_le_bytes([*low, *high]),
        _ => 0,
    }
}

/// The characters of a piece, without what hides text: colours, NUL, invisible characters.
fn characters(encoding: Encoding, bytes: &[u8]) -> Result<String, Unfit> {
    let text = match encoding {
        Encoding::Utf8 => String::from_utf8_lossy(bytes),
        _ => {
            let units = bytes.chunks_exact(2).map(|pair| unit(encoding, pair));
            Cow::Owned(String::from_utf16_lossy(&units.collect::<Vec<_>>()))
        }
    };
    let is_binary = |c: char| {
        c.is_ascii_control() && !"\t\n\r\u{b}\u{c}\u{1b}\u{8}\0".contains(c) || c == '\u{fffd}'
    };
    let binary = text.bytes().filter(|b| *b < 0x20 || *b >= 0x7f).count();
    if binary > 0 && text.chars().filter(|c| is_binary(*c)).count() > 16 + text.len() / 50 {
        return Err(Unfit::Content(
            "it is not text, not packed text and no SQLite database: nothing tells what it holds"
                .to_owned(),
        ));
    }
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii() && !matches!(byte, 0 | 8 | 0x1b));
    Ok(match is_plain {
        true => text.into_owned(),
        false => Capture::new(text.as_bytes()).plain(),
    })
}

/// A whole file as text.
pub(super) fn text(bytes: Vec<u8>) -> Result<String, Unfit> {
    let (encoding, mark) = encoding(&bytes);
    characters(encoding, &bytes[mark..])
}
