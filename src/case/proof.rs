//! The second pass: the finished archive is opened as its receiver will open it, and nothing that must not
//! leave is in any member, in the name of any member, or missing from the sums.

use std::collections::BTreeMap;
use std::path::Path;

use super::Refused;
use super::archive::{self, Packing};
use super::enclosed;
use super::sources::digest;
use crate::redaction::{Proof, Shape, prove};
use crate::text::escape;

const MOST_TOLD: usize = 20;

/// Proves the archive at `path`; `shapes` says of each artifact's member how it is read, `request` what must not be in
/// the request, which names hosts and people on purpose.
pub(super) fn holds(
    proof: &Proof,
    request: &Proof,
    packing: Packing,
    path: &Path,
    root: &str,
    shapes: &BTreeMap<String, Shape>,
    written: &[(String, std::path::PathBuf)],
) -> Result<(), Refused> {
    let directory = tempfile::tempdir()?;
    let members = archive::read(packing, path, directory.path())?;
    let mut found = Vec::new();
    let names = |members: &[(String, std::path::PathBuf)]| {
        members
            .iter()
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>()
    };
    if names(&members) != names(written) {
        return Err(Refused::Fault(
            "the archive does not hold what was put into it".to_owned(),
        ));
    }
    for ((name, file), (_, own)) in members.iter().zip(written) {
        if digest(file)? != digest(own)? {
            return Err(Refused::Fault(format!(
                "`{}` came out of the archive changed",
                escape(name)
            )));
        }
        let below = name
            .strip_prefix(root)
            .unwrap_or(name)
            .trim_start_matches('/');
        for leak in proof.text(name, 1) {
            found.push(format!("{}: in the name of a member", leak.what));
        }
        // Who reviewed it is told on purpose.
        if below == "REVIEW.json" {
            continue;
        }
        let shape = shapes.get(below).copied().unwrap_or(Shape::Lines);
        let proof = match below {
            enclosed::NAME => request,
            _ => proof,
        };
        let leaks = prove(proof, shape, file).map_err(|unfit| {
            Refused::Fault(format!("`{}` cannot be read again: {unfit}", escape(below)))
        })?;
        for leak in leaks {
            found.push(format!("{}: {} ({})", escape(below), leak.what, leak.place));
        }
    }
    found.sort();
    found.dedup();
    if found.is_empty() {
        return Ok(());
    }
    let more = found.len().saturating_sub(MOST_TOLD);
    found.truncate(MOST_TOLD);
    if more > 0 {
        found.push(format!("{more} more"));
    }
    Err(Refused::Found(
        found,
        "the bundle was removed: what is named still stood in it; leave the artifact out with `--without ARTIFACT`, or that file alone with `--without-file PATH`, and report a rule that did not bite; of request.txt, take it out of the request",
    ))
}
