//! Profiles: what gonogo knows of a product before the inventory says anything. Those built in are data
//! files beside this one; a user writes the same format, and names the file. Knows where a profile
//! comes from, not what it means.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::LazyLock;

use super::discover::Discover;
use super::forbidden::{Never, Rules};
use super::page::{Page, Text};
use super::raw::{Artifact, Raw};
use super::{read, yaml};
use crate::problem::{Place, Problem};
use crate::text;

/// Name and text of each built-in profile.
pub(super) const BUILT_IN: [(&str, &str); 12] = [
    ("amps", include_str!("profiles/amps.yaml")),
    ("postgresql", include_str!("profiles/postgresql.yaml")),
    ("mysql", include_str!("profiles/mysql.yaml")),
    ("mariadb", include_str!("profiles/mariadb.yaml")),
    ("mongodb", include_str!("profiles/mongodb.yaml")),
    ("redis", include_str!("profiles/redis.yaml")),
    ("kafka", include_str!("profiles/kafka.yaml")),
    ("rabbitmq", include_str!("profiles/rabbitmq.yaml")),
    ("elasticsearch", include_str!("profiles/elasticsearch.yaml")),
    ("opensearch", include_str!("profiles/opensearch.yaml")),
    ("nginx", include_str!("profiles/nginx.yaml")),
    ("haproxy", include_str!("profiles/haproxy.yaml")),
];

/// What is never run on any host, in the same format.
pub(super) const ALL: (&str, &str) = ("all", include_str!("profiles/all.yaml"));

/// What runs before 0.3 went by: they keep no copy, and what they said must be what it was.
const FROZEN: [(&str, &str); 1] = [("amps", include_str!("profiles/frozen/amps-0.2.yaml"))];

/// How the names of a profile's copies in a run end.
pub const PROFILE_END: &str = ".profile.yaml";

/// Largest profile read, in bytes.
const MOST_BYTES: u64 = 1 << 20;

/// A profile as written.
#[derive(Clone, Debug, Default)]
pub(super) struct Profile {
    /// What it is for.
    pub about: Option<Text>,
    pub vendor: Option<Text>,
    pub vars: Vec<Var>,
    pub never: Rules,
    pub discover: Option<Discover>,
    pub artifacts: Vec<Artifact>,
}

/// A placeholder of a profile.
#[derive(Clone, Debug)]
pub(super) struct Var {
    pub name: Text,
    /// What it stands for.
    pub about: Option<String>,
    /// Its value where the instance gives none.
    pub default: Option<String>,
    /// An instance that gives no value does without the artifacts that need one.
    pub optional: bool,
}

/// `never:` of everything built in.
static SHIPPED_RULES: LazyLock<Vec<(String, Rules)>> = LazyLock::new(|| {
    let all = std::iter::once(&ALL).chain(&BUILT_IN);
    let rules = all.filter_map(|(name, text)| {
        let mut page = Page::new(Path::new(name), text);
        page.turn_to_built_in();
        page.of_ours(true);
        let root = yaml::read(text, &mut page)?;
        Some(((*name).to_owned(), read::rules(&mut page, name, &root)?))
    });
    rules.collect()
});

/// A built-in profile, to be shown.
#[derive(Clone, Debug)]
pub struct Shipped {
    /// Its name; `all` is what is never run, whatever the product.
    pub name: &'static str,
    /// The file, as a user would write it.
    pub text: &'static str,
    /// What it is for.
    pub about: String,
    /// Its artifacts' names, in its order.
    pub artifacts: Vec<String>,
}

/// Every built-in profile; `all` comes last.
#[must_use]
pub fn shipped() -> Vec<Shipped> {
    let shipped = |(name, text): &(&'static str, &'static str)| {
        let mut page = Page::new(Path::new(name), text);
        page.turn_to_built_in();
        let profile = parse(&mut page, name, text).unwrap_or_default();
        let artifacts = profile.artifacts.into_iter();
        Shipped {
            name,
            text,
            about: profile.about.map(|about| about.value).unwrap_or_default(),
            artifacts: artifacts.map(|artifact| artifact.name.value).collect(),
        }
    };
    BUILT_IN
        .iter()
        .chain(std::iter::once(&ALL))
        .map(shipped)
        .collect()
}

/// The text of the built-in profile of that name, `all` among them.
#[must_use]
pub fn shipped_text(name: &str) -> Option<&'static str> {
    let mut all = BUILT_IN.iter().chain(std::iter::once(&ALL));
    all.find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Names of the built-in profiles.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(name, _)| *name)
}

/// Whether a product's `profile:` names a file.
pub(super) fn is_path(chosen: &str) -> bool {
    chosen.contains('/') || chosen.ends_with(".yaml") || chosen.ends_with(".yml")
}

/// Every profile that an inventory uses, by the name that it uses.
#[derive(Clone, Debug, Default)]
pub(super) struct Profiles(BTreeMap<String, Used>);

#[derive(Clone, Debug)]
struct Used {
    /// Name of its copy in a run.
    record: String,
    bytes: Vec<u8>,
    profile: Profile,
}

impl Profiles {
    /// Reads what `raw` uses; `folder` is what the paths in it start from. With `records` it is taken
    /// from what a run has kept, and from nowhere else.
    pub fn read(
        page: &mut Page<'_>,
        raw: &Raw,
        folder: &Path,
        records: Option<&BTreeMap<String, Vec<u8>>>,
    ) -> Self {
        let mut all = Self::default();
        for (index, product) in raw.products.iter().enumerate() {
            match &product.profile {
                Some(chosen) if is_path(&chosen.value) => {
                    if all.0.contains_key(&chosen.value) {
                        continue;
                    }
                    let record = record_name(index, &chosen.value);
                    let path = folder.join(&chosen.value);
                    let bytes = match records {
                        Some(records) => records.get(&record).cloned().ok_or_else(String::new),
                        None => from_disk(&path),
                    };
                    match bytes {
                        Ok(bytes) => all.add(page, &chosen.value, record, bytes, Some(&path)),
                        Err(why) => {
                            let message =
                                format!("cannot read the profile `{}`: {why}", chosen.value);
                            let hint = "a profile's path starts from the inventory's folder";
                            page.refuse(chosen.at, message, hint);
                        }
                    }
                }
                Some(chosen) => {
                    if !all.built_in(page, &chosen.value, records) {
                        refuse_profile(page, chosen);
                    }
                }
                None => drop(all.built_in(page, &product.name.value, records)),
            }
        }
        let used = raw.instances.iter().filter_map(|one| one.product.as_ref());
        for product in used {
            let declared = raw.products.iter();
            if !declared
                .into_iter()
                .any(|known| known.name.value == product.value)
            {
                all.built_in(page, &product.value, records);
            }
        }
        all
    }

    /// The profile of that name, when there is one.
    pub fn find(&self, name: &str) -> Option<&Profile> {
        self.0.get(name).map(|used| &used.profile)
    }

    /// What is never run where this inventory is used: what any built-in profile says, since nobody can
    /// tell a product by its host, and what those of the user's say.
    pub fn never(&self) -> Never {
        let own = self.0.iter().filter(|(name, _)| is_path(name));
        let own = own.map(|(name, used)| (name.clone(), used.profile.never.clone()));
        Never::new(SHIPPED_RULES.iter().cloned().chain(own).collect())
    }

    /// How each product is known among the processes of a host: those built in, and those of the user's by
    /// the name that `product_of` gives for what the inventory calls it.
    pub fn discoveries(&self, product_of: impl Fn(&str) -> Option<String>) -> Vec<Discover> {
        let built_in = BUILT_IN.iter().filter_map(|(name, text)| {
            let mut page = Page::new(Path::new(name), text);
            page.turn_to_built_in();
            parse(&mut page, name, text)?.discover
        });
        let own = self.0.iter().filter(|(name, _)| is_path(name));
        let own = own.filter_map(|(name, used)| {
            Some(Discover {
                product: product_of(name)?,
                ..used.profile.discover.clone()?
            })
        });
        own.chain(built_in).collect()
    }

    /// Their texts, by the names under which a run keeps them.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let all = self.0.values();
        all.map(|used| (used.record.as_str(), used.bytes.as_slice()))
    }

    /// False when there is no such profile.
    fn built_in(
        &mut self,
        page: &mut Page<'_>,
        name: &str,
        records: Option<&BTreeMap<String, Vec<u8>>>,
    ) -> bool {
        if self.0.contains_key(name) {
            return true;
        }
        let record = format!("{name}{PROFILE_END}");
        let shipped = |all: &[(&str, &str)]| {
            let found = all.iter().find(|(known, _)| *known == name);
            found.map(|(_, text)| text.as_bytes().to_vec())
        };
        let bytes = match records {
            None => shipped(&BUILT_IN),
            Some(records) if records.keys().any(|name| name.ends_with(PROFILE_END)) => {
                records.get(&record).cloned()
            }
            Some(_) => shipped(&FROZEN),
        };
        let Some(bytes) = bytes else { return false };
        self.add(page, name, record, bytes, None);
        true
    }

    fn add(
        &mut self,
        page: &mut Page<'_>,
        name: &str,
        record: String,
        bytes: Vec<u8>,
        path: Option<&Path>,
    ) {
        let Ok(written) = std::str::from_utf8(&bytes) else {
            let place = Place::whole(path.unwrap_or(Path::new(&record)));
            page.add(Problem::new(place, "not UTF-8 text").with_hint("save the file as UTF-8"));
            return;
        };
        let written = written.strip_prefix('\u{feff}').unwrap_or(written);
        match path {
            Some(path) => page.turn_to(path, written),
            None => page.turn_to_built_in(),
        }
        let profile = parse(page, name, written).unwrap_or_default();
        page.back();
        let used = Used {
            record,
            bytes,
            profile,
        };
        self.0.insert(name.to_owned(), used);
    }
}

/// A copy that a run has kept may be another text under a name of ours.
fn is_shipped(written: &str) -> bool {
    let mut all = BUILT_IN.iter().chain(&FROZEN).chain(std::iter::once(&ALL));
    all.any(|(_, text)| *text == written)
}

/// Reads one profile; `page` is turned to it.
fn parse(page: &mut Page<'_>, name: &str, written: &str) -> Option<Profile> {
    let before = page.refusals();
    page.of_ours(is_shipped(written));
    let root = yaml::read(written, page).filter(|root| !root.is_null());
    let Some(root) = root else {
        if page.refusals() == before {
            let at = page.mark(1, 1);
            let hint = "`gonogo profiles show amps` prints one to begin with";
            page.refuse(at, "the profile is empty", hint);
        }
        return None;
    };
    read::profile(page, name, &root)
}

/// `product-2-ours.profile.yaml`; the number keeps names apart that look alike in ASCII.
fn record_name(product: usize, path: &str) -> String {
    let stem = Path::new(path).file_stem().unwrap_or_default();
    let portable = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let stem: String = stem
        .to_string_lossy()
        .chars()
        .take(40)
        .map(portable)
        .collect();
    format!("product-{}-{stem}{PROFILE_END}", product + 1)
}

fn from_disk(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| {
        // A byte more than allowed tells too large from just right.
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes)
    });
    match read {
        Err(error) => Err(error.to_string()),
        Ok(_) if bytes.len() as u64 > MOST_BYTES => {
            Err("this is too large to be a profile".to_owned())
        }
        Ok(_) => Ok(bytes),
    }
}

fn refuse_profile(page: &mut Page<'_>, chosen: &Text) {
    let mut hint = text::did_you_mean(&chosen.value, names());
    if hint.is_empty() {
        let known: Vec<&str> = names().collect();
        hint = format!(
            "profiles: {}; or the path of a file, with a `/` or `.yaml` in it",
            known.join(", ")
        );
    }
    let message = format!("there is no profile `{}`", chosen.value);
    page.refuse(chosen.at, message, hint);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_reads_without_a_problem() {
        for (name, text) in BUILT_IN.iter().chain(&FROZEN).chain([&ALL]) {
            // Ours word for word are taken as sound; anything else is compiled as it is read.
            for text in [(*text).to_owned(), format!("{text}\n")] {
                let mut page = Page::new(Path::new(name), &text);
                let profile = parse(&mut page, name, &text).unwrap();
                assert_eq!(page.is_shipped(), !text.ends_with("\n\n"), "{name}");
                assert_eq!(page.into_problems(), [], "{name}");
                assert_eq!(profile.artifacts.is_empty(), *name == ALL.0, "{name}");
            }
        }
        assert!(names().all(|name| name != "ampz"));
    }

    /// Of a run on record a profile is read by the name of ours, whatever it says.
    #[test]
    fn what_only_goes_by_a_name_of_ours_is_compiled_as_it_is_read() {
        let text = format!("{}\n", ALL.1).replacen("with: ", "with: '(' #", 1);
        let mut page = Page::new(Path::new("all"), &text);
        page.turn_to_built_in();
        parse(&mut page, "all", &text);
        let problems = page.into_problems();
        assert!(
            problems
                .iter()
                .any(|one| one.hint.contains("not a regular expression")),
            "{problems:?}"
        );
    }

    #[test]
    fn the_rules_of_a_profile_are_those_of_the_whole_profile() {
        for (name, rules) in SHIPPED_RULES.iter() {
            let text = shipped_text(name).unwrap();
            let mut page = Page::new(Path::new(name), text);
            let never = parse(&mut page, name, text).unwrap().never;
            assert_eq!(format!("{rules:?}"), format!("{never:?}"), "{name}");
        }
        assert_eq!(SHIPPED_RULES.len(), BUILT_IN.len() + 1);
    }

    #[test]
    fn every_artifact_of_a_profile_says_where_its_facts_come_from() {
        for (name, text) in BUILT_IN {
            let mut page = Page::new(Path::new(name), text);
            let profile = parse(&mut page, name, text).unwrap();
            assert!(
                profile.about.is_some() && profile.vendor.is_some(),
                "{name}"
            );
            for artifact in &profile.artifacts {
                let about = &artifact.about;
                let whose = format!("{name}: {}", artifact.name.value);
                assert!(about.source.is_some(), "{whose}: source");
                assert!(about.needs.is_some(), "{whose}: needs");
                assert_eq!(about.checked.as_deref(), Some("2026-11-21"), "{whose}");
            }
            for var in &profile.vars {
                assert!(var.about.is_some(), "{name}: {}", var.name.value);
            }
        }
    }
}
