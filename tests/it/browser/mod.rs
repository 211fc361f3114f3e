//! The pages in a real browser: seen by the eye (contrast, reflow, paper), walked by the keyboard, said by a
//! screen reader, and under the words of a hostile host. Every assertion has a twin that bites: the same page
//! with one rule or word taken out.

mod chromium;
mod estate;
mod hostile;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use gonogo::report::html;

use chromium::{Chromium, Page};

const DESK: (u32, u32) = (1440, 900);
const PHONE: (u32, u32) = (390, 844);
/// WCAG 1.4.10: a desktop at 400 %.
const TINY: (u32, u32) = (320, 640);

/// One browser for all tests that run at the same time, each with its turn.
fn browser() -> Arc<Mutex<Chromium>> {
    static SHARED: Mutex<Weak<Mutex<Chromium>>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let started = Arc::new(Mutex::new(Chromium::start()));
        *shared = Arc::downgrade(&started);
        started
    })
}

/// Pages as files, and a page of the browser to open them in.
fn look(see: impl FnOnce(&mut Page<'_>, &dyn Fn(&str) -> PathBuf)) {
    let place = tempfile::Builder::new()
        .prefix("gonogo-page-")
        .tempdir()
        .unwrap();
    let browser = browser();
    let mut browser = browser.lock().unwrap_or_else(PoisonError::into_inner);
    let file = |page: &str| {
        let path = place.path().join(format!(
            "{}.html",
            gonogo::digest::Sha256::of(page.as_bytes())
        ));
        std::fs::write(&path, page).unwrap();
        path
    };
    see(&mut browser.page(), &file);
}

/// What `look.js` finds.
#[track_caller]
fn found(page: &mut Page<'_>, what: &str) -> Vec<String> {
    page.list(&format!("{}.{what}()", include_str!("look.js").trim_end()))
}

#[track_caller]
fn nothing(found: Vec<String>, of: &str) {
    assert!(found.is_empty(), "{of}:\n{}", found.join("\n"));
}

#[track_caller]
fn bites(found: &[String], word: &str) {
    assert!(
        found.iter().any(|one| one.contains(word)),
        "no `{word}` in {found:?}"
    );
}

#[test]
fn text_stands_out_in_light_and_dark() {
    look(|page, file| {
        for report in [estate::report(), estate::three()] {
            let good = file(&html::render(&report));
            for (screen, scheme) in [
                (DESK, "light"),
                (DESK, "dark"),
                (PHONE, "light"),
                (PHONE, "dark"),
            ] {
                page.open(&good, screen, scheme);
                nothing(found(page, "contrast"), scheme);
            }
        }
        let report = estate::report();
        for (from, to, scheme) in [
            ("--soft: #575d66;", "--soft: #8a8f98;", "light"),
            ("--soft: #a3aab4;", "--soft: #575d66;", "dark"),
        ] {
            page.open(
                &file(&estate::sabotaged(&report, &[(from, to)])),
                DESK,
                scheme,
            );
            bites(&found(page, "contrast"), ".soft");
        }
    });
}

#[test]
fn no_screen_is_too_narrow_and_no_spacing_too_wide() {
    look(|page, file| {
        for report in [estate::report(), estate::three()] {
            let good = file(&html::render(&report));
            for screen in [TINY, PHONE, DESK] {
                page.open(&good, screen, "light");
                nothing(found(page, "layout"), &format!("{screen:?}, folded"));
                page.eval(&format!("{}.unfold()", include_str!("look.js").trim_end()));
                nothing(found(page, "layout"), &format!("{screen:?}, unfolded"));
                nothing(found(page, "spaced"), &format!("{screen:?}, spaced"));
            }
        }
        let report = estate::report();
        let wide = (
            "  overflow-wrap: anywhere;\n}\n.page",
            "  white-space: nowrap;\n}\n.page",
        );
        page.open(&file(&estate::sabotaged(&report, &[wide])), TINY, "light");
        bites(&found(page, "layout"), "the page is");
        let over = (".first { margin: 0;", ".first { margin: -9rem 0 0;");
        page.open(&file(&estate::sabotaged(&report, &[over])), DESK, "light");
        bites(&found(page, "layout"), "lies over");
        let low = ("border: 0; height: auto; }", "border: 0; }");
        let sabotaged = estate::sabotaged(&report, &[low]);
        page.open(&file(&sabotaged), PHONE, "light");
        bites(&found(page, "layout"), "runs out of its box");
    });
}

#[test]
fn headings_tables_and_names_are_in_order() {
    look(|page, file| {
        for report in [estate::report(), estate::three(), estate::many(400)] {
            page.open(&file(&html::render(&report)), DESK, "light");
            nothing(found(page, "structure"), "structure");
        }
        let report = estate::three();
        for (from, to, word) in [
            ("<h2 id=\"matrix\">", "<h4 id=\"matrix\">", "h4 under"),
            ("scope=\"row\"", "", "without a scope"),
            ("<caption>", "<caption hidden>", "without a caption"),
            ("id=\"hosts\"", "id=\"inputs\"", "stands twice"),
            ("lang=\"en\"", "", "no language"),
            (" passed</", " </", "says nothing"),
        ] {
            let page_of = match from {
                "<caption>" => html::render(&report).replace("<caption>", "<p>"),
                _ => estate::sabotaged(&report, &[(from, to)]),
            };
            page.open(&file(&page_of), DESK, "light");
            bites(&found(page, "structure"), word);
        }
        // What a screen reader says: everything that takes the keyboard has a name.
        page.open(&file(&html::render(&report)), DESK, "light");
        let tree = page.call("Accessibility.getFullAXTree", serde_json::json!({}));
        let nodes = tree["nodes"].as_array().unwrap();
        let focusable = |node: &&serde_json::Value| {
            let properties = node["properties"].as_array();
            let mut properties = properties.into_iter().flatten();
            properties.any(|one| one["name"] == "focusable" && one["value"]["value"] == true)
        };
        let stops: Vec<_> = nodes.iter().filter(focusable).collect();
        assert!(stops.len() > 20, "{}", stops.len());
        for stop in stops {
            let name = stop["name"]["value"].as_str().unwrap_or_default();
            assert!(!name.trim().is_empty(), "{stop:#}");
        }
        let roles: BTreeSet<_> = nodes
            .iter()
            .filter_map(|node| node["role"]["value"].as_str())
            .collect();
        for role in [
            "main",
            "navigation",
            "contentinfo",
            "heading",
            "rowheader",
            "columnheader",
            "region",
        ] {
            assert!(roles.contains(role), "{role} in {roles:?}");
        }
    });
}

/// Where the keyboard comes to, in its order; problems on the way.
fn walk(page: &mut Page<'_>) -> (Vec<i64>, Vec<String>) {
    let script = include_str!("look.js").trim_end();
    let all = page.number(&format!("{script}.stops().length")) as usize;
    let (mut places, mut problems, mut above) = (Vec::new(), Vec::new(), f64::MIN);
    for _ in 0..all {
        page.tab();
        let at = page.eval(&format!("{script}.focus()"));
        let number = |key: &str| at[key].as_f64().unwrap();
        places.push(number("place") as i64);
        if at["shows"] != true {
            problems.push(format!("focus does not show on {}", at["name"]));
        }
        if number("bottom") < above {
            problems.push(format!("{} stands above what came before", at["name"]));
        }
        // The link that skips stands over the page.
        above = if places.len() > 1 {
            number("top")
        } else {
            above
        };
    }
    (places, problems)
}

#[test]
fn what_was_asked_of_the_network_is_told_on_every_screen_and_on_paper() {
    let said = [
        "Asked of the network",
        "first byte",
        "certificate until",
        "incident, investigating: Orders are acknowledged late",
        "3 of 3 components are well",
        "newest of",
        "takes mail",
        "timeout: no answer within 10s",
        "by proxy proxy.example.com:3128",
        "not measured",
        "ny4-1",
        "the runner",
    ];
    look(|page, file| {
        let good = file(&html::render(&estate::report()));
        for screen in [TINY, PHONE, DESK] {
            page.open(&good, screen, "light");
            page.eval(&format!("{}.unfold()", include_str!("look.js").trim_end()));
            let text = page.eval("document.body.innerText");
            let text = text.as_str().unwrap();
            nothing(
                said.iter()
                    .filter(|said| !text.contains(**said))
                    .map(|said| (*said).to_owned())
                    .collect(),
                &format!("{screen:?}"),
            );
        }
        page.open(&good, DESK, "light");
        page.call(
            "Emulation.setEmulatedMedia",
            serde_json::json!({"media": "print"}),
        );
        assert_eq!(
            page.number("document.querySelectorAll('caption[id^=n]').length"),
            2.0
        );
        let shown = "[...document.querySelectorAll('caption[id^=n]')].every(one => one.getBoundingClientRect().height > 0)";
        assert_eq!(page.eval(shown), true);
    });
}

#[test]
fn the_week_is_drawn_to_scale_and_told_in_words() {
    look(|page, file| {
        let good = html::render(&estate::report());
        for screen in [TINY, PHONE, DESK] {
            page.open(&file(&good), screen, "dark");
            // Sunday is seen on a telephone, too: nothing of it lies beside the screen.
            nothing(found(page, "weeks"), &format!("{screen:?}"));
            page.call(
                "Emulation.setEmulatedMedia",
                serde_json::json!({"media": "print"}),
            );
            nothing(found(page, "weeks"), &format!("{screen:?}, on paper"));
            page.call(
                "Emulation.setEmulatedMedia",
                serde_json::json!({"media": ""}),
            );
            page.eval(&format!("{}.unfold()", include_str!("look.js").trim_end()));
            let text = page.eval("document.body.innerText");
            let text = text.as_str().unwrap();
            for said in [
                "When vendors answer",
                "required 169 h: answered 40 h",
                "Above the days of America/New_York, below those of Europe/London.",
                "not answered, without a plan",
                "Mon 2026-10-26 04:00 to Mon 2026-10-26 13:00",
                "2026-10-26T04:00:00Z to 2026-10-26T13:00:00Z",
                "the vendor has no hours for this",
            ] {
                assert!(text.contains(said), "{said} at {screen:?}");
            }
        }
        // Seven hundred pixels wide, whatever the screen, as it was once.
        let fixed = good.replace("<svg width=\"100%\"", "<svg width=\"700\"");
        page.open(&file(&fixed), PHONE, "light");
        bites(&found(page, "weeks"), "beside the screen");
        page.open(&file(&fixed), DESK, "light");
        nothing(found(page, "weeks"), "seven hundred pixels on a desk");
        let named = "[...document.querySelectorAll('.plot svg[role=img]')].every(one => one.querySelector('title').textContent && one.querySelector('desc').textContent)";
        assert_eq!(page.eval(named), true);
        assert_eq!(
            page.number("document.querySelectorAll('.plot svg[role=img]').length"),
            2.0
        );
    });
}

#[test]
fn the_keyboard_reaches_everything_in_the_order_of_the_page() {
    look(|page, file| {
        let report = estate::three();
        for screen in [DESK, PHONE] {
            page.open(&file(&html::render(&report)), screen, "light");
            let (places, problems) = walk(page);
            nothing(problems, "focus");
            let expected: Vec<i64> = (0..places.len() as i64).collect();
            assert_eq!(places, expected);
            assert!(places.len() > 20, "{places:?}");
        }
        for (from, to, word) in [
            (
                "[tabindex]:focus-visible { outline: 3px solid var(--link);",
                "[tabindex]:focus-visible { outline: 0;",
                "does not show",
            ),
            (
                "nav { margin: 1.25rem 0 0; }",
                "main { display: flex; flex-direction: column-reverse; }",
                "stands above",
            ),
        ] {
            page.open(
                &file(&estate::sabotaged(&report, &[(from, to)])),
                DESK,
                "light",
            );
            bites(&walk(page).1, word);
        }
        let last = ("href=\"#verify\"", "href=\"#verify\" tabindex=\"3\"");
        page.open(&file(&estate::sabotaged(&report, &[last])), DESK, "light");
        let (places, _) = walk(page);
        assert!(places.windows(2).any(|two| two[0] > two[1]), "{places:?}");
    });
}

#[test]
fn a_link_unfolds_what_it_leads_to() {
    look(|page, file| {
        page.open(&file(&html::render(&estate::report())), DESK, "light");
        let group = "document.querySelector(document.querySelector('.matrix a.passed').hash).closest('details.group').open";
        assert_eq!(page.eval(group), false);
        page.eval("document.querySelector('.matrix a.passed').click()");
        let until = std::time::Instant::now() + Duration::from_secs(10);
        while page.eval(group) != true {
            assert!(std::time::Instant::now() < until, "the group stays folded");
            std::thread::sleep(Duration::from_millis(50));
        }
    });
}

#[test]
fn paper_shows_every_check() {
    look(|page, file| {
        let print = serde_json::json!({"media": "print"});
        let pages = |pdf: &[u8]| {
            let pdf = String::from_utf8_lossy(pdf).into_owned();
            pdf.matches("/Type /Page\n").count()
        };
        let mut sheets = Vec::new();
        let report = estate::report();
        let open = "  details::details-content { content-visibility: visible; block-size: auto; opacity: 1; display: block; }\n";
        let cut = (
            "  .scroll, .long, pre { overflow: visible; max-height: none; }",
            "  .path { height: 1rem; overflow: hidden; display: block; }",
        );
        for changes in [&[][..], &[(open, "")], &[cut]] {
            page.open(
                &file(&estate::sabotaged(&report, changes)),
                (720, 1000),
                "light",
            );
            sheets.push(pages(&page.print()));
            page.call("Emulation.setEmulatedMedia", print.clone());
            let problems = found(page, "unprinted");
            match sheets.len() {
                1 => nothing(problems, "on paper"),
                2 => bites(&problems, "is not printed"),
                _ => bites(&problems, "is cut"),
            }
        }
        assert!(sheets[0] > 2 * sheets[1] && sheets[1] > 0, "{sheets:?}");
    });
}

#[test]
fn two_thousand_checks_open_and_stay_navigable() {
    look(|page, file| {
        let report = estate::many(2_000);
        assert_eq!(report.checks.len(), 2_000);
        let written = html::render(&report);
        let took = page.open(&file(&written), PHONE, "dark");
        assert!(took < Duration::from_secs(30), "{took:?}");
        nothing(found(page, "layout"), "2,000 checks");
        nothing(page.complaints(), "2,000 checks");
        assert_eq!(
            page.number("document.querySelectorAll('details.check').length"),
            2_000.0
        );
        // Folded, it is a page to scroll through, not a book.
        let height = page.number("document.documentElement.scrollHeight");
        page.eval(&format!("{}.unfold()", include_str!("look.js").trim_end()));
        let book = page.number("document.documentElement.scrollHeight");
        assert!(
            height < 60_000.0 && book > 4.0 * height,
            "{height} of {book}"
        );
        let failed =
            page.number("document.querySelector('#cause-1').getBoundingClientRect().top + scrollY");
        assert!(failed < 2_500.0, "the first cause stands at {failed}");
    });
}

#[test]
fn the_page_of_a_history_too() {
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let place = tempfile::tempdir().unwrap();
    let signers = place.path().join("allowed_signers");
    let all = ["go", "no-go", "go-0.2", "no-go-0.2", "go-0.3", "no-go-0.3"];
    let all = all.map(|run| std::fs::read_to_string(golden.join(format!("{run}.allowed_signers"))));
    std::fs::write(&signers, all.map(Result::unwrap).concat()).unwrap();
    let told = std::process::Command::new(crate::lab::GONOGO)
        .args(["history", "--format", "html", "--allowed-signers"])
        .args([&signers, &golden])
        .output()
        .unwrap();
    // Six runs that know nothing of each other are no chain: the page says so.
    assert_eq!(told.status.code(), Some(4), "{told:?}");
    let written = String::from_utf8(told.stdout).unwrap();
    look(|page, file| {
        let good = file(&written);
        for (screen, scheme) in [
            (TINY, "light"),
            (PHONE, "dark"),
            (DESK, "light"),
            (DESK, "dark"),
        ] {
            page.open(&good, screen, scheme);
            for what in ["layout", "spaced", "structure", "contrast"] {
                nothing(found(page, what), &format!("{what}, {screen:?}, {scheme}"));
            }
            nothing(page.complaints(), "a history");
        }
        assert_eq!(
            page.number("document.querySelectorAll('svg[role=img] title').length > 5 ? 1 : 0"),
            1.0
        );
        page.open(
            &file(
                &written
                    .replace("class=\"scroll plot\"", "class=\"plot\"")
                    .replace("<svg width=\"", "<svg width=\"9"),
            ),
            TINY,
            "light",
        );
        bites(&found(page, "layout"), "the page is");
    });
}

#[test]
fn the_page_of_a_runbook_too() {
    let place = tempfile::tempdir().unwrap();
    let gonogo = |args: &[&str]| {
        let mut command = std::process::Command::new(crate::lab::GONOGO);
        let told = command.args(args).current_dir(&place).output().unwrap();
        assert_eq!(told.status.code(), Some(0), "{told:?}");
        String::from_utf8(told.stdout).unwrap()
    };
    gonogo(&["demo", "--out", "run"]);
    let signers = ["--allowed-signers", "run.allowed_signers"];
    let written = gonogo(&[&["runbook", "run", "--format", "html"], &signers[..]].concat());
    look(|page, file| {
        let good = file(&written);
        for (screen, scheme) in [
            (TINY, "light"),
            (PHONE, "dark"),
            (DESK, "light"),
            (DESK, "dark"),
        ] {
            page.open(&good, screen, scheme);
            for what in ["layout", "spaced", "structure", "contrast"] {
                nothing(found(page, what), &format!("{what}, {screen:?}, {scheme}"));
            }
            nothing(page.complaints(), "a runbook");
        }
        let cut = written.replace("<pre ", "<p ").replace("</pre>", "</p>");
        let wide = cut.replace(
            "overflow-wrap: anywhere;\n}\n.page",
            "white-space: nowrap;\n}\n.page",
        );
        page.open(&file(&wide), TINY, "light");
        bites(&found(page, "layout"), "the page is");
        page.open(
            &file(&written.replace("<h3 id=\"s2\"", "<h5 id=\"s2\"")),
            DESK,
            "light",
        );
        bites(&found(page, "structure"), "h5 under");
    });
}
