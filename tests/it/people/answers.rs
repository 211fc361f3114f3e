//! Steps that only a person answers: HOLD until somebody who may has signed, by gonogo or by the stock tool.

use super::asked::{ANSWER, Asked, PAGER, ROLLBACK};
use super::*;

#[test]
fn a_hold_becomes_go_by_the_right_people_alone() {
    let asked = Asked::new(|_| ());
    let (house, run) = (&asked.house, &asked.run);
    assert_eq!(
        (run.code(), &*run.last_line()),
        (5, "HOLD"),
        "{}",
        run.told()
    );
    let pager = run.check("orders", OPERATIONS.team, "the pager of orders");
    assert_eq!(pager["outcome"], "pending");
    assert_eq!(pager["steps"][2]["outcome"], "pending");
    // What stands behind the question was done.
    assert_eq!(pager["steps"][3]["outcome"], "passed");
    assert_eq!(
        pager["steps"][2]["asks"]["question"],
        "the pager of orders rang"
    );
    for (file, word) in [
        ("summary.md", "gonogo attest RUN --check"),
        ("report.html", "the rollback was rehearsed"),
        (
            "junit.xml",
            "waits for a person: Then the &quot;release manager&quot; confirms",
        ),
        ("report.json", "\"role\": \"release manager\""),
    ] {
        let text = fs::read_to_string(run.dir.join(file)).unwrap();
        assert!(text.contains(word), "{file}");
    }
    assert!(
        told(&run.output).contains("--answer passed"),
        "{}",
        run.told()
    );
    let plan = house.lab.run(&["plan", "-i", "inventory.yaml", "features"]);
    expect(
        &plan,
        0,
        &[
            "what people will be asked",
            "release manager: the rollback was",
        ],
    );
    let dir = run.dir.to_str().unwrap();
    let listed = house.lab.run(&["attest", dir, "--list"]);
    expect(
        &listed,
        0,
        &[
            PAGER,
            ROLLBACK,
            "whom      release manager",
            "2 checks wait",
        ],
    );
    for format in [
        "json",
        "github",
        "env",
        "gitlab",
        "github-deployment-review",
    ] {
        let more = ["--format", format, "--environment", "production"];
        asked.verify(&more, 5, &["HOLD"]);
    }
    asked.verify(
        &["--format", "json"],
        5,
        &["they answer by gonogo attest RUN"],
    );

    // Answers state whole seconds: theirs are later ones than that of the run's end.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    // One of two; then the wrong role; then the right one, by the stock tool.
    expect(
        &asked.attest(PAGER, "passed", "ann"),
        0,
        &["answered `passed`", "SHA256:"],
    );
    let counts = format!("answered     {PAGER} passed by ann (SHA256:");
    asked.verify(&[], 5, &[&counts, "1 pending", "\nHOLD\n"]);
    expect(
        &house.verify(&run.dir, &[]),
        5,
        &["1 answer lies beside the run, and nobody said who"],
    );
    expect(&asked.attest(ROLLBACK, "passed", "ann"), 0, &[]);
    asked.verify(&[], 5, &["ann is no `release manager`", "\nHOLD\n"]);
    asked.put(
        "bob",
        &asked.printed(ROLLBACK, "passed", "bob"),
        "bob",
        ANSWER,
    );
    asked.verify(
        &[],
        0,
        &["6 passed, 0 failed, 0 waived, 0 pending", "\nGO\n"],
    );
    asked.verify(
        &["--format", "json"],
        0,
        &["\"verdict\": \"GO\"", "\"answered\": \"features/"],
    );
    asked.verify(&["--format", "github"], 0, &["::notice title=answered::"]);
    // Without the file of people nothing changes, and no approval is made of an answer.
    expect(&house.verify(&run.dir, &[]), 5, &["3 answers lie"]);
    let demand = ["--approvers", "approvers", "--require-approval", "1"];
    asked.verify(&demand, 4, &["0 of 1 approvals"]);
    // The stock tool reads ours, and says the role.
    let own = fs::read_dir(&run.dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let own = own.filter(|path| path.to_str().unwrap().ends_with("answer-bob.json"));
    for path in own {
        let stock = Command::new("ssh-keygen")
            .args([
                "-Y",
                "verify",
                "-I",
                "role:release-manager",
                "-n",
                ANSWER,
                "-f",
            ])
            .arg(house.at("answerers"))
            .arg("-s")
            .arg(path.with_extension("json.sig"))
            .stdin(fs::File::open(&path).unwrap())
            .output()
            .unwrap();
        assert!(stock.status.success(), "{stock:?}");
    }

    // Who answers in time, with a key that holds.
    asked.verify(&["--answered-within", "24h"], 0, &["\nGO\n"]);
    asked.verify(
        &["--answered-within", "1ms"],
        5,
        &["after the run ended; 1ms is allowed"],
    );
    fs::copy(house.at("keys/bob.pub"), house.at("revoked")).unwrap();
    asked.verify(
        &["--revoked", "revoked"],
        5,
        &["revoked: the key", "\nHOLD\n"],
    );
    for (line, why) in [
        (
            (
                "bob,role:release-manager",
                "valid-before=\"20200101Z\" ",
                "bob",
            ),
            "not valid at",
        ),
        (
            (
                "bob,role:release-manager",
                "namespaces=\"gonogo-approval@gonogo\" ",
                "bob",
            ),
            "does not allow namespace",
        ),
        (
            ("b*,role:release-manager", "", "bob"),
            "no line of allowed_signers is for `bob`",
        ),
        (("bob", "", "bob"), "bob is no `release manager`"),
        (
            ("bob,role:release", "", "bob"),
            "bob is no `release manager`",
        ),
        (
            ("bob,role:release-manager", "", "carl"),
            "not allowed to sign as `bob`",
        ),
        (
            ("lab@gonogo,bob,role:release-manager", "", "bob"),
            "who signs the run does not answer",
        ),
    ] {
        asked.answerers(&[("ann", "", "ann"), line]);
        asked.verify(&[], 5, &[why, "\nHOLD\n"]);
    }
    // Roles make no two people one: the runner may have the same one.
    asked.answerers(&[
        ("ann", "", "ann"),
        ("bob,role:release-manager", "", "bob"),
        ("ci,role:release-manager", "", "signer"),
    ]);
    asked.verify(&[], 0, &["\nGO\n"]);

    // One no outweighs, whoever came first; a stranger's does not.
    asked.answerers(&[("ann", "", "ann"), ("bob,role:release-manager", "", "bob")]);
    expect(&asked.attest(PAGER, "failed", "carl"), 0, &[]);
    asked.verify(
        &[],
        0,
        &[
            "an answer does not count",
            "no line of allowed_signers is for `carl`",
        ],
    );
    asked.answerers(&[
        ("ann", "", "ann"),
        ("bob,role:release-manager", "", "bob"),
        ("carl", "", "carl"),
    ]);
    let no = asked.verify(
        &[],
        1,
        &[
            "failed by carl",
            "mismatch",
            "seen in the war room",
            "\nNO-GO\n",
        ],
    );
    assert!(!told(&no).contains("\nGO\n"));
    expect(
        &asked.attest(PAGER, "passed", "carl"),
        2,
        &["you answered `failed` already"],
    );
    // Two papers of one person: passed, and no after all.
    asked.clear();
    expect(&asked.attest(PAGER, "passed", "ann"), 0, &[]);
    expect(
        &asked.attest(PAGER, "passed", "ann"),
        2,
        &["you answered `passed` already"],
    );
    expect(&asked.attest(ROLLBACK, "passed", "bob"), 0, &[]);
    asked.verify(&[], 0, &["\nGO\n"]);
    expect(&asked.attest(PAGER, "failed", "ann"), 0, &[]);
    asked.verify(&[], 1, &["\nNO-GO\n"]);
}

#[test]
fn what_is_no_answer_to_this_run_changes_nothing() {
    let asked = Asked::new(|_| ());
    let (house, run) = (&asked.house, &asked.run);
    let dir = run.dir.to_str().unwrap();
    expect(&asked.attest(ROLLBACK, "passed", "bob"), 0, &[]);

    // Refused before anything is signed.
    let attest = |id: &str, more: &[&str]| {
        house.lab.run(
            &[
                &["attest", dir, "--check", id, "--answer", "passed"][..],
                more,
            ]
            .concat(),
        )
    };
    let key = ["--key", "keys/ann"];
    let by = |key: &'static str| ["--statement", "x", "--key", key];
    for (output, code, why) in [
        (
            attest(
                "features/people.feature:2@orders/operation",
                &by("keys/ann"),
            ),
            2,
            "did you mean",
        ),
        (
            attest(
                "features/support.feature:3@orders/operations",
                &by("keys/ann"),
            ),
            2,
            "waits for nobody",
        ),
        (
            attest(PAGER, &[&["--statement", " "][..], &key].concat()),
            2,
            "the statement is empty",
        ),
        (
            attest(PAGER, &[&["--statement", "a\nb"][..], &key].concat()),
            2,
            "line breaks",
        ),
        (attest(PAGER, &key), 2, "--statement"),
        (
            attest(PAGER, &by("keys/signer")),
            4,
            "this key signed the run",
        ),
        (attest(PAGER, &by("keys/none")), 3, "keys/none"),
        (
            attest(
                PAGER,
                &[&by("keys/ann")[..], &["--identity", "role:boss"]].concat(),
            ),
            2,
            "name of a role",
        ),
        (
            attest(
                PAGER,
                &[&by("keys/ann")[..], &["--allowed-signers", "approvers"]].concat(),
            ),
            4,
            "not acceptable",
        ),
        (
            attest(PAGER, &["--statement", "x", "--print"]),
            2,
            "--identity",
        ),
    ] {
        expect(&output, code, &[why]);
    }
    let good = ["--allowed-signers", "allowed_signers"];
    expect(
        &attest(PAGER, &[&by("keys/ann")[..], &good].concat()),
        0,
        &["answered `passed`"],
    );
    asked.verify(&[], 0, &["\nGO\n"]);
    asked.clear();
    expect(&asked.attest(ROLLBACK, "passed", "bob"), 0, &[]);

    // Each document signed by ann, who may answer: benign, then changed in one thing.
    let whole = asked.printed(PAGER, "passed", "ann");
    asked.put("ann", &whole, "ann", ANSWER);
    asked.verify(&[], 0, &["\nGO\n"]);
    let later = (Timestamp::now() + SignedDuration::from_hours(2)).strftime("%Y-%m-%dT%H:%M:%SZ");
    let earlier = (Timestamp::now() - SignedDuration::from_hours(2)).strftime("%Y-%m-%dT%H:%M:%SZ");
    let value: Value = serde_json::from_str(&whole).unwrap();
    let field = |key: &str| format!("\"{key}\": {}", value[key]);
    for (from, to, why) in [
        (
            field("manifest"),
            format!("\"manifest\": \"{}\"", "ab".repeat(32)),
            "not to this one",
        ),
        (
            field("run"),
            "\"run\": \"other\"".to_owned(),
            "it is to run other",
        ),
        (
            field("environment"),
            "\"environment\": \"staging\"".to_owned(),
            "it is about `staging`",
        ),
        (
            field("check"),
            "\"check\": \"x:1@y\"".to_owned(),
            "no check `x:1@y`",
        ),
        (
            field("check"),
            "\"check\": \"features/support.feature:3@orders/operations\"".to_owned(),
            "waits for nobody",
        ),
        (
            field("check"),
            format!("\"check\": \"{ROLLBACK}\""),
            "asks something else",
        ),
        (
            field("asked"),
            "\"asked\": \"a person confirms \\\"nothing\\\"\"".to_owned(),
            "asks something else",
        ),
        (
            field("answered"),
            format!("\"answered\": \"{later}\""),
            "in the future",
        ),
        (
            field("answered"),
            format!("\"answered\": \"{earlier}\""),
            "before the run ended",
        ),
        (
            field("identity"),
            "\"identity\": \"bob\"".to_owned(),
            "not allowed to sign as `bob`",
        ),
        (
            field("answer"),
            "\"answer\": \"waived\"".to_owned(),
            "unknown variant",
        ),
        (
            field("answer"),
            "\"answer\": \"failed\",\n  \"answer\": \"passed\"".to_owned(),
            "duplicate field",
        ),
        (
            field("answer"),
            "\"answer\": \"passed\",\n  \"more\": 1".to_owned(),
            "unknown field",
        ),
        ("}\n".to_owned(), "}\n\n".to_owned(), "not spelled"),
        ("}\n".to_owned(), "}\n{}".to_owned(), "trailing characters"),
    ] {
        assert!(whole.contains(&from), "{from}");
        asked.put("ann", &whole.replacen(&from, &to, 1), "ann", ANSWER);
        asked.verify(&[], 5, &["an answer does not count", why, "\nHOLD\n"]);
    }
    // A `no` counts whenever it was given: no wrong clock, and no hour, takes it away.
    let no = whole.replacen(&field("answer"), "\"answer\": \"failed\"", 1);
    for time in [&later, &earlier] {
        let no = no.replacen(&field("answered"), &format!("\"answered\": \"{time}\""), 1);
        asked.put("ann", &no, "ann", ANSWER);
        asked.verify(&["--answered-within", "1m"], 1, &["\nNO-GO\n"]);
    }
    // One instant, one spelling.
    let odd = whole.replacen("Z\"", ".0Z\"", 1);
    assert_ne!(odd, whole);
    asked.put("ann", &odd, "ann", ANSWER);
    asked.verify(&[], 5, &["tells no time in UTC", "\nHOLD\n"]);
    // Changed after signing, signed for something else, by the runner, by nobody.
    asked.put("ann", &whole, "ann", ANSWER);
    let file = run.dir.join("SHA256SUMS.answer-ann.json");
    fs::write(&file, whole.replace("\"seen\"", "\"Seen\"")).unwrap();
    asked.verify(&[], 5, &["does not match the signed bytes"]);
    asked.put("ann", &whole, "ann", APPROVAL);
    asked.verify(&[], 5, &["is for namespace `gonogo-approval@gonogo`"]);
    asked.put("ann", &whole, "signer", ANSWER);
    asked.verify(&[], 5, &["not allowed to sign as `ann`"]);
    asked.answerers(&[
        ("ann", "", "ann"),
        ("ann", "", "signer"),
        ("bob,role:release-manager", "", "bob"),
    ]);
    asked.verify(&[], 5, &["who signs the run does not answer in it"]);
    asked.answerers(&[("ann", "", "ann"), ("bob,role:release-manager", "", "bob")]);
    fs::remove_file(run.dir.join("SHA256SUMS.answer-ann.json.sig")).unwrap();
    asked.verify(&[], 5, &["nobody signed it"]);
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(house.at("answerers"), &file).unwrap();
    asked.verify(&[], 4, &["is not a regular file"]);
    fs::remove_file(&file).unwrap();
    asked.put("ann", &whole, "ann", ANSWER);
    asked.verify(&[], 0, &["\nGO\n"]);

    // The same question of another run; and what waits is run again, not answered by yesterday's word.
    let out = house.lab.next_out();
    let again = [&house.lab.run_args(&out)[..], &["--rerun-failed", dir]].concat();
    let again = Run::of(house.lab.run(&again), house.at(&out));
    assert_eq!(again.code(), 5, "{}", again.told());
    for name in [
        "SHA256SUMS.answer-ann.json",
        "SHA256SUMS.answer-ann.json.sig",
    ] {
        fs::copy(run.dir.join(name), again.dir.join(name)).unwrap();
    }
    let answerers = ["--answerers", "answerers"];
    expect(
        &house.verify(&again.dir, &answerers),
        5,
        &["not to this one", "\nHOLD\n"],
    );
    // The run was touched: nobody answers it, nor does an answer mend it.
    fs::write(run.dir.join("summary.md"), "GO").unwrap();
    asked.verify(&[], 4, &["`summary.md` was changed"]);
    expect(
        &asked.attest(PAGER, "passed", "ann"),
        4,
        &["`summary.md` was changed"],
    );
}
