//! For whom a bundle is encrypted: as the command names them, or as the intake does.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use jiff::Timestamp;

use crate::encryption::{AgeRecipient, Certificate, Recipients, Wrong, certificates, written};
use crate::inventory::Intake;

const MOST_BYTES: u64 = 4 << 20;

/// By words of the command: age recipients, SSH public keys, and files with either or with OpenPGP public keys.
///
/// # Errors
/// All that is wrong with them.
pub fn named(words: &[String], now: Timestamp) -> Result<Recipients, Vec<Wrong>> {
    let (mut age, mut openpgp, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for word in words {
        if written(word) {
            match AgeRecipient::read(word) {
                Ok(one) => age.push(one),
                Err(why) => wrong.push(why),
            }
            continue;
        }
        match of_file(word, now) {
            Ok(Held::Age(all)) => age.extend(all),
            Ok(Held::OpenPgp(all)) => openpgp.extend(all),
            Err(why) => wrong.extend(why),
        }
    }
    match wrong.is_empty() {
        true => Recipients::of(age, openpgp).map_err(|why| vec![why]),
        false => Err(wrong),
    }
}

/// As the intake wants it; of OpenPGP keys, those whose fingerprints it states.
///
/// # Errors
/// All that is wrong with them.
pub fn of_intake(intake: &Intake, now: Timestamp) -> Result<Recipients, Vec<Wrong>> {
    let (mut age, mut openpgp, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for one in &intake.encrypt_to {
        if written(one) {
            match AgeRecipient::read(one) {
                Ok(one) => age.push(one),
                Err(why) => wrong.push(why),
            }
            continue;
        }
        let Some(path) = &intake.openpgp_key else {
            wrong.push((
                format!(
                    "the inventory states the fingerprint {one}, and not where its public key is"
                ),
                "write `openpgp_key: FILE` beside `encrypt_to`".to_owned(),
            ));
            continue;
        };
        let found = read(path).and_then(|content| {
            certificates(&content, Some(one), now).map_err(|wrong| about(path, wrong))
        });
        match found {
            Ok(all) => openpgp.extend(all),
            Err(why) => wrong.extend(why),
        }
    }
    match wrong.is_empty() {
        true => Recipients::of(age, openpgp).map_err(|why| vec![why]),
        false => Err(wrong),
    }
}

enum Held {
    Age(Vec<AgeRecipient>),
    OpenPgp(Vec<Certificate>),
}

fn of_file(word: &str, now: Timestamp) -> Result<Held, Vec<Wrong>> {
    let is_fingerprint = word.len() == 40 && word.bytes().all(|c| c.is_ascii_hexdigit());
    if is_fingerprint && !Path::new(word).exists() {
        return Err(vec![(
            format!("{word} is the fingerprint of an OpenPGP key, and not the key"),
            format!("name its file: `gpg --armor --export {word} > vendor.asc`"),
        )]);
    }
    let path = Path::new(word);
    let content = read(path)?;
    let text = std::str::from_utf8(&content).ok();
    let Some(text) = text.filter(|text| !text.contains("-----BEGIN PGP")) else {
        let all = certificates(&content, None, now).map_err(|wrong| about(path, wrong))?;
        return Ok(Held::OpenPgp(all));
    };
    let (mut all, mut wrong) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || (line.starts_with('#') && !line.contains("SECRET")) {
            continue;
        }
        match AgeRecipient::read(line) {
            Ok(one) => all.push(one),
            Err((why, hint)) => {
                wrong.push((format!("{}:{}: {why}", path.display(), number + 1), hint));
                // What follows in a file of a private key is more of it.
                break;
            }
        }
    }
    if all.is_empty() && wrong.is_empty() {
        wrong.push((
            format!("`{}` names nobody", path.display()),
            "write one recipient a line".to_owned(),
        ));
    }
    match wrong.is_empty() {
        true => Ok(Held::Age(all)),
        false => Err(wrong),
    }
}

fn about(path: &Path, wrong: Vec<Wrong>) -> Vec<Wrong> {
    let named = |(why, hint): Wrong| (format!("`{}`: {why}", path.display()), hint);
    wrong.into_iter().map(named).collect()
}

fn read(path: &Path) -> Result<Vec<u8>, Vec<Wrong>> {
    let no = |why: String| {
        vec![(
            format!("cannot read `{}`: {why}", path.display()),
            "name an age recipient (age1…), an SSH public key, or a file with public keys"
                .to_owned(),
        )]
    };
    let found = fs::metadata(path).map_err(|error| no(error.to_string()))?;
    if !found.is_file() || found.len() > MOST_BYTES {
        return Err(no("it is no file of public keys".to_owned()));
    }
    let mut content = Vec::new();
    let file = File::open(path).map_err(|error| no(error.to_string()))?;
    file.take(MOST_BYTES + 1)
        .read_to_end(&mut content)
        .map_err(|error| no(error.to_string()))?;
    Ok(content)
}
