//! Records put together again by who holds the key that signs runs.

use super::*;

#[test]
fn who_holds_the_runners_key_can_neither_waive_nor_extend() {
    let house = House::new(crate::lab::Amps::age_logs);
    let plain = house.lab.judge_as_written();
    house.signed("bob", |_| ());
    let run = house.run(&[]);
    assert_eq!(run.code(), 0, "{}", run.told());
    let approvers = ["--approvers", "approvers"];
    // The benign twin: put together again as it is.
    let same = house.forged(&run.dir, "same", |dir| edit(dir, |_| ()));
    expect(&house.verify(&same, &approvers), 0, &["\nGO\n"]);

    // The end moved, in the file and in the record.
    let later = (Timestamp::now() + SignedDuration::from_hours(500)).strftime("%Y-%m-%dT%H:%M:%SZ");
    let later = later.to_string();
    let extended = house.forged(&run.dir, "extended", |dir| {
        let path = dir.join("inputs/waivers.yaml");
        let file = fs::read_to_string(&path).unwrap();
        let line = file.lines().find(|line| line.contains("expires:")).unwrap();
        fs::write(
            &path,
            file.replace(line, &format!("    expires: \"{later}\"")),
        )
        .unwrap();
        edit(dir, |report| {
            report["waivers"][0]["expires"] = later.as_str().into();
            let check = &mut report["checks"][2]["waiver"];
            check["expires"] = later.as_str().into();
        });
    });
    expect(
        &house.verify(&extended, &approvers),
        4,
        &["waivers", "not match the signed bytes"],
    );
    // In the record alone.
    let told = house.forged(&run.dir, "told", |dir| {
        edit(dir, |report| {
            report["waivers"][0]["expires"] = later.as_str().into();
            report["checks"][2]["waiver"]["expires"] = later.as_str().into();
        });
    });
    expect(
        &house.verify(&told, &approvers),
        4,
        &["not those that the run keeps"],
    );
    // Signed by the runner as bob.
    let own = house.forged(&run.dir, "own", |dir| {
        let signature = house.sign("signer", WAIVER, &dir.join("inputs/waivers.yaml"));
        let print = |key: &str| {
            SigningKey::load(&house.at(&format!("keys/{key}")), None)
                .unwrap()
                .fingerprint()
        };
        assert!(signature.exists());
        edit(dir, |report| {
            report["waivers"][0]["key"] = print("signer").into()
        });
    });
    expect(
        &house.verify(&own, &approvers),
        4,
        &["not allowed to sign as `bob`"],
    );
    house.approvers(&[
        ("ann", "", "ann"),
        ("bob", "", "bob"),
        ("bob", "", "signer"),
    ]);
    expect(
        &house.verify(&own, &approvers),
        4,
        &["who signs the run approves nothing in it"],
    );
    house.approvers(&[("ann", "", "ann"), ("bob", "", "bob")]);

    // A waiver written into a run that had none, verdict and all: without a file, and with one of his own.
    let waive = |report: &mut Value| {
        let waived: Value =
            serde_json::from_slice(&fs::read(run.dir.join("report.json")).unwrap()).unwrap();
        for key in ["waivers", "counts", "verdict"] {
            report[key] = waived[key].clone();
        }
        for key in ["outcome", "waiver"] {
            report["checks"][2][key] = waived["checks"][2][key].clone();
        }
    };
    let bare = house.forged(&plain.dir, "bare", |dir| edit(dir, waive));
    expect(&house.verify(&bare, &approvers), 4, &["grants its waiver"]);
    // Nor does another version's name help.
    let old = house.forged(&plain.dir, "old", |dir| {
        edit(dir, |report| {
            waive(report);
            report["run"]["tool"]["version"] = "0.0.1".into();
        });
    });
    expect(
        &house.verify(&old, &approvers),
        4,
        &["made by gonogo `0.0.1`, which is no version"],
    );
    let unsigned = house.forged(&plain.dir, "unsigned", |dir| {
        fs::copy(
            run.dir.join("inputs/waivers.yaml"),
            dir.join("inputs/waivers.yaml"),
        )
        .unwrap();
        edit(dir, waive);
    });
    expect(
        &house.verify(&unsigned, &approvers),
        4,
        &["there is no signature beside it"],
    );
    // Bob's own waiver of the log does not cover what it does not name.
    let other = house.forged(&run.dir, "other", |dir| {
        edit(dir, |report| {
            let waiver = report["checks"][2]["waiver"].clone();
            let failure = report["checks"][2]["failure"].clone();
            let check = &mut report["checks"][0];
            check["outcome"] = "waived".into();
            check["steps"][4]["outcome"] = "failed".into();
            (check["waiver"], check["failure"]) = (waiver, failure);
            let id = check["id"].clone();
            report["waivers"][0]["covered"].as_array_mut().unwrap().push(id);
            report["counts"]["passed"] = 2.into();
            report["counts"]["waived"] = 2.into();
            let reason = "2 of 4 checks waived: features/support.feature:3@orders/operations, features/support.feature:18@orders/operations";
            report["verdict"]["reasons"] = json!([reason]);
        });
    });
    expect(
        &house.verify(&other, &approvers),
        4,
        &["waivers: the waivers told are not those"],
    );
}
