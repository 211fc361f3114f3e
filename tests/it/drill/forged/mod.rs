//! A sealed, signed off drill that counts, and every way to change it: summed anew without a signature, signed by
//! a key that may not, and signed by the right key over a record that cannot be. Each is refused, with its reason,
//! by `drill verify`, by the gate and by `drill due`.

mod kept;
mod record;

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::process::Command;

use gonogo::digest::Sha256;
use gonogo::report::drill::{Kept, Record, Step, html, judge, markdown};

use super::{NAMESPACE, Office, files};

/// Drills of which each change is made to a copy.
struct Forge {
    office: Office,
    copies: Cell<usize>,
}

impl Forge {
    /// Two drills, both signed off: the second has one before it.
    fn new() -> Self {
        let office = Office::new();
        let run = office.lab.run(&office.lab.run_args("run-go"));
        assert_eq!(run.status.code(), Some(0), "{}", super::told(&run));
        for (dir, run, out) in [("one", "run-a", "drills/1"), ("two", "run-b", "drills/2")] {
            office.whole(dir, run);
            office.finish(dir, out, 0, &["PASSED"]);
        }
        let forge = Self {
            office,
            copies: Cell::new(0),
        };
        forge.sign_off("drills/1");
        forge.sign_off("drills/2");
        forge
    }

    fn sign_off(&self, drill: &str) {
        for who in ["ann", "bob"] {
            self.office.sign_with_stock_tools(who, drill);
        }
    }

    /// A folder of its own with the first drill, or both.
    fn copy(&self, both: bool) -> String {
        let number = self.copies.get() + 1;
        self.copies.set(number);
        let folder = format!("forged-{number}");
        let drills: &[&str] = match both {
            true => &["1", "2"],
            false => &["1"],
        };
        for drill in drills {
            let (from, to) = (
                self.office.at("drills").join(drill),
                self.office.at(&folder).join(drill),
            );
            for file in files(&from) {
                let place = to.join(file.strip_prefix(&from).unwrap());
                fs::create_dir_all(place.parent().unwrap()).unwrap();
                fs::copy(&file, place).unwrap();
            }
        }
        folder
    }

    /// Writes its SHA256SUMS anew, as `finish` does.
    fn sum(&self, drill: &Path) {
        let mut sums = String::new();
        for file in files(drill) {
            let name = file
                .strip_prefix(drill)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            if !name.starts_with("SHA256SUMS") {
                sums.push_str(&format!(
                    "{}  {name}\n",
                    Sha256::of(&fs::read(&file).unwrap())
                ));
            }
        }
        fs::write(drill.join("SHA256SUMS"), sums).unwrap();
    }

    /// Signs it as `finish` does, and has it signed off again.
    fn seal(&self, drill: &str, key: &str) {
        let dir = self.office.at(drill);
        self.sum(&dir);
        fs::remove_file(dir.join("SHA256SUMS.sig")).unwrap();
        let signed = Command::new("ssh-keygen")
            .args(["-q", "-Y", "sign", "-n", NAMESPACE, "-f"])
            .arg(self.office.at("keys").join(key))
            .arg(dir.join("SHA256SUMS"))
            .output()
            .unwrap();
        assert!(signed.status.success(), "{signed:?}");
        self.sign_off(drill);
    }

    /// All three ways to ask refuse what lies in the folder, for a reason that says each of these words.
    #[track_caller]
    fn refused(&self, how: &str, folder: &str, drill: &str, words: &[&str]) {
        let verify = [
            "drill",
            "verify",
            drill,
            "--allowed-signers",
            "sealers",
            "--people",
            "people",
            "--drills",
            folder,
        ];
        let gate = [
            "verify",
            "run-go",
            "--allowed-signers",
            "sealers",
            "--drills",
            folder,
            "--drill-people",
            "people",
        ];
        let due = [
            "drill",
            "due",
            "-i",
            "inventory.yaml",
            "--drills",
            folder,
            "--allowed-signers",
            "sealers",
            "--people",
            "people",
        ];
        for args in [&verify[..], &gate, &due] {
            let output = self.office.lab.run(args);
            let told = super::told(&output);
            let code = output.status.code();
            // Where one before it counts, it does so in its place, and that is told.
            let counts = code == Some(0) && told.contains("does not count");
            let is_refused = matches!(code, Some(1 | 2 | 4)) || counts && args[1] != "verify";
            assert!(is_refused, "{how}: {code:?} {args:?}: {told}");
            for word in words {
                assert!(
                    told.contains(word),
                    "{how}: {args:?}: not told `{word}`: {told}"
                );
            }
        }
    }

    /// The twin: as it is, it counts.
    #[track_caller]
    fn counts(&self, folder: &str, drill: &str) {
        let with = |args: &[&str]| {
            let output = self.office.lab.run(args);
            assert_eq!(
                output.status.code(),
                Some(0),
                "{args:?}: {}",
                super::told(&output)
            );
        };
        with(&[
            "drill",
            "verify",
            drill,
            "--allowed-signers",
            "sealers",
            "--people",
            "people",
            "--drills",
            folder,
        ]);
        with(&[
            "verify",
            "run-go",
            "--allowed-signers",
            "sealers",
            "--drills",
            folder,
            "--drill-people",
            "people",
        ]);
        with(&[
            "drill",
            "due",
            "-i",
            "inventory.yaml",
            "--drills",
            folder,
            "--allowed-signers",
            "sealers",
            "--people",
            "people",
        ]);
    }

    /// The record of a copy, changed, linked and rendered anew, and sealed with the right key.
    #[track_caller]
    fn forged(&self, how: &str, edit: &dyn Fn(&mut Record, &Path), words: &[&str]) {
        let folder = self.copy(false);
        let drill = format!("{folder}/1");
        self.rewrite(&drill, edit);
        self.seal(&drill, "signer");
        self.refused(how, &folder, &drill, words);
    }

    fn rewrite(&self, drill: &str, edit: &dyn Fn(&mut Record, &Path)) {
        let dir = self.office.at(drill);
        let mut record = Record::read(&fs::read(dir.join("drill.json")).unwrap()).unwrap();
        edit(&mut record, &dir);
        write(&record, &dir);
    }
}

fn write(record: &Record, dir: &Path) {
    fs::write(dir.join("drill.json"), record.write().unwrap()).unwrap();
    fs::write(dir.join("drill.md"), markdown(record)).unwrap();
    fs::write(dir.join("drill.html"), html(record)).unwrap();
}

/// Every entry names the one before it again, and the outcome is what they come to.
fn relink(record: &mut Record) {
    for number in 1..record.entries.len() {
        let before = record.entries[number - 1].write().unwrap();
        record.entries[number].previous = Some(Sha256::of(&before).to_string());
        record.entries[number].number = number as u64 + 1;
    }
    let judged = judge(&record.entries, record.last.as_ref());
    record.outcome = judged.outcome;
    record.missing = judged.missing;
    record.short = judged.short;
    record.findings = judged.findings;
}

/// The place of the step with that word.
fn place(record: &Record, word: &str) -> usize {
    let mut entries = record.entries.iter();
    entries.position(|entry| entry.step.word() == word).unwrap()
}

/// A kept file of other bytes, under the name that they have now.
fn swap(kept: &mut Kept, dir: &Path, edit: impl FnOnce(Vec<u8>) -> Vec<u8>) {
    let bytes = edit(fs::read(dir.join(&kept.name)).unwrap());
    fs::remove_file(dir.join(&kept.name)).unwrap();
    let digest = Sha256::of(&bytes).to_string();
    let (_, name) = kept
        .name
        .strip_prefix("evidence/")
        .unwrap()
        .split_once('-')
        .unwrap();
    kept.name = format!("evidence/{}-{name}", &digest[..12]);
    kept.bytes = bytes.len() as u64;
    kept.sha256 = digest;
    fs::write(dir.join(&kept.name), bytes).unwrap();
}

#[test]
fn what_the_right_key_did_not_sign_is_refused() {
    let forge = Forge::new();
    let twin = forge.copy(true);
    forge.counts(&twin, &format!("{twin}/2"));
    // One value, summed anew; the signature is of what it was.
    let folder = forge.copy(false);
    let drill = format!("{folder}/1");
    forge.rewrite(&drill, &|record, _| {
        let at = place(record, "acknowledgement");
        if let Step::Acknowledgement(step) = &mut record.entries[at].step {
            "00099999".clone_into(&mut step.case);
        }
        relink(record);
    });
    forge.sum(&forge.office.at(&drill));
    forge.refused("signed by another", &folder, &drill, &["SHA256SUMS.sig"]);
    // Signed by somebody who may not.
    forge.seal(&drill, "eve");
    forge.refused("signed by another", &folder, &drill, &["SHA256SUMS.sig"]);
    forge.seal(&drill, "ann");
    forge.refused("signed by another", &folder, &drill, &["SHA256SUMS.sig"]);
    // The twin: a true change by the right key is a drill of its own.
    forge.seal(&drill, "signer");
    forge.counts(&folder, &drill);
    // Signed off by one alone.
    fs::remove_file(forge.office.at(&drill).join("SHA256SUMS.bob.sig")).unwrap();
    let told = forge.office.lab.run(&[
        "verify",
        "run-go",
        "--allowed-signers",
        "sealers",
        "--drills",
        &folder,
        "--drill-people",
        "people",
    ]);
    assert_eq!(told.status.code(), Some(1), "{}", super::told(&told));
    assert!(super::told(&told).contains("two people have not signed it off"));
    forge.office.expect(
        &[
            "verify",
            &drill,
            "--allowed-signers",
            "sealers",
            "--people",
            "people",
            "--drills",
            &folder,
        ],
        5,
        &["1 of 2 signed it off"],
    );
    // A sign-off of another drill is none of this one.
    let (from, to) = (
        "drills/2/SHA256SUMS.bob.sig",
        format!("{drill}/SHA256SUMS.bob.sig"),
    );
    fs::copy(forge.office.at(from), forge.office.at(&to)).unwrap();
    forge.office.expect(
        &[
            "verify",
            &drill,
            "--allowed-signers",
            "sealers",
            "--people",
            "people",
            "--drills",
            &folder,
        ],
        5,
        &["1 of 2 signed it off", "SHA256SUMS.bob.sig"],
    );
}

#[test]
fn a_chain_that_was_forged_is_refused() {
    let forge = Forge::new();
    let chained = |edit: &dyn Fn(&mut Record, &Path), words: &[&str]| {
        let folder = forge.copy(true);
        let drill = format!("{folder}/2");
        forge.rewrite(&drill, edit);
        forge.seal(&drill, "signer");
        forge.refused("signed by another", &folder, &drill, words);
    };
    let other = Sha256::of(b"other").to_string();
    chained(
        &|record, _| record.previous = Some(other.clone()),
        &["PREVIOUS.sha256"],
    );
    chained(
        &|record, dir| {
            record.previous = Some(other.clone());
            fs::write(
                dir.join("PREVIOUS.sha256"),
                format!("{other}  ../1/SHA256SUMS\n"),
            )
            .unwrap();
        },
        &["no unbroken chain of drills"],
    );
    chained(
        &|record, _| record.number = 3,
        &["no unbroken chain of drills"],
    );
    chained(&|record, _| record.number = 1, &["is not its place"]);
    chained(
        &|record, _| record.last = None,
        &["does not answer for the findings of the last drill"],
    );
}
