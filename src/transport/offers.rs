//! What a server offers for the key exchange: its KEXINIT (RFC 4253 7.1), read from the bytes it sent
//! before anything is encrypted, and compared with what this client knows. libssh2 keeps none of it
//! and says only that nothing was agreed. Decides nothing: whether to go on is libssh2's business.

use ssh2::{MethodType, Session};

use crate::text;

/// RFC 4253 6.1: what every implementation must be able to take.
const MOST_PACKET: usize = 35_000;
/// Most characters of one list in a message.
const MOST_SHOWN: usize = 400;

const KEXINIT: u8 = 20;
/// SSH_MSG_IGNORE and SSH_MSG_DEBUG may stand before it.
const ASIDES: [u8; 2] = [2, 4];

/// The name-lists of a KEXINIT that matter here, most wanted first.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Offers {
    kex: Vec<String>,
    host_key: Vec<String>,
    /// Client to server, then server to client.
    ciphers: [Vec<String>; 2],
    macs: [Vec<String>; 2],
}

/// How far the bytes after the identification line go.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// More has to come.
    Partial,
    /// Whole, and this is what it offers.
    Whole(Offers),
    /// No KEXINIT.
    Other,
}

/// Reads the packets that follow a server's identification line.
pub(super) fn read(mut bytes: &[u8]) -> Read {
    loop {
        let Some((head, rest)) = bytes.split_first_chunk::<5>() else {
            return Read::Partial;
        };
        let [a, b, c, d, padding] = *head;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        let Some(payload) = length.checked_sub(1 + usize::from(padding)) else {
            return Read::Other;
        };
        if length > MOST_PACKET || payload == 0 {
            return Read::Other;
        }
        match rest.first() {
            None => return Read::Partial,
            Some(&KEXINIT) if rest.len() >= payload => {
                let lists = rest.get(1..payload).unwrap_or_default();
                return lists_of(lists).map_or(Read::Other, Read::Whole);
            }
            Some(kind) if !ASIDES.contains(kind) && *kind != KEXINIT => return Read::Other,
            Some(_) => match rest.get(length - 1..) {
                Some(next) => bytes = next,
                None => return Read::Partial,
            },
        }
    }
}

fn lists_of(after_kind: &[u8]) -> Option<Offers> {
    let mut rest = after_kind.get(16..)?;
    let mut list = || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let names = std::str::from_utf8(after.get(..length)?).ok()?;
        rest = after.get(length..)?;
        let names = names.split(',').filter(|name| !name.is_empty());
        Some(names.map(str::to_owned).collect::<Vec<_>>())
    };
    Some(Offers {
        kex: list()?,
        host_key: list()?,
        ciphers: [list()?, list()?],
        macs: [list()?, list()?],
    })
}

/// One category in which the two sides have no name in common.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lack {
    /// What it is called.
    pub(super) what: &'static str,
    /// The option of an OpenSSH client that allows more of it.
    pub(super) option: &'static str,
    /// What this client knows.
    pub(super) ours: String,
    /// What the server offers.
    pub(super) theirs: String,
}

impl Offers {
    /// The categories in which nothing is in common with what `session` knows; `host_keys` are the
    /// types it asked for.
    pub(super) fn lacks(&self, session: &Session, host_keys: &str) -> Vec<Lack> {
        let ours = |which| session.supported_algs(which).unwrap_or_default();
        let host_keys: Vec<&str> = host_keys.split(',').collect();
        self.compare(&Ours {
            kex: &ours(MethodType::Kex),
            host_key: &host_keys,
            ciphers: [&ours(MethodType::CryptCs), &ours(MethodType::CryptSc)],
            macs: [&ours(MethodType::MacCs), &ours(MethodType::MacSc)],
        })
    }

    fn compare(&self, ours: &Ours<'_>) -> Vec<Lack> {
        let mut lacks = Vec::new();
        let mut look = |what, option, ours: &[&str], theirs: &[String]| {
            // Some names are flags and no algorithm: strict key exchange, extension info.
            let ours = ours.iter().filter(|name| !is_flag(name));
            let ours: Vec<&str> = ours.copied().collect();
            let theirs: Vec<&str> = theirs.iter().map(String::as_str).collect();
            if !ours.iter().any(|name| theirs.contains(name)) {
                let theirs: Vec<&str> = theirs.into_iter().filter(|name| !is_flag(name)).collect();
                let (ours, theirs) = (shown(&ours), shown(&theirs));
                let lack = Lack {
                    what,
                    option,
                    ours,
                    theirs,
                };
                if !lacks.contains(&lack) {
                    lacks.push(lack);
                }
            }
        };
        look("key exchange", "KexAlgorithms", ours.kex, &self.kex);
        look(
            "host key type",
            "HostKeyAlgorithms",
            ours.host_key,
            &self.host_key,
        );
        for way in 0..2 {
            look("cipher", "Ciphers", ours.ciphers[way], &self.ciphers[way]);
            let chosen = ours.ciphers[way]
                .iter()
                .find(|name| self.ciphers[way].iter().any(|theirs| theirs == *name));
            // Such a cipher is its own MAC (RFC 5647; PROTOCOL.chacha20poly1305).
            if !chosen.is_some_and(|name| name.contains("gcm") || name.contains("poly1305")) {
                look("MAC", "MACs", ours.macs[way], &self.macs[way]);
            }
        }
        lacks
    }
}

struct Ours<'a> {
    kex: &'a [&'a str],
    host_key: &'a [&'a str],
    ciphers: [&'a [&'a str]; 2],
    macs: [&'a [&'a str]; 2],
}

fn is_flag(name: &str) -> bool {
    name.starts_with("kex-strict-") || name.starts_with("ext-info-")
}

fn shown(names: &[&str]) -> String {
    match names {
        [] => "nothing".to_owned(),
        names => text::clip(&names.join(", "), MOST_SHOWN).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(kind: u8, content: &[u8]) -> Vec<u8> {
        let padding = 4_u8;
        let length = u32::try_from(content.len() + 2 + usize::from(padding)).unwrap();
        let head = [&length.to_be_bytes()[..], &[padding, kind]].concat();
        [&head[..], content, &[0; 4]].concat()
    }

    fn kexinit(lists: [&str; 10]) -> Vec<u8> {
        let mut content = vec![7; 16];
        for list in lists {
            content.extend(u32::try_from(list.len()).unwrap().to_be_bytes());
            content.extend(list.as_bytes());
        }
        content.extend([0; 5]);
        packet(KEXINIT, &content)
    }

    fn offers(kex: &str, key: &str, cipher: &str, mac: &str) -> Offers {
        let bytes = kexinit([kex, key, cipher, cipher, mac, mac, "none", "none", "", ""]);
        match read(&bytes) {
            Read::Whole(offers) => offers,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn reads_the_lists_however_they_arrive() {
        let aside = packet(2, b"ignored");
        let whole = [
            aside,
            kexinit(["a,b", "c", "d", "e", "f", "g", "none", "none", "", ""]),
        ]
        .concat();
        for end in 0..whole.len() {
            // The padding is not waited for: nothing in it is read.
            if end < whole.len() - 4 {
                assert_eq!(read(&whole[..end]), Read::Partial, "{end}");
            }
        }
        let Read::Whole(offers) = read(&[&whole[..], b"more"].concat()) else {
            panic!("not whole");
        };
        assert_eq!(offers.kex, ["a", "b"]);
        assert_eq!(offers.host_key, ["c"]);
        assert_eq!(offers.ciphers, [["d"], ["e"]]);
        assert_eq!(offers.macs, [["f"], ["g"]]);
    }

    #[test]
    fn refuses_what_is_none_and_never_reads_past_the_end() {
        let mut long = kexinit(["a"; 10]);
        long[22..26].copy_from_slice(&u32::MAX.to_be_bytes());
        for bad in [
            &long[..],
            &packet(21, b"x"),
            &[0x7f, 0xff, 0xff, 0xff, 4, 20],
            &[0x80, 0, 0, 0, 4, 20],
            &[0, 0, 0, 0, 0, 20],
            &[0, 0, 0, 4, 200, 20],
            b"HTTP/1.1 400 Bad Request",
            &packet(KEXINIT, b"short"),
            &packet(KEXINIT, &[0xff; 60]),
        ] {
            assert_eq!(read(bad), Read::Other, "{bad:?}");
        }
        // Whatever comes, an answer comes back.
        for seed in 0..=255_u8 {
            let bytes: Vec<u8> = (0..200_u8).map(|i| i.wrapping_mul(seed) ^ seed).collect();
            for end in 0..bytes.len() {
                let _ = read(&bytes[..end]);
            }
        }
    }

    #[test]
    fn says_in_which_category_nothing_is_in_common() {
        let ours = Ours {
            kex: &["k1", "k2", "kex-strict-c-v00@openssh.com"],
            host_key: &["h1"],
            ciphers: [&["chacha20-poly1305@openssh.com", "c2"]; 2],
            macs: [&["m1"]; 2],
        };
        let names = |offers: &Offers| -> Vec<_> {
            let lacks = offers.compare(&ours);
            lacks.iter().map(|lack| lack.what).collect()
        };
        assert!(names(&offers("k2", "h1", "c2", "m1")).is_empty());
        assert_eq!(names(&offers("k9", "h1", "c2", "m1")), ["key exchange"]);
        assert_eq!(
            names(&offers("kex-strict-c-v00@openssh.com", "h9", "c2", "m1")),
            ["key exchange", "host key type"]
        );
        // The same in both directions is said once.
        assert_eq!(names(&offers("k1", "h1", "c9", "m9")), ["cipher", "MAC"]);
        assert_eq!(names(&offers("k1", "h1", "c2", "m9")), ["MAC"]);
        // No MAC is needed where the cipher is one.
        assert!(names(&offers("k1", "h1", "chacha20-poly1305@openssh.com", "m9")).is_empty());
        let lacks = offers("", "h1", "c2", "m1").compare(&ours);
        assert_eq!((&*lacks[0].ours, &*lacks[0].theirs), ("k1, k2", "nothing"));
    }
}
