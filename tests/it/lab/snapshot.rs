//! A file tree as data, so that two of them can be compared: what a write would have changed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use gonogo::digest::Sha256;

/// Type and mode, owner, size, times of change, content. Access times may change by reading.
pub type Tree = BTreeMap<PathBuf, String>;

/// Every entry below `root`, itself included, by its path relative to it.
pub fn snapshot(root: &Path) -> Tree {
    let mut tree = Tree::new();
    add(root, root, &mut tree);
    tree
}

fn add(root: &Path, path: &Path, tree: &mut Tree) {
    let stat = fs::symlink_metadata(path).unwrap();
    let content = if stat.is_file() {
        Sha256::of(&fs::read(path).unwrap()).to_string()
    } else {
        String::new()
    };
    let told = format!(
        "{:o} {}:{} {} {}.{} {}.{} {content}",
        stat.mode(),
        stat.uid(),
        stat.gid(),
        stat.size(),
        stat.mtime(),
        stat.mtime_nsec(),
        stat.ctime(),
        stat.ctime_nsec(),
    );
    tree.insert(path.strip_prefix(root).unwrap().to_owned(), told);
    if stat.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            add(root, &entry.unwrap().path(), tree);
        }
    }
}
