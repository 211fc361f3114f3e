//! Logs. No code here.

use super::{StepDef, step};
use crate::steps::{Call, bind, log};

pub(super) const STEPS: &[StepDef] = &[
    step(
        "Then",
        "{artifact} has an entry from the last {duration}",
        "Then the event log has an entry from the last 1 hour",
        |a| {
            Ok(Call::Log(
                a[0].parse()?,
                log::Ask::EntryWithin(bind::duration(a[1])?),
            ))
        },
        "The newest entry read from the log itself, over all rotated and compressed files, is no older than that, and does not lie in the future.",
    ),
    step(
        "Then",
        "{artifact} covers the last {duration}",
        "Then the event log covers the last 24 hours",
        |a| {
            Ok(Call::Log(
                a[0].parse()?,
                log::Ask::Covers(bind::duration(a[1])?),
            ))
        },
        "The oldest entry is at least that old, and the newest lies within the span.",
    ),
    step(
        "Then",
        "{artifact} has no gap of more than {duration}",
        "Then the event log has no gap of more than 6 hours",
        |a| {
            let most = bind::duration(a[1])?;
            Ok(Call::Log(
                a[0].parse()?,
                log::Ask::NoGap { most, last: None },
            ))
        },
        "From the oldest entry to the newest, over all rotated files, no more than that passes between an entry and the next one. Files may overlap.",
    ),
    step(
        "Then",
        "{artifact} has no gap of more than {duration} in the last {duration}",
        "Then the event log has no gap of more than 1 hour in the last 24 hours",
        |a| {
            let (most, last) = (bind::duration(a[1])?, Some(bind::duration(a[2])?));
            Ok(Call::Log(a[0].parse()?, log::Ask::NoGap { most, last }))
        },
        "The same from that long ago until now: a log that begins too late or has ended counts as a gap.",
    ),
    step(
        "Then",
        "{artifact} has no entry from the future",
        "Then the event log has no entry from the future",
        |a| Ok(Call::Log(a[0].parse()?, log::Ask::NoneFromFuture)),
        "No entry is more than 5 minutes ahead of the runner's clock: one that is comes from a wrong clock or a wrong time zone, and makes a dead log look alive.",
    ),
    step(
        "Then",
        "an entry of level {string} or worse can be found in {artifact}",
        "Then an entry of level \"warning\" or worse can be found in the event log",
        |a| {
            Ok(Call::Log(
                a[1].parse()?,
                log::Ask::HasLevel(a[0].to_owned()),
            ))
        },
        "At least one entry has that level or a worse one, in the order of the product's own levels: proof that what support looks for is not filtered out.",
    ),
    step(
        "Then",
        "{artifact} has no entry of level {string} or worse from the last {duration}",
        "Then the event log has no entry of level \"critical\" or worse from the last 24 hours",
        |a| {
            let span = bind::duration(a[2])?;
            Ok(Call::Log(
                a[0].parse()?,
                log::Ask::NoLevelWithin(a[1].to_owned(), span),
            ))
        },
        "The log reaches back that long, and no entry since has that level or a worse one. That the log is still written is for `has an entry from the last …`.",
    ),
    step(
        "Then",
        "an entry with id {string} can be found in {artifact}",
        "Then an entry with id \"00-0015\" can be found in the event log",
        |a| Ok(Call::Log(a[1].parse()?, log::Ask::HasId(a[0].to_owned()))),
        "At least one entry has exactly that id, as the format or the group `id` of `entry:` tells it; in a journal, `MESSAGE_ID`.",
    ),
    step(
        "Then",
        "{artifact} has at least {int} entries",
        "Then the event log has at least 100 entries",
        |a| {
            Ok(Call::Log(
                a[0].parse()?,
                log::Ask::AtLeast(bind::number(a[1])?),
            ))
        },
        "So many entries, each counted with all of its lines, stand in all rotated files together.",
    ),
    step(
        "Then",
        "{artifact} is kept for at least {duration}",
        "Then the event log is kept for at least 7 days",
        |a| {
            Ok(Call::Log(
                a[0].parse()?,
                log::Ask::KeptFor(bind::duration(a[1])?),
            ))
        },
        "What rotates and removes the log's files, `retention:` of the artifact, promises to keep every entry that long: the period times the rotations, or the age of removal, whichever is less. Rotation by size alone promises no time; what nothing removes is kept for ever, and passes.",
    ),
];
