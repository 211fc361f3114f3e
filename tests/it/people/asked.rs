//! A run that asks two things of people, and the people who answer.

use super::*;

pub(super) const ANSWER: &str = "gonogo-answer@gonogo";
pub(super) const PAGER: &str = "features/people.feature:2@orders/operations";
pub(super) const ROLLBACK: &str = "features/people.feature:7@production";
pub(super) const FEATURE: &str = "Feature: people
  Scenario: the pager of <instance>
    Given each instance
    And each team responsible for it
    Then a person confirms \"the pager of <instance> rang\"
    And the version can be retrieved
  Scenario: the rollback
    Then the \"release manager\" confirms \"the rollback was rehearsed\"
";

pub(crate) struct Asked {
    pub house: House,
    pub run: Run,
}

impl Asked {
    pub(crate) fn new(break_it: impl FnOnce(&crate::lab::Amps)) -> Self {
        let house = House::new(break_it);
        house.write("features/people.feature", FEATURE);
        for who in ["dora", "erin"] {
            keygen(&house.at(&format!("keys/{who}")), who);
        }
        let asked = Self {
            run: house.lab.judge_as_written(),
            house,
        };
        asked.answerers(&[("ann", "", "ann"), ("bob,role:release-manager", "", "bob")]);
        asked
    }

    /// Name, options, key: a line each.
    pub(super) fn answerers(&self, lines: &[(&str, &str, &str)]) {
        self.people("answerers", lines);
    }

    pub(super) fn people(&self, file: &str, lines: &[(&str, &str, &str)]) {
        let lines = lines.iter().map(|(name, options, key)| {
            let public = self.house.at(&format!("keys/{key}.pub"));
            format!("{name} {options}{}", fs::read_to_string(public).unwrap())
        });
        self.house.write(file, &lines.collect::<String>());
    }

    #[track_caller]
    pub(super) fn verify(&self, more: &[&str], code: i32, words: &[&str]) -> Output {
        let args = [&["--answerers", "answerers"][..], more].concat();
        let output = self.house.verify(&self.run.dir, &args);
        expect(&output, code, words);
        output
    }

    pub(crate) fn attest(&self, id: &str, answer: &str, key: &str) -> Output {
        let (dir, key) = (self.run.dir.to_str().unwrap(), format!("keys/{key}"));
        let statement = "seen in the war room";
        let args = ["attest", dir, "--check", id, "--answer", answer];
        let more = ["--statement", statement, "--key", &key];
        self.house.lab.run(&[&args[..], &more].concat())
    }

    /// The document, as it is printed for the stock tool.
    pub(super) fn printed(&self, id: &str, answer: &str, who: &str) -> String {
        let dir = self.run.dir.to_str().unwrap();
        let args = ["attest", dir, "--check", id, "--answer", answer];
        let more = ["--statement", "seen", "--identity", who, "--print"];
        let output = self.house.lab.run(&[&args[..], &more].concat());
        expect(&output, 0, &["ssh-keygen -Y sign"]);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Puts a document beside the run and signs it with stock `ssh-keygen`.
    pub(super) fn put(&self, name: &str, text: &str, key: &str, namespace: &str) {
        let file = self.run.dir.join(format!("SHA256SUMS.answer-{name}.json"));
        fs::write(&file, text).unwrap();
        self.house.sign(key, namespace, &file);
    }

    pub(super) fn clear(&self) {
        for entry in fs::read_dir(&self.run.dir).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if name.contains(".answer-") || name.contains(".break-glass-") {
                fs::remove_file(entry.path()).unwrap();
            }
        }
    }
}
