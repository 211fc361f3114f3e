//! What a copy on the host takes, word by word: which commands write, where, and which files they leave
//! to be read. The plan prints these, the guard compares with them, and the run fills in the one thing
//! that is not known before: what `mktemp` put in place of its `X`. Runs nothing.

/// How many characters `mktemp` chooses.
const CHOSEN: usize = 10;
/// The name of the private directory, without what `mktemp` chooses.
const NAME: &str = "gonogo-";
/// The copy in it, and what SQLite may put beside it.
const COPY: &str = "copy.db";
/// What may lie in the private directory, the copy first.
const SUFFIXES: [&str; 3] = ["", "-wal", "-journal"];

/// How a copy on the host is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Road {
    /// By `cp`.
    Copy,
    /// By `VACUUM INTO` of the host's `sqlite3`.
    VacuumInto,
}

impl Road {
    /// The word of the inventory and of the evidence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::VacuumInto => "vacuum-into",
        }
    }
}

/// A copy of one database below a directory that the inventory names, which is the consent to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Writes {
    /// The artifact whose `take:` permits it.
    pub artifact: String,
    /// Its instance.
    pub instance: String,
    /// The database.
    pub database: String,
    /// The directory that the inventory names.
    pub directory: String,
    /// How.
    pub road: Road,
}

/// One word of such a command.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Piece {
    /// Exactly this.
    Exact(String),
    /// What `mktemp` has chosen, between two known ends.
    Fresh {
        /// What stands before it.
        before: String,
        /// What stands behind it.
        after: String,
    },
}

impl Piece {
    /// What `word` has where this has something chosen; `Some("")` where nothing is.
    fn chosen<'w>(&self, word: &'w str) -> Option<&'w str> {
        match self {
            Self::Exact(exact) => (exact == word).then_some(""),
            Self::Fresh { before, after } => {
                let chosen = word.strip_prefix(before.as_str())?;
                let chosen = chosen.strip_suffix(after.as_str())?;
                is_chosen(chosen).then_some(chosen)
            }
        }
    }

    /// The word with `chosen` in it.
    fn with(&self, chosen: &str) -> String {
        match self {
            Self::Exact(exact) => exact.clone(),
            Self::Fresh { before, after } => format!("{before}{chosen}{after}"),
        }
    }
}

/// Whether `mktemp` could have chosen it: GNU's and BusyBox' take letters and digits (mktemp(1),
/// mkdtemp(3)).
fn is_chosen(text: &str) -> bool {
    text.len() == CHOSEN && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// What stands around the chosen part of a planned path such as `/var/tmp/gonogo-??????????/copy.db`;
/// `None` for every other path.
#[must_use]
pub fn fresh(pattern: &str) -> Option<Piece> {
    // Of an estate's thousands of paths hardly one has a hole.
    if !pattern.contains('?') {
        return None;
    }
    let holes = "?".repeat(CHOSEN);
    SUFFIXES.iter().find_map(|suffix| {
        let before = pattern.strip_suffix(&format!("{holes}/{COPY}{suffix}"))?;
        let is_plain = before.ends_with(&format!("/{NAME}")) && !before.contains(['*', '?', '[']);
        is_plain.then(|| Piece::Fresh {
            before: before.to_owned(),
            after: format!("/{COPY}{suffix}"),
        })
    })
}

/// Whether `path` is one that the planned pattern of a private copy leads to.
#[must_use]
pub fn leads_to(planned: &Piece, path: &str) -> bool {
    planned.chosen(path).is_some()
}

impl Writes {
    fn begin(&self) -> String {
        format!("{}/{NAME}", self.directory.trim_end_matches('/'))
    }

    fn inside(&self, after: &str) -> Piece {
        Piece::Fresh {
            before: self.begin(),
            after: after.to_owned(),
        }
    }

    /// Which part of the inventory permits it.
    #[must_use]
    pub fn permission(&self) -> String {
        format!(
            "permitted by `take:` of artifact {} of {}",
            self.artifact, self.instance
        )
    }

    /// Asks how much room the directory has; writes nothing.
    #[must_use]
    pub fn room(&self) -> Vec<String> {
        ["df", "-Pk", "--", &self.directory]
            .map(str::to_owned)
            .into()
    }

    /// Makes the private directory, which nobody else may enter.
    #[must_use]
    pub fn make(&self) -> Vec<String> {
        let template = format!("{}{}", self.begin(), "X".repeat(CHOSEN));
        ["mktemp", "-d", "--", &template].map(str::to_owned).into()
    }

    /// Every command that writes, in the order of their use.
    #[must_use]
    pub fn commands(&self) -> Vec<Vec<Piece>> {
        let exact = |words: Vec<String>| words.into_iter().map(Piece::Exact).collect::<Vec<_>>();
        let mut commands = vec![exact(self.make())];
        match self.road {
            Road::Copy => commands.extend(SUFFIXES.map(|suffix| self.copy(suffix))),
            Road::VacuumInto => commands.push(self.vacuum()),
        }
        commands.extend([self.clear(), self.remove()]);
        commands
    }

    fn copy(&self, suffix: &str) -> Vec<Piece> {
        let from = format!("{}{suffix}", self.database);
        let words = ["cp", "--", &from].map(|word| Piece::Exact(word.to_owned()));
        let to = self.inside(&format!("/{COPY}{suffix}"));
        words.into_iter().chain([to]).collect()
    }

    /// No init file of the account's, no prompt, no write to the database. The words hold no blank, for
    /// sudo compares arguments joined by blanks; a comment parts the words of SQL as well. The version
    /// comes first, so that it is known of an sqlite3 that does not know `VACUUM INTO`.
    fn vacuum(&self) -> Vec<Piece> {
        let words = ["sqlite3", "-batch", "-init", "/dev/null", "-readonly"];
        let database = format!("file:{}?mode=ro", escaped(&self.database));
        let sql = format!(
            "SELECT/**/sqlite_version();PRAGMA/**/busy_timeout={BUSY_MS};VACUUM/**/INTO'{}",
            self.begin().replace('\'', "''")
        );
        let words = words.iter().map(|word| Piece::Exact((*word).to_owned()));
        let into = Piece::Fresh {
            before: sql,
            after: format!("/{COPY}'"),
        };
        words.chain([Piece::Exact(database), into]).collect()
    }

    fn clear(&self) -> Vec<Piece> {
        let words = ["rm", "-f", "--"].map(|word| Piece::Exact(word.to_owned()));
        let files = SUFFIXES.map(|suffix| self.inside(&format!("/{COPY}{suffix}")));
        words.into_iter().chain(files).collect()
    }

    fn remove(&self) -> Vec<Piece> {
        let words = ["rmdir", "--"].map(|word| Piece::Exact(word.to_owned()));
        words.into_iter().chain([self.inside("")]).collect()
    }

    /// What is read of the private directory, as the plan prints it.
    #[must_use]
    pub fn copies(&self) -> Vec<String> {
        let holes = "?".repeat(CHOSEN);
        let suffixes = match self.road {
            Road::Copy => &SUFFIXES[..],
            Road::VacuumInto => &SUFFIXES[..1],
        };
        let path = |suffix: &&str| format!("{}{holes}/{COPY}{suffix}", self.begin());
        suffixes.iter().map(path).collect()
    }

    /// Whether `words` are one of [`Self::commands`], about one directory.
    #[must_use]
    pub fn allows(&self, words: &[String]) -> bool {
        self.commands().iter().any(|command| {
            let mut chosen = command
                .iter()
                .zip(words)
                .map(|(piece, word)| piece.chosen(word));
            let mut one = "";
            command.len() == words.len()
                && chosen.all(|chosen| match chosen {
                    None => false,
                    Some("") => true,
                    Some(chosen) if one.is_empty() || one == chosen => {
                        one = chosen;
                        true
                    }
                    Some(_) => false,
                })
        })
    }
}

/// Longest wait for a writer that holds the database.
const BUSY_MS: u32 = 2000;

/// A path as SQLite takes it in a URI (<https://www.sqlite.org/uri.html>, 3.1): all but letters, digits
/// and a few more by their bytes. `//` at the beginning would name another host.
fn escaped(path: &str) -> String {
    let path = format!("/{}", path.trim_start_matches('/'));
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A private directory that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scratch {
    writes: Writes,
    chosen: String,
}

impl Scratch {
    /// What `mktemp` printed, when it is what it was asked for.
    pub(super) fn made(writes: &Writes, printed: &[u8]) -> Option<Self> {
        let printed = std::str::from_utf8(printed).ok()?;
        let path = printed.strip_suffix('\n')?;
        let chosen = writes.inside("").chosen(path)?.to_owned();
        Some(Self {
            writes: writes.clone(),
            chosen,
        })
    }

    fn fill(&self, command: &[Piece]) -> Vec<String> {
        command
            .iter()
            .map(|piece| piece.with(&self.chosen))
            .collect()
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> String {
        self.writes.inside("").with(&self.chosen)
    }

    /// The path of the copy, or of what lies beside it.
    pub(super) fn file(&self, suffix: &str) -> String {
        format!("{}/{COPY}{suffix}", self.path())
    }

    pub(super) fn copy(&self, suffix: &str) -> Vec<String> {
        self.fill(&self.writes.copy(suffix))
    }

    pub(super) fn vacuum(&self) -> Vec<String> {
        self.fill(&self.writes.vacuum())
    }

    /// Removes the files that gonogo has put into it.
    #[must_use]
    pub fn clear(&self) -> Vec<String> {
        self.fill(&self.writes.clear())
    }

    /// Removes it; fails when it is not empty.
    #[must_use]
    pub fn remove(&self) -> Vec<String> {
        self.fill(&self.writes.remove())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writes(database: &str, directory: &str, road: Road) -> Writes {
        Writes {
            artifact: "statistics".into(),
            instance: "orders".into(),
            database: database.into(),
            directory: directory.into(),
            road,
        }
    }

    #[test]
    fn only_what_mktemp_could_have_made_is_filled_in() {
        let writes = writes("/o/stats.db", "/var/tmp/", Road::Copy);
        assert_eq!(writes.make()[3], "/var/tmp/gonogo-XXXXXXXXXX");
        let made = |printed: &str| Scratch::made(&writes, printed.as_bytes());
        let scratch = made("/var/tmp/gonogo-aB3dE6gH9k\n").unwrap();
        assert_eq!(scratch.path(), "/var/tmp/gonogo-aB3dE6gH9k");
        for bad in [
            "",
            "/var/tmp/gonogo-aB3dE6gH9k",
            "/var/tmp/gonogo-aB3dE6gH9k\n\n",
            "/var/tmp/gonogo-aB3dE6gH9\n",
            "/var/tmp/gonogo-aB3dE6gH9kk\n",
            "/var/tmp/gonogo-../../etc/\n",
            "/var/tmp/gonogo-aB3dE'gH9k\n",
            "/etc/gonogo-aB3dE6gH9k\n",
        ] {
            assert!(made(bad).is_none(), "{bad:?}");
        }
        for command in [
            scratch.copy(""),
            scratch.copy("-wal"),
            scratch.clear(),
            scratch.remove(),
        ] {
            assert!(writes.allows(&command), "{command:?}");
            for (at, _) in command.iter().enumerate() {
                let mut other = command.clone();
                other[at].push('x');
                assert!(!writes.allows(&other), "{other:?}");
            }
            let more = [&command[..], &["/etc/passwd".to_owned()]].concat();
            assert!(!writes.allows(&more) && !writes.allows(&command[..command.len() - 1]));
        }
        let mut two = scratch.clear();
        two[4] = two[4].replace("aB3dE6gH9k", "zzzzzzzzzz");
        assert!(!writes.allows(&two), "one command, one directory");
    }

    #[test]
    fn a_planned_copy_is_told_from_every_other_pattern() {
        let writes = writes("/o/s.db", "/var/tmp", Road::Copy);
        let planned: Vec<Piece> = writes
            .copies()
            .iter()
            .map(|path| fresh(path).unwrap())
            .collect();
        assert_eq!(planned.len(), 3);
        for (path, is_it) in [
            ("/var/tmp/gonogo-aB3dE6gH9k/copy.db", true),
            ("/var/tmp/gonogo-aB3dE6gH9k/copy.db-wal", false),
            ("/var/tmp/gonogo-aB3dE6gH./copy.db", false),
            ("/var/tmp/gonogo-aB3dE6gH9k/other", false),
        ] {
            assert_eq!(leads_to(&planned[0], path), is_it, "{path}");
        }
        for other in [
            "/a/*.db",
            "/x-??????????/copy.db",
            "/*/gonogo-??????????/copy.db",
        ] {
            assert_eq!(fresh(other), None, "{other}");
        }
    }

    /// The words reach `sqlite3` itself, which must find the database that was meant.
    #[test]
    fn every_name_reaches_sqlite3_as_it_is() {
        let root = tempfile::tempdir().unwrap();
        for name in [
            "plain.db",
            "it's 100% \"so\"?mode=rw&x#y.db",
            "ü;--.db",
            "a//b.db",
        ] {
            let directory = root.path().join("it's there");
            let database = root.path().join(name);
            std::fs::create_dir_all(database.parent().unwrap()).unwrap();
            std::fs::create_dir_all(&directory).unwrap();
            let db = rusqlite::Connection::open(&database).unwrap();
            db.execute_batch("CREATE TABLE t(x); INSERT INTO t VALUES (7);")
                .unwrap();
            drop(db);
            let text = |path: &std::path::Path| path.to_str().unwrap().to_owned();
            let database = root.path().to_str().unwrap().to_owned() + "/" + name;
            let writes = writes(&database, &text(&directory), Road::VacuumInto);
            let scratch = Scratch::made(
                &writes,
                format!("{}aB3dE6gH9k\n", writes.begin()).as_bytes(),
            );
            let scratch = scratch.unwrap();
            std::fs::create_dir_all(scratch.path()).unwrap();
            let words = scratch.vacuum();
            let ran = std::process::Command::new(&words[0])
                .args(&words[1..])
                .output()
                .unwrap();
            assert!(ran.status.success(), "{name}: {ran:?}");
            let copy = rusqlite::Connection::open(scratch.file("")).unwrap();
            let held: i64 = copy
                .query_row("SELECT x FROM t", (), |row| row.get(0))
                .unwrap();
            assert_eq!(held, 7);
            drop(copy);
            for words in [scratch.clear(), scratch.remove()] {
                let ran = std::process::Command::new(&words[0])
                    .args(&words[1..])
                    .status();
                assert!(ran.unwrap().success(), "{words:?}");
            }
        }
    }
}
