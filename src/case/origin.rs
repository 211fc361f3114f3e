//! From each file of a bundle to the evidence of the run that it was made of. It stays at home beside the map of names:
//! it holds digests of what was not redacted, by which whoever has the bundle could try secrets.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::manifest::Member;
use super::sources::Source;

/// Version of the shape; `sent.rs` knows the file by it.
pub(super) const SCHEMA: &str = "gonogo/origins/v1";

/// What stands before the version: a file that holds it never leaves.
pub(super) const MARK: &[u8] = b"gonogo/origins/v";

/// `OUT.origins.json`.
#[derive(Debug, Serialize)]
pub(super) struct Origins {
    pub schema: &'static str,
    pub run: String,
    pub run_manifest_sha256: String,
    /// SHA-256 of the bundle's `SHA256SUMS`, as in `REVIEW.json`.
    pub content_sha256: String,
    pub files: Vec<Origin>,
}

/// A file of the bundle, and what the run retrieved.
#[derive(Debug, Serialize)]
pub(super) struct Origin {
    /// Its name in the bundle.
    pub file: String,
    /// Its digest there.
    pub sha256: String,
    /// As the inventory calls it.
    pub artifact: String,
    /// The file on the host.
    pub source: String,
    /// Of what was retrieved, as the run states it.
    pub retrieved_bytes: u64,
    pub retrieved_sha256: String,
}

impl Origin {
    pub(super) fn of(member: &Member, source: &Source) -> Self {
        Self {
            file: member.file.clone(),
            sha256: member.sha256.clone(),
            artifact: source.artifact.clone(),
            source: source.evidence.path.clone(),
            retrieved_bytes: source.evidence.bytes,
            retrieved_sha256: source.evidence.sha256.clone(),
        }
    }
}

impl Origins {
    /// Keeps them beside the bundle `out`, for this account alone; a later build of it replaces them.
    pub(super) fn keep(&self, out: &Path) -> io::Result<PathBuf> {
        let mut name = out.as_os_str().to_owned();
        name.push(".origins.json");
        let path = PathBuf::from(name);
        let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut draft = tempfile::Builder::new()
            .prefix(".gonogo-origins-")
            .tempfile_in(folder.unwrap_or(Path::new(".")))?;
        let mut json = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        json.push(b'\n');
        draft.write_all(&json)?;
        draft.as_file().sync_all()?;
        draft.persist(&path).map_err(|error| error.error)?;
        Ok(path)
    }
}
