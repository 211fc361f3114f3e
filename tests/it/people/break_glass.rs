//! Two people deploy although the run says NO-GO: what lets them, each way in which it does not, and that the
//! verdict stays.

use super::asked::{ANSWER, Asked, PAGER};
use super::*;

const GLASS: &str = "gonogo-break-glass@gonogo";
const ALONE: &str = "namespaces=\"gonogo-break-glass@gonogo\" ";

fn request(asked: &Asked, more: &[&str]) -> Output {
    let dir = asked.run.dir.to_str().unwrap();
    let args = [
        "break-glass",
        "request",
        dir,
        "--reason",
        "the exchange closes the old line",
    ];
    let all = [&args[..], &["--ticket", "INC-7", "--for", "4h"], more].concat();
    asked.house.lab.run(&all)
}

fn asked_by(asked: &Asked, key: &str) -> PathBuf {
    let made = request(asked, &["--key", &format!("keys/{key}")]);
    expect(&made, 0, &["somebody else signs it too", "says NO-GO"]);
    asked
        .house
        .at(String::from_utf8(made.stdout).unwrap().trim())
}

#[track_caller]
fn check(asked: &Asked, more: &[&str], code: i32, words: &[&str]) -> Output {
    let dir = asked.run.dir.to_str().unwrap();
    let args = ["break-glass", "check", dir, "--signers", "breakers"];
    let run = [
        "--allowed-signers",
        "allowed_signers",
        "--environment",
        "production",
    ];
    let output = asked.house.lab.run(&[&args[..], &run, more].concat());
    expect(&output, code, words);
    // Whatever is allowed, the verdict is never another one.
    assert!(
        !told(&output).lines().any(|line| line == "GO"),
        "{output:?}"
    );
    output
}

#[test]
fn two_people_break_it_and_the_verdict_stays() {
    let asked = Asked::new(crate::lab::Amps::age_logs);
    assert_eq!(asked.run.code(), 1, "{}", asked.run.told());
    let house = &asked.house;
    let good = [("dora", ALONE, "dora"), ("erin", ALONE, "erin")];
    asked.people("breakers", &good);
    check(
        &asked,
        &[],
        1,
        &["no break-glass request lies beside the run", "\nNO-GO\n"],
    );
    let file = asked_by(&asked, "dora");
    check(
        &asked,
        &[],
        1,
        &["1 of 2 people signed it: dora", "\nNO-GO\n"],
    );
    // The second by the stock tool, then by ours.
    house.sign("erin", GLASS, &file);
    let allowed = [
        "NO-GO, deployment allowed by break-glass until ",
        " by dora (SHA256:",
        "erin (SHA256:",
        "INC-7: the exchange closes the old line",
        "\nNO-GO\n",
    ];
    check(&asked, &[], 0, &allowed);
    fs::remove_file(format!("{}.sig", file.display())).unwrap();
    check(&asked, &[], 1, &["1 of 2 people"]);
    let file_named = file.to_str().unwrap();
    let sign = |key: &str| {
        let key = format!("keys/{key}");
        house
            .lab
            .run(&["break-glass", "sign", file_named, "--key", &key])
    };
    expect(
        &sign("erin"),
        0,
        &[
            "signed as erin",
            "dora asks to deploy to production",
            "says NO-GO",
        ],
    );
    expect(&sign("erin"), 2, &["exists already"]);
    expect(&sign("signer"), 4, &["this key signed the run"]);
    check(&asked, &[], 0, &allowed);
    let json = check(
        &asked,
        &["--format", "json"],
        0,
        &["\"break_glass\": \"NO-GO, deployment"],
    );
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(
        (&json["verdict"], &json["exit"]),
        (&json!("NO-GO"), &json!(0))
    );
    check(
        &asked,
        &["--format", "github"],
        0,
        &["::error title=gonogo%3A NO-GO::NO-GO, deployment"],
    );
    check(
        &asked,
        &["--format", "env"],
        0,
        &["GONOGO_VERDICT=NO-GO\n", "GONOGO_BREAK_GLASS=NO-GO,_"],
    );
    check(
        &asked,
        &["--format", "github-deployment-review"],
        2,
        &["does not change it"],
    );
    // The gate knows of it and is not moved.
    let gate = house.verify(&asked.run.dir, &[]);
    expect(
        &gate,
        1,
        &[
            "1 break-glass request beside the run, not judged here",
            "\nNO-GO\n",
        ],
    );
    let folder = asked.run.dir.parent().unwrap().to_str().unwrap();
    let history = ["history", folder, "--allowed-signers", "allowed_signers"];
    let trend = house.lab.run(&history);
    assert!(told(&trend).contains("BREAK-GLASS"), "{trend:?}");

    // The run must be acceptable, and of the environment that is meant.
    check(&asked, &["--max-age", "1ms"], 4, &["stale"]);
    let dir = asked.run.dir.to_str().unwrap();
    let base = [
        "break-glass",
        "check",
        dir,
        "--signers",
        "breakers",
        "--allowed-signers",
    ];
    let staging = [&base[..], &["allowed_signers", "--environment", "staging"]].concat();
    expect(&house.lab.run(&staging), 4, &["not `staging`"]);
    expect(
        &house.lab.run(&[&base[..], &["allowed_signers"]].concat()),
        2,
        &["needs --environment"],
    );
    let stranger = [&base[..], &["breakers", "--environment", "production"]].concat();
    expect(&house.lab.run(&stranger), 4, &["not acceptable"]);

    // Who may: each line wrong in one thing.
    for (lines, why) in [
        (
            [("dora", "", "dora"), good[1]],
            "this key is for breaking alone",
        ),
        (
            [
                (
                    "dora",
                    "namespaces=\"gonogo-break-glass@gonogo,gonogo-answer@gonogo\" ",
                    "dora",
                ),
                good[1],
            ],
            "and nothing else",
        ),
        ([("d*", ALONE, "dora"), good[1]], "stands in no line"),
        (
            [("dora", ALONE, "dora"), ("dora", ALONE, "erin")],
            "1 of 2 people signed it: dora, also dora",
        ),
        (
            [("dora", ALONE, "dora"), ("lab@gonogo", ALONE, "erin")],
            "who signs the run does not break it",
        ),
        (
            [("dora", ALONE, "dora"), ("carl", ALONE, "carl")],
            "1 of 2 people",
        ),
        (
            [("zoe", ALONE, "dora"), good[1]],
            "`dora`, who asks for it, did not sign it",
        ),
    ] {
        asked.people("breakers", &lines);
        check(&asked, &[], 1, &[why, "\nNO-GO\n"]);
    }
    asked.people("breakers", &good);
    fs::copy(house.at("keys/erin.pub"), house.at("revoked")).unwrap();
    check(&asked, &["--revoked", "revoked"], 1, &["revoked: the key"]);
    for (option, file) in [("--approvers", "approvers"), ("--answerers", "answerers")] {
        asked.people(file, &[("ann", "", "ann"), ("other", "", "erin")]);
        check(
            &asked,
            &[option, file],
            1,
            &["may sign runs, approve or answer too"],
        );
        asked.people(file, &[("ann", "", "ann")]);
        check(&asked, &[option, file], 0, &allowed);
    }
    // An answer that nobody hears could be a `no`.
    let answer = asked.printed(PAGER, "passed", "ann");
    asked.put("ann", &answer, "ann", ANSWER);
    check(&asked, &[], 1, &["needs --answerers FILE", "\nNO-GO\n"]);
    check(&asked, &["--answerers", "answerers"], 0, &allowed);
    // For another run of the same plan it is nothing.
    let second = house.lab.judge_as_written();
    for entry in fs::read_dir(&asked.run.dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_str().unwrap().contains("break-glass") {
            fs::copy(entry.path(), second.dir.join(entry.file_name())).unwrap();
        }
    }
    let second = Asked {
        run: second,
        ..asked
    };
    check(&second, &[], 1, &["not for this one", "\nNO-GO\n"]);
}

#[test]
fn a_request_is_refused_changed_late_or_for_what_needs_none() {
    let asked = Asked::new(crate::lab::Amps::age_logs);
    let house = &asked.house;
    asked.people(
        "breakers",
        &[("dora", ALONE, "dora"), ("erin", ALONE, "erin")],
    );
    let key = ["--key", "keys/dora"];
    for (more, code, why) in [
        (&["--key", "keys/signer"][..], 4, "this key signed the run"),
        (
            &["--key", "keys/dora", "--identity", "role:x"],
            2,
            "name of a role",
        ),
        (
            &["--key", "keys/dora", "--allowed-signers", "breakers"],
            4,
            "not acceptable",
        ),
    ] {
        expect(&request(&asked, more), code, &[why]);
    }
    let dir = asked.run.dir.to_str().unwrap();
    let ask = |reason: &str, ticket: &str, life: &str| {
        let args = [
            "break-glass",
            "request",
            dir,
            "--reason",
            reason,
            "--ticket",
            ticket,
        ];
        house.lab.run(&[&args[..], &["--for", life], &key].concat())
    };
    expect(&ask(" ", "T", "4h"), 2, &["the reason is empty"]);
    expect(&ask("r", "", "4h"), 2, &["the ticket is empty"]);
    expect(&ask("r", "T", "25h"), 2, &["between 1 and 24 hours"]);
    expect(&ask("r", "T", "59m"), 2, &["between 1 and 24 hours"]);

    // A document that both sign as it lies there, changed in one thing.
    let file = asked_by(&asked, "dora");
    let whole = fs::read_to_string(&file).unwrap();
    let put = |text: &str| {
        asked.clear();
        fs::write(&file, text).unwrap();
        let first = house.sign("dora", GLASS, &file);
        fs::rename(first, format!("{}.dora.sig", file.display())).unwrap();
        house.sign("erin", GLASS, &file);
    };
    put(&whole);
    check(&asked, &[], 0, &["deployment allowed by break-glass"]);
    let value: Value = serde_json::from_str(&whole).unwrap();
    let field = |key: &str| format!("\"{key}\": {}", value[key]);
    let time = |hours: i64| {
        let time = Timestamp::now() + SignedDuration::from_hours(hours);
        time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    };
    let life = format!("{},\n  {}", field("from"), field("until"));
    let span = |from: i64, until: i64| {
        format!(
            "\"from\": \"{}\",\n  \"until\": \"{}\"",
            time(from),
            time(until)
        )
    };
    for (from, to, why) in [
        (life.clone(), span(0, 25), "between 1 and 24 hours"),
        (
            life.clone(),
            span(-5, -1),
            "it was asked for before the run ended",
        ),
        (life.clone(), span(1, 3), "it holds from"),
        (
            field("manifest"),
            format!("\"manifest\": \"{}\"", "ab".repeat(32)),
            "not for this one",
        ),
        (
            field("environment"),
            "\"environment\": \"staging\"".to_owned(),
            "environment `staging`",
        ),
        (
            field("verdict"),
            "\"verdict\": \"HOLD\"".to_owned(),
            "another verdict",
        ),
        (
            field("verdict"),
            "\"verdict\": \"GO\"".to_owned(),
            "neither NO-GO nor HOLD",
        ),
        (field("failed"), "\"failed\": 0".to_owned(), "other sums"),
        (
            field("requester"),
            "\"requester\": \"ann\"".to_owned(),
            "did not sign it",
        ),
        (
            field("until"),
            format!("{0},\n  {0}", field("until")),
            "duplicate field",
        ),
        ("}\n".to_owned(), "}\n ".to_owned(), "not spelled"),
    ] {
        assert!(whole.contains(&from), "{from}");
        put(&whole.replacen(&from, &to, 1));
        check(
            &asked,
            &[],
            1,
            &["a break-glass request does not count", why, "\nNO-GO\n"],
        );
    }
    put(&whole);
    fs::write(&file, whole.replace("INC-7", "INC-8")).unwrap();
    check(&asked, &[], 1, &["does not match the signed bytes"]);
    put(&whole);
    house.sign("erin", APPROVAL, &file);
    check(
        &asked,
        &[],
        1,
        &["is for namespace `gonogo-approval@gonogo`"],
    );
    put(&whole);
    check(&asked, &[], 0, &["deployment allowed by break-glass"]);
}
