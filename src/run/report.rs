//! From plan and records to the published shape. Adds nothing of its own: what is not in the plan, the
//! records or the circumstances is not in the report.

use std::collections::{BTreeMap, HashSet};

use super::by_host::ByHost;
use super::told::{self, Asked};
use super::weeks::weeks;
use super::{Ran, Record};
use crate::digest::Sha256;
use crate::evidence::database_seen::{DatabaseSeen, Stretch};
use crate::evidence::host_facts::{Disk, HostFacts};
use crate::evidence::redact::Capture;
use crate::evidence::settings::Told;
use crate::evidence::{Content, Evidence};
use crate::failure::Failure;
use crate::inventory::{Host, Login};
use crate::plan::{Check, Part, Plan};
use crate::report::waived::waive;
use crate::report::{judge, publish, schema};
use crate::sign::manifest::portable_name;
use crate::steps::Call;
use crate::support::Moment;
use crate::text;
use crate::time::rfc3339;
use crate::verdict::Outcome;

/// What surrounds a run: who, where, when, with what.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// `run`'s section of the report; its scope is filled in from the plan.
    pub run: schema::Run,
}

/// The times of a run that its support process is judged by; nothing where one of them is no time.
#[must_use]
pub fn moment(run: &schema::Run) -> Option<Moment> {
    let time = |text: &Option<String>| text.as_ref().map(|text| text.parse()).transpose().ok();
    Some(Moment {
        started: run.started.parse().ok()?,
        go_live: time(&run.go_live)?,
        go_live_until: time(&run.go_live_until)?,
    })
}

/// Files of the run directory beside the rendered report: name to bytes.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The report of a run, with its verdict, and the files that it refers to.
#[must_use]
pub fn report(plan: &Plan, ran: &Ran, circumstances: Circumstances) -> (schema::Report, Files) {
    let mut files = Files::new();
    let inputs = inputs(plan, &mut files);
    let width = plan.checks.len().to_string().len().max(4);
    let mut checks: Vec<schema::Check> = (plan.checks.iter().zip(&ran.records).enumerate())
        .map(|(index, (planned, record))| {
            let name = format!("evidence/{:0width$}.txt", index + 1);
            let transcript = (!record.transcript.is_empty()).then(|| name.clone());
            if transcript.is_some() {
                files.insert(name, record.transcript.clone().into_bytes());
            }
            check(plan, planned, record, transcript)
        })
        .collect();
    let waivers = (plan.waivers.as_ref())
        .map(|waivers| waive(&waivers.file, &waivers.keys, &mut checks))
        .unwrap_or_default();
    let mut report = schema::Report {
        schema: schema::SCHEMA.to_owned(),
        run: schema::Run {
            scope: scope(plan),
            ..circumstances.run
        },
        // Refuted below by the facts, or not: until then nothing speaks for GO.
        verdict: schema::Verdict {
            decision: "NO-GO".to_owned(),
            reasons: Vec::new(),
        },
        counts: counts(&checks),
        inputs,
        hosts: hosts(plan, ran),
        instances: instances(plan),
        checks,
        waivers,
        weeks: Vec::new(),
    };
    report.weeks = moment(&report.run)
        .map(|moment| weeks(&plan.inventory, &moment))
        .unwrap_or_default();
    // The same road that `verify` takes: from the recorded facts, never from what we remember.
    report.verdict = publish(&judge(&report));
    (report, files)
}

pub(super) fn inputs(plan: &Plan, files: &mut Files) -> Vec<schema::Input> {
    let inventory = (
        "inputs/inventory.yaml".to_owned(),
        plan.inventory.bytes.clone(),
        plan.inventory.digest,
        None,
    );
    let features = plan.features.iter().map(|feature| {
        let label = &feature.file.label;
        let name = portable_name(label);
        (
            format!("inputs/{name}"),
            feature.file.bytes.clone(),
            feature.file.digest,
            // Of a shard that has no check of it, nothing else tells.
            (name != *label).then(|| label.clone()),
        )
    });
    let mut inputs = Vec::new();
    let records = plan.inventory.records().into_iter().map(|(name, bytes)| {
        let digest = Sha256::of(&bytes);
        (format!("inputs/{name}"), bytes, digest, None)
    });
    let waivers = plan.waivers.iter().flat_map(|waivers| waivers.files());
    let waivers = waivers.map(|(name, bytes)| {
        let digest = Sha256::of(&bytes);
        (name, bytes, digest, None)
    });
    let first = std::iter::once(inventory).chain(waivers);
    for (name, bytes, digest, label) in first.chain(records).chain(features) {
        let mut path = name.clone();
        for number in 2.. {
            if !files.contains_key(&path) {
                break;
            }
            path = format!("{name}-{number}");
        }
        inputs.push(schema::Input {
            path: path.clone(),
            sha256: digest.to_string(),
            name: label,
        });
        files.insert(path, bytes);
    }
    inputs
}

pub(super) fn scope(plan: &Plan) -> schema::Scope {
    schema::Scope {
        environment: plan.inventory.environment.clone(),
        plan: plan.digest.to_string(),
        partial: !plan.filters.is_empty(),
        filters: plan.filters.clone(),
        shard: plan.part.as_ref().map(Part::told),
    }
}

pub(super) fn counts(checks: &[schema::Check]) -> schema::Counts {
    let of = |outcome: Outcome| {
        checks
            .iter()
            .filter(|check| check.outcome == outcome.as_str())
            .count() as u64
    };
    schema::Counts {
        planned: checks.len() as u64,
        passed: of(Outcome::Passed),
        failed: of(Outcome::Failed),
        waived: of(Outcome::Waived),
        pending: of(Outcome::Pending),
    }
}

pub(super) fn hosts(plan: &Plan, ran: &Ran) -> Vec<schema::Host> {
    let about = ByHost::new(plan, &ran.records);
    let hops = plan
        .visits
        .iter()
        .flat_map(|visit| &visit.login.via)
        .map(|hop| hop.host.as_str());
    let visited: HashSet<&str> = plan
        .visits
        .iter()
        .map(|visit| visit.host.as_str())
        .chain(hops)
        .collect();
    let hosts = plan
        .inventory
        .hosts
        .iter()
        .filter(|host| visited.contains(host.name.as_str()));
    // Hops that only an ssh_config knows.
    let mut strangers: Vec<schema::Host> = Vec::new();
    let mut known = HashSet::new();
    for hop in plan.visits.iter().flat_map(|visit| &visit.login.via) {
        if known.insert(hop.host.as_str()) && plan.inventory.host(&hop.host).is_none() {
            strangers.push(stranger(hop, ran));
        }
    }
    let meant = hosts
        .map(|host| {
            let seen = ran.hosts.get(&host.name);
            let identity = seen.as_ref().map(|met| met.seen.clone());
            let identity = identity.unwrap_or_default();
            let clock = identity.clock.zip(about.clock_tolerance(&host.name));
            let clock = clock.map(|(clock, most)| clock.within(most));
            schema::Host {
                name: host.name.clone(),
                address: match about.followed_to(&host.name) {
                    found if found.is_empty() => text::endpoint(&host.address, host.port),
                    found => found.join(", "),
                },
                host_key: seen.as_ref().map(|met| met.greeting.host_key.clone()),
                host_key_type: (seen.as_ref().map(|met| met.greeting.host_key_type.clone()))
                    .filter(|kind| !kind.is_empty()),
                identity: schema::HostIdentity {
                    hostname: identity.hostname,
                    machine_id: identity.machine_id,
                },
                server: seen.as_ref().map(|met| met.greeting.server.clone()),
                machine: host.machine.clone(),
                runner: host.runner.then_some(true),
                sessions: seen.map(|met| met.sessions),
                clock: clock.map(|clock| schema::Clock {
                    skew_ms: clock.skew_ms,
                    uncertainty_ms: clock.uncertainty_ms,
                    tolerance_ms: clock.tolerance_ms,
                }),
                expected: expected(&about, host),
                facts: about.facts(&host.name).map(facts),
                clients: clients(&about, ran, host),
                as_hop: as_hop(ran, &host.name),
            }
        })
        .chain(strangers);
    meant.collect()
}

/// A hop that the inventory does not know; nothing is asked of it and nothing demanded.
fn stranger(hop: &Login, ran: &Ran) -> schema::Host {
    schema::Host {
        name: hop.host.clone(),
        address: text::endpoint(&hop.address, hop.port),
        host_key: None,
        host_key_type: None,
        identity: schema::HostIdentity::default(),
        server: None,
        machine: None,
        runner: None,
        sessions: None,
        clock: None,
        expected: None,
        facts: None,
        clients: BTreeMap::new(),
        as_hop: as_hop(ran, &hop.host),
    }
}

fn as_hop(ran: &Ran, host: &str) -> Vec<schema::HopKey> {
    let crossed = ran.hosts.crossed(host).into_iter();
    let keys = crossed.map(|one| schema::HopKey {
        address: one.address,
        host_key: one.host_key,
        host_key_type: one.host_key_type,
    });
    keys.collect()
}

fn facts(facts: &HostFacts) -> schema::HostFacts {
    schema::HostFacts {
        account: facts.account.clone(),
        os: facts.os.clone(),
        kernel: facts.kernel.clone(),
        machine: facts.machine.clone(),
        memory_kib: facts.memory_kib,
        limits: facts.limits.clone(),
        disks: facts.disks.iter().map(disk).collect(),
    }
}

fn disk(disk: &Disk) -> schema::Disk {
    schema::Disk {
        file_system: disk.file_system.clone(),
        mounted_on: disk.mounted_on.clone(),
        size_kib: disk.size_kib,
        used_kib: disk.used_kib,
        free_kib: disk.free_kib,
    }
}

/// Which client each team came with, where it was not libssh2 for all.
fn clients(about: &ByHost<'_>, ran: &Ran, host: &Host) -> BTreeMap<String, String> {
    match about.is_by_openssh(&host.name) {
        true => ran.hosts.clients(&host.name),
        false => BTreeMap::new(),
    }
}

/// What the inventory demands of the host; a pin may come from `ssh:` or a team.
fn expected(about: &ByHost<'_>, host: &Host) -> Option<schema::HostExpected> {
    let visit = about.visits(&host.name).first();
    let expected = schema::HostExpected {
        host_key: visit.and_then(|visit| visit.login.host_key.clone()),
        hostname: host.identity.hostname.clone(),
        machine_id: host.identity.machine_id.clone(),
    };
    (expected != schema::HostExpected::default()).then_some(expected)
}

pub(super) fn instances(plan: &Plan) -> Vec<schema::Instance> {
    let instances = plan.inventory.instances.iter();
    instances
        .map(|instance| schema::Instance {
            name: instance.name.clone(),
            product: instance.product.clone(),
            host: instance.host.clone(),
            teams: instance.teams.clone(),
            artifacts: (instance.artifacts.iter())
                .map(|artifact| schema::Artifact {
                    name: artifact.name.clone(),
                    kind: artifact.kind.as_str().to_owned(),
                    shared: artifact.log.shared.clone(),
                })
                .collect(),
        })
        .collect()
}

/// Names of the artifacts that a step is about.
pub(super) fn artifacts<'p>(
    plan: &'p Plan,
    check: &Check,
    call: &Call,
) -> impl Iterator<Item = &'p str> {
    let instance = check.subject.instance.as_deref();
    let instance = instance.and_then(|name| plan.inventory.instance(name));
    let team = check.subject.team.as_deref();
    let found = instance.map(|instance| call.about(instance, team));
    let found = found.unwrap_or_default().into_iter();
    found.map(|artifact| artifact.name.as_str())
}

fn check(
    plan: &Plan,
    planned: &Check,
    record: &Record,
    transcript: Option<String>,
) -> schema::Check {
    let outcome = match (record.passed(), record.is_pending()) {
        (true, _) => Outcome::Passed,
        (false, true) => Outcome::Pending,
        (false, false) => Outcome::Failed,
    };
    let steps = (planned.steps.iter().zip(&record.steps))
        .map(|(step, record)| schema::Step {
            keyword: step.keyword.to_string(),
            text: step.text.to_string(),
            outcome: record.outcome.as_str().to_owned(),
            duration_ms: record.duration_ms,
            artifacts: (artifacts(plan, planned, &step.call))
                .map(str::to_owned)
                .collect(),
            asks: match &*step.call {
                Call::Person(ask) => Some(schema::Asks {
                    role: ask.role.clone(),
                    question: ask.question.clone(),
                }),
                _ => None,
            },
        })
        .collect();
    let subject = planned.subject.clone();
    let asked = Asked::of(planned);
    schema::Check {
        id: planned.id.clone(),
        feature: planned.feature.to_string(),
        line: planned.line as u64,
        scenario: planned.scenario.clone(),
        instance: subject.instance,
        host: subject.host,
        team: subject.team,
        vendor: subject.vendor,
        tags: planned.tags.to_vec(),
        outcome: outcome.as_str().to_owned(),
        attempts: u32::from(record.started.is_some()),
        started: record.started.map(rfc3339),
        duration_ms: record.duration_ms,
        steps,
        evidence: (record.evidence.iter())
            .map(|found| evidence(found, &asked))
            .collect(),
        disks: record.disks.iter().map(disk).collect(),
        probes: record.probes.clone(),
        transcript,
        failure: (record.failure.as_ref()).map(|one| failure(one, record.at_login)),
        waiver: None,
        earlier: Vec::new(),
        carried: None,
        answers: Vec::new(),
    }
}

fn evidence(found: &Evidence, asked: &Asked) -> schema::Evidence {
    let (mut oldest, mut entries, mut version, mut instance_name) = (None, None, None, None);
    let mut listed_bytes = None;
    let mut settings = None;
    match &found.content {
        Content::Opaque => {}
        Content::Version(seen) => version = Some(seen.clone()),
        Content::Log(seen) => {
            (entries, oldest) = (Some(seen.entries), seen.oldest.map(rfc3339));
            version.clone_from(&seen.version);
        }
        Content::Settings(found) => {
            instance_name = found.name.clone();
            settings = Some(about_settings(&found.told));
        }
        Content::Promise(_) => {}
        Content::Listing(seen) => {
            entries = Some(seen.files);
            listed_bytes = Some(seen.bytes);
        }
        Content::Database(seen) => {
            entries = (seen.tables > 0).then_some(seen.samples);
            oldest = seen.oldest.map(rfc3339);
        }
    }
    schema::Evidence {
        artifact: found.artifact.clone(),
        kind: found.kind.as_str().to_owned(),
        path: found.path.clone(),
        bytes: found.bytes,
        sha256: found.sha256.to_string(),
        method: found.method.to_owned(),
        modified: found.modified.map(rfc3339),
        attempts: found.attempts,
        resumed: found.resumed,
        duration_ms: found.duration_ms,
        newest_entry: found.content.newest().map(rfc3339),
        oldest_entry: oldest,
        entries,
        version,
        instance_name,
        log: match &found.content {
            Content::Log(seen) => Some(told::log(seen, asked)),
            _ => None,
        },
        promise: match &found.content {
            Content::Promise(promise) => Some(told::promise(promise)),
            _ => None,
        },
        listed_bytes,
        settings,
        database: match &found.content {
            Content::Database(seen) => Some(database(seen)),
            _ => None,
        },
    }
}

fn about_settings(found: &Told) -> schema::Settings {
    schema::Settings {
        settings: found.settings,
        includes: found.includes,
        complete: found.is_complete,
        rules: found.rules,
        shipped: found.shipped.clone(),
        running: found.running.as_ref().map(|running| schema::Running {
            artifact: running.artifact.clone(),
            compared: running.compared,
            differing: running.differing,
        }),
    }
}

fn database(seen: &DatabaseSeen) -> schema::Database {
    let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    schema::Database {
        reason: seen.taken.reason.clone(),
        attempts: seen
            .taken
            .attempts
            .iter()
            .map(|&word| word.to_owned())
            .collect(),
        sqlite: seen.taken.sqlite.clone(),
        tables: seen.tables,
        found: seen.found.clone(),
        journal_mode: said(seen.journal_mode),
        page_size: (seen.page_size > 0).then_some(seen.page_size),
        widest_gap: seen.widest.map(stretch),
        interval_ms: (seen.interval)
            .map(|interval| u64::try_from(interval.as_millis()).unwrap_or(u64::MAX)),
        configured: seen.configured.as_ref().map(|said| schema::Configured {
            interval_ms: u64::try_from(said.every.as_millis()).unwrap_or(u64::MAX),
            source: said.source.clone(),
        }),
        spans: (seen.spans.iter())
            .map(|span| schema::Span {
                whole: stretch(span.whole),
                widest: stretch(span.widest),
            })
            .collect(),
    }
}

fn stretch(stretch: Stretch) -> schema::Stretch {
    schema::Stretch {
        from: rfc3339(stretch.from),
        to: rfc3339(stretch.to),
        ms: u64::try_from(stretch.width().as_millis()).unwrap_or(0),
    }
}

fn failure(failure: &Failure, at_login: bool) -> schema::Failure {
    let Failure {
        kind,
        host,
        account,
        subject,
        expected,
        actual,
        hint,
    } = failure.clone();
    // What came back may quote the server: it leaves redacted, like every raw word.
    let redacted = |text: String| Capture::new(text).redact().text;
    schema::Failure {
        kind: kind.as_str().to_owned(),
        host,
        account,
        subject: subject.map(redacted),
        expected,
        actual: redacted(actual),
        hint,
        at_login,
    }
}
