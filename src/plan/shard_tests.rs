//! What the parts of a plan are: all of it, nothing twice, a host in one piece, the same on each machine.

use std::path::Path;
use std::sync::Arc;

use super::*;

const FEATURE: &str = "\
Feature: reach
  Scenario: <host> is reached by <team>
    Given each host
    And each team
    When the team connects
";

/// Hosts `h00`… with these groups; `h00` and `h01` are one machine.
fn plan(groups: &[&str]) -> Plan {
    let mut inventory = "environment: production\nssh: {host_key: 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', key: k}\nhosts:\n".to_owned();
    for (at, group) in groups.iter().enumerate() {
        let machine = if at < 2 { ", machine: one" } else { "" };
        inventory += &format!(
            "  h{at:02}: {{address: 127.0.0.{}, groups: [{group}]{machine}}}\n",
            at + 1
        );
    }
    inventory += "  idle: {address: 127.0.0.99, groups: [spare]}\n  h02x: {address: 127.0.0.98, via: [idle]}\n";
    inventory += "teams: {ops: {user: ops}, sup: {user: sup}}\n";
    let inventory = Inventory::parse(Path::new("i.yaml"), inventory.into_bytes()).unwrap();
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("reach.feature");
    std::fs::write(&file, FEATURE).unwrap();
    make(
        &Arc::new(inventory),
        read(&[file]).unwrap(),
        &Filters::default(),
    )
    .unwrap()
}

fn shard(number: usize, of: usize, groups: &[&str]) -> Shard {
    Shard {
        number,
        of,
        groups: groups.iter().map(|&group| group.to_owned()).collect(),
    }
}

#[test]
fn the_parts_are_the_whole_and_nothing_is_in_two() {
    let whole = plan(&["ny", "ny", "ld", "ld", "ny"]);
    assert_eq!(whole.checks.len(), 12);
    for of in [1, 2, 3, 4, 5, 6, 7, 64, MOST_SHARDS] {
        let numbers = (1..=of).take(100);
        let parts: Vec<Part> = numbers
            .map(|number| whole.part(&shard(number, of, &[])).unwrap())
            .collect();
        let mut all: Vec<usize> = parts.iter().flat_map(|part| part.checks.clone()).collect();
        all.sort_unstable();
        assert_eq!(all, (0..12).collect::<Vec<_>>(), "{of}");
        for part in &parts {
            assert_eq!(part.whole, 12);
            // A host is in one piece, and so is a machine.
            assert_eq!(part.checks.len(), 2 * part.hosts.len());
            assert_eq!(part.hosts.contains("h00"), part.hosts.contains("h01"));
        }
        let most = parts.iter().map(|part| part.hosts.len()).max().unwrap();
        let even = [0, 6, 3, 2].get(of).copied().unwrap_or(2);
        assert_eq!(most, even, "{of}");
        // More shards than machines: the rest have nothing to do, and say so.
        let idle = parts.iter().filter(|part| part.checks.is_empty()).count();
        assert_eq!(idle, parts.len().saturating_sub(5), "{of}");
    }
}

#[test]
fn a_part_is_cut_from_checks_and_visits_and_keeps_the_digest() {
    let whole = plan(&["ny", "ny", "ld"]);
    let mut told = Vec::new();
    for number in 1..=2 {
        let mut part = whole.clone();
        part.cut(&shard(number, 2, &[])).unwrap();
        assert_eq!(part.digest, whole.digest);
        let hosts = &part.part.as_ref().unwrap().hosts;
        assert!(part.visits.iter().all(|visit| hosts.contains(&visit.host)));
        assert_eq!(part.visits.len(), part.checks.len());
        assert!(
            part.checks
                .iter()
                .all(|check| hosts.contains(check.subject.host.as_ref().unwrap()))
        );
        let says = format!("\nshard {number}/2: {} of 8 checks\n", part.checks.len());
        assert!(text(&part).contains(&says), "{}", text(&part));
        told.extend(part.checks.into_iter().map(|check| check.id));
    }
    told.sort();
    let mut all: Vec<_> = whole.checks.iter().map(|check| check.id.clone()).collect();
    all.sort();
    assert_eq!(told, all);
}

#[test]
fn a_site_has_the_hosts_of_its_groups() {
    let whole = plan(&["ny", "ny", "ld", "ld", "to"]);
    let hosts = |one: &Shard| {
        let part = whole.part(one).unwrap();
        part.hosts.into_iter().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(hosts(&shard(1, 1, &["ny"])), "h00 h01");
    assert_eq!(hosts(&shard(1, 1, &["ld", "to"])), "h02 h03 h04");
    // A site may be split too.
    assert_eq!(hosts(&shard(1, 2, &["ld", "to"])), "h02 h04");
    assert_eq!(hosts(&shard(2, 2, &["ld", "to"])), "h03");
}

#[test]
fn what_is_in_no_group_has_a_name_and_is_nobodys_unasked() {
    let whole = plan(&["ny", "ny", "ld"]);
    let hosts = |one: &Shard| {
        let part = whole.part(one).unwrap();
        let hosts = part.hosts.into_iter().collect::<Vec<_>>().join(" ");
        (hosts, part.ungrouped)
    };
    assert_eq!(hosts(&shard(1, 1, &["ny"])), ("h00 h01".to_owned(), 2));
    assert_eq!(hosts(&shard(1, 1, &["none"])), ("h02x".to_owned(), 0));
    assert_eq!(
        hosts(&shard(1, 1, &["ld", "none"])),
        ("h02 h02x".to_owned(), 0)
    );
    assert_eq!(hosts(&shard(1, 9, &[])).1, 0);
    let told = |groups: &[&str]| {
        let mut part = whole.clone();
        part.cut(&shard(1, 1, groups)).unwrap();
        text(&part)
    };
    let says = "\nin no group: 2 checks, which `--group none` runs, alone or beside a group\n";
    assert!(told(&["ny"]).contains(says), "{}", told(&["ny"]));
    assert!(!told(&["none", "ny"]).contains("in no group"));
    // Everything is in some group: an empty part is as good as any, since what is in none comes and goes.
    let mut grouped = whole.clone();
    grouped
        .checks
        .retain(|check| check.subject.host.as_deref() != Some("h02x"));
    assert_eq!(
        grouped.part(&shard(1, 1, &["none"])).unwrap().checks,
        [0_usize; 0]
    );
    assert_eq!(grouped.part(&shard(1, 1, &["ny"])).unwrap().ungrouped, 0);
    // An inventory whose group has that name.
    let other = plan(&["ny", "ny", "none"]);
    let told = other.part(&shard(1, 1, &["none"])).unwrap_err();
    assert!(
        told[0]
            .message
            .contains("the inventory has a group of that name"),
        "{told:?}"
    );
    assert!(other.part(&shard(1, 1, &["ny"])).is_ok());
}

#[test]
fn what_is_no_part_is_refused_all_of_it_at_once() {
    let whole = plan(&["ny", "ny", "ld"]);
    for (number, of) in [
        (0, 3),
        (4, 3),
        (1, 0),
        (1, MOST_SHARDS + 1),
        (usize::MAX, usize::MAX),
    ] {
        let told = whole.part(&shard(number, of, &[])).unwrap_err();
        assert!(told[0].message.starts_with("there is no shard"), "{told:?}");
    }
    let told = whole
        .part(&shard(1, 1, &["nyy", "spare", "ny"]))
        .unwrap_err();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0].hint, "did you mean `ny`?");
    assert!(
        told[1]
            .message
            .contains("nothing is checked on the hosts of group `spare`"),
        "{told:?}"
    );
}

#[test]
fn filters_are_read_back_as_they_are_told() {
    let globs = |text: &str| vec![text.to_owned()];
    let filters = Filters::new(
        Some("@a and not @b"),
        &globs("o*"),
        &globs("h 1"),
        &globs("ops"),
    )
    .unwrap();
    let words = filters.in_clear();
    assert_eq!(Filters::told(&words).unwrap().in_clear(), words);
    assert!(Filters::told(&[]).unwrap().is_empty());
    for word in ["", "--tags", "--port 1", "host h"] {
        assert!(Filters::told(&globs(word)).is_err(), "{word}");
    }
}
