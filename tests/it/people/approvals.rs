//! People who approve a run.

use super::*;

#[test]
fn people_approve_a_run_and_each_counts_once() {
    let house = House::new(|_| ());
    let run = house.lab.judge_as_written();
    run.assert_go(4);
    let sums = run.dir.join("SHA256SUMS");
    let demand = |most: &'static str| ["--approvers", "approvers", "--require-approval", most];
    let add = |who: &str, namespace: &str, as_: &str| {
        let own = fs::read(run.dir.join("SHA256SUMS.sig")).unwrap();
        let made = house.sign(who, namespace, &sums);
        fs::rename(made, run.dir.join(format!("SHA256SUMS.{as_}.sig"))).unwrap();
        fs::write(run.dir.join("SHA256SUMS.sig"), own).unwrap();
    };
    let drop = |as_: &str| fs::remove_file(run.dir.join(format!("SHA256SUMS.{as_}.sig"))).unwrap();
    let verify =
        |most, code, words: &[&str]| expect(&house.verify(&run.dir, &demand(most)), code, words);
    expect(
        &house.verify(&run.dir, &["--require-approval", "1"]),
        2,
        &["--approvers"],
    );
    verify("1", 4, &["0 of 1 approvals", "gonogo approve"]);
    // By the stock tool, and by ours.
    add("ann", APPROVAL, "ann");
    verify("1", 0, &["approved by  ann (SHA256:", "\nGO\n"]);
    verify("2", 4, &["1 of 2 approvals: ann"]);
    let dir = run.dir.to_str().unwrap();
    let approved = house.lab.run(&["approve", dir, "--key", "keys/bob"]);
    expect(
        &approved,
        0,
        &["SHA256SUMS.bob.sig", "which says GO, as bob (SHA256:"],
    );
    expect(
        &house.lab.run(&["approve", dir, "--key", "keys/bob"]),
        2,
        &["exists already"],
    );
    verify("2", 0, &["approved by  ann (", "; bob ("]);
    expect(
        &house.verify(
            &run.dir,
            &[&demand("2")[..], &["--format", "json"]].concat(),
        ),
        0,
        &["\"approved_by\": \"ann (", "bob (SHA256:"],
    );
    // Ours is one that the stock tool reads.
    let stock = Command::new("ssh-keygen")
        .args(["-Y", "verify", "-I", "bob", "-n", APPROVAL, "-f"])
        .arg(house.at("approvers"))
        .arg("-s")
        .arg(run.dir.join("SHA256SUMS.bob.sig"))
        .stdin(fs::File::open(&sums).unwrap())
        .output()
        .unwrap();
    assert!(stock.status.success(), "{stock:?}");

    // One person with two keys, one key under two names.
    house.approvers(&[("ann", "", "ann"), ("ann", "", "bob")]);
    verify(
        "2",
        4,
        &["1 of 2 approvals: ann (SHA256:", ", also ann (SHA256:"],
    );
    house.approvers(&[("ann", "", "ann"), ("bob", "", "bob"), ("bob", "", "ann")]);
    verify("2", 4, &["1 of 2 approvals"]);
    add("ann", APPROVAL, "twice");
    house.approvers(&[("ann", "", "ann"), ("carl", "", "carl")]);
    verify(
        "2",
        4,
        &["1 of 2 approvals", "SHA256SUMS.bob.sig: key SHA256:"],
    );
    drop("twice");
    house.approvers(&[
        ("ann", "", "ann"),
        ("bob", "valid-before=\"20200101Z\" ", "bob"),
    ]);
    verify("2", 4, &["1 of 2 approvals", "not valid at"]);
    house.approvers(&[("ann", "", "ann"), ("b*", "", "bob")]);
    verify("2", 4, &["1 of 2 approvals", "holds a pattern"]);
    house.approvers(&[
        ("ann", "", "ann"),
        ("bob", "namespaces=\"gonogo-waiver@gonogo\" ", "bob"),
    ]);
    verify("2", 4, &["does not allow namespace"]);
    house.approvers(&[
        ("ann", "", "ann"),
        ("bob", "", "bob"),
        ("eve", "", "signer"),
    ]);
    verify("2", 0, &["\nGO\n"]);

    // Another purpose, another run, the runner himself.
    drop("bob");
    add("bob", WAIVER, "bob");
    verify(
        "2",
        4,
        &[
            "1 of 2 approvals",
            "is for namespace `gonogo-waiver@gonogo`",
        ],
    );
    drop("bob");
    let second = house.lab.judge_as_written();
    expect(
        &house
            .lab
            .run(&["approve", second.dir.to_str().unwrap(), "--key", "keys/bob"]),
        0,
        &[],
    );
    fs::copy(
        second.dir.join("SHA256SUMS.bob.sig"),
        run.dir.join("SHA256SUMS.bob.sig"),
    )
    .unwrap();
    verify(
        "2",
        4,
        &["1 of 2 approvals", "does not match the signed bytes"],
    );
    drop("bob");
    add("signer", APPROVAL, "eve");
    verify(
        "2",
        4,
        &[
            "1 of 2 approvals",
            "SHA256SUMS.eve.sig: who signs the run does not approve it",
        ],
    );
    // Enough without it: said, and no more.
    verify("1", 0, &["an approval does not count: SHA256SUMS.eve.sig"]);
    expect(
        &house
            .lab
            .run(&["approve", dir, "--key", "keys/signer", "--as", "x"]),
        4,
        &["does not approve it"],
    );
    drop("eve");
    // The runner's name stands beside another key of the same person.
    house.approvers(&[("ann", "", "ann"), ("lab@gonogo", "", "bob")]);
    add("bob", APPROVAL, "bob");
    verify("2", 4, &["who signs the run does not approve it"]);
    // What is approved is whole.
    fs::write(run.dir.join("summary.md"), "GO").unwrap();
    expect(
        &house.lab.run(&["approve", dir, "--key", "keys/carl"]),
        4,
        &["`summary.md` was changed"],
    );
}
