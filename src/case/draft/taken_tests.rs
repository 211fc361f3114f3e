//! A finished request is read back as it was filled in, and what was changed in it is told.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::Draft;
use crate::inventory::template::Template;

const TEXT: &str = "\
Version: {version}
Impact: {impact}, {impact} {{all}}

Seen:
  {behaviour seen}
Files:
  {artifacts}
Since {since when}";

fn with<T>(text: &str, run: Option<&str>, then: impl FnOnce(&mut Draft<'_>) -> T) -> T {
    let template = Template {
        path: PathBuf::from("t.txt"),
        text: Ok(text.to_owned()),
    };
    let asked = ["impact", "behaviour seen", "since when"].map(str::to_owned);
    let asked: Vec<String> = (asked.into_iter())
        .filter(|name| text.contains(&format!("{{{name}}}")))
        .collect();
    let pieces = template.pieces(&asked).unwrap();
    let known = [("version", "5.3.4.12"), ("artifacts", "log: 1\nstats: 2")];
    let known = known.map(|(name, value)| (name.to_owned(), value.to_owned()));
    then(&mut Draft {
        template: &template,
        pieces,
        values: BTreeMap::from(known),
        lacking: BTreeMap::new(),
        refused: BTreeMap::new(),
        unproven: run.map(str::to_owned),
        severities: Vec::new(),
    })
}

fn drafted(run: Option<&str>, seen: &str) -> String {
    with(TEXT, run, |draft| {
        for (name, value) in [
            ("impact", "orders: late"),
            ("behaviour seen", seen),
            ("since when", "08:15"),
        ] {
            draft.answer(name, value, "--set").unwrap();
        }
        draft.render().unwrap()
    })
}

#[test]
fn what_was_drafted_is_taken_and_what_was_changed_is_told() {
    for run in [None, Some("r1")] {
        for seen in ["it stops", "it stops\n\n  deeper\nand ends", "Files: none"] {
            let good = drafted(run, seen);
            let take = |text: &str| with(TEXT, run, |draft| draft.take(text));
            assert_eq!(take(&good), Ok(()), "{good}");
            assert_eq!(take(&good.replace('\n', "\r\n")), Ok(()), "{good}");
            assert_eq!(take(&format!("{good}\n\n")), Ok(()));
        }
    }
    let good = drafted(None, "it stops");
    for (from, to, words) in [
        (
            "5.3.4.12",
            "5.3.4.1",
            "the field `version` does not say `5.3.4.12`",
        ),
        ("stats: 2", "stats: 3", "the field `artifacts` does not say"),
        (
            "log: 1\n  stats: 2",
            "log: 1",
            "the field `artifacts` does not say",
        ),
        ("orders: late, ", "another, ", "says two things"),
        (
            "orders: late, orders: late",
            "n/a, n/a",
            "`n/a` is left over",
        ),
        ("orders: late, orders: late", ", ", "`impact` is left blank"),
        ("it stops", "", "`behaviour seen` is left blank"),
        ("it stops", "see {impact}", "`see {impact}` is left over"),
        ("08:15", "", "`since when` is left blank"),
        ("Seen:", "Observed:", "`{all}` of the template is not there"),
        (
            "Version",
            "Build",
            "`Version:` of the template is not there",
        ),
        ("it stops", "password=hunter2Xyz", "looks like a secret"),
    ] {
        assert!(good.contains(from), "{from}");
        let told = with(TEXT, None, |draft| draft.take(&good.replacen(from, to, 1)));
        let told = told.unwrap_err().join("; ");
        assert!(told.contains(words), "{from} → {to}: {told}");
    }
    // A request that nobody verified says so.
    let told = with(TEXT, Some("r1"), |draft| draft.take(&good)).unwrap_err();
    assert!(told[0].contains("Not verified"), "{told:?}");
    let told = with("V {version}\n", None, |draft| {
        draft.take("V 5.3.4.12\nmore\n")
    });
    assert!(told.unwrap_err()[0].contains("says more behind its end"));
}
