//! Accepting a sealed drill: whole, signed, its own story true, judged anew; its run, request and receipts held to
//! what it tells of them; and who signed it off. The only road from a directory to an outcome that counts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::chain::holds;
use super::schema::{Record, Step, begin};
use super::seal::{TOOL, files};
use super::{
    Folder, INVENTORY, NAMESPACE, Opened, Past, RECORD, SIGN_OFFS, agreed, evidence, page,
};
use crate::digest::Sha256;
use crate::inventory::Inventory;
use crate::report::previous;
use crate::report::sealed::{SealFault, Whole};
use crate::sign::allowed_signers::{AllowedSigners, Signer};
use crate::sign::manifest::{MANIFEST, SIGNATURE, read_regular};
use crate::sign::people::People;
use crate::sign::sshsig::SignatureFault;
use crate::text::{count, escape};

/// Each runner has a clock of its own.
const SKEW: SignedDuration = SignedDuration::from_mins(5);
const MOST_SIGNATURES: usize = 200;
const MOST_BYTES: u64 = 1 << 20;

/// A drill that was accepted.
#[derive(Clone, Debug)]
pub struct Verified {
    /// What it says; judged anew.
    pub record: Record,
    /// SHA-256 of its SHA256SUMS.
    pub digest: Sha256,
    /// Who sealed it.
    pub signer: Signer,
    /// Who signed it off.
    pub signed: Signed,
    /// What could not be compared, and what does not count.
    pub warnings: Vec<String>,
    /// What nobody can prove of its files.
    pub unproven: Vec<String>,
}

/// Who signed a drill off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signed {
    /// Each person, by names and keys; never who sealed it.
    pub people: Vec<String>,
    /// What else lies there, and why it does not count.
    pub others: Vec<String>,
}

impl Signed {
    /// Whether there are enough.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.people.len() >= SIGN_OFFS
    }
}

/// Why a drill is not acceptable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Refused {
    /// In a phrase.
    pub why: String,
    /// What to do about it.
    pub hint: String,
}

fn refuse(why: impl Into<String>) -> Refused {
    Refused {
        why: why.into(),
        hint: "a sealed drill is never edited, and nothing is added to it: get it again from its source".to_owned(),
    }
}

impl From<SealFault> for Refused {
    fn from(fault: SealFault) -> Self {
        let hint = match &fault {
            SealFault::Absent(_) | SealFault::NotARun { .. } => {
                "name the directory that `gonogo drill finish -o` wrote, whole"
            }
            SealFault::Signature(SignatureFault::NamespaceNotAllowed { .. }) => {
                "a line of --allowed-signers must allow the key the namespace gonogo-drill@gonogo"
            }
            fault => fault.hint(),
        };
        let why = match &fault {
            SealFault::NotARun { dir, name } => format!(
                "`{}` is no sealed drill: it has no {name}",
                escape(&dir.to_string_lossy())
            ),
            fault => fault.to_string(),
        };
        Self {
            why,
            hint: hint.to_owned(),
        }
    }
}

/// Accepts the drill in `dir`, signed with a key that is valid `at`; behind the drills of `folder`, when one is
/// named.
///
/// # Errors
/// The first reason found.
pub fn verify(
    dir: &Path,
    allowed: &AllowedSigners,
    people: Option<&People>,
    folder: Option<&Path>,
    opened: Opened<'_>,
    at: Timestamp,
    now: Timestamp,
) -> Result<Verified, Refused> {
    let whole = Whole::open(dir, allowed, None, NAMESPACE, at)?;
    let take = |name: &str| {
        let read = whole.manifest.read(dir, name);
        read.map_err(|fault| refuse(fault.to_string()))
    };
    let record = Record::read(&take(RECORD)?).map_err(|why| refuse(format!("{RECORD}: {why}")))?;
    let previous = previous::named(&take(previous::FILE)?);
    let previous = previous.map_err(|fault| refuse(fault.to_string()))?;
    holds(&record, previous).map_err(|why| refuse(escape(&why)))?;
    let begun = begin(&record.entries).ok_or_else(|| refuse("it has no beginning"))?;
    let sealed: Option<Timestamp> = record.sealed.parse().ok();
    if sealed.is_none_or(|sealed| sealed.duration_since(now) > SKEW) {
        return Err(refuse("it says that it was sealed in the future"));
    }
    exact(dir, &record, &whole)?;
    rendered(&record, &take)?;
    let inventory = take(INVENTORY)?;
    if Sha256::of(&inventory).to_string() != begun.inventory {
        return Err(refuse("it was begun with another inventory than it holds"));
    }
    let read = |kept: &super::Kept| {
        let bytes = whole.manifest.read(dir, &kept.name);
        bytes.map_err(|fault| fault.to_string())
    };
    evidence::hold(&record.entries, begun, Some((allowed, at)), &read)
        .map_err(|why| refuse(escape(&why)))?;
    let records = evidence::records(&record.entries, &read).map_err(|why| refuse(escape(&why)))?;
    let mut warnings = Vec::new();
    as_agreed(&record, inventory, &records, &mut warnings)?;
    let mut unproven = Vec::new();
    if record.outcome.is_passed() {
        evidence::together(&record.entries, &read).map_err(|why| refuse(escape(&why)))?;
        unproven = opened(dir, &record.entries).map_err(|why| refuse(escape(&why)))?;
    }
    if let Some(people) = people {
        theirs(&record, people)?;
    }
    match folder {
        Some(folder) => behind(&record, whole.digest, folder, allowed, at)?,
        None => warnings
            .push("not compared with the drills before it: --drills names their folder".to_owned()),
    }
    let signed = signed(dir, people, &whole.signer, at)?;
    Ok(Verified {
        record,
        digest: whole.digest,
        signer: whole.signer,
        signed,
        warnings,
        unproven,
    })
}

/// Exactly the files that the record names, with the digests that it names.
fn exact(dir: &Path, record: &Record, whole: &Whole) -> Result<(), Refused> {
    let kept = files(record);
    for (name, kept) in &kept {
        let listed = whole.manifest.digest(name).map(|digest| digest.to_string());
        let bytes = std::fs::metadata(dir.join(name)).map(|found| found.len());
        if listed.as_ref() != Some(&kept.sha256) || bytes.ok() != Some(kept.bytes) {
            return Err(refuse(format!(
                "`{}` is not the file that was noted",
                escape(name)
            )));
        }
    }
    let own = [
        RECORD,
        "drill.md",
        "drill.html",
        previous::FILE,
        "VERIFY.txt",
        INVENTORY,
    ];
    let known: BTreeSet<&str> = own.into_iter().chain(kept.into_keys()).collect();
    let listed: BTreeSet<&str> = whole.manifest.files().keys().map(String::as_str).collect();
    match known.symmetric_difference(&listed).next() {
        None => Ok(()),
        Some(name) => Err(refuse(format!(
            "`{}` is missing, or no part of a drill",
            escape(name)
        ))),
    }
}

/// What people read says what the record says.
fn rendered(
    record: &Record,
    take: &dyn Fn(&str) -> Result<Vec<u8>, Refused>,
) -> Result<(), Refused> {
    // Another name would be a way around the comparison: no older version made drills.
    if record.tool != TOOL {
        return Err(Refused {
            why: format!("it says that it was made by `{}`", escape(&record.tool)),
            hint: format!(
                "this is {TOOL}, and no older version made drills: verify it with the one that made it"
            ),
        });
    }
    for (name, text) in [
        ("drill.md", page::markdown(record)),
        ("drill.html", page::html(record)),
    ] {
        if take(name)? != text.as_bytes() {
            return Err(refuse(format!("{name} says something else than {RECORD}")));
        }
    }
    Ok(())
}

/// What the record tells of the inventory is what the inventory says, where it can be read alone.
fn as_agreed(
    record: &Record,
    bytes: Vec<u8>,
    records: &BTreeMap<String, Vec<u8>>,
    warnings: &mut Vec<String>,
) -> Result<(), Refused> {
    let Some(begun) = begin(&record.entries) else {
        return Ok(());
    };
    let Ok(inventory) = Inventory::parse_recorded(Path::new(INVENTORY), bytes, records) else {
        // The run that counts brought what it needs; without one, nothing counts.
        if record.outcome.is_passed() {
            return Err(refuse(
                "what it says of the vendor cannot be compared with its inventory, which cannot be read",
            ));
        }
        warnings.push(
            "what is agreed is not compared: the inventory needs files that are not here"
                .to_owned(),
        );
        return Ok(());
    };
    let wrong = || refuse("what it says of the vendor is not what its inventory says");
    if inventory.environment != begun.environment {
        return Err(wrong());
    }
    let vendor = inventory
        .vendors
        .iter()
        .find(|vendor| vendor.name == begun.vendor);
    let vendor = vendor.ok_or_else(wrong)?;
    let coverage = begun.agreed.coverage.as_ref();
    let severity = coverage.and_then(|coverage| coverage.severity.as_deref());
    let at = record
        .entries
        .first()
        .and_then(|entry| entry.at.parse().ok());
    let mut again =
        agreed(&inventory, vendor, severity, at.ok_or_else(wrong)?).map_err(|_| wrong())?;
    if again.coverage.as_ref().map(|one| &one.tzdb) != coverage.map(|one| &one.tzdb) {
        warnings.push("the contracted hours were judged by another zone database".to_owned());
        again.coverage = begun.agreed.coverage.clone();
    }
    match again == begun.agreed {
        true => Ok(()),
        false => Err(wrong()),
    }
}

/// Who answered for the vendor is nobody who may sign drills off.
fn theirs(record: &Record, people: &People) -> Result<(), Refused> {
    for entry in &record.entries {
        let who = match &entry.step {
            Step::Acknowledgement(step) => Some(&step.from),
            Step::Escalation(step) => step.from.as_ref(),
            _ => None,
        };
        if let Some(who) = who.filter(|who| people.knows(who)) {
            return Err(Refused {
                why: format!(
                    "entry {}, `{}`: `{}` is one of ours, who may sign drills off: the vendor answers",
                    entry.number,
                    entry.step.word(),
                    escape(who)
                ),
                hint: "nobody of ours answers for the vendor: rehearse it again; where both have one name, --people names ours by address".to_owned(),
            });
        }
    }
    Ok(())
}

/// The drills before it are there, and it answers for the findings of the last one with this vendor.
fn behind(
    record: &Record,
    digest: Sha256,
    folder: &Path,
    allowed: &AllowedSigners,
    at: Timestamp,
) -> Result<(), Refused> {
    let broken = |why: String| Refused {
        why,
        hint: "--drills names the folder in which all drills are kept, each as `finish` wrote it"
            .to_owned(),
    };
    let all = Folder::read(folder).map_err(broken)?;
    let place = all.drills.iter().position(|past| past.digest == digest);
    let Some(place) = place else {
        let folder = folder.to_string_lossy();
        return Err(broken(format!("it does not lie in `{}`", escape(&folder))));
    };
    let mut before = Folder::default();
    before.drills.extend(all.drills.into_iter().take(place));
    let (vendor, environment) = record
        .begin()
        .map_or(("", ""), |begin| (&begin.vendor, &begin.environment));
    let last = before.last_with(vendor, environment);
    if last.map(Past::as_last) != record.last {
        return Err(broken(
            "it does not answer for the findings of the last drill with this vendor".to_owned(),
        ));
    }
    let Some(last) = last else { return Ok(()) };
    let dir = folder.join(&last.name);
    let then = last.record.sealed.parse().unwrap_or(at);
    let open = |at| Whole::open(&dir, allowed, None, NAMESPACE, at);
    let opened = open(at).or_else(|fault| match fault {
        // Keys are rotated, and old drills stay what they are.
        SealFault::Signature(
            SignatureFault::OutsideWindow { .. } | SignatureFault::CertificateRefused { .. },
        ) => open(then),
        fault => Err(fault),
    });
    match opened {
        Ok(_) => Ok(()),
        Err(fault) => Err(broken(format!(
            "the last drill, `{}`: {fault}",
            escape(&last.name)
        ))),
    }
}

/// Every signature beside the manifest but that of whoever sealed it.
fn signed(
    dir: &Path,
    people: Option<&People>,
    sealer: &Signer,
    at: Timestamp,
) -> Result<Signed, Refused> {
    let unreadable = |cause: std::io::Error| refuse(format!("it cannot be listed: {cause}"));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let name = name.to_string_lossy().into_owned();
        let rest = name
            .strip_prefix(MANIFEST)
            .is_some_and(|rest| rest.ends_with(".sig"));
        if rest && name != SIGNATURE {
            names.push(name);
        }
    }
    names.sort_unstable();
    if names.len() > MOST_SIGNATURES {
        return Err(refuse(format!(
            "more than {MOST_SIGNATURES} signatures lie there"
        )));
    }
    let mut told = Signed::default();
    let Some(people) = people else {
        if !names.is_empty() {
            told.others.push(format!(
                "{} there, proven by nobody: --people says whose they are",
                count(names.len(), "sign-off")
            ));
        }
        return Ok(told);
    };
    let sums = read_regular(&dir.join(MANIFEST), 64 << 20).map_err(unreadable)?;
    let mut signers = Vec::new();
    for name in names {
        let bytes = read_regular(&dir.join(&name), MOST_BYTES);
        let bytes = bytes.map_err(|cause| refuse(format!("`{}`: {cause}", escape(&name))))?;
        match people.verify(None, NAMESPACE, &sums, &bytes, at) {
            Ok(signer) => {
                let own = [&*signer.identity, &*signer.fingerprint];
                if people.are_same(own, [&sealer.identity, &sealer.fingerprint]) {
                    told.others
                        .push(format!("`{}`: it is who sealed the drill", escape(&name)));
                } else {
                    signers.push(signer);
                }
            }
            Err(fault) => told.others.push(format!("`{}`: {fault}", escape(&name))),
        }
    }
    told.people = (people.apart(signers).into_iter())
        .map(|person| {
            let named = person
                .iter()
                .map(|signer| format!("{} ({})", escape(&signer.identity), signer.fingerprint));
            named.collect::<Vec<_>>().join(", ")
        })
        .collect();
    Ok(told)
}
