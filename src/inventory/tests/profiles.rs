//! Profiles of the user's own, the built-in ones, and what a run keeps of them.

use std::collections::BTreeMap;
use std::fs;

use super::{GOOD, brief, changed, good};
use crate::inventory::profile::BUILT_IN;
use crate::inventory::{EntryForm, Inventory, Kind, Source, TimeForm};
use crate::problem::{Problem, Problems};

const OURS: &str = r#"about: our own broker
vendor: acme
vars:
  home: {about: where it is installed}
  port: {about: of its status page, default: "8080"}
  spool: {about: where it spools, optional: true}
artifacts:
  version: {kind: version, path: "{home}/VERSION", match: '(\d+)'}
  status: {kind: statistics, http: "http://127.0.0.1:{port}/status"}
  spool: {kind: other, path: "{spool}/*", listing: true}
"#;

const USES: &str = r#"environment: production
ssh: {known_hosts: [known_hosts]}
hosts: {ny4-1: {address: 10.20.0.11}}
teams: {ops: {user: ops, agent: true}}
products: {ours: {profile: profiles/ours.yaml}, twin: {profile: profiles/ours.yaml}}
instances:
  a: {product: ours, host: ny4-1, teams: [ops], vars: {home: /srv/a}}
  b: {product: twin, host: ny4-1, teams: [ops], vars: {home: /srv/b, port: "81", spool: /var/b}}
vendors: {acme: {}}
"#;

struct Estate(tempfile::TempDir);

impl Estate {
    fn new(profile: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("profiles")).unwrap();
        fs::write(dir.path().join("profiles/ours.yaml"), profile).unwrap();
        Self(dir)
    }

    fn read(&self, inventory: &str) -> Result<Inventory, Problems> {
        let path = self.0.path().join("inventory.yaml");
        Inventory::parse(&path, inventory.as_bytes().to_vec())
    }

    fn problems(&self, inventory: &str) -> Vec<Problem> {
        let read = self.read(inventory);
        read.err().map(Problems::into_vec).unwrap_or_default()
    }
}

fn names(inventory: &Inventory, instance: &str) -> Vec<String> {
    let artifacts = inventory.instance(instance).unwrap().artifacts.iter();
    artifacts.map(|artifact| artifact.name.clone()).collect()
}

fn url(inventory: &Inventory, instance: &str) -> String {
    let status = inventory.instance(instance).unwrap().artifact("status");
    match &status.unwrap().source {
        Source::Http(get) => get.url.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_profile_of_the_users_is_a_base_like_a_built_in_one() {
    let estate = Estate::new(OURS);
    let inventory = estate.read(USES).unwrap_or_else(|all| panic!("{all}"));
    assert_eq!(names(&inventory, "a"), ["version", "status"]);
    assert_eq!(names(&inventory, "b"), ["version", "status", "spool"]);
    assert_eq!(url(&inventory, "a"), "http://127.0.0.1:8080/status");
    assert_eq!(url(&inventory, "b"), "http://127.0.0.1:81/status");
    let vendor = inventory.instance("a").unwrap().vendor.as_deref();
    assert_eq!(vendor, Some("acme"));
}

#[test]
fn what_is_wrong_in_it_is_told_with_its_own_file_and_line() {
    for (old, new, place, message, hint) in [
        (
            "about: our",
            "abuot: our",
            "1:1",
            "unknown key `abuot`",
            "did you mean `about`?",
        ),
        (
            "{home}/V",
            "{hoem}/V",
            "8:34",
            "`{hoem}` is none of",
            "did you mean `home`?",
        ),
        (
            "kind: other",
            "kind: othr",
            "10:17",
            "unknown kind `othr`",
            "did you mean",
        ),
        (
            "optional: true",
            "optional: true, default: /x",
            "6:45",
            "optional and has",
            "remove one",
        ),
        (
            "  spool: {about",
            "  host: {about",
            "6:3",
            "`host` cannot be a pl",
            "another name",
        ),
        (
            "kind: version, ",
            "",
            "8:3",
            "has no `kind`",
            "write `kind:`",
        ),
        (
            "artifacts:",
            "artifacts: x",
            "8:10",
            "not well-formed YAML",
            "check indent",
        ),
    ] {
        assert_eq!(OURS.matches(old).count(), 1, "{old}");
        let estate = Estate::new(&OURS.replacen(old, new, 1));
        let problems = estate.problems(USES);
        let shown = brief(&problems);
        let first = problems.first().unwrap_or_else(|| panic!("{new}: nothing"));
        assert!(
            first.place.file.ends_with("profiles/ours.yaml"),
            "{shown:?}"
        );
        assert!(shown[0].starts_with(place), "{new}: {shown:?}");
        assert!(first.message.contains(message), "{new}: {shown:?}");
        assert!(first.hint.contains(hint), "{new}: {}", first.hint);
        let line = OURS.replacen(old, new, 1);
        let line = line.lines().nth(first.place.line - 1).map(str::to_owned);
        assert_eq!(first.line, line, "{new}");
    }
    for (text, message) in [("", "the profile is empty"), ("[a]", "expected a mapping")] {
        let problems = Estate::new(text).problems(USES);
        assert!(problems[0].message.contains(message), "{problems:?}");
    }
}

#[test]
fn what_is_wrong_beside_it_is_told_in_the_inventory() {
    let estate = Estate::new(OURS);
    let missing = USES.replacen("profiles/ours.yaml", "profiles/nosuch.yaml", 1);
    let problems = estate.problems(&missing);
    assert!(
        problems[0]
            .message
            .contains("cannot read the profile `profiles/nosuch.yaml`"),
        "{problems:?}"
    );
    assert!(problems[0].place.file.ends_with("inventory.yaml"));
    let without = USES.replacen("vars: {home: /srv/a}", "vars: {}", 1);
    let problems = estate.problems(&without);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].place.file.ends_with("inventory.yaml"));
    assert!(problems[0].message.contains("gives `{home}` no value"));
    assert!(
        problems[0]
            .hint
            .ends_with("below the instance: where it is installed")
    );
}

#[test]
fn a_run_keeps_each_profile_once_and_is_read_from_what_it_kept() {
    let estate = Estate::new(OURS);
    let inventory = estate.read(USES).unwrap();
    let records = inventory.records();
    let kept: Vec<(&str, &[u8])> = records
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_slice()))
        .collect();
    assert_eq!(kept, [("product-1-ours.profile.yaml", OURS.as_bytes())]);
    let path = estate.0.path().join("inventory.yaml");
    fs::remove_dir_all(estate.0.path().join("profiles")).unwrap();
    let again = Inventory::parse_recorded(&path, USES.as_bytes().to_vec(), &records);
    let again = again.unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(again.instances, inventory.instances);
    assert_eq!(again.records(), records);
    let nothing = BTreeMap::new();
    let without = Inventory::parse_recorded(&path, USES.as_bytes().to_vec(), &nothing);
    assert!(without.is_err());
}

#[test]
fn a_run_of_an_older_version_is_read_with_the_profile_of_its_day() {
    let now = good(GOOD);
    assert_eq!(
        now.records().keys().collect::<Vec<_>>(),
        ["amps.profile.yaml"]
    );
    let path = now.path.clone();
    let old = Inventory::parse_recorded(&path, GOOD.as_bytes().to_vec(), &BTreeMap::new());
    let old = old.unwrap();
    assert_eq!(
        names(&old, "orders"),
        ["version", "configuration", "event log", "statistics"]
    );
    // A product that 0.2 knew nothing of starts from nothing, whatever profiles came later.
    let redis = changed("  web:", "  redis:").replacen("product: web", "product: redis", 1);
    let old = Inventory::parse_recorded(&path, redis.into_bytes(), &BTreeMap::new()).unwrap();
    assert_eq!(names(&old, "shop"), ["version", "access log"]);
}

#[test]
fn a_command_that_is_never_run_is_refused_where_it_stands() {
    let own = "{home: /srv/a}}";
    let with = |command: &str| {
        let artifact = format!(
            "{{home: /srv/a}},\n    artifacts: {{pid: {{kind: other, command: {command}}}}}}}"
        );
        USES.replacen(own, &artifact, 1)
    };
    let estate = Estate::new(&format!(
        "{OURS}never:\n  signals: {{USR2: forgets everything}}\n  commands:\n    - {{program: ours-admin, unless: '^status$', why: it is for the developers}}\n"
    ));
    for (command, message) in [
        ("[sudo, -n, kill, -USR2, '1']", "SIGUSR2 forgets everything"),
        (
            "[redis-cli, SHUTDOWN]",
            "`redis-cli` is never run like this",
        ),
        ("[/opt/bin/ours-admin, reset]", "it is for the developers"),
        ("['{home}/../bin/ours-admin']", "it is for the developers"),
    ] {
        let problems = estate.problems(&with(command));
        let shown = brief(&problems);
        assert_eq!(shown.len(), 1, "{command}: {shown:?}");
        assert!(shown[0].contains("artifact `pid`: `"), "{shown:?}");
        assert!(shown[0].contains(message), "{shown:?}");
        assert_eq!(problems[0].place.line, 8, "{shown:?}");
        assert!(problems[0].hint.contains("`gonogo profiles show "));
    }
    let twin = with("[/opt/bin/ours-admin, status]");
    let inventory = estate.read(&twin).unwrap();
    // What was permitted on its day is read for ever.
    let kept = inventory.records();
    let killed = with("[kill, '1']").into_bytes();
    let again = Inventory::parse_recorded(&inventory.path, killed, &kept);
    assert!(again.is_ok());
}

#[test]
fn a_url_that_a_profile_never_asks_for_is_refused_and_its_twin_is_not() {
    let estate = Estate::new(&format!(
        "{OURS}never: {{urls: [{{path: /status/reset, why: it counts from nothing}}]}}\n"
    ));
    let with = |url: &str| {
        let artifact =
            format!("{{home: /srv/a}}, artifacts: {{more: {{kind: other, http: '{url}'}}}}}}");
        USES.replacen("{home: /srv/a}}", &artifact, 1)
    };
    for (url, hint) in [
        (
            "http://127.0.0.1:8080/status/reset",
            "it counts from nothing",
        ),
        (
            "http://127.0.0.1:8080/Status/reset.json?now",
            "it counts from nothing",
        ),
        ("http://127.0.0.1:9200/_cache/clear", "it empties caches"),
        (
            "http://127.0.0.1:8085/amps/administrator",
            "AMPS acts on a GET",
        ),
    ] {
        let problems = estate.problems(&with(url));
        assert_eq!(problems.len(), 1, "{url}: {problems:?}");
        assert!(
            problems[0].message.contains("never asked for"),
            "{problems:?}"
        );
        assert!(problems[0].hint.contains(hint), "{problems:?}");
    }
    assert!(
        estate
            .read(&with("http://127.0.0.1:8080/status/resets"))
            .is_ok()
    );
}

#[test]
fn what_is_wrong_in_a_never_is_told_with_its_place() {
    for (never, place, message) in [
        (
            "{commands: [{program: x}]}",
            "11:20",
            "a command has no `why`",
        ),
        (
            "{commands: [{program: 'a*b', why: x}]}",
            "11:30",
            "not acceptable",
        ),
        (
            "{commands: [{program: x, with: '(', why: x}]}",
            "11:39",
            "cannot read",
        ),
        ("{urls: [{path: x, why: x}]}", "11:23", "not acceptable"),
        ("{signal: {}}", "11:9", "unknown key `signal`"),
    ] {
        let estate = Estate::new(&format!("{OURS}never: {never}\n"));
        let shown = brief(&estate.problems(USES));
        assert_eq!(shown.len(), 1, "{never}: {shown:?}");
        assert!(
            shown[0].starts_with(place) && shown[0].contains(message),
            "{shown:?}"
        );
    }
}

#[test]
fn each_built_in_profile_makes_an_instance_with_all_four_kinds() {
    for (name, _) in BUILT_IN {
        let vars = match name {
            "amps" | "kafka" => "{home: /opt/x}",
            _ => "{}",
        };
        let text = format!(
            "environment: p\nssh: {{known_hosts: [k]}}\nhosts: {{h: {{address: h}}}}\nteams: {{t: {{user: t, agent: true}}}}\ninstances: {{i: {{product: {name}, host: h, teams: [t], vars: {vars}}}}}\n"
        );
        // Its own commands are none of those that are never run.
        let inventory = good(&text);
        let instance = inventory.instance("i").unwrap();
        for kind in Kind::REQUIRED {
            assert!(
                instance.artifact_of(kind).is_some(),
                "{name}: {}",
                kind.as_str()
            );
        }
        let version = instance.artifact_of(Kind::Version).unwrap();
        assert_eq!(
            version.name, "version",
            "{name}: the installed one comes first"
        );
        let records: Vec<String> = inventory.records().into_keys().collect();
        assert_eq!(records, [format!("{name}.profile.yaml")]);
    }
}

/// Lines as the facts quote them, and what a reader must find in them.
#[test]
fn each_entry_grammar_reads_a_line_of_its_product() {
    for (name, artifact, line, time, level) in [
        (
            "redis",
            "event log",
            "1234:M 21 Nov 2026 09:18:00.123 * Ready to accept connections",
            "2026-11-21T09:18:00.123",
            "*",
        ),
        (
            "nginx",
            "event log",
            "2026/11/21 09:18:00 [warn] 12#12: *1 an upstream response is buffered",
            "2026-11-21T09:18:00",
            "warn",
        ),
        (
            "nginx",
            "access log",
            "127.0.0.1 - - [21/Nov/2026:09:18:00 +0000] \"GET / HTTP/1.1\" 200 1",
            "2026-11-21T09:18:00",
            "",
        ),
        (
            "postgresql",
            "event log",
            "2026-11-21 09:18:00.123 UTC [77] ops@postgres ERROR:  relation \"x\" does not exist",
            "2026-11-21T09:18:00.123",
            "ERROR",
        ),
        (
            "postgresql",
            "event log",
            "2026-11-21 09:18:00.123 UTC [77] LOG:  database system is ready",
            "2026-11-21T09:18:00.123",
            "LOG",
        ),
        (
            "mariadb",
            "event log",
            "2026-11-21  9:18:00 0 [Note] Starting MariaDB",
            "2026-11-21T09:18:00",
            "Note",
        ),
        (
            "mysql",
            "event log",
            "2020-08-06T14:25:02.835618Z 0 [Note] [MY-012487] [InnoDB] x",
            "2020-08-06T14:25:02.835618",
            "Note",
        ),
        (
            "kafka",
            "event log",
            "[2026-11-21 09:18:00,123] INFO [KafkaServer id=1] started (kafka.server.KafkaServer)",
            "2026-11-21T09:18:00",
            "INFO",
        ),
        (
            "rabbitmq",
            "event log",
            "2026-11-21 09:18:00.123456+00:00 [info] <0.222.0> started",
            "2026-11-21T09:18:00.123456",
            "info",
        ),
        (
            "elasticsearch",
            "event log",
            "[2026-11-21T09:18:00,123][INFO ][o.e.n.Node               ] [n] started",
            "2026-11-21T09:18:00",
            "INFO",
        ),
        (
            "opensearch",
            "event log",
            "[2026-11-21T09:18:00,123][WARN ][o.o.n.Node               ] [n] x",
            "2026-11-21T09:18:00",
            "WARN",
        ),
        (
            "haproxy",
            "event log",
            "2026-11-21T09:18:00.123456+00:00 edge haproxy[77]: 127.0.0.1:1 [21/Nov/2026:09:18:00.000] f b/s 0/0/0/0/0 200 1 - - ---- 1/1/0/0/0 0/0 \"GET / HTTP/1.1\"",
            "2026-11-21T09:18:00.123456",
            "",
        ),
    ] {
        let text = format!(
            "environment: p\nssh: {{known_hosts: [k]}}\nhosts: {{h: {{address: h}}}}\nteams: {{t: {{user: t, agent: true}}}}\ninstances: {{i: {{product: {name}, host: h, teams: [t], vars: {{home: /opt/x}}}}}}\n"
        );
        let inventory = good(&text);
        let artifact = inventory.instance("i").unwrap().artifact(artifact).unwrap();
        let entry = artifact.log.entry.as_ref().unwrap();
        let EntryForm::Line(pattern) = &entry.form else {
            panic!("{name}")
        };
        let found = pattern
            .0
            .captures(line)
            .unwrap_or_else(|| panic!("{name}: {line}"));
        let found_time = found.name("time").unwrap().as_str();
        let found_level = found.name("level").map_or("", |level| level.as_str());
        assert_eq!(found_level, level, "{name}");
        let known = entry.levels.iter().flatten().any(|word| word == level);
        assert!(known || level.is_empty(), "{name}: {level}");
        let read: jiff::civil::DateTime = match &entry.time {
            TimeForm::Strptime(form) => jiff::fmt::strtime::parse(form, found_time)
                .unwrap()
                .to_datetime()
                .unwrap(),
            _ => found_time.trim_end_matches("Z").parse().unwrap(),
        };
        assert_eq!(read.to_string(), time, "{name}");
    }
}
