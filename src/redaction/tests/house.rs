//! Rules and words of the house.

use super::*;
use crate::inventory::redaction_rules::RedactionRules;

const RULES: &str = "rules:\n  - {name: payroll number, kind: identifier, regex: 'PN (\\d{5})'}\n  - {name: desk code, kind: secret, regex: 'desk (\\w+)', files: \"*.log\"}\nkeep: [zurload]\n";

fn rules(text: &str) -> RedactionRules {
    RedactionRules::parse(Path::new("r.yaml"), text.as_bytes()).unwrap()
}

#[test]
fn rules_bite_in_their_files_and_are_counted_and_words_stay() {
    let mut engine = engine();
    let line = "PN 12345 at desk island via zurload-service\n";
    let clean = engine.redact_text(line, &mut Counts::new());
    assert!(
        clean.contains("12345") && clean.contains("island") && !clean.contains("zurload"),
        "{clean}"
    );
    engine.take_in(rules(RULES)).unwrap();
    let mut counts = Counts::new();
    engine.open("/var/log/amps.log");
    let clean = engine.redact_text(line, &mut counts);
    assert!(
        !clean.contains("12345") && !clean.contains("island") && clean.contains("zurload-service"),
        "{clean}"
    );
    assert_eq!(
        (counts["rule payroll number"], counts["rule desk code"]),
        (1, 1)
    );
    engine.open("/etc/amps.xml");
    let clean = engine.redact_text(line, &mut Counts::new());
    assert!(
        !clean.contains("12345") && clean.contains(" island "),
        "{clean}"
    );
}

#[test]
fn no_word_is_kept_that_is_somebody_or_looks_like_a_secret() {
    for word in [
        "harvest",
        "musterfrau",
        "primary",
        "dbpassword",
        "apitoken",
        "xkcdqwrtz",
        "AKIAxyz",
    ] {
        let problems = engine()
            .take_in(rules(&format!("keep:\n  - blotter\n  - {word}\n")))
            .unwrap_err();
        assert_eq!(problems.len(), 1, "{word}");
        assert_eq!(problems[0].place.to_string(), "r.yaml:3:5", "{word}");
    }
    assert!(
        engine()
            .take_in(rules("keep: [blotter, zurload]\n"))
            .is_ok()
    );
}
