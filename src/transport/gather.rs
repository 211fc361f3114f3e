//! Small files of a set by one command, where the inventory consents (`gather: framed`): a listing, and for each file a
//! look, its bytes and a second look, each behind a mark that nobody can foresee. Everything has to add up, to the
//! last mark and the frame around all of it; what does not is not held here, and is read as if nobody had asked for
//! it. So there is no failure of this road's own but a deadline or a lost connection, and whatever is short, denied,
//! absent or no file is told apart by the road that reads each file by itself.
//!
//! What came waits in memory for the reads that follow at once, at most [`MOST`] bytes of it. Larger files stream.

mod archive;
mod printed;

use std::io::Write as _;
use std::time::{Duration, Instant};

use super::actor::Deadline;
use super::files::{self, Asked, Looks};
use super::sftp::{Fetched, Order};
use super::wire::Wire;
use super::{Command, Entry, ReadError, Receipt, Sink};
use crate::digest::Stream;
use crate::failure::{Failure, FailureKind};

/// Most bytes of files that one command prints.
const MOST: u64 = 4 << 20;
/// Most bytes of all the rest: 10,000 names of 255 bytes fit.
const MOST_ANSWER: u64 = 4 << 20;
/// Of a write-ahead log, what marks it.
const HEAD: u64 = 32;

// Plain sh, and no newline, which csh could not take as a login shell: `${IFS#??}` is one. Every process costs the host
// more than all that the shell does by itself, and a function within `$( )` would be one more. Its words: `s` looks at all
// paths at once, tells that and keeps it, `v` looks once more at what was read; `q` takes from what is kept the next size,
// of a file that there is room for; `h` reads one file, by the shell if it is wanted whole and is a single line to the byte
// (it reads a byte at a time: never from a large one), and else by `head`; `x` many by `tar`, in that order. `[ -r ]` saves a
// broken answer where reading would be denied, and proves nothing. Behind `"$d"$3` the shell puts what `*` means to it: a
// guess at which files will be wanted, for which of them are is known from what find has listed. Of more than 64 it gives
// up. GNU tar takes a backslash in a name for more than itself, and options from the environment.
const SCRIPT: &str = concat!(
    r#"n=$1 b=$2 i=${IFS#??}; shift 2; IFS=; cd / || exit 9; "#,
    r#"m() { printf '%s\0' "GNG+$n" "$@"; }; "#,
    r#"s() { e=$(stat -L -c %f/%s/%Y/%d/%i/%Z/%n -- "$@" 2>&1); r=$?; e=$e$i; [ $r = 0 ] || for f in "$@"; do [ ! -h "$f" ] || [ -e "$f" ] || r=99; done; m S $# "$@" $r "$e"; }; "#,
    r#"v() { m s $# "$@"; stat -L -c %f/%s/%Y/%d/%i/%Z/%n -- "$@" 2>&1; m e $?; }; "#,
    r#"q() { y=${e%%"/$1$i"*}; [ "$y" != "$e" ] || return; e=${e#*"/$1$i"}; y=${y##*"$i"}; "#,
    r#"case $1 in *\\*) return 1 ;; esac; case $y in 8???/[1-9]*) ;; *) return 1 ;; esac; [ -r "$1" ] || return; "#,
    r#"z=${y#*/}; z=${z%%/*}; [ "$z" -le $b ] || return; b=$((b-z)); }; "#,
    r#"h() { m C "$1" $2; if [ "$3" ] && [ $2 -le 256 ] && read -r y <"$1" && [ ${#y} = $(($2-1)) ]; then printf '%s\n' "$y"; else head -c $2 -- "$1"; fi; m c $?; }; "#,
    r#"k() { command -v tar >/dev/null 2>&1; }; "#,
    r#"x() { m A $# "$@"; TAR_OPTIONS= tar -c -f - -h --no-recursion --numeric-owner -C / -- "$@"; m c $?; }; "#,
    r#"c() { u=$#; for f in "$@"; do q "$f" || continue; [ $t != 1 ] || h "$f" $z w; "#,
    r#"set -- "$@" "${f#/}"; done; shift $u; [ $# != 0 ] || return 0; [ $t = 1 ] || x "$@"; v "$@"; }; "#,
    r#"if [ "$1" = t ]; then m T; date -u +%s; shift; fi; case $1 in f) shift; t=1; s "$@"; c "$@" ;; "#,
    r#"l) d=$2; set -- "$d"$3; [ $# -le 64 ] || exit 9; m L "$d"; find "$d" -mindepth 1 -maxdepth 1 -print0; m l $?; t=$#; [ $t = 1 ] || k || t=1; s "$@"; c "$@" ;; "#,
    r#"d) w=$2-wal; s "$2" "$w" "$2-journal"; "#,
    r#"if [ -s "$w" ] && [ ! -s "$2-journal" ] && q "$2" && u=$z && q "$w" && [ $z -ge 32 ]; then h "$w" 32; "#,
    r#"if k; then x "${2#/}" "${w#/}"; else h "$2" $u; h "$w" $z; fi; h "$w" 32; v "${2#/}" "${w#/}"; fi ;; "#,
    r#"*) exit 9 ;; esac; m E"#
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
        let mut add = |more: &[&str]| words.extend(more.iter().map(|word| (*word).to_owned()));
        match self {
            Self::Door(paths) => {
                add(&["t", "f"]);
                words.extend_from_slice(paths);
            }
            Self::Set(pattern) => match pattern.rsplit_once('/') {
                Some((directory, name)) if name.contains('*') => {
                    add(&["l", &format!("{directory}/"), name]);
                }
                _ => add(&["f", pattern]),
            },
            Self::Database(path) => add(&["d", path]),
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
    let stderr = match far.framed(&command.0, MOST + MOST_ANSWER, deadline, &mut keep) {
        Ok((0, stderr)) => stderr,
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
    };
    let Some(found) =
        printed::read(&stdout, &stderr, &nonce).and_then(|printed| printed.judged(what))
    else {
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

#[cfg(test)]
#[path = "gather_tests.rs"]
mod tests;
