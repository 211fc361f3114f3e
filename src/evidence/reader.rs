//! What a format reader is, and which one looks at which format. A reader sees each byte once, in
//! constant memory, and never fails its write for what the bytes say: a write error would be a fault
//! of ours, so a reader remembers the first thing that is wrong and goes on swallowing.

use std::io::Write;

use super::Content;
use super::database::Header;
use super::gzip::{Gunzip, Tail};
use super::log::{Amps, Log, Wanted};
use super::opaque::Opaque;
use super::settings::reader::Parsed;
use crate::failure::Failure;
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
    let Circumstances { tail, .. } = circumstances;
    let wanted = Wanted {
        encoding: artifact.log.encoding,
        name: artifact.log.names.clone(),
        version: artifact.pattern.clone(),
    };
    match artifact.format {
        Some(format) if format.is_settings() => Box::new(Parsed::new(format)),
        Some(Format::AmpsLog) => Box::new(Gunzip::new(Log::new(Amps::default(), wanted), tail)),
        Some(Format::Sqlite) => Box::new(Header::default()),
        _ => Box::new(Opaque::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::tap::Tap;
    use crate::failure::FailureKind;
    use crate::inventory::{
        About, ConfigurationKeys, Kind, LogKeys, Source, StatisticsKeys, Stream,
    };

    fn artifact(format: Option<Format>) -> Artifact {
        Artifact {
            name: "it".to_owned(),
            kind: Kind::Log,
            source: Source::Path("/var/log/it".to_owned()),
            format,
            pattern: None,
            stream: Stream::Both,
            tables: Vec::new(),
            sample: None,
            reject: Vec::new(),
            listing: false,
            log: LogKeys::none(),
            statistics: StatisticsKeys::none(),
            configuration: ConfigurationKeys::none(),
            about: About::default(),
        }
    }

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
        assert_eq!(judge(&gzip, Tail::Closed), Ok(plain.clone()));
        let growing = &gzip[..gzip.len() - 4];
        assert_eq!(judge(growing, Tail::Open), Ok(plain));
        let failure = judge(growing, Tail::Closed).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Corrupt);
    }
}
