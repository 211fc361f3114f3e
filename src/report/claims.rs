//! What a step states about an artifact, read from the record alone: from the step's own `artifact`
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

/// What `step` states about an artifact; `None` when it states nothing about one.
pub(super) fn of_step(step: &schema::Step) -> Option<Claim> {
    if let Some(name) = &step.artifact {
        return Some(Claim::Artifact(name.clone()));
    }
    if let Some(rest) = step.text.strip_prefix("artifact \"") {
        return rest
            .split_once('"')
            .map(|(name, _)| Claim::Artifact(name.to_owned()));
    }
    let mut phrases = PHRASES.into_iter();
    let phrase = phrases.find(|(phrase, _)| step.text.starts_with(phrase));
    phrase.map(|(_, kind)| Claim::Kind(kind))
}

/// What the steps of `check` state about artifacts of an instance, each once.
pub(super) fn of_check(check: &schema::Check) -> Vec<Claim> {
    let mut claims = Vec::new();
    if check.instance.is_some() {
        for claim in check.steps.iter().filter_map(of_step) {
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

    fn claim(text: &str, artifact: Option<&str>) -> Option<Claim> {
        of_step(&schema::Step {
            keyword: "Then".to_owned(),
            text: text.to_owned(),
            outcome: "passed".to_owned(),
            duration_ms: 0,
            artifact: artifact.map(str::to_owned),
        })
    }

    #[test]
    fn reads_every_phrase_of_the_contract() {
        let log = Some(Claim::Kind(Kind::Log));
        let statistics = Some(Claim::Kind(Kind::Statistics));
        let configuration = Some(Claim::Kind(Kind::Configuration));
        let version = Some(Claim::Kind(Kind::Version));
        let named = Some(Claim::Artifact("core dump".to_owned()));
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
            ("the team connects", &None),
            ("the command succeeds", &None),
            ("every artifact was retrieved within 5 minutes", &None),
        ] {
            assert_eq!(&claim(text, None), expected, "{text}");
        }
        assert_eq!(claim("the core dump is there", Some("core dump")), named);
    }
}
