//! The gate's answer for programs. `verdict` is `GO`, `NO-GO` or `HOLD`, and null for whatever was not
//! accepted; `exit` is the exit code that goes with it.

use serde_json::{Map, Value, json};

use super::{Finding, Gate, Outcome};

/// One JSON object and a newline.
#[must_use]
pub fn render(gate: &Gate, exit: u8) -> String {
    let all = |outcome| -> Vec<Value> { gate.of(outcome).map(finding).collect() };
    let mut told = json!({
        "schema": "gonogo/verify/v1",
        "accepted": gate.run.is_some(),
        "answer": gate.answer.as_str(),
        "verdict": gate.answer.verdict().map(|verdict| verdict.as_str()),
        "exit": exit,
        "reasons": gate.reasons,
        "hint": gate.hint,
        "warnings": gate.warnings,
        "notes": gate.notes,
        "failures": all(Outcome::Failed),
        "pending": all(Outcome::Pending),
        "waived": all(Outcome::Waived),
    });
    let mut more = Map::new();
    if let Some(run) = &gate.run {
        for (key, value) in run.words() {
            more.insert(key.to_owned(), json!(value));
        }
        more.insert("counts".to_owned(), json!(run.counts));
    }
    for fact in &gate.facts {
        more.insert(fact.key.to_owned(), json!(fact.value));
    }
    if let Some(told) = told.as_object_mut() {
        // What is said of the run never replaces what the gate says.
        for (key, value) in more {
            told.entry(key).or_insert(value);
        }
    }
    without_marks(&format!("{told:#}\n"))
}

/// The same JSON without a mark by which a CI server takes a command from its log (`text::defuse`); two of
/// these signs stand side by side in strings alone.
pub(in crate::report) fn without_marks(json: &str) -> String {
    json.replace("##", "#\\u0023").replace("##", "#\\u0023")
}

fn finding(one: &Finding) -> Value {
    let mut told = json!({
        "check": one.check, "scenario": one.scenario, "feature": one.feature, "line": one.line,
        "instance": one.instance, "host": one.host, "team": one.team, "vendor": one.vendor,
    });
    let more = match one.outcome {
        Outcome::Pending => json!({ "waits_for": one.waits_for, "hint": one.hint }),
        _ => json!({
            "kind": one.kind, "account": one.account, "subject": one.subject,
            "expected": one.expected, "actual": one.actual, "hint": one.hint, "waiver": one.waiver,
        }),
    };
    if let (Some(told), Value::Object(more)) = (told.as_object_mut(), more) {
        told.extend(more);
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::gate::{Fact, sample};

    fn read(gate: &Gate, exit: u8) -> Value {
        serde_json::from_str(&render(gate, exit)).unwrap()
    }

    #[test]
    fn a_verdict_only_where_a_run_was_accepted() {
        assert_eq!(read(&sample::go(), 0)["verdict"], "GO");
        let told = read(&sample::no_go(), 1);
        assert_eq!(told["verdict"], "NO-GO");
        assert_eq!(told["exit"], 1);
        let worst = &told["failures"][0];
        assert_eq!(worst["kind"], "denied");
        assert_eq!(worst["team"], "support");
        assert_eq!(worst["host"], "ny4-amps-1");
        assert!(worst["hint"].as_str().unwrap().contains("group amps"));
        assert_eq!(
            told["pending"][0]["waits_for"].as_str().map(str::is_empty),
            Some(false)
        );
        assert_eq!(read(&sample::hold(), 5)["verdict"], "HOLD");
        for gate in [sample::not_judged(), sample::hostile_refusal()] {
            assert_eq!(read(&gate, 2)["verdict"], Value::Null);
        }
        let told = read(&sample::refused(), 4);
        assert_eq!(told["verdict"], Value::Null);
        assert_eq!(told["answer"], "UNACCEPTABLE");
        assert_eq!(told["accepted"], false);
        assert_eq!(told["run"], Value::Null);
    }

    #[test]
    fn no_fact_replaces_the_verdict() {
        let mut gate = sample::no_go();
        for key in ["verdict", "exit", "accepted", "approved_by"] {
            let value = "GO".to_owned();
            gate.facts.push(Fact {
                key,
                label: key,
                value,
            });
        }
        let told = read(&gate, 1);
        assert_eq!(told["verdict"], "NO-GO");
        assert_eq!(told["exit"], 1);
        assert_eq!(told["accepted"], true);
        assert_eq!(told["approved_by"], "GO");
    }

    #[test]
    fn no_mark_of_a_ci_server_stands_in_it() {
        let mut gate = sample::no_go();
        for words in ["##[set-env]x", "###", "####[x]"] {
            gate.reasons = vec![words.to_owned()];
            assert!(!render(&gate, 1).contains("##"), "{words}");
            assert_eq!(read(&gate, 1)["reasons"][0], words);
        }
    }

    #[test]
    fn hostile_words_stay_words() {
        let told = read(&sample::hostile(), 1);
        assert_eq!(told["verdict"], "NO-GO");
        assert_eq!(
            told["failures"][0]["actual"],
            crate::report::sample::HOSTILE
        );
    }
}
