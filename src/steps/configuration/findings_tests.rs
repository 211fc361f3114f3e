//! The rules of the built-in profile and of other products, each found in a text that has the fault and
//! not in its twin.

use std::io::Write as _;

use super::*;
use crate::evidence::Content;
use crate::evidence::reader::Reader as _;
use crate::evidence::settings::Settings;
use crate::evidence::settings::reader::Parsed;
use crate::inventory::{Inventory, Kind};

fn settings(format: Format, text: &str) -> Settings {
    let mut reader = Parsed::new(format);
    reader.write_all(text.as_bytes()).unwrap();
    match Box::new(reader).finish().unwrap() {
        Content::Settings(found) => *found,
        other => panic!("{other:?}"),
    }
}

fn rows(settings: &Settings) -> Vec<Row<'_>> {
    let rows = settings.list.iter().map(|one| Row {
        file: "/c",
        path: one.path.clone(),
        value: &one.value,
        line: one.line,
    });
    rows.collect()
}

/// The rules as an inventory reads them.
fn rules(product: &str, findings: &str) -> (Vec<Finding>, Option<Format>) {
    let own = match findings {
        "" => "\n    profile: amps".to_owned(),
        findings => format!(
            "\n    artifacts:\n      configuration:\n        kind: configuration\n        path: /c\n        format: {product}\n        findings:\n{findings}"
        ),
    };
    let text = format!(
        "environment: test\nssh: {{known_hosts: [k]}}\nhosts:\n  h: {{address: 127.0.0.1}}\nteams:\n  t: {{user: u, agent: true}}\nproducts:\n  {product}:{own}\ninstances:\n  i: {{product: {product}, host: h, teams: [t], vars: {{home: /opt/x}}}}\n"
    );
    let path = std::path::Path::new("inventory.yaml");
    let inventory = Inventory::parse(path, text.clone().into_bytes());
    let inventory = inventory.unwrap_or_else(|problems| panic!("{problems:?}\n{text}"));
    let instance = inventory.instance("i").unwrap();
    let mut artifacts = instance.artifacts.iter();
    let artifact = artifacts
        .find(|one| one.kind == Kind::Configuration)
        .unwrap();
    (
        artifact.configuration.findings.clone().unwrap().to_vec(),
        artifact.format,
    )
}

#[track_caller]
fn found(product: &str, findings: &str, text: &str) -> Vec<String> {
    let (rules, format) = rules(product, findings);
    let settings = settings(format.unwrap(), text);
    let rows = rows(&settings);
    let found = judge(&rules, &rows, format);
    found
        .iter()
        .map(|one| format!("{}:{}", one.setting, one.line.unwrap_or(0)))
        .collect()
}

fn amps(inner: &str) -> Vec<String> {
    found(
        "amps",
        "",
        &format!("<AMPSConfig>\n<Name>x</Name>{inner}</AMPSConfig>"),
    )
}

const ADMIN: &str = "<Admin><FileName>./stats.db</FileName></Admin>";
const LOG: &str =
    "<Logging>\n<Target><FileName>/l/%Y.log</FileName><Level>info</Level></Target></Logging>";

#[test]
fn amps_settings_that_destroy_evidence_are_found_and_their_twins_are_not() {
    assert_eq!(amps(&format!("{ADMIN}{LOG}")), [""; 0]);
    let target = |inner: &str| {
        amps(&format!(
            "{ADMIN}<Logging>\n<Target>\n<FileName>/l/%Y.log</FileName>{inner}</Target></Logging>"
        ))
    };
    // Statistics.
    assert_eq!(amps(LOG), ["Admin:0"]);
    assert_eq!(
        amps(&format!("<Admin><InetAddr>8085</InetAddr></Admin>{LOG}")),
        ["AMPSConfig/Admin/FileName:2"]
    );
    assert_eq!(
        amps(&format!(
            "<Admin>\n<FileName>:memory:</FileName></Admin>{LOG}"
        )),
        ["AMPSConfig/Admin/FileName:3"]
    );
    // No log at all.
    assert_eq!(amps(ADMIN), ["Logging/Target:0"]);
    // A log that truncates itself.
    let rotating = |name: &str| {
        amps(&format!(
            "{ADMIN}<Logging>\n<Target><Level>info</Level>\n<FileName>{name}</FileName><RotationThreshold>1G</RotationThreshold></Target></Logging>"
        ))
    };
    assert_eq!(
        rotating("/l/amps.log"),
        ["AMPSConfig/Logging/Target/FileName:4"]
    );
    assert_eq!(rotating("/l/amps-%n.log"), [""; 0]);
    // Levels.
    for level in ["warning", "error", "Critical", "emergency"] {
        let coarse = target(&format!("\n<Level>{level}</Level>"));
        assert_eq!(coarse, ["AMPSConfig/Logging/Target/Level:5"], "{level}");
    }
    assert_eq!(target("<Levels>error,critical</Levels>").len(), 1);
    assert_eq!(target("<Levels>info,error</Levels>"), [""; 0]);
    assert_eq!(target(""), ["AMPSConfig/Logging/Target/Level*:3"]);
    // A second target may be coarser.
    let second = LOG.replace(
        "</Logging>",
        "<Target><Protocol>syslog</Protocol><Level>error</Level></Target></Logging>",
    );
    assert_eq!(amps(&format!("{ADMIN}{second}")), [""; 0]);
    // Swallowed entries.
    assert_eq!(
        target("<Level>info</Level><ExcludeErrors>.*</ExcludeErrors>").len(),
        1
    );
    assert_eq!(
        target("<Level>info</Level><ExcludeErrors>00-0000,12-0010</ExcludeErrors>"),
        [""; 0]
    );
    assert_eq!(target("<IncludeErrors>00-0015</IncludeErrors>").len(), 1);
}

/// Rules of other products, as their profiles may take them.
const NGINX: &str = r"
          - {setting: error_log, is: '^/dev/null\b', says: errors are thrown away, hint: write `error_log /var/log/nginx/error.log warn;`}
          - {setting: error_log, is: '\s(crit|alert|emerg)$', says: only disasters are logged, hint: use `warn` or `error`}
";
const REDIS: &str = r#"
          - {setting: logfile, is: '^$', unless: {setting: syslog-enabled, is: '(?i)^yes$'}, says: the log goes to a standard output that nobody keeps, hint: "name a file in `logfile`, or set `syslog-enabled yes`"}
          - {setting: logfile, absent: true, unless: {setting: syslog-enabled, is: '(?i)^yes$'}, says: the log goes to a standard output that nobody keeps, hint: "name a file in `logfile`, or set `syslog-enabled yes`"}
          - {setting: logfile, is: '^/dev/null$', says: the log is thrown away, hint: name a file in `logfile`}
          - {setting: loglevel, is: '(?i)^(warning|nothing)$', says: only the worst is logged, hint: "set `loglevel notice`"}
"#;
const HAPROXY: &str = r"
          - {setting: global/log, absent: true, says: nothing is logged, hint: write `log /dev/log local0` under `global`}
          - {setting: global/log, is: '\s(emerg|alert|crit)$', says: only disasters are logged, hint: leave the level away or use `info`}
";
const POSTGRES: &str = r"
          - {setting: log_min_messages, is: '(?i)^(log|fatal|panic)$', says: errors are not logged, hint: set `log_min_messages` to `warning`}
          - {setting: log_min_error_statement, is: '(?i)^panic$', says: the statement of an error is not logged, hint: set `log_min_error_statement` to `error`}
          - {setting: logging_collector, is: '(?i)^(off|false|no|0)$', when: {setting: log_destination, is: '(?i)csvlog|jsonlog'}, says: csvlog and jsonlog need the collector and nothing is written, hint: set `logging_collector = on` and restart}
          - {setting: log_destination, is: '^$', says: the log has no destination, hint: set `log_destination` to `stderr`}
          - {setting: log_truncate_on_rotation, is: '(?i)^(on|true|yes|1)$', when: {setting: log_filename, is: '^[^%]+$'}, says: the log truncates itself on rotation, hint: put a mask such as `%Y-%m-%d` into `log_filename`}
";
const MONGODB: &str = r"
          - {setting: systemLog/destination, absent: true, says: the log goes to a standard output that nobody keeps, hint: set `systemLog.destination` to `file` and name `systemLog.path`}
          - {setting: systemLog/quiet, is: '(?i)^true$', says: the log leaves out connections and replication, hint: take `systemLog.quiet` away}
          - {setting: systemLog/path, is: '^/dev/null$', says: the log is thrown away, hint: name a file in `systemLog.path`}
          - {setting: setParameter/diagnosticDataCollectionEnabled, is: '(?i)^false$', says: no diagnostic data is collected, hint: take `diagnosticDataCollectionEnabled` away}
";
const MARIADB: &str = r"
          - {setting: log_error, is: '^/dev/null$', says: the error log is thrown away, hint: name a file in `log_error`}
          - {setting: log_warnings, is: '^0$', says: warnings are not logged, hint: set `log_warnings` to 2}
          - {setting: mysqld_safe/skip_log_error, is: '^$', unless: {setting: mysqld_safe/syslog, is: '^$'}, says: the error log goes to an output that nobody keeps, hint: name a file in `log_error`}
";

#[test]
fn rules_of_other_products_find_their_faults_and_not_their_twins() {
    for (product, rules, fault, twin, at) in [
        (
            "nginx",
            NGINX,
            "error_log /dev/null;\n",
            "error_log /var/log/nginx/error.log;\n",
            "error_log:1",
        ),
        (
            "nginx",
            NGINX,
            "http {\nserver { error_log /x emerg; }\n}\n",
            "error_log /x warn;\n",
            "http/server/error_log:2",
        ),
        (
            "conf",
            REDIS,
            "logfile \"\"\n",
            "logfile \"\"\nsyslog-enabled yes\n",
            "logfile:1",
        ),
        (
            "conf",
            REDIS,
            "port 1\n",
            "logfile /var/log/redis.log\n",
            "logfile:0",
        ),
        (
            "conf",
            REDIS,
            "logfile /x\nlogfile /dev/null\n",
            "logfile /dev/null\nlogfile /x\n",
            "logfile:2",
        ),
        (
            "haproxy",
            HAPROXY,
            "global\n maxconn 1\nfrontend a\n log global\n",
            "global\n log /dev/log local0\n",
            "global/log:0",
        ),
        (
            "conf",
            POSTGRES,
            "log_min_messages = 'PANIC'\n",
            "log_min_messages = warning\n",
            "log_min_messages:1",
        ),
        (
            "conf",
            POSTGRES,
            "log_filename = 'pg.log'\nlog_truncate_on_rotation = on\n",
            "log_filename = 'pg-%a.log'\nlog_truncate_on_rotation = on\n",
            "log_truncate_on_rotation:2",
        ),
        (
            "conf",
            POSTGRES,
            "log_destination = 'csvlog'\nlogging_collector = off\n",
            "log_destination = 'stderr'\nlogging_collector = off\n",
            "logging_collector:2",
        ),
        (
            "yaml",
            MONGODB,
            "net: {port: 1}\n",
            "systemLog: {destination: syslog}\n",
            "systemLog/destination:0",
        ),
        (
            "yaml",
            MONGODB,
            "systemLog:\n  destination: file\n  quiet: true\n",
            "systemLog:\n  destination: file\n  quiet: false\n",
            "systemLog/quiet:3",
        ),
        (
            "ini",
            MARIADB,
            "[mysqld]\nlog-error=/dev/null\n",
            "[mysqld]\nlog-error\n",
            "mysqld/log_error:2",
        ),
        (
            "ini",
            MARIADB,
            "[mysqld_safe]\nskip_log_error\n",
            "[mysqld_safe]\nskip_log_error\nsyslog\n",
            "mysqld_safe/skip_log_error:2",
        ),
    ] {
        let judged = found(product, rules, fault);
        // The same last setting; two that are alike are the last one's.
        assert!(
            judged.iter().any(|one| one == at),
            "{product} {fault}: {judged:?}"
        );
        if !(rules == REDIS && twin.contains("/dev/null")) {
            assert_eq!(found(product, rules, twin), [""; 0], "{twin}");
        }
    }
}

#[test]
fn all_findings_stand_in_one_failure_the_worst_first() {
    let (rules, format) = rules("amps", "");
    let settings = settings(Format::Xml, "<AMPSConfig><Name>x</Name></AMPSConfig>");
    let rows = rows(&settings);
    let failure = failure(&judge(&rules, &rows, format)).unwrap();
    assert_eq!(failure.kind, FailureKind::Gap);
    assert!(
        failure
            .actual
            .starts_with("2 findings: `Logging/Target` (not in /c): "),
        "{}",
        failure.actual
    );
    assert!(failure.actual.contains("`Admin`"));
    assert_eq!(failure.subject.as_deref(), Some("/c"));
    assert!(failure.hint.contains("; "), "{}", failure.hint);
}
