//! The words of a log for its levels, from low to high.

/// Words and their ranks.
#[derive(Clone, Debug, Default)]
pub struct Ranks(Vec<Vec<String>>);

impl Ranks {
    /// From low to high; words of one list are one level.
    pub const fn new(levels: Vec<Vec<String>>) -> Self {
        Self(levels)
    }

    /// The rank of a word: as written, else by ASCII letters of either case (`WARN`, `warn`).
    pub fn of(&self, word: &str) -> Option<usize> {
        let find = |same: fn(&str, &str) -> bool| {
            let of_level = |level: &Vec<String>| level.iter().any(|known| same(known, word));
            self.0.iter().position(of_level)
        };
        find(|known, word| known == word).or_else(|| find(str::eq_ignore_ascii_case))
    }

    /// The first word of each level.
    pub fn names(&self) -> Vec<String> {
        let first = |words: &Vec<String>| words.first().cloned().unwrap_or_default();
        self.0.iter().map(first).collect()
    }
}
