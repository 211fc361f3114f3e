//! Mail domains at a real DNS server: knot, authoritative for a zone of ours and for one that it has lost.

use std::fs;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::Office;
use super::site::free_port;
use crate::deliver::CERTIFICATES;
use crate::deliver::https::certificate_for;
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
        Self::with("")
    }

    /// With more in its zone.
    fn with(more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().display();
        let port = free_port();
        let config = format!(
            "server:\n  rundir: \"{at}\"\n  listen: 127.0.0.1@{port}\ndatabase:\n  storage: \"{at}\"\n\
             log:\n  - target: stderr\n    any: warning\ntemplate:\n  - id: default\n    storage: \"{at}\"\n\
             zone:\n  - domain: test\n    file: test.zone\n  - domain: failing\n    file: never.zone\n"
        );
        fs::write(dir.path().join("test.zone"), format!("{ZONE}{more}")).unwrap();
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

/// Three addresses of loopback that no other test has: mail servers have one port alone.
fn own_addresses() -> [String; 3] {
    let own = std::process::id();
    let (high, low) = (own / 80 % 250, own % 80 * 3);
    [low, low + 1, low + 2].map(|last| format!("127.25.{high}.{}", last + 1))
}

/// A real Exim is asked about addresses, and gets no message.
#[test]
fn an_address_is_accepted_by_its_mail_server_or_is_not() {
    if !is_root() {
        return;
    }
    let [address, nobody, _] = own_addresses();
    let (lab, office) = (Lab::new(), Office::new());
    let knot = Knot::with(&format!(
        "desk 60 IN MX 10 first.test.\ndesk 60 IN MX 20 second.test.\nfirst 60 IN A {address}\nsecond 60 IN A {nobody}\nback 60 IN MX 10 second.test.\nback 60 IN MX 20 first.test.\n"
    ));
    let exim = Exim::start_at(&lab, &address, 25, "tls_advertise_hosts = *");
    let contact = |email: &str, more: &str| {
        format!(
            "    resolver: \"{}\"\n    contacts: {{ana: {{name: Ana, email: \"{email}\"{more}}}}}",
            knot.address
        )
    };
    let from = "\n    probe_from: ops@open.example";
    let probed = |email: &str| contact(email, ", probe: rcpt") + from;
    let step = "every e-mail address is accepted by its mail server";

    let run = office.ask(&probed("ana@desk.test"), step);
    let acceptance = &run.is_go().probe(0)["acceptance"];
    assert_eq!(acceptance["server"], format!("first.test ({address})"));
    assert_eq!(acceptance["code"], 250);
    let line = format!(
        "  rcpt     ana@desk.test  (its preferred mail server on port 25: EHLO, MAIL FROM:<ops@open.example>, RCPT TO, RSET, QUIT, no message, asks {})\n",
        knot.address
    );
    assert!(office.plan().contains(&line), "{}", office.plan());
    office.verify(0);

    let ask = |email: &str| office.ask(&probed(email), step);
    ask("nobody@desk.test").is_no_go("denied", "550 5.1.1 no such user here");
    office.verify(1);
    ask("full@desk.test").is_no_go("denied", "552 5.2.2 mailbox full");
    let later = ask("later@desk.test");
    later.is_no_go("io", "not now: ");
    assert!(
        later.check()["failure"]["hint"]
            .as_str()
            .unwrap()
            .contains("try again")
    );
    ask("quiet@desk.test").is_no_go("undefined", "not verified: ");
    // Who stands behind the preferred server accepts what it does not know.
    ask("ana@back.test").is_no_go("unreachable", "cannot be reached");
    ask("ana@null.test").is_no_go("missing", "none that takes mail");
    ask("ana@nowhere.test").is_no_go("missing", "none that takes mail");
    ask("ana@x.failing").is_no_go("unreachable", "nothing is known");
    // A sender that is not let in says nothing of the address.
    office
        .ask(&contact("ana@desk.test", ", probe: rcpt"), step)
        .is_no_go("denied", "lets <> ask nothing");
    office
        .ask(&contact("ana@desk.test", ""), step)
        .is_no_go("missing", "not to be asked");

    // The question of the domain alone asks no server, unless the inventory says so.
    let run = office.ask(&contact("nobody@desk.test", ""), STEP);
    assert_eq!(run.is_go().check()["probes"].as_array().unwrap().len(), 1);
    let asked = |email: &str| office.ask(&probed(email), STEP);
    asked("nobody@desk.test").is_no_go("denied", "no such user here");
    let quiet = asked("quiet@desk.test");
    assert_eq!(quiet.is_go().probe(1)["acceptance"]["code"], 252);
    asked("ana@desk.test").is_go();
    office.verify(0);

    assert_eq!(exim.messages(), 0, "no message was handed over");
}

/// What insists on TLS is asked over TLS, and only by a certificate that holds.
#[test]
fn a_mail_server_that_insists_on_tls_is_asked_over_tls_or_not_at_all() {
    if !is_root() {
        return;
    }
    let [.., address] = own_addresses();
    let (lab, office) = (Lab::new(), Office::new());
    let knot = Knot::with(&format!(
        "desk 60 IN MX 10 shut.test.\nshut 60 IN A {address}\n"
    ));
    certificate_for(&lab, "DNS:shut.test");
    let exim = Exim::start_at(&lab, &address, 25, "tls_advertise_hosts = *\n# TLS");
    let vendor = format!(
        "    resolver: \"{}\"\n    probe_from: ops@open.example\n    contacts: {{ana: {{name: Ana, email: \"ana@desk.test\", probe: rcpt}}}}",
        knot.address
    );
    let step = "every e-mail address is accepted by its mail server";
    office
        .ask(&vendor, step)
        .is_no_go("mismatch", "is not who it should be");
    let authority = lab.operator().join(CERTIFICATES);
    let trusted = [("SSL_CERT_FILE", authority.to_str().unwrap())];
    let run = office.run(&[], &trusted);
    assert_eq!(run.is_go().probe(0)["acceptance"]["code"], 250);
    assert_eq!(exim.messages(), 0);
}
