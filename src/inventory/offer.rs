//! How a login that follows an ssh_config proves itself: each key once, by its file, or by the agent where
//! only the agent can open it. Looks at key files, and reads no secret out of them.

use std::path::{Path, PathBuf};

use super::access::{AgentKey, Auth};
use super::raw::Access;
use super::ssh_config::{Agent, Resolved};

/// What a plan shows of it: what the config names, whatever this machine has of it.
pub(super) fn offers(said: &Resolved) -> Vec<String> {
    let keys = said
        .keys
        .iter()
        .map(|path| format!("key {}", path.display()));
    let certificates = said.certificates.iter();
    let certificates = certificates.map(|path| format!("certificate {}", path.display()));
    let agent = (said.agent == Agent::Any).then(|| "agent".to_owned());
    keys.chain(certificates).chain(agent).collect()
}

/// How a config logs in: each key once, by its file, or by the agent where only the agent can open it.
pub(super) fn ways(said: &Resolved, levels: &[&Access]) -> Vec<Auth> {
    let passphrase = levels
        .iter()
        .find_map(|level| level.passphrase_env.as_ref());
    let passphrase_env = passphrase.map(|name| name.value.clone());
    let given = levels.iter().find_map(|level| level.certificate.as_ref());
    let mut certificates: Vec<&Path> = said.certificates.iter().map(PathBuf::as_path).collect();
    certificates.extend(given.map(|file| file.value.as_path()));
    let agent = said.agent != Agent::Absent;
    let mut ways = Vec::new();
    for key in &said.keys {
        let public = match key.extension().is_some_and(|end| end == "pub") {
            true => key.clone(),
            false => with_end(key, ".pub"),
        };
        let closed = !key.is_file() || key == &public || is_encrypted(key);
        if agent && closed && passphrase_env.is_none() && public.is_file() {
            ways.push(Auth::Agent(AgentKey::File(public)));
        } else if !(closed && passphrase_env.is_none() && said.agent == Agent::Any) {
            ways.push(Auth::Key {
                path: key.clone(),
                certificate: certificate(key, &public, &certificates, said.keys.len()),
                passphrase_env: passphrase_env.clone(),
            });
        }
    }
    if said.agent == Agent::Any {
        ways.push(Auth::Agent(AgentKey::Any));
    }
    ways
}

/// The certificate that belongs to a key: one that certifies it, the one beside it, or the only one.
fn certificate(key: &Path, public: &Path, named: &[&Path], keys: usize) -> Option<PathBuf> {
    let own = ssh_key::PublicKey::read_openssh_file(public).ok();
    let certifies = |path: &&&Path| {
        let certificate = ssh_key::Certificate::read_file(path).ok();
        certificate.is_some_and(|one| {
            own.as_ref()
                .is_some_and(|own| one.public_key() == own.key_data())
        })
    };
    let beside = || Some(with_end(key, "-cert.pub")).filter(|path| path.is_file());
    let only = (named.len() == 1 && keys == 1).then(|| named[0].to_owned());
    let found = named.iter().find(certifies).map(|path| path.to_path_buf());
    found.or(only).or_else(beside)
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Whether a key needs a passphrase; what cannot be read is the transport's to tell.
fn is_encrypted(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    match ssh_key::PrivateKey::from_openssh(&text) {
        Ok(key) => key.is_encrypted(),
        Err(_) => text.contains("ENCRYPTED"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;
    use crate::inventory::page::{Mark, Spanned};
    use crate::inventory::ssh_config::resolved_for_tests;

    fn keygen(args: &[&str]) {
        let made = Command::new("ssh-keygen").arg("-q").args(args).output();
        let made = made.expect("ssh-keygen is installed");
        assert!(made.status.success(), "{made:?}");
    }

    #[test]
    fn each_key_once_and_by_the_agent_where_only_it_can_open_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        for (name, phrase) in [("open", ""), ("shut", "secret"), ("ca", "")] {
            keygen(&["-t", "ed25519", "-N", phrase, "-f", &path(name)]);
        }
        keygen(&["-s", &path("ca"), "-I", "i", "-n", "ops", &path("open.pub")]);
        fs::rename(path("open-cert.pub"), path("elsewhere")).unwrap();
        let mut said = resolved_for_tests();
        said.keys = ["open", "shut", "absent"]
            .map(|name| path(name).into())
            .to_vec();
        said.certificates = vec![path("elsewhere").into()];
        let silent = Access::default();
        let with = Access {
            passphrase_env: Some(Spanned {
                at: Mark::BUILT_IN,
                value: "PHRASE".into(),
            }),
            ..Access::default()
        };
        let key = |name: &str, certificate: Option<&str>, env: Option<&str>| Auth::Key {
            path: path(name).into(),
            certificate: certificate.map(|name| path(name).into()),
            passphrase_env: env.map(str::to_owned),
        };
        let agent = |name: &str| Auth::Agent(AgentKey::File(path(name).into()));
        // Without an agent a file is all there is, and what is wrong with it will be told.
        said.agent = Agent::Absent;
        let files = [
            key("open", Some("elsewhere"), None),
            key("shut", None, None),
            key("absent", None, None),
        ];
        assert_eq!(ways(&said, &[&silent]), files);
        // Of the keys that are named the agent is asked for no other.
        said.agent = Agent::Named;
        let named = [files[0].clone(), agent("shut.pub"), files[2].clone()];
        assert_eq!(ways(&said, &[&silent]), named);
        let phrased = ways(&said, &[&with]);
        assert_eq!(phrased[1], key("shut", None, Some("PHRASE")));
        said.agent = Agent::Any;
        let any = [
            files[0].clone(),
            agent("shut.pub"),
            Auth::Agent(AgentKey::Any),
        ];
        assert_eq!(ways(&said, &[&silent]), any);
        // A public key alone names one of the agent's, and a certificate beside its key is found.
        said.keys = vec![path("open.pub").into()];
        said.agent = Agent::Named;
        assert_eq!(ways(&said, &[&silent]), [agent("open.pub")]);
        fs::rename(path("elsewhere"), path("open-cert.pub")).unwrap();
        said.keys = vec![path("open").into()];
        said.certificates.clear();
        assert_eq!(
            ways(&said, &[&silent]),
            [key("open", Some("open-cert.pub"), None)]
        );
    }
}
