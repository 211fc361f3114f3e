//! What a run of the plan burdens each host and each hop with: logins, checks, commands, reads. Of bytes the plan
//! knows none, `--estimate` does. No part of the plan's digest: it follows from what the digest is of.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Plan;
use crate::steps::Touch;
use crate::text::{count, escape};

/// Names told of those that bear the same.
const MOST_NAMES: usize = 3;

/// What one host bears.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Burden {
    logins: usize,
    checks: usize,
    /// Each of them once; a check may use some again.
    commands: usize,
    reads: usize,
    copies: usize,
    requests: usize,
}

struct Load<'a> {
    hosts: BTreeMap<&'a str, Burden>,
    /// Sessions that go through each hop, over one connection for each of its accounts.
    hops: BTreeMap<&'a str, usize>,
}

impl<'a> Load<'a> {
    fn of(plan: &'a Plan) -> Self {
        let mut load = Self {
            hosts: BTreeMap::new(),
            hops: BTreeMap::new(),
        };
        for visit in &plan.visits {
            let burden = load.hosts.entry(&visit.host).or_default();
            burden.logins += 1;
            burden.commands += visit.gatherings().len();
            for touch in visit.touches.iter().chain(&*visit.identity) {
                match touch {
                    Touch::Execute(_) => burden.commands += 1,
                    Touch::Read(_) | Touch::List(_) => burden.reads += 1,
                    Touch::Write(_) => burden.copies += 1,
                    Touch::Get(_) => burden.requests += 1,
                }
            }
            for hop in &visit.login.via {
                *load.hops.entry(&hop.host).or_default() += 1;
            }
        }
        for check in &plan.checks {
            let host = check.subject.host.as_deref();
            if let Some(burden) = host.and_then(|host| load.hosts.get_mut(host)) {
                burden.checks += 1;
            }
        }
        load
    }

    /// Hosts that bear the same together.
    fn alike(&self) -> Vec<(&Burden, Vec<&'a str>)> {
        let mut alike: BTreeMap<&Burden, Vec<&str>> = BTreeMap::new();
        for (host, burden) in &self.hosts {
            alike.entry(burden).or_default().push(*host);
        }
        let mut alike: Vec<_> = alike.into_iter().collect();
        alike.sort_by_key(|(_, hosts)| hosts.first().copied());
        alike
    }
}

impl Burden {
    fn say(&self) -> String {
        let parts = [
            (self.logins, "login"),
            (self.checks, "check"),
            (self.commands, "command"),
            (self.reads, "path or pattern read"),
            (self.copies, "private copy"),
            (self.requests, "HTTP request"),
        ];
        let parts = parts.iter().filter(|(number, _)| *number > 0);
        let said = |(number, what): &(usize, &str)| match *what {
            "path or pattern read" if *number > 1 => format!("{number} paths or patterns read"),
            "private copy" if *number > 1 => format!("{number} private copies"),
            what => count(*number, what),
        };
        parts.map(said).collect::<Vec<_>>().join(", ")
    }
}

/// As `gonogo plan` prints it.
#[must_use]
pub fn text(plan: &Plan) -> String {
    let load = Load::of(plan);
    let mut out = String::new();
    if load.hosts.is_empty() {
        return out;
    }
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "\nload on each host and hop; how much of it at once is bounded by --jobs, --per-host and --per-hop, how many \
         bytes a second by --limit-rate"
    );
    for (burden, hosts) in load.alike() {
        let mut names = hosts[..hosts.len().min(MOST_NAMES)].join(", ");
        if hosts.len() > MOST_NAMES {
            let _ = write!(names, " and {} more", hosts.len() - MOST_NAMES);
        }
        let each = if hosts.len() > 1 { "each " } else { "" };
        let _ = writeln!(out, "  {}: {each}{}", escape(&names), burden.say());
    }
    for (hop, sessions) in &load.hops {
        let sessions = count(*sessions, "session");
        let _ = writeln!(
            out,
            "  hop {}: {sessions} behind it, over one connection for each of its accounts",
            escape(hop)
        );
    }
    out
}

/// The same for programs.
#[must_use]
pub fn json(plan: &Plan) -> Value {
    let load = Load::of(plan);
    let hosts = load.hosts.iter().map(|(host, burden)| {
        json!({
            "host": host,
            "logins": burden.logins,
            "checks": burden.checks,
            "commands": burden.commands,
            "reads": burden.reads,
            "copies": burden.copies,
            "requests": burden.requests,
        })
    });
    let hops = load.hops.iter();
    let hops = hops.map(|(hop, sessions)| json!({"host": hop, "sessions": sessions}));
    json!({
        "hosts": hosts.collect::<Vec<_>>(),
        "hops": hops.collect::<Vec<_>>(),
    })
}
