//! Revocation lists made by the real `ssh-keygen -k`, whole, cut short and damaged; the cases of who is
//! revoked stand in `certified_cases.rs`.

use super::*;
use crate::sign::key::SigningKey;
use crate::sign::lab::Lab;
use crate::sign::raw::read_line;
use crate::sign::sshsig::{NAMESPACE, Signature, sign};

/// Reproducible: the same bytes at every run (xorshift64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    /// A few changes of any kind, somewhere.
    fn damage(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut damaged = bytes.to_vec();
        for _ in 0..=self.below(3) {
            if damaged.is_empty() {
                break;
            }
            let at = self.below(damaged.len());
            match self.below(6) {
                0 => damaged[at] ^= 1 << self.below(8),
                1 => damaged[at] = [0, 1, 0x7f, 0x80, 0xff][self.below(5)],
                2 => damaged.truncate(at),
                3 => {
                    damaged.remove(at);
                }
                4 => damaged.insert(at, damaged[self.below(damaged.len())]),
                _ => {
                    let until = at + self.below(damaged.len() - at);
                    let copy = damaged[at..until].to_vec();
                    let to = self.below(damaged.len());
                    damaged.splice(to..to, copy);
                }
            }
        }
        damaged
    }
}

/// A lab with keys `k` and `l`, an authority `a`, and a list of every kind of section.
fn lab() -> (Lab, Vec<u8>) {
    let lab = Lab::new();
    for name in ["k", "l", "m", "a"] {
        lab.keygen(name, &["-t", "ed25519", "-C", "me@x"], "");
    }
    let key = |name: &str| lab.read(&format!("{name}.pub"));
    let spec = format!(
        "key: {}sha1: {}sha256: {}id: one\nid: two\nserial: 5\nserial: 100-200\nserial: 1000\nserial: 1002\nserial: 1007\n",
        key("k"),
        key("l"),
        key("m")
    );
    lab.write("spec", spec);
    lab.ssh_keygen(&["-q", "-k", "-f", "krl", "-s", "a.pub", "spec"]);
    let krl = std::fs::read(lab.path("krl")).unwrap();
    (lab, krl)
}

fn public(lab: &Lab, name: &str) -> KeyData {
    let line = lab.read(&format!("{name}.pub"));
    read_line(&line).unwrap().0
}

#[test]
fn reads_every_section_and_refuses_what_is_cut_short() {
    let (lab, krl) = lab();
    let whole = Revoked::parse(&krl).unwrap();
    for name in ["k", "l", "m"] {
        assert_eq!(whole.covers(&public(&lab, name)), Some("the key"), "{name}");
    }
    assert_eq!(whole.covers(&public(&lab, "a")), None);
    // Where a section ends, what is left is a list too: nothing in the format can tell. ssh-keygen agrees.
    let mut readable = 0;
    for length in 0..krl.len() {
        let cut = &krl[..length];
        if Revoked::parse(cut).is_ok() {
            readable += 1;
            lab.write("cut", cut);
            let listed = lab.run("ssh-keygen", &["-Q", "-l", "-f", "cut"], b"");
            assert!(listed.status.success(), "{length}: {listed:?}");
        }
    }
    // After the head, and between the sections for certificates, the key and the two digests.
    assert_eq!(readable, 4);
}

#[test]
fn what_is_unknown_or_malformed_is_refused() {
    let (_, krl) = lab();
    let head = &krl[..44];
    let damaged = |more: &[u8]| Revoked::parse(&[head, more].concat()).unwrap_err();
    assert!(Revoked::parse(head).is_ok());
    let section = |kind: u8, content: &[u8]| {
        let mut bytes = vec![kind];
        super::super::fields::put_string(&mut bytes, content);
        bytes
    };
    for (section, words) in [
        (section(4, b"x"), "signed"),
        (section(9, b""), "unknown kind"),
        (section(255, b""), "unknown kind"),
        (section(3, &[0, 0, 0, 1, 7]), "wrong length"),
        (section(1, b""), "cut short"),
    ] {
        assert!(damaged(&section).to_string().contains(words), "{words}");
    }
    let of_any = |kind: u8, content: &[u8]| {
        let inner = [vec![0; 8], section(kind, content)].concat();
        section(1, &inner)
    };
    let ranges = |low: u64, high: u64| [low.to_be_bytes(), high.to_be_bytes()].concat();
    let bits = |offset: u64, bitmap: &[u8]| {
        let mut bytes = offset.to_be_bytes().to_vec();
        super::super::fields::put_string(&mut bytes, bitmap);
        bytes
    };
    assert!(Revoked::parse(&[head, &of_any(0x21, &ranges(1, 2))[..]].concat()).is_ok());
    assert!(Revoked::parse(&[head, &of_any(0x22, &bits(1, &[1]))[..]].concat()).is_ok());
    for (kind, content, words) in [
        (0x21, ranges(0, 2), "is none"),
        (0x21, ranges(3, 2), "is none"),
        (
            0x21,
            [ranges(1, 2), vec![0]].concat(),
            "more than it should",
        ),
        (0x20, vec![0; 8], "is none"),
        (0x20, vec![1; 7], "cut short"),
        (0x22, bits(0, &[1]), "is none"),
        (0x22, bits(1, &[0x80]), "negative"),
        (0x22, bits(u64::MAX, &[3]), "past the last"),
        (0x22, bits(1, &[1; 2049]), "too long"),
        (0x23, vec![0, 0, 0, 1, 0], "no text"),
        (0x39, vec![], "unknown kind"),
    ] {
        let told = damaged(&of_any(kind, &content)).to_string();
        assert!(told.contains(words), "{kind:x}: {told}");
    }
    for content in [
        &b""[..],
        b"junk",
        b"ssh-ed25519\n",
        b"SSHKRL\n\0",
        b"\0\0\0\0",
    ] {
        let refused = Revoked::parse(content).unwrap_err();
        assert!(!refused.hint().is_empty(), "{refused}");
    }
}

#[test]
fn a_damaged_list_never_clears_what_ssh_keygen_does_not() {
    let (lab, krl) = lab();
    let mut dice = Dice(0x5eed_0001);
    let keys = ["k", "l", "m", "a"].map(|name| public(&lab, name));
    for _ in 0..20_000 {
        if let Ok(read) = Revoked::parse(&dice.damage(&krl)) {
            // Only that it answers: a changed digest revokes something else.
            let _ = keys.iter().filter_map(|key| read.covers(key)).count();
        }
    }
    let (mut clear, mut refused) = (0, 0);
    for round in 0..250 {
        let damaged = dice.damage(&krl);
        lab.write("damaged", &damaged);
        let name = ["k", "l", "m", "a"][round % 4];
        let file = format!("{name}.pub");
        let theirs = lab.run("ssh-keygen", &["-Q", "-f", "damaged", &file], b"");
        let read = Revoked::parse(&damaged);
        let ours = read.is_ok_and(|read| read.covers(&public(&lab, name)).is_none());
        assert!(
            !ours || theirs.status.success(),
            "{round} {name}: {damaged:?}"
        );
        match ours {
            true => clear += 1,
            false => refused += 1,
        }
    }
    assert!(clear > 5 && refused > 50, "{clear} {refused}");
}

#[test]
fn a_damaged_signature_is_never_accepted() {
    const MESSAGE: &[u8] = b"abc  report.json\n";
    let (lab, _) = lab();
    lab.ssh_keygen(&["-q", "-s", "a", "-I", "id", "-n", "me@x", "k.pub"]);
    let mut dice = Dice(0x5eed_0002);
    for name in ["k", "l"] {
        let key = SigningKey::load(&lab.path(name), None).unwrap();
        assert_eq!(key.certificate().is_some(), name == "k");
        let armour = sign(&key, NAMESPACE, MESSAGE).unwrap();
        let bytes = Signature::parse(armour.as_bytes()).unwrap().to_bytes();
        let accepts = |read: Result<Signature, _>| {
            read.is_ok_and(|read: Signature| read.check(NAMESPACE, MESSAGE).is_ok())
        };
        assert!(accepts(Signature::from_bytes(&bytes)));
        for round in 0..3_000 {
            let damaged = dice.damage(&bytes);
            let same = damaged == bytes;
            assert_eq!(
                accepts(Signature::from_bytes(&damaged)),
                same,
                "{name} {round}"
            );
            let damaged = dice.damage(armour.as_bytes());
            let same = damaged == armour.as_bytes();
            assert_eq!(accepts(Signature::parse(&damaged)), same, "{name} {round}");
        }
    }
}
