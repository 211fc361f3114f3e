//! The report as OSCAL assessment-results 1.1.3, a function of the report, its digest and a mapping of tags to
//! controls: the same three give the same bytes. It has observations and no findings: OSCAL knows only
//! "satisfied" and "not-satisfied" there, and both are for an assessor to say. Here a passed check supports.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use super::markdown::words;
use super::phrases;
use super::schema::{Check, Report};
use crate::digest::Sha256;
use crate::inventory::controls::{Control, Controls};
use crate::text::escape;
use crate::time::rfc3339;

const OSCAL: &str = "1.1.3";
/// Of the names that are made up here; RFC 9562's own, for URLs, will do.
const NAMESPACE: [u8; 16] = [
    0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8,
];

/// Why there are no assessment results.
#[derive(Debug, thiserror::Error)]
pub enum OscalFault {
    /// OSCAL asks for at least one control.
    #[error("no check has a tag that stands for a control")]
    NoControl,
    /// A tag of a check.
    #[error("tag `{}` of check `{}` names no control of a known catalogue", escape(.0), escape(.1))]
    Tag(String, String),
    /// A time that no calendar has.
    #[error("`{}` is no time", escape(.0))]
    Time(String),
    /// Never for a report.
    #[error("cannot write assessment results: {0}")]
    Json(#[from] serde_json::Error),
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    assessment_results: AssessmentResults,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct AssessmentResults {
    uuid: String,
    metadata: Value,
    import_ap: Value,
    results: [Outcome; 1],
    back_matter: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Outcome {
    uuid: String,
    title: String,
    description: String,
    start: String,
    end: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_definitions: Option<Value>,
    reviewed_controls: Value,
    observations: Vec<Observation>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Observation {
    uuid: String,
    title: String,
    description: String,
    methods: [&'static str; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subjects: Vec<Subject>,
    relevant_evidence: Vec<Evidence>,
    collected: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Subject {
    subject_uuid: String,
    r#type: &'static str,
}

#[derive(Serialize)]
struct Evidence {
    href: String,
    description: &'static str,
}

/// Makes UUIDs (version 5) of names, the run's id among them.
struct Names<'a>(&'a str);

impl Names<'_> {
    fn uuid(&self, kind: &str, name: &str) -> String {
        let mut hash = Sha1::new_with_prefix(NAMESPACE);
        for part in ["gonogo", self.0, kind, name] {
            // With its length: no two lists of names run into one.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        bytes[6] = bytes[6] & 0x0f | 0x50;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex = |part: &[u8]| -> String { part.iter().map(|b| format!("{b:02x}")).collect() };
        let parts = [
            &bytes[..4],
            &bytes[4..6],
            &bytes[6..8],
            &bytes[8..10],
            &bytes[10..],
        ];
        parts.map(hex).join("-")
    }
}

/// The assessment results of `report`, whose `report.json` has the digest `of`.
///
/// # Errors
/// When no check stands for a control, or a tag names one that is none.
pub fn render(report: &Report, of: Sha256, controls: &Controls) -> Result<String, OscalFault> {
    let names = Names(&report.run.id);
    let items = items(report, &names);
    let mut reviewed = BTreeSet::new();
    let mut observations = Vec::new();
    let (started, finished) = (time(&report.run.started)?, time(&report.run.finished)?);
    // Tags repeat: what they stand for is found once.
    let mut known: HashMap<&[String], BTreeSet<Control>> = HashMap::new();
    for check in &report.checks {
        if !known.contains_key(check.tags.as_slice()) {
            let found = controls.of(&check.tags);
            let found = found.map_err(|tag| OscalFault::Tag(tag.to_owned(), check.id.clone()))?;
            reviewed.extend(found.iter().cloned());
            known.insert(&check.tags, found);
        }
        let found = &known[check.tags.as_slice()];
        if !found.is_empty() {
            observations.push(observation(check, found, &names, &items, &finished)?);
        }
    }
    if reviewed.is_empty() {
        return Err(OscalFault::NoControl);
    }
    let verdict = format!(
        "{}\\: {}",
        words(&report.verdict.decision),
        words(&report.run.scope.environment)
    );
    let description = format!(
        "{} {}. {} of {} checks stand for controls. A passed check supports the assessment of a control; that one is met is for an assessor to say.",
        phrases::meaning(report),
        phrases::sum(&report.counts),
        observations.len(),
        report.checks.len(),
    );
    let document = Document {
        assessment_results: AssessmentResults {
            uuid: names.uuid("assessment-results", ""),
            metadata: json!({
                "title": format!("Go-live readiness of {}", words(&report.run.scope.environment)),
                "last-modified": finished,
                "version": "1",
                "oscal-version": OSCAL,
                "remarks": format!("Made by gonogo from report.json of run {}, whose signature and digests only `gonogo verify` proves.", words(&report.run.id)),
            }),
            import_ap: json!({"href": format!("#{}", names.uuid("plan", ""))}),
            results: [Outcome {
                uuid: names.uuid("result", ""),
                title: verdict,
                description,
                start: started,
                end: finished,
                local_definitions: local_definitions(report, &items),
                reviewed_controls: reviewed_controls(&reviewed, controls),
                observations,
            }],
            back_matter: json!({"resources": [
                {
                    "uuid": names.uuid("report", ""),
                    "title": "report.json",
                    "rlinks": [{"href": "report.json", "hashes": [{"algorithm": "SHA-256", "value": of.to_string()}]}],
                },
                {
                    "uuid": names.uuid("plan", ""),
                    "title": "The plan: features and inventory",
                    "description": format!("SHA-256 of the plan: {}", words(&report.run.scope.plan)),
                    "rlinks": [{"href": "inputs/"}],
                },
            ]}),
        },
    };
    let mut out = serde_json::to_string_pretty(&document)?;
    out.push('\n');
    Ok(out)
}

fn time(text: &str) -> Result<String, OscalFault> {
    let instant = text.parse::<Timestamp>();
    instant
        .map(rfc3339)
        .map_err(|_| OscalFault::Time(text.to_owned()))
}

/// UUID of each host and instance, by kind and name.
fn items<'a>(report: &'a Report, names: &Names<'_>) -> BTreeMap<(&'static str, &'a str), String> {
    let hosts = report.hosts.iter().map(|host| ("host", host.name.as_str()));
    let instances = (report.instances.iter()).map(|one| ("instance", one.name.as_str()));
    hosts
        .chain(instances)
        .map(|(kind, name)| ((kind, name), names.uuid(kind, name)))
        .collect()
}

fn local_definitions(
    report: &Report,
    items: &BTreeMap<(&'static str, &str), String>,
) -> Option<Value> {
    let hosts = report.hosts.iter().map(|host| {
        let key = host.host_key.as_deref().unwrap_or("not seen");
        let told = format!("Host {}, host key {}", words(&host.name), words(key));
        (("host", host.name.as_str()), told)
    });
    let instances = report.instances.iter().map(|one| {
        let (name, product, host) = (words(&one.name), words(&one.product), words(&one.host));
        let told = format!("Instance {name} of {product} on host {host}");
        (("instance", one.name.as_str()), told)
    });
    // A name that stands twice is one item: identifiers must not repeat.
    let told: BTreeMap<_, _> = hosts.chain(instances).collect();
    let list: Vec<_> = (told.iter())
        .map(|(key, told)| json!({"uuid": items[key], "description": told}))
        .collect();
    (!list.is_empty()).then(|| json!({"inventory-items": list}))
}

/// A token of OSCAL begins with a letter: where an id does not, the catalogue stands before it.
fn token(control: &Control) -> String {
    match control.id.starts_with(|c: char| c.is_ascii_alphabetic()) {
        true => control.id.clone(),
        false => {
            let whole = format!("{}_{}", control.catalog, control.id);
            match whole.starts_with(|c: char| c.is_ascii_alphabetic()) {
                true => whole,
                false => format!("_{whole}"),
            }
        }
    }
}

fn reviewed_controls(reviewed: &BTreeSet<Control>, controls: &Controls) -> Value {
    let mut by_catalog: BTreeMap<&str, Vec<&Control>> = BTreeMap::new();
    for control in reviewed {
        by_catalog
            .entry(&control.catalog)
            .or_default()
            .push(control);
    }
    let selections = by_catalog.into_iter().map(|(key, list)| {
        let catalog = controls.catalogs.get(key).cloned().unwrap_or_default();
        let list: Vec<_> = (list.into_iter())
            .map(|one| json!({"control-id": token(one)}))
            .collect();
        let mut selection = json!({
            "description": format!("Controls of {} whose assessment the checks support", words(&catalog.title)),
            "include-controls": list,
        });
        if let Some(remarks) = catalog.remarks {
            selection["remarks"] = json!(words(&remarks));
        }
        selection
    });
    json!({"control-selections": selections.collect::<Vec<_>>()})
}

fn observation(
    check: &Check,
    controls: &BTreeSet<Control>,
    names: &Names<'_>,
    items: &BTreeMap<(&'static str, &str), String>,
    finished: &str,
) -> Result<Observation, OscalFault> {
    let listed: Vec<_> = (controls.iter())
        .map(|one| format!("{}/{}", one.catalog, one.id))
        .collect();
    let listed = listed.join(", ");
    let mut description = match check.outcome.as_str() {
        "passed" => format!("Passed. It supports the assessment of {listed}."),
        "pending" => {
            format!("Waits for a person. It does not yet support the assessment of {listed}.")
        }
        "waived" => format!(
            "Failed, and the failure is waived. It does not support the assessment of {listed}."
        ),
        _ => format!("Failed. It does not support the assessment of {listed}."),
    };
    if let Some(failure) = &check.failure {
        description += &format!(
            "\n\n{}\\: expected {}, found {}",
            words(&failure.kind),
            words(&failure.expected),
            words(&failure.actual)
        );
    }
    if let Some(waiver) = &check.waiver {
        description += &format!("\n\nWaived\\: {}", words(&phrases::waiver(waiver)));
    }
    if !check.earlier.is_empty() {
        description += &format!("\n\nAttempts\\: {}", check.attempts);
    }
    if let Some(carried) = phrases::carried(check) {
        description += &format!("\n\n{}", words(&carried));
    }
    description += &format!("\n\nCheck {}", words(&check.id));
    let subject = |kind: &'static str, name: &Option<String>| {
        let found = items.get(&(kind, name.as_deref()?))?;
        Some(Subject {
            subject_uuid: found.clone(),
            r#type: "inventory-item",
        })
    };
    let subjects = [
        subject("instance", &check.instance),
        subject("host", &check.host),
    ];
    let transcript = check.transcript.iter().filter(|path| is_plain(path));
    let transcript = transcript.map(|path| Evidence {
        href: path.clone(),
        description: "The redacted transcript",
    });
    let report = Evidence {
        href: format!("#{}", names.uuid("report", "")),
        description: "The check in report.json, with digests of what was retrieved",
    };
    Ok(Observation {
        uuid: names.uuid("check", &check.id),
        title: match check.scenario.is_empty() {
            true => "A scenario without a name".to_owned(),
            false => words(&check.scenario),
        },
        description,
        methods: ["TEST"],
        subjects: subjects.into_iter().flatten().collect(),
        relevant_evidence: std::iter::once(report).chain(transcript).collect(),
        collected: match &check.started {
            Some(started) => time(started)?,
            None => finished.to_owned(),
        },
    })
}

/// A path as gonogo names transcripts: nothing in it means anything in a URI.
fn is_plain(path: &str) -> bool {
    path.starts_with("evidence/")
        && !path.contains("..")
        && (path.chars()).all(|c| c.is_ascii_alphanumeric() || "./_-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn controls() -> Controls {
        let text = "catalogs: {nist: {title: N}, iso: {title: I, remarks: R}}\ntags: {\"@blocker\": [nist/au-6, iso/8.15]}\n";
        Controls::parse(std::path::Path::new("c"), text.as_bytes()).unwrap()
    }

    fn rendered(report: &Report) -> Value {
        let text = render(report, Sha256::of(b"x"), &controls()).unwrap();
        assert_eq!(text, render(report, Sha256::of(b"x"), &controls()).unwrap());
        assert!(!text.to_lowercase().contains("satisf"), "{text}");
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn passed_checks_support_and_others_do_not() {
        let whole = rendered(&sample::no_go());
        let result = &whole["assessment-results"]["results"][0];
        assert_eq!(result["title"], "NO-GO\\: production");
        let observations = result["observations"].as_array().unwrap();
        assert_eq!(observations.len(), sample::no_go().checks.len());
        for (observation, check) in observations.iter().zip(sample::no_go().checks) {
            let told = observation["description"].as_str().unwrap();
            assert_eq!(
                told.contains("It supports"),
                check.outcome == "passed",
                "{told}"
            );
            assert!(told.contains("iso/8.15, nist/au-6"), "{told}");
        }
        assert!(observations[22].to_string().contains("W-2026-07"));
        assert!(observations[5].to_string().contains("Attempts"));
        let selections = result["reviewed-controls"]["control-selections"].clone();
        assert_eq!(
            selections[0]["include-controls"],
            json!([{"control-id": "iso_8.15"}])
        );
        assert_eq!(
            selections[1]["include-controls"],
            json!([{"control-id": "au-6"}])
        );
        assert_eq!(selections[0]["remarks"], "R");
    }

    #[test]
    fn uuids_are_of_version_5_and_none_stands_twice() {
        let text = rendered(&sample::no_go()).to_string();
        let pattern =
            r#""uuid":"([0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})""#;
        let pattern = regex::Regex::new(pattern).unwrap();
        let found: Vec<_> = pattern
            .captures_iter(&text)
            .map(|one| one[1].to_owned())
            .collect();
        assert_eq!(found.len(), text.matches("\"uuid\":").count());
        assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len());
    }

    #[test]
    fn hostile_words_steer_nothing() {
        let mut report = sample::hostile();
        report.checks[0].tags.push("@blocker".to_owned());
        report.checks[0].scenario = String::new();
        let whole = rendered(&report).to_string();
        for raw in ["<script", "\u{1b}", "\u{202e}", "[x](", "@team"] {
            assert!(!whole.contains(raw), "{raw}");
        }
        assert!(!whole.contains("evidence/0001.txt<"));
        assert!(
            !is_plain("evidence/../x") && !is_plain("https://x") && is_plain("evidence/0001.txt")
        );
    }

    #[test]
    fn what_stands_for_no_control_is_refused() {
        let digest = Sha256::of(b"x");
        let refused = |report: &Report| render(report, digest, &controls()).unwrap_err();
        assert!(matches!(refused(&sample::aborted()), OscalFault::NoControl));
        let mut report = sample::go();
        report.checks[3].tags = vec!["control:nits/au-6\u{1b}".to_owned()];
        let told = refused(&report).to_string();
        assert!(
            told.contains("control:nits/au-6") && !told.contains('\u{1b}'),
            "{told}"
        );
    }

    #[test]
    fn a_hundred_thousand_checks_are_written() {
        let report = sample::rounds(250);
        let text = render(&report, Sha256::of(b"x"), &controls()).unwrap();
        assert_eq!(text.matches("\"collected\"").count(), 100_000);
    }
}
