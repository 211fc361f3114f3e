//! nginx with certificates of an authority that only `ca:` knows.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::lab::until;

/// A running server, and the files that it serves.
pub struct Site {
    dir: TempDir,
    server: Child,
    /// TLS, with a certificate for 127.0.0.1 and localhost, that holds for 30 days.
    pub port: u16,
    /// The same with a certificate for another name.
    pub elsewhere: u16,
    /// Without TLS.
    pub plain: u16,
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn openssl(dir: &Path, args: &[&str]) {
    let made = Command::new("openssl")
        .args(args)
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
}

fn certificates(dir: &Path) {
    let key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
    ];
    let authority = [
        "req",
        "-x509",
        "-days",
        "60",
        "-subj",
        "/CN=the lab",
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
    ];
    openssl(dir, &[&authority[..], &key].concat());
    for (name, san) in [
        ("right", "IP:127.0.0.1,DNS:localhost"),
        ("elsewhere", "DNS:elsewhere.example"),
    ] {
        fs::write(dir.join("san"), format!("subjectAltName={san}\n")).unwrap();
        let (own, request) = (format!("{name}.key"), format!("{name}.csr"));
        let ask = [
            "req",
            "-subj",
            "/CN=server",
            "-keyout",
            &own,
            "-out",
            &request,
        ];
        openssl(dir, &[&ask[..], &key].concat());
        let issued = format!("{name}.crt");
        openssl(
            dir,
            &[
                "x509",
                "-req",
                "-days",
                "30",
                "-in",
                &request,
                "-CA",
                "ca.pem",
                "-CAkey",
                "ca.key",
                "-CAcreateserial",
                "-extfile",
                "san",
                "-out",
                &issued,
            ],
        );
    }
}

impl Site {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path();
        certificates(at);
        fs::create_dir(at.join("web")).unwrap();
        let (port, elsewhere, plain) = (free_port(), free_port(), free_port());
        let serves = "root web; default_type application/json;\n\
            location /moved/ { rewrite ^/moved(/.*)$ $1 redirect; }\n\
            location /round { return 302 /round; }\n\
            location /weak { return 302 http://127.0.0.1:PLAIN/health.json; }\n\
            location /broken { return 503; }\n\
            location /upload { return 405; }\n"
            .replace("PLAIN", &plain.to_string());
        let secure = |port: u16, name: &str| {
            format!(
                "server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {name}.crt; ssl_certificate_key {name}.key;\n{serves}}}\n"
            )
        };
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path tmp-{kind};\n"))
            .concat();
        let config = format!(
            "daemon off; master_process off; pid nginx.pid; error_log error.log;\nevents {{}}\nhttp {{\naccess_log access.log;\n{temporary}{}{}server {{ listen 127.0.0.1:{plain};\n{serves}}}\n}}\n",
            secure(port, "right"),
            secure(elsewhere, "elsewhere")
        );
        fs::write(at.join("nginx.conf"), config).unwrap();
        let server = Command::new("nginx")
            .args([
                "-p",
                at.to_str().unwrap(),
                "-c",
                "nginx.conf",
                "-e",
                "error.log",
            ])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let site = Self {
            dir,
            server,
            port,
            elsewhere,
            plain,
        };
        until("nginx listens", Duration::from_secs(30), || {
            TcpStream::connect(("127.0.0.1", plain)).is_ok()
        });
        site
    }

    /// The certificate of the authority.
    pub fn ca(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// Serves `text` at that path.
    pub fn put(&self, path: &str, text: &str) {
        let file = self.dir.path().join("web").join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    pub fn url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}/{path}", self.port)
    }

    /// Request lines that came so far.
    pub fn asked(&self) -> Vec<String> {
        let log = fs::read_to_string(self.dir.path().join("access.log")).unwrap_or_default();
        let request = |line: &str| line.split('"').nth(1).unwrap_or_default().to_owned();
        log.lines().map(request).collect()
    }

    pub fn stop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop();
    }
}
