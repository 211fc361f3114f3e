//! Instances as meant: references followed, artifacts merged and filled, and no two instances
//! claiming the same file of one host.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::artifacts::{self, Ready, Source as Written};
use super::claims::Claims;
use super::paths;
use super::placeholders::{Missing, Scope};
use super::products::{self, Product};
use super::urls;
use super::{Index, Known};
use crate::inventory::Instance;
use crate::inventory::artifact::{Artifact, Get, Kind, Source, Take};
use crate::inventory::forbidden::Never;
use crate::inventory::mask;
use crate::inventory::page::{Mark, Page, Text};
use crate::inventory::placeholder::Template;
use crate::inventory::profile;
use crate::inventory::raw::{self, Instance as Raws, Raw};

pub(super) fn resolve(
    page: &mut Page<'_>,
    raw: &Raw,
    known: &Known<'_>,
    products: &[Product],
    never: &Never,
) -> Vec<Instance> {
    let product_index = super::index_of(products.iter().map(|product| product.name.as_str()));
    let shelves: Vec<Shelf<'_>> = products.iter().map(Shelf::new).collect();
    let environment = raw.environment.as_ref().map_or("", |name| &name.value);
    let mut resolver = Resolver {
        environment,
        never,
        missing: Missing::default(),
        claims: Claims::default(),
        said: HashSet::new(),
    };
    let mut instances = Vec::with_capacity(raw.instances.len());
    for instance in &raw.instances {
        check_references(page, raw, known, instance, &product_index);
        let product = instance
            .product
            .as_ref()
            .and_then(|name| product_index.get(&name.value));
        let shelf = product.map(|at| &shelves[*at]);
        instances.push(resolver.instance(page, instance, shelf));
    }
    resolver.missing.refuse(page, &raw.instances);
    // An unused product is fine, and still must make sense.
    let used: HashSet<&str> = instances
        .iter()
        .map(|instance| instance.product.as_str())
        .collect();
    for shelf in &shelves {
        if !used.contains(shelf.product.name.as_str()) {
            shelf.complete_all(page);
        }
    }
    instances
}

fn check_references(
    page: &mut Page<'_>,
    raw: &Raw,
    known: &Known<'_>,
    instance: &Raws,
    products: &Index,
) {
    if let Some(product) = &instance.product
        && !products.contains_key(&product.value)
    {
        let own = products.keys().map(String::as_str);
        let built_in: Vec<&str> = profile::names().collect();
        let names = own.chain(built_in);
        super::dangling(
            page,
            product,
            "product",
            "products",
            raw.unread.products,
            names,
        );
    }
    if let Some(host) = &instance.host
        && !known.hosts.contains_key(&host.value)
    {
        let names = known.hosts.keys().map(String::as_str);
        super::dangling(page, host, "host", "hosts", raw.unread.hosts, names);
    }
    for team in &instance.teams {
        if !known.teams.contains_key(&team.value) {
            let names = known.teams.keys().map(String::as_str);
            super::dangling(page, team, "team", "teams", raw.unread.teams, names);
        }
    }
}

/// One product's artifacts, each completed once however many instances use it as it is.
struct Shelf<'p> {
    product: &'p Product,
    ready: Vec<OnceCell<Option<Ready>>>,
}

impl<'p> Shelf<'p> {
    fn new(product: &'p Product) -> Self {
        let ready = product.artifacts.iter().map(|_| OnceCell::new()).collect();
        Self { product, ready }
    }

    fn ready(&self, page: &mut Page<'_>, at: usize) -> Option<&Ready> {
        let of = || format!("product `{}`", self.product.name);
        let artifact = &self.product.artifacts[at];
        self.ready[at]
            .get_or_init(|| artifacts::complete(page, artifact, &of(), self.product.at))
            .as_ref()
    }

    fn complete_all(&self, page: &mut Page<'_>) {
        for at in 0..self.ready.len() {
            self.ready(page, at);
        }
    }
}

struct Resolver<'r> {
    environment: &'r str,
    never: &'r Never,
    missing: Missing<'r>,
    claims: Claims<'r>,
    /// Values and templates refused already: one bad `home` is one problem, not one an artifact.
    said: HashSet<Mark>,
}

impl<'r> Resolver<'r> {
    fn instance(
        &mut self,
        page: &mut Page<'_>,
        written: &'r Raws,
        shelf: Option<&'r Shelf<'r>>,
    ) -> Instance {
        let text = |text: &Option<Text>| text.as_ref().map(|text| text.value.clone());
        let teams: Vec<String> = written
            .teams
            .iter()
            .map(|team| team.value.clone())
            .collect();
        let mut instance = Instance {
            name: written.name.value.clone(),
            product: text(&written.product).unwrap_or_default(),
            vendor: shelf.and_then(|shelf| shelf.product.vendor.clone()),
            host: text(&written.host).unwrap_or_default(),
            vars: written
                .vars
                .iter()
                .map(|(name, value)| (name.value.clone(), value.value.clone()))
                .collect(),
            expect_version: text(&written.expect_version),
            expect_name: text(&written.expect_name),
            artifacts: Vec::new(),
            by_team: BTreeMap::new(),
            teams,
        };
        let own = own_artifacts(page, written, shelf);
        let mut readies: Vec<&Ready> = Vec::new();
        if let Some(shelf) = shelf {
            for (at, artifact) in shelf.product.artifacts.iter().enumerate() {
                match own.get(artifact.name.value.as_str()) {
                    Some(own) => readies.extend(own.as_ref()),
                    None => readies.extend(shelf.ready(page, at)),
                }
            }
        }
        let of_product = |name: &str| {
            let mut artifacts = shelf.iter().flat_map(|shelf| &shelf.product.artifacts);
            artifacts.any(|artifact| artifact.name.value == name)
        };
        for artifact in &written.artifacts {
            let name = artifact.name.value.as_str();
            if !of_product(name) {
                readies.extend(own.get(name).and_then(Option::as_ref));
            }
        }
        // Which team a path is filled for matters only to those that say `{team}`.
        let by_team = readies
            .iter()
            .flat_map(|ready| ready.templates())
            .any(|template| template.holes().any(|hole| hole == "team"))
            && !instance.vars.contains_key("team");
        let mut teams: Vec<&'r str> = written
            .teams
            .iter()
            .map(|team| team.value.as_str())
            .collect();
        if !by_team {
            teams.truncate(1);
        }
        if teams.is_empty() {
            // Refused already; its artifacts can still be judged.
            teams.push("");
        }
        for (at, team) in teams.into_iter().enumerate() {
            let scope = Scope {
                written,
                environment: self.environment,
                team,
                declared: shelf.map_or(&[], |shelf| &shelf.product.vars),
            };
            let filled = readies
                .iter()
                .filter_map(|ready| self.fill(page, ready, &scope))
                .collect();
            if at == 0 {
                instance.artifacts = filled;
            } else {
                instance.by_team.insert(team.to_owned(), filled);
            }
        }
        instance
    }

    fn fill(&mut self, page: &mut Page<'_>, ready: &Ready, scope: &Scope<'r>) -> Option<Artifact> {
        let source = match &ready.source {
            Written::Command(arguments) => {
                let filled: Vec<Option<String>> = arguments
                    .iter()
                    .map(|argument| self.fill_one(argument, ready, scope))
                    .collect();
                let command: Vec<String> = filled.into_iter().collect::<Option<_>>()?;
                if command
                    .first()
                    .is_some_and(|program| program.is_empty() || program.starts_with('-'))
                {
                    let at = scope.blame(&arguments[0], |value| {
                        value.is_empty() || value.starts_with('-')
                    });
                    let message =
                        format!("the command of artifact `{}` has no program", ready.name);
                    page.refuse(at, message, "the first item must become a program's path");
                    return None;
                }
                if let Some(refusal) = self.never.command(&command) {
                    let at = arguments
                        .first()
                        .map_or(Mark::BUILT_IN, |program| program.at);
                    let at = match at.is_built_in() {
                        true => scope.written.name.at,
                        false => at,
                    };
                    if self.said.insert(at) {
                        let message = format!("artifact `{}`: {}", ready.name, refusal.message());
                        page.refuse(at, message, refusal.hint());
                    }
                    return None;
                }
                if !self.claim_answer(page, &command.join(" "), ready, scope) {
                    return None;
                }
                Source::Command(command)
            }
            Written::Path(template) => {
                let path = self.fill_one(template, ready, scope)?;
                let sound = self.judge_path(page, &path, template, ready, scope);
                if !sound {
                    return None;
                }
                Source::Path(path)
            }
            Written::Mask(template) => {
                let mask = self.fill_one(template, ready, scope)?;
                let values = template.holes().filter_map(|hole| scope.var(hole));
                if let Some(value) = values.into_iter().find(|value| value.value.contains('%')) {
                    let message = "a value that a mask is made of holds a `%`";
                    page.refuse(value.at, message, "write it into the mask, as `%%`");
                    return None;
                }
                // What lists it is what is claimed: a copied instance has the same.
                let pattern = mask::pattern(&mask);
                if !self.judge_path(page, &pattern, template, ready, scope) {
                    return None;
                }
                Source::Mask(mask)
            }
            Written::Journal(template) => {
                let unit = self.fill_one(template, ready, scope)?;
                if !is_unit(&unit) {
                    let at = scope.blame(template, |part| !is_unit(part));
                    let message = format!("`{unit}` is no name of a systemd unit");
                    page.refuse(at, message, "write it whole, such as `mariadb.service`");
                    return None;
                }
                let whole = format!("the journal of {unit}");
                if !self.claims.claim(page, &whole, ready, scope) {
                    return None;
                }
                Source::Journal(unit)
            }
            Written::Http(template) => {
                let get = template.fill(|url| self.fill_one(url, ready, scope))?;
                if !self.judge_get(page, &get, &template.url, ready, scope) {
                    return None;
                }
                if !self.claim_answer(page, &get.url, ready, scope) {
                    return None;
                }
                Source::Http(get)
            }
        };
        let statistics = (ready.statistics).fill(|text| self.fill_one(text, ready, scope))?;
        if let (
            Some(Take::Copy(written) | Take::VacuumInto(written)),
            Some(Take::Copy(directory) | Take::VacuumInto(directory)),
        ) = (&ready.statistics.take, &statistics.take)
            && let Some((message, hint)) = paths::object_to_directory(directory)
        {
            let at = scope.blame(written, |_| true);
            if self.said.insert(at) {
                let message = format!(
                    "{message}: `{directory}`, `take` of artifact `{}`",
                    ready.name
                );
                page.refuse(at, message, hint);
            }
            return None;
        }
        Some(Artifact {
            name: ready.name.clone(),
            kind: ready.kind,
            source,
            format: ready.format,
            pattern: ready.pattern.clone(),
            stream: ready.stream,
            tables: ready.tables.clone(),
            sample: ready.sample.clone(),
            reject: ready.reject.clone(),
            listing: ready.listing,
            log: ready.log.fill(|text| self.fill_one(text, ready, scope))?,
            statistics,
            // Files that several instances may share: a shipped sample, an include of all.
            configuration: ready.configuration.fill(|text| {
                let path = self.fill_one(text, ready, scope)?;
                let is_sound = self.is_sound(page, &path, text, ready, scope);
                is_sound.then_some(path)
            })?,
            about: ready.about.clone(),
        })
    }

    fn fill_one(
        &mut self,
        template: &Template,
        ready: &Ready,
        scope: &Scope<'r>,
    ) -> Option<String> {
        match template.fill(scope) {
            Ok(filled) => Some(filled),
            // An instance does without what a profile offers only to who gives a value.
            Err(hole) if template.at.is_of_profile() && scope.is_optional(hole) => None,
            Err(hole) => {
                self.missing.note(template, hole, &ready.name, scope);
                None
            }
        }
    }

    /// Whether it is a path on a server.
    fn is_sound(
        &mut self,
        page: &mut Page<'_>,
        path: &str,
        template: &Template,
        ready: &Ready,
        scope: &Scope<'r>,
    ) -> bool {
        for hole in template.holes() {
            if let Some(value) = scope.var(hole)
                && value.value.contains(paths::is_pattern)
            {
                let message = format!(
                    "the value of `{hole}` holds a character of patterns, and artifact `{}` makes a path of it",
                    ready.name
                );
                let hint =
                    "values are taken as they are: write the pattern into the artifact's `path`";
                if self.said.insert(value.at) {
                    page.refuse(value.at, message, hint);
                }
                return false;
            }
        }
        if let Some((message, hint)) = paths::object_to(path) {
            let at = blamed(path, template, scope);
            if self.said.insert(at) {
                let message = format!("{message}: `{path}` of artifact `{}`", ready.name);
                page.refuse(at, message, hint);
            }
            return false;
        }
        true
    }

    fn judge_path(
        &mut self,
        page: &mut Page<'_>,
        path: &str,
        template: &Template,
        ready: &Ready,
        scope: &Scope<'r>,
    ) -> bool {
        if !self.is_sound(page, path, template, ready, scope) {
            return false;
        }
        if matches!(ready.kind, Kind::Version | Kind::Other) {
            // A shared installation and the host's own logs are rightly named by many instances.
            return true;
        }
        self.claims.claim(page, path, ready, scope)
    }

    /// One question that one account asks of a host twice has one answer, whichever instance it is for.
    fn claim_answer(
        &mut self,
        page: &mut Page<'_>,
        asked: &str,
        ready: &Ready,
        scope: &Scope<'r>,
    ) -> bool {
        // What a run on record did was permitted on its day.
        if matches!(ready.kind, Kind::Version | Kind::Other) || self.never.is_empty() {
            return true;
        }
        let teams = scope.written.teams.iter();
        teams.fold(true, |is_own, team| {
            let claims = &mut self.claims;
            claims.claim_as(page, asked, &team.value, ready, scope) && is_own
        })
    }

    fn judge_get(
        &mut self,
        page: &mut Page<'_>,
        get: &Get,
        template: &Template,
        ready: &Ready,
        scope: &Scope<'r>,
    ) -> bool {
        let Some((message, hint)) = urls::object_to(get, self.never) else {
            return true;
        };
        // A value that holds more than a name or a number is the likelier cause.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        let mut values = template.holes().filter_map(|hole| scope.var(hole));
        let odd = values.find(|value| !value.value.chars().all(is_plain));
        let at = match odd {
            Some(value) => value.at,
            None => scope.blame(template, |_| true),
        };
        if self.said.insert(at) {
            // Before an `@` may stand a password.
            match get.url.contains('@') {
                true => {
                    let message = format!("{message}: that of artifact `{}`", ready.name);
                    page.refuse_unseen(at, message, hint);
                }
                false => {
                    let message = format!("{message}: `{}` of artifact `{}`", get.url, ready.name);
                    page.refuse(at, message, hint);
                }
            }
        }
        false
    }
}

/// systemd.unit(5): a pattern would read what other units wrote.
fn is_unit(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
    !text.is_empty() && text.chars().all(is_plain)
}

/// Where the cause of an objection to a path stands.
fn blamed(path: &str, template: &Template, scope: &Scope<'_>) -> Mark {
    if path.starts_with('/') {
        return match paths::climbs(path) {
            true => scope.blame(template, |part| part.contains("..")),
            false => scope.blame(template, |part| part.contains('*') || part.ends_with('/')),
        };
    }
    match template.begins_with_hole() {
        Some(hole) => {
            let value = scope.var(hole);
            value.map_or(scope.written.name.at, |value| value.at)
        }
        None => scope.blame(template, |_| true),
    }
}

/// The instance's own artifacts by name, merged over the product's and completed.
fn own_artifacts<'w>(
    page: &mut Page<'_>,
    written: &'w Raws,
    shelf: Option<&Shelf<'_>>,
) -> HashMap<&'w str, Option<Ready>> {
    let of = || format!("instance `{}`", written.name.value);
    let base = |name: &str| -> Vec<raw::Artifact> {
        let artifacts = shelf.iter().flat_map(|shelf| &shelf.product.artifacts);
        artifacts
            .filter(|artifact| artifact.name.value == name)
            .cloned()
            .collect()
    };
    let mut own = HashMap::new();
    // Without a known product nobody can say what an override is still missing.
    if shelf.is_none() {
        return own;
    }
    for artifact in &written.artifacts {
        let name = artifact.name.value.as_str();
        for merged in products::over(base(name), std::slice::from_ref(artifact)) {
            let ready = artifacts::complete(page, &merged, &of(), artifact.name.at);
            own.insert(name, ready);
        }
    }
    own
}
