//! One planned command with what varies from one time to the next left open: the plan prints it, and a
//! grant of rights has to allow it and nothing beside it. Runs nothing.

use std::borrow::Cow;

use crate::inventory::Elevate;
use crate::steps::command_line;
use crate::steps::statistics::{Piece, Writes, fresh};
use crate::transport::{
    Command, Gathering, elevated, link_command, list_command, read_command, stat_command,
    trail_commands,
};

/// One word of a planned command.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// Exactly this.
    Exact(String),
    /// A path that this pattern leads to: `*`, `?` and `[…]` within a component.
    Path(String),
    /// The size that a file has when it is read: digits.
    Size,
    /// Digits that nobody can foresee: they mark where a file begins and ends.
    Nonce,
    /// Ten letters or digits that `mktemp` chooses, between two known ends.
    Fresh {
        /// What stands before them.
        before: String,
        /// What stands behind them.
        after: String,
    },
}

/// One command as it reaches the host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Planned {
    /// What goes before it where the login is elevated: `sudo`, its options and `--`.
    pub sudo: Vec<String>,
    /// The program and its arguments.
    pub words: Vec<Word>,
}

impl Planned {
    /// A command of which everything is known.
    pub(super) fn exact(command: Command) -> Self {
        Self {
            sudo: Vec::new(),
            words: command.0.into_iter().map(Word::Exact).collect(),
        }
    }

    /// The commands that read the files of `pattern` where SFTP does not.
    pub(super) fn reading(pattern: &str) -> Vec<Self> {
        let mut planned = Self::listing(pattern);
        // A size that is no other word of the command.
        let mut head = Self::about(read_command(pattern, u64::MAX), pattern);
        for word in &mut head.words {
            if *word == Word::Exact(u64::MAX.to_string()) {
                *word = Word::Size;
            }
        }
        planned.push(head);
        planned
    }

    /// The command that reads files together.
    pub(super) fn gathering(what: &Gathering) -> Self {
        const NONCE: &str = "\u{1}";
        let mut planned = Self::exact(what.command(NONCE));
        for word in &mut planned.words {
            if *word == Word::Exact(NONCE.to_owned()) {
                *word = Word::Nonce;
            }
        }
        planned
    }

    /// The commands that list the files of `pattern` where SFTP does not.
    pub(super) fn listing(pattern: &str) -> Vec<Self> {
        let mut planned = vec![
            Self::about(stat_command(pattern), pattern),
            Self::about(link_command(pattern), pattern),
        ];
        if fresh(pattern).is_some() {
            // Its name is known by then: nobody lists the directory above it.
            return planned;
        }
        let parts: Vec<&str> = pattern.split('/').collect();
        for (depth, _) in parts.iter().enumerate().filter(|(_, part)| is_glob(part)) {
            let list = list_command(&parts[..depth].join("/"));
            let directory = list.0.get(1).cloned().unwrap_or_default();
            planned.push(Self::about(list, &directory));
        }
        planned
    }

    /// The commands that write a private copy and remove it again.
    pub(super) fn writing(writes: &Writes) -> impl Iterator<Item = Self> {
        let planned = |pieces: Vec<Piece>| Self {
            sudo: Vec::new(),
            words: pieces.into_iter().map(Word::from).collect(),
        };
        writes.commands().into_iter().map(planned)
    }

    /// The commands that look at each element of `path`, which may be a pattern.
    pub(super) fn trail(elevate: &Elevate, path: &str) -> [Self; 2] {
        trail_commands(elevate, path).map(|command| Self::about(command, path))
    }

    fn about(command: Command, path: &str) -> Self {
        let mut planned = Self::exact(command);
        if !is_glob(path) {
            return planned;
        }
        for word in &mut planned.words {
            if matches!(word, Word::Exact(exact) if exact == path) {
                *word = match fresh(path) {
                    Some(piece) => piece.into(),
                    None => Word::Path(path.to_owned()),
                };
            }
        }
        planned
    }

    /// The same as it reaches the host under `elevate`.
    pub(super) fn elevated(mut self, elevate: &Elevate) -> Self {
        self.sudo = elevated(elevate, &Command(Vec::new())).0;
        self
    }

    /// Whether it is good for one time alone. What a person would type instead is planned beside it.
    #[must_use]
    pub fn has_nonce(&self) -> bool {
        self.words.contains(&Word::Nonce)
    }

    /// As the plan prints it: a pattern stands for each path that it leads to, `SIZE` for digits.
    #[must_use]
    pub fn line(&self) -> String {
        let sudo = self.sudo.iter().map(|word| Cow::Borrowed(word.as_str()));
        command_line(sudo.chain(self.words.iter().map(Word::said)))
    }
}

impl Word {
    fn said(&self) -> Cow<'_, str> {
        match self {
            Self::Exact(word) | Self::Path(word) => Cow::Borrowed(word),
            Self::Size => Cow::Borrowed("SIZE"),
            Self::Nonce => Cow::Borrowed("NONCE"),
            Self::Fresh { before, after } => Cow::Owned(format!("{before}??????????{after}")),
        }
    }
}

impl From<Piece> for Word {
    fn from(piece: Piece) -> Self {
        match piece {
            Piece::Exact(word) => Self::Exact(word),
            Piece::Fresh { before, after } => Self::Fresh { before, after },
        }
    }
}

/// True where a path stands for several.
pub(in crate::plan) fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '['])
}
