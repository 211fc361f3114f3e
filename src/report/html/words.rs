//! Words from outside as they may stand on the page: nothing that steers, hides or reorders, nothing so tall or
//! so long that it takes the page from its reader. maud escapes them for HTML after this.

use std::borrow::Cow;
use std::sync::LazyLock;

use maud::{Markup, html};
use regex::Regex;

use crate::text;

/// Most characters of a name, an id, a path.
const MOST: usize = 2_000;
/// Most characters of what a failure says; `report.json` holds the rest.
const WHOLE: usize = 20_000;
/// What is longer scrolls in a box of its own.
const SHORT: usize = 1_200;

/// Towers of marks reach over the lines above, and what shows nothing can hide words: Unicode 16, general
/// categories M and Cf, and the fillers that are letters by name alone.
static ODD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\p{M}{5,}|[\p{Cf}\p{Co}\p{Zl}\p{Zp}\u{34f}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{2800}\u{3164}\u{ffa0}]|[\u{fe00}-\u{fe0f}\u{e0100}-\u{e01ef}]{2,}").ok()
});

/// A name or a phrase.
pub(in crate::report) fn t(words: &str) -> Cow<'_, str> {
    shown(words, MOST)
}

fn shown(words: &str, most: usize) -> Cow<'_, str> {
    if words.is_ascii() && words.len() <= most && !words.contains(text::is_unsafe) {
        return Cow::Borrowed(words);
    }
    let clipped = text::clip(words, most);
    let mut safe = text::escape(&clipped).into_owned();
    if let Some(odd) = &*ODD {
        let told = |found: &regex::Captures<'_>| found[0].escape_unicode().to_string();
        safe = odd.replace_all(&safe, told).into_owned();
    }
    if matches!(clipped, Cow::Owned(_)) {
        safe += &format!(
            " ({} characters in all, see report.json)",
            words.chars().count()
        );
    }
    Cow::Owned(safe)
}

/// What a failure says, in full; where it is very long, in a box that scrolls. What stands between backticks is
/// to be typed, and looks like it.
pub(super) fn told(name: &str, words: &str) -> Markup {
    let safe = shown(words, WHOLE);
    let is_long = words.chars().nth(SHORT).is_some();
    html! {
        @if is_long { div.long tabindex="0" role="region" aria-label=(name) { (marked(&safe)) } }
        @else { (marked(&safe)) }
    }
}

fn marked(safe: &str) -> Markup {
    let parts: Vec<&str> = safe.split('`').collect();
    // An odd backtick means none.
    let is_paired = parts.len() % 2 == 1;
    html! {
        @if is_paired {
            @for (place, part) in parts.iter().enumerate() {
                @if place % 2 == 0 { (part) } @else { code { (part) } }
            }
        } @else { (safe) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_or_towers_is_shown_as_what_it_is() {
        assert!(ODD.is_some());
        for plain in [
            "orders",
            "Zürich → 東京",
            "नमस्ते ไทย שָׁלוֹם",
            "e\u{301}\u{327}",
        ] {
            assert_eq!(t(plain), plain);
        }
        let tower = format!("o{}k", "\u{301}".repeat(40));
        assert!(t(&tower).starts_with("o\\u{301}\\u{301}"));
        for hidden in [
            '\u{ad}',
            '\u{34f}',
            '\u{3164}',
            '\u{e0041}',
            '\u{180e}',
            '\u{202e}',
            '\0',
        ] {
            let words = format!("a{hidden}b");
            assert_eq!(t(&words), format!("a{}b", hidden.escape_unicode()));
        }
    }

    #[test]
    fn what_is_endless_is_cut_and_says_so() {
        let endless = "x".repeat(1 << 20);
        let name = t(&endless);
        assert!(
            name.len() < 3_000 && name.ends_with("… (1048576 characters in all, see report.json)")
        );
        let told = told("actual", &endless).into_string();
        assert!(told.len() < 21_000 && told.starts_with("<div class=\"long\" tabindex=\"0\""));
    }

    #[test]
    fn what_is_to_be_typed_looks_like_it() {
        let said = |words| told("hint", words).into_string();
        assert_eq!(said("run `a <b>` now"), "run <code>a &lt;b&gt;</code> now");
        assert_eq!(said("an odd ` one"), "an odd ` one");
    }
}
