//! Nothing is ever written on a server (contract 0). The account could write every file here; the
//! server's own log, the commands it was sent and the file tree say that it did not.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::rc::Rc;

use crate::lab::{Amps, Host, Lab, MARKET_DATA, OPERATIONS, is_root, snapshot};

/// Lines of `sftp-server -l VERBOSE` that tell of a change.
fn writes(log: &str) -> Vec<&str> {
    const READS: [&str; 12] = [
        "session ",
        "received ",
        "opendir ",
        "closedir ",
        "close ",
        "sent ",
        "realpath ",
        "stat name ",
        "lstat name ",
        "fstat ",
        "statvfs ",
        "readlink ",
    ];
    let wrote = |line: &&str| {
        // A session that ends leaves closing to the server.
        let line = line.strip_prefix("forced ").unwrap_or(line);
        let reads = READS.iter().any(|read| line.starts_with(read));
        let opened = line.starts_with("open ") && line.contains("flags READ mode");
        let closed = line.starts_with("close ") && !line.contains("written 0");
        (!reads && !opened) || closed
    };
    log.lines().filter(wrote).collect()
}

/// A host whose account owns all files of the instance, nothing live.
fn writable() -> (Lab, Rc<Host>, Rc<Amps>) {
    let lab = Lab::new();
    let host = lab
        .host("ny4-1")
        .record_sftp()
        .record_commands(MARKET_DATA)
        .start();
    let orders = lab.amps("orders", &host);
    orders.stop_writer();
    orders.give_away();
    (lab, host, orders)
}

#[test]
fn the_log_and_the_tree_would_show_a_write() {
    let (lab, host, orders) = writable();
    let before = snapshot(&orders.dir);
    let stats = orders.path("stats.db");
    let get = format!(
        "get {} {}\n",
        stats.display(),
        lab.path("operator/got").display()
    );
    assert!(lab.sftp(&host, OPERATIONS, &get).status.success());
    assert!(
        host.sftp_log().contains("flags READ mode"),
        "{}",
        host.sftp_log()
    );
    assert_eq!(writes(&host.sftp_log()), Vec::<&str>::new());
    assert_eq!(before, snapshot(&orders.dir));

    let home = &orders.home;
    let batch = format!(
        "put {} {home}/new\nrename {home}/new {home}/newer\nchmod 600 {home}/newer\nrm {home}/newer\n\
         mkdir {home}/dir\nrmdir {home}/dir\nln -s x {home}/link\n",
        lab.path("operator/got").display()
    );
    let changed = lab.sftp(&host, OPERATIONS, &batch);
    assert!(changed.status.success(), "{changed:?}");
    assert!(writes(&host.sftp_log()).len() >= 7, "{}", host.sftp_log());
    assert_ne!(before, snapshot(&orders.dir));
}

#[test]
fn a_run_writes_nothing() {
    writes_nothing("each");
}

#[test]
fn a_run_that_reads_sets_by_one_command_writes_nothing() {
    writes_nothing("framed");
}

fn writes_nothing(gather: &str) {
    let (lab, host, orders) = writable();
    *orders.teams.borrow_mut() = vec![OPERATIONS.team, MARKET_DATA.team];
    let trees = [orders.dir.clone(), host.path("home")];
    let before = trees.each_ref().map(|tree| snapshot(tree));
    let temporary = temporary_files();
    // One team over SFTP, the other with commands alone, each of them written down by the server.
    let run = lab.judge_with(|inventory| {
        inventory["teams"][MARKET_DATA.team]["transport"] = "exec".into();
        inventory["teams"][MARKET_DATA.team]["gather"] = gather.into();
    });
    run.assert_go(8);
    // The door, configuration, log, statistics; no file of a set is asked for once more.
    let sent = host.commands();
    let together = sent.matches("GNG+").count();
    let alone = sent.lines().filter(|line| {
        line.contains("head'\\'' '\\''-c") && (line.contains("/logs/") || line.contains("/config/"))
    });
    match gather {
        "framed" => assert_eq!((together, alone.count()), (4, 0), "{sent}"),
        _ => assert!(together == 0 && alone.count() > 4, "{sent}"),
    }
    assert_eq!(before, trees.each_ref().map(|tree| snapshot(tree)));
    assert!(
        host.sftp_log().contains("flags READ mode"),
        "nothing was read: {}",
        host.sftp_log()
    );
    assert_eq!(writes(&host.sftp_log()), Vec::<&str>::new());
    let after = temporary_files();
    let new: Vec<_> = after
        .iter()
        .filter(|file| !temporary.contains(file))
        .collect();
    assert!(
        !is_root() || new.is_empty(),
        "left in a temporary directory: {new:?}"
    );

    let commands = host.commands();
    assert!(!commands.is_empty(), "no command was recorded");
    // The tether of traps.md T8 ends the command's own process group, its child and its watcher, and
    // nothing else: numbers that its own shell or the kernel gave, never a name.
    let own = [
        "kill -s KILL -- -$$",
        "kill -9 -$$",
        "kill -9 -$s",
        "kill -9 $c $$",
        "kill $w",
    ];
    let commands = own
        .iter()
        .fold(commands, |commands, tether| commands.replace(tether, ""));
    for word in commands.split(|c: char| !(c.is_ascii_alphanumeric() || "/._-".contains(c))) {
        let program = word.rsplit('/').next().unwrap_or_default();
        let writer = [
            "rm", "mv", "cp", "tee", "touch", "mkdir", "rmdir", "dd", "ln", "chmod", "chown",
            "mktemp", "truncate", "install", "sqlite3", "sed", "vacuum", "kill", "pkill",
        ];
        assert!(
            !writer.contains(&program),
            "`{program}` was sent:\n{commands}"
        );
    }
    // It packs what it reads into its output, and does nothing else.
    for packed in commands.match_indices(" tar -") {
        assert!(
            commands[packed.0..]
                .starts_with(" tar -c -f - -h --no-recursion --numeric-owner -C / -- ")
        );
    }
    for redirected in commands.match_indices('>') {
        let target = commands[redirected.0 + 1..].trim_start_matches(['>', ' ']);
        assert!(
            target.starts_with("/dev/null") || target.starts_with('&'),
            "redirected to {:?}",
            target.chars().take(30).collect::<String>()
        );
    }
}

#[test]
fn what_runs_was_planned() {
    let (lab, _host, orders) = writable();
    lab.write_inputs(&lab.inventory());
    let plan = lab.run(&["plan", "-i", "inventory.yaml", "features"]);
    assert_eq!(plan.status.code(), Some(0), "{plan:?}");
    let told = String::from_utf8_lossy(&plan.stdout).into_owned();
    for planned in [
        format!("{}/bin/ampServer", orders.home),
        format!("{}/config/*.xml", orders.home),
        format!("{}/logs/*.log*", orders.home),
        format!("{}/stats.db", orders.home),
        OPERATIONS.login(),
        "ny4-1".to_owned(),
    ] {
        assert!(
            told.contains(&planned),
            "not in the plan: {planned}\n{told}"
        );
    }
    let json = lab.run(&[
        "plan",
        "-i",
        "inventory.yaml",
        "features",
        "--format",
        "json",
    ]);
    assert_eq!(json.status.code(), Some(0), "{json:?}");
    serde_json::from_slice::<serde_json::Value>(&json.stdout).unwrap();
}

#[test]
fn a_plan_touches_no_host() {
    let (lab, host, _) = writable();
    lab.write_inputs(&lab.inventory());
    let before = host.log().len();
    let plan = lab.run(&["plan", "-i", "inventory.yaml", "features"]);
    assert_eq!(plan.status.code(), Some(0), "{plan:?}");
    assert!(
        String::from_utf8_lossy(&plan.stdout).contains("ny4-1"),
        "{plan:?}"
    );
    assert_eq!(host.log().len(), before, "{}", host.log());
}

/// Files of a lab account right below the temporary directories that a host shares with us.
fn temporary_files() -> Vec<String> {
    let mut files = Vec::new();
    for directory in ["/tmp", "/var/tmp", "/dev/shm"] {
        let Ok(entries) = fs::read_dir(directory) else {
            continue;
        };
        for entry in entries.flatten() {
            let owner = entry.metadata().map(|stat| stat.uid());
            if matches!(owner, Ok(61_000..=61_009)) {
                files.push(entry.path().display().to_string());
            }
        }
    }
    files
}
