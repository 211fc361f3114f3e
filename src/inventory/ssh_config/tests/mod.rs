//! Configs from text to what a login needs.

mod against_ssh;
mod says;

use std::path::Path;

use super::file::{self, Config, Unread};
use super::here::Here;
use super::resolve::{self, Resolved};
use super::{Query, weigh};
use crate::problem::{Problem, Problems};

/// This side, with every file there.
fn here() -> Here {
    Here {
        has: |_| true,
        ..Here::found()
    }
}

fn read(text: &str) -> Result<Config, Vec<Problem>> {
    match file::parse(Path::new("conf"), text, Some(&here())) {
        Ok(config) => Ok(config),
        Err(Unread::Lines(problems)) => Err(Problems::new(problems).into_vec()),
        Err(Unread::File(message)) => panic!("{message}"),
    }
}

fn query(alias: &str, user: Option<&str>, port: Option<u16>) -> Query {
    Query {
        team: 0,
        source: 0,
        alias: alias.to_owned(),
        user: user.map(str::to_owned),
        port,
    }
}

fn resolved(text: &str, alias: &str) -> Resolved {
    let config = read(text).unwrap_or_else(|problems| panic!("{problems:?}"));
    resolve::resolve(&config, &query(alias, None, None), &here())
}
