//! What a step states about an artifact, read from the record alone: from the step's own `artifacts`
//! key, and from the fixed phrases of contract 4, so that a record without that key claims no less.

use super::schema;
use crate::inventory::Kind;
use crate::verdict::Claim;

/// How the core steps begin, and the kind that each is about (contract 4).
const PHRASES: [(&str, Kind); 4] = [
    ("the version ", Kind::Version),
    ("the configuration ", Kind::Configuration),
    ("the event log ", Kind::Log),
    ("the statistics database ", Kind::Statistics),
];

/// What `step` states about artifacts; nothing when it is about none.
pub(super) fn of_step(step: &schema::Step) -> Vec<Claim> {
    if !step.artifacts.is_empty() {
        return step
            .artifacts
            .iter()
            .cloned()
            .map(Claim::Artifact)
            .collect();
    }
    of_text(&step.text).into_iter().collect()
}

fn of_text(text: &str) -> Option<Claim> {
    if let Some(rest) = text.strip_prefix("artifact \"") {
        return rest
            .split_once('"')
            .map(|(name, _)| Claim::Artifact(name.to_owned()));
    }
    let mut phrases = PHRASES.into_iter();
    let phrase = phrases.find(|(phrase, _)| text.starts_with(phrase));
    phrase.map(|(_, kind)| Claim::Kind(kind))
}

/// What the steps of `check` state about artifacts of an instance, each once.
pub(super) fn of_check(check: &schema::Check) -> Vec<Claim> {
    let mut claims = Vec::new();
    if check.instance.is_some() {
        for claim in check.steps.iter().flat_map(of_step) {
            if !claims.contains(&claim) {
                claims.push(claim);
            }
        }
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(text: &str, artifacts: &[&str]) -> Vec<Claim> {
        of_step(&schema::Step {
            keyword: "Then".to_owned(),
            text: text.to_owned(),
            outcome: "passed".to_owned(),
            duration_ms: 0,
            artifacts: artifacts.iter().map(|&name| name.to_owned()).collect(),
            asks: None,
        })
    }

    #[test]
    fn reads_every_phrase_of_the_contract() {
        let log = vec![Claim::Kind(Kind::Log)];
        let statistics = vec![Claim::Kind(Kind::Statistics)];
        let configuration = vec![Claim::Kind(Kind::Configuration)];
        let version = vec![Claim::Kind(Kind::Version)];
        let named = vec![Claim::Artifact("core dump".to_owned())];
        for (text, expected) in [
            ("the version can be retrieved", &version),
            ("the version is the expected one", &version),
            ("the configuration can be retrieved", &configuration),
            ("the configuration belongs to this instance", &configuration),
            ("the event log can be retrieved", &log),
            ("the event log covers the last 24 hours", &log),
            ("the statistics database can be retrieved", &statistics),
            ("the statistics database is consistent", &statistics),
            ("artifact \"core dump\" can be retrieved", &named),
            ("the team connects", &Vec::new()),
            ("the command succeeds", &Vec::new()),
            ("every artifact was retrieved within 5 minutes", &Vec::new()),
        ] {
            assert_eq!(&claims(text, &[]), expected, "{text}");
        }
        assert_eq!(claims("the core dump is there", &["core dump"]), named);
        assert_eq!(claims("these artifacts:", &["a", "b"]).len(), 2);
    }
}
