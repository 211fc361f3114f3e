//! Which drill of a folder counts: the newest with a vendor in an environment that verifies, passed, and was signed
//! off. Asked by `due`, and by a gate that demands one.

use std::path::Path;

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil::Date};

use super::schema::Finding;
use super::{Folder, Opened, verify};
use crate::sign::allowed_signers::AllowedSigners;
use crate::sign::people::People;
use crate::text::escape;

/// The sealed drills, and who may say that they count.
pub struct Sealed<'a> {
    /// Where they lie.
    pub path: &'a Path,
    /// All of them, as one chain.
    pub folder: Folder,
    /// Who may seal drills, and sign the runs that they rest on.
    pub allowed: &'a AllowedSigners,
    /// Who may sign drills off.
    pub people: &'a People,
    /// What is seen in their files.
    pub opened: Opened<'a>,
}

/// A drill that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Name of its directory.
    pub name: String,
    /// When it began: what it proves is no younger.
    pub began: Timestamp,
    /// What has to be done since.
    pub findings: Vec<Finding>,
    /// What nobody can prove of it.
    pub unproven: Vec<String>,
}

impl Counted {
    /// The day on which it began, in UTC.
    #[must_use]
    pub fn day(&self) -> Date {
        TimeZone::UTC.to_datetime(self.began).date()
    }

    /// Its findings whose day is over: whether they are done, nobody knows before the next drill.
    #[must_use]
    pub fn overdue(&self, now: Timestamp) -> Vec<&Finding> {
        let is_over = |due: &str| {
            crate::calendar::day(due).map_or(true, |due| super::sound::is_over(due, now))
        };
        let findings = self.findings.iter();
        findings.filter(|finding| is_over(&finding.due)).collect()
    }
}

impl Sealed<'_> {
    /// The newest that counts, and why newer ones do not.
    #[must_use]
    pub fn newest(
        &self,
        vendor: &str,
        environment: &str,
        now: Timestamp,
    ) -> (Option<Counted>, Vec<String>) {
        let mut against = Vec::new();
        for past in self.folder.drills.iter().rev() {
            if !past.is_with(vendor, environment) {
                continue;
            }
            let dir = self.path.join(&past.name);
            let open = |at| {
                let people = Some(self.people);
                verify(
                    &dir,
                    self.allowed,
                    people,
                    Some(self.path),
                    self.opened,
                    at,
                    now,
                )
            };
            // Keys are rotated, and a drill counts for a quarter and longer.
            let sealed = past.record.sealed.parse().unwrap_or(now);
            let verified = open(now).or_else(|first| open(sealed).map_err(|_| first));
            let why = match verified {
                Err(fault) => fault.why,
                Ok(verified) if !verified.record.outcome.is_passed() => {
                    format!("it is {}", verified.record.outcome.as_str())
                }
                Ok(verified) if !verified.signed.is_enough() => {
                    "two people have not signed it off".to_owned()
                }
                Ok(verified) => {
                    let began = verified.record.entries.first();
                    match began.and_then(|entry| entry.at.parse().ok()) {
                        Some(began) => {
                            let counted = Counted {
                                name: past.name.clone(),
                                began,
                                findings: verified.record.findings,
                                unproven: verified.unproven,
                            };
                            return (Some(counted), against);
                        }
                        None => "it tells no day".to_owned(),
                    }
                }
            };
            against.push(format!("`{}` does not count: {why}", escape(&past.name)));
        }
        (None, against)
    }
}
