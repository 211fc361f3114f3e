//! Steps about a vendor: judged by `support/` from the inventory and the run's own times, never from a
//! clock that is asked meanwhile.

use super::{Stop, World};
use crate::failure::{Failure, FailureKind};
use crate::support::Ask;

pub(super) fn perform(ask: Ask, world: &mut World) -> Result<(), Stop> {
    let lost = |what: &str| Failure::new(FailureKind::Undefined, what, "a check without one");
    let name = world.subject.vendor.as_deref();
    let vendor = name.and_then(|name| world.inventory.vendor(name));
    let vendor = vendor.ok_or_else(|| lost("a vendor"))?;
    let moment = world.moment.ok_or_else(|| lost("the time of the run"))?;
    let judged = ask.judge(vendor, &world.inventory, &moment);
    let what = vendor.name.clone();
    world.transcript.judged(&what, &judged.told);
    match judged.failure {
        Some(failure) => Err(failure.into()),
        None => Ok(()),
    }
}
