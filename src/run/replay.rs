//! Whether a record answers its own inputs: the plan is made again from the inventory and the features
//! that the run directory keeps, and the record must tell exactly that plan's checks, about its hosts and
//! instances, with evidence that those checks could have gathered. Offline; judges no outcome.
//!
//! Without this a record signed by an allowed key could drop an instance together with its checks, and
//! its sums would still be right.

mod gathered;
mod globs;
mod network;
mod planned;
mod resumed;
mod settings;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::by_host::ByHost;
use super::report::{hosts, inputs, instances, moment, scope};
use super::{Ran, Record, merge, told, weeks};
use crate::digest::Sha256;
use crate::failure::{Failure, FailureKind};
use crate::feature_files::FeatureFile;
use crate::inventory::{Instance, Inventory, Kind, PROFILE_END, is_record, shipped_text};
use crate::plan::{self, Check, Filters, Part, Plan, Shard};
use crate::problem::Problem;
use crate::report::schema;
use crate::report::waived::is_of_waivers;
use crate::sign::manifest::portable_name;
use crate::steps::{ArtifactName, Call, configuration, host, listing, log, statistics, version};
use crate::support::{Heard, Moment};
use crate::text::escape;

mod databases;

use databases::Times;
use gathered::gathered;
use globs::Globs;
use planned::is_planned;

const INVENTORY: &str = "inputs/inventory.yaml";
// Recorded times are whole seconds, and a check is judged while it runs.
const SLACK: SignedDuration = SignedDuration::from_secs(5);

/// Why a record was not found to answer its inputs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unlike {
    /// The rules of this gonogo refuse the inputs: there is nothing to compare with.
    #[error("{0}")]
    Refused(String),
    /// The plan was made, and the record tells something else.
    #[error("{0}")]
    Differs(String),
}

impl From<String> for Unlike {
    fn from(what: String) -> Self {
        Self::Differs(what)
    }
}

/// Compares the record with the plan that the run's own inputs in `directory` give, and a merged run with its
/// shards. A filtered run is not compared, unless it is one of several: it is a NO-GO whatever it tells.
///
/// # Errors
/// The first difference, in a phrase.
pub fn replay(report: &schema::Report, directory: &Path) -> Result<(), Unlike> {
    let (shard, merged) = (&report.run.scope.shard, &report.run.merged);
    if report.run.scope.partial && shard.is_none() && merged.is_none() {
        return Ok(());
    }
    let mut plan = again(report, directory)?;
    if let Some(shard) = shard {
        let cut = plan.cut(&Shard::of(shard));
        cut.map_err(|problems| refused("shard", &problems))?;
        if report.run.scope.shard != plan.part.as_ref().map(Part::told) {
            return Err("its shard is another part of the plan".to_owned().into());
        }
    }
    same(report, &plan)?;
    weeks::held(report, &plan)?;
    merge::holds(report, directory, &plan)?;
    let globs = Globs::default();
    for (planned, told) in plan.checks.iter().zip(&report.checks) {
        let wrong = |what: String| format!("check `{}`: {what}", escape(&told.id));
        gathered(planned, told, &plan.inventory, &globs).map_err(wrong)?;
        network::planned(planned, told, &plan.inventory).map_err(wrong)?;
        if matches!(&*told.outcome, "passed" | "pending") {
            asked(planned, told).map_err(wrong)?;
            for step in &planned.steps {
                held(&step.call, planned, told, &plan.inventory).map_err(wrong)?;
                agreed(&step.call, planned, told, &plan.inventory, &report.run).map_err(wrong)?;
            }
            about_host(planned, told, &report.hosts).map_err(wrong)?;
        }
    }
    Ok(())
}

/// The inventory that the run in `directory` keeps.
///
/// # Errors
/// Why it cannot be read again.
pub fn recorded_inventory(
    report: &schema::Report,
    directory: &Path,
) -> Result<Arc<Inventory>, Unlike> {
    Ok(again(report, directory)?.inventory)
}

/// The whole plan that the run's own inputs in `directory` give.
///
/// # Errors
/// What was changed, or is refused by now.
pub fn again(report: &schema::Report, directory: &Path) -> Result<Plan, Unlike> {
    let words = &report.run.scope.filters;
    let filters = Filters::told(words).map_err(|problems| refused("filters", &problems))?;

    let (mut inventory, mut features) = (None, Vec::new());
    let mut records = BTreeMap::new();
    for input in &report.inputs {
        let path = directory.join(&input.path);
        let bytes = fs::read(&path).map_err(|e| format!("`{}`: {e}", escape(&input.path)))?;
        let digest = Sha256::of(&bytes);
        if digest.to_string() != input.sha256 {
            return Err(format!("`{}` was changed", escape(&input.path)).into());
        }
        match input.path.as_str() {
            INVENTORY => inventory = Some(bytes),
            // `report/verify/people.rs` holds the record to them.
            name if is_of_waivers(name) => {}
            name if is_record(name) => {
                let name = name.strip_prefix("inputs/").unwrap_or(name);
                if is_ours(report) && !is_as_shipped(name, &bytes) {
                    return Err(format!(
                        "`{}` is not the profile that this version has",
                        escape(&input.path)
                    )
                    .into());
                }
                records.insert(name.to_owned(), bytes);
            }
            name => features.push(FeatureFile {
                label: label(report, name),
                path,
                bytes,
                digest,
            }),
        }
    }
    let bytes = inventory.ok_or_else(|| "the run keeps no inventory".to_owned())?;
    let inventory = Inventory::parse_recorded(Path::new(INVENTORY), bytes, &records)
        .map_err(|problems| refused("inventory", &problems.into_vec()))?;
    let made = plan::read_files(features)
        .and_then(|written| plan::make(&Arc::new(inventory), written, &filters));
    made.map_err(|problems: Vec<Problem>| refused("features", &problems))
}

/// What another version has and words differently is not held against it.
fn is_ours(report: &schema::Report) -> bool {
    report.run.tool.version == env!("CARGO_PKG_VERSION")
}

/// A built-in profile is of no inventory: whoever binds a run to theirs could not tell that it was changed.
fn is_as_shipped(record: &str, bytes: &[u8]) -> bool {
    let shipped = record.strip_suffix(PROFILE_END).and_then(shipped_text);
    shipped.is_none_or(|text| text.as_bytes() == bytes)
}

/// The label that the run gave a feature: its name in the directory keeps only portable characters.
fn label(report: &schema::Report, name: &str) -> String {
    let path = name;
    let name = name.strip_prefix("inputs/").unwrap_or(name);
    let told = report.inputs.iter().filter(|input| input.path == path);
    let told = told.filter_map(|input| input.name.as_ref());
    let mut labels = told.chain(report.checks.iter().map(|check| &check.feature));
    let found = labels.find(|label| portable_name(label) == name);
    found.map_or_else(|| name.to_owned(), Clone::clone)
}

fn refused(what: &str, problems: &[Problem]) -> Unlike {
    let first = problems.first().map_or("", |problem| &problem.message);
    Unlike::Refused(format!(
        "this gonogo refuses the {what} of the run: {}",
        escape(first)
    ))
}

/// A run of `plan` in which nothing happened.
pub(super) fn nothing_ran(plan: &Plan) -> Ran {
    let nothing = || Failure::new(FailureKind::Undefined, "", "");
    Ran {
        records: (plan.checks.iter())
            .map(|check| Record::not_run(check.steps.len(), nothing()))
            .collect(),
        hosts: super::Registry::default(),
        fault: None,
    }
}

/// What a run of `plan` must tell whatever happened in it, beside what is told.
fn same(told: &schema::Report, plan: &Plan) -> Result<(), String> {
    let (is, must) = (&told.run.scope, scope(plan));
    if is.environment != must.environment {
        return Err("it tells another environment than its inventory".to_owned());
    }
    // A run without a profile's text is read with that of 0.2, which kept none. Waivers change no plan.
    let made_from = told
        .inputs
        .iter()
        .filter(|input| !is_of_waivers(&input.path));
    if is_ours(told) && !made_from.eq(&inputs(plan, &mut BTreeMap::new())) {
        return Err("its inputs are not all that its plan was made from".to_owned());
    }
    if is_ours(told) && is.plan != must.plan {
        return Err("it tells the digest of another plan".to_owned());
    }
    if told.instances != instances(plan) {
        return Err("its instances are not those of its inventory".to_owned());
    }
    let bare = |hosts: &[schema::Host]| -> Vec<_> {
        let hosts = hosts.iter().cloned();
        let bare = hosts.map(|host| schema::Host {
            host_key: None,
            host_key_type: None,
            sessions: None,
            clock: None,
            facts: None,
            identity: schema::HostIdentity::default(),
            server: None,
            clients: BTreeMap::new(),
            as_hop: Vec::new(),
            ..host
        });
        bare.collect()
    };
    let nobody_met = Ran {
        records: Vec::new(),
        hosts: super::Registry::default(),
        fault: None,
    };
    if bare(&told.hosts) != bare(&hosts(plan, &nobody_met)) {
        return Err("its hosts are not those that its inventory means".to_owned());
    }
    let about = ByHost::new(plan, &[]);
    for host in &told.hosts {
        let most = about
            .clock_tolerance(&host.name)
            .map(|most| most.as_millis());
        let is_other = |clock: schema::Clock| Some(u128::from(clock.tolerance_ms)) != most;
        if host.clock.is_some_and(is_other) {
            let name = escape(&host.name);
            return Err(format!(
                "host `{name}` is told with another `clock_tolerance`"
            ));
        }
    }
    let mut pairs = plan.checks.iter().zip(&told.checks);
    if let Some((must, _)) = pairs.find(|(must, is)| !is_planned(is, must, plan)) {
        let id = escape(&must.id);
        return Err(format!("check `{id}` is not told as it was planned"));
    }
    match (plan.checks.len(), told.checks.len()) {
        (must, is) if must == is => Ok(()),
        (must, is) => Err(format!("its inputs plan {must} checks, it tells {is}")),
    }
}

/// What a passed step stated of a vendor is so by the inventory and the times of the run that judged it, and
/// nothing was carried over from another day.
fn agreed(
    call: &Call,
    planned: &Check,
    told: &schema::Check,
    all: &Inventory,
    run: &schema::Run,
) -> Result<(), String> {
    let Call::Vendor(ask) = call else {
        return Ok(());
    };
    let vendor = planned.subject.vendor.as_deref();
    let vendor = vendor.and_then(|name| all.vendor(name));
    let moment = judged_at(told, run)?;
    let heard = Heard {
        host: planned.subject.host.as_deref(),
        probes: &told.probes,
    };
    let judged =
        (vendor.zip(moment)).map(|(vendor, moment)| ask.judge(vendor, all, &moment, &heard));
    match judged.map(|judged| judged.failure) {
        Some(None) => Ok(()),
        Some(Some(failure)) => Err(format!(
            "a step passed that the inventory does not bear out: {}",
            escape(&failure.to_string())
        )),
        None => Err("a step about a vendor passed without one".to_owned()),
    }
}

/// When a vendor's check was judged: as its run began, or the shard that tells of it.
fn judged_at(told: &schema::Check, run: &schema::Run) -> Result<Option<Moment>, String> {
    let Some(carried) = &told.carried else {
        return Ok(moment(run));
    };
    let mut shards = run.merged.iter().flat_map(|merged| &merged.shards);
    let Some(shard) = shards.find(|shard| shard.run == carried.run) else {
        return Err("what is agreed with a vendor was judged by another run".to_owned());
    };
    let started = shard.started.clone();
    Ok(moment(&schema::Run {
        started,
        ..run.clone()
    }))
}

/// What asks a person waits for one, and nothing else does: a runner's own word is none.
fn asked(planned: &Check, told: &schema::Check) -> Result<(), String> {
    let pairs = || planned.steps.iter().zip(&told.steps);
    let asks = |step: &plan::Step| matches!(*step.call, Call::Person(_));
    let is_told = pairs().all(|(step, told)| asks(step) == (told.outcome == "pending"));
    let is_due = planned.steps.iter().any(asks);
    match is_told && is_due == (told.outcome == "pending") {
        true => Ok(()),
        false => {
            Err("it is told as passed or pending where a person is asked otherwise".to_owned())
        }
    }
}

/// What a passed step stated still follows from the evidence told.
fn held(call: &Call, planned: &Check, told: &schema::Check, all: &Inventory) -> Result<(), String> {
    let subject = &planned.subject;
    let instance = subject
        .instance
        .as_deref()
        .and_then(|name| all.instance(name));
    let Some(instance) = instance else {
        return Ok(());
    };
    let of = |name: &ArtifactName| -> Vec<&schema::Evidence> {
        let artifact = name.find(instance, subject.team.as_deref()).ok();
        let of = |evidence: &&schema::Evidence| {
            artifact.is_some_and(|one| one.name == evidence.artifact)
        };
        told.evidence.iter().filter(of).collect()
    };
    let only = |seen: Vec<&String>, expected: &Option<String>| {
        !seen.is_empty() && seen.iter().all(|seen| Some(*seen) == expected.as_ref())
    };
    let time = |text: &Option<String>| text.as_deref()?.parse::<Timestamp>().ok();
    let began = time(&told.started);
    let ended =
        began.map(|began| began + SignedDuration::from_millis_i128(told.duration_ms.into()));
    let holds = match call {
        Call::Version(version::Ask::Expected) => {
            let files = of(&ArtifactName::OfKind(Kind::Version));
            let seen = files.iter().filter_map(|file| file.version.as_ref());
            only(seen.collect(), &instance.expect_version)
        }
        Call::Version(ask @ (version::Ask::AllSame | version::Ask::Same(_))) => {
            let sources = ask.sources(instance, subject.team.as_deref());
            let told = sources.iter().map(|source| {
                let files = told.evidence.iter();
                let files = files.filter(|file| file.artifact == source.name);
                let stated = files.filter_map(|file| Some((file, file.version.as_deref()?)));
                let stated: Vec<_> = stated.collect();
                match source.kind {
                    // What the log states last.
                    Kind::Log => stated
                        .into_iter()
                        .max_by_key(|(file, _)| time(&file.newest_entry))
                        .map(|(_, version)| version),
                    _ => {
                        let first = stated.first().map(|(_, version)| *version);
                        first.filter(|first| stated.iter().all(|(_, version)| version == first))
                    }
                }
            });
            let told: Vec<Option<&str>> = told.collect();
            told.len() >= 2 && told[0].is_some() && told.iter().all(|version| *version == told[0])
        }
        Call::Configuration(name, configuration::Ask::BelongsToInstance) => {
            let files = of(name);
            let seen = files.iter().filter_map(|file| file.instance_name.as_ref());
            only(seen.collect(), &instance.expect_name)
        }
        Call::Configuration(name, ask) => {
            let artifact = name.find(instance, subject.team.as_deref());
            artifact.is_ok_and(|one| settings::holds(ask, one, &of(name), &told.evidence))
        }
        Call::Statistics(name, statistics::Ask::SampleWithin(span)) => {
            let newest = of(name)
                .iter()
                .filter_map(|file| time(&file.newest_entry))
                .max();
            is_within(newest, *span, began)
        }
        Call::Log(name, ask) => log_held(ask, name, planned, told, instance),
        Call::Listing(name, ask) => {
            let listings = of(name);
            let quiet = |listing: &&schema::Evidence| match ask {
                listing::Ask::CanBeListed => true,
                listing::Ask::NothingNewerThan(span) => {
                    let newest = time(&listing.newest_entry).zip(began);
                    listing.entries == Some(0)
                        || newest.is_some_and(|(newest, began)| {
                            began.duration_since(newest) + SLACK > signed(*span)
                        })
                }
            };
            !listings.is_empty() && listings.iter().all(quiet)
        }
        Call::Statistics(name, ask) => {
            let files = of(name);
            let artifact = name.find(instance, subject.team.as_deref()).ok();
            let login = subject.host.as_deref().zip(subject.team.as_deref());
            let login = login.and_then(|(host, team)| all.login(host, team));
            let slack = login.map_or(Duration::ZERO, |login| login.clock_tolerance);
            let times = ended.zip(began).map(|(ended, began)| Times {
                began,
                ended,
                slack: signed(slack) + SLACK,
            });
            artifact.zip(times).is_some_and(|(artifact, times)| {
                databases::hold(ask, artifact, &files, &told.evidence, &times)
            })
        }
        Call::Within(name, span) => {
            let files = of(name);
            let took: u64 = files.iter().map(|file| file.duration_ms).sum();
            !files.is_empty() && Duration::from_millis(took) <= *span
        }
        Call::AllWithin(span) => {
            let took: u64 = told.evidence.iter().map(|file| file.duration_ms).sum();
            !told.evidence.is_empty() && Duration::from_millis(took) <= *span
        }
        _ => true,
    };
    match holds {
        true => Ok(()),
        false => Err("a step passed that its evidence does not bear out".to_owned()),
    }
}

fn log_held(
    ask: &log::Ask,
    name: &ArtifactName,
    planned: &Check,
    told: &schema::Check,
    instance: &Instance,
) -> bool {
    let began = told.started.as_deref().and_then(|text| text.parse().ok());
    let began: Option<Timestamp> = began;
    let (Some(began), Ok(artifact)) = (began, name.find(instance, planned.subject.team.as_deref()))
    else {
        return false;
    };
    let when = log::When {
        earliest: began,
        latest: began + SignedDuration::from_millis_i128(told.duration_ms.into()),
        slack: SLACK,
    };
    told::held(ask, artifact, instance, &told.evidence, &when)
}

/// What a passed check says of its host is told: the facts, and as many file systems as were asked for,
/// each with room.
fn about_host(planned: &Check, told: &schema::Check, hosts: &[schema::Host]) -> Result<(), String> {
    let asks = || {
        (planned.steps.iter()).filter_map(|step| match &*step.call {
            Call::Host(ask) => Some(ask),
            _ => None,
        })
    };
    let is_known =
        |host: &schema::Host| Some(&host.name) == told.host.as_ref() && host.facts.is_some();
    if asks().any(|ask| *ask == host::Ask::Known) && !hosts.iter().any(is_known) {
        return Err("a step passed that learnt nothing of its host".to_owned());
    }
    let percents: Vec<u64> = asks()
        .filter_map(|ask| match ask {
            host::Ask::Free(_, percent) => Some(*percent),
            host::Ask::Known => None,
        })
        .collect();
    let has_room = |(disk, percent): (&schema::Disk, u64)| {
        let all = u128::from(disk.used_kib) + u128::from(disk.free_kib);
        u128::from(disk.free_kib) * 100 >= all * u128::from(percent)
    };
    let all_have = told
        .disks
        .iter()
        .zip(percents.iter().copied())
        .all(has_room);
    match percents.len() == told.disks.len() && all_have {
        true => Ok(()),
        false => Err("a step passed that its file systems do not bear out".to_owned()),
    }
}

fn is_within(newest: Option<Timestamp>, span: Duration, began: Option<Timestamp>) -> bool {
    let age = newest.zip(began);
    age.is_some_and(|(newest, began)| began.duration_since(newest) <= signed(span) + SLACK)
}

fn signed(span: Duration) -> SignedDuration {
    // Spans of steps are bounded far below what would overflow with the slack.
    SignedDuration::try_from(span).unwrap_or(SignedDuration::from_hours(1 << 20))
}

#[cfg(test)]
mod agreed_tests;
#[cfg(test)]
mod forged_tests;
#[cfg(test)]
#[path = "replay_tests.rs"]
mod tests;
