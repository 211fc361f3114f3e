//! Steps about a vendor: what they have to know of the network is asked first, and judged by `support/` with
//! the inventory and the run's own times, never by a clock that is asked meanwhile.

use super::{Stop, World, asking};
use crate::failure::{Failure, FailureKind};
use crate::support::{Ask, Heard};

pub(super) async fn perform(ask: Ask, world: &mut World) -> Result<(), Stop> {
    let lost = |what: &str| Failure::new(FailureKind::Undefined, what, "a check without one");
    let inventory = world.inventory.clone();
    let name = world.subject.vendor.as_deref();
    let vendor = name.and_then(|name| inventory.vendor(name));
    let vendor = vendor.ok_or_else(|| lost("a vendor"))?;
    let moment = world.moment.ok_or_else(|| lost("the time of the run"))?;
    let host = world.subject.host.clone();
    asking::all(&ask.questions(vendor, host.as_deref()), world).await?;
    let heard = Heard {
        host: host.as_deref(),
        probes: &world.probes,
    };
    let judged = ask.judge(vendor, &inventory, &moment, &heard);
    world.transcript.judged(&vendor.name, &judged.told);
    match judged.failure {
        Some(failure) => Err(failure.into()),
        None => Ok(()),
    }
}
