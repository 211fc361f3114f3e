//! Tests over the deeds, with a session that has files in memory: what counts as retrieved, and what
//! the other steps make of it.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::{BoxFuture, ready};

use super::*;
use crate::digest::Sha256;
use crate::evidence::Content;
use crate::evidence::database_seen::Moments;
use crate::evidence::transcript::Transcript;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Inventory, Login};
use crate::transport::{
    Command, Entry, EntryKind, Greeting, Limits, Output, ReadError, Receipt, Session, Sink, Span,
};

/// Each path with the contents that it has, one read after the other; the last stays.
#[derive(Default)]
struct Files(Mutex<BTreeMap<String, VecDeque<Vec<u8>>>>);

struct Fake {
    files: Files,
    printed: Vec<u8>,
    status: i32,
    greeting: Greeting,
}

impl Fake {
    fn content(&self, path: &str, whole: bool) -> Option<Vec<u8>> {
        let mut files = self.files.0.lock().unwrap();
        let states = files.get_mut(path)?;
        match whole && states.len() > 1 {
            true => states.pop_front(),
            false => states.front().cloned(),
        }
    }
}

impl Session for Fake {
    fn greeting(&self) -> &Greeting {
        &self.greeting
    }
    fn run<'a>(&'a self, _: &'a Command, _: Limits) -> BoxFuture<'a, Result<Output, Failure>> {
        let output = Output {
            stdout: self.printed.clone(),
            stderr: Vec::new(),
            status: self.status,
        };
        Box::pin(ready(Ok(output)))
    }
    fn list<'a>(
        &'a self,
        pattern: &'a str,
        _: Limits,
    ) -> BoxFuture<'a, Result<Vec<Entry>, Failure>> {
        let glob = globset::Glob::new(pattern).unwrap().compile_matcher();
        let names: Vec<String> = self
            .files
            .0
            .lock()
            .unwrap()
            .keys()
            .filter(|name| glob.is_match(name))
            .cloned()
            .collect();
        let entry = |path: String| Entry {
            size: self.content(&path, false).unwrap().len() as u64,
            path,
            kind: EntryKind::File,
            modified: None,
        };
        Box::pin(ready(Ok(names.into_iter().map(entry).collect())))
    }
    fn read<'a>(
        &'a self,
        path: &'a str,
        span: Span,
        _: Limits,
        mut sink: Sink,
    ) -> BoxFuture<'a, Result<Receipt, ReadError>> {
        let Some(mut content) = self.content(path, span == Span::WHOLE) else {
            return Box::pin(ready(Err(Failure::new(
                FailureKind::Missing,
                "a file",
                "none",
            )
            .into())));
        };
        content.truncate(usize::try_from(span.most.unwrap_or(u64::MAX)).unwrap_or(usize::MAX));
        sink.write_all(&content).unwrap();
        let receipt = Receipt {
            path: path.to_owned(),
            bytes: content.len() as u64,
            size: content.len() as u64,
            sha256: Sha256::of(&content),
            modified: None,
            method: "sftp",
        };
        Box::pin(ready(Ok(receipt)))
    }
    fn unelevated(&self) -> Arc<dyn Session> {
        panic!("no step asks for it")
    }
    fn is_dead(&self) -> bool {
        false
    }
    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }
}

struct Open(Arc<Fake>, Login);

impl Door for Open {
    fn session(&self) -> BoxFuture<'_, Result<Arc<dyn Session>, Failure>> {
        Box::pin(ready(Ok(self.0.clone() as Arc<dyn Session>)))
    }
    fn login(&self) -> &Login {
        &self.1
    }
}

const INVENTORY: &str = "\
environment: test
ssh: {host_key: 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', key: k}
hosts: {a: {address: 127.0.0.1}}
teams: {ops: {user: ops}}
instances:
  one:
    product: amps
    host: a
    teams: [ops]
    vars: {home: /o}
    expect: {version: 5.3.4.12, name: one}
    artifacts: {ARTIFACTS}
";

/// Performs the steps in order and says how the first that fails, fails.
async fn perform_all(
    fake: Fake,
    artifacts: &str,
    steps: &[&str],
    keep: Option<&Path>,
) -> Result<World, FailureKind> {
    let text = INVENTORY.replace("{ARTIFACTS}", artifacts);
    let inventory = Arc::new(Inventory::parse(Path::new("i.yaml"), text.into_bytes()).unwrap());
    let login = inventory.login("a", "ops").unwrap().clone();
    let subject = Subject {
        environment: "test".into(),
        instance: Some("one".into()),
        host: Some("a".into()),
        team: Some("ops".into()),
        ..Subject::default()
    };
    let deadline = Instant::now() + Duration::from_secs(60);
    let keep = keep.map(|path| Arc::new(Keep::new(path).unwrap()));
    let door: Arc<dyn Door> = Arc::new(Open(Arc::new(fake), login));
    let mut world = World::new(
        subject,
        inventory,
        Some(door),
        deadline,
        keep,
        Transcript::new("c", "a", "ops"),
    );
    for step in steps {
        match perform(&bind(step, Below::default()).unwrap(), &mut world).await {
            Ok(()) => {}
            Err(Stop::Failure(failure)) => return Err(failure.kind),
            Err(Stop::Fault(fault)) => panic!("{fault}"),
        }
    }
    Ok(world)
}

fn printing(printed: &[u8]) -> Fake {
    Fake {
        files: Files::default(),
        printed: printed.to_vec(),
        status: 0,
        greeting: Greeting::default(),
    }
}

fn holding(files: &[(&str, &[&[u8]])]) -> Fake {
    let states = |(path, states): &(&str, &[&[u8]])| {
        (
            (*path).to_owned(),
            states.iter().map(|state| state.to_vec()).collect(),
        )
    };
    Fake {
        files: Files(Mutex::new(files.iter().map(states).collect())),
        ..printing(b"")
    }
}

async fn kind(fake: Fake, artifacts: &str, steps: &[&str]) -> Option<FailureKind> {
    perform_all(fake, artifacts, steps, None).await.err()
}

fn database(rows: u32) -> Vec<u8> {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("d");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch("create table s (t integer)")
        .unwrap();
    for _ in 0..rows {
        connection
            .execute("insert into s values (unixepoch())", [])
            .unwrap();
    }
    drop(connection);
    std::fs::read(path).unwrap()
}

const STATISTICS: &str =
    "{statistics: {path: /o/s.db, tables: [s], sample: {table: s, column: t, unit: unix}}}";

#[tokio::test]
async fn what_a_command_prints_is_looked_at_like_a_file() {
    let xml = "{configuration: {command: [/bin/show], format: xml}}";
    let well = [
        "the configuration can be retrieved",
        "the configuration is well-formed",
    ];
    assert_eq!(kind(printing(b"<AMPSConfig/>"), xml, &well).await, None);
    assert_eq!(
        kind(printing(b"<AMPSConfig>"), xml, &well).await,
        Some(FailureKind::Corrupt)
    );
    assert_eq!(kind(printing(b"<AMPSConfig>"), xml, &well[..1]).await, None);
    assert_eq!(
        kind(printing(b" \n"), xml, &well[..1]).await,
        Some(FailureKind::Empty)
    );
    let failed = Fake {
        status: 3,
        ..printing(b"<AMPSConfig/>")
    };
    assert_eq!(
        kind(failed, xml, &well[..1]).await,
        Some(FailureKind::Mismatch)
    );

    let sqlite = "{statistics: {command: [/bin/dump], format: sqlite, tables: [s], sample: {table: s, column: t, unit: unix}}}";
    let steps = [
        "the statistics database is consistent",
        "the statistics database has a sample from the last 1 hour",
    ];
    assert_eq!(kind(printing(&database(3)), sqlite, &steps).await, None);
    assert_eq!(
        kind(printing(b"not a database"), sqlite, &steps).await,
        Some(FailureKind::Corrupt)
    );
    assert_eq!(
        kind(printing(&database(0)), sqlite, &steps).await,
        Some(FailureKind::Empty)
    );
}

#[tokio::test]
async fn a_version_is_retrieved_only_when_there_is_one() {
    let file = "{version: {path: /o/VERSION, match: '\\d+\\.\\d+\\.\\d+\\.\\d+'}}";
    let steps = [
        "the version can be retrieved",
        "the version is the expected one",
    ];
    let of = |content: &'static [u8]| holding(&[("/o/VERSION", &[content])]);
    assert_eq!(kind(of(b"AMPS 5.3.4.12\n"), file, &steps).await, None);
    assert_eq!(
        kind(of(b"AMPS 5.3.4.13\n"), file, &steps).await,
        Some(FailureKind::Mismatch)
    );
    assert_eq!(
        kind(of(b"AMPS\n"), file, &steps[..1]).await,
        Some(FailureKind::Mismatch)
    );
    assert_eq!(
        kind(of(b""), file, &steps[..1]).await,
        Some(FailureKind::Empty)
    );
}

#[tokio::test]
async fn an_empty_file_is_no_log_unless_others_hold_entries() {
    let entry: &[u8] = b"2026-11-21T14:49:38.3442510Z [1] info: 00-0015 ready\n";
    let log = ["the event log can be retrieved"];
    assert_eq!(
        kind(holding(&[("/o/logs/a.log", &[b""])]), "{}", &log).await,
        Some(FailureKind::Empty)
    );
    assert_eq!(
        kind(
            holding(&[("/o/logs/a.log", &[b""]), ("/o/logs/a.log.1", &[entry])]),
            "{}",
            &log
        )
        .await,
        None
    );
    assert_eq!(
        kind(holding(&[]), "{}", &log).await,
        Some(FailureKind::Missing)
    );
}

#[tokio::test]
async fn a_database_that_changes_is_fetched_again_and_a_restless_one_is_refused() {
    let (old, new) = (database(1), database(2));
    let steps = [
        "the statistics database can be retrieved",
        "the statistics database is consistent",
    ];
    let root = tempfile::tempdir().unwrap();
    // The first copy sees the change that the mark after it shows.
    let once = holding(&[("/o/s.db", &[&old, &new])]);
    let world = perform_all(once, STATISTICS, &steps, Some(root.path()))
        .await
        .unwrap();
    let evidence = world.evidence();
    assert_eq!(
        (evidence.len(), evidence[0].attempts, evidence[0].sha256),
        (1, 2, Sha256::of(&new))
    );
    // What the report needs, and not the time of every sample, of which a run would remember millions.
    let Content::Database(told) = &evidence[0].content else {
        panic!("no database");
    };
    assert_eq!((told.samples, &told.moments), (2, &Moments::default()));
    let kept: Vec<_> = std::fs::read_dir(root.path().join("one/ops/statistics"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(
        kept.len(),
        1,
        "only the copy that is reported is kept: {kept:?}"
    );
    assert_eq!(
        Sha256::of(&std::fs::read(&kept[0]).unwrap()),
        evidence[0].sha256
    );

    let versions: Vec<Vec<u8>> = (1..8).map(database).collect();
    let states: Vec<&[u8]> = versions.iter().map(Vec::as_slice).collect();
    assert_eq!(
        kind(holding(&[("/o/s.db", &states)]), STATISTICS, &steps[..1]).await,
        None
    );
    assert_eq!(
        kind(holding(&[("/o/s.db", &states)]), STATISTICS, &steps).await,
        Some(FailureKind::Corrupt)
    );
}

/// A database in WAL mode with its log: first, after one more row, and after the log was begun anew.
fn logged() -> [(Vec<u8>, Vec<u8>); 3] {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("d");
    let connection = rusqlite::Connection::open(&path).unwrap();
    let row = "insert into s values (unixepoch());";
    let set = || {
        let wal = std::fs::read(root.path().join("d-wal")).unwrap();
        (std::fs::read(&path).unwrap(), wal)
    };
    let begin =
        "pragma journal_mode = wal; pragma wal_autocheckpoint = 0; create table s (t integer);";
    connection.execute_batch(&format!("{begin}{row}")).unwrap();
    let first = set();
    connection.execute_batch(row).unwrap();
    let more = set();
    let anew = format!("pragma wal_checkpoint(restart); {row}");
    connection.execute_batch(&anew).unwrap();
    [first, more, set()]
}

#[tokio::test]
async fn a_log_that_was_begun_anew_or_is_gone_makes_another_copy_and_one_that_grew_does_not() {
    let [(main, wal), (_, more), (new, anew)] = logged();
    assert!(wal.len() < more.len() && wal[16..24] == more[16..24] && wal[16..24] != anew[16..24]);
    let steps = [
        "the statistics database can be retrieved",
        "the statistics database is consistent",
    ];
    let old = database(1);
    for (mains, wals, attempts, holds) in [
        (&[&main][..], &[&wal][..], 1, [&main, &wal]),
        (&[&main], &[&wal, &more], 1, [&main, &wal]),
        (&[&main, &new], &[&wal, &anew], 2, [&new, &anew]),
        // Closed meanwhile, and all of it in the database.
        (&[&main, &old], &[&wal, &Vec::new()], 2, [&old, &Vec::new()]),
    ] {
        let states = |all: &[&Vec<u8>]| all.iter().map(|one| one.to_vec()).collect::<Vec<_>>();
        let (mains, wals) = (states(mains), states(wals));
        let mains: Vec<&[u8]> = mains.iter().map(Vec::as_slice).collect();
        let wals: Vec<&[u8]> = wals.iter().map(Vec::as_slice).collect();
        let fake = holding(&[("/o/s.db", &mains), ("/o/s.db-wal", &wals)]);
        let root = tempfile::tempdir().unwrap();
        let world = perform_all(fake, STATISTICS, &steps, Some(root.path()))
            .await
            .unwrap();
        let evidence = world.evidence();
        let told: Vec<_> = evidence.iter().map(|file| file.sha256).collect();
        assert_eq!(evidence[0].attempts, attempts);
        assert_eq!(told, holds.map(|bytes| Sha256::of(bytes)));
        let kept = std::fs::read_dir(root.path().join("one/ops/statistics")).unwrap();
        let kept = kept.map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
        let mut kept: Vec<Sha256> = kept.map(|bytes| Sha256::of(&bytes)).collect();
        kept.sort_by_key(|digest| told.iter().position(|one| one == digest));
        assert_eq!(kept, told, "what is kept is what is told");
    }
    // What is no log decides nothing, and makes no sound database.
    let zeros = vec![0; 64];
    let fake = holding(&[("/o/s.db", &[&old]), ("/o/s.db-wal", &[&zeros])]);
    let refused = kind(fake, STATISTICS, &steps).await;
    assert_eq!(refused, Some(FailureKind::Corrupt));
    // The log may never stand still.
    let wals: Vec<Vec<u8>> = (0..9).map(|_| logged()[0].1.clone()).collect();
    let wals: Vec<&[u8]> = wals.iter().map(Vec::as_slice).collect();
    let fake = holding(&[("/o/s.db", &[&main]), ("/o/s.db-wal", &wals)]);
    assert_eq!(
        kind(fake, STATISTICS, &steps).await,
        Some(FailureKind::Corrupt)
    );
}

#[tokio::test]
async fn a_clock_is_measured_or_said_not_to_be() {
    let text = INVENTORY.replace("{ARTIFACTS}", "{}");
    let inventory = Inventory::parse(Path::new("i.yaml"), text.into_bytes()).unwrap();
    let login = inventory.login("a", "ops").unwrap().clone();
    let limits = Limits {
        time: Duration::from_secs(10),
        bytes: 4096,
    };
    let now = crate::time::now().as_second();
    let printed = |text: &str| printing(text.as_bytes());
    let clock = measure(&printed(&format!("{now}\n")), &login, limits).await;
    let clock = clock.unwrap().unwrap();
    assert!(!clock.is_off() && clock.tolerance_ms == 60_000, "{clock:?}");
    assert!(on_time(clock, &login).is_ok());
    let clock = measure(&printed(&format!("{}\n", now - 600)), &login, limits).await;
    let off = on_time(clock.unwrap().unwrap(), &login).unwrap_err();
    assert_eq!(off.kind, FailureKind::Mismatch);
    // A `date` that knows no %s, none at all, and an account that sends no command.
    for unknown in ["%s\n", "", "Sat Nov 21\n"] {
        let clock = measure(&printed(unknown), &login, limits).await;
        assert_eq!(clock.unwrap(), None, "{unknown}");
    }
    let missing = Fake {
        status: 127,
        ..printed(&format!("{now}\n"))
    };
    assert_eq!(measure(&missing, &login, limits).await.unwrap(), None);
    let files_only = Login {
        transport: crate::inventory::Transport::Sftp,
        ..login
    };
    let clock = measure(&printed(&format!("{now}\n")), &files_only, limits).await;
    assert_eq!(clock.unwrap(), None);
}
