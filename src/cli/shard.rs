//! `--shard` and `--group`: which part of the plan is this runner's. A platform's own variables are read only when
//! `--shard auto` says so, and only when they leave no doubt: a wrong guess would run one part twice.

use std::str::FromStr;

use clap::Args;

use super::fault::{Exit, Fault};
use crate::plan::{MOST_SHARDS, Plan, Shard};
use crate::text::escape;

const HEADING: &str = "Shards (one alone can never be GO: see gonogo merge)";

#[derive(Args, Clone, Default)]
pub(super) struct Split {
    /// Only this part of the plan, such as 2/3; `auto` takes it from the variables of GitLab CI, Buildkite or CircleCI,
    /// `auto/3` the number alone, also from those of a Kubernetes Indexed Job or of Nomad
    #[arg(long, value_name = "K/N", help_heading = HEADING)]
    pub shard: Option<Asked>,
    /// Only hosts of this group of the inventory, as for the runner of a site; repeat it for several. `none` is what is
    /// in no group: hosts without one, checks about vendors, questions to people
    #[arg(long, value_name = "NAME", help_heading = HEADING)]
    pub group: Vec<String>,
}

/// What follows `--shard`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// `2/3`.
    Exactly(usize, usize),
    /// `auto`, `auto/3`.
    Auto(Option<usize>),
}

impl FromStr for Asked {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("K/N with 1 ≤ K ≤ N ≤ {MOST_SHARDS}, auto, or auto/N is expected");
        let total = |text| number(text).filter(|of| (1..=MOST_SHARDS).contains(of));
        match text.split_once('/') {
            None if text == "auto" => Ok(Self::Auto(None)),
            None => Err(wrong()),
            Some(("auto", of)) => Ok(Self::Auto(Some(total(of).ok_or_else(wrong)?))),
            Some((own, of)) => match (number(own), total(of)) {
                (Some(0), Some(_)) => Err("shards count from 1".to_owned()),
                (Some(own), Some(of)) if own <= of => Ok(Self::Exactly(own, of)),
                _ => Err(wrong()),
            },
        }
    }
}

/// Digits alone: no sign, no blank.
fn number(text: &str) -> Option<usize> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

/// How a platform tells its jobs apart.
struct Platform {
    name: &'static str,
    index: &'static str,
    /// Whether its first job is 0 or 1.
    first: usize,
    total: Option<&'static str>,
}

const PLATFORMS: [Platform; 5] = [
    Platform {
        name: "GitLab CI",
        index: "CI_NODE_INDEX",
        first: 1,
        total: Some("CI_NODE_TOTAL"),
    },
    Platform {
        name: "Buildkite",
        index: "BUILDKITE_PARALLEL_JOB",
        first: 0,
        total: Some("BUILDKITE_PARALLEL_JOB_COUNT"),
    },
    Platform {
        name: "CircleCI",
        index: "CIRCLE_NODE_INDEX",
        first: 0,
        total: Some("CIRCLE_NODE_TOTAL"),
    },
    Platform {
        name: "a Kubernetes Indexed Job",
        index: "JOB_COMPLETION_INDEX",
        first: 0,
        total: None,
    },
    Platform {
        name: "Nomad",
        index: "NOMAD_ALLOC_INDEX",
        first: 0,
        total: None,
    },
];

impl Split {
    /// The part that is asked for; `None` when it is the whole.
    pub(super) fn shard(&self) -> Result<Option<Shard>, Fault> {
        let var =
            |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        let (number, of) = match self.shard {
            None if self.group.is_empty() => return Ok(None),
            None => (1, 1),
            Some(Asked::Exactly(number, of)) => (number, of),
            Some(Asked::Auto(of)) => auto(of, &var).map_err(|(why, hint)| {
                Fault::new(
                    Exit::Refused,
                    format!("--shard auto: {}", escape(&why)),
                    hint,
                )
            })?,
        };
        let mut groups = self.group.clone();
        groups.sort_unstable();
        groups.dedup();
        Ok(Some(Shard { number, of, groups }))
    }

    /// Leaves that part of the plan alone.
    pub(super) fn cut(&self, plan: &mut Plan) -> Result<(), Fault> {
        match self.shard()? {
            Some(shard) => Ok(plan.cut(&shard)?),
            None => Ok(()),
        }
    }
}

const SAY: &str = "say which shard this is: --shard K/N, K from 1";

/// Number and total by the variables of the one platform that sets any.
fn auto(
    of: Option<usize>,
    var: &impl Fn(&str) -> Option<String>,
) -> Result<(usize, usize), (String, &'static str)> {
    let set: Vec<_> = PLATFORMS
        .iter()
        .filter_map(|platform| Some((platform, var(platform.index)?)))
        .collect();
    let (platform, told) = match &set[..] {
        [one] => one,
        [] => return Err(none(var)),
        many => {
            let names: Vec<_> = many.iter().map(|(platform, _)| platform.index).collect();
            return Err((format!("{} are all set", names.join(", ")), SAY));
        }
    };
    let (name, variable) = (platform.name, platform.index);
    let index = number(told)
        .ok_or_else(|| (format!("{variable} of {name} is `{told}`, no number"), SAY))?;
    let stated = match platform.total.map(|total| (total, var(total))) {
        None => None,
        Some((total, None)) => {
            return Err((
                format!("{variable} of {name} is set, and {total} is not"),
                SAY,
            ));
        }
        Some((total, Some(text))) => match number(&text) {
            Some(number) => Some((total, number)),
            None => return Err((format!("{total} of {name} is `{text}`, no number"), SAY)),
        },
    };
    let total = match (stated, of) {
        (Some((total, stated)), Some(of)) if stated != of => {
            return Err((
                format!("{total} of {name} is {stated}, not {of}"),
                "--shard auto takes that number itself",
            ));
        }
        (Some((_, stated)), _) => stated,
        (None, Some(of)) => of,
        (None, None) => {
            return Err((
                format!("{name} says which job this is ({variable}={told}), not of how many"),
                "name their number: --shard auto/N",
            ));
        }
    };
    let first = platform.first;
    match index.checked_sub(first).filter(|index| *index < total) {
        Some(index) if total <= MOST_SHARDS => Ok((index + 1, total)),
        _ => Err((
            format!(
                "{variable}={told} of {name} is none of {total} jobs, of which the first is {first}"
            ),
            "give --shard auto/N the number of jobs that really run",
        )),
    }
}

/// Nobody says which job this is; who says of how many forgot to run them side by side.
fn none(var: &impl Fn(&str) -> Option<String>) -> (String, &'static str) {
    let mut half = PLATFORMS.iter().filter_map(|platform| {
        let total = platform.total?;
        Some((platform.name, platform.index, total, var(total)?))
    });
    match half.next() {
        Some((name, index, total, told)) => (
            format!("{name} sets {total}={told} and no {index}: this job is not one of several"),
            SAY,
        ),
        None => (
            "no variable of a known platform says which shard this is".to_owned(),
            "a matrix of GitHub Actions sets none: --shard ${{ matrix.shard }}/3; elsewhere too, --shard K/N says it",
        ),
    }
}

#[cfg(test)]
#[path = "shard_tests.rs"]
mod tests;
