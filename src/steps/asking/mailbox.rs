//! Whether the mail server of an address accepts it: asked where the inventory says `probe: rcpt`, and nowhere else. No
//! message is handed over.

use std::time::{Duration, Instant};

use crate::evidence::redact::Capture;
use crate::failure::{Failure, FailureKind};
use crate::probe::{Acceptance, Lack, Sender};
use crate::transport::{preferred, smtp};

pub(super) async fn ask(sender: &Sender, address: &str, time: Duration) -> Acceptance {
    let until = Instant::now() + time;
    match said(sender, address, until).await {
        Ok(said) => Acceptance {
            server: Capture::new(said.server).excerpt(300),
            code: Some(said.answer.code),
            words: Capture::new(said.answer.told()).excerpt(400),
            lack: None,
        },
        Err(failure) => {
            let actual = Capture::new(failure.actual.clone()).excerpt(500);
            Acceptance {
                lack: Some(Lack::of(Failure { actual, ..failure })),
                ..Acceptance::default()
            }
        }
    }
}

async fn said(sender: &Sender, address: &str, until: Instant) -> Result<smtp::Said, Failure> {
    let undefined = |why: String| {
        Failure::new(FailureKind::Undefined, "a mail server", why)
            .with_hint("run again; nothing is known about it")
    };
    let (_, domain) = address
        .rsplit_once('@')
        .ok_or_else(|| undefined("no address".to_owned()))?;
    let left = until.saturating_duration_since(Instant::now());
    let domain = domain.to_ascii_lowercase();
    let servers = preferred(&domain, sender.resolver, left).await?;
    let (from, to) = (sender.from.clone(), address.to_owned());
    let asked =
        tokio::task::spawn_blocking(move || smtp::recipient(&servers, &from, &to, until)).await;
    match asked {
        Ok(said) => said.map_err(|unmet| unmet.failure(&domain)),
        Err(error) => Err(undefined(error.to_string())),
    }
}
