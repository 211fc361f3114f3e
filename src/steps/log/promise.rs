//! `… is kept for at least`: what rotates and removes the files of a log, and how long it promises to keep
//! them, beside the look-back that somebody needs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::evidence::logrotate::{Directives, Logrotate};
use crate::evidence::promise::Promise;
use crate::evidence::{Content, amps_keeps};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, Format, Instance, Kind, Retention};
use crate::steps::call::touched;
use crate::steps::configuration::Links;
use crate::steps::retrieve::{self, Fetched};
use crate::steps::world::Retrieved;
use crate::steps::{ArtifactName, Stop, Subject, Touch, World};
use crate::time;
use crate::transport::{Limits, Session, Span};

/// Largest logrotate file: over a hundred times what distributions ship.
const MOST: u64 = 1 << 20;

const CONFIGURATION: ArtifactName = ArtifactName::OfKind(Kind::Configuration);

/// Under which name the record tells what promises to keep `artifact`.
#[must_use]
pub fn name_of(artifact: &str) -> String {
    format!("retention of {artifact}")
}

pub(super) fn validate(instance: &Instance, artifact: &Artifact) -> Result<(), String> {
    let (name, of) = (&artifact.name, &instance.name);
    match &artifact.log.retention {
        None => Err(format!(
            "artifact `{name}` of instance `{of}` does not say what rotates it: write `retention: {{logrotate: /etc/logrotate.d/PRODUCT}}`, or `retention: configuration` where the product removes its logs itself"
        )),
        Some(Retention::Logrotate(path)) if !path.starts_with('/') => Err(format!(
            "`retention` of artifact `{name}` of instance `{of}`: `{path}` is no absolute path"
        )),
        Some(Retention::Logrotate(_)) => Ok(()),
        Some(Retention::Configuration) if artifact.format != Some(Format::AmpsLog) => Err(format!(
            "`retention: configuration` of artifact `{name}` of instance `{of}`: gonogo knows the rules of `format: amps-log` only; write `{{logrotate: PATH}}`"
        )),
        Some(Retention::Configuration) => CONFIGURATION.find(instance, None).map(drop),
    }
}

pub(super) fn touches(instance: &Instance, artifact: &Artifact, subject: &Subject) -> Vec<Touch> {
    match &artifact.log.retention {
        None => Vec::new(),
        Some(Retention::Logrotate(path)) => {
            let read = std::iter::once(path.clone()).chain(main_file(path));
            read.map(Touch::Read).collect()
        }
        Some(Retention::Configuration) => beside(instance, artifact, subject.team.as_deref())
            .map(|artifact| touched(instance, artifact))
            .unwrap_or_default(),
    }
}

/// The configuration that makes the promise.
pub(super) fn beside<'a>(
    instance: &'a Instance,
    artifact: &Artifact,
    team: Option<&str>,
) -> Option<&'a Artifact> {
    match artifact.log.retention {
        Some(Retention::Configuration) => CONFIGURATION.find(instance, team).ok(),
        _ => None,
    }
}

/// The file whose defaults count in a directory that it includes: `/etc/logrotate.conf` for
/// `/etc/logrotate.d/nginx`.
fn main_file(path: &str) -> Option<String> {
    let (directory, _) = path.rsplit_once('/')?;
    let above = directory.strip_suffix("/logrotate.d")?;
    Some(format!("{above}/logrotate.conf"))
}

pub(super) async fn kept_for(
    world: &mut World,
    name: &ArtifactName,
    span: Duration,
) -> Result<(), Stop> {
    let index = retrieve::retrieve(world, name).await?;
    let artifact = world.retrieved[index].artifact.clone();
    let promise = match told(world, &artifact) {
        Some(promise) => promise,
        None => find(world, index, &artifact).await?,
    };
    Ok(judge(&promise, span)?)
}

/// Judges a promise.
fn judge(promise: &Promise, span: Duration) -> Result<(), Failure> {
    if promise.kept.reaches(span) {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Mismatch,
        format!("the log to be kept for at least {}", time::say(span)),
        format!(
            "{} is promised ({}; line {})",
            promise.kept.say(),
            promise.rule,
            promise.line
        ),
    )
    .with_subject(&promise.source)
    .with_hint("keep more rotations, or remove later; what rotates by size alone promises no time, since a busy day fills every file: add a period (`daily`) or `maxage`"))
}

/// What this check has read of it already.
fn told(world: &World, artifact: &Artifact) -> Option<Promise> {
    let name = name_of(&artifact.name);
    let set = world
        .retrieved
        .iter()
        .find(|set| set.artifact.name == name)?;
    set.files.iter().find_map(|(file, _)| match &file.content {
        Content::Promise(promise) => Some(promise.clone()),
        _ => None,
    })
}

async fn find(world: &mut World, log: usize, artifact: &Artifact) -> Result<Promise, Stop> {
    let files = world.retrieved[log].files.iter();
    let paths: Vec<String> = files.map(|(file, _)| file.path.clone()).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let own = Artifact {
        name: name_of(&artifact.name),
        kind: Kind::Other,
        ..artifact.clone()
    };
    let files = match &artifact.log.retention {
        Some(Retention::Logrotate(path)) => logrotate(world, &own, path, &paths).await?,
        _ => vec![configuration(world, &own, &paths).await?],
    };
    for (file, _) in &files {
        world.transcript.retrieved(file);
    }
    let retrieved = Retrieved {
        artifact: own,
        files,
        links: Links::default(),
    };
    world.retrieved.push(retrieved);
    told(world, artifact).ok_or_else(|| {
        Failure::new(FailureKind::Undefined, "a promise", "none in what was read").into()
    })
}

/// The main file, where there is one, and each file of the pattern that is about the log.
async fn logrotate(
    world: &World,
    own: &Artifact,
    pattern: &str,
    paths: &[&str],
) -> Result<Vec<Fetched>, Stop> {
    let session = world.session().await?;
    let limits = || {
        world.limits().map(|limits| Limits {
            bytes: MOST,
            ..limits
        })
    };
    let mut fetched = Vec::new();
    let (mut defaults, mut includes) = (Directives::default(), false);
    if let Some(main) = main_file(pattern) {
        match text(&*session, own, &main, limits()?).await {
            Ok((file, text)) => {
                defaults = Logrotate::read(&main, &text, defaults).defaults;
                fetched.push(file);
            }
            // Without it the compiled-in defaults count.
            Err(Stop::Failure(failure)) if failure.kind == FailureKind::Missing => {}
            Err(stop) => return Err(stop),
        }
    }
    let entries = session.list(pattern, limits()?).await;
    let entries = entries.map_err(|failure| failure.with_subject_if_none(pattern))?;
    let mut least: Option<(Fetched, Promise)> = None;
    for entry in &entries {
        retrieve::regular(entry)?;
        let (file, text) = text(&*session, own, &entry.path, limits()?).await?;
        let read = Logrotate::read(&entry.path, &text, defaults.clone());
        includes |= read.includes;
        if let Some(promise) = read.promise(paths)
            && (least.as_ref()).is_none_or(|(_, other)| promise.kept < other.kept)
        {
            least = Some((file, promise));
        }
    }
    let Some(((mut evidence, _), promise)) = least else {
        let hint = match includes {
            true => {
                "the block stands in a file that this one includes: name that file in `retention: {logrotate: …}`"
            }
            false => {
                "name the file whose block is about this log in `retention: {logrotate: …}`; without one, nothing rotates the log, and it grows until the disk is full"
            }
        };
        return Err(Failure::new(
            FailureKind::Missing,
            format!(
                "a logrotate block about {}",
                paths.first().copied().unwrap_or("the log")
            ),
            "none in it",
        )
        .with_subject(pattern)
        .with_hint(hint)
        .into());
    };
    evidence.content = Content::Promise(promise.clone());
    fetched.push((evidence, Ok(Content::Promise(promise))));
    Ok(fetched)
}

/// One small file as text.
async fn text(
    session: &dyn Session,
    own: &Artifact,
    path: &str,
    limits: Limits,
) -> Result<(Fetched, String), Stop> {
    let started = Instant::now();
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let sink = Box::new(Shared(Arc::clone(&bytes)));
    let receipt = retrieve::read(session, path, Span::WHOLE, limits, sink).await?;
    let content = Ok(Content::Opaque);
    let evidence = retrieve::evidence(own, receipt, &content, started, 1);
    let bytes = bytes.lock().unwrap_or_else(PoisonError::into_inner);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(((evidence, content), text))
}

/// What is read, in a place that both sides can reach.
struct Shared(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Shared {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What the product's own configuration says; the file is told again, as what makes the promise.
async fn configuration(world: &mut World, own: &Artifact, paths: &[&str]) -> Result<Fetched, Stop> {
    let set = retrieve::set(world, &CONFIGURATION).await?;
    let mut settings = Vec::new();
    for (file, content) in &set.files {
        if let Content::Settings(seen) = content.as_ref().map_err(Failure::clone)? {
            settings.push((file.path.as_str(), &**seen));
        }
    }
    let promise = amps_keeps::promise(&settings, paths);
    let source = promise.as_ref().and_then(|promise| {
        let mut files = set.files.iter();
        files.find(|(file, _)| file.path == promise.source)
    });
    let (Some(promise), Some((file, _))) = (promise, source) else {
        return Err(Failure::new(
            FailureKind::Missing,
            "a log target in the configuration",
            "none in any of its files",
        )
        .with_hint("without `Logging/Target/FileName` the product writes no log file: is this configuration the one that it was started with?")
        .into());
    };
    let content = Content::Promise(promise);
    let evidence = crate::evidence::Evidence {
        artifact: own.name.clone(),
        kind: own.kind,
        content: content.clone(),
        ..file.clone()
    };
    Ok((evidence, Ok(content)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::promise::Kept;

    #[test]
    fn only_a_directory_of_includes_has_a_main_file() {
        let main = |path| main_file(path);
        assert_eq!(
            main("/etc/logrotate.d/nginx").as_deref(),
            Some("/etc/logrotate.conf")
        );
        assert_eq!(main("/etc/logrotate.conf"), None);
        assert_eq!(main("/srv/rotation/nginx"), None);
    }

    #[test]
    fn a_promise_is_enough_at_its_edge_and_never_without_a_time() {
        const DAY: Duration = Duration::from_secs(86_400);
        for (kept, well) in [
            (Kept::For(7 * DAY), true),
            (Kept::For(8 * DAY), true),
            (Kept::Forever, true),
            (Kept::For(6 * DAY), false),
            (Kept::NotByTime, false),
        ] {
            let promise = Promise {
                kept,
                rule: "daily".into(),
                source: "/etc/logrotate.d/x".into(),
                line: 3,
            };
            assert_eq!(judge(&promise, 7 * DAY).is_ok(), well, "{kept:?}");
        }
    }
}
