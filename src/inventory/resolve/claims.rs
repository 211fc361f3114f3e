//! No two instances of a host may claim the same file as theirs, unless each says that they share it.

use std::collections::{HashMap, HashSet};

use super::artifacts::Ready;
use super::placeholders::Scope;
use crate::inventory::Kind;
use crate::inventory::page::{Mark, Page};
use crate::inventory::raw::Instance as Raws;

/// Who fetches which path on which host: a copied instance whose `home` was not changed would
/// prove its neighbour twice and itself never.
#[derive(Default)]
pub(super) struct Claims<'r> {
    by_path: HashMap<(&'r str, String, String), (&'r Raws, Option<String>)>,
    said: HashSet<(Mark, Mark)>,
}

impl<'r> Claims<'r> {
    pub fn claim(
        &mut self,
        page: &mut Page<'_>,
        path: &str,
        ready: &Ready,
        scope: &Scope<'r>,
    ) -> bool {
        self.claim_as(page, path, "", ready, scope)
    }

    /// The same of what `account` alone gets there: a command, a URL.
    pub fn claim_as(
        &mut self,
        page: &mut Page<'_>,
        path: &str,
        account: &str,
        ready: &Ready,
        scope: &Scope<'r>,
    ) -> bool {
        let mine = scope.written;
        let Some(host) = &mine.host else {
            return true;
        };
        let key = (host.value.as_str(), account.to_owned(), path.to_owned());
        // A name that cannot be filled is told where it is read: here it is no consent.
        let shared = ready.log.shared.as_ref();
        let shared = shared.and_then(|template| template.fill(scope).ok());
        let shared = shared.filter(|name| !name.is_empty());
        let claimed = self.by_path.entry(key);
        let (first, consent) = claimed.or_insert_with(|| (mine, shared.clone()));
        if first.name.at == mine.name.at || (shared.is_some() && *consent == shared) {
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
            let or = match ready.kind {
                Kind::Log => "; `shared: NAME` of both, if one log is rightly theirs",
                _ => "",
            };
            let hint =
                format!("give each its own `vars`, or its own `{key}` under `artifacts:`{or}");
            page.refuse(mine.name.at, message, hint);
        }
        false
    }
}
