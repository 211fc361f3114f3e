//! Vendors: what is right reads as meant, and what is wrong is refused at its place.

use std::time::Duration;

use jiff::civil::date;

use super::{brief, parse, problems};
use crate::inventory::{IntakeTo, Inventory, Means, Windows};

const GOOD: &str = include_str!("vendor.yaml");

#[test]
fn a_whole_vendor_reads_as_meant() {
    let inventory = parse(GOOD).unwrap();
    let vendor = inventory.vendor("60east").unwrap();
    let contract = vendor.contract.as_ref().unwrap();
    assert_eq!(contract.id.as_deref(), Some("60E-0417"));
    assert_eq!(contract.ends, Some(date(2027, 3, 31)));
    let hour = |hours: u64| Duration::from_secs(3600 * hours);
    assert_eq!(
        contract.severities,
        [("S1".to_owned(), hour(1)), ("S2".to_owned(), hour(4))]
    );
    let coverage = vendor.coverage.as_ref().unwrap();
    assert!(coverage.of(Some("S1")).unwrap().weekly.is_always());
    let second = coverage.of(Some("S2")).unwrap();
    assert_eq!(second.zone.name(), "America/Los_Angeles");
    assert_eq!(second.holidays.len(), 2);
    assert!(coverage.of(None).is_none());
    // The vendor's zone holds where nothing else is said.
    assert_eq!(vendor.applications[0].hours.zone.name(), "America/New_York");
    assert_eq!(
        vendor.contact("ana").unwrap().phone.as_deref(),
        Some("+12125550100")
    );
    let means: Vec<_> = vendor.escalation.iter().map(|level| level.means).collect();
    assert_eq!(means, [Means::Forum, Means::Email, Means::Phone]);
    assert_eq!(vendor.channels[1].teams, ["ops"]);
    assert!(matches!(vendor.release_windows, Some(Windows::Weekly(_))));
    let announced = vendor.announced.as_ref().unwrap();
    assert_eq!(
        announced[0].action,
        Some(("raise the client".to_owned(), date(2026, 11, 30)))
    );
    assert_eq!(announced[1].action, None);
    assert_eq!(vendor.drill.as_ref().unwrap().interval, 92);
    assert_eq!(vendor.intake.len(), 3);
    assert!(
        matches!(&vendor.intake[0].to, IntakeTo::Sftp { port: 22, user, .. } if user == "bank")
    );
    assert_eq!(vendor.intake[0].max_bytes, Some(1 << 30));
    let test = vendor.process_test.as_ref().unwrap();
    assert_eq!(
        test.acknowledged
            .unwrap()
            .duration_since(test.opened.unwrap())
            .as_mins(),
        32
    );
}

#[test]
fn a_vendor_may_say_nothing_and_hours_may_be_one_word() {
    let inventory = parse("environment: p\nvendors: {a: {}, b: }\n").unwrap();
    assert_eq!(inventory.vendors.len(), 2);
    let short =
        "environment: p\nvendors:\n  a: {coverage: 24x7, release_windows: none, announced: []}\n";
    let inventory = parse(short).unwrap();
    let vendor = &inventory.vendors[0];
    assert!(
        vendor
            .coverage
            .as_ref()
            .unwrap()
            .of(Some("S9"))
            .unwrap()
            .weekly
            .is_always()
    );
    assert_eq!(vendor.release_windows, Some(Windows::None));
    assert_eq!(vendor.announced.as_deref(), Some(&[][..]));
}

/// `what stands there ¦ what is written instead ¦ line:column ¦ words of the message ¦ words of the hint`
const REFUSED: &str = r#"
    contract: ¦     contrakt: ¦ 12:5 ¦ unknown key `contrakt` of vendor `60east` ¦ did you mean `contract`
timezone: America/New_York
    contract ¦ timezone: EST
    contract ¦ 11:15 ¦ cannot read `EST` ¦ America/New_York
timezone: America/Los_Angeles
      hours ¦ timezone: Pacific Standard Time
      hours ¦ 20:17 ¦ cannot read `Pacific Standard Time` ¦ America/Los_Angeles
ends: 2027-03-31 ¦ ends: 2027-02-29 ¦ 16:13 ¦ cannot read `2027-02-29` ¦ no such day
ends: 2027-03-31 ¦ ends: 31.03.2027 ¦ 16:13 ¦ cannot read ¦ such as 2026-11-21
begins: 2026-04-01 ¦ begins: 2028-04-01 ¦ 12:5 ¦ ends before it begins ¦ first day
S1: 1h, ¦ S1: soon, ¦ 17:24 ¦ cannot read `soon` ¦ whole number
openers: [ana, ben] ¦ openers: [anna, ben] ¦ 18:17 ¦ there is no contact `anna` ¦ did you mean `ana`
hours: {S1: 24x7, ¦ hours: {S3: 24x7, ¦ 21:15 ¦ there is no severity `S3` ¦ did you mean
S2: "Mon-Fri 08:00-18:00" ¦ S2: "Mon-Fri 8-18" ¦ 21:29 ¦ cannot read `Mon-Fri 8-18` ¦ 00:00 to 24:00
holidays: [2026-12-25, 2027-01-01] ¦ holidays: [2026-12-25, 2026-12-25] ¦ 22:30 ¦ names 2026-12-25 twice ¦ keep one
      orders: {hours ¦       ordres: {hours ¦ 24:7 ¦ there is no instance or product `ordres` ¦ did you mean `orders`
, severity: S2} ¦ } ¦ 24:7 ¦ application `orders` has no `severity` ¦ covered for S1, S2
owner: ben ¦ owner: bern ¦ 26:30 ¦ there is no contact `bern` ¦ did you mean `ben`
, plan: call the on-call engineer ¦  ¦ 26:9 ¦ has no `plan` ¦ runbook
email: ana@bank.example.com ¦ email: ana@bank ¦ 28:63 ¦ `email`: `ana@bank` is not acceptable ¦ support@example.com
phone: "+1 212 555 0100" ¦ phone: "212 555 0100" ¦ 28:92 ¦ cannot read `212 555 0100` ¦ country's code
email: ben@bank.example.com, phone: "+1 212 555 0199", ¦  ¦ 29:7 ¦ nobody can reach contact `ben` ¦ its `email`
date: 2026-11-01, by: Cleo Moss ¦ date: 2026-11-01 ¦ 28:139 ¦ `proven` has no `by` ¦ by: Ana
email: ana@bank.example.com, phone ¦ email: ana@bank.example.com, probe: vrfy, phone ¦ 28:92 ¦ unknown probe `vrfy` ¦ rcpt
email: ben@bank.example.com, phone ¦ probe: rcpt, phone ¦ 29:31 ¦ `probe` without an e-mail address ¦ beside the address
email: ben@bank.example.com, phone ¦ email: ben@bänk.example.com, probe: rcpt, phone ¦ 29:60 ¦ not every mail server can be asked ¦ xn--
to: "+1 (415) 555-2671" ¦ to: "+1 (415) 555-2671", probe: rcpt ¦ 35:61 ¦ `probe` without an e-mail address ¦ level that is reached by e-mail
    drill: {last ¦     probe_from: ops
    drill: {last ¦ 49:17 ¦ `probe_from`: `ops` is not acceptable ¦ support@example.com
    primary: ana ¦     primary: dan ¦ 30:14 ¦ there is no contact `dan` ¦
kind: e-mail, to: help@example.com, hours ¦ kind: mail, to: help@example.com, hours ¦ 34:28 ¦ unknown kind `mail` ¦ e-mail
name: night ¦ name: desk ¦ 35:9 ¦ two levels of `escalation` are called `desk` ¦ name of its own
to: "https://forum.example.com/" ¦ to: forum.example.com ¦ 33:40 ¦ cannot read `forum.example.com` ¦ https://
to: "+1 (415) 555-2671" ¦ to: help@example.com ¦ 35:40 ¦ cannot read `help@example.com` ¦ country's code
openers: [ana, ben] ¦ openers: none ¦ 18:16 ¦ `openers`: expected a list ¦ write `openers: []` where there is none
address: ops@bank.example.com ¦ address: ops@bank ¦ 40:26 ¦ `address`: `ops@bank` is not acceptable ¦ support@example.com
address: ops@bank.example.com ¦ address: "@ops" ¦ 40:26 ¦ `address`: `@ops` is not acceptable ¦ support@example.com
address: ops@bank.example.com ¦ address: "2125550142" ¦ 40:26 ¦ cannot read `2125550142` ¦ country's code
address: ops@bank.example.com ¦ address: "+1 212" ¦ 40:26 ¦ cannot read `+1 212` ¦ country's code
        teams: [ops] ¦         read: {date: 2026-11-20, by: Ana}
        teams: [ops] ¦ 43:9 ¦ `read` without a feed is judged by nothing ¦ write `feed:`
outage_log: https://status.example.com/history ¦ outage_log: {url: "https://status.example.com/history", kind: page, read: {date: 2026-11-20, by: Ana}} ¦ 52:73 ¦ `read` without a feed is judged by nothing ¦ kind: atom
outage_log: https://status.example.com/history ¦ outage_log: {url: "https://status.example.com/history", read: {date: 2026-11-20, by: Ana}} ¦ 52:61 ¦ `read` without a feed is judged by nothing ¦ kind: rss
          support: {proven ¦           suport: {proven ¦ 41:11 ¦ there is no team `suport` ¦ did you mean `support`
teams: [ops]
        subscribed ¦ teams: []
        subscribed ¦ 43:16 ¦ no team has to be subscribed ¦ leave the key out
release_windows: {hours: "Wed-Fri 00:00-03:00", timezone: America/Los_Angeles} ¦ release_windows: {hours: "Wed-Fri 00:00-03:00", timezone: PST} ¦ 45:63 ¦ cannot read `PST` ¦ America/Los_Angeles
release_windows: {hours: "Wed-Fri 00:00-03:00", timezone: America/Los_Angeles} ¦ release_windows: {timezone: America/Los_Angeles} ¦ 45:5 ¦ `release_windows` has no `hours` ¦ hours:
, due: 2026-11-30 ¦  ¦ 47:9 ¦ needs an action, and tells no day ¦ due:
action: raise the client, ¦  ¦ 47:9 ¦ tells no `action` ¦ leave out
last: 2026-10-01 ¦ last: 2026-10-01, interval: 2y ¦ 49:41 ¦ cannot read `2y` ¦ whole days
kind: statuspage ¦ kind: statuspages ¦ 50:63 ¦ unknown kind `statuspages` ¦ did you mean `statuspage`
from: [ny4-1] ¦ from: [ny4-2] ¦ 51:65 ¦ there is no host `ny4-2` ¦ did you mean `ny4-1`
{case}_{host}_{utc} ¦ {case}_{hots}_{utc} ¦ 55:96 ¦ not acceptable ¦ `{hots}` stands for nothing
{case}_{host}_{utc}.tar ¦ ../{case}.tar ¦ 55:96 ¦ not acceptable ¦ begins with none
extensions: [.tar.zst] ¦ extensions: [zst] ¦ 55:140 ¦ not acceptable ¦ with its dot
extensions: [.tar.zst] ¦ encrypt_to: [DEADBEEF] ¦ 55:140 ¦ nobody to encrypt to ¦ fingerprint
request_template: request.txt ¦ asked: [impact, version] ¦ 53:21 ¦ `asked`: `version` is not acceptable ¦ gonogo fills this field in itself
request_template: request.txt ¦ asked: [Impact] ¦ 53:13 ¦ `asked`: `Impact` is not acceptable ¦ small letter
request_template: request.txt ¦ asked: [impact, impact] ¦ 53:21 ¦ `asked` names `impact` twice ¦ keep one
url: "https://up.example.com/cases" ¦ url: "http://up.example.com/cases" ¦ 56:28 ¦ never goes out unencrypted ¦ https://
directory: in ¦ key: k, agent: true ¦ 55:9 ¦ logged in to in several ways ¦ keep one
directory: in ¦ passphrase_env: PW ¦ 55:9 ¦ `passphrase_env` without a `key` ¦ write `key: FILE`
directory: in ¦ password: abc ¦ 55:58 ¦ unknown key `password` ¦ write `password_env: NAME`
token_env: UPLOAD_TOKEN ¦ token: abc ¦ 56:60 ¦ unknown key `token` ¦
opened: 2026-10-01T09:30:00-04:00 ¦ opened: 2026-10-01T09:30:00 ¦ 58:46 ¦ cannot read ¦ offset from UTC
acknowledged: 2026-10-01T10:02:00-04:00 ¦ acknowledged: 2026-10-01T10:02:00Z ¦ 58:5 ¦ acknowledged before it was opened ¦ offsets
"#;

#[test]
fn what_is_wrong_is_refused_at_its_place() {
    let mut rows: Vec<String> = Vec::new();
    for line in REFUSED.lines().filter(|line| !line.is_empty()) {
        match rows.last_mut() {
            // A row ends with its fifth part.
            Some(row) if row.matches('¦').count() < 4 => {
                row.push('\n');
                row.push_str(line);
            }
            _ => rows.push(line.to_owned()),
        }
    }
    assert!(rows.len() > 35, "{}", rows.len());
    let mut wrong = Vec::new();
    for row in rows {
        let [stands, instead, place, message, hint] = row.splitn(5, '¦').collect::<Vec<_>>()[..]
        else {
            panic!("{row}");
        };
        let strip = |text: &str| text.strip_suffix(' ').unwrap_or(text).to_owned();
        let (stands, instead) = (
            strip(stands),
            strip(instead.strip_prefix(' ').unwrap_or(instead)),
        );
        assert!(GOOD.contains(&stands), "{stands}");
        let text = GOOD.replacen(&stands, &instead, 1);
        let problems = parse(&text).map_or_else(crate::problem::Problems::into_vec, |_| Vec::new());
        let found = problems.iter().any(|problem| {
            let at = format!("{}:{}", problem.place.line, problem.place.column);
            at == place.trim()
                && problem.message.contains(message.trim())
                && problem.hint.contains(hint.trim())
        });
        if !found || problems.len() != 1 {
            let shown = problems.iter().map(|problem| {
                let place = &problem.place;
                format!(
                    "  {}:{} {} / {}",
                    place.line, place.column, problem.message, problem.hint
                )
            });
            wrong.push(format!("{row}\n{}", shown.collect::<Vec<_>>().join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_problems_of_a_vendor_are_told_at_once() {
    let text = GOOD
        .replacen("ends: 2027-03-31", "ends: soon", 1)
        .replacen("backup: ben", "backup: bem", 1)
        .replacen("kind: phone", "kind: phne", 1);
    let problems = parse(&text).unwrap_err().into_vec();
    let lines: Vec<_> = problems.iter().map(|problem| problem.place.line).collect();
    assert_eq!(lines, [16, 31, 35], "{problems:#?}");
    let zoneless = "environment: p\nvendors:\n  a:\n    coverage: \"Mon-Fri 08:00-18:00\"\n";
    let problems = parse(zoneless).unwrap_err().into_vec();
    assert!(
        problems[0].message.contains("no time zone"),
        "{problems:#?}"
    );
}

#[test]
fn an_intake_that_nobody_could_know_again_is_refused_before_anybody_is_asked() {
    let text = |more: &str| {
        format!(
            "environment: p\nvendors:\n  a:\n    intake:\n      - {{kind: sftp, host: d.example, user: bank, key: k{more}}}\n"
        )
    };
    let pin = format!("SHA256:{}", "A".repeat(43));
    let bare = problems(&text(""));
    assert_eq!(brief(&bare), ["5:9 a way of `intake` has no `host_key`"]);
    assert!(bare[0].hint.contains("host_key"), "{}", bare[0]);
    assert_eq!(problems(&text(&format!(", host_key: \"{pin}\""))), []);
    // What is no pin is told once, and a misspelt key as that.
    for more in [", host_key: none", ", host_kye: x"] {
        let told = problems(&text(more));
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].place.column > 9, "{}", told[0]);
    }
    // A run that was made without one is read as it was.
    let path = std::path::Path::new("etc/estate.yaml");
    let records = std::collections::BTreeMap::new();
    let read = Inventory::parse_recorded(path, text("").into_bytes(), &records);
    assert!(read.is_ok(), "{read:?}");
}

#[test]
fn who_is_encrypted_to_is_named_once_however_it_is_written() {
    let text = |all: &str| {
        format!(
            "environment: p\nvendors:\n  a:\n    intake:\n      - {{kind: e-mail, to: in@a.example, encrypt_to: [{all}]}}\n"
        )
    };
    let one = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    let other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9q";
    let (low, high) = ("a".repeat(40), "A".repeat(40));
    for twice in [
        format!("{one}, {one} vendor@a.example"),
        format!("{low}, {high}"),
    ] {
        let told = problems(&text(&twice));
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].message.contains("names this one twice"));
    }
    for two in [format!("{one}, {other}"), low] {
        assert_eq!(problems(&text(&two)), []);
    }
}

#[test]
fn what_is_wrong_hides_nothing_that_is_wrong_beside_it() {
    let text = |deadline: &str, zone: &str, key: &str| {
        format!(
            "environment: p\nssh: {{known_hosts: [k], deadline: {deadline}}}\nhosts: {{a: {{address: a}}}}\nteams:\n  t: {{{key}: k}}\nvendors:\n  v:\n    timezone: {zone}\n    primary: ana\n"
        )
    };
    let lines = |text: &str| -> Vec<usize> {
        let told = problems(text);
        told.iter().map(|problem| problem.place.line).collect()
    };
    let missing = lines(&text("90s", "UTC", "key"));
    assert_eq!(missing, [5, 9], "no user, and no such contact");
    assert_eq!(lines(&text("soon", "Nowhere/No", "key")), [2, 5, 8, 9]);
    // What may only be misspelt is told once.
    let misspelt = text("90s", "UTC", "user").replace("t: {", "t: {kye: x, ");
    assert_eq!(lines(&misspelt.replace("primary", "primry")), [5, 9]);
}
