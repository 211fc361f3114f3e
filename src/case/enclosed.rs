//! The finished request that goes along in a bundle, to the byte: whoever opens the archive reads what is wrong beside
//! the artifacts. It names host, contacts and versions on purpose; that no secret stands in it says the proof.

use std::path::Path;

use super::{Order, Refused, draft};
use crate::report::drill::{names, request, versions};
use crate::sign::manifest::read_regular;
use crate::text::escape;

/// What it is called in the bundle.
pub(super) const NAME: &str = "request.txt";
const MOST_BYTES: u64 = 1 << 20;
/// How many fields are named.
const NAMED: usize = 5;

/// The request at `path`, where it is finished and about the order's instance.
pub(super) fn read(path: &Path, order: &Order<'_>) -> Result<Vec<u8>, Refused> {
    let shown = escape(&path.to_string_lossy()).into_owned();
    let bytes = read_regular(path, MOST_BYTES).map_err(|error| {
        let why = format!("cannot read the request `{shown}`: {error}");
        Refused::Usage(why, "name a regular file of at most 1 MiB")
    })?;
    judge(&bytes, order).map_err(|why| {
        Refused::Usage(
            format!("`{shown}` is no finished request: {why}"),
            "write it by `gonogo case draft` of this run, this instance and the inventory that the run keeps",
        )
    })?;
    Ok(bytes)
}

fn judge(bytes: &[u8], order: &Order<'_>) -> Result<(), String> {
    request(bytes)?;
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not a text in UTF-8".to_owned())?;
    let name = order.instance;
    if !names(text, name) {
        return Err(format!("it does not name instance `{}`", escape(name)));
    }
    let read = versions(order.report, name);
    // Of what is broken a version may be what nobody could read.
    if !read.is_empty() && !read.iter().any(|version| names(text, version)) {
        let read: Vec<&str> = read.into_iter().collect();
        return Err(format!(
            "it does not name the version that was read of `{}` ({})",
            escape(name),
            escape(&read.join(" or "))
        ));
    }
    let vendor = order.inventory.instance(name);
    let vendor = vendor.and_then(|one| order.inventory.vendor(one.vendor.as_deref()?));
    if vendor.is_none_or(|vendor| vendor.request_template.is_none()) {
        return Ok(());
    }
    draft::finished(text, order.report, order.inventory, name, order.signer).map_err(|mut wrong| {
        wrong.truncate(NAMED);
        let wrong = wrong.join("; ");
        format!(
            "it is not the vendor's template, filled in: {}",
            escape(&wrong)
        )
    })
}
