//! Finding feature files: their names and bytes, in one order, for the plan that reads them and for
//! `verify` that compares them. What is in them is the plan's business.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::digest::Sha256;
use crate::problem::{Place, Problem};

/// A feature file as found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureFile {
    /// How reports call it: the last directory of what the user named, and the path below it, such as
    /// `features/amps.feature`. The same on every machine.
    pub label: String,
    /// Where it was read.
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// SHA-256 of `bytes`.
    pub digest: Sha256,
}

// Deeper than any feature tree, and the end of a loop of symbolic links.
const DEPTH: usize = 16;
const MOST_BYTES: u64 = 16 << 20;

/// Every feature file that the arguments name, directories read recursively (symbolic links followed,
/// hidden names skipped), sorted by label.
///
/// # Errors
/// All problems: what is missing, unreadable, of another extension; a directory without any feature.
pub fn find(arguments: &[PathBuf]) -> Result<Vec<FeatureFile>, Vec<Problem>> {
    let mut found = BTreeMap::new();
    let mut problems = Vec::new();
    for argument in arguments {
        let before = found.len();
        let base = argument.canonicalize().ok();
        let name = |path: Option<&Path>| {
            path.and_then(Path::file_name)
                .map(|name| name.to_string_lossy().into_owned())
        };
        match fs::metadata(argument) {
            Err(error) => problems.push(refused(argument, &error)),
            Ok(kind) if kind.is_dir() => {
                let label = name(base.as_deref()).unwrap_or_default();
                walk(argument, &label, 0, &mut found, &mut problems);
                if found.len() == before && problems.is_empty() {
                    problems.push(
                        Problem::new(Place::whole(argument), "no .feature file in this directory")
                            .with_hint("name a directory that holds features, or a .feature file"),
                    );
                }
            }
            Ok(_)
                if argument
                    .extension()
                    .is_none_or(|extension| extension != "feature") =>
            {
                problems.push(Problem::new(
                    Place::whole(argument),
                    "not a feature: its name does not end in .feature",
                ));
            }
            Ok(_) => {
                let parent = name(base.as_deref().and_then(Path::parent)).unwrap_or_default();
                let file = name(Some(argument)).unwrap_or_default();
                take(
                    argument,
                    format!("{parent}/{file}"),
                    &mut found,
                    &mut problems,
                );
            }
        }
    }
    match problems.is_empty() {
        true => Ok(found.into_values().collect()),
        false => Err(problems),
    }
}

fn walk(
    directory: &Path,
    label: &str,
    depth: usize,
    found: &mut BTreeMap<String, FeatureFile>,
    problems: &mut Vec<Problem>,
) {
    if depth > DEPTH {
        problems.push(
            Problem::new(
                Place::whole(directory),
                "directories are nested too deeply, or a symbolic link leads back",
            )
            .with_hint("remove the link"),
        );
        return;
    }
    let entries =
        match fs::read_dir(directory).and_then(|entries| entries.collect::<io::Result<Vec<_>>>()) {
            Ok(entries) => entries,
            Err(error) => return problems.push(refused(directory, &error)),
        };
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.starts_with('.') {
            continue;
        }
        let label = format!("{label}/{name}");
        match fs::metadata(&path) {
            Ok(kind) if kind.is_dir() => walk(&path, &label, depth + 1, found, problems),
            Ok(kind) if kind.is_file() && name.ends_with(".feature") => {
                take(&path, label, found, problems)
            }
            // Left out unnoticed it would be a test that everybody believes is run.
            Ok(kind) if kind.is_file() && name.trim().to_lowercase().ends_with(".feature") => {
                problems.push(
                    Problem::new(
                        Place::whole(&path),
                        "not read: its name does not end in .feature, in lower case",
                    )
                    .with_hint("rename it, or give it another extension"),
                );
            }
            Err(error) if name.ends_with(".feature") => problems.push(refused(&path, &error)),
            _ => {}
        }
    }
}

fn take(
    path: &Path,
    label: String,
    found: &mut BTreeMap<String, FeatureFile>,
    problems: &mut Vec<Problem>,
) {
    let too_large = fs::metadata(path).is_ok_and(|kind| kind.len() > MOST_BYTES);
    let bytes = match fs::read(path) {
        _ if too_large => {
            return problems.push(Problem::new(
                Place::whole(path),
                "larger than 16 MiB: not a feature",
            ));
        }
        Err(error) => return problems.push(refused(path, &error)),
        Ok(bytes) => bytes,
    };
    let digest = Sha256::of(&bytes);
    let file = FeatureFile {
        label: label.clone(),
        path: path.to_owned(),
        bytes,
        digest,
    };
    match found.get(&label) {
        Some(other) if other.path.canonicalize().ok() != path.canonicalize().ok() => {
            let place = Place::whole(path);
            problems.push(
                Problem::new(
                    place,
                    format!("two files would both be called {label} in the report"),
                )
                .with_hint("rename one of their directories"),
            );
        }
        _ => drop(found.insert(label, file)),
    }
}

fn refused(path: &Path, error: &io::Error) -> Problem {
    let message = match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    Problem::new(
        Place::whole(path),
        format!("cannot read features: {message}"),
    )
    .with_hint("name feature files, or directories that hold some")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, *file).unwrap();
        }
        root
    }

    #[test]
    fn labels_are_the_same_however_the_files_are_named() {
        let root = tree(&[
            "features/b.feature",
            "features/a/x.feature",
            "features/.hidden/y.feature",
            "features/notes.txt",
        ]);
        let features = root.path().join("features");
        let labels = |arguments: &[PathBuf]| -> Vec<String> {
            find(arguments)
                .unwrap()
                .into_iter()
                .map(|file| file.label)
                .collect()
        };
        assert_eq!(
            labels(std::slice::from_ref(&features)),
            ["features/a/x.feature", "features/b.feature"]
        );
        assert_eq!(
            labels(&[features.join("b.feature")]),
            ["features/b.feature"]
        );
        assert_eq!(
            labels(&[features.join("."), features.join("b.feature")]),
            ["features/a/x.feature", "features/b.feature"]
        );
    }

    #[test]
    fn a_linked_directory_is_read_and_a_loop_ends() {
        let root = tree(&["real/a.feature"]);
        std::os::unix::fs::symlink(root.path().join("real"), root.path().join("linked")).unwrap();
        assert_eq!(find(&[root.path().join("linked")]).unwrap().len(), 1);
        std::os::unix::fs::symlink(root.path().join("real"), root.path().join("real/loop"))
            .unwrap();
        assert!(find(&[root.path().join("real")]).is_err());
    }

    #[test]
    fn nothing_found_is_a_problem_and_all_are_listed() {
        let root = tree(&["empty/notes.txt", "x/a.txt"]);
        let problems =
            find(&[root.path().join("missing"), root.path().join("x/a.txt")]).unwrap_err();
        assert_eq!(problems.len(), 2);
        assert!(
            find(&[root.path().join("empty")]).unwrap_err()[0]
                .message
                .contains("no .feature")
        );
        let shouted = tree(&[
            "f/a.feature",
            "f/B.Feature",
            "f/c.feature ",
            "f/d.feature.bak",
        ]);
        let problems = find(&[shouted.path().join("f")]).unwrap_err();
        assert_eq!(problems.len(), 2, "{problems:#?}");
        let twins = tree(&["one/features/a.feature", "two/features/a.feature"]);
        let both = ["one/features", "two/features"].map(|path| twins.path().join(path));
        assert!(
            find(&both).unwrap_err()[0]
                .message
                .contains("both be called")
        );
    }
}
