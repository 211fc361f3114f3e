//! What an artifact's path may be: absolute, without `..`, its patterns `*`, `?` and `[…]` within
//! one component. Looks at text only; what the path leads to is `transport`'s.

use globset::GlobBuilder;

/// Message and hint.
pub(super) type Objection = (&'static str, &'static str);

/// Characters that a pattern gives a meaning; a value filled into a path must have none of them.
/// Braces and backslash are in it because some readers of patterns know them.
pub(super) fn is_pattern(c: char) -> bool {
    "*?[]{}\\".contains(c)
}

/// What the written part of a path gets wrong, whatever is filled in.
pub(super) fn object_to_literal(literal: &str) -> Option<Objection> {
    if literal.contains(['\\', '{', '}']) {
        return Some((
            "a path holds no backslash and no braces",
            "write `?` for one character that cannot be written",
        ));
    }
    if !literal.contains(['[', ']']) {
        return None;
    }
    let sound = literal.split('/').all(|component| {
        GlobBuilder::new(component).build().is_ok()
            && component.matches('[').count() >= component.matches(']').count()
    });
    if sound {
        None
    } else {
        Some((
            "a `[` or `]` of the pattern has no partner",
            "write a set such as `[0-9]`, or `?` for one character",
        ))
    }
}

/// What the whole path gets wrong, all placeholders filled.
pub(super) fn object_to(path: &str) -> Option<Objection> {
    if path.starts_with("~/") {
        return Some((
            "`~` is not expanded on a server",
            "write the whole path, beginning with `/`",
        ));
    }
    if !path.starts_with('/') {
        return Some((
            "a path on a server must be absolute",
            "begin it with `/`, or with a placeholder whose value does",
        ));
    }
    if climbs(path) {
        return Some((
            "a path may not climb with `..`",
            "write the path it leads to",
        ));
    }
    if path.contains("**") {
        return Some((
            "`**` would search whole trees",
            "write one `*` for each directory level",
        ));
    }
    if path.ends_with('/') {
        return Some((
            "this names a directory",
            "name the files in it: end with a file name or a pattern such as `*.log`",
        ));
    }
    None
}

/// What a directory for private copies gets wrong, all placeholders filled.
pub(super) fn object_to_directory(path: &str) -> Option<Objection> {
    if path.contains(is_pattern) {
        return Some((
            "a copy is made in one directory",
            "write it without a pattern, such as `/var/tmp`",
        ));
    }
    match path.trim_end_matches('/') {
        "" if path.starts_with('/') => None,
        directory => object_to(directory),
    }
}

/// True when a component is `..`.
pub(super) fn climbs(path: &str) -> bool {
    path.split('/').any(|component| component == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_to_what_leaves_its_place_and_to_nothing_else() {
        for good in ["/a", "/a b/c.log", "/opt/*/x?.[0-9]", "/a/..b/c..", "/a//b"] {
            assert_eq!(object_to(good), None, "{good}");
            assert_eq!(object_to_literal(good), None, "{good}");
        }
        for bad in [
            "", "a", "./a", "~/a", "/a/../b", "/..", "/a/**", "/a**b", "/a/",
        ] {
            assert!(object_to(bad).is_some(), "{bad}");
        }
        for bad in ["/a[", "/a]", "/a[0-", "/{a,b}", "/a\\*", "/[9-0]"] {
            assert!(object_to_literal(bad).is_some(), "{bad}");
        }
    }
}
