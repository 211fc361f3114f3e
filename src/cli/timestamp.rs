//! `gonogo timestamp`: has a third party state when a run was signed. By file exchange, for a runner
//! without a way out, or by HTTP. Nothing of the run changes; the answer is kept only when it is proven.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::args::TimeStamp;
use super::fault::{Exit, Fault};
use super::term;
use crate::report::stamp::{self, StampingFault};
use crate::sign::timestamp::{Authorities, MOST_BYTES, Stamp};
use crate::text::escape;
use crate::time::rfc3339;

/// Whole time of the question: authorities answer within a second.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn timestamp(args: &TimeStamp) -> Result<Exit, Fault> {
    match args {
        TimeStamp::Request { run } => {
            let (path, _) = stamp::request(run, nonce()?)?;
            let (path, run) = (path.to_string_lossy(), run.to_string_lossy());
            let (path, run) = (escape(&path), escape(&run));
            term::out(&format!(
                "{path}\n\nSend it to an authority and attach the answer, such as\n\n  curl -H 'Content-Type: \
                 application/timestamp-query' --data-binary @{path} URL > answer.tsr\n  gonogo timestamp attach \
                 {run} answer.tsr --tsa-ca ca.pem\n"
            ));
        }
        TimeStamp::Attach {
            run,
            response,
            tsa_ca,
        } => {
            let authorities = authorities(tsa_ca)?;
            let response = read(response, "name the file that the authority answered with")?;
            told(&stamp::attach(run, &response, &authorities)?);
        }
        TimeStamp::Get { run, url, tsa_ca } => {
            let authorities = authorities(tsa_ca)?;
            let (_, request) = stamp::request(run, nonce()?)?;
            told(&stamp::attach(run, &ask(url, &request)?, &authorities)?);
        }
    }
    Ok(Exit::Go)
}

/// The certificates of `--tsa-ca`.
pub(super) fn authorities(file: &Path) -> Result<Authorities, Fault> {
    let hint = "--tsa-ca names root certificates in PEM form";
    let read = Authorities::parse(&read(file, hint)?);
    read.map_err(|fault| {
        let file = file.to_string_lossy();
        let message = format!("`{}`: {fault}", escape(&file));
        Fault::new(Exit::Refused, message, fault.hint())
    })
}

fn told(stamp: &Stamp) {
    term::out(&format!(
        "stamped at {} by {} (serial {}, policy {})\n",
        rfc3339(stamp.at),
        escape(&stamp.authority),
        escape(&stamp.serial),
        escape(&stamp.policy)
    ));
}

fn nonce() -> Result<[u8; 8], Fault> {
    let mut nonce = [0; 8];
    getrandom::fill(&mut nonce)
        .map_err(|error| Fault::new(Exit::Fault, format!("no random numbers: {error}"), ""))?;
    Ok(nonce)
}

fn read(file: &Path, hint: &str) -> Result<Vec<u8>, Fault> {
    let shown = file.to_string_lossy();
    let read = match fs::metadata(file) {
        Ok(found) if found.len() > MOST_BYTES => Err("it is larger than any such file".to_owned()),
        Ok(_) => fs::read(file).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    read.map_err(|why| {
        let message = format!("cannot read `{}`: {why}", escape(&shown));
        Fault::new(Exit::Refused, message, hint)
    })
}

/// Sends the request, and takes the answer as it is: whether it is one shows when it is proven.
fn ask(url: &str, request: &[u8]) -> Result<Vec<u8>, Fault> {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .max_redirects(0)
        .user_agent(concat!("gonogo/", env!("CARGO_PKG_VERSION")));
    let agent = ureq::Agent::new_with_config(config.build());
    let asked = agent
        .post(url)
        .header("Content-Type", "application/timestamp-query")
        .header("Accept", "application/timestamp-reply")
        .send(request);
    let answer = asked.and_then(|mut answer| {
        if answer.status() != 200 {
            return Err(ureq::Error::StatusCode(answer.status().as_u16()));
        }
        let body = answer.body_mut().with_config().limit(MOST_BYTES);
        body.read_to_vec()
    });
    answer.map_err(|error| {
        Fault::new(
            Exit::Fault,
            format!("no answer from `{}`: {error}", escape(url)),
            "`gonogo timestamp request` writes the request to be sent by another way; the run itself is sealed as it is",
        )
    })
}

impl From<StampingFault> for Fault {
    fn from(fault: StampingFault) -> Self {
        // What is wrong with an answer is no fault of this machine, and what a user named wrongly is usage.
        Self::new(Exit::Refused, &fault, fault.hint())
    }
}
