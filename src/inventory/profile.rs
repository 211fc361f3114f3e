//! Built-in profiles: what gonogo knows of a product before the inventory says anything. Data files
//! beside this one, read by the same reader as the inventory itself.

use super::page::{Mark, Page, Spanned};
use super::raw::Product;
use super::{read, yaml};

const PROFILES: [(&str, &str); 1] = [("amps", include_str!("profiles/amps.yaml"))];

/// Names of all profiles.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PROFILES.iter().map(|(name, _)| *name)
}

/// The profile of that name.
pub(super) fn find(name: &str) -> Option<Product> {
    let (name, text) = PROFILES.iter().find(|(known, _)| *known == name)?;
    let mut page = Page::of_profile(name, text);
    let node = yaml::read(text, &mut page)?;
    let name = Spanned {
        at: Mark::BUILT_IN,
        value: (*name).to_owned(),
    };
    let profile = read::product(&mut page, name, &node);
    debug_assert!(page.refusals() == 0, "{:?}", page.into_problems());
    Some(profile)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_reads_without_a_problem() {
        for (name, text) in PROFILES {
            let mut page = Page::of_profile(name, text);
            let node = yaml::read(text, &mut page).unwrap();
            let at = Mark::BUILT_IN;
            let value = name.to_owned();
            let profile = read::product(&mut page, Spanned { at, value }, &node);
            assert_eq!(page.into_problems(), []);
            assert!(!profile.artifacts.is_empty(), "{name}");
        }
        assert!(find("ampz").is_none());
    }
}
