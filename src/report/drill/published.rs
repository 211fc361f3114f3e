//! `docs/schema/drill-v1.json` is derived from `schema.rs`, its doc comments being the descriptions, and these tests
//! hold the one to the other. After a change of the shape: `GONOGO_WRITE_SCHEMA=1 cargo test --lib published`, then
//! look at the difference: only additions are permitted.

use std::fs;
use std::path::Path;

use jsonschema::Validator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::schema::{JSON_SCHEMA, Record};
use super::{SCHEMA, tests};

const TIME: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$";
const DAY: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";
const DIGEST: &str = "^[0-9a-f]{64}$";

const TIMES: [(&str, &[&str]); 7] = [
    ("Entry", &["at"]),
    ("Retrieval", &["started", "finished"]),
    ("Request", &["at"]),
    ("Bundle", &["at"]),
    ("Delivery", &["at"]),
    ("Acknowledgement", &["at"]),
    ("Escalation", &["tried", "answered"]),
];
const DAYS: [(&str, &[&str]); 2] = [("Finding", &["due"]), ("Told", &["due"])];
const DIGESTS: [(&str, &[&str]); 6] = [
    ("Begin", &["inventory"]),
    ("Entry", &["previous"]),
    ("Kept", &["sha256"]),
    ("Last", &["manifest"]),
    ("Retrieval", &["manifest"]),
    ("Said", &["run_manifest"]),
];

fn object<'a>(schema: &'a mut Value, at: &str) -> &'a mut Map<String, Value> {
    let found = schema.pointer_mut(at).and_then(Value::as_object_mut);
    found.unwrap_or_else(|| panic!("{at}"))
}

/// Whole numbers get their bounds, the formats of Rust go.
fn bound(schema: &mut Value) {
    match schema {
        Value::Array(many) => many.iter_mut().for_each(bound),
        Value::Object(one) => {
            if one.get("format").is_some_and(|format| format == "uint64") {
                one.remove("format");
                one.insert("minimum".to_owned(), json!(0));
                one.insert("maximum".to_owned(), json!(u64::MAX));
            }
            // Where a comment breaks its lines means nothing.
            if let Some(Value::String(told)) = one.get_mut("description") {
                *told = told.replace('\n', " ");
            }
            one.values_mut().for_each(bound);
        }
        _ => {}
    }
}

fn derived() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let generator = settings.into_generator();
    let mut schema = generator.into_root_schema_for::<Record>().to_value();
    bound(&mut schema);
    for (tables, format, pattern) in [
        (&TIMES[..], Some("date-time"), TIME),
        (&DAYS[..], Some("date"), DAY),
        (&DIGESTS[..], None, DIGEST),
    ] {
        for (name, keys) in tables {
            for key in *keys {
                let one = object(&mut schema, &format!("/$defs/{name}/properties/{key}"));
                one.insert("pattern".to_owned(), json!(pattern));
                one.extend(format.map(|format| ("format".to_owned(), json!(format))));
            }
        }
    }
    for (key, pattern) in [("previous", DIGEST), ("sealed", TIME)] {
        let one = object(&mut schema, &format!("/properties/{key}"));
        one.insert("pattern".to_owned(), json!(pattern));
    }
    let sent = object(&mut schema, "/$defs/Delivery/properties/sha256/items");
    sent.insert("pattern".to_owned(), json!(DIGEST));
    schema["$id"] = json!("urn:x-gonogo:drill:v1");
    schema["title"] = json!("drill.json of a sealed drill, version 1");
    schema["properties"]["schema"]["const"] = json!(SCHEMA);
    schema["properties"]["number"]["minimum"] = json!(1);
    schema
}

fn validator() -> Validator {
    let schema: Value = serde_json::from_str(JSON_SCHEMA).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    let options = jsonschema::draft202012::options();
    let options = options.should_validate_formats(true);
    options.build(&schema).unwrap()
}

/// Read without regard to its spelling, which a program that makes JSON of it does not keep.
fn reads(record: &Value) -> bool {
    serde_json::from_value::<Record>(record.clone()).is_ok()
}

#[test]
fn the_published_schema_is_that_of_the_shape() {
    let mut text = serde_json::to_string_pretty(&derived()).unwrap();
    text.push('\n');
    if std::env::var_os("GONOGO_WRITE_SCHEMA").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/drill-v1.json");
        fs::write(path, text).unwrap();
        return;
    }
    assert!(
        text == JSON_SCHEMA,
        "src/report/drill/schema.rs has changed: GONOGO_WRITE_SCHEMA=1 cargo test --lib published"
    );
    assert!(!JSON_SCHEMA.contains("[`") && !JSON_SCHEMA.contains("`None`"));
}

#[test]
fn every_drill_that_is_written_is_valid() {
    let validator = validator();
    for record in tests::records() {
        let written: Value = serde_json::from_slice(&record.write().unwrap()).unwrap();
        if let Err(error) = validator.validate(&written) {
            panic!("{}: {error}", error.instance_path());
        }
    }
}

/// Each key of each object left out, renamed and given another value: whatever the reader refuses, the schema
/// refuses.
#[test]
fn what_the_reader_refuses_is_not_valid() {
    let validator = validator();
    let mut refused = 0;
    for record in tests::records() {
        let good = serde_json::to_value(&record).unwrap();
        let mut places = Vec::new();
        objects(&good, String::new(), &mut places);
        assert!(places.len() > 20, "{}", places.len());
        for (at, keys) in places {
            let change = |change: &dyn Fn(&mut Map<String, Value>)| {
                let mut record = good.clone();
                change(object(&mut record, &at));
                (validator.is_valid(&record), reads(&record))
            };
            let unknown = change(&|one| drop(one.insert("unknown".to_owned(), json!(1))));
            assert_eq!(unknown, (false, false), "{at}: an unknown key");
            for key in keys {
                let (is_valid, is_read) = change(&|one| drop(one.remove(&key)));
                assert!(is_read || !is_valid, "{at}/{key} left out is valid");
                for other in [
                    json!(null),
                    json!("zzz"),
                    json!(-1),
                    json!(1.5),
                    json!(true),
                    json!([]),
                    json!({}),
                    json!({"unknown": []}),
                ] {
                    let put = |one: &mut Map<String, Value>| {
                        one.insert(key.clone(), other.clone());
                    };
                    let (is_valid, is_read) = change(&put);
                    refused += usize::from(!is_valid);
                    assert!(is_read || !is_valid, "{at}/{key}: {other} is valid");
                }
            }
        }
    }
    assert!(refused > 500, "{refused}");
}

fn objects(value: &Value, at: String, places: &mut Vec<(String, Vec<String>)>) {
    match value {
        Value::Object(one) => {
            places.push((at.clone(), one.keys().cloned().collect()));
            for (key, value) in one {
                objects(value, format!("{at}/{key}"), places);
            }
        }
        Value::Array(many) => {
            for (index, value) in many.iter().enumerate() {
                objects(value, format!("{at}/{index}"), places);
            }
        }
        _ => {}
    }
}

#[test]
fn words_that_mean_nothing_are_not_valid() {
    let validator = validator();
    for record in tests::records() {
        let good = serde_json::to_value(&record).unwrap();
        for (at, word) in [
            ("/schema", json!("gonogo/drill/v2")),
            ("/number", json!(0)),
            ("/sealed", json!("yesterday")),
            ("/outcome", json!("GO")),
            ("/entries/0/at", json!("2026-11-22T10:00:00+00:00")),
            ("/entries/0/step/begin/kind", json!("outofhours")),
            ("/entries/0/step/begin/inventory", json!("AB")),
            ("/entries/1/previous", json!("0")),
            ("/entries/1/step", json!({"sleep": {}})),
        ] {
            assert!(validator.is_valid(&good));
            let mut record = good.clone();
            *record.pointer_mut(at).unwrap() = word;
            assert!(!validator.is_valid(&record), "{at}");
        }
    }
}
