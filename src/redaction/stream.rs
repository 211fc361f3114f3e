//! Logs of any length in constant memory: block after block of whole lines, packed and unpacked on the way.

use std::borrow::Cow;
use std::fs::File;

use super::engine::Engine;
use super::lanes::Lanes;
use super::line::Mood;
use super::packed::{Packer, Source};
use super::undress::visible;
use super::{Counts, Unfit};

/// Text that is looked at together.
const BLOCK: usize = 1 << 20;
/// Longest line.
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
            if self.encoding.is_none() && (self.bytes.len() >= 4 || self.is_done) {
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

/// Looks at the whole lines of a file, piece after piece, with the number of the first one.
pub(super) fn each(
    file: &mut File,
    mut look: impl FnMut(&str, u64) -> Result<(), Unfit>,
) -> Result<(), Unfit> {
    let mut blocks = Blocks::open(file)?;
    let mut least = BLOCK;
    loop {
        blocks.fill(least)?;
        if blocks.text.is_empty() {
            return Ok(());
        }
        let cut = match blocks.is_done && blocks.bytes.is_empty() {
            true => blocks.text.len(),
            false => blocks.text.rfind('\n').map_or(0, |feed| feed + 1),
        };
        if cut == 0 {
            least = blocks.text.len() + BLOCK;
            if least > MOST {
                return Err(Unfit::Content(
                    "it has a line of more than 16 MiB: that is no log that can be redacted"
                        .to_owned(),
                ));
            }
            continue;
        }
        least = BLOCK;
        let line = blocks.line;
        let text = blocks.take(cut);
        look(&text, line)?;
    }
}

/// Every line rewritten, packed as it was; to nowhere without `out`.
pub(super) fn redact(
    engine: &Engine,
    file: &mut File,
    mood: Mood,
    out: Option<&mut File>,
    counts: &mut Counts,
) -> Result<(), Unfit> {
    let packing = Source::open(file)?.packing();
    let mut out = match (packing, out) {
        (_, None) => None,
        (Some(packing), Some(out)) => Some(packing.pack(out)?),
        (None, Some(out)) => Some(Packer::Plain(out)),
    };
    let mut lanes = Lanes::new(engine, mood);
    each(file, |text, _| {
        lanes.take(text);
        match lanes.is_full() {
            true => lanes.drain(out.as_mut(), counts),
            false => Ok(()),
        }
    })?;
    lanes.finish(out.as_mut(), counts)?;
    match out {
        Some(out) => Ok(out.finish()?),
        None => Ok(()),
    }
}

fn encoding(bytes: &[u8]) -> (Encoding, usize) {
    match bytes {
        [0xef, 0xbb, 0xbf, ..] => (Encoding::Utf8, 3),
        [0xff, 0xfe, ..] => (Encoding::Little, 2),
        [0xfe, 0xff, ..] => (Encoding::Big, 2),
        // Without a mark: letters of ASCII with a zero beside each.
        [one, 0, two, 0, ..] if *one != 0 && *two != 0 => (Encoding::Little, 0),
        [0, one, 0, two, ..] if *one != 0 && *two != 0 => (Encoding::Big, 0),
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
        return Err(Unfit::Unknown);
    }
    Ok(match visible(&text) {
        Cow::Borrowed(_) => text.into_owned(),
        Cow::Owned(plain) => plain,
    })
}

/// A whole file as text.
pub(super) fn text(bytes: Vec<u8>) -> Result<String, Unfit> {
    let (encoding, mark) = encoding(&bytes);
    characters(encoding, &bytes[mark..])
}
