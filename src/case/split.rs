//! Numbered parts of a file that is more than an intake takes, with the digests and the two lines by which anybody
//! puts them together again.

use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::lock;
use crate::digest::{Sha256, Stream};
use crate::encryption::{ENDS as LOCKED, Recipients};

/// So many parts are still sent by hand.
pub const MOST_PARTS: u64 = 999;
const PIECE: usize = 256 << 10;
/// Endings of bundles that stay together.
const ENDS: [&str; 3] = [".tar.zst", ".tar.gz", ".zip"];

/// What was made.
#[derive(Debug)]
pub struct Parts {
    /// Each part, in order, with its size.
    pub parts: Vec<(PathBuf, u64)>,
    /// The file of digests.
    pub sums: PathBuf,
    /// What the receiver does.
    pub join: PathBuf,
    /// The digest of the whole.
    pub sha256: Sha256,
}

/// Why there are no parts.
#[derive(Debug)]
pub enum Unsplit {
    /// What was asked for cannot be done.
    Usage(String, &'static str),
    /// Our own side.
    Fault(io::Error),
}

impl From<io::Error> for Unsplit {
    fn from(error: io::Error) -> Self {
        Self::Fault(error)
    }
}

/// Splits `bundle` into parts of at most `most` bytes, each of them encrypted where it is for `to`, in `folder`, which
/// must not be there yet: it appears whole or not at all.
///
/// # Errors
/// Why it cannot be.
pub fn split(
    bundle: &Path,
    most: u64,
    to: Option<&Recipients>,
    folder: &Path,
) -> Result<Parts, Unsplit> {
    let shown = bundle.display();
    let found = fs::metadata(bundle)
        .map_err(|error| Unsplit::Usage(format!("cannot read `{shown}`: {error}"), ""))?;
    if !found.is_file() {
        let why = format!("`{shown}` is no regular file");
        return Err(Unsplit::Usage(why, "name a finished bundle"));
    }
    if most == 0 || found.len() <= most {
        let why = format!(
            "`{shown}` has {} bytes: it needs no parts of {most}",
            found.len()
        );
        return Err(Unsplit::Usage(why, "deliver it as it is"));
    }
    let piece = most - to.map_or(0, |to| to.overhead(most)).min(most);
    if piece == 0 {
        let why = format!("parts of {most} bytes have no room for what encrypting adds");
        return Err(Unsplit::Usage(why, "allow larger parts"));
    }
    let count = found.len().div_ceil(piece);
    if count > MOST_PARTS {
        let why = format!("`{shown}` would have {count} parts of {most} bytes");
        return Err(Unsplit::Usage(
            why,
            "that is too many: leave artifacts out, or see with the vendor",
        ));
    }
    let name = bundle
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let portable = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !name.chars().all(portable) || name.starts_with('-') {
        let why = format!("`{name}` is no name for parts: others join them in a shell");
        return Err(Unsplit::Usage(
            why,
            "rename it to letters, digits and `._-`",
        ));
    }
    if to.is_some() && LOCKED.iter().any(|end| name.ends_with(end)) {
        let why = format!("`{name}` is encrypted already");
        return Err(Unsplit::Usage(
            why,
            "split the bundle that it was made of, which encrypts each part",
        ));
    }
    if fs::symlink_metadata(folder).is_ok() {
        let why = format!("`{}` exists already", folder.display());
        return Err(Unsplit::Usage(
            why,
            "nothing is written over: remove it, or name another",
        ));
    }
    let parent = folder
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let staged = tempfile::Builder::new()
        .prefix(".gonogo-split-")
        .tempdir_in(parent.unwrap_or(Path::new(".")))?;
    let cut = Cut {
        bytes: found.len(),
        piece,
        count,
        most,
        to,
    };
    let made = write(bundle, &name, &cut, staged.path())?;
    fs::rename(staged.keep(), folder)?;
    let there = |name: &str| folder.join(name);
    Ok(Parts {
        parts: (made.parts.iter())
            .map(|(name, bytes, _)| (there(name), *bytes))
            .collect(),
        sums: there(&format!("{name}.SHA256SUMS")),
        join: there(&format!("{name}.JOIN.txt")),
        sha256: made.whole,
    })
}

struct Made {
    parts: Vec<(String, u64, Sha256)>,
    whole: Sha256,
}

/// `b.part-001-of-003.tar.zst`: the ending stays, since intakes look at it.
fn part_name(name: &str, number: u64, count: u64) -> String {
    marked(name, &format!(".part-{number:03}-of-{count:03}"))
}

/// What a part is called where the whole would be called `name`; `name` itself for what is no part.
#[must_use]
pub fn as_part(own: &str, name: &str) -> String {
    let mark = own.match_indices(".part-").find_map(|(at, _)| {
        let mark = own.get(at..at + 17)?;
        let digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
        let good = digits(&mark[6..9]) && &mark[9..13] == "-of-" && digits(&mark[13..16]);
        (good && mark.ends_with('.')).then(|| &mark[..16])
    });
    mark.map_or_else(|| name.to_owned(), |mark| marked(name, mark))
}

/// All parts of the file that a part is of, beside it.
pub(super) struct Siblings {
    /// In their order.
    pub paths: Vec<PathBuf>,
    /// Whether it is the first of them.
    pub is_first: bool,
}

/// What its name says that lies beside a part; `None` for what is no part.
pub(super) fn siblings(path: &Path) -> Option<Siblings> {
    let own = path.file_name()?.to_str()?;
    let (at, number, count) = mark(own)?;
    let (stem, rest) = (&own[..at], &own[at + 16..]);
    let all = 1..=count.min(MOST_PARTS);
    let named =
        |each: u64| path.with_file_name(format!("{stem}.part-{each:03}-of-{count:03}{rest}"));
    Some(Siblings {
        paths: all.map(named).collect(),
        is_first: number == 1,
    })
}

/// Which part of how many a file is by its name; `None` for what is none.
pub(super) fn numbered(path: &Path) -> Option<(u64, u64)> {
    let (_, number, count) = mark(path.file_name()?.to_str()?)?;
    Some((number, count))
}

/// Where a name says that it is of a part, and of which of how many.
fn mark(own: &str) -> Option<(usize, u64, u64)> {
    let found = own.match_indices(".part-").find_map(|(at, _)| {
        let mark = own.get(at..at + 16)?;
        let (number, count) = mark.strip_prefix(".part-")?.split_once("-of-")?;
        let rest = &own[at + 16..];
        (rest.is_empty() || rest.starts_with('.')).then_some(())?;
        Some((at, number.parse::<u64>().ok()?, count.parse::<u64>().ok()?))
    });
    found.filter(|(_, number, count)| (1..=*count).contains(number))
}

fn marked(name: &str, mark: &str) -> String {
    let end = ENDS.into_iter().find_map(|end| {
        let at = name.rfind(end)?;
        (at > 0).then(|| name.split_at(at))
    });
    let (stem, end) = end.unwrap_or((name, ""));
    format!("{stem}{mark}{end}")
}

/// How a file is cut.
struct Cut<'a> {
    bytes: u64,
    /// So much of it is in a part.
    piece: u64,
    count: u64,
    /// So much a part may have.
    most: u64,
    to: Option<&'a Recipients>,
}

/// All of the file, hashed as it passes.
struct Whole {
    file: File,
    hash: Stream,
    read: u64,
}

impl Read for Whole {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.hash.update(&buffer[..n]);
        self.read += n as u64;
        Ok(n)
    }
}

fn write(bundle: &Path, name: &str, cut: &Cut<'_>, folder: &Path) -> Result<Made, Unsplit> {
    let mut source = Whole {
        file: File::open(bundle)?,
        hash: Stream::default(),
        read: 0,
    };
    let end = cut.to.map_or("", Recipients::end);
    let (mut parts, mut plain) = (Vec::new(), Vec::new());
    for number in 1..=cut.count {
        let part = part_name(name, number, cut.count);
        let locked = format!("{part}{end}");
        let path = folder.join(&locked);
        let piece = source.by_ref().take(cut.piece);
        let (bytes, sent) = match cut.to {
            None => copy(piece, &path)?,
            Some(to) => {
                let (inside, _, made) = lock::lock(to, piece, &path)?;
                plain.push((part, inside));
                (made.bytes, made.sha256)
            }
        };
        if bytes > cut.most {
            let why = format!("`{locked}` has {bytes} bytes, more than {}", cut.most);
            return Err(Unsplit::Fault(io::Error::other(why)));
        }
        parts.push((locked, bytes, sent));
    }
    if source.read != cut.bytes || source.read(&mut [0; 1])? != 0 {
        let why = format!("`{}` changed while it was read", bundle.display());
        return Err(Unsplit::Usage(why, "nobody may write to a finished bundle"));
    }
    let whole = source.hash.finish();
    let mut sums = String::new();
    for (part, _, digest) in &parts {
        sums.push_str(&format!("{digest}  {part}\n"));
    }
    own(&folder.join(format!("{name}.SHA256SUMS")))?.write_all(sums.as_bytes())?;
    let opened: Vec<(&str, &str)> = (parts.iter().zip(&plain))
        .map(|((locked, ..), (part, _))| (locked.as_str(), part.as_str()))
        .collect();
    let all: Vec<&str> = match plain.is_empty() {
        true => parts.iter().map(|(part, ..)| part.as_str()).collect(),
        false => plain.iter().map(|(part, _)| part.as_str()).collect(),
    };
    let (mut open, mut inside) = (String::new(), String::new());
    if let Some(to) = cut.to {
        for (locked, part) in opened {
            open.push_str(&format!("  {}\n", to.opened_by(locked, part)));
        }
        inside.push_str("\nOpened:\n\n");
        for (part, digest) in &plain {
            inside.push_str(&format!("{digest}  {part}\n"));
        }
    }
    let join = format!(
        "{name} comes in {} parts{}: {} bytes, SHA-256 {whole}\n\n\
         Put all of them into one directory, and there:\n\n  \
         sha256sum -c {name}.SHA256SUMS\n{open}  cat {} > {name}\n  echo '{whole}  {name}' | sha256sum -c\n\n\
         Parts:\n\n{sums}{inside}",
        cut.count,
        cut.to.map_or_else(String::new, |to| format!(
            ", each encrypted to {}",
            to.told().join(", ")
        )),
        cut.bytes,
        all.join(" ")
    );
    own(&folder.join(format!("{name}.JOIN.txt")))?.write_all(join.as_bytes())?;
    Ok(Made { parts, whole })
}

/// A new file for this account alone, as the bundle is.
fn own(path: &Path) -> io::Result<File> {
    (File::options().write(true).create_new(true).mode(0o600)).open(path)
}

fn copy(mut piece: impl Read, path: &Path) -> io::Result<(u64, Sha256)> {
    let mut file = own(path)?;
    let (mut hash, mut bytes) = (Stream::default(), 0_u64);
    let mut buffer = vec![0; PIECE];
    loop {
        let n = piece.read(&mut buffer)?;
        if n == 0 {
            file.sync_all()?;
            return Ok((bytes, hash.finish()));
        }
        file.write_all(&buffer[..n])?;
        hash.update(&buffer[..n]);
        bytes += n as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_keep_the_ending_that_intakes_look_at() {
        for (name, part) in [
            ("b.tar.zst", "b.part-002-of-010.tar.zst"),
            ("b.tar.zst.age", "b.part-002-of-010.tar.zst.age"),
            ("b", "b.part-002-of-010"),
            (".zip", ".zip.part-002-of-010"),
        ] {
            assert_eq!(part_name(name, 2, 10), part);
        }
        for (own, name) in [
            ("b.part-002-of-010.tar.zst", "17.part-002-of-010.tar.zst"),
            (
                "b.part-002-of-010.tar.zst.age",
                "17.part-002-of-010.tar.zst",
            ),
            ("b.part-2-of-10.tar.zst", "17.tar.zst"),
            ("b.part-é02-of-010.tar.zst", "17.tar.zst"),
            ("b.part-002", "17.tar.zst"),
            ("b.tar.zst", "17.tar.zst"),
        ] {
            assert_eq!(as_part(own, "17.tar.zst"), name);
        }
    }
}
