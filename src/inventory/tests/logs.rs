//! How entries of a log are described: masks that tell no time are refused when the inventory is read.

use super::refusals::{check, check_good};
use super::{GOOD, good};

#[test]
fn masks_that_tell_no_instant_are_refused_at_their_place() {
    check(
        r#"
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "/l", format: log, entry: {pattern: '^(?<time>.+)', time: '%b %d %H:%M:%S'}} ¦ 23:95 ¦ `time`: cannot read `%b %d %H:%M:%S` ¦ without a year
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "/l", format: log, entry: {pattern: '^(?<time>.+)', time: '%F %T %Z'}} ¦ 23:95 ¦ cannot read `%F %T %Z` ¦ `zone: Europe/Berlin`
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "/l", format: log, entry: {pattern: '^(?<time>.+)', time: '%F %!'}} ¦ 23:95 ¦ cannot read `%F %!` ¦ not a mask
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "/l", format: log, entry: {pattern: '^(?<time>.+)', time: iso}} ¦ 23:95 ¦ cannot read `iso` ¦ `rfc3339`
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "/l", format: log, entry: {pattern: '^(?<time>.+)', time: unix, zone: PST}} ¦ 23:107 ¦ cannot read `PST` ¦ IANA
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "/l", format: log, entry: {pattern: '^.+', time: unix}} ¦ 23:73 ¦ cannot read `^.+` ¦ 
"#,
    );
}

#[test]
fn what_describes_entries_must_fit_the_format() {
    check(
        r#"
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "/l", format: log, entry: {json: {time: t}, time: unix}} ¦ 23:51 ¦ describes JSON ¦ `format: json-log`
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "/l", format: json-log, entry: {pattern: 'x(?<time>.+)', time: unix}} ¦ 23:51 ¦ lines of text ¦ `format: log`
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "/l", format: log} ¦ 23:51 ¦ does not say how an entry begins ¦ pattern:
"#,
    );
    check_good(
        r#"
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "/l", format: json-log, entry: {json: {time: t}, time: unix-ms}}
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "/l", format: log, entry: {pattern: '^(?<time>.*?) x', time: '%Y/%m/%d %H:%M:%S%.f', zone: host}}
"#,
    );
}

#[test]
fn consent_to_share_is_of_logs_alone() {
    check(
        r#"
{kind: log, path: "{home}/*.log"} ¦ {kind: other, path: "/l", shared: syslog} ¦ 23:45 ¦ `shared` is a key of a log ¦ `kind:`
{kind: log, path: "{home}/*.log"} ¦ {kind: statistics, path: "/l", shared: syslog} ¦ 23:50 ¦ `shared` is a key of a log ¦ `kind:`
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "/l", shared: ""} ¦ 23:51 ¦ `shared` ¦ 
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "/l", shared: "{nobody}"} ¦ 23:51 ¦ nobody ¦ 
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "/l", shared: true} ¦ 23:51 ¦ `shared`: `true` ¦ 
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "/l", shard: x} ¦ 23:43 ¦ `shard` ¦ `shared`
"#,
    );
    check_good(
        r#"
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "/l", shared: "syslog of {host}"}
"#,
    );
}

#[test]
fn consent_goes_with_the_file_that_was_meant() {
    let shared = |of_instance: &str| {
        let product = r#"{kind: log, path: "{home}/*.log", shared: "syslog of {host}"}"#;
        let text = GOOD.replace(r#"{kind: log, path: "{home}/*.log"}"#, product);
        let text = match of_instance {
            "" => text,
            keys => {
                let start = text.find("  shop:").unwrap();
                let (before, shop) = text.split_at(start);
                let artifacts = format!("  shop:\n    artifacts: {{access log: {{{keys}}}}}\n");
                format!("{before}{}", shop.replacen("  shop:\n", &artifacts, 1))
            }
        };
        let inventory = good(&text);
        let shop = inventory.instance("shop").unwrap();
        shop.artifact("access log").unwrap().log.shared.clone()
    };
    assert_eq!(shared("").as_deref(), Some("syslog of ny4-2"));
    assert_eq!(shared("encoding: utf-8"), shared(""));
    assert_eq!(shared("shared: mine").as_deref(), Some("mine"));
    assert_eq!(shared("path: /other.log"), None);
    assert_eq!(
        shared("path: /other.log, shared: mine").as_deref(),
        Some("mine")
    );
}

#[test]
fn one_path_or_journal_of_two_instances_needs_the_consent_of_both() {
    let told = |source: &str, shared: [&str; 2]| {
        let [one, other] = shared.map(|shared| match shared {
            "" => String::new(),
            name => format!(", artifacts: {{syslog: {{shared: {name}}}}}"),
        });
        let text = GOOD.replace(
            "instances:\n",
            &format!(
                "  db:\n    artifacts:\n      version: {{kind: version, path: /v}}\n      \
                 syslog: {{kind: log, {source}}}\ninstances:\n  \
                 a: {{product: db, host: ny4-1, teams: [ops]{one}}}\n  \
                 b: {{product: db, host: ny4-1, teams: [ops]{other}}}\n"
            ),
        );
        match super::parse(&text) {
            Ok(_) => None,
            Err(found) => Some(found.to_string()),
        }
    };
    for source in [
        "path: /var/log/syslog",
        "mask: /var/log/sys-%n.log",
        "journal: a.service",
        "command: [show, log]",
        "http: \"http://127.0.0.1:8085/log\"",
    ] {
        assert_eq!(told(source, ["syslog", "syslog"]), None, "{source}");
        for shared in [["", ""], ["x", ""], ["", "x"], ["x", "y"]] {
            let found = told(source, shared).unwrap_or_default();
            assert!(found.contains("claim the same"), "{source}: {found}");
            assert!(
                found.contains("`shared: NAME` of both"),
                "{source}: {found}"
            );
        }
    }
}
