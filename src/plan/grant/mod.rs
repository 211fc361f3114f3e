//! Least privilege, written for whoever administers a host: the smallest rules that let the plan pass for
//! one team. Everything in them comes from the plan's visits. Installs nothing; reads nothing but public
//! keys beside the team's own.

mod authorized_keys;
mod forced_command;
mod pattern;
mod sshd_match;
mod sudoers;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Plan, Visit};
use crate::digest::Sha256;
use crate::inventory::{Login, Transport, Url};
use crate::problem::{Place, Problem};
use crate::text::{self, endpoint, escape};

/// Which rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// For sudoers(5): what an elevated login may run.
    Sudoers,
    /// For authorized_keys: what the team's key may do, on its hosts and on the hops before them.
    AuthorizedKeys,
    /// The script that runs in place of what the client asks for.
    ForcedCommand,
    /// For sshd_config(5): what the team's accounts may do, on its hosts and on the hops.
    SshdMatch,
}

/// Rules, and what whoever asked for them should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// A file to install, its head a comment.
    pub text: String,
    /// Remarks that do not belong into that file.
    pub notes: Vec<String>,
}

/// SFTP requests that reading files takes; sftp-server(8) calls them so.
const REQUESTS: &str = "open,close,read,lstat,stat,fstat,opendir,readdir";

/// The rules that `team` needs where the plan visits a host with it.
///
/// # Errors
/// A team that is unknown or not part of the plan; what cannot be allowed without allowing more.
pub fn grant(plan: &Plan, team: &str, what: Grant) -> Result<Granted, Vec<Problem>> {
    let problem = |message: String, hint: &str| {
        vec![Problem::new(Place::whole(&plan.inventory.path), message).with_hint(hint)]
    };
    let names = || plan.inventory.teams.iter().map(|team| team.name.as_str());
    if !names().any(|name| name == team) {
        let meant = text::did_you_mean(team, names());
        return Err(problem(format!("no team `{team}`"), &meant));
    }
    let visits: Vec<&Visit> = plan.visits.iter().filter(|v| v.team == team).collect();
    if visits.is_empty() {
        let message = format!("no check of the plan visits a host as team `{team}`");
        return Err(problem(
            message,
            "look at the filters and at `teams:` of the instances",
        ));
    }
    let asked = Asked { plan, team, visits };
    match what {
        Grant::Sudoers => sudoers::write(&asked),
        Grant::AuthorizedKeys => authorized_keys::write(&asked),
        Grant::ForcedCommand => forced_command::write(&asked),
        Grant::SshdMatch => sshd_match::write(&asked),
    }
    .map_err(|found| {
        let whole = |(message, hint): (String, String)| problem(message, &hint);
        found.into_iter().flat_map(whole).collect()
    })
}

/// Messages and hints.
type Refusals = Vec<(String, String)>;

struct Asked<'a> {
    plan: &'a Plan,
    team: &'a str,
    visits: Vec<&'a Visit>,
}

impl Asked<'_> {
    /// The team's name as a part of a file name, told from every other team's: one file for two of them
    /// would give one what the other may do.
    fn slug(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let plain = |name: &str| name.chars().map(plain).collect::<String>();
        let own = plain(self.team);
        // Some file systems take no account of letter case.
        let is_alike = |name: &str| plain(name).eq_ignore_ascii_case(&own);
        let mut teams = self.plan.inventory.teams.iter();
        match teams.any(|team| team.name != self.team && is_alike(&team.name)) {
            true => {
                let digest = Sha256::of(self.team.as_bytes()).to_string();
                format!("gonogo-{own}-{}", digest.get(..8).unwrap_or_default())
            }
            false => format!("gonogo-{own}"),
        }
    }

    /// Where [`forced_command`] says to install its script.
    fn script(&self) -> String {
        format!("/usr/local/libexec/{}", self.slug())
    }

    /// The comment that every fragment begins with.
    fn head(&self, what: &str, remarks: &[String]) -> String {
        let plan = self.plan;
        let mut out = format!(
            "# gonogo: {what} for team {}, and nothing else\n",
            self.team
        );
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "# environment {}, inventory {}, plan {}",
            escape(&plan.inventory.environment),
            escape(&plan.inventory.path.to_string_lossy()),
            plan.digest
        );
        for filter in &plan.filters {
            let _ = writeln!(out, "# for a part of the plan only: {}", escape(filter));
        }
        for remark in remarks {
            for line in wrapped(remark) {
                let _ = writeln!(out, "# {line}");
            }
        }
        out
    }

    /// Every account that the team logs in with, in the order of its ways.
    fn accounts(&self) -> Vec<Account<'_>> {
        let mut accounts: Vec<Account<'_>> = Vec::new();
        for visit in &self.visits {
            let chain: Vec<&Login> = visit.login.via.iter().chain([&*visit.login]).collect();
            for pair in chain.windows(2) {
                let next = endpoint(&pair[1].address, pair[1].port);
                place(&mut accounts, pair[0]).opens.insert(next);
            }
            let account = place(&mut accounts, &visit.login);
            account.visit = Some(visit);
            // What a plan holds was judged as a URL when it was read.
            let urls = visit.urls().into_iter();
            let ways = urls.filter_map(|url| Url::parse(url).ok());
            account.opens.extend(ways.map(|url| url.endpoint()));
        }
        accounts
    }
}

/// One account on one host: visited, or passed through, or both.
struct Account<'a> {
    login: &'a Login,
    visit: Option<&'a Visit>,
    /// `host:port` of what is reached through it: the next host, or a web server of this one.
    opens: BTreeSet<String>,
}

impl Account<'_> {
    /// What sshd has to run whatever is asked for; nothing for a mere hop.
    fn forced(&self, asked: &Asked<'_>) -> Option<String> {
        let visit = self.visit?;
        Some(match visit.login.transport {
            Transport::Sftp => format!("internal-sftp -R -p {REQUESTS}"),
            Transport::Auto | Transport::Exec => asked.script(),
        })
    }
}

fn place<'v, 'a>(accounts: &'v mut Vec<Account<'a>>, login: &'a Login) -> &'v mut Account<'a> {
    let is_it =
        |known: &Account<'_>| known.login.host == login.host && known.login.user == login.user;
    let at = accounts.iter().position(is_it).unwrap_or_else(|| {
        accounts.push(Account {
            login,
            visit: None,
            opens: BTreeSet::new(),
        });
        accounts.len() - 1
    });
    &mut accounts[at]
}

/// Fragments that are alike become one, each with the hosts that it is for.
fn by_content(fragments: impl IntoIterator<Item = (String, String)>) -> Vec<(Vec<String>, String)> {
    let mut distinct: Vec<(Vec<String>, String)> = Vec::new();
    for (host, body) in fragments {
        match distinct.iter_mut().find(|(_, known)| *known == body) {
            Some((hosts, _)) => hosts.push(host),
            None => distinct.push((vec![host], body)),
        }
    }
    distinct
}

/// Lines of at most about a hundred characters.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last().map_or(0, |line| line.chars().count());
        match lines.last_mut() {
            Some(last) if line == 0 || line + word.chars().count() < 98 => {
                if line > 0 {
                    last.push(' ');
                }
                last.push_str(word);
            }
            _ => lines.push(format!("  {word}")),
        }
    }
    lines
}
