//! Side by side with `ssh -G -F FILE ALIAS` of the OpenSSH that is installed: for each case both refuse
//! the file, or both say the same.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::*;
use crate::inventory::ssh_config::values;

/// Text of the file, and `[user@]alias[:port]`.
const CASES: &[(&str, &str)] = &[
    ("", "a"),
    ("Port 77", "a"),
    ("Host a\n Port 77\nHost b\n Port 78", "b"),
    ("Host a\n Port 77\nHost *\n Port 78\n User u", "a"),
    ("Port 1\nPort 2\nHost a\nPort 3", "a"),
    ("Host FOO\n Port 77\nHost foo\n User lower", "FOO"),
    ("Host FOO\n Port 77\nHost foo\n User lower", "foo"),
    ("HostName BIG.Example", "a"),
    ("Host a b c\n Port 3", "c"),
    ("Host a,b\n Port 3", "a"),
    ("Host \"a b\" a\n Port 3", "a"),
    ("Host !a *\n Port 3", "a"),
    ("Host * !a\n Port 3", "a"),
    ("Host * !a\n Port 3", "b"),
    ("Host !b\n Port 3", "a"),
    ("Host n?4-*\n Port 3", "ny4-1"),
    ("Host n?4-*\n Port 3", "nyy4-1"),
    ("Host a # b\n Port 3", "b"),
    ("Host a#b\n Port 3", "a#b"),
    ("# x\n\n  \t# y\nPort = 5 # z\n", "a"),
    ("\"Port\" \"5\"\nUser=u\nHostName   =   h", "a"),
    ("pORT 5\nUSER U", "a"),
    ("Port 5\r\nUser u\r\n", "a"),
    ("HostName %h.example", "a"),
    ("HostName %h.%%.example", "a"),
    ("HostName h%%x\nPort 2", "a"),
    ("HostName b\nMatch host b\n Port 3", "a"),
    ("HostName %h.x\nMatch host a.x\n Port 3", "a"),
    ("HostName b\nMatch originalhost a\n Port 3", "a"),
    ("HostName b\nMatch host a\n Port 3", "a"),
    ("Match host A\n Port 3", "a"),
    ("Match host=a #c\n Port 3", "a"),
    ("Match host \"a\" originalhost a\n Port 3", "a"),
    ("Match !host b\n Port 3", "a"),
    ("Match !host a,b\n Port 3", "a"),
    ("Match host *,!a\n Port 3", "a"),
    ("Match user ops\n Port 3", "ops@a"),
    ("Match user OPS\n Port 3", "ops@a"),
    ("User ops\nMatch user ops\n Port 3", "a"),
    ("User ops\nMatch user ops\n Port 3", "me@a"),
    ("Match localuser root\n Port 3", "a"),
    ("Match !localuser root\n Port 3", "a"),
    ("Match user root\n Port 3", "a"),
    ("Host b\nMatch all\n Port 3", "a"),
    ("Match !all\n Port 3", "a"),
    ("Match all host a\n Port 3", "a"),
    ("Match host a all\n Port 3", "a"),
    ("Match host a user b all\n Port 3", "a"),
    ("Match canonical all\n Port 3", "a"),
    ("Match final\n Port 3", "a"),
    ("Match !final\n Port 3", "a"),
    ("Match canonical\n Port 3", "a"),
    (
        "Match final host zz\n Port 4\nMatch host a\n HostName zz",
        "a",
    ),
    ("HostName zz\nHost zz\n Port 9\nMatch final\n User f", "a"),
    ("Match final\n HostName zz", "a"),
    ("Match final all\n Port 3", "a"),
    ("Match\n Port 3", "a"),
    ("Match host\n Port 3", "a"),
    ("Match nobody x\n Port 3", "a"),
    ("Match host a nobody x\n", "a"),
    ("ProxyJump b", "a"),
    ("ProxyJump=b", "a"),
    ("ProxyJump u@b:99,c", "a"),
    ("ProxyJump b # x", "a"),
    ("ProxyJump [::1]:99,u@c", "a"),
    ("ProxyJump ssh://u@b:99", "a"),
    ("ProxyJump none\nProxyJump b", "a"),
    ("ProxyCommand none\nProxyJump b", "a"),
    ("ProxyJump b\nProxyCommand x", "a"),
    ("ProxyJump none", "a"),
    ("ProxyJump", "a"),
    ("ProxyJump b:0", "a"),
    ("ProxyJump b,", "a"),
    ("Host x\n ProxyJump u@:", "a"),
    ("ProxyJump u@x@b", "a"),
    ("IdentityFile a\nIdentityFile b\nIdentityFile a", "a"),
    (
        "Host a\n IdentityFile ~/.ssh/one\nHost *\n IdentityFile ~/.ssh/two\n",
        "a",
    ),
    ("IdentityFile none", "a"),
    ("IdentityFile ~/%r/${HOME}/x", "a"),
    (
        "CertificateFile c\nCertificateFile d\nCertificateFile c",
        "a",
    ),
    ("IdentityFile \"/a b/c\"\nIdentityFile '/d e'", "a"),
    ("UserKnownHostsFile ~/a /b", "a"),
    (
        "UserKnownHostsFile %d/%h/%n/%p/%r/%u/%i/%k/%l/%L/%%",
        "me@a:9",
    ),
    (
        "HostName h\nHostKeyAlias k\nUserKnownHostsFile /%h/%n/%k",
        "a",
    ),
    ("HostKeyAlias NY4.Example\nUserKnownHostsFile /%k", "a"),
    ("UserKnownHostsFile ${HOME}/x", "a"),
    ("UserKnownHostsFile none", "a"),
    ("UserKnownHostsFile none /a", "a"),
    ("UserKnownHostsFile /a\nUserKnownHostsFile /b", "a"),
    ("UserKnownHostsFile \"/a b\" /c\\ d", "a"),
    ("GlobalKnownHostsFile /a /b", "a"),
    (
        "ConnectTimeout 1m30\nAddressFamily inet6\nIdentitiesOnly TRUE",
        "a",
    ),
    (
        "ConnectTimeout none\nAddressFamily INET\nIdentitiesOnly no",
        "a",
    ),
    ("ConnectTimeout x", "a"),
    ("AddressFamily banana", "a"),
    ("IdentitiesOnly maybe", "a"),
    ("StrictHostKeyChecking banana", "a"),
    ("StrictHostKeyChecking accept-new\nPort 2", "a"),
    ("Port 0", "a"),
    ("Port 65536", "a"),
    ("Port 7 8", "a"),
    ("Port", "a"),
    ("Port \"\"", "a"),
    ("User \"a", "a"),
    ("Host \"\"\n Port 3", "a"),
    ("Port 5", "a:9"),
    ("User u\nPort 5", "me@a"),
    ("Bogus x", "a"),
    ("Host b\n Bogus x", "a"),
    ("IgnoreUnknown bo*,q\nBogus x y\nPort 3", "a"),
    ("Host b\nIgnoreUnknown Bo*\nHost *\nBogus x", "a"),
    ("Bogus x\nIgnoreUnknown bogus", "a"),
    ("Include DIR/one\nPort 9", "a"),
    ("Include DIR/*.conf\n", "a"),
    ("Include DIR/none*\nPort 9", "a"),
    ("Host b\n Include DIR/one\nHost a\n Port 9", "a"),
    ("Host a\n Include DIR/scoped\n User after", "a"),
    ("Host b\n Include DIR/scoped\n User after", "a"),
    ("Include DIR/scoped\nUser after", "b"),
    ("Include DIR/one DIR/scoped", "a"),
    ("Include DIR/open", "a"),
    ("Include DIR/circle", "a"),
    ("Match host b\n Include DIR/bad", "a"),
    ("Include \"DIR/with blank\"", "a"),
    (
        "LocalForward 1 h:2\nForwardAgent yes\nSendEnv A B\nServerAliveInterval 5\nPort 8",
        "a",
    ),
    ("RSAAuthentication yes\nProtocol 2\nPort 8", "a"),
];

#[test]
fn every_case_says_what_ssh_says() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str, mode| {
        let path = dir.path().join(name);
        fs::write(&path, text.replace("DIR", dir.path().to_str().unwrap())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    };
    write("one", "Port 71\nHost b\n User b\n", 0o600);
    write("x1.conf", "Host a\n Port 72\n", 0o600);
    write("x2.conf", "Port 73\nUser x2\n", 0o644);
    write(
        "scoped",
        "User inside\nHost a\n Port 74\nHost b\n Port 75\n",
        0o600,
    );
    write("open", "Port 76\n", 0o666);
    write("circle", "Include DIR/circle\n", 0o600);
    write("bad", "Bogus x\n", 0o600);
    write("with blank", "Port 79\n", 0o600);
    let mut wrong = Vec::new();
    for (index, (text, target)) in CASES.iter().enumerate() {
        let text = text.replace("DIR", dir.path().to_str().unwrap());
        let path = dir.path().join(format!("case-{index}"));
        fs::write(&path, &text).unwrap();
        let (user, rest) = target
            .rsplit_once('@')
            .map_or((None, *target), |(u, r)| (Some(u), r));
        let (alias, port) = rest
            .split_once(':')
            .map_or((rest, None), |(a, p)| (a, p.parse().ok()));
        let theirs = ssh(&path, alias, user, port);
        let ours = ours(&path, alias, user, port);
        if theirs != ours {
            wrong.push(format!(
                "{text:?} for {target}\n  ssh:  {theirs:?}\n  ours: {ours:?}"
            ));
        }
    }
    assert!(CASES.len() >= 50);
    assert!(
        wrong.is_empty(),
        "{} of {}\n{}",
        wrong.len(),
        CASES.len(),
        wrong.join("\n")
    );
}

type Says = BTreeMap<String, String>;

const COMPARED: [&str; 13] = [
    "hostname",
    "user",
    "port",
    "identityfile",
    "certificatefile",
    "proxyjump",
    "userknownhostsfile",
    "globalknownhostsfile",
    "identitiesonly",
    "hostkeyalias",
    "addressfamily",
    "connecttimeout",
    "stricthostkeychecking",
];

/// `None` when ssh refuses the file.
fn ssh(path: &Path, alias: &str, user: Option<&str>, port: Option<u16>) -> Option<Says> {
    let mut ssh = Command::new("ssh");
    ssh.arg("-G").arg("-F").arg(path).stdin(Stdio::null());
    user.map(|user| ssh.args(["-l", user]));
    port.map(|port| ssh.args(["-p", &port.to_string()]));
    let output = ssh.arg(alias).output().expect("ssh is installed");
    if !output.status.success() {
        return None;
    }
    let mut says = Says::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let (keyword, value) = line.split_once(' ').unwrap();
        if COMPARED.contains(&keyword) {
            let so_far = says.entry(keyword.to_owned()).or_default();
            so_far.push_str(&format!("{value};"));
        }
    }
    Some(says)
}

fn ours(path: &Path, alias: &str, user: Option<&str>, port: Option<u16>) -> Option<Says> {
    let config = file::load(path, &here()).ok()?;
    let query = query(alias, user, port);
    let said = resolve::resolve(&config, &query, &here());
    // Names that we refuse and ssh does not are no matter of the file.
    let own = |message: &str| {
        message.contains("not acceptable") || message.contains("cannot be followed")
    };
    if said
        .problems
        .iter()
        .any(|(_, problem)| !own(&problem.message))
    {
        return None;
    }
    let asked = weigh::Asked { alias, user };
    let weighed = weigh::weigh(&config, asked, &here());
    let word = |name: &str, default: &str| {
        weighed
            .first(name)
            .map_or(default, |value| value.word())
            .to_owned()
    };
    let all = |name: &str| {
        weighed
            .all(name)
            .iter()
            .map(|value| format!("{};", value.word()))
            .collect::<String>()
    };
    let paths = |paths: Vec<String>| {
        if paths.is_empty() {
            "none".to_owned()
        } else {
            paths.join(" ")
        }
    };
    let mut says = Says::new();
    let mut put = |name: &str, value: String| {
        if !value.is_empty() {
            says.insert(name.to_owned(), value);
        }
    };
    put("hostname", format!("{};", said.address));
    let named = user.map(str::to_owned).or(said.user.clone());
    put("user", format!("{};", named.unwrap_or(here().user)));
    put("port", format!("{};", port.or(said.port).unwrap_or(22)));
    put(
        "identityfile",
        match said.keys_named {
            true => all("identityfile"),
            false => [
                "rsa",
                "ecdsa",
                "ecdsa_sk",
                "ed25519",
                "ed25519_sk",
                "xmss",
                "dsa",
            ]
            .map(|kind| format!("~/.ssh/id_{kind};"))
            .concat(),
        },
    );
    put("certificatefile", all("certificatefile"));
    if !said.jumps.is_empty() {
        let jumps: Vec<String> = said.jumps.iter().map(super::super::jump::text).collect();
        put("proxyjump", format!("{};", jumps.join(",")));
    }
    let global = weighed.first("globalknownhostsfile").map_or_else(
        || {
            vec![
                "/etc/ssh/ssh_known_hosts".to_owned(),
                "/etc/ssh/ssh_known_hosts2".to_owned(),
            ]
        },
        |value| value.words.clone(),
    );
    let user_files = said
        .known_hosts
        .iter()
        .map(|path| path.to_str().unwrap().to_owned());
    let user_files: Vec<String> = user_files.filter(|path| !global.contains(path)).collect();
    put("userknownhostsfile", format!("{};", paths(user_files)));
    put("globalknownhostsfile", format!("{};", paths(global)));
    let yes = |yes| if yes { "yes;" } else { "no;" }.to_owned();
    put(
        "identitiesonly",
        yes(values::is_yes(&word("identitiesonly", "no"))),
    );
    if let Some(alias) = &said.host_key_alias {
        put("hostkeyalias", format!("{alias};"));
    }
    put(
        "addressfamily",
        format!("{};", word("addressfamily", "any").to_lowercase()),
    );
    let seconds = said
        .timeout
        .map_or("none".to_owned(), |time| time.as_secs().to_string());
    put("connecttimeout", format!("{seconds};"));
    let strict = word("stricthostkeychecking", "ask");
    put("stricthostkeychecking", format!("{strict};"));
    Some(says)
}
