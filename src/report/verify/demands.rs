//! What the verifier demands beside signature and completeness, and whether a run meets it: whole, fresh,
//! and about what the verifier asks for.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Unacceptable, restated};
use crate::digest::Sha256;
use crate::report::schema::Report;
use crate::sign::timestamp::Authorities;
use crate::text::escape;
use crate::time;

// The same skew that log entries are allowed: more is a wrong clock, or a report dated ahead to stay
// fresh for longer.
pub(super) const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What the verifier demands beside signature and completeness.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// The signer's identity.
    pub identity: Option<String>,
    /// `environment:` of the inventory.
    pub environment: Option<String>,
    /// SHA-256 of the inventory.
    pub inventory: Option<Sha256>,
    /// Label and SHA-256 of every feature.
    pub features: Option<BTreeMap<String, Sha256>>,
    /// Most time since the run finished.
    pub max_age: Option<Duration>,
    /// The older versions of gonogo whose runs may be fresh ones.
    pub accept_versions: Vec<String>,
    /// Whether a filtered run may be read.
    pub allow_partial: bool,
    /// When the run was signed, known from elsewhere: the key must have been valid then. Without it, the
    /// key must be valid now.
    pub signed_at: Option<Timestamp>,
    /// The folder of all runs, of which it must be the newest.
    pub history: Option<PathBuf>,
    /// Whose time stamps count. With one, the key must have been valid at the time that it proves.
    pub authorities: Option<Authorities>,
    /// Whether a run without a time stamp is refused.
    pub needs_stamp: bool,
    /// Most time from the end of the run to its time stamp.
    pub stamped_within: Option<Duration>,
    /// The words that the run must hold to have been made after they were known.
    pub challenge: Option<String>,
    /// The only ones who may have signed it, by these names; whoever may sign when nobody is named.
    pub signers: Vec<String>,
    /// Who may have signed the shards of a merged run; whoever may sign runs, when empty.
    pub shard_signers: Vec<String>,
    /// An earlier GO, to be looked at for what it had.
    pub against: Option<PathBuf>,
    /// The commit that the run must be for.
    pub commit: Option<String>,
    /// SHA-256 of the release that the run must be for.
    pub release: Option<Sha256>,
    /// When the estate goes live for which the run must have been made.
    pub go_live: Option<Timestamp>,
    /// When that is over, for which the run must have been made.
    pub go_live_until: Option<Timestamp>,
}

pub(super) fn whole(report: &Report, demands: &Demands) -> Result<(), Unacceptable> {
    if let Some(reason) = &report.run.aborted {
        return Err(Unacceptable::Aborted(escape(reason).into_owned()));
    }
    if let Some(shard) = &report.run.scope.shard
        && !demands.allow_partial
    {
        return Err(Unacceptable::Shard(escape(&shard.name()).into_owned()));
    }
    if report.run.scope.partial && !demands.allow_partial {
        return Err(Unacceptable::Partial(
            escape(&report.run.scope.filters.join(", ")).into_owned(),
        ));
    }
    Ok(())
}

pub(super) fn fresh(
    report: &Report,
    demands: &Demands,
    now: Timestamp,
) -> Result<(), Unacceptable> {
    let stated = &report.run.finished;
    let Ok(finished) = stated.parse::<Timestamp>() else {
        return Err(Unacceptable::Stale(format!(
            "`{}` is not a time",
            escape(stated)
        )));
    };
    let age = now.duration_since(finished);
    if age < -SKEW {
        return Err(Unacceptable::Stale(format!(
            "the run says that it finished at {}, which is in the future",
            time::rfc3339(finished)
        )));
    }
    let oldest = restated::oldest(report)?;
    let oldest_age = now.duration_since(oldest);
    match demands.max_age {
        Some(most) if age > SignedDuration::try_from(most).unwrap_or(SignedDuration::MAX) => {
            let (age, most) = (time::say(age.unsigned_abs()), time::say(most));
            Err(Unacceptable::Stale(format!(
                "the run finished {age} ago, at {}; {most} is allowed",
                time::rfc3339(finished)
            )))
        }
        // A run is as old as the oldest check that it tells.
        Some(most)
            if oldest_age > SignedDuration::try_from(most).unwrap_or(SignedDuration::MAX) =>
        {
            let (age, most) = (time::say(oldest_age.unsigned_abs()), time::say(most));
            let what = match report.run.merged {
                Some(_) => "was merged from shards, of which one",
                None => "restates checks of one that",
            };
            Err(Unacceptable::Stale(format!(
                "the run {what} finished {age} ago, at {}; {most} is allowed",
                time::rfc3339(oldest)
            )))
        }
        _ => Ok(()),
    }
}

pub(super) fn bound(report: &Report, demands: &Demands) -> Result<(), Unacceptable> {
    let wrong = |what: String| Err(Unacceptable::Binding(what));
    match (&demands.challenge, &report.run.challenge) {
        // What was carried over was made before: `run` refuses both at once.
        (Some(_), _) if report.run.restates.is_some() => {
            return wrong("the run restates checks that were made before its challenge".to_owned());
        }
        (Some(wanted), Some(held)) if wanted == held => {}
        (Some(_), Some(_)) => return wrong("the run holds another challenge".to_owned()),
        (Some(_), None) => return wrong("the run holds no challenge".to_owned()),
        (None, _) => {}
    }
    let environment = &report.run.scope.environment;
    match &demands.environment {
        Some(wanted) if wanted != environment => {
            return wrong(format!(
                "the run is about environment `{}`, not `{}`",
                escape(environment),
                escape(wanted)
            ));
        }
        _ => {}
    }
    subject(report, demands)?;
    live(report, demands)?;
    let inputs: BTreeMap<&str, &str> = report
        .inputs
        .iter()
        .map(|input| (input.path.as_str(), input.sha256.as_str()))
        .collect();
    let used = inputs.get("inputs/inventory.yaml").copied();
    if demands
        .inventory
        .is_some_and(|wanted| used != Some(wanted.to_string().as_str()))
    {
        return wrong("the run used another inventory".to_owned());
    }
    if let Some(wanted) = &demands.features {
        let used: BTreeMap<&str, &str> = inputs
            .into_iter()
            .filter(|(path, _)| path.ends_with(".feature"))
            .collect();
        for (path, digest) in wanted {
            match used.get(path.as_str()) {
                None => return wrong(format!("the run did not use feature `{}`", escape(path))),
                Some(other) if **other != digest.to_string() => {
                    return wrong(format!(
                        "the run used another version of feature `{}`",
                        escape(path)
                    ));
                }
                Some(_) => {}
            }
        }
        if let Some(extra) = used.keys().find(|path| !wanted.contains_key(**path)) {
            return wrong(format!("the run used feature `{}` too", escape(extra)));
        }
    }
    Ok(())
}

/// What the run was made for, as it tells.
fn subject(report: &Report, demands: &Demands) -> Result<(), Unacceptable> {
    let told = report.run.subject.clone().unwrap_or_default();
    let release = demands.release.map(|digest| digest.to_string());
    let asked = [
        ("commit", &demands.commit, told.commit),
        ("release", &release, told.release),
    ];
    for (what, wanted, told) in asked {
        let why = match (wanted, told) {
            (None, _) => continue,
            (Some(wanted), Some(told)) if *wanted == told => continue,
            (Some(wanted), Some(told)) => {
                let (told, wanted) = (escape(&told), escape(wanted));
                format!("the run was made for {what} {told}, not for {wanted}")
            }
            (Some(_), None) => format!("the run does not tell for which {what} it was made"),
        };
        return Err(Unacceptable::Binding(why));
    }
    Ok(())
}

/// The same instants, in whatever zone either was written; a run tells whole seconds.
fn live(report: &Report, demands: &Demands) -> Result<(), Unacceptable> {
    let run = &report.run;
    let both = [
        ("go-live", "a go-live at", demands.go_live, &run.go_live),
        (
            "end of go-live",
            "a go-live that ends at",
            demands.go_live_until,
            &run.go_live_until,
        ),
    ];
    for (missing, what, wanted, told) in both {
        let Some(wanted) = wanted else {
            continue;
        };
        let named = time::rfc3339(wanted);
        let why = match told {
            None => format!("the run tells no {missing}, and {named} is asked for"),
            Some(told) => match told.parse::<Timestamp>() {
                Ok(time) if time.as_second() == wanted.as_second() => continue,
                _ => format!(
                    "the run was made for {what} {}, not at {named}",
                    escape(told)
                ),
            },
        };
        return Err(Unacceptable::Binding(why));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::report::schema::{Restates, Subject};

    #[test]
    fn a_run_is_for_the_commit_and_the_release_that_it_tells() {
        let mut report = sample::go();
        let (commit, release) = ("ab".repeat(20), Sha256::of(b"app"));
        let of = |commit: Option<String>, release| Demands {
            commit,
            release,
            ..Demands::default()
        };
        assert!(bound(&report, &of(Some(commit.clone()), None)).is_err());
        assert!(bound(&report, &of(None, Some(release))).is_err());
        report.run.subject = Some(Subject {
            commit: Some(commit.clone()),
            release: Some(release.to_string()),
        });
        let both = of(Some(commit), Some(release));
        assert!(bound(&report, &both).is_ok());
        assert!(bound(&report, &Demands::default()).is_ok());
        for wrong in [
            of(Some("ac".repeat(20)), None),
            of(None, Some(Sha256::of(b"other"))),
            of(both.commit.clone(), Some(Sha256::of(b"other"))),
        ] {
            assert!(bound(&report, &wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_go_live_is_one_instant_whatever_its_zone() {
        let mut report = sample::go();
        let of = |time: &str| Demands {
            go_live: Some(time.parse().unwrap()),
            ..Demands::default()
        };
        let why = |report: &Report, time: &str| bound(report, &of(time)).unwrap_err().to_string();
        let told = why(&report, "2026-12-02T09:30:00Z");
        assert!(
            told.contains("tells no go-live, and 2026-12-02T09:30:00Z"),
            "{told}"
        );
        report.run.go_live = Some("2026-12-02T09:30:00Z".to_owned());
        for same in [
            "2026-12-02T09:30:00Z",
            "2026-12-02T01:30:00-08:00",
            "2026-12-02T15:15:00+05:45",
            "2026-12-02T09:30:00.25Z",
        ] {
            assert!(bound(&report, &of(same)).is_ok(), "{same}");
        }
        assert!(bound(&report, &Demands::default()).is_ok());
        // The same time on the clock is another instant elsewhere.
        for other in [
            "2026-12-02T09:30:00-08:00",
            "2026-12-02T09:30:01Z",
            "2026-12-03T09:30:00Z",
        ] {
            let told = why(&report, other);
            assert!(
                told.contains("at 2026-12-02T09:30:00Z, not at 2026-12-"),
                "{told}"
            );
        }
        // And its end, where that is asked for.
        let until = |time: &str| Demands {
            go_live_until: Some(time.parse().unwrap()),
            ..of("2026-12-02T09:30:00Z")
        };
        let ends = "2026-12-02T11:30:00Z";
        let told = bound(&report, &until(ends)).unwrap_err().to_string();
        assert!(
            told.contains("no end of go-live, and 2026-12-02T11:30:00Z"),
            "{told}"
        );
        report.run.go_live_until = Some(ends.to_owned());
        assert!(bound(&report, &until("2026-12-02T03:30:00-08:00")).is_ok());
        assert!(bound(&report, &of("2026-12-02T09:30:00Z")).is_ok());
        let told = bound(&report, &until("2026-12-02T12:30:00Z"))
            .unwrap_err()
            .to_string();
        assert!(
            told.contains("that ends at 2026-12-02T11:30:00Z, not at"),
            "{told}"
        );
        report.run.go_live = Some("soon".to_owned());
        assert!(bound(&report, &of("2026-12-02T09:30:00Z")).is_err());
    }

    #[test]
    fn a_challenge_is_met_by_a_run_that_is_new_in_all_its_parts() {
        let mut report = sample::go();
        let demands = Demands {
            challenge: Some("audit 117".to_owned()),
            ..Demands::default()
        };
        assert!(bound(&report, &demands).is_err());
        report.run.challenge = Some("audit 116".to_owned());
        assert!(bound(&report, &demands).is_err());
        report.run.challenge = Some("audit 117".to_owned());
        assert!(bound(&report, &demands).is_ok());
        report.run.restates = Some(Restates {
            run: "20261121T093000Z-1a2b3c4d".to_owned(),
            finished: "2026-11-21T09:31:00Z".to_owned(),
            manifest: Sha256::of(b"").to_string(),
        });
        assert!(bound(&report, &demands).is_err());
        assert!(bound(&report, &Demands::default()).is_ok());
    }
}
