//! A proven archive, encrypted: what goes in is held to its digest, and the result is held to those who are meant.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::digest::{Sha256, Stream};
use crate::encryption::{MOST_HEAD, Recipients, look};

/// What was encrypted.
pub struct Locked {
    /// Where.
    pub path: PathBuf,
    /// The digest of what is sent.
    pub sha256: Sha256,
    /// Its size.
    pub bytes: u64,
    /// For whom, as people compare it.
    pub told: Vec<String>,
}

/// The name of a file when it is encrypted.
pub(super) fn name(plain: &Path, to: &Recipients) -> PathBuf {
    let mut name = plain.as_os_str().to_owned();
    name.push(to.end());
    PathBuf::from(name)
}

/// Encrypts what `from` gives into the new file `path`; tells the digest and size of what went in.
pub(super) fn lock(
    to: &Recipients,
    from: impl Read,
    path: &Path,
) -> io::Result<(Sha256, u64, Locked)> {
    let file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let mut source = Counted {
        inner: from,
        hash: Stream::default(),
        bytes: 0,
    };
    let mut out = BufWriter::new(file);
    to.encrypt(&mut source, &mut out)?;
    out.flush()?;
    out.into_inner().map_err(io::Error::from)?.sync_all()?;
    let (mut head, mut hash, mut bytes) = (Vec::new(), Stream::default(), 0_u64);
    let mut made = File::open(path)?;
    let mut buffer = vec![0; 256 << 10];
    loop {
        let n = made.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        let room = MOST_HEAD - head.len().min(MOST_HEAD);
        head.extend_from_slice(&buffer[..n.min(room)]);
        hash.update(&buffer[..n]);
        bytes += n as u64;
    }
    let is_for = look(&head).is_some_and(|lock| lock.is_for(to).is_ok());
    if !is_for {
        return Err(io::Error::other(
            "what was encrypted is not for those who are meant: this is a defect of gonogo",
        ));
    }
    let locked = Locked {
        path: path.to_owned(),
        sha256: hash.finish(),
        bytes,
        told: to.told(),
    };
    Ok((source.hash.finish(), source.bytes, locked))
}

struct Counted<R> {
    inner: R,
    hash: Stream,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hash.update(&buffer[..n]);
        self.bytes += n as u64;
        Ok(n)
    }
}
