//! The roads to a consistent copy of a live database, on real servers: what each leaves behind (nothing),
//! what each says when it cannot be walked, and what steps ask of the samples.

mod hidden;
mod interval;
mod rights;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use rusqlite::Connection;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::lab::{Amps, GONOGO, Host, Lab, OPERATIONS, Run, SERVICE, needs_root, until};

const ASKED: &str = "\
Feature: samples

  Scenario: samples of <instance>
    Given each instance
    And each team responsible for it
    When the team connects
    Then the statistics database can be retrieved
";

/// A host with a live instance and a directory where anybody may write.
struct Estate {
    lab: Lab,
    host: Rc<Host>,
    orders: Rc<Amps>,
}

impl Estate {
    fn new() -> Self {
        Self::with(|lab| lab.host("ny4-1").record_sftp().start())
    }

    fn with(host: impl FnOnce(&Lab) -> Rc<Host>) -> Self {
        let lab = Lab::new();
        let host = host(&lab);
        let orders = lab.amps("orders", &host);
        fs::create_dir(host.path("copies")).unwrap();
        fs::set_permissions(host.path("copies"), fs::Permissions::from_mode(0o1777)).unwrap();
        Self { lab, host, orders }
    }

    fn directory(&self) -> String {
        self.host.path("copies").display().to_string()
    }

    fn take(&self, road: &str) -> Value {
        json!({ road: self.directory() })
    }

    fn judge(&self, take: &Value) -> Run {
        self.judge_with(take, |_| ())
    }

    fn judge_with(&self, take: &Value, edit: impl FnOnce(&mut Value)) -> Run {
        self.lab.judge_with(|inventory| {
            inventory["products"]["amps"]["artifacts"]["statistics"]["take"] = take.clone();
            edit(inventory);
        })
    }

    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.host.path("copies")).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    /// Another program in place of one of the host's (needs root).
    fn replace(&self, program: &str, script: &str) {
        let name = program.rsplit('/').next().unwrap();
        let file = self.host.path(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        let bound = self
            .host
            .inside(&format!("mount --bind {} {program}", file.display()));
        assert!(bound.status.success(), "{bound:?}");
    }

    /// The only failure, which is of the statistics and leaves nothing behind.
    #[track_caller]
    fn refused<'r>(&self, run: &'r Run, kind: &str, words: &[&str]) -> &'r Value {
        run.assert_only(&[("orders", OPERATIONS.team, "statistics", kind)]);
        let failure = &run.check("orders", OPERATIONS.team, "statistics")["failure"];
        for word in words {
            assert!(failure.to_string().contains(word), "{word}: {failure:#}");
        }
        assert_eq!(self.left(), Vec::<String>::new());
        failure
    }
}

fn evidence(run: &Run) -> &Value {
    &run.check("orders", OPERATIONS.team, "statistics")["evidence"][0]
}

#[test]
fn each_road_takes_a_live_database_and_leaves_nothing() {
    let estate = Estate::new();
    for mode in ["WAL", "DELETE"] {
        estate.orders.statistics_in(mode);
        for road in ["stream", "copy", "vacuum-into"] {
            for transport in ["auto", "exec"] {
                let take = match road {
                    "stream" => json!("stream"),
                    road => estate.take(road),
                };
                let run = estate.judge_with(&take, |inventory| {
                    inventory["teams"][OPERATIONS.team]["transport"] = transport.into();
                });
                run.assert_go(4);
                assert_eq!(estate.left(), Vec::<String>::new(), "{road} {mode}");
                let told = evidence(&run);
                let method = match (road, transport) {
                    ("stream", "auto") => "sftp",
                    ("stream", _) => "exec",
                    (road, _) => road,
                };
                assert_eq!(told["method"], method, "{told:#}");
                let path = format!("{}/stats.db", estate.orders.home);
                assert_eq!(told["path"], path);
                let database = &told["database"];
                let attempts = database["attempts"].as_array().unwrap();
                assert_eq!(attempts.last().unwrap(), "ok", "{told:#}");
                assert_eq!(told["attempts"], attempts.len());
                let expected = if mode == "WAL" { "wal" } else { "rollback" };
                assert_eq!(database["journal_mode"], expected);
                assert_eq!(database["tables"], 4);
                assert_eq!(database["page_size"], 4096);
                // Only the newest samples are in the -wal.
                assert!(told["entries"].as_u64().unwrap() > 360, "{told:#}");
                assert_eq!(database["sqlite"].is_string(), road == "vacuum-into");
                let page = fs::read_to_string(run.dir.join("report.html")).unwrap();
                assert!(page.contains(database["reason"].as_str().unwrap()));
            }
        }
        let verified = estate.lab.verify(&estate.lab.path("operator/run-4"));
        assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    }
}

#[test]
fn the_plan_marks_what_writes_and_who_permits_it() {
    let estate = Estate::new();
    let mut inventory = estate.lab.inventory();
    inventory["products"]["amps"]["artifacts"]["statistics"]["take"] = estate.take("vacuum-into");
    estate.lab.write_inputs(&inventory);
    let plan = ["plan", "-i", "inventory.yaml", "features"];
    let told = estate.lab.run(&plan);
    let text = String::from_utf8(told.stdout).unwrap();
    let permission = "(permitted by `take:` of artifact statistics of orders)";
    let written: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("    write  "))
        .collect();
    assert_eq!(written.len(), 4, "{text}");
    assert!(
        written.iter().all(|line| line.ends_with(permission)),
        "{text}"
    );
    let directory = estate.directory();
    for word in [
        format!("mktemp -d -- {directory}/gonogo-XXXXXXXXXX"),
        format!("rmdir -- '{directory}/gonogo-??????????'"),
        "VACUUM/**/INTO".to_owned(),
    ] {
        assert!(
            written.iter().any(|line| line.contains(&word)),
            "{word}: {text}"
        );
    }
    let json = estate.lab.run(&[&plan[..], &["--format", "json"]].concat());
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    let visit = &json["visits"][0];
    assert_eq!(visit["write"].as_array().unwrap().len(), 4, "{visit:#}");
    let execute = visit["execute"].to_string();
    for writer in ["mktemp", "sqlite3", "rmdir", "rm -f"] {
        assert!(!execute.contains(writer), "{visit:#}");
    }
}

#[test]
fn an_account_for_files_only_cannot_copy() {
    let estate = Estate::new();
    for (take, refused) in [
        (estate.take("copy"), true),
        (estate.take("vacuum-into"), true),
        (json!("stream"), false),
    ] {
        let mut inventory = estate.lab.inventory();
        let artifacts = &mut inventory["products"]["amps"]["artifacts"];
        artifacts["statistics"]["take"] = take;
        artifacts["version"] = json!({"kind": "version", "path": "{home}/VERSION"});
        inventory["teams"][OPERATIONS.team]["transport"] = "sftp".into();
        estate.lab.write_inputs(&inventory);
        let plan = estate
            .lab
            .run(&["plan", "-i", "inventory.yaml", "features"]);
        let told = String::from_utf8_lossy(&plan.stderr).into_owned();
        assert_eq!(
            plan.status.code(),
            Some(if refused { 2 } else { 0 }),
            "{told}"
        );
        assert_eq!(told.contains("has files only"), refused, "{told}");
    }
}

#[test]
fn a_database_that_is_no_good_leaves_nothing_either() {
    let estate = Estate::new();
    estate.orders.statistics_in("DELETE");
    for road in ["copy", "vacuum-into"] {
        let take = estate.take(road);
        let run = estate.judge_with(&take, |inventory| {
            inventory["products"]["amps"]["artifacts"]["statistics"]["tables"] = json!(["NOWHERE"]);
        });
        estate.refused(&run, "mismatch", &["NOWHERE"]);
        let told = evidence(&run);
        let attempts = told["database"]["attempts"].as_array().unwrap();
        assert_eq!(attempts.last().unwrap(), "refused", "{told:#}");
        // A copy in the kept directory, none on the host.
        let missing = json!({ road: "/nowhere/at/all" });
        estate.refused(
            &estate.judge(&missing),
            "missing",
            &["/nowhere/at/all", "take:"],
        );
    }
    // It is no database: nothing is written for it.
    estate.orders.stop_writer();
    estate.orders.write("stats.db", &[0x1f; 5000]);
    for road in ["copy", "vacuum-into"] {
        let run = estate.judge(&estate.take(road));
        let failure = estate.refused(&run, "corrupt", &[]);
        assert!(!failure.to_string().contains("mktemp"));
        assert_eq!(evidence(&run)["method"], "sftp");
    }
}

#[test]
fn what_a_read_only_account_stumbles_over_is_named() {
    if needs_root("what_a_read_only_account_stumbles_over_is_named") {
        return;
    }
    let estate = Estate::new();
    let vacuum = estate.take("vacuum-into");
    let shut = |suffix: &str, mode: u32| {
        let path = estate.orders.path(&format!("stats.db{suffix}"));
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    };
    // The `-shm` alone: every byte can be read, and SQLite cannot open it.
    shut("-shm", 0o600);
    assert!(!OPERATIONS.can_read(&estate.orders.path("stats.db-shm")));
    let run = estate.judge(&vacuum);
    let failure = estate.refused(&run, "denied", &["stats.db-shm"]);
    assert!(
        failure["expected"].as_str().unwrap().contains("-shm"),
        "{failure:#}"
    );
    estate.judge(&estate.take("copy")).assert_go(4);
    shut("-shm", 0o640);
    estate.judge(&vacuum).assert_go(4);

    // A directory of the host where the account may not write.
    let run = estate.judge(&json!({"copy": estate.orders.home}));
    let failure = estate.refused(&run, "denied", &["take:", "may write"]);
    assert!(
        failure["subject"].as_str().unwrap().starts_with("mktemp"),
        "{failure:#}"
    );

    // A writer that never lets go.
    estate.orders.statistics_in("DELETE");
    estate.judge(&vacuum).assert_go(4);
    estate.orders.stop_writer();
    let held = Connection::open(estate.orders.path("stats.db")).unwrap();
    held.execute_batch("BEGIN EXCLUSIVE; CREATE TABLE other(x);")
        .unwrap();
    let run = estate.judge(&vacuum);
    estate.refused(&run, "denied", &["locked", "ask for no lock"]);
    held.execute_batch("ROLLBACK").unwrap();
    drop(held);

    // Closed in WAL mode: sqlite3 would leave a -wal and a -shm where it may write.
    let closed = Connection::open(estate.orders.path("stats.db")).unwrap();
    closed.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    drop(closed);
    estate.orders.give_away();
    let run = estate.judge(&vacuum);
    run.assert_go(4);
    assert_eq!(evidence(&run)["method"], "sftp");
    assert!(
        evidence(&run)["database"]["reason"]
            .as_str()
            .unwrap()
            .contains("nobody has it open")
    );
    for suffix in ["-wal", "-shm"] {
        assert!(!estate.orders.path(&format!("stats.db{suffix}")).exists());
    }
}

#[test]
fn a_crashed_writer_is_told_by_its_journal() {
    if needs_root("a_crashed_writer_is_told_by_its_journal") {
        return;
    }
    let estate = Estate::new();
    estate.orders.statistics_in("DELETE");
    estate.orders.stop_writer();
    // Killed in the middle of a transaction that had reached the database.
    let script = "import os,sqlite3,sys\nc=sqlite3.connect(sys.argv[1],isolation_level=None)\n\
        c.execute('pragma cache_size=1')\nc.execute('begin')\n\
        c.execute('update IMEMORY_DYNAMIC set rss=rss+1')\n\
        for n in range(400): c.execute('insert into IMEMORY_STATIC values(?,?)',(n+9,'x'*900))\n\
        os._exit(9)\n";
    let crashed = Command::new("python3")
        .args(["-c", script])
        .arg(estate.orders.path("stats.db"))
        .status()
        .unwrap();
    assert_eq!(crashed.code(), Some(9));
    let journal = estate.orders.path("stats.db-journal");
    assert!(fs::metadata(&journal).unwrap().len() > 512);
    for file in ["stats.db", "stats.db-journal"] {
        let path = estate.orders.path(file);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::chown(&path, Some(SERVICE.uid), Some(SERVICE.uid)).unwrap();
    }
    let run = estate.judge(&estate.take("vacuum-into"));
    estate.refused(&run, "denied", &["-journal", "take: stream"]);
    assert!(
        journal.exists(),
        "the host's own recovery is the product's business"
    );
    for take in [estate.take("copy"), json!("stream")] {
        estate.judge(&take).assert_go(4);
    }
    assert!(journal.exists());
}

#[test]
fn a_full_directory_is_told_and_cleared() {
    if needs_root("a_full_directory_is_told_and_cleared") {
        return;
    }
    let estate = Estate::new();
    let directory = estate.directory();
    let mounted = estate.host.inside(&format!(
        "mount -t tmpfs -o size=16k,mode=1777 tmpfs {directory}"
    ));
    assert!(mounted.status.success(), "{mounted:?}");
    for road in ["copy", "vacuum-into"] {
        let failure_of = |run: &Run, words: &[&str]| {
            estate.refused(run, "io", words);
            let left = estate.host.inside(&format!("ls -A {directory}"));
            assert!(left.stdout.is_empty(), "{left:?}");
        };
        failure_of(
            &estate.judge(&estate.take(road)),
            &["room for a copy", "nothing was written"],
        );
        // A df that does not know: the tool itself meets the end.
        estate.replace("/usr/bin/df", "exit 1");
        failure_of(
            &estate.judge(&estate.take(road)),
            &["room for a copy", "take:"],
        );
        let unbound = estate.host.inside("umount /usr/bin/df");
        assert!(unbound.status.success(), "{unbound:?}");
    }
}

#[test]
fn an_sqlite3_that_cannot_is_told_from_one_that_may_not() {
    if needs_root("an_sqlite3_that_cannot_is_told_from_one_that_may_not") {
        return;
    }
    let estate = Estate::new();
    let vacuum = estate.take("vacuum-into");
    // In the words of 3.7.17 (RHEL 7) and 3.26.0 (RHEL 8), which no test can install.
    let old_option = "echo 'sqlite3: Error: unknown option: -readonly' >&2\necho 'Use -help for a list of options.' >&2\nexit 1";
    let old_syntax =
        "echo 3.26.0; echo 2000; echo 'Error: near \"INTO\": syntax error' >&2; exit 1";
    for (script, words) in [
        (
            old_option,
            &["unknown option: -readonly", "3.27 or later"][..],
        ),
        (old_syntax, &["version 3.26.0", "3.27 or later"]),
    ] {
        estate.replace("/usr/bin/sqlite3", script);
        estate.refused(&estate.judge(&vacuum), "mismatch", words);
        assert!(
            estate
                .host
                .inside("umount /usr/bin/sqlite3")
                .status
                .success()
        );
    }
    // Not installed: an empty directory in the place of every one that is searched would stop all tools.
    estate.replace(
        "/usr/bin/sqlite3",
        "echo 'sh: 1: sqlite3: not found' >&2; exit 127",
    );
    estate.refused(&estate.judge(&vacuum), "missing", &["package sqlite3"]);
    assert!(
        estate
            .host
            .inside("umount /usr/bin/sqlite3")
            .status
            .success()
    );
    estate.judge(&vacuum).assert_go(4);
}

#[test]
fn what_cannot_be_removed_is_named() {
    if needs_root("what_cannot_be_removed_is_named") {
        return;
    }
    let estate = Estate::new();
    estate.replace("/usr/bin/rmdir", "echo 'rmdir: failed' >&2; exit 1");
    let run = estate.judge(&estate.take("copy"));
    run.assert_only(&[("orders", OPERATIONS.team, "statistics", "io")]);
    let failure = &run.check("orders", OPERATIONS.team, "statistics")["failure"];
    let left = estate.left();
    assert_eq!(left.len(), 1);
    assert!(failure["hint"].as_str().unwrap().contains(&format!(
        "rm -r -- {}/{}",
        estate.directory(),
        left[0]
    )));
    assert_eq!(
        fs::read_dir(estate.host.path("copies").join(&left[0]))
            .unwrap()
            .count(),
        0
    );
    assert!(estate.host.inside("umount /usr/bin/rmdir").status.success());
    // What an earlier run left is not touched.
    estate.judge(&estate.take("copy")).assert_go(4);
    assert_eq!(estate.left(), left);
}

/// gonogo in the middle of a copy that does not end.
fn in_the_middle(estate: &Estate) -> Child {
    estate.replace("/usr/bin/cp", "head -c 1000 \"$2\" >\"$3\"; exec sleep 60");
    let mut inventory = estate.lab.inventory();
    inventory["products"]["amps"]["artifacts"]["statistics"]["take"] = estate.take("copy");
    estate.lab.write_inputs(&inventory);
    let child = Command::new(GONOGO)
        .args(estate.lab.run_args("out"))
        .envs(estate.lab.environment())
        .env_remove("SSH_AUTH_SOCK")
        .current_dir(estate.lab.operator())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("a copy begins", Duration::from_secs(40), || {
        let left = estate.left();
        left.first().is_some_and(|name| {
            estate
                .host
                .path("copies")
                .join(name)
                .join("copy.db")
                .exists()
        })
    });
    child
}

#[test]
fn told_to_stop_it_removes_its_copy() {
    if needs_root("told_to_stop_it_removes_its_copy") {
        return;
    }
    let estate = Estate::new();
    let mut child = in_the_middle(&estate);
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let ended = child.wait().unwrap();
    assert_eq!(ended.code(), Some(143));
    assert_eq!(estate.left(), Vec::<String>::new());
}

#[test]
fn killed_it_leaves_one_private_directory() {
    if needs_root("killed_it_leaves_one_private_directory") {
        return;
    }
    let estate = Estate::new();
    let mut child = in_the_middle(&estate);
    child.kill().unwrap();
    child.wait().unwrap();
    until(
        "the copy dies with its connection",
        Duration::from_secs(20),
        || {
            !estate
                .host
                .sessions()
                .iter()
                .any(|line| line.contains("sleep"))
        },
    );
    let left = estate.left();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].starts_with("gonogo-") && left[0].len() == 17);
    let directory = estate.host.path("copies").join(&left[0]);
    assert_eq!(
        fs::metadata(&directory).unwrap().permissions().mode() & 0o777,
        0o700
    );
    assert!(fs::read_dir(&directory).unwrap().count() <= 1);
}

#[test]
fn what_steps_ask_of_samples_is_answered_and_held() {
    let estate = Estate::new();
    let judge = |step: &str, edit: &dyn Fn(&mut Value)| {
        let mut inventory = estate.lab.inventory();
        let statistics = &mut inventory["products"]["amps"]["artifacts"]["statistics"];
        statistics["interval"] = "200ms".into();
        statistics["columns"] = json!({"IMEMORY_DYNAMIC": ["timestamp", "rss"]});
        edit(statistics);
        estate.lab.write_inputs(&inventory);
        let feature = format!("{ASKED}    And the statistics database {step}\n");
        fs::write(
            estate.lab.path("operator/features/samples.feature"),
            feature,
        )
        .unwrap();
        let run = estate.lab.judge_as_written();
        let verified = estate.lab.verify(&run.dir);
        let told = String::from_utf8_lossy(&verified.stderr).into_owned();
        assert_eq!(verified.status.code(), Some(run.code()), "{told}");
        run
    };
    let keep = |_: &mut Value| ();
    // 30 samples at 200 ms, so that the newest distances are the writer's own.
    std::thread::sleep(Duration::from_secs(30));
    for step in [
        "has the expected tables and columns",
        "has a sample at least every 15 seconds in the last 50 minutes",
        "is sampled at the configured interval",
        "has no sample from the future",
    ] {
        judge(step, &keep).assert_go(5);
    }
    let refused = |step: &str, kind: &str, edit: &dyn Fn(&mut Value)| {
        let run = judge(step, edit);
        run.assert_only(&[("orders", OPERATIONS.team, "samples", kind)]);
    };
    refused(
        "has the expected tables and columns",
        "mismatch",
        &|statistics| {
            statistics["columns"] = json!({"IMEMORY_DYNAMIC": ["nowhere"]});
        },
    );
    refused(
        "has a sample at least every 5 seconds in the last 50 minutes",
        "gap",
        &keep,
    );
    refused(
        "has a sample at least every 15 seconds in the last 3 hours",
        "gap",
        &keep,
    );
    refused(
        "is sampled at the configured interval",
        "mismatch",
        &|statistics| {
            statistics["interval"] = "1m".into();
        },
    );
    estate.orders.stop_writer();
    let db = Connection::open(estate.orders.path("stats.db")).unwrap();
    let ahead = jiff::Timestamp::now().as_millisecond() + 210_866_803_200_000 + 3_600_000;
    db.execute("INSERT INTO IMEMORY_DYNAMIC VALUES (?1, 1, 1)", [ahead])
        .unwrap();
    let run = judge("has no sample from the future", &keep);
    let failure = &run.check("orders", OPERATIONS.team, "samples")["failure"];
    assert_eq!(failure["kind"], "stale", "{failure:#}");
}
