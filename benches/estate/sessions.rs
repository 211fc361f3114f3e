//! The processes that a server started, and their CPU, from proc(5).

use std::path::Path;

/// CPU of one process, with that of its reaped children.
pub struct Stat {
    parent: u32,
    id: u32,
    /// Clock ticks, user and system.
    pub ticks: u64,
}

/// Every living process below `root` (proc(5)).
pub fn descendants(root: u32) -> Vec<Stat> {
    let mut all: Vec<Stat> = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| stat(&entry.ok()?.path()))
        .collect();
    let mut found: Vec<Stat> = Vec::new();
    loop {
        let is_below =
            |stat: &Stat| stat.id == root || found.iter().any(|above| above.id == stat.parent);
        let (below, rest) = all.into_iter().partition(is_below);
        let below: Vec<Stat> = below;
        all = rest;
        if below.is_empty() {
            return found;
        }
        found.extend(below);
    }
}

fn stat(process: &Path) -> Option<Stat> {
    let text = std::fs::read_to_string(process.join("stat")).ok()?;
    // The name in parentheses may hold blanks.
    let (head, tail) = text.rsplit_once(')')?;
    let fields: Vec<&str> = tail.split_whitespace().collect();
    let ticks = fields.get(11..15)?.iter().map(|ticks| ticks.parse::<u64>());
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        id: head.split(' ').next()?.parse().ok()?,
        ticks: ticks.sum::<Result<u64, _>>().ok()?,
    })
}
