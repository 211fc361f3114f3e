//! What a policy demands of one run.

use std::fs;
use std::time::Duration;

use gonogo::digest::Sha256;
use serde_json::Value;

use super::{LEAST, under};
use crate::lab::{Amps, Run, until};
use crate::people::{House, expect, told};

const APPROVERS: [&str; 2] = ["--approvers", "approvers"];

#[test]
fn each_demand_refuses_and_has_its_twin() {
    let house = House::new(|_| ());
    let run = house.lab.judge_as_written();
    run.assert_go(4);
    let inventory = fs::read_to_string(house.at("inventory.yaml")).unwrap();
    house.write("other.yaml", &format!("{inventory}# looked at\n"));
    fs::create_dir(house.at("others")).unwrap();
    let feature = fs::read_to_string(house.at("features/support.feature")).unwrap();
    house.write("others/support.feature", &feature);
    let key = |name: &str| fs::read_to_string(house.at(&format!("keys/{name}.pub"))).unwrap();
    house.write("none_of_ours", &key("carl"));
    house.write("ours", &key("signer"));
    let own = run.report()["run"]["tool"]["sha256"].as_str().unwrap();
    let other = Sha256::of(b"other");
    let go = |more: &str| {
        let output = under(&house, &format!("{LEAST}{more}\n"), &run.dir, &[]);
        let digest = Sha256::of(format!("{LEAST}{more}\n").as_bytes());
        expect(
            &output,
            0,
            &["\nGO\n", &format!("policy       sha256:{digest}")],
        );
    };
    let no = |code: i32, more: &str, word: &str| {
        let output = under(&house, &format!("{LEAST}{more}\n"), &run.dir, &[]);
        let digest = Sha256::of(format!("{LEAST}{more}\n").as_bytes());
        expect(&output, code, &[word, &format!("sha256:{digest}")]);
        assert!(!told(&output).contains("\nGO\n"), "{more}");
    };
    go("");
    for (good, bad, word) in [
        (
            "signers: [eve@gonogo, lab@gonogo]",
            "signers: [eve@gonogo]",
            "the policy permits eve@gonogo",
        ),
        (
            "inventory: inventory.yaml",
            "inventory: other.yaml",
            "another inventory",
        ),
        (
            "features: [features]",
            "features: [others]",
            "did not use feature",
        ),
        ("revoked: none_of_ours", "revoked: ours", "revoked"),
        (
            "tool: {oldest: 0.4.0}",
            "tool: {oldest: 9.0.0}",
            "the policy permits 9.0.0 and later",
        ),
    ] {
        go(good);
        no(4, bad, word);
    }
    go(&format!(
        "tool: {{versions: [0.3.0, {}]}}",
        env!("CARGO_PKG_VERSION")
    ));
    no(4, "tool: {versions: [0.3.0]}", "the policy permits 0.3.0");
    go(&format!("tool: {{sha256: [{own}]}}"));
    no(4, &format!("tool: {{sha256: [{other}]}}"), "another binary");
    for (good, bad, word) in [
        (
            "required: {instances: [orders]}",
            "required: {instances: [orders, quotes]}",
            "policy: no check is about instance `quotes`",
        ),
        (
            "required: {hosts: [ny4-1]}",
            "required: {hosts: [ny4-2]}",
            "policy: no check is about host `ny4-2`",
        ),
        (
            "required: {teams: [operations]}",
            "required: {teams: [market-data]}",
            "policy: no check is of team `market-data`",
        ),
        (
            "required: {scenarios: [{scenario: event log of *}]}",
            "required: {scenarios: [{scenario: events of *}]}",
            "policy: 0 checks of scenario",
        ),
        (
            "required: {artifacts: [{name: event log}]}",
            "required: {artifacts: [{name: core files}]}",
            "policy: no check retrieved `core files` of `orders` for `operations`",
        ),
    ] {
        go(good);
        no(1, bad, word);
    }
    no(
        1,
        "required: {tags: [\"@blocker\"]}",
        "policy: no check has tag `@blocker`",
    );
    go("waivers: none");
    go("retries: none");
    let environment = "environment: staging\nmax_age: 24h\n";
    expect(
        &under(&house, environment, &run.dir, &[]),
        4,
        &["not `staging`", "note: judged under the policy sha256:"],
    );
    until("a second has passed", Duration::from_secs(30), || {
        let policy = "environment: production\nmax_age: 1s\n";
        let output = under(&house, policy, &run.dir, &[]);
        output.status.code() == Some(4) && told(&output).contains("stale")
    });
    // Every format says under which policy.
    let digest = Sha256::of(LEAST.as_bytes()).to_string();
    for (format, word) in [
        ("json", format!("\"policy\": \"sha256:{digest}\"")),
        ("env", format!("GONOGO_POLICY=sha256:{digest}\n")),
        ("gitlab", format!("GONOGO_POLICY=sha256:{digest}\n")),
        ("github", digest.clone()),
        ("github-deployment-review", digest.clone()),
    ] {
        let output = under(&house, LEAST, &run.dir, &["--format", format]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(stdout.contains(&word), "{format}: {stdout}");
    }
    let output = under(&house, environment, &run.dir, &["--format", "json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let digest = Sha256::of(environment.as_bytes());
    assert_eq!(told["policy"], format!("sha256:{digest}"));
    assert_eq!(told["verdict"], Value::Null);
}

#[test]
fn a_run_is_for_what_it_says() {
    let house = House::new(|_| ());
    let (commit, release) = ("ab".repeat(20), format!("sha256:{}", Sha256::of(b"app")));
    let make = |more: &[&str]| {
        let out = house.lab.next_out();
        let args = [&house.lab.run_args(&out)[..], more].concat();
        Run::of(house.lab.run(&args), house.at(&out))
    };
    let plain = make(&[]);
    let bound = make(&["--commit", &commit, "--release", &release]);
    assert_eq!(bound.code(), 0, "{}", bound.told());
    assert_eq!(bound.report()["run"]["subject"]["commit"], commit);
    for page in ["report.html", "summary.md"] {
        let page = fs::read_to_string(bound.dir.join(page)).unwrap();
        assert!(page.contains(&commit), "{page}");
    }
    let told = house.verify(&bound.dir, &["--commit", &commit, "--release", &release]);
    expect(&told, 0, &["\nGO\n", &format!("release      {release}")]);
    let other = "cd".repeat(20);
    let wrong = ["--commit", other.as_str()];
    expect(&house.verify(&bound.dir, &wrong), 4, &["not for cdcd"]);
    expect(
        &house.verify(&plain.dir, &wrong),
        4,
        &["does not tell for which commit"],
    );
    let wrong = format!("sha256:{}", Sha256::of(b"other"));
    let wrong = ["--release", wrong.as_str()];
    expect(
        &house.verify(&bound.dir, &wrong),
        4,
        &["was made for release"],
    );
    // As a policy has it.
    for key in ["commit", "release"] {
        let policy = format!("{LEAST}{key}: required\n");
        let value = if key == "commit" { &commit } else { &release };
        let flag = format!("--{key}");
        expect(
            &under(&house, &policy, &bound.dir, &[]),
            2,
            &["policy.yaml:3:", &format!("demands `{key}`, and no {flag}")],
        );
        let given = [flag.as_str(), value.as_str()];
        expect(&under(&house, &policy, &bound.dir, &given), 0, &["\nGO\n"]);
        expect(
            &under(&house, &policy, &plain.dir, &given),
            4,
            &["does not tell"],
        );
        let fixed = format!("{LEAST}{key}: {value}\n");
        expect(&under(&house, &fixed, &bound.dir, &[]), 0, &["\nGO\n"]);
        expect(
            &under(&house, &fixed, &plain.dir, &[]),
            4,
            &["does not tell"],
        );
    }
    let policy = format!("{LEAST}challenge: required\n");
    expect(
        &under(&house, &policy, &plain.dir, &[]),
        2,
        &["no --challenge TEXT is given"],
    );
    let asked = ["--challenge", "audit 117"];
    expect(
        &under(&house, &policy, &plain.dir, &asked),
        4,
        &["holds no challenge"],
    );
    let met = make(&asked);
    expect(&under(&house, &policy, &met.dir, &asked), 0, &["\nGO\n"]);
    // What is no commit is refused before anything is contacted.
    for (more, word) in [
        (["--commit", "main"], "whole commit id"),
        (["--release", "v1"], "64 hexadecimal digits"),
    ] {
        let run = make(&more);
        assert_eq!(run.code(), 2, "{}", run.told());
        assert!(run.told().contains(word), "{}", run.told());
    }
}

#[test]
fn people_and_waivers_are_as_the_policy_says() {
    let house = House::new(Amps::age_logs);
    house.signed("bob", |_| ());
    let run = house.run(&[]);
    assert_eq!(run.code(), 0, "{}", run.told());
    let verify = |more: &str, code: i32, words: &[&str]| {
        let policy = format!("{LEAST}{more}\n");
        expect(&under(&house, &policy, &run.dir, &[]), code, words);
    };
    verify("", 4, &["nobody said who may approve"]);
    verify("approvers: approvers", 0, &["\nGO\n"]);
    let with = |more: &str| format!("approvers: approvers\n{more}");
    verify(
        &with("waivers: none"),
        1,
        &["no waiver is accepted here", "\nNO-GO\n"],
    );
    verify("waivers: none", 1, &["no waiver is accepted here"]);
    verify(
        &with("waivers: {most: 1, most_checks: 1, most_days: 11}"),
        0,
        &["\nGO\n"],
    );
    verify(
        &with("waivers: {most_days: 10}"),
        1,
        &["policy: waiver `W-1` holds from"],
    );
    verify(
        &with("waivers: {never: {kinds: [stale]}}"),
        1,
        &["policy: a failure of kind `stale` is never waived"],
    );
    verify(
        &with("waivers: {never: {scenarios: [event log of *]}}"),
        1,
        &["is never waived"],
    );
    verify(
        &with("waivers: {never: {kinds: [denied], scenarios: [version of *]}}"),
        0,
        &["\nGO\n"],
    );
    verify(&with("approvals: 1"), 4, &["0 of 1 approvals"]);
    let approved = house
        .lab
        .run(&["approve", run.dir.to_str().unwrap(), "--key", "keys/carl"]);
    expect(&approved, 0, &[]);
    verify(&with("approvals: 1"), 0, &["approved by  carl"]);
    verify(&with("approvals: 2"), 4, &["1 of 2 approvals"]);
    // The stricter of the two.
    let policy = format!("{LEAST}{}\n", with("approvals: 1"));
    for (more, code, word) in [
        (&["--require-approval", "2"][..], 4, "1 of 2 approvals"),
        (&["--no-waivers"], 1, "no waiver is accepted here"),
    ] {
        let more = [&APPROVERS, more].concat();
        expect(&under(&house, &policy, &run.dir, &more), code, &[word]);
    }
    let two = format!("{LEAST}{}\n", with("approvals: 2"));
    let laxer = [&APPROVERS[..], &["--require-approval", "1"]].concat();
    expect(
        &under(&house, &two, &run.dir, &laxer),
        4,
        &["1 of 2 approvals"],
    );
}

#[test]
fn no_flag_loosens_a_policy_and_what_excludes_each_other_is_refused() {
    let house = House::new(|_| ());
    let run = house.lab.judge_as_written();
    let all = format!(
        "{LEAST}signers: [lab@gonogo]\ninventory: inventory.yaml\nfeatures: [features]\napprovers: approvers\nhistory: runs\ncommit: {}\n",
        "ab".repeat(20)
    );
    fs::create_dir(house.at("runs")).unwrap();
    fs::create_dir(house.at("more")).unwrap();
    let inventory = fs::read_to_string(house.at("inventory.yaml")).unwrap();
    house.write("other.yaml", &format!("{inventory}# looked at\n"));
    house.write("more/support.feature", "Feature: another\n");
    house.write("nobody", "");
    for (flag, value, line) in [
        ("--environment", "staging", "policy.yaml:1:14"),
        ("--identity", "eve@gonogo", "policy.yaml:3:10"),
        ("--inventory", "other.yaml", "policy.yaml:4:12"),
        ("--features", "more", "policy.yaml:5:11"),
        ("--approvers", "nobody", "policy.yaml:6:12"),
        ("--history", "more", "policy.yaml:7:10"),
        ("--commit", &"cd".repeat(20), "policy.yaml:8:9"),
    ] {
        let output = under(&house, &all, &run.dir, &[flag, value]);
        expect(&output, 2, &[line, "exclude each other", flag, "1 problem"]);
    }
    // All at once; and the same said twice is no contradiction.
    let two = ["--environment", "staging", "--identity", "eve@gonogo"];
    expect(&under(&house, &all, &run.dir, &two), 2, &["2 problems"]);
    let some =
        format!("{LEAST}signers: [lab@gonogo]\ninventory: inventory.yaml\nfeatures: [features]\n");
    let same = [
        "--environment",
        "production",
        "--identity",
        "lab@gonogo",
        "--inventory",
        "inventory.yaml",
        "--features",
        "features",
        "--max-age",
        "999d",
    ];
    expect(&under(&house, &some, &run.dir, &same), 0, &["\nGO\n"]);
    until("a second has passed", Duration::from_secs(30), || {
        let stricter = under(&house, LEAST, &run.dir, &["--max-age", "1s"]);
        let laxer = under(
            &house,
            "environment: production\nmax_age: 1s\n",
            &run.dir,
            &["--max-age", "24h"],
        );
        stricter.status.code() == Some(4) && laxer.status.code() == Some(4)
    });
    for flag in [
        &["--signed-at", "2026-11-21T12:00:00Z"][..],
        &["--allow-partial"],
    ] {
        expect(
            &under(&house, LEAST, &run.dir, flag),
            2,
            &["cannot be used with"],
        );
    }
    // What is wrong with the policy, and with what it names.
    let bad = "environment: production\nmax_aeg: 1h\nwaivers: {most: 0}\n";
    let output = under(&house, bad, &run.dir, &["--format", "json"]);
    expect(
        &output,
        2,
        &[
            "policy.yaml:2:1",
            "did you mean `max_age`?",
            "policy.yaml:3:17",
            "2 problems",
        ],
    );
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["answer"], "NOT-JUDGED");
    let absent = format!(
        "{LEAST}inventory: a.yaml\nfeatures: [b]\napprovers: c\nrevoked: d\nhistory: e\ntime_stamp: {{tsa_ca: f}}\n"
    );
    let output = under(&house, &absent, &run.dir, &[]);
    expect(
        &output,
        2,
        &["policy.yaml:3:12", "policy.yaml:8:13", "6 problems"],
    );
    expect(
        &house.lab.run(&["policy", "policy.yaml"]),
        2,
        &["6 problems"],
    );
    house.write("policy.yaml", &some);
    expect(
        &house.lab.run(&["policy", "policy.yaml"]),
        0,
        &[
            "- it used exactly the inventory `inventory.yaml`",
            "- not demanded: a time stamp",
        ],
    );
    expect(
        &house.verify(&run.dir, &["--policy", "none.yaml"]),
        2,
        &["cannot read the policy"],
    );
    expect(
        &house.verify(&run.dir, &["--against", "runs"]),
        2,
        &["--policy"],
    );
}

#[test]
fn a_policy_is_signed_where_that_is_asked() {
    let house = House::new(|_| ());
    let run = house.lab.judge_as_written();
    let public = fs::read_to_string(house.at("keys/ann.pub")).unwrap();
    let line = format!("ann namespaces=\"gonogo-policy@gonogo\" {public}");
    house.write("policy_signers", &line);
    let asked = ["--policy-signers", "policy_signers"];
    expect(
        &under(&house, LEAST, &run.dir, &asked),
        2,
        &["policy.yaml.sig", "ssh-keygen -Y sign"],
    );
    let sign = |who: &str, namespace: &str| house.sign(who, namespace, &house.at("policy.yaml"));
    sign("ann", "gonogo-policy@gonogo");
    expect(&under(&house, LEAST, &run.dir, &asked), 0, &["\nGO\n"]);
    expect(
        &house
            .lab
            .run(&[&["policy", "policy.yaml"], &asked[..]].concat()),
        0,
        &["- the run is about"],
    );
    // Changed since, by somebody else, for something else.
    let looser = LEAST.replace("24h", "240h");
    expect(
        &under(&house, &looser, &run.dir, &asked),
        2,
        &["is not signed"],
    );
    for (who, namespace) in [
        ("bob", "gonogo-policy@gonogo"),
        ("ann", "gonogo-waiver@gonogo"),
    ] {
        house.write("policy.yaml", LEAST);
        sign(who, namespace);
        expect(
            &under(&house, LEAST, &run.dir, &asked),
            2,
            &["is not signed"],
        );
    }
}
