//! gonogo proves, before go-live, that every team can really fetch what a vendor's support will ask
//! for. Modules stand in floor order (ARCHITECTURE.md): each imports only what stands above it here.

#![forbid(unsafe_code)]

pub mod calendar;
pub mod digest;
pub mod encryption;
pub mod failure;
pub mod probe;
pub mod problem;
pub mod text;
pub mod time;

pub mod feature_files;
pub mod inventory;
pub mod sign;

pub mod transport;

pub mod evidence;
pub mod intake;

pub mod redaction;
pub mod support;
pub mod verdict;

pub mod report;
pub mod steps;

pub mod case;
pub mod plan;

pub mod run;

pub mod cli;
pub mod demo;
