//! What is executed is what was planned: the server's own record of every command and every SFTP request
//! of a run, held against `gonogo plan --format json`.

use std::collections::BTreeSet;
use std::rc::Rc;

use globset::GlobBuilder;
use gonogo::transport::framed;
use regex::Regex;
use serde_json::{Value, json};

use crate::lab::{Amps, Host, Lab, MARKET_DATA, OPERATIONS, SERVICE, needs_root};

/// Requests that open, look and read; sftp-server(8) names them.
const READING: [&str; 8] = [
    "open", "close", "read", "lstat", "stat", "fstat", "opendir", "readdir",
];

/// What a host recorded beside what `visit` says.
fn unplanned(visit: &Value, host: &Host) -> Vec<String> {
    let list = |key: &str| -> Vec<&str> {
        let list = visit[key].as_array().unwrap();
        list.iter().map(|word| word.as_str().unwrap()).collect()
    };
    let commands = list("execute")
        .into_iter()
        .chain(list("execute_without_sftp"));
    let commands: Vec<Vec<String>> = commands.map(words).collect();
    let is_planned = |line: &str| {
        unframed(line).is_some_and(|said| commands.iter().any(|plan| fits(plan, &said)))
    };
    let is_sftp =
        |line: &str| line.contains("/sftp-server -e ") && line.ends_with("/recorded/sftp");
    let mut found: Vec<String> = Vec::new();
    let recorded = host.commands();
    found.extend(
        recorded
            .lines()
            .filter(|line| !is_sftp(line) && !is_planned(line))
            .map(str::to_owned),
    );

    let patterns = list("read");
    let directories: BTreeSet<String> = patterns
        .iter()
        .flat_map(|pattern| directories(pattern))
        .collect();
    let request = Regex::new(r"^debug\d: request \d+: ([a-z-]+)(?: flags (\d+))?").unwrap();
    let path = Regex::new("^([a-z-]+)(?: name)? \"(.*?)\"(.*)$").unwrap();
    for line in host.sftp_requests().lines() {
        // Nobody waits for a close: the session may end first, and the server closes then.
        let line = line.strip_prefix("forced ").unwrap_or(line);
        let is_fine = if let Some(request) = request.captures(line) {
            let flags = request.get(2).map_or("1", |flags| flags.as_str());
            &request[1] == "sent" || (READING.contains(&&request[1]) && flags == "1")
        } else if let Some(told) = path.captures(line) {
            match &told[1] {
                "opendir" | "closedir" => directories.contains(told[2].trim_end_matches('/')),
                "lstat" | "stat" => patterns.iter().any(|pattern| means(pattern, &told[2])),
                "open" => {
                    told[3].starts_with(" flags READ mode ")
                        && patterns.iter().any(|pattern| means(pattern, &told[2]))
                }
                "close" => told[3].ends_with(" written 0"),
                _ => false,
            }
        } else {
            [
                "session ",
                "received client version",
                "sent status",
                "debug",
            ]
            .iter()
            .any(|begin| line.starts_with(begin))
        };
        if !is_fine {
            found.push(line.to_owned());
        }
    }
    found
}

/// The command inside a frame, word by word; the nonce may be any, the rest of the frame may not.
fn unframed(line: &str) -> Option<Vec<String>> {
    let script = line.strip_prefix("sh -c '")?.strip_suffix('\'')?;
    let script = Regex::new(r"'\\(['\\!])'")
        .unwrap()
        .replace_all(script, "$1");
    let nonce = Regex::new("GNG-([0-9a-f]{32})").unwrap();
    let nonce = nonce.captures(&script)?[1].to_owned();
    let frame = framed(&nonce, "\0");
    let (head, tail) = frame.split_once('\0')?;
    Some(words(script.strip_prefix(head)?.strip_suffix(tail)?))
}

/// The words of a line in which only single quotes and backslashes mean anything.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut quoted, mut rest) = (false, line.chars());
    while let Some(c) = rest.next() {
        let word = words.last_mut().unwrap();
        match c {
            '\'' => quoted = !quoted,
            '\\' if !quoted => word.extend(rest.next()),
            ' ' if !quoted => words.push(String::new()),
            c => word.push(c),
        }
    }
    words
}

fn fits(planned: &[String], said: &[String]) -> bool {
    let word = |(planned, said): (&String, &String)| match planned.as_str() {
        "SIZE" => !said.is_empty() && said.bytes().all(|byte| byte.is_ascii_digit()),
        pattern => means(pattern, said),
    };
    planned.len() == said.len() && planned.iter().zip(said).all(word)
}

fn means(pattern: &str, path: &str) -> bool {
    if !pattern.starts_with('/') || !pattern.contains(['*', '?', '[']) {
        return pattern == path;
    }
    let glob = GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .unwrap();
    glob.compile_matcher().is_match(path) && !path.contains("/.")
}

/// Directories that a pattern has to be looked for in.
fn directories(pattern: &str) -> Vec<String> {
    let parts: Vec<&str> = pattern.split('/').collect();
    let globs = parts
        .iter()
        .enumerate()
        .filter(|(_, part)| part.contains(['*', '?', '[']));
    globs.map(|(depth, _)| parts[..depth].join("/")).collect()
}

fn recording(lab: &Lab, name: &str) -> Rc<Host> {
    let host = lab.host(name).record_sftp().record_commands(OPERATIONS);
    let rule = format!(
        "{} ALL=({}) NOPASSWD: ALL",
        OPERATIONS.login(),
        SERVICE.login()
    );
    host.sudoers(&rule).start()
}

fn instance(lab: &Lab, host: &Host) -> Rc<Amps> {
    let orders = lab.amps("orders", host);
    orders.stop_writer();
    orders.give_away();
    orders
}

fn visit(lab: &Lab) -> Value {
    let plan = lab.run(&[
        "plan",
        "-i",
        "inventory.yaml",
        "features",
        "--format",
        "json",
    ]);
    assert_eq!(plan.status.code(), Some(0), "{plan:?}");
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    assert_eq!(plan["visits"].as_array().unwrap().len(), 1, "{plan:#}");
    plan["visits"][0].clone()
}

/// A GO with nothing in the record but what the plan says; the plan's visit.
fn judged(lab: &Lab, host: &Host, edit: impl FnOnce(&mut Value)) -> Value {
    lab.judge_with(edit).assert_go(4);
    let visit = visit(lab);
    let found = unplanned(&visit, host);
    assert!(found.is_empty(), "{found:#?}\n{visit:#}");
    visit
}

#[test]
fn the_record_tells_what_was_not_planned() {
    let lab = Lab::new();
    let host = recording(&lab, "ny4-1");
    let orders = instance(&lab, &host);
    let visit = judged(&lab, &host, |_| ());
    // Both kinds of entries are there.
    assert!(host.commands().contains("ampServer"), "{}", host.commands());
    assert!(
        host.sftp_requests().contains("stats.db\" flags READ"),
        "{}",
        host.sftp_requests()
    );

    let home = &orders.home;
    let mut known = 0;
    for command in [
        format!("touch {home}/new"),
        format!("{home}/bin/ampServer --version"),
        format!("sh -c 'cat {home}/stats.db'"),
        "hostname".to_owned(),
    ] {
        lab.ssh(&host, OPERATIONS, &command);
        let found = unplanned(&visit, &host);
        assert_eq!(found.len(), known + 1, "{command}: {found:#?}");
        assert!(found.contains(&command), "{command}: {found:#?}");
        known += 1;
    }
    // The real `sftp` asks for more than we do by merely coming in.
    for (batch, seen) in [
        ("pwd", "realpath \".\""),
        ("get VERSION", "open \"VERSION\""),
        ("put stats.db new", "flags WRITE"),
        ("chmod 600 VERSION", "set \""),
        ("rename VERSION old", "rename"),
        ("ln -s x link", "symlink"),
        ("rm stats.db", "remove"),
        ("mkdir directory", "mkdir"),
        ("rmdir directory", "rmdir"),
        ("ls bin", "opendir"),
    ] {
        let from = std::fs::read_to_string(lab.path("operator/allowed_signers")).unwrap();
        std::fs::write(lab.path("operator/stats.db"), from).unwrap();
        let mut words: Vec<String> = batch.split(' ').map(str::to_owned).collect();
        let remote = if words[0] == "put" { 2 } else { 1 };
        for word in words.iter_mut().skip(remote) {
            if !word.contains(['6', 'x']) && !word.starts_with('-') {
                *word = format!("{home}/{word}");
            }
        }
        lab.sftp(&host, OPERATIONS, &format!("{}\n", words.join(" ")));
        let found = unplanned(&visit, &host);
        let seen = seen.replace("\"VERSION", &format!("\"{home}/VERSION"));
        assert!(found.len() > known, "{batch}: {found:#?}");
        assert!(
            found[known..].iter().any(|line| line.contains(&seen)),
            "{batch}: {:#?}",
            &found[known..]
        );
        known = found.len();
    }
}

#[test]
fn every_kind_of_account_does_what_was_planned_and_nothing_else() {
    if needs_root("every_kind_of_account_does_what_was_planned_and_nothing_else") {
        return;
    }
    type Edit = fn(&mut Value);
    let files: Edit = |inventory| {
        inventory["teams"][OPERATIONS.team]["transport"] = json!("sftp");
        let version = &mut inventory["products"]["amps"]["artifacts"]["version"];
        *version = json!({"kind": "version", "path": "{home}/VERSION", "match": "\\d+\\.\\d+\\.\\d+\\.\\d+"});
    };
    let commands: Edit =
        |inventory| inventory["teams"][OPERATIONS.team]["transport"] = json!("exec");
    let elevated: Edit = |inventory| {
        inventory["teams"][OPERATIONS.team]["elevate"] = json!({"sudo": SERVICE.login()});
    };
    let installed: Edit = |inventory| {
        inventory["teams"][OPERATIONS.team]["client"] = json!("openssh");
    };
    for (what, edit, seen) in [
        ("files alone", files, [false, true]),
        ("commands alone", commands, [true, false]),
        ("elevated", elevated, [true, true]),
        ("by the installed ssh", installed, [true, true]),
    ] {
        let lab = Lab::new();
        let host = recording(&lab, "ny4-1");
        instance(&lab, &host);
        judged(&lab, &host, edit);
        let (commands, requests) = (host.commands(), host.sftp_requests());
        let ran = commands.lines().any(|line| line.starts_with("sh -c"));
        assert_eq!(
            [ran, !requests.is_empty()],
            seen,
            "{what}:\n{commands}\n{requests}"
        );
        assert_eq!(commands.contains("sudo"), what == "elevated", "{commands}");
    }
}

#[test]
fn without_sftp_the_plan_says_which_commands_take_its_place() {
    let lab = Lab::new();
    let host = lab
        .host("ny4-1")
        .record_sftp()
        .without_sftp()
        .record_commands(OPERATIONS)
        .start();
    instance(&lab, &host);
    let visit = judged(&lab, &host, |_| ());
    assert!(host.commands().contains("find"), "{}", host.commands());
    assert!(!visit["execute"].to_string().contains("find"), "{visit:#}");
}

#[test]
fn nothing_is_executed_on_a_hop() {
    if needs_root("nothing_is_executed_on_a_hop") {
        return;
    }
    let lab = Lab::new();
    let hop = recording(&lab, "bastion");
    let host = recording(&lab, "ny4-1");
    instance(&lab, &host);
    judged(&lab, &host, |inventory| {
        inventory["hosts"]["ny4-1"]["via"] = json!(["bastion"])
    });
    assert!(hop.log().contains("Accepted publickey"), "{}", hop.log());
    assert!(!hop.log().contains("Starting session"), "{}", hop.log());
    assert_eq!(hop.commands() + &hop.sftp_requests(), "");
    // The twin: the record of a hop is no other than that of a host.
    lab.ssh(&hop, MARKET_DATA, "true");
    lab.ssh(&hop, OPERATIONS, "true");
    assert!(
        hop.log().contains("Starting session") && hop.commands() == "true\n",
        "{}",
        hop.commands()
    );
}
