//! What `gonogo` does only among other things: reading an inventory, and making of a record everything that a run
//! directory holds. Run as a process of its own, so that CPU and memory are its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use gonogo::inventory::Inventory;
use gonogo::report::directory::Draft;
use gonogo::report::schema::Report;
use gonogo::report::{read, seal};
use gonogo::sign::key::SigningKey;

/// Does what `words` say; false when they say none of it.
pub fn run(words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["read-inventory", path, ..] => {
            let inventory = Inventory::load(Path::new(path)).unwrap();
            assert!(!inventory.hosts.is_empty());
            std::mem::forget(inventory);
        }
        ["read-report", run, ..] => {
            let report = record(run);
            assert!(!report.checks.is_empty());
            std::mem::forget(report);
        }
        ["seal-pages", run, out, ..] => sealed(run, out, "inputs/"),
        ["seal-whole", run, out, ..] => sealed(run, out, ""),
        _ => return false,
    }
    true
}

fn record(run: &str) -> Report {
    read(&fs::read(Path::new(run).join("report.json")).unwrap()).unwrap()
}

/// The same run once more, with its files below `folder`.
fn sealed(run: &str, out: &str, folder: &str) {
    let report = record(run);
    let mut files = BTreeMap::new();
    for input in &report.inputs {
        files.insert(
            input.path.clone(),
            fs::read(Path::new(run).join(&input.path)).unwrap(),
        );
    }
    for name in report
        .checks
        .iter()
        .filter_map(|check| check.transcript.as_ref())
    {
        if name.starts_with(folder) {
            files.insert(name.clone(), fs::read(Path::new(run).join(name)).unwrap());
        }
    }
    let key = SigningKey::load(Path::new("key"), None).unwrap();
    let draft = Draft::create(Path::new(out)).unwrap();
    seal(draft, &key, &report, files, None).unwrap();
    fs::remove_dir_all(out).unwrap();
    std::mem::forget(report);
}
