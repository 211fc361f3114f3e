//! What an inventory says of a configuration beyond its path: where its includes may lead, which
//! setting names the instance, and which settings destroy evidence. Reads no configuration.

use std::sync::Arc;

use super::Pattern;

/// The keys of a configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigurationKeys<T = String> {
    /// `includes:`: files that its include directives may name; each is retrieved with it.
    pub includes: Option<Vec<T>>,
    /// `name:`: the setting whose value is the instance's name, such as `AMPSConfig/Name`.
    pub name: Option<String>,
    /// `shipped:`: files on the host that the product ships as a sample.
    pub shipped: Option<Vec<T>>,
    /// `running:`: the artifact of the same instance that is the configuration in use.
    pub running: Option<String>,
    /// `findings:`: settings that destroy evidence; all instances of a product share them.
    pub findings: Option<Arc<[Finding]>>,
}

/// A setting that must not stand as it does.
///
/// Paths match from the right, whole parts only: `Admin/FileName` is meant wherever it stands. A part may
/// have `*` in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Judged for each container of that path by itself, the other paths being looked for in it.
    pub each: Option<String>,
    /// What is found.
    pub what: Condition,
    /// Only where this holds too.
    pub when: Option<Condition>,
    /// Not where this holds.
    pub unless: Option<Condition>,
    /// What is wrong with that.
    pub says: String,
    /// What to do about it.
    pub hint: String,
}

/// What is said of a setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Path of the setting, its parts joined by `/`.
    pub setting: String,
    /// Holds when a value matches; `None`: when the setting is not there at all.
    pub is: Option<Pattern>,
}

impl<T> ConfigurationKeys<T> {
    /// Nothing said.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            includes: None,
            name: None,
            shipped: None,
            running: None,
            findings: None,
        }
    }

    /// What `self` leaves open is taken from `base`.
    #[must_use]
    pub fn over(self, base: &Self) -> Self
    where
        T: Clone,
    {
        Self {
            includes: self.includes.or_else(|| base.includes.clone()),
            name: self.name.or_else(|| base.name.clone()),
            shipped: self.shipped.or_else(|| base.shipped.clone()),
            running: self.running.or_else(|| base.running.clone()),
            findings: self.findings.or_else(|| base.findings.clone()),
        }
    }

    /// Every text that has placeholders.
    pub fn texts(&self) -> impl Iterator<Item = &T> {
        let includes = self.includes.iter().flatten();
        includes.chain(self.shipped.iter().flatten())
    }

    /// The same with each text filled; `None` when one could not be.
    pub fn fill<U>(&self, mut fill: impl FnMut(&T) -> Option<U>) -> Option<ConfigurationKeys<U>> {
        let mut all = |texts: &Option<Vec<T>>| match texts {
            None => Some(None),
            Some(texts) => texts
                .iter()
                .map(&mut fill)
                .collect::<Option<Vec<U>>>()
                .map(Some),
        };
        Some(ConfigurationKeys {
            includes: all(&self.includes)?,
            name: self.name.clone(),
            shipped: all(&self.shipped)?,
            running: self.running.clone(),
            findings: self.findings.clone(),
        })
    }
}
