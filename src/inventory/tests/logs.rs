//! How entries of a log are described: masks that tell no time are refused when the inventory is read.

use super::refusals::{check, check_good};

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
