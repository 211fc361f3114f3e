//! When a vendor changes its service, and what it has announced.

use super::{Reading, day, hours, said};
use crate::inventory::fields::{self, Keys};
use crate::inventory::grammar;
use crate::inventory::page::{Mark, Page};
use crate::inventory::vendor::{Announced, Windows};
use crate::inventory::yaml::{Node, Value};

/// `none`, or hours.
pub(super) fn windows(
    page: &mut Page<'_>,
    node: &Node<'_>,
    at: Mark,
    reading: &mut Reading<'_>,
) -> Option<Windows> {
    if let Value::Scalar { text, plain: true } = &node.value
        && text == "none"
    {
        return Some(Windows::None);
    }
    let mut keys = Keys::of(page, node, "`release_windows`", at)?;
    let hours = hours::hours(page, &mut keys, at, reading);
    keys.done(page);
    hours.map(Windows::Weekly)
}

pub(super) fn announced(page: &mut Page<'_>, node: &Node<'_>) -> Option<Vec<Announced>> {
    let read = |page: &mut Page<'_>, item: &Node<'_>| {
        let mut keys = Keys::of(page, item, "a release of `announced`", item.at)?;
        let release = keys.require("release", "\"5.3.5\"");
        let release =
            release.and_then(|node| fields::checked(page, node, "release", grammar::stated));
        let date = day(page, &mut keys, "date");
        let action = said(page, &mut keys, "action");
        let due = day(page, &mut keys, "due");
        let done = day(page, &mut keys, "done");
        keys.done(page);
        let action = match (action, due) {
            (Some(action), Some(due)) => Some((action, due)),
            (None, None) if done.is_none() => None,
            (Some(_), None) => {
                let hint = "write `due: 2026-11-25`, the last day on which it may be done";
                page.refuse(
                    item.at,
                    "this release needs an action, and tells no day for it",
                    hint,
                );
                None
            }
            (None, _) => {
                let hint =
                    "write `action: …`, or leave out `due` and `done` where nothing has to be done";
                page.refuse(
                    item.at,
                    "this release tells no `action` that could be due or done",
                    hint,
                );
                None
            }
        };
        Some(Announced {
            release: release?.value,
            date,
            action,
            done,
        })
    };
    fields::list(page, node, "announced", read).map(|announced| announced.value)
}
