//! The rounds of one contender, and how it compares with another.

use super::Estate;
use super::measure::{Used, median, run};

/// What each round used; the first one warms caches and is not counted.
pub struct Rounds {
    name: &'static str,
    hosts: usize,
    used: Vec<Used>,
    server: Vec<f64>,
    is_warm: bool,
}

impl Rounds {
    /// No round yet, of so many hosts.
    pub const fn of(name: &'static str, hosts: usize) -> Self {
        Self {
            name,
            hosts,
            used: Vec::new(),
            server: Vec::new(),
            is_warm: false,
        }
    }

    /// One round: what it printed.
    pub fn take(&mut self, estate: &Estate, words: &[String]) -> String {
        let before = estate.server_cpu();
        let (used, said) = run(&estate.operator(), words, &[0]);
        let server = estate.server_cpu() - before;
        if self.is_warm {
            self.used.push(used);
            self.server.push(server);
        }
        self.is_warm = true;
        said
    }

    fn median(&self, of: impl Fn(&Used) -> f64) -> f64 {
        median(self.used.iter().map(of))
    }

    fn server(&self) -> f64 {
        median(self.server.iter().copied())
    }

    /// Medians, and the wall time of each round.
    pub fn print(&self) {
        println!(
            "{:24} wall {:.2} s   client CPU {:.2} s ({:.1} ms a host)   server CPU {:.2} s   peak {:.1} MiB   walls {:.2?}",
            self.name,
            self.median(|used| used.wall),
            self.median(|used| used.cpu),
            self.median(|used| used.cpu) * 1000.0 / self.hosts as f64,
            self.server(),
            self.median(|used| used.rss),
            self.used.iter().map(|used| used.wall).collect::<Vec<_>>(),
        );
    }

    /// Ratios of medians; `aim` is of the wall time.
    pub fn compare(&self, other: &Self, aim: f64) {
        let ratio = |of: fn(&Used) -> f64| self.median(of) / other.median(of);
        let total = |rounds: &Self| rounds.median(|used| used.cpu) + rounds.server();
        println!(
            "{:24} wall {:.2}   client CPU {:.2}   server CPU {:.2}   total CPU {:.2}   (aim: wall {aim:.2})",
            "  over the first",
            ratio(|used| used.wall),
            ratio(|used| used.cpu),
            self.server() / other.server(),
            total(self) / total(other),
        );
    }
}
