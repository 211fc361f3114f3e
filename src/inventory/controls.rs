//! `controls.yaml`: which controls of which catalogues a tag stands for. Read as strictly as an inventory, all
//! problems at once. Knows no report: a control that stands here is supported by what was tested, never satisfied.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::fields::{self, Keys};
use super::page::{Page, Text};
use super::yaml::{self, Node};
use crate::problem::{Place, Problem, Problems};

/// The mapping that is used where none is named, and the file to copy and edit.
pub const BUILT_IN: &str = include_str!("../../docs/controls.yaml");

/// A tag that names a control itself begins so: `@control:nist/ir-3`.
pub const PREFIX: &str = "@control:";

const MOST_BYTES: u64 = 4 << 20;

/// One control of one catalogue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Control {
    /// Key of the catalogue, such as `nist`.
    pub catalog: String,
    /// Its id there, such as `ir-3`.
    pub id: String,
}

/// A catalogue of controls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    /// What people call it.
    pub title: String,
    /// What a reader must know of it, such as what is not covered.
    pub remarks: Option<String>,
}

/// Which tags stand for which controls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Controls {
    /// By key.
    pub catalogs: BTreeMap<String, Catalog>,
    /// By tag, `@` included.
    pub tags: BTreeMap<String, Vec<Control>>,
}

impl Controls {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// Every problem at once; that it cannot be read is one too.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        let whole = |message: String| {
            let problem = Problem::new(Place::whole(path), message);
            Problems::from(problem.with_hint("`gonogo controls` prints one to copy and edit"))
        };
        match std::fs::metadata(path) {
            Ok(found) if !found.is_file() || found.len() > MOST_BYTES => {
                Err(whole("this is no file of controls".to_owned()))
            }
            _ => match std::fs::read(path) {
                Ok(bytes) => Self::parse(path, &bytes),
                Err(error) => Err(whole(format!("cannot read the controls: {error}"))),
            },
        }
    }

    /// Reads a mapping from `bytes`; `path` names it in problems.
    ///
    /// # Errors
    /// Every problem at once, in the order of the file.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Problems> {
        let text = super::utf8(path, bytes)?;
        let mut page = Page::new(path, text);
        let controls = yaml::read(text, &mut page).map(|root| read(&mut page, &root));
        if page.refusals() > 0 {
            return Err(page.into_problems().into());
        }
        match controls.flatten() {
            Some(controls) if !controls.catalogs.is_empty() => Ok(controls),
            _ => {
                let problem = Problem::new(Place::whole(path), "the file names no catalogue");
                let hint = "`gonogo controls` prints one to copy and edit";
                Err(problem.with_hint(hint).into())
            }
        }
    }

    /// The mapping that comes with gonogo.
    ///
    /// # Errors
    /// Never: a test reads it.
    pub fn built_in() -> Result<Self, Problems> {
        Self::parse(Path::new("controls.yaml"), BUILT_IN.as_bytes())
    }

    /// The controls that `tags` stand for, each once.
    ///
    /// # Errors
    /// The first tag that begins like one of a control and names none of a known catalogue.
    pub fn of<'t>(&self, tags: &'t [String]) -> Result<BTreeSet<Control>, &'t str> {
        let mut found = BTreeSet::new();
        for tag in tags {
            // Reports have tags without their `@`.
            let whole = format!("@{}", tag.strip_prefix('@').unwrap_or(tag));
            if let Some(named) = whole.strip_prefix(PREFIX) {
                let control = control(named).filter(|one| self.catalogs.contains_key(&one.catalog));
                found.insert(control.ok_or(tag.as_str())?);
            }
            found.extend(self.tags.get(&whole).into_iter().flatten().cloned());
        }
        Ok(found)
    }
}

fn control(text: &str) -> Option<Control> {
    let (catalog, id) = text.split_once('/')?;
    (is_word(catalog) && is_word(id)).then(|| Control {
        catalog: catalog.to_owned(),
        id: id.to_owned(),
    })
}

fn is_word(text: &str) -> bool {
    text.len() <= 60
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && (text.chars()).all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

fn read(page: &mut Page<'_>, root: &Node<'_>) -> Option<Controls> {
    let mut keys = Keys::of(page, root, "the file", root.at)?;
    let catalogs = keys.require("catalogs", "{nist: {title: NIST SP 800-53}}");
    let tags = keys.require("tags", "{\"@artifact:log\": [nist/au-6]}");
    keys.done(page);
    let mut controls = Controls::default();
    for entry in fields::entries(page, catalogs?, "`catalogs`")? {
        if !is_word(&entry.key) {
            let message = format!("catalogue `{}`", entry.key);
            page.refuse(
                entry.at,
                message,
                "a catalogue is named by letters, digits and `._-`",
            );
            continue;
        }
        let owner = format!("catalogue `{}`", entry.key);
        let Some(mut keys) = Keys::of(page, &entry.value, owner, entry.at) else {
            continue;
        };
        let title = keys.require("title", "NIST SP 800-53 Rev. 5");
        let remarks = keys.take("remarks");
        keys.done(page);
        let value = |text: Option<Text>| text.map(|text| text.value);
        let title = value(title.and_then(|node| fields::text(page, node, "title")));
        let remarks = value(remarks.and_then(|node| fields::text(page, node, "remarks")));
        let title = title.unwrap_or_default();
        let catalog = Catalog { title, remarks };
        controls
            .catalogs
            .insert(entry.key.clone().into_owned(), catalog);
    }
    for entry in fields::entries(page, tags?, "`tags`")? {
        if !entry.key.starts_with('@') || entry.key.starts_with(PREFIX) {
            let hint = "write a tag of your features, such as \"@artifact:log\"; `@control:…` names a control by itself";
            page.refuse(
                entry.at,
                format!("`{}` stands for no control", entry.key),
                hint,
            );
            continue;
        }
        let listed = fields::list(page, &entry.value, &entry.key, |page, node| {
            let text = fields::text(page, node, "control")?;
            let found = control(&text.value);
            match found.filter(|found| controls.catalogs.contains_key(&found.catalog)) {
                Some(found) => Some(found),
                None => {
                    let hint = "write CATALOG/ID with a key of `catalogs`, such as nist/ir-6.3";
                    page.refuse(text.at, format!("`{}` is no control", text.value), hint);
                    None
                }
            }
        });
        if let Some(listed) = listed {
            controls
                .tags
                .insert(entry.key.clone().into_owned(), listed.value);
        }
    }
    Some(controls)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Controls, String> {
        Controls::parse(Path::new("c.yaml"), text.as_bytes()).map_err(|all| all.to_string())
    }

    fn tags(tags: &[&str]) -> Vec<String> {
        tags.iter().map(|&tag| tag.to_owned()).collect()
    }

    #[test]
    fn the_built_in_mapping_maps_every_kind_of_artifact() {
        let controls = Controls::built_in().unwrap();
        for kind in ["version", "configuration", "log", "statistics"] {
            let tags = tags(&[&format!("artifact:{kind}")]);
            let found = controls.of(&tags);
            let catalogs: BTreeSet<_> = found.unwrap().into_iter().map(|one| one.catalog).collect();
            assert_eq!(catalogs.len(), 4, "{kind}: {catalogs:?}");
        }
        assert!(controls.catalogs["dora"].remarks.is_some());
    }

    #[test]
    fn a_scenario_names_controls_by_itself() {
        let controls = Controls::built_in().unwrap();
        let named = tags(&["@control:nist/ir-3", "slow", "control:nist/ir-3"]);
        let found = controls.of(&named);
        let found: Vec<_> = found.unwrap().into_iter().map(|one| one.id).collect();
        assert_eq!(found, ["ir-3"]);
        for tag in [
            "control:",
            "@control:",
            "@control:nist",
            "@control:nist/",
            "@control:x/ir-3",
        ] {
            assert_eq!(controls.of(&tags(&[tag])), Err(tag));
        }
        assert!(controls.of(&tags(&["@controls", "@x"])).unwrap().is_empty());
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let good = "catalogs: {nist: {title: N}}\ntags:\n  \"@a\": [nist/ac-1]\n";
        assert_eq!(parse(good).unwrap().tags["@a"][0].id, "ac-1");
        let bad = "catalogs: {nist: {titel: N}}\ntags:\n  a: [nist/ac-1]\n  \"@b\": [nits/ac-1, x, 'nist/ac 1']\nmore: 1\n";
        let told = parse(bad).unwrap_err();
        for word in [
            "titel",
            "`a` stands",
            "`nits/ac-1`",
            "`x`",
            "`nist/ac 1`",
            "`more`",
            "c.yaml:4:",
        ] {
            assert!(told.contains(word), "{word} in {told}");
        }
        for empty in [
            "",
            "{}",
            "catalogs: {}\ntags: {}\n",
            "[]",
            "catalogs: [",
            "tags: {}",
        ] {
            assert!(parse(empty).is_err(), "{empty}");
        }
        assert!(Controls::parse(Path::new("c"), b"\xff").is_err());
        assert!(Controls::load(Path::new("/nowhere/c.yaml")).is_err());
    }
}
