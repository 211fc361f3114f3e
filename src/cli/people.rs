//! Who may approve what: `--waivers` of `plan` and `run`, `--approvers` of `verify`, and `gonogo approve`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;

use super::args::Verify;
use super::fault::{Exit, Fault};
use super::{signers, term};
use crate::inventory::waivers::WaiverFile;
use crate::plan::{Plan, Waivers};
use crate::report;
use crate::report::verify::{Asked, Heard, Hearing, Known, Unacceptable, Verified};
use crate::report::waived::{Signatures, approved};
use crate::sign::key::SigningKey;
use crate::sign::manifest::{MANIFEST, Manifest, SIGNATURE, portable_name, read_regular};
use crate::sign::people::{APPROVAL, People};
use crate::sign::sshsig::{NAMESPACE, Signature, sign};
use crate::text::escape;
use crate::time;

const MOST_BYTES: u64 = 64 << 20;

/// The failures that somebody accepted.
#[derive(Args, Clone, Default)]
pub(super) struct Waive {
    /// Accept the failures that this file names, each until its waiver ends; its approvers have signed it
    #[arg(
        long,
        value_name = "FILE",
        requires = "approvers",
        help_heading = "Waivers"
    )]
    pub waivers: Option<PathBuf>,
    /// Who may approve waivers: names and keys in the format of allowed_signers
    #[arg(
        long,
        value_name = "FILE",
        requires = "waivers",
        help_heading = "Waivers"
    )]
    pub approvers: Option<PathBuf>,
}

/// What `verify` asks of people.
#[derive(Args, Clone, Default, PartialEq)]
pub(super) struct Demand {
    /// Who may approve waivers and runs: names and keys in the format of allowed_signers, received by
    /// another way than the run
    #[arg(long, value_name = "FILE", help_heading = "People")]
    pub approvers: Option<PathBuf>,
    /// So many people must have approved the run, never who signed it
    #[arg(long, value_name = "N", value_parser = super::args::positive, requires = "approvers", help_heading = "People")]
    pub require_approval: Option<usize>,
    /// Who may answer what only a person can answer: names, roles and keys in the format of allowed_signers,
    /// received by another way than the run. Without it a HOLD stays a HOLD
    #[arg(long, value_name = "FILE", help_heading = "People")]
    pub answerers: Option<PathBuf>,
    /// Most time from the end of the run to an answer, such as 24h
    #[arg(long, value_name = "TIME", value_parser = super::args::duration, requires = "answerers", help_heading = "People")]
    pub answered_within: Option<Duration>,
    /// Accept no waiver: a GO that rests on one is a NO-GO here
    #[arg(long, help_heading = "People")]
    pub no_waivers: bool,
}

/// Signs a run as somebody who looked at it: writes SHA256SUMS.<name>.sig beside its manifest. Stock
/// `ssh-keygen -Y sign -n gonogo-approval@gonogo` makes the same file.
#[derive(Args)]
pub(super) struct Approve {
    /// The run directory
    #[arg(value_name = "DIR")]
    pub run: PathBuf,
    /// Your own OpenSSH private key (ed25519), never the one that signs runs
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// The environment variable that holds the key's passphrase
    #[arg(long, value_name = "NAME")]
    pub key_passphrase_env: Option<String>,
    /// What the file is named by; who you are says the key [default: the comment of the key]
    #[arg(long = "as", value_name = "NAME")]
    pub name: Option<String>,
}

/// Puts the waivers into the plan: read, in force, meant, and signed by their approvers.
pub(super) fn waive(args: &Waive, plan: &mut Plan) -> Result<(), Fault> {
    let (Some(path), Some(approvers)) = (&args.waivers, &args.approvers) else {
        return Ok(());
    };
    let people = people(approvers)?;
    let file = WaiverFile::load(path)?;
    let now = time::now();
    let mut problems = file.not_valid_at(now);
    let signatures = signatures(path)?;
    let keys = approved(&file, &file.waivers, &signatures, &people, &[], now);
    let keys = keys.unwrap_or_else(|found| {
        problems.extend(found);
        Default::default()
    });
    let waived = plan.waive(Waivers {
        file,
        signatures,
        keys,
        people,
    });
    problems.extend(waived.err().unwrap_or_default());
    match problems.is_empty() {
        true => Ok(()),
        false => Err(problems.into()),
    }
}

/// Whoever signs the run accepts no failure in it.
pub(super) fn not_the_runner(plan: &Plan, key: &SigningKey) -> Result<(), Fault> {
    let Some(Waivers {
        file,
        signatures,
        people,
        ..
    }) = &plan.waivers
    else {
        return Ok(());
    };
    let runner = [key.identity(), &key.fingerprint()];
    approved(
        file,
        &file.waivers,
        signatures,
        people,
        &[runner],
        time::now(),
    )?;
    Ok(())
}

/// The people of an approvers' file, or of another of its kind.
pub(super) fn people(path: &Path) -> Result<People, Fault> {
    let shown = path.to_string_lossy();
    let bytes = read_regular(path, MOST_BYTES).map_err(|error| {
        Fault::new(
            Exit::Refused,
            format!("cannot read `{}`: {error}", escape(&shown)),
            "it is to be a file in the format of ssh-keygen(1), ALLOWED SIGNERS",
        )
    })?;
    let people = People::parse(&bytes);
    for warning in people.warnings() {
        let message = format!("{shown}: line {}: {}", warning.line, warning.message);
        term::say(&format!("warning: {}", escape(&message)));
    }
    match people.is_empty() {
        true => Err(Fault::new(
            Exit::Refused,
            format!("`{}` names nobody", escape(&shown)),
            "it holds no line with names, without patterns, that can be read",
        )),
        false => Ok(people),
    }
}

/// `FILE.sig` and every `FILE.*.sig` beside the file of waivers.
fn signatures(path: &Path) -> Result<Signatures, Fault> {
    let unreadable = |path: &Path, error: std::io::Error| {
        let path = path.to_string_lossy();
        let message = format!("cannot read `{}`: {error}", escape(&path));
        Fault::new(Exit::Refused, message, "")
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let mut signatures = Signatures::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let entry = entry.map_err(|error| unreadable(folder, error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let rest = name
            .strip_prefix(&*file)
            .and_then(|rest| rest.strip_prefix('.'));
        if let Some(rest) = rest.filter(|rest| *rest == "sig" || rest.ends_with(".sig")) {
            let read = read_regular(&entry.path(), MOST_BYTES);
            let bytes = read.map_err(|error| unreadable(&entry.path(), error))?;
            signatures.insert(portable_name(&rest.replace('/', "_")), bytes);
        }
    }
    Ok(signatures)
}

/// The people whom `verify` is told of: who approve, and who answer.
pub(super) fn told(args: &Verify) -> Result<[Option<People>; 2], Fault> {
    let revoked = args.revoked.as_deref().map(signers::revoked).transpose()?;
    let revoked = revoked.unwrap_or_default();
    let read = |path: &Option<PathBuf>| {
        let path = path.as_deref();
        let people = path.map(people).transpose();
        people.map(|people| people.map(|people| people.without(revoked.clone())))
    };
    Ok([read(&args.demand.approvers)?, read(&args.demand.answerers)?])
}

/// Judges a run anew with what people answered.
pub(super) fn hear(
    args: &Verify,
    people: Option<&People>,
    run: &mut Verified,
) -> Result<Heard, Unacceptable> {
    let now = time::now();
    run.hear(&Hearing {
        people,
        within: args.demand.answered_within,
        at: args.signed_at.unwrap_or(now),
        now,
    })
}

/// Who stands behind a run that was accepted.
pub(super) fn ask(
    demand: &Demand,
    people: Option<&People>,
    run: &Verified,
    signed_at: Option<Timestamp>,
) -> Result<Known, Unacceptable> {
    run.people(&Asked {
        people,
        approvals: demand.require_approval.unwrap_or(0),
        no_waivers: demand.no_waivers,
        at: signed_at.unwrap_or_else(time::now),
    })
}

/// `gonogo approve`.
pub(super) fn approve(args: &Approve) -> Result<Exit, Fault> {
    let key = SigningKey::load(&args.key, args.key_passphrase_env.as_deref())?;
    let refuse = |message: String, hint: &str| Fault::new(Exit::Unacceptable, message, hint);
    let read = |name: &str| {
        read_regular(&args.run.join(name), MOST_BYTES).map_err(|error| {
            let path = args.run.join(name);
            let message = format!("cannot read `{}`: {error}", escape(&path.to_string_lossy()));
            refuse(
                message,
                "name the directory that `gonogo run -o` wrote, whole",
            )
        })
    };
    let (sums, armour) = (read(MANIFEST)?, read(SIGNATURE)?);
    let whole = "the run is not as it was signed; get it again from its source";
    let manifest: Manifest = String::from_utf8_lossy(&sums)
        .parse()
        .map_err(|fault| refuse(format!("{fault}"), whole))?;
    manifest.check(&args.run).map_err(|faults| {
        let first = faults.first().map(ToString::to_string);
        refuse(first.unwrap_or_default(), whole)
    })?;
    let runner =
        Signature::parse(&armour).map_err(|fault| refuse(fault.to_string(), fault.hint()))?;
    // Who may sign is `verify`'s to ask; that these are the bytes that somebody signed is not.
    runner.check(NAMESPACE, &sums).map_err(|fault| {
        let message = format!("{SIGNATURE}: {fault}");
        refuse(message, fault.hint())
    })?;
    if runner.fingerprint() == key.fingerprint() {
        let message = "this key signed the run: it does not approve it";
        let hint = "approving is another person's word: use your own key";
        return Err(refuse(message.to_owned(), hint));
    }
    let report = manifest.read(&args.run, "report.json");
    let report = report.map_err(|fault| refuse(fault.to_string(), whole))?;
    let report = report::read(&report).map_err(|fault| {
        let hint = "approve with the gonogo version that wrote the run, or a newer one";
        refuse(format!("report.json: {fault}"), hint)
    })?;
    if let Some(shard) = &report.run.scope.shard {
        let message = format!(
            "the run is shard {} alone, and an approval of it would be lost when all are merged",
            escape(&shard.name())
        );
        let hint = "`gonogo merge` all shards, and approve the run that they are merged into";
        return Err(Fault::new(Exit::Refused, message, hint));
    }
    let signature = sign(&key, APPROVAL, &sums).map_err(|fault| {
        Fault::new(
            Exit::Fault,
            fault,
            "check the key with `ssh-keygen -Y sign`",
        )
    })?;
    let who = args.name.as_deref().unwrap_or(key.identity());
    let who = portable_name(&who.replace('/', "_"));
    let path = args.run.join(format!("{MANIFEST}.{who}.sig"));
    let shown = escape(&path.to_string_lossy()).into_owned();
    let written = fs::File::create_new(&path).and_then(|mut file| {
        file.write_all(signature.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Fault::new(
            Exit::Refused,
            format!("`{shown}` exists already"),
            "an approval is never overwritten: name another with --as",
        ),
        _ => Fault::new(Exit::Fault, format!("cannot write `{shown}`: {error}"), ""),
    })?;
    let (run, verdict) = (escape(&report.run.id), escape(&report.verdict.decision));
    term::say(&format!(
        "approved run {run}, which says {verdict}, as {} ({}); who signed the run was not asked: `gonogo verify` does",
        escape(key.identity()),
        key.fingerprint()
    ));
    term::out(&format!("{shown}\n"));
    Ok(Exit::Go)
}
