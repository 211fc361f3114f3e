//! What a made-up host has on disk: its identity, a few commands, and the home of each instance.
//! All of it is well; what goes wrong is `plant.rs`.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::{SignedDuration, Timestamp};

use super::EstateFault;
use super::fleet::{self, Host, Instance};
use super::log::Scribe;

/// Hours back from now at which each log file ends: the live one, the rotated one, and the two
/// members of the compressed one.
const ROTATED: i64 = 2;
const COMPRESSED: [i64; 2] = [14, 22];
const OLDEST: i64 = 30;

/// Where an instance keeps what a vendor's support asks for.
#[derive(Clone, Debug)]
pub(super) struct Home(pub PathBuf);

impl Home {
    pub(super) fn server(&self) -> PathBuf {
        self.0.join("bin/ampServer")
    }
    pub(super) fn configuration(&self) -> PathBuf {
        self.0.join("config/config.xml")
    }
    pub(super) fn transports(&self) -> PathBuf {
        self.0.join("config/transports.xml")
    }
    pub(super) fn log(&self) -> PathBuf {
        self.0.join("logs/amps.log")
    }
    pub(super) fn rotated(&self) -> PathBuf {
        self.0.join("logs/amps.log.1")
    }
    pub(super) fn compressed(&self) -> PathBuf {
        self.0.join("logs/amps.log.2.gz")
    }
    pub(super) fn statistics(&self) -> PathBuf {
        self.0.join("stats.db")
    }
}

/// The host itself, without instances.
pub(super) fn host(root: &Path, host: &Host, machine_id: &str) -> Result<(), EstateFault> {
    for directory in ["etc", "bin", "opt/amps"] {
        let path = root.join(directory);
        fs::create_dir_all(&path).map_err(EstateFault::disk("make", &path))?;
    }
    write(&root.join("etc/hostname"), &format!("{}\n", host.hostname))?;
    identify(root, machine_id)?;
    processes(root, host)?;
    curl(root, true)?;
    program(
        &root.join("bin/hostname"),
        &format!("echo {}", host.hostname),
    )?;
    program(
        &root.join("bin/df"),
        "case $1 in\n-Pk) echo 'Filesystem     1024-blocks     Used Available Capacity Mounted on'\necho '/dev/vg0/var      52428800 11534336  38797312      23% /' ;;\n*) echo 'Filesystem      Size  Used Avail Use% Mounted on'\necho '/dev/vg0/var     50G   11G   37G  23% /var' ;;\nesac",
    )
}

/// A `ps` that tells of each instance of the host, and a `readlink` that knows where they work.
fn processes(root: &Path, host: &Host) -> Result<(), EstateFault> {
    let mut listed = String::from("echo '    1 root /sbin/init'");
    let mut links = String::new();
    let instances = fleet::INSTANCES.iter().filter(|one| one.host == host.name);
    for (index, instance) in instances.enumerate() {
        let (pid, at) = (4000 + index, instance.home());
        listed += &format!("\necho ' {pid} amps {at}/bin/ampServer config/config.xml'");
        links += &format!(
            "/proc/{pid}/cwd) echo {at} ;;\n/proc/{pid}/exe) echo {at}/bin/ampServer ;;\n"
        );
    }
    program(&root.join("bin/ps"), &listed)?;
    program(
        &root.join("bin/readlink"),
        &format!("case \"$1\" in\n{links}*) PATH=/usr/bin:/bin exec readlink \"$@\" ;;\nesac"),
    )
}

/// A `curl` that gets the health of the practice vendor's service, or no connection.
pub(super) fn curl(root: &Path, connects: bool) -> Result<(), EstateFault> {
    let script = match connects {
        true => {
            r#"now=$(PATH=/usr/bin:/bin date -u +%Y-%m-%dT%H:%M:%SZ)
printf '{"status":"ok","updated":"%s"}' "$now"
printf '\ngonogo 200 0.000900 0.002300 0.009800 0.010100 0.021700 0.022400 48 127.0.0.1'"#
        }
        false => {
            "echo 'curl: (7) Failed to connect to 127.0.0.1: No route to host' >&2
printf '\\ngonogo 000 0.000900 0.000000 0.000000 0.000000 0.000000 0.003100 0 '
exit 7"
        }
    };
    program(&root.join("bin/curl"), script)
}

/// Writes `/etc/machine-id`.
pub(super) fn identify(root: &Path, machine_id: &str) -> Result<(), EstateFault> {
    write(&root.join("etc/machine-id"), &format!("{machine_id}\n"))
}

/// A `date` that is so many seconds behind; it knows one way of being asked.
pub(super) fn clock_behind(root: &Path, seconds: u32) -> Result<(), EstateFault> {
    program(
        &root.join("bin/date"),
        &format!(
            "[ \"$*\" = '-u +%s' ] || exit 2\nnow=$(PATH=/usr/bin:/bin date -u +%s)\necho $((now - {seconds}))"
        ),
    )
}

/// One instance below `root`, but for its statistics.
pub(super) fn instance(
    root: &Path,
    host: &Host,
    instance: &Instance,
    now: Timestamp,
) -> Result<Home, EstateFault> {
    let home = Home(root.join(instance.home().trim_start_matches('/')));
    for directory in ["bin", "config", "logs"] {
        let path = home.0.join(directory);
        fs::create_dir_all(&path).map_err(EstateFault::disk("make", &path))?;
    }
    version(&home, fleet::VERSION)?;
    configuration(&home, host, instance, instance.name)?;
    logs(&home, &mut Scribe::new(instance.name, host.offset), now)?;
    let current = home.0.join("logs/current");
    symlink("amps.log", &current).map_err(EstateFault::disk("link", &current))?;
    Ok(home)
}

/// `bin/ampServer`, which knows one option.
pub(super) fn version(home: &Home, version: &str) -> Result<(), EstateFault> {
    program(
        &home.server(),
        &format!(
            "case \"$1\" in\n--version) echo 'AMPS {version}.973814.e1a57f7 - made up for practice by gonogo' ;;\n*) echo 'practice estate: only --version is known here' >&2; exit 2 ;;\nesac"
        ),
    )
}

/// `config/config.xml`, which names itself `name`, and the file it includes.
pub(super) fn configuration(
    home: &Home,
    host: &Host,
    instance: &Instance,
    name: &str,
) -> Result<(), EstateFault> {
    let (at, group, port) = (instance.home(), host.group, instance.admin_port());
    write(
        &home.configuration(),
        &format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- Made up for practice by gonogo. -->
<AMPSConfig>
  <Name>{name}</Name>
  <Group>{group}</Group>
  <Admin>
    <InetAddr>localhost:{port}</InetAddr>
    <FileName>{at}/stats.db</FileName>
    <Interval>10s</Interval>
  </Admin>
  <MiniDumpDirectory>{at}/dumps</MiniDumpDirectory>
  <Logging>
    <Target>
      <Protocol>file</Protocol>
      <FileName>{at}/logs/amps.log</FileName>
      <Level>info</Level>
    </Target>
  </Logging>
  <Actions>
    <Action>
      <On>
        <Module>amps-action-on-schedule</Module>
        <Options><Every>23:00</Every></Options>
      </On>
      <Do>
        <Module>amps-action-do-remove-files</Module>
        <Options><Pattern>{at}/logs/amps.log.*</Pattern><Age>14d</Age></Options>
      </Do>
    </Action>
  </Actions>
  <Include>{at}/config/transports.xml</Include>
</AMPSConfig>
"#
        ),
    )?;
    write(
        &home.transports(),
        r#"<?xml version="1.0" encoding="UTF-8"?>
<Transports>
  <Transport>
    <Name>any-tcp</Name>
    <Type>tcp</Type>
    <InetAddr>9007</InetAddr>
    <Protocol>amps</Protocol>
  </Transport>
</Transports>
"#,
    )
}

/// The live log and its two rotated files, together more than a day, their newest entry at `newest`.
pub(super) fn logs(home: &Home, scribe: &mut Scribe, newest: Timestamp) -> Result<(), EstateFault> {
    let back = |hours: i64| newest - SignedDuration::from_hours(hours);
    let second = SignedDuration::from_secs(1);

    let mut oldest = String::new();
    scribe.start(&mut oldest, back(OLDEST));
    oldest += &scribe.span(back(OLDEST) + second, back(COMPRESSED[1]));
    let newer = scribe.span(back(COMPRESSED[1]) + second, back(COMPRESSED[0]));
    let members = [oldest, newer].map(|text| gzip(&text));
    let compressed = home.compressed();
    let joined = members.into_iter().collect::<Result<Vec<_>, _>>();
    let joined = joined.map_err(EstateFault::disk("compress", &compressed))?;
    write_at(&compressed, &joined.concat(), back(COMPRESSED[0]))?;

    let rotated = scribe.span(back(COMPRESSED[0]) + second, back(ROTATED));
    write_at(&home.rotated(), rotated.as_bytes(), back(ROTATED))?;
    let live = scribe.span(back(ROTATED) + second, newest);
    write_at(&home.log(), live.as_bytes(), newest)
}

fn gzip(text: &str) -> std::io::Result<Vec<u8>> {
    let mut member = GzEncoder::new(Vec::new(), Compression::fast());
    member.write_all(text.as_bytes())?;
    member.finish()
}

/// Writes a file whose last change is stated as `modified`.
fn write_at(path: &Path, bytes: &[u8], modified: Timestamp) -> Result<(), EstateFault> {
    let made = fs::File::create(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.set_modified(modified.into())
    });
    made.map_err(EstateFault::disk("write", path))
}

/// Writes a whole file.
pub(super) fn write(path: &Path, text: &str) -> Result<(), EstateFault> {
    fs::write(path, text).map_err(EstateFault::disk("write", path))
}

/// Writes a script that can be run.
pub(super) fn program(path: &Path, script: &str) -> Result<(), EstateFault> {
    write(path, &format!("#!/bin/sh\n{script}\n"))?;
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(path, mode).map_err(EstateFault::disk("make executable", path))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn logs_cover_more_than_a_day_without_a_hole() {
        let directory = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        let (on, about) = (&fleet::HOSTS[0], &fleet::INSTANCES[0]);
        let home = instance(directory.path(), on, about, now).unwrap();

        let packed = fs::read(home.compressed()).unwrap();
        let mut first = String::new();
        flate2::read::GzDecoder::new(packed.as_slice())
            .read_to_string(&mut first)
            .unwrap();
        let mut text = String::new();
        flate2::read::MultiGzDecoder::new(packed.as_slice())
            .read_to_string(&mut text)
            .unwrap();
        assert!(
            text.len() > first.len() && text.starts_with(&first),
            "two members"
        );
        text += &fs::read_to_string(home.rotated()).unwrap();
        text += &fs::read_to_string(home.0.join("logs/current")).unwrap();

        let times: Vec<Timestamp> = text
            .lines()
            .filter_map(|line| line.split(' ').next()?.parse().ok())
            .collect();
        assert!(times.is_sorted());
        assert_eq!(times[0], now - SignedDuration::from_hours(OLDEST));
        assert_eq!(times.last(), Some(&now));
        let longest = times
            .windows(2)
            .map(|pair| pair[1].duration_since(pair[0]))
            .max();
        assert!(longest < Some(SignedDuration::from_mins(2)), "{longest:?}");
    }

    #[test]
    fn the_configuration_is_well_formed_and_names_its_instance() {
        let directory = tempfile::tempdir().unwrap();
        let (on, about) = (&fleet::HOSTS[2], &fleet::INSTANCES[4]);
        let home = instance(directory.path(), on, about, crate::time::now()).unwrap();
        let text = fs::read_to_string(home.configuration()).unwrap();
        let parsed = roxmltree::Document::parse(&text).unwrap();
        let name = parsed
            .root_element()
            .children()
            .find(|child| child.has_tag_name("Name"));
        assert_eq!(name.and_then(|name| name.text()), Some("positions"));
        roxmltree::Document::parse(&fs::read_to_string(home.transports()).unwrap()).unwrap();
    }
}
