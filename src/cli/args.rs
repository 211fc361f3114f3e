//! The command line as typed. Nothing is opened or decided here; contract 2 fixes names and meanings.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::attest::Attest;
use super::break_glass::Glass;
use super::case::Case;
use super::drill::Drill;
use super::drilled::Drilled;
use super::merge::Merge;
use super::people::{Approve, Demand, Waive};
use super::policy::{PolicyFile, Under};
use super::runbook::Runbook;
use super::shard::Split;
use super::signing::Signing;
use super::subject::{Made, MadeFor};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold());

/// Proves, before go-live, that every team can really fetch what a vendor's support will ask for.
///
/// Exit codes: 0 GO · 1 NO-GO · 2 nothing was judged (usage, inventory, features) · 3 nothing could be
/// judged (key, disk, run deadline) · 4 verify: the run is not acceptable · 5 HOLD · 70 a defect of
/// gonogo · 130/143 interrupted.
#[derive(Parser)]
#[command(name = "gonogo", version, styles = STYLES, max_term_width = 100, disable_help_subcommand = true)]
pub(super) struct Command {
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Run the shipped features against a practice estate inside this process
    Demo(Demo),
    /// Show what a run would do, without touching the network
    Plan(Plan),
    /// Run the plan and write the signed run directory
    Run(Run),
    /// Make one run of the runs of all shards
    Merge(Merge),
    /// Check a run offline: signature, digests, completeness, bindings, verdict
    Verify(Verify),
    /// Say in plain words what a policy demands, and read the files that it names
    Policy(PolicyFile),
    /// Approve a run: sign it as somebody who looked at it
    Approve(Approve),
    /// Answer, by your own signature, what a run asks of people
    Attest(Attest),
    /// Deploy although a run says NO-GO or HOLD: two people, for a few hours; the verdict stays
    #[command(subcommand)]
    BreakGlass(Glass),
    /// Render a run again
    Show(Show),
    /// Print the JSON Schema of report.json, or of drill.json
    Schema {
        /// Of which file
        #[arg(value_enum, default_value_t)]
        of: super::schema::Of,
    },
    /// Print the mapping of tags to controls for OSCAL, to copy and edit
    Controls,
    /// Tell what changed from one run to a later one; exits with 1 if something got worse
    Diff(Diff),
    /// Check that a folder of runs is one unbroken chain, and show the trend
    History(History),
    /// Write the support process as a verified GO proves it, or hold an earlier one to a run
    Runbook(Runbook),
    /// Have a third party state when a run was signed (RFC 3161)
    #[command(subcommand)]
    Timestamp(TimeStamp),
    /// Rehearse the support process, as a sealed record that people fill over hours
    #[command(subcommand)]
    Drill(Drill),
    /// List every step phrase with what it proves
    Steps(Steps),
    /// Build what a vendor's support is sent
    #[command(subcommand)]
    Case(Case),
    /// Find the known products that run on a host, and print inventory YAML to paste
    Discover(Discover),
    /// List the built-in profiles, or print one to copy and edit
    Profiles(Profiles),
}

#[derive(Args)]
pub(super) struct Demo {
    /// Plant one named fault, to see a NO-GO
    #[arg(long = "break", value_name = "NAME")]
    pub fault: Option<String>,
    /// Name the faults that can be planted
    #[arg(long, conflicts_with_all = ["fault", "out"])]
    pub list_breaks: bool,
    /// Where the signed run is written [default: gonogo-demo-<time>]
    #[arg(long, short, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Rehearse the whole support process in this new directory: drill, run, request, bundle, delivery, runbook
    #[arg(long, value_name = "DIR", conflicts_with_all = ["fault", "out", "list_breaks"])]
    pub rehearse: Option<PathBuf>,
}

/// What to run, and on what.
#[derive(Args)]
pub(super) struct What {
    /// The inventory file
    #[arg(long, short, value_name = "FILE")]
    pub inventory: PathBuf,
    /// Feature files, or directories read recursively
    #[arg(value_name = "FEATURE", default_value = "features")]
    pub features: Vec<PathBuf>,
    /// Only scenarios whose tags match, such as '@artifact:version and not @slow'
    #[arg(
        long,
        value_name = "EXPR",
        help_heading = "Filters (a filtered run can never be GO)"
    )]
    pub tags: Option<String>,
    /// Only checks of these instances
    #[arg(
        long,
        value_name = "GLOB",
        help_heading = "Filters (a filtered run can never be GO)"
    )]
    pub instance: Vec<String>,
    /// Only checks on these hosts
    #[arg(
        long,
        value_name = "GLOB",
        help_heading = "Filters (a filtered run can never be GO)"
    )]
    pub host: Vec<String>,
    /// Only checks of these teams
    #[arg(
        long,
        value_name = "GLOB",
        help_heading = "Filters (a filtered run can never be GO)"
    )]
    pub team: Vec<String>,
}

#[derive(Args)]
pub(super) struct Plan {
    #[command(flatten)]
    pub what: What,
    #[command(flatten)]
    pub split: Split,
    #[command(flatten)]
    pub waive: Waive,
    /// How to print it
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub format: PlanFormat,
    /// Contact the hosts, list what a run would read, and tell sizes and times; exits with 1 if something cannot
    /// be listed or breaks a limit
    #[arg(long, conflicts_with = "Grants")]
    pub estimate: bool,
    /// Bytes a second that the times of --estimate are told for
    #[arg(long, value_name = "SIZE/s", default_value = "10MiB/s", requires = "estimate", value_parser = rate)]
    pub rate: u64,
    #[command(flatten)]
    pub grants: Grants,
}

/// `10MiB/s`, the `/s` left out perhaps.
fn rate(text: &str) -> Result<u64, String> {
    crate::inventory::parse_size(text.strip_suffix("/s").unwrap_or(text))
}

/// What an administrator installs so that the plan passes, and nothing else does.
#[derive(Args)]
#[group(multiple = false, conflicts_with = "format")]
pub(super) struct Grants {
    /// Print the sudoers rules that this team's elevated logins need
    #[arg(
        long,
        value_name = "TEAM",
        help_heading = "Least privilege (printed instead of the plan)"
    )]
    pub sudoers: Option<String>,
    /// Print the authorized_keys options for this team's keys, hops included
    #[arg(
        long,
        value_name = "TEAM",
        help_heading = "Least privilege (printed instead of the plan)"
    )]
    pub authorized_keys: Option<String>,
    /// Print the `Match` blocks of sshd_config for this team's accounts, hops included
    #[arg(
        long,
        value_name = "TEAM",
        help_heading = "Least privilege (printed instead of the plan)"
    )]
    pub sshd_match: Option<String>,
    /// Print the script that both of them name: it runs the planned commands alone
    #[arg(
        long,
        value_name = "TEAM",
        help_heading = "Least privilege (printed instead of the plan)"
    )]
    pub forced_command: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum PlanFormat {
    Text,
    Json,
}

#[derive(Args)]
pub(super) struct Run {
    #[command(flatten)]
    pub what: What,
    #[command(flatten)]
    pub split: Split,
    #[command(flatten)]
    pub waive: Waive,
    /// When the estate is to go live, such as 2026-12-01T06:00:00Z: held to release windows and maintenance of the
    /// vendors, to contracts and due days; waivers that end before or soon after are told
    #[arg(long, value_name = "TIME", value_parser = crate::time::instant, help_heading = "Go-live")]
    pub go_live: Option<Timestamp>,
    /// When that is to be over: what begins meanwhile is in the way, too
    #[arg(long, value_name = "TIME", value_parser = crate::time::instant, requires = "go_live", help_heading = "Go-live")]
    pub go_live_until: Option<Timestamp>,
    /// Where the signed run is written; must not exist yet
    #[arg(long, short, value_name = "DIR")]
    pub out: PathBuf,
    #[command(flatten)]
    pub signing: Signing,
    /// The run before this one: its digest is chained into this run
    #[arg(long, value_name = "DIR", conflicts_with_all = ["history", "shard", "group"])]
    pub previous: Option<PathBuf>,
    /// Run only what did not pass in that run, and restate the rest of it: it must be of the same inventory and
    /// features, and signed by the same key. The age that `verify` asks for is that of the oldest check
    #[arg(long, value_name = "RUN", conflicts_with_all = ["tags", "instance", "host", "team", "shard", "group"])]
    pub rerun_failed: Option<PathBuf>,
    /// The folder of all runs, in which --out lies: this run is chained to the newest one there, and no other
    /// run may begin in it meanwhile
    #[arg(long, value_name = "DIR", conflicts_with_all = ["shard", "group"])]
    pub history: Option<PathBuf>,
    #[command(flatten)]
    pub subject: Made,
    /// Words from elsewhere, such as an auditor's, that the report then holds: it was made after they were known
    #[arg(long, value_name = "TEXT", value_parser = challenge, conflicts_with = "rerun_failed")]
    pub challenge: Option<String>,
    /// Keep raw artifacts in DIR/<instance>/<team>/<artifact>/, outside the signed run
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Sessions at once
    #[arg(long, short, value_name = "N", default_value_t = 64, value_parser = positive)]
    pub jobs: usize,
    /// Sessions at once on one host
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = positive)]
    pub per_host: usize,
    /// Sessions at once through one hop
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = positive)]
    pub per_hop: usize,
    /// Most bytes a second from one host, such as 10MiB; at least 64KiB
    #[arg(long, value_name = "SIZE", value_parser = limit_rate)]
    pub limit_rate: Option<u64>,
    /// Whole time of the run, such as 30m; past it nothing more is judged
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub deadline: Option<Duration>,
    /// Print failures and verdict only, no progress
    #[arg(long, short)]
    pub quiet: bool,
}

#[derive(Args, Clone, Default)]
pub(super) struct Verify {
    /// The run directory
    #[arg(value_name = "DIR")]
    pub run: PathBuf,
    #[command(flatten)]
    pub policy: Under,
    /// Who may sign (ssh-keygen's allowed_signers), received by another way than the run
    #[arg(long, value_name = "FILE")]
    pub allowed_signers: PathBuf,
    /// Keys and certificates that are trusted no more, whenever they signed: a list of `ssh-keygen -k`, or
    /// public keys, one a line
    #[arg(long, value_name = "FILE")]
    pub revoked: Option<PathBuf>,
    /// The signer must be this identity [default: whoever the file allows for the key]
    #[arg(long, value_name = "NAME")]
    pub identity: Option<String>,
    /// The run must be about this environment
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
    /// The run must have used exactly this inventory
    #[arg(long, value_name = "FILE")]
    pub inventory: Option<PathBuf>,
    /// The run must have used exactly these features
    #[arg(long, value_name = "FEATURE")]
    pub features: Vec<PathBuf>,
    /// The run must have finished no longer ago than this, such as 24h
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub max_age: Option<Duration>,
    /// Take, with --max-age, a run of this older version of gonogo, of which less is compared; of those that a
    /// policy takes, this one alone
    #[arg(long, value_name = "VERSION")]
    pub accept_version: Option<String>,
    /// When the run was signed, known from elsewhere than the run, such as 2026-11-21T12:00:00Z: the
    /// signer's key must have been valid then [default: now]
    #[arg(long, value_name = "TIME")]
    pub signed_at: Option<Timestamp>,
    /// The folder of all runs: it must be one unbroken chain, and this run the newest of it
    #[arg(long, value_name = "DIR")]
    pub history: Option<PathBuf>,
    #[command(flatten)]
    pub made_for: MadeFor,
    /// The run must hold these words, which its --challenge gave it
    #[arg(long, value_name = "TEXT")]
    pub challenge: Option<String>,
    /// Root certificates (PEM) of the time stamp authorities that count: the key must have been valid at the time
    /// that the run's time stamp proves
    #[arg(long, value_name = "FILE", conflicts_with = "signed_at")]
    pub tsa_ca: Option<PathBuf>,
    /// Refuse a run that has no time stamp
    #[arg(long, requires = "tsa_ca")]
    pub require_timestamp: bool,
    /// Most time from the end of the run to its time stamp [default: 24h]
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "tsa_ca")]
    pub stamped_within: Option<Duration>,
    /// Accept a filtered run for reading; its verdict stays NO-GO
    #[arg(long)]
    pub allow_partial: bool,
    #[command(flatten)]
    pub demand: Demand,
    #[command(flatten)]
    pub drilled: Drilled,
    /// How to tell the result
    #[arg(long, value_enum, default_value_t = VerifyFormat::Text)]
    pub format: VerifyFormat,
    /// What GitHub calls the environment that a deployment review is for [default: --environment]
    #[arg(long, value_name = "NAME")]
    pub deployment_environment: Option<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum VerifyFormat {
    /// For a person
    #[default]
    Text,
    /// For a program: one JSON object with `verdict` and `failures`
    Json,
    /// For a step of GitHub Actions: annotations, step summary, outputs
    Github,
    /// The body of a review for GitHub's deployment protection rules
    GithubDeploymentReview,
    /// A dotenv report for GitLab
    Gitlab,
    /// `GONOGO_VERDICT=…` and other variables
    Env,
    /// JUnit: the gate itself as a case that fails for whatever is no GO, and the checks of an accepted run
    Junit,
}

/// Reads every run in a folder, proves who signed each and that each follows the one before it, and shows how
/// they came out. Exits with 0 when the chain holds, whatever the verdicts, and with 4 when it is broken.
#[derive(Args)]
pub(super) struct History {
    /// The folder whose directories are runs
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Who may sign (ssh-keygen's allowed_signers), received by another way than the runs
    #[arg(long, value_name = "FILE")]
    pub allowed_signers: PathBuf,
    /// Keys and certificates that are trusted no more, whenever they signed: a list of `ssh-keygen -k`, or
    /// public keys, one a line
    #[arg(long, value_name = "FILE")]
    pub revoked: Option<PathBuf>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = HistoryFormat::Text)]
    pub format: HistoryFormat,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum HistoryFormat {
    Text,
    Json,
    /// A page with plots, to be put into the folder itself
    Html,
}

/// A time stamp is over the signature of a run, and lies beside it: the run itself stays as it is. With it a run
/// verifies after its key was rotated or has expired.
#[derive(Subcommand)]
pub(super) enum TimeStamp {
    /// Write the request of a run, to be taken to an authority by hand
    Request {
        /// The run directory
        #[arg(value_name = "DIR")]
        run: PathBuf,
    },
    /// Check the authority's answer, and put it beside the signature
    Attach {
        /// The run directory
        #[arg(value_name = "DIR")]
        run: PathBuf,
        /// The answer, as it came
        #[arg(value_name = "FILE")]
        response: PathBuf,
        /// Root certificates (PEM) of the authority, received by another way
        #[arg(long, value_name = "FILE")]
        tsa_ca: PathBuf,
    },
    /// Both at once, by HTTP
    Get {
        /// The run directory
        #[arg(value_name = "DIR")]
        run: PathBuf,
        /// The authority's address
        #[arg(long, value_name = "URL")]
        url: String,
        /// Root certificates (PEM) of the authority, received by another way
        #[arg(long, value_name = "FILE")]
        tsa_ca: PathBuf,
    },
}

#[derive(Args)]
pub(super) struct Show {
    /// The run directory
    #[arg(value_name = "DIR")]
    pub run: PathBuf,
    /// What to render
    #[arg(long, value_enum, default_value_t = ShowFormat::Text)]
    pub format: ShowFormat,
    /// For oscal: which controls a tag stands for [default: what `gonogo controls` prints]
    #[arg(long, value_name = "FILE")]
    pub controls: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum ShowFormat {
    Text,
    Markdown,
    Html,
    Junit,
    Json,
    /// The attestation as a sigstore bundle, for cosign
    Sigstore,
    /// OSCAL assessment results: which controls the checks support
    Oscal,
    /// Cucumber messages (NDJSON), for Cucumber's own formatters
    Messages,
}

/// Tells what changed from one run to a later one of the same environment. Exits with 0 when nothing got
/// worse, with 1 when something fails, waits or is waived that did not, or vanished, with 2 when the two
/// cannot be compared, and with 4 when one of them is not acceptable to --allowed-signers.
#[derive(Args)]
pub(super) struct Diff {
    /// The older run directory
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// The newer run directory
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// Who may sign (ssh-keygen's allowed_signers): both runs are verified first
    #[arg(long, value_name = "FILE")]
    pub allowed_signers: Option<PathBuf>,
    /// Keys and certificates that are trusted no more, whenever they signed: a list of `ssh-keygen -k`, or
    /// public keys, one a line
    #[arg(long, value_name = "FILE", requires = "allowed_signers")]
    pub revoked: Option<PathBuf>,
    /// The signer of both must be this identity
    #[arg(long, value_name = "NAME", requires = "allowed_signers")]
    pub identity: Option<String>,
    /// Compare two environments by role, such as OLD of staging with NEW of production: what works in the first
    /// and not in the second comes first, and ends with 1. Instances, hosts and vendors stand beside those of
    /// their name, else instances beside all of their product, hosts beside those with the same products
    #[arg(long)]
    pub environments: bool,
    /// What the first run calls FIRST, an instance, host, team or vendor, the second calls SECOND
    #[arg(long, value_name = "FIRST=SECOND", requires = "environments", value_parser = pair)]
    pub same: Vec<(String, String)>,
    /// How to tell the changes
    #[arg(long, value_enum, default_value_t = DiffFormat::Text)]
    pub format: DiffFormat,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum DiffFormat {
    Text,
    Markdown,
    Json,
}

#[derive(Args)]
pub(super) struct Steps {
    /// How to print them
    #[arg(long, value_enum, default_value_t = StepsFormat::Text)]
    pub format: StepsFormat,
}

/// Lists the processes of a host as a team sees them, knows products by their profiles, reads the
/// configurations that they name, and prints what an inventory would say. Changes nothing, judges nothing.
#[derive(Args)]
pub(super) struct Discover {
    /// The inventory file: how the host is reached, and by whom
    #[arg(long, short, value_name = "FILE")]
    pub inventory: PathBuf,
    /// The host to look at, a key of `hosts`
    #[arg(long, value_name = "NAME")]
    pub host: String,
    /// Whose login is used [default: the only team]
    #[arg(long, value_name = "NAME")]
    pub team: Option<String>,
    /// Print what would be executed and read on the host, and connect to nothing
    #[arg(long, visible_alias = "dry-run")]
    pub plan: bool,
}

/// What gonogo knows of products before an inventory says anything. A product of a profile's name starts from
/// it; `profile: NAME` or `profile: FILE` chooses another.
#[derive(Args)]
pub(super) struct Profiles {
    #[command(subcommand)]
    pub verb: Option<ProfilesVerb>,
    /// How to print them
    #[arg(long, value_enum, default_value_t = ProfilesFormat::Text)]
    pub format: ProfilesFormat,
}

#[derive(Subcommand)]
pub(super) enum ProfilesVerb {
    /// Print a profile as it is written: the same format that `profile: FILE` reads
    Show {
        /// Its name; `all`: what is never run, whatever the product
        #[arg(value_name = "NAME")]
        name: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum ProfilesFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum StepsFormat {
    Text,
    Markdown,
    Json,
}

pub(super) fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=4096) => Ok(number),
        _ => Err("a whole number from 1 to 4096 is expected".to_owned()),
    }
}

/// Less would leave no time for a check.
fn limit_rate(text: &str) -> Result<u64, String> {
    let rate = Some(rate(text)?).filter(|rate| *rate >= 64 << 10);
    rate.ok_or_else(|| "at least 64KiB a second is expected".to_owned())
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((first, second)) if !first.is_empty() && !second.is_empty() => {
            Ok((first.to_owned(), second.to_owned()))
        }
        _ => Err("two names with `=` between them are expected".to_owned()),
    }
}

fn challenge(text: &str) -> Result<String, String> {
    match text.chars().count() {
        1..=200 if !text.chars().any(crate::text::is_unsafe) => Ok(text.to_owned()),
        _ => Err("1 to 200 printable characters are expected".to_owned()),
    }
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    crate::time::parse_duration(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_are_sound() {
        use clap::CommandFactory as _;
        Command::command().debug_assert();
    }
}
