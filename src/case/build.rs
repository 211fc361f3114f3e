//! From kept files to a proven bundle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::Refused;
use super::archive::{self, Packing};
use super::enclosed;
use super::ends::end_of_file;
use super::known::known;
use super::lock::{self, Locked};
use super::manifest::{Bite, Enclosed, LeftOut, Manifest, Member, Review, SCHEMA, Window, page};
use super::origin::{self, Origin, Origins};
use super::proof;
use super::sources::{self, Source, digest};
use crate::encryption::Recipients;
use crate::inventory::Inventory;
use crate::redaction::{Counts, Engine, Map, Proof, Unfit, learn, learn_and_redact, redact, sound};
use crate::report::schema::Report;
use crate::text::escape;

/// A name that is known parts what stands around it, and other names may come out: files are read until none does, so
/// that the build after a review, which begins with this map, comes to the same.
const ROUNDS: usize = 6;
/// What is asked for.
pub struct Order<'a> {
    /// The run, verified.
    pub report: &'a Report,
    /// SHA-256 of its SHA256SUMS.
    pub run_digest: String,
    /// Who signed it.
    pub signer: &'a str,
    /// The inventory that it keeps.
    pub inventory: &'a Inventory,
    /// Which instance.
    pub instance: &'a str,
    /// As which team retrieved it; the first of the instance's.
    pub team: Option<&'a str>,
    /// Where `run --keep` put it.
    pub from: &'a Path,
    /// The finished request, which goes along.
    pub request: Option<&'a Path>,
    /// Artifacts that are left out.
    pub without: &'a [String],
    /// Files that are left out, each as the run names it.
    pub without_files: &'a [String],
    /// Whether logs of level trace go along.
    pub allows_trace: bool,
    /// Names that are to be replaced beside those of the run.
    pub names: Vec<String>,
    /// Rules and words of the house.
    pub rules: crate::inventory::redaction_rules::RedactionRules,
    /// Texts that must not be in it.
    pub canaries: Vec<String>,
    /// Who reviewed the unreviewed bundle.
    pub reviewed_by: Option<&'a str>,
    /// For whom it is encrypted as well, once it is proven.
    pub receivers: Option<&'a Recipients>,
    /// Where it is written.
    pub out: &'a Path,
    /// The map of names.
    pub map: &'a Path,
}

/// What was built.
pub struct Built {
    /// Where.
    pub path: PathBuf,
    /// Its digest.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// `REDACTION.md`.
    pub page: String,
    /// Which evidence of the run each of its files was made of; stays at home.
    pub origins: PathBuf,
    /// The same, encrypted.
    pub locked: Option<Locked>,
}

/// Where a bundle stands that nobody reviewed: its name says so.
fn unreviewed(out: &Path, packing: Packing) -> PathBuf {
    let name = out.to_string_lossy();
    let stem = name.strip_suffix(packing.end()).unwrap_or(&name);
    PathBuf::from(format!("{stem}.unreviewed{}", packing.end()))
}

/// Builds and proves it.
///
/// # Errors
/// Why there is no bundle; none is left then.
pub fn build(order: &Order<'_>) -> Result<Built, Refused> {
    let packing = Packing::of(&order.out.to_string_lossy()).ok_or_else(|| {
        let why = format!(
            "`{}` is no name of a bundle",
            escape(&order.out.to_string_lossy())
        );
        Refused::Usage(why, "end it with .tar.zst, .tar.gz or .zip")
    })?;
    let first = unreviewed(order.out, packing);
    let target = if order.reviewed_by.is_some() {
        order.out.to_owned()
    } else {
        first.clone()
    };
    if order.receivers.is_some() && order.reviewed_by.is_none() {
        let why = "nobody could look at an encrypted bundle".to_owned();
        return Err(Refused::Usage(
            why,
            "build it without, look at it, then name --reviewed-by and to whom it is encrypted",
        ));
    }
    let locked_name = order.receivers.map(|to| lock::name(&target, to));
    for name in std::iter::once(&target).chain(&locked_name) {
        if name.exists() {
            let why = format!("`{}` exists already", escape(&name.to_string_lossy()));
            return Err(Refused::Usage(
                why,
                "a bundle is never written over: remove it, or name another",
            ));
        }
    }
    let instance = order.inventory.instance(order.instance).ok_or_else(|| {
        let known = order
            .inventory
            .instances
            .iter()
            .map(|one| one.name.as_str());
        let near = crate::text::did_you_mean(order.instance, known);
        Refused::Usage(
            format!(
                "the run knows no instance `{}` {near}",
                escape(order.instance)
            ),
            "",
        )
    })?;
    let request = order
        .request
        .map(|path| enclosed::read(path, order))
        .transpose()?;
    let team = order
        .team
        .or_else(|| instance.teams.first().map(String::as_str))
        .unwrap_or_default();
    let (mut sources, withheld) = sources::find(
        order.report,
        instance,
        team,
        order.from,
        order.allows_trace,
        order.without,
        order.without_files,
    )?;
    sources.sort_by(|a, b| (&a.artifact, &a.evidence.path).cmp(&(&b.artifact, &b.evidence.path)));

    let map = Map::load(order.map).map_err(|fault| {
        Refused::Usage(
            fault.to_string(),
            "it must be a file that gonogo wrote, with mode 0600",
        )
    })?;
    let mut engine = Engine::new(known(order, &instance.name, &instance.product), map);
    engine
        .take_in(order.rules.clone())
        .map_err(|problems| Refused::Written(problems.into()))?;
    let work = tempfile::tempdir()?;
    let inputs = gathered(&sources, work.path())?;
    let content = work.path().join("content");
    fs::create_dir(&content)?;
    let mut opaque = Vec::new();
    let mut written: BTreeMap<usize, Counts> = BTreeMap::new();
    for round in 0..ROUNDS {
        let before = engine.knows();
        let mut unfit = Vec::new();
        opaque.clear();
        written.clear();
        for (number, (source, path)) in sources.iter().zip(&inputs).enumerate() {
            engine.open(&source.evidence.path);
            let out = anew(&content, number)?;
            // What the first round would write is never what leaves.
            let learnt = match round {
                0 => learn(&mut engine, source.shape, path).map(|()| None),
                _ => learn_and_redact(&mut engine, source.shape, path, &out).map(Some),
            };
            match learnt {
                Err(Unfit::Unknown) => opaque.push(number),
                learnt => {
                    let counts = note(learnt, source, &mut unfit)?.flatten();
                    written.extend(counts.map(|counts| (number, counts)));
                }
            }
        }
        refuse(unfit)?;
        engine.settle();
        let after = engine.knows();
        if after != before {
            written.clear();
        }
        if after[0] == before[0] {
            break;
        }
    }
    if opaque.len() == sources.len() {
        let why = "nothing of it is text or a database".to_owned();
        return Err(Refused::Found(
            vec![why],
            "no bundle is better than an empty one",
        ));
    }
    let broken = sound(&engine);
    if !broken.is_empty() {
        return Err(Refused::Fault(format!(
            "the redactor lets a planted secret through ({}): this is a defect of gonogo",
            broken.join(", ")
        )));
    }

    let mut taken = BTreeSet::new();
    let (mut files, mut shapes, mut members, mut unfit) =
        (Vec::new(), BTreeMap::new(), Vec::new(), Vec::new());
    let mut origins = Vec::new();
    for (number, (source, path)) in sources.iter().zip(&inputs).enumerate() {
        if opaque.contains(&number) {
            continue;
        }
        engine.open(&source.evidence.path);
        let (out, redacted) = match written.remove(&number) {
            Some(counts) => (content.join(number.to_string()), Ok(counts)),
            None => {
                let out = anew(&content, number)?;
                let redacted = redact(&engine, source.shape, path, &out);
                (out, redacted)
            }
        };
        let Some(counts) = note(redacted, source, &mut unfit)? else {
            continue;
        };
        let name = named(&engine, source, &mut taken);
        let member = member(&engine, source, &name, &out, counts)?;
        origins.push(Origin::of(&member, source));
        files.push(member);
        shapes.insert(name.clone(), source.shape);
        members.push((name, out));
    }
    refuse(unfit)?;

    let root = crate::sign::manifest::portable_name(&format!(
        "{}-{}",
        order.instance, order.report.run.id
    ));
    let host = engine.redact_text(&instance.host, &mut Counts::new());
    let left_out = opaque.iter().filter_map(|number| sources.get(*number));
    let left_out = left_out.map(|source| LeftOut {
        artifact: engine.redact_text(&source.artifact, &mut Counts::new()),
        source: engine.redact_text(&source.evidence.path, &mut Counts::new()),
        why: Unfit::Unknown.to_string(),
    });
    let withheld = withheld.iter().map(|(artifact, path)| LeftOut {
        artifact: engine.redact_text(artifact, &mut Counts::new()),
        source: engine.redact_text(path, &mut Counts::new()),
        why: "it stays at home, as was asked".to_owned(),
    });
    let left_out = left_out.chain(withheld).collect();
    let manifest = Manifest {
        schema: SCHEMA,
        tool: format!("gonogo {}", env!("CARGO_PKG_VERSION")),
        run: order.report.run.id.clone(),
        run_manifest_sha256: order.run_digest.clone(),
        environment: engine.redact_text(&order.inventory.environment, &mut Counts::new()),
        instance: instance.name.clone(),
        product: instance.product.clone(),
        host,
        window: window(sources.iter()),
        files,
        request: request.as_ref().map(|bytes| Enclosed {
            file: enclosed::NAME,
            bytes: bytes.len() as u64,
            sha256: crate::digest::Sha256::of(bytes).to_string(),
        }),
        left_out,
    };
    let page = page(&manifest, &engine.sums());
    let mut json = serde_json::to_vec_pretty(&manifest).map_err(std::io::Error::other)?;
    json.push(b'\n');
    let add =
        |name: &str, bytes: &[u8], members: &mut Vec<(String, PathBuf)>| -> Result<(), Refused> {
            let path = content.join(name);
            fs::write(&path, bytes)?;
            members.push((name.to_owned(), path));
            Ok(())
        };
    add("manifest.json", &json, &mut members)?;
    add("REDACTION.md", page.as_bytes(), &mut members)?;
    if let Some(bytes) = &request {
        add(enclosed::NAME, bytes, &mut members)?;
    }
    members.sort();
    let mut sums = String::new();
    for (name, path) in &members {
        sums.push_str(&format!("{}  {name}\n", digest(path)?));
    }
    let content_digest = crate::digest::Sha256::of(sums.as_bytes()).to_string();
    add("SHA256SUMS", sums.as_bytes(), &mut members)?;
    if order.reviewed_by.is_some() {
        same_as_reviewed(packing, &first, &root, &content_digest)?;
    }
    let content_sha256 = content_digest.clone();
    let review = Review {
        reviewed_by: order.reviewed_by.map(str::to_owned),
        content: content_digest,
    };
    let mut review = serde_json::to_vec_pretty(&review).map_err(std::io::Error::other)?;
    review.push(b'\n');
    add("REVIEW.json", &review, &mut members)?;
    members.sort();
    let members: Vec<(String, PathBuf)> = members
        .into_iter()
        .map(|(name, path)| (format!("{root}/{name}"), path))
        .collect();

    // Under a name of its own until it is proven: what is found wanting is never there.
    let parent = target
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let staged = tempfile::Builder::new()
        .prefix(".gonogo-case-")
        .tempdir_in(parent)?;
    let draft = staged.path().join("bundle");
    let file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    archive::write(packing, &members, file)?.sync_all()?;
    proof::holds(
        &Proof::new(&engine),
        &Proof::of_request(&engine),
        packing,
        &draft,
        &root,
        &shapes,
        &members,
    )?;
    let sha256 = digest(&draft)?;
    let mut locked = None;
    if let (Some(to), Some(name)) = (order.receivers, locked_name) {
        let (plain, _, made) = lock::lock(to, File::open(&draft)?, &staged.path().join("locked"))?;
        if plain != sha256 {
            let why = "the archive changed while it was encrypted".to_owned();
            return Err(Refused::Fault(why));
        }
        locked = Some((name, made));
    }
    engine
        .into_map()
        .save(order.map)
        .map_err(|fault| Refused::Fault(fault.to_string()))?;
    let origins = Origins {
        schema: origin::SCHEMA,
        run: order.report.run.id.clone(),
        run_manifest_sha256: order.run_digest.clone(),
        content_sha256,
        files: origins,
    };
    let origins = origins.keep(order.out)?;
    fs::hard_link(&draft, &target)?;
    let mut encrypted = None;
    if let Some((name, mut made)) = locked {
        // Both or none.
        fs::hard_link(&made.path, &name).inspect_err(|_| {
            let _ = fs::remove_file(&target);
        })?;
        made.path = name;
        encrypted = Some(made);
    }
    Ok(Built {
        sha256: sha256.to_string(),
        bytes: fs::metadata(&target)?.len(),
        path: target,
        page,
        origins,
        locked: encrypted,
    })
}

/// Private copies, each database with what belongs to it; their bytes are those that the run vouches for.
fn gathered(sources: &[Source], work: &Path) -> Result<Vec<PathBuf>, Refused> {
    let mut paths = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        let path = work.join(format!("in-{number}"));
        fs::copy(&source.path, &path)?;
        if digest(&path)?.to_string() != source.evidence.sha256 {
            return Err(Refused::Found(
                vec![format!(
                    "`{}` changed while it was read",
                    escape(&source.path.to_string_lossy())
                )],
                "nobody may write to what was kept",
            ));
        }
        for (end, beside) in &source.sidecars {
            fs::copy(beside, work.join(format!("in-{number}{end}")))?;
        }
        paths.push(path);
    }
    Ok(paths)
}

/// Where the file of that number is written; what an earlier round wrote there is gone.
fn anew(content: &Path, number: usize) -> Result<PathBuf, Refused> {
    let out = content.join(number.to_string());
    match fs::remove_file(&out) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(out),
    }
}

fn note<T>(
    result: Result<T, Unfit>,
    source: &Source,
    unfit: &mut Vec<String>,
) -> Result<Option<T>, Refused> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Unfit::Io(error)) => Err(error.into()),
        Err(why) => {
            unfit.push(format!(
                "`{}` ({}): {why}",
                escape(&source.evidence.path),
                escape(&source.artifact)
            ));
            Ok(None)
        }
    }
}

fn refuse(unfit: Vec<String>) -> Result<(), Refused> {
    match unfit.is_empty() {
        true => Ok(()),
        false => Err(Refused::Found(
            unfit,
            "what cannot be redacted cannot leave: leave the artifact out with `--without ARTIFACT`, or that file alone with `--without-file PATH`",
        )),
    }
}

/// `artifacts/<artifact>/<file>`, without names of ours.
fn named(engine: &Engine, source: &Source, taken: &mut BTreeSet<String>) -> String {
    let file = match source.evidence.method.as_str() {
        "command" => "output.txt",
        _ => source.evidence.path.rsplit('/').next().unwrap_or_default(),
    };
    let artifact = plain(engine, &source.artifact);
    let name = format!("artifacts/{artifact}/{}", file_name(engine, file));
    let mut numbered = name.clone();
    let mut number = 1;
    while !taken.insert(numbered.clone()) {
        number += 1;
        numbered = format!("{name}.{number}");
    }
    numbered
}

/// A name that may stand in the archive.
fn plain(engine: &Engine, text: &str) -> String {
    let text = engine.redact_text(text, &mut Counts::new());
    crate::sign::manifest::portable_name(&text.replace('/', "_").replace(['[', ']'], ""))
}

/// The name of a file, such as it may leave.
pub(super) fn file_name(engine: &Engine, file: &str) -> String {
    // What a file is stays: its end says it.
    let (stem, end) = file.split_at(file.len() - end_of_file(file));
    let bare = plain(engine, stem);
    let name = format!("{bare}{end}");
    // `a` and `.txt` are harmless, `a.txt` is not: it has a token wherever it stands, and so it has here.
    match plain(engine, file) {
        whole if name == file && whole != file => format!("{whole}{end}"),
        _ => name,
    }
}

fn member(
    engine: &Engine,
    source: &Source,
    name: &str,
    out: &Path,
    counts: Counts,
) -> Result<Member, Refused> {
    let evidence = &source.evidence;
    Ok(Member {
        file: name.to_owned(),
        artifact: engine.redact_text(&source.artifact, &mut Counts::new()),
        kind: evidence.kind.clone(),
        source: engine.redact_text(&evidence.path, &mut Counts::new()),
        window: window(std::iter::once(source)),
        bytes: fs::metadata(out)?.len(),
        sha256: digest(out)?.to_string(),
        redactions: counts
            .into_iter()
            .map(|(rule, count)| Bite { rule, count })
            .collect(),
    })
}

fn window<'s>(sources: impl Iterator<Item = &'s Source> + Clone) -> Window {
    Window {
        from: sources
            .clone()
            .filter_map(|source| source.evidence.oldest_entry.clone())
            .min(),
        to: sources
            .filter_map(|source| source.evidence.newest_entry.clone())
            .max(),
    }
}

/// A review is of bytes: those of the unreviewed bundle, which must be the same but for the review itself.
fn same_as_reviewed(
    packing: Packing,
    first: &Path,
    root: &str,
    content: &str,
) -> Result<(), Refused> {
    let hint = "build without --reviewed-by first, look at that bundle, then build it again with --reviewed-by and the same options";
    let shown = escape(&first.to_string_lossy()).into_owned();
    if !first.exists() {
        return Err(Refused::Found(
            vec![format!(
                "there is no `{shown}` that could have been reviewed"
            )],
            hint,
        ));
    }
    let directory = tempfile::tempdir()?;
    let members = archive::read(packing, first, directory.path()).map_err(|error| {
        Refused::Found(vec![format!("`{shown}` cannot be read: {error}")], hint)
    })?;
    let sums = members
        .iter()
        .find(|(name, _)| *name == format!("{root}/SHA256SUMS"));
    let sums = sums.map(|(_, path)| fs::read(path)).transpose()?;
    let is_same = sums.is_some_and(|sums| crate::digest::Sha256::of(&sums).to_string() == content)
        && whole(&members, root)?;
    match is_same {
        true => Ok(()),
        false => Err(Refused::Found(
            vec![format!(
                "`{shown}` is not what is built now: whoever reviewed it has seen something else"
            )],
            hint,
        )),
    }
}

/// Whether every member has the digest that SHA256SUMS names, and none is missing.
fn whole(members: &[(String, PathBuf)], root: &str) -> Result<bool, Refused> {
    let find = |name: &str| {
        members
            .iter()
            .find(|(member, _)| *member == format!("{root}/{name}"))
    };
    let Some((_, sums)) = find("SHA256SUMS") else {
        return Ok(false);
    };
    let sums = fs::read_to_string(sums)?;
    let mut named = 0;
    for line in sums.lines() {
        let Some((sum, name)) = line.split_once("  ") else {
            return Ok(false);
        };
        let Some((_, path)) = find(name) else {
            return Ok(false);
        };
        if digest(path)?.to_string() != sum {
            return Ok(false);
        }
        named += 1;
    }
    // SHA256SUMS itself and REVIEW.json.
    Ok(members.len() == named + 2)
}
