//! What makes a request template fail, and the twin that passes.

use super::super::Ask;
use super::super::tests::{fails, holds, judge};
use crate::failure::FailureKind;

#[test]
fn a_request_has_no_field_that_nobody_fills_in() {
    use FailureKind::{Mismatch, Missing};
    let ask = Ask::RequestComplete;
    for (old, new, kind, words) in [
        ("60east-request.txt", "none.txt", Missing, "No such file"),
        (
            "inventories/60east-request.txt",
            "inventories",
            Missing,
            "no regular file",
        ),
        (
            "inventories/60east-request.txt",
            "Cargo.toml",
            Mismatch,
            "unknown field",
        ),
        (
            "severity, impact,",
            "severity,",
            Mismatch,
            "line 5: unknown field `{impact}`",
        ),
        (
            "severity, impact,",
            "severity, impact, steps,",
            Mismatch,
            "`asked` names `steps`",
        ),
        (
            "      plan: premium\n",
            "",
            Missing,
            "nothing for `{plan}`: write `contract: {plan: …}`",
        ),
        (
            "    backup: ben\n",
            "",
            Missing,
            "nothing for `{backup contact}`",
        ),
    ] {
        fails(&judge(ask, old, new), kind, words);
    }
    let judged = judge(ask, "", "");
    holds(&judged);
    let told = judged.told.join("\n");
    for words in [
        "contract: 60E-0417",
        "filled in from a run: version, product",
        "asked of a person: severity, impact, since when",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
}
