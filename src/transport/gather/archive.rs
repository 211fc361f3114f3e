//! Many files in one answer, by the host's `tar`. Held to the letter: the members that were asked for in their order,
//! each a regular file or another name of one before it, and the end that `tar` writes. What does not parse so is no
//! answer. Unpacks nothing, and knows no file system.

use std::io::Read as _;

use tar::{Archive, EntryType};

use super::{MOST, MOST_ANSWER};

const BLOCK: [u8; 512] = [0; 512];

/// The contents of the members `called` so, and what stands behind the archive.
pub(super) fn read<'a>(printed: &'a [u8], called: &[&str]) -> Option<(Vec<Vec<u8>>, &'a [u8])> {
    let mut rest = printed;
    let mut members: Vec<Vec<u8>> = Vec::new();
    let mut room = MOST + MOST_ANSWER;
    for member in Archive::new(&mut rest).entries().ok()? {
        let mut member = member.ok()?;
        let name = called.get(members.len())?;
        (*member.path_bytes() == *name.as_bytes()).then_some(())?;
        let bytes = match member.header().entry_type() {
            EntryType::Regular => {
                let mut bytes = Vec::new();
                member.read_to_end(&mut bytes).ok()?;
                (bytes.len() as u64 == member.size()).then_some(bytes)?
            }
            // GNU tar writes a file once, however many of its names are asked for.
            EntryType::Link => {
                let of = member.link_name_bytes()?;
                let mut before = called.iter().take(members.len());
                let at = before.position(|name| *name.as_bytes() == *of)?;
                members[at].clone()
            }
            _ => return None,
        };
        // So many names of one file would be more than ever came.
        room = room.checked_sub(bytes.len() as u64)?;
        members.push(bytes);
    }
    (members.len() == called.len()).then_some(())?;
    // Of the two blocks at its end one was read; more of them fill a record.
    rest = rest.strip_prefix(&BLOCK)?;
    while let Some(behind) = rest.strip_prefix(&BLOCK) {
        rest = behind;
    }
    Some((members, rest))
}

/// Whether `tar` has read every file to the end it had when opened, by its status and by what it said. GNU tar remarks
/// that a log has grown meanwhile, which the looks around it show as well; whoever fills a file up says something else.
pub(super) fn is_whole(status: &str, said: &[u8]) -> bool {
    let has_grown = |said: &str| {
        let mut lines = said.lines();
        lines
            .all(|line| line.starts_with("tar: ") && line.ends_with(": file changed as we read it"))
    };
    match (status, std::str::from_utf8(said)) {
        ("0", Ok(said)) => said.is_empty(),
        ("1", Ok(said)) => !said.is_empty() && has_grown(said),
        _ => false,
    }
}
