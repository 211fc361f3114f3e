//! An artifact that a web server answers with: the same proofs as for one that lies in a file.

use std::time::Instant;

use super::reject::{Both, Lines};
use super::retrieve::{Fetched, Tee, evidence, kept, reader_of, stopped};
use super::{Stop, World};
use crate::evidence::Content;
use crate::evidence::tap::Tap;
use crate::evidence::unpack::Tail;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, Get};
use crate::transport::Sink;

/// Asks once; an answer of status 200 is looked at as the artifact's format demands.
pub(super) async fn fetch(world: &World, artifact: &Artifact, get: &Get) -> Result<Fetched, Stop> {
    let session = world.session().await?;
    let started = Instant::now();
    let reader = Tap::new(reader_of(world, artifact, Tail::Closed));
    let reject = Tap::new(Lines::new(&artifact.reject));
    let (file, kept) = kept(world, artifact, &get.url)?.unzip();
    let sink: Sink = Box::new(Both(reader.sink(), reject.sink()));
    let got = session
        .get(get, world.limits()?, Tee::sink(sink, file))
        .await;
    let receipt = got.map_err(|error| stopped(error, &get.url))?;
    if let Some(kept) = kept {
        kept.whole();
    }
    let about = |failure: Failure| failure.with_subject_if_none(&get.url);
    if receipt.bytes == 0 {
        return Err(about(
            Failure::new(FailureKind::Empty, "content", "an answer of 0 bytes")
                .with_hint("an empty answer is no evidence that support could use: find out why the server has nothing to say there"),
        )
        .into());
    }
    let content: Result<Content, Failure> = match reject.take().finish() {
        Ok(()) => reader.take().finish(),
        // What the product says itself is worth more than that its words are no XML.
        Err(refusal) => return Err(about(refusal).into()),
    };
    let content = content.map_err(about);
    Ok((evidence(artifact, receipt, &content, started, 1), content))
}
