//! `gonogo break-glass`: two people take it upon themselves to deploy although a run says NO-GO or HOLD, for a few
//! hours. Its own command: `verify` is never changed by it, and the verdict stays what it is.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};

use super::args::{Verify, VerifyFormat, duration};
use super::deliver::deliver;
use super::drilled::Drilled;
use super::fault::{Exit, Fault};
use super::people::Demand;
use super::policy::Under;
use super::signing::Signing;
use super::subject::{self, MadeFor};
use super::{beside, people, policy, signers, term, verify};
use crate::digest::Sha256;
use crate::inventory::policy::Policy;
use crate::report::answer::{is_name, says_something};
use crate::report::beside::Purpose;
use crate::report::break_glass::{BreakGlass, SCHEMA, beyond, noes};
use crate::report::gate::Gate;
use crate::report::verify::Breakers;
use crate::sign::key::SigningKey;
use crate::sign::manifest::{portable_name, read_regular};
use crate::sign::people::BREAK_GLASS;
use crate::sign::sshsig::sign as sign_bytes;
use crate::text::{count, escape};
use crate::time;
use crate::verdict::Decision;

const MOST_BYTES: u64 = 64 << 10;

/// Deploys although a run says NO-GO or HOLD: two people, keys for nothing else, a few hours. The verdict stays.
#[derive(Subcommand)]
pub(super) enum Glass {
    /// Write a request beside the run, and sign it as the first of two
    Request(Box<Request>),
    /// Sign a request as the second of two
    Sign(Countersign),
    /// Verify the run as `verify` does, and exit with 0 if it is NO-GO or HOLD and a request holds; the verdict
    /// stays in every output
    Check(Box<Check>),
}

/// Writes SHA256SUMS.break-glass-<who>-<digest>.json beside the run, and your signature over it. It holds from now.
#[derive(Args)]
pub(super) struct Request {
    /// The run directory
    #[arg(value_name = "DIR")]
    pub run: PathBuf,
    /// Why it cannot wait, in one line
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Where it is followed up
    #[arg(long, value_name = "TICKET")]
    pub ticket: String,
    /// How long it holds from now on: 1h to 24h
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub life: Duration,
    /// Your own key for break-glass, and for nothing else
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// The environment variable that holds the key's passphrase
    #[arg(long, value_name = "NAME")]
    pub key_passphrase_env: Option<String>,
    /// Your name in the signers' file [default: the comment of the key]
    #[arg(long, value_name = "NAME")]
    pub identity: Option<String>,
    /// Who may sign runs: the refusal is the gate's then, as `verify` gives it with these options, and a run that
    /// is not acceptable is refused
    #[arg(long, value_name = "FILE", help_heading = "The gate")]
    pub allowed_signers: Option<PathBuf>,
    #[command(flatten)]
    pub gate: TheGate,
}

/// What the gate is asked with, as far as its verdict hangs on it: as `verify` has it.
#[derive(Args)]
pub(super) struct TheGate {
    /// The policy under which the gate refuses the run: the request is for that policy alone
    #[arg(
        long,
        value_name = "FILE",
        requires = "allowed_signers",
        help_heading = "The gate"
    )]
    pub policy: Option<PathBuf>,
    /// Who may sign policies
    #[arg(
        long,
        value_name = "FILE",
        requires = "policy",
        help_heading = "The gate"
    )]
    pub policy_signers: Option<PathBuf>,
    /// An earlier GO, as `verify` takes it
    #[arg(
        long,
        value_name = "RUN",
        requires = "policy",
        help_heading = "The gate"
    )]
    pub against: Option<PathBuf>,
    /// The folder of all runs
    #[arg(
        long,
        value_name = "DIR",
        requires = "allowed_signers",
        help_heading = "The gate"
    )]
    pub history: Option<PathBuf>,
    /// Keys and certificates that are trusted no more
    #[arg(
        long,
        value_name = "FILE",
        requires = "allowed_signers",
        help_heading = "The gate"
    )]
    pub revoked: Option<PathBuf>,
    /// The commit that the run must be for
    #[arg(long, value_name = "SHA", value_parser = subject::commit, requires = "allowed_signers", help_heading = "The gate")]
    pub commit: Option<String>,
    /// The release that the run must be for
    #[arg(long, value_name = "sha256:…", value_parser = subject::release, requires = "allowed_signers", help_heading = "The gate")]
    pub release: Option<Sha256>,
    /// The go-live that the run must be for
    #[arg(
        long,
        value_name = "TIME",
        requires = "allowed_signers",
        help_heading = "The gate"
    )]
    pub go_live: Option<Timestamp>,
    /// The words that the run must hold
    #[arg(
        long,
        value_name = "TEXT",
        requires = "allowed_signers",
        help_heading = "The gate"
    )]
    pub challenge: Option<String>,
    #[command(flatten)]
    pub demand: Demand,
    #[command(flatten)]
    pub drilled: Drilled,
}

/// Signs the request as it is: writes FILE.<who>.sig. Stock `ssh-keygen -Y sign -n gonogo-break-glass@gonogo` does
/// the same, as FILE.sig.
#[derive(Args)]
pub(super) struct Countersign {
    /// The request
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Your own key for break-glass, and for nothing else
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// The environment variable that holds the key's passphrase
    #[arg(long, value_name = "NAME")]
    pub key_passphrase_env: Option<String>,
    /// The policy under which you know the gate to refuse the run: a request for another one is refused
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

/// Verifies the run with the options of `verify`, and then the request beside it.
#[derive(Args)]
pub(super) struct Check {
    /// Who may break the glass: names and keys in the format of allowed_signers, each line with
    /// namespaces="gonogo-break-glass@gonogo"
    #[arg(long, value_name = "FILE", help_heading = "Break-glass")]
    pub signers: PathBuf,
    #[command(flatten)]
    pub verify: Verify,
}

pub(super) fn break_glass(verb: &Glass) -> Result<Exit, Fault> {
    match verb {
        Glass::Request(args) => request(args),
        Glass::Sign(args) => countersign(args),
        Glass::Check(args) => check(args),
    }
}

fn open(key: &Path, passphrase_env: Option<&String>) -> Result<SigningKey, Fault> {
    let signing = Signing {
        key_passphrase_env: passphrase_env.cloned(),
        ..Signing::with(key.to_owned())
    };
    signing.open()
}

fn refuse(message: impl std::fmt::Display, hint: &str) -> Fault {
    Fault::new(Exit::Refused, message, hint)
}

/// What two people are to break.
struct Refusal {
    verdict: String,
    policy: Option<String>,
    against: Vec<String>,
}

/// As the gate refuses the run; without the files that a gate needs, as the run itself does.
fn refusal(args: &Request, run: &beside::Run) -> Result<Refusal, Fault> {
    let own = &run.report.verdict.decision;
    let nothing = "`gonogo verify` is the gate; what it refuses as not acceptable nobody can break";
    let Some(allowed_signers) = &args.allowed_signers else {
        if args.gate.demand != Demand::default() {
            let message = "what is asked of people is the gate's to ask";
            return Err(refuse(message, "give it --allowed-signers FILE"));
        }
        if args.gate.drilled != Drilled::default() {
            let message = "which drills are demanded is the gate's to ask";
            return Err(refuse(message, "give it --allowed-signers FILE"));
        }
        return match own.as_str() {
            "GO" => Err(refuse(
                "the run says GO: there is nothing to break; what a policy refuses is asked for with --policy FILE",
                nothing,
            )),
            _ => Ok(Refusal {
                verdict: own.clone(),
                policy: None,
                against: Vec::new(),
            }),
        };
    };
    let gate = &args.gate;
    let asked = Verify {
        run: args.run.clone(),
        policy: Under {
            policy: gate.policy.clone(),
            policy_signers: gate.policy_signers.clone(),
            against: gate.against.clone(),
        },
        allowed_signers: allowed_signers.clone(),
        revoked: gate.revoked.clone(),
        history: gate.history.clone(),
        made_for: MadeFor {
            commit: gate.commit.clone(),
            release: gate.release,
            go_live: gate.go_live,
            go_live_until: None,
        },
        challenge: gate.challenge.clone(),
        demand: gate.demand.clone(),
        drilled: gate.drilled.clone(),
        ..Verify::default()
    };
    let (ruled, policy) = policy::rule(&asked)?;
    let (gate, verified) = verify::judge(&ruled, policy.as_ref())?;
    let Some(verified) = verified else {
        let why = gate.reasons.join("; ");
        let hint = gate.hint.unwrap_or_default();
        return Err(Fault::new(
            Exit::Unacceptable,
            format!("not acceptable: {}", escape(&why)),
            &hint,
        ));
    };
    match gate.answer.verdict() {
        Some(shut @ (Decision::NoGo | Decision::Hold)) => Ok(Refusal {
            verdict: shut.as_str().to_owned(),
            policy: policy.map(|policy| policy.digest.to_string()),
            against: beyond(&gate.reasons, &verified.verdict().reasons),
        }),
        _ => Err(refuse(
            "the gate says GO: there is nothing to break",
            nothing,
        )),
    }
}

fn request(args: &Request) -> Result<Exit, Fault> {
    let run = beside::open(&args.run, None)?;
    let refusal = refusal(args, &run)?;
    let report = &run.report;
    if report.run.aborted.is_some() || report.run.kind == "aborted" || report.run.scope.partial {
        return Err(refuse(
            "the run was ended early or filtered: nobody knows what they would answer for",
            "run everything, and let the run end",
        ));
    }
    if report.run.scope.shard.is_some() {
        return Err(refuse(
            "the run is a shard: it tells of a part alone",
            "`gonogo merge` all shards, and break what they are merged into, if you must",
        ));
    }
    let key = open(&args.key, args.key_passphrase_env.as_ref())?;
    run.is_not_by(&key, "it does not break it")?;
    for (what, words) in [("the reason", &args.reason), ("the ticket", &args.ticket)] {
        says_something(what, words).map_err(|why| {
            refuse(
                why,
                "it stands in the record: one line that an auditor understands",
            )
        })?;
    }
    let identity = args.identity.as_deref().unwrap_or(key.identity());
    is_name(identity).map_err(|why| {
        let message = format!("you cannot ask as `{}`: {why}", escape(identity));
        refuse(
            message,
            "give your name in the signers' file with --identity",
        )
    })?;
    let from = time::now();
    let until = SignedDuration::try_from(args.life).ok();
    let until = until.and_then(|life| from.checked_add(life).ok());
    let until = until.ok_or_else(|| refuse("--for is too long", "1h to 24h"))?;
    let noes = noes(&args.run, &run.digest.to_string()).map_err(|why| {
        refuse(
            why,
            "it might be the word that says no: let yourself read it, then ask",
        )
    })?;
    let request = BreakGlass {
        schema: SCHEMA.to_owned(),
        run: report.run.id.clone(),
        manifest: run.digest.to_string(),
        environment: report.run.scope.environment.clone(),
        verdict: refusal.verdict,
        failed: report.counts.failed,
        pending: report.counts.pending,
        policy: refusal.policy,
        against: refusal.against,
        noes: noes.into_keys().collect(),
        reason: args.reason.clone(),
        ticket: args.ticket.clone(),
        requester: identity.to_owned(),
        from: time::rfc3339(from),
        until: time::rfc3339(until),
    };
    let bytes = request
        .write()
        .map_err(|why| refuse(why, "--for takes 1h to 24h, and a request is a page"))?;
    let signature = sign_bytes(&key, BREAK_GLASS, &bytes)
        .map_err(|fault| Fault::new(Exit::Fault, &fault, fault.hint()))?;
    let name = Purpose::BreakGlass.name(identity, &bytes);
    let own = signature_name(&name, identity);
    let path = beside::put(&args.run, &name, &bytes, &own, &signature)?;
    tell(&request);
    term::say(&format!(
        "asked to deploy to {} although {}, until {}, as {} ({}); somebody else signs it too: \
         gonogo break-glass sign {path} --key FILE",
        escape(&request.environment),
        says(&request),
        request.until,
        escape(identity),
        key.fingerprint()
    ));
    term::out(&format!("{path}\n"));
    Ok(Exit::Go)
}

/// Of a run that a policy refuses it is the gate that says so.
fn says(request: &BreakGlass) -> String {
    let (run, verdict) = (escape(&request.run), escape(&request.verdict));
    match (&request.policy, request.against.is_empty()) {
        (None, true) => format!("run {run} says {verdict}"),
        _ => format!("the gate says {verdict} to run {run}"),
    }
}

/// What whoever signs is to know.
fn tell(request: &BreakGlass) {
    if let Some(policy) = &request.policy {
        term::say(&format!(
            "refused under the policy sha256:{}",
            escape(policy)
        ));
    }
    for reason in &request.against {
        term::say(&format!("the gate has against it: {}", escape(reason)));
    }
    if !request.noes.is_empty() {
        let noes = count(request.noes.len(), "answer");
        term::say(&format!(
            "{noes} `failed` beside the run: you answer for that, too"
        ));
    }
}

fn signature_name(document: &str, who: &str) -> String {
    format!("{document}.{}.sig", portable_name(&who.replace('/', "_")))
}

fn countersign(args: &Countersign) -> Result<Exit, Fault> {
    let shown = escape(&args.file.to_string_lossy()).into_owned();
    let bytes = read_regular(&args.file, MOST_BYTES).map_err(|error| {
        refuse(
            format!("cannot read `{shown}`: {error}"),
            "name the request that `gonogo break-glass request` wrote",
        )
    })?;
    let request = BreakGlass::read(&bytes)
        .map_err(|why| refuse(format!("`{shown}` is no request: {}", escape(&why)), ""))?;
    let ended = request.life().is_ok_and(|[_, until]| time::now() >= until);
    if ended {
        let message = format!("the request ended at {}", escape(&request.until));
        return Err(refuse(message, "ask anew: gonogo break-glass request"));
    }
    let key = open(&args.key, args.key_passphrase_env.as_ref())?;
    let folder = args
        .file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let run = beside::open(folder, None)?;
    if run.digest.to_string() != request.manifest {
        return Err(refuse(
            "the request is for another run than the one that it lies beside",
            "sign it where it was written",
        ));
    }
    run.is_not_by(&key, "it does not break it")?;
    is_as_known(args, &request, folder)?;
    let signature = sign_bytes(&key, BREAK_GLASS, &bytes)
        .map_err(|fault| Fault::new(Exit::Fault, &fault, fault.hint()))?;
    tell(&request);
    let name = args.file.file_name().unwrap_or_default().to_string_lossy();
    let path = folder.join(signature_name(&name, key.identity()));
    beside::create(&path, signature.as_bytes())?;
    term::say(&format!(
        "signed as {} ({}): {} asks to deploy to {} although {} ({} failed, {} pending), until {}, {}: {}",
        escape(key.identity()),
        key.fingerprint(),
        escape(&request.requester),
        escape(&request.environment),
        says(&request),
        request.failed,
        request.pending,
        escape(&request.until),
        escape(&request.ticket),
        escape(&request.reason)
    ));
    term::out(&format!("{}\n", escape(&path.to_string_lossy())));
    Ok(Exit::Go)
}

/// The second person breaks what they know: this policy, and these answers.
fn is_as_known(args: &Countersign, request: &BreakGlass, folder: &Path) -> Result<(), Fault> {
    let anew = "ask anew: gonogo break-glass request";
    if let Some(path) = &args.policy {
        let policy = Policy::load(path)?.digest.to_string();
        if request.policy.as_ref() != Some(&policy) {
            let told = request.policy.as_ref();
            let told = told.map_or("no policy".to_owned(), |told| {
                format!("the policy sha256:{told}")
            });
            let message = format!("the request is under {told}, not under sha256:{policy}");
            return Err(refuse(message, anew));
        }
    }
    let noes =
        noes(folder, &request.manifest).map_err(|why| refuse(why, "let yourself read it"))?;
    let gone = request.noes.iter().any(|one| !noes.contains_key(one));
    let more = noes.keys().any(|one| !request.noes.contains(one));
    match (gone, more) {
        (true, _) => Err(refuse(
            "an answer `failed` that the request knows of lies here no more",
            "put it back, or ask anew why it is gone",
        )),
        (_, true) => Err(refuse(
            "an answer `failed` lies beside the run that the request does not know of",
            anew,
        )),
        _ => Ok(()),
    }
}

fn check(args: &Check) -> Result<Exit, Fault> {
    let judged = std::panic::catch_unwind(|| judge(args)).unwrap_or_else(|_| Err(verify::defect()));
    match judged {
        Ok((gate, exit)) => Ok(deliver(&args.verify, &gate, exit)),
        Err(fault) => {
            deliver(
                &args.verify,
                &Gate::not_judged(fault.reason(), ""),
                fault.exit,
            );
            Err(fault)
        }
    }
}

fn judge(args: &Check) -> Result<(Gate, Exit), Fault> {
    let (ruled, policy) = policy::rule(&args.verify)?;
    if ruled.format == VerifyFormat::GithubDeploymentReview {
        return Err(refuse(
            "a deployment review tells the verdict, and break-glass does not change it",
            "let a person approve the deployment, whom this command's exit code and text tell what holds",
        ));
    }
    if ruled.environment.is_none() {
        return Err(refuse(
            "break-glass check needs --environment NAME",
            "what two people allow for one environment must not deploy to another",
        ));
    }
    let runners = signers::read(&ruled.allowed_signers, ruled.revoked.as_deref())?;
    let revoked = ruled.revoked.as_deref().map(signers::revoked);
    let breakers = people::people(&args.signers)?.without(revoked.transpose()?.unwrap_or_default());
    let told = people::told(&ruled)?;
    let others: Vec<_> = told.iter().flatten().collect();
    let (mut gate, verified) = verify::judge(&ruled, policy.as_ref())?;
    let exit = verify::exit_of(gate.answer);
    let is_shut = matches!(gate.answer.verdict(), Some(Decision::NoGo | Decision::Hold));
    let Some(verified) = verified.filter(|_| is_shut) else {
        if gate.answer.is_go() {
            gate.notes
                .push("the run is GO: no break-glass is needed, and none was asked for".to_owned());
        }
        return Ok((gate, exit));
    };
    let decision = gate.answer.verdict().unwrap_or(Decision::NoGo);
    let digest = policy.as_ref().map(|policy| policy.digest.to_string());
    let broken = verified.broken(&Breakers {
        gate: (decision, &gate.reasons),
        policy: digest.as_deref(),
        signers: &breakers,
        runners: &runners,
        others: &others,
        heard: told[1].is_some(),
        proven: told[0].is_some() || ruled.demand.no_waivers,
        now: time::now(),
    });
    gate.warnings.extend(broken.warnings);
    Ok(match broken.allowed {
        None => (gate, exit),
        Some(told) => {
            gate.broken(told);
            (gate, Exit::Go)
        }
    })
}
