//! From a call to its deed. One arm a phrase; the deeds stand in the theme files.

use std::time::Duration;

use super::{ArtifactName, Call, Stop, World, command, connect, denied, retrieve, vendor};
use crate::failure::{Failure, FailureKind};
use crate::time;

/// Performs one step. It ends within the check's deadline, since every operation takes its limits from
/// there; the caller holds a deadline of its own over all the same.
///
/// # Errors
/// [`Stop::Failure`] with host and account named, or [`Stop::Fault`].
pub async fn perform(call: &Call, world: &mut World) -> Result<(), Stop> {
    let done = match deed(call, world).await {
        Err(Stop::Failure(failure)) => Err(Stop::Failure(denied::explain(failure, world).await)),
        done => done,
    };
    done.map_err(|stop| match (stop, world.login()) {
        (Stop::Failure(failure), Ok(login)) => {
            let failure = failure.with_login(&login.host, &login.user);
            Stop::Failure(beside_the_clock(failure, world))
        }
        (stop, _) => stop,
    })
}

/// Whoever reads that an entry is old or early wants to know of the clock that dated it.
fn beside_the_clock(failure: Failure, world: &World) -> Failure {
    let is_about_time = matches!(failure.kind, FailureKind::Stale | FailureKind::Gap);
    let clock = world.door.as_ref().and_then(|door| door.seen().clock);
    match clock.filter(|_| is_about_time) {
        None => failure,
        Some(clock) => {
            let hint = format!("{} (the host's clock is {})", failure.hint, clock.say());
            failure.with_hint(hint.trim_start())
        }
    }
}

async fn deed(call: &Call, world: &mut World) -> Result<(), Stop> {
    match call {
        Call::Select(_) => Ok(()),
        Call::Connect => connect::connect(world).await,
        Call::Retrieve(names) => {
            for name in names {
                retrieve::retrieve(world, name).await?;
            }
            Ok(())
        }
        Call::Version(ask) => ask.perform(world).await,
        Call::Configuration(name, ask) => ask.perform(world, name).await,
        Call::Log(name, ask) => ask.perform(world, name).await,
        Call::Statistics(name, ask) => ask.perform(world, name).await,
        Call::Listing(name, ask) => ask.perform(world, name).await,
        Call::Host(ask) => ask.perform(world).await,
        Call::Within(name, span) => within(world, name, *span).await,
        Call::AllWithin(span) => all_within(world, *span),
        Call::Vendor(ask) => vendor::perform(*ask, world).await,
        Call::Run(words) => command::run(world, words).await,
        Call::Succeeds => command::succeeds(world),
        Call::OutputContains(wanted) => command::output_contains(world, wanted),
        Call::OutputMatches(pattern) => command::output_matches(world, &pattern.0),
        // The run leaves it out. Whoever asks for it all the same gets no pass.
        Call::Person(ask) => Err(Failure::new(
            FailureKind::Undefined,
            "a person's signed word",
            format!("gonogo was to answer for {}", ask.whom()),
        )
        .into()),
    }
}

async fn within(world: &mut World, name: &ArtifactName, span: Duration) -> Result<(), Stop> {
    let found = retrieve::set(world, name).await?;
    let took = Duration::from_millis(found.files.iter().map(|(file, _)| file.duration_ms).sum());
    if took <= span {
        return Ok(());
    }
    let bytes = found.files.iter().map(|(file, _)| file.bytes).sum();
    let failure = Failure::new(
        FailureKind::Timeout,
        format!("`{}` within {}", found.artifact.name, time::say(span)),
        format!("{} for {}", time::say(took), crate::text::size(bytes)),
    );
    Err(failure
        .with_hint("look at the route to the host and at the size of what is kept there: rotated earlier or compressed, it comes quicker")
        .into())
}

fn all_within(world: &World, span: Duration) -> Result<(), Stop> {
    let evidence = world.evidence();
    let took = Duration::from_millis(evidence.iter().map(|file| file.duration_ms).sum());
    let failure = match (evidence.is_empty(), took <= span) {
        (false, true) => return Ok(()),
        (true, _) => Failure::new(FailureKind::Undefined, "artifacts retrieved before this step", "none in this scenario")
            .with_hint("put the `… can be retrieved` steps before this one"),
        (false, false) => Failure::new(
            FailureKind::Timeout,
            format!("every artifact within {}", time::say(span)),
            format!("{} for {}", time::say(took), crate::text::count(evidence.len(), "file")),
        )
        .with_hint("the evidence of this check tells the time of each file: look at the largest, and at the route to the host"),
    };
    Err(failure.into())
}
