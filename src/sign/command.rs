//! A command as signer (`--sign-command`): for keys in an HSM, a KMS, or wherever gonogo cannot reach. It
//! gets the message on stdin and gives an armoured SSHSIG on stdout, as `ssh-keygen -Y sign` does. No shell
//! runs it; its time and its output are bounded. What it gives is checked by whoever asked.

use std::io::{self, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::text::escape;
use crate::time;

/// Stands for the namespace in a word of the command.
const PLACEHOLDER: &str = "{namespace}";
/// The same, in its environment.
const VARIABLE: &str = "GONOGO_NAMESPACE";
/// More than any armoured signature needs.
const MOST_BYTES: usize = 64 * 1024;
/// Of what it says on stderr, for the message.
const MOST_SAID: usize = 2000;
/// How often it is looked at.
const PAUSE: Duration = Duration::from_millis(10);

/// The words of a command, the program first.
#[derive(Clone, Debug)]
pub(super) struct SignCommand {
    pub words: Vec<String>,
    pub patience: Duration,
}

/// Splits as a shell would, and does nothing else that a shell does: blanks between words, `'…'`, `"…"`,
/// and `\` before any character.
///
/// # Errors
/// When a quote is not closed, or there is no word.
pub fn split_words(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            ' ' | '\t' | '\n' => words.extend(word.take()),
            '\\' => {
                let escaped = characters.next().ok_or("it ends with a backslash")?;
                word.get_or_insert_default().push(escaped);
            }
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next().ok_or("a quote is not closed")? {
                        end if end == c => break,
                        '\\' if c == '"' => {
                            word.push(characters.next().ok_or("a quote is not closed")?);
                        }
                        inner => word.push(inner),
                    }
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    match words.first().is_some_and(|program| !program.is_empty()) {
        true => Ok(words),
        false => Err("it names no program".to_owned()),
    }
}

impl SignCommand {
    /// What the command prints for `message`.
    pub fn sign(&self, namespace: &str, message: &[u8]) -> Result<Vec<u8>, CommandFault> {
        let mut words = self
            .words
            .iter()
            .map(|word| word.replace(PLACEHOLDER, namespace));
        let program = words.next().unwrap_or_default();
        let not_started = |cause| CommandFault::NotStarted {
            program: program.clone(),
            cause,
        };
        let mut child = std::process::Command::new(&program)
            .args(words)
            .env(VARIABLE, namespace)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C ends a run, which is then sealed: not its signer. And what it starts dies with it.
            .process_group(0)
            .spawn()
            .map_err(not_started)?;
        let output = self.attend(&mut child, message);
        // Before it is waited for: until then its number is nobody else's.
        kill_group(&child);
        let status = child.wait().map_err(CommandFault::Lost)?;
        let (output, said) = output?;
        if !status.success() {
            let said = String::from_utf8_lossy(&said).trim().to_owned();
            return Err(CommandFault::Failed { status, said });
        }
        match output {
            None => Err(CommandFault::Late(self.patience)),
            Some((_, false)) => Err(CommandFault::TooMuch),
            Some((output, true)) => Ok(output),
        }
    }

    /// Its stdout, unless something that it left running holds the pipe open, and its stderr, once it has
    /// ended by itself.
    fn attend(&self, child: &mut Child, message: &[u8]) -> Result<(Output, Vec<u8>), CommandFault> {
        let until = Instant::now() + self.patience;
        if let Some(mut stdin) = child.stdin.take() {
            let message = message.to_vec();
            // One that reads nothing gets nothing: its output decides.
            std::thread::spawn(move || stdin.write_all(&message));
        }
        let output = collect(child.stdout.take(), MOST_BYTES);
        let said = collect(child.stderr.take(), MOST_SAID);
        let rest = || until.saturating_duration_since(Instant::now());
        while !has_ended(child).map_err(CommandFault::Lost)? {
            if rest().is_zero() {
                return Err(CommandFault::Late(self.patience));
            }
            std::thread::sleep(PAUSE);
        }
        let output = output.recv_timeout(rest()).ok();
        let said = said.recv_timeout(rest().min(Duration::from_secs(1)));
        Ok((output, said.map(|(said, _)| said).unwrap_or_default()))
    }
}

/// What was read, and whether that was all.
type Output = Option<(Vec<u8>, bool)>;

fn pid(child: &Child) -> Option<Pid> {
    Pid::from_raw(i32::try_from(child.id()).ok()?)
}

/// Looks without taking notice: the child stays to be waited for.
fn has_ended(child: &Child) -> io::Result<bool> {
    let Some(pid) = pid(child) else {
        return Ok(true);
    };
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    Ok(waitid(WaitId::Pid(pid), options)?.is_some())
}

/// All of its group: nothing of it is to outlive the question.
fn kill_group(child: &Child) {
    if let Some(group) = pid(child) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Reads to the end, keeps at most `most` bytes, and tells whether that was all.
fn collect(
    from: Option<impl Read + Send + 'static>,
    most: usize,
) -> mpsc::Receiver<(Vec<u8>, bool)> {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        let Some(mut from) = from else { return };
        let limit = u64::try_from(most).unwrap_or(u64::MAX);
        let _ = from.by_ref().take(limit).read_to_end(&mut kept);
        let more = io::copy(&mut from, &mut io::sink());
        let _ = tell.send((kept, more.is_ok_and(|more| more == 0)));
    });
    told
}

/// Why a command gave no signature.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant is told by its message, each field by its name"
)]
pub enum CommandFault {
    #[error("cannot start `{}`: {cause}", escape(program))]
    NotStarted { program: String, cause: io::Error },
    #[error("the sign command was lost: {0}")]
    Lost(io::Error),
    #[error("the sign command gave no signature within {}", time::say(*.0))]
    Late(Duration),
    #[error("the sign command failed ({status}){}{}", if said.is_empty() { "" } else { ": " }, escape(said))]
    Failed { status: ExitStatus, said: String },
    #[error("the sign command printed more than a signature needs")]
    TooMuch,
}

impl CommandFault {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NotStarted { .. } => {
                "--sign-command is a program and its words, split on blanks; no shell looks at it"
            }
            Self::Late(_) => {
                "it cannot ask at the terminal; does it wait for a person, or hang? --sign-timeout allows more"
            }
            Self::Lost(_) | Self::Failed { .. } => {
                "try it by hand: `CMD < FILE` must print an armoured SSH signature and succeed"
            }
            Self::TooMuch => "it must print the armoured SSH signature and nothing else on stdout",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(words: &[&str], patience: u64, message: &[u8]) -> Result<Vec<u8>, CommandFault> {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let patience = Duration::from_millis(patience);
        SignCommand { words, patience }.sign("ns@x", message)
    }

    #[test]
    fn words_are_split_and_nothing_is_expanded() {
        for (text, words) in [
            ("a b  c", vec!["a", "b", "c"]),
            ("a 'b c' \"d e\" f\\ g", vec!["a", "b c", "d e", "f g"]),
            (
                "a '' $HOME `id` ~ * ;x",
                vec!["a", "", "$HOME", "`id`", "~", "*", ";x"],
            ),
            ("a \"q\\\"r\" 'b\\c'", vec!["a", "q\"r", "b\\c"]),
            ("a x'y z'w", vec!["a", "xy zw"]),
        ] {
            assert_eq!(split_words(text).unwrap(), words, "{text}");
        }
        for text in ["", "  ", "''", "a 'b", "a \"b", "a \\"] {
            assert!(split_words(text).is_err(), "{text}");
        }
    }

    #[test]
    fn gets_the_message_and_the_namespace() {
        let script = "printf '%s %s ' \"$1\" \"$GONOGO_NAMESPACE\"; cat";
        let output = run(
            &["sh", "-c", script, "sh", "<{namespace}>"],
            60_000,
            b"m;$x",
        )
        .unwrap();
        assert_eq!(output, b"<ns@x> ns@x m;$x");
        // A message larger than a pipe, to one that reads none of it.
        assert_eq!(run(&["true"], 60_000, &vec![b'm'; 1 << 20]).unwrap(), b"");
    }

    #[test]
    fn is_bounded_in_time_and_output() {
        let begun = Instant::now();
        for script in ["sleep 300", "sleep 300 & exit 0", "trap '' TERM; sleep 300"] {
            let ended = run(&["sh", "-c", script], 300, b"");
            assert!(
                matches!(ended, Err(CommandFault::Late(_))),
                "{script}: {ended:?}"
            );
        }
        assert!(begun.elapsed() < Duration::from_secs(60));
        let ended = run(&["sh", "-c", "head -c 70000 /dev/zero"], 60_000, b"");
        assert!(matches!(ended, Err(CommandFault::TooMuch)), "{ended:?}");
        let ended = run(&["sh", "-c", "yes"], 500, b"");
        assert!(matches!(ended, Err(CommandFault::Late(_))), "{ended:?}");
    }

    #[test]
    fn tells_why_it_failed() {
        let failed = run(
            &["sh", "-c", "echo 'no \u{1b}token' >&2; exit 7"],
            60_000,
            b"",
        );
        let told = failed.unwrap_err().to_string();
        assert!(
            told.contains("exit status: 7") && told.contains("no ") && !told.contains('\u{1b}'),
            "{told}"
        );
        let absent = run(&["/nowhere/signer"], 60_000, b"").unwrap_err();
        assert!(matches!(absent, CommandFault::NotStarted { .. }));
    }
}
