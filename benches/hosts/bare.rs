//! The yardstick: opens one connection for each host, runs the version command and fetches the same
//! files by reads of known size. It checks nothing: no host key, no digest, no content, no deadline.

use std::io::Read as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use ssh2::{Session, Sftp};

use super::estate::address;

/// What it is told on its command line.
#[derive(Clone)]
pub struct Task {
    pub hosts: usize,
    pub port: u16,
    pub jobs: usize,
    pub user: String,
    pub key: PathBuf,
    /// The directory above all instances.
    pub amps: PathBuf,
}

/// Fetches everything; bytes in all.
pub fn fetch_all(task: &Task) -> u64 {
    let (next, bytes) = (AtomicUsize::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..task.jobs.min(task.hosts) {
            scope.spawn(|| {
                loop {
                    let host = next.fetch_add(1, Ordering::Relaxed);
                    if host >= task.hosts {
                        break;
                    }
                    bytes.fetch_add(one(task, host), Ordering::Relaxed);
                }
            });
        }
    });
    bytes.into_inner()
}

fn one(task: &Task, host: usize) -> u64 {
    let stream = TcpStream::connect((address(host), task.port)).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut session = Session::new().unwrap();
    session.set_tcp_stream(stream);
    session.handshake().unwrap();
    session
        .userauth_pubkey_file(&task.user, None, &task.key, None)
        .unwrap();
    let home = task.amps.join(format!("h{:03}", host + 1));

    let mut channel = session.channel_session().unwrap();
    let command = format!("{}/bin/ampServer --version", home.display());
    channel.exec(&command).unwrap();
    let mut version = Vec::new();
    channel.read_to_end(&mut version).unwrap();
    channel.close().unwrap();
    channel.wait_close().unwrap();

    let sftp = session.sftp().unwrap();
    let mut bytes = version.len() as u64;
    for directory in ["config", "logs"] {
        for (path, stat) in sftp.readdir(home.join(directory)).unwrap() {
            bytes += fetch(&sftp, &path, stat.size.unwrap());
        }
    }
    for file in ["stats.db", "stats.db-wal"] {
        let path = home.join(file);
        let size = sftp.stat(&path).unwrap().size.unwrap();
        bytes += fetch(&sftp, &path, size);
    }
    drop(sftp);
    session.disconnect(None, "done", None).unwrap();
    bytes
}

fn fetch(sftp: &Sftp, path: &Path, size: u64) -> u64 {
    let mut file = sftp.open(path).unwrap();
    let mut buffer = vec![0; usize::try_from(size).unwrap()];
    file.read_exact(&mut buffer).unwrap();
    size
}
