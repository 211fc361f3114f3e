//! Tests over whole plans: from texts of features and an inventory to checks, visits and problems.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::*;

const INVENTORY: &str = "\
environment: production
ssh: {host_key: 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', key: k}
hosts:
  a: {address: 127.0.0.1, groups: [ny]}
  b: {address: 127.0.0.2, groups: [ld], via: [hop]}
  hop: {address: 127.0.0.3}
teams:
  ops: {user: ops}
  sup: {user: sup, elevate: {sudo: amps}}
vendors: {60east: {}}
instances:
  orders: {product: amps, host: a, teams: [ops, sup], vars: {home: /o}, expect: {version: 5.3.4.12, name: orders}}
  trades: {product: amps, host: b, teams: [ops], vars: {home: /t}}
";

/// All four kinds, for each instance and each team responsible.
const ALL: &str = "\
Feature: all
  @four
  Scenario: all of <instance> for <team>
    Given each instance
    And each team responsible for it
    When the team connects
    Then the version can be retrieved
    And the configuration can be retrieved
    And the event log can be retrieved
    And the statistics database can be retrieved
";

fn inventory() -> Arc<Inventory> {
    Arc::new(Inventory::parse(Path::new("i.yaml"), INVENTORY.as_bytes().to_vec()).unwrap())
}

fn plan_of(features: &[&str], filters: &Filters) -> Result<Plan, Vec<Problem>> {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("features");
    fs::create_dir(&directory).unwrap();
    for (index, text) in features.iter().enumerate() {
        fs::write(directory.join(format!("{index}.feature")), text).unwrap();
    }
    make(&inventory(), read(&[directory])?, filters)
}

fn plan(extra: &str) -> Result<Plan, Vec<Problem>> {
    plan_of(
        &[ALL, &format!("Feature: extra\n{extra}")],
        &Filters::default(),
    )
}

fn ids(plan: &Plan) -> Vec<&str> {
    plan.checks.iter().map(|check| check.id.as_str()).collect()
}

#[test]
fn scenarios_are_crossed_with_instances_and_teams_in_file_order() {
    let plan = plan_of(&[ALL], &Filters::default()).unwrap();
    assert_eq!(
        ids(&plan),
        [
            "features/0.feature:3@orders/ops",
            "features/0.feature:3@orders/sup",
            "features/0.feature:3@trades/ops"
        ]
    );
    assert_eq!(plan.checks[1].scenario, "all of orders for sup");
    assert_eq!(
        plan.digest,
        plan_of(&[ALL], &Filters::default()).unwrap().digest
    );
    // What is printed and what is hashed piece by piece are one text.
    assert_eq!(plan.digest, Sha256::of(super::text(&plan).as_bytes()));
}

#[test]
fn every_selector_selects_what_it_says() {
    for (selectors, labels) in [
        ("Given each instance", vec!["orders/ops", "trades/ops"]),
        (
            "Given each \"amps\" instance",
            vec!["orders/ops", "trades/ops"],
        ),
        ("Given each instance on group \"ny\"", vec!["orders/ops"]),
        (
            "Given each \"amps\" instance on group \"ld\"",
            vec!["trades/ops"],
        ),
        (
            "Given each instance\n    And the \"sup\" team",
            vec!["orders/sup", "trades/sup"],
        ),
        (
            "Given each host\n    And the \"ops\" team",
            vec!["a/ops", "b/ops"],
        ),
        (
            "Given each host on group \"ld\"\n    And each team",
            vec!["b/ops", "b/sup"],
        ),
    ] {
        let plan = plan(&format!(
            "  Scenario: s\n    {selectors}\n    When the team connects\n"
        ))
        .unwrap();
        let found: Vec<String> = plan
            .checks
            .iter()
            .skip(3)
            .map(|check| check.subject.label())
            .collect();
        assert_eq!(found, labels, "{selectors}");
    }
}

#[test]
fn what_can_be_known_before_connecting_is_refused() {
    for (steps, message) in [
        (
            "Given each instance\n    When the team conects",
            "undefined step `the team conects`",
        ),
        (
            "Given the \"trades\" instance\n    And each team responsible for it\n    When the team connects",
            "undefined step `the \"trades\" instance`",
        ),
        (
            "Given each \"kdb\" instance\n    When the team connects",
            "unknown product `kdb`",
        ),
        (
            "Given each instance on group \"nyc\"\n    When the team connects",
            "unknown group `nyc`",
        ),
        (
            "Given each host\n    And the \"opps\" team\n    When the team connects",
            "unknown team `opps`",
        ),
        ("Given the \"echo\" vendor", "unknown vendor `echo`"),
        ("Given each instance", "a scenario that only selects"),
        ("When the team connects", "needs a host and a team"),
        (
            "Given each host\n    When the team connects",
            "needs a host and a team",
        ),
        (
            "Given each team responsible for it\n    When the team connects",
            "none is selected before",
        ),
        (
            "Given each instance\n    And each host\n    When the team connects",
            "hosts are selected twice",
        ),
        (
            "Given each instance\n    And each instance\n    When the team connects",
            "instances are selected twice",
        ),
        (
            "Given each host\n    And the \"ops\" team\n    Then the version can be retrieved",
            "needs an instance",
        ),
        (
            "Given each instance\n    Then artifact \"event lag\" can be retrieved",
            "no artifact `event lag` did you mean `event log`?",
        ),
        (
            "Given each instance\n    Then the version is the expected one",
            "instance `trades` has no `expect: {version: …}`",
        ),
        (
            "Given each instance\n    Then the version is well-formed",
            "is not of a format that can be parsed",
        ),
        (
            "Given each instance\n    Then the configuration covers the last 2 hours",
            "is not a log",
        ),
        (
            "Given each instance\n    Then the event log is consistent",
            "is not a database",
        ),
        (
            "Given each instance\n    Then the command succeeds",
            "no command was run before this step",
        ),
        (
            "Given each instance\n    When the team runs \"cat /x | wc -l\"",
            "`|` in a command",
        ),
        (
            "Given each instance\n    Then the event log covers the last 0 hours",
            "out of range",
        ),
    ] {
        let problems = plan(&format!("  Scenario: s\n    {steps}\n")).expect_err(steps);
        assert!(
            problems.iter().any(|p| p.message.contains(message)),
            "{steps}: {problems:#?}"
        );
        assert!(
            problems.iter().all(|p| p.place.line > 0),
            "{steps}: {problems:#?}"
        );
    }
}

#[test]
fn one_slip_is_told_once_and_several_are_told_together() {
    let slips = "  Scenario: s\n    Given each instance\n    And each team responsible for it\n    When the team conects\n    Then the version can be got\n";
    assert_eq!(plan(slips).unwrap_err().len(), 2);
}

#[test]
fn every_kind_is_demanded_of_every_instance_and_team() {
    for (good, bad, missing) in [
        (
            "    And the event log can be retrieved\n",
            "",
            "the log of instance `trades` as team `ops`",
        ),
        (
            "    And each team responsible for it\n",
            "",
            "instance `orders` as team `sup`",
        ),
        (
            "each instance",
            "each instance on group \"ny\"",
            "instance `trades` as team `ops`",
        ),
    ] {
        let problems = plan_of(&[&ALL.replace(good, bad)], &Filters::default()).expect_err(bad);
        assert!(
            problems.iter().any(|p| p.message.contains(missing)),
            "{problems:#?}"
        );
    }
}

#[test]
fn filters_narrow_and_say_so_and_never_match_nothing() {
    let filters = |tags: Option<&str>, instance: &[&str], host: &[&str], team: &[&str]| {
        let own = |globs: &[&str]| {
            globs
                .iter()
                .map(|&glob| glob.to_owned())
                .collect::<Vec<_>>()
        };
        Filters::new(tags, &own(instance), &own(host), &own(team))
    };
    let kept =
        |filters: Filters| plan_of(&[ALL], &filters).map(|plan| (ids(&plan).len(), plan.filters));
    assert_eq!(
        kept(filters(None, &["tr*"], &[], &[]).unwrap()).unwrap(),
        (1, vec!["--instance tr*".to_owned()])
    );
    assert_eq!(
        kept(filters(None, &[], &["a"], &["sup", "ops"]).unwrap())
            .unwrap()
            .0,
        2
    );
    assert_eq!(
        kept(filters(Some("@four and not @slow"), &[], &[], &[]).unwrap())
            .unwrap()
            .0,
        3
    );
    for nothing in [
        filters(Some("@five"), &[], &[], &[]),
        filters(None, &["x*"], &[], &[]),
        filters(None, &["orders", "x*"], &[], &[]),
        filters(None, &["trades"], &["a"], &[]),
    ] {
        assert!(
            kept(nothing.unwrap()).unwrap_err()[0]
                .message
                .contains("matches no check")
        );
    }
    assert!(filters(Some("@a and"), &["[x"], &[], &[]).is_err_and(|problems| problems.len() == 2));
}

#[test]
fn a_visit_lists_what_will_be_used_and_nothing_else() {
    let plan = plan_of(&[ALL], &Filters::default()).unwrap();
    let visits: Vec<(&str, &str)> = plan
        .visits
        .iter()
        .map(|v| (v.host.as_str(), v.team.as_str()))
        .collect();
    assert_eq!(visits, [("a", "ops"), ("a", "sup"), ("b", "ops")]);
    let after_denial = |visit: usize| -> Vec<String> {
        let planned = plan.visits[visit].after_denial();
        planned.iter().map(crate::plan::Planned::line).collect()
    };
    // Looking after a denial is planned too, and never by sudo.
    let looks = after_denial(0);
    assert!(looks.contains(&"ls -ld -- / /o /o/bin /o/bin/ampServer".to_owned()));
    assert!(looks.contains(&"id".to_owned()) && after_denial(1).contains(&"id amps".to_owned()));
    assert!(!after_denial(1).iter().any(|line| line.contains("sudo")));
    let commands = plan.visits[0].commands().into_iter();
    let commands: Vec<String> = commands.filter(|line| !looks.contains(line)).collect();
    let own = ["date -u +%s", "hostname"];
    assert_eq!(commands, ["/o/bin/ampServer --version", own[0], own[1]]);
    let elevated = plan.visits[1].commands();
    for line in [
        "/o/bin/ampServer --version",
        "head -c SIZE -- /o/stats.db-wal",
        "find /o/logs/ -mindepth 1 -maxdepth 1 -print0",
    ] {
        assert!(
            elevated.contains(&format!("sudo -n -u amps -- {line}")),
            "{line}: {elevated:#?}"
        );
    }
    // Who the host is and what time it has, anybody may ask: sudoers needs no line for it.
    assert!(own.iter().all(|line| elevated.contains(*line)));
    let by_sudo = |line: &&String| line.contains("hostname") || line.contains("/etc/");
    assert_eq!(elevated.iter().filter(by_sudo).count(), 1, "{elevated:#?}");
    assert!(plan.visits[1].patterns().contains("/etc/machine-id"));
    let shown = text(&plan);
    assert!(
        shown.contains("b as ops  (ops@127.0.0.2:22 by key k via ops@127.0.0.3:22 by key k)"),
        "{shown}"
    );
    assert!(shown.contains("    read     /t/logs/*.log*\n"), "{shown}");
}

#[test]
fn the_ways_of_logging_in_are_told_in_order_wherever_the_inventory_lies() {
    let ways = "{user: ops, key: keys/ops, certificate: keys/ops-cert.pub, agent: keys/a.pub, \
                keyboard_interactive: [{env: PIN}, {command: [otp, SEED]}], password_env: SECRET}";
    let text = INVENTORY.replace("{user: ops}", ways);
    let at = |path: &str| {
        let inventory = Inventory::parse(Path::new(path), text.clone().into_bytes()).unwrap();
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("all.feature"), ALL).unwrap();
        let features = read(&[root.path().to_owned()]).unwrap();
        make(&Arc::new(inventory), features, &Filters::default()).unwrap()
    };
    let (here, there) = (at("i.yaml"), at("/srv/estate/i.yaml"));
    let shown = super::text(&here);
    let expected = "(ops@127.0.0.1:22 by key ops with ops-cert.pub, then agent key a.pub, then \
                    keyboard-interactive, then password)";
    assert!(shown.contains(expected), "{shown}");
    for secret in ["PIN", "SEED", "SECRET"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    // The temporary directory's name is in neither.
    let lines = |plan: &Plan| {
        super::text(plan)
            .lines()
            .skip(3)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(lines(&here)[1..], lines(&there)[1..]);
}

#[test]
fn an_account_for_files_only_is_asked_for_no_command() {
    let written = INVENTORY.replace(
        "sup: {user: sup, elevate: {sudo: amps}}",
        "sup: {user: sup, transport: sftp}",
    );
    let make_with = |more: &str| {
        let text = written.replace("expect: {version: 5.3.4.12, name: orders}", more);
        let inventory = Inventory::parse(Path::new("i.yaml"), text.into_bytes()).unwrap();
        let root = tempfile::tempdir().unwrap();
        let feature = root.path().join("all.feature");
        fs::write(&feature, ALL).unwrap();
        make(&Arc::new(inventory), read(&[feature])?, &Filters::default())
    };
    let problems = make_with("expect: {name: orders}").unwrap_err();
    let told: Vec<_> = problems.iter().map(|problem| &problem.message).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("team `sup` has files only")
            && told[0].contains("/o/bin/ampServer --version"),
        "{told:?}"
    );
    assert_eq!(problems[0].place.line, 7);
    let by_file = "artifacts: {version: {path: \"{home}/VERSION\"}}";
    assert_eq!(make_with(by_file).unwrap().checks.len(), 3);
}

/// The command that reads a set together is printed where the inventory consents and the account runs it as itself,
/// and nowhere else; the digest tells such a plan from another.
#[test]
fn a_command_for_many_files_is_planned_with_consent_alone() {
    let of = |gather: &str| {
        let text = INVENTORY.replace("key: k}", &format!("key: k{gather}}}"));
        let inventory = Inventory::parse(Path::new("i.yaml"), text.into_bytes()).unwrap();
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("features");
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("all.feature"), ALL).unwrap();
        make(
            &Arc::new(inventory),
            read(&[directory]).unwrap(),
            &Filters::default(),
        )
        .unwrap()
    };
    let plain = of("");
    assert!(!render::text(&plain).contains("NONCE"));
    assert_eq!(plain.digest, of(", gather: each").digest);
    let framed = of(", gather: framed");
    assert_ne!(plain.digest, framed.digest);
    let lines = |plan: &Plan, visit: usize| {
        let commands = plan.visits[visit].commands().into_iter();
        commands
            .filter(|line| line.contains("NONCE"))
            .collect::<Vec<_>>()
    };
    let ends = |end: &str| {
        lines(&framed, 0)
            .iter()
            .filter(|line| line.ends_with(end))
            .count()
    };
    let sets = [
        "t f /etc/machine-id /etc/hostname",
        "l /o/config/ '*.xml'",
        "l /o/logs/ '*.log*'",
    ];
    for set in sets {
        assert_eq!(ends(set), 1, "{set}: {:#?}", lines(&framed, 0));
    }
    assert_eq!(lines(&framed, 0).len(), 4, "the database, too");
    // By sudo files are read as ever.
    assert_eq!(framed.visits[1].team, "sup");
    assert_eq!(lines(&framed, 1), Vec::<String>::new());
}
