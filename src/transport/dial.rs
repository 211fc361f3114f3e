//! Name and TCP: the first connection of every chain, and what the kernel says when there is none. What
//! comes over it is not looked at here.

use std::net::SocketAddr;

use tokio::net::TcpStream;

use super::actor::{Deadline, Socket};
use crate::failure::{Failure, FailureKind};
use crate::inventory::Login;
use crate::text;
use crate::time::say;

/// Name and TCP, by tokio: `getaddrinfo` has no timeout of its own.
pub(super) async fn dial(login: &Login, deadline: Deadline) -> Result<Socket, Failure> {
    let target = text::endpoint(&login.address, login.port);
    let fail = |actual: String, hint: &str| {
        Failure::new(
            FailureKind::Unreachable,
            format!("a connection to {target}"),
            actual,
        )
        .with_subject(&*target)
        .with_hint(hint)
    };
    let slow = |time| format!("no answer within {}", say(time));
    let left = deadline.left().unwrap_or_default();
    let lookup = tokio::net::lookup_host((login.address.as_str(), login.port));
    let addresses: Vec<SocketAddr> = match tokio::time::timeout(left, lookup).await {
        Ok(Ok(found)) => found.filter(|found| login.takes(found)).collect(),
        Ok(Err(error)) => {
            let hint = "correct `address`, or look at the runner's resolver (/etc/resolv.conf)";
            return Err(fail(format!("the name does not resolve: {error}"), hint));
        }
        Err(_) => {
            return Err(fail(
                "the name was not resolved in time".into(),
                "look at the runner's resolver",
            ));
        }
    };
    if addresses.is_empty() {
        let hint = "correct `AddressFamily` in the ssh_config, or the name";
        let actual = "the name has no address of the family that AddressFamily leaves";
        return Err(fail(actual.to_owned(), hint));
    }
    // What each address answered: which of them the host means is the reader's knowledge.
    let mut told: Vec<(SocketAddr, String, &'static str)> = Vec::new();
    for (index, address) in addresses.iter().enumerate() {
        // A dead first address must leave time for the next.
        let others = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        let Some(left) = deadline.left() else { break };
        let share = left / others;
        match tokio::time::timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                let ready = stream.set_nodelay(true).and_then(|()| stream.into_std());
                let ready = ready.and_then(|stream| {
                    // tokio leaves it non-blocking, and libssh2 would spin on that.
                    stream.set_nonblocking(false)?;
                    Ok(stream)
                });
                match ready {
                    Ok(stream) => return Ok(Socket::Tcp(stream)),
                    Err(error) => told.push((*address, error.to_string(), "try again")),
                }
            }
            Ok(Err(error)) => told.push((*address, error.to_string(), why(&error))),
            Err(_) => told.push((
                *address,
                slow(match addresses.len() {
                    1 => login.connect_timeout,
                    _ => share,
                }),
                SLOW,
            )),
        }
    }
    match &*told {
        [] => Err(fail(slow(login.connect_timeout), SLOW)),
        [(_, actual, hint)] => Err(fail(actual.clone(), hint)),
        [(_, _, hint), ..] => {
            let each = told.iter().take(MOST_TOLD);
            let each = each.map(|(address, actual, _)| format!("{}: {actual}", address.ip()));
            let each: Vec<String> = each.collect();
            let rest = told.len() - each.len();
            let rest = match rest {
                0 => String::new(),
                rest => format!("; and {rest} more"),
            };
            let actual = format!(
                "the name has {} addresses; {}{rest}",
                told.len(),
                each.join("; ")
            );
            Err(fail(actual, hint))
        }
    }
}

/// Most addresses of a name that are told of.
const MOST_TOLD: usize = 8;

const SLOW: &str = "a firewall may drop the packets, or the host is down; look at route and rules";

fn why(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind as K;
    match error.kind() {
        K::ConnectionRefused => {
            "nothing listens there: look whether sshd runs, on which port and address, and whether a \
             firewall refuses in its place"
        }
        K::NetworkUnreachable => {
            "this runner has no route to that network: look at VPN, routes and `via`"
        }
        K::HostUnreachable => {
            "no router or neighbour knows the host, or a firewall says so: look whether the host is up, at \
             VPN, routes and `via`"
        }
        K::PermissionDenied => {
            "this runner's own rules forbid it: look at its firewall (nft, iptables), `ip route` and SELinux"
        }
        K::InvalidInput => {
            "this runner throws packets to that address away: look for a `blackhole` in `ip route`"
        }
        K::ConnectionReset => "a firewall or proxy between resets the connection",
        K::TimedOut => SLOW,
        _ => "look at route and firewall between this runner and the host",
    }
}
