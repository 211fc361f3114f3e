//! `gonogo attest`: a person answers what a run asks of people. It writes a document and its signature beside the
//! run, which itself is never changed. Who may answer is asked by `verify --answerers`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::fault::{Exit, Fault};
use super::signing::Signing;
use super::{beside, term};
use crate::report::answer::{self, Answer, SCHEMA, Word, due, is_name, says_something};
use crate::report::answer_command;
use crate::report::beside::{Paper, Purpose, papers};
use crate::report::schema::{Check, Report, Shard};
use crate::sign::key::SigningKey;
use crate::sign::people::ANSWER;
use crate::sign::sshsig::{Signature, sign};
use crate::text::{count, did_you_mean, escape};
use crate::time;

/// Answers a check that waits for a person: writes SHA256SUMS.answer-<who>-<digest>.json beside the run, and your
/// signature over it. `gonogo verify --answerers FILE` says whether it counts.
#[derive(Args)]
pub(super) struct Attest {
    /// The run directory
    #[arg(value_name = "DIR")]
    pub run: PathBuf,
    /// Tell what is due, and what lies beside the run already
    #[arg(long, conflicts_with_all = ["check", "answer", "statement", "key", "print"])]
    pub list: bool,
    /// The check to answer
    #[arg(long, value_name = "ID", required_unless_present = "list")]
    pub check: Option<String>,
    /// Whether it holds
    #[arg(long, value_enum, required_unless_present = "list")]
    pub answer: Option<Given>,
    /// What you have to say to it, in one line: what you saw, where, when
    #[arg(long, value_name = "TEXT", required_unless_present = "list")]
    pub statement: Option<String>,
    /// Your own key, never the one that signs runs: an OpenSSH private key, a public key whose private half the
    /// ssh-agent holds, or agent:SHA256:…
    #[arg(long, value_name = "FILE", required_unless_present_any = ["list", "print"])]
    pub key: Option<PathBuf>,
    /// The environment variable that holds the key's passphrase
    #[arg(long, value_name = "NAME", requires = "key")]
    pub key_passphrase_env: Option<String>,
    /// The certificate of an SSH authority to sign with [default: KEY-cert.pub beside the key, if there]
    #[arg(long, value_name = "FILE", requires = "key")]
    pub certificate: Option<PathBuf>,
    /// Your name in the answerers' file [default: the comment of the key]
    #[arg(long, value_name = "NAME")]
    pub identity: Option<String>,
    /// Print what is to be signed, and sign nothing: for `ssh-keygen -Y sign -n gonogo-answer@gonogo`
    #[arg(long, requires = "identity", conflicts_with = "key")]
    pub print: bool,
    /// Who may sign runs: refuse one that nobody of them signed
    #[arg(long, value_name = "FILE")]
    pub allowed_signers: Option<PathBuf>,
}

/// The two answers.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Given {
    /// It holds
    Passed,
    /// It does not hold
    Failed,
}

impl From<Given> for Word {
    fn from(given: Given) -> Self {
        match given {
            Given::Passed => Self::Passed,
            Given::Failed => Self::Failed,
        }
    }
}

pub(super) fn attest(args: &Attest) -> Result<Exit, Fault> {
    let run = beside::open(&args.run, args.allowed_signers.as_deref())?;
    let found = papers(&args.run, Purpose::Answer)
        .map_err(|error| Fault::new(Exit::Refused, error, "name the run directory"))?;
    let (Some(id), Some(given), Some(statement)) = (&args.check, args.answer, &args.statement)
    else {
        list(&args.run, &run.report, &found);
        return Ok(Exit::Go);
    };
    if let Some(shard) = &run.report.run.scope.shard {
        return Err(of_a_shard(shard));
    }
    let asked = asked(&run.report, id)?;
    says_something("the statement", statement).map_err(|why| {
        let hint = "say in one line what you saw, where and when: it stands in the record";
        Fault::new(Exit::Refused, why, hint)
    })?;
    let key = args.key.as_ref().map(|key| open(args, key)).transpose()?;
    if let Some(key) = &key {
        run.is_not_by(key, "it does not answer in it")?;
    }
    let identity = args.identity.as_deref();
    let identity = identity.or(key.as_ref().map(SigningKey::identity));
    let identity = identity.unwrap_or_default();
    is_name(identity).map_err(|why| {
        let message = format!("you cannot answer as `{}`: {why}", escape(identity));
        Fault::new(
            Exit::Refused,
            message,
            "give your name in the answerers' file with --identity",
        )
    })?;
    let answer = Answer {
        schema: SCHEMA.to_owned(),
        run: run.report.run.id.clone(),
        manifest: run.digest.to_string(),
        environment: run.report.run.scope.environment.clone(),
        check: id.clone(),
        asked: asked.to_owned(),
        answer: given.into(),
        statement: statement.clone(),
        identity: identity.to_owned(),
        answered: time::rfc3339(time::now()),
    };
    before(&answer, key.as_ref(), &found)?;
    let bytes = answer
        .write()
        .map_err(|why| Fault::new(Exit::Refused, why, ""))?;
    let Some(key) = &key else {
        term::out(&String::from_utf8_lossy(&bytes));
        let name = Purpose::Answer.name(identity, &bytes);
        let path = args.run.join(name);
        term::say(&format!(
            "put this into {} as it is, and sign it with `ssh-keygen -Y sign -n {ANSWER} -f KEY` that file: \
             the signature then lies beside it",
            escape(&path.to_string_lossy())
        ));
        return Ok(Exit::Go);
    };
    let signature =
        sign(key, ANSWER, &bytes).map_err(|fault| Fault::new(Exit::Fault, &fault, fault.hint()))?;
    let name = Purpose::Answer.name(identity, &bytes);
    let path = beside::put(&args.run, &name, &bytes, &format!("{name}.sig"), &signature)?;
    term::say(&format!(
        "answered `{}` to check {}, {}, as {} ({}); whether you may was not asked: `gonogo verify --answerers` does",
        answer.answer.as_str(),
        escape(id),
        escape(asked),
        escape(identity),
        key.fingerprint()
    ));
    term::out(&format!("{path}\n"));
    Ok(Exit::Go)
}

fn open(args: &Attest, key: &Path) -> Result<SigningKey, Fault> {
    let signing = Signing {
        key_passphrase_env: args.key_passphrase_env.clone(),
        certificate: args.certificate.clone(),
        ..Signing::with(key.to_owned())
    };
    signing.open()
}

/// An answer is of one run, by its manifest: of a shard's, no merged run would ever hear.
fn of_a_shard(shard: &Shard) -> Fault {
    Fault::new(
        Exit::Refused,
        format!(
            "the run is shard {} alone, and an answer to it would be lost when all are merged",
            escape(&shard.name())
        ),
        "`gonogo merge` all shards, and answer the run that they are merged into",
    )
}

/// The step that asks.
fn asked<'r>(report: &'r Report, id: &str) -> Result<&'r str, Fault> {
    let Some(check) = report.checks.iter().find(|check| check.id == id) else {
        let due = report.checks.iter().filter(|check| due(check).is_some());
        let meant = did_you_mean(id, due.map(|check| &*check.id));
        return Err(Fault::new(
            Exit::Refused,
            format!("the run has no check `{}` {}", escape(id), escape(&meant)).trim_end(),
            "`gonogo attest DIR --list` tells what is due",
        ));
    };
    match due(check) {
        Some(step) => Ok(&step.text),
        None => Err(Fault::new(
            Exit::Refused,
            format!(
                "check `{}` waits for nobody: it is told as {}",
                escape(id),
                escape(&check.outcome)
            ),
            "`gonogo attest DIR --list` tells what is due",
        )),
    }
}

/// Whoever said no may not say yes behind it: it would change nothing, and they would believe it did. The other
/// way round they may.
fn before(answer: &Answer, key: Option<&SigningKey>, found: &[Paper]) -> Result<(), Fault> {
    for (paper, other) in found.iter().filter_map(read) {
        if other.manifest != answer.manifest || other.check != answer.check {
            continue;
        }
        let mut signatures = paper.signatures.values().flatten();
        let is_own = signatures.any(|bytes| {
            let signature = Signature::parse(bytes).ok();
            key.zip(signature)
                .is_some_and(|(key, other)| other.fingerprint() == key.fingerprint())
        });
        let is_named = other.identity == answer.identity;
        let said = other.answer.as_str();
        let name = escape(&paper.name).into_owned();
        match (is_own || (key.is_none() && is_named), other.answer) {
            (true, word) if word == Word::Failed && answer.answer == Word::Passed => {
                return Err(Fault::new(
                    Exit::Refused,
                    format!("you answered `failed` already, in `{name}`"),
                    "a `failed` outweighs every `passed`: when it is mended, run again and answer there",
                ));
            }
            (true, word) if word == answer.answer => {
                return Err(Fault::new(
                    Exit::Refused,
                    format!("you answered `{said}` already, in `{name}`"),
                    "one answer is enough: `gonogo verify --answerers` says whether it counts",
                ));
            }
            (false, _) if is_named => term::say(&format!(
                "warning: another key answered `{said}` as `{}` in `{name}`",
                escape(&answer.identity)
            )),
            _ => {}
        }
    }
    Ok(())
}

fn read(paper: &Paper) -> Option<(&Paper, Answer)> {
    let bytes = paper.bytes.as_ref().ok()?;
    Some((paper, Answer::read(bytes).ok()?))
}

/// What is due, and what lies there, which nobody proved.
fn list(dir: &Path, report: &Report, found: &[Paper]) {
    let due: Vec<(&Check, _)> = (report.checks.iter())
        .filter_map(|check| Some((check, answer::due(check)?)))
        .collect();
    let dir = dir.to_string_lossy();
    let mut out = String::new();
    for (check, step) in &due {
        let whom = step.asks.as_ref().and_then(|asks| asks.role.as_deref());
        let lines = [
            format!("{}  {}", check.id, check.scenario),
            format!("  whom      {}", whom.unwrap_or("a person")),
            format!("  asked     {} {}", step.keyword, step.text),
            match report.run.scope.shard {
                None => format!("  answer by {}", answer_command(&dir, &check.id)),
                Some(_) => "  answer    the run that all shards are merged into".to_owned(),
            },
        ];
        for line in lines {
            out += &format!("{}\n", escape(&line));
        }
        for (paper, answer) in found.iter().filter_map(read) {
            if answer.check == check.id && answer.run == report.run.id {
                let line = format!(
                    "  there is  {} by {} at {}, not verified: {} ({})",
                    answer.answer.as_str(),
                    answer.identity,
                    answer.answered,
                    answer.statement,
                    paper.name
                );
                out += &format!("{}\n", escape(&line));
            }
        }
    }
    term::out(&out);
    term::say(&match due.len() {
        0 => "no check of this run waits for a person".to_owned(),
        waiting => format!(
            "{} for a person; {} beside the run, none of them verified here",
            match waiting {
                1 => "1 check waits".to_owned(),
                all => format!("{all} checks wait"),
            },
            count(found.len(), "answer")
        ),
    });
}
