//! Accounts as production servers have them: shut in, with odd shells, behind sudo, or denied; each on
//! a real sshd, with the refusal in its own words and a benign twin that is GO.

mod chroot;
mod denied;
mod noise;
mod sudo;

use std::process::Command;

use crate::lab::Host;

/// Runs a line as root of that machine: inside its namespaces, where its accounts are.
fn as_root_of(host: &Host, line: &str) {
    let ran = Command::new("nsenter")
        .args([
            "--target",
            &host.init().to_string(),
            "--mount",
            "--uts",
            "--pid",
        ])
        .args(["sh", "-c", line])
        .output()
        .unwrap();
    assert!(ran.status.success(), "{line}: {ran:?}");
}
