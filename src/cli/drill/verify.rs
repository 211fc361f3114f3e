//! `gonogo drill verify` and `gonogo drill sign`. Offline.

use std::path::Path;

use super::finish::tell;
use super::{Sign, Verify, refuse, shown};
use crate::case::rehearsed;
use crate::cli::fault::{Exit, Fault};
use crate::cli::{beside, people, signers, term};
use crate::report::drill::{Judged, NAMESPACE, Past, SIGN_OFFS, verify as accept};
use crate::sign::key::SigningKey;
use crate::sign::manifest::{MANIFEST, Manifest, SIGNATURE, portable_name, read_regular};
use crate::sign::sshsig::{Signature, sign as sign_bytes};
use crate::text::{count, escape};
use crate::time;

const MOST_BYTES: u64 = 64 << 20;

pub(super) fn verify(args: &Verify) -> Result<Exit, Fault> {
    let allowed = signers::read(&args.allowed_signers, args.revoked.as_deref())?;
    let revoked = args.revoked.as_deref().map(signers::revoked).transpose()?;
    let people = args.people.as_deref().map(people::people).transpose()?;
    let people = people.map(|people| people.without(revoked.unwrap_or_default()));
    let now = time::now();
    let at = args.signed_at.unwrap_or(now);
    let refused = |why: &str, hint: &str| {
        Fault::new(Exit::Unacceptable, format!("not acceptable: {why}"), hint)
    };
    let verified = accept(
        &args.drill,
        &allowed,
        people.as_ref(),
        args.drills.as_deref(),
        &rehearsed::held,
        at,
        now,
    )
    .map_err(|fault| refused(&fault.why, &fault.hint))?;
    let begin = verified.record.begin();
    let begin = begin.ok_or_else(|| refused("it has no beginning", ""))?;
    for (what, wanted, told) in [
        ("vendor", &args.vendor, &begin.vendor),
        ("environment", &args.environment, &begin.environment),
    ] {
        if wanted.as_ref().is_some_and(|wanted| wanted != told) {
            return Err(refused(
                &format!("the drill's {what} is `{}`", escape(told)),
                "name another drill",
            ));
        }
    }
    for warning in verified.warnings.iter().chain(&verified.unproven) {
        term::say(&format!("warning: {warning}"));
    }
    for other in &verified.signed.others {
        term::say(&format!("warning: does not count: {other}"));
    }
    for person in &verified.signed.people {
        term::say(&format!("signed off by {person}"));
    }
    let record = &verified.record;
    let judged = Judged {
        outcome: record.outcome,
        missing: record.missing.clone(),
        short: record.short.clone(),
        findings: record.findings.clone(),
    };
    tell(&judged, Path::new("DIR"));
    let line = format!(
        "drill {} with {} in {}, sealed at {} by {} ({})",
        record.id,
        begin.vendor,
        begin.environment,
        record.sealed,
        verified.signer.identity,
        verified.signer.fingerprint
    );
    term::say(&escape(&line));
    let outcome = record.outcome;
    if outcome.is_passed() && !verified.signed.is_enough() {
        term::say(&format!(
            "it waits for people: {} of {SIGN_OFFS} signed it off\n\n  hint: gonogo drill sign DIR --key FILE, each with a key of their own; --people FILE names whose count",
            verified.signed.people.len()
        ));
        term::out(&format!("HOLD: {}, not signed off\n", outcome.as_str()));
        return Ok(Exit::Hold);
    }
    term::deliver(&format!("{}\n", outcome.as_str())).map_err(|cause| {
        Fault::new(Exit::Fault, format!("cannot write the answer: {cause}"), "")
    })?;
    Ok(match outcome.is_passed() {
        true => Exit::Go,
        false => Exit::NoGo,
    })
}

pub(super) fn sign(args: &Sign) -> Result<Exit, Fault> {
    let past = Past::look(&args.drill).map_err(|why| {
        refuse(
            why,
            "name the directory that `gonogo drill finish -o` wrote, whole",
        )
    })?;
    let refused = |why: String| {
        Fault::new(
            Exit::Unacceptable,
            why,
            "the drill is not as it was sealed; get it again from its source",
        )
    };
    let read = |name: &str| {
        let read = read_regular(&args.drill.join(name), MOST_BYTES);
        read.map_err(|cause| refused(format!("{name}: {cause}")))
    };
    let (sums, armour) = (read(MANIFEST)?, read(SIGNATURE)?);
    let manifest: Manifest = (String::from_utf8_lossy(&sums).parse())
        .map_err(|fault: crate::sign::manifest::ManifestSyntax| refused(fault.to_string()))?;
    manifest.check(&args.drill).map_err(|faults| {
        let first = faults.first().map(ToString::to_string);
        refused(first.unwrap_or_default())
    })?;
    let sealer = Signature::parse(&armour).map_err(|fault| refused(fault.to_string()))?;
    let checked = sealer.check(NAMESPACE, &sums);
    checked.map_err(|fault| refused(format!("{SIGNATURE}: {fault}")))?;
    let key = SigningKey::load(&args.key, args.key_passphrase_env.as_deref())?;
    if sealer.fingerprint() == key.fingerprint() {
        return Err(Fault::new(
            Exit::Unacceptable,
            "this key sealed the drill: it does not sign it off",
            "it is another person's word: use your own key",
        ));
    }
    let signature = sign_bytes(&key, NAMESPACE, &sums)
        .map_err(|fault| Fault::new(Exit::Fault, &fault, fault.hint()))?;
    let name = args.name.as_deref().unwrap_or(key.identity());
    let name = portable_name(&name.replace('/', "_"));
    let path = args.drill.join(format!("{MANIFEST}.{name}.sig"));
    beside::create(&path, signature.as_bytes())?;
    term::say(&format!(
        "signed off drill {}, {} with {}, as {} ({}); whether you may was not asked: `gonogo drill verify --people` does",
        escape(&past.record.id),
        past.record.outcome.as_str(),
        count(past.record.findings.len(), "finding"),
        escape(key.identity()),
        key.fingerprint()
    ));
    term::out(&format!("{}\n", shown(&path)));
    Ok(Exit::Go)
}
