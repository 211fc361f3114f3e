//! A whole good run, its connection cut after n pieces from the server for every n, then frozen and bent
//! at many: never GO before all evidence arrived, never a hang past the deadline, never more than bounded
//! memory, never a file outside the run directory, and no process left on the server.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddrV4, TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gonogo::digest::Sha256;
use serde_json::Value;

use crate::lab::{GONOGO, Host, Lab, until, watched};

/// One check over one connection, so that one blow is one failure.
const FEATURE: &str = "\
Feature: What support asks for

  Scenario: everything of <instance> for <team>
    Given each instance
    And each team responsible for it
    When the team connects
    Then the version can be retrieved
    And the configuration can be retrieved
    And the event log can be retrieved
    And the statistics database can be retrieved
";

/// More than any run needs, and far less than what a peer can send in its time.
const MOST_MEMORY: u64 = 128 << 10;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Blow {
    /// The connection ends.
    Cut,
    /// Nothing passes any more, in either direction; the connection stays.
    Freeze,
    /// One bit of the next piece is another.
    Bend,
}

/// What passes before the blow falls, on each connection anew.
fn proxy(server: SocketAddrV4, blow: Blow, pieces: usize) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(server) else {
                return;
            };
            let frozen = Arc::new(AtomicBool::new(false));
            let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let ice = Arc::clone(&frozen);
            std::thread::spawn(move || upstream(from, to, &ice));
            std::thread::spawn(move || downstream(server, client, blow, pieces, &frozen));
        }
    });
    port
}

fn upstream(mut client: TcpStream, mut server: TcpStream, frozen: &AtomicBool) {
    let mut buffer = [0; 16 << 10];
    while let Ok(n @ 1..) = client.read(&mut buffer) {
        if !frozen.load(Ordering::Relaxed) && server.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    // The client is gone: so is the connection, frozen or not.
    let _ = server.shutdown(Shutdown::Both);
    let _ = client.shutdown(Shutdown::Both);
}

fn downstream(
    mut server: TcpStream,
    mut client: TcpStream,
    blow: Blow,
    pieces: usize,
    frozen: &AtomicBool,
) {
    let mut buffer = [0; 16 << 10];
    let mut passed = 0;
    while let Ok(n @ 1..) = server.read(&mut buffer) {
        let piece = &mut buffer[..n];
        if passed == pieces {
            match blow {
                Blow::Cut => break,
                Blow::Freeze => {
                    frozen.store(true, Ordering::Relaxed);
                    return;
                }
                Blow::Bend => piece[n - 1] ^= 1,
            }
        }
        if client.write_all(piece).is_err() {
            break;
        }
        passed += 1;
    }
    let _ = server.shutdown(Shutdown::Both);
    let _ = client.shutdown(Shutdown::Both);
}

struct Outcome {
    report: Value,
    code: Option<i32>,
    took: Duration,
    memory: u64,
    told: String,
}

impl Outcome {
    fn is_go(&self) -> bool {
        self.report["verdict"]["decision"] == "GO"
    }

    fn kind(&self) -> &str {
        self.report["checks"][0]["failure"]["kind"]
            .as_str()
            .unwrap_or("none")
    }
}

/// What is the same for every run.
struct Bench {
    lab: Lab,
    server: SocketAddrV4,
    inventory: Value,
    /// Digest of what each file of the instance holds, by its path.
    truth: BTreeMap<String, String>,
}

impl Bench {
    fn new() -> (Self, std::rc::Rc<Host>) {
        let lab = Lab::new();
        let host = lab.host("ny4-1").start();
        let orders = lab.amps("orders", &host);
        orders.stop_writer();
        let mut inventory = lab.inventory();
        lab.write_inputs(&inventory);
        fs::write(lab.operator().join("features/support.feature"), FEATURE).unwrap();
        inventory["hosts"]["ny4-1"]["address"] = "127.0.0.1".into();
        inventory["hosts"]["ny4-1"]["host_key"] = host.fingerprint().into();
        let mut truth = BTreeMap::new();
        for directory in ["config", "logs", "."] {
            for entry in fs::read_dir(orders.path(directory)).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    let digest = Sha256::of(&fs::read(&path).unwrap()).to_string();
                    let path = path.canonicalize().unwrap().display().to_string();
                    truth.insert(path, digest);
                }
            }
        }
        // What the command prints is what that file holds.
        let version = truth[&orders
            .path("VERSION")
            .canonicalize()
            .unwrap()
            .display()
            .to_string()]
            .clone();
        truth.insert(format!("{}/bin/ampServer --version", orders.home), version);
        let bench = Self {
            lab,
            server: host.address,
            inventory,
            truth,
        };
        (bench, host)
    }

    /// Runs for each of `places`, `workers` at a time, until `enough` says so.
    fn strike(
        &self,
        blow: Blow,
        workers: usize,
        places: impl Iterator<Item = usize> + Send,
        enough: impl Fn(&Outcome) -> bool + Sync,
    ) -> BTreeMap<usize, Outcome> {
        let time = match blow {
            // Ample, for the last of them has to be GO.
            Blow::Cut => ("10s", "30s"),
            Blow::Freeze | Blow::Bend => ("2s", "2s"),
        };
        let mut inventory = self.inventory.clone();
        inventory["ssh"]["connect_timeout"] = time.0.into();
        inventory["ssh"]["deadline"] = time.1.into();
        let operator = self.lab.operator();
        let environment = self.lab.environment();
        let (server, places) = (self.server, Mutex::new(places));
        let outcomes = Mutex::new(BTreeMap::new());
        let over = AtomicBool::new(false);
        let count = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        let Some(place) = places.lock().unwrap().next() else {
                            return;
                        };
                        assert!(count.fetch_add(1, Ordering::Relaxed) < 400, "never enough");
                        let mut inventory = inventory.clone();
                        let port = proxy(server, blow, place);
                        inventory["hosts"]["ny4-1"]["port"] = port.into();
                        let name = format!("{blow:?}-{place}");
                        let file = format!("inventory-{name}.yaml");
                        fs::write(operator.join(&file), inventory.to_string()).unwrap();
                        let arguments = ["run", "-i", &file, "features", "-o", &name];
                        let mut command = Command::new(GONOGO);
                        command.args(arguments).args(["--key", "keys/signer"]);
                        command
                            .envs(environment.clone())
                            .env_remove("SSH_AUTH_SOCK");
                        command.current_dir(&operator);
                        let run = watched(command, Duration::from_secs(60));
                        let report = fs::read(operator.join(&name).join("report.json"));
                        let report = report.unwrap_or_else(|_| panic!("{}", run.told));
                        let outcome = Outcome {
                            report: serde_json::from_slice(&report).unwrap(),
                            code: run.code,
                            took: run.took,
                            memory: run.memory,
                            told: run.told,
                        };
                        if enough(&outcome) {
                            over.store(true, Ordering::Relaxed);
                        }
                        outcomes.lock().unwrap().insert(place, outcome);
                    }
                });
            }
        });
        outcomes.into_inner().unwrap()
    }

    /// GO with all of the evidence, or a failure that says what happened.
    #[track_caller]
    fn judge(&self, place: usize, outcome: &Outcome, kinds: &[&str], most: Duration) {
        let told = format!(
            "after {place}: {}\n{:#}",
            outcome.told, outcome.report["checks"]
        );
        assert!(outcome.took < most, "{:?} {told}", outcome.took);
        assert!(
            outcome.memory < MOST_MEMORY,
            "{} KiB {told}",
            outcome.memory
        );
        if !outcome.is_go() {
            assert_eq!(outcome.code, Some(1), "{told}");
            assert_eq!(outcome.report["verdict"]["decision"], "NO-GO", "{told}");
            assert!(kinds.contains(&outcome.kind()), "{told}");
            let failure = &outcome.report["checks"][0]["failure"];
            for word in ["expected", "actual", "hint", "host", "account"] {
                assert!(
                    failure[word].as_str().is_some_and(|s| !s.is_empty()),
                    "{told}"
                );
            }
            return;
        }
        assert_eq!(outcome.code, Some(0), "{told}");
        let evidence = outcome.report["checks"][0]["evidence"].as_array().unwrap();
        let mut artifacts: Vec<&str> = Vec::new();
        for item in evidence {
            artifacts.push(item["artifact"].as_str().unwrap());
            let path = item["path"].as_str().unwrap();
            let truth = self.truth.get(path).map(String::as_str);
            assert!(truth.is_some(), "{path}: {told}");
            assert_eq!(truth, item["sha256"].as_str(), "{path}: {told}");
        }
        artifacts.sort_unstable();
        artifacts.dedup();
        assert_eq!(
            artifacts,
            ["configuration", "event log", "statistics", "version"],
            "{told}"
        );
    }
}

#[test]
fn no_moment_of_a_run_can_be_cut_frozen_or_bent_into_a_go() {
    let (bench, host) = Bench::new();
    let cut = bench.strike(Blow::Cut, 6, 0.., Outcome::is_go);
    let (whole, _) = cut.iter().find(|(_, outcome)| outcome.is_go()).unwrap();
    for (place, outcome) in &cut {
        // `auth`: whether sshd refused or the wire broke, a hang-up amid the login looks the same.
        let kinds = ["unreachable", "auth", "io", "short"];
        bench.judge(*place, outcome, &kinds, Duration::from_secs(45));
    }
    // Greeting, keys, login, four artifacts of several requests each.
    assert!(*whole > 20, "a run of {whole} pieces is no run");

    for (blow, from) in [(Blow::Freeze, 0), (Blow::Bend, 2)] {
        let struck = bench.strike(blow, 12, (from..*whole).step_by(5), |_| false);
        for (place, outcome) in &struck {
            let kinds = ["unreachable", "timeout", "io", "host-key", "auth"];
            bench.judge(*place, outcome, &kinds, Duration::from_secs(30));
        }
        let go = struck.values().filter(|outcome| outcome.is_go()).count();
        assert!(go <= 1, "{go} of {} are GO", struck.len());
    }

    until("the server's sessions end", Duration::from_secs(20), || {
        host.sessions().is_empty()
    });
    let left = fs::read_dir(bench.lab.path("operator/tmp"))
        .unwrap()
        .count();
    assert_eq!(left, 0, "files left in TMPDIR");
    let known = [
        "features",
        "inventory",
        "keys",
        "known_hosts",
        "allowed_signers",
        "tmp",
    ];
    for entry in fs::read_dir(bench.lab.operator()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_run = ["Cut-", "Freeze-", "Bend-"]
            .iter()
            .any(|run| name.starts_with(run));
        assert!(
            is_run || known.iter().any(|known| name.starts_with(known)),
            "{name}"
        );
    }
}
