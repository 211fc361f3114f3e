//! What the gate says of the policy that it judged under.

use super::{Answer, Fact, Gate};
use crate::report::verify::Ruling;
use crate::verdict::Decision;

impl Gate {
    /// Adds what a policy makes of the run: whatever is beyond it makes NO-GO.
    pub fn ruled(&mut self, ruling: Ruling) {
        let Ruling {
            mut reasons,
            warnings,
            last_go,
        } = ruling;
        self.facts.extend(last_go.map(|value| Fact {
            key: "last_go",
            label: "last GO",
            value,
        }));
        self.warnings.extend(warnings);
        if reasons.is_empty() {
            return;
        }
        self.answer = Answer::Verdict(Decision::NoGo);
        // What a flag says too is said once.
        let is_told = |reason: &String| {
            let bare = reason.strip_prefix("policy: ").unwrap_or(reason);
            self.reasons.iter().any(|own| own == bare)
        };
        reasons.retain(|reason| !is_told(reason));
        self.reasons.splice(0..0, reasons);
    }

    /// Says under which policy it answers, whatever it answers.
    pub fn under(&mut self, digest: &str) {
        // First, so that no limit of a platform leaves it out.
        let value = format!("sha256:{digest}");
        if self.run.is_none() {
            self.notes.push(format!("judged under the policy {value}"));
        }
        let (key, label) = ("policy", "policy");
        self.facts.insert(0, Fact { key, label, value });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::gate::sample;

    /// Who names scenarios writes the end of a reason.
    #[test]
    fn whatever_a_reason_ends_with_it_is_a_no_go() {
        let note = "instances knowingly share the log `c`: one, two";
        for (reasons, told) in [
            (vec![], vec![note]),
            (vec![note], vec![note]),
            (
                vec![
                    "policy: 1 check tried more than once: x (x instances knowingly share the log `c`: one, two",
                ],
                vec![
                    "policy: 1 check tried more than once: x (x instances knowingly share the log `c`: one, two",
                    note,
                ],
            ),
        ] {
            let mut gate = sample::go();
            gate.reasons = vec![note.to_owned()];
            gate.ruled(Ruling {
                reasons: reasons.iter().map(|reason| (*reason).to_owned()).collect(),
                ..Ruling::default()
            });
            assert_eq!(gate.answer.is_go(), reasons.is_empty(), "{reasons:?}");
            assert_eq!(gate.reasons, told);
        }
    }
}
