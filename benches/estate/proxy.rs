//! A TCP proxy that passes every byte on a fixed time later, in order. Counts how long its connections lasted.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Ends with the bench's process.
pub struct Proxy {
    pub port: u16,
    took: mpsc::Receiver<Duration>,
}

impl Proxy {
    /// At `near`, before `to`; each direction takes `delay`.
    pub fn new(near: Ipv4Addr, to: (Ipv4Addr, u16), delay: Duration) -> Self {
        Self::over(TcpListener::bind((near, 0)).unwrap(), to, delay)
    }

    /// The same, where somebody listens already.
    pub fn over(listener: TcpListener, to: (Ipv4Addr, u16), delay: Duration) -> Self {
        let port = listener.local_addr().unwrap().port();
        let (told, took) = mpsc::channel();
        thread::spawn(move || {
            for near in listener.incoming() {
                let (near, told) = (near.unwrap(), told.clone());
                thread::spawn(move || {
                    let begun = Instant::now();
                    let far = TcpStream::connect(to).unwrap();
                    for end in [&near, &far] {
                        end.set_nodelay(true).unwrap();
                    }
                    let there = (near.try_clone().unwrap(), far.try_clone().unwrap());
                    let up = thread::spawn(move || pass(there.0, there.1, delay));
                    pass(far, near, delay);
                    up.join().unwrap();
                    // The bench may have ended.
                    let _ = told.send(begun.elapsed());
                });
            }
        });
        Self { port, took }
    }

    /// How long the next connection to end lasted.
    pub fn took(&self) -> Duration {
        self.took.recv_timeout(Duration::from_secs(30)).unwrap()
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let (late, due) = mpsc::channel::<(Instant, Vec<u8>)>();
    let writer = thread::spawn(move || {
        for (at, bytes) in due {
            thread::sleep(at.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
    let mut piece = vec![0; 256 << 10];
    while let Ok(n @ 1..) = from.read(&mut piece) {
        if late
            .send((Instant::now() + delay, piece[..n].to_vec()))
            .is_err()
        {
            break;
        }
    }
    drop(late);
    writer.join().unwrap();
}
