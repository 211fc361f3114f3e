//! A wire that breaks where a test says: a TCP address before one host, which ends its connections after
//! so many bytes from the server, and does something on the host in between.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddrV4, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Host;

/// How long the client has for what was sent before its connection ends: a client that is kept from running
/// may learn of the end first, and then nothing has come.
const DRAINED: Duration = Duration::from_millis(600);

/// Something that is done on the host.
type Act = Arc<dyn Fn() + Send + Sync>;

/// How the wire behaves.
pub struct Wire {
    /// After how many bytes from the server each connection ends, the first one first; those that follow
    /// stay whole.
    pub cuts: Vec<usize>,
    /// The end is a reset, without a goodbye.
    pub resets: bool,
    /// Done before the second connection reaches the host.
    pub between: Option<Box<dyn Fn() + Send>>,
    /// Done when so many bytes have come over the connection of that number, counted from 0.
    pub amid: Option<(usize, usize, Act)>,
    /// Waited for each 16 KiB from the server.
    pub slow: Duration,
}

impl Wire {
    /// Ends connections after so many bytes, one after the other.
    pub fn cut(cuts: &[usize]) -> Self {
        Self {
            cuts: cuts.to_vec(),
            resets: false,
            between: None,
            amid: None,
            slow: Duration::ZERO,
        }
    }
}

/// Listens until it is dropped.
pub struct Cutter {
    pub address: SocketAddrV4,
    stopped: Arc<AtomicBool>,
    taken: Arc<AtomicUsize>,
    accepting: Option<JoinHandle<()>>,
}

impl Cutter {
    /// The wire to `host`.
    pub fn before(host: &Host, wire: Wire) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let std::net::SocketAddr::V4(address) = listener.local_addr().unwrap() else {
            unreachable!("bound to IPv4")
        };
        let server = host.address;
        let (stopped, taken) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let (stop, count): (_, Arc<AtomicUsize>) = (Arc::clone(&stopped), Arc::clone(&taken));
        let accepting = std::thread::spawn(move || {
            for client in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let number = count.fetch_add(1, Ordering::SeqCst);
                if let (1, Some(between)) = (number, &wire.between) {
                    between();
                }
                let amid = wire.amid.as_ref().filter(|amid| amid.0 == number);
                let way = Way {
                    most: wire.cuts.get(number).copied().unwrap_or(usize::MAX),
                    resets: wire.resets && number < wire.cuts.len(),
                    amid: amid.map(|(_, at, act)| (*at, Arc::clone(act))),
                    slow: wire.slow,
                };
                way.join(&client.unwrap(), &TcpStream::connect(server).unwrap());
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

impl Drop for Cutter {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _wakes_it = TcpStream::connect(self.address);
        let _ended = self.accepting.take().map(JoinHandle::join);
    }
}

struct Way {
    most: usize,
    resets: bool,
    amid: Option<(usize, Act)>,
    slow: Duration,
}

impl Way {
    /// Both ways until either side ends.
    fn join(self, client: &TcpStream, server: &TcpStream) {
        let resets = self.resets;
        if resets {
            let linger = Some(Duration::ZERO);
            rustix::net::sockopt::set_socket_linger(client, linger).unwrap();
        }
        // What is only closed, and not shut, is reset.
        let how = if resets {
            Shutdown::Read
        } else {
            Shutdown::Both
        };
        let (mut near, mut far) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        std::thread::spawn(move || {
            let _ended = std::io::copy(&mut near, &mut far);
            let _gone = (near.shutdown(how), far.shutdown(Shutdown::Both));
        });
        let (mut near, mut far) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        std::thread::spawn(move || {
            let (mut piece, mut sent, mut amid) = (vec![0; 16 << 10], 0, self.amid);
            while let Ok(read @ 1..) = far.read(&mut piece) {
                sent += read;
                if let Some((_, act)) = amid.take_if(|(at, _)| *at < sent) {
                    act();
                }
                if sent > self.most {
                    std::thread::sleep(DRAINED);
                    break;
                }
                if near.write_all(&piece[..read]).is_err() {
                    break;
                }
                std::thread::sleep(self.slow);
            }
            let _gone = (far.shutdown(Shutdown::Both), near.shutdown(how));
        });
    }
}
