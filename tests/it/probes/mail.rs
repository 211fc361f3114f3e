//! Mail domains at a real DNS server: knot, authoritative for a zone of ours and for one that it has lost.

use std::fs;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::Office;
use super::site::free_port;
use crate::deliver::CERTIFICATES;
use crate::deliver::mail::Exim;
use crate::lab::{Lab, is_root, until};

const ZONE: &str = "\
$ORIGIN test.
@ 60 IN SOA ns.test. admin.test. 1 3600 600 86400 60
@ 60 IN NS ns.test.
ns 60 IN A 127.0.0.1
mx 60 IN A 127.0.0.1
good 60 IN MX 10 mx.test.
good 60 IN MX 20 gone.test.
lost 60 IN MX 10 gone.test.
null 60 IN MX 0 .
plain 60 IN A 127.0.0.1
text 60 IN TXT \"nothing of mail\"
";

struct Knot {
    _dir: TempDir,
    server: Child,
    address: SocketAddr,
}

impl Knot {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().display();
        let port = free_port();
        let config = format!(
            "server:\n  rundir: \"{at}\"\n  listen: 127.0.0.1@{port}\ndatabase:\n  storage: \"{at}\"\n\
             log:\n  - target: stderr\n    any: warning\ntemplate:\n  - id: default\n    storage: \"{at}\"\n\
             zone:\n  - domain: test\n    file: test.zone\n  - domain: failing\n    file: never.zone\n"
        );
        fs::write(dir.path().join("test.zone"), ZONE).unwrap();
        fs::write(dir.path().join("knot.conf"), config).unwrap();
        let server = Command::new("knotd")
            .arg("-c")
            .arg(dir.path().join("knot.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        until("knot listens", Duration::from_secs(30), || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            _dir: dir,
            server,
            address,
        }
    }
}

impl Drop for Knot {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

const STEP: &str = "every e-mail address is of a domain that takes mail";

fn contact(domain: &str, resolver: SocketAddr) -> String {
    format!(
        "    resolver: \"{resolver}\"\n    contacts: {{ana: {{name: Ana, email: \"ana@{domain}\"}}}}"
    )
}

#[test]
fn a_mail_domain_is_plausible_refused_or_unknown() {
    let (office, knot) = (Office::new(), Knot::start());
    let ask = |domain: &str| office.ask(&contact(domain, knot.address), STEP);
    let run = ask("good.test");
    let mail = &run.is_go().probe(0)["mail"];
    assert_eq!(mail["says"], "exchangers");
    assert_eq!(mail["exchangers"][0]["name"], "mx.test");
    assert_eq!(mail["resolver"], knot.address.to_string());
    let plan = office.plan();
    assert!(
        plan.contains(&format!("  mx       good.test  (asks {})\n", knot.address)),
        "{plan}"
    );
    office.verify(0);
    assert_eq!(
        ask("plain.test").is_go().probe(0)["mail"]["says"],
        "implicit"
    );
    ask("null.test").is_no_go("denied", "RFC 7505");
    ask("lost.test").is_no_go("missing", "no address");
    ask("text.test").is_no_go("missing", "neither");
    ask("nowhere.test").is_no_go("missing", "NXDOMAIN");
    // The server has this zone and cannot tell (SERVFAIL); the other it does not have (REFUSED).
    ask("x.failing").is_no_go("unreachable", "unknown");
    ask("example.com").is_no_go("unreachable", "unknown");
    office.verify(1);
}

#[test]
fn a_resolver_that_is_silent_is_unknown_in_time() {
    let office = Office::new();
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let run = office.ask(&contact("good.test", silent.local_addr().unwrap()), STEP);
    assert_eq!(run.code, 1);
    let kind = run.check()["failure"]["kind"].as_str().unwrap();
    assert!(["timeout", "unreachable"].contains(&kind), "{kind}");
    assert!(run.took < Duration::from_secs(25), "{:?}", run.took);
}

#[test]
fn a_mailbox_is_reached_by_its_domain_and_by_the_server_that_takes_our_mail() {
    if !is_root() {
        return;
    }
    let (lab, office, knot) = (Lab::new(), Office::new(), Knot::start());
    let exim = Exim::start(&lab, "tls_advertise_hosts = *\nmessage_size_limit = 1M");
    let intake = |port: u16, to: &str, more: &str| {
        format!(
            "    resolver: \"{}\"\n    intake: [{{kind: e-mail, to: in@{to}.test, from: us@good.test, host: 127.0.0.1, port: {port}{more}}}]",
            knot.address
        )
    };
    let step = "every intake of the vendor can be reached";
    let ca = format!(", ca: \"{}\"", lab.operator().join(CERTIFICATES).display());
    let run = office.ask(&intake(exim.port, "good", &ca), step);
    let reception = &run.is_go().probe(1)["reception"];
    assert_eq!(reception["name"], "mx.test");
    assert_eq!(reception["encrypted"], true);
    assert_eq!(reception["most_bytes"], 1 << 20);
    let line = format!(
        "  smtp     127.0.0.1:{}  (trusts {CERTIFICATES}, EHLO, STARTTLS, EHLO)\n",
        exim.port
    );
    assert!(office.plan().contains(&line), "{}", office.plan());
    office.verify(0);
    assert_eq!(exim.messages(), 0);
    // Each of both must be well.
    office
        .ask(&intake(exim.port, "null", &ca), step)
        .is_no_go("denied", "RFC 7505");
    office
        .ask(&intake(exim.port, "good", ""), step)
        .is_no_go("mismatch", "is not who it should be");
    let plain = Exim::start(&lab, "tls_advertise_hosts =");
    office
        .ask(&intake(plain.port, "good", &ca), step)
        .is_no_go("mismatch", "offers no STARTTLS");
    office
        .ask(&intake(plain.port, "good", ", tls: none"), step)
        .is_go();
    office
        .ask(&intake(free_port(), "good", &ca), step)
        .is_no_go("unreachable", "cannot be reached");
    office.verify(1);
}
