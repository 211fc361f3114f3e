//! Asks the network what a step about a vendor has to know: each question once in a check, as it was planned,
//! within its time and size. Records what came and judges none of it.

mod curl;
mod drop_box;
mod mail_server;
mod mailbox;

use std::time::Instant;

use super::{Stop, World};
use crate::digest::Sha256;
use crate::evidence::{feed, pointed, status};
use crate::failure::{Failure, FailureKind};
use crate::probe::{Document, How, Lack, Probe, Question, Read, Sample};
use crate::time;
use crate::transport::{Proxies, Wanted, ask, exchangers};

/// Asks what this check has not asked yet.
pub(super) async fn all(questions: &[Question], world: &mut World) -> Result<(), Stop> {
    for question in questions {
        if !world.probes.iter().any(|probe| probe.answers(question)) {
            let probe = one(question, world).await?;
            world.probes.push(probe);
        }
    }
    Ok(())
}

async fn one(question: &Question, world: &mut World) -> Result<Probe, Stop> {
    let mut probe = Probe {
        how: question.how.as_str().to_owned(),
        target: question.target.clone(),
        from: question.from.clone(),
        asked: question.line(),
        at: time::rfc3339(time::now()),
        samples: Vec::new(),
        document: None,
        mail: None,
        inbox: None,
        reception: None,
        acceptance: None,
    };
    let left = world.deadline.saturating_duration_since(Instant::now());
    let patience = Question::PATIENCE.min(left);
    match &question.how {
        How::Get | How::Head => {
            for _ in 0..question.samples {
                let (sample, body) = http(question, world).await;
                let goes_on = sample.lack.is_none();
                probe.samples.push(sample);
                probe.document = body.and_then(|body| document(&question.read, &body));
                // What does not answer is not knocked at again.
                if !goes_on {
                    break;
                }
            }
        }
        How::Curl => {
            for _ in 0..question.samples {
                let (sample, body) = curl::ask(question, world).await?;
                let goes_on = sample.lack.is_none();
                probe.samples.push(sample);
                probe.document = body.and_then(|body| document(&question.read, &body));
                if !goes_on {
                    break;
                }
            }
        }
        How::Mx(server) => {
            probe.mail = Some(exchangers(&question.target, *server, patience).await);
        }
        How::Sftp(drop) => probe.inbox = Some(drop_box::ask(drop, patience).await),
        How::Smtp(desk) => {
            let reception = mail_server::ask(desk, question.ca.clone(), &question.target, patience);
            probe.reception = Some(reception.await);
        }
        How::Rcpt(sender) => {
            let patience = Question::MAIL_PATIENCE.min(left);
            probe.acceptance = Some(mailbox::ask(sender, &question.target, patience).await);
        }
    }
    Ok(probe)
}

async fn http(question: &Question, world: &World) -> (Sample, Option<Vec<u8>>) {
    let left = world.deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        let late = Failure::new(
            FailureKind::Timeout,
            "an answer",
            "the check had no time left",
        )
        .with_hint("ask for less in one scenario: a check without a login has two minutes");
        let sample = Sample {
            lack: Some(Lack::of(late)),
            ..Sample::default()
        };
        return (sample, None);
    }
    let wanted = Wanted {
        method: match question.how {
            How::Head => "HEAD",
            _ => "GET",
        },
        url: question.target.clone(),
        status: question.status,
        ca: question.ca.clone(),
        redirects: question.redirects,
        most: Question::MOST,
        time: Question::PATIENCE.min(left),
    };
    ask(&wanted, &Proxies::of_environment()).await
}

/// What is told of a body.
fn document(read: &Read, body: &[u8]) -> Option<Document> {
    let mut document = Document {
        sha256: Sha256::of(body).to_string(),
        bytes: body.len() as u64,
        ..Document::default()
    };
    let lack = match read {
        Read::Nothing => return None,
        Read::Feed => match feed::feed(body) {
            Ok(found) => {
                document.feed = Some(found);
                None
            }
            Err(failure) => Some(failure),
        },
        Read::Time(pointer) => match pointed::time(pointer, body) {
            Ok(time) => {
                document.time = Some(time);
                None
            }
            Err(failure) => Some(failure),
        },
        of_page => match status::page(of_page, body) {
            Some(Ok(page)) => {
                document.page = Some(page);
                None
            }
            Some(Err(failure)) => Some(failure),
            None => None,
        },
    };
    document.lack = lack.map(Lack::of);
    Some(document)
}
