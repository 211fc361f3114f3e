//! nginx: what an account in group adm can fetch, and what breaks it.

use serde_json::json;

use super::{Instance, OPS, actual, faults_of_any_product, hint, judge, packaged};
use crate::lab::products::Nginx;
use crate::lab::{Lab, needs_root};

const NAME: &str = "www";

pub(super) fn instance(server: &Nginx) -> Instance {
    let status = format!("http://{}:8080/basic_status", server.host.address.ip());
    Instance {
        name: NAME,
        product: "nginx",
        host: server.host.name.clone(),
        vars: json!({"status": status}),
        version: packaged(&server.host, "nginx"),
    }
}

#[test]
fn a_server_as_debian_makes_it() {
    if needs_root("products::nginx") {
        return;
    }
    let lab = Lab::new();
    let host = lab.host("web-1").start_debian();
    let mut server = Nginx::start(&host);
    let instance = instance(&server);
    let (taken, said) = server.takes_its_configuration();
    assert!(taken, "{said}");
    judge(&lab, &[&instance]).assert_go(4);
    // The whole configuration is root's to print: `nginx -T` opens its pid file for writing.
    let asked = host.ops("nginx -T");
    assert!(!asked.status.success(), "{asked:?}");

    // Broken, and nginx says so too.
    let site = host.text(Nginx::SITE);
    host.put(
        Nginx::SITE,
        &site.replacen("try_files $uri $uri/ =404;", "try_files $uri $uri/ =404", 1),
    );
    let (taken, said) = server.takes_its_configuration();
    assert!(!taken && said.contains("unexpected \"}\""), "{said}");
    let run = judge(&lab, &[&instance]);
    run.assert_only(&[(NAME, OPS, "configuration", "corrupt")]);
    host.put(Nginx::SITE, &site);

    // No request is logged.
    let main = host.text("/etc/nginx/nginx.conf");
    host.put(
        "/etc/nginx/nginx.conf",
        &main.replace("access_log /var/log/nginx/access.log;", "access_log off;"),
    );
    let (taken, said) = server.takes_its_configuration();
    assert!(taken, "{said}");
    let run = judge(&lab, &[&instance]);
    run.assert_only(&[(NAME, OPS, "configuration", "gap")]);
    let told = actual(&run, NAME, "configuration");
    assert!(told.contains("no request is logged"), "{told}");

    // An included file that nobody may read, and one outside of what the inventory permits.
    host.put("/etc/nginx/nginx.conf", &main);
    host.root(&format!("chmod 600 {}", Nginx::STATUS));
    assert!(!host.ops_can_read(Nginx::STATUS));
    let run = judge(&lab, &[&instance]);
    run.assert_only(&[(NAME, OPS, "configuration", "denied")]);
    host.root(&format!("chmod 644 {}", Nginx::STATUS));
    host.put("/run/elsewhere.conf", "# nothing\n");
    host.put(
        "/etc/nginx/nginx.conf",
        &main.replace("http {", "include /run/elsewhere.conf;\nhttp {"),
    );
    let run = judge(&lab, &[&instance]);
    run.assert_only(&[(NAME, OPS, "configuration", "missing")]);
    let told = hint(&run, NAME, "configuration");
    assert!(told.contains("/run/elsewhere.conf"), "{told}");
    host.root("rm /run/elsewhere.conf");
    host.put("/etc/nginx/nginx.conf", &main);
    judge(&lab, &[&instance]).assert_go(4);

    server.get(80, "/");
    faults_of_any_product(&lab, &host, &instance, "/var/log/nginx/access.log", |_| ());

    server.down();
    let run = judge(&lab, &[&instance]);
    run.assert_only(&[(NAME, OPS, "statistics", "unreachable")]);
    server.up();
    judge(&lab, &[&instance]).assert_go(4);
}

#[test]
fn logs_that_logrotate_turned_over() {
    if needs_root("products::nginx") {
        return;
    }
    let lab = Lab::new();
    let host = lab.host("web-1").start_debian();
    let server = Nginx::start(&host);
    let instance = instance(&server);
    for turn in 0..3 {
        server.logs(&format!("/turn-{turn}"));
        // Debian's script asks an init script that the lab has not; the signal is the same.
        host.logrotate("/etc/logrotate.d/nginx");
        server.reopen();
    }
    // The same with the compressors that people choose.
    for (program, end) in [("zstd", "zst"), ("xz", "xz"), ("bzip2", "bz2")] {
        let line = format!("\tcompress\n\tcompresscmd /usr/bin/{program}\n\tcompressext .{end}\n");
        let line = line.replace("/usr/bin/bzip2", "/bin/bzip2");
        let rules = host.text("/etc/logrotate.d/nginx");
        host.put(
            "/run/logrotate.conf",
            &rules
                .replace("\tcompress\n", &line)
                .replace("*.log {", "access.log {"),
        );
        host.root("chmod 644 /run/logrotate.conf");
        for turn in 0..2 {
            server.logs(&format!("/{end}-{turn}"));
            host.logrotate("/run/logrotate.conf");
            server.reopen();
            server.logs("/after");
        }
    }
    server.logs("/last");
    // delaycompress: the youngest is plain.
    let listed = host.root("ls /var/log/nginx");
    for end in ["access.log", "log.1", "gz", "zst", "xz", "bz2"] {
        assert!(listed.lines().any(|line| line.ends_with(end)), "{listed}");
    }
    let modes = host.root("stat -c '%U:%G %a' /var/log/nginx/access.log*");
    assert!(
        modes.lines().all(|mode| mode == "www-data:adm 640"),
        "{modes}"
    );
    let run = judge(&lab, &[&instance]);
    run.assert_go(4);
    let check = run.check(NAME, OPS, "event log");
    let files = listed
        .lines()
        .filter(|line| line.starts_with("access"))
        .count();
    let evidence = check["evidence"].as_array().unwrap();
    let of_log = (evidence.iter()).filter(|file| file["artifact"] == "access log");
    assert_eq!(of_log.count(), files, "{check:#}");
}
