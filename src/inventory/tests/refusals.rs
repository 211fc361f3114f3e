//! One row for each thing that can be written wrongly. Every row asserts that exactly one problem
//! comes of it: one mistake is one message. `⏎` in a row is a line break.

use super::{GOOD, Inventory, Problem, brief, changed, good, parse, problems};

/// The fields of each row, one blank beside each `¦` taken away.
fn fields(rows: &str) -> impl Iterator<Item = (&str, Vec<String>)> {
    let field = |field: &str| {
        let field = field.strip_prefix(' ').unwrap_or(field);
        let field = field.strip_suffix(' ').unwrap_or(field);
        field.replace('⏎', "\n")
    };
    rows.trim_matches('\n').lines().map(move |row| {
        // The first field has no `¦` before it, and may begin with blanks of its own.
        let whole = format!(" {row}");
        (row, whole.split('¦').map(field).collect())
    })
}

/// Rows of: what is replaced ¦ by what ¦ where the problem is ¦ part of its message ¦ of its hint.
pub(super) fn check(rows: &str) {
    for (row, fields) in fields(rows) {
        let [old, new, place, message, hint] = fields.as_slice() else {
            panic!("{row}: five fields");
        };
        let text = changed(old, new);
        let found = problems(&text);
        let shown = brief(&found);
        assert_eq!(found.len(), 1, "{row}\n{shown:#?}");
        assert!(
            shown[0].starts_with(&format!("{place} ")),
            "{row}\n{shown:#?}"
        );
        assert!(found[0].message.contains(message), "{row}\n{shown:#?}");
        assert!(
            found[0].hint.contains(hint),
            "{row}\nhint: {}",
            found[0].hint
        );
        let line = text.lines().nth(found[0].place.line - 1);
        assert_eq!(found[0].line.as_deref(), line, "{row}");
    }
}

/// Rows of: what is replaced ¦ by what.
pub(super) fn check_good(rows: &str) {
    for (row, fields) in fields(rows) {
        let [old, new] = fields.as_slice() else {
            panic!("{row}: two fields");
        };
        if let Err(problems) = parse(&changed(old, new)) {
            panic!("{row}\n{problems}");
        }
    }
}

#[test]
fn keys_that_are_unknown_missing_double_or_of_the_wrong_type() {
    check(
        r#"
deadline: 90s ¦ dedline: 90s ¦ 4:3 ¦ unknown key `dedline` of `ssh` ¦ did you mean `deadline`?
deadline: 90s ¦ frobnicate: 1 ¦ 4:3 ¦ unknown key `frobnicate` ¦ known keys: user, port
instances: ¦ instnces: {}⏎instances: ¦ 24:1 ¦ unknown key `instnces` of the inventory ¦ did you mean `instances`?
environment: production ¦ environmnt: x ¦ 1:1 ¦ unknown key `environmnt` ¦ did you mean `environment`?
environment: production ¦  ¦ 2:1 ¦ the inventory has no `environment` ¦ environment: production
address: 10.20.0.11 ¦ port: 22 ¦ 7:3 ¦ host `ny4-1` has no `address` ¦ address: 10.20.0.11
address: 10.20.0.11 ¦ adress: 10.20.0.11 ¦ 8:5 ¦ unknown key `adress` of host `ny4-1` ¦ did you mean `address`?
    product: amps⏎ ¦  ¦ 25:3 ¦ instance `orders` has no `product` ¦ product: amps
    host: ny4-1⏎ ¦  ¦ 25:3 ¦ instance `orders` has no `host` ¦ host: 
    teams: [ops]⏎ ¦  ¦ 30:3 ¦ instance `shop` has no `teams` ¦ teams: [
    teams: [ops]⏎ ¦     teams: []⏎ ¦ 33:12 ¦ nobody is responsible for instance `shop` ¦ name a team
    address: 10.20.0.11 ¦     address: 10.20.0.11⏎    address: 10.20.0.13 ¦ 9:5 ¦ `address` is written twice ¦ line 8
  ny4-2: {address: 10.20.0.12} ¦   ny4-1: {address: 10.20.0.12}⏎  ny4-2: {address: 10.20.0.14} ¦ 11:3 ¦ `ny4-1` is written twice ¦ line 7
expect: {version: 5.3} ¦ expect: {version: ""} ¦ 36:23 ¦ `version`: `` is not acceptable ¦ leave the key out
expect: {version: 5.3} ¦ expect: {name: " "} ¦ 36:20 ¦ `name`: ` ` is not acceptable ¦ leave the key out
user: ops ¦ user: [ops] ¦ 14:11 ¦ `user`: expected text, found a list ¦
user: ops ¦ user: ¦ 14:9 ¦ `user`: expected text, found nothing ¦ give it a value
user: ops ¦ user: no ¦ 14:11 ¦ could be text or a yes-or-no ¦ quote it: "no"
via: [bastion] ¦ via: bastion ¦ 9:10 ¦ `via`: expected a list, found text ¦ write `via: [bastion]`
agent: true ¦ agent: yes ¦ 16:35 ¦ `agent`: expected true or false ¦
  amps: {} ¦   amps: [a] ¦ 18:9 ¦ product `amps`: expected a mapping, found a list ¦ indented
vars: {home: /opt/amps/orders} ¦ vars: {home: /opt/amps/orders, 1a: x} ¦ 29:36 ¦ `1a` cannot be a placeholder's name ¦ letters
"#,
    );
    check_good(
        r#"
deadline: 90s ¦ deadline: 2m⏎  max_bytes: 4096
user: ops ¦ user: 1000
user: ops ¦ user: "no"
  amps: {} ¦   amps:
  amps: {}⏎ ¦
deadline: 90s ¦
"#,
    );
}

#[test]
fn references_that_lead_nowhere_and_hops_that_lead_back() {
    check(
        r#"
host: ny4-1 ¦ host: ny4-3 ¦ 27:11 ¦ there is no host `ny4-3` ¦ did you mean `ny4-
teams: [ops, support] ¦ teams: [ops, suport] ¦ 28:18 ¦ there is no team `suport` ¦ did you mean `support`?
teams: [ops, support] ¦ teams: [ops, ops] ¦ 28:18 ¦ `teams` names `ops` twice ¦ keep one
product: amps ¦ product: ampz ¦ 26:14 ¦ there is no product `ampz` ¦ did you mean `amps`?
vendor: acme ¦ vendor: emca ¦ 20:13 ¦ there is no vendor `emca` ¦ under `vendors:`
  amps: {} ¦   amps: {profile: amqs} ¦ 18:19 ¦ there is no profile `amqs` ¦ did you mean `amps`?
via: [bastion] ¦ via: [bastoin] ¦ 9:11 ¦ there is no host `bastoin` ¦ did you mean `bastion`?
via: [bastion] ¦ via: [ny4-1] ¦ 9:11 ¦ host `ny4-1` is its own hop ¦ remove
via: [bastion] ¦ via: [bastion, bastion] ¦ 9:20 ¦ `via` names `bastion` twice ¦ keep one
{address: bastion.example} ¦ {address: bastion.example, via: [ny4-1]} ¦ 9:11 ¦ the hops lead in a circle: bastion → ny4-1 → bastion ¦ remove one `via`
{address: 10.20.0.12} ¦ {address: 10.20.0.12, via: [ny4-1, bastion]} ¦ 11:37 ¦ hop `bastion` comes twice on the way bastion → ny4-1 → bastion ¦ leave out
{address: 10.20.0.12} ¦ {address: 10.20.0.11, via: [bastion]} ¦ 11:20 ¦ hosts `ny4-1` and `ny4-2` have the same address and port ¦ machine: NAME
{address: 10.20.0.12} ¦ {address: "::FFFF:10.20.0.11", via: [bastion]} ¦ 11:20 ¦ hosts `ny4-1` and `ny4-2` have the same address and port ¦ machine: NAME
"#,
    );
    check_good(
        r#"
via: [bastion] ¦ via: []
{address: 10.20.0.12} ¦ {address: 10.20.0.12, via: [ny4-1]}
{address: 10.20.0.12} ¦ {address: 10.20.0.11, via: []}
{address: 10.20.0.12} ¦ {address: "::ffff:10.20.0.12", via: [bastion], runner: true}
{address: 10.20.0.12} ¦ {address: 10.20.0.11, port: 2222, via: [bastion]}
  ny4-2: {address: 10.20.0.12} ¦   ny4-2: {address: 10.20.0.12, machine: m}⏎  ny4-3: {address: 10.20.0.12, machine: m}
  acme: {} ¦   acme:⏎    contract: {id: "7"}⏎  60east: ~
"#,
    );
}

#[test]
fn numbers_words_and_grammars() {
    check(
        r#"
deadline: 90s ¦ deadline: 90 ¦ 4:13 ¦ `deadline`: cannot read `90` ¦ such as 10s
deadline: 90s ¦ max_bytes: 1Gib ¦ 4:14 ¦ `max_bytes`: cannot read `1Gib` ¦ 1GiB
deadline: 90s ¦ port: 0 ¦ 4:9 ¦ `port`: cannot read `0` ¦ 1 to 65535
deadline: 90s ¦ port: 65536 ¦ 4:9 ¦ `port`: cannot read `65536` ¦ 1 to 65535
deadline: 90s ¦ port: +22 ¦ 4:9 ¦ `port`: cannot read `+22` ¦ whole number
deadline: 90s ¦ transport: scp ¦ 4:14 ¦ unknown transport `scp` ¦ auto, exec, sftp
deadline: 90s ¦ transport: stfp ¦ 4:14 ¦ unknown transport `stfp` ¦ did you mean `sftp`?
deadline: 90s ¦ client: libssh ¦ 4:11 ¦ unknown client `libssh` ¦ ssh2
deadline: 90s ¦ elevate: su ¦ 4:12 ¦ unknown elevate `su` ¦ none, sudo
deadline: 90s ¦ elevate: {sudo: -u} ¦ 4:19 ¦ `sudo`: `-u` is not acceptable ¦ account
deadline: 90s ¦ elevate: {} ¦ 4:12 ¦ `elevate` has no `sudo` ¦ sudo: amps
address: 10.20.0.11 ¦ address: -oProxyCommand=x ¦ 8:14 ¦ `address`: `-oProxyCommand=x` is not acceptable ¦ host name
address: 10.20.0.11 ¦ address: ops@ny4 ¦ 8:14 ¦ not acceptable ¦ goes into `user`
address: 10.20.0.11 ¦ address: 10.20.0.256 ¦ 8:14 ¦ not acceptable ¦ 10.20.0.11
user: ops ¦ user: ops;id ¦ 14:11 ¦ `user`: `ops;id` is not acceptable ¦ account
groups: [ny4] ¦ groups: [ny4, ny4] ¦ 10:19 ¦ `groups` names `ny4` twice ¦
groups: [ny4] ¦ host_key: SHA256:abc ¦ 10:15 ¦ `host_key`: `SHA256:abc` is not acceptable ¦ 43 characters
groups: [ny4] ¦ identity: {machine_id: 9f0c} ¦ 10:28 ¦ `machine_id`: `9f0c` is not acceptable ¦ /etc/machine-id
groups: [ny4] ¦ runner: 7 ¦ 10:13 ¦ `runner` ¦
groups: [ny4] ¦ clock_tolerance: 0s ¦ 10:22 ¦ `clock_tolerance`: cannot read `0s` ¦ whole number and a unit
groups: [ny4] ¦ identity: {hostnme: x} ¦ 10:16 ¦ unknown key `hostnme` of `identity` ¦ did you mean `hostname`?
known_hosts: [known_hosts] ¦ known_hosts: [~ops/known_hosts] ¦ 3:17 ¦ `known_hosts`: `~ops/known_hosts` names no file ¦ whole path
  orders:⏎ ¦   or/ders:⏎ ¦ 25:3 ¦ `or/ders` is not acceptable as a name ¦ begins with
environment: production ¦ environment: ../prod ¦ 1:14 ¦ `environment`: `../prod` is not acceptable ¦ begins with
"#,
    );
    check_good(
        r#"
deadline: 90s ¦ elevate: {sudo: amps}
deadline: 90s ¦ elevate: sudo
deadline: 90s ¦ client: ssh2⏎  transport: exec
deadline: 90s ¦ client: openssh
    key: keys/ops⏎ ¦     client: openssh⏎
agent: true ¦ client: openssh
groups: [ny4] ¦ host_key: "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
address: 10.20.0.11 ¦ address: fe80::11
"#,
    );
}

#[test]
fn logins_that_could_never_be_made() {
    check(
        r#"
    user: ops⏎ ¦  ¦ 13:3 ¦ team `ops` has no `user` ¦ user: NAME
    key: keys/ops⏎ ¦  ¦ 13:3 ¦ team `ops` has no way to authenticate ¦ agent: true
    key: keys/ops⏎ ¦     agent: false⏎ ¦ 13:3 ¦ team `ops` has no way to authenticate ¦ agent: true
{address: bastion.example} ¦ {address: bastion.example, client: openssh} ¦ 9:11 ¦ hop `bastion` takes `client: openssh` ¦ or below the team
agent: true ¦ client: openssh, keyboard_interactive: [{env: X}] ¦ 16:67 ¦ `keyboard_interactive` cannot be had with `client: openssh` ¦ ssh2
agent: true ¦ agent: true, certificate: c.pub ¦ 16:54 ¦ this belongs to a `key` ¦ beside it
  known_hosts: [known_hosts]⏎ ¦  ¦ 2:1 ¦ nothing says which host keys to trust ¦ cannot be turned off
known_hosts: [known_hosts] ¦ known_hosts: [] ¦ 2:1 ¦ nothing says which host keys to trust ¦ cannot be turned off
{address: 10.20.0.12} ¦ {address: 10.20.0.12, known_hosts: []} ¦ 11:3 ¦ nothing says which key host `ny4-2` must show ¦ host_key
agent: true ¦ agent: true, elevate: sudo, transport: sftp ¦ 16:50 ¦ `transport: sftp` sends none ¦ transport: auto
"#,
    );
    check_good(
        r#"
    user: ops⏎ ¦     user: ops⏎    password_env: OPS_PASSWORD⏎
  known_hosts: [known_hosts]⏎ ¦   known_hosts: [known_hosts]⏎  user: all⏎
agent: true ¦ agent: true, elevate: none, transport: sftp
{address: 10.20.0.12} ¦ {address: 10.20.0.12, certificate: for-those-with-a-key.pub}
{address: 10.20.0.12} ¦ {address: 10.20.0.12, known_hosts: [], host_key: 'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU'}
"#,
    );
}

#[test]
fn values_are_data() {
    check(
        r#"
home: /srv/shop ¦ home: srv/shop ¦ 35:13 ¦ a path on a server must be absolute: `srv/shop/VERSION` ¦ begin it
home: /srv/shop ¦ home: /srv/../etc ¦ 35:13 ¦ a path may not climb with `..` ¦ leads to
home: /srv/shop ¦ home: /srv/* ¦ 35:13 ¦ the value of `home` holds a character of patterns ¦ `path`
home: /srv/shop ¦ home: "/srv/{instance}" ¦ 35:13 ¦ the value of `home` holds a character of patterns ¦ `path`
home: /srv/shop ¦ hoem: /srv/shop ¦ 22:38 ¦ nothing gives `{home}` a value ¦ did you mean `hoem`?
vars: {home: /opt/amps/orders} ¦ vars: {} ¦ 25:3 ¦ instance `orders` gives `{home}` no value, and artifact `version` needs it ¦ vars: {home
'v(\d+)' ¦ 'v(\d+' ¦ 22:63 ¦ `match`: cannot read `v(\d+` ¦ unclosed group
'v(\d+)' ¦ '\d*' ¦ 22:63 ¦ `match`: cannot read `\d*` ¦ proves nothing
"#,
    );
    check_good(
        r#"
home: /srv/shop ¦ home: /srv/shop v2
home: /srv/shop ¦ home: /srv/..shop
'v(\d+)' ¦ '(?i)v(\d+)'
"#,
    );
}

#[test]
fn a_secret_written_by_mistake_is_not_shown() {
    for new in [
        "password: hunter2!",
        "password_env: hunter2!",
        "passphrase: hunter2!",
    ] {
        let found = problems(&changed(
            "key: keys/ops",
            &format!("key: keys/ops\n    {new}"),
        ));
        assert_eq!(found.len(), 1, "{:?}", brief(&found));
        assert!(!found[0].to_string().contains("hunter2"), "{}", found[0]);
        assert!(found[0].hint.contains("variable"), "{}", found[0]);
    }
}

#[test]
fn artifacts_that_make_no_sense() {
    check(
        r#"
{kind: log, path: "{home}/*.log"} ¦ {kind: lgo, path: "{home}/*.log"} ¦ 23:26 ¦ unknown kind `lgo` ¦ did you mean `log`?
{kind: log, path: "{home}/*.log"} ¦ {path: "{home}/*.log"} ¦ 23:7 ¦ artifact `access log` of product `web` has no `kind` ¦ statistics
{kind: log, path: "{home}/*.log"} ¦ {kind: log} ¦ 23:7 ¦ artifact `access log` of product `web` has neither a command nor a path ¦ path: /
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: /a, command: [b]} ¦ 23:41 ¦ artifact `access log` has both a path and a command ¦ remove the other
{kind: log, path: "{home}/*.log"} ¦ {kind: log, command: []} ¦ 23:40 ¦ `command` is empty ¦ program
{kind: log, path: "{home}/*.log"} ¦ {kind: log, command: cat /a} ¦ 23:40 ¦ `command`: expected a list of arguments, found text ¦ each argument by itself
{kind: log, path: "{home}/*.log"} ¦ {kind: log, command: ["cat -v"]} ¦ 23:41 ¦ `command`: `cat -v` is not a program ¦ each argument by itself
{kind: log, path: "{home}/*.log"} ¦ {kind: log, command: [-v]} ¦ 23:41 ¦ `command`: `-v` is not a program ¦ options come after
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: /a, format: amqs-log} ¦ 23:49 ¦ unknown format `amqs-log` ¦ did you mean `amps-log`?
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: /a, stream: stderr} ¦ 23:49 ¦ `stream` is about commands ¦ remove
{kind: log, path: "{home}/*.log"} ¦ {kind: statistics, path: /a, match: x} ¦ 23:55 ¦ `match` is not looked at for an artifact of kind statistics ¦ remove
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: /a, tables: [T]} ¦ 23:49 ¦ `tables` is about databases ¦ format: sqlite
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: a/b} ¦ 23:37 ¦ a path on a server must be absolute: `a/b` ¦ begin it with `/`
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: ~/b} ¦ 23:37 ¦ `~` is not expanded on a server ¦ whole path
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "{home}/../x"} ¦ 23:37 ¦ a path may not climb with `..` ¦ leads to
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "/a/**/x"} ¦ 23:37 ¦ `**` would search whole trees ¦ one `*`
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "/a/[x"} ¦ 23:37 ¦ a `[` or `]` of the pattern has no partner ¦ [0-9]
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "/a/"} ¦ 23:37 ¦ this names a directory ¦ file name
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "/a\e[2J"} ¦ 23:37 ¦ not acceptable ¦ control
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "/a\0"} ¦ 23:37 ¦ not acceptable ¦ control
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "{home/x"} ¦ 23:37 ¦ the braces of `{home/x` do not fit ¦ never closed
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "{hoem}/x"} ¦ 23:37 ¦ nothing gives `{hoem}` a value ¦ did you mean `home`?
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "/a{{"} ¦ 23:37 ¦ a path holds no backslash and no braces ¦ `?`
{kind: log, path: "{home}/*.log"} ¦ ~ ¦ 23:19 ¦ artifact `access log` says nothing ¦ cannot be removed
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: /a, format: sqlite, sample: {table: T, unit: unix}} ¦ 23:57 ¦ `sample` has no `column` ¦ timestamp
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: /a, format: sqlite, tables: ["x;y"]} ¦ 23:66 ¦ `x;y` is not acceptable ¦ letters
"#,
    );
    check_good(
        r#"
{kind: log, path: "{home}/*.log"} ¦ {kind: log, command: ["/opt/my tool"]}
{kind: log, path: "{home}/*.log"} ¦ {kind: log, command: [tail, -v, "{home}/a"], stream: stdout}
{kind: log, path: "{home}/*.log"} ¦ {kind: log, path: "/a/[0-9]?/*.log", format: plain}
{kind: log, path: "{home}/*.log"} ¦ {kind: other, path: /a, match: x}
{kind: log, path: "{home}/*.log"} ¦ {kind: statistics, path: /a, format: sqlite, tables: [T], sample: {table: T, column: c, unit: unix-ms}}
{kind: log, path: "{home}/*.log"} ¦ {kind: log, command: [awk, "{{print}}", /a]}
"#,
    );
}

#[test]
fn two_instances_cannot_share_an_answer_either() {
    let twins = |keys: [&str; 2], second: &str| {
        let [one, other] = keys.map(|keys| format!("vars: {{{keys}}}"));
        let text = format!(
            "instances:\n  a: {{product: db, host: ny4-1, teams: [ops, support], {one}}}\n  \
             b: {{product: db, host: ny4-1, teams: [{second}], {other}}}\n"
        );
        let product = r#"  db:
    artifacts:
      version: {kind: version, command: [db, --version]}
      status: {kind: statistics, command: [db, --port, "{port}", status]}
      page: {kind: statistics, http: "http://127.0.0.1:{admin}/x"}
instances:
"#;
        let text = changed(
            "instances:\n",
            &(product.to_owned() + &text["instances:\n".len()..]),
        );
        brief(&problems(&text))
    };
    let told = |found: Vec<String>| {
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    };
    assert_eq!(
        twins(["port: 1, admin: 2", "port: 2, admin: 3"], "ops"),
        [""; 0]
    );
    let same = told(twins(["port: 1, admin: 2", "port: 1, admin: 3"], "ops"));
    assert!(same.contains("claim the same command `db --port 1 status`"));
    let same = told(twins(["port: 1, admin: 2", "port: 2, admin: 2"], "ops"));
    assert!(same.contains("claim the same URL `http://127.0.0.1:2/x`"));
}

#[test]
fn two_instances_cannot_share_what_proves_them() {
    let twin = "  orders-2:\n    product: amps\n    host: ny4-1\n    teams: [ops]\n    vars: {home: /opt/amps/orders}\n  shop:\n";
    let found = problems(&changed("  shop:\n", twin));
    assert_eq!(
        brief(&found),
        [
            "30:3 instances `orders` and `orders-2` on host `ny4-1` claim the same path `/opt/amps/orders/config/*.xml` (artifact `configuration`)"
        ]
    );
    good(&changed("  shop:\n", &twin.replace("ny4-1", "ny4-2")));
    good(&changed(
        "  shop:\n",
        &twin.replace("amps/orders}", "amps/other}"),
    ));
}

#[test]
fn yaml_that_is_no_tree_of_plain_keys() {
    check(
        r#"
deadline: 90s ¦ deadline: !!str 90s ¦ 4:19 ¦ YAML tags are not used here ¦ quote
deadline: 90s ¦ <<: {} ¦ 4:3 ¦ merge keys (`<<`) are not used here ¦ `ssh:`
deadline: 90s ¦ deadline: *x ¦ 4:13 ¦ nothing above is named `&x` ¦ above
deadline: 90s ¦ [a]: b ¦ 4:3 ¦ a key must be text, found a list ¦ quote
  acme: {}⏎ ¦   acme: {}⏎---⏎environment: x⏎ ¦ 39:1 ¦ a second YAML document begins here ¦ one file is one inventory
  orders:⏎ ¦   no:⏎ ¦ 25:3 ¦ the key `no` is not plainly text ¦ quote it: "no"
"#,
    );
    let found = problems(&changed("deadline: 90s", "deadline: [90s"));
    assert_eq!(found.len(), 1);
    assert!(
        found[0].message.starts_with("not well-formed YAML: "),
        "{}",
        found[0]
    );
    assert!(found[0].place.line >= 4);
    let shared = changed("teams: [ops, support]", "teams: &all [ops, support]");
    good(&shared.replacen("teams: [ops]", "teams: *all", 1));
}

#[test]
fn aliases_cannot_blow_the_file_up() {
    let mut text = String::from(
        "environment: production\nvendors:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n",
    );
    for level in 1..30 {
        let below = format!("*a{}, ", level - 1).repeat(10);
        text.push_str(&format!("  a{level}: &a{level} [{below}]\n"));
    }
    let found = problems(&text);
    // None of the lists is a vendor either.
    assert!(found.len() <= 31, "{:?}", brief(&found));
    let blown = |problem: &Problem| problem.message.contains("aliases add more than");
    assert!(found.iter().any(blown), "{:?}", brief(&found));
    let selfish = problems("environment: production\nssh:\n  known_hosts: &a [*a]\n");
    assert_eq!(brief(&selfish), ["3:20 this alias contains itself"]);
    let deep = format!(
        "environment: production\nvendors: {{a: {}{}}}\n",
        "[".repeat(500),
        "]".repeat(500)
    );
    assert_eq!(problems(&deep).len(), 1);
}

#[test]
fn files_that_are_no_inventory() {
    for (text, message) in [
        ("", "empty"),
        ("# nothing\n", "empty"),
        ("~\n", "empty"),
        ("- a\n", "expected a mapping"),
        ("hello", "expected a mapping"),
    ] {
        let found = problems(text);
        assert_eq!(found.len(), 1, "{text:?}");
        assert!(
            found[0].message.contains(message),
            "{text:?} gave {}",
            found[0]
        );
    }
    let path = std::path::Path::new("x.yaml");
    let found = Inventory::parse(path, b"a: b\nc: \xff".to_vec())
        .unwrap_err()
        .into_vec();
    assert_eq!(brief(&found), ["2:4 not UTF-8 text"]);
    let missing = Inventory::load(std::path::Path::new("does/not/exist.yaml")).unwrap_err();
    assert!(
        missing
            .to_string()
            .starts_with("error: cannot read the inventory: "),
        "{missing}"
    );
    assert!(
        missing.to_string().contains("--> does/not/exist.yaml\n"),
        "{missing}"
    );
    assert!(Inventory::load(std::path::Path::new(".")).is_err());
    let mut marked = vec![0xef, 0xbb, 0xbf];
    marked.extend(GOOD.as_bytes());
    assert!(
        Inventory::parse(path, marked).is_ok(),
        "a byte-order mark is no mistake"
    );
    good(&GOOD.replace('\n', "\r\n"));
}

#[test]
fn ten_mistakes_are_ten_problems_in_the_order_of_the_file() {
    let mut text = GOOD.to_owned();
    for (old, new) in [
        ("deadline: 90s", "dedline: 90s"),
        ("address: 10.20.0.11", "address: -x"),
        ("{address: 10.20.0.12}", "{address: 10.20.0.12, port: 0}"),
        ("user: ops", "user: no"),
        ("vendor: acme", "vendor: acne"),
        ("'v(\\d+)'", "'v('"),
        ("kind: log", "kind: lgo"),
        ("host: ny4-1", "host: ny5-1"),
        ("teams: [ops, support]", "teams: [ops, ops]"),
        ("home: /srv/shop", "home: no"),
    ] {
        assert_eq!(text.matches(old).count(), 1, "{old}");
        text = text.replacen(old, new, 1);
    }
    let found = problems(&text);
    let lines: Vec<usize> = found.iter().map(|problem| problem.place.line).collect();
    assert_eq!(
        lines,
        [4, 8, 11, 14, 20, 22, 23, 27, 28, 35],
        "{:#?}",
        brief(&found)
    );
    let shown = parse(&text).unwrap_err().to_string();
    assert!(shown.ends_with("\n\n10 problems"), "{shown}");
    assert!(shown.contains(" --> etc/estate.yaml:4:3\n  |\n4 |   dedline: 90s\n  |   ^\n  hint: did you mean `deadline`?"), "{shown}");
}

#[test]
fn what_follows_from_a_mistake_is_not_said_again() {
    let hosts = GOOD.find("hosts:\n").unwrap()..GOOD.find("teams:\n").unwrap();
    let mut text = GOOD.to_owned();
    text.replace_range(hosts, "hosts: [ny4-1]\n");
    let found = problems(&text);
    assert_eq!(
        brief(&found),
        ["5:8 `hosts`: expected a mapping, found a list"]
    );
    let text = changed("  ny4-2: {address: 10.20.0.12}", "  ny4-2: 10.20.0.12");
    assert_eq!(
        brief(&problems(&text)),
        ["11:10 host `ny4-2`: expected a mapping, found text"]
    );
}

#[test]
fn an_unused_product_must_still_make_sense() {
    let idle = |artifact: &str| {
        changed(
            "  amps: {}",
            &format!("  amps: {{}}\n  idle: {{artifacts: {{a: {artifact}}}}}"),
        )
    };
    assert_eq!(
        brief(&problems(&idle("{kind: log}"))),
        ["19:22 artifact `a` of product `idle` has neither a command nor a path"]
    );
    good(&idle("{kind: log, path: \"{anything}/x\"}"));
}

#[test]
fn an_instance_may_complete_what_its_product_leaves_open() {
    let open = changed("path: \"{home}/*.log\"", "format: plain");
    let own =
        "    vars:\n      home: /srv/shop\n    artifacts: {access log: {path: /var/log/shop}}";
    let completed = open.replacen("    vars:\n      home: /srv/shop", own, 1);
    good(&completed);
    // Even when nothing is left of the product that the instance does not override.
    let version = "      version: {kind: version, path: \"{home}/VERSION\", match: 'v(\\d+)'}\n";
    assert!(completed.contains(version));
    good(&completed.replacen(version, "", 1));
    assert_eq!(
        brief(&problems(&open)),
        ["23:7 artifact `access log` of product `web` has neither a command nor a path"]
    );
}

#[test]
fn a_value_cannot_take_the_program_away() {
    let command = changed("path: \"{home}/*.log\"", "command: [\"{home}\", -v]");
    for (home, sound) in [("/srv/shop", true), ("\"\"", false), ("-x", false)] {
        let mut text = command.replacen("home: /srv/shop", &format!("home: {home}"), 1);
        text = text.replacen("{home}/VERSION", "/srv/VERSION", 1);
        let expected: &[&str] = match sound {
            true => &[],
            false => &["35:13 the command of artifact `access log` has no program"],
        };
        assert_eq!(brief(&problems(&text)), expected);
    }
}

#[test]
fn a_way_has_at_most_eight_hops() {
    let chain = |hops: usize| {
        let mut text =
            String::from("environment: p\nssh: {known_hosts: [k]}\nhosts:\n  h0: {address: a0}\n");
        for n in 1..=hops {
            let before = n - 1;
            text.push_str(&format!("  h{n}: {{address: a{n}, via: [h{before}]}}\n"));
        }
        text
    };
    good(&chain(8));
    assert_eq!(
        brief(&problems(&chain(9))),
        ["13:26 this way leads over more than 8 hops"]
    );
}

#[test]
fn no_damage_to_a_file_breaks_the_reader() {
    let mut damaged: Vec<String> = Vec::new();
    // A prime step, so that every kind of place is met.
    for at in (0..GOOD.len()).step_by(13) {
        damaged.push(GOOD[..at].to_owned());
        for put in [
            "{", "]", "\"", "'", ":", "- ", "\n", "\t", "&a ", "*a", "!x", "#", "|", "%", "é",
            "\u{7f}",
        ] {
            damaged.push(format!("{}{put}{}", &GOOD[..at], &GOOD[at..]));
        }
        damaged.push(format!("{}{}", &GOOD[..at], &GOOD[at + 1..]));
    }
    for text in &damaged {
        let lines = text.split('\n').count();
        for problem in problems(text) {
            assert!(problem.place.line <= lines + 1, "{problem}\n{text}");
            assert!(
                !problem.message.is_empty() && !problem.message.ends_with('.'),
                "{problem}"
            );
            let message = problem.message.trim_start_matches("YAML");
            assert!(!message.starts_with(char::is_uppercase), "{problem}");
        }
    }
    assert!(damaged.len() > 1_000);
}

#[test]
fn a_chroot_is_a_directory_for_accounts_that_have_sftp_alone() {
    check(
        r#"
deadline: 90s ¦ chroot: srv/sftp ¦ 4:11 ¦ `chroot`: `srv/sftp` is not acceptable ¦ whole path
deadline: 90s ¦ chroot: / ¦ 4:11 ¦ `chroot`: `/` is not acceptable ¦ whole path
deadline: 90s ¦ chroot: /srv/../x ¦ 4:11 ¦ is not acceptable ¦ `..`
deadline: 90s ¦ chroot: /srv/* ¦ 4:11 ¦ is not acceptable ¦ patterns
{address: 10.20.0.12} ¦ {address: 10.20.0.12, chroot: /srv/shop} ¦ 11:40 ¦ SFTP and nothing else ¦ `transport: sftp`
"#,
    );
    check_good(
        r#"
{address: 10.20.0.12} ¦ {address: 10.20.0.12, chroot: /srv/shop, transport: sftp}
{address: 10.20.0.12} ¦ {address: 10.20.0.12, chroot: /srv/, transport: sftp}
"#,
    );
    let outside = "{address: 10.20.0.12, chroot: /srv/sho, transport: sftp}";
    let found = problems(&changed("{address: 10.20.0.12}", outside));
    assert_eq!(found.len(), 2, "{:#?}", brief(&found));
    let told = "11:40 `/srv/shop/VERSION`, artifact `version` of instance `shop`, lies outside";
    assert!(brief(&found)[1].starts_with(told), "{:#?}", brief(&found));
}
