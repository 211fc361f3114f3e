//! A large file over a connection that breaks: what comes is the whole file or no success, never two
//! halves of two files, and the lost connection can be seen.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use gonogo::digest::Sha256;
use serde_json::{Value, json};

use crate::lab::{Amps, Cutter, Host, Lab, OPERATIONS, Run, Wire};

const OPS: &str = OPERATIONS.team;
const MIB: usize = 1 << 20;
/// Enough that no client has asked for all of it when a few mebibytes have come.
const SIZE: usize = 16 * MIB;

/// Read before any other artifact.
const FEATURE: &str = "\
Feature: Large

  Scenario: dump of <instance>
    Given each instance
    When the team connects
    Then artifact \"dump\" can be retrieved
";

struct Bench {
    lab: Lab,
    host: Rc<Host>,
    orders: Rc<Amps>,
    kind: &'static str,
    deadline: &'static str,
}

impl Bench {
    /// A file of that kind, `SIZE` long.
    fn new(kind: &'static str) -> Self {
        let lab = Lab::new();
        let host = lab.host("ny4-1").start();
        let orders = lab.amps("orders", &host);
        orders.stop_writer();
        orders.write("dump", &bytes(1, SIZE));
        Self {
            lab,
            host,
            orders,
            kind,
            deadline: "60s",
        }
    }

    fn path(&self) -> PathBuf {
        self.orders.path("dump")
    }

    fn judge(&self, cutter: &Cutter, edit: impl FnOnce(&mut Value)) -> Run {
        let mut inventory = self.lab.inventory();
        inventory["products"]["amps"]["artifacts"]["dump"] =
            json!({"kind": self.kind, "path": "{home}/dump", "format": "plain"});
        inventory["hosts"]["ny4-1"]["address"] = cutter.address.ip().to_string().into();
        inventory["hosts"]["ny4-1"]["port"] = cutter.address.port().into();
        inventory["ssh"]["connect_timeout"] = "5s".into();
        inventory["ssh"]["deadline"] = self.deadline.into();
        edit(&mut inventory);
        self.lab.write_inputs(&inventory);
        let operator = self.lab.operator();
        let known = operator.join("known_hosts");
        let lines = fs::read_to_string(&known).unwrap() + &cutter.known_hosts_line(&self.host);
        fs::write(&known, lines).unwrap();
        // Before `support.feature`, so that the first connection is the one that is cut.
        fs::write(operator.join("features/dump.feature"), FEATURE).unwrap();
        let out = self.lab.next_out();
        let args = [&self.lab.run_args(&out)[..], &["--keep", "kept"]].concat();
        let output = self.lab.run(&args);
        Run::of(output, operator.join(out))
    }

    /// What was kept of the file in the last run.
    fn kept(&self) -> Vec<Vec<u8>> {
        let kept = self.lab.operator().join("kept");
        let files = fs::read_dir(kept.join("orders/operations/dump"));
        let files = files.into_iter().flatten();
        let all = files.map(|file| fs::read(file.unwrap().path()).unwrap());
        let all = all.collect();
        fs::remove_dir_all(kept).unwrap();
        all
    }

    /// The file came whole, as these bytes, taken up again so often.
    #[track_caller]
    fn came(&self, run: &Run, whole: &[u8], resumed: u64) {
        assert_eq!(run.code(), 0, "{}\n{:#?}", run.told(), run.failures());
        let check = run.check("orders", OPS, "dump");
        let evidence = &check["evidence"][0];
        assert_eq!(evidence["bytes"], whole.len(), "{evidence:#}");
        let digest = Sha256::of(whole).to_string();
        assert_eq!(evidence["sha256"], digest, "{evidence:#}");
        let told = evidence.get("resumed").map(|told| told.as_u64().unwrap());
        assert_eq!(told, (resumed > 0).then_some(resumed), "{evidence:#}");
        assert!(self.kept() == [whole], "another file was kept");
        let sessions = &run.report()["hosts"][0]["sessions"];
        assert_eq!(*sessions, resumed + 1);
        let transcript = transcript(run, check);
        let lost = transcript.matches("connection lost: ").count();
        assert_eq!(lost as u64, resumed, "{transcript}");
        let verified = self.lab.verify(&run.dir);
        assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    }

    /// It failed in that way, and nothing of it was kept.
    #[track_caller]
    fn failed<'r>(&self, run: &'r Run, kind: &str) -> &'r Value {
        run.assert_only(&[("orders", OPS, "dump", kind)]);
        assert!(self.kept().is_empty(), "a part was kept");
        &run.check("orders", OPS, "dump")["failure"]
    }
}

fn transcript(run: &Run, check: &Value) -> String {
    fs::read_to_string(run.dir.join(check["transcript"].as_str().unwrap())).unwrap()
}

/// So many bytes, of which no two parts are alike.
fn bytes(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let words = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005);
        state = state.wrapping_add(1_442_695_040_888_963_407);
        (state ^ (state >> 29)).to_le_bytes()
    });
    words.flatten().take(count).collect()
}

fn client(inventory: &mut Value, client: &str, transport: &str) {
    inventory["teams"][OPS]["client"] = client.into();
    inventory["teams"][OPS]["transport"] = transport.into();
}

const WAYS: [(&str, &str); 4] = [
    ("ssh2", "auto"),
    ("openssh", "auto"),
    ("ssh2", "exec"),
    ("openssh", "exec"),
];

#[test]
fn a_cut_transfer_goes_on_and_is_the_whole_file() {
    let bench = Bench::new("other");
    let whole = fs::read(bench.path()).unwrap();
    for (name, transport) in WAYS {
        for resets in [false, true] {
            if resets && transport == "exec" {
                continue;
            }
            let cutter = Cutter::before(
                &bench.host,
                Wire {
                    resets,
                    ..Wire::cut(&[6 * MIB])
                },
            );
            let run = bench.judge(&cutter, |inventory| client(inventory, name, transport));
            bench.came(&run, &whole, 1);
            assert_eq!(cutter.taken(), 2, "{name} {transport}");
            let method = if transport == "auto" { "sftp" } else { "exec" };
            let check = run.check("orders", OPS, "dump");
            assert_eq!(check["evidence"][0]["method"], method);
            let transcript = transcript(&run, check);
            assert!(
                transcript.contains("then: read on over another connection\n"),
                "{transcript}"
            );
            assert!(!transcript.contains("after: 0 of"), "{transcript}");
        }
        // The twin: nothing is cut, nothing is told.
        let cutter = Cutter::before(&bench.host, Wire::cut(&[]));
        let run = bench.judge(&cutter, |inventory| client(inventory, name, transport));
        bench.came(&run, &whole, 0);
        assert_eq!(cutter.taken(), 1, "{name} {transport}");
    }
}

#[test]
fn two_cuts_are_two_resumptions() {
    let bench = Bench::new("other");
    let whole = fs::read(bench.path()).unwrap();
    let cutter = Cutter::before(&bench.host, Wire::cut(&[6 * MIB, 4 * MIB]));
    let run = bench.judge(&cutter, |_| ());
    bench.came(&run, &whole, 2);
    assert_eq!(cutter.taken(), 3);
}

/// Does that to the file while the connection is lost.
fn meanwhile(bench: &Bench, act: impl Fn(PathBuf) + Send + 'static) -> Cutter {
    let path = bench.path();
    let wire = Wire {
        between: Some(Box::new(move || act(path.clone()))),
        ..Wire::cut(&[6 * MIB])
    };
    Cutter::before(&bench.host, wire)
}

/// Puts a file with other bytes in its place, at the same size.
fn replace(path: &PathBuf, whole: &[u8], same_time: bool) {
    let time = fs::metadata(path).unwrap().modified().unwrap();
    let new = path.with_extension("new");
    fs::write(&new, whole).unwrap();
    let owner = fs::metadata(path).unwrap();
    use std::os::unix::fs::MetadataExt as _;
    std::os::unix::fs::chown(&new, Some(owner.uid()), Some(owner.gid())).unwrap();
    fs::set_permissions(&new, owner.permissions()).unwrap();
    let file = fs::File::options().write(true).open(&new).unwrap();
    let later = time + Duration::from_secs(2);
    file.set_modified(if same_time { time } else { later })
        .unwrap();
    fs::rename(new, path).unwrap();
}

#[test]
fn a_file_that_was_replaced_meanwhile_is_read_anew() {
    for (kind, name, transport, same_times) in [
        ("other", "ssh2", "auto", [false, true]),
        ("other", "openssh", "auto", [true, true]),
        ("other", "ssh2", "exec", [true, true]),
        ("log", "ssh2", "auto", [false, true]),
    ] {
        for same_time in BTreeSet::from(same_times) {
            let bench = Bench::new(kind);
            let new = bytes(2, SIZE);
            let cutter = meanwhile(&bench, {
                let new = new.clone();
                move |path| replace(&path, &new, same_time)
            });
            let run = bench.judge(&cutter, |inventory| client(inventory, name, transport));
            bench.came(&run, &new, 1);
            let transcript = transcript(&run, run.check("orders", OPS, "dump"));
            assert!(
                transcript.contains("then: read again from the beginning: "),
                "{transcript}"
            );
        }
    }
}

#[test]
fn a_file_that_only_begins_alike_is_read_anew() {
    let bench = Bench::new("other");
    let old = fs::read(bench.path()).unwrap();
    // Alike at the beginning and in the time: only the last bytes that had come tell.
    let new = [&old[..MIB], &bytes(3, SIZE - MIB)].concat();
    let cutter = meanwhile(&bench, {
        let new = new.clone();
        move |path| replace(&path, &new, true)
    });
    let run = bench.judge(&cutter, |_| ());
    bench.came(&run, &new, 1);
    let transcript = transcript(&run, run.check("orders", OPS, "dump"));
    assert!(transcript.contains("otherwise now"), "{transcript}");
}

#[test]
fn a_log_that_grew_meanwhile_is_what_it_was_when_it_was_opened() {
    for (kind, grown) in [("log", false), ("other", true)] {
        let bench = Bench::new(kind);
        let old = fs::read(bench.path()).unwrap();
        let more = bytes(4, MIB);
        let whole = [&old[..], &more].concat();
        let cutter = meanwhile(&bench, move |path| {
            use std::io::Write as _;
            let mut file = fs::File::options().append(true).open(path).unwrap();
            file.write_all(&more).unwrap();
        });
        let run = bench.judge(&cutter, |_| ());
        // Of another kind a file that changed is another file.
        bench.came(&run, if grown { &whole } else { &old }, 1);
    }
}

#[test]
fn a_log_that_was_truncated_meanwhile_is_read_anew() {
    let bench = Bench::new("log");
    let new = bytes(5, 3 * MIB);
    let cutter = meanwhile(&bench, {
        let new = new.clone();
        // copytruncate: the same file, from its beginning.
        move |path| fs::write(path, &new).unwrap()
    });
    let run = bench.judge(&cutter, |_| ());
    bench.came(&run, &new, 1);
}

#[test]
fn a_file_that_is_gone_meanwhile_is_missing_and_the_first_failure_is_told() {
    let bench = Bench::new("other");
    let cutter = meanwhile(&bench, |path| fs::remove_file(path).unwrap());
    let run = bench.judge(&cutter, |_| ());
    let failure = bench.failed(&run, "missing");
    let actual = failure["actual"].as_str().unwrap();
    assert!(actual.contains("taken up again once"), "{failure:#}");
    assert!(actual.contains("it was lost: "), "{failure:#}");
}

#[test]
fn a_connection_that_never_lasts_is_unreachable_in_the_end() {
    for (name, transport) in [("ssh2", "auto"), ("openssh", "auto"), ("ssh2", "exec")] {
        let bench = Bench::new("other");
        let cutter = Cutter::before(&bench.host, Wire::cut(&[3 * MIB; 4]));
        let run = bench.judge(&cutter, |inventory| client(inventory, name, transport));
        let failure = bench.failed(&run, "unreachable");
        // Three logins more, and one for the checks that follow.
        assert_eq!(cutter.taken(), 5, "{}", run.told());
        let actual = failure["actual"].as_str().unwrap();
        for told in [
            "as often as it may be",
            "3 times",
            "of 16777216 bytes",
            "it was lost: ",
        ] {
            assert!(actual.contains(told), "{told}: {failure:#}");
        }
        let hint = failure["hint"].as_str().unwrap();
        assert!(hint.contains("firewalls"), "{failure:#}");
    }
}

#[test]
fn a_connection_that_does_not_last_for_a_mebibyte_fails_at_once() {
    let bench = Bench::new("other");
    let cutter = Cutter::before(&bench.host, Wire::cut(&[MIB / 2]));
    let run = bench.judge(&cutter, |_| ());
    let failure = bench.failed(&run, "unreachable");
    assert!(!failure.to_string().contains("taken up"), "{failure:#}");
    assert_eq!(cutter.taken(), 2, "{}", run.told());
}

#[test]
fn a_deadline_holds_for_all_parts_together() {
    let mut bench = Bench::new("other");
    bench.orders.write("dump", &bytes(1, 4 * SIZE));
    bench.deadline = "16s";
    // At most 3 MiB a second: the file takes longer, even if nothing is cut.
    let slow = Duration::from_millis(5);
    let cut = Wire {
        slow,
        ..Wire::cut(&[3 * MIB])
    };
    let cutter = Cutter::before(&bench.host, cut);
    let begun = std::time::Instant::now();
    let run = bench.judge(&cutter, |inventory| {
        inventory["ssh"]["connect_timeout"] = "3s".into();
    });
    assert!(begun.elapsed() < Duration::from_secs(60), "{}", run.told());
    let failure = bench.failed(&run, "timeout");
    let actual = failure["actual"].as_str().unwrap();
    assert!(actual.contains("taken up again once"), "{failure:#}");
}

#[test]
fn with_no_time_left_to_connect_the_lost_connection_is_what_is_told() {
    let mut bench = Bench::new("other");
    bench.deadline = "12s";
    let cutter = Cutter::before(&bench.host, Wire::cut(&[3 * MIB]));
    let run = bench.judge(&cutter, |inventory| {
        inventory["ssh"]["connect_timeout"] = "8s".into();
    });
    let failure = bench.failed(&run, "unreachable");
    let actual = failure["actual"].as_str().unwrap();
    assert!(actual.contains("too little of the deadline"), "{failure:#}");
    // The checks that follow come to a host that is well.
    assert_eq!(cutter.taken(), 2, "{}", run.told());
}

#[test]
fn a_file_that_is_truncated_while_it_is_read_is_short_before_and_after_a_cut() {
    for (cuts, number) in [(&[][..], 0), (&[5 * MIB][..], 1)] {
        for (name, transport) in [("ssh2", "auto"), ("openssh", "auto"), ("ssh2", "exec")] {
            let bench = Bench::new("log");
            bench.orders.write("dump", &bytes(1, 4 * SIZE));
            let path = bench.path();
            let truncate = move || drop(fs::File::create(&path).unwrap());
            let wire = Wire {
                amid: Some((number, 4 * MIB, Arc::new(truncate))),
                ..Wire::cut(cuts)
            };
            let cutter = Cutter::before(&bench.host, wire);
            let run = bench.judge(&cutter, |inventory| client(inventory, name, transport));
            let failure = bench.failed(&run, "short");
            let told = failure.to_string().contains("taken up again once");
            assert_eq!(told, number == 1, "{failure:#}");
        }
    }
}

#[test]
fn what_a_command_prints_is_not_gone_on_with() {
    let bench = Bench::new("other");
    let cutter = Cutter::before(&bench.host, Wire::cut(&[6 * MIB]));
    let run = bench.judge(&cutter, |inventory| {
        inventory["products"]["amps"]["artifacts"]["dump"] =
            json!({"kind": "other", "command": ["cat", "{home}/dump"]});
    });
    bench.failed(&run, "unreachable");
    assert_eq!(cutter.taken(), 2, "{}", run.told());
}
