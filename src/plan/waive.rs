//! The waivers of a plan: which planned checks each of them means. They change nothing of what is done: a
//! waived check runs like any other.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Check, Plan};
use crate::inventory::waivers::{Target, WaiverFile};
use crate::problem::Problem;
use crate::report::waived::{Keys, Signatures, WAIVERS};
use crate::sign::people::People;
use crate::text::{count, escape};
use crate::time::rfc3339;

/// A file of waivers whose approvers signed it.
#[derive(Clone, Debug)]
pub struct Waivers {
    /// The file.
    pub file: WaiverFile,
    /// The signatures over it.
    pub signatures: Signatures,
    /// Which key signed for each approver.
    pub keys: Keys,
    /// Who may approve.
    pub people: People,
}

impl Waivers {
    /// What a run keeps of them, by name.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let signatures = self.signatures.iter();
        let signatures =
            signatures.map(|(name, bytes)| (format!("{WAIVERS}.{name}"), bytes.clone()));
        let file = (WAIVERS.to_owned(), self.file.bytes.clone());
        signatures.chain([file]).collect()
    }
}

impl Plan {
    /// Accepts these waivers.
    ///
    /// # Errors
    /// Each that means no planned check, or all of them.
    pub fn waive(&mut self, waivers: Waivers) -> Result<(), Vec<Problem>> {
        let targets: Vec<_> = self.checks.iter().map(target).collect();
        let environment = &self.inventory.environment;
        let is_whole = self.filters.is_empty();
        let misfits = waivers.file.misfits(environment, &targets, is_whole);
        if !misfits.is_empty() {
            return Err(misfits);
        }
        self.waivers = Some(waivers);
        Ok(())
    }

    /// The waivers in words, for who reads the plan; nothing without any.
    #[must_use]
    pub fn waivers_text(&self) -> String {
        let mut out = String::new();
        for (waiver, means) in self.meant() {
            let key = self
                .waivers
                .as_ref()
                .and_then(|all| all.keys.get(&waiver.approver));
            let id = &waiver.id;
            let (from, expires) = (rfc3339(waiver.from), rfc3339(waiver.expires));
            let (approver, requester) = (&waiver.approver, &waiver.requester);
            let key = key.map_or("", String::as_str);
            let lines = [
                format!("  {id}  {} until {expires}", waiver.selects()),
                format!(
                    "    from {from}, approved by {approver} ({key}) for {requester}, {}: {}",
                    waiver.ticket, waiver.reason
                ),
            ];
            if out.is_empty() {
                let _ = writeln!(out, "\nwhat is accepted when it fails");
            }
            for line in lines {
                let _ = writeln!(out, "{}", escape(&line));
            }
            let _ = writeln!(out, "    means {}", count(means.len(), "check"));
            for check in means {
                let _ = writeln!(out, "      {}", escape(&check.id));
            }
        }
        out
    }

    /// The same for programs.
    #[must_use]
    pub fn waivers_json(&self) -> Value {
        let told = self.meant().map(|(waiver, means)| {
            json!({
                "id": waiver.id, "selects": waiver.selects(), "reason": waiver.reason, "ticket": waiver.ticket,
                "requester": waiver.requester, "approver": waiver.approver,
                "from": rfc3339(waiver.from), "expires": rfc3339(waiver.expires),
                "checks": means.iter().map(|check| &check.id).collect::<Vec<_>>(),
            })
        });
        told.collect()
    }

    fn meant(&self) -> impl Iterator<Item = (&crate::inventory::waivers::Waiver, Vec<&Check>)> {
        let waivers = self.waivers.iter().flat_map(|all| &all.file.waivers);
        waivers.map(|waiver| {
            let checks = self.checks.iter();
            let means = checks.filter(|check| waiver.means(&target(check)));
            (waiver, means.collect())
        })
    }
}

fn target(check: &Check) -> Target<'_> {
    Target {
        id: &check.id,
        scenario: &check.scenario,
        instance: check.subject.instance.as_deref(),
        host: check.subject.host.as_deref(),
        team: check.subject.team.as_deref(),
    }
}
