//! A mail server that takes evidence: reached, encrypted, its certificate held to its name, and asked what it offers.
//! No account, sender, recipient or message is named to it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::evidence::redact::Capture;
use crate::failure::{Failure, FailureKind};
use crate::probe::{Desk, Lack, Reception};
use crate::transport::smtp;

pub(super) async fn ask(
    desk: &Desk,
    ca: Option<PathBuf>,
    target: &str,
    time: Duration,
) -> Reception {
    let (desk, until) = (desk.clone(), Instant::now() + time);
    let met = tokio::task::spawn_blocking(move || {
        let (mut wire, offers) = smtp::meet(&desk, ca.as_deref(), until)?;
        wire.leave();
        Ok::<_, smtp::Unmet>((wire.is_encrypted(), offers))
    });
    let failure = match met.await {
        Ok(Ok((encrypted, offers))) => {
            return Reception {
                name: Capture::new(offers.name).excerpt(100),
                encrypted,
                most_bytes: offers.size,
                lack: None,
            };
        }
        Ok(Err(unmet)) => unmet.failure(target),
        Err(error) => Failure::new(FailureKind::Undefined, "a mail server", error.to_string())
            .with_subject(target)
            .with_hint("run again; nothing is known about it"),
    };
    let actual = Capture::new(failure.actual.clone()).excerpt(500);
    Reception {
        lack: Some(Lack::of(Failure { actual, ..failure })),
        ..Reception::default()
    }
}
