//! Round trips of a session: `gonogo run` of one host through proxies that delay every byte, by two times. What the
//! session's time grows by, over what the round trip grew by, is how often it waited for an answer; CPU and disk cancel
//! out. The TCP handshake is not delayed. `cargo bench --bench rounds`
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench prints its figures, and stops where it cannot go on"
)]

#[path = "../estate/accounts.rs"]
mod accounts;
#[expect(dead_code, reason = "what other benches need")]
#[path = "../estate/mod.rs"]
mod estate;
#[path = "../estate/proxy.rs"]
mod proxy;

use std::fs;
use std::net::Ipv4Addr;
use std::time::Duration;

use accounts::Account;
use estate::Estate;
use proxy::Proxy;

const ROUNDS: usize = 5;
// Not so long that what was looked at a moment ago has to be looked at again.
const RTTS: [u64; 2] = [20, 60];

fn main() {
    let estate = Estate::new(1, None);
    let operator = estate.operator();
    let plain = fs::read_to_string(operator.join("inventory.yaml")).unwrap();
    let known = fs::read_to_string(operator.join("known_hosts")).unwrap();
    println!("one host, {ROUNDS} runs at each of {RTTS:?} ms, the least of each\n");
    for (name, account) in [
        ("account with a shell", Account::Shell),
        ("sftp-only account", Account::Files),
        ("commands alone", Account::Exec),
        ("shell, gather: framed", Account::Framed),
        ("exec, gather: framed", Account::ExecFramed),
    ] {
        let inventory = account.of(&plain);
        let least = RTTS.map(|rtt| {
            let proxy = Proxy::new(
                Ipv4Addr::LOCALHOST,
                (estate.addresses[0], estate.port),
                Duration::from_millis(rtt) / 2,
            );
            let place = format!("address: {}, port: {}", estate.addresses[0], estate.port);
            let through = format!("address: 127.0.0.1, port: {}", proxy.port);
            fs::write(
                operator.join("inventory.yaml"),
                inventory.replace(&place, &through),
            )
            .unwrap();
            let from = format!("[{}]:{}", estate.addresses[0], estate.port);
            let key = known.replace(&from, &format!("[127.0.0.1]:{}", proxy.port));
            fs::write(operator.join("known_hosts"), key).unwrap();
            let times = (0..ROUNDS).map(|round| {
                let out = format!(
                    "{}-{rtt}-{round}",
                    name.replace(|c: char| !c.is_alphanumeric(), "-")
                );
                let words = estate.gonogo(&out, "amps.feature", 1);
                estate::measure::run(&operator, &words, &[0]);
                estate.bytes_of(&out);
                proxy.took()
            });
            times.min().unwrap()
        });
        let grew = (least[1].as_secs_f64() - least[0].as_secs_f64()) * 1000.0;
        println!(
            "{name:22} {:5.1} round trips   {:.2} s at {} ms",
            grew / (RTTS[1] - RTTS[0]) as f64,
            least[0].as_secs_f64(),
            RTTS[0],
        );
    }
}
