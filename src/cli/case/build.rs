//! `gonogo case build`: one redacted, proven archive for the vendor, made of what a verified run kept.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::super::fault::{Exit, Fault};
use super::super::verify::accept;
use super::super::{signers, term};
use super::encrypted::{self, Encrypted};
use crate::case::{self, Order, Refused, deliver};
use crate::cli::args::positive;
use crate::encryption::Recipients;
use crate::inventory::Inventory;
use crate::inventory::redaction_rules::RedactionRules;
use crate::report::verify::Demands;
use crate::run::recorded_inventory;
use crate::text::{self, escape};

/// Builds FILE without its ending, `.unreviewed` and the ending again; with --reviewed-by, once somebody has
/// looked at that one, FILE itself. No bundle is left in which the second pass finds anything.
///
/// Exit codes: 0 built · 1 what was found speaks against it · 2 usage · 3 a fault of our own · 4 the run is not
/// acceptable.
#[derive(Args)]
pub(in crate::cli) struct Build {
    /// The run directory: whatever its verdict, it must verify
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Who may have signed it, in the format of allowed_signers
    #[arg(long, value_name = "FILE")]
    pub allowed_signers: PathBuf,
    /// The instance that the case is about
    #[arg(long, value_name = "NAME")]
    pub instance: String,
    /// The team whose artifacts are taken [default: the first of the instance's]
    #[arg(long, value_name = "NAME")]
    pub team: Option<String>,
    /// Where `run --keep` put the artifacts of that run
    #[arg(long, value_name = "DIR")]
    pub from: PathBuf,
    /// The request, as `case draft` wrote it: it goes along with its real names
    #[arg(long, value_name = "FILE")]
    pub request: Option<PathBuf>,
    /// The bundle: NAME.tar.zst, NAME.tar.gz or NAME.zip
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
    /// Leave that artifact out
    #[arg(long, value_name = "ARTIFACT")]
    pub without: Vec<String>,
    /// Leave that file alone out, by its path on the host, as the run names it
    #[arg(long, value_name = "PATH")]
    pub without_file: Vec<String>,
    /// Take logs with entries of level trace along, which hold messages
    #[arg(long)]
    pub allow_trace: bool,
    /// Names, one a line, that are to be replaced beside those that the run and the artifacts tell
    #[arg(long, value_name = "FILE")]
    pub names: Option<PathBuf>,
    /// Rules of your own: forms of secrets and names, and words to keep (docs/case.md)
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
    /// Texts, one a line, that were planted and must not be in the bundle
    #[arg(long, value_name = "FILE")]
    pub canaries: Option<PathBuf>,
    /// The map from names to tokens, which stays at home: made with mode 0600 when missing [default: OUT.names.json]
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// Who has looked at the unreviewed bundle: told in the bundle
    #[arg(long, value_name = "NAME")]
    pub reviewed_by: Option<String>,
    #[command(flatten)]
    pub encrypted: Encrypted,
    /// Or encrypt it as an intake of this vendor wants it, by `encrypt_to`
    #[arg(
        long,
        value_name = "NAME",
        requires = "inventory",
        conflicts_with = "encrypt_to"
    )]
    pub vendor: Option<String>,
    /// What is said of vendors
    #[arg(long, short, value_name = "FILE", requires = "vendor")]
    pub inventory: Option<PathBuf>,
    /// Which of its intakes, from 1 [default: the only one]
    #[arg(long, value_name = "N", value_parser = positive, requires = "vendor")]
    pub intake: Option<usize>,
}

pub(super) fn build(args: &Build) -> Result<Exit, Fault> {
    if args
        .reviewed_by
        .as_ref()
        .is_some_and(|name| text::says_nothing(name))
    {
        let hint = "name the person who looked at the unreviewed bundle";
        return Err(Fault::new(
            Exit::Refused,
            "--reviewed-by names nobody",
            hint,
        ));
    }
    let receivers = receivers(args)?;
    let allowed = signers::read(&args.allowed_signers, None)?;
    // A case is opened because something is broken: the verdict does not matter, nor what was left out.
    let demands = Demands {
        allow_partial: true,
        ..Demands::default()
    };
    let (verified, warning) = accept(&args.run, &allowed, &demands).map_err(|reason| {
        let hint = "only a run that `gonogo verify` accepts says what its artifacts are";
        Fault::new(
            Exit::Unacceptable,
            format!("the run is not acceptable: {reason}"),
            hint,
        )
    })?;
    if let Some(warning) = warning {
        term::say(&format!("warning: {warning}"));
    }
    let inventory = recorded_inventory(verified.report(), &args.run).map_err(|why| {
        Fault::new(
            Exit::Unacceptable,
            format!("the run's inventory cannot be read: {why}"),
            "",
        )
    })?;
    let beside = || {
        let mut name = args.out.as_os_str().to_owned();
        name.push(".names.json");
        PathBuf::from(name)
    };
    let rules = match &args.rules {
        Some(path) => RedactionRules::load(path)?,
        None => RedactionRules::default(),
    };
    let map = args.map.clone().unwrap_or_else(beside);
    let built = case::build(&Order {
        report: verified.report(),
        run_digest: verified.sealed().digest.to_string(),
        signer: &verified.signer().identity,
        inventory: &inventory,
        instance: &args.instance,
        team: args.team.as_deref(),
        from: &args.from,
        request: args.request.as_deref(),
        without: &args.without,
        without_files: &args.without_file,
        allows_trace: args.allow_trace,
        names: lines(args.names.as_deref())?,
        rules,
        canaries: lines(args.canaries.as_deref())?,
        reviewed_by: args.reviewed_by.as_deref(),
        receivers: receivers.as_ref(),
        out: &args.out,
        map: &map,
    })
    .map_err(fault)?;
    term::say(&built.page);
    let shown = escape(&built.path.to_string_lossy()).into_owned();
    if args.reviewed_by.is_none() {
        term::say(&format!(
            "not reviewed: look at `{shown}`, then build again with --reviewed-by; `{}` and `{}` stay at home",
            escape(&map.to_string_lossy()),
            escape(&built.origins.to_string_lossy())
        ));
    }
    let mut told = format!("{}  {shown}  {}\n", built.sha256, text::size(built.bytes));
    if let Some(locked) = &built.locked {
        term::say(&format!(
            "{}; `{shown}` is the same in plain text and stays at home",
            encrypted::told(&locked.told)
        ));
        told.push_str(&format!(
            "{}  {}  {}\n",
            locked.sha256,
            escape(&locked.path.to_string_lossy()),
            text::size(locked.bytes)
        ));
    }
    term::out(&told);
    Ok(Exit::Go)
}

/// For whom it is encrypted, if for anybody.
fn receivers(args: &Build) -> Result<Option<Recipients>, Fault> {
    let Some((vendor, path)) = args.vendor.as_ref().zip(args.inventory.as_ref()) else {
        return args.encrypted.named();
    };
    let inventory = Inventory::load(path)?;
    let (_, way, intake) = deliver::way(&inventory, vendor, args.intake)
        .map_err(|(why, hint)| Fault::new(Exit::Refused, escape(&why), &hint))?;
    if intake.encrypt_to.is_empty() {
        let why = format!(
            "intake {way} of vendor `{}` has no `encrypt_to`",
            escape(vendor)
        );
        let hint = "write for whom it encrypts, or build without --vendor";
        return Err(Fault::new(Exit::Refused, why, hint));
    }
    encrypted::of_intake(intake).map(Some)
}

fn fault(refused: Refused) -> Fault {
    match refused {
        Refused::Found(mut problems, hint) => {
            problems.dedup();
            let all = problems.join("\nerror: ");
            Fault::new(Exit::NoGo, all, hint)
        }
        Refused::Written(problems) => problems.into(),
        Refused::Usage(why, hint) => Fault::new(Exit::Refused, why, hint),
        Refused::Fault(why) => Fault::new(Exit::Fault, why, ""),
    }
}

/// The lines of a file, blank ones left out.
fn lines(path: Option<&Path>) -> Result<Vec<String>, Fault> {
    let Some(path) = path else {
        return Ok(Vec::new());
    };
    let named = path.to_string_lossy();
    let text = fs::read_to_string(path).map_err(|error| {
        Fault::new(
            Exit::Refused,
            format!("cannot read `{}`: {error}", escape(&named)),
            "",
        )
    })?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    let short = lines.iter().position(|line| line.len() < 3);
    match (lines.is_empty(), short) {
        (false, None) => Ok(lines),
        (true, _) => Err(Fault::new(
            Exit::Refused,
            format!("`{}` is empty", escape(&named)),
            "write one text a line",
        )),
        (_, Some(at)) => Err(Fault::new(
            Exit::Refused,
            format!(
                "`{}` has a text of less than three characters, the {}. of it",
                escape(&named),
                at + 1
            ),
            "so little stands everywhere",
        )),
    }
}
