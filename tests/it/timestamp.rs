//! Time stamps by file exchange and by HTTP, from the authority that comes with openssl(1): a run that has
//! one outlives its key, and nobody gains by stamping something else, or later.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::lab::GONOGO;

const CONFIG: &str = "[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=NAME\n\
    [root]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n\
    [leaf]\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n\
    [ca]\ndefault_ca=it\n[it]\ndatabase=NAME.index\nserial=NAME.certs\nnew_certs_dir=.\npolicy=any\ndefault_md=sha256\n\
    [any]\ncommonName=supplied\n\
    [tsa]\ndefault_tsa=stamps\n[stamps]\nserial=NAME.serial\nsigner_digest=sha256\ndefault_policy=1.2.3.4.1\n\
    digests=sha256,sha512\ness_cert_id_alg=sha256\n";

/// A run of the practice estate, and authorities beside it.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new(run: &str) -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        let made = desk.gonogo(&["demo", "--out", run]);
        assert_eq!(made.status.code(), Some(0), "{made:?}");
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn gonogo(&self, args: &[&str]) -> Output {
        Command::new(GONOGO)
            .args(args)
            .current_dir(self.0.path())
            .output()
            .unwrap()
    }

    #[track_caller]
    fn says(&self, args: &[&str], code: i32, words: &str) -> String {
        let output = self.gonogo(args);
        let told = String::from_utf8([&output.stdout[..], &output.stderr].concat()).unwrap();
        let as_meant = output.status.code() == Some(code) && told.contains(words);
        assert!(as_meant, "{args:?}: not exit {code} with `{words}`: {told}");
        told
    }

    #[track_caller]
    fn verify(&self, more: &[&str], code: i32, words: &str) -> String {
        let args = ["verify", "run", "--allowed-signers", "run.allowed_signers"];
        self.says(&[&args, more].concat(), code, words)
    }

    #[track_caller]
    fn shell(&self, line: &str) {
        let output = Command::new("sh")
            .args(["-e", "-c", line])
            .current_dir(self.0.path())
            .output();
        let output = output.unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
    }

    /// An authority whose certificate is good until `seconds` from now.
    fn authority(&self, name: &str, seconds: i64) {
        fs::write(
            self.path(&format!("{name}.cnf")),
            CONFIG.replace("NAME", name),
        )
        .unwrap();
        let end = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
        let end = end.strftime("%Y%m%d%H%M%SZ");
        self.shell(&format!(
            "touch {name}.index; echo 01 > {name}.certs; echo 01 > {name}.serial
             for key in {name}-ca {name}; do openssl ecparam -name prime256v1 -genkey -noout -out $key.key; done
             openssl req -x509 -new -key {name}-ca.key -config {name}.cnf -extensions root -subj '/CN={name} root' -days 3650 -out {name}-ca.pem
             openssl req -new -key {name}.key -config {name}.cnf -out {name}.csr
             openssl ca -batch -notext -config {name}.cnf -cert {name}-ca.pem -keyfile {name}-ca.key -extensions leaf \
               -enddate {end} -in {name}.csr -out {name}.pem"
        ));
    }

    fn answer(&self, name: &str, request: &str, answer: &str) {
        answered(self.0.path(), name, request, answer);
    }
}

fn answered(dir: &Path, name: &str, request: &str, answer: &str) {
    let output = Command::new("openssl")
        .args([
            "ts",
            "-reply",
            "-section",
            "stamps",
            "-config",
            &format!("{name}.cnf"),
        ])
        .args([
            "-signer",
            &format!("{name}.pem"),
            "-inkey",
            &format!("{name}.key"),
        ])
        .args(["-queryfile", request, "-out", answer])
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

const TSQ: &str = "run/SHA256SUMS.sig.tsq";
const TSR: &str = "run/SHA256SUMS.sig.tsr";
const TSA: [&str; 2] = ["--tsa-ca", "tsa-ca.pem"];

/// `time_stamp:` of a policy, and no flag that makes it longer or takes it away.
#[test]
fn a_policy_asks_for_a_stamp() {
    let desk = Desk::new("run");
    desk.authority("tsa", 3600);
    desk.authority("other", 3600);
    let rule = |file: &str, stamp: &str| {
        let text = format!("environment: practice\nmax_age: 24h\ntime_stamp: {{{stamp}}}\n");
        fs::write(desk.path(file), text).unwrap();
    };
    rule("policy.yaml", "tsa_ca: tsa-ca.pem");
    rule("other.yaml", "tsa_ca: other-ca.pem");
    rule("soon.yaml", "tsa_ca: tsa-ca.pem, within: 1ms");
    let policy = |file: &'static str| ["--policy", file];
    desk.verify(&policy("policy.yaml"), 4, "time stamp: the run has none");
    desk.says(&["timestamp", "request", "run"], 0, "curl");
    desk.answer("tsa", TSQ, "answer.tsr");
    let attach = ["timestamp", "attach", "run", "answer.tsr"];
    desk.says(&[&attach[..], &TSA].concat(), 0, "by CN=tsa");
    let told = desk.verify(&policy("policy.yaml"), 0, "time stamp");
    assert!(told.contains("\nGO\n"), "{told}");
    desk.verify(&policy("other.yaml"), 4, "time stamp: ");
    // What makes it longer is no flag's to say: src/cli/policy.rs.
    let with = |file, more: &[&'static str]| [&policy(file), &TSA[..], more].concat();
    desk.verify(&with("policy.yaml", &["--stamped-within", "999d"]), 0, "GO");
    let excluded = [&policy("other.yaml")[..], &TSA].concat();
    desk.verify(&excluded, 2, "`time_stamp` and --tsa-ca");
    // Rubbish where the stamp should be is none.
    fs::write(desk.path(TSR), "x").unwrap();
    desk.verify(&policy("policy.yaml"), 4, "time stamp: ");
    desk.verify(&[], 0, "GO");
}

#[test]
fn a_stamped_run_outlives_its_key_and_the_authoritys() {
    let desk = Desk::new("run");
    let begun = std::time::Instant::now();
    let life = 60;
    desk.authority("tsa", life);
    desk.says(
        &["timestamp", "request", "run"],
        0,
        "curl -H 'Content-Type: application/timestamp-query'",
    );
    desk.answer("tsa", TSQ, "answer.tsr");
    let stamped = jiff::Timestamp::now().as_second();
    let attach = [
        "timestamp",
        "attach",
        "run",
        "answer.tsr",
        "--tsa-ca",
        "tsa-ca.pem",
    ];
    desk.says(&attach, 0, "by CN=tsa (serial 02, policy 1.2.3.4.1)");
    desk.says(&attach, 2, "has a time stamp already");
    // Nothing of the run was touched, and stock tools agree.
    desk.verify(&[], 0, "GO");
    desk.verify(&TSA, 0, "time stamp");
    desk.verify(&[&TSA[..], &["--require-timestamp"]].concat(), 0, "GO");
    desk.shell("cd run && sha256sum --strict --quiet -c SHA256SUMS");
    let stock =
        "openssl ts -verify -data run/SHA256SUMS.sig -in run/SHA256SUMS.sig.tsr -CAfile tsa-ca.pem";
    desk.shell(&format!("{stock} -attime {stamped}"));

    // The key is retired right after: without the stamp the run says nothing any more.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let line = fs::read_to_string(desk.path("run.allowed_signers")).unwrap();
    let until = |until: String| {
        let line = line.replace(
            "namespaces=",
            &format!("valid-before=\"{until}\",namespaces="),
        );
        fs::write(desk.path("run.allowed_signers"), line).unwrap();
    };
    until(jiff::Timestamp::now().strftime("%Y%m%d%H%M%SZ").to_string());
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    desk.verify(&[], 4, "the key is not valid at");
    desk.verify(&TSA, 0, "GO");
    // Retired before it: the stamp proves that the key had no right to sign.
    until("20260101Z".to_owned());
    desk.verify(&TSA, 4, "the key is not valid at");
    fs::write(desk.path("run.allowed_signers"), &line).unwrap();

    // The authority's certificate runs out: what it stamped before stays.
    let life = std::time::Duration::from_secs(life.unsigned_abs() + 1);
    std::thread::sleep(life.saturating_sub(begun.elapsed()));
    let late = Command::new("sh")
        .args(["-c", stock])
        .current_dir(desk.0.path())
        .output()
        .unwrap();
    assert!(
        !late.status.success(),
        "the certificate has not run out: {late:?}"
    );
    desk.verify(&TSA, 0, "GO");
}

#[test]
fn what_is_stamped_wrongly_is_refused() {
    let desk = Desk::new("run");
    // Stamps state whole seconds: theirs is a later one than that of the run's end.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    desk.authority("tsa", 900);
    desk.authority("eve", 900);
    desk.verify(
        &[&TSA[..], &["--require-timestamp"]].concat(),
        4,
        "the run has none",
    );
    desk.verify(&["--require-timestamp"], 2, "--tsa-ca");
    // Asked for, and not there: no stamp is needed where nobody demands one.
    desk.verify(&TSA, 0, "GO");
    let attach = |answer: &str, code, words: &str| {
        desk.says(
            &[
                "timestamp",
                "attach",
                "run",
                answer,
                "--tsa-ca",
                "tsa-ca.pem",
            ],
            code,
            words,
        );
        assert!(code == 0 || !desk.path(TSR).exists());
    };
    desk.says(&["timestamp", "request", "run"], 0, TSQ);
    desk.answer("eve", TSQ, "eve.tsr");
    attach("eve.tsr", 2, "not from an authority that is trusted");
    desk.answer("tsa", TSQ, "first.tsr");
    // Another request since: the first answer is not to this one.
    desk.says(&["timestamp", "request", "run"], 0, TSQ);
    attach("first.tsr", 2, "its nonce differs");
    fs::write(desk.path("page.tsr"), "<html>busy</html>").unwrap();
    attach("page.tsr", 2, "not a time stamp");
    attach("none.tsr", 2, "cannot read `none.tsr`");
    desk.answer("tsa", TSQ, "second.tsr");
    attach("second.tsr", 0, "stamped at");

    // Put in by hand: of another run, of another authority, of nothing.
    let honest = fs::read(desk.path(TSR)).unwrap();
    let other = Desk::new("run");
    desk.shell(&format!(
        "cp {} other.sig",
        other.path("run/SHA256SUMS.sig").display()
    ));
    desk.shell("openssl ts -query -data other.sig -sha512 -cert -out other.tsq");
    desk.answer("tsa", "other.tsq", "other.tsr");
    for (forged, words) in [
        (fs::read(desk.path("other.tsr")).unwrap(), "of other bytes"),
        (
            fs::read(desk.path("eve.tsr")).unwrap(),
            "not from an authority",
        ),
        (Vec::new(), "not a time stamp"),
        (honest[..honest.len() - 1].to_vec(), "not a time stamp"),
    ] {
        fs::write(desk.path(TSR), forged).unwrap();
        desk.verify(&TSA, 4, words);
        // Whoever does not ask for it is not stopped by it.
        desk.verify(&[], 0, "GO");
    }
    fs::write(desk.path(TSR), honest).unwrap();
    desk.verify(&TSA, 0, "GO");
    // Signed again later: the stamp shows it.
    desk.verify(
        &[&TSA[..], &["--stamped-within", "1ms"]].concat(),
        4,
        "where 1ms is accepted",
    );
    fs::write(desk.path("none.pem"), "no certificate").unwrap();
    desk.verify(&["--tsa-ca", "none.pem"], 2, "there is none");
}

#[test]
fn an_authority_is_asked_by_http_and_no_longer_than_it_takes() {
    let desk = Desk::new("run");
    desk.authority("tsa", 900);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "http://127.0.0.1:{}/tsa",
        listener.local_addr().unwrap().port()
    );
    let dir = desk.0.path().to_owned();
    let server = std::thread::spawn(move || {
        for status in ["500 Busy", "302 Found", "200 OK"] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut piece = [0; 4096];
            let body = loop {
                let read = stream.read(&mut piece).unwrap();
                request.extend_from_slice(&piece[..read]);
                let head = request.windows(4).position(|four| four == b"\r\n\r\n");
                if let Some(head) = head.filter(|head| request.len() > head + 100) {
                    break request.split_off(head + 4);
                }
            };
            let head = String::from_utf8_lossy(&request).to_lowercase();
            assert!(head.starts_with("post /tsa "), "{head}");
            assert!(
                head.contains("content-type: application/timestamp-query"),
                "{head}"
            );
            fs::write(dir.join("asked.tsq"), body).unwrap();
            answered(&dir, "tsa", "asked.tsq", "asked.tsr");
            let answer = fs::read(dir.join("asked.tsr")).unwrap();
            let head = format!(
                "HTTP/1.1 {status}\r\nLocation: /x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                answer.len()
            );
            stream
                .write_all(&[head.as_bytes(), &answer].concat())
                .unwrap();
        }
    });
    let get = [
        "timestamp",
        "get",
        "run",
        "--url",
        &url,
        "--tsa-ca",
        "tsa-ca.pem",
    ];
    desk.says(&get, 3, "no answer from");
    desk.says(&get, 3, "no answer from");
    desk.says(&get, 0, "stamped at");
    server.join().unwrap();
    desk.verify(&TSA, 0, "GO");
    // Nobody is there.
    desk.says(&get, 2, "has a time stamp already");
    fs::remove_file(desk.path(TSR)).unwrap();
    desk.says(&get, 3, "no answer from");
}

#[test]
fn a_challenge_is_held_in_the_report_and_demanded() {
    let lab = crate::lab::Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host);
    lab.write_inputs(&lab.inventory());
    let args = lab.run_args("run");
    let made = lab.run(&[&args[..], &["--challenge", "audit 2026/117"]].concat());
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let verify = |challenge: &[&str]| {
        let args = ["verify", "run", "--allowed-signers", "allowed_signers"];
        lab.run(&[&args, challenge].concat()).status.code()
    };
    assert_eq!(verify(&["--challenge", "audit 2026/117"]), Some(0));
    assert_eq!(verify(&[]), Some(0));
    assert_eq!(verify(&["--challenge", "audit 2026/118"]), Some(4));
    let args = lab.run_args("other");
    let made = lab.run(&[&args[..], &["--challenge", "\u{1b}[2J"]].concat());
    assert_eq!(made.status.code(), Some(2), "{made:?}");
}
