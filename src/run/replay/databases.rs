//! Whether what was recorded of statistics databases bears out the steps that passed.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::inventory::{Artifact, Kind};
use crate::report::schema;
use crate::steps::statistics::{Ask, beats, missing};

/// When the check ran, and how far the host's clock may be from it.
pub(super) struct Times {
    pub began: Timestamp,
    pub ended: Timestamp,
    pub slack: SignedDuration,
}

/// Whether a passed step holds for each database among `files`.
pub(super) fn hold(
    ask: &Ask,
    artifact: &Artifact,
    files: &[&schema::Evidence],
    all: &[schema::Evidence],
    times: &Times,
) -> bool {
    let told: Vec<(&schema::Evidence, &schema::Database)> = files
        .iter()
        .filter_map(|file| Some((*file, file.database.as_ref()?)))
        .collect();
    // Releases before 0.3.0 told no more than the newest sample.
    if told.is_empty() && matches!(ask, Ask::Consistent) {
        return true;
    }
    let whole = told.iter().all(|(_, database)| {
        let attempts = &database.attempts;
        database.tables > 0 && attempts.last().is_none_or(|last| last == "ok")
    });
    whole
        && !told.is_empty()
        && told.iter().all(|(file, database)| match ask {
            Ask::AtInterval => at_interval(artifact, database, all),
            _ => holds(ask, artifact, file, database, times),
        })
}

fn holds(
    ask: &Ask,
    artifact: &Artifact,
    file: &schema::Evidence,
    database: &schema::Database,
    times: &Times,
) -> bool {
    match ask {
        // Freshness is judged over all files, beside this.
        Ask::Consistent | Ask::SampleWithin(_) | Ask::AtInterval => true,
        Ask::Expected => {
            let none = BTreeMap::new();
            let columns = artifact.statistics.columns.as_ref().unwrap_or(&none);
            missing(&artifact.tables, columns, &database.found).is_empty()
        }
        Ask::SampleEvery(every, last) => database
            .spans
            .iter()
            .any(|span| spans(span, *every, *last, times)),
        Ask::NotAhead => {
            time(&file.newest_entry).is_some_and(|newest| newest <= times.ended + times.slack)
        }
    }
}

/// The inventory has the last word; what else said it was fetched in the same check.
fn at_interval(artifact: &Artifact, database: &schema::Database, all: &[schema::Evidence]) -> bool {
    let was_fetched = |said: &&schema::Configured| {
        let is = |file: &schema::Evidence| {
            file.kind == Kind::Configuration.as_str() && file.path == said.source && file.bytes > 0
        };
        all.iter().any(is)
    };
    let said = database.configured.as_ref().filter(was_fetched);
    let said = said.map(|said| Duration::from_millis(said.interval_ms));
    let configured = (artifact.statistics.interval).or(said);
    let measured = database.interval_ms.map(Duration::from_millis);
    (configured.zip(measured)).is_some_and(|(configured, measured)| beats(measured, configured))
}

fn spans(span: &schema::Span, every: Duration, last: Duration, times: &Times) -> bool {
    let parse = |text: &String| text.parse::<Timestamp>().ok();
    let (Some(from), Some(to)) = (parse(&span.whole.from), parse(&span.whole.to)) else {
        return false;
    };
    let (Some(begin), Some(end)) = (parse(&span.widest.from), parse(&span.widest.to)) else {
        return false;
    };
    let long = |span: Duration| SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
    let width = end.duration_since(begin);
    // Recorded times are whole seconds, the width is exact.
    let exact = SignedDuration::from_millis(i64::try_from(span.widest.ms).unwrap_or(i64::MAX));
    from <= begin
        && to.duration_since(from) + SignedDuration::from_secs(1) > long(every)
        && begin <= end
        && end <= to
        && exact <= long(every)
        && (width - exact).abs() <= SignedDuration::from_secs(1)
        && to.duration_since(from) + times.slack >= long(last)
        && (to >= times.began - times.slack - times.slack && to <= times.ended + times.slack)
}

fn time(text: &Option<String>) -> Option<Timestamp> {
    text.as_deref()?.parse().ok()
}
