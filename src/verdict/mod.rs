//! The verdict: a pure function of recorded facts. No clock, no file, no network; the same facts give
//! the same verdict today, in `verify`, and in ten years.

mod clock;
mod coverage;
mod facts;
mod hosts;
mod machines;
#[cfg(test)]
mod machines_test;
mod record;
#[cfg(test)]
mod rules_test;
#[cfg(test)]
mod sample;
mod shards;
#[cfg(test)]
mod shards_test;
mod twice;
#[cfg(test)]
mod twice_test;
mod waivers;
#[cfg(test)]
mod waivers_test;
mod words;

pub use clock::Clock;
pub use facts::{
    Check, Claim, Counts, Evidence, Facts, Grant, Host, Instance, Merged, Piece, RunKind, Runner,
    Shard, StepOutcome, Waiver,
};
pub use hosts::same_hostname;

use std::collections::HashMap;

use words::{list, of_all};

/// What became of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Every step passed.
    Passed,
    /// A step failed, or no statement could be made.
    Failed,
    /// Failed, and a valid waiver covers it.
    Waived,
    /// Waits for a person's signed word.
    Pending,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Passed, Self::Failed, Self::Waived, Self::Pending];

    /// The published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Waived => "waived",
            Self::Pending => "pending",
        }
    }
}

/// The three verdicts of contract 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// All passed, or what failed is validly waived.
    Go,
    /// Something speaks against it.
    NoGo,
    /// All passed but a person's word is still due.
    Hold,
}

impl Decision {
    /// Every decision.
    pub const ALL: [Self; 3] = [Self::Go, Self::NoGo, Self::Hold];

    /// The published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Go => "GO",
            Self::NoGo => "NO-GO",
            Self::Hold => "HOLD",
        }
    }
}

/// A decision and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// GO, NO-GO or HOLD.
    pub decision: Decision,
    /// Worst first, grouped and capped; empty for a plain GO, and the caveats of any other GO. They
    /// may quote remote text: who prints them escapes it.
    pub reasons: Vec<String>,
}

/// One rule: what it is called, and what it has against these facts.
struct Rule {
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the test over the tables names rules by it")
    )]
    name: &'static str,
    against: fn(&Facts) -> Vec<String>,
}

/// A NO-GO each, worst first (contract 5). The tables are the whole law: a rule that is not in one
/// of them does not exist, and `rules_test.rs` shows that none can be dropped unnoticed.
const STOPS: &[Rule] = &[
    rule("unreadable", record::unreadable),
    rule("aborted", record::aborted),
    rule("shard missing", shards::missing),
    rule("shards differ", shards::differing),
    rule("shards apart", shards::apart),
    rule("empty", record::empty),
    rule("sums", record::sums),
    rule("clock", record::clock),
    rule("duplicates", record::duplicates),
    rule("strangers", record::strangers),
    rule("untold", record::untold),
    rule("unproven", record::unproven),
    rule("twice", twice::same_bytes),
    rule("one machine", machines::one_machine),
    rule("wrong host", hosts::wrong_host),
    rule("runner", machines::runner),
    rule("host clock", clock::off),
    rule("no host key", hosts::without_key),
    rule("failed", failed),
    rule("not retrieved", coverage::not_retrieved),
    rule("no team", coverage::without_team),
    rule("waivers", waivers::invalid),
    rule("partial", record::partial),
];

/// A HOLD each, when nothing above speaks.
const WAITS: &[Rule] = &[rule("pending", pending), rule("shard", shards::alone)];

/// Said of every verdict, changing none.
const NOTES: &[Rule] = &[
    rule("waived", waivers::used),
    rule("waiver ends", waivers::ending),
    rule("waiver unused", waivers::unused),
    rule("no instance", coverage::without_instance),
    rule("shared key", machines::shared_key),
    rule("untold apart", machines::untold_apart),
    rule("shared log", twice::shared_log),
];

const fn rule(name: &'static str, against: fn(&Facts) -> Vec<String>) -> Rule {
    Rule { name, against }
}

/// Judges a run by what was recorded of it: the only function in gonogo that can say GO.
#[must_use]
pub fn decide(facts: &Facts) -> Verdict {
    let ask = |rules: &[Rule]| -> Vec<String> {
        let reasons = rules.iter().map(|rule| (rule.against)(facts));
        reasons.flatten().collect()
    };
    let (stops, waits, notes) = (ask(STOPS), ask(WAITS), ask(NOTES));
    let decision = match (stops.is_empty(), waits.is_empty()) {
        (false, _) => Decision::NoGo,
        (true, false) => Decision::Hold,
        (true, true) => Decision::Go,
    };
    let reasons = [stops, waits, notes].concat();
    Verdict { decision, reasons }
}

/// What speaks against a run because of where and by which clock it was made: another runner would not
/// find it again in checks that it carries over.
#[must_use]
pub fn against_the_runner(facts: &Facts) -> Vec<String> {
    [machines::runner(facts), record::clock(facts)].concat()
}

fn failed(facts: &Facts) -> Vec<String> {
    let failed = facts.of(Outcome::Failed);
    if failed.is_empty() {
        return Vec::new();
    }
    let kinds = crate::failure::FailureKind::ALL.into_iter();
    let kinds = kinds.filter_map(|kind| {
        let times = failed.iter().filter(|check| check.failure == Some(kind));
        match times.count() {
            0 => None,
            times => Some(format!("{times} {kind}")),
        }
    });
    let kinds: Vec<_> = kinds.collect();
    let kinds = match kinds.is_empty() {
        true => String::new(),
        false => format!(" ({})", kinds.join(", ")),
    };
    let ids = list(failed.iter().map(|check| &*check.id));
    let of_all = of_all(failed.len(), facts.checks.len());
    vec![format!("{of_all} failed{kinds}: {ids}")]
}

fn pending(facts: &Facts) -> Vec<String> {
    let pending = facts.of(Outcome::Pending);
    if pending.is_empty() {
        return Vec::new();
    }
    let ids = list(pending.iter().map(|check| &*check.id));
    let of_all = of_all(pending.len(), facts.checks.len());
    vec![format!("{of_all} pending a person's word: {ids}")]
}

impl Facts {
    fn of(&self, outcome: Outcome) -> Vec<&Check> {
        let checks = self.checks.iter();
        checks.filter(|check| check.outcome == outcome).collect()
    }

    /// Of two instances of one name the first.
    fn by_name(&self) -> HashMap<&str, &Instance> {
        let instances = self.instances.iter().rev();
        instances.map(|one| (one.name.as_str(), one)).collect()
    }
}
