//! Each break: its symptom is there when it is planted, is not there when it is not, and every host it
//! does not concern goes on as before.

use std::io::Read as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use gonogo::demo::Break;
use jiff::Timestamp;

use super::lab::{Lab, MARKET, OPS, text};
use super::vendors;

const HOSTS: [(&str, &str); 3] = [
    ("ny4-1", "ny4-amps-1"),
    ("ny4-2", "ny4-amps-2"),
    ("ld5-1", "ld5-amps-1"),
];

/// What `remote` prints on both streams.
fn says(lab: &Lab, host: &str, login: (&str, &str), remote: &str) -> (String, String) {
    let output = lab.ssh(host, login, remote);
    (text(&output.stdout), text(&output.stderr))
}

fn on_disk(lab: &Lab, path: &str) -> PathBuf {
    lab.at("hosts").join(path)
}

fn first_and_last(log: &str) -> (Timestamp, Timestamp) {
    let times = || {
        log.lines()
            .filter_map(|line| line.split(' ').next()?.parse().ok())
    };
    (times().next().unwrap(), times().next_back().unwrap())
}

fn hours(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_hours()
}

fn newest_sample(path: &Path) -> rusqlite::Result<Timestamp> {
    let database = rusqlite::Connection::open(path)?;
    let check: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    let query = "SELECT max(timestamp) / 1000 - 210866803200 FROM IMEMORY_DYNAMIC";
    let second: i64 = database.query_row(query, [], |row| row.get(0))?;
    match check.as_str() {
        "ok" => Ok(Timestamp::from_second(second).unwrap()),
        _ => Err(rusqlite::Error::InvalidQuery),
    }
}

/// Fetches database and write-ahead log as a client does, and reads what came.
fn fetched_sample(lab: &Lab, host: &str, name: &str) -> rusqlite::Result<Timestamp> {
    let scratch = tempfile::tempdir().unwrap();
    let home = on_disk(lab, host).join("opt/amps").join(name);
    for file in ["stats.db", "stats.db-wal"] {
        let _absent = std::fs::copy(home.join(file), scratch.path().join(file));
    }
    newest_sample(&scratch.path().join("stats.db"))
}

/// Whether `lab` shows what `fault` plants.
fn symptom(fault: Break, lab: &Lab) -> bool {
    let denied = |host, login, path| {
        lab.get(host, login, path)
            .is_err_and(|said| said.to_lowercase().contains("permission denied"))
    };
    let now = Timestamp::now();
    match fault {
        Break::Unreachable => says(lab, "ld5-1", OPS, "true").1.contains("refused"),
        Break::Silent => says(lab, "ld5-1", OPS, "true").1.contains("timed out"),
        Break::HostKey => says(lab, "ny4-2", OPS, "true")
            .1
            .contains("Host key verification failed"),
        Break::Auth => {
            let publickey = "Permission denied (publickey)";
            assert!(
                !says(lab, "ny4-2", OPS, "true").1.contains(publickey),
                "operations stays in"
            );
            says(lab, "ny4-2", MARKET, "true").1.contains(publickey)
        }
        Break::Shell => says(lab, "ld5-1", OPS, "echo marker").0 != "marker\n",
        Break::Missing => lab
            .get("ny4-2", OPS, "/opt/amps/risk/config/config.xml")
            .is_err(),
        Break::Denied => {
            let log = "/opt/amps/quotes/logs/amps.log";
            assert!(lab.get("ny4-2", OPS, log).is_ok(), "operations may read it");
            denied("ny4-2", MARKET, log)
        }
        Break::DeniedDirectory => {
            let scratch = tempfile::tempdir().unwrap();
            let listed = lab.sftp(
                "ny4-1",
                OPS,
                scratch.path(),
                "ls /opt/amps/orders/config/\n",
            );
            // sftp words what it cannot look at as not found; the directory it words rightly.
            let inside = lab.get("ny4-1", OPS, "/opt/amps/orders/config/config.xml");
            let denied = text(&listed.stderr)
                .to_lowercase()
                .contains("permission denied");
            assert_eq!(inside.is_err(), denied);
            denied
        }
        Break::NotRegular => {
            let path = on_disk(lab, "ld5-1/opt/amps/positions/logs/amps.log");
            path.symlink_metadata().unwrap().file_type().is_fifo()
        }
        Break::Empty => ["amps.log", "amps.log.1"].iter().all(|name| {
            let path = format!("/opt/amps/risk/logs/{name}");
            lab.get("ny4-2", OPS, &path).unwrap().is_empty()
        }),
        Break::Short => {
            let path = "opt/amps/orders/logs/amps.log.1";
            let size = on_disk(lab, "ny4-1").join(path).metadata().unwrap().len();
            let got = lab.get("ny4-1", OPS, &format!("/{path}"));
            got.map_or(true, |got| (got.len() as u64) < size)
        }
        Break::TooLarge => {
            let path = on_disk(lab, "ny4-1/opt/amps/trades/logs/amps.log.1");
            path.metadata().unwrap().len() > 64 << 20
        }
        Break::Hang => {
            let scratch = tempfile::tempdir().unwrap();
            let mut client = lab.client("sftp", "ny4-2", OPS);
            client
                .arg("127.0.0.1:/opt/amps/quotes/config/config.xml")
                .arg(scratch.path());
            let mut client = client.stdout(Stdio::null()).spawn().unwrap();
            let patience = Instant::now() + Duration::from_secs(3);
            while Instant::now() < patience {
                if client.try_wait().unwrap().is_some() {
                    return false;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            client.kill().unwrap();
            client.wait().unwrap();
            true
        }
        Break::CorruptConfig => {
            let got = lab
                .get("ny4-2", OPS, "/opt/amps/quotes/config/config.xml")
                .unwrap();
            roxmltree::Document::parse(&text(&got)).is_err()
        }
        Break::CorruptGzip => {
            let path = on_disk(lab, "ld5-1/opt/amps/positions/logs/amps.log.2.gz");
            let packed = std::fs::read(path).unwrap();
            let mut reader = flate2::read::MultiGzDecoder::new(packed.as_slice());
            reader.read_to_end(&mut Vec::new()).is_err()
        }
        Break::CorruptStatistics => fetched_sample(lab, "ny4-1", "trades").is_err(),
        Break::WalUnreadable => {
            assert!(lab.get("ny4-2", OPS, "/opt/amps/risk/stats.db").is_ok());
            denied("ny4-2", OPS, "/opt/amps/risk/stats.db-wal")
        }
        Break::StaleLog => {
            let log = lab
                .get("ny4-1", OPS, "/opt/amps/orders/logs/amps.log")
                .unwrap();
            hours(first_and_last(&text(&log)).1, now) > 24 * 29
        }
        Break::StaleStatistics => {
            let newest = fetched_sample(lab, "ld5-1", "positions").unwrap();
            hours(newest, now) > 24 * 29
        }
        Break::Gap => {
            let scratch = tempfile::tempdir().unwrap();
            let listed = lab.sftp(
                "ny4-2",
                OPS,
                scratch.path(),
                "ls -1 /opt/amps/quotes/logs\n",
            );
            let log = lab
                .get("ny4-2", OPS, "/opt/amps/quotes/logs/amps.log")
                .unwrap();
            let (first, last) = first_and_last(&text(&log));
            assert!(hours(first, last) <= 2 && hours(last, now) == 0);
            !text(&listed.stdout).contains("amps.log.")
        }
        Break::WrongVersion => {
            let said = says(lab, "ny4-2", OPS, "/opt/amps/risk/bin/ampServer --version").0;
            assert!(said.starts_with("AMPS 5.3."), "{said}");
            !said.starts_with("AMPS 5.3.4.12.")
        }
        Break::WrongInstance => {
            let got = lab
                .get("ny4-1", OPS, "/opt/amps/trades/config/config.xml")
                .unwrap();
            let got = text(&got);
            assert!(roxmltree::Document::parse(&got).is_ok());
            !got.contains("<Name>trades</Name>")
        }
        Break::WrongMachine => {
            let id = says(lab, "ld5-1", OPS, "cat /etc/machine-id").0;
            assert_eq!(id.trim().len(), 32, "{id}");
            !lab.inventory.contains(id.trim())
        }
        Break::SameMachine => {
            let id = |host| says(lab, host, OPS, "cat /etc/machine-id").0;
            let (one, two) = (id("ny4-1"), id("ny4-2"));
            assert!(lab.inventory.contains(two.trim()), "the pin agrees");
            one == two
        }
        Break::Clock => {
            let shown = says(lab, "ld5-1", OPS, "date -u +%s").0;
            let behind = now.as_second() - shown.trim().parse::<i64>().unwrap();
            assert!(behind < 60 || (540..660).contains(&behind), "{behind}");
            behind > 60
        }
        fault => vendors::symptom(fault, lab),
    }
}

#[test]
fn no_symptom_shows_when_all_is_well() {
    let lab = Lab::well();
    for fault in Break::ALL {
        assert!(!symptom(fault, &lab), "{fault}");
    }
}

#[test]
fn each_break_shows_its_symptom_and_spares_the_other_hosts() {
    for fault in Break::ALL {
        let lab = Lab::broken(fault);
        assert!(symptom(fault, &lab), "{fault}");
        for (host, hostname) in HOSTS
            .iter()
            .filter(|(host, _)| Some(*host) != fault.target().host)
        {
            for login in [OPS, MARKET] {
                let (said, complaint) = says(&lab, host, login, "hostname");
                assert_eq!(said.trim(), *hostname, "{fault} {complaint}");
            }
        }
    }
}

/// Looking at a FIFO answers at once and tells what it is; opening it never answers, as with sshd.
#[test]
fn a_fifo_can_be_looked_at() {
    let lab = Lab::broken(Break::NotRegular);
    let scratch = tempfile::tempdir().unwrap();
    let listed = lab.sftp(
        "ld5-1",
        OPS,
        scratch.path(),
        "ls -n /opt/amps/positions/logs/amps.log\n",
    );
    let listed = text(&listed.stdout);
    assert!(
        listed.lines().any(|line| line.starts_with("prw-r--r--")),
        "{listed}"
    );
}
