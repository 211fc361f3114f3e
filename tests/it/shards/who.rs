//! Who may sign a shard, and what may have made it: a policy asks it of each shard as of the whole run.

use gonogo::digest::Sha256;

use super::*;
use crate::lab::needs_root;

const LEAST: &str = "environment: production\nmax_age: 24h\n";

fn under(sites: &Sites, run: &str, more: &str) -> Output {
    fs::write(sites.at("policy.yaml"), format!("{LEAST}{more}\n")).unwrap();
    sites.verify(run, &["--policy", "policy.yaml"])
}

#[test]
fn a_policy_says_who_signs_shards() {
    if needs_root("a_policy_says_who_signs_shards") {
        return;
    }
    let sites = Sites::new();
    let runs = sites.shards(&[5, 5], &[]);
    expect(&sites.merge(&runs, "run", &[]), 0, &["\nGO\n"]);
    for (good, bad, says) in [
        // Who may sign runs may sign shards; nobody else may, unless it is said.
        (
            "signers: [merger, ny4, ld5]",
            "signers: [merger]",
            "policy: `ny4` signed shard 1/2; the policy permits merger to sign shards",
        ),
        (
            "signers: [merger]\nshard_signers: [ld5, ny4]",
            "signers: [merger]\nshard_signers: [ny4]",
            "policy: `ld5` signed shard 2/2; the policy permits ny4 to sign shards",
        ),
        (
            "shard_signers: [ny4, ld5]",
            "shard_signers: [ld5, merger]",
            "policy: `ny4` signed shard 1/2; the policy permits ld5, merger to sign shards",
        ),
        // Who may sign shards may not sign the run for it.
        (
            "signers: [merger]\nshard_signers: [ny4, ld5]",
            "signers: [ny4, ld5]\nshard_signers: [ny4, ld5, merger]",
            "`merger` signed the run; the policy permits ny4, ld5",
        ),
    ] {
        expect(&under(&sites, "run", good), 0, &["\nGO\n"]);
        let refused = under(&sites, "run", bad);
        expect(&refused, 4, &[says]);
        assert!(!told(&refused).contains("\nGO\n"), "{bad}");
    }
    // Who merges signs no shard, where only sites may.
    let own = ["1/2", "2/2"].map(|which| {
        let (out, who) = match which {
            "1/2" => ("own-1", "merger"),
            _ => ("own-2", "ld5"),
        };
        expect(&sites.shard(out, who, &["--shard", which]), 5, &[]);
        out
    });
    expect(&sites.merge(&own, "own", &[]), 0, &["\nGO\n"]);
    let sites_alone = "signers: [merger]\nshard_signers: [ny4, ld5]";
    expect(
        &under(&sites, "own", sites_alone),
        4,
        &["policy: `merger` signed shard 1/2; the policy permits ny4, ld5"],
    );
    // A key that stands in two lines signs by whichever name is permitted; that of a stranger by none.
    let signers = fs::read_to_string(sites.at("allowed_signers")).unwrap();
    let key = fs::read_to_string(sites.at("keys/ny4.pub")).unwrap();
    fs::write(
        sites.at("allowed_signers"),
        format!("site-a {key}{signers}"),
    )
    .unwrap();
    for names in ["[ny4, ld5]", "[site-a, ld5]"] {
        let policy = format!("signers: [merger]\nshard_signers: {names}");
        expect(&under(&sites, "run", &policy), 0, &["\nGO\n"]);
    }
    let policy = "signers: [merger]\nshard_signers: [site-b, ld5]";
    expect(&under(&sites, "run", policy), 4, &["signed shard 1/2"]);
    // What it demands is said in plain words, and a run without shards is not asked.
    fs::write(
        sites.at("policy.yaml"),
        format!("{LEAST}signers: [merger]\n"),
    )
    .unwrap();
    let said = "where it was merged, each of its shards is signed by one of `merger`";
    expect(&sites.run(&["policy", "policy.yaml"]), 0, &[said]);
    let plain = [
        "run",
        "-i",
        "inventory.yaml",
        "features",
        "-o",
        "plain",
        "--key",
        "keys/ny4",
    ];
    expect(&sites.run(&plain), 0, &[]);
    let policy = "signers: [ny4]\nshard_signers: [ld5]";
    expect(&under(&sites, "plain", policy), 0, &["\nGO\n"]);
}

/// The merged record tells the merger's gonogo; what made a shard stands in the shard's own.
#[test]
fn a_policy_says_what_makes_shards() {
    if needs_root("a_policy_says_what_makes_shards") {
        return;
    }
    let sites = Sites::new();
    let own = fs::read(GONOGO).unwrap();
    let digest = Sha256::of(&own);
    // Another build: what stands behind the end of a program changes nothing of what it does.
    let other = sites.at("other-gonogo");
    fs::write(&other, [&own[..], b"\n"].concat()).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&other, executable).unwrap();
    let runs = sites.shards(&[5, 5], &[]);
    let args = [
        "run",
        "-i",
        "inventory.yaml",
        "features",
        "-o",
        "built",
        "--key",
        "keys/ld5",
        "--shard",
        "2/2",
    ];
    let mut command = Command::new(&other);
    command.args(args).current_dir(sites.lab.operator());
    command
        .envs(sites.lab.environment())
        .env_remove("SSH_AUTH_SOCK")
        .stdin(Stdio::null());
    expect(&command.output().unwrap(), 5, &[]);
    expect(&sites.merge(&runs, "same", &[]), 0, &["\nGO\n"]);
    expect(
        &sites.merge(&["s-1", "built"], "mixed", &[]),
        0,
        &["\nGO\n"],
    );
    let policy = format!("tool: {{sha256: [{digest}]}}");
    expect(&under(&sites, "same", &policy), 0, &["\nGO\n"]);
    expect(
        &under(&sites, "mixed", &policy),
        4,
        &["policy: another binary made shard 2/2 (signed by `ld5`) than the policy permits"],
    );
    let both = Sha256::of(&fs::read(&other).unwrap());
    let policy = format!("tool: {{sha256: [{digest}, {both}]}}");
    expect(&under(&sites, "mixed", &policy), 0, &["\nGO\n"]);
}
