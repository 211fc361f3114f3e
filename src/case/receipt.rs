//! Receipts: what was handed to a vendor, when, where, and how much is known of its arrival. One JSON file a
//! delivery.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::deliver::{Order, Plan, Wrong};
use crate::intake::{Arrived, Compared, Refused};
use crate::inventory::IntakeTo;
use crate::time::rfc3339;

/// Value of [`Receipt::schema`].
pub const SCHEMA: &str = "gonogo/receipt/v1";
/// How the names of receipts end.
pub const END: &str = ".receipt.json";
/// What a signature over one is for.
pub const NAMESPACE: &str = "gonogo-receipt@gonogo";

const MOST_BYTES: u64 = 1 << 20;

/// One delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// `gonogo/receipt/v1`.
    pub schema: String,
    /// What sent it.
    pub tool: String,
    /// `environment:` of the inventory.
    pub environment: String,
    /// To whom.
    pub vendor: String,
    /// Which of its ways, from 1.
    pub intake: usize,
    /// `sftp`, `https` or `e-mail`.
    pub kind: String,
    /// Where it lies, or was to.
    pub place: String,
    /// The vendor's number of the case.
    pub case: Option<String>,
    /// What the case is about.
    pub instance: Option<String>,
    /// Whether it only tried the process.
    pub process_test: bool,
    /// The file here.
    pub file: String,
    /// What it is called there.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its digest.
    pub sha256: String,
    /// RFC 3339, UTC.
    pub started: String,
    /// RFC 3339, UTC.
    pub finished: String,
    /// `delivered`, `damaged` or `not delivered`.
    pub outcome: String,
    /// `read back`, `digest stated`, `size only`, `accepted by the mail server` or `not known`.
    pub arrival: String,
    /// What the intake answered, where that matters.
    pub answer: Option<String>,
    /// What else of it is there.
    pub left: Option<String>,
    /// Why it was not delivered.
    pub why: Option<String>,
}

impl Receipt {
    pub(super) fn of(
        order: &Order<'_>,
        plan: &Plan<'_>,
        sent: &Result<Arrived, Refused>,
        started: Timestamp,
        finished: Timestamp,
    ) -> Self {
        let (outcome, arrival) = match sent {
            Ok(arrived) => (
                "delivered",
                match arrived.compared {
                    Some(Compared::ReadBack) => "read back",
                    Some(Compared::Stated) => "digest stated",
                    Some(Compared::Size) => "size only",
                    Some(Compared::Accepted) => "accepted by the mail server",
                    None => "not known",
                },
            ),
            Err(refused) if refused.damaged => ("damaged", "another digest"),
            Err(_) => ("not delivered", "not known"),
        };
        let arrived = sent.as_ref().ok();
        let refused = sent.as_ref().err();
        let left = arrived.map_or_else(
            || refused.and_then(|refused| refused.left.clone()),
            |arrived| arrived.left.clone(),
        );
        Self {
            schema: SCHEMA.to_owned(),
            tool: format!("gonogo {}", env!("CARGO_PKG_VERSION")),
            environment: order.inventory.environment.clone(),
            vendor: plan.vendor.name.clone(),
            intake: plan.way,
            kind: kind(&plan.intake.to).to_owned(),
            place: plan.place(),
            case: order.case.map(str::to_owned),
            instance: order.instance.map(str::to_owned),
            process_test: order.is_test,
            file: plan.parcel.path.to_string_lossy().into_owned(),
            name: plan.parcel.name.clone(),
            bytes: plan.parcel.bytes,
            sha256: plan.parcel.sha256.to_string(),
            started: rfc3339(started),
            finished: rfc3339(finished),
            outcome: outcome.to_owned(),
            arrival: arrival.to_owned(),
            answer: arrived.and_then(|arrived| arrived.answer.clone()),
            left,
            why: refused.map(|refused| refused.why.clone()),
        }
    }
}

/// The word of the inventory for that way.
#[must_use]
pub const fn kind(to: &IntakeTo) -> &'static str {
    match to {
        IntakeTo::Sftp { .. } => "sftp",
        IntakeTo::Https { .. } => "https",
        IntakeTo::Email { .. } => "e-mail",
    }
}

/// Every receipt in a folder. One that cannot be read could be that of a process test: it is a reason to stop.
pub(super) fn read_all(folder: &Path) -> Result<Vec<Receipt>, Wrong> {
    let no = |path: &Path, why: String| {
        (
            format!("`{}` cannot be read: {why}", path.display()),
            "--receipts names the folder in which all receipts are kept".to_owned(),
        )
    };
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| no(folder, error.to_string()))? {
        let path = entry.map_err(|error| no(folder, error.to_string()))?.path();
        if !path.to_string_lossy().ends_with(END) {
            continue;
        }
        let found = fs::metadata(&path).map_err(|error| no(&path, error.to_string()))?;
        if !found.is_file() || found.len() > MOST_BYTES {
            return Err(no(&path, "it is no receipt".to_owned()));
        }
        let bytes = fs::read(&path).map_err(|error| no(&path, error.to_string()))?;
        let receipt: Receipt =
            serde_json::from_slice(&bytes).map_err(|error| no(&path, error.to_string()))?;
        if receipt.schema != SCHEMA || receipt.started.parse::<Timestamp>().is_err() {
            return Err(no(&path, "it is no receipt of this version".to_owned()));
        }
        all.push(receipt);
    }
    Ok(all)
}
