//! The remedy of one denied element, the least first. Words only: decides from modes, runs nothing.

use super::command_line;
use crate::text;
use crate::transport::{Element, Trail};

/// Groups that are worth more than a file: nobody should be told to join them.
const MIGHTY: [&str; 10] = [
    "root", "0", "wheel", "sudo", "admin", "docker", "lxd", "disk", "shadow", "kmem",
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Read,
    Execute,
}

/// Which permission of which element is wanted.
pub(super) struct Wanted<'t> {
    pub(super) element: &'t Element,
    /// `r`, `x` or `rx`.
    pub(super) letters: &'static str,
}

impl Wanted<'_> {
    /// The wanted bits, three times as in a mode.
    fn bits(&self) -> u32 {
        let bit = |letter: char| match letter {
            'r' => 0o444,
            _ => 0o111,
        };
        self.letters.chars().map(bit).sum()
    }
}

#[derive(PartialEq, Eq)]
pub(super) enum Class {
    /// The mode gives it.
    Has,
    /// The mode does not.
    Lacks,
    /// Whether the account is in the group is not known, and matters.
    Unknown,
}

/// What the mode alone says to the account.
pub(super) fn class(wanted: &Wanted<'_>, trail: &Trail) -> Class {
    let (element, bits) = (wanted.element, wanted.bits());
    let gives = |class: u32| element.mode & bits & class == bits & class;
    let of = |gives: bool| match gives {
        true => Class::Has,
        false => Class::Lacks,
    };
    let account = &trail.account;
    if account.user.as_deref() == Some("root") || account.user.as_deref() == Some("0") {
        return Class::Has;
    }
    if account.user.as_ref() == Some(&element.owner) {
        return of(gives(0o700));
    }
    match &account.groups {
        Some(groups) if groups.contains(&element.group) => of(gives(0o070)),
        Some(_) => of(gives(0o007)),
        None if gives(0o070) == gives(0o007) => of(gives(0o007)),
        None => Class::Unknown,
    }
}

pub(super) fn hint(
    wanted: &Wanted<'_>,
    trail: &Trail,
    user: &str,
    need: Need,
    is_elevated: bool,
) -> String {
    let Wanted { element, letters } = wanted;
    let path = command_line(std::slice::from_ref(&element.path));
    let whom = command_line(&[user.to_owned()]);
    let acl = format!("`setfacl -m u:{whom}:{letters} {path}`");
    if element.mark == Some('+') {
        return format!(
            "it has an ACL, which decides before the mode: `getfacl {path}` shows it; on the host, {acl} gives this account what it needs"
        );
    }
    let lacks = class(wanted, trail);
    if lacks == Class::Has {
        return elsewhere(&path, user, element, need, is_elevated);
    }
    let account = &trail.account;
    let is_owner = account.user.as_ref() == Some(&element.owner);
    let group = text::clip(&element.group, 60).into_owned();
    let in_group = account
        .groups
        .as_ref()
        .map(|all| all.contains(&element.group));
    let group_has = element.mode & wanted.bits() & 0o070 == wanted.bits() & 0o070;
    let mut remedies = Vec::new();
    if is_owner {
        remedies.push(format!("`chmod u+{letters} {path}`"));
    } else {
        remedies.push(acl);
        if in_group == Some(true) {
            remedies.push(format!("`chmod g+{letters} {path}`"));
        } else if group_has && !MIGHTY.contains(&group.as_str()) {
            remedies.push(format!("`usermod -aG {} {whom}`", command_line(&[group])));
        }
        match in_group {
            Some(true) => {}
            None if !group_has => remedies.push(format!("`chmod go+{letters} {path}`")),
            _ => remedies.push(format!("`chmod o+{letters} {path}`")),
        }
    }
    let mut hint = match remedies.as_slice() {
        [one] => format!("on the host: {one}"),
        several => format!(
            "on the host, one of these, the least first: {}",
            several.join(", ")
        ),
    };
    if element.kind == '-' && need == Need::Read {
        hint.push_str("; a file that is rotated or written anew loses it: see the `umask`, logrotate's `create`, or `setfacl -d` on its directory");
    }
    hint
}

/// The modes let everyone in, and somebody else does not.
fn elsewhere(path: &str, user: &str, element: &Element, need: Need, is_elevated: bool) -> String {
    let mut looks = vec![format!("an ACL (`getfacl {path}`)")];
    if need == Need::Execute && element.kind == '-' {
        looks.push(format!("a mount with `noexec` (`findmnt -T {path}`)"));
        looks.push("the interpreter in the script's first line".to_owned());
        if is_elevated {
            looks.push("`NOEXEC` in sudoers".to_owned());
        }
    } else {
        looks.push(format!(
            "a network file system with root squash or numbers of its own (`findmnt -T {path}`)"
        ));
    }
    looks.push("SELinux (`ausearch -m avc -ts recent`)".to_owned());
    looks.push("AppArmor (`dmesg | grep DENIED`)".to_owned());
    format!(
        "the mode lets {user} in, so it is another: {}",
        looks.join(", ")
    )
}
