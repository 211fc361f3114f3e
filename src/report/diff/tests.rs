//! Every kind of change, each with a twin that is none.

use super::*;
use crate::report::{judge, sample};

/// The sample, some hours later, changed.
fn later(report: &Report, change: impl FnOnce(&mut Report)) -> Report {
    let mut report = report.clone();
    report.run.id = "20261121T150000Z-9f8e7d6c".to_owned();
    report.run.started = "2026-11-21T15:00:00Z".to_owned();
    report.run.finished = "2026-11-21T15:01:00Z".to_owned();
    change(&mut report);
    report
}

fn compare(old: &Report, new: &Report) -> Result<Diff, Incomparable> {
    let (was, is) = (judge(old), judge(new));
    let side = |report, verdict| Side {
        report,
        verdict,
        signer: None,
    };
    Diff::of(side(old, &was), side(new, &is))
}

fn diff(old: &Report, change: impl FnOnce(&mut Report)) -> Diff {
    compare(old, &later(old, change)).unwrap()
}

fn told(diff: &Diff) -> Vec<(Kind, bool, &str)> {
    let changes = diff.changes.iter();
    changes
        .map(|change| (change.kind, change.worse, &*change.what))
        .collect()
}

#[test]
fn the_same_again_is_no_change() {
    for report in [sample::go(), sample::no_go(), sample::hold()] {
        let diff = diff(&report, |_| ());
        assert_eq!(told(&diff), []);
        assert!(!diff.is_worse());
        assert_eq!(diff.unchanged, report.checks.len());
        assert_eq!(diff.say(), "nothing got worse");
    }
}

#[test]
fn newly_failing_newly_passing_and_otherwise() {
    let (go, no_go) = (sample::go(), sample::no_go());
    let worse = diff(&go, |new| {
        let failing = no_go
            .checks
            .iter()
            .find(|check| check.outcome == "failed")
            .unwrap();
        let same = new
            .checks
            .iter_mut()
            .find(|check| check.id == failing.id)
            .unwrap();
        *same = failing.clone();
    });
    let is_worse = |kind| worse.of_kind(kind).any(|change| change.worse);
    assert!(is_worse(Kind::Verdict) && is_worse(Kind::NewlyFailing));
    let others = worse.changes.iter();
    let mut others =
        others.filter(|change| ![Kind::Verdict, Kind::NewlyFailing].contains(&change.kind));
    assert_eq!(others.next(), None);
    let failing = worse.of_kind(Kind::NewlyFailing).next().unwrap();
    assert_eq!(failing.was.as_deref(), Some("passed"));
    assert!(
        failing
            .is
            .as_deref()
            .unwrap()
            .starts_with("failed: denied on ny4-amps-1 as support:")
    );
    assert!(failing.hint.contains("group amps"));

    let better = diff(&no_go, |new| {
        for check in new
            .checks
            .iter_mut()
            .filter(|check| check.outcome == "failed")
        {
            check.outcome = "passed".to_owned();
            check.failure = None;
        }
    });
    assert_eq!(better.of_kind(Kind::NewlyPassing).count(), 2);
    assert!(!better.is_worse(), "{:?}", told(&better));

    let set_kind = |kind: &'static str, actual: &'static str| {
        diff(&no_go, move |new| {
            let failed = new
                .checks
                .iter_mut()
                .find(|check| check.outcome == "failed")
                .unwrap();
            let failure = failed.failure.as_mut().unwrap();
            failure.kind = kind.to_owned();
            failure.actual = actual.to_owned();
        })
    };
    let failed = no_go
        .checks
        .iter()
        .find(|check| check.outcome == "failed")
        .unwrap();
    let kind: &'static str = if failed.failure.as_ref().unwrap().kind == "denied" {
        "denied"
    } else {
        "stale"
    };
    assert_eq!(
        set_kind("missing", "no such file")
            .of_kind(Kind::FailingOtherwise)
            .count(),
        1
    );
    // The same kind in other words is no news, and neither is worse.
    assert_eq!(
        set_kind(kind, "5 hours old")
            .of_kind(Kind::FailingOtherwise)
            .count(),
        0
    );
    assert!(!set_kind("missing", "no such file").is_worse());
    assert_eq!(set_kind(kind, "5 hours old").still_failing, 2);
}

#[test]
fn what_passed_and_now_waits_or_is_waived_is_worse() {
    for outcome in ["waived", "pending"] {
        let diff = diff(&sample::go(), |new| {
            new.checks[3].outcome = outcome.to_owned()
        });
        assert_eq!(diff.of_kind(Kind::NoLongerPassing).count(), 1);
        assert!(diff.is_worse());
    }
}

#[test]
fn checks_and_steps_vanish_and_come() {
    let go = sample::go();
    let less = diff(&go, |new| {
        new.checks.remove(5);
    });
    assert!(
        less.of_kind(Kind::VanishedChecks)
            .any(|change| change.worse)
    );
    let mut fewer = go.clone();
    fewer.checks.remove(5);
    let more = diff(&fewer, |new| new.checks = go.checks.clone());
    assert_eq!(more.of_kind(Kind::NewChecks).count(), 1);
    assert_eq!(more.of_kind(Kind::VanishedChecks).count(), 0);
    // A check that asks for less.
    let weaker = diff(&go, |new| {
        new.checks[0].steps.pop();
    });
    let step = weaker.of_kind(Kind::VanishedChecks).next().unwrap();
    assert!(step.worse && step.what.starts_with("step of "), "{step:?}");
    assert_eq!(
        step.was.as_deref(),
        Some("Then the version can be retrieved")
    );
    // The same step twice is two steps.
    let twice = diff(&go, |new| {
        let step = new.checks[0].steps[3].clone();
        new.checks[0].steps.push(step);
    });
    assert_eq!(twice.of_kind(Kind::NewChecks).count(), 1);
    assert!(!twice.is_worse());
}

#[test]
fn a_new_check_that_fails_is_newly_failing() {
    let no_go = sample::no_go();
    let mut before = no_go.clone();
    before.checks.retain(|check| check.outcome != "failed");
    let diff = diff(&before, |new| new.checks = no_go.checks.clone());
    assert_eq!(diff.of_kind(Kind::NewlyFailing).count(), 2);
    assert!(diff.is_worse());
}

#[test]
fn moved_lines_renamed_scenarios_and_moved_instances_are_the_same_checks() {
    let go = sample::go();
    let moved = diff(&go, |new| {
        for check in &mut new.checks {
            check.line += 3;
            check.id = check.id.replace(':', ":9");
        }
        new.checks.reverse();
    });
    assert_eq!(told(&moved), []);
    let renamed = diff(&go, |new| {
        new.checks[0].scenario = "Otherwise called".to_owned()
    });
    assert_eq!(told(&renamed), []);
    // Renamed and asking another thing: another check.
    let other = diff(&go, |new| {
        new.checks[0].scenario = "Otherwise called".to_owned();
        new.checks[0].steps[3].text = "the moon can be retrieved".to_owned();
    });
    assert_eq!(other.of_kind(Kind::VanishedChecks).count(), 1);
    let carried = diff(&go, |new| {
        let name = new.instances[0].name.clone();
        new.instances[0].host = "ld5-amps-1".to_owned();
        for check in new
            .checks
            .iter_mut()
            .filter(|check| check.instance.as_ref() == Some(&name))
        {
            check.host = Some("ld5-amps-1".to_owned());
        }
    });
    assert_eq!(carried.of_kind(Kind::VanishedChecks).count(), 0);
    assert!(
        carried
            .of_kind(Kind::Hosts)
            .any(|change| change.what.contains("instance "))
    );
}

#[test]
fn parts_come_and_go() {
    let go = sample::go();
    for (what, change) in [
        (
            "host",
            (|new: &mut Report| drop(new.hosts.pop())) as fn(&mut Report),
        ),
        ("instance", |new| drop(new.instances.pop())),
        ("team", |new| drop(new.instances[0].teams.pop())),
        ("artifact", |new| drop(new.instances[0].artifacts.pop())),
    ] {
        let less = diff(&go, change);
        let gone = less
            .of_kind(Kind::VanishedParts)
            .find(|gone| gone.what.starts_with(what));
        assert!(
            gone.is_some_and(|gone| gone.worse),
            "{what}: {:?}",
            told(&less)
        );
        let mut fewer = go.clone();
        change(&mut fewer);
        let more = diff(&fewer, |new| {
            (new.hosts, new.instances) = (go.hosts.clone(), go.instances.clone());
        });
        assert!(
            more.of_kind(Kind::NewParts)
                .any(|come| come.what.starts_with(what)),
            "{what}"
        );
        assert_eq!(more.of_kind(Kind::VanishedParts).count(), 0);
    }
}

#[test]
fn another_machine_or_another_file_under_the_same_name() {
    let go = sample::go();
    type Edit = fn(&mut Report);
    let changes: [(&str, Edit); 9] = [
        ("host key", |r| {
            r.hosts[0].host_key = Some("SHA256:other".into())
        }),
        ("hostname", |r| {
            r.hosts[0].identity.hostname = Some("other".into())
        }),
        ("machine id", |r| {
            r.hosts[0].identity.machine_id = Some("0".into())
        }),
        ("address", |r| r.hosts[0].address = "10.0.0.9:22".into()),
        ("SSH server", |r| {
            r.hosts[0].server = Some("SSH-2.0-x".into())
        }),
        ("version", |r| {
            change_all(r, |one| {
                one.version = one.version.as_ref().map(|_| "6".into())
            })
        }),
        ("digest of ", |r| {
            change_all(r, |one| one.sha256 = "ab".repeat(32))
        }),
        ("name of the instance", |r| {
            change_all(r, |one| {
                one.instance_name = one.instance_name.as_ref().map(|_| "x".into())
            });
        }),
        ("size", |r| {
            change_all(r, |one| one.bytes = one.bytes.saturating_mul(3))
        }),
    ];
    for (what, change) in changes {
        let diff = diff(&go, change);
        let found = diff
            .changes
            .iter()
            .find(|change| change.what.contains(what));
        let found = found.unwrap_or_else(|| panic!("{what}: {:?}", told(&diff)));
        assert!(
            [Kind::Hosts, Kind::Evidence].contains(&found.kind) && !found.worse,
            "{found:?}"
        );
        assert!(found.was.is_some() && found.is.is_some(), "{found:?}");
    }
    // Logs are other bytes each time, and a host that was not reached is not another machine.
    let noise = diff(&go, |new| {
        change_all(new, |one| {
            if one.kind != "configuration" {
                one.sha256 = "cd".repeat(32);
                one.bytes += one.bytes / 2;
                one.duration_ms *= 4;
            }
        });
        new.hosts[0].host_key = None;
    });
    assert_eq!(
        told(&noise)
            .iter()
            .filter(|(kind, ..)| *kind != Kind::Verdict)
            .count(),
        0,
        "{:?}",
        told(&noise)
    );
}

fn change_all(report: &mut Report, change: impl Fn(&mut crate::report::schema::Evidence)) {
    let checks = report.checks.iter_mut();
    checks
        .flat_map(|check| &mut check.evidence)
        .for_each(change);
}

#[test]
fn other_inputs_and_another_tool_are_told() {
    let diff = diff(&sample::go(), |new| {
        new.inputs[0].sha256 = "ef".repeat(32);
        new.run.tool.version = "9.9.9".to_owned();
        new.run.operator = "someone".to_owned();
    });
    let inputs: Vec<_> = diff
        .of_kind(Kind::Inputs)
        .map(|change| &*change.what)
        .collect();
    assert_eq!(inputs.len(), 3, "{inputs:?}");
    assert!(!diff.is_worse());
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let go = sample::go();
    assert!(matches!(compare(&go, &go), Err(Incomparable::Same(_))));
    let new = later(&go, |_| ());
    assert!(matches!(
        compare(&new, &go),
        Err(Incomparable::Order { .. })
    ));
    let other = later(&go, |new| new.run.scope.environment = "staging".to_owned());
    assert!(matches!(
        compare(&go, &other),
        Err(Incomparable::Environment { .. })
    ));
    assert!(compare(&go, &new).is_ok());
}

#[test]
fn an_aborted_or_partial_run_is_warned_of() {
    let go = sample::go();
    assert_eq!(diff(&go, |_| ()).warnings, [""; 0]);
    let diff = diff(&go, |new| {
        new.run.aborted = Some("interrupted".to_owned());
        new.run.scope.partial = true;
        new.run.scope.filters = vec!["--host x".to_owned()];
    });
    // The third: it states GO, and its facts do not give one.
    assert_eq!(diff.warnings.len(), 3, "{:?}", diff.warnings);
}

#[test]
fn every_format_tells_every_change_and_hostile_words_stay_words() {
    let hostile = sample::hostile();
    let mut before = sample::no_go();
    before.run.scope.environment = hostile.run.scope.environment.clone();
    let new = later(&hostile, |_| ());
    let diff = compare(&before, &new).unwrap();
    let plain = text::render(&diff);
    let page = markdown::render(&diff);
    for rendered in [&plain, &page] {
        assert!(!rendered.contains(|c| c != '\n' && crate::text::is_unsafe(c)));
        assert!(!rendered.contains("\n## GO") && !rendered.contains("\n::"));
    }
    assert!(
        plain.lines().last().unwrap().starts_with("worse: "),
        "{plain}"
    );
    let read: serde_json::Value = serde_json::from_str(&json::render(&diff)).unwrap();
    assert_eq!(read["worse"], true);
    let listed = read["changes"].as_object().unwrap().values();
    let listed: usize = listed.map(|list| list.as_array().unwrap().len()).sum();
    assert_eq!(listed, diff.changes.len());
    assert_eq!(read["old"]["verified"], false);
    for kind in Kind::ALL {
        assert!(read["changes"][kind.key()].is_array(), "{kind:?}");
        let any = diff.of_kind(kind).next().is_some();
        assert_eq!(plain.contains(&format!("\n{} (", kind.title())), any);
        assert_eq!(
            page.contains(&format!("\n## {} (", kind.title())),
            any,
            "{page}"
        );
    }
}

#[test]
fn many_changes_have_a_cap() {
    let many = sample::many(8_000);
    let diff = diff(&many, |new| {
        for check in &mut new.checks {
            check.outcome = "failed".to_owned();
            check.scenario = format!("{}{}", check.scenario, "<".repeat(400));
        }
    });
    let page = markdown::render(&diff);
    assert!(page.len() <= crate::report::markdown::MAX_BYTES);
    assert!(page.contains(" more\n"));
    let text = text::render(&diff);
    assert!(
        text.contains("  7550 more\n") || text.contains(" more\n"),
        "{}",
        text.len()
    );
    assert!(text.len() < 1_000_000);
}
