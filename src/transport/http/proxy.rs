//! The proxy that the environment names for a URL: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in
//! small letters first, as curl and others have them. Connects to nothing.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::failure::{Failure, FailureKind};
use crate::inventory::Url;

/// What the environment says of proxies.
#[derive(Clone, Default)]
pub struct Proxies {
    https: Option<Zeroizing<String>>,
    http: Option<Zeroizing<String>>,
    none: String,
}

/// A proxy to go through.
pub(super) struct Proxy {
    pub(super) host: String,
    pub(super) port: u16,
    /// `Proxy-Authorization`, where its URL names an account.
    pub(super) credentials: Option<Zeroizing<String>>,
}

impl Proxies {
    /// Those of this process.
    #[must_use]
    pub fn of_environment() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    pub(super) fn of(get: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&str]| {
            let mut values = names.iter().filter_map(|name| get(name));
            values.find(|value| !value.trim().is_empty())
        };
        Self {
            https: first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
                .map(Zeroizing::new),
            http: first(&["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
                .map(Zeroizing::new),
            none: first(&["no_proxy", "NO_PROXY"]).unwrap_or_default(),
        }
    }

    /// The one for `url`; nothing where it is asked for directly.
    pub(super) fn of_url(&self, url: &Url) -> Result<Option<Proxy>, Failure> {
        let (name, written) = match url.is_tls {
            true => ("HTTPS_PROXY", &self.https),
            false => ("HTTP_PROXY", &self.http),
        };
        let Some(written) = written else {
            return Ok(None);
        };
        // Asked by a proxy, an address of loopback would be the proxy's own machine.
        let address: Option<IpAddr> = url.host.parse().ok();
        if address.is_some_and(|address| address.is_loopback()) || self.leaves_out(&url.host) {
            return Ok(None);
        }
        parse(written).map(Some).map_err(|hint| {
            Failure::new(
                FailureKind::Undefined,
                "a proxy that gonogo can use",
                format!("what {name} holds is none"),
            )
            .with_hint(hint)
        })
    }

    /// `NO_PROXY`: `*`, a name with all below it, an address, or a network such as 10.0.0.0/8.
    fn leaves_out(&self, host: &str) -> bool {
        let address: Option<IpAddr> = host.parse().ok();
        let entries = self.none.split([',', ' ']).map(str::trim);
        entries.filter(|entry| !entry.is_empty()).any(|entry| {
            let entry = entry.to_ascii_lowercase();
            let name = entry.trim_start_matches('.');
            match (address, entry.split_once('/')) {
                _ if entry == "*" => true,
                (Some(address), Some((network, bits))) => {
                    let network = network.parse().ok().zip(bits.parse().ok());
                    network.is_some_and(|(network, bits)| lies_within(address, network, bits))
                }
                (Some(address), None) => name.trim_matches(['[', ']']).parse() == Ok(address),
                (None, _) => {
                    let rest = host.strip_suffix(name);
                    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                }
            }
        })
    }
}

fn lies_within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let (address, network, all) = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => (u128::from(a.to_bits()), u128::from(n.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(n)) => (a.to_bits(), n.to_bits(), 128),
        _ => return false,
    };
    match bits {
        0 => true,
        bits if bits <= all => address >> (all - bits) == network >> (all - bits),
        _ => false,
    }
}

/// `http://[user:password@]host:port[/]`, or without the scheme.
fn parse(written: &str) -> Result<Proxy, String> {
    let hint = "write it as http://host:port: proxies that speak TLS themselves, and SOCKS, are not understood; `NO_PROXY` leaves a host out";
    let rest = match written.trim().split_once("://") {
        Some(("http", rest)) => rest,
        Some(_) => return Err(hint.to_owned()),
        None => written.trim(),
    };
    let rest = rest.trim_end_matches('/');
    let (account, place) = match rest.rsplit_once('@') {
        Some((account, place)) => (Some(account), place),
        None => (None, rest),
    };
    // The port of a proxy without one is 80, as of any such URL.
    let url = Url::parse(&format!("http://{place}/")).map_err(|why| format!("{hint}; {why}"))?;
    let credentials = account.map(|account| Zeroizing::new(STANDARD.encode(&*decoded(account))));
    Ok(Proxy {
        host: url.host,
        port: url.port,
        credentials,
    })
}

/// Percent-decoded: passwords hold what no URL may.
fn decoded(text: &str) -> Zeroizing<Vec<u8>> {
    let bytes = text.as_bytes();
    let mut out = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = text.get(at + 1..at + 3).filter(|_| byte == b'%');
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Proxies {
        Proxies::of(|name| {
            let mut found = pairs.iter().filter(|(key, _)| *key == name);
            found.next().map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_names_a_proxy_for_each_scheme_and_leaves_hosts_out() {
        let proxies = of(&[
            ("HTTPS_PROXY", "http://us%40er:pa%3Ass@proxy.example:3128/"),
            ("http_proxy", "10.0.0.1:8080"),
            (
                "NO_PROXY",
                "direct.example, .below.example,127.0.0.0/8,[::1]",
            ),
        ]);
        for (url, place) in [
            ("https://a.example/", Some(("proxy.example", 3128))),
            ("http://a.example/", Some(("10.0.0.1", 8080))),
            ("https://direct.example/", None),
            ("https://x.direct.example/", None),
            ("https://notdirect.example/", Some(("proxy.example", 3128))),
            ("https://x.below.example/", None),
            ("https://127.9.9.9/", None),
            ("https://128.0.0.1/", Some(("proxy.example", 3128))),
            ("https://[::1]/", None),
        ] {
            let proxy = proxies.of_url(&Url::parse(url).unwrap()).ok().unwrap();
            let found = proxy.as_ref().map(|proxy| (&*proxy.host, proxy.port));
            assert_eq!(found, place, "{url}");
        }
        let all = of(&[("ALL_PROXY", "http://proxy.example:3128")]);
        for (url, is_asked_by_it) in [
            ("https://127.0.0.1:8443/", false),
            ("http://[::1]/", false),
            ("https://localhost/", true),
            ("https://127.example/", true),
        ] {
            let proxy = all.of_url(&Url::parse(url).unwrap()).ok().unwrap();
            assert_eq!(proxy.is_some(), is_asked_by_it, "{url}");
        }
        let url = Url::parse("https://a.example/").unwrap();
        let proxy = proxies.of_url(&url).ok().flatten().unwrap();
        assert_eq!(*proxy.credentials.unwrap(), STANDARD.encode("us@er:pa:ss"));
        assert!(of(&[]).of_url(&url).ok().unwrap().is_none());
        assert!(
            of(&[("https_proxy", " ")])
                .of_url(&url)
                .ok()
                .unwrap()
                .is_none()
        );
        assert!(
            of(&[("https_proxy", "x:1"), ("no_proxy", "*")])
                .of_url(&url)
                .ok()
                .unwrap()
                .is_none()
        );
        for bad in ["socks5://x:1", "https://x:1", "http://:1", "http://x:99999"] {
            let failure = of(&[("https_proxy", bad)]).of_url(&url).err().unwrap();
            assert_eq!(failure.kind, FailureKind::Undefined, "{bad}");
        }
    }
}
