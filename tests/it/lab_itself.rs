//! The lab is proved with the real `ssh` and `sftp` before gonogo is judged in it. Needs no product.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use crate::lab::{
    Account, Amps, Lab, MARKET_DATA, OPERATIONS, SERVICE, is_root, needs_root, snapshot, until,
};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn every_account_logs_in_with_its_own_key() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    for account in [OPERATIONS, MARKET_DATA] {
        let id = lab.ssh(&host, account, "id -un; id -u");
        assert!(id.status.success(), "{id:?}\n{}", host.log());
        assert!(text(&id.stdout).starts_with(&account.login()), "{id:?}");
        assert!(
            !is_root() || !text(&id.stdout).contains("\n0\n"),
            "logged in as root"
        );
        let listed = lab.sftp(&host, account, "ls /\n");
        assert!(listed.status.success(), "{listed:?}\n{}", host.log());
    }
    if is_root() {
        // The service owns files; nobody logs in with it.
        assert!(!lab.ssh(&host, SERVICE, "true").status.success());
    }
}

#[test]
fn hosts_are_several_machines() {
    if needs_root("hosts_are_several_machines") {
        return;
    }
    let lab = Lab::new();
    let one = lab.host("ny4-1").start();
    let two = lab.host("ny4-2").start();
    let twin = lab.host("ny4-3").same_machine_as(&one).start();
    let said = |host| {
        text(
            &lab.ssh(host, OPERATIONS, "hostname; cat /etc/machine-id")
                .stdout,
        )
    };
    assert_eq!(said(&one), format!("ny4-1\n{}\n", one.machine_id));
    assert_eq!(said(&two), format!("ny4-2\n{}\n", two.machine_id));
    assert_eq!(said(&twin), format!("ny4-3\n{}\n", one.machine_id));
    assert_ne!(one.machine_id, two.machine_id);
    assert_ne!(one.public_key(), two.public_key());
    assert_ne!(one.address, two.address);
    let outside = fs::read_to_string("/etc/passwd").unwrap();
    for account in Account::ALL {
        let uid = format!(":{}:", account.uid);
        assert!(!outside.contains(&uid), "{account:?} leaked out: {outside}");
    }
}

#[test]
fn a_host_ends_with_the_lab() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    let address = host.address.into();
    assert!(TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok());
    let root = lab.path("");
    drop((host, lab));
    until("nobody listens", Duration::from_secs(5), || {
        TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_err()
    });
    assert!(!root.exists());
}

#[test]
fn options_of_a_host_bite() {
    let lab = Lab::new();
    let host = lab
        .host("ny4-1")
        .key_options(OPERATIONS, "command=\"echo forced\"")
        .without_sftp()
        .option("MaxSessions 1")
        .start();
    let forced = lab.ssh(&host, OPERATIONS, "id -un");
    assert_eq!(text(&forced.stdout), "forced\n");
    assert!(!lab.sftp(&host, MARKET_DATA, "ls /\n").status.success());

    let host = lab.host("ny4-2").without_key(OPERATIONS).start();
    assert!(!lab.ssh(&host, OPERATIONS, "true").status.success());
    assert!(lab.ssh(&host, MARKET_DATA, "true").status.success());

    let host = lab.host("ny4-3").record_commands(OPERATIONS).start();
    let seen = lab.ssh(&host, OPERATIONS, "echo 'one two'");
    assert_eq!(text(&seen.stdout), "one two\n");
    assert_eq!(host.commands(), "echo 'one two'\n");
}

#[test]
fn chroot_nologin_and_sudo_bite() {
    if needs_root("chroot_nologin_and_sudo_bite") {
        return;
    }
    let lab = Lab::new();
    let host = lab
        .host("ny4-1")
        .sftp_chroot(MARKET_DATA)
        .shell(OPERATIONS, "/usr/sbin/nologin")
        .start();
    let instance = Amps::install_in_chroot("orders", &host);
    let got = lab.path("operator/got");
    let batch = format!("get {}/VERSION {}\n", instance.home, got.display());
    let fetched = lab.sftp(&host, MARKET_DATA, &batch);
    assert!(fetched.status.success(), "{fetched:?}\n{}", host.log());
    assert!(text(&fs::read(&got).unwrap()).contains("5.3.4.12"));
    let refused = lab.ssh(&host, MARKET_DATA, "id");
    assert!(!text(&refused.stdout).contains("uid="), "{refused:?}");
    let refused = lab.ssh(&host, OPERATIONS, "id");
    assert!(!text(&refused.stdout).contains("uid="), "{refused:?}");

    let rule = format!("{} ALL=(root) NOPASSWD: /usr/bin/id", OPERATIONS.login());
    let host = lab.host("ny4-2").sudoers(&rule).start();
    let allowed = lab.ssh(&host, OPERATIONS, "sudo -n /usr/bin/id -u");
    assert_eq!(text(&allowed.stdout), "0\n", "{allowed:?}");
    let refused = lab.ssh(&host, MARKET_DATA, "sudo -n /usr/bin/id -u");
    assert!(!refused.status.success(), "{refused:?}");
}

#[test]
fn an_instance_is_readable_and_alive() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    let orders = lab.amps("orders", &host);
    for account in [OPERATIONS, MARKET_DATA] {
        let version = format!("{}/bin/ampServer --version", orders.home);
        let version = lab.ssh(&host, account, &version);
        assert!(
            text(&version.stdout).starts_with("AMPS 5.3.4.12."),
            "{version:?}"
        );
        for file in [
            "config/config.xml",
            &orders.log(),
            "stats.db",
            "stats.db-wal",
            "stats.db-shm",
        ] {
            assert!(account.can_read(&orders.path(file)), "{file}");
        }
        let gzip = OPERATIONS.sh(
            "gzip -t <\"$1\"",
            &orders.path(&format!("{}.2.gz", orders.log())),
        );
        assert!(gzip.status.success(), "{gzip:?}");
    }
    // The newest sample is in the -wal alone: the main file without it is an hour's samples short of it.
    let size = || fs::metadata(orders.path("stats.db-wal")).unwrap().len();
    let before = size();
    until("the writer writes", Duration::from_secs(10), || {
        size() > before
    });
    let copy = lab.path("copy.db");
    let samples = |with_wal: bool| -> i64 {
        fs::copy(orders.path("stats.db"), &copy).unwrap();
        let wal = lab.path("copy.db-wal");
        let _ = fs::remove_file(&wal);
        if with_wal {
            fs::copy(orders.path("stats.db-wal"), &wal).unwrap();
        }
        let db = rusqlite::Connection::open(&copy).unwrap();
        let count = "SELECT count(*) FROM IMEMORY_DYNAMIC";
        db.query_row(count, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(samples(false), 360);
    assert!(samples(true) > 360);
}

#[test]
fn every_sabotage_bites() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    let fresh = |name: &str| lab.amps(name, &host);
    // Each asserts by itself that it bites; here every one of them is at least tried.
    let one = fresh("one");
    one.lock("config/config.xml");
    one.lock("logs");
    let two = fresh("two");
    two.remove("config/config.xml");
    two.fifo("stats.db");
    two.age_logs();
    two.drop_rotated_logs();
    let three = fresh("three");
    three.cut_gzip();
    three.break_xml("config/config.xml");
    three.lock_wal();
    three.dangle("VERSION");
    let four = fresh("four");
    four.corrupt_statistics();
    four.rename_config("other");
    four.slow_version();
    four.empty(&four.log());
    let five = fresh("five");
    five.age_statistics();
    five.answer_version("AMPS 1.2.3.4", 0);
    let six = fresh("six");
    six.clear_statistics();
    six.answer_version("", 3);
}

#[test]
fn the_inventory_is_the_yaml_it_should_be() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host);
    let inventory = lab.inventory();
    lab.write_inputs(&inventory);
    let written = fs::read_to_string(lab.path("operator/inventory.yaml")).unwrap();
    let read: serde_json::Value = serde_saphyr::from_str(&written).unwrap();
    assert_eq!(read, inventory, "{written}");
    assert_eq!(read["instances"]["orders"]["host"], "ny4-1");
    let known = fs::read_to_string(lab.path("operator/known_hosts")).unwrap();
    assert!(known.contains(&host.public_key()));
}

#[test]
fn a_snapshot_sees_every_change() {
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    let orders = lab.amps("orders", &host);
    orders.stop_writer();
    orders.give_away();
    let before = snapshot(&orders.dir);
    assert!(before.contains_key(Path::new("config/config.xml")));
    let read = lab.ssh(&host, OPERATIONS, &format!("cat {}/config/*", orders.home));
    assert!(read.status.success());
    assert_eq!(before, snapshot(&orders.dir), "reading is no change");
    let wrote = lab.ssh(
        &host,
        OPERATIONS,
        &format!("touch {}/logs/new", orders.home),
    );
    assert!(wrote.status.success(), "{wrote:?}");
    assert_ne!(before, snapshot(&orders.dir));
}
