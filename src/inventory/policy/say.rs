//! A policy in plain words: what is demanded, and what is not, so that a reviewer sees both.

use super::{Bound, Folder, Policy, Retired};
use crate::inventory::Kind;
use crate::text::count;
use crate::time;

pub(super) fn lines(policy: &Policy) -> Vec<String> {
    let mut lines = vec![
        format!("the run is about environment `{}`", policy.environment),
        format!(
            "it, and every check that it carries over, finished at most {} ago",
            time::say(policy.max_age)
        ),
    ];
    let mut not = Vec::new();
    who(policy, &mut lines, &mut not);
    bindings(policy, &mut lines, &mut not);
    content(policy, &mut lines, &mut not);
    record(policy, &mut lines, &mut not);
    super::drill::say(policy, &mut lines, &mut not);
    lines.extend(not.into_iter().map(|what| format!("not demanded: {what}")));
    lines
}

fn named(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn who(policy: &Policy, lines: &mut Vec<String>, not: &mut Vec<&str>) {
    match policy.signers.is_empty() {
        false => lines.push(format!(
            "it is signed by one of {}, by that name",
            named(&policy.signers)
        )),
        true => not.push("who signs it (`signers`): whomever --allowed-signers lets sign"),
    }
    match policy.who_signs_shards() {
        [] => {}
        names => lines.push(format!(
            "where it was merged, each of its shards is signed by one of {}",
            named(names)
        )),
    }
    if let Some(file) = &policy.revoked {
        lines.push(format!("no key of `{}` signed anything", file.display()));
    } else {
        not.push("a revocation list (`revoked`)");
    }
    match (policy.approvals, &policy.approvers) {
        (Some(people), Some(file)) => lines.push(format!(
            "{people} of the people in `{}` have approved it, never who signed it",
            file.display()
        )),
        (_, Some(_)) | (_, None) => not.push("that people approve it (`approvals`)"),
    }
    match &policy.answerers {
        Some(file) => {
            let within = policy.answered_within.map_or_else(String::new, |most| {
                format!(", at most {} after its end", time::say(most))
            });
            lines.push(format!(
                "what it asks of people was answered by people of `{}`{within}, never by who signed it",
                file.display()
            ));
        }
        None => not.push(
            "who answers what it asks of people (`answerers`): whom --answerers FILE names, and without it HOLD stays HOLD",
        ),
    }
}

fn bindings(policy: &Policy, lines: &mut Vec<String>, not: &mut Vec<&str>) {
    match &policy.inventory {
        Some(file) => lines.push(format!(
            "it used exactly the inventory `{}`",
            file.display()
        )),
        None => not.push("which inventory it used (`inventory`)"),
    }
    match policy.features.is_empty() {
        false => {
            let files: Vec<_> = policy
                .features
                .iter()
                .map(|file| file.display().to_string())
                .collect();
            lines.push(format!("it used exactly the features {}", named(&files)));
        }
        true => not.push("which features it used (`features`)"),
    }
    let asked = [
        (
            "commit",
            &policy.commit,
            "--commit SHA",
            "which commit it is for (`commit`)",
        ),
        (
            "release",
            &policy.release,
            "--release sha256:…",
            "which release it is for (`release`)",
        ),
        (
            "go-live",
            &policy.go_live,
            "--go-live TIME",
            "for which go-live it is (`go_live`)",
        ),
    ];
    for (what, bound, flag, missing) in asked {
        match bound {
            Some(Bound::Named) => lines.push(format!(
                "it was made for the {what} that {flag} names; verify ends with 2 without it"
            )),
            Some(Bound::To(one)) => lines.push(format!("it was made for the {what} {one}")),
            None => not.push(missing),
        }
    }
    if policy.challenge {
        lines.push(
            "it holds the words that --challenge TEXT names; verify ends with 2 without them"
                .to_owned(),
        );
    }
    let tool = &policy.tool;
    if let Some([major, minor, patch]) = tool.oldest {
        lines.push(format!(
            "gonogo {major}.{minor}.{patch} or a later version made it"
        ));
    }
    if !tool.versions.is_empty() {
        lines.push(format!("gonogo {} made it", tool.versions.join(" or ")));
    }
    if !tool.binaries.is_empty() {
        lines.push(format!(
            "a binary with one of these SHA-256 made it, as it tells: {}",
            tool.binaries.join(", ")
        ));
    }
    match policy.accept_versions.is_empty() {
        false => lines.push(format!(
            "a run of gonogo {} is taken too, although less of it is compared",
            policy.accept_versions.join(" or ")
        )),
        true => {
            lines.push("no run of an older gonogo is taken than the one that verifies".to_owned())
        }
    }
    if *tool == super::Tool::default() {
        not.push("which gonogo made it (`tool`)");
    }
}

fn content(policy: &Policy, lines: &mut Vec<String>, not: &mut Vec<&str>) {
    let required = &policy.required;
    let tags: Vec<String> = required.tags.iter().map(|tag| format!("@{tag}")).collect();
    let asked = [
        ("has a check with tag", &tags),
        ("has a check of instance", &required.instances),
        ("has a check on host", &required.hosts),
        ("has a check of team", &required.teams),
    ];
    for (words, names) in asked {
        lines.extend(names.iter().map(|name| format!("it {words} `{name}`")));
    }
    for kind in &required.kinds {
        lines.push(format!(
            "there is an instance, and of every one a {} was retrieved, by each of its teams",
            match kind {
                Kind::Log => "log",
                Kind::Version => "version",
                Kind::Configuration => "configuration",
                Kind::Statistics => "file of statistics",
                Kind::Other => "file of kind `other`",
            }
        ));
    }
    for artifact in &required.artifacts {
        let instance = match &artifact.instance {
            Some(instance) => format!("every instance `{instance}`"),
            None => "every instance".to_owned(),
        };
        lines.push(format!(
            "artifact `{}` was retrieved of {instance}, by each of its teams",
            artifact.name
        ));
    }
    for scenario in &required.scenarios {
        let feature = scenario.feature.as_ref();
        let feature = feature.map_or(String::new(), |path| format!(" of `{path}`"));
        lines.push(format!(
            "it has {} or more of scenario `{}`{feature}",
            count(scenario.at_least, "check"),
            scenario.name
        ));
    }
    if *required == super::Required::default() {
        not.push("what must be in it (`required`)");
    }
    waivers(policy, lines, not);
    let retries = &policy.retries;
    if let Some(most) = retries.most_checks {
        lines.push(match most {
            0 => "no check was tried more than once".to_owned(),
            most => format!(
                "at most {} tried more than once",
                match most {
                    1 => "1 check was".to_owned(),
                    most => format!("{most} checks were"),
                }
            ),
        });
    }
    if let Some(most) = retries.most_attempts {
        lines.push(format!(
            "no check took more than {}",
            count(most, "attempt")
        ));
    }
    if retries.no_restating {
        lines.push("it carries nothing over from another run".to_owned());
    }
    if *retries == super::Retries::default() {
        not.push("how often checks were tried (`retries`)");
    }
}

fn waivers(policy: &Policy, lines: &mut Vec<String>, not: &mut Vec<&str>) {
    let waived = &policy.waivers;
    if waived.none {
        lines.push("no check is waived".to_owned());
        return;
    }
    match &policy.approvers {
        Some(file) => lines.push(format!(
            "what is waived was approved by people of `{}`, who signed it",
            file.display()
        )),
        None => lines.push(
            "what is waived was approved by people whom --approvers FILE names, who signed it"
                .to_owned(),
        ),
    }
    if let Some(most) = waived.most {
        lines.push(format!("at most {} in use", count(most, "waiver")));
    }
    if let Some(most) = waived.most_checks {
        lines.push(format!("at most {} waived", count(most, "check")));
    }
    if let Some(days) = waived.most_days {
        lines.push(format!(
            "no waiver in use holds for more than {}",
            count(days, "day")
        ));
    }
    lines.extend(
        waived
            .never_kinds
            .iter()
            .map(|kind| format!("no failure of kind `{kind}` is waived")),
    );
    lines.extend(
        waived
            .never_tags
            .iter()
            .map(|tag| format!("no check with tag `@{tag}` is waived")),
    );
    lines.extend(
        waived
            .never_scenarios
            .iter()
            .map(|name| format!("no check of scenario `{name}` is waived")),
    );
    let bounds = (waived.most, waived.most_checks, waived.most_days);
    let is_free = waived.never_kinds.is_empty()
        && waived.never_tags.is_empty()
        && waived.never_scenarios.is_empty();
    if bounds == (None, None, None) && is_free {
        not.push("how many waivers, for how long, for what (`waivers`)");
    }
}

fn record(policy: &Policy, lines: &mut Vec<String>, not: &mut Vec<&str>) {
    match &policy.time_stamp {
        Some(stamp) => {
            let within = stamp.within.map_or_else(|| "24h".to_owned(), time::say);
            lines.push(format!(
                "an authority of `{}` stamped it at most {within} after its end",
                stamp.tsa_ca.display()
            ));
        }
        None => not.push("a time stamp (`time_stamp`)"),
    }
    match &policy.history {
        Some(Folder::Named) => lines.push("it is the newest of the unbroken chain of runs that --history DIR names; verify ends with 2 without it".to_owned()),
        Some(Folder::At(folder)) => lines.push(format!("it is the newest of the unbroken chain of runs in `{}`", folder.display())),
        None => not.push("that it is the newest run (`history`)"),
    }
    let Some(coverage) = &policy.coverage else {
        not.push("that it has what the last GO had (`coverage`)");
        return;
    };
    lines.push(
        "every check, step, instance, host and team of the last GO before it is in it".to_owned(),
    );
    lines.push(match coverage.must_exist {
        true => "there is such a GO".to_owned(),
        false => "where there is no such GO, as before the first, verify warns".to_owned(),
    });
    if let Some(since) = coverage.since {
        lines.push(format!("runs that ended before {since} are no such GO"));
    }
    lines.extend(coverage.retired.iter().map(retired));
}

fn retired(entry: &Retired) -> String {
    let keys = entry.what.keys();
    let said = keys
        .iter()
        .filter_map(|(key, value)| Some(format!("{key} `{}`", (*value)?)));
    let said = said.collect::<Vec<_>>().join(", ");
    format!(
        "not asked for from {} on: {said} ({})",
        entry.from, entry.reason
    )
}
