//! `drill:` of a policy: which rehearsal there must have been, as read and in words.

use super::read::{duration, folder, path, texts};
use super::{Folder, Policy, Rehearsed};
use crate::inventory::fields::{self, Keys};
use crate::inventory::grammar;
use crate::inventory::page::Page;
use crate::time;

pub(super) fn read(page: &mut Page<'_>, keys: &mut Keys<'_, '_>) -> Option<Rehearsed> {
    let within = keys.require("within", "92d");
    let within = within.and_then(|node| fields::parsed(page, node, "within", duration));
    let named = keys.take("folder");
    // What stands there and is none is told, and must not become another demand.
    let drills = match named {
        Some(node) => folder(page, node, "folder"),
        None => Some(Folder::Named),
    };
    let people = path(page, keys, "people");
    let vendors = texts(page, keys, "vendors", grammar::name);
    Some(Rehearsed {
        within: within?.value,
        drills: drills?,
        people,
        vendors: vendors.into_iter().map(|text| text.value).collect(),
    })
}

pub(super) fn say(policy: &Policy, lines: &mut Vec<String>, not: &mut Vec<&str>) {
    let Some(drill) = &policy.drill else {
        not.push("that the support process was rehearsed (`drill`)");
        return;
    };
    let folder = match &drill.drills {
        Folder::Named => "the folder that --drills FOLDER names".to_owned(),
        Folder::At(path) => format!("`{}`", path.display()),
    };
    let people = match &drill.people {
        None => "people whom --drill-people FILE names".to_owned(),
        Some(file) => format!("people of `{}`", file.display()),
    };
    let vendors = match drill.vendors.is_empty() {
        true => "each vendor of the run's inventory".to_owned(),
        false => {
            let names = drill.vendors.iter().map(|name| format!("`{name}`"));
            names.collect::<Vec<_>>().join(" and with ")
        }
    };
    lines.push(format!(
        "with {vendors} a drill in this environment passed that began at most {} ago: it is in the unbroken chain of {folder}, and was signed off by two {people}",
        time::say(drill.within)
    ));
}
