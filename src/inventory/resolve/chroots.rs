//! Whether what a shut-in account is asked for lies in its chroot: sshd_config(5) gives it nothing
//! else. Compares text; the host itself has the last word when it is asked.

use std::collections::HashSet;

use super::Known;
use crate::inventory::access::Transport;
use crate::inventory::artifact::Source;
use crate::inventory::login::{self, Levels};
use crate::inventory::page::Page;
use crate::inventory::raw::Raw;
use crate::inventory::{Instance, below};

pub(super) fn check(page: &mut Page<'_>, raw: &Raw, known: &Known<'_>, instances: &[Instance]) {
    let mut said = HashSet::new();
    for instance in instances {
        let Some(host) = known.hosts.get(&instance.host) else {
            continue;
        };
        for name in &instance.teams {
            let Some(team) = known.teams.get(name) else {
                continue;
            };
            let levels: Levels<'_> = [&raw.hosts[*host].access, &raw.teams[*team].access, &raw.ssh];
            let Some(chroot) = login::last_word(&levels, |level| level.chroot.as_ref()) else {
                continue;
            };
            let transport = login::last_word(&levels, |level| level.transport.as_ref());
            if transport.is_none_or(|transport| transport.value != Transport::Sftp)
                && said.insert((chroot.at, String::new()))
            {
                let message = "`chroot` is for accounts that have SFTP and nothing else";
                page.refuse(chroot.at, message, "write `transport: sftp` beside it");
            }
            for artifact in instance.artifacts_for(name) {
                if let Source::Path(path) = &artifact.source
                    && below(&chroot.value, path).is_none()
                    && said.insert((chroot.at, artifact.name.clone()))
                {
                    let message = format!(
                        "`{path}`, artifact `{}` of instance `{}`, lies outside the chroot of team `{name}`",
                        artifact.name, instance.name
                    );
                    let hint = format!(
                        "both are paths of the host, and this account sees only what lies below `{}`: correct one of them, or have the files mounted there",
                        chroot.value
                    );
                    page.refuse(chroot.at, message, hint);
                }
            }
        }
    }
}
