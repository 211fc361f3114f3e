//! The plan as text and as JSON. The text is also what the plan's digest is taken over, so it holds
//! everything that decides what a run does, and nothing that varies.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::{Plan, Planned, Visit};
use crate::digest::{Sha256, Stream};
use crate::inventory::{AgentKey, Auth, Elevate, Login, Transport};
use crate::probe::Question;
use crate::steps::Call;
use crate::text::{count, endpoint, escape, size};
use crate::time::say;

/// What `gonogo plan` prints.
#[must_use]
pub fn text(plan: &Plan) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write(plan, &mut out);
    out
}

/// SHA-256 of [`text`], which is never whole in memory for it: that of a large estate has tens of MiB.
pub(super) fn digest(plan: &Plan) -> Sha256 {
    let mut hashed = Hashed::default();
    // Hashing cannot fail.
    let _ = write(plan, &mut hashed);
    hashed.stream.update(hashed.piece.as_bytes());
    hashed.stream.finish()
}

#[derive(Default)]
struct Hashed {
    stream: Stream,
    piece: String,
}

impl std::fmt::Write for Hashed {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        const ENOUGH: usize = 16 << 10;
        self.piece.push_str(text);
        if self.piece.len() > ENOUGH {
            self.stream.update(self.piece.as_bytes());
            self.piece.clear();
        }
        Ok(())
    }
}

fn write(plan: &Plan, out: &mut impl std::fmt::Write) -> std::fmt::Result {
    let inventory = &plan.inventory;
    writeln!(
        out,
        "environment {}: {} in {}",
        escape(&inventory.environment),
        count(plan.checks.len(), "check"),
        count(plan.features.len(), "feature")
    )?;
    for filter in &plan.filters {
        writeln!(out, "partial: {}", escape(filter))?;
    }
    if let Some(part) = &plan.part {
        let (name, own, all) = (part.shard.name(), plan.checks.len(), part.whole);
        writeln!(out, "shard {}: {own} of {all} checks", escape(&name))?;
        if part.ungrouped > 0 {
            let checks = count(part.ungrouped, "check");
            writeln!(
                out,
                "in no group: {checks}, which `--group none` runs, alone or beside a group"
            )?;
        }
    }
    let mut feature = "";
    for check in &plan.checks {
        if *check.feature != *feature {
            feature = &check.feature;
            writeln!(out, "\n{}", escape(feature))?;
        }
        writeln!(
            out,
            "  {:>4}  {}  [{}]",
            check.line,
            escape(&check.scenario),
            escape(&check.subject.label())
        )?;
    }
    let mut begun = false;
    for check in &plan.checks {
        for step in &check.steps {
            if let Call::Person(ask) = &*step.call {
                if !std::mem::replace(&mut begun, true) {
                    writeln!(
                        out,
                        "\nwhat people will be asked, each HOLD until they answer"
                    )?;
                }
                let (id, whom, question) = (&check.id, ask.whom(), &ask.question);
                writeln!(out, "  {}", escape(&format!("{id}  {whom}: {question}")))?;
            }
        }
    }
    let asked = asked(plan);
    if !asked.is_empty() {
        writeln!(
            out,
            "\nwhat will be asked from this machine, and nothing else"
        )?;
        for line in &asked {
            writeln!(out, "  {}", escape(line))?;
        }
        writeln!(
            out,
            "\neach HTTP answer within {} and of at most {}, over a connection of its own; by the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name, if any; from https only to https",
            say(Question::PATIENCE),
            size(Question::MOST)
        )?;
    }
    writeln!(out, "\nwhat will be used on each host, and nothing else")?;
    for visit in &plan.visits {
        writeln!(
            out,
            "\n  {} as {}  ({})",
            escape(&visit.host),
            escape(&visit.team),
            escape(&route(&visit.login))
        )?;
        for line in followed(&visit.login) {
            writeln!(out, "    {}", escape(&line))?;
        }
        let after_denial = visit.after_denial();
        let writing = visit.writing();
        for planned in visit.at_once().difference(&after_denial) {
            if writing.contains_key(planned) {
                continue;
            }
            let line = planned.line();
            let line = escape(&line);
            writeln!(out, "    execute  {line}")?;
        }
        for (planned, permission) in &writing {
            let line = planned.line();
            writeln!(
                out,
                "    write    {}  ({})",
                escape(&line),
                escape(permission)
            )?;
        }
        for pattern in visit.patterns() {
            write!(out, "    read     {}", escape(pattern))?;
            match visit.login.asked(pattern) {
                Some(asked) if asked != pattern => {
                    writeln!(out, "  (asked for as {})", escape(&asked))?;
                }
                _ => writeln!(out)?,
            }
        }
        for pattern in visit.listed() {
            writeln!(out, "    list     {}  (never opened)", escape(pattern))?;
        }
        for url in visit.urls() {
            write!(out, "    get      {}", escape(url))?;
            match visit.login.elevate {
                Elevate::None => writeln!(out)?,
                _ => writeln!(out, "  (sudo has no part in it)")?,
            }
        }
        for planned in &after_denial {
            writeln!(out, "    denied?  {}", escape(&planned.line()))?;
        }
    }
    if plan.visits.iter().any(|visit| !visit.writing().is_empty()) {
        writeln!(
            out,
            "\nwhat stands behind `write` makes one private directory below the one that the inventory names, a copy in it, and removes both again; `?` stands for a letter or digit that mktemp chooses. A gonogo that is killed meanwhile can leave that one directory, gonogo-??????????, behind; none but its own is ever removed"
        )?;
    }
    if plan
        .visits
        .iter()
        .any(|visit| visit.login.transport == Transport::Auto)
    {
        writeln!(
            out,
            "\nfiles are read by SFTP; where the server has none, by stat, find and head"
        )?;
    }
    if plan.visits.iter().any(|visit| visit.login.gathers()) {
        writeln!(
            out,
            "\nwhere `gather: framed` says so, small files are first read by the command with a NONCE in it, a set at a time; \
             what does not come whole by that is read as if it had not been tried"
        )?;
    }
    if plan.visits.iter().any(|visit| !visit.urls().is_empty()) {
        writeln!(
            out,
            "\nwhat stands behind `get` is asked for once, by HTTP GET over a connection that the host's own sshd \
             opens (direct-tcpip); no redirect is followed"
        )?;
    }
    if plan
        .visits
        .iter()
        .all(|visit| visit.after_denial().is_empty())
    {
        if !plan.visits.is_empty() {
            writeln!(
                out,
                "\nof a path that the host has denied, each element is looked at, to learn which one denies it"
            )?;
        }
    } else {
        writeln!(
            out,
            "\nwhat stands behind `denied?` is used only after the host has denied a path or a program, or has \
             not found one, to learn why; by SFTP, each element is looked at"
        )?;
    }
    if plan
        .visits
        .iter()
        .any(|visit| visit.login.transport != Transport::Sftp && !visit.planned().is_empty())
    {
        writeln!(
            out,
            "\neach command is the argument of `sh -c`, in `/`, with LC_ALL=C and no input, and is killed with its connection"
        )?;
    }
    Ok(())
}

/// What the runner itself asks of the network, each once, in the order of the plan.
fn asked(plan: &Plan) -> Vec<String> {
    let (mut lines, mut told) = (Vec::new(), BTreeSet::new());
    for check in &plan.checks {
        for step in &check.steps {
            let questions = step.call.questions(&check.subject, &plan.inventory);
            let here = questions.iter().filter(|question| question.from.is_none());
            for line in here.map(Question::line) {
                if told.insert(line.clone()) {
                    lines.push(line);
                }
            }
        }
    }
    lines
}

/// `ops@10.20.0.11:22 by key operations via jump@bastion:22 by agent, sudo -u amps`
fn route(login: &Login) -> String {
    let point = |login: &Login| {
        let place = endpoint(&login.address, login.port);
        // What is taken from an ssh_config stands in a line of its own.
        let config = login.ssh_config.as_ref();
        let own = config.is_none_or(|config| config.offers.is_empty());
        let ways: Vec<String> = match own {
            true => login.auth.iter().map(way).collect(),
            false => Vec::new(),
        };
        let by = if ways.is_empty() { "" } else { " by " };
        format!("{}@{place}{by}{}", login.user, ways.join(", then "))
    };
    let mut route = point(login);
    if !login.via.is_empty() {
        let hops: Vec<String> = login.via.iter().map(point).collect();
        let _ = write!(route, " via {}", hops.join(", "));
    }
    if let Some(chroot) = &login.chroot {
        let _ = write!(route, ", shut in {chroot}");
    }
    match &login.elevate {
        Elevate::None => {}
        Elevate::Root => route.push_str(", sudo"),
        Elevate::User(user) => {
            let _ = write!(route, ", sudo -u {user}");
        }
    }
    route
}

/// What the login takes from the operators' own ssh_config, hops included.
fn followed(login: &Login) -> Vec<String> {
    let mut lines = Vec::new();
    for (stop, is_hop) in login
        .via
        .iter()
        .map(|hop| (hop, true))
        .chain([(login, false)])
    {
        let Some(config) = &stop.ssh_config else {
            continue;
        };
        let whom = match is_hop {
            true => format!(", hop {}", stop.host),
            false => String::new(),
        };
        let mut line = format!("follows  {} as {}{whom}", config.written, config.alias);
        if !config.offers.is_empty() {
            let _ = write!(line, ": {}, once each", config.offers.join(", "));
        }
        lines.push(line);
        lines.extend(config.notes.iter().map(|note| format!("note     {note}")));
    }
    lines
}

/// One way to authenticate. Of a file its name, which is the same wherever the inventory lies.
fn way(way: &Auth) -> String {
    let name = |path: &Path| {
        let name = path.file_name().unwrap_or(path.as_os_str());
        name.to_string_lossy().into_owned()
    };
    match way {
        Auth::Key {
            path, certificate, ..
        } => match certificate {
            Some(certificate) => format!("key {} with {}", name(path), name(certificate)),
            None => format!("key {}", name(path)),
        },
        Auth::Agent(AgentKey::Any) => "agent".to_owned(),
        Auth::Agent(AgentKey::Fingerprint(pin)) => format!("agent key {pin}"),
        Auth::Agent(AgentKey::File(path)) => format!("agent key {}", name(path)),
        Auth::KeyboardInteractive { .. } => "keyboard-interactive".to_owned(),
        Auth::Password { .. } => "password".to_owned(),
    }
}

/// What `gonogo plan --format json` prints.
#[must_use]
pub fn json(plan: &Plan) -> Value {
    json!({
        "schema": "gonogo/plan/v1",
        "environment": plan.inventory.environment,
        "digest": plan.digest.to_string(),
        "partial": !plan.filters.is_empty(),
        "filters": plan.filters,
        "checks": plan.checks.iter().map(|check| json!({
            "id": check.id,
            "feature": &*check.feature,
            "line": check.line,
            "scenario": check.scenario,
            "instance": check.subject.instance,
            "host": check.subject.host,
            "team": check.subject.team,
            "vendor": check.subject.vendor,
            "tags": check.tags[..],
            "steps": check.steps.iter().map(|step| format!("{} {}", step.keyword, step.text)).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "asks": asked(plan),
        "visits": plan.visits.iter().map(visit).collect::<Vec<_>>(),
    })
}

fn visit(visit: &Visit) -> Value {
    let writing = visit.writing();
    json!({
        "host": visit.host,
        "team": visit.team,
        "login": route(&visit.login),
        "follows": followed(&visit.login),
        "execute": visit.at_once().difference(&visit.after_denial()).filter(|planned| !writing.contains_key(planned)).map(Planned::line).collect::<BTreeSet<_>>(),
        "write": writing.iter().map(|(planned, permission)| json!({"command": planned.line(), "permission": permission})).collect::<Vec<_>>(),
        "after_denial": visit.after_denial().iter().map(Planned::line).collect::<BTreeSet<_>>(),
        "execute_without_sftp": visit.planned_without_sftp().iter().map(Planned::line).collect::<Vec<_>>(),
        "read": visit.patterns(),
        "list": visit.listed(),
        "get": visit.urls(),
    })
}
