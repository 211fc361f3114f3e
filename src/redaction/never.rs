//! What no bundle may ever hold (facts: artifacts.md 9): messages at rest, memory, keys. Told by name and
//! by the first bytes, whichever says so first; redaction is no answer to any of them.

/// Why a file of that name and beginning must stay at home.
#[must_use]
pub fn never(name: &str, head: &[u8]) -> Option<&'static str> {
    let name = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    named(&name).or_else(|| begun(head))
}

fn named(name: &str) -> Option<&'static str> {
    // What a rotation or a packer appends.
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let packed = [".gz", ".zst", ".xz", ".bz2"];
    let bare = packed
        .iter()
        .find_map(|end| bare.strip_suffix(end))
        .unwrap_or(bare);
    let ends = |ends: &[&str]| ends.iter().any(|end| bare.ends_with(end));
    if ends(&[".sow"]) {
        return Some("a state of the world: it holds the messages themselves");
    }
    if ends(&[".journal", ".jrnl", ".ack", ".acks"]) {
        return Some("a journal: it holds the messages themselves");
    }
    if ends(&[".dmp", ".core", ".hprof", ".mdmp"]) || bare == "core" || name.starts_with("core.") {
        return Some("a memory dump: it holds whatever the product had in memory, keys too");
    }
    if ends(&[".keytab"]) {
        return Some("a keytab: whoever has it is that account");
    }
    if bare == ".erlang.cookie" {
        return Some("the cookie of a cluster: whoever has it commands the cluster");
    }
    if ends(&[".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".ppk"])
        || [
            "id_rsa",
            "id_dsa",
            "id_ecdsa",
            "id_ed25519",
            ".pgpass",
            ".netrc",
            "shadow",
        ]
        .contains(&bare)
    {
        return Some("a key store, or a file of passwords");
    }
    None
}

fn begun(head: &[u8]) -> Option<&'static str> {
    let text = head.trim_ascii_start();
    let holds = |needle: &[u8]| head.windows(needle.len()).any(|window| window == needle);
    if head.starts_with(b"\x7fELF") {
        return Some("a program or a memory dump (ELF)");
    }
    if head.starts_with(b"MDMP") || head.starts_with(b"JAVA PROFILE") {
        return Some("a memory dump: it holds whatever the product had in memory, keys too");
    }
    if head.starts_with(&[5, 2]) || head.starts_with(&[0xfe, 0xed, 0xfe, 0xed]) {
        return Some("a keytab or a key store");
    }
    if text.starts_with(b"-----BEGIN") && holds(b"PRIVATE KEY") {
        return Some("a private key");
    }
    if text.starts_with(b"PuTTY-User-Key-File-") {
        return Some("a private key");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_stay_stays_and_its_twin_may_go() {
        for (name, head) in [
            ("orders.sow", &b""[..]),
            ("sow/orders.sow.1", b""),
            ("0000001.journal", b""),
            ("00001.journal.gz", b""),
            ("queue.ack", b""),
            ("core.1234", b""),
            ("core", b""),
            ("a1b2.dmp", b""),
            ("krb5.keytab", b""),
            ("/var/lib/rabbitmq/.erlang.cookie", b""),
            ("server.PEM", b""),
            ("renamed.log", b"\x7fELF\x02"),
            ("renamed.log", b"MDMP\x93"),
            ("renamed.log", b"\x05\x02\0\0"),
            ("a.txt", b"\n-----BEGIN RSA PRIVATE KEY-----\n"),
        ] {
            assert!(never(name, head).is_some(), "{name}");
        }
        for (name, head) in [
            ("orders.log", &b"2026-"[..]),
            ("score.log", b""),
            ("config.xml", b"<AMPSConfig/>"),
            ("stats.db", b"SQLite format 3\0"),
            ("ca.crt.txt", b"-----BEGIN CERTIFICATE-----"),
            ("journald.log", b""),
            ("monkey.log", b""),
            ("feedback.log", b""),
        ] {
            assert_eq!(never(name, head), None, "{name}");
        }
    }
}
