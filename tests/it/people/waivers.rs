//! Waivers that hold, and each way in which one does not.

use super::*;

#[test]
fn a_signed_waiver_stays_go_and_is_told_everywhere() {
    let house = House::new(crate::lab::Amps::age_logs);
    let plain = house.lab.judge_as_written();
    plain.assert_only(&[("orders", OPERATIONS.team, "event log", "stale")]);
    assert_eq!(house.log_id, LOG);

    house.signed("bob", |_| ());
    let plan = house.plan();
    expect(
        &plan,
        0,
        &["W-1", LOG, "approved by bob (SHA256:", "means 1 check"],
    );
    let run = house.run(&[]);
    assert_eq!((run.code(), &*run.last_line()), (0, "GO"), "{}", run.told());
    let check = run.check("orders", OPERATIONS.team, "event log");
    assert_eq!(check["outcome"], "waived");
    assert_eq!(check["failure"]["kind"], "stale", "the failure stays told");
    assert_eq!(run.report()["waivers"][0]["covered"], json!([LOG]));
    assert!(told(&run.output).contains("WAIVED"), "{}", run.told());
    for (file, word) in [
        ("summary.md", "W-1"),
        ("report.html", "W-1"),
        ("junit.xml", "W-1"),
        ("report.json", "\"W-1\""),
    ] {
        let text = fs::read_to_string(run.dir.join(file)).unwrap();
        assert!(text.contains(word), "{file}");
        assert!(text.contains("the feed is quiet until go-live"), "{file}");
    }
    let attested = fs::read_to_string(run.dir.join("report.intoto.jsonl")).unwrap();
    let envelope: Value = serde_json::from_str(&attested).unwrap();
    let payload = envelope["payload"].as_str().unwrap();
    // `"result":"WARNED"`, whatever its place in the three bytes of base64.
    assert!(
        ["V0FSTkVE", "dBUk5FR", "XQVJORU"]
            .iter()
            .any(|it| payload.contains(it)),
        "{payload}"
    );

    // The gate: nobody said who may approve; the right file; nobody may; the wrong person; waivers unwanted.
    expect(
        &house.verify(&run.dir, &[]),
        4,
        &["nobody said who may approve"],
    );
    let approvers = ["--approvers", "approvers"];
    expect(
        &house.verify(&run.dir, &approvers),
        0,
        &["W-1 covers 1 check", "approved by bob", "\nGO\n"],
    );
    let none = [&approvers[..], &["--no-waivers"]].concat();
    expect(
        &house.verify(&run.dir, &none),
        1,
        &["1 check waived, and no waiver is accepted", "\nNO-GO\n"],
    );
    expect(
        &house.verify(&run.dir, &["--no-waivers"]),
        1,
        &["\nNO-GO\n"],
    );
    expect(&house.verify(&plain.dir, &none), 1, &["NO-GO"]);
    let json = [&approvers[..], &["--format", "json"]].concat();
    expect(
        &house.verify(&run.dir, &json),
        0,
        &["\"waived\": [", "\"verdict\": \"GO\""],
    );
    house.approvers(&[("bob", "", "carl")]);
    expect(
        &house.verify(&run.dir, &approvers),
        4,
        &["not signed by its approver", "not allowed to sign as `bob`"],
    );
    house.approvers(&[("carl", "", "bob")]);
    expect(
        &house.verify(&run.dir, &approvers),
        4,
        &["no line of allowed_signers is for `bob`"],
    );
    house.approvers(&[("ann,bob", "", "bob")]);
    expect(&house.verify(&run.dir, &approvers), 4, &["are one person"]);
    house.approvers(&[("bob", "valid-before=\"20200101Z\" ", "bob")]);
    expect(&house.verify(&run.dir, &approvers), 4, &["not valid at"]);
    house.approvers(&[("bob", "namespaces=\"gonogo-waiver@gonogo\" ", "bob")]);
    expect(&house.verify(&run.dir, &approvers), 0, &["\nGO\n"]);
    let later = [&approvers[..], &["--signed-at", "2099-01-01T00:00:00Z"]].concat();
    expect(
        &house.verify(&run.dir, &later),
        4,
        &["stale", "waiver `W-1` does not hold now"],
    );
    // The auditor's own tool reads the same signature.
    let stock = Command::new("ssh-keygen")
        .args(["-Y", "verify", "-I", "bob", "-n", WAIVER, "-f"])
        .arg(house.at("approvers"))
        .arg("-s")
        .arg(run.dir.join("inputs/waivers.yaml.sig"))
        .stdin(fs::File::open(run.dir.join("inputs/waivers.yaml")).unwrap())
        .output()
        .unwrap();
    assert!(stock.status.success(), "{stock:?}");
    // An end within days of go-live is told.
    let soon = (Timestamp::now() + SignedDuration::from_hours(250)).to_string();
    house.approvers(&[("ann", "", "ann"), ("bob", "", "bob")]);
    let run = house.run(&["--go-live", &soon]);
    assert_eq!(run.code(), 0, "{}", run.told());
    assert!(run.told().contains("waiver W-1 ends"), "{}", run.told());
    assert!(run.told().contains("before go-live"), "{}", run.told());
}

#[test]
fn what_is_wrong_with_waivers_is_told_before_anything_is_contacted() {
    let house = House::new(crate::lab::Amps::age_logs);
    let refused = |words: &[&str]| {
        let place = "waivers.yaml:";
        expect(&house.plan(), 2, &[words, &[place, "hint: "]].concat());
        let run = house.run(&[]);
        expect(&run.output, 2, words);
        assert!(!run.dir.exists());
    };
    let from_now = |hours: i64| {
        Value::from((Timestamp::now() + SignedDuration::from_hours(hours)).to_string())
    };
    house.waiver(|_| ());
    refused(&[
        "there is no signature beside it",
        "ssh-keygen -Y sign -n gonogo-waiver@gonogo",
    ]);
    house.signed("carl", |_| ());
    refused(&["not allowed to sign as `bob`"]);
    house.sign("bob", APPROVAL, &house.at("waivers.yaml"));
    refused(&["is for namespace `gonogo-approval@gonogo`"]);
    house.signed("bob", |_| ());
    house.waiver(|waiver| waiver["reason"] = "another".into());
    refused(&["does not match the signed bytes"]);
    house.signed("bob", |waiver| {
        waiver["from"] = from_now(-48);
        waiver["expires"] = from_now(-1);
    });
    refused(&["waiver `W-1` has expired"]);
    house.signed("bob", |waiver| waiver["from"] = from_now(2));
    refused(&["waiver `W-1` is not valid yet"]);
    house.signed("bob", |waiver| waiver["requester"] = "Bob".into());
    refused(&["requester and approver are the same"]);
    house.signed("bob", |waiver| {
        waiver["check"] = LOG.replace("operations", "operatons").into()
    });
    refused(&[
        "means no planned check",
        "did you mean `features/support.feature:18@orders/operations`",
    ]);
    house.signed("bob", |waiver| {
        waiver["check"] = Value::Null;
        waiver["scenario"] = "* of orders for *".into();
        waiver["instance"] = "orders".into();
    });
    refused(&["means every planned check"]);
    house.signed("bob", |_| ());
    let text = fs::read_to_string(house.at("waivers.yaml")).unwrap();
    house.write("waivers.yaml", &text.replace("production", "staging"));
    house.sign("bob", WAIVER, &house.at("waivers.yaml"));
    refused(&["waivers for environment `staging`, not for `production`"]);
    house.signed("bob", |waiver| {
        waiver["expires"] = "soon".into();
        waiver["wildcard"] = "*".into();
    });
    refused(&[
        "cannot read `soon`",
        "unknown key `wildcard` of a waiver",
        "2 problems",
    ]);
    house.signed("bob", |_| ());
    house.approvers(&[("*", "", "bob")]);
    expect(&house.plan(), 2, &["names nobody", "holds a pattern"]);
    // The runner's key approves nothing, under whatever name: known as soon as the key is.
    house.approvers(&[("ann", "", "ann"), ("bob", "", "signer")]);
    house.signed("signer", |_| ());
    let run = house.run(&[]);
    expect(
        &run.output,
        2,
        &["who signs the run approves nothing in it"],
    );
    assert!(!run.dir.exists());
    expect(
        &house
            .lab
            .run(&["plan", "-i", "inventory.yaml", "--waivers", "waivers.yaml"]),
        2,
        &["--approvers"],
    );
    // The twin of all: two approvers, each with a signature of their own file name.
    house.approvers(&[("bob", "", "bob"), ("carl", "", "carl")]);
    house.waiver(|_| ());
    let _ = fs::remove_file(house.at("waivers.yaml.sig"));
    let text = fs::read_to_string(house.at("waivers.yaml")).unwrap();
    let second = text
        .replace("environment: production\nwaivers:\n", "")
        .replace("W-1", "W-2")
        .replace("\"bob\"", "\"carl\"");
    house.write("waivers.yaml", &(text + &second));
    for who in ["bob", "carl"] {
        let made = house.sign(who, WAIVER, &house.at("waivers.yaml"));
        fs::rename(made, house.at(&format!("waivers.yaml.{who}.sig"))).unwrap();
    }
    expect(&house.plan(), 0, &["W-1", "W-2"]);
    let run = house.run(&[]);
    assert_eq!(run.code(), 0, "{}", run.told());
    assert!(
        run.told().contains("waiver W-2 covers nothing"),
        "{}",
        run.told()
    );
    expect(
        &house.verify(&run.dir, &["--approvers", "approvers"]),
        0,
        &["\nGO\n"],
    );
}

#[test]
fn the_wrong_machine_cannot_be_waived_and_the_wrong_version_can() {
    let house = House::new(|_| ());
    let mut inventory = house.lab.inventory();
    let scenario = |waiver: &mut Value| {
        waiver["check"] = Value::Null;
        waiver["scenario"] = "version of orders for operations".into();
        waiver["host"] = "ny4-1".into();
    };
    inventory["instances"]["orders"]["expect"]["version"] = "9.9.9.9".into();
    house.lab.write_inputs(&inventory);
    house.signed("bob", scenario);
    let run = house.run(&[]);
    assert_eq!(run.code(), 0, "{}", run.told());
    let check = run.check("orders", OPERATIONS.team, "version");
    assert_eq!(
        (&check["outcome"], &check["failure"]["kind"]),
        (&"waived".into(), &"mismatch".into())
    );
    assert_eq!(check["failure"]["at_login"], Value::Null);

    inventory["hosts"]["ny4-1"]["identity"]["hostname"] = "another-host".into();
    house.lab.write_inputs(&inventory);
    let run = house.run(&[]);
    assert_eq!(run.code(), 1, "{}", run.told());
    let check = run.check("orders", OPERATIONS.team, "version");
    assert_eq!(
        (&check["outcome"], &check["failure"]["kind"]),
        (&"failed".into(), &"mismatch".into())
    );
    assert_eq!(check["failure"]["at_login"], true);
    assert!(
        run.told().contains("waiver W-1 covers nothing"),
        "{}",
        run.told()
    );
    // Nor a host key that is another, nor a host that does not answer.
    inventory["hosts"]["ny4-1"]["identity"] = json!({});
    inventory["hosts"]["ny4-1"]["host_key"] =
        "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into();
    house.lab.write_inputs(&inventory);
    let run = house.run(&[]);
    let check = run.check("orders", OPERATIONS.team, "version");
    assert_eq!(
        (&check["outcome"], &check["failure"]["kind"]),
        (&"failed".into(), &"host-key".into())
    );
    assert_eq!(run.code(), 1);
}

#[test]
fn a_waiver_that_nothing_needed_is_told_and_needs_no_approvers() {
    let house = House::new(|_| ());
    house.signed("bob", |_| ());
    let run = house.run(&[]);
    run.assert_go(4);
    let words = format!("waiver W-1 covers nothing, passed without it: {LOG}");
    assert!(run.told().contains(&words), "{}", run.told());
    expect(&house.verify(&run.dir, &[]), 0, &[&words, "\nGO\n"]);
    expect(&house.verify(&run.dir, &["--no-waivers"]), 0, &["\nGO\n"]);
}
