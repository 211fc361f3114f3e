//! The transport against a real sshd on loopback: every fact of facts/ssh.md that could turn a gate
//! falsely green, planted and looked for. Needs root, for accounts of its own whose permissions bite;
//! without it each test says that it proved nothing.

mod auth;
mod exec;
mod files;
mod hops;
mod lab;
mod reach;
mod wire;
