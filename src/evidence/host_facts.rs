//! What support asks of the host under a product: operating system, kernel, limits, memory, disk space. Reads
//! what `cat`, `uname` and `df` printed; a fact that cannot be read is an error, never a guess.

use std::collections::BTreeMap;

use super::redact::Capture;

/// Most characters of one word of the host's.
const MOST: usize = 200;
/// Most file systems that are told: a host with more has them made by a container engine.
const MOST_DISKS: usize = 64;

/// What is known of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFacts {
    /// The account that asked: limits are those of its session.
    pub account: String,
    /// The operating system, as os-release(5) names it for people.
    pub os: String,
    /// Name and release of the kernel.
    pub kernel: String,
    /// The processor, as the kernel names it: `x86_64`.
    pub machine: String,
    /// Memory in KiB.
    pub memory_kib: u64,
    /// Each limit of proc_pid_limits(5), soft and hard, with its unit.
    pub limits: BTreeMap<String, String>,
    /// Each file system with a size.
    pub disks: Vec<Disk>,
}

/// One file system, as `df -Pk` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// What is mounted.
    pub file_system: String,
    /// Where.
    pub mounted_on: String,
    /// Its size in KiB.
    pub size_kib: u64,
    /// KiB in use.
    pub used_kib: u64,
    /// KiB that an ordinary account may still use.
    pub free_kib: u64,
}

impl Disk {
    /// How much of what an ordinary account may use is free, in whole percent, rounded down.
    #[must_use]
    pub fn free_percent(&self) -> u64 {
        let all = u128::from(self.used_kib) + u128::from(self.free_kib);
        let percent = (u128::from(self.free_kib) * 100).checked_div(all);
        percent.map_or(0, |percent| u64::try_from(percent).unwrap_or(0))
    }
}

fn word(text: &str) -> String {
    Capture::new(text.trim()).excerpt(MOST)
}

/// `PRETTY_NAME`, or `NAME` and `VERSION`, of os-release(5).
#[must_use]
pub fn operating_system(text: &str) -> Option<String> {
    let value = |key: &str| {
        let line = text.lines().rev().find_map(|line| line.strip_prefix(key));
        let value = line?.strip_prefix('=')?.trim();
        let value = value.trim_matches('"').trim_matches('\'').trim();
        (!value.is_empty()).then(|| value.replace('\\', ""))
    };
    let named = || {
        let version = value("VERSION").or_else(|| value("VERSION_ID"));
        Some(format!("{} {}", value("NAME")?, version?))
    };
    value("PRETTY_NAME").or_else(named).map(|name| word(&name))
}

/// Kernel and processor from `uname -srm`.
#[must_use]
pub fn kernel(text: &str) -> Option<(String, String)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let &[name, release, machine] = words.as_slice() else {
        return None;
    };
    let is_release = release.starts_with(|c: char| c.is_ascii_digit());
    is_release.then(|| (word(&format!("{name} {release}")), word(machine)))
}

/// Every limit of `/proc/self/limits`. Its columns stand at fixed places (fs/proc/base.c: `%-25s %-20s
/// %-20s %-10s`), and names have blanks.
#[must_use]
pub fn limits(text: &str) -> Option<BTreeMap<String, String>> {
    let mut lines = text.lines();
    lines.next().filter(|head| head.starts_with("Limit "))?;
    let mut limits = BTreeMap::new();
    for line in lines.take(64) {
        let (name, rest) = line.split_at_checked(26)?;
        let mut words = rest.split_whitespace();
        let (soft, hard) = (words.next()?, words.next()?);
        let is_limit = |word: &str| word == "unlimited" || word.parse::<u64>().is_ok();
        if !is_limit(soft) || !is_limit(hard) {
            return None;
        }
        let unit = words
            .next()
            .map_or(String::new(), |unit| format!(" {unit}"));
        let name = name.trim().trim_start_matches("Max ");
        limits.insert(word(name), word(&format!("{soft}, hard {hard}{unit}")));
    }
    let has = |name| limits.contains_key(name);
    (has("open files") && has("core file size")).then_some(limits)
}

/// `MemTotal` of proc_meminfo(5), in KiB.
#[must_use]
pub fn memory(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// The file systems of `df -Pk` (POSIX.1-2017, XCU df). Names may have blanks; those without a size,
/// such as `proc`, are left out.
#[must_use]
pub fn disks(text: &str) -> Option<Vec<Disk>> {
    let mut lines = text.lines();
    lines
        .next()
        .filter(|head| head.contains("Available") && head.contains("Capacity"))?;
    let disks: Option<Vec<Disk>> = lines.map(disk).collect();
    let mut disks = disks?;
    disks.retain(|disk| disk.size_kib > 0);
    disks.truncate(MOST_DISKS);
    (!disks.is_empty()).then_some(disks)
}

fn disk(line: &str) -> Option<Disk> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let is_capacity = |word: &str| {
        let digits = word.strip_suffix('%').unwrap_or_default();
        word == "-" || !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let numbers = |at: usize| -> Option<[u64; 3]> {
        let number = |word: &str| word.parse().ok();
        let [size, used, free] = words.get(at - 3..at)? else {
            return None;
        };
        // What is reserved for root may be used up, too; some show that as less than nothing.
        let free = match free.starts_with('-') {
            true => 0,
            false => number(free)?,
        };
        Some([number(size)?, number(used)?, free])
    };
    let mut places = (4..words.len()).filter(|at| is_capacity(words[*at]));
    let (at, [size_kib, used_kib, free_kib]) = places.find_map(|at| Some((at, numbers(at)?)))?;
    let mounted_on = words.get(at + 1..)?.join(" ");
    mounted_on.starts_with('/').then(|| Disk {
        file_system: word(&words[..at - 3].join(" ")),
        mounted_on: word(&mounted_on),
        size_kib,
        used_kib,
        free_kib,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_system_is() {
        let debian = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\n";
        assert_eq!(
            operating_system(debian).as_deref(),
            Some("Debian GNU/Linux 12 (bookworm)")
        );
        let bare = "NAME=Alpine\nVERSION_ID='3.20.1'\n";
        assert_eq!(operating_system(bare).as_deref(), Some("Alpine 3.20.1"));
        for none in ["", "NAME=x\n", "PRETTY_NAME=\"\"\n", "<html>\n"] {
            assert_eq!(operating_system(none), None, "{none}");
        }
        let uname = kernel("Linux 6.1.0-18-amd64 x86_64\n");
        assert_eq!(
            uname,
            Some(("Linux 6.1.0-18-amd64".into(), "x86_64".into()))
        );
        for none in ["", "Linux", "Linux x y", "command not found"] {
            assert_eq!(kernel(none), None, "{none}");
        }
    }

    #[test]
    fn reads_limits_and_memory() {
        let head =
            "Limit                     Soft Limit           Hard Limit           Units     \n";
        let files =
            "Max open files            20000                65536                files     \n";
        let core =
            "Max core file size        0                    unlimited            bytes     \n";
        let nice = "Max nice priority         0                    0                    \n";
        let found = limits(&format!("{head}{files}{core}{nice}")).unwrap();
        assert_eq!(found["open files"], "20000, hard 65536 files");
        assert_eq!(found["core file size"], "0, hard unlimited bytes");
        assert_eq!(found["nice priority"], "0, hard 0");
        assert_eq!(limits(&format!("{head}{files}")), None);
        assert_eq!(limits("time(seconds)        unlimited\n"), None);
        assert_eq!(
            memory("MemTotal:       24684084 kB\nMemFree: 1 kB\n"),
            Some(24_684_084)
        );
        assert_eq!(memory("MemFree: 1 kB\n"), None);
    }

    #[test]
    fn reads_file_systems_whatever_their_names() {
        let head = "Filesystem     1024-blocks     Used Available Capacity Mounted on\n";
        let rows = "proc 0 0 0 - /proc\n/dev/vda 264212084 43736464 51549424      46% /\n\
                    //nas/a b 1000 900 100 90% /mnt/with blanks\n/dev/full 100 100 -5 101% /full\n";
        let found = disks(&format!("{head}{rows}")).unwrap();
        let told: Vec<_> = (found.iter())
            .map(|disk| (disk.mounted_on.as_str(), disk.free_percent()))
            .collect();
        assert_eq!(told, [("/", 54), ("/mnt/with blanks", 10), ("/full", 0)]);
        assert_eq!(found[1].file_system, "//nas/a b");
        for bad in ["", head, "df: x\n", &format!("{head}/dev/vda x y z 1% /\n")] {
            assert_eq!(disks(bad), None, "{bad}");
        }
    }
}
