//! Many hosts with one AMPS instance each: `gonogo run` with every check on, against bare clients that fetch the same
//! bytes with the same concurrency and check nothing, and against a script of asyncssh. `cargo bench --bench hosts`
//!
//! `-- 20` takes another number of hosts, `jobs=128` as many at once, `delay=40` puts that many milliseconds of round
//! trip before each, `only=floor,shell` names contenders, `rounds=3` is how often; `silent` has one host say nothing;
//! `hold` keeps the estate for a profiler. The script needs a Python that has asyncssh: `PYTHON` names it, or there is no such line.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench prints its figures, and stops where it cannot go on"
)]

#[expect(dead_code, reason = "what `rounds` needs")]
#[path = "../estate/accounts.rs"]
mod accounts;
mod bare;
#[path = "../estate/mod.rs"]
mod estate;
mod floor;
#[expect(dead_code, reason = "what `rounds` needs")]
#[path = "../estate/proxy.rs"]
mod proxy;
mod silent;

use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::str::FromStr;
use std::time::Duration;

use accounts::Account;
use estate::Estate;
use estate::rounds::Rounds;
use proxy::Proxy;

const BY_HAND: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/hosts/by_hand.py");

/// Name, what it is, and the most of the floor's wall and total CPU that it may take.
const CONTENDERS: [(&str, &str, Option<f64>); 6] = [
    ("floor", "floor: russh, SFTP", None),
    ("bare", "bare client: ssh2, SFTP", None),
    ("script", "asyncssh by hand", None),
    ("shell", "gonogo, shell", Some(1.3)),
    ("framed", "gonogo, gather: framed", Some(1.3)),
    ("files", "gonogo, SFTP alone", Some(1.7)),
];

/// What the command line asks for.
struct Asked {
    hosts: usize,
    jobs: usize,
    rounds: usize,
    delay: u64,
    only: Option<String>,
    how: How,
}

enum How {
    Compare,
    Silent,
    Hold,
}

impl Asked {
    fn of(words: &[String]) -> Self {
        let number = |name: &str| words.iter().find_map(|word| word.strip_prefix(name));
        let or = |name: &str, usual| number(name).map_or(usual, |word| word.parse().unwrap());
        let is_said = |wanted: &str| words.iter().any(|word| word == wanted);
        let hosts = words.iter().find_map(|word| word.parse().ok());
        Self {
            hosts: hosts.unwrap_or(100),
            jobs: or("jobs=", 64),
            rounds: or("rounds=", 5),
            delay: number("delay=").map_or(0, |word| u64::from_str(word).unwrap()),
            only: number("only=").map(str::to_owned),
            how: if is_said("hold") {
                How::Hold
            } else if is_said("silent") {
                How::Silent
            } else {
                How::Compare
            },
        }
    }

    fn wants(&self, name: &str) -> bool {
        let only = self.only.as_deref();
        only.is_none_or(|only| only.split(',').any(|word| word == name))
            && (name != "script" || knows_asyncssh())
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let contender = words.first().map(String::as_str);
    if let Some("bare" | "floor") = contender {
        let number = |at: usize| words[at].parse::<usize>().unwrap();
        let task = bare::Task {
            hosts: number(1),
            port: u16::try_from(number(2)).unwrap(),
            jobs: number(3),
            user: words[4].clone(),
            key: words[5].clone().into(),
            amps: words[6].clone().into(),
        };
        let fetch_all = match contender {
            Some("bare") => bare::fetch_all,
            _ => floor::fetch_all,
        };
        return println!("{}", fetch_all(&task));
    }
    let asked = Asked::of(&words);
    let mut estate = Estate::new(asked.hosts, None);
    if asked.delay > 0 {
        estate.port = stand_before(&estate, Duration::from_millis(asked.delay) / 2);
    }
    let plain = fs::read_to_string(estate.operator().join("inventory.yaml")).unwrap();
    for (name, account) in [
        ("shell", Account::Shell),
        ("framed", Account::Framed),
        ("files", Account::Files),
    ] {
        let inventory = account.of(&plain);
        fs::write(estate.operator().join(format!("{name}.yaml")), inventory).unwrap();
    }
    match asked.how {
        How::Hold => hold(&estate, &asked),
        How::Silent => silent::compare(&estate, asked.jobs),
        How::Compare => compare(&estate, &asked),
    }
}

/// Delays every address; the port at which they can be reached now.
fn stand_before(estate: &Estate, delay: Duration) -> u16 {
    let first = TcpListener::bind((estate.addresses[0], 0)).unwrap();
    let port = first.local_addr().unwrap().port();
    let mut first = Some(first);
    for address in &estate.addresses {
        let free = || TcpListener::bind((*address, port)).unwrap();
        let listener = first.take().unwrap_or_else(free);
        Proxy::over(listener, (*address, estate.port), delay);
    }
    estate.write_inputs(port);
    port
}

fn knows_asyncssh() -> bool {
    let asked = Command::new(python())
        .args(["-c", "import asyncssh"])
        .output();
    asked.is_ok_and(|asked| asked.status.success())
}

fn python() -> String {
    std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

fn line(estate: &Estate, asked: &Asked, name: &str, out: &str) -> Vec<String> {
    let program = match name {
        "bare" | "floor" => vec![
            std::env::current_exe().unwrap().display().to_string(),
            name.to_owned(),
        ],
        "script" => vec![python(), BY_HAND.to_owned()],
        _ => {
            let mut line = estate.gonogo(out, "amps.feature", asked.jobs);
            for word in &mut line {
                if word == "inventory.yaml" {
                    *word = format!("{name}.yaml");
                }
            }
            return line;
        }
    };
    let rest = [
        asked.hosts.to_string(),
        estate.port.to_string(),
        asked.jobs.to_string(),
        estate.account(),
        "login".to_owned(),
        estate.path("amps").display().to_string(),
    ];
    program.into_iter().chain(rest).collect()
}

fn hold(estate: &Estate, asked: &Asked) {
    println!("cd {}", estate.operator().display());
    for (name, told, _) in CONTENDERS {
        println!("{told}: {}", line(estate, asked, name, "run-1").join(" "));
    }
    println!("Enter ends it");
    let _ = std::io::stdin().read_line(&mut String::new());
}

fn compare(estate: &Estate, asked: &Asked) {
    let wanted = CONTENDERS
        .into_iter()
        .filter(|(name, ..)| asked.wants(name));
    let mut contenders: Vec<_> = wanted
        .map(|(name, told, aim)| (name, Rounds::of(told, asked.hosts), aim))
        .collect();
    for round in 0..=asked.rounds {
        for (name, rounds, aim) in &mut contenders {
            let out = format!("{name}-{round}");
            let said = rounds.take(estate, &line(estate, asked, name, &out));
            let bytes = match aim {
                Some(_) => estate.bytes_of(&out).to_string(),
                None => said.trim().to_owned(),
            };
            println!("round {round}: {name} {bytes} bytes");
        }
    }
    println!(
        "\n{} hosts, {} at once, {} ms of round trip, {} alternating rounds, medians",
        asked.hosts, asked.jobs, asked.delay, asked.rounds
    );
    let (_, floor, _) = &contenders[0];
    for (_, rounds, aim) in &contenders {
        rounds.print();
        if let Some(aim) = aim {
            rounds.compare(floor, *aim);
        }
    }
}
