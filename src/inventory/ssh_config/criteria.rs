//! What a `Match` line asks, cut as OpenSSH cuts it. Whether it holds is `weigh.rs`'s business.

use super::lex::delimited;

/// One thing asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Criterion {
    pub negated: bool,
    pub asks: Asks,
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    All,
    /// `canonical` or `final`: the second reading; true for `final`, which asks for one.
    Again(bool),
    Host(String),
    OriginalHost(String),
    User(String),
    LocalUser(String),
    /// What cannot be known without asking the world: `exec`, `localnetwork`, `tagged` …
    World(String),
}

/// The criteria of a line.
///
/// # Errors
/// What is wrong with them, in a phrase.
pub(super) fn parse(mut rest: &str) -> Result<Vec<Criterion>, String> {
    const OPEN: &str = "a quote is not closed";
    let mut criteria = Vec::new();
    let argument =
        |rest: &mut &str| delimited(rest).filter(|word| !word.is_empty() && !word.starts_with('#'));
    while !rest.is_empty() {
        let word = delimited(&mut rest).ok_or(OPEN)?;
        if word.is_empty() || word.starts_with('#') {
            break;
        }
        let negated = word.starts_with('!');
        let name = word.trim_start_matches('!').to_ascii_lowercase();
        let asks = match name.as_str() {
            "all" => {
                let alone = criteria.len() <= 1 && argument(&mut rest).is_none();
                if !alone {
                    return Err("`all` cannot be combined with other criteria".to_owned());
                }
                criteria.push(Criterion {
                    negated,
                    asks: Asks::All,
                });
                return Ok(criteria);
            }
            "canonical" | "final" => Asks::Again(name == "final"),
            "host" | "originalhost" | "user" | "localuser" | "exec" | "localnetwork" | "tagged"
            | "version" | "sessiontype" | "command" => {
                let Some(value) = argument(&mut rest) else {
                    return Err(format!("`Match {name}` needs a value"));
                };
                match name.as_str() {
                    "host" => Asks::Host(value),
                    "originalhost" => Asks::OriginalHost(value),
                    "user" => Asks::User(value),
                    "localuser" => Asks::LocalUser(value),
                    _ => Asks::World(name),
                }
            }
            _ => return Err(format!("`Match` knows no `{name}`")),
        };
        criteria.push(Criterion { negated, asks });
    }
    match criteria.is_empty() {
        true => Err("`Match` asks nothing".to_owned()),
        false => Ok(criteria),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criteria_are_cut_and_refused_as_by_openssh() {
        let one = |negated, asks| vec![Criterion { negated, asks }];
        assert_eq!(parse("all # x"), Ok(one(false, Asks::All)));
        assert_eq!(parse("!host=a,b"), Ok(one(true, Asks::Host("a,b".into()))));
        assert_eq!(
            parse("exec \"test -f x\""),
            Ok(one(false, Asks::World("exec".into())))
        );
        assert_eq!(parse("final host a # b").unwrap().len(), 2);
        for bad in [
            "all host a",
            "host a user b all",
            "host",
            "host #",
            "nobody x",
            "#",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
