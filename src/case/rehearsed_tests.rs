//! When a drill out of hours calls, and of which instances its run is; beside the twins that pass.

use super::*;
use crate::report::drill::Escalation;
use crate::report::sample;

const INVENTORY_TEXT: &str = r#"
environment: production
hosts:
  ny4-1: {address: 10.0.0.1, host_key: "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
teams:
  operations: {user: ops, agent: true}
products:
  shop: {vendor: 60east, artifacts: {
    version: {kind: version, path: /v}, configuration: {kind: configuration, path: /c},
    log: {kind: log, path: /l}, statistics: {kind: statistics, path: /s}}}
instances:
  orders: {product: shop, host: ny4-1, teams: [operations]}
vendors:
  60east:
    coverage: {hours: "Mon-Fri 08:00-18:00", timezone: America/New_York}
    contacts: {ana: {name: Ana Silva, email: ana@bank.example.com}}
    escalation: [{name: line, kind: phone, to: "+1 702 555 0100"}]
    process_test: {within: 4h}
"#;

fn call(level: &str, tried: &str) -> Entry {
    Entry {
        number: 2,
        at: tried.to_owned(),
        by: "ben".to_owned(),
        previous: None,
        again: None,
        step: Step::Escalation(Escalation {
            level: level.to_owned(),
            tried: tried.to_owned(),
            answered: None,
            from: None,
        }),
    }
}

fn with<T>(kind: Kind, then: impl FnOnce(&Drill<'_>) -> T) -> T {
    let bytes = INVENTORY_TEXT.as_bytes().to_vec();
    let inventory = Inventory::parse_recorded(Path::new(INVENTORY), bytes, &BTreeMap::new());
    let inventory = inventory.unwrap();
    let vendor = inventory.vendor("60east").unwrap();
    // A Sunday.
    let at = "2026-11-22T10:00:00Z".parse().unwrap();
    let begun = Begin {
        id: "x".to_owned(),
        environment: "production".to_owned(),
        vendor: "60east".to_owned(),
        kind,
        roles: Vec::new(),
        inventory: String::new(),
        agreed: agreed(&inventory, vendor, None, at).unwrap(),
    };
    let run = Retrieval {
        run: "r".to_owned(),
        manifest: String::new(),
        started: String::new(),
        finished: String::new(),
        signer: "ci".to_owned(),
        files: Vec::new(),
    };
    let mut report = sample::go();
    report.instances.truncate(1);
    let one = &mut report.instances[0];
    (one.name, one.host, one.teams) = ("orders".into(), "ny4-1".into(), vec!["operations".into()]);
    then(&Drill {
        begun: &begun,
        run: &run,
        report,
        inventory,
    })
}

#[test]
fn a_drill_out_of_hours_calls_out_of_hours() {
    let night = call("line", "2026-11-23T12:59:59Z");
    let morning = call("line", "2026-11-23T13:00:00Z");
    let held = |kind, entries: &[Entry]| with(kind, |drill| drill.out_of_hours(entries));
    assert_eq!(held(Kind::OutOfHours, &[]), Ok(()));
    assert_eq!(held(Kind::OutOfHours, std::slice::from_ref(&night)), Ok(()));
    assert_eq!(held(Kind::Planned, std::slice::from_ref(&morning)), Ok(()));
    // What is told again counts in its place.
    assert_eq!(
        held(Kind::OutOfHours, &[morning.clone(), night.clone()]),
        Ok(())
    );
    let why = held(Kind::OutOfHours, &[night, morning]).unwrap_err();
    assert!(why.contains("when the vendor has to answer"), "{why}");
}

#[test]
fn the_run_is_about_every_instance_of_the_inventory() {
    let held = |edit: &dyn Fn(&mut Report)| {
        with(Kind::Planned, |drill| {
            let mut report = drill.report.clone();
            edit(&mut report);
            let drill = Drill {
                report,
                inventory: drill.inventory.clone(),
                ..*drill
            };
            drill.everywhere()
        })
    };
    assert_eq!(held(&|_| ()), Ok(()));
    for edit in [
        &(|report: &mut Report| report.instances.clear()) as &dyn Fn(&mut Report),
        &|report| report.instances[0].teams.clear(),
        &|report| "ny4-2".clone_into(&mut report.instances[0].host),
        &|report| "trades".clone_into(&mut report.instances[0].name),
    ] {
        assert!(held(edit).unwrap_err().contains("other instances"));
    }
}

#[test]
fn what_is_asked_about_is_what_is_sent() {
    let said = |instance: &str| Said {
        run: "r".to_owned(),
        run_manifest: String::new(),
        instance: instance.to_owned(),
        reviewed_by: "Eve".to_owned(),
    };
    let text = b"Version: 5.3.4.12\nImpact: orders are late\n";
    // What is encrypted does not say.
    assert_eq!(of_one_case(text, &[]), Ok(()));
    assert_eq!(of_one_case(text, &[said("trades"), said("orders")]), Ok(()));
    for other in ["trades", "order", "preorders"] {
        let why = of_one_case(text, &[said(other)]).unwrap_err();
        assert!(why.contains("no instance that the bundle is of"), "{why}");
    }
}
