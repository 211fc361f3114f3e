//! Whether the bundle of a drill was built from the run that the drill rests on, where it says so itself: what
//! `gonogo case build` wrote does. What was built by hand, cut in parts or encrypted says nothing.

use std::path::Path;

use serde::Deserialize;

use crate::case::archive::{self, Packing};
use crate::report::drill::{Entry, Step};
use crate::text::{clip, escape};

/// No manifest comes near it.
const MOST_BYTES: u64 = 64 << 20;

/// What is read of `gonogo/case/v1`.
#[derive(Deserialize)]
struct Manifest {
    schema: String,
    run: String,
    run_manifest_sha256: String,
}

/// The bundle that counts, in `dir`, was reviewed and is of the run that counts, as far as both are told.
///
/// # Errors
/// Of which run it is, in a phrase.
pub(in crate::cli) fn of_run(dir: &Path, entries: &[Entry]) -> Result<(), String> {
    let run = entries.iter().rev().find_map(|entry| match &entry.step {
        Step::Retrieval(step) => Some(step),
        _ => None,
    });
    let bundle = entries.iter().rev().find_map(|entry| match &entry.step {
        Step::Bundle(step) => Some(step),
        _ => None,
    });
    let (Some(run), Some(bundle)) = (run, bundle) else {
        return Ok(());
    };
    for kept in &bundle.files {
        let Some(told) = told(&dir.join(&kept.name)) else {
            continue;
        };
        if !is_reviewed(&dir.join(&kept.name)) {
            return Err(format!(
                "`{}` was not reviewed: its REVIEW.json names nobody",
                escape(&kept.name)
            ));
        }
        if told.run_manifest_sha256 != run.manifest {
            return Err(format!(
                "`{}` was built from run {}, and every team fetched in run {}",
                escape(&kept.name),
                escape(&clip(&told.run, 80)),
                escape(&run.run)
            ));
        }
    }
    Ok(())
}

/// Whether somebody looked at it.
fn is_reviewed(path: &Path) -> bool {
    /// What is read of it.
    #[derive(Deserialize)]
    struct Review {
        reviewed_by: Option<String>,
    }
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let bytes = Packing::of(&name)
        .and_then(|packing| archive::member(packing, path, "REVIEW.json", MOST_BYTES).ok()?);
    let review: Option<Review> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let named = review.and_then(|review| review.reviewed_by);
    named.is_some_and(|name| name.chars().any(char::is_alphanumeric))
}

fn told(path: &Path) -> Option<Manifest> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let packing = Packing::of(&name)?;
    // Whatever cannot be opened is no bundle of ours.
    let bytes = archive::member(packing, path, "manifest.json", MOST_BYTES).ok()??;
    let manifest: Manifest = serde_json::from_slice(&bytes).ok()?;
    (manifest.schema == "gonogo/case/v1").then_some(manifest)
}
