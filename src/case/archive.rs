//! `.tar.zst`, `.tar.gz` and `.zip` of the same members, to the byte the same from the same members: sorted,
//! without times, owners or modes of ours. Read back only to prove what was written.

use std::fs::File;
use std::io::{self, Read, Seek as _, Write};
use std::path::Path;

use crate::digest::{Sha256, Stream};

/// Level 9 takes six times as long for a log that comes out an eighth smaller.
const LEVEL: i32 = 3;
const MOST_UNPACKED: u64 = 1 << 40;

/// What an archive is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// tar in zstd.
    TarZst,
    /// tar in gzip.
    TarGz,
    /// zip.
    Zip,
}

impl Packing {
    /// By the end of its name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let ends = |end| name.len() > str::len(end) && name.ends_with(end);
        match () {
            () if ends(".tar.zst") => Some(Self::TarZst),
            () if ends(".tar.gz") => Some(Self::TarGz),
            () if ends(".zip") => Some(Self::Zip),
            () => None,
        }
    }

    /// By its first bytes, whatever it is called.
    #[must_use]
    pub fn of_head(head: &[u8]) -> Option<Self> {
        match head {
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::TarZst),
            [0x1f, 0x8b, ..] => Some(Self::TarGz),
            [b'P', b'K', 3, 4, ..] => Some(Self::Zip),
            _ => None,
        }
    }

    /// The end of its name.
    #[must_use]
    pub const fn end(self) -> &'static str {
        match self {
            Self::TarZst => ".tar.zst",
            Self::TarGz => ".tar.gz",
            Self::Zip => ".zip",
        }
    }
}

/// Writes `members` (name in the archive, file), which are sorted by name.
///
/// # Errors
/// When one cannot be read or the archive not be written.
pub fn write(
    packing: Packing,
    members: &[(String, std::path::PathBuf)],
    out: File,
) -> io::Result<File> {
    match packing {
        Packing::TarZst => {
            let mut encoder = zstd::stream::write::Encoder::new(out, LEVEL)?;
            encoder.include_checksum(true)?;
            tar(members, encoder)?.finish()
        }
        Packing::TarGz => {
            let level = flate2::Compression::new(9);
            tar(members, flate2::write::GzEncoder::new(out, level))?.finish()
        }
        Packing::Zip => zip(members, out),
    }
}

fn tar<W: Write>(members: &[(String, std::path::PathBuf)], out: W) -> io::Result<W> {
    let mut builder = tar::Builder::new(out);
    for (name, path) in members {
        let mut file = File::open(path)?;
        let mut header = tar::Header::new_ustar();
        header.set_size(file.metadata()?.len());
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_entry_type(tar::EntryType::Regular);
        builder.append_data(&mut header, name, &mut file)?;
    }
    builder.into_inner()
}

fn zip(members: &[(String, std::path::PathBuf)], out: File) -> io::Result<File> {
    let mut writer = zip::ZipWriter::new(out);
    for (name, path) in members {
        let mut file = File::open(path)?;
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated)
            .last_modified_time(zip::DateTime::default())
            .large_file(file.metadata()?.len() >= u64::from(u32::MAX))
            .unix_permissions(0o644);
        writer.start_file(name.as_str(), options)?;
        io::copy(&mut file, &mut writer)?;
    }
    Ok(writer.finish()?)
}

/// Unpacks into `directory` under numbers of ours, and gives the name of each member with its file.
///
/// # Errors
/// When it is no such archive, or holds more than regular files.
pub fn read(
    packing: Packing,
    path: &Path,
    directory: &Path,
) -> io::Result<Vec<(String, std::path::PathBuf)>> {
    let file = File::open(path)?;
    match packing {
        Packing::TarZst => untar(zstd::stream::read::Decoder::new(file)?, directory),
        Packing::TarGz => untar(flate2::read::GzDecoder::new(file), directory),
        Packing::Zip => {
            let mut archive = zip::ZipArchive::new(file)?;
            let mut members = Vec::new();
            for number in 0..archive.len() {
                let mut member = archive.by_index(number)?;
                let name = member.name()?.into_owned();
                members.push((name, saved(&mut member, directory, number)?));
            }
            Ok(members)
        }
    }
}

/// The bytes of the member of that name in the archive's folder, unpacking nothing else; `None` where there is none,
/// or it is larger.
///
/// # Errors
/// When it is no such archive.
pub fn member(
    packing: Packing,
    path: &Path,
    wanted: &str,
    most: u64,
) -> io::Result<Option<Vec<u8>>> {
    let file = File::open(path)?;
    let is_it = |name: &str| name.split_once('/').is_some_and(|(_, rest)| rest == wanted);
    let whole = |from: &mut dyn Read| -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        from.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok((bytes.len() as u64 <= most).then_some(bytes))
    };
    let in_tar = |from: &mut dyn Read| -> io::Result<Option<Vec<u8>>> {
        // What is small and becomes more than any bundle is none.
        let mut archive = tar::Archive::new(from.take(MOST_UNPACKED));
        for entry in archive.entries()? {
            let mut entry = entry?;
            if is_it(&String::from_utf8_lossy(&entry.path_bytes())) {
                return whole(&mut entry);
            }
        }
        Ok(None)
    };
    match packing {
        Packing::TarZst => in_tar(&mut zstd::stream::read::Decoder::new(file)?),
        Packing::TarGz => in_tar(&mut flate2::read::GzDecoder::new(file)),
        Packing::Zip => {
            let mut archive = zip::ZipArchive::new(file)?;
            for number in 0..archive.len() {
                let mut member = archive.by_index(number)?;
                if is_it(&member.name()?) {
                    return whole(&mut member);
                }
            }
            Ok(None)
        }
    }
}

/// A member of an archive that was walked through.
#[derive(Debug)]
pub struct Member {
    /// As the archive calls it.
    pub name: String,
    /// Of its bytes; none of what is no regular file.
    pub digest: Option<Sha256>,
    /// Its beginning.
    pub head: Vec<u8>,
}

/// Tells each member of an archive, with as much of its beginning as `most` says of its name. Nothing is unpacked
/// anywhere.
///
/// # Errors
/// When it is no such archive, or breaks off; what came before was told.
pub fn walk(
    packing: Packing,
    file: &mut File,
    most: &dyn Fn(&str) -> usize,
    tell: &mut dyn FnMut(Member),
) -> io::Result<()> {
    file.rewind()?;
    let mut met = |name: String, from: Option<&mut dyn Read>| -> io::Result<()> {
        let (digest, head) = match from {
            Some(from) => hashed(from, most(&name)).map(|(digest, head)| (Some(digest), head))?,
            None => (None, Vec::new()),
        };
        tell(Member { name, digest, head });
        Ok(())
    };
    let mut in_tar = |from: &mut dyn Read| -> io::Result<()> {
        let mut archive = tar::Archive::new(from.take(MOST_UNPACKED));
        for entry in archive.entries()? {
            let mut entry = entry?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let is_file = entry.header().entry_type() == tar::EntryType::Regular;
            met(name, is_file.then_some(&mut entry))?;
        }
        Ok(())
    };
    match packing {
        Packing::TarZst => in_tar(&mut zstd::stream::read::Decoder::new(file)?),
        Packing::TarGz => in_tar(&mut flate2::read::MultiGzDecoder::new(file)),
        Packing::Zip => {
            let mut archive = zip::ZipArchive::new(file)?;
            for number in 0..archive.len() {
                let mut member = archive.by_index(number)?;
                let name = member.name()?.into_owned();
                let is_file = member.is_file();
                met(name, is_file.then_some(&mut member))?;
            }
            Ok(())
        }
    }
}

fn hashed(from: &mut dyn Read, most: usize) -> io::Result<(Sha256, Vec<u8>)> {
    let (mut hash, mut head) = (Stream::default(), Vec::new());
    let mut from = from.take(MOST_UNPACKED);
    let mut buffer = vec![0; 64 << 10];
    loop {
        let n = from.read(&mut buffer)?;
        if n == 0 {
            return Ok((hash.finish(), head));
        }
        let room = most - head.len().min(most);
        head.extend_from_slice(&buffer[..n.min(room)]);
        hash.update(&buffer[..n]);
    }
}

/// The beginning of what is packed, where it is one packed file.
///
/// # Errors
/// When it is packed in another way.
pub fn unpacked(packing: Packing, file: &mut File, most: usize) -> io::Result<Vec<u8>> {
    file.rewind()?;
    let mut head = Vec::new();
    let most = most as u64;
    match packing {
        Packing::TarZst => {
            let from = zstd::stream::read::Decoder::new(file)?;
            from.take(most).read_to_end(&mut head)?;
        }
        Packing::TarGz => {
            let from = flate2::read::GzDecoder::new(file);
            from.take(most).read_to_end(&mut head)?;
        }
        Packing::Zip => {}
    }
    Ok(head)
}

fn untar(from: impl Read, directory: &Path) -> io::Result<Vec<(String, std::path::PathBuf)>> {
    let mut members = Vec::new();
    let mut archive = tar::Archive::new(from);
    for (number, entry) in archive.entries()?.enumerate() {
        let mut entry = entry?;
        if entry.header().entry_type() != tar::EntryType::Regular {
            return Err(io::Error::other("a member that is no regular file"));
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        members.push((name, saved(&mut entry, directory, number)?));
    }
    Ok(members)
}

fn saved(from: &mut impl Read, directory: &Path, number: usize) -> io::Result<std::path::PathBuf> {
    let path = directory.join(number.to_string());
    io::copy(from, &mut File::create_new(&path)?)?;
    Ok(path)
}
