//! What `deploy/` says, run as its platforms run it: the commands of the files themselves, one process a shard, with the
//! variables that the platform sets. There is no cluster here: what a scheduler makes of the files is not tried.

use std::collections::BTreeSet;

use super::*;
use crate::lab::needs_root;

fn text(name: &str) -> String {
    fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("deploy")
            .join(name),
    )
    .unwrap()
}

fn yaml(name: &str) -> Value {
    serde_saphyr::from_str(&text(name)).unwrap()
}

type Variables = Vec<(String, String)>;

fn set(pairs: &[(&str, &str)]) -> Variables {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// A platform's jobs: of each shard and of what comes after them, its shell, script and variables.
struct Deployment {
    name: &'static str,
    shards: Vec<(String, Variables)>,
    after: Vec<(String, Variables)>,
    shell: &'static [&'static str],
    /// Where the merged run is.
    run: &'static str,
}

const BASH: &[&str] = &["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"];
const SH: &[&str] = &["sh", "-c"];

/// The one container of a Job: its script; what it mounts is what its variables name.
fn container(job: &Value) -> String {
    assert_eq!(
        (job["apiVersion"].as_str(), job["kind"].as_str()),
        (Some("batch/v1"), Some("Job"))
    );
    let pod = &job["spec"]["template"]["spec"];
    assert_eq!(pod["restartPolicy"], "Never");
    let containers = pod["containers"].as_array().unwrap();
    assert_eq!(containers.len(), 1);
    let one = &containers[0];
    assert_eq!(one["command"], serde_json::json!(["sh", "-c"]));
    let words = |list: &Value, key: &str| -> BTreeSet<String> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|one| one[key].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        words(&one["env"], "value"),
        words(&one["volumeMounts"], "mountPath")
    );
    assert_eq!(
        words(&pod["volumes"], "name"),
        words(&one["volumeMounts"], "name")
    );
    let script = one["args"][0].as_str().unwrap().to_owned();
    for name in words(&one["env"], "name") {
        assert!(script.contains(&format!("${name}")), "{name}");
    }
    script
}

/// Directories of the lab in the place of what is mounted.
fn mounted(sites: &Sites, more: &[(&str, &str)]) -> Variables {
    let at = |name: &str| sites.at(name).display().to_string();
    let mut set = set(more);
    for (name, dir) in [
        ("ESTATE", "estate"),
        ("KEYS", "secret"),
        ("RUNS", "volume"),
        ("TRUST", ""),
    ] {
        set.push((name.to_owned(), at(dir)));
    }
    set
}

fn kubernetes(sites: &Sites) -> Deployment {
    let (job, merge) = (
        yaml("kubernetes/shards.yaml"),
        yaml("kubernetes/merge.yaml"),
    );
    let spec = &job["spec"];
    assert_eq!(spec["completionMode"], "Indexed");
    let of = spec["completions"].as_u64().unwrap();
    assert_eq!(
        (
            spec["parallelism"].as_u64(),
            spec["maxFailedIndexes"].as_u64()
        ),
        (Some(of), Some(of))
    );
    // What was judged is not run again: every exit that `run` has for it, and no 0, which Kubernetes refuses.
    let rules = spec["podFailurePolicy"]["rules"].as_array().unwrap();
    assert_eq!(rules[1]["action"], "FailIndex");
    assert_eq!(
        rules[1]["onExitCodes"]["values"],
        serde_json::json!([1, 2, 3, 70])
    );
    assert_eq!(merge["spec"]["backoffLimit"], 0);
    let script = container(&job);
    assert!(script.contains(&format!("--shard auto/{of} ")), "{script}");
    let work = |name: String| {
        fs::create_dir_all(sites.at(&name)).unwrap();
        sites.at(&name).display().to_string()
    };
    let shards = (0..of).map(|index| {
        let work = work(format!("work-{index}"));
        let own = [
            ("JOB_COMPLETION_INDEX", &*index.to_string()),
            ("WORK", &work),
        ];
        let mut variables = mounted(sites, &own);
        // A ConfigMap has no key.
        let map = sites.at("map").display().to_string();
        variables.push(("ESTATE".to_owned(), map));
        (script.clone(), variables)
    });
    let shards = shards.collect();
    let merging = work("work-merge".to_owned());
    Deployment {
        name: "Kubernetes",
        shards,
        after: vec![(container(&merge), mounted(sites, &[("WORK", &merging)]))],
        shell: SH,
        run: "volume/run",
    }
}

/// The script of a Nomad task, as its heredoc has it. No Nomad has read the file: its blocks are only balanced.
fn heredoc(name: &str) -> String {
    let text = text(name);
    assert_eq!(
        text.matches(['{', '[']).count(),
        text.matches(['}', ']']).count()
    );
    assert!(!text.contains("${"), "HCL would fill that in");
    let (_, after) = text.split_once("<<-EOT\n").unwrap();
    let (script, _) = after.split_once("\n        EOT\n").unwrap();
    let lines = script
        .lines()
        .map(|line| line.strip_prefix("          ").unwrap_or(line).to_owned() + "\n");
    lines.collect()
}

fn nomad(sites: &Sites) -> Deployment {
    let script = heredoc("nomad/shards.nomad.hcl");
    let job = text("nomad/shards.nomad.hcl");
    assert!(
        job.contains("type = \"batch\"")
            && job.contains("count = 3")
            && script.contains("--shard auto/3 ")
    );
    let shards = ["0", "1", "2"].map(|index| {
        (
            script.clone(),
            mounted(sites, &[("NOMAD_ALLOC_INDEX", index)]),
        )
    });
    Deployment {
        name: "Nomad",
        shards: shards.into(),
        after: vec![(heredoc("nomad/merge.nomad.hcl"), mounted(sites, &[]))],
        shell: SH,
        run: "volume/run",
    }
}

fn content(sites: &Sites, key: &str) -> String {
    fs::read_to_string(sites.at(&format!("keys/{key}")))
        .unwrap()
        .trim_end()
        .to_owned()
}

/// The only script of a job of GitHub Actions.
fn steps(job: &Value) -> String {
    let steps = job["steps"].as_array().unwrap().iter();
    let mut scripts = steps.filter_map(|step| step["run"].as_str());
    let script = scripts.next().unwrap().to_owned();
    assert!(scripts.next().is_none() && job["continue-on-error"].is_null());
    script
}

fn github(sites: &Sites) -> Deployment {
    let jobs = &yaml("github-actions/shards.yml")["jobs"];
    let shard = &jobs["shard"];
    assert_eq!(shard["strategy"]["fail-fast"], false);
    let matrix = shard["strategy"]["matrix"]["shard"].as_array().unwrap();
    assert_eq!(shard["steps"][1]["env"]["SHARD"], "${{ matrix.shard }}");
    let script = steps(shard);
    assert!(
        script.contains(&format!("--shard \"$SHARD/{}\"", matrix.len())),
        "{script}"
    );
    for (job, needs) in [("merge", "shard"), ("gate", "merge")] {
        assert_eq!(
            (jobs[job]["needs"].as_str(), jobs[job]["if"].as_str()),
            (Some(needs), Some("${{ !cancelled() }}"))
        );
    }
    assert_eq!(
        (jobs["deploy"]["needs"].as_str(), &jobs["deploy"]["if"]),
        (Some("gate"), &Value::Null)
    );
    let key = content(sites, "ny4");
    let shards = matrix.iter().map(|number| {
        let number = number.to_string();
        (
            script.clone(),
            set(&[("GONOGO_SIGNING_KEY", &key), ("SHARD", &number)]),
        )
    });
    // Each job of a matrix has a workspace of its own; the artifacts are downloaded into one.
    let bring = "mkdir -p shards; for n in 1 2 3; do mv \"shard-$n\" shards/; done\n";
    Deployment {
        name: "GitHub Actions",
        shards: shards.collect(),
        after: vec![
            (
                bring.to_owned() + &steps(&jobs["merge"]),
                set(&[("GONOGO_MERGE_KEY", &content(sites, "merger"))]),
            ),
            (
                steps(&jobs["gate"]),
                set(&[
                    ("GITHUB_OUTPUT", "output"),
                    ("GITHUB_STEP_SUMMARY", "summary"),
                ]),
            ),
        ],
        shell: BASH,
        run: "run",
    }
}

fn lines(job: &Value) -> String {
    let lines = job["script"].as_array().unwrap().iter();
    assert!(job["allow_failure"].is_null());
    lines
        .map(|line| line.as_str().unwrap().to_owned() + "\n")
        .collect()
}

fn gitlab(
    sites: &Sites,
    file: &str,
    name: &'static str,
    of_each: &[(&str, Variables)],
) -> Deployment {
    let told = yaml(file);
    for job in ["merge", "gate"] {
        assert_eq!(told[job]["when"], "always");
    }
    assert!(
        told["deploy"]["when"].is_null() && told["deploy"]["needs"] == serde_json::json!(["gate"])
    );
    let key = |name: &str| sites.at(&format!("keys/{name}")).display().to_string();
    let shards = of_each.iter().map(|(signer, own)| {
        let mut variables = own.clone();
        variables.push(("GONOGO_SIGNING_KEY".to_owned(), key(signer)));
        (lines(&told["shard"]), variables)
    });
    Deployment {
        name,
        shards: shards.collect(),
        after: vec![
            (
                lines(&told["merge"]),
                set(&[("GONOGO_MERGE_KEY", &key("merger"))]),
            ),
            (lines(&told["gate"]), Variables::new()),
        ],
        shell: BASH,
        run: "run",
    }
}

fn deployments(sites: &Sites) -> Vec<Deployment> {
    let nodes = yaml("gitlab-ci/shards.yml")["shard"]["parallel"]
        .as_u64()
        .unwrap();
    let nodes = (1..=nodes).map(|node| {
        let (node, total) = (node.to_string(), nodes.to_string());
        (
            "ny4",
            set(&[("CI_NODE_INDEX", &node), ("CI_NODE_TOTAL", &total)]),
        )
    });
    let matrix = yaml("gitlab-ci/sites.yml")["shard"]["parallel"]["matrix"][0]["SITE"].clone();
    assert_eq!(matrix, serde_json::json!(["ld5", "ny4", "none"]));
    // GitLab counts the jobs of a matrix too: nothing is taken from it unasked.
    let each = ["ld5", "ny4", "none"].map(|site| {
        (
            if site == "none" { "ny4" } else { site },
            set(&[
                ("SITE", site),
                ("CI_NODE_INDEX", "1"),
                ("CI_NODE_TOTAL", "3"),
            ]),
        )
    });
    vec![
        kubernetes(sites),
        nomad(sites),
        github(sites),
        gitlab(
            sites,
            "gitlab-ci/shards.yml",
            "GitLab CI",
            &nodes.collect::<Vec<_>>(),
        ),
        gitlab(sites, "gitlab-ci/sites.yml", "GitLab CI by site", &each),
    ]
}

fn begin(
    sites: &Sites,
    shell: &[&str],
    script: &str,
    variables: &Variables,
) -> std::process::Child {
    let bin = Path::new(GONOGO).parent().unwrap().to_str().unwrap();
    let path = format!("{bin}:{}", std::env::var("PATH").unwrap());
    let mut command = Command::new(shell[0]);
    command
        .args(&shell[1..])
        .arg(script)
        .current_dir(sites.lab.operator());
    command
        .envs(sites.lab.environment())
        .env("PATH", path)
        .envs(variables.iter().cloned());
    command.env_remove("SSH_AUTH_SOCK").stdin(Stdio::null());
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs all of it, from clean workspaces; says how the shards ended, and the last of what comes after them.
fn carry_out(sites: &Sites, name: &str) -> (Vec<i32>, Output, &'static str) {
    for dir in [
        "volume",
        "run",
        "shards",
        "work-0",
        "work-1",
        "work-2",
        "work-merge",
    ] {
        let _ = fs::remove_dir_all(sites.at(dir));
    }
    for which in ["1", "2", "3", "ld5", "ny4", "none"] {
        let _ = fs::remove_dir_all(sites.at(&format!("shard-{which}")));
    }
    fs::create_dir(sites.at("volume")).unwrap();
    let all = deployments(sites);
    let one = all.into_iter().find(|one| one.name == name).unwrap();
    let begun: Vec<_> = one
        .shards
        .iter()
        .map(|(script, set)| begin(sites, one.shell, script, set))
        .collect();
    let ended = begun
        .into_iter()
        .map(|child| child.wait_with_output().unwrap());
    let codes = ended.map(|output| output.status.code().unwrap_or_else(|| panic!("{output:?}")));
    let codes = codes.collect();
    let mut last = None;
    for (script, set) in &one.after {
        last = Some(
            begin(sites, one.shell, script, set)
                .wait_with_output()
                .unwrap(),
        );
    }
    (codes, last.unwrap(), one.run)
}

const ALL: [&str; 5] = [
    "Kubernetes",
    "Nomad",
    "GitHub Actions",
    "GitLab CI",
    "GitLab CI by site",
];

#[test]
fn each_deployment_comes_to_a_go_and_to_no_go() {
    if needs_root("each_deployment_comes_to_a_go_and_to_no_go") {
        return;
    }
    let sites = Sites::new();
    // The volumes: the estate as it lies in a repository, the keys as a Secret has them.
    fs::create_dir_all(sites.at("estate")).unwrap();
    fs::create_dir_all(sites.at("secret")).unwrap();
    for name in ["inventory.yaml", "known_hosts", "features", "keys"] {
        copy(&sites.at(name), &sites.at("estate"));
    }
    fs::create_dir(sites.at("map")).unwrap();
    for name in ["inventory.yaml", "known_hosts", "features"] {
        copy(&sites.at(name), &sites.at("map"));
    }
    for (from, to) in [
        ("ny4", "gonogo"),
        ("operations", "operations"),
        ("market-data", "market-data"),
    ] {
        fs::copy(
            sites.at(&format!("keys/{from}")),
            sites.at(&format!("secret/{to}")),
        )
        .unwrap();
    }
    for name in ALL {
        let (codes, last, run) = carry_out(&sites, name);
        assert!(codes.iter().all(|code| *code == 0), "{name}: {codes:?}");
        expect(&last, 0, &[]);
        let record = sites.record(run);
        assert_eq!(record["verdict"]["decision"], "GO", "{name}");
        assert_eq!(
            record["run"]["merged"]["shards"].as_array().unwrap().len(),
            codes.len(),
            "{name}"
        );
    }
    sites.amps[2].lock("config/config.xml");
    for name in ALL {
        let (codes, last, run) = carry_out(&sites, name);
        // Red is the job of the shard that found it, and what decides.
        assert_eq!(
            codes.iter().filter(|code| **code == 1).count(),
            1,
            "{name}: {codes:?}"
        );
        assert_eq!(
            codes.iter().filter(|code| **code == 0).count(),
            codes.len() - 1,
            "{name}: {codes:?}"
        );
        expect(&last, 1, &[]);
        assert_eq!(sites.record(run)["counts"]["failed"], 1, "{name}");
    }
}
