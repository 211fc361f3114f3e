//! SFTP version 3 over a made-up root, for reading only: every request that would change something is
//! refused and written down. Misbehaves exactly where its [`Quirks`] say.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::sync::Arc;

use russh_sftp::protocol::{
    Attrs, Data, File as Listed, FileAttributes, Handle, Name, OpenFlags, Packet, Status,
    StatusCode, Version,
};

use super::ledger::Act;
use super::owned::{self, Denied};
use super::root::{Last, Root};
use super::server::Served;

/// Largest piece that one answer carries, as OpenSSH's sftp-server has it.
const MOST_READ: u32 = 255 * 1024;
/// Entries of one READDIR answer.
const MOST_LISTED: usize = 64;

/// Where a host misbehaves; a path means itself and what lies below.
#[derive(Clone, Debug, Default)]
pub(super) struct Quirks {
    /// Permission denied: for that account, or for all.
    pub denied: Option<Denied>,
    /// Reads of it are never answered.
    pub hang: Option<String>,
    /// Its size is stated truly and half of it is sent.
    pub short: Option<String>,
    /// Every command prints this and ends with status 0.
    pub forced: Option<&'static str>,
}

/// What an open handle stands for.
enum Open {
    File {
        file: File,
        most: Option<u64>,
        hang: bool,
    },
    Directory {
        ahead: Vec<Listed>,
    },
    /// A FIFO: sshd's sftp-server never returns from opening one.
    Fifo,
}

/// One SFTP channel of one account.
pub(super) struct Sftp {
    served: Arc<Served>,
    user: String,
    open: HashMap<String, Open>,
    opened: u64,
}

impl Sftp {
    pub(super) fn new(served: Arc<Served>, user: String) -> Self {
        Self {
            served,
            user,
            open: HashMap::new(),
            opened: 0,
        }
    }

    fn note(&self, act: Act, subject: &str) {
        self.served
            .ledger
            .note(self.served.name, &self.user, act, subject);
    }

    /// Refuses a change and writes it down.
    fn refuse<T>(&self, path: &str) -> Result<T, StatusCode> {
        self.note(Act::Write, &Root::normal(path));
        Err(StatusCode::PermissionDenied)
    }

    /// True when the quirk denies `path` to this account.
    fn denies(&self, path: &str) -> Option<&str> {
        let (user, denied) = self.served.quirks.denied.as_ref()?;
        let concerned = user.is_none_or(|user| user == self.user) && below(path, denied);
        concerned.then_some(denied.as_str())
    }

    fn attributes(&self, path: &str, last: Last) -> Result<FileAttributes, StatusCode> {
        let found = self.served.root.find(path, last).map_err(status)?;
        // Without search permission on a directory what is inside cannot even be looked at; the
        // directory itself, and a file that may not be read, can.
        match self.denies(&found.shown) {
            Some(denied) if denied != found.shown => Err(StatusCode::PermissionDenied),
            _ => {
                let about = found.real.symlink_metadata().map_err(status)?;
                Ok(self.owned(&found.shown, &about))
            }
        }
    }

    fn owned(&self, shown: &str, about: &Metadata) -> FileAttributes {
        let enters = about.is_dir() || about.mode() & 0o111 != 0;
        let denied = self.served.quirks.denied.as_ref();
        attributes(about, owned::mode(shown, enters, denied))
    }

    fn keep(&mut self, id: u32, open: Open) -> Handle {
        self.opened += 1;
        let handle = self.opened.to_string();
        self.open.insert(handle.clone(), open);
        Handle { id, handle }
    }

    /// Waits until the estate is dropped: an answer that never comes.
    async fn never<T>(&self) -> Result<T, StatusCode> {
        self.served.stopped.cancelled().await;
        Err(StatusCode::ConnectionLost)
    }
}

/// True when `path` is `top` or lies below it.
fn below(path: &str, top: &str) -> bool {
    path.strip_prefix(top)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is(quirk: Option<&String>, path: &str) -> bool {
    quirk.is_some_and(|top| below(path, top))
}

fn status(error: Error) -> StatusCode {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => StatusCode::NoSuchFile,
        ErrorKind::PermissionDenied => StatusCode::PermissionDenied,
        _ => StatusCode::Failure,
    }
}

/// Built by hand: the library's own conversion calls a FIFO a regular file.
fn attributes(found: &Metadata, mode: u32) -> FileAttributes {
    FileAttributes {
        size: Some(found.len()),
        uid: Some(owned::AMPS),
        gid: Some(owned::AMPS),
        permissions: Some(found.mode() & !0o7777 | mode),
        atime: u32::try_from(found.atime()).ok(),
        mtime: u32::try_from(found.mtime()).ok(),
        ..FileAttributes::default()
    }
}

impl russh_sftp::server::Handler for Sftp {
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
        if flags.bits() != OpenFlags::READ.bits() {
            return self.refuse(&path);
        }
        let found = self.served.root.find(&path, Last::Follow).map_err(status)?;
        self.note(Act::Open, &found.shown);
        if self.denies(&found.shown).is_some() {
            return Err(StatusCode::PermissionDenied);
        }
        let what = found.real.symlink_metadata().map_err(status)?;
        let open = match what.is_file() {
            true => Open::File {
                file: File::open(&found.real).map_err(status)?,
                most: is(self.served.quirks.short.as_ref(), &found.shown).then_some(what.len() / 2),
                hang: is(self.served.quirks.hang.as_ref(), &found.shown),
            },
            false if what.is_dir() => return Err(StatusCode::Failure),
            false => Open::Fifo,
        };
        if matches!(open, Open::Fifo) {
            return self.never().await;
        }
        Ok(self.keep(id, open))
    }

    async fn close(&mut self, id: u32, handle: String) -> Result<Status, StatusCode> {
        match self.open.remove(&handle) {
            None => Err(StatusCode::Failure),
            Some(_) => Ok(Status {
                id,
                status_code: StatusCode::Ok,
                error_message: "Success".to_owned(),
                language_tag: "en".to_owned(),
            }),
        }
    }

    async fn read(
        &mut self,
        id: u32,
        handle: String,
        offset: u64,
        length: u32,
    ) -> Result<Data, StatusCode> {
        let Some(Open::File { file, most, hang }) = self.open.get(&handle) else {
            return Err(StatusCode::Failure);
        };
        if *hang {
            return self.never().await;
        }
        let left = most.map_or(u64::MAX, |most| most.saturating_sub(offset));
        let length = u64::from(length.min(MOST_READ)).min(left);
        let mut data = vec![0; usize::try_from(length).map_err(|_| StatusCode::Failure)?];
        let read = file.read_at(&mut data, offset).map_err(status)?;
        data.truncate(read);
        match read {
            0 => Err(StatusCode::Eof),
            _ => Ok(Data { id, data }),
        }
    }

    async fn lstat(&mut self, id: u32, path: String) -> Result<Attrs, StatusCode> {
        let attrs = self.attributes(&path, Last::Keep)?;
        Ok(Attrs { id, attrs })
    }

    async fn stat(&mut self, id: u32, path: String) -> Result<Attrs, StatusCode> {
        let attrs = self.attributes(&path, Last::Follow)?;
        Ok(Attrs { id, attrs })
    }

    async fn fstat(&mut self, id: u32, handle: String) -> Result<Attrs, StatusCode> {
        let Some(Open::File { file, .. }) = self.open.get(&handle) else {
            return Err(StatusCode::Failure);
        };
        let about = file.metadata().map_err(status)?;
        let attrs = self.owned("", &about);
        Ok(Attrs { id, attrs })
    }

    async fn opendir(&mut self, id: u32, path: String) -> Result<Handle, StatusCode> {
        let found = self.served.root.find(&path, Last::Follow).map_err(status)?;
        self.note(Act::List, &found.shown);
        if self.denies(&found.shown).is_some() {
            return Err(StatusCode::PermissionDenied);
        }
        let mut ahead = Vec::new();
        for name in [".", ".."] {
            let what = found.real.symlink_metadata().map_err(status)?;
            ahead.push(Listed::new(name, self.owned(&found.shown, &what)));
        }
        for entry in found.real.read_dir().map_err(status)? {
            let entry = entry.map_err(status)?;
            // Gone since the directory was read: as if it had gone before.
            let Ok(what) = entry.metadata() else { continue };
            if let Ok(name) = entry.file_name().into_string() {
                let shown = format!("{}/{name}", found.shown);
                let attributes = self.owned(&shown, &what);
                ahead.push(Listed::new(name, attributes));
            }
        }
        Ok(self.keep(id, Open::Directory { ahead }))
    }

    async fn readdir(&mut self, id: u32, handle: String) -> Result<Name, StatusCode> {
        let Some(Open::Directory { ahead }) = self.open.get_mut(&handle) else {
            return Err(StatusCode::Failure);
        };
        if ahead.is_empty() {
            return Err(StatusCode::Eof);
        }
        let files = ahead.drain(..ahead.len().min(MOST_LISTED)).collect();
        Ok(Name { id, files })
    }

    async fn realpath(&mut self, id: u32, path: String) -> Result<Name, StatusCode> {
        let found = self.served.root.find(&path, Last::Follow);
        let shown = found.map_or_else(|_| Root::normal(&path), |found| found.shown);
        Ok(Name {
            id,
            files: vec![Listed::dummy(shown)],
        })
    }

    async fn readlink(&mut self, id: u32, path: String) -> Result<Name, StatusCode> {
        let found = self.served.root.find(&path, Last::Keep).map_err(status)?;
        let target = found.real.read_link().map_err(|_| StatusCode::Failure)?;
        Ok(Name {
            id,
            files: vec![Listed::dummy(target.to_string_lossy())],
        })
    }

    async fn write(&mut self, _: u32, _: String, _: u64, _: Vec<u8>) -> Result<Status, StatusCode> {
        self.refuse("(handle)")
    }

    async fn setstat(
        &mut self,
        _: u32,
        path: String,
        _: FileAttributes,
    ) -> Result<Status, StatusCode> {
        self.refuse(&path)
    }

    async fn fsetstat(
        &mut self,
        _: u32,
        _: String,
        _: FileAttributes,
    ) -> Result<Status, StatusCode> {
        self.refuse("(handle)")
    }

    async fn remove(&mut self, _: u32, path: String) -> Result<Status, StatusCode> {
        self.refuse(&path)
    }

    async fn mkdir(
        &mut self,
        _: u32,
        path: String,
        _: FileAttributes,
    ) -> Result<Status, StatusCode> {
        self.refuse(&path)
    }

    async fn rmdir(&mut self, _: u32, path: String) -> Result<Status, StatusCode> {
        self.refuse(&path)
    }

    async fn rename(&mut self, _: u32, path: String, _: String) -> Result<Status, StatusCode> {
        self.refuse(&path)
    }

    async fn symlink(&mut self, _: u32, path: String, _: String) -> Result<Status, StatusCode> {
        self.refuse(&path)
    }

    /// OpenSSH's extensions that change something are requests to write, too.
    async fn extended(&mut self, _: u32, name: String, _: Vec<u8>) -> Result<Packet, StatusCode> {
        match name.split('@').next() {
            Some("posix-rename" | "hardlink" | "fsync" | "lsetstat" | "copy-data") => {
                self.refuse(&name)
            }
            _ => Err(StatusCode::OpUnsupported),
        }
    }
}
