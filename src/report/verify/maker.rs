//! Which gonogo made a run, as the run tells it: one that was released, or this one. Another name would be a
//! way around rules that hold a record to what its version told.

use super::{Demands, Unacceptable};
use crate::report::schema::{Check, Report, Run};
use crate::text::escape;

const THIS: &str = env!("CARGO_PKG_VERSION");
/// The versions before this one; each has its runs in `tests/golden/`.
const RELEASED: [&str; 3] = ["0.1.0", "0.2.0", "0.3.0"];

/// Whether it was made by an older version.
///
/// # Errors
/// When no such version is known.
pub(super) fn is_older(version: &str) -> Result<bool, Unacceptable> {
    match version {
        THIS => Ok(false),
        version if RELEASED.contains(&version) => Ok(true),
        version => Err(Unacceptable::Maker(escape(version).into_owned())),
    }
}

/// A run of an older version tells nothing that its version did not know. Where runs have numbers, it is one
/// without: `verify --history` sees that.
///
/// # Errors
/// When it does.
pub(super) fn knew(report: &Report) -> Result<(), Unacceptable> {
    let run = &report.run;
    let asks = |check: &Check| {
        check.outcome == "pending" || check.steps.iter().any(|step| step.asks.is_some())
    };
    let later = run.number.is_some()
        || run.challenge.is_some()
        || run.restates.is_some()
        || run.merged.is_some()
        || run.scope.shard.is_some()
        || run.subject.is_some()
        || report.hosts.iter().any(|host| !host.as_hop.is_empty())
        || report.checks.iter().any(asks);
    match later {
        true => Err(Unacceptable::Incomplete(format!(
            "the run tells things that gonogo {} did not know",
            escape(&run.tool.version)
        ))),
        false => Ok(()),
    }
}

/// Of what an older version made, not all is compared: whoever holds a key today could name one to have
/// less looked at. So it is read, and no gate takes it unasked.
///
/// # Errors
/// When a fresh run is asked for, and not one of that version.
pub(super) fn accepted(run: &Run, demands: &Demands) -> Result<(), Unacceptable> {
    let version = &run.tool.version;
    let is_named = demands.accept_versions.contains(version);
    match demands.max_age.is_some() && !is_named {
        true => Err(Unacceptable::Older(escape(version).into_owned())),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_version_knew_less() {
        let mut report = crate::report::sample::go();
        report.run.number = None;
        assert!(knew(&report).is_ok());
        report.run.number = Some(1);
        assert!(knew(&report).is_err());
        report.run.number = None;
        report.run.challenge = Some("words".to_owned());
        assert!(knew(&report).is_err());
        report.run.challenge = None;
        report.run.subject = Some(Default::default());
        assert!(knew(&report).is_err());
        let mut report = crate::report::sample::hold();
        report.run.number = None;
        assert!(knew(&report).is_err());
        report.checks.retain(|check| check.outcome != "pending");
        assert!(knew(&report).is_ok());
    }

    #[test]
    fn a_gate_takes_the_older_version_that_it_was_told_of() {
        let mut run = crate::report::sample::go().run;
        run.tool.version = "0.3.0".to_owned();
        let mut demands = Demands::default();
        assert!(accepted(&run, &demands).is_ok());
        demands.max_age = Some(std::time::Duration::from_secs(60));
        assert!(accepted(&run, &demands).is_err());
        for (version, is_taken) in [("0.2.0", false), ("0.3.0", true)] {
            demands.accept_versions = vec![version.to_owned()];
            assert_eq!(accepted(&run, &demands).is_ok(), is_taken, "{version}");
        }
    }

    #[test]
    fn what_was_never_released_made_no_run() {
        assert!(!is_older(THIS).unwrap());
        for version in ["0.1.0", "0.2.0", "0.3.0"] {
            assert!(is_older(version).unwrap(), "{version}");
        }
        for version in [
            "", "0.3", "0.3.1", "0.3.0 ", "0.3.00", "v0.3.0", "0.0.9", "9.9.9",
        ] {
            assert!(is_older(version).is_err(), "{version}");
        }
    }

    #[test]
    fn every_version_of_the_changelog_is_known() {
        let changes = include_str!("../../../CHANGELOG.md");
        let versions = changes.lines().filter_map(|line| line.strip_prefix("## "));
        let versions: Vec<_> = versions.filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(versions.len(), RELEASED.len() + 1, "{versions:?}");
        for version in versions {
            assert!(is_older(version).is_ok(), "{version}");
        }
    }
}
