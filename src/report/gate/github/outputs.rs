//! Outputs of a step, in the form that takes any value: `key<<DELIMITER`, the value, `DELIMITER`.

use super::super::Gate;
use crate::text::{clip, escape};

/// Most characters of one value.
const VALUE: usize = 4_000;

/// What is appended to `$GITHUB_OUTPUT`. `delimiter` must be one that nobody could have guessed: a value
/// that holds it nevertheless is left out.
#[must_use]
pub fn outputs(gate: &Gate, exit: u8, delimiter: &str) -> String {
    let mut values = vec![
        ("verdict", gate.answer.as_str().to_owned()),
        ("accepted", gate.run.is_some().to_string()),
        ("exit", exit.to_string()),
        ("reason", gate.reasons.first().cloned().unwrap_or_default()),
    ];
    let run = gate.run.as_ref();
    let of = |value: Option<&String>| value.cloned().unwrap_or_default();
    values.extend([
        ("run", of(run.map(|run| &run.id))),
        ("environment", of(run.map(|run| &run.environment))),
        ("finished", of(run.map(|run| &run.finished))),
        ("signer", of(run.map(|run| &run.signer))),
        ("fingerprint", of(run.map(|run| &run.fingerprint))),
    ]);
    for fact in &gate.facts {
        if values.iter().all(|(key, _)| *key != fact.key) {
            values.push((fact.key, fact.value.clone()));
        }
    }
    let told = values.iter().map(|(key, value)| {
        // One line, so that nothing in it can stand alone on one.
        let value = escape(value);
        let value = match value.contains(delimiter) {
            true => "".into(),
            false => clip(&value, VALUE),
        };
        format!("{key}<<{delimiter}\n{value}\n{delimiter}\n")
    });
    told.collect()
}
