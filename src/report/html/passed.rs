//! What passed, by host and instance: folded, for whoever wants the proof.

use std::collections::HashMap;

use maud::{Markup, html};

use super::words::t;
use super::{Detail, Placed, State, of};
use crate::report::schema::Report;
use crate::text::count;

/// As many checks stand unfolded.
const FEW: usize = 12;

pub(super) fn section(report: &Report) -> Markup {
    let passed = of(report, State::Passed);
    let all = passed.len();
    let detail = Detail::of(report);
    let hosts = by(passed, |one| match (&one.host, &one.vendor) {
        (Some(host), _) => host,
        (None, Some(vendor)) => vendor,
        (None, None) => "",
    });
    html! {
        section aria-labelledby="passed" {
            h2 #passed { "Passed (" (all) ")" }
            @if report.checks.is_empty() { p { "No check was planned: an empty plan proves nothing." } }
            @else if all == 0 { p { "No check passed." } }
            @if hosts.len() > 1 && !detail.is_brief() {
                nav aria-label="passed checks by host" {
                    ul {
                        @for (number, (host, checks)) in hosts.iter().enumerate() {
                            li { a href=(format!("#passed-{number}")) { (host_name(host)) } span.soft { " " (checks.len()) } }
                        }
                    }
                }
            }
            @for (number, (host, checks)) in hosts.into_iter().enumerate() {
                h3 #(format!("passed-{number}")) { (host_name(host)) }
                @for (instance, checks) in by(checks, |one| one.instance.as_deref().unwrap_or_default()) {
                    details.group open[all <= FEW] {
                        summary {
                            span.tag.passed { (State::Passed.sign_and_word()) }
                            span.name {
                                @if instance.is_empty() { "no instance" } @else { (t(instance)) }
                                span.hidden { " on " (host_name(host)) }
                            }
                            span.time { (count(checks.len(), "check")) }
                        }
                        @for (place, one) in checks { (detail.render(place, one, true)) }
                    }
                }
            }
        }
    }
}

fn host_name(host: &str) -> Markup {
    html! { @if host.is_empty() { "no host" } @else { (t(host)) } }
}

/// The checks by a name, names in the order in which they come first.
fn by<'a>(
    checks: Vec<Placed<'a>>,
    name: impl Fn(&'a crate::report::schema::Check) -> &'a str,
) -> Vec<(&'a str, Vec<Placed<'a>>)> {
    let mut groups: Vec<(&str, Vec<Placed<'_>>)> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for (place, check) in checks {
        let name = name(check);
        let group = *known.entry(name).or_insert_with(|| {
            groups.push((name, Vec::new()));
            groups.len() - 1
        });
        groups[group].1.push((place, check));
    }
    groups
}
