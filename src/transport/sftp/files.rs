//! What lies where, by SFTP: kinds, sizes, names. Many paths are asked about in one round trip. Opens
//! directories only; files are `fetch.rs`.

use std::collections::HashMap;

use ssh2::FileStat;

use super::packet::{self, Answer};
use super::{Conversation, EOF, NO_SUCH_FILE, No, described, element_of, file_of};
use crate::failure::Failure;
use crate::transport::glob::{self, MOST_ENTRIES, Shelf};
use crate::transport::{Element, Entry, EntryKind};

const LOOK: &str = "looking at the file";

/// A far file system seen through SFTP.
pub(in crate::transport) struct Files<C> {
    pub(super) far: C,
    /// Regular files that a listing of this very moment has described already.
    listed: HashMap<String, Entry>,
}

impl<C: Conversation> Files<C> {
    /// Through this conversation.
    pub(in crate::transport) fn over(far: C) -> Self {
        Self {
            far,
            listed: HashMap::new(),
        }
    }

    /// Asks all of it before it waits; the answers in the order of the questions.
    fn calls(&mut self, kind: u8, words: &[&[u8]], what: &str) -> Result<Vec<Answer>, Failure> {
        let dialogue = self.far.dialogue()?;
        let ids = dialogue.ask_each(kind, words);
        let mut answers: Vec<Option<Answer>> = ids.iter().map(|_| None).collect();
        for _ in &ids {
            let (id, answer) = self.far.answer(what)?;
            match ids.iter().position(|asked| *asked == id) {
                Some(at) => answers[at] = Some(answer),
                None => return Err(self.far.refuse(&answer, what)),
            }
        }
        Ok(answers.into_iter().flatten().collect())
    }

    fn call(&mut self, kind: u8, word: &[u8], what: &str) -> Result<Answer, No> {
        let answers = self.calls(kind, &[word], what).map_err(No::Over)?;
        match answers.into_iter().next() {
            Some(Answer::Status(code, said)) => Err(No::Status(code, said)),
            Some(answer) => Ok(answer),
            None => Err(No::Over(crate::transport::files::io("", "SFTP closed"))),
        }
    }

    fn stats(
        &mut self,
        kind: u8,
        paths: &[&str],
        what: &str,
    ) -> Result<Vec<Result<FileStat, No>>, Failure> {
        let words: Vec<&[u8]> = paths.iter().map(|path| path.as_bytes()).collect();
        let answers = self.calls(kind, &words, what)?;
        let mut stats = Vec::with_capacity(answers.len());
        for answer in answers {
            stats.push(match answer {
                Answer::Attributes(stat) => Ok(stat),
                Answer::Status(code, said) => Err(No::Status(code, said)),
                other => return Err(self.far.refuse(&other, what)),
            });
        }
        Ok(stats)
    }

    fn stat(&mut self, kind: u8, path: &str, what: &str) -> Result<FileStat, No> {
        let mut stats = self.stats(kind, &[path], what).map_err(No::Over)?;
        stats
            .pop()
            .unwrap_or_else(|| Err(No::Over(crate::transport::files::io(path, "SFTP closed"))))
    }

    /// What is at each path, links followed. The outer failure is the end of the conversation.
    pub(in crate::transport) fn look_all(
        &mut self,
        paths: &[&str],
    ) -> Result<Vec<Result<Entry, Failure>>, Failure> {
        let found = self.stats(packet::LSTAT, paths, LOOK)?;
        let mut entries: Vec<Result<Entry, Failure>> = found
            .into_iter()
            .zip(paths)
            .map(|(found, path)| match found {
                Ok(stat) => described(path, &stat),
                Err(no) => Err(no.about(path)),
            })
            .collect();
        let is_link = |entry: &Result<Entry, Failure>| matches!(entry, Ok(entry) if entry.kind == EntryKind::Dangling);
        let links: Vec<usize> = (0..entries.len())
            .filter(|at| is_link(&entries[*at]))
            .collect();
        if links.is_empty() {
            return Ok(entries);
        }
        let behind: Vec<&str> = links.iter().map(|at| paths[*at]).collect();
        for (at, found) in links
            .into_iter()
            .zip(self.stats(packet::STAT, &behind, LOOK)?)
        {
            entries[at] = match found {
                Ok(stat) => described(paths[at], &stat),
                // It leads nowhere.
                Err(No::Status(NO_SUCH_FILE, _)) => continue,
                Err(no) => Err(no.about(paths[at])),
            };
        }
        Ok(entries)
    }

    /// One element of a path, itself and not what it leads to; `None` when it cannot be seen.
    pub(in crate::transport) fn element(&mut self, path: &str) -> Option<Element> {
        let what = "looking at a path";
        let stat = self.stat(packet::LSTAT, path, what).ok()?;
        let element = element_of(path, &stat)?;
        if element.kind != 'l' {
            return Some(element);
        }
        let target = match self.call(packet::READLINK, path.as_bytes(), what) {
            Ok(Answer::Names(names)) => names.into_iter().next(),
            _ => None,
        };
        Some(Element {
            target: target.map(|(name, _)| String::from_utf8_lossy(&name).into_owned()),
            ..element
        })
    }

    /// The number of the account that owns the directory where SFTP begins.
    pub(in crate::transport) fn owner_of_home(&mut self) -> Option<String> {
        let stat = self.stat(packet::STAT, ".", "looking at a path");
        stat.ok()?.uid.map(|uid| uid.to_string())
    }

    // sftp-server(8) leaves out of a listing whatever it cannot look at: without `x` on the directory
    // that is everything, `.` and `..` as well, and it looks empty.
    fn may_enter(&mut self, directory: &str) -> Result<(), Failure> {
        let inside = format!("{}/.", directory.trim_end_matches('/'));
        match self.stat(packet::STAT, &inside, LOOK) {
            Ok(_) => Ok(()),
            Err(no) => Err(no.about(directory)),
        }
    }

    /// Asks for it to be closed. Nothing depends on the answer, so that nobody waits for it.
    pub(super) fn close(&mut self, handle: &[u8]) {
        if let Ok(dialogue) = self.far.dialogue() {
            let id = dialogue.ask(packet::CLOSE, &[handle], &[]);
            dialogue.forget(id);
        }
    }

    fn listing(&mut self, directory: &str) -> Result<Vec<Vec<u8>>, Failure> {
        let what = "listing the directory";
        let handle = match self.call(packet::OPENDIR, directory.as_bytes(), what) {
            Ok(Answer::Handle(handle)) => handle,
            Ok(other) => return Err(self.far.refuse(&other, what)),
            Err(no) => return Err(no.about(directory)),
        };
        let (mut names, mut listed) = (Vec::new(), Vec::new());
        // Two at a time: the second tells the end of most directories in the same round trip.
        let mut asked = Vec::new();
        let mut over = None::<Result<(), Failure>>;
        while over.is_none() || !asked.is_empty() {
            let dialogue = self.far.dialogue()?;
            while over.is_none() && asked.len() < 2 {
                asked.push(dialogue.ask(packet::READDIR, &[&handle], &[]));
            }
            let (id, answer) = self.far.answer(what)?;
            let Some(at) = asked.iter().position(|asked| *asked == id) else {
                return Err(self.far.refuse(&answer, what));
            };
            asked.remove(at);
            match answer {
                Answer::Names(more) if !more.is_empty() => {
                    for (name, stat) in more {
                        listed.extend(file_of(directory, &name, &stat));
                        names.push(name);
                    }
                    // `.` and `..` come on top.
                    if names.len() > MOST_ENTRIES + 2 {
                        over = Some(Err(glob::crowded(directory)));
                    }
                }
                Answer::Status(EOF, _) => {
                    over.get_or_insert(Ok(()));
                    // What was asked after it finds nothing more. What was asked before it may.
                    let dialogue = self.far.dialogue()?;
                    asked.drain(at..).for_each(|id| dialogue.forget(id));
                }
                Answer::Status(code, said) => {
                    over = Some(Err(No::Status(code, said).about(directory)));
                }
                other => return Err(self.far.refuse(&other, what)),
            }
        }
        self.close(&handle);
        self.far.flush();
        over.unwrap_or(Ok(()))?;
        if names.is_empty() {
            self.may_enter(directory)?;
        }
        self.listed.extend(listed);
        Ok(names)
    }
}

impl<C: Conversation> Shelf for Files<C> {
    fn look(&mut self, path: &str) -> Result<Entry, Failure> {
        if let Some(entry) = self.listed.remove(path) {
            return Ok(entry);
        }
        let mut looked = self.look_all(&[path])?;
        looked
            .pop()
            .unwrap_or_else(|| Err(crate::transport::files::io(path, "SFTP closed")))
    }

    fn names(&mut self, directory: &str) -> Result<Vec<Vec<u8>>, Failure> {
        let names = self.listing(directory);
        names.map_err(|failure| failure.with_subject_if_none(directory))
    }
}
