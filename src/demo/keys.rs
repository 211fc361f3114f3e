//! Keys of the practice estate: made on the spot, ed25519, good for nothing else.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{LineEnding, PrivateKey};

use super::EstateFault;

/// A new ed25519 key.
pub(super) fn make(comment: &str) -> Result<PrivateKey, EstateFault> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(EstateFault::Random)?;
    let pair = KeypairData::Ed25519(Ed25519Keypair::from_seed(&seed));
    Ok(PrivateKey::new(pair, comment)?)
}

/// Writes it as an OpenSSH private key with mode 0600, which `ssh` insists on.
pub(super) fn write(key: &PrivateKey, path: &Path) -> Result<(), EstateFault> {
    let text = key.to_openssh(LineEnding::LF)?;
    let opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    opened
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(EstateFault::disk("write", path))
}

/// The public half as one line without its comment: `ssh-ed25519 AAAA…`.
pub(super) fn line(key: &PrivateKey) -> Result<String, EstateFault> {
    let text = key.public_key().to_openssh()?;
    Ok(text.split(' ').take(2).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_written_for_its_owner_alone_and_reads_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("operations");
        let key = make("operations@practice").unwrap();
        write(&key, &path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let read = PrivateKey::read_openssh_file(&path).unwrap();
        assert_eq!(read.public_key(), key.public_key());
        assert!(line(&key).unwrap().starts_with("ssh-ed25519 AAAA"));
        assert!(write(&key, &path).is_err(), "nothing is overwritten");
        assert_ne!(
            make("a").unwrap().public_key(),
            make("a").unwrap().public_key()
        );
    }
}
