//! Filters of `run` and `plan`. A filtered plan is partial and says so; it can never be GO.

use std::str::FromStr;

use cucumber::tag::Ext as _;
use gherkin::tagexpr::TagOperation;
use globset::{Glob, GlobMatcher};

use super::Check;
use crate::problem::{Place, Problem};

/// What to leave out.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    tags: Option<(String, TagOperation)>,
    globs: Vec<(What, String, GlobMatcher)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    Instance,
    Host,
    Team,
}

impl Filters {
    /// From the texts of `--tags`, `--instance`, `--host` and `--team`. Several globs of one kind widen,
    /// different kinds narrow.
    ///
    /// # Errors
    /// Every expression and glob that is malformed, with the option's name as its place.
    pub fn new(
        tags: Option<&str>,
        instances: &[String],
        hosts: &[String],
        teams: &[String],
    ) -> Result<Self, Vec<Problem>> {
        let mut filters = Self::default();
        let mut problems = Vec::new();
        if let Some(expression) = tags {
            match TagOperation::from_str(expression) {
                Ok(operation) => filters.tags = Some((expression.to_owned(), operation)),
                Err(_) => problems.push(
                    Problem::new(
                        option("--tags"),
                        format!("`{expression}` is no tag expression"),
                    )
                    .with_hint("write something like `@artifact:version and not @slow`"),
                ),
            }
        }
        for (what, name, globs) in [
            (What::Instance, "--instance", instances),
            (What::Host, "--host", hosts),
            (What::Team, "--team", teams),
        ] {
            for glob in globs {
                match Glob::new(glob) {
                    Ok(parsed) => filters.globs.push((
                        what,
                        format!("{name} {glob}"),
                        parsed.compile_matcher(),
                    )),
                    Err(error) => problems.push(Problem::new(option(name), error.to_string())),
                }
            }
        }
        match problems.is_empty() {
            true => Ok(filters),
            false => Err(problems),
        }
    }

    /// From the words that [`Plan::filters`](super::Plan::filters) tells them in.
    ///
    /// # Errors
    /// As [`Filters::new`]; words that are none of them.
    pub fn told(words: &[String]) -> Result<Self, Vec<Problem>> {
        let (mut tags, mut globs) = (None, [Vec::new(), Vec::new(), Vec::new()]);
        for word in words {
            match word.split_once(' ') {
                Some(("--tags", expression)) if tags.is_none() => tags = Some(expression),
                Some(("--instance", glob)) => globs[0].push(glob.to_owned()),
                Some(("--host", glob)) => globs[1].push(glob.to_owned()),
                Some(("--team", glob)) => globs[2].push(glob.to_owned()),
                _ => {
                    let message = format!("`{word}` is no filter");
                    return Err(vec![Problem::new(option("filters"), message)]);
                }
            }
        }
        Self::new(tags, &globs[0], &globs[1], &globs[2])
    }

    /// True when nothing is left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tags.is_none() && self.globs.is_empty()
    }

    pub(super) fn in_clear(&self) -> Vec<String> {
        let tags = self
            .tags
            .iter()
            .map(|(expression, _)| format!("--tags {expression}"));
        tags.chain(self.globs.iter().map(|(_, clear, _)| clear.clone()))
            .collect()
    }

    /// The checks that remain.
    ///
    /// # Errors
    /// A glob that matches no check at all, or filters that together leave nothing.
    pub(super) fn apply(&self, checks: Vec<Check>) -> Result<Vec<Check>, Vec<Problem>> {
        let idle = self
            .globs
            .iter()
            .filter(|(what, _, glob)| !checks.iter().any(|check| hits(*what, glob, check)));
        let problems: Vec<Problem> = idle.map(|(_, clear, _)| nothing(clear)).collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let remaining: Vec<Check> = checks
            .into_iter()
            .filter(|check| self.keeps(check))
            .collect();
        match remaining.is_empty() {
            true => Err(vec![nothing(&self.in_clear().join(" "))]),
            false => Ok(remaining),
        }
    }

    fn keeps(&self, check: &Check) -> bool {
        let tagged = self
            .tags
            .as_ref()
            .is_none_or(|(_, operation)| operation.eval(check.tags.iter()));
        tagged
            && [What::Instance, What::Host, What::Team]
                .into_iter()
                .all(|kind| {
                    let mut globs = self
                        .globs
                        .iter()
                        .filter(|(what, ..)| *what == kind)
                        .peekable();
                    globs.peek().is_none() || globs.any(|(what, _, glob)| hits(*what, glob, check))
                })
    }
}

fn hits(what: What, glob: &GlobMatcher, check: &Check) -> bool {
    let name = match what {
        What::Instance => &check.subject.instance,
        What::Host => &check.subject.host,
        What::Team => &check.subject.team,
    };
    name.as_ref().is_some_and(|name| glob.is_match(name))
}

fn option(name: &str) -> Place {
    Place::whole(std::path::Path::new(name))
}

fn nothing(clear: &str) -> Problem {
    let place = clear.split(' ').next().unwrap_or_default();
    Problem::new(option(place), format!("`{clear}` matches no check"))
        .with_hint("`gonogo plan` without filters lists every check")
}
