//! What the commands share by which people put a signed document beside a run: the run is whole, and signed by
//! somebody; nothing is ever written over.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use super::fault::{Exit, Fault};
use super::{signers, verify};
use crate::digest::Sha256;
use crate::report;
use crate::report::schema::Report;
use crate::report::sharded::files_of;
use crate::report::verify::Demands;
use crate::sign::key::SigningKey;
use crate::sign::manifest::{MANIFEST, Manifest, SIGNATURE, read_regular};
use crate::sign::sshsig::{NAMESPACE, Signature};
use crate::text::escape;

const MOST_BYTES: u64 = 64 << 20;
const WHOLE: &str = "the run is not as it was signed; get it again from its source";

/// A run that somebody is about to sign something about.
pub(super) struct Run {
    pub report: Report,
    /// SHA-256 of its manifest.
    pub digest: Sha256,
    /// Keys: of who signed it, and who signed the shards that it was merged from.
    runners: Vec<String>,
}

impl Run {
    /// Refuses a key that signed the run or a shard of it.
    pub(super) fn is_not_by(&self, key: &SigningKey, so: &str) -> Result<(), Fault> {
        match self.runners.contains(&key.fingerprint()) {
            true => Err(refuse(
                format!("this key signed the run: {so}"),
                "it is another person's word: use your own key",
            )),
            false => Ok(()),
        }
    }
}

fn refuse(message: impl std::fmt::Display, hint: &str) -> Fault {
    Fault::new(Exit::Unacceptable, message, hint)
}

/// Opens a run that is whole and that the key in its signature signed; with `allowed`, as `verify` does.
pub(super) fn open(dir: &Path, allowed: Option<&Path>) -> Result<Run, Fault> {
    let read = |name: &str| {
        let path = dir.join(name);
        read_regular(&path, MOST_BYTES).map_err(|error| {
            let message = format!("cannot read `{}`: {error}", escape(&path.to_string_lossy()));
            refuse(
                message,
                "name the directory that `gonogo run -o` wrote, whole",
            )
        })
    };
    let (sums, armour) = (read(MANIFEST)?, read(SIGNATURE)?);
    let signature =
        Signature::parse(&armour).map_err(|fault| refuse(fault.to_string(), fault.hint()))?;
    signature
        .check(NAMESPACE, &sums)
        .map_err(|fault| refuse(fault.to_string(), fault.hint()))?;
    let manifest: Manifest = String::from_utf8_lossy(&sums)
        .parse()
        .map_err(|fault| refuse(format!("{fault}"), WHOLE))?;
    manifest.check(dir).map_err(|faults| {
        let first = faults.first().map(ToString::to_string);
        refuse(first.unwrap_or_default(), WHOLE)
    })?;
    if let Some(allowed) = allowed {
        let allowed = signers::read(allowed, None)?;
        verify::accept(dir, &allowed, &Demands::default())
            .map_err(|reason| refuse(format!("not acceptable: {reason}"), reason.hint()))?;
    }
    let report = manifest.read(dir, "report.json");
    let report = report.map_err(|fault| refuse(fault, WHOLE))?;
    let report = report::read(&report).map_err(|fault| {
        let hint = "use the gonogo version that wrote the run, or a newer one";
        refuse(format!("report.json: {fault}"), hint)
    })?;
    let mut runners = vec![signature.fingerprint()];
    let pieces = report.run.merged.iter().flat_map(|merged| &merged.shards);
    for (at, _) in pieces.enumerate() {
        let [_, _, armour] = files_of(at);
        let armour = manifest.read(dir, &armour);
        let armour = armour.map_err(|fault| refuse(fault, WHOLE))?;
        let one = Signature::parse(&armour).map_err(|fault| refuse(fault.to_string(), WHOLE))?;
        runners.push(one.fingerprint());
    }
    Ok(Run {
        report,
        digest: Sha256::of(&sums),
        runners,
    })
}

/// Writes a document, then its signature; returns the document's path as it is shown.
pub(super) fn put(
    dir: &Path,
    name: &str,
    bytes: &[u8],
    signature: &str,
    armour: &str,
) -> Result<String, Fault> {
    create(&dir.join(name), bytes)?;
    create(&dir.join(signature), armour.as_bytes())?;
    Ok(escape(&dir.join(name).to_string_lossy()).into_owned())
}

/// Writes a file that is not there yet.
pub(super) fn create(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let shown = escape(&path.to_string_lossy()).into_owned();
    let written = fs::File::create_new(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Fault::new(
            Exit::Refused,
            format!("`{shown}` exists already"),
            "what was signed is never overwritten",
        ),
        _ => Fault::new(Exit::Fault, format!("cannot write `{shown}`: {error}"), ""),
    })
}
