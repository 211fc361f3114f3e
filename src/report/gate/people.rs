//! What the gate says of people: who approved the run, and what its waivers cover.

use super::{Answer, Fact, Gate};
use crate::report::verify::{Heard, Known};
use crate::verdict::Decision;

impl Gate {
    /// Adds what people answered; what it came to is the answer already.
    pub fn heard(&mut self, heard: Heard) {
        if !heard.answered.is_empty() {
            self.facts.push(Fact {
                key: "answered",
                label: "answered",
                value: heard.answered.join("; "),
            });
        }
        self.warnings.extend(heard.warnings);
    }

    /// Says that requests lie there, whatever refuses the run: asked when the answer is known.
    pub fn requests(&mut self, found: usize) {
        if found > 0 && !self.answer.is_go() {
            self.notes.push(format!(
                "{} beside the run, not judged here: `gonogo break-glass check` does; the verdict stays",
                crate::text::count(found, "break-glass request")
            ));
        }
    }

    /// Says, loudly, that two people deploy all the same. The answer stays: it is the run's.
    pub fn broken(&mut self, told: String) {
        self.reasons.insert(0, told.clone());
        self.facts.push(Fact {
            key: "break_glass",
            label: "break-glass",
            value: told,
        });
    }

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
