//! Whether two names are of one person, as far as names and contacts tell: what looks alike is the same, whatever
//! letters, order, accents or marks it is written with. Asks nobody, and never knows that two people are one who
//! are written as two.

use std::collections::BTreeSet;

use super::schema::{Begin, Person};
use crate::text::looks;

type Words = Vec<String>;

/// Everything by which the person of that name is known, beside one who is `other`.
fn known(begin: &Begin, name: &str, other: &str) -> BTreeSet<Words> {
    let mut known = BTreeSet::from([looks(name)]);
    // `ben@ops.example` and `ben` are one; two mailboxes of one name elsewhere need not be.
    if let (Some((local, _)), false) = (name.split_once('@'), other.contains('@')) {
        known.insert(looks(local));
    }
    let contacts = &begin.agreed.contacts;
    let of = |one: &Person, known: &BTreeSet<Words>| {
        known.contains(&looks(&one.key)) || known.contains(&looks(&one.name))
    };
    let asked = looks(name);
    for one in contacts {
        if one.email.as_deref().map(looks).as_ref() == Some(&asked) {
            known.extend([looks(&one.key), looks(&one.name)]);
        }
    }
    // Each round adds a contact, or is the last.
    for _ in contacts {
        for one in contacts {
            if of(one, &known) {
                known.extend([looks(&one.key), looks(&one.name)]);
            }
        }
    }
    known.remove(&Words::new());
    known
}

/// Whether that is the name of somebody of ours: a contact or a team of the inventory, or who plays a role.
pub(super) fn is_ours(begin: &Begin, name: &str) -> bool {
    let asked = looks(name);
    let is = |text: &str| looks(text) == asked;
    // `Ana Silva, operations`; a mailbox at the vendor's may begin as one of ours does.
    let is_mailbox = name.contains('@');
    let names = |text: &str| {
        let words = looks(text);
        words.len() > 1 && !is_mailbox && words.iter().all(|word| asked.contains(word))
    };
    let mut contacts = begin.agreed.contacts.iter();
    let is_contact = contacts.any(|one| {
        is(&one.key) || is(&one.name) || names(&one.name) || one.email.as_deref().is_some_and(is)
    });
    let plays = |person: &str| match is_mailbox {
        true => is(person),
        false => names(person) || is_one(begin, person, name),
    };
    is_contact
        || begin.agreed.teams.iter().any(|team| is(team))
        || begin.roles.iter().any(|role| plays(&role.person))
}

/// Whether two names are of one person.
pub(super) fn is_one(begin: &Begin, one: &str, other: &str) -> bool {
    // A name without any letter is nobody's, and tells nobody apart.
    let (ones, others) = (known(begin, one, other), known(begin, other, one));
    ones.is_empty() || others.is_empty() || ones.iter().any(|one| others.contains(one))
}

#[cfg(test)]
#[path = "same_tests.rs"]
mod tests;
