//! `waivers.yaml`: which failures are accepted, by whom, why and until when. Read as strictly as an inventory,
//! all problems at once. Knows no plan and no signature: whether a waiver means a planned check, and who
//! signed the file, is asked elsewhere of the same bytes.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp, Zoned};

use super::fields::{self, Keys};
use super::grammar::Rule;
use super::page::{Mark, Page, Text};
use super::yaml::{self, Node};
use crate::digest::Sha256;
use crate::problem::{Place, Problem, Problems};
use crate::text::{self, is_unsafe};

/// The longest that a waiver may hold, in days.
pub const MOST_DAYS: i64 = 30;

/// No file of waivers that people read and sign comes near it.
const MOST_BYTES: usize = 4 << 20;

const EXAMPLE: &str = "2026-12-15T18:00:00Z";

/// A whole file of waivers.
#[derive(Clone, Debug)]
pub struct WaiverFile {
    /// As the user named it.
    pub path: PathBuf,
    /// Its bytes as read: what the approvers signed.
    pub bytes: Vec<u8>,
    /// SHA-256 of `bytes`.
    pub digest: Sha256,
    /// The environment that they are for: signed with them, so that none is used in another.
    pub environment: String,
    /// In the order of the file.
    pub waivers: Vec<Waiver>,
    environment_place: Problem,
}

/// Who accepts which failures, why, and for how long.
#[derive(Clone, Debug)]
pub struct Waiver {
    /// Unique in its file.
    pub id: String,
    /// One check by its id; else `scenario` says which.
    pub check: Option<String>,
    /// Name of a scenario, placeholders filled; `*` and `?` may stand in it, as in the next three.
    pub scenario: Option<String>,
    /// Which instances.
    pub instance: Option<String>,
    /// Which hosts.
    pub host: Option<String>,
    /// Which teams.
    pub team: Option<String>,
    /// Why the failure is accepted.
    pub reason: String,
    /// Where its remedy is followed up.
    pub ticket: String,
    /// Who asked.
    pub requester: String,
    /// Who granted, and signs: a principal of the approvers' file.
    pub approver: String,
    /// Valid from then on.
    pub from: Timestamp,
    /// No longer valid from then on.
    pub expires: Timestamp,
    places: Places,
}

/// Problems without a message, for what is found out later.
#[derive(Clone, Debug)]
struct Places {
    selects: Problem,
    approver: Problem,
    from: Problem,
    expires: Problem,
}

/// What a check is about, as far as a waiver can name it.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Its id.
    pub id: &'a str,
    /// Name of its scenario, placeholders filled.
    pub scenario: &'a str,
    /// Its instance, when it has one.
    pub instance: Option<&'a str>,
    /// Its host, when it has one.
    pub host: Option<&'a str>,
    /// Its team, when it has one.
    pub team: Option<&'a str>,
}

impl WaiverFile {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// Every problem at once; that it cannot be read is one too.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        let whole = |message: String| {
            let problem = Problem::new(Place::whole(path), message);
            Problems::from(problem.with_hint("name a file of waivers with `--waivers`"))
        };
        match std::fs::metadata(path) {
            Ok(found) if !found.is_file() => Err(whole("this is no file of waivers".to_owned())),
            Ok(found) if found.len() > MOST_BYTES as u64 => Err(whole(
                "this is too large to be a file of waivers".to_owned(),
            )),
            _ => match std::fs::read(path) {
                Ok(bytes) => Self::parse(path, bytes),
                Err(error) => Err(whole(format!("cannot read the waivers: {error}"))),
            },
        }
    }

    /// Reads waivers from `bytes`; `path` names them in problems.
    ///
    /// # Errors
    /// Every problem at once, in the order of the file.
    pub fn parse(path: &Path, bytes: Vec<u8>) -> Result<Self, Problems> {
        let text = super::utf8(path, &bytes)?;
        let mut page = Page::new(path, text);
        let waivers = yaml::read(text, &mut page).map(|root| read(&mut page, &root));
        let (environment, waivers) = waivers.unwrap_or_default();
        if page.refusals() == 0 && waivers.is_empty() {
            let problem = Problem::new(Place::whole(path), "the file holds no waiver");
            let hint = "begin with `waivers:` and a list, or run without `--waivers`";
            return Err(problem.with_hint(hint).into());
        }
        let environment = environment.map(|text| (blank(&page, text.at), text.value));
        let (environment_place, environment) = match environment {
            Some(written) if page.refusals() == 0 => written,
            _ => return Err(page.into_problems().into()),
        };
        Ok(Self {
            environment,
            environment_place,
            path: path.to_owned(),
            digest: Sha256::of(&bytes),
            bytes,
            waivers,
        })
    }

    /// The waivers that do not hold at `now`.
    #[must_use]
    pub fn not_valid_at(&self, now: Timestamp) -> Vec<Problem> {
        let refuse = |waiver: &Waiver| {
            let (id, places) = (&waiver.id, &waiver.places);
            if waiver.expires <= now {
                let message = format!("waiver `{id}` has expired");
                let hint = "mend what it covers, or have a new waiver approved";
                Some(said(&places.expires, message, hint))
            } else if now < waiver.from {
                let message = format!("waiver `{id}` is not valid yet");
                let hint = "leave it out until then, or have one approved that holds now";
                Some(said(&places.from, message, hint))
            } else {
                None
            }
        };
        self.waivers.iter().filter_map(refuse).collect()
    }

    /// The waivers that mean none of these checks of `environment`, and the patterns that mean all of them:
    /// neither was written with one failure in mind. `is_whole` is false where filters left checks out.
    #[must_use]
    pub fn misfits(
        &self,
        environment: &str,
        checks: &[Target<'_>],
        is_whole: bool,
    ) -> Vec<Problem> {
        if self.environment != environment {
            let own = &self.environment;
            let message = format!("waivers for environment `{own}`, not for `{environment}`");
            let hint = "each environment has its own file, approved for it";
            return vec![said(&self.environment_place, message, hint)];
        }
        let refuse = |waiver: &Waiver| {
            let id = &waiver.id;
            let meant = checks.iter().filter(|check| waiver.means(check)).count();
            if meant == 0 && is_whole {
                let message = format!("waiver `{id}` means no planned check");
                Some(said(
                    &waiver.places.selects,
                    message,
                    nearest(waiver, checks),
                ))
            } else if meant == checks.len() && waiver.is_pattern() {
                let message = format!("waiver `{id}` means every planned check");
                let hint = "name the checks whose failure is accepted, and no others";
                Some(said(&waiver.places.selects, message, hint))
            } else {
                None
            }
        };
        self.waivers.iter().filter_map(refuse).collect()
    }
}

impl Waiver {
    /// Whether it means that check.
    #[must_use]
    pub fn means(&self, check: &Target<'_>) -> bool {
        if let Some(id) = &self.check {
            return id == check.id;
        }
        let fits = |pattern: &Option<String>, name: Option<&str>| match (pattern, name) {
            (None, _) => true,
            (Some(pattern), Some(name)) => matches(pattern, name),
            (Some(_), None) => false,
        };
        self.scenario.is_some()
            && fits(&self.scenario, Some(check.scenario))
            && fits(&self.instance, check.instance)
            && fits(&self.host, check.host)
            && fits(&self.team, check.team)
    }

    /// Whether it holds at `now`.
    #[must_use]
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.expires
    }

    /// What it means, as it was written: `scenario "…", instance orders`.
    #[must_use]
    pub fn selects(&self) -> String {
        let keys = [
            ("check", &self.check),
            ("scenario", &self.scenario),
            ("instance", &self.instance),
            ("host", &self.host),
            ("team", &self.team),
        ];
        let said = keys.iter().filter_map(|(key, value)| {
            let value = value.as_deref()?;
            Some(format!("{key} `{value}`"))
        });
        said.collect::<Vec<_>>().join(", ")
    }

    /// A problem at its approver.
    #[must_use]
    pub fn approver_problem(&self, message: impl Into<String>, hint: &str) -> Problem {
        said(&self.places.approver, message.into(), hint)
    }

    fn is_pattern(&self) -> bool {
        let patterns = [&self.scenario, &self.instance, &self.host, &self.team];
        let mut patterns = patterns.into_iter().flatten();
        patterns.any(|pattern| pattern.contains(['*', '?']))
    }
}

/// A problem there, still without a message.
fn blank(page: &Page<'_>, at: Mark) -> Problem {
    let mut problem = Problem::new(page.place(at), "");
    problem.line = page.line(at);
    problem
}

fn said(place: &Problem, message: String, hint: impl Into<String>) -> Problem {
    let mut problem = place.clone().with_hint(hint);
    problem.message = message;
    problem
}

fn nearest(waiver: &Waiver, checks: &[Target<'_>]) -> String {
    let known = |of: fn(&Target<'_>) -> Option<String>| -> Vec<String> {
        let mut known: Vec<String> = checks.iter().take(2_000).filter_map(of).collect();
        known.sort_unstable();
        known.dedup();
        known
    };
    let asked = [
        (&waiver.check, known(|check| Some(check.id.to_owned()))),
        (
            &waiver.scenario,
            known(|check| Some(check.scenario.to_owned())),
        ),
        (
            &waiver.instance,
            known(|check| check.instance.map(str::to_owned)),
        ),
        (&waiver.host, known(|check| check.host.map(str::to_owned))),
        (&waiver.team, known(|check| check.team.map(str::to_owned))),
    ];
    let mut guesses = asked.iter().filter_map(|(written, known)| {
        let written = written.as_deref()?;
        let is_known = known.iter().any(|name| matches(written, name));
        let guess = text::did_you_mean(written, known.iter().map(String::as_str));
        (!is_known && !guess.is_empty()).then_some(guess)
    });
    guesses.next().unwrap_or_else(|| {
        "`gonogo plan` lists every check; `plan --format json` its id and scenario".to_owned()
    })
}

/// `*` stands for any characters, `?` for one. Two cursors and one place to return to: no pattern is slow.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut of) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at < name.len() {
        match pattern.get(of) {
            Some('*') => {
                retry = Some((of + 1, at));
                of += 1;
            }
            Some(&c) if c == '?' || c == name[at] => (at, of) = (at + 1, of + 1),
            _ => match retry {
                Some((after, from)) => {
                    retry = Some((after, from + 1));
                    (at, of) = (from + 1, after);
                }
                None => return false,
            },
        }
    }
    pattern[of..].iter().all(|c| *c == '*')
}

fn read(page: &mut Page<'_>, root: &Node<'_>) -> (Option<Text>, Vec<Waiver>) {
    let Some(mut keys) = Keys::of(page, root, "the file of waivers", root.at) else {
        return (None, Vec::new());
    };
    let environment = keys.require("environment", "production");
    let environment =
        environment.and_then(|node| fields::checked(page, node, "environment", prose));
    let list = keys.require("waivers", "[ … ]");
    let list = list.and_then(|list| {
        fields::list(page, list, "waivers", |page, item| Some(waiver(page, item)))
    });
    keys.done(page);
    let list = list.map_or_else(Vec::new, |list| list.value);
    let ids = list.iter().filter_map(|(id, _)| id.as_ref());
    let ids = ids.map(|id| (id.value.as_str(), id.at));
    for (id, at) in yaml::repeated(ids.collect::<Vec<_>>()) {
        let message = format!("two waivers are called `{id}`");
        page.refuse(at, message, "give each its own id");
    }
    let waivers = list.into_iter().filter_map(|(_, waiver)| waiver);
    (environment, waivers.collect())
}

fn waiver(page: &mut Page<'_>, item: &Node<'_>) -> (Option<Text>, Option<Waiver>) {
    let Some(mut keys) = Keys::of(page, item, "a waiver", item.at) else {
        return (None, None);
    };
    let before = page.refusals();
    let mut required = |key, example, rule: Rule| {
        let node = keys.require(key, example)?;
        fields::checked(page, node, key, rule)
    };
    let id = required("id", "W-2026-07", id_rule);
    let reason = required("reason", "why the failure is accepted", prose);
    let ticket = required("ticket", "OPS-4411", prose);
    let requester = required("requester", "ann@ops.example", person);
    let approver = required("approver", "bob@ops.example", person);
    let mut time = |key| {
        let node = keys.require(key, EXAMPLE)?;
        fields::parsed(page, node, key, instant)
    };
    let (from, expires) = (time("from"), time("expires"));
    let mut selector = |key| fields::checked(page, keys.take(key)?, key, prose);
    let (check, scenario) = (selector("check"), selector("scenario"));
    let [instance, host, team] = ["instance", "host", "team"].map(selector);
    keys.done(page);
    let selected = [&scenario, &instance, &host, &team];
    for pattern in selected.into_iter().flatten() {
        if pattern.value.chars().all(|c| matches!(c, '*' | '?')) {
            let message = format!("`{}` would mean everything", pattern.value);
            page.refuse(
                pattern.at,
                message,
                "name what is meant; `*` may stand for a part of it",
            );
        }
    }
    let others = [&instance, &host, &team].into_iter().flatten().next();
    match (&check, &scenario) {
        (Some(_), Some(other)) => {
            let hint =
                "a check is one scenario of one instance or host: keep `check`, or the others";
            page.refuse(
                other.at,
                "a waiver names a check or a scenario, not both",
                hint,
            );
        }
        (Some(_), None) => {
            if let Some(other) = others {
                let hint = "the id of a check says it all: remove this line";
                page.refuse(other.at, "this narrows nothing beside `check`", hint);
            }
        }
        (None, Some(scenario)) if instance.is_none() && host.is_none() => {
            let hint =
                "add `instance:` or `host:`: a failure is accepted in one place, not everywhere";
            page.refuse(
                scenario.at,
                "a scenario is waived only for an instance or a host",
                hint,
            );
        }
        (None, Some(_)) => {}
        // A broken one was told where it stands.
        (None, None) if page.refusals() == before => {
            let hint = "write `check: ID`, or `scenario: NAME` with `instance:` or `host:`";
            page.refuse(item.at, "a waiver that does not say what is waived", hint);
        }
        (None, None) => {}
    }
    if let (Some(requester), Some(approver)) = (&requester, &approver)
        && requester.value.to_lowercase() == approver.value.to_lowercase()
    {
        let hint = "somebody else than who asks for a waiver approves it";
        page.refuse(approver.at, "requester and approver are the same", hint);
    }
    if let (Some(from), Some(expires)) = (&from, &expires) {
        let span = expires.value.duration_since(from.value);
        let most = SignedDuration::from_hours(24 * MOST_DAYS);
        if span <= SignedDuration::ZERO {
            page.refuse(
                expires.at,
                "it expires before it begins",
                "mend `from` or `expires`",
            );
        } else if span > most {
            let message = format!("it would hold for more than {MOST_DAYS} days");
            page.refuse(expires.at, message, "have it approved again when it ends");
        }
    }
    let first = check.as_ref().or(scenario.as_ref());
    let waiver = (|| {
        let blank = |at: Mark| blank(page, at);
        let (id, approver) = (id.as_ref()?, approver.as_ref()?);
        let (from, expires) = (from.as_ref()?, expires.as_ref()?);
        Some(Waiver {
            places: Places {
                selects: blank(first.map_or(item.at, |first| first.at)),
                approver: blank(approver.at),
                from: blank(from.at),
                expires: blank(expires.at),
            },
            id: id.value.clone(),
            check: check.as_ref().map(|it| it.value.clone()),
            scenario: scenario.as_ref().map(|it| it.value.clone()),
            instance: instance.as_ref().map(|it| it.value.clone()),
            host: host.as_ref().map(|it| it.value.clone()),
            team: team.as_ref().map(|it| it.value.clone()),
            reason: reason.as_ref()?.value.clone(),
            ticket: ticket.as_ref()?.value.clone(),
            requester: requester.as_ref()?.value.clone(),
            approver: approver.value.clone(),
            from: from.value,
            expires: expires.value,
        })
    })();
    (id, waiver)
}

fn id_rule(id: &str) -> Result<(), String> {
    let inner = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let good = id.starts_with(|c: char| c.is_ascii_alphanumeric())
        && id.chars().all(inner)
        && id.len() <= 60;
    match good {
        true => Ok(()),
        false => Err("an id holds letters, digits and `._-`, such as W-2026-07".to_owned()),
    }
}

pub(super) fn prose(text: &str) -> Result<(), String> {
    match () {
        () if text.trim().is_empty() => Err("write something".to_owned()),
        () if text.contains(is_unsafe) => {
            Err("remove line breaks, control and text-direction characters".to_owned())
        }
        () if text.chars().count() > 1_000 => Err("say it in at most 1000 characters".to_owned()),
        () => Ok(()),
    }
}

/// As a principal stands in an approvers' file: a plain name.
fn person(name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "@._+-".contains(c);
    let good = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(allowed)
        && name.len() <= 128;
    match good {
        true => Ok(()),
        false => Err(
            "write one person as the approvers' file names them, such as ann@ops.example"
                .to_owned(),
        ),
    }
}

/// RFC 3339 with its zone, or with the name of one in brackets.
fn instant(text: &str) -> Result<Timestamp, String> {
    let hint =
        || format!("write date, time and zone, such as {EXAMPLE} or 2026-12-15T18:00:00+01:00");
    match text.contains('[') {
        true => text.parse::<Zoned>().map(|zoned| zoned.timestamp()),
        false => text.parse::<Timestamp>(),
    }
    .map_err(|_| hint())
}

#[cfg(test)]
#[path = "waivers_tests.rs"]
mod tests;
