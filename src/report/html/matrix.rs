//! The matrix: every instance, every team responsible, every artifact, and what became of it.
//! Reads what the checks recorded; what is missing is shown, not judged.

use std::collections::HashMap;

use maud::{Markup, html};

use super::{State, t};
use crate::report::claims;
use crate::report::facts::KINDS;
use crate::report::schema::{Artifact, Check, Instance, Report};
use crate::text::count;
use crate::verdict::Claim;

/// Rows of a matrix that a reader still takes in at once.
const MOST_ROWS: usize = 60;
/// Instances that have rows, complete or not; of more only the names are told.
const MOST_INSTANCES: usize = 1_000;

/// The checks about an instance as a team, each with its place in the report.
type Index<'a> = HashMap<(&'a str, &'a str), Vec<(usize, &'a Check)>>;

pub(super) fn render(report: &Report) -> Markup {
    let mut index = Index::new();
    for (place, check) in report.checks.iter().enumerate() {
        if let (Some(instance), Some(team)) = (&check.instance, &check.team) {
            let key = (instance.as_str(), team.as_str());
            index.entry(key).or_default().push((place, check));
        }
    }
    let has = |kind: &str| {
        let mut instances = report.instances.iter();
        instances.any(|instance| instance.artifacts.iter().any(|one| one.kind == kind))
    };
    // The four required kinds have a column even where no instance has such an artifact.
    let kinds = KINDS.into_iter().map(|kind| kind.as_str());
    let kinds: Vec<_> = kinds.filter(|kind| *kind != "other" || has(kind)).collect();
    html! {
        section aria-labelledby="matrix" {
            h2 #matrix { "What each team can fetch" }
            @if report.instances.is_empty() {
                p { "The inventory has no instance: nothing was to be retrieved." }
            } @else {
                p.soft { "A cell says what the checks of that team found, and leads to the check that decided it." }
                (tables(&report.instances, &index, &kinds))
            }
        }
    }
}

/// Of a large estate, what is complete is folded, by host.
fn tables(instances: &[Instance], index: &Index<'_>, kinds: &[&str]) -> Markup {
    let rows = |instances: &[&Instance]| instances.iter().map(|one| one.teams.len().max(1)).sum();
    let all: Vec<_> = instances.iter().collect();
    let all_rows: usize = rows(&all);
    if all_rows <= MOST_ROWS {
        return table(&all, index, kinds, "Every instance and team");
    }
    let (complete, open): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|one| is_complete(one, index, kinds));
    let mut hosts: Vec<(&str, Vec<&Instance>)> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for instance in complete {
        let host = *known.entry(&instance.host).or_insert_with(|| {
            hosts.push((&instance.host, Vec::new()));
            hosts.len() - 1
        });
        hosts[host].1.push(instance);
    }
    let shown = open.len().min(MOST_INSTANCES);
    let is_short = instances.len() > MOST_INSTANCES;
    html! {
        @if !open.is_empty() {
            (table(&open[..shown], index, kinds, &format!("Not complete: {}", count(open.len(), "instance"))))
        }
        @if shown < open.len() {
            details.more {
                summary { (open.len() - shown) " more instances are not complete" }
                ul { @for one in &open[shown..] { li { (t(&one.name)) span.soft { " on " (t(&one.host)) } } } }
            }
        }
        @if is_short && !hosts.is_empty() {
            details.group {
                summary {
                    span.tag.passed { (State::Passed.sign_and_word()) }
                    span.name { "Complete" }
                    span.time { (count(hosts.iter().map(|(_, own)| own.len()).sum(), "instance")) }
                }
                ul {
                    @for (host, instances) in &hosts {
                        li { (t(host)) span.soft { ": " (instances.iter().map(|one| t(&one.name)).collect::<Vec<_>>().join(", ")) } }
                    }
                }
            }
        }
        @for (host, instances) in hosts.into_iter().filter(|_| !is_short) {
            details.group {
                summary {
                    span.tag.passed { (State::Passed.sign_and_word()) }
                    span.name { (t(host)) }
                    span.time { (count(instances.len(), "instance")) " complete" }
                }
                (table(&instances, index, kinds, &format!("Complete on {host}")))
            }
        }
    }
}

/// Whether every cell of an instance says that it passed.
fn is_complete(instance: &Instance, index: &Index<'_>, kinds: &[&str]) -> bool {
    let mut states = instance.teams.iter().flat_map(|team| {
        let key = (instance.name.as_str(), team.as_str());
        let checks = index.get(&key).map(Vec::as_slice).unwrap_or_default();
        let has_all = kinds
            .iter()
            .all(|kind| *kind == "other" || instance.artifacts.iter().any(|one| one.kind == *kind));
        let artifacts = instance.artifacts.iter().map(move |artifact| {
            let mut same = instance
                .artifacts
                .iter()
                .filter(|one| one.kind == artifact.kind);
            let is_first = same.next() == Some(artifact);
            match decided(artifact, is_first, checks) {
                Some((state, _)) => state == State::Passed,
                None => !is_first || artifact.kind == "other",
            }
        });
        artifacts.chain([has_all])
    });
    !instance.teams.is_empty() && states.all(|one| one)
}

fn table(instances: &[&Instance], index: &Index<'_>, kinds: &[&str], caption: &str) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(t(caption)) {
            table.matrix.cards {
                caption { (t(caption)) }
                thead { tr {
                    th scope="col" { "Instance" }
                    th scope="col" { "Team" }
                    @for kind in kinds { th scope="col" { (heading(kind)) } }
                } }
                @for instance in instances { (rows(instance, index, kinds)) }
            }
        }
    }
}

fn heading(kind: &str) -> &str {
    match kind {
        "version" => "Version",
        "configuration" => "Configuration",
        "log" => "Log",
        "statistics" => "Statistics",
        _ => "Other",
    }
}

fn rows(instance: &Instance, index: &Index<'_>, kinds: &[&str]) -> Markup {
    html! {
        tbody {
            @for (row, team) in instance.teams.iter().enumerate() {
                tr {
                    @if row == 0 {
                        th scope="rowgroup" rowspan=(instance.teams.len()) {
                            (t(&instance.name))
                            div.soft { (t(&instance.product)) " on " (t(&instance.host)) }
                        }
                    }
                    th scope="row" { (t(team)) }
                    @for kind in kinds {
                        td.cell data-label=(heading(kind)) { (cell(instance, team, kind, index)) }
                    }
                }
            }
            @if instance.teams.is_empty() {
                tr {
                    th scope="row" { (t(&instance.name)) }
                    td colspan=(kinds.len() + 1) { "no team is responsible" }
                }
            }
        }
    }
}

fn cell(instance: &Instance, team: &str, kind: &str, index: &Index<'_>) -> Markup {
    let artifacts = instance.artifacts.iter();
    let artifacts: Vec<_> = artifacts.filter(|one| one.kind == kind).collect();
    let key = (instance.name.as_str(), team);
    let checks = index.get(&key).map(Vec::as_slice).unwrap_or_default();
    let is_named = artifacts.len() > 1 || kind == "other";
    html! {
        @if artifacts.is_empty() && kind != "other" { (State::NotPlanned.sign_and_word()) }
        @for artifact in &artifacts {
            @let is_first = instance.artifacts.iter().find(|one| one.kind == kind) == Some(artifact);
            @let found = decided(artifact, is_first, checks);
            @let name = is_named.then_some(&*artifact.name);
            @match found {
                Some((state, place)) => {
                    a class=(format!("state {}", state.class())) href=(format!("#c{place}")) {
                        (state.sign_and_word()) @if let Some(name) = name { small { (t(name)) } }
                    }
                }
                None => {
                    // Contract 5 asks for each kind, not for each artifact of a kind.
                    @let class = if is_first && kind != "other" { "not-planned" } else { "optional" };
                    span class=(format!("state {class}")) {
                        (State::NotPlanned.sign_and_word())
                        @if let Some(name) = name { small { (t(name)) } }
                    }
                }
            }
        }
    }
}

/// The worst that a check says about an artifact, and the place of that check. A check that stopped
/// before it came to the artifact says nothing about it, unless no other does.
fn decided(
    artifact: &Artifact,
    is_first: bool,
    checks: &[(usize, &Check)],
) -> Option<(State, usize)> {
    let mut worst: Option<(State, usize)> = None;
    for (place, check) in checks {
        for state in states(artifact, is_first, check) {
            let says_more = |known: State| match (known, state) {
                (_, State::NotRun) => false,
                (State::NotRun, _) => true,
                _ => state > known,
            };
            if worst.is_none_or(|(known, _)| says_more(known)) {
                worst = Some((state, *place));
            }
        }
    }
    worst
}

fn states(artifact: &Artifact, is_first: bool, check: &Check) -> Vec<State> {
    let outcome = State::of_check(check);
    let is_about = |claim: &Claim| match claim {
        Claim::Artifact(name) => *name == artifact.name,
        Claim::Kind(kind) => is_first && kind.as_str() == artifact.kind,
    };
    let steps = check.steps.iter();
    let steps = steps.filter(|step| claims::of_step(step).iter().any(is_about));
    let states = steps.map(|step| match (&*step.outcome, outcome) {
        ("passed", _) => State::Passed,
        (_, State::Waived) => State::Waived,
        ("pending", _) => State::Pending,
        ("not-run", _) => State::NotRun,
        _ => State::Failed,
    });
    let states: Vec<_> = states.collect();
    let is_retrieved = check
        .evidence
        .iter()
        .any(|one| one.artifact == artifact.name);
    match states.is_empty() && is_retrieved && outcome == State::Passed {
        true => vec![State::Passed],
        false => states,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn found(report: &Report, check: usize, artifact: usize) -> Option<(State, usize)> {
        let instance = &report.instances[0];
        let checks = [(check, &report.checks[check])];
        decided(&instance.artifacts[artifact], true, &checks)
    }

    #[test]
    fn a_cell_follows_the_step_about_its_artifact() {
        let report = sample::no_go();
        assert_eq!(found(&report, 0, 0), Some((State::Passed, 0)));
        assert_eq!(found(&report, 0, 1), None);
        assert_eq!(found(&report, 6, 2), Some((State::Failed, 6)));
        assert_eq!(found(&report, 22, 2), Some((State::Waived, 22)));
        // One scenario for two artifacts: the second fails, the first stays passed, the third idle.
        let mut report = sample::go();
        let check = &mut report.checks[0];
        for (text, outcome) in [
            ("the configuration can be retrieved", "failed"),
            ("the event log can be retrieved", "not-run"),
        ] {
            let mut step = check.steps[3].clone();
            (step.text, step.outcome) = (text.to_owned(), outcome.to_owned());
            check.steps.push(step);
        }
        check.outcome = "failed".to_owned();
        let states = [0, 1, 2].map(|artifact| found(&report, 0, artifact).map(|(state, _)| state));
        assert_eq!(
            states,
            [State::Passed, State::Failed, State::NotRun].map(Some)
        );
    }

    #[test]
    fn a_check_that_stopped_earlier_does_not_hide_what_another_found() {
        let report = sample::go();
        let mut stopped = report.checks[0].clone();
        stopped.outcome = "failed".to_owned();
        for step in &mut stopped.steps {
            step.outcome = "not-run".to_owned();
        }
        let artifact = &report.instances[0].artifacts[0];
        let found =
            |checks: &[(usize, &Check)]| decided(artifact, true, checks).map(|(state, _)| state);
        let passed = &report.checks[0];
        assert_eq!(found(&[(0, passed), (1, &stopped)]), Some(State::Passed));
        assert_eq!(found(&[(1, &stopped), (0, passed)]), Some(State::Passed));
        assert_eq!(found(&[(1, &stopped)]), Some(State::NotRun));
    }

    #[test]
    fn a_large_estate_folds_what_is_complete_and_nothing_else() {
        let page = |report: &Report| render(report).into_string();
        let report = sample::many(400);
        let told = page(&report);
        // Every twentieth check fails: one of five instances.
        assert!(told.contains("Not complete: 20 instances"));
        let folded = told.split("<details").skip(1).collect::<String>();
        assert_eq!(folded.matches("scope=\"rowgroup\"").count(), 80);
        assert!(!folded.contains("failed") && !folded.contains("not planned"));
        let mut gone = report;
        gone.checks.remove(4);
        gone.instances[7].artifacts.pop();
        gone.instances[6].teams.clear();
        let told = page(&gone);
        assert!(told.contains("Not complete: 23 instances"));
        assert!(!page(&sample::many(240)).contains("<details"));
    }

    #[test]
    fn what_no_check_asked_for_is_shown_as_not_planned() {
        let mut report = sample::go();
        assert!(!render(&report).into_string().contains("not planned"));
        report.checks.remove(0);
        assert!(render(&report).into_string().contains("not planned"));
        report.instances[0].artifacts.remove(1);
        let page = render(&report).into_string();
        assert_eq!(page.matches("not planned").count(), 3, "{page}");
    }
}
