//! Follows what a configuration includes: each file is fetched with it, as long as the inventory plans
//! that. How a path is meant is the product's affair, and told here format by format.

use std::collections::HashMap;

use globset::{GlobBuilder, GlobMatcher};

use super::rows::Links;
use crate::evidence::Content;
use crate::evidence::settings::Include;
use crate::evidence::unpack::Tail;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, Format, Source};
use crate::steps::resume::Losses;
use crate::steps::retrieve::{Fetched, one, regular};
use crate::steps::{Stop, World};
use crate::text;
use crate::transport::Entry;

/// Deepest that files include files: PostgreSQL's own limit (`CONF_FILE_MAX_DEPTH`), and MySQL's.
pub(super) const DEEPEST: usize = 10;
/// Most files of one configuration.
const MOST: usize = 1000;

/// Fetches what `files` include and adds it to them.
pub(in crate::steps) async fn follow(
    world: &World,
    artifact: &Artifact,
    files: &mut Vec<Fetched>,
    losses: &mut Losses,
) -> Result<Links, Stop> {
    let mut walk = Walk {
        world,
        losses,
        artifact,
        planned: planned(artifact),
        known: (files.iter().enumerate())
            .map(|(at, (file, _))| (file.path.clone(), at))
            .collect(),
        mains: files.iter().map(|(file, _)| file.path.clone()).collect(),
        links: Links::default(),
    };
    let mut at = 0;
    while at < files.len() {
        walk.file(at, files).await?;
        at += 1;
    }
    refuse_cycles(files, &walk.links)?;
    for (_, content) in files.iter_mut() {
        if let Ok(Content::Settings(found)) = content {
            found.told.is_complete = true;
        }
    }
    Ok(walk.links)
}

/// A pattern that the plan printed, and what it matches.
type Planned = (String, Option<GlobMatcher>);

fn planned(artifact: &Artifact) -> Vec<Planned> {
    let own = match &artifact.source {
        Source::Path(path) => Some(path),
        _ => None,
    };
    let includes = artifact.configuration.includes.iter().flatten();
    let patterns = own.into_iter().chain(includes);
    patterns
        .map(|pattern| (pattern.clone(), matcher(pattern)))
        .collect()
}

/// As the run's guard matches: a `*` stays within its directory.
fn matcher(pattern: &str) -> Option<GlobMatcher> {
    let mut glob = GlobBuilder::new(pattern);
    let glob = glob.literal_separator(true).backslash_escape(false).build();
    glob.ok().map(|glob| glob.compile_matcher())
}

struct Walk<'w> {
    world: &'w World,
    /// Of the whole artifact.
    losses: &'w mut Losses,
    artifact: &'w Artifact,
    planned: Vec<Planned>,
    known: HashMap<String, usize>,
    /// The file that each file was included from in the end, by position.
    mains: Vec<String>,
    links: Links,
}

impl Walk<'_> {
    async fn file(&mut self, at: usize, files: &mut Vec<Fetched>) -> Result<(), Stop> {
        let (file, content) = &files[at];
        let includes = match content {
            Ok(Content::Settings(found)) => found.includes.clone(),
            Ok(_) => return Ok(()),
            Err(failure) => return Err(failure.clone().into()),
        };
        let path = file.path.clone();
        for (number, include) in includes.iter().enumerate() {
            let target = Target {
                include,
                file: &path,
                main: &self.mains[at].clone(),
                format: self.artifact.format,
            };
            let mut to = Vec::new();
            for entry in self.entries(&target).await? {
                to.push(self.fetch(&entry, at, &target, files).await?);
            }
            self.links.add(at, number, to);
        }
        Ok(())
    }

    /// The files that a directive means.
    async fn entries(&self, target: &Target<'_>) -> Result<Vec<Entry>, Stop> {
        let path = target.resolve()?;
        if !target.is_pattern(&path) {
            if self.known.contains_key(&path) {
                return Ok(vec![known(path)]);
            }
            if !self.planned.iter().any(|planned| covers(planned, &path)) {
                return Err(self.unplanned(target, &path).into());
            }
            return match self.list(&path).await {
                Ok(found) if found.is_empty() => self.absent(target, &path),
                Err(Stop::Failure(failure)) if failure.kind == FailureKind::Missing => {
                    self.absent(target, &path)
                }
                found => found,
            };
        }
        let covering: Vec<&Planned> = (self.planned.iter())
            .filter(|planned| covers(planned, &path))
            .collect();
        if covering.is_empty() {
            return Err(self.unplanned(target, &path).into());
        }
        let wanted = matcher(&path);
        let mut entries: Vec<Entry> = Vec::new();
        // What is planned is listed, not what the file says: nothing is asked that was not printed.
        for (pattern, _) in covering {
            match self.list(pattern).await {
                Ok(found) => entries.extend(found),
                // nginx takes a directory that is not there for a pattern that matches nothing.
                Err(Stop::Failure(failure))
                    if failure.kind == FailureKind::Missing && !target.include.is_directory => {}
                Err(stop) => return Err(stop),
            }
        }
        entries.retain(|entry| {
            let hidden = entry.path.rsplit('/').next();
            let hidden = hidden.is_some_and(|name| name.starts_with('.'));
            !hidden
                && wanted
                    .as_ref()
                    .is_some_and(|glob| glob.is_match(&entry.path))
        });
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        entries.dedup_by(|a, b| a.path == b.path);
        Ok(entries)
    }

    async fn list(&self, pattern: &str) -> Result<Vec<Entry>, Stop> {
        let session = self.world.session().await?;
        let found = session.list(pattern, self.world.limits()?).await;
        Ok(found.map_err(|failure| failure.with_subject_if_none(pattern))?)
    }

    async fn fetch(
        &mut self,
        entry: &Entry,
        from: usize,
        target: &Target<'_>,
        files: &mut Vec<Fetched>,
    ) -> Result<usize, Stop> {
        if let Some(known) = self.known.get(&entry.path) {
            return Ok(*known);
        }
        if files.len() >= MOST {
            let expected = format!("a configuration of at most {MOST} files");
            return Err(Failure::new(FailureKind::TooLarge, expected, "more of them")
                .with_subject(target.file)
                .with_hint("look at what this file includes: a pattern may lead into a directory of other files")
                .into());
        }
        regular(entry)?;
        let limits = self.world.limits()?;
        let spent: u64 = files.iter().map(|(file, _)| file.bytes).sum();
        let fetched = one(
            self.world,
            self.artifact,
            &entry.path,
            Tail::Closed,
            limits.bytes.saturating_sub(spent),
            self.losses,
        )
        .await?;
        if fetched.0.bytes == 0 {
            let actual = format!("0 bytes, included in {}", target.place());
            return Err(Failure::new(FailureKind::Empty, "content", actual)
                .with_subject(&entry.path)
                .with_hint("an empty file is no evidence that support could use: restore it, or take the directive away")
                .into());
        }
        files.push(fetched);
        let at = files.len() - 1;
        self.known.insert(entry.path.clone(), at);
        self.mains.push(self.mains[from].clone());
        Ok(at)
    }

    fn absent(&self, target: &Target<'_>, path: &str) -> Result<Vec<Entry>, Stop> {
        if target.include.is_optional {
            return Ok(Vec::new());
        }
        let actual = format!(
            "nothing at {}, which {} includes",
            shown(path),
            target.place()
        );
        let hint =
            "the product does not start without it: restore the file, or take the directive away";
        Err(
            Failure::new(FailureKind::Missing, "every file that is included", actual)
                .with_subject(target.file)
                .with_hint(hint)
                .into(),
        )
    }

    fn unplanned(&self, target: &Target<'_>, path: &str) -> Failure {
        let (path, place) = (shown(path), target.place());
        let actual = format!("{place} includes {path}, which is not among them");
        let hint = format!(
            "add `{path}` to `includes:` of artifact `{}` in the inventory, so that the plan says that it is read",
            self.artifact.name
        );
        let expected = "includes that the artifact's `includes:` name";
        Failure::new(FailureKind::Missing, expected, actual)
            .with_subject(target.file)
            .with_hint(hint)
    }
}

/// A directive and the file that it stands in.
struct Target<'t> {
    include: &'t Include,
    file: &'t str,
    main: &'t str,
    format: Option<Format>,
}

impl Target<'_> {
    fn place(&self) -> String {
        format!("line {} of {}", self.include.line, shown(self.file))
    }

    /// Where the directive leads: an absolute path or pattern.
    fn resolve(&self) -> Result<String, Failure> {
        let Self {
            include, format, ..
        } = self;
        // nginx: relative to the prefix, which is the main file's directory (ngx_conf_full_name); AMPS:
        // so as well. PostgreSQL: relative to the file that includes.
        let base = match format {
            Some(Format::Nginx | Format::Xml) => self.main,
            _ => self.file,
        };
        let base = base.rsplit_once('/').map_or("", |(directory, _)| directory);
        let directory = self.main.rsplit_once('/').map_or("", |(one, _)| one);
        let path = include.path.replace("${AMPS_CONFIG_DIRECTORY}", directory);
        if path.contains("${") || path.contains("$(") {
            let actual = format!(
                "{} includes {}, whose variable only the product knows",
                self.place(),
                shown(&path)
            );
            let expected = "includes that can be followed from outside of the product";
            return Err(Failure::new(FailureKind::Missing, expected, actual)
                .with_subject(self.file)
                .with_hint("write the path itself into the configuration, or fetch these files by an artifact of their own"));
        }
        let mut whole = match path.starts_with('/') {
            true => path,
            false => format!("{base}/{path}"),
        };
        if include.is_directory {
            // MySQL reads `*.cnf` of a directory, PostgreSQL `*.conf`.
            let end = if *format == Some(Format::Ini) {
                "cnf"
            } else {
                "conf"
            };
            whole = format!("{}/*.{end}", whole.trim_end_matches('/'));
        }
        let mut parts: Vec<&str> = Vec::new();
        for part in whole.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        Ok(format!("/{}", parts.join("/")))
    }

    /// nginx and Redis take patterns, the others only directories.
    fn is_pattern(&self, path: &str) -> bool {
        let takes_patterns = matches!(self.format, Some(Format::Nginx | Format::Conf));
        self.include.is_directory || (takes_patterns && path.contains(['*', '?', '[']))
    }
}

fn covers((pattern, glob): &Planned, path: &str) -> bool {
    pattern == path || glob.as_ref().is_some_and(|glob| glob.is_match(path))
}

fn known(path: String) -> Entry {
    Entry {
        path,
        kind: crate::transport::EntryKind::File,
        size: 0,
        modified: None,
    }
}

fn shown(path: &str) -> String {
    text::clip(&text::escape(path), 200).into_owned()
}

/// No file may lead back to itself, nor deeper than products go.
fn refuse_cycles(files: &[Fetched], links: &Links) -> Result<(), Failure> {
    let includes = |at: usize| match &files[at].1 {
        Ok(Content::Settings(found)) => found.includes.len(),
        _ => 0,
    };
    let next: Vec<Vec<(usize, usize)>> = (0..files.len())
        .map(|at| {
            let numbers = 0..includes(at);
            let to = numbers.flat_map(|number| {
                let to = links.of(at, number).iter();
                to.map(move |to| (number, *to))
            });
            to.collect()
        })
        .collect();
    // Depth below each file, once it is known; `None` while it stands on the way.
    let mut below: HashMap<usize, Option<usize>> = HashMap::new();
    for start in 0..files.len() {
        let mut way = vec![(start, 0)];
        while let Some((at, child)) = way.pop() {
            if child == 0 {
                if matches!(below.get(&at), Some(Some(_))) {
                    continue;
                }
                below.insert(at, None);
            }
            let Some((number, to)) = next[at].get(child) else {
                let deepest = next[at]
                    .iter()
                    .filter_map(|(_, to)| below.get(to).copied().flatten());
                below.insert(at, Some(deepest.max().map_or(0, |depth| depth + 1)));
                continue;
            };
            way.push((at, child + 1));
            match below.get(to) {
                Some(None) => return Err(cycle(files, at, *number, *to)),
                Some(Some(_)) => {}
                None => way.push((*to, 0)),
            }
        }
        if below.get(&start).copied().flatten() > Some(DEEPEST) {
            let actual = format!("more than {DEEPEST}, from this file on");
            let expected = format!("files that include each other at most {DEEPEST} deep");
            return Err(Failure::new(FailureKind::Corrupt, expected, actual)
                .with_subject(&files[start].0.path)
                .with_hint(
                    "the product itself gives up at such a depth: include the files directly",
                ));
        }
    }
    Ok(())
}

fn cycle(files: &[Fetched], at: usize, number: usize, to: usize) -> Failure {
    let (file, content) = &files[at];
    let line = match content {
        Ok(Content::Settings(found)) => found.includes[number].line,
        _ => 0,
    };
    let actual = format!(
        "line {line} of {} includes {} again, which leads to this file",
        shown(&file.path),
        shown(&files[to].0.path)
    );
    Failure::new(FailureKind::Corrupt, "includes that come to an end", actual)
        .with_subject(&file.path)
        .with_hint("take one of the directives away: the product cannot start from a circle")
}
