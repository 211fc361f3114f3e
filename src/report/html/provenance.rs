//! The end of the page: which machines these really were, what was asked, what made the run, and how
//! to check all of it without trusting this page.

use std::collections::HashMap;

use maud::{Markup, html};

use super::t;
use crate::report::schema::{Host, Report};
use crate::report::{facts, phrases};

pub(super) fn hosts(report: &Report) -> Markup {
    let mut checks: HashMap<&str, (usize, usize)> = HashMap::new();
    for check in &report.checks {
        if let Some(host) = &check.host {
            let (passed, all) = checks.entry(host).or_default();
            *passed += usize::from(check.outcome == "passed");
            *all += 1;
        }
    }
    html! {
        h2 #hosts { "Hosts" }
        div.scroll tabindex="0" role="region" aria-labelledby="hosts" {
            table.cards {
                caption { (crate::text::count(report.hosts.len(), "host")) " of the plan, reached or not" }
                thead { tr {
                    th scope="col" { "Host" }
                    th scope="col" { "Address" }
                    th scope="col" { "Host key seen" }
                    th scope="col" { "Says of itself" }
                    th scope="col" { "Clock" }
                    th scope="col" { "Inventory demands" }
                    th.number scope="col" { "Checks passed" }
                } }
                tbody {
                    @for host in &report.hosts {
                        tr {
                            th scope="row" {
                                (t(&host.name))
                                @if let Some(machine) = &host.machine {
                                    div.soft { "machine " (t(machine)) }
                                }
                                @if host.runner == Some(true) { div.soft { "the runner" } }
                            }
                            td data-label="Address" { (t(&host.address)) }
                            td.digest data-label="Host key seen" {
                                @match &host.host_key {
                                    Some(key) => code { (t(key)) },
                                    None => b.stop-text { "never reached" },
                                }
                                @if let Some(server) = &host.server { div.soft { (t(server)) } }
                                @if let Some(sessions) = host.sessions {
                                    div.soft { (sessions_met(sessions)) }
                                }
                                @for (team, client) in &host.clients {
                                    div.soft { (t(team)) " by " (t(client)) }
                                }
                            }
                            td.digest data-label="Says of itself" { (identity(host)) }
                            td data-label="Clock" { (clock(host)) }
                            td.digest data-label="Inventory demands" { (expected(host)) }
                            td.number data-label="Checks passed" {
                                @match checks.get(host.name.as_str()) {
                                    Some((passed, all)) => { (passed) " of " (all) }
                                    None => span.soft { "none asked" },
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn identity(host: &Host) -> Markup {
    let identity = &host.identity;
    html! {
        @if let Some(name) = &identity.hostname { div { (t(name)) } }
        @if let Some(id) = &identity.machine_id { div { code { (t(id)) } } }
        @if let Some(facts) = &host.facts {
            div.soft { (t(&phrases::host_facts(facts))) }
        }
        @if identity.hostname.is_none() && identity.machine_id.is_none() {
            span.soft { "nothing recorded" }
        }
    }
}

/// A machine that was met once may have been one of two behind its address: then only its key, and what
/// the inventory pins, says that it was the right one.
fn sessions_met(sessions: u64) -> String {
    match sessions {
        1 => "met by one session".to_owned(),
        many => format!("one machine in {many} sessions"),
    }
}

fn clock(host: &Host) -> Markup {
    html! {
        @match host.clock.map(facts::clock) {
            Some(clock) if clock.is_off() => b.stop-text { (clock.say()) },
            Some(clock) => (clock.say()),
            None => span.soft { "not measured" },
        }
    }
}

fn expected(host: &Host) -> Markup {
    let expected = host.expected.clone().unwrap_or_default();
    let all = [&expected.hostname, &expected.machine_id, &expected.host_key];
    html! {
        @for one in all.into_iter().flatten() { div { code { (t(one)) } } }
        @if all.iter().all(|one| one.is_none()) {
            span.soft { "a known host key" }
        }
    }
}

pub(super) fn inputs(report: &Report) -> Markup {
    html! {
        h2 #inputs { "Inputs" }
        p { "Every file that decided what was asked. Copies stand in the run directory." }
        div.scroll tabindex="0" role="region" aria-labelledby="inputs" {
            table.cards {
                caption { (crate::text::count(report.inputs.len(), "file")) }
                thead { tr { th scope="col" { "File" } th scope="col" { "SHA-256" } } }
                tbody {
                    @for input in &report.inputs {
                        tr {
                            th scope="row" { code { (t(&input.path)) } }
                            td.digest data-label="SHA-256" { code { (t(&input.sha256)) } }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn provenance(report: &Report) -> Markup {
    let run = &report.run;
    html! {
        h2 #provenance { "Provenance" }
        dl.wide {
            dt { "Run" } dd { code { (t(&run.id)) } ", kind " (t(&run.kind)) }
            dt { "Tool" } dd { (t(&run.tool.name)) " " (t(&run.tool.version)) ", libssh2 " (t(&run.tool.libssh2)) @if let Some(ssh) = &run.tool.openssh { ", " (t(ssh)) } }
            dt { "Binary" }
            dd {
                @match &run.tool.sha256 {
                    Some(digest) => { "SHA-256 " code { (t(digest)) } }
                    None => "could not be read",
                }
            }
            dt { "Operator" } dd { (t(&run.operator)) }
            dt { "Runner" }
            dd {
                (t(&run.runner))
                @if let Some(runner) = &run.runner_identity {
                    @match &runner.machine_id {
                        Some(id) => { ", machine-id " code { (t(id)) } }
                        None => ", machine-id not known",
                    }
                }
            }
            @if let Some(ci) = &run.ci { dt { "CI job" } dd { code { (t(ci)) } } }
            @if let Some(subject) = phrases::subject(run) { dt { "For" } dd { code { (t(&subject)) } } }
            dt { "Plan" } dd { "SHA-256 " code { (t(&run.scope.plan)) } }
            dt { "Filters" }
            dd {
                @if run.scope.filters.is_empty() { "none" } @else { code { (t(&run.scope.filters.join(" "))) } }
            }
            @if let Some(shard) = &run.scope.shard {
                dt { "Shard" } dd { (t(&shard.name())) ", hosts " (t(&shard.hosts.join(", "))) }
            }
            @for piece in run.merged.iter().flat_map(|merged| &merged.shards) {
                dt { "Shard " (t(&piece.shard.name())) }
                dd {
                    "run " code { (t(&piece.run)) } " on " (t(&piece.runner)) ", signed with " code { (t(&piece.key)) }
                    ", SHA256SUMS has SHA-256 " code { (t(&piece.manifest)) }
                }
            }
            dt { "Previous run" }
            dd {
                @match &run.previous {
                    Some(digest) => { "SHA256SUMS has SHA-256 " code { (t(digest)) } }
                    None => "none: the first of its chain",
                }
            }
            dt { "Record" } dd { code { "report.json" } ", " (t(&report.schema)) }
            dt { "Times" } dd { "all in UTC, by the runner's clock; started " (t(&phrases::instant(&run.started))) }
        }
    }
}

pub(super) fn verify(report: &Report) -> Markup {
    // What is to be pasted into a shell holds no word that a shell could read otherwise.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let environment = &report.run.scope.environment;
    let environment = match environment.chars().all(is_plain) && !environment.starts_with('-') {
        true => environment.as_str(),
        false => "ENVIRONMENT",
    };
    let gate = format!(
        "gonogo verify DIR --allowed-signers allowed_signers --environment {environment} --max-age 24h"
    );
    let mut stock = "\
cd DIR
sha256sum --strict --quiet -c SHA256SUMS
find . -type f ! -name 'SHA256SUMS*' ! -name report.intoto.jsonl | sed 's|^\\./||' \\
  | LC_ALL=C sort | xargs sha256sum | cmp - SHA256SUMS
ssh-keygen -Y verify -f allowed_signers -I SIGNER -n gonogo-report@gonogo \\
  -s SHA256SUMS.sig < SHA256SUMS"
        .to_owned();
    if report.run.previous.is_some() {
        stock += "\nsha256sum -c PREVIOUS.sha256";
    }
    html! {
        h2 #verify { "How to verify" }
        p {
            "This page is a rendering. What counts is the signature over " code { "SHA256SUMS" }
            ", which covers this page, " code { "report.json" } " and every other file of the run directory. "
            "Take " code { "allowed_signers" } " from whoever keeps it for you, never from the run directory."
        }
        p { "With gonogo, offline; it also judges the recorded facts again:" }
        pre tabindex="0" role="region" aria-label="command of gonogo" { code { (gate) } }
        p { "With stock tools (coreutils, OpenSSH 8.2 or later):" }
        pre tabindex="0" role="region" aria-label="commands of stock tools" { code { (stock) } }
    }
}
