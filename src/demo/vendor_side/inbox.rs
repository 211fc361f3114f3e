//! The drop box of a practice vendor: SFTP into one directory. A file is made new and never written over; a
//! rename hits no other file. Knows no shell, and nothing outside its directory.

use std::collections::HashMap;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use russh_sftp::protocol::{
    Attrs, Data, File as Listed, FileAttributes, Handle, Name, OpenFlags, Status, StatusCode,
    Version,
};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::super::root::Root;

/// The one directory, as the account sees it.
pub(in crate::demo) const SHOWN: &str = "/in";
const MOST_READ: u32 = 255 * 1024;
/// No bundle of the practice estate comes near it; a mistake must not fill the disk.
const MOST: u64 = 1 << 30;

enum Open {
    File(File),
    Directory(Vec<Listed>),
}

/// One SFTP channel.
pub(in crate::demo) struct Inbox {
    directory: PathBuf,
    open: HashMap<String, Open>,
    opened: u64,
}

/// What a path means here.
enum Place {
    Top,
    Box,
    File(PathBuf),
}

impl Inbox {
    pub(in crate::demo) fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            open: HashMap::new(),
            opened: 0,
        }
    }

    fn place(&self, path: &str) -> Result<Place, StatusCode> {
        let path = Root::normal(path);
        if path == "/" {
            return Ok(Place::Top);
        }
        let rest = path.strip_prefix(SHOWN).ok_or(StatusCode::NoSuchFile)?;
        match rest.strip_prefix('/') {
            None if rest.is_empty() => Ok(Place::Box),
            Some(name) if !name.contains(['/', '\0']) => Ok(Place::File(self.directory.join(name))),
            _ => Err(StatusCode::NoSuchFile),
        }
    }

    fn file(&self, path: &str) -> Result<PathBuf, StatusCode> {
        match self.place(path)? {
            Place::File(path) => Ok(path),
            Place::Top | Place::Box => Err(StatusCode::PermissionDenied),
        }
    }

    fn look(&self, path: &str) -> Result<FileAttributes, StatusCode> {
        let real = match self.place(path)? {
            Place::Top | Place::Box => self.directory.clone(),
            Place::File(path) => path,
        };
        Ok(attributes(&real.symlink_metadata().map_err(status)?))
    }

    fn keep(&mut self, id: u32, open: Open) -> Handle {
        self.opened += 1;
        let handle = self.opened.to_string();
        self.open.insert(handle.clone(), open);
        Handle { id, handle }
    }

    fn opened(&self, handle: &str) -> Result<&File, StatusCode> {
        match self.open.get(handle) {
            Some(Open::File(file)) => Ok(file),
            _ => Err(StatusCode::Failure),
        }
    }
}

fn attributes(found: &Metadata) -> FileAttributes {
    let mode = match found.is_dir() {
        true => 0o040_700,
        false => 0o100_600,
    };
    FileAttributes {
        size: Some(found.len()),
        uid: Some(1000),
        gid: Some(1000),
        permissions: Some(mode),
        atime: None,
        mtime: None,
        ..FileAttributes::default()
    }
}

fn status(error: Error) -> StatusCode {
    match error.kind() {
        ErrorKind::NotFound => StatusCode::NoSuchFile,
        ErrorKind::PermissionDenied => StatusCode::PermissionDenied,
        _ => StatusCode::Failure,
    }
}

const fn done(id: u32) -> Status {
    Status {
        id,
        status_code: StatusCode::Ok,
        error_message: String::new(),
        language_tag: String::new(),
    }
}

impl russh_sftp::server::Handler for Inbox {
    type Error = StatusCode;

    fn unimplemented(&self) -> StatusCode {
        StatusCode::OpUnsupported
    }

    async fn init(&mut self, _: u32, _: HashMap<String, String>) -> Result<Version, StatusCode> {
        Ok(Version::new())
    }

    async fn open(
        &mut self,
        id: u32,
        path: String,
        flags: OpenFlags,
        _: FileAttributes,
    ) -> Result<Handle, StatusCode> {
        let path = self.file(&path)?;
        let file = match flags.contains(OpenFlags::WRITE) {
            true => OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path),
            false => File::open(path),
        };
        let file = file.map_err(status)?;
        Ok(self.keep(id, Open::File(file)))
    }

    async fn write(
        &mut self,
        id: u32,
        handle: String,
        offset: u64,
        data: Vec<u8>,
    ) -> Result<Status, StatusCode> {
        if offset.saturating_add(data.len() as u64) > MOST {
            return Err(StatusCode::Failure);
        }
        let file = self.opened(&handle)?;
        file.write_all_at(&data, offset).map_err(status)?;
        Ok(done(id))
    }

    async fn read(
        &mut self,
        id: u32,
        handle: String,
        offset: u64,
        length: u32,
    ) -> Result<Data, StatusCode> {
        let file = self.opened(&handle)?;
        let mut data = vec![0; length.min(MOST_READ) as usize];
        let read = file.read_at(&mut data, offset).map_err(status)?;
        data.truncate(read);
        match read {
            0 => Err(StatusCode::Eof),
            _ => Ok(Data { id, data }),
        }
    }

    async fn close(&mut self, id: u32, handle: String) -> Result<Status, StatusCode> {
        match self.open.remove(&handle) {
            Some(_) => Ok(done(id)),
            None => Err(StatusCode::Failure),
        }
    }

    async fn lstat(&mut self, id: u32, path: String) -> Result<Attrs, StatusCode> {
        let attrs = self.look(&path)?;
        Ok(Attrs { id, attrs })
    }

    async fn stat(&mut self, id: u32, path: String) -> Result<Attrs, StatusCode> {
        let attrs = self.look(&path)?;
        Ok(Attrs { id, attrs })
    }

    async fn fstat(&mut self, id: u32, handle: String) -> Result<Attrs, StatusCode> {
        let found = self.opened(&handle)?.metadata().map_err(status)?;
        let attrs = attributes(&found);
        Ok(Attrs { id, attrs })
    }

    async fn opendir(&mut self, id: u32, path: String) -> Result<Handle, StatusCode> {
        let entry = |name: String, path: &Path| {
            let found = path.symlink_metadata().ok()?;
            Some(Listed::new(name, attributes(&found)))
        };
        let listed = match self.place(&path)? {
            Place::File(_) => return Err(StatusCode::Failure),
            Place::Top => {
                let name = SHOWN.trim_start_matches('/').to_owned();
                entry(name, &self.directory).into_iter().collect()
            }
            Place::Box => (self.directory.read_dir().map_err(status)?)
                .filter_map(Result::ok)
                .filter_map(|found| entry(found.file_name().into_string().ok()?, &found.path()))
                .collect(),
        };
        Ok(self.keep(id, Open::Directory(listed)))
    }

    async fn readdir(&mut self, id: u32, handle: String) -> Result<Name, StatusCode> {
        let Some(Open::Directory(ahead)) = self.open.get_mut(&handle) else {
            return Err(StatusCode::Failure);
        };
        match ahead.is_empty() {
            true => Err(StatusCode::Eof),
            false => Ok(Name {
                id,
                files: std::mem::take(ahead),
            }),
        }
    }

    async fn remove(&mut self, id: u32, path: String) -> Result<Status, StatusCode> {
        std::fs::remove_file(self.file(&path)?).map_err(status)?;
        Ok(done(id))
    }

    async fn rename(&mut self, id: u32, from: String, to: String) -> Result<Status, StatusCode> {
        let (from, to) = (self.file(&from)?, self.file(&to)?);
        renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)
            .map_err(|error| status(error.into()))?;
        Ok(done(id))
    }

    async fn realpath(&mut self, id: u32, path: String) -> Result<Name, StatusCode> {
        Ok(Name {
            id,
            files: vec![Listed::dummy(Root::normal(&path))],
        })
    }
}
