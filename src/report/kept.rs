//! A shard that a merged run keeps, opened: its record is the one that its manifest lists. Who signed the manifest is
//! asked in `verify/merged.rs`, what the shards come to in `run/merge.rs`.

use std::fmt::Display;

use super::read;
use super::schema::Report;
use super::sharded::{Piece, files_of};
use crate::digest::Sha256;
use crate::sign::manifest::{Manifest, ManifestSyntax};

/// What a merged run keeps of a shard.
pub struct Kept {
    /// Its SHA256SUMS, as its runner signed it.
    pub sums: Vec<u8>,
    /// The same, read.
    pub manifest: Manifest,
    /// Its record.
    pub report: Report,
}

/// Opens the shard at that place; `bytes_of` reads a file of the merged run.
///
/// # Errors
/// What is not as the merged run tells it.
pub fn open<E: Display>(
    at: usize,
    piece: &Piece,
    bytes_of: impl Fn(&str) -> Result<Vec<u8>, E>,
) -> Result<Kept, String> {
    let [record, sums, _] = files_of(at);
    let bytes_of = |name: &str| bytes_of(name).map_err(|error| error.to_string());
    let sums = bytes_of(&sums)?;
    if Sha256::of(&sums).to_string() != piece.manifest {
        return Err("its manifest is not the one recorded".to_owned());
    }
    let manifest: Manifest = String::from_utf8_lossy(&sums)
        .parse()
        .map_err(|fault: ManifestSyntax| fault.to_string())?;
    let record = bytes_of(&record)?;
    if manifest.digest("report.json") != Some(Sha256::of(&record)) {
        return Err("its record is not the one that was signed".to_owned());
    }
    Ok(Kept {
        report: read(&record).map_err(|fault| fault.to_string())?,
        sums,
        manifest,
    })
}
