//! Numbered parts of a file that is more than an intake takes, with the digests and the two lines by which anybody
//! puts them together again.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::digest::{Sha256, Stream};

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

/// Splits `bundle` into parts of at most `most` bytes, in `folder`, which must not be there yet: it appears whole
/// or not at all.
///
/// # Errors
/// Why it cannot be.
pub fn split(bundle: &Path, most: u64, folder: &Path) -> Result<Parts, Unsplit> {
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
    let count = found.len().div_ceil(most);
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
    let made = write(bundle, &name, found.len(), most, count, staged.path())?;
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

fn marked(name: &str, mark: &str) -> String {
    let end = ENDS.into_iter().find_map(|end| {
        let at = name.rfind(end)?;
        (at > 0).then(|| name.split_at(at))
    });
    let (stem, end) = end.unwrap_or((name, ""));
    format!("{stem}{mark}{end}")
}

fn write(
    bundle: &Path,
    name: &str,
    bytes: u64,
    most: u64,
    count: u64,
    folder: &Path,
) -> Result<Made, Unsplit> {
    let mut source = File::open(bundle)?;
    let (mut whole, mut parts, mut read) = (Stream::default(), Vec::new(), 0_u64);
    let mut buffer = vec![0; PIECE];
    for number in 1..=count {
        let part = part_name(name, number, count);
        let mut file = File::create_new(folder.join(&part))?;
        let (mut hash, mut size) = (Stream::default(), 0_u64);
        while size < most {
            let room = usize::try_from(most - size).unwrap_or(PIECE).min(PIECE);
            let n = source.read(&mut buffer[..room])?;
            if n == 0 {
                break;
            }
            file.write_all(&buffer[..n])?;
            hash.update(&buffer[..n]);
            whole.update(&buffer[..n]);
            size += n as u64;
        }
        file.sync_all()?;
        read += size;
        parts.push((part, size, hash.finish()));
    }
    if read != bytes || source.read(&mut buffer)? != 0 {
        let why = format!("`{}` changed while it was read", bundle.display());
        return Err(Unsplit::Usage(why, "nobody may write to a finished bundle"));
    }
    let whole = whole.finish();
    let mut sums = String::new();
    for (part, _, digest) in &parts {
        sums.push_str(&format!("{digest}  {part}\n"));
    }
    fs::write(folder.join(format!("{name}.SHA256SUMS")), &sums)?;
    let all: Vec<&str> = parts.iter().map(|(part, ..)| part.as_str()).collect();
    let join = format!(
        "{name} comes in {count} parts: {bytes} bytes, SHA-256 {whole}\n\n\
         Put all of them into one directory, and there:\n\n  \
         sha256sum -c {name}.SHA256SUMS\n  cat {} > {name}\n  echo '{whole}  {name}' | sha256sum -c\n\n\
         Parts:\n\n{sums}",
        all.join(" ")
    );
    fs::write(folder.join(format!("{name}.JOIN.txt")), join)?;
    Ok(Made { parts, whole })
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
