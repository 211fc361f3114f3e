//! Black-box tests of the binary against real OpenSSH servers on loopback, and of the tree itself.
//! One binary, so that the lab is compiled once. No test reaches beyond 127.0.0.0/8
//! and ::1.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may die")]

mod lab;

mod access;
mod accounts;
mod bad_input;
mod bastion;
mod broken_wire;
mod browser;
mod case;
mod case_named;
mod ci_examples;
mod cmd;
mod configuration;
mod deliver;
mod demo_estate;
mod diff;
mod discover;
mod draft;
mod drill;
mod estimate;
mod formats;
mod full_disk;
mod gate;
mod gets;
mod golden;
mod history;
mod host;
mod hostile;
mod interrupt;
mod keep;
mod lab_itself;
mod large;
mod least;
mod left_behind;
mod log_files;
mod logs;
mod lying_sftp;
mod nothing_written;
mod one_time_codes;
mod passphrase;
mod people;
mod policy;
mod probes;
mod products;
mod profiles;
mod proof;
mod recorded;
mod refusals;
mod rehearse;
mod rerun;
mod resume;
mod retrieve;
mod runbook;
mod runbook_of;
mod shards;
mod show;
mod signers;
mod ssh_config;
mod statistics;
mod tamper;
mod tidy;
mod timestamp;
mod transport;
mod vendored;
mod vendors;
mod version;
