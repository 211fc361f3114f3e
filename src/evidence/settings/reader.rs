//! The reader for a configuration: keeps the whole file, up to 16 MiB, refuses what is no text at all,
//! and gives it to its format. What a failure quotes is words of ours and names, never a value.

use std::borrow::Cow;
use std::io::{self, Write};

use super::gather::Wrong;
use super::{Settings, conf, haproxy, ini, json, nginx, properties, xml, yaml};
use crate::evidence::Content;
use crate::evidence::opaque;
use crate::evidence::reader::Reader;
use crate::evidence::redact::Capture;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, Format};

/// Largest configuration that is read.
pub const CAP: usize = 16 << 20;

/// Where an AMPS configuration names its instance, unless the artifact says otherwise.
const AMPS_NAME: &str = "AMPSConfig/Name";

/// Keeps a configuration until its end.
#[derive(Debug)]
pub struct Parsed {
    format: Format,
    name: Option<String>,
    bytes: Vec<u8>,
    is_over: bool,
}

impl Parsed {
    /// For a format of [`Format::is_settings`].
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self {
            format,
            name: (format == Format::Xml).then(|| AMPS_NAME.to_owned()),
            bytes: Vec::new(),
            is_over: false,
        }
    }

    /// For an artifact whose `name:` may say where its name stands; `None` for other formats.
    #[must_use]
    pub fn of(artifact: &Artifact) -> Option<Self> {
        let format = artifact.format.filter(|format| format.is_settings())?;
        let mut parsed = Self::new(format);
        if let Some(name) = &artifact.configuration.name {
            parsed.name = Some(name.clone());
        }
        Some(parsed)
    }

    fn judge(self) -> Result<Settings, Failure> {
        let expected = expected(self.format);
        if self.is_over {
            return Err(too_large(self.format, "more than 16 MiB"));
        }
        if self.bytes.is_empty() {
            return Err(opaque::empty(&expected));
        }
        if self.bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(Failure {
                actual: "white space only".to_owned(),
                ..opaque::empty(&expected)
            });
        }
        refuse_page(self.format, &self.bytes)?;
        let mut settings = match self.format {
            Format::Xml => xml::read(&self.bytes)?,
            format => {
                let text = text(format, &self.bytes)?;
                let read = match format {
                    Format::Yaml => yaml::read,
                    Format::Json => json::read,
                    Format::Ini => ini::read,
                    Format::Properties => properties::read,
                    Format::Nginx => nginx::read,
                    Format::Haproxy => haproxy::read,
                    _ => conf::read,
                };
                read(&text).map_err(|wrong| refusal(format, &wrong))?
            }
        };
        settings.name = self.name.and_then(|path| settings.named(&path));
        settings.told.settings = settings.list.len() as u64;
        settings.told.includes = settings.includes.len() as u64;
        Ok(settings)
    }
}

impl Settings {
    /// The last value at `path`, redacted, when it is not empty. Last as the products take it that know
    /// a setting once.
    fn named(&self, path: &str) -> Option<String> {
        let mut at = self.list.iter().filter(|setting| setting.path == path);
        let name = Capture::new(at.next_back()?.value.as_str()).excerpt(200);
        Some(name).filter(|name| !name.is_empty())
    }
}

impl Write for Parsed {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + piece.len() > CAP {
            self.is_over = true;
            self.bytes = Vec::new();
        }
        if !self.is_over {
            self.bytes.extend_from_slice(piece);
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Reader for Parsed {
    fn finish(self: Box<Self>) -> Result<Content, Failure> {
        self.judge()
            .map(|settings| Content::Settings(Box::new(settings)))
    }
}

/// `a well-formed nginx configuration`
pub(super) fn expected(format: Format) -> String {
    let what = match format {
        Format::Xml => return "a well-formed XML document".to_owned(),
        Format::Yaml => "YAML",
        Format::Json => "JSON",
        Format::Ini => "option (INI)",
        Format::Properties => "properties",
        Format::Nginx => "nginx",
        Format::Haproxy => "HAProxy",
        _ => "`name value`",
    };
    format!("a well-formed {what} configuration")
}

pub(super) fn too_large(format: Format, actual: &str) -> Failure {
    let expected = match format {
        Format::Xml => {
            "an XML document of a configuration's size (at most 16 MiB, a million nodes)"
        }
        _ => "a file of a configuration's size (at most 16 MiB)",
    };
    Failure::new(FailureKind::TooLarge, expected, actual).with_hint(
        "check that the path names a configuration; other files need `format: plain` and are not parsed",
    )
}

/// An error page of a web server that came in place of the file.
fn refuse_page(format: Format, bytes: &[u8]) -> Result<(), Failure> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let head = bytes.trim_ascii_start();
    let head = head[..head.len().min(14)].to_ascii_lowercase();
    match head.starts_with(b"<!doctype html") || head.starts_with(b"<html") {
        false => Ok(()),
        true => Err(corrupt(format, "an HTML page in its place").with_hint(
            "whatever wrote this file fetched it from a web server that answered with a page: write the configuration anew",
        )),
    }
}

fn corrupt(format: Format, actual: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Corrupt, expected(format), actual)
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count()
}

/// The characters of a file. UTF-8, and in formats of lines ISO-8859-1 for comments of old hosts.
fn text(format: Format, bytes: &[u8]) -> Result<Cow<'_, str>, Failure> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let hint = "save the file as UTF-8 without a byte order mark: the product does not read this either";
        return Err(corrupt(format, "text in UTF-16").with_hint(hint));
    }
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        let actual = format!("NUL bytes from line {} on", line_of(bytes, at));
        let hint =
            "a disk that was full or a crash left a hole in the file: restore it on the host";
        return Err(corrupt(format, actual).with_hint(hint));
    }
    let is_binary = |byte: &u8| *byte < 0x20 && !b"\t\n\r\x0c\x1b".contains(byte);
    if let Some(at) = bytes.iter().position(is_binary) {
        let actual = format!("binary bytes in line {}", line_of(bytes, at));
        let hint = "the file is compressed, encrypted or damaged, or the artifact's `path` leads elsewhere";
        return Err(corrupt(format, actual).with_hint(hint));
    }
    // Notepad's mark is no part of the text.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(error) if matches!(format, Format::Yaml | Format::Json) => {
            let line = line_of(bytes, error.valid_up_to());
            let actual = format!("bytes that are not UTF-8 in line {line}");
            let hint = "save the file as UTF-8: its format knows no other encoding";
            Err(corrupt(format, actual).with_hint(hint))
        }
        Err(_) => Ok(bytes.iter().map(|byte| char::from(*byte)).collect()),
    }
}

fn refusal(format: Format, wrong: &Wrong) -> Failure {
    let (line, column, why) = match wrong {
        Wrong::TooLarge(what) => return too_large(format, what),
        Wrong::At { line, column, why } => (line, column, why),
    };
    let why = Capture::new(why.as_str()).excerpt(300);
    let hint = match format {
        Format::Nginx => "`nginx -t` on the host, as root, says whether nginx would start from it",
        Format::Haproxy => {
            "`haproxy -c -f FILE` on the host says whether HAProxy would start from it"
        }
        Format::Ini => {
            "the product may not start from it: correct the line (`my_print_defaults mysqld` on the host reads such files too)"
        }
        Format::Json => {
            "correct the line (JSON has no comments and no comma before a `}`); `python3 -m json.tool` on the host reads it too"
        }
        Format::Yaml => {
            "correct the line: indentation, colons and quotes here and on the line above"
        }
        Format::Properties => "correct the line: write `\\\\u` for a backslash before a `u`",
        _ => "correct the line: the product may not start from it",
    };
    corrupt(format, format!("line {line}, column {column}: {why}")).with_hint(hint)
}
