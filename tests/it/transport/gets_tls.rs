//! HTTPS that a host asks for itself: which certificates are trusted, and what each refusal is called.

use std::path::Path;

use gonogo::failure::FailureKind as K;
use gonogo::inventory::Get;

use super::gets::{Python, Web, ask, ask_within, lives, plain};
use super::lab::{AMPLE, Lab, OPS, connect, free_port, sh, usable};

/// An authority with certificates: right, for another name, expired.
fn certificates(dir: &Path) {
    std::fs::create_dir_all(dir.join("issued")).unwrap();
    let at = |name: &str| dir.join(name).display().to_string();
    let new = |name: &str, subject: &str, more: &[&str]| {
        let (key, out) = (at(&format!("{name}.key")), at(&format!("{name}.pem")));
        let all = [
            &[
                "req",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-subj",
                subject,
                "-keyout",
                &key,
                "-out",
                &out,
            ][..],
            more,
        ];
        sh("openssl", &all.concat());
    };
    new("ca", "/CN=the lab", &["-x509", "-days", "30"]);
    new("other-ca", "/CN=another", &["-x509", "-days", "30"]);
    let config = format!(
        "[ca]\ndefault_ca=own\n[own]\ndir={d}\ndatabase={d}/index\nnew_certs_dir={d}/issued\nserial={d}/serial\n\
         certificate={d}/ca.pem\nprivate_key={d}/ca.key\ndefault_md=sha256\npolicy=any\ncopy_extensions=copy\n\
         unique_subject=no\n[any]\ncommonName=supplied\n",
        d = dir.display()
    );
    std::fs::write(dir.join("ca.cnf"), config).unwrap();
    std::fs::write(dir.join("index"), "").unwrap();
    std::fs::write(dir.join("serial"), "01\n").unwrap();
    for (name, san, end) in [
        ("right", "IP:127.0.0.1,DNS:localhost", "20991231235959Z"),
        ("elsewhere", "DNS:elsewhere.example", "20991231235959Z"),
        ("expired", "IP:127.0.0.1", "20200131235959Z"),
    ] {
        new(
            name,
            "/CN=server",
            &["-addext", &format!("subjectAltName={san}")],
        );
        let request = at(&format!("{name}.pem"));
        let issued = at(&format!("{name}.crt"));
        sh(
            "openssl",
            &[
                "ca",
                "-batch",
                "-notext",
                "-config",
                &at("ca.cnf"),
                "-startdate",
                "20200101000000Z",
                "-enddate",
                end,
                "-in",
                &request,
                "-out",
                &issued,
            ],
        );
    }
}

#[tokio::test]
pub(super) async fn a_certificate_is_checked_against_the_url_and_the_authority() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let dir = lab.dir.join("tls");
    certificates(&dir);
    lab.file("web/x", b"over tls");
    let session = connect(&lab.login(OPS)).await.unwrap();
    let ca = |name: &str, url: &str| Get {
        ca: Some(dir.join(name)),
        ..plain(url)
    };
    let mut servers = Vec::new();
    let mut serve = |name: &str| {
        let port = free_port();
        let tls = format!(
            "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n\
             context.load_cert_chain('{d}/{name}.crt', '{d}/{name}.key')\n\
             server.socket = context.wrap_socket(server.socket, server_side=True)",
            d = dir.display()
        );
        servers.push(Python::serve(&lab.dir.join("files/web"), port, &tls));
        port
    };
    let (right, elsewhere, expired) = (serve("right"), serve("elsewhere"), serve("expired"));
    let https = |port: u16| format!("https://127.0.0.1:{port}/x");
    for url in [https(right), format!("https://localhost:{right}/x")] {
        let (receipt, bytes) = ask_within(&*session, &ca("ca.pem", &url), AMPLE)
            .await
            .unwrap();
        assert_eq!((bytes.as_slice(), receipt.path), (&b"over tls"[..], url));
    }
    let web = Web::says("HTTP/1.1 400 Bad Request\r\n\r\n");
    let no_tls = format!("https://{}/x", web.address);
    for (get, told, hint) in [
        (plain(&https(right)), "UnknownIssuer", "`ca:`"),
        (ca("other-ca.pem", &https(right)), "UnknownIssuer", "`ca:`"),
        (
            ca("ca.pem", &https(elsewhere)),
            "not valid for name",
            "subjectAltName",
        ),
        (ca("ca.pem", &https(expired)), "expired", "renewed"),
        (ca("ca.pem", &no_tls), "", "http://"),
    ] {
        let failure = ask_within(&*session, &get, AMPLE).await.unwrap_err();
        assert_eq!(failure.kind, K::Mismatch, "{}: {failure}", get.url);
        assert!(failure.actual.contains(told), "{failure}");
        assert!(failure.hint.contains(hint), "{}", failure.hint);
    }
    for (get, told) in [
        (ca("none.pem", &https(right)), "none.pem"),
        (ca("index", &https(right)), "no certificate"),
    ] {
        let failure = ask_within(&*session, &get, AMPLE).await.unwrap_err();
        assert_eq!(failure.kind, K::Undefined, "{failure}");
        assert!(failure.actual.contains(told), "{failure}");
    }
    let without = ask(&*session, &format!("http://127.0.0.1:{right}/x"))
        .await
        .unwrap_err();
    assert!(matches!(without.kind, K::Io | K::Corrupt), "{without}");
    lives(&*session).await;
}
