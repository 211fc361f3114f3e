//! The command line: one file a subcommand. The only room that prints and that decides exit codes.

mod args;
mod attest;
mod beside;
mod break_glass;
mod case;
mod circumstances;
mod controls;
mod deliver;
mod demo;
mod diff;
mod discover;
mod drill;
mod drilled;
mod estimate;
mod fault;
mod follows;
mod go_live;
mod history;
mod merge;
mod passphrase;
mod people;
mod plan;
mod policy;
mod profiles;
mod progress;
mod rehearse;
mod rerun;
mod run;
mod runbook;
mod schema;
mod shard;
mod show;
mod signals;
mod signers;
mod signing;
mod steps;
mod subject;
mod term;
mod timestamp;
mod verify;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Command, Verb};
use fault::{Exit, Fault};

/// Runs the command line and says how it ended.
#[must_use]
pub fn main() -> ExitCode {
    let command = match Command::try_parse() {
        Ok(command) => command,
        Err(error) => {
            // clap knows which stream: help and version are what was asked for, the rest is usage.
            let _ = error.print();
            let exit = if error.use_stderr() {
                Exit::Refused
            } else {
                Exit::Go
            };
            return ExitCode::from(exit as u8);
        }
    };
    // A panic in our own code outside a check: a defect, never a verdict.
    let ended = std::panic::catch_unwind(|| dispatch(&command.verb));
    let exit = match ended {
        Ok(Ok(exit)) => exit,
        Ok(Err(fault)) => {
            term::say(&fault.message);
            fault.exit
        }
        Err(_) => {
            term::say(
                "error: gonogo itself failed\n\n  hint: this is a defect of gonogo: please report it with the lines above",
            );
            Exit::Defect
        }
    };
    ExitCode::from(exit as u8)
}

fn dispatch(verb: &Verb) -> Result<Exit, Fault> {
    match verb {
        Verb::Demo(args) => demo::demo(args),
        Verb::Plan(args) => plan::plan(args),
        Verb::Run(args) => run::run(args),
        Verb::Merge(args) => merge::merge(args),
        Verb::Verify(args) => verify::verify(args),
        Verb::Policy(args) => policy::policy(args),
        Verb::Approve(args) => people::approve(args),
        Verb::Attest(args) => attest::attest(args),
        Verb::BreakGlass(verb) => break_glass::break_glass(verb),
        Verb::Show(args) => show::show(args),
        Verb::Schema { of } => schema::schema(*of),
        Verb::Controls => controls::controls(),
        Verb::Diff(args) => diff::diff(args),
        Verb::History(args) => history::history(args),
        Verb::Runbook(args) => runbook::runbook(args),
        Verb::Timestamp(args) => timestamp::timestamp(args),
        Verb::Drill(verb) => drill::drill(verb),
        Verb::Steps(args) => steps::steps(args),
        Verb::Case(asked) => case::case(asked),
        Verb::Discover(args) => discover::discover(args),
        Verb::Profiles(args) => profiles::profiles(args),
    }
}
