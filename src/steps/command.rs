//! Running one program, and judging what it printed.

use std::time::Instant;

use super::{Stop, World};
use crate::evidence::redact::Capture;
use crate::evidence::refusal;
use crate::failure::{Failure, FailureKind};
use crate::text;
use crate::transport::{Command, Output};

/// Splits a feature's command at blanks. Shell syntax is refused: the tool's commands contain no pipe
/// (facts: traps.md T3), and an argument that needs quoting belongs into an inventory's `command:`.
pub(super) fn words(line: &str) -> Result<Vec<String>, String> {
    const SYNTAX: &str = "|&;<>()$`\\\"'*?[]{}~!#\n\r\0";
    if let Some(found) = line
        .chars()
        .find(|&c| SYNTAX.contains(c) || text::is_unsafe(c))
    {
        return Err(format!(
            "`{}` in a command: a step runs one program with plain arguments, without a shell; for more, make it an artifact with `command: [...]` in the inventory",
            text::escape(&found.to_string())
        ));
    }
    let words: Vec<String> = line
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    match words.is_empty() {
        true => Err("an empty command".to_owned()),
        false => Ok(words),
    }
}

/// A command as the plan, the transcript and the report write it: words with blanks are quoted.
pub fn line<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> String {
    let mut line = String::with_capacity(80);
    for (at, word) in words.into_iter().enumerate() {
        if at > 0 {
            line.push(' ');
        }
        line.push_str(&text::shell_word(word.as_ref()));
    }
    line
}

/// Runs it and writes it into the transcript. Any exit status is an output; no output is a failure.
pub(super) async fn execute(world: &mut World, words: &[String]) -> Result<Output, Stop> {
    let session = world.session().await?;
    let limits = world.limits()?;
    let started = Instant::now();
    let ran = session.run(&Command(words.to_vec()), limits).await;
    let output = ran.map_err(|failure| failure.with_subject_if_none(&line(words)))?;
    let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    world.transcript.command(&line(words), &output, took);
    Ok(output)
}

/// The failure that an exit status other than 0 means.
pub(super) fn status_failure(output: &Output, words: &[String]) -> Failure {
    refusal::refused(output, words, &line(words))
}

/// The end of what was printed, redacted and short enough for one line.
fn excerpt(output: &Output) -> String {
    let printed = [output.stdout.as_slice(), &output.stderr].concat();
    let redacted = Capture::new(printed).redact().text;
    match redacted.trim().lines().last() {
        None => ", and nothing printed".to_owned(),
        Some(last) => format!(", and `{}`", text::clip(&text::escape(last), 160)),
    }
}

pub(super) async fn run(world: &mut World, words: &[String]) -> Result<(), Stop> {
    let output = execute(world, words).await?;
    world.output = Some((words.to_vec(), output));
    Ok(())
}

pub(super) fn succeeds(world: &World) -> Result<(), Stop> {
    let (words, output) = last(world)?;
    match output.status {
        0 => Ok(()),
        _ => Err(status_failure(output, words).into()),
    }
}

pub(super) fn output_contains(world: &World, wanted: &str) -> Result<(), Stop> {
    judge(
        world,
        &format!("output that contains `{wanted}`"),
        |printed| printed.contains(wanted),
    )
}

pub(super) fn output_matches(world: &World, pattern: &regex::Regex) -> Result<(), Stop> {
    judge(
        world,
        &format!("output that matches `{pattern}`"),
        |printed| pattern.is_match(printed),
    )
}

// The streams are judged apart: joined, the end of one and the start of the other could match.
fn judge(world: &World, expected: &str, accept: impl Fn(&str) -> bool) -> Result<(), Stop> {
    let (words, output) = last(world)?;
    let accepted = [&output.stdout, &output.stderr]
        .into_iter()
        .any(|stream| accept(&String::from_utf8_lossy(stream)));
    match accepted {
        true => Ok(()),
        false => Err(Failure::new(FailureKind::Mismatch, expected, format!("exit status {}{}", output.status, excerpt(output)))
            .with_subject(line(words))
            .with_hint("run the command by hand with this account and compare; the evidence of the check holds what was printed")
            .into()),
    }
}

fn last(world: &World) -> Result<(&[String], &Output), Stop> {
    match &world.output {
        Some((words, output)) => Ok((words, output)),
        None => Err(Failure::new(
            FailureKind::Undefined,
            "a command that was run before",
            "none in this scenario",
        )
        .with_hint("put `When the team runs \"…\"` before this step")
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_words_and_never_shell() {
        assert_eq!(words("df  -h /var").unwrap(), ["df", "-h", "/var"]);
        for bad in [
            "", " ", "a|b", "a;b", "a>b", "$(id)", "`id`", "a\\b", "'a b'", "a\nb", "cat *",
        ] {
            assert!(words(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_line_reads_like_a_shell_and_is_unambiguous() {
        assert_eq!(line(["df", "-h"]), "df -h");
        assert_eq!(line(["a b", "", "it's"]), r"'a b' '' 'it'\''s'");
    }
}
