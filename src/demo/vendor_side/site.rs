//! A small HTTPS server for pages that are known beforehand: GET and HEAD, one request a connection. What it does
//! not know is 404, what would change anything 405.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::pages::Page;

/// For a client that says nothing.
const PATIENCE: Duration = Duration::from_secs(5);
/// No request of ours comes near it.
const MOST: usize = 16 * 1024;

type Pages = BTreeMap<&'static str, Page>;

/// Serves until the runtime ends.
pub(super) async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    pages: Arc<Pages>,
    stopped: CancellationToken,
) {
    let asked = Arc::new(Mutex::new(BTreeSet::new()));
    while let Ok((connection, _)) = listener.accept().await {
        let (tls, pages) = (Arc::clone(&tls), Arc::clone(&pages));
        let (asked, stopped) = (Arc::clone(&asked), stopped.clone());
        let Ok(connection) = connection.into_std() else {
            continue;
        };
        tokio::task::spawn_blocking(move || {
            // A client that breaks off is its own matter.
            let _broken = one(connection, tls, &pages, &asked, &stopped);
        });
    }
}

fn one(
    connection: TcpStream,
    tls: Arc<ServerConfig>,
    pages: &Pages,
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
    let mut words = request.split(' ');
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let plain = |status, body: &str| Page {
        status,
        kind: "text/plain",
        body: body.to_owned(),
        late: Duration::ZERO,
    };
    let page = match (method, pages.get(path)) {
        ("GET" | "HEAD", Some(page)) => page.clone(),
        ("GET" | "HEAD", None) => plain(404, "no such page\n"),
        _ => plain(405, "this site takes nothing\n"),
    };
    let is_first = (asked.lock())
        .unwrap_or_else(PoisonError::into_inner)
        .insert(path.to_owned());
    if is_first {
        wait(page.late, stopped);
    }
    let mut answer = format!(
        "HTTP/1.1 {} practice\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        page.status,
        page.kind,
        page.body.len()
    );
    if method != "HEAD" {
        answer.push_str(&page.body);
    }
    stream.write_all(answer.as_bytes())?;
    stream.conn.send_close_notify();
    stream.flush()
}

/// The first line of the request, once its head is whole.
fn head(stream: &mut impl io::Read) -> io::Result<String> {
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut piece)?;
        if read == 0 || head.len() > MOST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        head.extend_from_slice(&piece[..read]);
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    Ok(String::from_utf8_lossy(line).into_owned())
}

/// As long as that, or until the estate is dropped.
fn wait(time: Duration, stopped: &CancellationToken) {
    let until = Instant::now() + time;
    while Instant::now() < until && !stopped.is_cancelled() {
        std::thread::sleep(Duration::from_millis(20));
    }
}
