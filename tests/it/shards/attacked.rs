//! Shards that one of the permitted runners forged, and what cannot be told from the record of a part alone.

use gonogo::digest::Sha256;
use gonogo::report::schema::{Report, Restates};

use super::forged::forged_by;
use super::*;
use crate::lab::needs_root;

type Change<'c> = Box<dyn Fn(&mut Report, &Path) + 'c>;

#[test]
fn who_may_sign_shards_may_not_make_them_up() {
    if needs_root("who_may_sign_shards_may_not_make_them_up") {
        return;
    }
    let sites = Sites::new();
    let runs = sites.shards(&[5, 5], &[]);
    expect(&sites.merge(&runs, "run", &[]), 0, &["\nGO\n"]);
    // The benign twin: sealed again as it is.
    forged_by(&sites, "ld5", "s-2", "twin", |_, _| ());
    expect(&sites.merge(&["s-1", "twin"], "same", &[]), 0, &["\nGO\n"]);
    let text = fs::read_to_string(sites.at("inventory.yaml")).unwrap();
    let other = text.replace("5.3.4.12", "5.3.4.13");
    assert_ne!(text, other);
    let cases: Vec<(&str, &str, Change<'_>)> = vec![
        // The first shard under the name of the second.
        (
            "s-1",
            "does not answer its own inputs",
            Box::new(|report, _| {
                report.run.id += "0";
                report.run.scope.shard.as_mut().unwrap().number = 2;
            }),
        ),
        // Of a plan of one part, which it is all of.
        (
            "s-1",
            "does not answer its own inputs",
            Box::new(|report, _| {
                let shard = report.run.scope.shard.as_mut().unwrap();
                (shard.number, shard.of) = (1, 1);
                shard.checks = report.checks.len() as u64;
            }),
        ),
        (
            "s-2",
            "incomplete: ",
            Box::new(|report, _| report.run.tool.version = "0.3.0".to_owned()),
        ),
        (
            "s-2",
            "",
            Box::new(|report, _| {
                report.run.restates = Some(Restates {
                    run: "20261121T093000Z-1a2b3c4d".to_owned(),
                    finished: report.run.started.clone(),
                    manifest: Sha256::of(b"").to_string(),
                });
            }),
        ),
        // Of another inventory, which the record tells, and one which it does not.
        (
            "s-2",
            "",
            Box::new(|report, dir| {
                fs::write(dir.join("inputs/inventory.yaml"), &other).unwrap();
                report.inputs[0].sha256 = Sha256::of(other.as_bytes()).to_string();
            }),
        ),
        (
            "s-2",
            "",
            Box::new(|_, dir| fs::write(dir.join("inputs/inventory.yaml"), &other).unwrap()),
        ),
        // A check less.
        (
            "s-2",
            "",
            Box::new(|report, _| {
                drop(report.checks.pop());
                report.counts.planned -= 1;
            }),
        ),
    ];
    for (at, (run, says, change)) in cases.iter().enumerate() {
        let name = format!("forged-{at}");
        forged_by(&sites, "ld5", run, &name, change);
        let merged = sites.merge(&["s-1", &name], &format!("merged-{at}"), &[]);
        let told = told(&merged);
        assert!(matches!(merged.status.code(), Some(1 | 4)), "{at}: {told}");
        let is_named = told.contains(&name) || told.contains("shard 2/2 is no plain run");
        assert!(is_named, "{at}: {told}");
        assert!(told.contains(says), "{at}: {told}");
        assert!(!told.contains("\nGO\n"), "{at}: {told}");
    }
}

/// A feature of which a part has no check stands in its record by the name of its file there alone.
#[test]
fn features_have_any_name_in_a_part_too() {
    if needs_root("features_have_any_name_in_a_part_too") {
        return;
    }
    let sites = Sites::new();
    fs::create_dir(sites.at("our features")).unwrap();
    fs::rename(
        sites.at("features/support.feature"),
        sites.at("our features/support.feature"),
    )
    .unwrap();
    let asks = "Feature: people\n  Scenario: the rollback\n    Then a person confirms \"it was rehearsed\"\n";
    fs::write(sites.at("our features/people (all).feature"), asks).unwrap();
    let mut runs = Vec::new();
    for which in ["1/3", "2/3", "3/3"] {
        let out = format!("s-{}", &which[..1]);
        let args = [
            "run",
            "-i",
            "inventory.yaml",
            "our features",
            "-o",
            &out,
            "--key",
            "keys/ny4",
            "--shard",
            which,
        ];
        expect(&sites.run(&args), 5, &["\nHOLD\n"]);
        runs.push(out);
    }
    expect(
        &sites.merge(&runs, "run", &[]),
        5,
        &["12 passed", "\nHOLD\n"],
    );
    expect(&sites.verify("run", &[]), 5, &["\nHOLD\n"]);
}
