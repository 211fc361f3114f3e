//! Whose the made-up files are: the product's, readable for all but where a fault denies it. What `id`,
//! `ls -ld` and SFTP say about them agrees with whom the estate lets read.

use std::path::Path;

use super::disk::program;
use super::{EstateFault, fleet};

/// Number of the account and the group that everything belongs to.
pub(super) const AMPS: u32 = 1100;

/// The mode bits of one path: a directory or a program, or not. `denied` is what the host denies, and to
/// whom.
pub(super) fn mode(path: &str, enters: bool, denied: Option<&Denied>) -> u32 {
    match (denied.filter(|(_, top)| top == path), enters) {
        (None, true) => 0o755,
        (None, false) => 0o644,
        // Operations are in the product's group, market data are not.
        (Some((Some(_), _)), _) => 0o640,
        (Some((None, _)), true) => 0o700,
        (Some((None, _)), false) => 0o600,
    }
}

/// An account, or all; and the path.
pub(super) type Denied = (Option<&'static str>, String);

/// Writes the `id` and the `ls` of a host, for what is asked after a denial.
pub(super) fn write(root: &Path, denied: Option<&Denied>) -> Result<(), EstateFault> {
    program(&root.join("bin/id"), &id())?;
    program(&root.join("bin/ls"), &ls(root, denied))
}

fn id() -> String {
    let mut script = "case ${1-$USER} in\n".to_owned();
    let account = |name: &str, number: u32, more: &str| {
        format!(
            "{name}) echo 'uid={number}({name}) gid={number}({name}) groups={number}({name}){more}';;\n"
        )
    };
    script += &account("amps", AMPS, "");
    for (number, team) in (AMPS + 1..).zip(&fleet::TEAMS) {
        let more = match team.name {
            "operations" => format!(",{AMPS}(amps)"),
            _ => ",1300(support)".to_owned(),
        };
        script += &account(team.user, number, &more);
    }
    script + "*) exit 1;;\nesac"
}

fn ls(root: &Path, denied: Option<&Denied>) -> String {
    let root = root.display();
    let denied_path = denied.map_or("", |(_, path)| path);
    let said = denied.map_or("", |(_, path)| match mode(path, false, denied) {
        0o640 => "-rw-r-----",
        _ => "-rw-------",
    });
    format!(
        "[ \"$1 $2\" = '-ld --' ] || exec /bin/ls \"$@\"\n\
         shift 2\n\
         for path do\n\
         case $path in\n\
         '{root}{denied_path}'/?*) echo \"ls: cannot access '$path': Permission denied\" >&2; continue;;\n\
         esac\n\
         [ -e \"$path\" ] || {{ echo \"ls: cannot access '$path': No such file or directory\" >&2; continue; }}\n\
         owner='amps amps' mode=-rw-r--r--\n\
         [ ! -x \"$path\" ] || mode=-rwxr-xr-x\n\
         [ ! -d \"$path\" ] || mode=drwxr-xr-x\n\
         case $path in\n\
         /|/opt) owner='root root';;\n\
         '{root}{denied_path}') mode={said}; [ ! -d \"$path\" ] || mode=drwx------;;\n\
         esac\n\
         echo \"$mode 1 $owner 4096 Nov 21 10:00 $path\"\n\
         done"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_shuts_out_whom_the_estate_denies() {
        let one: Denied = (Some("md-support"), "/a/log".into());
        let all: Denied = (None, "/a".into());
        assert_eq!(mode("/a/log", false, Some(&one)), 0o640);
        assert_eq!(mode("/a", true, Some(&all)), 0o700);
        assert_eq!(mode("/b", false, Some(&all)), 0o644);
        assert_eq!(mode("/b", true, None), 0o755);
    }
}
