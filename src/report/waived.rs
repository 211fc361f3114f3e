//! What waivers make of a run's checks, and who signed them. One function says it twice: when the run is
//! composed, and when it is verified, of the file that the run keeps. Judges nothing: `verdict/waivers.rs`.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::schema::{Check, Granted, Waiver as Told};
use crate::failure::FailureKind;
use crate::inventory::waivers::{Target, Waiver, WaiverFile};
use crate::problem::Problem;
use crate::sign::allowed_signers::Signer;
use crate::sign::people::{People, WAIVER};
use crate::time::rfc3339;

/// Where a run keeps its waivers.
pub const WAIVERS: &str = "inputs/waivers.yaml";

/// Whether an input of a run is its waivers or a signature over them.
#[must_use]
pub fn is_of_waivers(name: &str) -> bool {
    name == WAIVERS || signature_name(name, WAIVERS).is_some()
}

/// `bob.sig` of `FILE.bob.sig`, `sig` of `FILE.sig`.
pub(super) fn signature_name<'n>(name: &'n str, of: &str) -> Option<&'n str> {
    let rest = name.strip_prefix(of)?.strip_prefix('.')?;
    (rest == "sig" || rest.ends_with(".sig")).then_some(rest)
}

/// Signatures over a file of waivers, by the name of their file behind that of the waivers: `bob.sig`.
pub type Signatures = BTreeMap<String, Vec<u8>>;

/// Fingerprints of the keys that signed, by approver.
pub type Keys = BTreeMap<String, String>;

/// Turns failed checks that a waiver covers into waived ones, and tells what each waiver came to. The first
/// of the file that means a check covers it.
pub fn waive(file: &WaiverFile, keys: &Keys, checks: &mut [Check]) -> Vec<Granted> {
    let mut granted: Vec<Granted> = (file.waivers.iter())
        .map(|waiver| grant(waiver, keys))
        .collect();
    for check in checks {
        let mut is_covered = false;
        for (waiver, granted) in file.waivers.iter().zip(&mut granted) {
            if !waiver.means(&target(check)) {
                continue;
            }
            let list = match &*check.outcome {
                "passed" => &mut granted.passed,
                "failed" if may_be_waived(check) => {
                    check.outcome = "waived".to_owned();
                    check.waiver = Some(told(waiver));
                    is_covered = true;
                    &mut granted.covered
                }
                _ => &mut granted.failed,
            };
            list.push(check.id.clone());
            if is_covered {
                break;
            }
        }
    }
    granted
}

/// The checks as they were before any was waived.
#[must_use]
pub fn before(checks: &[Check]) -> Vec<Check> {
    let mut checks = checks.to_vec();
    for check in checks.iter_mut().filter(|check| check.outcome == "waived") {
        check.outcome = "failed".to_owned();
        check.waiver = None;
    }
    checks
}

/// What a waiver can name of a check.
#[must_use]
pub fn target(check: &Check) -> Target<'_> {
    Target {
        id: &check.id,
        scenario: &check.scenario,
        instance: check.instance.as_deref(),
        host: check.host.as_deref(),
        team: check.team.as_deref(),
    }
}

fn may_be_waived(check: &Check) -> bool {
    let failure = check.failure.as_ref();
    let kind = failure.map(|failure| (failure.kind.parse::<FailureKind>(), failure.at_login));
    check.attempts > 0 && matches!(kind, Some((Ok(kind), at_login)) if kind.may_be_waived(at_login))
}

fn grant(waiver: &Waiver, keys: &Keys) -> Granted {
    Granted {
        id: waiver.id.clone(),
        selects: waiver.selects(),
        reason: waiver.reason.clone(),
        ticket: waiver.ticket.clone(),
        requester: waiver.requester.clone(),
        approver: waiver.approver.clone(),
        key: keys.get(&waiver.approver).cloned().unwrap_or_default(),
        from: rfc3339(waiver.from),
        expires: rfc3339(waiver.expires),
        ..Granted::default()
    }
}

fn told(waiver: &Waiver) -> Told {
    Told {
        id: waiver.id.clone(),
        reason: waiver.reason.clone(),
        requester: waiver.requester.clone(),
        approver: waiver.approver.clone(),
        from: Some(rfc3339(waiver.from)),
        expires: rfc3339(waiver.expires),
        ticket: Some(waiver.ticket.clone()),
    }
}

/// Proves that each approver of `waivers` signed the file, is another person than who asked, and is not
/// one of `runners`: the names and keys that sign the run and its shards, once they are known.
///
/// # Errors
/// One problem for each waiver that nobody may rely on.
pub fn approved<'w>(
    file: &WaiverFile,
    waivers: impl IntoIterator<Item = &'w Waiver>,
    signatures: &Signatures,
    people: &People,
    runners: &[[&str; 2]],
    at: Timestamp,
) -> Result<Keys, Vec<Problem>> {
    let mut keys = Keys::new();
    let mut problems = Vec::new();
    for waiver in waivers {
        let (id, approver) = (&waiver.id, &waiver.approver);
        if people.are_one(&waiver.requester, approver) {
            let message = format!("requester and approver of waiver `{id}` are one person");
            let hint = "the approvers' file gives both one key: somebody else approves";
            problems.push(waiver.approver_problem(message, hint));
            continue;
        }
        match signer(file, approver, signatures, people, runners, at) {
            Ok(signer) => drop(keys.insert(approver.clone(), signer.fingerprint)),
            Err(why) => {
                let message = format!("waiver `{id}` is not signed by its approver: {why}");
                let name = file.path.file_name().unwrap_or_default().to_string_lossy();
                let hint = format!(
                    "`{approver}` signs the file as it is: ssh-keygen -Y sign -n {WAIVER} -f KEY {name}; rename {name}.sig to {name}.{approver}.sig where several sign"
                );
                problems.push(waiver.approver_problem(message, &hint));
            }
        }
    }
    match problems.is_empty() {
        true => Ok(keys),
        false => Err(problems),
    }
}

fn signer(
    file: &WaiverFile,
    approver: &str,
    signatures: &Signatures,
    people: &People,
    runners: &[[&str; 2]],
    at: Timestamp,
) -> Result<Signer, String> {
    let mut faults = Vec::new();
    for (name, signature) in signatures {
        match people.verify(Some(approver), WAIVER, &file.bytes, signature, at) {
            Ok(signer) => {
                let one = [&*signer.identity, &*signer.fingerprint];
                match people.is_of(one, runners) {
                    true => {
                        faults.push(format!("{name}: who signs the run approves nothing in it"))
                    }
                    false => return Ok(signer),
                }
            }
            Err(fault) => faults.push(format!("{name}: {fault}")),
        }
    }
    match faults.is_empty() {
        true => Err("there is no signature beside it".to_owned()),
        false => Err(faults.join("; ")),
    }
}
