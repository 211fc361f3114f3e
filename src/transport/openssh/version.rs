//! Which `ssh` is installed, by its own word (`ssh -V`).

use std::process::{Command, Stdio};

use super::ours;
use crate::failure::{Failure, FailureKind};
use crate::text;

/// `ssh -V`, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    /// As it says it, such as `OpenSSH_9.2p1 Debian-2+deb12u10`.
    pub(super) said: String,
    number: (u32, u32),
}

impl Version {
    /// Of the `ssh` on the PATH.
    pub(super) fn installed() -> Result<Self, Failure> {
        let asked = Command::new("ssh")
            .arg("-V")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => absent("there is no `ssh` on the PATH"),
                _ => ours(&error),
            })?;
        let said = String::from_utf8_lossy(&asked.stderr).into_owned();
        Self::parse(&said).ok_or_else(|| {
            let said = text::clip(said.trim(), 100);
            absent(&format!("`ssh -V` says \"{said}\""))
        })
    }

    fn parse(said: &str) -> Option<Self> {
        let name = said.split([',', '\n']).next()?.trim();
        let number = name.strip_prefix("OpenSSH_")?;
        let number = number
            .trim_start_matches("for_Windows_")
            .split(|c: char| !(c.is_ascii_digit() || c == '.'))
            .next()?;
        let (major, minor) = number.split_once('.')?;
        let minor = minor.split('.').next()?;
        Some(Self {
            said: name.to_owned(),
            number: (major.parse().ok()?, minor.parse().ok()?),
        })
    }

    /// True from that release on.
    pub(super) fn has(&self, major: u32, minor: u32) -> bool {
        self.number >= (major, minor)
    }

    /// The refusal of something that only a later release can do.
    pub(super) fn too_old(&self, what: &str, since: &str) -> Failure {
        Failure::new(
            FailureKind::Undefined,
            format!("OpenSSH {since} or later on this runner, for {what}"),
            self.said.clone(),
        )
        .with_hint("update the runner's OpenSSH client, or do without it in the inventory")
    }
}

fn absent(actual: &str) -> Failure {
    Failure::new(
        FailureKind::Undefined,
        "the OpenSSH client on this runner, for `client: openssh`",
        actual,
    )
    .with_hint("install it (package openssh-client or openssh-clients), or set `client: ssh2`")
}

/// The installed `ssh`, as it names itself.
///
/// # Errors
/// When there is none: nothing with `client: openssh` can be judged then.
pub fn openssh_version() -> Result<String, Failure> {
    Version::installed().map(|version| version.said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_each_distribution_prints() {
        for (said, name, number) in [
            (
                "OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026\n",
                "OpenSSH_9.2p1 Debian-2+deb12u10",
                (9, 2),
            ),
            (
                "OpenSSH_8.0p1, OpenSSL 1.1.1k  FIPS\n",
                "OpenSSH_8.0p1",
                (8, 0),
            ),
            (
                "OpenSSH_10.0p2 Ubuntu-5, OpenSSL 3.5\n",
                "OpenSSH_10.0p2 Ubuntu-5",
                (10, 0),
            ),
            ("OpenSSH_9.9\n", "OpenSSH_9.9", (9, 9)),
        ] {
            let version = Version::parse(said).unwrap();
            assert_eq!((&*version.said, version.number), (name, number));
        }
        for other in ["", "Dropbear v2022.83", "OpenSSH_", "OpenSSH_x.y"] {
            assert_eq!(Version::parse(other), None, "{other}");
        }
        let old = Version::parse("OpenSSH_8.4p1, x").unwrap();
        assert!(old.has(8, 4) && old.has(7, 9) && !old.has(8, 5) && !old.has(10, 0));
    }
}
