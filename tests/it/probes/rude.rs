//! Servers that hang, talk nonsense or never stop; and a proxy on the way.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::site::Site;
use super::{Office, at};

/// Whoever connects is answered so, a thread each.
fn server(answer: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for peer in listener.incoming() {
            let (answer, peer) = (Arc::clone(&answer), peer.unwrap());
            peer.set_read_timeout(Some(Duration::from_secs(60)))
                .unwrap();
            std::thread::spawn(move || answer(peer));
        }
    });
    address
}

fn head(peer: &mut TcpStream) -> String {
    let (mut request, mut byte) = (Vec::new(), [0]);
    while !request.ends_with(b"\r\n\r\n") && matches!(peer.read(&mut byte), Ok(1)) {
        request.push(byte[0]);
    }
    String::from_utf8_lossy(&request).into_owned()
}

fn says(text: impl Into<Vec<u8>>) -> SocketAddr {
    let text = text.into();
    server(move |mut peer| {
        head(&mut peer);
        // Whoever has heard enough hangs up.
        let _ = peer.write_all(&text);
    })
}

const STEP: &str = "every status page of the vendor is alive";

fn page(address: SocketAddr) -> String {
    format!("    status_pages: [{{url: \"http://{address}/\", kind: page}}]")
}

#[test]
fn no_server_holds_a_run_up_or_fools_it() {
    let office = Office::new();
    let whole = says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    office.ask(&page(whole), STEP).is_go();
    office.verify(0);
    let huge = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(9 << 20));
    for (answer, kind, words) in [
        ("SSH-2.0-OpenSSH_9.2\r\n".to_owned(), "corrupt", "SSH-2.0"),
        (String::new(), "io", "without one"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok".to_owned(),
            "short",
            "2 bytes",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nok".to_owned(),
            "mismatch",
            "gzip",
        ),
        (
            format!("HTTP/1.1 200 OK\r\n{}", "X: y\r\n".repeat(9000)),
            "too-large",
            "lines",
        ),
        (huge, "too-large", "closed"),
    ] {
        let run = office.ask(&page(says(answer.clone())), STEP);
        run.is_no_go(kind, if kind == "too-large" { "" } else { words });
    }
    let silent = server(|mut peer| {
        head(&mut peer);
        std::thread::sleep(Duration::from_secs(40));
    });
    let run = office.ask(&page(silent), STEP);
    run.is_no_go("timeout", "");
    assert!(run.took < Duration::from_secs(25), "{:?}", run.took);
    office.verify(1);
}

#[test]
fn what_drips_without_end_is_late_and_is_not_asked_again() {
    let office = Office::new();
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    let drips = server(move |mut peer| {
        head(&mut peer);
        *count.lock().unwrap() += 1;
        let _ = peer.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while peer.write_all(b".").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let monitored = format!("    monitoring: [{{url: \"http://{drips}/\", samples: 3}}]");
    let run = office.ask(&monitored, "every monitoring URL answers within 30 seconds");
    run.is_no_go("timeout", "");
    assert_eq!(*asked.lock().unwrap(), 1);
    assert!(run.took < Duration::from_secs(25), "{:?}", run.took);
}

/// Opens a way to wherever it is asked for, and counts.
fn proxy(asked: Arc<Mutex<Vec<String>>>) -> SocketAddr {
    server(move |mut peer| {
        let request = head(&mut peer);
        asked.lock().unwrap().push(request.clone());
        let place = request.split(' ').nth(1).unwrap_or_default().to_owned();
        let Ok(mut there) = TcpStream::connect(&place) else {
            let _ = peer.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n");
            return;
        };
        peer.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
            .unwrap();
        let (mut back, mut to) = (there.try_clone().unwrap(), peer.try_clone().unwrap());
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut back, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Both);
        });
        let _ = std::io::copy(&mut peer, &mut there);
    })
}

#[test]
fn the_proxy_of_the_environment_is_used_told_and_left_out_where_it_says_so() {
    let (office, site) = (Office::new(), Site::start());
    let body = format!(r#"{{"t":"{}"}}"#, at(0));
    site.put("health.json", &body);
    let url = format!("https://localhost:{}/health.json", site.port);
    let monitored = format!(
        "    monitoring: [{{url: \"{url}\", ca: \"{}\", samples: 1}}]",
        site.ca().display()
    );
    office.write(
        &monitored,
        &["every monitoring URL answers within 5 seconds"],
    );
    let asked = Arc::new(Mutex::new(Vec::new()));
    let address = proxy(Arc::clone(&asked));
    let value = format!("http://ana:s3cr%3At@{address}");
    let run = office.run(&[], &[("HTTPS_PROXY", &value)]);
    let hop = run.is_go().probe(0)["samples"][0]["hops"][0].clone();
    assert_eq!(hop["proxy"], address.to_string());
    assert!(hop["proxy_us"].as_u64().unwrap() > 0 && hop["tls_us"].as_u64().unwrap() > 0);
    let heard = asked.lock().unwrap().join("\n");
    assert!(
        heard.starts_with(&format!("CONNECT localhost:{} HTTP/1.1", site.port)),
        "{heard}"
    );
    assert!(
        heard.contains("Proxy-Authorization: Basic YW5hOnMzY3I6dA=="),
        "{heard}"
    );
    let told = run.report.to_string();
    assert!(!told.contains("s3cr") && !told.contains("YW5h"), "{told}");
    office.verify(0);
    let direct = office.run(&[], &[("HTTPS_PROXY", &value), ("NO_PROXY", "localhost")]);
    assert!(direct.is_go().probe(0)["samples"][0]["hops"][0]["proxy"].is_null());
    assert_eq!(asked.lock().unwrap().len(), 1);
    let dead = says("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    office
        .run(&[], &[("HTTPS_PROXY", &format!("http://{dead}"))])
        .is_no_go("denied", "407");
    office
        .run(&[], &[("HTTPS_PROXY", "socks5://127.0.0.1:1")])
        .is_no_go("undefined", "SOCKS");
}
