//! The request of a drill is the vendor's template, filled in to its last field from the run that counts; where the
//! vendor has none, a text without blanks.

use serde_json::json;

use super::{Office, told};

const TEMPLATE: &str = "\
Contract {contract}
Version: {version}
Instance: {instance} ({environment})
Severity: {severity}
Impact: {impact}

Behaviour seen:
  {behaviour seen}

Artifacts, run {run}:
{artifacts}
";

const ANSWERS: [&str; 3] = [
    "severity=S2",
    "impact=orders are late",
    "behaviour seen=the queue grows\nand grows",
];

fn office() -> Office {
    let office = Office::new();
    office.write("template.txt", TEMPLATE);
    office.inventory(|inventory| {
        let vendor = &mut inventory["vendors"]["60east"];
        vendor["request_template"] = json!("template.txt");
        vendor["asked"] = json!(["severity", "impact", "behaviour seen"]);
        inventory["products"]["amps"]["vendor"] = json!("60east");
    });
    office
}

#[track_caller]
fn draft(office: &Office, run: &str, out: &str, more: &[&str]) -> String {
    let mut args = vec![
        "case",
        "draft",
        "--run",
        run,
        "--instance",
        "orders",
        "-o",
        out,
    ];
    args.extend(ANSWERS.iter().flat_map(|answer| ["--set", answer]));
    let output = office.lab.run(&[&args[..], more].concat());
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    std::fs::read_to_string(office.at(out)).unwrap()
}

#[test]
fn the_request_is_the_template_filled_in() {
    let office = office();
    office.begin("now");
    office.retrieve("now", "run");
    let signers = ["--allowed-signers", "sealers"];
    let good = draft(&office, "run", "good.txt", &signers);
    let refused = |text: &str, words: &[&str]| {
        office.write("bad.txt", text);
        office.note("now", &["request", "--file", "bad.txt"], 2, words);
    };
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}: {good}");
        good.replacen(from, to, 1)
    };
    // Filled in by somebody's own hand, it says the version and the instance, and no more.
    refused(
        "Version: 5.3.4.12\nImpact: orders are late\n",
        &["`Contract` of the template"],
    );
    refused(&with("S2", "S9"), &["the contract has no severity `S9`"]);
    refused(&with("S2", ""), &["`Severity:`"]);
    refused(
        &with("orders are late", "n/a"),
        &["`n/a` is left over as the answer to `impact`"],
    );
    refused(&with("orders are late", "{impact}"), &["impact"]);
    refused(
        &with("orders are late", "see {version}"),
        &["see {version}"],
    );
    refused(
        &with("Impact: orders are late\n", ""),
        &["`Impact:` of the template is not there"],
    );
    refused(
        &with("60E-1", "60E-2"),
        &["the field `contract` does not say `60E-1`"],
    );
    refused(
        &with("5.3.4.12", "5.3.4.13"),
        &["the field `version` does not say `5.3.4.12`"],
    );
    refused(
        &with("the queue grows\n  and grows", "the password is hunter2Xyz"),
        &["secret"],
    );
    let last = good.trim_end().lines().last().unwrap();
    refused(&with(last, ""), &["the field `artifacts` does not say"]);
    refused(
        &format!("{good}\nP.S. hello\n"),
        &["it says more behind its end"],
    );

    // Of another run.
    let output = office.lab.run(&office.lab.run_args("other"));
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let other = draft(&office, "other", "other.txt", &signers);
    refused(&other, &["the field `run` does not say"]);

    // As it was drafted; by whom it was verified, or by nobody; and by another system's line ends.
    office.note("now", &["request", "--file", "good.txt"], 0, &["noted"]);
    office.write("good-too.txt", &good.replace('\n', "\r\n"));
    office.again("now", &["request", "--file", "good-too.txt"], 0, &["noted"]);
    draft(&office, "run", "unproven.txt", &[]);
    office.again("now", &["request", "--file", "unproven.txt"], 0, &["noted"]);
    office.hand_over("now");
    office.finish("now", "drills/1", 0, &["PASSED"]);
    office.verify("drills/1", 5, &["HOLD"]);
    // The template lies in the drill, and nobody can leave it out.
    let kept = super::files(&office.at("drills/1/evidence"));
    let is_template = |file: &&std::path::PathBuf| file.to_string_lossy().ends_with(".request.txt");
    assert!(kept.iter().any(|file| is_template(&file)), "{kept:?}");
}

#[test]
fn a_request_from_before_the_run_is_held_to_it_when_the_drill_is_sealed() {
    let office = office();
    office.begin("now");
    office.write("early.txt", "Version: 5.3.4.12\nImpact: orders are late\n");
    office.note("now", &["request", "--file", "early.txt"], 0, &["noted"]);
    office.retrieve("now", "run");
    office.hand_over("now");
    let words = ["it is not the vendor's template, filled in"];
    office.expect(&["status", "now"], 1, &words);
    office.finish("now", "drills/1", 2, &words);
    assert!(!office.at("drills/1").exists());
    draft(
        &office,
        "run",
        "good.txt",
        &["--allowed-signers", "sealers"],
    );
    office.again("now", &["request", "--file", "good.txt"], 0, &["noted"]);
    office.finish("now", "drills/1", 0, &["PASSED"]);
    office.verify("drills/1", 5, &["HOLD"]);
}

#[test]
fn a_template_that_cannot_be_filled_in_begins_no_drill() {
    let office = office();
    office.write("template.txt", "Version: {version}\nImpact:\n");
    office.expect(
        &office.begin_args("now"),
        2,
        &["`Impact:` is left blank", "`asked` names `impact`"],
    );
    assert!(!office.at("now").exists());
    office.write("template.txt", TEMPLATE);
    office.begin("now");
}
