//! Finds a product's version in what a command printed or a file holds. Compares it with nothing:
//! that is for the step that knows which one is expected.
//!
//! The trap is a complaint that quotes a path: `/opt/amps-5.3.4.12/bin/ampServer: No such file or
//! directory` has the expected version in it. So a command must end with status 0, and a line that
//! complains is no source.

use super::redact::Capture;
use super::{Content, refusal};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Pattern, Stream};
use crate::text;
use crate::transport::Output;

/// Bytes of an output that are searched: a version stands at the top.
const HEAD: usize = 256 * 1024;
/// Most characters of a version.
const LONGEST: usize = 200;

/// What programs say instead of a version, exit status 0 or not (facts: artifacts.md 0 and 9b).
const REFUSALS: [&str; 11] = [
    "cannot open",
    "error while loading",
    "not found",
    "no such file",
    "permission denied",
    "operation not permitted",
    "noauth",
    "not allowed",
    "this account is currently not available",
    "cannot execute",
    "usage:",
];

/// The version in a command's output, on the stream where the inventory expects it; of
/// [`Stream::Both`], stdout is searched first. Lines that complain are passed over.
///
/// With a pattern the version is its first group, or the whole match when it has none; without one,
/// the first line that is not blank, provided that it has a digit and is no refusal.
///
/// # Errors
/// `missing`, `denied` or `mismatch` for exit status 127, 126 (POSIX.1-2017, XCU 2.8.2) or any other
/// than 0; `empty` when nothing was printed there; `mismatch` when there is no version in it.
pub fn in_output(
    output: &Output,
    stream: Stream,
    pattern: Option<&Pattern>,
) -> Result<Content, Failure> {
    if output.status != 0 {
        return Err(complaint(output));
    }
    let (streams, name): (&[&Vec<u8>], _) = match stream {
        Stream::Stdout => (&[&output.stdout], "stdout"),
        Stream::Stderr => (&[&output.stderr], "stderr"),
        Stream::Both => (&[&output.stdout, &output.stderr], "stdout or stderr"),
    };
    let captures: Vec<Capture> = streams.iter().map(|bytes| head(bytes)).collect();
    find(&captures, name, pattern).map_err(|failure| {
        let (other, name) = match stream {
            Stream::Stdout => (&output.stderr, "stderr"),
            Stream::Stderr => (&output.stdout, "stdout"),
            Stream::Both => return failure,
        };
        // A wrapper, or another release, may print it to the other stream.
        match find(&[head(other)], name, pattern) {
            Ok(_) => failure.with_hint(format!(
                "it stands on {name}: write `stream: {name}` for the artifact"
            )),
            Err(_) => failure,
        }
    })
}

/// The version in a file, by the same rules.
///
/// # Errors
/// As [`in_output`].
pub fn in_file(capture: &Capture, pattern: Option<&Pattern>) -> Result<Content, Failure> {
    find(std::slice::from_ref(capture), "the file", pattern)
}

/// The version that a line of a log states, by the same rules.
pub(super) fn stated<'a>(pattern: &Pattern, line: &'a str) -> Option<&'a str> {
    matched(pattern, line, &mut None).map(|(version, _)| version)
}

fn head(bytes: &[u8]) -> Capture {
    Capture::head(&bytes[..bytes.len().min(HEAD + 1)], HEAD)
}

/// The command itself says that it failed.
fn complaint(output: &Output) -> Failure {
    let (kind, hint) = match output.status {
        126 => (
            FailureKind::Denied,
            "this account may not execute the program: check its mode and the directories above",
        ),
        127 => (
            FailureKind::Missing,
            "the program is not at this path on this host: check `vars:` of the instance",
        ),
        _ => (
            FailureKind::Mismatch,
            "run the command by hand as this account and see why it fails",
        ),
    };
    let said = [&output.stderr, &output.stdout].map(|bytes| head(bytes).excerpt(160));
    let said = said.iter().find(|said| !said.is_empty());
    let actual = match said {
        Some(said) => format!("exit status {}: `{said}`", output.status),
        None => format!("exit status {} and no output", output.status),
    };
    Failure::new(kind, "exit status 0 and a version", actual).with_hint(hint)
}

fn find(captures: &[Capture], place: &str, pattern: Option<&Pattern>) -> Result<Content, Failure> {
    let expected = match pattern {
        Some(pattern) => format!("text in {place} that matches `{}`", pattern.0.as_str()),
        None => format!("a version in {place}"),
    };
    let texts: Vec<String> = captures.iter().map(Capture::plain).collect();
    let spoken = texts.iter().find(|text| !text.trim().is_empty());
    let Some(spoken) = spoken else {
        return Err(Failure::new(FailureKind::Empty, expected, "no text").with_hint(
            "run the command by hand as this account; `stream:` says where the version is printed",
        ));
    };
    let mut partial = None;
    let found = match pattern {
        Some(pattern) => texts
            .iter()
            .find_map(|text| matched(pattern, text, &mut partial)),
        None => first_line(spoken).map(|line| (line, line)),
    };
    match found {
        Some((_, line)) if line.trim_end().ends_with(DELETED) => Err(replaced(&expected, line)),
        Some((version, _)) => Ok(Content::Version(Capture::new(version).excerpt(LONGEST))),
        None => Err(texts
            .iter()
            .find_map(|text| refusal::unlicensed(text))
            .unwrap_or_else(|| no_version(expected, spoken, partial))),
    }
}

fn no_version(expected: String, spoken: &str, partial: Option<&str>) -> Failure {
    let quoted = format!("`{}`", Capture::new(partial.unwrap_or(spoken)).excerpt(160));
    match partial {
        Some(_) => Failure::new(
            FailureKind::Mismatch,
            expected,
            format!("a part of a longer number in {quoted}"),
        )
        .with_hint(
            "a version does not begin or end within a number: if this is another release, settle \
             that; if not, write more of what stands around it into `match:`",
        ),
        None => Failure::new(FailureKind::Mismatch, expected, quoted).with_hint(
            "if this is the version, correct `match:` of the artifact; if not, the command or its \
             arguments are not the product's",
        ),
    }
}

/// The first match, and the line it stands on. A match that begins or ends within a longer number is
/// none; the longer number is left in `partial`.
fn matched<'a>(
    pattern: &Pattern,
    text: &'a str,
    partial: &mut Option<&'a str>,
) -> Option<(&'a str, &'a str)> {
    pattern.0.captures_iter(text).find_map(|found| {
        let whole = found.get(0)?;
        // A group that took no part matched nothing: the version is then the whole match.
        let version = found.get(1).unwrap_or(whole);
        let line = text[..version.start()]
            .rfind('\n')
            .map_or(0, |feed| feed + 1);
        let line = text[line..].lines().next().unwrap_or_default();
        let version = version.as_str().trim();
        if version.is_empty() || complains(line) {
            return None;
        }
        if cuts_a_number(&text[..whole.start()], whole.as_str(), &text[whole.end()..]) {
            partial.get_or_insert(line);
            return None;
        }
        Some((version, line))
    })
}

/// Whether a match took a part of a number: `5.3.4.12` of `15.3.4.12` or of `10.5.3.4.12`, `5.3.4.1` of
/// `5.3.4.12`. What follows a version behind a dot belongs to its build, and may be left out: AMPS
/// prints `5.3.4.12.973814.e1a57f7`. It is the whole match that counts: a group may well take a part of a
/// number that the pattern knows whole.
fn cuts_a_number(before: &str, matched: &str, after: &str) -> bool {
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let starts = is_digit(matched.chars().next());
    let ends = is_digit(matched.chars().next_back());
    let mut behind = before.chars().rev();
    let runs_on = match behind.next() {
        Some('.') => is_digit(behind.next()),
        last => is_digit(last),
    };
    starts && runs_on || ends && is_digit(after.chars().next())
}

/// What the kernel writes behind the target of `/proc/PID/exe` when that file is gone (proc(5)).
const DELETED: &str = " (deleted)";

/// The process still runs what is no longer installed.
fn replaced(expected: &str, line: &str) -> Failure {
    let actual = format!("`{}`", Capture::new(line).excerpt(160));
    let expected = format!("{expected}, of a program that is still installed");
    Failure::new(FailureKind::Mismatch, expected, actual).with_hint(
        "the file that the process runs was replaced or removed since it was started: restart the \
         product, so that what runs is what is installed",
    )
}

fn first_line(text: &str) -> Option<&str> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let is_version = line.contains(|c: char| c.is_ascii_digit())
        && !complains(line)
        && !line.contains(text::is_unsafe);
    is_version.then_some(line)
}

fn complains(line: &str) -> bool {
    if refusal::is_unlicensed(line) {
        return true;
    }
    let line = line.to_lowercase();
    REFUSALS.iter().any(|refusal| line.contains(refusal))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(
        stdout: &str,
        stderr: &str,
        stream: Stream,
        pattern: &str,
    ) -> Result<String, FailureKind> {
        let output = Output {
            stdout: stdout.into(),
            stderr: stderr.into(),
            status: 0,
        };
        let pattern = (!pattern.is_empty()).then(|| Pattern(pattern.parse().unwrap()));
        match in_output(&output, stream, pattern.as_ref()) {
            Ok(Content::Version(version)) => Ok(version),
            Ok(other) => panic!("{other:?}"),
            Err(failure) => Err(failure.kind),
        }
    }

    fn version(text: &str) -> Result<String, FailureKind> {
        Ok(text.to_owned())
    }

    const FOUR: &str = r"\d+\.\d+\.\d+\.\d+";

    #[test]
    fn the_pattern_finds_it_on_the_stream_it_is_printed_on() {
        let banner = "AMPS 5.3.4.12.973814.e1a57f7 - Copyright (c)\n";
        let nginx = "nginx version: nginx/1.22.1\n";
        assert_eq!(judge(banner, "", Stream::Both, FOUR), version("5.3.4.12"));
        assert_eq!(judge(banner, "", Stream::Stdout, FOUR), version("5.3.4.12"));
        let group = r"nginx/([0-9.]+)";
        assert_eq!(judge("", nginx, Stream::Both, group), version("1.22.1"));
        assert_eq!(judge("", nginx, Stream::Stderr, group), version("1.22.1"));
        assert_eq!(
            judge("", nginx, Stream::Stdout, group),
            Err(FailureKind::Empty)
        );
        assert_eq!(
            judge("warning: x\n", nginx, Stream::Both, group),
            version("1.22.1")
        );
        let coloured = "\u{1b}[1m5.3.\u{1b}[0m4.12\n";
        assert_eq!(judge(coloured, "", Stream::Both, FOUR), version("5.3.4.12"));
    }

    #[test]
    fn without_a_pattern_the_first_line_is_it_unless_it_is_a_refusal() {
        assert_eq!(
            judge("\n  5.3.4.12 \nmore\n", "", Stream::Both, ""),
            version("5.3.4.12")
        );
        for refusal in [
            "sh: 1: ampServer: not found",
            "-bash: /opt/amps5/ampServer: Permission denied",
            "NOAUTH Authentication required (2).",
            "This account is currently not available. 1",
            "no digit at all",
        ] {
            let judged = judge(refusal, "", Stream::Both, "");
            assert_eq!(judged, Err(FailureKind::Mismatch), "{refusal}");
        }
    }

    #[test]
    fn a_complaint_that_quotes_the_version_is_none() {
        let complaint = "sh: 1: /opt/amps-5.3.4.12/bin/ampServer: No such file or directory\n";
        for stream in [Stream::Both, Stream::Stderr] {
            assert_eq!(
                judge("", complaint, stream, FOUR),
                Err(FailureKind::Mismatch)
            );
        }
        let library = "/opt/amps-5.3.4.12/x: cannot open shared object file\n";
        let judged = judge(library, "", Stream::Both, FOUR);
        assert_eq!(judged, Err(FailureKind::Mismatch));
        let both = format!("{complaint}5.3.4.13\n");
        assert_eq!(judge(&both, "", Stream::Both, FOUR), version("5.3.4.13"));
        let pattern = Pattern(FOUR.parse().unwrap());
        for (status, kind) in [
            (127, FailureKind::Missing),
            (126, FailureKind::Denied),
            (1, FailureKind::Mismatch),
        ] {
            let output = Output {
                stdout: b"5.3.4.12\n".to_vec(),
                stderr: b"login token=hunter2 refused\n".to_vec(),
                status,
            };
            let failure = in_output(&output, Stream::Both, Some(&pattern)).unwrap_err();
            assert_eq!(failure.kind, kind);
            let actual = format!("exit status {status}: `login token=[redacted] refused`");
            assert_eq!(failure.actual, actual);
        }
    }

    #[test]
    fn no_match_quotes_what_came_without_its_secrets() {
        let output = Output {
            stdout: b"\x1b[31mlogin password=hunter2 failed\x1b[0m\nsee log".to_vec(),
            stderr: Vec::new(),
            status: 0,
        };
        let pattern = Pattern(FOUR.parse().unwrap());
        let failure = in_output(&output, Stream::Both, Some(&pattern)).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Mismatch);
        assert_eq!(
            failure.actual,
            "`login password=[redacted] failed\\nsee log`"
        );
        for blank in ["", " \n\t\n"] {
            assert_eq!(
                judge(blank, "", Stream::Both, FOUR),
                Err(FailureKind::Empty)
            );
        }
        // Matching nothing is no version.
        assert_eq!(
            judge("x", "", Stream::Both, r"\d*"),
            Err(FailureKind::Mismatch)
        );
    }

    #[test]
    fn a_part_of_a_longer_number_is_no_version() {
        let judge = |text: &str, pattern| judge(text, "", Stream::Both, pattern);
        let mismatch = Err(FailureKind::Mismatch);
        for (text, pattern, found) in [
            ("AMPS 15.3.4.12", r"5\.3\.4\.\d+", None),
            ("AMPS 10.5.3.4.12", r"5\.3\.4\.\d+", None),
            ("AMPS 5.3.4.12", r"\d\.\d\.\d\.\d", None),
            ("AMPS 5.3.4.12", r"5\.3\.4\.1", None),
            (
                "AMPS 15.3.4.12, was 5.3.4.12",
                r"5\.3\.4\.\d+",
                Some("5.3.4.12"),
            ),
            ("AMPS 15.3.4.12", FOUR, Some("15.3.4.12")),
            ("AMPS 5.3.4.12.973814.e1a57f7", FOUR, Some("5.3.4.12")),
            ("v5.3.4.12", FOUR, Some("5.3.4.12")),
            ("server_version_num 150018", r"\b(\d\d)\d{4}\b", Some("15")),
            ("of 2026.5.3.4.12", FOUR, Some("2026.5.3.4")),
        ] {
            let expected = found.map_or(mismatch.clone(), version);
            assert_eq!(judge(text, pattern), expected, "{text} by {pattern}");
        }
    }

    #[test]
    fn a_program_that_was_replaced_while_it_runs_is_none() {
        let link = "/opt/amps-5.3.4.12/bin/ampServer";
        let judge = |text: &str| judge(text, "", Stream::Both, FOUR);
        assert_eq!(judge(link), version("5.3.4.12"));
        let gone = format!("{link} (deleted)\n");
        assert_eq!(judge(&gone), Err(FailureKind::Mismatch));
    }

    #[test]
    fn a_licence_error_is_told_whatever_the_exit_status() {
        let output = Output {
            stdout: b"AMPS license 5.3.4.12 expired\n".to_vec(),
            stderr: Vec::new(),
            status: 0,
        };
        let pattern = Pattern(FOUR.parse().unwrap());
        let failure = in_output(&output, Stream::Both, Some(&pattern)).unwrap_err();
        assert_eq!(failure.expected, "a product with a valid licence");
        let warned = "AMPS 5.3.4.12\nlicense expired\n";
        assert_eq!(judge(warned, "", Stream::Both, FOUR), version("5.3.4.12"));
    }

    #[test]
    fn the_other_stream_is_named() {
        let output = Output {
            stdout: b"ready\n".to_vec(),
            stderr: b"nginx version: nginx/1.22.1\n".to_vec(),
            status: 0,
        };
        let pattern = Pattern(r"nginx/([0-9.]+)".parse().unwrap());
        let failure = in_output(&output, Stream::Stdout, Some(&pattern)).unwrap_err();
        assert!(failure.hint.contains("`stream: stderr`"), "{failure:?}");
    }

    #[test]
    fn a_file_is_read_by_the_same_rules() {
        let found = in_file(&Capture::new("5.3.4.12\n"), None);
        assert_eq!(found, Ok(Content::Version("5.3.4.12".to_owned())));
        let nothing = in_file(&Capture::new(""), None).unwrap_err();
        assert_eq!(nothing.kind, FailureKind::Empty);
    }
}
