//! The ways of logging in that are more than one word: which key of the agent, and the answers to
//! keyboard-interactive questions. Runs nothing and reads no secret.

use std::path::Path;

use regex::Regex;

use super::access;
use crate::inventory::access::{AgentKey, Answer, AnswerFrom};
use crate::inventory::artifact::Pattern;
use crate::inventory::fields::{self, Keys};
use crate::inventory::grammar;
use crate::inventory::page::{Page, Spanned};
use crate::inventory::yaml::{self, Node, Value};

/// `true`, `false`, `"SHA256:…"` or the file of a public key.
pub(super) fn agent(
    page: &mut Page<'_>,
    node: &Node<'_>,
    folder: &Path,
) -> Option<Spanned<Option<AgentKey>>> {
    let at = node.at;
    let value = match &node.value {
        Value::Scalar { text, .. } if text.starts_with("SHA256:") => {
            let chosen = fields::checked(page, node, "agent", grammar::pin)?;
            Some(AgentKey::Fingerprint(chosen.value))
        }
        Value::Scalar { text, plain } if !(node.is_null() || *plain && is_flag(text)) => {
            let path = access::file(page, node, "agent", folder)?;
            Some(AgentKey::File(path.value))
        }
        _ => fields::flag(page, node, "agent")?
            .value
            .then_some(AgentKey::Any),
    };
    Some(Spanned { at, value })
}

fn is_flag(text: &str) -> bool {
    matches!(text, "true" | "false") || yaml::is_ambiguous(text)
}

/// A list of `{env: NAME}` and `{command: [PROGRAM, …]}`, each perhaps with `prompt: "regex"`.
pub(super) fn keyboard_interactive(
    page: &mut Page<'_>,
    node: &Node<'_>,
    folder: &Path,
) -> Option<Spanned<Vec<Answer>>> {
    let key = "keyboard_interactive";
    let before = page.refusals();
    let answers = fields::list(page, node, key, |page, item| answer(page, item, folder))?;
    if answers.value.is_empty() && page.refusals() == before {
        let hint = "write `keyboard_interactive: [{env: NAME}]`, or remove the key";
        page.refuse(node.at, "`keyboard_interactive` is empty", hint);
    }
    Some(answers)
}

fn answer(page: &mut Page<'_>, node: &Node<'_>, folder: &Path) -> Option<Answer> {
    let before = page.refusals();
    let mut keys = Keys::of(page, node, "an answer", node.at)?;
    let env = keys.take("env");
    let command = keys.take("command");
    let prompt = keys.take("prompt");
    keys.done(page);
    let prompt = prompt.and_then(|node| fields::parsed(page, node, "prompt", pattern));
    let from = match (env, command) {
        (Some(env), None) => {
            let name = access::variable(page, env, "env");
            name.map(|name| AnswerFrom::Env(name.value))
        }
        (None, Some(command)) => program(page, command, folder).map(AnswerFrom::Command),
        _ => {
            if page.refusals() == before {
                let hint = "write `{env: NAME}` or `{command: [PROGRAM, ARGUMENT]}`";
                page.refuse(
                    node.at,
                    "an answer has `env` or `command`, one of them",
                    hint,
                );
            }
            None
        }
    };
    (page.refusals() == before).then_some(Answer {
        from: from?,
        prompt: prompt.map(|prompt| prompt.value),
    })
}

/// A question that everything answers needs no pattern, and a wrong one would be a wrong answer given.
fn pattern(text: &str) -> Result<Pattern, String> {
    match Regex::new(text) {
        Ok(regex) if regex.is_match("") => {
            Err("this pattern matches every question: leave `prompt` out to answer in order".into())
        }
        Ok(regex) => Ok(Pattern(regex)),
        Err(error) => {
            let whole = error.to_string();
            let last = whole.lines().last().unwrap_or_default();
            let why = last.trim().trim_start_matches("error: ");
            Err(format!("not a regular expression: {why}"))
        }
    }
}

/// A program with its arguments. With a `/` in it the program is a file, relative to the inventory.
fn program(page: &mut Page<'_>, node: &Node<'_>, folder: &Path) -> Option<Vec<String>> {
    let before = page.refusals();
    let words = fields::list(page, node, "command", |page, item| {
        fields::checked(page, item, "command", grammar::printable)
    })?;
    let Some(first) = words.value.first().filter(|word| !word.value.is_empty()) else {
        if page.refusals() == before {
            let hint = "write a program and its arguments: [oathtool, --totp, …]";
            page.refuse(node.at, "`command` names no program", hint);
        }
        return None;
    };
    let mut program = first.value.clone();
    if program.contains('/')
        && let Value::List(items) = &node.value
        && let Some(item) = items.first()
    {
        let path = access::file(page, item, "command", folder)?;
        // Without a `/` it would be looked for on the PATH.
        let path = match path.value.components().count() {
            1 => Path::new(".").join(path.value),
            _ => path.value,
        };
        let Some(path) = path.to_str() else {
            let hint = "move the inventory into a folder with a UTF-8 name";
            page.refuse(item.at, "the path of this program is not UTF-8", hint);
            return None;
        };
        path.clone_into(&mut program);
    }
    let rest = words.value.into_iter().skip(1).map(|word| word.value);
    (page.refusals() == before).then(|| std::iter::once(program).chain(rest).collect())
}
