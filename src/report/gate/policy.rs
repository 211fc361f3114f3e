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
        // What a flag says too is said once.
        reasons.retain(|reason| !self.reasons.iter().any(|own| reason.ends_with(own)));
        if !reasons.is_empty() {
            self.answer = Answer::Verdict(Decision::NoGo);
            self.reasons.splice(0..0, reasons);
        }
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
