//! Files of waivers, good and bad: every problem with its place, each refusal with a twin that reads.

use super::*;

const GOOD: &str = "waivers:
  - id: W-2026-07
    check: features/logs.feature:12@orders/operations
    reason: the log is quiet at weekends
    ticket: OPS-4411
    requester: ann@ops.example
    approver: bob@ops.example
    from: 2026-11-20T00:00:00Z
    expires: 2026-12-15T18:00:00+01:00
  - id: W-2026-08
    scenario: event log of * for *
    instance: quotes
    team: market-data
    reason: the second feed is not live yet
    ticket: OPS-4412
    requester: ann@ops.example
    approver: carl@ops.example
    from: 2026-11-20T00:00:00[Europe/Berlin]
    expires: 2026-12-15T00:00:00Z
environment: production
";

fn parse(text: &str) -> Result<WaiverFile, Problems> {
    WaiverFile::parse(Path::new("waivers.yaml"), text.as_bytes().to_vec())
}

fn said(problems: &[Problem]) -> Vec<String> {
    let said = problems.iter().map(|problem| {
        let place = problem.place.to_string();
        format!(
            "{} {}",
            place.trim_start_matches("waivers.yaml:"),
            problem.message
        )
    });
    said.collect()
}

/// What is wrong after that change.
#[track_caller]
fn wrong(from: &str, to: &str) -> Vec<String> {
    assert!(GOOD.contains(from), "{from}");
    let problems = parse(&GOOD.replacen(from, to, 1)).unwrap_err().into_vec();
    assert!(
        problems.iter().all(|one| !one.hint.is_empty()),
        "{problems:?}"
    );
    said(&problems)
}

#[test]
fn reads_a_good_file() {
    let file = parse(GOOD).unwrap();
    let [one, other] = &file.waivers[..] else {
        panic!("{file:?}");
    };
    assert_eq!(one.expires, "2026-12-15T17:00:00Z".parse().unwrap());
    assert_eq!(other.from, "2026-11-19T23:00:00Z".parse().unwrap());
    assert_eq!(
        one.selects(),
        "check `features/logs.feature:12@orders/operations`"
    );
    assert_eq!(
        other.selects(),
        "scenario `event log of * for *`, instance `quotes`, team `market-data`"
    );
    assert_eq!(file.digest, Sha256::of(GOOD.as_bytes()));
}

#[test]
fn names_every_problem_with_its_place() {
    let bad = GOOD
        .replacen("check: ", "chekc: ", 1)
        .replacen("OPS-4411", "\"\"", 1)
        .replacen("2026-12-15T18:00:00+01:00", "2026-12-15", 1)
        .replacen("    instance: quotes\n", "", 1)
        .replacen("approver: carl@ops.example", "approver: Ann@ops.example", 1);
    let problems = parse(&bad).unwrap_err().into_vec();
    assert_eq!(
        said(&problems),
        [
            "3:5 unknown key `chekc` of a waiver",
            "5:13 `ticket`: `` is not acceptable",
            "9:14 `expires`: cannot read `2026-12-15`",
            "11:15 a scenario is waived only for an instance or a host",
            "16:15 requester and approver are the same",
        ]
    );
    assert_eq!(problems[0].hint, "did you mean `check`?");
}

#[test]
fn each_rule_refuses() {
    let check = "    check: features/logs.feature:12@orders/operations\n";
    for (from, to, expected) in [
        (
            "W-2026-08",
            "W-2026-07",
            "10:9 two waivers are called `W-2026-07`",
        ),
        ("W-2026-07", "\"W 7\"", "2:9 `id`: `W 7` is not acceptable"),
        (check, "", "2:5 a waiver that does not say what is waived"),
        (
            check,
            "    team: operations\n",
            "2:5 a waiver that does not say what is waived",
        ),
        (
            check,
            "    instance: orders\n",
            "2:5 a waiver that does not say what is waived",
        ),
        (
            "    instance: quotes\n",
            "    check: a\n    instance: quotes\n",
            "11:15 a waiver names a check or a scenario, not both",
        ),
        (
            "operations\n    reason",
            "operations\n    host: a\n    reason",
            "4:11 this narrows nothing beside `check`",
        ),
        (
            "instance: quotes",
            "instance: \"*\"",
            "12:15 `*` would mean everything",
        ),
        (
            "instance: quotes",
            "instance: \"?*\"",
            "12:15 `?*` would mean everything",
        ),
        (
            "event log of * for *",
            "\"**\"",
            "11:15 `**` would mean everything",
        ),
        (
            "team: market-data",
            "team: \"*\"",
            "13:11 `*` would mean everything",
        ),
        (
            "    reason: the log is quiet at weekends\n",
            "",
            "2:5 a waiver has no `reason`",
        ),
        ("    ticket: OPS-4411\n", "", "2:5 a waiver has no `ticket`"),
        (
            "    from: 2026-11-20T00:00:00Z\n",
            "",
            "2:5 a waiver has no `from`",
        ),
        (
            "    requester: ann@ops.example\n",
            "",
            "2:5 a waiver has no `requester`",
        ),
        (
            "approver: bob@ops.example",
            "approver: \"*\"",
            "7:15 `approver`: `*` is not acceptable",
        ),
        (
            "approver: bob@ops.example",
            "approver: bob, carl",
            "7:15 `approver`: `bob, carl` is not acceptable",
        ),
        (
            "2026-11-20T00:00:00Z",
            "2026-11-20T00:00:00",
            "8:11 `from`: cannot read `2026-11-20T00:00:00`",
        ),
        (
            "2026-12-15T18:00:00+01:00",
            "2026-11-20T00:00:00Z",
            "9:14 it expires before it begins",
        ),
        (
            "2026-12-15T18:00:00+01:00",
            "2026-12-20T00:00:01Z",
            "9:14 it would hold for more than 30 days",
        ),
        (
            "id: W-2026-07",
            "id: W-2026-07\n    id: W-3",
            "3:5 `id` is written twice",
        ),
        (
            "waivers:",
            "waiver:",
            "1:1 unknown key `waiver` of the file of waivers",
        ),
    ] {
        assert_eq!(wrong(from, to), [expected], "{from} → {to}");
    }
    // The twins: just as long as it may be, and one that begins where another ends.
    let most = GOOD.replacen("2026-12-15T18:00:00+01:00", "2026-12-20T00:00:00Z", 1);
    assert!(parse(&most).is_ok());
    for (text, expected) in [
        ("", " the file holds no waiver"),
        ("environment: a\nwaivers: []\n", " the file holds no waiver"),
        (
            "environment: a\nwaivers: nobody\n",
            "2:10 `waivers`: expected a list, found text",
        ),
    ] {
        let problems = parse(text).unwrap_err().into_vec();
        assert_eq!(
            said(&problems)[0].trim_start_matches("waivers.yaml"),
            expected,
            "{text}"
        );
    }
}

#[test]
fn holds_from_its_beginning_until_before_its_end() {
    let file = parse(GOOD).unwrap();
    for (now, expected) in [
        (
            "2026-11-19T22:59:59Z",
            vec![
                "8:11 waiver `W-2026-07` is not valid yet",
                "18:11 waiver `W-2026-08` is not valid yet",
            ],
        ),
        ("2026-11-20T00:00:00Z", vec![]),
        ("2026-12-14T23:59:59Z", vec![]),
        (
            "2026-12-15T00:00:00Z",
            vec!["19:14 waiver `W-2026-08` has expired"],
        ),
    ] {
        let now: Timestamp = now.parse().unwrap();
        let problems = file.not_valid_at(now);
        assert_eq!(said(&problems), expected, "{now}");
        assert_eq!(
            file.waivers.iter().all(|one| one.holds_at(now)),
            expected.is_empty()
        );
    }
}

fn check<'a>(id: &'a str, scenario: &'a str, instance: &'a str, team: &'a str) -> Target<'a> {
    Target {
        id,
        scenario,
        instance: Some(instance),
        host: Some("ny4-1"),
        team: Some(team),
    }
}

#[test]
fn means_what_it_names_and_nothing_else() {
    let file = parse(GOOD).unwrap();
    let checks = [
        check(
            "features/logs.feature:12@orders/operations",
            "event log of orders for operations",
            "orders",
            "operations",
        ),
        check(
            "features/logs.feature:12@quotes/operations",
            "event log of quotes for operations",
            "quotes",
            "operations",
        ),
        check(
            "features/logs.feature:12@quotes/market-data",
            "event log of quotes for market-data",
            "quotes",
            "market-data",
        ),
        check(
            "features/logs.feature:20@quotes/market-data",
            "statistics of quotes for market-data",
            "quotes",
            "market-data",
        ),
    ];
    let means = |which: usize| -> Vec<bool> {
        checks
            .iter()
            .map(|check| file.waivers[which].means(check))
            .collect()
    };
    assert_eq!(means(0), [true, false, false, false]);
    assert_eq!(means(1), [false, false, true, false]);
    assert!(file.misfits("production", &checks, true).is_empty());
    // Signed for one environment, they are worth nothing in another.
    let other = file.misfits("staging", &checks, true);
    assert_eq!(
        said(&other),
        ["20:14 waivers for environment `production`, not for `staging`"]
    );
    // A check without a team is not of the team asked for.
    let teamless = Target {
        team: None,
        ..checks[2]
    };
    assert!(!file.waivers[1].means(&teamless));
    // One that means nothing is misspelt, but where filters left something out.
    let other = [check(
        "features/logs.feature:12@orders/operatons",
        "x",
        "orders",
        "operatons",
    )];
    let problems = file.misfits("production", &other, true);
    assert_eq!(problems.len(), 2);
    assert_eq!(
        problems[0].message,
        "waiver `W-2026-07` means no planned check"
    );
    assert_eq!(
        problems[0].hint,
        "did you mean `features/logs.feature:12@orders/operatons`?"
    );
    assert!(file.misfits("production", &other, false).is_empty());
}

#[test]
fn a_pattern_that_means_every_check_is_refused_and_a_name_is_not() {
    let file = parse(GOOD).unwrap();
    let only = [check(
        "a",
        "event log of quotes for market-data",
        "quotes",
        "market-data",
    )];
    let problems = file.misfits("production", &only, false);
    assert_eq!(
        said(&problems),
        ["11:15 waiver `W-2026-08` means every planned check"]
    );
    let exact = GOOD.replacen(
        "event log of * for *",
        "event log of quotes for market-data",
        1,
    );
    assert!(
        parse(&exact)
            .unwrap()
            .misfits("production", &only, false)
            .is_empty()
    );
}

#[test]
fn stars_stand_for_parts() {
    for (pattern, name, expected) in [
        ("a*c", "abc", true),
        ("a*c", "ac", true),
        ("a?c", "ac", false),
        ("a?c", "aßc", true),
        ("*log*", "event log", true),
        ("*log", "event logs", false),
        ("a*b*c*d", "a-b-c-c-d", true),
        ("A", "a", false),
        ("[a]", "a", false),
        ("[a]", "[a]", true),
        ("", "a", false),
    ] {
        assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
    }
    let long = "a".repeat(20_000);
    assert!(!matches(&("a*".repeat(300) + "b"), &long));
}
