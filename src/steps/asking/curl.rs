//! The same question by a host's own `curl`, through the team's session: what it printed behind the answer.

use std::time::Instant;

use super::super::command;
use super::super::{Stop, World};
use crate::evidence::redact::Capture;
use crate::failure::{Failure, FailureKind};
use crate::probe::{Hop, Lack, Question, Sample};
use crate::transport::{Command, Limits, Output};

/// How `curl` marks where the answer ends and its own words begin.
const MARK: &[u8] = b"\ngonogo ";
/// Starting a program on a host, and what the session takes for it.
const AROUND: std::time::Duration = std::time::Duration::from_secs(5);

pub(super) async fn ask(
    question: &Question,
    world: &mut World,
) -> Result<(Sample, Option<Vec<u8>>), Stop> {
    let words = question.words();
    // The account itself asks: no rule of sudo should be needed for it.
    let session = world.session().await?.unelevated();
    let limits = world.limits()?;
    let limits = Limits {
        time: limits.time.min(Question::PATIENCE + AROUND),
        bytes: Question::MOST + 4096,
    };
    let started = Instant::now();
    let line = command::line(&words);
    let output = session.run(&Command(words.clone()), limits).await;
    let output = output.map_err(|failure| failure.with_subject_if_none(&line))?;
    let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    world.transcript.command(&line, &output, took);
    Ok(told(question, &output))
}

fn told(question: &Question, output: &Output) -> (Sample, Option<Vec<u8>>) {
    let lacking = |failure: Failure, hops: Vec<Hop>| {
        let total_us = 0;
        let lack = Some(Lack::of(failure));
        (
            Sample {
                hops,
                total_us,
                lack,
            },
            None,
        )
    };
    let mark = output
        .stdout
        .windows(MARK.len())
        .rposition(|window| window == MARK);
    let read = mark.and_then(|mark| {
        let told = std::str::from_utf8(&output.stdout[mark + MARK.len()..]).ok()?;
        Some((&output.stdout[..mark], hop(question, told)?))
    });
    if output.status != 0 {
        let hops = read.map(|(_, (hop, _))| vec![hop]).unwrap_or_default();
        return lacking(refused(output), hops);
    }
    let Some((body, (hop, total_us))) = read else {
        let failure = Failure::new(
            FailureKind::Corrupt,
            "the times that curl tells behind the answer",
            "something else",
        )
        .with_hint("another program of that name may come first in PATH on this host");
        return lacking(failure, Vec::new());
    };
    let is_wanted = hop.status == Some(question.status);
    let sample = Sample {
        hops: vec![hop],
        total_us,
        lack: None,
    };
    (sample, is_wanted.then(|| body.to_vec()))
}

/// `%{http_code} %{time_namelookup} … %{time_total} %{size_download} %{remote_ip}`: curl tells times from
/// the start, and here each phase has its own.
fn hop(question: &Question, told: &str) -> Option<(Hop, u64)> {
    let mut words = told.split_whitespace();
    let status: u16 = words.next()?.parse().ok()?;
    let mut next = || words.next().and_then(micros);
    let (dns, connect, tls) = (next()?, next()?, next()?);
    let (ready, first, total) = (next()?, next()?, next()?);
    let bytes = words.next()?.split('.').next()?.parse().ok()?;
    let address = words.next().map(str::to_owned);
    let hop = Hop {
        url: question.target.clone(),
        address,
        dns_us: dns,
        connect_us: connect.saturating_sub(dns),
        tls_us: tls.saturating_sub(connect),
        first_byte_us: first.saturating_sub(ready),
        transfer_us: total.saturating_sub(first),
        status: (status > 0).then_some(status),
        bytes,
        ..Hop::default()
    };
    Some((hop, total))
}

/// `0.012345`, or `0,012345` where a locale has its way.
fn micros(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once(['.', ','])?;
    let digits = part.get(..part.len().min(6))?;
    let part: u64 = format!("{digits:0<6}").parse().ok()?;
    whole
        .parse::<u64>()
        .ok()?
        .checked_mul(1_000_000)?
        .checked_add(part)
}

/// curl(1), EXIT CODES.
fn refused(output: &Output) -> Failure {
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim().trim_start_matches("curl: ");
    let said = match said.is_empty() {
        true => format!("exit status {}", output.status),
        false => Capture::new(said).excerpt(300),
    };
    // dash ends with 127, too, where it found a curl that it may not run.
    let is_denied = output.status == 126 || said.contains("Permission denied");
    let (kind, expected, hint) = match output.status {
        126 | 127 if is_denied => (
            FailureKind::Denied,
            "a curl that this account may run",
            "let this account run curl on the host, or ask this URL from another one (`from`)",
        ),
        127 => (
            FailureKind::Missing,
            "curl on the host",
            "install curl on this host, or ask this URL from another one (`from`)",
        ),
        5..=7 | 45 => (
            FailureKind::Unreachable,
            "a connection from the host",
            "look at the host's resolver, routes and firewalls; a proxy stands in its own environment",
        ),
        28 => (
            FailureKind::Timeout,
            "an answer in time",
            "look at the way from this host to the server",
        ),
        35 | 51 | 53 | 54 | 58 | 59 | 60 | 66 | 77 | 80 | 83 | 90 | 91 => (
            FailureKind::Mismatch,
            "a certificate that the host trusts",
            "install the issuer's certificate on this host, or name a file there as `host_ca`",
        ),
        63 => (
            FailureKind::TooLarge,
            "a short answer",
            "ask for something smaller",
        ),
        52 | 56 | 18 => (
            FailureKind::Io,
            "a whole answer",
            "the server ended in the middle of its answer: ask the vendor",
        ),
        _ => (
            FailureKind::Io,
            "an answer",
            "run the command by hand as this account; the transcript has it",
        ),
    };
    Failure::new(kind, expected, said).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::{How, Read};

    fn output(status: i32, stdout: &str, stderr: &str) -> Output {
        Output {
            stdout: stdout.as_bytes().to_vec(),
            stderr: stderr.as_bytes().to_vec(),
            status,
        }
    }

    #[test]
    fn what_curl_tells_is_read_and_nothing_else() {
        let question = Question::new(How::Curl, "https://a.example/", Read::Nothing);
        let well = "{\"gonogo\": 1}\ngonogo 200 0.001000 0.003000 0.010000 0.010500 0.020500 0.021000 13 10.0.0.1";
        let (sample, body) = told(&question, &output(0, well, ""));
        assert_eq!(sample.lack, None);
        assert_eq!(body.unwrap(), b"{\"gonogo\": 1}");
        let hop = &sample.hops[0];
        assert_eq!(
            (
                hop.dns_us,
                hop.connect_us,
                hop.tls_us,
                hop.first_byte_us,
                hop.transfer_us
            ),
            (1000, 2000, 7000, 10_000, 500)
        );
        assert_eq!(
            (sample.total_us, hop.status, hop.bytes),
            (21_000, Some(200), 13)
        );
        let (sample, body) = told(&question, &output(0, &well.replace(" 200 ", " 503 "), ""));
        assert_eq!((sample.status(), body), (Some(503), None));
        for (status, stdout, kind) in [
            (0, "", FailureKind::Corrupt),
            (0, "\ngonogo 200 x", FailureKind::Corrupt),
            (127, "", FailureKind::Missing),
            (126, "", FailureKind::Denied),
            (6, well, FailureKind::Unreachable),
            (28, well, FailureKind::Timeout),
            (60, well, FailureKind::Mismatch),
            (63, well, FailureKind::TooLarge),
            (99, "", FailureKind::Io),
        ] {
            let (sample, body) = told(&question, &output(status, stdout, "curl: (1) no"));
            assert_eq!(sample.lack.unwrap().failure().kind, kind, "{status}");
            assert_eq!(body, None);
        }
    }
}
