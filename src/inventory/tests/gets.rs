//! Artifacts that a web server on the host answers with: what the plan refuses before anything is asked.

use std::path::Path;

use super::{changed, good, problems};
use crate::inventory::{Get, Source};

const OLD: &str = r#"      access log: {kind: log, path: "{home}/*.log"}"#;

fn with(http: &str) -> String {
    let new = format!(
        "      access log: {{kind: log, path: \"{{home}}/*.log\"}}\n      status: {{kind: other, http: {http}}}"
    );
    changed(OLD, &new)
}

fn get(http: &str) -> Get {
    let inventory = good(&with(http));
    let shop = inventory.instance("shop").unwrap();
    let status = shop.artifacts.iter().find(|one| one.name == "status");
    match &status.unwrap().source {
        Source::Http(get) => get.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_url_is_filled_and_its_certificates_lie_beside_the_inventory() {
    let plain = get("\"http://127.0.0.1:8085/{instance}.json\"");
    assert_eq!(plain.url, "http://127.0.0.1:8085/shop.json");
    assert_eq!(
        (plain.user, plain.password_env, plain.ca),
        (None, None, None)
    );
    let whole = get(
        "{url: \"https://es.example:9200/_nodes/stats\", user: mon, password_env: ES_PW, ca: ca.pem}",
    );
    assert_eq!(whole.user.as_deref(), Some("mon"));
    assert_eq!(whole.password_env.as_deref(), Some("ES_PW"));
    assert_eq!(whole.ca.as_deref(), Some(Path::new("etc/ca.pem")));
    // Over http only where it stays on the host.
    get("{url: \"http://[::1]:15672/api/overview\", user: mon, password_env: PW}");
}

#[test]
fn the_file_of_certificates_is_looked_at_with_the_other_files() {
    let inventory = good(&with("{url: \"https://h/\", ca: ca.pem}"));
    let found = inventory.check_files();
    let wrong = found
        .iter()
        .find(|problem| problem.message.contains("ca.pem"));
    let wrong = wrong.unwrap_or_else(|| panic!("{found:?}"));
    assert!(
        wrong.message.starts_with("file of certificates"),
        "{}",
        wrong.message
    );
    assert_eq!(wrong.place.line, 24);
}

#[test]
fn what_may_not_be_asked_for_is_refused_at_its_place() {
    for (http, message, hint) in [
        ("\"127.0.0.1:8085/x\"", "no URL", "begin it with `http://`"),
        ("\"http://127.0.0.1:8085\"", "no URL", "write the path"),
        (
            "\"http://127.0.0.1/a/../b\"",
            "no URL",
            "without `.` and `..`",
        ),
        (
            "\"http://127.0.0.1:8085/amps/administrator/clients\"",
            "never asked for",
            "AMPS acts",
        ),
        (
            "\"http://127.0.0.1:8085/AMPS/Administrator\"",
            "never asked for",
            "AMPS acts",
        ),
        ("\"http://{home}/x\"", "no URL", ""),
        (
            "{url: \"http://127.0.0.1/\", user: x}",
            "without a password",
            "password_env",
        ),
        (
            "{url: \"http://127.0.0.1/\", password_env: X}",
            "without a user",
            "user",
        ),
        (
            "{url: \"http://127.0.0.1/\", user: \"a:b\", password_env: X}",
            "no account's name",
            ":",
        ),
        (
            "{url: \"http://10.0.0.1/\", user: x, password_env: X}",
            "in the clear",
            "https",
        ),
        (
            "{url: \"http://127.0.0.1/\", ca: ca.pem}",
            "`ca` is about https",
            "https",
        ),
        (
            "{url: \"http://u:secret@127.0.0.1/\"}",
            "no URL",
            "password_env",
        ),
        ("{user: x}", "url", ""),
        ("{url: \"http://h/\", method: POST}", "method", ""),
    ] {
        let found = problems(&with(http));
        assert_eq!(found.len(), 1, "{http}: {found:?}");
        assert!(
            found[0].message.contains(message),
            "{http}: {}",
            found[0].message
        );
        assert!(found[0].hint.contains(hint), "{http}: {}", found[0].hint);
        assert!(
            !format!("{:?}", found[0]).contains("secret"),
            "{:?}",
            found[0]
        );
        // At the artifact, or at the value that went wrong in it.
        let line = if http.contains("{home}") { 36 } else { 24 };
        assert_eq!(found[0].place.line, line, "{http}");
    }
}

#[test]
fn what_an_answer_cannot_be_is_refused() {
    for (more, message) in [
        ("format: sqlite", "database"),
        ("stream: stderr", "stream"),
        ("listing: true", "listing"),
        ("path: /x", "both"),
    ] {
        let text = with(&format!("\"http://127.0.0.1/x\", {more}"));
        let found = problems(&text);
        assert_eq!(found.len(), 1, "{more}: {found:?}");
        assert!(found[0].message.contains(message), "{}", found[0].message);
    }
}
