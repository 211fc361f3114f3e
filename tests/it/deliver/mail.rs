//! E-mail: a real Exim takes the messages, and each of its refusals has its benign twin. Exim lets only root start
//! a server.

use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::https::certificate;
use super::{CERTIFICATES, deliver, ends, office, receipts, write};
use crate::lab::{Lab, is_root, until};

const PASSWORD: &str = "s3cret-pw";

pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

pub(crate) struct Exim {
    server: Child,
    pub(crate) port: u16,
    root: PathBuf,
}

impl Drop for Exim {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Exim {
    /// With these lines among its options, `PORT` being its own.
    pub(crate) fn start(lab: &Lab, options: &str) -> Self {
        Self::start_at(lab, "127.0.0.1", free_port(), options)
    }

    /// The same at that address of loopback.
    pub(crate) fn start_at(lab: &Lab, address: &str, port: u16, options: &str) -> Self {
        let operator = lab.operator();
        let root = lab.path(&format!("exim-{address}-{port}"));
        fs::create_dir_all(root.join("spool")).unwrap();
        if !operator.join(CERTIFICATES).exists() {
            certificate(lab);
        }
        let (at, operator) = (root.display(), operator.display());
        let options = options.replace("PORT", &port.to_string());
        let config = format!(
            "exim_user = root
exim_group = root
spool_directory = {at}/spool
log_file_path = {at}/%slog
pid_file_path = {at}/pid
primary_hostname = mx.test
keep_environment =
queue_only = true
host_lookup =
rfc1413_query_timeout = 0s
tls_certificate = {operator}/{CERTIFICATES}
tls_privatekey = {operator}/tls.key
acl_smtp_rcpt = rcpt
acl_smtp_mail = mail
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
{options}
begin acl
mail:
ENCRYPTED  accept sender_domains = open.example
  deny !authenticated = *
       message = 5.7.0 Authentication required
  accept
rcpt:
  deny local_parts = nobody
       message = 5.1.1 no such user here
  defer local_parts = later
       message = 4.7.1 greylisted
  accept local_parts = quiet
       message = 252 2.1.5 cannot verify
  deny local_parts = full
       message = 552 5.2.2 mailbox full
  accept
begin authenticators
WAY:
  driver = plaintext
  public_name = WAY
"
        );
        let (way, checked) = match options.contains("# LOGIN") {
            true => (
                "LOGIN",
                "  server_prompts = User : Password\n  server_condition = ${if and{{eq{$auth1}{bank}}{eq{$auth2}{PASSWORD}}}}\n",
            ),
            false => (
                "PLAIN",
                "  server_prompts = :\n  server_condition = ${if and{{eq{$auth2}{bank}}{eq{$auth3}{PASSWORD}}}}\n",
            ),
        };
        let encrypted = match options.contains("# TLS") {
            true => "  deny !encrypted = *\n       message = 530 5.7.0 STARTTLS first\n",
            false => "",
        };
        let config = config.replace("ENCRYPTED", encrypted);
        let config = config.replace("WAY", way) + &checked.replace("PASSWORD", PASSWORD);
        fs::write(root.join("exim.conf"), config).unwrap();
        let server = Command::new("exim4")
            .arg("-C")
            .arg(root.join("exim.conf"))
            .args(["-bdf", "-oX", &format!("{address}.{port}")])
            .stdout(Stdio::null())
            .stderr(fs::File::create(root.join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let exim = Self { server, port, root };
        until("Exim to listen", Duration::from_secs(20), || {
            TcpStream::connect((address, port)).is_ok()
        });
        exim
    }

    /// The message that it has under the id of its answer, as Exim prints it.
    fn message(&self, answer: &str) -> Vec<u8> {
        let id = answer.rsplit("id=").next().unwrap();
        let mut command = Command::new("exim4");
        command
            .arg("-C")
            .arg(self.root.join("exim.conf"))
            .args(["-Mvc", id]);
        let printed = command.output().unwrap();
        assert!(printed.status.success(), "{printed:?}");
        printed.stdout
    }

    pub(crate) fn messages(&self) -> usize {
        fs::read_dir(self.root.join("spool/input")).map_or(0, |all| {
            all.filter(|one| {
                one.as_ref()
                    .unwrap()
                    .file_name()
                    .to_string_lossy()
                    .ends_with("-H")
            })
            .count()
        })
    }
}

/// An intake by that server, with more said of it.
fn mailbox(port: u16, more: &Value) -> Value {
    let mut intake = json!({
        "kind": "e-mail", "to": "support@acme.example", "from": "ops@bank.example", "host": "127.0.0.1",
        "port": port, "ca": CERTIFICATES, "user": "bank", "password_env": "MAIL_PASSWORD",
    });
    for (key, value) in more.as_object().unwrap() {
        match value {
            Value::Null => drop(intake.as_object_mut().unwrap().remove(key)),
            value => intake[key] = value.clone(),
        }
    }
    intake
}

pub(super) fn says(lab: &Lab, port: u16, more: &Value) {
    write(lab, &json!({"acme": {"intake": [mailbox(port, more)]}}));
}

/// What another reader of e-mail finds in it.
fn read(message: &[u8]) -> Value {
    let script = "import email,email.policy,hashlib,json,sys
m=email.message_from_binary_file(sys.stdin.buffer,policy=email.policy.default)
a=next(m.iter_attachments())
p=a.get_payload(decode=True)
print(json.dumps({'from':m['From'],'to':m['To'],'subject':m['Subject'],'id':m['Message-ID'],'dated':m['Date'].datetime.year>2000,
 'name':a.get_filename(),'sha256':hashlib.sha256(p).hexdigest(),'text':m.get_body().get_content(),'defects':len(m.defects)+len(a.defects),
 'longest':max(map(len,m.as_bytes().split(b'\\n')))}))";
    let mut python = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(message).unwrap();
    let done = python.wait_with_output().unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(message)
    );
    serde_json::from_slice(&done.stdout).unwrap()
}

#[test]
fn a_message_is_taken_and_says_what_it_brings() {
    if !is_root() {
        return;
    }
    let lab = Lab::new();
    office(&lab, &json!([]), 200_000);
    let exim = Exim::start(&lab, "tls_advertise_hosts = *");
    says(
        &lab,
        exim.port,
        &json!({"subject": "Case {case} at {host}: ürgent", "name": "{case}_{instance}.tar.zst"}),
    );
    fs::write(
        lab.path("operator/request.txt"),
        "Orders are late.\n.\n.. since 09:00 – all of them\n",
    )
    .unwrap();
    let about = [
        "--case",
        "17",
        "--instance",
        "orders",
        "--request",
        "request.txt",
    ];
    ends(
        &deliver(&lab, &about),
        0,
        &[
            "would send",
            "e-mail to support@acme.example from ops@bank.example",
            "subject: Case 17 at ny4-1: ürgent",
            "dry run",
        ],
    );
    assert_eq!(exim.messages(), 0);
    ends(
        &deliver(&lab, &[&about[..], &["--send"]].concat()),
        0,
        &[
            "the intake answered: 250 OK id=",
            "that it arrived at the vendor's is not proven",
        ],
    );
    let [receipt] = receipts(&lab).try_into().unwrap();
    assert_eq!(receipt["outcome"], "delivered");
    assert_eq!(receipt["arrival"], "accepted by the mail server");
    let message = exim.message(receipt["answer"].as_str().unwrap());
    let found = read(&message);
    assert_eq!(found["sha256"], receipt["sha256"], "{found}");
    assert_eq!(found["name"], "17_orders.tar.zst");
    assert_eq!(found["subject"], "Case 17 at ny4-1: ürgent");
    assert_eq!(
        (&found["from"], &found["to"]),
        (&json!("ops@bank.example"), &json!("support@acme.example"))
    );
    assert_eq!(
        (&found["dated"], &found["defects"]),
        (&json!(true), &json!(0))
    );
    assert!(found["longest"].as_u64().unwrap() <= 998, "{found}");
    assert!(
        found["id"].as_str().unwrap().ends_with("@bank.example>"),
        "{found}"
    );
    let text = found["text"].as_str().unwrap();
    assert!(
        text.starts_with("Orders are late.\n.\n.. since 09:00 – all of them\n"),
        "{text}"
    );
    assert!(text.contains(receipt["sha256"].as_str().unwrap()), "{text}");
    assert_eq!(exim.messages(), 1);
    // What is on its way holds no name of the machine that sent it.
    let host = Command::new("hostname").output().unwrap().stdout;
    let host = String::from_utf8(host).unwrap();
    assert!(!String::from_utf8_lossy(&message).contains(&format!("@{}>", host.trim())));
}

#[test]
fn each_way_to_encrypt_and_to_log_in() {
    if !is_root() {
        return;
    }
    let lab = Lab::new();
    office(&lab, &json!([]), 2000);
    let by_tls = "tls_advertise_hosts = *\ntls_on_connect_ports = PORT\n# LOGIN";
    let implicit = Exim::start(&lab, by_tls);
    says(&lab, implicit.port, &json!({"tls": "implicit"}));
    ends(
        &deliver(&lab, &["--send"]),
        0,
        &["accepted by the mail server"],
    );
    // STARTTLS is not what it speaks.
    says(&lab, implicit.port, &json!({}));
    ends(
        &deliver(&lab, &["--send", "--deadline", "3s"]),
        1,
        &["not delivered"],
    );
    assert_eq!(implicit.messages(), 1);

    let plain = Exim::start(&lab, "tls_advertise_hosts =");
    says(&lab, plain.port, &json!({}));
    ends(
        &deliver(&lab, &["--send"]),
        1,
        &["offers no STARTTLS: nothing goes out in plain text"],
    );
    says(&lab, plain.port, &json!({"tls": "implicit"}));
    ends(&deliver(&lab, &["--send"]), 1, &["`tls: implicit`"]);
    // On this machine, without a password, it may.
    let bare = json!({"tls": "none", "user": null, "password_env": null, "ca": null, "from": "ops@open.example"});
    says(&lab, plain.port, &bare);
    ends(
        &deliver(&lab, &["--send"]),
        0,
        &["in plain text, on this machine"],
    );
    assert_eq!(plain.messages(), 1);

    let exim = Exim::start(&lab, "tls_advertise_hosts = *");
    says(&lab, exim.port, &json!({"ca": null}));
    ends(&deliver(&lab, &["--send"]), 0, &[]); // By SSL_CERT_FILE.
    says(&lab, exim.port, &json!({"host": "localhost"}));
    ends(
        &deliver(&lab, &["--send"]),
        1,
        &["is not who it should be", "it is for other names"],
    );
    let stranger = Lab::new();
    certificate(&stranger);
    let theirs = stranger.path("operator").join(CERTIFICATES);
    fs::copy(theirs, lab.path("operator/other.pem")).unwrap();
    says(&lab, exim.port, &json!({"ca": "other.pem"}));
    ends(&deliver(&lab, &["--send"]), 1, &["is not who it should be"]);
    for (ca, words) in [("gone.pem", "cannot be read"), ("b.tar.zst", "certificate")] {
        says(&lab, exim.port, &json!({"ca": ca}));
        ends(&deliver(&lab, &["--send"]), 1, &[words]);
    }
    assert_eq!(exim.messages(), 1);
}

#[test]
fn what_the_server_refuses_is_told_with_what_to_do() {
    if !is_root() {
        return;
    }
    let lab = Lab::new();
    office(&lab, &json!([]), 100_000);
    let exim = Exim::start(&lab, "tls_advertise_hosts = *\nmessage_size_limit = 200K");
    let refused = |more: Value, words: &[&str]| {
        says(&lab, exim.port, &more);
        ends(
            &deliver(&lab, &["--send"]),
            1,
            &[&["not delivered", "hint: "], words].concat(),
        );
    };
    refused(
        json!({"user": "someone"}),
        &["lets `someone` not in: 535", "MAIL_PASSWORD"],
    );
    refused(
        json!({"user": null, "password_env": null}),
        &["takes no message from ops@bank.example: 550 5.7.0"],
    );
    refused(
        json!({"to": "nobody@acme.example"}),
        &["takes no message to nobody@acme.example: 550 5.1.1 no such user"],
    );
    refused(
        json!({"to": "later@acme.example"}),
        &["451 4.7.1 greylisted", "try again later"],
    );
    refused(
        json!({"to": "full@acme.example"}),
        &["552 5.2.2", "send it in parts"],
    );
    assert_eq!(exim.messages(), 0);
    assert_eq!(receipts(&lab).len(), 0);
    says(&lab, exim.port, &json!({}));
    ends(&deliver(&lab, &["--send"]), 0, &[]);
    office(&lab, &json!([mailbox(exim.port, &json!({}))]), 200_000);
    ends(
        &deliver(&lab, &["--send"]),
        1,
        &["takes messages of 204800 bytes", "gonogo case split"],
    );
    assert_eq!(exim.messages(), 1);
    // Nobody there at all.
    says(&lab, free_port(), &json!({}));
    ends(&deliver(&lab, &["--send"]), 1, &["cannot be reached"]);
    says(&lab, exim.port, &json!({"password_env": "GONE_PASSWORD"}));
    ends(
        &deliver(&lab, &["--send"]),
        1,
        &["GONE_PASSWORD holds no password"],
    );
}

#[test]
fn what_can_be_known_before_is_refused_before() {
    let lab = Lab::new();
    office(&lab, &json!([]), 100_000);
    let port = free_port();
    for (more, words) in [
        (json!({"from": null}), "this e-mail intake says no `from`"),
        (json!({"host": null}), "says no `host` to send by"),
        (json!({"user": null}), "half an account"),
        (json!({"password_env": null}), "half an account"),
        (
            json!({"tls": "none"}),
            "a password never goes in plain text",
        ),
        (
            json!({"tls": "none", "user": null, "password_env": null, "ca": null, "host": "mail.acme.example"}),
            "never goes out unencrypted",
        ),
        (json!({"tls": "maybe"}), "unknown tls `maybe`"),
        (json!({"from": "ops"}), "write one address"),
        (json!({"subject": "{who}"}), "stands for nothing"),
        (
            json!({"subject": "a\nBcc: all@acme.example"}),
            "remove control",
        ),
        (json!({"to": "support@müller.example"}), "xn--"),
        (
            json!({"subject": "{case}"}),
            "the subject of the message needs `{case}`",
        ),
        (
            json!({"max_bytes": "130KiB"}),
            "a file grows by 37% in a message",
        ),
        (json!({"extensions": [".zip"]}), "it takes .zip"),
    ] {
        says(&lab, port, &more);
        ends(&deliver(&lab, &[]), 2, &[words]);
    }
    says(&lab, port, &json!({"max_bytes": "150KiB"}));
    ends(
        &deliver(&lab, &[]),
        0,
        &["as bank, with the password in MAIL_PASSWORD"],
    );
    // Parts that fit as messages.
    says(&lab, port, &json!({"max_bytes": "90KiB"}));
    let split = [
        "case",
        "split",
        "b.tar.zst",
        "--any-file",
        "-o",
        "parts",
        "--vendor",
        "acme",
        "-i",
        "vendors.yaml",
    ];
    ends(&lab.run(&split), 0, &["-of-00"]);
    for part in super::names(&lab.path("operator/parts")) {
        if part.contains(".part-") {
            let part = format!("parts/{part}");
            let args = [
                "case",
                "deliver",
                &part,
                "--any-file",
                "-i",
                "vendors.yaml",
                "--vendor",
                "acme",
            ];
            ends(&lab.run(&args), 0, &["would send"]);
        }
    }
    // The request.
    says(&lab, port, &json!({}));
    fs::write(lab.path("operator/blank.txt"), " \n").unwrap();
    fs::write(lab.path("operator/long.txt"), "x".repeat((256 << 10) + 1)).unwrap();
    for (request, words) in [
        ("gone.txt", "No such file"),
        ("blank.txt", "it is no text"),
        ("b.tar.zst", "it is no text"),
        ("long.txt", "too long for a request"),
        ("parts", "no regular file"),
    ] {
        ends(&deliver(&lab, &["--request", request]), 2, &[words]);
    }
    ends(
        &deliver(&lab, &["--case", "17\r\nBcc: x@y.example"]),
        2,
        &["more than one line"],
    );
    let drop_box = json!({"kind": "sftp", "host": "127.0.0.1", "user": "bank", "key": "k", "host_key": format!("SHA256:{}", "A".repeat(43))});
    write(&lab, &json!({"acme": {"intake": [drop_box]}}));
    ends(
        &deliver(&lab, &["--request", "blank.txt"]),
        2,
        &["takes a file alone"],
    );
}
