//! A drill for people without gonogo: `drill.md` and `drill.html`, the same tables in both. A function of the record
//! alone; all words of people are escaped.

use std::fmt::Write as _;

use maud::html as markup;

use super::schema::{Begin, Entry, Outcome, Record, State, Step, begin};
use crate::report::html::{page, t};
use crate::report::markdown::words;
use crate::text::{count, size};

/// A heading, the names of its columns, its rows.
struct Table {
    title: &'static str,
    heads: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

/// What the outcome means.
const fn meaning(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => {
            "The support process was rehearsed whole, and everything went as agreed."
        }
        Outcome::WithFindings => {
            "The support process was rehearsed whole; what is to be mended has an owner and a day."
        }
        Outcome::Failed => {
            "Something fell short of what is agreed, and nobody is named to mend it."
        }
        Outcome::Invalid => {
            "Something is missing: this was no whole rehearsal, and none that counts."
        }
    }
}

fn title(record: &Record) -> String {
    match record.begin() {
        Some(begin) => format!(
            "Drill {} with {} in {}",
            record.number, begin.vendor, begin.environment
        ),
        None => format!("Drill {}", record.number),
    }
}

/// `drill.md`.
#[must_use]
pub fn markdown(record: &Record) -> String {
    let mut out = format!(
        "# {}\n\n**{}**: {}\n",
        words(&title(record)),
        record.outcome.as_str(),
        meaning(record.outcome)
    );
    for Table { title, heads, rows } in tables(record) {
        let _ = write!(out, "\n## {title}\n\n| {} |\n|", heads.join(" | "));
        out += &" --- |".repeat(heads.len());
        out.push('\n');
        for row in rows {
            let cells: Vec<String> = row.iter().map(|cell| words(cell)).collect();
            let _ = writeln!(out, "| {} |", cells.join(" | "));
        }
    }
    out + "\nAll times are UTC. `VERIFY.txt` says how to check this record without gonogo.\n"
}

/// `drill.html`.
#[must_use]
pub fn html(record: &Record) -> String {
    let class = match record.outcome {
        Outcome::Passed => "go",
        Outcome::WithFindings => "wait long",
        Outcome::Failed | Outcome::Invalid => "stop",
    };
    let title = title(record);
    page(
        &title,
        &record.tool,
        markup! {
            main {
                section.verdict aria-label="what the drill came to" {
                    div.head {
                        h1.stamp.(class) { (record.outcome.as_str()) }
                        div.lead {
                            div.environment { (t(&title)) }
                            p { (meaning(record.outcome)) }
                        }
                    }
                }
                @for Table { title, heads, rows } in tables(record) {
                    h2 { (title) }
                    div.scroll tabindex="0" role="region" aria-label=(title) {
                        table.cards {
                            thead { tr { @for head in heads { th scope="col" { (head) } } } }
                            tbody {
                                @for row in &rows {
                                    @if let [name, value] = &**row {
                                        tr { th scope="row" { (t(name)) } td.path { (t(value)) } }
                                    } @else {
                                        tr { @for (head, cell) in heads.iter().zip(row) { td.path[*head == "Files"] data-label=(head) { (t(cell)) } } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            footer { "All times are UTC. VERIFY.txt says how to check this record without gonogo." }
        },
    )
}

fn tables(record: &Record) -> Vec<Table> {
    let mut tables = Vec::new();
    if let Some(begin) = begin(&record.entries) {
        tables.push(Table {
            title: "Which drill",
            heads: &["What", "It is"],
            rows: which(record, begin),
        });
    }
    let pairs = |title, heads, rows: Vec<Vec<String>>| Table { title, heads, rows };
    let missing = record.missing.iter();
    let missing = missing.map(|one| vec![one.what.clone(), one.hint.clone()]);
    tables.push(pairs(
        "Missing",
        &["What", "How it is told"],
        missing.collect(),
    ));
    let short = record.short.iter();
    let short = short.map(|one| vec![one.about.clone(), one.what.clone()]);
    tables.push(pairs("Fell short", &["What", "How"], short.collect()));
    let findings = record.findings.iter().map(|one| {
        let about = one.about.clone().unwrap_or_default();
        vec![
            one.id.clone(),
            one.what.clone(),
            one.owner.clone(),
            one.due.clone(),
            about,
        ]
    });
    tables.push(pairs(
        "Findings",
        &["Id", "What", "Owner", "Due", "About"],
        findings.collect(),
    ));
    if let Some(last) = &record.last {
        let rows = last.findings.iter().map(|finding| {
            let told = record
                .entries
                .iter()
                .rev()
                .find_map(|entry| match &entry.step {
                    Step::Last(told) if told.finding == finding.id => Some(told),
                    _ => None,
                });
            let (state, reason) = match told {
                Some(told) => (state(told.state), told.reason.clone()),
                None => ("not told", String::new()),
            };
            vec![
                finding.id.clone(),
                finding.what.clone(),
                state.to_owned(),
                reason,
            ]
        });
        tables.push(pairs(
            "Findings of the last drill",
            &["Id", "What", "Now", "Why"],
            rows.collect(),
        ));
    }
    tables.retain(|table| !table.rows.is_empty());
    tables.push(Table {
        title: "What was told",
        heads: &["No", "Told at", "By", "Step", "What", "Files"],
        rows: record.entries.iter().map(row).collect(),
    });
    tables
}

fn which(record: &Record, begin: &Begin) -> Vec<Vec<String>> {
    let row = |what: &str, is: String| vec![what.to_owned(), is];
    let began = record.entries.first().map_or("", |entry| &entry.at);
    let mut rows = vec![
        row("Id", record.id.clone()),
        row("Vendor", begin.vendor.clone()),
        row("Environment", begin.environment.clone()),
        row("Kind", begin.kind.as_str().to_owned()),
        row("Began", began.to_owned()),
        row("Sealed", record.sealed.clone()),
    ];
    if let Some(coverage) = &begin.agreed.coverage {
        let answers = match coverage.answers {
            true => "has to answer",
            false => "does not have to answer",
        };
        let severity = coverage.severity.as_ref();
        let severity = severity.map(|severity| format!(" a case of severity {severity}"));
        rows.push(row(
            "Contracted hours",
            format!(
                "the vendor {answers}{} when it began",
                severity.unwrap_or_default()
            ),
        ));
    }
    for role in &begin.roles {
        let contacts = &begin.agreed.contacts;
        let contact = contacts.iter().find(|one| one.key == role.person);
        let person = match contact {
            Some(contact) if contact.name != role.person => {
                format!("{} ({})", contact.name, contact.key)
            }
            _ => role.person.clone(),
        };
        rows.push(row(&format!("Role {}", role.role), person));
    }
    rows.push(row("Inventory", format!("SHA-256 {}", begin.inventory)));
    if let Some(previous) = &record.previous {
        rows.push(row(
            "Drill before it",
            format!("SHA-256 of its SHA256SUMS {previous}"),
        ));
    }
    rows
}

const fn state(state: State) -> &'static str {
    match state {
        State::Closed => "closed",
        State::Open => "open",
    }
}

fn row(entry: &Entry) -> Vec<String> {
    let mut what = in_words(&entry.step);
    if let Some(again) = &entry.again {
        what += &format!("; told again: {again}");
    }
    // Each name begins with its digest, and SHA256SUMS has the whole of it.
    let files: Vec<String> = (entry.step.files().iter())
        .map(|kept| format!("{} ({})", kept.name, size(kept.bytes)))
        .collect();
    vec![
        entry.number.to_string(),
        entry.at.clone(),
        entry.by.clone(),
        entry.step.word().to_owned(),
        what,
        files.join("; "),
    ]
}

/// A step in words.
#[must_use]
pub fn in_words(step: &Step) -> String {
    match step {
        Step::Begin(step) => format!("{} drill with {}", step.kind.as_str(), step.vendor),
        Step::Retrieval(step) => format!(
            "every team fetched from every server: run {}, GO, {} to {}, signed by {}",
            step.run, step.started, step.finished, step.signer
        ),
        Step::Request(step) => format!("the text of the case was ready at {}", step.at),
        Step::Bundle(step) => format!(
            "the bundle was ready at {}, in {}",
            step.at,
            count(step.files.len(), "part")
        ),
        Step::Delivery(step) => match &step.words {
            Some(words) => format!(
                "delivered at {}; digests {}: {words}",
                step.at,
                step.sha256.join(", ")
            ),
            None => format!("delivered at {}, by its receipts", step.at),
        },
        Step::Acknowledgement(step) => {
            format!("{} answered at {}, case {}", step.from, step.at, step.case)
        }
        Step::Escalation(step) => match (&step.answered, &step.from) {
            (Some(answered), Some(from)) => format!(
                "{}: tried at {}, {from} answered at {answered}",
                step.level, step.tried
            ),
            _ => format!("{}: tried at {}, nobody answered", step.level, step.tried),
        },
        Step::Deviation(step) => match &step.what {
            Some(what) => what.clone(),
            None => "nothing went another way than the process says".to_owned(),
        },
        Step::Finding(step) => format!(
            "{}: {}; owner {}, due {}",
            step.id, step.what, step.owner, step.due
        ),
        Step::Last(step) => {
            let due = step.due.as_ref();
            let due = due.map_or_else(String::new, |due| format!(", due {due}"));
            let state = state(step.state);
            format!("{}: {state}{due}, {}", step.finding, step.reason)
        }
    }
}
