//! What a drill's request and bundle are, seen in the files that it keeps: the request is the vendor's template, filled
//! in from the run that counts; the bundle is what it said of itself when it was noted. Asked when they are noted, when
//! the drill is sealed, and whenever it is verified. What is encrypted nobody here can look into, and that is told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::deliver::place;
use super::draft::finished;
use super::receipt::{Receipt, kind};
use super::sent;
use crate::digest::Sha256;
use crate::inventory::Inventory;
use crate::problem::Problems;
use crate::report::drill::{
    Begin, Bundle, Entry, INVENTORY, Kept, Kind, Retrieval, Said, Step, agreed, names, records,
};
use crate::report::read;
use crate::report::schema::Report;
use crate::sign::manifest::read_regular;
use crate::text::{count, escape};

/// An inventory is text.
const MOST_BYTES: u64 = 64 << 20;
/// How many fields are named.
const NAMED: usize = 5;

/// What nobody can prove of the files that count, of the drill in `dir`: its run is about the inventory's whole estate,
/// and the request and the bundle are of it.
///
/// # Errors
/// What does not fit, in a phrase.
pub fn held(dir: &Path, entries: &[Entry]) -> Result<Vec<String>, String> {
    let (mut asked, mut made, mut sent) = (None, None, None);
    for entry in entries {
        match &entry.step {
            Step::Request(step) => asked = Some(step),
            Step::Bundle(step) => made = Some(step),
            Step::Delivery(step) => sent = Some(step),
            _ => {}
        }
    }
    if let Some(drill) = Drill::read(dir, entries)? {
        drill.everywhere()?;
        drill.out_of_hours(entries)?;
        if let Some(asked) = asked {
            drill.request(&kept(dir, &asked.file)?)?;
        }
        for receipt in sent.iter().flat_map(|sent| &sent.receipts) {
            drill.delivered(&kept(dir, receipt)?)?;
        }
    }
    let mut unproven = made.map_or(Ok(Vec::new()), |made| bundle(dir, made))?;
    if let (Some(asked), Some(made)) = (asked, made) {
        of_one_case(&kept(dir, &asked.file)?, &made.said)?;
    }
    if sent.is_some_and(|sent| !sent.receipts.is_empty()) {
        unproven.push(
            "nothing but who told it says that the receipts are those of `gonogo case deliver`: the vendor's acknowledgement is what shows that the bundle arrived"
                .to_owned(),
        );
    }
    Ok(unproven)
}

/// Holds the text of a request to the template of the drill's vendor, as `gonogo case draft` fills it in from the run
/// that counts. Nothing is asked where no run was noted yet, or the vendor has no template.
///
/// # Errors
/// Which fields are blank, left over, or say something else.
pub fn request(dir: &Path, entries: &[Entry], text: &[u8]) -> Result<(), String> {
    Drill::read(dir, entries)?.map_or(Ok(()), |drill| drill.request(text))
}

fn kept(dir: &Path, kept: &Kept) -> Result<Vec<u8>, String> {
    let of = |why: String| format!("`{}`: {why}", escape(&kept.name));
    let bytes = read_regular(&dir.join(&kept.name), kept.bytes);
    let bytes = bytes.map_err(|cause| of(cause.to_string()))?;
    match Sha256::of(&bytes).to_string() == kept.sha256 {
        true => Ok(bytes),
        false => Err(of("it was changed since it was noted".to_owned())),
    }
}

/// The bundle is what it was when it was noted; its run is judged by the record alone.
fn bundle(dir: &Path, noted: &Bundle) -> Result<Vec<String>, String> {
    let files: Vec<PathBuf> = noted.files.iter().map(|one| dir.join(&one.name)).collect();
    let (said, is_locked) = opened(&files).map_err(|(why, _)| why)?;
    if said != noted.said {
        return Err("the bundle says something else of itself than was noted".to_owned());
    }
    Ok(match is_locked {
        true => vec![
            "the bundle is encrypted: nobody could look into it, and its digest in the signed drill is all there is"
                .to_owned(),
        ],
        false => Vec::new(),
    })
}

/// What is asked about is what is sent.
fn of_one_case(text: &[u8], said: &[Said]) -> Result<(), String> {
    let text = String::from_utf8_lossy(text);
    match said.is_empty() || said.iter().any(|one| names(&text, &one.instance)) {
        true => Ok(()),
        false => {
            let of: Vec<&str> = said.iter().map(|one| &*one.instance).take(NAMED).collect();
            Err(format!(
                "the request names no instance that the bundle is of ({})",
                escape(&of.join(", "))
            ))
        }
    }
}

/// What every bundle among these files says of itself; none that is encrypted.
///
/// # Errors
/// Why one of them is no bundle that leaves, or of no run, and what to do.
pub fn said(files: &[PathBuf]) -> Result<Vec<Said>, (String, String)> {
    opened(files).map(|(said, _)| said)
}

fn opened(files: &[PathBuf]) -> Result<(Vec<Said>, bool), (String, String)> {
    sent::said(files).map_err(|all| {
        let (why, hint) = all.into_iter().next().unwrap_or_default();
        (escape(&why).into_owned(), hint)
    })
}

/// What a request is held to.
struct Drill<'a> {
    begun: &'a Begin,
    run: &'a Retrieval,
    report: Report,
    inventory: Inventory,
}

impl<'a> Drill<'a> {
    /// From the files in `dir`; nothing where no run was noted yet.
    fn read(dir: &Path, entries: &'a [Entry]) -> Result<Option<Self>, String> {
        let begun = entries.first().and_then(|entry| match &entry.step {
            Step::Begin(begun) => Some(begun),
            _ => None,
        });
        let run = entries.iter().rev().find_map(|entry| match &entry.step {
            Step::Retrieval(step) => Some(step),
            _ => None,
        });
        let (Some(begun), Some(run)) = (begun, run) else {
            return Ok(None);
        };
        let bytes = read_regular(&dir.join(INVENTORY), MOST_BYTES);
        let bytes = bytes.map_err(|cause| format!("`{INVENTORY}`: {cause}"))?;
        let records = records(entries, &|one| kept(dir, one))?;
        let inventory = Inventory::parse_recorded(Path::new(INVENTORY), bytes, &records);
        let inventory = inventory.map_err(|problems| {
            let first = told(problems).into_iter().next().unwrap_or_default();
            format!("`{INVENTORY}` cannot be read: {first}")
        })?;
        let report = run.files.get(2).ok_or("the run is not kept whole")?;
        let report = read(&kept(dir, report)?).map_err(|fault| fault.to_string())?;
        Ok(Some(Self {
            begun,
            run,
            report,
            inventory,
        }))
    }

    /// The run is about every instance of the inventory, on its host, and every team of it.
    fn everywhere(&self) -> Result<(), String> {
        let inventory = self.inventory.instances.iter();
        let inventory = inventory.map(|one| (&one.name, &one.host, &one.teams));
        let ran = self.report.instances.iter();
        match inventory.eq(ran.map(|one| (&one.name, &one.host, &one.teams))) {
            true => Ok(()),
            false => Err("the run is about other instances than the inventory has".to_owned()),
        }
    }

    /// Begun out of hours, it calls out of hours: else the night would end before anybody was called.
    fn out_of_hours(&self, entries: &[Entry]) -> Result<(), String> {
        if self.begun.kind == Kind::Planned {
            return Ok(());
        }
        let severity = self.begun.agreed.coverage.as_ref();
        let severity = severity.and_then(|coverage| coverage.severity.as_deref());
        let vendor = self.inventory.vendor(&self.begun.vendor);
        let Some(vendor) = vendor else {
            return Err("the inventory does not have the drill's vendor".to_owned());
        };
        let calls = entries.iter().filter_map(|entry| match &entry.step {
            Step::Escalation(step) => Some(step),
            _ => None,
        });
        let last: BTreeMap<&str, &str> = calls.map(|step| (&*step.level, &*step.tried)).collect();
        for (level, tried) in last {
            let at = tried.parse().map_err(|_| "a call has no time".to_owned())?;
            let agreed = agreed(&self.inventory, vendor, severity, at);
            let coverage = agreed.ok().and_then(|agreed| agreed.coverage);
            if coverage.is_none_or(|coverage| coverage.answers) {
                return Err(format!(
                    "escalation level `{level}` was tried at {tried}, when the vendor has to answer: the drill is one out of hours"
                ));
            }
        }
        Ok(())
    }

    /// A receipt tells of an intake that the inventory names, and of the place where that has such a file lie.
    fn delivered(&self, bytes: &[u8]) -> Result<(), String> {
        let receipt: Receipt = serde_json::from_slice(bytes)
            .map_err(|error| format!("it is no receipt: {}", escape(&error.to_string())))?;
        let vendor = self.inventory.vendor(&self.begun.vendor);
        let intakes = vendor.map_or(&[][..], |vendor| &vendor.intake);
        let intake = receipt.intake.checked_sub(1);
        let Some(intake) = intake.and_then(|at| intakes.get(at)) else {
            return Err(format!(
                "the receipt is of intake {}, and the inventory names {} of the vendor",
                receipt.intake,
                count(intakes.len(), "intake")
            ));
        };
        let agreed = place(intake, &receipt.name);
        if (kind(&intake.to), &agreed) != (&*receipt.kind, &receipt.place) {
            return Err(format!(
                "the receipt is of a delivery to `{}`, and intake {} of the inventory is `{}`",
                escape(&receipt.place),
                receipt.intake,
                escape(&agreed)
            ));
        }
        let time = |text: &str| text.parse::<Timestamp>().ok();
        match (time(&receipt.started), time(&receipt.finished)) {
            (Some(started), Some(finished)) if started <= finished => Ok(()),
            _ => Err("the receipt tells of a delivery that ended before it began".to_owned()),
        }
    }

    fn request(&self, text: &[u8]) -> Result<(), String> {
        let vendor = self.inventory.vendor(&self.begun.vendor);
        if vendor.is_none_or(|vendor| vendor.request_template.is_none()) {
            return Ok(());
        }
        let text = std::str::from_utf8(text).map_err(|_| "it is not a text in UTF-8".to_owned())?;
        let ours = self.report.instances.iter().filter(|one| {
            let known = self.inventory.instance(&one.name);
            known.is_some_and(|known| known.vendor.as_ref() == Some(&self.begun.vendor))
        });
        // A vendor that runs what it sells has no instance here: nothing drafts its request.
        if ours.clone().next().is_none() {
            return Ok(());
        }
        let mut least: Option<Vec<String>> = None;
        for instance in ours.clone().filter(|one| names(text, &one.name)) {
            let (name, signer) = (&instance.name, &self.run.signer);
            let wrong = match finished(text, &self.report, &self.inventory, name, signer) {
                Ok(()) => return Ok(()),
                Err(wrong) => wrong,
            };
            if least.as_ref().is_none_or(|least| wrong.len() < least.len()) {
                least = Some(wrong);
            }
        }
        let Some(mut wrong) = least else {
            let known: Vec<&str> = ours.map(|one| &*one.name).take(NAMED).collect();
            return Err(format!(
                "it names no instance of the vendor's ({})",
                escape(&known.join(", "))
            ));
        };
        wrong.truncate(NAMED);
        Err(format!(
            "it is not the vendor's template, filled in: {}",
            escape(&wrong.join("; "))
        ))
    }
}

fn told(problems: Problems) -> Vec<String> {
    let all = problems.into_vec().into_iter();
    all.map(|one| one.message).collect()
}

#[cfg(test)]
#[path = "rehearsed_tests.rs"]
mod tests;
