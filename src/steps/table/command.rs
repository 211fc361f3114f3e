//! Commands of the feature itself. No code here.

use super::{StepDef, Takes, step, with};
use crate::steps::{Call, bind, command};

pub(super) const STEPS: &[StepDef] = &[
    step(
        "When",
        "the team runs {string}",
        "When the team runs \"df -h /var\"",
        |a| Ok(Call::Run(command::words(a[0])?)),
        "Runs one program with its arguments, split at blanks; no shell syntax, no pipes.",
    ),
    step(
        "Then",
        "the command succeeds",
        "Then the command succeeds",
        |_| Ok(Call::Succeeds),
        "The command that was run last ended by itself with exit status 0.",
    ),
    step(
        "Then",
        "its output contains {string}",
        "Then its output contains \"x\"",
        |a| Ok(Call::OutputContains(a[0].to_owned())),
        "What the command printed, on stdout or stderr, contains that text.",
    ),
    with(
        Takes::DocString,
        step(
            "Then",
            "its output contains:",
            "Then its output contains:",
            |a| Ok(Call::OutputContains(a[0].to_owned())),
            "The same for the text of the doc string below, line breaks included.",
        ),
    ),
    step(
        "Then",
        "its output matches {string}",
        "Then its output matches \"re\"",
        |a| Ok(Call::OutputMatches(bind::pattern(a[0])?)),
        "What the command printed, on stdout or stderr, matches that regular expression.",
    ),
];
