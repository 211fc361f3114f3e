//! Merging: from the records of all shards to the record of the whole plan. One function makes it, when shards are
//! merged and again when a merged run is verified, from what each shard's own runner signed: who merges can
//! change nothing of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use jiff::Timestamp;

use super::met;
use super::replay::nothing_ran;
use super::report::{Circumstances, counts, report as compose};
use crate::digest::Sha256;
use crate::inventory::waivers::WaiverFile;
use crate::plan::{NO_GROUP, Plan, Shard};
use crate::report::sharded::{Missing, Piece};
use crate::report::waived::{Keys, WAIVERS, before as unwaived, waive};
use crate::report::{judge, kept, publish, schema};
use crate::text::escape;

/// Most hosts that are named as nobody's.
const MOST_NAMED: usize = 5;

/// One shard, proven: whole, signed, and the answer of its own inputs.
#[derive(Clone, Debug)]
pub struct Given {
    /// Its record.
    pub report: schema::Report,
    /// SHA-256 of its manifest.
    pub manifest: String,
    /// `SHA256:…` of the key that signed it.
    pub key: String,
}

/// What the shards do not say.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Who merges, when.
    pub run: schema::Run,
    /// Most seconds from the beginning of the first shard to the end of the last.
    pub within_s: u64,
    /// What was given and does not count.
    pub refused: Vec<Missing>,
}

/// What the shards come to.
#[derive(Clone, Debug)]
pub struct Whole {
    /// The record, judged.
    pub report: schema::Report,
    /// Name of each transcript: the shard that has it, and its name there.
    pub transcripts: BTreeMap<String, (usize, String)>,
}

/// What keeps two shards from being parts of one run; nothing when they are.
#[must_use]
pub fn unlike(one: &schema::Report, other: &schema::Report) -> Vec<String> {
    let mut found = Vec::new();
    let (a, b) = (&one.run, &other.run);
    for (what, a, b) in [
        ("gonogo", &a.tool.version, &b.tool.version),
        ("environment", &a.scope.environment, &b.scope.environment),
        ("kind of run", &a.kind, &b.kind),
    ] {
        if a != b {
            found.push(format!("{what} {b} and not {a}"));
        }
    }
    for (what, a, b) in [
        ("challenge", &a.challenge, &b.challenge),
        ("time of go-live", &a.go_live, &b.go_live),
        ("end of go-live", &a.go_live_until, &b.go_live_until),
    ] {
        if a != b {
            found.push(format!("another {what}"));
        }
    }
    if a.subject != b.subject {
        found.push("another commit or release".to_owned());
    }
    if (a.scope.partial, &a.scope.filters) != (b.scope.partial, &b.scope.filters) {
        found.push("other filters".to_owned());
    }
    let inputs = |report: &schema::Report| -> BTreeMap<String, String> {
        let inputs = report.inputs.iter();
        let inputs = inputs.map(|input| (input.path.clone(), input.sha256.clone()));
        inputs.collect()
    };
    let (a, b) = (inputs(one), inputs(other));
    for path in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
        found.extend(match (a.get(path), b.get(path)) {
            (Some(_), None) => Some(format!("`{path}` was not used")),
            (None, Some(_)) => Some(format!("`{path}` was used too")),
            (a, b) if a != b => Some(format!("`{path}` is another one")),
            _ => None,
        });
    }
    if found.is_empty() && one.inputs != other.inputs {
        found.push("its inputs come in another order".to_owned());
    }
    if found.is_empty() && one.run.scope.plan != other.run.scope.plan {
        found.push("its plan is another one".to_owned());
    }
    if found.is_empty() && approvers(one) != approvers(other) {
        found.push("its waivers were approved with other keys".to_owned());
    }
    found
}

fn approvers(report: &schema::Report) -> BTreeMap<&str, &str> {
    let waivers = report.waivers.iter();
    waivers.map(|one| (&*one.id, &*one.key)).collect()
}

/// Puts the shards together and judges the whole. What no shard tells of is failed.
///
/// # Errors
/// When they are not disjoint parts of this very plan.
pub fn merge(
    plan: &Plan,
    waivers: Option<&WaiverFile>,
    given: &[Given],
    terms: Terms,
) -> Result<Whole, String> {
    let first = given.first().ok_or("there is no shard")?;
    let mut run = terms.run;
    let moments = |of: fn(&schema::Run) -> &String| {
        let moments = given.iter().map(move |one| of(&one.report.run));
        moments.filter_map(|text| Some((text.parse::<Timestamp>().ok()?, text.clone())))
    };
    let started = moments(|run| &run.started).min();
    let finished = moments(|run| &run.finished).max();
    let no_time = "a shard does not tell when it was run";
    (run.started, run.finished) = (started.ok_or(no_time)?.1, finished.ok_or(no_time)?.1);
    (run.kind, run.aborted, run.restates) = (first.report.run.kind.clone(), None, None);
    run.challenge.clone_from(&first.report.run.challenge);
    run.go_live.clone_from(&first.report.run.go_live);
    run.go_live_until
        .clone_from(&first.report.run.go_live_until);
    run.subject.clone_from(&first.report.run.subject);
    let (mut report, _) = compose(plan, &nothing_ran(plan), Circumstances { run });
    report.inputs.clone_from(&first.report.inputs);

    let from = assign(plan, &report, given)?;
    let (absent, nobody) = absent(plan, given, &from);
    let mut transcripts = BTreeMap::new();
    let width = plan.checks.len().to_string().len().max(4);
    for (index, check) in report.checks.iter_mut().enumerate() {
        let Some((shard, was)) = from[index] else {
            check.failure = Some(unknown(check, absent.get(&index).or(nobody.as_ref())));
            continue;
        };
        let run = &given[shard].report.run;
        *check = was.clone();
        check.carried = Some(schema::Carried {
            run: run.id.clone(),
            finished: run.finished.clone(),
        });
        if let Some(name) = check.transcript.take() {
            let new = format!("evidence/{:0width$}.txt", index + 1);
            transcripts.insert(new.clone(), (shard, name));
            check.transcript = Some(new);
        }
    }
    report.checks = unwaived(&report.checks);
    if let Some(file) = waivers {
        let told = first.report.waivers.iter();
        let keys: Keys = told
            .map(|one| (one.approver.clone(), one.key.clone()))
            .collect();
        report.waivers = waive(file, &keys, &mut report.checks);
    }
    let differs = met::hosts(&mut report, given);
    let names: BTreeSet<String> = absent
        .into_values()
        .chain(nobody)
        .chain(lost(given))
        .collect();
    report.run.merged = Some(schema::Merged {
        within_s: terms.within_s,
        shards: given.iter().filter_map(piece).collect(),
        missing: missing(names, terms.refused),
        differs,
    });
    report.counts = counts(&report.checks);
    report.verdict = publish(&judge(&report));
    Ok(Whole {
        report,
        transcripts,
    })
}

/// Which shard tells each check.
fn assign<'g>(
    plan: &Plan,
    whole: &schema::Report,
    given: &'g [Given],
) -> Result<Vec<Option<(usize, &'g schema::Check)>>, String> {
    let mut from = vec![None; plan.checks.len()];
    let mut names = BTreeSet::new();
    for (at, one) in given.iter().enumerate() {
        let (told, first) = (&one.report, &given[0].report);
        let shard = told.run.scope.shard.as_ref();
        let shard = shard.ok_or("what was merged is no shard")?;
        let name = escape(&shard.name()).into_owned();
        // One without a host has no check to be told twice.
        if !names.insert(name.clone()) {
            return Err(format!("shard {name} is told twice"));
        }
        if let Some(what) = unlike(first, told).first() {
            return Err(format!("shard {name} is of another run: {what}"));
        }
        if told.run.restates.is_some() || told.run.merged.is_some() || told.run.aborted.is_some() {
            return Err(format!("shard {name} is no plain run"));
        }
        let part = plan.part(&Shard::of(shard)).map_err(|problems| {
            let first = problems
                .first()
                .map(|one| escape(&one.message).into_owned());
            first.unwrap_or_default()
        })?;
        let must = schema::Scope {
            shard: Some(part.told()),
            ..whole.run.scope.clone()
        };
        if told.run.scope != must {
            return Err(format!("shard {name} is not that part of the plan"));
        }
        if part.checks.len() != told.checks.len() {
            return Err(format!("shard {name} does not tell all of its checks"));
        }
        for (&index, check) in part.checks.iter().zip(&told.checks) {
            if plan.checks[index].id != check.id {
                return Err(format!("shard {name} tells a check that is not its own"));
            }
            if from[index].is_some() {
                return Err(format!("check `{}` is in two shards", escape(&check.id)));
            }
            from[index] = Some((at, check));
        }
    }
    Ok(from)
}

/// The shards that the numbers of the others call for.
fn called_for(given: &[Given]) -> BTreeSet<Shard> {
    let shards = given
        .iter()
        .filter_map(|one| one.report.run.scope.shard.as_ref());
    let shards: BTreeSet<Shard> = shards.map(Shard::of).collect();
    let all = shards.iter().flat_map(|shard| {
        (1..=shard.of).map(|number| Shard {
            number,
            ..shard.clone()
        })
    });
    all.filter(|shard| !shards.contains(shard)).collect()
}

fn lost(given: &[Given]) -> BTreeSet<String> {
    called_for(given).iter().map(Shard::name).collect()
}

/// The part that no site has by itself.
fn no_group() -> Shard {
    Shard {
        number: 1,
        of: 1,
        groups: vec![NO_GROUP.to_owned()],
    }
}

/// Whose the checks are of which nothing is told: a shard that others call for, or nobody.
fn absent(
    plan: &Plan,
    given: &[Given],
    from: &[Option<(usize, &schema::Check)>],
) -> (BTreeMap<usize, String>, Option<String>) {
    let mut absent = BTreeMap::new();
    for shard in called_for(given) {
        let part = plan
            .part(&shard)
            .map(|part| part.checks)
            .unwrap_or_default();
        for index in part.into_iter().filter(|index| from[*index].is_none()) {
            absent.entry(index).or_insert_with(|| shard.name());
        }
    }
    let no_group = no_group();
    let ungrouped = plan.part(&no_group).map(|part| part.checks);
    for index in ungrouped.into_iter().flatten() {
        if from[index].is_none() {
            absent.entry(index).or_insert_with(|| no_group.name());
        }
    }
    let rest =
        (0..from.len()).filter(|index| from[*index].is_none() && !absent.contains_key(index));
    let hosts = rest.map(|index| {
        plan.checks[index]
            .subject
            .host
            .as_deref()
            .unwrap_or("(none)")
    });
    let hosts: BTreeSet<&str> = hosts.collect();
    let named: Vec<&str> = hosts.iter().copied().take(MOST_NAMED).collect();
    let nobody = match hosts.len() {
        0 => None,
        1 => Some(format!("of host {}", named[0])),
        all if all <= MOST_NAMED => Some(format!("of hosts {}", named.join(", "))),
        all => Some(format!(
            "of hosts {} and {} more",
            named.join(", "),
            all - MOST_NAMED
        )),
    };
    (absent, nobody)
}

/// Each that is not there, with what was given in its place, then whatever else was given.
fn missing(absent: BTreeSet<String>, mut refused: Vec<Missing>) -> Vec<Missing> {
    let mut missing = Vec::new();
    for name in absent {
        let at = refused
            .iter()
            .position(|one| one.shard.as_ref() == Some(&name));
        missing.push(match at {
            Some(at) => refused.remove(at),
            None if name == no_group().name() => Missing {
                shard: Some(name),
                why: format!(
                    "no run of it was given; it is what no site has: run it with `--group {NO_GROUP}`, alone or beside a group"
                ),
            },
            None => Missing {
                shard: Some(name),
                why: "no run of it was given".to_owned(),
            },
        });
    }
    missing.extend(refused);
    missing
}

fn unknown(check: &schema::Check, shard: Option<&String>) -> schema::Failure {
    let shard = shard.map_or("of it", String::as_str);
    schema::Failure {
        kind: "undefined".to_owned(),
        host: check.host.clone(),
        account: None,
        subject: None,
        expected: "a record of the check in one of the shards".to_owned(),
        actual: format!("shard {shard} is missing"),
        hint: "run that shard, and merge all of them again".to_owned(),
        at_login: false,
    }
}

fn piece(given: &Given) -> Option<Piece> {
    let run = &given.report.run;
    Some(Piece {
        shard: run.scope.shard.clone()?,
        run: run.id.clone(),
        started: run.started.clone(),
        finished: run.finished.clone(),
        manifest: given.manifest.clone(),
        key: given.key.clone(),
        operator: run.operator.clone(),
        runner: run.runner.clone(),
        runner_identity: run.runner_identity.clone(),
        ci: run.ci.clone(),
    })
}

/// Holds a merged run to the shards that it keeps.
pub(super) fn holds(told: &schema::Report, directory: &Path, plan: &Plan) -> Result<(), String> {
    let Some(merged) = &told.run.merged else {
        return Ok(());
    };
    let mut given = Vec::new();
    for (at, piece) in merged.shards.iter().enumerate() {
        let read = |name: &str| fs::read(directory.join(name));
        let kept = kept::open(at, piece, read);
        let kept = kept.map_err(|why| format!("shard {}: {why}", escape(&piece.shard.name())))?;
        given.push(Given {
            report: kept.report,
            manifest: piece.manifest.clone(),
            key: piece.key.clone(),
        });
    }
    let file = waiver_file(told, directory)?;
    let terms = Terms {
        run: told.run.clone(),
        within_s: merged.within_s,
        refused: merged.missing.clone(),
    };
    let mut must = merge(plan, file.as_ref(), &given, terms)?.report;
    // Held to the inventory already, by the zone database that they were made with.
    must.weeks.clone_from(&told.weeks);
    differs(told, &must)
}

fn differs(told: &schema::Report, must: &schema::Report) -> Result<(), String> {
    let mut pairs = told.checks.iter().zip(&must.checks);
    let other = pairs.find(|(told, must)| told != must);
    let what = match other {
        Some((check, _)) => format!("check `{}`", escape(&check.id)),
        None if told.checks.len() != must.checks.len() => "its checks".to_owned(),
        None if told.run.merged != must.run.merged => "its list of shards".to_owned(),
        None if told.run != must.run => "its times, scope or kind".to_owned(),
        None if told.hosts != must.hosts => "its hosts".to_owned(),
        None if told != must => "its inputs, waivers, sums or verdict".to_owned(),
        None => return Ok(()),
    };
    Err(format!("{what} is not what its shards come to"))
}

/// The waivers that a run keeps.
///
/// # Errors
/// When they cannot be read any more.
pub fn waiver_file(
    report: &schema::Report,
    directory: &Path,
) -> Result<Option<WaiverFile>, String> {
    let mut inputs = report.inputs.iter();
    let Some(input) = inputs.find(|input| input.path == WAIVERS) else {
        return Ok(None);
    };
    let bytes =
        fs::read(directory.join(WAIVERS)).map_err(|error| format!("`{WAIVERS}`: {error}"))?;
    if Sha256::of(&bytes).to_string() != input.sha256 {
        return Err(format!("`{WAIVERS}` was changed"));
    }
    let file = WaiverFile::parse(Path::new(WAIVERS), bytes);
    file.map(Some).map_err(|problems| {
        let first = problems.into_vec().into_iter().next();
        let first = first.map(|problem| escape(&problem.message).into_owned());
        format!("`{WAIVERS}`: {}", first.unwrap_or_default())
    })
}
