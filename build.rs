//! Refuses a build against the system's libssh2, and tells the library which one it was built with.
//! Nothing else.

use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LIBSSH2_SYS_USE_PKG_CONFIG");
    // facts: traps.md T12. Distributions carry libssh2 versions with known holes that a hostile
    // server can use, and no advisory database would tell.
    if std::env::var_os("LIBSSH2_SYS_USE_PKG_CONFIG").is_some() {
        fail("gonogo is built only with its own libssh2: unset LIBSSH2_SYS_USE_PKG_CONFIG");
    }
    let Some(include) = std::env::var_os("DEP_SSH2_INCLUDE") else {
        fail("libssh2-sys did not say where its headers are");
    };
    let header = PathBuf::from(include).join("libssh2.h");
    let Ok(text) = std::fs::read_to_string(&header) else {
        fail("the libssh2 header cannot be read");
    };
    let version = text.lines().find_map(|line| {
        let rest = line.strip_prefix("#define LIBSSH2_VERSION ")?;
        Some(rest.trim().trim_matches('"').to_owned())
    });
    match version {
        Some(version) => println!("cargo:rustc-env=GONOGO_LIBSSH2={version}"),
        None => fail("the libssh2 header states no version"),
    }
}

#[expect(
    clippy::exit,
    clippy::print_stderr,
    reason = "a build script has no caller but cargo"
)]
fn fail(why: &str) -> ! {
    eprintln!("{why}");
    std::process::exit(1)
}
