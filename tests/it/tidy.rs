//! Keeps the house tidy: floors, names that belong to one room, sizes, heads, words, links. Reads the
//! tree as text; whoever breaks a rule here breaks ARCHITECTURE.md.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Room and floor: a room imports only rooms of lower floors, and itself.
const FLOORS: [(&str, u8); 26] = [
    ("calendar", 1),
    ("digest", 1),
    ("encryption", 1),
    ("failure", 1),
    ("probe", 1),
    ("problem", 1),
    ("text", 1),
    ("time", 1),
    ("feature_files", 2),
    ("inventory", 2),
    ("sign", 2),
    ("transport", 3),
    ("evidence", 4),
    ("intake", 4),
    ("verdict", 5),
    ("support", 5),
    ("redaction", 5),
    ("report", 6),
    ("steps", 6),
    ("case", 7),
    ("plan", 7),
    ("run", 8),
    ("demo", 9),
    ("cli", 9),
    ("main", 10),
    ("lib", 10),
];

/// Steps sideways that are meant, each with its reason.
const SIDEWAYS: [(&str, &str); 5] = [
    // An SSH key is named by its digest in the head of a file.
    ("encryption", "digest"),
    // What did not come is told in the words of a failure, and counts are told as everywhere.
    ("probe", "failure"),
    ("probe", "text"),
    // A problem is shown with escaped text.
    ("problem", "text"),
    // `gonogo demo` is a subcommand.
    ("cli", "demo"),
];

/// A name, and the only rooms in which code may say it.
const OWNED: [(&str, &[&str]); 6] = [
    (r"\b(ssh2|libssh2_sys)(::|;| as )", &["transport", "intake"]),
    (
        r"\b(cucumber|gherkin)(::|;| as )",
        &["steps", "plan", "run"],
    ),
    (
        r"\b(age::(ssh|x25519|armor|Encryptor)|pgp::)",
        &["encryption"],
    ),
    (r"\bclap(::|;| as )", &["cli"]),
    (r"\be?print(ln)?!", &["cli", "main"]),
    (r"\bprocess::exit\b", &["cli", "main"]),
];

const MOST_LINES: usize = 600;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `directory` (relative to the repository), with its text; binary files left out.
fn texts(directory: &str) -> Vec<(PathBuf, String)> {
    fn walk(directory: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !["target", ".git", "node_modules", ".venv"].contains(&name.as_str()) {
                    walk(&path, found);
                }
            } else if let Ok(text) = fs::read_to_string(&path) {
                found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(directory), &mut found);
    found.sort();
    assert!(!found.is_empty(), "nothing below {directory}");
    found
}

fn sources(directory: &str) -> Vec<(PathBuf, String)> {
    let mut files = texts(directory);
    files.retain(|(path, _)| path.extension().is_some_and(|extension| extension == "rs"));
    files
}

/// `src/transport/ssh.rs` is of the room `transport`, `src/text.rs` of `text`.
fn room(path: &Path) -> String {
    let inner = path.strip_prefix("src").unwrap();
    let first = inner.components().next().unwrap().as_os_str();
    Path::new(first).with_extension("").display().to_string()
}

fn floor(room: &str) -> Option<u8> {
    FLOORS
        .iter()
        .find(|(name, _)| *name == room)
        .map(|(_, floor)| *floor)
}

/// What is compiled into the product: no comments, nothing from the unit tests on.
fn code(text: &str) -> String {
    let comment = Regex::new(r"(^|[^:])//.*").unwrap();
    let product = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = product
        .lines()
        .map(|line| comment.replace(line, "$1").into_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// The rooms behind every `crate::room`, `crate::{room::…, room}` and `super::` that leaves a room.
fn mentions(path: &Path, code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    // Only from a room's own mod.rs does one `super` lead out of it, from its other files two.
    let out = match path.components().count() {
        2 => "super::",
        3 if path.ends_with("mod.rs") => "super::",
        _ => "super::super::",
    };
    for start in ["crate::", out] {
        for (at, _) in code.match_indices(start) {
            if start != "crate::" && code[..at].ends_with("super::") {
                continue;
            }
            let rest = &code[at + start.len()..];
            for first in firsts(rest) {
                // A `super::` that names no room stays inside.
                if start == "crate::" || floor(&first).is_some() {
                    rooms.insert(first);
                }
            }
        }
    }
    rooms
}

/// The first segments of a path or of a braced group of paths.
fn firsts(rest: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        let text = text.trim_start();
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let Some(group) = rest.strip_prefix('{') else {
        return vec![word(rest)];
    };
    let mut firsts = vec![word(group)];
    let mut depth = 1;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => firsts.push(word(&group[at + 1..])),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    firsts.retain(|first| !first.is_empty());
    firsts
}

#[track_caller]
fn none(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn every_import_goes_down() {
    let mut problems = Vec::new();
    for (path, text) in sources("src") {
        let own = room(&path);
        let Some(own_floor) = floor(&own) else {
            problems.push(format!(
                "{}: room `{own}` stands on no floor",
                path.display()
            ));
            continue;
        };
        for other in mentions(&path, &code(&text)) {
            let down = match floor(&other) {
                _ if other == own => true,
                _ if SIDEWAYS.contains(&(own.as_str(), other.as_str())) => true,
                Some(floor) => floor < own_floor,
                // A macro or item at the crate's root.
                None => own_floor == 10,
            };
            if !down {
                problems.push(format!("{}: `{own}` imports `{other}`", path.display()));
            }
        }
    }
    none(problems);
}

#[test]
fn the_import_reader_reads_imports() {
    let path = Path::new("src/transport/ssh.rs");
    let read = |code: &str| {
        mentions(path, code)
            .into_iter()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(read("use crate::text;"), "text");
    assert_eq!(read("use crate::{digest::{Sha256, X}, run};"), "digest run");
    assert_eq!(read("let x = crate::verdict::decide();"), "verdict");
    assert_eq!(read("use super::quote;"), "");
    assert_eq!(read("use super::super::run::Run;"), "run");
    assert_eq!(
        mentions(Path::new("src/plan/mod.rs"), "use super::run;").len(),
        1
    );
    assert_eq!(
        code("a(); // use crate::run\nlet u = \"https://x\";"),
        "a(); \nlet u = \"https://x\";"
    );
}

#[test]
fn names_stay_in_their_rooms() {
    let mut problems = Vec::new();
    for (path, text) in sources("src") {
        let (own, code) = (room(&path), code(&text));
        for (pattern, rooms) in OWNED {
            if let Some(found) = Regex::new(pattern).unwrap().find(&code)
                && !rooms.contains(&own.as_str())
            {
                let name = found.as_str();
                problems.push(format!("{}: `{name}` belongs to {rooms:?}", path.display()));
            }
        }
    }
    none(problems);
}

/// What writes on another machine is reached by the command that hands over a case, and by nothing that a run
/// goes through.
#[test]
fn no_run_reaches_what_writes() {
    let mut problems = Vec::new();
    for (path, text) in sources("src") {
        let may = path.starts_with("src/intake")
            || path.starts_with("src/case")
            || path.starts_with("src/cli/case");
        if !may && mentions(&path, &code(&text)).contains("intake") {
            problems.push(format!("{}: imports `intake`", path.display()));
        }
        let runs = ["plan", "run", "steps", "demo", "transport"].contains(&room(&path).as_str());
        if runs && mentions(&path, &code(&text)).contains("case") {
            problems.push(format!("{}: imports `case`", path.display()));
        }
    }
    none(problems);
}

#[test]
fn every_file_has_a_head_and_a_human_size() {
    let mut problems = Vec::new();
    for (path, text) in sources("src").into_iter().chain(sources("tests")) {
        let lines = text.lines().count();
        if !text.starts_with("//! ") {
            problems.push(format!("{}: does not open with `//!`", path.display()));
        }
        if lines > MOST_LINES {
            problems.push(format!(
                "{}: {lines} lines, at most {MOST_LINES}",
                path.display()
            ));
        }
    }
    none(problems);
}

#[test]
fn nothing_is_unfinished() {
    let mark = Regex::new(r"\b(todo|unimplemented|dbg)!\s*\(").unwrap();
    let mut problems = Vec::new();
    for (path, text) in sources("src").into_iter().chain(sources("tests")) {
        if text.starts_with("//! (room)") || text.starts_with("//! (test)") {
            problems.push(format!("{}: an empty room", path.display()));
        }
        if let Some(found) = mark.find(&text) {
            problems.push(format!("{}: {}", path.display(), found.as_str()));
        }
    }
    none(problems);
}

#[test]
fn every_module_is_compiled_and_well_named() {
    const NOT_USED: [&str; 11] = [
        "util", "utils", "helper", "helpers", "manager", "common", "data", "info", "misc", "stuff",
        "shared",
    ];
    let files = sources("src").into_iter().chain(sources("tests/it"));
    let mut problems = Vec::new();
    for (path, _) in files {
        let is_mod = path.ends_with("mod.rs");
        let name = if is_mod {
            path.parent().unwrap()
        } else {
            &path
        };
        let stem = name.file_stem().unwrap().to_str().unwrap();
        if NOT_USED.contains(&stem) {
            problems.push(format!("{}: `{stem}` says nothing", path.display()));
        }
        let parent = name.parent().unwrap();
        if ["main", "lib"].contains(&stem) || parent == Path::new("src/bin") {
            continue;
        }
        // Declared in mod.rs, lib.rs or main.rs of its folder, or in the file beside the folder.
        let heads = ["mod.rs", "lib.rs", "main.rs"].map(|head| parent.join(head));
        let beside = parent.with_extension("rs");
        let declaration = format!(r"(?m)^\s*(pub(\(.*\))? )?mod {stem};");
        let declaration = Regex::new(&declaration).unwrap();
        let declared = heads.iter().chain([&beside]).any(|head| {
            fs::read_to_string(root().join(head)).is_ok_and(|text| declaration.is_match(&text))
        });
        // Tests that outgrew their file stand beside it: `#[path = "glob_tests.rs"] mod tests;`.
        let by_path = format!("#[path = \"{stem}.rs\"]");
        let declared = declared
            || fs::read_dir(root().join(parent)).unwrap().any(|entry| {
                fs::read_to_string(entry.unwrap().path()).is_ok_and(|text| text.contains(&by_path))
            });
        if !declared {
            problems.push(format!("{}: no `mod {stem};` compiles it", path.display()));
        }
    }
    none(problems);
}

#[test]
fn every_page_of_docs_is_linked() {
    if !root().join("docs").is_dir() {
        return;
    }
    let pages: Vec<_> = ["README.md", "ARCHITECTURE.md"]
        .into_iter()
        .filter_map(|page| Some((page.into(), fs::read_to_string(root().join(page)).ok()?)))
        .chain(texts("docs"))
        .collect::<Vec<(PathBuf, String)>>();
    let mut problems = Vec::new();
    for (path, _) in texts("docs") {
        let name = path.file_name().unwrap().to_str().unwrap();
        let linked = pages
            .iter()
            .any(|(page, text)| *page != path && text.contains(name));
        if !linked {
            problems.push(format!("{}: linked from nowhere", path.display()));
        }
    }
    none(problems);
}

#[test]
fn nothing_names_a_path_of_this_machine() {
    let here = format!("{}/", root().display());
    let roots = ["/root/", "/Users/", here.as_str()];
    let mut problems = Vec::new();
    for (path, text) in texts("") {
        // This file names what it looks for.
        if path.ends_with("tidy.rs") || path.ends_with("Cargo.lock") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            for root in roots {
                let begins = |at: usize| {
                    let before = line[..at].chars().next_back();
                    before.is_none_or(|c| !(c.is_alphanumeric() || "._-}/*".contains(c)))
                };
                if line.match_indices(root).any(|(at, _)| begins(at)) {
                    problems.push(format!("{}:{}: {root}", path.display(), number + 1));
                }
            }
        }
    }
    none(problems);
}

#[test]
fn the_architecture_names_every_room() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    assert!(page.lines().count() <= 120, "longer than 120 lines");
    let rooms: BTreeSet<_> = sources("src").iter().map(|(path, _)| room(path)).collect();
    let absent = rooms.iter().filter(|room| !page.contains(room.as_str()));
    none(
        absent
            .map(|room| format!("ARCHITECTURE.md does not name `{room}`"))
            .collect(),
    );
}

/// `scripts/test` says what is missing before a test fails for want of it.
#[test]
fn every_program_that_tests_call_is_named_in_scripts_test() {
    let script = fs::read_to_string(root().join("scripts/test")).unwrap();
    let (_, needs) = script.split_once("needs='").unwrap();
    let (needs, _) = needs.split_once("\n'").unwrap();
    let lines: Vec<Vec<&str>> = (needs.lines().filter(|line| !line.is_empty()))
        .map(|line| line.split(' ').collect())
        .collect();
    let broken = lines.iter().filter(|line| line.len() != 3);
    let mut problems: Vec<String> = broken.map(|line| format!("{line:?}")).collect();
    let named: BTreeSet<&str> = lines.iter().map(|line| line[0]).collect();
    let call = Regex::new(r#"Command::new\("([^"]+)"\)"#).unwrap();
    let mut called = 0;
    for (path, text) in sources("tests").into_iter().chain(sources("src")) {
        for found in call.captures_iter(&text) {
            let program = found[1].rsplit('/').next().unwrap_or_default();
            // Whatever ran the script; and Debian's essential packages are never asked for.
            let is_there = ["sh", "id", "cp"].contains(&program) || named.contains(program);
            called += 1;
            if !is_there {
                problems.push(format!("{}: `{program}`", path.display()));
            }
        }
    }
    assert!(called > 40, "the pattern finds {called} calls only");
    none(problems);
}

#[test]
fn the_release_unwinds() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let abort = Regex::new(r#"(?m)^\s*panic\s*=\s*"abort""#).unwrap();
    assert!(
        !abort.is_match(&manifest),
        "cucumber's runner needs unwinding"
    );
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    assert!(lib.contains("#![forbid(unsafe_code)]"));
}
