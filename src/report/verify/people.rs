//! What people put their names to, of a run that was accepted: waivers and approvals. Whoever holds the key
//! that signs runs could write both into a record; only a signature of the person shows that they knew.

use std::path::Path;

use jiff::Timestamp;

use super::{Unacceptable, Verified};
use crate::digest::Sha256;
use crate::inventory::waivers::{Waiver, WaiverFile};
use crate::problem::Problem;
use crate::report::beside::is_of_a_paper;
use crate::report::schema::Report;
use crate::report::sealed::Sealed;
use crate::report::waived::{self, Keys, Signatures, WAIVERS, signature_name};
use crate::sign::manifest::{MANIFEST, read_regular};
use crate::sign::people::{APPROVAL, People};
use crate::text::{count, escape};
use crate::verdict::Decision;

/// Most files that are read as approvals; a crowd beside a run is an accident or an attack.
const MOST_FILES: usize = 200;
const MOST_BYTES: u64 = 1 << 20;

/// What is asked of people.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Who may approve; `None` when nobody said.
    pub people: Option<&'a People>,
    /// How many must have approved the run.
    pub approvals: usize,
    /// Whether waivers are accepted at all.
    pub no_waivers: bool,
    /// When their keys must be valid, and waivers hold.
    pub at: Timestamp,
}

/// What is known of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Each person who approved: names and keys.
    pub approved: Vec<String>,
    /// Each waiver that covers something.
    pub waived: Vec<String>,
    /// What does not count, and what nobody proved.
    pub warnings: Vec<String>,
    /// Why the gate stays shut although the run may be GO.
    pub against: Option<String>,
}

impl Verified {
    /// Asks who stands behind the run beside its signer.
    ///
    /// # Errors
    /// When waivers are not those of the run's own file, or not approved by whom they name, and when
    /// approvals are missing: `verify` exits 4.
    pub fn people(&self, asked: &Asked<'_>) -> Result<Known, Unacceptable> {
        let mut known = Known::default();
        waivers(self, asked, &mut known)?;
        approvals(self, asked, &mut known)?;
        Ok(known)
    }
}

fn waivers(run: &Verified, asked: &Asked<'_>, known: &mut Known) -> Result<(), Unacceptable> {
    let report = run.report();
    let waived = report
        .checks
        .iter()
        .filter(|check| check.outcome == "waived")
        .count();
    let Some((file, signatures)) = kept(run.sealed())? else {
        // `complete::granted` has refused whatever is waived without.
        return Ok(());
    };
    answers(report, &file)?;
    let used: Vec<&Waiver> = (file.waivers.iter().zip(&report.waivers))
        .filter(|(_, told)| !told.covered.is_empty())
        .map(|(waiver, _)| waiver)
        .collect();
    known.waived = report
        .waivers
        .iter()
        .filter(|told| !told.covered.is_empty())
        .map(|told| {
            let checks = count(told.covered.len(), "check");
            format!(
                "{} covers {checks} until {}, approved by {} ({}) for {}, {}: {}",
                told.id,
                told.expires,
                told.approver,
                told.key,
                told.requester,
                told.ticket,
                told.reason
            )
        })
        .collect();
    if waived == 0 {
        return Ok(());
    }
    if asked.no_waivers {
        known.against = Some(format!(
            "{} waived, and no waiver is accepted here",
            count(waived, "check")
        ));
        return Ok(());
    }
    let Some(people) = asked.people else {
        let message = "waivers are not proven: nobody said who may approve them";
        return match run.verdict().decision {
            Decision::Go => wrong(message.to_owned()),
            Decision::NoGo | Decision::Hold => {
                known.warnings.push(message.to_owned());
                Ok(())
            }
        };
    };
    let runners = makers(run);
    let keys = waived::approved(
        &file,
        used.iter().copied(),
        &signatures,
        people,
        &runners,
        // What was signed with the run is as old as the run.
        run.stamp().map_or(asked.at, |stamp| stamp.at),
    );
    let keys = keys.or_else(|problems| wrong(first(&problems)))?;
    let mut told = report
        .waivers
        .iter()
        .filter(|told| !told.covered.is_empty());
    if let Some(other) = told.find(|told| keys.get(&told.approver) != Some(&told.key)) {
        return wrong(format!(
            "waiver `{}` is told with another key of its approver",
            other.id
        ));
    }
    match used.iter().find(|waiver| !waiver.holds_at(asked.at)) {
        Some(ended) => Err(Unacceptable::Stale(format!(
            "waiver `{}` does not hold now",
            ended.id
        ))),
        None => Ok(()),
    }
}

fn wrong<T>(why: String) -> Result<T, Unacceptable> {
    Err(Unacceptable::Waivers(escape(&why).into_owned()))
}

fn first(problems: &[Problem]) -> String {
    let first = problems.first().map_or("", |problem| &problem.message);
    match problems.len() {
        0 | 1 => first.to_owned(),
        all => format!("{first} (and {} more)", count(all - 1, "problem")),
    }
}

/// The waivers that the run keeps, and the signatures over them.
fn kept(sealed: &Sealed) -> Result<Option<(WaiverFile, Signatures)>, Unacceptable> {
    if sealed.manifest.digest(WAIVERS).is_none() {
        return Ok(None);
    }
    let bytes = sealed.read(WAIVERS)?;
    let file = WaiverFile::parse(Path::new(WAIVERS), bytes);
    let file = file.or_else(|problems| wrong(first(&problems.into_vec())))?;
    let mut signatures = Signatures::new();
    for name in sealed.manifest.files().keys() {
        if let Some(short) = signature_name(name, WAIVERS) {
            signatures.insert(short.to_owned(), sealed.read(name)?);
        }
    }
    Ok(Some((file, signatures)))
}

/// What is told of waivers is what the file makes of the checks, no more.
fn answers(report: &Report, file: &WaiverFile) -> Result<(), Unacceptable> {
    let keys: Keys = (report.waivers.iter())
        .map(|told| (told.approver.clone(), told.key.clone()))
        .collect();
    let mut checks = waived::before(&report.checks);
    let targets: Vec<_> = checks.iter().map(waived::target).collect();
    // Of a shard's few checks a waiver may mean all.
    let is_shard = report.run.scope.shard.is_some();
    let misfits = file.misfits(&report.run.scope.environment, &targets, false);
    if !misfits.is_empty() && !is_shard {
        return wrong(first(&misfits));
    }
    let granted = waived::waive(file, &keys, &mut checks);
    if granted != report.waivers {
        return wrong("the waivers told are not those that the run keeps".to_owned());
    }
    let mut pairs = checks.iter().zip(&report.checks);
    let same = |(must, is): &(&_, &crate::report::schema::Check)| {
        let must: &crate::report::schema::Check = must;
        (&must.outcome, &must.waiver) == (&is.outcome, &is.waiver)
    };
    match pairs.find(|pair| !same(pair)) {
        Some((_, is)) => wrong(format!(
            "check `{}` is not waived as the run's waivers say",
            is.id
        )),
        None => Ok(()),
    }
}

/// Who signed the run, and what it was merged from.
pub(super) fn makers(run: &Verified) -> Vec<[&str; 2]> {
    let makers = run.shards().iter().map(|shard| &shard.signer);
    let makers = makers.chain([run.signer()]);
    let makers = makers.map(|one| [&*one.identity, &*one.fingerprint]);
    makers.collect()
}

fn approvals(run: &Verified, asked: &Asked<'_>, known: &mut Known) -> Result<(), Unacceptable> {
    let sealed = run.sealed();
    let Some(people) = asked.people else {
        return Ok(());
    };
    let missing = |why: String| Err(Unacceptable::Approvals(escape(&why).into_owned()));
    let (mut signers, mut faults) = (Vec::new(), Vec::new());
    let sums = read_regular(&sealed.dir.join(MANIFEST), MOST_BYTES << 6);
    // Read once more: it must still be what was proven.
    let sums = sums.ok().filter(|sums| Sha256::of(sums) == sealed.digest);
    let Some(sums) = sums else {
        return missing("SHA256SUMS was changed meanwhile".to_owned());
    };
    let runners = makers(run);
    let mut names = names(&sealed.dir);
    if names.len() > MOST_FILES {
        faults.push(format!(
            "of {} signatures only the first {MOST_FILES} were read",
            names.len()
        ));
        names.truncate(MOST_FILES);
    }
    for name in names {
        let verified = match read_regular(&sealed.dir.join(&name), MOST_BYTES) {
            Err(cause) => Err(cause.to_string()),
            Ok(armour) => people
                .verify(None, APPROVAL, &sums, &armour, asked.at)
                .map_err(|fault| fault.to_string()),
        };
        match verified {
            Ok(one) if people.is_of([&one.identity, &one.fingerprint], &runners) => {
                faults.push(format!("{name}: who signs the run does not approve it"));
            }
            Ok(one) => signers.push(one),
            Err(why) => faults.push(format!("{name}: {why}")),
        }
    }
    let apart = people.apart(signers);
    known.approved = apart
        .iter()
        .map(|person| {
            let said = person
                .iter()
                .map(|one| format!("{} ({})", one.identity, one.fingerprint));
            said.collect::<Vec<_>>().join(", also ")
        })
        .collect();
    let (have, need) = (known.approved.len(), asked.approvals);
    if have < need {
        let mut why = format!("{have} of {need} approvals");
        if have > 0 {
            why += &format!(": {}", known.approved.join("; "));
        }
        for fault in &faults {
            why += &format!("; does not count: {fault}");
        }
        return missing(why);
    }
    let told = faults
        .into_iter()
        .map(|fault| format!("an approval does not count: {fault}"));
    known.warnings.extend(told);
    Ok(())
}

/// `SHA256SUMS.<who>.sig`, sorted.
fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let is_one = |name: &String| {
        signature_name(name, MANIFEST).is_some_and(|rest| rest != "sig") && !is_of_a_paper(name)
    };
    let mut names: Vec<String> = names.filter(is_one).collect();
    names.sort_unstable();
    names
}
