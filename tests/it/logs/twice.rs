//! One log that two instances hand in: what no single check can see.

use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use super::{Desk, OPS, as_it_is};
use crate::lab::MARKET_DATA;

#[test]
fn a_link_to_another_instances_log_is_no_go_and_names_both() {
    let desk = Desk::new();
    let quotes = desk.lab.amps("quotes", &desk.host);
    *desk.orders.teams.borrow_mut() = vec![OPS, MARKET_DATA.team];
    // Two teams of one instance fetch one log, and that is what they should.
    let run = desk.ask(&[], as_it_is);
    assert_eq!(run.code(), 0, "{}", run.told());
    // The rotated file too, which is packed otherwise.
    for end in ["", ".1"] {
        quotes.remove(&format!("{}{end}", quotes.log()));
        let target = desk.orders.path(&format!("{}{end}", desk.orders.log()));
        symlink(target, quotes.path(&format!("{}{end}", quotes.log()))).unwrap();
    }
    let run = desk.ask(&[], as_it_is);
    assert_eq!(run.code(), 1, "{}", run.told());
    let verdict = &run.report()["verdict"];
    assert_eq!(run.failures(), Vec::<String>::new());
    let reasons = verdict["reasons"].as_array().unwrap();
    assert_eq!(reasons.len(), 1, "{verdict:#}");
    let reason = reasons[0].as_str().unwrap();
    for words in [
        "orders, quotes",
        "the same log",
        "orders.log",
        "quotes.log",
        "on ny4-1",
    ] {
        assert!(reason.contains(words), "{words}: {reason}");
    }
    let verified = desk.lab.verify(&run.dir);
    assert_eq!(verified.status.code(), Some(1), "{verified:?}");
    // Another name is another file; one name is consent, and told.
    let shared = |name: &str| {
        let name = json!(name);
        let edit = |inventory: &mut Value| {
            inventory["products"]["amps"]["artifacts"]["event log"]["shared"] = name;
        };
        let run = desk.ask(&[], edit);
        let reasons = run.report()["verdict"]["reasons"].to_string();
        let verified = desk.lab.verify(&run.dir);
        assert_eq!(verified.status.code(), Some(run.code()), "{verified:?}");
        (run.code(), reasons)
    };
    let (code, reasons) = shared("log of {instance}");
    assert!(code == 1 && reasons.contains("the same log"), "{reasons}");
    let (code, reasons) = shared("log of {host}");
    assert_eq!(code, 0, "{reasons}");
    for words in [
        "knowingly share the log `log of ny4-1`",
        "orders, quotes",
        "orders.log",
        "and 1 more",
    ] {
        assert!(reasons.contains(words), "{words}: {reasons}");
    } // The same by one path, which no plan takes without consent.
    let one_path = |shared: Option<&str>| {
        let path = desk.orders.path(&format!("{}*", desk.orders.log()));
        desk.ask(&[], |inventory| {
            let log = &mut inventory["products"]["amps"]["artifacts"]["event log"];
            log["path"] = json!(path);
            log["shared"] = json!(shared.unwrap_or("log of {instance}"));
        })
    };
    let refused = one_path(None);
    assert_eq!(refused.code(), 2, "{}", refused.told());
    let run = one_path(Some("log of {host}"));
    assert_eq!(run.code(), 0, "{}", run.told());
    let verified = desk.lab.verify(&run.dir);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
}

#[test]
fn one_path_of_two_instances_is_refused_unless_both_say_that_they_share_it() {
    let desk = Desk::new();
    desk.lab.amps("quotes", &desk.host);
    let same = |name: &'static str| {
        move |inventory: &mut Value| {
            let path = inventory["instances"]["orders"]["vars"]["home"].clone();
            let log = &mut inventory["products"]["amps"]["artifacts"]["event log"];
            *log = json!({"path": format!("{}/logs/orders.log", path.as_str().unwrap())});
            if !name.is_empty() {
                log["shared"] = json!(name);
            }
        }
    };
    for name in ["", "log of {instance}"] {
        let run = desk.ask(&[], same(name));
        assert!(
            run.code() == 2 && run.told().contains("claim the same path"),
            "{}",
            run.told()
        );
    }
    let run = desk.ask(&[], same("log of {host}"));
    assert_eq!(run.code(), 0, "{}", run.told());
    assert!(
        run.report()["verdict"]["reasons"]
            .to_string()
            .contains("knowingly share")
    );
}
