//! Whether a planned pattern leads to a path, for every piece of evidence of a run. Compiling a pattern takes longer
//! than all else about it: it is done only where the path begins as the pattern does, and once.

use std::cell::RefCell;
use std::collections::HashMap;

use globset::GlobMatcher;

use crate::run::guard::matcher;

#[derive(Default)]
pub(super) struct Globs(RefCell<HashMap<String, Option<GlobMatcher>>>);

impl Globs {
    /// As `matcher(pattern)` says; a path that is the pattern itself needs none.
    pub fn leads(&self, pattern: &str, path: &str) -> bool {
        let Some(begin) = pattern.find(['*', '?', '[', '{']) else {
            return pattern == path;
        };
        if !path.starts_with(&pattern[..begin]) {
            return false;
        }
        let mut known = self.0.borrow_mut();
        if !known.contains_key(pattern) {
            known.insert(pattern.to_owned(), matcher(pattern));
        }
        let glob = known.get(pattern).and_then(Option::as_ref);
        glob.is_some_and(|glob| glob.is_match(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_leads_where_its_matcher_leads() {
        let patterns = [
            "/a/b.log",
            "/a/*.log",
            "/a/*/b.log",
            "/a/**/b.log",
            "/a/**",
            "**/b.log",
            "*",
            "/a/b?.log",
            "/a/[bc].log",
            "/a/[!b].log",
            "/a/{b,c}.log",
            "/a/b\\*.log",
            "/a/{b",
            "/a/[b",
            "/a/b]}.log",
            "/a//*.log",
            "",
        ];
        let paths = [
            "/a/b.log",
            "/a/c.log",
            "/a/b1.log",
            "/a/x/b.log",
            "/a/x/y/b.log",
            "/a/b\\x.log",
            "/a/b]}.log",
            "/a//b.log",
            "/a/",
            "/a",
            "/ab.log",
            "/A/b.log",
            "b.log",
            "/a/{b,c}.log",
            "/a/{b",
            "",
        ];
        let globs = Globs::default();
        let mut led = 0;
        for pattern in patterns {
            for path in paths {
                let plain = matcher(pattern).is_some_and(|glob| glob.is_match(path));
                let must = plain || (pattern == path && !pattern.contains(['*', '?', '[', '{']));
                for _ in 0..2 {
                    assert_eq!(globs.leads(pattern, path), must, "{pattern} {path}");
                }
                led += usize::from(must);
            }
        }
        assert!(led > 20, "{led}");
    }
}
