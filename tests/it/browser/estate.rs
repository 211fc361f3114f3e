//! Reports to look at, made of a run of the practice estate that is kept in `tests/golden`: of any size, of any
//! verdict, and with words in every field that a stranger can fill.

use std::fs;
use std::path::Path;

use gonogo::report::html;
use gonogo::report::schema::Report;
use serde_json::Value;

/// A run of 108 checks, 6 of them failed; one that failed and one that passed asked the network, too; and
/// the weeks of two applications.
pub fn record() -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bytes = fs::read(root.join("tests/golden/no-go-0.3/report.json")).unwrap();
    let mut record: Value = serde_json::from_slice(&bytes).unwrap();
    let probes: Value = serde_json::from_str(include_str!("probes.json")).unwrap();
    for outcome in ["failed", "passed"] {
        let mut checks = record["checks"].as_array_mut().unwrap().iter_mut();
        let check = checks.find(|check| check["outcome"] == outcome).unwrap();
        check["probes"] = probes.clone();
    }
    record["weeks"] = serde_json::from_str(include_str!("weeks.json")).unwrap();
    record
}

pub fn report() -> Report {
    read(record())
}

pub fn read(record: Value) -> Report {
    serde_json::from_value(record).unwrap()
}

/// The first `checks` of the record, again and again under other names until there are so many.
pub fn many(checks: usize) -> Report {
    let mut report = report();
    let (few, instances) = (report.checks.clone(), report.instances.clone());
    report.checks.clear();
    report.instances.clear();
    for round in 0.. {
        let name = |name: &str| format!("{name}-{round:02}");
        for instance in &instances {
            let mut instance = instance.clone();
            instance.name = name(&instance.name);
            report.instances.push(instance);
        }
        for check in &few {
            if report.checks.len() == checks {
                return report;
            }
            let mut check = check.clone();
            check.id = name(&check.id);
            check.instance = check.instance.as_deref().map(name);
            report.checks.push(check);
        }
    }
    report
}

/// Three checks: one failed, one waived, one that waits.
pub fn three() -> Report {
    let mut report = report();
    let failed = |check: &&_| is_failed(check);
    let mut failed = report.checks.iter().filter(failed).cloned();
    let (first, second) = (failed.next().unwrap(), failed.next().unwrap());
    let mut pending = report.checks[0].clone();
    report.checks = vec![first, second];
    let waived = &mut report.checks[1];
    waived.outcome = "waived".to_owned();
    let waiver = serde_json::json!({
        "id": "W-7", "reason": "until the second feed is live", "requester": "ann", "approver": "bob",
        "expires": "2027-01-01T00:00:00Z", "ticket": "OPS-1",
    });
    waived.waiver = Some(serde_json::from_value(waiver).unwrap());
    pending.outcome = "pending".to_owned();
    pending.steps.last_mut().unwrap().outcome = "not-run".to_owned();
    report.checks.push(pending);
    report
}

fn is_failed(check: &gonogo::report::schema::Check) -> bool {
    check.outcome == "failed"
}

/// Every text of the record that an inventory, a feature or a host can fill, with these words behind it. What
/// the renderer chooses by stays: outcomes, verdict, kinds; and of half the checks the steps. At most `checks`.
pub fn with_words(words: &str, checks: usize) -> Report {
    let mut record = record();
    let taken = |record: &mut Value| record["checks"].as_array_mut().map(std::mem::take).unwrap();
    let mut all = taken(&mut record);
    // Those that failed are the last that go.
    all.sort_by_key(|check| check["outcome"] != "failed");
    all.truncate(checks);
    let kept: Vec<Value> = all.iter().map(|check| check["steps"].clone()).collect();
    all.iter_mut().for_each(|check| append(check, words, ""));
    for (check, steps) in all.iter_mut().zip(kept).step_by(2) {
        check["steps"] = steps;
    }
    append(&mut record, words, "");
    record["checks"] = all.into();
    read(record)
}

fn append(value: &mut Value, words: &str, key: &str) {
    const KEPT: [&str; 5] = ["outcome", "decision", "schema", "kind", "method"];
    match value {
        Value::String(text) if !KEPT.contains(&key) => text.push_str(words),
        Value::Array(all) => all.iter_mut().for_each(|one| append(one, words, key)),
        Value::Object(all) => (all.iter_mut()).for_each(|(key, one)| append(one, words, key)),
        _ => {}
    }
}

/// The page, and the page with other rules or words in it under a policy that admits them: what is changed in
/// the style sheet alone would not be taken.
pub fn sabotaged(report: &Report, changes: &[(&str, &str)]) -> String {
    use base64::Engine as _;
    let digest = |page: &str| {
        let (_, rest) = page.split_once("<style>").unwrap();
        let (style, _) = rest.split_once("</style>").unwrap();
        let sum = gonogo::digest::Sha256::of(style.as_bytes());
        base64::engine::general_purpose::STANDARD.encode(sum.as_bytes())
    };
    let page = html::render(report);
    let mut changed = page.clone();
    for (from, to) in changes {
        assert!(changed.contains(from), "{from} is not on the page");
        changed = changed.replace(from, to);
    }
    changed.replace(&digest(&page), &digest(&changed))
}
