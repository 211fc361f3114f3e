//! `report.html`: what an auditor reads. One file, no script, nothing fetched; a strict policy admits
//! its own stylesheet and nothing else. Every word of the report goes through [`t`], then through
//! maud, which escapes by type. Judges nothing: the verdict shown is the one recorded.

mod causes;
mod check;
mod detail;
mod matrix;
mod passed;
mod probes;
mod provenance;
mod state;
mod verdict;
mod waivers;
mod weeks;
mod words;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::schema::{Check, Report};
use crate::digest::Sha256;
use detail::Detail;
use state::State;
pub(super) use words::t;

const STYLE: &str = include_str!("html/style.css");

/// The report as one HTML page.
#[must_use]
pub fn render(report: &Report) -> String {
    let run = &report.run;
    let title = format!(
        "{} · {} · {}",
        report.verdict.decision, run.scope.environment, run.id
    );
    let made_by = format!("{} {}", run.tool.name, run.tool.version);
    let has = |state| !of(report, state).is_empty();
    let skip = if has(State::Failed) {
        "#failed"
    } else {
        "#passed"
    };
    page(
        &title,
        &made_by,
        html! {
            a.skip href=(skip) { "Skip to the checks" }
            main {
                (verdict::render(report))
                (contents(report))
                (detail::note(report))
                (causes::section(report))
                (causes::pending(report))
                (causes::waived(report))
                (matrix::render(report))
                (weeks::section(report))
                (passed::section(report))
                (waivers::waivers(report))
                (provenance::hosts(report))
                (provenance::inputs(report))
                (provenance::provenance(report))
                (provenance::verify(report))
            }
            footer {
                "Rendered from " code { "report.json" } " of run " code { (t(&run.id)) }
                ". All times are UTC. Signs: "
                @for state in [
                    State::Passed, State::Failed, State::Waived, State::Pending,
                    State::NotRun, State::NotPlanned,
                ] { (state.sign_and_word()) " · " }
                "remote text is shown with its control characters escaped."
            }
        },
    )
}

/// A whole page under the policy, with its title and what it was made by.
pub(super) fn page(title: &str, made_by: &str, body: Markup) -> String {
    // CSP level 3: the digest of exactly what stands between the tags.
    let digest = STANDARD.encode(Sha256::of(STYLE.as_bytes()).as_bytes());
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                meta name="generator" content=(t(made_by));
                title { (t(title)) }
                style { (PreEscaped(STYLE)) }
            }
            body { div.page { (body) } }
        }
    };
    page.into_string() + "\n"
}

fn contents(report: &Report) -> Markup {
    let number = |state| of(report, state).len();
    let (failed, pending) = (number(State::Failed), number(State::Pending));
    let (waived, passed) = (number(State::Waived), number(State::Passed));
    html! {
        nav.contents aria-label="contents" {
            ul {
                @if failed > 0 { li { a.urgent href="#failed" { "What failed (" (failed) ")" } } }
                @if pending > 0 { li { a href="#pending" { "Waiting for a person (" (pending) ")" } } }
                @if waived > 0 { li { a href="#waived" { "Waived (" (waived) ")" } } }
                li { a href="#matrix" { "What each team can fetch" } }
                @if !report.weeks.is_empty() { li { a href="#weeks" { "When vendors answer" } } }
                li { a href="#passed" { "Passed (" (passed) ")" } }
                @if !report.waivers.is_empty() { li { a href="#waivers" { "Waivers" } } }
                li { a href="#hosts" { "Hosts" } }
                li { a href="#inputs" { "Inputs" } }
                li { a href="#provenance" { "Provenance" } }
                li { a href="#verify" { "How to verify" } }
            }
        }
    }
}

/// A check with its place in the report.
type Placed<'a> = (usize, &'a Check);

/// The checks in that state.
fn of(report: &Report, state: State) -> Vec<Placed<'_>> {
    let checks = report.checks.iter().enumerate();
    let checks = checks.filter(|(_, check)| State::of_check(check) == state);
    checks.collect()
}

#[cfg(test)]
mod tests {
    use roxmltree::Document;

    use super::*;
    use crate::report::sample;
    use crate::text;

    #[test]
    fn leads_with_the_verdict_and_opens_what_failed() {
        let page = render(&sample::no_go());
        let first = |needle: &str| page.find(needle).unwrap_or_else(|| panic!("{needle}"));
        assert!(
            first("<title>NO-GO · production").max(first("stamp stop")) < first("id=\"failed\"")
        );
        assert!(first("id=\"failed\"") < first("id=\"matrix\""));
        assert!(first("id=\"matrix\"") < first("id=\"passed\""));
        assert_eq!(page.matches("<details class=\"check ").count(), 29);
        // What waits and what was waived stands open; what failed is told by its cause.
        assert_eq!(page.matches(" open>").count(), 2);
        assert!(page.contains("href=\"#c6\"") && page.contains("id=\"c6\""));
        assert!(page.contains("add support to the group amps"));
        assert!(render(&sample::go()).contains("stamp go"));
        assert!(render(&sample::hold()).contains("stamp wait"));
    }

    #[test]
    fn every_check_stands_once_and_its_cause_once() {
        let report = sample::many(2_000);
        let page = render(&report);
        for place in 0..2_000 {
            assert_eq!(
                page.matches(&format!(" id=\"c{place}\"")).count(),
                1,
                "{place}"
            );
        }
        // 100 checks on three hosts.
        assert_eq!(page.matches("<article").count(), 3);
        assert_eq!(page.matches(">permission denied</dd>").count(), 3);
        assert!(page.contains("100 checks failed for 3 causes"));
    }

    #[test]
    fn every_link_has_its_target() {
        for report in [sample::no_go(), sample::aborted(), sample::many(40)] {
            let page = render(&report);
            for link in page.split("href=\"#").skip(1) {
                let id = link.split('"').next().unwrap();
                assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
            }
        }
    }

    #[test]
    fn fetches_nothing_runs_nothing_and_admits_only_its_own_style() {
        let page = render(&sample::hostile());
        for active in [
            "<script",
            "<img",
            "<link",
            "<iframe",
            "javascript:",
            " src=",
            " style=",
            " onerror",
        ] {
            let inside_words = page.matches(active).count();
            let expected = if active == "javascript:" {
                sample_words(&page)
            } else {
                0
            };
            assert_eq!(inside_words, expected, "{active}");
        }
        assert_eq!(
            page.matches("href=\"").count(),
            page.matches("href=\"#").count()
        );
        let style = page
            .split("<style>")
            .nth(1)
            .unwrap()
            .split("</style>")
            .next()
            .unwrap();
        let digest = STANDARD.encode(Sha256::of(style.as_bytes()).as_bytes());
        assert!(page.contains(&format!("style-src 'sha256-{digest}'")));
        assert!(page.contains("default-src 'none'"));
    }

    /// The hostile words hold `javascript:` once each, as words.
    fn sample_words(page: &str) -> usize {
        page.matches("(javascript:1)").count()
    }

    #[test]
    fn hostile_words_stay_words() {
        let page = render(&sample::hostile());
        let outside_style = page.replace(STYLE, "");
        assert!(!outside_style.contains(|c| c != '\n' && text::is_unsafe(c)));
        assert!(
            page.contains("&lt;script&gt;alert(1)&lt;/script&gt;\\u{1b}[2J\\u{0}]]&gt;\\u{202e}")
        );
    }

    #[test]
    fn is_one_well_formed_tree() {
        // Void elements apart, maud closes what it opens: read it as XML to see that nothing leaks.
        for report in [sample::no_go(), sample::hostile(), sample::aborted()] {
            let page = render(&report)
                .replace(STYLE, "")
                .replace("<!DOCTYPE html>", "");
            let page: Vec<_> = page
                .split('<')
                .map(|part| match part.starts_with("meta ") {
                    true => part.replacen('>', "/>", 1),
                    false => part.replacen(" open>", " open=\"\">", 1),
                })
                .collect();
            let page = page.join("<").replace('\u{ffff}', "");
            let document = Document::parse(&page).unwrap_or_else(|fault| panic!("{fault}"));
            let texts = document
                .descendants()
                .filter(|node| node.has_tag_name("h1"));
            assert_eq!(texts.count(), 1);
        }
    }

    #[test]
    fn a_lost_connection_stays_visible() {
        let mut report = sample::go();
        assert!(!render(&report).contains("connection lost"));
        report.checks[0].evidence[0].resumed = 2;
        assert!(render(&report).contains("connection lost, resumed 2×"));
    }

    #[test]
    fn a_thousand_checks_stay_light() {
        let page = render(&sample::many(1_000));
        assert!(page.len() < 3_500_000, "{}", page.len());
        assert_eq!(page, render(&sample::many(1_000)));
    }
}
