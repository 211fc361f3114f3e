//! How reasons put many things into one line.

/// Names shown before the rest is only counted: a reason stays one readable line.
const SHOWN: usize = 3;

/// `a, b, c and 9 more`.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.into_iter().collect();
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// `12 of 40 checks`, `1 of 1 check`.
pub(super) fn of_all(some: usize, all: usize) -> String {
    let s = if all == 1 { "" } else { "s" };
    format!("{some} of {all} check{s}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_it_does_not_show() {
        assert_eq!(list(["a", "b", "c"]), "a, b, c");
        assert_eq!(list(["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
        assert_eq!(of_all(1, 1), "1 of 1 check");
        assert_eq!(of_all(1, 40), "1 of 40 checks");
    }
}
