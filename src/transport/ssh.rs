//! The [`Session`] over either client: hands work to its thread and completes what failures say. Which bytes
//! mean what is its siblings' business.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::actor::{Actor, gone};
use super::http::{Request, WHAT};
use super::rate::{Rate, Slow};
use super::sftp::Order;
use super::wire::{Wire, elevated};
use super::{
    Command, Entry, Gathering, Greeting, Limits, Lost, Output, ReadError, Reading, Receipt,
    Session, Sink, Span, Trail,
};
use super::{exec, files, gather, trail};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Elevate, Get, Login, Transport};

/// One login on one host.
pub(super) struct Ssh<W> {
    actor: Arc<Actor<W>>,
    greeting: Greeting,
    login: Login,
    /// Never by `sudo`.
    as_itself: bool,
    /// How many bytes a second may come.
    rate: Option<Arc<Rate>>,
}

impl<W: Wire + 'static> Ssh<W> {
    /// The session of an established connection.
    pub(super) fn new(
        actor: Arc<Actor<W>>,
        greeting: Greeting,
        login: &Login,
        rate: Option<Arc<Rate>>,
    ) -> Self {
        Self {
            actor,
            greeting,
            login: login.clone(),
            as_itself: login.elevate == Elevate::None,
            rate,
        }
    }

    fn complete(&self, subject: &str, failure: Failure) -> Failure {
        let failure = match self.actor.broken_hop() {
            // Not this host's doing: what carried the connection to it is gone.
            Some(broken) if failure.kind == FailureKind::Unreachable => broken,
            _ => failure,
        };
        let failure = failure.with_login(&self.login.host, &self.login.user);
        match failure.subject {
            Some(_) => failure,
            None => failure.with_subject(subject),
        }
    }

    /// As [`Self::complete`], for a failure that speaks of paths as the account sees them.
    fn complete_path(&self, path: &str, mut failure: Failure) -> Failure {
        if let Some(subject) = failure.subject.take() {
            failure.subject = Some(self.login.on_host(&subject));
        }
        self.complete(path, failure)
    }

    /// The path as this account sees it.
    fn asked(&self, path: &str) -> Result<String, Failure> {
        let asked = self.login.asked(path);
        asked.ok_or_else(|| self.complete(path, files::outside(self.login.chroot.as_deref())))
    }

    fn read_set(
        &self,
        wanted: Vec<Reading>,
        order: Order,
        time: Duration,
    ) -> BoxFuture<'_, Vec<(Result<Receipt, ReadError>, Duration)>> {
        async move {
            let began = Instant::now();
            let paths: Vec<String> = wanted.iter().map(|wanted| wanted.path.clone()).collect();
            let mut asked = Vec::with_capacity(wanted.len());
            let mut outside = None;
            for wanted in wanted {
                match self.asked(&wanted.path) {
                    Ok(path) => asked.push((
                        files::Asked {
                            path,
                            span: wanted.span,
                            most: wanted.bytes,
                        },
                        wanted.sink,
                    )),
                    Err(failure) => outside = Some(failure),
                }
            }
            let as_itself = self.as_itself;
            let rate = self.rate.clone();
            let job = move |far: &mut W, deadline| {
                elevated(far, !as_itself, |far| {
                    Ok::<_, Failure>(files::read_all(far, asked, order, &deadline, rate.as_ref()))
                })
            };
            // Nothing is asked for when one of them cannot be.
            let read = match outside {
                Some(failure) => Err(failure),
                None => self.actor.call(time, "the read", job).await,
            };
            let read = read.unwrap_or_else(|failure| {
                let failed = |_| (Err(failure.clone().into()), began.elapsed());
                paths.iter().map(failed).collect()
            });
            let complete = |(path, (read, took)): (&String, (Result<Receipt, ReadError>, _))| {
                let read = match read {
                    Err(ReadError::Failure(failure)) => {
                        Err(ReadError::Failure(self.complete_path(path, failure)))
                    }
                    Err(ReadError::Lost(lost)) => Err(ReadError::Lost(Box::new(Lost {
                        failure: self.complete_path(path, lost.failure),
                        ..*lost
                    }))),
                    read => read.map(|receipt| Receipt {
                        path: path.clone(),
                        ..receipt
                    }),
                };
                (read, took)
            };
            paths.iter().zip(read).map(complete).collect()
        }
        .boxed()
    }
}

impl<W: Wire + 'static> Session for Ssh<W> {
    fn greeting(&self) -> &Greeting {
        &self.greeting
    }

    fn run<'a>(
        &'a self,
        command: &'a Command,
        limits: Limits,
    ) -> BoxFuture<'a, Result<Output, Failure>> {
        async move {
            let subject = command.0.join(" ");
            if self.login.transport == Transport::Sftp {
                return Err(self.complete(&subject, exec::never_sent()));
            }
            let command = command.clone();
            let as_itself = self.as_itself;
            let job = move |far: &mut W, deadline| {
                elevated(far, !as_itself, |far| {
                    exec::run(far, &command, limits, &deadline)
                })
            };
            let answer = self.actor.call(limits.time, "the command", job).await;
            answer.map_err(|failure| self.complete(&subject, failure))
        }
        .boxed()
    }

    fn stream<'a>(
        &'a self,
        command: &'a Command,
        limits: Limits,
        sink: Sink,
    ) -> BoxFuture<'a, Result<Output, ReadError>> {
        async move {
            let subject = command.0.join(" ");
            if self.login.transport == Transport::Sftp {
                return Err(self.complete(&subject, exec::never_sent()).into());
            }
            let command = command.clone();
            let as_itself = self.as_itself;
            let rate = self.rate.clone();
            let job = move |far: &mut W, deadline| {
                let sink = Slow::sink(sink, rate.as_ref(), &deadline);
                elevated(far, !as_itself, |far| {
                    exec::stream(far, &command, limits, &deadline, sink)
                })
            };
            match self.actor.call(limits.time, "the command", job).await {
                Err(ReadError::Failure(failure)) => Err(self.complete(&subject, failure).into()),
                answer => answer,
            }
        }
        .boxed()
    }

    fn list<'a>(
        &'a self,
        pattern: &'a str,
        limits: Limits,
    ) -> BoxFuture<'a, Result<Vec<Entry>, Failure>> {
        async move {
            let asked = self.asked(pattern)?;
            let as_itself = self.as_itself;
            let job = move |far: &mut W, deadline| {
                elevated(far, !as_itself, |far| files::list(far, &asked, &deadline))
            };
            let answer = self.actor.call(limits.time, "the listing", job).await;
            let mut found = answer.map_err(|failure| self.complete_path(pattern, failure))?;
            for entry in &mut found {
                entry.path = self.login.on_host(&entry.path);
            }
            Ok(found)
        }
        .boxed()
    }

    fn look<'a>(
        &'a self,
        paths: &'a [String],
        limits: Limits,
    ) -> BoxFuture<'a, Vec<Result<Entry, Failure>>> {
        async move {
            let asked: Result<Vec<String>, Failure> =
                paths.iter().map(|path| self.asked(path)).collect();
            let as_itself = self.as_itself;
            let job = move |far: &mut W, deadline| {
                elevated(far, !as_itself, |far| {
                    files::look_all(far, &asked?, &deadline)
                })
            };
            match self.actor.call(limits.time, "the look", job).await {
                Ok(found) => found
                    .into_iter()
                    .zip(paths)
                    .map(|(found, path)| match found {
                        Ok(entry) => Ok(Entry {
                            path: self.login.on_host(&entry.path),
                            ..entry
                        }),
                        Err(failure) => Err(self.complete_path(path, failure)),
                    })
                    .collect(),
                Err(failure) => {
                    let failed = |path: &String| Err(self.complete_path(path, failure.clone()));
                    paths.iter().map(failed).collect()
                }
            }
        }
        .boxed()
    }

    fn read<'a>(
        &'a self,
        path: &'a str,
        span: Span,
        limits: Limits,
        sink: Sink,
    ) -> BoxFuture<'a, Result<Receipt, ReadError>> {
        async move {
            let wanted = Reading {
                path: path.to_owned(),
                span,
                bytes: limits.bytes,
                sink,
            };
            let mut read = self.read_all(vec![wanted], limits.time).await;
            let never = || Err(self.complete_path(path, gone()).into());
            read.pop().map_or_else(never, |(read, _)| read)
        }
        .boxed()
    }

    fn read_all(
        &self,
        wanted: Vec<Reading>,
        time: Duration,
    ) -> BoxFuture<'_, Vec<(Result<Receipt, ReadError>, Duration)>> {
        self.read_set(wanted, Order::Together, time)
    }

    fn read_in_turn(
        &self,
        wanted: Vec<Reading>,
        time: Duration,
    ) -> BoxFuture<'_, Vec<(Result<Receipt, ReadError>, Duration)>> {
        self.read_set(wanted, Order::InTurn, time)
    }

    fn gather<'a>(
        &'a self,
        what: &'a Gathering,
        limits: Limits,
    ) -> BoxFuture<'a, Result<Option<String>, Failure>> {
        async move {
            // At a bounded rate nothing is printed that might not be wanted.
            if !self.login.gathers() || self.rate.is_some() {
                return Ok(None);
            }
            let asked = what.clone();
            let job = move |far: &mut W, deadline| gather::gather(far, &asked, &deadline);
            let answer = self.actor.call(limits.time, "reading files", job).await;
            let subject = || what.paths().into_iter().next().unwrap_or_default();
            answer.map_err(|failure| self.complete(&subject(), failure))
        }
        .boxed()
    }

    fn get<'a>(
        &'a self,
        get: &'a Get,
        limits: Limits,
        sink: Sink,
    ) -> BoxFuture<'a, Result<Receipt, ReadError>> {
        async move {
            let complete = |failure| ReadError::Failure(self.complete(&get.url, failure));
            let request = Request::of(get).map_err(complete)?;
            let most = limits.bytes;
            let rate = self.rate.clone();
            let job = move |far: &mut W, deadline| {
                let sink = Slow::sink(sink, rate.as_ref(), &deadline);
                far.get(&request, most, &deadline, sink)
            };
            match self.actor.call(limits.time, WHAT, job).await {
                Err(ReadError::Failure(failure)) => Err(complete(failure)),
                answer => answer,
            }
        }
        .boxed()
    }

    fn unelevated(&self) -> Arc<dyn Session> {
        Arc::new(Self {
            actor: Arc::clone(&self.actor),
            greeting: self.greeting.clone(),
            login: self.login.clone(),
            as_itself: true,
            rate: self.rate.clone(),
        })
    }

    fn trail<'a>(&'a self, path: &'a str, limits: Limits) -> BoxFuture<'a, Option<Trail>> {
        async move {
            let asked = self.asked(path).ok()?;
            let job =
                move |far: &mut W, deadline| Ok::<_, Failure>(trail::look(far, &asked, &deadline));
            let looked = self.actor.call(limits.time, "the look at a path", job);
            let mut trail = looked.await.ok().flatten()?;
            for element in &mut trail.elements {
                let path = self.login.on_host(&element.path);
                element.path = match path.trim_end_matches('/') {
                    "" => path,
                    directory => directory.to_owned(),
                };
            }
            Some(trail)
        }
        .boxed()
    }

    fn is_dead(&self) -> bool {
        self.actor.is_dead()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async move {
            let farewell = self
                .actor
                .call(Duration::from_millis(500), "the farewell", |far, _| {
                    far.farewell();
                    Ok::<(), Failure>(())
                });
            let _ = tokio::time::timeout(Duration::from_millis(900), farewell).await;
            self.actor.end();
        }
        .boxed()
    }
}
