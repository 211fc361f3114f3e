//! Delivers the gate's answer: to stdout in the format that was asked for, and to the files that GitHub
//! Actions names. An answer that could not be told whole is never exit 0: whoever waits for the rest of it
//! would read an old one, or none.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use super::args::{Verify, VerifyFormat};
use super::fault::{Exit, Fault};
use super::term;
use crate::report::gate::{Answer, Gate, github, json, junit, review, text, variables};
use crate::text::escape;

/// Tells the answer and says how `verify` ends.
pub(super) fn deliver(args: &Verify, gate: &Gate, exit: Exit) -> Exit {
    let stdout = match args.format {
        VerifyFormat::Github => return to_github(gate, exit),
        VerifyFormat::Text => text::render(gate),
        VerifyFormat::Json => json::render(gate, exit as u8),
        VerifyFormat::Env => variables::env(gate, exit as u8),
        VerifyFormat::Gitlab => variables::gitlab(gate, exit as u8),
        VerifyFormat::Junit => match junit::render(gate, exit as u8) {
            Ok(page) => page,
            Err(error) => return told(Err(io::Error::other(error)), "stdout", exit),
        },
        VerifyFormat::GithubDeploymentReview => {
            // `verify` refuses that format without an environment.
            let environment = environment(args).unwrap_or_default();
            match environment.is_empty() {
                true => String::new(),
                false => review::render(gate, environment),
            }
        }
    };
    aside(args.format, gate, exit);
    // For a person the exit code is an answer; a program that was to read this one gets none.
    if args.format != VerifyFormat::Text && term::is_nowhere() {
        let nowhere =
            io::Error::other("it is closed, or /dev/null; only `--format text` needs none");
        return told(Err(nowhere), "stdout", exit);
    }
    told(term::deliver(&stdout), "stdout", exit)
}

/// GitHub's name of the environment that a review approves or rejects.
pub(super) fn environment(args: &Verify) -> Option<&str> {
    let named = args.deployment_environment.as_deref();
    named.or(args.environment.as_deref())
}

/// What a person reads beside it, on stderr.
fn aside(format: VerifyFormat, gate: &Gate, exit: Exit) {
    if !matches!(format, VerifyFormat::Text | VerifyFormat::Json) {
        // Stdout is read by a program: the log of the job shall tell a person as much.
        let told = text::render(gate);
        if !told.is_empty() {
            term::say(told.trim_end());
        }
    }
    for note in &gate.notes {
        term::say(&format!("note: {}", escape(note)));
    }
    for warning in &gate.warnings {
        term::say(&format!("warning: {}", escape(warning)));
    }
    if gate.answer == Answer::Unacceptable {
        let reason = gate.reasons.first().map_or("", String::as_str);
        let hint = gate.hint.as_deref().unwrap_or_default();
        let reason = format!("not acceptable: {}", escape(reason));
        term::say(&Fault::new(exit, reason, hint).message);
    }
}

fn to_github(gate: &Gate, exit: Exit) -> Exit {
    let Some((token, delimiter)) = secret().zip(secret()) else {
        let none = Err(io::Error::other("no random numbers"));
        return told(none, "stdout", exit);
    };
    let told_stdout = term::deliver(&github::commands(gate, &token));
    let exit = told(told_stdout, "stdout", exit);
    let summary = append("GITHUB_STEP_SUMMARY", |used| {
        let room = github::MAX_SUMMARY.saturating_sub(used);
        let page = github::summary(gate, room);
        if page.is_empty() {
            term::say("warning: the step summary is full: the answer is not in it");
        }
        page
    });
    let exit = told(summary, "the step summary", exit);
    // Last, so that it never says GO when this ends with something else.
    let undelivered;
    let gate = match exit == Exit::Fault && gate.answer.is_go() {
        false => gate,
        true => {
            undelivered = Gate::not_judged("the answer could not be told whole".to_owned(), "");
            &undelivered
        }
    };
    let outputs = github::outputs(gate, exit as u8, &delimiter);
    told(
        append("GITHUB_OUTPUT", |_| outputs),
        "the outputs of the step",
        exit,
    )
}

/// Only a GO can be spoilt by not being told.
fn told(done: io::Result<()>, whereto: &str, exit: Exit) -> Exit {
    match done {
        Ok(()) => exit,
        Err(error) => {
            let error = format!("the answer cannot be written to {whereto}: {error}");
            term::say(&Fault::new(Exit::Fault, escape(&error), "").message);
            match exit {
                Exit::Go => Exit::Fault,
                other => other,
            }
        }
    }
}

/// Appends to the file that the variable names; nothing where it names none. What is written is told how
/// many bytes are there.
fn append(variable: &str, text: impl FnOnce(usize) -> String) -> io::Result<()> {
    let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)?;
    let used = file.metadata()?.len();
    let mut text = text(usize::try_from(used).unwrap_or(usize::MAX));
    if used > 0 && !text.is_empty() {
        // What another tool left without an end of line must not swallow our first one.
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            text.insert(0, '\n');
        }
    }
    term::whole(file, &text)
}

/// What nobody could have guessed when they wrote the words that are told.
fn secret() -> Option<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).ok()?;
    Some(format!("gonogo{:032x}", u128::from_be_bytes(random)))
}
