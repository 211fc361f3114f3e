//! Tokens of ssh_config(5), TOKENS and ENVIRONMENT VARIABLES: `%h` and its kin, and `${NAME}`.

/// Fills in each `%x` of the table; `%%` is a percent sign.
///
/// # Errors
/// The token that is none of them.
pub(super) fn fill(text: &str, table: &[(char, &str)]) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            filled.push(c);
            continue;
        }
        let token = rest.next();
        match (token, table.iter().find(|(known, _)| Some(*known) == token)) {
            (Some('%'), _) => filled.push('%'),
            (_, Some((_, value))) => filled.push_str(value),
            (token, None) => {
                return Err(format!("%{}", token.map_or_else(String::new, String::from)));
            }
        }
    }
    Ok(filled)
}

/// Fills in `${NAME}` as well. A value is never filled twice.
///
/// # Errors
/// The token or variable that is not known.
pub(super) fn fill_all(
    text: &str,
    table: &[(char, &str)],
    variable: impl Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        filled.push_str(&fill(&rest[..start], table)?);
        let after = &rest[start + 2..];
        let Some(end) = after.find('}') else {
            return Err(rest[start..].to_owned());
        };
        let name = &after[..end];
        let value = variable(name).filter(|_| !name.is_empty());
        filled.push_str(&value.ok_or_else(|| format!("${{{name}}}"))?);
        rest = &after[end + 1..];
    }
    filled.push_str(&fill(rest, table)?);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_filled_once() {
        let table = [('h', "%r"), ('r', "ops")];
        assert_eq!(fill("a%h%%%r", &table), Ok("a%r%ops".into()));
        assert_eq!(fill("%C", &table), Err("%C".into()));
        assert_eq!(fill("x%", &table), Err("%".into()));
        let variable = |name: &str| (name == "A").then(|| "${A}%h".to_owned());
        assert_eq!(
            fill_all("${A}/%r", &table, variable),
            Ok("${A}%h/ops".into())
        );
        assert_eq!(fill_all("${B}", &table, variable), Err("${B}".into()));
        assert_eq!(fill_all("${A", &table, variable), Err("${A".into()));
    }
}
