//! Whether the domain of an e-mail address takes mail, as DNS says it: exchangers and their addresses. Talks
//! to no mail server: that a mailbox exists, and that anybody reads it, no look-up can prove.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{RData, RecordType};
use hickory_resolver::{Resolver, TokioResolver};

use crate::failure::{Failure, FailureKind};
use crate::probe::{Exchanger, Lack, Mail};
use crate::text;
use crate::time::say;

/// Of one question to one server; there may be a second try.
const PATIENCE: Duration = Duration::from_secs(3);
/// Nobody has more exchangers that matter.
const MOST: usize = 8;

/// Looks `domain` up, at `server` instead of the runner's own resolvers.
pub async fn exchangers(domain: &str, server: Option<SocketAddr>, time: Duration) -> Mail {
    let resolver = server.map(|server| server.to_string());
    let unknown = |failure: Failure| Mail {
        says: "unknown".to_owned(),
        exchangers: Vec::new(),
        resolver: resolver.clone(),
        lack: Some(Lack::of(failure)),
    };
    let asked = match resolver_of(server) {
        Ok(asking) => tokio::time::timeout(time, look_up(&asking, domain)).await,
        Err(error) => return unknown(unasked(&error)),
    };
    match asked {
        Ok(Ok((says, exchangers))) => Mail {
            says: says.to_owned(),
            exchangers,
            resolver: resolver.clone(),
            lack: None,
        },
        Ok(Err(error)) => unknown(unasked(&error)),
        Err(_) => unknown(late(time)),
    }
}

fn resolver_of(server: Option<SocketAddr>) -> Result<TokioResolver, NetError> {
    let mut builder = match server {
        None => Resolver::builder_tokio()?,
        Some(server) => {
            let with = |mut connection: ConnectionConfig| {
                connection.port = server.port();
                connection
            };
            let both = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(with);
            let one = NameServerConfig::new(server.ip(), true, both.into());
            let config = ResolverConfig::from_name_servers(vec![one]);
            Resolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    let options = builder.options_mut();
    options.timeout = PATIENCE;
    options.attempts = 1;
    options.cache_size = 0;
    // A mail server asks DNS, never /etc/hosts.
    options.use_hosts_file = ResolveHosts::Never;
    builder.build()
}

/// The preferred mail servers of `domain`, by name and address. Those behind them may take mail for mailboxes that
/// nobody has, and are not told.
///
/// # Errors
/// Why there is none.
pub async fn preferred(
    domain: &str,
    server: Option<SocketAddr>,
    time: Duration,
) -> Result<Vec<(String, IpAddr)>, Failure> {
    let resolver = resolver_of(server).map_err(|error| unasked(&error))?;
    let asked = tokio::time::timeout(time, first_of(&resolver, domain)).await;
    let found = asked.map_err(|_| late(time))?;
    let found = found.map_err(|error| unasked(&error))?;
    match found.is_empty() {
        false => Ok(found),
        true => Err(Failure::new(
            FailureKind::Missing,
            "a mail server to ask",
            format!("{domain} has none that takes mail"),
        )
        .with_hint("correct the address, or ask whoever keeps the domain")),
    }
}

async fn first_of(
    resolver: &TokioResolver,
    domain: &str,
) -> Result<Vec<(String, IpAddr)>, NetError> {
    let whole = format!("{domain}.");
    let mut names: Vec<(u16, String)> = match resolver.mx_lookup(whole.as_str()).await {
        Ok(found) => (found.answers().iter())
            .filter_map(|record| match &record.data {
                RData::MX(mx) => Some((mx.preference, mx.exchange.to_ascii())),
                _ => None,
            })
            .collect(),
        Err(error) => match negative(&error) {
            Some(ResponseCode::NoError) => vec![(0, whole)],
            Some(ResponseCode::NXDomain) => Vec::new(),
            _ => return Err(error),
        },
    };
    names.sort();
    let first = names.first().map(|(preference, _)| *preference);
    names.retain(|(preference, name)| Some(*preference) == first && name != ".");
    let mut found = Vec::new();
    for (_, name) in names.into_iter().take(MOST) {
        for kind in [RecordType::A, RecordType::AAAA] {
            match resolver.lookup(name.as_str(), kind).await {
                Ok(answer) => found.extend(answer.answers().iter().filter_map(|record| {
                    let address = match &record.data {
                        RData::A(a) => IpAddr::V4(a.0),
                        RData::AAAA(aaaa) => IpAddr::V6(aaaa.0),
                        _ => return None,
                    };
                    Some((name.trim_end_matches('.').to_owned(), address))
                })),
                Err(error) if negative(&error).is_some() => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(found)
}

type Said = (&'static str, Vec<Exchanger>);

async fn look_up(resolver: &TokioResolver, domain: &str) -> Result<Said, NetError> {
    // With its last dot it is never looked for below the runner's own domain.
    let whole = format!("{domain}.");
    let found = match resolver.mx_lookup(whole.as_str()).await {
        Ok(found) => found,
        Err(error) => {
            return match negative(&error) {
                Some(ResponseCode::NXDomain) => Ok(("no-domain", Vec::new())),
                // RFC 5321 5.1: then the domain itself is the exchanger.
                Some(ResponseCode::NoError) => match addresses(resolver, &whole).await? {
                    0 => Ok(("nothing", Vec::new())),
                    addresses => {
                        let name = domain.to_owned();
                        Ok(("implicit", vec![Exchanger { name, addresses }]))
                    }
                },
                _ => Err(error),
            };
        }
    };
    let mut exchangers: Vec<(u16, String)> = (found.answers().iter())
        .filter_map(|record| match &record.data {
            RData::MX(mx) => Some((mx.preference, mx.exchange.to_ascii())),
            _ => None,
        })
        .collect();
    exchangers.sort();
    // RFC 7505 3: it stands alone.
    if let [(_, only)] = exchangers.as_slice()
        && only == "."
    {
        return Ok(("null", Vec::new()));
    }
    let mut told = Vec::new();
    for (_, exchange) in exchangers.into_iter().take(MOST) {
        let addresses = match exchange.as_str() {
            "." => 0,
            name => addresses(resolver, name).await.unwrap_or(0),
        };
        let name = text::clip(exchange.trim_end_matches('.'), 255).into_owned();
        told.push(Exchanger { name, addresses });
    }
    match told.is_empty() {
        true => Ok(("nothing", told)),
        false => Ok(("exchangers", told)),
    }
}

/// How many addresses a name has.
async fn addresses(resolver: &TokioResolver, name: &str) -> Result<u64, NetError> {
    let mut many = 0;
    for kind in [RecordType::A, RecordType::AAAA] {
        match resolver.lookup(name, kind).await {
            Ok(found) => {
                let answers = found.answers().iter();
                many += answers
                    .filter(|record| record.record_type() == kind)
                    .count() as u64;
            }
            Err(error) if negative(&error).is_some() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(many)
}

/// That there is nothing, said by a server that knows: a referral to others is no such word.
fn negative(error: &NetError) -> Option<ResponseCode> {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none))
            if none.soa.is_some() || none.ns.is_none() =>
        {
            let code = none.response_code;
            matches!(code, ResponseCode::NoError | ResponseCode::NXDomain).then_some(code)
        }
        _ => None,
    }
}

fn unasked(error: &NetError) -> Failure {
    let kind = match error {
        NetError::Timeout => FailureKind::Timeout,
        _ => FailureKind::Unreachable,
    };
    Failure::new(kind, "an answer of DNS", format!("nothing is known: {error}")).with_hint(
        "look at the resolver that was asked (`dig MX DOMAIN` shows what it says); the inventory's `resolver:` names another one",
    )
}

fn late(time: Duration) -> Failure {
    Failure::new(
        FailureKind::Timeout,
        "an answer of DNS",
        format!("none within {}", say(time)),
    )
    .with_hint("look at the resolver that was asked, and at the way to it; the inventory's `resolver:` names another one")
}
