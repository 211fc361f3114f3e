//! `ProxyJump` of ssh_config(5): hosts on the way, nearest first, each `[user@]host[:port]` or an
//! `ssh://` address.

/// One host on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jump {
    pub user: Option<String>,
    /// As one would type it after `ssh`.
    pub host: String,
    pub port: Option<u16>,
}

/// The hosts of a `ProxyJump`; none for `none`.
///
/// # Errors
/// With what to write instead.
pub(super) fn parse(text: &str) -> Result<Vec<Jump>, String> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(Vec::new());
    }
    let one = |part: &str| {
        one(part).ok_or_else(|| "write `[user@]host[:port]`, several with `,`".to_owned())
    };
    text.split(',').map(one).collect()
}

/// As `ProxyJump` writes it.
pub(super) fn text(jump: &Jump) -> String {
    let user = jump
        .user
        .as_ref()
        .map_or(String::new(), |user| format!("{user}@"));
    let host = match jump.host.contains(':') {
        true => format!("[{}]", jump.host),
        false => jump.host.clone(),
    };
    let port = jump.port.map_or(String::new(), |port| format!(":{port}"));
    format!("{user}{host}{port}")
}

fn one(part: &str) -> Option<Jump> {
    let address = part.strip_prefix("ssh://");
    let part = address.map_or(part, |address| address.trim_end_matches('/'));
    let (user, place) = match part.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, part),
    };
    let (host, port) = match place.strip_prefix('[') {
        Some(inner) => {
            let (host, after) = inner.split_once(']')?;
            match after {
                "" => (host, None),
                after => (host, Some(after.strip_prefix(':')?)),
            }
        }
        // A bare IPv6 address cannot be told from a host and a port.
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    let port = match port {
        None => None,
        Some(port) => Some(port.parse().ok().filter(|port| *port > 0)?),
    };
    let good = |word: &str| {
        !word.is_empty() && !word.starts_with('-') && !word.contains(char::is_whitespace)
    };
    (good(host) && user.is_none_or(good)).then(|| Jump {
        user: user.map(str::to_owned),
        host: host.to_owned(),
        port,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_with_accounts_and_ports() {
        let jump = |user: Option<&str>, host: &str, port| Jump {
            user: user.map(str::to_owned),
            host: host.to_owned(),
            port,
        };
        assert_eq!(
            parse("a,u@b:22,[::1]:99"),
            Ok(vec![
                jump(None, "a", None),
                jump(Some("u"), "b", Some(22)),
                jump(None, "::1", Some(99))
            ])
        );
        assert_eq!(
            parse("ssh://u@b:9/"),
            Ok(vec![jump(Some("u"), "b", Some(9))])
        );
        assert_eq!(parse("None"), Ok(Vec::new()));
        for bad in ["", "a,", ",a", "u@", "a:0", "a:x", "a b", "-oX", "[::1"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
