//! URLs that are never asked for, whatever an inventory says: some products act on a GET. A path is
//! looked at as the most lenient server would read it: decoded as often as it goes, in small letters,
//! without empty names, `.`, `..` and parameters.

use super::url::Url;

/// A path whose beginning is refused wherever it stands in a path, and why.
struct Refused<'a> {
    path: &'a str,
    reason: &'a str,
}

/// Of every server, since nobody can tell a product by its port.
const BUILT_IN: [Refused<'_>; 1] = [Refused {
    path: "/amps/administrator",
    // 60East, "AMPS Monitoring Guide", administrator: disconnects clients, writes minidumps, switches
    // transports, resets authentication (facts: artifacts.md 0.2).
    reason: "AMPS acts on a GET below /amps/administrator: it disconnects clients, switches transports, resets authentication",
}];

/// Why `url` is never asked for; `None` when it may be.
pub(super) fn refuses(url: &Url) -> Option<&'static str> {
    let mut all = BUILT_IN.iter();
    all.find(|refused| leads_below(url, refused.path))
        .map(|refused| refused.reason)
}

/// Whether a lenient server might read the URL's path as one at or below `refused`. A proxy may stand
/// before the product: what lies before does not matter.
pub(super) fn leads_below(url: &Url, refused: &str) -> bool {
    path_leads_below(url.path(), refused)
}

/// The same of a path alone.
pub(super) fn path_leads_below(path: &str, refused: &str) -> bool {
    let refused = names(refused);
    // `/a/../b` leads to `/b` for some, and for others `..` is a name like any other.
    [names(path), climbed(names(path))].iter().any(|names| {
        !refused.is_empty()
            && names.windows(refused.len()).any(|part| {
                let mut pairs = part.iter().zip(&refused);
                pairs.all(|(name, refused)| is_same(name, refused))
            })
    })
}

/// A representation of the same thing is asked for as `NAME.json`.
fn is_same(name: &str, refused: &str) -> bool {
    name == refused
        || (name.strip_prefix(refused)).is_some_and(|rest| rest.starts_with(['.', ' ', '\0']))
}

fn names(path: &str) -> Vec<String> {
    let path = decoded(path).to_lowercase();
    let names = path.split(['/', '\\']);
    let bare = names.map(|name| {
        name.split([';', '?', '#'])
            .next()
            .unwrap_or_default()
            .trim()
    });
    bare.filter(|name| !matches!(*name, "" | "."))
        .map(str::to_owned)
        .collect()
}

fn climbed(names: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for name in names {
        match name.as_str() {
            ".." => drop(kept.pop()),
            _ => kept.push(name),
        }
    }
    kept
}

fn decoded(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    // Each time it gets shorter.
    loop {
        let once = decoded_once(&bytes);
        if once == bytes {
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        bytes = once;
    }
}

fn decoded_once(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    let digit = |at: usize| {
        bytes
            .get(at)
            .and_then(|byte| char::from(*byte).to_digit(16))
    };
    while let Some(byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'%'));
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As if the grammar had let it through.
    fn url(target: &str) -> Url {
        Url {
            is_tls: false,
            host: "127.0.0.1".into(),
            port: 8085,
            target: target.into(),
        }
    }

    #[test]
    fn whatever_amps_might_take_for_its_administrator_is_refused() {
        for target in [
            "/amps/administrator",
            "/amps/administrator/",
            "/amps/administrator/transports/all/disable",
            "/AMPS/Administrator/minidump",
            "/amps/administrator.json",
            "/amps/administrator?x",
            "/amps/administrator;x/clients",
            "/amps;x/administrator",
            "//amps//administrator",
            "/./amps/./administrator",
            "/amps/instance/../administrator",
            "/x/../amps/administrator",
            "/amps/%61dministrator",
            "/amps/%2561dministrator",
            "/amps%2fadministrator",
            "/amps%252Fadministrator",
            "/amps\\administrator",
            "/amps/administrator%20",
            "/amps/administrator%00.json",
            "/proxy/amps/administrator/clients",
            "/amps/..%2famps/administrator",
        ] {
            assert!(refuses(&url(target)).is_some(), "{target}");
        }
    }

    #[test]
    fn what_only_looks_at_it_may_be_asked_for() {
        for target in [
            "/",
            "/amps/instance.json",
            "/amps/instance/config.xml",
            "/amps/instance/administrators",
            "/amps/instance/administrator",
            "/amps",
            "/administrator",
            "/amps/host/memory.csv?t0=20261121T000000",
            "/amps/instance?next=/amps/administrator",
        ] {
            assert_eq!(refuses(&url(target)), None, "{target}");
        }
    }

    #[test]
    fn a_path_of_no_name_refuses_nothing() {
        assert!(!leads_below(&url("/x"), "/"));
        assert!(leads_below(&url("/x/y"), "/x"));
    }
}
