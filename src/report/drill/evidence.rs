//! Whether the files that a step brought say what the step tells: asked when it is noted, when the drill is sealed
//! and when it is verified, each time of the bytes themselves.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;

use super::blank;
use super::schema::{Begin, Entry, Kept, Retrieval, Step};
use super::sound::time;
use crate::digest::Sha256;
use crate::inventory::is_record;
use crate::report::schema::{Check, Report};
use crate::report::{judge, read};
use crate::sign::allowed_signers::AllowedSigners;
use crate::sign::manifest::Manifest;
use crate::sign::sshsig::{self, Signature, SignatureFault};
use crate::text::{clip, count, escape};
use crate::time::rfc3339;
use crate::verdict::Decision;

/// What every support asks for.
const FOUR: [&str; 4] = ["version", "configuration", "log", "statistics"];
/// How many holes are named.
const NAMED: usize = 5;

/// Gives the bytes of a kept file, proven by its digest.
pub type Read<'a> = &'a dyn Fn(&Kept) -> Result<Vec<u8>, String>;

/// Holds every step to the files that it brought. `allowed` says who may have signed the run.
///
/// # Errors
/// What does not fit, in a phrase.
pub(super) fn hold(
    entries: &[Entry],
    begin: &Begin,
    allowed: Option<(&AllowedSigners, Timestamp)>,
    read: Read<'_>,
) -> Result<(), String> {
    let begun = entries.first().map_or("", |entry| &*entry.at);
    let begun = time("its beginning", begun)?;
    for entry in entries {
        let of = |why: String| format!("entry {}, `{}`: {why}", entry.number, entry.step.word());
        let at = time("when it was told", &entry.at).map_err(of)?;
        match &entry.step {
            Step::Request(step) => request(&read(&step.file).map_err(of)?).map_err(of)?,
            Step::Retrieval(step) => {
                run(step, begin, begun, at, allowed, read).map_err(of)?;
            }
            Step::Delivery(step) if !step.receipts.is_empty() => {
                let mut told = Vec::new();
                for kept in &step.receipts {
                    told.push(receipt(&read(kept).map_err(of)?, begin).map_err(of)?);
                }
                let digests: Vec<&str> = told.iter().map(|(digest, _)| &**digest).collect();
                let latest = told.iter().map(|(_, finished)| finished).max();
                if digests != step.sha256 || latest != Some(&step.at) {
                    return Err(of("the receipts tell another delivery".to_owned()));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Holds the steps that count to each other: the request is about what was retrieved, and the case that the vendor
/// acknowledged is the one under which the bundle was delivered.
///
/// # Errors
/// What does not hang together, in a phrase.
pub(super) fn together(entries: &[Entry], read_kept: Read<'_>) -> Result<(), String> {
    let (mut asked, mut fetched, mut sent, mut answer, mut other) = (None, None, None, None, None);
    for entry in entries {
        match &entry.step {
            Step::Request(step) => asked = Some(step),
            Step::Retrieval(step) => fetched = step.files.get(2),
            Step::Delivery(step) => sent = Some(step),
            Step::Acknowledgement(step) => answer = Some(step),
            Step::Deviation(step) => other = step.what.as_ref(),
            _ => {}
        }
    }
    if let (Some(asked), Some(fetched)) = (asked, fetched) {
        let of = |why: String| format!("the request: {why}");
        about(&read_kept(&asked.file)?, &read_kept(fetched)?).map_err(of)?;
    }
    let receipts = sent.map_or(&[][..], |sent| &sent.receipts);
    for kept in receipts {
        /// What names the case.
        #[derive(Deserialize)]
        struct Receipt {
            #[serde(default)]
            case: Option<String>,
        }
        let receipt: Receipt = serde_json::from_slice(&read_kept(kept)?)
            .map_err(|error| format!("it is no receipt: {}", escape(&error.to_string())))?;
        if let (Some(case), Some(answer)) = (receipt.case, answer)
            && case != answer.case
            && other.is_none()
        {
            return Err(format!(
                "it was delivered under case `{}`, and the vendor acknowledged case `{}`: tell why (gonogo drill note DIR deviation 'WHAT' --again REASON), or the true number (acknowledgement … --again REASON)",
                escape(&case),
                escape(&answer.case)
            ));
        }
    }
    Ok(())
}

/// Whether a request names an instance of the run, and the version that was read of it: without them the vendor asks
/// back.
///
/// # Errors
/// What is missing, in a phrase.
pub fn about(text: &[u8], report: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(text);
    let report = read(report).map_err(|fault| fault.to_string())?;
    let mut known = Vec::new();
    for instance in &report.instances {
        let versions = versions(&report, &instance.name);
        if versions.iter().any(|version| names(&text, version)) && names(&text, &instance.name) {
            return Ok(());
        }
        let versions: Vec<&str> = versions.into_iter().collect();
        known.push(format!("{} {}", instance.name, versions.join(" or ")));
    }
    known.truncate(NAMED);
    Err(format!(
        "it names no instance of the run with the version that was retrieved of it ({}): `gonogo case draft` fills in the vendor's template",
        escape(&known.join(", "))
    ))
}

/// What was read of an instance's version.
#[must_use]
pub fn versions<'r>(report: &'r Report, instance: &str) -> BTreeSet<&'r str> {
    let of = |check: &&Check| check.instance.as_deref() == Some(instance);
    (report.checks.iter().filter(of))
        .flat_map(|check| &check.evidence)
        .filter_map(|found| found.version.as_deref())
        .collect()
}

/// Whether a text has that word, and not only within another.
#[must_use]
pub fn names(text: &str, word: &str) -> bool {
    let is_inner = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    !word.is_empty()
        && text.match_indices(word).any(|(at, _)| {
            let (before, behind) = (&text[..at], &text[at + word.len()..]);
            let mut rest = behind.chars();
            // `5.3.4.1` is not in `5.3.4.12`, nor in `5.3.4.1.7`; a sentence may end behind it.
            let ends = match rest.next() {
                Some('.') => !rest.next().is_some_and(char::is_alphanumeric),
                next => !next.is_some_and(is_inner),
            };
            ends && !before.ends_with(|c: char| is_inner(c) || c == '.')
        })
}

/// The text of a request is filled in.
///
/// # Errors
/// The line that is not, in a phrase.
pub fn request(bytes: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not a text in UTF-8".to_owned())?;
    let Some((number, why)) = blank::left(text) else {
        return Ok(());
    };
    let line = text.lines().nth(number - 1).unwrap_or_default();
    let line = escape(&clip(line.trim(), 80)).into_owned();
    Err(format!("line {number}, `{line}`: {why}"))
}

/// What a receipt tells: the digest of what arrived, and when.
///
/// # Errors
/// Why it proves no delivery, in a phrase.
pub fn receipt(bytes: &[u8], begin: &Begin) -> Result<(String, String), String> {
    /// What is read of `gonogo/receipt/v1`; what else it holds is for others.
    #[derive(Deserialize)]
    struct Receipt {
        schema: String,
        environment: String,
        vendor: String,
        sha256: String,
        finished: String,
        outcome: String,
    }
    let receipt: Receipt = serde_json::from_slice(bytes)
        .map_err(|error| format!("it is no receipt: {}", escape(&error.to_string())))?;
    let asked = [
        ("schema", &receipt.schema, "gonogo/receipt/v1"),
        ("environment", &receipt.environment, &*begin.environment),
        ("vendor", &receipt.vendor, &*begin.vendor),
        ("outcome", &receipt.outcome, "delivered"),
    ];
    for (what, told, wanted) in asked {
        if told != wanted {
            return Err(format!(
                "the receipt's {what} is `{}`, not `{}`",
                escape(told),
                escape(wanted)
            ));
        }
    }
    let digest: Sha256 = (receipt.sha256.parse()).map_err(|error| format!("sha256: {error}"))?;
    time("when it was delivered", &receipt.finished)?;
    Ok((digest.to_string(), receipt.finished))
}

/// The run that a retrieval rests on, from its three files.
fn run(
    step: &Retrieval,
    begin: &Begin,
    begun: Timestamp,
    told: Timestamp,
    allowed: Option<(&AllowedSigners, Timestamp)>,
    read_kept: Read<'_>,
) -> Result<(), String> {
    let [sums, armour, report, records @ ..] = &step.files[..] else {
        return Err("its files are not those of a run".to_owned());
    };
    let (sums, armour) = (read_kept(sums)?, read_kept(armour)?);
    if Sha256::of(&sums).to_string() != step.manifest {
        return Err("its SHA256SUMS is not the one that was told".to_owned());
    }
    let signature = Signature::parse(&armour).map_err(|fault| fault.to_string())?;
    let checked = signature.check(sshsig::NAMESPACE, &sums);
    checked.map_err(|fault| format!("the run's signature: {fault}"))?;
    let finished = time("the run's end", &step.finished)?;
    if let Some((allowed, now)) = allowed {
        let verify = |at| allowed.verify(None, sshsig::NAMESPACE, &sums, &armour, at);
        let signer = match verify(now) {
            // Keys are rotated, and old drills stay what they are.
            Err(
                SignatureFault::OutsideWindow { .. } | SignatureFault::CertificateRefused { .. },
            ) => verify(finished),
            verified => verified,
        };
        signer.map_err(|fault| format!("who signed the run may not: {fault}"))?;
    }
    let manifest: Manifest = (String::from_utf8_lossy(&sums).parse())
        .map_err(|fault| format!("the run's SHA256SUMS: {fault}"))?;
    let bytes = read_kept(report)?;
    if manifest.digest("report.json") != Some(Sha256::of(&bytes)) {
        return Err("its report.json is not the one that was signed".to_owned());
    }
    let report = read(&bytes).map_err(|fault| fault.to_string())?;
    let told_run = (&report.run.id, &report.run.started, &report.run.finished);
    if told_run != (&step.run, &step.started, &step.finished) {
        return Err("it is another run than the one that was told".to_owned());
    }
    whole(&report, records)?;
    retrieved(&report, begin, begun, told)
}

/// Everything that the run's inventory needs to be read, and nothing else: without the template nobody could hold
/// the request to it.
fn whole(report: &Report, records: &[Kept]) -> Result<(), String> {
    let kept: BTreeSet<(&str, &str)> = (records.iter())
        .map(|kept| (record_name(kept), &*kept.sha256))
        .collect();
    let listed: BTreeSet<(&str, &str)> = (report.inputs.iter())
        .filter_map(|input| Some((record(&input.path)?, &*input.sha256)))
        .collect();
    match kept.symmetric_difference(&listed).next() {
        None => Ok(()),
        Some((name, _)) => Err(format!(
            "`{}` of the run's inputs is missing, or is not what the run was made with",
            escape(name)
        )),
    }
}

/// The name of what an inventory needs beside itself, as a run calls it among its inputs; `None` for what is none.
#[must_use]
pub fn record(input: &str) -> Option<&str> {
    is_record(input).then(|| input.strip_prefix("inputs/").unwrap_or(input))
}

/// As [`record`], of a kept file: its digest is in front of it.
fn record_name(kept: &Kept) -> &str {
    let name = kept.name.strip_prefix("evidence/").unwrap_or(&kept.name);
    name.split_once('-').map_or(name, |(_, name)| name)
}

/// What the inventory of the retrieval that counts needs beside itself, by the names that a run has for it.
///
/// # Errors
/// When a file is not what was kept, in a phrase.
pub fn records(
    entries: &[Entry],
    read_kept: Read<'_>,
) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let run = entries.iter().rev().find_map(|entry| match &entry.step {
        Step::Retrieval(step) => Some(step),
        _ => None,
    });
    let files = run.map_or(&[][..], |run| run.files.get(3..).unwrap_or_default());
    let files = files
        .iter()
        .map(|kept| Ok((record_name(kept).to_owned(), read_kept(kept)?)));
    files.collect()
}

/// Whether the run shows that every team fetched everything from every server within the drill.
///
/// # Errors
/// Why it does not, in a phrase.
pub fn retrieved(
    report: &Report,
    begin: &Begin,
    begun: Timestamp,
    until: Timestamp,
) -> Result<(), String> {
    let run = &report.run;
    let no = |why: &str| Err(format!("the run {why}"));
    if run.kind != "run" || run.aborted.is_some() {
        return no("is a practice run, or was ended early");
    }
    if run.scope.partial || !run.scope.filters.is_empty() {
        return no("is filtered: it left something out");
    }
    if let Some(shard) = &run.scope.shard {
        let name = escape(&shard.name()).into_owned();
        return Err(format!(
            "the run is shard {name} alone: name the merged run"
        ));
    }
    if run.restates.is_some() {
        return no("restates checks of an earlier run: run everything within the drill");
    }
    if run.scope.environment != begin.environment {
        return Err(format!(
            "the run is about environment `{}`, the drill about `{}`",
            escape(&run.scope.environment),
            escape(&begin.environment)
        ));
    }
    let inventory = report
        .inputs
        .iter()
        .find(|input| input.path == super::INVENTORY);
    if inventory.map(|input| &input.sha256) != Some(&begin.inventory) {
        return no("used another inventory than the drill was begun with");
    }
    if judge(report).decision != Decision::Go || report.verdict.decision != "GO" {
        return no("is no GO");
    }
    let pieces = run.merged.iter().flat_map(|merged| &merged.shards);
    let pieces = pieces.map(|piece| (&piece.started, &piece.finished));
    for (started, finished) in pieces.chain([(&run.started, &run.finished)]) {
        let parsed = |text: &str| {
            let time: Option<Timestamp> = text.parse().ok();
            time.ok_or_else(|| format!("the run states no time: `{}`", escape(text)))
        };
        let (began, ended) = (parsed(started)?, parsed(finished)?);
        if began < begun || ended > until || ended < began {
            return Err(format!(
                "the run lasted from {} to {}, the drill so far from {} to {}: run everything within the drill",
                rfc3339(began),
                rfc3339(ended),
                rfc3339(begun),
                rfc3339(until)
            ));
        }
    }
    holes(report)
}

/// Each kind of artifact of each instance, by each team that is responsible for it.
fn holes(report: &Report) -> Result<(), String> {
    let on: BTreeMap<&str, &str> = (report.instances.iter())
        .map(|one| (&*one.name, &*one.host))
        .collect();
    let passed: Vec<&Check> = (report.checks.iter())
        .filter(|check| check.outcome == "passed")
        .collect();
    let seen: BTreeSet<(&str, &str, &str)> = passed
        .iter()
        .filter(|check| {
            check.host.as_deref() == check.instance.as_deref().and_then(|of| on.get(of).copied())
        })
        .filter_map(|check| Some((check.instance.as_deref()?, check.team.as_deref()?, check)))
        .flat_map(|(instance, team, check)| {
            let kinds = check.evidence.iter().filter(|found| found.bytes > 0);
            kinds.map(move |found| (instance, team, &*found.kind))
        })
        .collect();
    if report.instances.is_empty() {
        return Err("the run is about no instance".to_owned());
    }
    let mut holes = Vec::new();
    for instance in &report.instances {
        if instance.teams.is_empty() {
            holes.push(format!("anything of {} by any team", instance.name));
        }
        for team in &instance.teams {
            for kind in FOUR {
                if !seen.contains(&(&*instance.name, &**team, kind)) {
                    holes.push(format!("{kind} of {} by {team}", instance.name));
                }
            }
        }
    }
    if holes.is_empty() {
        return Ok(());
    }
    let more = holes.len().saturating_sub(NAMED);
    let more = match more {
        0 => String::new(),
        more => format!(", and {} more", count(more, "retrieval")),
    };
    let named = holes.iter().take(NAMED).map(String::as_str);
    let named = named.collect::<Vec<_>>().join(", ");
    Err(format!(
        "the run does not show the retrieval of {}{more}: every team fetches everything itself (`Given each instance`, `And each team responsible for it`)",
        escape(&named)
    ))
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_word_is_not_named_by_another_that_holds_it() {
        for (text, word) in [
            ("Version: 5.3.4.12\n", "5.3.4.12"),
            ("It is 5.3.4.12.", "5.3.4.12"),
            ("Instance: orders (AMPS)", "orders"),
        ] {
            assert!(names(text, word), "{text}");
        }
        for (text, word) in [
            ("Version: 5.3.4.12\n", "5.3.4.1"),
            ("Version: 5.3.4.12\n", "3.4.12"),
            ("Version: 5.3.4.12\n", "5.3.4"),
            ("Impact: preorders-eu late", "orders"),
            ("hello", "orders"),
            ("hello", ""),
        ] {
            assert!(!names(text, word), "{text}");
        }
    }
}
