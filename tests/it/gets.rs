//! Artifacts behind an admin port, through the whole of gonogo: what the plan prints, what is GO and kept and
//! verified, what is refused before anything is asked, and that one that hung is not asked again.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gonogo::digest::Sha256;
use serde_json::{Value, json};

use crate::lab::{Lab, OPERATIONS, Run};

const FEATURE: &str = "\
Feature: What the product says of itself

  Scenario: running configuration of <instance>
    Given each instance
    When the team connects
    Then artifact \"running configuration\" can be retrieved

  Scenario: once more of <instance>
    Given each instance
    When the team connects
    Then artifact \"running configuration\" can be retrieved
";
const PATH: &str = "/amps/instance/config.xml";
const CONFIG: &str = "<AMPSConfig><Name>orders</Name></AMPSConfig>\n";

/// The admin interface of a product: one answer to whoever asks, a thread each.
pub struct Admin {
    pub address: SocketAddr,
    pub asked: Arc<Mutex<Vec<String>>>,
}

impl Admin {
    pub fn new(
        answer: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, noted) = (Arc::new(answer), Arc::clone(&asked));
        std::thread::spawn(move || {
            for peer in listener.incoming() {
                let (answer, noted) = (Arc::clone(&answer), Arc::clone(&noted));
                std::thread::spawn(move || {
                    let mut peer = peer.unwrap();
                    peer.set_read_timeout(Some(Duration::from_secs(60)))
                        .unwrap();
                    let (mut request, mut byte) = (Vec::new(), [0]);
                    while !request.ends_with(b"\r\n\r\n") && matches!(peer.read(&mut byte), Ok(1)) {
                        request.push(byte[0]);
                    }
                    let line = String::from_utf8_lossy(&request)
                        .lines()
                        .next()
                        .unwrap_or_default()
                        .to_owned();
                    noted.lock().unwrap().push(line);
                    // Whoever has heard enough hangs up.
                    let _ = answer(&mut peer);
                });
            }
        });
        Self { address, asked }
    }

    pub fn says(status: &str, body: &str) -> Self {
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Self::new(move |peer| peer.write_all(answer.as_bytes()))
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// As the README has it.
pub fn edit(inventory: &mut Value, port: u16) {
    inventory["products"]["amps"]["artifacts"]["running configuration"] = json!({
        "kind": "configuration", "format": "xml", "reject": ["Config not found"],
        "http": format!("http://127.0.0.1:{{admin_port}}{PATH}"),
    });
    inventory["instances"]["orders"]["vars"]["admin_port"] = json!(port.to_string());
}

pub fn write(lab: &Lab, edit: impl FnOnce(&mut Value)) {
    let mut inventory = lab.inventory();
    edit(&mut inventory);
    lab.write_inputs(&inventory);
    std::fs::write(lab.path("operator/features/admin.feature"), FEATURE).unwrap();
}

fn judge(lab: &Lab, edit: impl FnOnce(&mut Value)) -> Run {
    write(lab, edit);
    lab.judge_as_written()
}

fn orders(lab: &Lab) {
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host);
}

const TWICE: [&str; 2] = ["running configuration", "once more"];

#[test]
fn what_stands_behind_an_admin_port_is_planned_retrieved_kept_and_verified() {
    let lab = Lab::new();
    orders(&lab);
    let admin = Admin::says("200 OK", CONFIG);
    let url = format!("http://{}{PATH}", admin.address);
    for client in ["ssh2", "openssh"] {
        write(&lab, |inventory| {
            edit(inventory, admin.address.port());
            inventory["teams"][OPERATIONS.team]["client"] = json!(client);
        });
        let plan = lab.run(&["plan", "-i", "inventory.yaml", "features"]);
        let plan = String::from_utf8(plan.stdout).unwrap();
        assert!(plan.contains(&format!("    get      {url}\n")), "{plan}");
        assert!(plan.contains("direct-tcpip"), "{plan}");
        let before = admin.asked().len();
        let out = lab.next_out();
        let kept = format!("kept-{client}");
        let ran = lab.run(&[&lab.run_args(&out)[..], &["--keep", &kept]].concat());
        let run = Run::of(ran, lab.operator().join(&out));
        run.assert_go(6);
        for scenario in TWICE {
            let check = run.check("orders", OPERATIONS.team, scenario);
            let evidence = &check["evidence"][0];
            assert_eq!(
                (&evidence["method"], &evidence["path"]),
                (&json!("http"), &json!(url))
            );
            assert_eq!(evidence["bytes"], CONFIG.len());
            assert_eq!(
                evidence["sha256"],
                Sha256::of(CONFIG.as_bytes()).to_string()
            );
        }
        assert_eq!(
            admin.asked()[before..],
            [
                format!("GET {PATH} HTTP/1.1"),
                format!("GET {PATH} HTTP/1.1")
            ]
        );
        let file = lab
            .operator()
            .join(kept)
            .join("orders/operations/running configuration/config.xml");
        assert_eq!(std::fs::read_to_string(file).unwrap(), CONFIG);
        let verified = lab.verify(&run.dir);
        assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    }
}

#[test]
fn an_answer_that_is_no_configuration_is_no_artifact() {
    let lab = Lab::new();
    orders(&lab);
    for (status, body, kind, told) in [
        ("200 OK", "Config not found", "mismatch", "Config not found"),
        ("200 OK", "", "empty", "0 bytes"),
        ("404 Not Found", "", "missing", "404"),
        ("401 Unauthorized", "", "denied", "401"),
        ("503 Not Yet", "", "io", "503"),
    ] {
        let admin = Admin::says(status, body);
        let run = judge(&lab, |inventory| edit(inventory, admin.address.port()));
        let failed = TWICE.map(|scenario| ("orders", OPERATIONS.team, scenario, kind));
        run.assert_only(&failed);
        let check = run.check("orders", OPERATIONS.team, TWICE[0]);
        let actual = check["failure"]["actual"].as_str().unwrap();
        assert!(actual.contains(told), "{actual}");
        let subject = check["failure"]["subject"].as_str().unwrap();
        assert!(subject.ends_with(PATH), "{subject}");
    }
}

#[test]
fn a_server_that_stands_still_costs_one_deadline_and_is_not_asked_again() {
    let lab = Lab::new();
    orders(&lab);
    let admin = Admin::new(|_| {
        std::thread::sleep(Duration::from_secs(60));
        Ok(())
    });
    let begun = Instant::now();
    let run = judge(&lab, |inventory| {
        edit(inventory, admin.address.port());
        inventory["ssh"]["deadline"] = json!("6s");
    });
    let failed = TWICE.map(|scenario| ("orders", OPERATIONS.team, scenario, "timeout"));
    run.assert_only(&failed);
    assert_eq!(admin.asked().len(), 1, "{:?}", admin.asked());
    assert!(
        begun.elapsed() < Duration::from_secs(40),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn what_amps_would_act_on_is_refused_by_the_plan_and_never_asked() {
    let lab = Lab::new();
    orders(&lab);
    let admin = Admin::says("200 OK", "done");
    for path in [
        "/amps/administrator/minidump",
        "/AMPS/administrator.xml",
        "/amps/Administrator",
    ] {
        write(&lab, |inventory| {
            edit(inventory, admin.address.port());
            let running = &mut inventory["products"]["amps"]["artifacts"]["running configuration"];
            running["http"] = json!(format!("http://127.0.0.1:{{admin_port}}{path}"));
        });
        let run = lab.judge_as_written();
        assert_eq!(run.code(), 2, "{}", run.told());
        assert!(
            run.told().contains("never asked for") && run.told().contains("inventory.yaml:"),
            "{}",
            run.told()
        );
    }
    assert!(admin.asked().is_empty());
}

#[test]
fn the_password_is_in_no_file_of_the_run() {
    let lab = Lab::new();
    orders(&lab);
    let admin = Admin::says("200 OK", CONFIG);
    write(&lab, |inventory| {
        edit(inventory, admin.address.port());
        let running = &mut inventory["products"]["amps"]["artifacts"]["running configuration"];
        let url = running["http"].take();
        // A variable that the operator's process has.
        running["http"] = json!({"url": url, "user": "monitor", "password_env": "TMPDIR"});
    });
    let run = lab.judge_as_written();
    run.assert_go(6);
    use base64::Engine as _;
    let secret = lab.path("operator/tmp").display().to_string();
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("monitor:{secret}"));
    let mut files = 0;
    let mut below = vec![run.dir.clone()];
    while let Some(dir) = below.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                below.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(&pair) && !text.contains(&secret), "{path:?}");
            files += 1;
        }
    }
    assert!(files > 8, "{files}");
}
