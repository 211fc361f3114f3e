//! Checks that failed for one reason, told once: a lost host fails every check on it in the same words. Every
//! rendering groups by this, so that all count the same causes. Judges nothing, leaves no check out.

use std::collections::HashMap;

use super::schema::{Check, Failure};

/// One reason, and every check that failed for it.
pub(super) struct Cause<'a> {
    /// As the first of its checks tells it; `None` where none is recorded.
    pub failure: Option<&'a Failure>,
    /// The accounts that met it, in the order of the checks.
    pub accounts: Vec<&'a str>,
    /// In the order that was given; never empty.
    pub checks: Vec<&'a Check>,
}

impl Cause<'_> {
    /// Where it stands: `ny4-1 as ops, md-support`.
    pub(super) fn place(&self) -> Option<String> {
        let host = self.failure.and_then(|failure| failure.host.as_deref());
        let accounts = self.accounts.join(", ");
        match (host, accounts.is_empty()) {
            (Some(host), false) => Some(format!("{host} as {accounts}")),
            (Some(host), true) => Some(host.to_owned()),
            (None, false) => Some(accounts),
            (None, true) => None,
        }
    }
}

/// The causes in the order of their first checks. Two failures are one cause when they say the same of the
/// same host and thing; by which account does not tell them apart, their words do.
pub(super) fn of<'a>(checks: impl IntoIterator<Item = &'a Check>) -> Vec<Cause<'a>> {
    let mut causes: Vec<Cause<'a>> = Vec::new();
    let mut known = HashMap::new();
    for check in checks {
        let failure = check.failure.as_ref();
        let place = *known.entry(failure.map(words)).or_insert_with(|| {
            causes.push(Cause {
                failure,
                accounts: Vec::new(),
                checks: Vec::new(),
            });
            causes.len() - 1
        });
        let cause = &mut causes[place];
        cause.checks.push(check);
        let account = failure.and_then(|failure| failure.account.as_deref());
        if let Some(account) = account.filter(|account| !cause.accounts.contains(account)) {
            cause.accounts.push(account);
        }
    }
    causes
}

/// All that a reader is told, the account left out.
fn words(failure: &Failure) -> [Option<&str>; 6] {
    [
        Some(failure.kind.as_str()),
        failure.host.as_deref(),
        failure.subject.as_deref(),
        Some(failure.expected.as_str()),
        Some(failure.actual.as_str()),
        Some(failure.hint.as_str()),
    ]
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
