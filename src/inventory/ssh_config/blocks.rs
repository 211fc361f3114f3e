//! The lines of one file by their `Host` and `Match` blocks, so that a file with ten thousand hosts is not
//! read from top to bottom for each of them.

use std::collections::HashMap;
use std::ops::Range;

use super::file::{Line, Says};

/// Lines in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Blocks {
    lines: Vec<Line>,
    blocks: Vec<Range<usize>>,
    /// Blocks that may be about any host.
    open: Vec<usize>,
    /// Blocks that are about the hosts they spell out, by host.
    spelt: HashMap<String, Vec<usize>>,
}

impl Blocks {
    pub fn of(lines: Vec<Line>) -> Self {
        let is_head = |line: &Line| matches!(line.says, Says::Host(_) | Says::Match(_));
        let heads = lines.iter().enumerate().filter(|(_, line)| is_head(line));
        let mut starts: Vec<usize> = std::iter::once(0).chain(heads.map(|(at, _)| at)).collect();
        starts.dedup();
        let ends = starts.iter().skip(1).copied().chain([lines.len()]);
        let blocks: Vec<Range<usize>> = starts.iter().zip(ends).map(|(at, end)| *at..end).collect();
        let (mut open, mut spelt) = (Vec::new(), HashMap::<String, Vec<usize>>::new());
        for (index, block) in blocks.iter().enumerate() {
            match spelt_out(&lines[block.clone()]) {
                None => open.push(index),
                Some(hosts) => {
                    for host in hosts {
                        spelt.entry(host.clone()).or_default().push(index);
                    }
                }
            }
        }
        Self {
            lines,
            blocks,
            open,
            spelt,
        }
    }

    /// The lines that may count for `host`, in their order.
    pub fn about(&self, host: &str) -> impl Iterator<Item = &Line> {
        let spelt = self.spelt.get(host).map_or(&[][..], Vec::as_slice);
        let mut blocks: Vec<usize> = self.open.iter().chain(spelt).copied().collect();
        blocks.sort_unstable();
        blocks.dedup();
        let blocks = blocks.into_iter().map(|index| self.blocks[index].clone());
        blocks.flat_map(|block| &self.lines[block])
    }
}

/// The hosts of a block that is about no other. A keyword that nobody knows is told whatever block it is in.
fn spelt_out(block: &[Line]) -> Option<&[String]> {
    let Says::Host(patterns) = &block.first()?.says else {
        return None;
    };
    let is_open = |pattern: &String| pattern.contains(['*', '?', '!']);
    let strange = block
        .iter()
        .any(|line| matches!(line.says, Says::Unknown(_) | Says::Include(_)));
    (!strange && !patterns.iter().any(is_open)).then_some(patterns)
}
