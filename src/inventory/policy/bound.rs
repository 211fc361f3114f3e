//! What a run must have been made for: a commit, a release, a time of go-live.

use super::Bound;
use super::read::REQUIRED;
use crate::digest::Sha256;
use crate::inventory::fields::{self, Keys};
use crate::inventory::page::Page;
use crate::time;

type Read = fn(&str) -> Result<String, String>;

/// `commit`, `release` and `go_live`.
pub(super) fn read(page: &mut Page<'_>, keys: &mut Keys<'_, '_>) -> [Option<Bound>; 3] {
    let all: [(&'static str, Read); 3] = [
        ("commit", commit_id),
        ("release", release_id),
        ("go_live", go_live),
    ];
    all.map(|(key, read)| {
        let node = keys.take(key)?;
        let parse = |text: &str| match text {
            REQUIRED => Ok(Bound::Named),
            text => read(text).map(Bound::To),
        };
        fields::parsed(page, node, key, parse).map(|bound| bound.value)
    })
}

fn commit_id(text: &str) -> Result<String, String> {
    let digits = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    match matches!(text.len(), 40 | 64) && text.chars().all(digits) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "write `{REQUIRED}`, or a whole commit id: 40 or 64 hexadecimal digits, lower case"
        )),
    }
}

fn release_id(text: &str) -> Result<String, String> {
    let digest = text.strip_prefix("sha256:").unwrap_or_default();
    let digest = digest.parse::<Sha256>();
    let hint = |_| format!("write `{REQUIRED}`, or `sha256:` and 64 hexadecimal digits");
    digest.map(|digest| digest.to_string()).map_err(hint)
}

/// In UTC: the same instant is the same in whatever zone it was written.
fn go_live(text: &str) -> Result<String, String> {
    let hint = |_| {
        format!(
            "write `{REQUIRED}`, or a time with its offset from UTC, such as 2026-12-02T01:30:00-08:00"
        )
    };
    time::instant(text).map(time::rfc3339).map_err(hint)
}
