//! Values of the keywords that are followed or judged, checked when the file is read, for every host, as
//! ssh(1) does.

use std::time::Duration;

/// Whether `words` can be a value of that keyword.
///
/// # Errors
/// With what to write instead.
pub(super) fn check(name: &str, words: &[String]) -> Result<(), String> {
    let one_of = |allowed: &[&str]| {
        let known = allowed
            .iter()
            .any(|word| word.eq_ignore_ascii_case(&words[0]));
        match known {
            true => Ok(()),
            false => Err(format!("write one of: {}", allowed.join(", "))),
        }
    };
    let many = matches!(
        name,
        "globalknownhostsfile" | "userknownhostsfile" | "knownhostscommand" | "refuseconnection"
    );
    if words.len() > 1 && !many {
        return Err("one value is enough".to_owned());
    }
    if words[0].is_empty() {
        return Err("write a value".to_owned());
    }
    match name {
        "port" => port(&words[0])
            .map(|_| ())
            .ok_or_else(|| "a port is a whole number from 1 to 65535".to_owned()),
        "connecttimeout" => match timeout(&words[0]) {
            Some(_) => Ok(()),
            None => Err("write seconds, or `none`".to_owned()),
        },
        "addressfamily" => one_of(&["any", "inet", "inet6"]),
        "identitiesonly"
        | "gssapiauthentication"
        | "hostbasedauthentication"
        | "nohostauthenticationforlocalhost"
        | "proxyusefdpass" => one_of(&["yes", "true", "no", "false"]),
        "stricthostkeychecking" => {
            one_of(&["yes", "true", "no", "false", "ask", "off", "accept-new"])
        }
        "verifyhostkeydns" => one_of(&["yes", "true", "no", "false", "ask"]),
        "canonicalizehostname" => one_of(&["yes", "true", "no", "false", "always"]),
        "pubkeyauthentication" => one_of(&["yes", "true", "no", "false", "unbound", "host-bound"]),
        "userknownhostsfile" | "globalknownhostsfile"
            if words.len() > 1 && words.iter().any(|word| word.eq_ignore_ascii_case("none")) =>
        {
            Err("`none` stands alone".to_owned())
        }
        _ => Ok(()),
    }
}

/// A port; a service's name is not looked up.
pub(super) fn port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port > 0)
}

/// `TIME FORMATS` of sshd_config(5): `90`, `1m30s`; `Some(None)` for `none`.
pub(super) fn timeout(text: &str) -> Option<Option<Duration>> {
    if text.eq_ignore_ascii_case("none") {
        return Some(None);
    }
    let (mut total, mut number) = (0_u64, None::<u64>);
    for c in text.chars() {
        match (c.to_digit(10), c.to_ascii_lowercase()) {
            (Some(digit), _) => {
                let so_far = number.unwrap_or(0).checked_mul(10)?;
                number = Some(so_far.checked_add(u64::from(digit))?);
            }
            (None, unit) => {
                let seconds = match unit {
                    's' => 1,
                    'm' => 60,
                    'h' => 3600,
                    'd' => 86_400,
                    'w' => 604_800,
                    _ => return None,
                };
                total = total.checked_add(number.take()?.checked_mul(seconds)?)?;
            }
        }
    }
    if total == 0 && number.is_none() {
        return None;
    }
    total = total.checked_add(number.unwrap_or(0))?;
    // OpenSSH counts milliseconds in an int.
    (total <= 2_147_483).then(|| Some(Duration::from_secs(total)))
}

/// `yes` in its two spellings.
pub(super) fn is_yes(word: &str) -> bool {
    word.eq_ignore_ascii_case("yes") || word.eq_ignore_ascii_case("true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_sums_of_units() {
        for (text, seconds) in [("10", 10), ("1m30", 90), ("2H", 7200), ("1m30s", 90)] {
            assert_eq!(
                timeout(text),
                Some(Some(Duration::from_secs(seconds))),
                "{text}"
            );
        }
        assert_eq!(timeout("none"), Some(None));
        for bad in ["", "s", "1x", "-1", "99999999999999999999"] {
            assert_eq!(timeout(bad), None, "{bad}");
        }
        assert_eq!(
            (port("22"), port("0"), port("+22"), port("65536")),
            (Some(22), None, None, None)
        );
    }
}
