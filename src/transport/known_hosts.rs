//! The known_hosts format (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT), read as OpenSSH reads it: which
//! lines speak of a host. libssh2's own reader reports a revoked key as a match and stops at the
//! first bad line (facts: ssh.md, traps.md T10). Compares no key; that is `host_key.rs`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};

/// A public key as the wire carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// `ssh-ed25519`, `ssh-rsa` …
    pub(super) kind: String,
    /// The whole blob (RFC 4253, 6.6).
    pub(super) blob: Vec<u8>,
}

impl Key {
    /// A key from its blob, whose first field names the type.
    pub(super) fn from_blob(blob: &[u8]) -> Option<Self> {
        let (length, rest) = blob.split_first_chunk::<4>()?;
        let kind = rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        let kind = std::str::from_utf8(kind).ok()?.to_owned();
        let plain = !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_graphic());
        plain.then(|| Self {
            kind,
            blob: blob.to_vec(),
        })
    }

    /// `SHA256:…` as OpenSSH writes it.
    pub(super) fn fingerprint(&self) -> String {
        let digest = crate::digest::Sha256::of(&self.blob);
        let text = base64::engine::general_purpose::STANDARD_NO_PAD.encode(digest.as_bytes());
        format!("SHA256:{text}")
    }
}

/// What the lines for one host say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Keys of the host.
    pub(super) keys: Vec<Key>,
    /// `@cert-authority`: who may sign its certificates.
    pub(super) authorities: Vec<Key>,
    /// `@revoked`: never to be trusted, neither as key nor as authority.
    pub(super) revoked: Vec<Key>,
}

impl Known {
    /// True when no line speaks of the host at all.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.authorities.is_empty()
    }

    /// What `text`, the content of one or several files, says of the host called `name`.
    pub(super) fn of(text: &str, name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let mut known = Self::default();
        // A line that cannot be read says nothing; OpenSSH skips it too.
        for (marker, names, key) in text.lines().filter_map(line) {
            if !speaks_of(names, &name) {
                continue;
            }
            match marker {
                "" => known.keys.push(key),
                "@cert-authority" => known.authorities.push(key),
                "@revoked" => known.revoked.push(key),
                _ => {}
            }
        }
        known
    }
}

/// How a host is called in known_hosts: bare on port 22, `[host]:port` elsewhere.
pub(super) fn name(address: &str, port: u16) -> String {
    match port {
        22 => address.to_owned(),
        _ => format!("[{address}]:{port}"),
    }
}

fn line(line: &str) -> Option<(&str, &str, Key)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let mut words = line.split_ascii_whitespace();
    let first = words.next()?;
    let (marker, names) = match first.starts_with('@') {
        true => (first, words.next()?),
        false => ("", first),
    };
    let kind = words.next()?;
    let key = Key::from_blob(&STANDARD.decode(words.next()?).ok()?)?;
    (key.kind == kind).then_some((marker, names, key))
}

fn speaks_of(names: &str, name: &str) -> bool {
    if let Some(hashed) = names.strip_prefix("|1|") {
        return hash_matches(hashed, name).unwrap_or(false);
    }
    let mut matched = false;
    for pattern in names.split(',') {
        match pattern.strip_prefix('!') {
            // A negated name silences the whole line, wherever it stands.
            Some(not) if wildcard(not, name) => return false,
            Some(_) => {}
            None => matched |= wildcard(pattern, name),
        }
    }
    matched
}

// `|1|salt|hash`: HMAC-SHA1 of the name under the salt (hostfile.c, host_hash).
fn hash_matches(hashed: &str, name: &str) -> Option<bool> {
    let (salt, hash) = hashed.split_once('|')?;
    let salt = STANDARD.decode(salt).ok()?;
    let hash = STANDARD.decode(hash).ok()?;
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&salt).ok()?;
    mac.update(name.as_bytes());
    Some(mac.verify_slice(&hash).is_ok())
}

/// OpenSSH's match_pattern: `*` and `?` alone are special, brackets are not. `name` is lower case.
pub(super) fn wildcard(pattern: &str, name: &str) -> bool {
    let pattern = pattern.to_ascii_lowercase();
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            // Back to the last star, which then takes one more.
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    n = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    // Type ssh-ed25519, 32 bytes of one digit each: enough to be told apart.
    pub(super) fn key(digit: u8) -> String {
        let mut blob = vec![0, 0, 0, 11];
        blob.extend_from_slice(b"ssh-ed25519");
        blob.extend_from_slice(&[0, 0, 0, 32]);
        blob.extend_from_slice(&[digit; 32]);
        format!("ssh-ed25519 {}", STANDARD.encode(blob))
    }

    fn hashed(name: &str) -> String {
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(b"salt-salt-salt-salt-").unwrap();
        mac.update(name.as_bytes());
        format!(
            "|1|{}|{}",
            STANDARD.encode(b"salt-salt-salt-salt-"),
            STANDARD.encode(mac.finalize().into_bytes())
        )
    }

    // (names of a line, name asked for, whether it speaks of it)
    #[test]
    fn names_match_as_in_openssh() {
        let table: [(&str, &str, bool); 30] = [
            ("ny4-1", "ny4-1", true),
            ("ny4-1", "ny4-10", false),
            ("ny4-10", "ny4-1", false),
            ("NY4-1", "ny4-1", true),
            ("ny4-1", "NY4-1", true),
            ("a,ny4-1,b", "ny4-1", true),
            ("a,b", "ny4-1", false),
            ("", "ny4-1", false),
            (",", "ny4-1", false),
            ("*", "ny4-1", true),
            ("ny4-?", "ny4-1", true),
            ("ny4-?", "ny4-10", false),
            ("ny4-*", "ny4-", true),
            ("*.example", "a.b.example", true),
            ("*.example", "example", false),
            ("*a*b*c", "xxaxxbxxc", true),
            ("*a*b*c", "xxaxxbxx", false),
            ("*,!ny4-1", "ny4-1", false),
            ("!ny4-1,*", "ny4-1", false),
            ("*,!ny4-2", "ny4-1", true),
            ("!ny4-2", "ny4-1", false),
            ("[ny4-1]:2222", "[ny4-1]:2222", true),
            ("[ny4-1]:2222", "ny4-1", false),
            ("ny4-1", "[ny4-1]:2222", false),
            ("[*]:2222", "[ny4-1]:2222", true),
            ("[ny4-1]:*", "[ny4-1]:2222", true),
            ("10.0.0.?", "10.0.0.1", true),
            ("::1", "::1", true),
            ("[::1]:2222", "[::1]:2222", true),
            ("n[yz]4-1", "ny4-1", false),
        ];
        for (names, name, expected) in table {
            let text = format!("{names} {}\n", key(1));
            let known = Known::of(&text, name);
            assert_eq!(!known.is_empty(), expected, "`{names}` for `{name}`");
        }
    }

    #[test]
    fn hashed_names_match_their_own_name_only() {
        let text = format!("{} {}\n", hashed("ny4-1"), key(1));
        assert_eq!(Known::of(&text, "NY4-1").keys.len(), 1);
        assert!(Known::of(&text, "ny4-2").is_empty());
        let text = format!("{} {}\n", hashed("[ny4-1]:2222"), key(1));
        assert_eq!(Known::of(&text, "[ny4-1]:2222").keys.len(), 1);
        assert!(Known::of(&text, "ny4-1").is_empty());
        for broken in ["|1|", "|1|x|y", "|1|%%|%%", "|2|c2FsdA==|c2FsdA=="] {
            let text = format!("{broken} {}\n", key(1));
            assert!(Known::of(&text, "ny4-1").is_empty(), "{broken}");
        }
    }

    #[test]
    fn bad_lines_are_skipped_and_the_rest_is_read() {
        let good = key(2);
        let (kind, blob) = good.split_once(' ').unwrap();
        let text = format!(
            "# h {good}\n\n   \nh\nh {kind}\nh {kind} %%%\nh ssh-rsa {blob}\nh 1024 35 12345\n\
             @strange h {good}\n@revoked\n\u{0}\u{1}\n\th\t{good}\tcomment here\r\nh {kind} {blob}"
        );
        let known = Known::of(&text, "h");
        assert_eq!(
            known.keys.len(),
            2,
            "the CRLF line and the unended last one"
        );
        assert!(known.revoked.is_empty() && known.authorities.is_empty());
    }

    #[test]
    fn markers_are_kept_apart() {
        let text = format!(
            "@cert-authority *.example {}\n@revoked * {}\nh.example {}\n",
            key(1),
            key(2),
            key(3)
        );
        let known = Known::of(&text, "h.example");
        assert_eq!(known.authorities.len(), 1);
        assert_eq!(known.revoked.len(), 1);
        assert_eq!(known.keys.len(), 1);
        let other = Known::of(&text, "other");
        assert!(other.is_empty() && other.revoked.len() == 1);
    }

    #[test]
    fn a_lying_blob_names_no_key() {
        for blob in [
            &[][..],
            &[0, 0, 0],
            &[255, 255, 255, 255, b'x'],
            &[0, 0, 0, 0],
        ] {
            assert_eq!(Key::from_blob(blob), None);
        }
    }

    #[test]
    fn the_name_carries_the_port_unless_it_is_22() {
        assert_eq!(name("h", 22), "h");
        assert_eq!(name("h", 2222), "[h]:2222");
    }
}
