//! Whether a run that carries checks over from an earlier one says so of each of them, and how old the oldest
//! is. Without this a record could show yesterday's passes as today's.

use jiff::{SignedDuration, Timestamp};

use super::Unacceptable;
use crate::report::schema::{Check, Merged, Report};
use crate::text::escape;

// Clocks of runners differ, and may be set back while a run goes on.
const SLACK: SignedDuration = SignedDuration::from_mins(5);
// A run asks what it has to before its first check; behind its last it closes its sessions and writes its record.
const CLOSING: SignedDuration = SignedDuration::from_hours(1);

/// Every check began within the run that is told to have run it.
pub(super) fn holds(report: &Report) -> Result<(), Unacceptable> {
    let run = &report.run;
    let started = time(&run.started)?;
    let before = match &run.restates {
        Some(restates) => Some(time(&restates.finished)?),
        None => None,
    };
    if before.is_some_and(|finished| finished > started + SLACK) {
        return wrong("the run that it restates finished after it began".to_owned());
    }
    if let Some(merged) = &run.merged {
        return by_shards(report, merged);
    }
    let ended = report.checks.iter().map(end);
    let ended: Vec<_> = ended.collect::<Result<_, _>>()?;
    let finished = time(&run.finished)?;
    match ended.into_iter().flatten().max() {
        // Nothing else says when it ended, and its age counts from there.
        Some(last) if finished.duration_since(last) > CLOSING => {
            return wrong("the run is told to have finished long after its last check".to_owned());
        }
        _ => {}
    }
    // Vendors are judged by the time that the run began at.
    let own = report.checks.iter().filter(|check| check.carried.is_none());
    let began = own.filter_map(|check| check.started.as_deref().map(time));
    let began: Vec<_> = began.collect::<Result<_, _>>()?;
    match began.into_iter().min() {
        Some(first) if first.duration_since(started) > CLOSING => {
            return wrong("the run is told to have begun long before its first check".to_owned());
        }
        _ => {}
    }
    for check in &report.checks {
        let began = check.started.as_deref().map(time).transpose()?;
        if began.is_none() && matches!(&*check.outcome, "passed" | "pending") {
            return wrong(format!(
                "check `{}` passed or waits for a person, and does not tell when",
                escape(&check.id)
            ));
        }
        let id = escape(&check.id);
        match (&check.carried, before) {
            (None, _) if began.is_some_and(|began| began < started - SLACK) => {
                return wrong(format!(
                    "check `{id}` began before the run did, and is not told as carried over"
                ));
            }
            (None, _) => {}
            (Some(_), None) => {
                return wrong(format!("check `{id}` is carried over from no run"));
            }
            (Some(carried), Some(before)) => {
                let finished = time(&carried.finished)?;
                let is_within = began.is_some_and(|began| began <= finished + SLACK);
                if !is_within || finished > before {
                    return wrong(format!(
                        "check `{id}` was not run when it is told to have been"
                    ));
                }
                if !is_judged(check) {
                    return wrong(format!(
                        "check `{id}` was carried over without having passed"
                    ));
                }
            }
        }
    }
    Ok(())
}

/// Every check of a merged run began within the shard that is told to have run it. Of each shard, `merged.rs` asks
/// the rest.
fn by_shards(report: &Report, merged: &Merged) -> Result<(), Unacceptable> {
    for check in &report.checks {
        let id = escape(&check.id);
        let began = check.started.as_deref().map(time).transpose()?;
        let Some(carried) = &check.carried else {
            match began {
                None if check.attempts == 0 && check.outcome == "failed" => continue,
                _ => return wrong(format!("check `{id}` is of no shard")),
            }
        };
        let mut shards = merged.shards.iter();
        let shard =
            shards.find(|shard| (&shard.run, &shard.finished) == (&carried.run, &carried.finished));
        let Some(shard) = shard else {
            return wrong(format!("check `{id}` is of a shard that is not told"));
        };
        let (started, finished) = (time(&shard.started)?, time(&shard.finished)?);
        let is_within = |began| began >= started - SLACK && began <= finished + SLACK;
        if !began.map_or(check.outcome != "passed", is_within) {
            return wrong(format!(
                "check `{id}` was not run when its shard is told to have been"
            ));
        }
    }
    Ok(())
}

/// When the oldest run finished of which a check is told, or the check itself: the check cannot be younger than
/// its evidence, the end of a run that is not here can be told as anything. The shards of a merged run are here.
pub(super) fn oldest(report: &Report) -> Result<Timestamp, Unacceptable> {
    let mut oldest = time(&report.run.finished)?;
    for check in &report.checks {
        if let Some(carried) = &check.carried {
            let finished = time(&carried.finished)?;
            let end = match report.run.merged {
                None => end(check)?,
                Some(_) => None,
            };
            oldest = oldest.min(finished).min(end.unwrap_or(finished));
        }
    }
    Ok(oldest)
}

fn end(check: &Check) -> Result<Option<Timestamp>, Unacceptable> {
    let began = check.started.as_deref().map(time).transpose()?;
    let took = SignedDuration::from_millis_i128(check.duration_ms.into());
    Ok(began.map(|began| began.checked_add(took).unwrap_or(Timestamp::MAX)))
}

/// It passed, or the host turned out to be another machine since.
fn is_judged(check: &Check) -> bool {
    matches!(&*check.outcome, "passed" | "failed")
}

fn time(text: &str) -> Result<Timestamp, Unacceptable> {
    let not_a_time = |_| Unacceptable::Stale(format!("`{}` is not a time", escape(text)));
    text.parse().map_err(not_a_time)
}

fn wrong(what: String) -> Result<(), Unacceptable> {
    Err(Unacceptable::Incomplete(what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::report::schema::{Carried, Restates};

    const EARLIER: &str = "2026-11-20T09:31:12Z";

    /// The sample, its first check carried over from the day before.
    fn restated() -> Report {
        let mut report = sample::go();
        report.run.restates = Some(Restates {
            run: "earlier".to_owned(),
            finished: EARLIER.to_owned(),
            manifest: "ab".repeat(32),
        });
        let check = &mut report.checks[0];
        check.started = Some("2026-11-20T09:30:02Z".to_owned());
        check.carried = Some(Carried {
            run: "earlier".to_owned(),
            finished: EARLIER.to_owned(),
        });
        report
    }

    #[test]
    fn what_is_carried_over_is_told_so_and_sets_the_age() {
        assert!(holds(&sample::go()).is_ok());
        assert!(holds(&restated()).is_ok());
        let finished = sample::go().run.finished.parse().unwrap();
        assert_eq!(oldest(&sample::go()).unwrap(), finished);
        // The check is older than the end of its run.
        let its_own = end(&restated().checks[0]).unwrap().unwrap();
        assert_eq!(oldest(&restated()).unwrap(), its_own);
        assert!(its_own < EARLIER.parse().unwrap());
        // The shards of a merged run are kept with it: their ends are proven.
        let mut merged = restated();
        merged.run.merged = Some(Merged::default());
        assert_eq!(oldest(&merged).unwrap(), EARLIER.parse().unwrap());
    }

    #[test]
    fn nothing_old_passes_as_new() {
        type Edit = fn(&mut Report);
        let edits: [Edit; 11] = [
            |r| r.checks[1].started = None,
            |r| r.run.finished = "2026-11-22T09:00:00Z".into(),
            |r| r.checks[0].carried = None,
            |r| r.run.started = "2026-11-21T08:00:00Z".into(),
            |r| r.run.restates = None,
            |r| r.checks[0].started = None,
            |r| r.checks[0].started = Some("2026-11-21T09:30:02Z".into()),
            // A pass of yesterday that claims a run of today.
            |r| r.checks[0].carried.as_mut().unwrap().finished = "2026-11-21T09:00:00Z".into(),
            |r| r.run.restates.as_mut().unwrap().finished = "2026-11-21T12:00:00Z".into(),
            |r| r.checks[0].outcome = "pending".into(),
            |r| r.checks[0].carried.as_mut().unwrap().finished = "soon".into(),
        ];
        for (index, edit) in edits.into_iter().enumerate() {
            let mut report = restated();
            edit(&mut report);
            assert!(holds(&report).is_err(), "case {index}");
        }
    }
}
