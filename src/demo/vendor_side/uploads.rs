//! The folder of the practice vendor's site that takes evidence: PUT of what is not there yet, and GET of what is.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::site::{self, Request, Stream};

/// Below it lie the files.
pub(in crate::demo) const FOLDER: &str = "/60east/cases/";
/// No bundle of the practice estate comes near it; a mistake must not fill the disk.
const MOST: u64 = 64 << 20;

/// What was put there.
pub(super) struct Uploads(PathBuf);

impl Uploads {
    pub(super) const fn into(directory: PathBuf) -> Self {
        Self(directory)
    }

    /// The name of the file below the folder, empty for the folder itself.
    pub(super) fn name(path: &str) -> Option<&str> {
        path.strip_prefix(FOLDER)
    }

    pub(super) fn answer(
        &self,
        method: &str,
        name: &str,
        request: &Request,
        stream: &mut Stream,
    ) -> io::Result<()> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() {
            return plain(stream, 405, "PUT a file below it\n");
        }
        if name.starts_with('.') || !name.chars().all(is_plain) {
            return plain(stream, 404, "no such file\n");
        }
        let path = self.0.join(name);
        match method {
            "PUT" => put(&path, request, stream),
            "GET" | "HEAD" => match fs::read(&path) {
                Ok(body) => {
                    let shown = if method == "GET" { &body[..] } else { &[] };
                    site::say(stream, 200, "application/octet-stream", body.len(), shown)
                }
                Err(_) => plain(stream, 404, "no such file\n"),
            },
            _ => plain(stream, 405, "PUT, GET and HEAD alone\n"),
        }
    }
}

fn plain(stream: &mut Stream, status: u16, body: &str) -> io::Result<()> {
    site::say(stream, status, "text/plain", body.len(), body.as_bytes())
}

fn put(path: &Path, request: &Request, stream: &mut Stream) -> io::Result<()> {
    let length = request.header("Content-Length");
    let Some(length) = length.and_then(|length| length.parse::<u64>().ok()) else {
        return plain(stream, 411, "say its length\n");
    };
    if length > MOST {
        return plain(stream, 413, "more than this folder takes\n");
    }
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let Ok(mut file) = made else {
        return plain(stream, 412, "it is there already\n");
    };
    let whole = take(&mut file, request, length, stream);
    if !matches!(whole, Ok(true)) {
        fs::remove_file(path)?;
    }
    match whole? {
        true => plain(stream, 201, "taken\n"),
        false => plain(stream, 400, "less than was said\n"),
    }
}

/// True when all of it came.
fn take(file: &mut File, request: &Request, length: u64, stream: &mut Stream) -> io::Result<bool> {
    let mut left = length;
    let mut piece = vec![0; 64 * 1024];
    let behind = request.behind.len().min(usize::try_from(left).unwrap_or(0));
    file.write_all(request.behind.get(..behind).unwrap_or_default())?;
    left -= behind as u64;
    while left > 0 {
        let room = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = stream.read(piece.get_mut(..room).unwrap_or_default())?;
        if read == 0 {
            return Ok(false);
        }
        file.write_all(piece.get(..read).unwrap_or_default())?;
        left -= read as u64;
    }
    Ok(true)
}
