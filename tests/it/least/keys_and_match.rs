//! `--authorized-keys` and `--sshd-match`: no terminal, no forwarding, no write, no other command.

use std::rc::Rc;

use serde_json::{Value, json};

use super::{authorize, install_script, part, printed, text};
use crate::lab::{Amps, Host, Lab, MARKET_DATA, OPERATIONS, needs_root, snapshot};

/// What an account gets beyond reading files; empty when it gets nothing.
fn liberties(lab: &Lab, host: &Host, orders: &Amps) -> Vec<&'static str> {
    let mut got = Vec::new();
    let ssh = |options: &[&str], command: &str| lab.ssh_with(options, host, OPERATIONS, command);
    let said = |output: &std::process::Output| text(&output.stdout) + &text(&output.stderr);
    if said(&ssh(&[], "id -u")).contains(&OPERATIONS.uid.to_string()) {
        got.push("a command");
    }
    let version = format!("{}/bin/ampServer --version; id -u", orders.home);
    if said(&ssh(&[], &version)).contains(&OPERATIONS.uid.to_string()) {
        got.push("a command after a planned one");
    }
    if !said(&ssh(&["-tt"], "tty")).contains("PTY allocation request failed") {
        got.push("a terminal");
    }
    if opens(lab, host) {
        got.push("a way to elsewhere");
    }
    if !said(&ssh(&BACK, "true")).contains("forwarding failed") {
        got.push("a way back");
    }
    let before = snapshot(&orders.dir);
    let _ = lab.sftp(host, OPERATIONS, &changes(lab, orders, "-"));
    if snapshot(&orders.dir) != before {
        got.push("a change of files");
    }
    got
}

const EVERY: [&str; 6] = [
    "a command",
    "a command after a planned one",
    "a terminal",
    "a way to elsewhere",
    "a way back",
    "a change of files",
];

/// One of each kind of change, none of which undoes another; `each` before each line.
fn changes(lab: &Lab, orders: &Amps, each: &str) -> String {
    let home = &orders.home;
    let file = lab.path("operator/allowed_signers");
    [
        format!("put {} {home}/new", file.display()),
        format!("mkdir {home}/directory"),
        format!("chmod 600 {home}/VERSION"),
        format!("ln -s x {home}/link"),
        format!("rename {home}/stats.db {home}/stats.old"),
        format!("rm {home}/config/logging.xml"),
    ]
    .map(|line| format!("{each}{line}\n"))
    .concat()
}

/// Takes [`changes`] back.
fn repair(orders: &Amps) {
    std::fs::remove_file(orders.path("new")).unwrap();
    std::fs::remove_dir(orders.path("directory")).unwrap();
    std::fs::remove_file(orders.path("link")).unwrap();
    std::fs::rename(orders.path("stats.old"), orders.path("stats.db")).unwrap();
    orders.write("config/logging.xml", b"<Logging/>\n");
    orders.give_away();
}

/// A port of the host that leads back to us, any that is free.
const BACK: [&str; 4] = [
    "-o",
    "ExitOnForwardFailure=yes",
    "-R",
    "127.0.0.1:0:127.0.0.1:9",
];

/// Whether the account opens a way that was not planned: back to its own host's sshd.
fn opens(lab: &Lab, host: &Host) -> bool {
    let way = lab.ssh_with(&["-W", &host.address.to_string()], host, OPERATIONS, "");
    text(&way.stdout).starts_with("SSH-2.0-")
}

/// A host whose account may do whatever it likes, and did.
fn free(lab: &Lab) -> (Rc<Host>, Rc<Amps>) {
    let host = lab.host("ny4-1").start();
    let orders = lab.amps("orders", &host);
    orders.stop_writer();
    orders.give_away();
    let changed = lab.sftp(&host, OPERATIONS, &changes(lab, &orders, ""));
    assert!(changed.status.success(), "{changed:?}");
    repair(&orders);
    assert_eq!(liberties(lab, &host, &orders), EVERY, "{}", host.log());
    repair(&orders);
    host.own_usr_local();
    (host, orders)
}

fn write(lab: &Lab, transport: &str) {
    let mut inventory = lab.inventory();
    edit(&mut inventory, transport);
    lab.write_inputs(&inventory);
}

fn edit(inventory: &mut Value, transport: &str) {
    let team = &mut inventory["teams"][OPERATIONS.team];
    match transport {
        "installed ssh" => team["client"] = json!("openssh"),
        "together" => team["gather"] = json!("framed"),
        transport => team["transport"] = json!(transport),
    }
    if transport == "sftp" {
        let version = &mut inventory["products"]["amps"]["artifacts"]["version"];
        *version = json!({"kind": "version", "path": "{home}/VERSION", "match": "\\d+\\.\\d+\\.\\d+\\.\\d+"});
    }
}

#[test]
fn a_key_may_do_what_was_planned_and_nothing_else() {
    if needs_root("a_key_may_do_what_was_planned_and_nothing_else") {
        return;
    }
    let lab = Lab::new();
    let (host, orders) = free(&lab);
    for transport in ["sftp", "auto", "exec", "installed ssh", "together"] {
        write(&lab, transport);
        if transport != "sftp" {
            install_script(&lab, &host);
        }
        authorize(&host, OPERATIONS, &printed(&lab, "--authorized-keys"));
        let run = lab.judge_as_written();
        run.assert_go(4);
        if transport == "together" {
            let files = run
                .checks()
                .iter()
                .flat_map(|check| check["evidence"].as_array().unwrap());
            // Nobody writes that database: it has no log that decides.
            let files = files.filter(|file| file["artifact"] != "statistics");
            let by_sftp = files.filter(|file| file["method"] == "sftp").count();
            assert_eq!(
                by_sftp,
                0,
                "the script refused the planned command: {}",
                host.log()
            );
        }
        let got = liberties(&lab, &host, &orders);
        assert_eq!(got, [""; 0], "{transport}: {}", host.log());
    }
}

#[test]
fn an_account_may_do_what_was_planned_and_nothing_else() {
    if needs_root("an_account_may_do_what_was_planned_and_nothing_else") {
        return;
    }
    let lab = Lab::new();
    let (host, orders) = free(&lab);
    for transport in ["sftp", "auto", "exec", "installed ssh"] {
        write(&lab, transport);
        if transport != "sftp" {
            install_script(&lab, &host);
        }
        host.reconfigure(&printed(&lab, "--sshd-match"));
        lab.judge_as_written().assert_go(4);
        let got = liberties(&lab, &host, &orders);
        assert_eq!(got, [""; 0], "{transport}: {}", host.log());
    }
}

/// What a hop gives beyond the planned way.
fn by_the_hop(lab: &Lab, hop: &Host) -> Vec<&'static str> {
    let mut got = Vec::new();
    if opens(lab, hop) {
        got.push("a way to elsewhere");
    }
    let ssh = |options: &[&str], command: &str| lab.ssh_with(options, hop, OPERATIONS, command);
    if text(&ssh(&[], "id -u").stdout).contains(&OPERATIONS.uid.to_string()) {
        got.push("a command");
    }
    if text(&ssh(&["-tt"], "tty").stdout).contains("/dev/pts/") {
        got.push("a terminal");
    }
    let told = ssh(&BACK, "true");
    if !text(&told.stderr).contains("forwarding failed") {
        got.push("a way back");
    }
    if lab.sftp(hop, OPERATIONS, "ls /\n").status.success() {
        got.push("files");
    }
    got
}

/// Whether the account's connection reaches a Unix socket of the host.
fn reaches_a_socket(lab: &Lab, host: &Host) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let path = host.path("recorded/socket");
    let _ = std::fs::remove_file(&path);
    let socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
    socket.set_nonblocking(true).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let way = format!("127.0.0.1:{port}:{}", path.display());
    let said = lab.path("operator/tmp/said");
    let stderr = std::fs::File::create(&said).unwrap();
    let mut ssh = lab.ssh_open(&["-N", "-L", &way], host, OPERATIONS, stderr);
    let begun = std::time::Instant::now();
    let reached = loop {
        let _ = std::net::TcpStream::connect(("127.0.0.1", port));
        std::thread::sleep(std::time::Duration::from_millis(50));
        if socket.accept().is_ok() {
            break true;
        }
        let said = std::fs::read_to_string(&said).unwrap();
        if said.contains("open failed") {
            break false;
        }
        assert!(
            begun.elapsed().as_secs() < 15,
            "neither reached nor refused: {said}"
        );
    };
    let pid = rustix::process::Pid::from_child(&ssh);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    ssh.wait().unwrap();
    reached
}

fn behind_a_hop(lab: &Lab) -> (Rc<Host>, Rc<Host>) {
    let hop = lab.host("bastion").start();
    let target = lab.host("ny4-1").start();
    lab.amps("orders", &target);
    let every = [
        "a way to elsewhere",
        "a command",
        "a terminal",
        "a way back",
        "files",
    ];
    assert_eq!(by_the_hop(lab, &hop), every, "{}", hop.log());
    assert!(reaches_a_socket(lab, &hop), "{}", hop.log());
    let mut inventory = lab.inventory();
    inventory["hosts"]["ny4-1"]["via"] = json!(["bastion"]);
    inventory["hosts"]["ny4-1"]["user"] = json!(MARKET_DATA.login());
    inventory["hosts"]["ny4-1"]["key"] = json!(format!("keys/{}", MARKET_DATA.team));
    lab.write_inputs(&inventory);
    (hop, target)
}

#[test]
fn a_key_on_a_hop_opens_the_planned_way_alone() {
    if needs_root("a_key_on_a_hop_opens_the_planned_way_alone") {
        return;
    }
    let lab = Lab::new();
    let (hop, target) = behind_a_hop(&lab);
    let lines = printed(&lab, "--authorized-keys");
    authorize(&hop, OPERATIONS, part(&lines, "bastion"));
    target.own_usr_local();
    install_script(&lab, &target);
    authorize(&target, MARKET_DATA, part(&lines, "ny4-1"));
    lab.judge_as_written().assert_go(4);
    assert_eq!(by_the_hop(&lab, &hop), [""; 0], "{lines}\n{}", hop.log());
    assert!(!reaches_a_socket(&lab, &hop), "{}", hop.log());
}

#[test]
fn an_account_on_a_hop_opens_the_planned_way_alone() {
    if needs_root("an_account_on_a_hop_opens_the_planned_way_alone") {
        return;
    }
    let lab = Lab::new();
    let (hop, target) = behind_a_hop(&lab);
    let blocks = printed(&lab, "--sshd-match");
    hop.reconfigure(part(&blocks, "bastion"));
    target.own_usr_local();
    install_script(&lab, &target);
    target.reconfigure(part(&blocks, "ny4-1"));
    lab.judge_as_written().assert_go(4);
    assert_eq!(by_the_hop(&lab, &hop), [""; 0], "{blocks}\n{}", hop.log());
    assert!(!reaches_a_socket(&lab, &hop), "{}", hop.log());
    // The same way by another name is another way.
    let other = format!("localhost:{}", target.address.port());
    let way = lab.ssh_with(&["-W", &other], &hop, OPERATIONS, "");
    assert!(way.stdout.is_empty(), "{way:?}");
}

#[test]
fn a_chroot_that_the_inventory_knows_is_part_of_the_block() {
    if needs_root("a_chroot_that_the_inventory_knows_is_part_of_the_block") {
        return;
    }
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    let orders = Rc::new(Amps::install_in_chroot("orders", &host));
    orders.stop_writer();
    let mut inventory = lab.inventory();
    edit(&mut inventory, "sftp");
    inventory["teams"][OPERATIONS.team]["chroot"] = json!("/run/chroot");
    inventory["instances"]["orders"] = json!({
        "product": "amps", "host": "ny4-1", "teams": [OPERATIONS.team],
        "vars": {"home": format!("/run/chroot{}", orders.home)},
        "expect": {"version": "5.3.4.12", "name": "orders"},
    });
    lab.write_inputs(&inventory);
    let before = lab.judge_as_written();
    assert_eq!(before.code(), 1, "{}", before.told());
    host.reconfigure(&printed(&lab, "--sshd-match"));
    lab.judge_as_written().assert_go(4);
    // It sees that directory alone.
    assert!(
        !lab.sftp(&host, OPERATIONS, "get /etc/passwd /dev/null\n")
            .status
            .success()
    );
}
