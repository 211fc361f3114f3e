//! The practice estate seen by real clients. What gonogo itself makes of it is tested where gonogo runs.

mod breaks;
mod lab;
mod serves;
mod vendors;
