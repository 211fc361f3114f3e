//! Tables in a text: the names of the columns, and the rows below them. Divided by a mark, quoted as in CSV
//! (RFC 4180) over several lines if need be, set in columns with blanks, or told by `COPY … FROM stdin`.

use std::ops::Range;

use super::cues::{self, Cue};
use super::node::is_value;

/// Longest line that is taken for the names of columns.
const HEADER: usize = 2000;

/// How rows are divided.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Divider {
    Mark(char),
    /// Two blanks or more.
    Blanks,
}

/// The columns of the rows that follow.
#[derive(Clone)]
pub(super) struct Columns {
    divider: Divider,
    cues: Vec<Cue>,
    /// Where each name began.
    starts: Vec<usize>,
    /// Where a row names something, and where its value stands: `| key | value |`.
    pair: Option<(usize, usize)>,
    /// The column whose quoted value goes on, with its quote.
    open: Option<usize>,
}

/// A cell: where it stands, and what its column says.
pub(super) type Cell = (Range<usize>, Cue);

impl Columns {
    /// The cells of a row; `None` when the line is none of the table.
    pub fn row(&mut self, body: &str) -> Option<Vec<Cell>> {
        let mut cells = match self.divider {
            Divider::Mark(mark) => self.marked(body, mark),
            Divider::Blanks => self.aligned(body),
        }?;
        if let Some((naming, value)) = self.pair {
            let named = cells
                .get(naming)
                .map(|(range, _)| cues::of(body.get(range.clone()).unwrap_or_default().trim()));
            if let (Some(named), Some(cell)) = (named, cells.get_mut(value)) {
                cell.1 = named;
            }
        }
        Some(cells)
    }

    /// Whether a line without cells may stand in the table.
    pub fn goes_on(&self, body: &str) -> bool {
        let is_rule = body.bytes().all(|byte| b"-+=| ".contains(&byte));
        is_rule && (!body.trim().is_empty() || self.open.is_some())
    }

    fn marked(&mut self, body: &str, mark: char) -> Option<Vec<Cell>> {
        let mut cells = Vec::new();
        let mut at = self.open.unwrap_or_default();
        let mut in_quote = self.open.is_some();
        let was_open = in_quote;
        let mut start = 0;
        for (offset, c) in body.char_indices() {
            let begins = body[start..offset].trim().is_empty();
            if c == '"' && mark != '|' && (in_quote || begins) {
                in_quote = !in_quote;
            } else if c == mark && !in_quote {
                cells.push((at, start..offset));
                (at, start) = (at + 1, offset + c.len_utf8());
            }
        }
        cells.push((at, start..body.len()));
        let is_whole = at + 1 == self.cues.len();
        let is_begun = in_quote && at < self.cues.len();
        if !is_whole && !is_begun {
            // It was no quote of a table after all: as many marks as names.
            let plain: Vec<&str> = body.split(mark).collect();
            if was_open || plain.len() != self.cues.len() {
                return None;
            }
            let mut from = 0;
            cells = plain
                .into_iter()
                .enumerate()
                .map(|(at, cell)| {
                    let range = from..from + cell.len();
                    from = range.end + mark.len_utf8();
                    (at, range)
                })
                .collect();
            in_quote = false;
        }
        self.open = in_quote.then_some(at);
        let cue = |at: usize| self.cues.get(at).copied().unwrap_or(Cue::None);
        Some(
            cells
                .into_iter()
                .map(|(at, range)| (range, cue(at)))
                .collect(),
        )
    }

    fn aligned(&self, body: &str) -> Option<Vec<Cell>> {
        if body.trim().is_empty() {
            return None;
        }
        let cells = blank_cells(body);
        // Other names, or no table any more.
        let is_header =
            header(body, false).is_some_and(|next| next.cues.iter().any(|cue| cue.is_secret()));
        if is_header || cells.len() == 1 && self.cues.len() > 1 {
            return None;
        }
        if cells.len() == self.cues.len() {
            return Some(cells.into_iter().zip(self.cues.iter().copied()).collect());
        }
        // Something is missing, or holds two blanks: as it stands below the names.
        let mut all = Vec::new();
        for (at, cue) in self.cues.iter().enumerate() {
            let from = floor(body, self.starts.get(at).copied().unwrap_or_default());
            let to = self
                .starts
                .get(at + 1)
                .map_or(body.len(), |to| floor(body, *to));
            all.push((from..to.max(from), *cue));
        }
        Some(all)
    }
}

fn floor(body: &str, at: usize) -> usize {
    let mut at = at.min(body.len());
    while !body.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Pieces with two blanks or a tab between.
fn blank_cells(body: &str) -> Vec<Range<usize>> {
    let mut cells: Vec<Range<usize>> = Vec::new();
    let mut gap = "";
    let mut at = 0;
    for word in body.split_inclusive([' ', '\t']) {
        let bare = word.trim_end_matches([' ', '\t']);
        let range = at..at + bare.len();
        at += word.len();
        if bare.is_empty() {
            gap = "  ";
            continue;
        }
        match cells.last_mut() {
            Some(last) if gap.len() < 2 => last.end = range.end,
            _ => cells.push(range),
        }
        gap = if word.ends_with('\t') { "  " } else { " " };
    }
    cells
}

/// The columns that `body` names, if one of them is a secret's or a person's. `is_entry`: a log wrote it.
pub(super) fn header(body: &str, is_entry: bool) -> Option<Columns> {
    if body.len() > HEADER || body.len() < 3 {
        return None;
    }
    if let Some(columns) = copied(body) {
        return Some(columns);
    }
    let marked = [',', '\t', ';', '|']
        .into_iter()
        .find(|divider| body.contains(*divider))
        .and_then(|divider| {
            let mut names: Vec<&str> = body.split(divider).collect();
            if let (true, Some(first)) = (is_entry, names.first_mut()) {
                *first = first.split_whitespace().next_back().unwrap_or_default();
            }
            named(names.into_iter(), Divider::Mark(divider), Vec::new())
        });
    if marked.is_some() || is_entry || !body.contains("  ") && !body.contains('\t') {
        return marked
            .filter(|columns| !is_entry || columns.cues.iter().any(|cue| cue.is_secret()));
    }
    let cells = blank_cells(body);
    let is_title = |name: &str| !name.chars().any(char::is_lowercase) || !name.contains(' ');
    if cells.len() < 2
        || !cells.iter().all(|cell| is_title(&body[cell.clone()]))
        || body.contains(['=', ':'])
    {
        return None;
    }
    let starts = cells.iter().map(|cell| cell.start).collect();
    named(
        cells.iter().map(|cell| &body[cell.clone()]),
        Divider::Blanks,
        starts,
    )
}

fn named<'n>(
    names: impl Iterator<Item = &'n str>,
    divider: Divider,
    starts: Vec<usize>,
) -> Option<Columns> {
    let names: Vec<&str> = names
        .map(|name| name.trim().trim_matches(['"', '\'']))
        .collect();
    let is_name = |name: &&str| {
        name.len() <= 40
            && name.split_whitespace().count() <= 3
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || "_-. #%()".contains(c))
            && !name.starts_with(|c: char| c.is_ascii_digit())
    };
    let filled = names.iter().filter(|name| !name.is_empty()).count();
    if names.len() < 2 || filled < 2 || !names.iter().all(is_name) {
        return None;
    }
    let mut cues: Vec<Cue> = names.iter().map(|name| cues::of(name)).collect();
    let value = names.iter().position(|name| is_value(name));
    let naming = names.iter().position(|name| cues::names_another(name));
    let pair = naming.zip(value).filter(|(naming, value)| naming != value);
    if let Some((naming, _)) = pair {
        cues[naming] = Cue::None;
    }
    let tells = cues
        .iter()
        .any(|cue| cue.is_secret() || matches!(cue, Cue::Person(_)))
        || pair.is_some();
    tells.then_some(Columns {
        divider,
        cues,
        starts,
        pair,
        open: None,
    })
}

/// `COPY users (id, login, password) FROM stdin;` (PostgreSQL): tabs divide what follows.
fn copied(body: &str) -> Option<Columns> {
    let at = body.find("COPY ")?;
    let (_, rest) = body[at..].split_once('(')?;
    let (names, rest) = rest.split_once(')')?;
    rest.trim_start()
        .get(..10)
        .filter(|from| from.eq_ignore_ascii_case("FROM stdin"))?;
    named(names.split(','), Divider::Mark('\t'), Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets<'b>(head: &str, rows: &[&'b str]) -> Vec<&'b str> {
        let mut columns = header(head, false).unwrap_or_else(|| panic!("{head}"));
        let mut found = Vec::new();
        for row in rows {
            for (range, cue) in columns.row(row).unwrap_or_default() {
                if cue.is_secret() && !row[range.clone()].trim().is_empty() {
                    found.push(row[range].trim().trim_matches('"'));
                }
            }
        }
        found
    }

    #[test]
    fn cells_stand_below_their_names_however_they_are_divided() {
        for (head, rows, found) in [
            ("login,note,password", &["\"a,b\",\"x\",V"][..], &["V"][..]),
            (
                "login,note,password",
                &["\"a,b\",\"several", "lines\",V", "c,d,W"],
                &["V", "W"],
            ),
            ("login;password", &["a \"b\";V"], &["V"]),
            (
                "COPY users (id, login, password_hash) FROM stdin;",
                &["1\tbob\tV"],
                &["V"],
            ),
            (
                "NAME      PASSWORD     HOST",
                &["a         V            h", "          V            h"],
                &["V", "V"],
            ),
            (
                "| user | authentication_string |",
                &["| x    | V |"],
                &["V"],
            ),
        ] {
            assert_eq!(secrets(head, rows), found, "{head}");
        }
        for plain in [
            "a sentence, and another one about ports",
            "NAME      SIZE     PORTS",
            "key = value, other = value",
            "COPY orders (id, size) FROM stdin;",
        ] {
            assert!(header(plain, false).is_none(), "{plain}");
        }
        assert!(header("2026-11-22T05:10:38 [1] info: 00-0015 user|password", true).is_some());
        assert!(header("2026-11-22T05:10:38 [1] info: 00-0015 user, topic", true).is_none());
    }
}
