//! Merged runs put together again by who holds the key that merges: signed, whole, judged anew, all pages right. What
//! the shards' own runners signed speaks against each.

use gonogo::digest::Sha256;
use gonogo::report::schema::Report;
use gonogo::report::{files, judge, publish, read};
use gonogo::sign::dsse::{Statement, TestResult, sign_statement};
use gonogo::sign::key::SigningKey;

use super::*;
use crate::lab::needs_root;

fn sign(sites: &Sites, who: &str, file: &Path) {
    let mut signature = file.to_owned().into_os_string();
    signature.push(".sig");
    let _ = fs::remove_file(signature);
    let signed = Command::new("ssh-keygen")
        .args(["-q", "-Y", "sign", "-n", "gonogo-report@gonogo", "-f"])
        .args([sites.at(&format!("keys/{who}")), file.to_owned()])
        .output()
        .unwrap();
    assert!(signed.status.success(), "{signed:?}");
}

/// What the sums and the verdict of those checks are.
fn count(report: &mut Report) {
    let of = |word: &str| {
        report
            .checks
            .iter()
            .filter(|check| check.outcome == word)
            .count() as u64
    };
    let counts = &mut report.counts;
    (counts.passed, counts.failed) = (of("passed"), of("failed"));
    report.verdict = publish(&judge(report));
}

/// A copy of `run`, changed, and sealed by `merger`.
fn forged(sites: &Sites, run: &str, name: &str, change: impl FnOnce(&mut Report, &Path)) {
    forged_by(sites, "merger", run, name, change);
}

/// The same, sealed by somebody else.
pub(super) fn forged_by(
    sites: &Sites,
    who: &str,
    run: &str,
    name: &str,
    change: impl FnOnce(&mut Report, &Path),
) {
    let dir = sites.at(name);
    copy(&sites.at(run), &dir);
    let mut report = read(&fs::read(dir.join("report.json")).unwrap()).unwrap();
    change(&mut report, &dir);
    count(&mut report);
    for (page, bytes) in files(&report).unwrap() {
        fs::write(dir.join(page), bytes).unwrap();
    }
    let list = "find . -type f | sed 's|^\\./||' | grep -Ev '^(SHA256SUMS[^/]*|report\\.intoto\\.jsonl)$' | LC_ALL=C sort | xargs sha256sum";
    let sums = Command::new("sh")
        .args(["-ec", list])
        .current_dir(&dir)
        .output()
        .unwrap();
    assert!(sums.status.success(), "{sums:?}");
    fs::write(dir.join("SHA256SUMS"), &sums.stdout).unwrap();
    sign(sites, who, &dir.join("SHA256SUMS"));
    let statement = Statement {
        subjects: vec![("SHA256SUMS".to_owned(), Sha256::of(&sums.stdout))],
        result: match report.verdict.decision.as_str() {
            "GO" => TestResult::Passed,
            _ => TestResult::Failed,
        },
        configuration: Vec::new(),
        url: None,
        passed: Vec::new(),
        warned: Vec::new(),
        failed: Vec::new(),
    };
    let key = SigningKey::load(&sites.at(&format!("keys/{who}")), None).unwrap();
    fs::write(
        dir.join("report.intoto.jsonl"),
        sign_statement(&key, &statement).unwrap(),
    )
    .unwrap();
}

/// The checks of the failed shard as they were when they passed.
fn mend(report: &mut Report, good: &Report) {
    for (check, was) in report.checks.iter_mut().zip(&good.checks) {
        if check.outcome != "passed" {
            let (carried, transcript) = (check.carried.take(), check.transcript.take());
            *check = was.clone();
            (check.carried, check.transcript) = (carried, transcript);
        }
    }
}

#[test]
fn who_merges_changes_nothing_of_what_the_shards_found() {
    if needs_root("who_merges_changes_nothing_of_what_the_shards_found") {
        return;
    }
    let sites = Sites::new();
    let runs = sites.shards(&[5; 3], &[]);
    expect(&sites.merge(&runs, "good", &[]), 0, &[]);
    let good = read(&fs::read(sites.at("good/report.json")).unwrap()).unwrap();
    for run in &runs {
        fs::rename(sites.at(run), sites.at(&format!("{run}-good"))).unwrap();
    }
    sites.amps[2].lock("config/config.xml");
    let runs = sites.shards(&[5, 5, 1], &[]);
    expect(&sites.merge(&runs, "bad", &[]), 1, &[]);
    expect(&sites.merge(&runs[..2], "two", &[]), 1, &[]);
    // The benign twins: sealed again as they are.
    for (run, code) in [("good", 0), ("bad", 1), ("two", 1)] {
        forged(&sites, run, &format!("{run}-same"), |_, _| ());
        expect(&sites.verify(&format!("{run}-same"), &[]), code, &[]);
    }
    type Change<'g> = Box<dyn Fn(&mut Report, &Path) + 'g>;
    let by_shard = "is not what its shards come to";
    let cases: Vec<(&str, &str, &str, Change<'_>)> = vec![
        (
            "flipped",
            "bad",
            by_shard,
            Box::new(|report, _| mend(report, &good)),
        ),
        // A shard that failed is taken out, and its checks told as passed.
        (
            "dropped",
            "bad",
            "shards/3.SHA256SUMS` is not named by the report",
            Box::new(|report, _| {
                mend(report, &good);
                drop(report.run.merged.as_mut().unwrap().shards.pop());
            }),
        ),
        (
            "taken",
            "bad",
            "is of a shard that is not told",
            Box::new(|report, dir| {
                mend(report, &good);
                drop(report.run.merged.as_mut().unwrap().shards.pop());
                for end in ["report.json", "SHA256SUMS", "SHA256SUMS.sig"] {
                    fs::remove_file(dir.join(format!("shards/3.{end}"))).unwrap();
                }
            }),
        ),
        (
            "twice",
            "two",
            "check `",
            Box::new(|report, dir| {
                mend(report, &good);
                let merged = report.run.merged.as_mut().unwrap();
                merged.missing.clear();
                merged.shards.push(merged.shards[0].clone());
                for end in ["report.json", "SHA256SUMS", "SHA256SUMS.sig"] {
                    let from = dir.join(format!("shards/1.{end}"));
                    fs::copy(from, dir.join(format!("shards/3.{end}"))).unwrap();
                }
            }),
        ),
        // The same shard in the place of the one that is missing.
        (
            "posed",
            "bad",
            "it is another run than the one recorded",
            Box::new(|report, dir| {
                mend(report, &good);
                let shards = &mut report.run.merged.as_mut().unwrap().shards;
                shards[2].manifest = shards[0].manifest.clone();
                shards[2].key = shards[0].key.clone();
                for end in ["report.json", "SHA256SUMS", "SHA256SUMS.sig"] {
                    let from = dir.join(format!("shards/1.{end}"));
                    fs::copy(from, dir.join(format!("shards/3.{end}"))).unwrap();
                }
            }),
        ),
        (
            "altered",
            "bad",
            "its record is not the one that was signed",
            Box::new(|report, dir| {
                mend(report, &good);
                let path = dir.join("shards/3.report.json");
                let text = fs::read_to_string(&path).unwrap();
                fs::write(path, text.replace("NO-GO", "HOLD")).unwrap();
            }),
        ),
        (
            "signed",
            "bad",
            "shard 3/3 of the merged run",
            Box::new(|report, dir| {
                mend(report, &good);
                let sums = dir.join("shards/3.SHA256SUMS");
                sign(&sites, "stranger", &sums);
                report.run.merged.as_mut().unwrap().shards[2].manifest =
                    Sha256::of(&fs::read(sums).unwrap()).to_string();
            }),
        ),
        (
            "whose",
            "good",
            "another key signed it than the one recorded",
            Box::new(|report, _| {
                report.run.merged.as_mut().unwrap().shards[1].key = "SHA256:else".to_owned();
            }),
        ),
        (
            "forgiven",
            "two",
            by_shard,
            Box::new(|report, _| report.run.merged.as_mut().unwrap().missing.clear()),
        ),
        (
            "runner",
            "good",
            by_shard,
            Box::new(|report, _| {
                report.run.merged.as_mut().unwrap().shards[0].runner_identity = None;
            }),
        ),
        (
            "hosts",
            "good",
            by_shard,
            Box::new(|report, _| {
                report.hosts[0].identity.machine_id = Some("00".repeat(16));
            }),
        ),
        (
            "younger",
            "good",
            by_shard,
            Box::new(|report, _| {
                let later = report.run.finished.parse::<jiff::Timestamp>().unwrap()
                    + jiff::SignedDuration::from_secs(60);
                report.run.finished = later.to_string();
            }),
        ),
        // An older version told less: its name must not take a shard out of what is compared.
        (
            "older",
            "good",
            "signed by `ny4`: incomplete: gonogo 0.3.0 made it, and ",
            Box::new(|report, dir| {
                let path = dir.join("shards/1.report.json");
                let text = fs::read_to_string(&path).unwrap();
                let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
                assert!(text.contains(&version));
                let text = text.replacen(&version, "\"version\": \"0.3.0\"", 1);
                fs::write(path, &text).unwrap();
                let sums = dir.join("shards/1.SHA256SUMS");
                let lines = fs::read_to_string(&sums).unwrap();
                let lines = lines
                    .lines()
                    .map(|line| match line.ends_with("  report.json") {
                        true => format!("{}  report.json\n", Sha256::of(text.as_bytes())),
                        false => format!("{line}\n"),
                    });
                fs::write(&sums, lines.collect::<String>()).unwrap();
                sign(&sites, "ny4", &sums);
                report.run.merged.as_mut().unwrap().shards[0].manifest =
                    Sha256::of(&fs::read(&sums).unwrap()).to_string();
            }),
        ),
        (
            "transcript",
            "good",
            "transcript of check `",
            Box::new(|_, dir| {
                fs::write(dir.join("evidence/0001.txt"), "all is well\n").unwrap();
            }),
        ),
        (
            "evidence",
            "good",
            by_shard,
            Box::new(|report, _| {
                report.checks[0].evidence[0].duration_ms += 1;
            }),
        ),
        (
            "stranger",
            "good",
            "shards/9.report.json` is not named by the report",
            Box::new(|_, dir| {
                fs::copy(
                    dir.join("shards/1.report.json"),
                    dir.join("shards/9.report.json"),
                )
                .unwrap();
            }),
        ),
    ];
    for (name, run, says, change) in &cases {
        forged(&sites, run, name, change);
        let verified = sites.verify(name, &[]);
        expect(&verified, 4, &[says]);
    }
    // Nor is it taken where an older version is.
    let older = ["--max-age", "1h", "--accept-version", "0.3.0"];
    expect(&sites.verify("older", &older), 4, &["gonogo 0.3.0 made it"]);
    // A shard of another round, which the merger liked better, is a run of its own: given with this one's, neither
    // counts; given instead of it, the record says when each was run, and `--max-age` and `--within` see it.
    let both = sites.merge(&["s-1", "s-2", "s-3", "s-3-good"], "both", &[]);
    expect(
        &both,
        1,
        &["`s-3` and `s-3-good` both tell shard 3/3, and neither counts"],
    );
    // What was made since the first shard began would stand before it in the chain.
    forged(&sites, "good", "later", |report, _| {
        let finished = report.run.finished.parse::<jiff::Timestamp>().unwrap();
        report.run.finished = (finished + jiff::SignedDuration::from_mins(10)).to_string();
    });
    let late = sites.merge(&runs, "late", &["--previous", "later"]);
    expect(&late, 2, &["what is merged cannot follow `later`"]);
    assert!(!sites.at("late").exists());
    let follows = sites.merge(&runs, "follows", &["--previous", "good"]);
    expect(&follows, 1, &[]);
    assert_eq!(sites.record("follows")["run"]["number"], 2);
    // Who may sign no more takes the whole run along.
    let signers = fs::read_to_string(sites.at("allowed_signers")).unwrap();
    let fewer: String = signers
        .lines()
        .filter(|line| !line.starts_with("ld5 "))
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(sites.at("allowed_signers"), fewer).unwrap();
    expect(
        &sites.verify("good", &[]),
        4,
        &["shard 2/3 of the merged run"],
    );
}
