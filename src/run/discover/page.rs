//! The inventory YAML that is printed. Everything remote is quoted as data (a JSON string is a YAML one,
//! YAML 1.2.2, 1.2) or escaped in a comment of one line.

use std::fmt::Write as _;

use super::propose::{Proposal, Told};
use crate::text;

/// Instances as an inventory has them, each with a name of its own beside those `taken`.
pub(super) fn page(host: &str, team: &str, proposals: &[Proposal], taken: &[&str]) -> String {
    let mut names: Vec<String> = taken.iter().map(|&name| name.to_owned()).collect();
    let mut out = format!(
        "# What runs on host {} as team {} sees it. Paste below `instances:` and look at each value.\ninstances:\n",
        comment(host),
        comment(team)
    );
    for proposal in proposals {
        let name = name(proposal, host, &names);
        instance(&mut out, &name, host, team, proposal);
        names.push(name);
    }
    out
}

fn instance(out: &mut String, name: &str, host: &str, team: &str, proposal: &Proposal) {
    let _ = writeln!(out, "  {}:", quoted(name));
    let _ = writeln!(out, "    # {}", comment(&proposal.seen));
    for note in &proposal.notes {
        let _ = writeln!(out, "    # {}", comment(note));
    }
    let _ = writeln!(out, "    product: {}", quoted(&proposal.product));
    let _ = writeln!(out, "    host: {}", quoted(host));
    let _ = writeln!(out, "    teams: [{}]", quoted(team));
    if !proposal.vars.is_empty() {
        out.push_str("    vars:\n");
        for (name, told) in &proposal.vars {
            why(out, "      ", told);
            let _ = writeln!(out, "      {name}: {}", quoted(&told.value));
        }
    }
    if let Some(told) = &proposal.name {
        why(out, "    ", told);
        let _ = writeln!(out, "    expect: {{name: {}}}", quoted(&told.value));
    }
    if !proposal.artifacts.is_empty() {
        out.push_str("    artifacts:\n");
        for (artifact, key, told) in &proposal.artifacts {
            why(out, "      ", told);
            // Braces are placeholders' (README, placeholders).
            let value = told.value.replace('{', "{{").replace('}', "}}");
            let _ = writeln!(out, "      {artifact}: {{{key}: {}}}", quoted(&value));
        }
    }
}

fn why(out: &mut String, indent: &str, told: &Told) {
    let _ = writeln!(out, "{indent}# why: {}", comment(&told.why));
}

/// What it calls itself, else product and host; with a number where that is taken.
fn name(proposal: &Proposal, host: &str, taken: &[String]) -> String {
    let said = proposal.name.as_ref().map(|told| told.value.as_str());
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-+@#".contains(c);
    let said = said.filter(|said| {
        said.chars().all(fits)
            && said.starts_with(|c: char| c.is_ascii_alphanumeric())
            && said.len() <= 60
    });
    let base = said.map_or_else(|| format!("{}-{host}", proposal.product), str::to_owned);
    let mut name = base.clone();
    for number in 2.. {
        if !taken.contains(&name) {
            break;
        }
        name = format!("{base}-{number}");
    }
    name
}

fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let first = value.chars().next();
    let is_word = first.is_some_and(|c| c.is_ascii_alphabetic() || c == '/');
    match is_word && value.chars().all(plain) && !is_ambiguous(value) {
        true => value.to_owned(),
        false => serde_json::Value::from(value).to_string(),
    }
}

/// Words that YAML readers take for something else than text.
fn is_ambiguous(word: &str) -> bool {
    let words = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    words.contains(&word.to_ascii_lowercase().as_str())
}

fn comment(said: &str) -> String {
    text::clip(&text::escape(said), 300).into_owned()
}
