//! An upload: real nginx with its DAV module, over TLS.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{CERTIFICATES, deliver, ends, names, office, receipts};
use crate::lab::{Lab, is_root, until};

struct Nginx {
    server: Child,
    port: u16,
    root: PathBuf,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Nginx {
    /// With these lines inside of `server`.
    fn start(lab: &Lab, lines: &str) -> Self {
        let root = lab.path("web");
        for folder in ["store/cases", "other/cases", "tmp"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        certificate(lab);
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let at = root.display();
        // `$where`: what is got is another folder's than what is put.
        let folder = if lines.is_empty() { "$where" } else { "store" };
        let user = if is_root() { "user root;" } else { "" };
        let operator = lab.operator();
        let operator = operator.display();
        let config = format!(
            "{user} daemon off; master_process off; pid {at}/pid; error_log {at}/error.log; events {{}}
             http {{ access_log {at}/access.log; client_body_temp_path {at}/tmp;
             proxy_temp_path {at}/tmp/p; fastcgi_temp_path {at}/tmp/f; uwsgi_temp_path {at}/tmp/u; scgi_temp_path {at}/tmp/s;
             client_max_body_size 1m; map $request_method $where {{ default store; GET other; }}
             server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {operator}/{CERTIFICATES};
             ssl_certificate_key {operator}/tls.key; root {at}/{folder};
             dav_methods PUT; {lines} }} }}"
        );
        fs::write(root.join("nginx.conf"), config).unwrap();
        let server = Command::new("nginx")
            .arg("-c")
            .arg(root.join("nginx.conf"))
            .arg("-p")
            .arg(&root)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let nginx = Self { server, port, root };
        until("nginx answers", Duration::from_secs(20), || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        nginx
    }

    fn intake(&self) -> Value {
        json!([{"kind": "https", "url": format!("https://127.0.0.1:{}/cases", self.port), "token_env": "DROP_TOKEN"}])
    }

    fn there(&self) -> Vec<String> {
        names(&self.root.join("store/cases"))
    }
}

pub(super) fn certificate(lab: &Lab) {
    certificate_for(lab, "IP:127.0.0.1");
}

/// A certificate of that server, which is its own authority.
pub(crate) fn certificate_for(lab: &Lab, server: &str) {
    let at = |name: &str| lab.operator().join(name);
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ])
        .args([
            "-days",
            "2",
            "-subj",
            "/CN=intake",
            "-addext",
            &format!("subjectAltName={server}"),
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ])
        .arg("-keyout")
        .arg(at("tls.key"))
        .arg("-out")
        .arg(at(CERTIFICATES))
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
}

const TOKEN: &str = "if ($http_authorization != 'Bearer t0ken-17') { return 401; }";

#[test]
fn it_arrives_with_the_same_digest_and_writes_nothing_over() {
    let lab = Lab::new();
    let nginx = Nginx::start(&lab, TOKEN);
    office(&lab, &nginx.intake(), 700_001);
    ends(
        &deliver(&lab, &[]),
        0,
        &[
            "would send",
            "https PUT https://127.0.0.1",
            "the token in DROP_TOKEN",
        ],
    );
    assert!(nginx.there().is_empty());
    ends(
        &deliver(&lab, &["--send"]),
        0,
        &["read back and the same", "HTTP status 201"],
    );
    let bytes = fs::read(lab.path("operator/b.tar.zst")).unwrap();
    assert!(fs::read(nginx.root.join("store/cases/b.tar.zst")).unwrap() == bytes);
    assert_eq!(receipts(&lab)[0]["arrival"], "read back");
    fs::write(nginx.root.join("store/cases/b.tar.zst"), "another's").unwrap();
    ends(
        &deliver(&lab, &["--send"]),
        1,
        &["not delivered", "already"],
    );
    assert_eq!(
        fs::read(nginx.root.join("store/cases/b.tar.zst")).unwrap(),
        b"another's"
    );
    let log = fs::read_to_string(nginx.root.join("access.log")).unwrap();
    assert_eq!(log.matches("\"PUT ").count(), 1, "{log}");
}

#[test]
fn what_the_intake_refuses_is_told_by_its_status() {
    for (lines, says, what) in [
        (
            "if ($http_authorization != 'Bearer other') { return 401; }",
            "status 401",
            "token of `token_env`",
        ),
        (
            "client_max_body_size 100k;",
            "status 413",
            "more than this intake takes",
        ),
        (
            "if ($request_method = PUT) { return 507; }",
            "status 507",
            "is full",
        ),
        (
            "if ($request_method = PUT) { return 403; }",
            "status 403",
            "may write there",
        ),
        (
            "if ($request_method = PUT) { return 412; }",
            "status 412",
            "nothing is written over",
        ),
        (
            "location / { return 302 https://example.com/; }",
            "status 302",
            "leads elsewhere",
        ),
        (
            "location /cases/ { root /nowhere/x; dav_methods off; }",
            "status 405",
            "takes no PUT",
        ),
        (
            "if ($request_method = PUT) { return 503; }",
            "status 503",
            "later",
        ),
    ] {
        let lab = Lab::new();
        let nginx = Nginx::start(&lab, lines);
        office(&lab, &nginx.intake(), 700_001);
        ends(
            &deliver(&lab, &["--send"]),
            1,
            &["not delivered", says, what],
        );
        assert!(nginx.there().is_empty(), "{lines}");
    }
}

#[test]
fn a_stored_file_that_differs_is_damaged_and_one_that_hides_is_unknown() {
    let lab = Lab::new();
    let nginx = Nginx::start(&lab, "");
    office(&lab, &nginx.intake(), 700_001);
    let half = fs::read(lab.path("operator/b.tar.zst")).unwrap()[..300_000].to_vec();
    fs::write(nginx.root.join("other/cases/b.tar.zst"), half).unwrap();
    ends(
        &deliver(&lab, &["--send"]),
        1,
        &["is not what was sent", "300000 bytes", "left at the intake"],
    );
    assert_eq!(receipts(&lab)[0]["outcome"], "damaged");
    fs::remove_file(nginx.root.join("other/cases/b.tar.zst")).unwrap();
    fs::remove_file(nginx.root.join("store/cases/b.tar.zst")).unwrap();
    ends(&deliver(&lab, &["--send"]), 0, &["arrival not known"]);
    assert_eq!(receipts(&lab)[1]["arrival"], "not known");
}

#[test]
fn nobody_else_gets_it_and_nothing_hangs() {
    let lab = Lab::new();
    let nginx = Nginx::start(&lab, TOKEN);
    office(&lab, &nginx.intake(), 700_001);
    // Another machine's certificate.
    let other = Lab::new();
    certificate(&other);
    let (own, strange) = (
        lab.operator().join(CERTIFICATES),
        other.operator().join(CERTIFICATES),
    );
    let kept = fs::read(&own).unwrap();
    fs::copy(strange, &own).unwrap();
    ends(
        &deliver(&lab, &["--send"]),
        1,
        &["cannot be reached", "certificate"],
    );
    fs::write(&own, kept).unwrap();
    let mut intake = nginx.intake();
    intake[0]["token_env"] = json!("NOT_SET_ANYWHERE");
    office(&lab, &intake, 700_001);
    ends(
        &deliver(&lab, &["--send"]),
        1,
        &["NOT_SET_ANYWHERE holds no token"],
    );
    intake = nginx.intake();
    intake[0]["url"] = json!(format!("https://127.0.0.1:{}/cases?a=b", nginx.port));
    office(&lab, &intake, 700_001);
    ends(&deliver(&lab, &[]), 2, &["has a query"]);
    assert!(nginx.there().is_empty());

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    intake[0]["url"] = json!(format!("https://127.0.0.1:{port}/cases"));
    office(&lab, &intake, 700_001);
    let begun = Instant::now();
    ends(
        &deliver(&lab, &["--send", "--deadline", "2s"]),
        1,
        &["not delivered"],
    );
    assert!(begun.elapsed() < crate::lab::HANG);
}

/// Accepts everybody and says nothing; the deadline is half an hour, and nobody waits for it.
#[test]
fn a_silent_peer_is_given_up_long_before_the_deadline_and_a_slow_one_is_not() {
    let lab = Lab::new();
    certificate(&lab);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let intake = json!([{"kind": "https", "url": format!("https://127.0.0.1:{port}/cases"), "token_env": "DROP_TOKEN"}]);
    office(&lab, &intake, 700_001);
    // `deliver` itself is bounded to a minute.
    ends(
        &deliver(&lab, &["--send"]),
        1,
        &["not delivered", "said nothing in TLS for 20s", "firewall"],
    );
    // Takes more than 20 seconds in all, and never stands still.
    let lab = Lab::new();
    let nginx = Nginx::start(&lab, "limit_rate 28k;");
    office(&lab, &nginx.intake(), 700_001);
    let begun = Instant::now();
    ends(&deliver(&lab, &["--send"]), 0, &["read back and the same"]);
    assert!(begun.elapsed() > Duration::from_secs(20));
}
