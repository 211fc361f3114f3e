//! `discover:` of a profile, as written.

use super::never::{expression, program};
use crate::inventory::discover::{Discover, From, Place, Tell, To};
use crate::inventory::fields::{self, Keys};
use crate::inventory::grammar;
use crate::inventory::page::{Mark, Page};
use crate::inventory::yaml::Node;

/// `{programs: […], title: REGEX, arguments: REGEX, configuration: […], tells: […]}`
pub(super) fn discover(
    page: &mut Page<'_>,
    product: &str,
    node: &Node<'_>,
    at: Mark,
) -> Option<Discover> {
    let mut keys = Keys::of(page, node, "`discover`", at)?;
    let programs = keys.require("programs", "[redis-server]");
    let programs = programs.and_then(|node| fields::names(page, node, "programs", program));
    let title = keys.take("title");
    let title = title.and_then(|node| expression(page, node, "title"));
    let arguments = keys.take("arguments");
    let arguments = arguments.and_then(|node| expression(page, node, "arguments"));
    let places = keys.take("configuration");
    let places = places.and_then(|node| fields::list(page, node, "configuration", place));
    let tells = keys.take("tells");
    let tells = tells.and_then(|node| fields::list(page, node, "tells", tell));
    keys.done(page);
    let programs = programs?.value.into_iter();
    Some(Discover {
        product: product.to_owned(),
        format: None,
        programs: programs.map(|name| name.value).collect(),
        title,
        arguments,
        places: places.map(|places| places.value).unwrap_or_default(),
        tells: tells.map(|tells| tells.value).unwrap_or_default(),
    })
}

fn text(page: &mut Page<'_>, node: &Node<'_>, key: &str) -> Option<String> {
    fields::checked(page, node, key, grammar::printable).map(|text| text.value)
}

/// `{arguments: REGEX, file: NAME}` or `{place: PATH}`
fn place(page: &mut Page<'_>, node: &Node<'_>) -> Option<Place> {
    let mut keys = Keys::of(page, node, "a place", node.at)?;
    let (arguments, file) = (keys.take("arguments"), keys.take("file"));
    let path = keys.take("place");
    let place = match (arguments, path) {
        (Some(node), None) => {
            let file = file.and_then(|node| text(page, node, "file"));
            expression(page, node, "arguments").map(|found| Place::Arguments(found, file))
        }
        (None, Some(node)) => text(page, node, "place").map(Place::Path),
        _ => {
            let hint = "write `arguments: REGEX` with a group, or `place: PATH`: one of them";
            page.refuse(node.at, "this does not say where a configuration is", hint);
            None
        }
    };
    keys.done(page);
    place
}

const SOURCES: [(&str, From); 3] = [
    ("program", From::Program),
    ("arguments", From::Arguments),
    ("configuration", From::Configuration),
];

/// `{from: program | arguments | configuration, match: REGEX, value: TEXT, …}` or `{setting: PATH, …}`, and
/// one of `var: NAME`, `expect: name`, `path: ARTIFACT`, `rotated: ARTIFACT`, `mask: ARTIFACT`.
fn tell(page: &mut Page<'_>, node: &Node<'_>) -> Option<Tell> {
    let mut keys = Keys::of(page, node, "what is told", node.at)?;
    let from = match (keys.take("from"), keys.take("setting")) {
        (Some(node), None) => {
            let found = fields::parsed(page, node, "from", |word| {
                let found = SOURCES.iter().find(|(known, _)| *known == word);
                found
                    .map(|(_, from)| from.clone())
                    .ok_or_else(|| "write `program`, `arguments` or `configuration`".to_owned())
            });
            found.map(|found| found.value)
        }
        (None, Some(node)) => text(page, node, "setting").map(From::Setting),
        _ => {
            let hint = "write `from: program`, `arguments` or `configuration`, or `setting: PATH`";
            page.refuse(node.at, "this does not say by what it is told", hint);
            None
        }
    };
    let matches = keys.take("match");
    let matches = matches.and_then(|node| expression(page, node, "match"));
    let value = keys.take("value");
    let value = value.and_then(|node| text(page, node, "value"));
    let mut to = None;
    for (key, make) in [
        ("var", To::Var as fn(String) -> To),
        ("expect", |_| To::Name),
        ("path", To::Path),
        ("rotated", To::Rotated),
        ("mask", To::Mask),
    ] {
        if let Some(node) = keys.take(key) {
            to = text(page, node, key).map(make);
        }
    }
    keys.done(page);
    if to.is_none() {
        let hint = "write `var: NAME`, `expect: name`, or `path:`, `rotated:` or `mask:` with an artifact's name";
        page.refuse(node.at, "this does not say what it becomes", hint);
    }
    Some(Tell {
        from: from?,
        to: to?,
        matches,
        value,
    })
}
