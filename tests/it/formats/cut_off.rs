//! An answer that found no room: whatever the disk or a limit leaves of it, no reader finds a GO in it, and
//! what others have written stays.

use super::*;
use crate::lab::needs_root;

/// `script` with the command as its arguments, and `file` as `$FILE`.
fn shell(script: &str, file: &Path, command: &Command) -> Output {
    let mut shell = Command::new("timeout");
    shell.args(["-k", "1", "60", "sh", "-c", script, "sh"]);
    shell.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    shell.env("FILE", file).output().unwrap()
}

#[test]
fn a_limit_leaves_the_whole_answer_or_none() {
    let place = assert_fs::TempDir::new().unwrap();
    let file = place.path().join("answer");
    // How many bytes are missing: of the verdict's line, of its word, of all.
    for (format, missing) in [("env", &[1, 2, 300][..]), ("json", &[2]), ("text", &[1])] {
        let args = ["--environment", "practice", "--format", format];
        let whole = verify("go", place.path(), &args).stdout;
        for room in missing.iter().map(|missing| whole.len() - missing) {
            let script = format!("exec prlimit --fsize={room} \"$@\" > \"$FILE\"");
            let output = shell(&script, &file, &command("go", place.path(), &args));
            assert_eq!(output.status.code(), Some(3), "{format} {room}: {output:?}");
            assert_eq!(fs::read(&file).unwrap(), b"", "{format} {room}");
        }
        let script = format!("exec prlimit --fsize={} \"$@\" > \"$FILE\"", whole.len());
        let output = shell(&script, &file, &command("go", place.path(), &args));
        assert_eq!(output.status.code(), Some(0), "{format}: {output:?}");
        assert_eq!(fs::read(&file).unwrap(), whole, "{format}");
    }
}

/// A tmpfs gives room by the page: the first bytes of an answer still fit behind what lies there.
#[test]
fn a_disk_that_fills_up_leaves_what_was_there() {
    if needs_root("a_disk_that_fills_up_leaves_what_was_there") {
        return;
    }
    let place = assert_fs::TempDir::new().unwrap();
    let disk = place.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let before = "x".repeat(4_000) + "\n";
    for (room, code) in [("4k", 3), ("64k", 0)] {
        for format in ["env", "github", "junit"] {
            let args = ["--environment", "practice", "--format", format];
            let script = format!(
                "mount -t tmpfs -o size={room} disk '{0}' || exit 99
                 cd '{0}' || exit 99
                 printf '%04000d\\n' 0 | tr 0 x > output
                 case {format} in
                     github) GITHUB_OUTPUT=output GITHUB_STEP_SUMMARY= \"$@\" > /dev/null ;;
                     *) {{ \"$@\"; code=$?; printf 'more\\n'; (exit $code); }} >> output ;;
                 esac
                 code=$?
                 cat output > \"$FILE\"
                 exit $code",
                disk.display()
            );
            let file = place.path().join("left");
            let mut own = Command::new("unshare");
            own.args(["--mount", "--propagation", "private", "sh", "-c"]);
            own.args([&script, "sh"]);
            let gonogo = command("go", place.path(), &args);
            own.arg(gonogo.get_program()).args(gonogo.get_args());
            let output = shell("exec \"$@\"", &file, &own);
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(code), "{format}: {told}");
            let left = fs::read_to_string(&file).unwrap();
            let added = left.strip_prefix(&before).unwrap();
            match code {
                // What is told after it still finds the end of the file where it was.
                3 => assert!(["", "more\n"].contains(&added), "{format}: {added}"),
                _ => assert!(added.contains("GO"), "{format}: {added}"),
            }
        }
    }
}

/// Before `main` begins a closed stdout is opened anew, on /dev/null: the two cannot be told apart.
#[test]
fn what_a_program_was_to_read_is_not_thrown_away() {
    let place = assert_fs::TempDir::new().unwrap();
    let file = place.path().join("none");
    let cases = FORMATS.map(|format| (format, ">&-", "go", 0));
    let more = [
        ("text", ">/dev/null", "go", 0),
        ("env", ">/dev/null", "go", 0),
        ("env", ">&-", "no-go", 1),
    ];
    for (format, to, run, code) in cases.into_iter().chain(more) {
        let args = ["--environment", "practice", "--format", format];
        let script = format!("\"$@\" {to}");
        let output = shell(&script, &file, &command(run, place.path(), &args));
        // An exit code alone is an answer to a person, and Actions reads its own files.
        let is_read = matches!(format, "text" | "github");
        let code = if code == 0 && !is_read { 3 } else { code };
        assert_eq!(
            output.status.code(),
            Some(code),
            "{format} {to}: {output:?}"
        );
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            told.contains("it is closed, or /dev/null"),
            !is_read,
            "{told}"
        );
    }
}
