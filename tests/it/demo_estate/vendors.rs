//! What the practice vendors have on the network, seen by the installed `curl` and `sftp`; and each fault there.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use gonogo::demo::Break;
use gonogo::transport::exchangers;
use jiff::Timestamp;
use serde_json::Value;

use super::lab::{Lab, OPS, text, until};

/// What stands behind `key` in the inventory.
fn said<'l>(lab: &'l Lab, key: &str) -> &'l str {
    let (_, rest) = lab.inventory.split_once(key).unwrap();
    rest.split([',', '}', '"', '\n']).next().unwrap().trim()
}

fn site(lab: &Lab) -> &str {
    let at = lab.inventory.find("https://127.0.0.1:").unwrap();
    let rest = &lab.inventory[at..];
    &rest[..rest["https://".len()..].find('/').unwrap() + "https://".len()]
}

fn curl(lab: &Lab, path: &str, more: &[&str]) -> Output {
    Command::new("curl")
        .args([
            "--disable",
            "--silent",
            "--noproxy",
            "*",
            "--max-time",
            "20",
        ])
        .args(["--write-out", "\n%{http_code}", "--cacert"])
        .arg(lab.at("practice-ca.pem"))
        .args(more)
        .arg(format!("{}{path}", site(lab)))
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Status and body.
fn get(lab: &Lab, path: &str) -> (String, String) {
    let output = curl(lab, path, &[]);
    assert!(output.status.success(), "{output:?}");
    let answer = text(&output.stdout);
    let (body, status) = answer.rsplit_once('\n').unwrap();
    (status.to_owned(), body.to_owned())
}

fn summary(lab: &Lab) -> Value {
    serde_json::from_str(&get(lab, "/status/api/v2/summary.json").1).unwrap()
}

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

fn says_of_mail(lab: &Lab, domain: &str) -> String {
    let server = said(lab, "resolver: \"").parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime
        .block_on(exchangers(domain, Some(server), Duration::from_secs(5)))
        .says
}

/// `sftp` to the drop box, by our key and the pin of the inventory.
fn drop_box(lab: &Lab, into: &Path, batch: &str) -> Output {
    let port = said(lab, "host: 127.0.0.1, port: ");
    let known = into.join("known");
    let scanned = Command::new("ssh-keyscan")
        .args(["-p", port, "-t", "ed25519", "127.0.0.1"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    std::fs::write(&known, scanned.stdout).unwrap();
    let listed = Command::new("ssh-keygen").arg("-lf").arg(&known).output();
    let is_pinned =
        text(&listed.unwrap().stdout).contains(said(lab, "directory: /in, host_key: \"SHA256:"));
    if !is_pinned {
        std::fs::write(&known, "").unwrap();
    }
    std::fs::write(into.join("batch"), batch).unwrap();
    Command::new("sftp")
        .args(["-F", "none", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR"])
        .args([
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
            "IdentityAgent=none",
        ])
        .args([
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "GlobalKnownHostsFile=/dev/null",
        ])
        .args(["-o", &format!("UserKnownHostsFile={}", known.display())])
        .args(["-i", lab.at("keys/60east-drop").to_str().unwrap()])
        .args(["-P", port, "-b", "batch", "bank@127.0.0.1"])
        .current_dir(into)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn handed_over(lab: &Lab, way: &str) -> PathBuf {
    let folders = lab.estate.handed_over();
    let mut of_way = folders.into_iter().filter(|(_, by)| *by == way);
    of_way.next().unwrap().0
}

/// `curl` hands a message to the mail server of 60East, over TLS; whether it went, and all that was said.
fn mail(lab: &Lab, into: &Path, to: &str, message: &[u8]) -> (bool, String) {
    let port = said(lab, "from: ana@bank.example.com, host: 127.0.0.1, port: ");
    let file = into.join("message");
    std::fs::write(&file, message).unwrap();
    let output = Command::new("curl")
        .args(["--disable", "--silent", "--show-error", "--verbose"])
        .args(["--noproxy", "*", "--max-time", "20", "--ssl-reqd"])
        .arg("--cacert")
        .arg(lab.at("practice-ca.pem"))
        .args(["--mail-from", "ana@bank.example.com", "--mail-rcpt", to])
        .arg("--upload-file")
        .arg(&file)
        .arg(format!("smtp://127.0.0.1:{port}"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (output.status.success(), text(&output.stderr))
}

/// Whether `lab` shows what `fault` plants at a vendor, or in what is agreed with one.
pub fn symptom(fault: Break, lab: &Lab) -> bool {
    let now = Timestamp::now();
    let days = |key: &str| {
        let day: jiff::civil::Date = said(lab, key).parse().unwrap();
        let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        today.since(day).unwrap().get_days()
    };
    let scratch = tempfile::tempdir().unwrap();
    match fault {
        Break::Incident => !summary(lab)["incidents"].as_array().unwrap().is_empty(),
        Break::Maintenance => {
            let planned = &summary(lab)["scheduled_maintenances"][0];
            let go_live = lab.estate.go_live();
            time(&planned["scheduled_for"]) <= go_live
                && go_live < time(&planned["scheduled_until"])
        }
        Break::UnknownWord => summary(lab)["status"]["indicator"] != "none",
        Break::StaleStatusPage => {
            let updated = time(&summary(lab)["page"]["updated_at"]);
            now.duration_since(updated).as_hours() > 24 * 92
        }
        Break::DeadFeed => get(lab, "/announcements.atom").0 == "404",
        Break::UnreadAnnouncements => days("read: {date: ") > 9,
        Break::Certificate => {
            let authority =
                openssl::x509::X509::from_pem(&std::fs::read(lab.at("practice-ca.pem")).unwrap());
            // Ten days longer than the certificate itself; proven by curl all the same.
            assert_eq!(get(lab, "/health.json").0, "200");
            let limit = openssl::asn1::Asn1Time::days_from_now(24).unwrap();
            authority.unwrap().not_after() < limit
        }
        Break::SlowService => {
            let asked = Instant::now();
            assert_eq!(get(lab, "/health.json").0, "200");
            let (first, asked) = (asked.elapsed(), Instant::now());
            assert_eq!(get(lab, "/health.json").0, "200");
            assert!(asked.elapsed() < Duration::from_secs(5), "once only");
            first > Duration::from_secs(5)
        }
        Break::StaleService => {
            let health: Value = serde_json::from_str(&get(lab, "/health.json").1).unwrap();
            now.duration_since(time(&health["updated"])).as_mins() > 10
        }
        Break::CutOff => {
            let from = |host| {
                let asked = lab.ssh(host, OPS, "curl --url x");
                asked.status.code().unwrap()
            };
            assert_eq!(from("ld5-1"), 0);
            from("ny4-1") == 7
        }
        Break::NoMail => {
            assert_eq!(says_of_mail(lab, "bank.example.com"), "exchangers");
            assert_eq!(says_of_mail(lab, "nobody.example.com"), "no-domain");
            says_of_mail(lab, "echo.example.com") == "null"
        }
        Break::IntakeLogin => {
            let refused = drop_box(lab, scratch.path(), "ls /in\n");
            text(&refused.stderr).contains("Permission denied (publickey)")
        }
        Break::IntakeHostKey => {
            let refused = drop_box(lab, scratch.path(), "ls /in\n");
            text(&refused.stderr).contains("Host key verification failed")
        }
        Break::IntakeMail => {
            let said = mail(lab, scratch.path(), "support@amps.example.com", b"hello").1;
            said.contains("< 554 ")
        }
        Break::ContractEnded => days("premium, ends: ") > 0,
        Break::CoverageGap => !lab.inventory.contains("{hours: \"24x7\", owner: ben"),
        Break::DrillOverdue => days("drill: {last: ") > 92,
        _ => panic!("{fault} is no vendor's"),
    }
}

#[test]
fn the_drop_box_takes_what_is_new_and_nothing_else() {
    let lab = Lab::well();
    let scratch = tempfile::tempdir().unwrap();
    let at = scratch.path();
    std::fs::write(at.join("one"), "evidence").unwrap();
    std::fs::write(at.join("two"), "another").unwrap();
    let put = drop_box(
        &lab,
        at,
        "put one /in/case.part\nrename /in/case.part /in/case\nls -1 /in\n",
    );
    assert!(put.status.success(), "{put:?}");
    assert!(text(&put.stdout).contains("/in/case\n"), "{put:?}");
    let taken = handed_over(&lab, "SFTP");
    assert_eq!(std::fs::read(taken.join("case")).unwrap(), b"evidence");
    for batch in [
        "put two /in/case\n",
        "put two /in/next\nrename /in/next /in/case\n",
        "put two /in/../escaped\n",
        "put two /in/below/it\n",
        "put two /elsewhere\n",
        "mkdir /in/below\n",
        "ln -s /etc/passwd /in/link\n",
        "chmod 777 /in/case\n",
        "get /etc/passwd\n",
        "get /hosts/ny4-1/etc/hostname\n",
    ] {
        let refused = drop_box(&lab, at, batch);
        assert!(!refused.status.success(), "{batch}: {refused:?}");
        assert_eq!(
            std::fs::read(taken.join("case")).unwrap(),
            b"evidence",
            "{batch}"
        );
    }
    let mut held: Vec<_> = taken
        .read_dir()
        .unwrap()
        .map(|one| one.unwrap().file_name())
        .collect();
    held.sort();
    assert_eq!(held, ["case", "next"], "nothing but what was put");
    assert!(!lab.at("escaped").exists() && !at.join("passwd").exists());
    assert_eq!(
        lab.estate.write_requests(),
        0,
        "no host was asked to change"
    );
}

#[test]
fn the_site_tells_and_takes_uploads_in_one_place() {
    let lab = Lab::well();
    assert_eq!(get(&lab, "/status/api/v2/summary.json").0, "200");
    assert_eq!(get(&lab, "/history.atom").0, "200");
    assert_eq!(get(&lab, "/cases/").0, "401");
    for path in ["/", "/keys/operations", "//health.json", "/health.json/"] {
        assert_eq!(get(&lab, path).0, "404", "{path}");
    }
    let put = |path: &str, body: &str| {
        let put = curl(&lab, path, &["--request", "PUT", "--data", body]);
        text(&put.stdout).lines().last().unwrap().to_owned()
    };
    assert_eq!(put("/cases/x", "evidence"), "405");
    assert_eq!(put("/health.json", "evidence"), "405");
    // One folder takes what is new.
    let taken = handed_over(&lab, "HTTPS");
    assert_eq!(get(&lab, "/60east/cases/").0, "405");
    assert_eq!(get(&lab, "/60east/cases/x.tar.zst").0, "404");
    assert_eq!(put("/60east/cases/x.tar.zst", "evidence"), "201");
    assert_eq!(put("/60east/cases/x.tar.zst", "another"), "412");
    assert_eq!(get(&lab, "/60east/cases/x.tar.zst").1, "evidence");
    for odd in [".x", "a%2fb", "below/x", "..%2fx"] {
        assert_eq!(put(&format!("/60east/cases/{odd}"), "x"), "404", "{odd}");
    }
    let untold = ["--request", "PUT", "--header", "Content-Length:"];
    let untold = curl(&lab, "/60east/cases/untold", &untold);
    assert!(text(&untold.stdout).ends_with("411"), "{untold:?}");
    let cut = [
        "--request",
        "PUT",
        "--header",
        "Content-Length: 99",
        "--data",
        "x",
        "--max-time",
        "2",
    ];
    let cut = curl(&lab, "/60east/cases/cut", &cut);
    assert!(!cut.status.success(), "{cut:?}");
    until("what came in part is gone", || !taken.join("cut").exists());
    let held = taken.read_dir().unwrap().count();
    assert_eq!(held, 1, "nothing but what was put");
    // Without its authority nobody believes it.
    let stranger = Command::new("curl")
        .args(["--disable", "--silent", "--noproxy", "*", "--url"])
        .arg(format!("{}/health.json", site(&lab)))
        .output()
        .unwrap();
    assert_eq!(stranger.status.code(), Some(60), "{stranger:?}");
}

#[test]
fn the_mail_server_takes_whole_messages_for_one_mailbox_over_tls() {
    let lab = Lab::well();
    let scratch = tempfile::tempdir().unwrap();
    let taken = handed_over(&lab, "e-mail");
    let message = b"Subject: x\r\n\r\n.first\r\n..\r\nlast\r\n";
    let to = "support@amps.example.com";
    let (went, said) = mail(&lab, scratch.path(), to, message);
    assert!(went, "{said}");
    assert_eq!(std::fs::read(taken.join("1.eml")).unwrap(), message);
    let (went, said) = mail(&lab, scratch.path(), "sales@amps.example.com", message);
    assert!(!went && said.contains("550 5.1.1"), "{said}");
    // In plain text it hears nobody.
    let port = self::said(&lab, "from: ana@bank.example.com, host: 127.0.0.1, port: ");
    let plain = Command::new("curl")
        .args(["--disable", "--silent", "--verbose", "--noproxy", "*"])
        .args(["--max-time", "20", "--mail-from", "a@b.example"])
        .args(["--mail-rcpt", to, "--upload-file"])
        .arg(scratch.path().join("message"))
        .arg(format!("smtp://127.0.0.1:{port}"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(!plain.status.success(), "{plain:?}");
    assert!(text(&plain.stderr).contains("530 5.7.0"), "{plain:?}");
    let held = taken.read_dir().unwrap().count();
    assert_eq!(held, 1, "nothing but what was sent");
    assert_eq!(lab.estate.write_requests(), 0);
}
