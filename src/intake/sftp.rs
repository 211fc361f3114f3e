//! A drop box by SFTP: written under a name of its own, read back, and renamed where the server allows it.
//! Every file is opened exclusively; a rename is never one that writes over.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use ssh2::{Error, ErrorCode, OpenFlags, OpenType, RenameFlags, Session, Sftp};

use super::door::{self, milliseconds};
use super::{Arrived, Compared, Deadline, Outgoing, Parcel, Refused, secret, unreadable};
use crate::digest::Stream;
use crate::inventory::{DropLogin, Intake, IntakeTo};
use crate::text;

const PIECE: usize = 256 << 10;
const NO_SUCH_FILE: i32 = 2;
const DENIED: i32 = 3;
const FAILURE: i32 = 4;
const UNSUPPORTED: i32 = 8;

pub(super) fn ready(intake: &Intake) -> Result<(), Refused> {
    let IntakeTo::Sftp {
        host_key, login, ..
    } = &intake.to
    else {
        return Ok(());
    };
    if host_key.is_none() {
        return Err(door::unpinned());
    }
    match login {
        None => Err(door::no_login()),
        Some(DropLogin::Agent) => Ok(()),
        Some(DropLogin::Password { env }) => secret(env, "password").map(drop),
        Some(DropLogin::Key {
            path,
            passphrase_env,
        }) => {
            std::fs::File::open(path).map_err(|error| unreadable(path, &error))?;
            let env = passphrase_env.as_deref();
            env.map_or(Ok(()), |env| secret(env, "passphrase").map(drop))
        }
    }
}

pub(super) fn deliver(
    intake: &Intake,
    parcel: &Parcel,
    deadline: Deadline,
) -> Result<Arrived, Refused> {
    let IntakeTo::Sftp { directory, .. } = &intake.to else {
        return Err(Refused::fault("no SFTP drop"));
    };
    let session = door::enter(&intake.to, deadline)?;
    let sftp = session.sftp().map_err(|error| {
        let why = format!("the intake gives no SFTP: {}", error.message());
        let hint = "see with the vendor whether this account may use SFTP";
        Refused::new(text::escape(&why), hint)
    })?;
    let folder = directory.as_deref().unwrap_or(".");
    let drop_box = DropBox {
        session: &session,
        sftp: &sftp,
        folder,
        deadline,
    };
    drop_box.take(parcel)
}

struct DropBox<'a> {
    session: &'a Session,
    sftp: &'a Sftp,
    folder: &'a str,
    deadline: Deadline,
}

impl DropBox<'_> {
    fn path(&self, name: &str) -> String {
        match self.folder {
            "." | "" => name.to_owned(),
            folder => format!("{}/{name}", folder.trim_end_matches('/')),
        }
    }

    fn arm(&self) -> Result<(), Refused> {
        self.session
            .set_timeout(milliseconds(self.deadline.left()?));
        Ok(())
    }

    fn take(&self, parcel: &Parcel) -> Result<Arrived, Refused> {
        self.arm()?;
        let last = self.path(&parcel.name);
        self.is_free(&last)?;
        let mut random = [0_u8; 4];
        getrandom::fill(&mut random)
            .map_err(|error| Refused::fault(format!("no random numbers: {error}")))?;
        let first = format!("{last}.{:08x}.part", u32::from_be_bytes(random));
        let compared = match self.put(&first, parcel) {
            // Some drops take only names of their own pattern.
            Err((code, _)) if code == Some(DENIED) => return self.at_once(&last, parcel, None),
            put => put.map_err(|(_, refused)| refused)?,
        };
        self.arm()?;
        let renamed = self.sftp.rename(
            Path::new(&first),
            Path::new(&last),
            Some(RenameFlags::empty()),
        );
        let Err(error) = renamed else {
            return self.arrived(last, compared, None, parcel);
        };
        if matches!(code(&error), Some(DENIED | UNSUPPORTED)) {
            // No renaming here: once more under its own name, the first one taken away.
            let left = self.away(&first);
            return self.at_once(&last, parcel, left);
        }
        let left = self.away(&first);
        let taken = matches!(code(&error), Some(FAILURE | 11));
        let refused = match taken && self.sftp.lstat(Path::new(&last)).is_ok() {
            true => exists(&last),
            false => Refused::new(
                format!("`{first}` could not be renamed: {}", said(&error)),
                "something of that name may be there: deliver it under another one",
            ),
        };
        Err(refused.leaving(left))
    }

    fn at_once(
        &self,
        last: &str,
        parcel: &Parcel,
        left: Option<String>,
    ) -> Result<Arrived, Refused> {
        let compared = self.put(last, parcel).map_err(|(_, refused)| refused)?;
        self.arrived(last.to_owned(), compared, left, parcel)
    }

    fn arrived(
        &self,
        place: String,
        compared: Option<Compared>,
        left: Option<String>,
        parcel: &Parcel,
    ) -> Result<Arrived, Refused> {
        self.arm()?;
        // A drop may take files away at once: only what is there and differs is wrong.
        if let Ok(stat) = self.sftp.lstat(Path::new(&place))
            && stat.size.is_some_and(|size| size != parcel.bytes)
        {
            return Err(damaged(&place, "it has another size").leaving(Some(place)));
        }
        Ok(Arrived {
            place,
            compared,
            answer: None,
            left,
        })
    }

    fn is_free(&self, path: &str) -> Result<(), Refused> {
        match self.sftp.lstat(Path::new(path)) {
            Ok(_) => Err(exists(path)),
            Err(error) => match code(&error) {
                // Who may not look is kept from writing over by the exclusive opening.
                Some(NO_SUCH_FILE | DENIED | UNSUPPORTED) => Ok(()),
                _ => Err(Refused::new(
                    format!("the intake cannot be looked at: {}", said(&error)),
                    "try again later",
                )),
            },
        }
    }

    /// Writes it as a new file and reads it back; nothing is left of what went wrong, if possible.
    fn put(&self, path: &str, parcel: &Parcel) -> Result<Option<Compared>, (Option<i32>, Refused)> {
        let plain = |refused| (None, refused);
        let mut outgoing = Outgoing::open(parcel).map_err(plain)?;
        self.arm().map_err(plain)?;
        let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
        let opened = self
            .sftp
            .open_mode(Path::new(path), flags, 0o600, OpenType::File);
        let mut file = opened.map_err(|error| {
            let hint = match code(&error) {
                Some(NO_SUCH_FILE) => "`directory` of the intake is not there: see its name with the vendor",
                Some(DENIED) => "this account may not write there: see `directory`, and the account with the vendor",
                _ => "something of that name may be there, or the drop may be full: see with the vendor",
            };
            let why = format!("the intake opens no new file `{path}`: {}", said(&error));
            (code(&error), Refused::new(why, hint))
        })?;
        let written = self.write(&mut file, &mut outgoing);
        drop(file);
        let checked = written
            .and_then(|()| outgoing.done(parcel))
            .and_then(|()| self.compare(path, parcel));
        checked.map_err(|refused| {
            let left = self.away(path);
            plain(refused.leaving(left))
        })
    }

    fn write(&self, file: &mut ssh2::File, outgoing: &mut Outgoing) -> Result<(), Refused> {
        let mut buffer = vec![0; PIECE];
        let mut sent = 0_u64;
        loop {
            let n = outgoing
                .read(&mut buffer)
                .map_err(|error| Refused::fault(format!("cannot read the bundle: {error}")))?;
            if n == 0 {
                break;
            }
            let mut rest = &buffer[..n];
            while !rest.is_empty() {
                self.arm()?;
                match file.write(rest) {
                    Ok(0) => return Err(self.stopped(sent, "it takes no more")),
                    Ok(taken) => {
                        rest = &rest[taken..];
                        sent += taken as u64;
                    }
                    Err(_) => {
                        let error = Error::last_session_error(self.session);
                        let why = error.as_ref().map_or_else(|| "an error".to_owned(), said);
                        return Err(self.stopped(sent, &why));
                    }
                }
            }
        }
        self.arm()?;
        match file.fsync() {
            Err(error) if code(&error) != Some(UNSUPPORTED) => {
                return Err(self.stopped(sent, &said(&error)));
            }
            _ => {}
        }
        self.arm()?;
        file.close()
            .map_err(|error| self.stopped(sent, &said(&error)))
    }

    fn stopped(&self, sent: u64, why: &str) -> Refused {
        if let Err(late) = self.deadline.left() {
            return late;
        }
        Refused::new(
            format!("the intake stopped after {sent} bytes: {why}"),
            "its disk or the account's quota may be full, or the connection was lost: see with the vendor",
        )
    }

    fn compare(&self, path: &str, parcel: &Parcel) -> Result<Option<Compared>, Refused> {
        self.arm()?;
        let size = self
            .sftp
            .stat(Path::new(path))
            .ok()
            .and_then(|stat| stat.size);
        if let Some(size) = size.filter(|size| *size != parcel.bytes) {
            let why = format!("it has {size} bytes, not {}", parcel.bytes);
            return Err(damaged(path, &why));
        }
        let by_size = size.map(|_| Compared::Size);
        let Ok(mut file) = self.sftp.open(Path::new(path)) else {
            return Ok(by_size);
        };
        let (mut hash, mut read) = (Stream::default(), 0_u64);
        let mut buffer = vec![0; PIECE];
        while read <= parcel.bytes {
            self.arm()?;
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => {
                    hash.update(&buffer[..n]);
                    read += n as u64;
                }
                Err(_) if read == 0 => return Ok(by_size),
                Err(error) => {
                    self.deadline.left()?;
                    let why = format!("it cannot be read again: {error}");
                    return Err(damaged(path, &why));
                }
            }
        }
        match read == parcel.bytes && hash.finish() == parcel.sha256 {
            true => Ok(Some(Compared::ReadBack)),
            false => Err(damaged(
                path,
                &format!("{read} bytes of it with another digest came back"),
            )),
        }
    }

    /// Takes a file of ours away; what stays there otherwise.
    fn away(&self, path: &str) -> Option<String> {
        // Even past the deadline: a moment is better than half a file.
        let brief = Duration::from_secs(3);
        self.session.set_timeout(milliseconds(brief));
        match self.sftp.unlink(Path::new(path)) {
            Ok(()) => None,
            Err(error) if code(&error) == Some(NO_SUCH_FILE) => None,
            Err(_) => Some(format!("`{path}`, which must not be used")),
        }
    }
}

fn exists(path: &str) -> Refused {
    Refused::new(
        format!("the intake has a `{path}` already"),
        "nothing is written over: deliver it under another name, or have that one removed",
    )
}

fn damaged(path: &str, why: &str) -> Refused {
    Refused {
        damaged: true,
        ..Refused::new(
            format!("what the intake has of `{path}` is not what was sent: {why}"),
            "have the vendor look at its intake, and deliver again",
        )
    }
}

fn code(error: &Error) -> Option<i32> {
    match error.code() {
        ErrorCode::SFTP(code) => Some(code),
        ErrorCode::Session(_) => None,
    }
}

fn said(error: &Error) -> String {
    let message = text::escape(error.message()).into_owned();
    match code(error) {
        Some(code) => format!("{message} (SFTP status {code})"),
        None => message,
    }
}
