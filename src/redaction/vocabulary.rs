//! Words that give nothing away: what stands in a log or a configuration and is one of them may leave the
//! house. The list is made of manuals and comments of free programs, without given names, surnames and cities.

use std::collections::HashSet;
use std::sync::LazyLock;

static WORDS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let words = include_str!("vocabulary.txt").split_ascii_whitespace();
    words.chain(FEW.split_ascii_whitespace()).collect()
});

/// Words that people write together, from the same sources.
static COMPOUNDS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    include_str!("compounds.txt")
        .split_ascii_whitespace()
        .collect()
});

/// What begins a compound of any word.
const PREFIXES: &str = "amps non re pre post sub multi un self x auto semi anti co de inter over under high low full half \
    first last next two three one zero max min no client server ampserver";

/// What protocols and formats are joined of: `json-tcp`.
const PROTOCOLS: &str = "json fix nvfix xml bflat bson tcp tcps any unix http https ws wss binary protobuf composite msgpack udp \
    ssl tls text sqlite amqp mqtt stomp plain gzip zstd utf";

/// Two words or more with `-` between, which nobody writes together but who makes up a passphrase.
pub(super) fn is_made_up(piece: &str) -> bool {
    let has = |list: &str, word: &str| list.split_ascii_whitespace().any(|one| one == word);
    if !piece.contains('-')
        || !piece
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'-')
    {
        return false;
    }
    let lower = piece.trim_matches('-').to_ascii_lowercase();
    let words: Vec<&str> = lower.split('-').collect();
    let attested = |from: usize, to: usize| COMPOUNDS.contains(words[from..to].join("-").as_str());
    let is_written = has(PREFIXES, words[0])
        || words.iter().all(|word| has(PROTOCOLS, word))
        || attested(0, words.len())
        || words.len() > 2 && (1..words.len()).all(|at| attested(at - 1, at + 1));
    words.len() > 1 && !is_written
}

/// What may stay behind the name of a secret, where a word may be the secret: grammar, and what programs say
/// of secrets. Nobody's password, one hopes.
const FEW: &str = "a an the and or not no is are was were be been has have had of to for from by with in on at as it its \
    this that if when while because after before than then via per over into out about due \
    yes true false off null none nil empty default unknown invalid valid missing required optional expected \
    user users username account group host port pid uid gid line column code status error errors warning info \
    debug trace critical authentication authorization authenticated authenticating login logon logout session \
    connection connected connecting disconnected closed opened open close reset refused denied rejected accepted \
    granted failed failure fails success successful succeeded expired expires expiry changed change changing \
    check checked checking using used use given provided provide supplied set unset received sent stored file \
    files path field policy prompt attempt attempts retry retries try tries again too many few more less long \
    short weak wrong incorrect correct mismatch match matches not found exceeded limit length characters bytes \
    seconds minutes hours days timeout timed type method mechanism publickey keyboard interactive ssh ssh2 tls \
    ssl ldap kerberos plain none must may can cannot could will would should does did do please client server \
    remote local request response access permission service root tty rhost ruser logname euid pam unix bypass compass encompass surpass trespass overpass";

/// What is numbered in every program: `thread-12` says nothing, `node-12` may be a machine.
const NUMBERED: &[&str] = &[
    "thread",
    "worker",
    "pool",
    "task",
    "job",
    "step",
    "phase",
    "partition",
    "executor",
    "handler",
    "line",
    "column",
    "page",
    "block",
    "cpu",
    "core",
    "numa",
    "exec",
    "fetcher",
    "exit",
    "code",
    "level",
    "part",
    "try",
    "attempt",
    "round",
    "epoch",
    "slot",
    "shard",
    "queue",
    "event",
    "signal",
    "fd",
    "version",
    "segment",
    "index",
];

/// Words with digits.
const MIXED: &[&str] = &[
    "ipv4", "ipv6", "utf8", "utf16", "sha1", "sha256", "sha384", "sha512", "md5", "x86", "x64",
    "amd64", "i386", "i686", "aarch64", "arm64", "base64", "http2", "http3", "h2", "h2c", "tls1",
    "tlsv1", "sslv3", "log4j", "ext3", "ext4", "eth0", "eth1", "lo0", "ens3", "ed25519", "x509",
    "oauth2", "ssh2", "sqlite3", "python3", "php7", "php8", "int8", "int16", "int32", "int64",
    "uint8", "uint16", "uint32", "uint64", "float32", "float64", "lz4", "bzip2", "ip4", "ip6",
    "tcp4", "tcp6", "udp4", "udp6", "aes128", "aes256", "v1", "v2", "v3", "v4", "d1", "d2", "d3",
    "d4", "d5", "p50", "p90", "p95", "p99", "p999", "t0", "t1", "iso8601", "rfc3339", "crc32",
    "crc32c", "win32", "win64", "x86_64", "l1", "l2", "l3", "s3", "k8s", "http1", "latin1", "g1",
    "utf8mb4", "utf8mb3", "enp0s3", "innodb1", "utf-8", "utf-16", "utf-16le", "utf-16be",
];

/// Programs of the shipped profiles.
const PROGRAMS: &[&str] = &[
    "ampserver",
    "ampserver-compat",
    "redis-server",
    "valkey-server",
    "beam.smp",
];

/// Two letters that may be a part of a longer name, such as `clientId`.
const SHORT: &[&str] = &[
    "id", "ip", "of", "to", "in", "is", "on", "by", "no", "db", "os", "io", "ok", "ms", "ns", "kb",
    "mb", "gb", "tb", "up", "at", "or", "an", "as", "if", "do", "tx", "rx", "us", "gz", "xz", "so",
    "sh", "py", "js", "md", "rc",
];

const LONGEST: usize = 24;

/// The word in small letters, if it is one of ASCII letters (and digits) and not too long.
pub(super) struct Lower([u8; LONGEST], usize);

impl Lower {
    pub fn of(word: &str) -> Option<Self> {
        if word.len() > LONGEST || !word.is_ascii() {
            return None;
        }
        let mut bytes = [0; LONGEST];
        for (to, from) in bytes.iter_mut().zip(word.bytes()) {
            *to = from.to_ascii_lowercase();
        }
        Some(Self(bytes, word.len()))
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0[..self.1]).unwrap_or_default()
    }
}

fn is_in(list: &[&str], word: &str) -> bool {
    Lower::of(word).is_some_and(|lower| list.contains(&lower.as_str()))
}

/// Whether it is a word of letters that everybody uses.
pub(super) fn is_word(word: &str) -> bool {
    Lower::of(word).is_some_and(|lower| WORDS.contains(lower.as_str()))
}

/// Whether it may stay even where a secret may stand.
pub(super) fn is_few(word: &str) -> bool {
    static SET: LazyLock<HashSet<&'static str>> =
        LazyLock::new(|| FEW.split_ascii_whitespace().collect());
    Lower::of(word).is_some_and(|lower| SET.contains(lower.as_str()))
}

pub(super) fn is_numbered(word: &str) -> bool {
    is_in(NUMBERED, word)
}

pub(super) fn is_mixed(word: &str) -> bool {
    is_in(MIXED, word) || is_in(PROGRAMS, word)
}

pub(super) fn is_short(word: &str) -> bool {
    is_in(SHORT, word)
}

/// The parts of a name: `fooBar`, `foo_bar`, `FOO-Bar`, `HTTPServer2`.
pub(super) fn parts(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        let first = rest.chars().next()?;
        let bytes = rest.as_bytes();
        let end = if !first.is_ascii() {
            rest.find(|c: char| c.is_ascii() || !c.is_alphanumeric())
                .unwrap_or(rest.len())
        } else if first.is_ascii_digit() {
            run(bytes, u8::is_ascii_digit)
        } else if first.is_ascii_lowercase() {
            run(bytes, u8::is_ascii_lowercase)
        } else {
            match run(bytes, u8::is_ascii_uppercase) {
                // `Foo`, or the last capital of `HTTPServer`.
                1 => 1 + run(&bytes[1..], u8::is_ascii_lowercase),
                // `TLSv1`, `IDs`: what follows is too short to be a word.
                capitals => match run(&bytes[capitals..], u8::is_ascii_lowercase) {
                    0 => capitals,
                    1 => capitals + 1,
                    _ => capitals - 1,
                },
            }
        };
        let (part, behind) = rest.split_at(end);
        rest = behind;
        Some(part)
    })
}

fn run(bytes: &[u8], is: impl Fn(&u8) -> bool) -> usize {
    bytes
        .iter()
        .position(|byte| !is(byte))
        .unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_into_parts() {
        for (name, all) in [
            ("InetAddr", "Inet Addr"),
            ("AMPSConfig", "AMPS Config"),
            ("client_name-2x", "client name 2 x"),
            ("HTTPServer", "HTTP Server"),
            ("maxIDs", "max IDs"),
            ("größe", "gr öß e"),
        ] {
            assert_eq!(parts(name).collect::<Vec<_>>().join(" "), all);
        }
    }

    #[test]
    fn words_that_nobody_writes_together_are_told() {
        for piece in ["carry-shuffled", "Toward-Refers", "island-harvest-volume"] {
            assert!(is_made_up(piece), "{piece}");
        }
        for piece in [
            "read-only",
            "keep-alive",
            "amps-action-do-rotate-logs",
            "json-tcp",
            "non-island",
            "island",
            "x-y",
            "orders-7",
        ] {
            assert!(!is_made_up(piece), "{piece}");
        }
    }

    #[test]
    fn names_of_people_are_no_words() {
        for name in [
            "bob",
            "kurt",
            "carl",
            "scott",
            "heidi",
            "alice",
            "smith",
            "ops",
            "sales",
            "tiger",
            "dragon",
            "hunter",
            "frankfurt",
            "london",
        ] {
            assert!(!is_word(name), "{name}");
        }
        for word in [
            "Connection",
            "REFUSED",
            "initialization",
            "AMPS",
            "Jan",
            "nov",
            "kernel",
            "debian",
        ] {
            assert!(is_word(word), "{word}");
        }
    }
}
