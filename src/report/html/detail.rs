//! How much of a check a page tells. In full, a hundred thousand checks are hundreds of MiB, which no browser opens:
//! of a run that large each check has its line, causes are told once, and the rest stands in `report.json`.

use maud::{Markup, html};

use super::{State, check, t};
use crate::report::phrases;
use crate::report::schema::{Check, Report};
use crate::text::count;

/// Most checks that a page tells in full.
const MOST: usize = 4_000;
/// Of a larger run, as many causes show some of their checks in full.
const MOST_CAUSES: usize = 250;

/// What a page tells of each check.
#[derive(Clone, Copy)]
pub(super) enum Detail {
    /// Steps, evidence, times.
    Full,
    /// A line.
    Brief,
}

impl Detail {
    /// Of what passed.
    pub fn of(report: &Report) -> Self {
        match report.checks.len() > MOST {
            true => Self::Brief,
            false => Self::Full,
        }
    }

    /// Of the first checks of a cause that so many stand before.
    pub fn first_of_cause(self, before: usize) -> Self {
        match before < MOST_CAUSES {
            true => Self::Full,
            false => self,
        }
    }

    pub fn is_brief(self) -> bool {
        matches!(self, Self::Brief)
    }

    pub fn render(self, place: usize, one: &Check, with_failure: bool) -> Markup {
        match self {
            Self::Full => check::render(place, one, with_failure),
            Self::Brief => brief(place, one),
        }
    }
}

/// Tells the reader what is left out, and where it is.
pub(super) fn note(report: &Report) -> Markup {
    html! {
        @if Detail::of(report).is_brief() {
            p.soft {
                "This run has " (count(report.checks.len(), "check")) ". Each has its line here; steps, evidence with \
                 digests, and times of those told in a line stand in " code { "report.json" } ", by the check's id."
            }
        }
    }
}

fn brief(place: usize, check: &Check) -> Markup {
    let state = State::of_check(check);
    html! {
        div.brief #(format!("c{place}")) {
            span.tag.(state.class()) { (state.sign_and_word()) }
            span { (t(&check.scenario)) " " code { (t(&check.id)) } }
            span.time { (phrases::span(check.duration_ms)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::report::html::render;
    use crate::report::sample;

    #[test]
    fn a_large_run_has_a_line_for_each_check_and_stays_light() {
        let report = sample::many(8_000);
        let page = render(&report);
        assert!(page.len() < 400 * report.checks.len(), "{}", page.len());
        let mut from = 0;
        let mut places: Vec<usize> = page
            .match_indices(" id=\"c")
            .filter_map(|(at, begin)| {
                let number = &page[at + begin.len()..];
                number.split('"').next()?.parse().ok()
            })
            .collect();
        places.sort_unstable();
        for place in places {
            assert_eq!(place, from, "told twice or left out");
            from += 1;
        }
        assert_eq!(from, report.checks.len());
        // What failed is told in full all the same, each cause once.
        assert_eq!(page.matches("<article").count(), 3);
        assert_eq!(page.matches(">permission denied</dd>").count(), 3);
        assert!(page.contains("This run has 8000 checks"));
        assert!(page.contains("400 checks failed for 3 causes"));
        for link in page.split("href=\"#c").skip(1).take(500) {
            let id = link.split('"').next().unwrap();
            assert!(
                id.parse::<usize>().is_err_and(|_| id.starts_with("ause"))
                    || page.contains(&format!(" id=\"c{id}\"")),
                "{id}"
            );
        }
    }

    #[test]
    fn a_run_of_usual_size_is_told_in_full() {
        let page = render(&sample::many(400));
        assert!(!page.contains("class=\"brief") && !page.contains("This run has"));
    }
}
