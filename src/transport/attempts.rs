//! One attempt for each login of a run. Two teams with one account and one way to log in are one login to
//! a server that counts refusals: what was refused to one is not tried for the other.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use super::ways::is_same_way;
use crate::failure::{Failure, FailureKind};
use crate::inventory::Login;

/// The refusals of a run so far. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Attempts(Arc<Mutex<HashMap<Name, Alike>>>);

/// Host and account: few logins share both.
type Name = (String, String);
type Alike = Vec<(Login, Slot)>;
type Slot = Arc<tokio::sync::Mutex<Option<Failure>>>;

impl Attempts {
    /// Makes the login by `attempt`, unless it was refused before. Who comes meanwhile waits.
    ///
    /// # Errors
    /// Those of the attempt, or of the one before.
    pub(super) async fn once<T>(
        &self,
        login: &Login,
        attempt: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let slot = self.slot(login);
        let mut refused = slot.lock().await;
        if let Some(failure) = &*refused {
            return Err(failure.clone());
        }
        let made = attempt.await;
        if let Err(failure) = &made
            && failure.kind == FailureKind::Auth
            && failure.host.as_ref().is_none_or(|host| *host == login.host)
        {
            *refused = Some(failure.clone());
        }
        made
    }

    fn slot(&self, login: &Login) -> Slot {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let alike = slots
            .entry((login.host.clone(), login.user.clone()))
            .or_default();
        // By another way it is another question: `from=` lets one bastion in and not the next.
        if let Some((_, slot)) = alike.iter().find(|(other, _)| is_same_way(other, login)) {
            return Arc::clone(slot);
        }
        let slot = Slot::default();
        alike.push((login.clone(), Arc::clone(&slot)));
        slot
    }
}
