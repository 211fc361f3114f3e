//! A small HTTPS server for pages that are known beforehand and one folder that takes uploads: one request a
//! connection. What it does not know is 404, what would change anything else 405.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::pages::Page;
use super::uploads::Uploads;

/// For a client that says nothing.
const PATIENCE: Duration = Duration::from_secs(5);
/// No head of a request of ours comes near it.
const MOST: usize = 16 * 1024;

/// One encrypted connection.
pub(super) type Stream = StreamOwned<ServerConnection, TcpStream>;

/// What is there.
pub(super) struct Shown {
    pub pages: BTreeMap<&'static str, Page>,
    pub uploads: Uploads,
}

/// Serves until the runtime ends.
pub(super) async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    shown: Arc<Shown>,
    stopped: CancellationToken,
) {
    let asked = Arc::new(Mutex::new(BTreeSet::new()));
    while let Ok((connection, _)) = listener.accept().await {
        let (tls, shown) = (Arc::clone(&tls), Arc::clone(&shown));
        let (asked, stopped) = (Arc::clone(&asked), stopped.clone());
        let Ok(connection) = connection.into_std() else {
            continue;
        };
        tokio::task::spawn_blocking(move || {
            // A client that breaks off is its own matter.
            let _broken = one(connection, tls, &shown, &asked, &stopped);
        });
    }
}

fn one(
    connection: TcpStream,
    tls: Arc<ServerConfig>,
    shown: &Shown,
    asked: &Mutex<BTreeSet<String>>,
    stopped: &CancellationToken,
) -> io::Result<()> {
    connection.set_nonblocking(false)?;
    connection.set_nodelay(true)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    let tls = ServerConnection::new(tls).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(tls, connection);
    let request = head(&mut stream)?;
    let mut words = request.first().split(' ');
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let plain = |status, body: &str| Page {
        status,
        kind: "text/plain",
        body: body.to_owned(),
        late: Duration::ZERO,
    };
    if let Some(name) = Uploads::name(path) {
        return shown.uploads.answer(method, name, &request, &mut stream);
    }
    let page = match (method, shown.pages.get(path)) {
        ("GET" | "HEAD", Some(page)) => page.clone(),
        ("GET" | "HEAD", None) => plain(404, "no such page\n"),
        _ => plain(405, "this page takes nothing\n"),
    };
    let is_first = (asked.lock())
        .unwrap_or_else(PoisonError::into_inner)
        .insert(path.to_owned());
    if is_first {
        wait(page.late, stopped);
    }
    let body = match method {
        "HEAD" => "",
        _ => page.body.as_str(),
    };
    say(
        &mut stream,
        page.status,
        page.kind,
        page.body.len(),
        body.as_bytes(),
    )
}

/// The whole answer; of a HEAD `length` is what a GET would have.
pub(super) fn say(
    stream: &mut Stream,
    status: u16,
    kind: &str,
    length: usize,
    body: &[u8],
) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} practice\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    stream.conn.send_close_notify();
    stream.flush()
}

/// The head of a request, and what came behind it.
pub(super) struct Request {
    head: String,
    pub behind: Vec<u8>,
}

impl Request {
    fn first(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// What stands behind `name:`.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1);
        lines.find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

fn head(stream: &mut impl io::Read) -> io::Result<Request> {
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    loop {
        if let Some(end) = head.windows(4).position(|end| end == b"\r\n\r\n") {
            let behind = head.split_off(end + 4);
            let head = String::from_utf8_lossy(&head).into_owned();
            return Ok(Request { head, behind });
        }
        let read = stream.read(&mut piece)?;
        if read == 0 || head.len() > MOST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        head.extend_from_slice(&piece[..read]);
    }
}

/// As long as that, or until the estate is dropped.
fn wait(time: Duration, stopped: &CancellationToken) {
    let until = Instant::now() + time;
    while Instant::now() < until && !stopped.is_cancelled() {
        std::thread::sleep(Duration::from_millis(20));
    }
}
