//! Rules and words of the house (`case build --rules`): forms beside those that everybody has, and words that
//! stay, unless they are somebody's name or look like a secret.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use super::engine::Engine;
use super::forms::Span;
use super::value::is_nothing;
use super::{cues, shape};
use crate::inventory::redaction_rules::{RedactionRule, RedactionRules, RuleKind};
use crate::problem::Problem;

/// The rules, and those of them that are meant for the file at hand.
#[derive(Default)]
pub(super) struct House {
    rules: Vec<RedactionRule>,
    meant: Mutex<Arc<[usize]>>,
}

/// What a rule found: where, as what, and which rule.
pub(super) type Bite<'h> = (Span, &'h str);

impl House {
    /// Only the rules for that file from now on.
    pub fn open(&self, path: &str) {
        let meant = self
            .rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.means(path));
        let meant: Arc<[usize]> = meant.map(|(at, _)| at).collect();
        if let Ok(mut now) = self.meant.lock() {
            *now = meant;
        }
    }

    /// Everything on the line that a rule tells.
    pub fn spans(&self, line: &str) -> Vec<Bite<'_>> {
        if self.rules.is_empty() {
            return Vec::new();
        }
        let meant = self
            .meant
            .lock()
            .map(|now| Arc::clone(&now))
            .unwrap_or_default();
        let mut found = Vec::new();
        for rule in meant.iter().filter_map(|at| self.rules.get(*at)) {
            let class = match rule.kind {
                RuleKind::Secret => None,
                RuleKind::Identifier => Some("id"),
            };
            for group in rule.regex.captures_iter(line).filter_map(|all| all.get(1)) {
                let range: Range<usize> = group.range();
                if !range.is_empty() && !is_nothing(group.as_str()) {
                    found.push(((range, class), rule.name.as_str()));
                }
            }
        }
        found
    }
}

impl Engine {
    /// Takes the rules and words of the house in.
    ///
    /// # Errors
    /// The words that are somebody's name, or look like a secret.
    pub fn take_in(&mut self, rules: RedactionRules) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::new();
        for kept in rules.keep {
            let word = &kept.word;
            if self.is_name(word) {
                let hint = "it stays hidden because a host, an account or a contact of the run is called so";
                problems.push(kept.refused(
                    &format!("`keep` names `{word}`, which is somebody's name"),
                    hint,
                ));
            } else if looks_secret(word) {
                let hint =
                    "what says of a value that it is secret, or looks like one, cannot be kept";
                problems.push(kept.refused(
                    &format!("`keep` names `{word}`, which looks like a secret"),
                    hint,
                ));
            } else {
                self.words.kept.insert(kept.word);
            }
        }
        self.house = House {
            meant: Mutex::new((0..rules.rules.len()).collect()),
            rules: rules.rules,
        };
        self.words.forget();
        match problems.is_empty() {
            true => Ok(()),
            false => Err(problems),
        }
    }

    /// The file that is read from now on: some rules are for some files alone.
    pub fn open(&self, path: &str) {
        self.house.open(path);
    }
}

/// Letters without vowels, letters between digits, or the forms that keys have.
fn looks_secret(word: &str) -> bool {
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    let vowels = word.bytes().filter(|byte| b"aeiouy".contains(byte)).count();
    let turns = word
        .as_bytes()
        .windows(2)
        .filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit())
        .count();
    let is_key = [
        "akia", "asia", "ghp_", "gho_", "xox", "glpat", "sk_live", "eyj", "hvs",
    ]
    .iter()
    .any(|begin| word.starts_with(begin));
    is_key
        || cues::is_name_of_secret(word)
        || letters >= 8 && vowels * 8 < letters
        || turns > 2
        || shape::address(word, || false, |_| false).is_some()
}
