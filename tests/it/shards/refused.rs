//! Shards that do not count, each with its reason, and all reasons at once.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::lab::needs_root;

#[test]
fn what_does_not_count_is_told_all_at_once_and_never_a_go() {
    if needs_root("what_does_not_count_is_told_all_at_once_and_never_a_go") {
        return;
    }
    let sites = Sites::new();
    let runs = sites.shards(&[5, 5, 5], &[]);
    expect(&sites.merge(&runs, "good", &[]), 0, &["\nGO\n"]);
    // The same run, downloaded twice, is one run.
    copy(&sites.at("s-1"), &sites.at("s-1-copy"));
    let same = sites.merge(&["s-1", "s-1-copy", "s-2", "s-3"], "same", &[]);
    expect(
        &same,
        0,
        &[
            "`s-1` and `s-1-copy` are the same run: it counts once",
            "\nGO\n",
        ],
    );
    // Made again, it is another one, whichever is the better.
    expect(&sites.shard("again", "ny4", &["--shard", "1/3"]), 5, &[]);
    let twice = sites.merge(&["s-1", "s-2", "s-3", "again"], "twice", &[]);
    expect(
        &twice,
        1,
        &[
            "1/3: `s-1` and `again` both tell shard 1/3, and neither counts",
            "\nNO-GO\n",
        ],
    );
    expect(&sites.verify("twice", &[]), 1, &["neither counts"]);
    // Signed by a stranger; edited; a whole run; nothing; another inventory.
    expect(
        &sites.shard("strange", "stranger", &["--shard", "2/3"]),
        5,
        &[],
    );
    copy(&sites.at("s-3"), &sites.at("edited"));
    let page = sites.at("edited/summary.md");
    fs::write(&page, fs::read_to_string(&page).unwrap() + "GO\n").unwrap();
    expect(
        &sites.run(&[
            "run",
            "-i",
            "inventory.yaml",
            "features",
            "-o",
            "plain",
            "--key",
            "keys/ny4",
        ]),
        0,
        &[],
    );
    let inventory = fs::read_to_string(sites.at("inventory.yaml")).unwrap();
    fs::write(
        sites.at("inventory.yaml"),
        inventory.clone() + "# looked at\n",
    )
    .unwrap();
    expect(&sites.shard("other", "ld5", &["--shard", "2/3"]), 5, &[]);
    fs::write(sites.at("inventory.yaml"), inventory).unwrap();
    let all = ["s-1", "strange", "edited", "plain", "nothing", "other"];
    let merged = sites.merge(&all, "bad", &[]);
    let reasons = [
        "`strange`: ",
        "`edited`: ",
        "`plain`: it is no shard",
        "`nothing`: `nothing` does not exist",
        "2/3: `other` is not of one run with `s-1`: `inputs/inventory.yaml` is another one",
        "3/3: no run of it was given",
        "\nNO-GO\n",
    ];
    expect(&merged, 1, &reasons[..5]);
    let record = sites.record("bad");
    let told = missing(&record).join("\n");
    for reason in &reasons[..6] {
        assert!(told.contains(reason), "{reason}: {told}");
    }
    assert_eq!(record["counts"]["passed"], 4);
    expect(&sites.verify("bad", &[]), 1, &["\nNO-GO\n"]);
    // Beside good ones too: who gives what does not count has something to explain.
    expect(
        &sites.merge(&["s-1", "s-2", "s-3", "strange"], "beside", &[]),
        1,
        &["12 passed", "1 shard missing: `strange`: "],
    );
    // Nothing counts: there is nothing to seal.
    let none = sites.merge(&["strange", "plain", "edited"], "none", &[]);
    expect(
        &none,
        4,
        &[
            "`strange`: ",
            "`plain`: ",
            "`edited`: ",
            "none of the given runs counts as a shard",
        ],
    );
    assert!(!sites.at("none").exists());
    expect(
        &sites.run(&[
            "merge",
            "-o",
            "none",
            "--allowed-signers",
            "allowed_signers",
            "--key",
            "keys/merger",
        ]),
        2,
        &["<RUN>"],
    );
    // Whoever may not sign runs merges nothing that a gate takes.
    let foreign = [
        "merge",
        "s-1",
        "s-2",
        "s-3",
        "-o",
        "foreign",
        "--allowed-signers",
        "allowed_signers",
        "--key",
        "keys/stranger",
    ];
    expect(&sites.run(&foreign), 0, &[]);
    expect(&sites.verify("foreign", &[]), 4, &["not"]);
}

#[test]
fn shards_of_different_times_say_nothing_of_one_state() {
    if needs_root("shards_of_different_times_say_nothing_of_one_state") {
        return;
    }
    let sites = Sites::new();
    expect(&sites.shard("s-1", "ny4", &["--shard", "1/2"]), 5, &[]);
    // So long that a busy machine merges and verifies sooner than this.
    std::thread::sleep(Duration::from_secs(8));
    expect(&sites.shard("s-2", "ld5", &["--shard", "2/2"]), 5, &[]);
    let runs = ["s-1", "s-2"];
    expect(
        &sites.merge(&runs, "late", &["--within", "1s"]),
        1,
        &[
            "the shards were made over ",
            "at most 1s is allowed",
            "\nNO-GO\n",
        ],
    );
    expect(&sites.verify("late", &[]), 1, &["at most 1s is allowed"]);
    expect(&sites.merge(&runs, "run", &[]), 0, &["\nGO\n"]);
    // As old as the oldest shard, whenever it was merged.
    let finished: Timestamp = sites.record("s-1")["run"]["finished"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let age = Timestamp::now().duration_since(finished).as_secs();
    let verified = |seconds: i64| sites.verify("run", &["--max-age", &format!("{seconds}s")]);
    expect(
        &verified(age - 1),
        4,
        &["was merged from shards, of which one finished"],
    );
    expect(&verified(age + 60), 0, &[]);
}

/// Each shard alone sees one machine, and nothing amiss.
#[test]
fn two_hosts_that_are_one_machine_are_found_across_shards() {
    if needs_root("two_hosts_that_are_one_machine_are_found_across_shards") {
        return;
    }
    let sites = Sites::of(true);
    expect(
        &sites.shard("ld5", "ld5", &["--group", "ld5"]),
        5,
        &["\nHOLD\n"],
    );
    expect(
        &sites.shard("ny4", "ny4", &["--group", "ny4"]),
        5,
        &["\nHOLD\n"],
    );
    let merged = sites.merge(&["ld5", "ny4"], "run", &[]);
    expect(
        &merged,
        1,
        &[
            "12 passed + 0 failed",
            "hosts are one machine, or clones of one: ld5-1, ny4-1",
            "\nNO-GO\n",
        ],
    );
    expect(&sites.verify("run", &[]), 1, &["hosts are one machine"]);
}

#[test]
fn waivers_hold_over_all_shards() {
    if needs_root("waivers_hold_over_all_shards") {
        return;
    }
    let sites = Sites::new();
    for who in ["ann", "bob"] {
        keygen(&sites.at(&format!("keys/{who}")), who);
    }
    let approvers = |lines: &[(&str, &str)]| {
        let lines = lines.iter().map(|(name, key)| {
            let public = fs::read_to_string(sites.at(&format!("keys/{key}.pub"))).unwrap();
            format!("{name} {public}")
        });
        fs::write(sites.at("approvers"), lines.collect::<String>()).unwrap();
    };
    approvers(&[("ann", "ann"), ("bob", "bob")]);
    let now = Timestamp::now();
    let (from, expires) = (
        now - SignedDuration::from_hours(1),
        now + SignedDuration::from_hours(200),
    );
    let file = format!(
        "environment: production\nwaivers:\n  - id: W-1\n    scenario: configuration*\n    instance: engine-1\n    \
         reason: it is written anew at go-live\n    ticket: OPS-1\n    requester: ann\n    approver: bob\n    \
         from: {from}\n    expires: {expires}\n"
    );
    fs::write(sites.at("waivers.yaml"), file).unwrap();
    let signed = Command::new("ssh-keygen")
        .args([
            "-q",
            "-Y",
            "sign",
            "-n",
            "gonogo-waiver@gonogo",
            "-f",
            "keys/bob",
            "waivers.yaml",
        ])
        .current_dir(sites.lab.operator())
        .output()
        .unwrap();
    assert!(signed.status.success(), "{signed:?}");
    sites.amps[1].lock("config/config.xml");
    let with = ["--waivers", "waivers.yaml", "--approvers", "approvers"];
    let runs = sites.shards(&[5, 5, 5], &with);
    let merged = sites.merge(&runs, "run", &[]);
    expect(&merged, 0, &["11 passed + 0 failed + 1 waived", "\nGO\n"]);
    expect(
        &sites.verify("run", &[]),
        4,
        &["nobody said who may approve"],
    );
    expect(
        &sites.verify("run", &["--approvers", "approvers"]),
        0,
        &["\nGO\n", "W-1 covers 1 check"],
    );
    expect(
        &sites.verify("run", &["--approvers", "approvers", "--no-waivers"]),
        1,
        &["\nNO-GO\n"],
    );
    let alone = sites.verify("s-3", &["--approvers", "approvers", "--allow-partial"]);
    expect(&alone, 5, &["\nHOLD\n"]);
    // Who ran a shard approves nothing in it, nor the run.
    approvers(&[("ann", "ann"), ("bob", "bob"), ("bob", "ld5")]);
    expect(
        &sites.verify("run", &["--approvers", "approvers"]),
        4,
        &["who signs the run approves nothing in it"],
    );
    approvers(&[("ann", "ann"), ("bob", "bob"), ("lea", "ld5")]);
    expect(&sites.run(&["approve", "run", "--key", "keys/ld5"]), 0, &[]);
    let approved = ["--approvers", "approvers", "--require-approval", "1"];
    expect(
        &sites.verify("run", &approved),
        4,
        &["0 of 1 approvals", "who signs the run does not approve it"],
    );
    expect(&sites.run(&["approve", "run", "--key", "keys/ann"]), 0, &[]);
    expect(&sites.verify("run", &approved), 0, &["\nGO\n"]);
    // Who approved a waiver merges nothing that it covers: said before anything is sealed, not by the gate alone.
    keygen(&sites.at("keys/rob"), "rob");
    approvers(&[("ann", "ann"), ("bob", "bob"), ("bob", "rob")]);
    let merge = |key: &str, out: &str, more: &[&str]| {
        let args = [
            "-o",
            out,
            "--allowed-signers",
            "allowed_signers",
            "--key",
            key,
        ];
        sites.run(&[&["merge", "s-1", "s-2", "s-3"], &args[..], more].concat())
    };
    let says = "waiver `W-1` was approved by bob (SHA256:";
    expect(
        &merge("keys/bob", "own", &[]),
        2,
        &[says, "merge with a key of somebody else"],
    );
    // Only the approvers' file tells that they are one.
    let with = ["--approvers", "approvers"];
    expect(&merge("keys/rob", "own", &with), 2, &[says]);
    assert!(!sites.at("own").exists());
    expect(&merge("keys/rob", "alias", &[]), 0, &["\nGO\n"]);
    let rob = fs::read_to_string(sites.at("keys/rob.pub")).unwrap();
    let signers = fs::read_to_string(sites.at("allowed_signers")).unwrap();
    fs::write(sites.at("allowed_signers"), format!("{signers}rob {rob}")).unwrap();
    let refused = sites.verify("alias", &with);
    expect(&refused, 4, &["who signs the run approves nothing in it"]);
    expect(&merge("keys/merger", "twin", &with), 0, &["\nGO\n"]);
    expect(&sites.verify("twin", &with), 0, &["\nGO\n"]);
    // Without its waivers a shard is of another run.
    expect(&sites.shard("bare", "ld5", &["--shard", "2/3"]), 1, &[]);
    expect(
        &sites.merge(&["s-1", "bare", "s-3"], "mixed", &[]),
        1,
        &["`inputs/waivers.yaml` was not used"],
    );
}
