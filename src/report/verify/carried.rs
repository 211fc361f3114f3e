//! Whether what a run carries over is what the run that it names has found: where all runs are at hand, its word
//! for it is not enough. Asked again of each run that a restated one restates.

use std::collections::HashMap;

use super::Unacceptable;
use crate::report::history::History;
use crate::report::schema::{Attempt, Carried, Check, Report, Restates};
use crate::report::sealed::Sealed;
use crate::sign::manifest::Manifest;
use crate::text::escape;

/// Holds the run to the runs before it in the chain.
pub(super) fn held_to(
    report: &Report,
    sealed: &Sealed,
    history: &History,
) -> Result<(), Unacceptable> {
    if report.run.restates.is_none() {
        return Ok(());
    }
    let mut before = history.before(sealed.digest);
    let mut later = (report.clone(), sealed.manifest.clone());
    while let Some(restates) = later.0.run.restates.clone() {
        let run = escape(&restates.run).into_owned();
        let digest = |place: &usize| before[*place].digest.to_string() == restates.manifest;
        // Each is before the one that restates it, so that this ends.
        let Some(place) = (0..before.len()).find(digest) else {
            return Err(Unacceptable::History(format!(
                "checks are carried over from run {run}, which is not among the runs before it"
            )));
        };
        // What was found meanwhile would be passed over, and one could try until each check has passed once.
        if let Some(between) = before.get(place + 1) {
            let between = escape(&between.run.id);
            return Err(Unacceptable::History(format!(
                "checks are carried over from run {run}, and run {between} came between"
            )));
        }
        let found = history.record(&before[place]);
        let was = found.map_err(|why| {
            Unacceptable::History(format!("run {run}, which is restated: {}", escape(&why)))
        })?;
        same(&later, &was, &restates).map_err(|what| {
            Unacceptable::Incomplete(format!("{what} than in run {run}, which is restated"))
        })?;
        before = &before[..place];
        later = was;
    }
    Ok(())
}

type Recorded = (Report, Manifest);

/// What is told otherwise, as the beginning of a phrase.
fn same(
    (is, listed): &Recorded,
    (was, then): &Recorded,
    restates: &Restates,
) -> Result<(), String> {
    let told = (&restates.run, &restates.finished);
    if told != (&was.run.id, &was.run.finished) {
        return Err("another id or end is told".to_owned());
    }
    if was.run.aborted.is_some() || was.run.scope.partial {
        return Err("more is told".to_owned());
    }
    if is.run.scope.plan != was.run.scope.plan {
        return Err("it is of another plan".to_owned());
    }
    if is.run.subject != was.run.subject {
        return Err("it is for another commit or release".to_owned());
    }
    let checks: HashMap<&str, &Check> =
        (was.checks.iter().map(|check| (check.id.as_str(), check))).collect();
    for check in &is.checks {
        let id = escape(&check.id);
        let Some(was_check) = checks.get(check.id.as_str()) else {
            return Err(format!("check `{id}` is told and was not"));
        };
        let transcript = check.transcript.as_ref();
        let of = |manifest: &Manifest| transcript.and_then(|name| manifest.digest(name));
        let is_same = match check.carried {
            Some(_) => {
                found(check) == carried(was_check, was)
                    && was_check.outcome == "passed"
                    && of(listed) == of(then)
            }
            None => {
                check.earlier == tried(was_check, was)
                    && check.attempts as usize == check.earlier.len() + 1
            }
        };
        match (is_same, check.carried.is_some()) {
            (true, _) => {}
            (false, true) => return Err(format!("check `{id}` is carried over otherwise")),
            (false, false) => return Err(format!("check `{id}` tells other attempts")),
        }
    }
    Ok(())
}

/// As it was carried over, before its host turned out to be another machine.
fn found(check: &Check) -> Check {
    let mut check = check.clone();
    let failure = check.failure.as_ref();
    if failure.is_some_and(|failure| failure.kind == "mismatch" && failure.at_login) {
        check.outcome = "passed".to_owned();
        (check.failure, check.waiver) = (None, None);
    }
    check
}

fn carried(check: &Check, run: &Report) -> Check {
    let mut check = check.clone();
    check.carried.get_or_insert_with(|| Carried {
        run: run.run.id.clone(),
        finished: run.run.finished.clone(),
    });
    check
}

fn tried(check: &Check, run: &Report) -> Vec<Attempt> {
    let mut earlier = check.earlier.clone();
    earlier.extend(check.failure.as_ref().map(|failure| Attempt {
        started: check.started.clone(),
        duration_ms: check.duration_ms,
        steps: check.steps.clone(),
        failure: failure.clone(),
        run: Some(run.run.id.clone()),
    }));
    earlier
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Sha256;
    use crate::report::sample;

    fn listing(report: &Report) -> Manifest {
        let names = report
            .checks
            .iter()
            .filter_map(|check| check.transcript.clone());
        let files = names.map(|name| (name, Sha256::of(b"as it was")));
        Manifest::of(&files.collect()).unwrap()
    }

    /// A NO-GO, and the run that restates it with all that failed mended.
    fn restated() -> (Recorded, Recorded, Restates) {
        let was = sample::no_go();
        let mut is = was.clone();
        is.run.id = "later".to_owned();
        for (check, was_check) in is.checks.iter_mut().zip(&was.checks) {
            if was_check.outcome == "passed" {
                *check = carried(was_check, &was);
            } else {
                check.earlier = tried(was_check, &was);
                check.attempts = u32::try_from(check.earlier.len()).unwrap() + 1;
                check.outcome = "passed".to_owned();
                (check.failure, check.waiver) = (None, None);
            }
        }
        let restates = Restates {
            run: was.run.id.clone(),
            finished: was.run.finished.clone(),
            manifest: Sha256::of(b"sums").to_string(),
        };
        let (now, then) = (listing(&is), listing(&was));
        ((is, now), (was, then), restates)
    }

    #[test]
    fn what_is_carried_over_is_what_was_found() {
        let (is, was, restates) = restated();
        assert_eq!(same(&is, &was, &restates), Ok(()));
        // Nothing is carried over from a run that was ended early.
        let mut aborted = was.clone();
        aborted.0.run.aborted = Some("interrupted".to_owned());
        assert!(same(&is, &aborted, &restates).is_err());
        // A host that is another machine since makes its checks fail, and nothing else of them.
        let mut other = is.clone();
        let place = other.0.checks.iter().position(|one| one.carried.is_some());
        let check = &mut other.0.checks[place.unwrap()];
        check.outcome = "failed".to_owned();
        check.failure = was.0.checks.iter().find_map(|one| one.failure.clone());
        let failure = check.failure.as_mut().unwrap();
        failure.kind = "mismatch".to_owned();
        failure.at_login = true;
        assert_eq!(same(&other, &was, &restates), Ok(()));
    }

    #[test]
    fn nothing_else_is() {
        type Edit = fn(&mut Recorded, &mut Restates);
        fn first(report: &mut Report) -> &mut Check {
            let mut checks = report.checks.iter_mut();
            checks.find(|check| check.carried.is_some()).unwrap()
        }
        fn again(report: &mut Report) -> &mut Check {
            let mut checks = report.checks.iter_mut();
            checks.find(|check| check.carried.is_none()).unwrap()
        }
        let edits: [(Edit, &str); 13] = [
            (|_, told| told.run = "other".into(), "another id"),
            (
                |_, told| told.finished = "2026-11-20T09:31:12Z".into(),
                "another id or end",
            ),
            (
                |is, _| is.0.run.scope.plan = "ab".repeat(32),
                "another plan",
            ),
            (
                |is, _| is.0.run.subject = Some(Default::default()),
                "another commit",
            ),
            (
                |is, _| is.0.checks[0].id = "new".into(),
                "check `new` is told",
            ),
            (
                |is, _| first(&mut is.0).evidence[0].sha256 = "ab".repeat(32),
                "carried over otherwise",
            ),
            (
                |is, _| first(&mut is.0).evidence.clear(),
                "carried over otherwise",
            ),
            (
                |is, _| first(&mut is.0).started = None,
                "carried over otherwise",
            ),
            (
                |is, _| first(&mut is.0).carried.as_mut().unwrap().run = "x".into(),
                "otherwise",
            ),
            (
                |is, _| is.1 = Manifest::of(&Default::default()).unwrap(),
                "carried over otherwise",
            ),
            // What failed is told as carried over, or without the attempt that failed.
            (
                |is, _| {
                    let carried = first(&mut is.0).carried.clone();
                    again(&mut is.0).carried = carried;
                },
                "carried over otherwise",
            ),
            (
                |is, _| again(&mut is.0).earlier.clear(),
                "tells other attempts",
            ),
            (
                |is, _| again(&mut is.0).attempts = 1,
                "tells other attempts",
            ),
        ];
        for (index, (edit, told)) in edits.into_iter().enumerate() {
            let (mut is, was, mut restates) = restated();
            edit(&mut is, &mut restates);
            let why = same(&is, &was, &restates).unwrap_err();
            assert!(why.contains(told), "case {index}: {why}");
        }
    }
}
