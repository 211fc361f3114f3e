//! What the gate says of people: who approved the run, and what its waivers cover.

use super::{Answer, Fact, Gate};
use crate::report::verify::Known;
use crate::verdict::Decision;

impl Gate {
    /// Adds what is known of people; a gate that accepts no waiver answers NO-GO.
    pub fn people(&mut self, known: Known) {
        let told = [
            ("approved_by", "approved by", known.approved),
            ("waivers", "waivers", known.waived),
        ];
        for (key, label, words) in told {
            if !words.is_empty() {
                let value = words.join("; ");
                self.facts.push(Fact { key, label, value });
            }
        }
        self.warnings.extend(known.warnings);
        if let Some(against) = known.against {
            self.answer = Answer::Verdict(Decision::NoGo);
            self.reasons.insert(0, against);
        }
    }
}
