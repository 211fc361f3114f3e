//! The transport against a real sshd on loopback: every fact of facts/ssh.md that could turn a gate
//! falsely green, planted and looked for. Needs root, for accounts of its own whose permissions bite;
//! without it they are left out, and said to be.
//!
//! The accounts are made on this very machine; `scripts/test` gives them a copy of /etc of their own.

mod after_login;
mod auth;
mod crowded;
mod exec;
mod files;
mod forged;
mod gate;
mod gathered;
mod gets;
mod gets_tls;
mod greeting;
mod hop_refusals;
mod hops;
mod in_turn;
mod kerberos;
mod lab;
mod openssh;
mod questions;
mod reach;
mod refused;
mod remembered;
mod routes;
mod secrets;
mod sharing;
mod shells;
mod together;
mod unruly;
mod wire;
