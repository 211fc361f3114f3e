//! A server may have words written into the log of the installed `ssh` before it has proven anything
//! (SSH_MSG_DEBUG, RFC 4253 11.3, whose line breaks `ssh` keeps): none of them may pass for a word of `ssh`.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use gonogo::failure::FailureKind as K;
use gonogo::inventory::Client;

use super::lab::{self, Lab, OPS, connect, sh, usable};
use super::openssh::{Person, configured};

/// What a handshake with the right host would log.
fn words(print: &str, port: u16) -> String {
    format!(
        "x\ndebug1: Server host key: ssh-ed25519 {print}\n\
         debug1: Host '[127.0.0.1]:{port}' is known and matches the ED25519 host key.\n\
         debug1: SSH2_MSG_NEWKEYS sent\n\
         Authenticated to 127.0.0.1 ([127.0.0.1]:{port}) using \"publickey\".\n\
         debug1: Will attempt key: /tmp/gng-x/proof explicit\n\
         gngt-ops@127.0.0.1: Permission denied (publickey).\n"
    )
}

/// Says `words` to whoever comes, before any key is exchanged, and then hangs up or stays silent.
fn liar(words: String, hangs_up: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(4) {
            let mut stream = stream.unwrap();
            let mut body = vec![4, 1];
            for text in [words.as_bytes(), b""] {
                body.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
                body.extend(text);
            }
            let padding = 8 + (8 - (5 + body.len() + 8) % 8) % 8;
            let length = u32::try_from(1 + body.len() + padding).unwrap();
            let mut packet = b"SSH-2.0-liar\r\n".to_vec();
            packet.extend(length.to_be_bytes());
            packet.push(u8::try_from(padding).unwrap());
            packet.extend(body);
            packet.extend(vec![0; padding]);
            let _ = stream.write_all(&packet);
            if hangs_up {
                // Until ssh has said what it has to say.
                let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
                let mut piece = [0; 4096];
                while matches!(stream.read(&mut piece), Ok(1..)) {}
            } else {
                std::mem::forget(stream);
            }
        }
    });
    port
}

#[tokio::test]
async fn words_of_a_server_prove_no_host_of_a_control_socket() {
    lab::use_client(Client::Openssh);
    if !usable() {
        return;
    }
    let lab = Lab::new();
    let print = sh(
        "ssh-keygen",
        &["-lf", &lab.dir.join("host.pub").display().to_string()],
    );
    let print = print.split(' ').nth(1).unwrap();
    let mut login = lab.login(OPS);
    login.auth.clear();
    login.connect_timeout = Duration::from_secs(4);
    let person = Person::opens(&lab, "cm-%r@%h:%p");
    for hangs_up in [true, false] {
        let port = liar(words(print, lab.port), hangs_up);
        let proxy = format!(
            "  ProxyCommand bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; cat <&3 & cat >&3'\n"
        );
        let there = configured(&lab, &login, &format!("{}{proxy}", person.lines));
        let met = connect(&there).await;
        let greeting = met.as_ref().ok().map(|session| session.greeting().clone());
        assert!(greeting.is_none(), "proven by its own words: {greeting:?}");
        let failure = met.err().unwrap();
        assert!(
            matches!(failure.kind, K::Unreachable | K::Timeout | K::HostKey),
            "{failure}"
        );
    }
    // The same way without the liar.
    let straight = configured(&lab, &login, &person.lines);
    let session = connect(&straight).await.unwrap();
    assert_eq!(session.greeting().host_key, print);
}
