//! What a person sees while a run goes on: on a terminal a bar with what is running, elsewhere a line
//! for each check that fails and one now and then for the rest. On stderr only.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::term;
use crate::plan::Check;
use crate::run::{Event, Record, Watch};
use crate::text::{clip, escape};
use crate::time;

// Often enough for a person, seldom enough for a CI log.
const BEAT: Duration = Duration::from_secs(10);

/// The watcher for where stderr leads.
pub(super) fn watcher(checks: usize, quiet: bool) -> Box<dyn Watch> {
    match (quiet, term::live()) {
        (true, _) => Box::new(Silent),
        (false, true) => Box::new(Bar::new(checks)),
        (false, false) => Box::new(Lines {
            checks,
            done: 0,
            failed: 0,
            last: Instant::now(),
        }),
    }
}

struct Silent;

impl Watch for Silent {
    fn see(&mut self, _: Event<'_>) {}
}

struct Bar {
    bar: ProgressBar,
    running: VecDeque<String>,
    failed: usize,
}

impl Bar {
    fn new(checks: usize) -> Self {
        let bar = ProgressBar::with_draw_target(
            Some(checks as u64),
            ProgressDrawTarget::stderr_with_hz(10),
        );
        let template = if term::colour_err() {
            "{bar:24.cyan} {pos}/{len} {msg}"
        } else {
            "{bar:24} {pos}/{len} {msg}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Self {
            bar,
            running: VecDeque::new(),
            failed: 0,
        }
    }
}

impl Watch for Bar {
    fn see(&mut self, event: Event<'_>) {
        match event {
            Event::Started(check) => self.running.push_back(check.subject.label()),
            Event::Finished(check, record) => {
                let label = check.subject.label();
                if let Some(at) = self.running.iter().position(|running| *running == label) {
                    self.running.remove(at);
                }
                if record.failure.is_some() || !(record.passed() || record.is_pending()) {
                    self.failed += 1;
                    self.bar.suspend(|| term::say(&failed(check, record)));
                }
                self.bar.inc(1);
            }
        }
        let now = self
            .running
            .front()
            .map(|label| escape(label).into_owned())
            .unwrap_or_default();
        let more = self.running.len().saturating_sub(1);
        let others = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let failed = if self.failed > 0 {
            format!("{} failed · ", self.failed)
        } else {
            String::new()
        };
        self.bar.set_message(
            clip(
                &format!("{failed}{now}{others}"),
                term::width().saturating_sub(40),
            )
            .into_owned(),
        );
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

struct Lines {
    checks: usize,
    done: usize,
    failed: usize,
    last: Instant,
}

impl Watch for Lines {
    fn see(&mut self, event: Event<'_>) {
        let Event::Finished(check, record) = event else {
            return;
        };
        self.done += 1;
        if record.failure.is_some() || !(record.passed() || record.is_pending()) {
            self.failed += 1;
            term::say(&failed(check, record));
        }
        if self.done == self.checks || self.last.elapsed() >= BEAT {
            self.last = Instant::now();
            term::say(&format!(
                "{}/{} checks, {} failed",
                self.done, self.checks, self.failed
            ));
        }
    }
}

fn failed(check: &Check, record: &Record) -> String {
    let why = record
        .failure
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let took = time::say(Duration::from_millis(record.duration_ms));
    format!(
        "failed  {} [{}] after {took}: {}",
        escape(&check.scenario),
        escape(&check.subject.label()),
        clip(&escape(&why), 300)
    )
}
