//! 100 hosts with one AMPS instance each: `gonogo run` against a bare client of the same library that
//! fetches the same bytes with the same concurrency and checks nothing. `cargo bench --bench hosts`
//! With `-- gather` the run with `gather: framed` against the one without.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench prints its figures, and stops where it cannot go on"
)]

mod bare;
#[path = "../estate/mod.rs"]
mod estate;

use estate::Estate;
use estate::rounds::Rounds;

const ROUNDS: usize = 5;
const JOBS: usize = 64;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "bare") {
        let number = |at: usize| words[at].parse::<usize>().unwrap();
        let task = bare::Task {
            hosts: number(1),
            port: u16::try_from(number(2)).unwrap(),
            jobs: number(3),
            user: words[4].clone(),
            key: words[5].clone().into(),
            amps: words[6].clone().into(),
        };
        return println!("{}", bare::fetch_all(&task));
    }
    if words.iter().any(|word| word == "hold") {
        // For a profiler: `cargo bench --bench hosts -- hold`, and work in the directory it names.
        let estate = Estate::new(100, None);
        let line = estate.gonogo("run-1", "amps.feature", JOBS).join(" ");
        println!(
            "cd {} && {line}\nbare: {}\nEnter ends it",
            estate.operator().display(),
            bare_words(&estate, 100).join(" ")
        );
        let _ = std::io::stdin().read_line(&mut String::new());
        return;
    }
    // `cargo bench --bench hosts -- 20` takes another number of hosts.
    let hosts = words.iter().find_map(|word| word.parse().ok());
    let hosts = hosts.unwrap_or(100);
    match words.iter().any(|word| word == "gather") {
        true => together(hosts),
        false => compare(hosts),
    }
}

/// `cargo bench --bench hosts -- gather`: what it costs the servers to have small files read by one command.
fn together(hosts: usize) {
    let estate = Estate::new(hosts, None);
    let inventory = estate.operator().join("inventory.yaml");
    let plain = std::fs::read_to_string(&inventory).unwrap();
    let framed = plain.replace("key: login", "key: login, gather: framed");
    let (mut alone, mut all) = (Rounds::of("each"), Rounds::of("framed"));
    for round in 0..=ROUNDS {
        for (rounds, name, text) in [(&mut alone, "each", &plain), (&mut all, "framed", &framed)] {
            std::fs::write(&inventory, text).unwrap();
            let out = format!("{name}-{round}");
            rounds.take(&estate, &estate.gonogo(&out, "amps.feature", JOBS));
            estate.bytes_of(&out);
        }
    }
    println!(
        "\n{hosts} hosts, {JOBS} at once, {ROUNDS} alternating rounds, medians; `gather: each`, then `gather: framed`"
    );
    alone.print();
    all.print();
    all.compare(&alone, 1.0);
}

fn bare_words(estate: &Estate, hosts: usize) -> Vec<String> {
    let own = std::env::current_exe().unwrap();
    [
        own.display().to_string(),
        "bare".into(),
        hosts.to_string(),
        estate.port.to_string(),
        JOBS.to_string(),
        estate.account(),
        "login".into(),
        estate.path("amps").display().to_string(),
    ]
    .into()
}

fn compare(hosts: usize) {
    let estate = Estate::new(hosts, None);
    let bare_words = bare_words(&estate, hosts);
    let (mut bare, mut gonogo) = (Rounds::of("bare client"), Rounds::of("gonogo run"));
    for round in 0..=ROUNDS {
        let out = format!("run-{round}");
        let fetched = bare.take(&estate, &bare_words);
        gonogo.take(&estate, &estate.gonogo(&out, "amps.feature", JOBS));
        let (theirs, ours) = (fetched.trim(), estate.bytes_of(&out));
        println!("round {round}: bare client {theirs} bytes, gonogo {ours} bytes");
    }
    println!("\n{hosts} hosts, {JOBS} at once, {ROUNDS} alternating rounds, medians");
    bare.print();
    gonogo.print();
    gonogo.compare(&bare, 1.20);
}
