//! Kerberos (GSSAPI) by the installed `ssh`, in a realm of the test's own: a ticket and no key lets in.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gonogo::failure::FailureKind as K;
use gonogo::inventory::Client;

use super::lab::{self, AMPLE, Lab, OPS, connect, shell, usable};

/// A realm of this test's own: its KDC, a keytab for sshd, and perhaps a ticket.
struct Realm {
    dir: tempfile::TempDir,
    kdc: Child,
}

impl Realm {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (at, port) = (dir.path().display().to_string(), lab::free_port());
        std::fs::write(
            dir.path().join("krb5.conf"),
            format!(
                "[libdefaults]\ndefault_realm = GONOGO\ndns_lookup_kdc = false\ndns_canonicalize_hostname = false\n\
                 rdns = false\nudp_preference_limit = 1\n[realms]\nGONOGO = {{\n kdc = 127.0.0.1:{port}\n}}\n"
            ),
        )
        .unwrap();
        std::fs::write(
            dir.path().join("kdc.conf"),
            format!(
                "[kdcdefaults]\nkdc_listen = \"\"\nkdc_tcp_listen = 127.0.0.1:{port}\n[realms]\nGONOGO = {{\n \
                 database_name = {at}/db\n key_stash_file = {at}/stash\n acl_file = {at}/acl\n}}\n"
            ),
        )
        .unwrap();
        let base = dir.path().to_owned();
        let run = |words: &[&str]| {
            let out = Self::command(&base, words[0])
                .args(&words[1..])
                .output()
                .unwrap();
            assert!(out.status.success(), "{words:?}: {out:?}");
        };
        run(&["kdb5_util", "create", "-s", "-r", "GONOGO", "-P", "master"]);
        for (principal, keytab) in [("host/127.0.0.1", "host.keytab"), (OPS, "user.keytab")] {
            run(&[
                "kadmin.local",
                "-q",
                &format!("addprinc -randkey {principal}"),
            ]);
            run(&[
                "kadmin.local",
                "-q",
                &format!("ktadd -k {at}/{keytab} {principal}"),
            ]);
        }
        let kdc = Self::command(dir.path(), "krb5kdc")
            .arg("-n")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let realm = Self { dir, kdc };
        let started = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(10), "no KDC");
            std::thread::sleep(Duration::from_millis(10));
        }
        run(&["kinit", "-k", "-t", &format!("{at}/user.keytab"), OPS]);
        realm
    }

    fn command(dir: &Path, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("KRB5_CONFIG", dir.join("krb5.conf"))
            .env("KRB5_KDC_PROFILE", dir.join("kdc.conf"))
            .env("KRB5_KTNAME", dir.join("host.keytab"))
            .env("KRB5CCNAME", dir.join("ticket"));
        command
    }
}

impl Drop for Realm {
    fn drop(&mut self) {
        let _ = self.kdc.kill();
        let _ = self.kdc.wait();
    }
}

// Run again as a child by the test below, with a ticket or without.
#[tokio::test]
async fn kerberos_child() {
    let Ok(expected) = std::env::var("GONOGO_TICKET") else {
        return;
    };
    lab::use_client(Client::Openssh);
    let lab = Lab::with("GSSAPIAuthentication yes\nGSSAPIStrictAcceptorCheck no");
    let mut login = lab.login(OPS);
    login.auth.clear();
    match connect(&login).await {
        Ok(session) => {
            assert_eq!(expected, "valid", "{}", lab.log());
            assert_eq!(session.greeting().method, "gssapi-with-mic");
            let output = session.run(&shell("id -un"), AMPLE).await.unwrap();
            assert_eq!(output.stdout, b"gngt-ops\n");
        }
        Err(failure) => {
            assert_eq!(expected, "none", "{failure}: {}", lab.log());
            assert_eq!(failure.kind, K::Auth);
            assert!(failure.hint.contains("klist"), "{}", failure.hint);
        }
    }
}

#[test]
fn a_kerberos_ticket_lets_in_where_the_inventory_names_no_key() {
    if !usable() {
        return;
    }
    let realm = Realm::new();
    for (ticket, cache) in [("valid", "ticket"), ("none", "absent")] {
        let mut child = Realm::command(
            realm.dir.path(),
            &std::env::current_exe().unwrap().display().to_string(),
        );
        let out = child
            .args([
                "--exact",
                "transport::kerberos::kerberos_child",
                "--nocapture",
            ])
            .env("KRB5CCNAME", realm.dir.path().join(cache))
            .env("GONOGO_TICKET", ticket)
            .env_remove("SSH_AUTH_SOCK")
            .output()
            .unwrap();
        let said = [out.stdout, out.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(
            out.status.success() && said.contains("1 passed"),
            "{ticket}: {said}"
        );
    }
}
