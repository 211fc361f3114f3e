//! What is planted does not come through, whatever the file, the form and the spelling; what is harmless stays,
//! and the structure survives. `forms`: secrets in running text. `names`: people and machines. `structures`:
//! documents. `files`: packings, databases, blocks, the second pass. `closed`: what a reviewer got through, by kind.
//! `kept_whole`: files that were refused, and keep their form. `said`: words as secrets, and keys in logs.

mod closed;
mod files;
mod forms;
mod house;
mod kept_whole;
mod names;
mod placed;
mod said;
mod structures;

use std::fs;

use super::*;

/// Nothing that a word could be.
const MIXED: &str = "Zq7vKx3w9Hh";
/// A word of every log.
const WORD: &str = "island";

fn known() -> Known {
    let set = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
    Known {
        hosts: set(&["ny4-1", "10.20.0.11", "primary.db.bank.example"]),
        users: set(&["ops", "harvest"]),
        contacts: set(&["Erika Musterfrau", "+4989123456"]),
        protected: set(&["orders", "amps"]),
        versions: set(&["5.3.4.12"]),
        canaries: vec!["CANARY-77".to_owned()],
    }
}

fn engine() -> Engine {
    Engine::new(known(), Map::with_key([7; 32]))
}

/// Learns, redacts and proves one file; gives what came out.
fn through(shape: Shape, bytes: &[u8]) -> Result<Vec<u8>, Unfit> {
    let home = tempfile::tempdir().unwrap();
    let (from, to) = (home.path().join("from"), home.path().join("to"));
    fs::write(&from, bytes).unwrap();
    let mut engine = engine();
    learn(&mut engine, shape, &from)?;
    engine.settle();
    redact(&engine, shape, &from, &to)?;
    let out = fs::read(&to).unwrap();
    let leaks = prove(&Proof::new(&engine), shape, &to)?;
    assert_eq!(leaks, vec![], "{}", String::from_utf8_lossy(&out));
    Ok(out)
}

fn text(shape: Shape, text: &str) -> String {
    let out = through(shape, text.as_bytes());
    String::from_utf8(out.unwrap_or_else(|unfit| panic!("{text:?}: {unfit}"))).unwrap()
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Whether the secret stands in a text, as it is, without its dressing, or in base64.
fn holds(text: &str, secret: &str) -> bool {
    use base64::Engine as _;
    let plain: String = text.chars().filter(|c| *c != '\0').collect();
    let runs = plain.split(|c: char| !(c.is_ascii_alphanumeric() || "+/=".contains(c)));
    let unpacked = runs.filter(|run| run.len() >= 8).filter_map(|run| {
        let run = run.trim_end_matches('=');
        let bytes = base64::engine::general_purpose::STANDARD_NO_PAD
            .decode(run)
            .ok()?;
        Some(String::from_utf8_lossy(&bytes).replace('\0', ""))
    });
    plain.contains(secret) || unpacked.into_iter().any(|text| text.contains(secret))
}

#[test]
fn the_redactor_is_sound() {
    assert_eq!(sound(&engine()), Vec::<&str>::new());
    assert!(super::vocabulary::is_word(WORD));
}
