//! Templates: what is read, and what is refused at its place.

use super::*;

fn pieces(text: &str, asked: &[&str]) -> Result<Vec<Piece>, Vec<Problem>> {
    let path = PathBuf::from("r.txt");
    let text = plain(text.as_bytes());
    let asked: Vec<String> = asked.iter().map(|&name| name.to_owned()).collect();
    Template { path, text }.pieces(&asked)
}

#[test]
fn the_shipped_template_is_whole() {
    let asked = [
        "severity",
        "impact",
        "since when",
        "behaviour seen",
        "behaviour expected",
    ];
    let fields = pieces(SHIPPED, &asked).unwrap();
    assert_eq!(fields.iter().filter(|piece| piece.is_field()).count(), 22);
    for name in asked.iter().chain(&["version"]) {
        assert!(SHIPPED.contains(&format!("{{{name}}}")));
    }
}

#[test]
fn fields_and_braces_are_told_apart() {
    let read = pieces("\u{feff}a {{b}} é{version}\r\n}}", &[]).unwrap();
    let field = Piece::Field {
        name: "version".to_owned(),
        line: 1,
        column: 10,
    };
    let text = |text: &str| Piece::Text(text.to_owned());
    assert_eq!(read, [text("a {b} é"), field, text("\n}")]);
}

#[test]
fn what_would_stay_blank_is_refused_at_its_place() {
    for (text, asked, at, words) in [
        (
            "{versoin}",
            &[][..],
            "r.txt:1:1",
            "unknown field `{versoin}`",
        ),
        ("{impact}", &[], "r.txt:1:1", "unknown field `{impact}`"),
        ("{ version}", &[], "r.txt:1:1", "unknown field `{ version}`"),
        ("{}{version}", &[], "r.txt:1:1", "unknown field `{}`"),
        ("a\n é{version\n}{version}", &[], "r.txt:2:3", "not closed"),
        ("{version} }", &[], "r.txt:1:11", "without its `{`"),
        (
            "{version}\nImpact:\n",
            &[],
            "r.txt:2:7",
            "`Impact:` is left blank",
        ),
        (
            "{version}\nImpact:\n\nSeen: {os}",
            &[],
            "r.txt:2:7",
            "is left blank",
        ),
        ("{version} ____", &[], "r.txt:1:11", "by hand"),
        ("{version}\nTBD", &[], "r.txt:2:1", "by hand"),
        ("{version}\nName: <your name>", &[], "r.txt:2:7", "by hand"),
        ("{version}\nName: @@NAME@@", &[], "r.txt:2:7", "by hand"),
        ("{version}\nName: %NAME%", &[], "r.txt:2:7", "by hand"),
        ("{version}\nHost: [HOST]", &[], "r.txt:2:7", "says nothing"),
        ("{version}\n é: N/A", &[], "r.txt:2:5", "says nothing"),
        (
            "{version}\nCallback = tbc",
            &[],
            "r.txt:2:12",
            "says nothing",
        ),
        ("{version}\nPhone =\n", &[], "r.txt:2:7", "left blank"),
        ("plain words", &[], "r.txt", "no field"),
        ("{version}", &["impact"], "r.txt", "`asked` names `impact`"),
        ("", &[], "r.txt", "it is empty"),
        ("{version}\u{1b}[2J", &[], "r.txt", "control characters"),
    ] {
        let problems = pieces(text, asked).unwrap_err();
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let found = problems
            .iter()
            .any(|one| one.message.contains(words) && one.place.to_string() == at);
        assert!(found, "{text:?}: {shown:?}");
    }
    // All at once; and headings are no labels.
    assert_eq!(pieces("{a}{b}\nImpact:\n", &[]).unwrap_err().len(), 3);
    for good in [
        "Host:\n  Name: {host}",
        "Artifacts:\n\n{artifacts}",
        "{version}:\nx",
        "Request\n=======\n== Host ==\n{version}",
        "{version}\nLogs: see below",
        "{version}\n[INFO] of Ana <ana@ops.example>",
    ] {
        pieces(good, &[]).unwrap();
    }
    assert!(
        plain(&[b'a'; (256 << 10) + 1])
            .unwrap_err()
            .contains("more than")
    );
    assert!(plain(b"\xff").unwrap_err().contains("UTF-8"));
}

#[test]
fn no_name_of_a_field_is_refused_as_one() {
    for (name, ..) in FIELDS {
        assert!(is_name(name), "{name}");
        assert!(asked(name).is_err());
    }
    for name in ["", "Impact", "a  b", "a ", "a-", "1a", "a_b", "ä"] {
        assert!(asked(name).is_err(), "{name}");
    }
}
