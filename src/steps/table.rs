//! The table of steps. Its order is the order of `gonogo steps` and docs/steps.md. No code here.

use super::call::{ArtifactName, Call, Selector};

/// One phrase: how it is written, what it proves, and the call it binds to.
pub struct StepDef {
    /// The keyword that reads best; matching ignores it, as other cucumbers do.
    pub keyword: &'static str,
    /// A Cucumber Expression; parameters are those of `bind.rs`.
    pub expression: &'static str,
    /// What it proves, for authors and auditors.
    pub doc: &'static str,
    /// A line that matches exactly this step (a test says so).
    pub example: &'static str,
    /// What stands below it.
    pub takes: Takes,
    /// From the captured parameters, in order, to a call. What stands below the step comes last, a
    /// table one argument a row.
    pub(super) build: fn(&[&str]) -> Result<Call, String>,
}

/// What a step takes from the lines below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing: a table or doc string there is refused.
    Nothing,
    /// A data table of one column.
    Table,
    /// A doc string.
    DocString,
}

const fn step(
    keyword: &'static str,
    expression: &'static str,
    example: &'static str,
    build: fn(&[&str]) -> Result<Call, String>,
    doc: &'static str,
) -> StepDef {
    StepDef {
        keyword,
        expression,
        doc,
        example,
        takes: Takes::Nothing,
        build,
    }
}

const fn with(takes: Takes, def: StepDef) -> StepDef {
    StepDef { takes, ..def }
}

/// Every phrase. Wording is fixed by contract 4; phrases are added, never renamed.
pub const STEPS: &[StepDef] = &[
    step(
        "Given",
        "each instance",
        "Given each instance",
        |_| Ok(Call::Select(Selector::instances(None, None))),
        "One check for each instance of the inventory, as the first team of its list.",
    ),
    step(
        "Given",
        "each {string} instance",
        "Given each \"amps\" instance",
        |a| Ok(Call::Select(Selector::instances(Some(a[0]), None))),
        "One check for each instance of that product, as the first team of its list.",
    ),
    step(
        "Given",
        "each instance on group {string}",
        "Given each instance on group \"ny4\"",
        |a| Ok(Call::Select(Selector::instances(None, Some(a[0])))),
        "One check for each instance on a host of that group, as the first team of its list.",
    ),
    step(
        "Given",
        "each {string} instance on group {string}",
        "Given each \"amps\" instance on group \"ny4\"",
        |a| Ok(Call::Select(Selector::instances(Some(a[0]), Some(a[1])))),
        "One check for each instance of that product on a host of that group.",
    ),
    step(
        "Given",
        "each team responsible for it",
        "And each team responsible for it",
        |_| Ok(Call::Select(Selector::ResponsibleTeams)),
        "One check for each team in the instance's list, each with its own login.",
    ),
    step(
        "Given",
        "the {string} team",
        "And the \"operations\" team",
        |a| Ok(Call::Select(Selector::Team(a[0].to_owned()))),
        "The check is done with that team's login.",
    ),
    step(
        "Given",
        "each host",
        "Given each host",
        |_| Ok(Call::Select(Selector::Hosts(None))),
        "One check for each host that is not merely a hop.",
    ),
    step(
        "Given",
        "each host on group {string}",
        "Given each host on group \"ny4\"",
        |a| Ok(Call::Select(Selector::Hosts(Some(a[0].to_owned())))),
        "One check for each host of that group.",
    ),
    step(
        "Given",
        "each team",
        "Given each team",
        |_| Ok(Call::Select(Selector::Teams)),
        "One check for each team of the inventory.",
    ),
    step(
        "Given",
        "each vendor",
        "Given each vendor",
        |_| Ok(Call::Select(Selector::Vendors)),
        "One check for each vendor of the inventory.",
    ),
    step(
        "Given",
        "the {string} vendor",
        "Given the \"60east\" vendor",
        |a| Ok(Call::Select(Selector::Vendor(a[0].to_owned()))),
        "The check is about that vendor.",
    ),
    step(
        "When",
        "the team connects",
        "When the team connects",
        |_| Ok(Call::Connect),
        "The route leads to the host, the host proves to be the one the inventory means, and the team's login is accepted.",
    ),
    step(
        "Then",
        "{artifact} can be retrieved",
        "Then the event log can be retrieved",
        |a| Ok(Call::Retrieve(vec![a[0].parse()?])),
        "All bytes come, as many as each file had when it was opened, within cap and deadline, from regular files, under the team's own login; their SHA-256 is recorded. An empty artifact is no proof.",
    ),
    with(
        Takes::Table,
        step(
            "Then",
            "these artifacts can be retrieved:",
            "Then these artifacts can be retrieved:",
            |a| {
                Ok(Call::Retrieve(
                    a.iter()
                        .map(|&name| ArtifactName::Named(name.to_owned()))
                        .collect(),
                ))
            },
            "The same for each artifact whose name stands in the one-column table below.",
        ),
    ),
    step(
        "Then",
        "the version is the expected one",
        "Then the version is the expected one",
        |_| Ok(Call::VersionExpected),
        "The version retrieved is `expect.version` of the inventory.",
    ),
    step(
        "Then",
        "{artifact} is well-formed",
        "Then the configuration is well-formed",
        |a| Ok(Call::WellFormed(a[0].parse()?)),
        "Every file of the artifact parses as its `format` says.",
    ),
    step(
        "Then",
        "{artifact} belongs to this instance",
        "Then the configuration belongs to this instance",
        |a| Ok(Call::BelongsToInstance(a[0].parse()?)),
        "The name that the configuration gives itself is `expect.name` of the inventory.",
    ),
    step(
        "Then",
        "{artifact} has an entry from the last {duration}",
        "Then the event log has an entry from the last 1 hour",
        |a| {
            Ok(Call::EntryWithin(
                a[0].parse()?,
                super::bind::duration(a[1])?,
            ))
        },
        "The newest entry read from the log itself, over all rotated and compressed files, is no older than that, and does not lie in the future.",
    ),
    step(
        "Then",
        "{artifact} covers the last {duration}",
        "Then the event log covers the last 24 hours",
        |a| Ok(Call::Covers(a[0].parse()?, super::bind::duration(a[1])?)),
        "The oldest entry is at least that old, and the newest lies within the span.",
    ),
    step(
        "Then",
        "{artifact} is consistent",
        "Then the statistics database is consistent",
        |a| Ok(Call::Consistent(a[0].parse()?)),
        "The database and its write-ahead log were copied as one set; the copy opens, passes SQLite's integrity check, and holds the expected tables and at least one sample.",
    ),
    step(
        "Then",
        "{artifact} has a sample from the last {duration}",
        "Then the statistics database has a sample from the last 5 minutes",
        |a| {
            Ok(Call::SampleWithin(
                a[0].parse()?,
                super::bind::duration(a[1])?,
            ))
        },
        "The newest sample in the retrieved copy is no older than that, and does not lie in the future.",
    ),
    step(
        "Then",
        "every artifact was retrieved within {duration}",
        "Then every artifact was retrieved within 5 minutes",
        |a| Ok(Call::AllWithin(super::bind::duration(a[0])?)),
        "The retrievals of this check together took no longer than that.",
    ),
    step(
        "When",
        "the team runs {string}",
        "When the team runs \"df -h /var\"",
        |a| Ok(Call::Run(super::command::words(a[0])?)),
        "Runs one program with its arguments, split at blanks; no shell syntax, no pipes.",
    ),
    step(
        "Then",
        "the command succeeds",
        "Then the command succeeds",
        |_| Ok(Call::Succeeds),
        "The command that was run last ended by itself with exit status 0.",
    ),
    step(
        "Then",
        "its output contains {string}",
        "Then its output contains \"x\"",
        |a| Ok(Call::OutputContains(a[0].to_owned())),
        "What the command printed, on stdout or stderr, contains that text.",
    ),
    with(
        Takes::DocString,
        step(
            "Then",
            "its output contains:",
            "Then its output contains:",
            |a| Ok(Call::OutputContains(a[0].to_owned())),
            "The same for the text of the doc string below, line breaks included.",
        ),
    ),
    step(
        "Then",
        "its output matches {string}",
        "Then its output matches \"re\"",
        |a| Ok(Call::OutputMatches(super::bind::pattern(a[0])?)),
        "What the command printed, on stdout or stderr, matches that regular expression.",
    ),
];
