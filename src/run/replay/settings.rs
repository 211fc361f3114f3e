//! Whether a passed step about a configuration follows from the settings told with its evidence. Offline;
//! knows no file.

use crate::inventory::Artifact;
use crate::report::schema::{Evidence, Settings};
use crate::run::guard::matcher;
use crate::steps::configuration::Ask;

/// `files`: the evidence of `artifact`; `all`: that of the whole check.
pub(super) fn holds(ask: &Ask, artifact: &Artifact, files: &[&Evidence], all: &[Evidence]) -> bool {
    let told: Vec<&Settings> = files
        .iter()
        .filter_map(|file| file.settings.as_ref())
        .collect();
    let keys = &artifact.configuration;
    match ask {
        // `expect.name` is compared beside the other names.
        Ask::BelongsToInstance => true,
        // Records of 0.1 and 0.2 tell no settings.
        Ask::WellFormed => {
            let says_something = |one: &&Settings| one.settings > 0 || one.includes > 0;
            told.is_empty() || (told.len() == files.len() && told.iter().any(says_something))
        }
        Ask::Complete => {
            !files.is_empty() && told.len() == files.len() && told.iter().all(|one| one.complete)
        }
        Ask::NotShipped => {
            let patterns = keys.shipped.iter().flatten();
            let globs: Vec<_> = patterns.filter_map(|pattern| matcher(pattern)).collect();
            let is_shipped = |path: &String| globs.iter().any(|glob| glob.is_match(path));
            told.iter()
                .any(|one| !one.shipped.is_empty() && one.shipped.iter().all(is_shipped))
        }
        Ask::Running => told.iter().any(|one| {
            one.running.as_ref().is_some_and(|running| {
                keys.running.as_ref() == Some(&running.artifact)
                    && running.compared > 0
                    && running.differing == 0
                    && all.iter().any(|file| file.artifact == running.artifact)
            })
        }),
        Ask::KeepsEvidence => {
            let rules = keys.findings.as_ref().map(|rules| rules.len() as u64);
            told.iter()
                .any(|one| one.rules.is_some() && one.rules == rules)
        }
    }
}
