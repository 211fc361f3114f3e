//! Rules for sudoers(5), each for one command line exactly. sudo joins arguments by blanks before it
//! compares, and its `*` matches `/` and blanks; so what varies is a regular expression (sudo 1.9.10), and
//! a word with a blank in it has no rule.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Asked, Granted, Refusals, by_content, pattern};
use crate::inventory::Elevate;
use crate::plan::{Planned, Visit, Word};
use crate::text::is_unsafe;

/// sudoers(5), "Regular expressions".
const MOST_REGEX: usize = 1024;

pub(super) fn write(asked: &Asked<'_>) -> Result<Granted, Refusals> {
    let elevated = asked.visits.iter().filter_map(|visit| {
        let target = match &visit.login.elevate {
            Elevate::None => return None,
            Elevate::Root => "root",
            Elevate::User(user) => user,
        };
        Some((*visit, target))
    });
    let (mut bodies, mut refusals, mut looked_up) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (visit, target) in elevated {
        match body(visit, target, &mut looked_up) {
            Ok(body) if body.is_empty() => {}
            Ok(body) => bodies.push((visit.host.clone(), body)),
            Err(found) => refusals.extend(found),
        }
    }
    refusals.sort();
    refusals.dedup();
    if !refusals.is_empty() {
        return Err(refusals);
    }
    if bodies.is_empty() {
        let message = format!(
            "team `{}` needs no rule: the plan runs nothing of it by sudo",
            asked.team
        );
        let hint = "`elevate: sudo` or `elevate: {sudo: USER}` is what sudoers is for".to_owned();
        return Err(vec![(message, hint)]);
    }
    let mut text = asked.head(
        "what sudo has to allow",
        &remarks(asked, &bodies, &looked_up),
    );
    let mut notes = Vec::new();
    let distinct = by_content(bodies);
    if distinct.len() > 1 {
        notes.push(format!(
            "hosts differ: {} fragments, each for the hosts in its comment; `--host` prints one of them",
            distinct.len()
        ));
    }
    for (hosts, body) in distinct {
        let _ = write!(text, "\n# on {}\n{body}", hosts.join(", "));
    }
    Ok(Granted { text, notes })
}

fn body(visit: &Visit, target: &str, looked_up: &mut BTreeSet<String>) -> Result<String, Refusals> {
    let user = name(&visit.login.user);
    let (mut out, mut refusals) = (String::new(), Vec::new());
    let planned = visit.planned();
    for planned in planned.iter().filter(|planned| !planned.sudo.is_empty()) {
        match rule(planned, looked_up) {
            Ok(rule) => {
                let _ = writeln!(out, "{user} ALL=({}) NOPASSWD: {rule}", name(target));
            }
            Err((why, hint)) => refusals.push((
                format!(
                    "no sudoers rule can allow exactly `{}`: {why}",
                    planned.line()
                ),
                hint.to_owned(),
            )),
        }
    }
    match refusals.is_empty() {
        true => Ok(out),
        false => Err(refusals),
    }
}

/// An account's name; upper case alone would be an alias.
fn name(user: &str) -> String {
    let alias = user
        .chars()
        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let escaped = user.replace('@', "\\@");
    if alias {
        format!("\\{escaped}")
    } else {
        escaped
    }
}

type Why = (&'static str, &'static str);

const WRAP: &str = "put the command into a script on the host that takes no such argument, owned by root, and plan that script";
const SFTP: &str =
    "let the account read these files itself (its group, or an ACL) by SFTP with `elevate: none`";

/// `/usr/bin/stat -c %f -- /x`, as sudoers(5) wants it escaped.
fn rule(planned: &Planned, looked_up: &mut BTreeSet<String>) -> Result<String, Why> {
    let (program, arguments) = planned.words.split_first().ok_or(("it is empty", WRAP))?;
    let Word::Exact(program) = program else {
        return Err(("its program varies", WRAP));
    };
    for word in &planned.words {
        let texts = match word {
            Word::Exact(word) | Word::Path(word) if word.is_empty() => vec![" "],
            Word::Exact(word) | Word::Path(word) => vec![word.as_str()],
            Word::Fresh { before, after } => vec![before.as_str(), after],
            Word::Size | Word::Nonce => Vec::new(),
        };
        let is_odd = |c: char| c.is_whitespace() || is_unsafe(c);
        if texts.iter().any(|text| text.contains(is_odd)) {
            return Err((
                "sudo joins arguments by blanks, so that a blank inside of one allows others too",
                WRAP,
            ));
        }
    }
    let path = match program.contains('/') {
        false => {
            looked_up.insert(program.clone());
            format!("/usr/bin/{program}")
        }
        true if program.starts_with('/') && !program.ends_with('/') => program.clone(),
        true => return Err(("sudoers names programs by absolute paths", WRAP)),
    };
    let path = plain(&path);
    let varies = arguments.iter().any(|word| !matches!(word, Word::Exact(_)));
    let words: Option<Vec<String>> = arguments.iter().map(expression).collect();
    let words = words.ok_or((
        "its pattern has no regular expression that means the same",
        SFTP,
    ))?;
    let exact: Vec<&str> = arguments
        .iter()
        .filter_map(|word| match word {
            Word::Exact(word) => Some(word.as_str()),
            Word::Path(_) | Word::Size | Word::Nonce | Word::Fresh { .. } => None,
        })
        .collect();
    let exact = exact.join(" ");
    if arguments.is_empty() {
        // Without this the rule would allow every argument.
        return Ok(format!("{path} \"\""));
    }
    // `^` would begin a regular expression, and `""` alone means no argument.
    if !varies && !exact.starts_with(['^', '"']) {
        return Ok(format!("{path} {}", plain(&exact)));
    }
    let regex = format!("^{}$", words.join(" "));
    match regex.len() <= MOST_REGEX {
        true => Ok(format!("{path} {regex}")),
        false => Err(("its regular expression is longer than sudo takes", SFTP)),
    }
}

fn expression(word: &Word) -> Option<String> {
    match word {
        Word::Exact(word) => Some(pattern::literal(word)),
        Word::Path(path) => pattern::regex(path),
        Word::Size | Word::Nonce => Some("[1-9][0-9]*".to_owned()),
        Word::Fresh { before, after } => Some(format!(
            "{}[0-9A-Za-z]{{10}}{}",
            pattern::literal(before),
            pattern::literal(after)
        )),
    }
}

/// For a path or arguments that are no regular expression: sudoers takes one backslash, and its
/// wildcards another.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' => out.push_str(r"\\\\"),
            ',' | ':' | '=' | '#' | '*' | '?' | '[' | ']' | '!' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

fn remarks(
    asked: &Asked<'_>,
    bodies: &[(String, String)],
    looked_up: &BTreeSet<String>,
) -> Vec<String> {
    let slug = asked.slug();
    let mut remarks = vec![format!(
        "Install as root on the hosts named below: visudo -cf FILE && install -o root -g root -m 0440 FILE /etc/sudoers.d/{slug}"
    )];
    if bodies.iter().any(|(_, body)| body.contains('^')) {
        remarks.push(
            "Arguments from ^ to $ are regular expressions: sudo 1.9.10 or later. An older sudo takes them \
             as plain text and so refuses; a `*` in their place would match blanks and `/../` too, so \
             there let the account read the files itself, with `elevate: none`. Names with a blank in them are not \
             allowed."
                .to_owned(),
        );
    }
    if !looked_up.is_empty() {
        let names: Vec<&str> = looked_up.iter().map(String::as_str).collect();
        remarks.push(format!(
            "sudo looks up {} in its secure_path: write the path that it finds where that is not /usr/bin.",
            names.join(", ")
        ));
    }
    remarks.push(format!(
        "Only where sudoers sets requiretty, add: Defaults:{} !requiretty",
        asked
            .visits
            .first()
            .map_or("USER", |visit| &visit.login.user)
    ));
    remarks.push(
        "Not restricted: what a program does once it runs, and what a path leads to. Whoever may change a \
         program, or put a link where a rule reads, decides what is run and read here."
            .to_owned(),
    );
    remarks
}
