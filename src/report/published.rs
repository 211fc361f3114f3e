//! `docs/schema/report-v1.json` is derived from `schema.rs`, its doc comments being the descriptions, and
//! these tests hold the one to the other. After a change of the shape:
//! `GONOGO_WRITE_SCHEMA=1 cargo test --lib published`, then look at the difference: only additions are permitted.
//! The words, digests and times that the strict reader (`facts.rs`) asks for are added by the tables here.

use std::fs;
use std::path::Path;

use jsonschema::Validator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::schema::{JSON_SCHEMA, Report, SCHEMA};
use super::{facts::KINDS, read, sample, write};
use crate::failure::FailureKind;
use crate::verdict::{Decision, Outcome, RunKind, StepOutcome};

const TIMES: [(&str, &[&str]); 21] = [
    ("Run", &["started", "finished", "go_live", "go_live_until"]),
    ("Granted", &["from", "expires"]),
    ("Check", &["started"]),
    ("Attempt", &["started"]),
    ("Waiver", &["from", "expires"]),
    ("Evidence", &["modified", "newest_entry", "oldest_entry"]),
    ("Stretch", &["from", "to"]),
    ("HoleFound", &["from", "to"]),
    ("LevelFound", &["newest"]),
    ("Restates", &["finished"]),
    ("Carried", &["finished"]),
    ("Piece", &["started", "finished"]),
    ("Probe", &["at"]),
    ("Hop", &["certificate_ends"]),
    ("Document", &["time"]),
    ("Page", &["updated"]),
    ("Maintenance", &["from", "until"]),
    ("Entry", &["at"]),
    ("Week", &["from", "to"]),
    ("Midnight", &["at"]),
    ("HoursOfWeek", &["from", "to"]),
];

const DIGESTS: [(&str, &[&str]); 10] = [
    ("Subject", &["release"]),
    ("Run", &["previous"]),
    ("Tool", &["sha256"]),
    ("Scope", &["plan"]),
    ("Input", &["sha256"]),
    ("Evidence", &["sha256"]),
    ("LogFound", &["beginning"]),
    ("Restates", &["manifest"]),
    ("Piece", &["manifest"]),
    ("Document", &["sha256"]),
];

/// Times on the runner's own clock: from 1970 and before the year 3000, as `facts.rs` has it.
const MOMENTS: [(&str, &[&str]); 5] = [
    ("Run", &["started", "finished"]),
    ("Check", &["started"]),
    ("Restates", &["finished"]),
    ("Carried", &["finished"]),
    ("Piece", &["started", "finished"]),
];

/// A year, as `facts.rs` has it.
const LONGEST: [&str; 2] = ["Check", "Evidence"];
const LONGEST_MS: u64 = 366 * 86_400_000;

const MOMENT: &str =
    r"^(19[7-9][0-9]|2[0-9]{3})-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z$";
const TIME: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z$";
const DIGEST: &str = "^[0-9a-f]{64}$";
const COMMIT: &str = "^([0-9a-f]{40}|[0-9a-f]{64})$";

fn words() -> [(&'static str, &'static str, Vec<&'static str>); 7] {
    let kinds = || KINDS.map(|kind| kind.as_str()).to_vec();
    [
        ("Run", "kind", RunKind::ALL.map(RunKind::as_str).to_vec()),
        (
            "Verdict",
            "decision",
            Decision::ALL.map(Decision::as_str).to_vec(),
        ),
        (
            "Check",
            "outcome",
            Outcome::ALL.map(Outcome::as_str).to_vec(),
        ),
        (
            "Step",
            "outcome",
            StepOutcome::ALL.map(StepOutcome::as_str).to_vec(),
        ),
        (
            "Failure",
            "kind",
            FailureKind::ALL.map(FailureKind::as_str).to_vec(),
        ),
        ("Artifact", "kind", kinds()),
        ("Evidence", "kind", kinds()),
    ]
}

fn property<'a>(schema: &'a mut Value, name: &str, key: &str) -> &'a mut Map<String, Value> {
    let found = schema.pointer_mut(&format!("/$defs/{name}/properties/{key}"));
    let found = found.and_then(Value::as_object_mut);
    found.unwrap_or_else(|| panic!("{name}.{key}"))
}

/// What the derive leaves open: whole numbers get their bounds, the formats of Rust go.
fn bound(schema: &mut Value) {
    let Value::Object(one) = schema else {
        if let Value::Array(many) = schema {
            many.iter_mut().for_each(bound);
        }
        return;
    };
    let bounds = match one.get("format").and_then(Value::as_str) {
        Some("uint64") => Some((json!(0), json!(u64::MAX))),
        Some("uint32") => Some((json!(0), json!(u32::MAX))),
        Some("uint16") => Some((json!(0), json!(u16::MAX))),
        Some("int64") => Some((json!(i64::MIN), json!(i64::MAX))),
        _ => None,
    };
    if let Some((least, most)) = bounds {
        one.remove("format");
        one.insert("minimum".to_owned(), least);
        one.insert("maximum".to_owned(), most);
    }
    // Where a comment breaks its lines means nothing.
    if let Some(Value::String(told)) = one.get_mut("description") {
        *told = told.replace('\n', " ");
    }
    one.values_mut().for_each(bound);
}

fn derived() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<Report>()
        .to_value();
    bound(&mut schema);
    for (name, keys) in TIMES {
        for key in keys {
            let one = property(&mut schema, name, key);
            one.insert("format".to_owned(), json!("date-time"));
            one.insert("pattern".to_owned(), json!(TIME));
        }
    }
    for (name, keys) in MOMENTS {
        for key in keys {
            let one = property(&mut schema, name, key);
            one.insert("pattern".to_owned(), json!(MOMENT));
        }
    }
    for name in LONGEST {
        let one = property(&mut schema, name, "duration_ms");
        one.insert("maximum".to_owned(), json!(LONGEST_MS));
    }
    let within = property(&mut schema, "Merged", "within_s");
    within.insert("maximum".to_owned(), json!(LONGEST_MS / 1000));
    for (name, keys) in DIGESTS {
        for key in keys {
            let one = property(&mut schema, name, key);
            one.insert("pattern".to_owned(), json!(DIGEST));
        }
    }
    let commit = property(&mut schema, "Subject", "commit");
    commit.insert("pattern".to_owned(), json!(COMMIT));
    for (name, key, words) in words() {
        property(&mut schema, name, key).insert("enum".to_owned(), json!(words));
    }
    schema["$id"] = json!("urn:x-gonogo:report:v1");
    schema["title"] = json!("report.json of a gonogo run, version 1");
    schema["properties"]["schema"]["const"] = json!(SCHEMA);
    schema
}

fn validator() -> Validator {
    let schema: Value = serde_json::from_str(JSON_SCHEMA).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    let options = jsonschema::draft202012::options();
    options
        .should_validate_formats(true)
        .build(&schema)
        .unwrap()
}

#[track_caller]
fn valid(validator: &Validator, report: &Value) {
    if let Err(error) = validator.validate(report) {
        panic!("{}: {error}", error.instance_path());
    }
}

fn reads(report: &Value) -> bool {
    read(report.to_string().as_bytes()).is_ok()
}

/// An object that is closed: where it stands, its keys, and which of them must be there.
struct Closed {
    at: String,
    keys: Vec<String>,
    required: Vec<String>,
}

/// A report made of the schema alone: `whole` has every key, else only those that must be there.
fn made(root: &Value, schema: &Value, whole: bool, at: &str, closed: &mut Vec<Closed>) -> Value {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let target = root.pointer(name.strip_prefix('#').unwrap()).unwrap();
        return made(root, target, whole, at, closed);
    }
    if let Some(either) = schema.get("anyOf").and_then(Value::as_array) {
        return match whole {
            true => made(root, &either[0], whole, at, closed),
            false => Value::Null,
        };
    }
    if let Some(word) = schema.get("const") {
        return word.clone();
    }
    if let Some(words) = schema.get("enum") {
        return words[0].clone();
    }
    let kind = match &schema["type"] {
        Value::Array(_) if !whole => return Value::Null,
        Value::Array(kinds) => kinds[0].as_str(),
        kind => kind.as_str(),
    };
    match kind {
        Some("string") if schema["format"] == "date-time" => json!("2026-11-21T09:30:00Z"),
        Some("string") if schema["pattern"] == DIGEST => json!("0a".repeat(32)),
        Some("string") if schema["pattern"] == COMMIT => json!("0a".repeat(20)),
        Some("string") => json!("words"),
        Some("integer") => json!(7),
        Some("boolean") => json!(true),
        Some("array") if !whole => json!([]),
        Some("array") => {
            json!([made(
                root,
                &schema["items"],
                whole,
                &format!("{at}/0"),
                closed
            )])
        }
        Some("object") if schema.get("properties").is_none() => {
            let one = &schema["additionalProperties"];
            json!({"key": made(root, one, whole, &format!("{at}/key"), closed)})
        }
        Some("object") => {
            assert_eq!(schema["additionalProperties"], false, "{at} is open");
            let texts = |value: &Value| -> Vec<String> {
                let texts = value.as_array().cloned().unwrap_or_default();
                texts
                    .iter()
                    .map(|one| one.as_str().unwrap().to_owned())
                    .collect()
            };
            let properties = schema["properties"].as_object().unwrap();
            let required = texts(schema.get("required").unwrap_or(&Value::Null));
            let mut object = Map::new();
            for (key, one) in properties {
                if whole || required.contains(key) {
                    let value = made(root, one, whole, &format!("{at}/{key}"), closed);
                    object.insert(key.clone(), value);
                }
            }
            closed.push(Closed {
                at: at.to_owned(),
                keys: properties.keys().cloned().collect(),
                required,
            });
            Value::Object(object)
        }
        other => panic!("{at}: {other:?}"),
    }
}

#[test]
fn the_published_schema_is_that_of_the_shape() {
    let mut text = serde_json::to_string_pretty(&derived()).unwrap();
    text.push('\n');
    if std::env::var_os("GONOGO_WRITE_SCHEMA").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/report-v1.json");
        fs::write(path, text).unwrap();
        return;
    }
    assert!(
        text == JSON_SCHEMA,
        "src/report/schema.rs has changed: GONOGO_WRITE_SCHEMA=1 cargo test --lib published"
    );
}

#[test]
fn what_is_told_as_a_time_or_a_digest_is_held_to_its_form() {
    fn look(name: &str, schema: &Value, open: &mut Vec<String>) {
        for (key, one) in schema["properties"].as_object().unwrap() {
            let told = one["description"].as_str().unwrap_or_default();
            let is_text = one["type"].to_string().contains("string");
            if is_text
                && (told.contains("RFC 3339") || told.contains("SHA-256 of"))
                && one.get("pattern").is_none()
            {
                open.push(format!("{name}.{key}: {told}"));
            }
        }
    }
    let schema: Value = serde_json::from_str(JSON_SCHEMA).unwrap();
    let mut open = Vec::new();
    for (name, one) in schema["$defs"].as_object().unwrap() {
        look(name, one, &mut open);
    }
    assert!(open.is_empty(), "{open:#?}");
    assert!(!JSON_SCHEMA.contains("[`") && !JSON_SCHEMA.contains("`None`"));
}

#[test]
fn every_report_that_is_written_is_valid() {
    let validator = validator();
    let samples = [
        sample::go(),
        sample::no_go(),
        sample::hold(),
        sample::hostile(),
        sample::aborted(),
        sample::many(4_000),
    ];
    for report in samples {
        let written: Value = serde_json::from_slice(&write(&report).unwrap()).unwrap();
        valid(&validator, &written);
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut runs = 0;
    for entry in fs::read_dir(golden).unwrap() {
        let path = entry.unwrap().path().join("report.json");
        if let Ok(bytes) = fs::read(&path) {
            valid(&validator, &serde_json::from_slice(&bytes).unwrap());
            runs += 1;
        }
    }
    assert!(runs >= 6, "{runs} golden runs");
}

/// The schema says what may be there, and the reader takes all of it and writes the same again; so no key of
/// the one is unknown to the other.
#[test]
fn a_report_made_of_the_schema_is_read_and_written_the_same() {
    let (validator, schema) = (validator(), serde_json::from_str(JSON_SCHEMA).unwrap());
    for whole in [true, false] {
        let report = made(&schema, &schema, whole, "", &mut Vec::new());
        valid(&validator, &report);
        let read = read(report.to_string().as_bytes()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), report);
    }
}

/// Each key of each object left out, renamed and given another value: whatever the reader refuses, the schema
/// refuses.
#[test]
fn what_the_reader_refuses_is_not_valid() {
    let (validator, schema) = (validator(), serde_json::from_str(JSON_SCHEMA).unwrap());
    let mut closed = Vec::new();
    let good = made(&schema, &schema, true, "", &mut closed);
    let mut refused = 0;
    for Closed { at, keys, required } in &closed {
        let change = |change: &dyn Fn(&mut Map<String, Value>)| {
            let mut report = good.clone();
            change(report.pointer_mut(at).unwrap().as_object_mut().unwrap());
            (validator.is_valid(&report), reads(&report))
        };
        let unknown = change(&|object| drop(object.insert("unknown".to_owned(), json!(1))));
        assert_eq!(unknown, (false, false), "{at}: an unknown key");
        for key in keys {
            let without = change(&|object| drop(object.remove(key)));
            assert_eq!(without.0, !required.contains(key), "{at}/{key} left out");
            for other in [
                json!(null),
                json!("zzz"),
                json!(-1),
                json!(1.5),
                json!(u64::MAX),
                json!(1.8e19 * 2.0),
                json!(true),
                json!([]),
                json!([[]]),
                json!({}),
                json!({"unknown": []}),
            ] {
                let (is_valid, is_read) =
                    change(&|object| drop(object.insert(key.clone(), other.clone())));
                refused += usize::from(!is_valid);
                assert!(is_read || !is_valid, "{at}/{key}: {other} is valid");
            }
        }
    }
    assert!(closed.len() >= 25 && refused > 1_000, "{refused}");
}

#[test]
fn words_that_mean_nothing_are_not_valid() {
    let validator = validator();
    let good = serde_json::to_value(sample::no_go()).unwrap();
    for (at, word) in [
        ("/schema", "gonogo/report/v2"),
        ("/run/kind", "drill"),
        ("/run/started", "yesterday"),
        ("/run/finished", "2026-13-21T09:30:00Z"),
        ("/run/scope/plan", "0"),
        ("/verdict/decision", "GO!"),
        ("/checks/0/outcome", "fine"),
        ("/checks/0/steps/0/outcome", "skipped"),
        ("/checks/0/evidence/0/kind", "file"),
        ("/checks/6/failure/kind", "broken"),
        ("/inputs/0/sha256", "AB"),
    ] {
        valid(&validator, &good);
        let mut report = good.clone();
        *report.pointer_mut(at).unwrap() = json!(word);
        assert!(!validator.is_valid(&report), "{at}");
        assert!(!reads(&report), "{at}");
    }
}
