//! What is about no host when a plan is split by sites, and what people say of a part.

use super::*;
use crate::lab::needs_root;

const QUESTION: &str = "Feature: people\n  Scenario: the rollback\n    Then a person confirms \"the rollback was rehearsed\"\n";
const BREAK: [&str; 6] = [
    "--reason",
    "quotes stand still",
    "--ticket",
    "OPS-1",
    "--for",
    "2h",
];
const CHECK: &str = "features/people.feature:2@production";

#[test]
fn what_is_in_no_group_is_run_by_whoever_asks_for_it() {
    if needs_root("what_is_in_no_group_is_run_by_whoever_asks_for_it") {
        return;
    }
    let sites = Sites::new();
    for site in ["ld5", "ny4"] {
        expect(&sites.shard(site, site, &["--group", site]), 5, &[]);
    }
    // There may be nothing in it: a pipeline asks for it always.
    let rest = sites.shard("rest", "ny4", &["--group", "none"]);
    expect(&rest, 5, &["shard of group none has nothing to do"]);
    expect(&sites.merge(&["ld5", "ny4"], "two", &[]), 0, &["\nGO\n"]);
    expect(
        &sites.merge(&["ld5", "ny4", "rest"], "three", &[]),
        0,
        &["\nGO\n"],
    );
    expect(&sites.verify("three", &[]), 0, &["of group none by ny4"]);
    for dir in ["ld5", "ny4", "rest", "two", "three"] {
        fs::remove_dir_all(sites.at(dir)).unwrap();
    }

    fs::write(sites.at("features/people.feature"), QUESTION).unwrap();
    let plan =
        |more: &[&str]| sites.run(&[&["plan", "-i", "inventory.yaml", "features"], more].concat());
    let says = "in no group: 1 check, which `--group none` runs";
    expect(&plan(&["--group", "ld5"]), 0, &[says]);
    for whole in [&["--group", "ld5", "--group", "none"][..], &[]] {
        assert!(!told(&plan(whole)).contains("in no group"), "{whole:?}");
    }
    for site in ["ld5", "ny4"] {
        expect(&sites.shard(site, site, &["--group", site]), 5, &[]);
    }
    let says = "1 shard missing: of group none: no run of it was given; it is what no site has: run it with `--group none`";
    expect(
        &sites.merge(&["ld5", "ny4"], "two", &[]),
        1,
        &[says, "\nNO-GO\n"],
    );
    expect(
        &sites.verify("two", &[]),
        1,
        &[says, "shard of group none is missing"],
    );
    // As a part of its own, or with a site.
    expect(
        &sites.shard("rest", "ny4", &["--group", "none"]),
        5,
        &[
            "shard of group none is 1 of 13 checks",
            "people are asked: `gonogo attest MERGED-RUN --list`",
        ],
    );
    expect(
        &sites.merge(&["ld5", "ny4", "rest"], "run", &[]),
        5,
        &["\nHOLD\n"],
    );
    let beside = ["--group", "ny4", "--group", "none"];
    expect(
        &sites.shard("more", "ny4", &beside),
        5,
        &["of groups none and ny4 is 9 of 13"],
    );
    expect(
        &sites.merge(&["ld5", "more"], "beside", &[]),
        5,
        &["\nHOLD\n"],
    );
    // Nobody's twice.
    let twice = sites.merge(&["ld5", "more", "rest"], "twice", &[]);
    expect(
        &twice,
        1,
        &["both tell check ", "and neither counts", "\nNO-GO\n"],
    );
    // A host that is in no group belongs to it.
    sites.write(|inventory| inventory["hosts"]["ld5-1"]["groups"] = serde_json::json!([]));
    expect(&plan(&["--group", "ny4"]), 0, &["in no group: 5 checks"]);
    expect(
        &plan(&["--group", "none"]),
        0,
        &["shard of group none: 5 of 13 checks", "ld5-1 as operations"],
    );
    sites.write(|inventory| inventory["hosts"]["ld5-1"]["groups"] = serde_json::json!(["none"]));
    expect(
        &plan(&["--group", "none"]),
        2,
        &["the inventory has a group of that name"],
    );
}

/// An answer and an approval are of one run, by its manifest.
#[test]
fn people_speak_of_the_merged_run_alone() {
    if needs_root("people_speak_of_the_merged_run_alone") {
        return;
    }
    let sites = Sites::new();
    keygen(&sites.at("keys/ann"), "ann");
    let key = fs::read_to_string(sites.at("keys/ann.pub")).unwrap();
    fs::write(sites.at("answerers"), format!("ann {key}")).unwrap();
    fs::write(sites.at("features/people.feature"), QUESTION).unwrap();
    let runs = sites.shards(&[5, 5], &[]);
    let answer = |run: &str| {
        let args = [
            "--check",
            CHECK,
            "--answer",
            "passed",
            "--statement",
            "rehearsed today",
        ];
        sites.run(&[&["attest", run, "--key", "keys/ann"], &args[..]].concat())
    };
    let files = |run: &str| fs::read_dir(sites.at(run)).unwrap().count();
    let before = files("s-1");
    let says = [
        "the run is shard 1/2 alone",
        "answer the run that they are merged into",
    ];
    expect(&answer("s-1"), 2, &says);
    expect(
        &sites.run(&["approve", "s-1", "--key", "keys/ann"]),
        2,
        &["the run is shard 1/2 alone"],
    );
    assert_eq!(files("s-1"), before);
    let broken = sites.run(
        &[
            &["break-glass", "request", "s-1", "--key", "keys/ann"],
            &BREAK[..],
        ]
        .concat(),
    );
    expect(&broken, 2, &["the run is a shard"]);
    let list = sites.run(&["attest", "s-1", "--list"]);
    expect(
        &list,
        0,
        &[CHECK, "answer    the run that all shards are merged into"],
    );
    assert!(!told(&list).contains("--answer"), "{}", told(&list));
    expect(&sites.merge(&runs, "run", &[]), 5, &["\nHOLD\n"]);
    let with = ["--answerers", "answerers"];
    expect(&sites.verify("run", &with), 5, &["\nHOLD\n"]);
    expect(&answer("run"), 0, &[]);
    expect(&sites.run(&["approve", "run", "--key", "keys/ann"]), 0, &[]);
    expect(&sites.verify("run", &with), 0, &["\nGO\n"]);
}

#[test]
fn who_signed_a_part_has_no_word_in_the_whole() {
    if needs_root("who_signed_a_part_has_no_word_in_the_whole") {
        return;
    }
    let sites = Sites::new();
    for who in ["ann", "glass-1", "glass-2"] {
        keygen(&sites.at(&format!("keys/{who}")), who);
    }
    let key = |who: &str| fs::read_to_string(sites.at(&format!("keys/{who}.pub"))).unwrap();
    let people = ["ny4 ", "nora "]
        .map(|name| name.to_owned() + &key("ny4"))
        .concat();
    fs::write(sites.at("answerers"), format!("ann {}{people}", key("ann"))).unwrap();
    fs::write(sites.at("features/people.feature"), QUESTION).unwrap();
    let runs = sites.shards(&[5, 5], &[]);
    expect(&sites.merge(&runs, "run", &[]), 5, &["\nHOLD\n"]);

    let asked = ["attest", "run", "--check", CHECK, "--answer", "passed"];
    let asked = [&asked[..], &["--statement", "rehearsed today"]].concat();
    let own = sites.run(&[&asked[..], &["--key", "keys/ny4"]].concat());
    expect(&own, 4, &["this key signed the run"]);
    // Stock tools ask nobody; neither another name helps.
    for name in ["ny4", "nora"] {
        let printed = sites.run(&[&asked[..], &["--identity", name, "--print"]].concat());
        expect(&printed, 0, &[]);
        let file = sites.at("run/SHA256SUMS.answer-x.json");
        fs::write(&file, printed.stdout).unwrap();
        sign(&sites.at("keys/ny4"), "gonogo-answer@gonogo", &file);
        let heard = sites.verify("run", &["--answerers", "answerers"]);
        expect(
            &heard,
            5,
            &["who signs the run does not answer in it", "\nHOLD\n"],
        );
    }
    for file in ["answer-x.json", "answer-x.json.sig"] {
        fs::remove_file(sites.at(&format!("run/SHA256SUMS.{file}"))).unwrap();
    }

    // The glass: a name of who signed a part breaks it with no key, others do.
    let only = "namespaces=\"gonogo-break-glass@gonogo\"";
    let breakers = |one: &str| {
        let lines = format!(
            "{one} {only} {}dora {only} {}",
            key("glass-1"),
            key("glass-2")
        );
        fs::write(sites.at("breakers"), lines).unwrap();
    };
    let check = [
        "break-glass",
        "check",
        "run",
        "--signers",
        "breakers",
        "--allowed-signers",
        "allowed_signers",
    ];
    let check = [
        &check[..],
        &[
            "--environment",
            "production",
            "--answerers",
            "answerers",
            "--max-age",
            "24h",
        ],
    ]
    .concat();
    for (who, exit, says) in [
        ("ny4", 5, "who signs the run does not break it"),
        ("carl", 0, "\nHOLD\n"),
    ] {
        breakers(who);
        let args = [
            "break-glass",
            "request",
            "run",
            "--key",
            "keys/glass-1",
            "--identity",
            who,
        ];
        let request = sites.run(&[&args[..], &BREAK[..]].concat());
        expect(&request, 0, &[]);
        let file = String::from_utf8(request.stdout).unwrap().trim().to_owned();
        expect(
            &sites.run(&["break-glass", "sign", &file, "--key", "keys/glass-2"]),
            0,
            &[],
        );
        expect(&sites.run(&check), exit, &[says]);
        for entry in fs::read_dir(sites.at("run")).unwrap() {
            let path = entry.unwrap().path();
            if path.to_string_lossy().contains(".break-glass-") {
                fs::remove_file(path).unwrap();
            }
        }
    }
}

fn sign(key: &Path, namespace: &str, file: &Path) {
    let _ = fs::remove_file(file.with_extension("json.sig"));
    let signed = Command::new("ssh-keygen")
        .args(["-q", "-Y", "sign", "-n", namespace, "-f"])
        .args([key, file])
        .output()
        .unwrap();
    assert!(signed.status.success(), "{signed:?}");
}
