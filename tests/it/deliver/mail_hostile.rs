//! E-mail to what is no mail server, or to one that lies: said by a peer in the process, piece by piece.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::json;

use super::https::certificate;
use super::mail::says;
use super::{deliver, ends, office};
use crate::lab::Lab;

/// A server that says these pieces, each after it heard something; the first at once.
fn peer(says: Vec<Vec<u8>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else {
            return;
        };
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        for piece in says {
            if stream.write_all(&piece).is_err() || !matches!(stream.read(&mut [0; 65536]), Ok(1..))
            {
                return;
            }
        }
        // It stays, and says no more.
        std::thread::sleep(Duration::from_secs(20));
    });
    port
}

#[test]
fn a_hostile_server_ends_by_the_deadline_and_proves_nothing() {
    let lab = Lab::new();
    office(&lab, &json!([]), 2000);
    certificate(&lab);
    let line = |text: &str| format!("{text}\r\n").into_bytes();
    let open = || json!({"tls": "none", "user": null, "password_env": null, "ca": null});
    let hello = || line("250-mx\r\n250 STARTTLS");
    let plain = || line("250 mx");
    let endless = line("220-more").repeat(200_000);
    let talk = |last: &str| {
        vec![
            line("220 mx"),
            plain(),
            line("250 ok"),
            line("250 ok"),
            line("354 go"),
            line(last),
        ]
    };
    for (name, pieces, more, words) in [
        ("silent", vec![vec![]], open(), "said nothing within 3s"),
        (
            "endless banner",
            vec![endless],
            open(),
            "answers without an end",
        ),
        (
            "endless line",
            vec![vec![b'2'; 1 << 20]],
            open(),
            "in a line without an end",
        ),
        (
            "no SMTP",
            vec![line("SSH-2.0-OpenSSH_9.2")],
            open(),
            "does not speak SMTP",
        ),
        (
            "two codes",
            vec![line("220-a\r\n550 b")],
            open(),
            "does not speak SMTP",
        ),
        (
            "busy",
            vec![line("421 4.3.2 come back")],
            open(),
            "try again later",
        ),
        (
            "shut",
            vec![line("554 no mail here")],
            open(),
            "turns us away: 554",
        ),
        // What was put before TLS would be taken for the server's answers behind it.
        (
            "injected",
            vec![
                line("220 mx"),
                hello(),
                line("220 go\r\n250 mx\r\n250 ok\r\n250 ok\r\n354 go\r\n250 queued"),
            ],
            json!({}),
            "went on in plain text where TLS begins",
        ),
        (
            "no TLS behind it",
            vec![line("220 mx"), hello(), line("220 go"), line("250 mx")],
            json!({}),
            "not delivered",
        ),
        (
            "no answer at the end",
            {
                let mut all = talk("");
                all.pop();
                all.push(vec![]);
                all
            },
            open(),
            "did not say whether it took it",
        ),
        (
            "354 at the end",
            talk("354 go on"),
            open(),
            "does not take the message",
        ),
        (
            "too late",
            talk("452 4.3.1 disk full"),
            open(),
            "try again later",
        ),
    ] {
        let port = peer(pieces);
        let mut more = more;
        if more.as_object().unwrap().is_empty() {
            more = json!({"user": null, "password_env": null});
        }
        says(&lab, port, &more);
        let begun = Instant::now();
        let told = deliver(&lab, &["--send", "--deadline", "3s"]);
        ends(&told, 1, &["not delivered", words]);
        if name == "silent" {
            ends(&told, 1, &["hint: try again later", "`--deadline TIME`"]);
        }
        assert!(begun.elapsed() < crate::lab::HANG, "{name}");
    }
    // The same to the end.
    says(&lab, peer(talk("250 2.0.0 queued as 17")), &open());
    ends(
        &deliver(&lab, &["--send", "--deadline", "9s"]),
        0,
        &["250 2.0.0 queued as 17"],
    );
}
