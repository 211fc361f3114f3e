//! What two people break under a policy is the gate's own refusal: of that policy, for those reasons, knowing those
//! answers.

use super::asked::{ANSWER, Asked, PAGER, ROLLBACK};
use super::*;

const GLASS: &str = "gonogo-break-glass@gonogo";
const ALONE: &str = "namespaces=\"gonogo-break-glass@gonogo\" ";
const LEAST: &str = "environment: production\nmax_age: 24h\nanswerers: answerers\n";
const BLOCKER: &str = "required: {tags: [\"@blocker\"]}\n";
const GATE: [&str; 4] = [
    "--allowed-signers",
    "allowed_signers",
    "--policy",
    "policy.yaml",
];

fn house() -> Asked {
    let asked = Asked::new(|_| ());
    assert_eq!(asked.run.code(), 5, "{}", asked.run.told());
    asked.people(
        "breakers",
        &[("dora", ALONE, "dora"), ("erin", ALONE, "erin")],
    );
    asked
}

fn answer(asked: &Asked) {
    expect(&asked.attest(PAGER, "passed", "ann"), 0, &[]);
    expect(&asked.attest(ROLLBACK, "passed", "bob"), 0, &[]);
}

fn request(asked: &Asked, more: &[&str]) -> Output {
    let dir = asked.run.dir.to_str().unwrap();
    let args = ["break-glass", "request", dir, "--reason", "it closes"];
    let rest = ["--ticket", "INC-7", "--for", "4h", "--key", "keys/dora"];
    asked.house.lab.run(&[&args[..], &rest, more].concat())
}

/// Asked for by dora, signed by erin.
#[track_caller]
fn both(asked: &Asked, more: &[&str]) -> PathBuf {
    let made = request(asked, more);
    expect(&made, 0, &["somebody else signs it too"]);
    let file = String::from_utf8(made.stdout).unwrap();
    let file = asked.house.at(file.trim());
    asked.house.sign("erin", GLASS, &file);
    file
}

#[track_caller]
fn check(asked: &Asked, more: &[&str], code: i32, words: &[&str]) -> Output {
    let dir = asked.run.dir.to_str().unwrap();
    let args = ["break-glass", "check", dir, "--signers", "breakers"];
    let output = asked.house.lab.run(&[&args[..], more].concat());
    expect(&output, code, words);
    let said = told(&output);
    assert!(code == 0 || !said.contains("deployment allowed"), "{said}");
    output
}

/// Nobody waits for hours: the same judgement, asked for a later now.
#[test]
fn a_request_ends_when_it_says() {
    use gonogo::report::verify::{Breakers, Demands, Verified};
    use gonogo::sign::allowed_signers::AllowedSigners;
    use gonogo::sign::people::People;
    let asked = house();
    both(&asked, &[]);
    let read = |name: &str| fs::read(asked.house.at(name)).unwrap();
    let runners = AllowedSigners::parse(&read("allowed_signers"));
    let signers = People::parse(&read("breakers"));
    let begun = Timestamp::now();
    let verified = Verified::open(&asked.run.dir, &runners, &Demands::default(), begun).unwrap();
    let verdict = verified.verdict().clone();
    let at = |now: Timestamp| {
        verified.broken(&Breakers {
            proven: false,
            signers: &signers,
            runners: &runners,
            others: &[],
            heard: true,
            gate: (verdict.decision, &verdict.reasons),
            policy: None,
            now,
        })
    };
    for (minutes, holds, why) in [
        (0, true, ""),
        (239, true, ""),
        (241, false, "it ended at"),
        (60 * 24 * 365, false, "it ended at"),
        (-10, false, "it holds from"),
    ] {
        let broken = at(begun + SignedDuration::from_mins(minutes));
        assert_eq!(broken.allowed.is_some(), holds, "{minutes}: {broken:?}");
        let warned = broken.warnings.concat();
        assert!(warned.contains(why), "{minutes}: {warned}");
    }
}

#[test]
fn what_only_the_policy_refuses_is_broken_under_that_policy_alone() {
    let asked = house();
    let house = &asked.house;
    answer(&asked);
    asked.verify(&[], 0, &["\nGO\n"]);
    house.write("policy.yaml", LEAST);
    // A GO of the gate is not broken, nor is a HOLD that is answered.
    expect(&request(&asked, &GATE), 2, &["the gate says GO"]);
    check(&asked, &GATE, 0, &["no break-glass is needed", "\nGO\n"]);
    let strict = format!("{LEAST}{BLOCKER}");
    house.write("policy.yaml", &strict);
    let digest = Sha256::of(strict.as_bytes());
    let refused = "policy: no check has tag `@blocker`";
    expect(
        &house.verify(&asked.run.dir, &GATE[2..]),
        1,
        &[refused, "\nNO-GO\n"],
    );
    check(&asked, &GATE, 1, &["no break-glass request lies"]);
    let made = request(&asked, &GATE);
    expect(
        &made,
        0,
        &[
            "the gate says NO-GO to run",
            &format!("refused under the policy sha256:{digest}"),
            &format!("the gate has against it: {refused}"),
        ],
    );
    asked.clear();
    answer(&asked);
    let file = both(&asked, &GATE);
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.contains(&format!("\"policy\": \"{digest}\"")),
        "{text}"
    );
    let allowed = [
        "NO-GO, deployment allowed by break-glass until ",
        refused,
        "\nNO-GO\n",
    ];
    check(&asked, &GATE, 0, &allowed);
    let said = check(&asked, &[&GATE[..], &["--format", "json"]].concat(), 0, &[]);
    let said: Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(
        (&said["verdict"], &said["policy"]),
        (&json!("NO-GO"), &json!(format!("sha256:{digest}")))
    );
    let env = [&GATE[..], &["--format", "env"]].concat();
    check(&asked, &env, 0, &["GONOGO_VERDICT=NO-GO\n"]);
    // `verify` is not moved.
    expect(
        &house.verify(&asked.run.dir, &GATE[2..]),
        1,
        &["1 break-glass request beside the run", "\nNO-GO\n"],
    );
    // Another policy, or none: another refusal.
    house.write("policy.yaml", &format!("{strict}retries: none\n"));
    check(
        &asked,
        &GATE,
        1,
        &["under another policy, sha256:", "\nNO-GO\n"],
    );
    house.write("policy.yaml", &strict);
    check(&asked, &GATE, 0, &allowed);
    let bare = ["--environment", "production", "--answerers", "answerers"];
    let bare = [&GATE[..2], &bare].concat();
    let rollback = fs::read_dir(&asked.run.dir).unwrap();
    let rollback = rollback.map(|entry| entry.unwrap().path());
    let rollback = rollback.filter(|path| path.to_str().unwrap().contains(".answer-bob-"));
    let away = rollback.map(|path| (fs::read(&path).unwrap(), path));
    let away = away.collect::<Vec<_>>();
    assert_eq!(away.len(), 2);
    for (_, path) in &away {
        fs::remove_file(path).unwrap();
    }
    check(
        &asked,
        &bare,
        5,
        &["and none is given: --policy FILE", "\nHOLD\n"],
    );
    for (bytes, path) in &away {
        fs::write(path, bytes).unwrap();
    }
    // What is not acceptable under it nobody breaks.
    house.write("policy.yaml", &strict.replace("24h", "1ms"));
    check(&asked, &GATE, 4, &["stale"]);
    expect(&request(&asked, &GATE), 4, &["not acceptable: stale"]);
    house.write("policy.yaml", &strict.replace("production", "staging"));
    check(&asked, &GATE, 4, &["not `staging`"]);
    house.write("policy.yaml", &strict);
    // A document that both sign: with less said than the gate says, or without the policy.
    let put = |text: &str| {
        fs::write(&file, text).unwrap();
        let own = house.sign("dora", GLASS, &file);
        fs::rename(own, format!("{}.dora.sig", file.display())).unwrap();
        house.sign("erin", GLASS, &file);
    };
    let value: Value = serde_json::from_str(&text).unwrap();
    let without = |key: &str| {
        let line = text
            .lines()
            .find(|line| line.contains(&format!("\"{key}\"")));
        text.replace(&format!("{}\n", line.unwrap()), "")
    };
    assert_eq!(value["against"], json!([refused]));
    let against = text.replace(
        &format!("\"against\": [\n    \"{refused}\"\n  ]"),
        "\"against\": []",
    );
    assert_ne!(against, text);
    for (changed, why) in [
        (against, "more against the run than it tells"),
        (without("policy"), "ask for it with --policy FILE"),
        (without("noes"), "missing field"),
        (
            text.replace("\"verdict\": \"NO-GO\"", "\"verdict\": \"HOLD\""),
            "another verdict than the gate",
        ),
    ] {
        put(&changed);
        check(&asked, &GATE, 1, &[why, "\nNO-GO\n"]);
    }
    put(&text);
    check(&asked, &GATE, 0, &allowed);
    // The second person says which policy they know.
    let sign = |policy: &str| {
        let name = file.to_str().unwrap();
        let args = ["break-glass", "sign", name, "--key", "keys/erin"];
        house.lab.run(&[&args[..], &["--policy", policy]].concat())
    };
    house.write("other.yaml", LEAST);
    expect(&sign("other.yaml"), 2, &["the request is under the policy"]);
    expect(&sign("policy.yaml"), 0, &["signed as erin", refused]);
    // A request that nobody put a policy to does not break what only a policy refuses.
    asked.clear();
    both(&asked, &[]);
    answer(&asked);
    check(
        &asked,
        &GATE,
        1,
        &["ask for it with --policy FILE", "\nNO-GO\n"],
    );
    // What hangs on people is asked of the gate.
    expect(
        &request(&asked, &["--answerers", "answerers"]),
        2,
        &["give it --allowed-signers FILE"],
    );
    expect(
        &request(&asked, &["--policy", "policy.yaml"]),
        2,
        &["--allowed-signers"],
    );
}

/// Clocks are their owners' word, and a file can be taken away: the request holds the digests of every `failed` that
/// was there.
#[test]
fn an_answer_that_says_no_binds_by_its_digest_and_not_by_its_clock() {
    let asked = house();
    let house = &asked.house;
    house.write("policy.yaml", LEAST);
    let printed = asked.printed(PAGER, "failed", "ann");
    let value: Value = serde_json::from_str(&printed).unwrap();
    let dated = |hours: i64| {
        let at = Timestamp::now() + SignedDuration::from_hours(hours);
        let at = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        printed.replace(value["answered"].as_str().unwrap(), &at)
    };
    let file = || asked.run.dir.join("SHA256SUMS.answer-ann.json");
    let allowed = ["deployment allowed by break-glass", "\nNO-GO\n"];
    // Known, whatever its clock says.
    for hours in [-2, 0, 2] {
        asked.clear();
        asked.put("ann", &dated(hours), "ann", ANSWER);
        let made = request(&asked, &GATE);
        expect(
            &made,
            0,
            &["1 answer `failed` beside the run: you answer for that"],
        );
        let request = house.at(String::from_utf8(made.stdout).unwrap().trim());
        house.sign("erin", GLASS, &request);
        check(&asked, &GATE, 0, &allowed);
    }
    // Taken away, with its signature or without, or changed: the request goes with it.
    let text = fs::read_to_string(file()).unwrap();
    fs::remove_file(file()).unwrap();
    check(&asked, &GATE, 5, &["lies here no more", "\nHOLD\n"]);
    fs::write(file(), text.replace("\"seen\"", "\"Seen\"")).unwrap();
    check(&asked, &GATE, 5, &["lies here no more"]);
    fs::write(file(), &text).unwrap();
    check(&asked, &GATE, 0, &allowed);
    // Unknown, and dated before the request: by its clock it was known.
    for hours in [-2, 0, 2] {
        asked.clear();
        both(&asked, &GATE);
        check(&asked, &GATE, 0, &["HOLD, deployment allowed", "\nHOLD\n"]);
        asked.put("ann", &dated(hours), "ann", ANSWER);
        check(
            &asked,
            &GATE,
            1,
            &["which it does not know of", "\nNO-GO\n"],
        );
    }
    // A stranger's is nobody's.
    asked.put("ann", &dated(0), "carl", ANSWER);
    check(&asked, &GATE, 0, &["HOLD, deployment allowed"]);
    // The second person is told, too.
    asked.clear();
    let made = request(&asked, &GATE);
    let name = String::from_utf8(made.stdout).unwrap();
    let sign = || {
        let args = ["break-glass", "sign", name.trim(), "--key", "keys/erin"];
        house.lab.run(&args)
    };
    asked.put("ann", &dated(0), "ann", ANSWER);
    expect(&sign(), 2, &["that the request does not know of"]);
    fs::remove_file(file()).unwrap();
    expect(&sign(), 0, &["signed as erin"]);
    asked.clear();
    asked.put("ann", &dated(0), "ann", ANSWER);
    let made = request(&asked, &GATE);
    let name = String::from_utf8(made.stdout).unwrap();
    fs::remove_file(file()).unwrap();
    let args = ["break-glass", "sign", name.trim(), "--key", "keys/erin"];
    expect(&house.lab.run(&args), 2, &["lies here no more"]);
}
