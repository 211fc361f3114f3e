//! No two instances of a host may claim the same file as theirs.

use std::collections::{HashMap, HashSet};

use super::artifacts::Ready;
use crate::inventory::page::{Mark, Page};
use crate::inventory::raw::Instance as Raws;

/// Who fetches which path on which host: a copied instance whose `home` was not changed would
/// prove its neighbour twice and itself never.
#[derive(Default)]
pub(super) struct Claims<'r> {
    by_path: HashMap<(&'r str, String, String), &'r Raws>,
    said: HashSet<(Mark, Mark)>,
}

impl<'r> Claims<'r> {
    pub fn claim(
        &mut self,
        page: &mut Page<'_>,
        path: &str,
        ready: &Ready,
        mine: &'r Raws,
    ) -> bool {
        self.claim_as(page, path, "", ready, mine)
    }

    /// The same of what `account` alone gets there: a command, a URL.
    pub fn claim_as(
        &mut self,
        page: &mut Page<'_>,
        path: &str,
        account: &str,
        ready: &Ready,
        mine: &'r Raws,
    ) -> bool {
        let Some(host) = &mine.host else {
            return true;
        };
        let key = (host.value.as_str(), account.to_owned(), path.to_owned());
        let first = *self.by_path.entry(key).or_insert(mine);
        if first.name.at == mine.name.at {
            return true;
        }
        if self.said.insert((first.name.at, mine.name.at)) {
            let (what, key) = match account {
                "" => ("path", "path"),
                _ if path.contains("://") => ("URL", "http"),
                _ => ("command", "command"),
            };
            let message = format!(
                "instances `{}` and `{}` on host `{}` claim the same {what} `{path}` (artifact `{}`)",
                first.name.value, mine.name.value, host.value, ready.name
            );
            let hint = format!("give each its own `vars`, or its own `{key}` under `artifacts:`");
            page.refuse(mine.name.at, message, hint);
        }
        false
    }
}
