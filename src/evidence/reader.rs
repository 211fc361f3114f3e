//! What a format reader is, and which one looks at which format. A reader sees each byte once, in
//! constant memory, and never fails its write for what the bytes say: a write error would be a fault
//! of ours, so a reader remembers the first thing that is wrong and goes on swallowing.

use std::io::{self, Write};

use super::Content;
use super::database::Header;
use super::log;
use super::opaque::Opaque;
use super::settings::reader::Parsed;
use super::unpack::{Tail, Unpack};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, Format};

/// Looks at an artifact while it streams by.
pub trait Reader: Write + Send {
    /// What was found, once every byte has been written.
    ///
    /// # Errors
    /// What is wrong with the bytes: kind, expected, actual and hint. The caller knows the path and
    /// the login and adds them.
    fn finish(self: Box<Self>) -> Result<Content, Failure>;
}

/// What a reader must know of an artifact that the artifact does not say.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// Whether a compressed log may still be growing.
    pub tail: Tail,
    /// The host's `timezone:`.
    pub timezone: Option<&'a str>,
}

/// The reader for what `artifact` is.
///
/// Every reader refuses zero bytes with `empty`. For [`Format::Sqlite`] the reader knows the header
/// only and says [`Content::Opaque`]: whether the database is well is for `database::inspect`.
#[must_use]
pub fn for_artifact(artifact: &Artifact, circumstances: Circumstances<'_>) -> Box<dyn Reader> {
    let Circumstances { tail, timezone } = circumstances;
    match artifact.format {
        Some(format) if format.is_settings() => Box::new(Parsed::new(format)),
        Some(format) if format.is_log() => match log::reader(artifact, timezone) {
            Some(reader) => Box::new(Unpack::new(reader, tail)),
            None => Box::new(Unread),
        },
        Some(Format::Sqlite) => Box::new(Header::default()),
        _ => Box::new(Opaque::default()),
    }
}

impl Reader for Box<dyn Reader> {
    fn finish(self: Box<Self>) -> Result<Content, Failure> {
        (*self).finish()
    }
}

/// Stands in for the reader of a log of which nothing says how its entries begin.
struct Unread;

impl Write for Unread {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Reader for Unread {
    fn finish(self: Box<Self>) -> Result<Content, Failure> {
        Err(Failure::new(
            FailureKind::Undefined,
            "a log whose entries the inventory describes",
            "no `entry:` that fits its `format:`",
        )
        .with_hint(
            "the inventory should have been refused: please report it as a defect of gonogo",
        ))
    }
}

/// An artifact that says nothing but its format, for tests.
#[cfg(test)]
pub(super) fn artifact(format: Option<Format>) -> Artifact {
    Artifact {
        name: "it".to_owned(),
        kind: crate::inventory::Kind::Log,
        source: crate::inventory::Source::Path("/var/log/it".to_owned()),
        format,
        pattern: None,
        stream: crate::inventory::Stream::Both,
        tables: Vec::new(),
        sample: None,
        reject: Vec::new(),
        listing: false,
        log: crate::inventory::LogKeys::none(),
        statistics: crate::inventory::StatisticsKeys::none(),
        configuration: crate::inventory::ConfigurationKeys::none(),
        about: crate::inventory::About::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::tap::Tap;

    fn for_format(format: Option<Format>, tail: Tail) -> Box<dyn Reader> {
        let circumstances = Circumstances {
            tail,
            timezone: None,
        };
        for_artifact(&artifact(format), circumstances)
    }

    const FORMATS: [Option<Format>; 5] = [
        None,
        Some(Format::Plain),
        Some(Format::Xml),
        Some(Format::AmpsLog),
        Some(Format::Sqlite),
    ];

    #[test]
    fn nothing_is_never_something() {
        for format in FORMATS {
            let failure = for_format(format, Tail::Closed).finish().unwrap_err();
            assert_eq!(failure.kind, FailureKind::Empty, "{format:?}");
            assert!(!failure.hint.is_empty(), "{format:?}");
        }
    }

    #[test]
    fn no_reader_fails_its_write_whatever_the_bytes_say() {
        let garbage: Vec<u8> = (0..=255).cycle().take(200_000).collect();
        let gzip = [&[0x1f, 0x8b][..], &garbage].concat();
        for format in FORMATS {
            for bytes in [&garbage, &gzip] {
                let tap = Tap::new(for_format(format, Tail::Closed));
                tap.sink().write_all(bytes).unwrap();
                let judged = tap.take().finish();
                let accepted = matches!(format, None | Some(Format::Plain));
                assert_eq!(judged.is_ok(), accepted, "{format:?}");
            }
        }
    }

    #[test]
    fn a_compressed_log_is_read_as_the_log_it_is() {
        const LOG: &[u8] = b"2026-11-21T09:30:00.1234567+00:00 [1] info: 00-0015 AMPS started\n";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(LOG).unwrap();
        let gzip = gzip.finish().unwrap();
        let judge = |bytes: &[u8], tail| {
            let tap = Tap::new(for_format(Some(Format::AmpsLog), tail));
            tap.sink().write_all(bytes).unwrap();
            tap.take().finish()
        };
        let plain = judge(LOG, Tail::Closed).unwrap();
        assert!(matches!(&plain, Content::Log(seen) if seen.entries == 1));
        let Content::Log(mut seen) = plain else {
            panic!("{plain:?}");
        };
        seen.packed = Some("gzip");
        let packed = Content::Log(seen.clone());
        assert_eq!(judge(&gzip, Tail::Closed), Ok(packed));
        let growing = &gzip[..gzip.len() - 4];
        seen.is_unfinished = true;
        assert_eq!(judge(growing, Tail::Open), Ok(Content::Log(seen)));
        let failure = judge(growing, Tail::Closed).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Corrupt);
    }
}
