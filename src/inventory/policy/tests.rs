//! Policies, good and bad: every problem with its place, each refusal with a twin that reads.

use super::*;

const GOOD: &str = "\
environment: production
max_age: 24h
signers: [ci@ops.example]
revoked: revoked_keys
approvers: approvers
approvals: 2
inventory: inventory.yaml
features: [features]
commit: required
release: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
challenge: required
tool:
  oldest: 0.4.0
  sha256: [e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855]
required:
  tags: [\"@artifact:log\"]
  instances: [orders, quotes]
  hosts: [ny4-1]
  teams: [operations]
  artifacts:
    - name: core files
      instance: orders*
  scenarios:
    - scenario: event log of *
      feature: features/*.feature
      at_least: 2
waivers:
  most: 2
  most_checks: 4
  most_days: 14
  never:
    kinds: [denied, missing]
    tags: [\"@blocker\"]
    scenarios: [version of *]
retries:
  most_checks: 1
  most_attempts: 2
  restating: none
time_stamp:
  tsa_ca: tsa.pem
  within: 1h
history: required
coverage:
  last_go: required
  since: 2026-11-01
  retired:
    - instance: risk
      reason: moved to the other site
      from: 2026-11-20
answerers: answerers
answered_within: 12h
accept_versions: [0.4.0]
drill: {within: 92d, folder: drills, people: drillers, vendors: [60east]}
go_live: 2026-12-02T01:30:00-08:00
";

fn parse(text: &str) -> Result<Policy, Problems> {
    Policy::parse(Path::new("ci/policy.yaml"), text.as_bytes().to_vec())
}

fn said(problems: &[Problem]) -> Vec<String> {
    let said = problems.iter().map(|problem| {
        let place = problem.place.to_string();
        let place = place.trim_start_matches("ci/policy.yaml:");
        format!("{place} {}", problem.message)
    });
    said.collect()
}

/// What is wrong after that change.
#[track_caller]
fn wrong(from: &str, to: &str) -> Vec<String> {
    assert!(GOOD.contains(from), "{from}");
    let problems = parse(&GOOD.replacen(from, to, 1));
    let problems = problems.unwrap_err().into_vec();
    let hinted = problems.iter().all(|one| !one.hint.is_empty());
    assert!(hinted, "{problems:?}");
    said(&problems)
}

#[test]
fn reads_a_good_policy() {
    let policy = parse(GOOD).unwrap();
    assert_eq!(policy.environment, "production");
    assert_eq!(policy.max_age, Duration::from_secs(24 * 3600));
    assert_eq!(policy.signers, ["ci@ops.example"]);
    // Paths start from the folder of the policy.
    assert_eq!(
        policy.inventory.as_deref(),
        Some(Path::new("ci/inventory.yaml"))
    );
    assert_eq!(policy.features, [Path::new("ci/features")]);
    assert_eq!(policy.commit, Some(Bound::Named));
    assert_eq!(policy.release, Some(Bound::To(Sha256::of(b"").to_string())));
    assert_eq!(policy.tool.oldest, Some([0, 4, 0]));
    assert_eq!(policy.required.tags, ["artifact:log"]);
    assert_eq!(policy.required.scenarios[0].at_least, 2);
    let never = &policy.waivers.never_kinds;
    assert_eq!(never[..], [FailureKind::Denied, FailureKind::Missing]);
    assert_eq!(policy.history, Some(Folder::Named));
    assert_eq!(policy.coverage.as_ref().unwrap().retired.len(), 1);
    assert_eq!(policy.digest, Sha256::of(GOOD.as_bytes()));
    assert_eq!(policy.answerers.as_deref(), Some(Path::new("ci/answerers")));
    assert_eq!(policy.answered_within, Some(Duration::from_secs(12 * 3600)));
    assert_eq!(policy.accept_versions, ["0.4.0"]);
    // Who signs runs signs shards, unless it is said who does.
    assert_eq!(policy.who_signs_shards(), ["ci@ops.example"]);
    let sites = GOOD.replacen("revoked:", "shard_signers: [ny4, ld5]\nrevoked:", 1);
    assert_eq!(parse(&sites).unwrap().who_signs_shards(), ["ny4", "ld5"]);
    let least = parse("environment: production\nmax_age: 24h\n").unwrap();
    assert_eq!((&least.answerers, least.accept_versions.len()), (&None, 0));
    assert_eq!(least.who_signs_shards(), [""; 0]);
    assert_eq!(least.waivers, Waived::default());
    let kinds = "environment: a\nmax_age: 1h\nrequired: {kinds: [log, other]}\n";
    let kinds = parse(kinds).unwrap();
    assert_eq!(kinds.required.kinds, [Kind::Log, Kind::Other]);
    let log = "there is an instance, and of every one a log was retrieved, by each of its teams";
    assert!(kinds.say().iter().any(|line| line == log));
    let none = parse("environment: a\nmax_age: 1h\nwaivers: none\nretries: none\n").unwrap();
    assert!(none.waivers.none);
    assert_eq!(none.retries.most_checks, Some(0));
    let at = parse("environment: a\nmax_age: 1h\nhistory: runs\n").unwrap();
    assert_eq!(at.history, Some(Folder::At("ci/runs".into())));
}

#[test]
fn names_every_problem_with_its_place() {
    let bad = GOOD
        .replacen("max_age: 24h", "max_aeg: 24h", 1)
        .replacen("approvals: 2", "approvals: 0", 1)
        .replacen("oldest: 0.4.0", "oldest: 0.4", 1)
        .replacen("at_least: 2", "atleast: 2", 1)
        .replacen("most_days: 14", "most_days: 31", 1)
        .replacen("[denied, missing]", "[denied, mising]", 1)
        .replacen("from: 2026-11-20", "from: soon", 1);
    let problems = parse(&bad).unwrap_err().into_vec();
    assert_eq!(
        said(&problems),
        [
            "2:1 unknown key `max_aeg` of the policy",
            "6:12 `approvals`: cannot read `0`",
            "13:11 `oldest`: cannot read `0.4`",
            "26:7 unknown key `atleast` of a scenario",
            "30:14 `most_days`: cannot read `31`",
            "32:21 unknown kinds `mising`",
            "49:13 `from`: cannot read `soon`",
        ]
    );
    assert_eq!(problems[0].hint, "did you mean `max_age`?");
    assert_eq!(problems[4].hint, "write a whole number from 1 to 30");
    assert_eq!(problems[5].hint, "did you mean `missing`?");
}

#[test]
fn what_demands_nothing_is_refused() {
    for text in ["", "# nothing yet\n", "~\n"] {
        let problems = parse(text).unwrap_err().into_vec();
        assert_eq!(problems[0].message, "the policy demands nothing", "{text}");
    }
    for text in ["{}\n", "environment: production\n", "max_age: 1h\n"] {
        assert!(parse(text).is_err(), "{text}");
    }
    for (key, empty) in [
        ("signers", "[]"),
        ("shard_signers", "[]"),
        ("features", "[]"),
        ("tool", "{}"),
        ("tool", "{versions: []}"),
        ("required", ""),
        ("required", "{}"),
        ("required", "{tags: []}"),
        ("required", "{kinds: []}"),
        ("required", "{artifacts: []}"),
        ("accept_versions", "[]"),
        ("required", "{scenarios: []}"),
        ("waivers", "{}"),
        ("waivers", ""),
        ("waivers", "{never: {}}"),
        ("waivers", "{never: {kinds: []}}"),
        ("retries", "{}"),
        ("coverage", "{}"),
        ("coverage", "{last_go: required, retired: []}"),
    ] {
        let text = format!("environment: production\nmax_age: 24h\n{key}: {empty}\n");
        let problems = parse(&text).unwrap_err().into_vec();
        let said = &problems[0].message;
        assert!(said.contains("demands nothing"), "{key}: {empty}: {said}");
    }
}

#[test]
fn each_rule_refuses() {
    for (from, to, expected) in [
        (
            "production",
            "\"*\"",
            "1:14 `environment`: `*` is not acceptable",
        ),
        ("max_age: 24h\n", "", "1:1 the policy has no `max_age`"),
        (
            "max_age: 24h",
            "max_age: 24",
            "2:10 `max_age`: cannot read `24`",
        ),
        (
            "[ci@ops.example]",
            "[\"*@ops.example\"]",
            "3:11 `signers`: `*@ops.example` is not acceptable",
        ),
        (
            "[ci@ops.example]",
            "[ci@ops.example, ci@ops.example]",
            "3:27 `signers` names `ci@ops.example` twice",
        ),
        (
            "revoked: revoked_keys",
            "shard_signers: [\"site-*\"]",
            "4:17 `shard_signers`: `site-*` is not acceptable",
        ),
        (
            "approvers: approvers\n",
            "",
            "5:1 `approvals` without `approvers`",
        ),
        (
            "commit: required",
            "commit: main",
            "9:9 `commit`: cannot read `main`",
        ),
        (
            "release: sha256:e3",
            "release: sha256:",
            "10:10 `release`: cannot read `sha256:b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991…`",
        ),
        (
            "go_live: 2026-12-02T01:30:00-08:00",
            "go_live: 2026-12-02T01:30:00",
            "54:10 `go_live`: cannot read `2026-12-02T01:30:00`",
        ),
        (
            "challenge: required",
            "challenge: x",
            "11:12 unknown challenge `x`",
        ),
        (
            "oldest: 0.4.0",
            "oldest: 0.4.0\n  versions: [0.3.0]",
            "14:14 `0.3.0` is older than `oldest` permits",
        ),
        (
            "[\"@artifact:log\"]",
            "[artifact]",
            "16:10 `tags`: `artifact` is not acceptable",
        ),
        (
            "orders*",
            "\"*\"",
            "22:17 `instance`: `*` is not acceptable",
        ),
        (
            "event log of *",
            "\"**\"",
            "24:17 `scenario`: `**` is not acceptable",
        ),
        ("most: 2", "most: 0", "28:9 `most`: cannot read `0`"),
        (
            "waivers:\n",
            "waivers: all\nold:\n",
            "27:10 unknown waivers `all`",
        ),
        (
            "restating: none",
            "restating: true",
            "38:14 `restating`: `true` could be text or a yes-or-no",
        ),
        (
            "  tsa_ca: tsa.pem\n",
            "",
            "40:3 `time_stamp` has no `tsa_ca`",
        ),
        (
            "last_go: required",
            "last_go: wanted",
            "44:12 unknown last_go `wanted`",
        ),
        (
            "since: 2026-11-01",
            "since: 2026-11-01T00:00:00Z",
            "45:10 `since`: cannot read `2026-11-01T00:00:00Z`",
        ),
        (
            "    - instance: risk\n      reason",
            "    - reason",
            "47:7 an entry that does not say what is retired",
        ),
        (
            "instance: risk",
            "instance: \"*\"",
            "47:17 `instance`: `*` is not acceptable",
        ),
        (
            "instance: risk",
            "instance: ord*",
            "47:7 instance `orders` is required above, and retired here",
        ),
        (
            "      reason: moved to the other site\n",
            "",
            "47:7 an entry of `retired` has no `reason`",
        ),
        (
            "answerers: answerers\n",
            "",
            "50:1 `answered_within` without `answerers`",
        ),
        (
            "answered_within: 12h",
            "answered_within: soon",
            "51:18 `answered_within`: cannot read `soon`",
        ),
        (
            "[0.4.0]\n",
            "[0.4]\n",
            "52:19 `accept_versions`: `0.4` is not acceptable",
        ),
        (
            "accept_versions: [0.4.0]",
            "accept_versions: [0.4.0, 0.3.0]",
            "52:26 `0.3.0` is a version that `tool` does not permit",
        ),
        (
            "oldest: 0.4.0",
            "versions: [0.5.0]",
            "52:19 `0.4.0` is a version that `tool` does not permit",
        ),
        (
            "teams: [operations]",
            "kinds: [logs]",
            "19:11 unknown kinds `logs`",
        ),
        (
            "{within: 92d, folder",
            "{folder",
            "53:8 `drill` has no `within`",
        ),
        (
            "within: 92d",
            "within: 92",
            "53:17 `within`: cannot read `92`",
        ),
        (
            "vendors: [60east]",
            "vendors: []",
            "53:65 `vendors` demands nothing",
        ),
    ] {
        let said = wrong(from, to);
        assert!(said.iter().any(|one| one == expected), "{to}: {said:#?}");
    }
    // The benign twin: what is narrowed by a scenario retires no instance.
    let narrowed = GOOD.replacen("instance: risk", "instance: orders\n      scenario: a*", 1);
    assert!(parse(&narrowed).is_ok());
}

#[test]
fn retires_what_it_names_and_no_more() {
    let selector = |text: &str| {
        let text = GOOD.replacen("instance: risk", text, 1);
        let policy = parse(&text).unwrap();
        policy.coverage.unwrap().retired.remove(0).what
    };
    let check = Lost {
        feature: Some("features/a.feature"),
        scenario: Some("event log of risk"),
        instance: Some("risk"),
        host: Some("ld5-1"),
        team: Some("support"),
        step: None,
    };
    let step = Lost {
        step: Some("the log covers the last 24 hours"),
        ..check
    };
    let instance = Lost {
        instance: Some("risk"),
        host: Some("ld5-1"),
        ..Lost::default()
    };
    for (text, of_check, of_step, of_instance) in [
        ("instance: risk", true, false, true),
        ("host: ld5-?", true, false, true),
        ("team: support", true, false, false),
        ("scenario: event log of *", true, false, false),
        (
            "scenario: event log of *\n      instance: quotes",
            false,
            false,
            false,
        ),
        ("step: the log covers *", false, true, false),
        (
            "step: the log covers *\n      team: other",
            false,
            false,
            false,
        ),
    ] {
        let selector = selector(text);
        assert_eq!(selector.means(&check), of_check, "{text}");
        assert_eq!(selector.means(&step), of_step, "{text}");
        assert_eq!(selector.means(&instance), of_instance, "{text}");
    }
}

#[test]
fn says_in_plain_words_what_is_demanded_and_what_is_not() {
    let all = parse(GOOD).unwrap().say();
    for line in [
        "it has 2 checks or more of scenario `event log of *` of `features/*.feature`",
        "no failure of kind `denied` is waived",
        "not asked for from 2026-11-20 on: instance `risk` (moved to the other site)",
        "at most 1 check was tried more than once",
        "what it asks of people was answered by people of `ci/answerers`, at most 12h after its end, never by who signed it",
        "it was made for the go-live 2026-12-02T09:30:00Z",
        "a run of gonogo 0.4.0 is taken too, although less of it is compared",
        "with `60east` a drill in this environment passed that began at most 92d ago: it is in the unbroken chain of `ci/drills`, and was signed off by two people of `ci/drillers`",
    ] {
        assert!(all.iter().any(|said| said == line), "{line}: {all:#?}");
    }
    assert!(
        !all.iter().any(|line| line.starts_with("not demanded")),
        "{all:#?}"
    );
    let least = parse("environment: production\nmax_age: 24h\n").unwrap();
    let not = least.say();
    let not: Vec<_> = not
        .iter()
        .filter(|line| line.starts_with("not demanded"))
        .collect();
    assert_eq!(not.len(), 17, "{not:#?}");
}

#[test]
fn what_is_no_policy_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.yaml");
    assert!(Policy::load(&path).is_err());
    assert!(Policy::load(folder.path()).is_err());
    std::fs::write(&path, vec![b'#'; 2 << 20]).unwrap();
    assert!(Policy::load(&path).is_err());
    std::fs::write(&path, GOOD).unwrap();
    assert!(Policy::load(&path).is_ok());
    std::fs::write(&path, [GOOD.as_bytes(), b"\xff"].concat()).unwrap();
    assert!(Policy::load(&path).is_err());
}
