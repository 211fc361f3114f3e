//! Logs on real servers: what the phrases ask, each fault by itself beside a twin that is well.

mod journal;
mod masks;
mod phrases;
mod retention;
mod twice;
mod unknown;

use std::fmt::Write as _;
use std::fs;
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::lab::{Amps, Host, Lab, OPERATIONS, Run};

pub const OPS: &str = OPERATIONS.team;

/// One host with one instance whose log names it.
pub struct Desk {
    pub lab: Lab,
    pub host: Rc<Host>,
    pub orders: Rc<Amps>,
}

impl Desk {
    pub fn new() -> Self {
        Self::on(|host| host)
    }

    pub fn on(
        edit: impl for<'a> FnOnce(crate::lab::HostBuilder<'a>) -> crate::lab::HostBuilder<'a>,
    ) -> Self {
        let lab = Lab::new();
        let host = edit(lab.host("ny4-1")).start();
        let orders = lab.amps("orders", &host);
        let desk = Self { lab, host, orders };
        desk.well();
        desk
    }

    /// Three files over the last 26 hours without a gap, warnings and the instance's name in each.
    pub fn well(&self) {
        let log = self.orders.log();
        self.orders
            .write(&format!("{log}.2.gz"), &gzip(&entries(26 * 60, 12 * 60)));
        self.orders
            .write(&format!("{log}.1"), entries(12 * 60, 60).as_bytes());
        self.orders.write(&log, entries(60, 0).as_bytes());
    }

    /// Asks one question a scenario, named by its first word, and judges.
    pub fn ask(&self, questions: &[(&str, &str)], edit: impl FnOnce(&mut Value)) -> Run {
        self.write(questions, edit);
        self.lab.judge_as_written()
    }

    /// Writes inventory and features only.
    pub fn write(&self, questions: &[(&str, &str)], edit: impl FnOnce(&mut Value)) {
        let mut inventory = self.lab.inventory();
        inventory["products"]["amps"]["artifacts"]["event log"]["names"] =
            json!("instance (\\w+) is up");
        edit(&mut inventory);
        self.lab.write_inputs(&inventory);
        let mut text = "Feature: logs\n".to_owned();
        let all = [
            ("version", "the version can be retrieved"),
            ("configuration", "the configuration can be retrieved"),
            ("log", "the event log can be retrieved"),
            ("statistics", "the statistics database can be retrieved"),
        ];
        for (name, step) in all.iter().chain(questions) {
            write!(
                text,
                "  Scenario: {name}\n    Given each instance\n    And each team responsible for it\n    Then {step}\n\n"
            )
            .unwrap();
        }
        let feature = self.lab.operator().join("features/support.feature");
        fs::write(feature, text).unwrap();
    }

    /// Every question is answered well, and `verify` finds the same from the record alone.
    #[track_caller]
    pub fn is_go(&self, questions: &[(&str, &str)], edit: impl FnOnce(&mut Value)) -> Run {
        let run = self.ask(questions, edit);
        run.assert_go(4 + questions.len());
        let verified = self.lab.verify(&run.dir);
        assert_eq!(verified.status.code(), Some(0), "{verified:?}");
        run
    }

    /// Exactly these questions fail, each with its kind and with these words in the failure.
    #[track_caller]
    pub fn fails(
        &self,
        questions: &[(&str, &str)],
        edit: impl FnOnce(&mut Value),
        failing: &[(&str, &str, &str)],
    ) -> Run {
        let run = self.ask(questions, edit);
        let expected: Vec<_> = failing
            .iter()
            .map(|(name, kind, _)| ("orders", OPS, *name, *kind))
            .collect();
        run.assert_only(&expected);
        for (name, _, words) in failing {
            let failure = run.check("orders", OPS, name)["failure"].to_string();
            assert!(failure.contains(words), "{words}: {failure}");
        }
        let verified = self.lab.verify(&run.dir);
        assert_eq!(verified.status.code(), Some(1), "{verified:?}");
        run
    }
}

pub fn as_it_is(_: &mut Value) {}

/// One entry a minute from so many minutes ago to so many, every twentieth a warning.
pub fn entries(from: i64, to: i64) -> String {
    let mut text = String::new();
    let now = Timestamp::now();
    for minute in (to..=from).rev() {
        let at = now - SignedDuration::from_mins(minute);
        let what = match minute % 20 {
            0 => "warning: 24-0002 slow thread\n    stack follows",
            1 => "info: 00-0015 instance orders is up",
            _ => "info: 07-0023 client logon",
        };
        writeln!(text, "{} [3] {what}", stamp(at)).unwrap();
    }
    text
}

pub fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.7fZ").to_string()
}

pub fn gzip(text: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    member.write_all(text.as_bytes()).unwrap();
    member.finish().unwrap()
}
