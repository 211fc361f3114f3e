//! An old run, changed by whoever holds its key and sealed anew as gonogo seals.

use std::collections::BTreeMap;

use super::*;
use crate::report::directory::Draft;
use crate::report::schema::Report;
use crate::report::{judge as verdict_of, publish, read, seal};
use crate::sign::lab::Lab;
use crate::sign::sshsig::NAMESPACE;

type Files = BTreeMap<String, Vec<u8>>;
type Accepted = Result<Option<String>, Unacceptable>;

/// What becomes of the run of 0.3.0 after `edit`, its sums and its verdict put right.
fn after(demands: &Demands, edit: impl FnOnce(&mut Report, &mut Files)) -> Accepted {
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/go-0.3");
    let mut report = read(&fs::read(run.join("report.json")).unwrap()).unwrap();
    let inputs = report.inputs.iter().map(|input| input.path.clone());
    let transcripts = report.checks.iter();
    let transcripts = transcripts.filter_map(|check| check.transcript.clone());
    let names = inputs.chain(transcripts);
    let mut files: Files = names
        .map(|name| (name.clone(), fs::read(run.join(&name)).unwrap()))
        .collect();
    edit(&mut report, &mut files);
    let told: Vec<_> = report
        .checks
        .iter()
        .filter_map(|check| check.transcript.clone())
        .collect();
    files.retain(|name, _| !name.starts_with("evidence/") || told.contains(name));
    for input in &mut report.inputs {
        input.sha256 = Sha256::of(&files[&input.path]).to_string();
    }
    report.counts.planned = report.checks.len() as u64;
    report.counts.passed = report.counts.planned;
    report.verdict = publish(&verdict_of(&report));
    assert_eq!(report.verdict.decision, "GO");
    let lab = Lab::new();
    let key = lab.key("runner", "demo@gonogo");
    let draft = Draft::create(&lab.path("run")).unwrap();
    seal(draft, &key, &report, files, None).unwrap();
    let allowed = AllowedSigners::parse(key.allowed_signers_line(NAMESPACE).as_bytes());
    accept(&lab.path("run"), &allowed, demands).map(|(_, warning)| warning)
}

fn made_by(version: &str) -> impl FnOnce(&mut Report, &mut Files) {
    move |report, _| version.clone_into(&mut report.run.tool.version)
}

/// One instance less, and all that was asked of it.
fn without_one(report: &mut Report) {
    let gone = report.instances.remove(0).name;
    report
        .checks
        .retain(|check| check.instance.as_ref() != Some(&gone));
}

fn another_rule(_: &mut Report, files: &mut Files) {
    let inventory = files.get_mut("inputs/inventory.yaml").unwrap();
    inventory.extend_from_slice(b"\nno_longer_known: true\n");
}

#[test]
fn another_version_is_no_way_around_the_plan() {
    let demands = Demands::default();
    for version in ["0.3.0", "0.2.0", "0.1.0"] {
        assert_eq!(
            after(&demands, made_by(version)).unwrap(),
            None,
            "{version}"
        );
        let refused = after(&demands, |report, files| {
            without_one(report);
            made_by(version)(report, files);
        });
        assert!(
            matches!(refused, Err(Unacceptable::Replay(_))),
            "{refused:?}"
        );
    }
    for version in ["0.3.1", "0.0.1", "9.0.0", "", "0.3.0\n"] {
        let refused = after(&demands, made_by(version));
        assert!(
            matches!(refused, Err(Unacceptable::Maker(_))),
            "{refused:?}"
        );
    }
}

#[test]
fn inputs_that_are_refused_today_are_read_and_open_no_gate() {
    let read = Demands::default();
    let warning = after(&read, another_rule).unwrap().unwrap();
    assert!(warning.contains("cannot make its plan again"), "{warning}");
    let gate = Demands {
        max_age: Some(std::time::Duration::from_secs(1 << 33)),
        accept_versions: vec!["0.3.0".to_owned()],
        ..Demands::default()
    };
    let unasked = Demands {
        accept_versions: Vec::new(),
        ..gate.clone()
    };
    let refused = after(&unasked, |_, _| ());
    assert!(
        matches!(refused, Err(Unacceptable::Older(_))),
        "{refused:?}"
    );
    assert_eq!(after(&gate, |_, _| ()).unwrap(), None);
    let refused = after(&gate, another_rule);
    assert!(
        matches!(refused, Err(Unacceptable::Replay(_))),
        "{refused:?}"
    );
    // Of this version nothing excuses it.
    let refused = after(&read, |report, files| {
        another_rule(report, files);
        made_by(env!("CARGO_PKG_VERSION"))(report, files);
    });
    assert!(
        matches!(refused, Err(Unacceptable::Replay(_))),
        "{refused:?}"
    );
}
