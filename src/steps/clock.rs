//! What time a host has, beside the runner's: log times and samples are judged by the runner's clock.

use jiff::Timestamp;

use super::connect::is_final;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Login, Transport};
use crate::time;
use crate::transport::{Command, Limits, Session};
use crate::verdict::Clock;

/// Run once on every host of the plan where an account may run commands. Whole seconds: `%N` is GNU's
/// alone.
pub const CLOCK_COMMAND: &[&str] = &["date", "-u", "+%s"];

/// Measures the clock of the host; `None` where that cannot be done: a login for files alone, or a host
/// without such a `date`.
///
/// # Errors
/// When the session died over it.
pub async fn measure(
    session: &dyn Session,
    login: &Login,
    limits: Limits,
) -> Result<Option<Clock>, Failure> {
    if login.transport == Transport::Sftp {
        return Ok(None);
    }
    let words = CLOCK_COMMAND.iter().map(|&word| word.to_owned()).collect();
    let before = time::now();
    let printed = session.run(&Command(words), limits).await;
    let after = time::now();
    let output = match printed {
        Ok(output) if output.status == 0 => output,
        Err(failure) if is_final(failure.kind) => {
            let hint = format!(
                "the account may log in, and a command did not end: set `transport: sftp` if it is for files only. {}",
                failure.hint
            );
            return Err(failure.with_hint(hint));
        }
        _ => return Ok(None),
    };
    let shown = std::str::from_utf8(&output.stdout).ok();
    Ok(shown.and_then(|shown| read_clock(shown, before, after, login)))
}

/// What a clock showed that was asked between these times of the runner's.
pub(super) fn read_clock(
    shown: &str,
    before: Timestamp,
    after: Timestamp,
    login: &Login,
) -> Option<Clock> {
    let shown = shown.trim().parse().ok()?;
    let ms = Timestamp::as_millisecond;
    Some(Clock::between(
        shown,
        ms(before),
        ms(after),
        login.clock_tolerance,
    ))
}

/// Judges a clock by the tolerance of this login.
///
/// # Errors
/// `mismatch` when it is too far off.
pub fn on_time(clock: Clock, login: &Login) -> Result<(), Failure> {
    let clock = clock.within(login.clock_tolerance);
    if !clock.is_off() {
        return Ok(());
    }
    let expected = format!("a clock within {} of the runner's", clock.tolerance());
    Err(Failure::new(FailureKind::Mismatch, expected, clock.say())
        .with_subject("the host's clock")
        .with_hint("without one time the age of entries means nothing. See `chronyc tracking` or `timedatectl` on the host; when every host is off alike, on the runner. Else raise `clock_tolerance`"))
}
