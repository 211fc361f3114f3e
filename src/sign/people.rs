//! Who may approve: an allowed_signers file read as a list of people. A name is a person's, a pattern
//! nobody's; names that share a key, and keys that share a name, are one person. What is approved, and how
//! many must, is asked elsewhere.

use std::collections::BTreeMap;

use jiff::Timestamp;
use unicode_security::skeleton;

use super::allowed_signers::{AllowedSigners, Signer, Warning};
use super::key::fingerprint;
use super::krl::Revoked;
use super::sshsig::SignatureFault;

/// The namespace of approvals of a run.
pub const APPROVAL: &str = "gonogo-approval@gonogo";
/// The namespace of signatures over a file of waivers.
pub const WAIVER: &str = "gonogo-waiver@gonogo";
/// The namespace of answers to what only a person can answer.
pub const ANSWER: &str = "gonogo-answer@gonogo";
/// The namespace of requests to deploy although a run says NO-GO.
pub const BREAK_GLASS: &str = "gonogo-break-glass@gonogo";

/// How a name of a file of people begins that is a role, and nobody's own.
const ROLE: &str = "role:";

/// `role:release-manager`, the name that gives a key's owner the role `release manager`.
#[must_use]
pub fn role_name(role: &str) -> Option<String> {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
    };
    let is_role = role.len() <= 64 && role.split(' ').all(is_word);
    is_role.then(|| format!("{ROLE}{}", role.to_ascii_lowercase().replace(' ', "-")))
}

/// Whether a name is a role's.
#[must_use]
pub fn is_role(name: &str) -> bool {
    name.trim().to_lowercase().starts_with(ROLE)
}

/// Whether a name is meant as a role, and spelled so that none has it.
fn is_nobodys_role(name: &str) -> bool {
    let is_asked = |role: &str| role_name(role).as_deref() == Some(name);
    is_role(name) && !name.strip_prefix(ROLE).is_some_and(is_asked)
}

/// The people of an approvers' file.
#[derive(Clone, Debug, Default)]
pub struct People {
    allowed: AllowedSigners,
    groups: Groups,
}

/// Names and keys, each with the one that stands for its person.
#[derive(Clone, Debug, Default)]
struct Groups(BTreeMap<String, String>);

impl Groups {
    fn of(&self, word: &str) -> String {
        let mut word = word.to_owned();
        while let Some(above) = self.0.get(&word).filter(|above| **above != word) {
            word.clone_from(above);
        }
        word
    }

    fn join(&mut self, one: &str, other: &str) {
        let (one, other) = (self.of(one), self.of(other));
        if one != other {
            self.0.insert(one, other);
        }
    }
}

/// As people compare names: what looks the same is the same. A fingerprint stays as it is.
fn name(word: &str) -> String {
    match word.starts_with("SHA256:") {
        true => word.to_owned(),
        false => skeleton(&word.trim().to_lowercase()).collect(),
    }
}

impl People {
    /// Reads a file. Never fails: a line that names nobody is skipped and told.
    #[must_use]
    pub fn parse(content: &[u8]) -> Self {
        let mut allowed = AllowedSigners::parse(content).of_names();
        allowed.warn_of(
            |principals| principals.split(',').any(is_nobodys_role),
            "holds a role that no question can ask for: lower-case letters, digits, `.`, `_` and `-` behind `role:`, blanks as `-`",
        );
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        allowed.warn_of(
            |principals| {
                let mut names = principals.split(',').filter(|one| !is_role(one));
                names.any(|one| {
                    let first = known.entry(name(one)).or_insert_with(|| one.to_lowercase());
                    *first != one.to_lowercase()
                })
            },
            "holds a name that looks like another one above: both are one person",
        );
        let mut groups = Groups::default();
        for (principals, key) in allowed.keys() {
            let key = fingerprint(key);
            // Many people share a role.
            for principal in principals.split(',').filter(|name| !is_role(name)) {
                groups.join(&name(principal), &key);
            }
        }
        Self { allowed, groups }
    }

    /// Whatever `revoked` covers approves no more.
    #[must_use]
    pub fn without(mut self, revoked: Revoked) -> Self {
        self.allowed = self.allowed.without(revoked);
        self
    }

    /// Lines that have no effect, and why.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        self.allowed.warnings()
    }

    /// True when nobody may approve anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.allowed.is_empty()
    }

    /// Proves that `signature` over `message` in `namespace` is that of somebody who may at `at`; as `asked`,
    /// when that is given.
    ///
    /// # Errors
    /// As [`AllowedSigners::verify`].
    pub fn verify(
        &self,
        asked: Option<&str>,
        namespace: &str,
        message: &[u8],
        signature: &[u8],
        at: Timestamp,
    ) -> Result<Signer, SignatureFault> {
        if let Some(role) = asked.filter(|asked| is_role(asked)) {
            // A role stands for many: whoever asked for something in their own name could approve it in that.
            let identity = role.to_owned();
            return Err(SignatureFault::NoSuchIdentity { identity });
        }
        self.allowed
            .verify(asked, namespace, message, signature, at)
    }

    /// Proves that whoever made the signature has that role at `at`.
    ///
    /// # Errors
    /// As [`AllowedSigners::verify`].
    pub fn has_role(
        &self,
        role: &str,
        namespace: &str,
        message: &[u8],
        signature: &[u8],
        at: Timestamp,
    ) -> Result<(), SignatureFault> {
        let none = || SignatureFault::NoSuchIdentity {
            identity: role.to_owned(),
        };
        let name = role_name(role).ok_or_else(none)?;
        self.allowed
            .verify(Some(&name), namespace, message, signature, at)
            .map(drop)
    }

    /// Whether the key with that fingerprint is here for that namespace and nothing else.
    #[must_use]
    pub fn holds_only_for(&self, key: &str, namespace: &str) -> bool {
        self.allowed.holds_only_for(key, namespace)
    }

    /// Whether a line holds the key with that fingerprint, whatever it is for.
    #[must_use]
    pub fn holds(&self, key: &str) -> bool {
        self.allowed.holds(key)
    }

    /// Whether somebody of that name stands in the file.
    #[must_use]
    pub fn knows(&self, who: &str) -> bool {
        self.groups.0.contains_key(&name(who))
    }

    /// Whether two names or fingerprints are known to be one person's.
    #[must_use]
    pub fn are_one(&self, one: &str, other: &str) -> bool {
        self.groups.of(&name(one)) == self.groups.of(&name(other))
    }

    /// Whether one of these names and keys is of the same person as one of those: who made a run, by key, by
    /// name, or by what the file says of them, approves nothing of it.
    #[must_use]
    pub fn are_same(&self, one: [&str; 2], other: [&str; 2]) -> bool {
        let mut ones = one.into_iter();
        ones.any(|one| other.into_iter().any(|other| self.are_one(one, other)))
    }

    /// Whether who put their name to a run is one of those who signed it, or a shard of it.
    #[must_use]
    pub fn is_of(&self, one: [&str; 2], runners: &[[&str; 2]]) -> bool {
        runners.iter().any(|runner| self.are_same(one, *runner))
    }

    /// The signers, those of one person together, in their order.
    #[must_use]
    pub fn apart(&self, signers: Vec<Signer>) -> Vec<Vec<Signer>> {
        let mut groups = self.groups.clone();
        for signer in &signers {
            groups.join(&name(&signer.identity), &signer.fingerprint);
        }
        let mut people: Vec<(String, Vec<Signer>)> = Vec::new();
        for signer in signers {
            let person = groups.of(&signer.fingerprint);
            match people.iter_mut().find(|(known, _)| *known == person) {
                Some((_, same)) => same.push(signer),
                None => people.push((person, vec![signer])),
            }
        }
        people.into_iter().map(|(_, signers)| signers).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::lab::Lab;
    use crate::sign::sshsig::sign;

    const AT: &str = "2026-11-21T12:00:00Z";

    fn line(lab: &Lab, name: &str, options: &str, key: &str) -> String {
        format!("{name} {options}{}", lab.read(&format!("{key}.pub")))
    }

    #[test]
    fn names_with_one_key_and_keys_with_one_name_are_one_person() {
        let lab = Lab::new();
        let keys = ["a", "b", "c"].map(|name| lab.key(name, "x"));
        let file = [
            line(&lab, "ann", "", "a"),
            line(&lab, "ann", "", "b"),
            line(&lab, "bob,ann2", "", "b"),
            line(&lab, "carl", "", "c"),
        ];
        let people = People::parse(file.concat().as_bytes());
        let at = AT.parse().unwrap();
        let signers = keys.iter().map(|key| {
            let signature = sign(key, APPROVAL, b"m").unwrap();
            let signer = people.verify(None, APPROVAL, b"m", signature.as_bytes(), at);
            signer.unwrap()
        });
        let apart = people.apart(signers.collect());
        let names: Vec<Vec<&str>> = (apart.iter())
            .map(|one| one.iter().map(|signer| &*signer.identity).collect())
            .collect();
        assert_eq!(names, [vec!["ann", "ann"], vec!["carl"]]);
        assert!(people.are_one("Bob", "ann") && people.are_one("ann2", &keys[0].fingerprint()));
        assert!(!people.are_one("carl", "ann") && !people.are_one("dora", "ann"));
        assert!(people.are_one("dora", "Dora"));
        assert!(people.knows(" Bob") && people.knows("ann2") && !people.knows("dora"));
    }

    #[test]
    fn a_pattern_is_nobody_and_its_twin_is_somebody() {
        let lab = Lab::new();
        let key = lab.key("a", "x");
        let signature = sign(&key, WAIVER, b"m").unwrap();
        let at = AT.parse().unwrap();
        for (names, is_somebody) in [
            ("*", false),
            ("bob,b*", false),
            ("!ann,*", false),
            ("bob", true),
        ] {
            let people = People::parse(line(&lab, names, "", "a").as_bytes());
            let verified = people.verify(Some("bob"), WAIVER, b"m", signature.as_bytes(), at);
            assert_eq!(verified.is_ok(), is_somebody, "{names}");
            assert_eq!(people.is_empty(), !is_somebody, "{names}");
            assert_eq!(people.warnings().is_empty(), is_somebody, "{names}");
        }
    }

    #[test]
    fn names_that_look_alike_are_one_person() {
        let lab = Lab::new();
        for name in ["a", "b"] {
            lab.key(name, "x");
        }
        for (one, other, alike) in [
            ("bob", "b\u{43e}b", true),
            ("bob@ops.example", "bob@ops.ex\u{430}mple", true),
            ("ann1", "annl", true),
            ("j\u{fc}rgen", "ju\u{308}rgen", true),
            ("j\u{fc}rgen", "jurgen", false),
            (
                "\u{43e}\u{43b}\u{435}\u{433}",
                "\u{438}\u{432}\u{430}\u{43d}",
                false,
            ),
            ("bob", "rob", false),
            ("Bob", "bob", true),
        ] {
            let file = [line(&lab, one, "", "a"), line(&lab, other, "", "b")].concat();
            let people = People::parse(file.as_bytes());
            assert_eq!(people.are_one(one, other), alike, "{one} {other}");
            // The same name in other letters is nothing to look at twice.
            let is_told = alike && one.to_lowercase() != other.to_lowercase();
            let told: Vec<_> = people.warnings().iter().map(|told| told.line).collect();
            assert_eq!(
                told,
                if is_told { vec![2] } else { vec![] },
                "{one} {other}"
            );
        }
        // One person in a line may be written twice.
        let both = People::parse(line(&lab, "bob,b\u{43e}b", "", "a").as_bytes());
        assert_eq!(both.warnings().len(), 1);
    }

    #[test]
    fn a_role_that_nobody_can_ask_for_is_told() {
        let lab = Lab::new();
        lab.key("a", "x");
        for (names, is_told) in [
            ("ann,role:release-manager", false),
            ("ann,role:on.call_2", false),
            ("ann,Role:release-manager", true),
            ("ann,role:Release-Manager", true),
            ("\"ann,role:release manager\"", true),
            ("\"ann, role:release-manager\"", true),
            ("ann,role:", true),
            ("ann,role:caf\u{e9}", true),
            ("ann,role:release/manager", true),
        ] {
            let people = People::parse(line(&lab, names, "", "a").as_bytes());
            let told: Vec<_> = people.warnings().iter().collect();
            assert_eq!(told.len(), usize::from(is_told), "{names}: {told:?}");
            assert!(
                told.iter().all(|one| one.message.contains("role")),
                "{told:?}"
            );
        }
        // As docs/people.md has it, and as the role is asked for.
        for role in ["release manager", "Release Manager", "a"] {
            assert!(!is_nobodys_role(&role_name(role).unwrap()), "{role}");
        }
        let long = "x".repeat(65);
        assert!(is_nobodys_role(&format!("role:{long}")) && !is_nobodys_role("roles:x"));
    }

    #[test]
    fn a_byte_order_mark_is_told() {
        let lab = Lab::new();
        lab.key("a", "x");
        let good = line(&lab, "ann", "", "a");
        assert_eq!(People::parse(good.as_bytes()).warnings().len(), 0);
        for file in [
            format!("\u{feff}{good}"),
            format!("\u{feff}# people\n{good}"),
        ] {
            let people = People::parse(file.as_bytes());
            let told: Vec<_> = people.warnings().iter().collect();
            assert!(
                told.iter()
                    .any(|one| one.line == 1 && one.message.contains("byte order mark")),
                "{told:?}"
            );
            assert_eq!(people.is_empty(), !file.contains('#'));
        }
    }

    #[test]
    fn a_role_is_shared_and_nobodys_name() {
        let lab = Lab::new();
        let [ann, bob] = ["a", "b"].map(|name| lab.key(name, "x"));
        let file = [
            line(&lab, "ann,role:release-manager", "", "a"),
            line(&lab, "bob,role:release-manager", "", "b"),
            line(&lab, "carl", "", "b"),
        ];
        let people = People::parse(file.concat().as_bytes());
        assert!(!people.are_one("ann", "bob"));
        assert!(people.are_one("carl", "bob"));
        let at = AT.parse().unwrap();
        let signed = |key| sign(key, ANSWER, b"m").unwrap();
        for key in [&ann, &bob] {
            let signature = signed(key);
            let has = |role| people.has_role(role, ANSWER, b"m", signature.as_bytes(), at);
            assert!(has("release manager").is_ok() && has("Release Manager").is_ok());
            assert!(has("manager").is_err() && has("a*").is_err() && has("").is_err());
            // Nobody signs as a role.
            let role = Some("role:release-manager");
            let asked = people.verify(role, ANSWER, b"m", signature.as_bytes(), at);
            assert!(asked.is_err());
        }
        let other = People::parse(line(&lab, "ann", "", "a").as_bytes());
        let signature = signed(&ann);
        let has = other.has_role("release manager", ANSWER, b"m", signature.as_bytes(), at);
        assert!(has.is_err());
    }

    #[test]
    fn the_runner_is_known_by_name_by_key_and_by_the_file() {
        let lab = Lab::new();
        for name in ["runner", "other", "bob"] {
            lab.key(name, "x");
        }
        let file = [
            line(&lab, "ci", "", "runner"),
            line(&lab, "ci,cecil", "", "other"),
            line(&lab, "bob", "", "bob"),
        ];
        let people = People::parse(file.concat().as_bytes());
        let print = |key: &str| -> String {
            let said = lab.ssh_keygen(&["-lf", key]);
            said.split(' ').nth(1).unwrap().to_owned()
        };
        let (runner, other, bob) = (print("runner"), print("other"), print("bob"));
        let is_runner = |name: &str, key: &str| people.are_same([name, key], ["ci", &runner]);
        assert!(is_runner("zed", &runner));
        assert!(is_runner("cecil", &other));
        assert!(is_runner("CI", "SHA256:x"));
        assert!(!is_runner("bob", &bob));
    }
}
