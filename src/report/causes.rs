//! Checks that failed for one reason, told once: a lost host fails every check on it in the same words, a page that is
//! down every host that asks it. Every rendering groups by this, so that all count the same causes. Judges nothing,
//! leaves no check out.

use std::borrow::Cow;
use std::collections::HashMap;

use super::schema::{Check, Failure};

/// Most hosts that are named behind a cause.
const MOST_HOSTS: usize = 8;

/// One reason, and every check that failed for it.
pub(super) struct Cause<'a> {
    /// As the first of its checks tells it; `None` where none is recorded.
    pub failure: Option<&'a Failure>,
    /// Where it stands, and the accounts that met it, in the order of the checks.
    hosts: Vec<&'a str>,
    accounts: Vec<&'a str>,
    subjects: Vec<&'a str>,
    /// In the order that was given; never empty.
    pub checks: Vec<&'a Check>,
}

impl<'a> Cause<'a> {
    /// Where it stands: `ny4-1 as ops, md-support`.
    pub(super) fn place(&self) -> Option<String> {
        let (hosts, accounts) = (named(&self.hosts), self.accounts.join(", "));
        match (hosts.is_empty(), accounts.is_empty()) {
            (false, false) => Some(format!("{hosts} as {accounts}")),
            (false, true) => Some(hosts),
            (true, false) => Some(accounts),
            (true, true) => None,
        }
    }

    /// What it is about: the first, and how many others.
    pub(super) fn subject(&self) -> Option<Cow<'a, str>> {
        let (first, more) = self.subjects.split_first()?;
        Some(match more.len() {
            0 => Cow::Borrowed(first),
            1 => format!("{first} (and 1 other)").into(),
            more => format!("{first} (and {more} others)").into(),
        })
    }

    /// The hosts whose checks fail for it, where it stands on another: those behind a hop, or that ask a page.
    pub(super) fn behind(&self) -> Option<String> {
        let mut hosts: Vec<&str> = Vec::new();
        for host in self.checks.iter().filter_map(|check| check.host.as_deref()) {
            if !self.hosts.contains(&host) && !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        (!hosts.is_empty()).then(|| named(&hosts))
    }
}

fn named(hosts: &[&str]) -> String {
    match hosts.len().saturating_sub(MOST_HOSTS) {
        0 | 1 => hosts.join(", "),
        more => format!("{} and {more} more", hosts[..MOST_HOSTS].join(", ")),
    }
}

/// The causes in the order of their first checks. Two failures are one cause when they say the same of the
/// same host and thing ([`Words`]); by which account does not tell them apart, their words do.
pub(super) fn of<'a>(checks: impl IntoIterator<Item = &'a Check>) -> Vec<Cause<'a>> {
    let mut causes: Vec<Cause<'a>> = Vec::new();
    let mut known = HashMap::new();
    for check in checks {
        let failure = check.failure.as_ref();
        let place = *known.entry(failure.map(words)).or_insert_with(|| {
            causes.push(Cause {
                failure,
                hosts: Vec::new(),
                accounts: Vec::new(),
                subjects: Vec::new(),
                checks: Vec::new(),
            });
            causes.len() - 1
        });
        let cause = &mut causes[place];
        cause.checks.push(check);
        let Some(failure) = failure else { continue };
        for (all, one) in [
            (&mut cause.hosts, &failure.host),
            (&mut cause.accounts, &failure.account),
            (&mut cause.subjects, &failure.subject),
        ] {
            if let Some(one) = one.as_deref().filter(|one| !all.contains(one)) {
                all.push(one);
            }
        }
    }
    causes
}

/// All that a reader is told, the account left out; and what differs although the obstacle is one.
type Words<'f> = [Option<Cow<'f, str>>; 6];

fn words(failure: &Failure) -> Words<'_> {
    let text = |text| Some(Cow::Borrowed(text));
    let is_url = |text: &&str| text.starts_with("https://") || text.starts_with("http://");
    let kind = failure.kind.as_str();
    let (mut host, mut subject) = (failure.host.as_deref(), failure.subject.as_deref());
    let (mut expected, mut actual) = (text(&*failure.expected), text(&*failure.actual));
    let mut hint = text(&*failure.hint);
    match kind {
        // What hung is not asked again, and the first who asked says it in other words.
        "timeout" if subject.is_some() => (expected, actual, hint) = (None, None, None),
        // What was left of a cap, and the size of a file that grows.
        "too-large" | "short" if subject.is_some() => {
            expected = Some(without_numbers(&failure.expected));
            actual = Some(without_numbers(&failure.actual));
        }
        // The newest entry that each check saw.
        "gap" | "stale" if subject.is_some() => actual = Some(without_numbers(&failure.actual)),
        // Whatever is asked of such a login, the answer is the same.
        "auth" | "host-key" | "shell" | "elevate" if host.is_some() => subject = None,
        _ => {}
    }
    // A page that is down is down for every host that asks it.
    if subject.as_ref().is_some_and(is_url) {
        host = None;
    }
    let [host, subject] = [host, subject].map(|one| one.map(Cow::Borrowed));
    [text(kind), host, subject, expected, actual, hint]
}

/// `#` for each run of digits.
fn without_numbers(text: &str) -> Cow<'_, str> {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_ascii_digit() {
            true if out.ends_with('#') => {}
            true => out.push('#'),
            false => out.push(c),
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{phrases, sample};

    #[test]
    fn one_cause_holds_all_its_checks_and_no_other() {
        let mut report = sample::many(80);
        let failed = |report: &crate::report::schema::Report| {
            let causes = of(phrases::of(report, "failed"));
            let told = causes.iter().map(|one| (one.place(), one.checks.len()));
            told.collect::<Vec<_>>()
        };
        let place = |host: &str| Some(format!("{host} as operations"));
        let three = [
            (place("ld5-amps-1"), 1),
            (place("ny4-amps-1"), 2),
            (place("ny4-amps-2"), 1),
        ];
        let mut told = failed(&report);
        told.sort();
        assert_eq!(told, three);
        // Another account is no other cause; another word of it is.
        let check = (report.checks.iter_mut()).rfind(|check| check.failure.is_some());
        let check = check.unwrap();
        let host = check.host.clone().unwrap();
        check.failure.as_mut().unwrap().account = Some("support".to_owned());
        assert_eq!(failed(&report).len(), 3);
        assert!(host == "ny4-amps-1", "the sample changed");
        let both = Some("ny4-amps-1 as operations, support".to_owned());
        assert!(failed(&report).contains(&(both, 2)));
        for change in [
            |failure: &mut Failure| failure.kind = "missing".to_owned(),
            |failure: &mut Failure| failure.host = None,
            |failure: &mut Failure| failure.subject = None,
            |failure: &mut Failure| failure.expected.push('.'),
            |failure: &mut Failure| failure.actual.push('.'),
            |failure: &mut Failure| failure.hint.push('.'),
        ] {
            let mut report = report.clone();
            let check = (report.checks.iter_mut()).rfind(|check| check.failure.is_some());
            change(check.unwrap().failure.as_mut().unwrap());
            assert_eq!(failed(&report).len(), 4);
        }
    }

    /// The checks of the sample's failures, each made from the first by `change`.
    fn changed(many: usize, change: impl Fn(usize, &mut Check)) -> Vec<Check> {
        let report = sample::no_go();
        let first = report.checks.iter().find(|check| check.failure.is_some());
        let first = first.unwrap().clone();
        let each = |at| {
            let mut check = first.clone();
            change(at, &mut check);
            check
        };
        (0..many).map(each).collect()
    }

    #[test]
    fn one_obstacle_in_several_words_is_one_cause_and_two_are_two() {
        type Tell = fn(usize, &mut Failure);
        let cases: [(&str, &str, Tell, usize); 12] = [
            // A cap of which less is left with each file; another file is another cause.
            (
                "too-large",
                "/x.log",
                |at, one| one.expected = format!("at most {} bytes", 100 - at),
                1,
            ),
            (
                "too-large",
                "/x.log",
                |at, one| one.subject = Some(format!("/{at}.log")),
                3,
            ),
            // A log that grows; a longer time that is asked for is another matter.
            (
                "gap",
                "/x.log",
                |at, one| one.actual = format!("entries to 10:00:0{at}"),
                1,
            ),
            (
                "gap",
                "/x.log",
                |at, one| one.expected = format!("the last {at}h"),
                3,
            ),
            // What hung is not asked again.
            (
                "timeout",
                "/x.xml",
                |at, one| one.actual = ["it hung", "it was not asked again", "late"][at].to_owned(),
                1,
            ),
            (
                "timeout",
                "/x.xml",
                |at, one| one.host = Some(format!("h{at}")),
                3,
            ),
            // A forced command answers everything; a missing program does not.
            (
                "shell",
                "df",
                |at, one| one.subject = Some(format!("cat {at}")),
                1,
            ),
            (
                "missing",
                "df",
                |at, one| one.subject = Some(format!("cat {at}")),
                3,
            ),
            // A page that is down for every host; a file is another one on each.
            (
                "unreachable",
                "https://v.example/",
                |at, one| one.host = Some(format!("h{at}")),
                1,
            ),
            (
                "unreachable",
                "https://v.example/",
                |at, one| one.actual = format!("word {at}"),
                3,
            ),
            (
                "missing",
                "/x.xml",
                |at, one| one.host = Some(format!("h{at}")),
                3,
            ),
            // Numbers that say what is wrong.
            (
                "mismatch",
                "/x",
                |at, one| one.actual = format!("version {at}"),
                3,
            ),
        ];
        for (kind, subject, tell, many) in cases {
            let checks = changed(3, |at, check| {
                let failure = check.failure.as_mut().unwrap();
                failure.kind = kind.to_owned();
                failure.host = Some("ny4-1".to_owned());
                failure.subject = Some(subject.to_owned());
                tell(at, failure);
            });
            let causes = of(&checks);
            let counted: usize = causes.iter().map(|one| one.checks.len()).sum();
            assert_eq!((causes.len(), counted), (many, 3), "{kind} {subject}");
        }
    }

    #[test]
    fn a_cause_names_the_hosts_behind_it_and_what_else_it_met() {
        let lost = |at: usize, check: &mut Check| {
            check.host = Some(format!("h{}", at % 12));
            let failure = check.failure.as_mut().unwrap();
            failure.kind = "shell".to_owned();
            failure.host = Some("bastion".to_owned());
            failure.account = None;
            failure.subject = Some(format!("cat {at}"));
        };
        let told = |checks: &[Check]| {
            let causes = of(checks);
            let [one] = &causes[..] else {
                panic!("{} causes", causes.len())
            };
            (
                one.place(),
                one.behind(),
                one.subject().map(Cow::into_owned),
            )
        };
        let some = |text: &str| Some(text.to_owned());
        let (place, behind, subject) = told(&changed(24, lost));
        assert_eq!(place, some("bastion"));
        assert_eq!(behind, some("h0, h1, h2, h3, h4, h5, h6, h7 and 4 more"));
        assert_eq!(subject, some("cat 0 (and 23 others)"));
        let (_, behind, subject) = told(&changed(2, lost));
        assert_eq!(
            (behind, subject),
            (some("h0, h1"), some("cat 0 (and 1 other)"))
        );
        let (_, behind, subject) = told(&changed(1, |at, check| {
            lost(at, check);
            check.host = Some("bastion".to_owned());
        }));
        assert_eq!((behind, subject), (None, some("cat 0")));
    }

    #[test]
    fn a_check_without_a_failure_is_told_all_the_same() {
        let mut report = sample::no_go();
        for check in &mut report.checks {
            check.failure = None;
        }
        let causes = of(phrases::of(&report, "failed"));
        assert_eq!(causes.len(), 1);
        assert_eq!((causes[0].checks.len(), causes[0].place()), (2, None));
    }
}
