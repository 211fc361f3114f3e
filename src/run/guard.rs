//! What is executed is what was planned: a session that lets nothing else through. It would take a
//! defect of ours to be refused here; then a check fails, and nothing unplanned happens.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, ready};
use globset::{GlobBuilder, GlobMatcher};

use crate::failure::{Failure, FailureKind};
use crate::inventory::{Get, Never};
use crate::steps::Touch;
use crate::steps::statistics::{Piece, Writes, fresh, leads_to};
use crate::transport::{
    Command, Entry, Gathering, Greeting, Limits, Output, ReadError, Reading, Receipt, Session,
    Sink, Span, Trail,
};

pub(super) struct Guard {
    inner: Arc<dyn Session>,
    commands: HashSet<Vec<String>>,
    patterns: Vec<(String, Option<GlobMatcher>)>,
    urls: HashSet<String>,
    /// Listed, and not read.
    listed: HashSet<String>,
    /// Private copies that may be made, and where they may be read.
    writes: Vec<Writes>,
    copies: Vec<Piece>,
    /// What it may do without `sudo`.
    identity: BTreeSet<Touch>,
}

impl Guard {
    /// Lets through `touches`, and without `sudo` only `identity`.
    pub(super) fn new(
        inner: Arc<dyn Session>,
        touches: &BTreeSet<Touch>,
        identity: &BTreeSet<Touch>,
    ) -> Self {
        let (mut commands, mut patterns) = (HashSet::new(), Vec::new());
        let mut urls = HashSet::new();
        let mut listed = HashSet::new();
        let (mut writes, mut copies) = (Vec::new(), Vec::new());
        for touch in touches {
            match touch {
                Touch::Execute(words) => drop(commands.insert(words.clone())),
                Touch::Read(pattern) => match fresh(pattern) {
                    Some(piece) => copies.push(piece),
                    None => patterns.push((pattern.clone(), matcher(pattern))),
                },
                Touch::Write(permitted) => writes.push(permitted.clone()),
                Touch::Get(url) => drop(urls.insert(url.clone())),
                Touch::List(pattern) => drop(listed.insert(pattern.clone())),
            }
        }
        Self {
            inner,
            commands,
            patterns,
            urls,
            listed,
            writes,
            copies,
            identity: identity.clone(),
        }
    }

    /// Takes away what is never run; the plan has refused it already.
    pub(super) fn without(mut self, never: &Never) -> Self {
        self.commands.retain(|words| never.command(words).is_none());
        self
    }

    fn allows_path(&self, path: &str) -> bool {
        self.patterns.iter().any(|(pattern, glob)| {
            pattern == path || glob.as_ref().is_some_and(|glob| glob.is_match(path))
        }) || self.copies.iter().any(|planned| leads_to(planned, path))
    }

    /// Whether it is planned or leads to what is: a file, a directory above it, a program.
    fn leads_to(&self, path: &str) -> bool {
        let begin = |whole: &str| {
            let mut ends = whole.match_indices('/').skip(path.matches('/').count());
            let end = ends.next().map_or(whole.len(), |(end, _)| end);
            whole[..end].to_owned()
        };
        let programs = self.commands.iter().filter_map(|words| words.first());
        programs.into_iter().any(|program| begin(program) == path)
            || (self.listed.iter().any(|pattern| begin(pattern) == path))
            || self.patterns.iter().any(|(pattern, _)| {
                let begin = begin(pattern);
                begin == path || matcher(&begin).is_some_and(|glob| glob.is_match(path))
            })
    }
}

/// A planned pattern as it matches the paths that it leads to.
pub(super) fn matcher(pattern: &str) -> Option<GlobMatcher> {
    let glob = GlobBuilder::new(pattern)
        .literal_separator(true)
        .backslash_escape(false)
        .build();
    glob.ok().map(|glob| glob.compile_matcher())
}

fn unplanned(what: &str) -> Failure {
    Failure::new(
        FailureKind::Undefined,
        "only what the plan printed",
        "something that the plan did not print",
    )
    .with_subject(what)
    .with_hint("nothing was sent to the host; this is a defect of gonogo: please report it")
}

fn refused(wanted: &[Reading]) -> Vec<(Result<Receipt, ReadError>, Duration)> {
    let refused = |wanted: &Reading| (Err(unplanned(&wanted.path).into()), Duration::ZERO);
    wanted.iter().map(refused).collect()
}

impl Session for Guard {
    fn greeting(&self) -> &Greeting {
        self.inner.greeting()
    }

    fn run<'a>(
        &'a self,
        command: &'a Command,
        limits: Limits,
    ) -> BoxFuture<'a, Result<Output, Failure>> {
        let writes = || self.writes.iter().any(|writes| writes.allows(&command.0));
        match self.commands.contains(&command.0) || writes() {
            true => self.inner.run(command, limits),
            false => Box::pin(ready(Err(unplanned(&command.0.join(" "))))),
        }
    }

    fn stream<'a>(
        &'a self,
        command: &'a Command,
        limits: Limits,
        sink: Sink,
    ) -> BoxFuture<'a, Result<Output, ReadError>> {
        match self.commands.contains(&command.0) {
            true => self.inner.stream(command, limits, sink),
            false => Box::pin(ready(Err(unplanned(&command.0.join(" ")).into()))),
        }
    }

    fn list<'a>(
        &'a self,
        pattern: &'a str,
        limits: Limits,
    ) -> BoxFuture<'a, Result<Vec<Entry>, Failure>> {
        match self.allows_path(pattern) || self.listed.contains(pattern) {
            true => self.inner.list(pattern, limits),
            false => Box::pin(ready(Err(unplanned(pattern)))),
        }
    }

    fn read<'a>(
        &'a self,
        path: &'a str,
        span: Span,
        limits: Limits,
        sink: Sink,
    ) -> BoxFuture<'a, Result<Receipt, ReadError>> {
        match self.allows_path(path) {
            true => self.inner.read(path, span, limits, sink),
            false => Box::pin(ready(Err(unplanned(path).into()))),
        }
    }

    fn look<'a>(
        &'a self,
        paths: &'a [String],
        limits: Limits,
    ) -> BoxFuture<'a, Vec<Result<Entry, Failure>>> {
        let planned = |path: &String| self.allows_path(path) || self.listed.contains(path);
        match paths.iter().all(planned) {
            true => self.inner.look(paths, limits),
            false => Box::pin(ready(
                (paths.iter().map(|path| Err(unplanned(path)))).collect(),
            )),
        }
    }

    fn read_all(
        &self,
        wanted: Vec<Reading>,
        time: Duration,
    ) -> BoxFuture<'_, Vec<(Result<Receipt, ReadError>, Duration)>> {
        match wanted.iter().all(|wanted| self.allows_path(&wanted.path)) {
            true => self.inner.read_all(wanted, time),
            false => Box::pin(ready(refused(&wanted))),
        }
    }

    fn read_in_turn(
        &self,
        wanted: Vec<Reading>,
        time: Duration,
    ) -> BoxFuture<'_, Vec<(Result<Receipt, ReadError>, Duration)>> {
        match wanted.iter().all(|wanted| self.allows_path(&wanted.path)) {
            true => self.inner.read_in_turn(wanted, time),
            false => Box::pin(ready(refused(&wanted))),
        }
    }

    fn gather<'a>(
        &'a self,
        what: &'a Gathering,
        limits: Limits,
    ) -> BoxFuture<'a, Result<Option<String>, Failure>> {
        match what.paths().iter().find(|path| !self.allows_path(path)) {
            None => self.inner.gather(what, limits),
            Some(path) => Box::pin(ready(Err(unplanned(path)))),
        }
    }

    fn get<'a>(
        &'a self,
        get: &'a Get,
        limits: Limits,
        sink: Sink,
    ) -> BoxFuture<'a, Result<Receipt, ReadError>> {
        match self.urls.contains(&get.url) {
            true => self.inner.get(get, limits, sink),
            false => Box::pin(ready(Err(unplanned(&get.url).into()))),
        }
    }

    fn trail<'a>(&'a self, path: &'a str, limits: Limits) -> BoxFuture<'a, Option<Trail>> {
        match self.leads_to(path) {
            true => self.inner.trail(path, limits),
            false => Box::pin(ready(None)),
        }
    }

    fn unelevated(&self) -> Arc<dyn Session> {
        let inner = self.inner.unelevated();
        Arc::new(Self::new(inner, &self.identity, &self.identity))
    }

    fn is_dead(&self) -> bool {
        self.inner.is_dead()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.inner.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Everything(Greeting);

    impl Session for Everything {
        fn greeting(&self) -> &Greeting {
            &self.0
        }
        fn run<'a>(&'a self, _: &'a Command, _: Limits) -> BoxFuture<'a, Result<Output, Failure>> {
            Box::pin(ready(Ok(Output {
                stdout: Vec::new(),
                stderr: Vec::new(),
                status: 0,
            })))
        }
        fn list<'a>(&'a self, _: &'a str, _: Limits) -> BoxFuture<'a, Result<Vec<Entry>, Failure>> {
            Box::pin(ready(Ok(Vec::new())))
        }
        fn read<'a>(
            &'a self,
            _: &'a str,
            _: Span,
            _: Limits,
            _: Sink,
        ) -> BoxFuture<'a, Result<Receipt, ReadError>> {
            Box::pin(ready(Err(Failure::new(
                FailureKind::Io,
                "reached",
                "reached",
            )
            .into())))
        }
        fn get<'a>(
            &'a self,
            _: &'a Get,
            _: Limits,
            _: Sink,
        ) -> BoxFuture<'a, Result<Receipt, ReadError>> {
            let reached = Failure::new(FailureKind::Io, "reached", "reached");
            Box::pin(ready(Err(reached.into())))
        }
        fn unelevated(&self) -> Arc<dyn Session> {
            Arc::new(Self(self.0.clone()))
        }
        fn is_dead(&self) -> bool {
            false
        }
        fn close(&self) -> BoxFuture<'_, ()> {
            Box::pin(ready(()))
        }
    }

    #[tokio::test]
    async fn what_is_never_run_does_not_pass_although_it_was_planned() {
        let text = b"environment: e\nhosts: {h: {address: h}}\nteams: {t: {user: t, agent: true}}\nssh: {known_hosts: [k]}\n";
        let inventory =
            crate::inventory::Inventory::parse(std::path::Path::new("i"), text.to_vec()).unwrap();
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let lines = ["df -h", "sudo kill -HUP 1"];
        let touches = lines.map(|line| Touch::Execute(words(line)));
        let everything = Arc::new(Everything(Greeting::default()));
        let guard = Guard::new(everything, &BTreeSet::from(touches), &BTreeSet::new());
        let guard = guard.without(inventory.never());
        let limits = Limits {
            time: std::time::Duration::from_secs(1),
            bytes: 1,
        };
        for (line, passes) in lines.into_iter().zip([true, false]) {
            let command = Command(words(line));
            assert_eq!(guard.run(&command, limits).await.is_ok(), passes, "{line}");
        }
    }

    #[tokio::test]
    async fn nothing_passes_that_was_not_planned() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let touches = BTreeSet::from([
            Touch::Execute(words("df -h")),
            Touch::Execute(words("/bin/df")),
            Touch::Read("/logs/*.log*".into()),
            Touch::Read("/stats.db".into()),
            Touch::Get("http://127.0.0.1:8085/amps/*.json".into()),
            Touch::Get("http://127.0.0.1:8085/amps/instance.json".into()),
            Touch::List("/dumps/*.dmp".into()),
            Touch::Read("/var/tmp/gonogo-??????????/copy.db".into()),
            Touch::Write(Writes {
                artifact: "statistics".into(),
                instance: "orders".into(),
                database: "/stats.db".into(),
                directory: "/var/tmp".into(),
                road: crate::steps::statistics::Road::Copy,
            }),
        ]);
        let identity = BTreeSet::from([Touch::Execute(words("hostname"))]);
        let guard = Guard::new(
            Arc::new(Everything(Greeting::default())),
            &touches,
            &identity,
        );
        let limits = Limits {
            time: std::time::Duration::from_secs(1),
            bytes: 1,
        };
        for (line, passes) in [
            ("df -h", true),
            ("df", false),
            ("df -h /", false),
            ("rm -rf", false),
            ("mktemp -d -- /var/tmp/gonogo-XXXXXXXXXX", true),
            ("mktemp -d -- /etc/gonogo-XXXXXXXXXX", false),
            ("cp -- /stats.db /var/tmp/gonogo-aB3dE6gH9k/copy.db", true),
            ("cp -- /stats.db /var/tmp/gonogo-aB3dE6gH9/copy.db", false),
            (
                "cp -- /stats.db /var/tmp/gonogo-../../../etc/copy.db",
                false,
            ),
            (
                "cp -- /etc/shadow /var/tmp/gonogo-aB3dE6gH9k/copy.db",
                false,
            ),
            ("rmdir -- /var/tmp/gonogo-aB3dE6gH9k", true),
            ("rmdir -- /var/tmp", false),
            ("rm -rf -- /var/tmp/gonogo-aB3dE6gH9k", false),
        ] {
            assert_eq!(
                guard.run(&Command(words(line)), limits).await.is_ok(),
                passes,
                "{line}"
            );
        }
        let own = guard.unelevated();
        for (line, elevated) in [("df -h", true), ("hostname", false)] {
            let command = Command(words(line));
            assert_eq!(guard.run(&command, limits).await.is_ok(), elevated);
            assert_eq!(own.run(&command, limits).await.is_ok(), !elevated);
        }
        for (path, passes) in [
            ("/logs/a.log", true),
            ("/logs/a.log.1", true),
            ("/logs/x/a.log", false),
            ("/stats.db", true),
            ("/stats.db-wal", false),
            ("/etc/shadow", false),
            ("/var/tmp/gonogo-aB3dE6gH9k/copy.db", true),
            ("/var/tmp/gonogo-aB3dE6gH9k/copy.db-wal", false),
            ("/var/tmp/gonogo-aB3dE6gH..//copy.db", false),
        ] {
            assert_eq!(guard.list(path, limits).await.is_ok(), passes, "{path}");
            let read = guard
                .read(path, Span::WHOLE, limits, Box::new(Vec::new()))
                .await;
            let Err(ReadError::Failure(failure)) = read else {
                panic!("read")
            };
            assert_eq!(failure.kind == FailureKind::Io, passes, "{path}");
        }
        for (what, passes) in [
            (Gathering::set("/logs/*.log*"), true),
            (Gathering::set("/logs/*"), false),
            (Gathering::set("/stats.db"), true),
            // Of what lies beside it, nothing is planned here.
            (Gathering::database("/stats.db"), false),
            (Some(Gathering::Door(vec!["/etc/machine-id".into()])), false),
        ] {
            let what = what.unwrap();
            assert_eq!(
                guard.gather(&what, limits).await.is_ok(),
                passes,
                "{what:?}"
            );
        }
        for (url, passes) in [
            ("http://127.0.0.1:8085/amps/instance.json", true),
            ("http://127.0.0.1:8085/amps/*.json", true),
            // A URL is no pattern.
            ("http://127.0.0.1:8085/amps/host.json", false),
            ("http://127.0.0.1:8085/amps/instance.json?", false),
            ("http://127.0.0.1:8085/amps/instance.json/", false),
            ("http://127.0.0.1:8085/AMPS/instance.json", false),
            ("https://127.0.0.1:8085/amps/instance.json", false),
            ("http://127.0.0.1:8085/amps/administrator", false),
            ("/stats.db", false),
        ] {
            let get = Get {
                url: url.to_owned(),
                user: None,
                password_env: None,
                ca: None,
            };
            for (session, passes) in [(&guard as &dyn Session, passes), (&*own, false)] {
                let got = session.get(&get, limits, Box::new(Vec::new())).await;
                let Err(ReadError::Failure(failure)) = got else {
                    panic!("get")
                };
                assert_eq!(failure.kind == FailureKind::Io, passes, "{url}");
            }
        }
        // What is only listed is not read, and nothing else there is listed.
        assert!(guard.list("/dumps/*.dmp", limits).await.is_ok());
        assert!(guard.list("/dumps/*", limits).await.is_err());
        let read = guard.read("/dumps/a.dmp", Span::WHOLE, limits, Box::new(Vec::new()));
        let Err(ReadError::Failure(failure)) = read.await else {
            panic!("read")
        };
        assert_eq!(failure.kind, FailureKind::Undefined);
        for (path, passes) in [
            ("/logs/a.log", true),
            ("/logs", true),
            ("/dumps", true),
            ("/bin/df", true),
            ("/bin", true),
            ("/log", false),
            ("/logs/x/a.log", false),
            ("/bin/rm", false),
            ("/etc", false),
        ] {
            assert_eq!(guard.leads_to(path), passes, "{path}");
        }
    }
}
