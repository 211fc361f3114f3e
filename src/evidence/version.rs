//! Finds a product's version in what a command printed or a file holds. Compares it with nothing:
//! that is for the step that knows which one is expected.
//!
//! The trap is a complaint that quotes a path: `/opt/amps-5.3.4.12/bin/ampServer: No such file or
//! directory` has the expected version in it. So a command must end with status 0, and a line that
//! complains is no source.

use super::Content;
use super::redact::Capture;
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
    find(&captures, name, pattern)
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
    matched(pattern, line)
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
    let version = match pattern {
        Some(pattern) => texts.iter().find_map(|text| matched(pattern, text)),
        None => first_line(spoken),
    };
    match version {
        Some(version) => Ok(Content::Version(Capture::new(version).excerpt(LONGEST))),
        None => Err(Failure::new(
            FailureKind::Mismatch,
            expected,
            format!("`{}`", Capture::new(spoken.as_str()).excerpt(160)),
        )
        .with_hint(
            "if this is the version, correct `match:` of the artifact; if not, the command or its \
             arguments are not the product's",
        )),
    }
}

fn matched<'a>(pattern: &Pattern, text: &'a str) -> Option<&'a str> {
    pattern.0.captures_iter(text).find_map(|found| {
        // A group that took no part matched nothing: the version is then the whole match.
        let version = found.get(1).or_else(|| found.get(0))?;
        let line = text[..version.start()]
            .rfind('\n')
            .map_or(0, |feed| feed + 1);
        let line = text[line..].lines().next().unwrap_or_default();
        let version = version.as_str().trim();
        (!version.is_empty() && !complains(line)).then_some(version)
    })
}

fn first_line(text: &str) -> Option<&str> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let is_version = line.contains(|c: char| c.is_ascii_digit())
        && !complains(line)
        && !line.contains(text::is_unsafe);
    is_version.then_some(line)
}

fn complains(line: &str) -> bool {
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
    fn a_file_is_read_by_the_same_rules() {
        let found = in_file(&Capture::new("5.3.4.12\n"), None);
        assert_eq!(found, Ok(Content::Version("5.3.4.12".to_owned())));
        let nothing = in_file(&Capture::new(""), None).unwrap_err();
        assert_eq!(nothing.kind, FailureKind::Empty);
    }
}
