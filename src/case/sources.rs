//! Which kept files a bundle is made of: every file that the run retrieved of the instance, by the digest that
//! the signed run states, and no other.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::Refused;
use crate::digest::{Sha256, Stream};
use crate::inventory::{Format, Instance};
use crate::redaction::{self, Shape, never};
use crate::report::schema::{Evidence, Report};
use crate::text::escape;

/// A kept file that the run vouches for.
pub(super) struct Source {
    pub artifact: String,
    /// As the run states it.
    pub evidence: Evidence,
    pub path: PathBuf,
    pub shape: Shape,
    /// `-wal` and `-journal` of a database.
    pub sidecars: Vec<(&'static str, PathBuf)>,
}

/// Artifact and path of what the run retrieved and nobody sends.
pub(super) type Withheld = Vec<(String, String)>;

/// Every source of `instance` as `team` retrieved it, and what was asked to be left out of them.
pub(super) fn find(
    report: &Report,
    instance: &Instance,
    team: &str,
    kept: &Path,
    allows_trace: bool,
    without: &[String],
    without_files: &[String],
) -> Result<(Vec<Source>, Withheld), Refused> {
    let mut problems = Vec::new();
    let mut wanted = wanted(report, &instance.name, team);
    for artifact in without {
        let had = wanted.len();
        wanted.retain(|(name, _), _| name != artifact);
        if wanted.len() == had {
            let why = format!(
                "--without names `{}`, which the run did not retrieve",
                escape(artifact)
            );
            return Err(Refused::Usage(
                why,
                "name an artifact of the instance, as the inventory does",
            ));
        }
    }
    let withheld = withhold(&mut wanted, without_files)?;
    if wanted.is_empty() && !withheld.is_empty() {
        let why = "nothing is left to send".to_owned();
        return Err(Refused::Usage(why, "leave fewer files out"));
    }
    if wanted.is_empty() {
        let why = format!(
            "the run retrieved nothing of `{}` as team `{}`",
            escape(&instance.name),
            escape(team)
        );
        return Err(Refused::Found(
            vec![why],
            "name an instance and a team of the run",
        ));
    }
    let directory = [&instance.name, team]
        .iter()
        .fold(kept.to_owned(), |path, part| path.join(clean(part)));
    let mut by_digest: BTreeMap<(String, String), PathBuf> = BTreeMap::new();
    let mut strangers = Vec::new();
    for (artifact, path) in files(&directory, &mut problems)? {
        if without.iter().any(|name| clean(name) == artifact) {
            continue;
        }
        let digest = digest(&path)?.to_string();
        let is_known = wanted.iter().any(|(_, evidence)| {
            evidence.sha256 == digest && clean(&evidence.artifact) == artifact
        }) || earlier(report, &instance.name, team, &artifact, &digest);
        match is_known {
            true => {
                by_digest.insert((artifact, digest), path);
            }
            false => strangers.push(path),
        }
    }
    for path in strangers {
        problems.push(format!(
            "`{}` is not what the run retrieved: no evidence of the run has its digest",
            escape(&path.to_string_lossy())
        ));
    }
    let mut sources: Vec<Source> = Vec::new();
    for ((artifact, path), evidence) in &wanted {
        let key = (clean(artifact), evidence.sha256.clone());
        let Some(local) = by_digest.get(&key) else {
            problems.push(format!(
                "`{}` ({}) was retrieved, and is not kept in `{}`",
                escape(path),
                escape(artifact),
                escape(&directory.join(clean(artifact)).to_string_lossy())
            ));
            continue;
        };
        let mut file = File::open(local)?;
        let mut head = [0; 4096];
        let length = read_head(&mut file, &mut head)?;
        let reason = never(path, &head[..length]).or_else(|| {
            let is_trace = |level: &crate::report::schema::LevelFound| {
                ["trace", "developer"].contains(&level.name.as_str()) && level.entries > 0
            };
            let levels = evidence.log.iter().flat_map(|log| &log.levels);
            let has = levels.into_iter().any(is_trace);
            (has && !allows_trace).then_some(TRACE)
        });
        if let Some(reason) = reason {
            problems.push(format!(
                "`{}` ({}){STAYS}{reason}",
                escape(path),
                escape(artifact)
            ));
            continue;
        }
        let format = instance
            .artifacts_for(team)
            .iter()
            .find(|one| one.name == *artifact)
            .and_then(|one| one.format);
        sources.push(Source {
            artifact: artifact.clone(),
            shape: shape(format, path, &mut file)?,
            evidence: (*evidence).clone(),
            path: local.clone(),
            sidecars: Vec::new(),
        });
    }
    if !problems.is_empty() {
        let hint = match problems.iter().all(|problem| problem.contains(STAYS)) {
            true => {
                "leave it out: `--without ARTIFACT` the whole artifact, `--without-file PATH` that file alone"
            }
            false => {
                "keep the artifacts of this very run: `gonogo run … --keep DIR`; leave out what must stay at home with `--without ARTIFACT` or `--without-file PATH`"
            }
        };
        return Err(Refused::Found(problems, hint));
    }
    Ok((beside(sources), withheld))
}

/// What may never leave, in a problem of it.
const STAYS: &str = " stays at home: ";

/// Takes single files out, each as the run names it, a database with what belongs to it.
pub(super) fn withhold(
    wanted: &mut BTreeMap<(String, String), &Evidence>,
    without_files: &[String],
) -> Result<Withheld, Refused> {
    let mut withheld = Withheld::new();
    for file in without_files {
        let had = withheld.len();
        wanted.retain(|(artifact, path), _| {
            let is_it = ["", "-wal", "-journal", "-shm"]
                .iter()
                .any(|end| path.strip_suffix(end) == Some(file.as_str()));
            if is_it {
                withheld.push((artifact.clone(), path.clone()));
            }
            !is_it
        });
        if withheld.len() == had {
            let why = format!(
                "--without-file names `{}`, which the run did not retrieve, or which is left out already",
                escape(file)
            );
            let hint = "name a file by its whole path on the host, as the report of the run does";
            return Err(Refused::Usage(why, hint));
        }
    }
    Ok(withheld)
}

/// Why a log of that level is refused; `--allow-trace` is the way out.
pub(super) const TRACE: &str = "it has entries of level trace, which hold the messages themselves (`--allow-trace` takes it all the same)";

/// The newest evidence of each remote path, by artifact and path.
fn wanted<'r>(
    report: &'r Report,
    instance: &str,
    team: &str,
) -> BTreeMap<(String, String), &'r Evidence> {
    let mut wanted = BTreeMap::new();
    for check in &report.checks {
        if check.instance.as_deref() == Some(instance) && check.team.as_deref() == Some(team) {
            let evidence = check
                .evidence
                .iter()
                .filter(|one| one.method != "listing" && one.promise.is_none());
            for one in evidence {
                wanted.insert((one.artifact.clone(), one.path.clone()), one);
            }
        }
    }
    wanted
}

/// Whether another check of the run retrieved these bytes: a log grows, and each check takes it anew.
fn earlier(report: &Report, instance: &str, team: &str, artifact: &str, digest: &str) -> bool {
    let checks = report.checks.iter().filter(|check| {
        check.instance.as_deref() == Some(instance) && check.team.as_deref() == Some(team)
    });
    let mut evidence = checks.flat_map(|check| &check.evidence);
    evidence.any(|one| one.sha256 == digest && clean(&one.artifact) == artifact)
}

/// What belongs to a database goes with it.
fn beside(sources: Vec<Source>) -> Vec<Source> {
    let mut bases: Vec<Source> = Vec::new();
    let mut sidecars = Vec::new();
    let databases: Vec<(String, String)> = sources
        .iter()
        .filter(|source| source.shape == Shape::Database)
        .map(|source| (source.artifact.clone(), source.evidence.path.clone()))
        .collect();
    for source in sources {
        let found = ["-wal", "-journal", "-shm"].into_iter().find_map(|end| {
            let base = source.evidence.path.strip_suffix(end)?;
            let is_there = databases
                .iter()
                .any(|(artifact, path)| *artifact == source.artifact && path == base);
            is_there.then(|| (end, base.to_owned()))
        });
        match found {
            Some((end, base)) => sidecars.push((source.artifact, base, end, source.path)),
            None => bases.push(source),
        }
    }
    for (artifact, base, end, path) in sidecars {
        let of = bases
            .iter_mut()
            .find(|one| one.artifact == artifact && one.evidence.path == base);
        // What is shared in memory is made anew.
        if let Some(of) = of.filter(|_| end != "-shm") {
            of.sidecars.push((end, path));
        }
    }
    bases
}

fn shape(format: Option<Format>, path: &str, file: &mut File) -> Result<Shape, Refused> {
    if redaction::is_database(file)? {
        return Ok(Shape::Database);
    }
    // Packed text is read as lines, whatever is inside.
    if redaction::packing(file)?.is_some() {
        return Ok(Shape::Lines);
    }
    let ends = |ends: &[&str]| {
        ends.iter()
            .any(|end| path.to_ascii_lowercase().ends_with(end))
    };
    Ok(match format {
        Some(Format::Xml) => Shape::Xml,
        Some(Format::Yaml) => Shape::Yaml,
        Some(Format::Json) => Shape::Json,
        Some(format) if format.is_settings() => Shape::Settings(format),
        None if ends(&[".xml"]) => Shape::Xml,
        None if ends(&[".yaml", ".yml"]) => Shape::Yaml,
        None if ends(&[".json"]) => Shape::Json,
        _ => Shape::Lines,
    })
}

/// Regular files of `<directory>/<artifact>/<file>`, with the artifact.
fn files(directory: &Path, problems: &mut Vec<String>) -> Result<Vec<(String, PathBuf)>, Refused> {
    let mut files = Vec::new();
    let entries = fs::read_dir(directory).map_err(|error| {
        let why = format!(
            "cannot read `{}`: {error}",
            escape(&directory.to_string_lossy())
        );
        Refused::Usage(
            why,
            "--from names the directory that `gonogo run --keep` filled",
        )
    })?;
    for artifact in entries {
        let artifact = artifact?;
        let name = artifact.file_name().to_string_lossy().into_owned();
        if !artifact.file_type()?.is_dir() {
            problems.push(format!(
                "`{}` is not what the run keeps there",
                escape(&artifact.path().to_string_lossy())
            ));
            continue;
        }
        for file in fs::read_dir(artifact.path())? {
            let file = file?;
            match file.file_type()?.is_file() {
                true => files.push((name.clone(), file.path())),
                false => problems.push(format!(
                    "`{}` is no regular file",
                    escape(&file.path().to_string_lossy())
                )),
            }
        }
    }
    files.sort();
    Ok(files)
}

pub(super) fn digest(path: &Path) -> Result<Sha256, Refused> {
    let mut file = File::open(path)?;
    let mut stream = Stream::default();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(stream.finish()),
            length => stream.update(&buffer[..length]),
        }
    }
}

fn read_head(file: &mut File, head: &mut [u8]) -> Result<usize, Refused> {
    let mut length = 0;
    while length < head.len() {
        match file.read(&mut head[length..])? {
            0 => break,
            more => length += more,
        }
    }
    Ok(length)
}

/// As `run --keep` names what it keeps.
pub(super) fn clean(name: &str) -> String {
    crate::steps::kept_name(name)
}
