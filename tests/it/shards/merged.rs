//! Shards that are merged, and what becomes of them.

use super::*;
use crate::lab::needs_root;

#[test]
fn shards_run_side_by_side_become_one_go() {
    if needs_root("shards_run_side_by_side_become_one_go") {
        return;
    }
    let sites = Sites::new();
    // Four shards for three hosts: the last has nothing to do.
    let runs = sites.shards(&[5; 4], &["--challenge", "audit 7"]);
    let whole = sites.run(&[
        "run",
        "-i",
        "inventory.yaml",
        "features",
        "-o",
        "plain",
        "--key",
        "keys/ny4",
    ]);
    expect(&whole, 0, &[]);
    let plain = sites.record("plain");
    for (at, run) in runs.iter().enumerate() {
        let shard = sites.record(run);
        assert_eq!(shard["verdict"]["decision"], "HOLD");
        assert_eq!(shard["run"]["number"], Value::Null);
        assert_eq!(shard["run"]["scope"]["plan"], plain["run"]["scope"]["plan"]);
        let told = &shard["run"]["scope"]["shard"];
        assert_eq!(
            (
                told["number"].as_u64(),
                told["of"].as_u64(),
                told["checks"].as_u64()
            ),
            (Some(at as u64 + 1), Some(4), Some(12))
        );
        let own = shard["checks"].as_array().unwrap();
        assert_eq!(own.len(), if at == 3 { 0 } else { 4 });
        let name = format!("{}/4", at + 1);
        // No shard is anything for a gate.
        expect(
            &sites.verify(run, &[]),
            4,
            &[&format!("it is shard {name} alone"), "gonogo merge"],
        );
        let read = sites.verify(run, &["--allow-partial", "--challenge", "audit 7"]);
        expect(
            &read,
            5,
            &[
                "\nHOLD\n",
                &format!("shard {name} "),
                "only `gonogo merge` of all shards can say GO",
            ],
        );
        for format in ["text", "markdown", "html", "junit", "json", "messages"] {
            expect(&sites.run(&["show", run, "--format", format]), 0, &[]);
        }
    }
    let merged = sites.merge(&runs, "run", &[]);
    expect(
        &merged,
        0,
        &[
            "12 planned = 12 passed",
            "merged from 4 shards, signed by merger",
            "\nGO\n",
        ],
    );
    let gate = [
        "--environment",
        "production",
        "--inventory",
        "inventory.yaml",
        "--features",
        "features",
        "--max-age",
        "1h",
    ];
    let bound = sites.verify(
        "run",
        &[
            &gate[..],
            &["--identity", "merger", "--challenge", "audit 7"],
        ]
        .concat(),
    );
    expect(
        &bound,
        0,
        &["\nGO\n", "1/4 by ny4, 2/4 by ld5, 3/4 by ny4, 4/4 by ld5"],
    );
    // The record is that of a plain run, and says of each check who ran it.
    let record = sites.record("run");
    for key in ["inputs", "instances", "counts"] {
        assert_eq!(record[key], plain[key], "{key}");
    }
    assert_eq!(record["run"]["number"], 1);
    let mut from = BTreeMap::new();
    for (check, alone) in record["checks"]
        .as_array()
        .unwrap()
        .iter()
        .zip(plain["checks"].as_array().unwrap())
    {
        assert_eq!(
            (&check["id"], &check["steps"][0]["text"]),
            (&alone["id"], &alone["steps"][0]["text"])
        );
        let run = check["carried"]["run"].as_str().unwrap().to_owned();
        *from.entry(run).or_insert(0) += 1;
        let transcript =
            fs::read_to_string(sites.at("run").join(check["transcript"].as_str().unwrap()))
                .unwrap();
        assert!(!transcript.is_empty());
    }
    assert_eq!(from.values().copied().collect::<Vec<_>>(), [4, 4, 4]);
    // With stock tools: the run, and each shard in it.
    for line in [
        "sha256sum --strict --quiet -c SHA256SUMS",
        "find . -type f ! -name 'SHA256SUMS*' ! -name report.intoto.jsonl | sed 's|^\\./||' | LC_ALL=C sort | xargs sha256sum | cmp - SHA256SUMS",
        "for n in 1 2 3 4; do ssh-keygen -Y check-novalidate -n gonogo-report@gonogo -s shards/$n.SHA256SUMS.sig < shards/$n.SHA256SUMS || exit 1; done",
        "grep -q \"^$(sha256sum < shards/1.report.json | cut -d' ' -f1)  report.json$\" shards/1.SHA256SUMS",
    ] {
        let output = Command::new("sh")
            .args(["-ec", line])
            .current_dir(sites.at("run"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
    }
    for (format, says) in [
        ("text", "Merged from 4 shards: 1/4 (run "),
        ("markdown", "Merged from 4 shards"),
        ("html", "Merged from 4 shards"),
        ("junit", "<testsuite"),
        ("messages", "testRunFinished"),
    ] {
        expect(&sites.run(&["show", "run", "--format", format]), 0, &[says]);
    }
    let signers = ["--allowed-signers", "allowed_signers"];
    expect(
        &sites.run(&[&["diff", "run", "plain"][..], &signers].concat()),
        0,
        &[],
    );
    let part = sites.run(&["diff", "s-1", "plain"]);
    assert!(
        told(&part).contains("the old run is shard 1/4 alone"),
        "{part:?}"
    );
    // The whole has a runbook, which says what a run of one piece says; a shard alone has none.
    let book =
        |run: &str, more: &[&str]| sites.run(&[&["runbook", run], &signers[..], more].concat());
    expect(&book("run", &["-o", "book.md"]), 0, &["wrote book.md"]);
    expect(&book("plain", &["--check", "book.md"]), 0, &[]);
    expect(&book("s-1", &[]), 4, &["not acceptable"]);
    // What was merged is neither merged again nor restated.
    expect(
        &sites.merge(&["run"], "again", &[]),
        4,
        &["it was merged already", "none of the given runs counts"],
    );
    assert!(!sites.at("again").exists());
}

#[test]
fn a_shard_that_is_missing_or_failed_is_a_sealed_no_go() {
    if needs_root("a_shard_that_is_missing_or_failed_is_a_sealed_no_go") {
        return;
    }
    let sites = Sites::new();
    sites.amps[2].lock("config/config.xml");
    let runs = sites.shards(&[5, 5, 1], &[]);
    let merged = sites.merge(&runs, "all", &[]);
    expect(
        &merged,
        1,
        &["1 of 12 checks failed (1 denied)", "\nNO-GO\n"],
    );
    assert_eq!(missing(&sites.record("all")), [""; 0]);
    expect(&sites.verify("all", &[]), 1, &["\nNO-GO\n", "denied"]);
    // The one that failed is left out.
    let merged = sites.merge(&runs[..2], "two", &[]);
    let says = "1 shard missing: 3/3: no run of it was given";
    expect(
        &merged,
        1,
        &[says, "4 of 12 checks failed (4 undefined)", "\nNO-GO\n"],
    );
    let record = sites.record("two");
    assert_eq!(missing(&record), ["3/3: no run of it was given"]);
    assert_eq!(outcomes(&record)["engine-2"], ["failed"; 4]);
    assert_eq!(outcomes(&record)["engine-0"], ["passed"; 4]);
    expect(
        &sites.verify("two", &[]),
        1,
        &[says, "shard 3/3 is missing"],
    );
    expect(&sites.run(&["show", "two"]), 0, &[says]);
    // A shard without a host is missed too.
    sites.amps[2].mode("config/config.xml", 0o644);
    for run in &runs {
        fs::remove_dir_all(sites.at(run)).unwrap();
    }
    let runs = sites.shards(&[5; 4], &[]);
    let merged = sites.merge(&runs[..3], "three", &[]);
    expect(
        &merged,
        1,
        &[
            "12 passed + 0 failed",
            "1 shard missing: 4/4: no run of it was given",
            "\nNO-GO\n",
        ],
    );
    expect(
        &sites.verify("three", &[]),
        1,
        &["4/4: no run of it was given"],
    );
    expect(&sites.merge(&runs, "four", &[]), 0, &["\nGO\n"]);
}

#[test]
fn each_site_runs_its_own_hosts() {
    if needs_root("each_site_runs_its_own_hosts") {
        return;
    }
    let sites = Sites::new();
    expect(
        &sites.shard("ny4", "ny4", &["--group", "ny4"]),
        5,
        &["shard of group ny4 is 8 of 12 checks"],
    );
    let alone = sites.merge(&["ny4"], "alone", &[]);
    let says = "1 shard missing: of host ld5-1: no run of it was given";
    expect(&alone, 1, &[says, "\nNO-GO\n"]);
    expect(&sites.verify("alone", &[]), 1, &[says]);
    expect(
        &sites.shard("ld5", "ld5", &["--group", "ld5"]),
        5,
        &["shard of group ld5 is 4 of 12 checks"],
    );
    expect(&sites.merge(&["ld5", "ny4"], "both", &[]), 0, &["\nGO\n"]);
    expect(
        &sites.verify("both", &[]),
        0,
        &["of group ld5 by ld5, of group ny4 by ny4"],
    );
    // A site in two halves; and a host that both have.
    expect(
        &sites.shard("ny4-a", "ny4", &["--group", "ny4", "--shard", "1/2"]),
        5,
        &["1/2 of group ny4"],
    );
    expect(
        &sites.shard("ny4-b", "ny4", &["--group", "ny4", "--shard", "2/2"]),
        5,
        &["2/2 of group ny4"],
    );
    expect(
        &sites.merge(&["ny4-b", "ld5", "ny4-a"], "halves", &[]),
        0,
        &["\nGO\n"],
    );
    let twice = sites.merge(&["ny4", "ld5", "ny4-a"], "twice", &[]);
    expect(
        &twice,
        1,
        &[
            "`ny4` and `ny4-a` both tell check ",
            "and neither counts",
            "\nNO-GO\n",
        ],
    );
    assert_eq!(outcomes(&sites.record("twice"))["engine-1"], ["failed"; 4]);
    expect(&sites.verify("twice", &[]), 1, &["neither counts"]);
    for (which, says) in [
        (
            &["--group", "ny"][..],
            "no host of the inventory is in group `ny`",
        ),
        (&["--shard", "4/3"], "1 ≤ K ≤ N"),
        (&["--shard", "0/3"], "shards count from 1"),
        (&["--shard", "auto"], "no variable of a known platform"),
        (&["--shard", "1/2", "--history", "."], "cannot be used with"),
        (
            &["--group", "ny4", "--rerun-failed", "both"],
            "cannot be used with",
        ),
        (
            &["--group", "ny4", "--previous", "both"],
            "cannot be used with",
        ),
    ] {
        expect(&sites.shard("none", "ny4", which), 2, &[says]);
        assert!(!sites.at("none").exists(), "{which:?}");
    }
    let plan = sites.run(&["plan", "-i", "inventory.yaml", "features", "--group", "ld5"]);
    expect(
        &plan,
        0,
        &["shard of group ld5: 4 of 12 checks", "ld5-1 as operations"],
    );
    assert!(!told(&plan).contains("ny4-1 as"), "{}", told(&plan));
    let digest = sites.record("both")["run"]["scope"]["plan"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        told(&plan).contains(&format!("\nplan {digest}\n")),
        "{}",
        told(&plan)
    );
}

#[test]
fn only_the_merged_run_has_a_place_in_the_history() {
    if needs_root("only_the_merged_run_has_a_place_in_the_history") {
        return;
    }
    let sites = Sites::new();
    fs::create_dir(sites.at("runs")).unwrap();
    for (number, at) in [(1, "a"), (2, "b")] {
        let runs = sites.shards(&[5, 5], &[]);
        let out = format!("runs/{at}");
        expect(
            &sites.merge(&runs, &out, &["--history", "runs"]),
            0,
            &["\nGO\n"],
        );
        assert_eq!(sites.record(&out)["run"]["number"], number);
        for run in &runs {
            fs::rename(sites.at(run), sites.at(&format!("{run}-{number}"))).unwrap();
        }
    }
    let history = ["history", "runs", "--allowed-signers", "allowed_signers"];
    expect(
        &sites.run(&history),
        0,
        &["one unbroken chain of 2 runs", "12/12 passed, of 2 shards"],
    );
    expect(
        &sites.verify("runs/b", &["--history", "runs"]),
        0,
        &["\nGO\n"],
    );
    expect(
        &sites.verify("runs/a", &["--history", "runs"]),
        4,
        &["superseded"],
    );
    // A shard that lies there breaks the chain, and is followed by nothing.
    copy(&sites.at("s-1-2"), &sites.at("runs/s"));
    expect(
        &sites.run(&history),
        4,
        &["`s` cannot be counted: it is shard 1/2 alone"],
    );
    let runs = ["s-1-2", "s-2-2"];
    expect(
        &sites.merge(&runs, "runs/c", &["--history", "runs"]),
        2,
        &["is not one chain"],
    );
    expect(
        &sites.merge(&runs, "c", &["--previous", "s-1-1"]),
        2,
        &["is not a run to be followed"],
    );
}

#[test]
fn filtered_shards_merge_into_a_filtered_run() {
    if needs_root("filtered_shards_merge_into_a_filtered_run") {
        return;
    }
    let sites = Sites::new();
    let runs = sites.shards(&[1, 1], &["--instance", "engine-[01]"]);
    let merged = sites.merge(&runs, "run", &[]);
    expect(
        &merged,
        1,
        &[
            "8 passed + 0 failed",
            "partial run: --instance engine-[01]",
            "\nNO-GO\n",
        ],
    );
    expect(
        &sites.verify("run", &[]),
        4,
        &["partial: the run left something out"],
    );
    expect(
        &sites.verify("run", &["--allow-partial"]),
        1,
        &["\nNO-GO\n"],
    );
    // Others of the same plan are not of this run.
    expect(&sites.shard("whole", "ny4", &["--shard", "1/2"]), 5, &[]);
    expect(
        &sites.merge(&["s-1", "s-2", "whole"], "more", &[]),
        1,
        &["`whole` is not of one run with `s-1`: other filters"],
    );
}
