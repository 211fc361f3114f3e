//! How much came in over one TCP connection, as the kernel counts it (sock_diag(7), TCP_INFO). libssh2
//! keeps each packet that nobody asked for, and inside one call reads on for as long as some come: only
//! from outside can it be stopped before it has filled the memory. Linux alone tells; elsewhere, and over
//! a tunnel through a hop, the deadline is the only bound.

use super::actor::Socket;

/// Most bytes that may come beyond twice those that were taken out: four pieces of read-ahead, a window
/// of each stream, the largest listing, and the wrapping of it all.
const MOST_UNTAKEN: u64 = 64 << 20;

/// The meter of one connection.
#[derive(Debug)]
pub(super) struct Meter(linux::Diag);

impl Meter {
    /// Of `socket`, where the kernel tells.
    pub(super) fn of(socket: &Socket) -> Option<Self> {
        match socket {
            Socket::Tcp(stream) => linux::Diag::of(stream).map(Self),
            Socket::Tunnel(_) => None,
        }
    }

    /// Bytes received since the connection was made.
    pub(super) fn received(&self) -> Option<u64> {
        self.0.received()
    }
}

/// Whether more came than anybody asked for.
pub(super) fn is_flood(received: u64, taken: u64) -> bool {
    received > taken.saturating_mul(2).saturating_add(MOST_UNTAKEN)
}

#[cfg(target_os = "linux")]
mod linux {
    use std::net::{IpAddr, SocketAddr, TcpStream};
    use std::os::fd::OwnedFd;

    use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
    use rustix::net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with,
    };

    /// linux/sock_diag.h, linux/inet_diag.h
    const SOCK_DIAG_BY_FAMILY: u16 = 20;
    const INET_DIAG_INFO: u16 = 2;
    const NLM_F_REQUEST: u16 = 1;
    const IPPROTO_TCP: u8 = 6;
    /// Of struct nlmsghdr, and of struct inet_diag_msg behind it.
    const HEADER: usize = 16;
    const MESSAGE: usize = 72;
    /// Of `tcpi_bytes_received` in struct tcp_info (linux/tcp.h), since Linux 4.1.
    const RECEIVED: usize = 128;

    #[derive(Debug)]
    pub(super) struct Diag {
        netlink: OwnedFd,
        request: Vec<u8>,
    }

    impl Diag {
        pub(super) fn of(stream: &TcpStream) -> Option<Self> {
            let request = request(stream.local_addr().ok()?, stream.peer_addr().ok()?);
            let netlink = socket_with(
                AddressFamily::NETLINK,
                SocketType::DGRAM,
                SocketFlags::CLOEXEC,
                Some(SOCK_DIAG),
            );
            let diag = Self {
                netlink: netlink.ok()?,
                request,
            };
            // A kernel that cannot tell is asked once.
            diag.received().is_some().then_some(diag)
        }

        pub(super) fn received(&self) -> Option<u64> {
            let kernel = SocketAddrNetlink::new(0, 0);
            sendto(&self.netlink, &self.request, SendFlags::empty(), &kernel).ok()?;
            let mut answer = [0; 4096];
            // The kernel answers before the request returns.
            let got = recv(&self.netlink, &mut answer[..], RecvFlags::DONTWAIT);
            let (got, _) = got.ok()?;
            received(answer.get(..got)?)
        }
    }

    fn request(local: SocketAddr, peer: SocketAddr) -> Vec<u8> {
        const AF_INET: u8 = 2;
        const AF_INET6: u8 = 10;
        let family = if local.is_ipv4() { AF_INET } else { AF_INET6 };
        let address = |of: SocketAddr| {
            let mut bytes = [0; 16];
            match of.ip() {
                IpAddr::V4(ip) => bytes[..4].copy_from_slice(&ip.octets()),
                IpAddr::V6(ip) => bytes = ip.octets(),
            }
            bytes
        };
        // struct inet_diag_req_v2
        let mut body = vec![family, IPPROTO_TCP, 1 << (INET_DIAG_INFO - 1), 0];
        body.extend(u32::MAX.to_ne_bytes());
        body.extend(local.port().to_be_bytes());
        body.extend(peer.port().to_be_bytes());
        body.extend(address(local));
        body.extend(address(peer));
        // Any interface, and no cookie.
        body.extend([0; 4]);
        body.extend([0xff; 8]);
        let length = u32::try_from(HEADER + body.len()).unwrap_or(0);
        let mut request = length.to_ne_bytes().to_vec();
        request.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        request.extend(NLM_F_REQUEST.to_ne_bytes());
        request.extend([0; 8]);
        request.extend(body);
        request
    }

    /// Each attribute is a length, a type and a value, and begins at a multiple of four.
    fn received(answer: &[u8]) -> Option<u64> {
        let kind = u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?);
        if kind != SOCK_DIAG_BY_FAMILY {
            return None;
        }
        let mut rest = answer.get(HEADER + MESSAGE..)?;
        loop {
            let length = usize::from(u16::from_ne_bytes(rest.get(..2)?.try_into().ok()?));
            let kind = u16::from_ne_bytes(rest.get(2..4)?.try_into().ok()?);
            let value = rest.get(4..length)?;
            if kind == INET_DIAG_INFO {
                let count = value.get(RECEIVED..RECEIVED + 8)?;
                return Some(u64::from_ne_bytes(count.try_into().ok()?));
            }
            rest = rest.get(length.next_multiple_of(4)..)?;
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn an_answer_of_any_length_is_read_or_refused() {
            let attribute = |kind: u16, value: &[u8]| {
                let length = u16::try_from(4 + value.len()).unwrap();
                let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
                bytes.extend(value);
                bytes.resize(bytes.len().next_multiple_of(4), 0);
                bytes
            };
            let mut info = vec![0; 200];
            info[RECEIVED..RECEIVED + 8].copy_from_slice(&77_u64.to_ne_bytes());
            let mut answer = vec![0; HEADER + MESSAGE];
            answer[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
            answer.extend(attribute(8, b"x"));
            answer.extend(attribute(INET_DIAG_INFO, &info));
            assert_eq!(received(&answer), Some(77));
            for end in 0..answer.len() {
                assert_eq!(received(&answer[..end]), None, "{end}");
            }
            let mut empty = answer.clone();
            empty[HEADER + MESSAGE..][..2].copy_from_slice(&[0, 0]);
            assert_eq!(received(&empty), None);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod linux {
    #[derive(Debug)]
    pub(super) struct Diag;

    impl Diag {
        pub(super) fn of(_: &std::net::TcpStream) -> Option<Self> {
            None
        }

        pub(super) fn received(&self) -> Option<u64> {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_kernel_counts_what_came_in_over_either_family() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            // A runner without IPv6 has nothing to be counted there.
            let Ok(listener) = TcpListener::bind(address) else {
                continue;
            };
            let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (mut far, _) = listener.accept().unwrap();
            let meter = Meter::of(&Socket::Tcp(near.try_clone().unwrap())).unwrap();
            assert_eq!(meter.received(), Some(0));
            far.write_all(&[7; 12_345]).unwrap();
            let mut near = near;
            near.read_exact(&mut [0; 12_345]).unwrap();
            assert_eq!(meter.received(), Some(12_345));
        }
    }

    #[test]
    fn a_flood_is_what_nobody_takes() {
        assert!(!is_flood(MOST_UNTAKEN, 0) && is_flood(MOST_UNTAKEN + 1, 0));
        assert!(!is_flood(10 << 30, 9 << 30) && is_flood(10 << 30, 1 << 30));
        assert!(!is_flood(u64::MAX, u64::MAX));
    }
}
