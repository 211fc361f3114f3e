//! People at the edges: two signatures over one answer, names that look alike, certificates and revocation of who
//! approves, waivers over a run that restates, and files that nobody can read.

use std::os::unix::fs::PermissionsExt as _;

use super::asked::{ANSWER, Asked, PAGER, ROLLBACK};
use super::*;

#[test]
fn of_two_signatures_over_one_answer_the_one_with_the_role_counts() {
    let asked = Asked::new(|_| ());
    let house = &asked.house;
    expect(&asked.attest(PAGER, "passed", "ann"), 0, &[]);
    let text = asked.printed(ROLLBACK, "passed", "bob");
    asked.put("bob", &text, "bob", ANSWER);
    let file = asked.run.dir.join("SHA256SUMS.answer-bob.json");
    let named = |name: &str| format!("{}.{name}.sig", file.display());
    // `bob` has the role with the second key alone.
    let role = "bob,role:release-manager";
    asked.answerers(&[("ann", "", "ann"), ("bob", "", "bob"), (role, "", "bob2")]);
    asked.verify(&[], 5, &["bob is no `release manager`", "\nHOLD\n"]);
    fs::rename(format!("{}.sig", file.display()), named("a")).unwrap();
    let second = house.sign("bob2", ANSWER, &file);
    fs::rename(&second, named("b")).unwrap();
    asked.verify(&[], 0, &["passed by bob (SHA256:", "\nGO\n"]);
    // In the other order too; and a third that is nobody's takes nothing away.
    fs::rename(named("b"), named("0")).unwrap();
    asked.verify(&[], 0, &["\nGO\n"]);
    fs::write(named("1"), "x").unwrap();
    asked.verify(&[], 0, &["\nGO\n"]);
    // The role of somebody else's key over bob's answer is not bob's.
    asked.answerers(&[
        ("ann", "", "ann"),
        ("bob", "", "bob"),
        ("carl,role:release-manager", "", "bob2"),
    ]);
    asked.verify(&[], 5, &["\nHOLD\n"]);
}

#[test]
fn what_lies_where_a_signature_should_is_named() {
    let asked = Asked::new(|_| ());
    expect(&asked.attest(PAGER, "passed", "ann"), 0, &[]);
    let text = asked.printed(ROLLBACK, "passed", "bob");
    asked.put("bob", &text, "bob", ANSWER);
    let signature = asked.run.dir.join("SHA256SUMS.answer-bob.json.sig");
    let good = fs::read(&signature).unwrap();
    asked.verify(&[], 0, &["\nGO\n"]);
    fs::remove_file(&signature).unwrap();
    asked.verify(&[], 5, &["nobody signed it"]);
    fs::create_dir(&signature).unwrap();
    let named = "SHA256SUMS.answer-bob.json.sig: it cannot be read: ";
    let said = asked.verify(&[], 5, &[&format!("{named}not a regular file")]);
    assert!(!told(&said).contains("nobody signed it"));
    fs::remove_dir(&signature).unwrap();
    fs::write(&signature, vec![b'x'; (64 << 10) + 1]).unwrap();
    asked.verify(&[], 5, &[&format!("{named}more than 64 KiB")]);
    fs::write(&signature, &good).unwrap();
    asked.verify(&[], 0, &["\nGO\n"]);
}

/// Who says no with a file that the gate may not read has said no all the same.
#[test]
fn an_answer_that_the_gate_may_not_read_is_no_answer_that_is_not_there() {
    if !crate::lab::is_root() {
        return;
    }
    let asked = Asked::new(|_| ());
    let house = &asked.house;
    expect(&asked.attest(PAGER, "passed", "ann"), 0, &[]);
    expect(&asked.attest(ROLLBACK, "passed", "bob"), 0, &[]);
    let place = tempfile::tempdir().unwrap();
    let copy = |from: &Path, to: &str| {
        let to = place.path().join(to);
        let done = Command::new("cp").arg("-r").arg(from).arg(to).output();
        assert!(done.unwrap().status.success());
    };
    copy(&asked.run.dir, "run");
    copy(&house.at("allowed_signers"), "allowed");
    copy(&house.at("answerers"), "answerers");
    copy(Path::new(crate::lab::GONOGO), "gonogo");
    let open = || {
        let mut chmod = Command::new("sh");
        let chmod = chmod.args(["-c", "chmod -R a+rX ."]);
        let done = chmod.current_dir(place.path()).output();
        assert!(done.unwrap().status.success());
    };
    open();
    let verify = |more: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        command.args(["./gonogo", "verify", "run", "--allowed-signers", "allowed"]);
        command.args(more).current_dir(place.path());
        command.output().unwrap()
    };
    let heard = ["--answerers", "answerers"];
    expect(&verify(&heard), 0, &["\nGO\n"]);
    let text = asked.printed(PAGER, "failed", "ann");
    asked.put("no", &text, "ann", ANSWER);
    for hidden in ["", ".sig"] {
        for name in ["SHA256SUMS.answer-no.json", "SHA256SUMS.answer-no.json.sig"] {
            let to = place.path().join("run").join(name);
            let _ = fs::remove_file(&to);
            fs::copy(asked.run.dir.join(name), &to).unwrap();
            let mode = if name.ends_with(&format!("no.json{hidden}")) {
                0o600
            } else {
                0o644
            };
            fs::set_permissions(&to, fs::Permissions::from_mode(mode)).unwrap();
        }
        let why = format!(
            "answers: SHA256SUMS.answer-no.json{hidden}: it cannot be read: Permission denied"
        );
        expect(&verify(&heard), 4, &[&why, "let the gate read them"]);
        // Where nobody is heard HOLD stays HOLD.
        expect(&verify(&[]), 5, &["\nHOLD\n"]);
    }
    open();
    expect(&verify(&heard), 1, &["\nNO-GO\n"]);
}

#[test]
fn names_that_look_alike_are_one_person() {
    let house = House::new(|_| ());
    let run = house.lab.judge_as_written();
    let dir = run.dir.to_str().unwrap();
    for key in ["keys/bob", "keys/carl"] {
        expect(&house.lab.run(&["approve", dir, "--key", key]), 0, &[]);
    }
    let two = ["--approvers", "approvers", "--require-approval", "2"];
    for (name, is_one) in [("b\u{43e}b", true), ("rob", false)] {
        house.approvers(&[("bob", "", "bob"), (name, "", "carl")]);
        let output = house.verify(&run.dir, &two);
        match is_one {
            true => expect(
                &output,
                4,
                &[
                    "1 of 2 approvals",
                    "line 2: holds a name that looks like another one",
                ],
            ),
            false => expect(&output, 0, &["\nGO\n"]),
        }
    }
    // Nor does the runner approve under a name that looks like its own.
    house.approvers(&[("lab@g\u{43e}nogo", "", "bob"), ("rob", "", "carl")]);
    expect(
        &house.verify(&run.dir, &two),
        4,
        &["who signs the run does not approve it"],
    );
}

#[test]
fn an_approver_may_have_a_certificate_and_may_lose_it() {
    let house = House::new(crate::lab::Amps::age_logs);
    keygen(&house.at("keys/ca"), "ca");
    let certify = |who: &str| {
        let args = [
            "-q", "-s", "keys/ca", "-I", "approval", "-n", who, "-V", "-1d:+30d",
        ];
        let done = Command::new("ssh-keygen")
            .args(args)
            .arg("keys/bob.pub")
            .current_dir(house.lab.operator())
            .output();
        assert!(done.unwrap().status.success());
        fs::copy(house.at("keys/bob-cert.pub"), house.at("keys/bobcert.pub")).unwrap();
        fs::copy(house.at("keys/bob"), house.at("keys/bobcert")).unwrap();
    };
    house.approvers(&[("bob", "cert-authority ", "ca")]);
    let approvers = ["--approvers", "approvers"];
    // Of somebody else: no approval.
    for (who, good) in [("zoe", false), ("bob", true)] {
        certify(who);
        house.waiver(|_| ());
        let file = house.at("waivers.yaml");
        let signature = format!("{}.sig", file.display());
        let _ = fs::remove_file(&signature);
        let signed = Command::new("ssh-keygen")
            .args(["-q", "-Y", "sign", "-n", WAIVER, "-f"])
            .arg(house.at("keys/bobcert.pub"))
            .arg(&file)
            .output()
            .unwrap();
        assert!(signed.status.success(), "{signed:?}");
        if !good {
            expect(
                &house.plan(),
                2,
                &["not signed by its approver", "it is not for `bob`"],
            );
        }
    }
    let run = house.run(&[]);
    assert_eq!(run.code(), 0, "{}", run.told());
    expect(&house.verify(&run.dir, &approvers), 0, &["\nGO\n"]);
    // The authority revoked, or the key behind the certificate.
    for (file, line) in [("revoked", "keys/ca.pub"), ("revoked", "keys/bob.pub")] {
        fs::copy(house.at(line), house.at(file)).unwrap();
        let more = [&approvers[..], &["--revoked", file]].concat();
        expect(&house.verify(&run.dir, &more), 4, &["revoked"]);
    }
    // The authority as a plain key signs nothing itself.
    house.approvers(&[("bob", "", "ca")]);
    expect(
        &house.verify(&run.dir, &approvers),
        4,
        &["not signed by its approver"],
    );
}

#[test]
fn what_is_revoked_approves_neither_a_waiver_nor_a_run() {
    let house = House::new(crate::lab::Amps::age_logs);
    house.signed("bob", |_| ());
    let run = house.run(&[]);
    assert_eq!(run.code(), 0, "{}", run.told());
    let dir = run.dir.to_str().unwrap();
    expect(
        &house.lab.run(&["approve", dir, "--key", "keys/carl"]),
        0,
        &[],
    );
    let one = ["--approvers", "approvers", "--require-approval", "1"];
    let verify = |who: &str| {
        fs::copy(house.at(&format!("keys/{who}.pub")), house.at("revoked")).unwrap();
        house.verify(&run.dir, &[&one[..], &["--revoked", "revoked"]].concat())
    };
    expect(&verify("ann"), 0, &["\nGO\n"]);
    expect(&verify("bob"), 4, &["waivers: ", "revoked: the key"]);
    expect(
        &verify("carl"),
        4,
        &["0 of 1 approvals", "revoked: the key"],
    );
}

#[test]
fn a_waiver_over_a_run_that_restates_is_asked_as_in_any_other() {
    let house = House::new(crate::lab::Amps::age_logs);
    let first = house.lab.judge_as_written();
    assert_eq!(first.code(), 1, "{}", first.told());
    house.signed("bob", |_| ());
    let dir = first.dir.to_str().unwrap();
    let again = house.run(&["--rerun-failed", dir]);
    assert_eq!(again.code(), 0, "{}", again.told());
    let report = again.report();
    assert_eq!(report["counts"]["waived"], 1, "{}", again.told());
    assert!(!report["run"]["restates"].is_null());
    let approvers = ["--approvers", "approvers"];
    expect(
        &house.verify(&again.dir, &approvers),
        0,
        &["\nGO\n", "W-1 covers 1 check"],
    );
    expect(
        &house.verify(&again.dir, &[]),
        4,
        &["nobody said who may approve"],
    );
    // Restated without the waivers it is what it was.
    let dir = again.dir.to_str().unwrap();
    let out = house.lab.next_out();
    let bare = [&house.lab.run_args(&out)[..], &["--rerun-failed", dir]].concat();
    let bare = Run::of(house.lab.run(&bare), house.at(&out));
    assert_eq!(bare.code(), 1, "{}", bare.told());
    assert_eq!(bare.report()["counts"]["waived"], 0);
    expect(&house.verify(&bare.dir, &approvers), 1, &["\nNO-GO\n"]);
}
