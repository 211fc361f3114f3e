//! Staging beside production: each finding, and its twin that is none.

use super::*;
use crate::report::schema::Report;
use crate::report::{judge, sample};

fn renamed(report: &Report, environment: &str, id: &str) -> Report {
    let mut report = report.clone();
    report.run.scope.environment = environment.to_owned();
    report.run.id = id.to_owned();
    report
}

fn staging() -> Report {
    renamed(&sample::go(), "staging", "20261120T080000Z-00000001")
}

fn production() -> Report {
    renamed(&sample::go(), "production", "20261121T080000Z-00000002")
}

fn across(first: &Report, second: &Report, same: &[(&str, &str)]) -> Result<Across, Incomparable> {
    let (was, is) = (judge(first), judge(second));
    let side = |report, verdict| Side {
        report,
        verdict,
        signer: None,
    };
    let pairs = same.iter();
    let same = pairs.map(|(first, second)| ((*first).to_owned(), (*second).to_owned()));
    Across::of(side(first, &was), side(second, &is), &same.collect())
}

fn compare(first: &Report, second: &Report) -> Across {
    across(first, second, &[]).unwrap()
}

fn told(across: &Across, kind: Kind) -> Vec<(bool, &str)> {
    let found = across.of_kind(kind);
    found.map(|one| (one.worse, one.what.as_str())).collect()
}

/// Another name for an instance and its host, wherever they stand.
fn moved(report: &mut Report, from: &str, to: &str) {
    let text = serde_json::to_string(report).unwrap();
    let open = |name: &str| format!("\"{name}\"");
    let text = text
        .replace(&open(from), &open(to))
        .replace(&format!(" of {from}\""), &format!(" of {to}\""));
    *report = serde_json::from_str(&text).unwrap();
}

#[test]
fn what_works_in_both_is_no_finding() {
    let found = compare(&staging(), &production());
    assert_eq!(found.findings, [], "{:#?}", found.findings);
    assert!(!found.is_worse());
    assert_eq!(found.both, production().checks.len());
    assert_eq!(found.say(), "whatever works in staging works in production");
}

#[test]
fn what_fails_in_production_alone_comes_first() {
    let (first, mut second) = (staging(), production());
    let failed = sample::no_go();
    let failed = failed.checks.iter().find(|one| one.outcome == "failed");
    let failed = failed.unwrap();
    let at = second
        .checks
        .iter()
        .position(|one| one.id == failed.id)
        .unwrap();
    second.checks[at] = failed.clone();
    let found = compare(&first, &second);
    let works = told(&found, Kind::Works);
    assert_eq!(works.len(), 1, "{:#?}", found.findings);
    assert!(works[0].0 && works[0].1.contains(&failed.id));
    assert_eq!(found.findings[0].kind, Kind::Works);
    assert!(!found.findings[0].hint.is_empty());
    assert!(found.is_worse());
    // It fails in both: production is no worse than staging, and its own verdict says NO-GO.
    let mut both = first;
    both.checks[at] = failed.clone();
    assert!(!compare(&both, &second).is_worse());
    // What waits for a person, or was waived, does not work either.
    for outcome in ["pending", "waived"] {
        second.checks[at].outcome = outcome.to_owned();
        assert!(compare(&staging(), &second).is_worse(), "{outcome}");
    }
}

#[test]
fn what_production_does_not_ask_is_told() {
    let (first, mut second) = (staging(), production());
    let gone = second.checks.remove(0);
    let found = compare(&first, &second);
    let lacks = told(&found, Kind::Lacks);
    assert_eq!(lacks.len(), 1, "{:#?}", found.findings);
    assert!(lacks[0].0 && found.is_worse());
    // What failed in staging proves nothing that production lacks.
    let mut failed = first.clone();
    failed.checks[0].outcome = "failed".to_owned();
    assert_eq!(failed.checks[0].id, gone.id);
    assert!(!compare(&failed, &second).is_worse());
    // A step less.
    let mut second = production();
    let step = second.checks[0].steps.pop().unwrap();
    let found = compare(&first, &second);
    let lacking = found.of_kind(Kind::Lacks).next().unwrap();
    assert!(lacking.worse);
    assert!(lacking.first.as_ref().unwrap().len() >= step.text.len() / 2);
    // A team and an artifact less.
    let mut second = production();
    let instance = &mut second.instances[0];
    let name = instance.name.clone();
    let (team, artifact) = (
        instance.teams.pop().unwrap(),
        instance.artifacts.pop().unwrap(),
    );
    let found = compare(&first, &second);
    let lacks = told(&found, Kind::Lacks);
    for what in [
        format!("instance {name}: team {team}"),
        format!(
            "instance {name}: artifact {} ({})",
            artifact.name, artifact.kind
        ),
    ] {
        assert!(
            lacks.iter().any(|(_, told)| *told == what),
            "{what}: {lacks:?}"
        );
    }
    assert!(found.is_worse());
}

#[test]
fn names_differ_and_roles_do_not() {
    let mut first = staging();
    let name = first.instances[0].name.clone();
    moved(&mut first, &name, "trial");
    let second = production();
    // By product: `trial` is none of production's names, and stands for those without a namesake.
    let found = compare(&first, &second);
    assert_eq!(told(&found, Kind::Works), []);
    let lacks = told(&found, Kind::Lacks);
    assert!(lacks.is_empty(), "{lacks:?}");
    // By name, as somebody says.
    let said = across(&first, &second, &[("trial", &name)]).unwrap();
    assert!(!said.is_worse(), "{:#?}", said.findings);
    // What only production has was never tried, which is no failure of production.
    let mut other = second.clone();
    moved(&mut other, &name, "brand-new");
    for instance in other
        .instances
        .iter_mut()
        .filter(|one| one.name == "brand-new")
    {
        instance.product = "other".to_owned();
    }
    let found = compare(&staging(), &other);
    let untried = told(&found, Kind::Untried);
    assert!(
        untried.contains(&(false, "instance brand-new")),
        "{untried:?}"
    );
    // And what staging has and production does not at all.
    assert!(told(&found, Kind::Lacks).contains(&(true, &*format!("instance {name}"))));
}

#[test]
fn versions_systems_and_configurations_that_differ_are_told() {
    let mut second = production();
    let mut changed = 0;
    for one in second
        .checks
        .iter_mut()
        .flat_map(|check| &mut check.evidence)
    {
        if one.kind == "version" {
            one.version = Some("9.9.9.9".to_owned());
            changed += 1;
        }
        if one.kind == "configuration" {
            one.sha256 = "f".repeat(64);
            changed += 1;
        }
    }
    assert!(changed > 1);
    let found = compare(&staging(), &second);
    assert!(!found.is_worse(), "{:#?}", found.findings);
    let versions = told(&found, Kind::Versions);
    assert!(
        versions
            .iter()
            .any(|(_, what)| what.starts_with("version of ")),
        "{versions:?}"
    );
    assert!(!told(&found, Kind::Configurations).is_empty());
}

#[test]
fn what_is_no_pair_of_environments_is_refused() {
    let (first, second) = (staging(), production());
    assert!(matches!(
        across(&first, &first, &[]),
        Err(Incomparable::Same(_))
    ));
    let mut again = first.clone();
    again.run.id = "another".to_owned();
    assert!(matches!(
        across(&first, &again, &[]),
        Err(Incomparable::OneEnvironment(_))
    ));
    let name = first.instances[0].name.clone();
    for (pair, side) in [
        (("nobody", &*name), "first"),
        ((&*name, "nobody"), "second"),
    ] {
        match across(&first, &second, &[pair]) {
            Err(Incomparable::Unknown { name, side: of, .. }) => {
                assert_eq!((&*name, of), ("nobody", side));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn every_format_tells_each_finding_and_hostile_words_stay_words() {
    let mut first = renamed(&sample::hostile(), "staging", "20261120T080000Z-00000001");
    for check in &mut first.checks {
        check.outcome = "passed".to_owned();
    }
    let second = renamed(
        &sample::hostile(),
        "production",
        "20261121T080000Z-00000002",
    );
    let found = compare(&first, &second);
    assert!(found.is_worse());
    let text = show::text(&found);
    assert!(!text.contains(|c| c != '\n' && crate::text::is_unsafe(c)));
    assert!(
        text.lines()
            .last()
            .unwrap()
            .contains(" work in staging and not in production")
    );
    let page = show::markdown(&found);
    let bars = |line: &str| line.replace("\\|", "").matches('|').count();
    let rows = page.lines().filter(|line| line.starts_with("| features"));
    for row in rows {
        assert_eq!(bars(row), 5, "{row}");
    }
    assert!(page.len() <= 1_000_000);
    let json: serde_json::Value = serde_json::from_str(&show::json(&found)).unwrap();
    let all: usize = Kind::ALL
        .iter()
        .map(|kind| json["findings"][kind.key()].as_array().unwrap().len())
        .sum();
    assert_eq!((all, &json["worse"]), (found.findings.len(), &true.into()));
}
