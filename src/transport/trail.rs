//! What can be seen of a denied path: mode, owner and group of each element from `/` down, and who the
//! account is. By `id` and `ls -ld` as the login account itself, never by sudo, or by SFTP. Explains
//! nothing, and never fails: what cannot be seen is left out.

use regex::Regex;

use super::actor::Deadline;
use super::wire::{Wire, elevated};
use super::{Command, Limits, exec};
use crate::inventory::{Elevate, Transport};

/// `id`, and a line for each element.
const MOST_ANSWER: u64 = 256 << 10;
/// More elements than any path needs.
const MOST_ELEMENTS: usize = 64;

/// The elements of one path that could be seen, from `/` down, without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trail {
    /// As far as it could be seen.
    pub elements: Vec<Element>,
    /// True when that is the whole path.
    pub whole: bool,
    /// Who was denied.
    pub account: Account,
}

/// One element of a path, a link itself and not what it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Its path from `/` on.
    pub path: String,
    /// As `ls -l` writes it: `-`, `d`, `l` …
    pub kind: char,
    /// The twelve bits of its mode.
    pub mode: u32,
    /// Name or, by SFTP, number of its owner.
    pub owner: String,
    /// Name or, by SFTP, number of its group.
    pub group: String,
    /// What stands behind the mode: `+` for an ACL, `.` for a label of SELinux.
    pub mark: Option<char>,
    /// What a link leads to, when that is known.
    pub target: Option<String>,
}

/// Who was denied, as far as the host tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// As the owner of a file would be written; `None` when unknown.
    pub user: Option<String>,
    /// As the group of a file would be written; `None` when unknown.
    pub groups: Option<Vec<String>>,
}

/// The commands that look at `path` after it was denied. They are run without sudo: no rule of sudoers
/// should be needed to learn which one is missing.
#[must_use]
pub fn trail_commands(elevate: &Elevate, path: &str) -> [Command; 2] {
    let id: &[&str] = match elevate {
        Elevate::None => &["id"],
        Elevate::Root => &["id", "root"],
        Elevate::User(user) => &["id", user],
    };
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let mut ls: Vec<String> = words(&["ls", "-ld", "--"]);
    ls.append(&mut elements(path));
    [Command(words(id)), Command(ls)]
}

/// `/`, `/a`, `/a/b`
fn elements(path: &str) -> Vec<String> {
    // A large plan names them for each of its paths.
    let mut elements = Vec::with_capacity(8);
    elements.push("/".to_owned());
    let mut whole = String::with_capacity(path.len() + 1);
    for name in path
        .split('/')
        .filter(|name| !name.is_empty() && *name != ".")
    {
        whole.push('/');
        whole.push_str(name);
        elements.push(whole.clone());
    }
    elements.truncate(MOST_ELEMENTS);
    elements
}

/// Looks; `None` when nothing can be seen at all.
pub(super) fn look<W: Wire>(far: &mut W, path: &str, deadline: &Deadline) -> Option<Trail> {
    let login = far.login();
    let (transport, elevate) = (login.transport, login.elevate.clone());
    let by_commands = match transport {
        Transport::Sftp => None,
        Transport::Auto | Transport::Exec => by_commands(far, &elevate, path, deadline),
    };
    let may_sftp = transport != Transport::Exec && elevate == Elevate::None;
    match by_commands {
        None if may_sftp => by_sftp(far, path, deadline),
        trail => trail,
    }
}

fn by_commands<W: Wire>(
    far: &mut W,
    elevate: &Elevate,
    path: &str,
    deadline: &Deadline,
) -> Option<Trail> {
    let [id, ls] = trail_commands(elevate, path);
    let mut ask = |command: &Command| {
        let limits = Limits {
            time: deadline.left()?,
            bytes: MOST_ANSWER,
        };
        let output = elevated(far, false, |far| exec::run(far, command, limits, deadline));
        Some(String::from_utf8_lossy(&output.ok()?.stdout).into_owned())
    };
    let account = account(&ask(&id)?);
    let listed = ask(&ls)?;
    let wanted = elements(path);
    found(&wanted, listed_elements(&wanted, &listed), account)
}

fn by_sftp<W: Wire>(far: &mut W, path: &str, deadline: &Deadline) -> Option<Trail> {
    far.open_sftp(&[], deadline).ok()?.ok()?;
    let wanted = elements(path);
    let (elements, owner) = far.elements(&wanted, deadline)?;
    let account = Account {
        // Whose home it is; the home of a shut-in account is root's, and says nothing.
        user: owner.filter(|owner| owner != "0"),
        groups: None,
    };
    found(&wanted, elements, account)
}

fn found(wanted: &[String], elements: Vec<Element>, account: Account) -> Option<Trail> {
    match elements.is_empty() {
        true => None,
        false => Some(Trail {
            whole: elements.len() == wanted.len(),
            elements,
            account,
        }),
    }
}

/// `uid=1001(ops) gid=1001(ops) groups=1001(ops),27(amps)`, and perhaps a context behind it.
fn account(line: &str) -> Account {
    let Ok(one) = Regex::new(r"(\d+)(?:\(([^)]*)\))?") else {
        return Account::default();
    };
    let names = |from: &str, to: &str| -> Option<Vec<String>> {
        let rest = &line[line.find(from)? + from.len()..];
        let part = &rest[..rest.find(to).unwrap_or(rest.len())];
        let names = one.captures_iter(part).map(|found| {
            let name = found.get(2).or_else(|| found.get(1));
            name.map_or(String::new(), |name| name.as_str().to_owned())
        });
        Some(names.collect())
    };
    Account {
        user: names("uid=", " gid=").and_then(|names| names.into_iter().next()),
        groups: names(" groups=", " context=").or_else(|| names(" gid=", " ")),
    }
}

/// `ls` sorts what it lists, and the elements of a path are sorted: line by line, until one is missing.
fn listed_elements(wanted: &[String], listed: &str) -> Vec<Element> {
    let mut lines = listed.lines();
    let each = wanted.iter().map_while(|path| {
        let line = lines.next()?;
        listed_element(path, line)
    });
    each.collect()
}

/// `drwxr-x---+ 2 amps amps 4096 Nov 21 14:52 /opt/amps`
fn listed_element(path: &str, line: &str) -> Option<Element> {
    let (line, target) = match line.split_once(" -> ") {
        Some((line, target)) if line.starts_with('l') => (line, Some(target.to_owned())),
        _ => (line, None),
    };
    let described = line.strip_suffix(path)?.strip_suffix(' ')?;
    let words: Vec<&str> = described.split_whitespace().collect();
    let (kind, mode, mark) = mode(words.first()?)?;
    let month = |word: &&str| word.len() == 3 && word.bytes().all(|b| b.is_ascii_alphabetic());
    let date = words.iter().rposition(month)?;
    // Before the date stands the size, or a device's two numbers; a group's name may hold blanks.
    let (_, mut names) = words.get(2..date)?.split_last()?;
    if let Some((last, rest)) = names.split_last()
        && last.ends_with(',')
    {
        names = rest;
    }
    let (owner, group) = names.split_first().filter(|(_, group)| !group.is_empty())?;
    Some(Element {
        path: path.to_owned(),
        kind,
        mode,
        owner: (*owner).to_owned(),
        group: group.join(" "),
        mark,
        target,
    })
}

/// `drwxr-x---+`
fn mode(word: &str) -> Option<(char, u32, Option<char>)> {
    let chars: Vec<char> = word.chars().collect();
    let (kind, bits) = (chars.first()?, chars.get(1..10)?);
    let (mut mode, mut special) = (0, 0);
    for (at, bit) in bits.iter().enumerate() {
        let is_special = match (at % 3, bit) {
            (_, '-') | (0, 'r') | (1, 'w') | (2, 'x') => false,
            (2, 's' | 'S' | 't' | 'T') => true,
            _ => return None,
        };
        mode = mode << 1 | u32::from(!matches!(bit, '-' | 'S' | 'T'));
        if at % 3 == 2 {
            special = special << 1 | u32::from(is_special);
        }
    }
    Some((*kind, special << 9 | mode, chars.get(10).copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_name_every_element_and_never_sudo() {
        let [id, ls] = trail_commands(&Elevate::None, "/opt//a b/x");
        assert_eq!(id.0, ["id"]);
        assert_eq!(
            ls.0,
            ["ls", "-ld", "--", "/", "/opt", "/opt/a b", "/opt/a b/x"]
        );
        let [id, _] = trail_commands(&Elevate::User("amps".into()), "/");
        assert_eq!(id.0, ["id", "amps"]);
        assert_eq!(trail_commands(&Elevate::Root, "/")[0].0, ["id", "root"]);
    }

    #[test]
    fn reads_who_the_account_is() {
        let who = |line| {
            let account = account(line);
            (account.user.unwrap(), account.groups.unwrap().join("|"))
        };
        let plain = "uid=1(ops) gid=2(ops) groups=2(ops),27(amps)\n";
        assert_eq!(who(plain), ("ops".into(), "ops|amps".into()));
        let directory =
            "uid=9(AD\\x) gid=8(domain users) groups=8(domain users),7 context=u:r:t:s0";
        assert_eq!(who(directory), ("AD\\x".into(), "domain users|7".into()));
        assert_eq!(who("uid=5 gid=6(g)"), ("5".into(), "g".into()));
        assert_eq!(account("id: nobody: no such user\n"), Account::default());
    }

    #[test]
    fn reads_what_ls_prints() {
        let wanted = elements("/o/a b/l/x");
        let listed = "drwxr-xr-x  18 root root    4096 Nov 21 14:52 /\n\
             drwxr-x---+ 2 amps domain users 4096 Nov 21  2025 /o\n\
             drwx--s--t. 2 501 502 4096 Nov 21 14:52 /o/a b\n\
             lrwxrwxrwx 1 amps amps 7 Nov 21 14:52 /o/a b/l -> /srv/l\n";
        let found = listed_elements(&wanted, listed);
        assert_eq!(found.len(), 4, "{found:#?}");
        let told = |at: usize| {
            let Element {
                kind,
                mode,
                owner,
                group,
                mark,
                ..
            } = &found[at];
            format!("{kind}{mode:o} {owner}:{group} {mark:?}")
        };
        assert_eq!(told(0), "d755 root:root None");
        assert_eq!(told(1), "d750 amps:domain users Some('+')");
        assert_eq!(told(2), "d3711 501:502 Some('.')");
        assert_eq!(found[3].target.as_deref(), Some("/srv/l"));
        let device = listed_element("/dev/x", "crw-rw---- 1 root disk 8, 0 Nov 21 14:52 /dev/x");
        assert_eq!(device.unwrap().group, "disk");
        // A gap ends the trail, and so does what is no line of ls.
        let gap = listed.lines().skip(1).collect::<Vec<_>>().join("\n");
        assert!(listed_elements(&wanted, &gap).is_empty());
        for bad in [
            "",
            "/",
            "x /",
            "drwxr-xr-x 1 root 4096 Nov 21 14:52 /",
            "dzz 1 a b 4 Nov 1 1 /",
        ] {
            assert_eq!(listed_element("/", bad), None, "{bad}");
        }
    }
}
