//! `gonogo discover`: what runs on a host, as inventory YAML to paste.

use tokio_util::sync::CancellationToken;

use super::args::Discover;
use super::fault::{Exit, Fault};
use super::{passphrase, signals, term};
use crate::inventory::Inventory;
use crate::run;
use crate::text::{did_you_mean, escape};
use crate::transport::Keyring;

pub(super) fn discover(args: &Discover) -> Result<Exit, Fault> {
    let inventory = Inventory::load(&args.inventory)?;
    let host = known(
        "host",
        &args.host,
        inventory.hosts.iter().map(|host| host.name.as_str()),
    )?;
    let names: Vec<&str> = inventory
        .teams
        .iter()
        .map(|team| team.name.as_str())
        .collect();
    let team = match (&args.team, names.as_slice()) {
        (Some(team), _) => known("team", team, names.iter().copied())?,
        (None, [only]) => *only,
        (None, _) => {
            let hint = format!("name one with --team: {}", escape(&names.join(", ")));
            return Err(Fault::new(
                Exit::Refused,
                "whose login is meant is not said",
                &hint,
            ));
        }
    };
    let refusals = inventory.refusals(host, team);
    if !refusals.is_empty() {
        return Err(refusals.to_vec().into());
    }
    let Some(planned) = run::discovery(&inventory, host, team) else {
        let hint = "a mere hop has no team's login: name a host that carries instances";
        return Err(Fault::new(
            Exit::Refused,
            format!("no team logs in to host `{host}`"),
            hint,
        ));
    };
    if args.plan {
        term::out(&format!(
            "{}\nnothing was contacted\n",
            escape_lines(&planned)
        ));
        return Ok(Exit::Go);
    }
    let missing = inventory.check_files();
    if !missing.is_empty() {
        return Err(missing.into());
    }
    let runtime = super::run::runtime()?;
    let cancel = CancellationToken::new();
    let ended = runtime.block_on(async { signals::watch(&cancel, None) })?;
    let keys = Keyring::default();
    let login = inventory.login(host, team);
    if !passphrase::ask_for(&keys, login, &cancel)? {
        let ended = ended.get().copied().unwrap_or(signals::Ended::Interrupted);
        return Err(Fault::new(
            ended.exit(),
            ended.reason(),
            "nothing was contacted",
        ));
    }
    term::say(escape_lines(&planned).trim_end());
    let looked = runtime.block_on(run::discover(&inventory, host, team, keys, cancel));
    match looked {
        Err(failure) => {
            let message = format!(
                "host `{host}` could not be looked at ({}): {}, not {}",
                failure.kind.as_str(),
                escape(&failure.actual),
                escape(&failure.expected)
            );
            Err(Fault::new(Exit::NoGo, message, &escape(&failure.hint)))
        }
        Ok(found) if found.instances == 0 => {
            let message = format!(
                "none of the {} processes on host `{host}` is of a known product",
                found.processes
            );
            let hint = "`gonogo profiles` lists them; a profile of your own with `discover:` adds one; an account that sees only its own processes (hidepid) cannot discover others";
            Err(Fault::new(Exit::NoGo, message, hint))
        }
        Ok(found) => {
            term::out(&found.text);
            Ok(Exit::Go)
        }
    }
}

fn known<'n>(
    noun: &str,
    name: &str,
    all: impl Iterator<Item = &'n str> + Clone,
) -> Result<&'n str, Fault> {
    let found = all.clone().find(|&known| known == name);
    found.ok_or_else(|| {
        let mut hint = did_you_mean(name, all);
        if hint.is_empty() {
            hint = format!("name one that stands in the inventory under `{noun}s:`");
        }
        Fault::new(
            Exit::Refused,
            format!("there is no {noun} `{}`", escape(name)),
            &hint,
        )
    })
}

fn escape_lines(text: &str) -> String {
    text.lines()
        .map(|line| format!("{}\n", escape(line)))
        .collect()
}
