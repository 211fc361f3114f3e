//! Scenarios × inventory: selectors resolved, placeholders filled, every step bound and validated.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::parse::{Template, TemplateStep, fill};
use super::{Check, Step};
use crate::inventory::Inventory;
use crate::probe::How;
use crate::problem::Problem;
use crate::steps::{Below, BindError, Call, Selector, Subject, bind};
use crate::text;

/// One check for each combination.
///
/// # Errors
/// Undefined and ambiguous steps, selectors that match nothing or name what does not exist, steps that
/// cannot work for a subject.
pub(super) fn cross(
    inventory: &Inventory,
    templates: &[Template],
) -> Result<Vec<Check>, Vec<Problem>> {
    let mut crossing = Crossing {
        inventory,
        bound: HashMap::new(),
        told: HashSet::new(),
        problems: Vec::new(),
    };
    let mut checks = Vec::new();
    for template in templates {
        crossing.template(template, &mut checks);
    }
    crossing.unique(&checks, templates);
    match crossing.problems.is_empty() {
        true => Ok(checks),
        false => Err(crossing.problems),
    }
}

/// A step's text, and what it is bound to unless it was refused.
type Bound = (Arc<str>, Option<Arc<Call>>);

struct Crossing<'a> {
    inventory: &'a Inventory,
    /// Texts repeat for every subject: each is bound once.
    bound: HashMap<String, Result<Arc<Call>, BindError>>,
    told: HashSet<(crate::problem::Place, String)>,
    problems: Vec<Problem>,
}

impl Crossing<'_> {
    fn template(&mut self, template: &Template, checks: &mut Vec<Check>) {
        let Some(subjects) = self.subjects(template) else {
            // A selector may lack what a step before it meant to select, and was no step at all.
            for step in template.steps.iter().filter(|step| step.is_plain()) {
                let _told = self.bind(step);
            }
            return;
        };
        // What holds no placeholder is the same for every subject: it is bound once and shared.
        let mut plain: Vec<Option<Bound>> = vec![None; template.steps.len()];
        checks.reserve(subjects.len());
        let keywords = template.steps.iter();
        let keywords: Vec<Arc<str>> = keywords.map(|step| step.keyword.as_str().into()).collect();
        for subject in subjects {
            let value = |name: &str| subject.value(name);
            let mut steps = Vec::with_capacity(template.steps.len());
            let (mut ran, mut asked) = (false, false);
            for (index, step) in template.steps.iter().enumerate() {
                let (text, bound) = match &plain[index] {
                    Some(known) => known.clone(),
                    None => {
                        let filled = step.map(&|text: &str| fill(text, value));
                        let bound = (Arc::from(filled.text.as_str()), self.bind(&filled));
                        if step.is_plain() {
                            plain[index] = Some(bound.clone());
                        }
                        bound
                    }
                };
                let Some(call) = bound else {
                    continue;
                };
                let call = call.meant_for(&subject, self.inventory);
                if let Err(reason) = call.validate(&subject, self.inventory) {
                    self.tell(&step.place, reason, String::new());
                }
                if let Call::Run(words) = &*call
                    && let Some(refusal) = self.inventory.never().command(words)
                {
                    self.tell(&step.place, refusal.message(), refusal.hint());
                }
                for question in call.questions(&subject, self.inventory) {
                    // Whoever sends it, such a request does the same.
                    let asks = matches!(question.how, How::Get | How::Head | How::Curl);
                    let refusal = self.inventory.never().command(&question.words());
                    if let (true, Some(refusal)) = (asks, refusal) {
                        self.tell(&step.place, refusal.message(), refusal.hint());
                    }
                }
                if needs_output(&call) && !ran {
                    self.tell(
                        &step.place,
                        "no command was run before this step",
                        "put `When the team runs \"…\"` before it",
                    );
                }
                if matches!(*call, Call::Person(_)) && std::mem::replace(&mut asked, true) {
                    self.tell(
                        &step.place,
                        "a second question to a person in one scenario",
                        "one answer is to one question: ask it in a scenario of its own",
                    );
                }
                ran |= matches!(*call, Call::Run(_));
                steps.push(Step {
                    keyword: Arc::clone(&keywords[index]),
                    text,
                    call,
                });
            }
            if steps
                .iter()
                .all(|step| matches!(*step.call, Call::Select(_)))
                && self.problems.is_empty()
            {
                self.tell(
                    &template.place,
                    "a scenario that only selects",
                    "add the steps that prove something",
                );
            }
            checks.push(Check {
                id: format!("{}:{}@{}", template.feature, template.line, subject.label()),
                feature: template.feature.clone(),
                line: template.line,
                scenario: fill(&template.name, value),
                tags: template.tags.clone(),
                steps,
                subject,
            });
        }
    }

    fn bind(&mut self, step: &TemplateStep) -> Option<Arc<Call>> {
        let below = Below {
            table: step.table.as_deref(),
            doc_string: step.doc_string.as_deref(),
        };
        let key = format!("{}\0{:?}\0{:?}", step.text, step.table, step.doc_string);
        let bound = self
            .bound
            .entry(key)
            .or_insert_with(|| bind(&step.text, below).map(Arc::new))
            .clone();
        match bound {
            Ok(call) => Some(call),
            Err(error) => {
                self.tell(&step.place, error.to_string(), error.hint());
                None
            }
        }
    }

    /// The subjects of a scenario, or `None` when a selector is wrong.
    fn subjects(&mut self, template: &Template) -> Option<Vec<Subject>> {
        let before = self.problems.len();
        let mut subjects = vec![Subject {
            environment: self.inventory.environment.clone(),
            ..Subject::default()
        }];
        for step in &template.steps {
            // A text with placeholders of the subject is bound later; selectors have none.
            if let Ok(Call::Select(selector)) = bind(&step.text, Below::default()) {
                match self.select(&selector, &subjects) {
                    Ok(selected) => subjects = selected,
                    Err((reason, hint)) => self.tell(&step.place, reason, hint),
                }
            }
        }
        (self.problems.len() == before).then_some(subjects)
    }

    fn select(
        &self,
        selector: &Selector,
        subjects: &[Subject],
    ) -> Result<Vec<Subject>, (String, String)> {
        let inventory = self.inventory;
        let each = |with: &dyn Fn(&Subject) -> Vec<Subject>| {
            subjects.iter().flat_map(with).collect::<Vec<_>>()
        };
        let selected = match selector {
            Selector::Instances { product, group } => {
                if subjects.iter().any(|subject| subject.host.is_some()) {
                    return Err(twice("instances"));
                }
                self.known_product(product.as_deref())?;
                self.known_group(group.as_deref())?;
                each(&|subject| self.instances(subject, product.as_deref(), group.as_deref()))
            }
            Selector::ResponsibleTeams => {
                if subjects.iter().any(|subject| subject.instance.is_none()) {
                    return Err((
                        "`it` is an instance, and none is selected before this line".to_owned(),
                        "begin with `Given each instance`".to_owned(),
                    ));
                }
                each(&|subject| {
                    let instance = subject
                        .instance
                        .as_deref()
                        .and_then(|name| inventory.instance(name));
                    let teams = instance
                        .map(|instance| instance.teams.as_slice())
                        .unwrap_or_default();
                    teams
                        .iter()
                        .map(|team| Subject {
                            team: Some(team.clone()),
                            ..subject.clone()
                        })
                        .collect()
                })
            }
            Selector::Team(name) => {
                known(
                    "team",
                    name,
                    inventory.teams.iter().map(|team| team.name.as_str()),
                )?;
                each(&|subject| {
                    vec![Subject {
                        team: Some(name.clone()),
                        ..subject.clone()
                    }]
                })
            }
            Selector::Hosts(group) => {
                if subjects.iter().any(|subject| subject.host.is_some()) {
                    return Err(twice("hosts"));
                }
                self.known_group(group.as_deref())?;
                each(&|subject| {
                    let hosts = inventory
                        .hosts
                        .iter()
                        .filter(|host| !host.hop_only && in_group(&host.groups, group.as_deref()));
                    hosts
                        .map(|host| Subject {
                            host: Some(host.name.clone()),
                            ..subject.clone()
                        })
                        .collect()
                })
            }
            Selector::Teams => each(&|subject| {
                inventory
                    .teams
                    .iter()
                    .map(|team| Subject {
                        team: Some(team.name.clone()),
                        ..subject.clone()
                    })
                    .collect()
            }),
            Selector::MonitoredFrom => {
                if subjects.iter().any(|subject| subject.host.is_some()) {
                    return Err(twice("hosts"));
                }
                if subjects.iter().any(|subject| subject.vendor.is_none()) {
                    return Err((
                        "`it` is a vendor, and none is selected before this line".to_owned(),
                        "begin with `Given the \"…\" vendor`".to_owned(),
                    ));
                }
                each(&|subject| self.monitored_from(subject))
            }
            Selector::Vendors => each(&|subject| {
                inventory
                    .vendors
                    .iter()
                    .map(|vendor| Subject {
                        vendor: Some(vendor.name.clone()),
                        ..subject.clone()
                    })
                    .collect()
            }),
            Selector::Vendor(name) => {
                let vendors = inventory.vendors.iter();
                known("vendor", name, vendors.map(|vendor| vendor.name.as_str()))?;
                each(&|subject| {
                    vec![Subject {
                        vendor: Some(name.clone()),
                        ..subject.clone()
                    }]
                })
            }
        };
        match selected.is_empty() {
            true => Err(("this selector matches nothing in the inventory".to_owned(), "a scenario that runs for nothing would prove nothing: widen the selector, or complete the inventory".to_owned())),
            false => Ok(selected),
        }
    }

    fn instances(
        &self,
        subject: &Subject,
        product: Option<&str>,
        group: Option<&str>,
    ) -> Vec<Subject> {
        let matching = self.inventory.instances.iter().filter(|instance| {
            let host = self.inventory.host(&instance.host);
            product.is_none_or(|product| product == instance.product)
                && in_group(
                    host.map(|host| host.groups.as_slice()).unwrap_or_default(),
                    group,
                )
        });
        matching
            .map(|instance| Subject {
                environment: subject.environment.clone(),
                instance: Some(instance.name.clone()),
                product: Some(instance.product.clone()),
                host: Some(instance.host.clone()),
                team: subject
                    .team
                    .clone()
                    .or_else(|| instance.teams.first().cloned()),
                vendor: subject.vendor.clone().or_else(|| instance.vendor.clone()),
            })
            .collect()
    }

    /// In the order of the inventory's hosts, each once.
    fn monitored_from(&self, subject: &Subject) -> Vec<Subject> {
        let vendor = subject.vendor.as_deref();
        let vendor = vendor.and_then(|name| self.inventory.vendor(name));
        let names = |host: &str| {
            let mut all = vendor.into_iter().flat_map(|vendor| &vendor.monitoring);
            all.any(|one| one.from.iter().any(|from| from == host))
        };
        let hosts = self.inventory.hosts.iter().filter(|host| names(&host.name));
        hosts
            .map(|host| Subject {
                host: Some(host.name.clone()),
                ..subject.clone()
            })
            .collect()
    }

    fn known_product(&self, product: Option<&str>) -> Result<(), (String, String)> {
        let products = self.inventory.products.keys().map(String::as_str);
        product.map_or(Ok(()), |product| known("product", product, products))
    }

    fn known_group(&self, group: Option<&str>) -> Result<(), (String, String)> {
        let groups = self
            .inventory
            .hosts
            .iter()
            .flat_map(|host| &host.groups)
            .map(String::as_str);
        group.map_or(Ok(()), |group| known("group", group, groups))
    }

    // A combination that two selectors make twice, such as `each team` beside `each host` of one name.
    fn unique(&mut self, checks: &[Check], templates: &[Template]) {
        let mut seen = HashSet::new();
        for check in checks {
            if !seen.insert(check.id.as_str()) {
                let template = templates
                    .iter()
                    .find(|t| t.feature == check.feature && t.line == check.line);
                if let Some(template) = template {
                    self.tell(
                        &template.place,
                        format!("the check {} would be made twice", check.id),
                        "select each part of the inventory once",
                    );
                }
            }
        }
    }

    /// Told once for each place: a slip in a scenario is the same for ten thousand instances.
    fn tell(
        &mut self,
        place: &crate::problem::Place,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let message = message.into();
        if !self.told.insert((place.clone(), message.clone())) {
            return;
        }
        let problem = Problem::new(place.clone(), message).with_hint(hint);
        let source = std::fs::read_to_string(&place.file).unwrap_or_default();
        self.problems.push(problem.in_text(&source));
    }
}

fn in_group(groups: &[String], group: Option<&str>) -> bool {
    group.is_none_or(|group| groups.iter().any(|known| known == group))
}

fn needs_output(call: &Call) -> bool {
    matches!(
        call,
        Call::Succeeds | Call::OutputContains(_) | Call::OutputMatches(_)
    )
}

fn known<'a>(
    what: &str,
    name: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), (String, String)> {
    if names.clone().any(|known| known == name) {
        return Ok(());
    }
    let mut hint = text::did_you_mean(name, names.clone());
    if hint.is_empty() {
        let mut all: Vec<&str> = names.collect();
        all.sort_unstable();
        all.dedup();
        all.truncate(8);
        hint = match all.is_empty() {
            true => format!("the inventory has no {what}"),
            false => format!("the inventory knows {}", all.join(", ")),
        };
    }
    Err((format!("unknown {what} `{name}`"), hint))
}

fn twice(what: &str) -> (String, String) {
    (
        format!("{what} are selected twice"),
        "one scenario is crossed with hosts or instances once".to_owned(),
    )
}
