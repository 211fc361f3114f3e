//! Whatever a host, an inventory or a feature says, the browser sees the elements that it sees of harmless
//! words, asks for nothing and runs nothing.

use gonogo::report::html;

use super::{DESK, PHONE, TINY, bites, estate, found, look, nothing};

const WORDS: &str = "\"'><script>document.title='x'</script></style></title></textarea><style>*{display:none}</style>\
    <meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'><img src=http://127.0.0.1:9/ onerror=alert(1)>\
    <a href=\"javascript:alert(1)\" onclick=alert(1)>x</a><svg onload=alert(1)><base href=http://127.0.0.1:9/>\
    <iframe src=//127.0.0.1:9></iframe><details open ontoggle=alert(1)>-->]]>&lt;&#60;\u{1b}[2J\u{1b}]8;;http://x\u{7}\0\
    \u{202e}\u{2066}\u{200b}\u{feff}\u{ad}\u{e0041}\u{9b}a{}@import'http://127.0.0.1:9/';\r\n# GO";

fn tower() -> String {
    format!("o{}", "\u{301}\u{489}".repeat(200))
}

/// As many characters, none of them special.
fn harmless(words: &str) -> String {
    words.chars().map(|_| 'a').collect()
}

fn skeleton(page: &mut super::Page<'_>) -> Vec<String> {
    found(page, "skeleton")
}

#[test]
fn hostile_words_make_no_element_ask_nothing_and_run_nothing() {
    look(|page, file| {
        // What is endless stands in few checks: each field of it is cut anew.
        let cases = [
            (WORDS.to_owned(), 108),
            (tower(), 108),
            ("x".repeat(1 << 16), 12),
            ("line\n".repeat(4_000), 12),
        ];
        for (words, checks) in cases {
            let hostile = estate::with_words(&words, checks);
            let benign = estate::with_words(&harmless(&words), checks);
            page.open(&file(&html::render(&benign)), TINY, "light");
            let expected = skeleton(page);
            for screen in [TINY, PHONE, DESK] {
                page.open(&file(&html::render(&hostile)), screen, "light");
                nothing(found(page, "layout"), &format!("{screen:?}"));
            }
            let seen = skeleton(page);
            let differs = seen.iter().zip(&expected).find(|(one, other)| one != other);
            assert!(
                seen == expected,
                "{} elements, not {}: {differs:?}",
                seen.len(),
                expected.len()
            );
            assert!(seen.len() > 100 * checks, "{}", seen.len());
            nothing(page.complaints(), "hostile words");
            let text = page.eval("document.documentElement.textContent + document.title");
            let text = text.as_str().unwrap();
            assert!(!text.contains([
                '\u{1b}',
                '\0',
                '\u{202e}',
                '\u{2066}',
                '\u{200b}',
                '\u{e0041}',
                '\u{9b}'
            ]));
            assert_eq!(
                page.eval(r"/\p{M}{5}/u.test(document.body.textContent)"),
                false
            );
        }
    });
}

#[test]
fn a_renderer_that_let_words_through_would_be_seen() {
    look(|page, file| {
        let report = estate::three();
        let good = file(&html::render(&report));
        page.open(&good, DESK, "light");
        let expected = skeleton(page);
        nothing(page.complaints(), "harmless words");
        let here = |what: &str| (format!("<h2 id=\"hosts\">{what}"), "<h2 id=\"hosts\">");
        for (what, word) in [
            ("<script>document.title='x'</script>", "script"),
            ("<style>*{display:none}</style>", "style"),
            ("<img src=http://127.0.0.1:9/x>", "http://127.0.0.1:9/x"),
            ("<b style=color:red>x</b>", "style"),
        ] {
            let (to, from) = here(what);
            page.open(
                &file(&html::render(&report).replace(from, &to)),
                DESK,
                "light",
            );
            assert!(skeleton(page) != expected, "{what}");
            bites(&page.complaints(), word);
        }
        // And the policy keeps it harmless: what came in neither ran nor hid anything.
        let (to, from) = here("<script>document.title='x'</script><style>*{display:none}</style>");
        page.open(
            &file(&html::render(&report).replace(from, &to)),
            DESK,
            "light",
        );
        assert!(page.eval("document.title") != "x");
        nothing(found(page, "layout"), "behind the policy");
        // What is wider than the verdict is seen, though its frame would cut it off.
        page.open(&good, TINY, "light");
        page.eval("document.querySelector('.environment').style.width = '4000px'");
        bites(&found(page, "layout"), "cuts its content off");
    });
}
