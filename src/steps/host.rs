//! The host under a product: what the support request says of it, and whether there is room.

use super::{Stop, Subject, Touch, World, command};
use crate::evidence::host_facts::{self, Disk, HostFacts};
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Artifact, Instance, Inventory, Source};
use crate::steps::ArtifactName;
use crate::text;
use crate::transport::{Command, Output};

const OS: &[&str] = &["cat", "/etc/os-release"];
const KERNEL: &[&str] = &["uname", "-srm"];
const LIMITS: &[&str] = &["cat", "/proc/self/limits"];
const MEMORY: &[&str] = &["cat", "/proc/meminfo"];
const DISKS: &[&str] = &["df", "-Pk"];

/// What a step asks about the host.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Operating system, kernel, limits, memory and disks.
    Known,
    /// At least so many percent are free where the artifact lies.
    Free(ArtifactName, u64),
}

impl Ask {
    /// Refuses what can be known to be impossible before connecting.
    pub(super) fn validate(&self, subject: &Subject, inventory: &Inventory) -> Result<(), String> {
        let Self::Free(name, percent) = self else {
            return Ok(());
        };
        if *percent == 0 || *percent >= 100 {
            return Err(format!("{percent} % says nothing: write between 1 and 99"));
        }
        let artifact = artifact(name, subject, inventory)?;
        match directory(artifact) {
            Some(_) => Ok(()),
            None => Err(format!(
                "artifact `{}` lies in no file, and so on no file system",
                artifact.name
            )),
        }
    }

    /// What it uses on the host.
    pub(super) fn touches(&self, subject: &Subject, inventory: &Inventory) -> Vec<Touch> {
        match self {
            Self::Known => [OS, KERNEL, LIMITS, MEMORY, DISKS]
                .map(|words| Touch::Execute(owned(words)))
                .into(),
            Self::Free(name, _) => {
                let artifact = artifact(name, subject, inventory).ok();
                let directory = artifact.and_then(directory);
                let touch = directory.map(|directory| Touch::Execute(df(&directory)));
                touch.into_iter().collect()
            }
        }
    }

    pub(super) async fn perform(&self, world: &mut World) -> Result<(), Stop> {
        match self {
            Self::Known => known(world).await,
            Self::Free(name, percent) => free(world, name, *percent).await,
        }
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn df(directory: &str) -> Vec<String> {
    owned(&["df", "-Pk", "--", directory])
}

fn artifact<'a>(
    name: &ArtifactName,
    subject: &Subject,
    inventory: &'a Inventory,
) -> Result<&'a Artifact, String> {
    let instance: Option<&Instance> =
        (subject.instance.as_deref()).and_then(|name| inventory.instance(name));
    let instance = instance
        .ok_or("this step needs an instance: begin the scenario with `Given each instance`")?;
    name.find(instance, subject.team.as_deref())
}

/// Where the artifact lies: the directory above its first pattern, or above the file itself, which may be
/// gone for a moment while it is rotated.
fn directory(artifact: &Artifact) -> Option<String> {
    let (Source::Path(path) | Source::Mask(path)) = &artifact.source else {
        return None;
    };
    let parts: Vec<&str> = path.split('/').collect();
    let varies = |part: &&str| part.contains(['*', '?', '[', '%']);
    let end = parts.iter().position(varies).unwrap_or(parts.len() - 1);
    match parts[..end.min(parts.len() - 1)].join("/") {
        above if above.is_empty() => Some("/".to_owned()),
        above => Some(above),
    }
}

/// Every fact, as the account itself and never by sudo: no rule should be needed for them.
async fn known(world: &mut World) -> Result<(), Stop> {
    let os = fact(
        world,
        OS,
        "the name of an operating system",
        host_facts::operating_system,
    );
    let os = os.await?;
    let kernel = fact(
        world,
        KERNEL,
        "kernel, release and processor",
        host_facts::kernel,
    );
    let (kernel, machine) = kernel.await?;
    let limits = fact(
        world,
        LIMITS,
        "limits of open files and core files",
        host_facts::limits,
    );
    let limits = limits.await?;
    let memory_kib = fact(world, MEMORY, "`MemTotal`", host_facts::memory).await?;
    let disks = fact(
        world,
        DISKS,
        "file systems with size and free space",
        host_facts::disks,
    );
    let disks = disks.await?;
    world.facts = Some(HostFacts {
        account: world.login()?.user.clone(),
        os,
        kernel,
        machine,
        memory_kib,
        limits,
        disks,
    });
    Ok(())
}

async fn fact<T>(
    world: &mut World,
    words: &[&str],
    expected: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, Stop> {
    let words = owned(words);
    let session = world.session().await?.unelevated();
    let limits = world.limits()?;
    let started = std::time::Instant::now();
    let line = command::line(&words);
    let output = session.run(&Command(words.clone()), limits).await;
    let output = output.map_err(|failure| failure.with_subject_if_none(&line))?;
    let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    world.transcript.command(&line, &output, took);
    judge(&output, &words, expected, read).map_err(Stop::Failure)
}

fn judge<T>(
    output: &Output,
    words: &[String],
    expected: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, Failure> {
    let text = String::from_utf8_lossy(&output.stdout);
    // `df` ends with 1 when there is a file system that this account may not look at, and tells the others.
    let is_df = words.first().is_some_and(|word| word == "df");
    if output.status == 0 || is_df && output.status == 1 {
        if let Some(found) = read(&text) {
            return Ok(found);
        }
        if output.status == 0 {
            let first = text.lines().next().unwrap_or_default();
            let quoted = crate::evidence::redact::Capture::new(first).excerpt(160);
            return Err(Failure::new(
                FailureKind::Mismatch,
                expected,
                format!("`{}`", text::escape(&quoted)),
            )
            .with_subject(command::line(words))
            .with_hint("support will ask for it: run the command by hand as this account; another program of that name may come first in PATH, or the host is no Linux"));
        }
    }
    let failure = command::status_failure(output, words);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let says = |what: &str| stderr.lines().any(|line| line.trim_end().ends_with(what));
    let (kind, hint) = if says(": No such file or directory") {
        let hint =
            "the host has no such file: is it a Linux, and does the account see the whole of it?";
        (FailureKind::Missing, hint)
    } else if says(": Permission denied") {
        let hint = "let this account read it: it is readable for all on an ordinary host";
        (FailureKind::Denied, hint)
    } else {
        return Err(failure);
    };
    Err(Failure::new(kind, expected, failure.actual)
        .with_subject(command::line(words))
        .with_hint(hint))
}

async fn free(world: &mut World, name: &ArtifactName, percent: u64) -> Result<(), Stop> {
    let artifact = name.find(world.instance()?, world.subject.team.as_deref());
    let directory = artifact.ok().and_then(directory).unwrap_or_default();
    let words = df(&directory);
    let output = command::execute(world, &words).await?;
    let one = |text: &str| {
        host_facts::disks(text)
            .filter(|disks| disks.len() == 1)?
            .pop()
    };
    let disk = judge(
        &output,
        &words,
        "one file system with size and free space",
        one,
    )?;
    let enough = enough(&disk, percent);
    world.disks.push(disk);
    Ok(enough.map_err(|failure| failure.with_subject(&directory))?)
}

fn enough(disk: &Disk, percent: u64) -> Result<(), Failure> {
    let free = disk.free_percent();
    if free >= percent {
        return Ok(());
    }
    let size = |kib: u64| text::size(kib.saturating_mul(1024));
    let all = disk.used_kib.saturating_add(disk.free_kib);
    let actual = format!(
        "{free} %: {} of {} on {}",
        size(disk.free_kib),
        size(all),
        disk.mounted_on
    );
    Err(
        Failure::new(FailureKind::Mismatch, format!("at least {percent} % free"), actual).with_hint(
            "make room before going live: a product whose disk is full writes no log and no statistics, and may stop",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_is_the_one_that_the_files_lie_in() {
        for (path, above) in [
            ("/opt/amps/logs/*.log", "/opt/amps/logs"),
            ("/opt/*/logs/*.log", "/opt"),
            ("/opt/amps/stats.db", "/opt/amps"),
            ("/var/amps-%Y.log", "/var"),
            ("/x.db", "/"),
            ("/*.db", "/"),
        ] {
            let inventory = format!(
                "environment: t\nssh: {{host_key: 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', key: k}}\n\
                 hosts: {{a: {{address: a.example}}}}\nteams: {{ops: {{user: ops}}}}\n\
                 products: {{p: {{artifacts: {{x: {{kind: other, path: '{path}'}}}}}}}}\n\
                 instances: {{i: {{product: p, host: a, teams: [ops]}}}}\n"
            );
            let inventory = Inventory::parse("i.yaml".as_ref(), inventory.into_bytes()).unwrap();
            let artifact = &inventory.instances[0].artifacts[0];
            assert_eq!(directory(artifact).as_deref(), Some(above), "{path}");
        }
    }

    #[test]
    fn room_is_judged_by_what_an_ordinary_account_may_use() {
        let disk = |used_kib, free_kib| Disk {
            file_system: "/dev/a".into(),
            mounted_on: "/".into(),
            size_kib: 1000,
            used_kib,
            free_kib,
        };
        assert!(enough(&disk(900, 100), 10).is_ok());
        let failure = enough(&disk(901, 99), 10).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Mismatch);
        assert_eq!(failure.actual, "9 %: 99 KiB of 1000 KiB on /");
        assert!(enough(&disk(1000, 0), 1).is_err());
    }
}
