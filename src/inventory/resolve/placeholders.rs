//! What placeholders stand for in one instance, and those that stand for nothing.

use std::collections::HashSet;

use crate::inventory::page::{Mark, Page, Text};
use crate::inventory::placeholder::{RESERVED, Template, Values};
use crate::inventory::profile::Var;
use crate::inventory::raw::Instance as Raws;
use crate::text;

/// What the placeholders of one instance stand for, seen by one team.
pub(super) struct Scope<'r> {
    pub written: &'r Raws,
    pub environment: &'r str,
    pub team: &'r str,
    /// What the product's profile declares.
    pub declared: &'r [Var],
}

impl<'r> Scope<'r> {
    pub fn var(&self, name: &str) -> Option<&'r Text> {
        let vars = &self.written.vars;
        let found = vars.iter().find(|(known, _)| known.value == name);
        found.map(|(_, value)| value)
    }

    /// Whether an instance may do without a value for it.
    pub fn is_optional(&self, hole: &str) -> bool {
        let mut declared = self.declared.iter();
        declared.any(|var| var.name.value == hole && var.optional)
    }

    /// Where to point: at the written template if that is what is wrong, else at the value, else at
    /// the instance.
    pub fn blame(&self, template: &Template, wrong: impl Fn(&str) -> bool) -> Mark {
        if !template.at.is_built_in() && template.literals().any(&wrong) {
            return template.at;
        }
        let mut values = template.holes().filter_map(|hole| self.var(hole));
        let value = values.find(|value| wrong(&value.value));
        value.map_or(self.written.name.at, |value| value.at)
    }
}

impl Values for Scope<'_> {
    fn value(&self, hole: &str) -> Option<&str> {
        if let Some(value) = self.var(hole) {
            return Some(&value.value);
        }
        match hole {
            "instance" => Some(&self.written.name.value),
            "host" => self.written.host.as_ref().map(|host| host.value.as_str()),
            "team" => Some(self.team),
            "product" => self
                .written
                .product
                .as_ref()
                .map(|name| name.value.as_str()),
            "environment" => Some(self.environment),
            _ => {
                let mut declared = self.declared.iter();
                let var = declared.find(|var| var.name.value == hole)?;
                var.default.as_deref()
            }
        }
    }
}

/// Placeholders without a value, gathered so that one misspelt template is one problem and not one
/// for each of its instances.
#[derive(Default)]
pub(super) struct Missing<'r> {
    notes: Vec<Note<'r>>,
}

struct Note<'r> {
    template: Mark,
    hole: String,
    /// What the profile says that it stands for.
    about: Option<&'r str>,
    artifact: String,
    instance: &'r Raws,
}

impl<'r> Missing<'r> {
    pub fn note(&mut self, template: &Template, hole: &str, artifact: &str, scope: &Scope<'r>) {
        // `{host}` without a value means that the instance's own `host` was refused.
        if RESERVED.contains(&hole) {
            return;
        }
        let var = scope.declared.iter().find(|var| var.name.value == hole);
        // Refused in the profile, which does not declare it.
        if template.at.is_of_profile() && var.is_none() && !scope.declared.is_empty() {
            return;
        }
        self.notes.push(Note {
            template: template.at,
            hole: hole.to_owned(),
            about: var.and_then(|var| var.about.as_deref()),
            artifact: artifact.to_owned(),
            instance: scope.written,
        });
    }

    pub fn refuse(self, page: &mut Page<'_>, instances: &[Raws]) {
        if self.notes.is_empty() {
            return;
        }
        let product = |instance: &'_ Raws| instance.product.as_ref().map(|name| name.value.clone());
        let given: HashSet<(Option<String>, &str)> = instances
            .iter()
            .flat_map(|instance| {
                let vars = instance.vars.iter();
                vars.map(move |(name, _)| (product(instance), name.value.as_str()))
            })
            .collect();
        let mut everywhere: HashSet<(Option<String>, String)> = HashSet::new();
        let mut said: HashSet<(Mark, String)> = HashSet::new();
        for note in self.notes {
            let (hole, name) = (note.hole.as_str(), &note.instance.name);
            let product = product(note.instance);
            let vars = note.instance.vars.iter();
            let vars = vars.map(|(name, _)| name.value.as_str());
            // What a profile asks for is spelt well; only the instance can be wrong.
            let own = match note.template.is_of_profile() {
                true => &[][..],
                false => &RESERVED[..],
            };
            let close = text::did_you_mean(hole, vars.chain(own.iter().copied()));
            let hint = match (close.is_empty(), note.about) {
                (false, _) => close,
                (true, None) => format!("write `vars: {{{hole}: …}}` below the instance"),
                (true, Some(about)) => {
                    format!("write `vars: {{{hole}: …}}` below the instance: {about}")
                }
            };
            // No instance gives it: the template is what is wrong, and one place is enough.
            if !note.template.is_of_profile() && !given.contains(&(product.clone(), hole)) {
                if everywhere.insert((product, hole.to_owned())) {
                    let message = format!("nothing gives `{{{hole}}}` a value");
                    page.refuse(note.template, message, hint);
                }
                continue;
            }
            // One missing value is one problem, however many artifacts need it.
            if said.insert((name.at, hole.to_owned())) {
                let message = format!(
                    "instance `{}` gives `{{{hole}}}` no value, and artifact `{}` needs it",
                    name.value, note.artifact
                );
                page.refuse(name.at, message, hint);
            }
        }
    }
}
