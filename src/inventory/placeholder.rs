//! `{name}` in commands and paths. Values are data: what is filled in is never looked at again.

use super::grammar;
use super::page::Mark;

/// Names that every placeholder may use without a value in `vars`.
pub(super) const RESERVED: [&str; 5] = ["instance", "host", "team", "product", "environment"];

/// Text with holes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    pub at: Mark,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Hole(String),
}

/// What stands for a hole.
pub(super) trait Values {
    /// The value of `{hole}`.
    fn value(&self, hole: &str) -> Option<&str>;
}

impl Template {
    /// Reads `{name}`; `{{` and `}}` are the braces themselves.
    ///
    /// # Errors
    /// The hint, when a brace is left alone or a placeholder is no identifier.
    pub fn parse(text: &str, at: Mark) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(brace) = rest.find(['{', '}']) {
            literal.push_str(&rest[..brace]);
            let after = &rest[brace + 1..];
            let open = rest[brace..].starts_with('{');
            let own = if open { '{' } else { '}' };
            if let Some(doubled) = after.strip_prefix(own) {
                literal.push(own);
                rest = doubled;
                continue;
            }
            if !open {
                return Err("a `}` stands alone: write `}}` for the brace itself".into());
            }
            let Some((name, tail)) = after.split_once('}') else {
                return Err(
                    "a `{` is never closed: write `{name}`, or `{{` for the brace itself".into(),
                );
            };
            if grammar::identifier(name).is_err() {
                return Err(format!(
                    "`{{{name}}}` is no placeholder: write letters, digits and `_` between the braces, or `{{{{` for the brace itself"
                ));
            }
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(Part::Hole(name.to_owned()));
            rest = tail;
        }
        literal.push_str(rest);
        if !literal.is_empty() || parts.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Self { at, parts })
    }

    /// Names of the placeholders, in order, perhaps repeated.
    pub fn holes(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Hole(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The placeholder that the text begins with, if it begins with one.
    pub fn begins_with_hole(&self) -> Option<&str> {
        match self.parts.first()? {
            Part::Hole(name) => Some(name),
            Part::Text(_) => None,
        }
    }

    /// What stands between the placeholders.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Hole(_) => None,
        })
    }

    /// The text with every hole filled, or the name of the first that has no value.
    pub fn fill(&self, values: &impl Values) -> Result<String, &str> {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Hole(name) => filled.push_str(values.value(name).ok_or(name.as_str())?),
            }
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One(&'static str);

    impl Values for One {
        fn value(&self, hole: &str) -> Option<&str> {
            (hole == "home").then_some(self.0)
        }
    }

    fn filled(text: &str, home: &'static str) -> String {
        let template = Template::parse(text, Mark::BUILT_IN).unwrap();
        template.fill(&One(home)).unwrap()
    }

    #[test]
    fn a_value_is_never_expanded_twice() {
        assert_eq!(filled("{home}/x/{home}", "/a"), "/a/x//a");
        assert_eq!(filled("{home}", "{home}"), "{home}");
        assert_eq!(filled("{{home}}", "/a"), "{home}");
        assert_eq!(filled("{{{home}}}", "/a"), "{/a}");
        assert_eq!(filled("", "/a"), "");
    }

    #[test]
    fn braces_are_closed_and_placeholders_have_values() {
        for bad in ["{home", "home}", "{}", "{a b}", "{home}}", "{1}", "{a{b}"] {
            assert!(Template::parse(bad, Mark::BUILT_IN).is_err(), "{bad}");
        }
        let template = Template::parse("{hoem}", Mark::BUILT_IN).unwrap();
        assert_eq!(template.fill(&One("/a")), Err("hoem"));
    }
}
