//! The practice estate seen by real clients. What gonogo itself makes of it is tested where gonogo runs.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has to stop, in its helping functions too"
)]

mod breaks;
mod lab;
mod serves;
