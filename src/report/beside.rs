//! What people sign of a run and put beside it: documents of one spelling, each with its signatures, outside
//! the manifest, so that the run itself is never changed. Proves nothing: whoever can write there can.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::digest::Sha256;
use crate::sign::manifest::{MANIFEST, portable_name, read_regular};
use crate::text::escape;

/// A document is a page, a signature less.
pub(super) const MOST_BYTES: u64 = 64 << 10;
/// More is an accident or an attack. Nothing is left out silently: it might be the word that says no.
const MOST_FILES: usize = 20_000;

/// What a document beside a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A person's answer.
    Answer,
    /// A request to deploy all the same.
    BreakGlass,
}

impl Purpose {
    const ALL: [Self; 2] = [Self::Answer, Self::BreakGlass];

    const fn word(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::BreakGlass => "break-glass",
        }
    }

    /// `SHA256SUMS.answer-bob-1a2b3c4d5e6f.json`: who wrote it counts for nothing, the signature does.
    #[must_use]
    pub fn name(self, who: &str, bytes: &[u8]) -> String {
        let digest = Sha256::of(bytes).to_string();
        let who = portable_name(&who.replace('/', "_"));
        format!("{MANIFEST}.{}-{who}-{}.json", self.word(), &digest[..12])
    }

    fn is_document(self, name: &str) -> bool {
        let rest = name.strip_prefix(MANIFEST);
        let rest = rest.and_then(|rest| rest.strip_prefix('.'));
        let rest = rest.and_then(|rest| rest.strip_prefix(self.word()));
        rest.is_some_and(|rest| rest.starts_with('-') && rest.ends_with(".json"))
    }
}

/// A document and what lies with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paper {
    /// Name of its file.
    pub name: String,
    /// What it says, or why it cannot be read.
    pub bytes: std::result::Result<Vec<u8>, Unread>,
    /// `NAME.sig` and every `NAME.*.sig`, by name, or why one cannot be read.
    pub signatures: BTreeMap<String, std::result::Result<Vec<u8>, Unread>>,
}

/// Why a file beside the run is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// In a phrase.
    pub why: String,
    /// Whether this machine does not let it be read: somebody else might see a word in it.
    pub is_hidden: bool,
}

impl std::fmt::Display for Unread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)
    }
}

impl Paper {
    /// The first of its files that this machine does not let be read, and why.
    #[must_use]
    pub fn hidden(&self) -> Option<(&str, &Unread)> {
        let own = self.bytes.as_ref().err().map(|why| (&*self.name, why));
        let signatures = self.signatures.iter();
        let signatures =
            signatures.filter_map(|(name, read)| Some((&**name, read.as_ref().err()?)));
        let mut unread = own.into_iter().chain(signatures);
        unread.find(|(_, unread)| unread.is_hidden)
    }
}

fn paper(path: &Path) -> std::result::Result<Vec<u8>, Unread> {
    read_regular(path, MOST_BYTES).map_err(|error| match error.to_string().as_str() {
        "too large" => Unread {
            why: "it cannot be read: more than 64 KiB".to_owned(),
            is_hidden: false,
        },
        why => Unread {
            why: format!("it cannot be read: {why}"),
            is_hidden: !matches!(error.kind(), ErrorKind::Other | ErrorKind::NotFound),
        },
    })
}

/// Whether a file beside the manifest is one of these signatures, and so no approval of the run.
#[must_use]
pub fn is_of_a_paper(name: &str) -> bool {
    let ends = name.match_indices(".json").map(|(at, end)| at + end.len());
    let mut heads = ends.filter_map(|end| Some((name.get(..end)?, name.get(end..)?)));
    heads.any(|(head, rest)| {
        rest.starts_with('.')
            && rest.ends_with(".sig")
            && Purpose::ALL.iter().any(|one| one.is_document(head))
    })
}

/// The documents beside the run in `directory`, by name.
///
/// # Errors
/// When it cannot be listed whole.
pub fn papers(directory: &Path, purpose: Purpose) -> Result<Vec<Paper>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        // A name that is not UTF-8 is none that gonogo or ssh-keygen makes of one that is.
        let Ok(name) = entry?.file_name().into_string() else {
            continue;
        };
        if name.starts_with(MANIFEST) {
            names.push(name);
        }
        if names.len() > MOST_FILES {
            return Err(Error::other(format!(
                "more than {MOST_FILES} files lie beside the run"
            )));
        }
    }
    names.sort_unstable();
    let documents = names.iter().filter(|name| purpose.is_document(name));
    let papers = documents.map(|name| {
        let is_signature = |other: &&String| {
            let rest = other.strip_prefix(name.as_str());
            let rest = rest.and_then(|rest| rest.strip_prefix('.'));
            rest.is_some_and(|rest| rest == "sig" || rest.ends_with(".sig"))
        };
        let at = names.partition_point(|other| other < name);
        let near = names[at..]
            .iter()
            .take_while(|other| other.starts_with(name.as_str()));
        let signatures = near
            .filter(is_signature)
            .map(|other| (other.clone(), paper(&directory.join(other))));
        Paper {
            name: name.clone(),
            bytes: paper(&directory.join(name)),
            signatures: signatures.collect(),
        }
    });
    Ok(papers.collect())
}

/// A document in its one spelling.
///
/// # Errors
/// Never for what has text keys only.
pub fn write<T: Serialize>(document: &T) -> serde_json::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads a document of that schema: no key twice, none unknown, nothing behind it, and no other spelling.
///
/// # Errors
/// What is wrong with it, in a phrase.
pub fn read<T: Serialize + DeserializeOwned>(
    bytes: &[u8],
    schema: &str,
) -> std::result::Result<T, String> {
    #[derive(serde::Deserialize)]
    struct Head {
        schema: String,
    }
    let shown = |error: serde_json::Error| escape(&error.to_string()).into_owned();
    let head: Head = serde_json::from_slice(bytes).map_err(shown)?;
    if head.schema != schema {
        let other = escape(&head.schema).into_owned();
        return Err(format!("its schema is `{other}`, not `{schema}`"));
    }
    let document: T = serde_json::from_slice(bytes).map_err(shown)?;
    match write(&document) {
        Ok(again) if again == bytes => Ok(document),
        _ => Err("it is not spelled as gonogo writes it".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_of_papers_are_no_approvals() {
        for (name, is_one) in [
            ("SHA256SUMS.answer-bob-1a.json.sig", true),
            ("SHA256SUMS.answer-bob.json.carl.sig", true),
            ("SHA256SUMS.break-glass-x.json.bob.sig", true),
            ("SHA256SUMS.bob.sig", false),
            ("SHA256SUMS.sig", false),
            ("SHA256SUMS.answer-bob.sig", false),
            ("SHA256SUMS.answers.json.sig", false),
            ("SHA256SUMS.bob.json.sig", false),
            ("SHA256SUMS.answer-bob.json", false),
        ] {
            assert_eq!(is_of_a_paper(name), is_one, "{name}");
        }
    }

    #[test]
    fn each_document_comes_with_its_own_signatures() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "SHA256SUMS",
            "SHA256SUMS.sig",
            "SHA256SUMS.answer-a.json",
            "SHA256SUMS.answer-a.json.sig",
            "SHA256SUMS.answer-a.json.bob.sig",
            "SHA256SUMS.answer-a.json.txt",
            "SHA256SUMS.answer-a.json-b.json",
            "SHA256SUMS.answer-b.json",
            "SHA256SUMS.break-glass-c.json",
            "answer-d.json",
        ] {
            std::fs::write(dir.path().join(name), name).unwrap();
        }
        // What cannot be read is there, and told as what it is.
        std::fs::create_dir(dir.path().join("SHA256SUMS.answer-b.json.sig")).unwrap();
        let large = vec![b'x'; (64 << 10) + 1];
        std::fs::write(
            dir.path().join("SHA256SUMS.answer-b.json.x.sig"),
            &large[1..],
        )
        .unwrap();
        std::fs::write(dir.path().join("SHA256SUMS.answer-b.json.y.sig"), &large).unwrap();
        std::os::unix::fs::symlink("SHA256SUMS", dir.path().join("SHA256SUMS.answer-l.json"))
            .unwrap();
        let papers = papers(dir.path(), Purpose::Answer).unwrap();
        let told: Vec<_> = (papers.iter())
            .map(|one| (&*one.name, one.bytes.is_ok(), one.signatures.len()))
            .collect();
        assert_eq!(
            told,
            [
                ("SHA256SUMS.answer-a.json", true, 2),
                ("SHA256SUMS.answer-a.json-b.json", true, 0),
                ("SHA256SUMS.answer-b.json", true, 3),
                ("SHA256SUMS.answer-l.json", false, 0),
            ]
        );
        let why = |name: &str| match &papers[2].signatures[name] {
            Ok(_) => "",
            Err(unread) => unread.why.as_str(),
        };
        assert_eq!(why("SHA256SUMS.answer-b.json.x.sig"), "");
        let (directory, large) = (
            why("SHA256SUMS.answer-b.json.sig"),
            why("SHA256SUMS.answer-b.json.y.sig"),
        );
        assert!(directory.ends_with("not a regular file"), "{directory}");
        assert!(large.ends_with("more than 64 KiB"), "{large}");
        assert_eq!(papers[2].hidden(), None);
        let glass = super::papers(dir.path(), Purpose::BreakGlass).unwrap();
        assert_eq!(glass.len(), 1);
        assert!(super::papers(&dir.path().join("none"), Purpose::Answer).is_err());
        let name = Purpose::Answer.name("bob/../x", b"m");
        assert!(
            Purpose::Answer.is_document(&name) && !name.contains('/'),
            "{name}"
        );
    }
}
