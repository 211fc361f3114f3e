//! `gonogo demo --rehearse DIR`: the whole support process on the practice estate, from the drill's beginning to the
//! runbook. Each command is shown as a person would type it, and is carried out by the very function that carries it
//! out when typed: no road of its own. All of it stays in DIR.

use std::fs;
use std::path::Path;

use clap::Parser as _;

use super::args::Command;
use super::demo::{program, shipped};
use super::fault::{Exit, Fault};
use super::run::runtime;
use super::{dispatch, term};
use crate::demo::{Estate, PEOPLE, start};
use crate::text::{escape, shell_word};
use crate::time;

const VENDOR: &str = "60east";
const INSTANCE: &str = "orders";
/// What the practice vendor calls the case.
const CASE: &str = "00012346";
/// What only a person knows of the case.
const ANSWERS: [&str; 5] = [
    "severity=S2",
    "impact=orders are acknowledged 40 seconds late",
    "since when=this morning, 08:15 in New York",
    "behaviour seen=the queue of the transaction log grows",
    "behaviour expected=acknowledged within a second",
];

pub(super) fn rehearse(into: &Path) -> Result<Exit, Fault> {
    let place = fs::create_dir(into);
    place.map_err(|error| {
        let message = format!("cannot make `{}`: {error}", escape(&into.to_string_lossy()));
        Fault::new(
            Exit::Refused,
            message,
            "name a directory that is not there yet",
        )
    })?;
    let runtime = runtime()?;
    let ours = |error: crate::demo::EstateFault| Fault::new(Exit::Fault, &error, error.hint());
    let estate = runtime.block_on(start(None)).map_err(ours)?;
    estate.hand_out(into).map_err(ours)?;
    shipped(&into.join("features"))?;
    let mut play = Play {
        into,
        estate,
        typed: Vec::new(),
    };
    let played = play.all();
    // What was typed until then is worth having whatever became of it.
    let typed = play.typed.concat();
    let kept = fs::write(into.join("COMMANDS.txt"), typed);
    let exit = played?;
    kept.and_then(|()| play.collect())
        .map_err(|error| Fault::new(Exit::Fault, format!("cannot write: {error}"), ""))?;
    play.farewell();
    // The last line of stdout is the verdict, as of a run.
    play.command(&play.verify())?;
    Ok(exit)
}

struct Play<'a> {
    into: &'a Path,
    estate: Estate,
    typed: Vec<String>,
}

impl Play<'_> {
    /// The process, in the order in which people go through it.
    fn all(&mut self) -> Result<Exit, Fault> {
        let at = |name: &str| self.at(name);
        let (drill, run, signers) = (at("drill"), at("run"), at("allowed_signers"));
        let (inventory, features, kept) = (at("inventory.yaml"), at("features"), at("kept"));
        let (key, request, bundle) = (
            at("keys/gonogo-demo"),
            at("request.txt"),
            at("case.tar.zst"),
        );
        let (receipts, sealed, people) = (at("receipts"), at("drills/1"), at("people"));
        let (drills, book, page) = (at("drills"), at("runbook.md"), at("runbook.html"));
        for folder in [&receipts, &drills] {
            fs::create_dir(folder).map_err(|error| {
                Fault::new(
                    Exit::Fault,
                    format!("cannot make `{}`: {error}", escape(folder)),
                    "",
                )
            })?;
        }

        self.say("somebody begins a drill; who usually does it is not who does it now");
        self.command(&words(&[
            "drill",
            "begin",
            "-i",
            &inventory,
            "--vendor",
            VENDOR,
            "--kind",
            "planned",
            "--role",
            "usual-expert=ana",
            "--role",
            "operator=ben",
            "--dir",
            &drill,
        ]))?;
        self.say("every team fetches everything from every server");
        let go_live = time::rfc3339(self.estate.go_live());
        self.command(&words(&[
            "run",
            "-i",
            &inventory,
            &features,
            "-o",
            &run,
            "--key",
            &key,
            "--go-live",
            &go_live,
            "--keep",
            &kept,
        ]))?;
        let note = |rest: &[&str]| words(&[&["drill", "note", &drill], rest].concat());
        self.command(&note(&[
            "retrieval",
            "--run",
            &run,
            "--allowed-signers",
            &signers,
        ]))?;

        self.say("the vendor's own template, filled in from what was fetched and from what only a person knows");
        let written = words(&["-o", &request]);
        self.command(&[self.draft(), written].concat())?;
        self.command(&note(&["request", "--file", &request]))?;

        self.say(
            "one archive of what is known to be harmless; somebody looks at it before it may leave",
        );
        let build = [
            "case",
            "build",
            &run,
            "--allowed-signers",
            &signers,
            "--instance",
            INSTANCE,
            "--from",
            &kept,
            "--request",
            &request,
            "-o",
            &bundle,
        ];
        self.command(&words(&build))?;
        self.command(
            &[
                words(&build),
                words(&["--reviewed-by"]),
                vec!["Cleo Moss".to_owned()],
            ]
            .concat(),
        )?;
        self.command(&note(&["bundle", "--file", &bundle]))?;

        self.say(
            "into the vendor's hands: first what would be sent, then it is sent, to loopback alone",
        );
        let send = words(&["--send", "--receipts", &receipts, "--key", &key]);
        let by_drop = self.deliver("1");
        self.command(&by_drop)?;
        self.command(&[by_drop, send.clone()].concat())?;
        let receipt = self.receipt(&receipts)?;
        self.command(&note(&["delivery", "--receipt", &receipt]))?;

        self.say("the vendor's other ways, which must work on the day that the drop box does not: e-mail, with the request as its text, and HTTPS");
        let text = words(&["--request", &request]);
        self.command(&[self.deliver("2"), text, send.clone()].concat())?;
        self.command(&[self.deliver("3"), send].concat())?;

        self.say("the vendor answers; every level of escalation is tried");
        let now = || time::rfc3339(time::now());
        let from = |rest: Vec<String>| {
            [
                rest,
                vec!["--from".to_owned(), "Kim, for practice".to_owned()],
            ]
            .concat()
        };
        self.command(&from(note(&[
            "acknowledgement",
            "--case",
            CASE,
            "--at",
            &now(),
        ])))?;
        for level in ["mailbox", "telephone"] {
            let tried = now();
            self.command(&from(note(&[
                "escalation",
                level,
                "--tried",
                &tried,
                "--answered",
                &tried,
            ])))?;
        }
        self.command(&note(&["deviation", "--none"]))?;

        self.say("sealed, and signed off by two people");
        self.command(&words(&[
            "drill", "finish", &drill, "-o", &sealed, "--key", &key,
        ]))?;
        for name in PEOPLE {
            let own = self.at(&format!("keys/{name}"));
            self.command(&words(&["drill", "sign", &sealed, "--key", &own]))?;
        }
        self.command(&words(&[
            "drill",
            "verify",
            &sealed,
            "--allowed-signers",
            &signers,
            "--people",
            &people,
            "--drills",
            &drills,
        ]))?;

        self.say("the process as the run proves it, for whoever is called at night");
        let of_run = ["runbook", &run, "--allowed-signers", &signers];
        self.command(&words(&[&of_run[..], &["-o", &book]].concat()))?;
        self.command(&words(
            &[&of_run[..], &["--format", "html", "-o", &page]].concat(),
        ))
    }

    fn at(&self, name: &str) -> String {
        self.into.join(name).to_string_lossy().into_owned()
    }

    fn draft(&self) -> Vec<String> {
        let (run, signers) = (self.at("run"), self.at("allowed_signers"));
        let mut draft = words(&[
            "case",
            "draft",
            "--run",
            &run,
            "--instance",
            INSTANCE,
            "--allowed-signers",
            &signers,
        ]);
        for answer in ANSWERS {
            draft.extend(["--set".to_owned(), answer.to_owned()]);
        }
        draft
    }

    /// By that way of the vendor's `intake`.
    fn deliver(&self, way: &str) -> Vec<String> {
        let (bundle, inventory) = (self.at("case.tar.zst"), self.at("inventory.yaml"));
        words(&[
            "case",
            "deliver",
            &bundle,
            "-i",
            &inventory,
            "--vendor",
            VENDOR,
            "--intake",
            way,
            "--case",
            CASE,
            "--instance",
            INSTANCE,
        ])
    }

    fn verify(&self) -> Vec<String> {
        words(&[
            "verify",
            &self.at("run"),
            "--allowed-signers",
            &self.at("allowed_signers"),
        ])
    }

    fn receipt(&self, folder: &str) -> Result<String, Fault> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut paths = entries.map(|entry| entry.path().to_string_lossy().into_owned());
        let found = paths.find(|path| path.ends_with(".receipt.json"));
        found.ok_or_else(|| Fault::new(Exit::Fault, "the delivery left no receipt", ""))
    }

    /// Shows what is typed, and carries it out.
    fn command(&mut self, words: &[String]) -> Result<Exit, Fault> {
        let line = line(words);
        term::say(&format!("\n$ {line}"));
        self.typed.push(format!("{line}\n"));
        let words = std::iter::once("gonogo").chain(words.iter().map(String::as_str));
        let command = Command::try_parse_from(words).map_err(|error| {
            let hint = "this is a defect of gonogo: please report it";
            Fault::new(Exit::Defect, format!("not understood: {error}"), hint)
        })?;
        let exit = dispatch(&command.verb)?;
        match exit {
            Exit::Go => Ok(exit),
            _ => Err(Fault::new(
                exit,
                "the rehearsal ends here",
                "what was done so far is in the directory; the lines above say what went wrong",
            )),
        }
    }

    fn say(&mut self, what: &str) {
        term::say(&format!("\n# {what}"));
        self.typed.push(format!("\n# {what}\n"));
    }

    /// What arrived at the vendor's, beside the rest: a folder for each way.
    fn collect(&self) -> std::io::Result<()> {
        for (held, _) in self.estate.handed_over() {
            let into = self.into.join(held.file_name().unwrap_or_default());
            fs::create_dir(&into)?;
            for entry in fs::read_dir(held)? {
                let entry = entry?;
                fs::copy(entry.path(), into.join(entry.file_name()))?;
            }
        }
        Ok(())
    }

    /// What can be typed again, now that the estate goes.
    fn farewell(&self) {
        let shown = |name: &str| escape(&self.at(name)).into_owned();
        let one = |name: &str, what: &str| (name.to_owned(), what.to_owned());
        let mut looked = vec![
            one("run/report.html", "what an auditor reads"),
            one("request.txt", "what the vendor is told"),
            one("case.tar.zst", "what the vendor is sent"),
        ];
        looked.extend(self.estate.handed_over().iter().map(|(held, way)| {
            let name = held.file_name().unwrap_or_default().to_string_lossy();
            one(&name, &format!("what arrived there by {way}"))
        }));
        looked.extend([
            one("drills/1/drill.html", "the record of the drill"),
            one(
                "runbook.html",
                "the process, for whoever is called at night",
            ),
            one("COMMANDS.txt", "all that was typed"),
        ]);
        let width = looked
            .iter()
            .map(|(name, _)| shown(name).len())
            .max()
            .unwrap_or(0);
        let mut lines = vec!["\nlook next at".to_owned()];
        let line_of =
            |(name, what): &(String, String)| format!("  {:width$}   {what}", shown(name));
        lines.extend(looked.iter().map(line_of));
        let (run, signers) = (self.at("run"), self.at("allowed_signers"));
        let (sealed, people, book) = (
            self.at("drills/1"),
            self.at("people"),
            self.at("runbook.md"),
        );
        lines.push(
            "and type it again; the estate itself is gone, and nothing is sent without --send"
                .to_owned(),
        );
        for again in [
            self.draft(),
            self.deliver("1"),
            words(&[
                "drill",
                "verify",
                &sealed,
                "--allowed-signers",
                &signers,
                "--people",
                &people,
            ]),
            words(&[
                "runbook",
                &run,
                "--allowed-signers",
                &signers,
                "--check",
                &book,
            ]),
            self.verify(),
        ] {
            lines.push(format!("  {}", line(&again)));
        }
        term::say(&lines.join("\n"));
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// As it is typed here.
fn line(words: &[String]) -> String {
    let words = words.iter().map(|word| shell_word(word));
    let words: Vec<_> = std::iter::once(program().into()).chain(words).collect();
    words.join(" ")
}
