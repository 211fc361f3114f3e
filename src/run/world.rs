//! The world as cucumber's types want one. A check's real world lives in its lane (`steps::World`),
//! where it can be sent between threads and outlive a timeout.

use std::convert::Infallible;

/// Stands for one check.
#[derive(Debug)]
pub(super) struct Check;

impl cucumber::World for Check {
    type Error = Infallible;

    async fn new() -> Result<Self, Infallible> {
        Ok(Self)
    }
}
