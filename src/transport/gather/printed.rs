//! What one command for many files has printed: marks, looks, bytes. Bytes are counted, never searched, and it is all of
//! it, mark by mark to the last, or nothing. Does not decide which of it a check may use but by the looks around it.

use jiff::Timestamp;

use super::{Gathered, Gathering, HEAD, Held, archive};
use crate::failure::Failure;
use crate::transport::glob::{self, Shelf};
use crate::transport::{Entry, EntryKind, files, shell_files};

/// What `stat` said of a path.
#[derive(Clone, PartialEq)]
struct Stated {
    entry: Entry,
    /// File system and number of it, and when anything of it was last changed: a number is given again at once.
    node: String,
}

impl Stated {
    fn of(path: &str, line: &str) -> Option<Self> {
        let (mode, rest) = line.split_once('/')?;
        let (size, rest) = rest.split_once('/')?;
        let (seconds, node) = rest.split_once('/')?;
        let is_number =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        (node.split('/').count() == 3 && node.split('/').all(is_number)).then_some(())?;
        Some(Self {
            entry: Entry {
                path: path.to_owned(),
                kind: glob::kind_of(u32::from_str_radix(mode, 16).ok()?),
                size: size.parse().ok()?,
                modified: Timestamp::from_second(seconds.parse().ok()?).ok(),
            },
            node: node.to_owned(),
        })
    }

    /// Whether it still is the file that it was, and nobody has written to it. What grows is no exception: the beginning
    /// of a file that was written anew is of no version of it, and a log that grew behind a database lacks what that has.
    fn is_still(&self, now: &Self) -> bool {
        self == now && now.entry.kind == EntryKind::File
    }
}

type Looks = Vec<(String, Result<Stated, Failure>)>;

/// What one `stat` has said of many paths: a line for each that there is, in any order, and each of the others is
/// missing, if it has said that as often.
fn looks(paths: Vec<String>, called: &[&str], status: &str, said: &str) -> Option<Looks> {
    // A shell leaves out the end of such a name, so that its line would be another's.
    (!called.iter().any(|called| called.ends_with('\n'))).then_some(())?;
    let mut said = said.to_owned();
    let mut looked = Looks::new();
    let mut missing = 0;
    for (path, called) in paths.into_iter().zip(called) {
        let name = format!("/{called}\n");
        let found = match said.find(&name) {
            Some(end) => {
                let from = said[..end].rfind('\n').map_or(0, |at| at + 1);
                let stated = Stated::of(&path, &said[from..end])?;
                said.replace_range(from..end + name.len(), "");
                Ok(stated)
            }
            None => {
                missing += 1;
                Err(files::missing(&path))
            }
        };
        looked.push((path, found));
    }
    let is_said = |line: &str| line.ends_with(": No such file or directory");
    let is_told = match status {
        "0" => missing == 0 && said.trim_end_matches('\n').is_empty(),
        // Of a link, and of any other word of `stat`, more has to be asked.
        "1" => missing > 0 && said.lines().count() == missing && said.lines().all(is_said),
        _ => false,
    };
    is_told.then_some(looked)
}

/// A file that was printed, or its beginning.
struct Came {
    path: String,
    bytes: Vec<u8>,
}

/// Everything that one command has printed.
#[derive(Default)]
pub(super) struct Printed {
    date: Option<String>,
    listed: Option<(String, Vec<u8>)>,
    looked: Looks,
    came: Vec<Came>,
    /// The second look.
    now: Looks,
}

/// What stands between the marks; `None` unless every one of them is where it has to be. `stderr` is all that was said
/// beside it.
pub(super) fn read(printed: &[u8], stderr: &[u8], nonce: &str) -> Option<Printed> {
    let mut rest = Rest {
        bytes: printed,
        mark: format!("GNG+{nonce}\0").into_bytes(),
    };
    let mut found = Printed::default();
    loop {
        rest.mark()?;
        match rest.field()? {
            "T" => found.date = Some(rest.said()?.trim_end().to_owned()),
            "L" => {
                let directory = rest.field()?.to_owned();
                let names = rest.names()?;
                (rest.field()? == "l" && rest.field()? == "0").then_some(())?;
                (!names.windows(2).any(|end| end == b"\n\0")).then_some(())?;
                found.listed = Some((directory, names));
            }
            "S" => {
                let called = rest.fields()?;
                let paths = called.iter().map(|path| (*path).to_owned()).collect();
                found.looked = looks(paths, &called, rest.field()?, rest.field()?)?;
            }
            "s" => {
                let called = rest.fields()?;
                let paths = called.iter().map(|path| format!("/{path}")).collect();
                let said = rest.said()?;
                found.now = looks(paths, &called, rest.ended("e")?, said)?;
            }
            "C" => {
                let path = rest.field()?.to_owned();
                let size = rest.field()?.parse().ok()?;
                let bytes = rest.take(size)?.to_vec();
                if rest.ended("c")? == "0" {
                    found.came.push(Came { path, bytes });
                }
            }
            "A" => {
                let called = rest.fields()?;
                let (members, behind) = archive::read(rest.bytes, &called)?;
                rest.bytes = behind;
                if archive::is_whole(rest.ended("c")?, stderr) {
                    let paths = called.iter().map(|path| format!("/{path}"));
                    let came = paths.zip(members);
                    let came = came.map(|(path, bytes)| Came { path, bytes });
                    found.came.extend(came);
                }
            }
            "E" => return rest.bytes.is_empty().then_some(found),
            _ => return None,
        }
    }
}

struct Rest<'a> {
    bytes: &'a [u8],
    mark: Vec<u8>,
}

impl<'a> Rest<'a> {
    fn mark(&mut self) -> Option<()> {
        self.bytes = self.bytes.strip_prefix(&self.mark[..])?;
        Some(())
    }

    fn field(&mut self) -> Option<&'a str> {
        let end = self.bytes.iter().position(|byte| *byte == 0)?;
        let field = std::str::from_utf8(&self.bytes[..end]).ok()?;
        self.bytes = &self.bytes[end + 1..];
        Some(field)
    }

    /// Their number, and they.
    fn fields(&mut self) -> Option<Vec<&'a str>> {
        let number: usize = self.field()?.parse().ok()?;
        (0..number).map(|_| self.field()).collect()
    }

    fn take(&mut self, size: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(usize::try_from(size).ok()?)?;
        self.bytes = rest;
        Some(taken)
    }

    /// A text up to the next mark: no text has a NUL, with which every mark ends.
    fn said(&mut self) -> Option<&'a str> {
        let (mark, _) = self
            .mark
            .split_at_checked(self.mark.len().checked_sub(1)?)?;
        let end = self.bytes.iter().position(|byte| *byte == 0)?;
        let said = self.bytes[..end].strip_suffix(mark)?;
        self.bytes = &self.bytes[said.len()..];
        std::str::from_utf8(said).ok()
    }

    /// With what status that ended which the mark of this name ends.
    fn ended(&mut self, name: &str) -> Option<&'a str> {
        self.mark()?;
        (self.field()? == name).then_some(())?;
        self.field()
    }

    /// Paths, each ended by NUL, up to the next mark: no path begins as that does.
    fn names(&mut self) -> Option<Vec<u8>> {
        let whole = self.bytes;
        while !self.bytes.starts_with(&self.mark) {
            let end = self.bytes.iter().position(|byte| *byte == 0)?;
            self.bytes = &self.bytes[end + 1..];
        }
        let names = whole[..whole.len() - self.bytes.len()].to_vec();
        self.mark()?;
        Some(names)
    }
}

fn stated<'a>(looks: &'a Looks, path: &str) -> Option<&'a Stated> {
    let (_, found) = looks.iter().find(|(of, _)| of == path)?;
    found.as_ref().ok()
}

impl Printed {
    /// What is held of it for the reads that will follow; `None` where it is not what was asked.
    pub(super) fn judged(mut self, what: &Gathering) -> Option<(Gathered, Option<String>)> {
        let mut gathered = Gathered::default();
        match what {
            Gathering::Door(_) => gathered.set = self.files(),
            Gathering::Set(pattern) => {
                let entries = glob::expand(&mut self, pattern).ok()?;
                // That there is nothing has to be found out in earnest.
                (!entries.is_empty()).then_some(())?;
                gathered.set = self.files();
                gathered.set.retain(|held| entries.contains(&held.entry));
                gathered.listing = Some((pattern.clone(), entries));
            }
            Gathering::Database(path) => {
                let wal = format!("{path}-wal");
                let order = [
                    (&wal, Some(HEAD)),
                    (path, None),
                    (&wal, None),
                    (&wal, Some(HEAD)),
                ];
                let came = std::mem::take(&mut self.came);
                let is_it = came.len() == order.len()
                    && came
                        .iter()
                        .zip(order)
                        .all(|(came, (path, _))| came.path == *path);
                let turn = came.into_iter().zip(order);
                let turn: Option<Vec<_>> = turn
                    .map(|(came, (_, most))| self.held(came, most))
                    .collect();
                gathered.turn = turn.filter(|_| is_it).unwrap_or_default();
                let looked = self.looked.into_iter();
                gathered.looked = looked
                    .map(|(path, found)| (path, found.map(|stated| stated.entry)))
                    .collect();
            }
        }
        Some((gathered, self.date))
    }

    /// Whatever is held of whole files.
    pub(super) fn files(&mut self) -> Vec<Held> {
        let came = std::mem::take(&mut self.came).into_iter();
        came.filter_map(|came| self.held(came, None)).collect()
    }

    /// What was printed of a file, if that is what it had before and has now.
    fn held(&self, came: Came, most: Option<u64>) -> Option<Held> {
        let before = stated(&self.looked, &came.path)?;
        let now = stated(&self.now, &came.path)?;
        let wanted = most.map_or(before.entry.size, |most| most.min(before.entry.size));
        (before.is_still(now) && came.bytes.len() as u64 == wanted).then_some(())?;
        Some(Held {
            entry: before.entry.clone(),
            most,
            bytes: came.bytes,
        })
    }
}

/// What the command has printed, as a place to look for files.
impl Shelf for Printed {
    fn look(&mut self, path: &str) -> Result<Entry, Failure> {
        let found = self.looked.iter().find(|(of, _)| of == path);
        match found {
            Some((_, Ok(stated))) => Ok(stated.entry.clone()),
            Some((_, Err(failure))) => Err(failure.clone()),
            None => Err(files::io(path, "it was not looked at")),
        }
    }

    fn names(&mut self, directory: &str) -> Result<Vec<Vec<u8>>, Failure> {
        match &self.listed {
            Some((of, names)) if of.trim_end_matches('/') == directory.trim_end_matches('/') => {
                shell_files::names_of(directory, names)
            }
            _ => Err(files::io(directory, "it was not listed")),
        }
    }
}
