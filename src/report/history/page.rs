//! A history as one static page: whether the chain holds, the trend, and every run. Built and guarded as
//! `report.html` is: no script, nothing fetched, its own style sheet alone.

use maud::{Markup, html};

use super::plot::{Plot, Series};
use super::{Entry, History, text};
use crate::report::facts::KINDS;
use crate::report::html::{page, t};
use crate::text::count;
use crate::time::say;

/// The page. Each run leads to its own `report.html`, beside which the page is meant to lie: in the
/// folder of the runs.
#[must_use]
pub fn render(history: &History) -> String {
    let newest = history.runs.last();
    let environment = newest.map_or("no run", |run| &*run.run.scope.environment);
    let broken = !history.breaks.is_empty();
    // The newest verdict, and of a broken chain none: nobody knows which run is the newest.
    let (class, stamp) = match newest.map(|run| run.decision) {
        _ if broken => ("stop", "BROKEN"),
        Some("GO") => ("go", "GO"),
        Some("HOLD") => ("wait", "HOLD"),
        Some(_) => ("stop", "NO-GO"),
        None => ("stop", "EMPTY"),
    };
    let title = format!("History of {environment}");
    let made_by = concat!("gonogo ", env!("CARGO_PKG_VERSION"));
    page(
        &title,
        made_by,
        html! {
            main {
                section.verdict aria-label="the newest run, and the chain" {
                    div.head {
                        h1.stamp.(class) { (stamp) }
                    div.lead {
                            div.environment { (t(environment)) }
                            p { (t(&text::summary(history))) }
                        }
                    }
                    @if broken {
                        ol.reasons aria-label="where the chain is broken" {
                            @for broken in &history.breaks {
                                li { (t(&broken.to_string())) " " span.soft { (broken.hint()) } }
                            }
                        }
                    }
                }
                @if !history.runs.is_empty() {
                    (trend(&history.runs))
                    (table(history))
                }
                p.soft {
                    "A chain shows what was changed, put in or taken out of its middle, never that its last run "
                    "was taken away: compare the newest digest with the one that you were told when it was made."
                }
            }
            footer { "All times are UTC. Remote text is shown with its control characters escaped." }
        },
    )
}

fn trend(runs: &[Entry]) -> Markup {
    let names: Vec<_> = runs.iter().map(|run| t(&run.name).into_owned()).collect();
    let plot = |labelled_by, say| Plot {
        labelled_by,
        names: &names,
        say,
    };
    let series = |class, name: &str, value: &dyn Fn(&Entry) -> Option<u64>| Series {
        class,
        name: name.to_owned(),
        values: runs.iter().map(value).collect(),
    };
    let outcomes = [
        series("passed", "passed", &|run| Some(run.counts.passed)),
        series("waived", "waived", &|run| Some(run.counts.waived)),
        series("pending", "pending", &|run| Some(run.counts.pending)),
        series("failed", "failed", &|run| Some(run.counts.failed)),
    ];
    let classes = ["one", "two", "three", "four", "five"];
    let kinds = KINDS.into_iter().map(|kind| kind.as_str()).zip(classes);
    let slowest: Vec<_> = kinds
        .map(|(kind, class)| series(class, kind, &|run| run.slowest.get(kind).copied()))
        .filter(|series| series.values.iter().any(Option::is_some))
        .collect();
    let waivers = [series("waived", "waivers", &|run| {
        Some(run.waivers.len() as u64)
    })];
    let milliseconds = |value| say(std::time::Duration::from_millis(value));
    html! {
        h2 #outcomes { "Outcomes of the checks" }
        (legend(&outcomes))
        (plot("outcomes", |value| value.to_string()).bars(&outcomes))
        h2 #time { "Time to evidence: the longest retrieval of each kind" }
        (legend(&slowest))
        (plot("time", milliseconds).lines(&slowest))
        h2 #waivers { "Waivers in use" }
        (plot("waivers", |value| value.to_string()).bars(&waivers))
    }
}

fn legend(series: &[Series]) -> Markup {
    html! {
        ul.legend {
            @for one in series {
                li { svg width="14" height="14" aria-hidden="true" { rect.(one.class) width="14" height="14" {} } (one.name) }
            }
        }
    }
}

fn table(history: &History) -> Markup {
    html! {
        h2 #runs { "Runs" }
        div.scroll tabindex="0" role="region" aria-labelledby="runs" {
            table.cards {
                caption { (count(history.runs.len(), "run")) ", the newest first" }
                thead { tr {
                    th.number scope="col" { "No" }
                    @for head in ["Run", "Finished", "Verdict", "Checks", "Took", "Waivers", "Signed by"] {
                        th scope="col" { (head) }
                    }
                } }
                tbody { @for run in history.runs.iter().rev() { (row(run)) } }
            }
        }
    }
}

fn row(run: &Entry) -> Markup {
    let class = match run.decision {
        "GO" => "passed",
        "HOLD" => "pending",
        _ => "failed",
    };
    html! {
        tr {
            td.number data-label="No" { @match run.run.number { Some(number) => { (number) }, None => { "–" } } }
            th scope="row" {
                // A directory may have any name: only one that is plain can be a link.
                @if is_plain(&run.name) { a href=(format!("{}/report.html", run.name)) { (run.name) } }
                @else { (t(&run.name)) }
            }
            td data-label="Finished" { (t(&run.run.finished)) }
            td data-label="Verdict" { span.tag.(class) { (run.decision) }
                @if run.run.aborted.is_some() { " aborted" } @else if run.run.scope.partial { " partial" }
            }
            td data-label="Checks" { (text::checks(run))
                @for request in &run.break_glass {
                    div { b { "Break-glass asked for " } (t(request)) }
                }
                @if let Some(reason) = &run.reason { div.soft { (t(&crate::text::clip(reason, 300))) } }
            }
            td data-label="Took" { (text::took(run)) }
            td data-label="Waivers" { (t(&run.waivers.join(", "))) }
            td data-label="Signed by" { (t(&text::signed(run))) }
        }
    }
}

fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.starts_with('.') && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::history::{Break, Signed, chain};
    use crate::report::sample;

    fn entry(name: &str, report: &crate::report::schema::Report) -> Entry {
        let mut run = report.run.clone();
        run.number = Some(1);
        Entry {
            name: name.to_owned(),
            digest: crate::digest::Sha256::of(name.as_bytes()),
            previous: None,
            run,
            decision: "NO-GO",
            reason: report.verdict.reasons.first().cloned(),
            counts: report.counts,
            took: None,
            slowest: [("log".to_owned(), 1_500)].into(),
            waivers: vec!["W-1".to_owned()],
            signed: Signed::NotAsked,
            answers: 0,
            break_glass: vec!["by ann until <i>".to_owned()],
        }
    }

    fn history(runs: Vec<Entry>) -> History {
        let (runs, breaks) = chain::link(runs);
        History {
            runs,
            breaks,
            strangers: Default::default(),
            folder: Default::default(),
        }
    }

    #[test]
    fn shows_the_trend_and_each_run() {
        let page = render(&history(vec![entry("run-1", &sample::no_go())]));
        assert!(
            page.contains("<title>History of production</title>"),
            "{page}"
        );
        assert!(page.contains("href=\"run-1/report.html\""));
        assert_eq!(page.matches("role=\"img\"").count(), 3);
        assert!(page.contains("log 1.5s"));
        assert!(page.contains("stamp stop\">NO-GO"), "{page}");
        assert!(page.contains(", BREAK-GLASS") && page.contains("by ann until &lt;i&gt;"));
        assert!(render(&history(vec![])).contains("no run here"));
    }

    #[test]
    fn hostile_names_stay_words() {
        let mut hostile = entry("<script>alert(1)</script>\u{202e}", &sample::hostile());
        hostile.waivers = vec!["<img src=x onerror=1>".to_owned()];
        let mut history = history(vec![hostile]);
        history.breaks.push(Break::Unreadable {
            name: "javascript:1".to_owned(),
            why: "</style><script>".to_owned(),
        });
        let page = render(&history);
        for active in ["<script", "<img", "\u{202e}", "href=\"<"] {
            assert!(!page.contains(active), "{active}");
        }
        assert!(page.contains("BROKEN"));
    }
}
