//! What a refusal for want of permission says: on which element of the path, its mode, owner and group,
//! who the account is, and what would remedy it, the least first; and whether a program that was not
//! found is there after all. Looks after a refusal only, at what the plan names; the failure keeps its
//! kind.

use std::time::Duration;

use super::remedy::{Class, Need, Wanted, class, hint};
use super::{World, command_line};
use crate::evidence::refusal;
use crate::failure::{Failure, FailureKind};
use crate::inventory::{Elevate, Login};
use crate::text;
use crate::transport::{Element, Limits, Trail};

/// Most time for looking: an explanation is worth no more of the check's deadline.
const PATIENCE: Duration = Duration::from_secs(10);
const NOEXEC: &str = "look for `NOEXEC` or `Defaults noexec` in sudoers, by which a program may start no other (`sudo -n -l`)";

/// Adds to a `denied` failure what can be seen of the reason.
pub(super) async fn explain(failure: Failure, world: &World) -> Failure {
    let (Ok(login), Ok(limits)) = (world.login(), world.limits()) else {
        return failure;
    };
    let failure = perhaps_noexec(failure, login);
    let not_found = sought(&failure);
    let Some((path, need)) = asked(&failure).or_else(|| Some((not_found.clone()?, Need::Execute)))
    else {
        return failure;
    };
    let Ok(session) = world.session().await else {
        return failure;
    };
    let limits = Limits {
        time: limits.time.min(PATIENCE),
        ..limits
    };
    match session.trail(&path, limits).await {
        Some(trail) if not_found.is_some() => there(failure, &trail),
        Some(trail) => told(failure, &trail, login, &path, need),
        None => failure,
    }
}

/// The absolute path of a program of which the shell said only that it is not found: dash says the same
/// of one whose interpreter is missing.
fn sought(failure: &Failure) -> Option<String> {
    let is_bare = failure.kind == FailureKind::Missing
        && is_of_command(failure)
        && failure.expected == refusal::A_PROGRAM;
    is_bare
        .then(|| program(failure.subject.as_deref()?))
        .flatten()
}

/// Tells a program that is there, and could not be run all the same, from one that is not.
fn there(failure: Failure, trail: &Trail) -> Failure {
    let Some(last) = trail.elements.last().filter(|_| trail.whole) else {
        return failure;
    };
    match (last.kind, &last.target) {
        ('-', _) => {
            let mut failure = add(failure, &described(last), refusal::NO_INTERPRETER);
            failure.expected = "the interpreter or loader that the program names".to_owned();
            failure
        }
        ('l', target) => {
            let target = target.as_deref().unwrap_or("another place");
            let target = text::clip(target, 200);
            let actual = format!("{} is a symbolic link to {target}", last.path);
            let hint = format!(
                "the link leads nowhere, or what it leads to has no interpreter here; {}",
                failure.hint
            );
            add(failure, &actual, &hint)
        }
        _ => failure,
    }
}

/// A program that sudo lets run and start no other ends in ways of its own.
fn perhaps_noexec(mut failure: Failure, login: &Login) -> Failure {
    let is_other = failure.kind == FailureKind::Mismatch && is_of_command(&failure);
    if is_other && login.elevate != Elevate::None && failure.actual.contains("Permission denied") {
        failure.hint = format!("{NOEXEC}, or {}", failure.hint);
    }
    failure
}

/// Which path was denied, and whether it was to be executed.
fn asked(failure: &Failure) -> Option<(String, Need)> {
    if failure.kind != FailureKind::Denied {
        return None;
    }
    let subject = failure.subject.as_deref()?;
    if !is_of_command(failure) {
        return Some((subject.to_owned(), Need::Read));
    }
    program(subject).map(|program| (program, Need::Execute))
}

/// The program of a command as `command_line` writes it, when that is an absolute path.
fn program(line: &str) -> Option<String> {
    let program = match line.strip_prefix('\'') {
        Some(quoted) => quoted.split('\'').next()?,
        None => line.split(' ').next()?,
    };
    program.starts_with('/').then(|| program.to_owned())
}

// As `command::status_failure` words it, and sudo.
fn is_of_command(failure: &Failure) -> bool {
    ["exit status", "sudo: unable to execute"]
        .iter()
        .any(|words| failure.actual.contains(words))
}

fn told(failure: Failure, trail: &Trail, login: &Login, path: &str, need: Need) -> Failure {
    let user = match &login.elevate {
        Elevate::None => login.user.as_str(),
        Elevate::Root => "root",
        Elevate::User(user) => user,
    };
    let Some(last) = trail.elements.last() else {
        return failure;
    };
    let enter = |element| Wanted {
        element,
        letters: "x",
    };
    let is_elevated = login.elevate != Elevate::None;
    // Where the login account may go says nothing about the one that it becomes.
    let above = trail.elements.len() - usize::from(trail.whole);
    let shut = is_elevated
        .then(|| {
            let directories = trail.elements[..above].iter();
            let mut directories = directories.filter(|element| element.kind == 'd').map(enter);
            directories.find(|wanted| class(wanted, trail) == Class::Lacks)
        })
        .flatten();
    let wanted = match (shut, trail.whole, last.kind) {
        (Some(shut), ..) => shut,
        (None, false, _) if is_elevated => return unseen(failure, last, login, user, path),
        (None, _, 'l') => return behind_link(failure, last, user, path),
        (None, false, _) => enter(last),
        (None, true, 'd') => Wanted {
            element: last,
            letters: "rx",
        },
        // A script is read, too, by its interpreter.
        (None, true, _) if need == Need::Execute => Wanted {
            element: last,
            letters: "rx",
        },
        (None, true, _) => Wanted {
            element: last,
            letters: "r",
        },
    };
    let has = match (&trail.account.groups, &login.elevate) {
        (Some(groups), _) => format!("{user} has groups {}", text::clip(&groups.join(", "), 200)),
        (None, _) => format!("the groups of {user} could not be learnt"),
    };
    let actual = format!("{}, and {has}", described(wanted.element));
    add(
        failure,
        &actual,
        &hint(&wanted, trail, user, need, is_elevated),
    )
}

/// `/opt/amps/logs is drwxr-x--- amps:amps (0750)`
fn described(element: &Element) -> String {
    let Element {
        path,
        kind,
        mode,
        owner,
        group,
        mark,
        ..
    } = element;
    let letters: String = (0..9)
        .map(|at| match mode & (0o400 >> at) {
            0 => '-',
            _ => ['r', 'w', 'x'][at % 3],
        })
        .collect();
    let mark = mark.map_or(String::new(), |mark| mark.to_string());
    let (owner, group) = (text::clip(owner, 60), text::clip(group, 60));
    format!("{path} is {kind}{letters}{mark} {owner}:{group} ({mode:04o})")
}

fn add(mut failure: Failure, actual: &str, hint: &str) -> Failure {
    failure.actual = format!("{}; {actual}", failure.actual);
    hint.clone_into(&mut failure.hint);
    failure
}

fn behind_link(failure: Failure, link: &Element, user: &str, path: &str) -> Failure {
    let target = link.target.as_deref().unwrap_or("another place");
    let actual = format!(
        "{} is a symbolic link to {}, and what it leads to is denied",
        link.path,
        text::clip(target, 200)
    );
    let path = command_line(&[path.to_owned()]);
    let hint = format!(
        "as root on the host, `namei -l {path}` shows mode, owner and group of each element behind the link: {user} needs `x` on every directory and `r` on the file"
    );
    add(failure, &actual, &hint)
}

fn unseen(failure: Failure, last: &Element, login: &Login, user: &str, path: &str) -> Failure {
    let actual = format!(
        "{} lets {user} in, and {} cannot see without sudo what lies below",
        described(last),
        login.user
    );
    let path = command_line(&[path.to_owned()]);
    let hint = format!(
        "as root on the host, `namei -l {path}` shows mode, owner and group of each element, and `id {user}` the groups: {user} needs `x` on every directory and `r` on the file"
    );
    add(failure, &actual, &hint)
}

#[cfg(test)]
#[path = "denied_tests.rs"]
mod tests;
