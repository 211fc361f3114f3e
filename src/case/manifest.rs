//! What a bundle says of itself: `manifest.json` for programs, `REDACTION.md` for people, `SHA256SUMS`, and
//! `REVIEW.json`, the only part that tells who looked at it. Holds digests of what is sent alone: by that of a file that
//! was not redacted a short secret is guessed. What leads from one to the other stays at home (`origin.rs`).

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// Version of the shape.
pub(super) const SCHEMA: &str = "gonogo/case/v1";

/// `manifest.json`. Names in it are tokens, like those in the artifacts.
#[derive(Debug, Serialize)]
pub(super) struct Manifest {
    pub schema: &'static str,
    pub tool: String,
    pub run: String,
    pub run_manifest_sha256: String,
    pub environment: String,
    pub instance: String,
    pub product: String,
    pub host: String,
    pub window: Window,
    pub files: Vec<Member>,
    /// The request, where it goes along.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Enclosed>,
    /// What the run retrieved, and nothing tells what it holds.
    pub left_out: Vec<LeftOut>,
}

/// The request: as it was written, since it names hosts and people on purpose.
#[derive(Debug, Serialize)]
pub(super) struct Enclosed {
    pub file: &'static str,
    pub bytes: u64,
    pub sha256: String,
}

/// A file that is not in the bundle.
#[derive(Debug, Serialize)]
pub(super) struct LeftOut {
    pub artifact: String,
    pub source: String,
    pub why: String,
}

/// From the oldest entry to the newest, where logs and statistics tell.
#[derive(Debug, Default, Serialize)]
pub(super) struct Window {
    pub from: Option<String>,
    pub to: Option<String>,
}

/// One artifact's file.
#[derive(Debug, Serialize)]
pub(super) struct Member {
    pub file: String,
    pub artifact: String,
    pub kind: String,
    pub source: String,
    pub window: Window,
    pub bytes: u64,
    pub sha256: String,
    /// A list, since a secret rule reads `"password": 3` as one.
    pub redactions: Vec<Bite>,
}

/// How often a rule bit.
#[derive(Debug, Serialize)]
pub(super) struct Bite {
    pub rule: String,
    pub count: u64,
}

/// `REVIEW.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Review {
    pub reviewed_by: Option<String>,
    /// SHA-256 of the `SHA256SUMS` that was looked at.
    pub content: String,
}

/// `REDACTION.md`.
pub(super) fn page(manifest: &Manifest, names: &std::collections::BTreeMap<String, u64>) -> String {
    let mut page = format!(
        "# What was taken out\n\nInstance `{}` ({}), from run `{}`. Secrets stand as `[redacted]`. Whatever is not known to be\n\
         harmless stands as its kind and digits, the same in every file; what it stands for stays with us: quote the token and ask.\n\n\
         | file | rule | places |\n|---|---|---|\n",
        manifest.instance, manifest.product, manifest.run
    );
    for member in &manifest.files {
        if member.redactions.is_empty() {
            let _ = writeln!(page, "| {} | nothing to take out | 0 |", member.file);
        }
        for bite in &member.redactions {
            let _ = writeln!(page, "| {} | {} | {} |", member.file, bite.rule, bite.count);
        }
    }
    if let Some(request) = &manifest.request {
        let _ = writeln!(
            page,
            "| {} | goes along as it was written, with names | |",
            request.file
        );
    }
    for left in &manifest.left_out {
        let _ = writeln!(
            page,
            "| {} ({}) | left out: {} | |",
            left.source, left.artifact, left.why
        );
    }
    page.push_str("\n| kind of name | different names |\n|---|---|\n");
    for (class, count) in names {
        let _ = writeln!(page, "| {class} | {count} |");
    }
    page
}
