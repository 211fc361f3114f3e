//! What a good inventory means.

use std::fmt::Write as _;
use std::path::Path;

use super::{GOOD, changed, good, problems};
use crate::digest::Sha256;
use crate::inventory::{Artifact, Format, Inventory, Kind, Sample, SampleUnit, Source};

fn path_of<'a>(inventory: &'a Inventory, instance: &str, artifact: &str) -> &'a Source {
    let instance = inventory.instance(instance).unwrap();
    &instance.artifact(artifact).unwrap().source
}

#[test]
fn reads_as_written_in_the_order_of_the_file() {
    let inventory = good(GOOD);
    assert_eq!(inventory.environment, "production");
    assert_eq!(inventory.digest, Sha256::of(GOOD.as_bytes()));
    assert_eq!(inventory.bytes, GOOD.as_bytes());
    let hosts: Vec<(&str, bool)> = inventory
        .hosts
        .iter()
        .map(|host| (host.name.as_str(), host.hop_only))
        .collect();
    assert_eq!(
        hosts,
        [("bastion", true), ("ny4-1", false), ("ny4-2", false)]
    );
    assert_eq!(inventory.host("ny4-1").unwrap().groups, ["ny4"]);
    assert_eq!(inventory.host("ny4-1").unwrap().port, 22);
    assert!(inventory.host("ny4").is_none());
    assert_eq!(inventory.team("support").unwrap().name, "support");
    assert_eq!(inventory.vendors[0].name, "acme");
    assert_eq!(inventory.products["web"].as_deref(), Some("acme"));
    // The profile's vendor counts only where the inventory describes it.
    assert_eq!(inventory.products["amps"], None);
    let shop = inventory.instance("shop").unwrap();
    assert_eq!(
        shop.expect_version.as_deref(),
        Some("5.3"),
        "text as written, no float"
    );
    assert_eq!(shop.vendor.as_deref(), Some("acme"));
    assert_eq!(shop.vars["home"], "/srv/shop");
    assert_eq!(shop.teams, ["ops"]);
    assert_eq!(
        shop.artifact_of(Kind::Log).unwrap().format,
        Some(Format::Plain)
    );
    assert_eq!(shop.artifact_of(Kind::Version).unwrap().format, None);
    assert_eq!(
        *path_of(&inventory, "shop", "access log"),
        Source::Path("/srv/shop/*.log".into())
    );
}

#[test]
fn a_product_named_amps_starts_from_the_profile() {
    for text in [
        GOOD.to_owned(),
        changed("  amps: {}\n", ""),
        changed("  amps: {}", "  amps: {profile: amps}"),
    ] {
        let inventory = good(&text);
        let orders = inventory.instance("orders").unwrap();
        let names: Vec<&str> = orders
            .artifacts
            .iter()
            .map(|artifact| artifact.name.as_str())
            .collect();
        assert_eq!(
            names,
            ["version", "configuration", "event log", "statistics"]
        );
        for kind in Kind::REQUIRED {
            assert!(orders.artifact_of(kind).is_some(), "{}", kind.as_str());
        }
        let version = orders.artifact("version").unwrap();
        let command = ["/opt/amps/orders/bin/ampServer", "--version"].map(str::to_owned);
        assert_eq!(version.source, Source::Command(command.to_vec()));
        let banner = "AMPS 5.3.4.12.973814.e1a57f7 - Copyright (c) 2013";
        let found = version
            .pattern
            .as_ref()
            .unwrap()
            .0
            .captures(banner)
            .unwrap();
        assert_eq!(&found[1], "5.3.4.12");
        let statistics = orders.artifact("statistics").unwrap();
        assert_eq!(statistics.tables, ["IMEMORY_DYNAMIC", "IMEMORY_STATIC"]);
        let sample = Sample {
            table: "IMEMORY_DYNAMIC".into(),
            column: "timestamp".into(),
            unit: SampleUnit::Amps,
        };
        assert_eq!(statistics.sample, Some(sample));
        assert_eq!(statistics.format, Some(Format::Sqlite));
    }
    let inventory = good(&changed("  acme: {}", "  acme: {}\n  60east: {}"));
    assert_eq!(inventory.products["amps"].as_deref(), Some("60east"));
}

#[test]
fn product_and_instance_override_key_by_key() {
    let product = "  amps:\n    artifacts:\n      version: {path: \"{home}/VERSION\"}\n      statistics: {format: plain}";
    let instance = "    vars: {home: /opt/amps/orders}\n    artifacts:\n      configuration: {path: /etc/amps.xml}\n      crash: {kind: other, path: /var/crash/x}";
    let text = changed("  amps: {}", product);
    let text = text.replacen("    vars: {home: /opt/amps/orders}", instance, 1);
    let inventory = good(&text);
    let orders = inventory.instance("orders").unwrap();
    let version = orders.artifact("version").unwrap();
    assert_eq!(
        version.source,
        Source::Path("/opt/amps/orders/VERSION".into())
    );
    assert!(version.pattern.is_some(), "what is not overridden stays");
    let configuration = orders.artifact("configuration").unwrap();
    assert_eq!(configuration.source, Source::Path("/etc/amps.xml".into()));
    assert_eq!(configuration.format, Some(Format::Xml));
    let statistics = orders.artifact("statistics").unwrap();
    assert_eq!(
        (statistics.tables.len(), &statistics.sample),
        (0, &None),
        "they went with the format"
    );
    let last: &Artifact = orders.artifacts.last().unwrap();
    assert_eq!((last.name.as_str(), last.kind), ("crash", Kind::Other));
}

#[test]
fn placeholders_take_vars_before_what_is_built_in() {
    let log = "path: \"{home}/*.log\"";
    let new = "path: \"/{environment}/{product}/{host}/{instance}/{team}\"";
    let inventory = good(&changed(log, new).replacen("teams: [ops]", "teams: [ops, support]", 1));
    let shop = inventory.instance("shop").unwrap();
    let source = |team: &str| {
        let mut artifacts = shop.artifacts_for(team).iter();
        artifacts
            .find(|artifact| artifact.kind == Kind::Log)
            .unwrap()
            .source
            .clone()
    };
    assert_eq!(
        source("ops"),
        Source::Path("/production/web/ny4-2/shop/ops".into())
    );
    assert_eq!(
        source("support"),
        Source::Path("/production/web/ny4-2/shop/support".into())
    );
    assert_eq!(*path_of(&inventory, "shop", "access log"), source("ops"));
    let inventory = good(
        &changed(log, new)
            .replacen("home: /srv/shop", "{home: /srv, team: us}", 1)
            .replacen("vars:\n      {", "vars: {", 1),
    );
    assert_eq!(
        *path_of(&inventory, "shop", "access log"),
        Source::Path("/production/web/ny4-2/shop/us".into())
    );
}

#[test]
fn the_shipped_example_reads() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventories/example.yaml");
    let inventory = Inventory::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(
        inventory.hosts.iter().filter(|host| !host.hop_only).count(),
        2
    );
    assert_eq!((inventory.teams.len(), inventory.instances.len()), (2, 3));
    for instance in &inventory.instances {
        assert_eq!(instance.vendor.as_deref(), Some("60east"));
        for team in &instance.teams {
            let login = inventory.login(&instance.host, team).unwrap();
            assert_eq!(login.via.len(), 1);
            assert_eq!(
                (login.via[0].user.as_str(), login.via[0].port),
                ("jump", 2222)
            );
        }
    }
    // Nothing of what it names is shipped with it: each file is missed at its line.
    let missing = inventory.check_files();
    let lines: Vec<bool> = missing
        .iter()
        .map(|problem| problem.line.is_some())
        .collect();
    assert_eq!(lines, [true, true, true]);
}

#[test]
fn ten_thousand_hosts_are_read_and_ten_thousand_mistakes_reported() {
    const MANY: usize = 10_000;
    let estate = |hosts: &dyn Fn(usize) -> usize| {
        let mut text = String::from(
            "environment: production\nssh: {known_hosts: [k], via: [b]}\nteams:\n  ops: {user: ops, agent: true}\nhosts:\n  b: {address: b.example}\n",
        );
        for n in 0..MANY {
            let (b, c) = (n / 250, n % 250);
            writeln!(text, "  h{n}: {{address: 10.1.{b}.{c}, groups: [g{b}]}}").unwrap();
        }
        text.push_str("instances:\n");
        for n in 0..MANY {
            let host = hosts(n);
            writeln!(
                text,
                "  i{n}: {{product: amps, host: h{host}, teams: [ops], vars: {{home: /opt/{n}}}}}"
            )
            .unwrap();
        }
        text
    };
    let inventory = good(&estate(&|n| n));
    assert_eq!(
        (inventory.hosts.len(), inventory.instances.len()),
        (MANY + 1, MANY)
    );
    let login = inventory.login("h9999", "ops").unwrap();
    assert_eq!(
        (login.address.as_str(), login.via[0].host.as_str()),
        ("10.1.39.249", "b")
    );
    let found = problems(&estate(&|n| n + MANY));
    assert_eq!(found.len(), MANY);
    assert_eq!(found[0].place.line, MANY + 8);
}
