//! 40 hosts behind one bastion: `gonogo run` over one connection to it, against a connection of its own
//! for each host behind, as if every host had its own bastion. `cargo bench --bench hops`
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
const HOSTS: usize = 40;

fn main() {
    // The first is the bastion.
    let estate = Estate::new(HOSTS + 1, None);
    let plain = fs::read_to_string(estate.operator().join("inventory.yaml")).unwrap();
    let shared = behind(&estate, &plain, |_| "h001".to_owned());
    let own = behind(&estate, &plain, |host| format!("b{host:03}"));
    let line = |out: &str, inventory: &str, per_hop: usize| {
        fs::write(estate.operator().join("inventory.yaml"), inventory).unwrap();
        let mut line = estate.gonogo(out, "amps.feature", HOSTS);
        line.extend(["--per-hop".to_owned(), per_hop.to_string()]);
        line
    };
    let mut contenders = [
        (Rounds::of("own, 40", HOSTS), &own, HOSTS),
        (Rounds::of("shared, 40", HOSTS), &shared, HOSTS),
        (Rounds::of("shared, 8", HOSTS), &shared, 8),
        (Rounds::of("no bastion", HOSTS), &plain, HOSTS),
    ];
    for round in 0..=ROUNDS {
        for (number, (rounds, inventory, per_hop)) in contenders.iter_mut().enumerate() {
            let out = format!("run-{round}-{number}");
            rounds.take(&estate, &line(&out, inventory, *per_hop));
            println!("round {round}: {} bytes", estate.bytes_of(&out));
        }
    }
    println!(
        "\n{HOSTS} hosts behind one bastion as {}, {ROUNDS} alternating rounds, medians",
        estate.account()
    );
    for (rounds, ..) in &contenders {
        rounds.print();
    }
    let [own, shared, ..] = &contenders;
    shared.0.compare(&own.0, 1.0);
}

/// The inventory with a hop before every host but the first; hops that have no entry yet get one, with
/// the first host's address.
fn behind(estate: &Estate, plain: &str, hop: impl Fn(usize) -> String) -> String {
    let mut inventory = plain.to_owned();
    for host in 2..=HOSTS + 1 {
        let (name, hop) = (format!("  h{host:03}: {{address"), hop(host));
        let more = format!("  h{host:03}: {{via: [{hop}], address");
        inventory = inventory.replacen(&name, &more, 1);
        if hop != "h001" {
            let place = format!("address: {}, port: {}", estate.addresses[0], estate.port);
            let entry = format!("  {hop}: {{{place}, machine: bench}}\nteams:\n");
            inventory = inventory.replacen("teams:\n", &entry, 1);
        }
    }
    inventory
}
