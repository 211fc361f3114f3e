//! A virtual address: one TCP address that hands each connection to the next of its backends, as a load
//! balancer does. On request it cuts its first connection after so many bytes.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddrV4, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use super::Host;

/// Listens until it is dropped.
pub struct Balancer {
    pub address: SocketAddrV4,
    stopped: Arc<AtomicBool>,
    taken: Arc<AtomicUsize>,
    accepting: Option<JoinHandle<()>>,
}

impl Balancer {
    /// Hands connections to `backends` in turn; the first is cut after `cut` bytes from the server.
    pub fn before(backends: &[&Host], cut: Option<usize>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let std::net::SocketAddr::V4(address) = listener.local_addr().unwrap() else {
            unreachable!("bound to IPv4")
        };
        let backends: Vec<_> = backends.iter().map(|host| host.address).collect();
        let (stopped, taken) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let (stop, count): (_, Arc<AtomicUsize>) = (Arc::clone(&stopped), Arc::clone(&taken));
        let accepting = std::thread::spawn(move || {
            for client in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let turn = count.fetch_add(1, Ordering::SeqCst);
                let server = TcpStream::connect(backends[turn % backends.len()]).unwrap();
                let most = cut.filter(|_| turn == 0).unwrap_or(usize::MAX);
                join(client.unwrap(), server, most);
            }
        });
        Self {
            address,
            stopped,
            taken,
            accepting: Some(accepting),
        }
    }

    /// How many connections it has taken.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }

    /// The line of known_hosts by which its address may show the key of `host`.
    pub fn known_hosts_line(&self, host: &Host) -> String {
        let (ip, port) = (self.address.ip(), self.address.port());
        format!("[{ip}]:{port} {}\n", host.public_key())
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _wakes_it = TcpStream::connect(self.address);
        let _ended = self.accepting.take().map(JoinHandle::join);
    }
}

/// Both ways until either side ends.
fn join(client: TcpStream, server: TcpStream, most: usize) {
    let ways = [
        (client.try_clone(), server.try_clone(), usize::MAX),
        (server.try_clone(), client.try_clone(), most),
    ];
    for (from, to, most) in ways {
        let (mut from, mut to) = (from.unwrap(), to.unwrap());
        std::thread::spawn(move || {
            let (mut piece, mut sent) = (vec![0; 4096], 0);
            while let Ok(read @ 1..) = from.read(&mut piece) {
                sent += read;
                if sent > most || to.write_all(&piece[..read]).is_err() {
                    break;
                }
            }
            let _gone = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
        });
    }
}
