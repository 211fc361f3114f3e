//! Packed files: told by their first bytes, unpacked to be redacted, packed again the same way with nothing
//! in the header that differs from one time to the next.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom, Write};

use super::Unfit;

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
    Xz,
    Bzip2,
}

impl Packing {
    pub fn of(file: &mut File) -> io::Result<Option<Self>> {
        let mut bytes = [0; 6];
        let length = head(file, &mut bytes)?;
        Ok(match &bytes[..length] {
            // The same beginnings as `evidence::unpack` knows.
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', 0] => Some(Self::Xz),
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31 | 0x17, ..] => Some(Self::Bzip2),
            _ => None,
        })
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
        }
    }

    pub fn unpack<'f>(self, file: &'f mut File) -> io::Result<Box<dyn Read + 'f>> {
        file.seek(SeekFrom::Start(0))?;
        let file = BufReader::with_capacity(1 << 16, file);
        Ok(match self {
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(file)?;
                decoder.window_log_max(27)?;
                Box::new(decoder)
            }
            Self::Xz => Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(file)),
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(file)),
        })
    }

    pub fn pack<'f>(self, out: &'f mut File) -> io::Result<Packer<'f>> {
        Ok(match self {
            Self::Gzip => Packer::Gzip(flate2::write::GzEncoder::new(
                out,
                flate2::Compression::new(6),
            )),
            Self::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(out, 3)?;
                encoder.include_checksum(true)?;
                Packer::Zstd(encoder)
            }
            Self::Xz => Packer::Xz(liblzma::write::XzEncoder::new(out, 3)),
            Self::Bzip2 => Packer::Bzip2(bzip2::write::BzEncoder::new(
                out,
                bzip2::Compression::new(6),
            )),
        })
    }
}

/// Packs what is written to it.
pub(super) enum Packer<'f> {
    Plain(&'f mut File),
    Gzip(flate2::write::GzEncoder<&'f mut File>),
    Zstd(zstd::stream::write::Encoder<'static, &'f mut File>),
    Xz(liblzma::write::XzEncoder<&'f mut File>),
    Bzip2(bzip2::write::BzEncoder<&'f mut File>),
}

impl Packer<'_> {
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.write_all(bytes),
            Self::Gzip(out) => out.write_all(bytes),
            Self::Zstd(out) => out.write_all(bytes),
            Self::Xz(out) => out.write_all(bytes),
            Self::Bzip2(out) => out.write_all(bytes),
        }
    }

    pub fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Gzip(out) => out.finish().map(drop),
            Self::Zstd(out) => out.finish().map(drop),
            Self::Xz(out) => out.finish().map(drop),
            Self::Bzip2(out) => out.finish().map(drop),
        }
    }
}

/// Most that a packed file may unpack to beyond 64 MiB, for each of its bytes; as `evidence::unpack`.
const RATIO: u64 = 2048;

/// Reads a file, unpacked where it is packed, and refuses what unpacks without end.
pub(super) struct Source<'f> {
    from: Box<dyn Read + 'f>,
    packing: Option<Packing>,
    most: u64,
    read: u64,
}

impl<'f> Source<'f> {
    pub fn open(file: &'f mut File) -> io::Result<Self> {
        let packing = Packing::of(file)?;
        let bytes = file.metadata()?.len();
        let from = match packing {
            Some(packing) => packing.unpack(file)?,
            None => {
                file.seek(SeekFrom::Start(0))?;
                Box::new(file)
            }
        };
        let most = bytes.saturating_mul(RATIO) + (64 << 20);
        Ok(Self {
            from,
            packing,
            most,
            read: 0,
        })
    }

    pub const fn packing(&self) -> Option<Packing> {
        self.packing
    }

    /// The next piece; 0 at the end.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Unfit> {
        let length = match (self.from.read(buffer), self.packing) {
            (Ok(length), _) => length,
            // The live file of a gzip target is an unfinished member (facts: artifacts.md 2.3).
            (Err(error), Some(Packing::Gzip)) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            (Err(error), Some(packing)) => {
                let name = packing.name();
                return Err(Unfit::Content(format!(
                    "it cannot be unpacked as {name}: {error}"
                )));
            }
            (Err(error), None) => return Err(error.into()),
        };
        self.read += length as u64;
        match self.packing.is_some() && self.read > self.most {
            true => Err(Unfit::Content(
                "it unpacks to more than a log would".to_owned(),
            )),
            false => Ok(length),
        }
    }
}

/// The first bytes of a file.
pub(super) fn head(file: &mut File, bytes: &mut [u8]) -> io::Result<usize> {
    file.seek(SeekFrom::Start(0))?;
    let mut length = 0;
    while length < bytes.len() {
        match file.read(&mut bytes[length..])? {
            0 => break,
            more => length += more,
        }
    }
    Ok(length)
}
