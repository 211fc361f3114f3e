//! Who is one person, and who is one of ours.

use super::super::sound::sound;
use super::super::tests::{entries, first, steps};
use super::super::{Person, Step};

#[test]
fn names_that_look_alike_are_one_person() {
    let Step::Begin(mut begin) = first() else {
        panic!("a beginning");
    };
    begin.agreed.contacts[0].email = Some("ana@bank.example.com".to_owned());
    begin.agreed.contacts[1].email = Some("desk@bank.example.com".to_owned());
    begin.agreed.contacts.push(Person {
        key: "expert".to_owned(),
        name: "Silva, Ana".to_owned(),
        email: Some("desk@bank.example.com".to_owned()),
    });
    let roles = |expert: &str, operator: &str| {
        let mut begin = begin.clone();
        begin.roles[0].person = expert.to_owned();
        begin.roles[1].person = operator.to_owned();
        sound(&entries(vec![Step::Begin(begin)]))
    };
    for (expert, operator) in [
        ("ben", "ben"),
        ("ben", "Ben"),
        ("ben", " ben"),
        ("ben", "b\u{435}n"),
        ("ben", "be\u{ad}n"),
        ("ben", "bén"),
        ("ben", "Ben Okafor"),
        ("ben", "Okafor, Ben"),
        ("Ben Okafor", "BEN  OKAFOR"),
        ("Ben Okafor", "Ben.Okafor"),
        ("Ben Okafor", "ben.okafor@bank.example.com"),
        ("Ben Okafor", "Ben \u{39f}kafor"),
        ("zed", "zed@bank.example.com"),
        ("ana@bank.example.com", "Ana Silva"),
        // One person behind two contacts, and whoever reads a mailbox of two.
        ("ana", "expert"),
        ("ana@bank.example.com", "expert"),
        ("desk@bank.example.com", "ben"),
        ("desk@bank.example.com", "ana"),
        // No name at all.
        ("ana", "?"),
        ("-", "ben"),
    ] {
        let told = roles(expert, operator);
        let why = told.expect_err(&format!("{expert:?} {operator:?}"));
        assert!(why.contains("are one person"), "{expert:?}: {why}");
    }
    for (expert, operator) in [
        ("ana", "ben"),
        ("ana", "Ben Okafor"),
        // They read one mailbox, and are two all the same.
        ("expert", "ben"),
        ("zed", "ben"),
        ("Ben Ofori", "Ben Okafor"),
        ("ben@bank.example.com", "ben@vendor.example.com"),
        ("王伟", "王芳"),
    ] {
        assert_eq!(roles(expert, operator), Ok(()), "{expert:?} {operator:?}");
    }
}

#[test]
fn nobody_of_ours_answers_for_the_vendor() {
    let from = |who: &str| {
        let told = |is_call: bool| {
            let mut steps = steps();
            for step in &mut steps {
                match step {
                    Step::Acknowledgement(step) if !is_call => step.from = who.to_owned(),
                    Step::Escalation(step) if is_call => step.from = Some(who.to_owned()),
                    _ => {}
                }
            }
            sound(&entries(steps))
        };
        [told(false), told(true)]
    };
    for ours in [
        "ana",
        "Ana",
        "ben",
        "BEN",
        "Okafor, Ben (operations)",
        "Operations",
    ] {
        for told in from(ours) {
            assert!(told.unwrap_err().contains("is one of ours"), "{ours}");
        }
    }
    for theirs in [
        "Kim",
        "Kim, 60East",
        "ana@vendor.example",
        "ben.okafor@vendor.example",
        "Ana Vendor",
        "60East operations",
    ] {
        assert_eq!(from(theirs), [Ok(()), Ok(())], "{theirs}");
    }
}
