//! The readers of logs alone, in memory: 1 GiB of each grammar and out of each compression, and a
//! bomb of each. `cargo bench --bench readers`
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench prints its figures, and stops where it cannot go on"
)]

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use gonogo::evidence::reader::{Circumstances, for_artifact};
use gonogo::evidence::unpack::Tail;
use gonogo::inventory::{Artifact, Inventory};

/// Bytes of a piece, as the transport hands them over.
const PIECE: usize = 32 * 1024;

const INVENTORY: &str = r#"
environment: bench
ssh: {known_hosts: [k]}
hosts: {h: {address: h, timezone: Europe/Berlin}}
teams: {ops: {user: ops, key: k}}
products:
  p:
    artifacts:
      amps: {kind: log, path: /a, format: amps-log}
      amps with names and version: {kind: log, path: /a, format: amps-log, names: 'instance \[(\w+)\]', match: 'AMPS (\d+\.\d+\.\d+\.\d+)'}
      pattern:
        kind: log
        path: /p
        format: log
        entry:
          pattern: '^(?<time>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(?<level>\w+)\] \d+#\d+: '
          time: '%Y/%m/%d %H:%M:%S'
          levels: [debug, info, notice, warn, error, crit]
      json:
        kind: log
        path: /j
        format: json-log
        entry: {json: {time: t.$date, level: s, id: id}, time: rfc3339, levels: [D, I, W, E, F]}
instances: {i: {product: p, host: h, teams: [ops]}}
"#;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mib = words.iter().find_map(|word| word.parse::<usize>().ok());
    let bytes = mib.unwrap_or(1024) << 20;
    let inventory = Inventory::parse(Path::new("bench"), INVENTORY.into()).unwrap();
    let artifacts = &inventory.instances[0].artifacts;
    let of = |name: &str| artifacts.iter().find(|one| one.name == name).unwrap();
    for name in ["amps", "amps with names and version", "pattern", "json"] {
        // A part that is read again and again costs no memory to speak of.
        let part = log(name, 16 << 20);
        let parts = (bytes / part.len()).max(1);
        let whole = std::iter::repeat_n(part.as_slice(), parts);
        show(name, of(name), whole, part.len() * parts);
    }
    let text = log("amps", bytes.min(256 << 20));
    let zeros = vec![0; bytes];
    for tool in ["gzip -c", "zstd -qc", "xz -1c", "bzip2 -c"] {
        let packed = pack(tool, &text);
        show(tool, of("amps"), std::iter::once(&*packed), text.len());
        let bomb = pack(tool, &zeros);
        let name = format!("{tool}, zeros");
        show(&name, of("amps"), std::iter::once(&*bomb), zeros.len());
    }
}

fn show<'a>(
    name: &str,
    artifact: &Artifact,
    bytes: impl Iterator<Item = &'a [u8]>,
    unpacked: usize,
) {
    // Writing 5 there forgets the peak so far (proc(5), `clear_refs`).
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = memory("VmRSS:");
    let circumstances = Circumstances {
        tail: Tail::Closed,
        timezone: Some("Europe/Berlin"),
    };
    let mut reader = for_artifact(artifact, circumstances);
    let (start, mut moved) = (cpu(), 0);
    for part in bytes {
        moved += part.len();
        part.chunks(PIECE)
            .for_each(|piece| reader.write_all(piece).unwrap());
    }
    let judged = reader.finish();
    let seconds = cpu() - start;
    let peak = memory("VmHWM:").saturating_sub(before);
    let rate = unpacked as f64 / seconds / 1e6;
    let judged = judged.map_or_else(|failure| failure.actual, |_| "well".to_owned());
    println!("{name:<30} {moved:>11} B  {seconds:>6.2} s  {rate:>7.0} MB/s  +{peak} KiB  {judged}");
}

/// Seconds of CPU that this thread has had (proc(5), `schedstat`): another build beside this one does
/// not show.
fn cpu() -> f64 {
    let spent = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds: u64 = spent.split(' ').next().unwrap().parse().unwrap();
    nanoseconds as f64 / 1e9
}

fn memory(line: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|found| found.strip_prefix(line));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

fn pack(tool: &str, text: &[u8]) -> Vec<u8> {
    let mut words = tool.split(' ');
    let mut child = Command::new(words.next().unwrap())
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(text).unwrap());
        child.wait_with_output().unwrap().stdout
    })
}

fn log(name: &str, bytes: usize) -> Vec<u8> {
    let mut text = String::with_capacity(bytes + 200);
    let (mut n, mut state) = (0_u32, 1_u32);
    while text.len() < bytes {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        n += 1;
        let (minute, second) = (n / 600 % 60, n / 10 % 60);
        let (id, client) = (state >> 27, state >> 12);
        let written = match name {
            "pattern" => writeln!(
                text,
                "2026/11/21 09:{minute:02}:{second:02} [error] 7#7: *{n} open() \"/srv/{client:x}\" failed (2: No such file or directory), client: 10.0.0.7"
            ),
            "json" => writeln!(
                text,
                r#"{{"t":{{"$date":"2026-11-21T09:{minute:02}:{second:02}.123+00:00"}},"s":"I","c":"NETWORK","id":{},"ctx":"conn{n}","msg":"Connection ended","attr":{{"remote":"10.0.0.7:{client}","connectionCount":{id}}}}}"#,
                22900 + id
            ),
            _ => writeln!(
                text,
                "2026-11-21T09:{minute:02}:{second:02}.1234567-05:00 [12] info: 07-00{id:02X} client session logged on: client-{client:x}, 10.0.0.7:{n}"
            ),
        };
        written.unwrap();
    }
    text.into_bytes()
}
