//! The simple commands of a shell string (POSIX shell command language, 2.9): enough to see which words
//! stand where a program's name stands. Expands nothing.

/// What was read.
pub(super) struct Read {
    /// Each simple command, quotes taken off, words for the shell and assignments before it left out.
    pub commands: Vec<Vec<String>>,
    /// Some program's name is only known when it runs.
    pub is_blurred: bool,
    /// Where redirections of output lead.
    pub written: Vec<String>,
}

/// Words that stand before a command.
const RESERVED: [&str; 15] = [
    "if", "then", "elif", "else", "do", "while", "until", "!", "time", "{", "exec", "command",
    "builtin", "nohup", "coproc",
];

/// Reads a shell string.
pub(super) fn commands(text: &str) -> Read {
    let mut reader = Reader::default();
    reader.read(text);
    let mut read = Read {
        commands: Vec::new(),
        is_blurred: false,
        written: reader.written,
    };
    for command in reader.commands {
        let assigns = |word: &String| {
            let name = word.split_once('=').map(|(name, _)| name);
            name.is_some_and(|name| {
                !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_')
            })
        };
        let begin = command.iter().position(|word| {
            !word.is_empty() && !RESERVED.contains(&word.as_str()) && !assigns(word)
        });
        let Some(begin) = begin else { continue };
        let words = command[begin..].to_vec();
        read.is_blurred |= words[0].contains(['$', '`', '*', '?', '[', '~']);
        read.commands.push(words);
    }
    read
}

#[derive(Default)]
struct Reader {
    commands: Vec<Vec<String>>,
    command: Vec<String>,
    word: String,
    in_word: bool,
    /// The next word is where a redirection leads, and whether one of output.
    redirected: Option<bool>,
    written: Vec<String>,
}

impl Reader {
    fn read(&mut self, text: &str) {
        let mut chars = text.chars().peekable();
        // In a substitution within quotes nothing is quoted, until it ends.
        let (mut quoted, mut outside, mut ticked) = (false, Vec::new(), None);
        while let Some(c) = chars.next() {
            match c {
                '\'' if !quoted => {
                    self.in_word = true;
                    self.word.extend(chars.by_ref().take_while(|&c| c != '\''));
                }
                '"' => {
                    quoted = !quoted;
                    self.in_word = true;
                }
                '\\' => {
                    if let Some(next) = chars.next().filter(|&next| next != '\n') {
                        self.push(next);
                    }
                }
                // A substitution is a command of its own, in quotes too.
                '$' if chars.peek() == Some(&'(') => {
                    chars.next();
                    self.push('$');
                    self.end_command();
                    outside.push(std::mem::take(&mut quoted));
                }
                '`' => {
                    match ticked.take() {
                        Some(before) => quoted = before,
                        None => {
                            self.push('$');
                            ticked = Some(std::mem::take(&mut quoted));
                        }
                    }
                    self.end_command();
                }
                _ if quoted => self.push(c),
                '(' => {
                    self.end_command();
                    outside.push(false);
                }
                ')' => {
                    self.end_command();
                    quoted = outside.pop().unwrap_or_default();
                }
                ';' | '&' | '|' | '\n' => self.end_command(),
                '<' | '>' => {
                    // `2>&1`: the digit is no word, nor is what follows.
                    self.word.clear();
                    self.in_word = false;
                    let (mut writes, mut last) = (c == '>', c);
                    while let Some(more) = chars.next_if(|&c| matches!(c, '<' | '>' | '&' | '|')) {
                        (writes, last) = (writes || more == '>', more);
                    }
                    // `>&2` and `>&-` name no file; `>& FILE` does in some shells.
                    let digit = |&c: &char| c.is_ascii_digit() || c == '-';
                    writes &= !(last == '&' && chars.peek().is_some_and(digit));
                    self.redirected = Some(writes);
                }
                ' ' | '\t' => self.end_word(),
                _ => self.push(c),
            }
        }
        self.end_command();
    }

    fn push(&mut self, c: char) {
        self.in_word = true;
        self.word.push(c);
    }

    fn end_word(&mut self) {
        if !self.in_word {
            return;
        }
        let word = std::mem::take(&mut self.word);
        self.in_word = false;
        match self.redirected.take() {
            None => self.command.push(word),
            Some(true) => self.written.push(word),
            Some(false) => {}
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.redirected = None;
        if !self.command.is_empty() {
            self.commands.push(std::mem::take(&mut self.command));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_where_a_shell_finds_them() {
        for (text, programs) in [
            ("kill 1", vec!["kill"]),
            ("cat kill", vec!["cat"]),
            ("true && k\"il\"l 1", vec!["true", "kill"]),
            ("A=1 B=2 kill 1", vec!["kill"]),
            ("if true; then kill 1; fi", vec!["true", "kill", "fi"]),
            ("echo $(kill 1)", vec!["echo", "kill"]),
            ("echo \"x `kill 1`\"", vec!["echo", "kill"]),
            ("echo 'kill; kill'", vec!["echo"]),
            ("cat < kill > rm 2>&1; ls", vec!["cat", "ls"]),
            ("a|b;c&d\ne", vec!["a", "b", "c", "d", "e"]),
            ("k\\ill 1", vec!["kill"]),
            ("'kill' 1", vec!["kill"]),
            ("exec kill 1", vec!["kill"]),
        ] {
            let read = commands(text);
            let found: Vec<&str> = read
                .commands
                .iter()
                .map(|words| words[0].as_str())
                .collect();
            assert_eq!(found, programs, "{text}");
        }
        assert!(commands("X=kill; $X 1").is_blurred);
        let written = commands("a >x 2>>'y z' <in >&2 2>&- &> w >| v </dev/null").written;
        assert_eq!(written, ["x", "y z", "w", "v"]);
        assert!(!commands("echo $HOME").is_blurred);
    }
}
