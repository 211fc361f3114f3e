//! Every reason for a denial as a trail shows it, and the words it is told in.

use super::*;
use crate::inventory::{Client, Gather, Transport};
use crate::transport::Account;

fn login(elevate: Elevate) -> Login {
    Login {
        host: "ny4-1".into(),
        team: "operations".into(),
        address: "192.0.2.1".into(),
        port: 22,
        user: "ops".into(),
        auth: Vec::new(),
        known_hosts: Vec::new(),
        host_key: None,
        connect_timeout: PATIENCE,
        deadline: PATIENCE,
        max_bytes: 1,
        elevate,
        transport: Transport::Auto,
        gather: Gather::Each,
        client: Client::Ssh2,
        chroot: None,
        ssh_config: None,
        clock_tolerance: PATIENCE,
        via: Vec::new(),
    }
}

/// `d0750 amps:amps /opt`, a mark behind the mode.
fn element(line: &str) -> Element {
    let words: Vec<&str> = line.split(' ').collect();
    let (owner, group) = words[1].split_once(':').unwrap();
    let (octal, mark) = match words[0].strip_suffix('+') {
        Some(octal) => (octal, Some('+')),
        None => (words[0], None),
    };
    Element {
        path: words[2].into(),
        kind: octal.chars().next().unwrap(),
        mode: u32::from_str_radix(&octal[1..], 8).unwrap(),
        owner: owner.into(),
        group: group.into(),
        mark,
        target: words.get(3).map(|target| (*target).to_owned()),
    }
}

fn say(last: &str, whole: bool, groups: Option<&str>, need: Need) -> Failure {
    said(last, whole, groups, need, &login(Elevate::None), "ops")
}

fn said(
    last: &str,
    whole: bool,
    groups: Option<&str>,
    need: Need,
    login: &Login,
    user: &str,
) -> Failure {
    let trail = Trail {
        elements: vec![element("d0755 root:root /"), element(last)],
        whole,
        account: Account {
            user: Some(user.into()),
            groups: groups.map(|all| all.split(',').map(str::to_owned).collect()),
        },
    };
    let failure = Failure::new(FailureKind::Denied, "a path", "permission denied");
    let told = told(failure, &trail, login, "/opt/x", need);
    assert_eq!(told.kind, FailureKind::Denied);
    told
}

#[test]
fn the_least_remedy_comes_first_and_fits_the_reason() {
    for (last, whole, groups, need, remedies) in [
        (
            "d0750 amps:amps /opt",
            false,
            "ops",
            Need::Read,
            "setfacl -m u:ops:x /opt|usermod -aG amps ops|chmod o+x /opt",
        ),
        (
            "d0750 amps:amps /opt",
            true,
            "ops",
            Need::Read,
            "setfacl -m u:ops:rx /opt|usermod -aG amps ops|chmod o+rx /opt",
        ),
        (
            "-0640 amps:amps /x",
            true,
            "ops",
            Need::Read,
            "setfacl -m u:ops:r /x|usermod -aG amps ops|chmod o+r /x",
        ),
        (
            "-0600 amps:amps /x",
            true,
            "ops,amps",
            Need::Read,
            "setfacl -m u:ops:r /x|chmod g+r /x",
        ),
        (
            "-0600 amps:amps /x",
            true,
            "ops",
            Need::Read,
            "setfacl -m u:ops:r /x|chmod o+r /x",
        ),
        ("-0000 ops:ops /x", true, "ops", Need::Read, "chmod u+r /x"),
        (
            "-0644 amps:amps /x",
            true,
            "ops",
            Need::Execute,
            "setfacl -m u:ops:rx /x|chmod o+rx /x",
        ),
        // Nobody is told to join such a group.
        (
            "-0640 root:root /x",
            true,
            "ops",
            Need::Read,
            "setfacl -m u:ops:r /x|chmod o+r /x",
        ),
    ] {
        let failure = say(last, whole, Some(groups), need);
        let mut rest = failure.hint.as_str();
        for remedy in remedies.split('|') {
            let at = rest.find(&format!("`{remedy}`"));
            let at = at.unwrap_or_else(|| panic!("{last}: {remedy}: {}", failure.hint));
            rest = &rest[at + 1..];
        }
        let known = ["setfacl -m", "usermod", "chmod"];
        let count: usize = known
            .iter()
            .map(|one| failure.hint.matches(one).count())
            .sum();
        assert_eq!(
            count,
            remedies.split('|').count(),
            "{last}: {}",
            failure.hint
        );
        assert!(!failure.hint.contains('\n'));
    }
}

#[test]
fn it_says_what_was_seen() {
    let failure = say(
        "d0750 amps:amps /opt",
        false,
        Some("ops,support"),
        Need::Read,
    );
    assert_eq!(
        failure.actual,
        "permission denied; /opt is drwxr-x--- amps:amps (0750), and ops has groups ops, support"
    );
    let by_numbers = say("d0750 61003:61003 /opt", false, None, Need::Read);
    assert!(
        by_numbers.actual.contains("could not be learnt"),
        "{by_numbers}"
    );
    assert!(
        by_numbers.hint.contains("usermod -aG 61003 ops"),
        "{}",
        by_numbers.hint
    );
    let hostile = say("d0750 amps:$(reboot) /opt", false, Some("ops"), Need::Read);
    assert!(
        hostile.hint.contains("usermod -aG '$(reboot)' ops"),
        "{}",
        hostile.hint
    );
}

#[test]
fn what_the_mode_does_not_explain_is_looked_for_elsewhere() {
    let acl = say("d0755+ amps:amps /opt", false, Some("ops"), Need::Read);
    assert!(acl.hint.contains("`getfacl /opt`") && acl.hint.contains("setfacl -m u:ops:x"));
    let mac = say("-0644 amps:amps /x", true, Some("ops"), Need::Read);
    for look in ["getfacl", "ausearch", "dmesg", "findmnt -T /x"] {
        assert!(mac.hint.contains(look), "{}", mac.hint);
    }
    let noexec = say("-0755 amps:amps /x", true, Some("ops"), Need::Execute);
    assert!(noexec.hint.contains("noexec"), "{}", noexec.hint);
    let link = say(
        "l0777 root:root /opt /srv/opt",
        false,
        Some("ops"),
        Need::Read,
    );
    assert!(
        link.actual.contains("/opt is a symbolic link to /srv/opt"),
        "{link}"
    );
    assert!(link.hint.contains("namei -l /opt/x"));
}

#[test]
fn an_elevated_account_is_judged_by_its_own_groups() {
    let sudo = login(Elevate::User("amps".into()));
    let at = |line, groups| said(line, false, Some(groups), Need::Read, &sudo, "amps");
    let lacks = at("d0700 root:root /opt", "amps");
    assert!(lacks.actual.contains("amps has groups amps"), "{lacks}");
    assert!(
        lacks.hint.contains("setfacl -m u:amps:x /opt"),
        "{}",
        lacks.hint
    );
    let unseen = at("d0750 amps:amps /opt", "amps");
    assert!(
        unseen.actual.contains("ops cannot see without sudo"),
        "{unseen}"
    );
    let root = login(Elevate::Root);
    let squashed = said(
        "-0600 amps:amps /x",
        true,
        Some("root"),
        Need::Read,
        &root,
        "root",
    );
    assert!(squashed.hint.contains("root squash"), "{}", squashed.hint);
}

#[test]
fn only_a_denial_is_looked_at() {
    let of = |kind, subject: &str, actual: &str| {
        let failure = Failure::new(kind, "a", actual).with_subject(subject);
        asked(&failure).map(|(path, need)| (path, need == Need::Execute))
    };
    let denied = FailureKind::Denied;
    assert_eq!(of(FailureKind::Missing, "/x", ""), None);
    assert_eq!(of(denied, "/a b", ""), Some(("/a b".into(), false)));
    assert_eq!(
        of(denied, "/a --b", "exit status 126"),
        Some(("/a".into(), true))
    );
    assert_eq!(
        of(denied, "'/a b' c", "exit status 126"),
        Some(("/a b".into(), true))
    );
    assert_eq!(of(denied, "df -h", "exit status 126"), None);
}
