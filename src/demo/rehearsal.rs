//! What an operator has at hand for the whole rehearsal: the estate's own files, and two people with keys who sign
//! a drill off. Copies and makes keys; runs nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{Estate, EstateFault, SIGNER, disk, keys, written};

/// Who looks at what was done: contacts of the practice inventory, or others.
pub const PEOPLE: [&str; 2] = ["ana", "cleo"];

/// Files that the inventory names.
const FILES: [&str; 4] = [
    "inventory.yaml",
    "known_hosts",
    "practice-ca.pem",
    "60east-request.txt",
];

impl Estate {
    /// Puts into `directory`, which is there and empty, what the commands of a rehearsal name: the inventory with
    /// its files and keys, `allowed_signers`, and for [`PEOPLE`] the file `people` and a key each.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn hand_out(&self, directory: &Path) -> Result<(), EstateFault> {
        for name in FILES {
            let (from, to) = (self.directory.join(name), directory.join(name));
            fs::copy(&from, &to).map_err(EstateFault::disk("copy", &from))?;
        }
        let keys_at = directory.join("keys");
        fs::create_dir(&keys_at).map_err(EstateFault::disk("make", &keys_at))?;
        let private = fs::Permissions::from_mode(0o700);
        fs::set_permissions(&keys_at, private).map_err(EstateFault::disk("close", &keys_at))?;
        let held = self.directory.join("keys");
        for entry in fs::read_dir(&held).map_err(EstateFault::disk("read", &held))? {
            let from = entry.map_err(EstateFault::disk("read", &held))?.path();
            let name = from.file_name().unwrap_or_default();
            // With its mode, which ssh insists on.
            fs::copy(&from, keys_at.join(name)).map_err(EstateFault::disk("copy", &from))?;
        }
        let signer = ssh_key::PrivateKey::read_openssh_file(&self.signing_key)?;
        let line = |namespaces: &str, identity: &str, key: &ssh_key::PrivateKey| {
            let key = keys::line(key)?;
            Ok::<_, EstateFault>(format!("{identity} namespaces=\"{namespaces}\" {key}\n"))
        };
        let both = "gonogo-report@gonogo,gonogo-drill@gonogo";
        let signers = line(both, SIGNER, &signer)?;
        let signers = written::signers(&signers);
        disk::write(&directory.join("allowed_signers"), &signers)?;
        let mut people = "# Who may sign drills of the practice estate off.\n".to_owned();
        for name in PEOPLE {
            let key = keys::make(name)?;
            keys::write(&key, &keys_at.join(name))?;
            people += &line("gonogo-drill@gonogo", name, &key)?;
        }
        disk::write(&directory.join("people"), &people)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::start;

    #[tokio::test]
    async fn what_is_handed_out_is_whole_and_private() {
        let estate = start(None).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        estate.hand_out(directory.path()).unwrap();
        let inventory = crate::inventory::Inventory::load(&directory.path().join("inventory.yaml"));
        assert!(inventory.is_ok());
        for name in [
            "operations",
            "market-data",
            "60east-drop",
            "gonogo-demo",
            "ana",
            "cleo",
        ] {
            let key = directory.path().join("keys").join(name);
            let mode = key.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        assert!(
            estate.hand_out(directory.path()).is_err(),
            "nothing is written over"
        );
    }
}
