//! From a step's text to a call: matching against the table, parameters validated, nothing run.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use cucumber_expressions::Expression;
use regex::Regex;

use super::call::Call;
use super::table::{STEPS, Takes};
use crate::inventory::Pattern;
use crate::{text, time};

/// Parameter types of our own, beside the built-in `{string}`.
const PARAMETERS: [(&str, &str); 2] = [
    (
        "artifact",
        r#"the version|the configuration|the event log|the statistics database|artifact "[^"]+""#,
    ),
    ("duration", r"\d+ (?:millisecond|second|minute|hour|day)s?"),
];

/// Why a text is no step.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BindError {
    /// No phrase matches.
    #[error("undefined step `{text}`")]
    Undefined {
        /// The step's text.
        text: String,
    },
    /// More than one phrase matches.
    #[error("ambiguous step `{text}`: it matches {}", .matches.join(" and "))]
    Ambiguous {
        /// The step's text.
        text: String,
        /// The expressions that match.
        matches: Vec<&'static str>,
    },
    /// A phrase matches and a parameter is wrong.
    #[error("{0}")]
    Parameter(String),
}

impl BindError {
    /// What to do about it; empty where the reason says it. Comparing with every phrase takes its time, and most
    /// texts that are no step are prose (`plan/prose.rs`): hence not part of the error.
    pub fn hint(&self) -> String {
        match self {
            Self::Undefined { text } => closest(text),
            Self::Ambiguous { .. } => "word it so that only one phrase matches".to_owned(),
            Self::Parameter(_) => String::new(),
        }
    }
}

/// A phrase of the table. Compiling all expressions takes longer than verifying a run, and a plan uses few.
struct Phrase {
    pieces: Vec<&'static str>,
    expression: &'static str,
    regex: OnceLock<Option<Regex>>,
}

static PHRASES: LazyLock<Vec<Phrase>> = LazyLock::new(|| {
    let phrase = |def: &&super::StepDef| Phrase {
        pieces: pieces(def.expression),
        expression: def.expression,
        regex: OnceLock::new(),
    };
    STEPS.iter().map(phrase).collect()
});

impl Phrase {
    /// False only where the expression cannot match: what it says in so many words is not there.
    fn may_match(&self, text: &str) -> bool {
        let Some((first, others)) = self.pieces.split_first() else {
            return true;
        };
        let Some(mut rest) = text.strip_prefix(first) else {
            return false;
        };
        let Some((last, between)) = others.split_last() else {
            return rest.is_empty();
        };
        for piece in between {
            let Some((_, behind)) = rest.split_once(piece) else {
                return false;
            };
            rest = behind;
        }
        rest.ends_with(last)
    }

    // The table is constant and a test compiles it: an expression that fails here cannot ship, and
    // matching nothing (`Undefined`) is the safe answer if one did.
    fn regex(&self) -> Option<&Regex> {
        let compiled = || compile(self.expression).ok();
        self.regex.get_or_init(compiled).as_ref()
    }
}

fn compile(expression: &str) -> Result<Regex, String> {
    let parameters: HashMap<&str, &str> = PARAMETERS.into_iter().collect();
    let compiled = Expression::regex_with_parameters(expression, &parameters);
    compiled.map_err(|error| format!("{expression}: {error}"))
}

/// What stands before, between and behind the parameters of an expression; empty where part of it is optional.
/// None at all where nothing is known: a word of alternatives may hold a parameter, and an escaped brace is none.
fn pieces(expression: &'static str) -> Vec<&'static str> {
    if expression.contains(['/', '\\']) {
        return Vec::new();
    }
    let literal = |piece: &'static str| match piece.contains(['(', ')']) {
        true => "",
        false => piece,
    };
    let mut pieces = Vec::new();
    let mut rest = expression;
    while let Some((before, behind)) = rest.split_once('{') {
        pieces.push(literal(before));
        rest = behind.split_once('}').map_or("", |(_, behind)| behind);
    }
    pieces.push(literal(rest));
    pieces
}

/// What stands below a step in the feature.
#[derive(Clone, Copy, Debug, Default)]
pub struct Below<'a> {
    /// The rows of a data table.
    pub table: Option<&'a [Vec<String>]>,
    /// A doc string, without its delimiters and the line breaks beside them.
    pub doc_string: Option<&'a str>,
}

impl<'a> Below<'a> {
    fn arguments(self, takes: Takes) -> Result<Vec<&'a str>, String> {
        match (takes, self.table, self.doc_string) {
            (Takes::Nothing, None, None) => Ok(Vec::new()),
            (Takes::DocString, None, Some(text)) if !text.trim().is_empty() => Ok(vec![text]),
            (Takes::Table, Some(rows), None) => rows
                .iter()
                .map(|row| match row.as_slice() {
                    [cell] if !cell.is_empty() => Ok(cell.as_str()),
                    _ => Err(
                        "the table below this step has one column, and no empty cell".to_owned(),
                    ),
                })
                .collect(),
            (Takes::Nothing, ..) => Err("this step takes no table and no doc string".to_owned()),
            (Takes::Table, ..) => Err("this step needs a table of one column below it".to_owned()),
            (Takes::DocString, ..) => {
                Err("this step needs a doc string with some text below it".to_owned())
            }
        }
    }
}

/// The call that `text` (without keyword, placeholders filled) names, with what stands below it.
///
/// # Errors
/// When no phrase or more than one matches, a parameter is out of range, or what stands below the
/// step is not what it takes.
pub fn bind(text: &str, below: Below<'_>) -> Result<Call, BindError> {
    let undefined = || BindError::Undefined {
        text: text.to_owned(),
    };
    let hits = hits(text);
    let &[(hit, regex)] = hits.as_slice() else {
        return Err(match hits.len() {
            0 => undefined(),
            _ => BindError::Ambiguous {
                text: text.to_owned(),
                matches: hits.iter().map(|(hit, _)| STEPS[*hit].expression).collect(),
            },
        });
    };
    let captures = regex.captures(text).ok_or_else(undefined)?;
    // `{string}` expands to two alternative groups, of which one takes part.
    let mut arguments: Vec<&str> = captures
        .iter()
        .skip(1)
        .flatten()
        .map(|capture| capture.as_str())
        .collect();
    arguments.extend(
        below
            .arguments(STEPS[hit].takes)
            .map_err(BindError::Parameter)?,
    );
    (STEPS[hit].build)(&arguments).map_err(BindError::Parameter)
}

/// Every phrase that matches, with its place in the table.
fn hits(text: &str) -> Vec<(usize, &'static Regex)> {
    let phrases = PHRASES.iter().enumerate();
    let likely = phrases.filter(|(_, phrase)| phrase.may_match(text));
    let compiled = likely.filter_map(|(at, phrase)| Some((at, phrase.regex()?)));
    compiled.filter(|(_, regex)| regex.is_match(text)).collect()
}

fn closest(text: &str) -> String {
    let distance = |def: &&&super::StepDef| strsim::damerau_levenshtein(text, phrase(def));
    match STEPS.iter().min_by_key(distance) {
        Some(def) if distance(&def) <= text.chars().count() / 2 => {
            format!(
                "the closest phrase is `{}`; `gonogo steps` lists them all",
                def.expression
            )
        }
        _ => "`gonogo steps` lists every phrase".to_owned(),
    }
}

fn phrase(def: &super::StepDef) -> &'static str {
    def.example
        .split_once(' ')
        .map_or(def.example, |(_, phrase)| phrase)
}

/// A number of things, at least 1 (`{int}`).
pub(super) fn number(words: &str) -> Result<u64, String> {
    match words.parse() {
        Ok(number @ 1..) => Ok(number),
        _ => Err(format!(
            "`{words}` is out of range: a whole number from 1 on"
        )),
    }
}

pub(super) fn duration(words: &str) -> Result<Duration, String> {
    time::parse_duration(words).map_err(|_| {
        format!(
            "`{}` is out of range: between 1 millisecond and 100 years",
            text::clip(words, 40)
        )
    })
}

/// A span of whole days: proofs and contracts tell days, no times.
pub(super) fn days(words: &str) -> Result<u32, String> {
    let span = duration(words)?.as_secs();
    match (span % 86_400, u32::try_from(span / 86_400)) {
        (0, Ok(days @ 1..)) => Ok(days),
        _ => Err(format!("`{words}`: write whole days, such as 92 days")),
    }
}

pub(super) fn pattern(source: &str) -> Result<Pattern, String> {
    Regex::new(source).map(Pattern).map_err(|error| {
        let last = error.to_string();
        let reason = last
            .lines()
            .last()
            .unwrap_or_default()
            .trim_start_matches("error: ");
        format!(
            "`{}` is no regular expression: {reason}",
            text::clip(source, 80)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::{ArtifactName, log};

    #[test]
    fn every_example_binds_to_its_own_step_and_no_other() {
        for (index, def) in STEPS.iter().enumerate() {
            compile(def.expression).unwrap();
            let hits: Vec<usize> = hits(phrase(def)).into_iter().map(|(at, _)| at).collect();
            assert_eq!(hits, [index], "{}", def.example);
            bind(phrase(def), fitting(def.takes)).unwrap();
            assert!(def.doc.ends_with('.') && def.example.starts_with(['G', 'W', 'T', 'A']));
        }
    }

    /// What is not compiled must be what cannot match: held to all expressions, over their examples and
    /// over what is nearly one.
    #[test]
    fn no_phrase_is_passed_over() {
        let each = STEPS.iter().map(|def| compile(def.expression).unwrap());
        let all = regex::RegexSet::new(each.map(|regex| regex.to_string())).unwrap();
        let mut texts: Vec<String> = STEPS.iter().map(|def| phrase(def).to_owned()).collect();
        for def in STEPS.iter() {
            let words: Vec<&str> = phrase(def).split(' ').collect();
            for at in 0..words.len() {
                let mut fewer = words.clone();
                let word = fewer.remove(at);
                texts.push(fewer.join(" "));
                for odd in [
                    "",
                    "artifact \"a b\"",
                    "the event log",
                    "1 hour",
                    "\"x\"",
                    "'x'",
                    "7",
                ] {
                    fewer.insert(at, odd);
                    texts.push(fewer.join(" "));
                    fewer[at] = word;
                    texts.push(fewer.join(" "));
                    fewer.remove(at);
                }
            }
            // Parameters as they would fill each place.
            for filling in [
                "the event log",
                "artifact \"x\"",
                "3 days",
                "42",
                "\"a b\"",
                "''",
            ] {
                let mut text = def.expression.to_owned();
                while let (Some(open), Some(close)) = (text.find('{'), text.find('}')) {
                    text.replace_range(open..=close, filling);
                    texts.push(text.clone());
                }
            }
        }
        let (mut matched, mut refused) = (0, 0);
        for text in &texts {
            let found: Vec<usize> = hits(text).into_iter().map(|(at, _)| at).collect();
            let must: Vec<usize> = all.matches(text).into_iter().collect();
            assert_eq!(found, must, "{text}");
            match must.is_empty() {
                true => refused += 1,
                false => matched += 1,
            }
        }
        assert!(matched > 200 && refused > 200, "{matched} {refused}");
    }

    #[test]
    fn a_piece_is_what_an_expression_says_in_so_many_words() {
        let text = "{artifact} has {int} % in the last {duration}";
        assert_eq!(pieces(text), ["", " has ", " % in the last ", ""]);
        assert_eq!(pieces("the team connects"), ["the team connects"]);
        assert_eq!(pieces("{int} day(s) of {string} left"), ["", "", " left"]);
        assert_eq!(pieces("a {int} is/are here"), [""; 0]);
    }

    fn fitting(takes: Takes) -> Below<'static> {
        static ROWS: LazyLock<Vec<Vec<String>>> =
            LazyLock::new(|| vec![vec!["event log".to_owned()]]);
        match takes {
            Takes::Nothing => Below::default(),
            Takes::Table => Below {
                table: Some(&ROWS),
                doc_string: None,
            },
            Takes::DocString => Below {
                table: None,
                doc_string: Some("text"),
            },
        }
    }

    #[test]
    fn what_stands_below_a_step_must_be_what_it_takes() {
        for def in STEPS.iter() {
            for takes in [Takes::Nothing, Takes::Table, Takes::DocString] {
                let bound = bind(phrase(def), fitting(takes));
                assert_eq!(
                    bound.is_ok(),
                    takes == def.takes,
                    "{} with {takes:?}",
                    def.example
                );
            }
        }
        let wide = [vec!["a".to_owned(), "b".to_owned()]];
        let below = Below {
            table: Some(&wide),
            doc_string: None,
        };
        assert!(bind("these artifacts can be retrieved:", below).is_err());
    }

    #[test]
    fn parameters_arrive() {
        assert_eq!(
            bind(
                "artifact \"audit log\" has an entry from the last 90 minutes",
                Below::default()
            ),
            Ok(Call::Log(
                ArtifactName::Named("audit log".into()),
                log::Ask::EntryWithin(Duration::from_secs(5400))
            ))
        );
        assert_eq!(
            bind("the team runs \"df -h /var\"", Below::default()),
            Ok(Call::Run(vec!["df".into(), "-h".into(), "/var".into()]))
        );
    }

    #[test]
    fn what_is_no_step_is_refused_with_a_way_out() {
        let undefined = bind("the event log can be retreived", Below::default()).unwrap_err();
        assert!(matches!(undefined, BindError::Undefined { .. }));
        let hint = undefined.hint();
        assert!(hint.contains("{artifact} can be retrieved"), "{hint}");
        assert!(matches!(
            bind("The event log can be retrieved", Below::default()),
            Err(BindError::Undefined { .. })
        ));
        assert!(matches!(
            bind("the event log can be retrieved ", Below::default()),
            Err(BindError::Undefined { .. })
        ));
        assert!(matches!(
            bind(
                "the event log covers the last 99999999999 days",
                Below::default()
            ),
            Err(BindError::Parameter(_))
        ));
        assert!(matches!(
            bind("its output matches \"(\"", Below::default()),
            Err(BindError::Parameter(_))
        ));
        assert!(matches!(
            bind("the team runs \"cat x | wc -l\"", Below::default()),
            Err(BindError::Parameter(_))
        ));
    }
}
