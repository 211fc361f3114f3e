//! For each instance and each team: the road to its server, and every artifact with what fetched it.

use super::line::{Line, Proof, Slot, is_led_to};
use super::proof::Proofs;
use super::{Section, Source, Use, route};
use crate::inventory::{Artifact, Instance, Kind};
use crate::report::schema::{Check, Evidence};
use crate::{text, time};

pub(super) fn sections(source: &Source<'_>, proofs: &Proofs<'_>) -> Vec<Section> {
    let mut sections = Vec::new();
    for instance in &source.inventory.instances {
        let Instance {
            name,
            product,
            host,
            ..
        } = instance;
        let mut whole = Section::new(2, format!("Instance {name}"));
        whole
            .lines
            .push(Line::item("what and where").words(&format!("{product} on {host}")));
        sections.push(whole);
        for team in &instance.teams {
            let mut road = Section::new(3, format!("{name} as {team}"));
            route::tell(&mut road, source, proofs, instance, team);
            let place = sections.len();
            sections.push(road);
            let mut left: Vec<&str> = Vec::new();
            for artifact in instance.artifacts_for(team) {
                match of(instance, team, artifact, proofs) {
                    Some(section) => sections.push(section),
                    None => left.push(&artifact.name),
                }
            }
            if let Some(road) = sections.get_mut(place).filter(|_| !left.is_empty()) {
                let line = Line::item("NOT PROVEN, as no check fetched it");
                road.lines.push(line.words(&left.join(", ")));
            }
        }
    }
    sections
}

/// One artifact; nothing of one that support asks for at times alone and no check has fetched.
fn of(
    instance: &Instance,
    team: &str,
    artifact: &Artifact,
    proofs: &Proofs<'_>,
) -> Option<Section> {
    let (name, kind) = (&artifact.name, artifact.kind.as_str());
    let title = match name == kind {
        true => format!("{name} of {} as {team}", instance.name),
        false => format!("{name} ({kind}) of {} as {team}", instance.name),
    };
    let mut section = Section::new(4, title);
    let is_it = |check: &Check| {
        check.instance.as_deref() == Some(instance.name.as_str())
            && check.team.as_deref() == Some(team)
            && check.evidence.iter().any(|one| one.artifact == *name)
    };
    let found = proofs.all().find(|(_, check, _)| is_it(check));
    let Some((_, check, deed)) = found else {
        if artifact.kind == Kind::Other {
            return None;
        }
        section.lines.push(Line::note(
            "NOT PROVEN: no check of this run fetched it as this team.",
        ));
        return Some(section);
    };
    let proof = proofs.with(|_, check, _| is_it(check));
    let uses = deed.fetches.get(name).map_or(&[][..], Vec::as_slice);
    let rows: Vec<&Evidence> = check
        .evidence
        .iter()
        .filter(|one| one.artifact == *name)
        .collect();
    how(&mut section, artifact, &rows, uses, &proof);
    let versions = rows.iter().filter_map(|row| row.version.as_deref());
    for version in versions.take(1) {
        section.lines.push(
            Line::item("version found")
                .code(version)
                .proven(proof.clone()),
        );
    }
    section.lines.push(
        Line::item("it took")
            .slot(Slot::Span(sum_ms(&rows)))
            .words(", and was:"),
    );
    for row in &rows {
        section.lines.push(seen(row, uses));
    }
    // Whether entries are dated may differ from one file of a log to the next.
    for row in &rows {
        let mut other = (*row).clone();
        other.newest_entry = match row.newest_entry {
            Some(_) => None,
            None => Some(String::new()),
        };
        section.may.push(seen(&other, uses));
    }
    Some(section)
}

fn sum_ms(rows: &[&Evidence]) -> String {
    let sum = rows
        .iter()
        .fold(0_u64, |sum, row| sum.saturating_add(row.duration_ms));
    time::say(std::time::Duration::from_millis(sum))
}

/// What is read or executed, as the plan has it and the run did it.
fn how(
    section: &mut Section,
    artifact: &Artifact,
    rows: &[&Evidence],
    uses: &[Use],
    proof: &Proof,
) {
    let mut methods: Vec<&str> = rows.iter().map(|row| row.method.as_str()).collect();
    methods.sort_unstable();
    methods.dedup();
    let line = Line::item("fetched by").words(&methods.join(", "));
    section.lines.push(line.proven(proof.clone()));
    for one in uses {
        let line = match one {
            Use::Read(pattern) => Line::item("read").code(pattern),
            Use::List(pattern) => Line::item("listed, never opened").code(pattern),
            Use::Get(url) => Line::item("asked for from the host").code(url),
            Use::Command(_) => continue,
        };
        section.lines.push(line.proven(proof.clone()));
    }
    let commands = uses.iter().filter_map(|one| match one {
        Use::Command(line) => Some(line),
        _ => None,
    });
    let commands: Vec<&String> = commands.collect();
    if !commands.is_empty() {
        section.lines.push(Line::plain(
            "On the server, where SIZE stands for the file's size and a pattern for each file:",
        ));
    }
    for command in commands {
        section.lines.push(Line::command(command));
    }
    if let Some(needs) = &artifact.about.needs {
        section
            .lines
            .push(Line::item("rights that it needs").words(needs));
    }
}

/// One file or output, as it was in that run.
fn seen(row: &Evidence, uses: &[Use]) -> Line {
    let pattern = uses.iter().find_map(|one| match one {
        Use::Read(pattern) | Use::List(pattern) if is_led_to(pattern, &row.path) => {
            Some(pattern.clone())
        }
        _ => None,
    });
    let mut line = match pattern {
        Some(pattern) if pattern != row.path => Line::row().slot(Slot::Path {
            pattern,
            path: row.path.clone(),
        }),
        _ => Line::row().code(&row.path),
    };
    let bytes = row.listed_bytes.unwrap_or(row.bytes);
    line = line
        .words(", ")
        .slot(Slot::Size(text::size(bytes)))
        .words(" (")
        .slot(Slot::Number(bytes))
        .words(" bytes), ")
        .slot(Slot::Span(time::say(std::time::Duration::from_millis(
            row.duration_ms,
        ))));
    match &row.newest_entry {
        Some(newest) => line.words(", newest entry ").slot(Slot::instant(newest)),
        None => line.words(", not dated"),
    }
}
