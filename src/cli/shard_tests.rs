//! What `--shard` takes, and what it refuses to guess.

use super::*;

#[test]
fn takes_one_spelling() {
    for (text, expected) in [
        ("1/1", Asked::Exactly(1, 1)),
        ("2/3", Asked::Exactly(2, 3)),
        ("4096/4096", Asked::Exactly(4096, 4096)),
        ("auto", Asked::Auto(None)),
        ("auto/3", Asked::Auto(Some(3))),
    ] {
        assert_eq!(text.parse::<Asked>().unwrap(), expected, "{text}");
    }
    for text in [
        "",
        "1",
        "/",
        "1/",
        "/3",
        "4/3",
        "1/0",
        "auto/0",
        "auto/",
        "AUTO",
        "+1/3",
        "1/+3",
        " 1/3",
        "1/3 ",
        "1/2/3",
        "-1/3",
        "1/4097",
        "auto/4097",
        "1.0/3",
        "99999999999999999999/3",
        "1/99999999999999999999",
    ] {
        let refused = text.parse::<Asked>().unwrap_err();
        assert!(refused.contains("K/N"), "{text}: {refused}");
    }
    // The commonest slip has its own words.
    assert_eq!("0/3".parse::<Asked>().unwrap_err(), "shards count from 1");
}

fn told(of: Option<usize>, set: &[(&str, &str)]) -> Result<(usize, usize), String> {
    let var = |name: &str| {
        let mut set = set.iter();
        set.find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    };
    auto(of, &var).map_err(|(why, _)| why)
}

#[test]
fn each_platform_counts_in_its_own_way() {
    let gitlab = [("CI_NODE_INDEX", "2"), ("CI_NODE_TOTAL", "3")];
    let buildkite = [
        ("BUILDKITE_PARALLEL_JOB", "1"),
        ("BUILDKITE_PARALLEL_JOB_COUNT", "3"),
    ];
    let circle = [("CIRCLE_NODE_INDEX", "1"), ("CIRCLE_NODE_TOTAL", "3")];
    for set in [gitlab, buildkite, circle] {
        assert_eq!(told(None, &set), Ok((2, 3)), "{set:?}");
        assert_eq!(told(Some(3), &set), Ok((2, 3)), "{set:?}");
        let other = told(Some(4), &set).unwrap_err();
        assert!(other.ends_with("is 3, not 4"), "{other}");
    }
    for index in ["JOB_COMPLETION_INDEX", "NOMAD_ALLOC_INDEX"] {
        assert_eq!(told(Some(3), &[(index, "0")]), Ok((1, 3)));
        assert_eq!(told(Some(3), &[(index, "2")]), Ok((3, 3)));
        let total = told(None, &[(index, "1")]).unwrap_err();
        assert!(total.contains("not of how many"), "{total}");
    }
}

#[test]
fn guesses_nothing() {
    for (of, set, says) in [
        (None, &[][..], "no variable of a known platform"),
        (
            Some(3),
            &[("GITHUB_RUN_ID", "7")],
            "no variable of a known platform",
        ),
        // Set in every job, of which there is one.
        (
            None,
            &[("CI_NODE_TOTAL", "1")],
            "sets CI_NODE_TOTAL=1 and no CI_NODE_INDEX",
        ),
        (None, &[("CI_NODE_INDEX", "1")], "CI_NODE_TOTAL is not"),
        (Some(3), &[("CI_NODE_INDEX", "1")], "CI_NODE_TOTAL is not"),
        (
            None,
            &[("CI_NODE_INDEX", "0"), ("CI_NODE_TOTAL", "3")],
            "none of 3 jobs",
        ),
        (
            None,
            &[("CI_NODE_INDEX", "4"), ("CI_NODE_TOTAL", "3")],
            "none of 3 jobs",
        ),
        (
            None,
            &[("CIRCLE_NODE_INDEX", "3"), ("CIRCLE_NODE_TOTAL", "3")],
            "none of 3 jobs",
        ),
        (
            None,
            &[("CIRCLE_NODE_INDEX", "0"), ("CIRCLE_NODE_TOTAL", "0")],
            "none of 0 jobs",
        ),
        (
            None,
            &[("CIRCLE_NODE_INDEX", "0"), ("CIRCLE_NODE_TOTAL", "4097")],
            "none of 4097 jobs",
        ),
        (Some(3), &[("JOB_COMPLETION_INDEX", "3")], "none of 3 jobs"),
        (Some(3), &[("JOB_COMPLETION_INDEX", "")], "is ``, no number"),
        (
            Some(3),
            &[("JOB_COMPLETION_INDEX", "-1")],
            "is `-1`, no number",
        ),
        (
            None,
            &[("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "x")],
            "CI_NODE_TOTAL of GitLab CI is `x`, no number",
        ),
        // A job of GitLab in an allocation of Nomad; even where both say the same.
        (
            Some(1),
            &[
                ("CI_NODE_INDEX", "1"),
                ("CI_NODE_TOTAL", "1"),
                ("NOMAD_ALLOC_INDEX", "0"),
            ],
            "CI_NODE_INDEX, NOMAD_ALLOC_INDEX are all set",
        ),
    ] {
        let why = told(of, set).unwrap_err();
        assert!(why.contains(says), "{set:?}: {why}");
    }
}

#[test]
fn groups_are_named_once_and_in_order() {
    let split = |shard, groups: &[&str]| Split {
        shard,
        group: groups.iter().map(|&group| group.to_owned()).collect(),
    };
    let of = |split: Split| split.shard().unwrap();
    assert!(of(split(None, &[])).is_none());
    let sites = of(split(None, &["ny4", "ld5", "ny4"])).unwrap();
    assert_eq!((sites.number, sites.of), (1, 1));
    assert_eq!(sites.groups, ["ld5", "ny4"]);
    let both = of(split(Some(Asked::Exactly(2, 3)), &["ny4"])).unwrap();
    assert_eq!(both.name(), "2/3 of group ny4");
}
