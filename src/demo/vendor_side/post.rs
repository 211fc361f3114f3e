//! The mail server of a practice vendor: SMTP with STARTTLS, for one mailbox. Each message that it takes is a file in
//! one directory. It asks for TLS before anything else, knows no account, and sends nothing on.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tokio::net::TcpListener;

/// Whose mail it takes.
pub(in crate::demo) const MAILBOX: &str = "support@amps.example.com";
/// The most bytes of a message: a mistake must not fill the disk.
pub(in crate::demo) const MOST: u64 = 64 << 20;
/// For a client that says nothing.
const PATIENCE: Duration = Duration::from_secs(5);
/// RFC 5321 4.5.3.1.6 has 1,000 for a line of a message.
const MOST_LINE: usize = 4096;
/// Of one conversation; no client of ours comes near it.
const MOST_WORDS: usize = 100;

/// What it is.
pub(super) struct Post {
    pub tls: Arc<ServerConfig>,
    pub directory: PathBuf,
    /// Whether everybody is turned away at the door.
    pub is_shut: bool,
    pub taken: AtomicUsize,
}

/// Serves until the runtime ends.
pub(super) async fn serve(listener: TcpListener, post: Arc<Post>) {
    while let Ok((connection, _)) = listener.accept().await {
        let post = Arc::clone(&post);
        let Ok(connection) = connection.into_std() else {
            continue;
        };
        tokio::task::spawn_blocking(move || {
            // A client that breaks off is its own matter.
            let _broken = talk(connection, &post);
        });
    }
}

enum Line {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

struct Client {
    line: Option<Line>,
    held: Vec<u8>,
    begin: usize,
}

/// What was heard of one message.
#[derive(Default)]
struct Envelope {
    has_sender: bool,
    has_recipient: bool,
}

fn talk(connection: TcpStream, post: &Post) -> io::Result<()> {
    connection.set_nonblocking(false)?;
    connection.set_nodelay(true)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    let mut client = Client {
        line: Some(Line::Plain(connection)),
        held: Vec::new(),
        begin: 0,
    };
    if post.is_shut {
        client.say("554 5.7.1 practice: this mail server takes nothing from you")?;
        return client.bye();
    }
    client.say("220 mail.amps.example.com ESMTP practice")?;
    let mut envelope = Envelope::default();
    for _ in 0..MOST_WORDS {
        let Some(line) = client.heard()? else {
            return Ok(());
        };
        let line = String::from_utf8_lossy(&line).into_owned();
        let verb = line.split([' ', ':']).next().unwrap_or_default();
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => {
                envelope = Envelope::default();
                client.say(&format!("250-mail.amps.example.com\r\n250-SIZE {MOST}"))?;
                match client.is_encrypted() {
                    true => client.say("250 8BITMIME")?,
                    false => client.say("250-8BITMIME\r\n250 STARTTLS")?,
                }
            }
            "NOOP" => client.say("250 2.0.0 here")?,
            "RSET" => {
                envelope = Envelope::default();
                client.say("250 2.0.0 forgotten")?;
            }
            "QUIT" => {
                client.say("221 2.0.0 bye")?;
                return client.bye();
            }
            "STARTTLS" if !client.is_encrypted() => {
                client.say("220 2.0.0 go on")?;
                client.encrypt(&post.tls)?;
            }
            "MAIL" | "RCPT" | "DATA" if !client.is_encrypted() => {
                client.say("530 5.7.0 STARTTLS first")?;
            }
            "MAIL" => {
                envelope.has_sender = true;
                client.say("250 2.1.0 go on")?;
            }
            "RCPT" if !envelope.has_sender => client.say("503 5.5.1 MAIL first")?,
            "RCPT" => match recipient(&line).eq_ignore_ascii_case(MAILBOX) {
                true => {
                    envelope.has_recipient = true;
                    client.say("250 2.1.5 go on")?;
                }
                false => client.say("550 5.1.1 nobody of that name here")?,
            },
            "DATA" if !envelope.has_recipient => client.say("503 5.5.1 RCPT first")?,
            "DATA" => {
                envelope = Envelope::default();
                client.say("354 up to a line with a dot alone")?;
                let number = post.taken.fetch_add(1, Ordering::Relaxed) + 1;
                let path = post.directory.join(format!("{number}.eml"));
                let kept = keep(&mut client, &path);
                if kept.is_err() {
                    let _half = std::fs::remove_file(&path);
                }
                match kept? {
                    true => client.say(&format!("250 2.0.0 taken as {number}"))?,
                    false => {
                        std::fs::remove_file(&path)?;
                        client.say("552 5.3.4 more than this mailbox takes")?;
                        return client.bye();
                    }
                }
            }
            _ => client.say("502 5.5.1 not for practice")?,
        }
    }
    client.say("421 4.7.0 enough for one conversation")?;
    client.bye()
}

/// Between the brackets.
fn recipient(line: &str) -> &str {
    let inside = line.split_once('<').map_or("", |(_, rest)| rest);
    inside.split_once('>').map_or("", |(address, _)| address)
}

/// Writes the message down as it was meant (RFC 5321 4.5.2); false where it is too much.
fn keep(client: &mut Client, path: &Path) -> io::Result<bool> {
    let made: File = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let (mut file, mut bytes) = (BufWriter::new(made), 0);
    loop {
        let line = client.heard()?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if line == b"." {
            file.flush()?;
            return Ok(true);
        }
        let line = line.strip_prefix(b".").unwrap_or(&line);
        bytes += line.len() as u64 + 2;
        if bytes > MOST {
            return Ok(false);
        }
        file.write_all(line)?;
        file.write_all(b"\r\n")?;
    }
}

impl Client {
    const fn is_encrypted(&self) -> bool {
        matches!(self.line, Some(Line::Tls(_)))
    }

    fn say(&mut self, words: &str) -> io::Result<()> {
        let words = format!("{words}\r\n");
        match self.line.as_mut().ok_or(io::ErrorKind::NotConnected)? {
            Line::Plain(plain) => plain.write_all(words.as_bytes()),
            Line::Tls(tls) => {
                tls.write_all(words.as_bytes())?;
                tls.flush()
            }
        }
    }

    /// A line without its end; `None` when the client is gone.
    fn heard(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let held = self.held.get(self.begin..).unwrap_or_default();
            if let Some(end) = held.iter().position(|byte| *byte == b'\n') {
                let line = held.get(..end).unwrap_or_default();
                let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
                self.begin += end + 1;
                return Ok(Some(line));
            }
            if held.len() > MOST_LINE {
                return Err(io::ErrorKind::InvalidData.into());
            }
            self.held.drain(..self.begin);
            self.begin = 0;
            let mut room = [0; 16 * 1024];
            let read = match self.line.as_mut().ok_or(io::ErrorKind::NotConnected)? {
                Line::Plain(plain) => plain.read(&mut room)?,
                Line::Tls(tls) => tls.read(&mut room)?,
            };
            match read {
                0 => return Ok(None),
                _ => self
                    .held
                    .extend_from_slice(room.get(..read).unwrap_or_default()),
            }
        }
    }

    /// What was said before TLS counts for nothing after it.
    fn encrypt(&mut self, tls: &Arc<ServerConfig>) -> io::Result<()> {
        if self.begin < self.held.len() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let Some(Line::Plain(plain)) = self.line.take() else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let tls = ServerConnection::new(Arc::clone(tls)).map_err(io::Error::other)?;
        self.line = Some(Line::Tls(Box::new(StreamOwned::new(tls, plain))));
        Ok(())
    }

    fn bye(&mut self) -> io::Result<()> {
        match self.line.as_mut() {
            Some(Line::Tls(tls)) => {
                tls.conn.send_close_notify();
                tls.flush()
            }
            _ => Ok(()),
        }
    }
}
