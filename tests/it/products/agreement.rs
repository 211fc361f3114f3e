//! Our well-formedness against each product's own checker, over a table of texts: what the product takes
//! is never refused, and what it refuses for its syntax is never called well-formed. What a product
//! refuses for its meaning (an unknown directive, a missing argument) is not asked of us.

use std::collections::BTreeMap;
use std::fs;

use serde_json::json;

use super::OPS;
use super::texts::{Case, HAPROXY, MARIADB, NGINX, POSTGRESQL, REDIS, Says};
use crate::lab::{Host, Lab, needs_root};

/// Writes each case to a file and lets the product judge it; the exit status decides. `check` is a shell
/// line with the file in `$file`.
fn the_product_says(host: &Host, cases: &[Case], check: &str) -> BTreeMap<usize, String> {
    host.root("install -d -m 755 /run/cases");
    for (at, case) in cases.iter().enumerate() {
        host.put(&format!("/run/cases/{at}"), case.text);
    }
    let line = format!(
        "for file in /run/cases/*; do ({check}) >/run/said 2>&1 </dev/null; \
         echo \"$(basename $file) $? $(tr '\\n' ' ' </run/said | cut -c 1-300)\"; done"
    );
    let told = host.root(&line);
    let lines = told.lines().map(|line| {
        let (at, rest) = line.split_once(' ').unwrap();
        (at.parse().unwrap(), rest.to_owned())
    });
    lines.collect()
}

/// The product's word and ours on every case; all that does not fit.
#[track_caller]
fn agree(format: &str, cases: &[Case], takes: &[&str], check: &str) {
    let lab = Lab::new();
    let host = lab.host("db-1").start_debian();
    let said = the_product_says(&host, cases, check);
    assert_eq!(said.len(), cases.len());
    let mut wrong = Vec::new();
    for (at, case) in cases.iter().enumerate() {
        let status = said[&at].split(' ').next().unwrap();
        if takes.contains(&status) != (case.says == Says::Takes) {
            wrong.push(format!("{}: {format} itself says {}", case.name, said[&at]));
        }
    }

    let mut inventory = lab.inventory();
    inventory["products"] = json!({"any": {"artifacts": {
        "version": {"kind": "version", "path": "/etc/debian_version"},
        "configuration": {"kind": "configuration", "path": "{file}", "format": format},
        "event log": {"kind": "log", "command": ["echo", "{file}"]},
        "statistics": {"kind": "statistics", "command": ["echo", "{file}"]},
    }}});
    for at in 0..cases.len() {
        inventory["instances"][format!("case-{at}")] = json!({
            "product": "any", "host": "db-1", "teams": [OPS],
            "vars": {"file": format!("/run/cases/{at}")},
        });
    }
    lab.write_inputs(&inventory);
    fs::write(
        lab.operator().join("features/support.feature"),
        "Feature: agreement\n  Scenario: <instance>\n    Given each instance\n    \
         When the team connects\n    Then the version can be retrieved\n    \
         And the event log can be retrieved\n    And artifact \"statistics\" can be retrieved\n    \
         And the configuration can be retrieved\n    And the configuration is well-formed\n",
    )
    .unwrap();
    let run = lab.judge_as_written();
    assert_eq!(run.checks().len(), cases.len(), "{}", run.told());
    for (at, case) in cases.iter().enumerate() {
        let check = run.check(&format!("case-{at}"), OPS, "case-");
        let failure = &check["failure"];
        let fits = match case.says {
            Says::Takes => check["outcome"] == "passed",
            Says::Syntax => failure["kind"] == "corrupt",
            Says::Unseen => check["outcome"] == "passed",
            Says::Meaning => check["outcome"] == "passed" || failure["kind"] == "corrupt",
        };
        // What has no setting at all is no configuration that support could use, and no syntax error.
        let says_nothing = failure["kind"] == "empty" && case.name.starts_with("nothing");
        if !fits && !says_nothing {
            let ours = format!("{} {}", failure["kind"], failure["actual"]);
            wrong.push(format!("{}: gonogo says {ours}; {}", case.name, said[&at]));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn nginx() {
    if needs_root("products::agreement") {
        return;
    }
    agree("nginx", NGINX, &["0"], "nginx -t -c $file");
}

#[test]
fn haproxy() {
    if needs_root("products::agreement") {
        return;
    }
    // 2: no error, but nothing to listen on.
    agree("haproxy", HAPROXY, &["0", "2"], "haproxy -c -f $file");
}

#[test]
fn redis() {
    if needs_root("products::agreement") {
        return;
    }
    // It has no checker. A configuration that it takes is one that it starts with: 124.
    let check = "cd /tmp && timeout 0.3 redis-server $file --port 0 --unixsocket /run/case.sock --daemonize no";
    agree("conf", REDIS, &["124"], check);
}

#[test]
fn postgresql() {
    if needs_root("products::agreement") {
        return;
    }
    let check = "chmod 755 /run/cases; cd /; d=$(mktemp -d); cp $file $d/postgresql.conf; \
        chmod -R a+rX $d; chmod 755 $d; setpriv --reuid postgres --regid postgres --clear-groups \
        $(ls -d /usr/lib/postgresql/*/bin | tail -n 1)/postgres -C port -D $d";
    agree("conf", POSTGRESQL, &["0"], check);
}

#[test]
fn mariadb() {
    if needs_root("products::agreement") {
        return;
    }
    let check = "setpriv --reuid mysql --regid mysql --clear-groups \
        mariadbd --defaults-file=$file --help --verbose >/dev/null";
    agree("ini", MARIADB, &["0"], check);
}
