//! A log that stands in systemd's journal only: one planned `journalctl`, whose answers other than entries
//! are told apart. Reads no journal file.

use std::time::Duration;

use super::printed::{Onlooker, Printed, taken};
use super::retrieve::{Fetched, kept};
use super::{Stop, World, command};
use crate::evidence::journald::Journal;
use crate::evidence::{Content, Evidence};
use crate::failure::{Failure, FailureKind};
use crate::inventory::Artifact;
use crate::transport::Output;

/// How far back the journal is asked: a week and a day. Constant, so that the plan can print the command;
/// a step that asks for more is refused when the plan is made.
pub(super) const ASKED: Duration = Duration::from_secs(8 * 86_400);

/// The command for a unit. JSON, since it tells times in microseconds UTC and cannot be forged by a
/// message of several lines; of each entry only what is looked at (`--output-fields`, systemd 236).
pub(super) fn words(unit: &str) -> Vec<String> {
    let fixed = [
        "journalctl",
        "--no-pager",
        "--output=json",
        "--output-fields=MESSAGE,MESSAGE_ID,PRIORITY,SYSLOG_IDENTIFIER",
        "--since=-8d",
    ];
    let unit = format!("--unit={unit}");
    fixed.into_iter().map(str::to_owned).chain([unit]).collect()
}

/// Fetches the entries of the unit; anything but entries is a failure, whatever the exit status. They are
/// looked at while they come, in constant memory.
pub(super) async fn fetch(
    world: &mut World,
    artifact: &Artifact,
    unit: &str,
) -> Result<Fetched, Stop> {
    let words = words(unit);
    let line = command::line(&words);
    let reader = Box::new(Journal::new(artifact.log.names.clone()));
    let (file, kept) = kept(world, artifact, "journal.json")?.unzip();
    let taking = Printed::new(&artifact.reject, true, Onlooker::Reader(reader), file);
    let (mut printed, output, took) = taken(world, &words, taking).await?;
    if let Some(failure) = refused(&output) {
        return Err(failure.with_subject(line).into());
    }
    if output.status != 0 {
        return Err(command::status_failure(&output, &words).into());
    }
    printed.refuse(artifact, &output.stderr, &line)?;
    if printed.is_blank {
        return Err(crate::evidence::journald::empty().with_subject(line).into());
    }
    if let Some(kept) = kept {
        kept.whole();
    }
    let content = match printed.into {
        Onlooker::Reader(reader) => reader.finish(),
        Onlooker::Copy(_) | Onlooker::Nothing => Ok(Content::Opaque),
    };
    let content = content.map_err(|failure| failure.with_subject(&line));
    if let Err(failure) = &content
        && failure.kind == FailureKind::Empty
    {
        return Err(failure.clone().into());
    }
    let evidence = Evidence {
        artifact: artifact.name.clone(),
        kind: artifact.kind,
        path: line,
        bytes: printed.bytes,
        sha256: printed.hash.finish(),
        method: "command",
        modified: None,
        attempts: 1,
        resumed: 0,
        duration_ms: took,
        content: content.as_ref().ok().cloned().unwrap_or_default(),
    };
    Ok((evidence, content))
}

/// What journalctl says beside or in place of entries, with LC_ALL=C, on either stream
/// (systemd: src/shared/journal-util.c, `journal_access_check_and_warn`).
fn refused(output: &Output) -> Option<Failure> {
    let says = |text: &str| {
        // Notices come first and on stderr; entries on stdout may quote anything.
        let printed = match output.stdout.trim_ascii_start().first() {
            Some(b'{') => output.stderr.clone(),
            _ => [output.stderr.as_slice(), &output.stdout].concat(),
        };
        String::from_utf8_lossy(&printed).contains(text)
    };
    const GROUPS: &str = "journalctl shows the entries of other accounts to root and to members of `systemd-journal` or `adm` only: add the account to `systemd-journal` (`usermod -aG systemd-journal ACCOUNT`), and log in anew";
    let expected = "the entries of the unit in the journal";
    if says("insufficient permissions") {
        let actual = "no journal file may be opened";
        return Some(Failure::new(FailureKind::Denied, expected, actual).with_hint(GROUPS));
    }
    if says("not seeing messages from other users") {
        let actual = "the account's own entries only";
        return Some(Failure::new(FailureKind::Denied, expected, actual).with_hint(GROUPS));
    }
    if says("No journal files were found") {
        let hint = "does systemd-journald run on this host? Without it the unit's log is elsewhere: name its `path:`";
        let actual = "no journal on this host";
        return Some(Failure::new(FailureKind::Missing, expected, actual).with_hint(hint));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_beside_entries_is_told_apart() {
        let output = |stdout: &str, stderr: &str| Output {
            stdout: stdout.into(),
            stderr: stderr.into(),
            status: 0,
        };
        let kind = |stdout, stderr| refused(&output(stdout, stderr)).map(|failure| failure.kind);
        let hint = "Hint: You are currently not seeing messages from other users and the system.\n      Users in groups 'adm', 'systemd-journal' can see all messages.\n      Pass -q to turn off this notice.\n";
        let none = "No journal files were opened due to insufficient permissions.\n";
        assert_eq!(kind("", hint), Some(FailureKind::Denied));
        assert_eq!(kind("{\"a\":1}\n", hint), Some(FailureKind::Denied));
        assert_eq!(kind(none, ""), Some(FailureKind::Denied));
        assert_eq!(kind("", none), Some(FailureKind::Denied));
        assert_eq!(
            kind("", "No journal files were found.\n"),
            Some(FailureKind::Missing)
        );
        // An entry may say the same.
        assert_eq!(
            kind("{\"MESSAGE\":\"insufficient permissions\"}\n", ""),
            None
        );
        assert_eq!(kind("-- No entries --\n", ""), None);
    }

    #[test]
    fn the_command_says_the_span_that_is_documented() {
        let words = words("mariadb.service");
        assert!(words.contains(&format!("--since=-{}d", ASKED.as_secs() / 86_400)));
        assert_eq!(words.last().unwrap(), "--unit=mariadb.service");
    }
}
