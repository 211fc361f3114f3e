//! The map from names to what stands for them: the same token for the same name in every file of every
//! bundle that is made with it. It stays at home, in a file that its owner alone may read; whoever has
//! it, and nobody else, can read the vendor's answer back.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};

/// What kind of name it is, as the token says it.
pub type Class = &'static str;

/// Names and their tokens, made with a key that is nowhere else.
#[derive(Clone)]
pub struct Map {
    key: [u8; 32],
    /// Name → class and token: whatever it was when it was first met, it is that everywhere.
    tokens: HashMap<String, (String, String), foldhash::fast::RandomState>,
    used: HashSet<String, foldhash::fast::RandomState>,
}

/// Why a map cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MapFault {
    /// Reading or writing.
    #[error("cannot {what} `{}`: {cause}", path.display())]
    Io {
        /// `read` or `write`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Others may read it.
    #[error("`{}` may be read by others (mode {mode:o})", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is no map.
    #[error("`{}` is no map of names: {why}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line.
        why: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    schema: String,
    key: String,
    names: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    token: String,
    class: String,
    name: String,
}

const SCHEMA: &str = "gonogo/names/v1";
const MOST: u64 = 256 << 20;
/// Most names that are written down.
const MOST_NAMES: usize = 300_000;

impl Map {
    /// An empty one with a new key.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new() -> io::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        Ok(Self::with_key(key))
    }

    /// An empty one with that key.
    #[must_use]
    pub fn with_key(key: [u8; 32]) -> Self {
        Self {
            key,
            tokens: HashMap::default(),
            used: HashSet::default(),
        }
    }

    /// The map in `path`; a new one when there is none.
    ///
    /// # Errors
    /// When it cannot be read, is open to others, or is no map.
    pub fn load(path: &Path) -> Result<Self, MapFault> {
        let io = |cause| MapFault::Io {
            what: "read",
            path: path.to_owned(),
            cause,
        };
        let file = match fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Self::new().map_err(io);
            }
            Err(error) => return Err(io(error)),
        };
        let mode = file.metadata().map_err(io)?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(MapFault::Open {
                path: path.to_owned(),
                mode,
            });
        }
        let mut text = String::new();
        io::Read::read_to_string(&mut io::Read::take(file, MOST), &mut text).map_err(io)?;
        let broken = |why: String| MapFault::Broken {
            path: path.to_owned(),
            why,
        };
        let written: Written =
            serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
        if written.schema != SCHEMA {
            return Err(broken(format!("its `schema` is not `{SCHEMA}`")));
        }
        let key = hex(&written.key).ok_or_else(|| broken("its `key` is no key".to_owned()))?;
        let mut map = Self::with_key(key);
        for line in written.names {
            let is_token = line.token.starts_with(&format!("{}-", line.class))
                && line
                    .token
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-');
            if !is_token || !map.used.insert(line.token.clone()) {
                return Err(broken(
                    "two names have one token, or one is none".to_owned(),
                ));
            }
            map.tokens.insert(line.name, (line.class, line.token));
        }
        Ok(map)
    }

    /// Writes it to `path`, for its owner alone.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), MapFault> {
        let io = |cause| MapFault::Io {
            what: "write",
            path: path.to_owned(),
            cause,
        };
        let names = self.tokens.iter().map(|(name, (class, token))| Line {
            token: token.clone(),
            class: class.clone(),
            name: name.clone(),
        });
        let mut names: Vec<Line> = names.collect();
        names.sort_unstable_by(|one, two| one.name.cmp(&two.name));
        let written = Written {
            schema: SCHEMA.to_owned(),
            key: self.key.iter().map(|byte| format!("{byte:02x}")).collect(),
            names,
        };
        let mut text = serde_json::to_vec_pretty(&written).map_err(|e| io(e.into()))?;
        text.push(b'\n');
        let beside = path.with_extension("new");
        let mut options = fs::File::options();
        let open = options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = open.open(&beside).map_err(io)?;
        file.write_all(&text).map_err(io)?;
        file.sync_all().map_err(io)?;
        fs::rename(&beside, path).map_err(io)
    }

    /// What stands for `name`, if it has a token.
    pub(super) fn known(&self, name: &str) -> Option<&str> {
        self.tokens.get(name).map(|(_, token)| token.as_str())
    }

    /// What will stand for a new `name`, unless another has that token already.
    pub(super) fn first(&self, class: Class, name: &str) -> String {
        let digest = self.digest(class, name);
        let length = if self.tokens.len() >= MOST_NAMES {
            8
        } else {
            4
        };
        let digits: String = digest[..length]
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        format!("{class}-{digits}")
    }

    /// What stands for `name`.
    pub fn token(&mut self, class: Class, name: &str) -> String {
        if let Some((_, token)) = self.tokens.get(name) {
            return token.clone();
        }
        let digest = self.digest(class, name);
        let spelled = |length: usize| {
            let digits: String = digest[..length]
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect();
            format!("{class}-{digits}")
        };
        // More than anybody looks up: consistent all the same, since the key makes it.
        if self.tokens.len() >= MOST_NAMES {
            return spelled(8);
        }
        // Four bytes are kind to read; two names that share them get longer tokens.
        let mut token = String::new();
        for length in 4..=digest.len() {
            token = spelled(length);
            if self.used.insert(token.clone()) {
                break;
            }
        }
        self.tokens
            .insert(name.to_owned(), (class.to_owned(), token.clone()));
        token
    }

    fn digest(&self, class: &str, name: &str) -> [u8; 32] {
        let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(&self.key) else {
            // HMAC takes a key of any length (RFC 2104, 2).
            return [0; 32];
        };
        mac.update(class.as_bytes());
        mac.update(&[0]);
        mac.update(name.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// Every name with its class, sorted by name.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        let tokens = self.tokens.iter();
        let mut names: Vec<_> = tokens
            .map(|(name, (class, _))| (class.as_str(), name.as_str()))
            .collect();
        names.sort_unstable_by_key(|(_, name)| *name);
        names.into_iter()
    }

    /// How many names have a token.
    pub(super) fn size(&self) -> usize {
        self.tokens.len()
    }

    /// How many names of each class.
    #[must_use]
    pub fn sums(&self) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        for (class, _) in self.tokens.values() {
            *sums.entry(class.clone()).or_default() += 1;
        }
        sums
    }
}

fn hex(text: &str) -> Option<[u8; 32]> {
    let digest: crate::digest::Sha256 = text.parse().ok()?;
    Some(*digest.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_token_and_a_token_one_name() {
        let mut map = Map::with_key([7; 32]);
        let token = map.token("host", "ny4-1");
        assert_eq!(map.token("host", "ny4-1"), token);
        assert_ne!(map.token("host", "ny4-2"), token);
        assert_eq!(map.token("user", "ny4-1"), token);
        assert_ne!(Map::with_key([8; 32]).token("host", "ny4-1"), token);
        assert!(token.len() == "host-".len() + 8);
    }

    #[test]
    fn it_is_kept_for_its_owner_alone_and_read_again() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("names.json");
        let mut map = Map::load(&path).unwrap();
        let token = map.token("user", "bob");
        map.save(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let mut again = Map::load(&path).unwrap();
        assert_eq!(again.token("user", "bob"), token);
        assert_eq!(again.token("user", "eve"), map.token("user", "eve"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            Map::load(&path),
            Err(MapFault::Open { mode: 0o640, .. })
        ));
    }

    #[test]
    fn what_is_no_map_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("names.json");
        Map::with_key([7; 32]).save(&path).unwrap();
        let good = fs::read_to_string(&path).unwrap();
        for (old, new) in [
            ("names/v1", "names/v2"),
            ("0707", "07"),
            ("\"names\"", "\"name\""),
            (
                "[]",
                "[{\"token\":\"x\",\"class\":\"host\",\"name\":\"n\"}]",
            ),
        ] {
            let bad = good.replacen(old, new, 1);
            assert_ne!(bad, good);
            fs::write(&path, bad).unwrap();
            assert!(
                matches!(Map::load(&path), Err(MapFault::Broken { .. })),
                "{old}"
            );
        }
    }
}
