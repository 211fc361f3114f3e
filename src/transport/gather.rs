//! Small files of a set by one command, where the inventory consents (`gather: framed`): a listing, and for each file a
//! look, its bytes and a second look, each behind a mark that nobody can foresee. Everything has to add up, to the
//! last mark and the frame around all of it; what does not is not held here, and is read as if nobody had asked for
//! it. So there is no failure of this road's own but a deadline or a lost connection, and whatever is short, denied,
//! absent or no file is told apart by the road that reads each file by itself.
//!
//! What came waits in memory for the reads that follow at once, at most [`MOST`] bytes of it. Larger files stream.

use std::io::Write as _;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::actor::Deadline;
use super::files::{self, Asked, Looks};
use super::glob::{self, Shelf};
use super::sftp::{Fetched, Order};
use super::wire::Wire;
use super::{Command, Entry, EntryKind, ReadError, Receipt, Sink, shell_files};
use crate::digest::Stream;
use crate::failure::{Failure, FailureKind};

/// Most bytes of files that one command prints.
const MOST: u64 = 4 << 20;
/// Most bytes of all the rest: 10,000 names of 255 bytes fit.
const MOST_ANSWER: u64 = 4 << 20;
/// Of a write-ahead log, what marks it.
const HEAD: u64 = 32;
const RS: u8 = 0x1e;

// Plain sh, and no newline, which csh could not take as a login shell. `[ -r ]` saves a broken frame where reading would
// be denied, and proves nothing. Behind `"$2"$3` the shell puts what `*` means to it: a guess at which files will be
// wanted, for which of them are is known from what find has listed. Of many files each would cost the host three
// processes: beyond 64 it gives up.
const SCRIPT: &str = concat!(
    r#"n=$1 b=$2; shift 2; IFS=; "#,
    r#"m() { printf '\036GNG+%s' "$n"; printf '\0%s' "$@"; printf '\0'; }; "#,
    r#"a() { e=$(stat -L -c %f/%s/%Y/%d/%i -- "$1" 2>&1); r=$?; }; "#,
    r#"s() { a "$1"; [ $r = 0 ] || [ ! -h "$1" ] || r=99; m S "$1" $r "$e"; }; "#,
    r#"c() { s "$1"; [ $r = 0 ] || return; case $e in 8???/[1-9]*) ;; *) return 1 ;; esac; [ -r "$1" ] || return; "#,
    r#"z=${e#*/}; z=${z%%/*}; [ -z "$2" ] || [ "$z" -le "$2" ] || z=$2; [ "$z" -le $b ] || return; b=$((b-z)); "#,
    r#"m C "$z" "$2"; head -c "$z" -- "$1"; h=$?; a "$1"; m c $h "$e"; }; "#,
    r#"while [ $# -gt 0 ]; do case $1 in t) m T "$(date -u +%s)"; shift ;; s) s "$2"; shift 2 ;; "#,
    r#"f) c "$2" ''; shift 2 ;; "#,
    r#"d) if [ -s "$2-wal" ] && [ ! -s "$2-journal" ]; then c "$2-wal" 32 && c "$2" '' && c "$2-wal" '' && c "$2-wal" 32; fi; shift 2 ;; "#,
    r#"l) k=0; for f in "$2"$3; do k=$((k+1)); done; [ $k -le 64 ] || exit 9; m L "$2"; find "$2" -mindepth 1 -maxdepth 1 -print0; m l $?; for f in "$2"$3; do c "$f" ''; done; shift 3 ;; "#,
    r#"*) exit 9 ;; esac; done; m E"#
);

/// What one command reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gathering {
    /// The clock, and what says which machine it is.
    Door(Vec<String>),
    /// The files that a pattern means.
    Set(String),
    /// A database whose log decides, in the order that its proof asks for: the log's mark, the database, the log, and
    /// its mark again, each opened when the one before it had been read.
    Database(String),
}

impl Gathering {
    /// The files of `pattern`, if a shell and gonogo cannot but mean the same by it.
    #[must_use]
    pub fn set(pattern: &str) -> Option<Self> {
        let (directory, name) = pattern.rsplit_once('/')?;
        let is_plain =
            |text: &str| !text.contains(['?', '[', ']', '\\']) && !text.contains(char::is_control);
        let is_whole = pattern.starts_with('/') && !name.is_empty() && !directory.contains('*');
        let is_normal = !pattern
            .split('/')
            .skip(1)
            .any(|part| matches!(part, "" | "." | ".." | "**"));
        (is_plain(pattern) && is_whole && is_normal).then(|| Self::Set(pattern.to_owned()))
    }

    /// That database, if its path is one and no pattern.
    #[must_use]
    pub fn database(path: &str) -> Option<Self> {
        match Self::set(path)? {
            Self::Set(path) if !path.contains('*') => Some(Self::Database(path)),
            _ => None,
        }
    }

    /// Everything that it opens or lists.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        match self {
            Self::Door(files) => files.clone(),
            Self::Set(pattern) => vec![pattern.clone()],
            Self::Database(path) => ["", "-wal", "-journal"]
                .map(|end| format!("{path}{end}"))
                .into(),
        }
    }

    /// The command, its marks made of `nonce`.
    #[must_use]
    pub fn command(&self, nonce: &str) -> Command {
        let mut words = vec!["sh", "-c", SCRIPT, "gonogo", nonce]
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>();
        words.push(MOST.to_string());
        let mut add = |kind: &str, path: &str| words.extend([kind.to_owned(), path.to_owned()]);
        match self {
            Self::Door(paths) => {
                for path in paths {
                    add("f", path);
                }
                words.push("t".to_owned());
            }
            Self::Set(pattern) => match pattern.rsplit_once('/') {
                Some((directory, name)) if name.contains('*') => {
                    add("l", &format!("{directory}/"));
                    words.push(name.to_owned());
                }
                _ => add("f", pattern),
            },
            Self::Database(path) => {
                add("s", path);
                add("s", &format!("{path}-wal"));
                add("s", &format!("{path}-journal"));
                add("d", path);
            }
        }
        Command(words)
    }
}

/// One file as it was printed.
#[derive(Debug, PartialEq)]
struct Held {
    entry: Entry,
    /// Its first bytes alone.
    most: Option<u64>,
    bytes: Vec<u8>,
}

/// What came by one command and was not asked for yet.
#[derive(Default)]
pub(super) struct Gathered {
    /// When the command began, when it had ended, and how long it took.
    when: Option<(Instant, Instant)>,
    listing: Option<(String, Vec<Entry>)>,
    looked: Vec<(String, Result<Entry, Failure>)>,
    set: Vec<Held>,
    turn: Vec<Held>,
    /// This account runs no such command.
    never: bool,
}

impl Gathered {
    fn clear(&mut self) {
        *self = Self {
            never: self.never,
            ..Self::default()
        };
    }

    fn is_fresh(&self) -> bool {
        self.when
            .is_some_and(|(_, ended)| ended.elapsed() < Looks::FRESH)
    }

    /// The listing of `pattern`, once, and since when it holds.
    pub(super) fn list(&mut self, pattern: &str) -> Option<(Vec<Entry>, Instant)> {
        let (began, _) = self.when.filter(|_| self.is_fresh())?;
        let (_, entries) = self.listing.take_if(|(of, _)| of == pattern)?;
        Some((entries, began))
    }

    /// What is at each path, once, if all of them were looked at.
    pub(super) fn look_all(&mut self, paths: &[String]) -> Option<Vec<Result<Entry, Failure>>> {
        let looked = std::mem::take(&mut self.looked);
        let found = |path: &String| {
            looked
                .iter()
                .find(|(of, _)| of == path)
                .map(|(_, found)| found.clone())
        };
        let found: Option<Vec<_>> = paths.iter().map(found).collect();
        found.filter(|_| self.is_fresh())
    }

    /// What is held of each, once: of files that are read in turn all of them or none, for half of an order proves
    /// nothing.
    fn take<'a>(
        &mut self,
        order: Order,
        asked: impl ExactSizeIterator<Item = &'a Asked> + Clone,
    ) -> Vec<Option<Held>> {
        if !self.is_fresh() {
            return asked.map(|_| None).collect();
        }
        match order {
            Order::Together => asked
                .map(|asked| {
                    let at = self.set.iter().position(|held| held.is(asked))?;
                    Some(self.set.swap_remove(at))
                })
                .collect(),
            Order::InTurn => {
                let turn = std::mem::take(&mut self.turn);
                let is_it = turn.len() == asked.len()
                    && turn
                        .iter()
                        .zip(asked.clone())
                        .all(|(held, asked)| held.is(asked));
                match is_it {
                    true => turn.into_iter().map(Some).collect(),
                    false => asked.map(|_| None).collect(),
                }
            }
        }
    }

    fn took(&self) -> Duration {
        self.when
            .map(|(began, ended)| ended - began)
            .unwrap_or_default()
    }
}

impl Held {
    fn is(&self, asked: &Asked) -> bool {
        asked.path == self.entry.path
            && asked.span.from == 0
            && asked.span.most == self.most
            && asked
                .wanted(self.entry.size)
                .is_ok_and(|wanted| wanted == self.bytes.len() as u64)
    }

    fn pour(self, mut sink: Sink) -> Result<Receipt, ReadError> {
        let mut hash = Stream::default();
        hash.update(&self.bytes);
        let poured = sink.write_all(&self.bytes).and_then(|()| sink.flush());
        poured.map_err(ReadError::Sink)?;
        Ok(Receipt {
            path: self.entry.path,
            bytes: self.bytes.len() as u64,
            size: self.entry.size,
            sha256: hash.finish(),
            modified: self.entry.modified,
            method: "exec",
        })
    }
}

/// What is held of `asked`, each into its sink; the rest by `road`. One answer for each.
pub(super) fn serve<W: Wire>(
    far: &mut W,
    asked: Vec<(Asked, Sink)>,
    order: Order,
    road: impl FnOnce(&mut W, Vec<(Asked, Sink)>) -> Vec<Fetched>,
) -> Vec<Fetched> {
    let gathered = &mut far.looks().gathered;
    let held = gathered.take(order, asked.iter().map(|(asked, _)| asked));
    let took = gathered.took();
    if held.iter().all(Option::is_none) {
        return road(far, asked);
    }
    let began = Instant::now();
    let (mut fetched, mut left) = (Vec::with_capacity(asked.len()), Vec::new());
    let mut has_failed = false;
    for ((asked, sink), held) in asked.into_iter().zip(held) {
        fetched.push(match held {
            Some(_) if has_failed && order == Order::InTurn => {
                Some((Err(files::not_reached().into()), took))
            }
            Some(held) => {
                let poured = held.pour(sink);
                has_failed |= poured.is_err();
                Some((poured, took + began.elapsed()))
            }
            None => {
                left.push((asked, sink));
                None
            }
        });
    }
    let mut rest = match left.is_empty() {
        true => Vec::new(),
        false => road(far, left),
    }
    .into_iter();
    let gone = || (Err(super::actor::gone().into()), began.elapsed());
    let fetched = fetched.into_iter();
    fetched
        .map(|one| one.or_else(|| rest.next()).unwrap_or_else(gone))
        .collect()
}

/// Runs the command and keeps what adds up. What the host's clock shows comes back, where that was asked.
///
/// # Errors
/// A deadline or a lost connection: after those the session is over.
pub(super) fn gather(
    far: &mut impl Wire,
    what: &Gathering,
    deadline: &Deadline,
) -> Result<Option<String>, Failure> {
    far.looks().gathered.clear();
    if far.looks().gathered.never {
        return Ok(None);
    }
    let Some(nonce) = nonce() else {
        return Ok(None);
    };
    let (began, mut stdout) = (Instant::now(), Vec::new());
    let mut keep = |piece: &[u8]| {
        stdout.extend_from_slice(piece);
        Ok(())
    };
    let command = what.command(&nonce);
    match far.framed(&command.0, MOST + MOST_ANSWER, deadline, &mut keep) {
        Ok((0, _)) => {}
        Ok(_) => return Ok(None),
        Err(error) => match error.told() {
            Ok(failure)
                if matches!(
                    failure.kind,
                    FailureKind::Timeout | FailureKind::Unreachable
                ) =>
            {
                return Err(failure);
            }
            Ok(failure) => {
                far.looks().gathered.never = failure.kind == FailureKind::Shell;
                return Ok(None);
            }
            Err(_) => return Ok(None),
        },
    }
    let Some(found) = read(&stdout, &nonce).and_then(|printed| printed.judged(what)) else {
        return Ok(None);
    };
    let (gathered, date) = found;
    far.looks().gathered = Gathered {
        when: Some((began, Instant::now())),
        ..gathered
    };
    Ok(date)
}

/// Decimal digits that do not begin with 0, as a forced command takes them.
fn nonce() -> Option<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(format!("1{:039}", u128::from_be_bytes(bytes)))
}

/// What `stat` said of a path.
#[derive(Clone, PartialEq)]
struct Stated {
    entry: Entry,
    /// File system and number of it.
    node: String,
}

impl Stated {
    fn of(path: &str, line: &str) -> Option<Self> {
        let (mode, rest) = line.split_once('/')?;
        let (size, rest) = rest.split_once('/')?;
        let (seconds, node) = rest.split_once('/')?;
        let (device, number) = node.split_once('/')?;
        let is_number =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        (is_number(device) && is_number(number)).then_some(())?;
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

    /// Whether it still is the file that it was, and has what it had.
    fn is_still(&self, now: &Self) -> bool {
        self.node == now.node
            && now.entry.kind == EntryKind::File
            && now.entry.size >= self.entry.size
    }
}

/// Everything that one command has printed.
#[derive(Default)]
struct Printed {
    date: Option<String>,
    listed: Option<(String, Vec<u8>)>,
    looked: Vec<(String, Result<Entry, Failure>)>,
    held: Vec<Held>,
}

/// What stands between the marks; `None` unless every one of them is where it has to be.
fn read(printed: &[u8], nonce: &str) -> Option<Printed> {
    let mut rest = Rest {
        bytes: printed,
        mark: [&[RS][..], b"GNG+", nonce.as_bytes(), &[0]].concat(),
    };
    let mut found = Printed::default();
    let mut last = None::<Stated>;
    loop {
        rest.mark()?;
        let before = last.take();
        match rest.field()? {
            "T" => found.date = Some(rest.field()?.to_owned()),
            "L" => {
                let directory = rest.field()?.to_owned();
                let names = rest.names()?;
                (rest.field()? == "l" && rest.field()? == "0").then_some(())?;
                found.listed = Some((directory, names));
            }
            "S" => {
                let (path, status, said) = (rest.field()?.to_owned(), rest.field()?, rest.field()?);
                let looked = match status {
                    "0" => {
                        let stated = Stated::of(&path, said)?;
                        last = Some(stated.clone());
                        Ok(stated.entry)
                    }
                    // Of a link, and of any other word of `stat`, more has to be asked.
                    "1" if said.ends_with(": No such file or directory") => {
                        Err(files::missing(&path))
                    }
                    _ => return None,
                };
                found.looked.push((path, looked));
            }
            "C" => {
                let before = before?;
                let size: u64 = rest.field()?.parse().ok()?;
                let most = match rest.field()? {
                    "" => None,
                    most => Some(most.parse().ok()?),
                };
                let bytes = rest.take(size)?.to_vec();
                rest.mark()?;
                (rest.field()? == "c").then_some(())?;
                let (status, said) = (rest.field()?, rest.field()?);
                let now = Stated::of(&before.entry.path, said);
                let wanted =
                    most.map_or(before.entry.size, |most: u64| most.min(before.entry.size));
                if status == "0" && size == wanted && now.is_some_and(|now| before.is_still(&now)) {
                    found.held.push(Held {
                        entry: before.entry,
                        most,
                        bytes,
                    });
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

    fn take(&mut self, size: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(usize::try_from(size).ok()?)?;
        self.bytes = rest;
        Some(taken)
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

impl Printed {
    /// What is held of it for the reads that will follow; `None` where it is not what was asked.
    fn judged(mut self, what: &Gathering) -> Option<(Gathered, Option<String>)> {
        let mut gathered = Gathered::default();
        match what {
            Gathering::Door(_) => gathered.set = self.held,
            Gathering::Set(pattern) => {
                let entries = glob::expand(&mut self, pattern).ok()?;
                // That there is nothing has to be found out in earnest.
                (!entries.is_empty()).then_some(())?;
                self.held.retain(|held| entries.contains(&held.entry));
                gathered.listing = Some((pattern.clone(), entries));
                gathered.set = self.held;
            }
            Gathering::Database(path) => {
                let wal = format!("{path}-wal");
                let order = [
                    (&wal, Some(HEAD)),
                    (path, None),
                    (&wal, None),
                    (&wal, Some(HEAD)),
                ];
                let is = |(held, asked): (&Held, (&String, Option<u64>))| {
                    (&held.entry.path, held.most) == asked
                };
                if self.held.len() == order.len() && self.held.iter().zip(order).all(is) {
                    gathered.turn = self.held;
                }
                gathered.looked = self.looked;
            }
        }
        Some((gathered, self.date))
    }
}

/// What the command has printed, as a place to look for files.
impl Shelf for Printed {
    fn look(&mut self, path: &str) -> Result<Entry, Failure> {
        let found = self.looked.iter().find(|(of, _)| of == path);
        match found {
            Some((_, found)) => found.clone(),
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

#[cfg(test)]
#[path = "gather_tests.rs"]
mod tests;
