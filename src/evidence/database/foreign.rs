//! What a file is that is no SQLite 3 database, as far as its first bytes tell, and what to do about it.

use crate::failure::{Failure, FailureKind};

/// First bytes, what they are, and the remedy.
const KNOWN: [(&[u8], &str, &str); 8] = [
    (b"\x1f\x8b", "it is compressed by gzip", PACKED),
    (b"\x28\xb5\x2f\xfd", "it is compressed by zstd", PACKED),
    (b"\xfd7zXZ\0", "it is compressed by xz", PACKED),
    (b"BZh", "it is compressed by bzip2", PACKED),
    (b"PK\x03\x04", "it is a ZIP archive", PACKED),
    (
        b"** This file contains an SQLite 2",
        "it is a database of SQLite 2",
        "no SQLite 3 reads it: name the file that the product writes now, or take it as `format: plain`",
    ),
    (
        &[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7],
        "it is a rollback journal",
        "name the database itself: its `-journal` is fetched with it",
    ),
    (
        b"<",
        "it is a page of HTML or XML",
        "the path leads to another kind of file: correct the artifact's `path`",
    ),
];

const PACKED: &str = "a live database is never compressed, so this is an old copy: name the database that the product \
    writes; if support wants the old copy as well, make it an artifact of its own with `format: plain`";

/// The refusal of a file that begins with `head`.
pub(super) fn refusal(head: &[u8]) -> Failure {
    let known = KNOWN.iter().find(|(magic, ..)| head.starts_with(magic));
    let (actual, hint) = match known {
        Some((_, what, hint)) => (*what, *hint),
        None if [&[0x37, 0x7f, 0x06, 0x82][..], &[0x37, 0x7f, 0x06, 0x83]]
            .iter()
            .any(|magic| head.starts_with(magic)) =>
        {
            (
                "it is a write-ahead log",
                "name the database itself: its `-wal` is fetched with it",
            )
        }
        None if is_random(head) => (
            "it does not begin with an SQLite 3 header, and looks encrypted",
            "a database that is encrypted (SQLCipher, SEE) can only be judged with its key, which gonogo does not \
             take: take it as `format: plain`, or have the product print its statistics (`command:`)",
        ),
        None => (
            "it does not begin with an SQLite 3 header",
            "a copy of a live database can be torn: fetch again; if it stays so, the artifact's `path` leads to \
             another kind of file",
        ),
    };
    Failure::new(FailureKind::Corrupt, super::EXPECTED, actual).with_hint(hint)
}

/// Whether these bytes are of no kind: among 100 random ones about 80 are distinct, few of them text.
fn is_random(head: &[u8]) -> bool {
    let distinct: std::collections::BTreeSet<u8> = head.iter().copied().collect();
    let text = head.iter().filter(|byte| byte.is_ascii_graphic()).count();
    head.len() >= 64 && distinct.len() * 10 > head.len() * 6 && text * 10 < head.len() * 6
}
