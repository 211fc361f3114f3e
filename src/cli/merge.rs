//! `gonogo merge`: the runs of all shards become one, judged as a whole. Each must be acceptable by itself; what is
//! missing or does not count is told all at once, and sealed as the NO-GO that it is.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::args::duration;
use super::fault::{Exit, Fault};
use super::follows::{self, Follows};
use super::signing::Signing;
use super::{circumstances, people, run as of_run, signers, term, verify};
use crate::digest::Sha256;
use crate::report::directory::Draft;
use crate::report::history::Entry;
use crate::report::sharded::{Missing, files_of};
use crate::report::verify::{Demands, Verified};
use crate::report::{self, schema};
use crate::run::{self, Files, Given, Terms, Whole};
use crate::sign::allowed_signers::AllowedSigners;
use crate::sign::key::SigningKey;
use crate::sign::manifest::{MANIFEST, read_regular};
use crate::sign::people::People;
use crate::text::{count, escape};

/// No manifest of a run comes near it.
const MOST_BYTES: u64 = 64 << 20;

/// Puts the runs of all shards of one plan together, and judges the whole: the same inventory, features, waivers and
/// gonogo, each shard signed by its own runner, none missing, none twice. A shard that is missing or does not count
/// is a NO-GO, and sealed as one. Exits as `run` does, with 4 when no shard counts.
#[derive(Args)]
pub(super) struct Merge {
    /// The run directories of all shards, in any order
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<PathBuf>,
    /// Where the signed run is written; must not exist yet
    #[arg(long, short, value_name = "DIR")]
    pub out: PathBuf,
    /// Who may sign shards (ssh-keygen's allowed_signers), received by another way than the shards
    #[arg(long, value_name = "FILE")]
    pub allowed_signers: PathBuf,
    /// Keys and certificates that are trusted no more, whenever they signed: a list of `ssh-keygen -k`, or
    /// public keys, one a line
    #[arg(long, value_name = "FILE")]
    pub revoked: Option<PathBuf>,
    /// Who may approve waivers, as `verify` will be told: who merges is none of them, under whatever name
    #[arg(long, value_name = "FILE")]
    pub approvers: Option<PathBuf>,
    #[command(flatten)]
    pub signing: Signing,
    /// Most time from the beginning of the first shard to the end of the last
    #[arg(long, value_name = "TIME", default_value = "2h", value_parser = duration)]
    pub within: Duration,
    /// The run before this one: its digest is chained into this run
    #[arg(long, value_name = "DIR", conflicts_with = "history")]
    pub previous: Option<PathBuf>,
    /// The folder of all runs, in which --out lies: this run is chained to the newest one there; shards are
    /// kept elsewhere
    #[arg(long, value_name = "DIR")]
    pub history: Option<PathBuf>,
}

/// One that is acceptable by itself.
struct Shard {
    /// As it was named.
    place: String,
    verified: Verified,
}

impl Shard {
    fn report(&self) -> &schema::Report {
        self.verified.report()
    }

    fn name(&self) -> String {
        let shard = self.report().run.scope.shard.as_ref();
        shard.map(schema::Shard::name).unwrap_or_default()
    }

    fn refused(&self, why: String) -> Missing {
        Missing {
            shard: Some(self.name()),
            why,
        }
    }
}

pub(super) fn merge(args: &Merge) -> Result<Exit, Fault> {
    let allowed = signers::read(&args.allowed_signers, args.revoked.as_deref())?;
    let people = args.approvers.as_deref().map(people::people).transpose()?;
    let key = args.signing.open()?;
    let (shards, mut refused) = read(&args.runs, &allowed);
    let (shards, others) = of_one_run(shards);
    refused.extend(others);
    let (shards, twice) = once(shards);
    refused.extend(twice);
    for missing in &refused {
        term::say(&format!("does not count: {}", escape(&missing.say())));
    }
    let Some(first) = shards.first() else {
        return Err(Fault::new(
            Exit::Unacceptable,
            "none of the given runs counts as a shard",
            "each reason stands above; nothing was written",
        ));
    };
    let environment = &first.report().run.scope.environment;
    let follows = match (&args.history, &args.previous) {
        (Some(folder), _) => Follows::Newest(folder.clone()),
        (None, Some(run)) => Follows::Run(run.clone()),
        (None, None) => Follows::Nothing,
    };
    let place = follows::place(&follows, &args.out, environment)?;
    let previous = place.previous.as_ref();
    let draft = Draft::create(&args.out)?;
    let Whole {
        report,
        transcripts,
    } = whole(&shards, refused, args.within, previous)?;
    let people = people.unwrap_or_default();
    not_who_made_it(&report, &key, &shards, &people)?;
    if let Some(previous) = previous {
        can_follow(args, previous, &report)?;
    }
    let files = files(&shards, &report, &transcripts)?;
    let sealed = report::seal(draft, &key, &report, files, previous)?;
    of_run::show(&report);
    term::say(&format!(
        "merged from {}, signed by {} ({}) in {}",
        count(shards.len(), "shard"),
        escape(key.identity()),
        key.fingerprint(),
        escape(&sealed.dir.to_string_lossy())
    ));
    term::out(&format!("{}\n", report.verdict.decision));
    Ok(of_run::exit_of(&report))
}

/// Those that are acceptable, and why the others are not.
fn read(runs: &[PathBuf], allowed: &AllowedSigners) -> (Vec<Shard>, Vec<Missing>) {
    let demands = Demands {
        allow_partial: true,
        ..Demands::default()
    };
    let (mut shards, mut refused) = (Vec::new(), Vec::new());
    for run in runs {
        let place = run.to_string_lossy().into_owned();
        let accepted = verify::accept(run, allowed, &demands).map_err(|reason| reason.to_string());
        let accepted = accepted.and_then(|(verified, _)| match verified.report() {
            report if report.run.scope.shard.is_some() => Ok(verified),
            report if report.run.merged.is_some() => Err("it was merged already".to_owned()),
            _ => Err("it is no shard: it was run without --shard and --group".to_owned()),
        });
        match accepted {
            Ok(verified) => shards.push(Shard { place, verified }),
            Err(why) => refused.push(Missing {
                shard: None,
                why: format!("`{place}`: {why}"),
            }),
        }
    }
    (shards, refused)
}

/// Those that are parts of the same run as the first one.
fn of_one_run(shards: Vec<Shard>) -> (Vec<Shard>, Vec<Missing>) {
    let mut same: Vec<Shard> = Vec::new();
    let mut refused = Vec::new();
    for shard in shards {
        let differs = same
            .first()
            .map(|first| (run::unlike(first.report(), shard.report()), &first.place));
        match differs {
            Some((found, first)) if !found.is_empty() => {
                let found = found.join("; ");
                let why = format!(
                    "`{}` is not of one run with `{first}`: {found}",
                    shard.place
                );
                refused.push(shard.refused(why));
            }
            _ => same.push(shard),
        }
    }
    (same, refused)
}

/// Of two runs that tell one check neither counts, nor of two runs of one shard: nobody may choose between them.
/// The very same run, given twice, is one.
fn once(shards: Vec<Shard>) -> (Vec<Shard>, Vec<Missing>) {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut distinct: Vec<Shard> = Vec::new();
    for shard in shards {
        let digest = shard.verified.sealed().digest.to_string();
        match seen.get(&digest) {
            Some(first) => term::say(&format!(
                "`{}` and `{}` are the same run: it counts once",
                escape(first),
                escape(&shard.place)
            )),
            None => {
                seen.insert(digest, shard.place.clone());
                distinct.push(shard);
            }
        }
    }
    let mut tells: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, shard) in distinct.iter().enumerate() {
        let checks = shard
            .report()
            .checks
            .iter()
            .map(|check| format!("check {}", check.id));
        for what in checks.chain([format!("shard {}", shard.name())]) {
            tells.entry(what).or_default().push(at);
        }
    }
    let mut clashes: BTreeMap<usize, (usize, String)> = BTreeMap::new();
    // Backwards: what both are the same shard of is the better reason, and stands last.
    for (what, all) in tells.into_iter().rev() {
        if let [first, .., last] = all[..] {
            for at in all {
                let other = if at == first { last } else { first };
                clashes.entry(at).or_insert_with(|| (other, what.clone()));
            }
        }
    }
    let places: Vec<String> = distinct.iter().map(|shard| shard.place.clone()).collect();
    let (mut counted, mut refused) = (Vec::new(), Vec::new());
    for (at, shard) in distinct.into_iter().enumerate() {
        match clashes.get(&at) {
            None => counted.push(shard),
            Some((other, what)) => {
                let (own, other) = (&shard.place, &places[*other]);
                let why = format!("`{own}` and `{other}` both tell {what}, and neither counts");
                refused.push(shard.refused(why));
            }
        }
    }
    (counted, refused)
}

/// Whoever signs the run or a shard of it accepts no failure in it, as `verify` will say.
fn not_who_made_it(
    report: &schema::Report,
    key: &SigningKey,
    shards: &[Shard],
    people: &People,
) -> Result<(), Fault> {
    let fingerprint = key.fingerprint();
    let runners = shards.iter().map(|shard| shard.verified.signer());
    let mut makers: Vec<[&str; 2]> = runners
        .map(|one| [&*one.identity, &*one.fingerprint])
        .collect();
    makers.push([key.identity(), &fingerprint]);
    let mut used = report.waivers.iter().filter(|one| !one.covered.is_empty());
    match used.find(|one| people.is_of([&one.approver, &one.key], &makers)) {
        None => Ok(()),
        Some(one) => Err(Fault::new(
            Exit::Refused,
            format!(
                "waiver `{}` was approved by {} ({}), who signs the merged run or a shard of it: who signs the run approves nothing in it",
                escape(&one.id),
                escape(&one.approver),
                escape(&one.key)
            ),
            "merge with a key of somebody else, best with one of the CI server's own; `verify` would accept nothing else",
        )),
    }
}

/// A run begins with its first shard. One that was made since would stand before it in the chain, and break it for ever.
fn can_follow(
    args: &Merge,
    previous: &report::Chain,
    report: &schema::Report,
) -> Result<(), Fault> {
    let before = match (&args.history, &args.previous) {
        (Some(folder), _) => folder.join(&previous.name),
        (None, Some(run)) => run.clone(),
        (None, None) => return Ok(()),
    };
    let entry = Entry::look(&before).map_err(unreadable)?;
    let environment = &report.run.scope.environment;
    let began = report.run.started.parse().map_err(unreadable)?;
    match entry.unfollowed(environment, began) {
        None => Ok(()),
        Some(_) => Err(Fault::new(
            Exit::Refused,
            format!(
                "what is merged cannot follow `{}`, which is of another environment, or ended after the first shard began",
                escape(&previous.name)
            ),
            "make all shards again, and no other run in that history meanwhile",
        )),
    }
}

fn unreadable(why: impl std::fmt::Display) -> Fault {
    Fault::new(
        Exit::Fault,
        format!("a shard was changed while it was read: {why}"),
        "merge again when nobody writes there",
    )
}

fn whole(
    shards: &[Shard],
    refused: Vec<Missing>,
    within: Duration,
    previous: Option<&report::Chain>,
) -> Result<Whole, Fault> {
    let first = &shards[0];
    let directory = &first.verified.sealed().dir;
    let plan = run::again(first.report(), directory).map_err(unreadable)?;
    let waivers = run::waiver_file(first.report(), directory).map_err(unreadable)?;
    let given: Vec<Given> = shards
        .iter()
        .map(|shard| Given {
            report: shard.report().clone(),
            manifest: shard.verified.sealed().digest.to_string(),
            key: shard.verified.signer().fingerprint.clone(),
        })
        .collect();
    let terms = Terms {
        run: circumstances::begin("run", previous).run,
        within_s: within.as_secs(),
        refused,
    };
    run::merge(&plan, waivers.as_ref(), &given, terms).map_err(|why| {
        Fault::new(
            Exit::Unacceptable,
            format!("the shards are no parts of one plan: {why}"),
            "run all of them again with the same gonogo, inventory and features",
        )
    })
}

/// Inputs, transcripts, and of each shard what its runner signed.
fn files(
    shards: &[Shard],
    report: &schema::Report,
    transcripts: &BTreeMap<String, (usize, String)>,
) -> Result<Files, Fault> {
    let mut files = Files::new();
    let kept = |shard: &Shard, name: &str| shard.verified.sealed().read(name).map_err(unreadable);
    for input in &report.inputs {
        files.insert(input.path.clone(), kept(&shards[0], &input.path)?);
    }
    for (new, (at, name)) in transcripts {
        files.insert(new.clone(), kept(&shards[*at], name)?);
    }
    for (at, shard) in shards.iter().enumerate() {
        let sealed = shard.verified.sealed();
        let sums = read_regular(&sealed.dir.join(MANIFEST), MOST_BYTES).map_err(unreadable)?;
        if Sha256::of(&sums) != sealed.digest {
            return Err(unreadable(MANIFEST));
        }
        let contents = [kept(shard, "report.json")?, sums, sealed.signature.clone()];
        files.extend(files_of(at).into_iter().zip(contents));
    }
    Ok(files)
}
