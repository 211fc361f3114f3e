//! What a command runs in the end: wrappers are taken off, shell strings are taken apart, and what cannot be
//! seen through is looked at word by word. Judges nothing.

use super::shell;
use super::wrappers::{self, Then, Wrapper};

/// Deepest nesting of wrappers that is taken off.
const DEEPEST: usize = 16;

/// One thing that a command runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// A program and its arguments.
    Command(Vec<String>),
    /// Text of which any word may be a program.
    Blurred(String),
}

impl Seen {
    /// All of it in one line.
    pub fn text(&self) -> String {
        match self {
            Self::Command(words) => words.join(" "),
            Self::Blurred(text) => text.clone(),
        }
    }
}

/// Everything that these words run, as far as it can be told.
pub(super) fn through(words: &[String]) -> Vec<Seen> {
    let mut seen = Vec::new();
    look(words, 0, &mut seen);
    seen
}

fn look(words: &[String], depth: usize, seen: &mut Vec<Seen>) {
    let Some((program, arguments)) = words.split_first() else {
        return;
    };
    if depth > DEEPEST {
        seen.push(Seen::Blurred(words.join(" ")));
        return;
    }
    seen.push(Seen::Command(words.to_vec()));
    let base = program.rsplit('/').next().unwrap_or(program);
    if wrappers::is_shell(base) {
        shell_words(arguments, depth, seen);
    } else if wrappers::is_interpreter(base) {
        seen.push(Seen::Blurred(arguments.join(" ")));
    } else if base == "find" {
        executed_by_find(arguments, depth, seen);
    } else if base.starts_with("socat") {
        executed_by_socat(arguments, depth, seen);
    } else if let Some(wrapper) = wrappers::named(base) {
        unwrap(&wrapper, arguments, depth, seen);
    }
}

/// What a wrapper starts.
fn unwrap(wrapper: &Wrapper, arguments: &[String], depth: usize, seen: &mut Vec<Seen>) {
    let options = wrapper.options(arguments);
    if options.is_strange {
        // An option that is not known may take the next word with it, or be a command itself.
        seen.push(Seen::Blurred(arguments.join(" ")));
    }
    for string in options.strings {
        shell_string(&string, &[], depth, seen);
    }
    let rest = &arguments[options.taken..];
    match wrapper.then {
        Then::Program => look(rest, depth + 1, seen),
        Then::Shell => shell_string(&rest.join(" "), &[], depth, seen),
    }
}

/// `sh -c STRING NAME ARGUMENT…`; a script's content is nobody's to see.
fn shell_words(arguments: &[String], depth: usize, seen: &mut Vec<Seen>) {
    let (mut is_string, mut at) = (false, 0);
    while let Some(word) = arguments.get(at) {
        at += 1;
        let Some(letters) = word
            .strip_prefix(['-', '+'])
            .filter(|rest| !rest.is_empty())
        else {
            if is_string {
                shell_string(word, &arguments[at..], depth, seen);
            }
            return;
        };
        is_string |= !letters.starts_with('-') && letters.contains('c');
        // `-o pipefail`, `--rcfile FILE`: the next word is theirs.
        let takes = !letters.starts_with('-') && letters.ends_with(['o', 'O']);
        at += usize::from(takes || matches!(letters, "-rcfile" | "-init-file"));
    }
}

fn shell_string(text: &str, arguments: &[String], depth: usize, seen: &mut Vec<Seen>) {
    let read = shell::commands(text);
    if read.is_blurred || depth > DEEPEST {
        let whole = [&[text.to_owned()], arguments].concat();
        seen.push(Seen::Blurred(whole.join(" ")));
    }
    for target in read.written {
        seen.push(Seen::Command(vec![">".to_owned(), target]));
    }
    for words in read.commands {
        match words.first().map(String::as_str) {
            Some("eval") => shell_string(&words[1..].join(" "), &[], depth + 1, seen),
            Some("trap" | "." | "source") => seen.push(Seen::Blurred(words[1..].join(" "))),
            _ => look(&words, depth + 1, seen),
        }
    }
}

/// `socat EXEC:COMMAND!!STDOUT SYSTEM:STRING,OPTION`
fn executed_by_socat(arguments: &[String], depth: usize, seen: &mut Vec<Seen>) {
    for address in arguments.iter().flat_map(|word| word.split("!!")) {
        let Some((kind, command)) = address.split_once(':') else {
            continue;
        };
        let kind = kind.trim_start_matches(['"', '\'']).to_ascii_lowercase();
        if matches!(kind.as_str(), "exec" | "system" | "shell") {
            let command = command.trim_matches(['"', '\'']);
            shell_string(command, &[], depth, seen);
        }
    }
}

/// `find … -exec COMMAND ;`
fn executed_by_find(arguments: &[String], depth: usize, seen: &mut Vec<Seen>) {
    let starts = |word: &String| matches!(word.as_str(), "-exec" | "-execdir" | "-ok" | "-okdir");
    let mut rest = arguments;
    while let Some(at) = rest.iter().position(starts) {
        rest = &rest[at + 1..];
        let end = rest
            .iter()
            .position(|word| matches!(word.as_str(), ";" | "+"));
        let command = &rest[..end.unwrap_or(rest.len())];
        look(command, depth + 1, seen);
    }
}
