//! An artifact that a web server answers with: the same proofs as for one that lies in a file.

use std::time::Instant;

use super::reject::{Both, Lines};
use super::retrieve::{Fetched, Tee, evidence, kept, reader_of};
use super::{Stop, World};
use crate::evidence::Content;
use crate::evidence::tap::Tap;
use crate::evidence::unpack::Tail;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, Get};
use crate::text;
use crate::transport::{ReadError, Sink};

/// Asks once; an answer of status 200 is looked at as the artifact's format demands.
pub(super) async fn fetch(world: &World, artifact: &Artifact, get: &Get) -> Result<Fetched, Stop> {
    let session = world.session().await?;
    let started = Instant::now();
    let reader = Tap::new(reader_of(world, artifact, Tail::Closed));
    let reject = Tap::new(Lines::new(&artifact.reject));
    let kept = kept(world, artifact, &get.url)?.map(|(file, _)| file);
    let sink: Sink = Box::new(Both(reader.sink(), reject.sink()));
    let got = session
        .get(get, world.limits()?, Tee::sink(sink, kept))
        .await;
    let receipt = got.map_err(|error| match error {
        ReadError::Failure(failure) => Stop::Failure(failure.with_subject_if_none(&get.url)),
        ReadError::Sink(error) => Stop::Fault(format!(
            "cannot store what was read of {}: {error}",
            text::escape(&get.url)
        )),
    })?;
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
