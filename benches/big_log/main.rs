//! One log of 1 GiB from one host: `gonogo run` against `sftp -b` of the same file.
//! `cargo bench --bench big_log`
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench prints its figures, and stops where it cannot go on"
)]

#[path = "../estate/mod.rs"]
mod estate;

use std::fs;

use estate::Estate;
use estate::rounds::Rounds;

const ROUNDS: usize = 5;
const GIB: u64 = 1 << 30;

/// The log alone, so that both move the same bytes; the inventory narrows the path to one file.
const FEATURE: &str = "\
Feature: the log

  Scenario Outline: <artifact> of <instance>
    Given each instance
    When the team connects
    Then artifact \"<artifact>\" can be retrieved

    Examples:
      | artifact      |
      | version       |
      | configuration |
      | event log     |
      | statistics    |
";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // `cargo bench --bench big_log -- 64` takes another number of MiB.
    let mib = words.iter().find_map(|word| word.parse::<u64>().ok());
    let bytes = mib.map_or(GIB, |mib| mib << 20);
    let estate = Estate::new(1, Some(bytes));
    let operator = estate.operator();
    fs::write(operator.join("log.feature"), FEATURE).unwrap();
    let inventory = fs::read_to_string(operator.join("inventory.yaml")).unwrap();
    let narrowed = inventory
        .replace(
            "products: {amps: {vendor: 60east}}",
            "products: {amps: {vendor: 60east, artifacts: {event log: {path: \"{home}/logs/amps.log\"}}}}",
        )
        .replace("connect_timeout: 30s", "connect_timeout: 30s, deadline: 5m, max_bytes: 2GiB");
    assert_ne!(inventory, narrowed);
    fs::write(operator.join("inventory.yaml"), narrowed).unwrap();
    let log = estate.home(0).join("logs/amps.log");
    fs::write(
        operator.join("batch"),
        format!("get {} /dev/null\n", log.display()),
    )
    .unwrap();
    let sftp = format!(
        "sftp -q -b batch -F none -i login -P {} -o UserKnownHostsFile=known_hosts -o IdentitiesOnly=yes {}@{}",
        estate.port,
        estate.account(),
        estate.addresses[0]
    );
    let sftp: Vec<String> = sftp.split(' ').map(str::to_owned).collect();

    let (mut theirs, mut ours) = (Rounds::of("sftp -b", 1), Rounds::of("gonogo run", 1));
    for round in 0..=ROUNDS {
        let out = format!("run-{round}");
        theirs.take(&estate, &sftp);
        ours.take(&estate, &estate.gonogo(&out, "log.feature", 1));
        assert!(estate.bytes_of(&out) >= bytes);
    }
    println!(
        "\na log of {} MiB, {ROUNDS} alternating rounds, medians",
        bytes >> 20
    );
    theirs.print();
    ours.print();
    ours.compare(&theirs, 1.05);
}
