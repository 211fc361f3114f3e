//! The table of `docs/tamper.md`: what was done to a run, what `gonogo verify` says, and what the commands
//! of VERIFY.txt say. `GONOGO_WRITE_TAMPER=1` writes the page anew.

use std::fmt::Write as _;
use std::os::unix::fs::symlink;

use super::*;
use crate::lab::is_root;

/// What was done, how, with which options of `verify`, its exit code, its words, and which steps of
/// VERIFY.txt succeed.
pub(super) struct Row {
    pub done: &'static str,
    pub deed: fn(&Room, &Path),
    pub more: &'static [&'static str],
    pub code: i32,
    pub says: &'static str,
    pub stock: [bool; 3],
}

/// Refused by both: the signature, or what it covers.
const SIGNATURE: [bool; 3] = [false, true, true];
/// The digests are not right any more, and so is what is listed.
const DIGESTS: [bool; 3] = [true, false, false];
/// Only what lies there beside is wrong.
const ADDED: [bool; 3] = [true, true, false];
/// What the stock tools do not look at.
const UNSEEN: [bool; 3] = [true, true, true];

pub(super) const fn row(
    done: &'static str,
    says: &'static str,
    stock: [bool; 3],
    deed: fn(&Room, &Path),
) -> Row {
    Row {
        done,
        deed,
        more: &[],
        code: 4,
        says,
        stock,
    }
}

fn change(dir: &Path, name: &str, to: impl FnOnce(Vec<u8>) -> Vec<u8>) {
    let path = dir.join(name);
    fs::write(&path, to(fs::read(&path).unwrap())).unwrap();
}

fn lines(dir: &Path, name: &str, to: impl FnOnce(&mut Vec<String>)) {
    change(dir, name, |bytes| {
        let text = String::from_utf8(bytes).unwrap();
        let mut lines = text.lines().map(|line| format!("{line}\n")).collect();
        to(&mut lines);
        lines.concat().into_bytes()
    });
}

fn flip(dir: &Path, name: &str) {
    change(dir, name, |mut bytes| {
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        bytes
    });
}

fn cut(dir: &Path, name: &str, to: impl FnOnce(usize) -> usize) {
    change(dir, name, |bytes| bytes[..to(bytes.len())].to_vec());
}

fn run(program: &str, args: &[&str], dir: &Path) {
    let done = Command::new(program).args(args).current_dir(dir).output();
    let done = done.unwrap();
    assert!(done.status.success(), "{program} {args:?}: {done:?}");
}

fn rename(dir: &Path, from: &str, to: &str) {
    fs::rename(dir.join(from), dir.join(to)).unwrap();
}

fn take(from: &Path, to: &Path, names: &[&str]) {
    for name in names {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

fn plain() -> Vec<Row> {
    vec![
        row(
            "one bit of `report.json` flipped",
            "`report.json` was changed after signing",
            DIGESTS,
            |_, dir| flip(dir, "report.json"),
        ),
        row(
            "one bit of `report.html` flipped",
            "`report.html` was changed after signing",
            DIGESTS,
            |_, dir| flip(dir, "report.html"),
        ),
        row(
            "one bit of `inputs/inventory.yaml` flipped",
            "`inputs/inventory.yaml` was changed after signing",
            DIGESTS,
            |_, dir| flip(dir, "inputs/inventory.yaml"),
        ),
        row(
            "one bit of `VERIFY.txt` flipped",
            "`VERIFY.txt` was changed after signing",
            DIGESTS,
            |_, dir| flip(dir, "VERIFY.txt"),
        ),
        row(
            "one bit of `SHA256SUMS` flipped",
            "SHA256SUMS.sig: the signature does not match the signed bytes",
            [false; 3],
            |_, dir| flip(dir, "SHA256SUMS"),
        ),
        row(
            "one bit of `SHA256SUMS.sig` flipped",
            "SHA256SUMS.sig: ",
            SIGNATURE,
            |_, dir| flip(dir, "SHA256SUMS.sig"),
        ),
        row(
            "one bit of `report.intoto.jsonl` flipped",
            "report.intoto.jsonl: ",
            UNSEEN,
            |_, dir| flip(dir, "report.intoto.jsonl"),
        ),
        row(
            "a digit of the record edited in an editor, NO-GO made GO",
            "`report.json` was changed after signing",
            DIGESTS,
            |_, dir| {
                edit(dir, |report| report["verdict"]["decision"] = "GO".into());
            },
        ),
        row(
            "`report.json` dropped",
            "`report.json` is missing",
            DIGESTS,
            |_, dir| fs::remove_file(dir.join("report.json")).unwrap(),
        ),
        row("a transcript dropped", "is missing", DIGESTS, |_, dir| {
            fs::remove_file(dir.join(transcript(dir))).unwrap()
        }),
        row(
            "`SHA256SUMS` dropped",
            "is not a sealed run: it has no SHA256SUMS",
            [false; 3],
            |_, dir| fs::remove_file(dir.join("SHA256SUMS")).unwrap(),
        ),
        row(
            "`SHA256SUMS.sig` dropped",
            "is not a sealed run: it has no SHA256SUMS.sig",
            SIGNATURE,
            |_, dir| fs::remove_file(dir.join("SHA256SUMS.sig")).unwrap(),
        ),
        row(
            "`report.intoto.jsonl` dropped",
            "is not a sealed run: it has no report.intoto.jsonl",
            UNSEEN,
            |_, dir| fs::remove_file(dir.join("report.intoto.jsonl")).unwrap(),
        ),
        row(
            "a file added at the top",
            "`notes.txt` is not listed in SHA256SUMS",
            ADDED,
            |_, dir| fs::write(dir.join("notes.txt"), "x").unwrap(),
        ),
        row(
            "a file added in `evidence/`",
            "`evidence/more.txt` is not listed in SHA256SUMS",
            ADDED,
            |_, dir| fs::write(dir.join("evidence/more.txt"), "x").unwrap(),
        ),
        row(
            "a hidden file added in `inputs/`",
            "`inputs/.more` is not listed in SHA256SUMS",
            ADDED,
            |_, dir| fs::write(dir.join("inputs/.more"), "x").unwrap(),
        ),
        row(
            "a file added in a hidden directory",
            "`.git/config` is not listed in SHA256SUMS",
            ADDED,
            |_, dir| {
                fs::create_dir(dir.join(".git")).unwrap();
                fs::write(dir.join(".git/config"), "x").unwrap();
            },
        ),
        row(
            "an empty file with a name of line ends",
            "is not listed in SHA256SUMS",
            ADDED,
            |_, dir| fs::write(dir.join("a\nb"), "").unwrap(),
        ),
        row(
            "a symbolic link added",
            "`link` is not a regular file",
            ADDED,
            |_, dir| symlink("report.json", dir.join("link")).unwrap(),
        ),
        row(
            "`report.json` made a symbolic link to itself elsewhere",
            "`report.json` is not a regular file",
            ADDED,
            |room, dir| {
                fs::remove_file(dir.join("report.json")).unwrap();
                symlink(room.go.join("report.json"), dir.join("report.json")).unwrap();
            },
        ),
        row(
            "a FIFO added",
            "`pipe` is not a regular file",
            ADDED,
            |_, dir| run("mkfifo", &["pipe"], dir),
        ),
        row(
            "a socket added",
            "`socket` is not a regular file",
            ADDED,
            |_, dir| drop(std::os::unix::net::UnixListener::bind(dir.join("socket")).unwrap()),
        ),
        row(
            "two transcripts swapped",
            "was changed after signing (and 1 difference more)",
            DIGESTS,
            |_, dir| {
                let names = files(dir)
                    .into_iter()
                    .filter(|name| name.starts_with("evidence/"));
                let names: Vec<_> = names.take(2).collect();
                rename(dir, &names[0], "aside");
                rename(dir, &names[1], &names[0]);
                rename(dir, "aside", &names[1]);
            },
        ),
        row(
            "lines of `SHA256SUMS` reordered",
            "SHA256SUMS.sig: the signature does not match the signed bytes",
            [false, true, false],
            |_, dir| lines(dir, "SHA256SUMS", |lines| lines.reverse()),
        ),
        row(
            "a line of `SHA256SUMS` doubled",
            "SHA256SUMS.sig: the signature does not match the signed bytes",
            [false, true, false],
            |_, dir| lines(dir, "SHA256SUMS", |lines| lines.insert(0, lines[0].clone())),
        ),
        row(
            "a line of `SHA256SUMS` dropped with its file",
            "SHA256SUMS.sig: the signature does not match the signed bytes",
            SIGNATURE,
            |_, dir| {
                let name = transcript(dir);
                fs::remove_file(dir.join(&name)).unwrap();
                lines(dir, "SHA256SUMS", |lines| {
                    lines.retain(|line| !line.contains(&name))
                });
            },
        ),
        row(
            "`report.json` renamed to `Report.json`",
            "`report.json` is missing (and 1 difference more)",
            DIGESTS,
            |_, dir| rename(dir, "report.json", "Report.json"),
        ),
        row(
            "`summary.md` renamed to `summary.md.`",
            "`summary.md` is missing (and 1 difference more)",
            DIGESTS,
            |_, dir| rename(dir, "summary.md", "summary.md."),
        ),
        row(
            "`summary.md` renamed with a letter that looks the same",
            "`summary.md` is missing (and 1 difference more)",
            DIGESTS,
            |_, dir| rename(dir, "summary.md", "s\u{fc}mmary.md"),
        ),
        row("`evidence/` renamed", "(and ", DIGESTS, |_, dir| {
            rename(dir, "evidence", "Evidence")
        }),
        row(
            "`report.json` emptied",
            "`report.json` was changed after signing",
            DIGESTS,
            |_, dir| cut(dir, "report.json", |_| 0),
        ),
        row(
            "`report.json` without its last byte",
            "`report.json` was changed after signing",
            DIGESTS,
            |_, dir| cut(dir, "report.json", |all| all - 1),
        ),
        row(
            "`SHA256SUMS` emptied",
            "SHA256SUMS.sig: the signature does not match the signed bytes",
            [false; 3],
            |_, dir| cut(dir, "SHA256SUMS", |_| 0),
        ),
        row(
            "`SHA256SUMS.sig` emptied",
            "SHA256SUMS.sig: not an SSH signature",
            SIGNATURE,
            |_, dir| cut(dir, "SHA256SUMS.sig", |_| 0),
        ),
        row(
            "`report.intoto.jsonl` cut in half",
            "report.intoto.jsonl: the envelope is not spelt as gonogo writes it",
            UNSEEN,
            |_, dir| cut(dir, "report.intoto.jsonl", |all| all / 2),
        ),
        row(
            "line ends of `SHA256SUMS` made CR LF",
            "SHA256SUMS.sig: the signature does not match the signed bytes",
            [false, true, false],
            |_, dir| {
                lines(dir, "SHA256SUMS", |lines| {
                    lines
                        .iter_mut()
                        .for_each(|line| *line = line.replace('\n', "\r\n"))
                })
            },
        ),
        row(
            "line ends of `summary.md` made CR LF",
            "`summary.md` was changed after signing",
            DIGESTS,
            |_, dir| {
                lines(dir, "summary.md", |lines| {
                    lines
                        .iter_mut()
                        .for_each(|line| *line = line.replace('\n', "\r\n"))
                })
            },
        ),
        row(
            "a byte order mark before `SHA256SUMS`",
            "SHA256SUMS.sig: the signature does not match the signed bytes",
            [false; 3],
            |_, dir| {
                change(dir, "SHA256SUMS", |bytes| {
                    [b"\xef\xbb\xbf", &bytes[..]].concat()
                })
            },
        ),
        row(
            "a byte order mark before `report.json`",
            "`report.json` was changed after signing",
            DIGESTS,
            |_, dir| {
                change(dir, "report.json", |bytes| {
                    [b"\xef\xbb\xbf", &bytes[..]].concat()
                })
            },
        ),
        row(
            "`report.json` of another run put in",
            "`report.json` was changed after signing",
            DIGESTS,
            |room, dir| take(&room.no_go, dir, &["report.json"]),
        ),
        row(
            "`SHA256SUMS` and its signature of another run put in",
            "was changed after signing (and ",
            DIGESTS,
            |room, dir| take(&room.no_go, dir, &["SHA256SUMS", "SHA256SUMS.sig"]),
        ),
        row(
            "`SHA256SUMS.sig` of another run put in",
            "SHA256SUMS.sig: the signature does not match the signed bytes",
            SIGNATURE,
            |room, dir| take(&room.no_go, dir, &["SHA256SUMS.sig"]),
        ),
        row(
            "the attestation of another run put in",
            "report.intoto.jsonl: the digest of `SHA256SUMS` is not that of this run",
            UNSEEN,
            |room, dir| take(&room.no_go, dir, &["report.intoto.jsonl"]),
        ),
    ]
}

/// What is no harm, and why.
fn harmless() -> Vec<Row> {
    let accepted = |row: Row| Row { code: 0, ..row };
    let mut rows = vec![
        row("nothing", "GO", UNSEEN, |_, _| ()),
        row(
            "an empty directory added: it tells nothing, and no archive keeps it for sure",
            "GO",
            UNSEEN,
            |_, dir| fs::create_dir(dir.join("empty")).unwrap(),
        ),
        row(
            "a listed file made a hard link: it is the same bytes",
            "GO",
            UNSEEN,
            |room, dir| {
                fs::remove_file(dir.join("summary.md")).unwrap();
                fs::hard_link(room.go.join("summary.md"), dir.join("summary.md")).unwrap();
            },
        ),
        row(
            "line ends of `SHA256SUMS.sig` made CR LF: the same armour; ssh-keygen wants LF",
            "GO",
            SIGNATURE,
            |_, dir| {
                lines(dir, "SHA256SUMS.sig", |lines| {
                    lines
                        .iter_mut()
                        .for_each(|line| *line = line.replace('\n', "\r\n"))
                })
            },
        ),
        row(
            "a file `SHA256SUMS.carl.sig` added: an approval counts only by its own signature",
            "GO",
            UNSEEN,
            |_, dir| fs::write(dir.join("SHA256SUMS.carl.sig"), "x").unwrap(),
        ),
        row(
            "`SHA256SUMS.sig.tsr` and `SHA256SUMS.timestamp` added that are no time stamps: nobody asked for one",
            "GO",
            UNSEEN,
            |_, dir| {
                fs::write(dir.join("SHA256SUMS.sig.tsr"), "x").unwrap();
                fs::write(dir.join("SHA256SUMS.timestamp"), "x").unwrap();
            },
        ),
    ];
    rows = rows.into_iter().map(accepted).collect();
    rows
}

#[test]
fn everything_that_is_done_to_a_run_is_told() {
    let room = Room::new();
    let (mut page, mut wrong) = (HEAD.to_owned(), Vec::new());
    for (title, rows) in [
        ("What is done without the key that signs runs", plain()),
        ("What is done with a key", super::signed::rows()),
        ("What is no harm", harmless()),
    ] {
        let _ = write!(page, "\n## {title}\n\n{COLUMNS}");
        for row in rows {
            wrong.extend(try_row(&room, &row));
            page += &line(&row);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    page += FOOT;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tamper.md");
    if std::env::var_os("GONOGO_WRITE_TAMPER").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert_eq!(
        fs::read_to_string(path).unwrap(),
        page,
        "GONOGO_WRITE_TAMPER=1 writes it anew"
    );
}

/// What is otherwise than the row says.
fn try_row(room: &Room, row: &Row) -> Vec<String> {
    let dir = room.copy(&room.go);
    (row.deed)(room, &dir);
    let (code, told) = room.verify(&dir, row.more);
    // A list of revoked keys, and who may sign, are named to both.
    let options = match row.more {
        ["--revoked", _] => format!("-r {}", room.at("revoked").display()),
        _ => String::new(),
    };
    let allowed = fs::read(room.at("allowed_signers")).unwrap();
    if let ["--allowed-signers", other] = row.more {
        fs::copy(room.at(other), room.at("allowed_signers")).unwrap();
    }
    let stock = room.stock(&dir, &options);
    fs::write(room.at("allowed_signers"), allowed).unwrap();
    let says_go = told.lines().any(|line| line == "GO");
    let wrong = [
        (code != row.code, "the exit code"),
        (!told.contains(row.says) || row.says.is_empty(), "the words"),
        (says_go != (code == 0), "GO"),
        (code == 4 && !told.contains("hint: "), "no hint"),
        (stock != row.stock, "the steps of VERIFY.txt"),
    ];
    let wrong = wrong.iter().filter(|(is, _)| *is);
    wrong
        .map(|(_, what)| format!("{}: {what}: {code} {stock:?}: {told}", row.done))
        .collect()
}

fn line(row: &Row) -> String {
    let says = |succeeds: bool| if succeeds { "–" } else { "refuses" };
    let [signature, digests, added] = row.stock.map(says);
    let options = match row.more {
        [] => String::new(),
        [option, ..] => format!(", with `{option}`"),
    };
    let exit = row.code;
    format!(
        "| {}{options} | {exit}: {} | {signature} | {digests} | {added} |\n",
        row.done,
        row.says.trim().replace('|', "\\|")
    )
}

const HEAD: &str = "\
# What was done to a run, and who tells

A test does each of these to a real signed run, and holds `gonogo verify` and the commands of the run's own
`VERIFY.txt` to this page (`tests/it/tamper/`). *verify* is the exit code and words of `gonogo verify`; *1*, *2*
and *3* are the steps of `VERIFY.txt`: `ssh-keygen -Y verify`, `sha256sum -c`, and nothing added (`find`). – says that
a step has nothing against it; a run is good when all three have not.
";

const COLUMNS: &str = "\
| done to the run | verify | 1 | 2 | 3 |
|---|---|---|---|---|
";

const FOOT: &str = "
## Which bytes no signature covers

- The ends of lines of `SHA256SUMS.sig`: LF and CR LF are the same armour to gonogo, as a sign command of another
  system writes it; ssh-keygen takes LF alone. Any other change of a byte in it is refused.
- `report.intoto.jsonl` is not in `SHA256SUMS`: it is signed for itself, spelt in one way, and `gonogo verify` holds it
  to the same key, the same `SHA256SUMS` and the same verdict. The three steps do not look at it.
- Files `SHA256SUMS.*` beside the manifest are approvals and time stamps: each counts by its own signature or not at
  all. Whoever reads a run reads none of them as part of it.
- Names of empty directories, times, owners and modes.

## What nobody can tell

That the newest run was taken away: keep its digest elsewhere (`gonogo history` prints it). And that the holder of the
right key recorded what he did not see, such as another digest of an artifact that was fetched: a signature says who
vouches, not that he is honest. What he records must still hold together, as the second table shows.
";

/// A device would answer for ever, a file that may not be read not at all.
#[test]
fn what_is_there_and_cannot_be_read_is_told() {
    let room = Room::new();
    if !is_root() {
        let dir = room.copy(&room.go);
        run("chmod", &["000", "summary.md"], &dir);
        let (code, told) = room.verify(&dir, &[]);
        assert_eq!(code, 4, "{told}");
        assert!(told.contains("`summary.md` cannot be read"), "{told}");
        return;
    }
    let dir = room.copy(&room.go);
    run("mknod", &["zero", "c", "1", "5"], &dir);
    let (code, words) = room.verify(&dir, &[]);
    assert_eq!(code, 4, "{words}");
    assert!(words.contains("`zero` is not a regular file"), "{words}");
    assert_eq!(room.stock(&dir, ""), ADDED);

    // Root reads everything: as somebody else.
    for (deed, words) in [
        (
            "chmod 000 summary.md",
            "`summary.md` cannot be read: Permission denied",
        ),
        (
            "chmod 000 evidence",
            "`evidence/` cannot be read: Permission denied",
        ),
        (
            "chmod 000 SHA256SUMS.sig",
            "SHA256SUMS.sig` cannot be read: Permission denied",
        ),
    ] {
        let place = assert_fs::TempDir::new().unwrap();
        run("chmod", &["755", "."], place.path());
        let copied = place.path().join("run");
        copy(&room.go, &copied);
        run("chmod", &["-R", "a+rX", "."], &copied);
        fs::copy(room.at("allowed_signers"), place.path().join("allowed")).unwrap();
        run("chmod", &["644", "../allowed"], &copied);
        // Not by this process: one that is forked meanwhile would hold it open for writing.
        run("cp", &[crate::lab::GONOGO, "gonogo"], place.path());
        run("chmod", &["755", "../gonogo"], &copied);
        let verify = || {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
            command.args(["./gonogo", "verify", "run", "--allowed-signers", "allowed"]);
            command.current_dir(place.path()).output().unwrap()
        };
        assert_eq!(verify().status.code(), Some(0), "{:?}", verify());
        run("sh", &["-c", deed], &copied);
        let refused = verify();
        assert_eq!(refused.status.code(), Some(4), "{deed}: {refused:?}");
        assert!(told(&refused).contains(words), "{deed}: {refused:?}");
    }
}
