//! Never a second probe into what hung: a FIFO or a dead mount costs one deadline, and leaves one stuck
//! process on the server, not one for each check that asks for the same path (facts: traps.md T7).

use std::collections::HashSet;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;

use crate::failure::{Failure, FailureKind};
use crate::inventory::Get;
use crate::steps::command_line;
use crate::transport::{
    Command, Entry, Gathering, Greeting, Limits, Output, ReadError, Reading, Receipt, Session,
    Sink, Span, Trail,
};

/// What hung on one host with one login; outlives its sessions.
#[derive(Clone, Default)]
pub(super) struct Hung(Arc<Mutex<HashSet<String>>>);

impl Hung {
    /// Runs `work` on `subject` unless that hung before. Whoever drops the work half-way, as a check
    /// does when its deadline passes, has found it hung too.
    async fn unless<T, E: From<Failure>>(
        &self,
        subject: String,
        patient: bool,
        work: impl Future<Output = Result<T, E>>,
        is_late: impl Fn(&E) -> bool,
    ) -> Result<T, E> {
        if self.lock().contains(&subject) {
            return Err(again(&subject).into());
        }
        // Cut short by a deadline that others had used up, nothing is known about this subject.
        if !patient {
            return work.await;
        }
        self.lock().insert(subject.clone());
        let done = work.await;
        if !done.as_ref().is_err_and(is_late) {
            self.lock().remove(&subject);
        }
        done
    }

    /// As [`Hung::unless`] for several subjects that are asked about together: those that hung before are left
    /// out of it. Answers come in the order of the subjects.
    async fn unless_all<I, T, W: Future<Output = Vec<T>>>(
        &self,
        asked: Vec<(String, I)>,
        patient: bool,
        work: impl FnOnce(Vec<I>) -> W,
        refuse: impl Fn(Failure) -> T,
        is_late: impl Fn(&T) -> bool,
    ) -> Vec<T> {
        let (mut subjects, mut left) = (Vec::with_capacity(asked.len()), Vec::new());
        for (subject, item) in asked {
            let hung = self.lock().contains(&subject);
            if !hung {
                left.push(item);
            }
            subjects.push((subject, hung));
        }
        let asked = |hung: &&(String, bool)| !hung.1;
        if patient {
            let asked = subjects.iter().filter(asked);
            self.lock()
                .extend(asked.map(|(subject, _)| subject.clone()));
        }
        let mut done = match left.is_empty() {
            true => Vec::new(),
            false => work(left).await,
        }
        .into_iter();
        let mut all = Vec::with_capacity(subjects.len());
        for (subject, hung) in subjects {
            let answer = match hung {
                true => None,
                false => done.next(),
            };
            let answer = answer.unwrap_or_else(|| refuse(again(&subject)));
            if patient && !hung && !is_late(&answer) {
                self.lock().remove(&subject);
            }
            all.push(answer);
        }
        all
    }

    /// As [`Hung::unless`] for subjects that make sense in their order alone, of which one may come twice: where one
    /// of them hung before, none is asked about.
    async fn unless_any<T>(
        &self,
        subjects: Vec<String>,
        patient: bool,
        work: impl Future<Output = Vec<T>>,
        refuse: impl Fn(Failure) -> T,
        is_late: impl Fn(&T) -> bool,
    ) -> Vec<T> {
        let hung = subjects
            .iter()
            .find(|subject| self.lock().contains(*subject));
        if let Some(hung) = hung {
            return subjects.iter().map(|_| refuse(again(hung))).collect();
        }
        if patient {
            self.lock().extend(subjects.iter().cloned());
        }
        let done = work.await;
        if patient {
            let late = done.iter().zip(&subjects).filter(|(done, _)| is_late(done));
            let late: HashSet<&String> = late.map(|(_, subject)| subject).collect();
            let mut hung = self.lock();
            for subject in &subjects {
                if !late.contains(subject) {
                    hung.remove(subject);
                }
            }
        }
        done
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn again(subject: &str) -> Failure {
    Failure::new(
        FailureKind::Timeout,
        "an answer in time",
        "it hung for an earlier check of this run, and was not asked again",
    )
    .with_subject(subject)
    .with_hint("look at the earlier failure: a dead mount or a FIFO, or a web server that stands still; a process of this account may still be stuck on it")
}

/// A session that does not ask again what hung.
pub(super) struct Wary {
    inner: Arc<dyn Session>,
    hung: Hung,
    /// Less time than this is too little to call something hung.
    patience: Duration,
}

impl Wary {
    pub(super) fn new(inner: Arc<dyn Session>, hung: Hung, deadline: Duration) -> Self {
        Self {
            inner,
            hung,
            patience: deadline / 2,
        }
    }

    fn patient(&self, limits: Limits) -> bool {
        limits.time >= self.patience
    }
}

impl Session for Wary {
    fn greeting(&self) -> &Greeting {
        self.inner.greeting()
    }

    fn run<'a>(
        &'a self,
        command: &'a Command,
        limits: Limits,
    ) -> BoxFuture<'a, Result<Output, Failure>> {
        let work = self.inner.run(command, limits);
        Box::pin(self.hung.unless(
            command_line(&command.0),
            self.patient(limits),
            work,
            is_late,
        ))
    }

    fn stream<'a>(
        &'a self,
        command: &'a Command,
        limits: Limits,
        sink: Sink,
    ) -> BoxFuture<'a, Result<Output, ReadError>> {
        let work = self.inner.stream(command, limits, sink);
        let is_late =
            |error: &ReadError| matches!(error, ReadError::Failure(failure) if is_late(failure));
        let line = command_line(&command.0);
        let patient = self.patient(limits);
        Box::pin(self.hung.unless(line, patient, work, is_late))
    }

    fn list<'a>(
        &'a self,
        pattern: &'a str,
        limits: Limits,
    ) -> BoxFuture<'a, Result<Vec<Entry>, Failure>> {
        let work = self.inner.list(pattern, limits);
        Box::pin(
            self.hung
                .unless(pattern.to_owned(), self.patient(limits), work, is_late),
        )
    }

    fn read<'a>(
        &'a self,
        path: &'a str,
        span: Span,
        limits: Limits,
        sink: Sink,
    ) -> BoxFuture<'a, Result<Receipt, ReadError>> {
        let work = self.inner.read(path, span, limits, sink);
        let is_late =
            |error: &ReadError| matches!(error, ReadError::Failure(failure) if is_late(failure));
        Box::pin(
            self.hung
                .unless(path.to_owned(), self.patient(limits), work, is_late),
        )
    }

    fn look<'a>(
        &'a self,
        paths: &'a [String],
        limits: Limits,
    ) -> BoxFuture<'a, Vec<Result<Entry, Failure>>> {
        Box::pin(async move {
            let asked = paths.iter().map(|path| (path.clone(), path.clone()));
            let work = async |left: Vec<String>| self.inner.look(&left, limits).await;
            let late = |found: &Result<Entry, Failure>| found.as_ref().is_err_and(is_late);
            let patient = self.patient(limits);
            self.hung
                .unless_all(asked.collect(), patient, work, Err, late)
                .await
        })
    }

    fn read_all(
        &self,
        wanted: Vec<Reading>,
        time: Duration,
    ) -> BoxFuture<'_, Vec<(Result<Receipt, ReadError>, Duration)>> {
        Box::pin(async move {
            let asked = wanted.into_iter().map(|one| (one.path.clone(), one));
            let work = |left| self.inner.read_all(left, time);
            let refuse = |failure: Failure| (Err(failure.into()), Duration::ZERO);
            let late = |(read, _): &(Result<Receipt, ReadError>, Duration)| matches!(read, Err(ReadError::Failure(failure)) if is_late(failure));
            let patient = time >= self.patience;
            self.hung
                .unless_all(asked.collect(), patient, work, refuse, late)
                .await
        })
    }

    fn read_in_turn(
        &self,
        wanted: Vec<Reading>,
        time: Duration,
    ) -> BoxFuture<'_, Vec<(Result<Receipt, ReadError>, Duration)>> {
        Box::pin(async move {
            let paths: Vec<String> = wanted.iter().map(|one| one.path.clone()).collect();
            let work = self.inner.read_in_turn(wanted, time);
            let late = |(read, _): &(Result<Receipt, ReadError>, Duration)| matches!(read, Err(ReadError::Failure(failure)) if is_late(failure));
            let refuse = |failure: Failure| (Err(failure.into()), Duration::ZERO);
            let patient = time >= self.patience;
            self.hung
                .unless_any(paths, patient, work, refuse, late)
                .await
        })
    }

    fn gather<'a>(
        &'a self,
        what: &'a Gathering,
        limits: Limits,
    ) -> BoxFuture<'a, Result<Option<String>, Failure>> {
        let subject = what.paths().into_iter().next().unwrap_or_default();
        let work = self.inner.gather(what, limits);
        Box::pin(
            self.hung
                .unless(subject, self.patient(limits), work, is_late),
        )
    }

    fn get<'a>(
        &'a self,
        get: &'a Get,
        limits: Limits,
        sink: Sink,
    ) -> BoxFuture<'a, Result<Receipt, ReadError>> {
        let work = self.inner.get(get, limits, sink);
        let is_late =
            |error: &ReadError| matches!(error, ReadError::Failure(failure) if is_late(failure));
        Box::pin(
            self.hung
                .unless(get.url.clone(), self.patient(limits), work, is_late),
        )
    }

    // What denied it did not hang; the few seconds of a look bound the rest.
    fn trail<'a>(&'a self, path: &'a str, limits: Limits) -> BoxFuture<'a, Option<Trail>> {
        self.inner.trail(path, limits)
    }

    fn unelevated(&self) -> Arc<dyn Session> {
        Arc::new(Self {
            inner: self.inner.unelevated(),
            hung: self.hung.clone(),
            patience: self.patience,
        })
    }

    fn is_dead(&self) -> bool {
        self.inner.is_dead()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.inner.close()
    }
}

fn is_late(failure: &Failure) -> bool {
    failure.kind == FailureKind::Timeout
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use futures::future::{pending, ready};

    type Done = Result<(), Failure>;

    fn late() -> Done {
        Err(Failure::new(FailureKind::Timeout, "a", "b"))
    }

    fn ask(hung: &Hung, patient: bool, answer: Done) -> Done {
        let asked = hung.unless("/logs/a".to_owned(), patient, ready(answer), is_late);
        asked.now_or_never().unwrap()
    }

    #[test]
    fn what_hung_is_not_asked_again_and_what_answered_is() {
        let hung = Hung::default();
        assert!(ask(&hung, true, Ok(())).is_ok());
        let denied = Err(Failure::new(FailureKind::Denied, "a", "b"));
        assert_eq!(
            ask(&hung, true, denied).unwrap_err().kind,
            FailureKind::Denied
        );
        assert!(ask(&hung, true, Ok(())).is_ok());
        assert!(ask(&hung, true, late()).is_err());
        assert!(
            ask(&hung, true, Ok(()))
                .unwrap_err()
                .actual
                .contains("earlier check")
        );
    }

    #[test]
    fn of_several_only_what_hung_is_left_out() {
        let hung = Hung::default();
        let ask = |names: &[&str], answer: fn(&str) -> Done| {
            let asked = names.iter().map(|name| (name.to_string(), *name)).collect();
            let work = async |left: Vec<&str>| left.into_iter().map(answer).collect::<Vec<_>>();
            let late = |done: &Done| done.as_ref().is_err_and(is_late);
            let done = hung.unless_all(asked, true, work, Err, late);
            let done = done.now_or_never().unwrap();
            done.iter().map(Result::is_ok).collect::<Vec<_>>()
        };
        let second_hangs = |name: &str| if name == "b" { late() } else { Ok(()) };
        assert_eq!(ask(&["a", "b", "c"], second_hangs), [true, false, true]);
        assert_eq!(ask(&["b", "c", "a"], |_| Ok(())), [false, true, true]);
        assert_eq!(ask(&["b"], |_| Ok(())), [false]);
    }

    #[test]
    fn in_turn_what_hung_is_remembered_also_where_it_came_twice() {
        let hung = Hung::default();
        let ask = |names: &[&str], late: Option<usize>| {
            let subjects: Vec<String> = names.iter().map(|name| name.to_string()).collect();
            let done = (0..names.len()).map(|at| match late {
                Some(which) if which == at => self::tests::late(),
                _ => Ok(()),
            });
            let work = ready(done.collect::<Vec<Done>>());
            let late = |done: &Done| done.as_ref().is_err_and(is_late);
            let done = hung.unless_any(subjects, true, work, Err, late);
            let done = done.now_or_never().unwrap();
            done.iter().map(Result::is_ok).collect::<Vec<_>>()
        };
        assert_eq!(ask(&["w", "m", "w"], None), [true; 3]);
        assert_eq!(ask(&["w", "m", "w"], Some(2)), [true, true, false]);
        assert_eq!(ask(&["w", "m", "w"], None), [false; 3]);
        assert_eq!(ask(&["m"], None), [true]);
    }

    #[test]
    fn a_dropped_wait_counts_as_hung_and_a_short_one_does_not() {
        let hung = Hung::default();
        assert!(ask(&hung, false, late()).is_err());
        assert!(ask(&hung, true, Ok(())).is_ok());
        let wait = hung.unless("/logs/a".to_owned(), true, pending::<Done>(), is_late);
        assert!(wait.now_or_never().is_none());
        assert!(ask(&hung, true, Ok(())).is_err());
    }
}
