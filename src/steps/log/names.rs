//! Whose log it is: the name that its entries give the instance.

use std::collections::BTreeSet;

use super::File;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, Instance};

pub(super) fn validate(instance: &Instance, artifact: &Artifact) -> Result<(), String> {
    if artifact.log.names.is_none() {
        return Err(format!(
            "artifact `{}` of instance `{}` does not say how its entries name the instance: write `names: REGEX`, its first group being the name",
            artifact.name, instance.name
        ));
    }
    match instance.expect_name {
        Some(_) => Ok(()),
        None => super::lacks(instance, "name"),
    }
}

/// A name may stand in one file of a rotated set only, such as in the banner of a start; none may be of
/// another instance.
pub(super) fn belong(files: &[File<'_>], expected: Option<&str>) -> Result<(), Failure> {
    let expected = expected.unwrap_or_default();
    let of = |file: &File<'_>| {
        file.seen
            .names
            .iter()
            .find(|name| *name != expected)
            .cloned()
    };
    let names: BTreeSet<&String> = files.iter().flat_map(|file| &file.seen.names).collect();
    let (actual, file) = match files.iter().find_map(|file| Some((of(file)?, file))) {
        None if names.is_empty() => ("no name in any entry".to_owned(), files.first()),
        None => return Ok(()),
        Some((other, file)) => (format!("name `{other}`"), Some(file)),
    };
    let failure = Failure::new(
        FailureKind::Mismatch,
        format!("the log of `{expected}`"),
        actual,
    )
    .with_hint("the artifact's path, a link on it, or the product's own configuration leads to another instance's log; or `names:` does not find the name, or `expect.name` in the inventory is out of date");
    Err(match file {
        Some(file) => failure.with_subject(file.path),
        None => failure,
    })
}
