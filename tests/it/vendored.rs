//! What is vendored is the crate as it was published, and the patches beside it: nothing else, and nothing less.

use std::fs;
use std::path::Path;
use std::process::Command;

const PATCHES: [(&str, &str); 2] = [
    ("libssh2.patch", "libssh2-sys/libssh2"),
    ("libssh2-sys.patch", "libssh2-sys"),
];

fn vendored() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/vendor"))
}

/// A copy without the patches.
fn published() -> tempfile::TempDir {
    let scratch = tempfile::tempdir().unwrap();
    let copied = Command::new("cp")
        .arg("-r")
        .arg(vendored().join("libssh2-sys"))
        .arg(scratch.path())
        .status();
    assert!(copied.unwrap().success());
    for (patch, directory) in PATCHES {
        let taken_out = Command::new("patch")
            .args(["--reverse", "--fuzz=0", "--no-backup-if-mismatch", "-p1"])
            .arg("-i")
            .arg(vendored().join(patch))
            .current_dir(scratch.path().join(directory))
            .output()
            .unwrap();
        assert!(taken_out.status.success(), "{patch}: {taken_out:?}");
    }
    scratch
}

fn count(directory: &Path) -> usize {
    let entries = fs::read_dir(directory).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| if path.is_dir() { count(&path) } else { 1 })
        .sum()
}

fn is_published(scratch: &Path) -> bool {
    let list = vendored().join("published.sha256");
    let checked = Command::new("sha256sum")
        .args(["--check", "--strict", "--quiet"])
        .arg(&list)
        .current_dir(scratch)
        .output()
        .unwrap();
    let lines = fs::read_to_string(list).unwrap().lines().count();
    checked.status.success() && lines == count(scratch)
}

#[test]
fn it_is_what_was_published_but_for_the_patches() {
    let scratch = published();
    assert!(is_published(scratch.path()));
    // A byte more, and a file more.
    let source = scratch.path().join("libssh2-sys/libssh2/src/poly1305.c");
    let was = fs::read(&source).unwrap();
    fs::write(&source, [&was[..], b"\n"].concat()).unwrap();
    assert!(!is_published(scratch.path()));
    fs::write(&source, was).unwrap();
    assert!(is_published(scratch.path()));
    fs::write(source.with_file_name("more.c"), "").unwrap();
    assert!(!is_published(scratch.path()));
}

#[test]
fn it_is_the_version_that_is_asked_for() {
    let text = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        fs::read_to_string(path).unwrap()
    };
    let line = |text: &str, start: &str| {
        let mut lines = text.lines();
        let line = lines.find_map(|line| line.strip_prefix(start));
        line.unwrap_or_else(|| panic!("{start}")).to_owned()
    };
    let version = line(&text("scripts/vendor"), "version=");
    let own = line(&text("vendor/libssh2-sys/Cargo.toml"), "version = ");
    assert_eq!(own, format!("\"{version}\""));
    let wanted = line(&text("Cargo.toml"), "libssh2-sys = { version = ");
    assert!(wanted.starts_with(&format!("\"={version}\"")), "{wanted}");
}
