//! The support request: the vendor's own template, filled in from what a run retrieved, from what the
//! inventory says of the vendor, and from what a person answered. A field that stays blank is a problem.
//!
//! Reads records only. The same input gives the same text: no clock is asked.

mod facts;
mod taken;

pub use taken::finished;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::evidence::redact::{Capture, names_secret};
use crate::inventory::template::{By, FIELDS, Piece, Template, filled_by};
use crate::inventory::{Inventory, Vendor};
use crate::problem::{Place, Problem, Problems};
use crate::report::schema::Report;
use crate::support::request;
use crate::text;

/// What a request is made from.
pub struct Order<'a> {
    /// The run.
    pub report: &'a Report,
    /// Who signed it, where that was proven.
    pub signer: Option<&'a str>,
    /// What is said of the vendor.
    pub inventory: &'a Inventory,
    /// What the request is about.
    pub instance: &'a str,
    /// As which team it was retrieved; the first of the instance's.
    pub team: Option<&'a str>,
}

/// A request that is being filled in.
pub struct Draft<'a> {
    template: &'a Template,
    pieces: Vec<Piece>,
    values: BTreeMap<String, String>,
    /// What is told of a field that the run or the inventory should have said.
    lacking: BTreeMap<String, String>,
    /// What was given for a field and is no answer.
    refused: BTreeMap<String, Vec<Problem>>,
    unproven: Option<String>,
    /// Those of the contract; none where it says none.
    severities: Vec<String>,
}

/// The most that somebody types or names as a file for one field.
pub const MOST_ANSWER: usize = 64 << 10;

impl<'a> Draft<'a> {
    /// Fills in what the run and the inventory say.
    ///
    /// # Errors
    /// Everything that is wrong with the template, or that the run cannot be about this.
    pub fn begin(order: &Order<'a>) -> Result<Self, Problems> {
        let vendor = vendor(order)?;
        let template = vendor.request_template.as_ref().ok_or_else(|| {
            let why = format!(
                "the inventory says no `request_template` of vendor `{}`",
                vendor.name
            );
            let hint = "write `request_template: FILE` below it; `gonogo case template` prints one to copy and edit";
            whole(&order.inventory.path, why, hint)
        })?;
        let pieces = template.pieces(&vendor.asked).map_err(Problems::new)?;
        let (mut values, mut lacking) = (BTreeMap::new(), BTreeMap::new());
        let names: BTreeSet<&str> = pieces.iter().filter_map(field).collect();
        for name in names {
            let said = match filled_by(name) {
                None => continue,
                Some(By::Inventory) => request::agreed(name, vendor, order.inventory)
                    .ok_or_else(|| request::remedy(name).to_owned()),
                Some(By::Run) => facts::told(name, order),
            };
            match said {
                Ok(value) => values.insert(name.to_owned(), tame(&value)),
                Err(why) => lacking.insert(name.to_owned(), why),
            };
        }
        let unproven = match order.signer {
            Some(_) => None,
            None => Some(tame(&order.report.run.id)),
        };
        let contract = vendor.contract.iter();
        let severities = contract.flat_map(|contract| &contract.severities);
        let severities = severities.map(|(name, _)| name.clone()).collect();
        Ok(Self {
            template,
            pieces,
            values,
            lacking,
            refused: BTreeMap::new(),
            unproven,
            severities,
        })
    }

    /// The fields that nothing fills in yet, in the order of the template.
    #[must_use]
    pub fn open(&self) -> Vec<String> {
        let mut open: Vec<String> = Vec::new();
        for name in self.pieces.iter().filter_map(field) {
            if !self.values.contains_key(name) && !open.iter().any(|known| known == name) {
                open.push(name.to_owned());
            }
        }
        open
    }

    /// Notes that what was given for `name` is no answer: the request tells why instead of that the field is blank.
    pub fn refuse(&mut self, name: &str, why: Problem) {
        self.refused.entry(name.to_owned()).or_default().push(why);
    }

    /// Whether nothing that was given was refused.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.refused.is_empty()
    }

    /// Takes a person's answer, given by `origin`, such as `--set`.
    ///
    /// # Errors
    /// Why it is no answer.
    pub fn answer(&mut self, name: &str, value: &str, origin: &str) -> Result<(), Problem> {
        let refuse = |why: String, hint: &str| {
            Err(Problem::new(Place::whole(Path::new(origin)), why).with_hint(hint))
        };
        let shown = text::clip(name, 60);
        if !self
            .pieces
            .iter()
            .filter_map(field)
            .any(|known| known == name)
        {
            let known = self.pieces.iter().filter_map(field);
            let mut near = text::did_you_mean(name, known);
            if near.is_empty() {
                near = format!("fields to answer: {}", self.open().join(", "));
            }
            return refuse(format!("the template has no field `{shown}`"), &near);
        }
        if filled_by(name).is_some() && self.values.contains_key(name) {
            let hint = "leave it out: the request quotes what was read";
            return refuse(
                format!("the field `{shown}` is filled in from the run or the inventory"),
                hint,
            );
        }
        if self.values.contains_key(name) {
            return refuse(format!("the field `{shown}` is answered twice"), "keep one");
        }
        let value = value.replace("\r\n", "\n");
        let value = value.trim_end().trim_start_matches(['\n', ' ', '\t']);
        if value.is_empty() {
            return refuse(
                format!("the field `{shown}` is left blank"),
                "say what is known of it, or that nothing is",
            );
        }
        if value.len() > MOST_ANSWER {
            let why = format!(
                "the answer to `{shown}` has more than {}",
                text::size(MOST_ANSWER as u64)
            );
            return refuse(why, "send it as an artifact");
        }
        if text::says_nothing(value) || self.is_placeholder(value) {
            return refuse(
                format!(
                    "`{}` is left over as the answer to `{shown}`",
                    text::clip(value, 40)
                ),
                "the vendor will ask back: say what is known of it, or that nothing is",
            );
        }
        if value
            .chars()
            .any(|c| text::is_unsafe(c) && !['\n', '\t'].contains(&c))
        {
            let why = format!("the answer to `{shown}` has invisible or control characters");
            return refuse(why, "write plain text");
        }
        let known = &self.severities;
        if name == "severity" && !known.is_empty() && !known.iter().any(|one| one == value) {
            let why = format!("the contract has no severity `{}`", text::clip(value, 40));
            return refuse(why, &format!("it has {}", known.join(", ")));
        }
        if tells_secret(value) {
            let why = format!("the answer to `{shown}` holds what looks like a secret (in prose)");
            return refuse(why, "a request leaves the house: take it out");
        }
        let found = Capture::new(value).redact().counts;
        if let Some(rule) = found.keys().next() {
            let why = format!("the answer to `{shown}` holds what looks like a secret ({rule})");
            return refuse(why, "a request leaves the house: take it out");
        }
        self.values.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    fn is_placeholder(&self, value: &str) -> bool {
        let known = FIELDS.iter().map(|(name, ..)| *name);
        let mut names = known.chain(self.pieces.iter().filter_map(field));
        names.any(|name| value.contains(&format!("{{{name}}}")))
    }

    /// The request.
    ///
    /// # Errors
    /// Every answer that was refused, and every other field that is still blank, with its place in the template.
    pub fn render(&self) -> Result<String, Problems> {
        let mut problems: Vec<Problem> = self.refused.values().flatten().cloned().collect();
        let mut told: BTreeSet<&str> = self.refused.keys().map(String::as_str).collect();
        let mut page = String::new();
        for piece in &self.pieces {
            let (name, line, column) = match piece {
                Piece::Text(plain) => {
                    page.push_str(plain);
                    continue;
                }
                Piece::Field { name, line, column } => (name, *line, *column),
            };
            if let Some(value) = self.values.get(name) {
                // What has several lines stays in its column.
                let begun = page.rsplit('\n').next().unwrap_or_default();
                let indent: String = (begun.chars())
                    .take_while(|c| [' ', '\t'].contains(c))
                    .collect();
                page.push_str(&value.replace('\n', &format!("\n{indent}")));
                continue;
            }
            if !told.insert(name.as_str()) {
                continue;
            }
            let place = Place::new(&self.template.path, line, column);
            let problem = match self.lacking.get(name) {
                Some(why) => Problem::new(place, format!("nothing fills in the field `{name}`"))
                    .with_hint(why),
                None => Problem::new(place, format!("the field `{name}` is left blank")).with_hint(
                    format!(
                        "only a person knows it: --set '{name}=TEXT', or --set-file '{name}=FILE'"
                    ),
                ),
            };
            problems.push(problem.in_text(self.template.text.as_deref().unwrap_or_default()));
        }
        let mut page = Problems::unless_none(problems, page)?;
        if !page.ends_with('\n') {
            page.push('\n');
        }
        if let Some(run) = &self.unproven {
            page.push_str(&format!(
                "\nNot verified: nobody was asked who signed run {run}.\n"
            ));
        }
        Ok(page)
    }
}

/// `the password is hunter2Xyz`: rules for what machines write know no such sentence.
fn tells_secret(value: &str) -> bool {
    let words: Vec<&str> = value.split_whitespace().collect();
    let bare = |word: &str| {
        word.trim_matches(|c: char| c.is_ascii_punctuation())
            .to_owned()
    };
    let names = |word: &str| {
        let word = bare(word).to_lowercase();
        ["pw", "pwd", "pass", "passphrase", "passwort"].contains(&&*word) || names_secret(&word)
    };
    let is_one = |word: &str| {
        let word = bare(word);
        let has = |is: fn(char) -> bool| word.chars().any(is);
        word.len() >= 6 && has(|c| c.is_ascii_digit()) && has(char::is_alphabetic)
    };
    words.iter().enumerate().any(|(at, word)| {
        let joins = |word: &&&str| ["is", "was", "=", ":", "->", "be"].contains(*word);
        let behind = &words[at + 1..];
        let skipped = behind.iter().take_while(joins).take(2).count();
        names(word) && behind.get(skipped).is_some_and(|next| is_one(next))
    })
}

fn field(piece: &Piece) -> Option<&str> {
    match piece {
        Piece::Field { name, .. } => Some(name),
        Piece::Text(_) => None,
    }
}

/// The vendor of the instance, by an inventory of the run's own estate.
fn vendor<'a>(order: &Order<'a>) -> Result<&'a Vendor, Problems> {
    let inventory = order.inventory;
    let refused = |why: String, hint: &str| whole(&inventory.path, why, hint);
    let scope = &order.report.run.scope;
    if inventory.environment != scope.environment {
        let why = format!(
            "the inventory is of `{}`, the run of `{}`",
            inventory.environment, scope.environment
        );
        return Err(refused(why, "name the inventory of that run, or none"));
    }
    let ran = order.report.instances.iter();
    let Some(ran) = ran.clone().find(|ran| ran.name == order.instance) else {
        let why = format!("the run knows no instance `{}`", order.instance);
        let near = text::did_you_mean(order.instance, ran.map(|ran| ran.name.as_str()));
        return Err(refused(why, &near));
    };
    let instance = inventory.instance(order.instance).ok_or_else(|| {
        let why = format!("the inventory knows no instance `{}`", order.instance);
        refused(why, "name the inventory of that run, or none")
    })?;
    if (&instance.product, &instance.host) != (&ran.product, &ran.host) {
        let why = format!(
            "instance `{}` is `{}` on `{}` in the inventory, and was `{}` on `{}` in the run",
            instance.name, instance.product, instance.host, ran.product, ran.host
        );
        return Err(refused(why, "run again, then draft the request"));
    }
    if let Some(team) = order
        .team
        .filter(|team| !ran.teams.iter().any(|of| of == team))
    {
        let why = format!(
            "team `{team}` is not responsible for instance `{}`",
            ran.name
        );
        return Err(refused(
            why,
            &format!("its teams: {}", ran.teams.join(", ")),
        ));
    }
    let named = instance.vendor.as_deref();
    let vendor = named.and_then(|name| inventory.vendor(name));
    vendor.ok_or_else(|| {
        let why = match named {
            Some(name) => format!("the inventory says nothing of vendor `{name}`"),
            None => format!("product `{}` has no vendor", instance.product),
        };
        refused(
            why,
            "write `vendor: NAME` for the product, and NAME below `vendors:`",
        )
    })
}

fn whole(path: &Path, why: String, hint: &str) -> Problems {
    Problems::from(Problem::new(Place::whole(path), why).with_hint(hint))
}

/// What machines said, without secrets and without what steers a terminal; lines stay lines.
fn tame(value: &str) -> String {
    let plain = Capture::new(value).redact().text;
    let lines: Vec<_> = plain.lines().map(text::escape).collect();
    lines.join("\n")
}
