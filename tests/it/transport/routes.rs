//! What the kernel says of a way that is not there, in a network namespace of the test's own with routes
//! and names that lead nowhere. The benign twin is an sshd in that same namespace.

use std::process::Command;
use std::time::{Duration, Instant};

use gonogo::failure::FailureKind as K;

use super::lab::{Lab, OPS, connect, free_port, usable};

/// Set for the test that runs inside.
const INSIDE: &str = "GONOGO_ROUTES_INSIDE";

/// `lo` takes packets for an address that nobody has, and says nothing: what a dropping firewall does.
const NAMESPACE: &str = "
set -e
mount --bind \"$1\" /etc/hosts
ip link set lo up
ip route add unreachable 10.66.0.1
ip route add prohibit 10.66.0.2
ip route add blackhole 10.66.0.3
ip route add 10.66.0.4 dev lo
shift
exec \"$@\"
";

const HOSTS: &str = "\
127.0.0.1 localhost
127.0.0.1 both.example
10.66.0.1 both.example
127.0.0.1 neither.example
10.66.0.1 neither.example
10.66.0.4 slow.example
127.0.0.1 slow.example
";

// Run again, inside, by the test below.
#[tokio::test]
async fn inside() {
    if std::env::var_os(INSIDE).is_none() {
        return;
    }
    let lab = Lab::new();
    let nobody = free_port();
    for (address, port, actual, hint) in [
        ("127.0.0.1", nobody, "refused", "nothing listens there"),
        (
            "10.66.0.1",
            22,
            "No route to host",
            "whether the host is up",
        ),
        (
            "10.66.0.2",
            22,
            "Permission denied",
            "this runner's own rules",
        ),
        ("10.66.0.3", 22, "Invalid argument", "`blackhole`"),
        (
            "10.66.0.4",
            22,
            "no answer within 2s",
            "a firewall may drop",
        ),
        (
            "192.0.2.1",
            22,
            "Network is unreachable",
            "no route to that network",
        ),
        ("no-such-name.example", 22, "does not resolve", "resolver"),
        (
            "neither.example",
            nobody,
            "has 2 addresses; ",
            "listens there",
        ),
    ] {
        let mut login = lab.login(OPS);
        (login.address, login.port) = (address.to_owned(), port);
        login.connect_timeout = Duration::from_secs(2);
        let begun = Instant::now();
        let failure = connect(&login).await.err().unwrap();
        assert!(begun.elapsed() < crate::lab::HANG, "{failure}");
        assert_eq!(failure.kind, K::Unreachable, "{failure}");
        let target = format!("{address}:{port}");
        assert_eq!(failure.subject.as_deref(), Some(&*target), "{failure}");
        assert!(failure.expected.contains(&target), "{failure}");
        assert!(failure.actual.contains(actual), "{address}: {failure}");
        assert!(failure.hint.contains(hint), "{address}: {failure:?}");
    }
    let mut login = lab.login(OPS);
    login.address = "neither.example".into();
    login.port = nobody;
    let failure = connect(&login).await.err().unwrap();
    for told in ["127.0.0.1: ", "refused", "10.66.0.1: ", "No route"] {
        assert!(failure.actual.contains(told), "{failure}");
    }
    // One address of a name is enough, and one that does not answer leaves time for the other.
    for name in ["127.0.0.1", "localhost", "both.example", "slow.example"] {
        let mut login = lab.login(OPS);
        lab.trust(&format!("{name} {}", lab.public("host")));
        login.address = name.to_owned();
        login.connect_timeout = Duration::from_secs(6);
        connect(&login)
            .await
            .unwrap_or_else(|failure| panic!("{name}: {failure}"));
    }
}

#[test]
fn every_way_that_is_not_there_is_told_by_its_cause() {
    if !usable() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let hosts = dir.path().join("hosts");
    std::fs::write(&hosts, HOSTS).unwrap();
    let out = Command::new("unshare")
        .args(["--net", "--mount", "sh", "-c", NAMESPACE, "sh"])
        .arg(&hosts)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "transport::routes::inside", "--nocapture"])
        .env(INSIDE, "yes")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    let complained = String::from_utf8_lossy(&out.stderr);
    assert!(
        out.status.success() && said.contains("1 passed"),
        "{said}\n{complained}"
    );
}
