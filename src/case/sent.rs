//! What a file is that is about to leave, by what is in it: its name can say anything. A bundle of gonogo must be
//! reviewed and whole, keys and maps of names stay at home whatever is said, and any other file goes only where
//! somebody says that it is meant.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::archive::{self, Member, Packing};
use super::deliver::Wrong;
use super::manifest::{Review, SCHEMA};
use super::{origin, split};
use crate::digest::Sha256;
use crate::encryption::{self, MOST_HEAD};
use crate::redaction::never;
use crate::report::drill::Said;
use crate::text::{clip, escape};

/// So much is kept of what a bundle says of itself.
const MOST_PAGE: usize = 16 << 20;
const REVIEW: &str = "REVIEW.json";
const SUMS: &str = "SHA256SUMS";
const MANIFEST: &str = "manifest.json";

/// What it is.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// How it is packed, where it is a whole bundle.
    pub packing: Option<Packing>,
    /// What a person should read before.
    pub notes: Vec<String>,
    /// What a bundle says of itself.
    pub said: Option<Said>,
    /// Whether it is encrypted: nobody here can look into it.
    pub is_locked: bool,
}

/// Every bundle that these files are, which are one each, or all parts of one; and whether one is encrypted, of which
/// nobody can tell.
///
/// # Errors
/// Why one of them must not leave, or that it says nothing of a run.
pub fn said(files: &[PathBuf]) -> Result<(Vec<Said>, bool), Vec<Wrong>> {
    let (mut parts, mut all) = (Vec::new(), Vec::new());
    for path in files {
        match split::numbered(path) {
            Some(number) => parts.push((number, path.clone())),
            None => all.push((path, File::open(path))),
        }
    }
    parts.sort();
    if let Some(((_, of), path)) = parts.first() {
        let numbers = parts.iter().map(|(number, _)| *number);
        let whole: Vec<(u64, u64)> = (1..=*of).map(|number| (number, *of)).collect();
        if !numbers.eq(whole) {
            return Err(vec![(
                format!(
                    "`{}` is a part, and not all parts of it are named",
                    own(path)
                ),
                "name every part that was delivered, each once".to_owned(),
            )]);
        }
        // Where each is encrypted, or the whole was, the first begins as such.
        let paths: Vec<PathBuf> = parts.iter().map(|(_, path)| path.clone()).collect();
        all.push((path, joined(&paths)));
    }
    let (mut said, mut is_locked) = (Vec::new(), false);
    for (path, file) in all {
        let own = own(path);
        let mut file = file.map_err(|error| unread(&own, &error))?;
        let sent = judge(&own, &mut file, Some("--file"))?;
        is_locked |= sent.is_locked;
        match sent.said {
            _ if sent.is_locked => {}
            Some(one) => said.push(one),
            None => {
                return Err(vec![(
                    format!("`{own}` says nothing of a run: nobody can tell what it is of, or who looked at it"),
                    "note what `gonogo case build RUN … --reviewed-by NAME` wrote of the run that was noted, or that file encrypted".to_owned(),
                )]);
            }
        }
    }
    Ok((said, is_locked))
}

fn own(path: &Path) -> String {
    let own = path.file_name().unwrap_or_default().to_string_lossy();
    own.into_owned()
}

fn unread(own: &str, error: &io::Error) -> Vec<Wrong> {
    vec![(
        format!("`{own}` cannot be read: {error}"),
        "name a file that this account may read".to_owned(),
    )]
}

/// Opens the file at `path`; `meant` says how somebody said that it is this one, whatever is in it.
///
/// # Errors
/// Why it must not leave.
pub fn look(path: &Path, meant: Option<&str>) -> Result<Sent, Vec<Wrong>> {
    let own = own(path);
    let unread = |error: io::Error| unread(&own, &error);
    let mut file = File::open(path).map_err(unread)?;
    let is_part = split::siblings(path);
    let Some(all) = is_part else {
        return judge(&own, &mut file, meant);
    };
    let head = head(&mut file).map_err(unread)?;
    if encryption::look(&head).is_some() && !all.is_first {
        return judge(&own, &mut file, meant);
    }
    // A part says nothing of the whole: all of them lie where they were made.
    match joined(&all.paths) {
        Ok(mut whole) => {
            let mut sent = judge(&own, &mut whole, meant)?;
            let parts = all.paths.len();
            sent.notes.push(format!(
                "one of {parts} parts, of which the whole was opened"
            ));
            Ok(sent)
        }
        // Each part can be encrypted for itself.
        Err(_) if encryption::look(&head).is_some() => judge(&own, &mut file, meant),
        Err(error) => {
            stays(&own, &head)?;
            match meant {
                Some(how) => Ok(other("it is a part of something that nobody can open", how)),
                None => Err(vec![(
                    format!("`{own}` is a part, and the whole cannot be opened: {error}"),
                    "deliver it from the folder that `gonogo case split` wrote, where all parts lie; or state its digest with --sha256".to_owned(),
                )]),
            }
        }
    }
}

fn other(what: &str, how: &str) -> Sent {
    Sent {
        notes: vec![format!("{what}: it goes as it is, by {how}")],
        ..Sent::default()
    }
}

fn head(file: &mut File) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    file.rewind()?;
    file.take(MOST_HEAD as u64).read_to_end(&mut head)?;
    file.rewind()?;
    Ok(head)
}

fn joined(parts: &[PathBuf]) -> io::Result<File> {
    let mut whole = tempfile::tempfile()?;
    for part in parts {
        let named = |error: io::Error| {
            let name = part.file_name().unwrap_or_default().to_string_lossy();
            io::Error::other(format!("`{name}`: {error}"))
        };
        io::copy(&mut File::open(part).map_err(named)?, &mut whole).map_err(named)?;
    }
    Ok(whole)
}

fn judge(own: &str, file: &mut File, meant: Option<&str>) -> Result<Sent, Vec<Wrong>> {
    let head = head(file).map_err(|error| unread(own, &error))?;
    if encryption::look(&head).is_some() {
        return Ok(Sent {
            notes: vec!["it is encrypted: nobody here can look into it".to_owned()],
            is_locked: true,
            ..Sent::default()
        });
    }
    stays(own, &head)?;
    let mut is_archive = false;
    if let Some(packing) = Packing::of_head(&head) {
        let mut members = Vec::new();
        let done = archive::walk(packing, file, &kept, &mut |member| members.push(member));
        if let Some(root) = root(&members) {
            done.map_err(|error| changed(own, &format!("it cannot be read to its end: {error}")))?;
            let said = reviewed(own, &root, &members)?;
            return Ok(Sent {
                packing: Some(packing),
                said,
                ..Sent::default()
            });
        }
        is_archive = done.is_ok() && !members.is_empty();
        for member in &members {
            stays(&format!("{own}: {}", member.name), &member.head)?;
        }
        let inside = archive::unpacked(packing, file, MOST_HEAD);
        stays(own, &inside.unwrap_or_default())?;
    }
    if let Some(why) = never(own, &head) {
        return Err(vec![(
            format!("`{own}` stays at home: {why}"),
            "build a bundle of what support needs: `gonogo case build`".to_owned(),
        )]);
    }
    match meant {
        Some(how) => Ok(other("it is no bundle of gonogo", how)),
        None => Err(vec![(
            format!("`{own}` is no bundle of gonogo{}: nobody redacted or reviewed it", match is_archive {
                true => ", but another archive",
                false => "",
            }),
            "name what `gonogo case build … --reviewed-by NAME` wrote; if this very file is meant, state its digest with --sha256, or say --any-file".to_owned(),
        )]),
    }
}

/// What never leaves, whoever says so.
fn stays(own: &str, head: &[u8]) -> Result<(), Vec<Wrong>> {
    let holds = |needle: &[u8]| head.windows(needle.len()).any(|window| window == needle);
    let no = |what: &str, hint: &str| {
        let own = escape(&clip(own, 200)).into_owned();
        Err(vec![(
            format!("`{own}` stays at home: it is {what}"),
            hint.to_owned(),
        )])
    };
    let is_json = head.trim_ascii_start().starts_with(b"{");
    if is_json && holds(origin::MARK) {
        return no(
            "the list that says what was retrieved, with the digests of files that nobody redacted",
            "name the bundle beside it, without `.origins.json`",
        );
    }
    if is_json && holds(b"gonogo/names/v") {
        return no(
            "the map that says what every token stands for",
            "name the bundle beside it, without `.names.json`",
        );
    }
    let marks: [&[u8]; 4] = [
        b"PRIVATE KEY-----",
        b"PGP PRIVATE KEY BLOCK",
        b"AGE-SECRET-KEY-",
        b"PuTTY-User-Key-File-",
    ];
    if marks.iter().any(|mark| holds(mark)) || encryption::is_secret_key(head) {
        return no(
            "or holds a private key",
            "name the bundle; if the key was shown to anybody, replace it",
        );
    }
    Ok(())
}

/// How much is kept of a member.
fn kept(name: &str) -> usize {
    match name.rsplit('/').next() {
        Some(REVIEW | SUMS | MANIFEST) => MOST_PAGE,
        _ => MOST_HEAD,
    }
}

/// The folder in the archive of a bundle, as its own pages tell.
fn root(members: &[Member]) -> Option<String> {
    members.iter().find_map(|member| {
        let (root, name) = member.name.rsplit_once('/').unwrap_or(("", &member.name));
        let is_ours = match name {
            REVIEW => serde_json::from_slice::<Review>(&member.head).is_ok(),
            MANIFEST => {
                let mark = b"\"gonogo/case/v";
                member.head.windows(mark.len()).any(|window| window == mark)
            }
            _ => false,
        };
        is_ours.then(|| root.to_owned())
    })
}

fn changed(own: &str, why: &str) -> Vec<Wrong> {
    vec![(
        format!("`{own}` is not the bundle that was built: {}", escape(why)),
        "nobody may change a finished bundle: build it again with `gonogo case build`".to_owned(),
    )]
}

/// Somebody looked at exactly these members; what they say of themselves, where they are of a run.
fn reviewed(own: &str, root: &str, members: &[Member]) -> Result<Option<Said>, Vec<Wrong>> {
    let no = |why: &str| Err(changed(own, why));
    let mut below = BTreeMap::new();
    for member in members {
        let name = match root {
            "" => Some(&*member.name),
            root => member
                .name
                .strip_prefix(root)
                .and_then(|name| name.strip_prefix('/')),
        };
        let (Some(name), Some(digest)) = (name, member.digest) else {
            return no(&format!("`{}` is no member of a bundle", member.name));
        };
        if below.insert(name, (digest, &member.head)).is_some() {
            return no(&format!("`{name}` is in it twice"));
        }
    }
    let Some((_, review)) = below.remove(REVIEW) else {
        return no("it has no REVIEW.json");
    };
    let Some((content, sums)) = below.remove(SUMS) else {
        return no("it has no SHA256SUMS");
    };
    let review: Review = match serde_json::from_slice(review) {
        Ok(review) => review,
        Err(error) => return no(&format!("its REVIEW.json: {error}")),
    };
    let is_named = |name: &String| name.chars().any(char::is_alphanumeric);
    let Some(reviewed_by) = review.reviewed_by.clone().filter(is_named) else {
        return Err(vec![(
            format!("`{own}` was not reviewed: its REVIEW.json names nobody"),
            "look at it, then build it again with `--reviewed-by NAME`".to_owned(),
        )]);
    };
    if review.content != content.to_string() {
        return no("its REVIEW.json is about another content");
    }
    let Ok(sums) = std::str::from_utf8(sums) else {
        return no("its SHA256SUMS is no text");
    };
    let mut page = None;
    for line in sums.lines() {
        let told = line.split_once("  ");
        let told = told.and_then(|(digest, name)| Some((digest.parse::<Sha256>().ok()?, name)));
        let Some((digest, name)) = told else {
            return no("its SHA256SUMS has another form");
        };
        match below.remove(name) {
            Some((found, head)) if found == digest => {
                page = page.or_else(|| (name == MANIFEST).then_some(head));
            }
            Some(_) => return no(&format!("`{name}` has another digest than SHA256SUMS says")),
            None => return no(&format!("`{name}` is missing")),
        }
    }
    match below.keys().next() {
        None => Ok(page.and_then(|page| of_run(page, reviewed_by))),
        Some(more) => no(&format!("SHA256SUMS does not name `{more}`")),
    }
}

/// What a manifest says of its run; nothing where it is of none.
fn of_run(page: &[u8], reviewed_by: String) -> Option<Said> {
    /// What is read of it; what else it holds is for others.
    #[derive(Deserialize)]
    struct Page {
        schema: String,
        run: String,
        run_manifest_sha256: String,
        instance: String,
    }
    let page: Page = serde_json::from_slice(page).ok()?;
    let run_manifest: Sha256 = page.run_manifest_sha256.parse().ok()?;
    (page.schema == SCHEMA).then_some(Said {
        run: page.run,
        run_manifest: run_manifest.to_string(),
        instance: page.instance,
        reviewed_by,
    })
}
